//! The pipeline: what each stage does with a span, in order, and what is held in between.

mod bodies;
mod descriptions;
mod destination;
mod envelopes;
mod frames;
mod passthrough;
mod stats;

pub use bodies::Ingested;

use crate::config::{self, Config};
use crate::describe::ResourceRules;
use crate::engine::{self, Engine, Understood};
use crate::entry::{Decision, Destinations};
use crate::error::ConfigError;
use crate::export::{self, Exporter, Place, Transmit};
use crate::hash::{self, Hash, HashMap};
use crate::keys::Keys;
use crate::otlp::PartialSuccess;
use crate::otlp::json;
use crate::privacy::Hooks;
use crate::protobuf::Writer;
use crate::span::{SpanId, TraceId};
use bumpalo::Bump;
use descriptions::Descriptions;
use destination::{At, Destination};
use envelopes::{DestinationEnvelopes, Resource, Scope, Tokenless};
use std::hash::BuildHasher;

/// A candidate that waits for its ancestors, encoded.
struct Held {
    place: Place,
    parent_id: SpanId,
    kept: Destinations,
    /// The body that it came in: see [`Pipeline::body`].
    body: u32,
    /// By form: the fields of the span, and those that it gets as an entry.
    bodies: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Held {
    /// The number of bytes that count against `maxHeldBytes`.
    fn bytes(&self) -> usize {
        self.bodies.iter().map(|(fields, entry_fields)| fields.len() + entry_fields.len()).sum()
    }
}

/// The machine. Feed it spans and answers, drain it with [`Pipeline::poll`].
pub struct Pipeline {
    keys: Keys,
    arena: Bump,
    /// Writes scopes and resources.
    writer: Writer,
    engine: Engine,
    hooks: Hooks,
    scopes: Descriptions<Scope>,
    resources: Descriptions<Resource>,
    tokenless: Tokenless,
    /// What describes the scope or the resource that is looked up.
    key: Vec<u8>,
    destinations: Vec<Destination>,
    held: HashMap<(TraceId, SpanId), Held>,
    held_bytes: usize,
    max_held_bytes: usize,
    /// The number of the body that is being rewritten, or was last.
    body: u32,
    /// While a body is being rewritten: candidates of other bodies that were decided, which are not sent with it.
    apart: Option<Vec<(TraceId, bool, Held)>>,
    /// Some destination has a filter.
    filters: bool,
    entries: u64,
    unparsed: u64,
    repeated: u64,
    unknown_words: u64,
}

impl Pipeline {
    /// A pipeline by its configuration. `seed` decides the jitter of retries, and the hashes of its maps: it should not be known to those
    /// who send spans ([`crate::seed_hashes`]).
    pub fn new(config: &Config, seed: u64) -> Result<Self, ConfigError> {
        config.validate()?;
        hash::seed_hashes(seed);
        let mut keys = Keys::new(config.max_keys);
        keys.mappings = config.mappings;
        let mut engine = Engine::new(config);
        let mut destinations = Vec::new();
        for (i, d) in config.destinations.iter().enumerate() {
            destinations.push(Destination {
                name: d.name.clone().unwrap_or_else(|| format!("otlp-{i}")),
                form: engine.encoder.form(config, i, &mut keys)?,
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
        Ok(Pipeline {
            keys,
            arena: Bump::new(),
            writer: Writer::default(),
            engine,
            hooks: Hooks::default(),
            scopes: Descriptions::default(),
            resources: Descriptions::default(),
            tokenless: Tokenless::default(),
            key: Vec::new(),
            destinations,
            held: HashMap::default(),
            held_bytes: 0,
            max_held_bytes: config.entry.max_held_bytes,
            body: 0,
            apart: None,
            filters: config.destinations.iter().any(|d| !d.filter.passes_all()),
            entries: 0,
            unparsed: 0,
            repeated: 0,
            unknown_words: 0,
        })
    }

    /// What the host does with content itself. Set before the first span.
    pub fn set_hooks(&mut self, hooks: Hooks) {
        self.hooks = hooks;
    }

    fn reset_arena(&mut self) {
        engine::reset(&mut self.arena);
    }

    /// Runs a function with the dictionary and the arena beside the pipeline: what is understood borrows both.
    fn with_memory<T>(&mut self, f: impl FnOnce(&mut Self, &mut Keys, &Bump) -> T) -> T {
        let (arena, mut keys) = (std::mem::take(&mut self.arena), std::mem::take(&mut self.keys));
        let out = f(self, &mut keys, &arena);
        (self.arena, self.keys) = (arena, keys);
        out
    }

    /// The name of a service that sends no token although a destination wants the senders' own. Gives each name once.
    pub fn tokenless(&mut self) -> Option<&[u8]> {
        self.tokenless.next()
    }

    /// Takes spans of which no start was reported: they start first, and end after their children.
    fn take_all<'a>(&mut self, spans: &mut [Understood<'_, 'a>], places: &[Place], once: bool, keys: &Keys, arena: &'a Bump, now: f64) {
        for i in self.engine.start_all(spans) {
            if let (Some(ended), Some(place)) = (spans.get_mut(i), places.get(i)) {
                if once && self.engine.comes_again(ended, place.resource) {
                    self.repeated += 1;
                } else {
                    self.take(*place, ended, keys, arena, now);
                }
            }
        }
    }

    /// Everything that happens to a span that ended, up to the queues.
    fn take<'a>(&mut self, place: Place, ended: &mut Understood<'_, 'a>, keys: &Keys, arena: &'a Bump, now: f64) {
        let decision = self.engine.end(ended, keys, arena, now);
        self.entries += u64::from(decision == Decision::Entry);
        let (trace_id, span_id, parent_id, kept) = (ended.span.trace_id, ended.span.span_id, ended.span.parent_id, ended.kept);
        let at = At { trace_id, parent_id, place, kept };
        let mut held = Held { place, parent_id, kept, body: self.body, bodies: Vec::new() };
        let Engine { tree, encoder, .. } = &mut self.engine;
        for form in 0..encoder.forms() {
            let [fields, entry_fields] = encoder.encode(form, ended, decision, keys, &self.hooks, None);
            if decision == Decision::Hold {
                self.held_bytes += fields.len() + entry_fields.len();
                held.bodies.push((fields.to_vec(), entry_fields.to_vec()));
            } else {
                at.queue(tree, &self.resources, &mut self.destinations, form, [fields, entry_fields], now);
            }
        }
        if decision == Decision::Hold {
            let before = self.held.insert((trace_id, span_id), held);
            self.held_bytes -= before.as_ref().map_or(0, Held::bytes);
        }
        while self.held_bytes > self.max_held_bytes && self.engine.tree.decide_oldest() {
            self.drain_tree(now);
        }
    }

    /// Queues the candidates that were decided.
    fn drain_tree(&mut self, now: f64) {
        while let Some((trace_id, span_id, entry)) = self.engine.tree.resolved() {
            let Some(held) = self.held.remove(&(trace_id, span_id)) else { continue };
            self.entries += u64::from(entry);
            self.held_bytes -= held.bytes();
            match &mut self.apart {
                Some(apart) if held.body != self.body => apart.push((trace_id, entry, held)),
                _ => self.queue_held(trace_id, entry, &held, now),
            }
        }
    }

    /// Queues a candidate that was decided.
    fn queue_held(&mut self, trace_id: TraceId, entry: bool, held: &Held, now: f64) {
        let Held { place, parent_id, kept, .. } = *held;
        let at = At { trace_id, parent_id, place, kept };
        for (form, (fields, entry_fields)) in held.bodies.iter().enumerate() {
            let entry_fields = if entry { &entry_fields[..] } else { &[] };
            at.queue(&mut self.engine.tree, &self.resources, &mut self.destinations, form, [fields, entry_fields], now);
        }
    }

    /// The next request to send or to store, and the index of the destination it is for. `now` is in ms.
    pub fn poll(&mut self, now: f64) -> Option<(usize, Transmit<'_>)> {
        self.engine.tree.tick(now);
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
        let held = self.engine.tree.wake();
        self.destinations.iter().filter_map(|d| d.exporter.wake()).chain(held).min_by(f64::total_cmp)
    }

    /// Everything that ended so far goes out now, candidates too. Gives what [`Pipeline::settled`] can be asked for.
    pub fn flush(&mut self, now: f64) -> Flush {
        self.engine.tree.flush();
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
                    let short = self.engine.encoder.shorten(d.form, span, &self.keys, &self.hooks, &self.arena);
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
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}

/// A flush, as each destination numbers it.
#[derive(Clone, Debug)]
pub struct Flush(Vec<u64>);
