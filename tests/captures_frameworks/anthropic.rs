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
    let full = || facts![full(), left(&[])];
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
                    left(&["llm.invocation_parameters"])
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
    let full = || facts![full(), instructed("be brief"), left(&[])];
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
    let full = || facts![full(), untold.clone(), defined(parameters()), left(&["llm.request.type"])];
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

/// Three calls, two of them streams of which the second is read without the SDK's helper; a run of the SDK's tools; then four requests
/// that ask no model: the models, a count of tokens, a batch and the files.
#[test]
fn own_tracing_with_management() {
    let request = || {
        facts![
            chat("anthropic", "claude-x"),
            says(json!({"gen_ai.request.max_tokens": 99, "server.address": "127.0.0.1", "gen_ai.conversation.id": "conv-1"}))
        ]
    };
    // Of 35 input tokens a cache held 20 and took 5.
    let full = |reason: &str| {
        facts![
            request(),
            says(json!({
                "gen_ai.response.id": "msg_1",
                "gen_ai.response.model": "claude-x-1",
                "gen_ai.response.finish_reasons": [reason],
                "gen_ai.usage.input_tokens": 35,
                "gen_ai.usage.cache_read.input_tokens": 20,
                "gen_ai.usage.cache_write.input_tokens": 5,
                "gen_ai.usage.output_tokens": 7,
                "gen_ai.usage.reasoning.output_tokens": 2,
            })),
            left(&["anthropic.response.service_tier", "anthropic.usage.*", "http.*", "server.port", "url.*"]),
        ]
    };
    let stream = || {
        facts![
            full("stop"),
            entry(),
            says(
                json!({"gen_ai.request.stream": true, "gen_ai.response.time_to_first_chunk": "…", "gen_ai.input.messages": [text("user", "hi")]})
            )
        ]
    };
    let sunny = || {
        json!({"role": "assistant", "parts": [
            {"type": "text", "content": "sunny"},
            {"type": "tool_call_response", "id": "w", "response": [{"page_age": null, "title": "t", "type": "web_search_result", "url": "https://e.org"}]},
        ]})
    };
    let ids: &[&str] = &["anthropic.organization.id", "anthropic.request.id"];
    let in_runner = || facts![also(&["anthropic.beta"]), also(ids)];
    let asks = json!({"role": "assistant", "parts": [
        {"type": "reasoning", "content": "T"},
        {"type": "tool_call", "id": "toolu_1", "name": "get_weather", "arguments": {"city": "Rome"}},
    ]});
    let told = told_as("user", json!([{"type": "text", "text": "sunny in Rome"}]));
    // Each attribute that such a span came with, and none more.
    let plain = |name: &'static str, method: &str, path: &str, own: Json| {
        let attributes = json!({
            "server.address": "127.0.0.1",
            "server.port": 40371,
            "gen_ai.provider.name": "anthropic",
            "gen_ai.conversation.id": "conv-1",
            "http.request.method": method,
            "http.route": path,
            "http.response.status_code": 200,
            "url.scheme": "http",
            "url.path": path,
            "url.full": format!("http://127.0.0.1:40371{path}"),
            "anthropic.request.id": "req_1",
            "anthropic.organization.id": "org1",
        });
        (name, facts![says(attributes), says(own)])
    };
    hold(
        "anthropic-py-2.14.0.content-and-management.pb",
        vec![
            (
                "anthropic.messages.create",
                facts![
                    full("stop"),
                    entry(),
                    instructed("be brief"),
                    says(json!({
                        "gen_ai.request.stop_sequences": ["END"],
                        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "weather?"}, {"type": "anthropic_image"}]}],
                        "gen_ai.output.messages": [sunny()],
                    })),
                    also(&["anthropic.request.service_tier", "anthropic.thinking.*"]),
                    also(ids),
                ],
            ),
            ("anthropic.messages.create", facts![stream(), says(json!({"gen_ai.output.messages": [text("assistant", "hi")]}))]),
            ("anthropic.messages.create", stream()),
            (
                "anthropic.messages.create",
                facts![full("tool_call"), in_runner(), messages(json!([text("user", "weather?")]), json!([asks]), "tool_call")],
            ),
            (
                "anthropic.custom_tool_use get_weather",
                facts![
                    tool(),
                    says(json!({
                        "gen_ai.tool.call.id": "toolu_1",
                        "gen_ai.tool.type": "function",
                        "gen_ai.tool.description": "Weather of a city.",
                        "gen_ai.tool.call.arguments": {"city": "Rome"},
                        "gen_ai.tool.call.result": "sunny in Rome",
                        "gen_ai.provider.name": "anthropic",
                        "gen_ai.conversation.id": "conv-1",
                    })),
                ],
            ),
            ("anthropic.messages.create", facts![full("stop"), in_runner(), messages(json!([told]), json!([sunny()]), "stop")]),
            (
                "anthropic.messages.tool_runner",
                facts![
                    says(json!({
                        "gen_ai.operation.name": "invoke_agent",
                        "gen_ai.provider.name": "anthropic",
                        "gen_ai.request.model": "claude-x",
                        "gen_ai.conversation.id": "conv-1",
                    })),
                    [Fact::Kind("AGENT")],
                    entry(),
                ],
            ),
            plain("anthropic.models.list", "GET", "/v1/models", json!({})),
            plain(
                "anthropic.messages.count_tokens",
                "POST",
                "/v1/messages/count_tokens",
                json!({"gen_ai.request.model": "claude-x", "anthropic.message.count_tokens.input_tokens": 12}),
            ),
            plain(
                "anthropic.messages.batches.create",
                "POST",
                "/v1/messages/batches",
                json!({"anthropic.message.batch.request_count": 1, "anthropic.message.batch.id": "msgbatch_1"}),
            ),
            plain("anthropic.files.list", "GET", "/v1/files", json!({})),
        ],
    );
}
