//! Codex CLI: the spans of its Rust functions. What was said stands in its log records only.

use super::{Convention, To, field, row};
use crate::genai::Field;

pub const CODEX: Convention = Convention {
    id: "codex",
    scopes: &["codex*"],
    keys: &["codex.turn.*", "codex.request.*", "codex.usage.*"],
    rules: &[
        // A turn's, which its calls leave out.
        row("model", To::ModelBelow),
        row("codex.usage.*", To::UsagePart),
        field("codex.turn.token_usage.input_tokens", Field::InputTokens),
        field("codex.turn.token_usage.cached_input_tokens", Field::CacheReadTokens),
        field("codex.turn.token_usage.cache_write_input_tokens", Field::CacheWriteTokens),
        row("codex.turn.token_usage.non_cached_input_tokens", To::Spent),
        field("codex.turn.token_usage.output_tokens", Field::OutputTokens),
        field("codex.turn.token_usage.reasoning_output_tokens", Field::ReasoningTokens),
        field("codex.turn.token_usage.total_tokens", Field::TotalTokens),
        field("codex.turn.reasoning_effort", Field::ReasoningLevel),
        field("codex.request.reasoning_effort", Field::ReasoningLevel),
        field("conversation.id", Field::ConversationId),
        // Rust's tracing has the number of a thread of the system there.
        row("thread.id", To::Like("*-*-*-*-*", &To::Field(Field::ConversationId))),
        row("user.email", To::Spent),
        row("user.account_id", To::Spent),
    ],
    ..Convention::EMPTY
};
