//! Microsoft's: Agent Framework, Semantic Kernel, AutoGen.

use super::facts::{Fact::*, *};
use super::{converted, hold, hold_some};
use crate::facts;
use serde_json::json;

#[test]
fn microsoft_agent_framework() {
    let says_model = || {
        says(json!({"gen_ai.response.model": "gpt-4o-mini-2024-07-18", "gen_ai.response.id": "chatcmpl-1", "server.address": "127.0.0.1"}))
    };
    let full = || facts![chat("openai", "gpt-4o-mini"), counts(), instructed("be brief"), says_model()];
    let first = || ("chat gpt-4o-mini", facts![full(), messages(json!([asked()]), json!([called()]), "tool_call")]);
    let second = || {
        ("chat gpt-4o-mini", facts![full(), messages(json!([asked(), called(), told(RESULT.into())]), ended(answered(), "stop"), "stop")])
    };
    let tool = || {
        (
            "execute_tool get_weather",
            facts![
                tool(),
                says(json!({
            "gen_ai.tool.call.id": "call_abc123", "gen_ai.tool.type": "function", "gen_ai.tool.description": "weather of a city"}))
            ],
        )
    };
    let shop = |model| {
        let schema = json!({"type": "object", "title": "get_weather_input", "properties": {"city": {"title": "City", "type": "string"}}, "required": ["city"]});
        facts![
            agent("shop"),
            instructed("be brief"),
            defined(schema),
            says(json!({
                "gen_ai.agent.id": "…",
                "gen_ai.agent.description": "answers",
                "gen_ai.request.model": model,
                "gen_ai.request.temperature": 0.3,
                "gen_ai.request.max_tokens": 64,
                "gen_ai.input.messages": [asked()],
            }))
        ]
    };
    let whole =
        || facts![shop("gpt-4o-mini"), both(), messages(json!([asked()]), json!([called(), told(RESULT.into()), answered()]), "stop")];
    let error = || failed("ChatClientException");
    hold(
        "agent-framework-py-1.23.0.agents.pb",
        vec![
            first(),
            tool(),
            second(),
            ("invoke_agent shop", facts![whole(), entry()]),
            // Streamed.
            first(),
            tool(),
            second(),
            ("invoke_agent shop", facts![whole(), entry()]),
            // Building a workflow asks no model.
            (
                "workflow.build",
                facts![
                    left(&["workflow.definition", "workflow.id", "workflow_builder.name"]),
                    [Events(&["build.started", "build.validation_completed", "build.completed"])]
                ],
            ),
            (
                "edge_group.process InternalEdgeGroup",
                facts![left(&[
                    "edge_group.delivered",
                    "edge_group.delivery_status",
                    "edge_group.id",
                    "edge_group.type",
                    "message.source_id",
                    "message.target_id"
                ])],
            ),
            first(),
            tool(),
            second(),
            ("invoke_agent shop", whole()),
            ("message.send", facts![left(&["message.type"])]),
            (
                "executor.process shop",
                facts![[Kind("TASK")], left(&["executor.id", "executor.type", "message.payload_type", "message.type"])],
            ),
            (
                "workflow.run",
                facts![
                    entry(),
                    [Kind("WORKFLOW")],
                    says(json!({"gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": "weather"})),
                    left(&["workflow.id"]),
                    [Events(&["workflow.started", "workflow.completed"])]
                ],
            ),
            (
                "chat boom",
                facts![
                    chat("openai", "boom"),
                    instructed("be brief"),
                    error(),
                    says(json!({"server.address": "127.0.0.1", "gen_ai.input.messages": [asked()]}))
                ],
            ),
            ("invoke_agent shop", facts![shop("boom"), entry(), error()]),
            around(),
        ],
    );
}

#[test]
fn semantic_kernel() {
    let ask = |model| {
        facts![
            chat("openai", model),
            says(json!({"server.address": "127.0.0.1", "gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
        ]
    };
    // What was said goes to the log.
    let turn = |reason: &str| {
        (
            "chat gpt-4o-mini",
            facts![
                ask("gpt-4o-mini"),
                says(json!({
                    "gen_ai.response.id": "chatcmpl-1",
                    "gen_ai.response.finish_reasons": [reason],
                    "gen_ai.usage.input_tokens": 57,
                    "gen_ai.usage.output_tokens": 17,
                }))
            ],
        )
    };
    let tool = || {
        (
            "execute_tool Weather-get_weather",
            facts![
                tool(),
                says(json!({
            "gen_ai.tool.name": "Weather-get_weather", "gen_ai.tool.call.id": "call_abc123", "gen_ai.tool.description": "weather of a city"}))
            ],
        )
    };
    // The messages that it got are in a list without any.
    let shop = || {
        facts![
            agent("shop"),
            entry(),
            left(&["gen_ai.input.messages"]),
            says(json!({
                "gen_ai.agent.id": "…",
                "gen_ai.agent.description": "answers",
                "gen_ai.tool.definitions": [{"type": "function", "name": "Weather-get_weather", "description": "weather of a city", "parameters": parameters()}],
            }))
        ]
    };
    let answer =
        || says(json!({"gen_ai.output.messages": [{"role": "assistant", "name": "shop", "parts": [{"type": "text", "content": ANSWER}]}]}));
    let a_loop = || left(&["sk.available_functions"]);
    let error = || failed("semantic_kernel.exceptions.service_exceptions.ServiceResponseException");
    hold(
        "semantic-kernel-py-1.45.0.agents.pb",
        vec![
            turn("tool_call"),
            turn("stop"),
            turn("tool_call"),
            turn("stop"),
            ("chat boom", facts![ask("boom"), error()]),
            tool(),
            tool(),
            ("AutoFunctionInvocationLoop", facts![a_loop()]),
            ("AutoFunctionInvocationLoop", facts![a_loop()]),
            ("AutoFunctionInvocationLoop", facts![a_loop(), error()]),
            ("invoke_agent shop", facts![shop(), answer()]),
            ("invoke_agent shop", facts![shop(), answer()]),
            ("invoke_agent shop", facts![shop(), failed("ServiceResponseException")]),
            around(),
        ],
    );
}

#[test]
fn autogen() {
    let about = || says(json!({"gen_ai.agent.description": "answers"}));
    let created = || ("create_agent shop", facts![agent("shop"), about(), says(json!({"gen_ai.operation.name": "create_agent"}))]);
    // What was said is in the messages that the runtime carries.
    let tool = || {
        (
            "execute_tool get_weather",
            facts![
                tool(),
                says(json!({
                    "gen_ai.tool.call.id": "call_abc123",
                    "gen_ai.tool.description": "weather of a city",
                    "gen_ai.tool.call.arguments": null,
                    "gen_ai.tool.call.result": null,
                }))
            ],
        )
    };
    let shop = || facts![agent("shop"), about(), entry()];
    hold_some(
        "autogen-py-0.7.5.agent-team.pb",
        |name| !name.starts_with("autogen "),
        vec![
            created(),
            tool(),
            ("invoke_agent shop", shop()),
            created(),
            tool(),
            // In a team.
            ("invoke_agent shop", facts![shop(), says(json!({"gen_ai.agent.id": "…"}))]),
            created(),
            ("invoke_agent shop", facts![shop(), failed("InternalServerError"), [Events(&["exception", "exception"])]]),
            around(),
        ],
    );
    // The runtime's spans begin no segment: the agents above do.
    let carried: &[&str] = &["message", "message_context", "messaging.destination", "messaging.operation", "messaging.message.type"];
    let is_known = |key: &str| carried.contains(&key) || key.starts_with("sender_agent_") || key.starts_with("recipient_agent_");
    let runtime = converted("autogen-py-0.7.5.agent-team.pb").into_iter().filter(|span| span.name.starts_with("autogen "));
    assert!(runtime.inspect(|span| assert!(span.attributes.iter().all(|a| is_known(&a.key)), "{span:?}")).count() > 20);
}
