//! One request: whether it carries OTLP traces, how its body is packed, and the body rewritten. No host is known here.

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use genspan::Pipeline;
use std::borrow::Cow;
use std::io::{Read, Write};

const HTTP_PATH: &str = "/v1/traces";
/// The path of OTLP/gRPC's one call.
pub const GRPC_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// Flag and length before a gRPC message.
const GRPC_HEAD: usize = 5;

/// How the body of an OTLP request is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// gRPC frames around the messages.
    pub grpc: bool,
    /// OTLP JSON.
    pub json: bool,
    /// The body, or each frame that says so, is packed with gzip.
    pub gzip: bool,
}

/// Why a request passes as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It cannot be read as OTLP.
    Malformed,
    /// It is packed in a way, or of a type, that is not known.
    Unsupported,
    /// It is larger than `maxBodyBytes`, packed or unpacked, or has more resources or scopes than can be told apart.
    Oversized,
    /// All requests together hold more than `maxBufferedBytes`, or spans wait of more resources than can be told apart.
    Overload,
}

impl Reason {
    /// All of them.
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
}

impl Request {
    /// Does a path carry OTLP traces?
    pub fn may_be_at(path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        path == GRPC_PATH || path.ends_with(HTTP_PATH)
    }

    /// What a request's head tells of it; `None`: it carries no OTLP traces. `header` gives the value of a header.
    pub fn of<'h>(method: &str, path: &str, header: impl Fn(&str) -> Option<&'h str>) -> Option<Result<Self, Reason>> {
        if method != "POST" || !Self::may_be_at(path) {
            return None;
        }
        let grpc = path.split('?').next() == Some(GRPC_PATH);
        let media_type = header("content-type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let json = media_type == "application/json";
        let known = if grpc { media_type.starts_with("application/grpc") } else { json || media_type == "application/x-protobuf" };
        let encoding = header(if grpc { "grpc-encoding" } else { "content-encoding" }).unwrap_or_default();
        let gzip = encoding == "gzip";
        // Trailers would come when the body is gone already.
        let supported = known && (gzip || encoding.is_empty() || encoding == "identity") && header("trailer").is_none();
        Some(if supported { Ok(Request { grpc, json, gzip }) } else { Err(Reason::Unsupported) })
    }

    /// The content type of such a body.
    pub fn media_type(self) -> &'static str {
        match (self.grpc, self.json) {
            (true, _) => "application/grpc",
            (false, true) => "application/json",
            (false, false) => "application/x-protobuf",
        }
    }

    /// The body with its spans normalised, packed as it came; borrowed: nothing is different. An error leaves the pipeline as it was. `limit`
    /// bounds what it may unpack to; `peer` is the address that it came from; `now` is in ms.
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
            if flag != [0] && !(flag == [1] && self.gzip) {
                return Err(Reason::Unsupported);
            }
            (flag == [1], message)
        } else {
            (self.gzip, body)
        };
        let plain = if packed { Some(unpack(message, limit)?) } else { None };
        let out = pipeline.rewrite(plain.as_deref().unwrap_or(message), peer, now).map_err(|error| match error {
            genspan::Error::Busy(_) => Reason::Overload,
            genspan::Error::LimitExceeded { .. } => Reason::Oversized,
            _ => Reason::Malformed,
        })?;
        let Cow::Owned(mut out) = out else { return Ok(Cow::Borrowed(body)) };
        if self.json {
            out = genspan::otlp::json::from_protobuf(&out).map_err(|_| Reason::Malformed)?;
        }
        if packed {
            out = pack(&out);
        }
        Ok(Cow::Owned(if self.grpc { framed(packed, &out) } else { out }))
    }

    /// A message as the body of a call of our own, packed in the same way.
    pub fn wrap(self, message: &[u8]) -> Vec<u8> {
        let packed = if self.gzip { pack(message) } else { message.to_vec() };
        if self.grpc { framed(self.gzip, &packed) } else { packed }
    }
}

/// The one frame of a unary call.
fn framed(packed: bool, message: &[u8]) -> Vec<u8> {
    [&[u8::from(packed)], &(message.len() as u32).to_be_bytes()[..], message].concat()
}

/// Flag and message of the one frame of a unary call.
fn frame(body: &[u8]) -> Result<[&[u8]; 2], Reason> {
    let (head, message) = body.split_at_checked(GRPC_HEAD).ok_or(Reason::Malformed)?;
    let (flag, length) = head.split_at_checked(1).ok_or(Reason::Malformed)?;
    let length = u32::from_be_bytes(length.try_into().map_err(|_| Reason::Malformed)?);
    if length as usize == message.len() { Ok([flag, message]) } else { Err(Reason::Malformed) }
}

fn unpack(packed: &[u8], limit: usize) -> Result<Vec<u8>, Reason> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(packed).take(limit as u64 + 1).read_to_end(&mut plain).map_err(|_| Reason::Malformed)?;
    if plain.len() > limit { Err(Reason::Oversized) } else { Ok(plain) }
}

fn pack(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // A vector takes all that is written to it.
    let written = encoder.write_all(plain);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}
