//! SDKs of platforms, and LiveKit.

use super::facts::{Fact::*, *};
use super::{hold, hold_some};
use crate::facts;
use serde_json::{Value as Json, json};

#[test]
fn langwatch() {
    let parameters = || json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    // LangWatch puts the provider in front of the model.
    let model = |name: &str| facts![chat("openai", name), left(&["langwatch.timestamps"])];
    let full = || {
        facts![
            model("openai/gpt-4o-mini"),
            defined(parameters()),
            says(json!({
            "gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17, "gen_ai.usage.reasoning.output_tokens": 8}))
        ]
    };
    let shop = || {
        facts![
            entry(),
            says(json!({"user.id": "user-456", "gen_ai.conversation.id": "sess-1"})),
            [InOut(json!({"question": "深圳天气如何?"}), ANSWER.into())]
        ]
    };
    let rest: &[&str] = &["langwatch.input", "langwatch.origin", "langwatch.output", "langwatch.span.type"];
    hold(
        "langwatch-py-1.4.0.openai.pb",
        vec![
            (
                "llm",
                facts![
                    full(),
                    says(json!({
                        "gen_ai.request.temperature": 0.3,
                        "gen_ai.request.max_tokens": 64,
                        "gen_ai.input.messages": [brief(), asked()],
                        "gen_ai.output.messages": [called()],
                    }))
                ],
            ),
            ("get_weather", tool()),
            (
                "llm",
                facts![
                    full(),
                    says(
                        json!({"gen_ai.input.messages": [brief(), asked(), called(), told(RESULT.into())], "gen_ai.output.messages": [answered()]})
                    )
                ],
            ),
            ("shop", facts![shop(), left(rest)]),
            (
                "llm",
                facts![
                    model("openai/boom"),
                    failed("openai.InternalServerError"),
                    says(json!({"gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            (
                "shop",
                facts![
                    shop(),
                    failed("openai.InternalServerError"),
                    [Events(&["exception", "exception"]), InOut(json!({"question": "深圳天气如何?"}), Json::Null)],
                    left(&["langwatch.input", "langwatch.origin", "langwatch.span.type"])
                ],
            ),
            around(),
        ],
    );
}

#[test]
fn laminar() {
    let path: &[&str] = &[
        "lmnr.span.ids_path",
        "lmnr.span.instrumentation_source",
        "lmnr.span.language_version",
        "lmnr.span.path",
        "lmnr.span.sdk_version",
    ];
    let model = |name: &str| {
        facts![
            chat("openai", name),
            who(),
            says(json!({"gen_ai.request.stream": false})),
            left(&[
                "gen_ai.request.base_url",
                "lmnr.span.ids_path",
                "lmnr.span.instrumentation_scope.name",
                "lmnr.span.instrumentation_scope.version",
                "lmnr.span.instrumentation_source",
                "lmnr.span.language_version",
                "lmnr.span.parent_ids_path",
                "lmnr.span.parent_path",
                "lmnr.span.path",
                "lmnr.span.sdk_version"
            ])
        ]
    };
    let full = || {
        facts![
            model("gpt-4o-mini"),
            counts(),
            defined(parameters()),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": "chatcmpl-1",
                "openai.response.system_fingerprint": "fp_1",
                "openai.response.service_tier": "default",
            })),
            left(&[
                "gen_ai.request.base_url",
                "llm.usage.total_tokens",
                "lmnr.span.ids_path",
                "lmnr.span.instrumentation_scope.name",
                "lmnr.span.instrumentation_scope.version",
                "lmnr.span.instrumentation_source",
                "lmnr.span.language_version",
                "lmnr.span.parent_ids_path",
                "lmnr.span.parent_path",
                "lmnr.span.path",
                "lmnr.span.sdk_version"
            ])
        ]
    };
    let shop = || facts![entry(), who()];
    hold(
        "laminar-py-0.8.2.openai.pb",
        vec![
            (
                "openai.chat",
                facts![
                    full(),
                    messages(json!([brief(), asked()]), json!([called()]), "tool_call"),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            ("get_weather", facts![tool(), who(), left(path)]),
            (
                "openai.chat",
                facts![full(), messages(json!([brief(), asked(), called(), told(RESULT.into())]), json!([answered()]), "stop")],
            ),
            (
                "shop",
                facts![
                    shop(),
                    [InOut(json!({"question": "深圳天气如何?"}), ANSWER.into())],
                    left(&[
                        "lmnr.span.ids_path",
                        "lmnr.span.input",
                        "lmnr.span.instrumentation_source",
                        "lmnr.span.language_version",
                        "lmnr.span.output",
                        "lmnr.span.path",
                        "lmnr.span.sdk_version",
                        "lmnr.span.type"
                    ])
                ],
            ),
            (
                "openai.chat",
                facts![model("boom"), failed("InternalServerError"), says(json!({"gen_ai.input.messages": [brief(), asked()]}))],
            ),
            (
                "shop",
                facts![
                    shop(),
                    failed("openai.InternalServerError"),
                    left(&[
                        "lmnr.span.ids_path",
                        "lmnr.span.input",
                        "lmnr.span.instrumentation_source",
                        "lmnr.span.language_version",
                        "lmnr.span.path",
                        "lmnr.span.sdk_version",
                        "lmnr.span.type"
                    ])
                ],
            ),
        ],
    );
}

#[test]
fn livekit() {
    let definition =
        || says(json!({"gen_ai.tool.definitions": [{"type": "function", "name": "get_weather", "description": "weather of a city"}]}));
    // The provider is an address: the model's name tells.
    let request = |provider: Json, model| {
        facts![
            chat(provider, model),
            instructed("be brief"),
            definition(),
            says(json!({"gen_ai.request.stream": true, "gen_ai.output.type": "text"}))
        ]
    };
    let full = || {
        facts![
            request("openai".into(), "gpt-4o-mini"),
            counts(),
            left(&["langfuse.observation.completion_start_time", "lk.llm_metrics"]),
            says(json!({
            "gen_ai.response.model": "gpt-4o-mini", "gen_ai.response.id": "chatcmpl-1", "gen_ai.response.time_to_first_chunk": "…"}))
        ]
    };
    let told =
        json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_abc123", "name": "get_weather", "response": RESULT}]});
    let created = |model| {
        (
            "start_agent_activity",
            facts![agent("default_agent"), says(json!({"gen_ai.operation.name": "create_agent", "gen_ai.request.model": model}))],
        )
    };
    let session = || {
        (
            "agent_session",
            facts![
                [Kind("WORKFLOW"), Left(&["lk.agent_label"])],
                entry(),
                says(json!({"gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": "agent_session"}))
            ],
        )
    };
    let changes = |n: usize| [Events(&["agent_state_changed", "agent_state_changed", "agent_state_changed", "agent_state_changed"][..n])];
    let error: &[&str] = &["exception.message", "exception.stacktrace", "exception.type"];
    hold_some(
        "livekit-py-1.8.9.session.pb",
        |name| ["start_agent_activity", "llm_request", "function_tool", "agent_turn", "agent_session", "POST /chat"].contains(&name),
        vec![
            created("gpt-4o-mini"),
            (
                "function_tool",
                facts![
                    tool(),
                    says(json!({
                    "gen_ai.tool.type": "function", "gen_ai.tool.call.id": "call_abc123", "gen_ai.agent.name": "default_agent", "gen_ai.tool.description": "weather of a city"})),
                    left(&["lk.function_tool.is_error"])
                ],
            ),
            ("llm_request", facts![full(), messages(json!([asked()]), ended(called(), "tool_call"), "tool_call")]),
            ("llm_request", facts![full(), messages(json!([asked(), called(), told]), ended(answered(), "stop"), "stop")]),
            (
                "agent_turn",
                facts![
                    agent("default_agent"),
                    [Events(&["generation", "generation"]), InOut("深圳天气如何?".into(), ANSWER.into())],
                    says(json!({"gen_ai.output.messages": [answered()]})),
                    left(&[
                        "lk.generation_count",
                        "lk.generation_id",
                        "lk.interrupted",
                        "lk.pii.user_input",
                        "lk.speech.queue_wait",
                        "lk.speech_id"
                    ])
                ],
            ),
            (session().0, facts![session().1, changes(4)]),
            created("boom"),
            (
                "llm_request",
                facts![
                    request(Json::Null, "boom"),
                    failed("APIConnectionError"),
                    left(error),
                    says(json!({"gen_ai.input.messages": [asked()]}))
                ],
            ),
            (
                "agent_turn",
                facts![
                    agent("default_agent"),
                    failed("APIConnectionError"),
                    [Events(&["generation", "exception"])],
                    left(&[
                        "exception.message",
                        "exception.stacktrace",
                        "exception.type",
                        "lk.generation_count",
                        "lk.generation_id",
                        "lk.interrupted",
                        "lk.pii.user_input",
                        "lk.speech.queue_wait",
                        "lk.speech_id"
                    ])
                ],
            ),
            (session().0, facts![session().1, changes(3)]),
            around(),
        ],
    );
}
