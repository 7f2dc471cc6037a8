//! Vercel AI SDK 3 to 6, and the legacy class of 7: `ai.*` under scope `ai`, which hosts rename. Its native class (`vercel_v7.rs`) has
//! some of the keys too, if asked to.

use super::{Convention, OWN, Rule, STRUCTURED, To, WEAK, field, row, trusted};
use crate::genai::{Field, Flat, Kind};

const OPERATIONS: &[(&str, Kind)] = &[
    ("ai.decide", Kind::Chain),
    ("ai.decide.doDecide", Kind::Decide),
    ("ai.embed", Kind::Chain),
    ("ai.embed.doEmbed", Kind::Embeddings),
    ("ai.embedMany", Kind::Chain),
    ("ai.embedMany.doEmbed", Kind::Embeddings),
    ("ai.generateObject", Kind::Chain),
    ("ai.generateObject.doGenerate", Kind::Chat),
    ("ai.generateSpeech", Kind::GenerateContent),
    ("ai.generateText", Kind::InvokeAgent),
    ("ai.generateText.doGenerate", Kind::Chat),
    ("ai.rerank", Kind::Chain),
    ("ai.rerank.doRerank", Kind::Rerank),
    ("ai.streamObject", Kind::Chain),
    ("ai.streamObject.doStream", Kind::Chat),
    ("ai.streamText", Kind::InvokeAgent),
    ("ai.streamTranscribe", Kind::GenerateContent),
    ("ai.streamText.doStream", Kind::Chat),
    ("ai.toolCall", Kind::ExecuteTool),
    ("ai.transcribe", Kind::GenerateContent),
    ("ai.workflowAgent.stream", Kind::InvokeAgent),
];

/// The spans around the calls of a model: they say the usage of their calls once more.
const ROOTS: To =
    To::Aggregate(&["ai.embed", "ai.embedMany", "ai.generateObject", "ai.generateText", "ai.rerank", "ai.streamObject", "ai.streamText"]);

/// What each provider says beside the answer. A provider's own usage is whole or tells its parts; what Anthropic's said up
/// to 4.x stands beside an input count without it.
const PROVIDER_METADATA: To = To::Object(&[
    ("anthropic.usage", To::Usage),
    ("anthropic.cacheReadInputTokens", To::CacheBeside(Field::CacheReadTokens)),
    ("anthropic.cacheCreationInputTokens", To::CacheBeside(Field::CacheWriteTokens)),
    ("bedrock.usage.cacheReadInputTokens", To::Field(Field::CacheReadTokens)),
    ("bedrock.usage.cacheWriteInputTokens", To::Field(Field::CacheWriteTokens)),
    ("bedrock.usage.cacheCreationInputTokens", To::Field(Field::CacheWriteTokens)),
    ("openai.cachedPromptTokens", To::Field(Field::CacheReadTokens)),
    ("openai.reasoningTokens", To::Field(Field::ReasoningTokens)),
    ("openai.serviceTier", To::Field(Field::ResponseServiceTier)),
    ("openai.responseId", To::Field(Field::ResponseId)),
    ("google.usageMetadata", To::Usage),
    ("openrouter.usage", To::Usage),
    // What a gateway billed.
    ("*.usage.cost", To::Field(Field::Cost)),
    ("*.cost", To::Field(Field::Cost)),
]);

/// Against `gen_ai.usage.*`, which up to 5.x says no more than Anthropic's uncached input.
const PROVIDER: u8 = 95;

const fn with(trust: u8, key: &'static str, to: To) -> Rule {
    Rule { key, to, trust }
}

const TEXT: To = To::All(&[To::Output, To::Inside(Flat::OutputMessages, "0.content")]);
const OBJECT: To = To::All(&[To::Output, To::Implies(Field::OutputType, "json"), To::Inside(Flat::OutputMessages, "0.content")]);
const CALLS: To = To::Inside(Flat::OutputMessages, "0.tool_calls");

pub const VERCEL: Convention = Convention {
    id: "vercel-ai",
    scopes: &["ai", "gen_ai"],
    keys: &["ai.operationId"],
    rules: &[
        with(STRUCTURED, "ai.operationId", To::All(&[ROOTS, To::Words(Field::Stream, &[("*.doStream", "true")]), To::Kind(OPERATIONS)])),
        // `<operation> <function>`, both of which have a key of their own.
        row("operation.name", To::All(&[To::FirstWord(&To::All(&[ROOTS, To::Kind(OPERATIONS)])), To::Spent])),
        trusted("ai.telemetry.functionId", Field::AgentName, WEAK),
        field("ai.model.id", Field::RequestModel),
        field("ai.model.provider", Field::Provider),
        field("ai.settings.maxTokens", Field::MaxTokens),
        field("ai.settings.maxOutputTokens", Field::MaxTokens),
        field("ai.settings.temperature", Field::Temperature),
        field("ai.settings.topP", Field::TopP),
        field("ai.settings.topK", Field::TopK),
        field("ai.settings.frequencyPenalty", Field::FrequencyPenalty),
        field("ai.settings.presencePenalty", Field::PresencePenalty),
        field("ai.settings.stopSequences", Field::StopSequences),
        field("ai.settings.seed", Field::Seed),
        field("ai.settings.output", Field::OutputType),
        trusted("ai.settings.context.sessionId", Field::SessionId, WEAK),
        trusted("ai.settings.context.userId", Field::UserId, WEAK),
        trusted("ai.telemetry.metadata.sessionId", Field::SessionId, WEAK),
        trusted("ai.telemetry.metadata.session_id", Field::SessionId, WEAK),
        trusted("ai.telemetry.metadata.langfuseSessionId", Field::SessionId, WEAK),
        trusted("ai.telemetry.metadata.threadId", Field::SessionId, WEAK),
        trusted("ai.telemetry.metadata.userId", Field::UserId, WEAK),
        trusted("ai.telemetry.metadata.user_id", Field::UserId, WEAK),
        trusted("ai.telemetry.metadata.langfuseUserId", Field::UserId, WEAK),
        row(
            "ai.telemetry.metadata.langfusePrompt",
            To::Object(&[("name", To::Field(Field::PromptName)), ("version", To::Field(Field::PromptVersion))]),
        ),
        // What steered the old exporter of Langfuse.
        row("ai.telemetry.metadata.langfuseTraceId", To::Spent),
        row("ai.telemetry.metadata.langfuseUpdateParent", To::Spent),
        row("ai.telemetry.metadata.gen_ai.is_entry", To::Mark),
        row("ai.request.headers.authorization", To::Drop),
        row("ai.request.headers.proxy-authorization", To::Drop),
        row("ai.request.headers.cookie", To::Drop),
        row("ai.request.headers.api-key", To::Drop),
        row("ai.request.headers.x-api-key", To::Drop),
        row("ai.request.headers.x-goog-api-key", To::Drop),
        row("ai.prompt", To::All(&[To::Input, To::InputMessages])),
        with(STRUCTURED, "ai.prompt.messages", To::InputMessages),
        trusted("ai.prompt.tools", Field::ToolDefinitions, STRUCTURED),
        // What is decided, and what is spoken.
        row("ai.decision.state", To::All(&[To::Input, To::Inside(Flat::InputMessages, "0.content")])),
        row("ai.decision.answers", OBJECT),
        row("ai.request.text", To::InputMessages),
        row("ai.response.text", TEXT),
        row("ai.response.object", OBJECT),
        row("ai.response.reasoning", To::Inside(Flat::OutputMessages, "0.reasoning")),
        row("ai.response.toolCalls", CALLS),
        row("ai.response.files", To::Inside(Flat::OutputMessages, "0.files")),
        row("ai.result.text", TEXT),
        row("ai.result.object", OBJECT),
        row("ai.result.toolCalls", CALLS),
        field("ai.response.finishReason", Field::FinishReasons),
        field("ai.finishReason", Field::FinishReasons),
        trusted("ai.response.id", Field::ResponseId, STRUCTURED),
        field("ai.response.model", Field::ResponseModel),
        row("ai.response.msToFirstChunk", To::FirstTokenAfter(1_000_000)),
        row("ai.stream.msToFirstChunk", To::FirstTokenAfter(1_000_000)),
        with(PROVIDER, "ai.response.providerMetadata", To::OfOneCall(&PROVIDER_METADATA)),
        field("ai.usage.promptTokens", Field::InputTokens),
        field("ai.usage.completionTokens", Field::OutputTokens),
        field("ai.usage.inputTokens", Field::InputTokens),
        field("ai.usage.outputTokens", Field::OutputTokens),
        field("ai.usage.tokens", Field::InputTokens),
        field("ai.usage.totalTokens", Field::TotalTokens),
        field("ai.usage.reasoningTokens", Field::ReasoningTokens),
        field("ai.usage.cachedInputTokens", Field::CacheReadTokens),
        field("ai.usage.inputTokenDetails.cacheReadTokens", Field::CacheReadTokens),
        field("ai.usage.inputTokenDetails.cacheWriteTokens", Field::CacheWriteTokens),
        with(WEAK, "ai.usage.inputTokenDetails.noCacheTokens", To::UncachedPart),
        field("ai.usage.outputTokenDetails.textTokens", Field::TextOutputTokens),
        field("ai.usage.outputTokenDetails.reasoningTokens", Field::ReasoningTokens),
        field("ai.toolCall.name", Field::ToolName),
        field("ai.toolCall.id", Field::ToolCallId),
        field("ai.toolCall.args", Field::ToolCallArguments),
        field("ai.toolCall.result", Field::ToolCallResult),
        row("ai.value", To::Input),
        row("ai.values", To::Items(&To::Input)),
        // Sentry's SDKs had the name for documents that were found: here they are what was ranked.
        with(OWN, "ai.documents", To::Keep),
        row("ai.embedding", To::Vector),
        row("ai.embeddings", To::Vector),
    ],
    ..Convention::EMPTY
};
