//! What went in and what came out, by what the span is: messages of a model, arguments and result of a tool, query and
//! documents of a retrieval, vectors of an embedding.

use super::flat;
use super::messages::{self, Side};
use super::{Fate, Normalizer, Pending, Slot, Stranger, params, scalar, strange, tools, twice, usage};
use crate::conventions::{self, PLAIN, words};
use crate::genai::{DERIVED, EVENTS, Field, Flat, Kind, NAMES};
use crate::json::{self, Json};
use crate::span::Value;
use crate::span::value;
use crate::text::{self, Out, number};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

fn text_of<'a>(value: &Value<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    match *value {
        Value::Str(text) => Some(text),
        Value::Array(_) | Value::Map(_) => Some(value::to_json(value, arena)),
        _ => None,
    }
}

/// An input or output: its text, and that as JSON if it is JSON.
#[derive(Clone, Copy)]
struct Content<'a> {
    text: &'a [u8],
    json: Option<Json<'a>>,
    /// The attribute that it is.
    at: u16,
    /// The attribute that holds it.
    of: u16,
}

impl<'a> Content<'a> {
    fn new(value: &Value<'a>, at: u16, arena: &'a Bump) -> Option<Self> {
        let text = text_of(value, arena)?;
        Some(Content { text, json: json::parse(text, arena), at, of: at })
    }

    /// What stands inside the first of the members that is there; what stands beside it is noted.
    fn inside(self, members: &[&str], n: &mut Normalizer<'_, 'a>) -> Self {
        let arena = n.cx.arena;
        let Some(inner) = self.json.and_then(|j| j.any(members)) else { return self };
        let beside = self.json.into_iter().flat_map(Json::entries).filter(|(name, value)| !value.is_empty() && !text::any(name, members));
        beside.for_each(|(name, value)| note_stranger(n, name, value, self.of));
        Content { text: inner.text(arena).unwrap_or_else(|| inner.to_text(arena)), json: Some(inner), ..self }
    }

    /// The same text for the same JSON, whatever its escapes and spaces (rules.md 6).
    fn canonical_text(&self, arena: &'a Bump) -> &'a [u8] {
        match self.json {
            // Langfuse Python up to 3.1.1 writes plain text that way.
            Some(j) if j.is_string() => j.text(arena).unwrap_or(self.text),
            Some(j) if j.is_object() || j.is_array() => j.to_text(arena),
            _ => self.text,
        }
    }
}

/// Reads an attribute that holds messages.
pub(super) fn put_messages<'a>(n: &mut Normalizer<'_, 'a>, side: Side, value: &Value<'a>, trust: u8, at: u16) {
    if let Some(content) = Content::new(value, at, n.cx.arena) {
        put_conversation(n, side, content, trust);
    }
}

/// Reads the messages that a member of an attribute holds.
pub(super) fn put_member<'a>(n: &mut Normalizer<'_, 'a>, member: Json<'a>, trust: u8, of: u16) {
    let arena = n.cx.arena;
    let text = member.text(arena).unwrap_or_else(|| member.to_text(arena));
    put_conversation(n, Side::Output, Content { text, json: Some(member), at: DERIVED, of }, trust);
}

/// Trust of what came apart, against the text of a whole request.
const STRUCTURED: u8 = PLAIN + 5;

/// Trust of a whole request that says more than what came apart of it.
const WHOLE: u8 = STRUCTURED + 1;

/// Trust of what stands beside the messages of a whole request, against keys of their own.
const BESIDE: u8 = PLAIN - 10;

/// What a whole request or answer says beside its messages (Genkit, Gemini).
fn read_beside<'a>(n: &mut Normalizer<'_, 'a>, side: Side, content: Content<'a>) {
    let arena = n.cx.arena;
    let member = |keys: &[&str]| content.json.and_then(|j| j.any(keys)).filter(Json::is_object);
    match side {
        Side::Input => {
            if let Some(config) = member(&["config", "generationConfig", "generation_config"]) {
                params::read(config, BESIDE, DERIVED, n.c, arena);
            }
            // A request: its parameters stand beside its messages.
            let whole = |j: &Json| j.any(&["messages", "input", "contents", "prompt"]).is_some();
            let instructed = n.c.has(Field::SystemInstructions);
            if let Some(request) = content.json.filter(whole) {
                params::read(request, BESIDE, DERIVED, n.c, arena);
            }
            // OpenInference's lists have the instructions as their first message.
            if !instructed && twice::starts_with_system(n.c.text(Field::InputMessages), arena) {
                n.c.clear(Field::SystemInstructions);
            }
            let tools = content.json.and_then(|j| j.get("tools")).and_then(|tools| tools::definitions_of(tools, arena));
            if let Some(definitions) = tools {
                n.c.derive(Field::ToolDefinitions, Value::Str(definitions));
            }
        }
        Side::Output => {
            if let Some(counts) = member(&["usage", "usageMetadata", "usage_metadata"]) {
                read_usage(n, counts, BESIDE);
            }
            let meta = member(&["response_metadata"]);
            let is_answer = |j: &Json| j.any(&["choices", "object", "model", "response_metadata"]).is_some();
            for (name, field) in [("service_tier", Field::ResponseServiceTier), ("system_fingerprint", Field::SystemFingerprint)] {
                let said = content.json.filter(is_answer).and_then(|j| j.get(name)).or_else(|| meta?.get(name));
                if let Some(word) = said.and_then(|said| said.text(arena)).filter(|word| !word.is_empty()) {
                    n.c.derive(field, Value::Str(word));
                }
            }
        }
    }
}

/// Reads the counts of an answer: beside those that are known, what details them.
fn read_usage(n: &mut Normalizer, counts: Json, trust: u8) {
    if n.c.has(Field::InputTokens) || n.c.has(Field::OutputTokens) {
        usage::read_details(counts, n.c);
    } else {
        usage::read(counts, trust, DERIVED, n.c);
    }
}

/// Notes the members of a value that no reader takes; `leaves`: it came as indexed keys.
pub(super) fn note_strangers<'a>(n: &mut Normalizer<'_, 'a>, j: Json<'a>, side: Side, at: u16, leaves: &[flat::Leaf<'a>]) {
    let mut found = BumpVec::new_in(n.cx.arena);
    strange::find(j, side, &mut found);
    for (name, value) in found {
        let leaf = leaves.iter().find(|leaf| leaf.path.strip_suffix(name).is_some_and(|before| before.ends_with(b".")));
        note_stranger(n, name, value, leaf.map_or(at, |leaf| leaf.at));
    }
}

fn note_stranger<'a>(n: &mut Normalizer<'_, 'a>, name: &'a [u8], value: Json<'a>, at: u16) {
    let arena = n.cx.arena;
    // The metadata of a document may be JSON in text, and is JSON there.
    let inside = || json::parse(value.text(arena).filter(|_| text::is(name, "metadata"))?, arena);
    let value = inside().unwrap_or(value);
    let member = [b"\"", name, b"\":", value.to_text(arena)].concat();
    let text = value.text(arena).unwrap_or_else(|| value.to_text(arena));
    n.strangers.push(Stranger { at, name, text, member: arena.alloc_slice_copy(&member) });
}

/// Reads messages into their field; what else the conversation tells fills what is empty.
fn put_conversation<'a>(n: &mut Normalizer<'_, 'a>, side: Side, content: Content<'a>, trust: u8) {
    read_conversation(n, side, content, trust);
}

/// As [`put_conversation`]. Returns true if some objects among the messages are not messages.
fn read_conversation<'a>(n: &mut Normalizer<'_, 'a>, side: Side, content: Content<'a>, trust: u8) -> bool {
    let arena = n.cx.arena;
    // Nothing was said: what Langfuse's wrappers write for an embedding and for a failed call.
    if content.json.filter(Json::is_string).map_or(content.text, Json::source).is_empty() {
        return false;
    }
    read_beside(n, side, content);
    let conversation = match messages::read(content.text, content.json, side, arena) {
        Ok(conversation) => conversation,
        Err(why) => {
            n.unread += u32::from(matches!(why, messages::Unread::TooLarge));
            return false;
        }
    };
    let field = side.field();
    if let Some(json) = content.json.filter(|_| content.of != DERIVED) {
        note_strangers(n, json, side, content.of, &[]);
        conversation.odd.iter().for_each(|odd| note_stranger(n, b"", *odd, content.of));
    }
    if conversation.messages != b"[]" {
        if content.of != DERIVED {
            n.offered.push((content.of, side, conversation.messages, content.at == content.of));
        }
        let told = n.c.text(field).filter(|_| n.c.source(field) == DERIVED);
        let of_lists = n.c.origin(field) != EVENTS;
        let trust = match told {
            // Lists or events told as much: it is the same once more.
            Some(told) if told.len() >= conversation.messages.len() => {
                n.mapped(content.at);
                trust
            }
            Some(told) if of_lists && twice::is_fuller(conversation.messages, told, arena) => WHOLE,
            // LiteLLM says a call beside the message that leaves it out.
            _ if messages::are_hollow(conversation.messages, arena) => 0,
            _ => trust,
        };
        n.settle(field, Value::Str(conversation.messages), trust, content.at);
    }
    if let Some(definitions) = tools::definitions(&conversation.tools, arena) {
        n.c.derive(Field::ToolDefinitions, Value::Str(definitions));
    }
    // OpenInference's lists have the instructions of OpenAI's newer API as their first message.
    if let Some(system) = conversation.system.filter(|_| !twice::starts_with_system(n.c.text(Field::InputMessages), arena)) {
        n.c.derive(Field::SystemInstructions, Value::Str(system));
    }
    if side == Side::Output {
        for (field, value) in [
            (Field::FinishReasons, Some(Value::Array(&conversation.finish_reasons))),
            (Field::ResponseId, conversation.response_id.map(Value::Str)),
            (Field::ResponseModel, conversation.model.map(Value::Str)),
        ] {
            if let Some(value) = value.and_then(|value| scalar::convert(field, &value, arena)) {
                n.c.derive(field, value);
            }
        }
        if let Some(counts) = conversation.usage {
            read_usage(n, counts, 0);
        }
    }
    !conversation.odd.is_empty()
}

/// Reads a list of messages that holds the answer too: choices, else what the assistant says last.
pub(super) fn put_exchange<'a>(n: &mut Normalizer<'_, 'a>, value: &Value<'a>, trust: u8, at: u16) {
    let arena = n.cx.arena;
    let Some(list) = text_of(value, arena).and_then(|t| json::parse(t, arena)).filter(Json::is_array) else { return };
    // What Logfire has no event for stands in it as it came.
    let is_unknown = |m: &Json| m.get("event.name").is_some_and(|name| name.is("gen_ai.unknown"));
    let item = |m: Json<'a>| m.get("data").filter(|data| is_unknown(&m) && data.is_object()).unwrap_or(m);
    let messages = BumpVec::from_iter_in(list.items(), arena);
    if !messages.iter().all(|m| m.any(&["role", "message", "event.name", "kind"]).is_some()) {
        return;
    }
    // Logfire leaves out the names of the events that it adds to other instrumentations' spans.
    let is_choice = |m: &Json| match m.get("event.name") {
        Some(name) => name.is("gen_ai.choice"),
        None => m.get("message").is_some() && m.any(&["index", "finish_reason"]).is_some(),
    };
    // An item that Logfire has no event for: a call of a tool that the provider runs.
    let calls = |item: Json| item.get("type").and_then(Json::word).is_some_and(|kind| kind.ends_with(b"_call"));
    let is_answer = |m: &Json| is_choice(m) || m.get("role").is_some_and(|role| role.is("assistant")) || m.get("data").is_some_and(calls);
    let sent =
        messages.iter().position(is_choice).unwrap_or_else(|| messages.iter().rposition(|m| !is_answer(m)).map_or(0, |last| last + 1));
    for (side, part) in [(Side::Input, &messages[..sent]), (Side::Output, &messages[sent..])] {
        let part = BumpVec::from_iter_in(part.iter().map(|m| item(*m)), arena);
        put_messages(n, side, &Value::Str(json::list(&part, arena)), trust, at);
    }
}

/// Reads the lists that came as indexed keys.
pub(super) fn read_lists(n: &mut Normalizer) {
    let arena = n.cx.arena;
    let mut leaves = std::mem::replace(&mut n.leaves, BumpVec::new_in(arena));
    flat::sort(&mut leaves);
    for list in leaves.chunk_by(|a, b| a.of == b.of) {
        n.c.reading = list.iter().map(|leaf| leaf.at).min().unwrap_or(DERIVED);
        let text = flat::nest(list, arena);
        let content = Content { text, json: json::parse(text, arena), at: DERIVED, of: DERIVED };
        let (field, side) = match list[0].of {
            Flat::InputMessages => (Field::InputMessages, Some(Side::Input)),
            Flat::OutputMessages => (Field::OutputMessages, Some(Side::Output)),
            Flat::Tools => (Field::ToolDefinitions, None),
            Flat::Documents => (Field::RetrievalDocuments, None),
            Flat::Arguments if n.c.kind != Some(Kind::ExecuteTool) => continue,
            Flat::Arguments => (Field::ToolCallArguments, None),
            // Once the messages are known.
            Flat::InputMedia | Flat::OutputMedia => {
                n.leaves.extend_from_slice_copy(list);
                continue;
            }
            of @ (Flat::Input | Flat::Output) => {
                let slot = if of == Flat::Input { Slot::Input } else { Slot::Output };
                // Not every profile has a key for it: the attributes stay.
                if n.held(slot).is_none() {
                    n.hold(slot, &Value::Str(text), DERIVED, &[]);
                }
                continue;
            }
            // No field of OTel's: the attributes stay.
            Flat::Texts => {
                if !n.c.has(Field::EntityInput) {
                    n.c.put(Field::EntityInput, Value::Str(text), PLAIN, DERIVED);
                }
                continue;
            }
        };
        if let Some(known) = n.c.text(field).filter(|known| !messages::are_hollow(known, arena)) {
            let again = match side {
                Some(side) => twice::says_no_more(text, side, known, arena),
                None => field == Field::ToolDefinitions && tools::from_text(text, arena) == Some(known),
            };
            if again {
                list.iter().for_each(|leaf| n.mapped(leaf.at));
            }
            continue;
        }
        let mut has_odd = false;
        match side {
            Some(side) => {
                let ended = n.c.has(Field::FinishReasons);
                has_odd = read_conversation(n, side, content, STRUCTURED);
                let reason = list.iter().find(|leaf| leaf.path.ends_with(b"finish_reason"));
                if let Some(leaf) = reason.filter(|_| !ended) {
                    n.c.set_source(Field::FinishReasons, leaf.at);
                }
            }
            None if field == Field::RetrievalDocuments => put_documents(n, content),
            None if field == Field::ToolCallArguments => n.settle(field, Value::Str(text), STRUCTURED, DERIVED),
            None => {
                if let Some(definitions) = tools::from_text(text, arena) {
                    n.settle(field, Value::Str(definitions), STRUCTURED, DERIVED);
                }
            }
        }
        if n.c.has(field) {
            list.iter().for_each(|leaf| n.mapped(leaf.at));
            if let Some(json) = content.json.filter(|_| field != Field::ToolCallArguments) {
                note_strangers(n, json, side.unwrap_or(Side::Input), DERIVED, list);
                let items = list.chunk_by(flat::have_one_place).zip(json.items());
                let odd = items.filter(|(_, item)| has_odd && !messages::is_message(*item));
                odd.flat_map(|(leaves, _)| leaves).for_each(|leaf| n.set_fate(leaf.at, Fate::Keep));
            }
        }
    }
}

/// Reads pictures and documents of a call that stand beside its messages: they belong to the last one, or are one.
fn read_media(n: &mut Normalizer) {
    let arena = n.cx.arena;
    let leaves = std::mem::replace(&mut n.leaves, BumpVec::new_in(arena));
    if !n.c.kind.is_some_and(Kind::is_generation) {
        return;
    }
    for list in leaves.chunk_by(|a, b| a.of == b.of) {
        let (side, role) = if list[0].of == Flat::InputMedia { (Side::Input, "user") } else { (Side::Output, "assistant") };
        let mut message = BumpVec::new_in(arena);
        message.extend_from_slice_copy(b"[{\"role\":\"");
        message.extend_from_slice_copy(role.as_bytes());
        message.extend_from_slice_copy(b"\",\"contents\":[");
        let items = json::parse(flat::nest(list, arena), arena).into_iter().flat_map(Json::items);
        for (i, (item, kind)) in items.filter_map(|item| Some((item, item.entries().next()?.0))).enumerate() {
            json::separate(&mut message, i);
            message.extend_from_slice_copy(b"{\"message_content\":{\"type\":");
            json::string(kind, &mut message);
            message.extend_from_slice_copy(b",");
            json::string(kind, &mut message);
            message.extend_from_slice_copy(b":");
            item.write(&mut message);
            message.extend_from_slice_copy(b"}}");
        }
        message.extend_from_slice_copy(b"]}]");
        let text = message.into_bump_slice();
        let Ok(read) = messages::read(text, json::parse(text, arena), side, arena) else { continue };
        n.c.reading = list[0].at;
        let (field, media) = (side.field(), read.messages);
        let known = n.c.text(field).and_then(|known| json::parse(known, arena));
        let whole = known.zip(json::parse(media, arena)).map_or(media, |(known, media)| with_parts(known, media, role, arena));
        n.c.put(field, Value::Str(whole), u8::MAX, n.c.source(field));
        list.iter().for_each(|leaf| n.mapped(leaf.at));
    }
}

/// The messages with the parts of others at the end of the last message of a role, or with those others behind them.
fn with_parts<'a>(known: Json<'a>, more: Json<'a>, role: &str, arena: &'a Bump) -> &'a [u8] {
    let is_last = |(_, message): &(usize, Json)| message.get("role").is_some_and(|r| r.is(role));
    let last = known.items().enumerate().filter(is_last).last().map(|(at, _)| at);
    let parts = |message: Json<'a>| message.get("parts").into_iter().flat_map(Json::items);
    let mut out = BumpVec::new_in(arena);
    out.push(b'[');
    for (i, message) in known.items().enumerate() {
        json::separate(&mut out, i);
        if Some(i) != last {
            message.write(&mut out);
            continue;
        }
        out.push(b'{');
        for (j, (key, value)) in message.entries().enumerate() {
            json::separate(&mut out, j);
            json::string(key, &mut out);
            out.push(b':');
            if !text::is(key, "parts") {
                value.write(&mut out);
                continue;
            }
            out.push(b'[');
            for (k, part) in value.items().chain(more.items().flat_map(parts)).enumerate() {
                json::separate(&mut out, k);
                part.write(&mut out);
            }
            out.push(b']');
        }
        out.push(b'}');
    }
    let behind = if last.is_none() { Some(more) } else { None };
    for (i, message) in behind.into_iter().flat_map(Json::items).enumerate() {
        json::separate(&mut out, i + known.items().count());
        message.write(&mut out);
    }
    out.push(b']');
    out.into_bump_slice()
}

/// Is it LangChain's message of the tool that the span is named after? Plain in Python, serialised in JS.
pub(super) fn is_tool_message(output: Option<Value>, tool: &[u8], arena: &Bump) -> bool {
    let Some(output) = output.and_then(|o| o.as_str()).and_then(|t| json::parse(t, arena)) else { return false };
    let message = output.get("kwargs").unwrap_or(output);
    let of_tool = output.get("kwargs").is_some() || message.get("type").is_some_and(|t| t.is("tool"));
    of_tool && message.get("tool_call_id").is_some() && message.get("name").and_then(|n| n.word()) == Some(tool)
}

/// Reads the pending input and output of the span.
pub(super) fn read(n: &mut Normalizer) {
    let (kind, arena) = (n.c.kind, n.cx.arena);
    if let Some(input) = n.held(Slot::Input)
        && let Some(content) = Content::new(&input.value, input.at, arena)
    {
        n.c.reading = content.at;
        n.c.put(Field::EntityInput, Value::Str(content.canonical_text(arena)), PLAIN, DERIVED);
        let content = content.inside(input.inside, n);
        match kind {
            Some(kind) if kind.is_generation() => put_conversation(n, Side::Input, content, PLAIN),
            Some(Kind::Embeddings) if content.json.is_some_and(|j| j.is_array() || j.is_object()) => {
                put_conversation(n, Side::Input, content, PLAIN)
            }
            Some(Kind::ExecuteTool) => put_arguments(n, content),
            Some(Kind::Retrieval) => put_query(n, content),
            _ => {}
        }
    }
    if let Some(output) = n.held(Slot::Output)
        && let Some(content) = Content::new(&output.value, output.at, arena)
    {
        n.c.reading = content.at;
        let inside = content.inside(output.inside, n);
        // LangChain's message of a tool is an envelope around what it gave.
        let result = inside.json.filter(|_| kind == Some(Kind::ExecuteTool)).and_then(tool_message).and_then(|m| m.get("content"));
        let text =
            result.map_or_else(|| content.canonical_text(arena), |result| result.text(arena).unwrap_or_else(|| result.to_text(arena)));
        n.c.put(Field::EntityOutput, Value::Str(text), PLAIN, DERIVED);
        let content = inside;
        match kind {
            Some(kind) if kind.is_generation() => put_conversation(n, Side::Output, content, PLAIN),
            Some(Kind::ExecuteTool) => put_result(n, content),
            Some(Kind::Retrieval) => put_documents(n, content),
            Some(Kind::Embeddings) => {
                read_beside(n, Side::Output, content);
                put_dimensions(n, content);
            }
            _ => {}
        }
    }
    read_media(n);
    // Dify's tools.
    if kind == Some(Kind::ExecuteTool)
        && let Some(result) = n.c.text(Field::EntityOutput)
    {
        n.c.derive(Field::ToolCallResult, Value::Str(result));
    }
    if let Some(path) =
        n.held(Slot::ModelPath).filter(|_| kind.is_some_and(|k| k.is_generation() || matches!(k, Kind::Embeddings | Kind::Rerank)))
    {
        n.c.reading = path.at;
        put_model_path(n, path);
    }
    let name_field = match kind {
        Some(Kind::ExecuteTool) => Field::ToolName,
        Some(Kind::InvokeAgent | Kind::CreateAgent | Kind::InvokeWorkflow) => Field::AgentName,
        _ => return,
    };
    let entity = n.held(Slot::EntityName);
    if let Some(name) = n.held(Slot::WorkflowName).filter(|_| kind == Some(Kind::InvokeWorkflow) && entity.is_none()) {
        n.c.reading = name.at;
        n.put(name_field, &name.value, PLAIN, name.at);
    }
    if let Some(name) = entity {
        n.c.reading = name.at;
        n.put(name_field, &name.value, PLAIN, name.at);
    }
    if conventions::name_spans(n.conventions) && kind != Some(Kind::InvokeWorkflow) {
        n.c.reading = NAMES;
        n.c.derive(name_field, Value::Str(n.span.name));
    }
}

/// `googleai/gemini-2.0-flash`: the provider, if it is one that is known, and the model.
fn put_model_path<'a>(n: &mut Normalizer<'_, 'a>, path: Pending<'a>) {
    let text = path.value.as_str().unwrap_or_default();
    let slash = memchr::memchr(b'/', text).filter(|at| words::find(&words::PROVIDERS, &text[..*at]).is_some());
    if let Some(at) = slash {
        n.put(Field::Provider, &Value::Str(&text[..at]), PLAIN, DERIVED);
    }
    n.put(Field::RequestModel, &Value::Str(&text[slash.map_or(0, |at| at + 1)..]), PLAIN, path.at);
}

/// A content as JSON, between these.
fn around<'a>(before: &str, content: Content<'a>, after: &str, arena: &'a Bump) -> &'a [u8] {
    let mut out = BumpVec::new_in(arena);
    out.extend_from_slice_copy(before.as_bytes());
    match content.json {
        Some(j) => j.write(&mut out),
        None => json::string(content.text, &mut out),
    }
    out.extend_from_slice_copy(after.as_bytes());
    out.into_bump_slice()
}

/// Arguments are an object; anything else is wrapped: `{"input": …}`.
fn put_arguments<'a>(n: &mut Normalizer<'_, 'a>, content: Content<'a>) {
    let arena = n.cx.arena;
    let inputs = n.tool_inputs.and_then(|t| json::parse(t, arena)).filter(Json::is_object);
    // How Python was called: smolagents' wrapper, DSPy, decorators.
    let by_name = |j: Json<'a>| j.get("kwargs").filter(|k| k.is_object() && j.get("args").is_none_or(|a| a.is_array() && a.is_empty()));
    // How JavaScript was called: with one object, which LangChain's tools get as JSON.
    let object = |j: Json<'a>| if j.is_object() { Some(j) } else { json::parse(j.text(arena)?, arena).filter(Json::is_object) };
    let only = |j: Json<'a>| j.only().and_then(object);
    let by_place = |j: Json<'a>| j.get("args").filter(|_| j.get("kwargs").is_none_or(|k| k.is_empty())).and_then(only);
    let inner = content.json.and_then(|j| inputs.or_else(|| by_name(j)).or_else(|| by_place(j)).or_else(|| only(j)));
    if let Some(whole) = content.json.filter(|_| inner.is_some()) {
        note_strangers(n, whole, Side::Input, content.of, &[]);
    }
    let called = inner.or(content.json);
    let arguments = match called.or(inputs) {
        Some(j) if j.is_object() => j.to_text(arena),
        json => around("{\"input\":", Content { json, ..content }, "}", arena),
    };
    n.settle(Field::ToolCallArguments, Value::Str(arguments), PLAIN, content.at);
}

/// LangChain's message of a tool, plain, serialised or dumped, by itself or as the `output`: its fields.
fn tool_message(j: Json) -> Option<Json> {
    let j = j.get("output").filter(Json::is_object).unwrap_or(j);
    let of_tool = |m: Json| j.get("lc").is_some() || m.get("type").is_some_and(|t| t.is("tool"));
    let message = j.any(&["kwargs", "data"]).filter(Json::is_object).unwrap_or(j);
    Some(message).filter(|m| m.get("content").is_some() && m.get("tool_call_id").is_some() && of_tool(*m))
}

/// What a tool gave, from the JSON that a source has for it, and which tool and call it answers: of LangChain's message, its
/// content.
pub(super) fn read_result<'a>(n: &mut Normalizer<'_, 'a>, result: Json<'a>) -> Option<&'a [u8]> {
    let message = tool_message(result)?;
    if let Some(id) = message.get("tool_call_id").and_then(|id| id.text(n.cx.arena)) {
        n.c.derive(Field::ToolCallId, Value::Str(id));
    }
    // Before what names the run: Traceloop has the tool's class there.
    if let Some(name) = message.get("name").and_then(|name| name.text(n.cx.arena)).filter(|name| !name.is_empty()) {
        n.put(Field::ToolName, &Value::Str(name), PLAIN, DERIVED);
    }
    let content = message.get("content")?;
    Some(content.text(n.cx.arena).unwrap_or_else(|| content.to_text(n.cx.arena)))
}

fn put_result<'a>(n: &mut Normalizer<'_, 'a>, content: Content<'a>) {
    let arena = n.cx.arena;
    if let Some(result) = content.json.and_then(|json| read_result(n, json)) {
        if let Some(whole) = content.json {
            note_strangers(n, whole, Side::Output, content.of, &[]);
        }
        return n.settle(Field::ToolCallResult, Value::Str(result), PLAIN, content.at);
    }
    let result = match content.json {
        Some(j) => j.text(arena).unwrap_or_else(|| j.to_text(arena)),
        None => content.text,
    };
    n.settle(Field::ToolCallResult, Value::Str(result), PLAIN, content.at);
    // LangChain's message of a tool: plain in Python, serialised in JS.
    let message = content.json.map(|j| j.get("kwargs").unwrap_or(j));
    if let Some(id) = message.and_then(|m| m.get("tool_call_id")).and_then(|id| id.text(arena)) {
        n.c.derive(Field::ToolCallId, Value::Str(id));
    }
}

fn put_query<'a>(n: &mut Normalizer<'_, 'a>, content: Content<'a>) {
    let arena = n.cx.arena;
    let query = match content.json {
        Some(j) if j.is_object() => {
            // Langfuse's decorator writes {"args": [query], "kwargs": {}}.
            let called = j.get("kwargs").filter(Json::is_empty).and_then(|_| j.get("args")?.only());
            if let Some(k) = j.get("options").and_then(|o| o.get("k")).and_then(|k| k.as_i64()) {
                n.c.derive(Field::RetrievalTopK, Value::Int(k));
            }
            j.any(&["query", "input", "question", "text"]).or(called).and_then(|q| text_within(q, arena))
        }
        Some(j) if j.is_string() => j.text(arena),
        _ => Some(content.text),
    };
    if let Some(query) = query {
        if let Some(whole) = content.json {
            note_strangers(n, whole, Side::Input, content.of, &[]);
        }
        n.settle(Field::RetrievalQuery, Value::Str(query), PLAIN, content.at);
    }
}

/// A text, or that of Genkit's document: `{"content": [{"text": …}]}`.
fn text_within<'a>(j: Json<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    if let Some(text) = j.text(arena) {
        return Some(text);
    }
    let parts = j.get("content").unwrap_or(j);
    let mut out = BumpVec::new_in(arena);
    for part in parts.items() {
        out.extend_from_slice_copy(part.get("text")?.text(arena)?);
    }
    (!out.is_empty()).then(|| out.into_bump_slice() as &[u8])
}

/// `[{id?, score?, content?, metadata?}]` from LangChain's, LlamaIndex's and plain lists.
fn put_documents<'a>(n: &mut Normalizer<'_, 'a>, content: Content<'a>) {
    let Some(root) = content.json else { return };
    if let Some(documents) = documents(root, n.cx.arena) {
        note_strangers(n, root, Side::Output, content.of, &[]);
        n.settle(Field::RetrievalDocuments, Value::Str(documents), PLAIN, content.at);
    }
}

/// The documents of a list; `None` if it holds anything else.
pub(super) fn documents<'a>(root: Json<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    let list = Some(root).filter(Json::is_array).or_else(|| root.any(&["documents", "docs", "results", "matches"]))?;
    if !list.is_array() || !list.items().all(|d| d.is_object() || d.is_string()) {
        return None;
    }
    let mut out = BumpVec::new_in(arena);
    out.push(b'[');
    for (i, document) in list.items().enumerate() {
        json::separate(&mut out, i);
        write_document(document, &mut out, arena);
    }
    out.push(b']');
    Some(out.into_bump_slice())
}

/// Reads an attribute that holds the documents that were found. Text that is no list of them is one.
pub(super) fn put_found<'a>(n: &mut Normalizer<'_, 'a>, value: &Value<'a>, at: u16) {
    let arena = n.cx.arena;
    let Some(content) = Content::new(value, at, arena) else { return };
    put_documents(n, content);
    if !n.c.has(Field::RetrievalDocuments) && !content.json.is_some_and(|j| j.is_empty()) {
        n.settle(
            Field::RetrievalDocuments,
            Value::Str(around("[{\"content\":", Content { json: None, ..content }, "}]", arena)),
            PLAIN,
            at,
        );
    }
}

fn write_document<'a>(document: Json<'a>, out: &mut Out<'a>, arena: &'a Bump) {
    if document.is_string() {
        out.extend_from_slice_copy(b"{\"content\":");
        document.write(out);
        out.push(b'}');
        return;
    }
    let fields = document.any(&["kwargs", "node", "document"]).filter(Json::is_object).unwrap_or(document);
    let mut count = 0;
    out.push(b'{');
    for (name, keys) in [
        ("id", &["id", "doc_id", "document_id", "id_", "node_id"][..]),
        ("score", &["score", "relevance_score", "similarity"]),
        ("content", &["page_content", "pageContent", "content", "text"]),
        ("metadata", &["metadata", "meta"]),
    ] {
        let Some(value) = fields.any(keys).or_else(|| document.any(keys)) else { continue };
        if name != "content" && value.is_empty() {
            continue;
        }
        json::member(out, &mut count, name.as_bytes());
        let text = match name {
            "content" if value.is_array() => text_within(value, arena),
            _ => None,
        };
        let object = match name {
            "metadata" => value.text(arena).and_then(|text| json::parse(text, arena)).filter(Json::is_object),
            _ => None,
        };
        let number = value.word().and_then(number::parse).filter(|n| name == "score" && n.is_finite());
        match text {
            Some(text) => json::string(text, out),
            // OTel wants a text, and a number.
            None if matches!(name, "id" | "content") && !value.is_string() => json::string(value.to_text(arena), out),
            None if number.is_some() => out.extend_from_slice_copy(value.source()),
            None => object.unwrap_or(value).write(out),
        }
    }
    if count == 0 {
        out.pop();
        document.write(out);
    } else {
        const SAID: &[&str] = &[
            "id",
            "doc_id",
            "document_id",
            "id_",
            "node_id",
            "score",
            "relevance_score",
            "similarity",
            "page_content",
            "pageContent",
            "content",
            "text",
            "metadata",
            "meta",
            "kwargs",
            "node",
            "document",
            "lc",
            "type",
        ];
        fields.write_rest(&|key, _| text::any(key, SAID), &mut count, out);
        out.push(b'}');
    }
}

/// The length of the first vector, or what Langfuse's OpenAI wrapper says of it: `{"dimensions": 3, "count": 1}`.
fn put_dimensions(n: &mut Normalizer, content: Content) {
    let Some(mut j) = content.json else { return };
    if let Some(length) = j.get("dimensions").and_then(|d| d.as_i64()) {
        return n.c.derive(Field::EmbeddingDimensions, Value::Int(length));
    }
    for _ in 0..4 {
        if let Some(inner) = j.any(&["data", "embeddings", "embedding"]) {
            j = inner;
        } else if let Some(first) = j.items().next().filter(|f| f.is_array() || f.is_object()) {
            j = first;
        } else {
            break;
        }
    }
    let length = j.items().count();
    if length > 1 && j.items().all(|x| x.as_f64().is_some()) {
        n.c.derive(Field::EmbeddingDimensions, Value::Int(length as i64));
    }
}
