//! The borrowed model of a span that all stages share. It contains no parsing and no writing.
//!
//! Text is `&[u8]`, not `&str`: its readers guarantee that it is UTF-8 (bodies are repaired on arrival, a
//! host writes the frame with an encoder), so that no stage has to check it again just to copy it.

pub mod value;

/// W3C trace id, 16 bytes.
pub type TraceId = [u8; 16];
/// W3C span id, 8 bytes.
pub type SpanId = [u8; 8];
/// The span id that means "no parent".
pub const NO_PARENT: SpanId = [0; 8];

/// Maximum nesting of lists and maps in a value. With three messages and four levels of JSON for each level of maps, the output
/// stays within the 100 nested messages that protobuf readers allow, and the 128 levels of some JSON readers.
pub const MAX_DEPTH: usize = 28;

/// The value of an attribute: OTLP's `AnyValue`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// An unset value, which OTLP allows.
    Empty,
    /// UTF-8 text.
    Str(&'a [u8]),
    /// A boolean.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// Uninterpreted bytes.
    Bytes(&'a [u8]),
    /// Values in order.
    Array(&'a [Value<'a>]),
    /// Keys and values in order.
    Map(&'a [(&'a [u8], Value<'a>)]),
}

impl<'a> Value<'a> {
    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&'a [u8]> {
        match *self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }
}

/// A key: its number in the dictionary ([`crate::keys::Keys`]), or its text if the dictionary is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// Index into the dictionary.
    Id(u32),
    /// The key itself, not in the dictionary.
    Text(&'a [u8]),
}

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub struct Attr<'a> {
    /// Its key.
    pub key: Key<'a>,
    /// Its value.
    pub value: Value<'a>,
    /// The `KeyValue` message from which it was read; copied unchanged if the attribute is kept.
    pub raw: Option<&'a [u8]>,
}

/// An event of a span.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Nanoseconds since 1970.
    pub time: u64,
    /// Its name.
    pub name: &'a [u8],
    /// Its attributes.
    pub attributes: &'a [Attr<'a>],
    /// Number of attributes that the SDK dropped.
    pub dropped_attributes: u32,
    /// The `Event` message from which it was read.
    pub raw: Option<&'a [u8]>,
}

/// A link to another span.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// The linked trace.
    pub trace_id: &'a [u8],
    /// The linked span.
    pub span_id: &'a [u8],
    /// W3C trace state.
    pub trace_state: &'a [u8],
    /// Attributes of the link.
    pub attributes: &'a [Attr<'a>],
    /// Number of attributes that the SDK dropped.
    pub dropped_attributes: u32,
    /// W3C trace flags and OTLP's remote bits.
    pub flags: u32,
}

/// OTLP's `Status.code`.
pub mod status {
    /// Not set.
    pub const UNSET: u32 = 0;
    /// Failed.
    pub const ERROR: u32 = 2;
}

/// A span. `'a` is the lifetime of the frame or OTLP body from which it was read, or of the arena of the run.
#[derive(Clone, Debug)]
pub struct Span<'a> {
    /// Its trace.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// Its parent, [`NO_PARENT`] for none.
    pub parent_id: SpanId,
    /// W3C trace state.
    pub trace_state: &'a [u8],
    /// W3C trace flags and OTLP's remote bits (0x100 known, 0x200 remote).
    pub flags: u32,
    /// Its name.
    pub name: &'a [u8],
    /// OTLP's kind, 0 to 5.
    pub kind: u32,
    /// Start, in nanoseconds since 1970.
    pub start: u64,
    /// End, in nanoseconds since 1970.
    pub end: u64,
    /// Attributes, in the order of the source.
    pub attributes: &'a [Attr<'a>],
    /// Number of attributes that the SDK dropped.
    pub dropped_attributes: u32,
    /// Events, in the order of the source.
    pub events: &'a [Event<'a>],
    /// Number of events that the SDK dropped.
    pub dropped_events: u32,
    /// Links from a frame.
    pub links: &'a [Link<'a>],
    /// Number of links that the SDK dropped.
    pub dropped_links: u32,
    /// OTLP's status code.
    pub status_code: u32,
    /// Text of the status.
    pub status_message: &'a [u8],
    /// The whole `Status` field from which it was read; copied unchanged if the status is not modified.
    pub raw_status: Option<&'a [u8]>,
    /// Whole protobuf fields (tag and value) that are copied unchanged: links, and all fields that this model does not know.
    pub raw_fields: &'a [&'a [u8]],
}

impl Span<'_> {
    /// Returns whether the SDK reported that the parent is in another process.
    pub fn parent_is_remote(&self) -> bool {
        self.flags & 0x300 == 0x300
    }
}
