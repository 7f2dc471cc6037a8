//! OpenClaw's plugin `diagnostics-otel`, by its documentation. `openclaw.model.usage` puts the calls of a run on an account once more.

use super::{Convention, NAMED, Rule, SPAN_NAME, To, WEAK, field, row, trusted};
use crate::genai::{Field, Kind};

const NAMES: &[(&str, Kind)] = &[
    ("openclaw.model.call", Kind::Chat),
    ("openclaw.harness.run", Kind::InvokeAgent),
    ("openclaw.run", Kind::InvokeAgent),
    ("openclaw.tool.execution", Kind::ExecuteTool),
    ("openclaw.message.processed", Kind::Chain),
];

/// A turn of a command line that is called is the sum of its calls.
const UNITS: &[(&str, Kind)] = &[("request", Kind::Chat), ("turn", Kind::InvokeAgent)];

pub const OPENCLAW: Convention = Convention {
    id: "openclaw",
    scopes: &["openclaw*"],
    keys: &["openclaw.*"],
    rules: &[
        Rule { key: SPAN_NAME, to: To::Hint(NAMES), trust: NAMED },
        row("openclaw.model_call.observation_unit", To::Kind(UNITS)),
        field("openclaw.provider", Field::Provider),
        field("openclaw.model", Field::RequestModel),
        field("openclaw.model_call.usage.input_tokens", Field::InputTokens),
        field("openclaw.model_call.usage.output_tokens", Field::OutputTokens),
        field("openclaw.model_call.usage.total_tokens", Field::TotalTokens),
        row("openclaw.model_call.usage.*", To::UsagePart),
        row("openclaw.model_call.time_to_first_byte_ms", To::FirstTokenAfter(1_000_000)),
        field("openclaw.toolName", Field::ToolName),
        field("openclaw.sessionId", Field::SessionId),
        trusted("openclaw.sessionKey", Field::SessionId, WEAK),
        field("openclaw.errorCategory", Field::ErrorType),
        trusted("openclaw.failureKind", Field::ErrorType, WEAK),
    ],
    ..Convention::EMPTY
};
