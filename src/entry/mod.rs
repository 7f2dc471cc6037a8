//! The trace tree and the entry: which span is the outermost of each LLM segment. A state machine; no span's content
//! passes through here.
//!
//! The rule, for a finished trace:
//!
//! - A span that is marked `true` and has no marked ancestor is an **entry**, whatever else stands above it. Marks below it are
//!   copies that were inherited.
//! - An LLM span without an LLM ancestor and without a marked one is an entry, unless it says `false` itself or a span below
//!   it is marked.
//!
//! At most one on each path; exactly one in a segment without marks, its outermost LLM span. A segment with marks has those
//! that were marked and no other, and `false` on the outermost LLM span leaves its segment without an inferred entry. What stands
//! below a remote parent that is inside a segment has its entry in another process. Where a parent was never seen, the span may
//! know better than the tree ([`Ended::root`]). Several segments below one span that is not LLM: [`Siblings`].
//!
//! Spans end before their parents do. So a candidate is held until no ancestor can take its place: one span for each open
//! segment. Everything else is decided the moment it ends. A mark that comes after an entry of its path was decided is dropped
//! and counted. No clock of a span is read: only ids, and the order of the calls.

mod paths;
mod people;
mod trace;

#[cfg(test)]
mod growth;
#[cfg(test)]
mod tests;

use crate::hash::{Hash, HashMap, HashSet};
use crate::json::read::read_enum;
use crate::span::{NO_PARENT, SpanId, TraceId};
use lru::LruCache;
use std::collections::VecDeque;
use trace::{COST, IS_INSIDE, IS_LLM, IS_MARKED, MAY_BE_LLM, Node, State, TOKENS, Trace, kept_by};

/// Which of several segments below one span that is not LLM have an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Siblings {
    /// Each, as Tencent's own agent does.
    #[default]
    Each,
    /// The marked ones; where none is, the one that started first.
    First,
    /// None of them where they are two or more and none is marked: the span above them, in their place.
    CommonAncestor,
}

read_enum!(Siblings { "each" => Siblings::Each, "first" => Siblings::First, "common-ancestor" => Siblings::CommonAncestor, });

/// Bounds of the tree.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a candidate is held at most, in ms.
    pub hold_ms: f64,
    /// How many candidates are held at most; past it the oldest is decided.
    pub held: usize,
    /// How many spans are remembered at most; past it the trace that was touched least recently is forgotten, or what is finished
    /// of a trace that has many.
    pub spans: usize,
}

/// A set of destinations, by their indexes.
pub type Destinations = u32;

/// What is known of a span when it starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Started<'p> {
    /// Its trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Its parent, [`NO_PARENT`] for none.
    pub parent_id: SpanId,
    /// It is LLM and can open a segment, as far as its start tells.
    pub llm: bool,
    /// It is a span of an LLM library: only its end tells whether it is LLM. Until then candidates below it wait, and requests that are
    /// made inside it count as made inside a segment.
    pub may_be_llm: bool,
    /// Its parent lives in another process, inside an LLM segment.
    pub inside_segment: bool,
    /// The LLM span there that it is below, [`NO_PARENT`] if nobody says which.
    pub caller: SpanId,
    /// As [`Ended::patient`].
    pub patient: bool,
    /// The session and the user that it names, and the model.
    pub people: [Option<&'p [u8]>; 3],
    /// Who gets it, as far as its start tells.
    pub kept: Destinations,
}

/// What is known of a span when it ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ended {
    /// Its trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Its parent, [`NO_PARENT`] for none.
    pub parent_id: SpanId,
    /// It is LLM and can open a segment.
    pub llm: bool,
    /// `gen_ai.is_entry` as it says itself.
    pub mark: Option<bool>,
    /// Its parent lives in another process.
    pub remote: bool,
    /// The LLM span in another process that it is below, as its trace state has it ([`caller`]).
    pub caller: Option<SpanId>,
    /// Its instrumentation says that it is the outermost of its kind, or that it is not; counts where the parent is not known.
    pub root: Option<bool>,
    /// A parent that is not known may still come: it was read from a body, not watched as it ran.
    pub patient: bool,
    /// Who gets it.
    pub kept: Destinations,
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

/// Why a span is, or is not, the entry of its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The entry: it is marked, and no span above it is.
    Marked,
    /// The entry: the outermost LLM span of a segment without marks.
    Outermost,
    /// The entry: not LLM, and in place of the segments below it ([`Siblings::CommonAncestor`]).
    InPlaceOfSegments,
    /// It says `false`.
    Refuses,
    /// Neither LLM nor marked.
    NotLlm,
    /// It is marked, and so is a span above it.
    CopiedMark,
    /// It is marked, but an entry of its path had been decided before.
    LateMark,
    /// A span above it is marked.
    BelowMark,
    /// A span above it is LLM.
    BelowLlm,
    /// A span below it is marked.
    AboveMark,
    /// The process was called from inside a segment.
    CalledFromSegment,
    /// Its parent is not known, and its instrumentation saw a span above it.
    NotRoot,
    /// Another span of the trace is the entry.
    Elsewhere,
}

impl Reason {
    /// Returns true if the span is an entry.
    pub fn is_entry(self) -> bool {
        matches!(self, Reason::Marked | Reason::Outermost | Reason::InPlaceOfSegments)
    }
}

/// What the bounds did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Candidates that were decided because they were held too long.
    pub hold_expired: u64,
    /// Candidates that were decided because too many were held.
    pub hold_overflow: u64,
    /// Marks that were dropped because an entry of their path had been decided before.
    pub late_marks: u64,
    /// Traces that were forgotten because too many spans were remembered.
    pub traces_evicted: u64,
    /// Spans of a trace with too many that were forgotten, all below them being finished.
    pub spans_forgotten: u64,
}

/// Input and output tokens.
pub type Tokens = [i64; 2];

/// The usage that a span reports as its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Input and output tokens, 0 where it reports none.
    pub tokens: Tokens,
    /// It reports tokens of any kind.
    pub has_tokens: bool,
    /// It reports a cost.
    pub has_cost: bool,
    /// It is not a call of a model but runs such calls: an agent, a workflow, a tool. Its usage is that of the spans below it, if they
    /// report any.
    pub sums: bool,
}

/// The parts of a span's usage that spans below it report too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Its tokens.
    pub tokens: bool,
    /// Its cost.
    pub cost: bool,
}

/// The tree of all live and recent traces.
#[derive(Debug)]
pub struct Tree {
    limits: Limits,
    siblings: Siblings,
    traces: LruCache<TraceId, Trace, Hash>,
    spans: usize,
    held: usize,
    /// When each held candidate is decided at the latest; those decided before are skipped.
    deadlines: VecDeque<(f64, TraceId, SpanId)>,
    resolved: VecDeque<(TraceId, SpanId, bool)>,
    counts: Counts,
}

impl Tree {
    /// An empty tree.
    pub fn new(limits: Limits, siblings: Siblings) -> Self {
        Tree {
            limits,
            siblings,
            traces: LruCache::unbounded_with_hasher(Hash::default()),
            spans: 0,
            held: 0,
            deadlines: VecDeque::new(),
            resolved: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// A span started.
    pub fn start(&mut self, started: Started) {
        let trace = self.traces.get_or_insert_mut(started.trace_id, || Trace::new(self.siblings));
        let before = [trace.nodes.len(), trace.held];
        let order = trace.next_order();
        if started.patient && started.parent_id != NO_PARENT {
            trace.nodes.entry(started.parent_id).or_insert(Node::AWAITED);
        }
        let node = trace.nodes.entry(started.span_id).or_insert(Node::AWAITED);
        let (noted, first, below, held) = (node.noted, node.first, node.below, node.held);
        // An id that was given out twice: what is below either of them is below the second from now on.
        *node = Node {
            parent_id: started.parent_id,
            llm: started.llm,
            may_be_llm: started.may_be_llm,
            inside_segment: started.inside_segment,
            caller: started.caller,
            kept: started.kept,
            patient: started.patient,
            order,
            state: State::Live,
            noted,
            first,
            below,
            held,
            ..Node::AWAITED
        };
        let notes = node.notes_for_parent();
        trace.sync(started.span_id);
        trace.note(started.parent_id, notes, first);
        trace.introduce(started.span_id, started.people);
        self.finish(started.trace_id, before);
        self.forget(started.trace_id);
    }

    /// Finds out what of a span's usage spans below it report too: an instrumentation of a client below that of a framework counts the same
    /// call once more, and agents report the sum of their calls, or of some of them. To be asked of every span when it ends, before
    /// [`Tree::end`]. What a span used that not every destination gets (not `everywhere`) takes nothing from those above: where it is
    /// missing they have the only count.
    pub fn repeats(&mut self, trace_id: TraceId, span_id: SpanId, parent_id: SpanId, used: Usage, everywhere: bool) -> Repeated {
        let Some(trace) = self.traces.peek_mut(&trace_id) else { return Repeated::default() };
        let node = trace.nodes.get(&span_id);
        let has_ended = node.is_some_and(|node| node.state == State::Ended);
        let (below, noted) = node.map_or(([0; 2], 0), |node| (node.below, node.noted));
        let same = used.tokens == below && below != [0; 2];
        let tokens = if used.sums { noted & TOKENS != 0 } else { same };
        let repeated = Repeated { tokens, cost: (used.sums || same) && noted & COST != 0 };
        // Delivered once more: what it used is counted.
        if has_ended {
            return repeated;
        }
        let own = if everywhere && !repeated.tokens { used.tokens } else { [0; 2] };
        if let Some(parent) = trace.nodes.get_mut(&parent_id) {
            for i in [0, 1] {
                parent.below[i] = parent.below[i].saturating_add(own[i]).saturating_add(below[i]);
            }
        }
        let mut what = 0;
        if everywhere {
            what |= if used.has_tokens { TOKENS } else { 0 };
            what |= if used.has_cost { COST } else { 0 };
        }
        trace.note(parent_id, what, NO_PARENT);
        repeated
    }

    /// A span ended. Gives what it is, and who gets it: those that [`Ended::kept`] names, and those where spans below it rely on it.
    pub fn end(&mut self, ended: Ended, now: f64) -> (Decision, Destinations) {
        let Ended { trace_id, span_id, parent_id, .. } = ended;
        let trace = self.traces.get_or_insert_mut(trace_id, || Trace::new(self.siblings));
        let before = [trace.nodes.len(), trace.held];
        let order = trace.next_order();
        let node = trace.nodes.entry(span_id).or_insert(Node::AWAITED);
        let kept = node.kept;
        if node.state == State::Ended {
            // Delivered once more, or another span of the same id. Out of bodies it is the former: one that waits goes on waiting.
            let again = node.parent_id == parent_id;
            let waits = again && ended.patient && node.held;
            let decision = match node.decided {
                Some(reason) if again && reason.is_entry() => Decision::Entry,
                None if waits => Decision::Hold,
                _ => Decision::Plain,
            };
            return (decision, kept);
        }
        if node.state == State::Awaited {
            (node.parent_id, node.order) = (parent_id, order);
        }
        // What it was can say otherwise than how it began.
        (node.llm, node.mark, node.state) = (ended.llm, ended.mark, State::Ended);
        node.may_be_llm = false;
        (node.remote, node.root, node.patient) = (ended.remote, ended.root, ended.patient);
        if let Some(caller) = ended.caller {
            (node.inside_segment, node.caller) = (true, caller);
        }
        node.kept = ended.kept | node.relied;
        let (above, notes, first, kept) = (node.parent_id, node.notes_for_parent(), node.first, node.kept);
        let is_twin = node.held;
        trace.ended += 1;
        trace.sync(span_id);
        trace.note(above, notes, first);
        trace.release(span_id);
        let decision = match trace.judge(span_id) {
            _ if is_twin => Decision::Plain,
            Ok(Some(ancestor)) => {
                trace.wait(span_id, ancestor);
                self.deadlines.push_back((now + self.limits.hold_ms, trace_id, span_id));
                Decision::Hold
            }
            verdict if trace.settle(span_id, verdict) => Decision::Entry,
            _ => Decision::Plain,
        };
        self.finish(trace_id, before);
        while self.held > self.limits.held {
            if !self.decide_oldest() {
                break;
            }
        }
        self.forget(trace_id);
        (decision, kept)
    }

    /// Counts what a call did to a trace, and hands on the candidates that it decided. `before`: its spans and candidates before the call.
    fn finish(&mut self, trace_id: TraceId, [spans, held]: [usize; 2]) {
        let Some(trace) = self.traces.peek_mut(&trace_id) else { return };
        self.spans = self.spans + trace.nodes.len() - spans;
        self.held = self.held + trace.held - held;
        self.counts.late_marks += std::mem::take(&mut trace.late_marks);
        self.resolved.extend(trace.resolved.drain(..).map(|(span_id, entry)| (trace_id, span_id, entry)));
    }

    /// Decides a candidate by what is known now.
    fn decide(&mut self, trace_id: TraceId, span_id: SpanId) -> bool {
        let Some(trace) = self.traces.peek_mut(&trace_id) else { return false };
        let before = [trace.nodes.len(), trace.held];
        let decided = trace.decide(span_id);
        self.finish(trace_id, before);
        decided
    }

    /// Decides the candidate that has been held longest, since too many are, or too large ones. False: none is held.
    pub fn decide_oldest(&mut self) -> bool {
        let decided = self.pop_oldest();
        self.counts.hold_overflow += u64::from(decided);
        decided
    }

    fn pop_oldest(&mut self) -> bool {
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
            let settled = self.traces.peek(&trace_id).is_none_or(|trace| !trace.is_held(span_id));
            // A clock that was set back must not hold a candidate for longer than the limit.
            if !settled && deadline > now && deadline - now <= self.limits.hold_ms {
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
        while self.pop_oldest() {}
    }

    /// When [`Tree::tick`] has something to do, in ms; `None`: nothing is held.
    pub fn wake(&self) -> Option<f64> {
        self.deadlines.front().filter(|_| self.held > 0).map(|(deadline, ..)| *deadline)
    }

    /// The next candidate that was decided, and whether it is an entry. To be drained after every call that may decide.
    pub fn resolved(&mut self) -> Option<(TraceId, SpanId, bool)> {
        self.resolved.pop_front()
    }

    /// Why a span is, or is not, the entry; `None`: it is not decided, or not remembered.
    pub fn reason(&self, trace_id: TraceId, span_id: SpanId) -> Option<Reason> {
        self.traces.peek(&trace_id)?.nodes.get(&span_id)?.decided
    }

    /// Is a span of the trace remembered?
    pub fn knows_trace(&self, trace_id: TraceId) -> bool {
        self.traces.contains(&trace_id)
    }

    /// Is the span remembered?
    pub fn knows(&self, trace_id: TraceId, span_id: SpanId) -> bool {
        self.traces.peek(&trace_id).and_then(|trace| trace.known(span_id)).is_some()
    }

    /// The LLM span that a span is, or is below, in this process or in the one that called it ([`NO_PARENT`]: nobody says which);
    /// `None`: it is part of no segment. What callback handlers trace, LangChain's among them, is not current while it runs: a span beside an
    /// open segment counts as below it.
    pub fn segment(&mut self, trace_id: TraceId, span_id: SpanId) -> Option<SpanId> {
        let trace = self.traces.peek_mut(&trace_id)?;
        if let Some(id) = trace.nearest(span_id, IS_LLM | MAY_BE_LLM | IS_MARKED | IS_INSIDE) {
            return trace.nodes.get(&id).map(|node| if node.inside_segment { node.caller } else { id });
        }
        let mut above = HashSet::default();
        let mut at = span_id;
        // A cycle of parents ends like a root does.
        while let Some(node) = trace.known(at).filter(|_| above.insert(at)) {
            at = node.parent_id;
        }
        let open = trace.nodes.iter().filter(|(_, node)| node.state == State::Live && (node.llm || node.may_be_llm));
        open.filter(|(_, node)| above.contains(&node.parent_id)).min_by_key(|(_, node)| node.order).map(|(id, _)| *id)
    }

    /// The nearest ancestor, from `parent_id` on, that the destination gets; [`NO_PARENT`]: none. A live one on which this is relied must
    /// go out. A parent that is not known, in another process or forgotten, counts as one that it gets, but not where there are spans
    /// between that it does not get: who takes no HTTP spans here takes none there. Then it is the LLM span that called, if that is known.
    pub fn kept_parent(&mut self, trace_id: TraceId, parent_id: SpanId, destination: Destinations) -> SpanId {
        let Some(trace) = self.traces.peek_mut(&trace_id) else { return parent_id };
        if trace.known(parent_id).is_none() {
            return parent_id;
        }
        let Some(kept) = trace.nearest(parent_id, kept_by(destination)) else {
            let top = trace.top(parent_id).and_then(|top| trace.nodes.get(&top));
            return top.map_or(NO_PARENT, |top| top.caller);
        };
        if let Some(node) = trace.nodes.get_mut(&kept) {
            node.relied |= destination;
        }
        kept
    }

    fn forget(&mut self, trace_id: TraceId) {
        while self.spans > self.limits.spans {
            let large = self.traces.peek_mut(&trace_id).filter(|trace| trace.ended * 4 > self.limits.spans);
            if let Some(trace) = large {
                let forgotten = trace.prune();
                self.spans -= forgotten;
                self.counts.spans_forgotten += forgotten as u64;
                continue;
            }
            let Some((evicted, mut trace)) = self.traces.pop_lru() else { return };
            self.spans -= trace.nodes.len();
            self.held -= trace.held;
            self.counts.traces_evicted += 1;
            trace.decide_all();
            self.counts.late_marks += trace.late_marks;
            self.resolved.extend(trace.resolved.into_iter().map(|(span_id, entry)| (evicted, span_id, entry)));
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

/// The LLM span from inside of whose segment the process was called, as a span's trace state says it: what genspan's propagator writes,
/// `genspan=llm:` and the id in hex, or `genspan=llm` ([`NO_PARENT`]).
pub fn caller(trace_state: &[u8]) -> Option<SpanId> {
    let mut members = trace_state.split(|b| *b == b',').map(<[u8]>::trim_ascii);
    let id = members.find_map(|member| member.strip_prefix(b"genspan=llm"))?;
    let hex = match id.split_first() {
        None => return Some(NO_PARENT),
        Some((b':', hex)) if hex.len() == 16 => std::str::from_utf8(hex).ok()?,
        Some(_) => return None,
    };
    u64::from_str_radix(hex, 16).ok().map(u64::to_be_bytes)
}

/// Counts the steps of the tree's work, in its own tests.
#[inline(always)]
fn step() {
    #[cfg(test)]
    growth::STEPS.with(|steps| steps.set(steps.get() + 1));
}

/// The order in which to end the spans of a body: children before their parents, wherever they stand in it and whatever their clocks
/// say. Those whose parents make a cycle come last. `spans`: trace, span and parent of each.
pub fn children_first(spans: &[(TraceId, SpanId, SpanId)]) -> Vec<usize> {
    let id = |trace: &TraceId, span: &SpanId| {
        let mut id = [0; 24];
        id[..16].copy_from_slice(trace);
        id[16..].copy_from_slice(span);
        id
    };
    let ids: Vec<_> = spans.iter().map(|(trace, span, _)| id(trace, span)).collect();
    // By slices, as other maps are: another kind of key is 1.6 KB of the module.
    let mut at = HashMap::<&[u8], usize>::default();
    for (i, id) in ids.iter().enumerate() {
        at.insert(id, i);
    }
    let parents: Vec<_> = spans.iter().map(|(trace, _, parent)| at.get(&id(trace, parent)[..]).copied()).collect();
    let mut open = vec![0u32; spans.len()];
    for &parent in parents.iter().flatten() {
        open[parent] += 1;
    }
    let mut order: Vec<usize> = (0..spans.len()).filter(|&i| open[i] == 0).collect();
    let mut next = 0;
    while let Some(&i) = order.get(next) {
        next += 1;
        if let Some(parent) = parents[i] {
            open[parent] -= 1;
            if open[parent] == 0 {
                order.push(parent);
            }
        }
    }
    order.extend((0..spans.len()).filter(|&i| open[i] > 0));
    order
}
