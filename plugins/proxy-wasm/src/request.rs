//! One request: whether it carries OTLP traces, how its body is packed, and the rewritten body. Independent of the host.

use crate::coding::Coding;
use genspan::Pipeline;
use genspan::internals::protobuf::push_varint;
use std::borrow::Cow;

const HTTP_PATH: &str = "/v1/traces";
/// The path of OTLP/gRPC's only method for traces.
pub const GRPC_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// The size of flag and length before a gRPC message.
const GRPC_HEAD: usize = 5;

/// The format of the body of an OTLP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// gRPC frames around the messages.
    pub grpc: bool,
    /// OTLP JSON.
    pub json: bool,
    /// The coding of the body or, if its flag is set, of the frame.
    pub coding: Coding,
}

/// Why a request is forwarded unchanged, or refused if it must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It cannot be read as OTLP.
    Malformed,
    /// Its compression or type is unknown, or its credentials are not text.
    Unsupported,
    /// It is larger than `maxBodyBytes`, packed or unpacked, or has more resources or scopes than can be distinguished.
    Oversized,
    /// All requests together hold more than `maxBufferedBytes`, or spans of more resources than can be distinguished are waiting.
    Overload,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Reason; 4] = [Reason::Malformed, Reason::Unsupported, Reason::Oversized, Reason::Overload];

    /// Its name in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Malformed => "malformed",
            Reason::Unsupported => "unsupported",
            Reason::Oversized => "oversized",
            Reason::Overload => "overload",
        }
    }

    /// The statuses of HTTP and of gRPC for a request that is refused.
    pub fn statuses(self) -> (u32, u8) {
        match self {
            Reason::Malformed => (400, 3),
            Reason::Unsupported => (415, 12),
            Reason::Oversized => (413, 8),
            Reason::Overload => (503, 14),
        }
    }

    /// The fix for its sender.
    pub fn advice(self) -> &'static str {
        match self {
            Reason::Malformed => "the request is no OTLP that can be read",
            Reason::Unsupported => {
                "content-type, coding or credentials of the request are not known here; send application/x-protobuf or \
                 application/json, plain or with gzip, deflate or zstd"
            }
            Reason::Oversized => "the request is larger than maxBodyBytes; send smaller batches",
            Reason::Overload => "the proxy holds too many requests; send it again later",
        }
    }

    /// The reason as the body of an HTTP answer: a `google.rpc.Status`, in JSON or as protobuf.
    pub fn status(self, json: bool) -> Vec<u8> {
        let (code, message) = (self.statuses().1, self.advice());
        if json {
            return format!("{{\"code\":{code},\"message\":\"{message}\"}}").into_bytes();
        }
        let mut out = vec![8, code, 18];
        push_varint(&mut out, message.len() as u64);
        out.extend_from_slice(message.as_bytes());
        out
    }
}

impl Request {
    /// Returns true if a path is one for OTLP traces.
    pub fn may_be_at(path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        path == GRPC_PATH || path.ends_with(HTTP_PATH)
    }

    /// Returns true if it is the path of a gRPC call.
    pub fn is_grpc(path: &str) -> bool {
        path.split('?').next() == Some(GRPC_PATH)
    }

    /// Classifies a request by its headers; `None` if it carries no OTLP traces. `header` returns the value of a header.
    pub fn of<'h>(method: &str, path: &str, header: impl Fn(&str) -> Option<&'h str>) -> Option<Result<Self, Reason>> {
        if method != "POST" || !Self::may_be_at(path) {
            return None;
        }
        let grpc = Self::is_grpc(path);
        let media_type = header("content-type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let json = media_type == "application/json";
        let known = if grpc { media_type.starts_with("application/grpc") } else { json || media_type == "application/x-protobuf" };
        let coding = Coding::of(header(if grpc { "grpc-encoding" } else { "content-encoding" }).unwrap_or_default());
        Some(coding.filter(|_| known).map(|coding| Request { grpc, json, coding }).ok_or(Reason::Unsupported))
    }

    /// The length of the whole body, if the part received so far determines it: the single frame of a unary call does.
    pub fn length(self, body: &[u8]) -> Option<usize> {
        let length = body.get(1..GRPC_HEAD).filter(|_| self.grpc)?;
        Some(u32::from_be_bytes(length.try_into().ok()?) as usize + GRPC_HEAD)
    }

    /// The content type of such a body.
    pub fn media_type(self) -> &'static str {
        match (self.grpc, self.json) {
            (true, _) => "application/grpc",
            (false, true) => "application/json",
            (false, false) => "application/x-protobuf",
        }
    }

    /// Returns the body with its spans normalised, in the same coding; borrowed if nothing changed. An error leaves the pipeline unchanged. `limit`
    /// is the maximum unpacked size; `peer` is the sender's address; `now` is in ms.
    pub fn rewrite<'b>(
        self,
        body: &'b [u8],
        pipeline: &mut Pipeline,
        peer: Option<&str>,
        limit: usize,
        now: f64,
    ) -> Result<Cow<'b, [u8]>, Reason> {
        let (packed, message) = if self.grpc {
            let [flag, message] = frame(body)?;
            if flag != [0] && !(flag == [1] && self.coding != Coding::Plain) {
                return Err(Reason::Unsupported);
            }
            (flag == [1], message)
        } else {
            (self.coding != Coding::Plain, body)
        };
        let plain = if packed { Some(self.coding.unpack(message, limit)?) } else { None };
        let out = pipeline.rewrite(plain.as_deref().unwrap_or(message), peer, now).map_err(|error| match error {
            genspan::Error::Busy(_) => Reason::Overload,
            genspan::Error::LimitExceeded { .. } => Reason::Oversized,
            _ => Reason::Malformed,
        })?;
        let Cow::Owned(mut out) = out else { return Ok(Cow::Borrowed(body)) };
        if self.json {
            out = genspan::internals::otlp::json::from_protobuf(&out).map_err(|_| Reason::Malformed)?;
        }
        if packed {
            out = self.coding.pack(&out);
        }
        Ok(Cow::Owned(if self.grpc { framed(packed, &out) } else { out }))
    }

    /// A message as the body of a call by the plugin, in the same coding.
    pub fn wrap(self, message: &[u8]) -> Vec<u8> {
        let packed = self.coding.pack(message);
        if self.grpc { framed(self.coding != Coding::Plain, &packed) } else { packed }
    }
}

/// The single frame of a unary call.
fn framed(packed: bool, message: &[u8]) -> Vec<u8> {
    [&[u8::from(packed)], &(message.len() as u32).to_be_bytes()[..], message].concat()
}

/// Flag and message of the single frame of a unary call.
fn frame(body: &[u8]) -> Result<[&[u8]; 2], Reason> {
    let (head, message) = body.split_at_checked(GRPC_HEAD).ok_or(Reason::Malformed)?;
    let (flag, length) = head.split_at_checked(1).ok_or(Reason::Malformed)?;
    let length = u32::from_be_bytes(length.try_into().map_err(|_| Reason::Malformed)?);
    if length as usize == message.len() { Ok([flag, message]) } else { Err(Reason::Malformed) }
}
