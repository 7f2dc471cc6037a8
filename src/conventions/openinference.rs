//! OpenInference (Arize): Python, JS, Java and Go instrumentations, and gateways that write its keys under other scopes.

use super::{Convention, Rule, STRUCTURED, To, field, row, trusted};
use crate::genai::{Field, Flat, Kind};

/// Its words for the kinds of span.
pub const KINDS: &[(&str, Kind)] = &[
    ("AGENT", Kind::InvokeAgent),
    ("CHAIN", Kind::Chain),
    ("DECISION", Kind::Decide),
    ("EMBEDDING", Kind::Embeddings),
    ("EVALUATOR", Kind::Evaluator),
    ("GUARDRAIL", Kind::Guardrail),
    ("LLM", Kind::Chat),
    ("PROMPT", Kind::Prompt),
    ("RERANKER", Kind::Rerank),
    ("RETRIEVER", Kind::Retrieval),
    ("TOOL", Kind::ExecuteTool),
    ("UNKNOWN", Kind::Unknown),
];

/// The family of the model, where the host has a key of its own.
const FAMILY: u8 = 45;

const fn flat(key: &'static str, list: Flat) -> Rule {
    Rule { key, to: To::Flat(list), trust: STRUCTURED }
}

pub const OPENINFERENCE: Convention = Convention {
    id: "openinference",
    scopes: &["openinference.instrumentation*", "@arizeai/openinference-*"],
    keys: &[
        "openinference.span.kind",
        "retrieval.documents.*",
        "reranker.*",
        // Its own, which are written without a kind too.
        "llm.model_name",
        "llm.input_messages.*",
        "llm.output_messages.*",
        "llm.token_count.*",
        "llm.cost.*",
        "llm.invocation_parameters",
    ],
    rules: &[
        row("openinference.span.kind", To::Kind(KINDS)),
        row("input.value", To::Input),
        row("output.value", To::Output),
        row("input.mime_type", To::Spent),
        row("output.mime_type", To::Spent),
        row("llm.model_name", To::Model),
        trusted("llm.request.model_name", Field::RequestModel, FAMILY),
        field("llm.response.model_name", Field::ResponseModel),
        field("llm.provider", Field::Provider),
        trusted("llm.system", Field::Provider, FAMILY),
        row("llm.invocation_parameters", To::Parameters),
        row("embedding.invocation_parameters", To::Parameters),
        flat("llm.input_messages.*", Flat::InputMessages),
        flat("llm.output_messages.*", Flat::OutputMessages),
        flat("input.images.*", Flat::InputMedia),
        flat("input.documents.*", Flat::InputMedia),
        flat("output.images.*", Flat::OutputMedia),
        flat("output.documents.*", Flat::OutputMedia),
        flat("llm.prompts.*", Flat::InputMessages),
        flat("llm.choices.*", Flat::OutputMessages),
        row("llm.prompts", To::InputMessages),
        row("llm.function_call", To::OutputMessages),
        flat("llm.tools.*", Flat::Tools),
        field("llm.token_count.prompt", Field::InputTokens),
        field("llm.token_count.completion", Field::OutputTokens),
        field("llm.token_count.total", Field::TotalTokens),
        field("llm.token_count.prompt_details.cache_read", Field::CacheReadTokens),
        trusted("llm.token_count.prompt_details.cache_input", Field::CacheReadTokens, FAMILY),
        field("llm.token_count.prompt_details.cache_write", Field::CacheWriteTokens),
        // Envoy's spelling.
        trusted("llm.token_count.prompt_details.cache_creation", Field::CacheWriteTokens, FAMILY),
        row("decision.model_name", To::Model),
        field("decision.request.model_name", Field::RequestModel),
        field("decision.response.model_name", Field::ResponseModel),
        field("decision.provider", Field::Provider),
        trusted("decision.system", Field::Provider, FAMILY),
        field("decision.token_count.input", Field::InputTokens),
        field("decision.token_count.output", Field::OutputTokens),
        field("llm.token_count.prompt_details.audio", Field::AudioInputTokens),
        field("llm.token_count.completion_details.reasoning", Field::ReasoningTokens),
        field("llm.token_count.completion_details.audio", Field::AudioOutputTokens),
        field("llm.cost.total", Field::Cost),
        field("llm.cost.prompt", Field::InputCost),
        field("llm.cost.completion", Field::OutputCost),
        field("llm.finish_reason", Field::FinishReasons),
        field("prompt.id", Field::PromptName),
        field("llm.prompt_template.version", Field::PromptVersion),
        field("tool.name", Field::ToolName),
        field("tool.description", Field::ToolDescription),
        // A schema without its frame in smolagents; the input says what it was called with.
        Rule { key: "tool.parameters", to: To::ToolParameters, trust: FAMILY },
        field("tool.json_schema", Field::ToolDefinitions),
        field("tool.id", Field::ToolCallId),
        trusted("tool_call.id", Field::ToolCallId, FAMILY),
        trusted("tool_call.function.name", Field::ToolName, FAMILY),
        trusted("tool_call.function.arguments", Field::ToolCallArguments, STRUCTURED),
        field("embedding.model_name", Field::RequestModel),
        flat("embedding.embeddings.*", Flat::Texts),
        flat("retrieval.documents.*", Flat::Documents),
        field("reranker.model_name", Field::RequestModel),
        field("reranker.query", Field::RerankQuery),
        field("reranker.top_k", Field::RerankTopN),
        field("llm.prompt_template.template", Field::PromptTemplate),
        field("llm.prompt_template.variables", Field::PromptVariables),
        field("session.id", Field::SessionId),
        field("user.id", Field::UserId),
        field("agent.name", Field::AgentName),
        row("graph.node.id", To::GraphNode),
        // LangChain's own word for the provider is among its metadata.
        Rule { key: "metadata", to: To::All(&[To::Object(&[("ls_provider", To::Field(Field::Provider))]), To::MarkInside]), trust: FAMILY },
    ],
    ..Convention::EMPTY
};
