//! One trace as far as it is known: its spans, and what each of them is to the entry.

use super::people::People;
use super::{Destinations, Siblings, Tokens};
use crate::hash::{HashMap, HashSet};
use crate::span::{NO_PARENT, SpanId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has not been seen: spans below it were.
    Awaited,
    Live,
    Ended,
}

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
    /// An entry below it was decided.
    pub entry_below: bool,
    /// Whether it is an entry, once that is known.
    pub decided: Option<bool>,
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
        entry_below: false,
        decided: None,
        order: 0,
        first: NO_PARENT,
        kept: 0,
        relied: 0,
        below: [0; 2],
        people: [(0, 0); 2],
    };
}

pub(super) enum Verdict {
    Entry,
    Plain,
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
            if at.parent_id == NO_PARENT {
                break;
            }
            let ancestor = self.nodes.get(&at.parent_id);
            if ancestor.is_some_and(|a| !marked && a.first != NO_PARENT && a.first != span_id) {
                return Verdict::Plain;
            }
            let Some(ancestor) = ancestor.filter(|a| a.state != State::Awaited) else {
                let forgotten = self.pruned && !at.remote;
                // It has been waited for once: what is below it is one segment, unless the span says better or was called from another process.
                let taken = node.patient && !at.remote && at.root.is_none() && ancestor.is_some_and(|a| a.entry_below);
                if !marked && (at.root == Some(false) || forgotten || taken) {
                    return Verdict::Plain;
                }
                if node.patient {
                    wait = wait.or(Some(at.parent_id));
                }
                break;
            };
            let blocks =
                ancestor.mark == Some(true) || ancestor.llm && (!marked || ancestor.state == State::Ended && ancestor.mark != Some(false));
            if blocks {
                return Verdict::Plain;
            }
            if ancestor.state == State::Live {
                wait = wait.or(Some(at.parent_id));
            }
            at = ancestor;
        }
        wait.map_or(Verdict::Entry, Verdict::WaitFor)
    }

    /// Writes down what was decided of a span: true, it is an entry. By now, if the verdict is to wait.
    pub fn settle(&mut self, span_id: SpanId, verdict: Verdict, siblings: Siblings) -> bool {
        let entry = !matches!(verdict, Verdict::Plain);
        if let Some(node) = self.nodes.get_mut(&span_id) {
            node.decided = Some(entry);
        }
        if entry {
            self.take_path(span_id, siblings == Siblings::First);
        }
        entry
    }

    /// Notes on every ancestor that the entry of this path is taken, on one that was never seen too: it may come late.
    pub fn take_path(&mut self, span_id: SpanId, first: bool) {
        let mut at = span_id;
        for _ in 0..=self.nodes.len() {
            let Some(parent_id) = self.nodes.get(&at).map(|n| n.parent_id).filter(|p| *p != NO_PARENT) else { break };
            let parent = self.nodes.entry(parent_id).or_insert(Node::AWAITED);
            parent.entry_below = true;
            if first && parent.first == NO_PARENT {
                parent.first = span_id;
            }
            at = parent_id;
        }
    }

    /// A span ended that candidates waited for: which of them may go on?
    pub fn join(&mut self, span_id: SpanId, waited: &[SpanId], siblings: Siblings) {
        if siblings == Siblings::Each {
            return;
        }
        let alive: Vec<_> = waited.iter().copied().filter(|candidate| !matches!(self.judge(*candidate), Verdict::Plain)).collect();
        let marked = alive.iter().copied().find(|candidate| self.nodes.get(candidate).is_some_and(|n| n.mark == Some(true)));
        let earliest = alive.iter().copied().min_by_key(|candidate| self.nodes.get(candidate).map(|n| n.order));
        let Some(node) = self.nodes.get_mut(&span_id) else { return };
        match siblings {
            Siblings::First if node.first == NO_PARENT => node.first = marked.or(earliest).unwrap_or(NO_PARENT),
            // It stands for the segments below it: to all that follows it is LLM.
            Siblings::CommonAncestor if alive.len() > 1 && marked.is_none() && node.mark.is_none() && !node.entry_below => node.llm = true,
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
