//! Logfire's LLM integrations: OpenAI, Anthropic and OpenAI Agents, the provider's request and answer as JSON.
//!
//! Its scope `logfire` alone is that of every span made by hand, and no evidence.

use super::{Convention, NAMED, OWN, Rule, SPAN_NAME, STRUCTURED, To, WEAK, field, row, trusted};
use crate::genai::{Field, Kind};

/// `{message, usage}`, or the text of a stream.
const RESPONSE: To = To::Object(&[
    ("message", To::OutputMessages),
    ("combined_chunk_content", To::OutputMessages),
    ("usage", To::Usage),
    ("chunk_count", To::Spent),
]);

pub const LOGFIRE: Convention = Convention {
    id: "logfire",
    scopes: &["logfire.*"],
    keys: &["gen_ai.usage.raw", "gen_ai.usage.partial.*"],
    rules: &[
        row("request_data", To::Request),
        row("response_data", RESPONSE),
        Rule { key: "events", to: To::Exchange, trust: STRUCTURED },
        row("gen_ai.usage.partial.*", To::Keep),
        Rule { key: "gen_ai.usage.raw", to: To::All(&[To::Usage, To::Keep]), trust: WEAK },
        field("operation.cost", Field::Cost),
        // The log of a streamed answer, beside the span of its call.
        Rule { key: SPAN_NAME, to: To::Aside(&["streaming response from *"]), trust: NAMED },
        row("async", To::Spent),
        row("logfire.json_schema", To::Spent),
        // The name of a Python class, of what an agent answers with.
        row("output_type", To::Keep),
        field("agent_name", Field::AgentName),
        trusted("workflow_name", Field::AgentName, WEAK),
    ],
    ..Convention::EMPTY
};

/// The names of its spans of the OpenAI Agents SDK are templates, one for each kind of data that the SDK's spans have.
const NAMES: &[(&str, Kind)] = &[
    ("OpenAI Agents trace: *", Kind::InvokeWorkflow),
    ("Agent run: *", Kind::InvokeAgent),
    ("Function: *", Kind::ExecuteTool),
    ("Chat completion with *", Kind::Chat),
    ("Responses API*", Kind::Chat),
    ("Speech → Text with *", Kind::GenerateContent),
    ("Guardrail *", Kind::Guardrail),
    ("Handoff: *", Kind::Task),
    ("Text → Speech group*", Kind::Task),
    ("Text → Speech*", Kind::GenerateContent),
    ("MCP: list tools *", Kind::Task),
    ("Custom span: *", Kind::Task),
    ("Task: *", Kind::Task),
    ("Turn *", Kind::Chain),
];

/// Parts of a run: none of them is its root.
const ASIDE: &[&str] = &["Text → Speech group*", "MCP: list tools *", "Custom span: *", "Task: *", "Turn *"];

/// OpenAI Agents: what the SDK's spans hold, as plain attributes.
pub const LOGFIRE_AGENTS: Convention = Convention {
    id: "logfire-openai-agents",
    scopes: &["logfire.openai_agents"],
    rules: &[
        // A turn or a task counts what its calls do.
        Rule {
            key: SPAN_NAME,
            to: To::All(&[To::Hint(NAMES), To::Aside(ASIDE), To::AggregateOn(&[Kind::Chain, Kind::Task])]),
            trust: NAMED,
        },
        // The answer stands among the messages too.
        Rule { key: "request_data", to: To::All(&[To::Object(&[("messages", To::Exchange)]), To::Parameters]), trust: OWN },
        row("name", To::EntityName),
        row("input", To::Input),
        row("output", To::Output),
        row("raw_input", To::Input),
        row("response", To::Output),
        field("response_id", Field::ResponseId),
        field("group_id", Field::ConversationId),
        row("model_config", To::Parameters),
        row("usage", To::Usage),
    ],
    ..Convention::EMPTY
};
