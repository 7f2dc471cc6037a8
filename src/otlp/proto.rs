//! The messages that backends answer with, read by prost: they are small and rare. Spans are read and written by `read.rs` and `write.rs`.

use prost::Message;

/// `ExportTraceServiceResponse` of OTLP.
#[derive(Message)]
pub struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    pub partial_success: Option<ExportPartialSuccess>,
}

/// `ExportTracePartialSuccess` of OTLP.
#[derive(Message)]
pub struct ExportPartialSuccess {
    #[prost(int64, tag = "1")]
    pub rejected_spans: i64,
    /// Text; as bytes, so that one that is not UTF-8 does not cost the count.
    #[prost(bytes = "vec", tag = "2")]
    pub error_message: Vec<u8>,
}

/// `google.rpc.Status`, without its code and message.
#[derive(Message)]
pub struct Status {
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Message)]
pub struct Any {
    #[prost(bytes = "vec", tag = "1")]
    pub type_url: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Message)]
pub struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub retry_delay: Option<Duration>,
}

/// `google.protobuf.Duration`.
#[derive(Message)]
pub struct Duration {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}
