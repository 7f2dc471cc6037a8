//! Several agents: in a graph, one after the other, one that hands over.

use super::facts::{Fact::*, *};
use super::hold_some;
use crate::facts;
use serde_json::{Value as Json, json};

#[test]
fn strands_graph() {
    let invoked = |name: &str, input: Json| {
        facts![
            agent(name),
            instructed("be brief"),
            says(json!({
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.input.messages": [input],
                "gen_ai.output.messages": [text("assistant", "It is 26°C and sunny. 晴天。\n")],
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.aggregated_usage.cache_write.input_tokens": 0,
            }))
        ]
    };
    let passed_on = json!({"role": "user", "parts": [
        {"type": "text", "content": "Original Task: 深圳天气如何?"},
        {"type": "text", "content": "\nInputs from previous nodes:"},
        {"type": "text", "content": "\nFrom shop:"},
        {"type": "text", "content": "  - Agent: It is 26°C and sunny. 晴天。\n"},
    ]});
    hold_some(
        "strands-py-1.62.0.graph.pb",
        |name| name.starts_with("invoke_"),
        vec![
            (
                "invoke_agent shop",
                facts![
                    invoked("shop", asked()),
                    both(),
                    left(&["gen_ai.agent.tools"]),
                    says(json!({"gen_ai.aggregated_usage.reasoning.output_tokens": null}))
                ],
            ),
            (
                "invoke_agent editor",
                facts![
                    invoked("editor", passed_on),
                    says(json!({
                        "gen_ai.aggregated_usage.input_tokens": 57,
                        "gen_ai.aggregated_usage.cache_read.input_tokens": 32,
                        "gen_ai.aggregated_usage.output_tokens": 17,
                    }))
                ],
            ),
            (
                "invoke_graph",
                facts![
                    [Kind("WORKFLOW")],
                    entry(),
                    says(json!({"gen_ai.operation.name": "invoke_workflow", "gen_ai.input.messages": [asked()]}))
                ],
            ),
        ],
    );
}

#[test]
fn google_adk_team() {
    // Nobody described them.
    let invoked = |name: &str| facts![agent(name), says(json!({"gen_ai.conversation.id": "sess-1", "gen_ai.agent.description": ""}))];
    hold_some(
        "google-adk-py-2.13.0.team.pb",
        |name| name.starts_with("invoke_"),
        vec![
            ("invoke_agent shop", invoked("shop")),
            ("invoke_agent editor", invoked("editor")),
            ("invoke_agent team", invoked("team")),
            (
                "invoke_workflow team",
                facts![
                    invoked("team"),
                    [Kind("WORKFLOW")],
                    entry(),
                    says(json!({"gen_ai.agent.description": null, "gen_ai.operation.name": "invoke_workflow"}))
                ],
            ),
        ],
    );
}

#[test]
fn openai_agents_hand_over() {
    let turn = || ("turn", facts![chain(&["openinference.span.kind"])]);
    let of = |name: &str, parent: bool| {
        facts![agent(name), left(if parent { &["graph.node.id", "graph.node.parent_id"] } else { &["graph.node.id"] })]
    };
    hold_some(
        "openinference-openai-agents-py-2.6.0.handoff.pb",
        |name| name != "response" && name != "get_weather",
        vec![
            ("polite", facts![[Kind("TASK"), Left(&["openinference.span.kind"])]]),
            (
                "handoff to shop",
                facts![
                    [Kind("TOOL")],
                    says(json!({
                    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": {"input": "desk"}, "gen_ai.tool.call.result": "shop"}))
                ],
            ),
            turn(),
            ("desk", of("desk", false)),
            turn(),
            turn(),
            ("shop", of("shop", true)),
            ("Agent workflow", facts![chain(&["openinference.span.kind"])]),
            ("support", facts![[Kind("AGENT")], entry(), says(json!({"gen_ai.operation.name": "invoke_agent"}))]),
            around(),
        ],
    );
    let provider = || says(json!({"gen_ai.provider.name": "openai"}));
    let agent = |name: &str| facts![agent(name), provider()];
    hold_some(
        "openllmetry-openai-agents-py-0.62.4.handoff.pb",
        |name| name != "openai.response",
        vec![
            (
                "desk → unknown.handoff",
                facts![
                    provider(),
                    left(&["gen_ai.handoff.from_agent", "gen_ai.operation.name", "traceloop.span.kind"]),
                    says(json!({"gen_ai.agent.name": "desk"}))
                ],
            ),
            ("desk.agent", agent("desk")),
            ("get_weather.tool", facts![tool(), provider(), says(json!({"gen_ai.tool.type": "function"}))]),
            ("shop.agent", agent("shop")),
            (
                "Agent Workflow",
                facts![
                    [Kind("WORKFLOW")],
                    provider(),
                    entry(),
                    says(json!({"gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": "Agent Workflow"}))
                ],
            ),
            around(),
        ],
    );
}
