//! Traceloop's SDK: a workflow, a task, an agent and a tool by its decorators, OpenAI's calls below them, and a workflow whose model does
//! not work.

use super::facts::{Fact::*, *};
use super::hold;
use crate::facts;
use serde_json::{Value as Json, json};

#[test]
fn decorators() {
    let request = |model: &str| {
        facts![
            chat("openai", model),
            who(),
            left(&["gen_ai.openai.api_base", "traceloop.*"]),
            says(json!({"gen_ai.request.stream": false, "server.address": "127.0.0.1"}))
        ]
    };
    let full = || {
        facts![
            request("gpt-4o-mini"),
            counts(),
            defined(parameters()),
            left(&["gen_ai.openai.api_base", "traceloop.*"]),
            says(json!({
                "gen_ai.agent.name": "shop",
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": "chatcmpl-1",
                "openai.response.service_tier": "default",
                "openai.response.system_fingerprint": "fp_1",
            }))
        ]
    };
    let workflow = |name: &str, input: Json, output: Json| {
        facts![
            [Kind("WORKFLOW"), Left(&["traceloop.*"])],
            entry(),
            who(),
            [InOut(input, output)],
            says(json!({"gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": name}))
        ]
    };
    let positional = || json!({"args": ["深圳天气如何?"], "kwargs": {}});
    hold(
        "traceloop-py-0.62.4.decorators.pb",
        vec![
            ("translate.task", facts![[Kind("TASK"), Left(&["traceloop.*"])], who()]),
            // What was given by position has no name.
            (
                "get_weather.tool",
                facts![
                    tool(),
                    who(),
                    left(&["traceloop.*"]),
                    says(json!({"gen_ai.agent.name": "shop", "gen_ai.tool.call.arguments": {"args": ["深圳"], "kwargs": {}}}))
                ],
            ),
            ("shop.agent", facts![agent("shop"), who(), left(&["traceloop.*"]), [InOut(positional(), ANSWER.into())]]),
            ("support.workflow", workflow("support", positional(), ANSWER.into())),
            (
                "broken.workflow",
                facts![
                    workflow("broken", json!({"args": [], "kwargs": {"question": "深圳天气如何?"}}), Json::Null),
                    failed("openai.InternalServerError")
                ],
            ),
            (
                "openai.chat",
                facts![
                    full(),
                    messages(json!([brief(), asked()]), ended(called(), "tool_call"), "tool_call"),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            ("openai.chat", facts![full(), messages(history(), ended(answered(), "stop"), "stop")]),
            (
                "openai.chat",
                facts![request("boom"), failed("InternalServerError"), says(json!({"gen_ai.input.messages": [brief(), asked()]}))],
            ),
            around(),
        ],
    );
}
