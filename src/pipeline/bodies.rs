//! Spans out of an OTLP body instead of a host's SDK, for a proxy or a relay: a body holds some spans of many traces, children mostly
//! before their parents, and says nothing of those that still run. What stands in one body is known as a whole before its first span is
//! decided; for a parent that is in none so far a candidate is held as long as `holdMillis` has it.

use super::destination::{Destination, facts};
use super::envelopes::DestinationEnvelopes;
use super::passthrough::Passed;
use super::{Pipeline, Place};
use crate::body::{self, Admitted};
use crate::config::Format;
use crate::describe::{self, ResourceRules};
use crate::engine::Understood;
use crate::error::Error;
use crate::json;
use crate::keys::Keys;
use crate::normalize::{self, Context};
use crate::otlp::PartialSuccess;
use crate::otlp::read::{self, Part, ReadRequest};
use crate::protobuf::Writer;
use bumpalo::Bump;
use std::borrow::Cow;

/// How much of a body was taken.
#[derive(Debug)]
pub struct Ingested {
    /// The number of spans that were taken.
    pub spans: usize,
    /// How many spans were refused, and why; `None` if all were taken.
    pub partial_success: Option<PartialSuccess>,
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
        let taken = self.with_memory(|pipeline, keys, arena| pipeline.take_body(&body, peer, true, keys, arena, now));
        self.drain_tree(now);
        Ok(Ingested { spans: taken?, partial_success })
    }

    /// As [`body::admitted`]; counts the spans that are refused, and the words that are unknown.
    fn admitted<'b>(&mut self, body: &'b [u8]) -> Result<(Cow<'b, [u8]>, Option<PartialSuccess>), Error> {
        let admitted = body::admitted(body, &mut Format::default(), self.engine.max_unpacked_bytes);
        if let Ok(Admitted { partial_success: Some(partial), .. }) | Err(Error::Refused(partial)) = &admitted {
            self.unparsed += partial.rejected;
        }
        let Admitted { body, partial_success, unknown_words } = admitted?;
        self.unknown_words += unknown_words;
        Ok((body, partial_success))
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
        let request = read::parts(body, keys, arena).map_err(Error::Protobuf)?;
        let keys = &*keys;
        let room = normalize::room(arena, body.len(), self.engine.max_unpacked_bytes);
        let (mut spans, places) = self.understand(&request, peer, room, keys, arena)?;
        let count = spans.len();
        if let Some(limit) = self.destinations.iter().map(|d| d.exporter.max_spans()).max().filter(|most| bounded && count > *most) {
            return Err(Error::LimitExceeded { what: "spans in one request, which is what a queue holds; send it in smaller ones", limit });
        }
        // What is held joins the queue, and a span may leave with twice what it came with.
        let (more, bytes) = (count + self.held.len(), body.len().saturating_mul(2).saturating_add(self.held_bytes));
        if bounded && !self.destinations.iter().any(|d| d.exporter.takes(more, bytes)) {
            return Err(Error::Busy("the queue of every destination is full"));
        }
        // A proxy passes on itself what it hands in, and whoever sent it sends it again if that fails.
        self.take_all(&mut spans, &places, bounded, keys, arena, now);
        Ok(count)
    }

    /// What takes the place of a body on its way to the first destination: [`Pipeline::ingest`] and [`Pipeline::drain_queue`] in one, for the spans
    /// of this body only. Candidates of earlier bodies stay in the queue for [`Pipeline::poll`]: the backend's answer to this request does not concern
    /// them. A body without LLM spans, of traces that have none so far, passes span by span as it is, and the tree hears nothing of it. It is not
    /// even checked, since it costs nobody else if a backend refuses it. Borrowed: nothing is
    /// different, the body stays what it was; otherwise it is protobuf now.
    pub fn rewrite<'b>(&mut self, given: &'b [u8], peer: Option<&str>, now: f64) -> Result<Cow<'b, [u8]>, Error> {
        self.engine.tree.tick(now);
        self.drain_tree(now);
        let before = self.destinations.first().map_or(0, |d| d.exporter.pushed());
        // A body is checked only if it has to be understood.
        let unchecked = body::format_of(given) == Format::Protobuf;
        let mut body = if unchecked { Cow::Borrowed(given) } else { self.admitted(given)?.0 };
        self.begin();
        if let Some(passed) = self.with_memory(|pipeline, keys, arena| pipeline.passed(&body, peer, keys, arena)) {
            return Ok(match passed {
                // A strict reader would refuse the whole body.
                Passed::AsItIs if !unchecked && json::has_raw_controls(given) => Cow::Owned(body.into_owned()),
                Passed::AsItIs => Cow::Borrowed(given),
                Passed::Changed(out) => Cow::Owned(out),
            });
        }
        if unchecked {
            body = self.admitted(given)?.0;
        }
        self.body = self.body.wrapping_add(1);
        self.apart = Some(Vec::new());
        let taken = self.with_memory(|pipeline, keys, arena| pipeline.take_body(&body, peer, false, keys, arena, now));
        self.engine.tree.tick(now);
        self.drain_tree(now);
        let own = self.drain_since(0, before);
        for (trace_id, entry, held) in self.apart.take().unwrap_or_default() {
            self.queue_held(trace_id, entry, &held, now);
        }
        taken.map(|_| Cow::Owned(own))
    }

    /// Everything that is queued for a destination, as one body, counted as sent: for a host that passes it on in the place of a request that
    /// came. What is held for longer is not in it.
    pub fn drain_queue(&mut self, destination: usize, now: f64) -> Vec<u8> {
        self.engine.tree.tick(now);
        self.drain_tree(now);
        self.drain_since(destination, 0)
    }

    fn drain_since(&mut self, destination: usize, number: u64) -> Vec<u8> {
        let envelopes = DestinationEnvelopes { scopes: &self.scopes, resources: &self.resources, destination };
        let drain = |d: &mut Destination| d.exporter.drain(number, &envelopes);
        self.destinations.get_mut(destination).map_or_else(Vec::new, drain)
    }

    /// Understands the spans of a body; gives them and where each stands.
    fn understand<'s, 'a>(
        &mut self,
        request: &'s ReadRequest<'a>,
        peer: Option<&str>,
        room: usize,
        keys: &'a Keys,
        arena: &'a Bump,
    ) -> Result<(Vec<Understood<'s, 'a>>, Vec<Place>), Error> {
        let (mut spans, mut places) = (Vec::new(), Vec::new());
        for of_resource in &request.resources {
            let resource = self.read_resource(of_resource.resource.as_ref(), &of_resource.raw_fields, peer, keys)?;
            let proven = self.resources.get(resource).map_or(0, |known| known.conventions);
            for of_scope in &of_resource.scopes {
                let place = Place { resource, scope: self.read_scope(of_scope.scope.as_ref(), &of_scope.raw_fields, keys)? };
                let Some(known) = self.scopes.get(place.scope) else { continue };
                let name = of_scope.scope.as_ref().map_or(&[][..], |(_, scope)| scope.name);
                let (scope_conventions, infer_provider) = (known.conventions | known.mappings | proven, self.engine.infer_provider);
                let cx = Context { keys, arena, scope: name, scope_conventions, infer_provider, room };
                self.engine.understand(&of_scope.spans, &cx, true, &mut spans)?;
                for of in spans.iter_mut().skip(places.len()) {
                    of.kept = self.kept(known, &facts(of.span, of.normal.as_deref(), known, keys, arena), 0);
                }
                places.resize(spans.len(), place);
            }
        }
        Ok((spans, places))
    }

    fn read_resource(&mut self, part: Option<&Part>, raw_fields: &[&[u8]], peer: Option<&str>, keys: &Keys) -> Result<u32, Error> {
        match self.known_resource(part.map(|(raw, _)| *raw), raw_fields, peer) {
            Some(known) => Ok(known),
            None => self.add_read_resource(part, raw_fields, peer, keys),
        }
    }

    /// The number of a resource that was read before. If there is none, its key is written.
    pub(super) fn known_resource(&mut self, message: Option<&[u8]>, raw_fields: &[&[u8]], peer: Option<&str>) -> Option<u32> {
        let key = &mut self.key;
        write_key(key, message, raw_fields);
        // Its length stands last: where a key has a peer is no doubt.
        let peer = peer.unwrap_or_default().as_bytes();
        key.extend_from_slice(peer);
        key.extend_from_slice(&(peer.len() as u32).to_le_bytes());
        self.resources.find(key)
    }

    pub(super) fn add_read_resource(
        &mut self,
        part: Option<&Part>,
        raw_fields: &[&[u8]],
        peer: Option<&str>,
        keys: &Keys,
    ) -> Result<u32, Error> {
        self.make_room();
        self.resources.check_room("resources in one request")?;
        let changes = self.destinations.first().is_some_and(|d| d.rules.changes(part, peer, keys));
        let write = |w: &mut Writer, rules: &ResourceRules| {
            raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
            rules.write_read(w, part, peer, keys)
        };
        Ok(self.add_resource(part.map_or(&[][..], |(_, described)| described.attributes), changes, keys, &write))
    }

    fn read_scope(&mut self, part: Option<&Part>, raw_fields: &[&[u8]], keys: &Keys) -> Result<u32, Error> {
        match self.known_scope(part.map(|(raw, _)| *raw), raw_fields) {
            Some(known) => Ok(known),
            None => self.add_read_scope(part, raw_fields, keys),
        }
    }

    /// As [`Pipeline::known_resource`].
    pub(super) fn known_scope(&mut self, message: Option<&[u8]>, raw_fields: &[&[u8]]) -> Option<u32> {
        write_key(&mut self.key, message, raw_fields);
        self.scopes.find(&self.key)
    }

    pub(super) fn add_read_scope(&mut self, part: Option<&Part>, raw_fields: &[&[u8]], keys: &Keys) -> Result<u32, Error> {
        self.make_room();
        self.scopes.check_room("scopes in one request")?;
        let w = &mut self.writer;
        w.clear();
        raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
        describe::write_read_scope(w, part, keys);
        let (name, has_secret) = part.map_or((&[][..], false), |(_, scope)| (scope.name, describe::is_secret(scope, keys)));
        Ok(self.add_scope(name, has_secret))
    }
}
