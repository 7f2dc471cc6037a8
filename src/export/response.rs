//! The meaning of an answer: whether the batch was accepted, may be retried, or is too large. OTLP's rules for HTTP and for gRPC.

use crate::json;
use crate::otlp::{PartialSuccess, proto};
use bumpalo::Bump;
use prost::Message;

/// How to proceed after a response (OTLP specification, "Failures").
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    Taken,
    /// It may be sent again, after this time in ms at the earliest.
    Again(Option<f64>),
    TooLarge,
    /// Refused permanently, possibly because of one of its spans: parts of it may be accepted.
    Invalid,
    /// Refused permanently, whatever its content.
    Refused,
}

/// `status` is that of HTTP or, below 100, of gRPC, whose `body` is then its `grpc-status-details-bin`.
pub fn verdict(status: u16, retry_after: Option<f64>, body: &[u8]) -> Verdict {
    match status {
        0 | 200..=299 => Verdict::Taken,
        429 | 502..=504 => Verdict::Again(retry_after),
        // CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS
        1 | 4 | 10 | 11 | 14 | 15 => Verdict::Again(retry_info(body)),
        // RESOURCE_EXHAUSTED: without a RetryInfo the server does not expect to recover, so the message was too large.
        8 => retry_info(body).map_or(Verdict::TooLarge, |delay| Verdict::Again(Some(delay))),
        413 => Verdict::TooLarge,
        // UNKNOWN, INVALID_ARGUMENT, INTERNAL: the answers of servers that cannot decode a message or fail because of it.
        400 | 422 | 500 | 2 | 3 | 13 => Verdict::Invalid,
        _ => Verdict::Refused,
    }
}

/// The delay, in ms, of the `google.rpc.RetryInfo` in the details of a `google.rpc.Status`.
fn retry_info(status: &[u8]) -> Option<f64> {
    let details = proto::Status::decode(status).ok()?.details;
    let detail = details.iter().find(|detail| detail.type_url.ends_with(b"/google.rpc.RetryInfo"))?;
    let delay = proto::RetryInfo::decode(&detail.value[..]).ok()?.retry_delay.unwrap_or_default();
    Some((delay.seconds as f64 * 1e3 + f64::from(delay.nanos) / 1e6).max(0.0))
}

/// The partial success in an `ExportTraceServiceResponse`, protobuf or JSON. A body that is neither (HTML, nothing) has none.
pub fn partial_success(body: &[u8]) -> Option<PartialSuccess> {
    let (rejected, message) = if body.first() == Some(&b'{') {
        let arena = Bump::new();
        let partial = json::parse(body, &arena)?.any(&["partialSuccess", "partial_success"])?;
        let rejected = partial.any(&["rejectedSpans", "rejected_spans"]).and_then(|n| n.as_i64());
        let message = partial.any(&["errorMessage", "error_message"]).and_then(|m| m.text(&arena));
        (rejected.unwrap_or(0), message.unwrap_or_default().to_vec())
    } else {
        let partial = proto::ExportResponse::decode(body).ok()?.partial_success?;
        (partial.rejected_spans, partial.error_message)
    };
    let rejected = u64::try_from(rejected).unwrap_or(0);
    let message = String::from_utf8_lossy(&message).into_owned();
    // Some servers send an empty partial success to confirm that everything was accepted.
    (rejected > 0 || !message.is_empty()).then_some(PartialSuccess { rejected, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
    use prost::Message;

    #[test]
    fn statuses_are_read_as_otlp_says() {
        for status in [200, 202, 204, 0] {
            assert_eq!(verdict(status, None, b""), Verdict::Taken, "{status}");
        }
        for status in [429, 502, 503, 504, 1, 4, 10, 11, 14, 15] {
            assert!(matches!(verdict(status, None, b""), Verdict::Again(_)), "{status}");
        }
        for status in [400, 422, 500, 2, 3, 13] {
            assert_eq!(verdict(status, None, b""), Verdict::Invalid, "{status}");
        }
        for status in [301, 401, 403, 404, 408, 501, 5, 6, 7, 9, 12, 16] {
            assert_eq!(verdict(status, None, b""), Verdict::Refused, "{status}");
        }
        assert_eq!(verdict(413, None, b""), Verdict::TooLarge);
        assert_eq!(verdict(503, Some(7.0), b""), Verdict::Again(Some(7.0)));
    }

    #[test]
    fn exhausted_with_retry_info_may_recover_without_it_is_too_large() {
        // Status { code: 8, details: [RetryInfo { retry_delay: 1.5 s }] }, as Python's googleapis-common-protos writes it.
        let status = b"\x08\x08\x1a6\n(type.googleapis.com/google.rpc.RetryInfo\x12\n\n\x08\x08\x01\x10\x80\xca\xb5\xee\x01";
        assert_eq!(verdict(8, None, b""), Verdict::TooLarge);
        assert_eq!(verdict(8, None, status), Verdict::Again(Some(1500.0)));
        assert_eq!(verdict(14, None, status), Verdict::Again(Some(1500.0)));
    }

    #[test]
    fn a_partial_success_is_read_from_protobuf_and_json() {
        let of = |rejected, message: &str| Some(PartialSuccess { rejected, message: message.to_owned() });
        for (rejected_spans, read) in [(2, 2), (300, 300), (-3, 0)] {
            let partial_success = Some(ExportTracePartialSuccess { rejected_spans, error_message: "bad".into() });
            assert_eq!(super::partial_success(&ExportTraceServiceResponse { partial_success }.encode_to_vec()), of(read, "bad"));
        }
        assert_eq!(partial_success(br#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"b\"ad"}}"#), of(2, "b\"ad"));
        assert_eq!(partial_success(br#"{"partialSuccess":{"rejectedSpans":2}}"#), of(2, ""));
        assert_eq!(partial_success(b"\x0a\x06\x12\x04slow"), of(0, "slow"));
        for none in [&b""[..], b"\x0a\x00", b"{}", br#"{"partialSuccess":{}}"#, b"<html>", b"\xff\xff", b"{"] {
            assert_eq!(partial_success(none), None, "{none:?}");
        }
    }
}
