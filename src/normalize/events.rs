//! Messages that travel as span events: OTel 1.27 to 1.36, and the details event of later versions.

use super::canonical::{DERIVED, Field, Kind};
use super::messages::{self, Side};
use super::{Fate, Normalizer, content, scalar};
use crate::conventions::{PLAIN, To, words};
use crate::json;
use crate::span::{Event, Value};
use bumpalo::collections::Vec as BumpVec;

/// Events that mark a piece of a streamed answer, in order: the first tells when it began.
const FIRST_PIECES: &[&[u8]] = &[
    b"First Token Stream Event",
    b"gen_ai.content.completion.chunk",
    b"llm.content.completion.chunk",
    // Langtrace.
    b"gen_ai.completion.chunk",
    b"stream.output",
    b"mlflow.chunk.item.0",
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
const TOLD: &[(&[u8], To)] = &[
    (b"ai.response.msToFirstChunk", To::FirstTokenAfter(1_000_000)),
    (b"ai.stream.msToFirstChunk", To::FirstTokenAfter(1_000_000)),
    (b"lmnr.event.session_id", To::Field(Field::SessionId)),
    (b"lmnr.event.user_id", To::Field(Field::UserId)),
];
/// Events that say nothing more than the span: the first chunk (once it is [`TOLD`]) and the end of a Vercel stream, the pieces of a
/// streamed answer after the first, vectors that were searched for.
const SPENT: &[&[u8]] =
    &[b"ai.stream.firstChunk", b"ai.stream.finish", b"llm.content.completion.chunk", b"db.query.embeddings", b"db.search.embeddings"];
/// A document that a vector database found, each.
const DOCUMENTS: &[&[u8]] = &[b"db.query.result", b"db.search.result"];
/// Trust of what an event tells.
const WEAK: u8 = 40;

/// Where an event's message goes, and whose it is.
const ROLES: &[(&str, (Side, &str))] = &[
    ("gen_ai.system.message", (Side::Input, "system")),
    ("gen_ai.user.message", (Side::Input, "user")),
    ("gen_ai.assistant.message", (Side::Input, "assistant")),
    ("gen_ai.tool.message", (Side::Input, "tool")),
    ("gen_ai.choice", (Side::Output, "assistant")),
];

/// Events of Galileo that hold a field whole.
const DETAILS: &[(&str, Field)] = &[
    ("gen_ai.invoke_agent_request", Field::EntityInput),
    ("gen_ai.invoke_agent_response", Field::EntityOutput),
    ("gen_ai.tools", Field::ToolDefinitions),
    ("gen_ai.tool_call_args", Field::ToolCallArguments),
    ("gen_ai.tool_response", Field::ToolCallResult),
];

/// Is what such an event says content: a message, a piece of an answer, a document?
pub(crate) fn carries_content(name: &[u8]) -> bool {
    const OTHERS: &[&[u8]] = &[
        b"gen_ai.content.prompt",
        b"gen_ai.content.completion",
        b"gen_ai.client.inference.operation.details",
        b"gen_ai.evaluation.result",
    ];
    let mut told =
        ROLES.iter().map(|(name, _)| *name).chain(OF_TOOL.iter().map(|(name, _)| *name)).chain(DETAILS.iter().map(|(name, _)| *name));
    told.any(|known| known.as_bytes() == name)
        || name.starts_with(b"mlflow.chunk.item.")
        || [FIRST_PIECES, SPENT, DOCUMENTS, OTHERS].iter().any(|names| names.contains(&name))
}

/// Reads the events into the canonical form; an event that is said by a field is mapped.
pub(super) fn read<'a>(n: &mut Normalizer<'_, 'a>, fates: &mut [Fate<'a>]) {
    let arena = n.cx.arena;
    let mut input = BumpVec::new_in(arena);
    let mut output = BumpVec::new_in(arena);
    let mut system = BumpVec::new_in(arena);
    let mut documents = BumpVec::new_in(arena);
    for (event, fate) in n.span.events.iter().zip(fates) {
        if FIRST_PIECES.contains(&event.name)
            && let Some(nanos) = event.time.checked_sub(n.span.start)
        {
            n.c.derive(Field::TimeToFirstChunk, Value::Double(nanos as f64 / 1e9));
        }
        for (key, to) in TOLD {
            if let Some(value) = attribute(n, event, key) {
                n.apply(*to, value, None, WEAK, DERIVED);
            }
        }
        if SPENT.contains(&event.name) || event.name.starts_with(b"mlflow.chunk.item.") {
            *fate = Fate::Mapped;
        }
        if DOCUMENTS.contains(&event.name) {
            documents.push(event);
            *fate = Fate::Mapped;
        }
        if n.c.kind == Some(Kind::ExecuteTool)
            && let Some((field, keys)) = words::value(OF_TOOL, event.name)
        {
            let value = keys.iter().find_map(|key| attribute(n, event, key.as_bytes())).and_then(|v| scalar::convert(field, v, arena));
            if let Some(value) = value {
                n.c.derive(field, value);
                *fate = Fate::Mapped;
            }
        } else if let Some((side, role)) = words::value(ROLES, event.name) {
            let out = match (side, role) {
                (_, "system") => &mut system,
                (Side::Input, _) => &mut input,
                (Side::Output, _) => &mut output,
            };
            out.push(if out.is_empty() { b'[' } else { b',' });
            write_message(n, event, role, out);
            // Strands' loop: what the tools gave stands beside the message that called them.
            if let Some(results) = attribute(n, event, b"tool.result").and_then(|v| scalar::parsed(v, arena)).filter(|r| is_parts(*r)) {
                out.extend_from_slice(b",{\"role\":\"tool\",\"content\":");
                results.write(out);
                out.push(b'}');
            }
            *fate = Fate::Mapped;
        } else if let Some(field) = words::value(DETAILS, event.name)
            && let Some(value) = attribute(n, event, b"message.detail")
        {
            n.put(field, value, PLAIN, DERIVED);
            *fate = Fate::Mapped;
        } else if event.name == b"gen_ai.content.prompt" || event.name == b"gen_ai.content.completion" {
            let side = if event.name.ends_with(b"prompt") { Side::Input } else { Side::Output };
            if let Some(value) = attribute(n, event, if side == Side::Input { b"gen_ai.prompt" } else { b"gen_ai.completion" }) {
                offer(n, side, value);
                *fate = Fate::Mapped;
            }
        } else if event.name == b"gen_ai.client.inference.operation.details" {
            let mut said = true;
            for attr in event.attributes {
                said &= match words::short(n.cx.keys.text(attr.key)) {
                    "gen_ai.input.messages" => detail(n, Side::Input, attr.value),
                    "gen_ai.output.messages" => detail(n, Side::Output, attr.value),
                    "gen_ai.system_instructions" => whole(n, Field::SystemInstructions, attr.value),
                    "gen_ai.tool.definitions" => whole(n, Field::ToolDefinitions, attr.value),
                    _ => false,
                };
            }
            if said {
                *fate = Fate::Mapped;
            }
        }
    }
    if !documents.is_empty() && !n.c.has(Field::RetrievalDocuments) {
        n.c.derive(Field::RetrievalDocuments, Value::Str(found(n, &documents)));
    }
    if !system.is_empty() {
        system.push(b']');
        instruct(n, system.into_bump_slice());
    }
    for (side, mut list) in [(Side::Input, input), (Side::Output, output)] {
        if !list.is_empty() {
            list.push(b']');
            offer(n, side, Value::Str(list.into_bump_slice()));
        }
    }
}

/// The documents of a vector database, from one event each; vectors are left out.
fn found<'a>(n: &Normalizer<'_, 'a>, events: &[&Event<'a>]) -> &'a [u8] {
    let arena = n.cx.arena;
    let mut out = BumpVec::new_in(arena);
    out.push(b'[');
    for (i, event) in events.iter().enumerate() {
        json::separate(&mut out, i);
        out.push(b'{');
        let mut count = 0;
        for attr in event.attributes {
            let key = n.cx.keys.text(attr.key);
            let name = match key.rsplit(|b| *b == b'.').next().map(words::short) {
                Some("id") => "id",
                Some("score" | "distance") => "score",
                Some("document" | "entity") => "content",
                Some("metadata") => "metadata",
                _ => continue,
            };
            json::separate(&mut out, count);
            count += 1;
            json::string(name.as_bytes(), &mut out);
            out.push(b':');
            scalar::write_json(attr.value, &mut out);
        }
        out.push(b'}');
    }
    out.push(b']');
    out.into_bump_slice()
}

/// System messages of events are instructions: their parts, without the messages around them.
fn instruct<'a>(n: &mut Normalizer<'_, 'a>, list: &'a [u8]) {
    let arena = n.cx.arena;
    let Some(conversation) = messages::read(list, json::parse(list, arena), Side::Input, arena) else { return };
    let Some(read) = json::parse(conversation.messages, arena) else { return };
    let mut parts = BumpVec::new_in(arena);
    for message in read.items() {
        parts.extend(message.get("parts").into_iter().flat_map(json::Json::items));
    }
    n.c.derive(Field::SystemInstructions, Value::Str(json::list(&parts, arena)));
}

/// Messages from an event fill what no attribute says.
fn offer<'a>(n: &mut Normalizer<'_, 'a>, side: Side, value: Value<'a>) {
    let field = if side == Side::Input { Field::InputMessages } else { Field::OutputMessages };
    if n.c.has(field) {
        return;
    }
    content::put_messages(n, side, value, PLAIN, DERIVED);
}

/// Messages of the details event. False: something else is the field's value already. The messages of a tool's span, which
/// Strands writes, are its arguments and result once more.
fn detail<'a>(n: &mut Normalizer<'_, 'a>, side: Side, value: Value<'a>) -> bool {
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
fn whole<'a>(n: &mut Normalizer<'_, 'a>, field: Field, value: Value<'a>) -> bool {
    let Some(value) = scalar::convert(field, value, n.cx.arena) else { return false };
    n.c.derive(field, value);
    n.c.get(field) == Some(value)
}

fn attribute<'a>(n: &Normalizer<'_, 'a>, event: &Event<'a>, key: &[u8]) -> Option<Value<'a>> {
    event.attributes.iter().find(|a| n.cx.keys.text(a.key) == key).map(|a| a.value)
}

/// Parts of OpenAI's form, or of Bedrock Converse, which Strands writes.
fn is_parts(list: json::Json) -> bool {
    const MEMBERS: &[&str] = &["type", "text", "function", "toolUse", "toolResult", "reasoningContent", "image", "document"];
    list.is_array() && list.items().all(|part| part.any(MEMBERS).is_some())
}

/// One message as a JSON object: what the attributes say, JSON in text unwrapped.
fn write_message<'a>(n: &Normalizer<'_, 'a>, event: &Event<'a>, role: &str, out: &mut json::Out<'a>) {
    let arena = n.cx.arena;
    out.extend_from_slice(b"{\"role\":\"");
    out.extend_from_slice(role.as_bytes());
    out.push(b'"');
    let mut members = |attributes: &mut dyn Iterator<Item = (&'a [u8], &'a [u8])>| {
        for (key, text) in attributes {
            out.push(b',');
            json::string(key, out);
            out.push(b':');
            out.extend_from_slice(text);
        }
    };
    for attr in event.attributes {
        let key = arena.alloc_slice_copy(n.cx.keys.text(attr.key)) as &[u8];
        let text = match attr.value {
            Value::Array(_) | Value::Map(_) => Some(scalar::to_json(attr.value, arena)),
            value => value.as_str(),
        };
        let parsed = text.and_then(|t| json::parse(t, arena)).filter(|j| j.is_object() || j.is_array());
        match (words::short(key), parsed) {
            // The whole message, or the choice's message, in one attribute.
            ("gen_ai.event.content" | "message" | "message.detail", Some(message)) if message.is_object() => {
                let reason = message.get("message").and_then(|_| message.get("finish_reason"));
                let message = message.get("message").unwrap_or(message);
                members(&mut reason.into_iter().map(|reason| (&b"finish_reason"[..], reason.to_text(arena))));
                members(&mut message.entries().filter(|(k, _)| *k != b"role").map(|(k, v)| (k, v.to_text(arena))));
            }
            // A list of parts; any other JSON in a content is the user's text.
            ("gen_ai.event.content" | "message" | "message.detail", Some(parts)) if is_parts(parts) => {
                members(&mut std::iter::once((&b"content"[..], parts.to_text(arena))))
            }
            ("gen_ai.event.content" | "message" | "message.detail", _) => {
                members(&mut std::iter::once((&b"content"[..], scalar::to_json(attr.value, arena))))
            }
            // LiveKit writes each call as JSON text.
            ("tool_calls", Some(calls)) if calls.is_array() => members(&mut std::iter::once((key, calls.to_text(arena)))),
            ("content", Some(parts)) if is_parts(parts) => members(&mut std::iter::once((key, parts.to_text(arena)))),
            ("id" | "content" | "finish_reason" | "name", _) => members(&mut std::iter::once((key, scalar::to_json(attr.value, arena)))),
            _ => {}
        }
    }
    out.push(b'}');
}
