//! Google ADK: requests and answers in Gemini's form, as JSON under `gcp.vertex.agent.*`.

use super::{Convention, NAMED, OWN, Rule, SPAN_NAME, STRUCTURED, To, field, row, trusted, words};
use crate::genai::{Field, Flat, Kind};

/// Older versions name no operation.
const NAMES: &[(&str, Kind)] = &[
    ("agent_run *", Kind::InvokeAgent),
    ("call_llm", Kind::Chat),
    ("execute_tool *", Kind::ExecuteTool),
    ("generate_content *", Kind::GenerateContent),
    ("compact_events *", Kind::Task),
    ("invocation", Kind::InvokeWorkflow),
    ("invoke_agent *", Kind::InvokeAgent),
    ("invoke_node *", Kind::Chain),
    ("send_data", Kind::Span),
];

const REQUEST: &[(&str, To)] = &[("model", To::Field(Field::RequestModel)), ("config", To::Parameters), ("contents", To::InputMessages)];

const RESPONSE: &[(&str, To)] = &[
    ("content", To::OutputMessages),
    ("finish_reason", To::Field(Field::FinishReasons)),
    ("usage_metadata", To::Usage),
    ("model_version", To::Field(Field::ResponseModel)),
    ("partial", To::Spent),
];

/// Stands there when content is not captured.
const NOT_CAPTURED: &[&str] = &["{}", "N/A", "<not serializable>", "\"<not serializable>\"", "<not specified>"];

/// ADK's own name stands for Gemini, unless the model says otherwise. Only where `call_llm` is above `generate_content`, and says the
/// same usage, is the provider under this older key.
const SYSTEM: &[To] = &[
    To::Unless(Field::Provider, &["gcp.vertex.agent"]),
    To::Implies(Field::Provider, "gcp.gemini"),
    To::AggregateOn(&[Kind::GenerateContent]),
];

const fn object(key: &'static str, members: &'static [(&'static str, To)]) -> Rule {
    Rule { key, to: To::Object(members), trust: STRUCTURED }
}

pub const GOOGLE_ADK: Convention = Convention {
    id: "google-adk",
    scopes: &["gcp.vertex.agent"],
    keys: &["gcp.vertex.agent.*"],
    rules: &[
        Rule { key: SPAN_NAME, to: To::Hint(NAMES), trust: NAMED },
        object("gcp.vertex.agent.llm_request", REQUEST),
        object("gcp.vertex.agent.llm_response", RESPONSE),
        row("gcp.vertex.agent.tool_call_args", To::Unless(Field::ToolCallArguments, NOT_CAPTURED)),
        row("gcp.vertex.agent.tool_response", To::Unless(Field::ToolCallResult, NOT_CAPTURED)),
        // The span that merges parallel calls is no call of a tool of that name.
        Rule { key: "gen_ai.tool.name", to: To::Unless(Field::ToolName, &["(merged tools)"]), trust: OWN },
        Rule { key: "gen_ai.system", to: To::All(SYSTEM), trust: OWN },
        row("gen_ai.request.model", To::Words(Field::Provider, words::MODEL_ROWS)),
        // A plugin that traces functions of any kind.
        row("adk.fn.arg.*", To::FlatParts(Flat::Arguments)),
        field("adk.fn.return", Field::ToolCallResult),
        field("adk.fn.exc_type", Field::ErrorType),
        row("adk.fn.exc_repr", To::StatusMessage),
        field("gcp.vertex.agent.data", Field::EntityInput),
        trusted("gcp.vertex.agent.session_id", Field::SessionId, STRUCTURED),
    ],
    ..Convention::EMPTY
};
