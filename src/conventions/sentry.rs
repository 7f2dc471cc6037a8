//! Sentry's SDKs: their additions to OTel's keys, and the `ai.*` keys that they wrote before, which are not Vercel's.

use super::{Convention, Rule, STRUCTURED, To, field, row, trusted};
use crate::genai::{Field, Flat, Kind};

const TYPES: &[(&str, Kind)] = &[
    ("agent", Kind::InvokeAgent),
    ("ai_client", Kind::Chat),
    ("handoff", Kind::Task),
    ("other", Kind::Chain),
    ("tool", Kind::ExecuteTool),
];

/// Only these: the key stands on every span of its SDKs.
const LLM_OPS: &[&str] = &[
    "gen_ai.chat",
    "gen_ai.create_agent",
    "gen_ai.embeddings",
    "gen_ai.execute_tool",
    "gen_ai.generate_text",
    "gen_ai.handoff",
    "gen_ai.invoke_agent",
    "ai.pipeline",
];

const OPS: &[(&str, Kind)] = &[
    ("gen_ai.chat", Kind::Chat),
    ("gen_ai.create_agent", Kind::CreateAgent),
    ("gen_ai.embeddings", Kind::Embeddings),
    ("gen_ai.execute_tool", Kind::ExecuteTool),
    ("gen_ai.generate_text", Kind::Chat),
    ("gen_ai.handoff", Kind::Task),
    ("gen_ai.invoke_agent", Kind::InvokeAgent),
    ("ai.pipeline", Kind::InvokeWorkflow),
];

/// The keys of 2024.
const OLD: u8 = 40;

const fn old(key: &'static str, to: Field) -> Rule {
    trusted(key, to, OLD)
}

pub const SENTRY: Convention = Convention {
    id: "sentry",
    scopes: &[],
    keys: &[
        "gen_ai.operation.type",
        "gen_ai.request.messages",
        "gen_ai.request.available_tools",
        "gen_ai.response.text",
        "gen_ai.response.tool_calls",
        "gen_ai.response.object",
        "gen_ai.response.streaming",
        "gen_ai.response.tokens_per_second",
        "gen_ai.usage.input_tokens.*",
        "gen_ai.usage.output_tokens.*",
        "gen_ai.cost.*",
        "gen_ai.tool.input",
        "gen_ai.tool.output",
        "gen_ai.pipeline.name",
        "ai.completion_tokens.used",
        "ai.prompt_tokens.used",
        "ai.total_tokens.used",
        "ai.model_id",
        "ai.input_messages",
        "ai.responses",
        "ai.tool_calls",
        "ai.documents",
        "ai.citations",
        "ai.streaming",
        "ai.pipeline.name",
        "ai.seed",
        "ai.temperature",
        "ai.top_p",
        "ai.top_k",
        "ai.presence_penalty",
        "ai.frequency_penalty",
    ],
    rules: &[
        row("gen_ai.operation.type", To::Kind(TYPES)),
        row("sentry.op", To::All(&[To::Proof(LLM_OPS), To::Hint(OPS)])),
        Rule { key: "gen_ai.request.messages", to: To::InputMessages, trust: STRUCTURED },
        row("gen_ai.response.text", To::Inside(Flat::OutputMessages, "0.content")),
        row("gen_ai.response.tool_calls", To::Inside(Flat::OutputMessages, "0.tool_calls")),
        row("gen_ai.response.object", To::Inside(Flat::OutputMessages, "0.content")),
        field("gen_ai.request.available_tools", Field::ToolDefinitions),
        field("gen_ai.cost.total_tokens", Field::Cost),
        field("gen_ai.cost.input_tokens", Field::InputCost),
        field("gen_ai.cost.output_tokens", Field::OutputCost),
        row("gen_ai.response.tokens_per_second", To::Spent),
        field("gen_ai.response.streaming", Field::Stream),
        field("gen_ai.tool.input", Field::ToolCallArguments),
        field("gen_ai.tool.output", Field::ToolCallResult),
        field("gen_ai.pipeline.name", Field::AgentName),
        old("ai.completion_tokens.used", Field::OutputTokens),
        old("ai.prompt_tokens.used", Field::InputTokens),
        old("ai.total_tokens.used", Field::TotalTokens),
        old("ai.model_id", Field::RequestModel),
        old("ai.model.provider", Field::Provider),
        Rule { key: "ai.input_messages", to: To::InputMessages, trust: OLD },
        Rule { key: "ai.responses", to: To::Inside(Flat::OutputMessages, "0.content"), trust: OLD },
        Rule { key: "ai.tool_calls", to: To::Inside(Flat::OutputMessages, "0.tool_calls"), trust: OLD },
        Rule { key: "ai.documents", to: To::Documents, trust: OLD },
        old("ai.streaming", Field::Stream),
        old("ai.pipeline.name", Field::AgentName),
        old("ai.seed", Field::Seed),
        old("ai.temperature", Field::Temperature),
        old("ai.top_p", Field::TopP),
        old("ai.top_k", Field::TopK),
        old("ai.presence_penalty", Field::PresencePenalty),
        old("ai.frequency_penalty", Field::FrequencyPenalty),
    ],
    ..Convention::EMPTY
};
