//! The maps of the crate: hashbrown's, with a hash of a few instructions a word. Ids and keys come from whoever sends spans, so what they hash
//! to must not be known to him: a host gives each instance of the core a seed of its own ([`seed_hashes`]).

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// hashbrown's map.
pub type HashMap<K, V> = hashbrown::HashMap<K, V, Hash>;
/// hashbrown's set.
pub type HashSet<T> = hashbrown::HashSet<T, Hash>;

/// The hash of what a number in a table stands for. A pointer, so that the tables of numbers grow by the same code: it is 1.6 KB.
pub type HashOf<'f> = dyn Fn(&u32) -> u64 + 'f;

static SEED: AtomicU64 = AtomicU64::new(0);

/// Decides the hashes of the maps that are made from now on; [`crate::Pipeline::new`] calls it too. What goes out does not depend on it, but
/// who knows it can send ids and keys that take quadratic time.
pub fn seed_hashes(seed: u64) {
    SEED.store(seed, Ordering::Relaxed);
}

/// Makes a [`Fold`]: two words that only the instance knows.
#[derive(Clone, Copy, Debug)]
pub struct Hash([u64; 2]);

impl Default for Hash {
    fn default() -> Self {
        Hash::of(SEED.load(Ordering::Relaxed))
    }
}

impl Hash {
    /// By a seed: two steps of SplitMix64.
    fn of(seed: u64) -> Self {
        Hash([1, 2].map(|step| {
            let mut word = seed.wrapping_add(FACTOR.wrapping_mul(step));
            word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^ word >> 31
        }))
    }
}

impl BuildHasher for Hash {
    type Hasher = Fold;

    #[inline(always)]
    fn build_hasher(&self) -> Fold {
        Fold { state: self.0[0], key: self.0[1] }
    }
}

/// The construction of wyhash and foldhash: two words at a time, each with a secret one mixed in, are multiplied, and the product is folded
/// into one word. To choose words that collide one would have to know the secret ones.
pub struct Fold {
    state: u64,
    key: u64,
}

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// A product folded into one word. WebAssembly multiplies no two words to 128 bits: two products of halves stand in, as in foldhash.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let low_high = u64::from(a as u32).wrapping_mul(b >> 32);
    let high_low = (a >> 32).wrapping_mul(u64::from(b as u32));
    low_high ^ high_low.rotate_right(32)
}

impl Fold {
    #[inline(always)]
    fn pair(&mut self, a: u64, b: u64) {
        self.state = fold(self.state ^ a, self.key ^ b);
    }

    #[inline(never)]
    fn text(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
        while let Some(word) = words.next() {
            self.pair(word, words.next().unwrap_or_default());
        }
        self.pair(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), bytes.len() as u64);
    }
}

impl Hasher for Fold {
    /// Ids, which are looked up some ten times a span, take a product.
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) {
        match bytes.as_chunks() {
            ([span], []) => self.pair(u64::from_le_bytes(*span), 0),
            ([high, low], []) => self.pair(u64::from_le_bytes(*high), u64::from_le_bytes(*low)),
            _ => self.text(bytes),
        }
    }

    // The length of a slice: `write` has it already.
    fn write_usize(&mut self, _: usize) {}

    // The halves of a word that differ little in the products differ everywhere in one more.
    #[inline(always)]
    fn finish(&self) -> u64 {
        let folded = (self.state ^ self.state >> 32).wrapping_mul(FACTOR);
        folded ^ folded >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static COMPARED: Cell<u64> = const { Cell::new(0) };
    }

    /// A key that counts how often it is compared.
    #[derive(Clone)]
    struct Counted(Vec<u8>);

    impl std::hash::Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            state.write(&self.0);
        }
    }

    impl Eq for Counted {}
    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            COMPARED.set(COMPARED.get() + 1);
            self.0 == other.0
        }
    }

    /// How often keys are compared while a map takes all of them and finds each.
    fn compared(hash: Hash, keys: &[Vec<u8>]) -> u64 {
        COMPARED.set(0);
        let mut map = hashbrown::HashMap::with_hasher(hash);
        for (i, key) in keys.iter().enumerate() {
            map.insert(Counted(key.clone()), i);
        }
        assert_eq!(map.len(), keys.len());
        for (i, key) in keys.iter().enumerate() {
            assert_eq!(map.get(&Counted(key.clone())), Some(&i));
        }
        COMPARED.get()
    }

    fn bytes(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    const COUNT: u64 = 4_000;

    /// Keys that an attacker would choose who knows this file, and all of it but the seed.
    fn chosen() -> Vec<(&'static str, Vec<Vec<u8>>)> {
        let of = |key: &dyn Fn(u64) -> Vec<u8>| (0..COUNT).map(key).collect::<Vec<_>>();
        let (guess, [state, key]) = (Fold { state: 0, key: 0 }, Hash::of(0).0);
        // Multiplied word by word, the second word takes back what the first one did.
        let cancels = |word: u64| (word.wrapping_mul(FACTOR)).rotate_left(26);
        // The inverse of the factor, by Newton's method.
        let inverse = (0..6).fold(FACTOR, |inverse, _| inverse.wrapping_mul(2u64.wrapping_sub(FACTOR.wrapping_mul(inverse))));
        vec![
            ("trace ids whose second word cancels the first", of(&|i| bytes(&[i, cancels(i)]))),
            ("keys whose second word cancels the first", of(&|i| [bytes(&[i, cancels(i)]), b"x".to_vec()].concat())),
            ("span ids with products that end alike", of(&|i| bytes(&[(i << 40).wrapping_mul(inverse)]))),
            ("words that make a product of zero, for the seed that nobody gave", of(&|i| bytes(&[i, key]))),
            ("the other factor, likewise", of(&|i| bytes(&[state, i]))),
            ("longer keys with such a product", of(&|i| [bytes(&[i, key]), i.to_le_bytes().to_vec()].concat())),
            ("words that make a product of zero without a secret", of(&|i| bytes(&[i, guess.key]))),
            (
                "factors that change places",
                of(&|i| bytes(&if i % 2 == 0 { [state ^ i, key ^ (i + 1)] } else { [state ^ i, key ^ (i - 1)] })),
            ),
            ("one byte at each end", of(&|i| bytes(&[i << 56, 0, i >> 8]))),
            ("counted up, big-endian", of(&|i| i.to_be_bytes().to_vec())),
            ("counted up in the upper half", of(&|i| (u128::from(i) << 64).to_be_bytes().to_vec())),
        ]
    }

    #[test]
    fn chosen_keys_cost_no_more_than_twice_what_others_do() {
        for seed in [1, 0x5eed, u64::MAX] {
            let hash = Hash::of(seed);
            // Ids as an SDK makes them: random, here by another generator.
            let random = (0..COUNT).map(|i| bytes(&Hash::of(!i).0)).collect::<Vec<_>>();
            let plain = compared(hash, &random);
            for (name, keys) in chosen() {
                let attacked = compared(hash, &keys);
                assert!(attacked <= 2 * plain, "{name}, seed {seed}: {attacked} comparisons, {plain} of random keys");
            }
        }
    }

    /// It is the seed that helps: who knows it can choose keys that are compared with each other.
    #[test]
    fn who_knows_the_seed_can_choose_keys_that_collide() {
        let of_known_seed = |(name, _): &(&str, _)| name.ends_with("that nobody gave");
        let (_, keys) = chosen().into_iter().find(of_known_seed).unwrap();
        assert!(compared(Hash::of(0), &keys) > COUNT * COUNT / 4);
    }

    #[test]
    fn two_seeds_give_two_hashes() {
        let of = |seed| Hash::of(seed).hash_one([7u8; 16]);
        let all: std::collections::HashSet<u64> = (0..1_000).map(of).collect();
        assert_eq!(all.len(), 1_000);
    }

    #[test]
    fn ids_that_are_counted_up_spread() {
        for seed in [0, 1, 2] {
            let hash = Hash::of(seed);
            for shift in [0, 8, 24, 40, 48] {
                let apart =
                    |hashes: &mut dyn Iterator<Item = u64>| hashes.map(|h| h % 65_536).collect::<std::collections::HashSet<_>>().len();
                let spans = apart(&mut (0..4096u64).map(|i| hash.hash_one((i << shift).to_be_bytes())));
                let traces = apart(&mut (0..4096u128).map(|i| hash.hash_one((i << shift).to_be_bytes())));
                // By chance 3,970 of them are apart.
                assert!(spans > 3_900 && traces > 3_900, "{shift}: {spans} and {traces}");
            }
        }
    }
}
