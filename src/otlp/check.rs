//! Checks a body before any of it is accepted. Spans of many senders are sent in one request, and a decoder that finds one invalid byte refuses
//! the whole request. So text that is not UTF-8 is repaired, lists and maps that are nested too deep become JSON text, and a span that
//! cannot be repaired is refused.

use super::json;
use super::schema::{Message, REQUEST, SPAN, Type};
use super::write::number::STRING;
use crate::protobuf::{Field, Reader, WireError, Writer};
use crate::span::MAX_DEPTH;
use std::borrow::Cow;
use std::fmt::Display;

/// The refused spans of a body.
#[derive(Debug, Default)]
pub struct Refusals {
    /// Number of spans in the body, including these.
    pub spans: u64,
    /// Number of refused spans.
    pub refused: u64,
    /// The reason for the first one.
    pub why: String,
    /// Number of words that are in no enum.
    pub unknown_words: u64,
}

impl Refusals {
    /// Counts a span. Call it from the last span to the first.
    pub fn count(&mut self, refused: Option<&impl Display>) {
        self.spans += 1;
        if let Some(why) = refused {
            self.refused += 1;
            self.why = why.to_string();
        }
    }
}

/// The default limit of a body's unpacked size. Ordinary bodies take one to four times their size, and the relay accepts at most
/// 16 MiB.
pub const MAX_UNPACKED_BYTES: usize = 128 << 20;
/// The memory of an unknown field, in bytes: it is copied unchanged.
const UNKNOWN: usize = 32;

/// Returns the body without anything that a decoder of OTLP would refuse; borrowed if it was already valid. Unknown fields
/// are kept unchanged. Memory is counted before it is allocated: a body that unpacks into more than `most` bytes is refused.
pub fn admitted(body: &[u8], most: usize) -> Result<(Cow<'_, [u8]>, Refusals), WireError> {
    let mut seen = Seen { room: most, clean: true };
    if seen.message(&REQUEST, body, MAX_DEPTH).is_none() && seen.room == 0 {
        return Err(WireError::too_large(0));
    }
    if seen.clean {
        return Ok((Cow::Borrowed(body), Refusals::default()));
    }
    let mut mending = Mending { w: Writer::default(), refusals: Refusals::default() };
    mending.message(&REQUEST, (0, body), MAX_DEPTH)?;
    Ok((Cow::Owned(mending.w.written().to_vec()), mending.refusals))
}

fn is_id(id: &[u8], length: usize, required: bool) -> bool {
    if id.is_empty() { !required } else { id.len() == length && !(required && id.iter().all(|byte| *byte == 0)) }
}

/// The result of a scan of the body.
struct Seen {
    /// The memory that may still be used, in bytes.
    room: usize,
    /// Whether all of it can be forwarded unchanged.
    clean: bool,
}

impl Seen {
    /// Reserves memory; `None` if there is not enough.
    fn take(&mut self, bytes: usize) -> Option<()> {
        self.room = self.room.saturating_sub(bytes);
        (self.room > 0).then_some(())
    }

    /// Scans a message; `None` if the memory is exhausted. `deeper`: how many levels of lists and maps may still begin.
    fn message(&mut self, of: &Message, bytes: &[u8], deeper: usize) -> Option<()> {
        self.take(of.weight)?;
        let mut reader = Reader::new(0, bytes);
        let mut required: u32 = 0;
        while let Ok(next) = reader.glance() {
            let Some((tag, inner)) = next else {
                self.clean &= required.count_ones() == of.required;
                return Some(());
            };
            let Some(field) = of.field(tag >> 3) else {
                self.take(UNKNOWN)?;
                continue;
            };
            self.clean &= field.ty.wire_type() == tag & 7
                && match field.ty {
                    Type::Text | Type::Key => std::str::from_utf8(inner).is_ok(),
                    Type::Id(length) => is_id(inner, length, field.required),
                    Type::Message(_) | Type::Value if of.one_of && deeper == 0 => false,
                    Type::Message(_) | Type::Value => {
                        if let Some(message) = field.ty.message() {
                            self.message(message, inner, deeper - usize::from(of.one_of))?;
                        }
                        true
                    }
                    _ => true,
                };
            required |= u32::from(field.required) << field.number;
        }
        self.clean = false;
        Some(())
    }
}

struct Mending {
    w: Writer,
    refusals: Refusals,
}

impl Mending {
    /// Writes the valid form of the fields of a message, last one first.
    fn message(&mut self, of: &Message, (base, bytes): (usize, &[u8]), room: usize) -> Result<(), WireError> {
        let mut required: u32 = 0;
        for field in Reader::new(base, bytes).all()?.into_iter().rev() {
            let Some(known) = of.field(field.number) else {
                self.w.bytes(field.raw);
                continue;
            };
            if field.wire_type() != known.ty.wire_type() {
                return Err(field.wrong_type());
            }
            required |= u32::from(known.required) << known.number;
            match known.ty {
                Type::Text | Type::Key => self.w.bytes_field(field.number, String::from_utf8_lossy(field.bytes()?.1).as_bytes()),
                Type::Id(length) if !is_id(field.bytes()?.1, length, known.required) => {
                    return Err(WireError::new(field.offset, "id of the wrong length, or all zeros"));
                }
                Type::Message(list) if of.one_of && room == 0 => {
                    self.w.bytes_field(STRING, &json::text_of(list, field.bytes()?)?);
                }
                Type::Message(_) | Type::Value => {
                    if let Some(message) = known.ty.message() {
                        self.nested(message, &field, room - usize::from(of.one_of))?;
                    }
                }
                _ => self.w.bytes(field.raw),
            }
        }
        if required.count_ones() == of.required { Ok(()) } else { Err(WireError::new(base, "span without a trace id or a span id")) }
    }

    fn nested(&mut self, message: &Message, field: &Field, room: usize) -> Result<(), WireError> {
        let mark = self.w.mark();
        let mended = self.message(message, field.bytes()?, room);
        if std::ptr::eq(message, &SPAN) {
            self.refusals.count(mended.as_ref().err());
            if mended.is_err() {
                self.w.rewind(mark);
                return Ok(());
            }
        }
        self.w.close(field.number, mark);
        mended
    }
}
