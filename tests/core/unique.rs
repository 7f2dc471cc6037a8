//! OTLP: "The attribute values are unique by key." Whatever the road of a span, the profile and what stays of its source, no key goes out
//! twice, and each road gives the same attributes.

use crate::bodies::spans;
use crate::body::captures;
use crate::frames::FrameWriter;
use genspan::Pipeline;
use genspan::internals::config::{Config, Convert, Format, Profile};
use genspan::internals::profiles::write::Keep;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};

const PROFILES: [(Profile, &str); 6] = [
    (Profile::OTEL, "otel"),
    (Profile::OTEL_1_41, "otel-1.41"),
    (Profile::TENCENT, "tencent"),
    (Profile::TENCENT_CLS, "tencent-cls"),
    (Profile::LANGFUSE, "langfuse"),
    (Profile::OPENINFERENCE, "openinference"),
];
const KEEPS: [(Keep, &str); 3] = [(Keep::Unmapped, "unmapped"), (Keep::All, "all"), (Keep::None, "none")];

/// What leaves of each span: its name, its attributes in order but for the mark of an entry, and its events.
type Out = BTreeMap<(Vec<u8>, Vec<u8>), (String, Vec<KeyValue>, Vec<u8>)>;

fn out(spans: Vec<Span>, from: &str) -> Out {
    let mut all = Out::new();
    for span in spans {
        let mut keys = BTreeSet::new();
        for attribute in &span.attributes {
            assert!(keys.insert(&attribute.key), "{from}: {} has {} twice", span.name, attribute.key);
        }
        // Which of several segments has the entry depends on their order, and is tested elsewhere.
        let attributes = span.attributes.iter().filter(|attribute| !attribute.key.ends_with("gen_ai.is_entry")).cloned().collect();
        let events = Span { events: span.events, ..Default::default() }.encode_to_vec();
        all.insert((span.trace_id, span.span_id), (span.name, attributes, events));
    }
    all
}

fn config(profile: &str, keep: &str, more: &str) -> Config {
    let token = if profile == "tencent" { r#","token":"t","hostName":"h","serviceName":"s""# } else { "" };
    Config::from_json(&format!(r#"{{"destinations":[{{"profile":"{profile}","keep":"{keep}"{token}}}],"inheritSession":false{more}}}"#))
        .unwrap()
}

fn drained(p: &mut Pipeline) -> Vec<Span> {
    p.flush(0.0);
    let mut all = Vec::new();
    while let Some((_, transmit)) = p.poll(0.0) {
        let (id, mut found) = (transmit.id, spans(transmit.body));
        all.append(&mut found);
        p.response(id, 200, None, b"", 0.0);
    }
    all
}

fn converted(body: &[u8], profile: Profile, keep: Keep) -> Vec<Span> {
    let options = Convert { profile, keep: Some(keep), to: Format::Protobuf, inherit_session: false, ..Convert::default() };
    spans(&genspan::convert(body, &options).unwrap())
}

fn ingested(body: &[u8], profile: &str, keep: &str) -> Vec<Span> {
    let mut p = Pipeline::new(&config(profile, keep, ""), 1).unwrap();
    p.ingest(body, None, 0.0).unwrap();
    drained(&mut p)
}

fn rewritten(body: &[u8], profile: &str, keep: &str) -> Vec<Span> {
    let mut p = Pipeline::new(&config(profile, keep, ""), 1).unwrap();
    let mut all = spans(&p.rewrite(body, None, 0.0).unwrap());
    p.flush(0.0);
    all.append(&mut spans(&p.drain_queue(0, 0.0)));
    all
}

/// Starts the spans of a body, parents first, and ends them, children first.
fn framed(body: &[u8], profile: &str, keep: &str, (cold, dictionary): (bool, usize)) -> Vec<Span> {
    let mut p = Pipeline::new(&config(profile, keep, &format!(r#","maxKeys":{dictionary}"#)), 1).unwrap();
    let mut w = FrameWriter(&mut p, cold);
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut all = Vec::new();
    for resource_spans in &request.resource_spans {
        let resource = w.resource(&resource_spans.resource.clone().unwrap_or_default());
        for scope_spans in &resource_spans.scope_spans {
            let scope = w.scope(&scope_spans.scope.clone().unwrap_or_default());
            all.extend(scope_spans.spans.iter().map(|span| (span.clone(), scope, resource)));
        }
    }
    let ids: Vec<_> = all.iter().map(|(span, ..)| (id(&span.trace_id), id(&span.span_id), id(&span.parent_span_id))).collect();
    let children_first = genspan::internals::entry::children_first(&ids);
    for &i in children_first.iter().rev() {
        let (span, scope, _) = &all[i];
        let record = w.start_with(span, *scope, &[]);
        w.0.start(&record, 0, 0.0).unwrap();
    }
    for &i in &children_first {
        let (span, scope, resource) = &all[i];
        let record = w.span(span, *scope, *resource);
        w.0.end(&record, 0, 0.0).unwrap();
    }
    drained(&mut p)
}

fn id<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap_or([0; N])
}

/// Sends a body by every road to every profile, and compares what leaves.
fn by_all_roads(body: &[u8], name: &str) {
    for (profile, profile_name) in PROFILES {
        for (keep, keep_name) in KEEPS {
            let from = format!("{name} to {profile_name}, keep {keep_name}");
            let converted = out(converted(body, profile, keep), &from);
            let same = |road: &str, other: Vec<Span>| {
                let (road, mut other) = (format!("{from}, {road}"), out(other, &from));
                for (id, expected) in &converted {
                    assert_eq!(other.remove(id).as_ref(), Some(expected), "{road}");
                }
                assert!(other.is_empty(), "{road}: {other:?}");
            };
            same("ingested", ingested(body, profile_name, keep_name));
            same("by frames that have no numbers yet", framed(body, profile_name, keep_name, (true, 4096)));
            if keep == Keep::All {
                same("rewritten", rewritten(body, profile_name, keep_name));
                same("by frames with a full dictionary", framed(body, profile_name, keep_name, (false, 0)));
            }
        }
    }
}

// README promise: "No attribute key goes out twice"
// README promise: "The same bytes everywhere"
#[test]
fn no_key_goes_out_twice_and_every_road_gives_the_same_attributes() {
    for file in captures() {
        by_all_roads(&std::fs::read(&file).unwrap(), &file.file_name().unwrap().to_string_lossy());
    }
}

fn attribute(key: &str, value: Option<Value>) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value }), ..Default::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Some(Value::StringValue(value.into())))
}

/// A body with one span.
fn body(attributes: Vec<KeyValue>) -> Vec<u8> {
    let span = Span {
        trace_id: vec![7; 16],
        span_id: vec![1; 8],
        name: "x".into(),
        kind: 1,
        start_time_unix_nano: 1_795_479_339_000_000_000,
        end_time_unix_nano: 1_795_479_340_000_000_000,
        attributes,
        ..Default::default()
    };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..Default::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }.encode_to_vec()
}

#[test]
fn what_the_source_says_in_a_key_of_the_profile_goes_out_once() {
    let messages = r#"[{"role":"user","content":"Hi"}]"#;
    let trace = |key| text(key, "of the trace");
    let cases = [
        // A mark without a value, beside the mark that genspan writes.
        vec![attribute("gen_ai.is_entry", None), text("gen_ai.operation.name", "chat")],
        vec![attribute("langfuse.observation.metadata.gen_ai.is_entry", None), text("langfuse.observation.type", "agent")],
        // Own keys of a backend without a value, beside what is composed under them.
        vec![
            text("langfuse.observation.type", "generation"),
            attribute("langfuse.observation.output", None),
            attribute("llm.input_messages.0.message.role", None),
            attribute("llm.model_name", None),
            text("gen_ai.output.messages", r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"}]}]"#),
            text("gen_ai.input.messages", messages),
            text("gen_ai.request.model", "m"),
        ],
        // The input of the trace, beside an input of the span that stays.
        vec![
            text("openinference.span.kind", "AGENT"),
            text("input.value", "of the span"),
            trace("langfuse.trace.input"),
            trace("langfuse.trace.output"),
        ],
        // One key of many in a list is the source's own.
        vec![
            text("openinference.span.kind", "LLM"),
            text("llm.input_messages.0.message.role", "user"),
            text("llm.input_messages.0.message.content", "Hi"),
            text("gen_ai.input.messages", messages),
            text("session.id", "<none>"),
            text("langfuse.session.id", "s-1"),
        ],
    ];
    for (i, attributes) in cases.into_iter().enumerate() {
        by_all_roads(&body(attributes), &format!("case {i}"));
    }
}

#[test]
fn a_key_that_the_source_has_twice_goes_out_once_with_its_last_value() {
    let long = "k".repeat(300);
    let attributes = [("gen_ai.operation.name", "chat"), ("a", "1"), (&long, "1"), ("b", "2"), ("a", "3"), (&long, "4"), ("a", "5")];
    let body = body(attributes.iter().map(|(key, value)| text(key, value)).collect());
    let expected = [text("gen_ai.operation.name", "chat"), text("a", "5"), text(&long, "4"), text("b", "2")];
    for found in [converted(&body, Profile::OTEL, Keep::All), ingested(&body, "otel", "all"), rewritten(&body, "otel", "all")] {
        let out = out(found, "twice");
        assert_eq!(out.into_values().next().unwrap().1, expected);
    }
}
