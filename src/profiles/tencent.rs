//! Tencent Cloud LLM observability: the keys of its agents (`tapm-semconv` 2.1) and of Dify's exporter.

use super::write::Keep;
use super::{OPERATION_KEY, ServiceName, Table, derive_from, keys};
use crate::genai::{Canonical, DERIVED, Field, Kind};
use crate::json;
use crate::span::Value;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// It has no word for some; its own agents write TASK. The operation stands beside it.
fn says(kind: Kind, _: bool) -> (&'static str, bool) {
    let word = match kind.span_kind() {
        "GUARDRAIL" | "EVALUATOR" | "PROMPT" | "MEMORY" => "TASK",
        word => word,
    };
    (word, true)
}

/// It has no key for instructions: they are the first message.
pub fn system_message<'a>(c: &mut Canonical<'a>, arena: &'a Bump) {
    let Some(parts) = c.text(Field::SystemInstructions).filter(|parts| parts.starts_with(b"[")) else { return };
    // Instructions alone are not a conversation: what the user said stands elsewhere.
    let Some(messages) = c.text(Field::InputMessages) else { return };
    let Some(rest) = messages.strip_prefix(b"[").filter(|rest| !rest.starts_with(b"{\"role\":\"system\"")) else { return };
    let mut out = BumpVec::new_in(arena);
    out.extend_from_slice_copy(b"[{\"role\":\"system\",\"parts\":");
    out.extend_from_slice_copy(parts);
    out.push(b'}');
    json::separate(&mut out, usize::from(rest != b"]"));
    out.extend_from_slice_copy(rest);
    c.reading = c.origin(Field::InputMessages);
    c.clear(Field::InputMessages);
    c.derive(Field::InputMessages, Value::Str(out.into_bump_slice()));
    c.clear(Field::SystemInstructions);
}

/// Its trace view shows `gen_ai.entity.*` for every kind, and groups by `gen_ai.session.id`.
fn complete<'a>(c: &mut Canonical<'a>, arena: &'a Bump) {
    system_message(c, arena);
    for (field, sources) in [
        (Field::EntityInput, &[Field::InputMessages, Field::ToolCallArguments, Field::RetrievalQuery][..]),
        (Field::EntityOutput, &[Field::OutputMessages, Field::ToolCallResult, Field::RetrievalDocuments]),
        (Field::SessionId, &[Field::ConversationId]),
    ] {
        // A model that only calls tools may have answered with an empty text.
        if c.text(field) == Some(b"") && c.has(sources[0]) {
            c.clear(field);
        }
        if let Some(source) = sources.iter().find(|source| c.has(**source)) {
            derive_from(c, field, *source);
        }
    }
    c.reading = DERIVED;
    // Dify's readers look for one word.
    if let Some(Value::Array([reason, ..])) = c.get(Field::FinishReasons) {
        c.derive(Field::FinishReason, *reason);
    }
    if let Some(name) = c.get(Field::AgentName).filter(|_| c.kind == Some(Kind::InvokeWorkflow)) {
        c.derive(Field::WorkflowName, name);
    }
    if let Some(model) = c.get(Field::RequestModel) {
        match c.kind {
            Some(Kind::Embeddings) => c.derive(Field::EmbeddingModel, model),
            Some(Kind::Rerank) => c.derive(Field::RerankModel, model),
            _ => {}
        }
    }
}

/// Tencent's rule for `service.name`.
fn is_service_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    name.len() <= 63
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.last().is_some_and(|b| *b != b'-')
}

/// The name nearest to `name` that follows Tencent's rule.
fn to_service_name(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() && !out.is_empty() => out.push(c),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.truncate(63);
    let out = out.trim_end_matches('-');
    if out.is_empty() { "service".to_owned() } else { out.to_owned() }
}

pub const TABLE: Table = Table {
    name: "tencent",
    // The backend also reads `langfuse.*`.
    keep: Keep::All,
    endpoint: "https://your-apm-endpoint:55681/v1/traces",
    token: Some("profile tencent needs the token of your Tencent Cloud business system"),
    host_name: Some("profile tencent needs the instance: give its IP, such as \"10.0.0.8\""),
    service_name: Some(ServiceName {
        takes: is_service_name,
        nearest: to_service_name,
        form: "at most 63 lower-case letters, digits and \"-\", beginning with a letter and ending with a letter or digit",
    }),
    keys: keys!(&[
        (Field::Provider, &["gen_ai.provider.name", "gen_ai.system"]),
        (Field::RequestModel, &["gen_ai.request.model"]),
        (Field::ResponseModel, &["gen_ai.response.model"]),
        (Field::ResponseId, &["gen_ai.response.id"]),
        (Field::FinishReasons, &["gen_ai.response.finish_reasons"]),
        (Field::FinishReason, &["gen_ai.response.finish_reason"]),
        (Field::Temperature, &["gen_ai.request.temperature"]),
        (Field::TopP, &["gen_ai.request.top_p"]),
        (Field::TopK, &["gen_ai.request.top_k"]),
        (Field::MaxTokens, &["gen_ai.request.max_tokens"]),
        (Field::FrequencyPenalty, &["gen_ai.request.frequency_penalty"]),
        (Field::PresencePenalty, &["gen_ai.request.presence_penalty"]),
        (Field::StopSequences, &["gen_ai.request.stop_sequences"]),
        (Field::Seed, &["gen_ai.request.seed"]),
        (Field::ChoiceCount, &["gen_ai.request.choice.count"]),
        (Field::Stream, &["gen_ai.request.is_stream", "llm.is_streaming"]),
        (Field::TimeToFirstChunk, &["gen_ai.server.time_to_first_token"]),
        (Field::InputTokens, &["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"]),
        (Field::OutputTokens, &["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"]),
        (Field::TotalTokens, &["gen_ai.usage.total_tokens", "llm.usage.total_tokens"]),
        (Field::CacheReadTokens, &["gen_ai.usage.cache_read_input_tokens"]),
        (Field::CacheWriteTokens, &["gen_ai.usage.cache_creation_input_tokens"]),
        (Field::ReasoningTokens, &["gen_ai.usage.reasoning_tokens"]),
        (Field::InputMessages, &["gen_ai.input.messages"]),
        (Field::OutputMessages, &["gen_ai.output.messages"]),
        (Field::ToolDefinitions, &["gen_ai.tool.definitions"]),
        (Field::EntityInput, &["gen_ai.entity.input"]),
        (Field::EntityOutput, &["gen_ai.entity.output"]),
        (Field::ToolName, &["gen_ai.tool.name", "tool.name"]),
        (Field::ToolDescription, &["gen_ai.tool.description", "tool.description"]),
        (Field::ToolCallId, &["gen_ai.tool.call.id"]),
        (Field::ToolCallArguments, &["gen_ai.tool.call.arguments", "tool.parameters"]),
        (Field::ToolCallResult, &["gen_ai.tool.call.result"]),
        (Field::AgentName, &["gen_ai.agent.name"]),
        (Field::WorkflowName, &["traceloop.workflow.name"]),
        (Field::AgentDescription, &["gen_ai.agent.description"]),
        (Field::ConversationId, &["gen_ai.conversation.id"]),
        (Field::SessionId, &["gen_ai.session.id"]),
        (Field::UserId, &["gen_ai.user.id"]),
        (Field::UserName, &["gen_ai.user.name"]),
        (Field::RetrievalQuery, &["retrieval.query"]),
        (Field::RetrievalDocuments, &["retrieval.document"]),
        (Field::EmbeddingModel, &["embedding.model_name"]),
        (Field::RerankModel, &["rerank.model_name"]),
        (Field::RerankQuery, &["rerank.query"]),
        (Field::RerankTopN, &["rerank.top_n"]),
        (Field::PromptTemplate, &["gen_ai.prompt_template.template"]),
        (Field::PromptVariables, &["gen_ai.prompt_template.variable"]),
        (Field::ErrorType, &["error.type"]),
        (Field::ResponseServiceTier, &["gen_ai.openai.response.service_tier"]),
        (Field::SystemFingerprint, &["gen_ai.openai.response.system_fingerprint"]),
    ]),
    // It adds up what it finds: the usage that the children say is left to them.
    operation: Some(OPERATION_KEY),
    kind: Some(("gen_ai.span.kind", says)),
    trace: Some(["gen_ai.entity.input", "gen_ai.entity.output"]),
    complete: Some(complete),
    ..Table::EMPTY
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_names() {
        for good in ["a", "shop-agent", "a1", &"a".repeat(63)] {
            assert!(is_service_name(good), "{good}");
        }
        for bad in ["", "1a", "-a", "a-", "A", "a_b", "a.b", "深圳", &"a".repeat(64)] {
            assert!(!is_service_name(bad), "{bad}");
            assert!(is_service_name(&to_service_name(bad)), "{bad}");
        }
        assert_eq!(to_service_name("unknown_service:node"), "unknown-service-node");
    }
}
