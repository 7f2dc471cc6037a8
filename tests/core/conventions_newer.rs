//! Whole spans of gateways and of SDKs that trace by themselves, as their documentation and sources describe them: written by hand, since no
//! program that sends them could be run here. What goes out for each under the profile `otel`, and what several spans of one call become.

use crate::bodies::plain;
use crate::conventions_platforms::becomes;
use genspan::Pipeline;
use genspan::internals::config::{Config, Convert, Format};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Scope, name, place of the parent (from 1; 0: none), attributes.
type Given = (&'static str, &'static str, u8, Json);
type Sent = BTreeMap<String, BTreeMap<String, Json>>;

fn any(json: &Json) -> AnyValue {
    let value = match json {
        Json::Bool(b) => Value::BoolValue(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::DoubleValue(n.as_f64().unwrap()), Value::IntValue),
        Json::String(s) => Value::StringValue(s.clone()),
        Json::Array(items) => Value::ArrayValue(ArrayValue { values: items.iter().map(any).collect() }),
        other => panic!("no attribute: {other}"),
    };
    AnyValue { value: Some(value) }
}

fn key_values(json: &Json) -> Vec<KeyValue> {
    json.as_object().unwrap().iter().map(|(key, v)| KeyValue { key: key.clone(), value: Some(any(v)), ..Default::default() }).collect()
}

fn body(resource: Json, given: &[Given]) -> Vec<u8> {
    let span = |(i, (scope, name, parent, attributes)): (usize, &Given)| ScopeSpans {
        scope: Some(InstrumentationScope { name: (*scope).into(), ..Default::default() }),
        spans: vec![Span {
            trace_id: vec![7; 16],
            span_id: vec![i as u8 + 1; 8],
            parent_span_id: if *parent == 0 { vec![] } else { vec![*parent; 8] },
            name: (*name).into(),
            start_time_unix_nano: 1_795_479_339_000_000_000 + i as u64,
            end_time_unix_nano: 1_795_479_340_000_000_000 - i as u64,
            attributes: key_values(attributes),
            ..Default::default()
        }],
        ..Default::default()
    };
    let resource = Some(Resource { attributes: key_values(&resource), ..Default::default() });
    let scope_spans = given.iter().enumerate().map(span).collect();
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { resource, scope_spans, ..Default::default() }] }.encode_to_vec()
}

fn sent(body: &[u8]) -> Sent {
    let attributes = |span: &Span| span.attributes.iter().map(|a| (a.key.clone(), plain(a.value.as_ref()))).collect();
    crate::bodies::spans(body).iter().map(|span| (span.name.clone(), attributes(span))).collect()
}

fn pipeline() -> Pipeline {
    Pipeline::new(&Config::from_json(r#"{"destinations":[{"profile":"otel"}]}"#).unwrap(), 1).unwrap()
}

/// What goes out, by a relay and by `convert`.
fn each_way(resource: Json, given: &[Given]) -> [Sent; 2] {
    let body = body(resource, given);
    let mut p = pipeline();
    p.ingest(&body, None, 0.0).unwrap();
    p.flush(0.0);
    [sent(&p.drain_queue(0, 0.0)), sent(&genspan::convert(&body, &Convert { from: Format::Protobuf, ..Default::default() }).unwrap())]
}

/// The spans that are entries, and the input tokens by the span that has them.
fn entries_and_tokens(sent: &Sent) -> (Vec<&str>, Vec<(&str, i64)>) {
    let has_mark = |(_, attributes): &(&String, &BTreeMap<String, Json>)| attributes.get("gen_ai.is_entry") == Some(&json!(true));
    let entries = sent.iter().filter(has_mark).map(|(name, _)| &name[..]).collect();
    let tokens = sent.iter().filter_map(|(name, a)| Some((&name[..], a.get("gen_ai.usage.input_tokens")?.as_i64()?))).collect();
    (entries, tokens)
}

#[test]
fn anthropic_s_sdk_traces_calls_tools_and_management() {
    becomes(
        "com.anthropic.sdk.python",
        "anthropic.messages.create",
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-5",
            "anthropic.message.stop_reason": "end_turn", "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 7,
            "gen_ai.usage.input_tokens": 57, "gen_ai.usage.cache_write.input_tokens": 7, "gen_ai.usage.output_tokens": 17,
            "gen_ai.input.messages": r#"[{"role":"user","parts":[{"type":"text","content":"noon?"},{"type":"anthropic_image"}]}]"#,
        }),
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-5",
            "gen_ai.response.finish_reasons": ["stop"], "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 7,
            "gen_ai.usage.input_tokens": 57, "gen_ai.usage.cache_write.input_tokens": 7, "gen_ai.usage.output_tokens": 17,
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "noon?"}, {"type": "anthropic_image"}]}],
        }),
    );
    let management =
        json!({"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-5", "gen_ai.conversation.id": "c-1"});
    for name in ["anthropic.models.list", "anthropic.messages.count_tokens", "anthropic.sessions.create", "anthropic.files.upload"] {
        for sent in each_way(json!({}), &[("com.anthropic.sdk.python", name, 0, management.clone())]) {
            assert_eq!(json!(sent[name]), management, "{name}");
        }
    }
}

#[test]
fn openrouter_s_broadcast_says_its_prompt_three_times_and_its_answer_in_one_object() {
    let prompt = json!({"messages": [{"role": "user", "content": "hi"}]}).to_string();
    let call = json!([{"id": "t1", "function": {"name": "clock", "arguments": "{}"}}]);
    let answer = json!({"completion": "hello", "reasoning": "short", "toolCalls": call}).to_string();
    let root = json!({
        "span.type": "generation", "gen_ai.request.model": "openai/gpt-4o", "gen_ai.prompt": prompt, "trace.input": prompt, "span.input": prompt,
        "gen_ai.completion": answer, "trace.output": answer, "span.output": answer, "gen_ai.response.finish_reasons": r#"["stop"]"#,
        "gen_ai.usage.input_tokens": 57, "gen_ai.usage.input_tokens.cached": 32, "gen_ai.usage.output_tokens": 17,
        "gen_ai.usage.output_tokens.reasoning": 8, "gen_ai.usage.total_cost": 0.25, "trace.metadata.openrouter.first_token_ms": 250.0,
        "trace.metadata.team": "a",
    });
    let attempt = json!({"gen_ai.provider.name": "openai", "gen_ai.request.model": "openai/gpt-4o", "gen_ai.usage.input_tokens": 57});
    let given = [("openrouter", "LLM Generation", 0, root), ("openrouter", "provider attempt 1: openai", 1, attempt.clone())];
    for sent in each_way(json!({"service.name": "openrouter"}), &given) {
        assert_eq!(entries_and_tokens(&sent), (vec!["LLM Generation"], vec![("LLM Generation", 57), ("provider attempt 1: openai", 57)]));
        assert_eq!(json!(sent["provider attempt 1: openai"]), attempt, "a plain span goes out as it came");
        let root = &sent["LLM Generation"];
        let parsed = |key: &str| serde_json::from_str::<Json>(root[key].as_str().unwrap()).unwrap();
        assert_eq!(parsed("gen_ai.input.messages"), json!([{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]));
        let parts = parsed("gen_ai.output.messages")[0]["parts"].clone();
        for part in [
            json!({"type": "text", "content": "hello"}),
            json!({"type": "reasoning", "content": "short"}),
            json!({"type": "tool_call", "id": "t1", "name": "clock", "arguments": {}}),
        ] {
            assert!(parts.as_array().unwrap().contains(&part), "{part} in {parts}");
        }
        let others: Vec<_> =
            root.iter().filter(|(key, _)| !key.contains("messages")).map(|(key, value)| (&key[..], value.clone())).collect();
        assert_eq!(
            others,
            [
                ("gen_ai.is_entry", json!(true)),
                ("gen_ai.operation.name", json!("chat")),
                ("gen_ai.provider.name", json!("openai")),
                ("gen_ai.request.model", json!("openai/gpt-4o")),
                ("gen_ai.response.finish_reasons", json!(["stop"])),
                ("gen_ai.response.time_to_first_chunk", json!(0.25)),
                ("gen_ai.usage.cache_read.input_tokens", json!(32)),
                ("gen_ai.usage.cost", json!(0.25)),
                ("gen_ai.usage.input_tokens", json!(57)),
                ("gen_ai.usage.output_tokens", json!(17)),
                ("gen_ai.usage.reasoning.output_tokens", json!(8)),
                ("trace.metadata.team", json!("a")),
            ]
        );
    }
}

#[test]
fn gateways_report_calls_in_words_of_their_own() {
    let usage = json!({"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17});
    let with = |more: Json| {
        let mut all = usage.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let message = r#"[{"role":"user","content":"hi"}]"#;
    let read = json!([{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]);
    becomes(
        "",
        "ai-gateway",
        with(json!({"gen_ai.model.provider": "openai", "gen_ai.prompt_json": message, "gen_ai.usage.cost": 0.25})),
        with(
            json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.input.messages": read, "gen_ai.usage.cost": 0.25}),
        ),
    );
    becomes(
        "litellm",
        "chat gpt-4o",
        with(json!({
            "gen_ai.operation.name": "chat", "gen_ai.input.messages": message, "gen_ai.tool.0.name": "clock", "gen_ai.tool.0.parameters": "{}",
            "litellm.cost.total": 0.25, "litellm.api_key.hash": "abc", "litellm.request.streaming": true, "litellm.cache_hit": false,
        })),
        with(json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.input.messages": read, "gen_ai.usage.cost": 0.25,
            "gen_ai.tool.definitions": [{"type": "function", "name": "clock", "parameters": {}}], "gen_ai.request.stream": true,
            "litellm.cache_hit": false,
        })),
    );
    becomes(
        "envoyproxy/ai-gateway",
        "chat gpt-4o",
        with(json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "aws.anthropic",
            "gen_ai.input.messages": r#"[{"role":"tool","parts":[{"type":"tool_call_response","id":"t1","content":"noon"}]}]"#,
        })),
        with(json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "aws.bedrock",
            "gen_ai.input.messages": [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": "noon"}]}],
        })),
    );
    // What they do besides is plain.
    for (scope, name, attributes) in [
        (
            "envoyproxy/ai-gateway",
            "CountTokens",
            json!({"openinference.span.kind": "TOKEN_COUNTER", "llm.model_name": "m", "llm.token_count.prompt": 12}),
        ),
        ("agentgateway", "GET /*", json!({"http.route": "/*"})),
        ("litellm", "x", json!({"gen_ai.operation.name": "litellm.moderation", "gen_ai.request.model": "m"})),
        (
            "app",
            "gpt-4o (openai)",
            json!({"vercel.ai_gateway.attempt.provider_response_id": "r", "gen_ai.request.model": "m", "gen_ai.provider.name": "openai"}),
        ),
        ("mistralai_sdk_tracer", "list_models_v1_models_get", json!({"agent.trace.public": "", "http.url": "https://api.mistral.ai"})),
    ] {
        for sent in each_way(json!({}), &[(scope, name, 0, attributes.clone())]) {
            assert_eq!(json!(sent[name]), attributes, "{scope} {name}");
        }
    }
}

#[test]
fn a_resource_tells_a_source_whose_scope_does_not() {
    let call = json!({"gen_ai.operation.name": "retrieval", "gen_ai.request.model": "m"});
    for (resource, operation) in [
        (json!({"service.name": "ai-gateway", "service.namespace": "vercel"}), "rerank"),
        (json!({"service.name": "ai-gateway", "service.namespace": "shop"}), "retrieval"),
    ] {
        for sent in each_way(resource.clone(), &[("app", "retrieval m", 0, call.clone())]) {
            let (key, word) = if operation == "rerank" { ("rerank.model_name", "rerank") } else { ("gen_ai.operation.name", "retrieval") };
            assert!(sent["retrieval m"].contains_key(key) || sent["retrieval m"]["gen_ai.operation.name"] == word, "{resource}: {sent:?}");
            assert_eq!(sent["retrieval m"]["gen_ai.operation.name"], word, "{resource}");
        }
    }
}

// README promise: "Tokens count once"
#[test]
fn a_call_that_sdk_server_and_model_report_counts_once_on_the_innermost() {
    let usage = |tokens: i64| json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-5", "gen_ai.usage.input_tokens": tokens, "gen_ai.usage.output_tokens": 17});
    let (sdk, server) = ("com.anthropic.sdk.python", "com.anthropic.claude-platform");
    let given = [
        ("my.app", "agent", 0, json!({"gen_ai.operation.name": "invoke_agent"})),
        (sdk, "anthropic.messages.create", 1, usage(57)),
        (server, "anthropic.messages.create server", 2, usage(57)),
        (server, "model run", 3, usage(57)),
    ];
    for sent in each_way(json!({}), &given) {
        assert_eq!(entries_and_tokens(&sent), (vec!["agent"], vec![("model run", 57)]));
        assert_eq!(sent["anthropic.messages.create"]["gen_ai.aggregated_usage.input_tokens"], 57);
    }
    // A request that takes two runs of the model.
    let mut given = given;
    given[2].3["gen_ai.usage.input_tokens"] = json!(100);
    given[2].3["gen_ai.usage.output_tokens"] = json!(34);
    given[1].3 = given[2].3.clone();
    let given = [&given[..], &[(server, "second run", 3, usage(43))]].concat();
    for sent in each_way(json!({}), &given) {
        assert_eq!(entries_and_tokens(&sent), (vec!["agent"], vec![("model run", 57), ("second run", 43)]));
    }
    // The account of a run stands beside its call.
    let given = [
        ("openclaw", "openclaw.message.processed", 0, json!({"openclaw.channel": "web"})),
        (
            "openclaw",
            "openclaw.model.call",
            1,
            json!({"openclaw.model": "m", "gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17}),
        ),
        ("openclaw", "openclaw.model.usage", 1, json!({"openclaw.model": "m", "openclaw.tokens.input": 57, "openclaw.tokens.output": 17})),
    ];
    for sent in each_way(json!({}), &given) {
        assert_eq!(entries_and_tokens(&sent), (vec!["openclaw.message.processed"], vec![("openclaw.model.call", 57)]));
    }
}

#[test]
fn a_decision_whose_tokens_the_call_above_adds_to_its_own_does_not_count_them_again() {
    let decision = json!({
        "gen_ai.operation.name": "decide", "pydantic_ai.decision.usage.input_tokens": 5, "pydantic_ai.decision.usage.output_tokens": 1,
    });
    let chat = json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 62, "gen_ai.usage.output_tokens": 18});
    for sent in each_way(json!({}), &[("pydantic-ai", "chat m", 0, chat), ("pydantic-ai", "decide d", 1, decision.clone())]) {
        assert_eq!(entries_and_tokens(&sent), (vec!["chat m"], vec![("chat m", 62)]));
    }
    for sent in each_way(json!({}), &[("pydantic-ai", "decide d", 0, decision)]) {
        assert_eq!(entries_and_tokens(&sent), (vec!["decide d"], vec![("decide d", 5)]), "nobody else has them");
    }
}

#[test]
fn each_turn_of_hermes_is_an_entry_and_its_session_is_none() {
    let turn = |n: i64| json!({"hermes.span.kind": "CHAIN", "hermes.turn.index": n, "hermes.turn.user_message": "hi"});
    let call = json!({
        "hermes.span.kind": "LLM", "gen_ai.system": "hermes-agent", "hermes.provider": "anthropic", "gen_ai.request.model": "claude-sonnet-5",
        "gen_ai.usage.input_tokens": 57, "hermes.cache.read_tokens": 32,
    });
    let scope = "hermes-agent.otel_tracing";
    let given = [
        (scope, "hermes.session", 0, json!({"hermes.span.kind": "AGENT", "hermes.session.id": "s-1"})),
        (scope, "turn 1", 1, turn(1)),
        (scope, "turn 2", 1, turn(2)),
        (scope, "chat m", 2, call),
    ];
    for sent in each_way(json!({}), &given) {
        assert_eq!(entries_and_tokens(&sent), (vec!["turn 1", "turn 2"], vec![("chat m", 57)]));
        assert_eq!(sent["chat m"]["gen_ai.provider.name"], "anthropic");
        assert_eq!(sent["chat m"]["gen_ai.usage.cache_read.input_tokens"], 32);
    }
}

#[test]
fn tencent_s_turn_of_cls_is_the_entry_and_its_agent_s_sums_are_not_counted() {
    let scope = "tencentcloud_agentobs_sdk_openai_agent";
    let usage = |kind: &str, operation: &str| {
        json!({
            "gen_ai.span.kind": kind, "gen_ai.operation.name": operation, "gen_ai.session.id": "s-1", "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17, "gen_ai.usage.total_cost": 0.25,
        })
    };
    let mut chat = usage("chat", "chat");
    chat["gen_ai.response.time_to_first_token_ms"] = json!(250.0);
    let given = [
        (scope, "entry", 0, json!({"gen_ai.span.kind": "entry", "gen_ai.operation.name": "enter_application", "gen_ai.session.id": "s-1"})),
        (scope, "agent", 1, usage("agent", "invoke_agent")),
        (scope, "step", 2, json!({"gen_ai.span.kind": "step", "gen_ai.operation.name": "react"})),
        (scope, "chat", 3, chat),
    ];
    for sent in each_way(json!({}), &given) {
        assert_eq!(entries_and_tokens(&sent), (vec!["entry"], vec![("chat", 57)]));
        assert_eq!(sent["chat"]["gen_ai.response.time_to_first_chunk"], 0.25);
        assert_eq!(sent["chat"]["gen_ai.usage.cost"], 0.25);
        assert!(!sent["agent"].contains_key("gen_ai.usage.cost"), "the agent's is the sum of its calls'");
    }
}

#[test]
fn a_span_that_comes_again_as_it_was_is_one() {
    let chat = |tokens: i64| json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": tokens});
    let first = body(json!({"service.name": "a"}), &[("app", "chat m", 0, chat(57))]);
    let mut p = pipeline();
    let mut deliver = |body: &[u8]| {
        p.ingest(body, None, 0.0).unwrap();
        p.flush(0.0);
        (crate::bodies::spans(&p.drain_queue(0, 0.0)).len(), p.stats().repeated)
    };
    assert_eq!(deliver(&first), (1, 0));
    assert_eq!(deliver(&first), (0, 1), "sent again, since its receipt was not seen");
    // Another span of that id, and the same one of another sender.
    assert_eq!(deliver(&body(json!({"service.name": "a"}), &[("app", "chat m", 0, chat(58))])), (1, 1));
    assert_eq!(deliver(&body(json!({"service.name": "b"}), &[("app", "chat m", 0, chat(57))])), (1, 1));
    // Twice in one body.
    let twice = [first.clone(), first.clone()].concat();
    let converted = genspan::convert(&twice, &Convert { from: Format::Protobuf, ..Default::default() }).unwrap();
    assert_eq!(crate::bodies::spans(&converted).len(), 1);
    // A proxy passes on itself what it hands in: what comes again did not get through.
    let mut p = pipeline();
    for _ in 0..2 {
        assert_eq!(crate::bodies::spans(&p.rewrite(&first, None, 0.0).unwrap()).len(), 1);
    }
}

#[test]
fn words_that_no_enum_has_are_counted_and_cost_no_span() {
    let body = |kind: &str, code: &str| {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"AQIDBAUGBwg=","name":"x","kind":{kind},"status":{{"code":{code}}},"startTimeUnixNano":1795479339000000000}}]}}]}}]}}"#
        )
    };
    let mut p = pipeline();
    for (kind, code, unknown) in
        [("\"server\"", "\"Error\"", 0), ("\"3\"", "2", 0), ("\"robot\"", "\"STATUS_CODE_OK\"", 1), ("\"SPAN_KIND_\"", "\"fine\"", 3)]
    {
        assert_eq!(p.ingest(body(kind, code).as_bytes(), None, 0.0).unwrap().spans, 1, "{kind}");
        assert_eq!(p.stats().unknown_words, unknown, "{kind} {code}");
    }
    let span = |kind: &str, code: &str| {
        crate::bodies::spans(
            &genspan::convert(body(kind, code).as_bytes(), &Convert { to: Format::Protobuf, ..Default::default() }).unwrap(),
        )
        .remove(0)
    };
    let read = |kind: &str, code: &str| (span(kind, code).kind, span(kind, code).status.unwrap_or_default().code);
    assert_eq!(read("\"SERVER\"", "\"error\""), (2, 2));
    assert_eq!(read("\"span_kind_consumer\"", "\"ok\""), (5, 1));
    assert_eq!(read("\"robot\"", "\"fine\""), (0, 0));
    assert_eq!(span("1", "0").span_id, [1, 2, 3, 4, 5, 6, 7, 8]);
}
