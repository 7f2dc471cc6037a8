//! Laminar: its own spans (`lmnr.tracer`), and the keys that its processor puts on the spans of every library.

use super::{Convention, NAMES_SPANS, OBSERVATIONS, Rule, To, WEAK, field, row, trusted};
use crate::genai::{Field, Kind};

const TYPES: &[(&str, Kind)] = &[
    ("CACHED", Kind::Chat),
    ("DEFAULT", Kind::Span),
    ("EVALUATION", Kind::Evaluator),
    ("EVALUATOR", Kind::Evaluator),
    ("EXECUTOR", Kind::Task),
    ("HUMAN_EVALUATOR", Kind::Evaluator),
    ("LLM", Kind::Chat),
    ("PIPELINE", Kind::InvokeWorkflow),
    ("TOOL", Kind::ExecuteTool),
];

pub const LAMINAR: Convention = Convention {
    id: "laminar",
    scopes: &["lmnr.*"],
    // Not the path, the properties and the version: those stand on spans of every library.
    keys: &["lmnr.span.type", "lmnr.span.input", "lmnr.span.output"],
    flags: NAMES_SPANS | OBSERVATIONS,
    rules: &[
        // A replayed call used nothing: its usage is that of the call which it replays.
        Rule { key: "lmnr.span.type", to: To::All(&[To::Aggregate(&["CACHED"]), To::Kind(TYPES)]), trust: super::PLAIN },
        row("lmnr.span.input", To::Input),
        row("lmnr.span.output", To::Output),
        field("lmnr.association.properties.session_id", Field::SessionId),
        field("lmnr.association.properties.user_id", Field::UserId),
        row("lmnr.association.properties.metadata.gen_ai.is_entry", To::Mark),
        row("lmnr.internal.*", To::Spent),
        field("lmnr.event.session_id", Field::SessionId),
        field("lmnr.event.user_id", Field::UserId),
        field("aisdk.model.id", Field::RequestModel),
        field("aisdk.model.provider", Field::Provider),
        field("gen_ai.request.is_stream", Field::Stream),
        // Of its fork of OpenLLMetry's instrumentations.
        field("llm.is_streaming", Field::Stream),
        row("llm.headers", To::Drop),
        trusted("gen_ai.request.service_tier", Field::RequestServiceTier, WEAK),
    ],
    ..Convention::EMPTY
};
