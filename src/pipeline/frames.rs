//! Spans of a host's SDK: what the records of a frame say ([`crate::frame`]).

use super::Pipeline;
use super::destination::facts;
use super::envelopes::Scope;
use crate::conventions;
use crate::describe::{self, ResourceRules};
use crate::engine::Understood;
use crate::entry::{Destinations, Started};
use crate::export::Place;
use crate::frame::{self, DescriptionRecord, FrameError, SpanRecord};
use crate::genai::PEOPLE;
use crate::keys::Keys;
use crate::normalize::{self, Context};
use crate::otlp::write::{self, number};
use crate::privacy;
use crate::protobuf::Writer;
use crate::route::Facts;
use crate::span::{SpanId, TraceId};
use bumpalo::Bump;

impl Pipeline {
    /// Gives a key or a name its number for the frame; `None`: write it out, the dictionary is full.
    pub fn intern(&mut self, text: &[u8]) -> Option<u32> {
        let id = self.keys.intern(text);
        self.keys.keep();
        id.map(|id| id + 1)
    }

    /// Takes a `scope` record, gives its number for the frame; the same for equal ones. When there are more than 10,000, those that were not used
    /// of late are forgotten, unless a span that waits stands in them: see [`FrameError::FORGOTTEN`].
    pub fn scope(&mut self, record: &[u8]) -> Result<u32, FrameError> {
        self.reset_arena();
        let scope = frame::scope(record, &self.arena, &self.keys)?;
        let w = &mut self.writer;
        w.clear();
        w.text_field(number::SCOPE_SPANS_SCHEMA_URL, scope.schema_url);
        let mark = w.mark();
        describe::scope_attributes(w, scope.attributes, &self.keys);
        w.text_field(number::SCOPE_VERSION, scope.version);
        w.text_field(number::SCOPE_NAME, scope.name);
        w.close(number::SCOPE_SPANS_SCOPE, mark);
        self.scopes.begin();
        write_host_key(&mut self.key, self.writer.written());
        if let Some(known) = self.scopes.find(&self.key) {
            return Ok(known);
        }
        let name: Box<[u8]> = scope.name.into();
        self.make_room();
        if self.scopes.is_full() {
            return Err(FrameError { offset: 0, what: "too many scopes are in use" });
        }
        Ok(self.add_scope(&name, false))
    }

    /// Takes a `resource` record, gives its number for the frame, as [`Pipeline::scope`] does.
    pub fn resource(&mut self, record: &[u8]) -> Result<u32, FrameError> {
        self.reset_arena();
        self.with_memory(|pipeline, keys, arena| pipeline.describe_resource(&frame::resource(record, arena, keys)?, keys))
    }

    fn describe_resource(&mut self, resource: &DescriptionRecord, keys: &Keys) -> Result<u32, FrameError> {
        let w = &mut self.writer;
        w.clear();
        w.text_field(number::RESOURCE_SPANS_SCHEMA_URL, resource.schema_url);
        write::kept_attributes(w, number::RESOURCE_ATTRIBUTES, resource.attributes, keys);
        self.resources.begin();
        write_host_key(&mut self.key, self.writer.written());
        if let Some(known) = self.resources.find(&self.key) {
            return Ok(known);
        }
        self.make_room();
        if self.resources.is_full() {
            return Err(FrameError { offset: 0, what: "too many resources are in use" });
        }
        let write = |w: &mut Writer, rules: &ResourceRules| {
            w.text_field(number::RESOURCE_SPANS_SCHEMA_URL, resource.schema_url);
            let mark = w.mark();
            let mended = rules.write(w, resource.attributes, keys);
            w.close(number::RESOURCE_SPANS_RESOURCE, mark);
            mended
        };
        Ok(self.add_resource(resource.attributes, true, keys, &write))
    }

    /// The keys whose values [`Pipeline::start`] wants to see, where a span starts with them: a host hands over those alone.
    pub fn wanted(&self) -> Vec<&str> {
        let mut keys = conventions::keys_of_kinds();
        self.engine.mappings.wanted().for_each(|key| keys.push(key));
        if self.engine.inherit_session {
            keys.extend(conventions::keys_of(&PEOPLE[..2]));
        }
        self.destinations.iter().for_each(|d| d.config.filter.add_keys(&mut keys));
        keys
    }

    /// Returns true if the values of a key are names, ids or numbers, which masking leaves alone; for hosts that mask before they hand over.
    pub fn is_name(&self, key: &[u8]) -> bool {
        privacy::is_name(key, &self.keys)
    }

    /// A span started: a `start` record. With [`FrameError::FORGOTTEN`] nothing of it was taken, and the host has to describe its scope again.
    /// `refused`: the destinations that the host itself keeps it from, as far as it knows now. `now` is in ms.
    pub fn start(&mut self, record: &[u8], refused: Destinations, now: f64) -> Result<(), FrameError> {
        self.reset_arena();
        let start = frame::start(record, &self.arena, &self.keys).inspect_err(|_| self.unparsed += 1)?;
        self.scopes.keep(start.scope);
        let scope = self.scopes.get(start.scope).ok_or(FrameError::FORGOTTEN)?;
        let allowed = scope.mappings | !conventions::custom::BITS;
        let proven = scope.conventions | normalize::recognise_start(start.keys.iter().copied(), &self.keys) & allowed;
        let facts = Facts {
            scope: &scope.name,
            name: start.name,
            llm: proven != 0,
            operation: &[],
            attributes: start.attributes,
            keys: &self.keys,
            arena: &self.arena,
        };
        let kept = self.kept(scope, &facts, refused);
        // On a span of another kind it is no session of the model's, unless the baggage says so.
        let named = self.engine.inherit_session && (proven != 0 || start.baggage) && !start.attributes.is_empty();
        self.engine.tree.start(Started {
            trace_id: start.trace_id,
            span_id: start.span_id,
            parent_id: start.parent_id,
            llm: normalize::opens_segment(start.attributes, [scope.conventions, proven], &self.keys),
            may_be_llm: conventions::open_segments(proven),
            inside_segment: self.engine.across_processes && start.remote_parent && start.inside_segment,
            caller: start.caller,
            patient: false,
            people: if named { normalize::people(start.attributes, &self.keys, &self.arena) } else { Default::default() },
            kept,
        });
        self.drain_tree(now);
        Ok(())
    }

    /// [`crate::entry::Tree::segment`]
    pub fn segment(&mut self, trace_id: TraceId, span_id: SpanId) -> Option<SpanId> {
        self.engine.tree.segment(trace_id, span_id)
    }

    /// A span ended: a `span` record. With [`FrameError::FORGOTTEN`] nothing of it was taken, and the host has to describe its scope and its resource
    /// again. `refused`: the destinations that the host itself keeps it from. `now` is in ms.
    pub fn end(&mut self, record: &[u8], refused: Destinations, now: f64) -> Result<(), FrameError> {
        self.reset_arena();
        let read = self.with_memory(|pipeline, keys, arena| {
            let read = frame::span(record, arena, keys).inspect_err(|_| pipeline.unparsed += 1)?;
            pipeline.end_read(read, record.len(), refused, keys, arena, now)
        });
        self.drain_tree(now);
        read
    }

    fn end_read<'a>(
        &mut self,
        SpanRecord { span, scope, resource }: SpanRecord<'a>,
        bytes: usize,
        refused: Destinations,
        keys: &'a Keys,
        arena: &'a Bump,
        now: f64,
    ) -> Result<(), FrameError> {
        self.keep(scope, resource);
        let of_scope = self.scope_of(scope, resource)?;
        let mut normal = normalize::normalize(&span, &self.context(of_scope, resource, bytes, keys, arena));
        let kept = self.kept(of_scope, &facts(&span, normal.as_ref(), of_scope, keys, arena), refused);
        let mut ended = Understood { span: &span, raw: None, normal: normal.as_mut(), patient: false, kept };
        self.take(Place { resource, scope }, &mut ended, keys, arena, now);
        Ok(())
    }

    /// Neither the scope nor the resource is forgotten for now.
    fn keep(&mut self, scope: u32, resource: u32) {
        self.scopes.keep(scope);
        self.resources.keep(resource);
    }

    /// The scope that a span stands in, if it and the resource are known.
    fn scope_of(&self, scope: u32, resource: u32) -> Result<&Scope, FrameError> {
        self.scopes.get(scope).filter(|_| self.resources.get(resource).is_some()).ok_or(FrameError::FORGOTTEN)
    }

    fn context<'a>(&self, scope: &Scope, resource: u32, bytes: usize, keys: &'a Keys, arena: &'a Bump) -> Context<'a> {
        let proven = self.resources.get(resource).map_or(0, |known| known.conventions);
        Context {
            keys,
            arena,
            scope: arena.alloc_slice_copy(&scope.name),
            scope_conventions: scope.conventions | scope.mappings | proven,
            infer_provider: self.engine.infer_provider,
            room: normalize::room(arena, bytes, self.engine.max_unpacked_bytes),
        }
    }

    /// Takes `span` records of spans that ended and whose starts are never passed, as an exporter gets them: what is among them is known as a whole
    /// before the first is decided, and another parent may come later, as for the spans of a body ([`Pipeline::ingest`]). Returns for each
    /// what [`Pipeline::end`] would; `refused` and `now` are as there.
    pub fn end_all(&mut self, records: &[(&[u8], Destinations)], now: f64) -> Vec<Result<(), FrameError>> {
        let mut outcomes = Vec::with_capacity(records.len());
        while let Some(rest) = records.get(outcomes.len()..).filter(|rest| !rest.is_empty()) {
            self.reset_arena();
            self.with_memory(|pipeline, keys, arena| pipeline.end_some(rest, &mut outcomes, keys, arena, now));
            self.drain_tree(now);
        }
        outcomes
    }

    /// Takes the first of the records, as many as the memory for one body holds.
    fn end_some<'a>(
        &mut self,
        records: &[(&'a [u8], Destinations)],
        outcomes: &mut Vec<Result<(), FrameError>>,
        keys: &'a Keys,
        arena: &'a Bump,
        now: f64,
    ) {
        let (mut spans, mut places) = (Vec::new(), Vec::new());
        for (record, refused) in records {
            let read = frame::span(record, arena, keys).inspect_err(|_| self.unparsed += 1).and_then(|read| {
                let SpanRecord { span, scope, resource } = read;
                self.keep(scope, resource);
                let of_scope = self.scope_of(scope, resource)?;
                let span = &*arena.alloc(span);
                let normal = normalize::normalize(span, &self.context(of_scope, resource, record.len(), keys, arena))
                    .map(|normal| arena.alloc(normal));
                let kept = self.kept(of_scope, &facts(span, normal.as_deref(), of_scope, keys, arena), *refused);
                spans.push(Understood { span, raw: None, normal, patient: true, kept });
                places.push(Place { resource, scope });
                Ok(())
            });
            outcomes.push(read);
            if arena.allocated_bytes() > self.engine.max_unpacked_bytes {
                break;
            }
        }
        self.take_all(&mut spans, &places, false, keys, arena, now);
    }
}

/// Writes the key of a scope or a resource that a host describes. Those of bodies begin with another byte.
fn write_host_key(key: &mut Vec<u8>, written: &[u8]) {
    key.clear();
    key.push(2);
    key.extend_from_slice(written);
}
