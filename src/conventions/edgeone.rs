//! EdgeOne Pages: OpenInference spans under Langfuse's scope, each attribute a second time under `langfuse.`. What it says is
//! read from the first.

use super::{Convention, Rule, To, field, row};
use crate::genai::Field;

const fn copy(key: &'static str) -> Rule {
    row(key, To::Spent)
}

pub const EDGEONE: Convention = Convention {
    id: "edgeone-pages",
    scopes: &[],
    keys: &["langfuse.openinference.span.kind"],
    rules: &[
        copy("langfuse.openinference.*"),
        copy("langfuse.input.*"),
        copy("langfuse.output.*"),
        copy("langfuse.llm.*"),
        copy("langfuse.embedding.*"),
        copy("langfuse.retrieval.*"),
        copy("langfuse.reranker.*"),
        copy("langfuse.document.*"),
        copy("langfuse.tool.*"),
        copy("langfuse.tool_call.*"),
        copy("langfuse.agent.*"),
        copy("langfuse.graph.*"),
        copy("langfuse.message.*"),
        copy("langfuse.tag.*"),
        copy("langfuse.metadata"),
        copy("langfuse.gen_ai.*"),
        // Model, provider and kind once more.
        copy("custom_key_1"),
        copy("custom_key_2"),
        copy("custom_key_3"),
        field("agent.conversation_id", Field::ConversationId),
    ],
    ..Convention::EMPTY
};
