//! Whole sources that say what they are by names, scopes or the words of others: each kind of span in its forms.

use crate::body::{attributes, request, spans};
use genspan::internals::config::{Convert, Format, Profile};
use serde_json::{Map, Value as Json, json};

fn out(scope: &str, name: &str, source: &Json, profile: Profile) -> Map<String, Json> {
    let options = Convert { profile, to: Format::Protobuf, ..Convert::default() };
    attributes(&spans(&genspan::convert(&request(scope, name, source), &options).unwrap())[0]).into_iter().collect()
}

/// The attributes of the spans of one scope, each below the one before, in profile `otel` or another one.
fn nested(scope: &str, source: &[(&str, Json)], profile: Profile) -> Vec<Map<String, Json>> {
    let value = |value: &Json| match value {
        Json::String(text) => json!({"stringValue": text}),
        Json::Number(n) if n.is_i64() => json!({"intValue": n.to_string()}),
        n => json!({"doubleValue": n}),
    };
    let span = |(i, (name, source)): (usize, &(&str, Json))| {
        let attributes: Vec<_> = source.as_object().unwrap().iter().map(|(key, v)| json!({"key": key, "value": value(v)})).collect();
        let parent = if i == 0 { String::new() } else { format!("{i:016x}") };
        json!({"traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": format!("{:016x}", i + 1), "parentSpanId": parent, "name": name, "kind": 1,
            "startTimeUnixNano": format!("179547933900000000{i}"), "endTimeUnixNano": "1795479340000000000", "attributes": attributes})
    };
    let all: Vec<_> = source.iter().enumerate().map(span).collect();
    let body = json!({"resourceSpans": [{"scopeSpans": [{"scope": {"name": scope}, "spans": all}]}]}).to_string();
    let options = Convert { profile, to: Format::Protobuf, ..Convert::default() };
    spans(&genspan::convert(body.as_bytes(), &options).unwrap()).iter().map(|span| attributes(span).into_iter().collect()).collect()
}

#[test]
fn logfire_names_the_kinds_of_the_agents_sdk() {
    let langfuse = [
        ("OpenAI Agents trace: {name}", "chain"),
        ("Agent run: {name!r}", "agent"),
        ("Function: {name}", "tool"),
        ("Chat completion with {gen_ai.request.model!r}", "generation"),
        ("Responses API", "generation"),
        ("Responses API with {gen_ai.request.model!r}", "generation"),
        ("Speech → Text with {gen_ai.request.model!r}", "generation"),
        ("Text → Speech", "generation"),
        ("Guardrail {name!r} {triggered=}", "guardrail"),
        ("Handoff: {from_agent} → {to_agent}", "span"),
        ("Text → Speech group", "span"),
        ("MCP: list tools from server {server}", "span"),
        ("Custom span: {name}", "span"),
        ("Task: {name}", "span"),
        ("Turn {turn}", "chain"),
    ];
    for (name, kind) in langfuse {
        let out = out("logfire.openai_agents", name, &json!({"gen_ai.system": "openai"}), Profile::LANGFUSE);
        assert_eq!(out["langfuse.observation.type"], kind, "{name}");
    }
    let usage = r#"{"requests":1,"input_tokens":100,"output_tokens":50,"total_tokens":150,"input_tokens_details":{"cached_tokens":64}}"#;
    let turn = out("logfire.openai_agents", "Turn {turn}", &json!({"usage": usage}), Profile::OTEL);
    assert!(!turn.contains_key("gen_ai.usage.input_tokens"), "a turn counts what its calls do: {turn:?}");
    let call = json!({"gen_ai.request.model": "gpt-4o", "usage": usage, "response_id": "r1", "model_config": r#"{"top_p":0.5}"#,
        "input": r#"[{"role":"user","content":"1+1?"}]"#, "output": r#"[{"role":"assistant","content":"2"}]"#});
    for profile in [Profile::OTEL, Profile::TENCENT] {
        let out = out("logfire.openai_agents", "Chat completion with {gen_ai.request.model!r}", &call, profile);
        assert!(out["gen_ai.output.messages"].as_str().unwrap().contains("\"2\""));
        assert_eq!((&out["gen_ai.response.id"], &out["gen_ai.request.top_p"]), (&json!("r1"), &json!(0.5)));
    }
}

#[test]
fn the_request_of_the_agents_sdk_is_not_its_input_whatever_comes_first() {
    let request = r#"{"messages":[{"role":"user","content":"1+1?"},{"role":"assistant","content":"It is 2."}],"model":"gpt-4o"}"#;
    let mut source =
        json!({"request_data": request, "gen_ai.request.model": "gpt-4o", "output": r#"[{"role":"assistant","content":"It is 2."}]"#});
    for key in ["a_before", "z_after"] {
        source[key] = json!("x");
        source["input"] = json!(r#"[{"role":"user","content":"1+1?"}]"#);
        let out = out("logfire.openai_agents", "Chat completion with {gen_ai.request.model!r}", &source, Profile::OTEL);
        assert!(!out["gen_ai.input.messages"].as_str().unwrap().contains("It is 2."));
    }
}

#[test]
fn calls_of_codex_have_the_model_of_their_turn_whatever_their_scope_is_called() {
    for scope in ["codex_cli_rs", "codex_exec", "my_originator"] {
        let source = [
            (
                "session_task.turn",
                json!({"model": "gpt-5.5", "codex.turn.token_usage.input_tokens": 1000, "codex.turn.token_usage.output_tokens": 20}),
            ),
            ("run_sampling_request", json!({"busy_ns": 12})),
            (
                "handle_responses",
                json!({"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 20, "codex.usage.reasoning_output_tokens": 10,
                    "codex.usage.cached_input_tokens": 64}),
            ),
        ];
        let [turn, _, call] = &nested(scope, &source, Profile::OTEL)[..] else { panic!() };
        assert_eq!(turn["gen_ai.operation.name"], "invoke_agent");
        assert_eq!((&call["gen_ai.operation.name"], &call["gen_ai.request.model"]), (&json!("chat"), &json!("gpt-5.5")), "{scope}");
        assert_eq!(
            (&call["gen_ai.usage.reasoning.output_tokens"], &call["gen_ai.usage.cache_read.input_tokens"]),
            (&json!(10), &json!(64))
        );
        assert!(!turn.contains_key("gen_ai.usage.input_tokens") && call["gen_ai.usage.input_tokens"] == 1000);
        let langfuse = nested(scope, &source, Profile::LANGFUSE);
        assert_eq!(langfuse[2]["langfuse.observation.model.name"], "gpt-5.5");
    }
}

#[test]
fn a_generation_of_mastra_without_a_model_is_no_call() {
    let wrapper = json!({"gen_ai.operation.name": "model_generation", "mastra.span.type": "model_generation"});
    let call = json!({"gen_ai.operation.name": "chat", "mastra.span.type": "model_inference", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 10});
    for (profile, key, word) in [
        (Profile::OTEL, "gen_ai.operation.name", "chat"),
        (Profile::LANGFUSE, "langfuse.observation.type", "generation"),
        (Profile::OPENINFERENCE, "openinference.span.kind", "LLM"),
        (Profile::TENCENT, "gen_ai.span.kind", "LLM"),
    ] {
        let out = nested("@mastra/otel-exporter", &[("model_generation", wrapper.clone()), ("chat gpt-4o", call.clone())], profile);
        assert_eq!(out.iter().map(|span| span.get(key) == Some(&json!(word))).collect::<Vec<_>>(), [false, true], "{profile:?}");
    }
    // Older releases have the call there.
    let old = json!({"mastra.span.type": "model_generation", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 10});
    assert_eq!(out("@mastra/otel-exporter", "x", &old, Profile::OTEL)["gen_ai.operation.name"], "chat");
}

#[test]
fn kinds_are_read_in_any_case_and_an_unknown_word_is_no_operation() {
    for (key, word, kind) in [
        ("openinference.span.kind", "Tool", "tool"),
        ("openinference.span.kind", "lLm", "generation"),
        ("traceloop.span.kind", "Agent", "agent"),
        ("langfuse.observation.type", "GENERATION", "generation"),
        ("gen_ai.span.kind", "Retriever", "retriever"),
        ("gen_ai.operation.name", "Chat", "generation"),
        ("mlflow.spanType", "chat_model", "generation"),
    ] {
        assert_eq!(
            out("x", "y", &json!({key: word, "gen_ai.request.model": "m"}), Profile::LANGFUSE)["langfuse.observation.type"],
            kind,
            "{word}"
        );
    }
    for key in ["openinference.span.kind", "traceloop.span.kind", "gen_ai.span.kind"] {
        let source = json!({key: "Zebra", "gen_ai.request.model": "m", "gen_ai.usage.output_tokens": 3});
        assert_eq!(out("x", "y", &source, Profile::OTEL)["gen_ai.operation.name"], "chat", "{key}");
    }
}

#[test]
fn a_cloud_s_word_is_settled_by_the_host_or_the_word_beside_it() {
    for (source, provider) in [
        (json!({"gen_ai.system": "google", "server.address": "aiplatform.googleapis.com"}), "gcp.vertex_ai"),
        (json!({"gen_ai.system": "gemini", "server.address": "europe-west4-aiplatform.googleapis.com"}), "gcp.vertex_ai"),
        (json!({"gen_ai.provider.name": "gcp.gen_ai", "server.address": "us-east1-aiplatform.googleapis.com"}), "gcp.vertex_ai"),
        (json!({"gen_ai.provider.name": "gcp.gemini", "server.address": "us-east1-aiplatform.googleapis.com"}), "gcp.gemini"),
        (json!({"gen_ai.system": "google", "server.address": "api.openai.com"}), "gcp.gemini"),
        (json!({"gen_ai.system": "azure", "server.address": "me.services.ai.azure.com"}), "azure.ai.inference"),
        (json!({"llm.provider": "google", "llm.system": "vertexai"}), "gcp.vertex_ai"),
        (json!({"llm.provider": "google", "llm.system": "openai"}), "gcp.gemini"),
    ] {
        let mut all = json!({"gen_ai.operation.name": "chat", "llm.model_name": "m"});
        all.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
        assert_eq!(out("x", "y", &all, Profile::OTEL)["gen_ai.provider.name"], provider, "{source}");
    }
}

#[test]
fn a_pending_span_says_nothing_of_a_call() {
    let pending =
        json!({"logfire.span_type": "pending_span", "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "app.note": "stays"});
    for profile in [Profile::OTEL, Profile::TENCENT, Profile::LANGFUSE, Profile::OPENINFERENCE] {
        let out = out("pydantic-ai", "chat m", &pending, profile);
        assert_eq!(Json::Object(out), json!({"logfire.span_type": "pending_span", "app.note": "stays"}));
    }
}

#[test]
fn a_tool_of_the_google_genai_instrumentation_has_its_arguments_together() {
    let source = json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "f", "code.function.parameters.city.value": "Rome",
        "code.function.parameters.days.value": 3, "code.function.parameters.days.type": "int", "code.function.parameters.of.value": r#"{"a":1}"#,
        "code.function.return.value": r#"{"sky":"clear"}"#});
    let out = out("opentelemetry.instrumentation.google_genai", "execute_tool f", &source, Profile::OTEL);
    let arguments: Json = serde_json::from_str(out["gen_ai.tool.call.arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments, json!({"city": "Rome", "days": 3, "of": {"a": 1}}));
    assert_eq!(out["gen_ai.tool.call.result"], r#"{"sky":"clear"}"#);
}
