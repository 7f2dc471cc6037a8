//! Logfire's LLM integrations: OpenAI, Anthropic and OpenAI Agents, the provider's request and answer as JSON.
//!
//! Its scope `logfire` alone is that of every span made by hand, and no evidence.

use super::{Convention, NAMED, Rule, SPAN_NAME, STRUCTURED, To, WEAK, field, row, trusted};
use crate::genai::Field;

/// `{message, usage}`, or the text of a stream.
const RESPONSE: To = To::Object(&[
    ("message", To::OutputMessages),
    ("combined_chunk_content", To::OutputMessages),
    ("usage", To::Usage),
    ("chunk_count", To::Spent),
]);

pub const LOGFIRE: Convention = Convention {
    id: "logfire",
    scopes: &["logfire.anthropic*", "logfire.openai*"],
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
        // The name of a Python class.
        row("output_type", To::Words(Field::OutputType, &[("str", "text"), ("*", "json")])),
        field("agent_name", Field::AgentName),
        trusted("workflow_name", Field::AgentName, WEAK),
    ],
    ..Convention::EMPTY
};
