//! What must hold for any input, by the way that it comes in. cargo-fuzz searches for inputs that break it (`make fuzz`); the tests run
//! each target on mutations of captured bodies, the same ones each time.

#[allow(dead_code, reason = "the tests of the core need more of it")]
#[path = "../../tests/core/frames.rs"]
mod frames;
pub mod seeds;

use bumpalo::Bump;
use genspan::internals::config::{Config, Convert, Format, Profile};
use genspan::internals::conventions;
use genspan::internals::frame::FrameError;
use genspan::internals::privacy::Hooks;
use genspan::internals::profiles::write::Keep;
use genspan::{Converted, Ingested, PartialSuccess, Pipeline};
use genspan_proxy_wasm::coding::Coding;
use genspan_proxy_wasm::request::Request;
use genspan_proxy_wasm::settings::Settings;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span::Event};
use prost::Message;

/// A target: its name and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("body", body),
    ("json", json),
    ("frames", frames),
    ("config", config),
    ("grpc", grpc),
    ("attributes", attributes),
    ("privacy", privacy),
];

const PROFILES: [Profile; 5] = [Profile::OTEL, Profile::OTEL_1_41, Profile::TENCENT, Profile::LANGFUSE, Profile::OPENINFERENCE];
const KEEPS: [Option<Keep>; 4] = [None, Some(Keep::All), Some(Keep::Unmapped), Some(Keep::None)];

/// A body, and what the spans of it make beside, grow by no more than this.
const GROWTH: usize = 16;
const SMALL: usize = 1 << 16;

/// A number that depends on all of the input: it chooses among options, so that a captured body is a seed as it is.
fn choice(data: &[u8]) -> usize {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)) as usize >> 7
}

fn options(choice: usize) -> Convert {
    let (profile, keep) = (PROFILES[choice % PROFILES.len()], KEEPS[choice / 8 % KEEPS.len()]);
    let mut options = Convert { profile, keep, from: Format::Protobuf, to: Format::Protobuf, ..Default::default() };
    options.privacy.capture_content = !(choice / 64).is_multiple_of(4);
    options
}

fn spans(request: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    request.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans)
}

fn ids(request: &ExportTraceServiceRequest) -> Vec<(&[u8], &[u8])> {
    spans(request).map(|span| (&span.trace_id[..], &span.span_id[..])).collect()
}

fn decode(body: &[u8]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(body).expect("what goes out decodes")
}

fn pipeline(config: &str) -> Pipeline {
    Pipeline::new(&Config::from_json(config).expect("a configuration of ours is right"), 1).expect("likewise")
}

/// Takes everything out of a pipeline with one destination, answers it, and holds the books: each span that was seen went out or is counted.
fn drain(p: &mut Pipeline, seen: u64, decodes: bool) {
    let flush = p.flush(1.0);
    let mut sent = 0;
    while let Some((_, transmit)) = p.poll(1.0) {
        let (id, spans_of_it) = (transmit.id, transmit.spans);
        if decodes {
            assert_eq!(spans(&decode(transmit.body)).count() as u64, spans_of_it, "a batch has the spans that it counts");
        }
        sent += spans_of_it;
        p.response(id, 200, None, b"", 2.0);
    }
    assert!(p.settled(&flush), "everything is answered");
    let stats = p.stats();
    let [d] = &stats.destinations[..] else { panic!("one destination") };
    let lost = d.filtered + d.not_sampled + d.without_token;
    assert_eq!(d.queued + lost, seen, "each span was queued, or kept away and counted");
    assert_eq!(sent + d.dropped_full, d.queued, "each span in the queue went out, or was dropped and counted");
    assert_eq!((d.sent, d.pending, stats.held), (sent, 0, 0), "nothing waits");
}

/// A body of protobuf, by `convert` and by a pipeline: what is taken decodes as it goes out, each span of it comes out or is counted as
/// refused, and nothing grows without bound.
pub fn body(data: &[u8]) {
    let source = ExportTraceServiceRequest::decode(data);
    let options = options(choice(data));
    let refused = |partial: &Option<PartialSuccess>| partial.as_ref().map_or(0, |partial| partial.rejected as usize);
    if let Ok(Converted { body, partial_success }) = genspan::convert_with(data, &options, &Hooks::default()) {
        assert!(body.len() <= GROWTH * data.len() + SMALL, "{} bytes of {}", body.len(), data.len());
        let out = decode(&body);
        if let Ok(source) = &source {
            assert_eq!(spans(&out).count() + refused(&partial_success), spans(source).count(), "each span comes out or is counted");
            assert!(is_part(&ids(&out), &ids(source)), "the spans stay in their order");
        }
        let explained = genspan::explain(data, &options).expect("what is converted is explained");
        let explained: serde_json::Value = serde_json::from_slice(&explained).expect("an explanation is JSON");
        assert_eq!(explained.as_array().map(Vec::len), Some(spans(&out).count()), "each span is explained");
    }
    let mut p = pipeline(r#"{"destinations":[{"profile":"langfuse"}]}"#);
    if let Ok(Ingested { spans: taken, partial_success }) = p.ingest(data, None, 0.0) {
        if let Ok(source) = &source {
            assert_eq!(taken + refused(&partial_success), spans(source).count(), "each span is taken or counted");
        }
        drain(&mut p, taken as u64, true);
    }
}

/// Returns true if all of one list stand in another in the same order.
fn is_part<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|item| whole.any(|other| other == item))
}

/// JSON: what the reader takes, it writes as JSON that says the same; a body of JSON is a body of protobuf and back.
pub fn json(data: &[u8]) {
    let arena = Bump::new();
    if let Some(json) = genspan::internals::json::parse(data, &arena) {
        let text = json.to_text(&arena);
        let again = genspan::internals::json::parse(text, &arena).expect("what is written is read");
        assert_eq!(again.to_text(&arena), text, "it is written the same way once more");
        if std::str::from_utf8(data).is_ok() {
            let read = serde_json::from_slice::<serde_json::Value>(text);
            // Deeper than serde reads, or a number larger than it holds.
            let is_limit =
                |error: &serde_json::Error| ["recursion limit", "out of range"].iter().any(|limit| error.to_string().contains(limit));
            assert!(read.as_ref().err().is_none_or(is_limit), "{read:?}");
        }
    }
    if let Ok(body) = genspan::internals::otlp::json::to_protobuf(data) {
        let text = genspan::internals::otlp::json::from_protobuf(&body).expect("a body that was written is read");
        let again = genspan::internals::otlp::json::to_protobuf(&text).expect("JSON that was written is read");
        assert!(ids(&decode(&body)) == ids(&decode(&again)), "each span comes back");
        // A value that is empty comes back as none.
        assert!(genspan::internals::otlp::json::from_protobuf(&again).is_ok_and(|again| again == text), "there and back once more");
    }
}

/// Records of a host: each is a byte for its kind, a length of 32 bits, and the record.
pub fn frames(data: &[u8]) {
    let mut p = hand_over(data);
    let seen = p.stats().seen;
    // A host writes text as UTF-8.
    drain(&mut p, seen, std::str::from_utf8(data).is_ok());
}

/// The pipeline that such records were handed to.
pub fn hand_over(data: &[u8]) -> Pipeline {
    let mut p = pipeline(r#"{"destinations":[{"profile":"tencent","token":"t","hostName":"h","serviceName":"shop"}],"maxKeys":64}"#);
    let (mut rest, mut ended, mut refused) = (data, 0, 0);
    let mut without_start = Vec::new();
    while let [kind, a, b, c, d, tail @ ..] = rest {
        let length = (u32::from_le_bytes([*a, *b, *c, *d]) as usize).min(tail.len());
        let (record, tail) = tail.split_at(length);
        rest = tail;
        let now = f64::from(*kind) * 10.0;
        let taken = match kind % 6 {
            0 => p.scope(record).map(|_| 0),
            1 => p.resource(record).map(|_| 0),
            2 => p.start(record, u32::from(*kind) / 6 % 2, now).map(|()| 0),
            3 => p.end(record, 0, now).map(|()| 1),
            4 => {
                without_start.push((record, 0));
                continue;
            }
            _ => {
                p.intern(record);
                Ok(0)
            }
        };
        match taken {
            Ok(spans) => ended += spans,
            // The host describes both once more, and comes again.
            Err(FrameError::FORGOTTEN) => {}
            Err(error) => {
                assert!(error.offset <= record.len(), "{error}");
                refused += u64::from(matches!(kind % 6, 2..=3));
            }
        }
    }
    let outcomes = p.end_all(&without_start, 1_000.0);
    assert_eq!(outcomes.len(), without_start.len(), "each record has an outcome");
    ended += outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
    refused += outcomes.iter().filter(|outcome| outcome.is_err_and(|error| error != FrameError::FORGOTTEN)).count() as u64;
    assert_eq!((p.stats().seen, p.stats().unparsed), (ended, refused), "each span was taken, or is counted");
    p
}

/// A configuration of the package, of `convert` or of the proxy: it is refused with a reason, or it works.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let one = seeds::one();
    match Config::from_json(text) {
        Ok(config) => {
            if let Ok(mut p) = Pipeline::new(&config, 1) {
                let _ = p.ingest(&one, None, 0.0);
                p.flush(1.0);
                for _ in 0..100 {
                    let Some((_, transmit)) = p.poll(1.0) else { break };
                    let (id, is_json) = (transmit.id, transmit.body.first() == Some(&b'{'));
                    if !is_json {
                        decode(transmit.body);
                    }
                    p.response(id, 200, None, b"", 2.0);
                }
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(options) = Convert::from_json(text)
        && let Ok(out) = genspan::convert(&one, &Convert { from: Format::Protobuf, to: Format::Protobuf, ..options })
    {
        assert_eq!(spans(&decode(&out)).count(), 1);
    }
    if let Err(error) = Settings::read(text) {
        assert!(!error.to_string().is_empty());
    }
}

/// A request to the proxy, with and without a frame of gRPC around it: what is rewritten is packed as it came.
pub fn grpc(data: &[u8]) {
    let choice = choice(data);
    let coding = |n: usize| [Coding::Plain, Coding::Gzip, Coding::Deflate, Coding::Zstd][n % 4];
    for request in [
        Request { grpc: true, json: false, coding: coding(choice) },
        Request { grpc: false, json: (choice / 4).is_multiple_of(2), coding: coding(choice / 8) },
    ] {
        let mut p = pipeline(r#"{"destinations":[{}]}"#);
        let Ok(out) = request.rewrite(data, &mut p, None, 1 << 20, 0.0) else { continue };
        if request.grpc && request.coding == Coding::Plain {
            let (head, message) = out.split_at(5);
            assert_eq!(head[0], 0, "it is not packed");
            assert_eq!(head[1..], (message.len() as u32).to_be_bytes(), "the frame has the length of its message");
            if ExportTraceServiceRequest::decode(data.get(5..).unwrap_or_default()).is_ok() {
                decode(message);
            }
        }
        assert!(out.len() <= GROWTH * (1 << 20) + SMALL);
    }
}

/// Attributes and events under keys that mean something, with any values.
pub fn attributes(data: &[u8]) {
    let mut of = Pieces(data);
    let keys = seeds::keys();
    let pick = |n: u16| keys[usize::from(n) % keys.len()].to_owned();
    let scopes: Vec<_> = conventions::ALL.iter().flat_map(|c| c.scopes).collect();
    let spans: Vec<_> = (0..of.byte() % 4 + 1)
        .map(|i| {
            let attributes = |of: &mut Pieces| {
                (0..of.byte() % 12).map(|_| KeyValue { key: pick(of.short()), value: Some(of.value(0)), ..Default::default() }).collect()
            };
            Span {
                trace_id: vec![1; 16],
                span_id: vec![i + 1; 8],
                parent_span_id: if i == 0 { vec![] } else { vec![i; 8] },
                name: of.text(),
                start_time_unix_nano: 1_795_479_339_000_000_000,
                end_time_unix_nano: 1_795_479_340_000_000_000,
                attributes: attributes(&mut of),
                events: (0..of.byte() % 3)
                    .map(|_| Event { name: pick(of.short()), attributes: attributes(&mut of), ..Default::default() })
                    .collect(),
                ..Default::default()
            }
        })
        .collect();
    let name = scopes[usize::from(of.short()) % scopes.len()].replace('*', "x");
    let scope = Some(opentelemetry_proto::tonic::common::v1::InstrumentationScope { name, ..Default::default() });
    let scope_spans = vec![ScopeSpans { scope, spans, ..Default::default() }];
    let request = ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] };
    let source = request.encode_to_vec();
    for profile in PROFILES {
        let out = genspan::convert(&source, &Convert { profile, ..options(choice(data)) }).expect("a body of ours converts");
        let out = decode(&out);
        assert_eq!(ids(&out), ids(&request), "each span comes out, in its place");
        for span in spans_of(&out) {
            let mut keys: Vec<_> = span.attributes.iter().map(|a| &a.key).collect();
            keys.sort_unstable();
            assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "no key twice: {keys:?}");
        }
    }
    body(&source);
}

fn spans_of(request: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    spans(request)
}

/// Text with a secret behind it, plain and inside JSON: the secret does not leave, and JSON stays JSON.
pub fn privacy(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let secret = "bob.miller@example.com";
    let said = format!("{text} {secret} ");
    let json = serde_json::json!([{"role": "user", "parts": [{"type": "text", "content": said}]}]).to_string();
    let mut options = Convert::from_json(r#"{"privacy":{"mask":[{"detect":["email","phone","card","key"]}],"maxAttributeBytes":4096}}"#)
        .expect("a configuration of ours is right");
    (options.profile, options.from, options.to) = (PROFILES[choice(data) % PROFILES.len()], Format::Protobuf, Format::Protobuf);
    let text = |key: &str, text: &str| KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(Value::StringValue(text.into())) }),
        ..Default::default()
    };
    let attributes =
        vec![text("gen_ai.operation.name", "chat"), text("gen_ai.input.messages", &json), text("my.note", &said), text("my.json", &json)];
    let span = Span { trace_id: vec![1; 16], span_id: vec![2; 8], attributes, ..Default::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..Default::default() }];
    let body = ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }.encode_to_vec();
    let out = genspan::convert(&body, &options).expect("a body of ours converts");
    assert!(!out.windows(secret.len()).any(|window| window == secret.as_bytes()), "the secret stays");
    for attribute in
        spans(&decode(&out)).flat_map(|span| &span.attributes).filter(|a| ["my.json", "gen_ai.input.messages"].contains(&&a.key[..]))
    {
        let Some(Value::StringValue(json)) = attribute.value.as_ref().and_then(|value| value.value.as_ref()) else { panic!("it is text") };
        assert!(serde_json::from_str::<serde_json::Value>(json).is_ok(), "JSON stays JSON: {json}");
    }
}

/// Takes an input apart, as the bytes of a structure.
struct Pieces<'a>(&'a [u8]);

impl Pieces<'_> {
    fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *byte
    }

    fn short(&mut self) -> u16 {
        u16::from(self.byte()) << 8 | u16::from(self.byte())
    }

    fn text(&mut self) -> String {
        let length = usize::from(self.byte()).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }

    fn value(&mut self, depth: u8) -> AnyValue {
        let value = match self.byte() % 9 {
            0 => Value::BoolValue(self.byte().is_multiple_of(2)),
            1 => Value::IntValue(i64::from(self.short()) - 300),
            2 => Value::DoubleValue(f64::from(self.short()) / 7.0),
            3 if depth < 3 => Value::ArrayValue(ArrayValue { values: (0..self.byte() % 4).map(|_| self.value(depth + 1)).collect() }),
            4 => Value::StringValue(self.word()),
            5 | 6 => Value::StringValue(format!("[{{\"role\":\"{}\",\"content\":{}}}]", self.word(), serde_json::Value::from(self.text()))),
            7 => Value::StringValue(self.text().repeat(3)),
            _ => Value::StringValue(self.text()),
        };
        AnyValue { value: Some(value) }
    }

    /// A word that means something under some key.
    fn word(&mut self) -> String {
        const WORDS: &[&str] = &[
            "chat",
            "LLM",
            "generation",
            "invoke_agent",
            "tool",
            "execute_tool",
            "embeddings",
            "evaluator",
            "user",
            "assistant",
            "system",
            "true",
            "gpt-4o-mini",
            "openai",
            "stop",
            "{\"input\":3,\"output\":4,\"total\":7}",
            "2026-01-01T00:00:00Z",
            "null",
            "",
            "0.3",
            "\"quoted\"",
        ];
        WORDS[usize::from(self.byte()) % WORDS.len()].into()
    }
}
