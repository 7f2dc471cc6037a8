//! JSON text read in place: one pass makes a flat index of where each value stands, nothing is decoded until it is
//! copied. Messages are transcoded from one shape to another with it; OTLP/JSON and the configuration are read with it too.
//!
//! The accessors are called from hundreds of places and are not inlined: the module's size counts.
//!
//! The reader is lenient where sources are: Python's `repr` (single quotes, `True`, `None`) reads too, since LangChain
//! writes tool inputs that way.

pub mod read;

use crate::number;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// Text under construction, in the arena of the run.
pub type Out<'a> = BumpVec<'a, u8>;

const MAX_DEPTH: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    True,
    False,
    Number,
    /// Text between quotes that may be copied as it stands.
    Plain,
    /// Text with escapes that have a shorter canonical form (`\u…`, `\/`), or in single quotes.
    Escaped,
    Array,
    Object,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    kind: Kind,
    /// Of a string: its first character, after the quote.
    start: u32,
    end: u32,
    /// Index of the node after this one's last descendant.
    next: u32,
}

/// An indexed JSON text.
pub struct Doc<'a> {
    text: &'a [u8],
    nodes: BumpVec<'a, Node>,
    /// Copying the text as it stands gives the canonical text: compact, minimal escapes, double quotes.
    canonical: bool,
}

/// A value in a [`Doc`].
#[derive(Clone, Copy)]
pub struct Json<'d> {
    doc: &'d Doc<'d>,
    at: u32,
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    nodes: BumpVec<'a, Node>,
    canonical: bool,
    too_deep: bool,
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

    fn word(&mut self, word: &[u8], kind: Kind) -> Option<()> {
        self.text[self.at..].starts_with(word).then_some(())?;
        self.leaf(kind, self.at, self.at + word.len());
        self.at += word.len();
        Some(())
    }

    fn python_word(&mut self, word: &[u8], kind: Kind) -> Option<()> {
        self.canonical = false;
        self.word(word, kind)
    }

    fn leaf(&mut self, kind: Kind, start: usize, end: usize) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind, start: start as u32, end: end as u32, next });
    }

    fn string(&mut self, quote: u8) -> Option<()> {
        let start = self.at + 1;
        let mut at = start;
        let mut kind = if quote == b'"' { Kind::Plain } else { Kind::Escaped };
        loop {
            at += memchr::memchr2(quote, b'\\', self.text.get(at..)?)?;
            if self.text[at] == quote {
                break;
            }
            match self.text.get(at + 1)? {
                b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f' => {}
                _ => kind = Kind::Escaped,
            }
            at += 2;
        }
        self.canonical &= kind == Kind::Plain;
        self.leaf(kind, start, at);
        self.at = at + 1;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.peek() {
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        // What the parser takes and JSON does not: `01`, `1.`, `1.e5`.
        let dot_ends = memchr::memchr(b'.', digits).is_some_and(|i| !digits.get(i + 1).is_some_and(u8::is_ascii_digit));
        if matches!(digits, [b'0', b'0'..=b'9', ..]) || dot_ends || !digits.first()?.is_ascii_digit() {
            return None;
        }
        number::parse(text)?;
        self.leaf(Kind::Number, start, self.at);
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.space();
        match self.peek()? {
            quote @ (b'"' | b'\'') => self.string(quote),
            b'{' => self.container(depth, Kind::Object, b'}'),
            b'[' => self.container(depth, Kind::Array, b']'),
            b'(' => {
                self.canonical = false;
                self.container(depth, Kind::Array, b')')
            }
            b't' => self.word(b"true", Kind::True),
            b'f' => self.word(b"false", Kind::False),
            b'n' => self.word(b"null", Kind::Null),
            b'T' => self.python_word(b"True", Kind::True),
            b'F' => self.python_word(b"False", Kind::False),
            b'N' => self.python_word(b"None", Kind::Null).or_else(|| self.python_word(b"NaN", Kind::Null)),
            b'I' => self.python_word(b"Infinity", Kind::Null),
            b'-' if self.text[self.at..].starts_with(b"-Infinity") => self.python_word(b"-Infinity", Kind::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    fn container(&mut self, depth: usize, kind: Kind, close: u8) -> Option<()> {
        if depth == MAX_DEPTH {
            self.too_deep = true;
            return None;
        }
        let node = self.nodes.len();
        self.leaf(kind, self.at, self.at);
        self.at += 1;
        self.space();
        let mut first = true;
        while self.peek()? != close {
            if !first {
                (self.peek()? == b',').then_some(())?;
                self.at += 1;
                self.space();
                // `(1,)` is a Python tuple; `[1,]` is nobody's.
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
        let next = self.nodes.len() as u32;
        self.nodes[node].end = self.at as u32;
        self.nodes[node].next = next;
        Some(())
    }
}

impl<'a> Doc<'a> {
    /// Indexes `text`; `None` if it is not one JSON value (or Python literal) from end to end.
    pub fn parse(text: &'a [u8], arena: &'a Bump) -> Option<Self> {
        Self::parse_up_to(text, arena).ok()
    }

    /// As [`Doc::parse`]; else how far the text could be read, and whether it only nests too deep.
    fn parse_up_to(text: &'a [u8], arena: &'a Bump) -> Result<Self, (usize, bool)> {
        let mut p = Parser { text, at: 0, nodes: BumpVec::with_capacity_in(16, arena), canonical: true, too_deep: false };
        let read = u32::try_from(text.len()).ok().and_then(|_| p.value(0));
        p.space();
        if read.is_none() || p.at != text.len() {
            return Err((p.at, p.too_deep));
        }
        Ok(Doc { text, nodes: p.nodes, canonical: p.canonical })
    }

    /// The outermost value.
    pub fn root(&self) -> Json<'_> {
        Json { doc: self, at: 0 }
    }

    /// Whether the text already is what writing it out canonically would give.
    pub fn is_canonical(&self) -> bool {
        self.canonical
    }
}

/// Indexes `text` and keeps the index in the arena.
pub fn parse<'a>(text: &'a [u8], arena: &'a Bump) -> Option<Json<'a>> {
    let doc: &'a Doc<'a> = arena.alloc(Doc::parse(text, arena)?);
    Some(doc.root())
}

/// As [`parse`]; else says in one line what is wrong, and where.
pub fn parse_or_say<'a>(text: &'a [u8], arena: &'a Bump) -> Result<Json<'a>, String> {
    let (at, too_deep) = match Doc::parse_up_to(text, arena) {
        Ok(doc) => return Ok((arena.alloc(doc) as &Doc).root()),
        Err(why) => why,
    };
    let read = &text[..at];
    let line = 1 + read.iter().filter(|byte| **byte == b'\n').count();
    let column = 1 + at - memchr::memrchr(b'\n', read).map_or(0, |end| end + 1);
    let what = match (too_deep, at == text.len()) {
        (true, _) => "nested too deep",
        (_, true) => "ends too early",
        _ => "is no JSON",
    };
    Err(format!("{what} at line {line} column {column}"))
}

impl<'d> Json<'d> {
    fn node(&self) -> Node {
        self.doc.nodes[self.at as usize]
    }

    /// The value as it stands in the text; a string without its quotes.
    pub fn source(&self) -> &'d [u8] {
        self.slice()
    }

    fn slice(&self) -> &'d [u8] {
        let n = self.node();
        &self.doc.text[n.start as usize..n.end as usize]
    }

    /// Is it `null`?
    pub fn is_null(&self) -> bool {
        self.node().kind == Kind::Null
    }

    /// Is it text?
    pub fn is_string(&self) -> bool {
        matches!(self.node().kind, Kind::Plain | Kind::Escaped)
    }

    /// Is it `true` or `false`?
    pub fn is_bool(&self) -> bool {
        matches!(self.node().kind, Kind::True | Kind::False)
    }

    /// What it is, for an error.
    pub fn kind(&self) -> &'static str {
        match self.node().kind {
            Kind::Null => "null",
            Kind::True | Kind::False => "a boolean",
            Kind::Number => "a number",
            Kind::Plain | Kind::Escaped => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }

    /// The digits of a number.
    pub fn number(&self) -> Option<&'d [u8]> {
        (self.node().kind == Kind::Number).then(|| self.slice())
    }

    /// Is it an array?
    pub fn is_array(&self) -> bool {
        self.node().kind == Kind::Array
    }

    /// Is it an object?
    pub fn is_object(&self) -> bool {
        self.node().kind == Kind::Object
    }

    /// Is it `""`, `[]`, `{}` or `null`?
    #[inline(never)]
    pub fn is_empty(&self) -> bool {
        let n = self.node();
        match n.kind {
            Kind::Null => true,
            Kind::Plain | Kind::Escaped => n.start == n.end,
            Kind::Array | Kind::Object => n.next == self.at + 1,
            _ => false,
        }
    }

    /// The text of a string, decoded; borrowed where there is nothing to decode.
    #[inline(never)]
    pub fn text(&self, arena: &'d Bump) -> Option<&'d [u8]> {
        if !self.is_string() {
            return None;
        }
        let raw = self.slice();
        if memchr::memchr(b'\\', raw).is_none() {
            return Some(raw);
        }
        let mut out = BumpVec::with_capacity_in(raw.len(), arena);
        decode(raw, &mut out);
        Some(out.into_bump_slice())
    }

    /// Whether this is the string `word`. Escapes are not decoded: words of a convention have none.
    #[inline(never)]
    pub fn is(&self, word: &str) -> bool {
        self.is_string() && self.slice() == word.as_bytes()
    }

    /// The string as it stands, escapes and all: for words of a convention.
    #[inline(never)]
    pub fn word(&self) -> Option<&'d [u8]> {
        self.is_string().then(|| self.slice())
    }

    /// `true`, `false`, or the words for them.
    #[inline(never)]
    pub fn as_bool(&self) -> Option<bool> {
        match self.node().kind {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => crate::normalize::scalar::bool_word(self.slice()),
        }
    }

    /// A number, or a string that is one.
    #[inline(never)]
    pub fn as_f64(&self) -> Option<f64> {
        match self.node().kind {
            Kind::Number | Kind::Plain => number::parse(self.slice().trim_ascii()),
            _ => None,
        }
    }

    /// A whole number, or a string that is one.
    #[inline(never)]
    pub fn as_i64(&self) -> Option<i64> {
        match self.node().kind {
            Kind::Number | Kind::Plain => crate::normalize::scalar::int_text(self.slice()),
            _ => None,
        }
    }

    /// The values of an array; nothing for anything else.
    pub fn items(self) -> impl Iterator<Item = Json<'d>> {
        let n = self.node();
        let end = if n.kind == Kind::Array { n.next } else { 0 };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let item = Json { doc: self.doc, at };
                at = item.node().next;
                item
            })
        })
    }

    /// Keys (as they stand) and values of an object; nothing for anything else.
    pub fn entries(self) -> impl Iterator<Item = (&'d [u8], Json<'d>)> {
        let n = self.node();
        let end = if n.kind == Kind::Object { n.next } else { 0 };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let key = Json { doc: self.doc, at };
                let value = Json { doc: self.doc, at: at + 1 };
                at = value.node().next;
                (key.slice(), value)
            })
        })
    }

    /// The member `key`, if it is there and not `null`.
    #[inline(never)]
    pub fn get(self, key: &str) -> Option<Json<'d>> {
        self.entries().find(|(k, v)| *k == key.as_bytes() && !v.is_null()).map(|(_, v)| v)
    }

    /// The first of several members that is there and not `null`.
    #[inline(never)]
    pub fn any(self, keys: &[&str]) -> Option<Json<'d>> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// Writes the value: compact, double quotes, no escape that need not be.
    #[inline(never)]
    pub fn write(&self, out: &mut Out) {
        if self.doc.canonical {
            let n = self.node();
            let quote = usize::from(self.is_string());
            out.extend_from_slice(&self.doc.text[n.start as usize - quote..n.end as usize + quote]);
            return;
        }
        match self.node().kind {
            Kind::Null => out.extend_from_slice(b"null"),
            Kind::True => out.extend_from_slice(b"true"),
            Kind::False => out.extend_from_slice(b"false"),
            Kind::Number => out.extend_from_slice(self.slice()),
            Kind::Plain | Kind::Escaped => {
                out.push(b'"');
                self.write_inner(out);
                out.push(b'"');
            }
            Kind::Array => {
                out.push(b'[');
                for (i, item) in self.items().enumerate() {
                    separate(out, i);
                    item.write(out);
                }
                out.push(b']');
            }
            Kind::Object => {
                out.push(b'{');
                let end = self.node().next;
                let mut at = self.at + 1;
                let mut i = 0;
                while at < end {
                    separate(out, i);
                    Json { doc: self.doc, at }.write(out);
                    out.push(b':');
                    let value = Json { doc: self.doc, at: at + 1 };
                    value.write(out);
                    at = value.node().next;
                    i += 1;
                }
                out.push(b'}');
            }
        }
    }

    /// Writes a string without its quotes, escapes canonical.
    pub fn write_inner(&self, out: &mut Out) {
        match self.node().kind {
            Kind::Plain => out.extend_from_slice(self.slice()),
            Kind::Escaped => {
                let mut text = BumpVec::with_capacity_in(self.slice().len(), out.bump());
                decode(self.slice(), &mut text);
                escape(&text, out);
            }
            _ => {}
        }
    }

    /// The value as canonical JSON text: borrowed where it stands so already.
    #[inline(never)]
    pub fn to_text(self, arena: &'d Bump) -> &'d [u8] {
        if self.doc.canonical && !self.is_string() {
            return self.slice();
        }
        let mut out = BumpVec::with_capacity_in(self.slice().len() + 2, arena);
        self.write(&mut out);
        out.into_bump_slice()
    }
}

/// A comma before every member but the first.
pub fn separate(out: &mut Out, index: usize) {
    if index > 0 {
        out.push(b',');
    }
}

/// Appends `text` escaped, without quotes.
pub fn escape(text: &[u8], out: &mut Out) {
    let mut from = 0;
    for (i, &byte) in text.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text[from..i]);
        from = i + 1;
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            8 => b'b',
            12 => b'f',
            _ => {
                out.extend_from_slice(b"\\u00");
                push_hex(byte, out);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.extend_from_slice(&text[from..]);
}

fn push_hex(byte: u8, out: &mut Out) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

/// Appends bytes as a JSON string of hex digits.
pub fn hex(bytes: &[u8], out: &mut Out) {
    out.push(b'"');
    bytes.iter().for_each(|byte| push_hex(*byte, out));
    out.push(b'"');
}

/// Appends `text` as a JSON string.
pub fn string(text: &[u8], out: &mut Out) {
    out.push(b'"');
    escape(text, out);
    out.push(b'"');
}

fn hex4(raw: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(raw.get(..4)?).ok()?, 16).ok()
}

/// Decodes JSON escapes (and Python's `\x41`, `\'`); a lone surrogate becomes U+FFFD, an unknown escape stays.
pub fn decode(raw: &[u8], out: &mut Out) {
    let mut at = 0;
    while let Some(skip) = memchr::memchr(b'\\', &raw[at..]) {
        out.extend_from_slice(&raw[at..at + skip]);
        at += skip + 2;
        let code = match raw.get(at - 1) {
            Some(b'n') => 10,
            Some(b'r') => 13,
            Some(b't') => 9,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'u') => match hex4(&raw[at..]) {
                Some(high @ 0xd800..=0xdbff) => {
                    at += 4;
                    let low = raw[at..].strip_prefix(b"\\u").and_then(hex4).filter(|l| (0xdc00..=0xdfff).contains(l));
                    match low {
                        Some(low) => {
                            at += 6;
                            0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)
                        }
                        None => 0xfffd,
                    }
                }
                Some(code) => {
                    at += 4;
                    code
                }
                None => 0xfffd,
            },
            Some(b'x') => match raw.get(at..at + 2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u32::from_str_radix(h, 16).ok())
            {
                Some(code) => {
                    at += 2;
                    code
                }
                None => u32::from(b'x'),
            },
            Some(&other) if other < 0x80 => u32::from(other),
            Some(_) => {
                // A backslash before a character of several bytes: keep the character.
                at -= 1;
                continue;
            }
            None => break,
        };
        let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out.extend_from_slice(raw.get(at..).unwrap_or_default());
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> Option<String> {
        let arena = Bump::new();
        let json = parse(text.as_bytes(), &arena)?;
        Some(String::from_utf8(json.to_text(&arena).to_vec()).unwrap())
    }

    #[test]
    fn escapes_and_spaces_make_no_difference() {
        for text in [r#"{"a":["深圳 \"x\"\n",1.50,true,null]}"#, r#"{ "a" : ["\u6df1\u5733 \u0022x\"\u000a", 1.50, true, null] }"#] {
            assert_eq!(canonical(text).unwrap(), r#"{"a":["深圳 \"x\"\n",1.50,true,null]}"#);
        }
        assert_eq!(canonical(r#""\ud83d\ude00 \ud83d \/""#).unwrap(), "\"😀 \u{fffd} /\"");
    }

    #[test]
    fn python_literals_read_too() {
        assert_eq!(
            canonical(r#"{'city': '深圳', "it's": None, 'ok': True, 't': (1,), 'e': 'a"b\'c\x41'}"#).unwrap(),
            r#"{"city":"深圳","it's":null,"ok":true,"t":[1],"e":"a\"b'cA"}"#
        );
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "{", "[1,", "[1,]", "{\"a\" 1}", "hello", "1 2", "\"open", "{a:1}", "--1", "01", "1.", "-", "1.e5"] {
            assert_eq!(canonical(text), None, "{text}");
        }
        assert_eq!(canonical(&"[".repeat(200)), None);
    }

    proptest! {
        #[test]
        fn agrees_with_serde_on_valid_json(value in any_json()) {
            let text = serde_json::to_string_pretty(&value).unwrap();
            let ours: serde_json::Value = serde_json::from_str(&canonical(&text).unwrap()).unwrap();
            prop_assert_eq!(&ours, &value);
            prop_assert_eq!(canonical(&serde_json::to_string(&value).unwrap()), canonical(&text));
        }

        #[test]
        fn no_input_panics(text: String) {
            canonical(&text);
        }
    }

    pub(crate) fn any_json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::vec((any::<String>(), inner), 0..5).prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }
}
