//! Semantic Kernel, Python and .NET: OTel's keys of its time, and before them a few of its own.

use super::{Convention, NAMED, Rule, SPAN_NAME, To, field, row};
use crate::genai::{Field, Kind};

const OPERATIONS: &[(&str, Kind)] = &[("chat.streaming_completions", Kind::Chat), ("text.streaming_completions", Kind::TextCompletion)];

/// Turns of a model and its tools: the span has its tools' names alone.
const SPAN_NAMES: &[(&str, Kind)] = &[("AutoFunctionInvocationLoop", Kind::Chain)];

pub const SEMANTIC_KERNEL: Convention = Convention {
    id: "semantic-kernel",
    scopes: &["semantic_kernel*", "Microsoft.SemanticKernel*"],
    keys: &["sk.available_functions"],
    rules: &[
        Rule { key: SPAN_NAME, to: To::Hint(SPAN_NAMES), trust: NAMED },
        row("gen_ai.operation.name", To::Kind(OPERATIONS)),
        field("gen_ai.response.prompt_tokens", Field::InputTokens),
        field("gen_ai.response.completion_tokens", Field::OutputTokens),
    ],
    ..Convention::EMPTY
};
