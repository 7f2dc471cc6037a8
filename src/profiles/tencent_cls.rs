//! Tencent Cloud Log Service, its view of agents: the keys of its own SDKs (`tencentcloud-agentobs-sdk-*`). It expects every key of a kind, so an
//! absent one is filled in as they do; it reads dotted keys as paths; and it wants the sums of an agent's usage.

use super::compose::{Composed, Source};
use super::tencent::system_message;
use super::{OPERATION_KEY, Table, conversation_is_session, keys, otel};
use crate::genai::{Canonical, DERIVED, Field, Kind, USAGE};
use crate::json::{self, Json};
use crate::span::Value;
use crate::text::{self, Out};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// Its words for kinds of spans.
const KINDS: &[(&str, Kind)] = &[
    ("entry", Kind::InvokeWorkflow),
    ("session", Kind::Task),
    ("agent", Kind::InvokeAgent),
    ("step", Kind::Task),
    ("chat", Kind::Chat),
    ("tool", Kind::ExecuteTool),
    ("chain", Kind::Chain),
    ("retrieval", Kind::Retrieval),
    ("rerank", Kind::Rerank),
    ("embedding", Kind::Embeddings),
];

/// A workflow is the entry of the application only where nothing stands above it.
fn says(kind: Kind, is_root: bool) -> (&'static str, bool) {
    let word = match kind {
        Kind::InvokeWorkflow if is_root => "entry",
        Kind::CreateAgent | Kind::InvokeAgent | Kind::Plan => "agent",
        Kind::ExecuteTool => "tool",
        Kind::Retrieval => "retrieval",
        Kind::Rerank => "rerank",
        Kind::Embeddings => "embedding",
        Kind::Span => "",
        kind if kind.is_generation() => "chat",
        _ => "chain",
    };
    (word, kind == Kind::Chain || !kind.operation().is_empty())
}

/// The keys that a kind must have, each with what stands for an absent value. It lists `gen_ai.input.messages.hash` and the counts of documents as
/// well: they are children of other keys of the list, which its index refuses.
const REQUIRED: &[(&str, &str)] = &[
    (
        "entry",
        "gen_ai.span.kind= gen_ai.operation.name= gen_ai.session.id= gen_ai.turn.id= gen_ai.entry.type= gen_ai.entry.platform= \
         gen_ai.entry.channel_id= gen_ai.input.messages=[] gen_ai.output.messages=[] gen_ai.user.id=",
    ),
    (
        "agent",
        "gen_ai.span.kind= gen_ai.operation.name= gen_ai.session.id= gen_ai.turn.id= gen_ai.agent.type= gen_ai.agent.name= \
         gen_ai.agent.message_count=0 gen_ai.agent.tool_call_count=0 gen_ai.usage.input_tokens=0 gen_ai.usage.output_tokens=0 \
         gen_ai.usage.total_tokens=0 gen_ai.usage.cache_read.input_tokens=0 gen_ai.usage.cache_creation.input_tokens=0 gen_ai.agent.scope= \
         gen_ai.subagent.parent_tool_call.id= gen_ai.input.messages=[] gen_ai.output.messages=[] gen_ai.user.id=",
    ),
    (
        "step",
        "gen_ai.span.kind= gen_ai.operation.name= gen_ai.session.id= gen_ai.turn.id= gen_ai.step.id= gen_ai.react.round=0 \
         gen_ai.react.finish_reason= gen_ai.react.thought= gen_ai.react.observation= gen_ai.user.id=",
    ),
    (
        "chat",
        "gen_ai.span.kind= gen_ai.operation.name= gen_ai.session.id= gen_ai.turn.id= gen_ai.step.id= gen_ai.request.model= \
         gen_ai.response.finish_reasons= gen_ai.usage.input_tokens=0 gen_ai.usage.output_tokens=0 gen_ai.output.messages=[] \
         gen_ai.input.messages=[] gen_ai.input.messages_delta=[] gen_ai.system= gen_ai.provider.name= gen_ai.response.model= \
         gen_ai.response.id= gen_ai.response.time_to_first_token_ms=0 gen_ai.usage.total_tokens=0 gen_ai.usage.cache_read.input_tokens=0 \
         gen_ai.usage.cache_creation.input_tokens=0 gen_ai.usage.input_cost=0 gen_ai.usage.output_cost=0 gen_ai.usage.total_cost=0 \
         gen_ai.chat.duration_ms= gen_ai.react.round=0 gen_ai.react.finish_reason= gen_ai.user.id=",
    ),
    (
        "tool",
        "gen_ai.span.kind= gen_ai.operation.name= gen_ai.session.id= gen_ai.turn.id= gen_ai.step.id= gen_ai.tool.name= \
         gen_ai.tool.type=function gen_ai.tool.call.id= gen_ai.tool.call.arguments= gen_ai.tool.call.result= gen_ai.tool.call.duration_ms= \
         gen_ai.tool.error.type= gen_ai.tool.error.message= error.type= gen_ai.user.id=",
    ),
    (
        "chain",
        "gen_ai.span.kind= gen_ai.operation.name= gen_ai.session.id= gen_ai.turn.id= gen_ai.chain.name= gen_ai.chain.input= \
         gen_ai.chain.output= gen_ai.chain.metadata=",
    ),
    (
        "retrieval",
        "gen_ai.span.kind= gen_ai.operation.name= gen_ai.session.id= gen_ai.turn.id= gen_ai.retrieval.query_text= gen_ai.step.id= \
         gen_ai.retrieval.documents=[] gen_ai.retrieval.duration_ms=",
    ),
    (
        "rerank",
        "gen_ai.span.kind= gen_ai.operation.name= gen_ai.session.id= gen_ai.turn.id= gen_ai.step.id= gen_ai.provider.name= \
         gen_ai.request.model= gen_ai.rerank.query_text= gen_ai.request.top_k=0 gen_ai.rerank.input_documents=[] \
         gen_ai.rerank.output_documents=[] gen_ai.rerank.duration_ms=",
    ),
];

/// The keys of a list, each with what stands for an absent value.
fn each(required: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    required.split(' ').filter_map(|one| one.split_once('='))
}

/// What stands for an absent value of a key that some kind must have.
fn fill(key: &[u8]) -> Option<&'static str> {
    let mut all = REQUIRED.iter().flat_map(|(_, required)| each(required));
    all.find(|(name, _)| text::is(key, name)).map(|(_, fill)| fill)
}

/// A text as the only message of a list.
fn message<'a>(role: &str, content: &[u8], arena: &'a Bump) -> Value<'a> {
    let mut out = Out::new_in(arena);
    out.extend_from_slice_copy(b"[{\"role\":\"");
    out.extend_from_slice_copy(role.as_bytes());
    out.extend_from_slice_copy(b"\",\"parts\":[{\"type\":\"text\",\"content\":");
    json::string(content, &mut out);
    out.extend_from_slice_copy(b"}]}]");
    Value::Str(out.into_bump_slice())
}

/// An object, with the values of some members written in another way. What a tool answered is its `result`, where OTel has `response`.
fn rewritten(of: Json, out: &mut Out, write: &mut dyn FnMut(&[u8], Json, &mut Out)) {
    out.push(b'{');
    let mut count = 0;
    of.entries().for_each(|(name, value)| {
        let is_response = name == b"response" && of.get("type").is_some_and(|t| t.is("tool_call_response")) && of.get("result").is_none();
        json::member(out, &mut count, if is_response { b"result" } else { name });
        write(name, value, out);
    });
    out.push(b'}');
}

/// A list, item by item.
fn list(of: Json, out: &mut Out, write: &mut dyn FnMut(Json, &mut Out)) {
    out.push(b'[');
    for (i, item) in of.items().enumerate() {
        json::separate(out, i);
        write(item, out);
    }
    out.push(b']');
}

/// Messages in which the answers of tools have its name.
fn results<'a>(messages: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
    text::position(messages, b"\"tool_call_response\"")?;
    let all = json::parse(messages, arena).filter(|all| all.is_array())?;
    let mut out = BumpVec::with_capacity_in(messages.len(), arena);
    list(all, &mut out, &mut |message, out| {
        rewritten(message, out, &mut |name, value, out| match name {
            b"parts" => list(value, out, &mut |part, out| rewritten(part, out, &mut |_, value, out| value.write(out))),
            _ => value.write(out),
        });
    });
    Some(out.into_bump_slice())
}

/// What went in and came out stands under the keys of the kind, and only an agent repeats the usage of its children.
fn complete<'a>(c: &mut Canonical<'a>, arena: &'a Bump) {
    system_message(c, arena);
    conversation_is_session(c, arena);
    let (is_agent, kind) = (c.kind.is_some_and(|kind| says(kind, false).0 == "agent"), c.kind);
    let to = match kind {
        Some(Kind::ExecuteTool) => [Field::ToolCallArguments, Field::ToolCallResult],
        Some(Kind::Retrieval) => [Field::RetrievalQuery, Field::RetrievalDocuments],
        Some(Kind::Rerank) => [Field::RerankQuery, Field::EntityOutput],
        Some(kind) if is_agent || kind.calls_model() || kind == Kind::InvokeWorkflow => [Field::InputMessages, Field::OutputMessages],
        _ => [Field::EntityInput, Field::EntityOutput],
    };
    for ((from, to), role) in [Field::EntityInput, Field::EntityOutput].into_iter().zip(to).zip(["user", "assistant"]) {
        let Some(value) = c.text(from).filter(|_| from != to) else { continue };
        c.reading = c.origin(from);
        if !value.is_empty() {
            let is_message = matches!(to, Field::InputMessages | Field::OutputMessages);
            c.derive(to, if is_message { message(role, value, arena) } else { Value::Str(value) });
        }
        c.clear(from);
    }
    for field in [Field::InputMessages, Field::OutputMessages] {
        if let Some(messages) = c.text(field).and_then(|messages| results(messages, arena)) {
            c.reading = c.origin(field);
            c.put(field, Value::Str(messages), u8::MAX, c.source(field));
        }
    }
    if c.has(Field::RerankTopN) {
        c.clear(Field::TopK);
    }
    for field in USAGE {
        if !is_agent && c.repeats_children(*field) {
            c.clear(*field);
        }
    }
}

/// The word for the kind of a span: its own where it has one of these.
fn word(s: &Source) -> &'static str {
    let own = s.span.attributes.get(usize::from(s.c.kind_source)).and_then(|attr| attr.value.as_str()).map(text::unquote);
    let own = own.and_then(|own| KINDS.iter().find(|(word, _)| text::is(own, word)));
    own.map_or_else(|| s.c.kind.map_or("", |kind| says(kind, s.span.parent_id == crate::span::NO_PARENT).0), |(word, _)| word)
}

fn compose<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let (c, arena) = (s.c, s.arena);
    if let Some(Value::Double(seconds)) = c.get(Field::TimeToFirstChunk) {
        let origin = c.origin(Field::TimeToFirstChunk);
        out.say(Field::TimeToFirstChunk);
        out.put("gen_ai.response.time_to_first_token_ms", Value::Double((seconds * 1e6).round() / 1e3), origin);
    }
    let kind = word(s);
    let Some((_, required)) = REQUIRED.iter().find(|(word, _)| *word == kind) else { return };
    let words = [(OPERATION_KEY, c.operation_name()), (KIND_KEY, kind.as_bytes())];
    for (key, fill) in each(required) {
        let is_said =
            [TABLE.keys, otel::TABLE.keys].iter().flat_map(|keys| keys.rows()).any(|(field, names)| c.has(*field) && names.contains(&key))
                || words.iter().any(|(word, text)| *word == key && !text.is_empty())
                || out.items.iter().any(|item| item.key == key.as_bytes());
        if is_said {
            continue;
        }
        let value = match key {
            "gen_ai.turn.id" => {
                let mut id = Out::new_in(arena);
                json::hex(&s.span.trace_id, &mut id);
                Value::Str(text::unquote(id.into_bump_slice()))
            }
            "gen_ai.chain.name" => Value::Str(s.span.name),
            // Of a workflow that is a step of another one.
            "gen_ai.chain.input" => c.get(Field::InputMessages).unwrap_or(Value::Str(b"")),
            "gen_ai.chain.output" => c.get(Field::OutputMessages).unwrap_or(Value::Str(b"")),
            "gen_ai.tool.error.type" => c.get(Field::ErrorType).unwrap_or(Value::Str(b"")),
            "gen_ai.tool.error.message" if s.span.status_message.is_empty() => Value::Str(c.status_message),
            "gen_ai.tool.error.message" => Value::Str(s.span.status_message),
            _ if key.ends_with(".duration_ms") => Value::Double(s.span.end.saturating_sub(s.span.start) as f64 / 1e6),
            _ => Value::Str(fill.as_bytes()),
        };
        out.put(key, value, DERIVED);
    }
}

const KIND_KEY: &str = "gen_ai.span.kind";

pub const TABLE: Table = Table {
    name: "tencent-cls",
    endpoint: "https://ap-guangzhou.cls.tencentcs.com/v1/traces",
    regional: Some("https://{region}.cls.tencentcs.com/v1/traces"),
    base: Some(&otel::TABLE),
    keys: keys!(&[
        (Field::Provider, &["gen_ai.provider.name", "gen_ai.system"]),
        (Field::TimeToFirstChunk, &[]),
        (Field::TotalTokens, &["gen_ai.usage.total_tokens"]),
        (Field::CacheWriteTokens, &["gen_ai.usage.cache_creation.input_tokens"]),
        (Field::Cost, &["gen_ai.usage.total_cost"]),
        (Field::InputCost, &["gen_ai.usage.input_cost"]),
        (Field::OutputCost, &["gen_ai.usage.output_cost"]),
        (Field::EntityInput, &["gen_ai.chain.input"]),
        (Field::EntityOutput, &["gen_ai.chain.output"]),
        (Field::SessionId, &["gen_ai.session.id"]),
        (Field::UserId, &["gen_ai.user.id"]),
        (Field::UserName, &["gen_ai.user.name"]),
        (Field::RetrievalQuery, &["gen_ai.retrieval.query_text"]),
        (Field::RerankQuery, &["gen_ai.rerank.query_text"]),
        (Field::RerankTopN, &["gen_ai.request.top_k"]),
    ]),
    // The sums of an agent's usage stand where any other usage does.
    aggregated: keys!(&[
        (Field::InputTokens, &["gen_ai.usage.input_tokens"]),
        (Field::OutputTokens, &["gen_ai.usage.output_tokens"]),
        (Field::TotalTokens, &["gen_ai.usage.total_tokens"]),
        (Field::CacheReadTokens, &["gen_ai.usage.cache_read.input_tokens"]),
        (Field::CacheWriteTokens, &["gen_ai.usage.cache_creation.input_tokens"]),
        (Field::ReasoningTokens, &["gen_ai.usage.reasoning.output_tokens"]),
        (Field::Cost, &["gen_ai.usage.total_cost"]),
        (Field::InputCost, &["gen_ai.usage.input_cost"]),
        (Field::OutputCost, &["gen_ai.usage.output_cost"]),
    ]),
    operation: Some(OPERATION_KEY),
    kind: Some((KIND_KEY, says)),
    own_kinds: KINDS,
    names: &["gen_ai.turn.id", "gen_ai.chain.name", "gen_ai.tool.error.type"],
    has_paths: true,
    fill,
    complete: Some(complete),
    compose: Some(compose),
    ..Table::EMPTY
};
