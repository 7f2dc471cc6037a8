//! Attributes that several fields make together, or one field many: for backends that want a JSON object, a list that is
//! spread over indexed keys, or a message shape of their own. The choice of what to write is in the profiles.

use crate::genai::{Canonical, DERIVED, Field, Fields};
use crate::json::{self, Json};
use crate::span::value;
use crate::span::{Span, Value};
use crate::text::Out;
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

/// The parts of a message, if it is made of nothing else: at most one thought and one text, then calls of tools. What ChatML and
/// OpenInference can say without a part being lost or moved.
pub struct Plain<'a> {
    /// What was thought.
    pub reasoning: Option<Json<'a>>,
    /// What was said.
    pub text: Option<Json<'a>>,
    /// The tools that are to be called.
    pub calls: BumpVec<'a, Json<'a>>,
}

fn has_only(part: Json, members: &[&str]) -> bool {
    part.entries().all(|(key, _)| members.iter().any(|member| member.as_bytes() == key))
}

/// What type of part it is.
pub fn part_type<'a>(part: Json<'a>) -> &'a [u8] {
    part.get("type").and_then(|t| t.word()).unwrap_or_default()
}

impl<'a> Plain<'a> {
    /// The parts of a message; `None`: it is not as plain as that.
    pub fn new(message: Json<'a>, arena: &'a Bump) -> Option<Self> {
        let mut plain = Plain { reasoning: None, text: None, calls: BumpVec::new_in(arena) };
        for part in message.get("parts")?.items() {
            let content = part.get("content").filter(|content| content.is_string() && has_only(part, &["type", "content"]));
            match (part_type(part), content) {
                (b"reasoning", Some(thought)) if plain.reasoning.is_none() && plain.text.is_none() && plain.calls.is_empty() => {
                    plain.reasoning = Some(thought);
                }
                (b"text", Some(text)) if plain.text.is_none() && plain.calls.is_empty() => plain.text = Some(text),
                (b"tool_call", _) if has_only(part, &["type", "id", "name", "arguments"]) => plain.calls.push(part),
                _ => return None,
            }
        }
        Some(plain)
    }
}

/// The results of tools, if a message holds nothing else.
pub fn results<'a>(message: Json<'a>, arena: &'a Bump) -> Option<BumpVec<'a, Json<'a>>> {
    let parts = BumpVec::from_iter_in(message.get("parts")?.items(), arena);
    let is_result = |part: &Json| part_type(*part) == b"tool_call_response" && has_only(*part, &["type", "id", "response"]);
    (!parts.is_empty() && parts.iter().all(is_result)).then_some(parts)
}

/// The text of a call's arguments.
pub fn arguments<'a>(call: Json<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    call.get("arguments").map(|a| a.text(arena).unwrap_or_else(|| a.to_text(arena)))
}

/// Messages as ChatML. One message of tool results becomes one for each result; parts that ChatML has no word for stay as
/// they are among the content.
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

    /// The role stands as in JSON.
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

    /// Instructions that came apart from the messages: `[part]`.
    pub fn instructions(&mut self, parts: Json<'a>) {
        let mut items = parts.items();
        let only = items.next().filter(|part| items.next().is_none() && part_type(*part) == b"text").and_then(|part| part.get("content"));
        self.open("system");
        self.member("content", Some(only.unwrap_or(parts)));
        self.raw("}");
    }

    /// Messages in the canonical form: `[{role, parts}]`.
    pub fn messages(&mut self, list: Json<'a>) {
        list.items().for_each(|message| self.message(message));
    }

    fn message(&mut self, m: Json<'a>) {
        let arena = self.arena;
        if let Some(results) = results(m, arena) {
            for result in results {
                self.open("tool");
                self.member("tool_call_id", result.get("id"));
                self.member("content", result.get("response"));
                self.raw("}");
            }
            return;
        }
        let role = m.get("role").and_then(|role| role.word()).and_then(|role| std::str::from_utf8(role).ok());
        self.open(role.unwrap_or("user"));
        self.member("name", m.get("name"));
        match Plain::new(m, arena) {
            Some(plain) => {
                self.member("reasoning_content", plain.reasoning);
                match plain.text {
                    Some(text) => self.member("content", Some(text)),
                    None => self.raw(",\"content\":null"),
                }
                for (i, call) in plain.calls.iter().enumerate() {
                    self.raw(if i == 0 { ",\"tool_calls\":[{\"type\":\"function\"" } else { ",{\"type\":\"function\"" });
                    self.member("id", call.get("id"));
                    self.raw(",\"function\":{\"name\":");
                    match call.get("name") {
                        Some(name) => name.write(&mut self.out),
                        None => self.raw("\"\""),
                    }
                    if let Some(arguments) = arguments(*call, arena) {
                        self.raw(",\"arguments\":");
                        json::string(arguments, &mut self.out);
                    }
                    self.raw("}}");
                }
                self.raw(if plain.calls.is_empty() { "" } else { "]" });
            }
            None => self.member("content", m.get("parts")),
        }
        self.member("finish_reason", m.get("finish_reason"));
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
    if let Some(parts) = parsed(Field::SystemInstructions).filter(|_| field == Field::InputMessages) {
        chat.instructions(parts);
    }
    if let Some(list) = parsed(field) {
        chat.messages(list);
    }
    (chat.count > 0).then_some(chat)
}

/// Tool definitions as OpenAI writes them: `{"type":"function","function":{…}}`.
pub fn function<'a>(definition: Json<'a>, arena: &'a Bump) -> &'a [u8] {
    if !definition.get("type").is_some_and(|t| t.is("function")) || definition.get("function").is_some() {
        return definition.to_text(arena);
    }
    let mut out = BumpVec::new_in(arena);
    out.extend_from_slice_copy(b"{\"type\":\"function\",\"function\":{");
    for (i, (key, value)) in definition.entries().filter(|(key, _)| *key != b"type").enumerate() {
        json::separate(&mut out, i);
        out.push(b'"');
        out.extend_from_slice_copy(key);
        out.extend_from_slice_copy(b"\":");
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
