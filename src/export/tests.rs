//! The exporter on made-up time.

use super::*;
use crate::config::{BatchLimits, Breaker, DropPolicy, QueueLimits, RetryPolicy};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

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

fn delivery(max_spans: usize, queue: usize) -> Delivery {
    Delivery {
        queue: QueueLimits { max_spans: queue, max_bytes: 1 << 20, drop: DropPolicy::Oldest },
        batch: BatchLimits { max_spans, max_bytes: 1 << 20, delay_millis: 5000.0 },
        retry: RetryPolicy { initial_millis: 1000.0, max_millis: 30_000.0, deadline_millis: 60_000.0 },
        breaker: Breaker { failures: 3, open_millis: 10_000.0 },
        max_in_flight: 2,
        spool: false,
    }
}

fn exporter(max_spans: usize, queue: usize) -> Exporter {
    Exporter::new(delivery(max_spans, queue), (1, 1), 42)
}

fn push(e: &mut Exporter, count: usize, now: f64) {
    (0..count).for_each(|_| e.push(PLACE, [b"\x2a\x01x", b""], now));
}

fn poll(e: &mut Exporter, now: f64) -> Option<u32> {
    e.poll(now, &NoEnvelopes).map(|t| t.id)
}

#[test]
fn the_memory_of_an_answered_batch_serves_the_next_one() {
    let mut e = exporter(2, 100);
    let mut at = Vec::new();
    for id in 1..=3 {
        push(&mut e, 2, 0.0);
        at.push(e.poll(0.0, &NoEnvelopes).map(|t| (t.id, t.body.as_ptr())));
        e.response(id, 200, None, b"", 0.0);
    }
    let Some((_, first)) = at[0] else { panic!("no batch") };
    assert_eq!(at, [1, 2, 3].map(|id| Some((id, first))));
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
fn a_queue_smaller_than_a_batch_does_not_wait_for_one() {
    let mut e = exporter(512, 10);
    push(&mut e, 5, 0.0);
    assert_eq!(poll(&mut e, 0.0), None);
    push(&mut e, 1, 0.0);
    assert!(e.is_due(0.0) && poll(&mut e, 0.0).is_some());
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
    assert_eq!(e.counts().dropped_deadline, 1);
    let wake = e.wake().unwrap();
    poll(&mut e, wake);
    e.response(2, 400, None, b"", wake);
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

// README promise: "Queues are bounded in spans and bytes, and every drop is counted by its reason in `stats()`"
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

fn with(change: impl FnOnce(&mut Delivery)) -> Exporter {
    let mut settings = delivery(4, 100);
    change(&mut settings);
    Exporter::new(settings, (1, 1), 42)
}

/// What was taken is somewhere, and in one place only.
#[track_caller]
fn balanced(e: &Exporter) {
    let c = e.counts();
    let dropped = c.dropped_full + c.dropped_refused + c.dropped_deadline + c.dropped_too_large + c.dropped_closed;
    assert_eq!(c.queued + c.restored, c.sent + c.rejected + c.spooled + dropped + e.pending(), "{c:?}");
}

fn names(body: &[u8]) -> Vec<String> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = request.resource_spans.iter().flat_map(|r| &r.scope_spans);
    scopes.flat_map(|s| s.spans.iter().map(|span| span.name.clone())).collect()
}

fn push_named(e: &mut Exporter, name: &str, entry: bool, now: f64) {
    let fields = [&[0x2a, name.len() as u8], name.as_bytes()].concat();
    e.push(PLACE, [&fields, if entry { b"\x30\x01" } else { b"" }], now);
}

fn sent(e: &mut Exporter, now: f64) -> Option<(u32, Vec<String>, bool)> {
    e.poll(now, &NoEnvelopes).map(|t| (t.id, names(t.body), t.store))
}

// README promise: "A batch that a backend finds too large is split, and a span that is too large alone is shortened"
#[test]
fn what_is_too_large_is_halved_down_to_one_span_which_is_shortened_and_then_dropped() {
    let mut e = with(|d| d.max_in_flight = 4);
    ["a", "b", "c", "LARGE"].iter().for_each(|name| push_named(&mut e, name, false, 0.0));
    let number = e.flush();
    let (mut taken, mut requests) = (Vec::new(), 0);
    loop {
        while let Some((id, names, _)) = sent(&mut e, 0.0) {
            requests += 1;
            let large = names.iter().any(|name| name == "LARGE");
            e.response(id, if large { 413 } else { 200 }, None, b"", 0.0);
            taken.extend(names.into_iter().filter(|_| !large));
            balanced(&e);
        }
        if e.oversized().is_none() {
            break;
        }
        assert!(!e.settled(number));
        e.shorten(None);
    }
    taken.sort();
    assert_eq!(taken, ["a", "b", "c"]);
    // All four; a and b, c and LARGE; c, LARGE.
    assert_eq!(requests, 5);
    let c = e.counts();
    assert_eq!((c.sent, c.dropped_too_large, c.split_batches, c.shortened, c.retried_batches), (3, 1, 2, 0, 0));
    assert!(e.settled(number));
}

#[test]
fn a_shortened_span_goes_out() {
    let mut e = with(|_| ());
    push_named(&mut e, "LARGE", false, 0.0);
    e.flush();
    let (id, ..) = sent(&mut e, 0.0).unwrap();
    // RESOURCE_EXHAUSTED of gRPC, without RetryInfo.
    e.response(id, 8, None, b"", 0.0);
    let smaller = rebuild(e.oversized().unwrap(), &mut |_| Some(b"\x2a\x01l")).unwrap();
    e.shorten(Some(smaller));
    assert_eq!(sent(&mut e, 0.0).unwrap().1, ["l"]);
    e.response(id, 0, None, b"", 0.0);
    assert_eq!((e.counts().sent, e.counts().shortened), (1, 1));
    balanced(&e);
}

/// Sends everything to a backend that answers by the names in a request; gives how many requests that took, and the names that it took.
fn deliver(e: &mut Exporter, now: f64, status: impl Fn(&[String]) -> u16) -> (usize, Vec<String>) {
    let (mut requests, mut taken) = (0, Vec::new());
    while let Some((id, names, _)) = sent(e, now) {
        requests += 1;
        let status = status(&names);
        e.response(id, status, None, b"", now);
        taken.extend(names.into_iter().filter(|_| status == 200 || status == 0));
    }
    taken.sort_unstable();
    balanced(e);
    (requests, taken)
}

// README promise: "A batch that is refused for one of its spans is split down to that span"
// README promise: "Nothing is lost that can be kept, and nothing silently"
#[test]
fn a_refused_batch_is_split_down_to_the_spans_at_fault() {
    for refusal in [400, 422, 500, 2, 3, 13] {
        let mut e = exporter(512, 1024);
        (0..512).for_each(|i| push_named(&mut e, &format!("{i:03}"), i % 7 == 0, 0.0));
        let bad = |name: &String| ["013", "014", "401"].contains(&&name[..]);
        let (requests, taken) = deliver(&mut e, 0.0, |names| if names.iter().any(bad) { refusal } else { 200 });
        let rest: Vec<_> = (0..512).map(|i| format!("{i:03}")).filter(|name| !bad(name)).collect();
        assert_eq!(taken, rest, "{refusal}");
        assert_eq!((e.counts().dropped_refused, e.counts().sent, e.counts().retried), (3, 509, 0));
        assert!(requests <= 1 + 3 * 2 * 9, "{requests}");
    }
}

#[test]
fn what_is_refused_for_something_else_than_its_spans_is_not_split() {
    for refusal in [401, 403, 404, 405, 415, 501, 7, 12, 16] {
        let mut e = exporter(8, 100);
        push(&mut e, 8, 0.0);
        assert_eq!(deliver(&mut e, 0.0, |_| refusal).0, 1, "{refusal}");
        assert_eq!(e.counts().dropped_refused, 8);
    }
}

#[test]
fn a_batch_is_split_so_often_at_most() {
    let mut e = exporter(512, 1024);
    (0..512).for_each(|i| push_named(&mut e, &format!("{i:03}"), false, 0.0));
    // Every other span is at fault: finding all of them would take a thousand requests.
    let bad = |name: &String| name.ends_with(['0', '2', '4', '6', '8']);
    let (requests, taken) = deliver(&mut e, 0.0, |names| if names.iter().any(bad) { 400 } else { 200 });
    assert_eq!((requests, e.counts().split_batches), (1 + 2 * MAX_SPLITS, MAX_SPLITS as u64));
    assert!(taken.len() > 20 && taken.len() as u64 == e.counts().sent);
    assert!(e.batches.is_empty());
}

#[test]
fn a_backend_that_refuses_everything_is_not_asked_about_every_part_and_is_used_again_when_it_takes_something() {
    let mut e = exporter(16, 1 << 20);
    let batches = |e: &mut Exporter, now| (0..100 * 16).for_each(|i| push_named(e, &format!("{i:04}"), false, now));
    batches(&mut e, 0.0);
    assert_eq!(deliver(&mut e, 0.0, |_| 400).0, 100 + 2 * MAX_FRUITLESS);
    batches(&mut e, 1.0);
    assert_eq!(deliver(&mut e, 1.0, |_| 400).0, 100);
    // Now it refuses batches for one span only, but each has such a span: after a while one of them is tried.
    let bad = |name: &String| (name[2..].parse::<usize>().unwrap()) % 16 == 3;
    let status = |names: &[String]| if names.iter().any(bad) { 400 } else { 200 };
    batches(&mut e, FRUITLESS_PAUSE);
    let before = e.counts().sent;
    deliver(&mut e, FRUITLESS_PAUSE, status);
    assert!(e.counts().sent - before > 1000, "{}", e.counts().sent - before);
}

// README promise: "Batches are bounded in bytes"
#[test]
fn a_batch_has_no_more_bytes_than_it_may_with_all_that_is_around_its_spans() {
    struct Wide;
    impl Envelopes for Wide {
        fn resource(&self, _: u32) -> &[u8] {
            b"\x1a\x1ehttps://schema.example/1.0.0.0"
        }
        fn scope(&self, _: u32) -> &[u8] {
            b"\x1a\x1ehttps://schema.example/2.0.0.0"
        }
    }
    let mut e = with(|d| d.batch.max_bytes = 200);
    for i in 0..40 {
        e.push(Place { resource: 1 + i % 3, scope: 1 + i % 2 }, [b"\x2a\x05aaaaa", b""], 0.0);
    }
    e.flush();
    let mut spans = 0;
    while let Some(t) = e.poll(0.0, &Wide) {
        assert!(t.body.len() <= 200, "{}", t.body.len());
        spans += names(t.body).len();
        let id = t.id;
        e.response(id, 200, None, b"", 0.0);
    }
    assert_eq!(spans, 40);
}

#[test]
fn a_full_queue_drops_by_its_policy_and_entries_last() {
    let left = |drop, spans: &[(&str, bool)]| {
        let mut e = with(|d| {
            d.queue.drop = drop;
            d.queue.max_spans = 3;
        });
        spans.iter().for_each(|(name, entry)| push_named(&mut e, name, *entry, 0.0));
        balanced(&e);
        e.flush();
        sent(&mut e, 0.0).unwrap().1.concat()
    };
    let plain = [("a", false), ("b", false), ("c", false), ("d", false)];
    assert_eq!(left(DropPolicy::Oldest, &plain), "bcd");
    assert_eq!(left(DropPolicy::Newest, &plain), "abc");
    let entry_first = [("E", true), ("b", false), ("c", false), ("d", false)];
    assert_eq!(left(DropPolicy::Oldest, &entry_first), "Ecd");
    let entry_last = [("a", false), ("b", false), ("c", false), ("E", true)];
    assert_eq!(left(DropPolicy::Oldest, &entry_last), "bcE");
    assert_eq!(left(DropPolicy::Newest, &entry_last), "abE");
    let entries = [("E", true), ("F", true), ("G", true), ("d", false), ("H", true)];
    assert_eq!(left(DropPolicy::Oldest, &entries), "FGH");
    assert_eq!(left(DropPolicy::Newest, &entries), "EFG");
}

#[test]
fn a_destination_that_fails_is_left_alone_then_probed_by_one_request() {
    let mut e = with(|d| d.batch.max_spans = 1);
    push(&mut e, 5, 0.0);
    let (a, b) = (poll(&mut e, 0.0).unwrap(), poll(&mut e, 0.0).unwrap());
    e.failure(a, 1.0);
    e.failure(b, 1.0);
    assert_eq!(e.health(), Health::Ok);
    let again = e.wake().unwrap();
    let id = poll(&mut e, again).unwrap();
    e.response(id, 503, None, b"", again);
    assert_eq!(e.health(), Health::Open);
    let probe_at = again + 10_000.0;
    assert_eq!((poll(&mut e, probe_at - 1.0), e.wake()), (None, Some(probe_at)));
    let probe = poll(&mut e, probe_at).unwrap();
    assert_eq!((e.health(), poll(&mut e, probe_at)), (Health::HalfOpen, None), "one at a time");
    e.failure(probe, probe_at);
    assert_eq!((e.health(), poll(&mut e, probe_at + 9_999.0)), (Health::Open, None));
    let probe = poll(&mut e, probe_at + 10_000.0).unwrap();
    e.response(probe, 200, None, b"", probe_at + 10_001.0);
    assert_eq!(e.health(), Health::Ok);
    assert!(poll(&mut e, probe_at + 10_001.0).is_some() && poll(&mut e, probe_at + 10_001.0).is_some());
    balanced(&e);
}

#[test]
fn a_backend_that_asks_for_time_gets_it_from_every_batch() {
    let mut e = with(|d| d.batch.max_spans = 1);
    push(&mut e, 2, 0.0);
    let (a, b) = (poll(&mut e, 0.0).unwrap(), poll(&mut e, 0.0).unwrap());
    e.response(a, 429, Some(8_000.0), b"", 0.0);
    e.response(b, 200, None, b"", 0.0);
    push(&mut e, 1, 0.0);
    assert_eq!((poll(&mut e, 7_999.0), e.wake()), (None, Some(8_000.0)));
    assert!(poll(&mut e, 8_000.0).is_some() && poll(&mut e, 8_000.0).is_some());
    // Nobody is asked to wait for longer than a batch may live.
    e.response(3, 429, Some(1e9), b"", 8_000.0);
    assert_eq!(e.counts().dropped_deadline, 1);
    push(&mut e, 1, 8_000.0);
    assert!(poll(&mut e, 68_000.0).is_some());
    balanced(&e);
}

#[test]
fn with_a_spool_memory_lets_go_of_what_is_stored_only() {
    let mut e = with(|d| d.spool = true);
    push_named(&mut e, "a", false, 0.0);
    let number = e.flush();
    let (id, ..) = sent(&mut e, 0.0).unwrap();
    e.failure(id, 1.0);
    assert_eq!(sent(&mut e, 1.0), Some((id, vec!["a".into()], true)));
    assert!(!e.settled(number) && e.pending() == 1);
    e.stored(id, true, 2.0);
    assert!(e.settled(number));
    assert_eq!((e.counts().spooled, e.pending()), (1, 0));
    balanced(&e);

    // While it is left alone, what comes is stored without a try.
    let wake = e.wake().unwrap();
    assert!(wake > 1.0 && !e.wants(1.0) && e.wants(wake));
    push_named(&mut e, "b", false, 1.0);
    e.flush();
    let (id, _, store) = sent(&mut e, 1.0).unwrap();
    assert!(store);
    e.stored(id, true, 1.0);

    // Then the spool is offered, and comes back as often as it takes.
    let body = [0x0a, 5, 0x12, 3, 0x12, 1, 0x00];
    e.restore(7, 1, &body);
    let t = e.poll(wake, &NoEnvelopes).unwrap();
    assert_eq!((t.body, t.store), (&body[..], false));
    let id = t.id;
    e.response(id, 503, None, b"", wake);
    assert_eq!((e.released(), e.pending()), (Some((7, true)), 0));
    balanced(&e);
    let wake = e.wake().unwrap();
    e.restore(7, 1, &body);
    let id = e.poll(wake, &NoEnvelopes).unwrap().id;
    e.response(id, 200, None, b"", wake);
    assert_eq!((e.released(), e.released()), (Some((7, false)), None));
    assert_eq!((e.counts().sent, e.counts().restored), (1, 1));
    balanced(&e);
}

#[test]
fn what_cannot_be_stored_is_tried_from_memory_until_its_deadline() {
    let mut e = with(|d| d.spool = true);
    push(&mut e, 1, 0.0);
    e.flush();
    let id = poll(&mut e, 0.0).unwrap();
    e.failure(id, 0.0);
    poll(&mut e, 0.0);
    e.stored(id, false, 0.0);
    for _ in 0..100 {
        let Some(now) = e.wake() else { break };
        while let Some(t) = e.poll(now, &NoEnvelopes) {
            assert!(!t.store);
            let id = t.id;
            e.failure(id, now);
        }
    }
    assert_eq!((e.counts().dropped_deadline, e.pending()), (1, 0));
}

#[test]
fn the_halves_of_a_stored_batch_are_stored_anew_and_its_copy_goes_with_the_last() {
    let mut e = with(|d| {
        d.spool = true;
        d.batch.max_spans = 2;
    });
    push_named(&mut e, "a", false, 0.0);
    push_named(&mut e, "b", false, 0.0);
    let body = e.poll(0.0, &NoEnvelopes).unwrap().body.to_vec();
    let mut e = with(|d| d.spool = true);
    e.restore(9, 2, &body);
    let (id, ..) = sent(&mut e, 0.0).unwrap();
    e.response(id, 413, None, b"", 0.0);
    let (a, b) = (sent(&mut e, 0.0).unwrap(), sent(&mut e, 0.0).unwrap());
    e.response(a.0, 200, None, b"", 0.0);
    assert_eq!(e.released(), None);
    e.failure(b.0, 0.0);
    assert_eq!(sent(&mut e, 0.0), Some((b.0, vec!["b".into()], true)));
    assert_eq!(e.released(), None);
    e.stored(b.0, true, 0.0);
    assert_eq!(e.released(), Some((9, false)));
    balanced(&e);
}

#[test]
fn a_queue_that_fills_up_behind_slow_requests_goes_to_the_spool() {
    let mut e = with(|d| {
        d.spool = true;
        d.queue.max_spans = 8;
        d.batch.max_spans = 2;
    });
    push(&mut e, 4, 0.0);
    assert_eq!((sent(&mut e, 0.0).unwrap().2, sent(&mut e, 0.0).unwrap().2), (false, false));
    push(&mut e, 4, 0.0);
    assert_eq!(sent(&mut e, 0.0), None, "it may still go the usual way");
    push(&mut e, 1, 0.0);
    assert!(sent(&mut e, 0.0).unwrap().2);
    balanced(&e);
}

#[test]
fn closing_stores_what_it_can_and_counts_the_rest() {
    for spool in [false, true] {
        let mut e = with(|d| {
            d.spool = spool;
            d.batch.max_spans = 2;
        });
        push(&mut e, 7, 0.0);
        let id = poll(&mut e, 0.0).unwrap();
        e.close();
        let mut stored = 0;
        while let Some(t) = e.poll(1.0, &NoEnvelopes) {
            assert!(t.store);
            let id = t.id;
            stored += t.spans;
            e.stored(id, true, 1.0);
        }
        e.response(id, 200, None, b"", 2.0);
        assert_eq!((stored, e.counts().spooled, e.counts().dropped_closed, e.pending()), if spool { (7, 7, 0, 0) } else { (0, 0, 7, 0) });
        balanced(&e);
    }
}

proptest::proptest! {
    /// Whatever happens in whatever order, nothing is lost without a count, nothing stays for ever, and the machine never asks to be
    /// woken without having something to do.
    #[test]
    fn the_books_balance(steps: Vec<(u8, u16)>, spool: bool) {
        let mut e = with(|d| { d.spool = spool; d.queue.max_spans = 20; d.batch.max_bytes = 40; });
        let (mut now, mut flying, mut storing, mut copies) = (0.0, Vec::new(), Vec::new(), Vec::new());
        for (step, n) in steps {
            let pick = |list: &mut Vec<u32>| (!list.is_empty()).then(|| list.swap_remove(usize::from(n) % list.len()));
            match step % 8 {
                0 | 1 => push(&mut e, usize::from(n % 8), now),
                2 => now += f64::from(n),
                3 => { e.flush(); }
                4 => if let Some(id) = pick(&mut flying) { e.failure(id, now) },
                5 => if let Some(id) = pick(&mut flying) {
                    let status = [200, 200, 503, 413, 400, 429][usize::from(n) % 6];
                    e.response(id, status, (n % 2 == 0).then_some(f64::from(n)), b"", now);
                },
                6 => if let Some(id) = pick(&mut storing) { e.stored(id, n % 4 != 0, now) },
                _ => if let Some(copy) = copies.pop().filter(|_| e.wants(now)) { e.restore(copy, 1, &[0x0a, 5, 0x12, 3, 0x12, 1, 0]) },
            }
            while e.oversized().is_some() { e.shorten(None) }
            while let Some(t) = e.poll(now, &NoEnvelopes) { if t.store { storing.push(t.id) } else { flying.push(t.id) } }
            while let Some((copy, again)) = e.released() { if again { copies.push(copy) } }
            if copies.is_empty() && n % 16 == 0 { copies.push(u32::from(n) + 1) }
            balanced(&e);
            proptest::prop_assert!(e.wake().is_none_or(|at| at > now), "woken at {:?}, it is {now}", e.wake());
            let sleeps_too_long = e.wake().map_or(e.is_due(now + 1e6), |at| at - 0.5 > now && e.is_due(at - 0.5));
            proptest::prop_assert!(!sleeps_too_long, "woken at {:?}", e.wake());
        }
        for _ in 0..1000 {
            flying.drain(..).for_each(|id| { e.response(id, 200, None, b"", now); });
            storing.drain(..).for_each(|id| e.stored(id, true, now));
            e.flush();
            while let Some(t) = e.poll(now, &NoEnvelopes) { if t.store { storing.push(t.id) } else { flying.push(t.id) } }
            now = e.wake().unwrap_or(now);
        }
        balanced(&e);
        proptest::prop_assert_eq!(e.pending(), 0);
    }
}
