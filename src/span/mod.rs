//! The borrowed model of a span that every stage shares. No parsing and no writing here.
//!
//! Text is `&[u8]`, not `&str`: it is UTF-8 by the contract of whoever read it (bodies are repaired at the door, a
//! host writes the frame with an encoder), and no stage needs to pay for checking it again just to copy it.

pub mod value;

/// W3C trace id, 16 bytes.
pub type TraceId = [u8; 16];
/// W3C span id, 8 bytes.
pub type SpanId = [u8; 8];
/// The span id that means "no parent".
pub const NO_PARENT: SpanId = [0; 8];

/// How deep lists and maps may be nested in a value. With three messages and four levels of JSON for each level of maps, what goes out
/// stays within the 100 messages that readers of protobuf allow, and the 128 levels that some readers of JSON do.
pub const MAX_DEPTH: usize = 28;

/// The value of an attribute: OTLP's `AnyValue`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A value that is not set; OTLP allows it.
    Empty,
    /// UTF-8 text.
    Str(&'a [u8]),
    /// A boolean.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// Bytes without meaning.
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

/// A key: a number of the dictionary ([`crate::keys::Keys`]), or its text where the dictionary is full.
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
    /// The `KeyValue` message it was read from; copied as it is where the attribute is kept.
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
    /// How many attributes the SDK dropped.
    pub dropped_attributes: u32,
    /// The `Event` message it was read from.
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
    /// How many attributes the SDK dropped.
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

/// A span. `'a` is the frame or the OTLP body it was read from, or the arena of the run.
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
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    /// In the order of the source.
    pub attributes: &'a [Attr<'a>],
    /// How many attributes the SDK dropped.
    pub dropped_attributes: u32,
    /// In the order of the source.
    pub events: &'a [Event<'a>],
    /// How many events the SDK dropped.
    pub dropped_events: u32,
    /// Links that came in a frame.
    pub links: &'a [Link<'a>],
    /// How many links the SDK dropped.
    pub dropped_links: u32,
    /// OTLP's status code.
    pub status_code: u32,
    /// Text of the status.
    pub status_message: &'a [u8],
    /// The whole `Status` field that it was read from; copied as it is where the status is not touched.
    pub raw_status: Option<&'a [u8]>,
    /// Whole protobuf fields (tag and value) that are copied as they are: links and all that this model does not know.
    pub raw_fields: &'a [&'a [u8]],
}

impl Span<'_> {
    /// Whether the SDK said that the parent lives in another process.
    pub fn parent_is_remote(&self) -> bool {
        self.flags & 0x300 == 0x300
    }
}
