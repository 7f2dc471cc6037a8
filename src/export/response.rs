//! What a backend's answer says of a batch that it took.

use crate::otlp::proto::ExportTraceServiceResponse;
use prost::Message;

/// How many spans a partial success rejects. A body that is not one (JSON, HTML, nothing) rejects none.
pub fn rejected_spans(body: &[u8]) -> u64 {
    let response = ExportTraceServiceResponse::decode(body).unwrap_or_default();
    response.partial_success.map_or(0, |p| u64::try_from(p.rejected_spans).unwrap_or(0))
}
