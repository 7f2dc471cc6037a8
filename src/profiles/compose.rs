//! Attributes that several fields make together, or one field many: for backends that want a JSON object, a list that is
//! spread over indexed keys, or a message shape of their own. The choice of what to write is in the profiles.

use crate::genai::{Canonical, DERIVED, Field, Fields};
use crate::json::{self, Json};
use crate::span::value;
use crate::span::{Span, Value};
use crate::text::{self, Out};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// What a profile composes from.
pub struct Source<'s, 'a> {
    /// The canonical form.
    pub c: &'s Canonical<'a>,
    /// The span.
    pub span: &'s Span<'a>,
    /// Memory of the run.
    pub arena: &'a Bump,
}

/// One attribute that was composed.
pub struct Item<'a> {
    /// Its key.
    pub key: &'a [u8],
    /// The list that it is part of: what comes before the index in its key; empty for none.
    pub list: &'static str,
    /// Its value.
    pub value: Value<'a>,
    /// Where the value came from ([`Canonical::origin`]).
    pub origin: u16,
    /// The fields that were said since the item before.
    says: [u64; 2],
}

impl Item<'_> {
    /// The fields that it says.
    pub fn fields(&self) -> Fields {
        Fields { left: self.says }
    }
}

/// What a profile composed.
pub struct Composed<'a> {
    /// The attributes, in order.
    pub items: BumpVec<'a, Item<'a>>,
    /// The fields that are said with them.
    said: [u64; 2],
    /// Those of the next item.
    saying: [u64; 2],
    /// The name that the span gets.
    pub name: Option<&'a [u8]>,
    /// An event: its time in ns since 1970, and its name.
    pub event: Option<(u64, &'static str)>,
    arena: &'a Bump,
}

impl<'a> Composed<'a> {
    /// Nothing yet.
    pub fn new(arena: &'a Bump) -> Self {
        Composed { items: BumpVec::new_in(arena), said: [0; 2], saying: [0; 2], name: None, event: None, arena }
    }

    /// Is the field said?
    pub fn says(&self, field: Field) -> bool {
        self.said[field as usize / 64] & 1 << (field as usize % 64) != 0
    }

    /// The field is said by what was composed.
    pub fn say(&mut self, field: Field) {
        let (word, bit) = (field as usize / 64, 1 << (field as usize % 64));
        self.said[word] |= bit;
        self.saying[word] |= bit;
    }

    /// The field is not said: the attribute that was to say it does not go out.
    pub fn unsay(&mut self, field: Field) {
        self.said[field as usize / 64] &= !(1 << (field as usize % 64));
    }

    fn push(&mut self, key: &'a [u8], list: &'static str, value: Value<'a>, origin: u16) {
        let says = std::mem::take(&mut self.saying);
        self.items.push(Item { key, list, value, origin, says });
    }

    /// Composes an attribute.
    pub fn put(&mut self, key: &'static str, value: Value<'a>, origin: u16) {
        self.push(key.as_bytes(), "", value, origin);
    }

    /// Composes an attribute of text.
    pub fn put_text(&mut self, key: &'static str, text: &'a [u8], origin: u16) {
        self.put(key, Value::Str(text), origin);
    }

    /// Composes one leaf of a list: `list` ends in its dot.
    pub fn put_leaf(&mut self, list: &'static str, path: std::fmt::Arguments<'_>, value: Value<'a>, origin: u16) {
        let mut key = bumpalo::collections::String::from_str_in(list, self.arena);
        // Writing into memory does not fail.
        let _ = std::fmt::Write::write_fmt(&mut key, path);
        self.push(key.into_bump_str().as_bytes(), list, value, origin);
    }

    /// Composes an attribute whose key begins with `prefix`.
    pub fn put_under(&mut self, prefix: &str, key: &[u8], value: Value<'a>, origin: u16) {
        let key = self.arena.alloc_slice_copy(&[prefix.as_bytes(), key].concat());
        self.push(key, "", value, origin);
    }

    /// Composes an attribute out of one field, and says the field.
    pub fn put_field(&mut self, c: &Canonical<'a>, key: &'static str, field: Field) {
        if let Some(value) = c.get(field) {
            self.say(field);
            self.put(key, value, c.origin(field));
        }
    }
}

/// Writes an object of the fields that are there; says them. `None`: none is there.
pub fn object<'a>(s: &Source<'_, 'a>, members: &[(&str, Field)], out: &mut Composed<'a>) -> Option<&'a [u8]> {
    let mut text = BumpVec::new_in(s.arena);
    for (name, field) in members {
        if let Some(value) = s.c.get(*field) {
            text.push(if text.is_empty() { b'{' } else { b',' });
            json::string(name.as_bytes(), &mut text);
            text.push(b':');
            value::write_json(value, &mut text);
            out.say(*field);
        }
    }
    if text.is_empty() {
        return None;
    }
    text.push(b'}');
    Some(text.into_bump_slice())
}

/// The parameters of a request, in the words of OpenAI that Langfuse and OpenInference show.
pub const PARAMETERS: &[(&str, Field)] = &[
    ("temperature", Field::Temperature),
    ("top_p", Field::TopP),
    ("top_k", Field::TopK),
    ("max_tokens", Field::MaxTokens),
    ("frequency_penalty", Field::FrequencyPenalty),
    ("presence_penalty", Field::PresencePenalty),
    ("stop", Field::StopSequences),
    ("seed", Field::Seed),
    ("n", Field::ChoiceCount),
    ("stream", Field::Stream),
    ("reasoning_effort", Field::ReasoningLevel),
    ("response_format", Field::OutputType),
];

fn has_only(part: Json, members: &[&str]) -> bool {
    part.entries().all(|(key, _)| text::any(key, members))
}

/// What a part is to a backend that does not know OTel's types.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// Text.
    Text,
    /// What the model thought.
    Reasoning,
    /// A call of a tool, of the application's or of the provider's.
    Call,
    /// The result of such a call.
    Result,
    /// An image, a sound, a video or a file.
    Media,
    /// Anything else.
    Other,
}

const PART_KINDS: &[(&str, PartKind)] = &[
    ("text", PartKind::Text),
    ("reasoning", PartKind::Reasoning),
    ("tool_call", PartKind::Call),
    ("server_tool_call", PartKind::Call),
    ("tool_call_response", PartKind::Result),
    ("server_tool_call_response", PartKind::Result),
    ("uri", PartKind::Media),
    ("blob", PartKind::Media),
    ("file", PartKind::Media),
];

/// What a part is.
pub fn part_kind(part: Json) -> PartKind {
    text::lookup(PART_KINDS, part_type(part)).unwrap_or(PartKind::Other)
}

/// The type of a part, as OTel names it.
pub fn part_type<'a>(part: Json<'a>) -> &'a [u8] {
    part.get("type").and_then(|t| t.word()).unwrap_or_default()
}

/// The parts of a message, in their order.
pub fn parts<'a>(message: Json<'a>) -> impl Iterator<Item = Json<'a>> {
    message.get("parts").into_iter().flat_map(|parts| parts.items())
}

/// How many of the parts of a message are results that come before all others.
pub fn leading_results(message: Json) -> usize {
    parts(message).take_while(|part| part_kind(*part) == PartKind::Result).count()
}

/// The arguments of a call as text; of a provider's tool, all that is known of it.
pub fn arguments<'a>(call: Json<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    call.any(&["arguments", "server_tool_call"]).map(|a| a.text(arena).unwrap_or_else(|| a.to_text(arena)))
}

/// The result of a call.
pub fn response<'a>(result: Json<'a>) -> Option<Json<'a>> {
    result.any(&["response", "server_tool_call_response"])
}

/// The media type of a part.
pub fn mime_type<'a>(part: Json<'a>) -> Option<&'a [u8]> {
    part.any(&["mime_type", "media_type"]).and_then(|mime| mime.word())
}

/// The words of media types and modalities for each kind of media.
const MODALITIES: &[(&str, &str)] = &[("image", "image"), ("audio", "audio"), ("video", "video")];

/// What a part of media is: `image`, `audio`, `video`, or a `document`.
pub fn modality(part: Json) -> &'static str {
    let of_type = || mime_type(part).and_then(|mime| mime.split(|c| *c == b'/').next());
    let word = part.get("modality").and_then(|m| m.word()).or_else(of_type).unwrap_or_default();
    text::lookup(MODALITIES, word).unwrap_or("document")
}

/// Where media are: their address, or a `data:` URL of what they are.
pub fn url<'a>(part: Json<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    if let Some(uri) = part.any(&["uri", "file_id"]) {
        return uri.text(arena);
    }
    let content = part.get("content")?.text(arena)?;
    let data = [b"data:", mime_type(part).unwrap_or(b"application/octet-stream"), b";base64,", content].concat();
    Some(arena.alloc_slice_copy(&data))
}

/// Messages as ChatML, as Langfuse reads it: texts and media in `content`, thoughts in `thinking`, calls in `tool_calls`, each result as a message
/// of role `tool`. What the message and its parts have beside that stays on them.
pub struct Chat<'a> {
    /// The messages, one after the other, with commas.
    out: Out<'a>,
    count: usize,
    arena: &'a Bump,
}

impl<'a> Chat<'a> {
    /// No messages yet.
    pub fn new(arena: &'a Bump) -> Self {
        Chat { out: BumpVec::new_in(arena), count: 0, arena }
    }

    /// Begins a message. The role stands as in JSON.
    fn open(&mut self, role: &str) {
        json::separate(&mut self.out, self.count);
        self.count += 1;
        self.raw("{\"role\":\"");
        self.raw(role);
        self.raw("\"");
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice_copy(text.as_bytes());
    }

    fn member(&mut self, name: &str, value: Option<Json>) {
        if let Some(value) = value {
            self.raw(",\"");
            self.raw(name);
            self.raw("\":");
            value.write(&mut self.out);
        }
    }

    fn text_member(&mut self, name: &str, text: &[u8]) {
        self.raw(",\"");
        self.raw(name);
        self.raw("\":");
        json::string(text, &mut self.out);
    }

    /// The members that have no place of their own.
    fn others(&mut self, of: Json, but: &[&str]) {
        for (key, value) in of.entries().filter(|(key, _)| !text::any(key, but)) {
            self.raw(",\"");
            self.out.extend_from_slice_copy(key);
            self.raw("\":");
            value.write(&mut self.out);
        }
    }

    /// Instructions that came apart from the messages: `[part]`.
    fn instructions(&mut self, parts: Json<'a>) {
        self.open("system");
        self.content(&mut || parts.items(), true);
        self.raw("}");
    }

    /// Messages in the canonical form: `[{role, parts}]`.
    fn messages(&mut self, list: Json<'a>) {
        list.items().for_each(|message| self.message(message));
    }

    fn message(&mut self, m: Json<'a>) {
        let of = |kind: PartKind| parts(m).filter(move |part| part_kind(*part) == kind);
        // Results that come first answer the calls before the message, others those in it.
        let first = leading_results(m);
        of(PartKind::Result).take(first).for_each(|result| self.result(result));
        if parts(m).next().is_none() || parts(m).any(|part| part_kind(part) != PartKind::Result) {
            let role = m.get("role").and_then(|role| role.word()).and_then(|role| std::str::from_utf8(role).ok());
            self.open(role.unwrap_or("user"));
            self.member("name", m.get("name"));
            for (i, thought) in of(PartKind::Reasoning).enumerate() {
                self.raw(if i == 0 { ",\"thinking\":[{\"type\":\"thinking\"" } else { ",{\"type\":\"thinking\"" });
                self.others(thought, &["type"]);
                self.raw("}");
            }
            self.raw(if of(PartKind::Reasoning).next().is_some() { "]" } else { "" });
            self.content(&mut || m.get("parts").map_or(json::Items::default(), Json::items), false);
            for (i, call) in of(PartKind::Call).enumerate() {
                self.raw(if i == 0 { ",\"tool_calls\":[{\"type\":\"function\"" } else { ",{\"type\":\"function\"" });
                self.member("id", call.get("id"));
                self.raw(",\"function\":{\"name\":");
                match call.get("name") {
                    Some(name) => name.write(&mut self.out),
                    None => self.raw("\"\""),
                }
                if let Some(arguments) = arguments(call, self.arena) {
                    self.text_member("arguments", arguments);
                }
                self.raw("}");
                self.others(call, &["type", "id", "name", "arguments", "server_tool_call"]);
                self.raw("}");
            }
            self.raw(if of(PartKind::Call).next().is_some() { "]" } else { "" });
            self.others(m, &["role", "parts", "name"]);
            self.raw("}");
        }
        of(PartKind::Result).skip(first).for_each(|result| self.result(result));
    }

    fn result(&mut self, result: Json<'a>) {
        self.open("tool");
        self.member("tool_call_id", result.get("id"));
        self.member("content", response(result));
        self.others(result, &["type", "id", "response", "server_tool_call_response"]);
        self.raw("}");
    }

    /// What a message says and shows: one text as text, else a list of parts; `null` where there is nothing.
    fn content(&mut self, parts: &mut dyn FnMut() -> json::Items<'a>, is_instructions: bool) {
        let is_shown = |part: &Json| is_instructions || matches!(part_kind(*part), PartKind::Text | PartKind::Media | PartKind::Other);
        let mut shown = parts().filter(is_shown);
        let (first, second) = (shown.next(), shown.next());
        let Some(first) = first else { return self.raw(",\"content\":null") };
        let text = first.get("content").filter(|content| content.is_string() && has_only(first, &["type", "content"]));
        if let Some(text) = text.filter(|_| second.is_none() && part_kind(first) == PartKind::Text) {
            return self.member("content", Some(text));
        }
        self.raw(",\"content\":[");
        for (i, part) in parts().filter(is_shown).enumerate() {
            json::separate(&mut self.out, i);
            self.part(part);
        }
        self.raw("]");
    }

    fn part(&mut self, part: Json<'a>) {
        let mime = mime_type(part).unwrap_or_default();
        match part_kind(part) {
            PartKind::Media if modality(part) == "image" => {
                self.raw("{\"type\":\"image_url\",\"image_url\":{\"url\":");
                json::string(url(part, self.arena).unwrap_or_default(), &mut self.out);
                self.raw("}");
            }
            PartKind::Media if modality(part) == "audio" && part.get("content").is_some() => {
                self.raw("{\"type\":\"input_audio\",\"input_audio\":{\"data\":");
                json::string(part.get("content").and_then(|data| data.text(self.arena)).unwrap_or_default(), &mut self.out);
                let format = mime.split(|c| *c == b'/').nth(1).unwrap_or(b"wav");
                self.text_member("format", format);
                self.raw("}");
            }
            PartKind::Media => {
                self.raw("{\"type\":\"file\",\"file\":{\"");
                self.raw(if part.get("file_id").is_some() { "file_id" } else { "file_data" });
                self.raw("\":");
                json::string(url(part, self.arena).unwrap_or_default(), &mut self.out);
                self.member("filename", part.any(&["filename", "name"]));
                self.raw("}");
            }
            PartKind::Text | PartKind::Reasoning => {
                self.raw("{\"type\":\"text\"");
                self.member("text", part.get("content"));
                self.others(part, &["type", "content"]);
                return self.raw("}");
            }
            _ => return part.write(&mut self.out),
        }
        self.others(part, &["type", "content", "uri", "file_id", "filename", "name", "modality"]);
        self.raw("}");
    }

    /// The messages as a JSON list.
    pub fn list(&self) -> &'a [u8] {
        let mut out = BumpVec::with_capacity_in(self.out.len() + 2, self.arena);
        out.push(b'[');
        out.extend_from_slice_copy(&self.out);
        out.push(b']');
        out.into_bump_slice()
    }

    /// The message, where there is one; the list of several.
    pub fn answer(&self) -> &'a [u8] {
        if self.count == 1 { self.arena.alloc_slice_copy(&self.out) } else { self.list() }
    }
}

/// The messages of a span as ChatML, instructions first; `None`: it has none.
pub fn chat<'a>(c: &Canonical<'a>, field: Field, arena: &'a Bump) -> Option<Chat<'a>> {
    let parsed = |field| c.text(field).and_then(|text| json::parse(text, arena)).filter(|list: &Json| list.is_array());
    let mut chat = Chat::new(arena);
    // Instructions alone are not a conversation: what the user said stands elsewhere.
    let list = parsed(field).filter(|list| !list.is_empty())?;
    if let Some(parts) = parsed(Field::SystemInstructions).filter(|_| field == Field::InputMessages) {
        chat.instructions(parts);
    }
    chat.messages(list);
    Some(chat)
}

/// Tool definitions as OpenAI writes them: `{"type":"function","function":{…}}`.
pub fn function<'a>(definition: Json<'a>, arena: &'a Bump) -> &'a [u8] {
    if !definition.get("type").is_some_and(|t| t.is("function")) || definition.get("function").is_some() {
        return definition.to_text(arena);
    }
    let mut out = BumpVec::new_in(arena);
    out.extend_from_slice_copy(b"{\"type\":\"function\",\"function\":{");
    let mut count = 0;
    for (key, value) in definition.entries().filter(|(key, _)| *key != b"type") {
        json::member(&mut out, &mut count, key);
        value.write(&mut out);
    }
    out.extend_from_slice_copy(b"}}");
    out.into_bump_slice()
}

/// When the first piece of the answer came, in ns since 1970.
pub fn first_chunk(s: &Source) -> Option<u64> {
    match s.c.get(Field::TimeToFirstChunk)? {
        Value::Double(seconds) => s.span.start.checked_add((seconds * 1e9).round() as u64),
        _ => None,
    }
}

/// The origin of the first of these fields that has a value.
pub fn origin(c: &Canonical, fields: &[Field]) -> u16 {
    fields.iter().find(|field| c.has(**field)).map_or(DERIVED, |field| c.origin(*field))
}
