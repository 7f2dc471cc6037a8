//! CrewAI and Haystack, through OpenInference, OpenLLMetry and Haystack's own integration.

use super::facts::{Fact::*, *};
use super::hold;
use crate::facts;
use serde_json::{Value as Json, json};

#[test]
fn haystack() {
    let model = || {
        facts![
            chat("openai", "gpt-4o-mini-2024-07-18"),
            counts(),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.request.model": null,
                "gen_ai.usage.audio.input_tokens": 0,
                "gen_ai.usage.audio.output_tokens": 0,
            }))
        ]
    };
    let parameters = || json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let component: &[&str] = &["haystack.component.fully_qualified_type", "haystack.component.name", "haystack.component.type"];
    let step: &[&str] = &["haystack.agent.step"];
    let run = || facts![[Kind("AGENT")], entry(), defined(parameters()), says(json!({"gen_ai.operation.name": "invoke_agent"}))];
    let error = || failed("openai.InternalServerError");
    hold(
        "haystack-py-3.4.0.pipeline-agent.pb",
        vec![
            (
                "haystack.component.run",
                facts![
                    [Kind("TASK")],
                    left(&[
                        "haystack.component.fully_qualified_type",
                        "haystack.component.input",
                        "haystack.component.name",
                        "haystack.component.output",
                        "haystack.component.type"
                    ])
                ],
            ),
            ("haystack.component.run", facts![model(), left(component), messages(json!([brief(), asked()]), json!([answered()]), "stop")]),
            (
                "haystack.pipeline.run",
                facts![
                    [Kind("WORKFLOW")],
                    entry(),
                    says(json!({"gen_ai.operation.name": "invoke_workflow"})),
                    left(&[
                        "haystack.pipeline.execution_mode",
                        "haystack.pipeline.input_data",
                        "haystack.pipeline.max_runs_per_component",
                        "haystack.pipeline.metadata",
                        "haystack.pipeline.output_data"
                    ])
                ],
            ),
            (
                "haystack.agent.step.llm",
                facts![model(), defined(parameters()), messages(json!([brief(), asked()]), json!([called()]), "tool_call")],
            ),
            ("haystack.agent.step.tool", facts![tool(), says(json!({"gen_ai.tool.description": "weather of a city"}))]),
            ("haystack.agent.step", facts![[Kind("CHAIN")], left(step)]),
            ("haystack.agent.step.llm", facts![model(), defined(parameters()), messages(history(), json!([answered()]), "stop")]),
            ("haystack.agent.step", facts![[Kind("CHAIN")], left(step)]),
            (
                "haystack.agent.run",
                facts![
                    run(),
                    left(&[
                        "haystack.agent.exit_conditions",
                        "haystack.agent.input",
                        "haystack.agent.max_steps",
                        "haystack.agent.output",
                        "haystack.agent.state_schema",
                        "haystack.agent.steps_taken"
                    ])
                ],
            ),
            (
                "haystack.agent.step.llm",
                facts![
                    [Kind("LLM")],
                    error(),
                    defined(parameters()),
                    says(json!({"gen_ai.operation.name": "chat", "gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            ("haystack.agent.step", facts![[Kind("CHAIN")], error(), left(step)]),
            (
                "haystack.agent.run",
                facts![
                    run(),
                    error(),
                    left(&[
                        "haystack.agent.exit_conditions",
                        "haystack.agent.input",
                        "haystack.agent.max_steps",
                        "haystack.agent.state_schema"
                    ])
                ],
            ),
            around(),
        ],
    );
}

/// A crew's prompt, around the question.
const TASK: &str = "\nCurrent Task: 深圳天气如何?\n\nThis is the expected criteria for your final answer: the weather\nyou MUST return the actual complete content as the final answer, not a summary.";

fn prompted() -> Vec<Json> {
    vec![text("system", "You are shop. be brief\nYour personal goal is: tell the weather"), text("user", TASK)]
}

fn prompted_twice() -> Json {
    let mut messages = prompted();
    messages.extend([called(), told(RESULT.into())]);
    messages.into()
}

/// The schema that CrewAI gives the model.
fn closed() -> Json {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false})
}

#[test]
fn crewai_through_openinference() {
    let model = |name: &str| {
        facts![chat("openai", name), defined(closed()), says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))]
    };
    let full = || {
        facts![
            model("gpt-4o-mini"),
            counts(),
            left(&["llm.invocation_parameters"]),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": "chatcmpl-1",
                "openai.response.service_tier": "default",
                "openai.response.system_fingerprint": "fp_1",
                "gen_ai.usage.audio.input_tokens": 0,
                "gen_ai.usage.audio.output_tokens": 0,
            }))
        ]
    };
    // The agent's name is only inside its input.
    let task = || facts![[Kind("AGENT")], says(json!({"gen_ai.operation.name": "invoke_agent"}))];
    let crew = || {
        facts![
            chain(&[
                "crew_agents",
                "crew_id",
                "crew_inputs",
                "crew_key",
                "crew_tasks",
                "input.value",
                "openinference.span.kind",
                "output.value"
            ]),
            entry()
        ]
    };
    let error = || failed("openai.InternalServerError");
    hold(
        "openinference-crewai-py-1.1.21.crew.pb",
        vec![
            ("ChatCompletion", facts![full(), messages(prompted().into(), json!([called()]), "tool_call")]),
            ("ChatCompletion", facts![full(), messages(prompted_twice(), json!([answered()]), "stop")]),
            (
                "ChatCompletion",
                facts![model("boom"), error(), left(&["llm.invocation_parameters"]), says(json!({"gen_ai.input.messages": prompted()}))],
            ),
            (
                "get_weather.run",
                facts![
                    tool(),
                    says(json!({"gen_ai.tool.description": "…"})),
                    left(&[
                        "tool.cache_function",
                        "tool.current_usage_count",
                        "tool.description_updated",
                        "tool.parameters",
                        "tool.result_as_answer"
                    ])
                ],
            ),
            (
                "shop.weather._execute_core",
                facts![
                    task(),
                    left(&["crew_id", "crew_key", "graph.node.id", "input.value", "output.value", "task_id", "task_key", "task_name"])
                ],
            ),
            ("weather-crew.kickoff", facts![crew()]),
            (
                "shop.weather._execute_core",
                facts![task(), error(), left(&["crew_id", "crew_key", "graph.node.id", "input.value", "task_id", "task_key", "task_name"])],
            ),
            (
                "weather-crew.kickoff",
                facts![
                    crew(),
                    error(),
                    left(&["crew_agents", "crew_id", "crew_inputs", "crew_key", "crew_tasks", "input.value", "openinference.span.kind"])
                ],
            ),
            around(),
        ],
    );
}

#[test]
fn crewai_through_openllmetry() {
    let model = |name: &str| {
        facts![
            chat("openai", name),
            defined(closed()),
            left(&["gen_ai.openai.api_base"]),
            says(json!({
            "gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64, "gen_ai.request.stream": false, "server.address": "127.0.0.1"}))
        ]
    };
    let full = || {
        facts![
            model("gpt-4o-mini"),
            counts(),
            left(&["gen_ai.openai.api_base"]),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": "chatcmpl-1",
                "openai.response.system_fingerprint": "fp_1",
                "openai.response.service_tier": "default",
            }))
        ]
    };
    let shop = || {
        facts![
            agent("shop"),
            says(json!({"gen_ai.agent.id": "…"})),
            left(&[
                "crewai.agent.allow_delegation",
                "crewai.agent.backstory",
                "crewai.agent.cache",
                "crewai.agent.goal",
                "crewai.agent.llm",
                "crewai.agent.max_iter",
                "crewai.agent.tools",
                "crewai.agent.verbose"
            ])
        ]
    };
    // OpenLLMetry calls the task and the crew an agent too.
    let task = || {
        facts![
            agent("shop"),
            left(&[
                "crewai.task.async_execution",
                "crewai.task.description",
                "crewai.task.expected_output",
                "crewai.task.human_input",
                "crewai.task.id",
                "crewai.task.tools"
            ])
        ]
    };
    let crew = || {
        facts![
            agent("weather-crew"),
            entry(),
            left(&[
                "crewai.crew.agents",
                "crewai.crew.cache",
                "crewai.crew.id",
                "crewai.crew.memory",
                "crewai.crew.planning",
                "crewai.crew.process",
                "crewai.crew.share_crew",
                "crewai.crew.tasks",
                "crewai.crew.verbose"
            ])
        ]
    };
    let error = || failed("openai.InternalServerError");
    hold(
        "openllmetry-crewai-py-0.62.4.crew.pb",
        vec![
            ("openai.chat", facts![full(), messages(prompted().into(), ended(called(), "tool_call"), "tool_call")]),
            ("openai.chat", facts![full(), messages(prompted_twice(), ended(answered(), "stop"), "stop")]),
            ("openai.chat", facts![model("boom"), failed("InternalServerError"), says(json!({"gen_ai.input.messages": prompted()}))]),
            ("shop.agent", facts![shop(), says(json!({"gen_ai.request.model": "gpt-4o-mini", "gen_ai.response.model": "gpt-4o-mini"}))]),
            (
                "深圳天气如何?.task",
                facts![
                    task(),
                    left(&[
                        "crewai.task.async_execution",
                        "crewai.task.description",
                        "crewai.task.expected_output",
                        "crewai.task.human_input",
                        "crewai.task.id",
                        "crewai.task.tools",
                        "traceloop.entity.output"
                    ])
                ],
            ),
            (
                "crewai.workflow",
                facts![
                    crew(),
                    left(&[
                        "crewai.crew.agents",
                        "crewai.crew.cache",
                        "crewai.crew.id",
                        "crewai.crew.memory",
                        "crewai.crew.planning",
                        "crewai.crew.process",
                        "crewai.crew.result",
                        "crewai.crew.share_crew",
                        "crewai.crew.tasks",
                        "crewai.crew.tasks_output",
                        "crewai.crew.token_usage",
                        "crewai.crew.usage_metrics",
                        "crewai.crew.verbose"
                    ])
                ],
            ),
            ("shop.agent", facts![shop(), error()]),
            ("深圳天气如何?.task", facts![task(), error()]),
            ("crewai.workflow", facts![crew(), error()]),
            around(),
        ],
    );
}

#[test]
fn haystack_through_openinference() {
    let model = || {
        facts![
            chat("openai", "gpt-4o-mini-2024-07-18"),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.usage.input_tokens": 57,
                "gen_ai.usage.output_tokens": 17,
            }))
        ]
    };
    // The raw input and output are Python's words for objects, which say more than the lists do.
    let raw = || left(&["input.value", "output.value"]);
    let step = || chain(&["input.value", "openinference.span.kind", "output.value"]);
    let broken = || facts![chain(&["input.value", "openinference.span.kind"]), failed("openai.InternalServerError")];
    let nameless = || json!({"role": "assistant", "parts": [{"type": "tool_call", "name": "get_weather", "arguments": {"city": "深圳"}}]});
    hold(
        "openinference-haystack-py-0.1.46.pipeline-agent.pb",
        vec![
            ("ChatPromptBuilder.run", facts![step()]),
            (
                "OpenAIChatGenerator.run",
                facts![model(), raw(), says(json!({"gen_ai.input.messages": [brief(), asked()], "gen_ai.output.messages": [answered()]}))],
            ),
            ("Pipeline.run", facts![step(), entry()]),
            ("ChatPromptBuilder.run", facts![step()]),
            (
                "OpenAIChatGenerator.run",
                facts![model(), raw(), says(json!({"gen_ai.input.messages": [brief(), asked()], "gen_ai.output.messages": [nameless()]}))],
            ),
            (
                "OpenAIChatGenerator.run",
                facts![
                    model(),
                    raw(),
                    says(json!({
                        "gen_ai.input.messages": [brief(), asked(), {"role": "assistant", "parts": []}, {"role": "tool", "parts": [{"type": "tool_call_response", "response": ""}]}],
                        "gen_ai.output.messages": [answered()],
                    }))
                ],
            ),
            ("Agent.run", facts![step(), entry()]),
            ("ChatPromptBuilder.run", facts![step()]),
            (
                "OpenAIChatGenerator.run",
                facts![
                    [Kind("LLM"), Left(&["input.value"])],
                    failed("openai.InternalServerError"),
                    says(json!({"gen_ai.operation.name": "chat", "gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            ("Agent.run", facts![broken(), entry()]),
            around(),
        ],
    );
}
