//! Single values: text to number, quotes, placeholders. The types of [`Field`] in code.

use crate::conventions::words;
use crate::genai::{Field, Type};
use crate::json;
use crate::span::{Value, value};
use crate::text::{self, number};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

pub use super::moment::{instant, iso_8601};

const LONGEST_PLACEHOLDER: usize = "undefined".len();

/// Words that say "nothing" on a typed field (rules.md 9). On free text they are text.
#[inline]
fn is_placeholder(text: &[u8]) -> bool {
    match text {
        [] | [b'<', .., b'>'] | b"[REDACTED]" => true,
        // Nearly every name is longer than all of them, or begins otherwise.
        [first, ..] => {
            text.len() <= LONGEST_PLACEHOLDER
                && matches!(first | 0x20, b'-' | b'i' | b'n' | b'u')
                && words::find(&words::PLACEHOLDERS, text).is_some()
        }
    }
}

/// Does a typed field say nothing with this value?
pub fn is_absence(field: Field, value: &Value) -> bool {
    field.ty() != Type::Text
        && field != Field::StopSequences
        && value.as_str().is_some_and(|text| is_placeholder(text::unquote(text.trim_ascii())))
}

/// A boolean in any of its spellings.
pub fn as_bool(value: &Value) -> Option<bool> {
    match *value {
        Value::Bool(b) => Some(b),
        Value::Int(n @ (0 | 1)) => Some(n == 1),
        Value::Double(n) if n == 0.0 || n == 1.0 => Some(n == 1.0),
        Value::Str(text) => text::bool_word(text),
        _ => None,
    }
}

fn name<'a>(text: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
    let text = match text {
        // With escapes inside, the quotes take a JSON reader.
        [b'"', .., b'"'] => json::parse(text, arena).and_then(|j| j.text(arena)).unwrap_or(text),
        _ => text,
    };
    (!is_placeholder(text)).then_some(text)
}

/// The value as the field's type has it; `None` where it says nothing.
#[inline(never)]
pub fn convert<'a>(field: Field, value: &Value<'a>, arena: &'a Bump) -> Option<Value<'a>> {
    match (field.ty(), *value) {
        (_, Value::Empty) => None,
        (Type::Name, Value::Str(text)) => word(field, name(text, arena)?, arena).map(Value::Str),
        (Type::Name, Value::Int(_)) => Some(Value::Str(value::to_json(value, arena))),
        (Type::Name, Value::Double(n)) if n.is_finite() => Some(Value::Str(value::to_json(value, arena))),
        (Type::Text, Value::Str(_)) => Some(*value),
        (Type::Text | Type::Json, Value::Array(_) | Value::Map(_)) => Some(Value::Str(value::to_json(value, arena))),
        (Type::Json, Value::Str(text)) => of_json(field, text, json::parse(text, arena), arena),
        (Type::Int, Value::Int(_)) | (Type::Double, Value::Double(_)) | (Type::Bool, Value::Bool(_)) => Some(*value),
        (Type::Int, Value::Double(n)) => text::whole(n).map(Value::Int),
        (Type::Int, Value::Str(text)) => text::int_text(text).map(Value::Int),
        (Type::Double, Value::Int(n)) => Some(Value::Double(n as f64)),
        (Type::Double, Value::Str(text)) => {
            let n = number::parse(text::unquote(text.trim_ascii()))?;
            n.is_finite().then_some(Value::Double(n))
        }
        (Type::Bool, _) => as_bool(value).map(Value::Bool),
        (Type::Names, _) => names(field, value, arena),
        _ => None,
    }
}

/// As [`convert`], for a text and what it is as JSON.
pub fn of_json<'a>(field: Field, text: &'a [u8], json: Option<json::Json<'a>>, arena: &'a Bump) -> Option<Value<'a>> {
    let text = match json {
        // MLflow and LiveKit write a tool's text as JSON.
        Some(json) if field == Field::ToolCallResult => json.text(arena).unwrap_or_else(|| json.to_text(arena)),
        Some(json) => json.to_text(arena),
        // A backend reads these as JSON; arguments and results may be text.
        None if field == Field::RetrievalDocuments => return None,
        None => text,
    };
    Some(Value::Str(text))
}

fn names<'a>(field: Field, value: &Value<'a>, arena: &'a Bump) -> Option<Value<'a>> {
    let mut list = Names { field, list: BumpVec::new_in(arena), arena };
    match value {
        Value::Array(items) => items.iter().for_each(|item| list.push(name_of(item, arena))),
        Value::Str(text) => match json::parse(text, arena).filter(json::Json::is_array) {
            Some(items) => items.items().for_each(|item| list.push(item.text(arena))),
            // Micrometer renders lists, Semantic Kernel joins them.
            None if field != Field::StopSequences => {
                let inner = text.strip_prefix(b"[").and_then(|t| t.strip_suffix(b"]")).unwrap_or(text);
                inner.split(|b| *b == b',').for_each(|name| list.push(Some(name.trim_ascii())));
            }
            None => list.push(Some(text)),
        },
        value => list.push(name_of(value, arena)),
    }
    (!list.list.is_empty()).then(|| Value::Array(list.list.into_bump_slice()))
}

struct Names<'a> {
    field: Field,
    list: BumpVec<'a, Value<'a>>,
    arena: &'a Bump,
}

impl<'a> Names<'a> {
    #[inline(never)]
    fn push(&mut self, text: Option<&'a [u8]>) {
        let known = |text: &'a [u8]| match self.field {
            // The user's text: a newline or the word "none" may stop an answer.
            Field::StopSequences => Some(text),
            // A model may end for an unknown reason, which is one.
            Field::FinishReasons if text == b"unknown" => word(self.field, text, self.arena),
            _ => word(self.field, name(text, self.arena)?, self.arena),
        };
        self.list.extend(text.and_then(known).map(Value::Str));
    }
}

/// A name, also where the source counts them.
fn name_of<'a>(value: &Value<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    match *value {
        Value::Int(n) => Some(value::digits(n, arena)),
        _ => value.as_str(),
    }
}

/// The provider at the end of Dify's path of a plugin: `langgenius/openai/openai`.
fn without_plugin(text: &[u8]) -> &[u8] {
    let mut parts = text.split(|c| *c == b'/');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (_, _, Some(provider), None) => provider,
        _ => text,
    }
}

/// What the Vercel SDK writes behind the name of a provider.
const APIS: &[&str] =
    &["chat", "completion", "embedding", "image", "messages", "reranking", "responses", "speech", "textEmbedding", "transcription"];

/// The word that the registry has for what the source wrote; `None` for a word that says nothing.
fn word<'a>(field: Field, text: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
    let table = match field {
        Field::Provider => &words::PROVIDERS,
        Field::FinishReasons => &words::FINISH_REASONS,
        Field::OutputType => &words::OUTPUT_TYPES,
        Field::ToolType => &words::TOOL_TYPES,
        _ => return Some(text),
    };
    let text = if field == Field::Provider { without_plugin(text) } else { text };
    // LiveKit has the address in the provider's place.
    let port = text.iter().rposition(|c| *c == b':').map(|colon| &text[colon + 1..]);
    if field == Field::Provider && port.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit)) {
        return None;
    }
    // Vercel's providers have the API behind the name: `openai.responses`, `google.vertex.chat`.
    let known = words::find(table, text).or_else(|| match text.iter().rposition(|c| *c == b'.') {
        Some(dot) if field == Field::Provider && APIS.iter().any(|api| api.as_bytes() == &text[dot + 1..]) => {
            words::find(table, &text[..dot])
        }
        _ => None,
    });
    match known {
        Some(known) => (!known.is_empty()).then_some(known.as_bytes()),
        None if field == Field::FinishReasons => {
            let lower = arena.alloc_slice_copy(text);
            lower.make_ascii_lowercase();
            Some(lower)
        }
        None => Some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_in_milliseconds() {
        assert_eq!(instant(&Value::Int(1_795_479_339_116)), Some(1_795_479_339_116_000_000));
        assert_eq!(instant(&Value::Double(1_795_479_339_116.5)), Some(1_795_479_339_116_500_000));
        assert_eq!(instant(&Value::Str(b"1970-01-01T00:00:01Z")), Some(1_000_000_000));
        assert_eq!((instant(&Value::Int(-1)), instant(&Value::Double(f64::NAN)), instant(&Value::Bool(true))), (None, None, None));
    }

    #[test]
    fn typed_fields_read_what_sources_write() {
        let arena = Bump::new();
        let read = |field, text: &str| convert(field, &Value::Str(arena.alloc_str(text).as_bytes()), &arena);
        assert_eq!(read(Field::InputTokens, "57"), Some(Value::Int(57)));
        assert_eq!(read(Field::InputTokens, "57.0"), Some(Value::Int(57)));
        assert_eq!(read(Field::MaxTokens, "inf"), None);
        assert_eq!(read(Field::MaxTokens, "Infinity"), None);
        assert_eq!(read(Field::Temperature, "0.3"), Some(Value::Double(0.3)));
        assert_eq!(read(Field::Temperature, "inf"), None);
        assert_eq!(read(Field::Provider, "\"openai\""), Some(Value::Str(b"openai")));
        assert_eq!(read(Field::Provider, "langchain"), None);
        assert_eq!(read(Field::Provider, "azure.embedding"), Some(Value::Str(b"azure.ai.openai")));
        assert_eq!(read(Field::Provider, "my.chat"), Some(Value::Str(b"my.chat")));
        assert_eq!(read(Field::Provider, "my-gateway"), Some(Value::Str(b"my-gateway")));
        assert_eq!(read(Field::Provider, "langgenius/tongyi/tongyi"), Some(Value::Str(b"alibaba_cloud.dashscope")));
        assert_eq!(read(Field::Provider, "me/my-plugin/my-gateway"), Some(Value::Str(b"my-gateway")));
        assert_eq!(read(Field::RequestModel, "<not specified>"), None);
        assert_eq!(read(Field::EntityInput, "none"), Some(Value::Str(b"none")));
        assert_eq!(read(Field::FinishReasons, "tool_calls"), Some(Value::Array(&[Value::Str(b"tool_call")])));
        assert_eq!(read(Field::FinishReasons, "[\"STOP\",\"Odd\"]"), Some(Value::Array(&[Value::Str(b"stop"), Value::Str(b"odd")])));
        assert_eq!(read(Field::FinishReasons, "[STOP, LENGTH]"), Some(Value::Array(&[Value::Str(b"stop"), Value::Str(b"length")])));
        assert_eq!(
            read(Field::FinishReasons, "FinishReason.STOP,FinishReason.TOOL_CALLS"),
            Some(Value::Array(&[Value::Str(b"stop"), Value::Str(b"tool_call")]))
        );
        assert_eq!(read(Field::StopSequences, "a,b"), Some(Value::Array(&[Value::Str(b"a,b")])));
        assert_eq!(read(Field::StopSequences, "\n\n"), Some(Value::Array(&[Value::Str(b"\n\n")])));
        assert_eq!(read(Field::Stream, "True"), Some(Value::Bool(true)));
        assert_eq!(convert(Field::InputTokens, &Value::Double(57.0), &arena), Some(Value::Int(57)));
        assert_eq!(convert(Field::InputTokens, &Value::Bool(true), &arena), None);
    }
}
