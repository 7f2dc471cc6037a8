//! Langfuse SDKs: Python 3.0 to 5.0, JS 4 and 5. The value encodings differ by version; the field types even them out.

use super::{Convention, NAMES_SPANS, OBSERVATIONS, Root, Rule, To, field, row, trusted};
use crate::genai::{Field, Kind};

/// Its words for the kinds of span.
pub const TYPES: &[(&str, Kind)] = &[
    ("agent", Kind::InvokeAgent),
    ("chain", Kind::Chain),
    ("embedding", Kind::Embeddings),
    ("evaluator", Kind::Evaluator),
    ("event", Kind::Span),
    ("generation", Kind::Chat),
    ("guardrail", Kind::Guardrail),
    ("retriever", Kind::Retrieval),
    ("span", Kind::Span),
    ("tool", Kind::ExecuteTool),
];

/// `ls_model_type` of LangChain.
const LS_MODEL_TYPES: &[(&str, Kind)] = &[("chat", Kind::Chat), ("llm", Kind::TextCompletion)];

/// Keys that say the same less directly than the SDK's own field.
const COMPAT: u8 = 40;
/// LangChain's `ls_*`: what the application asked for.
const ASKED: u8 = 60;

pub const LANGFUSE: Convention = Convention {
    id: "langfuse",
    scopes: &["langfuse-sdk"],
    // `langfuse.internal.is_app_root` is no evidence: with a filter that lets all pass, it stands on the HTTP span.
    keys: &["langfuse.observation.*"],
    flags: NAMES_SPANS | OBSERVATIONS,
    roots: &[
        // It looks at spans of all libraries: where it is true, others are not asked.
        ("langfuse.internal.is_app_root", Root::True),
        ("langfuse.observation.metadata.is_langchain_root", Root::Bool),
    ],
    rules: &[
        row("langfuse.observation.type", To::Kind(TYPES)),
        row("langfuse.observation.input", To::Input),
        row("langfuse.observation.output", To::Output),
        row("langfuse.observation.model.name", To::Model),
        row("langfuse.observation.model.parameters", To::Parameters),
        row("langfuse.observation.model_parameters", To::Parameters),
        row("langfuse.observation.usage_details", To::Usage),
        row("langfuse.observation.cost_details", To::Cost),
        row("langfuse.observation.completion_start_time", To::FirstTokenAt),
        row("langfuse.observation.level", To::Level),
        row("langfuse.observation.status_message", To::StatusMessage),
        field("langfuse.observation.prompt.name", Field::PromptName),
        field("langfuse.observation.prompt.version", Field::PromptVersion),
        trusted("langfuse.prompt.name", Field::PromptName, COMPAT),
        trusted("langfuse.prompt.version", Field::PromptVersion, COMPAT),
        field("session.id", Field::SessionId),
        field("user.id", Field::UserId),
        // LangChain and LangGraph, through the callback handler.
        trusted("langfuse.observation.metadata.ls_provider", Field::Provider, ASKED),
        trusted("langfuse.observation.metadata.ls_model_name", Field::RequestModel, ASKED),
        trusted("langfuse.observation.metadata.ls_temperature", Field::Temperature, COMPAT),
        trusted("langfuse.observation.metadata.ls_max_tokens", Field::MaxTokens, COMPAT),
        trusted("langfuse.observation.metadata.ls_stop", Field::StopSequences, COMPAT),
        Rule { key: "langfuse.observation.metadata.ls_model_type", to: To::Kind(LS_MODEL_TYPES), trust: COMPAT },
        // Up to 3.2 the handler left these in the metadata.
        trusted("langfuse.observation.metadata.langfuse_session_id", Field::SessionId, COMPAT),
        trusted("langfuse.observation.metadata.langfuse_user_id", Field::UserId, COMPAT),
        field("langfuse.observation.metadata.thread_id", Field::ConversationId),
        field("langfuse.observation.metadata.tool_call_id", Field::ToolCallId),
        // What genspan writes for the answer's id.
        field("langfuse.observation.metadata.response_id", Field::ResponseId),
        // What genspan writes for a prompt that is none of Langfuse's.
        trusted("langfuse.observation.metadata.prompt_name", Field::PromptName, COMPAT),
        trusted("langfuse.observation.metadata.prompt_version", Field::PromptVersion, COMPAT),
        row("langfuse.observation.metadata.langgraph_node", To::GraphNode),
        // The OpenAI wrapper, of a stream.
        trusted("langfuse.observation.metadata.finish_reason", Field::FinishReasons, COMPAT),
        row("langfuse.observation.metadata.inputs", To::ToolInputs),
        // The entry mark, in each place that a Langfuse SDK may leave it.
        row("langfuse.observation.metadata.gen_ai.is_entry", To::Mark),
        row("langfuse.observation.metadata.gen_ai", To::MarkInside),
        row("langfuse.observation.metadata", To::MarkInside),
        row("langfuse.trace.metadata.gen_ai", To::MarkInside),
        row("langfuse.trace.metadata", To::MarkInside),
        row("langfuse.trace.metadata.gen_ai.is_entry", To::MarkCopy),
        row("langfuse.metadata.gen_ai.is_entry", To::MarkCopy),
        // On the entry span, for want of its own.
        trusted("langfuse.trace.input", Field::TraceInput, COMPAT),
        trusted("langfuse.trace.output", Field::TraceOutput, COMPAT),
    ],
    ..Convention::EMPTY
};
