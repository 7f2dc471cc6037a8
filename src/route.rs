//! Whose child a span is at a destination that does not get all spans: the nearest ancestor that it gets, so that nothing
//! hangs below a span that never comes.

use crate::entry::Tree;
use crate::otlp::wire::{Reader, WireError, Writer, array};
use crate::otlp::write::number;
use crate::span::{NO_PARENT, SpanId, TraceId};

/// A chain of ancestors longer than this is a cycle, or nobody's.
const MAX_DEPTH: usize = 10_000;

/// Is a trace among the part that a destination gets? By the last 56 bits of its id, as W3C's consistent probability sampling and OTel's
/// `TraceIdRatioBased` have it: who samples more than another has all that the other has.
pub fn samples(ratio: Option<f64>, trace_id: TraceId) -> bool {
    let random = u64::from_be_bytes(array(&trace_id[8..])) & ((1 << 56) - 1);
    ratio.is_none_or(|ratio| random >= ((1.0 - ratio) * (1u64 << 56) as f64) as u64)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_takes_whole_traces_and_less_is_part_of_more() {
        let ids: Vec<TraceId> = (0..4_000u64)
            .map(|n| {
                let mut id = [0; 16];
                // Multiples of an odd number are spread evenly.
                id[8..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
                id
            })
            .collect();
        let taken = |ratio| ids.iter().filter(|id| samples(Some(ratio), **id)).count();
        assert_eq!((taken(0.0), taken(1.0)), (0, 4_000));
        assert!((900..1_100).contains(&taken(0.25)), "{}", taken(0.25));
        assert!(ids.iter().all(|id| !samples(Some(0.25), *id) || samples(Some(0.5), *id)));
        assert!(ids.iter().all(|id| samples(None, *id)));
        // The threshold for one half is 0x80000000000000.
        assert!(samples(Some(0.5), [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0x80, 0, 0, 0, 0, 0, 0]));
        assert!(!samples(Some(0.5), [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    }
}
