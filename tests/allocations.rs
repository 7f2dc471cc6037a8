//! What the core asks of the allocator: nothing for each attribute, no more in all than grows with what it is given, and little for what waits.

use genspan::Pipeline;
use genspan::internals::config::Config;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[path = "core/frames.rs"]
#[allow(dead_code)]
mod frames;

use frames::FrameWriter;

/// The system's allocator, which counts for each thread: tests run beside each other.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
    static MOST: Cell<i64> = const { Cell::new(0) };
}

fn count(freed: usize, asked: usize) {
    if asked > 0 {
        ASKED.set(ASKED.get() + 1);
        BYTES.set(BYTES.get() + asked as u64);
    }
    LIVE.set(LIVE.get() + asked as i64 - freed as i64);
    MOST.set(MOST.get().max(LIVE.get()));
}

// SAFETY: all work is the system's allocator's, the counters are plain cells that need no allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both are there while it moves.
        count(0, size);
        count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn text(key: impl Into<String>, value: impl Into<String>) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(Value::StringValue(value.into())) }), ..KeyValue::default() }
}

fn number(key: &str, value: i64) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(Value::IntValue(value)) }), ..KeyValue::default() }
}

/// The `i`-th span, of a trace of 16 of which the first is the root.
fn span(i: u64, attributes: Vec<KeyValue>) -> Span {
    let id = |i: u64| (i + 1).to_be_bytes().to_vec();
    Span {
        trace_id: [(i / 16 + 1).to_be_bytes(), [7; 8]].concat(),
        span_id: id(i),
        parent_span_id: if i.is_multiple_of(16) { Vec::new() } else { id(i / 16 * 16) },
        name: "chat gpt-4o-mini".into(),
        kind: 3,
        start_time_unix_nano: 1_780_000_000_000_000_000,
        end_time_unix_nano: 1_780_000_001_000_000_000,
        attributes,
        ..Span::default()
    }
}

/// A pipeline, and a host that hands spans to it.
struct Host {
    pipeline: Pipeline,
    scope: u32,
    resource: u32,
}

impl Host {
    fn new(dictionary: usize) -> Self {
        let config = format!(r#"{{"destinations":[{{"profile":"otel"}}],"maxKeys":{dictionary}}}"#);
        let mut pipeline = Pipeline::new(&Config::from_json(&config).unwrap(), 1).unwrap();
        let mut writer = FrameWriter::new(&mut pipeline);
        let scope = writer.scope(&InstrumentationScope { name: "ai".into(), ..Default::default() });
        let resource = writer.resource(&Resource { attributes: vec![text("service.name", "shop")], ..Default::default() });
        Host { pipeline, scope, resource }
    }

    /// Its records: the start without attributes, and the end.
    fn records(&mut self, span: &Span) -> [Vec<u8>; 2] {
        let mut writer = FrameWriter::new(&mut self.pipeline);
        [FrameWriter::start(span, self.scope), writer.span(span, self.scope, self.resource)]
    }

    fn hand_over(&mut self, [start, end]: &[Vec<u8>; 2]) {
        self.pipeline.start(start, 0, 0.0).unwrap();
        self.pipeline.end(end, 0, 0.0).unwrap();
    }

    /// Sends what is queued; gives how many bytes that was.
    fn send(&mut self) -> usize {
        let mut sent = 0;
        self.pipeline.flush(0.0);
        while let Some((_, transmit)) = self.pipeline.poll(0.0) {
            let id = transmit.id;
            sent += transmit.body.len();
            self.pipeline.response(id, 200, None, b"", 0.0);
        }
        sent
    }
}

/// Allocations and bytes that `work` asks for.
fn counted(work: impl FnOnce()) -> (u64, u64) {
    let before = (ASKED.get(), BYTES.get());
    work();
    (ASKED.get() - before.0, BYTES.get() - before.1)
}

/// Attributes as sources write them, `n` of each kind.
type Attributes = fn(usize) -> Vec<KeyValue>;

const SOURCES: [(&str, Attributes); 4] = [
    ("OTel GenAI and the application's own", |n| {
        let own = (0..n).map(|i| text(format!("app.key.{i}"), format!("value {i}")));
        [text("gen_ai.operation.name", "chat"), number("gen_ai.usage.input_tokens", 12)].into_iter().chain(own).collect()
    }),
    ("no LLM", |n| (0..n).map(|i| text(format!("http.header.{i}"), format!("value {i}"))).collect()),
    ("Langfuse", |n| {
        let metadata = (0..n).map(|i| text(format!("langfuse.observation.metadata.key_{i}"), format!("value {i}")));
        let output = text("langfuse.observation.output", r#"{"role":"assistant","content":"sunny"}"#);
        [text("langfuse.observation.type", "generation"), output].into_iter().chain(metadata).collect()
    }),
    ("OpenInference, messages spread over keys", |n| {
        let message = |i: usize| {
            let at = format!("llm.input_messages.{i}.message");
            [text(format!("{at}.role"), "user"), text(format!("{at}.content"), "what is the weather?")]
        };
        [text("openinference.span.kind", "LLM")].into_iter().chain((0..n / 2).flat_map(message)).collect()
    }),
];

/// Every key of these tests has a number.
const ROOMY: usize = 20_000;

/// How often a span may ask for memory whatever it holds, and then once for so many bytes of it, since buffers and the queue grow by blocks.
const CALLS: u64 = 8;
const BLOCK: u64 = 16 << 10;
/// What a pipeline asks for before the first span is through, in bytes.
const FIRST: u64 = 128 << 10;

/// How often a span asks for memory once others like it have been there and were sent; and how often it may.
fn calls(dictionary: usize, attributes: &[KeyValue]) -> (u64, u64) {
    let host = &mut Host::new(dictionary);
    let all: Vec<_> = (0..4).map(|i| host.records(&span(i, attributes.to_vec()))).collect();
    let mut last = 0;
    for records in &all {
        last = counted(|| host.hand_over(records)).0;
        host.send();
    }
    (last, CALLS + all[0][1].len() as u64 / BLOCK)
}

#[test]
fn no_attribute_asks_for_memory() {
    for (source, attributes) in SOURCES {
        for n in [10, 100, 1_000, 10_000] {
            let (calls, most) = calls(ROOMY, &attributes(n));
            assert!(calls <= most, "{source}: {calls} allocations for {n} attributes, {most} are allowed");
        }
    }
}

/// A look at the tables for each use.
#[test]
fn a_key_that_finds_the_dictionary_full_asks_for_little() {
    for (source, attributes) in SOURCES {
        for n in [100, 1_000, 10_000] {
            let (calls, most) = calls(0, &attributes(n));
            assert!(calls <= most + 7 * n as u64, "{source}: {calls} allocations for {n} attributes");
        }
    }
}

#[test]
fn no_message_asks_for_memory() {
    for n in [10, 100, 1_000, 10_000] {
        let messages = vec![r#"{"role":"user","content":"what is the \"weather\" in 深圳?"}"#; n].join(",");
        let chat = [
            text("langfuse.observation.type", "generation"),
            text("langfuse.observation.input", format!(r#"{{"messages":[{messages}]}}"#)),
            text("langfuse.observation.output", r#"{"role":"assistant","content":"sunny"}"#),
        ];
        let (calls, most) = calls(ROOMY, &chat);
        assert!(calls <= most, "{calls} allocations for {n} messages, {most} are allowed");
    }
}

/// From the first span on, with all that grows, what is asked for is a multiple of what was handed over, however much that is.
#[test]
fn memory_asked_for_grows_with_what_is_handed_over() {
    for (source, attributes) in SOURCES {
        for n in [100, 1_000, 10_000] {
            let mut host = Host::new(ROOMY);
            let records = host.records(&span(0, attributes(n)));
            let (_, bytes) = counted(|| host.hand_over(&records));
            let given = records[1].len() as u64;
            assert!(bytes <= FIRST + 64 * given, "{source}, {n} attributes: {bytes} bytes asked for {given} handed over");
        }
    }
    let attributes = SOURCES[0].1(20);
    for n in [100, 1_000, 10_000] {
        let mut host = Host::new(ROOMY);
        let all: Vec<_> = (0..n).map(|i| host.records(&span(i, attributes.clone()))).collect();
        let given: usize = all.iter().map(|[start, end]| start.len() + end.len()).sum();
        let mut sent = 0;
        let (_, bytes) = counted(|| {
            for (i, records) in all.iter().enumerate() {
                host.hand_over(records);
                if i % 512 == 511 {
                    sent += host.send();
                }
            }
            sent += host.send();
        });
        assert!(sent > given / 2, "spans were lost");
        assert!(bytes <= FIRST + 6 * given as u64, "{n} spans: {bytes} bytes asked for {given} handed over");
    }
}

#[test]
fn a_queued_span_takes_little_more_than_its_bytes() {
    for (content, spans) in [(900, 2_000), (8_000, 2_000), (60_000, 400)] {
        let mut host = Host::new(ROOMY);
        let messages = format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"{}"}}]}}]"#, "word ".repeat(content / 5));
        let attributes = vec![text("gen_ai.operation.name", "chat"), text("gen_ai.input.messages", messages)];
        let all: Vec<_> = (0..spans).map(|i| host.records(&span(i, attributes.clone()))).collect();
        let before = LIVE.get();
        MOST.set(before);
        all.iter().for_each(|records| host.hand_over(records));
        // All that grew: the queue, what the tree remembers, the dictionary. Nothing is needed for a moment that is not held.
        let most = (MOST.get() - before) as f64;
        assert_eq!(host.pipeline.stats().destinations[0].waiting + host.pipeline.stats().held, spans);
        let sent = host.send() as f64;
        assert!(most <= 1.32 * sent, "spans of {content} bytes: {} bytes for an encoded byte", most / sent);
    }
}
