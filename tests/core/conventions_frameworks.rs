//! Whole spans as the Vercel AI SDK, Genkit, Mastra, VoltAgent, Laminar, Flue, smolagents and LangWatch write them, and what goes
//! out for each under the profile `otel`.

use crate::conventions_platforms::{becomes, called, said, text, weather_tool};
use serde_json::json;

#[test]
fn vercel_call_of_a_model() {
    let tool = json!({"type": "function", "name": "get_weather", "description": "weather of a city", "inputSchema": {"type": "object"}});
    becomes(
        "ai",
        "ai.generateText.doGenerate",
        json!({
            "operation.name": "ai.generateText.doGenerate my-agent",
            "resource.name": "my-agent",
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.telemetry.functionId": "my-agent",
            "ai.model.provider": "openai.responses",
            "ai.model.id": "gpt-4o-mini",
            "ai.settings.maxRetries": 2,
            "ai.telemetry.metadata.sessionId": "sess-1",
            "ai.telemetry.metadata.userId": "user-1",
            "ai.telemetry.metadata.langfuseTraceId": "0af7651916cd43dd8448eb211c80319c",
            "ai.telemetry.metadata.langfusePrompt": r#"{"name":"weather","version":3}"#,
            "ai.request.headers.authorization": "Bearer sk-1",
            "ai.request.headers.x-team": "sz",
            "ai.prompt.messages": text(json!([{"role": "user", "content": [{"type": "text", "text": "Weather in Paris?"}]}])),
            "ai.prompt.tools": [text(tool)],
            "ai.prompt.toolChoice": r#"{"type":"auto"}"#,
            "ai.response.finishReason": "tool-calls",
            "ai.response.reasoning": "They ask for weather.",
            "ai.response.text": "Let me look.",
            "ai.response.toolCalls": text(json!([{"toolCallId": "call_1", "toolName": "get_weather", "input": r#"{"city":"Paris"}"#}])),
            "ai.response.id": "resp_1",
            "ai.response.model": "gpt-4o-mini-2024-07-18",
            "ai.response.msToFirstChunk": 250.0,
            "ai.response.timestamp": "2026-11-24T00:15:39.000Z",
            "ai.usage.inputTokens": 57,
            "ai.usage.outputTokens": 17,
            "ai.usage.totalTokens": 74,
            "ai.usage.reasoningTokens": 8,
            "ai.usage.cachedInputTokens": 32,
            "gen_ai.system": "openai.responses",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.temperature": 0.3,
            "gen_ai.response.finish_reasons": ["tool-calls"],
            "gen_ai.response.id": "resp_1",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.agent.name": "my-agent",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.temperature": 0.3,
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.response.id": "resp_1",
            "gen_ai.response.finish_reasons": ["tool_call"],
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "gen_ai.usage.reasoning.output_tokens": 8,
            "gen_ai.input.messages": said("user", "Weather in Paris?"),
            "gen_ai.output.messages": [{"role": "assistant", "parts": [
                {"type": "reasoning", "content": "They ask for weather."},
                {"type": "text", "content": "Let me look."},
                called()[0]["parts"][0],
            ]}],
            "gen_ai.tool.definitions": weather_tool(),
            "gen_ai.prompt.name": "weather",
            "gen_ai.prompt.version": "3",
            "session.id": "sess-1",
            "user.id": "user-1",
            // No field says these.
            "resource.name": "my-agent",
            "ai.settings.maxRetries": 2,
            "ai.request.headers.x-team": "sz",
            "ai.prompt.toolChoice": {"type": "auto"},
            "ai.response.timestamp": "2026-11-24T00:15:39.000Z",
        }),
    );
}

#[test]
fn vercel_root_under_the_scope_of_a_host() {
    becomes(
        "opencode",
        "ai.streamText",
        json!({
            "ai.operationId": "ai.streamText",
            "ai.model.provider": "anthropic.messages",
            "ai.model.id": "claude-sonnet-4-5",
            "ai.prompt": text(json!({"system": "Be brief.", "prompt": "Weather in Paris?"})),
            // Cut short.
            "ai.response.toolCalls": r#"[{"toolCallId":"call_1","toolN"#,
            "ai.response.text": "26C",
            "ai.response.finishReason": "stop",
            "ai.usage.inputTokens": 57,
            "ai.usage.outputTokens": 17,
            "ai.usage.totalTokens": 74,
        }),
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.input.messages": said("user", "Weather in Paris?"),
            "gen_ai.output.messages": said("assistant", "26C"),
            "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
            "gen_ai.aggregated_usage.input_tokens": 57,
            "gen_ai.aggregated_usage.output_tokens": 17,
            "ai.response.toolCalls": r#"[{"toolCallId":"call_1","toolN"#,
        }),
    );
}

/// 20 tokens that no cache held, 30 read from it, 2 written to it; 17 answered.
#[test]
fn vercel_counts_of_anthropic() {
    let usage = json!({"input_tokens": 20, "output_tokens": 17, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 30});
    let version_4 = json!({"anthropic": {"cacheCreationInputTokens": 2, "cacheReadInputTokens": 30}});
    let later = json!({"anthropic": {"usage": usage, "cacheCreationInputTokens": 2}});
    for (metadata, input, total) in [(version_4, 20, None), (later.clone(), 20, Some(37)), (later, 52, Some(69))] {
        let mut source = json!({
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.provider": "anthropic.messages",
            "gen_ai.usage.input_tokens": input,
            "gen_ai.usage.output_tokens": 17,
            "ai.response.providerMetadata": text(metadata),
        });
        let expected = json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.usage.input_tokens": 52,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 30,
            "gen_ai.usage.cache_write.input_tokens": 2,
        });
        if let Some(total) = total {
            source["ai.usage.totalTokens"] = json!(total);
        }
        becomes("ai", "ai.generateText.doGenerate", source, expected);
    }
}

#[test]
fn vercel_embeddings_and_tool() {
    becomes(
        "ai",
        "ai.embedMany.doEmbed",
        json!({
            "ai.operationId": "ai.embedMany.doEmbed",
            "ai.model.provider": "openai.embedding",
            "ai.model.id": "text-embedding-3-small",
            "ai.values": ["\"sunny\"", "\"rainy\""],
            "ai.embeddings": ["[0.1,0.2,0.3]", "[0.4,0.5,0.6]"],
            "ai.usage.tokens": 4,
        }),
        json!({
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.embeddings.dimension.count": 3,
            "gen_ai.usage.input_tokens": 4,
            "gen_ai.input.messages": [said("user", "sunny")[0], said("user", "rainy")[0]],
        }),
    );
    becomes(
        "ai",
        "ai.toolCall",
        json!({
            "ai.operationId": "ai.toolCall",
            "ai.toolCall.name": "get_weather",
            "ai.toolCall.id": "call_1",
            "ai.toolCall.args": r#"{"city":"Paris"}"#,
            "ai.toolCall.result": r#"{"celsius":26}"#,
        }),
        json!({
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": {"city": "Paris"},
            "gen_ai.tool.call.result": {"celsius": 26},
        }),
    );
}

#[test]
fn vercel_7_root() {
    becomes(
        "gen_ai",
        "invoke_agent my-agent",
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "my-agent",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_creation.input_tokens": 2,
            "gen_ai.client.operation.duration": 1.5,
            "gen_ai.client.operation.time_to_first_chunk": 0.25,
            "ai.settings.context.userId": "user-1",
            "ai.settings.context.tier": "gold",
        }),
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "my-agent",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.aggregated_usage.input_tokens": 57,
            "gen_ai.aggregated_usage.output_tokens": 17,
            "gen_ai.aggregated_usage.cache_write.input_tokens": 2,
            "user.id": "user-1",
            "ai.settings.context.tier": "gold",
        }),
    );
}

#[test]
fn genkit_model_and_retriever() {
    becomes(
        "genkit-tracer",
        "googleai/gemini-2.0-flash",
        json!({
            "genkit:type": "action",
            "genkit:metadata:subtype": "model",
            "genkit:name": "googleai/gemini-2.0-flash",
            "genkit:path": "/{chat,t:flow}/{googleai/gemini-2.0-flash,t:action,s:model}",
            "genkit:state": "success",
            "genkit:input": text(json!({
                "messages": [{"role": "user", "content": [{"text": "Weather in Paris?"}]}],
                "config": {"temperature": 0.3, "topP": 0.9, "maxOutputTokens": 100},
                "tools": [{"name": "get_weather", "description": "weather of a city", "inputSchema": {"type": "object"}}],
            })),
            "genkit:output": text(json!({
                "message": {"role": "model", "content": [{"toolRequest": {"ref": "call_1", "name": "get_weather", "input": {"city": "Paris"}}}]},
                "finishReason": "stop",
                "usage": {"inputTokens": 57, "outputTokens": 9, "thoughtsTokens": 8, "totalTokens": 74, "cachedContentTokens": 32},
            })),
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.request.model": "gemini-2.0-flash",
            "gen_ai.request.temperature": 0.3,
            "gen_ai.request.top_p": 0.9,
            "gen_ai.request.max_tokens": 100,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.input.messages": said("user", "Weather in Paris?"),
            "gen_ai.output.messages": called(),
            "gen_ai.tool.definitions": weather_tool(),
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "gen_ai.usage.reasoning.output_tokens": 8,
            "genkit:path": "/{chat,t:flow}/{googleai/gemini-2.0-flash,t:action,s:model}",
            "genkit:state": "success",
        }),
    );
    becomes(
        "genkit-tracer",
        "docs",
        json!({
            "genkit:type": "action",
            "genkit:metadata:subtype": "retriever",
            "genkit:input": text(json!({"query": {"content": [{"text": "Weather in Paris?"}]}, "options": {"k": 3}})),
            "genkit:output": text(json!({"documents": [{"content": [{"text": "It is "}, {"text": "sunny."}], "metadata": {"page": 7}}]})),
        }),
        json!({
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "Weather in Paris?",
            "gen_ai.retrieval.top_k": 3,
            "gen_ai.retrieval.documents": [{"content": "It is sunny.", "metadata": {"page": 7}}],
        }),
    );
}

#[test]
fn mastra_agent_and_step() {
    becomes(
        "@mastra/otel-exporter",
        "invoke_agent weather",
        json!({
            "mastra.span.type": "agent_run",
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "weather",
            "gen_ai.system_instructions": "Be brief.",
            "gen_ai.tool.definitions": r#"["get_weather","get_time"]"#,
            "mastra.agent_run.input": "Weather in Paris?",
            "mastra.agent_run.output": r#"{"text":"26C"}"#,
            "mastra.metadata.threadId": "thread-1",
            "mastra.metadata.resourceId": "user-1",
            "mastra.metadata.plan": "gold",
        }),
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "weather",
            "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
            "gen_ai.tool.definitions": [{"type": "function", "name": "get_weather"}, {"type": "function", "name": "get_time"}],
            "gen_ai.conversation.id": "thread-1",
            "user.id": "user-1",
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]}],
            "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "26C"}]}],
            "mastra.metadata.plan": "gold",
        }),
    );
    becomes(
        "@mastra/otel-exporter",
        "model_step",
        json!({
            "gen_ai.operation.name": "model_step",
            "mastra.span.type": "model_step",
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.cached_input_tokens": 32,
            "gen_ai.response.finish_reasons": r#"["tool-calls"]"#,
        }),
        json!({
            "mastra.span.type": "model_step",
            "gen_ai.aggregated_usage.input_tokens": 57,
            "gen_ai.aggregated_usage.cache_read.input_tokens": 32,
            "gen_ai.response.finish_reasons": ["tool_call"],
        }),
    );
}

#[test]
fn voltagent_call_of_a_model() {
    becomes(
        "@voltagent/core",
        "llm:streamText",
        json!({
            "entity.id": "weather",
            "entity.name": "weather",
            "entity.type": "agent",
            "span.type": "llm",
            "llm.model": "gpt-4o-mini",
            "llm.provider": "openai",
            "llm.temperature": 0.3,
            "llm.messages": text(json!([{"role": "user", "content": "Weather in Paris?"}])),
            "llm.usage.prompt_tokens": 57,
            "llm.usage.completion_tokens": 17,
            "llm.usage.cached_tokens": 32,
            "output": "26C",
            "conversation.id": "conv-1",
            "voltagent.operation_id": "op-1",
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.temperature": 0.3,
            "gen_ai.input.messages": said("user", "Weather in Paris?"),
            "gen_ai.output.messages": said("assistant", "26C"),
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "gen_ai.conversation.id": "conv-1",
            "entity.id": "weather",
            "entity.name": "weather",
            "entity.type": "agent",
            "voltagent.operation_id": "op-1",
        }),
    );
}

#[test]
fn laminar_replay() {
    becomes(
        "lmnr.tracer",
        "answer",
        json!({
            "lmnr.span.type": "CACHED",
            "lmnr.span.input": text(json!([{"role": "user", "content": "Weather in Paris?"}])),
            "lmnr.span.output": text(json!("26C")),
            "lmnr.span.path": ["chat", "answer"],
            "lmnr.internal.has_browser_session": true,
            "lmnr.association.properties.session_id": "sess-1",
            "aisdk.model.id": "gpt-4o-mini",
            "aisdk.model.provider": "openai",
            "gen_ai.usage.input_tokens": 57,
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.input.messages": said("user", "Weather in Paris?"),
            "gen_ai.output.messages": said("assistant", "26C"),
            "gen_ai.aggregated_usage.input_tokens": 57,
            "session.id": "sess-1",
            "lmnr.span.path": ["chat", "answer"],
        }),
    );
}

#[test]
fn flue_turn_and_tool() {
    let call = json!({"type": "toolCall", "id": "call_1", "name": "get_weather", "arguments": {"city": "Paris"}});
    becomes(
        "@flue/opentelemetry",
        "gen_ai.generate",
        json!({
            "flue.operation.id": "op-1",
            "flue.turn.id": "turn-1",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.provider.name": "openai",
            "flue.turn.input": text(json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Weather in Paris?"}]}]})),
            "flue.turn.output": text(json!({"role": "assistant", "content": [call]})),
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.provider.name": "openai",
            "gen_ai.input.messages": said("user", "Weather in Paris?"),
            "gen_ai.output.messages": called(),
            "flue.operation.id": "op-1",
            "flue.turn.id": "turn-1",
        }),
    );
    becomes(
        "@flue/opentelemetry",
        "flue.tool get_weather",
        json!({
            "flue.operation.id": "op-1",
            "flue.turn.id": "turn-1",
            "flue.tool.name": "get_weather",
            "flue.tool.call_id": "call_1",
            "flue.tool.arguments": r#"{"city":"Paris"}"#,
        }),
        json!({
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": {"city": "Paris"},
            "flue.operation.id": "op-1",
            "flue.turn.id": "turn-1",
        }),
    );
}

#[test]
fn smolagents_run() {
    becomes(
        "openinference.instrumentation.smolagents",
        "CodeAgent.run",
        json!({
            "openinference.span.kind": "AGENT",
            "input.value": r#"{"task":"Weather in Paris?","stream":false}"#,
            "output.value": "26C",
            "smolagents.task": "Weather in Paris?",
            "smolagents.max_steps": 20,
        }),
        json!({
            "gen_ai.operation.name": "invoke_agent",
            "input.value": {"task": "Weather in Paris?", "stream": false},
            "output.value": "26C",
            "smolagents.task": "Weather in Paris?",
            "smolagents.max_steps": 20,
        }),
    );
}

#[test]
fn langwatch_call_of_a_model() {
    becomes(
        "langwatch",
        "answer",
        json!({
            "langwatch.span.type": "llm",
            "gen_ai.request.model": "gpt-4o-mini",
            "langwatch.input": text(json!({"type": "chat_messages", "value": [{"role": "user", "content": "Weather in Paris?"}]})),
            "langwatch.output": text(json!({"type": "text", "value": "26C"})),
            "langwatch.metrics": text(json!({"type": "json", "value": {"promptTokens": 57, "completionTokens": 17, "cost": 0.001}})),
            "langwatch.params": text(json!({"temperature": 0.3})),
            "langwatch.timestamps": text(json!({"started_at": 0, "first_token_at": 250, "finished_at": 900})),
            "langwatch.thread.id": "thread-1",
            "langwatch.user.id": "user-1",
            "langwatch.customer.id": "acme",
        }),
        json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.temperature": 0.3,
            "gen_ai.input.messages": said("user", "Weather in Paris?"),
            "gen_ai.output.messages": said("assistant", "26C"),
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cost": 0.001,
            // The span begins one nanosecond after 1970.
            "gen_ai.response.time_to_first_chunk": 0.249999999,
            "gen_ai.conversation.id": "thread-1",
            "user.id": "user-1",
            "langwatch.timestamps": {"started_at": 0, "first_token_at": 250, "finished_at": 900},
            "langwatch.customer.id": "acme",
        }),
    );
}
