//! LiteLLM, SDK and proxy. Its messages, tools and `llm.*` keys are OpenLLMetry's, whose table reads this scope too.

use super::{Convention, NAMED, Rule, SPAN_NAME, STRUCTURED, To, WEAK, field, row, trusted};
use crate::genai::{Field, Flat, Kind};

/// `call_type`: what OpenLLMetry calls a completion is a chat here.
const CALL_TYPES: &[(&str, Kind)] = &[
    ("acompletion", Kind::Chat),
    ("aembedding", Kind::Embeddings),
    ("aimage_generation", Kind::GenerateContent),
    ("anthropic_messages", Kind::Chat),
    ("arerank", Kind::Rerank),
    ("aresponses", Kind::Chat),
    ("aspeech", Kind::GenerateContent),
    ("atext_completion", Kind::TextCompletion),
    ("atranscription", Kind::GenerateContent),
    ("completion", Kind::Chat),
    ("embedding", Kind::Embeddings),
    ("image_generation", Kind::GenerateContent),
    ("rerank", Kind::Rerank),
    ("responses", Kind::Chat),
    ("speech", Kind::GenerateContent),
    ("text_completion", Kind::TextCompletion),
    ("transcription", Kind::GenerateContent),
];

/// Against OpenLLMetry's and OTel's reading of these words.
const OWN_WORDS: u8 = 95;

const fn flat(key: &'static str, list: Flat) -> Rule {
    Rule { key, to: To::FlatParts(list), trust: STRUCTURED }
}

pub const LITELLM: Convention = Convention {
    id: "litellm",
    scopes: &["litellm*"],
    keys: &["metadata.user_api_key_*", "SpanAttributes.LLM_*"],
    rules: &[
        row("gen_ai.framework", To::Proof(&["litellm"])),
        Rule { key: "llm.request.type", to: To::Hint(CALL_TYPES), trust: OWN_WORDS },
        Rule { key: "gen_ai.operation.name", to: To::Hint(CALL_TYPES), trust: OWN_WORDS },
        // In 2024 the names of constants stood in place of their values.
        flat("SpanAttributes.LLM_PROMPTS.*", Flat::InputMessages),
        flat("SpanAttributes.LLM_COMPLETIONS.*", Flat::OutputMessages),
        field("gen_ai.cost.total_cost", Field::Cost),
        field("gen_ai.cost.input_cost", Field::InputCost),
        field("gen_ai.cost.output_cost", Field::OutputCost),
        field("litellm.cost.total", Field::Cost),
        field("litellm.cost.input", Field::InputCost),
        field("litellm.cost.output", Field::OutputCost),
        // The second version of its exporter.
        Rule { key: SPAN_NAME, to: To::Hint(&[("execute_guardrail *", Kind::Guardrail)]), trust: NAMED },
        flat("gen_ai.tool.*", Flat::Tools),
        field("litellm.request.streaming", Field::Stream),
        field("litellm.end_user.id", Field::UserId),
        // A call that the gateway makes for itself.
        row("litellm.request.purpose", To::Aside(&["*"])),
        row("litellm.guardrail.response", To::Output),
        row("litellm.api_key.hash", To::Drop),
        row("litellm.provider.error.stack_trace", To::Drop),
        // Python's `repr` of the answer's counts, which alone has the details.
        Rule { key: "metadata.usage_object", to: To::Usage, trust: WEAK },
        field("metadata.user_api_key_end_user_id", Field::UserId),
        trusted("metadata.user_api_key_user_id", Field::UserId, WEAK),
        row("metadata.user_api_key_hash", To::Drop),
        // Request and answer of the provider, as they were sent.
        row("llm.*", To::Keep),
    ],
    ..Convention::EMPTY
};
