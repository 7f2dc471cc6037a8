//! The pipeline as a host drives it: spans in as frames, requests out, decoded with opentelemetry-proto.

use crate::frames::FrameWriter;
use genspan::internals::config::{Config, Convert, Format};
use genspan::internals::frame::FrameError;
use genspan::internals::profiles::write::Keep;
use genspan::{Error, Pipeline};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use std::borrow::Cow;

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
    let mut w = FrameWriter::new(p);
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
        w.0.start(&FrameWriter::start(span, *scope), 0, now).unwrap();
    }
    for (span, scope) in spans.iter().rev() {
        let record = w.span(span, *scope, resource);
        w.0.end(&record, 0, now).unwrap();
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
    let mut w = FrameWriter::new(&mut p);
    let (http, langfuse) = (w.scope(&scope("http")), w.scope(&scope("langfuse-sdk")));
    let resource = w.resource(&Resource::default());
    let (root, agent) = (span(1, 0, "POST", vec![]), span(2, 1, "agent", vec![]));
    w.0.start(&FrameWriter::start(&root, http), 0, 0.0).unwrap();
    w.0.start(&FrameWriter::start(&agent, langfuse), 0, 0.0).unwrap();
    let record = w.span(&agent, langfuse, resource);
    w.0.end(&record, 0, 0.0).unwrap();
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

// README promise: "The token reaches its own destination only"
// README promise: "Langfuse's project key (scope attribute `public_key`) reaches none"
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
    let mut w = FrameWriter::new(&mut p);
    let langfuse = w.scope(&scope("langfuse-sdk"));
    let resource = w.resource(&Resource::default());
    let agent = span(2, 1, "agent", vec![text("langfuse.observation.metadata.gen_ai.is_entry", "true")]);
    w.0.start(&FrameWriter::start(&agent, langfuse), 0, 0.0).unwrap();
    let record = w.span(&agent, langfuse, resource);
    w.0.end(&record, 0, 0.0).unwrap();
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
        assert_eq!(p.end(record, 0, 0.0).unwrap_err().to_string(), message);
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

// README promise: "No orphans"
// README promise: "Where a destination gets some spans only, by scope or filter, each hangs below the nearest ancestor that it gets, or is a root"
#[test]
fn a_destination_gets_no_span_below_one_that_it_does_not_get() {
    for entries in [true, false] {
        let mut p = pipeline(&format!(
            r#"{{"entry":{{"enabled":{entries}}},"destinations":[{{}},{{"blockScopes":["http"]}},{{"blockScopes":["langfuse-sdk"],"profile":"langfuse"}},{{"allowScopes":["db"]}}]}}"#
        ));
        let mut w = FrameWriter::new(&mut p);
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
            w.0.start(&FrameWriter::start(span, *scope), 0, 0.0).unwrap();
        }
        for (span, scope) in spans.iter().rev() {
            let record = w.span(span, *scope, resource);
            w.0.end(&record, 0, 0.0).unwrap();
        }
        p.flush(0.0);
        let requests = drain(&mut p, 0.0);
        assert_eq!(parents(&requests, 0), [("GET /weather", 2), ("POST /chat", 9), ("SELECT", 4), ("agent", 1), ("get_weather", 3)]);
        // The other process's span may have come from there, but not to a destination that takes none of the kind that stands between.
        assert_eq!(parents(&requests, 1), [("SELECT", 4), ("agent", 0), ("get_weather", 2)]);
        assert_eq!(parents(&requests, 2), [("GET /weather", 1), ("POST /chat", 9), ("SELECT", 3)]);
        assert_eq!(parents(&requests, 3), [("SELECT", 0)]);
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
        let mut w = FrameWriter::new(&mut p);
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
            w.0.start(&FrameWriter::start(span, *scope), 0, 0.0).unwrap();
        }
        for (span, scope) in spans.iter().rev() {
            let record = w.span(span, *scope, resource);
            w.0.end(&record, 0, 0.0).unwrap();
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

fn body(scoped: &[(&str, Vec<Span>)]) -> Vec<u8> {
    let scope_spans =
        scoped.iter().map(|(name, spans)| ScopeSpans { scope: Some(scope(name)), spans: spans.clone(), ..Default::default() });
    let resource = Resource { attributes: vec![text("service.name", "shop"), text("token", "tok-from-resource")], ..Default::default() };
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans: scope_spans.collect(), ..Default::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn entries(requests: &[(usize, u32, ExportTraceServiceRequest)]) -> Vec<&str> {
    let marked = |(_, span): &(&str, &Span)| get(&span.attributes, "gen_ai.is_entry").is_some();
    let mut names: Vec<_> = requests.iter().flat_map(|(.., r)| spans(r)).filter(marked).map(|(_, span)| &span.name[..]).collect();
    names.sort_unstable();
    names
}

fn of_kind(id: u8, parent: u8, name: &str, kind: &str) -> Span {
    span(id, parent, name, vec![text("langfuse.observation.type", kind)])
}

/// Passes spans as an exporter gets them, without their starts. Returns the number of those that were taken.
fn end_all(p: &mut Pipeline, scoped: &[(&str, Vec<Span>)], now: f64) -> usize {
    let mut w = FrameWriter::new(p);
    let resource = w.resource(&Resource { attributes: vec![text("service.name", "shop")], ..Default::default() });
    let mut records = Vec::new();
    for (name, spans) in scoped {
        let scope = w.scope(&scope(name));
        records.extend(spans.iter().map(|span| w.span(span, scope, resource)));
    }
    let records: Vec<_> = records.iter().map(|record| (&record[..], 0)).collect();
    p.end_all(&records, now).into_iter().filter(Result::is_ok).count()
}

#[test]
fn without_starts_the_parent_may_come_in_a_later_body_or_call() {
    let of_bodies = |p: &mut Pipeline, scoped: &[(&str, Vec<Span>)], now| p.ingest(&body(scoped), None, now).unwrap().spans;
    for take in [of_bodies, end_all] {
        for (hold, expected) in [(30_000, vec!["agent"]), (0, vec!["llm"])] {
            let mut p = pipeline(&format!(r#"{{"destinations":[{{"blockScopes":["http"]}}],"entry":{{"holdMillis":{hold}}}}}"#));
            assert_eq!(take(&mut p, &[("langfuse-sdk", vec![of_kind(3, 2, "llm", "generation")])], 0.0), 1);
            assert_eq!(p.stats().held, 1);
            drain(&mut p, 1.0);
            assert_eq!(p.stats().held, u64::from(hold > 0), "with no window it is decided by what there is");
            let rest = [("http", vec![span(1, 0, "POST", vec![])]), ("langfuse-sdk", vec![of_kind(2, 1, "agent", "agent")])];
            assert_eq!(take(&mut p, &rest, 2.0), 2);
            p.flush(3.0);
            let requests = drain(&mut p, 3.0);
            assert_eq!(entries(&requests), expected);
            // The tree is whole at the destination that gets no HTTP span; the token of another backend is gone.
            assert_eq!(parents(&requests, 0), [("agent", 0), ("llm", 2)]);
            assert!(requests.iter().all(|(.., r)| !r.encode_to_vec().windows(8).any(|w| w == b"tok-from")));
        }
    }
}

#[test]
fn spans_that_ended_without_starts_are_decided_by_all_of_their_call() {
    // Children first, and with a window of 0 nothing waits for another call.
    let mut p = pipeline(r#"{"destinations":[{}],"entry":{"holdMillis":0}}"#);
    let spans = vec![of_kind(4, 3, "tool", "tool"), of_kind(3, 2, "llm", "generation"), of_kind(2, 0, "agent", "agent")];
    assert_eq!(end_all(&mut p, &[("langfuse-sdk", spans)], 0.0), 3);
    p.flush(0.0);
    let requests = drain(&mut p, 0.0);
    assert_eq!((entries(&requests), parents(&requests, 0).len()), (vec!["agent"], 3));
    // A record that cannot be read, or whose scope is unknown, does not stop the others.
    let (scope, resource, mut w) = (1, 1, FrameWriter::new(&mut p));
    let [good, unknown] = [(5, scope), (6, 99)].map(|(id, scope)| w.span(&of_kind(id, 0, "next", "agent"), scope, resource));
    let outcomes = p.end_all(&[(&good[..9], 0), (&unknown, 0), (&good, 0)], 1.0);
    assert_eq!(
        outcomes.iter().map(|o| o.map_err(|error| error == FrameError::FORGOTTEN)).collect::<Vec<_>>(),
        [Err(false), Err(true), Ok(())]
    );
    assert_eq!(p.stats().unparsed, 1);
}

#[test]
fn spans_that_ended_without_starts_are_taken_in_parts_if_they_need_too_much_memory() {
    let mut p = pipeline(r#"{"destinations":[{}],"maxUnpackedBytes":1}"#);
    let spans: Vec<_> = (1..=3).map(|id| of_kind(id, 0, "agent", "agent")).collect();
    assert_eq!(end_all(&mut p, &[("langfuse-sdk", spans)], 0.0), 3);
    assert_eq!(p.stats().seen, 3);
}

#[test]
fn a_body_in_json_and_one_that_is_delivered_again_make_no_second_entry() {
    let mut p = pipeline(r#"{"destinations":[{}]}"#);
    let body = body(&[("langfuse-sdk", vec![of_kind(2, 0, "agent", "agent"), of_kind(3, 2, "llm", "generation")])]);
    let json = genspan::convert(&body, &Convert { to: Format::Json, keep: Some(Keep::All), ..Convert::default() }).unwrap();
    for body in [&body, &body, &json] {
        assert_eq!(p.ingest(body, None, 0.0).unwrap().spans, 2);
    }
    p.flush(0.0);
    // What comes again as it was is one; in other bytes it is the same span.
    assert_eq!(entries(&drain(&mut p, 0.0)), ["agent", "agent"]);
    assert_eq!(p.stats().repeated, 2);
}

#[test]
fn a_body_that_cannot_be_read_is_refused_as_a_whole() {
    let mut p = pipeline(r#"{"destinations":[{}]}"#);
    let whole = body(&[("langfuse-sdk", vec![of_kind(2, 0, "agent", "agent")])]);
    assert!(p.ingest(&whole[..whole.len() - 3], None, 0.0).unwrap_err().to_string().starts_with("not an OTLP protobuf body"));
    assert!(p.ingest(b"{", None, 0.0).unwrap_err().to_string().starts_with("not an OTLP"));
    assert_eq!((p.ingest(b"", None, 0.0).unwrap().spans, p.stats().seen), (0, 0));
}

#[test]
fn a_body_that_no_destination_has_room_for_is_refused_as_a_whole() {
    let two = |id| body(&[("http", vec![span(id, 0, "GET", vec![]), span(id + 1, 0, "GET", vec![])])]);
    let mut p = pipeline(r#"{"destinations":[{}],"maxQueueSize":3}"#);
    assert_eq!(p.ingest(&two(1), None, 0.0).unwrap().spans, 2);
    assert_eq!(p.ingest(&two(3), None, 0.0).unwrap_err().to_string(), "the queue of every destination is full");
    let stats = p.stats();
    assert_eq!((stats.seen, stats.destinations[0].waiting, stats.destinations[0].dropped_full), (2, 2, 0));
    p.flush(0.0);
    assert_eq!(drain(&mut p, 0.0).len(), 1);
    assert_eq!(p.ingest(&two(3), None, 0.0).unwrap().spans, 2);

    // By bytes as well; what is too large for an empty queue is taken as far as it goes.
    let mut p = pipeline(r#"{"destinations":[{}],"maxQueueBytes":200}"#);
    assert_eq!(p.ingest(&two(1), None, 0.0).unwrap().spans, 2);
    assert!(p.ingest(&two(3), None, 0.0).is_err());

    // A destination that has room is not held up by the one beside it, which counts what it drops.
    let mut p = pipeline(r#"{"destinations":[{"maxQueueSize":3},{}]}"#);
    assert_eq!((p.ingest(&two(1), None, 0.0).unwrap().spans, p.ingest(&two(3), None, 0.0).unwrap().spans), (2, 2));
    let dropped: Vec<_> = p.stats().destinations.iter().map(|d| (d.waiting, d.dropped_full)).collect();
    assert_eq!(dropped, [(3, 1), (4, 0)]);
}

// README promise: "Secrets stay"
#[test]
fn each_sender_s_own_token_goes_with_its_spans_to_the_destination_that_wants_it() {
    const SENDERS: &str = r#"{"profile":"tencent","hostName":"10.0.0.8"}"#;
    let relay = |config: &str| Pipeline::new(&Config { sender_tokens: true, ..Config::read(config).unwrap() }, 1);
    let message = |config: &str| relay(config).err().map(|e| e.to_string()).unwrap();
    let unset = Pipeline::new(&Config::read(&format!(r#"{{"destinations":[{SENDERS}]}}"#)).unwrap(), 1);
    assert!(unset.err().unwrap().to_string().starts_with("destinations[0].token: is missing"), "a host's own spans need a token");
    assert!(
        message(&format!(r#"{{"destinations":[{SENDERS},{{}},{SENDERS}]}}"#)).starts_with("destinations[2].token: is missing; the tokens")
    );

    let mut p = relay(&format!(r#"{{"destinations":[{SENDERS},{{}},{TENCENT}]}}"#)).unwrap();
    let mut next = 0;
    let mut body = |service: &str, token: Option<&str>, count: u8| {
        let attributes = token.iter().map(|token| text("token", token)).chain([text("service.name", service)]).collect();
        let ids = (0..count).map(|_| (next += 1, next).1);
        let scope_spans = vec![ScopeSpans { spans: ids.map(|id| span(id, 0, service, vec![])).collect(), ..Default::default() }];
        let resource = Some(Resource { attributes, ..Default::default() });
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { resource, scope_spans, ..Default::default() }] }.encode_to_vec()
    };
    for (service, token, count) in
        [("My Shop", Some("tok-a"), 2), ("bank", Some("tok-b"), 1), ("web", None, 3), ("My Shop", Some("tok-a"), 1), ("web", Some(" "), 1)]
    {
        p.ingest(&body(service, token, count), None, 0.0).unwrap();
    }
    p.flush(0.0);
    let requests = drain(&mut p, 0.0);
    // Of each request: its services, its tokens, how many spans.
    let sent = |destination: usize| {
        let of = |r: &ExportTraceServiceRequest| {
            let values = |key: &str| {
                let all = r.resource_spans.iter().filter_map(|r| string(&r.resource.as_ref()?.attributes, key));
                all.map(str::to_owned).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
            };
            (values("service.name"), values("token"), spans(r).len())
        };
        requests.iter().filter(|(to, ..)| *to == destination).map(|(.., r)| of(r)).collect::<Vec<_>>()
    };
    let row = |service: &str, token: &str, count| (service.to_owned(), token.to_owned(), count);
    // One account to a request: a token that the backend refuses costs no other sender anything.
    assert_eq!(sent(0), [row("my-shop", "tok-a", 2), row("bank", "tok-b", 1), row("my-shop", "tok-a", 1)]);
    assert_eq!(sent(1), [row("My Shop bank web", "", 8)]);
    assert_eq!(sent(2), [row("bank my-shop web", "tok-123", 8)]);
    assert_eq!(p.stats().destinations.iter().map(|d| d.without_token).collect::<Vec<_>>(), [4, 0, 0]);
    assert_eq!(p.tokenless().map(<[u8]>::to_vec), Some(b"web".to_vec()));
    assert_eq!(p.tokenless(), None, "each service is named once");
}

#[test]
fn senders_that_come_and_go_leave_room_for_others() {
    let mut p = pipeline(r#"{"destinations":[{}],"maxQueueSize":100000,"concurrencyLimit":100}"#);
    let of = |sender: usize| {
        let resource = Resource { attributes: vec![text("service.instance.id", &sender.to_string())], ..Default::default() };
        let scope_spans = vec![ScopeSpans { spans: vec![span(1, 0, "GET", vec![])], ..Default::default() }];
        let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..Default::default() }];
        ExportTraceServiceRequest { resource_spans }.encode_to_vec()
    };
    (0..10_000).for_each(|sender| assert_eq!(p.ingest(&of(sender), None, 0.0).unwrap().spans, 1));
    assert!(matches!(p.ingest(&of(10_000), None, 0.0), Err(Error::Busy(_))));
    // Once their batch has gone out there is room.
    let instances = |requests: &[(usize, u32, ExportTraceServiceRequest)]| {
        let all = requests.iter().flat_map(|(.., r)| &r.resource_spans).filter_map(|r| r.resource.as_ref());
        all.filter_map(|r| string(&r.attributes, "service.instance.id").map(str::to_owned)).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(instances(&drain(&mut p, 10_000.0)).len(), 10_000);
    assert_eq!(p.ingest(&of(10_000), None, 10_000.0).unwrap().spans, 1);
    p.flush(10_000.0);
    assert_eq!(instances(&drain(&mut p, 10_000.0)).into_iter().collect::<Vec<_>>(), ["10000"]);
}

#[test]
fn a_body_with_more_resources_or_scopes_than_can_be_told_apart_is_refused_for_good() {
    let mut p = pipeline(r#"{"destinations":[{}],"maxQueueSize":100000}"#);
    let refused = |p: &mut Pipeline, body: &ExportTraceServiceRequest| match p.ingest(&body.encode_to_vec(), None, 0.0) {
        Err(Error::LimitExceeded { what, limit }) => Some((what, limit)),
        _ => None,
    };
    let of_pod = |n: u32| ExportTraceServiceRequest::decode(&pod(n, 0)[..]).unwrap().resource_spans;
    let mut resources = ExportTraceServiceRequest { resource_spans: (0..10_001).flat_map(of_pod).collect() };
    assert_eq!(refused(&mut p, &resources), Some(("resources in one request", 10_000)));
    let spans = || vec![span(1, 0, "GET", vec![])];
    let scope = |n: usize| Some(InstrumentationScope { name: n.to_string(), ..Default::default() });
    let of_scope = |n| ScopeSpans { scope: scope(n), spans: spans(), ..Default::default() };
    let scope_spans = (0..10_001).map(of_scope).collect();
    let scopes = ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] };
    assert_eq!(refused(&mut p, &scopes), Some(("scopes in one request", 10_000)));
    // Nothing of them was taken, and one resource less is no problem.
    assert_eq!(p.stats().seen, 0);
    resources.resource_spans.pop();
    assert_eq!(p.ingest(&resources.encode_to_vec(), None, 0.0).unwrap().spans, 10_000);
}

#[test]
fn out_of_bodies_a_span_that_nobody_knows_goes_out_as_it_came() {
    let mut p = pipeline(r#"{"destinations":[{}]}"#);
    let foreign = Span { trace_state: "x=1".into(), ..span(4, 0, "SELECT", vec![text("db.system", "pg")]) };
    assert_eq!(p.ingest(&body(&[("pg", vec![foreign.clone()])]), None, 0.0).unwrap().spans, 1);
    p.flush(0.0);
    assert_eq!(spans(&drain(&mut p, 0.0)[0].2), [("pg", &foreign)]);
}

#[test]
fn captures_in_pieces_have_the_entries_of_the_whole() {
    let folder = std::fs::read_dir(format!("{}/tests/fixtures/captures/more", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut count = 0;
    for file in folder.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "pb")) {
        let whole = std::fs::read(&file).unwrap();
        let mut expected: Vec<_> = crate::bodies::spans(&genspan::convert(&whole, &Convert::default()).unwrap())
            .into_iter()
            .filter(|s| get(&s.attributes, "gen_ai.is_entry").is_some())
            .map(|s| s.span_id)
            .collect();
        let mut p = pipeline(r#"{"destinations":[{}]}"#);
        let request = ExportTraceServiceRequest::decode(&whole[..]).unwrap();
        // A body for each span, the order that of the whole: children mostly first.
        for resource in &request.resource_spans {
            for scoped in &resource.scope_spans {
                for span in &scoped.spans {
                    let scope_spans = vec![ScopeSpans { spans: vec![span.clone()], ..scoped.clone() }];
                    let body = ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..resource.clone() }] };
                    p.ingest(&body.encode_to_vec(), None, 0.0).unwrap();
                }
            }
        }
        p.flush(0.0);
        let requests = drain(&mut p, 0.0);
        let marked = |(_, s): &(&str, &Span)| get(&s.attributes, "gen_ai.is_entry").is_some();
        let mut found: Vec<_> = requests.iter().flat_map(|(.., r)| spans(r)).filter(marked).map(|(_, s)| s.span_id.clone()).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{}", file.display());
        count += 1;
    }
    assert!(count > 90, "{count} bodies");
}

// README promise: "Your spans wait in bounded memory"
#[test]
fn what_is_held_is_bounded_in_bytes() {
    let mut p = pipeline(r#"{"destinations":[{}],"entry":{"maxHeldBytes":2000}}"#);
    let mut w = FrameWriter::new(&mut p);
    let (http, langfuse) = (w.scope(&scope("http")), w.scope(&scope("langfuse-sdk")));
    let resource = w.resource(&Resource::default());
    let root = span(1, 0, "POST", vec![]);
    w.0.start(&FrameWriter::start(&root, http), 0, 0.0).unwrap();
    for id in 2..12 {
        let agent = span(id, 1, "agent", vec![text("langfuse.observation.type", "agent"), text("note", &"x".repeat(800))]);
        w.0.start(&FrameWriter::start(&agent, langfuse), 0, 0.0).unwrap();
        let record = w.span(&agent, langfuse, resource);
        w.0.end(&record, 0, 0.0).unwrap();
    }
    let stats = p.stats();
    assert!((1..=2).contains(&stats.held), "{} held", stats.held);
    assert_eq!((stats.held + stats.hold_overflow, stats.destinations[0].queued), (10, stats.hold_overflow));
}

#[test]
fn a_session_that_a_span_starts_with_is_handed_down_while_it_runs() {
    let mut p = pipeline(r#"{"destinations":[{}]}"#);
    let mut w = FrameWriter::new(&mut p);
    let (http, langfuse) = (w.scope(&scope("http")), w.scope(&scope("langfuse-sdk")));
    let resource = w.resource(&Resource::default());
    let spans_of = [
        (span(1, 0, "POST", vec![text("session.id", "of the cookie")]), http, vec![text("user.id", "u-baggage")]),
        (span(2, 1, "agent", vec![text("langfuse.observation.type", "agent"), text("session.id", "s-1")]), langfuse, vec![]),
        (span(3, 2, "GET", vec![]), http, vec![]),
        (of_kind(4, 3, "llm", "generation"), langfuse, vec![]),
    ];
    for (span, scope, baggage) in &spans_of {
        let record = w.start_with(span, *scope, baggage);
        w.0.start(&record, 0, 0.0).unwrap();
    }
    for (span, scope, _) in spans_of.iter().rev() {
        let record = w.span(span, *scope, resource);
        w.0.end(&record, 0, 0.0).unwrap();
    }
    p.flush(0.0);
    let requests = drain(&mut p, 0.0);
    let people = |name: &str| {
        let (_, span) = spans(&requests[0].2).into_iter().find(|(_, s)| s.name == name).unwrap();
        ["session.id", "user.id"].map(|key| string(&span.attributes, key).map(str::to_owned))
    };
    assert_eq!(people("llm"), [Some("s-1".into()), Some("u-baggage".into())]);
    assert_eq!(people("GET"), [None, None]);
    assert_eq!(people("POST"), [Some("of the cookie".into()), None], "what is no span of a model's stays as it is");
}

#[test]
fn a_body_without_llm_spans_passes_as_it_is_but_for_its_resources() {
    let spans_of = vec![span(2, 1, "SELECT", vec![text("db.system", "pg")]), span(1, 0, "POST", vec![text("http.route", "/chat")])];
    let plain = body(&[("http", spans_of.clone()), ("pg", vec![span(3, 1, "GET", vec![])])]);
    // The token of another backend's goes, and nothing else is different.
    let mut p = pipeline(r#"{"destinations":[{}]}"#);
    let out = p.rewrite(&plain, None, 0.0).unwrap();
    let mut expected = ExportTraceServiceRequest::decode(&plain[..]).unwrap();
    let attributes = &mut expected.resource_spans[0].resource.as_mut().unwrap().attributes;
    attributes.retain(|attribute| attribute.key != "token");
    for scope in &mut expected.resource_spans[0].scope_spans {
        scope.scope.as_mut().unwrap().attributes.clear();
    }
    assert_eq!(ExportTraceServiceRequest::decode(&out[..]).unwrap(), expected);
    // What has no secret is the same bytes, and the tree hears nothing of it.
    let clean = expected.encode_to_vec();
    assert_eq!(p.rewrite(&clean, None, 0.0).unwrap(), clean);
    let mut p = pipeline(r#"{"destinations":[{}]}"#);
    let json = genspan::convert(&clean, &Convert { to: Format::Json, ..Convert::default() }).unwrap();
    assert!(matches!(p.rewrite(&json, None, 0.0).unwrap(), Cow::Borrowed(same) if same == json), "JSON too");
    let mut p = pipeline(r#"{"destinations":[{}]}"#);
    assert!(matches!(p.rewrite(&clean, None, 0.0).unwrap(), Cow::Borrowed(_)));
    let stats = p.stats();
    assert_eq!((stats.tracked, stats.seen, stats.destinations[0].queued, stats.destinations[0].sent), (0, 3, 3, 3));
    // Each rule gives what the way span by span gives.
    for config in [
        &format!(r#"{{"destinations":[{TENCENT}]}}"#),
        r#"{"destinations":[{"profile":"tencent","token":"t"}]}"#,
        r#"{"destinations":[{"filter":{"except":[{"name":"SELECT"}]}}]}"#,
        r#"{"destinations":[{"blockScopes":["pg"]}]}"#,
        r#"{"destinations":[{"sampleRatio":0}]}"#,
        r#"{"destinations":[{}],"privacy":{"mask":[{"keys":["http.route"]}]}}"#,
        r#"{"destinations":[{}],"privacy":{"maxAttributeBytes":64}}"#,
    ] {
        let config = Config { peer_host_name: true, ..Config::read(config).unwrap() };
        let [mut one, mut other] = [1, 2].map(|seed| Pipeline::new(&config, seed).unwrap());
        one.rewrite(&clean, Some("10.0.0.8"), 0.0).unwrap();
        let fast = one.rewrite(&clean, Some("10.0.0.9"), 0.0).unwrap();
        other.ingest(&clean, Some("10.0.0.9"), 0.0).unwrap();
        let slow = other.drain_queue(0, 0.0);
        let sorted = |body: &[u8]| {
            let mut request = ExportTraceServiceRequest::decode(body).unwrap();
            request
                .resource_spans
                .iter_mut()
                .flat_map(|r| &mut r.scope_spans)
                .for_each(|s| s.spans.sort_by(|a, b| a.span_id.cmp(&b.span_id)));
            request.resource_spans.iter_mut().for_each(|r| r.scope_spans.sort_by_key(|s| s.scope.as_ref().unwrap().name.clone()));
            request
        };
        assert_eq!(sorted(&fast), sorted(&slow), "{config:?}");
    }
    // With one LLM span among them, or one of their trace before, all take that way.
    let llm = body(&[("langfuse-sdk", vec![of_kind(9, 1, "agent", "agent")]), ("http", spans_of)]);
    let mut p = pipeline(r#"{"destinations":[{}]}"#);
    let out = p.rewrite(&llm, None, 0.0).unwrap();
    assert_eq!(entries(&[(0, 0, ExportTraceServiceRequest::decode(&out[..]).unwrap())]), ["agent"]);
    assert_eq!(p.stats().tracked, 3);
    p.rewrite(&clean, None, 0.0).unwrap();
    assert_eq!(p.stats().tracked, 4);
}

#[test]
fn one_span_that_is_unlike_the_others_of_a_body_is_seen() {
    let plain = |id: u8| span(id, 0, "GET", vec![text("http.route", "/"), text("llm.model", "m"), text("url.path", "/a")]);
    let bare = |spans: Vec<Span>| {
        let scope_spans = vec![ScopeSpans { spans, ..Default::default() }];
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }.encode_to_vec()
    };
    let other = |id: u8, change: fn(&mut Span)| {
        let mut span = plain(id);
        change(&mut span);
        span
    };
    let model = |s: &mut Span| s.attributes[1] = text("gen_ai.request.model", "gpt-4o");
    let added = |s: &mut Span| s.attributes.push(text("gen_ai.request.model", "gpt-4o"));
    let of_the_segment = |s: &mut Span| s.trace_id = vec![8; 16];
    let odd = |s: &mut Span| s.span_id = vec![1; 3];
    for (i, change) in [model, added, of_the_segment, odd].into_iter().enumerate() {
        let mut p = pipeline(r#"{"destinations":[{}]}"#);
        let mut agent = of_kind(2, 0, "agent", "agent");
        agent.trace_id = vec![8; 16];
        p.ingest(&body(&[("langfuse-sdk", vec![agent])]), None, 0.0).unwrap();
        p.drain_queue(0, 0.0);
        let (tracked, unparsed) = (p.stats().tracked, p.stats().unparsed);
        let clean: Vec<Span> = (1..5).map(plain).collect();
        p.rewrite(&bare(clean.clone()), None, 0.0).unwrap();
        assert_eq!((p.stats().tracked, p.stats().unparsed), (tracked, unparsed));
        let spans = [clean, vec![other(6, change), plain(7)]].concat();
        p.rewrite(&bare(spans), None, 0.0).unwrap();
        assert!(p.stats().tracked > tracked, "{i}: the tree has heard of it");
    }
}

// README promise: "Nothing is lost that can be kept, and nothing silently"
#[test]
fn a_candidate_of_an_earlier_body_is_in_no_request_of_a_sender_that_the_backend_may_refuse() {
    let mut p = pipeline(r#"{"destinations":[{}],"entry":{"holdMillis":1000},"scheduledDelayMillis":0}"#);
    let sent = |body: &[u8]| {
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        let spans = request.resource_spans.into_iter().flat_map(|r| r.scope_spans).flat_map(|s| s.spans);
        spans.map(|span| (span.name.clone(), span.attributes.iter().any(|a| a.key == "gen_ai.is_entry"))).collect::<Vec<_>>()
    };
    let agent = |span_id, parent| body(&[("langfuse-sdk", vec![of_kind(span_id, parent, "agent", "agent")])]);
    let root = |span_id| body(&[("http", vec![span(span_id, 0, "POST /chat", vec![])])]);
    // Its parent comes in the next body.
    assert_eq!(sent(&p.rewrite(&agent(2, 1), None, 0.0).unwrap()), []);
    assert_eq!(sent(&p.rewrite(&root(1), None, 10.0).unwrap()), [("POST /chat".to_owned(), false)]);
    // Its time is over when the next body comes.
    assert_eq!(sent(&p.rewrite(&agent(4, 3), None, 20.0).unwrap()), []);
    assert_eq!(sent(&p.rewrite(&root(5), None, 5_000.0).unwrap()), [("POST /chat".to_owned(), false)]);
    // What stands in one body goes out in its place.
    let whole = body(&[("langfuse-sdk", vec![of_kind(7, 6, "agent", "agent")]), ("http", vec![span(6, 0, "POST /chat", vec![])])]);
    assert_eq!(sent(&p.rewrite(&whole, None, 5_000.0).unwrap()), [("agent".to_owned(), true), ("POST /chat".to_owned(), false)]);
    let (_, call) = p.poll(5_000.0).expect("a call of our own");
    assert_eq!(sent(call.body), [("agent".to_owned(), true), ("agent".to_owned(), true)]);
    let id = call.id;
    p.response(id, 503, None, b"", 5_000.0);
    let stats = p.stats();
    assert_eq!((stats.held, stats.entries, stats.destinations[0].pending, stats.destinations[0].sent), (0, 3, 2, 4), "it comes again");
}

/// One span of a pod of its own: its resource, its scope, its trace and one of its keys are those of no other body.
fn pod(n: u32, parent: u8) -> Vec<u8> {
    let id = format!("pod-{n}");
    let mut llm = of_kind(3, parent, &id, "generation");
    llm.trace_id = [&[9; 12][..], &n.to_be_bytes()].concat();
    llm.attributes.push(text("langfuse.observation.model.name", "gpt-4o"));
    llm.attributes.push(text(&format!("key of {id}"), "kept"));
    let scope = InstrumentationScope { version: id.clone(), ..scope("langfuse-sdk") };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans: vec![llm], ..Default::default() }];
    let resource = Resource { attributes: vec![text("k8s.pod.name", &id)], ..Default::default() };
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { resource: Some(resource), scope_spans, ..Default::default() }] }
        .encode_to_vec()
}

/// The pods whose spans are there, normalised, each in its own resource and scope.
fn pods(body: &[u8]) -> Vec<String> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let scoped = request.resource_spans.iter().flat_map(|r| r.scope_spans.iter().map(move |s| (r, s)));
    let each = scoped.flat_map(|(r, scoped)| {
        let pod = string(&r.resource.as_ref().unwrap().attributes, "k8s.pod.name").unwrap().to_owned();
        scoped.spans.iter().map(move |span| {
            assert_eq!((&span.name, &scoped.scope.as_ref().unwrap().version), (&pod, &pod));
            assert_eq!(string(&span.attributes, "gen_ai.request.model"), Some("gpt-4o"));
            assert_eq!(string(&span.attributes, &format!("key of {pod}")), Some("kept"));
            pod.clone()
        })
    });
    each.collect()
}

#[test]
fn out_of_bodies_there_may_be_any_number_of_resources_scopes_and_keys() {
    let mut p = pipeline(r#"{"destinations":[{}],"entry":{"maxSpans":200000}}"#);
    let (host_scope, host_resource) = {
        let mut w = FrameWriter::new(&mut p);
        (w.scope(&scope("langfuse-sdk")), w.resource(&Resource { attributes: vec![text("k8s.pod.name", "host")], ..Default::default() }))
    };
    for n in 0..50_000 {
        // The parent of some never comes: they are held while all others pass by.
        let held = n % 1_000 == 0;
        let body = pod(n, if held { 2 } else { 0 });
        let out = p.rewrite(&body, None, 0.0).unwrap();
        assert_eq!(pods(&out), if held { vec![] } else { vec![format!("pod-{n}")] });
    }
    assert_eq!((p.stats().held, p.stats().unparsed), (50, 0));
    p.flush(0.0);
    let mut late = pods(&p.drain_queue(0, 0.0));
    late.sort_by_key(|pod| pod[4..].parse::<u32>().unwrap());
    assert_eq!(late, (0..50).map(|n| format!("pod-{}", n * 1_000)).collect::<Vec<_>>());
    assert!(p.stats().dictionary < 6_000);
    // A host finds out that what it described was forgotten.
    let mut w = FrameWriter::new(&mut p);
    let record = w.span(&of_kind(3, 0, "host", "generation"), host_scope, host_resource);
    assert_eq!(p.end(&record, 0, 0.0), Err(FrameError::FORGOTTEN));
}

// README promise: "Nothing is lost that can be kept, and nothing silently"
#[test]
fn a_host_may_describe_any_number_of_resources_and_scopes_and_no_span_leaves_without_its_own() {
    let mut p = pipeline(r#"{"destinations":[{},{"profile":"tencent","token":"t","hostName":"h"}],"entry":{"holdMillis":0}}"#);
    let named = |n: u32| Resource {
        attributes: vec![text("service.name", "shop"), text("service.instance.id", &n.to_string())],
        ..Default::default()
    };
    let versioned = |n: u32| InstrumentationScope { version: n.to_string(), ..scope("langfuse-sdk") };
    let mut w = FrameWriter::new(&mut p);
    let of_first = (w.scope(&versioned(0)), w.resource(&named(0)));
    for (n, sent) in (0..30_000).map(|n| (n, n % 1_000 == 999)) {
        let mut w = FrameWriter::new(&mut p);
        // Equal ones have the same number, whatever their keys are written as.
        let (scope, resource) = (w.scope(&versioned(n)), w.resource(&named(n)));
        let mut w = FrameWriter(&mut p, true);
        assert_eq!((w.scope(&versioned(n)), w.resource(&named(n))), (scope, resource));
        let mut span = span(1, 0, &n.to_string(), vec![]);
        span.trace_id = [&[9; 12][..], &n.to_be_bytes()].concat();
        p.start(&FrameWriter::start(&span, scope), 0, 0.0).unwrap();
        let record = FrameWriter::new(&mut p).span(&span, scope, resource);
        p.end(&record, 0, 0.0).unwrap();
        if !sent {
            continue;
        }
        p.flush(0.0);
        let mut spans = 0;
        for (_, id, request) in drain(&mut p, 0.0) {
            for resource in &request.resource_spans {
                let instance = string(&resource.resource.as_ref().unwrap().attributes, "service.instance.id").unwrap();
                let scopes =
                    resource.scope_spans.iter().map(|s| (s.scope.as_ref().unwrap().version.as_str(), s.spans.len(), &s.spans[0].name[..]));
                assert_eq!(scopes.collect::<Vec<_>>(), [(instance, 1, instance)]);
                spans += 1;
            }
            p.response(id, 200, None, b"", 0.0);
        }
        assert_eq!(spans, 2_000, "at {n}");
    }
    // The first ones were forgotten: nothing goes out under their numbers, until they are described again.
    let unused = span(2, 0, "late", vec![]);
    let record = FrameWriter::new(&mut p).span(&unused, of_first.0, of_first.1);
    assert_eq!(p.end(&record, 0, 0.0), Err(FrameError::FORGOTTEN));
    assert_eq!(p.start(&FrameWriter::start(&unused, of_first.0), 0, 0.0), Err(FrameError::FORGOTTEN));
    assert_eq!((p.stats().seen, p.stats().unparsed), (30_000, 0));
    let mut w = FrameWriter::new(&mut p);
    let record = {
        let (scope, resource) = (w.scope(&versioned(0)), w.resource(&named(0)));
        w.span(&unused, scope, resource)
    };
    p.end(&record, 0, 0.0).unwrap();
}

#[test]
fn where_all_resources_are_waited_for_a_body_is_refused_until_some_have_gone() {
    let mut p = pipeline(r#"{"destinations":[{}],"maxQueueSize":20000}"#);
    for n in 0..10_000 {
        assert_eq!(p.ingest(&pod(n, 0), None, 0.0).unwrap().spans, 1);
    }
    assert!(matches!(p.ingest(&pod(10_000, 0), None, 0.0), Err(Error::Busy(_))));
    assert_eq!(p.ingest(&pod(5, 0), None, 0.0).unwrap().spans, 1, "it is known");
    let mut sent = pods(&p.drain_queue(0, 0.0));
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent.len(), 10_000);
    assert_eq!(p.ingest(&pod(10_000, 0), None, 0.0).unwrap().spans, 1);
    assert_eq!(pods(&p.drain_queue(0, 0.0)), ["pod-10000"]);
}

/// The seed decides hashes and the jitter of retries: neither is seen in a body.
#[test]
fn what_goes_out_does_not_depend_on_the_seed() {
    let config = Config::from_json(r#"{"destinations":[{},{"profile":"langfuse","keep":"all"}]}"#).unwrap();
    let captures = format!("{}/tests/fixtures/captures/more", env!("CARGO_MANIFEST_DIR"));
    let mut bodies = 0;
    for file in std::fs::read_dir(captures).unwrap() {
        let body = std::fs::read(file.unwrap().path()).unwrap();
        let run = |seed: u64| {
            let mut p = Pipeline::new(&config, seed).unwrap();
            p.ingest(&body, None, 0.0).unwrap();
            p.flush(1.0);
            let sent: Vec<_> = std::iter::from_fn(|| p.poll(1.0).map(|(i, transmit)| (i, transmit.body.to_vec()))).collect();
            (sent, genspan::convert(&body, &Convert::default()).unwrap(), genspan::explain(&body, &Convert::default()).unwrap())
        };
        let [first, second] = [1, 0x5eed_0000_0001].map(run);
        assert!(first.0.len() >= 2 && first == second);
        bodies += 1;
    }
    assert!(bodies > 100, "{bodies}");
}

#[test]
fn a_body_that_can_never_be_taken_is_told_from_one_that_has_to_wait() {
    use genspan::Error;
    let spans_of = |ids: std::ops::Range<u8>| ids.map(|id| span(id, 0, "SELECT", vec![])).collect::<Vec<_>>();
    let mut p = pipeline(r#"{"destinations":[{}],"maxQueueSize":3}"#);
    let refused = p.ingest(&body(&[("pg", spans_of(1..5))]), None, 0.0).unwrap_err();
    assert!(matches!(refused, Error::LimitExceeded { limit: 3, .. }), "{refused}");
    assert_eq!(p.stats().seen, 0, "nothing of it was taken");
    p.ingest(&body(&[("pg", spans_of(1..3))]), None, 0.0).unwrap();
    let refused = p.ingest(&body(&[("pg", spans_of(3..5))]), None, 0.0).unwrap_err();
    assert!(matches!(refused, Error::Busy(_)), "{refused}");
    // What is in a body counts as it is unpacked, in protobuf and in JSON.
    let mut p = pipeline(r#"{"destinations":[{}],"maxUnpackedBytes":3000}"#);
    p.ingest(&body(&[("pg", spans_of(1..2))]), None, 0.0).unwrap();
    let large = body(&[("pg", spans_of(1..4))]);
    for large in [genspan::internals::otlp::json::from_protobuf(&large).unwrap(), large] {
        let refused = p.ingest(&large, None, 0.0).unwrap_err();
        assert!(matches!(refused, Error::LimitExceeded { limit: 3000, .. }), "{refused}");
        assert!(refused.to_string().starts_with("more than 3000 bytes of memory"), "{refused}");
    }
}

#[test]
fn a_value_that_would_take_much_more_than_its_size_stays_as_it_is() {
    let list = format!("[{}\"\"]", "\"\",".repeat(10_000));
    let chat = vec![text("gen_ai.operation.name", "chat"), text("gen_ai.input.messages", &list)];
    let mut p = pipeline(r#"{"destinations":[{}]}"#);
    p.ingest(&body(&[("app", vec![span(1, 0, "chat", chat)])]), None, 0.0).unwrap();
    p.flush(0.0);
    let requests = drain(&mut p, 0.0);
    let found = spans(&requests[0].2)[0].1;
    assert_eq!(string(&found.attributes, "gen_ai.input.messages"), Some(&list[..]));
    assert_eq!(p.stats().unread, 1);
}
