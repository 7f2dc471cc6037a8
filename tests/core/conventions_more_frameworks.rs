//! Spans of agent frameworks and coding agents as their SDKs write them, and what profile `otel` makes of each, whole.
//! The single rows of the tables are walked by `tests/conventions`.

use genspan::internals::config::{Convert, Format, Profile};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span::Event};
use prost::Message;
use serde_json::{Map, Value as Json, json};

const START: u64 = 1_767_225_600_000_000_000;

fn to_any(json: &Json) -> AnyValue {
    let value = match json {
        Json::Bool(b) => Value::BoolValue(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::DoubleValue(n.as_f64().unwrap()), Value::IntValue),
        Json::Array(items) => Value::ArrayValue(ArrayValue { values: items.iter().map(to_any).collect() }),
        Json::String(text) => Value::StringValue(text.clone()),
        other => Value::StringValue(other.to_string()),
    };
    AnyValue { value: Some(value) }
}

/// JSON text reads as what it says.
fn from_any(value: &AnyValue) -> Json {
    match value.value.as_ref().unwrap() {
        Value::BoolValue(b) => json!(b),
        Value::IntValue(n) => json!(n),
        Value::DoubleValue(n) => json!(n),
        Value::StringValue(text) if text.starts_with(['[', '{']) => serde_json::from_str(text).unwrap_or(json!(text)),
        Value::StringValue(text) => json!(text),
        Value::ArrayValue(list) => list.values.iter().map(from_any).collect(),
        other => panic!("{other:?}"),
    }
}

/// An object stands for its JSON text.
fn key_values(attributes: &Json) -> Vec<KeyValue> {
    let pair = |(key, value): (&String, &Json)| KeyValue { key: key.clone(), value: Some(to_any(value)), ..Default::default() };
    attributes.as_object().unwrap().iter().map(pair).collect()
}

/// What becomes of a span: its attributes, the names of its events, and whether it failed.
fn normalised(scope: &str, name: &str, attributes: Json, events: &[(&str, Json)]) -> (Json, Vec<String>, bool) {
    let event = |(name, attributes): &(&str, Json)| Event {
        time_unix_nano: START + 250_000_000,
        name: (*name).into(),
        attributes: key_values(attributes),
        ..Default::default()
    };
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        // Not of interest here: an entry gets a mark.
        parent_span_id: vec![3; 8],
        name: name.into(),
        start_time_unix_nano: START,
        end_time_unix_nano: START + 1_000_000_000,
        attributes: key_values(&attributes),
        events: events.iter().map(event).collect(),
        ..Default::default()
    };
    let scope = InstrumentationScope { name: scope.into(), ..Default::default() };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans: vec![span], ..Default::default() }];
    let request = ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] };
    let convert = Convert { profile: Profile::OTEL, from: Format::Protobuf, ..Default::default() };
    let out = genspan::convert(&request.encode_to_vec(), &convert).unwrap();
    let span = ExportTraceServiceRequest::decode(&out[..]).unwrap().resource_spans.remove(0).scope_spans.remove(0).spans.remove(0);
    let mut attributes: Map<String, Json> = span.attributes.iter().map(|a| (a.key.clone(), from_any(a.value.as_ref().unwrap()))).collect();
    attributes.remove("gen_ai.is_entry");
    let failed = span.status.as_ref().is_some_and(|s| s.code == 2);
    (Json::Object(attributes), span.events.into_iter().map(|e| e.name).collect(), failed)
}

#[track_caller]
fn becomes(scope: &str, name: &str, attributes: Json, events: &[(&str, Json)], mut expected: Json) {
    crate::conventions_platforms::with_reasons(&mut expected);
    let (found, left, failed) = normalised(scope, name, attributes, events);
    assert_eq!((found, left, failed), (expected, vec![], false));
}

fn text(content: &str) -> Json {
    json!({"type": "text", "content": content})
}

fn call() -> Json {
    json!({"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"city": "Paris"}})
}

fn schema() -> Json {
    json!({"type": "object", "properties": {"city": {"type": "string"}}})
}

fn definitions() -> Json {
    json!([{"type": "function", "name": "get_weather", "description": "weather of a city", "parameters": schema()}])
}

#[test]
fn google_adk_call_llm() {
    let request = json!({
        "model": "gemini-2.0-flash",
        "config": {
            "temperature": 0.2,
            "system_instruction": "be brief",
            "tools": [{"function_declarations": [{"name": "get_weather", "description": "weather of a city", "parameters": schema()}]}],
        },
        "contents": [{"parts": [{"text": "Paris?"}], "role": "user"}],
    });
    let response = json!({
        "content": {"parts": [{"function_call": {"id": "c1", "args": {"city": "Paris"}, "name": "get_weather"}}], "role": "model"},
        "finish_reason": "STOP",
        "usage_metadata": {
            "prompt_token_count": 57, "candidates_token_count": 9, "thoughts_token_count": 8,
            "cached_content_token_count": 32, "total_token_count": 74,
        },
    });
    becomes(
        "gcp.vertex.agent",
        "call_llm",
        json!({
            "gen_ai.system": "gcp.vertex.agent",
            "gen_ai.request.model": "gemini-2.0-flash",
            "gcp.vertex.agent.invocation_id": "e-1",
            "gcp.vertex.agent.session_id": "s-1",
            "gcp.vertex.agent.llm_request": request,
            "gcp.vertex.agent.llm_response": response,
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 9,
            "gen_ai.response.finish_reasons": ["stop"],
        }),
        &[],
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.request.model": "gemini-2.0-flash",
            "gen_ai.request.temperature": 0.2,
            "gen_ai.system_instructions": [text("be brief")],
            "gen_ai.tool.definitions": definitions(),
            "gen_ai.input.messages": [{"role": "user", "parts": [text("Paris?")]}],
            "gen_ai.output.messages": [{"role": "assistant", "parts": [call()]}],
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.cache_read.input_tokens": 32,
            // 9 of the candidates and 8 of the thoughts.
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.reasoning.output_tokens": 8,
            "session.id": "s-1",
            "gcp.vertex.agent.invocation_id": "e-1",
        }),
    );
}

#[test]
fn google_adk_tool_without_captured_content() {
    becomes(
        "gcp.vertex.agent",
        "execute_tool get_weather",
        json!({
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.type": "FunctionTool",
            "gen_ai.tool.call.id": "<not specified>",
            "gcp.vertex.agent.tool_call_args": "{}",
            "gcp.vertex.agent.tool_response": "{}",
            "gcp.vertex.agent.llm_request": "{}",
            "gcp.vertex.agent.llm_response": "{}",
        }),
        &[],
        json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather", "gen_ai.tool.type": "function"}),
    );
}

#[test]
fn strands_model_and_tool() {
    becomes(
        "strands.telemetry.tracer",
        "chat",
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "strands-agents",
            "gen_ai.request.model": "us.anthropic.claude-sonnet-4-20250514-v1:0",
            "gen_ai.event.start_time": "2026-01-01T00:00:00+00:00",
            "gen_ai.usage.prompt_tokens": 25,
            "gen_ai.usage.input_tokens": 25,
            "gen_ai.usage.completion_tokens": 17,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.total_tokens": 74,
            "gen_ai.usage.cache_read_input_tokens": 30,
            "gen_ai.usage.cache_write_input_tokens": 2,
            "gen_ai.server.time_to_first_token": 1500,
        }),
        &[
            ("gen_ai.user.message", json!({"content": json!([{"text": "Paris?"}]).to_string()})),
            (
                "gen_ai.choice",
                json!({
                    "finish_reason": "tool_use",
                    "message": json!([{"toolUse": {"toolUseId": "c1", "name": "get_weather", "input": {"city": "Paris"}}}]).to_string(),
                }),
            ),
        ],
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "aws.bedrock",
            "gen_ai.request.model": "us.anthropic.claude-sonnet-4-20250514-v1:0",
            "gen_ai.input.messages": [{"role": "user", "parts": [text("Paris?")]}],
            "gen_ai.output.messages": [{"role": "assistant", "parts": [call()]}],
            "gen_ai.response.finish_reasons": ["tool_call"],
            "gen_ai.response.time_to_first_chunk": 1.5,
            // Bedrock's 25 are without the cache; the total shows it.
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 30,
            "gen_ai.usage.cache_write.input_tokens": 2,
        }),
    );
    becomes(
        "strands.telemetry.tracer",
        "execute_tool get_weather",
        json!({
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.system": "strands-agents",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.id": "c1",
            "tool.status": "success",
        }),
        &[
            ("gen_ai.tool.message", json!({"role": "tool", "content": r#"{"city": "Paris"}"#, "id": "c1"})),
            ("gen_ai.choice", json!({"message": r#"[{"text": "26C"}]"#, "id": "c1"})),
        ],
        json!({
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.id": "c1",
            "gen_ai.tool.call.arguments": {"city": "Paris"},
            "gen_ai.tool.call.result": [{"text": "26C"}],
            "tool.status": "success",
        }),
    );
}

#[test]
fn strands_agent_repeats_the_usage_of_its_loop() {
    becomes(
        "strands.telemetry.tracer",
        "invoke_agent weather",
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.system": "strands-agents",
            "gen_ai.agent.name": "weather",
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
        }),
        &[],
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "weather",
            "gen_ai.aggregated_usage.input_tokens": 57,
            "gen_ai.aggregated_usage.output_tokens": 17,
        }),
    );
}

#[test]
fn a_value_proves_strands_under_another_scope() {
    let source = json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "strands-agents",
        "gen_ai.server.time_to_first_token": 1500,
    });
    let (found, ..) = normalised("my-app", "chat", source, &[]);
    assert_eq!(found, json!({"gen_ai.operation.name": "chat", "gen_ai.response.time_to_first_chunk": 1.5}));
}

#[test]
fn spring_ai_writes_text_only() {
    becomes(
        "org.springframework.boot",
        "spring_ai tool_call",
        json!({
            "gen_ai.operation.name": "framework",
            "gen_ai.system": "spring_ai",
            "spring.ai.kind": "tool_call",
            "spring.ai.tool.definition.name": "get_weather",
            "spring.ai.tool.definition.description": "weather of a city",
            "spring.ai.tool.definition.schema": schema(),
            "spring.ai.tool.call.arguments": r#"{"city": "Paris"}"#,
            "spring.ai.tool.call.result": "26C",
            "spring.ai.chat.client.conversation.id": "default",
        }),
        &[],
        json!({
            "gen_ai.operation.name": "execute_tool",
            "spring.ai.kind": "tool_call",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.description": "weather of a city",
            "gen_ai.tool.definitions": definitions(),
            "gen_ai.tool.call.arguments": {"city": "Paris"},
            "gen_ai.tool.call.result": "26C",
        }),
    );
    becomes(
        "org.springframework.boot",
        "vector_store query",
        json!({
            "spring.ai.kind": "vector_store",
            "db.operation.name": "query",
            "db.collection.name": "docs",
            "db.vector.query.content": "Paris?",
            "db.vector.query.top_k": "4",
            "db.vector.query.response.documents": r#"["26C", "rain"]"#,
        }),
        &[],
        json!({
            "gen_ai.operation.name": "retrieval",
            "spring.ai.kind": "vector_store",
            "db.operation.name": "query",
            "gen_ai.data_source.id": "docs",
            "gen_ai.retrieval.query.text": "Paris?",
            "gen_ai.retrieval.top_k": 4,
            "gen_ai.retrieval.documents": [{"content": "26C"}, {"content": "rain"}],
        }),
    );
}

#[test]
fn langchain4j_on_quarkus() {
    becomes(
        "io.quarkus.opentelemetry",
        "chat gpt-4o-mini",
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "open_ai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.temperature": "0.2",
            "gen_ai.response.finish_reasons": "TOOL_EXECUTION",
            "gen_ai.usage.input_tokens": "57",
        }),
        &[],
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.temperature": 0.2,
            "gen_ai.response.finish_reasons": ["tool_call"],
            "gen_ai.usage.input_tokens": 57,
        }),
    );
}

#[test]
fn semantic_kernel_of_dotnet() {
    becomes(
        "Microsoft.SemanticKernel.Diagnostics",
        "chat.completions gpt-4o-mini",
        json!({
            "gen_ai.operation.name": "chat.completions",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.finish_reason": "Stop, Length",
            "gen_ai.response.prompt_tokens": 57,
            "gen_ai.response.completion_tokens": 17,
            "sk.available_functions": "weather-get,time-get",
        }),
        &[
            ("gen_ai.user.message", json!({"gen_ai.system": "openai", "gen_ai.event.content": r#"{"role":"user","content":"Paris?"}"#})),
            (
                "gen_ai.choice",
                json!({"gen_ai.event.content": r#"{"index":0,"message":{"role":"assistant","content":"26C"},"finish_reason":"Stop"}"#}),
            ),
        ],
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.finish_reasons": ["stop", "length"],
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.input.messages": [{"role": "user", "parts": [text("Paris?")]}],
            "gen_ai.output.messages": [{"role": "assistant", "parts": [text("26C")]}],
            "sk.available_functions": "weather-get,time-get",
        }),
    );
}

#[test]
fn ms_agent_framework_workflow_and_agent() {
    becomes(
        "agent_framework",
        "workflow.run",
        json!({"workflow.id": "w1", "workflow.name": "shop", "workflow.description": "sells"}),
        &[],
        json!({
            "gen_ai.operation.name": "invoke_workflow",
            "workflow.id": "w1",
            "gen_ai.agent.name": "shop",
            "gen_ai.agent.description": "sells",
        }),
    );
    becomes(
        "agent_framework",
        "invoke_agent shop",
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "microsoft.agent_framework",
            "gen_ai.agent.name": "shop",
            "gen_ai.conversation.id": "t1",
            "gen_ai.usage.input_tokens": 57,
        }),
        &[],
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "shop",
            "gen_ai.conversation.id": "t1",
            "gen_ai.aggregated_usage.input_tokens": 57,
        }),
    );
}

#[test]
fn openlit_before_2026() {
    becomes(
        "openlit.instrumentation.openai",
        "chat gpt-4o-mini",
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.endpoint": "openai.chat.completions",
            "gen_ai.environment": "production",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.is_stream": false,
            "gen_ai.request.user": "u1",
            "gen_ai.server.ttft": 0.5,
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.prompt_tokens_details.cached_tokens": 32,
            "gen_ai.usage.cost": 0.001,
        }),
        &[
            ("gen_ai.content.prompt", json!({"gen_ai.prompt": "Paris?"})),
            ("gen_ai.content.completion", json!({"gen_ai.completion": "26C"})),
        ],
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.endpoint": "openai.chat.completions",
            "gen_ai.environment": "production",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.stream": false,
            "user.id": "u1",
            "gen_ai.response.time_to_first_chunk": 0.5,
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "gen_ai.usage.cost": 0.001,
            "gen_ai.input.messages": [{"role": "user", "parts": [text("Paris?")]}],
            "gen_ai.output.messages": [{"role": "assistant", "parts": [text("26C")]}],
        }),
    );
}

#[test]
fn openlit_words_and_parts_of_an_answer() {
    becomes(
        "openlit.instrumentation.mem0",
        "memory add",
        json!({"gen_ai.operation.name": "memory_add", "gen_ai.memory.user_id": "u1"}),
        &[],
        json!({"gen_ai.operation.name": "create_memory", "user.id": "u1"}),
    );
    becomes(
        "openlit.instrumentation.anthropic",
        "chat claude-sonnet-4",
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "claude-sonnet-4",
            "gen_ai.content.reasoning": "hm",
            "gen_ai.response.tool_calls": json!([{"id": "c1", "function": {"name": "get_weather", "arguments": r#"{"city":"Paris"}"#}}]).to_string(),
        }),
        &[],
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4",
            "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}, call()]}],
        }),
    );
}

#[test]
fn langtrace_chat() {
    becomes(
        "langtrace_python_sdk.instrumentation.openai",
        "openai.chat.completions.create",
        json!({
            "langtrace.sdk.name": "langtrace-python-sdk",
            "langtrace.service.name": "OpenAI",
            "langtrace.service.type": "llm",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response_id": "r1",
            "gen_ai.system_fingerprint": "fp",
            "gen_ai.request.tools": json!([{"type": "function", "function": {"name": "get_weather", "description": "weather of a city", "parameters": schema()}}]).to_string(),
            "gen_ai.headers": "{'Authorization': 'Bearer x'}",
            "http.max.retries": 2,
            "user_id": "u1",
        }),
        &[
            ("gen_ai.content.prompt", json!({"gen_ai.prompt": r#"[{"role": "user", "content": "Paris?"}]"#})),
            ("gen_ai.content.completion", json!({"gen_ai.completion": r#"[{"role": "assistant", "content": "26C"}]"#})),
        ],
        json!({
            "langtrace.sdk.name": "langtrace-python-sdk",
            "langtrace.service.type": "llm",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.id": "r1",
            "openai.response.system_fingerprint": "fp",
            "gen_ai.tool.definitions": definitions(),
            "user.id": "u1",
            "gen_ai.input.messages": [{"role": "user", "parts": [text("Paris?")]}],
            "gen_ai.output.messages": [{"role": "assistant", "parts": [text("26C")]}],
        }),
    );
}

#[test]
fn livekit_before_and_after_1_7() {
    for pii in ["", "pii."] {
        let key = |rest: &str| format!("lk.{pii}{rest}");
        becomes(
            "livekit-agents",
            "llm_node",
            json!({
                "gen_ai.request.model": "gpt-4o-mini",
                key("chat_ctx"): {"items": [{"id": "i1", "type": "message", "role": "user", "content": ["Paris?"]}]},
                key("response.text"): "let me see",
                key("response.function_calls"): [json!({"call_id": "c1", "name": "get_weather", "arguments": r#"{"city":"Paris"}"#}).to_string()],
                "lk.response.ttft": 0.5,
                "lk.speech_id": "speech_1",
            }),
            &[],
            json!({
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.input.messages": [{"role": "user", "parts": [text("Paris?")], "id": "i1"}],
                "gen_ai.output.messages": [{"role": "assistant", "parts": [text("let me see"), call()]}],
                "gen_ai.response.time_to_first_chunk": 0.5,
                "lk.speech_id": "speech_1",
            }),
        );
        becomes(
            "livekit-agents",
            "function_tool",
            json!({
                "lk.function_tool.name": "get_weather",
                "lk.function_tool.id": "c1",
                key("function_tool.arguments"): r#"{"city":"Paris"}"#,
                key("function_tool.output"): "26C",
                "lk.function_tool.is_error": false,
            }),
            &[],
            json!({
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "get_weather",
                "gen_ai.tool.call.id": "c1",
                "gen_ai.tool.call.arguments": {"city": "Paris"},
                "gen_ai.tool.call.result": "26C",
                "lk.function_tool.is_error": false,
            }),
        );
    }
}

#[test]
fn livekit_retries_are_not_counted_again() {
    let attributes =
        json!({"gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 57, "gen_ai.usage.input_cached_tokens": 32});
    let (request, ..) = normalised("livekit-agents", "llm_request", attributes.clone(), &[]);
    assert_eq!((&request["gen_ai.usage.input_tokens"], &request["gen_ai.usage.cache_read.input_tokens"]), (&json!(57), &json!(32)));
    let (attempt, ..) = normalised("livekit-agents", "llm_request_run", attributes, &[]);
    assert_eq!((&attempt["gen_ai.usage.input_tokens"], &attempt["gen_ai.aggregated_usage.input_tokens"]), (&Json::Null, &json!(57)));
}

#[test]
fn livekit_metrics_of_a_request_without_an_answer() {
    let metrics = json!({"prompt_tokens": 57, "completion_tokens": 0, "prompt_cached_tokens": 32, "ttft": -1, "metadata": {"model_name": "gpt-4o-mini"}});
    becomes(
        "livekit-agents",
        "llm_request",
        json!({"lk.llm_metrics": metrics}),
        &[],
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 0,
            "gen_ai.usage.cache_read.input_tokens": 32,
        }),
    );
}

#[test]
fn claude_code_request_and_tool() {
    becomes(
        "com.anthropic.claude_code.tracing",
        "claude_code.llm_request",
        json!({
            "span.type": "llm_request",
            "model": "claude-sonnet-4-5",
            "input_tokens": 25,
            "output_tokens": 17,
            "cache_read_tokens": 30,
            "cache_creation_tokens": 2,
            "stop_reason": "end_turn",
            "ttft_ms": 1500,
            "duration_ms": 2000,
            "success": true,
            "session.id": "s1",
            "user.email": "a@b.c",
        }),
        &[],
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 30,
            "gen_ai.usage.cache_write.input_tokens": 2,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.time_to_first_chunk": 1.5,
            "duration_ms": 2000,
            "success": true,
            "session.id": "s1",
        }),
    );
    becomes(
        "com.anthropic.claude_code.tracing",
        "claude_code.tool",
        json!({"span.type": "tool", "tool_name": "Bash", "tool_input": r#"{"command":"ls"}"#}),
        &[("tool.output", json!({"output": "a.txt"}))],
        json!({
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "Bash",
            "gen_ai.tool.call.arguments": {"command": "ls"},
            "gen_ai.tool.call.result": "a.txt",
        }),
    );
    let (failed, _, is_error) =
        normalised("com.anthropic.claude_code.tracing", "claude_code.tool", json!({"span.type": "tool", "success": false}), &[]);
    assert_eq!((&failed["error.type"], is_error), (&json!("_OTHER"), true));
}

#[test]
fn codex_turn() {
    becomes(
        "codex_cli_rs",
        "session_task.turn",
        json!({
            "model": "gpt-5-codex",
            "codex.turn.token_usage.input_tokens": 57,
            "codex.turn.token_usage.cached_input_tokens": 32,
            "codex.turn.token_usage.non_cached_input_tokens": 25,
            "codex.turn.token_usage.output_tokens": 17,
            "codex.turn.token_usage.reasoning_output_tokens": 8,
            "codex.turn.token_usage.total_tokens": 74,
            "codex.turn.reasoning_effort": "high",
            "busy_ns": 12,
        }),
        &[],
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.request.model": "gpt-5-codex",
            "gen_ai.request.reasoning.level": "high",
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.reasoning.output_tokens": 8,
            "busy_ns": 12,
        }),
    );
}

#[test]
fn gemini_cli_call() {
    becomes(
        "gemini-cli",
        "llm_call",
        json!({
            "gen_ai.operation.name": "llm_call",
            "gen_ai.agent.name": "gemini-cli",
            "gen_ai.request.model": "gemini-2.5-pro",
            "gen_ai.prompt.name": "s1########0",
            "gen_ai.conversation.id": "s1",
            "gen_ai.system_instructions": r#""be brief""#,
            "gen_ai.tool.definitions": json!([{"functionDeclarations": [{"name": "get_weather", "description": "weather of a city", "parameters": schema()}]}]).to_string(),
            "gen_ai.input.messages": json!([{"role": "user", "parts": [{"text": "Paris?"}]}]).to_string(),
            "gen_ai.output.messages": json!([{"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "get_weather", "args": {"city": "Paris"}}}]}]).to_string(),
        }),
        &[],
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.agent.name": "gemini-cli",
            "gen_ai.request.model": "gemini-2.5-pro",
            "gen_ai.prompt.name": "s1########0",
            "gen_ai.conversation.id": "s1",
            "gen_ai.system_instructions": [text("be brief")],
            "gen_ai.tool.definitions": definitions(),
            "gen_ai.input.messages": [{"role": "user", "parts": [text("Paris?")]}],
            "gen_ai.output.messages": [{"role": "assistant", "parts": [call()]}],
        }),
    );
}

#[test]
fn github_copilot_chat() {
    becomes(
        "copilot-chat",
        "chat gpt-4o",
        json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "github.copilot.turn": 1, "enduser.pseudo.id": "u1"}),
        &[],
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "github.copilot.turn": 1,
            "user.id": "u1",
        }),
    );
}
