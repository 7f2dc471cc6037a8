//! The queue of encoded spans: bounded by bytes and count, oldest dropped first, and made into bodies.

use super::Envelopes;
use crate::config::QueueLimits;
use crate::otlp::wire::{push_varint, varint_len};
use std::collections::VecDeque;

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

/// The queue. The bytes of the spans lie one after the other, each ready to stand in a `ScopeSpans`.
#[derive(Debug)]
pub struct Queue {
    limits: QueueLimits,
    spans: VecDeque<Queued>,
    bytes: Vec<u8>,
    /// Where the first span's bytes start.
    head: usize,
    pushed: u64,
}

const SPANS_TAG: u8 = 0x12;
const SCOPE_SPANS_TAG: u8 = 0x12;
const RESOURCE_SPANS_TAG: u8 = 0x0a;

impl Queue {
    pub fn new(limits: QueueLimits) -> Self {
        Queue { limits, spans: VecDeque::new(), bytes: Vec::new(), head: 0, pushed: 0 }
    }

    /// Adds a span; gives how many were dropped for it (itself, if it is over the bound alone).
    pub fn push(&mut self, place: Place, fields: [&[u8]; 2], at: f64) -> u64 {
        let length = fields[0].len() + fields[1].len();
        let whole = 1 + varint_len(length as u64) + length;
        if whole > self.limits.max_bytes || self.limits.max_spans == 0 {
            return 1;
        }
        self.pushed += 1;
        let mut dropped = 0;
        while self.spans.len() >= self.limits.max_spans || self.bytes() + whole > self.limits.max_bytes {
            self.drop_first();
            dropped += 1;
        }
        self.reclaim();
        self.bytes.push(SPANS_TAG);
        push_varint(&mut self.bytes, length as u64);
        fields.iter().for_each(|piece| self.bytes.extend_from_slice(piece));
        self.spans.push_back(Queued { place, length: whole, at });
        dropped
    }

    fn drop_first(&mut self) {
        if let Some(span) = self.spans.pop_front() {
            self.head += span.length;
        }
    }

    /// Moves the bytes to the front once more than half are spent.
    fn reclaim(&mut self) {
        if self.head > self.bytes.len() / 2 {
            self.bytes.drain(..self.head);
            self.head = 0;
        }
    }

    pub fn len(&self) -> usize {
        self.spans.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes.len() - self.head
    }

    /// How many spans were ever queued.
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    /// The number of the first span that is queued.
    pub fn first(&self) -> Option<u64> {
        (!self.spans.is_empty()).then(|| self.pushed - self.spans.len() as u64)
    }

    /// When the first span came, in ms.
    pub fn oldest(&self) -> f64 {
        self.spans.front().map_or(f64::INFINITY, |s| s.at)
    }

    /// Makes a body of the first spans: at most `max_spans`, at most `max_bytes` of them (but one at least), grouped by
    /// resource and scope.
    pub fn take(&mut self, max_spans: usize, max_bytes: usize, envelopes: &impl Envelopes) -> Option<Taken> {
        let first = self.first()?;
        let mut picked: Vec<(Place, std::ops::Range<usize>)> = Vec::new();
        let mut at = self.head;
        for span in self.spans.iter().take(max_spans) {
            if !picked.is_empty() && at + span.length - self.head > max_bytes {
                break;
            }
            picked.push((span.place, at..at + span.length));
            at += span.length;
        }
        let spans = picked.len();
        // Few: the places of the spans, in order.
        let mut places: Vec<Place> = Vec::new();
        for (place, _) in &picked {
            if let Err(at) = places.binary_search(place) {
                places.insert(at, *place);
            }
        }
        let ranges = |place: Place| picked.iter().filter(move |(of, _)| *of == place).map(|(_, range)| range.clone());
        let scope_length = |place: &Place| envelopes.scope(place.scope).len() + ranges(*place).map(|range| range.len()).sum::<usize>();
        let mut body = Vec::with_capacity(at - self.head + 256);
        for in_resource in places.chunk_by(|a, b| a.resource == b.resource) {
            let resource = envelopes.resource(in_resource[0].resource);
            let length: usize = in_resource.iter().map(scope_length).map(|n| 1 + varint_len(n as u64) + n).sum();
            body.push(RESOURCE_SPANS_TAG);
            push_varint(&mut body, (resource.len() + length) as u64);
            body.extend_from_slice(resource);
            for place in in_resource {
                body.push(SCOPE_SPANS_TAG);
                push_varint(&mut body, scope_length(place) as u64);
                body.extend_from_slice(envelopes.scope(place.scope));
                ranges(*place).for_each(|range| body.extend_from_slice(&self.bytes[range]));
            }
        }
        self.spans.drain(..spans);
        self.head = at;
        self.reclaim();
        Some(Taken { body, spans: spans as u64, first })
    }
}
