//! Tencent's trpc-agent-go. Under OTel's keys for messages stands a form of its own; OTel's form is under `*.otel`.

use super::{Convention, Rule, To, WEAK, field, row, trusted};
use crate::genai::Field;

/// Above the key that OTel has for it, which holds the older form here.
const OTEL_FORM: u8 = 95;

const SECOND: u32 = 1_000_000_000;

pub const TRPC_AGENT_GO: Convention = Convention {
    id: "trpc-agent-go",
    scopes: &["trpc.agent.go"],
    keys: &["trpc.go.agent.*", "trpc_agent_go.*", "trpc_go_agent.*", "gen_ai.input.messages.otel", "gen_ai.output.messages.otel"],
    rules: &[
        Rule { key: "gen_ai.input.messages.otel", to: To::InputMessages, trust: OTEL_FORM },
        Rule { key: "gen_ai.output.messages.otel", to: To::OutputMessages, trust: OTEL_FORM },
        field("gen_ai.request.tool.definitions", Field::ToolDefinitions),
        row("trpc_agent_go.client.time_to_first_token", To::FirstTokenAfter(SECOND)),
        row("gen_ai.workflow.request", To::Input),
        row("gen_ai.workflow.response", To::Output),
        row("trpc.go.agent.runner.input", To::Input),
        row("trpc.go.agent.runner.output", To::Output),
        field("trpc.go.agent.runner.name", Field::AgentName),
        field("trpc.go.agent.runner.user_id", Field::UserId),
        field("trpc.go.agent.runner.session_id", Field::SessionId),
        Rule { key: "trpc.go.agent.llm_request", to: To::InputMessages, trust: WEAK },
        Rule { key: "trpc.go.agent.llm_response", to: To::OutputMessages, trust: WEAK },
        trusted("trpc.go.agent.tool_call_args", Field::ToolCallArguments, WEAK),
        trusted("trpc.go.agent.tool_response", Field::ToolCallResult, WEAK),
        trusted("trpc.go.agent.model_name", Field::RequestModel, WEAK),
    ],
    ..Convention::EMPTY
};
