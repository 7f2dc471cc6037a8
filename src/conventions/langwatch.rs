//! LangWatch (Python, JS, Go): values in an envelope that says their type, `{"type": "chat_messages", "value": […]}`.

use super::{Convention, NAMES_SPANS, OBSERVATIONS, Rule, To, WEAK, field, row, trusted};
use crate::genai::{Field, Kind};

const TYPES: &[(&str, Kind)] = &[
    ("agent", Kind::InvokeAgent),
    ("chain", Kind::Chain),
    ("client", Kind::Span),
    ("component", Kind::Task),
    ("consumer", Kind::Span),
    ("evaluation", Kind::Evaluator),
    ("guardrail", Kind::Guardrail),
    ("llm", Kind::Chat),
    ("module", Kind::Task),
    ("producer", Kind::Span),
    ("rag", Kind::Retrieval),
    ("server", Kind::Span),
    ("span", Kind::Span),
    ("task", Kind::Task),
    ("tool", Kind::ExecuteTool),
    ("unknown", Kind::Unknown),
    ("workflow", Kind::InvokeWorkflow),
];

const METRICS: To = To::Object(&[
    ("promptTokens", To::Field(Field::InputTokens)),
    ("prompt_tokens", To::Field(Field::InputTokens)),
    ("completionTokens", To::Field(Field::OutputTokens)),
    ("completion_tokens", To::Field(Field::OutputTokens)),
    ("reasoningTokens", To::Field(Field::ReasoningTokens)),
    ("reasoning_tokens", To::Field(Field::ReasoningTokens)),
    ("cost", To::Field(Field::Cost)),
]);

pub const LANGWATCH: Convention = Convention {
    id: "langwatch",
    scopes: &["langwatch*"],
    // User, thread, customer and labels stand on spans of every library.
    keys: &["langwatch.span.type", "langwatch.input", "langwatch.output", "langwatch.metrics"],
    flags: NAMES_SPANS | OBSERVATIONS,
    rules: &[
        row("langwatch.span.type", To::Kind(TYPES)),
        row("langwatch.input", To::Enveloped(&To::Input)),
        row("langwatch.output", To::Enveloped(&To::Output)),
        row("langwatch.rag.contexts", To::Enveloped(&To::Documents)),
        Rule { key: "langwatch.rag_contexts", to: To::Enveloped(&To::Documents), trust: WEAK },
        row("langwatch.metrics", To::Enveloped(&METRICS)),
        row("langwatch.params", To::Enveloped(&To::Parameters)),
        row("langwatch.timestamps", To::Enveloped(&To::Object(&[("first_token_at", To::FirstTokenAt)]))),
        // Of the trace, on its root.
        row("metadata", To::Object(&[("user_id", To::Field(Field::UserId)), ("thread_id", To::Field(Field::ConversationId))])),
        field("langwatch.user.id", Field::UserId),
        trusted("langwatch.user_id", Field::UserId, WEAK),
        field("langwatch.thread.id", Field::ConversationId),
        trusted("langwatch.thread_id", Field::ConversationId, WEAK),
        field("langwatch.span.cost", Field::Cost),
    ],
    ..Convention::EMPTY
};
