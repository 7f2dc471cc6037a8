//! Tencent Galileo, as BlueKing reads it: names of its own for agents and chains. Its messages are in events.

use super::{Convention, trusted};
use crate::genai::Field;

/// The name of the step, which may be more than an agent.
const WEAK: u8 = 40;

pub const GALILEO: Convention = Convention {
    id: "galileo-trpc",
    scopes: &[],
    keys: &["gen_ai.entity.name", "gen_ai.chain.name"],
    not_keys: &[],
    names_spans: false,
    rules: &[trusted("gen_ai.entity.name", Field::AgentName, WEAK), trusted("gen_ai.chain.name", Field::AgentName, WEAK)],
};
