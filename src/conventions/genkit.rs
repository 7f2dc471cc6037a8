//! Genkit (JS, Go, Python): keys with a colon, all of a call in the JSON of `genkit:input` and `genkit:output`.

use super::{Convention, Root, Rule, STRUCTURED, To, field, row};
use crate::genai::{Field, Kind};

const TYPES: &[(&str, Kind)] = &[
    ("action", Kind::Span),
    ("dotprompt", Kind::Prompt),
    ("evaluator", Kind::Evaluator),
    ("flow", Kind::InvokeWorkflow),
    ("flowStep", Kind::Task),
    ("promptTemplate", Kind::Prompt),
    ("util", Kind::Span),
];

const SUBTYPES: &[(&str, Kind)] = &[
    ("agent", Kind::InvokeAgent),
    ("background-model", Kind::Chat),
    ("custom", Kind::Span),
    ("embedder", Kind::Embeddings),
    ("evaluator", Kind::Evaluator),
    ("executable-prompt", Kind::Prompt),
    ("flow", Kind::InvokeWorkflow),
    ("indexer", Kind::Task),
    ("model", Kind::Chat),
    ("prompt", Kind::Prompt),
    ("reranker", Kind::Rerank),
    ("resource", Kind::Task),
    ("retriever", Kind::Retrieval),
    ("tool", Kind::ExecuteTool),
    ("tool.v2", Kind::ExecuteTool),
    ("util", Kind::Span),
];

pub const GENKIT: Convention = Convention {
    id: "genkit",
    scopes: &["genkit-tracer"],
    keys: &["genkit:*"],
    roots: &[("genkit:isRoot", Root::Bool)],
    rules: &[
        row("genkit:type", To::All(&[To::Kind(TYPES), To::Spent])),
        Rule { key: "genkit:metadata:subtype", to: To::Kind(SUBTYPES), trust: STRUCTURED },
        row("genkit:name", To::ActionName),
        row("genkit:input", To::All(&[To::Object(&[("docs", To::Documents)]), To::Input])),
        row("genkit:output", To::All(&[To::Object(&[("custom.responseId", To::Field(Field::ResponseId))]), To::Output])),
        row("genkit:state", To::Failed(&["error"])),
        row("genkit:error", To::All(&[To::Failed(&[]), To::StatusMessage])),
        Rule { key: "genkit:metadata:flow:name", to: To::Field(Field::AgentName), trust: STRUCTURED },
        field("genkit:sessionId", Field::SessionId),
        field("genkit:threadName", Field::ConversationId),
    ],
    ..Convention::EMPTY
};
