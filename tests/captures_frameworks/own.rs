//! Strands, Google ADK and MLflow: with tracing of their own.

use super::facts::{Fact::*, *};
use super::hold;
use crate::facts;
use serde_json::{Value as Json, json};

#[test]
fn strands_with_events() {
    let blocks = || json!([{"text": RESULT}]);
    // No word of reasoning tokens.
    let usage =
        || facts![counts(), says(json!({"gen_ai.usage.reasoning.output_tokens": null, "gen_ai.response.time_to_first_chunk": "…"}))];
    let cycle = || facts![who(), [Kind("CHAIN"), Left(&["event_loop.cycle_id", "gen_ai.operation.name"])]];
    let shop = |model| {
        let says = says(json!({"gen_ai.request.model": model, "gen_ai.input.messages": [asked()]}));
        facts![agent("shop"), says, instructed("be brief"), entry(), who(), left(&["gen_ai.agent.tools"])]
    };
    let both = || {
        facts![
            both(),
            says(json!({"gen_ai.aggregated_usage.reasoning.output_tokens": null, "gen_ai.aggregated_usage.cache_write.input_tokens": 0}))
        ]
    };
    let history = || json!([asked(), called(), told(blocks())]);
    let error = || failed("openai.InternalServerError");
    hold(
        "strands-py-1.62.0.agent-events.pb",
        vec![
            (
                "chat",
                facts![
                    chat("openai", "gpt-4o-mini"),
                    usage(),
                    who(),
                    instructed("be brief"),
                    messages(json!([asked()]), json!([called()]), "tool_call")
                ],
            ),
            (
                "execute_tool get_weather",
                facts![
                    tool(),
                    who(),
                    left(&["gen_ai.tool.status"]),
                    defined(
                        json!({"properties": {"city": {"description": "Parameter city", "type": "string"}}, "required": ["city"], "type": "object"})
                    ),
                    says(json!({
                        "gen_ai.tool.call.id": "call_abc123",
                        "gen_ai.tool.description": "weather of a city",
                        "gen_ai.tool.call.result": blocks(),
                    }))
                ],
            ),
            (
                "execute_event_loop_cycle",
                facts![cycle(), says(json!({"gen_ai.input.messages": [asked()], "gen_ai.output.messages": [called(), told(blocks())]}))],
            ),
            (
                "chat",
                facts![
                    chat("openai", "gpt-4o-mini"),
                    usage(),
                    who(),
                    instructed("be brief"),
                    messages(history(), json!([answered()]), "stop")
                ],
            ),
            (
                "execute_event_loop_cycle",
                facts![
                    cycle(),
                    left(&["event_loop.cycle_id", "event_loop.parent_cycle_id", "gen_ai.operation.name"]),
                    says(json!({"gen_ai.input.messages": history()}))
                ],
            ),
            (
                "invoke_agent shop",
                facts![
                    shop("gpt-4o-mini"),
                    both(),
                    says(json!({
                        "gen_ai.output.messages": [text("assistant", "It is 26°C and sunny. 晴天。\n")],
                        "gen_ai.response.finish_reasons": ["stop"],
                    }))
                ],
            ),
            (
                "chat",
                facts![chat(Json::Null, "boom"), error(), who(), instructed("be brief"), says(json!({"gen_ai.input.messages": [asked()]}))],
            ),
            ("execute_event_loop_cycle", facts![cycle(), error(), says(json!({"gen_ai.input.messages": [asked()]}))]),
            ("invoke_agent shop", facts![shop("boom"), error()]),
            around(),
        ],
    );
    // In OTel's form, each part in a details event; a result is the user's there, and the reason is Bedrock's.
    let result = json!({"role": "user", "parts": [{"type": "tool_call_response", "id": "call_abc123", "response": [{"text": RESULT}]}]});
    let history = || json!([asked(), called(), result]);
    let shop = |model| {
        facts![
            shop(model),
            defined(
                json!({"type": "object", "properties": {"city": {"type": "string", "description": "Parameter city"}}, "required": ["city"]})
            )
        ]
    };
    hold(
        "strands-py-1.62.0.agent-details.pb",
        vec![
            (
                "chat",
                facts![
                    chat("openai", "gpt-4o-mini"),
                    usage(),
                    who(),
                    instructed("be brief"),
                    messages(json!([asked()]), ended(called(), "tool_use"), "tool_call")
                ],
            ),
            (
                "execute_tool get_weather",
                facts![
                    tool(),
                    who(),
                    left(&["gen_ai.tool.status"]),
                    defined(
                        json!({"properties": {"city": {"description": "Parameter city", "type": "string"}}, "required": ["city"], "type": "object"})
                    ),
                    says(json!({
                        "gen_ai.tool.call.id": "call_abc123",
                        "gen_ai.tool.description": "weather of a city",
                        "gen_ai.tool.call.result": blocks(),
                    }))
                ],
            ),
            // What the tool gave is in a second event of input.
            (
                "execute_event_loop_cycle",
                facts![
                    cycle(),
                    says(json!({"gen_ai.input.messages": [asked()]})),
                    [Events(&["gen_ai.client.inference.operation.details"])]
                ],
            ),
            (
                "chat",
                facts![
                    chat("openai", "gpt-4o-mini"),
                    usage(),
                    who(),
                    instructed("be brief"),
                    messages(history(), ended(answered(), "end_turn"), "stop")
                ],
            ),
            (
                "execute_event_loop_cycle",
                facts![
                    cycle(),
                    left(&["event_loop.cycle_id", "event_loop.parent_cycle_id", "gen_ai.operation.name"]),
                    says(json!({"gen_ai.input.messages": history()}))
                ],
            ),
            (
                "invoke_agent shop",
                facts![
                    shop("gpt-4o-mini"),
                    both(),
                    says(json!({
                        "gen_ai.output.messages": ended(text("assistant", "It is 26°C and sunny. 晴天。\n"), "end_turn"),
                        "gen_ai.response.finish_reasons": ["stop"],
                    }))
                ],
            ),
            (
                "chat",
                facts![chat(Json::Null, "boom"), error(), who(), instructed("be brief"), says(json!({"gen_ai.input.messages": [asked()]}))],
            ),
            ("execute_event_loop_cycle", facts![cycle(), error(), says(json!({"gen_ai.input.messages": [asked()]}))]),
            ("invoke_agent shop", facts![shop("boom"), error()]),
            around(),
        ],
    );
}

const ADK_SYSTEM: &str = "be brief\n\nYou are an agent. Your internal name is \"shop\". The description about you is \"answers\".";

/// Gemini's form of what the tool gave.
fn given() -> Json {
    json!({"result": RESULT})
}

#[test]
fn google_adk() {
    let schema = || json!({"type": "object", "title": "get_weatherParams", "properties": {"city": {"title": "City", "type": "string"}}, "required": ["city"]});
    let ids: &[&str] = &["gcp.vertex.agent.event_id", "gcp.vertex.agent.invocation_id"];
    let shop = || facts![agent("shop"), says(json!({"gen_ai.agent.description": "answers", "gen_ai.conversation.id": "sess-1"}))];
    let tool = || {
        facts![
            tool(),
            left(&["gcp.vertex.agent.event_id"]),
            says(json!({
                "gen_ai.tool.call.id": "call_abc123",
                "gen_ai.tool.description": "weather of a city",
                "gen_ai.tool.type": "function",
                "gen_ai.tool.call.result": given(),
                "gen_ai.agent.name": "shop",
            }))
        ]
    };
    let generate = |provider: &str, model| {
        let says = says(
            json!({"gen_ai.operation.name": "generate_content", "gen_ai.request.max_tokens": 64, "gen_ai.agent.name": "shop", "gen_ai.conversation.id": "sess-1"}),
        );
        facts![chat(provider, model), says, left(ids)]
    };
    let once_more = |output| {
        says(json!({
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.aggregated_usage.input_tokens": 57,
            "gen_ai.aggregated_usage.cache_read.input_tokens": 32,
            "gen_ai.aggregated_usage.output_tokens": output,
            "gen_ai.aggregated_usage.reasoning.output_tokens": 8,
        }))
    };
    // The user tells it, as Gemini has it.
    let result = || json!({"role": "user", "parts": [{"type": "tool_call_response", "id": "call_abc123", "response": given()}]});
    let thought = || json!({"role": "assistant", "parts": [{"type": "reasoning", "content": "ask the tool"}, called()["parts"][0]]});
    let invocation = || facts![says(json!({"gen_ai.operation.name": "invoke_workflow"})), [Kind("WORKFLOW")], entry()];

    // Up to 1 and on request: `call_llm` has the whole of it, and `generate_content` below says part of it once more. LiteLLM's output
    // holds the reasoning, which ADK adds again: the total shows it.
    for (file, provider, model, boom, answering, first, output, error, system) in [
        (
            "google-adk-py-2.13.0.litellm-v1.pb",
            "openai",
            "openai/gpt-4o-mini",
            "openai/boom",
            "gpt-4o-mini-2024-07-18",
            called(),
            25,
            "litellm.exceptions.InternalServerError",
            "openai",
        ),
        (
            "google-adk-py-2.13.0.gemini-v1.pb",
            "gcp.gemini",
            "gemini-2.5-flash",
            "gemini-boom",
            "gemini-2.5-flash-001",
            thought(),
            17,
            "google.genai.errors.ServerError",
            "gcp.gemini",
        ),
    ] {
        let call_llm = || {
            facts![
                chat(provider, model),
                counts(),
                instructed(ADK_SYSTEM),
                defined(schema()),
                left(ids),
                says(json!({
                    "gen_ai.response.model": answering,
                    "gen_ai.request.temperature": 0.3,
                    "gen_ai.request.max_tokens": 64,
                    "session.id": "sess-1",
                }))
            ]
        };
        hold(
            file,
            vec![
                (
                    if output == 25 { "generate_content openai/gpt-4o-mini" } else { "generate_content gemini-2.5-flash" },
                    facts![generate(system, model), once_more(output)],
                ),
                ("execute_tool get_weather", tool()),
                ("call_llm", facts![call_llm(), messages(json!([asked()]), json!([first]), "stop")]),
                (
                    if output == 25 { "generate_content openai/gpt-4o-mini" } else { "generate_content gemini-2.5-flash" },
                    facts![generate(system, model), once_more(output)],
                ),
                ("call_llm", facts![call_llm(), messages(json!([asked(), first, result()]), json!([answered()]), "stop")]),
                ("invoke_agent shop", shop()),
                ("invocation", invocation()),
                (
                    if output == 25 { "generate_content openai/boom" } else { "generate_content gemini-boom" },
                    facts![generate(system, boom), failed(error)],
                ),
                ("call_llm", facts![says(json!({"gen_ai.operation.name": "chat"})), [Kind("LLM")], failed(error)]),
                ("invoke_agent shop", facts![shop(), failed(error)]),
                ("invocation", facts![invocation(), failed(error)]),
                around(),
            ],
        );
    }

    // Since 2: OTel's form. ADK writes the thought as text.
    let first = || json!({"role": "assistant", "parts": [{"type": "text", "content": "ask the tool"}, called()["parts"][0]]});
    let full = |model| facts![generate("gcp.gemini", model), instructed(ADK_SYSTEM), defined(schema())];
    let workflow = || facts![invocation(), says(json!({"gen_ai.agent.name": "shop", "gen_ai.conversation.id": "sess-1"}))];
    let error = || failed("google.genai.errors.ServerError");
    hold(
        "google-adk-py-2.13.0.gemini.pb",
        vec![
            (
                "generate_content gemini-2.5-flash",
                facts![full("gemini-2.5-flash"), counts(), messages(json!([asked()]), ended(first(), "stop"), "stop")],
            ),
            ("execute_tool get_weather", tool()),
            (
                "generate_content gemini-2.5-flash",
                facts![
                    full("gemini-2.5-flash"),
                    counts(),
                    messages(json!([asked(), first(), result()]), ended(answered(), "stop"), "stop")
                ],
            ),
            ("invoke_agent shop", shop()),
            ("invoke_workflow shop", workflow()),
            ("generate_content gemini-boom", facts![full("gemini-boom"), error(), says(json!({"gen_ai.input.messages": [asked()]}))]),
            ("invoke_agent shop", facts![shop(), error()]),
            ("invoke_workflow shop", facts![workflow(), error()]),
            around(),
        ],
    );
}

#[test]
fn mlflow() {
    let rest: &[&str] = &["mlflow.message.format", "mlflow.spanLogLevel", "mlflow.traceRequestId"];
    let of_function: &[&str] = &["mlflow.spanFunctionName", "mlflow.spanLogLevel", "mlflow.traceRequestId"];
    let tools: &[&str] = &["mlflow.message.format", "mlflow.spanLogLevel", "mlflow.traceRequestId", "tools"];
    let full = || {
        facts![
            chat("openai", "gpt-4o-mini"),
            counts(),
            left(rest),
            says(json!({"gen_ai.response.model": "gpt-4o-mini-2024-07-18", "gen_ai.response.id": "chatcmpl-1"}))
        ]
    };
    // The whole answer says that none was audio.
    let no_audio = || says(json!({"gen_ai.usage.audio.input_tokens": 0, "gen_ai.usage.audio.output_tokens": 0}));
    let turns = || json!([brief(), asked(), called(), told(RESULT.into())]);
    hold(
        "mlflow-py-3.17.2.openai.pb",
        vec![
            (
                "search",
                facts![
                    [Kind("RETRIEVER")],
                    left(of_function),
                    says(json!({
                        "gen_ai.operation.name": "retrieval",
                        "gen_ai.retrieval.query.text": "深圳天气如何?",
                        "gen_ai.retrieval.documents": [{"content": "深圳: 26C", "metadata": {"source": "a"}}],
                    }))
                ],
            ),
            (
                "Completions",
                facts![
                    full(),
                    defined(parameters()),
                    messages(json!([brief(), asked()]), json!([called()]), "tool_call"),
                    no_audio(),
                    left(tools),
                    says(
                        json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64, "openai.response.service_tier": "default", "openai.response.system_fingerprint": "fp_1"})
                    )
                ],
            ),
            ("get_weather", facts![tool(), left(of_function)]),
            (
                "Completions",
                facts![
                    full(),
                    defined(parameters()),
                    messages(turns(), json!([answered()]), "stop"),
                    no_audio(),
                    left(&["mlflow.message.format", "mlflow.spanLogLevel", "mlflow.traceRequestId", "stream_options", "tools"]),
                    says(
                        json!({"gen_ai.request.stream": true, "gen_ai.response.time_to_first_chunk": "…", "openai.response.system_fingerprint": "fp_1"})
                    )
                ],
            ),
            (
                "shop",
                facts![
                    agent("shop"),
                    entry(),
                    [InOut(json!({"question": "深圳天气如何?"}), ANSWER.into())],
                    left(&[
                        "mlflow.spanFunctionName",
                        "mlflow.spanInputs",
                        "mlflow.spanLogLevel",
                        "mlflow.spanOutputs",
                        "mlflow.traceRequestId"
                    ])
                ],
            ),
            (
                "Responses",
                facts![
                    full(),
                    entry(),
                    instructed("be brief"),
                    messages(json!([asked()]), json!([answered()]), "stop"),
                    says(json!({"gen_ai.response.id": "resp_1"}))
                ],
            ),
            (
                "Embeddings",
                facts![
                    chat("openai", "text-embedding-3-small"),
                    entry(),
                    [Kind("EMBEDDING")],
                    says(json!({
                        "gen_ai.operation.name": "embeddings",
                        "gen_ai.response.model": "text-embedding-3-small",
                        "gen_ai.request.encoding_formats": ["float"],
                        "gen_ai.embeddings.dimension.count": 3,
                        "gen_ai.usage.input_tokens": 8,
                        "gen_ai.input.messages": [text("user", "深圳")],
                    })),
                    left(&["mlflow.spanLogLevel", "mlflow.spanOutputs", "mlflow.traceRequestId"])
                ],
            ),
            (
                "Completions",
                facts![
                    chat(Json::Null, "boom"),
                    entry(),
                    failed("InternalServerError"),
                    left(rest),
                    says(json!({"gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
        ],
    );
    // `MLFLOW_ENABLE_OTEL_GENAI_SEMCONV`: MLflow puts the answering model in the place of the requested one.
    let full = || {
        facts![
            chat("openai", "gpt-4o-mini-2024-07-18"),
            instructed("be brief"),
            left(&["model"]),
            says(json!({
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18", "gen_ai.response.id": "chatcmpl-1", "gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17}))
        ]
    };
    hold(
        "mlflow-py-3.17.2.openai-genai.pb",
        vec![
            ("RETRIEVER", facts![[Kind("RETRIEVER")], says(json!({"gen_ai.operation.name": "retrieval"}))]),
            (
                "chat gpt-4o-mini-2024-07-18",
                facts![
                    full(),
                    defined(parameters()),
                    messages(json!([asked()]), ended(called(), "tool_calls"), "tool_call"),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            ("execute_tool get_weather", tool()),
            (
                "chat gpt-4o-mini-2024-07-18",
                facts![
                    full(),
                    defined(parameters()),
                    messages(json!([asked(), called(), told(RESULT.into())]), ended(answered(), "stop"), "stop"),
                    left(&["model", "stream_options"]),
                    says(json!({"gen_ai.request.stream": true, "gen_ai.response.time_to_first_chunk": "…"}))
                ],
            ),
            ("invoke_agent shop", facts![agent("shop"), entry()]),
            (
                "chat gpt-4o-mini-2024-07-18",
                facts![
                    full(),
                    entry(),
                    messages(json!([asked()]), ended(answered(), "completed"), "stop"),
                    says(json!({"gen_ai.response.id": "resp_1"}))
                ],
            ),
            (
                "embeddings text-embedding-3-small",
                facts![
                    chat("openai", "text-embedding-3-small"),
                    entry(),
                    [Kind("EMBEDDING")],
                    says(json!({
                        "gen_ai.operation.name": "embeddings",
                        "gen_ai.response.model": "text-embedding-3-small",
                        "gen_ai.request.encoding_formats": ["float"],
                    }))
                ],
            ),
            (
                "chat",
                facts![
                    chat(Json::Null, "boom"),
                    entry(),
                    instructed("be brief"),
                    failed("InternalServerError"),
                    says(json!({"gen_ai.input.messages": [asked()]}))
                ],
            ),
        ],
    );
}
