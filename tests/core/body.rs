//! Bodies for the tests: made of one span, converted, taken apart.

use crate::bodies::plain;
pub use crate::bodies::spans;
use genspan::internals::config::{Convert, Format, Profile};
use genspan::internals::profiles::write::Keep;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// The paths of all captured bodies.
pub fn captures() -> Vec<std::path::PathBuf> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/captures");
    let files = [root.to_owned(), format!("{root}/more")].map(|folder| std::fs::read_dir(folder).unwrap());
    let all: Vec<_> =
        files.into_iter().flatten().map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "pb")).collect();
    assert!(all.len() > 100, "{} captures", all.len());
    all
}

pub fn convert(body: &[u8], profile: Profile, keep: Option<Keep>) -> Vec<u8> {
    let options = Convert { profile, keep, to: Format::Protobuf, inherit_session: false, ..Convert::default() };
    genspan::convert(body, &options).unwrap()
}

pub fn attributes(span: &Span) -> BTreeMap<String, Json> {
    let all: BTreeMap<_, _> = span.attributes.iter().map(|a| (a.key.clone(), plain(a.value.as_ref()))).collect();
    assert_eq!(all.len(), span.attributes.len(), "{}: a key twice", span.name);
    all
}

/// A request with one span, its attributes as they are given: text, numbers, booleans and lists of text.
pub fn request(scope: &str, name: &str, attributes: &Json) -> Vec<u8> {
    let value = |value: &Json| match value {
        Json::String(text) => json!({"stringValue": text}),
        Json::Bool(bool) => json!({"boolValue": bool}),
        Json::Number(number) if number.is_i64() => json!({"intValue": number.to_string()}),
        Json::Number(number) => json!({"doubleValue": number}),
        Json::Array(items) => json!({"arrayValue": {"values": items.iter().map(|item| json!({"stringValue": item})).collect::<Vec<_>>()}}),
        other => panic!("{other}"),
    };
    let attributes: Vec<_> = attributes.as_object().unwrap().iter().map(|(key, v)| json!({"key": key, "value": value(v)})).collect();
    let span = json!({
        "traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060708", "name": name, "kind": 3,
        "startTimeUnixNano": "1795479339000000000", "endTimeUnixNano": "1795479340000000000", "attributes": attributes,
    });
    json!({"resourceSpans": [{"scopeSpans": [{"scope": {"name": scope}, "spans": [span]}]}]}).to_string().into_bytes()
}
