//! The OTLP trace messages as prost types, for everything that is not the hot path: OTLP/JSON, responses, and the
//! tests that decode what the hot encoder wrote. The hot path's own reader and writer are `read.rs` and `write.rs`.
//!
//! Names and numbers are those of opentelemetry-proto 1.x. The string-table indexes of the profiles signal
//! (`AnyValue.string_value_strindex`, `KeyValue.key_strindex`) are left out: a trace must not use them.

use prost::{Enumeration, Message, Oneof};

/// Body of an export call: spans, grouped by resource and scope.
#[derive(Clone, PartialEq, Message)]
pub struct ExportTraceServiceRequest {
    /// One item per resource.
    #[prost(message, repeated, tag = "1")]
    pub resource_spans: Vec<ResourceSpans>,
}

/// Answer to an export call.
#[derive(Clone, PartialEq, Message)]
pub struct ExportTraceServiceResponse {
    /// Set if the receiver refused some spans, or has a warning.
    #[prost(message, optional, tag = "1")]
    pub partial_success: Option<ExportTracePartialSuccess>,
}

/// What a receiver did not take of a request it accepted.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct ExportTracePartialSuccess {
    /// Number of refused spans; 0 with a message is a warning.
    #[prost(int64, tag = "1")]
    pub rejected_spans: i64,
    /// Why, in English, for a developer.
    #[prost(string, tag = "2")]
    pub error_message: String,
}

/// Spans of one resource.
#[derive(Clone, PartialEq, Message)]
pub struct ResourceSpans {
    /// Who produced the spans.
    #[prost(message, optional, tag = "1")]
    pub resource: Option<Resource>,
    /// One item per scope.
    #[prost(message, repeated, tag = "2")]
    pub scope_spans: Vec<ScopeSpans>,
    /// Schema of the resource's attributes.
    #[prost(string, tag = "3")]
    pub schema_url: String,
}

/// The entity that produced telemetry.
#[derive(Clone, PartialEq, Message)]
pub struct Resource {
    /// Attributes, keys unique.
    #[prost(message, repeated, tag = "1")]
    pub attributes: Vec<KeyValue>,
    /// Attributes that the producer discarded.
    #[prost(uint32, tag = "2")]
    pub dropped_attributes_count: u32,
    /// Entities that make up this resource.
    #[prost(message, repeated, tag = "3")]
    pub entity_refs: Vec<EntityRef>,
}

/// Names the resource attributes that identify and describe one entity.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct EntityRef {
    /// Schema of the entity.
    #[prost(string, tag = "1")]
    pub schema_url: String,
    /// Kind of entity, e.g. `service`.
    #[prost(string, tag = "2")]
    pub r#type: String,
    /// Keys of the attributes that identify it.
    #[prost(string, repeated, tag = "3")]
    pub id_keys: Vec<String>,
    /// Keys of the attributes that describe it.
    #[prost(string, repeated, tag = "4")]
    pub description_keys: Vec<String>,
}

/// Spans of one instrumentation scope.
#[derive(Clone, PartialEq, Message)]
pub struct ScopeSpans {
    /// Who recorded the spans.
    #[prost(message, optional, tag = "1")]
    pub scope: Option<InstrumentationScope>,
    /// The spans.
    #[prost(message, repeated, tag = "2")]
    pub spans: Vec<Span>,
    /// Schema of the spans' attributes.
    #[prost(string, tag = "3")]
    pub schema_url: String,
}

/// The library that recorded a span.
#[derive(Clone, PartialEq, Message)]
pub struct InstrumentationScope {
    /// Name; empty if unknown.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Version; empty if unknown.
    #[prost(string, tag = "2")]
    pub version: String,
    /// Attributes, keys unique.
    #[prost(message, repeated, tag = "3")]
    pub attributes: Vec<KeyValue>,
    /// Attributes that the producer discarded.
    #[prost(uint32, tag = "4")]
    pub dropped_attributes_count: u32,
}

/// One operation of a trace.
#[derive(Clone, PartialEq, Message)]
pub struct Span {
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub trace_id: Vec<u8>,
    /// 8 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub span_id: Vec<u8>,
    /// W3C `tracestate`.
    #[prost(string, tag = "3")]
    pub trace_state: String,
    /// 8 bytes; empty on a root.
    #[prost(bytes = "vec", tag = "4")]
    pub parent_span_id: Vec<u8>,
    /// Bits 0-7: W3C trace flags; bit 8: bit 9 is known; bit 9: the parent is remote.
    #[prost(fixed32, tag = "16")]
    pub flags: u32,
    /// Name.
    #[prost(string, tag = "5")]
    pub name: String,
    /// A [`SpanKind`], or a number that we do not know.
    #[prost(enumeration = "SpanKind", tag = "6")]
    pub kind: i32,
    /// Start, ns since the epoch.
    #[prost(fixed64, tag = "7")]
    pub start_time_unix_nano: u64,
    /// End, ns since the epoch.
    #[prost(fixed64, tag = "8")]
    pub end_time_unix_nano: u64,
    /// Attributes, keys unique.
    #[prost(message, repeated, tag = "9")]
    pub attributes: Vec<KeyValue>,
    /// Attributes that the producer discarded.
    #[prost(uint32, tag = "10")]
    pub dropped_attributes_count: u32,
    /// Events.
    #[prost(message, repeated, tag = "11")]
    pub events: Vec<Event>,
    /// Events that the producer discarded.
    #[prost(uint32, tag = "12")]
    pub dropped_events_count: u32,
    /// Links.
    #[prost(message, repeated, tag = "13")]
    pub links: Vec<Link>,
    /// Links that the producer discarded.
    #[prost(uint32, tag = "14")]
    pub dropped_links_count: u32,
    /// Status; absent is the same as unset.
    #[prost(message, optional, tag = "15")]
    pub status: Option<Status>,
}

/// Something that happened at a point in time during a span. `Span.Event` in the protocol.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// When, ns since the epoch.
    #[prost(fixed64, tag = "1")]
    pub time_unix_nano: u64,
    /// Name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Attributes, keys unique.
    #[prost(message, repeated, tag = "3")]
    pub attributes: Vec<KeyValue>,
    /// Attributes that the producer discarded.
    #[prost(uint32, tag = "4")]
    pub dropped_attributes_count: u32,
}

/// A pointer to another span. `Span.Link` in the protocol.
#[derive(Clone, PartialEq, Message)]
pub struct Link {
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub trace_id: Vec<u8>,
    /// 8 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub span_id: Vec<u8>,
    /// W3C `tracestate` of the linked span.
    #[prost(string, tag = "3")]
    pub trace_state: String,
    /// Attributes, keys unique.
    #[prost(message, repeated, tag = "4")]
    pub attributes: Vec<KeyValue>,
    /// Attributes that the producer discarded.
    #[prost(uint32, tag = "5")]
    pub dropped_attributes_count: u32,
    /// As [`Span::flags`].
    #[prost(fixed32, tag = "6")]
    pub flags: u32,
}

/// How a span ended.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Status {
    /// For a developer; only with an error.
    #[prost(string, tag = "2")]
    pub message: String,
    /// A [`StatusCode`], or a number that we do not know.
    #[prost(enumeration = "StatusCode", tag = "3")]
    pub code: i32,
}

/// `Span.SpanKind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub enum SpanKind {
    /// Not said; read it as internal.
    Unspecified = 0,
    /// Within an application.
    Internal = 1,
    /// Answers a remote call.
    Server = 2,
    /// Makes a remote call.
    Client = 3,
    /// Puts a message into a queue.
    Producer = 4,
    /// Takes a message out of a queue.
    Consumer = 5,
}

/// `Status.StatusCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub enum StatusCode {
    /// Nobody said.
    Unset = 0,
    /// A developer said that all is well.
    Ok = 1,
    /// It failed.
    Error = 2,
}

/// An attribute.
#[derive(Clone, PartialEq, Message)]
pub struct KeyValue {
    /// Key.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Value; absent is the same as empty.
    #[prost(message, optional, tag = "2")]
    pub value: Option<AnyValue>,
}

/// Value of an attribute; without a [`Value`] it is empty.
#[derive(Clone, PartialEq, Message)]
pub struct AnyValue {
    /// The value.
    #[prost(oneof = "Value", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub value: Option<Value>,
}

/// `AnyValue.value`.
#[derive(Clone, PartialEq, Oneof)]
pub enum Value {
    /// Text.
    #[prost(string, tag = "1")]
    StringValue(String),
    /// True or false.
    #[prost(bool, tag = "2")]
    BoolValue(bool),
    /// Integer.
    #[prost(int64, tag = "3")]
    IntValue(i64),
    /// Floating point.
    #[prost(double, tag = "4")]
    DoubleValue(f64),
    /// List.
    #[prost(message, tag = "5")]
    ArrayValue(ArrayValue),
    /// Map.
    #[prost(message, tag = "6")]
    KvlistValue(KeyValueList),
    /// Bytes.
    #[prost(bytes = "vec", tag = "7")]
    BytesValue(Vec<u8>),
}

/// A list of values.
#[derive(Clone, PartialEq, Message)]
pub struct ArrayValue {
    /// The items.
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<AnyValue>,
}

/// A map of values.
#[derive(Clone, PartialEq, Message)]
pub struct KeyValueList {
    /// The entries, keys unique.
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<KeyValue>,
}

/// `google.rpc.Status`: the body of an OTLP/HTTP error, and gRPC's `grpc-status-details-bin`.
#[derive(Clone, PartialEq, Message)]
pub struct RpcStatus {
    /// gRPC status code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// For a developer, in English.
    #[prost(string, tag = "2")]
    pub message: String,
    /// Messages with more detail, e.g. `google.rpc.RetryInfo`.
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<RpcDetail>,
}

/// `google.protobuf.Any`, as `google.rpc.Status` carries it.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct RpcDetail {
    /// URL whose last segment is the full name of the message.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The message, encoded.
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}
