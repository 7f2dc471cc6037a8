//! Older versions of the same frameworks, which wrote other things.

use super::facts::{Fact::*, *};
use super::{hold, hold_some};
use crate::facts;
use serde_json::{Value as Json, json};

#[test]
fn strands_1_0() {
    let blocks = || json!([{"text": RESULT}]);
    // The user tells what the tool gave, as Bedrock has it. Session and user are on the agent only.
    let result = || json!({"role": "user", "parts": [{"type": "tool_call_response", "id": "call_abc123", "response": blocks()}]});
    let usage = || says(json!({"gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17}));
    let cycle = || chain(&["event_loop.cycle_id"]);
    let history = || json!([asked(), called(), result()]);
    let shop = |model| {
        let says = says(json!({"gen_ai.request.model": model, "gen_ai.input.messages": [asked()]}));
        facts![agent("shop"), says, instructed("be brief"), entry(), who(), left(&["gen_ai.agent.tools"])]
    };
    let error = || failed("openai.InternalServerError");
    hold(
        "strands-py-1.0.1.agent-events.pb",
        vec![
            ("chat", facts![chat("openai", "gpt-4o-mini"), usage(), messages(json!([asked()]), json!([called()]), "tool_call")]),
            (
                "execute_tool get_weather",
                facts![
                    tool(),
                    left(&["tool.status"]),
                    says(json!({"gen_ai.tool.call.id": "call_abc123", "gen_ai.tool.call.result": blocks()}))
                ],
            ),
            (
                "execute_event_loop_cycle",
                facts![cycle(), says(json!({"gen_ai.input.messages": [asked()], "gen_ai.output.messages": [called(), told(blocks())]}))],
            ),
            ("chat", facts![chat("openai", "gpt-4o-mini"), usage(), messages(history(), json!([answered()]), "stop")]),
            (
                "execute_event_loop_cycle",
                facts![
                    chain(&["event_loop.cycle_id", "event_loop.parent_cycle_id"]),
                    says(json!({"gen_ai.input.messages": history(), "gen_ai.output.messages": [answered()]}))
                ],
            ),
            (
                "invoke_agent shop",
                facts![
                    shop("gpt-4o-mini"),
                    says(json!({
                        "gen_ai.aggregated_usage.input_tokens": 114,
                        "gen_ai.aggregated_usage.output_tokens": 34,
                        "gen_ai.output.messages": [text("assistant", "It is 26°C and sunny. 晴天。\n")],
                        "gen_ai.response.finish_reasons": ["stop"],
                    }))
                ],
            ),
            // The loop around it was never closed.
            ("chat", facts![chat(Json::Null, "boom"), error(), entry(), says(json!({"gen_ai.input.messages": [asked()]}))]),
            ("invoke_agent shop", facts![shop("boom"), error()]),
            around(),
        ],
    );
}

#[test]
fn google_adk_1_10() {
    let given = || json!({"result": RESULT});
    let system = "be brief\n\nYou are an agent. Your internal name is \"shop\".\n\n The description about you is \"answers\"";
    let thought = || json!({"role": "assistant", "parts": [{"type": "reasoning", "content": "ask the tool"}, called()["parts"][0]]});
    let result = || json!({"role": "user", "parts": [{"type": "tool_call_response", "id": "call_abc123", "response": given()}]});
    let call_llm = || {
        facts![
            chat("gcp.gemini", "gemini-2.5-flash"),
            counts(),
            instructed(system),
            defined(json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})),
            left(&["gcp.vertex.agent.event_id", "gcp.vertex.agent.invocation_id"]),
            says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64, "session.id": "sess-1"}))
        ]
    };
    // Nothing but the names of the spans tells the operation; that of the agent is left inside.
    let run = || facts![[Kind("AGENT")], says(json!({"gen_ai.operation.name": "invoke_agent"}))];
    let invocation = || facts![[Kind("WORKFLOW")], entry(), says(json!({"gen_ai.operation.name": "invoke_workflow"}))];
    let error = || failed("google.genai.errors.ServerError");
    hold(
        "google-adk-py-1.10.0.gemini.pb",
        vec![
            (
                "execute_tool get_weather",
                facts![
                    tool(),
                    left(&["gcp.vertex.agent.event_id"]),
                    says(json!({
                    "gen_ai.provider.name": "gcp.gemini",
                    "gen_ai.tool.call.id": "call_abc123", "gen_ai.tool.description": "weather of a city", "gen_ai.tool.call.result": given()}))
                ],
            ),
            ("call_llm", facts![call_llm(), says(json!({"gen_ai.input.messages": [asked()], "gen_ai.output.messages": [thought()]}))]),
            (
                "call_llm",
                facts![
                    call_llm(),
                    says(json!({"gen_ai.input.messages": [asked(), thought(), result()], "gen_ai.output.messages": [answered()]}))
                ],
            ),
            ("agent_run [shop]", run()),
            ("invocation", invocation()),
            ("call_llm", facts![[Kind("LLM")], error(), says(json!({"gen_ai.operation.name": "chat"}))]),
            ("agent_run [shop]", facts![run(), error()]),
            ("invocation", facts![invocation(), error()]),
            around(),
        ],
    );
}

#[test]
fn semantic_kernel_1_30() {
    let ask = |model| {
        facts![
            chat("openai", model),
            says(json!({"server.address": "127.0.0.1", "gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
        ]
    };
    let turn = |name, reason: &str| {
        (
            name,
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
    let shop = || facts![agent("shop"), entry(), says(json!({"gen_ai.agent.id": "…", "gen_ai.agent.description": "answers"}))];
    let a_loop = || left(&["sk.available_functions"]);
    let error = || failed("semantic_kernel.exceptions.service_exceptions.ServiceResponseException");
    hold(
        "semantic-kernel-py-1.30.0.agents.pb",
        vec![
            turn("chat.completions gpt-4o-mini", "tool_call"),
            turn("chat.completions gpt-4o-mini", "stop"),
            turn("chat.streaming_completions gpt-4o-mini", "tool_call"),
            turn("chat.streaming_completions gpt-4o-mini", "stop"),
            ("chat.completions boom", facts![ask("boom"), error()]),
            // Nothing is said of the function.
            ("Weather-get_weather", vec![]),
            ("Weather-get_weather", vec![]),
            ("AutoFunctionInvocationLoop", facts![a_loop()]),
            ("AutoFunctionInvocationLoop", facts![a_loop()]),
            ("AutoFunctionInvocationLoop", facts![a_loop(), error()]),
            ("invoke_agent shop", shop()),
            ("invoke_agent shop", shop()),
            ("invoke_agent shop", facts![shop(), error()]),
            around(),
        ],
    );
}

#[test]
fn livekit_1_2() {
    let request = |provider: Json, model| facts![chat(provider, model), instructed("be brief")];
    let full = || {
        facts![
            request("openai".into(), "gpt-4o-mini"),
            left(&["lk.llm_metrics"]),
            says(json!({
                "gen_ai.usage.input_tokens": 57,
                "gen_ai.usage.cache_read.input_tokens": 32,
                "gen_ai.usage.output_tokens": 17,
                "gen_ai.response.time_to_first_chunk": "…",
            }))
        ]
    };
    let turn = || facts![[Kind("AGENT")], says(json!({"gen_ai.operation.name": "invoke_agent"}))];
    let told = json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_abc123", "response": RESULT}]});
    let asking: &[&str] = &["lk.interrupted", "lk.speech_id", "lk.user_input"];
    hold_some(
        "livekit-py-1.2.14.session.pb",
        |name| ["llm_request", "function_tool", "assistant_turn", "POST /chat"].contains(&name),
        vec![
            ("llm_request", facts![full(), says(json!({"gen_ai.input.messages": [asked()], "gen_ai.output.messages": [called()]}))]),
            ("function_tool", facts![tool(), left(&["lk.function_tool.is_error"])]),
            // Beside its session, not below it; the turn after the tool is below the first.
            ("assistant_turn", facts![turn(), entry(), left(asking)]),
            (
                "llm_request",
                facts![full(), says(json!({"gen_ai.input.messages": [asked(), called(), told], "gen_ai.output.messages": [answered()]}))],
            ),
            (
                "assistant_turn",
                facts![turn(), left(&["lk.interrupted", "lk.speech_id"]), says(json!({"gen_ai.output.messages": [answered()]}))],
            ),
            (
                "llm_request",
                facts![
                    request(Json::Null, "boom"),
                    failed("livekit.agents._exceptions.APIConnectionError"),
                    says(json!({"gen_ai.input.messages": [asked()]}))
                ],
            ),
            ("assistant_turn", facts![turn(), entry(), left(asking)]),
            around(),
        ],
    );
}

#[test]
fn openai_agents_through_openinference_1_3() {
    // The agent has no name of its own but that of its node.
    let shop = || ("shop", facts![agent("shop"), left(&["graph.node.id"]), says(json!({"gen_ai.provider.name": "openai"}))]);
    let workflow = || ("Agent workflow", facts![[Kind("AGENT")], entry(), says(json!({"gen_ai.operation.name": "invoke_agent"}))]);
    let tool = || ("get_weather", facts![tool(), says(json!({"gen_ai.provider.name": "openai"}))]);
    hold_some(
        "openinference-openai-agents-py-1.3.0.agents.pb",
        |name| ["get_weather", "shop", "Agent workflow"].contains(&name),
        vec![tool(), shop(), workflow(), tool(), shop(), workflow(), shop(), workflow()],
    );
}

#[test]
fn crewai_through_openllmetry_0_47() {
    let model = |name: &str| {
        facts![
            chat("openai", name),
            says(json!({
                "gen_ai.request.temperature": 0.3,
                "gen_ai.request.max_tokens": 64,
                "gen_ai.request.stream": false,
                "server.address": "127.0.0.1",
                "gen_ai.input.messages": [text("system", "…"), text("user", "…")],
            }))
        ]
    };
    let crew = || {
        facts![[Kind("WORKFLOW")], entry(), says(json!({"gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": "weather-crew"}))]
    };
    let rest = left(&[
        "crewai.crew.after_kickoff_callbacks",
        "crewai.crew.agents",
        "crewai.crew.before_kickoff_callbacks",
        "crewai.crew.cache",
        "crewai.crew.execution_logs",
        "crewai.crew.id",
        "crewai.crew.memory",
        "crewai.crew.planning",
        "crewai.crew.process",
        "crewai.crew.result",
        "crewai.crew.security_config",
        "crewai.crew.share_crew",
        "crewai.crew.tasks",
        "crewai.crew.tasks_output",
        "crewai.crew.token_usage",
        "crewai.crew.tracing",
        "crewai.crew.verbose",
    ]);
    let rest_of_failed = left(&[
        "crewai.crew.after_kickoff_callbacks",
        "crewai.crew.agents",
        "crewai.crew.before_kickoff_callbacks",
        "crewai.crew.cache",
        "crewai.crew.execution_logs",
        "crewai.crew.id",
        "crewai.crew.memory",
        "crewai.crew.planning",
        "crewai.crew.process",
        "crewai.crew.security_config",
        "crewai.crew.share_crew",
        "crewai.crew.tasks",
        "crewai.crew.tracing",
        "crewai.crew.verbose",
    ]);
    hold_some(
        "openllmetry-crewai-py-0.47.3.crew.pb",
        |name| ["openai.chat", "crewai.workflow"].contains(&name),
        vec![
            (
                "openai.chat",
                facts![
                    model("gpt-4o-mini"),
                    counts(),
                    left(&["gen_ai.openai.api_base", "llm.request.reasoning_effort"]),
                    says(json!({
                        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                        "gen_ai.response.id": "chatcmpl-1",
                        "gen_ai.response.finish_reasons": ["stop"],
                        "gen_ai.output.messages": [answered()],
                        "openai.response.system_fingerprint": "fp_1",
                    }))
                ],
            ),
            (
                "openai.chat",
                facts![model("boom"), failed("InternalServerError"), left(&["gen_ai.openai.api_base", "llm.request.reasoning_effort"])],
            ),
            ("crewai.workflow", facts![crew(), rest]),
            ("crewai.workflow", facts![crew(), rest_of_failed, failed("litellm.exceptions.InternalServerError")]),
        ],
    );
}

#[test]
fn agent_framework_beta() {
    let schema = || json!({"type": "object", "title": "get_weather_input", "properties": {"city": {"title": "City", "type": "string"}}, "required": ["city"]});
    let asks = || {
        facts![
            defined(schema()),
            says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64, "gen_ai.input.messages": [asked()]}))
        ]
    };
    let model = |name: &str| facts![chat("openai", name), asks(), says(json!({"server.address": "127.0.0.1"}))];
    let full = || {
        facts![
            model("gpt-4o-mini"),
            left(&["gen_ai.client.operation.duration"]),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.usage.input_tokens": 57,
                "gen_ai.usage.output_tokens": 17,
            }))
        ]
    };
    // The requested model is `unknown`, and the usage that of the last call.
    let shop = || facts![agent("shop"), asks(), entry(), says(json!({"gen_ai.agent.id": "…", "gen_ai.agent.description": "answers"}))];
    hold(
        "agent-framework-py-1.0.0b251028.agents.pb",
        vec![
            ("chat gpt-4o-mini", facts![full(), messages(json!([asked()]), json!([called()]), "tool_call")]),
            (
                "execute_tool get_weather",
                facts![
                    tool(),
                    says(
                        json!({"gen_ai.tool.call.id": "call_abc123", "gen_ai.tool.type": "function", "gen_ai.tool.description": "weather of a city"})
                    )
                ],
            ),
            (
                "chat gpt-4o-mini",
                facts![full(), messages(json!([asked(), called(), told(RESULT.into())]), ended(answered(), "stop"), "stop")],
            ),
            (
                "invoke_agent shop",
                facts![
                    shop(),
                    messages(json!([asked()]), json!([called(), told(RESULT.into()), answered()]), "stop"),
                    says(json!({
                        "gen_ai.response.id": "chatcmpl-1",
                        "gen_ai.aggregated_usage.input_tokens": 57,
                        "gen_ai.aggregated_usage.output_tokens": 17,
                    }))
                ],
            ),
            ("chat boom", facts![model("boom"), failed("ServiceResponseException")]),
            ("invoke_agent shop", facts![shop(), failed("ServiceResponseException")]),
            around(),
        ],
    );
}

#[test]
fn google_adk_1_25() {
    let system = "be brief\n\nYou are an agent. Your internal name is \"shop\". The description about you is \"answers\".";
    let thought = || json!({"role": "assistant", "parts": [{"type": "reasoning", "content": "ask the tool"}, called()["parts"][0]]});
    let result = || json!({"role": "user", "parts": [{"type": "tool_call_response", "id": "call_abc123", "response": {"result": RESULT}}]});
    let ids: &[&str] = &["gcp.vertex.agent.event_id", "gcp.vertex.agent.invocation_id"];
    // Without the thoughts, which the whole answer counts: its total decides.
    let call_llm = || {
        facts![
            chat("gcp.gemini", "gemini-2.5-flash"),
            counts(),
            instructed(system),
            left(ids),
            says(json!({
                "gen_ai.tool.definitions": [{"type": "function", "name": "get_weather", "description": "weather of a city",
                    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}],
                "gen_ai.response.model": "gemini-2.5-flash-001",
                "gen_ai.request.temperature": 0.3,
                "gen_ai.request.max_tokens": 64,
                "session.id": "sess-1",
            }))
        ]
    };
    let generate = |model| {
        facts![
            chat("gcp.gemini", model),
            left(ids),
            says(json!({
            "gen_ai.operation.name": "generate_content", "gen_ai.agent.name": "shop", "gen_ai.conversation.id": "sess-1", "user.id": "user-456"}))
        ]
    };
    let once_more = || {
        facts![
            generate("gemini-2.5-flash"),
            says(json!({
            "gen_ai.response.finish_reasons": ["stop"], "gen_ai.aggregated_usage.input_tokens": 57, "gen_ai.aggregated_usage.output_tokens": 9}))
        ]
    };
    let error = || failed("google.genai.errors.ServerError");
    hold_some(
        "google-adk-py-1.25.1.gemini.pb",
        |name| name == "call_llm" || name.starts_with("generate_content"),
        vec![
            ("generate_content gemini-2.5-flash", once_more()),
            ("call_llm", facts![call_llm(), messages(json!([asked()]), json!([thought()]), "stop")]),
            ("generate_content gemini-2.5-flash", once_more()),
            ("call_llm", facts![call_llm(), messages(json!([asked(), thought(), result()]), json!([answered()]), "stop")]),
            ("generate_content gemini-boom", facts![generate("gemini-boom"), error()]),
            ("call_llm", facts![[Kind("LLM")], error(), says(json!({"gen_ai.operation.name": "chat"}))]),
        ],
    );
}
