//! Mistral's SDK: OTel's names. Calls of its API that ask no model have none of them.

use super::{Convention, To, row};

pub const MISTRAL: Convention = Convention {
    id: "mistralai-sdk",
    scopes: &["mistralai_sdk_tracer"],
    keys: &["agent.trace.public"],
    // An empty text, on every span.
    rules: &[row("agent.trace.public", To::Spent)],
    ..Convention::EMPTY
};
