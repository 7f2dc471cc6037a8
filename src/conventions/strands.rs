//! Strands Agents: OTel's keys, Bedrock Converse blocks in the events, and its own name in the provider's place.

use super::{Convention, NAMED, OWN, Rule, SPAN_NAME, To, row, trusted};
use crate::genai::{Field, Kind};

/// The first versions name no operation of the loop.
const NAMES: &[(&str, Kind)] = &[("execute_event_loop_cycle", Kind::Chain)];

/// Attributes of versions before the events.
const OLD: u8 = 40;

const NS_PER_MS: u32 = 1_000_000;

pub const STRANDS: Convention = Convention {
    id: "strands",
    scopes: &["strands.telemetry.tracer", "strands-agents*"],
    keys: &["event_loop.cycle_id"],
    rules: &[
        Rule { key: SPAN_NAME, to: To::Hint(NAMES), trust: NAMED },
        row("gen_ai.system", To::Proof(&["strands-agents"])),
        row("gen_ai.provider.name", To::Proof(&["strands-agents"])),
        // What the loop below used, added up.
        row("gen_ai.operation.name", To::Aggregate(&["invoke_agent", "invoke_swarm", "invoke_graph"])),
        Rule { key: "gen_ai.server.time_to_first_token", to: To::FirstTokenAfter(NS_PER_MS), trust: OWN },
        Rule { key: "gen_ai.server.time_to_first_audio", to: To::FirstTokenAfter(NS_PER_MS), trust: OLD },
        row("gen_ai.tool.json_schema", To::ToolSchema),
        row("gen_ai.event.start_time", To::Spent),
        row("gen_ai.event.end_time", To::Spent),
        row("gen_ai.tool.status", To::Failed(&["error"])),
        row("tool.status", To::Failed(&["error"])),
        trusted("system_prompt", Field::SystemInstructions, OLD),
    ],
    ..Convention::EMPTY
};
