//! JSON text read in place: one pass builds a tree of the positions of all values; nothing is decoded until it is
//! copied. It is used to convert messages between formats, and to read OTLP/JSON and the configuration.
//!
//! The accessors are called from hundreds of places and are not inlined, because that would make the module larger.
//!
//! The reader is as lenient as sources require: it also reads Python's `repr` (single quotes, `True`, `None`), because LangChain
//! writes tool inputs that way.

mod parser;
pub mod read;

use crate::text::{self, Out, bytes, number};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use parser::Why;
use std::cell::Cell;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    True,
    False,
    Number,
    /// Text between quotes that may be copied unchanged.
    Plain,
    /// Text with escapes that have a shorter canonical form (`\u…`, `\/`), or in single quotes.
    Escaped,
    Array,
    Object,
}

/// One value of a text, or the name of a member, which precedes its value. Siblings form a chain.
struct Node<'a> {
    kind: Kind,
    /// Copying it unchanged gives the canonical text: compact, minimal escapes, double quotes.
    canonical: Cell<bool>,
    /// The value as written; for a string, the text between the quotes.
    text: Cell<&'a [u8]>,
    child: Cell<Option<&'a Node<'a>>>,
    next: Cell<Option<&'a Node<'a>>>,
}

/// The memory of a value in WebAssembly, in bytes.
pub const NODE: usize = 20;

/// A text that is JSON.
pub struct Doc<'a> {
    /// The outermost value.
    pub root: Json<'a>,
}

/// A value in a text. One pointer, because it is passed around everywhere.
#[derive(Clone, Copy)]
pub struct Json<'d>(&'d Node<'d>);

impl<'a> Doc<'a> {
    /// Indexes `text`; `None` if it is not exactly one JSON value (or Python literal).
    pub fn parse(text: &'a [u8], arena: &'a Bump) -> Option<Self> {
        parser::root(text, arena, (false, usize::MAX)).ok().map(|root| Doc { root: Json(root) })
    }
}

/// Indexes `text` and keeps the index in the arena.
#[inline(never)]
pub fn parse<'a>(text: &'a [u8], arena: &'a Bump) -> Option<Json<'a>> {
    parser::root(text, arena, (false, usize::MAX)).ok().map(Json)
}

/// Like [`parse`], but otherwise returns the problem and its position in one line.
pub fn parse_or_say<'a>(text: &'a [u8], arena: &'a Bump) -> Result<Json<'a>, String> {
    parser::root(text, arena, (false, usize::MAX)).map(Json).map_err(|why| reason(text, why))
}

/// Like [`parse_or_say`], but an object or an array that is nested too deep reads as `null`, whatever its content, and the error is `None` if there
/// are more values than fit into `most` bytes.
pub fn parse_deep<'a>(text: &'a [u8], arena: &'a Bump, most: usize) -> Result<Json<'a>, Option<String>> {
    let read = parser::root(text, arena, (true, most / NODE)).map(Json);
    read.map_err(|why| if let Why::TooMany = why.1 { None } else { Some(reason(text, why)) })
}

fn reason(text: &[u8], (at, why): (usize, Why)) -> String {
    let read = &text[..at];
    let line = 1 + read.iter().filter(|byte| **byte == b'\n').count();
    let column = 1 + at - memchr::memrchr(b'\n', read).map_or(0, |end| end + 1);
    let what = match why {
        Why::TooDeep => "nested too deep",
        Why::TooMany => "has too many values",
        Why::NoJson if at == text.len() => "ends too early",
        Why::NoJson => "is no JSON",
    };
    format!("{what} at line {line} column {column}")
}

/// The memory that parsing a text and writing it as JSON may take: a multiple of its size, and a number of bytes that any text may take.
const MEMORY: (usize, usize) = (2, 1 << 20);

/// Returns true if a text, parsed as JSON, would take much more memory than its size: each value takes some, and control characters make it longer.
pub fn is_heavy(text: &[u8]) -> bool {
    let (times, any) = MEMORY;
    let weight = |byte: &u8| match byte {
        b',' | b':' | b'[' | b'{' | b'(' => NODE,
        // Six bytes each, in a list that doubles.
        0..b' ' => 12,
        _ => 0,
    };
    // A value takes at least two bytes, including the byte before it.
    text.len() > any / (12 - times) && text.iter().map(weight).sum::<usize>() > times * text.len() + any
}

/// Returns true if a string in a JSON text contains a control character. Strict readers refuse such a text (RFC 8259, section 7).
pub fn has_raw_controls(text: &[u8]) -> bool {
    let mut quoted = false;
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' if quoted && rest.next().is_some_and(|next| *next < b' ') => return true,
            0..b' ' if quoted => return true,
            _ => {}
        }
    }
    false
}

/// In addition to the number of values that any text may have, a text may have one value per this many bytes.
const BYTES_PER_VALUE: usize = 32;

/// Returns true if a text, assuming that it is JSON, has more values than `most` and its size allow, because each value uses memory. It counts the bytes that
/// precede a value.
pub fn is_dense(text: &[u8], most: usize) -> bool {
    // A value has at least two bytes, including the one that precedes it.
    text.len() > 2 * most
        && text.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{' | b'(')).count() > most + text.len() / BYTES_PER_VALUE
}

/// The values of an array.
#[derive(Clone, Copy, Default)]
pub struct Items<'d>(Option<&'d Node<'d>>);

impl<'d> Iterator for Items<'d> {
    type Item = Json<'d>;

    #[inline(always)]
    fn next(&mut self) -> Option<Json<'d>> {
        let node = self.0?;
        self.0 = node.next.get();
        Some(Json(node))
    }
}

/// The members of an object.
#[derive(Clone, Copy)]
pub struct Entries<'d>(Option<&'d Node<'d>>);

impl<'d> Iterator for Entries<'d> {
    type Item = (&'d [u8], Json<'d>);

    #[inline(always)]
    fn next(&mut self) -> Option<(&'d [u8], Json<'d>)> {
        let key = self.0?;
        let value = key.next.get()?;
        self.0 = value.next.get();
        Some((key.text.get(), Json(value)))
    }
}

impl<'d> Json<'d> {
    /// The value as written; a string without its quotes.
    pub fn source(self) -> &'d [u8] {
        self.0.text.get()
    }

    /// Returns true if it is `null`.
    #[inline(always)]
    pub fn is_null(&self) -> bool {
        self.0.kind == Kind::Null
    }

    /// Returns true if it is text.
    #[inline(always)]
    pub fn is_string(&self) -> bool {
        matches!(self.0.kind, Kind::Plain | Kind::Escaped)
    }

    /// Returns true if it is `true` or `false`.
    pub fn is_bool(&self) -> bool {
        matches!(self.0.kind, Kind::True | Kind::False)
    }

    /// The name of its type, for an error.
    pub fn kind(&self) -> &'static str {
        match self.0.kind {
            Kind::Null => "null",
            Kind::True | Kind::False => "a boolean",
            Kind::Number => "a number",
            Kind::Plain | Kind::Escaped => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }

    /// The digits of a number.
    pub fn number(self) -> Option<&'d [u8]> {
        (self.0.kind == Kind::Number).then(|| self.source())
    }

    /// Returns true if it is an array.
    #[inline(always)]
    pub fn is_array(&self) -> bool {
        self.0.kind == Kind::Array
    }

    /// Returns true if it is an object.
    #[inline(always)]
    pub fn is_object(&self) -> bool {
        self.0.kind == Kind::Object
    }

    /// Returns true if it is `""`, `[]`, `{}` or `null`.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.says_nothing()
    }

    #[inline(never)]
    fn says_nothing(self) -> bool {
        match self.0.kind {
            Kind::Null => true,
            Kind::Plain | Kind::Escaped => self.source().is_empty(),
            Kind::Array | Kind::Object => self.0.child.get().is_none(),
            _ => false,
        }
    }

    /// The text of a string, decoded; borrowed if there is nothing to decode.
    #[inline(never)]
    pub fn text(self, arena: &'d Bump) -> Option<&'d [u8]> {
        let raw = self.word()?;
        if memchr::memchr(b'\\', raw).is_none() {
            return Some(raw);
        }
        let mut out = BumpVec::with_capacity_in(raw.len(), arena);
        decode(raw, &mut out);
        Some(out.into_bump_slice())
    }

    /// Returns true if this is the string `word`. Escapes are not decoded, because words of a convention have none.
    #[inline(never)]
    pub fn is(self, word: &str) -> bool {
        self.is_string() && bytes::equal(self.source(), word.as_bytes())
    }

    /// The string as written, including escapes: for words of a convention.
    #[inline(never)]
    pub fn word(self) -> Option<&'d [u8]> {
        self.is_string().then(|| self.source())
    }

    /// `true`, `false`, or the words for them.
    #[inline(never)]
    pub fn as_bool(self) -> Option<bool> {
        match self.0.kind {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => text::bool_word(self.source()),
        }
    }

    /// A number, or a string that is one.
    #[inline(never)]
    pub fn as_f64(self) -> Option<f64> {
        match self.0.kind {
            Kind::Number | Kind::Plain => number::parse(self.source().trim_ascii()),
            _ => None,
        }
    }

    /// A whole number, or a string that is one.
    #[inline(never)]
    pub fn as_i64(self) -> Option<i64> {
        match self.0.kind {
            Kind::Number | Kind::Plain => text::int_text(self.source()),
            _ => None,
        }
    }

    /// The values of an array; nothing for anything else.
    #[inline(never)]
    pub fn items(self) -> Items<'d> {
        Items(if self.is_array() { self.0.child.get() } else { None })
    }

    /// Keys (as written) and values of an object; nothing for anything else.
    #[inline(never)]
    pub fn entries(self) -> Entries<'d> {
        Entries(if self.is_object() { self.0.child.get() } else { None })
    }

    /// The single value of an array that has exactly one.
    #[inline(never)]
    pub fn only(self) -> Option<Json<'d>> {
        let mut items = self.items();
        items.next().filter(|_| items.0.is_none())
    }

    /// Passes on the values of an array or an object, each with its key as written; the key of an item is empty.
    #[inline(never)]
    pub fn children(self, take: &mut dyn FnMut(&'d [u8], Json<'d>)) {
        self.items().for_each(|item| take(&[], item));
        self.entries().for_each(|(key, value)| take(key, value));
    }

    /// The member `key`, if it is present and not `null`.
    #[inline(never)]
    pub fn get(self, key: &str) -> Option<Json<'d>> {
        self.entries().find(|(k, v)| bytes::equal(k, key.as_bytes()) && !v.is_null()).map(|(_, v)| v)
    }

    /// The first of several members that is present and not `null`.
    #[inline(never)]
    pub fn any(self, keys: &[&str]) -> Option<Json<'d>> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// Writes the value: compact, double quotes, only necessary escapes.
    #[inline(never)]
    pub fn write(self, out: &mut Out) {
        let kind = self.0.kind;
        if self.is_string() {
            out.push(b'"');
            self.write_inner(out);
            return out.push(b'"');
        }
        if self.0.canonical.get() {
            return out.extend_from_slice_copy(self.source());
        }
        let (open, close) = match kind {
            Kind::Array => (b'[', b']'),
            Kind::Object => (b'{', b'}'),
            // Larger than a double: strict readers refuse it as a number.
            Kind::Number => {
                out.push(b'"');
                out.extend_from_slice_copy(self.source());
                return out.push(b'"');
            }
            // Python's keywords.
            Kind::True => return out.extend_from_slice_copy(b"true"),
            Kind::False => return out.extend_from_slice_copy(b"false"),
            _ => return out.extend_from_slice_copy(b"null"),
        };
        out.push(open);
        let mut child = self.0.child.get();
        let mut i = 0;
        while let Some(node) = child {
            separate(out, i);
            i += 1;
            Json(node).write(out);
            child = node.next.get();
            if let Some(value) = child.filter(|_| kind == Kind::Object) {
                out.push(b':');
                Json(value).write(out);
                child = value.next.get();
            }
        }
        out.push(close);
    }

    /// Writes the members that hold something and that nobody else writes, each after a comma unless it is the first of `count`.
    #[inline(never)]
    pub fn write_rest(self, is_said: &dyn Fn(&[u8], Json<'d>) -> bool, count: &mut usize, out: &mut Out) {
        for (key, value) in self.entries().filter(|(key, value)| !value.is_empty() && !is_said(key, *value)) {
            member(out, count, key);
            value.write(out);
        }
    }

    /// Writes a string without its quotes, escapes canonical.
    pub fn write_inner(self, out: &mut Out) {
        match self.0.kind {
            Kind::Plain => out.extend_from_slice_copy(self.source()),
            Kind::Escaped => write_escaped(self.source(), out),
            _ => {}
        }
    }

    /// The value as canonical JSON text; borrowed if it is already written that way.
    #[inline(never)]
    pub fn to_text(self, arena: &'d Bump) -> &'d [u8] {
        if self.0.canonical.get() && !self.is_string() {
            return self.source();
        }
        let mut out = BumpVec::with_capacity_in(self.source().len() + 2, arena);
        self.write(&mut out);
        out.into_bump_slice()
    }
}

/// A comma before every member but the first.
#[inline(never)]
pub fn separate(out: &mut Out, index: usize) {
    if index > 0 {
        out.push(b',');
    }
}

/// Begins the member of an object with this name, as written in a text that is parsed as JSON.
#[inline(never)]
pub fn member(out: &mut Out, count: &mut usize, name: &[u8]) {
    separate(out, *count);
    *count += 1;
    out.push(b'"');
    write_escaped(name, out);
    out.extend_from_slice_copy(b"\":");
}

/// Writes what stands between quotes, escapes canonical.
fn write_escaped(source: &[u8], out: &mut Out) {
    let mut text = BumpVec::with_capacity_in(source.len(), out.bump());
    decode(source, &mut text);
    escape(&text, out);
}

/// The values as a list.
#[inline(never)]
pub fn list<'a>(values: &[Json<'a>], arena: &'a Bump) -> &'a [u8] {
    let mut out = BumpVec::new_in(arena);
    out.push(b'[');
    for (i, value) in values.iter().enumerate() {
        separate(&mut out, i);
        value.write(&mut out);
    }
    out.push(b']');
    out.into_bump_slice()
}

/// Texts of this size, in bytes, are given the memory that they need at once: a list that grows takes twice as much, and what it had before.
const LARGE: usize = 16 << 10;

/// Appends `text` escaped, without quotes.
pub fn escape(text: &[u8], out: &mut Out) {
    let (mut from, mut i) = (0, 0);
    let is_special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    if text.len() >= LARGE {
        let more = |byte: &u8| if *byte < 0x20 { 5 } else { usize::from(is_special(byte)) };
        out.reserve(text.len() + text.iter().map(more).sum::<usize>());
    }
    loop {
        i += bytes::plain(&text[i..]);
        let Some(skip) = text[i..].iter().position(is_special) else { break };
        i += skip;
        let byte = text[i];
        out.extend_from_slice_copy(&text[from..i]);
        i += 1;
        from = i;
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            8 => b'b',
            12 => b'f',
            _ => {
                out.extend_from_slice_copy(b"\\u00");
                push_hex(byte, out);
                continue;
            }
        };
        out.extend_from_slice_copy(&[b'\\', short]);
    }
    out.extend_from_slice_copy(&text[from..]);
}

/// Appends the two hex digits of a byte.
pub fn push_hex(byte: u8, out: &mut Out) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice_copy(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

/// Appends a byte that may not be text, in the notation of Rust and Python: `a`, `\n`, `\x00`.
pub fn escape_byte(byte: u8, out: &mut Out) {
    let short = match byte {
        b'\t' => b't',
        b'\n' => b'n',
        b'\r' => b'r',
        b'"' | b'\'' | b'\\' => byte,
        b' '..=b'~' => return out.push(byte),
        _ => {
            out.extend_from_slice_copy(b"\\x");
            return push_hex(byte, out);
        }
    };
    out.extend_from_slice_copy(&[b'\\', short]);
}

/// Appends bytes as a JSON string of hex digits.
pub fn hex(bytes: &[u8], out: &mut Out) {
    out.push(b'"');
    bytes.iter().for_each(|byte| push_hex(*byte, out));
    out.push(b'"');
}

/// Appends `text` as a JSON string.
#[inline(never)]
pub fn string(text: &[u8], out: &mut Out) {
    out.push(b'"');
    escape(text, out);
    out.push(b'"');
}

/// The value of four hex digits.
pub fn hex4(raw: &[u8]) -> Option<u32> {
    number::from_hex(raw.get(..4)?).map(|code| code as u32)
}

/// Decodes JSON escapes (and Python's `\x41`, `\'`); a lone surrogate becomes U+FFFD, an unknown escape is kept.
pub fn decode(raw: &[u8], out: &mut Out) {
    let mut at = 0;
    while let Some(skip) = memchr::memchr(b'\\', &raw[at..]) {
        out.extend_from_slice_copy(&raw[at..at + skip]);
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
            Some(b'x') => match raw.get(at..at + 2).and_then(number::from_hex) {
                Some(code) => {
                    at += 2;
                    code as u32
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
        out.extend_from_slice_copy(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out.extend_from_slice_copy(raw.get(at..).unwrap_or_default());
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
    fn a_number_that_is_larger_than_a_double_becomes_text() {
        assert_eq!(canonical(r#"{"a":[1e999,-1e999,1e308]}"#).unwrap(), r#"{"a":["1e999","-1e999",1e308]}"#);
        let digits = "9".repeat(400);
        assert_eq!(canonical(&digits).unwrap(), format!("\"{digits}\""));
    }

    #[test]
    fn escapes_and_spaces_make_no_difference() {
        for text in [r#"{"a":["深圳 \"x\"\n",1.50,true,null]}"#, r#"{ "a" : ["\u6df1\u5733 \u0022x\"\u000a", 1.50, true, null] }"#] {
            assert_eq!(canonical(text).unwrap(), r#"{"a":["深圳 \"x\"\n",1.50,true,null]}"#);
        }
        assert_eq!(canonical(r#""\ud83d\ude00 \ud83d \/""#).unwrap(), "\"😀 \u{fffd} /\"");
    }

    /// RFC 8259, section 7: four hex digits follow `\u`. A sign, which a number in hex may have elsewhere, is none.
    #[test]
    fn an_escape_with_a_sign_is_none() {
        assert_eq!(canonical(r#""a\u+1abz""#).unwrap(), "\"a\u{fffd}+1abz\"");
        assert_eq!(canonical(r#"'a\x+1z'"#).unwrap(), "\"ax+1z\"");
    }

    /// As it comes of a text between quotes: what is written is JSON for every reader.
    #[test]
    fn control_characters_inside_a_string_are_escaped() {
        assert_eq!(canonical("{\"a\nb\":[\"one\n\ttwo\",\"x\"]}").unwrap(), r#"{"a\nb":["one\n\ttwo","x"]}"#);
        // RFC 8259, section 7: all from U+0000 to U+001F have to be escaped, and no other is one.
        for byte in 0..=0x7f_u8 {
            let c = char::from(byte);
            for (open, close) in [("\"", "\""), ("'", "'"), ("\"12345678", "12345678\""), ("\"\\n", "\\\\\"")] {
                if open.ends_with(c) || c == '\\' || c == '"' {
                    continue;
                }
                let read: serde_json::Value = serde_json::from_str(&canonical(&format!("{open}{c}{close}")).unwrap()).unwrap();
                assert!(read.as_str().unwrap().contains(c), "{byte:#x}");
            }
        }
        let arena = Bump::new();
        let mut out = BumpVec::new_in(&arena);
        let doc = Doc::parse(b"{'a\x01\"\\'': 1}", &arena).unwrap();
        doc.root.entries().for_each(|(name, _)| member(&mut out, &mut 0, name));
        assert_eq!(std::str::from_utf8(&out).unwrap(), r#""a\u0001\"'":"#);
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
