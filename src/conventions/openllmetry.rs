//! OpenLLMetry (Traceloop), every version: flattened messages up to 0.53, OTel's own form since, and the workflow spans.
//! Forks write the same keys: LiteLLM, VeADK, Tencent's first agent.

use super::{Convention, Root, Rule, SPAN_NAME, STRUCTURED, To, WEAK, field, row, trusted};
use crate::genai::{Field, Flat, Kind};

const KINDS: &[(&str, Kind)] = &[
    ("agent", Kind::InvokeAgent),
    ("session", Kind::Span),
    ("task", Kind::Task),
    ("tool", Kind::ExecuteTool),
    ("unknown", Kind::Unknown),
    ("workflow", Kind::InvokeWorkflow),
];

const REQUEST_TYPES: &[(&str, Kind)] = &[
    ("chat", Kind::Chat),
    ("completion", Kind::TextCompletion),
    ("embedding", Kind::Embeddings),
    ("rerank", Kind::Rerank),
    ("unknown", Kind::Unknown),
];

/// Anthropic's messages are a `completion` to the instrumentation of it.
const SPAN_NAMES: &[(&str, Kind)] = &[("anthropic.chat", Kind::Chat)];

/// `ls_model_type` of LangChain.
const LS_MODEL_TYPES: &[(&str, Kind)] = &[("chat", Kind::Chat), ("llm", Kind::TextCompletion)];

/// Vector databases.
const DB_OPERATIONS: &[(&str, Kind)] = &[("query", Kind::Retrieval), ("search", Kind::Retrieval)];

const MCP_ARGUMENTS: &[(&str, To)] =
    &[("params.arguments", To::Field(Field::ToolCallArguments)), ("arguments", To::Field(Field::ToolCallArguments))];

const fn flat(key: &'static str, to: To) -> Rule {
    Rule { key, to, trust: STRUCTURED }
}

pub const OPENLLMETRY: Convention = Convention {
    id: "openllmetry",
    // The instrumentations of OTel's own contrib bear such names too; none of their keys means something else here.
    scopes: &[
        "traceloop.tracer",
        "@traceloop/*",
        "litellm*",
        "opentelemetry.instrumentation.agno*",
        "opentelemetry.instrumentation.alephalpha*",
        "opentelemetry.instrumentation.anthropic*",
        "opentelemetry.instrumentation.bedrock*",
        "opentelemetry.instrumentation.cohere*",
        "opentelemetry.instrumentation.crewai*",
        "opentelemetry.instrumentation.google_generativeai*",
        "opentelemetry.instrumentation.groq*",
        "opentelemetry.instrumentation.haystack*",
        "opentelemetry.instrumentation.langchain*",
        "opentelemetry.instrumentation.llamaindex*",
        "opentelemetry.instrumentation.mistralai*",
        "opentelemetry.instrumentation.ollama*",
        "opentelemetry.instrumentation.openai*",
        "opentelemetry.instrumentation.replicate*",
        "opentelemetry.instrumentation.sagemaker*",
        "opentelemetry.instrumentation.together*",
        "opentelemetry.instrumentation.transformers*",
        "opentelemetry.instrumentation.vertexai*",
        "opentelemetry.instrumentation.voyageai*",
        "opentelemetry.instrumentation.watsonx*",
        "opentelemetry.instrumentation.writer*",
    ],
    keys: &[
        "traceloop.span.kind",
        "traceloop.entity.*",
        "llm.request.type",
        "gen_ai.request.type",
        "gen_ai.prompt.0.*",
        "gen_ai.completion.0.*",
        "gen_ai.is_streaming",
        "db.vector.query.*",
    ],
    roots: &[("traceloop.entity.path", Root::Empty)],
    rules: &[
        Rule { key: SPAN_NAME, to: To::Hint(SPAN_NAMES), trust: STRUCTURED },
        row("traceloop.span.kind", To::Kind(KINDS)),
        row("llm.request.type", To::Kind(REQUEST_TYPES)),
        row("gen_ai.request.type", To::Kind(REQUEST_TYPES)),
        trusted("llm.vendor", Field::Provider, WEAK),
        flat("gen_ai.prompt.*", To::FlatParts(Flat::InputMessages)),
        flat("gen_ai.completion.*", To::FlatParts(Flat::OutputMessages)),
        flat("llm.prompts.*", To::FlatParts(Flat::InputMessages)),
        flat("llm.completions.*", To::FlatParts(Flat::OutputMessages)),
        flat("llm.request.functions.*", To::Flat(Flat::Tools)),
        field("llm.request.functions", Field::ToolDefinitions),
        trusted("llm.usage.prompt_tokens", Field::InputTokens, WEAK),
        trusted("llm.usage.completion_tokens", Field::OutputTokens, WEAK),
        field("llm.usage.total_tokens", Field::TotalTokens),
        field("llm.usage.reasoning_tokens", Field::ReasoningTokens),
        row("llm.usage.token_type", To::Spent),
        row("gen_ai.usage.token_type", To::Spent),
        trusted("llm.request.model", Field::RequestModel, WEAK),
        trusted("llm.response.model", Field::ResponseModel, WEAK),
        trusted("llm.request.max_tokens", Field::MaxTokens, WEAK),
        trusted("llm.request.temperature", Field::Temperature, WEAK),
        trusted("llm.request.top_p", Field::TopP, WEAK),
        field("gen_ai.request.max_completion_tokens", Field::MaxTokens),
        field("gen_ai.request.n", Field::ChoiceCount),
        field("llm.top_k", Field::TopK),
        field("llm.frequency_penalty", Field::FrequencyPenalty),
        field("llm.presence_penalty", Field::PresencePenalty),
        field("llm.chat.stop_sequences", Field::StopSequences),
        trusted("llm.request.reasoning_effort", Field::ReasoningLevel, WEAK),
        field("gen_ai.request.reasoning_effort", Field::ReasoningLevel),
        trusted("llm.is_streaming", Field::Stream, WEAK),
        field("gen_ai.is_streaming", Field::Stream),
        trusted("llm.user", Field::UserId, WEAK),
        trusted("gen_ai.user", Field::UserId, WEAK),
        // They may hold keys of the provider.
        row("llm.headers", To::Drop),
        row("gen_ai.headers", To::Drop),
        trusted("llm.response.finish_reason", Field::FinishReasons, WEAK),
        trusted("llm.response.stop_reason", Field::FinishReasons, WEAK),
        trusted("gen_ai.response.stop_reason", Field::FinishReasons, WEAK),
        field("gen_ai.openai.system_fingerprint", Field::SystemFingerprint),
        trusted("gen_ai.openai.api_type", Field::Provider, WEAK),
        field("llm.openai.embeddings.vector_size", Field::EmbeddingDimensions),
        row("traceloop.entity.name", To::EntityName),
        // Every descendant has it.
        row("traceloop.workflow.name", To::WorkflowName),
        row("traceloop.entity.input", To::EntityInput),
        row("traceloop.entity.output", To::OutputIn(&["outputs", "output"])),
        row("gen_ai.task.input", To::Input),
        row("gen_ai.task.output", To::Output),
        trusted("traceloop.association.properties.ls_provider", Field::Provider, WEAK),
        trusted("traceloop.association.properties.ls_model_name", Field::RequestModel, WEAK),
        trusted("traceloop.association.properties.ls_temperature", Field::Temperature, WEAK),
        Rule { key: "traceloop.association.properties.ls_model_type", to: To::Kind(LS_MODEL_TYPES), trust: WEAK },
        field("traceloop.prompt.key", Field::PromptName),
        field("traceloop.prompt.version", Field::PromptVersion),
        field("traceloop.prompt.template", Field::PromptTemplate),
        field("traceloop.prompt.template_variables", Field::PromptVariables),
        row("gen_ai.request.structured_output_schema", To::Implies(Field::OutputType, "json")),
        row("db.operation", To::Kind(DB_OPERATIONS)),
        row("db.vector.query.*", To::ImpliesKind(Kind::Retrieval)),
        row("gen_ai.openai.api_base", To::Host),
        row("mcp.request.argument", To::Object(MCP_ARGUMENTS)),
        row("mcp.response.value", To::Output),
        field("db.vector.query.top_k", Field::RetrievalTopK),
        field("db.chroma.query.n_results", Field::RetrievalTopK),
        row("traceloop.association.properties.gen_ai.is_entry", To::Mark),
        row("traceloop.association.properties.gen_ai", To::MarkInside),
    ],
    ..Convention::EMPTY
};
