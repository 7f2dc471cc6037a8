//! The trace tree and the entry: which span is the outermost of each LLM segment. A state machine; no span's content
//! passes through here.
//!
//! The rule, for a finished trace: a span is an **entry** if it is marked, or is LLM and has no LLM ancestor; unless it
//! says `false` itself, or an ancestor is marked, or an ancestor is LLM and does not say `false`. So there is exactly one on
//! every path from the root to a leaf that has an LLM span, the outermost; a mark that was inherited counts once; and
//! `false` on the outermost LLM span leaves its segment without an entry, save where a span below it is marked.
//!
//! Spans end before their parents do. So a candidate is held until no ancestor can take its place: one span for each open
//! segment. Everything else is decided the moment it ends.

use crate::hash::{Hash, HashMap};
use crate::span::{NO_PARENT, SpanId, TraceId};
use lru::LruCache;
use std::collections::VecDeque;

/// Bounds of the tree.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a candidate is held at most, in ms.
    pub hold_ms: f64,
    /// How many candidates are held at most; past it the oldest is decided.
    pub held: usize,
    /// How many spans are remembered at most; past it the trace that was touched least recently is forgotten.
    pub spans: usize,
}

/// What is known of a span when it ends.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Its trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Its parent, [`NO_PARENT`] for none.
    pub parent_id: SpanId,
    /// It is a span of an LLM instrumentation.
    pub llm: bool,
    /// `gen_ai.is_entry` as it says itself.
    pub mark: Option<bool>,
}

/// What a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The entry of its segment.
    Entry,
    /// Not an entry.
    Plain,
    /// Not known yet: it comes out of [`Tree::resolved`].
    Hold,
}

/// What the bounds did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Candidates that were decided because they were held too long.
    pub hold_expired: u64,
    /// Candidates that were decided because too many were held.
    pub hold_overflow: u64,
    /// Traces that were forgotten because too many spans were remembered.
    pub traces_evicted: u64,
}

#[derive(Debug)]
struct Node {
    parent_id: SpanId,
    llm: bool,
    mark: Option<bool>,
    ended: bool,
    /// The remote parent is inside an LLM segment: the entry is in another process.
    inside_segment: bool,
    /// An entry below it was decided before this span ended.
    entry_below: bool,
    /// Its scope, as the host numbers it; 0 where nobody said it.
    scope: u32,
    /// The tokens that spans below it used, each counted once: input and output.
    below: Tokens,
}

/// Input and output tokens.
pub type Tokens = [i64; 2];

#[derive(Debug, Default)]
struct Trace {
    nodes: HashMap<SpanId, Node>,
    /// Candidates, each with the ancestor it waits for.
    held: Vec<(SpanId, SpanId)>,
}

/// The tree of all live and recent traces.
#[derive(Debug)]
pub struct Tree {
    limits: Limits,
    traces: LruCache<TraceId, Trace, Hash>,
    spans: usize,
    held: usize,
    /// When each held candidate is decided at the latest; those decided before are skipped.
    deadlines: VecDeque<(f64, TraceId, SpanId)>,
    resolved: VecDeque<(TraceId, SpanId, bool)>,
    counts: Counts,
}

enum Verdict {
    Entry,
    Plain,
    WaitFor(SpanId),
}

impl Trace {
    /// Decides a span that ended, from itself up to the root.
    fn judge(&self, span_id: SpanId) -> Verdict {
        let Some(node) = self.nodes.get(&span_id) else { return Verdict::Plain };
        let marked = node.mark == Some(true);
        if !marked && (!node.llm || node.mark == Some(false)) || node.entry_below {
            return Verdict::Plain;
        }
        let mut wait = None;
        let mut at = node;
        // A cycle of parents ends the walk like a root does.
        for _ in 0..self.nodes.len() {
            if at.inside_segment {
                return Verdict::Plain;
            }
            let Some(ancestor) = self.nodes.get(&at.parent_id).filter(|_| at.parent_id != NO_PARENT) else { break };
            let blocks = ancestor.mark == Some(true) || ancestor.llm && (!marked || ancestor.ended && ancestor.mark != Some(false));
            if blocks {
                return Verdict::Plain;
            }
            if !ancestor.ended {
                wait = wait.or(Some(at.parent_id));
            }
            at = ancestor;
        }
        wait.map_or(Verdict::Entry, Verdict::WaitFor)
    }

    /// Notes on every ancestor that the entry of this path is taken.
    fn take_path(&mut self, span_id: SpanId) {
        let mut at = span_id;
        for _ in 0..self.nodes.len() {
            let Some(parent_id) = self.nodes.get(&at).map(|n| n.parent_id).filter(|p| *p != NO_PARENT) else { break };
            let Some(parent) = self.nodes.get_mut(&parent_id) else { break };
            parent.entry_below = true;
            at = parent_id;
        }
    }
}

impl Tree {
    /// An empty tree.
    pub fn new(limits: Limits) -> Self {
        Tree {
            limits,
            traces: LruCache::unbounded_with_hasher(Hash::default()),
            spans: 0,
            held: 0,
            deadlines: VecDeque::new(),
            resolved: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// A span started.
    pub fn start(&mut self, trace_id: TraceId, span_id: SpanId, parent_id: SpanId, llm: bool, inside_segment: bool, scope: u32) {
        let trace = self.traces.get_or_insert_mut(trace_id, Trace::default);
        let node = Node { parent_id, llm, mark: None, ended: false, inside_segment, entry_below: false, scope, below: [0; 2] };
        if trace.nodes.insert(span_id, node).is_none() {
            self.spans += 1;
        }
        self.forget();
    }

    /// Does the usage of a span repeat what the spans below it used (rules.md 4)? An instrumentation of a client below that of a framework
    /// counts the same call once more, and so do agents. To be asked of every span when it ends, before [`Tree::end`]. What a span used that
    /// not every destination gets (not `everywhere`) takes nothing from those above: where it is missing they have the only count.
    pub fn repeats(&mut self, trace_id: TraceId, span_id: SpanId, parent_id: SpanId, own: Option<Tokens>, everywhere: bool) -> bool {
        let Some(trace) = self.traces.peek_mut(&trace_id) else { return false };
        let node = trace.nodes.get(&span_id);
        // It ended before: what it used is counted.
        if node.is_some_and(|node| node.ended) {
            return false;
        }
        let below = node.map_or([0; 2], |node| node.below);
        let repeats = own.is_some_and(|own| own == below && own != [0; 2]);
        if let Some(parent) = trace.nodes.get_mut(&parent_id) {
            for used in [own.filter(|_| everywhere && !repeats).unwrap_or_default(), below] {
                parent.below[0] = parent.below[0].saturating_add(used[0]);
                parent.below[1] = parent.below[1].saturating_add(used[1]);
            }
        }
        repeats
    }

    /// A span ended.
    pub fn end(&mut self, ended: Ended, now: f64) -> Decision {
        let Ended { trace_id, span_id, parent_id, llm, mark } = ended;
        let trace = self.traces.get_or_insert_mut(trace_id, Trace::default);
        let before = trace.nodes.len();
        let node = trace.nodes.entry(span_id).or_insert(Node {
            parent_id,
            llm: false,
            mark: None,
            ended: false,
            inside_segment: false,
            entry_below: false,
            scope: 0,
            below: [0; 2],
        });
        // What it was can say otherwise than how it began.
        node.llm = llm;
        node.mark = mark;
        node.ended = true;
        self.spans += trace.nodes.len() - before;
        // Candidates that waited for this span, and the span itself.
        let (waited, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut trace.held).into_iter().partition(|(_, wait)| *wait == span_id);
        trace.held = rest;
        for (candidate, _) in waited {
            match trace.judge(candidate) {
                Verdict::WaitFor(ancestor) => trace.held.push((candidate, ancestor)),
                verdict => {
                    self.held -= 1;
                    self.resolved.push_back((trace_id, candidate, matches!(verdict, Verdict::Entry)));
                }
            }
        }
        let decision = match trace.judge(span_id) {
            Verdict::Entry => Decision::Entry,
            Verdict::Plain => Decision::Plain,
            Verdict::WaitFor(ancestor) => {
                trace.held.push((span_id, ancestor));
                self.held += 1;
                self.deadlines.push_back((now + self.limits.hold_ms, trace_id, span_id));
                Decision::Hold
            }
        };
        while self.held > self.limits.held {
            if !self.decide_oldest() {
                break;
            }
            self.counts.hold_overflow += 1;
        }
        self.forget();
        decision
    }

    /// Decides a candidate by what is known now.
    fn decide(&mut self, trace_id: TraceId, span_id: SpanId) -> bool {
        let Some(trace) = self.traces.peek_mut(&trace_id) else { return false };
        let Some(at) = trace.held.iter().position(|(held, _)| *held == span_id) else { return false };
        trace.held.swap_remove(at);
        // Another candidate below the same ancestor may have been decided already; that one stands on another path.
        let entry = trace.nodes.get(&span_id).is_some_and(|n| !n.entry_below);
        if entry {
            trace.take_path(span_id);
        }
        self.held -= 1;
        self.resolved.push_back((trace_id, span_id, entry));
        true
    }

    fn decide_oldest(&mut self) -> bool {
        while let Some((_, trace_id, span_id)) = self.deadlines.pop_front() {
            if self.decide(trace_id, span_id) {
                return true;
            }
        }
        false
    }

    /// Decides what was held too long. `now` is in ms.
    pub fn tick(&mut self, now: f64) {
        while let Some(&(deadline, trace_id, span_id)) = self.deadlines.front() {
            let settled = self.traces.peek(&trace_id).is_none_or(|t| t.held.iter().all(|(held, _)| *held != span_id));
            if !settled && deadline > now {
                break;
            }
            self.deadlines.pop_front();
            if self.decide(trace_id, span_id) {
                self.counts.hold_expired += 1;
            }
        }
    }

    /// Decides everything that is held, by what is known now: the host flushes.
    pub fn flush(&mut self) {
        while self.decide_oldest() {}
    }

    /// When [`Tree::tick`] has something to do, in ms; `None`: nothing is held.
    pub fn wake(&self) -> Option<f64> {
        self.deadlines.front().filter(|_| self.held > 0).map(|(deadline, ..)| *deadline)
    }

    /// The next candidate that was decided, and whether it is an entry. To be drained after every call that may decide.
    pub fn resolved(&mut self) -> Option<(TraceId, SpanId, bool)> {
        self.resolved.pop_front()
    }

    /// The parent and the scope of a span that is remembered.
    pub fn known(&self, trace_id: TraceId, span_id: SpanId) -> Option<(SpanId, u32)> {
        let node = self.traces.peek(&trace_id)?.nodes.get(&span_id)?;
        Some((node.parent_id, node.scope))
    }

    fn forget(&mut self) {
        while self.spans > self.limits.spans && self.traces.len() > 1 {
            let Some((trace_id, trace)) = self.traces.pop_lru() else { return };
            self.spans -= trace.nodes.len();
            self.held -= trace.held.len();
            self.counts.traces_evicted += 1;
            self.resolved.extend(trace.held.iter().map(|(span_id, _)| (trace_id, *span_id, true)));
        }
    }

    /// How many candidates are held.
    pub fn held(&self) -> usize {
        self.held
    }

    /// How many spans are remembered.
    pub fn tracked(&self) -> usize {
        self.spans
    }

    /// What the bounds did so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: TraceId = [7; 16];
    const LIMITS: Limits = Limits { hold_ms: 1000.0, held: 100, spans: 10_000 };

    fn id(n: usize) -> SpanId {
        (n as u64 + 1).to_be_bytes()
    }

    /// A span of a finished trace: its parent, whether it is LLM from the start or by its end, its mark.
    #[derive(Clone, Debug)]
    struct Made {
        parent: Option<usize>,
        llm: bool,
        known_at_start: bool,
        mark: Option<bool>,
    }

    fn ancestors(spans: &[Made], n: usize) -> impl Iterator<Item = &Made> {
        std::iter::successors(spans[n].parent, |p| spans[*p].parent).map(|p| &spans[p])
    }

    /// The rule as the module says it, on the finished trace.
    fn reference(spans: &[Made]) -> Vec<bool> {
        let entry = |n: usize| {
            let s = &spans[n];
            let eligible = s.mark == Some(true) || s.llm && s.mark != Some(false) && !ancestors(spans, n).any(|a| a.llm);
            eligible && !ancestors(spans, n).any(|a| a.mark == Some(true) || a.llm && a.mark != Some(false))
        };
        (0..spans.len()).map(entry).collect()
    }

    /// Starts parents first, ends in `order`, and gives what came out. A span that ends twice would panic the test.
    fn run(spans: &[Made], order: &[usize], tree: &mut Tree) -> Vec<bool> {
        let mut out = vec![None; spans.len()];
        let mut settle = |id: SpanId, entry| {
            let n = u64::from_be_bytes(id) as usize - 1;
            assert_eq!(out[n].replace(entry), None, "span {n} was decided twice");
        };
        for (n, s) in spans.iter().enumerate() {
            tree.start(TRACE, id(n), s.parent.map_or(NO_PARENT, id), s.llm && s.known_at_start, false, 0);
        }
        for &n in order {
            let s = &spans[n];
            let ended = Ended { trace_id: TRACE, span_id: id(n), parent_id: s.parent.map_or(NO_PARENT, id), llm: s.llm, mark: s.mark };
            match tree.end(ended, 0.0) {
                Decision::Hold => {}
                decision => settle(id(n), decision == Decision::Entry),
            }
            while let Some((_, span, entry)) = tree.resolved() {
                settle(span, entry);
            }
        }
        out.into_iter().map(|o| o.expect("every span is decided when all have ended")).collect()
    }

    fn span(parent: Option<usize>, llm: bool) -> Made {
        Made { parent, llm, known_at_start: true, mark: None }
    }

    #[test]
    fn usage_that_repeats_what_ran_below_is_told_from_that_which_does_not() {
        // An agent, its call, the client's span of the same call, and a second call of the agent.
        let mut tree = Tree::new(LIMITS);
        for (n, parent) in [(0, None), (1, Some(0)), (2, Some(1)), (3, Some(0))] {
            tree.start(TRACE, id(n), parent.map_or(NO_PARENT, id), true, false, 0);
        }
        let mut repeats = |n: usize, parent: Option<usize>, own| {
            let parent_id = parent.map_or(NO_PARENT, id);
            let repeats = tree.repeats(TRACE, id(n), parent_id, own, true);
            tree.end(Ended { trace_id: TRACE, span_id: id(n), parent_id, llm: true, mark: None }, 0.0);
            repeats
        };
        assert!(!repeats(2, Some(1), Some([57, 17])), "the innermost is the call");
        assert!(repeats(1, Some(0), Some([57, 17])));
        // Delivered once more.
        assert!(!repeats(1, Some(0), Some([57, 17])));
        assert!(!repeats(3, Some(0), Some([10, 1])));
        assert!(repeats(0, None, Some([67, 18])), "the total of an agent");
        let mut tree = Tree::new(LIMITS);
        tree.start(TRACE, id(0), NO_PARENT, true, false, 0);
        tree.start(TRACE, id(1), id(0), true, false, 0);
        assert!(!tree.repeats(TRACE, id(1), id(0), Some([57, 17]), true));
        assert!(!tree.repeats(TRACE, id(0), NO_PARENT, Some([80, 17]), true), "usage of its own");
    }

    #[test]
    fn the_outermost_llm_span_below_an_http_span_is_the_entry_and_the_only_one_held() {
        let spans = [span(None, false), span(Some(0), true), span(Some(1), true), span(Some(1), true)];
        let mut tree = Tree::new(LIMITS);
        for (n, s) in spans.iter().enumerate() {
            tree.start(TRACE, id(n), s.parent.map_or(NO_PARENT, id), s.llm, false, 0);
        }
        let end = |tree: &mut Tree, n: usize| {
            let parent_id = spans[n].parent.map_or(NO_PARENT, id);
            tree.end(Ended { trace_id: TRACE, span_id: id(n), parent_id, llm: spans[n].llm, mark: None }, 0.0)
        };
        assert_eq!([3, 2, 1].map(|n| end(&mut tree, n)), [Decision::Plain, Decision::Plain, Decision::Hold]);
        assert_eq!((tree.held(), tree.resolved()), (1, None));
        assert_eq!(end(&mut tree, 0), Decision::Plain);
        assert_eq!((tree.held(), tree.resolved()), (0, Some((TRACE, id(1), true))));
    }

    #[test]
    fn a_mark_that_was_inherited_counts_once() {
        let marked = |parent| Made { mark: Some(true), ..span(parent, true) };
        let spans = [span(None, false), marked(Some(0)), marked(Some(1)), marked(Some(2))];
        assert_eq!(run(&spans, &[3, 2, 1, 0], &mut Tree::new(LIMITS)), [false, true, false, false]);
    }

    #[test]
    fn a_marked_span_that_is_not_llm_is_the_entry_of_what_is_below() {
        let spans = [Made { mark: Some(true), ..span(None, false) }, span(Some(0), true)];
        assert_eq!(run(&spans, &[1, 0], &mut Tree::new(LIMITS)), [true, false]);
    }

    #[test]
    fn false_suppresses_the_inference_and_not_a_mark_below() {
        let refused = Made { mark: Some(false), ..span(None, true) };
        assert_eq!(run(&[refused.clone(), span(Some(0), true)], &[1, 0], &mut Tree::new(LIMITS)), [false, false]);
        let marked = Made { mark: Some(true), ..span(Some(0), true) };
        assert_eq!(run(&[refused, marked], &[1, 0], &mut Tree::new(LIMITS)), [false, true]);
    }

    #[test]
    fn a_segment_that_began_in_another_process_has_its_entry_there() {
        let mut tree = Tree::new(LIMITS);
        tree.start(TRACE, id(0), id(9), true, true, 0);
        let ended = Ended { trace_id: TRACE, span_id: id(0), parent_id: id(9), llm: true, mark: None };
        assert_eq!(tree.end(ended, 0.0), Decision::Plain);
    }

    #[test]
    fn the_end_tells_what_the_start_could_not() {
        let mut tree = Tree::new(LIMITS);
        tree.start(TRACE, id(0), NO_PARENT, true, false, 0);
        let ended = Ended { trace_id: TRACE, span_id: id(0), parent_id: NO_PARENT, llm: false, mark: None };
        assert_eq!(tree.end(ended, 0.0), Decision::Plain);
    }

    #[test]
    fn a_candidate_that_is_held_too_long_is_decided_and_its_ancestors_know() {
        let mut tree = Tree::new(LIMITS);
        tree.start(TRACE, id(0), NO_PARENT, false, false, 0);
        tree.start(TRACE, id(1), id(0), true, false, 0);
        let candidate = Ended { trace_id: TRACE, span_id: id(1), parent_id: id(0), llm: true, mark: None };
        assert_eq!(tree.end(candidate, 0.0), Decision::Hold);
        assert_eq!(tree.wake(), Some(1000.0));
        tree.tick(999.0);
        assert_eq!(tree.resolved(), None);
        tree.tick(1000.0);
        assert_eq!(tree.resolved(), Some((TRACE, id(1), true)));
        assert_eq!((tree.counts().hold_expired, tree.wake()), (1, None));
        let late = Ended { trace_id: TRACE, span_id: id(0), parent_id: NO_PARENT, llm: true, mark: Some(true) };
        assert_eq!(tree.end(late, 2000.0), Decision::Plain);
    }

    #[test]
    fn what_is_over_a_bound_is_decided_and_counted() {
        let mut tree = Tree::new(Limits { held: 1, spans: 4, ..LIMITS });
        for trace in 0..4u8 {
            let trace_id = [trace; 16];
            tree.start(trace_id, id(0), NO_PARENT, false, false, 0);
            tree.start(trace_id, id(1), id(0), true, false, 0);
            tree.end(Ended { trace_id, span_id: id(1), parent_id: id(0), llm: true, mark: None }, 0.0);
        }
        let resolved: Vec<_> = std::iter::from_fn(|| tree.resolved()).map(|(trace, _, entry)| (trace[0], entry)).collect();
        assert_eq!(resolved, [(0, true), (1, true), (2, true)]);
        assert_eq!((tree.held(), tree.tracked()), (1, 4));
        assert_eq!((tree.counts().hold_overflow, tree.counts().traces_evicted), (3, 2));
    }

    #[test]
    fn a_cycle_of_parents_ends() {
        let spans = [Made { parent: Some(1), ..span(None, true) }, Made { parent: Some(0), ..span(None, false) }];
        let mut tree = Tree::new(LIMITS);
        for (n, s) in spans.iter().enumerate() {
            tree.start(TRACE, id(n), id(1 - n), s.llm, false, 0);
        }
        for (n, s) in spans.iter().enumerate() {
            tree.end(Ended { trace_id: TRACE, span_id: id(n), parent_id: id(1 - n), llm: s.llm, mark: None }, 0.0);
        }
        assert_eq!(tree.held(), 0);
    }

    /// A random tree: each span's parent is one before it (or none), in any shape from a chain to a star.
    fn trees() -> impl Strategy<Value = (Vec<Made>, Vec<usize>)> {
        let mark = prop_oneof![5 => Just(None), 2 => Just(Some(true)), 1 => Just(Some(false))];
        let one = (any::<prop::sample::Index>(), prop::bool::weighted(0.1), any::<bool>(), any::<bool>(), mark);
        prop::collection::vec(one, 1..40).prop_flat_map(|list| {
            let spans: Vec<_> = list
                .iter()
                .enumerate()
                .map(|(n, (parent, root, llm, known_at_start, mark))| Made {
                    parent: (n > 0 && !root).then(|| parent.index(n)),
                    llm: *llm,
                    known_at_start: *known_at_start,
                    mark: *mark,
                })
                .collect();
            let order = Just((0..spans.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(spans), order)
        })
    }

    fn children_first(spans: &[Made]) -> Vec<usize> {
        (0..spans.len()).rev().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn whatever_the_order_of_ending_the_rule_holds((spans, order) in trees()) {
            // What is LLM only by its end can't be known to spans that ended before it, unless parents end last.
            let expected = reference(&spans);
            prop_assert_eq!(&run(&spans, &children_first(&spans), &mut Tree::new(LIMITS)), &expected);
            prop_assert_eq!(&run(&spans, &order, &mut Tree::new(LIMITS)), &expected);
        }

        #[test]
        fn exactly_one_entry_on_every_path_that_has_an_llm_span((mut spans, order) in trees()) {
            for s in &mut spans {
                s.mark = s.mark.filter(|m| *m);
            }
            let entries = run(&spans, &order, &mut Tree::new(LIMITS));
            let is_leaf = |n: usize| spans.iter().all(|s| s.parent != Some(n));
            for leaf in (0..spans.len()).filter(|n| is_leaf(*n)) {
                let path: Vec<_> = std::iter::successors(Some(leaf), |n| spans[*n].parent).collect();
                let count = path.iter().filter(|n| entries[**n]).count();
                let counts = path.iter().any(|n| spans[*n].llm || spans[*n].mark == Some(true));
                prop_assert_eq!(count, usize::from(counts), "path {:?} of {:?}", path, spans);
            }
        }
    }
}
