//! The twelve traps of the conventions (their section 26), a test each, in their order.

use crate::body::{attributes, convert, request, spans};
use genspan::internals::config::Profile;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// What profile `otel` makes of a span.
fn otel(scope: &str, name: &str, source: Json) -> BTreeMap<String, Json> {
    attributes(&spans(&convert(&request(scope, name, &source), Profile::OTEL, None)).remove(0))
}

/// JSON text as what it says.
fn parsed(attributes: &BTreeMap<String, Json>, key: &str) -> Json {
    serde_json::from_str(attributes[key].as_str().unwrap()).unwrap()
}

fn text(role: &str, text: &str) -> Json {
    json!({"role": role, "parts": [{"type": "text", "content": text}]})
}

#[test]
fn trap_1_scopes_of_one_name_mean_different_conventions() {
    // Traceloop's and OTel's instrumentations of OpenAI differ by two letters; the keys decide what is read.
    let traceloop = json!({
        "gen_ai.system": "OpenAI", "llm.request.type": "chat", "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi",
        "llm.usage.total_tokens": 3, "gen_ai.usage.prompt_tokens": 2, "gen_ai.usage.completion_tokens": 1,
    });
    let otel_v2 = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 2, "gen_ai.usage.output_tokens": 1,
        "gen_ai.input.messages": r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#,
    });
    let all = [
        otel("opentelemetry.instrumentation.openai", "openai.chat", traceloop.clone()),
        otel("opentelemetry.instrumentation.openai_v2", "chat gpt-4o-mini", otel_v2.clone()),
        // And the wrong way round: renamed by the host.
        otel("opentelemetry.instrumentation.openai_v2", "openai.chat", traceloop),
        otel("opentelemetry.instrumentation.openai", "chat gpt-4o-mini", otel_v2),
    ];
    for found in all {
        assert_eq!(found["gen_ai.operation.name"], "chat");
        assert_eq!(found["gen_ai.provider.name"], "openai");
        assert_eq!((&found["gen_ai.usage.input_tokens"], &found["gen_ai.usage.output_tokens"]), (&2.into(), &1.into()));
        assert_eq!(parsed(&found, "gen_ai.input.messages"), json!([text("user", "hi")]));
    }
}

#[test]
fn trap_2_of_several_conventions_the_more_structured_is_trusted() {
    let found = otel(
        "ai",
        "ai.generateText.doGenerate",
        json!({
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.prompt.messages": r#"[{"role":"user","content":[{"type":"text","text":"structured"}]}]"#,
            "gen_ai.request.model": "gpt-4o-mini",
            // Traceloop's processor over Vercel, and a generic input.
            "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "flattened",
            "input.value": "generic",
        }),
    );
    assert_eq!(parsed(&found, "gen_ai.input.messages"), json!([text("user", "structured")]));
    // The newest form of OTel's own stands above its older one.
    let found = otel(
        "x",
        "chat",
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "older",
            "gen_ai.input.messages": r#"[{"role":"user","parts":[{"type":"text","content":"newer"}]}]"#,
        }),
    );
    assert_eq!(parsed(&found, "gen_ai.input.messages"), json!([text("user", "newer")]));
}

#[test]
fn trap_3_buckets_are_summed_once_and_copies_never() {
    let found = otel(
        "langfuse-sdk",
        "ChatOpenAI",
        json!({
            "langfuse.observation.type": "generation",
            "langfuse.observation.usage_details": r#"{"input":25,"output":9,"total":74,"input_cache_read":32,"output_reasoning":8}"#,
            // The same counts once more, as Pydantic AI leaves them.
            "gen_ai.usage.details.cache_read_tokens": 32, "gen_ai.usage.details.reasoning_tokens": 8,
        }),
    );
    assert_eq!(found["gen_ai.usage.input_tokens"], 57);
    assert_eq!(found["gen_ai.usage.output_tokens"], 17);
    assert_eq!(found["gen_ai.usage.cache_read.input_tokens"], 32);
    assert_eq!(found["gen_ai.usage.reasoning.output_tokens"], 8);
}

#[test]
fn trap_4_numbers_come_as_text_and_scalars_in_quotes() {
    let found = otel(
        "org.springframework.ai",
        "chat gpt-4o-mini",
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.system": "openai",
            "gen_ai.usage.input_tokens": "57", "gen_ai.usage.output_tokens": "17", "gen_ai.request.temperature": "0.3",
        }),
    );
    assert_eq!(found["gen_ai.usage.input_tokens"], 57);
    assert_eq!(found["gen_ai.request.temperature"], 0.3);
    let found = otel(
        "langfuse-sdk",
        "llm",
        json!({"langfuse.observation.type": "generation", "langfuse.observation.metadata.ls_provider": "\"openai\""}),
    );
    assert_eq!(found["gen_ai.provider.name"], "openai");
    // Python's repr.
    let found = otel(
        "langfuse-sdk",
        "get_weather",
        json!({"langfuse.observation.type": "tool", "langfuse.observation.input": "{'city': '深圳', 'days': None}"}),
    );
    assert_eq!(parsed(&found, "gen_ai.tool.call.arguments"), json!({"city": "深圳", "days": null}));
}

#[test]
fn trap_5_placeholders_are_absences() {
    let found = otel(
        "x",
        "chat",
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "none", "gen_ai.system": "<unknown_model_provider>",
            "gen_ai.response.model": "<not specified>", "gen_ai.request.max_tokens": "inf", "gen_ai.response.id": "N/A",
        }),
    );
    for key in ["gen_ai.request.model", "gen_ai.response.model", "gen_ai.request.max_tokens", "gen_ai.response.id", "gen_ai.provider.name"]
    {
        assert!(!found.contains_key(key), "{key}: {}", found[key]);
    }
    // What is hidden is said to be hidden, and is no message of the user's.
    let found = otel(
        "openinference.instrumentation.openai",
        "ChatCompletion",
        json!({"openinference.span.kind": "LLM", "llm.model_name": "m", "input.value": "__REDACTED__", "output.value": "__REDACTED__"}),
    );
    assert_eq!(found.values().filter(|value| value.as_str().is_some_and(|text| text.contains("__REDACTED__"))).count(), 2);
}

#[test]
fn trap_6_a_framework_is_no_provider() {
    for framework in ["langchain", "langgraph", "strands-agents", "spring_ai"] {
        let found =
            otel("x", "chat", json!({"gen_ai.operation.name": "chat", "gen_ai.system": framework, "gen_ai.request.model": "claude-x"}));
        assert_eq!(found["gen_ai.provider.name"], "anthropic", "{framework}");
    }
}

#[test]
fn trap_7_no_key_that_goes_out_is_the_beginning_of_another() {
    let found = otel(
        "x",
        "chat",
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 57, "gen_ai.usage.input_tokens.cached": 32,
            "gen_ai.usage.output_tokens": 17, "gen_ai.usage.output_tokens.reasoning": 8,
        }),
    );
    assert_eq!(found["gen_ai.usage.cache_read.input_tokens"], 32);
    let collide = |a: &String, b: &String| b.strip_prefix(a.as_str()).is_some_and(|rest| rest.starts_with('.'));
    let pairs = found.keys().flat_map(|a| found.keys().map(move |b| (a, b))).filter(|(a, b)| collide(a, b));
    assert_eq!(pairs.collect::<Vec<_>>(), []);
}

#[test]
fn trap_8_indexes_have_gaps_and_may_be_huge() {
    let found = otel(
        "openinference.instrumentation.openai",
        "ChatCompletion",
        json!({
            "openinference.span.kind": "LLM",
            "llm.input_messages.7.message.role": "user", "llm.input_messages.7.message.content": "second",
            "llm.input_messages.2.message.role": "system", "llm.input_messages.2.message.content": "first",
            "llm.input_messages.999999999.message.role": "user", "llm.input_messages.999999999.message.content": "last",
            "llm.input_messages.99999999999999999999.message.content": "no index",
            "llm.input_messages.__proto__.message.content": "no index either",
        }),
    );
    assert_eq!(parsed(&found, "gen_ai.input.messages"), json!([text("system", "first"), text("user", "second"), text("user", "last")]));
    assert_eq!(found["llm.input_messages.__proto__.message.content"], "no index either");
}

#[test]
fn trap_9_what_repeats_a_call_counts_nothing() {
    // LiteLLM's raw request below its call, a cached answer of Laminar's, LiveKit's attempt inside its request.
    let raw = otel("litellm", "raw_gen_ai_request", json!({"llm.openai.messages": "[]", "llm.openai.model": "gpt-4o-mini"}));
    assert!(!raw.keys().any(|key| key.starts_with("gen_ai.usage.")), "{raw:?}");
    let cached =
        otel("lmnr", "openai.chat", json!({"lmnr.span.type": "CACHED", "gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17}));
    assert_eq!(cached["gen_ai.aggregated_usage.input_tokens"], 57);
    assert!(!cached.contains_key("gen_ai.usage.input_tokens"));
}

#[test]
fn trap_10_what_was_cut_off_stays_as_text() {
    let cut = r#"[{"role":"user","content":"a long question that was cut o"#;
    for (scope, key) in [("langfuse-sdk", "langfuse.observation.input"), ("x", "gen_ai.input.messages"), ("ai", "ai.prompt.messages")] {
        let source = json!({
            "langfuse.observation.type": "generation", "gen_ai.operation.name": "chat", "ai.operationId": "ai.generateText.doGenerate",
            (key): cut,
        });
        let found = otel(scope, "llm", source);
        let held = found.values().filter_map(Json::as_str).any(|text| text.contains("a long question that was cut o"));
        assert!(held, "{key}: {found:?}");
    }
}

#[test]
fn trap_11_a_reference_replaces_no_content() {
    let found = otel(
        "loongsuite.instrumentation.openai",
        "chat",
        json!({
            "gen_ai.span.kind": "LLM", "gen_ai.input.messages": r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#,
            "gen_ai.input.messages_ref": "oss://bucket/1", "gen_ai.output.messages_ref": "oss://bucket/2",
        }),
    );
    assert_eq!(parsed(&found, "gen_ai.input.messages"), json!([text("user", "hi")]));
    assert_eq!(found["gen_ai.input.messages_ref"], "oss://bucket/1");
    assert!(!found.contains_key("gen_ai.output.messages"));
}

#[test]
fn trap_12_secrets_do_not_go_on() {
    for key in ["llm.headers", "gen_ai.headers", "ai.request.headers.authorization"] {
        let source = json!({"gen_ai.operation.name": "chat", "ai.operationId": "ai.generateText", (key): "Bearer sk-secret"});
        for profile in
            [Profile::OTEL, Profile::OTEL_1_41, Profile::TENCENT, Profile::TENCENT_CLS, Profile::LANGFUSE, Profile::OPENINFERENCE]
        {
            let body = convert(&request("ai", "chat", &source), profile, None);
            assert!(!String::from_utf8_lossy(&body).contains("sk-secret"), "{key} in {profile:?}");
        }
    }
}
