//! Protobuf's wire format: a checked reader over borrowed bytes, and a writer that fills its buffer from the end.
//!
//! Writing backwards means that the length of a nested message is known when its prefix is written: one pass, no size
//! pass, every byte copied once.

use crate::text::bytes;

/// The problem in a protobuf message, and its byte position in the body. Boxed, so that a result that may fail passes only one
/// pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError(Box<(usize, &'static str)>);

impl WireError {
    /// The offset from the start of the outermost body, in bytes.
    #[cold]
    #[inline(never)]
    pub fn new(offset: usize, what: &'static str) -> Self {
        WireError(Box::new((offset, what)))
    }
}

/// The problem of a body whose unpacked size exceeds the limit.
const TOO_LARGE: &str = "the body unpacks into too much";

impl WireError {
    /// The body exceeds its limit at this position.
    pub fn too_large(offset: usize) -> Self {
        WireError::new(offset, TOO_LARGE)
    }

    /// Returns true if the only problem is the unpacked size of the body.
    pub fn is_too_large(&self) -> bool {
        std::ptr::eq(self.0.1, TOO_LARGE)
    }
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (offset, what) = *self.0;
        write!(f, "{what} at byte {offset}")
    }
}

impl std::error::Error for WireError {}

/// The value of a field in its wire format.
#[derive(Clone, Copy, Debug)]
pub enum Wire<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2: the offset of the bytes in the outermost body, and the bytes.
    Bytes(usize, &'a [u8]),
    /// Wire type 5.
    Fixed32(u32),
}

/// A field: its number, its value, and all its bytes with the tag.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Field number.
    pub number: u32,
    /// Its value.
    pub value: Wire<'a>,
    /// Tag and value, unmodified.
    pub raw: &'a [u8],
    /// The offset of `raw` in the outermost body.
    pub offset: usize,
}

impl<'a> Field<'a> {
    /// The bytes of a length-delimited field, with their offset.
    pub fn bytes(&self) -> Result<(usize, &'a [u8]), WireError> {
        match self.value {
            Wire::Bytes(offset, bytes) => Ok((offset, bytes)),
            _ => Err(self.wrong_type()),
        }
    }

    /// An unsigned number, from a varint or a fixed-size field.
    pub fn number(&self) -> Result<u64, WireError> {
        match self.value {
            Wire::Varint(v) | Wire::Fixed64(v) => Ok(v),
            Wire::Fixed32(v) => Ok(u64::from(v)),
            Wire::Bytes(..) => Err(self.wrong_type()),
        }
    }

    /// Its wire type.
    pub fn wire_type(&self) -> u32 {
        match self.value {
            Wire::Varint(_) => 0,
            Wire::Fixed64(_) => 1,
            Wire::Bytes(..) => 2,
            Wire::Fixed32(_) => 5,
        }
    }

    /// The error of a field that must have another wire type.
    pub fn wrong_type(&self) -> WireError {
        WireError::new(self.offset, "field of the wrong wire type")
    }
}

/// Reads the fields of one message.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
}

impl<'a> Reader<'a> {
    /// `base` is the offset of `bytes` in the outermost body; it is used only in errors.
    pub fn new(base: usize, bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0, base }
    }

    /// All remaining fields of a message, for callers that need them from the last to the first, because the writer writes backwards.
    pub fn all(mut self) -> Result<Vec<Field<'a>>, WireError> {
        let mut all = Vec::new();
        while let Some(field) = self.field()? {
            all.push(field);
        }
        Ok(all)
    }

    /// Its position in the outermost body.
    pub fn offset(&self) -> usize {
        self.base + self.at
    }

    fn err(&self, what: &'static str) -> WireError {
        WireError::new(self.base + self.at, what)
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, WireError> {
        match self.bytes.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for (i, &byte) in self.bytes[self.at..].iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                if i == 9 && byte > 1 {
                    return Err(self.err("varint over 64 bits"));
                }
                self.at += i + 1;
                return Ok(value);
            }
        }
        Err(self.err(if self.bytes.len() - self.at < 10 { "varint cut short" } else { "varint over 64 bits" }))
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], WireError> {
        let rest = &self.bytes[self.at..];
        if n > rest.len() {
            return Err(self.err("field runs past the end of its message"));
        }
        self.at += n;
        Ok(&rest[..n])
    }

    /// The next field, or `None` at the end.
    pub fn field(&mut self) -> Result<Option<Field<'a>>, WireError> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let start = self.at;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).unwrap_or(0);
        if number == 0 || number > 0x1fff_ffff {
            self.at = start;
            return Err(self.err("bad field number"));
        }
        let value = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(array(self.take(8)?))),
            2 => {
                let length = self.varint()?;
                let length = usize::try_from(length).map_err(|_| self.err("field runs past the end of its message"))?;
                let offset = self.base + self.at;
                Wire::Bytes(offset, self.take(length)?)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(array(self.take(4)?))),
            _ => {
                self.at = start;
                return Err(self.err("bad wire type"));
            }
        };
        Ok(Some(Field { number, value, raw: &self.bytes[start..self.at], offset: self.base + start }))
    }
}

impl<'a> Reader<'a> {
    /// The next field, for callers that only scan a message: its tag (its number above the three bits of the wire type), and the bytes of a
    /// length-delimited field. Fast for the most frequent case, a tag and a length of one byte each.
    #[inline(always)]
    pub fn glance(&mut self) -> Result<Option<(u32, &'a [u8])>, WireError> {
        if let [tag, length, rest @ ..] = &self.bytes[self.at..] {
            let length = usize::from(*length);
            let (bytes, size) = match tag & 0x87 {
                2 => (rest.get(..length), 2 + length),
                1 => (rest.get(..7).map(|_| &[][..]), 9),
                0 => (Some(&[][..]), 2),
                _ => (None, 0),
            };
            if let Some(bytes) = bytes.filter(|_| *tag >= 8 && (length < 0x80 || size == 9)) {
                self.at += size;
                return Ok(Some((u32::from(*tag), bytes)));
            }
        }
        self.long_glance()
    }

    #[inline(never)]
    fn long_glance(&mut self) -> Result<Option<(u32, &'a [u8])>, WireError> {
        let Some(field) = self.field()? else { return Ok(None) };
        Ok(Some((field.number << 3 | field.wire_type(), if let Wire::Bytes(_, bytes) = field.value { bytes } else { &[] })))
    }
}

/// The first `N` bytes, padded with zeros.
#[inline(always)]
pub fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let n = bytes.len().min(N);
    out[..n].copy_from_slice(&bytes[..n]);
    out
}

/// The length of a varint, in bytes.
pub fn varint_len(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Appends a varint.
pub fn push_varint(out: &mut impl Extend<u8>, mut value: u64) {
    while value > 0x7f {
        out.extend([value as u8 | 0x80]);
        value >>= 7;
    }
    out.extend([value as u8]);
}

/// A buffer that is filled from its end to its front. The caller writes fields in reverse order.
#[derive(Default, Debug)]
pub struct Writer {
    buf: Vec<u8>,
    front: usize,
}

impl Writer {
    /// Discards the content, and keeps the memory.
    pub fn clear(&mut self) {
        self.front = self.buf.len();
    }

    /// Number of bytes written: a mark for [`Writer::close`].
    pub fn mark(&self) -> usize {
        self.buf.len() - self.front
    }

    /// Discards what was written since `mark`.
    pub fn rewind(&mut self, mark: usize) {
        self.front = self.buf.len() - mark.min(self.mark());
    }

    /// The bytes written so far, in reading order.
    pub fn written(&self) -> &[u8] {
        &self.buf[self.front..]
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, need: usize) {
        let used = self.mark();
        let size = (used + need).max(self.buf.len() * 2).max(1024);
        let mut bigger = vec![0; size];
        bigger[size - used..].copy_from_slice(&self.buf[self.front..]);
        self.buf = bigger;
        self.front = size - used;
    }

    #[inline(always)]
    fn room(&mut self, n: usize) -> &mut [u8] {
        if self.front < n {
            self.grow(n);
        }
        self.front -= n;
        &mut self.buf[self.front..self.front + n]
    }

    /// Prepends an array of a few bytes.
    #[inline(always)]
    pub fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        self.room(N).copy_from_slice(&bytes);
    }

    /// Prepends bytes.
    #[inline(always)]
    pub fn bytes(&mut self, bytes: &[u8]) {
        bytes::copy(bytes, self.room(bytes.len()));
    }

    /// One byte.
    #[inline(always)]
    pub fn byte(&mut self, byte: u8) {
        self.room(1)[0] = byte;
    }

    /// A varint.
    #[inline(always)]
    pub fn varint(&mut self, value: u64) {
        if value < 0x80 { self.byte(value as u8) } else { self.long_varint(value) }
    }

    #[inline(never)]
    fn long_varint(&mut self, mut value: u64) {
        let room = self.room(varint_len(value));
        let last = room.len() - 1;
        for byte in &mut room[..last] {
            *byte = value as u8 | 0x80;
            value >>= 7;
        }
        room[last] = value as u8;
    }

    /// A tag.
    #[inline(always)]
    pub fn tag(&mut self, number: u32, wire_type: u32) {
        self.varint(u64::from(number << 3 | wire_type));
    }

    /// The length and the tag of a message whose fields were all written since `mark`.
    #[inline]
    pub fn close(&mut self, number: u32, mark: usize) {
        self.tagged(number, 2, (self.mark() - mark) as u64);
    }

    /// A tag and the varint after it: most have one byte each, and need only one check of the buffer.
    #[inline(always)]
    fn tagged(&mut self, number: u32, wire_type: u32, value: u64) {
        let tag = number << 3 | wire_type;
        if value < 0x80 && tag < 0x80 { self.array([tag as u8, value as u8]) } else { self.long_tagged(tag, value) }
    }

    #[inline(never)]
    fn long_tagged(&mut self, tag: u32, value: u64) {
        self.long_varint(value);
        self.varint(u64::from(tag));
    }

    /// A length-delimited field.
    #[inline]
    pub fn bytes_field(&mut self, number: u32, bytes: &[u8]) {
        self.bytes(bytes);
        self.tagged(number, 2, bytes.len() as u64);
    }

    /// Like [`Writer::bytes_field`], omitted if empty.
    #[inline]
    pub fn text_field(&mut self, number: u32, text: &[u8]) {
        if !text.is_empty() {
            self.bytes_field(number, text);
        }
    }

    /// A varint field, omitted if zero.
    #[inline]
    pub fn varint_field(&mut self, number: u32, value: u64) {
        if value != 0 {
            self.tagged(number, 0, value);
        }
    }

    /// A fixed64 field.
    #[inline]
    pub fn fixed64_field(&mut self, number: u32, value: u64) {
        self.array(value.to_le_bytes());
        self.tag(number, 1);
    }

    /// A fixed32 field.
    #[inline]
    pub fn fixed32_field(&mut self, number: u32, value: u32) {
        self.array(value.to_le_bytes());
        self.tag(number, 5);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_written_backwards_reads_forwards() {
        let mut w = Writer::default();
        w.varint_field(3, 300);
        w.bytes_field(2, b"text");
        w.close(1, 0);
        assert_eq!(w.written(), b"\x0a\x09\x12\x04text\x18\xac\x02");
    }

    #[test]
    fn errors_name_the_byte() {
        let cut = Reader::new(100, b"\x0a\x05ab").field().unwrap_err();
        assert_eq!(cut.to_string(), "field runs past the end of its message at byte 102");
        assert_eq!(Reader::new(0, b"\x80").field().unwrap_err().to_string(), "varint cut short at byte 0");
        assert_eq!(Reader::new(0, b"\x0b").field().unwrap_err().to_string(), "bad wire type at byte 0");
        assert_eq!(Reader::new(0, b"\x00\x00").field().unwrap_err().to_string(), "bad field number at byte 0");
    }

    proptest! {
        #[test]
        fn varints_round_trip(value: u64) {
            let mut w = Writer::default();
            w.varint(value);
            prop_assert_eq!(w.written().len(), varint_len(value));
            let mut forwards = Vec::new();
            push_varint(&mut forwards, value);
            prop_assert_eq!(w.written(), &forwards[..]);
            prop_assert_eq!(Reader::new(0, w.written()).varint().unwrap(), value);
        }

        #[test]
        fn a_glance_sees_what_reading_sees(bytes in proptest::collection::vec(prop_oneof![0u8..12, 56u8..70, any::<u8>()], 0..40)) {
            let (mut one, mut other) = (Reader::new(0, &bytes), Reader::new(0, &bytes));
            loop {
                match (one.glance(), other.field()) {
                    (Ok(Some((tag, glanced))), Ok(Some(field))) => {
                        prop_assert_eq!((tag >> 3, glanced), (field.number, field.bytes().map_or(&[][..], |(_, bytes)| bytes)));
                        prop_assert_eq!(tag & 7, u32::from(field.raw[0] & 7));
                    }
                    (Ok(None), Ok(None)) => break,
                    (Err(a), Err(b)) => {
                        prop_assert_eq!(a, b);
                        break;
                    }
                    _ => prop_assert!(false, "they differ"),
                }
            }
        }

        #[test]
        fn no_input_panics(bytes: Vec<u8>) {
            let mut r = Reader::new(0, &bytes);
            while let Ok(Some(_)) = r.field() {}
        }
    }
}
