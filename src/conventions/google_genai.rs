//! OTel's instrumentation of the Google GenAI SDK: OTel's names, but on the spans of tools, which are Python functions.

use super::{Convention, Rule, STRUCTURED, To, field};
use crate::genai::{Field, Flat};

pub const GOOGLE_GENAI: Convention = Convention {
    id: "otel-google-genai",
    scopes: &["opentelemetry.instrumentation.google_genai*", "opentelemetry.instrumentation.genai.google*"],
    rules: &[
        Rule { key: "code.function.parameters.*", to: To::Flat(Flat::Arguments), trust: STRUCTURED },
        field("code.function.return.value", Field::ToolCallResult),
    ],
    ..Convention::EMPTY
};
