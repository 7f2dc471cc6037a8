//! smolagents: OpenInference, and one key beside it.

use super::{Convention, Rule, To, row};
use crate::genai::Field;

/// Against `input.value`.
const ASKED: u8 = 55;

pub const SMOLAGENTS: Convention = Convention {
    id: "smolagents",
    scopes: &["openinference.instrumentation.smolagents"],
    keys: &["smolagents.*"],
    rules: &[
        // What the steps used, added up.
        row("openinference.span.kind", To::Aggregate(&["AGENT"])),
        // The arguments of the call, with the task among them, are in `input.value`: the task is what was asked.
        Rule { key: "smolagents.task", to: To::Field(Field::EntityInput), trust: ASKED },
    ],
    ..Convention::EMPTY
};
