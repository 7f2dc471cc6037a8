//! Base64: writing it, and reading both of its alphabets. Finding it in texts is done elsewhere.

use super::Out;
use bumpalo::Bump;

/// Reads digit by digit, with six bits each, and assembles bytes.
#[derive(Default)]
pub struct Decoder {
    bits: u32,
    count: u32,
}

impl Decoder {
    /// Adds a digit and passes on the byte that it completes; `None` if it is not a digit.
    #[inline(never)]
    pub fn take(&mut self, digit: u8, byte: &mut dyn FnMut(u8)) -> Option<()> {
        let sextet = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        self.bits = self.bits << 6 | u32::from(sextet);
        self.count += 6;
        if self.count >= 8 {
            self.count -= 8;
            byte((self.bits >> self.count) as u8);
        }
        Some(())
    }
}

/// The bytes of a base64 text, up to its padding; `None` if the text is not base64.
pub fn decode<'a>(text: &[u8], arena: &'a Bump) -> Option<&'a [u8]> {
    let mut out = Out::with_capacity_in(text.len(), arena);
    let mut decoder = Decoder::default();
    for digit in text {
        if *digit == b'=' {
            break;
        }
        decoder.take(*digit, &mut |byte| out.push(byte))?;
    }
    Some(out.into_bump_slice())
}

/// Appends bytes in base64.
pub fn encode(bytes: &[u8], out: &mut Out) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let mut padded = [0; 4];
        padded[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(padded);
        for place in 0..4 {
            let sextet = bits >> (18 - 6 * place) & 63;
            out.push(if place <= group.len() { DIGITS[sextet as usize] } else { b'=' });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_any_length() {
        let arena = Bump::new();
        for (text, bytes) in [("", ""), ("YQ==", "a"), ("YWI=", "ab"), ("YWJj", "abc"), ("eyJhIjoxfQ==", "{\"a\":1}")] {
            assert_eq!(decode(text.as_bytes(), &arena), Some(bytes.as_bytes()));
            let mut out = Out::new_in(&arena);
            encode(bytes.as_bytes(), &mut out);
            assert_eq!(out, text.as_bytes());
        }
        assert_eq!(decode(b"not base64", &arena), None);
        assert_eq!(decode(b"-_8", &arena), decode(b"+/8=", &arena));
    }
}
