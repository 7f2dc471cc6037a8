//! OpenRouter's broadcast: a span of each request with all that is known of it, and plain ones of what was tried.

use super::{Convention, NAMED, Rule, SPAN_NAME, STRUCTURED, To, WEAK, row};
use crate::genai::{Flat, Kind};

const TYPES: &[(&str, Kind)] = &[("generation", Kind::Chat)];
const NAMES: &[(&str, Kind)] = &[("LLM Generation", Kind::Chat)];

const COMPLETION: To = To::Object(&[
    ("completion", To::Inside(Flat::OutputMessages, "0.content")),
    ("reasoning", To::Inside(Flat::OutputMessages, "0.reasoning")),
    ("toolCalls", To::Inside(Flat::OutputMessages, "0.tool_calls")),
]);

const fn again(key: &'static str, to: To) -> Rule {
    Rule { key, to, trust: WEAK }
}

pub const OPENROUTER: Convention = Convention {
    id: "openrouter",
    scopes: &["openrouter"],
    rules: &[
        Rule { key: SPAN_NAME, to: To::Hint(NAMES), trust: NAMED },
        row("span.type", To::Kind(TYPES)),
        Rule { key: "gen_ai.completion", to: COMPLETION, trust: STRUCTURED },
        // The prompt and the answer, two more times.
        again("trace.input", To::InputMessages),
        again("span.input", To::InputMessages),
        again("trace.output", COMPLETION),
        again("span.output", COMPLETION),
        row("trace.metadata.openrouter.first_token_ms", To::FirstTokenAfter(1_000_000)),
        row("trace.metadata.openrouter.finish_reason", To::Spent),
    ],
    ..Convention::EMPTY
};
