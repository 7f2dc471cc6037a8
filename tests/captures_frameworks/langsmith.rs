//! LangSmith's export to OTel: a function that it traces, and LangChain below it, in an agent of LangGraph, a retriever and a stream.

use super::facts::{Fact::*, *};
use super::langchain::retrieval;
use super::{hold, hold_some};
use crate::facts;
use serde_json::{Value as Json, json};

fn whose() -> [Fact; 1] {
    says(json!({"user.id": "user-456", "gen_ai.conversation.id": "sess-1"}))
}

fn request(model: &str) -> Vec<Fact> {
    facts![chat("openai", model), whose(), says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))]
}

fn answered_whole() -> Vec<Fact> {
    facts![
        counts(),
        left(&["gen_ai.serialized.name", "langsmith.*"]),
        says(json!({
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.usage.audio.input_tokens": 0,
            "gen_ai.usage.audio.output_tokens": 0,
        }))
    ]
}

fn full() -> Vec<Fact> {
    facts![request("gpt-4o-mini"), answered_whole()]
}

fn step() -> Vec<Fact> {
    facts![chain(&["gen_ai.completion", "gen_ai.prompt", "langsmith.*"]), whose()]
}

/// Its one model's counts, once more.
fn counted_step() -> Vec<Fact> {
    facts![step(), says(json!({"gen_ai.aggregated_usage.input_tokens": 57, "gen_ai.aggregated_usage.output_tokens": 17}))]
}

/// LangSmith has the error as text.
fn error() -> Vec<Fact> {
    failed("Exception")
}

#[test]
fn newest() {
    let named = |mut message: Json| {
        message["name"] = "shop".into();
        message
    };
    let called_tool = || facts![tool(), left(&["langsmith.*"])];
    hold(
        "langsmith-py-0.15.1.agent.pb",
        vec![
            ("shop", step()),
            ("model", step()),
            ("ChatOpenAI", facts![full(), defined(parameters()), messages(json!([brief(), asked()]), json!([called()]), "tool_call")]),
            ("tools", step()),
            ("get_weather", facts![called_tool(), whose(), says(json!({"gen_ai.tool.call.id": "call_abc123"}))]),
            ("model", step()),
            (
                "ChatOpenAI",
                facts![
                    full(),
                    defined(parameters()),
                    messages(json!([brief(), asked(), named(called()), told(RESULT.into())]), json!([answered()]), "stop")
                ],
            ),
            ("Shelf", facts![retrieval(json!([{"content": "深圳: 26C", "metadata": {"source": "a"}}])), whose(), left(&["langsmith.*"])]),
            ("RunnableSequence", counted_step()),
            (
                "ChatPromptTemplate",
                facts![[Kind("TASK"), Left(&["gen_ai.completion", "gen_ai.prompt", "gen_ai.serialized.name", "langsmith.*"])], whose()],
            ),
            (
                "ChatOpenAI",
                facts![full(), messages(json!([brief(), asked()]), json!([answered()]), "stop"), says(json!({"gen_ai.response.id": null}))],
            ),
            ("shop", facts![step(), error()]),
            ("model", facts![step(), error()]),
            (
                "ChatOpenAI",
                facts![
                    request("boom"),
                    defined(parameters()),
                    error(),
                    left(&["gen_ai.serialized.name", "langsmith.*"]),
                    says(json!({"gen_ai.input.messages": [brief(), asked()], "gen_ai.output.messages": [text("assistant", "")]}))
                ],
            ),
            ("get_weather", facts![called_tool(), says(json!({"user.id": "user-456"}))]),
            (
                "support",
                facts![
                    step(),
                    entry(),
                    [InOut(json!({"question": "深圳天气如何?"}), json!({"output": RESULT}))],
                    says(json!({"gen_ai.conversation.id": null}))
                ],
            ),
            around(),
        ],
    );
}

/// A year before, the same but for LangGraph's steps, and without the tools.
#[test]
fn older() {
    let full = || facts![full(), left(&["gen_ai.serialized.name", "langsmith.*"])];
    let history = || {
        let mut history = history();
        history[2]["name"] = "shop".into();
        history
    };
    hold_some(
        "langsmith-py-0.4.60.agent.pb",
        |name| ["ChatOpenAI", "RunnableSequence", "Shelf", "support", "POST /chat"].contains(&name),
        vec![
            ("RunnableSequence", counted_step()),
            ("ChatOpenAI", facts![full(), messages(json!([brief(), asked()]), json!([called()]), "tool_call")]),
            ("RunnableSequence", counted_step()),
            ("ChatOpenAI", facts![full(), messages(history(), json!([answered()]), "stop")]),
            ("Shelf", facts![retrieval(json!([{"content": "深圳: 26C", "metadata": {"source": "a"}}])), whose(), left(&["langsmith.*"])]),
            ("RunnableSequence", counted_step()),
            (
                "ChatOpenAI",
                facts![full(), messages(json!([brief(), asked()]), json!([answered()]), "stop"), says(json!({"gen_ai.response.id": null}))],
            ),
            ("RunnableSequence", facts![step(), error()]),
            (
                "ChatOpenAI",
                facts![
                    request("boom"),
                    error(),
                    left(&["gen_ai.serialized.name", "langsmith.*"]),
                    says(json!({"gen_ai.input.messages": [brief(), asked()], "gen_ai.output.messages": [text("assistant", "")]}))
                ],
            ),
            ("support", facts![step(), entry(), says(json!({"gen_ai.conversation.id": null}))]),
            around(),
        ],
    );
}

/// Its wrapper of OpenAI, below a function that the application marks as its entry, which every run inherits.
#[test]
fn openai_in_its_wrapper() {
    let full = || {
        facts![
            chat("openai", "gpt-4o-mini"),
            answered_whole(),
            says(json!({"openai.response.service_tier": "default", "openai.response.system_fingerprint": "fp_1"}))
        ]
    };
    let thought = json!({"role": "assistant", "parts": [{"type": "reasoning", "content": "ask the tool"}]});
    hold(
        "langsmith-py-0.15.1.openai.pb",
        vec![
            (
                "ChatOpenAI",
                facts![
                    full(),
                    defined(parameters()),
                    messages(json!([brief(), asked()]), json!([called()]), "tool_call"),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            ("ChatOpenAI", facts![full(), defined(parameters()), messages(history(), json!([answered()]), "stop")]),
            (
                "ChatOpenAI",
                facts![
                    full(),
                    messages(json!([brief(), asked()]), json!([answered()]), "stop"),
                    says(json!({"gen_ai.request.stream": true}))
                ],
            ),
            (
                "ChatOpenAI",
                facts![
                    chat("openai", "boom"),
                    error(),
                    left(&["gen_ai.completion", "gen_ai.serialized.name", "langsmith.*"]),
                    says(json!({"gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            // The Responses API.
            (
                "ChatOpenAI",
                facts![
                    full(),
                    instructed("be brief"),
                    defined(parameters()),
                    messages(json!([asked()]), json!([thought, called()]), "stop"),
                    says(json!({
                        "gen_ai.response.id": "resp_1",
                        "gen_ai.usage.audio.input_tokens": null,
                        "gen_ai.usage.audio.output_tokens": null,
                        "openai.response.service_tier": null,
                        "openai.response.system_fingerprint": null,
                    }))
                ],
            ),
            ("support", facts![chain(&["gen_ai.completion", "gen_ai.prompt", "langsmith.*"]), entry()]),
            around(),
        ],
    );
}
