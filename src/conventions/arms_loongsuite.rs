//! Alibaba: ARMS, the LoongSuite agents and Higress. Its times to the first token are in nanoseconds, its `*_ref` keys hold
//! addresses of content and not content.

use super::{Convention, Rule, STRUCTURED, To, field, row};
use crate::genai::{Field, Flat, Kind};

const MS: u32 = 1_000_000;

/// What Higress' gateway logs of a call; its other members stay.
const AI_LOG: &[(&str, To)] = &[
    ("model", To::Model),
    ("input_token", To::Field(Field::InputTokens)),
    ("output_token", To::Field(Field::OutputTokens)),
    ("llm_first_token_duration", To::FirstTokenAfter(MS)),
    ("question", To::Input),
    ("answer", To::Output),
    ("session_id", To::Field(Field::SessionId)),
];

const fn flat(key: &'static str, list: Flat) -> Rule {
    Rule { key, to: To::FlatParts(list), trust: STRUCTURED }
}

pub const ARMS_LOONGSUITE: Convention = Convention {
    id: "arms-loongsuite",
    // Its agents have scopes for HTTP and databases beside these.
    scopes: &[
        "loongsuite.instrumentation.agentscope",
        "loongsuite.instrumentation.dashscope",
        "loongsuite.instrumentation.eino",
        "loongsuite.instrumentation.langchain",
        "loongsuite.instrumentation.newapi",
        "loongsuite.instrumentation.ollama",
        "loongsuite.instrumentation.openai",
    ],
    keys: &[
        "gen_ai.prompts.0.*",
        "gen_ai.completions.0.*",
        "gen_ai.user.time_to_first_token",
        "gen_ai.request.parameters",
        "gen_ai.request.tool_calls",
        "gen_ai.prompt_template.variables",
        "gen_ai.input.messages_ref",
        "gen_ai.output.messages_ref",
        "gen_ai.rerank.*",
        "gen_ai.react.*",
        "gen_ai.skill.*",
        "gen_ai.memory.*",
        "reranker.input_document",
        "reranker.output_document",
        "embedding.embedding_output",
        "ai_log",
    ],
    rules: &[
        row("gen_ai.span.kind", To::MarkIf(&["ENTRY"])),
        row("gen_ai.user.time_to_first_token", To::FirstTokenAfter(1)),
        row("gen_ai.request.parameters", To::Parameters),
        field("gen_ai.request.tool_calls", Field::ToolDefinitions),
        row("input.value", To::Input),
        row("output.value", To::Output),
        row("gen_ai.prompts", To::InputMessages),
        row("gen_ai.completions", To::OutputMessages),
        field("gen_ai.request.tool_definitions", Field::ToolDefinitions),
        flat("gen_ai.prompts.*", Flat::InputMessages),
        flat("gen_ai.completions.*", Flat::OutputMessages),
        field("gen_ai.prompt_template.template", Field::PromptTemplate),
        field("gen_ai.prompt_template.variables", Field::PromptVariables),
        field("gen_ai.prompt_template.version", Field::PromptVersion),
        field("retrieval.query", Field::RetrievalQuery),
        field("retrieval.document", Field::RetrievalDocuments),
        field("reranker.query", Field::RerankQuery),
        row("reranker.model_name", To::All(&[To::ImpliesKind(Kind::Rerank), To::Field(Field::RequestModel)])),
        field("reranker.top_k", Field::RerankTopN),
        row("embedding.model_name", To::All(&[To::ImpliesKind(Kind::Embeddings), To::Field(Field::RequestModel)])),
        row("embedding.embedding_output", To::Spent),
        field("tool.name", Field::ToolName),
        field("tool.description", Field::ToolDescription),
        row("tool.parameters", To::ToolParameters),
        row("ai_log", To::Object(AI_LOG)),
    ],
    ..Convention::EMPTY
};
