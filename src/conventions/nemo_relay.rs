//! NVIDIA's NeMo Relay: OTel's names, OpenInference's, or all that it knows under a name of its own each. Its scope is called `opentelemetry`.

use super::{Convention, To, field, row};
use crate::genai::{Field, Flat, Kind};

const TYPES: &[(&str, Kind)] = &[
    ("agent", Kind::InvokeAgent),
    ("embedder", Kind::Embeddings),
    ("function", Kind::Task),
    ("guardrail", Kind::Guardrail),
    ("llm", Kind::Chat),
    ("reranker", Kind::Rerank),
    ("retriever", Kind::Retrieval),
    ("tool", Kind::ExecuteTool),
];

pub const NEMO_RELAY: Convention = Convention {
    id: "nemo-relay",
    keys: &["nemo_relay.*"],
    rules: &[
        row("nemo_relay.scope_type", To::Kind(TYPES)),
        row("nemo_relay.start.input.*", To::Flat(Flat::Input)),
        row("nemo_relay.start.data.*", To::Flat(Flat::Input)),
        row("nemo_relay.end.output.*", To::Flat(Flat::Output)),
        row("nemo_relay.end.data.*", To::Flat(Flat::Output)),
        field("nemo_relay.model_name", Field::RequestModel),
        field("nemo_relay.llm.cost.total", Field::Cost),
    ],
    ..Convention::EMPTY
};
