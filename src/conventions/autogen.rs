//! AutoGen's runtime: the messages between its agents. Its models and tools are spans in OTel's keys.

use super::{Convention, NAMED, Rule, SPAN_NAME, To, field};
use crate::normalize::canonical::{Field, Kind};

const SPAN_NAMES: &[(&str, Kind)] = &[("autogen *", Kind::Chain)];

pub const AUTOGEN: Convention = Convention {
    id: "autogen",
    scopes: &["autogen-core*", "autogen *"],
    keys: &[],
    not_keys: &[],
    names_spans: false,
    rules: &[Rule { key: SPAN_NAME, to: To::Hint(SPAN_NAMES), trust: NAMED }, field("message", Field::EntityInput)],
};
