//! Pydantic AI, instrumentation versions 1 to 6: messages as JSON of events (1), as OTel's own form (2 and later).

use super::{Convention, NAMED, Rule, SPAN_NAME, STRUCTURED, To, WEAK, field, row, trusted};
use crate::genai::{Field, Flat, Kind};

const SPAN_NAMES: &[(&str, Kind)] = &[
    ("chat *", Kind::Chat),
    ("agent run", Kind::InvokeAgent),
    ("invoke_agent *", Kind::InvokeAgent),
    ("running tool", Kind::ExecuteTool),
    ("running output function", Kind::ExecuteTool),
    ("running tools", Kind::Chain),
    ("running * tools", Kind::Chain),
    ("execute_tool *", Kind::ExecuteTool),
    ("preparing model request params", Kind::Span),
    ("* run", Kind::InvokeAgent),
];

/// Of an agent, the details of all its models.
const fn weak_sum(key: &'static str, field: Field) -> Rule {
    Rule { key, to: To::Aggregated(field), trust: WEAK }
}

pub const PYDANTIC_AI: Convention = Convention {
    id: "pydantic-ai",
    scopes: &["pydantic-ai*"],
    keys: &["pydantic_ai.*", "model_request_parameters", "all_messages_events"],
    rules: &[
        Rule { key: SPAN_NAME, to: To::Hint(SPAN_NAMES), trust: NAMED },
        trusted("agent_name", Field::AgentName, WEAK),
        trusted("model_name", Field::RequestModel, WEAK),
        field("final_result", Field::EntityOutput),
        Rule { key: "all_messages_events", to: To::Exchange, trust: STRUCTURED },
        Rule { key: "pydantic_ai.all_messages", to: To::Exchange, trust: STRUCTURED },
        Rule { key: "events", to: To::Exchange, trust: STRUCTURED },
        row(
            "model_request_parameters",
            To::All(&[To::Field(Field::ToolDefinitions), To::Object(&[("output_mode", To::Field(Field::OutputType))])]),
        ),
        // An agent's is the sum of its models'.
        row("gen_ai.usage.input_tokens", To::AggregateOn(&[Kind::InvokeAgent])),
        row("gen_ai.usage.output_tokens", To::AggregateOn(&[Kind::InvokeAgent])),
        weak_sum("gen_ai.aggregated_usage.details.cache_read_tokens", Field::CacheReadTokens),
        weak_sum("gen_ai.aggregated_usage.details.cache_write_tokens", Field::CacheWriteTokens),
        weak_sum("gen_ai.aggregated_usage.details.reasoning_tokens", Field::ReasoningTokens),
        row("gen_ai.usage.details.input_tokens", To::Spent),
        row("gen_ai.usage.details.output_tokens", To::Spent),
        field("operation.cost", Field::Cost),
        field("tool_arguments", Field::ToolCallArguments),
        field("tool_response", Field::ToolCallResult),
        field("gen_ai.client.operation.time_to_first_chunk", Field::TimeToFirstChunk),
        row("pydantic_ai.decision.usage.input_tokens", To::ToldAbove(Field::InputTokens)),
        row("pydantic_ai.decision.usage.output_tokens", To::ToldAbove(Field::OutputTokens)),
        row("pydantic_ai.decision.state", To::Inside(Flat::InputMessages, "0.content")),
        row("pydantic_ai.decision.answers", To::Inside(Flat::OutputMessages, "0.content")),
        // What is drawn, and what is embedded.
        row("prompt", To::Input),
        row("embeddings", To::Vector),
        row("inputs", To::Input),
        row("logfire.json_schema", To::Spent),
    ],
    ..Convention::EMPTY
};
