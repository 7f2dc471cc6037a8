//! The strings of a JSON text, one after the other, without an index. The text is known to be JSON.

use crate::json::{self, Out};
use bumpalo::Bump;
use std::ops::Range;

/// A string of a JSON text.
#[derive(Clone)]
pub struct JsonString<'t> {
    /// Between its quotes.
    pub range: Range<usize>,
    /// Its quote: Python's `repr` reads too.
    pub quote: u8,
    /// It is the name of a member.
    pub is_name: bool,
    /// The name of the member whose value it is, as it stands; empty for an item of a list.
    pub member: &'t [u8],
}

/// The strings of a JSON text, in order.
pub fn of(text: &[u8]) -> impl Iterator<Item = JsonString<'_>> {
    let mut at = 0;
    let mut name: Option<Range<usize>> = None;
    std::iter::from_fn(move || {
        let before = at;
        at += memchr::memchr2(b'"', b'\'', text.get(at..)?)?;
        // A name is followed by its value with nothing but a colon between.
        let is_value = text[before..at].iter().all(|b| b.is_ascii_whitespace() || *b == b':');
        let member = name.take().filter(|_| is_value).map_or(&[][..], |name| &text[name]);
        let (quote, start) = (text[at], at + 1);
        at = start;
        loop {
            at += memchr::memchr2(quote, b'\\', text.get(at..)?)?;
            if text[at] == quote {
                break;
            }
            at += 2;
        }
        let range = start..at;
        at += 1;
        let is_name = text[at..].iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':');
        if is_name {
            name = Some(range.clone());
        }
        Some(JsonString { range, quote, is_name, member })
    })
}

/// May the text be a JSON object, array or string?
pub fn may_be_json(text: &[u8]) -> bool {
    matches!(text.iter().find(|b| !b.is_ascii_whitespace()), Some(b'{' | b'[' | b'"'))
}

/// What a string says; borrowed where it has no escapes.
pub fn decoded<'a>(raw: &'a [u8], arena: &'a Bump) -> &'a [u8] {
    if memchr::memchr(b'\\', raw).is_none() {
        return raw;
    }
    let mut out = Out::with_capacity_in(raw.len(), arena);
    json::decode(raw, &mut out);
    out.into_bump_slice()
}

/// Appends what a string shall say, escaped for its quotes.
pub fn encode(text: &[u8], quote: u8, out: &mut Out) {
    if quote == b'"' {
        return json::escape(text, out);
    }
    for (i, piece) in text.split(|b| *b == quote).enumerate() {
        if i > 0 {
            out.extend_from_slice(&[b'\\', quote]);
        }
        json::escape(piece, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_members() {
        let text = br#"{"a": ["b\"", {"c" :"d"}], 'e': 1, "f": "g"}"#;
        let all: Vec<_> = of(text).map(|s| (String::from_utf8_lossy(&text[s.range]).into_owned(), s.is_name, s.member)).collect();
        let expected = [
            ("a", true, &b""[..]),
            ("b\\\"", false, b""),
            ("c", true, b""),
            ("d", false, b"c"),
            ("e", true, b""),
            ("f", true, b""),
            ("g", false, b"f"),
        ];
        assert_eq!(all, expected.map(|(text, is_name, member)| (text.to_owned(), is_name, member)));
    }
}
