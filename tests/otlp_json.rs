//! OTLP/JSON, held against the OTLP specification and the crate `opentelemetry-proto`. What the
//! conventions make of a span is tested elsewhere.

use genspan::internals::otlp::json;
use opentelemetry_proto::tonic::collector::trace::v1 as oracle_collector;
use opentelemetry_proto::tonic::common::v1 as oracle_common;
use opentelemetry_proto::tonic::resource::v1 as oracle_resource;
use opentelemetry_proto::tonic::trace::v1 as oracle_trace;
use oracle_collector::ExportTraceServiceRequest as OracleRequest;
use oracle_common::any_value::Value as OracleValue;
use proptest::prelude::*;
use prost::Message;

fn captures() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/captures");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pb"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    assert_eq!(files.len(), 10);
    files
}

/// Every field of every message set, each to a value of its own.
fn full_request() -> OracleRequest {
    let text = |text: &str| OracleValue::StringValue(text.into());
    let any = |value| oracle_common::AnyValue { value: Some(value) };
    let attribute = |key: &str, value| oracle_common::KeyValue { key: key.into(), value: Some(any(value)), ..Default::default() };
    OracleRequest {
        resource_spans: vec![oracle_trace::ResourceSpans {
            resource: Some(oracle_resource::Resource {
                attributes: vec![attribute("service.name", text("shop"))],
                dropped_attributes_count: 1,
                entity_refs: vec![oracle_common::EntityRef {
                    schema_url: "https://e".into(),
                    r#type: "service".into(),
                    id_keys: vec!["service.name".into()],
                    description_keys: vec!["service.version".into()],
                }],
            }),
            scope_spans: vec![oracle_trace::ScopeSpans {
                scope: Some(oracle_common::InstrumentationScope {
                    name: "langfuse-sdk".into(),
                    version: "5.0.4".into(),
                    attributes: vec![attribute("public_key", text("pk"))],
                    dropped_attributes_count: 2,
                }),
                spans: vec![oracle_trace::Span {
                    trace_id: (0xA0..0xB0).collect(),
                    span_id: (1..9).collect(),
                    trace_state: "a=b".into(),
                    parent_span_id: (2..10).collect(),
                    flags: 0x101,
                    name: "chat \"深圳\"\n".into(),
                    kind: 3,
                    start_time_unix_nano: 1_795_479_331_915_325_207,
                    end_time_unix_nano: u64::MAX,
                    attributes: vec![
                        attribute("s", text("")),
                        attribute("b", OracleValue::BoolValue(false)),
                        attribute("i", OracleValue::IntValue(i64::MIN)),
                        attribute("d", OracleValue::DoubleValue(0.1)),
                        attribute("inf", OracleValue::DoubleValue(f64::NEG_INFINITY)),
                        attribute("bytes", OracleValue::BytesValue(vec![0xFB, 0xFF, 0xBF, 0x01])),
                        attribute(
                            "array",
                            OracleValue::ArrayValue(oracle_common::ArrayValue {
                                values: vec![any(OracleValue::IntValue(0)), oracle_common::AnyValue { value: None }],
                            }),
                        ),
                        attribute("map", OracleValue::KvlistValue(oracle_common::KeyValueList { values: vec![attribute("k", text("v"))] })),
                    ],
                    dropped_attributes_count: 3,
                    events: vec![oracle_trace::span::Event {
                        time_unix_nano: 7,
                        name: "exception".into(),
                        attributes: vec![attribute("exception.type", text("ValueError"))],
                        dropped_attributes_count: 4,
                    }],
                    dropped_events_count: 5,
                    links: vec![oracle_trace::span::Link {
                        trace_id: vec![1; 16],
                        span_id: vec![2; 8],
                        trace_state: "c=d".into(),
                        attributes: vec![attribute("l", OracleValue::BoolValue(true))],
                        dropped_attributes_count: 6,
                        flags: 0x300,
                    }],
                    dropped_links_count: 7,
                    status: Some(oracle_trace::Status { message: "broke".into(), code: 2 }),
                }],
                schema_url: "https://s".into(),
            }],
            schema_url: "https://r".into(),
        }],
    }
}

/// The same, as the specification writes it.
const FULL_JSON: &str = concat!(
    r#"{"resourceSpans":[{"resource":{"#,
    r#""attributes":[{"key":"service.name","value":{"stringValue":"shop"}}],"droppedAttributesCount":1,"#,
    r#""entityRefs":[{"schemaUrl":"https://e","type":"service","idKeys":["service.name"],"descriptionKeys":["service.version"]}]},"#,
    r#""scopeSpans":[{"scope":{"name":"langfuse-sdk","version":"5.0.4","#,
    r#""attributes":[{"key":"public_key","value":{"stringValue":"pk"}}],"droppedAttributesCount":2},"spans":[{"#,
    r#""traceId":"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf","spanId":"0102030405060708","traceState":"a=b","#,
    r#""parentSpanId":"0203040506070809","name":"chat \"深圳\"\n","kind":3,"#,
    r#""startTimeUnixNano":"1795479331915325207","endTimeUnixNano":"18446744073709551615","attributes":["#,
    r#"{"key":"s","value":{"stringValue":""}},"#,
    r#"{"key":"b","value":{"boolValue":false}},"#,
    r#"{"key":"i","value":{"intValue":"-9223372036854775808"}},"#,
    r#"{"key":"d","value":{"doubleValue":0.1}},"#,
    r#"{"key":"inf","value":{"doubleValue":"-Infinity"}},"#,
    r#"{"key":"bytes","value":{"bytesValue":"+/+/AQ=="}},"#,
    r#"{"key":"array","value":{"arrayValue":{"values":[{"intValue":"0"},{}]}}},"#,
    r#"{"key":"map","value":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}}],"#,
    r#""droppedAttributesCount":3,"events":[{"timeUnixNano":"7","name":"exception","#,
    r#""attributes":[{"key":"exception.type","value":{"stringValue":"ValueError"}}],"droppedAttributesCount":4}],"#,
    r#""droppedEventsCount":5,"links":[{"traceId":"01010101010101010101010101010101","spanId":"0202020202020202","#,
    r#""traceState":"c=d","attributes":[{"key":"l","value":{"boolValue":true}}],"droppedAttributesCount":6,"flags":768}],"#,
    r#""droppedLinksCount":7,"status":{"message":"broke","code":2},"flags":257}],"schemaUrl":"https://s"}],"schemaUrl":"https://r"}]}"#,
);

#[test]
fn captures_survive_json() {
    for (file, body) in captures() {
        let json = json::from_protobuf(&body).unwrap();
        let back = json::to_protobuf(&json).unwrap();
        assert_eq!(OracleRequest::decode(&back[..]).unwrap(), OracleRequest::decode(&body[..]).unwrap(), "{file}");
        let text = String::from_utf8(json).unwrap();
        assert!(text.contains(r#"{"key":"service.name","value":{"stringValue":"shop-agent"}}"#), "{file}: {text}");
    }
}

#[test]
fn every_field_is_written_and_read_as_the_specification_says() {
    let body = full_request().encode_to_vec();
    assert_eq!(String::from_utf8(json::from_protobuf(&body).unwrap()).unwrap(), FULL_JSON);
    let back = json::to_protobuf(FULL_JSON.as_bytes()).unwrap();
    assert_eq!(OracleRequest::decode(&back[..]).unwrap(), full_request());
}

#[test]
fn reads_the_example_of_the_otlp_repository() {
    let example = include_str!("fixtures/otlp-example.json");
    let body = json::to_protobuf(example.as_bytes()).unwrap();
    let attribute = |key: &str, value: &str| oracle_common::KeyValue {
        key: key.into(),
        value: Some(oracle_common::AnyValue { value: Some(OracleValue::StringValue(value.into())) }),
        ..Default::default()
    };
    let expected = OracleRequest {
        resource_spans: vec![oracle_trace::ResourceSpans {
            resource: Some(oracle_resource::Resource { attributes: vec![attribute("service.name", "my.service")], ..Default::default() }),
            scope_spans: vec![oracle_trace::ScopeSpans {
                scope: Some(oracle_common::InstrumentationScope {
                    name: "my.library".into(),
                    version: "1.0.0".into(),
                    attributes: vec![attribute("my.scope.attribute", "some scope attribute")],
                    ..Default::default()
                }),
                spans: vec![oracle_trace::Span {
                    trace_id: 0x5B8E_FFF7_9803_8103_D269_B633_813F_C60C_u128.to_be_bytes().to_vec(),
                    span_id: 0xEEE1_9B7E_C3C1_B174_u64.to_be_bytes().to_vec(),
                    parent_span_id: 0xEEE1_9B7E_C3C1_B173_u64.to_be_bytes().to_vec(),
                    name: "I'm a server span".into(),
                    start_time_unix_nano: 1_544_712_660_000_000_000,
                    end_time_unix_nano: 1_544_712_661_000_000_000,
                    kind: 2,
                    attributes: vec![attribute("my.span.attr", "some value")],
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        }],
    };
    assert_eq!(OracleRequest::decode(&body[..]).unwrap(), expected);

    let mut compact: String = example.lines().map(str::trim_start).collect();
    compact = compact.replace("\": ", "\":").replace("5B8EFFF798038103D269B633813FC60C", "5b8efff798038103d269b633813fc60c");
    compact = compact.replace("EEE19B7EC3C1B17", "eee19b7ec3c1b17");
    // The example has `kind` behind the times, proto order has it before them.
    compact = compact.replace(r#""kind":2,"#, "").replace(r#""startTime"#, r#""kind":2,"startTime"#);
    assert_eq!(String::from_utf8(json::from_protobuf(&body).unwrap()).unwrap(), compact);
}

#[test]
fn defaults_are_left_out() {
    #[rustfmt::skip]
    let cases = [
        (OracleRequest::default(), "{}"),
        (with_span(oracle_trace::Span::default()), r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}"#),
        (
            with_span(oracle_trace::Span { status: Some(Default::default()), ..Default::default() }),
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"status":{}}]}]}]}"#,
        ),
        (
            with_span(oracle_trace::Span { attributes: vec![Default::default()], ..Default::default() }),
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"","value":{}}]}]}]}]}"#,
        ),
    ];
    for (request, expected) in cases {
        let json = json::from_protobuf(&request.encode_to_vec()).unwrap();
        assert_eq!(String::from_utf8(json).unwrap(), expected);
    }
}

fn with_span(span: oracle_trace::Span) -> OracleRequest {
    let scope_spans = vec![oracle_trace::ScopeSpans { spans: vec![span], ..Default::default() }];
    OracleRequest { resource_spans: vec![oracle_trace::ResourceSpans { scope_spans, ..Default::default() }] }
}

/// `members` of one span, in a request.
fn span_json(members: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{members}}}]}}]}}]}}"#)
}

fn read_span(members: &str) -> oracle_trace::Span {
    let json = span_json(members);
    let body = json::to_protobuf(json.as_bytes()).unwrap_or_else(|error| panic!("{members}: {error}"));
    let mut request = OracleRequest::decode(&body[..]).unwrap();
    request.resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

#[test]
fn snake_case_names_are_read() {
    let mut json = FULL_JSON.to_owned();
    for camel in FULL_JSON.split('"').filter(|name| name.bytes().any(|letter| letter.is_ascii_uppercase())) {
        let is_name = camel.bytes().all(|letter| letter.is_ascii_alphabetic()) && camel.starts_with(char::is_lowercase);
        if is_name {
            let snake: String =
                camel.chars().map(|c| if c.is_uppercase() { format!("_{}", c.to_lowercase()) } else { c.to_string() }).collect();
            json = json.replace(&format!("\"{camel}\":"), &format!("\"{snake}\":"));
        }
    }
    assert!(json.starts_with(r#"{"resource_spans":[{"resource":"#) && json.contains(r#""dropped_links_count":7"#), "{json}");
    let body = json::to_protobuf(json.as_bytes()).unwrap();
    assert_eq!(OracleRequest::decode(&body[..]).unwrap(), full_request());
}

#[test]
fn tolerated_spellings_of_span_fields() {
    type Span = oracle_trace::Span;
    let span = Span::default;
    #[rustfmt::skip]
    let cases = [
        // members                                                     what they mean
        (r#""traceId":"A0a1A2a3A4a5A6a7A8a9AaabACadAEaf""#,           Span { trace_id: (0xA0..0xB0).collect(), ..span() }),
        (r#""parentSpanId":"""#,                                       span()),
        (r#""parentSpanId":null,"attributes":null,"status":null"#,     span()),
        (r#""notInTheProtocol":{"a":[1,{"b":null}]},"name":"x""#,      Span { name: "x".into(), ..span() }),
        (r#""startTimeUnixNano":1795479331915325207"#,                 Span { start_time_unix_nano: 1_795_479_331_915_325_207, ..span() }),
        (r#""startTimeUnixNano":1.5e18"#,                              Span { start_time_unix_nano: 1_500_000_000_000_000_000, ..span() }),
        (r#""endTimeUnixNano":"18446744073709551615""#,                Span { end_time_unix_nano: u64::MAX, ..span() }),
        (r#""droppedLinksCount":"7""#,                                 Span { dropped_links_count: 7, ..span() }),
        (r#""flags":257.0"#,                                           Span { flags: 257, ..span() }),
        (r#""kind":"consumer""#,                                       Span { kind: 5, ..span() }),
        (r#""kind":"Span_Kind_Server""#,                               Span { kind: 2, ..span() }),
        (r#""kind":"2""#,                                              Span { kind: 2, ..span() }),
        (r#""kind":"SPAN_KIND_ROBOT""#,                                span()),
        (r#""spanId":"AQIDBAUGBwg=""#,                                 Span { span_id: vec![1, 2, 3, 4, 5, 6, 7, 8], ..span() }),
        (r#""kind":"SPAN_KIND_CONSUMER""#,                             Span { kind: 5, ..span() }),
        (r#""kind":"SPAN_KIND_SERVER""#,                               Span { kind: 2, ..span() }),
        (r#""kind":99"#,                                               Span { kind: 99, ..span() }),
        (r#""status":{"code":"STATUS_CODE_ERROR"}"#,                   Span { status: Some(oracle_trace::Status { code: 2, ..Default::default() }), ..span() }),
        (r#""status":{"code":1}"#,                                     Span { status: Some(oracle_trace::Status { code: 1, ..Default::default() }), ..span() }),
        (r#""name":"\u6df1\u5733 \ud83d\ude00""#,                      Span { name: "深圳 😀".into(), ..span() }),
        // Cut in the middle of an emoji; `\\ud83d` is text.
        (r#""name":"cut \ud83d","traceState":"\ude00\\ud83d""#,        Span { name: "cut \u{FFFD}".into(), trace_state: "\u{FFFD}\\ud83d".into(), ..span() }),
        (r#""name":"\ud83d\ud83d\ude00\ud83d\n""#,                     Span { name: "\u{FFFD}😀\u{FFFD}\n".into(), ..span() }),
    ];
    for (members, expected) in cases {
        assert_eq!(read_span(members), expected, "{members}");
    }
}

#[test]
fn tolerated_spellings_of_values() {
    use OracleValue::{ArrayValue, BoolValue, BytesValue, DoubleValue, IntValue, KvlistValue, StringValue};
    #[rustfmt::skip]
    let cases = [
        (r#"{}"#,                                    None),
        (r#"null"#,                                  None),
        (r#"{"stringValue":null}"#,                  None),
        (r#"{"futureValue":1}"#,                     None),
        (r#"{"stringValue":"a","intValue":null}"#,   Some(StringValue("a".into()))),
        (r#"{"string_value":"a"}"#,                  Some(StringValue("a".into()))),
        (r#"{"bool_value":true}"#,                   Some(BoolValue(true))),
        (r#"{"intValue":"-9223372036854775808"}"#,   Some(IntValue(i64::MIN))),
        (r#"{"intValue":9223372036854775807}"#,      Some(IntValue(i64::MAX))),
        (r#"{"int_value":-57}"#,                     Some(IntValue(-57))),
        (r#"{"intValue":1e3}"#,                      Some(IntValue(1000))),
        (r#"{"doubleValue":0.3}"#,                   Some(DoubleValue(0.3))),
        (r#"{"doubleValue":3}"#,                     Some(DoubleValue(3.0))),
        (r#"{"doubleValue":"0.3"}"#,                 Some(DoubleValue(0.3))),
        (r#"{"doubleValue":"Infinity"}"#,            Some(DoubleValue(f64::INFINITY))),
        (r#"{"double_value":"-Infinity"}"#,          Some(DoubleValue(f64::NEG_INFINITY))),
        (r#"{"bytesValue":""}"#,                     Some(BytesValue(vec![]))),
        (r#"{"bytesValue":"+/+/AQ=="}"#,             Some(BytesValue(vec![0xFB, 0xFF, 0xBF, 1]))),
        (r#"{"bytesValue":"+/+/AQ"}"#,               Some(BytesValue(vec![0xFB, 0xFF, 0xBF, 1]))),
        (r#"{"bytes_value":"-_-_AQI="}"#,            Some(BytesValue(vec![0xFB, 0xFF, 0xBF, 1, 2]))),
        (r#"{"arrayValue":{}}"#,                     Some(ArrayValue(Default::default()))),
        (r#"{"array_value":{"values":[]}}"#,         Some(ArrayValue(Default::default()))),
        (r#"{"kvlist_value":{"values":null}}"#,      Some(KvlistValue(Default::default()))),
    ];
    for (value, expected) in cases {
        let span = read_span(&format!(r#""attributes":[{{"key":"k","value":{value}}}]"#));
        assert_eq!(span.attributes[0].value.clone().and_then(|any| any.value), expected, "{value}");
    }
    let span = read_span(r#""attributes":[{"key":"k","value":{"doubleValue":"NaN"}}]"#);
    assert!(matches!(span.attributes[0].value.as_ref().unwrap().value, Some(DoubleValue(nan)) if nan.is_nan()));
}

#[test]
fn tolerated_bodies() {
    for body in [&b"{}"[..], b" {\n} ", b"\xEF\xBB\xBF{}", br#"{"resourceSpans":[]}"#, br#"{"resourceSpans":null}"#] {
        assert_eq!(json::to_protobuf(body).unwrap(), b"", "{}", String::from_utf8_lossy(body));
    }
    // Bytes that are no UTF-8, in a string.
    let mut body = span_json(r#""name":"a?b""#).into_bytes();
    let place = body.iter().position(|byte| *byte == b'?').unwrap();
    body[place] = 0xFF;
    let request = OracleRequest::decode(&json::to_protobuf(&body).unwrap()[..]).unwrap();
    assert_eq!(request.resource_spans[0].scope_spans[0].spans[0].name, "a\u{FFFD}b");
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    #[rustfmt::skip]
    let bodies = [
        ("",                                    "ends too early at line 1 column 1"),
        ("{",                                   "ends too early at line 1 column 2"),
        ("{\n  \"resourceSpans\" []\n}",        "is no JSON at line 2 column 19"),
        ("{}{}",                                "is no JSON at line 1 column 3"),
        ("not json",                            "is no JSON at line 1 column 1"),
        ("\n\x16",                              "is no JSON at line 2 column 1"),
        ("[]",                                  "top level: expected an object, got an array"),
        ("null",                                "top level: expected an object, got null"),
        (r#"{"resourceSpans":{}}"#,             "resourceSpans: expected an array, got an object"),
        (r#"{"resource_spans":["x"]}"#,         "resource_spans[0]: expected an object, got a string"),
        (r#"{"resourceSpans":[null]}"#,         "resourceSpans[0]: expected an object, got null"),
        (r#"{"resourceSpans":[{},{"schemaUrl":7}]}"#,                             "resourceSpans[1].schemaUrl: expected a string, got a number"),
        (r#"{"resourceSpans":[{"resource":{"attributes":[{"key":true}]}}]}"#,     "resourceSpans[0].resource.attributes[0].key: expected a string, got a boolean"),
        (r#"{"resourceSpans":[{"resource":{"entityRefs":[{"idKeys":[1]}]}}]}"#,   "resourceSpans[0].resource.entityRefs[0].idKeys[0]: expected a string, got a number"),
        (r#"{"resourceSpans":[{"scopeSpans":[{},{"spans":[{},{},{},{"traceId":"12345"}]}]}]}"#,
                                                "resourceSpans[0].scopeSpans[1].spans[3].traceId: expected 32 hex digits, got 5 characters"),
    ];
    for (body, expected) in bodies {
        assert_eq!(json::to_protobuf(body.as_bytes()).unwrap_err().to_string(), expected, "{body}");
    }

    #[rustfmt::skip]
    let spans = [
        (r#""spanId":"深圳""#,                                   "spanId: expected 16 hex digits, got 2 characters"),
        (r#""parent_span_id":"0102030405060z08""#,               "parent_span_id: expected 16 hex digits, got other characters"),
        (r#""spanId":12"#,                                       "spanId: expected a string, got a number"),
        (r#""links":[{"traceId":"oKGio6SlpqeoqaqrrK2u"}]"#,      "links[0].traceId: expected 32 hex digits, got 20 characters"),
        (r#""name":{}"#,                                         "name: expected a string, got an object"),
        (r#""kind":1.5"#,                                        "kind: expected a span kind, got a number that is none"),
        (r#""kind":[]"#,                                         "kind: expected a span kind, got an array"),
        (r#""status":"OK""#,                                     "status: expected an object, got a string"),
        (r#""flags":-1"#,                                        "flags: expected an unsigned 32-bit integer, got a number that is none"),
        (r#""flags":4294967296"#,                                "flags: expected an unsigned 32-bit integer, got a number that is none"),
        (r#""startTimeUnixNano":"2026-11-24T00:15:39Z""#,        "startTimeUnixNano: expected an unsigned 64-bit integer, got other text"),
        (r#""startTimeUnixNano":1795479331.5"#,                  "startTimeUnixNano: expected an unsigned 64-bit integer, got a number that is none"),
        (r#""endTimeUnixNano":"18446744073709551616""#,          "endTimeUnixNano: expected an unsigned 64-bit integer, got other text"),
        (r#""events":[{"timeUnixNano":[]}]"#,                    "events[0].timeUnixNano: expected an unsigned 64-bit integer, got an array"),
        (r#""attributes":{"a":"b"}"#,                            "attributes: expected an array, got an object"),
        (r#""attributes":[{"value":"plain"}]"#,                  "attributes[0].value: expected an object, got a string"),
        (r#""attributes":[{"value":{"stringValue":1}}]"#,        "attributes[0].value.stringValue: expected a string, got a number"),
        (r#""attributes":[{"value":{"boolValue":"true"}}]"#,     "attributes[0].value.boolValue: expected true or false, got a string"),
        (r#""attributes":[{"value":{"intValue":"1.5"}}]"#,       "attributes[0].value.intValue: expected a 64-bit integer, got other text"),
        (r#""attributes":[{"value":{"intValue":9223372036854775808}}]"#,
                                                                 "attributes[0].value.intValue: expected a 64-bit integer, got a number that is none"),
        (r#""attributes":[{"value":{"doubleValue":"inf"}}]"#,    r#"attributes[0].value.doubleValue: expected a number, "NaN", "Infinity" or "-Infinity", got other text"#),
        (r#""attributes":[{"value":{"doubleValue":true}}]"#,     "attributes[0].value.doubleValue: expected a number, got a boolean"),
        (r#""attributes":[{"value":{"bytesValue":"a"}}]"#,       "attributes[0].value.bytesValue: expected base64, got other text"),
        (r#""attributes":[{"value":{"bytesValue":"AQ="}}]"#,     "attributes[0].value.bytesValue: expected base64, got other text"),
        (r#""attributes":[{"value":{"bytesValue":"A*=="}}]"#,    "attributes[0].value.bytesValue: expected base64, got other text"),
        (r#""attributes":[{"value":{"stringValue":"a","intValue":1}}]"#,
                                                                 "attributes[0].value: expected one value, got several"),
        (r#""attributes":[{},{"value":{"kvlistValue":{"values":[{"value":{"arrayValue":{"values":[{"intValue":{}}]}}}]}}}]"#,
                                                                 "attributes[1].value.kvlistValue.values[0].value.arrayValue.values[0].intValue: expected a 64-bit integer, got an object"),
    ];
    for (members, expected) in spans {
        let error = json::to_protobuf(span_json(members).as_bytes()).unwrap_err().to_string();
        assert_eq!(error, format!("resourceSpans[0].scopeSpans[0].spans[0].{expected}"), "{members}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| {
        let value = r#"{"arrayValue":{"values":["#.repeat(levels) + "{}" + &"]}}".repeat(levels);
        json::to_protobuf(span_json(&format!(r#""attributes":[{{"key":"k","value":{value}}}]"#)).as_bytes())
    };
    for levels in [28, 30, 100_000] {
        let json = json::from_protobuf(&nested(levels).unwrap()).unwrap();
        serde_json::from_slice::<serde_json::Value>(&json).unwrap();
    }

    let value = (0..100).fold(oracle_common::AnyValue::default(), |inner, _| oracle_common::AnyValue {
        value: Some(OracleValue::ArrayValue(oracle_common::ArrayValue { values: vec![inner] })),
    });
    let attributes = vec![oracle_common::KeyValue { key: "k".into(), value: Some(value), ..Default::default() }];
    let resource = Some(oracle_resource::Resource { attributes, ..Default::default() });
    let resource_spans = vec![oracle_trace::ResourceSpans { resource, ..Default::default() }];
    let body = OracleRequest { resource_spans }.encode_to_vec();
    let error = json::from_protobuf(&body).unwrap_err().to_string();
    assert!(error.contains("recursion limit reached"), "{error}");
}

#[test]
fn malformed_protobuf_is_an_error() {
    let body = full_request().encode_to_vec();
    for cut in 1..body.len() {
        assert!(json::from_protobuf(&body[..cut]).is_err(), "cut at {cut}");
    }
}

fn any_double() -> impl Strategy<Value = f64> {
    any::<u64>().prop_map(f64::from_bits).prop_filter("NaN is not equal to itself", |double| !double.is_nan())
}

fn any_value() -> impl Strategy<Value = oracle_common::AnyValue> {
    use OracleValue as Value;
    let wrap = |value| oracle_common::AnyValue { value };
    let leaf = prop_oneof![
        Just(None),
        any::<String>().prop_map(|text| Some(Value::StringValue(text))),
        any::<bool>().prop_map(|value| Some(Value::BoolValue(value))),
        any::<i64>().prop_map(|number| Some(Value::IntValue(number))),
        any_double().prop_map(|number| Some(Value::DoubleValue(number))),
        any::<Vec<u8>>().prop_map(|bytes| Some(Value::BytesValue(bytes))),
    ];
    leaf.prop_map(wrap).prop_recursive(4, 16, 4, move |inner| {
        let attribute = (any::<String>(), inner.clone()).prop_map(|(key, value)| oracle_common::KeyValue {
            key,
            value: Some(value),
            ..Default::default()
        });
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(move |values| wrap(Some(Value::ArrayValue(oracle_common::ArrayValue { values })))),
            prop::collection::vec(attribute, 0..4)
                .prop_map(move |values| wrap(Some(Value::KvlistValue(oracle_common::KeyValueList { values })))),
        ]
    })
}

prop_compose! {
    fn any_request()(
        key in any::<String>(), value in any_value(), name in any::<String>(), kind in any::<i32>(),
        flags in any::<u32>(), start in any::<u64>(), end in any::<u64>(), trace in any::<[u8; 16]>(), id in any::<[u8; 8]>(),
        code in any::<i32>(), has_status in any::<bool>(),
    ) -> OracleRequest {
        let span = oracle_trace::Span {
            trace_id: trace.to_vec(), span_id: id.to_vec(), flags, name, kind, start_time_unix_nano: start,
            end_time_unix_nano: end, attributes: vec![oracle_common::KeyValue { key, value: Some(value), ..Default::default() }],
            status: has_status.then(|| oracle_trace::Status { message: String::new(), code }), ..Default::default()
        };
        let scope_spans = vec![oracle_trace::ScopeSpans { spans: vec![span], ..Default::default() }];
        OracleRequest { resource_spans: vec![oracle_trace::ResourceSpans { scope_spans, ..Default::default() }] }
    }
}

proptest! {
    #[test]
    fn any_request_survives_json(request in any_request()) {
        let json = json::from_protobuf(&request.encode_to_vec()).unwrap();
        let back = json::to_protobuf(&json).unwrap();
        prop_assert_eq!(OracleRequest::decode(&back[..]).unwrap(), request);
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in any::<Vec<u8>>()) {
        let _ = json::from_protobuf(&bytes);
        if let Err(error) = json::to_protobuf(&bytes) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }

    /// Bytes overwritten, removed and inserted: a request or an error in one line, and no panic.
    #[test]
    fn damaged_json_does_no_harm(edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, any::<u8>()), 1..8)) {
        let mut body = FULL_JSON.as_bytes().to_vec();
        for (place, edit, byte) in edits {
            let place = place.index(body.len());
            match edit {
                0 => body[place] = byte,
                1 => body.insert(place, byte),
                _ => drop(body.remove(place)),
            }
        }
        match json::to_protobuf(&body) {
            Ok(protobuf) => prop_assert!(OracleRequest::decode(&protobuf[..]).is_ok()),
            Err(error) => prop_assert!(!error.to_string().contains('\n')),
        }
    }

    /// Any value in any member's place: an error names the member, never the value.
    #[test]
    fn errors_never_show_values(member in any::<prop::sample::Index>(), number in any::<bool>()) {
        let members: Vec<_> = FULL_JSON.match_indices("\":").map(|(place, _)| place + 2).collect();
        let place = members[member.index(members.len())];
        let secret = if number { "481516.2342" } else { r#""s3cr3t 481516.2342""# };
        // What stood there becomes an unknown member.
        let body = format!(r#"{}{secret},"displaced":{}"#, &FULL_JSON[..place], &FULL_JSON[place..]);
        if let Err(error) = json::to_protobuf(body.as_bytes()) {
            prop_assert!(!error.to_string().contains("481516"), "{}", error);
        }
    }
}
