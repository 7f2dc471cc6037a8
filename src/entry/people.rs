//! Session, user and model: inherited from the span that names them by the spans below it.

use super::Tree;
use super::trace::{HAS_NAMES, Trace};
use crate::span::{SpanId, TraceId};

/// A longer session or user is not plausible, and is not inherited.
const MAX_BYTES: usize = 1_024;
/// Maximum size of all sessions and users of a trace; a trace with more has generated values.
const MAX_TRACE_BYTES: usize = 64 << 10;

/// A session, a user and a model, as ranges of the texts of their trace; an empty range means unknown.
pub(super) type People = [(u32, u32); 3];

impl Tree {
    /// Registers the session, the user or the model of a span that ended; missing values are inherited from above.
    pub fn introduce(&mut self, trace_id: TraceId, span_id: SpanId, named: [Option<&[u8]>; 3]) {
        if let Some(trace) = self.traces.peek_mut(&trace_id) {
            trace.introduce(span_id, named);
        }
    }

    /// The session, the user and the model that apply to a span: its own, or those of the nearest span above with one.
    pub fn people(&mut self, trace_id: TraceId, span_id: SpanId) -> [Option<&[u8]>; 3] {
        let Some(trace) = self.traces.peek_mut(&trace_id) else { return [None; 3] };
        let people = trace.people(span_id);
        trace.names(people)
    }
}

impl Trace {
    pub(super) fn introduce(&mut self, span_id: SpanId, named: [Option<&[u8]>; 3]) {
        let named = named.map(|name| name.filter(|name| !name.is_empty() && name.len() <= MAX_BYTES));
        if named == [None; 3] {
            return;
        }
        let mut people = self.people(span_id);
        let known = self.names(people);
        let new = [0, 1, 2].map(|i| named[i].filter(|name| known[i] != Some(name)));
        if new == [None; 3] || self.texts.len() > MAX_TRACE_BYTES {
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
        self.sync(span_id);
    }

    fn names(&self, people: People) -> [Option<&[u8]>; 3] {
        people.map(|(from, to)| self.texts.get(from as usize..to as usize).filter(|name| !name.is_empty()))
    }

    fn people(&mut self, span_id: SpanId) -> People {
        let named = if self.texts.is_empty() { None } else { self.nearest(span_id, HAS_NAMES) };
        named.and_then(|named| self.nodes.get(&named)).map_or_else(People::default, |node| node.people)
    }
}
