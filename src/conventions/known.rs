//! Instrumentations that are known to be LLM, of which no table stands here: their spans count for the entry, and their
//! marks are read; their other attributes stay as they are.

use super::{Convention, To, row};

pub const KNOWN: Convention = Convention {
    id: "known",
    // The list that Langfuse's exporters let through, and the SDKs' own scopes.
    scopes: &[
        "agent_framework*",
        "ai",
        "autogen-core*",
        "haystack*",
        "langsmith*",
        "litellm*",
        "@traceloop/instrumentation-*",
        "mastra*",
        "opentelemetry.instrumentation.agno*",
        "opentelemetry.instrumentation.alephalpha*",
        "opentelemetry.instrumentation.anthropic*",
        "opentelemetry.instrumentation.bedrock*",
        "opentelemetry.instrumentation.cohere*",
        "opentelemetry.instrumentation.crewai*",
        "opentelemetry.instrumentation.google_generativeai*",
        "opentelemetry.instrumentation.groq*",
        "opentelemetry.instrumentation.haystack*",
        "opentelemetry.instrumentation.langchain*",
        "opentelemetry.instrumentation.llamaindex*",
        "opentelemetry.instrumentation.mistralai*",
        "opentelemetry.instrumentation.ollama*",
        "opentelemetry.instrumentation.openai*",
        "opentelemetry.instrumentation.replicate*",
        "opentelemetry.instrumentation.sagemaker*",
        "opentelemetry.instrumentation.together*",
        "opentelemetry.instrumentation.transformers*",
        "opentelemetry.instrumentation.vertexai*",
        "opentelemetry.instrumentation.voyageai*",
        "opentelemetry.instrumentation.watsonx*",
        "opentelemetry.instrumentation.writer*",
        "pydantic-ai*",
        "strands-agents*",
    ],
    keys: &["ai.operationId", "langsmith.span.kind", "mlflow.spanType"],
    not_keys: &[],
    names_spans: false,
    rules: &[row("langsmith.metadata.gen_ai.is_entry", To::Mark), row("langsmith.metadata.gen_ai", To::MarkInside)],
};
