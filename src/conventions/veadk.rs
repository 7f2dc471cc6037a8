//! Volcengine's VeADK: OpenLLMetry's flattened messages, beside inputs and outputs of its own.

use super::{Convention, OWN, Rule, STRUCTURED, To, WEAK, field, row, trusted};
use crate::genai::{Field, Flat};

const TOOL_INPUT: &[(&str, To)] = &[
    ("name", To::Field(Field::ToolName)),
    ("description", To::Field(Field::ToolDescription)),
    ("parameters", To::Field(Field::ToolCallArguments)),
];

const TOOL_OUTPUT: &[(&str, To)] =
    &[("id", To::Field(Field::ToolCallId)), ("name", To::Field(Field::ToolName)), ("response", To::Field(Field::ToolCallResult))];

pub const VEADK: Convention = Convention {
    id: "veadk",
    scopes: &["veadk*"],
    keys: &[
        "openinference.instrumentation.veadk",
        "gen_ai.tool.input",
        "gen_ai.tool.output",
        "gen_ai.app.name",
        "gen_ai.messages",
        "gen_ai.request.functions*",
    ],
    rules: &[
        row("gen_ai.input", To::Input),
        row("gen_ai.output", To::Output),
        row("input.value", To::Input),
        row("output.value", To::Output),
        row("gen_ai.messages", To::InputMessages),
        Rule { key: "gen_ai.request.functions.*", to: To::Flat(Flat::Tools), trust: STRUCTURED },
        field("gen_ai.request.functions", Field::ToolDefinitions),
        Rule { key: "gen_ai.tool.input", to: To::Object(TOOL_INPUT), trust: STRUCTURED },
        Rule { key: "gen_ai.tool.output", to: To::Object(TOOL_OUTPUT), trust: STRUCTURED },
        trusted("gen_ai.response.stop_reason", Field::FinishReasons, WEAK),
        // Copies for CozeLoop.
        Rule { key: "cozeloop.input", to: To::Keep, trust: OWN },
        Rule { key: "cozeloop.output", to: To::Keep, trust: OWN },
    ],
    ..Convention::EMPTY
};
