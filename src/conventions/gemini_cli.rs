//! Gemini CLI: OTel's keys with contents in Gemini's form.

use super::{Convention, OWN, Rule, To, field, row};
use crate::genai::Field;

pub const GEMINI_CLI: Convention = Convention {
    id: "gemini-cli",
    scopes: &["gemini-cli*"],
    keys: &["gen_ai.tool.call_id"],
    rules: &[
        row("gen_ai.agent.name", To::Proof(&["gemini-cli"])),
        field("gen_ai.tool.call_id", Field::ToolCallId),
        // The id of one prompt: `<session>########<n>`.
        Rule { key: "gen_ai.prompt.name", to: To::Keep, trust: OWN },
    ],
    ..Convention::EMPTY
};
