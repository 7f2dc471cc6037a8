//! One trace as far as it is known: its spans, and what each of them is to the entry.

use super::people::People;
use super::{Counts, Destinations, Reason, Siblings, Tokens};
use crate::hash::{HashMap, HashSet};
use crate::span::{NO_PARENT, SpanId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has not been seen: spans below it were.
    Awaited,
    Live,
    Ended,
}

/// A span below was decided to be an entry.
pub(super) const ENTRY: u8 = 1;
/// A span below is marked, in this process or at the least not in one that was called from inside a segment.
pub(super) const MARK: u8 = 2;
/// A span below reports tokens of its own.
pub(super) const TOKENS: u8 = 4;
/// A span below reports a cost of its own.
pub(super) const COST: u8 = 8;

#[derive(Debug)]
pub(super) struct Node {
    pub parent_id: SpanId,
    pub state: State,
    pub llm: bool,
    /// It runs, and may turn out to be LLM.
    pub may_be_llm: bool,
    pub mark: Option<bool>,
    pub remote: bool,
    /// The remote parent is inside an LLM segment: the entry is in another process.
    pub inside_segment: bool,
    /// The LLM span there, if that is known.
    pub caller: SpanId,
    pub root: Option<bool>,
    pub patient: bool,
    /// What the spans below it were found to be or to have: [`ENTRY`], [`MARK`], [`TOKENS`], [`COST`]. What is noted of a span is
    /// noted of all spans above it.
    pub noted: u8,
    /// It is LLM because it stands in place of the segments below it.
    pub in_place: bool,
    /// Whether and why it is an entry, once that is known.
    pub decided: Option<Reason>,
    /// When it was first heard of, among the spans of its trace.
    pub order: u32,
    /// With [`Siblings::First`]: the one below it that may be an entry.
    pub first: SpanId,
    pub kept: Destinations,
    /// Those where spans below it were sent as its children.
    pub relied: Destinations,
    /// The tokens that spans below it used, each counted once.
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
        decided: None,
        order: 0,
        first: NO_PARENT,
        kept: 0,
        relied: 0,
        below: [0; 2],
        people: [(0, 0); 2],
    };

    /// What is noted of the spans above this one because of it and of the spans below it.
    pub fn notes_for_parent(&self) -> u8 {
        let marked = if self.mark == Some(true) { MARK } else { 0 };
        // In a segment of another process a mark counts for nothing.
        (self.noted | marked) & if self.inside_segment { !MARK } else { u8::MAX }
    }
}

pub(super) enum Verdict {
    Decided(Reason),
    /// It is the entry, unless this ancestor or one above it takes its place.
    WaitFor(SpanId),
}

#[derive(Debug, Default)]
pub(super) struct Trace {
    pub nodes: HashMap<SpanId, Node>,
    /// Candidates, each with the ancestor it waits for.
    pub held: Vec<(SpanId, SpanId)>,
    /// How many have ended since finished spans were forgotten.
    pub ended: usize,
    /// The sessions and users that its spans name, one behind the other.
    pub texts: Vec<u8>,
    orders: u32,
    /// Finished spans were forgotten: a parent that is not known may be one of them.
    pruned: bool,
}

impl Trace {
    pub fn next_order(&mut self) -> u32 {
        self.orders = self.orders.wrapping_add(1);
        self.orders
    }

    /// A span that was seen.
    pub fn known(&self, span_id: SpanId) -> Option<&Node> {
        self.nodes.get(&span_id).filter(|node| node.state != State::Awaited)
    }

    /// Decides a span that ended, from itself up to the root.
    pub fn judge(&self, span_id: SpanId) -> Verdict {
        match self.judged(span_id) {
            Ok(Some(ancestor)) => Verdict::WaitFor(ancestor),
            Ok(None) => Verdict::Decided(self.entry_reason(span_id)),
            Err(reason) => Verdict::Decided(reason),
        }
    }

    /// Why a span is an entry that is one.
    fn entry_reason(&self, span_id: SpanId) -> Reason {
        match self.nodes.get(&span_id) {
            Some(node) if node.mark == Some(true) => Reason::Marked,
            Some(node) if node.in_place => Reason::InPlaceOfSegments,
            _ => Reason::Outermost,
        }
    }

    /// The ancestor to wait for, if any; or why the span is not an entry.
    fn judged(&self, span_id: SpanId) -> Result<Option<SpanId>, Reason> {
        let node = self.nodes.get(&span_id).ok_or(Reason::NotLlm)?;
        let marked = node.mark == Some(true);
        match node.mark {
            Some(false) => return Err(Reason::Refuses),
            None if !node.llm => return Err(Reason::NotLlm),
            None if node.noted & MARK != 0 => return Err(Reason::AboveMark),
            _ if node.noted & ENTRY != 0 => return Err(if marked { Reason::LateMark } else { Reason::Elsewhere }),
            _ => {}
        }
        let mut wait = None;
        let mut at = node;
        // A cycle of parents ends the walk like a root does.
        for _ in 0..self.nodes.len() {
            if at.inside_segment {
                return Err(Reason::CalledFromSegment);
            }
            if at.parent_id == NO_PARENT {
                break;
            }
            let ancestor = self.nodes.get(&at.parent_id);
            if ancestor.is_some_and(|a| !marked && a.first != NO_PARENT && a.first != span_id) {
                return Err(Reason::Elsewhere);
            }
            let Some(ancestor) = ancestor.filter(|a| a.state != State::Awaited) else {
                let forgotten = self.pruned && !at.remote;
                // It has been waited for once: what is below it is one segment, unless the span says better or was called from another process.
                let taken = node.patient && !at.remote && at.root.is_none() && ancestor.is_some_and(|a| a.noted & ENTRY != 0);
                if !marked && at.root == Some(false) {
                    return Err(Reason::NotRoot);
                }
                if !marked && (forgotten || taken) {
                    return Err(Reason::Elsewhere);
                }
                if node.patient {
                    wait = wait.or(Some(at.parent_id));
                }
                break;
            };
            if ancestor.mark == Some(true) {
                return Err(if marked { Reason::CopiedMark } else { Reason::BelowMark });
            }
            if !marked && ancestor.llm {
                return Err(Reason::BelowLlm);
            }
            if ancestor.decided.is_some_and(Reason::is_entry) {
                return Err(Reason::LateMark);
            }
            if ancestor.state == State::Live {
                wait = wait.or(Some(at.parent_id));
            }
            at = ancestor;
        }
        Ok(wait)
    }

    /// Writes down what was decided of a span: true, it is an entry. By now, if the verdict is to wait.
    pub fn settle(&mut self, span_id: SpanId, verdict: Verdict, siblings: Siblings, counts: &mut Counts) -> bool {
        let reason = match verdict {
            Verdict::Decided(reason) => reason,
            Verdict::WaitFor(_) => self.entry_reason(span_id),
        };
        let Some(node) = self.nodes.get_mut(&span_id) else { return false };
        node.decided = Some(reason);
        counts.late_marks += u64::from(reason == Reason::LateMark);
        let parent_id = node.parent_id;
        if reason.is_entry() {
            self.note(parent_id, ENTRY, if siblings == Siblings::First { span_id } else { NO_PARENT });
        }
        reason.is_entry()
    }

    /// Notes of a span and of every span above it what was found below, of one that was never seen too if it is an entry: it may come
    /// late. `first`: the entry, with [`Siblings::First`]. Ends at the first span of which all that is noted already.
    pub fn note(&mut self, from: SpanId, mut what: u8, first: SpanId) {
        let mut at = from;
        while what != 0 && at != NO_PARENT {
            if what & ENTRY != 0 {
                self.nodes.entry(at).or_insert(Node::AWAITED);
            }
            let Some(node) = self.nodes.get_mut(&at).filter(|node| node.noted & what != what) else { return };
            node.noted |= what;
            if node.first == NO_PARENT {
                node.first = first;
            }
            if node.inside_segment {
                what &= !MARK;
            }
            at = node.parent_id;
        }
    }

    /// A span ended that candidates waited for: which of them may go on?
    pub fn join(&mut self, span_id: SpanId, waited: &[SpanId], siblings: Siblings) {
        if siblings == Siblings::Each {
            return;
        }
        let alive: Vec<_> = waited.iter().copied().filter(|candidate| self.judged(*candidate).is_ok()).collect();
        let marked = alive.iter().copied().find(|candidate| self.nodes.get(candidate).is_some_and(|n| n.mark == Some(true)));
        let earliest = alive.iter().copied().min_by_key(|candidate| self.nodes.get(candidate).map(|n| n.order));
        let Some(node) = self.nodes.get_mut(&span_id) else { return };
        match siblings {
            Siblings::First if node.first == NO_PARENT => node.first = marked.or(earliest).unwrap_or(NO_PARENT),
            // It stands for the segments below it: to all that follows it is LLM.
            Siblings::CommonAncestor if alive.len() > 1 && marked.is_none() && node.mark.is_none() && node.noted & (ENTRY | MARK) == 0 => {
                (node.llm, node.in_place) = (true, true);
            }
            _ => {}
        }
    }

    /// Forgets the spans that have ended and have none below them that is live or waits; gives how many.
    pub fn prune(&mut self) -> usize {
        let mut needed = HashSet::default();
        let open = self.nodes.iter().filter(|(_, node)| node.state == State::Live).map(|(id, _)| *id);
        for mut at in open.chain(self.held.iter().map(|(held, _)| *held)) {
            while needed.insert(at)
                && let Some(node) = self.nodes.get(&at)
            {
                at = node.parent_id;
            }
        }
        let before = self.nodes.len();
        self.nodes.retain(|id, _| needed.contains(id));
        (self.pruned, self.ended) = (true, 0);
        before - self.nodes.len()
    }
}
