//! Media in base64: its positions in a text, and the descriptor that replaces it.

use super::settings::Media;
use crate::json::{self, Json};
use crate::text::{self, Out, base64::Decoder, position};
use bumpalo::Bump;
use sha2::{Digest, Sha256};

const MARK: &[u8] = b";base64,";
/// Media with at least this many characters is large.
const LARGE: usize = 4096;
/// Shorter text next to a media type may be a word.
const SHORT: usize = 32;
/// The maximum length of a media type with its parameters.
const HEAD: usize = 256;

/// Members that contain the media type of their siblings.
pub const TYPES: &[&str] = &["mime_type", "mimeType", "media_type", "mediaType", "contentType", "format"];
/// Members that contain base64 and have such a sibling.
const DATA: &[&str] = &["content", "data", "bytes", "base64", "file_data", "image", "audio", "blob", "file"];

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}

/// A `data:` URL in a text.
pub struct DataUrl<'a> {
    pub whole: &'a [u8],
    /// Its media type as the source wrote it.
    pub kind: &'a [u8],
    pub base64: &'a [u8],
}

impl Media {
    fn takes(self, base64: &[u8]) -> bool {
        match self {
            Media::Keep => false,
            Media::Large => base64.len() >= LARGE,
            Media::Describe => !base64.is_empty(),
        }
    }

    /// Returns false if these bytes certainly contain none. Cheap: large media is found by samples.
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
            Media::Describe => [MARK, b"blob", b"mime", b"media", b"contentType", b"format"].iter().any(|w| position(bytes, w).is_some()),
        }
    }

    /// The next `data:` URL from `from` on.
    pub fn data_url(self, text: &[u8], from: usize) -> Option<DataUrl<'_>> {
        let mut at = from;
        loop {
            let mark = at + position(text.get(at..)?, MARK)?;
            let head = &text[mark.saturating_sub(HEAD).max(from)..mark];
            at = mark + MARK.len();
            let base64 = run(&text[at..]);
            if let Some(data) = last(head, b"data:").filter(|_| self.takes(base64)) {
                let kind = &head[data + 5..];
                let kind = &kind[..memchr::memchr(b';', kind).unwrap_or(kind.len())];
                return Some(DataUrl { whole: &text[mark - head.len() + data..at + base64.len()], kind, base64 });
            }
        }
    }

    /// The base64 in a member of a JSON object, if there is enough of it; `of_blob`: the object declares that it contains some.
    pub fn member<'a>(self, name: &[u8], value: Json<'a>, of_blob: bool) -> Option<&'a [u8]> {
        let base64 = value.word().filter(|_| text::any(name, DATA))?;
        let is_media = self.takes(base64) && (of_blob || base64.len() >= SHORT) && run(base64).len() == base64.len();
        is_media.then_some(base64)
    }
}

/// The last position of `word`.
fn last(text: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memrchr_iter(word[0], text).find(|at| text[*at..].starts_with(word))
}

/// The base64 at the beginning of a text, including escaped slashes.
#[inline(never)]
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

/// The media type, safe to show.
pub fn type_of(kind: &[u8]) -> &str {
    let is_type = !kind.is_empty() && kind.len() <= 80 && kind.iter().all(|b| b.is_ascii_alphanumeric() || b"/+.-".contains(b));
    std::str::from_utf8(kind).ok().filter(|_| is_type).unwrap_or("media")
}

/// `[image/png 290 KB sha256:0123456789abcdef…]`: size and hash are those of the decoded bytes.
pub fn descriptor<'a>(kind: &[u8], base64: &[u8], arena: &'a Bump) -> &'a [u8] {
    let mut bytes = Out::with_capacity_in(base64.len(), arena);
    let mut decoder = Decoder::default();
    for digit in base64 {
        decoder.take(*digit, &mut |byte| bytes.push(byte));
    }
    let (size, unit) = match bytes.len() {
        size @ 0..1024 => (size.to_string(), " B"),
        size @ 1024..1_048_576 => (((size + 512) / 1024).to_string(), " KB"),
        size => (format!("{}.{}", size >> 20, ((size & 0xf_ffff) * 10) >> 20), " MB"),
    };
    let mut out = Out::new_in(arena);
    for piece in ["[", type_of(kind), " ", &size, unit, " sha256:"] {
        out.extend_from_slice_copy(piece.as_bytes());
    }
    for byte in &Sha256::digest(&bytes)[..8] {
        json::push_hex(*byte, &mut out);
    }
    out.extend_from_slice_copy("…]".as_bytes());
    out.into_bump_slice()
}

/// If the text, cut here, would end inside a descriptor or a `data:` URL, returns the start of that.
pub fn begins_before(text: &[u8], cut: usize) -> Option<usize> {
    let near = cut.saturating_sub(160);
    if let Some(at) = memchr::memrchr(b'[', &text[near..cut]).map(|at| near + at) {
        let whole = &text[at..text.len().min(at + 160)];
        let end = position(whole, "…]".as_bytes()).filter(|_| position(whole, b" sha256:").is_some());
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
        Media::Describe.data_url(text.as_bytes(), 0).map(|found| {
            let arena = Bump::new();
            String::from_utf8(descriptor(found.kind, found.base64, &arena).to_vec()).unwrap()
        })
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
