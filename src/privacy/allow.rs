//! What leaves of a span with `captureContent: false`. An allow list, since a list of all that may hold content can never be complete:
//! several sources let their users choose the keys.

use super::class::{self, Class};
use super::{DROPPED, Pass, bytes_of, contents, delimited};
use crate::genai::Type;
use crate::json;
use crate::otlp::write::number;
use crate::profiles::PARAMETERS;
use crate::protobuf::{Field, Reader, Wire};
use crate::text::{self, Out};
use std::cmp::Ordering;

/// Made by `cargo run --example allow_keys`. One key a line, sorted: its text is a name. Behind a blank, `m`: the metadata of the
/// application; `e`: the text of an error; `-`: content under a prefix that is metadata. With a `*` it is a prefix.
static LIST: &[u8] = include_bytes!("allow.txt");

/// Why the text of an error is left out.
pub const ERROR_TEXT: &str = "dropped: the text of an error";

/// A longer text is no name.
const MAX_NAME: usize = 256;

/// What a text is whose key may leave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A name, an id, a word.
    Name,
    /// What the application says of itself: metadata, tags.
    Metadata,
    /// The text of an error.
    Error,
}

/// What the list says of a key, or of a prefix.
fn listed(key: &[u8], is_prefix: bool) -> Option<&'static [u8]> {
    let mut rest = LIST;
    while !rest.is_empty() {
        let (before, after) = rest.split_at(rest.len() / 2);
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let end = memchr::memchr(b'\n', after).map_or(rest.len(), |at| before.len() + at);
        let line = rest.get(start..end)?;
        let (name, kind) = line.split_at(memchr::memchr(b' ', line).unwrap_or(line.len()));
        let prefix = name.strip_suffix(b"*");
        // No key of the list has a byte below the asterisk.
        rest = match prefix.unwrap_or(name).cmp(key).then(prefix.is_some().cmp(&is_prefix)) {
            Ordering::Less => rest.get(end + 1..).unwrap_or_default(),
            Ordering::Equal => return Some(kind),
            Ordering::Greater => rest.get(..start).unwrap_or_default(),
        }
    }
    None
}

/// What the list says of a key, by the key itself or by the longest prefix that it has.
fn of_list(key: &[u8]) -> Option<Kind> {
    let mut prefixes = (1..key.len())
        .rev()
        .filter_map(|end| key.get(..end))
        .filter(|prefix| prefix.ends_with(b".") || prefix.ends_with(b":") || prefix.ends_with(b"_"));
    match listed(key, false).or_else(|| prefixes.find_map(|prefix| listed(prefix, true)))? {
        b"" => Some(Kind::Name),
        b" m" => Some(Kind::Metadata),
        b" e" => Some(Kind::Error),
        _ => None,
    }
}

fn is_name(text: &[u8]) -> bool {
    text.len() <= MAX_NAME && memchr::memchr2(b'\n', b'\r', text).is_none()
}

/// Returns true if all fields of the message are fine, and it ends where a field ends.
fn every<'b>(message: &'b [u8], is_fine: impl Fn(&Field<'b>) -> bool) -> bool {
    let mut reader = Reader::new(0, message);
    loop {
        match reader.field() {
            Ok(None) => return true,
            Ok(Some(field)) if is_fine(&field) => {}
            _ => return false,
        }
    }
}

/// Returns true if this `AnyValue` may leave under a key of this kind. Under any other key, numbers and booleans alone may.
fn takes(kind: Option<Kind>, value: &[u8], is_item: bool) -> bool {
    let is_fine = |field: &Field| match (kind, field.number, field.value) {
        (_, number::BOOL | number::INT, Wire::Varint(_)) | (_, number::DOUBLE, Wire::Fixed64(_)) => true,
        (Some(Kind::Metadata | Kind::Error), number::STRING..=number::BYTES, Wire::Bytes(..)) => true,
        (Some(Kind::Name), number::STRING, Wire::Bytes(_, text)) => is_name(text),
        (Some(Kind::Name), number::ARRAY, Wire::Bytes(_, items)) if !is_item => {
            every(items, |item| matches!(item.value, Wire::Bytes(_, value) if takes(kind, value, true)))
        }
        _ => false,
    };
    (kind.is_some() || !value.is_empty()) && every(value, is_fine)
}

impl<'a> Pass<'_, 'a> {
    /// What of an attribute leaves without content: `None` is all of it. An error tells why nothing does.
    #[inline(never)]
    pub(super) fn allowed(&mut self, key: &'a [u8], message: &'a [u8]) -> Result<Option<&'a [u8]>, &'static str> {
        let (stage, value) = (self.stage, bytes_of(message, number::VALUE));
        let own_key = class::own_key(key, stage.table);
        if stage.table.objects.iter().any(|object| text::is(own_key, object)) {
            let object = self.object(bytes_of(value, number::STRING)).ok_or(DROPPED)?;
            return Ok(Some(self.attribute(key, object)));
        }
        let kind = if class::is_name(own_key, stage.table) { Some(Kind::Name) } else { of_list(own_key) };
        let (kind, why) = match kind {
            Some(Kind::Metadata) => (kind.filter(|_| stage.capture_metadata && self.of_span), "dropped: metadata"),
            Some(Kind::Error) => (kind.filter(|_| stage.capture_errors), ERROR_TEXT),
            Some(Kind::Name) => (kind, "dropped: no name, since it is too long, has several lines or is nested"),
            None if self.class == Class::Content => (None, DROPPED),
            None => (None, "dropped: not on the list of what may leave"),
        };
        let is_fine = |field: &Field| match (field.number, field.value) {
            (number::KEY, Wire::Bytes(..)) => true,
            (number::VALUE, Wire::Bytes(_, value)) => takes(kind, value, false),
            _ => false,
        };
        if every(message, is_fine) {
            return Ok(None);
        }
        // A key that the backend wants stays, without its value.
        let fill = (stage.table.fill)(key).ok_or(why)?;
        Ok(Some(self.attribute(key, fill.as_bytes())))
    }

    /// An attribute of text.
    fn attribute(&self, key: &[u8], text: &[u8]) -> &'a [u8] {
        let (mut value, mut out) = (Out::new_in(self.run.arena), Out::new_in(self.run.arena));
        delimited(&mut value, number::STRING, text);
        delimited(&mut out, number::KEY, key);
        delimited(&mut out, number::VALUE, &value);
        out.into_bump_slice()
    }

    /// The numbers, booleans and known words of a JSON object; `None`: there are none.
    fn object(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let arena = self.run.arena;
        let (mut out, mut count) = (Out::new_in(arena), 0);
        out.push(b'{');
        for (name, value) in json::parse(text, arena)?.entries() {
            let is_word = || PARAMETERS.iter().any(|(word, field)| field.ty() == Type::Name && text::is(name, word));
            let says = match value.text(arena) {
                Some(text) => is_name(text) && is_word(),
                None => value.number().is_some() || value.is_bool(),
            };
            if says && contents::is_plain_name(name) {
                json::member(&mut out, &mut count, name);
                value.write(&mut out);
            }
        }
        out.push(b'}');
        (count > 0).then(|| out.into_bump_slice() as &[u8])
    }
}
