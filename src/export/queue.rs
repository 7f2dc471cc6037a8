//! The queue of encoded spans: bounded by bytes and count, made into bodies. Entries have a lane of their own, which is the last
//! to lose something.

use super::Envelopes;
use crate::config::{DropPolicy, QueueLimits};
use crate::otlp::wire::{push_varint, varint_len};
use std::collections::VecDeque;
use std::ops::Range;

/// Where a span belongs: numbers of the host's dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its resource.
    pub resource: u32,
    /// Its scope.
    pub scope: u32,
}

#[derive(Debug)]
struct Queued {
    place: Place,
    length: usize,
    at: f64,
    number: u64,
}

/// A body that was taken from the queue.
pub struct Taken {
    /// An `ExportTraceServiceRequest`.
    pub body: Vec<u8>,
    /// How many spans it holds.
    pub spans: u64,
    /// The number of the first of them.
    pub first: u64,
}

/// The bytes of the spans lie one after the other, each ready to stand in a `ScopeSpans`.
#[derive(Debug, Default)]
struct Lane {
    spans: VecDeque<Queued>,
    bytes: Vec<u8>,
    /// Where the first span's bytes start.
    head: usize,
}

impl Lane {
    fn size(&self) -> usize {
        self.bytes.len() - self.head
    }

    fn drop_first(&mut self) {
        if let Some(span) = self.spans.pop_front() {
            self.head += span.length;
        }
    }

    fn drop_last(&mut self) {
        if let Some(span) = self.spans.pop_back() {
            self.bytes.truncate(self.bytes.len() - span.length);
        }
    }

    /// Moves the bytes to the front once more than half are spent.
    fn reclaim(&mut self) {
        if self.head > self.bytes.len() / 2 {
            self.bytes.drain(..self.head);
            self.head = 0;
        }
    }
}

/// The queue.
#[derive(Debug)]
pub struct Queue {
    limits: QueueLimits,
    /// Entries are in the second.
    lanes: [Lane; 2],
    pushed: u64,
}

const SPANS_TAG: u8 = 0x12;
const SCOPE_SPANS_TAG: u8 = 0x12;
const RESOURCE_SPANS_TAG: u8 = 0x0a;
/// A tag and the longest length that goes with it.
const ENVELOPE: usize = 6;

impl Queue {
    pub fn new(limits: QueueLimits) -> Self {
        Queue { limits, lanes: Default::default(), pushed: 0 }
    }

    /// Adds a span; gives how many were dropped for it (itself, if there is no room that it may take).
    pub fn push(&mut self, place: Place, fields: [&[u8]; 2], entry: bool, at: f64) -> u64 {
        let length = fields[0].len() + fields[1].len();
        let whole = 1 + varint_len(length as u64) + length;
        if whole > self.limits.max_bytes || self.limits.max_spans == 0 {
            return 1;
        }
        let mut dropped = 0;
        while self.len() >= self.limits.max_spans || self.bytes() + whole > self.limits.max_bytes {
            dropped += 1;
            let newest = self.limits.drop == DropPolicy::Newest;
            let [rest, entries] = &mut self.lanes;
            match (rest.spans.is_empty(), newest) {
                (true, _) if !entry => return dropped,
                (true, false) => entries.drop_first(),
                (true, true) => return dropped,
                (false, true) if !entry => return dropped,
                (false, true) => rest.drop_last(),
                (false, false) => rest.drop_first(),
            }
        }
        let lane = &mut self.lanes[usize::from(entry)];
        lane.reclaim();
        lane.bytes.push(SPANS_TAG);
        push_varint(&mut lane.bytes, length as u64);
        fields.iter().for_each(|piece| lane.bytes.extend_from_slice(piece));
        lane.spans.push_back(Queued { place, length: whole, at, number: self.pushed });
        self.pushed += 1;
        dropped
    }

    pub fn len(&self) -> usize {
        self.lanes.iter().map(|lane| lane.spans.len()).sum()
    }

    pub fn bytes(&self) -> usize {
        self.lanes.iter().map(Lane::size).sum()
    }

    /// Is more than half of it taken?
    pub fn is_half_full(&self) -> bool {
        self.len() > self.limits.max_spans / 2 || self.bytes() > self.limits.max_bytes / 2
    }

    /// How many spans were ever queued.
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Where each span stands.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.lanes.iter().flat_map(|lane| lane.spans.iter().map(|span| span.place))
    }

    fn fronts(&self) -> impl Iterator<Item = &Queued> {
        self.lanes.iter().filter_map(|lane| lane.spans.front())
    }

    /// The number of the first span that is queued.
    pub fn first(&self) -> Option<u64> {
        self.fronts().map(|span| span.number).min()
    }

    /// When the first span came, in ms.
    pub fn oldest(&self) -> f64 {
        self.fronts().map(|span| span.at).fold(f64::INFINITY, f64::min)
    }

    /// Drops everything; gives how much that was.
    pub fn clear(&mut self) -> u64 {
        let dropped = self.len() as u64;
        self.lanes = Default::default();
        dropped
    }

    /// Makes a body of the first spans: at most `max_spans`, and (but for a single span) at most `max_bytes` with all that is around
    /// them, grouped by resource and scope.
    pub fn take(&mut self, max_spans: usize, max_bytes: usize, envelopes: &impl Envelopes) -> Option<Taken> {
        let first = self.first()?;
        let mut picked: Vec<(Place, usize, Range<usize>)> = Vec::new();
        // The places of the spans, in order.
        let mut places: Vec<Place> = Vec::new();
        let mut size = 0;
        let mut counts = [0; 2];
        let mut heads = self.lanes.each_ref().map(|lane| lane.head);
        while picked.len() < max_spans {
            let next = |i: usize| self.lanes[i].spans.get(counts[i]);
            let lane = match (next(0), next(1)) {
                (Some(rest), Some(entry)) => usize::from(entry.number < rest.number),
                (rest, _) => usize::from(rest.is_none()),
            };
            let Some(span) = next(lane) else { break };
            size += span.length;
            let known = places.binary_search(&span.place);
            if known.is_err() {
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
            picked.push((span.place, lane, heads[lane]..heads[lane] + span.length));
            heads[lane] += span.length;
            counts[lane] += 1;
        }
        // Each place with the bytes of its spans and the first of them, and for each span the next one there: a body may have many places.
        let mut groups: Vec<(Place, usize, Option<usize>)> = places.into_iter().map(|place| (place, 0, None)).collect();
        let mut next = vec![None; picked.len()];
        for (i, (place, _, range)) in picked.iter().enumerate().rev() {
            let group = groups.binary_search_by_key(place, |(place, ..)| *place).ok().and_then(|at| groups.get_mut(at));
            if let (Some((_, bytes, first)), Some(next)) = (group, next.get_mut(i)) {
                *bytes += range.len();
                *next = first.replace(i);
            }
        }
        let scope_length = |(place, bytes, _): &(Place, usize, _)| envelopes.scope(place.scope).len() + bytes;
        let mut body = Vec::with_capacity(size);
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
                while let Some((i, (_, lane, range))) = at.and_then(|i| Some((i, picked.get(i)?))) {
                    body.extend_from_slice(&self.lanes[*lane].bytes[range.clone()]);
                    at = next.get(i).copied().flatten();
                }
            }
        }
        let spans = picked.len() as u64;
        for (i, lane) in self.lanes.iter_mut().enumerate() {
            lane.spans.drain(..counts[i]);
            lane.head = heads[i];
            lane.reclaim();
        }
        Some(Taken { body, spans, first })
    }
}
