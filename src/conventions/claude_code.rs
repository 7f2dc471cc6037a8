//! Claude Code and the Claude Agent SDK: bare keys, so nothing but the scope tells.

use super::{Convention, Rule, STRUCTURED, To, field, row};
use crate::genai::{Field, Flat, Kind};

const TYPES: &[(&str, Kind)] = &[
    ("hook", Kind::Guardrail),
    ("interaction", Kind::InvokeAgent),
    ("llm_request", Kind::Chat),
    ("tool", Kind::ExecuteTool),
    ("tool.blocked_on_user", Kind::Span),
    ("tool.execution", Kind::Span),
];

/// Stands where content is not captured.
const REDACTED: &[&str] = &["<REDACTED>"];

const fn argument(key: &'static str) -> Rule {
    row(key, To::Inside(Flat::Arguments, key))
}

const NS_PER_MS: u32 = 1_000_000;

pub const CLAUDE_CODE: Convention = Convention {
    id: "claude-code",
    scopes: &["com.anthropic.claude_code*"],
    keys: &[],
    rules: &[
        row("span.type", To::Kind(TYPES)),
        row("user_prompt", To::Unless(Field::EntityInput, REDACTED)),
        row("new_context", To::InputMessages),
        row("response.model_output", To::OutputMessages),
        field("user_system_prompt", Field::SystemInstructions),
        field("system_prompt_preview", Field::SystemInstructions),
        field("tools", Field::ToolDefinitions),
        Rule { key: "tool_definitions", to: To::Field(Field::ToolDefinitions), trust: STRUCTURED },
        field("model", Field::RequestModel),
        field("effort", Field::ReasoningLevel),
        row("input_tokens", To::UncachedInput),
        field("output_tokens", Field::OutputTokens),
        field("cache_read_tokens", Field::CacheReadTokens),
        field("cache_creation_tokens", Field::CacheWriteTokens),
        field("cost_usd", Field::Cost),
        field("stop_reason", Field::FinishReasons),
        row("ttft_ms", To::FirstTokenAfter(NS_PER_MS)),
        field("request_id", Field::ResponseId),
        field("tool_name", Field::ToolName),
        field("tool_use_id", Field::ToolCallId),
        row("tool_input", To::Unless(Field::ToolCallArguments, REDACTED)),
        // Parts of the input, where the input is not captured.
        argument("file_path"),
        argument("full_command"),
        argument("skill_name"),
        argument("subagent_type"),
        // A title or a summary, outside of any interaction.
        row("llm_request.context", To::Aside(&["standalone"])),
        row("success", To::Failed(&["false"])),
        row("error", To::StatusMessage),
        field("session.id", Field::SessionId),
        field("user.id", Field::UserId),
        row("user.email", To::Spent),
    ],
    ..Convention::EMPTY
};
