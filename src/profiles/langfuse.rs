//! Langfuse: the attributes of its SDKs, which its OTLP endpoint reads first. Messages in ChatML, usage in exclusive buckets.

use super::compose::{self, Composed, PARAMETERS, Source};
use super::{Table, keys};
use crate::conventions::langfuse::TYPES;
use crate::json;
use crate::normalize::canonical::{Canonical, DERIVED, Field, Kind};
use crate::normalize::scalar;
use crate::span::{Value, status};
use bumpalo::collections::Vec as BumpVec;

/// The type of observation, and whether it tells the kind back.
fn says(kind: Kind) -> (&'static str, bool) {
    let known = TYPES.iter().rfind(|(_, known)| *known == kind);
    let word = match kind {
        Kind::GenerateContent | Kind::TextCompletion | Kind::FetchResponse => "generation",
        Kind::CreateAgent | Kind::Plan => "agent",
        Kind::InvokeWorkflow => "chain",
        kind if kind.span_kind() == "MEMORY" => "retriever",
        _ => "span",
    };
    // Where OTel has no word either, the source's own stays.
    known.map_or((word, false), |(word, _)| (word, !kind.operation().is_empty()))
}

/// Langfuse's buckets hold what no other bucket holds, so that they add up.
const BUCKETS: &[(&str, Field, &[Field])] = &[
    ("input", Field::InputTokens, &[Field::CacheReadTokens, Field::CacheWriteTokens, Field::AudioInputTokens]),
    ("output", Field::OutputTokens, &[Field::ReasoningTokens, Field::AudioOutputTokens]),
    ("total", Field::TotalTokens, &[]),
    ("input_cached_tokens", Field::CacheReadTokens, &[]),
    ("input_cache_creation", Field::CacheWriteTokens, &[]),
    ("input_audio_tokens", Field::AudioInputTokens, &[]),
    ("output_reasoning_tokens", Field::ReasoningTokens, &[]),
    ("output_audio_tokens", Field::AudioOutputTokens, &[]),
];

fn usage<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let mut text = BumpVec::new_in(s.arena);
    for (name, field, without) in BUCKETS {
        let Some(count) = s.c.int(*field) else { continue };
        let parts = without.iter().filter_map(|part| s.c.int(*part)).fold(0, i64::saturating_add);
        text.push(if text.is_empty() { b'{' } else { b',' });
        json::string(name.as_bytes(), &mut text);
        text.push(b':');
        scalar::write_json(Value::Int(count.saturating_sub(parts).max(0)), &mut text);
        out.say(*field);
    }
    if !text.is_empty() {
        text.push(b'}');
        let origin = compose::origin(s.c, &[Field::InputTokens, Field::OutputTokens]);
        out.put_text("langfuse.observation.usage_details", text.into_bump_slice(), origin);
    }
}

/// What went in: of a model, its messages, and its tools beside them.
fn input<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    const KEY: &str = "langfuse.observation.input";
    let c = s.c;
    // Elsewhere the input is that of the span itself, whatever its shape.
    let of_model = c.kind.is_some_and(Kind::is_generation);
    if let Some(chat) = compose::chat(c, Field::InputMessages, s.arena) {
        if of_model {
            out.say(Field::InputMessages);
            out.say(Field::SystemInstructions);
            out.say(Field::ToolDefinitions);
        }
        let tools = c.text(Field::ToolDefinitions).and_then(|text| json::parse(text, s.arena)).filter(|tools| tools.is_array());
        let text = match tools {
            None => chat.list(),
            Some(tools) => {
                let mut text = BumpVec::new_in(s.arena);
                text.extend_from_slice_copy(b"{\"messages\":");
                text.extend_from_slice_copy(chat.list());
                text.extend_from_slice_copy(b",\"tools\":[");
                for (i, tool) in tools.items().enumerate() {
                    json::separate(&mut text, i);
                    text.extend_from_slice_copy(compose::function(tool, s.arena));
                }
                text.extend_from_slice_copy(b"]}");
                text.into_bump_slice()
            }
        };
        return out.put_text(KEY, text, compose::origin(c, &[Field::InputMessages, Field::SystemInstructions]));
    }
    let fields = [Field::ToolCallArguments, Field::RetrievalQuery, Field::RerankQuery, Field::EntityInput];
    if let Some(field) = fields.into_iter().find(|field| c.has(*field)) {
        out.put_field(c, KEY, field);
    }
}

fn output<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    const KEY: &str = "langfuse.observation.output";
    let c = s.c;
    if let Some(chat) = compose::chat(c, Field::OutputMessages, s.arena) {
        if c.kind.is_some_and(Kind::is_generation) {
            out.say(Field::OutputMessages);
        }
        return out.put_text(KEY, chat.answer(), c.origin(Field::OutputMessages));
    }
    let fields = [Field::ToolCallResult, Field::RetrievalDocuments, Field::EntityOutput];
    if let Some(field) = fields.into_iter().find(|field| c.has(*field)) {
        out.put_field(c, KEY, field);
    }
}

/// Langfuse shows one model: the one that answered. The one that was asked for, if it is another, is a parameter.
fn model<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let c = s.c;
    let asks = c.kind.is_some_and(|kind| kind.is_generation() || matches!(kind, Kind::Embeddings | Kind::Rerank));
    let (asked, answered) = (c.get(Field::RequestModel), c.get(Field::ResponseModel));
    let mut parameters = vec![];
    if let Some(model) = answered.or(asked).filter(|_| asks) {
        let field = if answered.is_some() { Field::ResponseModel } else { Field::RequestModel };
        out.put("langfuse.observation.model.name", model, c.origin(field));
        out.say(field);
        if asked.is_some() && asked != Some(model) {
            parameters.push(("model", Field::RequestModel));
        }
        out.say(Field::RequestModel);
    }
    parameters.extend_from_slice(PARAMETERS);
    if let Some(text) = compose::object(s, &parameters, out) {
        let origin = compose::origin(c, &parameters.iter().map(|(_, field)| *field).collect::<Vec<_>>());
        out.put_text("langfuse.observation.model.parameters", text, origin);
    }
}

fn compose<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let c = s.c;
    model(s, out);
    if !c.aggregated {
        usage(s, out);
        if let Some(text) = compose::object(s, &[("total", Field::Cost)], out) {
            out.put_text("langfuse.observation.cost_details", text, c.origin(Field::Cost));
        }
    }
    if let Some(time) = compose::first_chunk(s) {
        let text = s.arena.alloc_str(&scalar::iso_8601(time));
        out.put_text("langfuse.observation.completion_start_time", text.as_bytes(), c.origin(Field::TimeToFirstChunk));
        out.say(Field::TimeToFirstChunk);
    }
    input(s, out);
    output(s, out);
    // It is a number there.
    if let Some(version) = c.text(Field::PromptVersion) {
        let number = std::str::from_utf8(version).ok().and_then(|text| text.parse().ok());
        let origin = c.origin(Field::PromptVersion);
        out.put("langfuse.observation.prompt.version", number.map_or(Value::Str(version), Value::Int), origin);
        out.say(Field::PromptVersion);
    }
    if c.failed || s.span.status_code == status::ERROR {
        out.put_text("langfuse.observation.level", b"ERROR", DERIVED);
        let message = if s.span.status_message.is_empty() { c.status_message } else { s.span.status_message };
        if !message.is_empty() {
            out.put_text("langfuse.observation.status_message", message, DERIVED);
        }
    }
    name(c, out);
}

/// The name of an observation is that of its tool or its agent.
fn name<'a>(c: &Canonical<'a>, out: &mut Composed<'a>) {
    let field = match c.kind {
        Some(Kind::ExecuteTool) => Field::ToolName,
        Some(Kind::InvokeAgent | Kind::CreateAgent | Kind::InvokeWorkflow) => Field::AgentName,
        _ => return,
    };
    if let Some(name) = c.text(field) {
        out.name = Some(name);
        // Of a workflow nothing is read from the name: it is not told from a chain.
        if c.kind != Some(Kind::InvokeWorkflow) {
            out.say(field);
        }
    }
}

pub const TABLE: Table = Table {
    keys: keys!(&[
        (Field::Provider, &["langfuse.observation.metadata.ls_provider"]),
        (Field::ResponseId, &["langfuse.observation.metadata.response_id"]),
        (Field::ToolCallId, &["langfuse.observation.metadata.tool_call_id"]),
        (Field::SessionId, &["session.id"]),
        (Field::UserId, &["user.id"]),
        (Field::PromptName, &["langfuse.observation.prompt.name"]),
    ]),
    entry: "langfuse.observation.metadata.gen_ai.is_entry",
    operation: None,
    kind: Some(("langfuse.observation.type", says)),
    objects: &["langfuse.observation.model.parameters", "langfuse.observation.usage_details", "langfuse.observation.cost_details"],
    complete: Some(super::conversation_is_session),
    compose: Some(compose),
    ..Table::EMPTY
};
