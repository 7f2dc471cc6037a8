//! Anthropic's SDK, with its own tracing and through OpenInference and OpenLLMetry: both turns, a stream that thinks first, and a model
//! that does not work.

use super::facts::*;
use super::hold;
use crate::facts;
use serde_json::{Value as Json, json};

const ASKED_FOR: &str = "claude-sonnet-4-0";

fn request(model: &str) -> Vec<Fact> {
    facts![chat("anthropic", model), entry(), says(json!({"gen_ai.request.max_tokens": 64}))]
}

/// 25 input tokens beside the 32 that a cache held and the 5 that it took.
fn full() -> Vec<Fact> {
    facts![
        request(ASKED_FOR),
        says(json!({
            "gen_ai.response.model": "claude-sonnet-4-20250514",
            "gen_ai.response.id": "msg_1",
            "gen_ai.usage.input_tokens": 62,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "gen_ai.usage.cache_write.input_tokens": 5,
            "gen_ai.usage.output_tokens": 17,
        }))
    ]
}

fn calls() -> Json {
    json!({"role": "assistant", "parts": [
        {"type": "text", "content": "I ask."},
        {"type": "tool_call", "id": "toolu_1", "name": "get_weather", "arguments": {"city": "深圳"}},
    ]})
}

fn told_as(role: &str, response: Json) -> Json {
    json!({"role": role, "parts": [{"type": "tool_call_response", "id": "toolu_1", "response": response}]})
}

fn thinks(thought: Json) -> Json {
    json!({"role": "assistant", "parts": [thought, {"type": "text", "content": ANSWER}]})
}

#[test]
fn own_tracing() {
    let http: &[&str] = &["http.*", "server.port", "url.*"];
    let about = || facts![says(json!({"server.address": "127.0.0.1"})), instructed("be brief"), left(http)];
    let result = told_as("user", json!([{"type": "text", "text": RESULT}]));
    hold(
        "anthropic-py-2.14.0.messages.pb",
        vec![
            (
                "anthropic.messages.create",
                facts![
                    full(),
                    about(),
                    messages(json!([asked()]), json!([calls()]), "tool_call"),
                    says(json!({"gen_ai.request.stop_sequences": ["END"]}))
                ],
            ),
            (
                "anthropic.messages.create",
                facts![full(), about(), messages(json!([asked(), calls(), result]), json!([answered()]), "stop")],
            ),
            // What a stream said stays untold.
            (
                "anthropic.messages.create",
                facts![
                    full(),
                    about(),
                    messages(json!([asked()]), Json::Null, "stop"),
                    says(json!({"gen_ai.request.stream": true, "gen_ai.response.time_to_first_chunk": "…"})),
                    left(&["anthropic.thinking.*", "http.*", "server.port", "url.*"])
                ],
            ),
            (
                "anthropic.messages.create",
                facts![request("boom"), about(), says(json!({"gen_ai.input.messages": [asked()], "error.type": "server_error"}))],
            ),
            around(),
        ],
    );
}

#[test]
fn through_openinference() {
    let full = || facts![full(), left(&["llm.token_count.total"])];
    let thought = json!({"type": "reasoning", "content": "ask the tool", "signature": "c2ln"});
    hold(
        "openinference-anthropic-py-3.1.0.messages.pb",
        vec![
            (
                "messages.create",
                facts![
                    full(),
                    defined(parameters()),
                    messages(json!([brief(), asked()]), json!([calls()]), "tool_call"),
                    says(json!({"gen_ai.request.stop_sequences": ["END"]}))
                ],
            ),
            (
                "messages.create",
                facts![
                    full(),
                    defined(parameters()),
                    messages(json!([brief(), asked(), calls(), told_as("tool", RESULT.into())]), json!([answered()]), "stop")
                ],
            ),
            (
                "messages.create",
                facts![
                    full(),
                    messages(json!([brief(), asked()]), json!([thinks(thought)]), "stop"),
                    says(json!({"gen_ai.request.stream": true})),
                    left(&["llm.invocation_parameters", "llm.token_count.total"])
                ],
            ),
            (
                "messages.create",
                facts![
                    request("boom"),
                    failed("anthropic.InternalServerError"),
                    says(json!({"gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            around(),
        ],
    );
}

#[test]
fn through_openllmetry() {
    let full = || facts![full(), instructed("be brief"), left(&["gen_ai.usage.total_tokens"])];
    let thought = json!({"type": "reasoning", "content": "ask the tool"});
    hold(
        "openllmetry-anthropic-py-0.62.4.messages.pb",
        vec![
            ("anthropic.chat", facts![full(), defined(parameters()), messages(json!([asked()]), ended(calls(), "tool_call"), "tool_call")]),
            (
                "anthropic.chat",
                facts![
                    full(),
                    defined(parameters()),
                    messages(json!([asked(), calls(), told_as("user", RESULT.into())]), ended(answered(), "stop"), "stop")
                ],
            ),
            // It adds what the stream's start and its end count.
            (
                "anthropic.chat",
                facts![
                    full(),
                    messages(json!([asked()]), ended(thinks(thought), "stop"), "stop"),
                    says(json!({"gen_ai.request.stream": true, "gen_ai.usage.output_tokens": 18}))
                ],
            ),
            (
                "anthropic.chat",
                facts![
                    request("boom"),
                    instructed("be brief"),
                    failed("InternalServerError"),
                    says(json!({"gen_ai.input.messages": [asked()]}))
                ],
            ),
            around(),
        ],
    );
}

/// The kind that it names is not the one that it is; the fourth call never ended.
#[test]
fn through_older_openllmetry() {
    let untold = says(json!({"gen_ai.request.max_tokens": null}));
    let full = || facts![full(), untold.clone(), defined(parameters()), left(&["llm.request.type", "llm.usage.total_tokens"])];
    let thought = json!({"role": "assistant", "parts": [{"type": "reasoning", "content": "ask the tool"}]});
    hold(
        "openllmetry-anthropic-py-0.47.5.messages.pb",
        vec![
            ("anthropic.chat", facts![full(), messages(json!([brief(), asked()]), json!([calls()]), "tool_call")]),
            (
                "anthropic.chat",
                facts![full(), messages(json!([brief(), asked(), calls(), told_as("user", RESULT.into())]), json!([answered()]), "stop")],
            ),
            // Each block of the answer is a message.
            (
                "anthropic.chat",
                facts![
                    request(ASKED_FOR),
                    untold.clone(),
                    left(&["llm.request.type"]),
                    messages(json!([brief(), asked()]), json!([thought, answered()]), "stop"),
                    says(json!({"gen_ai.request.stream": true, "gen_ai.response.id": "msg_1"}))
                ],
            ),
            around(),
        ],
    );
}
