//! One pass over a text, which stores the positions of its values as a tree of nodes in the arena.

use super::{Kind, Node};
use crate::text::{bytes, number};
use bumpalo::Bump;
use std::cell::Cell;

const MAX_DEPTH: usize = 128;

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    arena: &'a Bump,
    /// The link for the next node: in its elder sibling, or in its parent.
    slot: &'a Cell<Option<&'a Node<'a>>>,
    canonical: bool,
    /// Whether values that are nested too deep are skipped instead of causing an error.
    skips: bool,
    too_deep: bool,
    /// The number of values that are still allowed.
    left: usize,
}

impl<'a> Parser<'a> {
    fn space(&mut self) {
        let from = self.at;
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
        self.canonical &= from == self.at;
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// A keyword of JSON or Python.
    fn word(&mut self) -> Option<()> {
        const WORDS: &[(&str, Kind, bool)] = &[
            ("true", Kind::True, true),
            ("false", Kind::False, true),
            ("null", Kind::Null, true),
            ("True", Kind::True, false),
            ("False", Kind::False, false),
            ("None", Kind::Null, false),
            ("NaN", Kind::Null, false),
            ("Infinity", Kind::Null, false),
            ("-Infinity", Kind::Null, false),
        ];
        let rest = &self.text[self.at..];
        let (word, kind, canonical) = WORDS.iter().find(|(word, ..)| rest.starts_with(word.as_bytes()))?;
        self.leaf(*kind, *canonical, self.at, self.at + word.len());
        self.at += word.len();
        Some(())
    }

    fn leaf(&mut self, kind: Kind, canonical: bool, start: usize, end: usize) -> &'a Node<'a> {
        self.canonical &= canonical;
        let text = Cell::new(&self.text[start..end]);
        let node: &'a Node<'a> =
            self.arena.alloc(Node { kind, canonical: Cell::new(canonical), text, child: Cell::new(None), next: Cell::new(None) });
        self.slot.set(Some(node));
        self.slot = &node.next;
        node
    }

    fn string(&mut self, quote: u8) -> Option<()> {
        let start = self.at + 1;
        let mut at = start;
        let mut kind = if quote == b'"' { Kind::Plain } else { Kind::Escaped };
        loop {
            let rest = self.text.get(at..)?;
            let plain = if quote == b'"' { bytes::plain(rest) } else { 0 };
            at += plain + rest[plain..].iter().position(|byte| *byte == quote || *byte == b'\\' || *byte < b' ')?;
            match self.text[at] {
                byte if byte == quote => break,
                b'\\' => {
                    if !matches!(self.text.get(at + 1)?, b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f') {
                        kind = Kind::Escaped;
                    }
                    at += 2;
                }
                // A control character in a text that was put between quotes unescaped: it is written as valid JSON.
                _ => {
                    kind = Kind::Escaped;
                    at += 1;
                }
            }
        }
        self.leaf(kind, kind == Kind::Plain, start, at);
        self.at = at + 1;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        let mut whole = true;
        while let Some(byte @ (b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) = self.peek() {
            whole &= byte.is_ascii_digit();
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        // Forms that the parser accepts and JSON does not: `01`, `1.`, `1.e5`.
        let dot_ends = memchr::memchr(b'.', digits).is_some_and(|i| !digits.get(i + 1).is_some_and(u8::is_ascii_digit));
        if matches!(digits, [b'0', b'0'..=b'9', ..]) || dot_ends || !digits.first()?.is_ascii_digit() {
            return None;
        }
        // The largest double has 309 digits.
        let is_finite = whole && text.len() < 309 || number::parse(text)?.is_finite();
        self.leaf(Kind::Number, is_finite, start, self.at);
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        self.space();
        match self.peek()? {
            quote @ (b'"' | b'\'') => self.string(quote),
            b'{' => self.container(depth, Kind::Object, b'}'),
            b'[' => self.container(depth, Kind::Array, b']'),
            b'(' => self.container(depth, Kind::Array, b')'),
            b'-' if self.text.get(self.at + 1) == Some(&b'I') => self.word(),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    fn container(&mut self, depth: usize, kind: Kind, close: u8) -> Option<()> {
        if depth == MAX_DEPTH {
            if self.skips {
                return self.skip();
            }
            self.too_deep = true;
            return None;
        }
        let start = self.at;
        let node = self.leaf(kind, true, start, start);
        let outside = std::mem::replace(&mut self.canonical, close != b')');
        self.slot = &node.child;
        self.at += 1;
        self.space();
        let mut first = true;
        while self.peek()? != close {
            if !first {
                (self.peek()? == b',').then_some(())?;
                self.at += 1;
                self.space();
                // `(1,)` is a Python tuple; `[1,]` is invalid everywhere.
                if close == b')' && self.peek()? == close {
                    break;
                }
            }
            if kind == Kind::Object {
                let quote = self.peek().filter(|q| matches!(q, b'"' | b'\''))?;
                self.string(quote)?;
                self.space();
                (self.peek()? == b':').then_some(())?;
                self.at += 1;
            }
            self.value(depth + 1)?;
            self.space();
            first = false;
        }
        self.at += 1;
        node.text.set(&self.text[start..self.at]);
        node.canonical.set(self.canonical);
        self.canonical &= outside;
        self.slot = &node.next;
        Some(())
    }

    /// Skips a container by its brackets, without examining its content.
    fn skip(&mut self) -> Option<()> {
        let (start, mut open) = (self.at, 0usize);
        loop {
            match self.peek()? {
                quote @ (b'"' | b'\'') => loop {
                    self.at += 1 + memchr::memchr2(quote, b'\\', self.text.get(self.at + 1..)?)?;
                    if self.peek() == Some(quote) {
                        break;
                    }
                    self.at += 1;
                },
                b'{' | b'[' | b'(' => open += 1,
                b'}' | b']' | b')' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                break;
            }
        }
        self.leaf(Kind::Null, false, start, self.at);
        Some(())
    }
}

/// Why a text cannot be read.
pub(super) enum Why {
    /// It is nested too deep.
    TooDeep,
    /// It has more values than are allowed.
    TooMany,
    /// It is not JSON.
    NoJson,
}

/// The outermost value; otherwise how far the text could be read, and whether the only problem is its depth. `skips`: values that are nested too deep read as `null`.
pub(super) fn root<'a>(text: &'a [u8], arena: &'a Bump, (skips, most): (bool, usize)) -> Result<&'a Node<'a>, (usize, Why)> {
    let root = arena.alloc(Cell::new(None));
    let mut p = Parser { text, at: 0, arena, slot: root, canonical: true, skips, too_deep: false, left: most };
    let read = p.value(0);
    p.space();
    match root.get() {
        Some(root) if read.is_some() && p.at == text.len() => Ok(root),
        _ if p.left == 0 => Err((p.at, Why::TooMany)),
        _ => Err((p.at, if p.too_deep { Why::TooDeep } else { Why::NoJson })),
    }
}
