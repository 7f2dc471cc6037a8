//! VoltAgent: bare keys (`input`, `usage.prompt_tokens`) that mean something only on spans which its scope or its own keys prove.

use super::{Convention, Rule, STRUCTURED, To, WEAK, field, row, trusted};
use crate::genai::{Field, Kind};

const TYPES: &[(&str, Kind)] = &[
    ("agent", Kind::InvokeAgent),
    ("embedding", Kind::Embeddings),
    ("evaluator", Kind::Evaluator),
    ("guardrail", Kind::Guardrail),
    ("llm", Kind::Chat),
    ("memory", Kind::SearchMemory),
    ("middleware", Kind::Chain),
    ("retriever", Kind::Retrieval),
    ("summary", Kind::Chain),
    ("tool", Kind::ExecuteTool),
    ("vector", Kind::Retrieval),
    ("workflow", Kind::InvokeWorkflow),
    ("workflow-step", Kind::Task),
];

pub const VOLTAGENT: Convention = Convention {
    id: "voltagent",
    scopes: &["@voltagent/*"],
    keys: &["voltagent.*"],
    not_keys: &["voltagent.conversation_id", "voltagent.user_id"],
    rules: &[
        row("entity.type", To::Hint(TYPES)),
        // The agent's span adds up what its calls used.
        Rule { key: "span.type", to: To::All(&[To::Aggregate(&["agent"]), To::Kind(TYPES)]), trust: STRUCTURED },
        row("entity.name", To::EntityName),
        row("agent.messages", To::InputMessages),
        Rule { key: "llm.messages", to: To::InputMessages, trust: STRUCTURED },
        row("input", To::Input),
        row("output", To::Output),
        field("llm.model", Field::RequestModel),
        trusted("ai.model.name", Field::RequestModel, WEAK),
        field("llm.provider", Field::Provider),
        field("llm.temperature", Field::Temperature),
        field("llm.max_tokens", Field::MaxTokens),
        field("llm.top_p", Field::TopP),
        field("llm.usage.prompt_tokens", Field::InputTokens),
        field("llm.usage.completion_tokens", Field::OutputTokens),
        field("llm.usage.total_tokens", Field::TotalTokens),
        field("llm.usage.cached_tokens", Field::CacheReadTokens),
        field("llm.usage.reasoning_tokens", Field::ReasoningTokens),
        trusted("usage.prompt_tokens", Field::InputTokens, WEAK),
        trusted("usage.completion_tokens", Field::OutputTokens, WEAK),
        trusted("usage.total_tokens", Field::TotalTokens, WEAK),
        trusted("usage.cached_tokens", Field::CacheReadTokens, WEAK),
        trusted("usage.reasoning_tokens", Field::ReasoningTokens, WEAK),
        field("tool.name", Field::ToolName),
        field("tool.call.id", Field::ToolCallId),
        field("conversation.id", Field::ConversationId),
        trusted("voltagent.conversation_id", Field::ConversationId, WEAK),
        trusted("voltagent.user_id", Field::UserId, WEAK),
    ],
    ..Convention::EMPTY
};
