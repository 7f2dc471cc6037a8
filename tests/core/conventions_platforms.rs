//! Whole spans as LangSmith, Pydantic AI, Logfire, MLflow, LiteLLM, Braintrust, CrewAI, Sentry, Haystack, AutoGen and Opik
//! write them, and what goes out for each under the profile `otel`.

use genspan::internals::config::{Convert, Format, Profile};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::{Map, Value as Json, json};

fn to_any(json: &Json) -> AnyValue {
    let value = match json {
        Json::Bool(b) => Value::BoolValue(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::DoubleValue(n.as_f64().unwrap()), Value::IntValue),
        Json::String(s) => Value::StringValue(s.clone()),
        Json::Array(items) => Value::ArrayValue(ArrayValue { values: items.iter().map(to_any).collect() }),
        other => panic!("no attribute: {other}"),
    };
    AnyValue { value: Some(value) }
}

/// Text that is a JSON object or list is compared as such.
fn from_any(value: &AnyValue) -> Json {
    match value.value.as_ref().unwrap() {
        Value::BoolValue(b) => json!(b),
        Value::IntValue(n) => json!(n),
        Value::DoubleValue(n) => json!(n),
        Value::StringValue(s) => serde_json::from_str(s).ok().filter(|j: &Json| j.is_object() || j.is_array()).unwrap_or_else(|| json!(s)),
        Value::ArrayValue(list) => list.values.iter().map(from_any).collect(),
        other => panic!("no JSON: {other:?}"),
    }
}

/// The one span of a trace, as it goes out.
fn convert(scope: &str, name: &str, attributes: &Json, profile: Profile) -> Span {
    let key_value = |(key, value): (&String, &Json)| KeyValue { key: key.clone(), value: Some(to_any(value)), ..Default::default() };
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: name.into(),
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        attributes: attributes.as_object().unwrap().iter().map(key_value).collect(),
        ..Default::default()
    };
    let scope = Some(InstrumentationScope { name: scope.into(), ..Default::default() });
    let scope_spans = vec![ScopeSpans { scope, spans: vec![span], ..Default::default() }];
    let body = ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }.encode_to_vec();
    let out = genspan::convert(&body, &Convert { profile, from: Format::Protobuf, ..Default::default() }).unwrap();
    let mut out = ExportTraceServiceRequest::decode(&out[..]).unwrap();
    out.resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

fn attributes(span: &Span) -> Json {
    Json::Object(span.attributes.iter().map(|a| (a.key.clone(), from_any(a.value.as_ref().unwrap()))).collect::<Map<_, _>>())
}

/// Attributes as [`attributes`] shows them.
fn shown(source: &Json) -> Json {
    source.as_object().unwrap().iter().map(|(key, value)| (key.clone(), from_any(&to_any(value)))).collect::<Map<_, _>>().into()
}

/// Gives each message of an answer the reason that the span has for it.
pub fn with_reasons(expected: &mut Json) {
    let reasons = expected.get("gen_ai.response.finish_reasons").and_then(Json::as_array).cloned().unwrap_or_default();
    if let Some(messages) = expected.get_mut("gen_ai.output.messages").and_then(Json::as_array_mut) {
        for (message, reason) in messages.iter_mut().filter_map(Json::as_object_mut).zip(reasons) {
            message.entry("finish_reason").or_insert(reason);
        }
    }
}

/// All attributes that go out; a span of its own trace is the entry of it.
#[track_caller]
pub fn becomes(scope: &str, name: &str, source: Json, mut expected: Json) {
    expected["gen_ai.is_entry"] = json!(true);
    with_reasons(&mut expected);
    let found = attributes(&convert(scope, name, &source, Profile::OTEL));
    for key in expected.as_object().unwrap().keys().chain(found.as_object().unwrap().keys()) {
        assert_eq!(found.get(key), expected.get(key), "{key}");
    }
}

pub fn text(json: Json) -> Json {
    Json::from(json.to_string())
}

pub fn said(role: &str, text: &str) -> Json {
    json!([{"role": role, "parts": [{"type": "text", "content": text}]}])
}

pub fn weather_tool() -> Json {
    json!([{"type": "function", "name": "get_weather", "description": "weather of a city", "parameters": {"type": "object"}}])
}

const CALL: &str = r#"{"type":"tool_call","id":"call_1","name":"get_weather","arguments":{"city":"Paris"}}"#;

pub fn called() -> Json {
    json!([{"role": "assistant", "parts": [serde_json::from_str::<Json>(CALL).unwrap()]}])
}

#[test]
fn langsmith_model() {
    let message = |class: &str, kwargs: Json| json!({"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", class], "kwargs": kwargs});
    let answer = message(
        "AIMessage",
        json!({"content": "26C", "type": "ai", "response_metadata": {"finish_reason": "stop", "model_name": "gpt-4o-mini-2024-07-18"}}),
    );
    becomes(
        "langsmith",
        "ChatOpenAI",
        json!({
            "langsmith.span.kind": "llm",
            "gen_ai.operation.name": "chat",
            "langsmith.trace.session_id": "0f1c",
            "langsmith.trace.session_name": "my-project",
            "langsmith.span.dotted_order": "20260101T000000000000Z8d6c",
            "langsmith.span.tags": "seq:step:1, prod",
            "langsmith.traceable": "true",
            "langsmith.request.headers": "{'authorization': 'Bearer sk-1'}",
            "langsmith.metadata.ls_provider": "openai",
            "langsmith.metadata.ls_model_name": "gpt-4o-mini",
            "langsmith.metadata.ls_model_type": "chat",
            "langsmith.metadata.ls_temperature": "0.3",
            "langsmith.metadata.thread_id": "t-1",
            "gen_ai.system": "langchain",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.prompt": text(json!({"messages": [[
                message("SystemMessage", json!({"content": "Be brief.", "type": "system"})),
                message("HumanMessage", json!({"content": "Weather?", "type": "human"})),
            ]]})),
            "gen_ai.completion": text(json!({"generations": [[{"text": "26C", "message": answer}]]})),
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.total_tokens": 74,
            "gen_ai.usage.input_token_details": "{'audio': 0, 'cache_read': 32}",
            "gen_ai.usage.output_token_details": "{'audio': 0, 'reasoning': 8}",
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.temperature": 0.3,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.conversation.id": "t-1",
            "gen_ai.input.messages": [
                {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
                {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
            ],
            "gen_ai.output.messages": said("assistant", "26C"),
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "gen_ai.usage.audio.input_tokens": 0,
            "gen_ai.usage.reasoning.output_tokens": 8,
            "gen_ai.usage.audio.output_tokens": 0,
            "langsmith.trace.session_id": "0f1c",
            "langsmith.trace.session_name": "my-project",
            "langsmith.span.dotted_order": "20260101T000000000000Z8d6c",
            "langsmith.span.tags": "seq:step:1, prod",
            "langsmith.metadata.ls_model_type": "chat",
        }),
    );
}

#[test]
fn langsmith_retriever_says_the_type_of_its_run_as_the_operation() {
    becomes(
        "langsmith",
        "VectorStoreRetriever",
        json!({
            "langsmith.span.kind": "retriever",
            "gen_ai.operation.name": "retriever",
            "gen_ai.prompt": text(json!({"query": "Paris?"})),
            "gen_ai.completion": text(json!({"documents": [{"page_content": "Paris is in France.", "metadata": {"p": 1}, "type": "Document"}]})),
        }),
        json!({
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "Paris?",
            "gen_ai.retrieval.documents": [{"content": "Paris is in France.", "metadata": {"p": 1}}],
        }),
    );
}

#[test]
fn pydantic_ai_agent_of_version_2() {
    let asked = json!({"role": "user", "parts": [{"type": "text", "content": "Weather?"}]});
    let call = json!({"role": "assistant", "parts": [{"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}]});
    let told = json!({"role": "user", "parts": [{"type": "tool_call_response", "id": "call_1", "name": "get_weather", "result": "26C"}]});
    let answer = json!({"role": "assistant", "parts": [{"type": "thinking", "content": "easy"}, {"type": "text", "content": "26C"}]});
    becomes(
        "pydantic-ai",
        "agent run",
        json!({
            "model_name": "gpt-4o-mini",
            "agent_name": "weather",
            "gen_ai.usage.input_tokens": 114,
            "gen_ai.usage.output_tokens": 34,
            "gen_ai.usage.details.cache_read_tokens": 64,
            "pydantic_ai.all_messages": text(json!([asked, call, told, answer])),
            "final_result": "26C",
            "logfire.msg": "weather run",
            "logfire.json_schema": "{}",
        }),
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "weather",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.aggregated_usage.input_tokens": 114,
            "gen_ai.aggregated_usage.output_tokens": 34,
            "gen_ai.aggregated_usage.cache_read.input_tokens": 64,
            "gen_ai.input.messages": [
                asked,
                called()[0],
                {"role": "user", "parts": [{"type": "tool_call_response", "id": "call_1", "name": "get_weather", "response": "26C"}]},
            ],
            "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "reasoning", "content": "easy"}, {"type": "text", "content": "26C"}]}],
            "final_result": "26C",
            "logfire.msg": "weather run",
        }),
    );
}

#[test]
fn pydantic_ai_model_and_tool_of_version_1() {
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Paris"}}});
    becomes(
        "pydantic-ai",
        "chat gpt-4o-mini",
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "google-gla",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.details.thoughts_tokens": 8,
            "gen_ai.usage.details.text_prompt_tokens": 57,
            "operation.cost": 0.0007,
            "events": text(json!([
                {"event.name": "gen_ai.system.message", "content": "Be brief.", "role": "system", "gen_ai.message.index": 0},
                {"event.name": "gen_ai.user.message", "content": "Weather?", "role": "user", "gen_ai.message.index": 0},
                {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "tool_calls": [call]}},
            ])),
            "model_request_parameters": text(json!({
                "function_tools": [{"name": "get_weather", "description": "weather of a city", "parameters_json_schema": {"type": "object"}, "strict": null}],
                "output_mode": "text",
                "output_tools": [],
            })),
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gen_ai.output.type": "text",
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.reasoning.output_tokens": 8,
            "gen_ai.usage.text.input_tokens": 57,
            "gen_ai.usage.cost": 0.0007,
            "gen_ai.input.messages": [
                {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
                {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
            ],
            "gen_ai.output.messages": called(),
            "gen_ai.tool.definitions": weather_tool(),
            "model_request_parameters": {
                "function_tools": [{"name": "get_weather", "description": "weather of a city", "parameters_json_schema": {"type": "object"}, "strict": null}],
                "output_mode": "text",
                "output_tools": [],
            },
        }),
    );
    becomes(
        "pydantic-ai",
        "running tool",
        json!({"gen_ai.tool.name": "get_weather", "gen_ai.tool.call.id": "call_1", "tool_arguments": "{\"city\":\"Paris\"}", "tool_response": "26C"}),
        json!({
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": {"city": "Paris"},
            "gen_ai.tool.call.result": "26C",
        }),
    );
}

#[test]
fn logfire_openai() {
    becomes(
        "logfire.openai",
        "Chat Completion with {request_data[model]!r}",
        json!({
            "request_data": text(json!({
                "messages": [{"role": "user", "content": "Weather?"}],
                "model": "gpt-4o-mini",
                "temperature": 0.3,
                "tools": [{"type": "function", "function": {"name": "get_weather", "description": "weather of a city", "parameters": {"type": "object"}}}],
            })),
            "async": false,
            "gen_ai.system": "openai",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "response_data": text(json!({
                "message": {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}},
                ]},
                "usage": {"prompt_tokens": 57, "completion_tokens": 17, "total_tokens": 74, "prompt_tokens_details": {"cached_tokens": 32}},
            })),
            "logfire.msg": "Chat Completion with 'gpt-4o-mini'",
            "logfire.json_schema": "{}",
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.request.temperature": 0.3,
            "gen_ai.input.messages": said("user", "Weather?"),
            "gen_ai.output.messages": called(),
            "gen_ai.tool.definitions": weather_tool(),
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "logfire.msg": "Chat Completion with 'gpt-4o-mini'",
        }),
    );
}

#[test]
fn logfire_stream_and_items_of_the_responses_api() {
    let streamed = json!({
        "request_data": text(json!({"messages": [{"role": "user", "content": "Weather?"}], "model": "gpt-4o-mini", "stream": true})),
        "response_data": text(json!({"combined_chunk_content": "26C", "chunk_count": 3})),
    });
    let found = attributes(&convert("logfire.openai", "streaming response", &streamed, Profile::OTEL));
    assert_eq!(found["gen_ai.output.messages"], said("assistant", "26C"));
    assert_eq!(found["gen_ai.request.stream"], json!(true));
    assert_eq!(found.get("response_data"), None);
    let responses = json!({
        "gen_ai.request.model": "gpt-4o-mini",
        "events": text(json!([
            {"event.name": "gen_ai.user.message", "content": "Weather?", "role": "user"},
            {"event.name": "gen_ai.assistant.message", "content": "It is 26C.", "role": "assistant"},
        ])),
    });
    let found = attributes(&convert("logfire.openai", "Responses API", &responses, Profile::OTEL));
    assert_eq!(found["gen_ai.input.messages"], said("user", "Weather?"));
    assert_eq!(found["gen_ai.output.messages"], said("assistant", "It is 26C."));
    // What an agent answers with is no parameter of a call.
    let run = json!({"gen_ai.operation.name": "invoke_agent", "output_type": "str"});
    let found = attributes(&convert("logfire.openai_agents", "Agent run", &run, Profile::OTEL));
    assert_eq!((found.get("gen_ai.output.type"), &found["output_type"]), (None, &json!("str")));
}

#[test]
fn mlflow_model_and_tool() {
    becomes(
        "mlflow.openai.autolog",
        "Completions",
        json!({
            "mlflow.traceRequestId": "\"tr-1\"",
            "mlflow.spanType": "\"CHAT_MODEL\"",
            "mlflow.spanInputs": text(json!({"messages": [{"role": "user", "content": "Weather?"}], "model": "gpt-4o-mini", "temperature": 0.3})),
            "mlflow.spanOutputs": text(json!({
                "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
                "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "26C"}}],
            })),
            "mlflow.chat.tokenUsage": text(json!({"input_tokens": 57, "output_tokens": 17, "total_tokens": 74, "cache_read_input_tokens": 32})),
            "mlflow.chat.tools": text(json!([{"type": "function", "function": {"name": "get_weather", "description": "weather of a city", "parameters": {"type": "object"}}}])),
            "mlflow.llm.model": "\"gpt-4o-mini\"",
            "mlflow.llm.provider": "\"openai\"",
            "mlflow.llm.cost": text(json!({"input_cost": 0.25, "output_cost": 0.5, "total_cost": 0.75})),
            "mlflow.message.format": "\"openai\"",
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.temperature": 0.3,
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.input.messages": said("user", "Weather?"),
            "gen_ai.output.messages": said("assistant", "26C"),
            "gen_ai.tool.definitions": weather_tool(),
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "gen_ai.usage.cost": 0.75,
            "mlflow.llm.cost": {"input_cost": 0.25, "output_cost": 0.5, "total_cost": 0.75},
            "mlflow.message.format": "\"openai\"",
            "mlflow.traceRequestId": "\"tr-1\"",
        }),
    );
    becomes(
        "mlflow.tracing.fluent",
        "get_weather",
        json!({"mlflow.spanType": "\"TOOL\"", "mlflow.spanInputs": "{\"city\": \"Paris\"}", "mlflow.spanOutputs": "\"26C\""}),
        json!({
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.arguments": {"city": "Paris"},
            "gen_ai.tool.call.result": "26C",
        }),
    );
}

#[test]
fn litellm_request() {
    becomes(
        "litellm",
        "litellm_request",
        json!({
            "llm.request.type": "acompletion",
            "gen_ai.framework": "litellm",
            "gen_ai.system": "azure",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.max_tokens": "100",
            "llm.is_streaming": "False",
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "Weather?",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "26C",
            "gen_ai.completion.0.finish_reason": "stop",
            "gen_ai.usage.prompt_tokens": 57,
            "gen_ai.usage.completion_tokens": 17,
            "gen_ai.cost.total_cost": 0.25,
            "metadata.user_api_key_hash": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
            "metadata.user_api_key_user_id": "owner",
            "metadata.user_api_key_end_user_id": "u-1",
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "azure.ai.openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.max_tokens": 100,
            "gen_ai.request.stream": false,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.input.messages": said("user", "Weather?"),
            "gen_ai.output.messages": said("assistant", "26C"),
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cost": 0.25,
            "gen_ai.framework": "litellm",
            "user.id": "u-1",
            "metadata.user_api_key_user_id": "owner",
        }),
    );
}

#[test]
fn litellm_raw_request_is_a_plain_span() {
    let raw = json!({"llm.azure.messages": "[{'role': 'user', 'content': 'Weather?'}]", "llm.azure.usage": "{'prompt_tokens': 57}", "llm.azure.model": "gpt-4o-mini"});
    for profile in [Profile::OTEL, Profile::LANGFUSE, Profile::OPENINFERENCE, Profile::TENCENT] {
        assert_eq!(attributes(&convert("litellm", "raw_gen_ai_request", &raw, profile)), raw);
    }
    let constants = json!({"SpanAttributes.LLM_PROMPTS.0.role": "user", "SpanAttributes.LLM_PROMPTS.0.content": "Weather?"});
    let found = attributes(&convert("litellm", "litellm_request", &constants, Profile::OTEL));
    assert_eq!(found["gen_ai.input.messages"], said("user", "Weather?"));
}

#[test]
fn braintrust_model() {
    becomes(
        "braintrust",
        "Chat Completion",
        json!({
            "braintrust.parent": "project_name:shop",
            "braintrust.span_attributes": text(json!({"type": "llm"})),
            "braintrust.input_json": text(json!([{"role": "user", "content": "Weather?"}])),
            "braintrust.output_json": text(json!([{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "26C"}}])),
            "braintrust.metadata": text(json!({"model": "gpt-4o-mini", "provider": "openai", "temperature": 0.3, "team": "a"})),
            "braintrust.metrics": text(json!({"prompt_tokens": 57, "completion_tokens": 17, "tokens": 74, "prompt_cached_tokens": 32, "time_to_first_token": 0.25})),
            "braintrust.tags": ["prod"],
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.temperature": 0.3,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.input.messages": said("user", "Weather?"),
            "gen_ai.output.messages": said("assistant", "26C"),
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "braintrust.metadata": {"model": "gpt-4o-mini", "provider": "openai", "temperature": 0.3, "team": "a"},
            "braintrust.parent": "project_name:shop",
            "braintrust.tags": ["prod"],
        }),
    );
}

#[test]
fn crewai_task_and_crew() {
    becomes(
        "crewai.telemetry",
        "Task Execution",
        json!({"crewai_version": "0.203.1", "crew_key": "k", "crew_id": "c", "agent_role": "Researcher", "task_id": "t", "formatted_description": "Find it", "task_output": "Found"}),
        json!({
            "crew_key": "k",
            "crew_id": "c",
            "task_id": "t",
            "gen_ai.agent.name": "Researcher",
            "formatted_description": "Find it",
            "task_output": "Found",
        }),
    );
    let crew = |roles: &[&str]| {
        let agents: Json = roles.iter().map(|role| json!({"key": "k", "role": role, "goal": "g"})).collect();
        attributes(&convert("crewai.telemetry", "Crew Created", &json!({"crew_agents": text(agents)}), Profile::OTEL))
    };
    assert_eq!(crew(&["Researcher"])["gen_ai.agent.name"], json!("Researcher"));
    assert_eq!(crew(&["Researcher", "Writer"]).get("gen_ai.agent.name"), None);
}

#[test]
fn sentry_model() {
    becomes(
        "@sentry/node",
        "chat gpt-4o-mini",
        json!({
            "sentry.op": "gen_ai.chat",
            "sentry.origin": "auto.ai.openai",
            "gen_ai.operation.type": "ai_client",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.messages": text(json!([{"role": "user", "content": "Weather?"}])),
            "gen_ai.request.available_tools": text(json!([{"type": "function", "name": "get_weather", "description": "weather of a city", "parameters": {"type": "object"}}])),
            "gen_ai.response.text": text(json!(["Let me look."])),
            "gen_ai.response.tool_calls": text(json!([{"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}}])),
            "gen_ai.response.streaming": true,
            "gen_ai.response.tokens_per_second": 20.5,
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.input_tokens.cached": 32,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.output_tokens.reasoning": 8,
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.stream": true,
            "gen_ai.input.messages": said("user", "Weather?"),
            "gen_ai.output.messages": [{"role": "assistant", "parts": [
                {"type": "text", "content": "Let me look."},
                serde_json::from_str::<Json>(CALL).unwrap(),
            ]}],
            "gen_ai.tool.definitions": weather_tool(),
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "gen_ai.usage.reasoning.output_tokens": 8,
            "sentry.op": "gen_ai.chat",
            "sentry.origin": "auto.ai.openai",
        }),
    );
}

#[test]
fn sentry_text_in_every_form() {
    for response in ["26C", r#""26C""#, r#"["26C"]"#, r#"{"content":"26C"}"#, r#"[{"role":"assistant","content":"26C"}]"#] {
        let found = attributes(&convert("@sentry/node", "chat", &json!({"gen_ai.response.text": response}), Profile::OTEL));
        assert_eq!(found["gen_ai.output.messages"], said("assistant", "26C"), "{response}");
    }
    let own_json = json!({"gen_ai.response.text": r#"{"city":"Paris"}"#});
    let found = attributes(&convert("@sentry/node", "chat", &own_json, Profile::OTEL));
    assert_eq!(found["gen_ai.output.messages"], said("assistant", r#"{"city":"Paris"}"#));
}

#[test]
fn haystack_components_are_known_by_their_class() {
    becomes(
        "haystack",
        "haystack.component.run",
        json!({
            "haystack.component.name": "llm",
            "haystack.component.type": "OpenAIChatGenerator",
            "haystack.component.visits": 1,
            "haystack.component.input": text(json!({"messages": [{"role": "user", "meta": {}, "name": null, "content": [{"text": "Weather?"}]}]})),
            "haystack.component.output": text(json!({"replies": [{
                "role": "assistant", "name": null, "content": [{"text": "26C"}],
                "meta": {"model": "gpt-4o-mini-2024-07-18", "index": 0, "finish_reason": "stop", "usage": {"prompt_tokens": 57, "completion_tokens": 17}},
            }]})),
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.input.messages": said("user", "Weather?"),
            "gen_ai.output.messages": said("assistant", "26C"),
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "haystack.component.name": "llm",
            "haystack.component.type": "OpenAIChatGenerator",
        }),
    );
    for (class, kind) in
        [("InMemoryBM25Retriever", "RETRIEVER"), ("OpenAIGenerator", "LLM"), ("DocumentJoiner", "CHAIN"), ("ChatPromptBuilder", "TASK")]
    {
        let found =
            attributes(&convert("haystack", "haystack.component.run", &json!({"haystack.component.type": class}), Profile::TENCENT));
        assert_eq!(found["gen_ai.span.kind"], json!(kind), "{class}");
    }
}

#[test]
fn autogen_runtime() {
    let source = json!({"messaging.operation": "process", "messaging.destination": "agent/default", "message": "{\"content\":\"hi\"}"});
    let found = attributes(&convert("autogen-core", "autogen process agent/default", &source, Profile::TENCENT));
    assert_eq!(found["gen_ai.span.kind"], json!("CHAIN"));
    assert_eq!(found["gen_ai.entity.input"], json!({"content": "hi"}));
    assert_eq!(found["messaging.operation"], json!("process"));
}

#[test]
fn bare_ids_are_read_on_spans_of_known_conventions_only() {
    let source = json!({"thread_id": "t-1", "user_id": "u-1", "error": true, "error.message": "it broke"});
    let span = convert("opik", "agent", &source, Profile::OTEL);
    let found = attributes(&span);
    assert_eq!((&found["gen_ai.conversation.id"], &found["user.id"]), (&json!("t-1"), &json!("u-1")));
    let status = span.status.unwrap();
    assert_eq!((status.code, &status.message[..]), (2, "it broke"));
    assert_eq!(attributes(&convert("my.app", "GET /", &source, Profile::OTEL)), source);
}

#[test]
fn what_travels_onto_other_spans_proves_nothing() {
    for (scope, source) in [
        ("my.app", json!({"braintrust.parent": "project_name:shop", "langsmith.metadata.team": "a", "langsmith.trace.name": "x"})),
        ("my.app", json!({"sentry.op": "http.client", "opik.tags": "a", "mlflow.trace.session": "s"})),
        ("logfire", json!({"logfire.msg": "GET /", "logfire.json_schema": "{}", "agent_name": "curl", "async": true})),
    ] {
        assert_eq!(attributes(&convert(scope, "GET /", &source, Profile::OTEL)), shown(&source));
    }
}
