//! Tencent's SDKs for CLS: OTel's names, words of their own for kinds, and a turn as an entry, an agent, its steps and their calls.

use super::{Convention, OWN, Rule, To, WEAK, field, row, trusted};
use crate::genai::{Field, Kind};

const KINDS: &[(&str, Kind)] = &[
    ("agent", Kind::InvokeAgent),
    ("chain", Kind::Chain),
    ("chat", Kind::Chat),
    ("embedding", Kind::Embeddings),
    ("entry", Kind::InvokeWorkflow),
    ("rerank", Kind::Rerank),
    ("reranker", Kind::Rerank),
    ("retrieval", Kind::Retrieval),
    ("retriever", Kind::Retrieval),
    ("session", Kind::Task),
    ("step", Kind::Task),
    ("tool", Kind::ExecuteTool),
];

/// Against OTel's reading: LangChain's name of a run stands there too.
const fn kind(key: &'static str, words: &'static [(&'static str, Kind)]) -> Rule {
    Rule { key, to: To::Kind(words), trust: OWN }
}

const MS: To = To::FirstTokenAfter(1_000_000);

pub const TENCENT_CLS: Convention = Convention {
    id: "tencent-cls",
    scopes: &["tencentcloud_agentobs_sdk_*", "tencentcloud_cls_sdk_*"],
    resources: &[("telemetry.sdk.name", "tencentcloud-agentobs-sdk-*")],
    rules: &[
        kind("gen_ai.span.kind", KINDS),
        // An agent's is the sum of its calls'.
        row("gen_ai.usage.input_tokens", To::AggregateOn(&[Kind::InvokeAgent])),
        row("gen_ai.usage.output_tokens", To::AggregateOn(&[Kind::InvokeAgent])),
        row("gen_ai.response.time_to_first_token_ms", MS),
        // How long the span took: the span says it.
        row("gen_ai.chat.duration_ms", To::Spent),
        row("gen_ai.tool.call.duration_ms", To::Spent),
        row("gen_ai.tool.duration_ms", To::Spent),
        row("gen_ai.retrieval.duration_ms", To::Spent),
        row("gen_ai.rerank.duration_ms", To::Spent),
        row("duration_ms", To::Spent),
        field("gen_ai.agent.error.type", Field::ErrorType),
        field("gen_ai.response.error.type", Field::ErrorType),
        field("gen_ai.tool.error.type", Field::ErrorType),
        row("gen_ai.agent.error.message", To::StatusMessage),
        row("gen_ai.response.error.message", To::StatusMessage),
        row("gen_ai.tool.error.message", To::StatusMessage),
        // The messages that are new in this call.
        Rule { key: "gen_ai.input.messages_delta", to: To::InputMessages, trust: WEAK },
        field("gen_ai.request.tool_definitions", Field::ToolDefinitions),
        Rule { key: "gen_ai.chain.name", to: To::Keep, trust: OWN },
        row("gen_ai.chain.input", To::Input),
        row("gen_ai.chain.output", To::Output),
        field("gen_ai.retrieval.query_text", Field::RetrievalQuery),
        field("gen_ai.rerank.query_text", Field::RerankQuery),
        trusted("gen_ai.context.compressed", Field::Compacted, WEAK),
        // The same values stand under `gen_ai.*`.
        row("spanKind", To::Spent),
        row("sessionID", To::Spent),
        row("agentID", To::Spent),
        row("stepID", To::Spent),
        row("parentAgentID", To::Spent),
    ],
    ..Convention::EMPTY
};
