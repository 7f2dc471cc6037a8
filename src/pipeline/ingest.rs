//! Spans out of an OTLP body instead of a host's SDK, for a proxy or a relay: a body holds some spans of many traces, children mostly
//! before their parents, and says nothing of those that still run. What stands in one body is known as a whole before its first span is
//! decided; for a parent that is in none so far a candidate is held as long as `holdMillis` has it.

use super::{Destination, DestinationEnvelopes, Pipeline, Place, Resource, Taken};
use crate::config::Format;
use crate::convert;
use crate::describe;
use crate::entry::{self, Destinations, Started};
use crate::error::Error;
use crate::keys::Keys;
use crate::normalize::{self, Normal};
use crate::otlp::PartialSuccess;
use crate::otlp::read::{self, PartReader, ResourcePart, ScopePart};
use crate::otlp::write::number;
use crate::protobuf::Reader;
use crate::span::{NO_PARENT, Span};
use crate::text::bytes;
use bumpalo::Bump;
use std::borrow::Cow;

/// A span of the body.
struct Read<'a> {
    raw: &'a [u8],
    place: Place,
    /// In the arena, as [`Read::normal`].
    span: &'a Span<'a>,
    /// In the arena: it is too large to be moved about.
    normal: Option<&'a mut Normal<'a>>,
    /// Who gets it.
    kept: Destinations,
}

/// How much of a body was taken.
#[derive(Debug)]
pub struct Ingested {
    /// The number of spans that were taken.
    pub spans: usize,
    /// How many spans were refused, and why; `None` if all were taken.
    pub partial_success: Option<PartialSuccess>,
}

/// The bytes of memory that each span of a body takes until it is looked at.
const PIECE: usize = 64;

/// A body that passes.
enum Passed {
    AsItIs,
    Changed(Vec<u8>),
}

/// What the spans of a body so far were found plain by: the next one is mostly like them.
#[derive(Default)]
struct Alike<'a> {
    trace_id: &'a [u8],
    /// By their place among the attributes: tag, length and text of keys.
    keys: Vec<&'a [u8]>,
}

impl Alike<'_> {
    fn has(&self, at: usize, attribute: &[u8]) -> bool {
        self.keys.get(at).is_some_and(|key| !key.is_empty() && attribute.get(..key.len()).is_some_and(|start| bytes::equal(start, key)))
    }
}

/// The key of an attribute that no convention knows, with its tag and length.
fn plain_key<'a>(attribute: &'a [u8], keys: &mut Keys) -> Option<&'a [u8]> {
    let field = Reader::new(0, attribute).field().ok()?.filter(|field| field.number == number::KEY)?;
    let (_, key) = field.bytes().ok()?;
    let info = keys.intern(key).and_then(|id| keys.get(id))?;
    (info.evidence == 0 && !info.value_counts).then_some(field.raw)
}

/// What describes a scope or a resource: its message, and the fields around it.
fn write_key(key: &mut Vec<u8>, message: Option<&[u8]>, raw_fields: &[&[u8]]) {
    key.clear();
    key.push(u8::from(message.is_some()));
    let message = message.unwrap_or_default();
    key.extend_from_slice(&(message.len() as u32).to_le_bytes());
    key.extend_from_slice(message);
    raw_fields.iter().for_each(|raw| key.extend_from_slice(raw));
}

impl Pipeline {
    /// Takes the spans of an `ExportTraceServiceRequest`, protobuf or JSON. Spans that no backend would take, such as those without ids, are refused.
    /// A body is refused as a whole that cannot be read, that has only such spans, that no destination has room for (one that has is not
    /// held up by the others), or that has more scopes and resources than can be told apart.
    /// `peer`: the address that it came from, which becomes the `host.name` of a resource without one where the profile needs it. `now` is in ms.
    pub fn ingest(&mut self, body: &[u8], peer: Option<&str>, now: f64) -> Result<Ingested, Error> {
        let (body, partial_success) = self.admitted(body)?;
        self.begin();
        let (arena, mut keys) = (std::mem::take(&mut self.arena), std::mem::take(&mut self.keys));
        let taken = self.take_body(&body, peer, true, &mut keys, &arena, now);
        (self.arena, self.keys) = (arena, keys);
        self.drain_tree(now);
        Ok(Ingested { spans: taken?, partial_success })
    }

    /// As [`convert::admitted`]; counts the spans that are refused.
    fn admitted<'b>(&mut self, body: &'b [u8]) -> Result<(Cow<'b, [u8]>, Option<PartialSuccess>), Error> {
        let admitted = convert::admitted(body, &mut Format::default(), self.max_unpacked_bytes);
        if let Ok((_, Some(partial))) | Err(Error::Refused(partial)) = &admitted {
            self.unparsed += partial.rejected;
        }
        admitted
    }

    fn begin(&mut self) {
        self.reset_arena();
        self.keys.recycle();
        self.scopes.begin();
        self.resources.begin();
    }

    fn take_body(
        &mut self,
        body: &[u8],
        peer: Option<&str>,
        bounded: bool,
        keys: &mut Keys,
        arena: &Bump,
        now: f64,
    ) -> Result<usize, Error> {
        let (parts, _) = read::parts(body, keys, arena).map_err(Error::Protobuf)?;
        let room = normalize::room(arena, body.len(), self.max_unpacked_bytes);
        let spans = self.understand(parts, peer, room, keys, arena)?;
        let count = spans.len();
        if let Some(limit) = self.destinations.iter().map(|d| d.exporter.max_spans()).max().filter(|most| bounded && count > *most) {
            return Err(Error::LimitExceeded { what: "spans in one request, which is what a queue holds; send it in smaller ones", limit });
        }
        // What is held joins the queue, and a span may leave with twice what it came with.
        let (more, bytes) = (count + self.held.len(), body.len().saturating_mul(2).saturating_add(self.held_bytes));
        if bounded && !self.destinations.iter().any(|d| d.exporter.takes(more, bytes)) {
            return Err(Error::Busy("the queue of every destination is full"));
        }
        self.take_all(spans, keys, arena, now);
        Ok(count)
    }

    /// What takes the place of a body on its way to the first destination: [`Pipeline::ingest`] and [`Pipeline::drain_queue`] in one. A body
    /// without LLM spans, of traces that have none so far, passes span by span as it is, and the tree hears nothing of it. It is not even checked
    /// where it goes out alone, since then it costs nobody else if a backend refuses it. Borrowed: nothing is
    /// different, the body stays what it was; otherwise it is protobuf now.
    pub fn rewrite<'b>(&mut self, given: &'b [u8], peer: Option<&str>, now: f64) -> Result<Cow<'b, [u8]>, Error> {
        self.tree.tick(now);
        self.drain_tree(now);
        let alone = self.destinations.first().is_none_or(|d| d.exporter.waiting() == 0);
        let unchecked = alone && convert::format_of(given) == Format::Protobuf;
        let mut body = if unchecked { Cow::Borrowed(given) } else { self.admitted(given)?.0 };
        self.begin();
        let (arena, mut keys) = (std::mem::take(&mut self.arena), std::mem::take(&mut self.keys));
        let passed = self.passed(&body, peer, &mut keys, &arena);
        let taken = match &passed {
            Some(_) => Ok(0),
            None => {
                let admitted = if unchecked { self.admitted(given).map(|(admitted, _)| body = admitted) } else { Ok(()) };
                admitted.and_then(|()| self.take_body(&body, peer, false, &mut keys, &arena, now))
            }
        };
        (self.arena, self.keys) = (arena, keys);
        taken?;
        let queued = self.drain_queue(0, now);
        match passed {
            None => Ok(Cow::Owned(queued)),
            Some(Passed::AsItIs) if queued.is_empty() => Ok(Cow::Borrowed(given)),
            Some(Passed::AsItIs) => Ok(Cow::Owned([&body, &queued[..]].concat())),
            Some(Passed::Changed(mut out)) => {
                out.extend_from_slice(&queued);
                Ok(Cow::Owned(out))
            }
        }
    }

    /// The body with nothing changed but its resources, if nothing else has to be.
    fn passed<'a>(&mut self, body: &'a [u8], peer: Option<&str>, keys: &mut Keys, arena: &'a Bump) -> Option<Passed> {
        let [d] = &self.destinations[..] else { return None };
        let takes_all =
            !self.filters && d.config.sample_ratio.is_none() && d.config.allow_scopes.is_empty() && d.config.block_scopes.is_empty();
        if !takes_all || !self.forms[d.form].privacy.is_idle([body, &[]], false, &self.hooks) {
            return None;
        }
        let request = read::request(body, self.max_unpacked_bytes / PIECE).ok()?;
        let mut spans = 0;
        let mut alike = Alike::default();
        let mut resources = Vec::with_capacity(request.resources.len());
        for resource in &request.resources {
            for scope in &resource.scopes {
                let number = match self.known_scope(scope.scope.map(|(_, raw)| raw), &scope.raw_fields) {
                    Some(known) => known,
                    None => {
                        let described = scope.scope.map(|s| PartReader::new(keys, arena).scope(s)).transpose().ok()?;
                        let part = scope.scope.map(|(_, raw)| raw).zip(described.as_ref());
                        self.add_read_scope(part, &scope.raw_fields, keys).ok()?
                    }
                };
                if self.scopes.get(number).is_none_or(|scope| scope.conventions != 0 || scope.has_secret)
                    || scope.spans.iter().any(|(_, span)| !self.is_plain(span, keys, &mut alike))
                {
                    return None;
                }
                spans += scope.spans.len() as u64;
            }
            let known = self.known_resource(resource.resource.map(|(_, raw)| raw), &resource.raw_fields, peer);
            let changes = known.and_then(|known| self.resources.get(known)).is_none_or(|known| known.changes);
            // What stays as it is needs no second look.
            let described = match resource.resource.filter(|_| changes) {
                Some(r) => Some((r.1, PartReader::new(keys, arena).resource(r).ok()?)),
                None => None,
            };
            let part = described.as_ref().map(|(raw, described)| (*raw, described));
            let number = match known {
                Some(known) => known,
                None => self.add_resource(part, &resource.raw_fields, peer, keys).ok()?,
            };
            resources.push((self.resources.get(number)?.changes, described));
        }
        self.seen += spans;
        let [d] = &mut self.destinations[..] else { return None };
        if resources.iter().all(|(changes, _)| !changes) {
            d.exporter.passed(spans, body.len() as u64);
            return Some(Passed::AsItIs);
        }
        let w = &mut self.writer;
        w.clear();
        for field in Reader::new(0, body).all().ok()?.into_iter().rev() {
            if field.number != number::REQUEST_RESOURCE_SPANS {
                w.bytes(field.raw);
                continue;
            }
            let (changes, described) = resources.pop()?;
            if !changes {
                w.bytes(field.raw);
                continue;
            }
            let resource = described.as_ref().map(|(raw, described)| (*raw, described));
            let mark = w.mark();
            let rest = Reader::new(0, field.bytes().ok()?.1).all().ok()?;
            rest.iter().rev().filter(|field| field.number != number::RESOURCE_SPANS_RESOURCE).for_each(|field| w.bytes(field.raw));
            d.mended_service_name |= d.rules.write_read(w, resource, peer, keys);
            w.close(number::REQUEST_RESOURCE_SPANS, mark);
        }
        let out = w.written().to_vec();
        d.exporter.passed(spans, out.len() as u64);
        Some(Passed::Changed(out))
    }

    /// Is it a span that no convention knows, of a trace that has no LLM span so far?
    fn is_plain<'a>(&self, span: &'a [u8], keys: &mut Keys, alike: &mut Alike<'a>) -> bool {
        let mut reader = Reader::new(0, span);
        let (mut trace_id, mut span_id, mut attributes) = (&[][..], &[][..], 0);
        while let Ok(field) = reader.glance() {
            let Some((tag, bytes)) = field else {
                let known = bytes::equal(trace_id, alike.trace_id)
                    || trace_id.try_into().is_ok_and(|id| id != [0; 16] && !self.tree.knows_trace(id));
                alike.trace_id = if known { trace_id } else { alike.trace_id };
                return known && !trace_id.is_empty() && span_id.len() == 8 && span_id != [0; 8];
            };
            match (tag >> 3, tag & 7) {
                (number::TRACE_ID, 2) => trace_id = bytes,
                (number::SPAN_ID, 2) => span_id = bytes,
                (number::ATTRIBUTES, 2) => {
                    if !alike.has(attributes, bytes) {
                        let Some(key) = plain_key(bytes, keys) else { return false };
                        match alike.keys.get_mut(attributes) {
                            Some(other) => *other = key,
                            None => alike.keys.push(key),
                        }
                    }
                    attributes += 1;
                }
                (number::TRACE_ID | number::SPAN_ID | number::ATTRIBUTES, _) => return false,
                _ => {}
            }
        }
        false
    }

    /// Everything that is queued for a destination, as one body, counted as sent: for a host that passes it on in the place of a request that
    /// came. What is held for longer is not in it.
    pub fn drain_queue(&mut self, destination: usize, now: f64) -> Vec<u8> {
        self.tree.tick(now);
        self.drain_tree(now);
        let envelopes = DestinationEnvelopes { scopes: &self.scopes, resources: &self.resources, destination };
        let drain = |d: &mut Destination| d.exporter.drain(&envelopes);
        self.destinations.get_mut(destination).map_or_else(Vec::new, drain)
    }

    fn understand<'a>(
        &mut self,
        parts: Vec<ResourcePart<'a>>,
        peer: Option<&str>,
        room: usize,
        keys: &'a Keys,
        arena: &'a Bump,
    ) -> Result<Vec<Read<'a>>, Error> {
        let mut all = Vec::new();
        for part in parts {
            let resource = self.read_resource(&part, peer, keys)?;
            for scope in part.scopes {
                let place = Place { resource, scope: self.read_scope(&scope, keys)? };
                for (raw, span) in scope.spans {
                    if arena.allocated_bytes() > self.max_unpacked_bytes {
                        return Err(convert::too_large(self.max_unpacked_bytes));
                    }
                    let span: &Span = arena.alloc(span);
                    let normal = self.normalize(span, place.scope, room, keys, arena);
                    let scope = self.scopes.get(place.scope);
                    let kept = self.kept(scope, &super::facts(span, normal.as_ref(), scope, keys, arena), 0);
                    all.push(Read { raw, place, span, normal: normal.map(|normal| arena.alloc(normal)), kept });
                }
            }
        }
        Ok(all)
    }

    fn read_resource(&mut self, part: &ResourcePart, peer: Option<&str>, keys: &Keys) -> Result<u32, Error> {
        let resource = part.resource.as_ref().map(|(raw, described)| (*raw, described));
        match self.known_resource(resource.map(|(raw, _)| raw), &part.raw_fields, peer) {
            Some(known) => Ok(known),
            None => self.add_resource(resource, &part.raw_fields, peer, keys),
        }
    }

    /// The number of a resource that was read before. If there is none, its key is written.
    fn known_resource(&mut self, message: Option<&[u8]>, raw_fields: &[&[u8]], peer: Option<&str>) -> Option<u32> {
        let key = &mut self.key;
        write_key(key, message, raw_fields);
        // Its length stands last: where a key has a peer is no doubt.
        let peer = peer.unwrap_or_default().as_bytes();
        key.extend_from_slice(peer);
        key.extend_from_slice(&(peer.len() as u32).to_le_bytes());
        self.resources.find(key)
    }

    fn add_resource(&mut self, resource: describe::Part, raw_fields: &[&[u8]], peer: Option<&str>, keys: &Keys) -> Result<u32, Error> {
        self.make_room();
        self.resources.check_room("resources in one request")?;
        let changes = self.destinations.first().is_some_and(|d| d.rules.changes(resource, peer, keys));
        let w = &mut self.writer;
        let mut fields = Vec::with_capacity(self.destinations.len());
        for d in &mut self.destinations {
            w.clear();
            raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
            d.mended_service_name |= d.rules.write_read(w, resource, peer, keys);
            fields.push(w.written().to_vec());
        }
        let attributes = resource.map_or(&[][..], |(_, described)| described.attributes);
        let account = self.account(attributes, keys);
        let bytes = fields.iter().map(Vec::len).sum::<usize>() + account.as_ref().map_or(0, |(_, token)| token.len());
        if account.as_ref().is_some_and(|(_, token)| token.is_empty()) {
            self.tokenless.add(describe::service_name(attributes, keys).unwrap_or_default());
        }
        Ok(self.resources.add(&self.key, Resource { fields, changes, account }, bytes))
    }

    fn read_scope(&mut self, part: &ScopePart, keys: &Keys) -> Result<u32, Error> {
        let scope = part.scope.as_ref().map(|(raw, described)| (*raw, described));
        match self.known_scope(scope.map(|(raw, _)| raw), &part.raw_fields) {
            Some(known) => Ok(known),
            None => self.add_read_scope(scope, &part.raw_fields, keys),
        }
    }

    /// As [`Pipeline::known_resource`].
    fn known_scope(&mut self, message: Option<&[u8]>, raw_fields: &[&[u8]]) -> Option<u32> {
        write_key(&mut self.key, message, raw_fields);
        self.scopes.find(&self.key)
    }

    fn add_read_scope(&mut self, scope: describe::Part, raw_fields: &[&[u8]], keys: &Keys) -> Result<u32, Error> {
        self.make_room();
        self.scopes.check_room("scopes in one request")?;
        let w = &mut self.writer;
        w.clear();
        raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
        describe::write_read_scope(w, scope, keys);
        let has_secret = scope.is_some_and(|(_, described)| describe::is_secret(described, keys));
        let scope = self.describe_scope(scope.map_or(&[][..], |(_, described)| described.name).into(), has_secret);
        let bytes = scope.fields.len() + scope.name.len();
        Ok(self.scopes.add(&self.key, scope, bytes))
    }

    /// Forgets scopes and resources that no span stands in that waits, if there are too many.
    pub(super) fn make_room(&mut self) {
        if !self.scopes.may_forget() && !self.resources.may_forget() {
            return;
        }
        let waiting = self.destinations.iter().flat_map(|d| d.exporter.places());
        for place in waiting.chain(self.held.values().map(|held| held.place)) {
            self.scopes.keep(place.scope);
            self.resources.keep(place.resource);
        }
        if self.scopes.may_forget() {
            self.scopes.forget();
        }
        if self.resources.may_forget() {
            self.resources.forget();
        }
    }

    fn take_all<'a>(&mut self, mut spans: Vec<Read<'a>>, keys: &'a Keys, arena: &'a Bump, now: f64) {
        let mut started: Vec<_> = spans.iter().collect();
        started.sort_by_key(|read| read.span.start);
        for read in started {
            let span = read.span;
            // Delivered once more: what it is has been decided.
            if self.tree.knows(span.trace_id, span.span_id) {
                continue;
            }
            let normal = read.normal.as_deref();
            let llm = normal.is_some_and(|n| n.opens_segment) && self.mark_entries;
            let kept = read.kept;
            let (trace_id, span_id, parent_id) = (span.trace_id, span.span_id, span.parent_id);
            let people = normal.filter(|n| self.inherit_session && n.is_llm()).map_or([None; 2], Normal::people);
            let caller = entry::caller(span.trace_state).filter(|_| self.across_processes);
            self.tree.start(Started {
                trace_id,
                span_id,
                parent_id,
                llm,
                inside_segment: caller.is_some(),
                caller: caller.unwrap_or(NO_PARENT),
                patient: true,
                people,
                kept,
                ..Started::default()
            });
        }
        let ids: Vec<_> = spans.iter().map(|Read { span, .. }| (span.trace_id, span.span_id, span.parent_id)).collect();
        for i in entry::children_first(&ids) {
            let Some(Read { raw, place, span, normal, kept }) = spans.get_mut(i) else { continue };
            let taken = Taken {
                span,
                raw: Some(raw),
                normal: normal.as_deref_mut(),
                place: *place,
                remote: span.parent_is_remote(),
                patient: true,
                kept: *kept,
            };
            self.take(taken, keys, arena, now);
        }
    }
}
