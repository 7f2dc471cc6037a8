//! OpenInference, for Phoenix and Arize: lists are spread over indexed keys, parameters are one JSON object.

use super::compose::{self, Composed, PARAMETERS, Plain, Source};
use super::{Table, keys};
use crate::conventions::openinference::KINDS;
use crate::genai::{Field, Kind};
use crate::json::{self, Json};
use crate::span::Value;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// The span kind, and whether it tells the kind back.
fn says(kind: Kind) -> (&'static str, bool) {
    let known = KINDS.iter().find(|(_, known)| *known == kind);
    let word = match kind.span_kind() {
        "MEMORY" => "RETRIEVER",
        "WORKFLOW" | "TASK" | "" => "CHAIN",
        word => word,
    };
    // Where OTel has no word either, the source's own stays.
    known.map_or((word, false), |(word, _)| (word, !kind.operation().is_empty()))
}

const INPUT_MESSAGES: &str = "llm.input_messages.";
const OUTPUT_MESSAGES: &str = "llm.output_messages.";
const TOOLS: &str = "llm.tools.";
const DOCUMENTS: &str = "retrieval.documents.";
const TEXTS: &str = "embedding.embeddings.";

/// Spreads messages over indexed keys.
struct Messages<'c, 'a> {
    list: &'static str,
    count: usize,
    origin: u16,
    out: &'c mut Composed<'a>,
    arena: &'a Bump,
    /// Nothing was lost or moved.
    whole: bool,
}

impl<'a> Messages<'_, 'a> {
    fn leaf(&mut self, name: &str, value: Json<'a>) {
        let text = value.text(self.arena).unwrap_or_else(|| value.to_text(self.arena));
        self.text(name, text);
    }

    fn text(&mut self, name: &str, text: &'a [u8]) {
        self.out.put_leaf(self.list, format_args!("{}.message.{name}", self.count), Value::Str(text), self.origin);
    }

    fn message(&mut self, m: Json<'a>) {
        if let Some(results) = compose::results(m, self.arena) {
            for result in results {
                self.text("role", b"tool");
                if let Some(id) = result.get("id") {
                    self.leaf("tool_call_id", id);
                }
                if let Some(response) = result.get("response") {
                    // It is text there.
                    self.whole &= response.is_string();
                    self.leaf("content", response);
                }
                self.count += 1;
            }
            return;
        }
        if let Some(role) = m.get("role") {
            self.leaf("role", role);
        }
        if let Some(name) = m.get("name") {
            self.leaf("name", name);
        }
        match Plain::new(m, self.arena) {
            Some(Plain { reasoning: None, text, calls }) => {
                if let Some(text) = text {
                    self.leaf("content", text);
                }
                self.calls(&calls);
            }
            _ => self.parts(m),
        }
        self.count += 1;
    }

    fn calls(&mut self, calls: &[Json<'a>]) {
        for (k, call) in calls.iter().enumerate() {
            for (name, member) in [("id", "id"), ("function.name", "name")] {
                if let Some(value) = call.get(member) {
                    self.leaf(&format!("tool_calls.{k}.tool_call.{name}"), value);
                }
            }
            if let Some(arguments) = compose::arguments(*call, self.arena) {
                self.text(&format!("tool_calls.{k}.tool_call.function.arguments"), arguments);
            }
        }
    }

    /// Several contents, then the calls.
    fn parts(&mut self, m: Json<'a>) {
        let mut calls = BumpVec::new_in(self.arena);
        let mut j = 0;
        for part in m.get("parts").into_iter().flat_map(|parts| parts.items()) {
            let kind = compose::part_type(part);
            if kind == b"tool_call" {
                calls.push(part);
                continue;
            }
            // A content after a call stands before it then.
            self.whole &= calls.is_empty();
            let members: &[(&str, &str)] = match kind {
                b"text" => &[("text", "content")],
                b"reasoning" => &[
                    ("text", "content"),
                    ("id", "id"),
                    ("signature", "signature"),
                    ("data", "data"),
                    ("encrypted_content", "encrypted_content"),
                ],
                b"uri" | b"blob" => {
                    self.whole &= self.media(part, j);
                    j += 1;
                    continue;
                }
                _ => {
                    self.whole = false;
                    continue;
                }
            };
            self.text(&format!("contents.{j}.message_content.type"), kind);
            for (name, member) in members {
                if let Some(value) = part.get(member) {
                    self.leaf(&format!("contents.{j}.message_content.{name}"), value);
                }
            }
            j += 1;
        }
        self.calls(&calls);
    }

    /// An image or a sound by its URL; whether it is one of them.
    fn media(&mut self, part: Json<'a>, j: usize) -> bool {
        let modality = part.get("modality").and_then(|m| m.word()).unwrap_or_default();
        let (Some(source), Ok(modality @ ("image" | "audio"))) = (part.any(&["uri", "content"]), std::str::from_utf8(modality)) else {
            return false;
        };
        self.text(&format!("contents.{j}.message_content.type"), modality.as_bytes());
        let url = format!("contents.{j}.message_content.{modality}.{modality}.url");
        let text = source.text(self.arena).unwrap_or_default();
        if part.get("uri").is_some() {
            self.text(&url, text);
            return part.get("mime_type").is_none();
        }
        let mime = part.get("mime_type").and_then(|mime| mime.word());
        let data = [b"data:", mime.unwrap_or(b"application/octet-stream"), b";base64,", text].concat();
        self.text(&url, self.arena.alloc_slice_copy(&data));
        mime.is_some()
    }
}

fn messages<'a>(s: &Source<'_, 'a>, field: Field, list: &'static str, out: &mut Composed<'a>) {
    let parsed = |field| s.c.text(field).and_then(|text| json::parse(text, s.arena)).filter(|j: &Json| j.is_array());
    let instructions = parsed(Field::SystemInstructions).filter(|_| field == Field::InputMessages);
    let mut spread = Messages { list, count: 0, origin: s.c.origin(field), out, arena: s.arena, whole: true };
    if let Some(parts) = instructions {
        spread.text("role", b"system");
        for (j, part) in parts.items().enumerate() {
            spread.whole &= compose::part_type(part) == b"text";
            if let Some(content) = part.get("content") {
                spread.text(&format!("contents.{j}.message_content.type"), b"text");
                spread.leaf(&format!("contents.{j}.message_content.text"), content);
            }
        }
        spread.count += 1;
    }
    let said = parsed(field);
    said.into_iter().flat_map(|list| list.items()).for_each(|m| spread.message(m));
    if spread.whole {
        out.say(field);
        if instructions.is_some() {
            out.say(Field::SystemInstructions);
        }
    }
}

/// The value of the span itself, and whether it is JSON.
fn put_value<'a>(keys: [&'static str; 2], text: &'a [u8], origin: u16, s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let is_json = json::parse(text, s.arena).is_some_and(|j| j.is_object() || j.is_array());
    out.put_text(keys[0], text, origin);
    out.put_text(keys[1], if is_json { b"application/json" } else { b"text/plain" }, origin);
}

fn values<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let c = s.c;
    let sides = [
        (
            ["input.value", "input.mime_type"],
            Field::InputMessages,
            [Field::EntityInput, Field::ToolCallArguments, Field::RetrievalQuery, Field::RerankQuery],
        ),
        (
            ["output.value", "output.mime_type"],
            Field::OutputMessages,
            [Field::EntityOutput, Field::ToolCallResult, Field::RetrievalDocuments, Field::RetrievalDocuments],
        ),
    ];
    for (keys, messages, fields) in sides {
        if let Some(field) = fields.into_iter().find(|field| c.has(*field)) {
            let text = c.text(field).unwrap_or_default();
            put_value(keys, text, c.origin(field), s, out);
            if matches!(field, Field::ToolCallResult | Field::RetrievalQuery) {
                out.say(field);
            }
        } else if let Some(chat) = compose::chat(c, messages, s.arena) {
            let text = if messages == Field::InputMessages { chat.list() } else { chat.answer() };
            put_value(keys, text, c.origin(messages), s, out);
        }
    }
}

/// Each document by its index.
fn documents<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let Some(list) = s.c.text(Field::RetrievalDocuments).and_then(|text| json::parse(text, s.arena)) else { return };
    let origin = s.c.origin(Field::RetrievalDocuments);
    for (i, document) in list.items().enumerate() {
        for member in ["id", "score", "content", "metadata"] {
            if let Some(value) = document.get(member) {
                let score = value.as_f64().filter(|_| member == "score").map(Value::Double);
                let text = || Value::Str(value.text(s.arena).unwrap_or_else(|| value.to_text(s.arena)));
                out.put_leaf(DOCUMENTS, format_args!("{i}.document.{member}"), score.unwrap_or_else(text), origin);
            }
        }
    }
    out.say(Field::RetrievalDocuments);
}

fn compose<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let c = s.c;
    let (asked, answered) = (c.get(Field::RequestModel), c.get(Field::ResponseModel));
    match c.kind {
        Some(Kind::Embeddings) => out.put_field(c, "embedding.model_name", Field::RequestModel),
        Some(Kind::Rerank) => out.put_field(c, "reranker.model_name", Field::RequestModel),
        Some(kind) if kind.is_generation() => {
            out.put_field(c, "llm.request.model_name", Field::RequestModel);
            if let Some(model) = answered.or(asked) {
                out.put("llm.model_name", model, compose::origin(c, &[Field::ResponseModel, Field::RequestModel]));
            }
        }
        _ => {}
    }
    if let Some(text) = compose::object(s, PARAMETERS, out) {
        let fields: Vec<_> = PARAMETERS.iter().map(|(_, field)| *field).collect();
        let key = if c.kind == Some(Kind::Embeddings) { "embedding.invocation_parameters" } else { "llm.invocation_parameters" };
        out.put_text(key, text, compose::origin(c, &fields));
    }
    if let Some(Value::Array([reason, ..])) = c.get(Field::FinishReasons) {
        out.put("llm.finish_reason", *reason, c.origin(Field::FinishReasons));
        out.say(Field::FinishReasons);
    }
    values(s, out);
    messages(s, Field::InputMessages, INPUT_MESSAGES, out);
    messages(s, Field::OutputMessages, OUTPUT_MESSAGES, out);
    if let Some(tools) = c.text(Field::ToolDefinitions).and_then(|text| json::parse(text, s.arena)) {
        for (i, tool) in tools.items().enumerate() {
            let schema = Value::Str(compose::function(tool, s.arena));
            out.put_leaf(TOOLS, format_args!("{i}.tool.json_schema"), schema, c.origin(Field::ToolDefinitions));
        }
        out.say(Field::ToolDefinitions);
    }
    documents(s, out);
    if let Some(texts) = c.text(Field::EntityInput).filter(|_| c.kind == Some(Kind::Embeddings)) {
        let list = json::parse(texts, s.arena).filter(|j| j.is_array() && j.items().all(|text| text.is_string()));
        let origin = c.origin(Field::EntityInput);
        match list {
            Some(list) => list.items().enumerate().for_each(|(i, text)| {
                let text = Value::Str(text.text(s.arena).unwrap_or_default());
                out.put_leaf(TEXTS, format_args!("{i}.embedding.text"), text, origin);
            }),
            None => out.put_leaf(TEXTS, format_args!("0.embedding.text"), Value::Str(texts), origin),
        }
    }
    out.event = compose::first_chunk(s).map(|time| (time, "First Token Stream Event"));
    if out.event.is_some() {
        out.say(Field::TimeToFirstChunk);
    }
}

pub const TABLE: Table = Table {
    name: "openinference",
    endpoint: "http://localhost:6006/v1/traces",
    keys: keys!(&[
        (Field::Provider, &["llm.provider", "llm.system"]),
        (Field::ResponseModel, &["llm.response.model_name"]),
        (Field::InputTokens, &["llm.token_count.prompt"]),
        (Field::OutputTokens, &["llm.token_count.completion"]),
        (Field::TotalTokens, &["llm.token_count.total"]),
        (Field::CacheReadTokens, &["llm.token_count.prompt_details.cache_read"]),
        (Field::CacheWriteTokens, &["llm.token_count.prompt_details.cache_write"]),
        (Field::AudioInputTokens, &["llm.token_count.prompt_details.audio"]),
        (Field::ReasoningTokens, &["llm.token_count.completion_details.reasoning"]),
        (Field::AudioOutputTokens, &["llm.token_count.completion_details.audio"]),
        (Field::Cost, &["llm.cost.total"]),
        (Field::InputCost, &["llm.cost.prompt"]),
        (Field::OutputCost, &["llm.cost.completion"]),
        (Field::ToolName, &["tool.name"]),
        (Field::ToolDescription, &["tool.description"]),
        (Field::ToolCallId, &["tool.id"]),
        (Field::ToolCallArguments, &["tool.parameters"]),
        (Field::AgentName, &["agent.name"]),
        (Field::SessionId, &["session.id"]),
        (Field::UserId, &["user.id"]),
        (Field::RerankQuery, &["reranker.query"]),
        (Field::RerankTopN, &["reranker.top_k"]),
        (Field::PromptName, &["prompt.id"]),
        (Field::PromptVersion, &["llm.prompt_template.version"]),
        (Field::PromptTemplate, &["llm.prompt_template.template"]),
        (Field::PromptVariables, &["llm.prompt_template.variables"]),
    ]),
    operation: None,
    kind: Some(("openinference.span.kind", says)),
    trace: Some(["input.value", "output.value"]),
    objects: &["llm.invocation_parameters", "embedding.invocation_parameters"],
    complete: Some(super::conversation_is_session),
    compose: Some(compose),
    ..Table::EMPTY
};
