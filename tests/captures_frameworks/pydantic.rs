//! Pydantic AI, with its own tracing, in three of its forms, and under Logfire: a run with a tool, one whose answer is an object, a
//! stream, and a model that does not work.

use super::facts::*;
use super::hold;
use crate::facts;
use serde_json::{Value as Json, json};

fn closed(mut parameters: Json) -> Json {
    parameters["additionalProperties"] = false.into();
    parameters
}

/// The call by which the model gives an object.
fn object() -> Json {
    json!({"role": "assistant", "parts": [
        {"type": "tool_call", "id": "call_abc123", "name": "final_result", "arguments": {"city": "深圳", "celsius": 26}}]})
}

fn object_tool() -> [Fact; 1] {
    says(json!({"gen_ai.output.type": "json", "gen_ai.tool.definitions": [{
        "type": "function",
        "name": "final_result",
        "description": "The final response which ends this conversation",
        "parameters": closed(json!({
            "type": "object",
            "properties": {"city": {"type": "string"}, "celsius": {"type": "integer"}},
            "required": ["city", "celsius"],
        })),
    }]}))
}

/// The result as the user's message, which versions up to 5 make of it.
fn told_by_user(result: &str) -> Json {
    json!({"role": "user", "parts": [{"type": "tool_call_response", "id": "call_abc123", "response": result}]})
}

fn request(model: &str) -> Vec<Fact> {
    facts![
        chat("openai", model),
        says(json!({
            "gen_ai.request.temperature": 0.3,
            "gen_ai.request.max_tokens": 64,
            "gen_ai.output.type": "text",
            "server.address": "127.0.0.1",
        }))
    ]
}

fn full() -> Vec<Fact> {
    facts![
        request("gpt-4o-mini"),
        counts(),
        says(
            json!({"gen_ai.response.model": "gpt-4o-mini-2024-07-18", "gen_ai.response.id": "chatcmpl-1", "gen_ai.usage.cost": 0.00001635})
        )
    ]
}

/// One turn on the span above it.
fn once() -> [Fact; 1] {
    says(json!({
        "gen_ai.aggregated_usage.input_tokens": 57,
        "gen_ai.aggregated_usage.cache_read.input_tokens": 32,
        "gen_ai.aggregated_usage.output_tokens": 17,
        "gen_ai.aggregated_usage.reasoning.output_tokens": 8,
    }))
}

#[test]
fn newest_form() {
    newest("pydantic-ai-py-2.68.0.agents.pb", false);
}

#[test]
fn newest_form_under_logfire() {
    newest("logfire-py-5.4.0.pydantic-ai.pb", true);
}

/// Logfire adds a message and a type to each span, and the model that was asked as the one that answered.
fn newest(file: &str, logfire: bool) {
    let named = || says(json!({"gen_ai.agent.name": "shop", "gen_ai.conversation.id": "…"}));
    const MODEL: &[&str] = &[
        "gen_ai.agent.call.id",
        "gen_ai.usage.details.audio_tokens",
        "logfire.*",
        "model_request_parameters",
        "pydantic_ai.cache.*",
        "server.port",
    ];
    const REQUEST: &[&str] = &["gen_ai.agent.call.id", "logfire.*", "model_request_parameters", "server.port"];
    const MODEL_ALONE: &[&str] =
        &["gen_ai.agent.call.id", "gen_ai.usage.details.audio_tokens", "model_request_parameters", "pydantic_ai.cache.*", "server.port"];
    const REQUEST_ALONE: &[&str] = &["gen_ai.agent.call.id", "model_request_parameters", "server.port"];
    let (model, request_only) = if logfire { (MODEL, REQUEST) } else { (MODEL_ALONE, REQUEST_ALONE) };
    let full = || facts![full(), named(), instructed("be brief"), left(model)];
    let run = |model: &str, output: Json| {
        facts![
            agent("shop"),
            named(),
            entry(),
            instructed("be brief"),
            says(json!({"gen_ai.request.model": model, "gen_ai.input.messages": [asked()], "gen_ai.output.messages": output})),
            left(&["final_result", "gen_ai.agent.call.id", "gen_ai.aggregated_usage.details.audio_tokens", "logfire.*"])
        ]
    };
    let told = || told_by_user(RESULT);
    hold(
        file,
        vec![
            ("chat gpt-4o-mini", facts![full(), defined(closed(parameters())), messages(json!([asked()]), json!([called()]), "tool_call")]),
            (
                "execute_tool get_weather",
                facts![tool(), named(), says(json!({"gen_ai.tool.call.id": "call_abc123"})), left(&["gen_ai.agent.call.id", "logfire.*"])],
            ),
            (
                "chat gpt-4o-mini",
                facts![
                    full(),
                    defined(closed(parameters())),
                    messages(json!([asked(), called(), told()]), ended(answered(), "stop"), "stop")
                ],
            ),
            (
                "invoke_agent shop",
                facts![
                    run("gpt-4o-mini", ended(answered(), "stop")),
                    both(),
                    says(json!({"gen_ai.input.messages": [asked(), called(), told()], "gen_ai.response.finish_reasons": ["stop"]}))
                ],
            ),
            ("chat gpt-4o-mini", facts![full(), object_tool(), messages(json!([asked()]), json!([object()]), "tool_call")]),
            (
                "invoke_agent shop",
                facts![
                    run("gpt-4o-mini", Json::Null),
                    once(),
                    says(json!({"gen_ai.input.messages": [asked(), object(), told_by_user("Final result processed.")]}))
                ],
            ),
            (
                "chat gpt-4o-mini",
                facts![
                    full(),
                    messages(json!([asked()]), ended(answered(), "stop"), "stop"),
                    says(json!({"gen_ai.response.time_to_first_chunk": "…"}))
                ],
            ),
            (
                "invoke_agent shop",
                facts![run("gpt-4o-mini", ended(answered(), "stop")), once(), says(json!({"gen_ai.response.finish_reasons": ["stop"]}))],
            ),
            (
                "chat boom",
                facts![
                    request("boom"),
                    named(),
                    failed("pydantic_ai.exceptions.ModelServerError"),
                    left(request_only),
                    says(json!({"gen_ai.response.model": if logfire { json!("boom") } else { Json::Null }}))
                ],
            ),
            (
                "invoke_agent shop",
                facts![
                    run("boom", Json::Null),
                    failed("pydantic_ai.exceptions.ModelServerError"),
                    left(&["gen_ai.agent.call.id", "logfire.*"])
                ],
            ),
            around(),
        ],
    );
}

/// Versions of a year before: `second` has OTel's messages, else all are events.
fn year_before(file: &str, second: bool) {
    let from_system = |messages: Json| match second {
        true => messages,
        false => json!([&[brief()], messages.as_array().unwrap().as_slice()].concat()),
    };
    let told = |result: &str| if second { told_by_user(result) } else { told(result.into()) };
    let ended = |message: Json| if second { ended(message, "stop") } else { json!([message]) };
    let instructions = || if second { instructed("be brief").to_vec() } else { vec![] };
    let full = || facts![full(), instructions(), left(&["model_request_parameters", "server.port"])];
    let run = |model: &str| {
        facts![
            agent("shop"),
            entry(),
            instructions(),
            says(json!({"gen_ai.request.model": model, "gen_ai.input.messages": from_system(json!([asked()]))})),
            left(&["final_result", "logfire.msg"])
        ]
    };
    let history = || from_system(json!([asked(), called(), told(RESULT)]));
    let stopped = || if second { says(json!({"gen_ai.response.finish_reasons": ["stop"]})).to_vec() } else { vec![] };
    hold(
        file,
        vec![
            (
                "chat gpt-4o-mini",
                facts![full(), defined(closed(parameters())), messages(from_system(json!([asked()])), json!([called()]), "tool_call")],
            ),
            ("running tool", facts![tool(), says(json!({"gen_ai.tool.call.id": "call_abc123"})), left(&["logfire.msg"])]),
            ("running tools", chain(&["logfire.msg", "tools"]).to_vec()),
            ("chat gpt-4o-mini", facts![full(), defined(closed(parameters())), messages(history(), ended(answered()), "stop")]),
            (
                "agent run",
                facts![
                    run("gpt-4o-mini"),
                    both(),
                    stopped(),
                    says(json!({"gen_ai.input.messages": history(), "gen_ai.output.messages": ended(answered())}))
                ],
            ),
            ("chat gpt-4o-mini", facts![full(), object_tool(), messages(from_system(json!([asked()])), json!([object()]), "tool_call")]),
            (
                "agent run",
                facts![
                    run("gpt-4o-mini"),
                    once(),
                    says(json!({"gen_ai.input.messages": from_system(json!([asked(), object(), told("Final result processed.")]))}))
                ],
            ),
            ("chat gpt-4o-mini", facts![full(), messages(from_system(json!([asked()])), ended(answered()), "stop")]),
            ("agent run", facts![run("gpt-4o-mini"), once(), stopped(), says(json!({"gen_ai.output.messages": ended(answered())}))]),
            (
                "chat boom",
                facts![
                    request("boom"),
                    failed("pydantic_ai.exceptions.ModelHTTPError"),
                    left(&["model_request_parameters", "server.port"])
                ],
            ),
            ("agent run", facts![run("boom"), failed("pydantic_ai.exceptions.ModelHTTPError"), left(&["logfire.msg"])]),
            around(),
        ],
    );
}

#[test]
fn messages_as_attributes() {
    year_before("pydantic-ai-py-1.22.0.agents.pb", true);
}

#[test]
fn messages_as_events() {
    year_before("pydantic-ai-py-1.22.0.agents-events.pb", false);
}

/// OpenAI's Responses API, in the sixth form; the tool asks for another call at first.
#[test]
fn responses_and_a_retry() {
    let named = || says(json!({"gen_ai.agent.name": "shop", "gen_ai.conversation.id": "…"}));
    let undescribed = says(json!({"gen_ai.tool.definitions": [
        {"type": "function", "name": "get_weather", "parameters": closed(parameters())}]}));
    let full = || {
        facts![
            full(),
            named(),
            instructed("be brief"),
            undescribed.clone(),
            left(&["gen_ai.agent.call.id", "model_request_parameters", "pydantic_ai.cache.*", "server.port"]),
            says(json!({"gen_ai.response.id": "resp_1", "gen_ai.request.temperature": null, "gen_ai.request.max_tokens": null}))
        ]
    };
    let called = || {
        let call = json!({"type": "tool_call", "id": "call_abc123", "name": "get_weather", "arguments": {"city": "深圳"}});
        json!({"role": "assistant", "parts": [{"type": "reasoning", "content": "ask the tool"}, call]})
    };
    let tool = || facts![tool(), named(), says(json!({"gen_ai.tool.call.id": "call_abc123"}))];
    let retry = || told("ask again".into());
    let all = || json!([asked(), called(), retry(), called(), told(RESULT.into())]);
    hold(
        "pydantic-ai-py-2.68.0.responses.pb",
        vec![
            ("chat gpt-4o-mini", facts![full(), messages(json!([asked()]), json!([called()]), "stop")]),
            (
                "execute_tool get_weather",
                facts![
                    tool(),
                    failed("pydantic_ai.exceptions.ToolRetryError"),
                    says(json!({"gen_ai.tool.call.result": "ask again"})),
                    left(&["gen_ai.agent.call.id", "logfire.msg", "pydantic_ai.tool.retry.*"])
                ],
            ),
            ("chat gpt-4o-mini", facts![full(), messages(json!([asked(), called(), retry()]), json!([called()]), "stop")]),
            ("execute_tool get_weather", facts![tool(), left(&["gen_ai.agent.call.id", "logfire.msg"])]),
            ("chat gpt-4o-mini", facts![full(), messages(all(), ended(answered(), "stop"), "stop")]),
            (
                "invoke_agent shop",
                facts![
                    agent("shop"),
                    named(),
                    entry(),
                    instructed("be brief"),
                    messages(all(), ended(answered(), "stop"), "stop"),
                    left(&["final_result", "gen_ai.agent.call.id", "logfire.msg"]),
                    says(json!({
                        "gen_ai.request.model": "gpt-4o-mini",
                        "gen_ai.aggregated_usage.input_tokens": 171,
                        "gen_ai.aggregated_usage.cache_read.input_tokens": 96,
                        "gen_ai.aggregated_usage.output_tokens": 51,
                        "gen_ai.aggregated_usage.reasoning.output_tokens": 24,
                    }))
                ],
            ),
            around(),
        ],
    );
}
