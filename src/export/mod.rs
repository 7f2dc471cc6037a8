//! The exporter of one destination: queue, batches, retries, as a state machine. Time, answers and failures come in as
//! arguments, what to send comes out of [`Exporter::poll`].

mod queue;
mod response;

use crate::config::{BatchLimits, QueueLimits, RetryPolicy};
pub use queue::Place;
use queue::Queue;

/// Something to send. A retry comes out again with the same id.
#[derive(Clone, Copy, Debug)]
pub struct Transmit<'a> {
    /// The batch.
    pub id: u32,
    /// An `ExportTraceServiceRequest`.
    pub body: &'a [u8],
}

/// Where the parts of a body around its spans come from.
pub trait Envelopes {
    /// The fields of `ResourceSpans` but its scopes, for a resource of the host's dictionary.
    fn resource(&self, resource: u32) -> &[u8];
    /// The fields of `ScopeSpans` but its spans, for a scope of the host's dictionary.
    fn scope(&self, scope: u32) -> &[u8];
}

/// What became of the spans. All are counts of spans, but where the name says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken into the queue.
    pub queued: u64,
    /// Answered with success, rejected ones not counted.
    pub sent: u64,
    /// Requests that were sent again.
    pub retried_batches: u64,
    /// Dropped because the queue was full.
    pub dropped_full: u64,
    /// Dropped because the backend refused the batch for good.
    pub dropped_refused: u64,
    /// Dropped because retries went past the deadline.
    pub dropped_deadline: u64,
    /// Rejected by the backend in a partial success.
    pub rejected: u64,
}

#[derive(Debug)]
enum State {
    Ready,
    InFlight,
    /// Until a moment in ms.
    Waiting(f64),
}

#[derive(Debug)]
struct Batch {
    id: u32,
    body: Vec<u8>,
    spans: u64,
    /// The number of its first span in the order of the queue.
    first: u64,
    attempts: u32,
    /// In ms; retries end here.
    deadline: f64,
    state: State,
}

/// The exporter of one destination.
#[derive(Debug)]
pub struct Exporter {
    queue: Queue,
    batches: Vec<Batch>,
    limits: BatchLimits,
    retry: RetryPolicy,
    max_in_flight: usize,
    next_id: u32,
    id_step: u32,
    /// Spans up to this number go out without waiting for more.
    flush_to: u64,
    random: u64,
    counts: Counts,
}

impl Exporter {
    /// An empty exporter. `ids` are the first id of a batch and the step to the next; `seed` decides the jitter of retries.
    pub fn new(queue: QueueLimits, limits: BatchLimits, retry: RetryPolicy, max_in_flight: usize, ids: (u32, u32), seed: u64) -> Self {
        Exporter {
            queue: Queue::new(queue),
            batches: Vec::new(),
            limits,
            retry,
            max_in_flight,
            next_id: ids.0,
            id_step: ids.1,
            flush_to: 0,
            random: seed | 1,
            counts: Counts::default(),
        }
    }

    /// Takes a span: the fields of its `Span` message, in two pieces.
    pub fn push(&mut self, place: Place, fields: [&[u8]; 2], now: f64) {
        self.counts.queued += 1;
        self.counts.dropped_full += self.queue.push(place, fields, now);
    }

    /// Everything that was taken so far goes out now; gives the number up to which [`Exporter::settled`] can be asked.
    pub fn flush(&mut self) -> u64 {
        self.flush_to = self.queue.pushed();
        self.flush_to
    }

    /// Is every span up to this number answered, or given up and counted?
    pub fn settled(&self, number: u64) -> bool {
        let first = self.batches.iter().map(|b| b.first).chain(self.queue.first()).min();
        first.is_none_or(|first| first >= number)
    }

    /// Has [`Exporter::poll`] a new batch to give?
    pub fn is_due(&self, now: f64) -> bool {
        self.batches.len() < self.max_in_flight && self.due(now)
    }

    fn due(&self, now: f64) -> bool {
        let Some(first) = self.queue.first() else { return false };
        first < self.flush_to
            || self.queue.len() >= self.limits.max_spans
            || self.queue.bytes() >= self.limits.max_bytes
            || now >= self.queue.oldest() + self.limits.delay_millis
    }

    /// The next thing to send.
    pub fn poll(&mut self, now: f64, envelopes: &impl Envelopes) -> Option<Transmit<'_>> {
        self.give_up(now);
        let ready = |b: &Batch| matches!(b.state, State::Ready) || matches!(b.state, State::Waiting(until) if until <= now);
        let mut at = self.batches.iter().position(ready);
        if at.is_none() && self.is_due(now) {
            let id = self.next_id;
            self.next_id = self.next_id.wrapping_add(self.id_step);
            let taken = self.queue.take(self.limits.max_spans, self.limits.max_bytes, envelopes)?;
            self.batches.push(Batch {
                id,
                body: taken.body,
                spans: taken.spans,
                first: taken.first,
                attempts: 0,
                deadline: now + self.retry.deadline_millis,
                state: State::Ready,
            });
            at = Some(self.batches.len() - 1);
        }
        let batch = &mut self.batches[at?];
        batch.state = State::InFlight;
        batch.attempts += 1;
        if batch.attempts > 1 {
            self.counts.retried_batches += 1;
        }
        Some(Transmit { id: batch.id, body: &batch.body })
    }

    /// Drops what waits past its deadline.
    fn give_up(&mut self, now: f64) {
        let counts = &mut self.counts;
        self.batches.retain(|b| {
            let keep = !matches!(b.state, State::Waiting(_)) || now < b.deadline;
            if !keep {
                counts.dropped_deadline += b.spans;
            }
            keep
        });
    }

    /// When [`Exporter::poll`] has something to do, in ms; `None`: when something else happens.
    pub fn wake(&self) -> Option<f64> {
        let waiting = self.batches.iter().filter_map(|b| match b.state {
            State::Waiting(until) => Some(until.min(b.deadline)),
            _ => None,
        });
        let age = (self.queue.first().is_some() && self.batches.len() < self.max_in_flight)
            .then(|| self.queue.oldest() + self.limits.delay_millis);
        waiting.chain(age).min_by(f64::total_cmp)
    }

    /// The backend answered a batch. `retry_after` is in ms.
    pub fn response(&mut self, id: u32, status: u16, retry_after: Option<f64>, body: &[u8], now: f64) {
        let Some(at) = self.batches.iter().position(|b| b.id == id && matches!(b.state, State::InFlight)) else { return };
        let spans = self.batches[at].spans;
        match status {
            200..=299 => {
                let rejected = response::rejected_spans(body).min(spans);
                self.counts.rejected += rejected;
                self.counts.sent += spans - rejected;
                self.batches.swap_remove(at);
            }
            // OTLP's list of what may be sent again.
            429 | 502..=504 => self.wait(at, retry_after, now),
            _ => {
                self.counts.dropped_refused += spans;
                self.batches.swap_remove(at);
            }
        }
    }

    /// No answer came.
    pub fn failure(&mut self, id: u32, now: f64) {
        if let Some(at) = self.batches.iter().position(|b| b.id == id && matches!(b.state, State::InFlight)) {
            self.wait(at, None, now);
        }
    }

    /// Exponential backoff with full jitter; never before what the backend asked for.
    fn wait(&mut self, at: usize, retry_after: Option<f64>, now: f64) {
        let random = self.random();
        let batch = &mut self.batches[at];
        let step = self.retry.initial_millis * 2f64.powi(batch.attempts.saturating_sub(1).min(30) as i32);
        let delay = (step.min(self.retry.max_millis) * random).max(retry_after.unwrap_or(0.0));
        if now + delay >= batch.deadline {
            self.counts.dropped_deadline += batch.spans;
            self.batches.swap_remove(at);
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

    /// Counts so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Spans that are queued or on their way.
    pub fn pending(&self) -> u64 {
        self.queue.len() as u64 + self.batches.iter().map(|b| b.spans).sum::<u64>()
    }

    /// Bytes that are queued or on their way.
    pub fn pending_bytes(&self) -> u64 {
        (self.queue.bytes() + self.batches.iter().map(|b| b.body.len()).sum::<usize>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoEnvelopes;

    impl Envelopes for NoEnvelopes {
        fn resource(&self, _: u32) -> &[u8] {
            &[]
        }
        fn scope(&self, _: u32) -> &[u8] {
            &[]
        }
    }

    const PLACE: Place = Place { resource: 1, scope: 1 };

    fn exporter(max_spans: usize, queue: usize) -> Exporter {
        Exporter::new(
            QueueLimits { max_spans: queue, max_bytes: 1 << 20 },
            BatchLimits { max_spans, max_bytes: 1 << 20, delay_millis: 5000.0 },
            RetryPolicy { initial_millis: 1000.0, max_millis: 30_000.0, deadline_millis: 60_000.0 },
            2,
            (1, 1),
            42,
        )
    }

    fn push(e: &mut Exporter, count: usize, now: f64) {
        (0..count).for_each(|_| e.push(PLACE, [b"\x2a\x01x", b""], now));
    }

    fn poll(e: &mut Exporter, now: f64) -> Option<u32> {
        e.poll(now, &NoEnvelopes).map(|t| t.id)
    }

    #[test]
    fn a_batch_goes_when_it_is_full_or_old_or_flushed() {
        let mut e = exporter(2, 100);
        push(&mut e, 1, 0.0);
        assert_eq!((poll(&mut e, 4999.0), e.wake()), (None, Some(5000.0)));
        assert_eq!(poll(&mut e, 5000.0), Some(1));
        push(&mut e, 2, 5000.0);
        assert_eq!(poll(&mut e, 5000.0), Some(2));
        e.response(1, 200, None, b"", 5001.0);
        push(&mut e, 1, 5001.0);
        assert_eq!(poll(&mut e, 5001.0), None);
        let number = e.flush();
        assert_eq!(poll(&mut e, 5001.0), Some(3));
        e.response(2, 200, None, b"", 5002.0);
        assert!(!e.settled(number));
        push(&mut e, 1, 5002.0);
        e.response(3, 200, None, b"", 5003.0);
        assert!(e.settled(number), "what came after the flush is not waited for");
        assert_eq!(e.counts().sent, 4);
    }

    #[test]
    fn in_flight_is_bounded() {
        let mut e = exporter(1, 100);
        push(&mut e, 3, 0.0);
        assert_eq!((poll(&mut e, 0.0), poll(&mut e, 0.0), poll(&mut e, 0.0)), (Some(1), Some(2), None));
        e.response(1, 200, None, b"", 1.0);
        assert_eq!(poll(&mut e, 1.0), Some(3));
    }

    #[test]
    fn what_may_be_sent_again_is_and_not_before_the_backend_wants_it() {
        let mut e = exporter(1, 100);
        push(&mut e, 1, 0.0);
        assert_eq!(poll(&mut e, 0.0), Some(1));
        e.response(1, 503, Some(20_000.0), b"", 10.0);
        assert_eq!((poll(&mut e, 20_009.0), e.wake()), (None, Some(20_010.0)));
        assert_eq!(poll(&mut e, 20_010.0), Some(1));
        e.failure(1, 20_020.0);
        let again = e.wake().unwrap();
        assert!((20_020.0..=22_020.0).contains(&again), "{again}");
        assert_eq!(poll(&mut e, again), Some(1));
        e.response(1, 200, None, b"", again);
        assert_eq!((e.counts().sent, e.counts().retried_batches, e.pending()), (1, 2, 0));
    }

    #[test]
    fn retries_end_at_the_deadline_and_refusals_at_once() {
        let mut e = exporter(1, 100);
        push(&mut e, 2, 0.0);
        poll(&mut e, 0.0);
        e.response(1, 503, Some(90_000.0), b"", 1.0);
        poll(&mut e, 1.0);
        e.response(2, 400, None, b"", 2.0);
        assert_eq!((e.counts().dropped_deadline, e.counts().dropped_refused, e.pending()), (1, 1, 0));
    }

    #[test]
    fn a_partial_success_is_counted() {
        let mut e = exporter(3, 100);
        push(&mut e, 3, 0.0);
        poll(&mut e, 0.0);
        e.response(1, 200, None, b"\x0a\x02\x08\x02", 1.0);
        assert_eq!((e.counts().sent, e.counts().rejected), (1, 2));
    }

    #[test]
    fn a_full_queue_drops_the_oldest_and_counts_it() {
        let mut e = exporter(10, 2);
        push(&mut e, 3, 0.0);
        assert_eq!((e.counts().queued, e.counts().dropped_full, e.pending()), (3, 1, 2));
        let number = e.flush();
        poll(&mut e, 0.0);
        e.response(1, 200, None, b"", 1.0);
        assert!(e.settled(number));
    }
}
