//! MLflow Tracing: every value is JSON, words included.

use super::{Convention, NAMES_SPANS, OBSERVATIONS, Rule, STRUCTURED, To, field, row, trusted};
use crate::genai::{Field, Kind};

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

const REQUEST: u8 = 40;

pub const MLFLOW: Convention = Convention {
    id: "mlflow",
    scopes: &["mlflow*"],
    // `mlflow.trace.*` is metadata of the whole trace, wherever it stands.
    keys: &["mlflow.span*", "mlflow.chat.*", "mlflow.llm.*", "mlflow.message.format", "mlflow.traceRequestId"],
    flags: NAMES_SPANS | OBSERVATIONS,
    rules: &[
        row("mlflow.spanType", To::Kind(TYPES)),
        row("mlflow.spanInputs", To::Input),
        row("mlflow.spanOutputs", To::Output),
        Rule { key: "mlflow.chat.tokenUsage", to: To::Usage, trust: STRUCTURED },
        Rule { key: "mlflow.chat.tools", to: To::Field(Field::ToolDefinitions), trust: STRUCTURED },
        // Older versions write the model that was asked for, newer ones that which answered.
        row("mlflow.llm.model", To::Model),
        // The members of the request, each as an attribute too.
        field("model", Field::RequestModel),
        trusted("tools", Field::ToolDefinitions, REQUEST),
        trusted("instructions", Field::SystemInstructions, REQUEST),
        trusted("temperature", Field::Temperature, REQUEST),
        trusted("top_p", Field::TopP, REQUEST),
        trusted("max_tokens", Field::MaxTokens, REQUEST),
        trusted("max_completion_tokens", Field::MaxTokens, REQUEST),
        trusted("max_output_tokens", Field::MaxTokens, REQUEST),
        trusted("frequency_penalty", Field::FrequencyPenalty, REQUEST),
        trusted("presence_penalty", Field::PresencePenalty, REQUEST),
        trusted("stop", Field::StopSequences, REQUEST),
        trusted("seed", Field::Seed, REQUEST),
        trusted("n", Field::ChoiceCount, REQUEST),
        trusted("stream", Field::Stream, REQUEST),
        trusted("encoding_format", Field::EncodingFormats, REQUEST),
        // With `MLFLOW_ENABLE_OTEL_GENAI_SEMCONV`, types that OTel has no operation for.
        row("gen_ai.operation.name", To::Kind(TYPES)),
        field("mlflow.llm.provider", Field::Provider),
        row("mlflow.llm.cost", To::Cost),
        field("mlflow.trace.session", Field::SessionId),
        field("mlflow.trace.user", Field::UserId),
    ],
    ..Convention::EMPTY
};
