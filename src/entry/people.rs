//! Session and user: known from the span that names them down to those below it.

use super::Tree;
use crate::span::{SpanId, TraceId};
use std::sync::Arc;

/// A longer name of a session or user is nobody's, and is not handed down.
const MAX_BYTES: usize = 1_024;

/// Who uses the application, as far as a span knows: its session and its user.
#[derive(Debug, Default, PartialEq)]
pub struct People([Option<Box<[u8]>>; 2]);

impl People {
    /// The session, and the user.
    pub fn values(&self) -> [Option<&[u8]>; 2] {
        [0, 1].map(|i| self.0[i].as_deref())
    }
}

impl Tree {
    /// A span that started, or ended, names its session or its user; what is missing holds from above.
    pub fn introduce(&mut self, trace_id: TraceId, span_id: SpanId, named: [Option<&[u8]>; 2]) {
        let named = named.map(|value| value.filter(|value| value.len() <= MAX_BYTES));
        if named == [None; 2] {
            return;
        }
        let above = self.people(trace_id, span_id);
        let above = above.as_deref().map_or([None; 2], People::values);
        let both = [0, 1].map(|i| named[i].or(above[i]));
        let Some(trace) = self.traces.peek_mut(&trace_id).filter(|_| both != above) else { return };
        if let Some(node) = trace.nodes.get_mut(&span_id) {
            node.people = Some(Arc::new(People(both.map(|value| value.map(Into::into)))));
            trace.has_people = true;
        }
    }

    /// Who is known at a span: by itself, or by the nearest above it that knows.
    pub fn people(&self, trace_id: TraceId, span_id: SpanId) -> Option<Arc<People>> {
        let trace = self.traces.peek(&trace_id).filter(|trace| trace.has_people)?;
        let mut at = span_id;
        // A cycle of parents ends like a root does.
        for _ in 0..trace.nodes.len() {
            let node = trace.nodes.get(&at)?;
            if node.people.is_some() {
                return node.people.clone();
            }
            at = node.parent_id;
        }
        None
    }
}
