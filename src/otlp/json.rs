//! OTLP/JSON to OTLP/protobuf and back, for trace requests: one table of OTLP's messages, read in two directions. Not on the hot path.
//!
//! The mapping is that of the OTLP specification: proto3 JSON, except that trace and span ids are hex and that enums
//! are written as integers. Reading is lenient, as the specification asks and as senders need: `snake_case` names,
//! numbers for 64-bit integers, enum names, unknown fields, `null` for a default, a byte order mark, and text that is
//! not valid Unicode (replaced by U+FFFD). An error contains the position and the expected type, never the value found.
//!
//! Nesting is limited in both directions: lists and maps deeper than [`MAX_DEPTH`] become JSON text when they are read, and a value
//! with more than 100 protobuf levels is not written.

use super::check::Refusals;
use super::schema::{Field, Message, REQUEST, SPAN, Type};
use super::write::number::STRING;
use crate::json::{self, Json};
use crate::protobuf::{self, Reader, WireError, Writer};
use crate::span::MAX_DEPTH;
use crate::text::{Out, base64, number};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use std::fmt;

const MAX_PROTOBUF_DEPTH: usize = 100;

// ---- from JSON ----

/// Turns the OTLP/JSON form of an `ExportTraceServiceRequest` into the protobuf form.
///
/// Needs memory for an index of the JSON and for the resulting bytes.
pub fn to_protobuf(body: &[u8]) -> Result<Vec<u8>, JsonError> {
    from_json(body, None, usize::MAX).map(|(body, _)| body)
}

/// Like [`to_protobuf`], but omits spans that cannot be read or have no valid ids. A body that unpacks into more than `most` bytes is refused
/// ([`JsonError::is_too_large`]).
pub fn admitted(body: &[u8], most: usize) -> Result<(Vec<u8>, Refusals), JsonError> {
    from_json(body, Some(Refusals::default()), most).map(|(body, refusals)| (body, refusals.unwrap_or_default()))
}

fn from_json(body: &[u8], refusals: Option<Refusals>, most: usize) -> Result<(Vec<u8>, Option<Refusals>), JsonError> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let body = String::from_utf8_lossy(body);
    let arena = Bump::new();
    let root = json::parse_deep(body.as_bytes(), &arena, most).map_err(|why| JsonError(why.map(Into::into)))?;
    let mut reading = FromJson { arena: &arena, w: Writer::default(), room: MAX_DEPTH, left: most, refusals };
    reading.message(root, &REQUEST, &Path::ROOT)?;
    Ok((reading.w.written().to_vec(), reading.refusals))
}

/// Why a body is not an OTLP/JSON trace request, in one line: the JSON path or the line and column, and what was expected. `None` if its unpacked
/// size is too large.
#[derive(Debug)]
pub struct JsonError(Option<Box<str>>);

impl JsonError {
    /// Returns true if the only problem is the unpacked size of the body.
    pub fn is_too_large(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("the body unpacks into too much"))
    }
}

impl std::error::Error for JsonError {}

/// A position in the JSON; it is on the stack while its value is read.
#[derive(Clone, Copy)]
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a [u8]),
    Item(usize),
}

impl<'a> Path<'a> {
    const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    fn then(&'a self, step: Step<'a>) -> Path<'a> {
        Path { parent: Some(self), step }
    }

    fn error(&self, expected: &str, found: &str) -> JsonError {
        JsonError(Some(format!("{self}: expected {expected}, got {found}").into()))
    }

    fn unlike(&self, expected: &str, found: Json) -> JsonError {
        self.error(expected, found.kind())
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else {
            return f.write_str("top level");
        };
        let below_root = parent.parent.is_some();
        if below_root {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Field(name) => {
                f.write_str(if below_root { "." } else { "" })?;
                f.write_str(&String::from_utf8_lossy(name))
            }
            Step::Item(index) => write!(f, "[{index}]"),
        }
    }
}

struct FromJson<'a> {
    arena: &'a Bump,
    w: Writer,
    /// How many levels of lists and maps may still begin.
    room: usize,
    /// The memory that may still be used, in bytes.
    left: usize,
    /// The refused spans, if invalid spans are omitted.
    refusals: Option<Refusals>,
}

impl<'a> FromJson<'a> {
    /// Writes the fields of a message, last one first.
    fn message(&mut self, json: Json<'a>, of: &Message, at: &Path) -> Result<(), JsonError> {
        if !json.is_object() {
            return Err(at.unlike("an object", json));
        }
        let mut left = of.fields.len();
        let mut found = false;
        while left > 0 {
            left -= 1;
            let field = &of.fields[left];
            // A name may occur twice: the last one counts.
            let Some((name, value)) = json.entries().filter(|(name, value)| field.is_named(name) && !value.is_null()).last() else {
                if field.required && self.refusals.is_some() {
                    return Err(at.then(Step::Field(field.name.as_bytes())).error("an id in hex", "nothing"));
                }
                continue;
            };
            if of.one_of && found {
                return Err(at.error("one value", "several"));
            }
            found = true;
            let at = at.then(Step::Field(name));
            if !field.repeated {
                self.field(value, field, of.one_of, &at)?;
                continue;
            }
            if !value.is_array() {
                return Err(at.unlike("an array", value));
            }
            // Each member uses memory, and so does the list.
            let weight = field.ty.message().map_or(0, |message| message.weight);
            if value.items().count().saturating_mul(weight) > self.left {
                return Err(JsonError(None));
            }
            let items = BumpVec::from_iter_in(value.items(), self.arena);
            for (i, item) in items.iter().enumerate().rev() {
                self.field(*item, field, true, &at.then(Step::Item(i)))?;
            }
        }
        Ok(())
    }

    /// Writes one value; `always`: even if it is the default.
    fn field(&mut self, json: Json<'a>, field: &Field, always: bool, at: &Path) -> Result<(), JsonError> {
        let number = field.number;
        let bytes = match field.ty {
            Type::Text | Type::Key => self.text(json, at)?,
            Type::Id(length) => {
                let id = id(self.text(json, at)?, length, at, self.arena)?;
                if field.required && self.refusals.is_some() && id.iter().all(|byte| *byte == 0) {
                    return Err(at.error("an id in hex", if id.is_empty() { "empty text" } else { "zeros" }));
                }
                id
            }
            Type::Bytes => base64_decode(self.text(json, at)?, self.arena).ok_or_else(|| at.error("base64", "other text"))?,
            // A list or a map in a value.
            Type::Message(_) if always && !field.repeated && self.room == 0 => {
                let text = json.source();
                if !json::has_raw_controls(text) {
                    self.w.bytes_field(STRING, text);
                } else if json::is_heavy(text) {
                    return Err(JsonError(None));
                } else {
                    self.w.bytes_field(STRING, json.to_text(self.arena));
                }
                return Ok(());
            }
            Type::Message(_) | Type::Value => return self.nested(json, field, always && !field.repeated, at),
            Type::Double => {
                let double = double(json, at)?;
                if always || double.to_bits() != 0 {
                    self.w.fixed64_field(number, double.to_bits());
                }
                return Ok(());
            }
            Type::Bool | Type::Uint32 | Type::Int64 | Type::Fixed32 | Type::Fixed64 | Type::Enum(..) => {
                let value = self.number_of(json, field.ty, at)?;
                if always || value != 0 {
                    match field.ty {
                        Type::Fixed32 => self.w.fixed32_field(number, value as u32),
                        Type::Fixed64 => self.w.fixed64_field(number, value),
                        _ => {
                            self.w.varint(value);
                            self.w.tag(number, 0);
                        }
                    }
                }
                return Ok(());
            }
        };
        if always || !bytes.is_empty() {
            self.w.bytes_field(number, bytes);
        }
        Ok(())
    }

    /// Writes a message; `deeper`: whether it is a list or a map in a value.
    fn nested(&mut self, json: Json<'a>, field: &Field, deeper: bool, at: &Path) -> Result<(), JsonError> {
        let Some(message) = field.ty.message() else { return Ok(()) };
        self.left = self.left.checked_sub(message.weight).ok_or(JsonError(None))?;
        let mark = self.w.mark();
        self.room -= usize::from(deeper);
        let read = self.message(json, message, at);
        self.room += usize::from(deeper);
        let is_span = std::ptr::eq(message, &SPAN);
        match (read, &mut self.refusals) {
            (Err(error), _) if error.is_too_large() => return Err(error),
            (read, Some(refusals)) if is_span => {
                refusals.count(read.as_ref().err());
                if read.is_err() {
                    self.w.rewind(mark);
                    return Ok(());
                }
            }
            (read, _) => read?,
        }
        self.w.close(field.number, mark);
        Ok(())
    }

    /// The bits of a boolean, an integer or an enum value. A word that no enum has is unspecified.
    fn number_of(&mut self, json: Json, ty: Type, at: &Path) -> Result<u64, JsonError> {
        let (Type::Enum(_, names), Some(word)) = (ty, json.word()) else { return number_of(json, ty, at) };
        let place = place_of(word, names);
        if let Some(refusals) = self.refusals.as_mut().filter(|_| place.is_none()) {
            refusals.unknown_words += 1;
        }
        Ok(place.unwrap_or_default())
    }

    fn text(&self, json: Json<'a>, at: &Path) -> Result<&'a [u8], JsonError> {
        json.text(self.arena).ok_or_else(|| at.unlike("a string", json))
    }
}

/// A trace or span id in hex, or in base64 as other JSON forms of protobuf have it; empty is "none".
fn id<'a>(text: &[u8], length: usize, at: &Path, arena: &'a Bump) -> Result<&'a [u8], JsonError> {
    if text.is_empty() {
        return Ok(&[]);
    }
    // Hex is longer than base64 of the same bytes.
    if text.len() < 2 * length
        && let Some(id) = base64_decode(text, arena).filter(|id| id.len() == length)
    {
        return Ok(id);
    }
    let expected = || format!("{} hex digits", 2 * length);
    // Counts characters by the bytes that begin one.
    let count = text.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
    if count != 2 * length {
        return Err(at.error(&expected(), &format!("{count} characters")));
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).map(|nibble| nibble as u8);
    let mut out = BumpVec::with_capacity_in(length, arena);
    for pair in text.chunks(2) {
        let byte = pair.iter().try_fold(0, |byte, digit| Some(byte << 4 | nibble(*digit)?));
        out.push(byte.ok_or_else(|| at.error(&expected(), "other characters"))?);
    }
    Ok(out.into_bump_slice())
}

/// The bits of a boolean, or of a number.
fn number_of(json: Json, ty: Type, at: &Path) -> Result<u64, JsonError> {
    // Its name, and the largest absolute values above and below zero.
    let (what, most, least) = match ty {
        Type::Bool => {
            let bool = json.as_bool().filter(|_| json.is_bool());
            return bool.map(u64::from).ok_or_else(|| at.unlike("true or false", json));
        }
        Type::Uint32 | Type::Fixed32 => ("an unsigned 32-bit integer", u64::from(u32::MAX), 0),
        Type::Int64 => ("a 64-bit integer", i64::MAX as u64, 1 << 63),
        Type::Enum(what, _) => (what, i32::MAX as u64, 1 << 31),
        _ => ("an unsigned 64-bit integer", u64::MAX, 0),
    };
    let Some(text) = json.word().or_else(|| json.number()) else { return Err(at.unlike(what, json)) };
    let found = match whole(text, json.is_string()) {
        Some((false, size)) if size <= most => return Ok(size),
        Some((true, size)) if size <= least => return Ok(size.wrapping_neg()),
        _ if json.is_string() => "other text",
        _ => "a number that is none",
    };
    Err(at.error(what, found))
}

/// The number of an enum's word: in any case, with its prefix or without, or its digits in a string. `None`: it is none of them.
fn place_of(word: &[u8], names: &[&str]) -> Option<u64> {
    let is = |name: &&str| {
        let last = name.rsplit('_').next().unwrap_or_default();
        [name.as_bytes(), last.as_bytes()].iter().any(|name| name.eq_ignore_ascii_case(word))
    };
    let place = names.iter().position(is).map(|place| place as u64);
    place.or_else(|| whole(word, true).filter(|(negative, size)| !negative && *size <= i32::MAX as u64).map(|(_, size)| size))
}

/// Returns its sign and absolute value. A number may be written `1.0` or `1e3`, digits in a string may not.
fn whole(text: &[u8], in_string: bool) -> Option<(bool, u64)> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if let Ok(size) = digits.parse::<u64>() {
        return (!digits.starts_with('+')).then_some((negative, size));
    }
    let number = number::parse(digits.as_bytes()).filter(|_| !in_string)?;
    // Past 2^64 the conversion would return u64::MAX.
    (number.fract() == 0.0 && number < 18_446_744_073_709_551_616.0).then_some((negative, number as u64))
}

fn double(json: Json, at: &Path) -> Result<f64, JsonError> {
    let text = match (json.word(), json.number()) {
        (Some(b"NaN"), _) => return Ok(f64::NAN),
        (Some(b"Infinity"), _) => return Ok(f64::INFINITY),
        (Some(b"-Infinity"), _) => return Ok(f64::NEG_INFINITY),
        (Some(text), _) | (None, Some(text)) => text,
        _ => return Err(at.unlike("a number", json)),
    };
    // A number that is too large reads as infinity.
    number::parse(text)
        .filter(|number| number.is_finite())
        .ok_or_else(|| at.error("a number, \"NaN\", \"Infinity\" or \"-Infinity\"", "other text"))
}

/// Base64 in the standard or the URL alphabet, padded or not.
fn base64_decode<'a>(text: &[u8], arena: &'a Bump) -> Option<&'a [u8]> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = &text[..text.len() - padding];
    if padding > 2 || (padding > 0 && !text.len().is_multiple_of(4)) || digits.len() % 4 == 1 {
        return None;
    }
    base64::decode(digits, arena)
}

// ---- to JSON ----

/// Turns a protobuf `ExportTraceServiceRequest` into compact OTLP/JSON. Default values are left out, save the `key`
/// and `value` of an attribute; an attribute without a value gets the empty one, `{}`.
pub fn from_protobuf(body: &[u8]) -> Result<Vec<u8>, WireError> {
    text_of(&REQUEST, (0, body))
}

/// The JSON form of a message that is a part of a body.
pub fn text_of(of: &Message, (offset, bytes): (usize, &[u8])) -> Result<Vec<u8>, WireError> {
    let arena = Bump::new();
    let mut out = BumpVec::with_capacity_in(bytes.len() + bytes.len() / 2, &arena);
    write_message(Reader::new(offset, bytes), of, 0, &mut out)?;
    Ok(out.to_vec())
}

fn write_message(reader: Reader, of: &Message, depth: usize, out: &mut Out) -> Result<(), WireError> {
    // Parsed completely first, so that an error anywhere in it is reported.
    let mut fields = BumpVec::new_in(out.bump());
    let mut rest = reader;
    while let Some(field) = rest.field()? {
        if depth > MAX_PROTOBUF_DEPTH {
            return Err(WireError::new(field.offset, "recursion limit reached"));
        }
        fields.push(field);
    }
    out.push(b'{');
    let mut count = 0;
    for field in of.fields {
        let mut found = fields.iter().filter(|f| f.number == field.number).peekable();
        if found.peek().is_none() && !matches!(field.ty, Type::Key) && (!matches!(field.ty, Type::Value) || field.repeated) {
            continue;
        }
        let before = out.len();
        json::separate(out, count);
        out.push(b'"');
        out.extend_from_slice_copy(field.name.as_bytes());
        out.extend_from_slice_copy(b"\":");
        let mut written = true;
        if field.repeated {
            out.push(b'[');
            for (i, item) in found.enumerate() {
                json::separate(out, i);
                write_value(item, field.ty, depth, out)?;
            }
            out.push(b']');
        } else {
            // If a singular field occurs twice, the last one counts.
            written = match found.last() {
                Some(value) => !write_value(value, field.ty, depth, out)? || of.one_of,
                None => {
                    out.extend_from_slice_copy(if matches!(field.ty, Type::Key) { b"\"\"" } else { b"{}" });
                    true
                }
            };
        }
        if written { count += 1 } else { out.truncate(before) }
    }
    out.push(b'}');
    Ok(())
}

/// Writes one value; returns true if it is the default, which may be omitted.
fn write_value(field: &protobuf::Field, ty: Type, depth: usize, out: &mut Out) -> Result<bool, WireError> {
    if let Some(message) = ty.message() {
        let (offset, bytes) = field.bytes()?;
        write_message(Reader::new(offset, bytes), message, depth + 1, out)?;
        return Ok(false);
    }
    if let Type::Text | Type::Key | Type::Id(_) | Type::Bytes = ty {
        let (_, bytes) = field.bytes()?;
        match ty {
            Type::Id(_) => json::hex(bytes, out),
            Type::Bytes => {
                out.push(b'"');
                base64::encode(bytes, out);
                out.push(b'"');
            }
            _ => json::string(String::from_utf8_lossy(bytes).as_bytes(), out),
        }
        return Ok(bytes.is_empty() && !matches!(ty, Type::Key));
    }
    if field.wire_type() != ty.wire_type() {
        return Err(field.wrong_type());
    }
    let bits = field.number()?;
    let text = match ty {
        Type::Bool => (bits != 0).to_string(),
        Type::Int64 => format!("\"{}\"", bits as i64),
        Type::Fixed64 => format!("\"{bits}\""),
        Type::Double => match f64::from_bits(bits) {
            f64::INFINITY => "\"Infinity\"".to_owned(),
            f64::NEG_INFINITY => "\"-Infinity\"".to_owned(),
            number if number.is_nan() => "\"NaN\"".to_owned(),
            number => number::text(number, str::to_owned),
        },
        Type::Enum(..) => (bits as i32).to_string(),
        _ => (bits as u32).to_string(),
    };
    out.extend_from_slice_copy(text.as_bytes());
    Ok(bits == 0)
}
