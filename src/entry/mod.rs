//! The trace tree and the entry: which span is the outermost of each LLM segment. A state machine; it does not see the content of
//! spans.
//!
//! The rule, for a finished trace:
//!
//! - A span that is marked `true` and has no marked ancestor is an **entry**, whatever else is above it. Marks below it are
//!   inherited copies.
//! - An LLM span without an LLM ancestor and without a marked one is an entry, unless it is marked `false` itself or a span below
//!   it is marked.
//!
//! There is at most one entry on each path, and exactly one in a segment without marks: its outermost LLM span. In a segment with
//! marks, the marked spans are the entries and no other is. `false` on the outermost LLM span leaves its segment without an inferred entry.
//! Spans below a remote parent that is inside a segment have their entry in another process. If a parent was never seen, the span's
//! instrumentation may know more than the tree ([`Ended::root`]). For several segments below one span that is not an LLM span, see [`Siblings`].
//!
//! Spans end before their parents do. So a candidate is held until no ancestor can take its place: one span for each open
//! segment. All other spans are decided when they end. A mark that arrives after an entry of its path was decided is dropped
//! and counted. The clocks of spans are not used: only ids, and the order of the calls.

mod paths;
mod people;
mod trace;

#[cfg(test)]
mod growth;
#[cfg(test)]
mod tests;

use crate::hash::{Hash, HashMap};
use crate::json::read::read_enum;
use crate::span::{NO_PARENT, SpanId, TraceId};
use crate::text::number;
use lru::LruCache;
use std::collections::VecDeque;
use trace::{COST, HAS_OPEN, IS_INSIDE, IS_LLM, IS_MARKED, MAY_BE_LLM, Node, OPEN, State, TOKENS, Trace, kept_by};

/// Which of several segments below one span that is not an LLM span have an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Siblings {
    /// Each of them, as with Tencent's own agent.
    #[default]
    Each,
    /// The marked ones; if there are none, the one that started first.
    First,
    /// If there are two or more and none is marked: the span above them instead of them.
    CommonAncestor,
}

read_enum!(Siblings { "each" => Siblings::Each, "first" => Siblings::First, "common-ancestor" => Siblings::CommonAncestor, });

/// Limits of the tree.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest time that a candidate is held, in ms.
    pub hold_ms: f64,
    /// Maximum number of held candidates; beyond it, the oldest is decided.
    pub held: usize,
    /// Maximum number of remembered spans. Beyond it, the least recently used trace is forgotten, or the finished spans of a
    /// trace that has many.
    pub spans: usize,
}

/// A set of destinations, as bits by their indexes.
pub type Destinations = u32;

/// The properties of a span that are known when it starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Started<'p> {
    /// Its trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Its parent, [`NO_PARENT`] for none.
    pub parent_id: SpanId,
    /// Whether its start attributes make it an LLM span that can open a segment.
    pub llm: bool,
    /// Whether it is a span of an LLM library that may turn out to be an LLM span at its end. Until then, candidates below it wait, and
    /// requests made inside it count as made inside a segment.
    pub may_be_llm: bool,
    /// Whether its parent is in another process, inside an LLM segment.
    pub inside_segment: bool,
    /// The LLM span there that is above this one, [`NO_PARENT`] if it is unknown.
    pub caller: SpanId,
    /// Like [`Ended::patient`].
    pub patient: bool,
    /// Its own session, user and model.
    pub people: [Option<&'p [u8]>; 3],
    /// The destinations that receive it, according to its start.
    pub kept: Destinations,
}

/// The properties of a span that are known when it ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ended {
    /// Its trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Its parent, [`NO_PARENT`] for none.
    pub parent_id: SpanId,
    /// Whether it is an LLM span that can open a segment.
    pub llm: bool,
    /// Its own `gen_ai.is_entry`.
    pub mark: Option<bool>,
    /// Whether its parent is in another process.
    pub remote: bool,
    /// The LLM span above it in another process, according to its trace state ([`caller`]).
    pub caller: Option<SpanId>,
    /// Whether its instrumentation reports it as the outermost of its kind; used only if the parent is unknown.
    pub root: Option<bool>,
    /// Whether an unknown parent may still arrive, because the span was read from a body instead of being observed.
    pub patient: bool,
    /// The destinations that receive it.
    pub kept: Destinations,
}

/// The decision about a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The entry of its segment.
    Entry,
    /// Not an entry.
    Plain,
    /// Not decided yet: [`Tree::resolved`] will return it.
    Hold,
}

/// Why a span is, or is not, the entry of its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The entry: it is marked, and no span above it is.
    Marked,
    /// The entry: the outermost LLM span of a segment without marks.
    Outermost,
    /// The entry: not an LLM span, but it replaces the segments below it ([`Siblings::CommonAncestor`]).
    InPlaceOfSegments,
    /// It is marked `false`.
    Refuses,
    /// Neither an LLM span nor marked.
    NotLlm,
    /// It is marked, and so is a span above it.
    CopiedMark,
    /// It is marked, but an entry of its path had already been decided.
    LateMark,
    /// A span above it is marked.
    BelowMark,
    /// A span above it is an LLM span.
    BelowLlm,
    /// A span below it is marked.
    AboveMark,
    /// The process was called from inside a segment.
    CalledFromSegment,
    /// Its parent is unknown, and its instrumentation saw a span above it.
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

/// Counters of decisions that the limits caused.
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
    /// Finished spans that were forgotten because their trace has too many.
    pub spans_forgotten: u64,
}

/// Input and output tokens.
pub type Tokens = [i64; 2];

/// The usage that a span reports as its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Input and output tokens, 0 if it reports none.
    pub tokens: Tokens,
    /// Whether it reports tokens of any kind.
    pub has_tokens: bool,
    /// Whether it reports a cost.
    pub has_cost: bool,
    /// Whether it runs model calls instead of being one: an agent, a workflow, a tool. Its usage is then that of the spans below it, if they
    /// report any.
    pub sums: bool,
    /// Whether an LLM span above it, if there is one, reports its usage too.
    pub told_above: bool,
}

/// The parts of a span's usage that spans below it also report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Whether the tokens are repeated.
    pub tokens: bool,
    /// Whether the cost is repeated.
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
    /// When each held candidate is decided at the latest; candidates decided earlier are skipped.
    deadlines: VecDeque<(f64, TraceId, SpanId)>,
    resolved: VecDeque<(TraceId, SpanId, bool)>,
    counts: Counts,
}

impl Tree {
    /// Creates an empty tree.
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

    /// Registers the start of a span.
    pub fn start(&mut self, started: Started) {
        let trace = self.traces.get_or_insert_mut(started.trace_id, || Trace::new(self.siblings));
        let before = [trace.nodes.len(), trace.held];
        let order = trace.next_order();
        if started.patient && started.parent_id != NO_PARENT {
            trace.nodes.entry(started.parent_id).or_insert(Node::AWAITED);
        }
        let node = trace.nodes.entry(started.span_id).or_insert(Node::AWAITED);
        let (noted, first, below, held) = (node.noted, node.first, node.below, node.held);
        // The id was used twice: spans below either of them are below the second from now on.
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
        // Nobody asks for the segment of a span out of a body.
        if (started.llm || started.may_be_llm) && !started.patient {
            trace.open(started.span_id, started.parent_id);
        }
        trace.note(started.parent_id, notes, first);
        trace.introduce(started.span_id, started.people);
        self.finish(started.trace_id, before);
        self.forget(started.trace_id);
    }

    /// Returns true if a span that has ended comes again as it was, by a hash of it. Senders that push at least once send spans again whose
    /// receipt they did not see.
    pub fn comes_again(&mut self, trace_id: TraceId, span_id: SpanId, print: u32) -> bool {
        let Some(node) = self.traces.peek_mut(&trace_id).and_then(|trace| trace.nodes.get_mut(&span_id)) else { return false };
        if node.state == State::Ended {
            return node.print == print && print != 0;
        }
        node.print = print;
        false
    }

    /// Returns the parts of a span's usage that spans below it also report: the span of a client below that of a framework counts the same
    /// call again, and agents report the sum of some or all of their calls. Call it for every span when it ends, before
    /// [`Tree::end`]. The usage of a span that not every destination receives (not `everywhere`) is not subtracted from the spans above,
    /// because at the other destinations they have the only count.
    pub fn repeats(&mut self, trace_id: TraceId, span_id: SpanId, parent_id: SpanId, used: Usage, everywhere: bool) -> Repeated {
        let Some(trace) = self.traces.peek_mut(&trace_id) else { return Repeated::default() };
        let node = trace.nodes.get(&span_id);
        let has_ended = node.is_some_and(|node| node.state == State::Ended);
        let (below, noted) = node.map_or(([0; 2], 0), |node| (node.below, node.noted));
        let same = used.tokens == below && below != [0; 2];
        let told_above = used.told_above && trace.nearest(parent_id, IS_LLM | MAY_BE_LLM).is_some();
        let tokens = told_above || if used.sums { noted & TOKENS != 0 } else { same };
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
        if everywhere && !told_above {
            what |= if used.has_tokens { TOKENS } else { 0 };
            what |= if used.has_cost { COST } else { 0 };
        }
        trace.note(parent_id, what, NO_PARENT);
        repeated
    }

    /// Registers the end of a span. Returns the decision, and the destinations that receive it: those of [`Ended::kept`], and those at which spans below it are attached to it.
    pub fn end(&mut self, ended: Ended, now: f64) -> (Decision, Destinations) {
        let Ended { trace_id, span_id, parent_id, .. } = ended;
        let trace = self.traces.get_or_insert_mut(trace_id, || Trace::new(self.siblings));
        let before = [trace.nodes.len(), trace.held];
        let order = trace.next_order();
        let node = trace.nodes.entry(span_id).or_insert(Node::AWAITED);
        let kept = node.kept;
        if node.state == State::Ended {
            // Delivered twice, or another span with the same id. From bodies it is the former; a waiting candidate goes on waiting.
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
        // The attributes at the end may contradict those at the start.
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
        if trace.nodes.get(&above).is_some_and(|parent| parent.noted & OPEN != 0) {
            trace.open_below(above);
        }
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

    /// Updates the counts after a call, and passes on the candidates that it decided. `before`: the spans and candidates of the trace before the call.
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

    /// Decides the candidate that has been held longest, because there are too many or they are too large. Returns false if none is held.
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

    /// Decides the candidates that have been held too long. `now` is in ms.
    pub fn tick(&mut self, now: f64) {
        while let Some(&(deadline, trace_id, span_id)) = self.deadlines.front() {
            let settled = self.traces.peek(&trace_id).is_none_or(|trace| !trace.is_held(span_id));
            // If the clock was set back, a candidate must still not be held for longer than the limit.
            if !settled && deadline > now && deadline - now <= self.limits.hold_ms {
                break;
            }
            self.deadlines.pop_front();
            if self.decide(trace_id, span_id) {
                self.counts.hold_expired += 1;
            }
        }
    }

    /// Decides all held candidates by what is known now, because the host flushes.
    pub fn flush(&mut self) {
        while self.pop_oldest() {}
    }

    /// When [`Tree::tick`] has something to do, in ms; `None` if nothing is held.
    pub fn wake(&self) -> Option<f64> {
        self.deadlines.front().filter(|_| self.held > 0).map(|(deadline, ..)| *deadline)
    }

    /// The next decided candidate, and whether it is an entry. Drain it after every call that may decide.
    pub fn resolved(&mut self) -> Option<(TraceId, SpanId, bool)> {
        self.resolved.pop_front()
    }

    /// Why a span is, or is not, the entry; `None` if it is undecided or not remembered.
    pub fn reason(&self, trace_id: TraceId, span_id: SpanId) -> Option<Reason> {
        self.traces.peek(&trace_id)?.nodes.get(&span_id)?.decided
    }

    /// Returns true if a span of the trace is remembered.
    pub fn knows_trace(&self, trace_id: TraceId) -> bool {
        self.traces.contains(&trace_id)
    }

    /// Returns true if the span is remembered.
    pub fn knows(&self, trace_id: TraceId, span_id: SpanId) -> bool {
        self.traces.peek(&trace_id).and_then(|trace| trace.known(span_id)).is_some()
    }

    /// The LLM span that a span is or is below, in this process or in the calling one ([`NO_PARENT`] if its id is unknown);
    /// `None` if it belongs to no segment. Spans of callback handlers, LangChain's among them, are not current while they run, so a span parallel to an
    /// open segment counts as below it: to the nearest one, and of those below the same parent to the one that started first.
    pub fn segment(&mut self, trace_id: TraceId, span_id: SpanId) -> Option<SpanId> {
        let trace = self.traces.peek_mut(&trace_id)?;
        if let Some(id) = trace.nearest(span_id, IS_LLM | MAY_BE_LLM | IS_MARKED | IS_INSIDE) {
            return trace.nodes.get(&id).map(|node| if node.inside_segment { node.caller } else { id });
        }
        while let Some(above) = trace.nearest(span_id, HAS_OPEN) {
            if let Some(open) = trace.open_below(above) {
                return Some(open);
            }
        }
        None
    }

    /// The nearest ancestor, from `parent_id` on, that the destination receives; [`NO_PARENT`] if there is none. A live ancestor that is returned must be
    /// exported. An unknown parent (in another process, or forgotten) counts as received, unless there are spans in between that the destination does
    /// not receive: a destination that gets no HTTP spans here gets none there. Then the result is the calling LLM span, if it is known.
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

    /// Number of held candidates.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Number of remembered spans.
    pub fn tracked(&self) -> usize {
        self.spans
    }

    /// The counters so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

/// The LLM span from inside whose segment the process was called, according to a span's trace state: `genspan=llm:` and the id in hex,
/// as written by genspan's propagator, or `genspan=llm` ([`NO_PARENT`]).
pub fn caller(trace_state: &[u8]) -> Option<SpanId> {
    let mut members = trace_state.split(|b| *b == b',').map(<[u8]>::trim_ascii);
    let id = members.find_map(|member| member.strip_prefix(b"genspan=llm"))?;
    let hex = match id.split_first() {
        None => return Some(NO_PARENT),
        Some((b':', hex)) if hex.len() == 16 => hex,
        Some(_) => return None,
    };
    number::from_hex(hex).map(u64::to_be_bytes)
}

/// Counts the steps of the tree's work, in its own tests.
#[inline(always)]
fn step() {
    #[cfg(test)]
    growth::STEPS.with(|steps| steps.set(steps.get() + 1));
}

/// The order in which to end the spans of a body: children before their parents, whatever their positions and clocks.
/// Spans whose parents form a cycle come last. `spans`: trace, span and parent of each.
pub fn children_first(spans: &[(TraceId, SpanId, SpanId)]) -> Vec<usize> {
    let id = |trace: &TraceId, span: &SpanId| {
        let mut id = [0; 24];
        id[..16].copy_from_slice(trace);
        id[16..].copy_from_slice(span);
        id
    };
    let ids: Vec<_> = spans.iter().map(|(trace, span, _)| id(trace, span)).collect();
    // Uses slices as keys, like other maps: another type of key would add 1.6 KB to the module.
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
