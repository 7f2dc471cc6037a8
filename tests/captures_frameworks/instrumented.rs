//! The OpenAI Agents SDK, Agno and smolagents, through OpenInference and OpenLLMetry.

use super::facts::{Fact::*, *};
use super::{hold, hold_some};
use crate::facts;
use serde_json::{Value as Json, json};

fn strict(title: &str) -> Json {
    json!({"type": "object", "title": title, "properties": {"city": {"title": "City", "type": "string"}}, "required": ["city"], "additionalProperties": false})
}

#[test]
fn openai_agents_through_openinference() {
    let thought = || json!({"role": "assistant", "parts": [{"type": "reasoning", "content": "ask the tool", "id": "rs_1"}]});
    let response = || {
        facts![
            chat("openai", "gpt-4o-mini-2024-07-18"),
            counts(),
            defined(strict("get_weather_args")),
            left(&["llm.invocation_parameters"]),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": "resp_1",
                "gen_ai.request.temperature": 0.3,
                "gen_ai.request.top_p": 1.0,
            }))
        ]
    };
    let tool = || facts![tool(), left(&["tool.parameters"]), says(json!({"gen_ai.tool.description": "weather of a city"}))];
    // Its model's name is what was asked for, with nothing of the answer but the message.
    let generation = || {
        facts![
            chat("openai", "gpt-4o-mini"),
            left(&["llm.invocation_parameters"]),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini",
                "gen_ai.request.temperature": 0.3,
                "gen_ai.request.max_tokens": 64,
                "gen_ai.usage.input_tokens": 57,
                "gen_ai.usage.output_tokens": 17,
            }))
        ]
    };
    let turn = || ("turn", facts![chain(&["openinference.span.kind"])]);
    let shop = || facts![agent("shop"), left(&["graph.node.id"])];
    let inner = || ("Agent workflow", facts![chain(&["openinference.span.kind"])]);
    let outer = || ("Agent workflow", facts![[Kind("AGENT")], entry(), says(json!({"gen_ai.operation.name": "invoke_agent"}))]);
    hold(
        "openinference-openai-agents-py-2.6.0.agents.pb",
        vec![
            ("response", facts![response(), messages(json!([brief(), asked()]), json!([thought(), called()]), "stop")]),
            ("get_weather", tool()),
            turn(),
            (
                "response",
                facts![
                    response(),
                    messages(json!([brief(), asked(), thought(), called(), told(RESULT.into())]), json!([answered()]), "stop")
                ],
            ),
            turn(),
            ("shop", shop()),
            inner(),
            outer(),
            (
                "generation",
                facts![generation(), says(json!({"gen_ai.input.messages": [brief(), asked()], "gen_ai.output.messages": [called()]}))],
            ),
            ("get_weather", tool()),
            turn(),
            ("generation", facts![generation(), says(json!({"gen_ai.input.messages": history(), "gen_ai.output.messages": [answered()]}))]),
            turn(),
            ("shop", shop()),
            inner(),
            outer(),
            (
                "response",
                facts![
                    [Kind("LLM")],
                    failed("_OTHER"),
                    [Events(&[])],
                    says(json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}))
                ],
            ),
            turn(),
            ("shop", facts![shop(), failed("_OTHER"), [Events(&[])]]),
            inner(),
            outer(),
            around(),
        ],
    );
}

#[test]
fn openai_agents_through_openllmetry() {
    let definition = || {
        says(json!({"gen_ai.tool.definitions": [
        {"type": "function", "name": "get_weather", "description": "weather of a city", "parameters": strict("get_weather_args")}]}))
    };
    let response = || {
        facts![
            chat("openai", "gpt-4o-mini-2024-07-18"),
            counts(),
            definition(),
            left(&[]),
            says(json!({
                "gen_ai.request.model": null,
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": "resp_1",
                "gen_ai.request.temperature": 0.3,
                "gen_ai.request.top_p": 1.0,
            }))
        ]
    };
    // It knows nothing of the answers of chat completions.
    let asked_only = |input: Json| facts![chat("openai", "gpt-4o-mini"), says(json!({"gen_ai.input.messages": input}))];
    let tool = || ("get_weather.tool", facts![tool(), says(json!({"gen_ai.tool.type": "function", "gen_ai.provider.name": "openai"}))]);
    let shop = || ("shop.agent", facts![agent("shop"), says(json!({"gen_ai.provider.name": "openai"}))]);
    let workflow = || {
        (
            "Agent Workflow",
            facts![
                [Kind("WORKFLOW")],
                entry(),
                says(json!({
            "gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": "Agent Workflow", "gen_ai.provider.name": "openai"}))
            ],
        )
    };
    // The id of the item, where that of the call is asked for.
    let by_item =
        json!({"role": "assistant", "parts": [{"type": "tool_call", "name": "get_weather", "id": "fc_1", "arguments": {"city": "深圳"}}]});
    hold(
        "openllmetry-openai-agents-py-0.62.4.agents.pb",
        vec![
            ("openai.response", facts![response(), messages(json!([brief(), asked()]), ended(called(), "tool_call"), "tool_call")]),
            tool(),
            (
                "openai.response",
                facts![response(), messages(json!([brief(), asked(), by_item, told(RESULT.into())]), ended(answered(), "stop"), "stop")],
            ),
            shop(),
            workflow(),
            ("openai.response", asked_only(json!([brief(), asked()]))),
            tool(),
            ("openai.response", asked_only(history())),
            shop(),
            workflow(),
            (
                "openai.response",
                facts![
                    [Kind("LLM")],
                    failed("_OTHER"),
                    [Events(&[])],
                    says(json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}))
                ],
            ),
            ("shop.agent", facts![shop().1, failed("_OTHER"), [Events(&[])]]),
            workflow(),
            around(),
        ],
    );
}

#[test]
fn agno() {
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let model = |name: &str| {
        facts![
            chat("openai", name),
            defined(parameters.clone()),
            says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
        ]
    };
    // No word of the model that answered, nor of reasoning.
    let full = || {
        facts![
            model("gpt-4o-mini"),
            counts(),
            left(&[]),
            says(json!({"gen_ai.usage.reasoning.output_tokens": null, "gen_ai.response.model": "gpt-4o-mini"}))
        ]
    };
    let shop = || {
        facts![
            agent("shop"),
            entry(),
            who(),
            left(&[
                "agno.agent",
                "agno.agent.id",
                "agno.run.id",
                "agno.tools",
                "graph.node.id",
                "graph.node.name",
                "input.value",
                "output.value"
            ])
        ]
    };
    hold(
        "openinference-agno-py-1.0.15.agent.pb",
        vec![
            (
                "OpenAIChat.ainvoke",
                facts![full(), says(json!({"gen_ai.input.messages": [brief(), asked()], "gen_ai.output.messages": [called()]}))],
            ),
            ("get_weather", facts![tool(), says(json!({"gen_ai.tool.description": "weather of a city"}))]),
            (
                "OpenAIChat.ainvoke",
                facts![full(), says(json!({"gen_ai.input.messages": history(), "gen_ai.output.messages": [answered()]}))],
            ),
            ("shop.arun", facts![shop(), [InOut("深圳天气如何?".into(), ANSWER.into())]]),
            (
                "OpenAIChat.ainvoke",
                facts![
                    model("boom"),
                    failed("agno.exceptions.ModelProviderError"),
                    says(json!({"gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            ("shop.arun", facts![shop(), failed("_OTHER"), [Events(&[])]]),
            around(),
        ],
    );
}

#[test]
fn smolagents() {
    let system = || text("system", "…");
    let task = || text("user", "New task:\n深圳天气如何?");
    let observed = json!({"role": "tool", "parts": [{"type": "tool_call_response", "response": "Observation:\n深圳: 26C sunny"}]});
    let final_call = json!({"role": "assistant", "parts": [{"type": "tool_call", "id": "call_abc123", "name": "final_answer", "arguments": {"answer": ANSWER}}]});
    let given = json!({
        "task": "深圳天气如何?", "stream": false, "reset": true, "images": null, "additional_args": null, "max_steps": null, "return_full_result": null});
    let schema = |name: &str, about: &str| json!({"type": "object", "properties": {name: {"type": "string", "description": about}}, "required": [name]});
    let tools = says(json!({"gen_ai.tool.definitions": [
        {"type": "function", "name": "get_weather", "description": "weather of a city", "parameters": schema("city", "the city")},
        {"type": "function", "name": "final_answer", "description": "Provides a final answer to the given problem.", "parameters": schema("answer", "The final answer to the problem")},
    ]}));
    let model = || {
        facts![
            chat("openai", "gpt-4o-mini"),
            tools.clone(),
            left(&["input.value"]),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini",
                "gen_ai.request.temperature": 0.3,
                "gen_ai.request.max_tokens": 64,
                "gen_ai.request.stop_sequences": ["Observation:", "Calling tools:"],
                "gen_ai.usage.input_tokens": 57,
                "gen_ai.usage.output_tokens": 17,
            }))
        ]
    };
    let both = || says(json!({"gen_ai.aggregated_usage.input_tokens": 114, "gen_ai.aggregated_usage.output_tokens": 34}));
    let step: &[&str] = &["input.value", "openinference.span.kind", "output.value"];
    hold(
        "openinference-smolagents-py-0.1.43.agent.pb",
        vec![
            (
                "OpenAIModel.generate",
                facts![model(), says(json!({"gen_ai.input.messages": [system(), task()], "gen_ai.output.messages": [called()]}))],
            ),
            ("SimpleTool", facts![tool(), says(json!({"gen_ai.tool.description": "weather of a city"})), left(&["tool.parameters"])]),
            ("Step 1", facts![[Kind("CHAIN")], left(step)]),
            (
                "OpenAIModel.generate",
                facts![
                    model(),
                    says(json!({
                "gen_ai.input.messages": [system(), task(), text("assistant", "…"), observed], "gen_ai.output.messages": [final_call]}))
                ],
            ),
            (
                "FinalAnswerTool",
                facts![
                    tool(),
                    left(&["tool.parameters"]),
                    says(json!({
                        "gen_ai.tool.name": "final_answer",
                        "gen_ai.tool.description": "Provides a final answer to the given problem.",
                        "gen_ai.tool.call.arguments": {"answer": ANSWER},
                        "gen_ai.tool.call.result": ANSWER,
                    }))
                ],
            ),
            ("Step 2", facts![[Kind("CHAIN")], left(step)]),
            (
                "ToolCallingAgent.run",
                facts![
                    [Kind("AGENT")],
                    entry(),
                    both(),
                    [InOut(given, ANSWER.into())],
                    says(json!({"gen_ai.operation.name": "invoke_agent"})),
                    left(&["input.value", "output.value", "smolagents.max_steps", "smolagents.tools_names"])
                ],
            ),
            (
                "OpenAIModel.generate",
                facts![
                    [Kind("LLM")],
                    failed("openai.InternalServerError"),
                    left(&["input.value"]),
                    says(json!({
                        "gen_ai.operation.name": "chat",
                        "gen_ai.request.temperature": 0.3,
                        "gen_ai.request.max_tokens": 64,
                        "gen_ai.request.stop_sequences": ["Observation:", "Calling tools:"],
                        "gen_ai.input.messages": [system(), task()],
                    }))
                ],
            ),
            // The run around it was never closed.
            (
                "Step 1",
                facts![
                    [Kind("CHAIN")],
                    entry(),
                    failed("smolagents.utils.AgentGenerationError"),
                    [Events(&["exception", "exception"]), Left(&["input.value", "openinference.span.kind"])]
                ],
            ),
            around(),
        ],
    );
}

#[test]
fn dspy() {
    let model = |name: &str| {
        facts![
            chat("openai", name),
            says(json!({
                "gen_ai.request.temperature": 0.3,
                "gen_ai.request.max_tokens": 64,
                "gen_ai.input.messages": [text("system", "…"), text("user", "…")],
            }))
        ]
    };
    // The model answers in fields of DSPy's; no word of its tokens.
    let answer = |name, text: &str| {
        facts![model(name), says(json!({"gen_ai.response.model": name, "gen_ai.output.messages": [super::facts::text("assistant", text)]}))]
    };
    let step = |name: &str, arguments: &str| {
        format!(
            "[[ ## next_thought ## ]]\nask the tool\n\n[[ ## next_tool_name ## ]]\n{name}\n\n[[ ## next_tool_args ## ]]\n{arguments}\n\n[[ ## completed ## ]]"
        )
    };
    let done = format!("[[ ## reasoning ## ]]\nby the tool\n\n[[ ## answer ## ]]\n{ANSWER}\n\n[[ ## completed ## ]]");
    let run = || facts![chain(&["input.value", "openinference.span.kind"]), entry()];
    hold_some(
        "openinference-dspy-py-0.1.48.react.pb",
        |name| ["LM.__call__", "get_weather.__call__", "finish.__call__", "ReAct.forward", "POST /chat"].contains(&name),
        vec![
            ("LM.__call__", answer("gpt-4o-mini", &step("get_weather", r#"{"city": "深圳"}"#))),
            ("get_weather.__call__", facts![tool(), says(json!({"gen_ai.tool.name": null}))]),
            ("LM.__call__", answer("gpt-4o-mini", &step("finish", "{}"))),
            (
                "finish.__call__",
                facts![
                    tool(),
                    says(json!({"gen_ai.tool.name": null, "gen_ai.tool.call.arguments": {}, "gen_ai.tool.call.result": "Completed."}))
                ],
            ),
            ("LM.__call__", answer("gpt-4o-mini", &done)),
            ("ReAct.forward", facts![run(), left(&["input.value", "openinference.span.kind", "output.value"])]),
            ("LM.__call__", facts![model("boom"), failed("dspy.utils.exceptions.LMServerError")]),
            ("ReAct.forward", facts![run(), failed("dspy.utils.exceptions.LMServerError")]),
            around(),
        ],
    );
}
