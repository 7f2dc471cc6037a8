//! What Langfuse's server demands of an observation, written down from its ingestion (the schema of its events, and how it makes them of spans):
//! one field that is wrong, and the whole observation is refused, with its input, output and usage.

use crate::body::{captures, convert, spans};
use genspan::internals::config::Profile;
use genspan::internals::profiles::write::Keep;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, KeyValueList, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Each attribute as Langfuse's server sees it: scalars and lists are themselves, anything else is text.
type Seen = BTreeMap<String, Json>;

fn seen(span: &Span) -> Seen {
    let plain = |value: &AnyValue| match value.value.as_ref() {
        Some(Value::StringValue(text)) => text.as_str().into(),
        Some(Value::BoolValue(bool)) => (*bool).into(),
        Some(Value::IntValue(number)) => (*number).into(),
        Some(Value::DoubleValue(number)) => (*number).into(),
        Some(Value::ArrayValue(list)) => Json::Array(vec![Json::Null; list.values.len()]),
        _ => "{}".into(),
    };
    let value = |a: &KeyValue| plain(a.value.as_ref().expect("an attribute without value makes it drop the batch"));
    span.attributes.iter().map(|a| (a.key.clone(), value(a))).collect()
}

/// Why it would refuse the observation.
fn refused(seen: &Seen) -> Option<String> {
    let get = |key: &str| seen.get(key).filter(|value| !value.is_null());
    let first = |keys: &[&str]| keys.iter().find_map(|key| get(key)).cloned();
    let of_vercel: Json = get("ai.telemetry.metadata.langfusePrompt")
        .and_then(|prompt| serde_json::from_str(prompt.as_str()?).ok())
        .filter(Json::is_object)
        .unwrap_or_default();
    let member = |name: &str| of_vercel.get(name).filter(|value| !value.is_null()).cloned();
    let name = first(&["langfuse.observation.prompt.name", "langfuse.prompt.name"]).or_else(|| member("name"));
    let version = first(&["langfuse.observation.prompt.version", "langfuse.prompt.version"]).or_else(|| member("version"));
    let has_name = match &name {
        None => false,
        Some(Json::String(text)) => !text.is_empty(),
        Some(other) => return Some(format!("the prompt's name {other}")),
    };
    let has_version =
        match version.as_ref().map(|version| version.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_991.0)) {
            None => false,
            Some(None) => return Some(format!("the prompt's version {version:?}")),
            Some(Some(number)) => number != 0.0,
        };
    if has_name != has_version {
        return Some(format!("{name:?} with version {version:?}"));
    }
    for key in [
        "langfuse.observation.status_message",
        "langfuse.version",
        "langfuse.release",
        "langfuse.trace.name",
        "genkit:name",
        "ai.toolCall.name",
    ] {
        if get(key).is_some_and(|value| !value.is_string()) {
            return Some(format!("{key} is no text"));
        }
    }
    if get("langfuse.observation.level").is_some_and(|level| !["DEBUG", "DEFAULT", "WARNING", "ERROR"].iter().any(|known| level == known)) {
        return Some(format!("level {:?}", get("langfuse.observation.level")));
    }
    for key in ["langfuse.observation.model.parameters", "llm.invocation_parameters", "model_config"] {
        let parsed: Option<Json> = match get(key) {
            Some(Json::String(text)) => serde_json::from_str(text).ok(),
            other => other.cloned(),
        };
        match parsed {
            Some(Json::Object(_) | Json::Array(_)) => break,
            Some(other) if !other.is_null() && other != false && other != 0 && other != "" => return Some(format!("{key} is {other}")),
            _ => {}
        }
    }
    for key in ["langfuse.observation.usage_details", "langfuse.observation.cost_details"] {
        let Some(details) = get(key) else { continue };
        let Some(Ok(Json::Object(details))) = details.as_str().map(serde_json::from_str) else {
            return Some(format!("{key} is no object"));
        };
        let integers = key.contains("usage");
        let good = |n: &Json| n.is_null() || n.as_f64().is_some_and(|n| n >= 0.0 && (!integers || n.fract() == 0.0));
        if !details.values().all(good) {
            return Some(format!("{key} has {details:?}"));
        }
    }
    let start = get("langfuse.observation.completion_start_time");
    let is_moment = |text: &str| {
        let text = text.trim_matches('"');
        let (date, time) = text.split_once('T').unwrap_or_default();
        date.len() == 10 && (time.ends_with('Z') || time.len() > 6 && matches!(&time[time.len() - 6..time.len() - 5], "+" | "-"))
    };
    if start.is_some_and(|start| !start.as_str().is_some_and(is_moment)) {
        return Some(format!("completion start time {start:?}"));
    }
    // These it does not refuse: it throws at them, and the batch is gone.
    if get("operation.name").is_some_and(|name| !name.is_string()) {
        return Some("operation.name is no text".into());
    }
    let events = get("events").and_then(|events| serde_json::from_str::<Json>(events.as_str()?).ok());
    if events.is_some_and(|events| !events.as_array().is_some_and(|list| list.iter().all(Json::is_object))) {
        return Some("events are no list of objects".into());
    }
    None
}

fn body(attributes: &[(&str, Value)]) -> Vec<u8> {
    let attributes = attributes.iter().map(|(key, value)| {
        let value = Some(AnyValue { value: Some(value.clone()) });
        KeyValue { key: (*key).into(), value, ..Default::default() }
    });
    let span = Span {
        trace_id: vec![7; 16],
        span_id: vec![1; 8],
        name: "x".into(),
        kind: 1,
        start_time_unix_nano: 1_795_479_339_000_000_000,
        end_time_unix_nano: 1_795_479_340_000_000_000,
        attributes: attributes.collect(),
        ..Default::default()
    };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..Default::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }.encode_to_vec()
}

fn text(value: &str) -> Value {
    Value::StringValue(value.into())
}

fn sent(attributes: &[(&str, Value)], keep: Keep) -> Seen {
    seen(&spans(&convert(&body(attributes), Profile::LANGFUSE, Some(keep))).remove(0))
}

const KEEPS: [Keep; 3] = [Keep::Unmapped, Keep::All, Keep::None];

/// The keys in which each source names a prompt and its version.
const PROMPTS: [(&str, &str); 7] = [
    ("gen_ai.prompt.name", "gen_ai.prompt.version"),
    ("langfuse.observation.prompt.name", "langfuse.observation.prompt.version"),
    ("langfuse.prompt.name", "langfuse.prompt.version"),
    ("traceloop.prompt.key", "traceloop.prompt.version"),
    ("cozeloop.prompt_key", "cozeloop.prompt_version"),
    ("prompt.id", "llm.prompt_template.version"),
    // LoongSuite names no prompt.
    ("gen_ai.prompt.name", "gen_ai.prompt_template.version"),
];

/// What makes it a span of the source.
fn generation(key: &str) -> Vec<(&'static str, Value)> {
    let mut all = vec![("gen_ai.operation.name", text("chat")), ("gen_ai.request.model", text("m"))];
    all.extend(match key.split('.').next() {
        _ if key.contains("prompt_template") => Some(("gen_ai.react.round", Value::IntValue(1))),
        Some("langfuse") => Some(("langfuse.observation.type", text("generation"))),
        Some("traceloop") => Some(("traceloop.span.kind", text("task"))),
        Some("cozeloop") => Some(("cozeloop.span_type", text("model"))),
        Some("prompt") => Some(("openinference.span.kind", text("LLM"))),
        _ => None,
    });
    all
}

#[test]
fn langfuse_gets_the_name_and_the_version_of_a_prompt_or_neither() {
    let versions = [
        (text("3"), Some(3)),
        (Value::IntValue(3), Some(3)),
        (Value::DoubleValue(3.0), Some(3)),
        (text("0"), None),
        (Value::IntValue(0), None),
        (text("-1"), None),
        (Value::IntValue(-1), None),
        (text("v1"), None),
        (text("1.2.0"), None),
        (Value::DoubleValue(1.5), None),
        (text("99999999999999999999"), None),
        (Value::IntValue(1 << 60), None),
        (text("latest"), None),
    ];
    for (name_key, version_key) in PROMPTS {
        for (version, number) in &versions {
            for (with_name, with_version) in [(true, true), (true, false), (false, true)] {
                for keep in KEEPS {
                    let mut attributes = generation(if name_key.starts_with("gen_ai") { version_key } else { name_key });
                    attributes.extend(with_name.then(|| (name_key, text("greet"))));
                    attributes.extend(with_version.then(|| (version_key, version.clone())));
                    let found = sent(&attributes, keep);
                    let case = format!("{attributes:?} {keep:?}: {found:#?}");
                    assert_eq!(refused(&found), None, "{case}");
                    let number = number.filter(|_| with_name && with_version);
                    assert_eq!(found.get("langfuse.observation.prompt.version").and_then(Json::as_i64), number, "{case}");
                    assert_eq!(found.contains_key("langfuse.observation.prompt.name"), number.is_some(), "{case}");
                    let beside = ["langfuse.observation.metadata.prompt_name", "langfuse.observation.metadata.prompt_version"];
                    let expected = [with_name && number.is_none(), with_version && number.is_none()];
                    assert_eq!(beside.map(|key| found.contains_key(key)), expected, "{case}");
                }
            }
        }
    }
}

#[test]
fn a_prompt_of_langfuse_s_that_is_in_metadata_reads_back() {
    let attributes =
        [("langfuse.observation.type", text("generation")), ("gen_ai.prompt.name", text("greet")), ("gen_ai.prompt.version", text("v1"))];
    let there = convert(&body(&attributes), Profile::LANGFUSE, None);
    let back = crate::body::attributes(&spans(&convert(&there, Profile::OTEL, None)).remove(0));
    assert_eq!((&back["gen_ai.prompt.name"], &back["gen_ai.prompt.version"]), (&"greet".into(), &"v1".into()));
}

#[test]
fn nothing_that_a_source_writes_makes_langfuse_refuse_a_generation() {
    let map = || Value::KvlistValue(KeyValueList { values: vec![] });
    let scalars =
        || vec![text("5"), text("\"x\""), text("true"), Value::IntValue(5), Value::DoubleValue(0.5), Value::BoolValue(true), map()];
    let moments = ["2026-11-24", "2026-11-24 00:15:39", "2026-11-24 00:15:39+00:00", "2026-11-24T00:15:39", "soon"].map(text);
    let numbers = [r#"{"input":1.5}"#, r#"{"input":-1}"#, r#"{"input":"5"}"#, r#"{"mine":{"a":1}}"#, "[1]", "{}", "null"].map(text);
    let cases: Vec<(&str, Vec<Value>)> = vec![
        ("langfuse.observation.level", ["info", "warn", "Error", "critical", "loud", ""].map(text).into()),
        ("langfuse.observation.level", scalars()),
        ("langfuse.observation.status_message", scalars()),
        ("langfuse.version", scalars()),
        ("langfuse.release", scalars()),
        ("langfuse.trace.name", scalars()),
        ("genkit:name", scalars()),
        ("ai.toolCall.name", scalars()),
        ("operation.name", scalars()),
        ("langfuse.observation.model.parameters", scalars()),
        ("llm.invocation_parameters", scalars()),
        ("model_config", scalars()),
        ("langfuse.observation.usage_details", scalars()),
        ("langfuse.observation.usage_details", numbers.to_vec()),
        ("langfuse.observation.cost_details", scalars()),
        ("langfuse.observation.cost_details", numbers.to_vec()),
        ("langfuse.observation.completion_start_time", moments.to_vec()),
        ("langfuse.observation.completion_start_time", vec![Value::IntValue(1_795_479_339_500), text("\"2026-11-24T00:15:39.5Z\"")]),
        ("langfuse.observation.prompt.name", scalars()),
        ("langfuse.prompt.version", scalars()),
        (
            "ai.telemetry.metadata.langfusePrompt",
            [r#"{"name":"x"}"#, r#"{"version":3}"#, r#"{"name":"x","version":"3"}"#, r#"{"name":"x","version":3}"#].map(text).into(),
        ),
        ("events", ["{}", "5", "[null]", "[{}]", "no JSON"].map(text).into()),
    ];
    for (key, values) in cases {
        for value in values {
            for keep in KEEPS {
                let mut attributes = generation("langfuse");
                attributes.push((key, value.clone()));
                let found = sent(&attributes, keep);
                assert_eq!(refused(&found), None, "{key} {value:?}, {keep:?}: {found:#?}");
                // Of another kind, and without what makes it one of Langfuse's.
                let found = sent(&[("gen_ai.operation.name", text("execute_tool")), (key, value.clone())], keep);
                assert_eq!(refused(&found), None, "{key} {value:?} of a tool, {keep:?}: {found:#?}");
            }
        }
    }
}

#[test]
fn what_langfuse_would_refuse_stays_among_the_metadata() {
    for (key, value) in [
        ("langfuse.observation.level", "loud"),
        ("langfuse.observation.completion_start_time", "soon"),
        ("langfuse.observation.usage_details", r#"{"mine":0.5}"#),
        ("model_config", "5"),
    ] {
        let found = sent(&[("langfuse.observation.type", text("generation")), (key, text(value))], Keep::Unmapped);
        assert_eq!(found.get(&format!("langfuse.observation.metadata.refused.{key}")), Some(&value.into()), "{found:#?}");
    }
    let found = sent(&[("langfuse.observation.type", text("generation")), ("langfuse.observation.level", text("warn"))], Keep::Unmapped);
    assert_eq!(found["langfuse.observation.level"], "WARNING");
}

#[test]
fn no_captured_span_would_be_refused_by_langfuse() {
    for path in captures() {
        for keep in KEEPS {
            for span in spans(&convert(&std::fs::read(&path).unwrap(), Profile::LANGFUSE, Some(keep))) {
                assert_eq!(refused(&seen(&span)), None, "{path:?} {}", span.name);
            }
        }
    }
}

#[test]
fn a_resource_has_texts_where_langfuse_wants_texts() {
    let mut request = ExportTraceServiceRequest::decode(&body(&[("gen_ai.operation.name", text("chat"))])[..]).unwrap();
    let attribute = |key: &str, value| KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..Default::default() };
    let resource = request.resource_spans[0].resource.get_or_insert_default();
    resource.attributes = vec![
        attribute("service.version", Value::DoubleValue(1.5)),
        attribute("langfuse.release", Value::IntValue(7)),
        attribute("mine", Value::IntValue(7)),
    ];
    let out = convert(&request.encode_to_vec(), Profile::LANGFUSE, None);
    let out = ExportTraceServiceRequest::decode(&out[..]).unwrap();
    let found = &out.resource_spans[0].resource.as_ref().unwrap().attributes;
    assert_eq!(found[..2], [attribute("service.version", text("1.5")), attribute("langfuse.release", text("7"))]);
    assert_eq!(found[2], attribute("mine", Value::IntValue(7)));
}
