//! Hermes with its plugin for OpenTelemetry: a session, which stays open over all its turns, the turns, and OTel's names on their calls.

use super::{Convention, NAMED, Rule, SPAN_NAME, To, field, row};
use crate::genai::{Field, Kind};

const KINDS: &[(&str, Kind)] = &[
    ("AGENT", Kind::InvokeAgent),
    ("CHAIN", Kind::Chain),
    ("EMBEDDING", Kind::Embeddings),
    ("LLM", Kind::Chat),
    ("RERANKER", Kind::Rerank),
    ("RETRIEVER", Kind::Retrieval),
    ("TOOL", Kind::ExecuteTool),
];

const NAMES: &[(&str, Kind)] = &[("hermes.session", Kind::InvokeAgent), ("hermes.turn", Kind::Chain), ("hermes.tool.*", Kind::ExecuteTool)];

pub const HERMES: Convention = Convention {
    id: "hermes-otel",
    scopes: &["hermes-agent.otel_tracing"],
    keys: &["hermes.*"],
    rules: &[
        // Each turn is an entry; a session may end hours later.
        Rule { key: SPAN_NAME, to: To::All(&[To::Hint(NAMES), To::Aside(&["hermes.session"])]), trust: NAMED },
        row("hermes.span.kind", To::Kind(KINDS)),
        field("hermes.provider", Field::Provider),
        field("hermes.session.id", Field::SessionId),
        row("hermes.turn.user_message", To::Input),
        row("hermes.turn.assistant_response", To::Output),
        field("hermes.tool.name", Field::ToolName),
        field("hermes.tool.args", Field::ToolCallArguments),
        field("hermes.tool.result", Field::ToolCallResult),
        field("hermes.cache.read_tokens", Field::CacheReadTokens),
        field("hermes.cache.write_tokens", Field::CacheWriteTokens),
        field("hermes.reasoning_tokens", Field::ReasoningTokens),
        row("hermes.base_url", To::Host),
    ],
    ..Convention::EMPTY
};
