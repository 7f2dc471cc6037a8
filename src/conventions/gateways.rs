//! Gateways that trace what passes through them, in OTel's names, OpenInference's or some of their own.

use super::{Convention, NAMED, Rule, SPAN_NAME, STRUCTURED, To, WEAK, field, row, trusted};
use crate::genai::{Field, Flat, Kind};

/// Against OTel's reading of the word.
const OWN_WORD: u8 = 95;

const fn messages(key: &'static str, list: Flat) -> Rule {
    Rule { key, to: To::FlatParts(list), trust: STRUCTURED }
}

/// Vercel's: no content. Its word for a ranking is that for a retrieval.
pub const VERCEL_GATEWAY: Convention = Convention {
    id: "vercel-ai-gateway",
    keys: &["vercel.ai_gateway.*"],
    resources: &[("service.name", "ai-gateway"), ("service.namespace", "vercel")],
    rules: &[
        Rule { key: "gen_ai.operation.name", to: To::Hint(&[("retrieval", Kind::Rerank)]), trust: OWN_WORD },
        field("vercel.ai_gateway.user.id", Field::UserId),
        trusted("vercel.ai_gateway.provider", Field::Provider, WEAK),
    ],
    ..Convention::EMPTY
};

/// Envoy's. Of MCP, in the words of its older spans, only the call of a tool is more than a plain span.
pub const ENVOY_GATEWAY: Convention = Convention {
    id: "envoy-ai-gateway",
    scopes: &["envoyproxy/ai-gateway"],
    rules: &[
        Rule { key: SPAN_NAME, to: To::Hint(&[("CallTool", Kind::ExecuteTool)]), trust: NAMED },
        field("gen_ai.original.model", Field::RequestModel),
        field("mcp.tool.name", Field::ToolName),
        field("mcp.request.id", Field::JsonRpcId),
        field("mcp.transport", Field::Transport),
    ],
    ..Convention::EMPTY
};

/// agentgateway: every request that it passes on has a span of this scope.
pub const AGENTGATEWAY: Convention = Convention {
    id: "agentgateway",
    scopes: &["agentgateway"],
    keys: &["agw.ai.*"],
    rules: &[
        field("agw.ai.time_to_first_token", Field::TimeToFirstChunk),
        // What users add by the examples of its documentation.
        messages("gen_ai.prompt.*", Flat::InputMessages),
        messages("gen_ai.completion.*", Flat::OutputMessages),
        messages("llm.input_messages.*", Flat::InputMessages),
        messages("llm.output_messages.*", Flat::OutputMessages),
        field("mcp.tool.arguments", Field::ToolCallArguments),
        field("mcp.tool.result", Field::ToolCallResult),
        field("a2a.context.id", Field::ConversationId),
        trusted("jwt.sub", Field::UserId, WEAK),
        row("error", To::StatusMessage),
        row("mcp.error.message", To::StatusMessage),
    ],
    ..Convention::EMPTY
};

/// Kong's: the provider's own JSON under OTel's names.
pub const KONG: Convention = Convention {
    id: "kong-ai-gateway",
    keys: &["kong.a2a.*"],
    rules: &[field("kong.a2a.context.id", Field::ConversationId)],
    ..Convention::EMPTY
};

/// Bifrost: its scopes are named after the service that it is. No operation; a model with usage or messages tells.
pub const BIFROST: Convention = Convention {
    id: "bifrost",
    keys: &[
        "bifrost.*",
        "gen_ai.fallback_index",
        "gen_ai.number_of_retries",
        "gen_ai.raw_request",
        "gen_ai.raw_response",
        "gen_ai.selected_key_*",
        "gen_ai.virtual_key_*",
    ],
    resources: &[("telemetry.sdk.name", "bifrost")],
    rules: &[
        Rule {
            key: SPAN_NAME,
            to: To::Hint(&[("speech*", Kind::GenerateContent), ("transcription*", Kind::GenerateContent)]),
            trust: NAMED,
        },
        row("gen_ai.input.text", To::InputMessages),
        row("gen_ai.input.speech", To::InputMessages),
        row("gen_ai.input.embedding", To::All(&[To::ImpliesKind(Kind::Embeddings), To::Input])),
        // The same once more, as the provider gets and gives it.
        Rule { key: "gen_ai.raw_request", to: To::InputMessages, trust: WEAK },
        Rule { key: "gen_ai.raw_response", to: To::OutputMessages, trust: WEAK },
        field("gen_ai.response.system_fingerprint", Field::SystemFingerprint),
        field("gen_ai.request.n", Field::ChoiceCount),
        field("gen_ai.request.reasoning_effort", Field::ReasoningLevel),
        field("gen_ai.responses.reasoning_effort", Field::ReasoningLevel),
        field("gen_ai.request.tools", Field::ToolDefinitions),
        field("gen_ai.responses.tools", Field::ToolDefinitions),
        field("gen_ai.request.instructions", Field::SystemInstructions),
        field("gen_ai.request.response_format", Field::OutputType),
        field("gen_ai.request.text_format_type", Field::OutputType),
        field("gen_ai.request.encoding_format", Field::EncodingFormats),
        field("gen_ai.request.dimensions", Field::EmbeddingDimensions),
        field("gen_ai.request.user", Field::UserId),
        trusted("gen_ai.request.safety_identifier", Field::UserId, WEAK),
        field("gen_ai.responses.previous_response_id", Field::PreviousResponseId),
        row("gen_ai.responses.reasoning", To::Inside(Flat::OutputMessages, "0.reasoning")),
        trusted("gen_ai.responses.temperature", Field::Temperature, WEAK),
        trusted("gen_ai.responses.top_p", Field::TopP, WEAK),
        trusted("gen_ai.responses.max_output_tokens", Field::MaxTokens, WEAK),
        field("gen_ai.error.type", Field::ErrorType),
        row("gen_ai.error", To::StatusMessage),
    ],
    ..Convention::EMPTY
};
