//! Lists that travel as many attributes with indexes in their keys (`llm.input_messages.0.message.role`): back to one JSON
//! text, which is then read like any other. Gaps in the indexes close; what an index means is not known here.

use crate::genai::Flat;
use crate::json;
use crate::span::{Value, value};
use crate::text::{Out, bytes, number};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use std::cmp::Ordering;

/// One attribute of a list: what follows the list's name in its key, and its value.
#[derive(Clone, Copy)]
pub struct Leaf<'a> {
    /// The list.
    pub of: Flat,
    /// What follows the list's name in the key.
    pub path: &'a [u8],
    /// The value.
    pub value: Value<'a>,
    /// The value is JSON text, and stands for what it says.
    pub is_json: bool,
    /// Which attribute of the span it is.
    pub at: u16,
}

/// Keys nest that deep at most; below, the rest of a key is one name.
const MAX_DEPTH: usize = 16;

#[inline(never)]
fn index(part: &[u8]) -> Option<i64> {
    // No sign.
    part.first().filter(|first| first.is_ascii_digit() && part.len() <= 9)?;
    number::integer(part)
}

/// Does a key go on with an index? `gen_ai.prompt.name` does not.
pub fn is_indexed(path: &[u8]) -> bool {
    index(split(path).0).is_some()
}

/// Do these leaves belong to one item of their list?
pub fn have_one_place(a: &Leaf, b: &Leaf) -> bool {
    split(a.path).0 == split(b.path).0
}

fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'.', path) {
        Some(at) => (&path[..at], Some(&path[at + 1..])),
        None => (path, None),
    }
}

fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (Some(a), Some(b));
    while let (Some(left), Some(right)) = (a, b) {
        let ((x, rest_a), (y, rest_b)) = (split(left), split(right));
        let order = match (index(x), index(y)) {
            (Some(x), Some(y)) => x.cmp(&y),
            _ => x.cmp(y),
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    a.is_some().cmp(&b.is_some())
}

/// List by list, in the order of their indexes; of two leaves for one place, that of the first attribute comes first.
///
/// A heap sort: most lists are in order already, and the core library's sort takes 3 KB for each type.
pub fn sort(leaves: &mut [Leaf]) {
    if leaves.is_sorted_by(|a, b| !is_before(b, a)) {
        return;
    }
    for root in (0..leaves.len() / 2).rev() {
        sift(leaves, root);
    }
    for end in (1..leaves.len()).rev() {
        leaves.swap(0, end);
        sift(&mut leaves[..end], 0);
    }
}

#[inline(never)]
fn is_before(a: &Leaf, b: &Leaf) -> bool {
    (a.of as u8).cmp(&(b.of as u8)).then_with(|| compare(a.path, b.path)).then(a.at.cmp(&b.at)).is_lt()
}

/// Lets the leaf at `root` of the heap sink below those that come after it.
#[inline(never)]
fn sift(leaves: &mut [Leaf], mut root: usize) {
    loop {
        let mut last = root;
        for child in [2 * root + 1, 2 * root + 2] {
            if leaves.get(child).is_some_and(|leaf| is_before(&leaves[last], leaf)) {
                last = child;
            }
        }
        if last == root {
            return;
        }
        leaves.swap(root, last);
        root = last;
    }
}

/// The JSON that the leaves of one list make, which are sorted.
pub fn nest<'a>(leaves: &[Leaf<'a>], arena: &'a Bump) -> &'a [u8] {
    let texts = leaves.iter().map(|leaf| leaf.path.len() + leaf.value.as_str().map_or(16, <[u8]>::len));
    let mut out = BumpVec::with_capacity_in(texts.sum(), arena);
    write(leaves, 0, MAX_DEPTH, &mut out);
    out.into_bump_slice()
}

/// Writes leaves whose keys are the same up to `skip`.
fn write(leaves: &[Leaf], skip: usize, depth: usize, out: &mut Out) {
    let part = |leaf: &Leaf<'_>| -> usize { if depth == 0 { leaf.path.len() - skip } else { split(&leaf.path[skip..]).0.len() } };
    let is_list = leaves.iter().all(|leaf| index(&leaf.path[skip..skip + part(leaf)]).is_some());
    out.push(if is_list { b'[' } else { b'{' });
    let same = |a: &Leaf<'_>, b: &Leaf<'_>| bytes::equal(&a.path[skip..skip + part(a)], &b.path[skip..skip + part(b)]);
    for (i, group) in leaves.chunk_by(same).enumerate() {
        json::separate(out, i);
        let first = &group[0];
        let end = skip + part(first);
        if !is_list {
            json::string(&first.path[skip..end], out);
            out.push(b':');
        }
        // A key that also is the beginning of others sorts first; what it says is less than what they say.
        let below = &group[group.iter().take_while(|leaf| leaf.path.len() == end).count()..];
        if let (true, Value::Str(text), []) = (first.is_json, first.value, below) {
            out.extend_from_slice_copy(text);
        } else if below.is_empty() {
            value::write_json(first.value, out);
        } else {
            write(below, end + 1, depth.saturating_sub(1), out);
        }
    }
    out.push(if is_list { b']' } else { b'}' });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(entries: &[(&'static str, Value<'static>)]) -> String {
        let arena = Bump::new();
        let mut leaves: Vec<_> = entries
            .iter()
            .map(|(path, value)| Leaf { of: Flat::Tools, path: path.as_bytes(), value: *value, is_json: false, at: 0 })
            .collect();
        sort(&mut leaves);
        String::from_utf8(nest(&leaves, &arena).to_vec()).unwrap()
    }

    #[test]
    fn indexes_are_numbers_and_their_gaps_close() {
        let text = |t: &'static str| Value::Str(t.as_bytes());
        assert_eq!(
            nested(&[("10.role", text("tool")), ("2.role", text("user")), ("2.parts.0.n", Value::Int(1)), ("2.parts.7", text("x"))]),
            r#"[{"parts":[{"n":1},"x"],"role":"user"},{"role":"tool"}]"#
        );
        assert_eq!(nested(&[("0.a", text("scalar")), ("0.a.b", text("object"))]), r#"[{"a":{"b":"object"}}]"#);
    }

    #[test]
    fn only_a_number_is_an_index() {
        assert!(is_indexed(b"0.role") && is_indexed(b"12"));
        assert!(!is_indexed(b"name") && !is_indexed(b"") && !is_indexed(b"1x.role") && !is_indexed(b"9999999999.role"));
    }

    proptest::proptest! {
        #[test]
        fn output_is_always_json(keys in proptest::collection::vec("([0-9a-c]{0,2}\\.?){0,20}", 1..12)) {
            let arena = Bump::new();
            let mut leaves: Vec<_> = keys.iter().map(|k| Leaf { of: Flat::Tools, path: k.as_bytes(), value: Value::Bool(true), is_json: false, at: 0 }).collect();
            sort(&mut leaves);
            let out = nest(&leaves, &arena);
            proptest::prop_assert!(serde_json::from_slice::<serde_json::Value>(out).is_ok(), "{:?}", String::from_utf8_lossy(out));
        }
    }
}
