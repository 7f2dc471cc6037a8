//! The codings of bodies: their names, unpacking and packing. Unpacking always has a size limit.

use crate::request::Reason;
use flate2::Compression;
use flate2::bufread::{DeflateDecoder, ZlibDecoder};
use flate2::read::MultiGzDecoder;
use flate2::write::{GzEncoder, ZlibEncoder};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{Read, Write};

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Not compressed.
    Plain,
    /// gzip, with one or several members.
    Gzip,
    /// deflate: in zlib's envelope, as HTTP defines it, or bare, as some clients send it.
    Deflate,
    /// Zstandard, with one or several frames.
    Zstd,
}

const NAMES: &[(&str, Coding)] = &[
    ("", Coding::Plain),
    ("identity", Coding::Plain),
    ("gzip", Coding::Gzip),
    ("x-gzip", Coding::Gzip),
    ("deflate", Coding::Deflate),
    ("zstd", Coding::Zstd),
];
/// The window that zstd uses at its usual levels; less for smaller bodies.
const LEAST_WINDOW: u64 = 8 << 20;

/// Reads to the end, or to one byte more than the limit.
fn read(mut packed: impl Read, limit: usize, plain: &mut Vec<u8>) -> Result<(), Reason> {
    let most = (limit + 1).saturating_sub(plain.len()) as u64;
    packed.by_ref().take(most).read_to_end(plain).map_err(|_| Reason::Malformed)?;
    if plain.len() > limit { Err(Reason::Oversized) } else { Ok(()) }
}

impl Coding {
    /// Returns the coding with this name, in any case; `None` if it is unknown.
    pub fn of(name: &str) -> Option<Coding> {
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim())).map(|(_, coding)| *coding)
    }

    /// Its name in a header; empty for none.
    pub fn name(self) -> &'static str {
        match self {
            Coding::Plain => "",
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Zstd => "zstd",
        }
    }

    /// Unpacks a body, if the result has at most `limit` bytes. Trailing bytes are an error, because they would be forwarded unread.
    pub fn unpack(self, packed: &[u8], limit: usize) -> Result<Vec<u8>, Reason> {
        let mut plain = Vec::new();
        let mut read_bytes = packed.len() as u64;
        match self {
            Coding::Plain => plain.extend_from_slice(packed),
            Coding::Gzip => read(MultiGzDecoder::new(packed), limit, &mut plain)?,
            Coding::Deflate if is_zlib(packed) => {
                let mut decoder = ZlibDecoder::new(packed);
                read(&mut decoder, limit, &mut plain)?;
                read_bytes = decoder.total_in();
            }
            Coding::Deflate => {
                let mut decoder = DeflateDecoder::new(packed);
                read(&mut decoder, limit, &mut plain)?;
                read_bytes = decoder.total_in();
            }
            Coding::Zstd => unpack_zstd(packed, limit, &mut plain)?,
        }
        if read_bytes == packed.len() as u64 { Ok(plain) } else { Err(Reason::Malformed) }
    }

    /// Packs the body.
    pub fn pack(self, plain: &[u8]) -> Vec<u8> {
        // Writing to a vector cannot fail.
        match self {
            Coding::Plain => plain.to_vec(),
            Coding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(plain).and_then(|()| encoder.finish()).unwrap_or_default()
            }
            Coding::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(plain).and_then(|()| encoder.finish()).unwrap_or_default()
            }
            Coding::Zstd => zstd_of(plain),
        }
    }
}

/// Unpacks block by block, so that the output never exceeds the limit by much.
fn unpack_zstd(mut packed: &[u8], limit: usize, plain: &mut Vec<u8>) -> Result<(), Reason> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(LEAST_WINDOW.max(limit as u64));
    while !packed.is_empty() {
        decoder.reset(&mut packed).map_err(|_| Reason::Malformed)?;
        while !decoder.is_finished() {
            decoder.decode_blocks(&mut packed, BlockDecodingStrategy::UptoBlocks(1)).map_err(|_| Reason::Malformed)?;
            read(&mut decoder, limit, plain)?;
        }
    }
    Ok(())
}

/// A zstd frame with uncompressed blocks. Compressing code would be a twentieth of the plugin, for few senders.
fn zstd_of(plain: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 128 << 10;
    // The magic number; one segment, with its size in four bytes.
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    out.extend_from_slice(&(plain.len() as u32).to_le_bytes());
    let count = plain.len().div_ceil(BLOCK).max(1);
    for i in 1..=count {
        let rest = plain.get((i - 1) * BLOCK..).unwrap_or_default();
        let block = rest.get(..BLOCK).unwrap_or(rest);
        // Whether it is the last block, type 0, and its length.
        let head = u32::from(i == count) | (block.len() as u32) << 3;
        out.extend(head.to_le_bytes().iter().take(3).chain(block));
    }
    out
}

/// Returns true if the bytes begin like zlib's envelope: method deflate, and a checksum divisible by 31.
fn is_zlib(packed: &[u8]) -> bool {
    matches!(packed, [method, flags, ..] if method & 15 == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case() {
        for (name, coding) in [("GZIP", Coding::Gzip), ("x-gzip", Coding::Gzip), ("Deflate", Coding::Deflate), ("ZSTD", Coding::Zstd)] {
            assert_eq!(Coding::of(name), Some(coding), "{name}");
        }
        assert_eq!(["br", "snappy", "gzip, deflate"].map(Coding::of), [None; 3]);
    }

    #[test]
    fn what_is_packed_unpacks_and_nothing_may_follow_it() {
        let plain = "the same text again and again; ".repeat(20_000);
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Zstd] {
            let packed = coding.pack(plain.as_bytes());
            assert!(packed.len() < plain.len() / 10 || coding == Coding::Zstd, "{coding:?}");
            assert_eq!(coding.unpack(&packed, plain.len()).as_deref(), Ok(plain.as_bytes()), "{coding:?}");
            assert_eq!(coding.unpack(&packed, plain.len() - 1), Err(Reason::Oversized), "{coding:?}");
            assert_eq!(coding.unpack(&[&packed[..], b"and more"].concat(), plain.len()), Err(Reason::Malformed), "{coding:?}");
            assert_eq!(coding.unpack(&packed[..packed.len() / 2], plain.len()), Err(Reason::Malformed), "{coding:?}");
        }
        for coding in [Coding::Gzip, Coding::Zstd] {
            let twice = [coding.pack(b"one, "), coding.pack(b"two")].concat();
            assert_eq!(coding.unpack(&twice, 8).as_deref(), Ok(&b"one, two"[..]), "{coding:?}");
            assert_eq!(coding.unpack(&twice, 7), Err(Reason::Oversized), "{coding:?}");
        }
    }

    #[test]
    fn bodies_of_other_programs() {
        // zlib.compress(b"hello") and zlib.compressobj(wbits=-15) of Python; printf hello | zstd.
        assert_eq!(Coding::Deflate.unpack(b"\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15", 9).as_deref(), Ok(&b"hello"[..]));
        assert_eq!(Coding::Deflate.unpack(b"\xcb\x48\xcd\xc9\xc9\x07\x00", 9).as_deref(), Ok(&b"hello"[..]));
        let zstd = b"\x28\xb5\x2f\xfd\x04\x58\x29\x00\x00hello\xa3\x6d\x9f\x88";
        assert_eq!(Coding::Zstd.unpack(zstd, 9).as_deref(), Ok(&b"hello"[..]));
    }
}
