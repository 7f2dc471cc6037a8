//! What goes in comes out: random spans through frames and through OTLP bodies, decoded with opentelemetry-proto.

use crate::body::{self, captures};
use crate::frames::FrameWriter;
use genspan::{Config, Convert, Converter, Format, Hooks, Pipeline, Profile};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

fn values() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        ".{0,80}".prop_map(Value::StringValue),
        any::<bool>().prop_map(Value::BoolValue),
        any::<i64>().prop_map(Value::IntValue),
        (-100_000i64..100_000).prop_map(Value::IntValue),
        any::<f64>().prop_filter("NaN is not equal to itself", |n| !n.is_nan()).prop_map(Value::DoubleValue),
        vec(any::<u8>(), 0..40).prop_map(Value::BytesValue),
    ];
    let value = leaf.prop_recursive(3, 16, 4, |inner| {
        let any = inner.prop_map(|value| AnyValue { value: Some(value) });
        prop_oneof![
            vec(any.clone(), 0..4).prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            vec(("[a-z.]{0,12}", any), 0..4).prop_map(|entries| Value::KvlistValue(KeyValueList {
                values: entries.into_iter().map(|(key, value)| KeyValue { key, value: Some(value), ..Default::default() }).collect()
            })),
        ]
    });
    value.prop_map(|value| AnyValue { value: Some(value) })
}

/// Attributes that no convention knows.
fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    // Each key once, as OTLP has it.
    proptest::collection::btree_map("app\\.[a-z深.]{0,20}", values(), 0..6)
        .prop_map(|list| list.into_iter().map(|(key, value)| KeyValue { key, value: Some(value), ..Default::default() }).collect())
}

const SECONDS: std::ops::Range<u64> = 0..4_294_967_296;

fn times() -> impl Strategy<Value = u64> {
    (SECONDS, 0u64..1_000_000_000).prop_map(|(s, n)| s * 1_000_000_000 + n)
}

prop_compose! {
    fn events()(time in times(), name in ".{0,20}", attributes in attributes(), dropped in 0u32..9) -> span::Event {
        span::Event { time_unix_nano: time, name, attributes, dropped_attributes_count: dropped }
    }
}

prop_compose! {
    fn links()(trace_id in vec(any::<u8>(), 16), span_id in vec(any::<u8>(), 8), trace_state in "[a-z=,]{0,20}", attributes in attributes(), dropped in 0u32..9, flags: u32) -> span::Link {
        span::Link { trace_id, span_id, trace_state, attributes, dropped_attributes_count: dropped, flags }
    }
}

prop_compose! {
    fn spans()(
        trace_id in vec(any::<u8>(), 16), span_id in vec(1u8.., 8), parent in proptest::option::of(vec(1u8.., 8)), remote: bool, trace_flags: u8,
        name in ".{0,60}", kind in 0i32..6, times in (times(), times()), attributes in attributes(), events in vec(events(), 0..3),
        links in vec(links(), 0..3), dropped in (0u32..9, 0u32..9, 0u32..9), code in 0i32..3, message in "[a-z深]{0,9}", trace_state in "[a-z=,]{0,20}",
    ) -> Span {
        Span {
            trace_id, span_id, trace_state, name, kind, attributes, events, links,
            parent_span_id: parent.unwrap_or_default(),
            flags: u32::from(trace_flags) | if remote { 0x300 } else { 0x100 },
            start_time_unix_nano: times.0,
            end_time_unix_nano: times.1,
            dropped_attributes_count: dropped.0,
            dropped_events_count: dropped.1,
            dropped_links_count: dropped.2,
            status: (code != 0 || !message.is_empty()).then_some(Status { message, code }),
        }
    }
}

/// A request with one scope and resource, as the decoder of an SDK would see it.
fn request(spans: Vec<Span>, attributes: Vec<KeyValue>) -> ExportTraceServiceRequest {
    let scope =
        Some(InstrumentationScope { name: "app".into(), version: "1".into(), attributes: attributes.clone(), dropped_attributes_count: 0 });
    let resource = Some(Resource { attributes, ..Default::default() });
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource,
            scope_spans: vec![ScopeSpans { scope, spans, schema_url: String::new() }],
            schema_url: String::new(),
        }],
    }
}

proptest! {
    #[test]
    fn spans_that_no_convention_knows_come_out_of_frames_as_they_are(spans in vec(spans(), 1..5), attributes in attributes(), dictionary in 0usize..30) {
        let expected = request(spans, attributes);
        let config = format!(r#"{{"destinations":[{{}}],"maxKeys":{dictionary}}}"#);
        let mut p = Pipeline::new(&Config::from_json(&config).unwrap(), 1).unwrap();
        let mut w = FrameWriter::new(&mut p);
        let from = &expected.resource_spans[0];
        let scope = w.scope(from.scope_spans[0].scope.as_ref().unwrap());
        let resource = w.resource(from.resource.as_ref().unwrap());
        for span in &from.scope_spans[0].spans {
            let record = w.span(span, scope, resource);
            w.0.end(&record, 0, 0.0).unwrap();
        }
        p.flush(0.0);
        let out = ExportTraceServiceRequest::decode(p.poll(0.0).unwrap().1.body).unwrap();
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn bodies_that_no_convention_knows_come_out_byte_for_byte(spans in vec(spans(), 0..5), attributes in attributes()) {
        let body = request(spans, attributes).encode_to_vec();
        prop_assert_eq!(genspan::convert(&body, &Convert::default()).unwrap(), body);
    }

    #[test]
    fn a_span_that_is_rewritten_keeps_all_that_no_rule_touches(mut span in spans()) {
        let mark = |key: &str| KeyValue { key: key.into(), value: Some(AnyValue { value: Some(Value::StringValue("false".into())) }), ..Default::default() };
        let plain = request(vec![span.clone()], vec![]);
        span.attributes.insert(span.attributes.len() / 2, mark("gen_ai.is_entry"));
        span.attributes.push(mark("langfuse.trace.metadata.gen_ai.is_entry"));
        let marked = request(vec![span], vec![]);
        let out = genspan::convert(&marked.encode_to_vec(), &Convert::default()).unwrap();
        prop_assert_eq!(ExportTraceServiceRequest::decode(&out[..]).unwrap(), plain);
    }

    #[test]
    fn fields_that_are_not_known_survive(span in spans(), unknown in vec((200u32..5_000, vec(any::<u8>(), 0..20)), 1..4)) {
        // On a span that is rewritten, on its scope, its resource and the request.
        let mut span = span;
        span.attributes.push(KeyValue { key: "gen_ai.request.model".into(), value: Some(AnyValue { value: Some(Value::StringValue("m".into())) }), ..Default::default() });
        let tail: Vec<u8> = unknown.iter().flat_map(|(number, bytes)| field(*number, bytes)).collect();
        let with_tail = |mut message: Vec<u8>| { message.extend_from_slice(&tail); message };
        let scope = field(1, &with_tail(field(1, b"langfuse-sdk")));
        let span = field(2, &with_tail(span.encode_to_vec()));
        let resource = field(1, &with_tail(vec![]));
        let scope_spans = field(2, &with_tail([scope, span].concat()));
        let body = with_tail(field(1, &with_tail([resource, scope_spans].concat())));
        let out = genspan::convert(&body, &Convert::default()).unwrap();
        let count = |body: &[u8]| body.windows(tail.len()).filter(|w| *w == tail).count();
        prop_assert!(count(&out) >= 6, "{} of {}", count(&out), count(&body));
        ExportTraceServiceRequest::decode(&out[..]).unwrap();
    }

    #[test]
    fn no_record_panics(bytes in vec(any::<u8>(), 0..200)) {
        let mut p = Pipeline::new(&Config::from_json(r#"{"destinations":[{}]}"#).unwrap(), 1).unwrap();
        let record = [&[1][..], &bytes].concat();
        let _ = (p.scope(&record), p.resource(&record), p.start(&record, 0, 0.0), p.end(&record, 0, 0.0), p.end(&bytes, 0, 0.0));
        p.flush(0.0);
        while let Some((_, transmit)) = p.poll(0.0) {
            ExportTraceServiceRequest::decode(transmit.body).expect("what goes out decodes");
        }
    }
}

/// A length-delimited field.
fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut out);
    prost::encoding::encode_varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    out
}

/// With a dictionary that earlier bodies filled, and after bodies that were refused.
#[test]
fn a_converter_that_is_used_again_writes_what_a_new_one_writes() {
    let many_keys = |from: usize| {
        let attributes = (from..from + 5_000).map(|n| (format!("my.key.{n}"), "x".into())).collect::<serde_json::Map<_, _>>();
        body::request("my.scope", "many", &attributes.into())
    };
    let mut bodies: Vec<_> = captures().iter().step_by(5).map(|path| std::fs::read(path).unwrap()).collect();
    bodies.push(bodies[0][..bodies[0].len() - 3].to_vec());
    bodies.extend([many_keys(0), many_keys(1_000)]);
    let options = [
        Convert { inherit_session: true, ..Convert::default() },
        Convert { profile: Profile::LANGFUSE, to: Format::Json, ..Convert::default() },
    ];
    for options in &options {
        let mut converter = Converter::new(options).unwrap();
        for body in bodies.iter().chain(bodies.iter().rev()) {
            let own = genspan::convert(body, options).map_err(|error| error.to_string());
            assert_eq!(converter.convert(body, &Hooks::default()).map(|w| w.body.to_vec()).map_err(|error| error.to_string()), own);
            let own = genspan::explain(body, options).map_err(|error| error.to_string());
            assert_eq!(converter.explain(body, &Hooks::default()).map(|c| c.body).map_err(|error| error.to_string()), own);
        }
    }
}
