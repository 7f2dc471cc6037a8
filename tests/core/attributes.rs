//! Any attributes that sources may write, with any values: no panic, and what goes out decodes and is JSON where it says so.

use genspan::internals::config::{Convert, Format, Profile};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span::Event};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use prost::Message;

/// Every key of the tables, its patterns filled in.
fn keys() -> Vec<String> {
    let table = include_str!("../fixtures/conventions/mapping.csv");
    let column = table.lines().skip(1).filter_map(|line| line.split(',').nth(1));
    let mut keys: Vec<_> = column
        .map(|key| {
            let key = key.trim_start_matches("event:").split([' ', '=', '"']).find(|part| !part.is_empty()).unwrap_or_default();
            key.replace("{i}", "0").replace("{j}", "1").replace("{k}", "0").replace('*', "x")
        })
        .filter(|key| !key.is_empty())
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// JSON of the shapes that sources write, whole, cut off, nested in text, or not JSON at all.
fn texts() -> impl Strategy<Value = String> {
    let word = select(vec![
        "user",
        "assistant",
        "tool",
        "system",
        "role",
        "content",
        "parts",
        "type",
        "text",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "id",
        "messages",
        "input",
        "output",
        "usage",
        "total",
        "data",
        "image",
        "url",
        "choices",
        "message",
        "深圳",
        "\\u6df1",
        "\\ud83d",
        "\"",
        "\\",
        "\n",
    ]);
    let leaf = prop_oneof![
        word.clone().prop_map(|w| serde_json::Value::from(w).to_string()),
        any::<i32>().prop_map(|n| n.to_string()),
        any::<f32>().prop_filter("JSON has no NaN", |n| n.is_finite()).prop_map(|n| n.to_string()),
        Just("null".to_owned()),
        Just("true".to_owned()),
    ];
    let json = leaf.prop_recursive(5, 40, 5, move |inner| {
        let member = (word.clone(), inner.clone()).prop_map(|(k, v)| format!("{}:{v}", serde_json::Value::from(k)));
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
            inner.prop_map(|text| serde_json::Value::from(text).to_string()),
        ]
    });
    prop_oneof![
        6 => json.clone(),
        1 => (json, any::<prop::sample::Index>()).prop_map(|(text, at)| {
            let mut at = at.index(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            text[..at].to_owned()
        }),
        1 => ".{0,40}",
        1 => select(vec!["true", "1", "inf", "N/A", "chat", "AGENT", "tool", "ERROR", "2026-11-24T00:15:39Z", "{'a': None}", "-", "1e999"]).prop_map(str::to_owned),
    ]
}

fn values() -> impl Strategy<Value = Option<AnyValue>> {
    let value = prop_oneof![
        6 => texts().prop_map(Value::StringValue),
        1 => any::<i64>().prop_map(Value::IntValue),
        1 => any::<f64>().prop_map(Value::DoubleValue),
        1 => any::<bool>().prop_map(Value::BoolValue),
        1 => vec(texts(), 0..3).prop_map(|texts| Value::ArrayValue(ArrayValue {
            values: texts.into_iter().map(|t| AnyValue { value: Some(Value::StringValue(t)) }).collect()
        })),
    ];
    proptest::option::weighted(0.97, value.prop_map(|value| AnyValue { value: Some(value) }))
}

fn attributes(size: std::ops::Range<usize>) -> impl Strategy<Value = Vec<KeyValue>> {
    vec((select(keys()), values()), size)
        .prop_map(|list| list.into_iter().map(|(key, value)| KeyValue { key, value, ..Default::default() }).collect())
}

/// The keys that promise JSON in profile `otel`, whatever the source wrote.
const JSON_KEYS: [&str; 4] = ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions", "gen_ai.retrieval.documents"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn any_attributes_do_no_harm(
        attributes in attributes(0..12),
        events in vec((select(keys()), self::attributes(0..4)), 0..3),
        scope in select(vec!["langfuse-sdk", "ai", "app", "openinference.instrumentation.x", "litellm", "langsmith"]),
        name in select(vec!["chat gpt", "ai.generateText", "POST /", "tool", ""]),
    ) {
        let said = |key: &str| attributes.iter().any(|a| a.key == key);
        let own: Vec<_> = JSON_KEYS.into_iter().filter(|key| said(key)).collect();
        let events = events.into_iter().map(|(name, attributes)| Event { name, attributes, time_unix_nano: 5, ..Default::default() }).collect();
        let span = Span {
            trace_id: vec![1; 16], span_id: vec![2; 8], name: name.into(), start_time_unix_nano: 1, attributes, events, ..Default::default()
        };
        let scope = Some(InstrumentationScope { name: scope.into(), ..Default::default() });
        let scope_spans = vec![ScopeSpans { scope, spans: vec![span], ..Default::default() }];
        let body = ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }.encode_to_vec();
        for profile in [Profile::OTEL, Profile::OTEL_1_41, Profile::TENCENT, Profile::TENCENT_CLS, Profile::LANGFUSE, Profile::OPENINFERENCE] {
            let options = Convert { profile, from: Format::Protobuf, ..Default::default() };
            let explained: serde_json::Value = serde_json::from_slice(&genspan::explain(&body, &options).unwrap()).unwrap();
            let out = genspan::convert(&body, &options).unwrap();
            let out = ExportTraceServiceRequest::decode(&out[..]).unwrap();
            let attributes = &out.resource_spans[0].scope_spans[0].spans[0].attributes;
            // Nothing of the source is lost unless a rule says so.
            let has_value = |a: &KeyValue| a.value.as_ref().is_some_and(|value| value.value.is_some());
            for source in source_attributes(&body).iter().filter(|source| has_value(source) && attributes.iter().all(|a| a.key != source.key)) {
                let gone = explained[0]["gone"].as_array().and_then(|gone| gone.iter().find(|gone| gone["key"] == source.key.as_str()));
                prop_assert!(gone.is_some_and(|gone| gone["why"].is_string() && (gone["rule"].is_string() || !gone["by"].as_array().unwrap().is_empty())), "{profile:?}: {} is lost: {gone:?}", source.key);
            }
            for attribute in attributes {
                let Some(Value::StringValue(text)) = attribute.value.as_ref().and_then(|v| v.value.as_ref()) else { continue };
                // What the source wrote under such a key itself, and what could not be read, stays as it is.
                if profile == Profile::OTEL && JSON_KEYS.contains(&&attribute.key[..]) && !own.contains(&&attribute.key[..]) {
                    prop_assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{} is no JSON: {text}", attribute.key);
                }
            }
            let keys: std::collections::BTreeSet<_> = attributes.iter().map(|attribute| &attribute.key).collect();
            prop_assert_eq!(keys.len(), attributes.len(), "a key is written twice: {:?}", attributes);
        }
    }
}

/// Of a key that occurs again the last value counts.
fn source_attributes(body: &[u8]) -> Vec<KeyValue> {
    let mut all =
        ExportTraceServiceRequest::decode(body).unwrap().resource_spans.remove(0).scope_spans.remove(0).spans.remove(0).attributes;
    let keys: Vec<_> = all.iter().map(|attribute| attribute.key.clone()).collect();
    let mut at = 0;
    all.retain(|attribute| {
        at += 1;
        !keys[at..].contains(&attribute.key)
    });
    all
}
