//! What a backend answers, as prost types. Requests have a reader and a writer of their own: `read.rs` and `write.rs`.
//!
//! Names and numbers are those of opentelemetry-proto 1.x and of google.rpc.

use prost::Message;

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
