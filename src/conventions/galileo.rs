//! Tencent Galileo, as BlueKing reads it: names of its own for agents and chains. Its messages are in events.

use super::{Convention, WEAK, trusted};
use crate::genai::Field;

pub const GALILEO: Convention = Convention {
    id: "galileo-trpc",
    scopes: &[],
    keys: &["gen_ai.entity.name", "gen_ai.chain.name"],
    rules: &[trusted("gen_ai.entity.name", Field::AgentName, WEAK), trusted("gen_ai.chain.name", Field::AgentName, WEAK)],
    ..Convention::EMPTY
};
