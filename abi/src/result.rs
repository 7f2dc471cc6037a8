//! The memory through which a call answers.

use std::ptr;

/// The return value of a call that refused its input.
pub const REFUSED: i32 = -1;
/// The return value of a call on a broken handle.
pub const BROKEN: i32 = -2;

/// What a call returns besides its number. The host makes it once with `gs_result_new` and passes it to every call. A call fills it anew:
/// both texts stay valid until the next call with the same result. One thread at a time may use it.
#[repr(C)]
#[derive(Debug)]
pub struct GsResult {
    /// The bytes that the call returns; never null.
    pub ptr: *const u8,
    /// Their number.
    pub len: usize,
    /// A text in UTF-8 for people: why a call failed, or why a part of its input was refused. Never null, and not terminated by a zero.
    pub message: *const u8,
    /// Its length in bytes; 0 if there is none.
    pub message_len: usize,
    /// The id of a request or the number of a stored copy.
    pub id: u32,
    /// A number of spans.
    pub spans: u32,
    /// The index of a destination in the configuration.
    pub destination: u32,
    /// Why a whole body was refused: `GS_MALFORMED`, `GS_BUSY` or `GS_LIMIT`.
    pub kind: u32,
    /// When `gs_poll` has to be called again, in ms since 1970, if nothing else happens before; infinity: never. Set by every call that takes
    /// a pipeline.
    pub wake: f64,
}

/// A result and the memory of its texts, which is kept between calls.
#[repr(C)]
pub struct Out {
    shown: GsResult,
    bytes: Vec<u8>,
    message: String,
}

/// Memory of a result beyond this is given back once it is not needed.
const KEPT: usize = 8 << 20;

impl Out {
    /// Allocates a result.
    pub fn allocate() -> *mut GsResult {
        let shown = GsResult {
            ptr: ptr::dangling(),
            len: 0,
            message: ptr::dangling(),
            message_len: 0,
            id: 0,
            spans: 0,
            destination: 0,
            kind: 0,
            wake: f64::INFINITY,
        };
        Box::into_raw(Box::new(Out { shown, bytes: Vec::new(), message: String::new() })).cast()
    }

    /// The result behind a pointer from [`Out::allocate`].
    ///
    /// # Safety
    /// `result` is null, or it comes from [`Out::allocate`], was not freed, and nothing else uses it until the end of `'o`.
    pub unsafe fn of<'o>(result: *mut GsResult) -> Option<&'o mut Out> {
        // SAFETY: the pointer is that of a whole `Out`, which begins with the part that hosts see.
        unsafe { result.cast::<Out>().as_mut() }
    }

    /// Frees a result.
    ///
    /// # Safety
    /// As for [`Out::of`], and nothing uses the result afterwards.
    pub unsafe fn free(result: *mut GsResult) {
        if !result.is_null() {
            // SAFETY: it was made by `Box::into_raw` from an `Out`.
            drop(unsafe { Box::from_raw(result.cast::<Out>()) });
        }
    }

    /// Empties the result before a call.
    pub fn clear(&mut self) {
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.message.clear();
        (self.shown.id, self.shown.spans, self.shown.destination, self.shown.kind) = (0, 0, 0, 0);
        self.shown.wake = f64::INFINITY;
        self.publish();
    }

    /// Shows the host what the call left.
    pub fn publish(&mut self) {
        (self.shown.ptr, self.shown.len) = (self.bytes.as_ptr(), self.bytes.len());
        (self.shown.message, self.shown.message_len) = (self.message.as_ptr(), self.message.len());
    }

    /// Returns bytes that are copied.
    pub fn copy(&mut self, bytes: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns bytes.
    pub fn give(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes;
    }

    /// Adds a number to the bytes, as four of them in little-endian order.
    pub fn push(&mut self, number: u32) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// Sets the message.
    pub fn say(&mut self, message: impl std::fmt::Display) {
        use std::fmt::Write;
        self.message.clear();
        // A `String` takes everything.
        let _ = write!(self.message, "{message}");
    }

    /// Returns true if there is a message.
    pub fn has_message(&self) -> bool {
        !self.message.is_empty()
    }

    /// The call failed for this reason.
    pub fn refuse(&mut self, why: impl std::fmt::Display) -> i32 {
        self.say(why);
        REFUSED
    }

    /// The fields that hosts see, except the texts.
    pub fn shown(&mut self) -> &mut GsResult {
        &mut self.shown
    }
}
