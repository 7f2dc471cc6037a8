//! One trace: its known spans, and the role of each for the entry.

use super::paths::{Bits, Paths};
use super::people::People;
use super::{Destinations, Reason, Siblings, Tokens, step};
use crate::hash::{HashMap, HashSet};
use crate::span::{NO_PARENT, SpanId};
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has not been seen itself, but spans below it have.
    Awaited,
    Live,
    Ended,
}

/// Note: a span below was decided to be an entry.
pub(super) const ENTRY: u8 = 1;
/// Note: a span below is marked, in a process that was not called from inside a segment.
pub(super) const MARK: u8 = 2;
/// Note: a span below reports its own tokens.
pub(super) const TOKENS: u8 = 4;
/// Note: a span below reports its own cost.
pub(super) const COST: u8 = 8;
/// A span right below has opened a segment, which may still be open: see [`Trace::open_below`]. This is not noted of the spans above.
pub(super) const OPEN: u8 = 16;

pub(super) const IS_KNOWN: Bits = 1;
pub(super) const IS_LIVE: Bits = 1 << 1;
pub(super) const IS_LLM: Bits = 1 << 2;
pub(super) const IS_MARKED: Bits = 1 << 3;
pub(super) const IS_ENTRY: Bits = 1 << 4;
pub(super) const IS_INSIDE: Bits = 1 << 5;
pub(super) const HAS_FIRST: Bits = 1 << 6;
pub(super) const HAS_NAMES: Bits = 1 << 7;
pub(super) const MAY_BE_LLM: Bits = 1 << 8;
pub(super) const HAS_OPEN: Bits = 1 << 9;

/// The property of being received by one of these destinations.
pub(super) fn kept_by(destinations: Destinations) -> Bits {
    Bits::from(destinations) << 32
}

/// Why a candidate is not an entry; otherwise the ancestor that it has to wait for, if any.
pub(super) type Verdict = Result<Option<SpanId>, Reason>;

/// Number of ancestors that are visited one by one before [`Paths`] are built; few traces are deeper. Tests use a small number.
const STEPS: usize = if cfg!(test) { 3 } else { 32 };

#[derive(Debug)]
pub(super) struct Node {
    pub parent_id: SpanId,
    pub state: State,
    pub llm: bool,
    /// It is running, and may turn out to be an LLM span.
    pub may_be_llm: bool,
    pub mark: Option<bool>,
    pub remote: bool,
    /// The remote parent is inside an LLM segment, so the entry is in another process.
    pub inside_segment: bool,
    /// The LLM span there, if it is known.
    pub caller: SpanId,
    pub root: Option<bool>,
    pub patient: bool,
    /// Notes about the spans below it: [`ENTRY`], [`MARK`], [`TOKENS`], [`COST`]. A note on a span is also on
    /// all spans above it.
    pub noted: u8,
    /// It counts as an LLM span because it replaces the segments below it.
    pub in_place: bool,
    /// It is a waiting candidate.
    pub held: bool,
    /// Whether and why it is an entry, once that is decided.
    pub decided: Option<Reason>,
    /// Its position in the order in which the spans of the trace were first seen.
    pub order: u32,
    /// With [`Siblings::First`]: the span below it that may be an entry.
    pub first: SpanId,
    pub kept: Destinations,
    /// The destinations at which spans below it were exported as its children.
    pub relied: Destinations,
    /// A hash of it as it came in a body; 0: it did not come in one.
    pub print: u32,
    /// The tokens of the spans below it, each counted once.
    pub below: Tokens,
    pub people: People,
}

impl Node {
    pub const AWAITED: Node = Node {
        parent_id: NO_PARENT,
        state: State::Awaited,
        llm: false,
        may_be_llm: false,
        mark: None,
        remote: false,
        inside_segment: false,
        caller: NO_PARENT,
        root: None,
        patient: false,
        noted: 0,
        in_place: false,
        held: false,
        decided: None,
        order: 0,
        first: NO_PARENT,
        kept: 0,
        relied: 0,
        print: 0,
        below: [0; 2],
        people: [(0, 0); 3],
    };

    /// The notes that this span and the spans below it cause on the spans above.
    pub fn notes_for_parent(&self) -> u8 {
        let marked = if self.is_marked() { MARK } else { 0 };
        // In a segment of another process, a mark has no effect.
        (self.noted & !OPEN | marked) & if self.inside_segment { !MARK } else { u8::MAX }
    }

    pub fn is_marked(&self) -> bool {
        self.mark == Some(true)
    }

    fn is_entry(&self) -> bool {
        self.decided.is_some_and(Reason::is_entry)
    }

    fn properties(&self) -> Bits {
        let has_first = if self.first == NO_PARENT { 0 } else { HAS_FIRST };
        if self.state == State::Awaited {
            return has_first;
        }
        let flags = [
            (self.state == State::Live, IS_LIVE),
            (self.llm, IS_LLM),
            (self.is_marked(), IS_MARKED),
            (self.is_entry(), IS_ENTRY),
            (self.inside_segment, IS_INSIDE),
            (self.people != People::default(), HAS_NAMES),
            (self.may_be_llm, MAY_BE_LLM),
            (self.noted & OPEN != 0, HAS_OPEN),
        ];
        flags.iter().filter(|(has, _)| *has).fold(IS_KNOWN | has_first | kept_by(self.kept), |all, (_, bit)| all | bit)
    }

    /// The reason for a candidate that is decided to be an entry.
    fn entry_reason(&self) -> Reason {
        match self.mark {
            Some(true) => Reason::Marked,
            _ if self.in_place => Reason::InPlaceOfSegments,
            _ => Reason::Outermost,
        }
    }

    /// Why it is not an entry according to itself and the spans below it; `None` if it is a candidate.
    fn refusal(&self) -> Option<Reason> {
        match self.mark {
            Some(false) => Some(Reason::Refuses),
            None if !self.llm => Some(Reason::NotLlm),
            None if self.noted & MARK != 0 => Some(Reason::AboveMark),
            None if self.noted & ENTRY != 0 => Some(Reason::Elsewhere),
            Some(true) if self.noted & ENTRY != 0 => Some(Reason::LateMark),
            _ if self.inside_segment => Some(Reason::CalledFromSegment),
            _ => None,
        }
    }

    /// Why a candidate below it, marked or not, is not an entry; `None` if this span has no effect.
    fn refusal_below(&self, marked: bool) -> Option<Reason> {
        match marked {
            true if self.is_marked() => Some(Reason::CopiedMark),
            false if self.is_marked() => Some(Reason::BelowMark),
            false if self.llm => Some(Reason::BelowLlm),
            true if self.is_entry() => Some(Reason::LateMark),
            _ if self.inside_segment => Some(Reason::CalledFromSegment),
            _ => None,
        }
    }
}

/// Candidates that wait for the same ancestor. The ancestor and the spans above it decide the same for all marked ones, and for all
/// unmarked ones. Some may have been decided meanwhile.
#[derive(Debug, Default)]
pub(super) struct Group {
    marked: Vec<SpanId>,
    inferred: Vec<SpanId>,
}

#[derive(Debug)]
pub(super) struct Trace {
    pub nodes: HashMap<SpanId, Node>,
    siblings: Siblings,
    /// The waiting candidates, by the ancestor that they wait for.
    waiting: HashMap<SpanId, Group>,
    /// The live LLM spans below known ones, and some that have ended since, by their parent and in the order in which they started.
    open: Option<Box<HashMap<SpanId, VecDeque<SpanId>>>>,
    /// The number of waiting candidates.
    pub held: usize,
    /// Candidates that waited and were decided, and whether each is an entry.
    pub resolved: Vec<(SpanId, bool)>,
    /// Late marks that are not counted yet.
    pub late_marks: u64,
    /// The number of spans that have ended since finished spans were last forgotten.
    pub ended: usize,
    /// The texts of the sessions and users of its spans, concatenated.
    pub texts: Vec<u8>,
    orders: u32,
    /// Finished spans were forgotten, so an unknown parent may be one of them.
    pruned: bool,
    /// Built once a path was long.
    paths: Option<Box<Paths>>,
}

impl Trace {
    pub fn new(siblings: Siblings) -> Self {
        Trace {
            nodes: HashMap::default(),
            siblings,
            waiting: HashMap::default(),
            open: None,
            held: 0,
            resolved: Vec::new(),
            late_marks: 0,
            ended: 0,
            texts: Vec::new(),
            orders: 0,
            pruned: false,
            paths: None,
        }
    }

    pub fn next_order(&mut self) -> u32 {
        self.orders = self.orders.wrapping_add(1);
        self.orders
    }

    /// A span that has been seen.
    pub fn known(&self, span_id: SpanId) -> Option<&Node> {
        self.nodes.get(&span_id).filter(|node| node.state != State::Awaited)
    }

    /// Call it for a span that is new, or whose parent or properties have changed.
    pub fn sync(&mut self, span_id: SpanId) {
        if let Some(paths) = &mut self.paths
            && let Some(node) = self.nodes.get(&span_id)
        {
            paths.put(span_id, node.parent_id, node.properties());
        }
    }

    fn paths(&mut self) -> &mut Paths {
        self.paths.get_or_insert_with(|| {
            let mut paths = Box::<Paths>::default();
            self.nodes.iter().for_each(|(id, node)| paths.put(*id, node.parent_id, node.properties()));
            paths
        })
    }

    /// The nearest span with one of the properties, from `from` upwards.
    pub fn nearest(&mut self, from: SpanId, wanted: Bits) -> Option<SpanId> {
        let mut at = from;
        for _ in 0..STEPS {
            step();
            let node = self.nodes.get(&at).filter(|_| at != NO_PARENT)?;
            if node.properties() & wanted != 0 {
                return Some(at);
            }
            at = node.parent_id;
        }
        self.paths().nearest(at, wanted)
    }

    /// The topmost known span, from `from` upwards. A cycle of parents ends like a root.
    pub fn top(&mut self, from: SpanId) -> Option<SpanId> {
        let mut at = from;
        for _ in 0..STEPS {
            step();
            let parent_id = self.known(at)?.parent_id;
            if parent_id == NO_PARENT || self.known(parent_id).is_none() {
                return Some(at);
            }
            at = parent_id;
        }
        self.paths().top(at, IS_KNOWN)
    }

    /// Evaluates a candidate by the spans above `from`.
    fn above(&mut self, from: SpanId, marked: bool) -> Verdict {
        let parent_id = self.nodes.get(&from).map_or(NO_PARENT, |node| node.parent_id);
        let refuses = IS_MARKED | IS_INSIDE | if marked { IS_ENTRY } else { IS_LLM };
        if let Some(ancestor) = self.nearest(parent_id, refuses)
            && let Some(reason) = self.nodes.get(&ancestor).and_then(|node| node.refusal_below(marked))
        {
            return Err(reason);
        }
        let live = self.nearest(parent_id, IS_LIVE);
        let top = self.top(from).and_then(|top| self.nodes.get(&top));
        let Some(top) = top.filter(|top| top.parent_id != NO_PARENT && self.known(top.parent_id).is_none()) else { return Ok(live) };
        if !marked && !top.remote {
            // The hold window for this parent has already expired once and produced an entry below it. Later spans below it belong to the same
            // segment, unless the topmost span there has a better statement or was called from another process.
            let has_entry = |node: &Node| node.noted & ENTRY != 0;
            let taken = top.patient && top.root.is_none() && self.nodes.get(&top.parent_id).is_some_and(has_entry);
            if self.pruned && top.root != Some(false) || taken {
                return Err(Reason::Elsewhere);
            }
        }
        if !marked && top.root == Some(false) {
            return Err(Reason::NotRoot);
        }
        Ok(live.or(top.patient.then_some(top.parent_id)))
    }

    /// With [`Siblings::First`]: whether another span below one of those above `from` is the entry.
    fn is_second(&mut self, span_id: SpanId, from: SpanId) -> bool {
        let parent_id = self.nodes.get(&from).map_or(NO_PARENT, |node| node.parent_id);
        let ancestor = if self.siblings == Siblings::First { self.nearest(parent_id, HAS_FIRST) } else { None };
        ancestor.and_then(|ancestor| self.nodes.get(&ancestor)).is_some_and(|ancestor| ancestor.first != span_id)
    }

    /// Decides a span by what is known now.
    pub fn judge(&mut self, span_id: SpanId) -> Verdict {
        let node = self.nodes.get(&span_id).ok_or(Reason::NotLlm)?;
        let marked = node.is_marked();
        match node.refusal() {
            Some(reason) => Err(reason),
            None if !marked && self.is_second(span_id, span_id) => Err(Reason::Elsewhere),
            None => self.above(span_id, marked),
        }
    }

    /// An LLM span started below a span that is known.
    pub fn open(&mut self, span_id: SpanId, parent_id: SpanId) {
        let Some(parent) = self.nodes.get_mut(&parent_id) else { return };
        parent.noted |= OPEN;
        self.open.get_or_insert_default().entry(parent_id).or_default().push_back(span_id);
        self.sync(parent_id);
    }

    /// The LLM span right below a span that started first of those that run.
    pub fn open_below(&mut self, parent_id: SpanId) -> Option<SpanId> {
        let mut open = self.open.as_mut();
        while let Some(below) = open.as_mut().and_then(|open| open.get_mut(&parent_id))
            && let Some(first) = below.front().copied()
        {
            step();
            if self.nodes.get(&first).is_some_and(|node| node.state == State::Live && (node.llm || node.may_be_llm)) {
                return Some(first);
            }
            below.pop_front();
        }
        open.map(|open| open.remove(&parent_id));
        if let Some(parent) = self.nodes.get_mut(&parent_id) {
            parent.noted &= !OPEN;
            self.sync(parent_id);
        }
        None
    }

    /// Holds a candidate until an ancestor ends.
    pub fn wait(&mut self, span_id: SpanId, ancestor: SpanId) {
        let Some(node) = self.nodes.get_mut(&span_id) else { return };
        node.held = true;
        self.held += 1;
        let group = self.waiting.entry(ancestor).or_default();
        if node.is_marked() { &mut group.marked } else { &mut group.inferred }.push(span_id);
    }

    /// The last of some candidates that still waits; removes the ones after it.
    fn last_held(&self, candidates: &mut Vec<SpanId>) -> Option<SpanId> {
        while let Some(candidate) = candidates.last().copied() {
            if self.is_held(candidate) {
                return Some(candidate);
            }
            candidates.pop();
        }
        None
    }

    pub fn is_held(&self, span_id: SpanId) -> bool {
        step();
        self.nodes.get(&span_id).is_some_and(|node| node.held)
    }

    /// Registers the end of a span: decides the candidates that waited for it, or lets them wait for an ancestor of it.
    pub fn release(&mut self, span_id: SpanId) {
        if self.held == 0 {
            return;
        }
        let Some(Group { mut marked, mut inferred }) = self.waiting.remove(&span_id) else { return };
        let mut marked_one = None;
        if !marked.is_empty() {
            let verdict = self.above_and_at(span_id, true);
            marked_one = if verdict.is_ok() { self.last_held(&mut marked) } else { None };
            self.pass_on(marked, verdict, true);
        }
        if !inferred.is_empty() {
            let verdict = self.above_and_at(span_id, false).and_then(|next| self.join(span_id, marked_one, &mut inferred).map(|()| next));
            self.pass_on(inferred, verdict, false);
        }
    }

    /// Like [`Trace::above`], for candidates below a span that ended.
    fn above_and_at(&mut self, span_id: SpanId, marked: bool) -> Verdict {
        match self.nodes.get(&span_id).and_then(|node| node.refusal_below(marked)) {
            Some(reason) => Err(reason),
            None => self.above(span_id, marked),
        }
    }

    /// Handles several segments below a span that ended: keeps those of the candidates that may still become entries. `marked`: a marked span parallel to them.
    fn join(&mut self, span_id: SpanId, marked: Option<SpanId>, inferred: &mut Vec<SpanId>) -> Result<(), Reason> {
        match self.siblings {
            Siblings::Each => {}
            Siblings::First => {
                inferred.retain(|candidate| self.is_held(*candidate));
                let earliest = inferred.iter().copied().min_by_key(|candidate| self.nodes.get(candidate).map(|n| n.order));
                let Some(node) = self.nodes.get_mut(&span_id) else { return Ok(()) };
                if node.first == NO_PARENT {
                    node.first = marked.or(earliest).unwrap_or(NO_PARENT);
                }
                let first = node.first;
                self.sync(span_id);
                let is_second = self.is_second(first, span_id);
                let (going_on, others) = std::mem::take(inferred).into_iter().partition(|candidate| *candidate == first && !is_second);
                *inferred = going_on;
                self.pass_on(others, Err(Reason::Elsewhere), false);
            }
            Siblings::CommonAncestor => {
                let last = self.last_held(inferred);
                inferred.pop();
                let several = self.last_held(inferred).is_some();
                inferred.extend(last);
                let Some(node) = self.nodes.get_mut(&span_id) else { return Ok(()) };
                if several && marked.is_none() && node.mark.is_none() && node.noted & (ENTRY | MARK) == 0 {
                    // It replaces the segments below it, so all later spans see it as an LLM span.
                    (node.llm, node.in_place) = (true, true);
                    self.sync(span_id);
                    return Err(Reason::BelowLlm);
                }
            }
        }
        Ok(())
    }

    /// Applies the result for the ancestors of some candidates to each of them.
    fn pass_on(&mut self, mut candidates: Vec<SpanId>, verdict: Verdict, marked: bool) {
        if candidates.is_empty() {
            return;
        }
        if let Ok(Some(ancestor)) = verdict {
            let group = self.waiting.entry(ancestor).or_default();
            let waiting = if marked { &mut group.marked } else { &mut group.inferred };
            // The smaller list is moved.
            if candidates.len() > waiting.len() {
                std::mem::swap(&mut candidates, waiting);
            }
            candidates.iter().for_each(|_| step());
            waiting.append(&mut candidates);
            return;
        }
        for candidate in candidates {
            if self.is_held(candidate) {
                self.settle(candidate, verdict);
            }
        }
    }

    /// Decides a waiting candidate by what is known now. Returns false if it does not wait.
    pub fn decide(&mut self, span_id: SpanId) -> bool {
        let waits = self.is_held(span_id);
        if waits {
            let verdict = self.judge(span_id);
            self.settle(span_id, verdict);
        }
        waits
    }

    /// Decides all waiting candidates by what is known now.
    pub fn decide_all(&mut self) {
        for (_, Group { marked, inferred }) in std::mem::take(&mut self.waiting) {
            for candidate in marked.into_iter().chain(inferred) {
                self.decide(candidate);
            }
        }
    }

    /// Records the decision about a span; true if it is an entry. A candidate that would have to wait is one.
    pub fn settle(&mut self, span_id: SpanId, verdict: Verdict) -> bool {
        let Some(node) = self.nodes.get_mut(&span_id) else { return false };
        let reason = verdict.map_or_else(|reason| reason, |_| node.entry_reason());
        let (is_entry, parent_id) = (reason.is_entry(), node.parent_id);
        node.decided = Some(reason);
        if std::mem::take(&mut node.held) {
            self.held -= 1;
            self.resolved.push((span_id, is_entry));
        }
        self.late_marks += u64::from(reason == Reason::LateMark);
        if is_entry {
            self.sync(span_id);
            self.note(parent_id, ENTRY, span_id);
        }
        is_entry
    }

    /// Adds notes to a span and all spans above it. If a note is that of an entry, also to a span that was never seen, because it may arrive
    /// late. `first`: the entry. Stops at the first span that already has all of the notes.
    pub fn note(&mut self, from: SpanId, mut what: u8, first: SpanId) {
        let mut at = from;
        while what != 0 && at != NO_PARENT {
            step();
            if what & ENTRY != 0 {
                self.nodes.entry(at).or_insert(Node::AWAITED);
            }
            let Some(node) = self.nodes.get_mut(&at).filter(|node| node.noted & what != what) else { return };
            node.noted |= what;
            if node.inside_segment {
                what &= !MARK;
            }
            let (id, refusal, is_first) = (at, node.refusal().filter(|_| node.held), node.first == NO_PARENT);
            at = node.parent_id;
            if self.siblings == Siblings::First && is_first && first != NO_PARENT {
                node.first = first;
                self.sync(id);
            }
            if let Some(reason) = refusal {
                self.settle(id, Err(reason));
            }
        }
    }

    /// Forgets the spans that have ended and have no live or waiting spans below them; returns their number.
    pub fn prune(&mut self) -> usize {
        let mut needed = HashSet::default();
        let open = self.nodes.iter().inspect(|_| step()).filter(|(_, node)| node.state == State::Live || node.held);
        for mut at in open.map(|(id, _)| *id) {
            step();
            while needed.insert(at)
                && let Some(node) = self.nodes.get(&at)
            {
                at = node.parent_id;
            }
        }
        let before = self.nodes.len();
        self.nodes.retain(|id, _| needed.contains(id));
        let nodes = &self.nodes;
        self.waiting.retain(|_, group| {
            let is_held = |candidate: &SpanId| nodes.get(candidate).is_some_and(|node| node.held);
            group.marked.retain(is_held);
            group.inferred.retain(is_held);
            !group.marked.is_empty() || !group.inferred.is_empty()
        });
        if let Some(open) = &mut self.open {
            open.retain(|parent_id, _| nodes.contains_key(parent_id));
        }
        (self.pruned, self.ended, self.paths) = (true, 0, None);
        before - self.nodes.len()
    }
}
