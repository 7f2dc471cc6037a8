//! Requests without a host: what is taken for OTLP, what becomes of bodies, and that no input makes it panic or lose anything.

use genspan::Pipeline;
use genspan_proxy_wasm::coding::Coding;
use genspan_proxy_wasm::origin::{Head, Origin};
use genspan_proxy_wasm::request::{Reason, Request};
use genspan_proxy_wasm::settings::Settings;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use proptest::prelude::*;
use prost::Message;
use std::borrow::Cow;

const CODINGS: [Coding; 4] = [Coding::Plain, Coding::Gzip, Coding::Deflate, Coding::Zstd];
const LIMIT: usize = 1 << 20;
const PLAIN: Request = Request { grpc: false, json: false, coding: Coding::Plain };
const GRPC_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

fn capture() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/captures/langfuse-py-5.0.4.langgraph-entry-inherited.pb");
    std::fs::read(path).unwrap()
}

fn pipeline(config: &str) -> Pipeline {
    Pipeline::new(&Settings::read(config).unwrap().core, 1).unwrap()
}

fn of(method: &str, path: &str, headers: &[(&str, &str)]) -> Option<Result<Request, Reason>> {
    Request::of(method, path, |name| headers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value))
}

#[test]
fn what_a_request_is() {
    let proto = ("content-type", "application/x-protobuf");
    assert_eq!(of("POST", "/v1/traces", &[proto]), Some(Ok(PLAIN)));
    assert_eq!(
        of("POST", "/api/public/otel/v1/traces?x=1", &[proto, ("content-encoding", "gzip")]),
        Some(Ok(Request { coding: Coding::Gzip, ..PLAIN }))
    );
    assert_eq!(of("POST", "/v1/traces", &[("content-type", "application/JSON; charset=utf-8")]), Some(Ok(Request { json: true, ..PLAIN })));
    let grpc = Request { grpc: true, ..PLAIN };
    assert_eq!(of("POST", GRPC_PATH, &[("content-type", "application/grpc")]), Some(Ok(grpc)));
    assert_eq!(
        of("POST", GRPC_PATH, &[("content-type", "application/grpc+proto"), ("grpc-encoding", "gzip")]),
        Some(Ok(Request { coding: Coding::Gzip, ..grpc }))
    );
    for (method, path) in [
        ("GET", "/v1/traces"),
        ("POST", "/v1/logs"),
        ("POST", "/v1/tracesx"),
        ("POST", "/opentelemetry.proto.collector.logs.v1.LogsService/Export"),
    ] {
        assert_eq!(of(method, path, &[proto]), None);
    }
    for (name, coding) in [("GZIP", Coding::Gzip), ("x-gzip", Coding::Gzip), ("deflate", Coding::Deflate), ("zstd", Coding::Zstd)] {
        assert_eq!(of("POST", "/v1/traces", &[proto, ("content-encoding", name)]), Some(Ok(Request { coding, ..PLAIN })), "{name}");
    }
    for headers in [&[][..], &[("content-type", "text/plain")], &[proto, ("content-encoding", "br")]] {
        assert_eq!(of("POST", "/v1/traces", headers), Some(Err(Reason::Unsupported)));
    }
}

fn marked(body: &[u8]) -> Vec<String> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let spans = request.resource_spans.into_iter().flat_map(|r| r.scope_spans).flat_map(|s| s.spans);
    spans.filter(|span| span.attributes.iter().any(|a| a.key == "gen_ai.is_entry")).map(|span| span.name).collect()
}

#[test]
fn every_way_of_packing_gives_the_same_spans() {
    let capture = capture();
    let plain = PLAIN.rewrite(&capture, &mut pipeline("{}"), None, LIMIT, 0.0).unwrap();
    assert_eq!(marked(&plain), ["LangGraph"]);
    for request in CODINGS.into_iter().flat_map(|coding| [false, true].map(|grpc| Request { grpc, coding, ..PLAIN })) {
        // `wrap` packs as a client does; to take apart what came out, a pipeline that changes nothing more.
        let body = request.wrap(&capture);
        let out = request.rewrite(&body, &mut pipeline("{}"), None, LIMIT, 0.0).unwrap();
        assert_eq!(out, request.wrap(&plain), "{request:?}");
    }
}

#[test]
fn a_body_that_zstd_packed_reads_as_it_was() {
    // `zstd -3` of the capture.
    let packed = include_bytes!("langgraph.pb.zst");
    assert_eq!(Coding::Zstd.unpack(packed, LIMIT), Ok(capture()));
    assert_eq!(Coding::Zstd.unpack(packed, 1000), Err(Reason::Oversized));
}

#[test]
fn a_body_in_which_nothing_is_different_is_not_packed_again() {
    let span = Span { trace_id: vec![1; 16], span_id: vec![2; 8], name: "SELECT".into(), ..Default::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..Default::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..Default::default() }];
    let plain = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    for request in CODINGS.into_iter().flat_map(|coding| [false, true].map(|grpc| Request { grpc, coding, ..PLAIN })) {
        let (mut p, body) = (pipeline("{}"), request.wrap(&plain));
        let out = request.rewrite(&body, &mut p, None, LIMIT, 0.0).unwrap();
        assert!(matches!(out, Cow::Borrowed(same) if same == body), "{request:?}");
        assert_eq!(p.stats().seen, 1);
    }
}

#[test]
fn what_cannot_be_read_leaves_nothing_behind() {
    let mut p = pipeline("{}");
    let gzip = Request { coding: Coding::Gzip, ..PLAIN };
    let grpc = Request { grpc: true, ..PLAIN };
    for (request, body, reason) in [
        (PLAIN, b"garbage".to_vec(), Reason::Malformed),
        (gzip, b"garbage".to_vec(), Reason::Malformed),
        (gzip, gzip.wrap(&vec![0; LIMIT + 1]), Reason::Oversized),
        (grpc, b"\0\0\0\0".to_vec(), Reason::Malformed),
        (grpc, b"\0\0\0\0\x02x".to_vec(), Reason::Malformed),
        (grpc, b"\x01\0\0\0\x01x".to_vec(), Reason::Unsupported),
        (Request { json: true, ..PLAIN }, b"{\"resourceSpans\":7}".to_vec(), Reason::Malformed),
    ] {
        assert_eq!(request.rewrite(&body, &mut p, None, LIMIT, 0.0), Err(reason), "{request:?}");
    }
    assert_eq!(p.stats().seen, 0);
}

#[test]
fn what_was_held_goes_out_with_the_senders_credentials_to_its_upstream() {
    let settings = Settings::read(r#"{"entry":{"holdMillis":1000},"scheduledDelayMillis":0,"headers":{"x-team":"blue"}}"#).unwrap();
    let head = Head {
        authority: "collector:4317".into(),
        path: GRPC_PATH.into(),
        scheme: "http".into(),
        headers: vec![("authorization".into(), "Bearer a".into())],
        request: Request { grpc: true, ..PLAIN },
        cluster: Some("collector_grpc".into()),
    };
    let grpc = head.request;
    let mut origin = Origin::new(head.clone(), 1, &settings, 1).unwrap();
    // The last span of the body is the HTTP root: without it the candidate's parent is missing.
    let mut request = ExportTraceServiceRequest::decode(&capture()[..]).unwrap();
    for scope in request.resource_spans.iter_mut().flat_map(|r| &mut r.scope_spans) {
        scope.spans.retain(|span| span.name != "POST /chat");
    }
    let body = grpc.wrap(&request.encode_to_vec());
    let out = origin.rewrite(grpc, &body, None, LIMIT, 0.0).unwrap();
    assert!(marked(&out[5..]).is_empty() && origin.stats().held == 1);
    assert!(origin.call(500.0).is_none());
    let call = origin.call(1000.0).expect("the window has passed");
    assert_eq!((&call.cluster[..], marked(&call.body[5..])), ("collector_grpc", vec!["LangGraph".to_owned()]));
    for (name, value) in [(":path", GRPC_PATH), ("te", "trailers"), ("authorization", "Bearer a"), ("x-team", "blue")] {
        assert!(call.headers.iter().any(|(n, v)| n == name && v == value), "{name}");
    }
    origin.answered(call.id, 200, Some(14), None, b"", 1000.0);
    assert!(origin.is_busy(), "unavailable: it is tried again");
    let again = std::iter::from_fn(|| origin.call(1_000_000.0)).next();
    assert!(again.is_none() || again.is_some_and(|c| c.id == call.id));
    // Where no call is possible nothing is held.
    let mut origin = Origin::new(Head { cluster: None, ..head }, 2, &settings, 1).unwrap();
    let out = origin.rewrite(grpc, &body, None, LIMIT, 0.0).unwrap();
    assert_eq!((marked(&out[5..]), origin.stats().held), (vec!["LangGraph".to_owned()], 0));
}

#[test]
fn a_request_has_its_spans_while_calls_of_our_own_are_not_answered() {
    let settings = Settings::read(r#"{"entry":{"holdMillis":0},"scheduledDelayMillis":0}"#).unwrap();
    let head = |request| Head {
        authority: "a".into(),
        path: "/v1/traces".into(),
        scheme: "http".into(),
        headers: vec![],
        request,
        cluster: Some("c".into()),
    };
    let mut origin = Origin::new(head(PLAIN), 1, &settings, 1).unwrap();
    let orphan = |n: u8| {
        let mut request = ExportTraceServiceRequest::decode(&capture()[..]).unwrap();
        let scopes = request.resource_spans.iter_mut().flat_map(|r| &mut r.scope_spans);
        scopes.flat_map(|s| &mut s.spans).for_each(|span| span.trace_id = vec![n; 16]);
        request.encode_to_vec()
    };
    for n in 1..=50 {
        let now = f64::from(n) * 10.0;
        let body = orphan(n);
        let out = origin.rewrite(PLAIN, &body, None, LIMIT, now).unwrap();
        assert_eq!(marked(&out), ["LangGraph"]);
        while let Some(call) = origin.call(now) {
            origin.failed(call.id, now);
        }
    }
}

#[test]
fn a_refusal_tells_what_to_do_in_the_types_of_otlp() {
    for reason in Reason::ALL {
        let (_, code) = reason.statuses();
        let json: serde_json::Value = serde_json::from_slice(&reason.status(true)).unwrap();
        assert_eq!(json, serde_json::json!({"code": code, "message": reason.advice()}));
        // google.rpc.Status: code = 1, message = 2.
        #[derive(PartialEq, prost::Message)]
        struct Status {
            #[prost(int32, tag = "1")]
            code: i32,
            #[prost(string, tag = "2")]
            message: String,
        }
        assert_eq!(Status::decode(&reason.status(false)[..]).unwrap(), Status { code: code.into(), message: reason.advice().into() });
    }
}

#[test]
fn a_unary_call_tells_how_long_it_is() {
    let grpc = Request { grpc: true, ..PLAIN };
    assert_eq!(grpc.length(&grpc.wrap(b"hello")), Some(10));
    assert_eq!((grpc.length(b"\0\0\0\x01\0"), grpc.length(b"\0\0\0\x01"), PLAIN.length(b"\0\0\0\x01\0")), (Some(261), None, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..300), grpc: bool, json: bool, coding in 0..CODINGS.len()) {
        let request = Request { grpc, json, coding: CODINGS[coding] };
        let mut p = pipeline("{}");
        let _ = request.rewrite(&body, &mut p, Some("10.0.0.8"), LIMIT, 0.0);
        let _ = request.rewrite(&request.wrap(&body), &mut p, None, LIMIT, 0.0);
    }

    #[test]
    fn a_capture_with_a_byte_changed_is_refused_or_has_all_its_spans_but_those_that_no_backend_takes(at: prop::sample::Index, to: u8) {
        let mut body = capture();
        let at = at.index(body.len());
        body[at] = to;
        let mut p = pipeline(r#"{"entry":{"holdMillis":0}}"#);
        if let Ok(out) = PLAIN.rewrite(&body, &mut p, None, LIMIT, 0.0) {
            // What the pipeline could read, it hands on; with the field numbers of spans destroyed there are fewer of them.
            let count = |body: &[u8]| ExportTraceServiceRequest::decode(body).map(|r| r.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum::<usize>());
            match (count(&body), count(&out)) {
                (Ok(before), after) => prop_assert_eq!(before, after.unwrap() + p.stats().unparsed as usize),
                // It passes alone, as it came.
                (Err(_), after) => prop_assert!(after.is_ok() || matches!(out, Cow::Borrowed(_))),
            }
        }
    }
}
