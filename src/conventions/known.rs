//! Instrumentations that are known to be LLM, of which no table stands here: their spans count for the entry, and their
//! marks are read; their other attributes stay as they are.

use super::Convention;

pub const KNOWN: Convention = Convention {
    id: "known",
    // The list that Langfuse's exporters let through, and the SDKs' own scopes.
    scopes: &[],
    keys: &[],
    not_keys: &[],
    names_spans: false,
    rules: &[],
};
