//! OTel semantic-conventions-genai 0.1.0 and, where it says otherwise, 1.41; for cost the key that OpenLIT, Langfuse and
//! Laminar read.

use super::compose::{Composed, Source};
use super::{OPERATION_KEY, Table, keys};
use crate::genai::{Canonical, Field, Kind};
use crate::json;
use crate::span::Value;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// With more variables than these a template's stay as the source has them.
const MAX_VARIABLES: usize = 128;

/// Each variable of the prompt template by its name.
fn prompt_variables<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let Some(variables) = s.c.text(Field::PromptVariables).and_then(|text| json::parse(text, s.arena)) else { return };
    if variables.entries().nth(MAX_VARIABLES).is_some() {
        return;
    }
    let origin = s.c.origin(Field::PromptVariables);
    out.say(Field::PromptVariables);
    for (at, (name, value)) in variables.entries().enumerate() {
        // JSON may name a member twice, a span its attributes once.
        if variables.entries().take(at).any(|(before, _)| before == name) {
            continue;
        }
        let text = value.text(s.arena).unwrap_or_else(|| value.to_text(s.arena));
        out.put_leaf("gen_ai.prompt.variable.", format_args!("{}", String::from_utf8_lossy(name)), Value::Str(text), origin);
    }
}

pub const TABLE: Table = Table {
    name: "otel",
    keys: keys!(&[
        (Field::Provider, &["gen_ai.provider.name"]),
        (Field::RequestModel, &["gen_ai.request.model"]),
        (Field::ResponseModel, &["gen_ai.response.model"]),
        (Field::ResponseId, &["gen_ai.response.id"]),
        (Field::FinishReasons, &["gen_ai.response.finish_reasons"]),
        (Field::Temperature, &["gen_ai.request.temperature"]),
        (Field::TopP, &["gen_ai.request.top_p"]),
        (Field::TopK, &["gen_ai.request.top_k"]),
        (Field::MaxTokens, &["gen_ai.request.max_tokens"]),
        (Field::FrequencyPenalty, &["gen_ai.request.frequency_penalty"]),
        (Field::PresencePenalty, &["gen_ai.request.presence_penalty"]),
        (Field::StopSequences, &["gen_ai.request.stop_sequences"]),
        (Field::Seed, &["gen_ai.request.seed"]),
        (Field::ChoiceCount, &["gen_ai.request.choice.count"]),
        (Field::Stream, &["gen_ai.request.stream"]),
        (Field::EncodingFormats, &["gen_ai.request.encoding_formats"]),
        (Field::ReasoningLevel, &["gen_ai.request.reasoning.level"]),
        (Field::OutputType, &["gen_ai.output.type"]),
        (Field::TimeToFirstChunk, &["gen_ai.response.time_to_first_chunk"]),
        (Field::InputTokens, &["gen_ai.usage.input_tokens"]),
        (Field::OutputTokens, &["gen_ai.usage.output_tokens"]),
        (Field::CacheReadTokens, &["gen_ai.usage.cache_read.input_tokens"]),
        (Field::CacheWriteTokens, &["gen_ai.usage.cache_write.input_tokens"]),
        (Field::ReasoningTokens, &["gen_ai.usage.reasoning.output_tokens"]),
        (Field::TextInputTokens, &["gen_ai.usage.text.input_tokens"]),
        (Field::ImageInputTokens, &["gen_ai.usage.image.input_tokens"]),
        (Field::AudioInputTokens, &["gen_ai.usage.audio.input_tokens"]),
        (Field::TextOutputTokens, &["gen_ai.usage.text.output_tokens"]),
        (Field::ImageOutputTokens, &["gen_ai.usage.image.output_tokens"]),
        (Field::AudioOutputTokens, &["gen_ai.usage.audio.output_tokens"]),
        (Field::AudioCacheReadTokens, &["gen_ai.usage.audio.cache_read.input_tokens"]),
        (Field::Cost, &["gen_ai.usage.cost"]),
        (Field::InputMessages, &["gen_ai.input.messages"]),
        (Field::OutputMessages, &["gen_ai.output.messages"]),
        (Field::SystemInstructions, &["gen_ai.system_instructions"]),
        (Field::ToolDefinitions, &["gen_ai.tool.definitions"]),
        (Field::ToolName, &["gen_ai.tool.name"]),
        (Field::ToolDescription, &["gen_ai.tool.description"]),
        (Field::ToolType, &["gen_ai.tool.type"]),
        (Field::ToolCallId, &["gen_ai.tool.call.id"]),
        (Field::ToolCallArguments, &["gen_ai.tool.call.arguments"]),
        (Field::ToolCallResult, &["gen_ai.tool.call.result"]),
        (Field::AgentId, &["gen_ai.agent.id"]),
        (Field::AgentName, &["gen_ai.agent.name"]),
        (Field::AgentDescription, &["gen_ai.agent.description"]),
        (Field::AgentVersion, &["gen_ai.agent.version"]),
        (Field::ConversationId, &["gen_ai.conversation.id"]),
        (Field::SessionId, &["session.id"]),
        (Field::UserId, &["user.id"]),
        (Field::UserName, &["user.name"]),
        (Field::RetrievalQuery, &["gen_ai.retrieval.query.text"]),
        (Field::RetrievalDocuments, &["gen_ai.retrieval.documents"]),
        (Field::RetrievalTopK, &["gen_ai.retrieval.top_k"]),
        (Field::DataSourceId, &["gen_ai.data_source.id"]),
        (Field::EmbeddingDimensions, &["gen_ai.embeddings.dimension.count"]),
        (Field::PromptName, &["gen_ai.prompt.name"]),
        (Field::PromptVersion, &["gen_ai.prompt.version"]),
        (Field::RequestServiceTier, &["openai.request.service_tier"]),
        (Field::ResponseServiceTier, &["openai.response.service_tier"]),
        (Field::SystemFingerprint, &["openai.response.system_fingerprint"]),
        (Field::PreviousResponseId, &["gen_ai.request.previous_response.id"]),
        (Field::Compacted, &["gen_ai.conversation.compacted"]),
        (Field::JsonRpcId, &["jsonrpc.request.id"]),
        (Field::Transport, &["network.transport"]),
        (Field::ServerAddress, &["server.address"]),
        (Field::ErrorType, &["error.type"]),
    ]),
    aggregated: keys!(&[
        (Field::InputTokens, &["gen_ai.aggregated_usage.input_tokens"]),
        (Field::OutputTokens, &["gen_ai.aggregated_usage.output_tokens"]),
        (Field::CacheReadTokens, &["gen_ai.aggregated_usage.cache_read.input_tokens"]),
        (Field::CacheWriteTokens, &["gen_ai.aggregated_usage.cache_write.input_tokens"]),
        (Field::ReasoningTokens, &["gen_ai.aggregated_usage.reasoning.output_tokens"]),
    ]),
    operation: Some(OPERATION_KEY),
    complete: Some(complete),
    compose: Some(prompt_variables),
    ..Table::EMPTY
};

/// Gives each message of an answer the reason why it ended: what it has itself, else the reason of the same index, else an empty text. Until 1.41 it is
/// required. In 0.1.0 it is written where the source gives a reason, since readers refuse a list that has a message without one: the models that Arize
/// Phoenix has generated from the schema.
fn with_reasons<'a>(c: &mut Canonical<'a>, required: bool, arena: &'a Bump) {
    let reasons = match c.get(Field::FinishReasons) {
        Some(Value::Array(reasons)) => reasons,
        _ if required => &[],
        _ => return,
    };
    let Some(messages) = c.text(Field::OutputMessages) else { return };
    let Some(list) = json::parse(messages, arena).filter(|list| list.is_array()) else { return };
    let mut out = BumpVec::with_capacity_in(messages.len() + 64, arena);
    out.push(b'[');
    for (i, message) in list.items().enumerate() {
        json::separate(&mut out, i);
        match message.to_text(arena) {
            [inner @ .., b'}'] if message.get("finish_reason").is_none() => {
                out.extend_from_slice_copy(inner);
                out.extend_from_slice_copy(b",\"finish_reason\":");
                json::string(reasons.get(i).and_then(|reason| reason.as_str()).unwrap_or_default(), &mut out);
                out.push(b'}');
            }
            text => out.extend_from_slice_copy(text),
        }
    }
    out.push(b']');
    if out.len() > messages.len() {
        c.reading = c.origin(Field::OutputMessages);
        c.put(Field::OutputMessages, Value::Str(out.into_bump_slice()), u8::MAX, c.source(Field::OutputMessages));
    }
}

fn complete<'a>(c: &mut Canonical<'a>, arena: &'a Bump) {
    with_reasons(c, false, arena);
}

/// 1.41 counts the documents and the tokens to choose from as doubles, and names a workflow apart.
fn complete_1_41<'a>(c: &mut Canonical<'a>, arena: &'a Bump) {
    with_reasons(c, true, arena);
    for field in [Field::TopK, Field::RetrievalTopK] {
        if let Some(count) = c.int(field) {
            c.reading = c.origin(field);
            c.put(field, Value::Double(count as f64), u8::MAX, c.source(field));
        }
    }
    if c.kind == Some(Kind::InvokeWorkflow) {
        super::derive_from(c, Field::WorkflowName, Field::AgentName);
        c.clear(Field::AgentName);
    }
}

pub const TABLE_1_41: Table = Table {
    name: "otel-1.41",
    base: Some(&TABLE),
    keys: keys!(&[
        (Field::ReasoningLevel, &[]),
        (Field::CacheWriteTokens, &["gen_ai.usage.cache_creation.input_tokens"]),
        (Field::TextInputTokens, &[]),
        (Field::ImageInputTokens, &[]),
        (Field::AudioInputTokens, &[]),
        (Field::TextOutputTokens, &[]),
        (Field::ImageOutputTokens, &[]),
        (Field::AudioOutputTokens, &[]),
        (Field::AudioCacheReadTokens, &[]),
        (Field::WorkflowName, &["gen_ai.workflow.name"]),
        (Field::RetrievalTopK, &["gen_ai.request.top_k"]),
        (Field::PromptVersion, &[]),
    ]),
    operation: Some(OPERATION_KEY),
    complete: Some(complete_1_41),
    ..Table::EMPTY
};
