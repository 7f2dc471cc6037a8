//! What is taken of a body can be delivered: a strict decoder reads everything that goes out, whatever came in, and a span that is at fault costs
//! no other span. The judge is prost, with the lengths of ids that the Collector asks for.

use genspan::internals::config::{Config, Convert, Format};
use genspan::{Converted, Error, Pipeline};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::prelude::*;
use prost::Message as _;
use std::borrow::Cow;

/// Becomes bytes that are not UTF-8 once it is encoded.
const BAD: &str = "a BAD TEXT";

/// A body with something wrong in it: in its only span, or around it.
type Fault = (&'static str, Box<dyn Fn(&mut ResourceSpans)>);

fn any_value(value: Value) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

fn attribute(key: &str, text: &str) -> KeyValue {
    KeyValue { key: key.into(), value: any_value(Value::StringValue(text.into())), ..Default::default() }
}

fn span(id: u8, name: &str) -> Span {
    Span {
        trace_id: vec![id; 16],
        span_id: vec![id; 8],
        name: name.into(),
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        ..Default::default()
    }
}

fn resource(scope: &str, spans: Vec<Span>) -> ResourceSpans {
    let scope = Some(InstrumentationScope { name: scope.into(), ..Default::default() });
    let scope_spans = vec![ScopeSpans { scope, spans, ..Default::default() }];
    ResourceSpans { resource: Some(Resource::default()), scope_spans, ..Default::default() }
}

fn request(resource_spans: Vec<ResourceSpans>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest { resource_spans }
}

fn encoded(request: &ExportTraceServiceRequest) -> Vec<u8> {
    let mut bytes = request.encode_to_vec();
    for at in 0..bytes.len().saturating_sub(BAD.len()) {
        if bytes[at..].starts_with(BAD.as_bytes()) {
            bytes[at + 1..at + BAD.len()].fill(0xff);
        }
    }
    bytes
}

fn nested(levels: usize, list: bool) -> Option<AnyValue> {
    (0..levels).fold(any_value(Value::StringValue("innermost".into())), |inner, _| {
        any_value(match list {
            true => Value::ArrayValue(ArrayValue { values: inner.into_iter().collect() }),
            false => Value::KvlistValue(KeyValueList { values: vec![KeyValue { key: "k".into(), value: inner, ..Default::default() }] }),
        })
    })
}

fn in_span(f: impl Fn(&mut Span) + 'static) -> Box<dyn Fn(&mut ResourceSpans)> {
    Box::new(move |r| f(&mut r.scope_spans[0].spans[0]))
}

fn event(event: Event) -> Box<dyn Fn(&mut ResourceSpans)> {
    in_span(move |s| s.events.push(event.clone()))
}

fn link(link: Link) -> Box<dyn Fn(&mut ResourceSpans)> {
    in_span(move |s| s.links.push(Link { trace_id: vec![9; 16], span_id: vec![9; 8], ..link.clone() }))
}

fn value(value: Option<AnyValue>) -> Box<dyn Fn(&mut ResourceSpans)> {
    in_span(move |s| s.attributes.push(KeyValue { key: "value".into(), value: value.clone(), ..Default::default() }))
}

/// Text that is not UTF-8, and values that are nested too deep: what can be mended.
fn mendable() -> Vec<Fault> {
    let list = any_value(Value::ArrayValue(ArrayValue { values: any_value(Value::StringValue(BAD.into())).into_iter().collect() }));
    let map = any_value(Value::KvlistValue(KeyValueList { values: vec![attribute(BAD, BAD)] }));
    vec![
        ("name", in_span(|s| s.name = BAD.into())),
        ("trace state", in_span(|s| s.trace_state = BAD.into())),
        ("status message", in_span(|s| s.status = Some(Status { code: 2, message: BAD.into() }))),
        ("attribute key", in_span(|s| s.attributes.push(attribute(BAD, "x")))),
        ("attribute value", in_span(|s| s.attributes.push(attribute("x", BAD)))),
        ("list", value(list)),
        ("map", value(map)),
        ("event name", event(Event { name: BAD.into(), ..Default::default() })),
        ("event key", event(Event { attributes: vec![attribute(BAD, "x")], ..Default::default() })),
        ("event value", event(Event { attributes: vec![attribute("x", BAD)], ..Default::default() })),
        ("link trace state", link(Link { trace_state: BAD.into(), ..Default::default() })),
        ("link attribute", link(Link { attributes: vec![attribute(BAD, BAD)], ..Default::default() })),
        ("scope name", Box::new(|r| r.scope_spans[0].scope.as_mut().unwrap().name = BAD.into())),
        ("scope version", Box::new(|r| r.scope_spans[0].scope.as_mut().unwrap().version = BAD.into())),
        ("scope attribute", Box::new(|r| r.scope_spans[0].scope.as_mut().unwrap().attributes.push(attribute(BAD, BAD)))),
        ("scope's schema URL", Box::new(|r| r.scope_spans[0].schema_url = BAD.into())),
        ("resource key", Box::new(|r| r.resource.as_mut().unwrap().attributes.push(attribute(BAD, "x")))),
        ("resource value", Box::new(|r| r.resource.as_mut().unwrap().attributes.push(attribute("x", BAD)))),
        ("resource's schema URL", Box::new(|r| r.schema_url = BAD.into())),
        ("lists 40 deep", value(nested(40, true))),
        ("maps 30 deep", value(nested(30, false))),
        (
            "deep in an event",
            event(Event { attributes: vec![KeyValue { value: nested(30, false), ..attribute("deep", "") }], ..Default::default() }),
        ),
        (
            "deep in a link",
            link(Link { attributes: vec![KeyValue { value: nested(30, false), ..attribute("deep", "") }], ..Default::default() }),
        ),
        (
            "deep in a resource",
            Box::new(|r| r.resource.as_mut().unwrap().attributes = vec![KeyValue { value: nested(31, false), ..attribute("deep", "") }]),
        ),
    ]
}

/// Spans that nothing can be made of.
fn hopeless() -> Vec<Fault> {
    vec![
        ("no ids", in_span(|s| (s.trace_id, s.span_id) = (vec![], vec![]))),
        ("no trace id", in_span(|s| s.trace_id.clear())),
        ("no span id", in_span(|s| s.span_id.clear())),
        ("trace id of zeros", in_span(|s| s.trace_id = vec![0; 16])),
        ("span id of zeros", in_span(|s| s.span_id = vec![0; 8])),
        ("trace id of 15 bytes", in_span(|s| s.trace_id = vec![1; 15])),
        ("trace id of 32 bytes", in_span(|s| s.trace_id = vec![b'a'; 32])),
        ("span id of 5 bytes", in_span(|s| s.span_id = vec![1; 5])),
        ("parent id of 5 bytes", in_span(|s| s.parent_span_id = vec![1; 5])),
        ("trace id of a link", in_span(|s| s.links.push(Link { trace_id: vec![1; 15], span_id: vec![1; 8], ..Default::default() }))),
        ("span id of a link", in_span(|s| s.links.push(Link { trace_id: vec![1; 16], span_id: vec![1; 9], ..Default::default() }))),
        ("maps 80 deep", value(nested(80, false))),
    ]
}

/// Bytes of a span that no decoder reads, in the place of its trace state.
const BROKEN: [(&str, &[u8]); 6] = [
    ("a link that runs past its end", b"\x6a\x02\x0a\x10"),
    ("an attribute of a link that runs past its end", b"\x6a\x04\x22\x02\x0a\x10"),
    ("an event that runs past its end", b"\x5a\x02\x12\x10"),
    ("a status of the wrong type", b"\x78\x01"),
    ("a name of the wrong type", b"\x28\x01"),
    ("a start of the wrong type", b"\x38\x01"),
];

fn with_broken(of: &ResourceSpans, field: &[u8]) -> Vec<u8> {
    let mut of = of.clone();
    let marker = "x".repeat(field.len() + 1);
    of.scope_spans[0].spans[0].trace_state = marker.clone();
    let mut bytes = request(vec![of]).encode_to_vec();
    let marked = [&[0x1a, marker.len() as u8], marker.as_bytes()].concat();
    let at = bytes.windows(marked.len()).position(|window| window == marked).unwrap();
    // What is left of the room is an unknown field without content.
    bytes.splice(at..at + marked.len(), [field, b"\xfa\x3e\x00"].concat());
    bytes
}

/// Decodes as strictly as any backend does.
#[track_caller]
fn strict(what: &str, body: &[u8]) -> Vec<String> {
    let request = ExportTraceServiceRequest::decode(body).unwrap_or_else(|error| panic!("{what}: {error}"));
    let spans: Vec<_> = request.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans).collect();
    for span in &spans {
        let is_id = |id: &[u8], length| id.len() == length && id.iter().any(|byte| *byte != 0);
        assert!(is_id(&span.trace_id, 16) && is_id(&span.span_id, 8), "{what}");
        assert!([0, 8].contains(&span.parent_span_id.len()), "{what}");
        assert!(span.links.iter().all(|link| [0, 16].contains(&link.trace_id.len()) && [0, 8].contains(&link.span_id.len())), "{what}");
    }
    let json = genspan::internals::otlp::json::from_protobuf(body).unwrap();
    serde_json::from_slice::<serde_json::Value>(&json).unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut names: Vec<_> = spans.into_iter().map(|span| span.name.clone()).collect();
    names.sort();
    names
}

fn pipeline(hold_millis: u32) -> Pipeline {
    let config =
        format!(r#"{{"destinations":[{{}},{{"profile":"tencent","token":"t","hostName":"h"}}],"entry":{{"holdMillis":{hold_millis}}}}}"#);
    Pipeline::new(&Config::from_json(&config).unwrap(), 1).unwrap()
}

/// What goes out to the first and to the second destination.
fn sent(p: &mut Pipeline) -> [Vec<u8>; 2] {
    p.flush(0.0);
    let mut bodies = [vec![], vec![]];
    while let Some((destination, request)) = p.poll(0.0) {
        bodies[destination].extend_from_slice(request.body);
    }
    bodies
}

/// Spans of a convention and spans of none: the first are encoded anew, the others pass as they came.
fn each_kind(of: &dyn Fn(&mut ResourceSpans)) -> [ResourceSpans; 2] {
    ["openinference.instrumentation.openai", "pg"].map(|scope| {
        let mut r = resource(scope, vec![span(1, "odd")]);
        if scope != "pg" {
            r.scope_spans[0].spans[0].attributes.push(attribute("gen_ai.operation.name", "chat"));
        }
        of(&mut r);
        r
    })
}

fn protobuf() -> Convert {
    Convert { from: Format::Protobuf, ..Convert::default() }
}

// README promise: "Nothing is lost that can be kept, and nothing silently"
#[test]
fn what_can_be_mended_is_and_nothing_is_lost_for_it() {
    for (what, fault) in mendable() {
        for odd in each_kind(&*fault) {
            let body = encoded(&request(vec![odd]));
            let mut p = pipeline(0);
            p.ingest(&encoded(&request(vec![resource("pg", vec![span(2, "good")])])), None, 0.0).unwrap();
            let taken = p.ingest(&body, None, 0.0).unwrap();
            assert_eq!((taken.spans, taken.partial_success, p.stats().unparsed), (1, None, 0), "{what}");
            for sent in sent(&mut p) {
                assert_eq!(strict(what, &sent).len(), 2, "{what}");
            }
            let Converted { body: converted, partial_success } = genspan::convert_with(&body, &protobuf(), &Default::default()).unwrap();
            assert_eq!((strict(what, &converted).len(), partial_success), (1, None), "{what}");
            String::from_utf8(genspan::explain(&body, &protobuf()).unwrap()).unwrap();
        }
    }
}

#[test]
fn text_that_is_not_utf_8_is_repaired_and_the_rest_stays_to_the_byte() {
    let mut odd = resource("pg", vec![span(1, BAD), span(2, "good")]);
    odd.scope_spans[0].spans[1].attributes = vec![attribute("a", "b")];
    let out = genspan::convert(&encoded(&request(vec![odd.clone()])), &protobuf()).unwrap();
    odd.scope_spans[0].spans[0].name = format!("a{}", "\u{fffd}".repeat(BAD.len() - 1));
    assert_eq!(ExportTraceServiceRequest::decode(&out[..]).unwrap(), request(vec![odd]));
}

#[test]
fn what_is_nested_too_deep_becomes_its_json() {
    for (list, levels, whole) in [(true, 28, true), (false, 28, true), (true, 29, false), (false, 29, false), (false, 30, false)] {
        let mut odd = resource("pg", vec![span(1, "deep")]);
        value(nested(levels, list))(&mut odd);
        let before = request(vec![odd]);
        // Alike from both encodings.
        let json = genspan::internals::otlp::json::from_protobuf(&before.encode_to_vec()).unwrap();
        for body in [before.encode_to_vec(), json] {
            let out = genspan::convert(&body, &Convert { to: Format::Protobuf, ..Convert::default() }).unwrap();
            let after = ExportTraceServiceRequest::decode(&out[..]).unwrap();
            assert_eq!(after == before, whole, "{levels}");
            let mut inner = after.resource_spans[0].scope_spans[0].spans[0].attributes[0].value.clone().unwrap();
            for _ in 0..28 {
                inner = match inner.value.unwrap() {
                    Value::ArrayValue(ArrayValue { values }) => values[0].clone(),
                    Value::KvlistValue(KeyValueList { values }) => values[0].value.clone().unwrap(),
                    other => panic!("{other:?}"),
                };
            }
            let Some(Value::StringValue(text)) = inner.value else { panic!("{inner:?}") };
            assert!(
                whole && text == "innermost" || text.starts_with(r#"{"values":[{"#) && text.contains(r#"{"stringValue":"innermost"}"#),
                "{text}"
            );
        }
    }
}

// README promise: "Nothing is lost that can be kept, and nothing silently"
#[test]
fn a_span_that_no_backend_would_take_is_refused_and_costs_no_other() {
    let bodies = |odd: &ResourceSpans| {
        let ids = hopeless().into_iter().map(|(what, fault)| {
            let mut odd = odd.clone();
            fault(&mut odd);
            (what, encoded(&request(vec![odd])))
        });
        ids.chain(BROKEN.map(|(what, field)| (what, with_broken(odd, field)))).collect::<Vec<_>>()
    };
    for odd in each_kind(&|_| ()) {
        for (what, alone) in bodies(&odd) {
            let good = encoded(&request(vec![resource("pg", vec![span(2, "good")])]));
            let beside = [&alone[..], &good].concat();
            let mut p = pipeline(0);
            // Alone it is an error, and nobody else is concerned.
            let Err(Error::Refused(partial)) = p.ingest(&alone, None, 0.0) else { panic!("{what}") };
            assert!(partial.rejected == 1 && partial.message.starts_with("1 of 1 spans refused; the first: "), "{what}: {partial:?}");
            assert!(matches!(genspan::convert(&alone, &protobuf()), Err(Error::Refused(_))), "{what}");
            // Beside another one it is left out, and reported.
            let taken = p.ingest(&beside, None, 0.0).unwrap();
            let partial = taken.partial_success.unwrap();
            assert!(
                taken.spans == 1 && partial.rejected == 1 && partial.message.starts_with("1 of 2 spans refused"),
                "{what}: {partial:?}"
            );
            assert_eq!((p.stats().unparsed, p.stats().seen), (2, 1), "{what}");
            for sent in sent(&mut p) {
                assert_eq!(strict(what, &sent), ["good"], "{what}");
            }
            let converted = genspan::convert_with(&beside, &protobuf(), &Default::default()).unwrap();
            assert_eq!(
                (strict(what, &converted.body), converted.partial_success.unwrap().rejected),
                (vec!["good".to_owned()], 1),
                "{what}"
            );
        }
    }
}

#[test]
fn a_proxy_lets_no_span_out_together_with_others_that_a_backend_would_refuse() {
    for (what, fault) in hopeless().into_iter().chain(mendable()) {
        for odd in each_kind(&*fault) {
            let config = r#"{"destinations":[{}],"entry":{"holdMillis":1000}}"#;
            let mut p = Pipeline::new(&Config::from_json(config).unwrap(), 1).unwrap();
            let odd = encoded(&request(vec![odd]));
            // A candidate that waits for its parent goes out by a call of the proxy's own, not in the next body that comes after its time.
            let mut candidate = span(3, "good");
            candidate.parent_span_id = vec![9; 8];
            candidate.attributes.push(attribute("gen_ai.operation.name", "chat"));
            assert!(p.rewrite(&encoded(&request(vec![resource("app", vec![candidate])])), None, 0.0).unwrap().is_empty(), "{what}");
            match p.rewrite(&odd, None, 5_000.0) {
                // Such a request passes as it came, alone.
                Ok(Cow::Borrowed(same)) => assert_eq!(same, odd, "{what}"),
                Ok(Cow::Owned(out)) => assert!(!strict(what, &out).contains(&"good".to_owned()), "{what}"),
                Err(error) => assert!(matches!(error, Error::Refused(_)), "{what}: {error}"),
            }
            assert_eq!(strict(what, &p.drain_queue(0, 5_000.0)), ["good"], "{what}");
        }
    }
}

#[test]
fn a_fault_in_a_json_body_costs_its_span_only() {
    let span = |members: &str| format!(r#"{{"traceId":"{}","spanId":"{}","name":"odd"{members}}}"#, "ab".repeat(16), "cd".repeat(8));
    let deep = |levels: usize| {
        let value =
            r#"{"kvlistValue":{"values":[{"key":"k","value":"#.repeat(levels) + r#"{"stringValue":"}]\"'"}"# + &"}]}}".repeat(levels);
        span(&format!(r#","attributes":[{{"key":"deep","value":{value}}}]"#))
    };
    let ids = |trace: &str, of_span: &str| format!(r#"{{"traceId":{trace},"spanId":{of_span}}}"#);
    let (trace, own) = (format!("\"{}\"", "ab".repeat(16)), format!("\"{}\"", "cd".repeat(8)));
    #[rustfmt::skip]
    let cases = [
        (r#"{"name":"x"}"#.to_owned(),              Some("spanId: expected an id in hex, got nothing")),
        (ids(&trace, "null"),                       Some("spanId: expected an id in hex, got nothing")),
        (ids("\"\"", &own),                         Some("traceId: expected an id in hex, got empty text")),
        (ids(&trace, &own.replace('c', "z")),       Some("spanId: expected 16 hex digits, got other characters")),
        (ids(&trace.replace("ab", "00"), &own),     Some("traceId: expected an id in hex, got zeros")),
        (ids(&trace.replacen("ab", "", 1), &own),   Some("traceId: expected 32 hex digits, got 30 characters")),
        (span(r#","links":[{"traceId":"ab"}]"#),    Some("links[0].traceId: expected 32 hex digits, got 2 characters")),
        (span(r#","kind":1.5"#),                    Some("kind: expected a span kind, got a number that is none")),
        ("[]".to_owned(),                           Some("expected an object, got an array")),
        (deep(28),                                  None),
        (deep(30),                                  None),
        (deep(40),                                  None),
        (deep(10_000),                              None),
    ];
    for (odd, why) in cases {
        let good = span("").replace("odd", "good");
        let other = good.replace("cd", "ce");
        let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{good},{odd},{other}]}}]}}]}}"#);
        let converted =
            genspan::convert_with(body.as_bytes(), &Convert { to: Format::Protobuf, ..Convert::default() }, &Default::default()).unwrap();
        let what = &odd[..odd.len().min(200)];
        let names = strict(what, &converted.body);
        assert_eq!(names.iter().filter(|name| *name == "good").count(), 2, "{what}");
        let reason = converted.partial_success.map(|partial| (partial.rejected, partial.message));
        let expected = why.map(|why| {
            (
                1,
                format!(
                    "1 of 3 spans refused; the first: resourceSpans[0].scopeSpans[0].spans[1]{}{why}",
                    if why.starts_with("expected") { ": " } else { "." }
                ),
            )
        });
        assert_eq!(reason, expected, "{what}");
        assert_eq!(names.len(), if why.is_some() { 2 } else { 3 }, "{what}");
    }
}

#[test]
fn a_second_status_is_merged_with_the_first() {
    let mut body = resource("app", vec![span(1, "twice")]);
    body.scope_spans[0].spans[0].attributes.push(attribute("gen_ai.operation.name", "chat"));
    let field = b"\x7a\x02\x18\x02\x7a\x05\x12\x03why";
    let mut bytes = with_broken(&body, field);
    for _ in 0..2 {
        bytes = genspan::convert(&bytes, &protobuf()).unwrap();
        let span = &ExportTraceServiceRequest::decode(&bytes[..]).unwrap().resource_spans[0].scope_spans[0].spans[0];
        assert_eq!(span.status, Some(Status { code: 2, message: "why".into() }));
    }
}

#[test]
fn a_frame_without_ids_is_refused() {
    use crate::frames::FrameWriter;
    let mut p = pipeline(0);
    let mut w = FrameWriter(&mut p, false);
    let (scope, resource) = (w.scope(&InstrumentationScope::default()), w.resource(&Resource::default()));
    for (trace_id, span_id) in [(vec![0; 16], vec![1; 8]), (vec![1; 16], vec![0; 8])] {
        let record = w.span(&Span { trace_id, span_id, ..span(1, "x") }, scope, resource);
        assert_eq!(w.0.end(&record, 0, 0.0).unwrap_err().what, "id of zeros");
    }
    assert_eq!((p.stats().unparsed, p.stats().seen), (2, 0));
}

fn captures() -> Vec<Vec<u8>> {
    let folder = std::fs::read_dir(format!("{}/tests/fixtures/captures/more", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut files: Vec<_> = folder.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "pb")).collect();
    files.sort();
    files.into_iter().map(|path| std::fs::read(path).unwrap()).filter(|body| body.len() < 8_000).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    // README promise: "Nothing is lost that can be kept, and nothing silently"
    #[test]
    fn whatever_is_broken_in_a_body_all_that_goes_out_is_read_by_a_strict_decoder(
        which: prop::sample::Index,
        broken in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), 0u8..130]), 1..6),
    ) {
        let captures = captures();
        let whole = which.get(&captures);
        let mut body = whole.clone();
        broken.into_iter().for_each(|(at, byte)| *at.get_mut(&mut body) = byte);
        let mut p = pipeline(0);
        p.ingest(&encoded(&request(vec![resource("pg", vec![span(250, "good")])])), None, 0.0).unwrap();
        let taken = p.ingest(&body, None, 0.0);
        let mut names = Vec::new();
        for sent in sent(&mut p) {
            names = strict("broken", &sent);
            prop_assert!(names.contains(&"good".to_owned()));
        }
        prop_assert_eq!(names.len(), 1 + taken.as_ref().map_or(0, |taken| taken.spans));
        match genspan::convert(&body, &protobuf()) {
            Ok(converted) => prop_assert_eq!(strict("broken", &converted).len(), taken.unwrap().spans),
            Err(_) => prop_assert!(taken.is_err()),
        }
    }
}

/// Puts raw control characters into each string of a JSON text, or `None` if the text is not a JSON object or array that contains strings.
fn with_raw_controls(text: &str) -> Option<String> {
    let json = serde_json::from_str::<serde_json::Value>(text).ok().filter(|json| json.is_object() || json.is_array())?;
    let marked = json.to_string().replace("\\n", "\n").replace(":\"", ":\"\u{1}\n").replace("[\"", "[\"\u{1f}");
    (serde_json::from_str::<serde_json::Value>(&marked).is_err()).then_some(marked)
}

#[test]
fn json_with_raw_control_characters_is_repaired_before_it_goes_out() {
    let mut changed = 0;
    for body in captures() {
        let mut body = ExportTraceServiceRequest::decode(&*body).unwrap();
        for span in body.resource_spans.iter_mut().flat_map(|r| &mut r.scope_spans).flat_map(|s| &mut s.spans) {
            for attribute in span.attributes.iter_mut().chain(span.events.iter_mut().flat_map(|e| &mut e.attributes)) {
                let Some(AnyValue { value: Some(Value::StringValue(text)) }) = &mut attribute.value else { continue };
                if let Some(marked) = with_raw_controls(text) {
                    *text = marked;
                    changed += 1;
                }
            }
        }
        let body = body.encode_to_vec();
        for settings in ["", r#""privacy":{"mask":[{"detect":["email"]}]}"#, r#""privacy":{"maxAttributeBytes":300}"#, r#""keep":"all""#] {
            for profile in ["otel", "langfuse", "openinference", "tencent"] {
                let comma = if settings.is_empty() { "" } else { "," };
                let config = format!(r#"{{"profile":"{profile}"{comma}{settings}}}"#);
                let options = Convert { from: Format::Protobuf, ..Convert::from_json(&config).unwrap() };
                let out = genspan::convert(&body, &options).unwrap();
                let out = ExportTraceServiceRequest::decode(&*out).unwrap();
                for attribute in out.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans).flat_map(|s| &s.attributes) {
                    let Some(Value::StringValue(text)) = attribute.value.as_ref().and_then(|v| v.value.as_ref()) else { continue };
                    let arena = bumpalo::Bump::new();
                    let is_json = text.starts_with(['[', '{'])
                        && text.contains(|c| c < ' ')
                        && genspan::internals::json::parse(text.as_bytes(), &arena).is_some();
                    let read = serde_json::from_str::<serde_json::Value>(text);
                    assert!(!is_json || read.is_ok(), "{config}: {} = {text:?}", attribute.key);
                }
            }
        }
    }
    assert!(changed > 100, "{changed}");
}

#[test]
fn a_json_body_with_raw_control_characters_goes_out_as_valid_json() {
    let body = |value: &str| {
        let span = format!(
            r#"{{"traceId":"{}","spanId":"{}","name":"GET","attributes":[{{"key":"k","value":{value}}}]}}"#,
            "ab".repeat(16),
            "cd".repeat(8)
        );
        format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#).into_bytes()
    };
    // A proxy: a body without LLM spans.
    let mut p = Pipeline::new(&Config::from_json(r#"{"destinations":[{}]}"#).unwrap(), 1).unwrap();
    let plain = body("{\"stringValue\":\"one\\ntwo\"}\n");
    assert_eq!(p.rewrite(&plain, None, 0.0).unwrap(), Cow::Borrowed(&plain[..]));
    for raw in ["\u{1}", "\n", "\\\n", "\u{1f}"] {
        let out = p.rewrite(&body(&format!(r#"{{"stringValue":"one{raw}two"}}"#)), None, 0.0).unwrap().into_owned();
        assert_eq!(strict(raw, &out), ["GET"]);
        // Nested so deep that it becomes JSON text.
        let (open, close) = (r#"{"arrayValue":{"values":["#.repeat(40), "]}}".repeat(40));
        let deep = body(&format!(r#"{open}{{"stringValue":"one{raw}two"}}{close}"#));
        let out = ExportTraceServiceRequest::decode(&*genspan::internals::otlp::json::to_protobuf(&deep).unwrap()).unwrap();
        let mut value = out.resource_spans[0].scope_spans[0].spans[0].attributes[0].value.clone();
        while let Some(AnyValue { value: Some(Value::ArrayValue(list)) }) = value {
            value = list.values.into_iter().next();
        }
        let Some(AnyValue { value: Some(Value::StringValue(text)) }) = value else { panic!("it is text") };
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }
}
