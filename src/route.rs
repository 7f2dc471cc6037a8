//! Whose child a span is at a destination that does not get all spans: the nearest ancestor that it gets, so that nothing
//! hangs below a span that never comes.

use crate::entry::Tree;
use crate::otlp::wire::{Reader, WireError, Writer};
use crate::otlp::write::number;
use crate::span::{NO_PARENT, SpanId, TraceId};

/// A chain of ancestors longer than this is a cycle, or nobody's.
const MAX_DEPTH: usize = 10_000;

/// The nearest ancestor that is kept; [`NO_PARENT`]: none is, so the span is a root. An ancestor that is not known, in another process or
/// forgotten, counts as kept. `allows` tells of a scope, as the host numbers it, whether its spans are.
pub fn kept_parent(tree: &Tree, trace_id: TraceId, parent_id: SpanId, allows: impl Fn(u32) -> bool) -> SpanId {
    let mut at = parent_id;
    for _ in 0..MAX_DEPTH {
        match tree.known(trace_id, at) {
            Some((above, scope)) if at != NO_PARENT && !allows(scope) => at = above,
            _ => return at,
        }
    }
    NO_PARENT
}

/// The fields of a span with another parent in its place.
pub fn with_parent(fields: &[u8], parent: SpanId) -> Result<Vec<u8>, WireError> {
    let mut all = Vec::new();
    let mut reader = Reader::new(0, fields);
    while let Some(field) = reader.field()? {
        all.push(field);
    }
    let mut w = Writer::default();
    for field in all.iter().rev() {
        match field.number {
            number::PARENT_SPAN_ID if parent == NO_PARENT => {}
            number::PARENT_SPAN_ID => w.bytes_field(number::PARENT_SPAN_ID, &parent),
            _ => w.bytes(field.raw),
        }
    }
    Ok(w.written().to_vec())
}
