//! Langtrace, Python and JS: OTel's keys of 1.26 with inventions of its own, and messages in span events.

use super::{Convention, OWN, Rule, To, WEAK, field, row, trusted};
use crate::genai::{Field, Flat, Kind};

const TYPES: &[(&str, Kind)] =
    &[("framework", Kind::Chain), ("llm", Kind::Chat), ("vector_db", Kind::Retrieval), ("vectordb", Kind::Retrieval)];

const ROLE: To = To::Object(&[("role", To::Field(Field::AgentName))]);

pub const LANGTRACE: Convention = Convention {
    id: "langtrace",
    scopes: &["langtrace*", "@langtrase/*"],
    // Other keys below `langtrace.` travel: the application injects them.
    keys: &["langtrace.service.name", "langtrace.service.type", "langtrace.sdk.name"],
    rules: &[
        row("url.full", To::Host),
        row("langtrace.service.type", To::Hint(TYPES)),
        trusted("langtrace.service.name", Field::Provider, WEAK),
        trusted("user_id", Field::UserId, WEAK),
        trusted("session_id", Field::SessionId, WEAK),
        field("gen_ai.response_id", Field::ResponseId),
        field("gen_ai.generation_id", Field::ResponseId),
        field("gen_ai.chat.stop_sequences", Field::StopSequences),
        field("gen_ai.request.response_format", Field::OutputType),
        // Of OpenAI's Responses API.
        field("instructions", Field::SystemInstructions),
        field("gen_ai.request.tools", Field::ToolDefinitions),
        trusted("gen_ai.request.functions", Field::ToolDefinitions, WEAK),
        // Cohere's.
        row("gen_ai.request.tool_results", To::Inside(Flat::InputMessages, "0.parts")),
        // Not OpenLLMetry's.
        Rule { key: "gen_ai.request.type", to: To::Keep, trust: OWN },
        field("gen_ai.request.dimensions", Field::EmbeddingDimensions),
        row("gen_ai.request.embedding_inputs", To::Input),
        field("gen_ai.cohere.rerank.query", Field::RerankQuery),
        field("gen_ai.user", Field::UserId),
        field("gen_ai.system_fingerprint", Field::SystemFingerprint),
        field("gen_ai.response.stop_reason", Field::FinishReasons),
        // They may hold keys of the provider.
        row("gen_ai.headers", To::Drop),
        row("http.max.retries", To::Spent),
        row("http.timeout", To::Spent),
        row("langchain.inputs", To::Input),
        row("llamaindex.inputs", To::Input),
        row("graphlit.inputs", To::Input),
        row("langchain.outputs", To::Output),
        row("llamaindex.outputs", To::Output),
        row("graphlit.outputs", To::Output),
        row("crewai.agent.config", ROLE),
        row("crewai.task.config", ROLE),
        row("crewai.crew.config", ROLE),
        field("db.query", Field::RetrievalQuery),
        field("db.top_k", Field::RetrievalTopK),
        row("db.response", To::Documents),
        field("db.collection.name", Field::DataSourceId),
    ],
    ..Convention::EMPTY
};
