//! A span as a source writes it, and what `convert` makes of it under the profiles.

use std::collections::BTreeMap;

use genspan::internals::config::{Convert, Format, Profile};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Event};
use prost::Message;
use serde_json::Value as Json;

/// 2026-01-01T00:00:00Z.
const START: u64 = 1_767_225_600_000_000_000;
/// Where the events of a sample stand, a quarter of a second after its start.
pub const AFTER: f64 = 0.25;
pub const AFTER_ISO: &str = "2026-01-01T00:00:00.250Z";
pub const START_MS: u64 = START / 1_000_000;

#[derive(Clone, Debug, Default)]
pub struct Source {
    pub scope: String,
    pub name: String,
    pub resource: Vec<(String, Json)>,
    pub attributes: Vec<(String, Json)>,
    pub events: Vec<(String, Vec<(String, Json)>)>,
    pub failed: bool,
    pub status_message: String,
}

impl Source {
    /// Adds an attribute, if the span has none under this key.
    pub fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        if !self.attributes.iter().any(|(k, _)| k == key) {
            self.attributes.push((key.into(), value.into()));
        }
        self
    }

    pub fn event(mut self, name: &str, attributes: &[(&str, Json)]) -> Self {
        self.events.push((name.into(), attributes.iter().map(|(k, v)| ((*k).into(), v.clone())).collect()));
        self
    }
}

#[derive(Debug)]
pub struct Output {
    pub resource: BTreeMap<String, Json>,
    pub attributes: BTreeMap<String, Json>,
    pub events: Vec<(String, BTreeMap<String, Json>)>,
    pub failed: bool,
    pub status_message: String,
}

pub struct Outputs {
    pub otel: Output,
    pub tencent: Output,
    /// Some convention knows the span.
    pub recognised: bool,
}

/// What comes out of each source, all sent as one body, each with a resource, a scope and a trace of its own.
pub fn convert(sources: &[&Source]) -> Vec<Outputs> {
    let resource_spans = sources.iter().zip(1u128..).map(|(source, trace)| resource_spans(source, trace)).collect();
    let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    let pairs = outputs(&body, Profile::OTEL).into_iter().zip(outputs(&body, Profile::TENCENT));
    pairs.zip(recognised(&body)).map(|((otel, tencent), recognised)| Outputs { otel, tencent, recognised }).collect()
}

fn recognised(body: &[u8]) -> Vec<bool> {
    let explained = genspan::explain(body, &Convert { from: Format::Protobuf, ..Default::default() }).expect("the samples are explained");
    let spans: Vec<Json> = serde_json::from_slice(&explained).expect("an explanation is JSON");
    spans.iter().map(|span| span["conventions"].as_array().is_some_and(|conventions| !conventions.is_empty())).collect()
}

fn resource_spans(source: &Source, trace: u128) -> ResourceSpans {
    let span = Span {
        trace_id: trace.to_be_bytes().into(),
        span_id: vec![2; 8],
        name: source.name.clone(),
        start_time_unix_nano: START,
        end_time_unix_nano: START + 1_000_000_000,
        attributes: key_values(&source.attributes),
        events: source
            .events
            .iter()
            .map(|(name, attributes)| Event {
                name: name.clone(),
                time_unix_nano: START + (AFTER * 1e9) as u64,
                attributes: key_values(attributes),
                ..Default::default()
            })
            .collect(),
        status: source.failed.then(|| Status { code: 2, message: source.status_message.clone() }),
        ..Default::default()
    };
    let scope = InstrumentationScope { name: source.scope.clone(), ..Default::default() };
    ResourceSpans {
        resource: Some(Resource { attributes: key_values(&source.resource), ..Default::default() }),
        scope_spans: vec![ScopeSpans { scope: Some(scope), spans: vec![span], ..Default::default() }],
        ..Default::default()
    }
}

fn outputs(body: &[u8], profile: Profile) -> Vec<Output> {
    let out = genspan::convert(body, &Convert { profile, from: Format::Protobuf, ..Default::default() }).expect("the samples convert");
    let request = ExportTraceServiceRequest::decode(&out[..]).expect("what goes out decodes");
    request.resource_spans.iter().map(output).collect()
}

fn output(resource: &ResourceSpans) -> Output {
    let span = &resource.scope_spans[0].spans[0];
    let status = span.status.clone().unwrap_or_default();
    Output {
        resource: members(&resource.resource.as_ref().unwrap().attributes),
        attributes: members(&span.attributes),
        events: span.events.iter().map(|event| (event.name.clone(), members(&event.attributes))).collect(),
        failed: status.code == 2,
        status_message: status.message,
    }
}

fn key_values(attributes: &[(String, Json)]) -> Vec<KeyValue> {
    attributes.iter().map(|(key, value)| KeyValue { key: key.clone(), value: Some(to_any(value)), ..Default::default() }).collect()
}

fn to_any(json: &Json) -> AnyValue {
    let value = match json {
        Json::Null => None,
        Json::Bool(b) => Some(Value::BoolValue(*b)),
        Json::Number(n) => Some(n.as_i64().map_or_else(|| Value::DoubleValue(n.as_f64().unwrap()), Value::IntValue)),
        Json::String(s) => Some(Value::StringValue(s.clone())),
        Json::Array(items) => Some(Value::ArrayValue(ArrayValue { values: items.iter().map(to_any).collect() })),
        Json::Object(members) => Some(Value::KvlistValue(KeyValueList {
            values: key_values(&members.iter().map(|(k, v)| (k.clone(), v.clone())).collect::<Vec<_>>()),
        })),
    };
    AnyValue { value }
}

fn members(attributes: &[KeyValue]) -> BTreeMap<String, Json> {
    attributes.iter().map(|a| (a.key.clone(), a.value.as_ref().map_or(Json::Null, from_any))).collect()
}

fn from_any(value: &AnyValue) -> Json {
    match &value.value {
        Some(Value::BoolValue(b)) => Json::from(*b),
        Some(Value::IntValue(n)) => Json::from(*n),
        Some(Value::DoubleValue(n)) => Json::from(*n),
        Some(Value::StringValue(s)) => Json::from(s.as_str()),
        Some(Value::ArrayValue(list)) => list.values.iter().map(from_any).collect(),
        Some(Value::KvlistValue(list)) => Json::Object(members(&list.values).into_iter().collect()),
        _ => Json::Null,
    }
}

/// A member of a span in OTLP/JSON as it is written once it has been read.
pub fn converted(member: &str, value: &str) -> Result<Json, String> {
    let mut members = vec![("traceId", "\"0102030405060708090a0b0c0d0e0f10\""), ("spanId", "\"0102030405060708\""), ("name", "\"x\"")];
    members.retain(|(name, _)| *name != member);
    members.push((member, value));
    let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{}}}]}}]}}]}}"#, members.join(","));
    let options = Convert { from: Format::Json, to: Format::Json, ..Default::default() };
    let out = genspan::convert(body.as_bytes(), &options).map_err(|error| error.to_string())?;
    let json: Json = serde_json::from_slice(&out).map_err(|error| error.to_string())?;
    Ok(json["resourceSpans"][0]["scopeSpans"][0]["spans"][0][member].clone())
}
