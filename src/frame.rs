//! The span frame: the binary form in which a host passes spans to the core, one at a time, cheap to write from JavaScript.
//!
//! A host writes a record into memory that it got from `bindings`'s `gs_reserve` (or into any byte slice,
//! natively) and passes it to the core. The core reads it in place and copies what it needs, so the memory can be reused immediately.
//! All integers are little-endian; there is no alignment or padding.
//!
//! ```text
//! version  = u8, the number 1
//! string   = u32 length in bytes, the bytes (UTF-8; a host replaces lone surrogates by U+FFFD)
//! ref      = u32 id from the dictionary, or 0 and then a string  (keys, span names, event names)
//! time     = u32 seconds since 1970, u32 nanoseconds
//! value    = u8 tag, then
//!              0 empty · 1 string · 2 false · 3 true
//!              4 integer of 64 bits, written as f64                   5 double, f64
//!              6 array: u32 count, values                            7 map: u32 count, attributes
//!              8 bytes: u32 length, the bytes                        9 i64 (JS: BigInt)
//! attr     = ref key, value
//! attrs    = u32 count, attr …
//!
//! span     = version
//!            u8  flags: 1 has a parent · 2 the parent is remote · 4 the remote parent is inside an LLM segment
//!            u8  kind, as OTLP counts it (0 unspecified, 1 internal … 5 consumer; JS SpanKind + 1)
//!            u8  status code (0 unset, 1 ok, 2 error)
//!            u32 W3C trace flags
//!            16 bytes trace id · 8 bytes span id · 8 bytes parent span id (zeros: none)
//!            time start · time end
//!            u32 scope id · u32 resource id
//!            u32 dropped attributes · u32 dropped events · u32 dropped links
//!            ref name · string status message · string trace state
//!            attrs
//!            u32 count, events: time · ref name · u32 dropped attributes · attrs
//!            u32 count, links:  16 bytes trace id · 8 bytes span id · u32 flags · string trace state · u32 dropped attributes · attrs
//!
//! start    = version · u8 flags (as above; 8 a session or a user among the attributes is from the baggage)
//!            16 bytes trace id · 8 bytes span id · 8 bytes parent span id
//!            8 bytes id of the LLM span in another process that is above this one (zeros: unknown)
//!            u32 scope id · ref name
//!            u32 count, refs: the keys of the attributes that the span starts with
//!            attrs: those of them whose values the core needs, and those from the baggage
//!
//! scope    = version · string name · string version · string schema URL · attrs
//! resource = version · string schema URL · attrs
//! ```
//!
//! Dictionary ids count from 1. A record is refused if it has an unassigned id, a length past the end, a count that cannot fit, or a trace id or span id of
//! zeros. The [`FrameError`] has the offset; nothing of the record is kept.

use crate::keys::Keys;
use crate::span::{Attr, Event, Key, Link, MAX_DEPTH, Span, SpanId, TraceId, Value};
use bumpalo::Bump;

/// The version of the format, the first byte of each record.
pub const VERSION: u8 = 1;

const HAS_PARENT: u8 = 1;
const REMOTE_PARENT: u8 = 2;
const INSIDE_SEGMENT: u8 = 4;
const BAGGAGE: u8 = 8;
/// The minimum size of an attribute (ref, tag), an event and a link, which limits a count.
const MIN_ATTR: usize = 5;
const MIN_EVENT: usize = 8 + 4 + 4 + 4;
const MIN_LINK: usize = 24 + 4 + 4 + 4 + 4;

/// Why a record was refused, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError {
    /// Bytes from the start of the record.
    pub offset: usize,
    /// The problem at this position.
    pub what: &'static str,
}

impl FrameError {
    /// The scope or the resource of a record is unknown, or was evicted because there are too many.
    pub const FORGOTTEN: FrameError = FrameError { offset: 0, what: "unknown scope or resource" };
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "span frame: {} at byte {}", self.what, self.offset)
    }
}

impl std::error::Error for FrameError {}

/// A `span` record.
pub struct SpanRecord<'a> {
    /// The span.
    pub span: Span<'a>,
    /// The scope, by its number in the host's dictionary.
    pub scope: u32,
    /// The resource, by its number in the host's dictionary.
    pub resource: u32,
}

/// A `start` record.
pub struct StartRecord<'a> {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Its parent, zeros for none.
    pub parent_id: SpanId,
    /// Whether the parent is in another process.
    pub remote_parent: bool,
    /// Whether the remote parent is inside an LLM segment.
    pub inside_segment: bool,
    /// The LLM span there, zeros if it is unknown.
    pub caller: SpanId,
    /// The scope, by its number in the host's dictionary.
    pub scope: u32,
    /// Its name at the start.
    pub name: &'a [u8],
    /// Keys of the attributes that the span starts with.
    pub keys: &'a [Key<'a>],
    /// Those of them whose values the core needs, and those from the baggage.
    pub attributes: &'a [Attr<'a>],
    /// Whether a session or a user among them is from the baggage.
    pub baggage: bool,
}

/// A `scope` or a `resource` record.
pub struct DescriptionRecord<'a> {
    /// Name of the scope.
    pub name: &'a [u8],
    /// Version of the scope.
    pub version: &'a [u8],
    /// Schema URL.
    pub schema_url: &'a [u8],
    /// Attributes.
    pub attributes: &'a [Attr<'a>],
}

/// Reads a record. The first error is stored, and everything after it reads as zeros and empty values, so no single read has to be checked.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    arena: &'a Bump,
    keys: &'a Keys,
    wrong: Option<FrameError>,
}

type Result<T> = std::result::Result<T, FrameError>;

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], arena: &'a Bump, keys: &'a Keys) -> Self {
        let mut r = Reader { bytes, at: 0, arena, keys, wrong: None };
        if r.u8() != VERSION {
            r.at = 0;
            r.refuse("unknown version");
        }
        r
    }

    #[cold]
    #[inline(never)]
    fn refuse(&mut self, what: &'static str) {
        self.wrong.get_or_insert(FrameError { offset: self.at, what });
        self.bytes = &[];
        self.at = 0;
    }

    #[inline(always)]
    fn take(&mut self, n: usize) -> &'a [u8] {
        // `at` is never past the end.
        if n > self.bytes.len() - self.at {
            self.refuse("cut short");
            return &[];
        }
        let bytes = &self.bytes[self.at..self.at + n];
        self.at += n;
        bytes
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().unwrap_or([0; N])
    }

    /// A required id: without it, a backend refuses the span with its whole batch.
    #[inline(always)]
    fn own_id<const N: usize>(&mut self) -> [u8; N] {
        let id = self.array();
        if id == [0; N] {
            self.refuse("id of zeros");
        }
        id
    }

    #[inline(always)]
    fn u8(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    #[inline(always)]
    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    #[inline(never)]
    fn string(&mut self) -> &'a [u8] {
        let length = self.u32() as usize;
        self.take(length)
    }

    fn time(&mut self) -> u64 {
        let (seconds, nanos) = (u64::from(self.u32()), u64::from(self.u32()));
        seconds * 1_000_000_000 + nanos
    }

    fn count(&mut self, smallest: usize) -> usize {
        let count = self.u32() as usize;
        match count.checked_mul(smallest) {
            Some(bytes) if bytes <= self.bytes.len() - self.at => count,
            _ => {
                self.refuse("count past the end");
                0
            }
        }
    }

    /// A list whose members are read by `member`.
    #[inline(always)]
    fn list<T>(&mut self, smallest: usize, mut member: impl FnMut(&mut Self) -> T) -> &'a [T] {
        let (count, arena) = (self.count(smallest), self.arena);
        arena.alloc_slice_fill_with(count, |_| member(self))
    }

    fn key(&mut self) -> Key<'a> {
        match self.u32() {
            0 => Key::Text(self.string()),
            id if id as usize <= self.keys.count() => Key::Id(id - 1),
            _ => {
                self.refuse("unknown id");
                Key::Text(&[])
            }
        }
    }

    fn value(&mut self, depth: usize) -> Value<'a> {
        if depth > MAX_DEPTH {
            self.refuse("value nested too deep");
        }
        match self.u8() {
            0 => Value::Empty,
            1 => Value::Str(self.string()),
            2 => Value::Bool(false),
            3 => Value::Bool(true),
            4 => Value::Int(f64::from_le_bytes(self.array()) as i64),
            5 => Value::Double(f64::from_le_bytes(self.array())),
            6 => Value::Array(self.list(1, |r| r.value(depth + 1))),
            7 => Value::Map(self.list(MIN_ATTR, |r| (r.keys.text(r.key()), r.value(depth + 1)))),
            8 => Value::Bytes(self.string()),
            9 => Value::Int(i64::from_le_bytes(self.array())),
            _ => {
                self.at -= 1;
                self.refuse("unknown value tag");
                Value::Empty
            }
        }
    }

    fn attributes(&mut self) -> &'a [Attr<'a>] {
        self.list(MIN_ATTR, |r| Attr { key: r.key(), value: r.value(0), raw: None })
    }

    fn end<T>(mut self, record: T) -> Result<T> {
        if self.at != self.bytes.len() {
            self.refuse("bytes after the record");
        }
        self.wrong.map_or(Ok(record), Err)
    }
}

/// Reads a `span` record.
pub fn span<'a>(bytes: &'a [u8], arena: &'a Bump, keys: &'a Keys) -> Result<SpanRecord<'a>> {
    let mut r = Reader::new(bytes, arena, keys);
    let flags = r.u8();
    let kind = u32::from(r.u8());
    let status_code = u32::from(r.u8());
    let trace_flags = r.u32();
    let (trace_id, span_id, parent_id) = (r.own_id(), r.own_id(), r.array());
    let (start, end) = (r.time(), r.time());
    let (scope, resource) = (r.u32(), r.u32());
    let (dropped_attributes, dropped_events, dropped_links) = (r.u32(), r.u32(), r.u32());
    let name = keys.text(r.key());
    let (status_message, trace_state) = (r.string(), r.string());
    let attributes = r.attributes();
    let events = r.list(MIN_EVENT, |r| {
        let (time, name) = (r.time(), keys.text(r.key()));
        let dropped_attributes = r.u32();
        Event { time, name, dropped_attributes, attributes: r.attributes(), raw: None }
    });
    let links = r.list(MIN_LINK, |r| {
        let (trace_id, span_id, flags) = (r.take(16), r.take(8), r.u32());
        let (trace_state, dropped_attributes) = (r.string(), r.u32());
        Link { trace_id, span_id, flags, trace_state, dropped_attributes, attributes: r.attributes() }
    });
    // In OTLP, one bit next to the W3C flags means that it is known whether the parent is remote, another that it is.
    let remote = if flags & REMOTE_PARENT != 0 { 0x300 } else { 0x100 };
    let span = Span {
        trace_id,
        span_id,
        parent_id: if flags & HAS_PARENT != 0 { parent_id } else { crate::span::NO_PARENT },
        trace_state,
        flags: trace_flags & 0xff | remote,
        name,
        kind,
        start,
        end,
        attributes,
        dropped_attributes,
        events,
        dropped_events,
        links,
        dropped_links,
        status_code,
        status_message,
        raw_status: None,
        raw_fields: &[],
    };
    r.end(SpanRecord { span, scope, resource })
}

/// Reads a `start` record.
pub fn start<'a>(bytes: &'a [u8], arena: &'a Bump, keys: &'a Keys) -> Result<StartRecord<'a>> {
    let mut r = Reader::new(bytes, arena, keys);
    let flags = r.u8();
    let (trace_id, span_id, parent_id, caller) = (r.own_id(), r.own_id(), r.array(), r.array());
    let scope = r.u32();
    let name = r.key();
    let name = keys.text(name);
    let keys = r.list(4, Reader::key);
    let attributes = r.attributes();
    r.end(StartRecord {
        trace_id,
        span_id,
        parent_id: if flags & HAS_PARENT != 0 { parent_id } else { crate::span::NO_PARENT },
        remote_parent: flags & REMOTE_PARENT != 0,
        inside_segment: flags & INSIDE_SEGMENT != 0,
        scope,
        caller,
        name,
        keys,
        attributes,
        baggage: flags & BAGGAGE != 0,
    })
}

/// Reads a `scope` record.
pub fn scope<'a>(bytes: &'a [u8], arena: &'a Bump, keys: &'a Keys) -> Result<DescriptionRecord<'a>> {
    let mut r = Reader::new(bytes, arena, keys);
    let record = DescriptionRecord { name: r.string(), version: r.string(), schema_url: r.string(), attributes: r.attributes() };
    r.end(record)
}

/// Reads a `resource` record.
pub fn resource<'a>(bytes: &'a [u8], arena: &'a Bump, keys: &'a Keys) -> Result<DescriptionRecord<'a>> {
    let mut r = Reader::new(bytes, arena, keys);
    let record = DescriptionRecord { name: &[], version: &[], schema_url: r.string(), attributes: r.attributes() };
    r.end(record)
}
