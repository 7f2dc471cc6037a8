//! CrewAI: its own telemetry with keys without a prefix, and OpenLLMetry's instrumentation of it.

use super::{Convention, NAMED, Rule, SPAN_NAME, To, WEAK, field, row, trusted};
use crate::genai::{Field, Kind};

const SPAN_NAMES: &[(&str, Kind)] = &[
    ("Crew *", Kind::InvokeWorkflow),
    ("Flow *", Kind::InvokeWorkflow),
    ("Task *", Kind::Task),
    ("Tool *", Kind::ExecuteTool),
    ("crewai.workflow", Kind::InvokeWorkflow),
];

pub const CREWAI: Convention = Convention {
    id: "crewai",
    scopes: &["crewai.telemetry", "opentelemetry.instrumentation.crewai*"],
    keys: &["crewai.crew.*", "crewai.agent.*", "crewai.task.*", "crew_fingerprint*", "crewai_version"],
    rules: &[
        Rule { key: SPAN_NAME, to: To::Hint(SPAN_NAMES), trust: NAMED },
        field("agent_role", Field::AgentName),
        field("flow_name", Field::AgentName),
        // A crew of one agent.
        row("crew_agents", To::Object(&[("role", To::Field(Field::AgentName))])),
        field("tool_name", Field::ToolName),
        field("llm", Field::RequestModel),
        field("model_name", Field::RequestModel),
        trusted("function_calling_llm", Field::RequestModel, WEAK),
        field("crew_inputs", Field::EntityInput),
        field("crew_output", Field::EntityOutput),
        trusted("crew_tasks_output", Field::EntityOutput, WEAK),
        field("formatted_description", Field::EntityInput),
        field("task_output", Field::EntityOutput),
        field("crewai.agent.role", Field::AgentName),
        field("crewai.agent.id", Field::AgentId),
        field("crewai.task.agent", Field::AgentName),
        field("crewai.crew.name", Field::AgentName),
        field("crewai.task.description", Field::EntityInput),
        field("crewai.crew.result", Field::EntityOutput),
        row("crewai_version", To::Spent),
        row("python_version", To::Spent),
        row("platform*", To::Spent),
        row("cpus", To::Spent),
    ],
    ..Convention::EMPTY
};
