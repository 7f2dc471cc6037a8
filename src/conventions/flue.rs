//! Flue (`@flue/opentelemetry`): OTel's names on the turns of a model, its own on everything around them.

use super::{Convention, Rule, To, row};
use crate::genai::{Field, Kind};

/// A span has the ids of all that it is part of: the narrowest tells what it is, and what it holds tells better.
const OPERATION_ID: u8 = 41;
const WORKFLOW_ID: u8 = 42;
const TASK_ID: u8 = 43;
const TURN_ID: u8 = 44;
const TOOL_ID: u8 = 45;
const CONTENT: u8 = 50;

const fn is(kind: &'static [(&'static str, Kind)]) -> To {
    To::Hint(kind)
}

const CHAT: To = is(&[("*", Kind::Chat)]);
const TOOL: To = is(&[("*", Kind::ExecuteTool)]);
const TASK: To = is(&[("*", Kind::InvokeAgent)]);
const WORKFLOW: To = is(&[("*", Kind::InvokeWorkflow)]);
const OPERATION: To = is(&[("*", Kind::Chain)]);

const fn id(key: &'static str, to: To, trust: u8) -> Rule {
    Rule { key, to, trust }
}

pub const FLUE: Convention = Convention {
    id: "flue",
    scopes: &["@flue/opentelemetry"],
    keys: &["flue.turn.*", "flue.operation.*", "flue.tool.*", "flue.task.*", "flue.workflow.*"],
    rules: &[
        row("flue.turn.input", To::All(&[CHAT, To::InputMessages])),
        row("flue.turn.output", To::All(&[CHAT, To::OutputMessages])),
        id("flue.turn.*", CHAT, TURN_ID),
        row("flue.tool.name", To::All(&[TOOL, To::Field(Field::ToolName)])),
        row("flue.tool.call_id", To::All(&[TOOL, To::Field(Field::ToolCallId)])),
        row("flue.tool.arguments", To::All(&[TOOL, To::Field(Field::ToolCallArguments)])),
        row("flue.tool.result", To::All(&[TOOL, To::Field(Field::ToolCallResult)])),
        id("flue.tool.*", TOOL, TOOL_ID),
        row("flue.task.agent", To::All(&[TASK, To::Field(Field::AgentName)])),
        row("flue.task.prompt", To::All(&[TASK, To::Input])),
        row("flue.task.result", To::All(&[TASK, To::Output])),
        id("flue.task.*", TASK, TASK_ID),
        row("flue.workflow.name", To::All(&[WORKFLOW, To::Field(Field::AgentName)])),
        row("flue.workflow.payload", To::All(&[WORKFLOW, To::Input])),
        row("flue.workflow.result", To::All(&[WORKFLOW, To::Output])),
        id("flue.workflow.*", WORKFLOW, WORKFLOW_ID),
        id("flue.operation.kind", OPERATION, CONTENT),
        row("flue.operation.result", To::All(&[OPERATION, To::Output])),
        id("flue.operation.*", OPERATION, OPERATION_ID),
    ],
    ..Convention::EMPTY
};
