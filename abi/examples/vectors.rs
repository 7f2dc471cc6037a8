//! `cargo run -p genspan-abi --example vectors`: writes `tests/vectors`, calls of the C ABI and what they returned natively, for every other engine to
//! do the same. Its test makes the calls again and compares. The format is described in `tests/vectors/README.md`.

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../../tests/core/frames.rs"]
mod frames;

use frames::FrameWriter;
use genspan::{Config, Pipeline};
use genspan_abi::*;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ptr::null_mut;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors");
const CAPTURES: &str = "../fixtures/captures";

/// A time within the lifetime of the captured spans, in ms since 1970. Whole numbers, so that they read well.
const NOW: f64 = 1_800_000_000_000.0;

/// Makes calls and records them.
struct Recorder {
    about: &'static str,
    name: &'static str,
    steps: Vec<Value>,
    files: BTreeMap<String, Vec<u8>>,
    result: *mut GsResult,
    pipeline: *mut GsPipeline,
    converter: *mut GsConverter,
}

/// What a call reads.
enum Input<'a> {
    None,
    Text(&'a str),
    /// A file of the repository, by its path from the vectors.
    Captured(&'a str),
    /// Bytes that are written to a file of the vectors.
    Bytes(&'a [u8]),
}

/// What a call returned, except what stands in the vectors as well.
struct Outcome {
    number: i64,
    id: u32,
    bytes: Vec<u8>,
}

fn read(captured: &str) -> Vec<u8> {
    let path = format!("{FOLDER}/{captured}");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

impl Recorder {
    fn new(name: &'static str, about: &'static str) -> Self {
        let result = gs_result_new();
        Recorder { about, name, steps: Vec::new(), files: BTreeMap::new(), result, pipeline: null_mut(), converter: null_mut() }
    }

    /// Bytes as they stand in the vectors: as text if they are a short one, else in a file.
    fn stored(&mut self, bytes: &[u8], suffix: &str) -> Value {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.len() <= 300 && !text.contains(|c: char| c.is_control()) => json!({ "text": text }),
            _ => {
                let name = format!("{}.{}.{suffix}", self.name, self.steps.len());
                self.files.insert(name.clone(), bytes.to_vec());
                json!({ "file": name })
            }
        }
    }

    /// Makes a call. `args` are all but the result, in order, `"pipeline"`, `"converter"` and `"input"` (an address and a length) among them.
    fn call(&mut self, call: &str, args: Value, input: Input) -> Outcome {
        let bytes = match input {
            Input::None => Vec::new(),
            Input::Text(text) => text.as_bytes().to_vec(),
            Input::Captured(path) => read(path),
            Input::Bytes(bytes) => bytes.to_vec(),
        };
        let of = |at: usize| args[at].as_f64().unwrap_or_else(|| panic!("{call}: argument {at}"));
        let (n, int) = (|at| of(at) as u32, |at| of(at) as i32);
        let (p, c, r, at, len) = (self.pipeline, self.converter, self.result, bytes.as_ptr(), bytes.len());
        // SAFETY: the handles and the result are those that the calls made, and the input lives as long as the call.
        let number = unsafe {
            match call {
                "gs_open" => {
                    self.pipeline = gs_open(at, len, n(1), n(2), n(3), r);
                    i64::from(!self.pipeline.is_null())
                }
                "gs_converter" => {
                    self.converter = gs_converter(at, len, n(1), n(2), r);
                    i64::from(!self.converter.is_null())
                }
                "gs_drop" => {
                    gs_drop(p);
                    0
                }
                "gs_converter_drop" => {
                    gs_converter_drop(c);
                    0
                }
                _ => i64::from(match call {
                    "gs_intern" => gs_intern(p, at, len, r),
                    "gs_scope" => gs_scope(p, at, len, r),
                    "gs_resource" => gs_resource(p, at, len, r),
                    "gs_records" => gs_records(p, at, len, of(2), r),
                    "gs_ingest" => gs_ingest(p, at, len, n(2) as usize, of(3), r),
                    "gs_rewrite" => gs_rewrite(p, at, len, n(2) as usize, of(3), r),
                    "gs_tokenless" => gs_tokenless(p, r),
                    "gs_poll" => gs_poll(p, of(1), r),
                    "gs_response" => gs_response(p, n(1), n(2), of(3), at, len, of(5), r),
                    "gs_failure" => gs_failure(p, n(1), of(2), r),
                    "gs_stored" => gs_stored(p, n(1), int(2), of(3), r),
                    "gs_wants" => gs_wants(p, n(1), of(2), r),
                    "gs_restore" => gs_restore(p, n(1), n(2), n(3), at, len, r),
                    "gs_released" => gs_released(p, r),
                    "gs_flush" => gs_flush(p, of(1), r),
                    "gs_settled" => gs_settled(p, int(1), r),
                    "gs_close" => gs_close(p, of(1), r),
                    "gs_settings" => gs_settings(p, r),
                    "gs_segment" => gs_segment(p, at, len, r),
                    "gs_convert" => gs_convert(c, at, len, r),
                    "gs_explain" => gs_explain(c, at, len, r),
                    _ => panic!("{call} is not recorded"),
                }),
            }
        };
        let mut step = Map::new();
        step.insert("call".into(), call.into());
        step.insert("args".into(), args);
        match input {
            Input::None => {}
            Input::Captured(path) => _ = step.insert("input".into(), json!({ "file": path })),
            Input::Text(_) | Input::Bytes(_) => _ = step.insert("input".into(), self.stored(&bytes, "in")),
        }
        step.insert("returns".into(), number.into());
        if call.ends_with("drop") {
            self.steps.push(step.into());
            return Outcome { number, id: 0, bytes: Vec::new() };
        }
        // SAFETY: the call has filled the result, and none has used it since.
        let (shown, bytes, message) = unsafe {
            let shown = &*r;
            let text = |at, len| std::slice::from_raw_parts(at, len).to_vec();
            (shown, text(shown.ptr, shown.len), text(shown.message, shown.message_len))
        };
        if !bytes.is_empty() {
            let stored = self.stored(&bytes, "out");
            step.insert("bytes".into(), stored);
        }
        if !message.is_empty() {
            step.insert("message".into(), String::from_utf8(message).unwrap().into());
        }
        for (name, value) in [("id", shown.id), ("spans", shown.spans), ("destination", shown.destination), ("kind", shown.kind)] {
            if value != 0 {
                step.insert(name.into(), value.into());
            }
        }
        if shown.wake == f64::NEG_INFINITY {
            step.insert("wake".into(), "now".into());
        } else if shown.wake < f64::INFINITY {
            step.insert("wake".into(), shown.wake.into());
        }
        self.steps.push(step.into());
        Outcome { number, id: shown.id, bytes }
    }

    fn open(&mut self, config: &str, flags: u32) {
        let opened = self.call("gs_open", json!(["input", flags, 1, 2]), Input::Text(config)).number == 1;
        assert!(opened, "{:?}", self.steps.last());
    }

    /// Polls until there is nothing, and answers each request as `answer` does by the id.
    fn drain(&mut self, now: f64, mut answer: impl FnMut(&mut Self, i64, u32, Vec<u8>)) -> usize {
        for count in 0.. {
            let polled = self.call("gs_poll", json!(["pipeline", now]), Input::None);
            if polled.number == 0 {
                return count;
            }
            answer(self, polled.number, polled.id, polled.bytes);
        }
        unreachable!()
    }

    fn accept(&mut self, id: u32, now: f64) {
        self.call("gs_response", json!(["pipeline", id, 200, -1, "input", now]), Input::None);
    }

    fn end(mut self) -> Vector {
        if !self.pipeline.is_null() {
            self.call("gs_drop", json!(["pipeline"]), Input::None);
        }
        if !self.converter.is_null() {
            self.call("gs_converter_drop", json!(["converter"]), Input::None);
        }
        // SAFETY: nothing uses it afterwards.
        unsafe { gs_result_free(self.result) };
        let steps: Vec<_> = self.steps.iter().map(|step| format!("    {step}")).collect();
        let about = Value::from(self.about);
        let text = format!("{{\n  \"about\": {about},\n  \"steps\": [\n{}\n  ]\n}}\n", steps.join(",\n"));
        self.files.insert(format!("{}.json", self.name), text.into_bytes());
        self.files
    }
}

/// Files by their names.
type Vector = BTreeMap<String, Vec<u8>>;

/// The spans of a capture, each with its scope and resource.
fn spans(capture: &str) -> Vec<(Span, InstrumentationScope, Resource)> {
    let request = ExportTraceServiceRequest::decode(&read(capture)[..]).unwrap();
    let of_scopes = request.resource_spans.into_iter().flat_map(|r| r.scope_spans.into_iter().map(move |s| (s, r.resource.clone())));
    of_scopes
        .flat_map(|(s, r)| s.spans.into_iter().map(move |span| (span, s.scope.clone().unwrap_or_default(), r.clone().unwrap_or_default())))
        .collect()
}

fn record(kind: u8, refused: u32, frame: &[u8]) -> Vec<u8> {
    let mut record = vec![kind];
    record.extend_from_slice(&refused.to_le_bytes());
    record.extend_from_slice(&(frame.len() as u32).to_le_bytes());
    record.extend_from_slice(frame);
    record
}

/// The keys and names that the records of a span have.
fn names((span, scope, resource): &(Span, InstrumentationScope, Resource)) -> impl Iterator<Item = &str> {
    let attributes = [&scope.attributes, &resource.attributes, &span.attributes].into_iter().flatten();
    let of_events = span.events.iter().flat_map(|event| event.attributes.iter().map(|a| &a.key).chain([&event.name]));
    attributes.map(|a| &a.key).chain([&span.name]).chain(of_events).map(String::as_str)
}

const FRAMES: &str = r#"{"destinations":[{"name":"a","profile":"tencent","token":"t","hostName":"10.0.0.8"},{"name":"b","protocol":"http/json","filter":"llm"}],"maxExportBatchSize":4,"spool":{"dir":"/spool"}}"#;

/// Spans of an SDK, delivered with everything that may go wrong.
fn frames() -> Vector {
    let mut r =
        Recorder::new("frames", "Spans that start and end in an SDK, to two destinations, with a spool, and answers of every kind.");
    r.open(FRAMES, 0);
    r.call("gs_settings", json!(["pipeline"]), Input::None);
    // It gives the same numbers as the pipeline behind the ABI.
    let mut twin = Pipeline::new(&Config::from_json(FRAMES).unwrap(), 1).unwrap();
    let spans = spans(&format!("{CAPTURES}/openinference-openai-py-0.1.66.chat-embed-error.pb"));
    for key in spans.iter().flat_map(names).collect::<BTreeSet<_>>() {
        let number = r.call("gs_intern", json!(["pipeline", "input"]), Input::Text(key)).number;
        assert_eq!(twin.intern(key.as_bytes()).map(i64::from), Some(number));
    }
    let mut w = FrameWriter::new(&mut twin);
    // When it starts or ends, and its record.
    let mut records = Vec::new();
    for (span, scope, resource) in &spans {
        let [of_scope, of_resource] = [w.scope_record(scope), w.resource_record(resource)];
        let scope = r.call("gs_scope", json!(["pipeline", "input"]), Input::Bytes(&of_scope)).number as u32;
        let resource = r.call("gs_resource", json!(["pipeline", "input"]), Input::Bytes(&of_resource)).number as u32;
        assert_eq!((w.0.scope(&of_scope), w.0.resource(&of_resource)), (Ok(scope), Ok(resource)));
        records.push((span.start_time_unix_nano, record(GS_START, 0, &w.start_with(span, scope, &[]))));
        records.push((span.end_time_unix_nano, record(GS_END, 0, &w.span(span, scope, resource))));
    }
    records.sort();
    let all = records.iter().flat_map(|(_, record)| record.clone()).collect::<Vec<_>>();
    r.call("gs_records", json!(["pipeline", "input", NOW]), Input::Bytes(&all));
    let ids = |span: &Span| [&span.trace_id[..], &span.span_id[..]].concat();
    r.call("gs_segment", json!(["pipeline", "input"]), Input::Bytes(&ids(&spans[0].0)));
    r.call("gs_segment", json!(["pipeline", "input"]), Input::Text("short"));
    let flush = r.call("gs_flush", json!(["pipeline", NOW]), Input::None).number;
    // The first answer rejects a span (OTLP's partial success), the second finds the request too large, the third never comes.
    let mut answers = 0;
    let mut stored = Vec::new();
    let polled = r.drain(NOW, |r, kind, id, body| {
        answers += 1;
        if kind == 2 {
            stored = body;
        }
        match (kind, answers) {
            (2, _) => _ = r.call("gs_stored", json!(["pipeline", id, 1, NOW]), Input::None),
            (_, 1) => {
                let answer =
                    r.call("gs_response", json!(["pipeline", id, 200, -1, "input", NOW]), Input::Bytes(b"\x0a\x08\x08\x01\x12\x04full"));
                assert_eq!(answer.number, 1);
            }
            (_, 2) => _ = r.call("gs_response", json!(["pipeline", id, 413, -1, "input", NOW]), Input::None),
            (_, 3) => _ = r.call("gs_failure", json!(["pipeline", id, NOW]), Input::None),
            (_, 4) => _ = r.call("gs_response", json!(["pipeline", id, 503, 2_000, "input", NOW]), Input::None),
            _ => r.accept(id, NOW),
        }
    });
    assert!(polled > 4, "{polled} requests");
    r.call("gs_settled", json!(["pipeline", flush]), Input::None);
    let later = NOW + 60_000.0;
    let again = r.drain(later, |r, kind, id, _| match kind {
        2 => _ = r.call("gs_stored", json!(["pipeline", id, 1, later]), Input::None),
        _ => r.accept(id, later),
    });
    let settled = r.call("gs_settled", json!(["pipeline", flush]), Input::None).number;
    assert_eq!((settled, again), (1, again));
    // What was stored is read back, and gets no answer.
    assert_eq!(r.call("gs_wants", json!(["pipeline", 0, later]), Input::None).number, 1);
    r.call("gs_restore", json!(["pipeline", 0, 7, 4, "input"]), Input::Bytes(&stored));
    r.drain(later, |r, _, id, _| _ = r.call("gs_failure", json!(["pipeline", id, later]), Input::None));
    while r.call("gs_released", json!(["pipeline"]), Input::None).number != 0 {}
    r.call("gs_close", json!(["pipeline", later]), Input::None);
    r.drain(later, |r, _, id, _| _ = r.call("gs_stored", json!(["pipeline", id, 0, later]), Input::None));
    r.end()
}

/// Spans as an exporter gets them: without starts, children first.
fn ended() -> Vector {
    let mut r = Recorder::new("ended", "Spans whose starts are never passed, in two calls, children first; records that cannot be taken.");
    const CONFIG: &str = r#"{"profile":"langfuse","entry":{"holdMillis":5000}}"#;
    r.open(CONFIG, 0);
    let mut twin = Pipeline::new(&Config::from_json(CONFIG).unwrap(), 1).unwrap();
    // Keys and names as text.
    let mut w = FrameWriter(&mut twin, true);
    let mut records = Vec::new();
    for (span, scope, resource) in &spans(&format!("{CAPTURES}/langfuse-py-5.0.4.observations-unmarked.pb")) {
        let [of_scope, of_resource] = [w.scope_record(scope), w.resource_record(resource)];
        let scope = r.call("gs_scope", json!(["pipeline", "input"]), Input::Bytes(&of_scope)).number as u32;
        let resource = r.call("gs_resource", json!(["pipeline", "input"]), Input::Bytes(&of_resource)).number as u32;
        records.push((
            span.end_time_unix_nano,
            record(GS_ENDED, 0, &w.span(span, scope, resource)),
            record(GS_ENDED, 0, &w.span(span, 99, resource)),
        ));
    }
    records.sort();
    let (first, rest) = records.split_at(records.len() / 2);
    let joined = |records: &[(u64, Vec<u8>, Vec<u8>)]| records.iter().flat_map(|(_, record, _)| record.clone()).collect::<Vec<_>>();
    let odd = [&record(GS_ENDED, 0, b"\x01")[..], &records[0].2, &record(GS_START, 0, b"\x07"), &joined(first)].concat();
    let outcome = r.call("gs_records", json!(["pipeline", "input", NOW]), Input::Bytes(&odd));
    assert_eq!((outcome.number, outcome.id, &outcome.bytes[..]), (first.len() as i64, 1, &1u32.to_le_bytes()[..]));
    r.drain(NOW + 1_000.0, |r, _, id, _| r.accept(id, NOW + 1_000.0));
    r.call("gs_records", json!(["pipeline", "input", NOW + 2_000.0]), Input::Bytes(&joined(rest)));
    r.call("gs_records", json!(["pipeline", "input", NOW + 2_000.0]), Input::Bytes(&record(3, 0, b"")));
    r.call("gs_records", json!(["pipeline", "input", NOW + 2_000.0]), Input::Bytes(&record(GS_END, 0, b"cut")[..10]));
    r.call("gs_flush", json!(["pipeline", NOW + 3_000.0]), Input::None);
    assert_eq!(r.drain(NOW + 3_000.0, |r, _, id, _| r.accept(id, NOW + 3_000.0)), 1);
    r.end()
}

/// Text in escapes, numbers at the bounds of their types, and values in values.
const ODD: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"odd"}}]},"scopeSpans":[{"scope":{"name":"langfuse-sdk"},"spans":[{"traceId":"000102030405060708090a0b0c0d0e0f","spanId":"0001020304050607","name":"\u6df1\u5733","startTimeUnixNano":"1795479339000000001","endTimeUnixNano":"1795479340000000002","attributes":[{"key":"langfuse.observation.type","value":{"stringValue":"generation"}},{"key":"langfuse.observation.input","value":{"stringValue":"[{\"role\": \"user\", \"content\": \"\\u6df1\\u5733 \\ud83d\\ude00 \\ud83d \\u+1ab \\n\\u0001\"}]"}},{"key":"langfuse.observation.usage_details","value":{"stringValue":"{\"input\": 57, \"output\": 17, \"total\": 74}"}},{"key":"langfuse.observation.cost_details","value":{"stringValue":"{\"total\": 0.1}"}},{"key":"langfuse.observation.model.parameters","value":{"stringValue":"{'temperature': 1e-7, 'top_p': 0.30000000000000004, 'max_tokens': 1024, 'stop': ('a', None, True)}"}},{"key":"my.int","value":{"intValue":"-9223372036854775808"}},{"key":"my.double","value":{"doubleValue":2.2250738585072014e-308}},{"key":"my.list","value":{"arrayValue":{"values":[{"doubleValue":1e21},{"doubleValue":-0.0},{"kvlistValue":{"values":[{"key":"k","value":{"bytesValue":"AP8="}}]}}]}}}]},{"traceId":"000102030405060708090a0b0c0d0e0f","spanId":"","name":"no id"}]}]}]}"#;

/// Bodies of other processes.
fn bodies() -> Vector {
    let mut r = Recorder::new("bodies", "OTLP bodies of other processes, taken and rewritten, and why some are refused.");
    r.open(r#"{"destinations":[{"profile":"tencent"},{"profile":"openinference"}]}"#, GS_RELAY);
    let peer = "10.1.2.3";
    let captured = read(&format!("{CAPTURES}/traceloop-openai-py-0.62.4.chat-embed-error.pb"));
    let with_peer = [peer.as_bytes(), &captured].concat();
    r.call("gs_ingest", json!(["pipeline", "input", peer.len(), NOW]), Input::Bytes(&with_peer));
    r.call("gs_ingest", json!(["pipeline", "input", 0, NOW]), Input::Bytes(ODD.as_bytes()));
    while r.call("gs_tokenless", json!(["pipeline"]), Input::None).number != 0 {}
    r.call("gs_ingest", json!(["pipeline", "input", 0, NOW]), Input::Bytes(&captured[..captured.len() - 1]));
    r.call("gs_ingest", json!(["pipeline", "input", 0, NOW]), Input::Text("{\"resourceSpans\": 1}"));
    r.call("gs_ingest", json!(["pipeline", "input", 9, NOW]), Input::Text("short"));
    r.call("gs_flush", json!(["pipeline", NOW]), Input::None);
    assert!(r.drain(NOW, |r, _, id, _| r.accept(id, NOW)) > 0);
    r.call(
        "gs_rewrite",
        json!(["pipeline", "input", 0, NOW]),
        Input::Captured(&format!("{CAPTURES}/langfuse-py-3.2.6.langgraph-entry-metadata.1.pb")),
    );
    r.call(
        "gs_rewrite",
        json!(["pipeline", "input", 0, NOW]),
        Input::Captured(&format!("{CAPTURES}/langfuse-py-3.2.6.observe-openai-stream.pb")),
    );
    r.call("gs_rewrite", json!(["pipeline", "input", 0, NOW]), Input::Text("{"));
    r.end()
}

/// Bodies in, bodies out.
fn convert() -> Vector {
    let mut r = Recorder::new("convert", "Bodies in, bodies out, for several profiles and formats, with and without options of privacy.");
    let captures = [
        "langfuse-py-3.2.6.observe-openai-stream.pb",
        "langfuse-py-5.0.4.observations-unmarked.pb",
        "traceloop-openai-py-0.62.4.chat-embed-error.pb",
    ];
    for options in [
        r#"{"profile":"otel"}"#,
        r#"{"profile":"tencent","token":"t","hostName":"10.0.0.8"}"#,
        r#"{"profile":"langfuse","keep":"none","to":"json"}"#,
        r#"{"profile":"openinference","privacy":{"mask":[{"detect":["email"],"pattern":"(?i)weather"}],"captureMetadata":false}}"#,
    ] {
        if r.converter.is_null() || r.call("gs_converter_drop", json!(["converter"]), Input::None).number == 0 {
            r.call("gs_converter", json!(["input", 1, 2]), Input::Text(options));
        }
        assert!(!r.converter.is_null(), "{:?}", r.steps.last());
        for capture in captures {
            assert_eq!(r.call("gs_convert", json!(["converter", "input"]), Input::Captured(&format!("{CAPTURES}/{capture}"))).number, 0);
        }
        assert_eq!(r.call("gs_convert", json!(["converter", "input"]), Input::Bytes(ODD.as_bytes())).number, 1);
    }
    r.call("gs_explain", json!(["converter", "input"]), Input::Captured(&format!("{CAPTURES}/{}", captures[1])));
    r.call("gs_convert", json!(["converter", "input"]), Input::Text("no body"));
    r.call("gs_explain", json!(["converter", "input"]), Input::Text("{\"resourceSpans\": [1]}"));
    r.end()
}

/// One body of the size that the founding case has.
fn langgraph() -> Vector {
    let mut r = Recorder::new("langgraph", "A run of a LangGraph agent under Langfuse, for Tencent Cloud.");
    r.call("gs_converter", json!(["input", 1, 2]), Input::Text(r#"{"profile":"tencent","token":"t","hostName":"10.0.0.8"}"#));
    r.call(
        "gs_convert",
        json!(["converter", "input"]),
        Input::Captured(&format!("{CAPTURES}/langfuse-py-5.0.4.langgraph-entry-inherited.pb")),
    );
    r.end()
}

/// Configurations that are refused.
fn refused() -> Vector {
    let mut r = Recorder::new("refused", "Configurations and options that are refused, and why.");
    for config in ["", "{", r#"{"profile":"tencent"}"#, r#"{"endpoint":"collector:4318"}"#, r#"{"nope":1}"#, r#"{"destinations":[]}"#] {
        assert_eq!(r.call("gs_open", json!(["input", 0, 1, 2]), Input::Text(config)).number, 0);
    }
    for options in [r#"{"profile":"none"}"#, r#"{"maxUnpackedBytes":"many"}"#] {
        assert_eq!(r.call("gs_converter", json!(["input", 1, 2]), Input::Text(options)).number, 0);
    }
    r.end()
}

fn made() -> Vector {
    [frames, ended, bodies, convert, langgraph, refused].into_iter().flat_map(|vector| vector()).collect()
}

/// The files that stand in the folder, except its description.
fn present() -> Vector {
    let files = std::fs::read_dir(FOLDER).unwrap().map(|file| file.unwrap());
    let named = files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()));
    named.filter(|(name, _)| name != "README.md").collect()
}

fn main() {
    for name in present().keys() {
        std::fs::remove_file(format!("{FOLDER}/{name}")).unwrap();
    }
    for (name, bytes) in made() {
        std::fs::write(format!("{FOLDER}/{name}"), bytes).unwrap();
    }
}

#[test]
fn the_calls_return_what_the_vectors_say() {
    let (made, present) = (made(), present());
    let fix = "if it is meant to differ, run: cargo run -p genspan-abi --example vectors";
    assert_eq!(made.keys().collect::<Vec<_>>(), present.keys().collect::<Vec<_>>(), "{fix}");
    for (name, bytes) in &made {
        assert!(present.get(name) == Some(bytes), "tests/vectors/{name} differs; {fix}");
    }
    assert!(made.values().map(Vec::len).sum::<usize>() < 1_000_000);
}
