//! OTLP bytes to OTLP bytes, as a proxy has them done: the pipeline and `convert` beside prost, which decodes and encodes the same body, and
//! beside `memcpy`, below which nobody gets. In CPU time of the thread. `make bench` makes a table of what criterion finds.

use cpu_time::ThreadTime;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use genspan::internals::config::{Config, Convert};
use genspan::{Pipeline, convert};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use std::hint::black_box;
use std::time::Duration;

#[path = "../tests/bodies/mod.rs"]
#[allow(dead_code)]
mod bodies;

/// What the thread ran for: other processes on the machine count for nothing.
struct CpuTime;

static WALL: WallTime = WallTime;

impl Measurement for CpuTime {
    type Intermediate = ThreadTime;
    type Value = Duration;

    fn start(&self) -> ThreadTime {
        ThreadTime::now()
    }
    fn end(&self, start: ThreadTime) -> Duration {
        start.elapsed()
    }
    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }
    fn zero(&self) -> Duration {
        Duration::ZERO
    }
    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }
    fn formatter(&self) -> &dyn ValueFormatter {
        WALL.formatter()
    }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// 50 spans of an HTTP service, 20 KB, none of a model's: what most bodies of a collector hold.
fn http() -> Vec<u8> {
    let text = |key, value: &str| attribute(key, Value::StringValue(value.into()));
    let int = |key, value| attribute(key, Value::IntValue(value));
    let span = |i: u8| Span {
        trace_id: vec![i / 5 + 1; 16],
        span_id: vec![i + 1; 8],
        parent_span_id: if i.is_multiple_of(5) { Vec::new() } else { vec![i; 8] },
        name: "GET /orders/{id}".into(),
        kind: 2,
        start_time_unix_nano: 1_780_000_000_000_000_000,
        end_time_unix_nano: 1_780_000_000_020_000_000,
        attributes: vec![
            text("http.request.method", "GET"),
            text("url.scheme", "https"),
            text("url.path", &format!("/orders/{i:06}")),
            text("http.route", "/orders/{id}"),
            text("server.address", "orders.example.invalid"),
            int("server.port", 443),
            text("client.address", "203.0.113.27"),
            text("network.protocol.version", "1.1"),
            text("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
            int("http.response.status_code", 200),
        ],
        flags: 0x101,
        ..Span::default()
    };
    let scope =
        InstrumentationScope { name: "@opentelemetry/instrumentation-http".into(), version: "0.223.0".into(), ..Default::default() };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans: (0..50).map(span).collect(), ..Default::default() }];
    let resource = Resource { attributes: vec![text("service.name", "shop")], ..Default::default() };
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..Default::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// The body, each time as traces that were not there before: a trace that comes twice is no real load for who remembers traces.
struct Renewed {
    body: Vec<u8>,
    /// Where each trace id stands.
    at: Vec<usize>,
    count: u64,
}

impl Renewed {
    fn new(body: Vec<u8>) -> Self {
        let ids: Vec<Vec<u8>> = bodies::spans(&body).into_iter().map(|span| span.trace_id).collect();
        let at = (0..body.len().saturating_sub(15)).filter(|&i| ids.iter().any(|id| body[i..i + 16] == id[..])).collect();
        Renewed { body, at, count: 0 }
    }

    fn next(&mut self) -> Vec<u8> {
        self.count += 1;
        for &at in &self.at {
            self.body[at..at + 8].copy_from_slice(&self.count.to_le_bytes());
        }
        self.body.clone()
    }
}

fn bench(c: &mut Criterion<CpuTime>) {
    let config = Config::from_json(r#"{"destinations":[{"profile":"otel"}],"entry":{"holdMillis":0}}"#).unwrap();
    let options = Convert::from_json(r#"{"profile":"otel"}"#).unwrap();
    let all = [
        ("HTTP, no LLM", http()),
        ("Langfuse", bodies::capture("more/langfuse-py-5.0.4.langgraph-entry-nested.pb")),
        ("OpenInference", bodies::capture("more/openinference-langchain-js-4.1.1.langchain.pb")),
        ("OTel GenAI", bodies::capture("more/pydantic-ai-py-2.68.0.agents.pb")),
    ];
    for (name, body) in all {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(body.len() as u64));
        let mut room = vec![0; body.len()];
        group.bench_function("memcpy", |b| b.iter(|| black_box(&mut room[..]).copy_from_slice(black_box(&body))));
        group.bench_function("prost", |b| {
            b.iter(|| ExportTraceServiceRequest::decode(black_box(&body[..])).unwrap().encode_to_vec());
        });
        group.bench_function("convert", |b| b.iter(|| convert(black_box(&body), &options).unwrap()));

        let mut pipeline = Pipeline::new(&config, 1).unwrap();
        let mut renewed = Renewed::new(body.clone());
        let first = renewed.next();
        let out = pipeline.rewrite(&first, None, 0.0).unwrap();
        assert_eq!(bodies::spans(&out).len(), bodies::spans(&body).len(), "{name}: spans were lost");
        group.bench_function("pipeline", |b| {
            b.iter_batched(|| renewed.next(), |body| pipeline.rewrite(&body, None, 0.0).unwrap().len(), BatchSize::SmallInput);
        });
        group.finish();
    }
}

fn configured() -> Criterion<CpuTime> {
    let times = Criterion::default().with_measurement(CpuTime).sample_size(30);
    times.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(700))
}

criterion_group! { name = benches; config = configured(); targets = bench }
criterion_main!(benches);
