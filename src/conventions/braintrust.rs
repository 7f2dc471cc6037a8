//! Braintrust: the keys that its OTel endpoint reads, and its SDKs write.

use super::{Convention, NAMES_SPANS, OBSERVATIONS, Rule, STRUCTURED, To, field, row};
use crate::genai::{Field, Kind};

const TYPES: &[(&str, Kind)] = &[
    ("automation", Kind::Task),
    ("classifier", Kind::Evaluator),
    ("eval", Kind::Evaluator),
    ("facet", Kind::Task),
    ("function", Kind::Task),
    ("llm", Kind::Chat),
    ("preprocessor", Kind::Task),
    ("review", Kind::Evaluator),
    ("score", Kind::Evaluator),
    ("task", Kind::Task),
    ("tool", Kind::ExecuteTool),
];

const METRICS: To = To::Object(&[
    ("prompt_tokens", To::Field(Field::InputTokens)),
    ("completion_tokens", To::Field(Field::OutputTokens)),
    ("tokens", To::Field(Field::TotalTokens)),
    ("prompt_cached_tokens", To::Field(Field::CacheReadTokens)),
    ("prompt_cache_creation_tokens", To::Field(Field::CacheWriteTokens)),
    ("completion_reasoning_tokens", To::Field(Field::ReasoningTokens)),
    ("time_to_first_token", To::Field(Field::TimeToFirstChunk)),
]);

pub const BRAINTRUST: Convention = Convention {
    id: "braintrust",
    scopes: &["braintrust*"],
    // Its span processor puts `braintrust.parent`, `.org` and `.app_url` on every span.
    keys: &[
        "braintrust.input*",
        "braintrust.output*",
        "braintrust.metadata*",
        "braintrust.metrics*",
        "braintrust.span_attributes*",
        "braintrust.scores",
        "braintrust.expected",
    ],
    flags: NAMES_SPANS | OBSERVATIONS,
    rules: &[
        row("braintrust.span_attributes", To::Object(&[("type", To::Kind(TYPES))])),
        row("braintrust.span_attributes.type", To::Kind(TYPES)),
        row("braintrust.input_json", To::Input),
        row("braintrust.input", To::Input),
        row("braintrust.output_json", To::Output),
        row("braintrust.output", To::Output),
        row("braintrust.metadata", To::All(&[To::Parameters, To::Object(&[("provider", To::Field(Field::Provider))])])),
        field("braintrust.metadata.model", Field::RequestModel),
        field("braintrust.metadata.provider", Field::Provider),
        field("braintrust.metadata.temperature", Field::Temperature),
        field("braintrust.metadata.top_p", Field::TopP),
        field("braintrust.metadata.max_tokens", Field::MaxTokens),
        field("braintrust.metadata.stop", Field::StopSequences),
        field("braintrust.metadata.seed", Field::Seed),
        Rule { key: "braintrust.metrics", to: METRICS, trust: STRUCTURED },
        field("braintrust.metrics.prompt_tokens", Field::InputTokens),
        field("braintrust.metrics.completion_tokens", Field::OutputTokens),
        field("braintrust.metrics.tokens", Field::TotalTokens),
        field("braintrust.metrics.prompt_cached_tokens", Field::CacheReadTokens),
        field("braintrust.metrics.prompt_cache_creation_tokens", Field::CacheWriteTokens),
        field("braintrust.metrics.completion_reasoning_tokens", Field::ReasoningTokens),
        field("braintrust.metrics.time_to_first_token", Field::TimeToFirstChunk),
    ],
    ..Convention::EMPTY
};
