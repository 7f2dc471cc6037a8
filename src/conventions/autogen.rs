//! AutoGen: its agents and tools are spans in OTel's keys; its runtime only carries the messages between them.

use super::{CARRIER, Convention, NAMED, Rule, SPAN_NAME, To, field};
use crate::genai::{Field, Kind};

const SPAN_NAMES: &[(&str, Kind)] = &[("autogen *", Kind::Chain)];

const RULES: &[Rule] = &[Rule { key: SPAN_NAME, to: To::Hint(SPAN_NAMES), trust: NAMED }, field("message", Field::EntityInput)];

pub const AUTOGEN: Convention = Convention { id: "autogen", scopes: &["autogen-core*"], rules: RULES, ..Convention::EMPTY };

pub const AUTOGEN_RUNTIME: Convention =
    Convention { id: "autogen-runtime", scopes: &["autogen *"], flags: CARRIER, rules: RULES, ..Convention::EMPTY };
