//! What makes a span LLM: an operation or a kind that says so; a model with usage, messages or a finish reason; messages. What an LLM library
//! does besides goes out as it came. Each sample stands above a chat, by every way into the core.

use crate::bodies::plain;
use crate::body::attributes;
use crate::frames::FrameWriter;
use genspan::Pipeline;
use genspan::internals::config::{Config, Convert, Format};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Scope, name and attributes of a span.
type Sample = (&'static str, &'static str, Json);

const PROFILES: [&str; 5] = [
    r#"{"profile":"otel"}"#,
    r#"{"profile":"otel","keep":"none"}"#,
    r#"{"profile":"tencent"}"#,
    r#"{"profile":"langfuse"}"#,
    r#"{"profile":"openinference"}"#,
];

fn key_values(attributes: &Json) -> Vec<KeyValue> {
    fn value(json: &Json) -> AnyValue {
        let value = match json {
            Json::String(text) => Value::StringValue(text.clone()),
            Json::Bool(bool) => Value::BoolValue(*bool),
            Json::Number(n) => n.as_i64().map_or_else(|| Value::DoubleValue(n.as_f64().unwrap()), Value::IntValue),
            Json::Array(items) => Value::ArrayValue(ArrayValue { values: items.iter().map(value).collect() }),
            other => panic!("{other}"),
        };
        AnyValue { value: Some(value) }
    }
    let members = attributes.as_object().unwrap().iter();
    members.map(|(key, json)| KeyValue { key: key.clone(), value: Some(value(json)), ..Default::default() }).collect()
}

fn span(id: u8, parent: u8, name: &str, attributes: &Json) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { vec![] } else { vec![parent; 8] },
        flags: 0x101,
        name: name.into(),
        kind: 3,
        start_time_unix_nano: 1_795_479_339_000_000_000 + u64::from(id),
        end_time_unix_nano: 1_795_479_340_000_000_000 - u64::from(id),
        attributes: key_values(attributes),
        ..Default::default()
    }
}

/// The span of a sample, and a chat below it.
fn trace((scope, name, attributes): &Sample) -> [(String, Span); 2] {
    let chat = json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 7,
    });
    [((*scope).into(), span(1, 0, name, attributes)), ("my.app".into(), span(2, 1, "chat gpt-4o-mini", &chat))]
}

fn body(spans: &[(String, Span)]) -> Vec<u8> {
    let scope_spans = spans.iter().map(|(scope, span)| ScopeSpans {
        scope: Some(InstrumentationScope { name: scope.clone(), ..Default::default() }),
        spans: vec![span.clone()],
        ..Default::default()
    });
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans: scope_spans.collect(), ..Default::default() }] }
        .encode_to_vec()
}

/// The spans of bodies, by their ids.
fn found(bodies: &[Vec<u8>]) -> Attributes {
    let spans = bodies.iter().flat_map(|body| crate::bodies::spans(body));
    spans.map(|span| (span.span_id[0], attributes(&span))).collect()
}

/// What a pipeline sends.
fn drained(p: &mut Pipeline) -> Vec<Vec<u8>> {
    p.flush(1.0);
    std::iter::from_fn(|| p.poll(1.0).map(|(_, transmit)| transmit.body.to_vec())).collect()
}

/// The attributes of each span, by the first byte of its id.
type Attributes = BTreeMap<u8, BTreeMap<String, Json>>;

/// What comes out of spans by each way into the core: `convert`, bodies, one body for each span, and frames, whose spans start with all
/// their attributes or with none.
fn ways(spans: &[(String, Span)], destination: &str) -> Vec<(&'static str, Attributes)> {
    let config = destination.replace(r#""tencent""#, r#""tencent","token":"t","hostName":"h","serviceName":"shop""#);
    let pipeline = || Pipeline::new(&Config::from_json(&format!(r#"{{"destinations":[{config}]}}"#)).unwrap(), 1).unwrap();
    let options = Convert { to: Format::Protobuf, ..Convert::from_json(destination).unwrap() };
    let converted = genspan::convert(&body(spans), &options).unwrap();
    let mut out = vec![("convert", found(&[converted]))];
    let mut p = pipeline();
    p.ingest(&body(spans), None, 0.0).unwrap();
    out.push(("a body", found(&drained(&mut p))));
    let mut p = pipeline();
    for one in spans.iter().rev() {
        p.ingest(&body(std::slice::from_ref(one)), None, 0.0).unwrap();
    }
    out.push(("bodies", found(&drained(&mut p))));
    for (way, early) in [("frames", true), ("frames, attributes late", false)] {
        let mut p = pipeline();
        let mut w = FrameWriter::new(&mut p);
        let resource = w.resource(&Resource::default());
        let scopes: Vec<_> =
            spans.iter().map(|(name, _)| w.scope(&InstrumentationScope { name: name.clone(), ..Default::default() })).collect();
        for ((_, span), &scope) in spans.iter().zip(&scopes) {
            let record = if early { w.start_with(span, scope, &[]) } else { FrameWriter::start(span, scope) };
            w.0.start(&record, 0, 0.0).unwrap();
        }
        for ((_, span), &scope) in spans.iter().zip(&scopes).rev() {
            let record = w.span(span, scope, resource);
            w.0.end(&record, 0, 0.0).unwrap();
        }
        out.push((way, found(&drained(&mut p))));
    }
    out
}

fn entries(spans: &BTreeMap<u8, BTreeMap<String, Json>>) -> Vec<u8> {
    // Each profile has a key of its own for it.
    let marked = |attributes: &BTreeMap<String, Json>| attributes.iter().any(|(key, mark)| key.ends_with("is_entry") && mark != false);
    spans.iter().filter(|(_, attributes)| marked(attributes)).map(|(id, _)| *id).collect()
}

/// What an LLM library does besides asking a model.
fn plain_samples() -> Vec<Sample> {
    let mut samples = vec![
        // The methods of Anthropic's client, which says the provider and the conversation on each of them.
        (
            "com.anthropic.sdk.python",
            "anthropic.models.list",
            json!({"gen_ai.provider.name": "anthropic", "gen_ai.conversation.id": "c-1"}),
        ),
        (
            "com.anthropic.sdk.python",
            "anthropic.messages.count_tokens",
            json!({"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-x", "anthropic.message.count_tokens.input_tokens": 12}),
        ),
        ("com.anthropic.sdk.typescript", "anthropic.files.upload", json!({"gen_ai.provider.name": "anthropic", "server.address": "x"})),
        (
            "com.anthropic.sdk.typescript",
            "anthropic.sessions.create",
            json!({"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-x", "gen_ai.agent.id": "agent_1"}),
        ),
        (
            "com.anthropic.sdk.python",
            "anthropic.environment.work",
            json!({"gen_ai.provider.name": "anthropic", "anthropic.environment.id": "e"}),
        ),
        // Envoy's gateway counts tokens; the count is not usage.
        (
            "envoyproxy/ai-gateway",
            "CountTokens",
            json!({"openinference.span.kind": "TOKEN_COUNTER", "llm.model_name": "claude-x", "llm.system": "anthropic", "llm.token_count.prompt": 12}),
        ),
        (
            "envoyproxy/ai-gateway",
            "Tokenize",
            json!({"gen_ai.operation.name": "tokenize", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 12}),
        ),
        // LiteLLM's proxy.
        (
            "litellm",
            "litellm.moderation",
            json!({"gen_ai.operation.name": "litellm.moderation", "gen_ai.request.model": "omni-moderation", "gen_ai.usage.input_tokens": 12}),
        ),
        ("litellm", "vector stores", json!({"gen_ai.operation.name": "litellm.vector_store_management", "gen_ai.provider.name": "openai"})),
        ("litellm", "route gpt-4o", json!({"litellm.call_id": "1"})),
        ("litellm", "auth /chat/completions", json!({})),
        // One attempt of a call, above the call itself.
        (
            "pydantic-ai",
            "model request attempt gpt-4o",
            json!({"gen_ai.response.model": "gpt-4o", "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 7}),
        ),
        (
            "openrouter",
            "provider attempt 1: example.org",
            json!({"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.output_tokens": 7}),
        ),
        ("ai-gateway", "vercel.ai_gateway.routing", json!({"gen_ai.request.model": "gpt-4o"})),
        ("ai-gateway", "gpt-4o (openai)", json!({"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"})),
        // The accounts of a run.
        (
            "openclaw",
            "openclaw.model.usage",
            json!({"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 7}),
        ),
        // A model by itself, under the key of several conventions.
        ("my.app", "models.retrieve", json!({"gen_ai.request.model": "text-embedding-3-small"})),
        ("my.app", "models.retrieve", json!({"openinference.span.kind": "", "llm.model_name": "gpt-4o", "gen_ai.system": "openai"})),
        ("ai", "resolve model", json!({"ai.model.id": "gpt-4o", "ai.model.provider": "openai.chat"})),
        ("my.app", "model", json!({"langfuse.observation.model.name": "gpt-4o"})),
        // A number of tokens without a model.
        ("my.app", "splitter", json!({"gen_ai.usage.input_tokens": 12})),
        ("opentelemetry.instrumentation.openai", "splitter", json!({"llm.usage.total_tokens": 12})),
        ("openinference.instrumentation.openai", "splitter", json!({"llm.token_count.prompt": 12})),
    ];
    // A provider by itself.
    for (scope, key) in [
        ("my.app", "gen_ai.system"),
        ("my.app", "gen_ai.provider.name"),
        ("opentelemetry.instrumentation.openai.v1", "gen_ai.system"),
        ("openinference.instrumentation.openai", "llm.system"),
        ("openinference.instrumentation.openai", "llm.provider"),
        ("ai", "ai.model.provider"),
        ("opentelemetry.instrumentation.langchain", "ls_provider"),
    ] {
        samples.push((scope, "client.models.list", json!({key: "openai", "server.address": "api.openai.com", "server.port": 443})));
    }
    // Operations that ask no model, though the span says a model and a provider.
    for operation in ["count_tokens", "TOKEN_COUNTER", "tokenize", "moderation", "list_models", "upload_file", "create_batch"] {
        let own = json!({"gen_ai.operation.name": operation, "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"});
        samples.push(("my.app", "request", own));
    }
    samples
}

#[test]
fn what_an_llm_library_does_besides_goes_out_as_it_came() {
    for sample in plain_samples() {
        for destination in PROFILES {
            for (way, out) in ways(&trace(&sample), destination) {
                let about = format!("{sample:?}, {destination}, {way}");
                let source: BTreeMap<_, _> = key_values(&sample.2).into_iter().map(|a| (a.key, plain(a.value.as_ref()))).collect();
                assert_eq!(out[&1], source, "{about}");
                assert_eq!(entries(&out), [2], "{about}");
            }
            for (way, out) in ways(&trace(&sample)[..1], destination) {
                assert!(entries(&out).is_empty(), "alone: {sample:?}, {destination}, {way}");
            }
        }
    }
}

#[test]
fn an_operation_or_a_kind_a_model_that_was_used_or_messages_make_a_span_llm() {
    let messages = r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#;
    let model = |key: &str, value: Json| json!({"gen_ai.request.model": "gpt-4o", key: value});
    let samples: Vec<Sample> = vec![
        ("my.app", "x", json!({"gen_ai.operation.name": "chat"})),
        ("my.app", "x", json!({"gen_ai.operation.name": "invoke_agent"})),
        ("my.app", "x", json!({"gen_ai.operation.name": "decide", "gen_ai.request.model": "m"})),
        ("my.app", "x", json!({"openinference.span.kind": "CHAIN"})),
        ("my.app", "x", json!({"traceloop.span.kind": "workflow"})),
        ("my.app", "x", json!({"gen_ai.span.kind": "AGENT"})),
        ("ai", "x", json!({"ai.operationId": "ai.generateText"})),
        ("my.app", "x", model("gen_ai.usage.output_tokens", json!(7))),
        ("my.app", "x", model("gen_ai.usage.input_tokens", json!(7))),
        ("my.app", "x", model("gen_ai.response.finish_reasons", json!(["stop"]))),
        ("my.app", "x", model("gen_ai.input.messages", json!(messages))),
        ("my.app", "x", json!({"gen_ai.output.messages": messages})),
        ("my.app", "x", json!({"gen_ai.operation.name": "my_own_word", "gen_ai.request.model": "m", "gen_ai.usage.output_tokens": 7})),
        // An observation of Langfuse is a span where it says nothing else.
        ("langfuse-sdk", "x", json!({"langfuse.observation.type": "span"})),
        ("langfuse-sdk", "x", json!({})),
        // What says a kind is not overruled by a name.
        ("my.app", "anthropic.messages.count_tokens", json!({"openinference.span.kind": "AGENT"})),
    ];
    for sample in samples {
        for (way, out) in ways(&trace(&sample), PROFILES[0]) {
            assert_eq!(entries(&out), [1], "{sample:?}, {way}");
        }
    }
}

/// They judge what was done elsewhere: the model that one of them asks is the outermost of its segment.
#[test]
fn an_evaluator_or_a_guardrail_opens_no_segment() {
    let samples: Vec<Sample> = vec![
        ("my.app", "judge", json!({"openinference.span.kind": "EVALUATOR"})),
        ("my.app", "guard", json!({"openinference.span.kind": "GUARDRAIL"})),
        ("my.app", "judge", json!({"langfuse.observation.type": "evaluator"})),
        ("my.app", "guard", json!({"langfuse.observation.type": "guardrail"})),
        ("langfuse-sdk", "judge", json!({"langfuse.observation.type": "evaluator"})),
        ("my.app", "judge", json!({"gen_ai.operation.name": "evaluate"})),
        ("my.app", "guard", json!({"gen_ai.operation.name": "guardrail"})),
    ];
    for sample in samples {
        let [judge, (scope, mut chat)] = trace(&sample);
        for (way, out) in ways(&[judge.clone(), (scope.clone(), chat.clone())], r#"{"profile":"tencent"}"#) {
            // Live, an observation of Langfuse whose type comes late was taken for one that opens a segment when the chat ended.
            if !(sample.0 == "langfuse-sdk" && way == "frames, attributes late") {
                assert_eq!(entries(&out), [2], "{sample:?}, {way}");
            }
            assert_eq!(out[&1]["gen_ai.span.kind"], "TASK", "{sample:?}, {way}");
        }
        for (way, out) in ways(std::slice::from_ref(&judge), r#"{"profile":"tencent"}"#) {
            assert!(entries(&out).is_empty(), "alone: {sample:?}, {way}");
        }
        // Inside a segment it is a member like others.
        let agent = ("my.app".into(), span(3, 0, "agent", &json!({"gen_ai.operation.name": "invoke_agent"})));
        let [mut judge] = [judge];
        (judge.1.parent_span_id, chat.parent_span_id) = (vec![3; 8], vec![1; 8]);
        for (way, out) in ways(&[agent, judge, (scope, chat)], PROFILES[0]) {
            assert_eq!(entries(&out), [3], "inside: {sample:?}, {way}");
        }
    }
}

#[test]
fn a_mark_counts_on_a_plain_span_of_an_llm_library_and_a_secret_goes() {
    let attributes =
        json!({"gen_ai.provider.name": "openai", "gen_ai.is_entry": "true", "metadata.user_api_key_hash": "h", "url.path": "/v1/models"});
    for (way, out) in ways(&trace(&("litellm", "models", attributes)), PROFILES[0]) {
        let expected = json!({"gen_ai.provider.name": "openai", "gen_ai.is_entry": true, "url.path": "/v1/models"});
        assert_eq!((entries(&out), json!(out[&1])), (vec![1], expected), "{way}");
    }
}

/// A span of an LLM library that runs may turn out to be LLM: what waits below it waits for its end, and a request that is made inside
/// it counts as made inside a segment.
#[test]
fn while_it_runs_a_span_of_an_llm_library_may_be_llm() {
    let work: Sample = ("com.anthropic.sdk.python", "anthropic.environment.work", json!({"gen_ai.provider.name": "anthropic"}));
    let mut p = Pipeline::new(&Config::from_json(r#"{"destinations":[{}]}"#).unwrap(), 1).unwrap();
    let mut w = FrameWriter::new(&mut p);
    let resource = w.resource(&Resource::default());
    let spans = trace(&work);
    let scope = w.scope(&InstrumentationScope { name: spans[0].0.clone(), ..Default::default() });
    for (_, span) in &spans {
        let record = w.start_with(span, scope, &[]);
        w.0.start(&record, 0, 0.0).unwrap();
    }
    assert_eq!(w.0.segment([7; 16], [1; 8]), Some([1; 8]));
    let record = w.span(&spans[1].1, scope, resource);
    w.0.end(&record, 0, 0.0).unwrap();
    assert_eq!(w.0.stats().held, 1);
    let record = w.span(&spans[0].1, scope, resource);
    w.0.end(&record, 0, 0.0).unwrap();
    assert_eq!((w.0.stats().held, w.0.stats().entries), (0, 1));
    assert_eq!(p.segment([7; 16], [1; 8]), None);
}
