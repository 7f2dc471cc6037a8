//! The tables as they are shipped: packed into bytes when the crate is compiled, unpacked when they are first asked. A row is
//! some pointers and words otherwise, and pointers do not compress.
//!
//! A text is how much of the text before it it begins with, how much follows, and what follows. A list is its length (two bytes)
//! and its members. What a value is ([`To`]) is the number of its variant and what the variant holds.

use super::{Convention, Root, Rule, To};
use crate::genai::{Field, Flat, Kind};
use bumpalo::Bump;
use std::sync::OnceLock;

/// Longest text.
const MAX_TEXT: usize = 255;

/// Writes a table. `N` is enough room; how much of it was needed is known at the end.
pub struct Packer<const N: usize> {
    out: [u8; N],
    length: usize,
    last: &'static str,
}

/// Reads what was written. It is read as long as the process lives.
struct Unpacker {
    rest: &'static [u8],
    last: &'static str,
    arena: &'static Bump,
}

impl<const N: usize> Packer<N> {
    /// Nothing written yet.
    pub const fn new() -> Self {
        Packer { out: [0; N], length: 0, last: "" }
    }

    /// How many bytes were written.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// What was written, in an array that is just large enough.
    pub const fn bytes<const M: usize>(&self) -> [u8; M] {
        let mut out = [0; M];
        out.copy_from_slice(self.out.split_at(M).0);
        out
    }

    const fn byte(&mut self, byte: u8) {
        self.out[self.length] = byte;
        self.length += 1;
    }

    const fn count(&mut self, count: usize) {
        self.byte(count as u8);
        self.byte((count >> 8) as u8);
    }

    const fn number(&mut self, number: u32) {
        self.count((number & 0xffff) as usize);
        self.count((number >> 16) as usize);
    }

    const fn text(&mut self, text: &'static str) {
        let (text_bytes, last) = (text.as_bytes(), self.last.as_bytes());
        assert!(text_bytes.len() <= MAX_TEXT, "the length of a text is one byte");
        let mut shared = 0;
        while shared < text_bytes.len() && shared < last.len() && text_bytes[shared] == last[shared] {
            shared += 1;
        }
        self.byte(shared as u8);
        self.byte((text_bytes.len() - shared) as u8);
        while shared < text_bytes.len() {
            self.byte(text_bytes[shared]);
            shared += 1;
        }
        self.last = text;
    }

    const fn field(&mut self, field: Field) {
        self.byte(field as u8);
    }

    const fn kind(&mut self, kind: Kind) {
        self.byte(kind as u8);
    }

    const fn flat(&mut self, flat: Flat) {
        self.byte(flat as u8);
    }

    const fn one(&mut self, to: &'static To) {
        self.to(*to);
    }

    const fn rule(&mut self, rule: &'static Rule) {
        self.text(rule.key);
        self.byte(rule.trust);
        self.to(rule.to);
    }

    /// A convention.
    pub const fn convention(mut self, c: &Convention) -> Self {
        self.text(c.id);
        self.texts(c.scopes);
        self.texts(c.keys);
        self.texts(c.not_keys);
        self.words(c.resources);
        self.byte(c.flags);
        self.roots(c.roots);
        self.rules(c.rules);
        self
    }

    /// Words and what they mean.
    pub const fn table(mut self, words: &'static [(&'static str, &'static str)]) -> Self {
        self.words(words);
        self
    }

    /// The attributes that say a field.
    pub const fn profile(mut self, keys: &'static [(Field, &'static [&'static str])]) -> Self {
        self.keys(keys);
        self
    }
}

impl Unpacker {
    fn new(packed: &'static [u8]) -> Self {
        Unpacker { rest: packed, last: "", arena: Box::leak(Box::default()) }
    }

    fn byte(&mut self) -> u8 {
        let (byte, rest) = self.rest.split_first().unwrap_or((&0, &[]));
        self.rest = rest;
        *byte
    }

    fn count(&mut self) -> usize {
        usize::from(u16::from_le_bytes([self.byte(), self.byte()]))
    }

    fn number(&mut self) -> u32 {
        self.count() as u32 | (self.count() as u32) << 16
    }

    fn text(&mut self) -> &'static str {
        let (shared, more) = (usize::from(self.byte()), usize::from(self.byte()));
        let (more, rest) = self.rest.split_at(more);
        self.rest = rest;
        let text = if shared == 0 { more } else { self.joined(shared, more) };
        self.last = std::str::from_utf8(text).unwrap_or_default();
        self.last
    }

    /// How the last text begins, and what follows.
    fn joined(&self, shared: usize, more: &[u8]) -> &'static [u8] {
        let text = self.arena.alloc_slice_fill_copy(shared + more.len(), 0);
        let (start, end) = text.split_at_mut(shared);
        start.copy_from_slice(&self.last.as_bytes()[..shared]);
        end.copy_from_slice(more);
        text
    }

    fn field(&mut self) -> Field {
        Field::ALL[usize::from(self.byte())]
    }

    fn kind(&mut self) -> Kind {
        Kind::ALL[usize::from(self.byte())]
    }

    fn flat(&mut self) -> Flat {
        Flat::ALL[usize::from(self.byte())]
    }

    fn one(&mut self) -> &'static To {
        let to = self.to();
        self.arena.alloc(to)
    }

    fn rule(&mut self) -> Rule {
        Rule { key: self.text(), trust: self.byte(), to: self.to() }
    }

    fn convention(&mut self) -> Convention {
        Convention {
            id: self.text(),
            scopes: self.texts(),
            keys: self.texts(),
            not_keys: self.texts(),
            resources: self.words(),
            flags: self.byte(),
            roots: self.roots(),
            rules: self.rules(),
        }
    }

    fn list<T>(&mut self, mut member: impl FnMut(&mut Self) -> T) -> &'static [T] {
        let (count, arena) = (self.count(), self.arena);
        arena.alloc_slice_fill_with(count, |_| member(self))
    }
}

/// Lists: what they are of, and how a member is written and read.
macro_rules! lists {
    ($($name:ident: $of:ty = $packer:ident $member:ident $write:block $read:expr;)*) => {
        impl<const N: usize> Packer<N> {
            $(const fn $name(&mut self, list: &'static [$of]) {
                self.count(list.len());
                let mut at = 0;
                while at < list.len() {
                    let ($packer, $member) = (&mut *self, &list[at]);
                    $write
                    at += 1;
                }
            })*
        }

        impl Unpacker {
            $(fn $name(&mut self) -> &'static [$of] {
                self.list($read)
            })*
        }
    };
}

lists! {
    texts: &'static str = p text { p.text(text) } Self::text;
    words: (&'static str, &'static str) = p pair { p.text(pair.0); p.text(pair.1); } |p| (p.text(), p.text());
    kinds: (&'static str, Kind) = p pair { p.text(pair.0); p.kind(pair.1); } |p| (p.text(), p.kind());
    members: (&'static str, To) = p pair { p.text(pair.0); p.to(pair.1); } |p| (p.text(), p.to());
    all: To = p to { p.one(to) } Self::to;
    roots: (&'static str, Root) = p pair { p.text(pair.0); p.byte(pair.1 as u8); } |p| (p.text(), Root::ALL[usize::from(p.byte())]);
    kinds_alone: Kind = p kind { p.kind(*kind) } Self::kind;
    keys: (Field, &'static [&'static str]) = p row { p.field(row.0); p.texts(row.1); } |p| (p.field(), p.texts());
    rules: Rule = p rule { p.rule(rule) } Self::rule;
}

/// The variants of [`To`] and how what they hold is written and read.
macro_rules! variants {
    ($($name:ident $(($first:ident $(, $second:ident)?))?)*) => {
        #[derive(Clone, Copy)]
        enum Tag { $($name,)* }

        impl Tag {
            const ALL: &[Tag] = &[$(Tag::$name,)*];
        }

        impl<const N: usize> Packer<N> {
            const fn to(&mut self, to: To) {
                match to {
                    $(variants!(@pattern $name a b $($first $($second)?)?) => {
                        self.byte(Tag::$name as u8);
                        $(self.$first(a); $(self.$second(b);)?)?
                    })*
                }
            }
        }

        impl Unpacker {
            fn to(&mut self) -> To {
                match Tag::ALL[usize::from(self.byte())] {
                    $(Tag::$name => variants!(@value $name $(self.$first() $(, self.$second())?)?),)*
                }
            }
        }
    };
    (@pattern $name:ident $a:ident $b:ident) => { To::$name };
    (@pattern $name:ident $a:ident $b:ident $first:ident) => { To::$name($a) };
    (@pattern $name:ident $a:ident $b:ident $first:ident $second:ident) => { To::$name($a, $b) };
    (@value $name:ident) => { To::$name };
    (@value $name:ident $($held:expr),+) => { To::$name($($held),+) };
}

variants! {
    Field(field) Kind(kinds) Hint(kinds) Proof(texts) Unless(field, texts) UncachedInput ToolSchema Documents Inside(flat, text)
    Failed(texts) All(all) Model ModelBelow Wrapper(texts) Copy(texts) Parameters Usage UsagePart Cost Input Output InputMessages OutputMessages Flat(flat) FlatParts(flat) EntityInput
    OutputIn(texts) RunOutput EntityName WorkflowName Host ToolParameters ActionName Like(text, one) FirstWord(one) Enveloped(one) Items(one)
    CacheBeside(field) UncachedPart Vector FirstTokenAt FirstTokenAfter(number) FirstTokenAfterAny Object(members) Implies(field, text)
    ImpliesKind(kind) Aggregate(texts) Aggregated(field) ToldAbove(field) OfOneCall(one) AggregateOn(kinds_alone) Request Aside(texts) Exchange
    Words(field, words) Level StatusMessage Mark MarkIf(texts) MarkInside MarkCopy GraphNode ToolInputs Keep Spent Drop
}

/// The convention that was packed.
pub fn convention(packed: &'static [u8]) -> Convention {
    Unpacker::new(packed).convention()
}

/// A table that is unpacked when it is first asked.
pub struct Packed<T: 'static> {
    packed: &'static [u8],
    rows: OnceLock<&'static [T]>,
}

/// Words and what they mean.
pub type Words = Packed<(&'static str, &'static str)>;
/// The attributes that say a field.
pub type Keys = Packed<(Field, &'static [&'static str])>;

impl<T> Packed<T> {
    /// The rows that were packed.
    pub const fn new(packed: &'static [u8]) -> Self {
        Packed { packed, rows: OnceLock::new() }
    }
}

impl Words {
    /// The words.
    pub fn rows(&self) -> &'static [(&'static str, &'static str)] {
        self.rows.get_or_init(|| Unpacker::new(self.packed).words())
    }
}

impl Keys {
    /// The fields, each with its keys.
    pub fn rows(&self) -> &'static [(Field, &'static [&'static str])] {
        self.rows.get_or_init(|| Unpacker::new(self.packed).keys())
    }
}

/// What a method of [`Packer`] writes, at compile time.
macro_rules! packed {
    ($what:ident $table:expr) => {{
        const WHOLE: $crate::conventions::packed::Packer<8192> = $crate::conventions::packed::Packer::new().$what($table);
        static BYTES: [u8; WHOLE.len()] = WHOLE.bytes();
        &BYTES as &[u8]
    }};
}
pub(crate) use packed;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_what_the_tables_say() {
        for (packed, table) in super::super::PACKED.iter().zip(super::super::ALL) {
            assert_eq!(format!("{:?}", convention(packed)), format!("{table:?}"));
        }
    }
}
