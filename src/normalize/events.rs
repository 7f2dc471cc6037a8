//! Messages that travel as span events: OTel 1.27 to 1.36, and the details event of later versions.

use super::messages::{self, Side};
use super::{Fate, Normalizer, content, is_too_large, scalar};
use crate::conventions::{self, ConventionSet, PLAIN, To};
use crate::genai::{DERIVED, Field, Kind};
use crate::json;
use crate::keys::Keys;
use crate::span::value;
use crate::span::{Event, Value};
use crate::text::{self, Out};
use bumpalo::collections::Vec as BumpVec;

/// Events that mark a piece of a streamed answer, in order: the first tells when it began.
const FIRST_PIECES: &[&str] = &[
    "First Token Stream Event",
    "gen_ai.content.completion.chunk",
    "llm.content.completion.chunk",
    // Langtrace.
    "gen_ai.completion.chunk",
    "stream.output",
    "mlflow.chunk.item.0",
];

/// On the span of a tool: what it was called with, or what it gave, in the first of the attributes that is there.
const OF_TOOL: &[(&str, (Field, &[&str]))] = &[
    // Strands.
    ("gen_ai.tool.message", (Field::ToolCallArguments, &["content"])),
    ("gen_ai.choice", (Field::ToolCallResult, &["message"])),
    // Claude Code.
    ("tool.output", (Field::ToolCallResult, &["output", "content", "diff"])),
];

/// Attributes of events, whatever the event, that tell a field of the span.
const TOLD: &[(&str, To)] = &[
    ("ai.response.msToFirstChunk", To::FirstTokenAfter(1_000_000)),
    ("ai.stream.msToFirstChunk", To::FirstTokenAfter(1_000_000)),
    ("lmnr.event.session_id", To::Field(Field::SessionId)),
    ("lmnr.event.user_id", To::Field(Field::UserId)),
];
/// Trust of what an event tells.
const WEAK: u8 = 40;

/// Attributes of the details event.
const DETAILS: &[(&str, Field)] = &[
    ("gen_ai.input.messages", Field::InputMessages),
    ("gen_ai.output.messages", Field::OutputMessages),
    ("gen_ai.system_instructions", Field::SystemInstructions),
    ("gen_ai.tool.definitions", Field::ToolDefinitions),
];

/// What an event says.
#[derive(Clone, Copy)]
enum Says {
    /// A message: on which side, and whose.
    Message(Side, &'static str),
    /// A field whole, in `message.detail` (Galileo).
    Detail(Field),
    /// All messages of a side, in this attribute.
    Messages(Side, &'static str),
    /// What the attributes of later versions say.
    Details,
    /// A document that a vector database found.
    Document,
    /// Nothing more than the span: the first chunk (once it is [`TOLD`]) and the end of a Vercel stream, the pieces of a streamed
    /// answer after the first, vectors that were searched for.
    Spent,
    /// Content, which stays.
    Other,
}

const SAYS: &[(&str, Says)] = &[
    ("gen_ai.system.message", Says::Message(Side::Input, "system")),
    ("gen_ai.user.message", Says::Message(Side::Input, "user")),
    ("gen_ai.assistant.message", Says::Message(Side::Input, "assistant")),
    ("gen_ai.tool.message", Says::Message(Side::Input, "tool")),
    ("gen_ai.choice", Says::Message(Side::Output, "assistant")),
    ("gen_ai.invoke_agent_request", Says::Detail(Field::EntityInput)),
    ("gen_ai.invoke_agent_response", Says::Detail(Field::EntityOutput)),
    ("gen_ai.tools", Says::Detail(Field::ToolDefinitions)),
    ("gen_ai.tool_call_args", Says::Detail(Field::ToolCallArguments)),
    ("gen_ai.tool_response", Says::Detail(Field::ToolCallResult)),
    ("gen_ai.content.prompt", Says::Messages(Side::Input, "gen_ai.prompt")),
    ("gen_ai.content.completion", Says::Messages(Side::Output, "gen_ai.completion")),
    ("gen_ai.client.agent.invoke.operation.details", Says::Details),
    ("gen_ai.client.inference.operation.details", Says::Details),
    ("db.query.result", Says::Document),
    ("db.search.result", Says::Document),
    ("ai.stream.firstChunk", Says::Spent),
    ("ai.stream.finish", Says::Spent),
    ("llm.content.completion.chunk", Says::Spent),
    ("db.query.embeddings", Says::Spent),
    ("db.search.embeddings", Says::Spent),
    ("gen_ai.evaluation.result", Says::Other),
];

fn says(name: &[u8]) -> Option<Says> {
    if name.starts_with(b"mlflow.chunk.item.") { Some(Says::Spent) } else { text::lookup(SAYS, name) }
}

/// The conventions that an event proves on a span whose attributes and scope prove none: by its keys, or by a name that says what a model was
/// asked or answered.
pub(super) fn proves(event: &Event, keys: &Keys) -> ConventionSet {
    let is_known = event.name.starts_with(b"gen_ai.") || says(event.name).is_some();
    let by_name = if is_known { conventions::proven_by(b"gen_ai.") } else { 0 };
    by_name | super::recognise_start(event.attributes.iter().map(|attr| attr.key), keys)
}

/// Reads the events into the canonical form; an event that is said by a field is mapped.
pub(super) fn read<'a>(n: &mut Normalizer<'_, 'a>, fates: &mut [Fate<'a>]) {
    let arena = n.cx.arena;
    let mut input = BumpVec::new_in(arena);
    let mut output = BumpVec::new_in(arena);
    let mut system = BumpVec::new_in(arena);
    let mut documents = BumpVec::new_in(arena);
    for (event, fate) in n.span.events.iter().zip(fates) {
        if event.attributes.iter().any(|attr| is_too_large(&attr.value, n.cx)) {
            n.unread += 1;
            continue;
        }
        if text::any(event.name, FIRST_PIECES)
            && let Some(nanos) = event.time.checked_sub(n.span.start)
        {
            n.c.derive(Field::TimeToFirstChunk, Value::Double(nanos as f64 / 1e9));
        }
        for (key, to) in TOLD {
            if let Some(value) = attribute(n, event, key) {
                n.apply(to, value, None, WEAK, DERIVED);
            }
        }
        if n.c.kind == Some(Kind::ExecuteTool)
            && let Some((field, keys)) = text::lookup(OF_TOOL, event.name)
        {
            let value = keys.iter().find_map(|key| attribute(n, event, key)).and_then(|v| scalar::convert(field, v, arena));
            if let Some(value) = value {
                n.c.derive(field, value);
                *fate = Fate::Mapped;
            }
            continue;
        }
        let mapped = match says(event.name) {
            Some(Says::Message(side, role)) => {
                let out = match (side, role) {
                    (_, "system") => &mut system,
                    (Side::Input, _) => &mut input,
                    (Side::Output, _) => &mut output,
                };
                out.push(if out.is_empty() { b'[' } else { b',' });
                write_message(n, event, role, out);
                // Strands' loop: what the tools gave stands beside the message that called them.
                let results = attribute(n, event, "tool.result").and_then(|v| value::parsed(v, arena));
                if let Some(results) = results.filter(|r| is_parts(*r)) {
                    out.extend_from_slice_copy(b",{\"role\":\"tool\",\"content\":");
                    results.write(out);
                    out.push(b'}');
                }
                true
            }
            Some(Says::Detail(field)) => {
                let value = attribute(n, event, "message.detail");
                value.into_iter().for_each(|value| n.put(field, value, PLAIN, DERIVED));
                value.is_some()
            }
            Some(Says::Messages(side, key)) => {
                let value = attribute(n, event, key);
                value.into_iter().for_each(|value| offer(n, side, value));
                value.is_some()
            }
            Some(Says::Details) => {
                let mut said = true;
                for attr in event.attributes {
                    said &= match text::lookup(DETAILS, n.cx.keys.text(attr.key)) {
                        Some(Field::InputMessages) => detail(n, Side::Input, &attr.value),
                        Some(Field::OutputMessages) => detail(n, Side::Output, &attr.value),
                        Some(field) => whole(n, field, &attr.value),
                        None => false,
                    };
                }
                said
            }
            Some(Says::Document) => {
                documents.push(if documents.is_empty() { b'[' } else { b',' });
                write_document(n, event, &mut documents);
                true
            }
            Some(Says::Spent) => true,
            Some(Says::Other) | None => false,
        };
        if mapped {
            *fate = Fate::Mapped;
        }
    }
    if !documents.is_empty() {
        documents.push(b']');
        n.c.derive(Field::RetrievalDocuments, Value::Str(documents.into_bump_slice()));
    }
    if !system.is_empty() {
        system.push(b']');
        instruct(n, system.into_bump_slice());
    }
    for (side, mut list) in [(Side::Input, input), (Side::Output, output)] {
        if !list.is_empty() {
            list.push(b']');
            offer(n, side, &Value::Str(list.into_bump_slice()));
        }
    }
}

/// What the attributes of a document are, by the last step of their keys.
const OF_DOCUMENT: &[(&str, &str)] =
    &[("id", "id"), ("score", "score"), ("distance", "score"), ("document", "content"), ("entity", "content"), ("metadata", "metadata")];

/// A document of a vector database, from its event; vectors are left out.
fn write_document<'a>(n: &Normalizer<'_, 'a>, event: &Event<'a>, out: &mut Out<'a>) {
    out.push(b'{');
    let mut count = 0;
    for attr in event.attributes {
        let Some(member) = n.cx.keys.text(attr.key).rsplit(|b| *b == b'.').next() else { continue };
        let Some(name) = text::lookup(OF_DOCUMENT, member) else { continue };
        json::member(out, &mut count, name.as_bytes());
        value::write_json(attr.value, out);
    }
    out.push(b'}');
}

/// System messages of events are instructions: their parts, without the messages around them.
fn instruct<'a>(n: &mut Normalizer<'_, 'a>, list: &'a [u8]) {
    let arena = n.cx.arena;
    let Ok(conversation) = messages::read(list, json::parse(list, arena), Side::Input, arena) else { return };
    let Some(read) = json::parse(conversation.messages, arena) else { return };
    let mut parts = BumpVec::new_in(arena);
    for message in read.items() {
        parts.extend(message.get("parts").into_iter().flat_map(json::Json::items));
    }
    n.c.derive(Field::SystemInstructions, Value::Str(json::list(&parts, arena)));
}

/// Messages from an event fill what no attribute says.
fn offer<'a>(n: &mut Normalizer<'_, 'a>, side: Side, value: &Value<'a>) {
    let field = if side == Side::Input { Field::InputMessages } else { Field::OutputMessages };
    if n.c.has(field) {
        return;
    }
    content::put_messages(n, side, value, PLAIN, DERIVED);
}

/// Messages of the details event. False: something else is the field's value already. The messages of a tool's span, which
/// Strands writes, are its arguments and result once more.
fn detail<'a>(n: &mut Normalizer<'_, 'a>, side: Side, value: &Value<'a>) -> bool {
    let (messages, of_tool) = match side {
        Side::Input => (Field::InputMessages, Field::ToolCallArguments),
        Side::Output => (Field::OutputMessages, Field::ToolCallResult),
    };
    if n.c.kind == Some(Kind::ExecuteTool) && n.c.has(of_tool) {
        return true;
    }
    let free = !n.c.has(messages);
    offer(n, side, value);
    free && n.c.has(messages)
}

/// A field that an event holds whole. False: something else is the field's value already.
fn whole<'a>(n: &mut Normalizer<'_, 'a>, field: Field, value: &Value<'a>) -> bool {
    if field == Field::SystemInstructions
        && let Some(text) = value.as_str()
    {
        // Plain text too: the registry wants a list of parts.
        let parts = messages::instructions(text, n.cx.arena);
        if parts != b"[]" {
            n.c.derive(field, Value::Str(parts));
        }
        return parts == b"[]" || n.c.text(field) == Some(parts);
    }
    let Some(value) = scalar::convert(field, value, n.cx.arena) else { return false };
    n.c.derive(field, value);
    n.c.get(field) == Some(value)
}

/// The value of an attribute of an event.
pub(super) fn attribute<'a>(n: &Normalizer<'_, 'a>, event: &Event<'a>, key: &str) -> Option<&'a Value<'a>> {
    event.attributes.iter().find(|a| text::is(n.cx.keys.text(a.key), key)).map(|a| &a.value)
}

/// Parts of OpenAI's form, or of Bedrock Converse, which Strands writes.
fn is_parts(list: json::Json) -> bool {
    const MEMBERS: &[&str] = &["type", "text", "function", "toolUse", "toolResult", "reasoningContent", "image", "document"];
    list.is_array() && list.items().all(|part| part.any(MEMBERS).is_some())
}

/// One message as a JSON object: what the attributes say, JSON in text unwrapped.
fn write_message<'a>(n: &Normalizer<'_, 'a>, event: &Event<'a>, role: &str, out: &mut Out<'a>) {
    let arena = n.cx.arena;
    let mut count = 0;
    out.push(b'{');
    let mut member = |name: &[u8], value: &[u8]| {
        json::member(out, &mut count, name);
        out.extend_from_slice_copy(value);
    };
    member(b"role", value::to_json(&Value::Str(role.as_bytes()), arena));
    for attr in event.attributes {
        let key = text::as_keyword(n.cx.keys.text(attr.key));
        let whole = ["gen_ai.event.content", "message", "message.detail"].contains(&key);
        let name = match key {
            _ if whole => "content",
            "id" | "content" | "finish_reason" | "name" | "tool_calls" => key,
            _ => continue,
        };
        let text = match attr.value {
            Value::Array(_) | Value::Map(_) => Some(value::to_json(&attr.value, arena)),
            value => value.as_str(),
        };
        let parsed = text.and_then(|t| json::parse(t, arena));
        match parsed {
            // The whole message, or the choice's message, in one attribute.
            Some(said) if whole && said.is_object() => {
                let message = said.get("message");
                if let Some(reason) = message.and_then(|_| said.get("finish_reason")) {
                    member(b"finish_reason", reason.to_text(arena));
                }
                for (key, value) in message.unwrap_or(said).entries().filter(|(key, _)| !text::is(key, "role")) {
                    let mut name = BumpVec::new_in(arena);
                    json::escape(key, &mut name);
                    member(&name, value.to_text(arena));
                }
            }
            // A list of parts; any other JSON in a content is the user's text. LiveKit writes each call as JSON text.
            Some(list) if name == "content" && is_parts(list) || name == "tool_calls" && list.is_array() => {
                member(name.as_bytes(), list.to_text(arena));
            }
            _ if name == "tool_calls" => {}
            _ => member(name.as_bytes(), value::to_json(&attr.value, arena)),
        }
    }
    out.push(b'}');
}
