//! CozeLoop: its SDK and those that write for it.

use super::{Convention, To, field, row};
use crate::normalize::canonical::{Field, Kind};

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

const MICROSECOND: u64 = 1_000;

pub const COZELOOP: Convention = Convention {
    id: "cozeloop",
    scopes: &[],
    // `cozeloop.input` and `cozeloop.output` are no evidence: VeADK writes copies of its own there.
    keys: &[
        "cozeloop.span_type",
        "cozeloop.workspace_id",
        "cozeloop.logid",
        "cozeloop.stream",
        "cozeloop.time_to_first_token",
        "cozeloop.prompt_*",
        "cozeloop.system_tag_runtime",
        "cozeloop.status_code",
    ],
    not_keys: &[],
    names_spans: false,
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
};
