//! Vercel AI SDK 7, the native class of `@ai-sdk/otel`: OTel's own names under scope `gen_ai`, and what differs from them.

use super::{Convention, To, row};
use crate::genai::Field;

pub const VERCEL_V7: Convention = Convention {
    id: "vercel-ai-v7",
    scopes: &["gen_ai"],
    keys: &["gen_ai.client.operation.time_to_first_chunk", "gen_ai.client.operation.time_per_output_chunk"],
    rules: &[
        // Beside OTel's meaning: the spans around the calls of a model say the usage of their calls once more.
        row("gen_ai.operation.name", To::Aggregate(&["agent_step", "invoke_agent"])),
        row("gen_ai.client.operation.time_to_first_chunk", To::Field(Field::TimeToFirstChunk)),
        // How long the span took: the span says it.
        row("gen_ai.client.operation.duration", To::Spent),
        row("gen_ai.client.inference.duration", To::Spent),
        row("gen_ai.execute_tool.duration", To::Spent),
    ],
    ..Convention::EMPTY
};
