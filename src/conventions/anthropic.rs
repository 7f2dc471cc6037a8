//! Anthropic's own spans: those of its SDKs, and those that the Claude API pushes. Both write OTel's names; what differs from them, or is beside
//! them, stands here. The name of a span is that of a method; only three kinds of them are more than management.

use super::{Convention, NAMED, Rule, SPAN_NAME, To, WEAK, row, trusted};
use crate::genai::{Field, Kind};

const NAMES: &[(&str, Kind)] = &[
    ("anthropic.messages.create", Kind::Chat),
    ("anthropic.messages.tool_runner", Kind::InvokeAgent),
    ("anthropic.tool_use*", Kind::ExecuteTool),
    ("anthropic.mcp_tool_use*", Kind::ExecuteTool),
    ("anthropic.custom_tool_use*", Kind::ExecuteTool),
];

/// Blocks of content; one of text alone is its text.
const RESULT: &[To] = &[To::Object(&[("type", To::Spent), ("text", To::Field(Field::ToolCallResult))]), To::Field(Field::ToolCallResult)];

const RULES: &[Rule] = &[
    Rule { key: SPAN_NAME, to: To::Hint(NAMES), trust: NAMED },
    row("anthropic.tool_result.content", To::All(RESULT)),
    trusted("anthropic.session.id", Field::SessionId, WEAK),
    trusted("anthropic.session.thread.id", Field::ConversationId, WEAK),
];

pub const ANTHROPIC: Convention = Convention { id: "anthropic-sdk", scopes: &["com.anthropic.sdk.*"], rules: RULES, ..Convention::EMPTY };

/// The same names, on the side of the server.
pub const CLAUDE_PLATFORM: Convention = Convention {
    id: "claude-platform",
    scopes: &["com.anthropic.claude-platform"],
    resources: &[("service.name", "claude-platform")],
    rules: RULES,
    ..Convention::EMPTY
};
