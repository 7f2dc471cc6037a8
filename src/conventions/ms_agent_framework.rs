//! Microsoft Agent Framework and Microsoft.Extensions.AI: OTel's keys, and those of its workflows.

use super::{Convention, NAMED, Rule, SPAN_NAME, To, field, row};
use crate::genai::{Field, Kind};

const NAMES: &[(&str, Kind)] = &[
    ("chat *", Kind::Chat),
    ("edge_group.process*", Kind::Span),
    ("execute_tool *", Kind::ExecuteTool),
    ("executor.process*", Kind::Task),
    ("invoke_agent *", Kind::InvokeAgent),
    ("message.send*", Kind::Span),
    ("workflow.build*", Kind::Span),
    ("workflow.run*", Kind::InvokeWorkflow),
];

pub const MS_AGENT_FRAMEWORK: Convention = Convention {
    id: "ms-agent-framework",
    scopes: &["agent_framework*", "Experimental.Microsoft.Agents.AI*", "Experimental.Microsoft.Extensions.AI*"],
    keys: &["agent_framework.*"],
    rules: &[
        Rule {
            key: SPAN_NAME,
            to: To::All(&[To::Hint(NAMES), To::Aside(&["workflow.build*"]), To::AggregateOn(&[Kind::InvokeAgent])]),
            trust: NAMED,
        },
        field("agent_framework.function.name", Field::ToolName),
        row("agent_framework.function.invocation.duration", To::Spent),
        field("workflow.name", Field::AgentName),
        field("workflow.description", Field::AgentDescription),
        row("error.message", To::StatusMessage),
    ],
    ..Convention::EMPTY
};
