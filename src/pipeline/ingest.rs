//! Spans out of an OTLP body instead of a host's SDK, for a proxy or a relay: a body holds some spans of many traces, children mostly
//! before their parents, and says nothing of those that still run. What stands in one body is known as a whole before its first span is
//! decided; for a parent that is in none so far a candidate is held as long as `holdMillis` has it.

use super::{Destination, DestinationEnvelopes, FrameError, MAX_DESCRIPTIONS, Pipeline, Place, Taken};
use crate::config::Format;
use crate::convert::{self, Error};
use crate::describe;
use crate::entry::{self, Destinations, Started};
use crate::keys::Keys;
use crate::normalize::Normal;
use crate::otlp::read::{self, ResourcePart, ScopePart};
use crate::privacy;
use crate::span::Span;
use bumpalo::Bump;

/// A span of the body.
struct Read<'a> {
    raw: &'a [u8],
    place: Place,
    /// `None`: it has no ids by which it could be known.
    span: Option<&'a Span<'a>>,
    /// In the arena: it is too large to be moved about.
    normal: Option<&'a mut Normal<'a>>,
}

impl Pipeline {
    /// Takes the spans of an `ExportTraceServiceRequest`, protobuf or JSON; gives how many. A body that cannot be read, or that has more
    /// scopes and resources than can be told apart, is refused as a whole. `peer`: the address that it came from, which becomes the `host.name`
    /// of a resource without one where the profile needs it. `now` is in ms.
    pub fn ingest(&mut self, body: &[u8], peer: Option<&str>, now: f64) -> Result<usize, Error> {
        self.reset_arena();
        let (arena, mut keys) = (std::mem::take(&mut self.arena), std::mem::take(&mut self.keys));
        let taken = convert::protobuf_of(body, &mut Format::default()).and_then(|body| {
            let (parts, _) = read::parts(&body, &mut keys, &arena).map_err(Error::Protobuf)?;
            let spans = self.understand(parts, peer, &keys, &arena).map_err(Error::Full)?;
            let count = spans.len();
            self.take_all(spans, &keys, &arena, now);
            Ok(count)
        });
        (self.arena, self.keys) = (arena, keys);
        self.drain_tree(now);
        taken
    }

    /// Everything that is queued for a destination, as one body, counted as sent: for a host that passes it on in the place of a request that
    /// came. What is held for longer is not in it.
    pub fn drain_queue(&mut self, destination: usize, now: f64) -> Vec<u8> {
        self.tree.tick(now);
        self.drain_tree(now);
        let scopes = &self.scopes;
        let drain = |d: &mut Destination| d.exporter.drain(&DestinationEnvelopes { scopes, resources: &d.resources });
        self.destinations.get_mut(destination).map_or_else(Vec::new, drain)
    }

    fn understand<'a>(
        &mut self,
        parts: Vec<ResourcePart<'a>>,
        peer: Option<&str>,
        keys: &'a Keys,
        arena: &'a Bump,
    ) -> Result<Vec<Read<'a>>, FrameError> {
        let mut all = Vec::new();
        for part in parts {
            let resource = self.read_resource(&part, peer, keys)?;
            for scope in part.scopes {
                let place = Place { resource, scope: self.read_scope(&scope, keys)? };
                all.extend(scope.spans.into_iter().map(|(raw, span)| {
                    let span: Option<&Span> = span.map(|span| &*arena.alloc(span));
                    let normal = span.and_then(|span| self.normalize(span, place.scope, keys, arena));
                    Read { raw, place, span, normal: normal.map(|normal| arena.alloc(normal)) }
                }));
            }
        }
        Ok(all)
    }

    fn read_resource(&mut self, part: &ResourcePart, peer: Option<&str>, keys: &Keys) -> Result<u32, FrameError> {
        let mut written = Vec::new();
        let w = &mut self.writer;
        for d in &mut self.destinations {
            w.clear();
            part.raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
            d.mended_service_name |= d.rules.write_read(w, part.resource.as_ref().map(|(raw, described)| (*raw, described)), peer, keys);
            written.push(w.written().to_vec());
        }
        let known = |d: &Destination, i: usize, at: usize| d.resources.get(at) == written.get(i);
        let count = self.destinations.first().map_or(0, |d| d.resources.len());
        let same = |at: &usize| self.destinations.iter().enumerate().all(|(i, d)| known(d, i, *at));
        if let Some(at) = (0..count).find(same) {
            return Ok(at as u32 + 1);
        }
        if count >= MAX_DESCRIPTIONS {
            return Err(FrameError { offset: 0, what: "too many resources" });
        }
        self.destinations.iter_mut().zip(written).for_each(|(d, written)| d.resources.push(written));
        Ok(count as u32 + 1)
    }

    fn read_scope(&mut self, scope: &ScopePart, keys: &Keys) -> Result<u32, FrameError> {
        let w = &mut self.writer;
        w.clear();
        scope.raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
        describe::write_read_scope(w, scope.scope.as_ref().map(|(raw, described)| (*raw, described)), keys);
        self.add_scope(scope.scope.as_ref().map_or(&[][..], |(_, described)| described.name).into())
    }

    fn take_all<'a>(&mut self, spans: Vec<Read<'a>>, keys: &'a Keys, arena: &'a Bump, now: f64) {
        let mut started: Vec<_> = spans.iter().filter_map(|read| Some((read, read.span?))).collect();
        started.sort_by_key(|(_, span)| span.start);
        for (read, span) in started {
            // Delivered once more: what it is has been decided.
            if self.tree.knows(span.trace_id, span.span_id) {
                continue;
            }
            let normal = read.normal.as_deref();
            let llm = normal.is_some_and(|n| n.opens_segment) && self.mark_entries;
            let scope = self.scopes.get((read.place.scope as usize).wrapping_sub(1));
            let kept = self.kept(scope, &super::facts(span, normal, scope, keys, arena), 0);
            let (trace_id, span_id, parent_id) = (span.trace_id, span.span_id, span.parent_id);
            let people = normal.filter(|n| self.inherit_session && n.is_llm()).map_or([None; 2], Normal::people);
            self.tree.start(Started { trace_id, span_id, parent_id, llm, patient: true, people, kept, ..Started::default() });
        }
        let (mut known, unknown): (Vec<_>, Vec<_>) = spans.into_iter().partition(|read| read.span.is_some());
        unknown.iter().for_each(|read| self.forward(read, keys, arena, now));
        let ids: Vec<_> = known.iter().filter_map(|read| read.span).map(|span| (span.trace_id, span.span_id, span.parent_id)).collect();
        for i in entry::children_first(&ids) {
            let Some(Read { raw, place, span: Some(span), normal }) = known.get_mut(i) else { continue };
            let taken = Taken {
                span,
                raw: Some(raw),
                normal: normal.as_deref_mut(),
                place: *place,
                remote: span.parent_is_remote(),
                patient: true,
                refused: 0,
            };
            self.take(taken, keys, arena, now);
        }
    }

    /// Hands on a span that has no place in a tree, as it came. It may be one of a model's.
    fn forward(&mut self, read: &Read, keys: &Keys, arena: &Bump, now: f64) {
        self.seen += 1;
        self.unparsed += 1;
        let allowed = self.scopes.get((read.place.scope as usize).wrapping_sub(1)).map_or(Destinations::MAX, |s| s.allowed);
        for (i, d) in self.destinations.iter_mut().enumerate() {
            if allowed & 1 << i == 0 {
                d.filtered += 1;
                continue;
            }
            let run = privacy::Run { keys, arena, hooks: &self.hooks, counts: &mut self.privacy, notes: None };
            let fields = self.forms[d.form].privacy.apply([read.raw, &[]], true, run);
            d.exporter.push(read.place, fields, now);
        }
    }
}
