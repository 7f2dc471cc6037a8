//! Mastra (`@mastra/otel-exporter`): OTel's names on models and tools, `mastra.*` on the other 27 types of span.

use super::{Convention, Rule, STRUCTURED, To, WEAK, field, row, trusted};
use crate::genai::{Field, Flat, Kind};

const TYPES: &[(&str, Kind)] = &[
    ("agent_run", Kind::InvokeAgent),
    ("agent_signal", Kind::Span),
    ("client_tool_call", Kind::ExecuteTool),
    ("generic", Kind::Span),
    ("graph_action", Kind::Task),
    // The name of `model_generation` in older versions.
    ("llm_generation", Kind::Chat),
    ("mapping", Kind::Span),
    ("mcp_tool_call", Kind::ExecuteTool),
    ("memory_operation", Kind::SearchMemory),
    // The call, up to the release that has `model_inference` below it.
    ("model_generation", Kind::Chat),
    ("model_inference", Kind::Chat),
    ("model_step", Kind::Chain),
    ("processor_run", Kind::Guardrail),
    ("provider_tool_call", Kind::ExecuteTool),
    ("rag_action", Kind::Task),
    ("rag_embedding", Kind::Embeddings),
    ("rag_ingestion", Kind::Chain),
    ("rag_vector_operation", Kind::Retrieval),
    ("scorer_run", Kind::Evaluator),
    ("scorer_step", Kind::Evaluator),
    ("skill_action", Kind::Task),
    ("skill_resolution", Kind::Task),
    ("tool_call", Kind::ExecuteTool),
    ("workflow_conditional", Kind::Task),
    ("workflow_conditional_eval", Kind::Task),
    ("workflow_loop", Kind::Task),
    ("workflow_parallel", Kind::Task),
    ("workflow_run", Kind::InvokeWorkflow),
    ("workflow_sleep", Kind::Span),
    ("workflow_step", Kind::Task),
    ("workflow_wait_event", Kind::Span),
    ("workspace_action", Kind::ExecuteTool),
];

/// `{text, reasoningText, toolCalls, files}`.
const ANSWER: To = To::All(&[
    To::Output,
    To::Object(&[
        ("text", To::Inside(Flat::OutputMessages, "0.content")),
        ("reasoningText", To::Inside(Flat::OutputMessages, "0.reasoning")),
        ("toolCalls", To::Inside(Flat::OutputMessages, "0.tool_calls")),
        ("files", To::Inside(Flat::OutputMessages, "0.files")),
    ]),
]);

/// Beside what names no model, or the call does better.
const MODEL: &[(&str, To)] = &[("modelId", To::Field(Field::RequestModel)), ("modelProvider", To::Field(Field::Provider))];

/// The rows, and for each type of span the rows of its content.
macro_rules! with_content {
    ($rows:tt $($ty:literal)*) => { with_content!(@ $rows $($ty)*) };
    (@ [$($row:expr,)*] $($ty:literal)*) => {
        &[
            $($row,)*
            $(row(concat!("mastra.", $ty, ".input"), To::Input), row(concat!("mastra.", $ty, ".output"), To::Output),)*
        ]
    };
}

pub const MASTRA: Convention =
    Convention { id: "mastra", scopes: &["mastra*", "@mastra/*"], keys: &["mastra.span.type"], rules: RULES, ..Convention::EMPTY };

const RULES: &[Rule] = with_content!(
    [
        // A step is one call of its generation, whose usage holds that of all.
        Rule { key: "mastra.span.type", to: To::All(&[To::Aggregate(&["model_step"]), To::Wrapper(&["model_generation"]), To::Kind(TYPES)]), trust: STRUCTURED },
        row("mastra.completion_start_time", To::FirstTokenAt),
        field("mastra.metadata.threadId", Field::ConversationId),
        field("mastra.metadata.sessionId", Field::SessionId),
        field("mastra.metadata.userId", Field::UserId),
        // Whose memory it is: a user, unless the application says who else.
        trusted("mastra.metadata.resourceId", Field::UserId, WEAK),
        row("mastra.agent_run.input", To::All(&[To::Input, To::InputMessages])),
        row("mastra.agent_run.output", ANSWER),
        row("mastra.model_generation.input", To::Input),
        row("mastra.model_generation.output", ANSWER),
        row("mastra.model_step.input", To::Input),
        row("mastra.model_step.output", ANSWER),
        row("mastra.metadata.modelMetadata", To::Object(MODEL)),
        row("mastra.metadata.gen_ai.is_entry", To::Mark),
    ]
    "agent_signal" "client_tool_call" "generic" "graph_action" "llm_generation" "mapping" "mcp_tool_call" "memory_operation"
    "model_chunk" "model_inference" "processor_run" "provider_tool_call" "rag_action" "rag_embedding"
    "rag_ingestion" "rag_vector_operation" "scorer_run" "scorer_step" "skill_action" "skill_resolution" "tool_call"
    "workflow_conditional" "workflow_conditional_eval" "workflow_loop" "workflow_parallel" "workflow_run" "workflow_sleep"
    "workflow_step" "workflow_wait_event" "workspace_action"
);
