//! LangSmith's OTel export: Python and JS SDKs, and applications that write the keys that LangSmith reads.

use super::{ALWAYS_OK, Convention, NAMES_SPANS, OBSERVATIONS, OWN, Root, Rule, STRUCTURED, To, WEAK, field, row, trusted};
use crate::genai::{Field, Kind};

const RUN_TYPES: &[(&str, Kind)] = &[
    ("chain", Kind::Chain),
    ("embedding", Kind::Embeddings),
    ("llm", Kind::Chat),
    ("parser", Kind::Task),
    ("prompt", Kind::Prompt),
    ("retriever", Kind::Retrieval),
    ("tool", Kind::ExecuteTool),
];

const LS_MODEL_TYPES: &[(&str, Kind)] = &[("chat", Kind::Chat), ("llm", Kind::TextCompletion)];

/// Python's `repr` of a dict.
const INPUT_DETAILS: To = To::Object(&[
    ("cache_read", To::Field(Field::CacheReadTokens)),
    ("cache_creation", To::Field(Field::CacheWriteTokens)),
    ("audio", To::Field(Field::AudioInputTokens)),
]);
const OUTPUT_DETAILS: To = To::Object(&[("reasoning", To::Field(Field::ReasoningTokens)), ("audio", To::Field(Field::AudioOutputTokens))]);

/// What LangChain itself reports, against what the exporter guesses from the model's name (`gen_ai.system`).
const LANGCHAIN: u8 = 75;

pub const LANGSMITH: Convention = Convention {
    id: "langsmith",
    scopes: &["langsmith*"],
    // Metadata, tags and the project's names are written on spans of any library that LangSmith shall show.
    keys: &["langsmith.span.*", "langsmith.usage_metadata", "langsmith.is_root", "langsmith.root_span", "langsmith.request.*"],
    not_keys: &["langsmith.span.tags"],
    resources: &[],
    flags: NAMES_SPANS | ALWAYS_OK | OBSERVATIONS,
    roots: &[("langsmith.is_root", Root::Bool), ("langsmith.root_span", Root::Bool), ("langsmith.span.dotted_order", Root::WithoutDot)],
    rules: &[
        // It says `embeddings` under OTel's key for a retriever.
        Rule { key: "langsmith.span.kind", to: To::Kind(RUN_TYPES), trust: OWN },
        // Guessed from the type; a prompt is no `chat`.
        row("gen_ai.operation.name", To::Spent),
        // Inputs and outputs of a run of any type, not of a model only.
        Rule { key: "gen_ai.prompt", to: To::Input, trust: OWN },
        Rule { key: "gen_ai.completion", to: To::RunOutput, trust: OWN },
        trusted("langsmith.metadata.ls_provider", Field::Provider, LANGCHAIN),
        field("langsmith.metadata.ls_model_name", Field::RequestModel),
        Rule { key: "langsmith.metadata.ls_model_type", to: To::Kind(LS_MODEL_TYPES), trust: WEAK },
        field("langsmith.metadata.ls_temperature", Field::Temperature),
        field("langsmith.metadata.ls_max_tokens", Field::MaxTokens),
        field("langsmith.metadata.ls_stop", Field::StopSequences),
        row("langsmith.metadata.ls_invocation_params", To::Parameters),
        // `langsmith.trace.session_id` is no session: it is the project.
        field("langsmith.metadata.session_id", Field::ConversationId),
        field("langsmith.metadata.thread_id", Field::ConversationId),
        field("langsmith.metadata.conversation_id", Field::ConversationId),
        field("langsmith.metadata.user_id", Field::UserId),
        // The metadata of the Vercel SDK, moved.
        trusted("langsmith.metadata.userId", Field::UserId, WEAK),
        trusted("langsmith.metadata.sessionId", Field::ConversationId, WEAK),
        trusted("langsmith.metadata.threadId", Field::ConversationId, WEAK),
        Rule { key: "langsmith.usage_metadata", to: To::Usage, trust: STRUCTURED },
        Rule { key: "langsmith.metadata.usage_metadata", to: To::Usage, trust: WEAK },
        // A sequence's are those of its model.
        row("gen_ai.usage.input_tokens", To::AggregateOn(&[Kind::Chain])),
        row("gen_ai.usage.output_tokens", To::AggregateOn(&[Kind::Chain])),
        row("gen_ai.usage.input_token_details", INPUT_DETAILS),
        row("gen_ai.usage.output_token_details", OUTPUT_DETAILS),
        field("gen_ai.response.service_tier", Field::ResponseServiceTier),
        field("gen_ai.response.system_fingerprint", Field::SystemFingerprint),
        field("langsmith.request.streaming", Field::Stream),
        // They may hold keys of the provider.
        row("langsmith.request.headers", To::Drop),
        row("langsmith.traceable", To::Spent),
        row("langsmith.metadata.gen_ai.is_entry", To::Mark),
        row("langsmith.metadata.gen_ai", To::MarkInside),
    ],
};
