//! vLLM's server: one span for each request, without its messages.

use super::{Convention, To, field, row};
use crate::genai::Field;

const SECOND: u32 = 1_000_000_000;

pub const VLLM: Convention = Convention {
    id: "vllm",
    scopes: &["vllm", "vllm.*"],
    keys: &["gen_ai.latency.*"],
    rules: &[
        field("gen_ai.request.id", Field::ResponseId),
        field("gen_ai.request.n", Field::ChoiceCount),
        row("gen_ai.latency.time_to_first_token", To::FirstTokenAfter(SECOND)),
    ],
    ..Convention::EMPTY
};
