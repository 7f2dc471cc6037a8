//! Semantic Kernel, Python and .NET: OTel's keys of its time, and before them a few of its own.

use super::{Convention, To, field, row};
use crate::normalize::canonical::{Field, Kind};

const OPERATIONS: &[(&str, Kind)] = &[("chat.streaming_completions", Kind::Chat), ("text.streaming_completions", Kind::TextCompletion)];

pub const SEMANTIC_KERNEL: Convention = Convention {
    id: "semantic-kernel",
    scopes: &["semantic_kernel*", "Microsoft.SemanticKernel*"],
    keys: &["sk.available_functions"],
    not_keys: &[],
    names_spans: false,
    rules: &[
        row("gen_ai.operation.name", To::Kind(OPERATIONS)),
        field("gen_ai.response.prompt_tokens", Field::InputTokens),
        field("gen_ai.response.completion_tokens", Field::OutputTokens),
    ],
};
