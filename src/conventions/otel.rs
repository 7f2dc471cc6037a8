//! OTel GenAI semantic conventions, 1.26 to 1.41 and 0.1.0, with the spellings of the backends that extend them.
//!
//! The newest names carry the highest trust: what already is in the target convention is not replaced.

use super::{Convention, EVERYWHERE, Rule, To, field, row, trusted};
use crate::genai::{Field, Kind};

/// Names of semantic-conventions-genai 0.1.0: the target itself.
const NEWEST: u8 = 90;
/// Names of 1.37 to 1.41 that 0.1.0 replaced.
const RECENT: u8 = 80;
/// Names of 1.26 to 1.36.
const OLD: u8 = 70;

/// Names of no version, made of the words that the registry's are made of.
const PART: u8 = 40;

const fn newest(key: &'static str, to: Field) -> Rule {
    trusted(key, to, NEWEST)
}

const fn recent(key: &'static str, to: Field) -> Rule {
    trusted(key, to, RECENT)
}

const fn old(key: &'static str, to: Field) -> Rule {
    trusted(key, to, OLD)
}

const fn with(trust: u8, key: &'static str, to: To) -> Rule {
    Rule { key, to, trust }
}

/// `gen_ai.operation.name`: the registry, then words that are in the wild.
const OPERATIONS: &[(&str, Kind)] = &[
    ("acompletion", Kind::Chat),
    ("add_memory", Kind::CreateMemory),
    ("aembedding", Kind::Embeddings),
    ("agent", Kind::InvokeAgent),
    ("agent_call", Kind::InvokeAgent),
    ("agent_run", Kind::InvokeAgent),
    ("agent_step", Kind::Chain),
    ("arerank", Kind::Rerank),
    ("audio", Kind::GenerateContent),
    ("call_llm", Kind::Chat),
    ("chain", Kind::Chain),
    ("chat", Kind::Chat),
    ("chat.completions", Kind::Chat),
    ("completion", Kind::TextCompletion),
    ("completions", Kind::TextCompletion),
    ("create_agent", Kind::CreateAgent),
    ("create_embeddings", Kind::Embeddings),
    ("create_memory", Kind::CreateMemory),
    ("create_memory_store", Kind::CreateMemoryStore),
    ("delete_memory", Kind::DeleteMemory),
    ("delete_memory_store", Kind::DeleteMemoryStore),
    ("embed", Kind::Embeddings),
    ("embedding", Kind::Embeddings),
    ("embeddings", Kind::Embeddings),
    ("enter", Kind::InvokeWorkflow),
    ("evaluate", Kind::Evaluator),
    ("evaluator", Kind::Evaluator),
    ("execute_event_loop_cycle", Kind::Chain),
    ("execute_function", Kind::ExecuteTool),
    ("execute_tool", Kind::ExecuteTool),
    ("fetch_response", Kind::FetchResponse),
    ("framework", Kind::Chain),
    ("generate", Kind::Chat),
    ("generate_content", Kind::GenerateContent),
    ("generateText", Kind::Chat),
    ("get_memory", Kind::SearchMemory),
    ("guardrail", Kind::Guardrail),
    ("handoff", Kind::Task),
    ("image", Kind::GenerateContent),
    ("image_generation", Kind::GenerateContent),
    ("images_generate", Kind::GenerateContent),
    ("inference", Kind::Chat),
    ("invoke_agent", Kind::InvokeAgent),
    ("invoke_graph", Kind::InvokeWorkflow),
    ("invoke_swarm", Kind::InvokeAgent),
    ("invoke_workflow", Kind::InvokeWorkflow),
    ("llm", Kind::Chat),
    ("llm_call", Kind::Chat),
    ("mcp_tool_call", Kind::ExecuteTool),
    ("message", Kind::Chat),
    ("messages", Kind::Chat),
    ("orchestrate_tools", Kind::Chain),
    ("plan", Kind::Plan),
    ("query", Kind::Retrieval),
    ("react", Kind::Task),
    ("rerank", Kind::Rerank),
    ("responses", Kind::Chat),
    ("retrieval", Kind::Retrieval),
    ("retrieve", Kind::Retrieval),
    ("retrieve_documents", Kind::Retrieval),
    ("run_memory", Kind::SearchMemory),
    ("run_runner", Kind::InvokeAgent),
    ("schedule_tool_calls", Kind::Chain),
    ("search", Kind::Retrieval),
    ("search_memory", Kind::SearchMemory),
    ("similarity_search", Kind::Retrieval),
    ("span", Kind::Span),
    ("speech", Kind::GenerateContent),
    ("system_prompt", Kind::Span),
    ("task", Kind::Task),
    ("text.completions", Kind::TextCompletion),
    ("text_completion", Kind::TextCompletion),
    ("text_completions", Kind::TextCompletion),
    ("tool", Kind::ExecuteTool),
    ("tool_call", Kind::ExecuteTool),
    ("tools/call", Kind::ExecuteTool),
    ("transcription", Kind::GenerateContent),
    ("update_memory", Kind::UpdateMemory),
    ("upsert_memory", Kind::UpsertMemory),
    ("user_prompt", Kind::Span),
    ("vector_db_retrieve", Kind::Retrieval),
    ("vectordb", Kind::Retrieval),
    ("workflow", Kind::InvokeWorkflow),
];

/// The one call of MCP that is a tool's.
const MCP_METHODS: &[(&str, Kind)] = &[("tools/call", Kind::ExecuteTool)];

/// `gen_ai.span.kind` of Tencent and Alibaba, in either case.
const SPAN_KINDS: &[(&str, Kind)] = &[
    ("AGENT", Kind::InvokeAgent),
    ("CHAIN", Kind::Chain),
    ("EMBEDDING", Kind::Embeddings),
    ("ENTRY", Kind::InvokeWorkflow),
    ("GENERATION", Kind::Chat),
    ("LLM", Kind::Chat),
    ("MEMORY", Kind::SearchMemory),
    ("RERANKER", Kind::Rerank),
    ("RETRIEVER", Kind::Retrieval),
    ("STEP", Kind::Task),
    ("TASK", Kind::Task),
    ("TOOL", Kind::ExecuteTool),
    ("UNKNOWN", Kind::Unknown),
    ("WORKFLOW", Kind::InvokeWorkflow),
];

pub const OTEL: Convention = Convention {
    id: "otel-genai",
    scopes: &[],
    keys: &["gen_ai.*"],
    // The mark may stand on any span; session and user are put on spans of every library from baggage.
    not_keys: &[
        "gen_ai.is_entry",
        "gen_ai.session.id",
        "gen_ai.session_id",
        "gen_ai.user.id",
        "gen_ai.user.name",
        "gen_ai.conversation.id",
    ],
    flags: EVERYWHERE,
    rules: &[
        with(NEWEST, "gen_ai.operation.name", To::Kind(OPERATIONS)),
        with(OLD, "gen_ai.span.kind", To::Kind(SPAN_KINDS)),
        newest("gen_ai.provider.name", Field::Provider),
        old("gen_ai.system", Field::Provider),
        newest("gen_ai.output.type", Field::OutputType),
        old("gen_ai.openai.request.response_format", Field::OutputType),
        newest("gen_ai.request.model", Field::RequestModel),
        field("gen_ai.request.model_name", Field::RequestModel),
        field("gen_ai.model_name", Field::RequestModel),
        newest("gen_ai.request.stream", Field::Stream),
        field("gen_ai.request.is_stream", Field::Stream),
        newest("gen_ai.request.seed", Field::Seed),
        old("gen_ai.openai.request.seed", Field::Seed),
        newest("gen_ai.request.temperature", Field::Temperature),
        newest("gen_ai.request.top_p", Field::TopP),
        newest("gen_ai.request.top_k", Field::TopK),
        newest("gen_ai.request.max_tokens", Field::MaxTokens),
        newest("gen_ai.request.frequency_penalty", Field::FrequencyPenalty),
        newest("gen_ai.request.presence_penalty", Field::PresencePenalty),
        newest("gen_ai.request.stop_sequences", Field::StopSequences),
        newest("gen_ai.request.choice.count", Field::ChoiceCount),
        newest("gen_ai.request.encoding_formats", Field::EncodingFormats),
        newest("gen_ai.request.reasoning.level", Field::ReasoningLevel),
        newest("gen_ai.response.id", Field::ResponseId),
        newest("gen_ai.response.model", Field::ResponseModel),
        newest("gen_ai.response.finish_reasons", Field::FinishReasons),
        old("gen_ai.response.finish_reason", Field::FinishReasons),
        // Anthropic's own client, which writes OTel's keys else.
        old("anthropic.message.stop_reason", Field::FinishReasons),
        newest("gen_ai.response.time_to_first_chunk", Field::TimeToFirstChunk),
        recent("gen_ai.server.time_to_first_token", Field::TimeToFirstChunk),
        // Sentry's are seconds, Alibaba's nanoseconds.
        row("gen_ai.response.time_to_first_token", To::FirstTokenAfterAny),
        newest("gen_ai.usage.input_tokens", Field::InputTokens),
        old("gen_ai.usage.prompt_tokens", Field::InputTokens),
        newest("gen_ai.usage.output_tokens", Field::OutputTokens),
        old("gen_ai.usage.completion_tokens", Field::OutputTokens),
        old("gen_ai.usage.total_tokens", Field::TotalTokens),
        newest("gen_ai.usage.cache_read.input_tokens", Field::CacheReadTokens),
        recent("gen_ai.usage.cache_read_input_tokens", Field::CacheReadTokens),
        newest("gen_ai.usage.cache_write.input_tokens", Field::CacheWriteTokens),
        recent("gen_ai.usage.cache_creation.input_tokens", Field::CacheWriteTokens),
        old("gen_ai.usage.cache_creation_input_tokens", Field::CacheWriteTokens),
        newest("gen_ai.usage.reasoning.output_tokens", Field::ReasoningTokens),
        recent("gen_ai.usage.reasoning_tokens", Field::ReasoningTokens),
        newest("gen_ai.usage.text.input_tokens", Field::TextInputTokens),
        newest("gen_ai.usage.image.input_tokens", Field::ImageInputTokens),
        newest("gen_ai.usage.audio.input_tokens", Field::AudioInputTokens),
        newest("gen_ai.usage.text.output_tokens", Field::TextOutputTokens),
        newest("gen_ai.usage.image.output_tokens", Field::ImageOutputTokens),
        newest("gen_ai.usage.audio.output_tokens", Field::AudioOutputTokens),
        // Pydantic AI's, and what profile `otel` writes.
        with(NEWEST, "gen_ai.aggregated_usage.input_tokens", To::Aggregated(Field::InputTokens)),
        with(NEWEST, "gen_ai.aggregated_usage.output_tokens", To::Aggregated(Field::OutputTokens)),
        with(NEWEST, "gen_ai.aggregated_usage.cache_read.input_tokens", To::Aggregated(Field::CacheReadTokens)),
        with(NEWEST, "gen_ai.aggregated_usage.cache_write.input_tokens", To::Aggregated(Field::CacheWriteTokens)),
        with(RECENT, "gen_ai.aggregated_usage.cache_creation.input_tokens", To::Aggregated(Field::CacheWriteTokens)),
        with(NEWEST, "gen_ai.aggregated_usage.reasoning.output_tokens", To::Aggregated(Field::ReasoningTokens)),
        field("gen_ai.usage.cost", Field::Cost),
        // Gateways: what they billed.
        field("gen_ai.usage.total_cost", Field::Cost),
        field("gen_ai.usage.input_cost", Field::InputCost),
        field("gen_ai.usage.output_cost", Field::OutputCost),
        field("agw.ai.usage.cost.total", Field::Cost),
        field("vercel.ai_gateway.cost.total", Field::Cost),
        // The parts of input and output, in whatever spelling.
        with(PART, "gen_ai.usage.*", To::UsagePart),
        with(NEWEST, "gen_ai.input.messages", To::InputMessages),
        with(NEWEST, "gen_ai.output.messages", To::OutputMessages),
        with(OLD, "gen_ai.prompt", To::InputMessages),
        with(OLD, "gen_ai.completion", To::OutputMessages),
        newest("gen_ai.system_instructions", Field::SystemInstructions),
        newest("gen_ai.tool.definitions", Field::ToolDefinitions),
        newest("gen_ai.tool.name", Field::ToolName),
        newest("gen_ai.tool.description", Field::ToolDescription),
        newest("gen_ai.tool.type", Field::ToolType),
        newest("gen_ai.tool.call.id", Field::ToolCallId),
        newest("gen_ai.tool.call.arguments", Field::ToolCallArguments),
        newest("gen_ai.tool.call.result", Field::ToolCallResult),
        newest("gen_ai.agent.id", Field::AgentId),
        newest("gen_ai.agent.name", Field::AgentName),
        recent("gen_ai.workflow.name", Field::AgentName),
        newest("gen_ai.agent.description", Field::AgentDescription),
        newest("gen_ai.agent.version", Field::AgentVersion),
        newest("gen_ai.conversation.id", Field::ConversationId),
        newest("gen_ai.retrieval.query.text", Field::RetrievalQuery),
        newest("gen_ai.retrieval.documents", Field::RetrievalDocuments),
        newest("gen_ai.retrieval.top_k", Field::RetrievalTopK),
        newest("gen_ai.data_source.id", Field::DataSourceId),
        newest("gen_ai.embeddings.dimension.count", Field::EmbeddingDimensions),
        newest("gen_ai.prompt.name", Field::PromptName),
        newest("gen_ai.prompt.version", Field::PromptVersion),
        newest("openai.request.service_tier", Field::RequestServiceTier),
        recent("gen_ai.openai.request.service_tier", Field::RequestServiceTier),
        newest("openai.response.service_tier", Field::ResponseServiceTier),
        recent("gen_ai.openai.response.service_tier", Field::ResponseServiceTier),
        newest("openai.response.system_fingerprint", Field::SystemFingerprint),
        recent("gen_ai.openai.response.system_fingerprint", Field::SystemFingerprint),
        newest("error.type", Field::ErrorType),
        newest("server.address", Field::ServerAddress),
        row("mcp.method.name", To::Hint(MCP_METHODS)),
        newest("session.id", Field::SessionId),
        newest("user.id", Field::UserId),
        recent("gen_ai.session.id", Field::SessionId),
        old("gen_ai.session_id", Field::SessionId),
        recent("gen_ai.user.id", Field::UserId),
        field("gen_ai.user.name", Field::UserName),
        field("gen_ai.entity.input", Field::EntityInput),
        field("gen_ai.entity.output", Field::EntityOutput),
        row("gen_ai.is_entry", To::Mark),
        row("gen_ai.token.type", To::Spent),
    ],
    ..Convention::EMPTY
};
