//! The queue of encoded spans, limited in bytes and number, and the making of bodies from it. Entries have their own buffer, which is the last
//! to lose spans.

use super::Envelopes;
use super::lane::{self, Lane, Place, Queued};
use crate::config::{DropPolicy, QueueLimits};
use crate::protobuf::{push_varint, varint_len};

/// A body taken from the queue.
pub struct Taken {
    /// An `ExportTraceServiceRequest`.
    pub body: Vec<u8>,
    /// Its number of spans.
    pub spans: u64,
    /// The sequence number of the first one.
    pub first: u64,
}

/// The queue.
#[derive(Debug)]
pub struct Queue {
    limits: QueueLimits,
    /// Plain spans in the first buffer, entries in the second.
    lanes: [Lane; 2],
    pushed: u64,
}

const SCOPE_SPANS_TAG: u8 = 0x12;
const RESOURCE_SPANS_TAG: u8 = 0x0a;
/// The size of a tag and the longest length after it.
const ENVELOPE: usize = 6;

impl Queue {
    pub fn new(limits: QueueLimits) -> Self {
        Queue { limits, lanes: Default::default(), pushed: 0 }
    }

    /// Adds a span; returns how many spans were dropped (possibly itself, if there is no room that it may take).
    pub fn push(&mut self, place: Place, fields: [&[u8]; 2], entry: bool, at: f64) -> u64 {
        let whole = lane::whole(fields);
        if whole > self.limits.max_bytes || self.limits.max_spans == 0 {
            return 1;
        }
        let mut dropped = 0;
        while self.len() >= self.limits.max_spans || self.bytes() + whole > self.limits.max_bytes {
            dropped += 1;
            let newest = self.limits.drop == DropPolicy::Newest;
            let [rest, entries] = &mut self.lanes;
            match (rest.len() == 0, newest) {
                (true, _) if !entry => return dropped,
                (true, false) => entries.drop_first(),
                (true, true) => return dropped,
                (false, true) if !entry => return dropped,
                (false, true) => rest.drop_last(),
                (false, false) => rest.drop_first(),
            }
        }
        self.lanes[usize::from(entry)].push(place, fields, at, self.pushed);
        self.pushed += 1;
        dropped
    }

    pub fn len(&self) -> usize {
        self.lanes.iter().map(Lane::len).sum()
    }

    pub fn bytes(&self) -> usize {
        self.lanes.iter().map(Lane::bytes).sum()
    }

    /// Returns true if more than half of it is full.
    pub fn is_half_full(&self) -> bool {
        self.len() > self.limits.max_spans / 2 || self.bytes() > self.limits.max_bytes / 2
    }

    /// Number of spans that were ever queued.
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    /// The resource and scope of each span.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.lanes.iter().flat_map(Lane::places)
    }

    fn fronts(&self) -> impl Iterator<Item = &Queued> {
        self.lanes.iter().filter_map(|lane| lane.get(0))
    }

    /// The sequence number of the first queued span.
    pub fn first(&self) -> Option<u64> {
        self.fronts().map(|span| span.number).min()
    }

    /// The arrival time of the first span, in ms.
    pub fn oldest(&self) -> f64 {
        self.fronts().map(|span| span.at).fold(f64::INFINITY, f64::min)
    }

    /// Drops everything; returns the number of dropped spans.
    pub fn clear(&mut self) -> u64 {
        let dropped = self.len() as u64;
        self.lanes = Default::default();
        dropped
    }

    /// Makes a body of the first spans: at most `max_spans` and (except for a single span) at most `max_bytes` including its envelope,
    /// grouped by resource and scope. `memory` is what it is written to.
    pub fn take(&mut self, max_spans: usize, max_bytes: usize, memory: Vec<u8>, envelopes: &impl Envelopes) -> Option<Taken> {
        let (taken, counts) = self.body([0; 2], max_spans, max_bytes, memory, envelopes)?;
        for (lane, count) in self.lanes.iter_mut().zip(counts) {
            (0..count).for_each(|_| lane.drop_first());
        }
        Some(taken)
    }

    /// Makes a body of all spans that were pushed since [`Queue::pushed`] returned `number`, of every account.
    pub fn take_since(&mut self, number: u64, envelopes: &impl Envelopes) -> Option<Taken> {
        let from = [0, 1].map(|i| self.lanes[i].position(number));
        let (taken, counts) = self.body(from, usize::MAX, usize::MAX, Vec::new(), envelopes)?;
        for (lane, count) in self.lanes.iter_mut().zip(counts) {
            (0..count).for_each(|_| lane.drop_last());
        }
        Some(taken)
    }

    /// Makes a body within bounds of the spans from these positions in the buffers on; returns it and the number of spans from each buffer. Without a
    /// bound on the number it holds the spans of every account.
    fn body(
        &self,
        from: [usize; 2],
        max_spans: usize,
        max_bytes: usize,
        mut memory: Vec<u8>,
        envelopes: &impl Envelopes,
    ) -> Option<(Taken, [usize; 2])> {
        // The resource and scope of each span, its buffer, and its position there.
        let mut picked: Vec<(Place, usize, usize)> = Vec::new();
        // The resources and scopes of the spans, in order.
        let mut places: Vec<Place> = Vec::new();
        let mut size = 0;
        let mut first = u64::MAX;
        let mut counts = [0; 2];
        while picked.len() < max_spans {
            let next = |i: usize| self.lanes[i].get(from[i] + counts[i]);
            let lane = match (next(0), next(1)) {
                (Some(rest), Some(entry)) => usize::from(entry.number < rest.number),
                (rest, _) => usize::from(rest.is_none()),
            };
            let Some(span) = next(lane) else { break };
            first = first.min(span.number);
            size += span.length();
            let known = places.binary_search(&span.place);
            if known.is_err() {
                let account = |place: &Place| envelopes.account(place.resource);
                if max_spans != usize::MAX && places.first().is_some_and(|first| account(first) != account(&span.place)) {
                    break;
                }
                size += ENVELOPE + envelopes.scope(span.place.scope).len();
                let at = known.unwrap_or_else(|at| at);
                let beside = |place: Option<&Place>| place.is_some_and(|place| place.resource == span.place.resource);
                if !beside(places.get(at)) && !beside(at.checked_sub(1).and_then(|before| places.get(before))) {
                    size += ENVELOPE + envelopes.resource(span.place.resource).len();
                }
            }
            if size > max_bytes && !picked.is_empty() {
                break;
            }
            if let Err(at) = known {
                places.insert(at, span.place);
            }
            picked.push((span.place, lane, from[lane] + counts[lane]));
            counts[lane] += 1;
        }
        // Each scope with the size of its spans and the first of them, and for each span the next one of its scope: a body may have many scopes.
        let mut groups: Vec<(Place, usize, Option<usize>)> = places.into_iter().map(|place| (place, 0, None)).collect();
        let mut next = vec![None; picked.len()];
        for (i, (place, lane, at)) in picked.iter().enumerate().rev() {
            let group = groups.binary_search_by_key(place, |(place, ..)| *place).ok().and_then(|at| groups.get_mut(at));
            if let (Some((_, bytes, first)), Some(next)) = (group, next.get_mut(i)) {
                *bytes += self.lanes[*lane].bytes_of(*at).len();
                *next = first.replace(i);
            }
        }
        let scope_length = |(place, bytes, _): &(Place, usize, _)| envelopes.scope(place.scope).len() + bytes;
        memory.clear();
        memory.reserve(size);
        let mut body = memory;
        for in_resource in groups.chunk_by(|(a, ..), (b, ..)| a.resource == b.resource) {
            let resource = in_resource.first().map_or(&[][..], |(place, ..)| envelopes.resource(place.resource));
            let length: usize = in_resource.iter().map(scope_length).map(|n| 1 + varint_len(n as u64) + n).sum();
            body.push(RESOURCE_SPANS_TAG);
            push_varint(&mut body, (resource.len() + length) as u64);
            body.extend_from_slice(resource);
            for group in in_resource {
                body.push(SCOPE_SPANS_TAG);
                push_varint(&mut body, scope_length(group) as u64);
                body.extend_from_slice(envelopes.scope(group.0.scope));
                let mut at = group.2;
                while let Some((i, (_, lane, span))) = at.and_then(|i| Some((i, picked.get(i)?))) {
                    body.extend_from_slice(self.lanes[*lane].bytes_of(*span));
                    at = next.get(i).copied().flatten();
                }
            }
        }
        let spans = picked.len() as u64;
        (spans > 0).then_some((Taken { body, spans, first }, counts))
    }
}
