//! smolagents: OpenInference, and one key beside it.

use super::{Convention, To, row};

pub const SMOLAGENTS: Convention = Convention {
    id: "smolagents",
    scopes: &["openinference.instrumentation.smolagents"],
    keys: &["smolagents.*"],
    not_keys: &[],
    names_spans: false,
    rules: &[
        // The arguments of the call, with the task among them, are in `input.value`: the task is what was asked.
        row("smolagents.task", To::Task),
    ],
};
