//! The dictionary of attribute keys and span names: each text is stored once and has a number, and with the number everything that the
//! convention tables define for the key. No rule is applied here.

use crate::conventions::custom::Mappings;
use crate::conventions::{self, ConventionSet, OWN, RuleRef, To};
use crate::genai::{Field, PEOPLE};
use crate::hash::{Hash, HashOf};
use crate::protobuf::{push_varint, varint_len};
use crate::span::{Attr, Key};
use crate::text;
use hashbrown::HashTable;
use std::cell::Cell;
use std::hash::BuildHasher;

/// Longer keys, in bytes, are never interned: no instrumentation has them, but an attacker might.
const MAX_KEY_BYTES: usize = 256;

/// More rules than the tables have for any key.
const MAX_RULES: usize = 64;
/// A value that is not a possible set of conventions.
const UNASKED: ConventionSet = ConventionSet::MAX;

/// The properties of a key that do not depend on the span.
#[derive(Debug)]
pub struct KeyInfo {
    /// `KeyValue.key` in encoded form: tag, length, text.
    prefix: Box<[u8]>,
    text_at: u8,
    /// The rules of the tables for it.
    pub rules: Box<[RuleRef]>,
    /// The conventions for which it is evidence.
    pub evidence: ConventionSet,
    /// Whether its value may also be evidence, or the mark of an entry.
    pub value_counts: bool,
    /// Whether it contains one of [`PEOPLE`], with this trust.
    pub person: Option<(usize, u8)>,
    /// The rules for the last queried set of conventions: an application has only a few sets.
    holding: [Cell<(ConventionSet, u64)>; 2],
    /// The last list of attributes that contained the key, and its position there: [`Keys::place_in_list`].
    place: (u32, u32),
}

impl KeyInfo {
    /// Collects the rules of the tables and of the user's own mappings for a key.
    pub fn new(text: &[u8], mappings: Mappings) -> Self {
        let mut prefix = Vec::with_capacity(1 + varint_len(text.len() as u64) + text.len());
        prefix.push(0x0a);
        push_varint(&mut prefix, text.len() as u64);
        let text_at = prefix.len() as u8;
        prefix.extend_from_slice(text);
        let (mut rules, mut evidence) = conventions::rules_of(text);
        for own in mappings.rules_of(text) {
            rules.push(own);
            evidence |= own.convention;
        }
        let value_counts = rules.iter().any(|r| r.rule.to.is_mark() || r.rule.to.is_proof());
        let person = |r: &RuleRef| match r.rule.to {
            To::Field(Field::RequestModel) => None,
            To::Field(field) => PEOPLE.iter().position(|named| *named == field).map(|i| (i, r.rule.trust)),
            To::ModelBelow => Some((PEOPLE.len() - 1, r.rule.trust)),
            _ => None,
        };
        let person = rules.iter().filter_map(person).max_by_key(|(_, trust)| *trust);
        let holding = [const { Cell::new((UNASKED, 0)) }; 2];
        KeyInfo { prefix: prefix.into(), text_at, rules: rules.into(), evidence, value_counts, person, holding, place: (0, 0) }
    }

    /// The rules that apply on a span of these conventions. If there are none, only marks of the spans of any library.
    pub fn holding(&self, conventions: ConventionSet) -> impl Iterator<Item = &RuleRef> {
        let [newer, older] = &self.holding;
        if newer.get().0 != conventions {
            newer.swap(older);
            if newer.get().0 != conventions {
                newer.set((conventions, self.find_holding(conventions)));
            }
        }
        let mut left = newer.get().1;
        std::iter::from_fn(move || {
            let at = left.trailing_zeros();
            left &= left.checked_sub(1)?;
            self.rules.get(at as usize)
        })
    }

    #[inline(never)]
    fn find_holding(&self, conventions: ConventionSet) -> u64 {
        // A secret counts under the key of any convention.
        let secret = |r: &RuleRef| conventions != 0 && matches!(r.rule.to, To::Drop);
        let holds = |r: &RuleRef| r.rule.to.is_mark() || r.convention & conventions != 0 || secret(r);
        let own = self.rules.iter().any(|r| r.rule.trust == OWN && holds(r));
        let those = self.rules.iter().take(MAX_RULES).enumerate().filter(|(_, r)| holds(r) && (!own || r.rule.trust == OWN));
        those.map(|(i, _)| 1 << i).sum()
    }

    /// Returns true if the value may be a secret.
    pub fn is_secret(&self) -> bool {
        self.rules.iter().any(|r| matches!(r.rule.to, To::Drop))
    }

    /// The key.
    #[inline]
    pub fn text(&self) -> &[u8] {
        &self.prefix[usize::from(self.text_at)..]
    }

    /// Field 1 of the `KeyValue` message: tag, length, text.
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }
}

/// The dictionary. Its size is limited: beyond `capacity`, new keys remain text, and each use of one costs a lookup in the tables.
#[derive(Debug, Default)]
pub struct Keys {
    ids: HashTable<u32>,
    infos: Vec<KeyInfo>,
    hasher: Hash,
    capacity: usize,
    /// Number of keys that are never evicted: those of the profiles, and those that a host knows.
    kept: usize,
    /// The meanings that the user declared for keys.
    pub mappings: Mappings,
    /// The number of the current list of attributes.
    list: u32,
}

impl Keys {
    /// Creates a dictionary for at most `capacity` keys, not counting those of profiles.
    pub fn new(capacity: usize) -> Self {
        Keys { capacity, ..Keys::default() }
    }

    /// Adds the keys that a profile writes. Call it before adding any other key, because they must have the lowest numbers.
    pub fn add_profile(&mut self, written: &[&str]) {
        let (capacity, count) = (std::mem::replace(&mut self.capacity, usize::MAX), self.infos.len());
        for key in written {
            self.intern(key.as_bytes());
        }
        self.capacity = capacity.saturating_add(self.infos.len() - count);
        self.keep();
    }

    /// Makes all present keys permanent, because a host knows their numbers.
    pub fn keep(&mut self) {
        self.kept = self.infos.len();
    }

    /// Evicts all keys that are not permanent, if there is no room for more.
    pub fn recycle(&mut self) {
        if self.infos.len() >= self.capacity {
            self.infos.truncate(self.kept);
            let kept = self.infos.len();
            self.ids.retain(|id| (*id as usize) < kept);
        }
    }

    /// The number of a key that is in the dictionary.
    pub fn find(&self, text: &[u8]) -> Option<u32> {
        self.ids.find(self.hasher.hash_one(text), |&id| self.infos[id as usize].text() == text).copied()
    }

    /// The number of a key, added if necessary; `None` if the dictionary is full or the key is too long.
    pub fn intern(&mut self, text: &[u8]) -> Option<u32> {
        if let Some(id) = self.find(text) {
            return Some(id);
        }
        if self.infos.len() >= self.capacity || text.len() > MAX_KEY_BYTES {
            return None;
        }
        let id = self.infos.len() as u32;
        self.infos.push(KeyInfo::new(text, self.mappings));
        let (infos, hasher) = (&self.infos, &self.hasher);
        let hash: &HashOf = &|&id| hasher.hash_one(infos[id as usize].text());
        self.ids.insert_unique(hasher.hash_one(text), id, hash);
        Some(id)
    }

    /// The key in the form of the span model.
    pub fn key<'a>(&mut self, text: &'a [u8]) -> Key<'a> {
        self.intern(text).map_or(Key::Text(text), Key::Id)
    }

    /// Starts reading another list of attributes.
    pub fn begin_list(&mut self) {
        // Zero means that no list has contained the key.
        self.list = self.list % u32::MAX + 1;
    }

    /// The position of the key in the current list; if it is new there, `end`, which becomes its position.
    pub fn place_in_list(&mut self, id: u32, end: usize) -> usize {
        let list = self.list;
        match self.infos.get_mut(id as usize) {
            Some(info) if info.place.0 == list => info.place.1 as usize,
            Some(info) => {
                info.place = (list, end as u32);
                end
            }
            None => end,
        }
    }

    /// The properties of a number that this dictionary assigned.
    #[inline]
    pub fn get(&self, id: u32) -> Option<&KeyInfo> {
        self.infos.get(id as usize)
    }

    /// The text of a key.
    #[inline]
    pub fn text<'a>(&'a self, key: Key<'a>) -> &'a [u8] {
        match key {
            Key::Id(id) => self.get(id).map_or(&[], KeyInfo::text),
            Key::Text(text) => text,
        }
    }

    /// The conventions that the attributes of a resource prove.
    pub fn conventions_of_resource(&self, attributes: &[Attr]) -> ConventionSet {
        conventions::of_resource(|key, passes| {
            attributes.iter().any(|attr| text::is(self.text(attr.key), key) && attr.value.as_str().is_some_and(passes))
        })
    }

    /// Number of keys.
    pub fn count(&self) -> usize {
        self.infos.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_dictionary_still_finds_what_it_knows() {
        let mut keys = Keys::new(1);
        let first = keys.intern(b"my.first").unwrap();
        assert_eq!(keys.intern(b"my.second"), None);
        assert_eq!(keys.key(b"my.second"), Key::Text(b"my.second"));
        assert_eq!(keys.intern(b"my.first"), Some(first));
        assert_eq!(keys.text(Key::Id(first)), b"my.first");
        assert_eq!(keys.get(first).unwrap().prefix(), b"\x0a\x08my.first");
    }

    #[test]
    fn the_rules_that_hold_are_those_of_the_conventions_that_are_asked_about() {
        let (key, all) = (KeyInfo::new(b"gen_ai.usage.input_tokens", Mappings::default()), ConventionSet::MAX >> 1);
        assert!(key.rules.len() > 2);
        let of_tables =
            conventions::ALL.iter().flat_map(|c| c.rules).map(|rule| KeyInfo::new(rule.key.as_bytes(), Mappings::default()).rules.len());
        assert!(of_tables.max().is_some_and(|most| most <= MAX_RULES));
        // In turns, as the spans of several libraries come.
        for bit in (0..conventions::ALL.len()).chain((0..conventions::ALL.len()).rev()).chain([3, 4, 5, 3, 4, 5]) {
            for set in [1 << bit, all, 0] {
                let plain: Vec<_> = key.rules.iter().filter(|r| r.convention & set != 0).map(|r| r.convention).collect();
                assert_eq!(key.holding(set).map(|r| r.convention).collect::<Vec<_>>(), plain, "{set:b}");
            }
        }
    }

    #[test]
    fn a_full_dictionary_makes_room_but_not_for_what_a_host_knows() {
        let mut keys = Keys::new(3);
        let profiles = keys.count();
        let of_host = keys.intern(b"my.first").unwrap();
        keys.keep();
        keys.intern(b"my.second");
        keys.recycle();
        assert_eq!(keys.count(), profiles + 2, "there is room");
        keys.intern(b"my.third");
        keys.recycle();
        assert_eq!((keys.count(), keys.find(b"my.first"), keys.find(b"my.second")), (profiles + 1, Some(of_host), None));
        assert_eq!(keys.intern(b"my.fourth"), Some(of_host + 1));
        assert_eq!(keys.text(Key::Id(of_host + 1)), b"my.fourth");
    }

    #[test]
    fn a_key_that_is_too_long_stays_text() {
        assert_eq!(Keys::new(10).intern(&[b'x'; 257]), None);
    }
}
