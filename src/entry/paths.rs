//! Long paths from a span to the root: finds the nearest span with a property, in time that grows with the
//! logarithm of the number of spans, however deep the trace is and whatever changes meanwhile.
//!
//! These are link-cut trees (Sleator and Tarjan, "A data structure for dynamic trees", 1983). The spans are stored as paths, each of them a
//! splay tree ordered by depth. Which spans form a path depends on the last queries.

use super::step;
use crate::hash::HashMap;
use crate::span::{NO_PARENT, SpanId};

/// Properties of a span, as bits.
pub(super) type Bits = u64;

/// Used instead of the index of a vertex if there is none.
const NONE: u32 = u32::MAX;
const ABOVE: usize = 0;
const BELOW: usize = 1;

#[derive(Debug)]
struct Vertex {
    id: SpanId,
    parent_id: SpanId,
    /// The parent in the splay tree. For the root of a splay tree: the vertex above the path.
    up: u32,
    /// The children in the splay tree: the part of the path above, and the part below.
    sides: [u32; 2],
    bits: Bits,
    /// The bits of all vertices of this part of the splay tree.
    any: Bits,
}

/// All spans of a trace, and the parents that were never seen, which have no properties.
#[derive(Debug, Default)]
pub(super) struct Paths {
    vertices: Vec<Vertex>,
    at: HashMap<SpanId, u32>,
}

impl Paths {
    /// Adds a span, or updates its parent and its properties.
    pub fn put(&mut self, id: SpanId, parent_id: SpanId, bits: Bits) {
        let is_new = !self.at.contains_key(&id);
        let v = self.vertex(id);
        if self.of(v).bits != bits {
            self.splay(v);
            self.of_mut(v).bits = bits;
            self.pull(v);
        }
        if self.of(v).parent_id == parent_id {
            return;
        }
        if !is_new {
            self.access(v);
            let above = std::mem::replace(&mut self.of_mut(v).sides[ABOVE], NONE);
            if above != NONE {
                self.of_mut(above).up = NONE;
            }
            self.pull(v);
        }
        self.of_mut(v).parent_id = parent_id;
        if parent_id == NO_PARENT {
            return;
        }
        let parent = self.vertex(parent_id);
        // A cycle of parents ends like a root.
        if parent != v && (is_new || self.root(parent) != v) {
            self.of_mut(v).up = parent;
        }
    }

    /// The nearest span with one of the properties, from `id` upwards.
    pub fn nearest(&mut self, id: SpanId, wanted: Bits) -> Option<SpanId> {
        let mut at = *self.at.get(&id)?;
        self.access(at);
        if self.of(at).any & wanted == 0 {
            return None;
        }
        let has = |paths: &Self, v| v != NONE && paths.of(v).any & wanted != 0;
        loop {
            step();
            let Vertex { sides: [above, below], bits, .. } = *self.of(at);
            at = match () {
                () if has(self, below) => below,
                () if bits & wanted != 0 => break,
                () if has(self, above) => above,
                () => break,
            };
        }
        self.splay(at);
        Some(self.of(at).id)
    }

    /// The topmost span with the property, from `id` upwards. All but the last span of a path have it.
    pub fn top(&mut self, id: SpanId, property: Bits) -> Option<SpanId> {
        let v = *self.at.get(&id)?;
        let root = self.root(v);
        if self.of(root).bits & property != 0 {
            return Some(self.of(root).id);
        }
        // The root is now at the top of its splay tree.
        let mut at = self.of(root).sides[BELOW];
        while at != NONE && self.of(at).sides[ABOVE] != NONE {
            step();
            at = self.of(at).sides[ABOVE];
        }
        if at == NONE {
            return None;
        }
        self.splay(at);
        Some(self.of(at).id)
    }

    fn vertex(&mut self, id: SpanId) -> u32 {
        let next = self.vertices.len() as u32;
        let v = *self.at.entry(id).or_insert(next);
        if v == next {
            self.vertices.push(Vertex { id, parent_id: NO_PARENT, up: NONE, sides: [NONE; 2], bits: 0, any: 0 });
        }
        v
    }

    fn of(&self, v: u32) -> &Vertex {
        &self.vertices[v as usize]
    }

    fn of_mut(&mut self, v: u32) -> &mut Vertex {
        &mut self.vertices[v as usize]
    }

    fn pull(&mut self, v: u32) {
        let Vertex { sides, bits, .. } = *self.of(v);
        let of_side = |side: u32| if side == NONE { 0 } else { self.of(side).any };
        self.of_mut(v).any = bits | sides.map(of_side).into_iter().fold(0, |a, b| a | b);
    }

    /// The side of a vertex in its splay tree; `None` if it is the root there.
    fn side(&self, v: u32) -> Option<usize> {
        let up = self.of(v).up;
        if up == NONE { None } else { self.of(up).sides.iter().position(|side| *side == v) }
    }

    fn rotate(&mut self, v: u32, side: usize) {
        step();
        let up = self.of(v).up;
        let (above, side_above) = (self.of(up).up, self.side(up));
        let inner = std::mem::replace(&mut self.of_mut(v).sides[1 - side], up);
        self.of_mut(up).sides[side] = inner;
        if inner != NONE {
            self.of_mut(inner).up = up;
        }
        self.of_mut(up).up = v;
        self.of_mut(v).up = above;
        if let Some(side) = side_above {
            self.of_mut(above).sides[side] = v;
        }
        self.pull(up);
        self.pull(v);
    }

    /// Makes a vertex the root of its splay tree.
    fn splay(&mut self, v: u32) {
        while let Some(side) = self.side(v) {
            let up = self.of(v).up;
            match self.side(up) {
                Some(above) if above == side => self.rotate(up, above),
                Some(_) => self.rotate(v, side),
                None => {}
            }
            if let Some(side) = self.side(v) {
                self.rotate(v, side);
            }
        }
    }

    /// Makes the vertices above this one a single path with it, and the vertices below it another path.
    fn access(&mut self, v: u32) {
        let mut below = NONE;
        let mut at = v;
        while at != NONE {
            step();
            self.splay(at);
            self.of_mut(at).sides[BELOW] = below;
            self.pull(at);
            below = at;
            at = self.of(at).up;
        }
        self.splay(v);
    }

    /// The root of the tree of a vertex, which is then also the root of its splay tree.
    fn root(&mut self, v: u32) -> u32 {
        self.access(v);
        let mut at = v;
        while self.of(at).sides[ABOVE] != NONE {
            step();
            at = self.of(at).sides[ABOVE];
        }
        self.splay(at);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(n: usize) -> SpanId {
        (n as u64 + 1).to_be_bytes()
    }

    /// The spans from `n` upwards, by their parents alone. Ends before an unknown span.
    fn up(spans: &[Option<(usize, Bits)>], n: usize) -> Vec<usize> {
        let known = |n: usize| spans.get(n).copied().flatten();
        std::iter::successors(Some(n).filter(|n| known(*n).is_some()), |n| {
            known(*n).map(|(parent, _)| parent).filter(|p| known(*p).is_some())
        })
        .take(spans.len() + 1)
        .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// Spans come in any order, get other properties and other parents; 19 is a parent that is never seen.
        #[test]
        fn the_nearest_and_the_topmost_are_those_of_a_walk(changes in prop::collection::vec((0..19usize, 0..20usize, 0..8u64), 1..120)) {
            let mut spans = vec![None; 20];
            let mut paths = Paths::default();
            for (n, parent, bits) in changes {
                let before = spans[n];
                spans[n] = Some((parent, bits | 8));
                // Which span of a cycle becomes its root is not said: none here.
                if up(&spans, n).len() > 20 || parent == n {
                    spans[n] = before;
                    continue;
                }
                paths.put(id(n), id(parent), bits | 8);
                for n in 0..19 {
                    let way = up(&spans, n);
                    let has = |n: &usize, wanted| spans[*n].is_some_and(|(_, bits): (usize, Bits)| bits & wanted != 0);
                    for wanted in [1, 2, 4, 5, 16] {
                        let nearest = way.iter().find(|n| has(n, wanted)).map(|n| id(*n));
                        prop_assert_eq!(paths.nearest(id(n), wanted), nearest, "{} from {}", wanted, n);
                    }
                    if spans[n].is_some() {
                        prop_assert_eq!(paths.top(id(n), 8), way.last().map(|n| id(*n)), "from {}", n);
                    }
                }
            }
        }
    }

    #[test]
    fn a_cycle_of_parents_ends_where_it_is_closed() {
        let mut paths = Paths::default();
        for (n, parent) in [(0, 1), (1, 2), (2, 0), (3, 1)] {
            paths.put(id(n), id(parent), if n == 0 { 3 } else { 1 });
        }
        assert_eq!(paths.top(id(3), 1), Some(id(2)));
        assert_eq!((paths.nearest(id(3), 2), paths.nearest(id(0), 2)), (None, Some(id(0))));
        paths.put(id(4), id(4), 1);
        assert_eq!(paths.top(id(4), 1), Some(id(4)));
    }
}
