//! The pipeline as a host drives it: spans in as frames, requests out, decoded with opentelemetry-proto.

use crate::frames::FrameWriter;
use genspan::Pipeline;
use genspan::config::Config;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(Value::StringValue(value.into())) }), ..Default::default() }
}

fn scope(name: &str) -> InstrumentationScope {
    InstrumentationScope { name: name.into(), attributes: vec![text("public_key", "pk-lf-x")], ..Default::default() }
}

fn span(id: u8, parent: u8, name: &str, attributes: Vec<KeyValue>) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { vec![] } else { vec![parent; 8] },
        flags: 0x101,
        name: name.into(),
        kind: 1,
        start_time_unix_nano: 1_795_479_339_000_000_001,
        end_time_unix_nano: 1_795_479_339_100_000_002,
        attributes,
        ..Default::default()
    }
}

fn pipeline(config: &str) -> Pipeline {
    Pipeline::new(&Config::from_json(config).unwrap(), 1).unwrap()
}

/// Starts and ends an HTTP span around a Langfuse agent with one generation, children ending first.
fn run_agent(p: &mut Pipeline, now: f64) {
    let mut w = FrameWriter(p);
    let (http, langfuse) = (w.scope(&scope("@opentelemetry/instrumentation-http")), w.scope(&scope("langfuse-sdk")));
    let resource = w.resource(&Resource {
        attributes: vec![text("service.name", "My Shop"), text("token", "tok-from-resource"), text("region", "sz")],
        ..Default::default()
    });
    let spans = [
        (span(1, 0, "POST /chat", vec![text("http.route", "/chat")]), http),
        (span(2, 1, "weather-agent", vec![text("langfuse.observation.type", "agent"), text("langfuse.trace.input", "q")]), langfuse),
        (
            span(
                3,
                2,
                "llm",
                vec![
                    text("langfuse.observation.type", "generation"),
                    text("langfuse.observation.model.name", "gpt-4o-mini"),
                    text("langfuse.observation.output", "26C"),
                ],
            ),
            langfuse,
        ),
    ];
    for (span, scope) in &spans {
        w.0.start(&FrameWriter::start(span, *scope), now).unwrap();
    }
    for (span, scope) in spans.iter().rev() {
        let record = w.span(span, *scope, resource);
        w.0.end(&record, now).unwrap();
    }
}

fn drain(p: &mut Pipeline, now: f64) -> Vec<(usize, u32, ExportTraceServiceRequest)> {
    std::iter::from_fn(|| p.poll(now).map(|(destination, t)| (destination, t.id, ExportTraceServiceRequest::decode(t.body).unwrap())))
        .collect()
}

fn spans(request: &ExportTraceServiceRequest) -> Vec<(&str, &Span)> {
    let scopes = request.resource_spans.iter().flat_map(|r| &r.scope_spans);
    scopes.flat_map(|s| s.spans.iter().map(|span| (s.scope.as_ref().map_or("", |s| &s.name), span))).collect()
}

fn get<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    let mut found = attributes.iter().filter(|a| a.key == key);
    let first = found.next()?;
    assert!(found.next().is_none(), "{key} is written twice");
    first.value.as_ref()?.value.as_ref()
}

fn string<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match get(attributes, key)? {
        Value::StringValue(text) => Some(text),
        other => panic!("{key} is {other:?}"),
    }
}

const TENCENT: &str = r#"{"profile":"tencent","token":"tok-123","hostName":"10.0.0.8"}"#;

#[test]
fn the_outermost_llm_span_goes_out_as_the_entry_once_its_parent_has_ended() {
    let mut p = pipeline(&format!(r#"{{"destinations":[{TENCENT}]}}"#));
    run_agent(&mut p, 0.0);
    p.flush(0.0);
    let requests = drain(&mut p, 0.0);
    let spans = spans(&requests[0].2);
    assert_eq!(spans.len(), 3);
    let entries: Vec<_> = spans.iter().filter(|(_, s)| get(&s.attributes, "gen_ai.is_entry").is_some()).map(|(_, s)| &s.name[..]).collect();
    assert_eq!(entries, ["weather-agent"]);
    let agent = spans.iter().find(|(_, s)| s.name == "weather-agent").unwrap().1;
    assert_eq!(get(&agent.attributes, "gen_ai.is_entry"), Some(&Value::BoolValue(true)));
    assert_eq!(string(&agent.attributes, "gen_ai.entity.input"), Some("q"), "the entry shows the input of the trace");
    assert_eq!(string(&agent.attributes, "gen_ai.span.kind"), Some("AGENT"));
    assert_eq!(p.stats().destinations[0].queued, 3);
}

#[test]
fn a_candidate_waits_for_its_parent_and_a_flush_ends_the_wait() {
    let mut p = pipeline(r#"{"destinations":[{}]}"#);
    let mut w = FrameWriter(&mut p);
    let (http, langfuse) = (w.scope(&scope("http")), w.scope(&scope("langfuse-sdk")));
    let resource = w.resource(&Resource::default());
    let (root, agent) = (span(1, 0, "POST", vec![]), span(2, 1, "agent", vec![]));
    w.0.start(&FrameWriter::start(&root, http), 0.0).unwrap();
    w.0.start(&FrameWriter::start(&agent, langfuse), 0.0).unwrap();
    let record = w.span(&agent, langfuse, resource);
    w.0.end(&record, 0.0).unwrap();
    assert_eq!((p.stats().held, p.stats().destinations[0].queued), (1, 0));
    assert_eq!(p.wake(), Some(30_000.0));
    let flush = p.flush(10.0);
    let requests = drain(&mut p, 10.0);
    assert_eq!(get(&spans(&requests[0].2)[0].1.attributes, "gen_ai.is_entry"), Some(&Value::BoolValue(true)));
    assert!(!p.settled(&flush));
    p.response(requests[0].1, 200, None, b"", 20.0);
    assert!(p.settled(&flush));
    assert_eq!(p.stats().held, 0);
}

#[test]
fn each_destination_gets_its_own_resource_and_no_other_s_secret() {
    let mut p = pipeline(&format!(
        r#"{{"destinations":[{TENCENT},{{"profile":"otel","serviceName":"Shop of Shenzhen","blockScopes":["*http*"]}}]}}"#
    ));
    run_agent(&mut p, 0.0);
    p.flush(0.0);
    let requests = drain(&mut p, 0.0);
    assert_eq!(requests.iter().map(|r| r.0).collect::<Vec<_>>(), [0, 1]);
    assert_ne!(requests[0].1, requests[1].1, "ids of destinations differ");
    let resource = |i: usize| &requests[i].2.resource_spans[0].resource.as_ref().unwrap().attributes;
    assert_eq!(string(resource(0), "token"), Some("tok-123"));
    assert_eq!(string(resource(0), "host.name"), Some("10.0.0.8"));
    assert_eq!(string(resource(0), "service.name"), Some("my-shop"), "what Tencent would refuse is mended");
    assert!(p.stats().destinations[0].mended_service_name);
    assert_eq!(string(resource(0), "region"), Some("sz"));
    assert_eq!(string(resource(1), "service.name"), Some("Shop of Shenzhen"));
    for secret in ["tok-123", "tok-from-resource", "pk-lf-x"] {
        let body = requests[1].2.encode_to_vec();
        assert!(!body.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret} left its destination");
    }
    assert_eq!(spans(&requests[0].2).len(), 3);
    assert!(spans(&requests[1].2).iter().all(|(scope, _)| *scope == "langfuse-sdk"));
}

#[test]
fn without_entry_detection_nothing_is_held_and_marks_of_the_source_still_go() {
    let mut p = pipeline(r#"{"destinations":[{}],"entry":{"enabled":false}}"#);
    let mut w = FrameWriter(&mut p);
    let langfuse = w.scope(&scope("langfuse-sdk"));
    let resource = w.resource(&Resource::default());
    let agent = span(2, 1, "agent", vec![text("langfuse.observation.metadata.gen_ai.is_entry", "true")]);
    w.0.start(&FrameWriter::start(&agent, langfuse), 0.0).unwrap();
    let record = w.span(&agent, langfuse, resource);
    w.0.end(&record, 0.0).unwrap();
    p.flush(0.0);
    let requests = drain(&mut p, 0.0);
    assert!(spans(&requests[0].2)[0].1.attributes.is_empty());
}

#[test]
fn the_mark_can_be_a_string() {
    let mut p = pipeline(r#"{"destinations":[{}],"entry":{"value":"string"}}"#);
    run_agent(&mut p, 0.0);
    p.flush(0.0);
    let requests = drain(&mut p, 0.0);
    let marks: Vec<_> =
        spans(&requests[0].2).iter().filter_map(|(_, s)| string(&s.attributes, "gen_ai.is_entry").map(str::to_owned)).collect();
    assert_eq!(marks, ["true"]);
}

#[test]
fn a_record_that_cannot_be_read_is_counted_and_harms_nothing() {
    let mut p = pipeline(r#"{"destinations":[{}]}"#);
    for (record, message) in [
        (&b""[..], "span frame: cut short at byte 0"),
        (b"\x02", "span frame: unknown version at byte 0"),
        (b"\x01\x00\x00\x00", "span frame: cut short at byte 4"),
    ] {
        assert_eq!(p.end(record, 0.0).unwrap_err().to_string(), message);
    }
    assert_eq!(p.stats().unparsed, 3);
    run_agent(&mut p, 0.0);
    p.flush(0.0);
    assert_eq!(spans(&drain(&mut p, 0.0)[0].2).len(), 3);
}

/// Name and parent of each span that a destination gets.
fn parents(requests: &[(usize, u32, ExportTraceServiceRequest)], destination: usize) -> Vec<(&str, u8)> {
    let of_destination = requests.iter().filter(|(to, ..)| *to == destination);
    let mut all: Vec<_> = of_destination
        .flat_map(|(.., request)| spans(request))
        .map(|(_, span)| (&span.name[..], span.parent_span_id.first().copied().unwrap_or(0)))
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn a_destination_gets_no_span_below_one_that_it_does_not_get() {
    for entries in [true, false] {
        let mut p = pipeline(&format!(
            r#"{{"entry":{{"enabled":{entries}}},"destinations":[{{}},{{"blockScopes":["http"]}},{{"blockScopes":["langfuse-sdk"],"profile":"langfuse"}},{{"allowScopes":["db"]}}]}}"#
        ));
        let mut w = FrameWriter(&mut p);
        let (http, langfuse, db) = (w.scope(&scope("http")), w.scope(&scope("langfuse-sdk")), w.scope(&scope("db")));
        let resource = w.resource(&Resource::default());
        // Below a span of another process: POST, the agent, a request of its own, a tool in it, and what that asks a database.
        let of_tool = vec![text("langfuse.observation.type", "tool")];
        let spans = [
            (span(1, 9, "POST /chat", vec![]), http),
            (span(2, 1, "agent", vec![text("langfuse.observation.type", "agent")]), langfuse),
            (span(3, 2, "GET /weather", vec![]), http),
            (span(4, 3, "get_weather", of_tool), langfuse),
            (span(5, 4, "SELECT", vec![]), db),
        ];
        for (span, scope) in &spans {
            w.0.start(&FrameWriter::start(span, *scope), 0.0).unwrap();
        }
        for (span, scope) in spans.iter().rev() {
            let record = w.span(span, *scope, resource);
            w.0.end(&record, 0.0).unwrap();
        }
        p.flush(0.0);
        let requests = drain(&mut p, 0.0);
        assert_eq!(parents(&requests, 0), [("GET /weather", 2), ("POST /chat", 9), ("SELECT", 4), ("agent", 1), ("get_weather", 3)]);
        // The agent hangs below the other process's span, which may have come from there.
        assert_eq!(parents(&requests, 1), [("SELECT", 4), ("agent", 9), ("get_weather", 2)]);
        assert_eq!(parents(&requests, 2), [("GET /weather", 1), ("POST /chat", 9), ("SELECT", 3)]);
        assert_eq!(parents(&requests, 3), [("SELECT", 9)]);
    }
}

#[test]
fn a_span_whose_every_ancestor_is_blocked_is_a_root() {
    let mut p = pipeline(r#"{"destinations":[{"blockScopes":["@opentelemetry/*"]}]}"#);
    run_agent(&mut p, 0.0);
    p.flush(0.0);
    let requests = drain(&mut p, 0.0);
    assert_eq!(parents(&requests, 0), [("llm", 2), ("weather-agent", 0)]);
    let entry = spans(&requests[0].2).into_iter().find(|(_, span)| span.name == "weather-agent").unwrap().1;
    assert_eq!(get(&entry.attributes, "gen_ai.is_entry"), Some(&Value::BoolValue(true)));
}

#[test]
fn a_destination_with_a_sample_gets_whole_traces() {
    let mut p = pipeline(r#"{"destinations":[{"sampleRatio":0},{"sampleRatio":1},{}]}"#);
    run_agent(&mut p, 0.0);
    p.flush(0.0);
    let requests = drain(&mut p, 0.0);
    assert_eq!([0, 1, 2].map(|destination| parents(&requests, destination).len()), [0, 3, 3]);
    assert_eq!(p.stats().destinations[0].not_sampled, 3);
}

#[test]
fn usage_of_a_wrapper_is_counted_where_the_client_below_it_is_missing() {
    // LangChain's generation around the client's own span of the same call.
    let counted_on = |config: &str| {
        let mut p = pipeline(config);
        let mut w = FrameWriter(&mut p);
        let (langfuse, client) = (w.scope(&scope("langfuse-sdk")), w.scope(&scope("opentelemetry.instrumentation.openai")));
        let resource = w.resource(&Resource::default());
        let of_wrapper = vec![
            text("langfuse.observation.type", "generation"),
            text("langfuse.observation.usage_details", r#"{"input":57,"output":17}"#),
        ];
        let tokens = |key: &str, n| KeyValue { value: Some(AnyValue { value: Some(Value::IntValue(n)) }), ..text(key, "") };
        let of_client =
            vec![text("gen_ai.operation.name", "chat"), tokens("gen_ai.usage.input_tokens", 57), tokens("gen_ai.usage.output_tokens", 17)];
        let spans = [(span(1, 0, "ChatOpenAI", of_wrapper), langfuse), (span(2, 1, "chat gpt-4o", of_client), client)];
        for (span, scope) in &spans {
            w.0.start(&FrameWriter::start(span, *scope), 0.0).unwrap();
        }
        for (span, scope) in spans.iter().rev() {
            let record = w.span(span, *scope, resource);
            w.0.end(&record, 0.0).unwrap();
        }
        p.flush(0.0);
        let requests = drain(&mut p, 0.0);
        let of_first = requests.iter().filter(|(to, ..)| *to == 0).flat_map(|(.., request)| self::spans(request));
        let counted = of_first.filter(|(_, span)| get(&span.attributes, "gen_ai.usage.input_tokens").is_some());
        counted.map(|(_, span)| span.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(counted_on(r#"{"destinations":[{}]}"#), ["chat gpt-4o"]);
    assert_eq!(counted_on(r#"{"destinations":[{"blockScopes":["*openai"]}]}"#), ["ChatOpenAI"]);
    assert_eq!(counted_on(r#"{"entry":{"enabled":false},"destinations":[{},{}]}"#), ["chat gpt-4o"]);
}
