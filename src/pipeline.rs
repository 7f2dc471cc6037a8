//! The pipeline: what each stage does with a span, in order, and what is held in between.

mod descriptions;
mod ingest;

pub use ingest::Ingested;

use crate::config::{self, Config, EntryValue};
use crate::conventions::{self, ConventionSet};
use crate::describe::{self, ResourceRules};
use crate::entry::{self, Decision, Destinations, Ended, Started, Tree};
use crate::error::ConfigError;
use crate::export::{self, Envelopes, Exporter, Health, Place, Transmit};
use crate::frame::{self, DescriptionRecord, FrameError, SpanRecord};
use crate::genai::PEOPLE;
use crate::hash::{self, Hash, HashMap};
use crate::keys::Keys;
use crate::normalize::{self, Context, Normal};
use crate::otlp::PartialSuccess;
use crate::otlp::json;
use crate::otlp::write::{self, number};
use crate::privacy::{self, Hooks, Privacy};
use crate::profiles::write::{Keep, Writing};
use crate::protobuf::Writer;
use crate::route::{self, Facts};
use crate::span::{Attr, Span, SpanId, TraceId};
use crate::stats::{DestinationStats, Stats};
use bumpalo::Bump;
use descriptions::Descriptions;
use std::hash::BuildHasher;

/// The arena is given back to the allocator when one span made it grow past this.
const ARENA_BYTES: usize = 4 << 20;

struct Scope {
    name: Box<[u8]>,
    conventions: ConventionSet,
    /// The fields of `ScopeSpans` but its spans.
    fields: Vec<u8>,
    /// The destinations that get its spans.
    allowed: Destinations,
    /// Something of the source's is not among the fields.
    has_secret: bool,
}

struct Resource {
    /// By destination: the fields of `ResourceSpans` but its scopes.
    fields: Vec<Vec<u8>>,
    /// The first destination gets something else than what the source has.
    changes: bool,
    /// Its account at the destination of this index, by the token that it carries; empty: it carries none.
    account: Option<(usize, Box<[u8]>)>,
}

impl Resource {
    fn account(&self, destination: usize) -> Option<&[u8]> {
        self.account.as_ref().filter(|(at, _)| *at == destination).map(|(_, token)| &token[..])
    }
}

/// Profile, keep and privacy that at least one destination has; destinations with the same share the bytes.
struct Form {
    writing: Writing,
    privacy: Privacy,
    of: (config::Profile, Keep, privacy::Settings),
}

struct Destination {
    name: String,
    form: usize,
    rules: ResourceRules,
    exporter: Exporter,
    /// Of a batch.
    max_bytes: usize,
    /// The body that goes out, where that is JSON.
    json: Vec<u8>,
    /// A service name that the backend would refuse was mended.
    mended_service_name: bool,
    /// Spans of traces that its sample does not have.
    not_sampled: u64,
    /// Spans that its scopes and its filter keep away.
    filtered: u64,
    /// Spans that it would refuse because their resource carries no token.
    without_token: u64,
    config: config::Destination,
}

/// A candidate that waits for its ancestors, encoded.
struct Held {
    place: Place,
    parent_id: SpanId,
    kept: Destinations,
    /// By form: the fields of the span, and those that it gets as an entry.
    bodies: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The machine. Feed it spans and answers, drain it with [`Pipeline::poll`].
pub struct Pipeline {
    keys: Keys,
    arena: Bump,
    /// Memory of one span, while a profile writes it.
    scratch: Bump,
    writer: Writer,
    tree: Tree,
    mark_entries: bool,
    entry_value: EntryValue,
    infer_provider: bool,
    hooks: Hooks,
    privacy: privacy::Counts,
    scopes: Descriptions<Scope>,
    resources: Descriptions<Resource>,
    tokenless: Tokenless,
    /// What describes the scope or the resource that is looked up.
    key: Vec<u8>,
    forms: Vec<Form>,
    destinations: Vec<Destination>,
    held: HashMap<(TraceId, SpanId), Held>,
    held_bytes: usize,
    max_held_bytes: usize,
    /// A segment that began in another process has its entry there.
    across_processes: bool,
    /// Some destination has a filter.
    filters: bool,
    /// Session and user are handed down to the spans that lack them.
    inherit_session: bool,
    max_unpacked_bytes: usize,
    seen: u64,
    unread: u64,
    llm: u64,
    entries: u64,
    unparsed: u64,
}

/// The names of services whose resources lack the token that a destination wants: each is reported once, the first 100 of them.
#[derive(Default)]
struct Tokenless {
    names: Vec<Box<[u8]>>,
    reported: usize,
}

impl Tokenless {
    const MAX: usize = 100;

    fn add(&mut self, service: &[u8]) {
        if self.names.len() < Self::MAX && self.names.iter().all(|known| **known != *service) {
            self.names.push(service.into());
        }
    }

    fn next(&mut self) -> Option<&[u8]> {
        let name = self.names.get(self.reported)?;
        self.reported += 1;
        Some(name)
    }
}

struct DestinationEnvelopes<'p> {
    scopes: &'p Descriptions<Scope>,
    resources: &'p Descriptions<Resource>,
    destination: usize,
}

impl Envelopes for DestinationEnvelopes<'_> {
    fn resource(&self, resource: u32) -> &[u8] {
        self.resources.get(resource).and_then(|r| r.fields.get(self.destination)).map_or(&[], Vec::as_slice)
    }

    fn scope(&self, scope: u32) -> &[u8] {
        self.scopes.get(scope).map_or(&[], |s| &s.fields)
    }

    fn account(&self, resource: u32) -> &[u8] {
        self.resources.get(resource).and_then(|r| r.account(self.destination)).unwrap_or_default()
    }
}

impl Pipeline {
    /// A pipeline by its configuration. `seed` decides the jitter of retries, and the hashes of its maps: it should not be known to those
    /// who send spans ([`crate::seed_hashes`]).
    pub fn new(config: &Config, seed: u64) -> Result<Self, ConfigError> {
        config.validate()?;
        hash::seed_hashes(seed);
        let mut keys = Keys::new(config.max_keys);
        let mut forms: Vec<Form> = Vec::new();
        let mut destinations = Vec::new();
        for (i, d) in config.destinations.iter().enumerate() {
            let (privacy, at) = match &d.privacy {
                Some(own) => (own, format!("destinations[{i}].")),
                None => (&config.privacy, String::new()),
            };
            let of = (d.profile, d.keep.unwrap_or(d.profile.table().keep), privacy.clone());
            let form = match forms.iter().position(|f| f.of == of) {
                Some(form) => form,
                None => {
                    let privacy = Privacy::new(privacy, of.0.table(), &at)?;
                    keys.add_profile(&of.0.table().written());
                    forms.push(Form { writing: Writing::new(of.0.table(), of.1, &keys), privacy, of });
                    forms.len() - 1
                }
            };
            destinations.push(Destination {
                name: d.name.clone().unwrap_or_else(|| format!("otlp-{i}")),
                form,
                rules: ResourceRules::new(d),
                exporter: Exporter::new(
                    config.delivery(d),
                    (i as u32 + 1, config.destinations.len() as u32),
                    // A backend sees the jitter, and shall not learn the seed.
                    Hash::default().hash_one(i),
                ),
                max_bytes: config.delivery(d).batch.max_bytes,
                json: Vec::new(),
                mended_service_name: false,
                not_sampled: 0,
                filtered: 0,
                without_token: 0,
                config: d.clone(),
            });
        }
        let limits = entry::Limits { hold_ms: config.entry.hold_millis, held: config.entry.max_held, spans: config.entry.max_spans };
        Ok(Pipeline {
            keys,
            arena: Bump::new(),
            scratch: Bump::new(),
            writer: Writer::default(),
            tree: Tree::new(limits, config.entry.siblings),
            mark_entries: config.entry.enabled,
            entry_value: config.entry.value,
            infer_provider: config.infer_provider,
            hooks: Hooks::default(),
            privacy: privacy::Counts::default(),
            scopes: Descriptions::default(),
            resources: Descriptions::default(),
            tokenless: Tokenless::default(),
            key: Vec::new(),
            forms,
            destinations,
            held: HashMap::default(),
            held_bytes: 0,
            max_held_bytes: config.entry.max_held_bytes,
            across_processes: config.entry.across_processes,
            filters: config.destinations.iter().any(|d| !d.filter.passes_all()),
            inherit_session: config.inherit_session,
            max_unpacked_bytes: config.max_unpacked_bytes,
            seen: 0,
            unread: 0,
            llm: 0,
            entries: 0,
            unparsed: 0,
        })
    }

    /// What the host does with content itself. Set before the first span.
    pub fn set_hooks(&mut self, hooks: Hooks) {
        self.hooks = hooks;
    }

    /// Gives a key or a name its number for the frame; `None`: write it out, the dictionary is full.
    pub fn intern(&mut self, text: &[u8]) -> Option<u32> {
        let id = self.keys.intern(text);
        self.keys.keep();
        id.map(|id| id + 1)
    }

    fn reset_arena(&mut self) {
        reset(&mut self.arena);
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
        let name = scope.name.into();
        self.make_room();
        if self.scopes.is_full() {
            return Err(FrameError { offset: 0, what: "too many scopes are in use" });
        }
        let scope = self.describe_scope(name, false);
        let bytes = scope.fields.len() + scope.name.len();
        Ok(self.scopes.add(&self.key, scope, bytes))
    }

    /// The scope that was just written.
    fn describe_scope(&self, name: Box<[u8]>, has_secret: bool) -> Scope {
        let allows = |(i, d): (usize, &Destination)| Destinations::from(d.config.allows(&name)) << i;
        let allowed = self.destinations.iter().enumerate().map(allows).sum();
        Scope { conventions: conventions::of_scope(&name), fields: self.writer.written().to_vec(), allowed, has_secret, name }
    }

    /// Takes a `resource` record, gives its number for the frame, as [`Pipeline::scope`] does.
    pub fn resource(&mut self, record: &[u8]) -> Result<u32, FrameError> {
        self.reset_arena();
        let (arena, keys) = (std::mem::take(&mut self.arena), std::mem::take(&mut self.keys));
        let described = frame::resource(record, &arena, &keys).and_then(|resource| self.describe_resource(&resource, &keys));
        (self.arena, self.keys) = (arena, keys);
        described
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
        let w = &mut self.writer;
        let mut fields = Vec::with_capacity(self.destinations.len());
        for d in &mut self.destinations {
            w.clear();
            w.text_field(number::RESOURCE_SPANS_SCHEMA_URL, resource.schema_url);
            let mark = w.mark();
            d.mended_service_name |= d.rules.write(w, resource.attributes, keys);
            w.close(number::RESOURCE_SPANS_RESOURCE, mark);
            fields.push(w.written().to_vec());
        }
        let account = self.account(resource.attributes, keys);
        let bytes = fields.iter().map(Vec::len).sum();
        Ok(self.resources.add(&self.key, Resource { fields, changes: true, account }, bytes))
    }

    /// The account that a resource belongs to, and the destination where it does.
    fn account(&self, attributes: &[Attr], keys: &Keys) -> Option<(usize, Box<[u8]>)> {
        self.destinations.iter().enumerate().find_map(|(i, d)| Some((i, d.rules.account(attributes, keys)?.into())))
    }

    /// The name of a service that sends no token although a destination wants the senders' own. Gives each name once.
    pub fn tokenless(&mut self) -> Option<&[u8]> {
        self.tokenless.next()
    }

    /// The keys whose values [`Pipeline::start`] wants to see, where a span starts with them: a host hands over those alone.
    pub fn wanted(&self) -> Vec<&str> {
        let mut keys = conventions::keys_of_kinds();
        if self.inherit_session {
            keys.extend(conventions::keys_of(&PEOPLE));
        }
        self.destinations.iter().for_each(|d| d.config.filter.add_keys(&mut keys));
        keys
    }

    /// A span started: a `start` record. With [`FrameError::FORGOTTEN`] nothing of it was taken, and the host has to describe its scope again. `refused`: the destinations that the host itself keeps it from, as far as it knows now.
    /// `now` is in ms.
    pub fn start(&mut self, record: &[u8], refused: Destinations, now: f64) -> Result<(), FrameError> {
        self.reset_arena();
        let start = frame::start(record, &self.arena, &self.keys).inspect_err(|_| self.unparsed += 1)?;
        self.scopes.keep(start.scope);
        let scope = Some(self.scopes.get(start.scope).ok_or(FrameError::FORGOTTEN)?);
        let of_scope = scope.map_or(0, |s| s.conventions);
        let proven = of_scope | normalize::recognise_start(start.keys.iter().copied(), &self.keys);
        let facts = Facts {
            scope: scope.map_or(&[], |s| &s.name),
            name: start.name,
            llm: proven != 0,
            operation: &[],
            attributes: start.attributes,
            keys: &self.keys,
            arena: &self.arena,
        };
        let kept = self.kept(scope, &facts, refused);
        // On a span of another kind it is no session of the model's, unless the baggage says so.
        let named = self.inherit_session && (proven != 0 || start.baggage) && !start.attributes.is_empty();
        self.tree.start(Started {
            trace_id: start.trace_id,
            span_id: start.span_id,
            parent_id: start.parent_id,
            llm: normalize::opens_segment(start.attributes, [of_scope, proven], &self.keys),
            may_be_llm: conventions::open_segments(proven),
            inside_segment: self.across_processes && start.remote_parent && start.inside_segment,
            caller: start.caller,
            patient: false,
            people: if named { normalize::people(start.attributes, &self.keys, &self.arena) } else { [None; 2] },
            kept,
        });
        self.drain_tree(now);
        Ok(())
    }

    /// [`Tree::segment`]
    pub fn segment(&mut self, trace_id: TraceId, span_id: SpanId) -> Option<SpanId> {
        self.tree.segment(trace_id, span_id)
    }

    /// The destinations that get a span.
    fn kept(&self, scope: Option<&Scope>, facts: &Facts, refused: Destinations) -> Destinations {
        if !self.filters {
            return scope.map_or(Destinations::MAX, |s| s.allowed) & !refused;
        }
        let stops = |(i, d): &(usize, &Destination)| !d.config.filter.passes(facts) && *i < Destinations::BITS as usize;
        let stopped: Destinations = self.destinations.iter().enumerate().filter(stops).map(|(i, _)| 1 << i).sum();
        !stopped & scope.map_or(Destinations::MAX, |s| s.allowed) & !refused
    }

    /// A span ended: a `span` record. With [`FrameError::FORGOTTEN`] nothing of it was taken, and the host has to describe its scope and its resource
    /// again. `refused`: the destinations that the host itself keeps it from. `now` is in ms.
    pub fn end(&mut self, record: &[u8], refused: Destinations, now: f64) -> Result<(), FrameError> {
        self.reset_arena();
        let (arena, keys) = (std::mem::take(&mut self.arena), std::mem::take(&mut self.keys));
        let read =
            frame::span(record, &arena, &keys).inspect_err(|_| self.unparsed += 1).and_then(|SpanRecord { span, scope, resource }| {
                self.scopes.keep(scope);
                self.resources.keep(resource);
                if self.scopes.get(scope).is_none() || self.resources.get(resource).is_none() {
                    return Err(FrameError::FORGOTTEN);
                }
                let room = normalize::room(&arena, record.len(), self.max_unpacked_bytes);
                let mut normal = self.normalize(&span, scope, room, &keys, &arena);
                let remote = span.parent_is_remote();
                let of = self.scopes.get(scope);
                let kept = self.kept(of, &facts(&span, normal.as_ref(), of, &keys, &arena), refused);
                self.take(
                    Taken {
                        span: &span,
                        raw: None,
                        normal: normal.as_mut(),
                        place: Place { resource, scope },
                        remote,
                        patient: false,
                        kept,
                    },
                    &keys,
                    &arena,
                    now,
                );
                Ok(())
            });
        (self.arena, self.keys) = (arena, keys);
        self.drain_tree(now);
        read
    }

    fn normalize<'a>(&self, span: &Span<'a>, scope: u32, room: usize, keys: &'a Keys, arena: &'a Bump) -> Option<Normal<'a>> {
        let scope = self.scopes.get(scope);
        let cx = Context {
            keys,
            arena,
            scope: scope.map_or(&[], |s| arena.alloc_slice_copy(&s.name)),
            scope_conventions: scope.map_or(0, |s| s.conventions),
            infer_provider: self.infer_provider,
            room,
        };
        normalize::normalize(span, &cx)
    }

    /// Everything that happens to a span that ended, up to the queues.
    fn take<'a>(&mut self, taken: Taken<'_, 'a>, keys: &'a Keys, arena: &'a Bump, now: f64) {
        let Taken { span, raw, mut normal, place, remote, patient, kept } = taken;
        let (llm, mark) = normal.as_deref().map_or((false, None), |n| (n.opens_segment, n.mark));
        self.seen += 1;
        self.unread += normal.as_deref().map_or(0, |n| u64::from(n.unread));
        self.llm += u64::from(llm);
        let (trace_id, span_id, parent_id) = (span.trace_id, span.span_id, span.parent_id);
        let used = normal.as_deref().map(Normal::usage).unwrap_or_default();
        let all = Destinations::MAX >> (Destinations::BITS as usize - self.destinations.len());
        let repeated = self.tree.repeats(trace_id, span_id, parent_id, used, kept & all == all);
        if let Some(n) = normal.as_deref_mut() {
            n.leave_to_children(repeated);
        }
        if let Some(n) = normal.as_deref_mut().filter(|n| self.inherit_session && n.is_llm()) {
            let known = self.tree.people(trace_id, span_id);
            n.inherit(known, arena);
            if n.people() != known {
                self.tree.introduce(trace_id, span_id, n.people());
            }
        }
        let (llm, mark) = if self.mark_entries { (llm, mark) } else { (false, None) };
        let ended = Ended {
            trace_id,
            span_id,
            parent_id,
            llm,
            mark,
            remote,
            caller: entry::caller(span.trace_state).filter(|_| self.across_processes),
            root: normal
                .as_ref()
                .filter(|n| llm && n.says_root() && !self.tree.knows(trace_id, parent_id))
                .and_then(|_| normalize::root(span, keys)),
            patient,
            kept,
        };
        let (decision, kept) = self.tree.end(ended, now);
        self.entries += u64::from(decision == Decision::Entry);
        let at = At { trace_id, parent_id, place, kept };
        let mut held = Held { place, parent_id, kept, bodies: Vec::new() };
        for i in 0..self.forms.len() {
            let mut scratch = std::mem::take(&mut self.scratch);
            let (form, w) = (&self.forms[i], &mut self.writer);
            w.clear();
            let mut entry_fields = Vec::new();
            if decision != Decision::Plain {
                form.writing.entry_mark(w, &self.entry_value.mark(), keys);
                if let Some(n) = normal.as_deref() {
                    form.writing.entry_content(w, span, n, keys, &scratch);
                }
                entry_fields = w.written().to_vec();
                w.clear();
            }
            match raw.filter(|_| normal.is_none()) {
                Some(raw) => w.bytes(raw),
                None => form.writing.span(w, span, normal.as_deref(), keys, &scratch),
            }
            let is_recognised = normal.as_deref().is_some_and(Normal::is_recognised);
            let (hooks, counts) = (&self.hooks, &mut self.privacy);
            let run = privacy::Run { keys, arena: &scratch, hooks, counts, notes: None };
            let [fields, entry_fields] = form.privacy.apply([w.written(), &entry_fields], is_recognised, run);
            if decision == Decision::Hold {
                self.held_bytes += fields.len() + entry_fields.len();
                held.bodies.push((fields.to_vec(), entry_fields.to_vec()));
            } else {
                at.queue(&mut self.tree, &self.resources, &mut self.destinations, i, [fields, entry_fields], now);
            }
            reset(&mut scratch);
            self.scratch = scratch;
        }
        if decision == Decision::Hold {
            let before = self.held.insert((trace_id, span_id), held);
            let bytes = before.iter().flat_map(|held| &held.bodies).map(|(fields, entry_fields)| fields.len() + entry_fields.len());
            self.held_bytes -= bytes.sum::<usize>();
        }
        while self.held_bytes > self.max_held_bytes && self.tree.decide_oldest() {
            self.drain_tree(now);
        }
    }

    /// Queues the candidates that were decided.
    fn drain_tree(&mut self, now: f64) {
        while let Some((trace_id, span_id, entry)) = self.tree.resolved() {
            let Some(Held { place, parent_id, kept, bodies }) = self.held.remove(&(trace_id, span_id)) else { continue };
            self.entries += u64::from(entry);
            let at = At { trace_id, parent_id, place, kept };
            for (form, (fields, entry_fields)) in bodies.iter().enumerate() {
                self.held_bytes -= fields.len() + entry_fields.len();
                let entry_fields = if entry { &entry_fields[..] } else { &[] };
                at.queue(&mut self.tree, &self.resources, &mut self.destinations, form, [fields, entry_fields], now);
            }
        }
    }

    /// The next request to send or to store, and the index of the destination it is for. `now` is in ms.
    pub fn poll(&mut self, now: f64) -> Option<(usize, Transmit<'_>)> {
        self.tree.tick(now);
        self.drain_tree(now);
        let (scopes, resources) = (&self.scopes, &self.resources);
        self.destinations.iter_mut().enumerate().find_map(|(i, d)| {
            let envelopes = DestinationEnvelopes { scopes, resources, destination: i };
            if d.config.protocol != config::Protocol::HttpJson {
                return d.exporter.poll(now, &envelopes).map(|transmit| (i, transmit));
            }
            loop {
                let Transmit { id, spans, body, store } = d.exporter.poll(now, &envelopes)?;
                // What is stored is protobuf, whoever gets it later.
                let written = if store { body.to_vec() } else { json::from_protobuf(body).unwrap_or_default() };
                if spans > 1 && !store && written.len() > d.max_bytes {
                    d.exporter.split(id);
                    continue;
                }
                d.json = written;
                return Some((i, Transmit { id, spans, body: &d.json, store }));
            }
        })
    }

    /// When [`Pipeline::poll`] has something to do if nothing else happens, in ms; `None`: never.
    pub fn wake(&self) -> Option<f64> {
        let held = self.tree.wake();
        self.destinations.iter().filter_map(|d| d.exporter.wake()).chain(held).min_by(f64::total_cmp)
    }

    /// Everything that ended so far goes out now, candidates too. Gives what [`Pipeline::settled`] can be asked for.
    pub fn flush(&mut self, now: f64) -> Flush {
        self.tree.flush();
        self.drain_tree(now);
        Flush(self.destinations.iter_mut().map(|d| d.exporter.flush()).collect())
    }

    /// Is every span that the flush sent answered, or given up and counted?
    pub fn settled(&self, flush: &Flush) -> bool {
        self.destinations.iter().zip(&flush.0).all(|(d, number)| d.exporter.settled(*number))
    }

    /// Has [`Pipeline::poll`] something to send now? Cheap: a host asks after every span.
    pub fn is_due(&self, now: f64) -> bool {
        self.destinations.iter().any(|d| d.exporter.is_due(now))
    }

    /// A backend answered the request `id`, as [`Exporter::response`] takes it. Ids of different destinations differ.
    pub fn response(&mut self, id: u32, status: u16, retry_after: Option<f64>, body: &[u8], now: f64) -> Option<PartialSuccess> {
        let partial = self.of(id)?.exporter.response(id, status, retry_after, body, now);
        self.shorten();
        partial
    }

    /// No answer came to the request `id`.
    pub fn failure(&mut self, id: u32, now: f64) {
        if let Some(d) = self.of(id) {
            d.exporter.failure(id, now);
        }
    }

    /// The destination of a request.
    fn of(&mut self, id: u32) -> Option<&mut Destination> {
        let count = self.destinations.len();
        self.destinations.get_mut((id as usize).wrapping_sub(1).checked_rem(count)?)
    }

    /// Halves the spans that a backend finds too large.
    fn shorten(&mut self) {
        for d in &mut self.destinations {
            while let Some(body) = d.exporter.oversized() {
                self.arena.reset();
                let mut smaller = false;
                let body = export::rebuild(body, &mut |span| {
                    let run =
                        privacy::Run { keys: &self.keys, arena: &self.arena, hooks: &self.hooks, counts: &mut self.privacy, notes: None };
                    let short = self.forms[d.form].privacy.shorten(span, span.len() / 2, run);
                    smaller = short.len() < span.len();
                    Some(short)
                });
                d.exporter.shorten(body.filter(|_| smaller));
            }
        }
    }

    /// The host stored a batch, or could not: [`Exporter::stored`].
    pub fn stored(&mut self, id: u32, ok: bool, now: f64) {
        if let Some(d) = self.of(id) {
            d.exporter.stored(id, ok, now);
        }
    }

    /// Would a destination send a batch of the spool now?
    pub fn wants(&self, destination: usize, now: f64) -> bool {
        self.destinations.get(destination).is_some_and(|d| d.exporter.wants(now))
    }

    /// Takes a batch of the spool: [`Exporter::restore`].
    pub fn restore(&mut self, destination: usize, copy: u32, spans: u64, body: &[u8]) {
        if let Some(d) = self.destinations.get_mut(destination) {
            d.exporter.restore(copy, spans, body);
        }
    }

    /// A copy in the spool that the host may delete, or (`true`) has to offer again.
    pub fn released(&mut self) -> Option<(u32, bool)> {
        self.destinations.iter_mut().find_map(|d| d.exporter.released())
    }

    /// Gives up what is not delivered: [`Exporter::close`]. Candidates for the entry too.
    pub fn close(&mut self, now: f64) {
        self.flush(now);
        self.destinations.iter_mut().for_each(|d| d.exporter.close());
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        let counts = self.tree.counts();
        let destination = |d: &Destination| {
            let c = d.exporter.counts();
            DestinationStats {
                name: d.name.clone(),
                queued: c.queued,
                sent: c.sent,
                rejected: c.rejected,
                sent_bytes: c.sent_bytes,
                retried: c.retried,
                retried_batches: c.retried_batches,
                split_batches: c.split_batches,
                shortened: c.shortened,
                dropped_full: c.dropped_full,
                dropped_refused: c.dropped_refused,
                dropped_deadline: c.dropped_deadline,
                dropped_too_large: c.dropped_too_large,
                dropped_closed: c.dropped_closed,
                spooled: c.spooled,
                restored: c.restored,
                health: match d.exporter.health() {
                    Health::Ok => "ok",
                    Health::Open => "open",
                    Health::HalfOpen => "half-open",
                },
                waiting: d.exporter.waiting(),
                not_sampled: d.not_sampled,
                filtered: d.filtered,
                without_token: d.without_token,
                pending: d.exporter.pending(),
                pending_bytes: d.exporter.pending_bytes(),
                mended_service_name: d.mended_service_name,
            }
        };
        Stats {
            seen: self.seen,
            unread: self.unread,
            llm: self.llm,
            entries: self.entries,
            unparsed: self.unparsed,
            held: self.tree.held() as u64,
            hold_expired: counts.hold_expired,
            hold_overflow: counts.hold_overflow,
            late_marks: counts.late_marks,
            tracked: self.tree.tracked() as u64,
            traces_evicted: counts.traces_evicted,
            spans_forgotten: counts.spans_forgotten,
            dictionary: self.keys.count() as u64,
            masked: self.privacy.masked,
            mask_failed: self.privacy.mask_failed,
            media_replaced: self.privacy.media_replaced,
            truncated: self.privacy.truncated,
            content_dropped: self.privacy.content_dropped,
            destinations: self.destinations.iter().map(destination).collect(),
        }
    }
}

/// Writes the key of a scope or a resource that a host describes. Those of bodies begin with another byte.
fn write_host_key(key: &mut Vec<u8>, written: &[u8]) {
    key.clear();
    key.push(2);
    key.extend_from_slice(written);
}

fn reset(arena: &mut Bump) {
    if arena.allocated_bytes() > ARENA_BYTES {
        *arena = Bump::new();
    } else {
        arena.reset();
    }
}

/// A flush, as each destination numbers it.
#[derive(Clone, Debug)]
pub struct Flush(Vec<u64>);

/// What a filter may ask of a span that ended.
fn facts<'s, 'a>(
    span: &'s Span<'a>,
    normal: Option<&Normal<'a>>,
    scope: Option<&'s Scope>,
    keys: &'s Keys,
    arena: &'s Bump,
) -> Facts<'s, 'a> {
    Facts {
        scope: scope.map_or(&[], |s| &s.name),
        name: span.name,
        llm: normal.is_some_and(Normal::is_llm),
        operation: normal.map_or(&[], |n| n.canonical.operation_name()),
        attributes: span.attributes,
        keys,
        arena,
    }
}

/// A span that ended, understood.
struct Taken<'s, 'a> {
    span: &'s Span<'a>,
    /// Its message as it came, for one that no convention knows.
    raw: Option<&'s [u8]>,
    normal: Option<&'s mut Normal<'a>>,
    place: Place,
    remote: bool,
    /// Its parent may come later.
    patient: bool,
    /// Who gets it.
    kept: Destinations,
}

/// Where a span stands.
struct At {
    trace_id: TraceId,
    parent_id: SpanId,
    place: Place,
    kept: Destinations,
}

impl At {
    /// Hands an encoded span to the destinations of a form that get it.
    fn queue(
        &self,
        tree: &mut Tree,
        resources: &Descriptions<Resource>,
        destinations: &mut [Destination],
        form: usize,
        fields: [&[u8]; 2],
        now: f64,
    ) {
        for (i, d) in destinations.iter_mut().enumerate().filter(|(_, d)| d.form == form) {
            let bit = 1 << i;
            if self.kept & bit == 0 {
                d.filtered += 1;
                continue;
            }
            if !route::samples(d.config.sample_ratio, self.trace_id) {
                d.not_sampled += 1;
                continue;
            }
            if resources.get(self.place.resource).and_then(|r| r.account(i)) == Some(b"") {
                d.without_token += 1;
                continue;
            }
            let parent = tree.kept_parent(self.trace_id, self.parent_id, bit);
            let moved = (parent != self.parent_id)
                .then(|| route::with_parent(fields[0], [self.parent_id, parent], d.config.original_parent.as_deref()));
            match &moved {
                Some(Ok(moved)) => d.exporter.push(self.place, [moved, fields[1]], now),
                _ => d.exporter.push(self.place, fields, now),
            }
        }
    }
}
