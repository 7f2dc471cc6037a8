//! The tables as they are shipped: packed into bytes when the crate is compiled, unpacked once when it starts. A rule is three
//! pointers and a word otherwise, and pointers do not compress.
//!
//! A rule is the length of its key, the key, its trust, and what its value is: one of [`TAGS`] with the number of a field or a kind
//! behind it, or the number of a word of [`UNITS`]. What needs more than that stands beside, in order.

use super::{Rule, To};
use crate::normalize::canonical::{Field, Kind};
use crate::normalize::flat::Flat;

/// A convention, its table packed.
pub struct Packed {
    /// Its name in the documentation and in `explain`.
    pub id: &'static str,
    /// As [`super::Convention::scopes`].
    pub scopes: &'static [&'static str],
    /// As [`super::Convention::keys`].
    pub keys: &'static [&'static str],
    /// As [`super::Convention::not_keys`].
    pub not_keys: &'static [&'static str],
    /// As [`super::Convention::names_spans`].
    pub names_spans: bool,
    /// The rules.
    pub rules: &'static [u8],
    /// What the values are that no byte says.
    pub others: &'static [To],
}

mod tag {
    pub const FIELD: u8 = 0;
    pub const FLAT: u8 = 1;
    pub const FLAT_PARTS: u8 = 2;
    pub const IMPLIES_KIND: u8 = 3;
    pub const CACHE_BESIDE: u8 = 4;
    pub const OTHER: u8 = 5;
    pub const UNITS: u8 = 6;
}

const FLATS: &[Flat] = &[Flat::InputMessages, Flat::OutputMessages, Flat::Tools, Flat::Documents, Flat::Texts];

macro_rules! units {
    ($($name:ident)*) => {
        /// What a value can be without saying more.
        const UNITS: &[To] = &[$(To::$name,)*];

        const fn unit(to: To) -> Option<u8> {
            let mut at = 0;
            $(
                if let To::$name = to {
                    return Some(at);
                }
                at += 1;
            )*
            let _ = at;
            None
        }
    };
}

units! {
    UncachedInput ToolSchema Documents Model Parameters Usage Cost Input Output InputMessages OutputMessages EntityInput
    EntityName WorkflowName Host ToolParameters ActionName UncachedPart Vector FirstTokenAt FirstTokenAfterAny Request Exchange Level
    StatusMessage Mark MarkInside MarkCopy GraphNode ToolInputs Keep Spent Drop
}

/// The bytes for what a value is; the second one is missing where it is `None`.
const fn code(to: To) -> (u8, Option<u8>) {
    match to {
        To::Field(field) => (tag::FIELD, Some(field as u8)),
        To::Flat(list) => (tag::FLAT, Some(list as u8)),
        To::FlatParts(list) => (tag::FLAT_PARTS, Some(list as u8)),
        To::ImpliesKind(kind) => (tag::IMPLIES_KIND, Some(kind as u8)),
        To::CacheBeside(field) => (tag::CACHE_BESIDE, Some(field as u8)),
        other => match unit(other) {
            Some(unit) => (tag::UNITS + unit, None),
            None => (tag::OTHER, None),
        },
    }
}

/// How many bytes [`pack`] makes of the rules.
pub const fn packed_len(rules: &[Rule]) -> usize {
    let (mut length, mut i) = (0, 0);
    while i < rules.len() {
        length += 3 + rules[i].key.len() + code(rules[i].to).1.is_some() as usize;
        i += 1;
    }
    length
}

/// Packs the rules.
pub const fn pack<const N: usize>(rules: &[Rule]) -> [u8; N] {
    let (mut out, mut at, mut i) = ([0; N], 0, 0);
    while i < rules.len() {
        let key = rules[i].key.as_bytes();
        assert!(key.len() < 256, "the length of a key is one byte");
        out[at] = key.len() as u8;
        let mut k = 0;
        while k < key.len() {
            out[at + 1 + k] = key[k];
            k += 1;
        }
        at += 1 + key.len();
        let (tag, number) = code(rules[i].to);
        out[at] = rules[i].trust;
        out[at + 1] = tag;
        at += 2;
        if let Some(number) = number {
            out[at] = number;
            at += 1;
        }
        i += 1;
    }
    out
}

/// How many of the rules [`others`] gives.
pub const fn others_len(rules: &[Rule]) -> usize {
    let (mut count, mut i) = (0, 0);
    while i < rules.len() {
        count += (code(rules[i].to).0 == tag::OTHER) as usize;
        i += 1;
    }
    count
}

/// What the values are that no byte says, in order.
pub const fn others<const N: usize>(rules: &[Rule]) -> [To; N] {
    let (mut out, mut at, mut i) = ([To::Keep; N], 0, 0);
    while i < rules.len() {
        if code(rules[i].to).0 == tag::OTHER {
            out[at] = rules[i].to;
            at += 1;
        }
        i += 1;
    }
    out
}

/// Unpacks the rules.
pub fn unpack(packed: &Packed) -> Vec<Rule> {
    let mut others = packed.others.iter();
    let mut rules = Vec::new();
    let mut rest = packed.rules;
    while let Some((&length, tail)) = rest.split_first() {
        let Some((key, [trust, tag, tail @ ..])) = tail.split_at_checked(usize::from(length)) else { break };
        rest = tail;
        let mut number = || {
            let (&number, tail) = rest.split_first()?;
            rest = tail;
            Some(usize::from(number))
        };
        let to = match *tag {
            tag::FIELD => number().and_then(|n| Field::ALL.get(n)).map(|field| To::Field(*field)),
            tag::FLAT => number().and_then(|n| FLATS.get(n)).map(|list| To::Flat(*list)),
            tag::FLAT_PARTS => number().and_then(|n| FLATS.get(n)).map(|list| To::FlatParts(*list)),
            tag::IMPLIES_KIND => number().and_then(|n| Kind::ALL.get(n)).map(|kind| To::ImpliesKind(*kind)),
            tag::CACHE_BESIDE => number().and_then(|n| Field::ALL.get(n)).map(|field| To::CacheBeside(*field)),
            tag::OTHER => others.next().copied(),
            unit => UNITS.get(usize::from(unit - tag::UNITS)).copied(),
        };
        if let (Some(to), Ok(key)) = (to, std::str::from_utf8(key)) {
            rules.push(Rule { key, to, trust: *trust });
        }
    }
    rules
}

/// A convention, packed, at compile time.
macro_rules! packed {
    ($convention:expr) => {{
        const WHOLE: $crate::conventions::Convention = $convention;
        $crate::conventions::packed::Packed {
            id: WHOLE.id,
            scopes: WHOLE.scopes,
            keys: WHOLE.keys,
            not_keys: WHOLE.not_keys,
            names_spans: WHOLE.names_spans,
            rules: &$crate::conventions::packed::pack::<{ $crate::conventions::packed::packed_len(WHOLE.rules) }>(WHOLE.rules),
            others: &$crate::conventions::packed::others::<{ $crate::conventions::packed::others_len(WHOLE.rules) }>(WHOLE.rules),
        }
    }};
}
pub(super) use packed;

#[cfg(test)]
mod tests {
    use super::super::Convention;
    use super::*;

    #[test]
    fn what_is_packed_is_what_the_tables_say() {
        for (packed, convention) in super::super::PACKED.iter().zip(super::super::ALL) {
            let of = |c: &Convention| (c.id, c.scopes, c.keys, c.not_keys, c.names_spans);
            assert_eq!((packed.id, packed.scopes, packed.keys, packed.not_keys, packed.names_spans), of(convention));
            assert_eq!(format!("{:?}", unpack(packed)), format!("{:?}", convention.rules));
        }
    }
}
