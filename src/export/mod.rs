//! The exporter of one destination, as a state machine: queue, batches, retries, health. Time, answers and failures are arguments;
//! [`Exporter::poll`] returns what to send.
//!
//! ```text
//!  push ─► queue ─► batch ─► in flight ─► accepted, refused
//!                     ▲          │ retriable: waits (with a spool: is stored, and returns through `restore`)
//!                     └──────────┘ too large: two halves, then a smaller span
//!                                  invalid: two halves, then without the invalid span
//! ```

mod lane;
mod parts;
mod queue;
mod response;

use crate::config::Delivery;
use crate::otlp::PartialSuccess;
pub use lane::Place;
pub use parts::rebuild;
use queue::Queue;
use response::Verdict;

/// A batch to send or to store. A retry has the same id.
#[derive(Clone, Copy, Debug)]
pub struct Transmit<'a> {
    /// The batch.
    pub id: u32,
    /// Its number of spans.
    pub spans: u64,
    /// An `ExportTraceServiceRequest`.
    pub body: &'a [u8],
    /// Whether it is for the host's spool instead of the backend: see [`Exporter::stored`].
    pub store: bool,
}

/// Provides the envelope of a body: the parts around its spans.
pub trait Envelopes {
    /// The fields of `ResourceSpans` except its scopes, for a resource of the host's dictionary.
    fn resource(&self, resource: u32) -> &[u8];
    /// The fields of `ScopeSpans` except its spans, for a scope of the host's dictionary.
    fn scope(&self, scope: u32) -> &[u8];

    /// The account of a resource of the host's dictionary. A batch contains spans of one account only, so that a backend that refuses
    /// one sender does not refuse the spans of another.
    fn account(&self, _resource: u32) -> &[u8] {
        &[]
    }
}

/// The outcome of the spans, in spans unless stated otherwise. At any time `queued + restored` equals the sum of `sent`,
/// `rejected`, `spooled`, all dropped counters, and the pending spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accepted into the queue, or dropped by it.
    pub queued: u64,
    /// Answered with success, not counting rejected ones.
    pub sent: u64,
    /// Size of the batches that were answered with success, in bytes, encoded.
    pub sent_bytes: u64,
    /// Sent again, once for each time.
    pub retried: u64,
    /// Requests that were sent again.
    pub retried_batches: u64,
    /// Batches that were split because the backend found them too large, or refused them for a reason that may concern one of their spans.
    pub split_batches: u64,
    /// Shortened because the backend found them too large.
    pub shortened: u64,
    /// Dropped because the queue was full.
    pub dropped_full: u64,
    /// Dropped because the backend refused them permanently.
    pub dropped_refused: u64,
    /// Dropped because retries exceeded the deadline.
    pub dropped_deadline: u64,
    /// Dropped because the backend found them too large even when shortened.
    pub dropped_too_large: u64,
    /// Dropped because the exporter was closed before they were delivered.
    pub dropped_closed: u64,
    /// Rejected by the backend in a partial success.
    pub rejected: u64,
    /// Passed to the host's spool.
    pub spooled: u64,
    /// Taken back from the spool for good.
    pub restored: u64,
}

/// The health of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers.
    Ok,
    /// It failed too often, and is paused.
    Open,
    /// One request probes it.
    HalfOpen,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Waits until a time in ms, which may have passed.
    Waiting(f64),
    InFlight,
    /// The backend finds its single span too large.
    TooLarge,
    /// It is to be stored, or is being stored by the host.
    ToStore,
    Storing,
}

/// Counts of batches by state.
#[derive(Clone, Copy, Default)]
struct Tally {
    in_flight: usize,
    /// In flight to the backend, for the first time or again.
    held: usize,
    /// On the way to the spool.
    storing: usize,
    /// On the way from the spool.
    restored: usize,
}

#[derive(Debug)]
struct Batch {
    id: u32,
    body: Vec<u8>,
    spans: u64,
    /// The sequence number of its first span.
    first: u64,
    attempts: usize,
    /// The deadline of its retries, in ms.
    deadline: f64,
    state: State,
    /// The host's number of its copy in the spool; 0 if there is none.
    copy: u32,
    /// It is only a part of its copy.
    part: bool,
    /// How often the batch that it is a part of was split after a refusal.
    splits: usize,
    /// Its single span was shortened.
    shortened: bool,
    /// The host could not store it.
    memory_only: bool,
}

/// The exporter of one destination.
#[derive(Debug)]
pub struct Exporter {
    queue: Queue,
    batches: Vec<Batch>,
    settings: Delivery,
    next_id: u32,
    id_step: u32,
    /// Spans up to this sequence number are sent without waiting for more.
    flush_to: u64,
    /// Consecutive failures.
    failures: usize,
    /// Splits of refused batches since the backend last accepted one.
    fruitless: usize,
    /// The time of the last split, in ms.
    split_at: f64,
    /// Nothing is sent before this time, in ms.
    paused_until: f64,
    closed: bool,
    /// Copies that the host may delete, or (`true`) has to offer again.
    released: Vec<(u32, bool)>,
    random: u64,
    counts: Counts,
    /// The memory of a batch that was answered, for the next one.
    spare: Vec<u8>,
}

/// The largest body whose memory is kept for the next one, in bytes.
const MAX_SPARE: usize = 8 << 20;
const NEVER: f64 = f64::NEG_INFINITY;
/// Maximum number of splits of one refused batch, enough to find about ten invalid spans among 512.
const MAX_SPLITS: usize = 64;
/// If a backend refuses everything, at most this many consecutive splits without success are made ...
const MAX_FRUITLESS: usize = 32;
/// ... and then one per this interval, in ms, in case it accepts batches again.
const FRUITLESS_PAUSE: f64 = 60_000.0;

impl Exporter {
    /// Creates an empty exporter. `ids` are the first id of a batch and the step to the next; `seed` determines the jitter of retries.
    pub fn new(settings: Delivery, ids: (u32, u32), seed: u64) -> Self {
        Exporter {
            queue: Queue::new(settings.queue),
            batches: Vec::new(),
            settings,
            next_id: ids.0,
            id_step: ids.1,
            flush_to: 0,
            failures: 0,
            fruitless: 0,
            split_at: NEVER,
            paused_until: NEVER,
            closed: false,
            released: Vec::new(),
            random: seed | 1,
            counts: Counts::default(),
            spare: Vec::new(),
        }
    }

    /// Adds a span: the fields of its `Span` message, and the additional ones of an entry.
    pub fn push(&mut self, place: Place, fields: [&[u8]; 2], now: f64) {
        self.counts.queued += 1;
        self.counts.dropped_full += self.queue.push(place, fields, !fields[1].is_empty(), now);
    }

    /// Makes all spans in the queue ready to send; returns the sequence number for [`Exporter::settled`].
    pub fn flush(&mut self) -> u64 {
        self.flush_to = self.queue.pushed();
        self.flush_to
    }

    /// Returns true if every span up to this number was answered, stored, or given up and counted.
    pub fn settled(&self, number: u64) -> bool {
        let first = self.batches.iter().map(|b| b.first).chain(self.queue.first()).min();
        first.is_none_or(|first| first >= number)
    }

    /// Gives up undelivered spans: [`Exporter::poll`] returns the batches to store; the rest is dropped and counted.
    pub fn close(&mut self) {
        self.closed = true;
        self.flush();
        if !self.settings.spool {
            self.counts.dropped_closed += self.queue.clear();
        }
        for at in (0..self.batches.len()).rev() {
            if matches!(self.batches[at].state, State::Waiting(_) | State::InFlight | State::TooLarge) {
                self.set_aside(at);
            }
        }
    }

    /// Stops sending a batch: it returns to its copy, becomes a new one, or is dropped.
    fn set_aside(&mut self, at: usize) {
        let batch = &mut self.batches[at];
        if batch.copy != 0 && !batch.part {
            self.counts.restored -= batch.spans;
            self.released.push((batch.copy, true));
            self.batches.remove(at);
        } else if self.settings.spool && !batch.memory_only {
            batch.state = State::ToStore;
        } else {
            self.counts.dropped_closed += batch.spans;
            self.remove(at);
        }
    }

    #[inline(never)]
    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for b in &self.batches {
            match b.state {
                State::InFlight => tally.in_flight += 1,
                State::Storing => tally.storing += 1,
                _ => {}
            }
            if b.copy != 0 {
                tally.restored += 1;
            } else if !matches!(b.state, State::ToStore | State::Storing) {
                tally.held += 1;
            }
        }
        tally
    }

    fn is_probing(&self) -> bool {
        self.settings.breaker.failures != 0 && self.failures >= self.settings.breaker.failures
    }

    /// Returns true if there is room for a request, once the destination is not paused.
    fn has_slot(&self, tally: Tally) -> bool {
        let slots = if self.is_probing() { 1 } else { self.settings.max_in_flight };
        !self.closed && tally.in_flight < slots
    }

    /// Returns true if another batch may be made for sending.
    fn has_room(&self, tally: Tally) -> bool {
        self.has_slot(tally) && tally.held < self.settings.max_in_flight
    }

    /// Returns true if queued spans go to the spool.
    fn stores(&self, tally: Tally, now: f64) -> bool {
        let stuck = || self.closed || now < self.paused_until || self.is_probing() && !self.has_slot(tally) || self.queue.is_half_full();
        self.settings.spool && tally.storing < self.settings.max_in_flight && stuck()
    }

    /// Returns true if [`Exporter::poll`] has a new batch to return.
    pub fn is_due(&self, now: f64) -> bool {
        self.due(now) && {
            let tally = self.tally();
            now >= self.paused_until && self.has_room(tally) || self.stores(tally, now)
        }
    }

    fn due(&self, now: f64) -> bool {
        let Some(first) = self.queue.first() else { return false };
        let limits = &self.settings.batch;
        first < self.flush_to
            || self.queue.len() >= limits.max_spans
            || self.queue.bytes() >= limits.max_bytes
            // A queue that is smaller than a batch must not wait for a full batch.
            || self.queue.is_half_full()
            || now >= self.queue.oldest() + limits.delay_millis
    }

    /// The next batch to send or to store.
    pub fn poll(&mut self, now: f64, envelopes: &impl Envelopes) -> Option<Transmit<'_>> {
        if now >= self.paused_until {
            self.paused_until = NEVER;
        }
        self.give_up(now);
        if let Some(at) = self.batches.iter().position(|b| b.state == State::ToStore) {
            return Some(self.store(at));
        }
        let open = now >= self.paused_until;
        if open && self.has_slot(self.tally()) {
            let ready = |b: &Batch| matches!(b.state, State::Waiting(until) if until <= now);
            if let Some(at) = self.batches.iter().position(ready) {
                return Some(self.send(at));
            }
        }
        if !self.is_due(now) {
            return None;
        }
        let sends = open && self.has_room(self.tally());
        let limits = self.settings.batch;
        let memory = std::mem::take(&mut self.spare);
        let taken = self.queue.take(limits.max_spans, limits.max_bytes, memory, envelopes)?;
        self.add(Batch {
            id: 0,
            body: taken.body,
            spans: taken.spans,
            first: taken.first,
            attempts: 0,
            deadline: now + self.settings.retry.deadline_millis,
            state: State::Waiting(NEVER),
            copy: 0,
            part: false,
            splits: 0,
            shortened: false,
            memory_only: false,
        });
        let at = self.batches.len() - 1;
        Some(if sends { self.send(at) } else { self.store(at) })
    }

    /// Counts spans that were forwarded unchanged in a request of the proxy.
    pub fn passed(&mut self, spans: u64, bytes: u64) {
        self.counts.queued += spans;
        self.counts.sent += spans;
        self.counts.sent_bytes += bytes;
    }

    /// Returns the number of spans that were ever queued.
    pub fn pushed(&self) -> u64 {
        self.queue.pushed()
    }

    /// Returns the spans that were queued since [`Exporter::pushed`] returned `number` as one body, regardless of limits and health, and counts
    /// them as sent: they are forwarded in a request of the proxy.
    pub fn drain(&mut self, number: u64, envelopes: &impl Envelopes) -> Vec<u8> {
        let Some(taken) = self.queue.take_since(number, envelopes) else { return Vec::new() };
        self.counts.sent += taken.spans;
        self.counts.sent_bytes += taken.body.len() as u64;
        taken.body
    }

    fn add(&mut self, batch: Batch) {
        self.insert(self.batches.len(), batch);
    }

    fn insert(&mut self, at: usize, batch: Batch) {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(self.id_step);
        self.batches.insert(at, Batch { id, ..batch });
    }

    fn send(&mut self, at: usize) -> Transmit<'_> {
        let batch = &mut self.batches[at];
        batch.state = State::InFlight;
        batch.attempts += 1;
        if batch.attempts > 1 {
            self.counts.retried_batches += 1;
            self.counts.retried += batch.spans;
        }
        Transmit { id: batch.id, spans: batch.spans, body: &batch.body, store: false }
    }

    fn store(&mut self, at: usize) -> Transmit<'_> {
        let batch = &mut self.batches[at];
        batch.state = State::Storing;
        Transmit { id: batch.id, spans: batch.spans, body: &batch.body, store: true }
    }

    /// Reports whether the host stored a batch. Once it is stored, its memory is released.
    pub fn stored(&mut self, id: u32, ok: bool, now: f64) {
        let Some(at) = self.batches.iter().position(|b| b.id == id && b.state == State::Storing) else { return };
        let batch = &mut self.batches[at];
        if ok {
            self.counts.spooled += batch.spans;
            self.remove(at);
        } else if self.closed {
            self.counts.dropped_closed += batch.spans;
            self.remove(at);
        } else {
            batch.memory_only = true;
            batch.state = State::Waiting(now);
        }
    }

    /// Returns true if the destination would send a batch of the spool now.
    pub fn wants(&self, now: f64) -> bool {
        let tally = self.tally();
        self.settings.spool && now >= self.paused_until && self.has_slot(tally) && tally.restored < self.settings.max_in_flight.div_ceil(2)
    }

    /// Adds a batch of the spool; `copy` is the host's number for it, not 0, and is returned by [`Exporter::released`].
    pub fn restore(&mut self, copy: u32, spans: u64, body: &[u8]) {
        self.counts.restored += spans;
        self.add(Batch {
            id: 0,
            body: body.to_vec(),
            spans,
            // No flush waits for it.
            first: u64::MAX,
            attempts: 0,
            deadline: f64::INFINITY,
            state: State::Waiting(NEVER),
            copy,
            part: false,
            splits: 0,
            shortened: false,
            memory_only: false,
        });
    }

    /// A copy that the host may delete, or (`true`) has to offer again.
    pub fn released(&mut self) -> Option<(u32, bool)> {
        self.released.pop()
    }

    /// Removes a batch, and its copy if this was the last part of it.
    fn remove(&mut self, at: usize) {
        let Batch { copy, body, .. } = self.batches.remove(at);
        if body.capacity() > self.spare.capacity() && body.capacity() <= MAX_SPARE {
            self.spare = body;
        }
        if copy != 0 && self.batches.iter().all(|b| b.copy != copy) {
            self.released.push((copy, false));
        }
    }

    /// Drops batches that are past their deadline.
    fn give_up(&mut self, now: f64) {
        while let Some(at) = self.batches.iter().position(|b| matches!(b.state, State::Waiting(_)) && now >= b.deadline) {
            self.counts.dropped_deadline += self.batches[at].spans;
            self.remove(at);
        }
    }

    /// When [`Exporter::poll`] has something to do, in ms; `None` if only after another event.
    pub fn wake(&self) -> Option<f64> {
        let tally = self.tally();
        let slot = self.has_slot(tally);
        let mut wake = f64::INFINITY;
        for b in &self.batches {
            if let State::Waiting(until) = b.state {
                let at = if slot { until.max(self.paused_until) } else { f64::INFINITY };
                wake = wake.min(at).min(b.deadline);
            }
        }
        if self.queue.first().is_some() {
            let due = if self.due(NEVER) { NEVER } else { self.queue.oldest() + self.settings.batch.delay_millis };
            if self.has_room(tally) {
                wake = wake.min(due.max(self.paused_until));
            }
            if self.stores(tally, NEVER) {
                wake = wake.min(due);
            }
        }
        if self.settings.spool && self.paused_until > NEVER {
            wake = wake.min(self.paused_until);
        }
        (wake < f64::INFINITY).then_some(wake)
    }

    /// Passes the backend's answer to a batch: `status` is that of HTTP or, below 100, of gRPC; `body` is its body or, for a failed gRPC call,
    /// `grpc-status-details-bin`. `retry_after` is in ms.
    pub fn response(&mut self, id: u32, status: u16, retry_after: Option<f64>, body: &[u8], now: f64) -> Option<PartialSuccess> {
        let at = self.batches.iter().position(|b| b.id == id && b.state == State::InFlight)?;
        let verdict = response::verdict(status, retry_after, body);
        if let Verdict::Again(retry_after) = verdict {
            self.again(at, retry_after, now);
            return None;
        }
        // The destination answers, so it is healthy, whatever the answer to this batch is.
        self.failures = 0;
        let batch = &self.batches[at];
        match verdict {
            Verdict::TooLarge => {
                self.too_large(at);
                return None;
            }
            Verdict::Invalid if batch.spans > 1 && self.may_split(at, now) => {
                self.split_refused(at, now);
                return None;
            }
            Verdict::Invalid | Verdict::Refused => {
                self.counts.dropped_refused += batch.spans;
                self.remove(at);
                return None;
            }
            _ => {}
        }
        self.fruitless = 0;
        let mut partial = response::partial_success(body);
        let rejected = partial.as_mut().map_or(0, |p| {
            p.rejected = p.rejected.min(batch.spans);
            p.rejected
        });
        self.counts.rejected += rejected;
        self.counts.sent += batch.spans - rejected;
        self.counts.sent_bytes += batch.body.len() as u64;
        self.remove(at);
        partial
    }

    /// Reports that there was no answer.
    pub fn failure(&mut self, id: u32, now: f64) {
        if let Some(at) = self.batches.iter().position(|b| b.id == id && b.state == State::InFlight) {
            self.again(at, None, now);
        }
    }

    /// A batch in flight is too large for the backend.
    pub fn split(&mut self, id: u32) {
        if let Some(at) = self.batches.iter().position(|b| b.id == id && b.state == State::InFlight) {
            self.too_large(at);
        }
    }

    fn too_large(&mut self, at: usize) {
        let batch = &mut self.batches[at];
        batch.part = true;
        if batch.spans == 1 {
            batch.state = State::TooLarge;
        } else if !self.halve(at) {
            self.counts.dropped_too_large += self.batches[at].spans;
            self.remove(at);
        }
    }

    /// Returns true if a refused batch is worth another two requests.
    fn may_split(&self, at: usize, now: f64) -> bool {
        self.batches[at].splits < MAX_SPLITS && (self.fruitless < MAX_FRUITLESS || now >= self.split_at + FRUITLESS_PAUSE)
    }

    fn split_refused(&mut self, at: usize, now: f64) {
        let Batch { first, copy, .. } = self.batches[at];
        self.fruitless += 1;
        self.split_at = now;
        // The parts of a batch share its first span and its copy.
        self.batches.iter_mut().filter(|b| (b.first, b.copy) == (first, copy)).for_each(|b| b.splits += 1);
        if !self.halve(at) {
            self.counts.dropped_refused += self.batches[at].spans;
            self.remove(at);
        }
    }

    /// Splits a batch into two, to be sent at once. Returns false if it cannot be parsed.
    fn halve(&mut self, at: usize) -> bool {
        let batch = &mut self.batches[at];
        let half = batch.spans / 2;
        let Some([first, second]) = parts::split(&batch.body, half, batch.spans) else { return false };
        self.counts.split_batches += 1;
        batch.part = true;
        let spans = batch.spans - half;
        batch.body = first;
        batch.spans = half;
        batch.attempts = 0;
        batch.state = State::Waiting(NEVER);
        let second = Batch { body: second, spans, ..*batch };
        // Placed next to the first, so that one part is finished before the other is examined.
        self.insert(at + 1, second);
        true
    }

    /// The body of a span that the backend finds too large.
    pub fn oversized(&self) -> Option<&[u8]> {
        self.batches.iter().find(|b| b.state == State::TooLarge).map(|b| &b.body[..])
    }

    /// Replaces the body of [`Exporter::oversized`] by a smaller one; `None` if there is none.
    pub fn shorten(&mut self, body: Option<Vec<u8>>) {
        let Some(at) = self.batches.iter().position(|b| b.state == State::TooLarge) else { return };
        let batch = &mut self.batches[at];
        let Some(body) = body else {
            self.counts.dropped_too_large += batch.spans;
            self.counts.shortened -= u64::from(batch.shortened);
            return self.remove(at);
        };
        self.counts.shortened += u64::from(!batch.shortened);
        batch.shortened = true;
        batch.body = body;
        batch.attempts = 0;
        batch.state = State::Waiting(NEVER);
    }

    /// Exponential backoff with full jitter, but not before the time that the backend requested.
    fn again(&mut self, at: usize, retry_after: Option<f64>, now: f64) {
        let random = self.random();
        let Delivery { retry, breaker, spool, .. } = self.settings;
        self.failures = self.failures.saturating_add(1);
        let batch = &mut self.batches[at];
        let spools = spool && !batch.memory_only;
        let tries = if spools { self.failures } else { batch.attempts };
        let step = retry.initial_millis * 2f64.powi(tries.saturating_sub(1).min(30) as i32);
        let delay = (step.min(retry.max_millis) * random).max(retry_after.unwrap_or(0.0));
        // A request for time applies to all batches. With a spool, the destination waits, not the batch.
        let mut pause = if spools { delay } else { retry_after.unwrap_or(0.0) };
        if breaker.failures != 0 && self.failures >= breaker.failures {
            pause = pause.max(breaker.open_millis);
        }
        if pause > 0.0 {
            self.paused_until = self.paused_until.max(now + pause.min(retry.deadline_millis));
        }
        if spools {
            self.set_aside(at);
        } else if now + delay >= batch.deadline {
            self.counts.dropped_deadline += batch.spans;
            self.remove(at);
        } else {
            batch.state = State::Waiting(now + delay);
        }
    }

    /// xorshift64*, as a number from 0 to 1.
    fn random(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The health of the destination.
    pub fn health(&self) -> Health {
        match (self.is_probing(), self.paused_until > NEVER) {
            (false, _) => Health::Ok,
            (true, true) => Health::Open,
            (true, false) => Health::HalfOpen,
        }
    }

    /// The resources and scopes of the queued spans.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.queue.places()
    }

    /// Number of queued spans.
    pub fn waiting(&self) -> u64 {
        self.queue.len() as u64
    }

    /// Maximum number of queued spans.
    pub fn max_spans(&self) -> usize {
        self.settings.queue.max_spans
    }

    /// Returns true if the queue has room for this many spans and bytes. An empty queue accepts any number that fits its limits.
    pub fn takes(&self, spans: usize, bytes: usize) -> bool {
        let limits = &self.settings.queue;
        let (len, size) = (self.queue.len(), self.queue.bytes());
        len == 0 || len.saturating_add(spans) <= limits.max_spans && size.saturating_add(bytes) <= limits.max_bytes
    }

    /// Number of spans that are queued or in flight.
    pub fn pending(&self) -> u64 {
        self.waiting() + self.batches.iter().map(|b| b.spans).sum::<u64>()
    }

    /// Size of the spans that are queued or in flight, in bytes.
    pub fn pending_bytes(&self) -> u64 {
        (self.queue.bytes() + self.batches.iter().map(|b| b.body.len()).sum::<usize>()) as u64
    }
}

#[cfg(test)]
mod tests;
