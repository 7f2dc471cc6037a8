//! Haystack's own tracer: pipelines and their components, named by their Python class.

use super::{Convention, NAMED, Rule, SPAN_NAME, To, field, row};
use crate::genai::{Field, Kind};

/// The first that fits.
const COMPONENTS: &[(&str, Kind)] = &[
    ("*ChatGenerator", Kind::Chat),
    ("*Generator", Kind::TextCompletion),
    ("*Retriever", Kind::Retrieval),
    ("*Embedder", Kind::Embeddings),
    ("*Ranker", Kind::Rerank),
    ("Agent", Kind::InvokeAgent),
    ("ToolInvoker", Kind::ExecuteTool),
    ("*PromptBuilder", Kind::Prompt),
    ("*", Kind::Chain),
];

const SPAN_NAMES: &[(&str, Kind)] = &[
    ("*haystack.pipeline.run", Kind::InvokeWorkflow),
    ("haystack.agent.run", Kind::InvokeAgent),
    ("haystack.agent.step", Kind::Chain),
    ("haystack.agent.step.llm", Kind::Chat),
    ("haystack.agent.step.tool", Kind::ExecuteTool),
];

pub const HAYSTACK: Convention = Convention {
    id: "haystack",
    scopes: &["haystack*", "opentelemetry.instrumentation.haystack*"],
    keys: &["haystack.pipeline.*", "haystack.component.*", "haystack.agent.*"],
    rules: &[
        Rule { key: SPAN_NAME, to: To::All(&[To::Hint(SPAN_NAMES), To::Aside(&["haystack.tracing*"])]), trust: NAMED },
        row("haystack.component.type", To::Hint(COMPONENTS)),
        row("haystack.pipeline.input_data", To::Input),
        row("haystack.pipeline.output_data", To::Output),
        row("haystack.component.input", To::Input),
        row("haystack.component.output", To::Output),
        row("haystack.agent.input", To::Input),
        row("haystack.agent.output", To::Output),
        field("haystack.agent.tools", Field::ToolDefinitions),
        row("haystack.agent.step.llm.input", To::Input),
        row("haystack.agent.step.llm.output", To::Output),
        row("haystack.agent.step.tool.input", To::Input),
        row("haystack.agent.step.tool.output", To::Output),
        field("haystack.tool.name", Field::ToolName),
        field("haystack.tool.description", Field::ToolDescription),
        row("haystack.component.input_types", To::Spent),
        row("haystack.component.input_spec", To::Spent),
        row("haystack.component.output_spec", To::Spent),
        row("haystack.component.visits", To::Spent),
    ],
    ..Convention::EMPTY
};
