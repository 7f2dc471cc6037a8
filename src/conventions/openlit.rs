//! OpenLIT, Python and JS: OTel's keys and hundreds of its own under `gen_ai.*`; those that no field has stay.

use super::{Convention, NAMED, Rule, SPAN_NAME, To, field, row, trusted};
use crate::normalize::canonical::{Field, Kind};
use crate::normalize::flat::Flat;

/// Its words that the registry does not have.
const OPERATIONS: &[(&str, Kind)] = &[
    ("batch", Kind::Span),
    ("browser_action", Kind::ExecuteTool),
    ("browser_run", Kind::InvokeAgent),
    ("browser_step", Kind::Chain),
    ("conversation", Kind::Span),
    ("crawl", Kind::ExecuteTool),
    ("execute_task", Kind::Task),
    ("execution", Kind::Chain),
    ("extract", Kind::Task),
    ("file", Kind::Span),
    ("fine_tuning", Kind::Span),
    ("language_identification", Kind::GenerateContent),
    ("memory", Kind::SearchMemory),
    ("memory_add", Kind::CreateMemory),
    ("memory_delete", Kind::DeleteMemory),
    ("memory_get", Kind::SearchMemory),
    ("memory_search", Kind::SearchMemory),
    ("memory_update", Kind::UpdateMemory),
    ("model_request", Kind::Chat),
    ("moderation", Kind::Guardrail),
    ("realtime", Kind::Chat),
    ("scrape", Kind::ExecuteTool),
    ("speech_to_text", Kind::GenerateContent),
    ("speech_to_text_translate", Kind::GenerateContent),
    ("text_to_speech", Kind::GenerateContent),
    ("tool_coordination", Kind::Chain),
    ("translate", Kind::GenerateContent),
    ("transliterate", Kind::GenerateContent),
    ("user_prompt_processing", Kind::Span),
    ("video", Kind::GenerateContent),
];

/// `<operation> <model>`: of a call that failed early the name is all there is.
const SPAN_NAMES: &[(&str, Kind)] = &[("chat *", Kind::Chat), ("embeddings *", Kind::Embeddings)];

/// A second key for what another says better.
const WEAK: u8 = 40;

pub const OPENLIT: Convention = Convention {
    id: "openlit",
    scopes: &["openlit*", "@openlit/*"],
    keys: &["gen_ai.endpoint", "gen_ai.environment", "gen_ai.application_name"],
    not_keys: &[],
    names_spans: false,
    rules: &[
        Rule { key: SPAN_NAME, to: To::Hint(SPAN_NAMES), trust: NAMED },
        row("gen_ai.operation.name", To::Kind(OPERATIONS)),
        field("gen_ai.request.is_stream", Field::Stream),
        field("gen_ai.request.user", Field::UserId),
        field("gen_ai.request.n", Field::ChoiceCount),
        field("gen_ai.request.service_tier", Field::RequestServiceTier),
        field("gen_ai.response.service_tier", Field::ResponseServiceTier),
        field("gen_ai.response.system_fingerprint", Field::SystemFingerprint),
        field("gen_ai.request.reasoning_effort", Field::ReasoningLevel),
        field("gen_ai.request.embedding_dimension", Field::EmbeddingDimensions),
        field("gen_ai.usage.completion_tokens_details.reasoning_tokens", Field::ReasoningTokens),
        field("gen_ai.usage.completion_tokens_details.audio_tokens", Field::AudioOutputTokens),
        field("gen_ai.usage.prompt_tokens_details.cached_tokens", Field::CacheReadTokens),
        field("gen_ai.usage.prompt_tokens_details.cache_creation_tokens", Field::CacheWriteTokens),
        field("gen_ai.token.cost.total", Field::Cost),
        trusted("gen_ai.token.usage.input", Field::InputTokens, WEAK),
        trusted("gen_ai.token.usage.output", Field::OutputTokens, WEAK),
        trusted("gen_ai.token.usage.total", Field::TotalTokens, WEAK),
        trusted("gen_ai.server.ttft", Field::TimeToFirstChunk, WEAK),
        row("gen_ai.content.prompt", To::InputMessages),
        row("gen_ai.content.completion", To::OutputMessages),
        row("gen_ai.content.reasoning", To::Inside(Flat::OutputMessages, "0.reasoning_content")),
        row("gen_ai.response.tool_calls", To::Inside(Flat::OutputMessages, "0.tool_calls")),
        field("gen_ai.tool.args", Field::ToolCallArguments),
        field("gen_ai.tool.input", Field::ToolCallArguments),
        field("gen_ai.tool.input_kwargs", Field::ToolCallArguments),
        row("gen_ai.tool.parameters", To::ToolParameters),
        field("gen_ai.tool.output", Field::ToolCallResult),
        field("gen_ai.tool.result", Field::ToolCallResult),
        row("gen_ai.tool.schema", To::ToolSchema),
        row("gen_ai.tool.error", To::Failed(&[])),
        trusted("gen_ai.agent.role", Field::AgentName, WEAK),
        field("gen_ai.workflow.input", Field::EntityInput),
        field("gen_ai.workflow.output", Field::EntityOutput),
        trusted("gen_ai.agent.session_id", Field::SessionId, WEAK),
        trusted("gen_ai.memory.session_id", Field::SessionId, WEAK),
        trusted("gen_ai.memory.user_id", Field::UserId, WEAK),
        field("gen_ai.retrieval.query", Field::RetrievalQuery),
        trusted("gen_ai.framework.query.text", Field::RetrievalQuery, WEAK),
        field("db.vector.query.top_k", Field::RetrievalTopK),
        trusted("db.n_results", Field::RetrievalTopK, WEAK),
        Rule { key: "gpu.*", to: To::Spent, trust: WEAK },
    ],
};
