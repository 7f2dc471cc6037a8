//! What privacy promises of the bytes that leave: an address in any place where content can stand, of several conventions, is in none
//! of them, whatever the profile and whatever stays of the source.

use crate::frames::FrameWriter;
use genspan::Pipeline;
use genspan::internals::config::{Config, Convert, Format};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

pub fn any_value(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

pub fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(any_value(value)), ..Default::default() }
}

pub fn text(key: &str, text: &str) -> KeyValue {
    attribute(key, Value::StringValue(text.into()))
}

pub fn span(name: &str, attributes: Vec<KeyValue>) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![3; 8],
        name: name.into(),
        kind: 1,
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        attributes,
        ..Default::default()
    }
}

fn event(name: &str, attributes: Vec<KeyValue>) -> Event {
    Event { name: name.into(), time_unix_nano: 5, attributes, ..Default::default() }
}

pub fn body(scope: &str, span: &Span) -> Vec<u8> {
    let scope = Some(InstrumentationScope { name: scope.into(), ..Default::default() });
    let scope_spans = vec![ScopeSpans { scope, spans: vec![span.clone()], ..Default::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }.encode_to_vec()
}

pub fn decoded(out: &[u8]) -> Span {
    let request = ExportTraceServiceRequest::decode(out).unwrap();
    request.resource_spans[0].scope_spans[0].spans[0].clone()
}

pub fn converted(scope: &str, span: &Span, options: &str) -> Span {
    let options = Convert { from: Format::Protobuf, ..Convert::from_json(options).unwrap() };
    decoded(&genspan::convert(&body(scope, span), &options).unwrap())
}

pub fn string<'s>(span: &'s Span, key: &str) -> Option<&'s str> {
    let value = span.attributes.iter().find(|a| a.key == key)?.value.as_ref()?.value.as_ref()?;
    match value {
        Value::StringValue(text) => Some(text),
        other => panic!("{key} is {other:?}"),
    }
}

/// Spans of several conventions with `secret` in each place that is content by their tables.
fn content(secret: &str) -> Vec<(&'static str, Span)> {
    // As Python writes it: an at sign need not be escaped, but may be.
    let escaped = secret.replace('@', "\\u0040");
    let twice = format!(r#"{{"args":"{{\"note\":\"{}\"}}"}}"#, escaped.replace('\\', "\\\\"));
    let messages = format!(r#"[{{"role":"user","content":"I am {escaped}"}},{{"role":"assistant","content":"hi {secret}"}}]"#);
    let langfuse = span(
        "llm",
        vec![
            text("langfuse.observation.type", "generation"),
            text("langfuse.observation.model.name", "gpt-4o-mini"),
            text("langfuse.observation.input", &messages),
            text("langfuse.observation.output", &format!(r#"{{"role":"assistant","content":"{secret}"}}"#)),
            text("langfuse.trace.input", &format!("from {secret}")),
            text("langfuse.trace.output", &messages),
        ],
    );
    let openinference = span(
        "ChatCompletion",
        vec![
            text("openinference.span.kind", "LLM"),
            text("llm.model_name", "gpt-4o-mini"),
            text("input.value", &format!(r#"{{"messages":{messages}}}"#)),
            text("input.mime_type", "application/json"),
            text("output.value", secret),
            text("llm.input_messages.0.message.role", "user"),
            text("llm.input_messages.0.message.content", &format!("I am {secret}")),
            text("llm.output_messages.0.message.role", "assistant"),
            text("llm.output_messages.0.message.contents.0.message_content.type", "text"),
            text("llm.output_messages.0.message.contents.0.message_content.text", secret),
            text("llm.output_messages.0.message.tool_calls.0.tool_call.function.name", "send"),
            text("llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments", &format!(r#"{{"to":"{escaped}"}}"#)),
            text("llm.prompt_template.template", &format!("Write to {secret}: {{x}}")),
            text("llm.prompt_template.variables", &format!(r#"{{"x":"{secret}"}}"#)),
        ],
    );
    let retriever = span(
        "search",
        vec![
            text("openinference.span.kind", "RETRIEVER"),
            text("input.value", secret),
            text("retrieval.documents.0.document.content", &format!("{secret} was here")),
            text("retrieval.documents.0.document.id", "doc-1"),
        ],
    );
    let openllmetry = span(
        "openai.chat",
        vec![
            text("gen_ai.system", "OpenAI"),
            text("gen_ai.request.model", "gpt-4o-mini"),
            text("gen_ai.prompt.0.role", "user"),
            text("gen_ai.prompt.0.content", &format!("I am {secret}")),
            text("gen_ai.completion.0.role", "assistant"),
            text("gen_ai.completion.0.content", secret),
            text("gen_ai.completion.0.tool_calls.0.name", "send"),
            text("gen_ai.completion.0.tool_calls.0.arguments", &format!(r#"{{"to":"{secret}"}}"#)),
        ],
    );
    let tool = span(
        "send.tool",
        vec![
            text("traceloop.span.kind", "tool"),
            text("traceloop.entity.name", "send"),
            text("traceloop.entity.input", &format!(r#"{{"inputs":{twice}}}"#)),
            text("traceloop.entity.output", &twice),
        ],
    );
    let vercel = span(
        "ai.generateText.doGenerate",
        vec![
            text("operation.name", "ai.generateText.doGenerate"),
            text("ai.operationId", "ai.generateText.doGenerate"),
            text("ai.model.id", "gpt-4o-mini"),
            text("ai.prompt.messages", &messages),
            text("ai.prompt", &format!(r#"{{"prompt":"{secret}"}}"#)),
            text("ai.response.text", secret),
            text("ai.response.toolCalls", &format!(r#"[{{"toolCallId":"c","toolName":"send","args":"{{\"to\":\"{secret}\"}}"}}]"#)),
        ],
    );
    let mut otel = span(
        "chat gpt-4o-mini",
        vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.request.model", "gpt-4o-mini"),
            text("gen_ai.tool.call.arguments", &format!(r#"{{"to":"{secret}"}}"#)),
            text("gen_ai.tool.call.result", secret),
        ],
    );
    otel.events = vec![
        event("gen_ai.system.message", vec![text("content", &format!("You serve {secret}"))]),
        event("gen_ai.user.message", vec![text("content", secret)]),
        event("gen_ai.choice", vec![text("message", &format!(r#"{{"content":"{escaped}"}}"#)), text("finish_reason", "stop")]),
    ];
    vec![
        ("langfuse-sdk", langfuse),
        ("openinference.instrumentation.openai", openinference),
        ("openinference.instrumentation.langchain", retriever),
        ("opentelemetry.instrumentation.openai.v1", openllmetry),
        ("traceloop.tracer", tool),
        ("ai", vercel),
        ("app", otel),
    ]
}

/// The same, and in all places that no table knows.
fn everywhere(secret: &str) -> Vec<(&'static str, Span)> {
    let mut spans = content(secret);
    for (_, span) in &mut spans {
        let nested = KeyValueList {
            values: vec![
                text("to", secret),
                attribute("list", Value::ArrayValue(ArrayValue { values: vec![any_value(Value::StringValue(format!("x {secret}")))] })),
                text(secret, "as a key"),
            ],
        };
        span.attributes.extend([
            text("my.note", &format!("ask {secret}")),
            text("langfuse.observation.metadata.note", &format!(r#"{{"{secret}":["{secret}"]}}"#)),
            // Cut off by a limit of the SDK.
            text("my.cut", &format!(r#"{{"a":"{}","b":"#, secret.replace('@', "\\u0040"))),
            text("my.python", &format!("{{'it\\'s': '{secret}', 'ok': True}}")),
            attribute("my.map", Value::KvlistValue(nested)),
            attribute("my.bytes", Value::BytesValue(secret.as_bytes().to_vec())),
            attribute("my.binary", Value::BytesValue([&[0xff], secret.as_bytes()].concat())),
        ]);
        span.events.push(event("exception", vec![text("exception.type", "E"), text("exception.message", &format!("no {secret}"))]));
        span.links.push(Link { trace_id: vec![1; 16], span_id: vec![1; 8], attributes: vec![text("why", secret)], ..Default::default() });
        span.status = Some(Status { code: 2, message: format!("refused by {secret}") });
    }
    spans
}

pub const PROFILES: [&str; 6] = ["otel", "otel-1.41", "tencent", "tencent-cls", "langfuse", "openinference"];
pub const KEEPS: [&str; 3] = ["unmapped", "all", "none"];

/// Each span in each form, as the bytes that leave.
fn outputs(spans: &[(&str, Span)], privacy: &str) -> Vec<(String, Vec<u8>)> {
    let mut outputs = Vec::new();
    for (profile, keep) in PROFILES.into_iter().flat_map(|profile| KEEPS.map(|keep| (profile, keep))) {
        let options = Convert::from_json(&format!(r#"{{"from":"protobuf","profile":"{profile}","keep":"{keep}","privacy":{privacy}}}"#));
        let options = options.unwrap();
        for (scope, span) in spans {
            outputs.push((format!("convert {profile} {keep} {scope}"), genspan::convert(&body(scope, span), &options).unwrap()));
        }
        let config = format!(
            r#"{{"destinations":[{{"profile":"{profile}","keep":"{keep}","resource":{{"token":"t","host.name":"h"}}}}],"privacy":{privacy}}}"#
        );
        let mut pipeline = Pipeline::new(&Config::from_json(&config).unwrap(), 1).unwrap();
        for (i, (scope, span)) in spans.iter().enumerate() {
            let mut span = span.clone();
            span.span_id = vec![i as u8 + 1; 8];
            let mut w = FrameWriter::new(&mut pipeline);
            let resource = w.resource(&Resource::default());
            let number = w.scope(&InstrumentationScope { name: (*scope).into(), ..Default::default() });
            w.0.start(&FrameWriter::start(&span, number), 0, 0.0).unwrap();
            let record = w.span(&span, number, resource);
            w.0.end(&record, 0, 0.0).unwrap();
            w.0.flush(0.0);
            while let Some((_, request)) = pipeline.poll(0.0) {
                let id = request.id;
                outputs.push((format!("pipeline {profile} {keep} {scope}"), request.body.to_vec()));
                pipeline.response(id, 200, None, &[], 0.0);
            }
        }
    }
    outputs
}

pub fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[test]
fn an_address_that_is_masked_is_nowhere_in_the_output() {
    let spans = everywhere("ada@example.com");
    for (form, out) in outputs(&spans, r#"{"mask":[{"detect":["email"]}]}"#) {
        // The host alone: an escaped at sign must not hide it.
        assert!(!holds(&out, "example.com"), "{form}: {}", String::from_utf8_lossy(&out));
        assert!(holds(&out, "<email>"), "{form}");
        ExportTraceServiceRequest::decode(&out[..]).unwrap();
    }
    // What the test would see otherwise.
    let plain = outputs(&spans, "{}");
    assert_eq!(plain.len(), 2 * PROFILES.len() * KEEPS.len() * spans.len());
    assert!(plain.iter().all(|(_, out)| holds(out, "example.com")));
}

#[test]
fn a_pattern_is_as_thorough_as_a_detector() {
    for (form, out) in outputs(&everywhere("Tango-9183"), r#"{"mask":[{"pattern":"(?i)tango-[0-9]+","replacement":"▇"}]}"#) {
        assert!(!holds(&out, "9183"), "{form}: {}", String::from_utf8_lossy(&out));
    }
}

#[test]
fn without_content_what_is_content_by_the_tables_is_gone_and_the_rest_stays() {
    for (form, out) in outputs(&content("Tango-9183"), r#"{"captureContent":false}"#) {
        assert!(!holds(&out, "9183"), "{form}: {}", String::from_utf8_lossy(&out));
        let has_model = !form.contains("traceloop") && !form.contains("langchain");
        assert!(holds(&out, "gpt-4o-mini") || !has_model, "{form}");
    }
}

#[test]
fn messages_stay_messages_and_what_is_not_touched_stays_as_it_was() {
    let source = span(
        "chat",
        vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.request.model", "gpt@example.com"),
            text("user.id", "ada@example.com"),
            text("gen_ai.conversation.id", "4111111111111111"),
            attribute("gen_ai.usage.input_tokens", Value::IntValue(4_111_111_111_111_111)),
            text(
                "gen_ai.input.messages",
                r#"[{"role":"user","parts":[{"type":"text","content":"深圳 ada@example.com \"or\" +1 555 123 4567"},{"type":"text","content":"caf\u00e9"}]}]"#,
            ),
        ],
    );
    let out = converted("app", &source, r#"{"privacy":{"mask":[{"detect":["email","phone","card","key"]}]}}"#);
    assert_eq!(
        string(&out, "gen_ai.input.messages").unwrap(),
        r#"[{"role":"user","parts":[{"type":"text","content":"深圳 <email> \"or\" <phone>"},{"type":"text","content":"café"}]}]"#
    );
    // Names, ids and numbers are masked where a rule names their keys.
    assert_eq!(string(&out, "gen_ai.request.model"), Some("gpt@example.com"));
    assert_eq!(string(&out, "user.id"), Some("ada@example.com"));
    assert_eq!(string(&out, "gen_ai.conversation.id"), Some("4111111111111111"));
    let out = converted("app", &source, r#"{"privacy":{"mask":[{"keys":["user.*"],"detect":["email"]},{"keys":["*.input_tokens"]}]}}"#);
    assert_eq!(string(&out, "user.id"), Some("<email>"));
    assert_eq!(string(&out, "gen_ai.usage.input_tokens"), Some("<masked>"));
    assert!(string(&out, "gen_ai.input.messages").unwrap().contains("ada@example.com"));
}

#[test]
fn a_pattern_that_matches_everything_leaves_the_build_of_a_message() {
    let source = span(
        "chat",
        vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"all of it"}]}]"#),
        ],
    );
    let out = converted("app", &source, r#"{"privacy":{"mask":[{"pattern":"(?s).+"}]}}"#);
    assert_eq!(string(&out, "gen_ai.input.messages"), Some(r#"[{"role":"user","parts":[{"type":"text","content":"<masked>"}]}]"#));
    assert_eq!(string(&out, "gen_ai.operation.name"), Some("chat"));
}

#[test]
fn keys_hold_on_spans_of_every_library_and_rules_without_keys_on_llm_spans() {
    let http = span("GET /", vec![text("url.full", "https://x/?token=abc"), text("http.route", "/u/ada@example.com")]);
    let options = r#"{"privacy":{"mask":[{"detect":["email"]},{"keys":["url.*"],"pattern":"token=[a-z]+","replacement":"token=…"}]}}"#;
    let out = converted("http", &http, options);
    assert_eq!(string(&out, "url.full"), Some("https://x/?token=…"));
    assert_eq!(string(&out, "http.route"), Some("/u/ada@example.com"));
}

#[test]
fn long_numbers_of_json_are_looked_at_and_short_ones_are_not() {
    let arguments =
        r#"{"card":4111111111111111,"n":13800138000,"x":-13800138000,"y":0.4111111111111111,"t":1795479339000,"list":[13800138000,5]}"#;
    let source = span("tool", vec![text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.call.arguments", arguments)]);
    let out = converted("app", &source, r#"{"privacy":{"mask":[{"detect":["phone","card"]}]}}"#);
    assert_eq!(
        string(&out, "gen_ai.tool.call.arguments").unwrap(),
        r#"{"card":"<card>","n":"<phone>","x":-13800138000,"y":0.4111111111111111,"t":1795479339000,"list":["<phone>",5]}"#
    );
}

#[test]
fn a_whole_value_stays_json_where_it_was() {
    let source = span(
        "chat",
        vec![text("gen_ai.operation.name", "chat"), text("gen_ai.input.messages", r#"[{"role":"user","content":"x"}]"#), text("note", "x")],
    );
    let out = converted("app", &source, r#"{"privacy":{"mask":[{"keys":["gen_ai.input.*","note"]}]}}"#);
    assert_eq!(string(&out, "gen_ai.input.messages"), Some("\"<masked>\""));
    assert_eq!(string(&out, "note"), Some("<masked>"));
}

#[test]
fn what_cannot_be_searched_is_replaced() {
    // Longer than a pattern is tried on.
    let long = "a".repeat((1 << 20) + 1);
    let source =
        span("chat", vec![text("gen_ai.operation.name", "chat"), text("note", &long), attribute("raw", Value::BytesValue(vec![0xff]))]);
    let first = converted("app", &source, r#"{"privacy":{"mask":[{"pattern":"secret"}],"maxAttributeBytes":0}}"#);
    assert_eq!(string(&first, "note"), Some("<masked: rule 0: too long to search>"));
    // Short, but each letter makes it look to the end for what it would rather match.
    let source = span("chat", vec![text("gen_ai.operation.name", "chat"), text("note", &"a".repeat(100_000))]);
    let out = converted("app", &source, r#"{"privacy":{"mask":[{"pattern":"a[^b]*b|a"}]}}"#);
    assert_eq!(string(&out, "note"), Some("<masked: rule 0: too long to search>"));
    let raw = first.attributes.iter().find(|a| a.key == "raw").unwrap();
    assert_eq!(raw.value, Some(any_value(Value::BytesValue(b"<masked: bytes>".to_vec()))));
}

#[test]
fn each_destination_has_its_own_and_all_is_counted() {
    let config = r#"{"destinations":[{"name":"a"},{"name":"b","privacy":{"captureContent":false}},{"name":"c"}],
        "privacy":{"mask":[{"detect":["email"]}]}}"#;
    let mut pipeline = Pipeline::new(&Config::from_json(config).unwrap(), 1).unwrap();
    let mut w = FrameWriter::new(&mut pipeline);
    let (resource, scope) = (w.resource(&Resource::default()), w.scope(&InstrumentationScope::default()));
    let source = span(
        "chat",
        vec![text("gen_ai.operation.name", "chat"), text("gen_ai.input.messages", r#"[{"role":"user","content":"ada@example.com"}]"#)],
    );
    let record = w.span(&source, scope, resource);
    w.0.end(&record, 0, 0.0).unwrap();
    pipeline.flush(0.0);
    let mut messages = Vec::new();
    while let Some((destination, request)) = pipeline.poll(0.0) {
        messages.push((destination, string(&decoded(request.body), "gen_ai.input.messages").map(str::to_owned)));
    }
    messages.sort();
    let masked = r#"[{"role":"user","parts":[{"type":"text","content":"<email>"}]}]"#;
    assert_eq!(messages, [(0, Some(masked.to_owned())), (1, None), (2, Some(masked.to_owned()))]);
    // `a` and `c` share their bytes.
    let stats = serde_json::to_value(pipeline.stats()).unwrap();
    let counts = ["masked", "maskFailed", "mediaReplaced", "truncated", "contentDropped"].map(|name| stats[name].as_u64().unwrap());
    assert_eq!(counts, [1, 0, 0, 0, 1]);
}

#[test]
fn explain_says_it() {
    let source = span(
        "chat",
        vec![text("gen_ai.operation.name", "chat"), text("langfuse.observation.input", "ada@example.com"), text("note", &"x".repeat(200))],
    );
    let explained = |privacy: &str| -> serde_json::Value {
        let options = Convert::from_json(&format!(r#"{{"from":"protobuf","privacy":{privacy}}}"#)).unwrap();
        serde_json::from_slice(&genspan::explain(&body("langfuse-sdk", &source), &options).unwrap()).unwrap()
    };
    let of = |list: &serde_json::Value, key: &str| list.as_array().unwrap().iter().find(|a| a["key"] == key).unwrap()["privacy"].clone();
    let all = explained(r#"{"mask":[{"detect":["email"]}],"maxAttributeBytes":64}"#);
    assert_eq!(of(&all[0]["attributes"], "gen_ai.input.messages"), "masked");
    assert_eq!(of(&all[0]["attributes"], "note"), "truncated");
    assert_eq!(of(&all[0]["attributes"], "gen_ai.operation.name"), serde_json::Value::Null);
    let all = explained(r#"{"captureContent":false}"#);
    assert_eq!(of(&all[0]["gone"], "langfuse.observation.input"), "dropped");
}
