//! Texts whose parts are replaced, and the strings of a JSON text.

use crate::json;
use crate::text::Out;
use bumpalo::Bump;

/// The number of JSON values that are always examined, whatever the size of the text.
const MAX_VALUES: usize = 1_000_000;

/// A text whose parts are replaced, from its beginning to its end.
pub struct Copy<'a> {
    text: &'a [u8],
    out: Out<'a>,
    /// The position up to which it has been copied or replaced.
    pub done: usize,
    changed: bool,
}

impl<'a> Copy<'a> {
    /// Starts with nothing replaced and nothing copied.
    pub fn new(text: &'a [u8], arena: &'a Bump) -> Self {
        Copy { text, out: Out::new_in(arena), done: 0, changed: false }
    }

    /// Adds the replacement of a part of the text.
    #[inline(never)]
    pub fn replace(&mut self, part: &[u8]) -> &mut Out<'a> {
        let start = (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        self.copy_to(start);
        self.done = start + part.len();
        &mut self.out
    }

    /// Replaces a JSON string; `part` is the text between its quotes. Strings of Python's `repr` are also read.
    pub fn replace_string(&mut self, part: &[u8], said: &[u8]) {
        let out = self.replace(part);
        let quote = if out.last() == Some(&b'\'') { b'\'' } else { b'"' };
        for (i, piece) in said.split(|b| *b == b'\'' && quote == b'\'').enumerate() {
            if i > 0 {
                out.extend_from_slice_copy(b"\\'");
            }
            json::escape(piece, out);
        }
    }

    fn copy_to(&mut self, end: usize) {
        if !self.changed {
            self.changed = true;
            self.out.reserve(self.text.len());
        }
        self.out.extend_from_slice_copy(self.text.get(self.done..end).unwrap_or_default());
    }

    /// The text; `None` if it is unchanged.
    #[inline(never)]
    pub fn finish(mut self) -> Option<&'a [u8]> {
        if !self.changed {
            return None;
        }
        self.copy_to(self.text.len());
        Some(self.out.into_bump_slice())
    }
}

/// The JSON of a text that is an object, an array or a string.
#[inline(never)]
pub fn json<'a>(text: &'a [u8], arena: &'a Bump) -> Option<json::Json<'a>> {
    let first = text.iter().find(|b| !b.is_ascii_whitespace())?;
    b"{[\"".contains(first).then(|| json::parse(text, arena)).flatten()
}

/// Returns true if a text may be JSON with too many values to be examined.
pub fn is_dense(text: &[u8]) -> bool {
    json::is_dense(text, MAX_VALUES)
}

/// The content of a string; borrowed if it has no escapes.
pub fn decoded<'a>(raw: &'a [u8], arena: &'a Bump) -> &'a [u8] {
    if memchr::memchr(b'\\', raw).is_none() {
        return raw;
    }
    let mut out = Out::with_capacity_in(raw.len(), arena);
    json::decode(raw, &mut out);
    out.into_bump_slice()
}
