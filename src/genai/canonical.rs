//! The canonical form of one span: the fields that have a value, each with its source and how far it is trusted.

use super::{Field, Kind, USAGE};
use crate::span::Value;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

const COUNT: usize = Field::ALL.len();

/// The source of a value that no attribute of the span gave: it was derived.
pub const DERIVED: u16 = u16::MAX;
/// Origin of a value that was guessed from the server's address or the model's name.
pub const INFERRED: u16 = u16::MAX - 1;
/// Origin of a value that the name of the span or of its scope gave.
pub const NAMES: u16 = u16::MAX - 2;
/// Origin of a value that events of the span gave.
pub const EVENTS: u16 = u16::MAX - 3;
/// In place of a source: a span above it, or the baggage.
pub const HANDED_DOWN: u16 = u16::MAX - 4;

/// The canonical form of one span.
#[derive(Clone)]
pub struct Canonical<'a> {
    /// What it is, if anything said so.
    pub kind: Option<Kind>,
    /// The attribute that said what it is, or [`DERIVED`].
    pub kind_source: u16,
    /// As `kind_source`, whatever told the kind.
    pub kind_origin: u16,
    /// An operation name that is not in the registry; it stays.
    pub operation: &'a [u8],
    /// Where among the entries a field has had its value: most spans say a few of the fields.
    at: [u8; COUNT],
    entries: BumpVec<'a, Entry<'a>>,
    /// The attribute that is being read: the origin of what it gives. [`DERIVED`], [`INFERRED`], [`NAMES`], [`EVENTS`]: none.
    pub reading: u16,
    /// Which fields have a value, as bits: WebAssembly has no wider word.
    set: [u64; 2],
    /// The span failed, by its attributes.
    pub failed: bool,
    /// Its tokens repeat those of its children, and must not be counted again.
    pub aggregated: bool,
    /// Likewise its cost.
    pub cost_aggregated: bool,
    /// An LLM span above it reports its tokens too.
    pub told_above: bool,
    /// Text for the span status.
    pub status_message: &'a [u8],
}

const _: () = assert!(COUNT <= 128, "the set of fields has two words");

#[derive(Clone, Copy)]
struct Entry<'a> {
    value: Value<'a>,
    trust: u8,
    source: u16,
    /// As `source`, but also for members of an object: what `explain` shows, where `source` decides what stays.
    origin: u16,
}

/// What became of a value that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is the field's value now; before, the field was empty.
    New,
    /// It is the field's value now, in place of a different one from this source.
    Replaced(u16),
    /// The field has just this value already.
    Same,
    /// The field keeps a different value that is trusted more.
    Refused,
}

impl<'a> Canonical<'a> {
    /// Nothing known yet.
    pub fn new(arena: &'a Bump) -> Self {
        Canonical {
            kind: None,
            kind_source: DERIVED,
            kind_origin: DERIVED,
            operation: &[],
            at: [0; COUNT],
            entries: BumpVec::with_capacity_in(16, arena),
            reading: DERIVED,
            set: [0; 2],
            failed: false,
            aggregated: false,
            cost_aggregated: false,
            told_above: false,
            status_message: &[],
        }
    }

    /// What is done, in OTel's words or the source's.
    pub fn operation_name(&self) -> &'a [u8] {
        self.kind.map_or(self.operation, |kind| kind.operation().as_bytes())
    }

    /// The value of a field.
    #[inline(never)]
    pub fn get(&self, field: Field) -> Option<Value<'a>> {
        self.has(field).then(|| *self.value(field))
    }

    /// Returns true if the field counts what a model used and spans below report that too.
    pub fn repeats_children(&self, field: Field) -> bool {
        match field {
            _ if field.is_cost() => self.cost_aggregated,
            _ => self.aggregated && USAGE.contains(&field),
        }
    }

    /// Has the field a value?
    pub fn has(&self, field: Field) -> bool {
        let i = field as usize;
        self.set[i / 64] & 1 << (i % 64) != 0
    }

    /// The value of a field, if it is text.
    #[inline(never)]
    pub fn text(&self, field: Field) -> Option<&'a [u8]> {
        self.get(field).and_then(|v| v.as_str())
    }

    /// The value of a field, if it is a whole number.
    #[inline(never)]
    pub fn int(&self, field: Field) -> Option<i64> {
        match self.get(field) {
            Some(Value::Int(n)) => Some(n),
            _ => None,
        }
    }

    /// The attribute that gave a field its value, or [`DERIVED`].
    pub fn source(&self, field: Field) -> u16 {
        self.entry(field).map_or(DERIVED, |entry| entry.source)
    }

    /// Where a field's value came from: an attribute, or [`DERIVED`], [`INFERRED`], [`NAMES`], [`EVENTS`].
    pub fn origin(&self, field: Field) -> u16 {
        self.entry(field).map_or(DERIVED, |entry| entry.origin)
    }

    /// Offers a value. Of two different ones the more trusted stays; of two equally trusted ones, the first.
    #[inline(never)]
    pub fn put(&mut self, field: Field, value: Value<'a>, trust: u8, source: u16) -> Put {
        let i = field as usize;
        let has = self.has(field);
        let new = Entry { value, trust, source, origin: self.reading };
        self.set[i / 64] |= 1 << (i % 64);
        let Some(known) = self.entries.get_mut(usize::from(self.at[i])).filter(|_| has) else {
            self.at[i] = self.entries.len() as u8;
            self.entries.push(new);
            return Put::New;
        };
        if known.value == value {
            known.trust = known.trust.max(trust);
            return Put::Same;
        }
        if trust <= known.trust {
            return Put::Refused;
        }
        Put::Replaced(std::mem::replace(known, new).source)
    }

    /// Names the attribute that gave a field its value.
    pub fn set_source(&mut self, field: Field, source: u16) {
        if let Some(entry) = self
            .entries
            .get_mut(usize::from(self.at[field as usize]))
            .filter(|_| self.set[field as usize / 64] >> (field as usize % 64) & 1 == 1)
        {
            entry.source = source;
        }
    }

    /// Says what the span is.
    pub fn set_kind(&mut self, kind: Kind) {
        self.kind = Some(kind);
        self.kind_origin = self.reading;
    }

    /// Sets a value that follows from others, if the field is empty.
    #[inline(never)]
    pub fn derive(&mut self, field: Field, value: Value<'a>) {
        if !self.has(field) {
            self.put(field, value, 0, DERIVED);
        }
    }

    /// Empties a field.
    pub fn clear(&mut self, field: Field) {
        let i = field as usize;
        self.set[i / 64] &= !(1 << (i % 64));
    }

    /// The value of a field that has one.
    pub fn value(&self, field: Field) -> &Value<'a> {
        self.entry(field).map_or(&Value::Empty, |entry| &entry.value)
    }

    fn entry(&self, field: Field) -> Option<&Entry<'a>> {
        self.entries.get(usize::from(self.at[field as usize])).filter(|_| self.has(field))
    }

    /// The fields that have a value, last one first: the encoder writes backwards.
    pub fn fields(&self) -> Fields {
        Fields { left: self.set }
    }
}

/// See [`Canonical::fields`].
pub struct Fields {
    /// Those that are left, as bits.
    pub left: [u64; 2],
}

impl Iterator for Fields {
    type Item = Field;

    // It runs some times for each span.
    #[inline(always)]
    fn next(&mut self) -> Option<Field> {
        let word = usize::from(self.left[1] != 0);
        let bit = self.left[word].checked_ilog2()? as usize;
        self.left[word] ^= 1 << bit;
        Some(Field::ALL[word * 64 + bit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_trusted_value_stays_whatever_the_order() {
        let (low, high) = (Value::Int(1), Value::Int(2));
        let arena = Bump::new();
        let mut c = Canonical::new(&arena);
        assert_eq!(c.put(Field::Seed, low, 10, 0), Put::New);
        assert_eq!(c.put(Field::Seed, high, 20, 1), Put::Replaced(0));
        assert_eq!(c.put(Field::Seed, low, 10, 2), Put::Refused);
        assert_eq!(c.put(Field::Seed, high, 5, 3), Put::Same);
        assert_eq!(c.fields().collect::<Vec<_>>(), [Field::Seed]);
        assert_eq!(*c.value(Field::Seed), high);
        c.clear(Field::Seed);
        assert_eq!(c.fields().count(), 0);
    }
}
