//! Delivery through the pipeline: what depends on destinations, profiles and content. The machine by itself is tested beside it.

use crate::frames::FrameWriter;
use genspan::Pipeline;
use genspan::internals::config::Config;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

fn pipeline(config: &str) -> Pipeline {
    Pipeline::new(&Config::from_json(config).unwrap(), 1).unwrap()
}

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(Value::StringValue(value.into())) }), ..Default::default() }
}

fn end(p: &mut Pipeline, id: u8, name: &str, attributes: Vec<KeyValue>) {
    let mut w = FrameWriter::new(p);
    let scope = w.scope(&InstrumentationScope { name: "shop".into(), ..Default::default() });
    let resource = w.resource(&Resource { attributes: vec![text("service.name", "shop")], ..Default::default() });
    let span = Span {
        trace_id: vec![7; 16],
        span_id: vec![id; 8],
        flags: 0x101,
        name: name.into(),
        kind: 1,
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        attributes,
        ..Default::default()
    };
    let record = w.span(&span, scope, resource);
    w.0.end(&record, 0, 0.0).unwrap();
}

fn spans(body: &[u8]) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    request.resource_spans.into_iter().flat_map(|r| r.scope_spans).flat_map(|s| s.spans).collect()
}

#[test]
fn a_span_that_the_backend_finds_too_large_arrives_with_its_longest_text_cut() {
    let mut p = pipeline(r#"{"destinations":[{}]}"#);
    let long = "天".repeat(50_000);
    end(&mut p, 1, "answer", vec![text("gen_ai.operation.name", "chat"), text("note", "kept"), text("text", &long)]);
    p.flush(0.0);
    let mut arrived = None;
    for _ in 0..20 {
        let Some((_, t)) = p.poll(0.0) else { break };
        let (id, body) = (t.id, t.body.to_vec());
        if body.len() <= 20_000 {
            arrived = Some(body);
            p.response(id, 200, None, b"", 0.0);
        } else {
            p.response(id, 413, None, b"", 0.0);
        }
    }
    let [span] = &spans(&arrived.expect("it arrives"))[..] else { panic!("one span") };
    assert_eq!(span.name, "answer");
    let value = |key: &str| match span.attributes.iter().find(|a| a.key == key).unwrap().value.as_ref().unwrap().value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(value("note"), "kept");
    let cut = value("text");
    // At least a half of what would have fitted is there: it is halved, not thrown away.
    assert!(cut.starts_with("天天天") && cut.ends_with("]") && cut.contains("…[truncated ") && cut.len() > 8_000, "{}", cut.len());
    let stats = &p.stats().destinations[0];
    assert_eq!((stats.sent, stats.shortened, stats.dropped_too_large), (1, 1, 0));
}

#[test]
fn json_is_what_a_destination_of_json_gets_and_no_body_is_larger_than_it_may_be() {
    let mut p = pipeline(r#"{"destinations":[{"protocol":"http/json","maxExportBatchBytes":2000}]}"#);
    (1..=30).for_each(|id| end(&mut p, id, "work", vec![text("a", "b")]));
    p.flush(0.0);
    let mut ids = Vec::new();
    while let Some((_, t)) = p.poll(0.0) {
        assert!(t.body.len() <= 2000, "{}", t.body.len());
        let body: serde_json::Value = serde_json::from_slice(t.body).unwrap();
        let list = |value: &serde_json::Value, key: &str| value[key].as_array().unwrap().clone();
        let scopes = list(&body, "resourceSpans").into_iter().flat_map(|r| list(&r, "scopeSpans"));
        let spans: Vec<_> = scopes.flat_map(|s| list(&s, "spans")).collect();
        assert_eq!(spans.len() as u64, t.spans);
        ids.extend(spans.iter().map(|span| span["spanId"].as_str().unwrap().to_owned()));
        let id = t.id;
        p.response(id, 200, None, b"{}", 0.0);
    }
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), p.stats().destinations[0].sent), (30, 30));
    // Its own bounds are no matter of the backend's.
    assert_eq!(p.stats().destinations[0].health, "ok");
}

// README promise: "A dead backend delays nobody"
// README promise: "Each destination has its own queue, requests, retries and circuit breaker"
#[test]
fn a_destination_that_is_down_delays_no_other() {
    let one = r#"{"name":"down","concurrencyLimit":1,"maxQueueSize":5}"#;
    let mut p = pipeline(&format!(r#"{{"destinations":[{one},{{"name":"well"}}]}}"#));
    let mut now = 0.0;
    for round in 0..20 {
        (0..3).for_each(|i| end(&mut p, round * 3 + i + 1, "work", Vec::new()));
        p.flush(now);
        while let Some((destination, t)) = p.poll(now) {
            let id = t.id;
            if destination == 0 { p.failure(id, now) } else { drop(p.response(id, 200, None, b"", now)) }
        }
        assert_eq!(p.stats().destinations[1].sent, u64::from(round + 1) * 3);
        now += 1000.0;
    }
    let stats = p.stats();
    let down = &stats.destinations[0];
    assert_eq!((down.health, down.sent, down.queued), ("open", 0, 60));
    assert_eq!(down.dropped_full + down.pending, 60);
}
