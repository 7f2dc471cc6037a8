//! Session and user: known from the span that names them down to those below it.

use super::Tree;
use super::trace::Trace;
use crate::span::{SpanId, TraceId};

/// A longer name of a session or user is nobody's, and is not handed down.
const MAX_BYTES: usize = 1_024;
/// Where a trace names more than this, something makes them up.
const MAX_TRACE_BYTES: usize = 64 << 10;

/// A session and a user, as ranges of the texts of their trace; an empty one: not known.
pub(super) type People = [(u32, u32); 2];

impl Tree {
    /// A span that ended names its session or its user; what is missing holds from above.
    pub fn introduce(&mut self, trace_id: TraceId, span_id: SpanId, named: [Option<&[u8]>; 2]) {
        if let Some(trace) = self.traces.peek_mut(&trace_id) {
            trace.introduce(span_id, named);
        }
    }

    /// The session and the user that are known at a span: by itself, or by the nearest above it that knows.
    pub fn people(&self, trace_id: TraceId, span_id: SpanId) -> [Option<&[u8]>; 2] {
        self.traces.peek(&trace_id).map_or([None; 2], |trace| trace.names(trace.people(span_id)))
    }
}

impl Trace {
    pub(super) fn introduce(&mut self, span_id: SpanId, named: [Option<&[u8]>; 2]) {
        let mut people = self.people(span_id);
        let known = self.names(people);
        let new = [0, 1].map(|i| named[i].filter(|name| !name.is_empty() && name.len() <= MAX_BYTES && known[i] != Some(name)));
        if new == [None; 2] || self.texts.len() > MAX_TRACE_BYTES {
            return;
        }
        // A session and a user, and their like from some spans below.
        self.texts.reserve(if self.texts.capacity() == 0 { 128 } else { 0 });
        for (i, name) in new.into_iter().enumerate() {
            if let Some(name) = name {
                let from = self.texts.len() as u32;
                self.texts.extend_from_slice(name);
                people[i] = (from, self.texts.len() as u32);
            }
        }
        if let Some(node) = self.nodes.get_mut(&span_id) {
            node.people = people;
        }
    }

    fn names(&self, people: People) -> [Option<&[u8]>; 2] {
        people.map(|(from, to)| self.texts.get(from as usize..to as usize).filter(|name| !name.is_empty()))
    }

    fn people(&self, span_id: SpanId) -> People {
        let mut at = span_id;
        // A cycle of parents ends like a root does.
        for _ in 0..if self.texts.is_empty() { 0 } else { self.nodes.len() } {
            match self.nodes.get(&at) {
                Some(node) if node.people == People::default() => at = node.parent_id,
                Some(node) => return node.people,
                None => break,
            }
        }
        People::default()
    }
}
