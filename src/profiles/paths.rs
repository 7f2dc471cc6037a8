//! Keys for a backend that reads a dotted key as a path: there the keys `a` and `a.b` cannot stand side by side.

use crate::hash::HashMap;
use bumpalo::Bump;

/// An attribute has this key.
const LEAF: usize = 1;
/// Other keys continue this one after a dot.
const BRANCH: usize = 2;
/// Keys that cannot move continue this one after a dot.
const FIXED: usize = 4;

/// The keys of one span or of one resource.
#[derive(Default)]
pub struct Paths<'a>(HashMap<&'a [u8], usize>);

fn prefixes(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memchr_iter(b'.', key).filter_map(|at| key.get(..at))
}

impl<'a> Paths<'a> {
    /// Adds a key that goes out. A key of the profile is fixed; a key of the source may move.
    pub fn add(&mut self, key: &'a [u8], is_fixed: bool) {
        let branch = if is_fixed { BRANCH | FIXED } else { BRANCH };
        prefixes(key).for_each(|prefix| *self.0.entry(prefix).or_insert(0) |= branch);
        *self.0.entry(key).or_insert(0) |= LEAF;
    }

    fn is(&self, key: &[u8]) -> usize {
        self.0.get(key).copied().unwrap_or(0)
    }

    /// The key under which an attribute of the source goes out: its own, or the same with `_` for each dot where its own key is the child of another
    /// one or the parent of a fixed one. `None`: that key is taken too.
    pub fn place(&mut self, key: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
        if self.is(key) & FIXED == 0 && prefixes(key).all(|prefix| self.is(prefix) & (LEAF | FIXED) != LEAF) {
            return Some(key);
        }
        let moved = arena.alloc_slice_copy(key);
        moved.iter_mut().filter(|byte| **byte == b'.').for_each(|byte| *byte = b'_');
        if self.is(moved) != 0 {
            return None;
        }
        self.add(moved, false);
        Some(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(fixed: &[&str], source: &[&str]) -> Vec<Option<String>> {
        let arena = Bump::new();
        let mut paths = Paths::default();
        fixed.iter().for_each(|key| paths.add(key.as_bytes(), true));
        source.iter().for_each(|key| paths.add(key.as_bytes(), false));
        let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        source.iter().map(|key| paths.place(key.as_bytes(), &arena).map(text)).collect()
    }

    #[test]
    fn no_key_stands_beside_its_own_child() {
        for (fixed, source, expected) in [
            (&[][..], &["service", "service.version"][..], &["service", "service_version"][..]),
            (&[], &["a.b.c", "a.b", "a"], &["a_b_c", "a_b", "a"]),
            (&[], &["a.b", "ab", "a-b.c", "b.a"], &["a.b", "ab", "a-b.c", "b.a"]),
            (&["gen_ai.input.messages"], &["gen_ai.input.messages.hash"], &["gen_ai_input_messages_hash"]),
            // The parent of a fixed key moves, so its other children can stay.
            (&["gen_ai.usage.input_tokens"], &["gen_ai.usage", "gen_ai.usage.mine"], &["gen_ai_usage", "gen_ai.usage.mine"]),
            // The new key is taken, by another one or by the parent of another one.
            (&[], &["a", "a.b", "a_b"], &["a", "", "a_b"]),
            (&[], &["a", "a.b", "a_b.c"], &["a", "", "a_b.c"]),
            (&[], &["a", "a.b_c", "a.b.c"], &["a", "a_b_c", ""]),
        ] {
            let expected: Vec<_> = expected.iter().map(|key| (!key.is_empty()).then(|| (*key).to_owned())).collect();
            assert_eq!(placed(fixed, source), expected, "{fixed:?} {source:?}");
        }
    }
}
