//! Spans of the Vercel AI SDK that a processor or an exporter wrote a second convention on: OpenInference's, Traceloop's, LangSmith's;
//! and LangSmith's own.

use super::facts::{Fact::*, *};
use super::hold;
use super::vercel::{OBJECT, answered_by, tool_defined};
use crate::facts;
use serde_json::{Value as Json, json};

/// A span of 6: whose it is, and what every span tells.
fn of(more: &'static [&'static str]) -> Vec<Fact> {
    facts![says(json!({"gen_ai.agent.name": "weather-agent"})), also(&["resource.name"]), also(more)]
}

/// A span that names a model.
fn asks(more: &'static [&'static str], model: &str) -> Vec<Fact> {
    let says = says(json!({"gen_ai.provider.name": "openai", "gen_ai.request.model": model}));
    facts![of(more), says, also(&["ai.settings.maxRetries"])]
}

fn chat_of(more: &'static [&'static str], model: &str) -> Vec<Fact> {
    facts![asks(more, model), [Kind("LLM")], says(json!({"gen_ai.operation.name": "chat"}))]
}

fn root_of(more: &'static [&'static str], model: &str) -> Vec<Fact> {
    facts![asks(more, model), [Kind("AGENT")], entry(), says(json!({"gen_ai.operation.name": "invoke_agent"}))]
}

/// The whole usage, which 6 tells in all its parts.
fn counted() -> Vec<Fact> {
    let says = says(json!({"gen_ai.usage.text.output_tokens": 9}));
    facts![counts(), says, also(&["ai.response.timestamp"])]
}

fn warm() -> [Fact; 1] {
    says(json!({"gen_ai.request.temperature": 0.3}))
}

fn once() -> [Fact; 1] {
    says(json!({
        "gen_ai.aggregated_usage.input_tokens": 57,
        "gen_ai.aggregated_usage.cache_read.input_tokens": 32,
        "gen_ai.aggregated_usage.output_tokens": 17,
        "gen_ai.aggregated_usage.reasoning.output_tokens": 8,
    }))
}

const CLIENT: &[&str] = &["ai.request.headers.user-agent"];

fn streamed() -> Vec<Fact> {
    let says = says(json!({"gen_ai.request.stream": true, "gen_ai.response.time_to_first_chunk": "…"}));
    facts![says, also(&["ai.response.avgOutputTokensPerSecond", "ai.response.msToFinish"])]
}

#[test]
fn by_openinference_2() {
    const MORE: &[&str] = &["metadata.sessionId", "metadata.userId"];
    let step = || {
        facts![
            chat_of(MORE, "gpt-4o-mini"),
            who(),
            warm(),
            tool_defined("get_weather"),
            answered_by("chatcmpl-1"),
            counted(),
            also(CLIENT),
            also(&["ai.prompt.toolChoice"])
        ]
    };
    let root = || {
        let said = also(&["ai.response.providerMetadata", "input.value", "llm.invocation_parameters", "output.value"]);
        // One name, beside an answer.
        let model = says(json!({"gen_ai.response.model": "gpt-4o-mini"}));
        let whole = messages(json!([asked()]), json!([answered()]), "stop");
        facts![root_of(MORE, "gpt-4o-mini"), who(), instructed("be brief"), model, whole, said]
    };
    let embeds = || facts![asks(MORE, "text-embedding-3-small"), who(), also(CLIENT), also(&["llm.invocation_parameters"])];
    hold(
        "openinference-vercel-js-2.8.1.vercel.pb",
        vec![
            (
                "ai.generateText.doGenerate weather-agent",
                facts![step(), messages(json!([brief(), asked()]), json!([called()]), "tool_call"), also(&["output.value"])],
            ),
            ("ai.toolCall weather-agent", facts![of(MORE), who(), tool(), says(json!({"gen_ai.tool.call.id": "call_abc123"}))]),
            ("ai.generateText.doGenerate weather-agent", facts![step(), messages(history(), json!([answered()]), "stop")]),
            ("ai.generateText weather-agent", facts![root(), both(), warm(), also(CLIENT)]),
            (
                "ai.streamText.doStream weather-agent",
                facts![
                    chat_of(MORE, "gpt-4o-mini"),
                    who(),
                    answered_by("chatcmpl-1"),
                    counted(),
                    streamed(),
                    messages(json!([brief(), asked()]), json!([answered()]), "stop"),
                    also(&[
                        "metadata.ai.response.avgOutputTokensPerSecond",
                        "metadata.ai.response.msToFinish",
                        "metadata.ai.response.msToFirstChunk"
                    ])
                ],
            ),
            ("ai.streamText weather-agent", facts![root(), once()]),
            (
                "ai.embed.doEmbed weather-agent",
                facts![
                    embeds(),
                    [Kind("EMBEDDING")],
                    says(json!({
                        "gen_ai.operation.name": "embeddings",
                        "gen_ai.usage.input_tokens": 8,
                        "gen_ai.embeddings.dimension.count": 3,
                        "gen_ai.input.messages": [text("user", "深圳")],
                    })),
                    also(&["embedding.embeddings.0.embedding.text"])
                ],
            ),
            (
                "ai.embed weather-agent",
                facts![
                    embeds(),
                    [Kind("CHAIN")],
                    entry(),
                    says(json!({"gen_ai.aggregated_usage.input_tokens": 8, "gen_ai.embeddings.dimension.count": 3})),
                    also(&["ai.operationId", "ai.value"])
                ],
            ),
            around(),
        ],
    );
}

#[test]
fn by_openinference_3() {
    const MORE: &[&str] = &["metadata.gen_ai.system_instructions"];
    let known = || facts![who(), also(&["metadata.sessionId", "metadata.userId"])];
    let step = || facts![chain(&["gen_ai.operation.name"]), known()];
    let model = || {
        facts![
            chat("openai", "gpt-4o-mini"),
            instructed("be brief"),
            answered_by("chatcmpl-1"),
            counts(),
            also(MORE),
            also(&["server.port"]),
            says(json!({"gen_ai.usage.reasoning.output_tokens": null, "server.address": "127.0.0.1"}))
        ]
    };
    let of_tool = || facts![model(), warm(), tool_defined("get_weather")];
    let root = |usage: Json, output: Json| {
        facts![
            agent("weather-agent"),
            entry(),
            known(),
            instructed("be brief"),
            messages(json!([asked()]), ended(output, "stop"), "stop"),
            says(usage),
            says(json!({
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o-mini",
                // One name, beside an answer.
                "gen_ai.response.model": "gpt-4o-mini",
            })),
            also(MORE),
            also(&["input.value", "output.value"])
        ]
    };
    let usage = |n: u32| {
        json!({
            "gen_ai.aggregated_usage.input_tokens": 57 * n,
            "gen_ai.aggregated_usage.cache_read.input_tokens": 32 * n,
            "gen_ai.aggregated_usage.output_tokens": 17 * n,
        })
    };
    let all = json!({"role": "assistant", "parts": [
        {"type": "text", "content": ANSWER},
        {"type": "tool_call", "id": "call_abc123", "name": "get_weather", "arguments": {"city": "深圳"}},
        {"type": "tool_call_response", "id": "call_abc123", "response": RESULT},
    ]});
    let embeds = || {
        let says = says(json!({
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.embeddings.dimension.count": 3,
        }));
        facts![[Kind("EMBEDDING")], known(), says, also(&["embedding.embeddings.0.embedding.text"])]
    };
    hold(
        "openinference-vercel-js-3.2.1.vercel.pb",
        vec![
            ("chat gpt-4o-mini", facts![of_tool(), messages(json!([asked()]), ended(called(), "tool_call"), "tool_call")]),
            (
                "execute_tool get_weather",
                facts![tool(), says(json!({"gen_ai.tool.call.id": "call_abc123", "gen_ai.tool.type": "function"}))],
            ),
            ("step 1", step()),
            (
                "chat gpt-4o-mini",
                facts![of_tool(), messages(json!([asked(), called(), told(RESULT.into())]), ended(answered(), "stop"), "stop")],
            ),
            ("step 2", step()),
            ("invoke_agent gpt-4o-mini", facts![root(usage(2), all), warm()]),
            (
                "chat gpt-4o-mini",
                facts![
                    model(),
                    messages(json!([asked()]), ended(answered(), "stop"), "stop"),
                    says(json!({"gen_ai.response.time_to_first_chunk": "…"})),
                    also(&["gen_ai.client.operation.time_per_output_chunk"])
                ],
            ),
            ("step 1", step()),
            ("invoke_agent gpt-4o-mini", root(usage(1), answered())),
            (
                "embeddings text-embedding-3-small",
                facts![embeds(), says(json!({"gen_ai.usage.input_tokens": 8, "gen_ai.input.messages": [text("user", "深圳")]}))],
            ),
            ("embeddings text-embedding-3-small", facts![embeds(), entry(), also(&["ai.value"])]),
            around(),
        ],
    );
}

#[test]
fn by_traceloop() {
    const MORE: &[&str] = &["ai.sdk.version"];
    let known = || facts![who(), says(json!({"gen_ai.conversation.id": "sess-1"}))];
    let model = || facts![chat_of(MORE, "gpt-4o-mini"), known(), answered_by("chatcmpl-1")];
    let full = || facts![model(), counted()];
    let step = || facts![full(), warm(), tool_defined("get_weather"), also(CLIENT), also(&["ai.prompt.toolChoice"])];
    let whole = |input: Json| messages(input, ended(answered(), "stop"), "stop");
    let root = || facts![root_of(MORE, "gpt-4o-mini"), known(), whole(json!([asked()]))];
    let object = |input: Json| messages(input, ended(text("assistant", OBJECT), "stop"), "stop");
    hold(
        "openllmetry-js-0.27.0.vercel.pb",
        vec![
            ("chat gpt-4o-mini", facts![step(), messages(json!([brief(), asked()]), ended(called(), "tool_call"), "tool_call")]),
            ("execute_tool get_weather", facts![of(MORE), known(), tool(), says(json!({"gen_ai.tool.call.id": "call_abc123"}))]),
            ("chat gpt-4o-mini", facts![step(), whole(history())]),
            // What was told to the system is not among what it writes.
            ("chat gpt-4o-mini", facts![root(), both(), warm(), also(CLIENT)]),
            ("chat gpt-4o-mini", facts![full(), streamed(), whole(json!([brief(), asked()]))]),
            ("chat gpt-4o-mini", facts![root(), once()]),
            (
                "chat gpt-4o-mini",
                facts![
                    model(),
                    object(json!([brief(), asked()])),
                    says(json!({"gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17})),
                    also(&["ai.response.timestamp"]),
                    also(CLIENT)
                ],
            ),
            (
                "chat gpt-4o-mini",
                facts![
                    asks(MORE, "gpt-4o-mini"),
                    [Kind("CHAIN")],
                    entry(),
                    known(),
                    object(json!([asked()])),
                    says(json!({
                        "gen_ai.output.type": "json",
                        "gen_ai.aggregated_usage.input_tokens": 57,
                        "gen_ai.aggregated_usage.output_tokens": 17,
                    })),
                    also(&["ai.operationId", "ai.schema"]),
                    also(CLIENT)
                ],
            ),
            (
                "chat boom",
                facts![
                    chat_of(MORE, "boom"),
                    known(),
                    failed("AI_APICallError"),
                    also(CLIENT),
                    says(json!({"gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            (
                "chat boom",
                facts![
                    root_of(MORE, "boom"),
                    known(),
                    failed("AI_APICallError"),
                    also(CLIENT),
                    says(json!({"gen_ai.input.messages": [asked()]}))
                ],
            ),
            around(),
        ],
    );
}

#[test]
fn by_langsmith() {
    const MORE: &[&str] = &["langsmith.trace.session_name"];
    const BELOW: &[&str] = &["langsmith.span.parent_id", "langsmith.traceable_parent_otel_span_id", "langsmith.trace.session_name"];
    // It moves what the application told to its own metadata; a session there is LangSmith's thread.
    let known = || says(json!({"user.id": "user-456", "gen_ai.conversation.id": "sess-1"}));
    let model = || facts![chat_of(BELOW, "gpt-4o-mini"), known(), answered_by("chatcmpl-1"), counted()];
    let step = || facts![model(), warm(), tool_defined("get_weather"), also(CLIENT), also(&["ai.prompt.toolChoice"])];
    let root = || {
        let said = also(&["ai.response.providerMetadata", "gen_ai.completion", "gen_ai.prompt", "langsmith.is_root"]);
        facts![root_of(MORE, "gpt-4o-mini"), known(), instructed("be brief"), messages(json!([asked()]), json!([answered()]), "stop"), said]
    };
    hold(
        "langsmith-js-0.12.0.vercel.pb",
        vec![
            (
                "ai.generateText.doGenerate",
                facts![step(), messages(json!([brief(), asked()]), json!([called()]), "tool_call"), also(&["gen_ai.completion"])],
            ),
            (
                "ai.toolCall",
                facts![of(BELOW), known(), tool(), also(&["langsmith.trace.name"]), says(json!({"gen_ai.tool.call.id": "call_abc123"}))],
            ),
            ("ai.generateText.doGenerate", facts![step(), messages(history(), json!([answered()]), "stop")]),
            ("ai.generateText", facts![root(), both(), warm(), also(CLIENT)]),
            ("ai.streamText.doStream", facts![model(), streamed(), messages(json!([brief(), asked()]), json!([answered()]), "stop")]),
            ("ai.streamText", facts![root(), once()]),
            (
                "ai.generateText.doGenerate",
                facts![
                    chat_of(BELOW, "boom"),
                    known(),
                    failed("AI_APICallError"),
                    also(CLIENT),
                    // It counts what did not come.
                    says(json!({
                        "gen_ai.input.messages": [brief(), asked()], "gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0}))
                ],
            ),
            (
                "ai.generateText",
                facts![
                    root_of(MORE, "boom"),
                    known(),
                    instructed("be brief"),
                    failed("AI_APICallError"),
                    also(CLIENT),
                    also(&["gen_ai.prompt", "langsmith.is_root"]),
                    says(json!({"gen_ai.input.messages": [asked()]}))
                ],
            ),
        ],
    );
}

#[test]
fn langsmith_runs() {
    const RUN: &[&str] = &[
        "langsmith.metadata.LANGSMITH_OTEL_ENABLED",
        "langsmith.metadata.LANGSMITH_OTEL_ONLY",
        "langsmith.metadata.LANGSMITH_TRACING",
        "langsmith.metadata.team",
        "langsmith.span.tags",
        "langsmith.trace.name",
        "langsmith.trace.session_name",
    ];
    const BELOW: &[&str] = &["langsmith.span.parent_id", "langsmith.traceable_parent_otel_span_id"];
    // A session of its metadata is a thread.
    let run = || facts![also(RUN), says(json!({"user.id": "user-456", "gen_ai.conversation.id": "sess-1"}))];
    let below = || facts![run(), also(BELOW)];
    let model = |id: &str| {
        facts![
            chat("openai", "gpt-4o-mini"),
            below(),
            answered_by(id),
            counts(),
            defined(parameters()),
            also(&["langsmith.metadata.ls_model_type"]),
            says(json!({"openai.response.service_tier": "default"}))
        ]
    };
    let whole = || facts![model("chatcmpl-1"), says(json!({"openai.response.system_fingerprint": "fp_1"}))];
    // Not all of its parameters have a name.
    let response = || facts![model("resp_1"), instructed("be brief"), also(&["langsmith.metadata.ls_invocation_params"])];
    let options = json!({
        "gen_ai.request.temperature": 0.3,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_tokens": 64,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ["END"],
    });
    let thought = || json!({"type": "reasoning", "content": "ask the tool"});
    let items = || json!([{"role": "assistant", "parts": [thought()]}, called()]);
    // Its exporter tells OK before it knows of the error.
    let broken = || facts![failed("Error"), below()];
    hold(
        "langsmith-js-0.12.0.openai.pb",
        vec![
            ("ChatOpenAI", facts![whole(), says(options), messages(json!([brief(), asked()]), json!([called()]), "tool_call")]),
            ("get_weather", facts![tool(), below()]),
            ("ChatOpenAI", facts![whole(), messages(history(), json!([answered()]), "stop")]),
            ("ChatOpenAI", facts![response(), says(json!({"gen_ai.request.max_tokens": 64})), messages(json!([asked()]), items(), "stop")]),
            (
                "ChatOpenAI",
                facts![
                    response(),
                    messages(
                        json!([asked(), {"role": "assistant", "parts": [thought()]}, called(), told(RESULT.into())]),
                        json!([answered()]),
                        "stop"
                    )
                ],
            ),
            (
                "search",
                facts![
                    [Kind("RETRIEVER")],
                    below(),
                    says(json!({
                        "gen_ai.operation.name": "retrieval",
                        "gen_ai.retrieval.query.text": "深圳",
                        "gen_ai.retrieval.documents": [{"content": "深圳: 26C", "metadata": {"source": "a"}}],
                    }))
                ],
            ),
            ("broken", facts![tool(), broken(), says(json!({"gen_ai.tool.name": "broken", "gen_ai.tool.call.result": null}))]),
            (
                "ChatOpenAI",
                facts![
                    chat("openai", "boom"),
                    broken(),
                    also(&["langsmith.metadata.ls_model_type"]),
                    says(json!({"gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            (
                "shop",
                facts![
                    run(),
                    entry(),
                    [Kind("CHAIN")],
                    also(&["gen_ai.completion", "gen_ai.prompt", "langsmith.is_root", "langsmith.span.kind"])
                ],
            ),
        ],
    );
}
