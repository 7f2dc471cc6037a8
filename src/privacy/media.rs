//! Media in base64: where they stand in a text, and the descriptor that stands in their place.

use super::settings::Media;
use crate::json::Json;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::ops::Range;

const MARK: &[u8] = b";base64,";
/// From this many characters on it is large.
const LARGE: usize = 4096;
/// Below this, what stands beside a media type may be a word.
const SHORT: usize = 32;
/// A media type with its parameters is not longer.
const HEAD: usize = 256;

/// Members that say the media type of what stands beside them.
const TYPES: &[&str] = &["mime_type", "mimeType", "media_type", "mediaType", "contentType", "format"];
/// Members that hold base64 beside such a type.
const DATA: &[&str] = &["content", "data", "bytes", "base64", "file_data", "image", "audio", "blob", "file"];

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}

/// Something in base64, in a text.
pub struct Found<'a> {
    /// Where it stands, what goes with it included.
    pub range: Range<usize>,
    /// Its media type as the source has it.
    pub kind: &'a [u8],
    /// Its base64.
    pub base64: &'a [u8],
    /// It is a part of a message, `{"type":"blob",…}`: a part has to stand in its place.
    pub is_part: bool,
}

impl Media {
    fn takes(self, base64: &[u8]) -> bool {
        match self {
            Media::Keep => false,
            Media::Large => base64.len() >= LARGE,
            Media::Describe => !base64.is_empty(),
        }
    }

    /// May there be some in these bytes? Cheap: what is large is found by samples.
    pub fn may_be_in(self, bytes: &[u8]) -> bool {
        const STEP: usize = LARGE / 4;
        const SAMPLE: usize = 32;
        match self {
            Media::Keep => false,
            // Some sources escape the slashes in JSON.
            Media::Large => {
                let mut samples = bytes.chunks_exact(STEP).map(|chunk| &chunk[..SAMPLE]);
                samples.any(|sample| sample.iter().all(|b| is_digit(*b) || *b == b'\\'))
            }
            Media::Describe => {
                memchr::memmem::find(bytes, MARK).is_some()
                    || [&b"blob"[..], b"mime", b"edia", b"contentType", b"format"].iter().any(|w| memchr::memmem::find(bytes, w).is_some())
            }
        }
    }

    /// The next `data:` URL at `from` or behind it.
    pub fn data_url(self, text: &[u8], from: usize) -> Option<Found<'_>> {
        let mut at = from;
        loop {
            at += memchr::memmem::find(text.get(at..)?, MARK)?;
            let head = &text[at.saturating_sub(HEAD).max(from)..at];
            let start = last(head, b"data:").map(|data| at - head.len() + data);
            at += MARK.len();
            let base64 = run(&text[at..]);
            if let Some(start) = start.filter(|_| self.takes(base64)) {
                let kind = &text[start + 5..at - MARK.len()];
                let kind = kind.split(|b| *b == b';').next().unwrap_or_default();
                return Some(Found { range: start..at + base64.len(), kind, base64, is_part: false });
            }
        }
    }

    /// Members of a JSON text that are base64 by what stands beside them, in order.
    pub fn members<'a>(self, text: &'a [u8], j: Json<'a>, found: &mut Vec<Found<'a>>) {
        if j.is_object() {
            let kind = j.any(TYPES).and_then(|kind| kind.word());
            let is_part = j.get("type").is_some_and(|t| t.is("blob"));
            for (name, value) in j.entries() {
                let base64 = value.word().filter(|_| (kind.is_some() || is_part) && DATA.iter().any(|data| data.as_bytes() == name));
                let is_media =
                    |base64: &&[u8]| self.takes(base64) && (is_part || base64.len() >= SHORT) && run(base64).len() == base64.len();
                let Some(base64) = base64.filter(is_media) else {
                    self.members(text, value, found);
                    continue;
                };
                let range = if is_part { range_of(text, j.source()) } else { range_of(text, base64) };
                found.push(Found { range, kind: kind.unwrap_or_default(), base64, is_part });
                if is_part {
                    return;
                }
            }
        }
        j.items().for_each(|item| self.members(text, item, found));
    }
}

/// Where `word` stands last.
fn last(text: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memrchr_iter(word[0], text).find(|at| text[*at..].starts_with(word))
}

/// The base64 that a text begins with, escaped slashes included.
fn run(text: &[u8]) -> &[u8] {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if text.get(at + 1) == Some(&b'/') => at += 2,
            byte if is_digit(*byte) => at += 1,
            _ => break,
        }
    }
    &text[..at]
}

fn range_of(text: &[u8], slice: &[u8]) -> Range<usize> {
    let start = (slice.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + slice.len()
}

/// The media type, fit to be shown.
pub fn type_of(kind: &[u8]) -> &str {
    let is_type =
        |text: &&str| !text.is_empty() && text.len() <= 80 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+.-".contains(&b));
    std::str::from_utf8(kind).ok().filter(is_type).unwrap_or("media")
}

/// `[image/png 290 KB sha256:0123456789abcdef…]`: the size and the hash are those of the bytes, not of their base64.
pub fn descriptor(found: &Found) -> String {
    let mut hash = Sha256::new();
    let mut size = 0u64;
    let mut block = [0; 3 * 256];
    let mut filled = 0;
    let (mut bits, mut sextets) = (0u32, 0);
    for byte in found.base64 {
        let sextet = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(sextet);
        sextets += 1;
        if sextets == 4 {
            block[filled..filled + 3].copy_from_slice(&bits.to_be_bytes()[1..]);
            filled += 3;
            (bits, sextets) = (0, 0);
            if filled == block.len() {
                hash.update(block);
                size += filled as u64;
                filled = 0;
            }
        }
    }
    let rest = [0, 0, 1, 2][sextets];
    block[filled..filled + rest].copy_from_slice(&(bits << (6 * (4 - sextets))).to_be_bytes()[1..=rest]);
    filled += rest;
    hash.update(&block[..filled]);
    size += filled as u64;
    let mut out = format!("[{} ", type_of(found.kind));
    // Writing to a string does not fail.
    let _ = match size {
        0..1024 => write!(out, "{size} B"),
        1024..1_048_576 => write!(out, "{} KB", (size + 512) / 1024),
        _ => write!(out, "{}.{} MB", size >> 20, ((size & 0xf_ffff) * 10) >> 20),
    };
    out.push_str(" sha256:");
    hash.finalize().iter().take(8).for_each(|byte| {
        let _ = write!(out, "{byte:02x}");
    });
    out.push_str("…]");
    out
}

/// Does the text, cut here, end inside a descriptor or a `data:` URL? Gives where that begins.
pub fn begins_before(text: &[u8], cut: usize) -> Option<usize> {
    let head = &text[..cut];
    let near = &head[head.len().saturating_sub(160)..];
    if let Some(at) = near.iter().rposition(|b| *b == b'[').map(|at| cut - near.len() + at) {
        let whole = &text[at..text.len().min(at + 160)];
        let end = memchr::memmem::find(whole, "…]".as_bytes()).filter(|_| memchr::memmem::find(whole, b" sha256:").is_some());
        if end.is_some_and(|end| at + end + 4 > cut) {
            return Some(at);
        }
    }
    let mark = last(&text[..text.len().min(cut + HEAD)], MARK)?;
    let start = last(&text[..mark], b"data:")?;
    let end = mark + MARK.len() + run(&text[mark + MARK.len()..]).len();
    (start < cut && cut < end).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(text: &str) -> Option<String> {
        Media::Describe.data_url(text.as_bytes(), 0).map(|found| descriptor(&found))
    }

    #[test]
    fn a_data_url_is_described_by_the_bytes_in_it() {
        // printf hello | sha256sum
        assert_eq!(described("see data:image/png;base64,aGVsbG8= there").unwrap(), "[image/png 5 B sha256:2cf24dba5fb0a30e…]");
        assert_eq!(described("data:audio/wav;rate=8;base64,aGVsbG8").unwrap(), "[audio/wav 5 B sha256:2cf24dba5fb0a30e…]");
        assert_eq!(described("data:<b>;base64,aGVsbG8").unwrap(), "[media 5 B sha256:2cf24dba5fb0a30e…]");
        assert_eq!(described("data:image/png;base64,"), None);
        assert_eq!(described("no;base64,aGVsbG8="), None);
    }

    #[test]
    fn sizes() {
        let size = |bytes: usize| {
            let base64 = "A".repeat(bytes.div_ceil(3) * 4);
            described(&format!("data:a/b;base64,{base64}")).unwrap().split(" sha256").next().unwrap().to_owned()
        };
        assert_eq!(size(999), "[a/b 999 B");
        assert_eq!(size(3072), "[a/b 3 KB");
        assert_eq!(size(3 << 19), "[a/b 1.5 MB");
    }

    #[test]
    fn what_is_large_is_found_by_samples() {
        let url = format!("x{{\"url\":\"data:image/png;base64,{}\"}}", "iVBORw0KGgo\\/".repeat(400));
        assert!(Media::Large.may_be_in(url.as_bytes()));
        assert!(Media::Large.data_url(url.as_bytes(), 0).is_some());
        assert!(!Media::Large.may_be_in("some words, and 深圳 ".repeat(1000).as_bytes()));
        assert!(Media::Large.data_url(b"data:image/png;base64,aGVsbG8=", 0).is_none());
    }

    #[test]
    fn a_cut_goes_before_what_must_stay_whole() {
        let text = "ab [image/png 5 B sha256:2cf24dba5fb0a30e…] cd".as_bytes();
        assert_eq!(begins_before(text, 10), Some(3));
        assert_eq!(begins_before(text, 3), None);
        assert_eq!(begins_before(text, text.len() - 1), None);
        let text = b"ab data:a/b;base64,aGVsbG8= cd";
        assert_eq!(begins_before(text, 8), Some(3));
        assert_eq!(begins_before(text, 24), Some(3));
        assert_eq!(begins_before(text, 28), None);
    }
}
