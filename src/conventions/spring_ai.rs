//! Spring AI, through Micrometer: every value is text, `none` where there is none, lists are rendered.

use super::{Convention, Rule, To, field, row};
use crate::genai::{Field, Kind};

const KINDS: &[(&str, Kind)] =
    &[("advisor", Kind::Chain), ("chat_client", Kind::Chain), ("tool_call", Kind::ExecuteTool), ("vector_store", Kind::Retrieval)];

/// A vector store is asked, and filled.
const STORE_OPERATIONS: &[(&str, Kind)] = &[("add", Kind::Span), ("delete", Kind::Span), ("query", Kind::Retrieval)];

/// More than the operation says, which is `framework` for all of these.
const NARROWER: u8 = 95;
/// More than that.
const NARROWEST: u8 = 96;

pub const SPRING_AI: Convention = Convention {
    id: "spring-ai",
    // Micrometer's bridge has one scope for all of an application.
    scopes: &[],
    keys: &["spring.ai.*", "gen_ai.request.embedding.dimensions", "gen_ai.request.image.*", "db.vector.query.content"],
    rules: &[
        row("gen_ai.system", To::Proof(&["spring_ai"])),
        Rule { key: "spring.ai.kind", to: To::Hint(KINDS), trust: NARROWER },
        Rule { key: "db.operation.name", to: To::Hint(STORE_OPERATIONS), trust: NARROWEST },
        field("gen_ai.request.embedding.dimensions", Field::EmbeddingDimensions),
        row("gen_ai.request.image.response_format", To::Implies(Field::OutputType, "image")),
        row("spring.ai.chat.client.conversation.id", To::Unless(Field::ConversationId, &["default"])),
        field("spring.ai.chat.client.stream", Field::Stream),
        row("spring.ai.chat.client.output.format", To::Implies(Field::OutputType, "json")),
        row("spring.ai.chat.client.structured.output.*", To::Implies(Field::OutputType, "json")),
        row("spring.ai.chat.client.user.text", To::InputMessages),
        field("spring.ai.chat.client.system.text", Field::SystemInstructions),
        field("spring.ai.tool.definition.name", Field::ToolName),
        field("spring.ai.tool.definition.description", Field::ToolDescription),
        row("spring.ai.tool.definition.schema", To::ToolSchema),
        field("spring.ai.tool.type", Field::ToolType),
        field("spring.ai.tool.call.id", Field::ToolCallId),
        field("spring.ai.tool.call.arguments", Field::ToolCallArguments),
        field("spring.ai.tool.call.result", Field::ToolCallResult),
        field("db.vector.query.content", Field::RetrievalQuery),
        field("db.vector.query.top_k", Field::RetrievalTopK),
        row("db.vector.query.response.documents", To::Documents),
        field("db.collection.name", Field::DataSourceId),
    ],
    ..Convention::EMPTY
};
