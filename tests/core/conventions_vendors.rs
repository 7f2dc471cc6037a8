//! Whole spans as the agents of Tencent, Alibaba and Volcengine, Dify and EdgeOne, vLLM, LangChain and OpenSearch write them, and
//! what comes out of them.

use genspan::internals::config::{Convert, Profile};
use serde_json::{Map, Value, json};

fn any(value: &Value) -> Value {
    match value {
        Value::String(s) => json!({"stringValue": s}),
        Value::Bool(b) => json!({"boolValue": b}),
        Value::Number(n) if n.is_i64() => json!({"intValue": n.to_string()}),
        Value::Number(n) => json!({"doubleValue": n}),
        Value::Array(items) => json!({"arrayValue": {"values": items.iter().map(any).collect::<Vec<_>>()}}),
        other => panic!("no attribute: {other}"),
    }
}

fn plain(any: &Value) -> Value {
    let (kind, value) = any.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "intValue" => json!(value.as_str().unwrap().parse::<i64>().unwrap()),
        "arrayValue" => value["values"].as_array().into_iter().flatten().map(plain).collect(),
        _ => value.clone(),
    }
}

fn key_values(attributes: &Value) -> Vec<Value> {
    attributes.as_object().unwrap().iter().map(|(key, value)| json!({"key": key, "value": any(value)})).collect()
}

struct Span {
    scope: &'static str,
    name: &'static str,
    attributes: Value,
    events: &'static [(&'static str, &'static str, &'static str)],
}

impl Span {
    fn out(&self, profile: Profile) -> Value {
        let event = |(name, key, value): &(&str, &str, &str)| json!({"name": name, "attributes": key_values(&json!({ *key: value }))});
        let span = json!({
            "traceId": "0af7651916cd43dd8448eb211c80319c",
            "spanId": "b7ad6b7169203331",
            "name": self.name,
            "startTimeUnixNano": "1795479339000000000",
            "endTimeUnixNano": "1795479340000000000",
            "attributes": key_values(&self.attributes),
            "events": self.events.iter().map(event).collect::<Vec<_>>(),
        });
        let body = json!({"resourceSpans": [{"scopeSpans": [{"scope": {"name": self.scope}, "spans": [span]}]}]}).to_string();
        let out = genspan::convert(body.as_bytes(), &Convert { profile, ..Default::default() }).unwrap();
        serde_json::from_slice::<Value>(&out).unwrap()["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone()
    }

    #[track_caller]
    fn becomes(&self, mut expected: Value) {
        // The message of an answer has the reason that the span has for it.
        if let Some(reason) = expected.get("gen_ai.response.finish_reasons").map(|reasons| reasons[0].clone())
            && let Some(text) = expected.get("gen_ai.output.messages").and_then(Value::as_str).and_then(|text| text.strip_suffix("}]"))
        {
            expected["gen_ai.output.messages"] = format!("{text},\"finish_reason\":{reason}}}]").into();
        }
        let out = self.out(Profile::OTEL);
        let found: Map<_, _> =
            out["attributes"].as_array().unwrap().iter().map(|a| (a["key"].as_str().unwrap().to_owned(), plain(&a["value"]))).collect();
        let found = Value::Object(found);
        assert_eq!(found, expected, "\n{found:#}");
    }
}

fn span(scope: &'static str, name: &'static str, attributes: Value) -> Span {
    Span { scope, name, attributes, events: &[] }
}

const HI: &str = r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#;
const HELLO: &str = r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"}]}]"#;

#[test]
fn dify_writes_text_where_numbers_belong_and_false_on_all_but_the_entry() {
    span(
        "dify-sdk",
        "GENERATION",
        json!({
            "gen_ai.span.kind": "GENERATION", "gen_ai.framework": "dify", "gen_ai.is_entry": "false", "gen_ai.session.id": "conv-1",
            "gen_ai.response.model": "gpt-4o", "gen_ai.provider.name": "langgenius/openai/openai",
            "gen_ai.usage.input_tokens": "12", "gen_ai.usage.output_tokens": "3", "gen_ai.usage.total_tokens": "15",
            "gen_ai.prompt": r#"[{"role": "user", "text": "hi", "files": []}]"#, "gen_ai.completion": "Hello",
            "gen_ai.response.finish_reason": "stop", "llm.is_streaming": "true",
            "gen_ai.server.time_to_first_token": 0.25, "gen_ai.streaming.time_to_generate": 0.5,
        }),
    )
    .becomes(json!({
        "gen_ai.operation.name": "chat", "gen_ai.framework": "dify", "session.id": "conv-1",
        "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o", "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 3,
        "gen_ai.input.messages": HI, "gen_ai.output.messages": HELLO,
        "gen_ai.response.finish_reasons": ["stop"], "gen_ai.request.stream": true,
        "gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.streaming.time_to_generate": 0.5,
    }));
}

#[test]
fn dify_retrieval_and_tool() {
    span(
        "dify-sdk",
        "knowledge retrieval",
        json!({"gen_ai.span.kind": "RETRIEVER", "retrieval.query": "paris", "retrieval.document": r#"[{"content": "in France"}]"#}),
    )
    .becomes(json!({
        "gen_ai.operation.name": "retrieval", "gen_ai.retrieval.query.text": "paris",
        "gen_ai.retrieval.documents": r#"[{"content":"in France"}]"#, "gen_ai.is_entry": true,
    }));
    span(
        "dify-sdk",
        "weather",
        json!({"gen_ai.span.kind": "TOOL", "tool.name": "get_weather", "tool.description": "weather", "tool.parameters": r#"{"city": "Paris"}"#}),
    )
    .becomes(json!({
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather", "gen_ai.tool.description": "weather",
        "gen_ai.tool.call.arguments": r#"{"city":"Paris"}"#, "gen_ai.is_entry": true,
    }));
}

#[test]
fn trpc_agent_go_has_otel_s_messages_under_a_suffix() {
    let own = r#"[{"role":"user","content":"hi"}]"#;
    let chat = json!({
        "gen_ai.operation.name": "chat", "gen_ai.system": "trpc.go.agent", "gen_ai.request.model": "deepseek-chat",
        "gen_ai.input.messages": own, "gen_ai.input.messages.otel": HI,
        "gen_ai.output.messages": r#"[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]"#,
        "gen_ai.usage.input_tokens": 20, "gen_ai.usage.output_tokens": 4, "gen_ai.usage.input_tokens.cached": 8,
        "gen_ai.conversation.id": "s-1", "gen_ai.request.is_stream": true,
        "trpc_agent_go.client.time_to_first_token": 0.1, "trpc.go.agent.invocation_id": "inv-1",
    });
    span("trpc.agent.go", "chat deepseek-chat", chat).becomes(json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "deepseek", "gen_ai.request.model": "deepseek-chat",
        "gen_ai.input.messages": HI, "gen_ai.output.messages": HELLO, "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 20, "gen_ai.usage.output_tokens": 4, "gen_ai.usage.cache_read.input_tokens": 8,
        "gen_ai.conversation.id": "s-1", "gen_ai.request.stream": true, "gen_ai.response.time_to_first_chunk": 0.1,
        "trpc.go.agent.invocation_id": "inv-1", "gen_ai.is_entry": true,
    }));
}

#[test]
fn veadk_model_and_tool() {
    let model = json!({
        "gen_ai.system": "<unknown_model_provider>", "gen_ai.app.name": "shop", "gen_ai.session.id": "<unknown_session_id>",
        "gen_ai.span.kind": "llm", "gen_ai.operation.name": "chat", "gen_ai.request.type": "chat",
        "gen_ai.request.model": "doubao-seed-1.6", "gen_ai.response.finish_reason": "<no_finish_reason_provided>",
        "gen_ai.request.functions.0.name": "get_weather", "gen_ai.request.functions.0.description": "weather",
        "gen_ai.request.functions.0.parameters": r#"{"type":"object"}"#,
        "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi",
        "gen_ai.completion.0.role": "model", "gen_ai.completion.0.tool_calls.0.id": "c1",
        "gen_ai.completion.0.tool_calls.0.type": "function", "gen_ai.completion.0.tool_calls.0.function.name": "get_weather",
        "gen_ai.completion.0.tool_calls.0.function.arguments": r#"{"city": "Paris"}"#,
        "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 5,
    });
    span("veadk", "call_llm", model).becomes(json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "volcengine.ark", "gen_ai.request.model": "doubao-seed-1.6",
        "gen_ai.tool.definitions": r#"[{"type":"function","name":"get_weather","description":"weather","parameters":{"type":"object"}}]"#,
        "gen_ai.input.messages": HI,
        "gen_ai.output.messages":
            r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"get_weather","arguments":{"city":"Paris"}}]}]"#,
        "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 5, "gen_ai.app.name": "shop", "gen_ai.is_entry": true,
    }));
    let input = r#"{"name": "get_weather", "description": "weather", "parameters": {"city": "Paris"}}"#;
    let output = r#"{"id": "c1", "name": "get_weather", "response": {"result": "26C"}}"#;
    let tool = json!({
        "gen_ai.span.kind": "tool", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.input": input, "gen_ai.tool.output": output, "cozeloop.input": input, "cozeloop.report.source": "veadk",
    });
    span("veadk", "execute_tool get_weather", tool).becomes(json!({
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather", "gen_ai.tool.description": "weather",
        "gen_ai.tool.call.id": "c1", "gen_ai.tool.call.arguments": r#"{"city":"Paris"}"#,
        "gen_ai.tool.call.result": r#"{"result":"26C"}"#, "cozeloop.input": input, "cozeloop.report.source": "veadk",
        "gen_ai.is_entry": true,
    }));
}

#[test]
fn cozeloop_model() {
    let model = json!({
        "cozeloop.span_type": "model", "cozeloop.workspace_id": "w-1", "gen_ai.request.model": "doubao-pro",
        "cozeloop.input": r#"{"messages": [{"role": "user", "content": "hi"}], "tools": [{"type": "function", "function": {"name": "f"}}]}"#,
        "cozeloop.output": r#"{"choices": [{"finish_reason": "stop", "index": 0, "message": {"role": "assistant", "content": "Hello"}}]}"#,
        "cozeloop.stream": true, "cozeloop.time_to_first_token": 250_000, "cozeloop.prompt_key": "greet", "user_id": "u-1",
        "cozeloop.status_code": 5,
    });
    let model = span("my-app", "doubao", model);
    model.becomes(json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "volcengine.ark", "gen_ai.request.model": "doubao-pro",
        "gen_ai.input.messages": HI, "gen_ai.output.messages": HELLO, "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.tool.definitions": r#"[{"type":"function","name":"f"}]"#, "gen_ai.request.stream": true,
        "gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.prompt.name": "greet", "user.id": "u-1", "error.type": "_OTHER",
        "cozeloop.workspace_id": "w-1", "cozeloop.status_code": 5, "gen_ai.is_entry": true,
    }));
    assert_eq!(model.out(Profile::OTEL)["status"]["code"], 2);
}

#[test]
fn arms_counts_nanoseconds_and_sentry_seconds() {
    span(
        "loongsuite.instrumentation.openai",
        "chat qwen-max",
        json!({
            "gen_ai.span.kind": "LLM", "gen_ai.model_name": "qwen-max", "gen_ai.response.time_to_first_token": 250_000_000,
            "gen_ai.prompts.0.role": "user", "gen_ai.prompts.0.content": "hi", "gen_ai.completions.0.content": "Hello",
            "gen_ai.request.parameters": r#"{"temperature": 0.5}"#, "gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 1,
            "gen_ai.input.messages_ref": "oss://bucket/1",
        }),
    )
    .becomes(json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "qwen-max",
        "gen_ai.request.temperature": 0.5, "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.input.messages": HI, "gen_ai.output.messages": HELLO,
        "gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 1,
        "gen_ai.input.messages_ref": "oss://bucket/1", "gen_ai.is_entry": true,
    }));
    span("x", "chat", json!({"gen_ai.operation.name": "chat", "gen_ai.response.time_to_first_token": 2}))
        .becomes(json!({"gen_ai.operation.name": "chat", "gen_ai.response.time_to_first_chunk": 2.0, "gen_ai.is_entry": true}));
}

#[test]
fn the_entry_span_of_loongsuite_is_marked_even_below_one_that_says_false() {
    let span = |id: &str, parent: &str, attributes: Value| {
        json!({
            "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": id, "parentSpanId": parent, "name": "s",
            "startTimeUnixNano": "1", "endTimeUnixNano": "2", "attributes": key_values(&attributes),
        })
    };
    let is_entry = |kind: &str| {
        let outer = span("b7ad6b7169203331", "", json!({"gen_ai.operation.name": "invoke_workflow", "gen_ai.is_entry": false}));
        let inner = span("b7ad6b7169203332", "b7ad6b7169203331", json!({"gen_ai.span.kind": kind}));
        let body = json!({"resourceSpans": [{"scopeSpans": [{"scope": {"name": "x"}, "spans": [inner, outer]}]}]}).to_string();
        let out = genspan::convert(body.as_bytes(), &Convert::default()).unwrap();
        let out: Value = serde_json::from_slice(&out).unwrap();
        out["resourceSpans"][0]["scopeSpans"][0]["spans"][0].to_string().contains("gen_ai.is_entry")
    };
    assert!(is_entry("ENTRY"));
    assert!(!is_entry("CHAIN"));
}

#[test]
fn higress_logs_a_call_as_one_object() {
    let log = r#"{"model":"qwen-max","input_token":3,"output_token":1,"llm_first_token_duration":250,"question":"hi","answer":"Hello","consumer":"c"}"#;
    span("envoy", "ai", json!({"ai_log": log})).becomes(json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "alibaba_cloud.dashscope",
        "gen_ai.request.model": "qwen-max", "gen_ai.response.model": "qwen-max",
        "gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 1, "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.input.messages": HI, "gen_ai.output.messages": HELLO, "ai_log": log, "gen_ai.is_entry": true,
    }));
}

#[test]
fn edgeone_says_all_three_times() {
    let said = json!({
        "openinference.span.kind": "LLM", "langfuse.openinference.span.kind": "LLM", "gen_ai.span.kind": "generation",
        "langfuse.observation.type": "generation", "llm.model_name": "hunyuan-pro", "langfuse.llm.model_name": "hunyuan-pro",
        "llm.input_messages.0.message.role": "user", "langfuse.llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "hi", "langfuse.llm.input_messages.0.message.content": "hi",
        "llm.token_count.prompt": 3, "langfuse.llm.token_count.prompt": 3,
        "custom_key_1": "hunyuan-pro", "agent.conversation_id": "c-1", "agent.run_id": "r-1", "gen_ai.is_entry": true,
    });
    span("langfuse-sdk", "ChatOpenAI", said).becomes(json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "tencent.hunyuan", "gen_ai.request.model": "hunyuan-pro",
        "gen_ai.input.messages": HI, "gen_ai.usage.input_tokens": 3,
        "gen_ai.conversation.id": "c-1", "agent.run_id": "r-1", "gen_ai.is_entry": true,
    }));
}

#[test]
fn tapm_rerank_and_failed_tool() {
    span(
        "tapm.hook.dify",
        "rerank",
        json!({"gen_ai.span.kind": "reranker", "rerank.model_name": "bge-reranker", "rerank.query": "paris", "rerank.top_n": 3}),
    )
    .becomes(json!({
        "gen_ai.operation.name": "rerank", "gen_ai.request.model": "bge-reranker", "rerank.query": "paris", "rerank.top_n": 3,
        "gen_ai.is_entry": true,
    }));
    let tool = span("tapm.hook.langchain", "get_weather", json!({"gen_ai.span.kind": "tool", "tool_error": "no such city"}));
    tool.becomes(json!({"gen_ai.operation.name": "execute_tool", "error.type": "_OTHER", "gen_ai.is_entry": true}));
    assert_eq!(tool.out(Profile::OTEL)["status"], json!({"code": 2, "message": "no such city"}));
}

#[test]
fn galileo_puts_the_content_in_events() {
    let chat = Span {
        events: &[
            ("gen_ai.user.message", "message.detail", r#"{"role":"user","content":"hi"}"#),
            ("gen_ai.tools", "message.detail", r#"[{"type":"function","function":{"name":"f"}}]"#),
            ("gen_ai.choice", "message.detail", r#"{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hello"}}"#),
        ],
        ..span("galileo", "chat", json!({"gen_ai.span.kind": "LLM", "gen_ai.model_name": "hunyuan-pro", "gen_ai.session_id": "s-1"}))
    };
    chat.becomes(json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "tencent.hunyuan", "gen_ai.request.model": "hunyuan-pro",
        "gen_ai.input.messages": HI, "gen_ai.output.messages": HELLO, "gen_ai.tool.definitions": r#"[{"type":"function","name":"f"}]"#,
        "gen_ai.response.finish_reasons": ["stop"], "session.id": "s-1", "gen_ai.is_entry": true,
    }));
    assert_eq!(chat.out(Profile::OTEL)["events"], Value::Null);
}

#[test]
fn a_session_alone_makes_no_llm_span() {
    for key in ["gen_ai.session_id", "lc.metadata.thread_id", "cozeloop.report.source", "agent.conversation_id", "user_id"] {
        span("http", "GET /", json!({ key: "s-1" })).becomes(json!({ key: "s-1" }));
    }
}

#[test]
fn vllm_request() {
    span(
        "vllm.llm_engine",
        "llm_request",
        json!({
            "gen_ai.response.model": "Qwen/Qwen3-8B", "gen_ai.request.id": "cmpl-1", "gen_ai.request.n": 2, "gen_ai.request.max_tokens": 16,
            "gen_ai.usage.prompt_tokens": 7, "gen_ai.usage.completion_tokens": 16,
            "gen_ai.latency.time_to_first_token": 0.05, "gen_ai.latency.e2e": 0.4,
        }),
    )
    .becomes(json!({
        "gen_ai.operation.name": "chat", "gen_ai.response.model": "Qwen/Qwen3-8B", "gen_ai.response.id": "cmpl-1",
        "gen_ai.request.choice.count": 2, "gen_ai.request.max_tokens": 16,
        "gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 16,
        "gen_ai.response.time_to_first_chunk": 0.05, "gen_ai.latency.e2e": 0.4, "gen_ai.is_entry": true,
    }));
}

#[test]
fn langchain_s_metadata_without_a_prefix() {
    span(
        "my-tracer",
        "ChatOpenAI",
        json!({
            "ls_provider": "openai", "ls_model_name": "gpt-4o", "ls_model_type": "chat", "ls_temperature": "0.2", "ls_stop": "END",
            "langgraph.node.name": "planner", "langgraph_step": 2,
        }),
    )
    .becomes(json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.2, "gen_ai.request.stop_sequences": ["END"], "gen_ai.agent.name": "planner",
        "langgraph_step": 2, "gen_ai.is_entry": true,
    }));
}

#[test]
fn opensearch_sdk_writes_otel_s_own_keys() {
    let said = json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner", "gen_ai.input.messages": HI});
    let mut expected = said.clone();
    expected["gen_ai.is_entry"] = json!(true);
    span("opensearch-genai-observability-sdk-py", "invoke_agent planner", said).becomes(expected);
}
