//! What is decided over several spans of a trace, by each way in which spans come: as frames of a host, in one body of a relay, and by
//! `convert`. Parents stand before their children in a body, and children end first in a host.

use crate::bodies::plain;
use crate::frames::FrameWriter;
use genspan::Pipeline;
use genspan::internals::config::{Config, Convert};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Name, index of the parent, attributes.
type Given = (&'static str, Option<u8>, Json);
/// By the name of the span, its attributes.
type Sent = BTreeMap<String, BTreeMap<String, Json>>;

fn span(n: usize, (name, parent, attributes): &Given) -> Span {
    let value = |value: &Json| match value {
        Json::String(text) => Value::StringValue(text.clone()),
        Json::Bool(bool) => Value::BoolValue(*bool),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::DoubleValue(number.as_f64().unwrap()), Value::IntValue),
        other => panic!("{other}"),
    };
    let attribute =
        |(key, v): (&String, &Json)| KeyValue { key: key.clone(), value: Some(AnyValue { value: Some(value(v)) }), ..Default::default() };
    Span {
        trace_id: vec![7; 16],
        span_id: vec![n as u8 + 1; 8],
        parent_span_id: parent.map_or(vec![], |p| vec![p + 1; 8]),
        name: (*name).into(),
        start_time_unix_nano: 1_795_479_339_000_000_000 + n as u64,
        end_time_unix_nano: 1_795_479_340_000_000_000 - n as u64,
        attributes: attributes.as_object().unwrap().iter().map(attribute).collect(),
        ..Default::default()
    }
}

fn sent(body: &[u8]) -> impl Iterator<Item = (String, BTreeMap<String, Json>)> {
    let attributes = |span: &Span| span.attributes.iter().map(|a| (a.key.clone(), plain(a.value.as_ref()))).collect();
    crate::bodies::spans(body).into_iter().map(move |span| (span.name.clone(), attributes(&span)))
}

fn drained(mut p: Pipeline) -> Sent {
    p.flush(0.0);
    let mut all = Sent::new();
    while let Some((_, transmit)) = p.poll(0.0) {
        all.extend(sent(transmit.body));
    }
    assert_eq!(p.stats().late_marks, 0);
    all
}

fn body(scope: &InstrumentationScope, spans: &[Span]) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { scope: Some(scope.clone()), spans: spans.to_vec(), ..Default::default() }];
    let request = ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] };
    request.encode_to_vec()
}

/// What goes out by each way, for one profile and `siblings`.
fn each_way(given: &[Given], profile: &str, siblings: &str) -> [(&'static str, Sent); 3] {
    let spans: Vec<_> = given.iter().enumerate().map(|(n, given)| span(n, given)).collect();
    let scope = InstrumentationScope { name: "shop".into(), ..Default::default() };
    let body = body(&scope, &spans);

    let token = if profile == "tencent" { r#","token":"t","hostName":"10.0.0.8""# } else { "" };
    let config =
        format!(r#"{{"entry":{{"siblings":"{siblings}"}},"destinations":[{{"profile":"{profile}","serviceName":"shop"{token}}}]}}"#);
    let pipeline = || Pipeline::new(&Config::from_json(&config).unwrap(), 1).unwrap();
    let mut by_frames = pipeline();
    let mut w = FrameWriter::new(&mut by_frames);
    let (scope, resource) = (w.scope(&scope), w.resource(&Resource::default()));
    for span in &spans {
        w.0.start(&FrameWriter::start(&Span { attributes: vec![], ..span.clone() }, scope), 0, 0.0).unwrap();
    }
    for span in spans.iter().rev() {
        let record = w.span(span, scope, resource);
        w.0.end(&record, 0, 0.0).unwrap();
    }
    let mut by_bodies = pipeline();
    by_bodies.ingest(&body, None, 0.0).unwrap();
    let options = format!(r#"{{"profile":"{profile}","entry":{{"siblings":"{siblings}"}},"serviceName":"shop"{token}}}"#);
    let converted = genspan::convert(&body, &Convert::from_json(&options).unwrap()).unwrap();
    [("frames", drained(by_frames)), ("bodies", drained(by_bodies)), ("convert", sent(&converted).collect())]
}

const CHAT: &str = "gen_ai.operation.name";

fn entries(sent: &Sent) -> Vec<&str> {
    let marked = sent.iter().filter(|(_, attributes)| attributes.get("gen_ai.is_entry") == Some(&json!(true)));
    marked.map(|(name, _)| &name[..]).collect()
}

#[track_caller]
fn entries_are(given: &[Given], siblings: &str, expected: &[&str]) {
    for (way, sent) in each_way(given, "otel", siblings) {
        assert_eq!(entries(&sent), expected, "by {way}, {siblings}");
        for (name, attributes) in sent {
            let is_mark = |key: &&String| key.contains("is_entry");
            assert_eq!(attributes.keys().filter(is_mark).count(), usize::from(expected.contains(&&name[..])), "by {way}: marks on {name}");
        }
    }
}

/// A function that is observed, the agent in it that its author marked, what the agent calls, and a call beside the agent.
fn observed() -> Vec<Given> {
    vec![
        ("POST /chat", None, json!({"http.route": "/chat"})),
        ("answer", Some(0), json!({CHAT: "invoke_workflow"})),
        ("agent", Some(1), json!({CHAT: "invoke_agent", "gen_ai.is_entry": true})),
        ("chat", Some(2), json!({CHAT: "chat", "gen_ai.is_entry": "true"})),
        ("tool", Some(2), json!({CHAT: "execute_tool", "gen_ai.is_entry": true})),
        ("title", Some(1), json!({CHAT: "chat"})),
    ]
}

// README promise: "Your mark decides"
// README promise: "A span that you mark is the entry of its segment, whatever stands above it"
#[test]
fn the_user_s_mark_decides_its_segment_below_an_unmarked_llm_span() {
    for siblings in ["each", "first", "common-ancestor"] {
        entries_are(&observed(), siblings, &["agent"]);
    }
    let unmarked: Vec<_> = observed()
        .into_iter()
        .map(|(name, parent, mut attributes)| {
            attributes.as_object_mut().unwrap().remove("gen_ai.is_entry");
            (name, parent, attributes)
        })
        .collect();
    entries_are(&unmarked, "each", &["answer"]);
}

#[test]
fn a_segment_with_marks_has_those_that_were_marked_and_no_other() {
    // Two marked agents below one unmarked workflow; a plain span between; a second segment without marks.
    let mut spans = vec![
        ("POST /chat", None, json!({"http.route": "/chat"})),
        ("workflow", Some(0), json!({CHAT: "invoke_workflow"})),
        ("step", Some(1), json!({"step": 1})),
        ("first agent", Some(2), json!({CHAT: "invoke_agent", "gen_ai.is_entry": true})),
        ("second agent", Some(1), json!({CHAT: "invoke_agent", "gen_ai.is_entry": true})),
        ("other", Some(0), json!({CHAT: "chat"})),
    ];
    entries_are(&spans, "each", &["first agent", "other", "second agent"]);
    // "the marked ones; where none is, the one that started first", and "where one of them is marked, as with each"
    entries_are(&spans, "first", &["first agent", "second agent"]);
    entries_are(&spans, "common-ancestor", &["first agent", "other", "second agent"]);
    // `false` on the workflow takes nothing from the marks below it, and without them its segment has no entry.
    spans[1].2 = json!({CHAT: "invoke_workflow", "gen_ai.is_entry": false});
    entries_are(&spans, "each", &["first agent", "other", "second agent"]);
    spans[3].2 = json!({CHAT: "invoke_agent"});
    spans[4].2 = json!({CHAT: "invoke_agent"});
    entries_are(&spans, "each", &["other"]);
}

#[test]
fn work_that_outlives_its_entry_leaves_it_and_its_late_mark_is_counted() {
    let config = r#"{"destinations":[{"serviceName":"shop"}]}"#;
    let mut p = Pipeline::new(&Config::from_json(config).unwrap(), 1).unwrap();
    let mut w = FrameWriter::new(&mut p);
    let (scope, resource) = (w.scope(&InstrumentationScope::default()), w.resource(&Resource::default()));
    let given =
        [("answer", None, json!({CHAT: "invoke_workflow"})), ("agent", Some(0), json!({CHAT: "invoke_agent", "gen_ai.is_entry": true}))];
    let spans: Vec<_> = given.iter().enumerate().map(|(n, given)| span(n, given)).collect();
    for span in &spans {
        w.0.start(&FrameWriter::start(span, scope), 0, 0.0).unwrap();
    }
    for span in &spans {
        let record = w.span(span, scope, resource);
        w.0.end(&record, 0, 0.0).unwrap();
    }
    assert_eq!(p.stats().late_marks, 1);
    p.flush(0.0);
    let mut all = Sent::new();
    while let Some((_, transmit)) = p.poll(0.0) {
        all.extend(sent(transmit.body));
    }
    assert_eq!(entries(&all), ["answer"]);
    assert!(!all["agent"].contains_key("gen_ai.is_entry"));
}

#[test]
fn explain_says_why_a_span_is_the_entry_by_the_same_rule() {
    let spans: Vec<_> = observed().iter().enumerate().map(|(n, given)| span(n, given)).collect();
    let explained = genspan::explain(&body(&InstrumentationScope::default(), &spans), &Convert::default()).unwrap();
    let explained: Vec<Json> = serde_json::from_slice(&explained).unwrap();
    let why: Vec<_> = explained.iter().map(|span| (span["name"].as_str().unwrap(), span["entry"]["why"].as_str().unwrap())).collect();
    assert_eq!(
        why,
        [
            ("POST /chat", "no convention knows the span: it goes out as it came"),
            ("answer", "a span below it is marked"),
            ("agent", "it is marked, and no span above it is marked"),
            ("chat", "a span above it carries the mark: this one is a copy"),
            ("tool", "a span above it carries the mark: this one is a copy"),
            ("title", "a span above it is an LLM span"),
        ]
    );
}

/// LangSmith's dotted order has a dot below the root of a run. It tells of the span that has it, be that an LLM span or not.
#[test]
fn below_a_parent_that_is_missing_a_span_that_is_not_llm_may_say_that_it_is_not_the_root() {
    for (order, expected) in [("20261201T000000Z1.20261201T000001Z2", &[][..]), ("20261201T000000Z1", &["chat"])] {
        let step = json!({"langsmith.span.dotted_order": order, "langsmith.metadata.step": "1"});
        entries_are(&[("step", Some(98), step), ("chat", Some(0), json!({CHAT: "chat"}))], "each", expected);
    }
}

/// The clocks of two processes differ: the span below names its session before the one above it names the user.
#[test]
fn session_and_user_come_down_from_above_whichever_clock_is_ahead() {
    let spans = [
        ("planner", Some(1), json!({CHAT: "invoke_agent", "session.id": "s"})),
        ("agent", None, json!({CHAT: "invoke_agent", "user.id": "u"})),
        ("tool", Some(0), json!({CHAT: "execute_tool"})),
    ];
    for (way, sent) in each_way(&spans, "langfuse", "each").iter().filter(|(way, _)| *way != "frames") {
        let named = ["session.id", "user.id"].map(|key| sent["tool"].get(key));
        assert_eq!(named, [Some(&json!("s")), Some(&json!("u"))], "by {way}");
    }
}

fn with_usage(operation: &str, [input, output]: [i64; 2]) -> Json {
    let mut attributes = json!({CHAT: operation, "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output});
    if operation == "chat" {
        attributes["gen_ai.request.model"] = "gpt-4o".into();
    }
    attributes
}

/// The input tokens that a backend of the profile adds up, by span.
fn counted<'s>(profile: &str, sent: &'s Sent) -> BTreeMap<&'s str, i64> {
    let tokens = |attributes: &BTreeMap<String, Json>| match profile {
        "langfuse" => {
            let usage = attributes.get("langfuse.observation.usage_details")?.as_str()?;
            serde_json::from_str::<Json>(usage).unwrap()["input"].as_i64()
        }
        "openinference" => attributes.get("llm.token_count.prompt")?.as_i64(),
        _ => attributes.get("gen_ai.usage.input_tokens")?.as_i64(),
    };
    sent.iter().filter_map(|(name, attributes)| Some((&name[..], tokens(attributes)?))).collect()
}

// README promise: "Where a framework and the client below it both report a call, or an agent the calls that it runs, the usage stays on the innermost span that the destinations get"
// README promise: "Tokens count once"
#[test]
fn the_usage_of_spans_that_run_calls_is_an_aggregate_wherever_the_calls_report_theirs() {
    for kind in ["invoke_agent", "invoke_workflow", "execute_tool", "retrieval", "plan"] {
        // The numbers of the outer span are not the sum of those below: it leaves out what its tool's agent used.
        let spans = [
            ("root", None, with_usage(kind, [100, 20])),
            ("call 1", Some(0), with_usage("chat", [40, 10])),
            ("call 2", Some(0), with_usage("chat", [60, 10])),
            ("tool", Some(0), json!({CHAT: "execute_tool", "gen_ai.tool.name": "t"})),
            ("agent of the tool", Some(3), with_usage("invoke_agent", [7, 3])),
            ("call 3", Some(4), with_usage("chat", [7, 3])),
        ];
        // CLS wants the sums on agents: `tencent_cls` has the tests for it.
        for profile in ["otel", "otel-1.41", "tencent", "langfuse", "openinference"] {
            for (way, sent) in each_way(&spans, profile, "each") {
                let expected = BTreeMap::from([("call 1", 40), ("call 2", 60), ("call 3", 7)]);
                assert_eq!(counted(profile, &sent), expected, "{kind}, {profile}, by {way}");
                let aggregated = sent["root"].get("gen_ai.aggregated_usage.input_tokens");
                let expected = profile.starts_with("otel").then(|| json!(100));
                assert_eq!(aggregated, expected.as_ref(), "{kind}, {profile}, by {way}");
                let texts = sent["root"].iter().filter(|(key, _)| key.contains("usage") && !key.contains("aggregated_usage"));
                assert_eq!(texts.count(), 0, "{kind}, {profile}, by {way}: {:?}", sent["root"]);
            }
        }
    }
}

#[test]
fn the_usage_of_a_span_that_runs_calls_is_its_own_where_the_calls_report_none() {
    let bare = json!({CHAT: "chat", "gen_ai.request.model": "gpt-4o"});
    for below in [vec![], vec![("call 1", Some(0), bare.clone()), ("call 2", Some(0), bare)]] {
        let mut spans = vec![("root", None, with_usage("invoke_agent", [100, 20]))];
        spans.extend(below);
        for profile in ["otel", "tencent", "langfuse", "openinference"] {
            for (way, sent) in each_way(&spans, profile, "each") {
                assert_eq!(counted(profile, &sent), BTreeMap::from([("root", 100)]), "{profile}, by {way}");
            }
        }
    }
}

// README promise: "Tokens count once"
#[test]
fn of_nested_calls_of_a_model_the_innermost_counts_if_the_numbers_are_the_same_and_each_if_not() {
    for (outer, expected) in [([57, 17], vec![("client", 57)]), ([80, 17], vec![("client", 57), ("framework", 80)])] {
        let spans = [("framework", None, with_usage("chat", outer)), ("client", Some(0), with_usage("chat", [57, 17]))];
        for (way, sent) in each_way(&spans, "otel", "each") {
            assert_eq!(counted("otel", &sent), expected.iter().copied().collect(), "by {way}");
        }
    }
}

// README promise: "Tokens count once"
#[test]
fn a_body_that_is_delivered_twice_counts_once() {
    let given = [("agent", None, with_usage("invoke_agent", [100, 20])), ("call", Some(0), with_usage("chat", [100, 20]))];
    let spans: Vec<_> = given.iter().enumerate().map(|(n, given)| span(n, given)).collect();
    let body = body(&InstrumentationScope::default(), &spans);
    let mut p = Pipeline::new(&Config::from_json(r#"{"destinations":[{"profile":"otel"}]}"#).unwrap(), 1).unwrap();
    for (delivery, expected) in [("first", BTreeMap::from([("call", 100)])), ("second", BTreeMap::new())] {
        p.ingest(&body, None, 0.0).unwrap();
        p.flush(0.0);
        let sent: Sent = sent(&p.drain_queue(0, 0.0)).collect();
        assert_eq!(counted("otel", &sent), expected, "{delivery}");
    }
    // A proxy passes it on itself, and gets it again where that failed: it is what it was.
    let mut p = Pipeline::new(&Config::from_json(r#"{"destinations":[{"profile":"otel"}]}"#).unwrap(), 1).unwrap();
    for delivery in ["first", "second"] {
        let sent: Sent = sent(&p.rewrite(&body, None, 0.0).unwrap()).collect();
        assert_eq!(counted("otel", &sent), BTreeMap::from([("call", 100)]), "{delivery}");
    }
}

#[test]
fn a_cost_counts_once_and_stays_on_the_agent_where_no_call_reports_one() {
    let cost = |mut attributes: Json, usd: f64| {
        attributes["gen_ai.usage.cost"] = usd.into();
        attributes
    };
    for call_has_cost in [false, true] {
        let call = with_usage("chat", [40, 10]);
        let call = if call_has_cost { cost(call, 0.25) } else { call };
        let spans = [("agent", None, cost(with_usage("invoke_agent", [100, 20]), 0.5)), ("call", Some(0), call)];
        for profile in ["otel", "openinference"] {
            for (way, sent) in each_way(&spans, profile, "each") {
                let costs: BTreeMap<_, _> = sent
                    .iter()
                    .filter_map(|(name, attributes)| {
                        let key = if profile == "otel" { "gen_ai.usage.cost" } else { "llm.cost.total" };
                        Some((&name[..], attributes.get(key)?.as_f64()?))
                    })
                    .collect();
                let expected = if call_has_cost { ("call", 0.25) } else { ("agent", 0.5) };
                assert_eq!(costs, BTreeMap::from([expected]), "{profile}, by {way}");
            }
        }
        // Langfuse works out a cost from the tokens of the call.
        for (way, sent) in each_way(&spans, "langfuse", "each") {
            let has_cost = |name: &str| sent[name].contains_key("langfuse.observation.cost_details");
            assert_eq!((has_cost("agent"), has_cost("call")), (false, call_has_cost), "langfuse, by {way}");
        }
    }
}
