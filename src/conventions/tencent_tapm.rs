//! Tencent's Python agent (TAPM): `tapm-hook-*` of version 2. Version 1 are forks of OpenLLMetry, and are read as that.

use super::{Convention, Rule, STRUCTURED, To, field, row, trusted};
use crate::genai::{Field, Flat, Kind};

/// Keys taken over from OpenInference and OpenLLMetry.
const INHERITED: u8 = 40;

pub const TENCENT_TAPM: Convention = Convention {
    id: "tencent-tapm",
    scopes: &["tapm.hook.*"],
    keys: &[],
    rules: &[
        row("gen_ai.request.parameters", To::Parameters),
        field("gen_ai.request.tool_calls", Field::ToolDefinitions),
        trusted("llm.is_streaming", Field::Stream, INHERITED),
        field("llm.usage.total_tokens", Field::TotalTokens),
        field("gen_ai.prompt.template", Field::PromptTemplate),
        row("embedding.model_name", To::All(&[To::ImpliesKind(Kind::Embeddings), To::Field(Field::RequestModel)])),
        row("rerank.model_name", To::All(&[To::ImpliesKind(Kind::Rerank), To::Field(Field::RequestModel)])),
        field("rerank.query", Field::RerankQuery),
        field("rerank.top_n", Field::RerankTopN),
        Rule { key: "retrieval.documents.*", to: To::Flat(Flat::Documents), trust: STRUCTURED },
        row("input.value", To::Input),
        row("output.value", To::Output),
        row("tool_error", To::All(&[To::Failed(&[]), To::StatusMessage])),
    ],
    ..Convention::EMPTY
};
