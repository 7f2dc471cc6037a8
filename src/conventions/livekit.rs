//! LiveKit Agents: the voice pipeline. From 1.7.0 on content stands under `lk.pii.*`; the keys below it stayed the same.

use super::{Convention, NAMED, Rule, SPAN_NAME, STRUCTURED, To, WEAK, field, row, trusted};
use crate::genai::{Field, Flat, Kind};

const NAMES: &[(&str, Kind)] = &[
    ("agent_session", Kind::InvokeWorkflow),
    ("agent_speaking", Kind::Span),
    ("agent_turn", Kind::InvokeAgent),
    ("assistant_turn", Kind::InvokeAgent),
    ("eou_detection", Kind::Task),
    ("function_tool", Kind::ExecuteTool),
    ("llm_fallback_adapter", Kind::Chain),
    ("llm_node", Kind::Chain),
    ("llm_request", Kind::Chat),
    ("llm_request_run", Kind::Chat),
    ("realtime_assistant_turn", Kind::Chat),
    ("start_agent_activity", Kind::Span),
    ("tts_node", Kind::Chain),
    ("tts_request", Kind::GenerateContent),
    ("tts_request_run", Kind::Span),
    ("user_speaking", Kind::Span),
    ("user_turn", Kind::Chain),
];

/// They wrap a request, or are one attempt at it.
const REPEAT: &[&str] = &["llm_node", "llm_fallback_adapter", "llm_request_run"];

const LLM_METRICS: &[(&str, To)] = &[
    ("prompt_tokens", To::Field(Field::InputTokens)),
    ("completion_tokens", To::Field(Field::OutputTokens)),
    ("prompt_cached_tokens", To::Field(Field::CacheReadTokens)),
    ("total_tokens", To::Field(Field::TotalTokens)),
    ("ttft", To::Field(Field::TimeToFirstChunk)),
    ("metadata.model_name", To::Field(Field::RequestModel)),
    ("metadata.model_provider", To::Field(Field::Provider)),
];

const REALTIME_METRICS: &[(&str, To)] = &[
    ("input_tokens", To::Field(Field::InputTokens)),
    ("output_tokens", To::Field(Field::OutputTokens)),
    ("prompt_tokens", To::Field(Field::InputTokens)),
    ("completion_tokens", To::Field(Field::OutputTokens)),
    ("prompt_cached_tokens", To::Field(Field::CacheReadTokens)),
    ("total_tokens", To::Field(Field::TotalTokens)),
    ("input_token_details.cached_tokens", To::Field(Field::CacheReadTokens)),
    ("input_token_details.text_tokens", To::Field(Field::TextInputTokens)),
    ("input_token_details.image_tokens", To::Field(Field::ImageInputTokens)),
    ("input_token_details.audio_tokens", To::Field(Field::AudioInputTokens)),
    ("output_token_details.text_tokens", To::Field(Field::TextOutputTokens)),
    ("output_token_details.image_tokens", To::Field(Field::ImageOutputTokens)),
    ("output_token_details.audio_tokens", To::Field(Field::AudioOutputTokens)),
    ("ttft", To::Field(Field::TimeToFirstChunk)),
    ("metadata.model_name", To::Field(Field::RequestModel)),
    ("metadata.model_provider", To::Field(Field::Provider)),
];

/// The answer is the output of the node, and the text of its one message.
const ANSWER: To = To::All(&[To::Output, To::Inside(Flat::OutputMessages, "0.content")]);
const CALLS: To = To::Inside(Flat::OutputMessages, "0.tool_calls");

const fn structured(key: &'static str, to: To) -> Rule {
    Rule { key, to, trust: STRUCTURED }
}

pub const LIVEKIT: Convention = Convention {
    id: "livekit",
    scopes: &["livekit-agents"],
    keys: &["lk.*"],
    rules: &[
        Rule { key: SPAN_NAME, to: To::All(&[To::Hint(NAMES), To::Aggregate(REPEAT)]), trust: NAMED },
        field("lk.pii.user_input", Field::EntityInput),
        field("lk.user_input", Field::EntityInput),
        field("lk.pii.instructions", Field::SystemInstructions),
        field("lk.instructions", Field::SystemInstructions),
        structured("lk.pii.chat_ctx", To::InputMessages),
        structured("lk.chat_ctx", To::InputMessages),
        row("lk.pii.response.text", ANSWER),
        row("lk.response.text", ANSWER),
        row("lk.pii.response.function_calls", CALLS),
        row("lk.response.function_calls", CALLS),
        field("lk.function_tool.name", Field::ToolName),
        field("lk.function_tool.id", Field::ToolCallId),
        field("lk.pii.function_tool.arguments", Field::ToolCallArguments),
        field("lk.function_tool.arguments", Field::ToolCallArguments),
        field("lk.pii.function_tool.output", Field::ToolCallResult),
        field("lk.function_tool.output", Field::ToolCallResult),
        row("lk.function_tool.is_error", To::Failed(&["true", "True"])),
        field("lk.response.ttft", Field::TimeToFirstChunk),
        field("lk.pii.input_text", Field::EntityInput),
        field("lk.input_text", Field::EntityInput),
        field("lk.pii.user_transcript", Field::EntityOutput),
        field("lk.user_transcript", Field::EntityOutput),
        field("lk.pii.participant_identity", Field::UserId),
        field("lk.participant_identity", Field::UserId),
        field("lk.pii.room_name", Field::ConversationId),
        field("lk.room_name", Field::ConversationId),
        field("lk.agent_name", Field::AgentName),
        trusted("lk.agent_label", Field::AgentName, WEAK),
        Rule { key: "lk.llm_metrics", to: To::Object(LLM_METRICS), trust: WEAK },
        Rule { key: "lk.realtime_model_metrics", to: To::Object(REALTIME_METRICS), trust: WEAK },
        row("lk.tts_metrics", To::Implies(Field::OutputType, "speech")),
    ],
    ..Convention::EMPTY
};
