//! LangChain's and LangGraph's own metadata where they stand on a span without a convention's prefix.

use super::{Convention, To, row, trusted};
use crate::genai::{Field, Kind};

/// `ls_model_type`.
const MODEL_TYPES: &[(&str, Kind)] = &[("chat", Kind::Chat), ("llm", Kind::TextCompletion)];

/// What the application asked for.
const ASKED: u8 = 60;
/// Configured, which the request may override.
const CONFIGURED: u8 = 40;

pub const LANGCHAIN: Convention = Convention {
    id: "langchain-otel-misc",
    scopes: &["opentelemetry.instrumentation.langchain*"],
    // Every run inherits the thread and the node; a model's metadata stands on the model's span.
    keys: &["langgraph.node.name", "lc.metadata.*", "ls_provider", "ls_model_name", "ls_model_type"],
    not_keys: &["lc.metadata.thread_id"],
    rules: &[
        trusted("lc.metadata.thread_id", Field::ConversationId, CONFIGURED),
        trusted("langgraph.node.name", Field::AgentName, CONFIGURED),
        trusted("ls_provider", Field::Provider, ASKED),
        trusted("ls_model_name", Field::RequestModel, ASKED),
        row("ls_model_type", To::Kind(MODEL_TYPES)),
        trusted("ls_temperature", Field::Temperature, CONFIGURED),
        trusted("ls_max_tokens", Field::MaxTokens, CONFIGURED),
        trusted("ls_stop", Field::StopSequences, CONFIGURED),
    ],
    ..Convention::EMPTY
};
