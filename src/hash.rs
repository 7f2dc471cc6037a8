//! The maps of the crate: hashbrown's, with a hash of a few instructions a word. Nothing that is kept by such a hash grows past a
//! configured bound, and WebAssembly has no randomness to seed a better one with.

use std::hash::{BuildHasherDefault, Hasher};

/// hashbrown's map.
pub type HashMap<K, V> = hashbrown::HashMap<K, V, Hash>;
/// hashbrown's set.
pub type HashSet<T> = hashbrown::HashSet<T, Hash>;
/// Makes a [`Fold`].
pub type Hash = BuildHasherDefault<Fold>;

/// Multiplies each word in; what a product has above it is folded back at the end.
#[derive(Default)]
pub struct Fold(u64);

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Fold {
    fn word(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(26) ^ word).wrapping_mul(FACTOR);
    }

    #[inline(never)]
    fn text(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.word(u64::from_le_bytes(*word)));
        self.word(rest.iter().fold(bytes.len() as u64, |word, byte| word << 8 | u64::from(*byte)));
    }
}

impl Hasher for Fold {
    /// Ids, which are looked up some ten times a span, take a word or two.
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) {
        match bytes.as_chunks() {
            ([span], []) => self.word(u64::from_le_bytes(*span)),
            ([high, low], []) => {
                self.word(u64::from_le_bytes(*high));
                self.word(u64::from_le_bytes(*low));
            }
            _ => self.text(bytes),
        }
    }

    // The length of a slice: `write` has it already.
    fn write_usize(&mut self, _: usize) {}

    // A product has nothing below its lowest factor: ids that are counted up, big-endian, would all end alike.
    fn finish(&self) -> u64 {
        let folded = (self.0 ^ self.0 >> 32).wrapping_mul(FACTOR);
        folded ^ folded >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::BuildHasher;

    #[test]
    fn ids_that_are_counted_up_spread() {
        let hash = Hash::default();
        for shift in [0, 8, 24, 40, 48] {
            let spans: std::collections::HashSet<u64> = (0..4096u64).map(|i| hash.hash_one((i << shift).to_be_bytes()) % 65_536).collect();
            let traces: std::collections::HashSet<u64> =
                (0..4096u128).map(|i| hash.hash_one((i << shift).to_be_bytes()) % 65_536).collect();
            // By chance 3,970 of them are apart.
            assert!(spans.len() > 3_900 && traces.len() > 3_900, "{shift}: {} and {}", spans.len(), traces.len());
        }
    }
}
