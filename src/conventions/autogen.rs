//! AutoGen's runtime: the messages between its agents. Its models and tools are spans in OTel's keys.

use super::{Convention, SPAN_NAME, To, field, row};
use crate::normalize::canonical::{Field, Kind};

const SPAN_NAMES: &[(&str, Kind)] = &[("autogen *", Kind::Chain)];

pub const AUTOGEN: Convention = Convention {
    id: "autogen",
    scopes: &["autogen-core*", "autogen *"],
    keys: &[],
    not_keys: &[],
    names_spans: false,
    rules: &[row(SPAN_NAME, To::Hint(SPAN_NAMES)), field("message", Field::EntityInput)],
};
