//! Profile `tencent-cls`: every row of its table, and what the index of CLS refuses.

use crate::bodies::plain;
use crate::body::{captures, spans};
use crate::csv;
use genspan::internals::config::{Convert, Format, Profile};
use genspan::internals::profiles::write::Keep;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Rows whose key is not written, or not from what their column names.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("chat", "gen_ai.input.messages.hash", "the child of gen_ai.input.messages: the index refuses both"),
    ("retrieval", "gen_ai.retrieval.documents.count", "the child of gen_ai.retrieval.documents"),
    ("rerank", "gen_ai.rerank.input_documents.count", "the child of gen_ai.rerank.input_documents"),
    ("rerank", "gen_ai.rerank.output_documents.count", "the child of gen_ai.rerank.output_documents"),
];

/// Canonical fields that no convention fills, or that a span does not know: the fill stands there.
const UNKNOWN: &[&str] = &["-", "service.name", "metadata", "rerank.input_documents", "rerank.output_documents"];

const TRACE: &str = "0102030405060708090a0b0c0d0e0f10";

fn body(scope: &str, all: &[(&str, Option<&str>, Json)], status: Json) -> Vec<u8> {
    let value = |value: &Json| match value {
        Json::String(text) => json!({"stringValue": text}),
        Json::Number(number) if number.is_i64() => json!({"intValue": number.to_string()}),
        Json::Number(number) => json!({"doubleValue": number}),
        Json::Array(items) => json!({"arrayValue": {"values": items.iter().map(|item| json!({"stringValue": item})).collect::<Vec<_>>()}}),
        other => panic!("{other}"),
    };
    let spans: Vec<_> = all
        .iter()
        .map(|(id, parent, attributes)| {
            let attributes: Vec<_> =
                attributes.as_object().unwrap().iter().map(|(key, v)| json!({"key": key, "value": value(v)})).collect();
            json!({
                "traceId": TRACE, "spanId": id, "parentSpanId": parent.unwrap_or_default(), "name": "step of the shop", "kind": 1, "status": status,
                "startTimeUnixNano": "1795479339000000000", "endTimeUnixNano": "1795479340250000000", "attributes": attributes,
            })
        })
        .collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service", "value": {"stringValue": "shop"}}, {"key": "service.version", "value": {"stringValue": "1"}}]},
        "scopeSpans": [{"scope": {"name": scope}, "spans": spans}],
    }]})
    .to_string()
    .into_bytes()
}

fn converted(body: &[u8], keep: Option<Keep>, privacy: &str) -> Vec<u8> {
    let given = Convert::from_json(&format!(r#"{{"privacy":{privacy}}}"#)).unwrap();
    let options = Convert { profile: Profile::TENCENT_CLS, keep, to: Format::Protobuf, ..given };
    genspan::convert(body, &options).unwrap()
}

fn attributes(span: &Span) -> BTreeMap<String, Json> {
    let all: BTreeMap<_, _> = span.attributes.iter().map(|a| (a.key.clone(), plain(a.value.as_ref()))).collect();
    assert_eq!(all.len(), span.attributes.len(), "{}: a key twice", span.name);
    all
}

const ASKED: &str = r#"[{"role":"user","parts":[{"type":"text","content":"what time is it?"}]}]"#;
const ANSWERED: &str = r#"[{"role":"assistant","parts":[{"type":"text","content":"noon"}]}]"#;

/// The scope and the attributes of a span of a kind that has everything.
fn full(kind: &str) -> (&'static str, Json) {
    let people = json!({"session.id": "s-1", "user.id": "u-1", "gen_ai.input.messages": ASKED, "gen_ai.output.messages": ANSWERED});
    let usage = json!({
        "gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17, "gen_ai.usage.total_tokens": 74,
        "gen_ai.usage.cache_read.input_tokens": 32, "gen_ai.usage.cache_write.input_tokens": 5,
        "langfuse.observation.cost_details": r#"{"input":0.01,"output":0.02,"total":0.03}"#,
    });
    let (scope, own) = match kind {
        "entry" => ("opentelemetry.instrumentation.genai", json!({"gen_ai.operation.name": "invoke_workflow"})),
        "agent" => ("opentelemetry.instrumentation.genai", json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "clerk"})),
        // OTel has no word for it: only its own SDKs write it.
        "step" => ("opentelemetry.instrumentation.genai", json!({"gen_ai.span.kind": "step"})),
        "chat" => (
            "opentelemetry.instrumentation.genai",
            json!({
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18", "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.response.finish_reasons": ["stop"], "gen_ai.response.time_to_first_chunk": 0.25,
            }),
        ),
        "tool" => (
            "opentelemetry.instrumentation.genai",
            json!({
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "clock", "gen_ai.tool.call.id": "call_1",
                "gen_ai.tool.type": "extension", "gen_ai.tool.call.arguments": r#"{"zone":"CST"}"#, "gen_ai.tool.call.result": r#"{"time":"noon"}"#,
                "error.type": "timeout",
            }),
        ),
        "chain" => (
            "openinference.instrumentation.langchain",
            json!({"openinference.span.kind": "CHAIN", "input.value": "in", "output.value": "out"}),
        ),
        "retrieval" => (
            "opentelemetry.instrumentation.genai",
            json!({
                "gen_ai.operation.name": "retrieval", "gen_ai.retrieval.query.text": "clocks",
                "gen_ai.retrieval.documents": r#"[{"id":"d1","content":"a clock"}]"#,
            }),
        ),
        "rerank" => (
            "tapm.hook.langchain",
            json!({
                "gen_ai.operation.name": "rerank", "gen_ai.provider.name": "cohere", "gen_ai.request.model": "rerank-v3",
                "rerank.query": "clocks", "rerank.top_n": 3,
            }),
        ),
        other => panic!("{other}"),
    };
    let mut all = own;
    let more = if kind == "chain" { json!({"session.id": "s-1"}) } else { people };
    for part in [more, if matches!(kind, "agent" | "chat") { usage } else { json!({}) }] {
        part.as_object().unwrap().iter().for_each(|(key, value)| drop(all.as_object_mut().unwrap().insert(key.clone(), value.clone())));
    }
    (scope, all)
}

/// What a row expects of the span above.
fn expected(kind: &str, canonical: &str, fill: &str) -> Json {
    let operation = match kind {
        "entry" => "invoke_workflow",
        "agent" => "invoke_agent",
        "tool" => "execute_tool",
        "step" | "chain" => "",
        kind => kind,
    };
    match canonical {
        "kind" => kind.into(),
        "operation" => operation.into(),
        "session.id, else conversation.id" => "s-1".into(),
        "(none: trace id of the segment may serve)" => TRACE.into(),
        "user.id" => "u-1".into(),
        "messages.input (system message first; entry, agent: io.input)" => ASKED.into(),
        "messages.output" => ANSWERED.into(),
        "agent.name" => "clerk".into(),
        "usage.input (agent: usage.aggregated)" => 57.into(),
        "usage.output (agent: usage.aggregated)" => 17.into(),
        "usage.total" => 74.into(),
        "usage.cache_read" => 32.into(),
        "usage.cache_write" => 5.into(),
        "cost.input" => 0.01.into(),
        "cost.output" => 0.02.into(),
        "cost.total" => 0.03.into(),
        "request.model" if kind == "rerank" => "rerank-v3".into(),
        "request.model" => "gpt-4o-mini".into(),
        "response.model" => "gpt-4o-mini-2024-07-18".into(),
        "response.id" => "chatcmpl-1".into(),
        "finish_reasons" => json!(["stop"]),
        "provider" if kind == "rerank" => "cohere".into(),
        "provider" => "openai".into(),
        "ttft × 1000" => 250.0.into(),
        "span end − start, ms" => 1250.0.into(),
        "tool.name" => "clock".into(),
        "tool type, default function" => "extension".into(),
        "tool.call.id" => "call_1".into(),
        "tool.call.arguments" => r#"{"zone":"CST"}"#.into(),
        "tool.call.result" => r#"{"time":"noon"}"#.into(),
        "error.type" => "timeout".into(),
        "status_message" => "the clock stands still".into(),
        "span name" => "step of the shop".into(),
        "io.input" => "in".into(),
        "io.output" => "out".into(),
        "retrieval.query" | "rerank.query" => "clocks".into(),
        "retrieval.documents" => r#"[{"id":"d1","content":"a clock"}]"#.into(),
        "rerank.top_n" => 3.into(),
        canonical if UNKNOWN.contains(&canonical) => fill.into(),
        other => panic!("no expectation for {other}"),
    }
}

/// The attributes of the first span, beside a call of a model below an agent.
fn first(scope: &str, source: Json, status: Json, privacy: &str) -> BTreeMap<String, Json> {
    let call = json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17});
    let is_agent = source.get("gen_ai.operation.name").is_some_and(|name| name == "invoke_agent");
    let mut all = vec![("0102030405060708", None, source)];
    if is_agent {
        all.push(("0202030405060708", Some("0102030405060708"), call));
    }
    attributes(&spans(&converted(&body(scope, &all, status), None, privacy))[0])
}

#[test]
fn every_row_of_the_table_is_written() {
    let rows = csv::read("profile-tencent-cls.csv");
    assert_eq!(rows.len(), 112);
    for row in &rows {
        let [kind, key, canonical, fill] = [0, 1, 2, 3].map(|i| &row[i][..]);
        let (scope, source) = full(kind);
        let status = if kind == "tool" { json!({"code": 2, "message": "the clock stands still"}) } else { json!({}) };
        let found = first(scope, source, status, "{}");
        if EXCEPTIONS.iter().any(|(of, name, _)| (*of, *name) == (kind, key)) {
            assert_eq!(found.get(key), None, "{kind} {key}");
            continue;
        }
        assert_eq!(found.get(key), Some(&expected(kind, canonical, fill.trim_matches('"'))), "{kind} {key}: {found:#?}");
    }
}

/// A span of a kind that says nothing but its kind.
fn bare(kind: &str) -> (&'static str, Json) {
    let (scope, source) = full(kind);
    let of_kind = ["gen_ai.operation.name", "gen_ai.span.kind", "openinference.span.kind"];
    let mut left: BTreeMap<String, Json> = serde_json::from_value(source).unwrap();
    left.retain(|key, _| of_kind.contains(&&key[..]));
    (scope, json!(left))
}

/// Also where content is withheld: its keys stay, without the content.
#[test]
fn an_absent_value_is_filled_in() {
    let derived = ["kind", "operation", "(none: trace id of the segment may serve)", "span name", "span end − start, ms"];
    for row in csv::read("profile-tencent-cls.csv") {
        let [kind, key, canonical, fill] = [0, 1, 2, 3].map(|i| &row[i][..]);
        if EXCEPTIONS.iter().any(|(of, name, _)| (*of, *name) == (kind, key)) {
            continue;
        }
        let fill = if canonical.starts_with("tool type") { "function" } else { fill.trim_matches('"') };
        let (scope, source) = bare(kind);
        let found = first(scope, source, json!({}), "{}");
        match found.get(key) {
            Some(found) if derived.contains(&canonical) => assert_ne!(*found, json!(null), "{kind} {key}"),
            found => assert_eq!(found, Some(&fill.into()), "{kind} {key}"),
        }
        let (scope, source) = full(kind);
        let withheld = first(scope, source, json!({}), r#"{"captureContent":false}"#);
        assert!(withheld.contains_key(key), "{kind} {key} without content: {withheld:#?}");
        let text = json!(withheld).to_string();
        assert!(!["noon", "clocks", "what time", "\"in\""].iter().any(|content| text.contains(content)), "{kind}: {text}");
    }
}

/// The keys that are the parents of others.
fn parents<'k>(keys: impl Iterator<Item = &'k str> + Clone) -> Vec<String> {
    let all: Vec<&str> = keys.clone().collect();
    keys.filter(|key| all.iter().any(|other| other.starts_with(&format!("{key}.")))).map(str::to_owned).collect()
}

#[test]
fn no_key_stands_beside_its_own_child() {
    let source = json!({
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.input.messages": ASKED, "gen_ai.input.messages.hash": "abc",
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.input_tokens.cached": 2, "gen_ai.usage": r#"{"mine":1}"#, "shop": "a", "shop.id": "b",
        "shop.id.of": "c",
    });
    let plain = json!({"http.route": "/", "http.route.id": "7", "service": "shop", "service.version": "1"});
    let all = [("0102030405060708", None, source), ("0202030405060708", Some("0102030405060708"), plain)];
    let out = ExportTraceServiceRequest::decode(&converted(&body("opentelemetry.instrumentation.genai", &all, json!({})), None, "{}")[..])
        .unwrap();
    let resource = &out.resource_spans[0];
    let names: Vec<_> = resource.resource.iter().flat_map(|r| &r.attributes).map(|a| &a.key[..]).collect();
    assert_eq!(names, ["service", "service_version"]);
    let [call, other] = [0, 1].map(|at| attributes(&resource.scope_spans[0].spans[at]));
    assert_eq!((&call["shop"], &call["shop_id"], &call["shop_id_of"]), (&json!("a"), &json!("b"), &json!("c")));
    assert_eq!((&call["gen_ai_input_messages_hash"], &call["gen_ai_usage"]), (&json!("abc"), &json!(r#"{"mine":1}"#)));
    assert_eq!(parents(call.keys().map(|key| &key[..])), Vec::<String>::new());
    assert_eq!(json!(other), json!({"http.route": "/", "http_route_id": "7", "service": "shop", "service_version": "1"}));
}

#[test]
fn no_capture_has_a_key_beside_its_child() {
    for path in captures() {
        let body = std::fs::read(&path).unwrap();
        for keep in [None, Some(Keep::All)] {
            for span in spans(&converted(&body, keep, "{}")) {
                let found = attributes(&span);
                assert_eq!(parents(found.keys().map(|key| &key[..])), Vec::<String>::new(), "{path:?} {}", span.name);
            }
        }
    }
}

/// Only an agent repeats the usage of its children, and what a tool answered is its `result`.
#[test]
fn usage_of_a_workflow_and_results_of_tools() {
    let answer = r#"[{"role":"tool","parts":[{"type":"tool_call_response","id":"t1","response":"noon"}]}]"#;
    let usage = json!({"gen_ai.operation.name": "invoke_workflow", "gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17});
    let call = json!({
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17,
        "gen_ai.input.messages": answer, "gen_ai.system_instructions": r#"[{"type":"text","content":"be brief"}]"#,
    });
    let all = [("0102030405060708", None, usage), ("0202030405060708", Some("0102030405060708"), call)];
    let out = spans(&converted(&body("opentelemetry.instrumentation.genai", &all, json!({})), None, "{}"));
    let [workflow, call] = [0, 1].map(|at| attributes(&out[at]));
    assert_eq!((workflow["gen_ai.span.kind"].as_str(), workflow.get("gen_ai.usage.input_tokens")), (Some("entry"), None));
    let messages: Json = serde_json::from_str(call["gen_ai.input.messages"].as_str().unwrap()).unwrap();
    assert_eq!(messages[0], json!({"role": "system", "parts": [{"type": "text", "content": "be brief"}]}));
    assert_eq!(messages[1]["parts"], json!([{"type": "tool_call_response", "id": "t1", "result": "noon"}]));
}

#[test]
fn explain_names_the_key_that_an_attribute_moved_to() {
    // The scope's convention knows the span, which is not LLM: nothing but its keys changes.
    let source = json!({"llm": "a", "llm.chat.stop_sequences": "b"});
    let body = body("ai", &[("0102030405060708", None, source)], json!({}));
    let options = Convert { profile: Profile::TENCENT_CLS, from: Format::Json, ..Convert::default() };
    let explained: Json = serde_json::from_slice(&genspan::explain(&body, &options).unwrap()).unwrap();
    assert_eq!(explained[0]["gone"][0]["key"], "llm.chat.stop_sequences");
    assert_eq!(explained[0]["gone"][0]["by"], json!(["llm_chat_stop_sequences"]));
}
