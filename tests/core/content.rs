//! `captureContent: false` is a promise: what leaves of a span that a convention knows is on a list of what holds no content. Held against
//! every key of the tables that holds some, whatever the profile and whatever stays of the source.

use crate::csv;
use crate::frames::FrameWriter;
use crate::privacy::{KEEPS, PROFILES, any_value, attribute, body, converted, decoded, holds, span, string, text};
use genspan::internals::config::{Config, Convert, Format};
use genspan::{Pipeline, convert};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::prelude::*;
use prost::Message;

/// Each row has a canary of its own, so that a failure names the rows.
fn canary(row: usize) -> String {
    format!("Canary{row:04}!")
}

/// The keys that a row of the tables stands for, each behind the name of the event whose attribute it is.
fn keys(row: &str) -> Vec<(Option<&str>, String)> {
    let (event, keys) = match row.strip_prefix("event:") {
        Some(row) => match row.split_once(" attr ").or_else(|| row.split_once(" attrs ")) {
            Some((event, keys)) => (Some(event), keys),
            None => (Some(row), "content"),
        },
        None => (None, row.split(" field ").next().unwrap()),
    };
    let keys = keys.split(['|', ',']).filter(|key| !key.is_empty());
    let instances = keys.flat_map(|key| {
        let key = key.split('=').next().unwrap();
        let key = key.replace("{provider}", "openai").replace("{type}", "agent_run").replace("{n}", "0");
        [("0", "zz9"), ("12", "some.more")].map(|(index, rest)| {
            let key = ["{i}", "{j}", "{k}"].iter().fold(key.clone(), |key, part| key.replace(part, index));
            key.replace('*', rest)
        })
    });
    instances.map(|key| (event, key)).collect()
}

fn string_value(text: &str) -> Value {
    Value::StringValue(text.into())
}

/// A text in every kind of value that can hold it.
fn shapes(text: &str) -> Vec<Value> {
    let list = ArrayValue { values: vec![any_value(string_value("stop")), any_value(string_value(text))] };
    let map = KeyValueList { values: vec![attribute("role", string_value("user")), attribute("content", string_value(text))] };
    vec![
        string_value(text),
        string_value(&format!("one line\nand {text}")),
        string_value(&format!(r#"{{"temperature":0.5,"content":"{text}","stop":["{text}"],"input":"{text}"}}"#)),
        string_value(&format!(r#"[{{"role":"user","content":"{text}"}}]"#)),
        Value::ArrayValue(list),
        Value::KvlistValue(map),
        Value::BytesValue(text.as_bytes().to_vec()),
    ]
}

/// Spans that a convention knows, by an attribute or by the scope alone.
const KNOWN_BY: [(&str, &[(&str, &str)]); 4] = [
    ("app", &[("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "gpt-4o-mini")]),
    ("app", &[("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", "send")]),
    ("langfuse-sdk", &[]),
    // A management call: of a provider, but no model is asked.
    ("app", &[("gen_ai.provider.name", "openai")]),
];

/// Spans of one scope, in the order of the rows.
struct Spans {
    scope: &'static str,
    spans: Vec<Span>,
}

fn known(by: usize) -> Spans {
    Spans { scope: KNOWN_BY[by].0, spans: Vec::new() }
}

impl Spans {
    fn push(&mut self, by: usize, attributes: Vec<KeyValue>, events: Vec<Event>) {
        let own = |key: &str| attributes.iter().any(|attribute| attribute.key == key);
        let known: Vec<_> = KNOWN_BY[by].1.iter().filter(|(key, _)| !own(key)).map(|(key, value)| text(key, value)).collect();
        let number = self.spans.len() as u64 + 1;
        self.spans.push(Span {
            // Each in a trace of its own: no session or mark is handed down.
            trace_id: [number.to_be_bytes(), [7; 8]].concat(),
            span_id: number.to_be_bytes().to_vec(),
            events,
            ..span("span", [known, attributes].concat())
        });
    }

    fn put(&mut self, by: usize, (event, key): &(Option<&str>, String), value: Value) {
        match event {
            None => self.push(by, vec![attribute(key, value)], vec![]),
            Some(name) => {
                let attributes = vec![attribute(key, value)];
                self.push(by, vec![], vec![Event { name: (*name).into(), time_unix_nano: 5, attributes, ..Default::default() }]);
            }
        }
    }

    fn body(&self, spans: &[Span]) -> Vec<u8> {
        let scope = Some(InstrumentationScope { name: self.scope.into(), ..Default::default() });
        let scope_spans = vec![ScopeSpans { scope, spans: spans.to_vec(), ..Default::default() }];
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }.encode_to_vec()
    }

    /// Several bodies behind each other, which is one again.
    fn converted(&self, profile: &str, keep: &str, privacy: &str) -> Vec<u8> {
        let options = format!(r#"{{"from":"protobuf","profile":"{profile}","keep":"{keep}","privacy":{privacy}}}"#);
        let options = Convert::from_json(&options).unwrap();
        self.spans.chunks(100).flat_map(|spans| convert(&self.body(spans), &options).unwrap()).collect()
    }

    /// What a host sends that hands the spans over as frames, and what a relay sends that gets them in one body.
    fn piped(&self, profile: &str, keep: &str, privacy: &str) -> Vec<u8> {
        let config = format!(
            r#"{{"destinations":[{{"profile":"{profile}","keep":"{keep}","maxQueueSize":100000,"resource":{{"token":"t","host.name":"h"}}}}],"privacy":{privacy}}}"#
        );
        let mut pipeline = Pipeline::new(&Config::from_json(&config).unwrap(), 1).unwrap();
        let mut w = FrameWriter::new(&mut pipeline);
        let (resource, scope) =
            (w.resource(&Resource::default()), w.scope(&InstrumentationScope { name: self.scope.into(), ..Default::default() }));
        for span in &self.spans {
            let record = w.span(span, scope, resource);
            w.0.end(&record, 0, 0.0).unwrap();
        }
        for spans in self.spans.chunks(100) {
            w.0.ingest(&self.body(spans), None, 0.0).unwrap();
        }
        pipeline.flush(0.0);
        let (mut out, mut spans) = (Vec::new(), 0);
        while let Some((_, request)) = pipeline.poll(0.0) {
            let (id, count) = (request.id, request.spans);
            out.extend_from_slice(request.body);
            spans += count;
            pipeline.response(id, 200, None, &[], 0.0);
        }
        assert_eq!(spans as usize, 2 * self.spans.len());
        out
    }
}

/// The rows whose canary is in the output.
fn leaked<'r>(out: &[u8], rows: &'r [Vec<String>]) -> Vec<&'r str> {
    let mut found: Vec<usize> = memchr::memmem::find_iter(out, "Canary")
        .filter_map(|at| std::str::from_utf8(out.get(at + 6..at + 10)?).ok()?.parse().ok())
        .collect();
    found.sort_unstable();
    found.dedup();
    found.iter().map(|row| rows[*row][0].as_str()).collect()
}

const WITHOUT: &str = r#"{"captureContent":false}"#;
const STRICT: &str = r#"{"captureContent":false,"captureMetadata":false}"#;

/// Rows of `content-keys.csv` of one of these classes.
fn rows(classes: &[&str]) -> Vec<Vec<String>> {
    csv::read("content-keys.csv").into_iter().filter(|row| classes.contains(&row[3].as_str())).collect()
}

// README promise: "With `captureContent: false`, a span that any convention recognises leaves with nothing but what is known to hold no content"
// README promise: "Content stays, if you say so"
#[test]
fn no_key_that_holds_content_leaves() {
    let rows = rows(&["content", "error-text", "secret"]);
    assert_eq!(rows.len(), 833);
    for by in 0..KNOWN_BY.len() {
        let mut spans = known(by);
        for (i, row) in rows.iter().enumerate() {
            for key in keys(&row[0]) {
                spans.put(by, &key, string_value(&canary(i)));
            }
        }
        for profile in PROFILES {
            let check = |out: &[u8]| assert_eq!(leaked(out, &rows), [""; 0], "{profile} {by}");
            check(&spans.converted(profile, "all", WITHOUT));
            if by == 0 {
                check(&spans.converted(profile, "unmapped", WITHOUT));
            }
            if by == 0 || profile == "otel" {
                check(&spans.piped(profile, "all", WITHOUT));
            }
        }
        // What the test would see otherwise.
        assert!(leaked(&spans.converted("otel", "all", "{}"), &rows).len() > 800);
    }
}

#[test]
fn no_key_that_holds_content_leaves_as_a_list_a_map_or_json() {
    let rows = rows(&["content", "error-text", "secret"]);
    let mut spans = known(0);
    for (i, row) in rows.iter().enumerate() {
        for value in shapes(&canary(i)) {
            spans.put(0, &keys(&row[0])[0], value);
        }
    }
    for profile in PROFILES {
        assert_eq!(leaked(&spans.converted(profile, "all", WITHOUT), &rows), [""; 0], "{profile}");
    }
}

#[test]
fn metadata_stays_unless_it_is_not_to() {
    let rows = rows(&["free-text"]);
    let mut spans = known(0);
    for (i, row) in rows.iter().enumerate() {
        for key in keys(&row[0]) {
            shapes(&canary(i)).into_iter().for_each(|value| spans.put(0, &key, value));
        }
    }
    for profile in ["otel", "langfuse"] {
        assert_eq!(leaked(&spans.converted(profile, "all", STRICT), &rows), [""; 0], "{profile}");
    }
    let kept = leaked(&spans.converted("otel", "all", WITHOUT), &rows).len();
    for r in &rows {
        if !leaked(&spans.converted("otel", "all", WITHOUT), &rows).contains(&&r[0][..]) {
            println!("NOT {}", r[0]);
        }
    }
    assert_eq!((kept, rows.len()), (49, 74), "descriptions, and what is no metadata, do not stay");
    let of_langfuse = span(
        "span",
        vec![
            text("langfuse.observation.type", "span"),
            text("langfuse.observation.metadata.tenant", "a long\nnote"),
            text("langfuse.observation.metadata", r#"{"a":["b"]}"#),
            text("langfuse.trace.tags", "x"),
            text("metadata.user_api_key_alias", "secret"),
            text("metadata.team", "blue"),
        ],
    );
    let out = converted("langfuse-sdk", &of_langfuse, r#"{"keep":"all","privacy":{"captureContent":false}}"#);
    assert_eq!(string(&out, "langfuse.observation.metadata.tenant"), Some("a long\nnote"));
    assert_eq!(string(&out, "langfuse.observation.metadata"), Some(r#"{"a":["b"]}"#));
    assert_eq!(string(&out, "langfuse.trace.tags"), Some("x"));
    assert_eq!(string(&out, "metadata.team"), Some("blue"));
    assert_eq!(string(&out, "metadata.user_api_key_alias"), None, "secrets among metadata are none");
}

/// Every key of the list goes out as it does with content.
#[test]
fn what_holds_no_content_stays() {
    let rows = csv::read("allow-keys.csv");
    let content: Vec<_> = csv::read("content-keys.csv").into_iter().map(|row| row[0].clone()).collect();
    let is_key = |key: &str| !key.contains(' ') && !content.iter().any(|row| row == key);
    let rows: Vec<_> = rows.into_iter().filter(|row| is_key(row[0].split('=').next().unwrap())).collect();
    assert!(rows.len() > 1600);
    let mut spans = known(0);
    for (i, row) in rows.iter().enumerate() {
        let (key, of_numbers) = (&keys(&row[0])[0], !row[3].starts_with("string"));
        let number = if row[2] == "double" { Value::DoubleValue(0.25) } else { Value::IntValue(7_000_000 + i as i64) };
        match of_numbers {
            true => {
                spans.put(0, key, number);
                spans.put(0, key, Value::BoolValue(true));
            }
            false => {
                spans.put(0, key, string_value(&canary(i)));
                spans.put(0, key, Value::ArrayValue(ArrayValue { values: vec![any_value(string_value(&canary(i)))] }));
                spans.put(0, key, string_value(&format!("{} and a second line\n", canary(i))));
                spans.put(0, key, string_value(&format!("{}{}", canary(i), "x".repeat(256))));
            }
        }
    }
    for (profile, keep) in
        [("otel", "all"), ("otel-1.41", "unmapped"), ("tencent", "all"), ("langfuse", "unmapped"), ("openinference", "none")]
    {
        let of = |privacy: &str| {
            let request = ExportTraceServiceRequest::decode(&spans.converted(profile, keep, privacy)[..]).unwrap();
            request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans[0].spans.clone()).collect::<Vec<_>>()
        };
        for (with, without) in of("{}").iter().zip(&of(WITHOUT)) {
            // The objects that a profile composes have a test of their own.
            let is_object = |key: &str| key.contains("_details") || key.ends_with("arameters");
            for attribute in with.attributes.iter().filter(|attribute| !is_object(&attribute.key)) {
                let is_name = |value: &AnyValue| match &value.value {
                    Some(Value::StringValue(text)) => text.len() <= 256 && !text.contains('\n'),
                    _ => true,
                };
                let is_fine = match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
                    Some(Value::StringValue(_)) => is_name(attribute.value.as_ref().unwrap()) && !content.contains(&attribute.key),
                    Some(Value::ArrayValue(list)) => list.values.iter().all(is_name) && !content.contains(&attribute.key),
                    _ => true,
                };
                let stays = without.attributes.contains(attribute);
                assert_eq!(stays, is_fine, "{profile} {keep}: {attribute:?} of {:?}", with.attributes);
            }
        }
    }
}

/// A span with a text in every place that can hold one, but its name and its scope.
fn everywhere(known_by: usize, key: &str, value: &Value) -> Span {
    let attributes = || vec![attribute(key, value.clone())];
    let message = match value {
        Value::StringValue(text) => text.clone(),
        _ => String::new(),
    };
    Span {
        events: vec![
            Event { name: "exception".into(), time_unix_nano: 5, attributes: attributes(), ..Default::default() },
            Event { name: "gen_ai.user.message".into(), time_unix_nano: 6, attributes: attributes(), ..Default::default() },
        ],
        links: vec![Link { trace_id: vec![1; 16], span_id: vec![1; 8], attributes: attributes(), ..Default::default() }],
        status: Some(Status { code: 2, message }),
        ..span("span", KNOWN_BY[known_by].1.iter().map(|(key, value)| text(key, value)).chain(attributes()).collect())
    }
}

proptest! {
    #[test]
    fn a_key_that_nobody_knows_lets_no_text_out(
        key in "[a-z]{1,9}x9[._:]?[a-z_.]{0,20}",
        under in prop::sample::select(vec!["", "gen_ai.", "gen_ai.request.", "langfuse.", "llm.", "ai.", "mcp.", "http.", "user."]),
        shape in 0..7usize,
        by in 0..KNOWN_BY.len(),
        profile in prop::sample::select(PROFILES.to_vec()),
    ) {
        let source = everywhere(by, &format!("{under}{key}"), &shapes("Canary!")[shape]);
        let options = format!(r#"{{"keep":"all","profile":"{profile}","privacy":{WITHOUT}}}"#);
        let options = Convert { from: Format::Protobuf, ..Convert::from_json(&options).unwrap() };
        let out = convert(&body(KNOWN_BY[by].0, &source), &options).unwrap();
        prop_assert!(!holds(&out, "Canary"), "{:?}", decoded(&out));
    }
}

#[test]
fn what_no_convention_knows_stays_as_it_is() {
    let mut source = span("GET /", vec![text("http.route", "/a"), text("my.note", "said")]);
    source.status = Some(Status { code: 2, message: "refused".into() });
    let options = Convert::from_json(&format!(r#"{{"from":"protobuf","privacy":{STRICT}}}"#)).unwrap();
    assert_eq!(convert(&body("http", &source), &options).unwrap(), body("http", &source));
}

/// Events that name what a model was asked or answered, and the keys that hold it there.
#[test]
fn a_span_that_only_its_events_make_one_of_a_model_keeps_its_content() {
    for (event, key) in [
        ("gen_ai.user.message", "content"),
        ("gen_ai.choice", "message"),
        ("gen_ai.content.prompt", "gen_ai.prompt"),
        ("gen_ai.client.inference.operation.details", "gen_ai.input.messages"),
        ("gen_ai.some.later.event", "body"),
        ("db.query.result", "db.query.result.document"),
        ("llm.content.completion.chunk", "chunk"),
        ("my.event", "gen_ai.completion"),
    ] {
        for profile in PROFILES {
            let event = Event { name: event.into(), time_unix_nano: 5, attributes: vec![text(key, "Canary!")], ..Default::default() };
            let source = Span { events: vec![event], ..span("work", vec![text("my.note", "Canary!")]) };
            let options = format!(r#"{{"profile":"{profile}","keep":"all","privacy":{WITHOUT}}}"#);
            let out = converted("app", &source, &options);
            assert!(!holds(&out.encode_to_vec(), "Canary!"), "{profile}: {out:?}");
        }
    }
    // An error on a span of no model says nothing of one.
    let event = Event { name: "exception".into(), attributes: vec![text("exception.message", "refused")], ..Default::default() };
    let source = Span { events: vec![event], ..span("GET /", vec![text("my.note", "said")]) };
    assert_eq!(converted("app", &source, &format!(r#"{{"privacy":{WITHOUT}}}"#)).events, source.events);
}

#[test]
fn events_keep_their_names_and_errors_their_types() {
    let failed = |messages: &str| {
        let event = |name: &str, attributes| Event { name: name.into(), time_unix_nano: 5, attributes, ..Default::default() };
        Span {
            events: vec![
                event("gen_ai.user.message", vec![text("content", messages), text("gen_ai.system", "openai")]),
                event("exception", vec![text("exception.type", "BadRequestError"), text("exception.message", messages)]),
            ],
            status: Some(Status { code: 2, message: messages.into() }),
            ..span("chat", vec![text("gen_ai.operation.name", "chat"), text("error.type", "BadRequestError")])
        }
    };
    let of = |privacy: &str| converted("app", &failed("no such prompt"), &format!(r#"{{"keep":"all","privacy":{privacy}}}"#));
    let out = of(WITHOUT);
    let event = |i: usize| (out.events[i].name.as_str(), out.events[i].attributes.clone());
    assert_eq!(event(0), ("gen_ai.user.message", vec![text("gen_ai.system", "openai")]));
    assert_eq!(event(1), ("exception", vec![text("exception.type", "BadRequestError")]));
    assert_eq!(out.status, Some(Status { code: 2, message: String::new() }));
    assert_eq!(string(&out, "error.type"), Some("BadRequestError"));
    let out = of(r#"{"captureContent":false,"captureErrors":true}"#);
    assert_eq!(out.events[1].attributes, failed("no such prompt").events[1].attributes);
    assert_eq!(out.status, failed("no such prompt").status);
}

#[test]
fn what_a_profile_composes_of_numbers_and_words_stays_and_what_else_is_in_it_goes() {
    let parameters = r#"{"temperature":0.5,"stop":["Canary"],"logit_bias":{"50256":-100},"reasoning_effort":"low","user_note":"Canary"}"#;
    let source = span(
        "chat",
        vec![
            text("langfuse.observation.type", "generation"),
            text("langfuse.observation.model.name", "gpt-4o-mini"),
            text("langfuse.observation.model.parameters", parameters),
            text("langfuse.observation.usage_details", r#"{"input":25,"output":9}"#),
        ],
    );
    let of = |profile: &str, keep: &str| {
        converted("langfuse-sdk", &source, &format!(r#"{{"profile":"{profile}","keep":"{keep}","privacy":{WITHOUT}}}"#))
    };
    for keep in KEEPS {
        let out = of("langfuse", keep);
        let said: serde_json::Value = serde_json::from_str(string(&out, "langfuse.observation.model.parameters").unwrap()).unwrap();
        assert_eq!(said, serde_json::json!({"temperature": 0.5, "reasoning_effort": "low"}), "{keep}");
        let usage: serde_json::Value = serde_json::from_str(string(&out, "langfuse.observation.usage_details").unwrap()).unwrap();
        assert_eq!((&usage["input"], &usage["output"]), (&25.into(), &9.into()));
    }
    let out = of("openinference", "unmapped");
    assert_eq!(string(&out, "llm.invocation_parameters"), Some(r#"{"temperature":0.5,"reasoning_effort":"low"}"#));
    assert_eq!(string(&out, "langfuse.observation.model.parameters"), None);
}

#[test]
fn a_field_that_is_not_in_otlp_does_not_leave() {
    let mut source = span("chat", vec![text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", "gpt-4o-mini")]).encode_to_vec();
    // Field 99 of a span, and field 9 of an attribute.
    source.extend_from_slice(b"\x9a\x06\x06Canary");
    let mut attribute = text("error.type", "E").encode_to_vec();
    attribute.extend_from_slice(b"\x4a\x06Canary");
    source.extend_from_slice(&[&[0x4a, attribute.len() as u8], &attribute[..]].concat());
    let nested = |number: u8, inside: &[u8]| {
        let mut out = vec![number << 3 | 2];
        prost::encoding::encode_varint(inside.len() as u64, &mut out);
        [out, inside.to_vec()].concat()
    };
    let whole = nested(1, &nested(2, &nested(2, &source)));
    let options = |privacy: &str| Convert::from_json(&format!(r#"{{"from":"protobuf","privacy":{privacy}}}"#)).unwrap();
    assert!(holds(&convert(&whole, &options("{}")).unwrap(), "Canary"));
    let out = convert(&whole, &options(WITHOUT)).unwrap();
    assert!(!holds(&out, "Canary"), "{}", String::from_utf8_lossy(&out));
    assert_eq!(string(&decoded(&out), "gen_ai.request.model"), Some("gpt-4o-mini"));
}

#[test]
fn explain_tells_why() {
    let mut source = span(
        "chat",
        vec![
            text("gen_ai.operation.name", "chat"),
            text("langfuse.observation.input", "hello"),
            text("my.note", "hello"),
            text("gen_ai.agent.name", "one\ntwo"),
            text("mcp.error.message", "no"),
            text("langfuse.trace.tags", "x"),
            attribute("my.count", Value::IntValue(5)),
        ],
    );
    source.status = Some(Status { code: 2, message: "no".into() });
    source.events = vec![Event { name: "exception".into(), attributes: vec![text("exception.message", "no")], ..Default::default() }];
    let options = Convert::from_json(&format!(r#"{{"from":"protobuf","privacy":{STRICT}}}"#)).unwrap();
    let explained: serde_json::Value =
        serde_json::from_slice(&genspan::explain(&body("langfuse-sdk", &source), &options).unwrap()).unwrap();
    let gone = explained[0]["gone"].as_array().unwrap();
    let why = |key: &str| gone.iter().find(|a| a["key"] == key).map(|a| (a["why"].as_str().unwrap(), a["privacy"].as_str().unwrap()));
    for (key, note) in [
        ("langfuse.observation.input", "dropped"),
        ("my.note", "dropped: not on the list of what may leave"),
        ("gen_ai.agent.name", "dropped: no name, since it is too long, has several lines or is nested"),
        ("mcp.error.message", "dropped: the text of an error"),
        ("langfuse.trace.tags", "dropped: metadata"),
        ("status.message", "dropped: the text of an error"),
        ("exception.message", "dropped: the text of an error"),
    ] {
        assert_eq!(why(key), Some(("content is not to leave", note)), "{key}");
    }
    assert!(explained[0]["attributes"].as_array().unwrap().iter().any(|a| a["key"] == "my.count"));
}
