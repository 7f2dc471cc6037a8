//! Scopes and resources: described once, known by a number from then on, and found again by what described them. When there are too many, what
//! was not used of late is forgotten, unless a span that waits stands in it. Its number is never given to another one, so that a
//! host which still has it finds out.

use crate::error::Error;
use crate::hash::{Hash, HashOf};
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// How many are remembered.
const MAX: usize = 10_000;
/// The same in bytes.
const MAX_BYTES: usize = 16 << 20;
/// A number is a place, counted from 1, in so many bits, and above them how often the place was given out before. It has 31 bits: a host may
/// take it for a number with a sign.
const PLACE_BITS: u32 = 14;
const PLACES: u32 = 1 << PLACE_BITS;

/// Values by number.
pub struct Descriptions<T> {
    index: Index,
    values: Vec<Option<T>>,
}

struct Key {
    text: Box<[u8]>,
    bytes: usize,
    /// The number of the body in which it was last kept, one more if that body itself has it.
    used: u64,
}

/// What is known of each but its value.
#[derive(Default)]
struct Index {
    keys: Vec<Option<Key>>,
    /// How often each place was given out before.
    generations: Vec<u32>,
    free: Vec<u32>,
    by_text: HashTable<u32>,
    hasher: Hash,
    bytes: usize,
    /// The number of the body that is being read. Bodies have odd numbers.
    body: u64,
    /// The one at which it was last looked for what may be forgotten.
    swept: u64,
    /// The one at which that left nothing that could be forgotten.
    exhausted: u64,
}

impl<T> Default for Descriptions<T> {
    fn default() -> Self {
        Descriptions { index: Index { body: 1, ..Index::default() }, values: Vec::new() }
    }
}

impl<T> Descriptions<T> {
    /// What a number stands for.
    pub fn get(&self, number: u32) -> Option<&T> {
        self.values.get(self.index.place(number)?)?.as_ref()
    }

    /// A body, or what a host describes, begins: what is used from now on is not forgotten before the next one.
    pub fn begin(&mut self) {
        self.index.body += 2;
    }

    /// The number of what a key describes.
    pub fn find(&mut self, key: &[u8]) -> Option<u32> {
        self.index.find(key)
    }

    /// Is there no room for one more?
    pub fn is_full(&self) -> bool {
        self.index.is_full()
    }

    /// Fails if there is no room for one more: for ever where the body that is being read fills it alone, with `what` it has too much of.
    pub fn check_room(&self, what: &'static str) -> Result<(), Error> {
        if !self.is_full() {
            return Ok(());
        }
        let of_body = self.index.keys.iter().flatten().filter(|key| key.used > self.index.body);
        let (count, bytes) = of_body.fold((0, 0), |(count, bytes), key| (count + 1, bytes + key.bytes));
        Err(match (count >= MAX, bytes > MAX_BYTES) {
            (true, _) => Error::LimitExceeded { what, limit: MAX },
            (_, true) => Error::LimitExceeded { what: "bytes of resources or scopes in one request", limit: MAX_BYTES },
            _ => Error::Busy("too many resources or scopes are in use by spans that wait"),
        })
    }

    /// Gives a number to what a key describes, and what takes so many bytes.
    pub fn add(&mut self, key: &[u8], value: T, bytes: usize) -> u32 {
        let at = self.index.slot(Key { text: key.into(), bytes: bytes + key.len(), used: self.index.body + 1 });
        self.index.insert(key, at);
        self.values.resize_with(self.index.keys.len(), || None);
        if let Some(slot) = self.values.get_mut(at as usize) {
            *slot = Some(value);
        }
        self.index.number(at)
    }

    /// A span stands in it: [`Descriptions::forget`] leaves it alone, unless another body has begun.
    pub fn keep(&mut self, number: u32) {
        if let Some(at) = self.index.place(number) {
            self.index.touch(at, self.index.body);
        }
    }

    /// Returns true if [`Descriptions::forget`] may be of use. It looks at everything, but makes room for half of it unless it was its last time
    /// for this body.
    pub fn may_forget(&self) -> bool {
        self.is_full() && self.index.exhausted < self.index.body
    }

    /// Makes room for half of what there may be, if so much is neither kept nor used in this body.
    pub fn forget(&mut self) {
        let Index { swept, body, .. } = self.index;
        self.index.swept = body;
        // Those that were not used since it was last looked; then those not used for half of that time; then all.
        for since in [swept, swept + (body - swept) / 2, body] {
            for (at, value) in self.values.iter_mut().enumerate() {
                if self.index.is_over_half() && self.index.forget(at, since) {
                    *value = None;
                }
            }
        }
        if self.index.is_over_half() {
            self.index.exhausted = body;
        }
    }
}

impl Index {
    fn find(&mut self, text: &[u8]) -> Option<u32> {
        let keys = &self.keys;
        let is = |at: &u32| keys.get(*at as usize).is_some_and(|key| key.as_ref().is_some_and(|key| *key.text == *text));
        let at = *self.by_text.find(self.hasher.hash_one(text), is)?;
        self.touch(at as usize, self.body + 1);
        Some(self.number(at))
    }

    fn number(&self, at: u32) -> u32 {
        let generation = self.generations.get(at as usize).copied().unwrap_or_default();
        (generation << PLACE_BITS | (at + 1)) & i32::MAX as u32
    }

    /// Where a number stands, if it is still that of what stands there.
    fn place(&self, number: u32) -> Option<usize> {
        let at = (number % PLACES).checked_sub(1)?;
        (self.number(at) == number).then_some(at as usize)
    }

    fn touch(&mut self, at: usize, used: u64) {
        if let Some(Some(key)) = self.keys.get_mut(at) {
            key.used = key.used.max(used);
        }
    }

    fn is_full(&self) -> bool {
        self.len() >= MAX || self.bytes > MAX_BYTES
    }

    fn is_over_half(&self) -> bool {
        self.len() > MAX / 2 || self.bytes > MAX_BYTES / 2
    }

    fn slot(&mut self, key: Key) -> u32 {
        self.bytes += key.bytes;
        let at = self.free.pop().unwrap_or_else(|| {
            self.keys.push(None);
            self.generations.push(0);
            self.keys.len() as u32 - 1
        });
        if let Some(slot) = self.keys.get_mut(at as usize) {
            *slot = Some(key);
        }
        at
    }

    fn insert(&mut self, text: &[u8], at: u32) {
        let (keys, hasher) = (&self.keys, &self.hasher);
        let hash: &HashOf = &|at| hasher.hash_one(keys.get(*at as usize).and_then(Option::as_ref).map_or(&[][..], |key| &key.text));
        self.by_text.insert_unique(hasher.hash_one(text), at, hash);
    }

    fn len(&self) -> usize {
        self.keys.len() - self.free.len()
    }

    /// Forgets one that was not used since a body. False: it was.
    fn forget(&mut self, at: usize, since: u64) -> bool {
        let Some(gone) = self.keys.get_mut(at).and_then(|key| key.take_if(|key| key.used < since)) else { return false };
        self.bytes -= gone.bytes;
        self.free.push(at as u32);
        // So often is a place given out that the first number comes again: nobody keeps one for so long without using it.
        if let Some(generation) = self.generations.get_mut(at) {
            *generation = generation.wrapping_add(1);
        }
        if let Ok(entry) = self.by_text.find_entry(self.hasher.hash_one(&*gone.text), |known| *known as usize == at) {
            entry.remove();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_than_may_be_and_each_is_what_its_key_says() {
        let mut all = Descriptions::default();
        let mut given_out = std::collections::HashSet::new();
        let mut in_use = Vec::new();
        for n in 1..=50_000u32 {
            all.begin();
            let key = n.to_le_bytes();
            assert_eq!(all.find(&key), None);
            if all.may_forget() {
                in_use.iter().for_each(|number| all.keep(*number));
                all.forget();
            }
            assert!(!all.is_full(), "at {n}");
            let number = all.add(&key, n, 1_000);
            assert_eq!((all.find(&key), all.get(number)), (Some(number), Some(&n)));
            assert!(given_out.insert(number), "a host that has the number of another one would not find out");
            if n % 10_000 == 7 {
                in_use.push(number);
            }
            assert!(all.index.len() <= MAX && all.values.len() <= MAX && all.index.bytes <= MAX_BYTES + 1_004, "at {n}");
        }
        let mut kept: Vec<_> = in_use.iter().filter_map(|number| all.get(*number)).copied().collect();
        kept.sort_unstable();
        assert_eq!(kept, [7, 10_007, 20_007, 30_007, 40_007]);
        // The newest are there, and what was forgotten is not.
        assert!(all.find(&49_999u32.to_le_bytes()).is_some() && all.find(&100u32.to_le_bytes()).is_none());
        let index = &all.index;
        let counted = index.keys.iter().flatten().map(|key| key.bytes).sum::<usize>();
        assert_eq!((index.bytes, index.len()), (counted, index.by_text.len()));
        assert_eq!(all.values.iter().flatten().count(), index.len());
    }

    #[test]
    fn what_is_in_use_stays_and_what_was_used_of_late_goes_last() {
        let mut all = Descriptions::default();
        all.begin();
        let numbers: Vec<_> = (0..MAX as u32).map(|n| all.add(&n.to_le_bytes(), n, 0)).collect();
        assert!(all.is_full());
        all.begin();
        numbers.into_iter().for_each(|number| all.keep(number));
        all.forget();
        assert!(all.is_full() && !all.may_forget(), "it looks once for each body");
        all.begin();
        let of_late: Vec<u32> = (0..100u32).filter_map(|n| all.find(&n.to_le_bytes())).collect();
        all.begin();
        assert!(all.may_forget());
        all.forget();
        assert_eq!((all.index.len(), of_late.iter().filter_map(|number| all.get(*number)).count()), (MAX / 2, 100));
    }
}
