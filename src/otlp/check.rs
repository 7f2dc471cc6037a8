//! Checks a body before any of it is taken. Spans of many senders leave in one request, and a decoder that finds one invalid byte in it refuses
//! the whole request. So text that is not UTF-8 is repaired, lists and maps that are nested too deep become JSON text, and a span that
//! cannot be mended is refused.

use super::json;
use super::schema::{Message, REQUEST, SPAN, Type};
use super::write::number::STRING;
use crate::protobuf::{Field, Reader, WireError, Writer};
use crate::span::MAX_DEPTH;
use std::borrow::Cow;
use std::fmt::Display;

/// The spans of a body that are refused.
#[derive(Debug, Default)]
pub struct Refusals {
    /// How many spans the body has, with these.
    pub spans: u64,
    /// How many of them are refused.
    pub refused: u64,
    /// Why the first of them is.
    pub why: String,
}

impl Refusals {
    /// Counts a span. To be called from the last span to the first.
    pub fn count(&mut self, refused: Option<&impl Display>) {
        self.spans += 1;
        if let Some(why) = refused {
            self.refused += 1;
            self.why = why.to_string();
        }
    }
}

/// What a body may unpack into where nothing else is configured. Ordinary bodies take one to four times their size, and 16 MiB is what the
/// relay takes at most.
pub const MAX_UNPACKED_BYTES: usize = 128 << 20;
/// The bytes of memory that a field takes which is not known here: it is copied as it stands.
const UNKNOWN: usize = 32;

/// The body without anything that a decoder of OTLP would refuse; borrowed where there was nothing of the kind. Fields that are not known
/// stay as they are. What takes memory is counted before any of it is taken: a body that unpacks into more than `most` bytes is refused.
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

/// What a look through a body has found.
struct Seen {
    /// The bytes of memory that may still be taken.
    room: usize,
    /// All of it can go out as it is.
    clean: bool,
}

impl Seen {
    /// Takes memory; `None`: there is not so much.
    fn take(&mut self, bytes: usize) -> Option<()> {
        self.room = self.room.saturating_sub(bytes);
        (self.room > 0).then_some(())
    }

    /// Looks through a message; `None`: there is no room for more. `deeper`: how many levels of lists and maps may still begin.
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
    /// Writes the fields of a message, last one first, as they can go out.
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
