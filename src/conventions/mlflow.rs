//! MLflow Tracing: every value is JSON, words included.

use super::{Convention, Rule, To, field, row};
use crate::normalize::canonical::{Field, Kind};

const TYPES: &[(&str, Kind)] = &[
    ("AGENT", Kind::InvokeAgent),
    ("CHAIN", Kind::Chain),
    ("CHAT_MODEL", Kind::Chat),
    ("EMBEDDING", Kind::Embeddings),
    ("EVALUATOR", Kind::Evaluator),
    ("GUARDRAIL", Kind::Guardrail),
    ("LLM", Kind::Chat),
    ("MEMORY", Kind::SearchMemory),
    ("PARSER", Kind::Task),
    ("RERANKER", Kind::Rerank),
    ("RETRIEVER", Kind::Retrieval),
    ("TASK", Kind::Task),
    ("TOOL", Kind::ExecuteTool),
    ("UNKNOWN", Kind::Unknown),
    ("WORKFLOW", Kind::InvokeWorkflow),
];

const STRUCTURED: u8 = 55;

pub const MLFLOW: Convention = Convention {
    id: "mlflow",
    scopes: &["mlflow*"],
    // `mlflow.trace.*` is metadata of the whole trace, wherever it stands.
    keys: &["mlflow.span*", "mlflow.chat.*", "mlflow.llm.*", "mlflow.message.format", "mlflow.traceRequestId"],
    not_keys: &[],
    names_spans: true,
    rules: &[
        row("mlflow.spanType", To::Kind(TYPES)),
        row("mlflow.spanInputs", To::Input),
        row("mlflow.spanOutputs", To::Output),
        Rule { key: "mlflow.chat.tokenUsage", to: To::Usage, trust: STRUCTURED },
        Rule { key: "mlflow.chat.tools", to: To::Field(Field::ToolDefinitions), trust: STRUCTURED },
        field("mlflow.llm.model", Field::RequestModel),
        field("mlflow.llm.provider", Field::Provider),
        row("mlflow.llm.cost", To::Cost),
        field("mlflow.trace.session", Field::SessionId),
        field("mlflow.trace.user", Field::UserId),
    ],
};
