//! A body as somebody sent it: its format, and what of it nobody would take.

use crate::config::Format;
use crate::error::Error;
use crate::otlp::PartialSuccess;
use crate::otlp::check::{self, Refusals};
use crate::otlp::json;
use crate::otlp::read;
use std::borrow::Cow;

/// What begins like both formats and has more pieces than that is protobuf: a JSON text does not read so far as one.
const MAX_PIECES: usize = 10_000;

/// JSON is told by its brace. A protobuf body begins with 0x0a, which is also a line feed, and its first length may be
/// 0x7b, which is also a brace: what reads as protobuf is protobuf.
fn looks_like_json(body: &[u8]) -> bool {
    let brace = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start().starts_with(b"{");
    brace && (body.first() != Some(&0x0a) || read::request(body, MAX_PIECES).is_err_and(|error| !error.is_too_large()))
}

/// The format of a body.
pub fn format_of(body: &[u8]) -> Format {
    if looks_like_json(body) { Format::Json } else { Format::Protobuf }
}

/// The error of a body that unpacks into more than so many bytes.
pub fn too_large(limit: usize) -> Error {
    Error::LimitExceeded { what: "bytes of memory for what is in one request; send it in smaller ones", limit }
}

/// What of a body is taken.
pub struct Admitted<'b> {
    /// It, as protobuf.
    pub body: Cow<'b, [u8]>,
    /// The spans that are left out.
    pub partial_success: Option<PartialSuccess>,
    /// How many of its words are in no enum.
    pub unknown_words: u64,
}

/// The body as protobuf without anything that a backend would refuse, and the spans that are left out for that. `format` becomes that of the
/// body. Refused as a whole is one that unpacks into more than `most` bytes.
pub fn admitted<'b>(body: &'b [u8], format: &mut Format, most: usize) -> Result<Admitted<'b>, Error> {
    if *format == Format::Auto {
        *format = format_of(body);
    }
    let (body, refusals) = match format {
        Format::Json => {
            let admitted = json::admitted(body, most).map(|(body, refusals)| (Cow::Owned(body), refusals));
            admitted.map_err(|error| if error.is_too_large() { too_large(most) } else { Error::Json(error) })?
        }
        _ => check::admitted(body, most).map_err(|error| if error.is_too_large() { too_large(most) } else { Error::Protobuf(error) })?,
    };
    if refusals.refused == 0 {
        return Ok(Admitted { body, partial_success: None, unknown_words: refusals.unknown_words });
    }
    let Refusals { spans, refused: rejected, why, unknown_words } = refusals;
    let partial = PartialSuccess { rejected, message: format!("{rejected} of {spans} spans refused; the first: {why}") };
    if rejected < spans { Ok(Admitted { body, partial_success: Some(partial), unknown_words }) } else { Err(Error::Refused(partial)) }
}
