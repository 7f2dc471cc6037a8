//! CozeLoop: its SDK and those that write for it.

use super::{Convention, To, field, row};
use crate::genai::{Field, Kind};

const KINDS: &[(&str, Kind)] = &[
    ("agent", Kind::InvokeAgent),
    ("custom", Kind::Span),
    ("embedding", Kind::Embeddings),
    ("function", Kind::Task),
    ("graph", Kind::InvokeWorkflow),
    ("loader", Kind::Task),
    ("memory", Kind::SearchMemory),
    ("model", Kind::Chat),
    ("parser", Kind::Task),
    ("plugin", Kind::ExecuteTool),
    ("prompt", Kind::Prompt),
    ("remote", Kind::Span),
    ("retriever", Kind::Retrieval),
    ("tool", Kind::ExecuteTool),
    ("transformer", Kind::Task),
    ("vector_store", Kind::Retrieval),
];

const MICROSECOND: u32 = 1_000;

pub const COZELOOP: Convention = Convention {
    id: "cozeloop",
    scopes: &[],
    keys: &["cozeloop.*", "gen_ai.input", "gen_ai.output"],
    // VeADK's marks on every span that it sends there.
    not_keys: &["cozeloop.report.source", "cozeloop.call_type"],
    rules: &[
        row("cozeloop.span_type", To::Kind(KINDS)),
        row("cozeloop.input", To::Input),
        row("cozeloop.output", To::Output),
        row("gen_ai.input", To::Input),
        row("gen_ai.output", To::Output),
        field("cozeloop.stream", Field::Stream),
        row("cozeloop.time_to_first_token", To::FirstTokenAfter(MICROSECOND)),
        field("cozeloop.prompt_key", Field::PromptName),
        field("cozeloop.prompt_version", Field::PromptVersion),
        row("cozeloop.status_code", To::Failed(&[])),
        field("user_id", Field::UserId),
        field("gen_ai.request.functions", Field::ToolDefinitions),
        field("llm.request.functions", Field::ToolDefinitions),
    ],
    ..Convention::EMPTY
};
