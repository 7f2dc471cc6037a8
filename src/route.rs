//! Which spans a destination receives, and their parents there: the nearest ancestor that it receives, so that no span
//! is below one that never arrives.

use crate::json::read::{self, Read, read_struct};
use crate::json::{self, Json};
use crate::keys::Keys;
use crate::otlp::write::{self, number};
use crate::protobuf::{Field, Reader, WireError, Writer, array};
use crate::span::value;
use crate::span::{Attr, Key, NO_PARENT, SpanId, TraceId, Value};
use crate::text::{self, Out};
use bumpalo::Bump;

/// Selects the spans that match a condition of `only` (no condition: all spans) and no condition of `except`.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    only: Vec<Condition>,
    except: Vec<Condition>,
}

/// A condition on a span; all of its fields must match.
#[derive(Clone, Debug, Default)]
struct Condition {
    /// Whether it is an LLM span.
    llm: Option<bool>,
    /// The instrumentation scope.
    scope: Option<Texts>,
    name: Option<Texts>,
    /// `gen_ai.operation.name`, once the span is normalised.
    operation: Option<Texts>,
    /// Attributes as the source wrote them.
    attributes: Vec<(String, Texts)>,
}

/// One of several texts; `*` matches anything, `None` means that the attribute is not present.
#[derive(Clone, Debug)]
struct Texts(Vec<Option<String>>);

read_struct!(Condition {
    "llm" => llm,
    "scope" => scope,
    "name" => name,
    "operation" => operation,
    "attributes" => attributes,
});

impl Read for Filter {
    fn blank() -> Self {
        Self::default()
    }

    fn read<'d>(&mut self, json: Json<'d>, arena: &'d Bump) -> Result<(), read::Error> {
        *self = Self::blank();
        if json.word().is_none() {
            return read::members(json, arena, &[&["only"], &["except"]], &mut [&mut self.only, &mut self.except]);
        }
        if read::word(json, &["all", "llm"])? == 1 {
            self.only.push(Condition { llm: Some(true), ..Condition::default() });
        }
        Ok(())
    }
}

impl Read for Texts {
    fn blank() -> Self {
        Texts(Vec::new())
    }

    fn read<'d>(&mut self, json: Json<'d>, arena: &'d Bump) -> Result<(), read::Error> {
        let one = |json: Json<'d>| match value::from_json(json, arena) {
            Value::Empty if json.is_null() => Ok(None),
            value @ (Value::Bool(_) | Value::Int(_) | Value::Double(_)) => {
                Ok(Some(String::from_utf8_lossy(&text_of(&value, arena)).into_owned()))
            }
            Value::Str(_) if json.is_string() => read::value(json, arena).map(Some),
            _ => Err(read::Error::unlike("a text (* stands for any text), a number, a boolean, null, or a list of them", json)),
        };
        self.0 = if json.is_array() { json.items().map(one).collect::<Result<_, _>>()? } else { vec![one(json)?] };
        Ok(())
    }
}

/// A value in the form that a filter compares: a text unchanged, anything else as JSON.
fn text_of(value: &Value, arena: &Bump) -> Vec<u8> {
    if let Value::Str(text) = value {
        return text.to_vec();
    }
    let mut out = Out::new_in(arena);
    value::write_json(*value, &mut out);
    out.to_vec()
}

impl Texts {
    fn hold(&self, text: Option<&[u8]>) -> bool {
        self.0.iter().any(|pattern| match (pattern, text) {
            (Some(pattern), Some(text)) => text::glob(pattern, text),
            (None, None) => true,
            _ => false,
        })
    }
}

/// The properties of a span that a filter uses; at its start some of them are unknown.
pub struct Facts<'s, 'a> {
    /// Its instrumentation scope.
    pub scope: &'s [u8],
    /// Its name.
    pub name: &'s [u8],
    /// Whether it is an LLM span, or may turn out to be: at its start, a span of an LLM library counts as one.
    pub llm: bool,
    /// `gen_ai.operation.name`.
    pub operation: &'s [u8],
    /// The attributes as the source wrote them.
    pub attributes: &'s [Attr<'a>],
    /// The dictionary.
    pub keys: &'s Keys,
    /// Memory of the run.
    pub arena: &'s Bump,
}

impl Filter {
    /// Returns true if the filter accepts the span.
    pub fn passes(&self, facts: &Facts) -> bool {
        (self.only.is_empty() || self.only.iter().any(|c| c.holds(facts))) && !self.except.iter().any(|c| c.holds(facts))
    }

    /// Returns true if the filter accepts every span.
    pub fn passes_all(&self) -> bool {
        self.only.is_empty() && self.except.is_empty()
    }

    /// Adds the keys of the attributes that it reads.
    pub fn add_keys<'s>(&'s self, keys: &mut Vec<&'s str>) {
        for conditions in [&self.only, &self.except] {
            for condition in conditions {
                condition.attributes.iter().for_each(|(key, _)| keys.push(key));
            }
        }
    }
}

impl Condition {
    fn holds(&self, facts: &Facts) -> bool {
        let texts = [(&self.scope, facts.scope), (&self.name, facts.name), (&self.operation, facts.operation)];
        self.llm.is_none_or(|llm| llm == facts.llm)
            && texts.iter().all(|(wanted, text)| wanted.as_ref().is_none_or(|wanted| wanted.hold(Some(text))))
            && self.attributes.iter().all(|(key, wanted)| {
                let attr = facts.attributes.iter().find(|attr| facts.keys.text(attr.key) == key.as_bytes());
                wanted.hold(attr.map(|attr| text_of(&attr.value, facts.arena)).as_deref())
            })
    }
}

/// Returns true if a trace belongs to the sample. Uses the last 56 bits of its id, like W3C's consistent probability sampling and OTel's
/// `TraceIdRatioBased`, so that a larger sample contains all traces of a smaller one.
pub fn samples(ratio: Option<f64>, trace_id: TraceId) -> bool {
    let random = u64::from_be_bytes(array(&trace_id[8..])) & ((1 << 56) - 1);
    ratio.is_none_or(|ratio| random >= ((1.0 - ratio) * (1u64 << 56) as f64) as u64)
}

/// The fields of a span with another parent instead of its own, whose id is kept in `kept_as` if that is given.
pub fn with_parent(fields: &[u8], [own, parent]: [SpanId; 2], kept_as: Option<&str>) -> Result<Vec<u8>, WireError> {
    let all = Reader::new(0, fields).all()?;
    let mut w = Writer::default();
    if let Some(key) = kept_as {
        let arena = Bump::new();
        let mut hex = Out::new_in(&arena);
        own.iter().for_each(|byte| json::push_hex(*byte, &mut hex));
        write::attribute(&mut w, number::ATTRIBUTES, Key::Text(key.as_bytes()), &Value::Str(&hex), &Keys::default());
    }
    for field in all.iter().rev() {
        match field.number {
            // Another genspan before this one also moved the span: the id that it kept is not an ancestor here.
            number::ATTRIBUTES if kept_as.is_some_and(|key| has_key(field, key.as_bytes())) => {}
            number::PARENT_SPAN_ID if parent == NO_PARENT => {}
            number::PARENT_SPAN_ID => w.bytes_field(number::PARENT_SPAN_ID, &parent),
            _ => w.bytes(field.raw),
        }
    }
    Ok(w.written().to_vec())
}

/// Returns true if the field is a `KeyValue` with this key.
fn has_key(field: &Field, key: &[u8]) -> bool {
    let Ok((_, attribute)) = field.bytes() else { return false };
    let found = Reader::new(0, attribute).field().ok().flatten().filter(|field| field.number == number::KEY);
    found.and_then(|field| field.bytes().ok()).is_some_and(|(_, found)| found == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_takes_whole_traces_and_less_is_part_of_more() {
        let ids: Vec<TraceId> = (0..4_000u64)
            .map(|n| {
                let mut id = [0; 16];
                // Multiples of an odd number are spread evenly.
                id[8..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
                id
            })
            .collect();
        let taken = |ratio| ids.iter().filter(|id| samples(Some(ratio), **id)).count();
        assert_eq!((taken(0.0), taken(1.0)), (0, 4_000));
        assert!((900..1_100).contains(&taken(0.25)), "{}", taken(0.25));
        assert!(ids.iter().all(|id| !samples(Some(0.25), *id) || samples(Some(0.5), *id)));
        assert!(ids.iter().all(|id| samples(None, *id)));
        // The threshold for one half is 0x80000000000000.
        assert!(samples(Some(0.5), [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0x80, 0, 0, 0, 0, 0, 0]));
        assert!(!samples(Some(0.5), [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    }
}
