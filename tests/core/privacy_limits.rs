//! Media and sizes: what is large is described or cut, and what is cut still reads.

use crate::privacy::{any_value, attribute, body, converted, decoded, span, string, text};
use genspan::internals::config::Convert;
use genspan::internals::privacy::{HookFailed, Hooks};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{ArrayValue, any_value::Value};
use proptest::prelude::*;
use prost::Message;

/// `hello` in base64, and its SHA-256 as `sha256sum` gives it.
const HELLO: (&str, &str) = ("aGVsbG8=", "[image/png 5 B sha256:2cf24dba5fb0a30e…]");

#[test]
fn media_of_messages_are_described() {
    let (base64, descriptor) = HELLO;
    let input = format!(
        r#"[{{"role":"user","content":[{{"type":"text","text":"what is it?"}},{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{base64}"}}}}]}}]"#
    );
    let source = span(
        "llm",
        vec![
            text("langfuse.observation.type", "generation"),
            text("langfuse.observation.input", &input),
            text("my.note", &format!("see data:image/png;base64,{base64}, or data:audio/wav;base64,{base64}")),
            text("my.part", &format!(r#"{{"inlineData":{{"mimeType":"image/png","data":"{}"}}}}"#, "AAAA".repeat(8))),
        ],
    );
    let out = converted("langfuse-sdk", &source, r#"{"keep":"all","privacy":{"media":"describe"}}"#);
    assert_eq!(
        string(&out, "gen_ai.input.messages").unwrap(),
        format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"what is it?"}},{{"type":"text","content":"{descriptor}"}}]}}]"#)
    );
    assert_eq!(string(&out, "langfuse.observation.input").unwrap(), input.replace(&format!("data:image/png;base64,{base64}"), descriptor));
    assert_eq!(string(&out, "my.note").unwrap(), format!("see {descriptor}, or {}", descriptor.replace("image/png", "audio/wav")));
    let part = string(&out, "my.part").unwrap();
    assert!(part.starts_with(r#"{"inlineData":{"mimeType":"image/png","data":"[image/png 24 B sha256:"#), "{part}");
    // Small ones stay unless one asks.
    let out = converted("langfuse-sdk", &source, "{}");
    assert!(string(&out, "gen_ai.input.messages").unwrap().contains(base64));
    // And large ones too, on demand.
    let large = span("chat", vec![text("gen_ai.operation.name", "chat"), text("note", &format!("data:a/b;base64,{}", "A".repeat(6144)))]);
    assert!(string(&converted("app", &large, "{}"), "note").unwrap().starts_with("[a/b 5 KB sha256:"));
    assert_eq!(string(&converted("app", &large, r#"{"privacy":{"media":"keep"}}"#), "note").unwrap().len(), 6144 + 16);
}

#[test]
fn a_large_blob_is_found_beside_its_type() {
    let parts = format!(r#"[{{"content":"{}","type":"blob","mime_type":"audio/mp3"}}]"#, "AAAA".repeat(2048));
    let source = span(
        "chat",
        vec![text("gen_ai.operation.name", "chat"), text("gen_ai.input.messages", &format!(r#"[{{"role":"user","parts":{parts}}}]"#))],
    );
    let out = converted("app", &source, "{}");
    let messages: serde_json::Value = serde_json::from_str(string(&out, "gen_ai.input.messages").unwrap()).unwrap();
    let part = &messages[0]["parts"][0];
    assert_eq!(part["type"], "text");
    assert!(part["content"].as_str().unwrap().starts_with("[audio/mp3 6 KB sha256:"), "{part}");
}

#[test]
fn hooks_see_content_only_and_fail_closed() {
    let source = span(
        "chat",
        vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.request.model", "gpt"),
            text("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"one"},{"type":"text","content":"two"}]}]"#),
            text("note", "data:a/b;base64,aGVsbG8="),
        ],
    );
    let options = Convert::from_json(r#"{"from":"protobuf","privacy":{"media":"describe"}}"#).unwrap();
    let hooks = Hooks {
        mask: Some(Box::new(|text, key| if text == "two" { Err(HookFailed) } else { Ok(format!("{key}:{}", text.to_uppercase())) })),
        on_media: Some(Box::new(|media| Ok(format!("{} {}", media.media_type, media.base64)))),
    };
    let out = decoded(&genspan::convert_with(&body("app", &source), &options, &hooks).unwrap().body);
    assert_eq!(
        string(&out, "gen_ai.input.messages").unwrap(),
        r#"[{"role":"user","parts":[{"type":"text","content":"gen_ai.input.messages:ONE"},{"type":"text","content":"<masked: the hook failed>"}]}]"#
    );
    assert_eq!(string(&out, "note"), Some("note:A/B AGVSBG8="));
    assert_eq!(string(&out, "gen_ai.request.model"), Some("gpt"));
    let hooks = Hooks { mask: None, on_media: Some(Box::new(|_| Err(HookFailed))) };
    let out = decoded(&genspan::convert_with(&body("app", &source), &options, &hooks).unwrap().body);
    assert_eq!(string(&out, "note"), Some("<masked: the hook failed>"));
}

#[test]
fn a_value_is_cut_to_its_limit_and_messages_still_read() {
    let messages = format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"{}"}}]}}]"#, "深圳".repeat(100));
    let texts = ArrayValue { values: vec![any_value(Value::StringValue("x".repeat(300))), any_value(Value::StringValue("short".into()))] };
    let source = span(
        "chat",
        vec![text("gen_ai.operation.name", "chat"), text("gen_ai.input.messages", &messages), attribute("list", Value::ArrayValue(texts))],
    );
    let out = converted("app", &source, r#"{"privacy":{"maxAttributeBytes":200}}"#);
    // 56 bytes around the content, 24 for the note: 120 of 600 bytes are left, 40 characters.
    assert_eq!(
        string(&out, "gen_ai.input.messages").unwrap(),
        format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"{}…[truncated 480 bytes]"}}]}}]"#, "深圳".repeat(20))
    );
    let list = out.attributes.iter().find(|a| a.key == "list").unwrap();
    let expected = ["x".repeat(171) + "…[truncated 129 bytes]", "short".to_owned()];
    let expected = ArrayValue { values: expected.map(|text| any_value(Value::StringValue(text))).to_vec() };
    assert_eq!(list.value, Some(any_value(Value::ArrayValue(expected))));
}

#[test]
fn a_span_is_made_to_fit_by_its_largest_content() {
    let source = span(
        "chat",
        vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.request.model", &"m".repeat(500)),
            text("first", &"a".repeat(5000)),
            text("second", &"b".repeat(800)),
            text("third", &"c".repeat(3000)),
        ],
    );
    let out = converted("app", &source, r#"{"privacy":{"maxSpanBytes":4096}}"#);
    assert!(out.encoded_len() <= 4096 && out.encoded_len() > 4000, "{}", out.encoded_len());
    assert_eq!(string(&out, "gen_ai.request.model").unwrap().len(), 500);
    assert_eq!(string(&out, "second").unwrap().len(), 800);
    let (first, third) = (string(&out, "first").unwrap(), string(&out, "third").unwrap());
    assert_eq!(first.len(), third.len());
    assert!(first.ends_with(" bytes]") && third.ends_with(" bytes]"));
    let http = span("GET /", vec![text("http.body", &"x".repeat(5000))]);
    assert!(converted("http", &http, r#"{"privacy":{"maxSpanBytes":2048}}"#).encoded_len() <= 2048);
}

#[test]
fn what_real_sdks_wrote_still_reads_after_all_of_it() {
    let folder = format!("{}/tests/fixtures/captures", env!("CARGO_MANIFEST_DIR"));
    let files = ["", "/more"].map(|sub| std::fs::read_dir(format!("{folder}{sub}")).unwrap());
    let mut seen = 0;
    for path in files.into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let body = std::fs::read(&path).unwrap();
        for (profile, privacy) in [
            (
                "otel",
                r#"{"mask":[{"detect":["email","phone","card","key"]},{"pattern":"[0-9]+"}],"media":"describe","maxAttributeBytes":128}"#,
            ),
            ("tencent", r#"{"captureContent":false,"maxSpanBytes":1024}"#),
        ] {
            let options = format!(r#"{{"profile":"{profile}","keep":"all","to":"protobuf","privacy":{privacy}}}"#);
            let out = genspan::convert(&body, &Convert::from_json(&options).unwrap()).unwrap();
            let out = ExportTraceServiceRequest::decode(&out[..]).unwrap();
            for span in out.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans) {
                seen += 1;
                for key in ["gen_ai.input.messages", "gen_ai.output.messages"] {
                    let Some(messages) = string(span, key) else { continue };
                    assert_eq!(profile, "otel", "{path:?}: {messages}");
                    assert!(serde_json::from_str::<serde_json::Value>(messages).is_ok() && messages.len() <= 128, "{path:?}: {messages}");
                }
            }
        }
    }
    assert!(seen > 500, "{seen}");
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
        "[a-z]{0,8}@[a-z]{1,8}\\.com".prop_map(Value::from),
        Just(Value::from("data:a/b;base64,aGVsbG8=")),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((".{0,9}", inner.clone()), 0..5).prop_map(|m| Value::Object(m.into_iter().collect())),
            inner.prop_map(|nested| Value::from(nested.to_string())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_is_masked_and_cut_decodes_and_json_stays_json(values in proptest::collection::vec(json(), 1..5), most in 64usize..400) {
        let mut source = span("chat", vec![text("gen_ai.operation.name", "chat")]);
        source.attributes.extend(values.iter().enumerate().map(|(i, value)| text(&format!("note.{i}"), &value.to_string())));
        let options = format!(
            r#"{{"privacy":{{"mask":[{{"detect":["email","phone","card","key"]}},{{"pattern":"[a-m]"}}],"media":"describe","maxAttributeBytes":{most},"maxSpanBytes":1024}}}}"#
        );
        let out = converted("app", &source, &options);
        for (i, value) in values.iter().enumerate().filter(|(_, value)| value.is_object() || value.is_array()) {
            let said = string(&out, &format!("note.{i}")).unwrap();
            prop_assert!(said.len() <= most, "{}", said.len());
            prop_assert!(serde_json::from_str::<serde_json::Value>(said).is_ok(), "{value} is {said}");
            prop_assert!(!said.contains(".com") && !said.contains("aGVsbG8="), "{said}");
        }
    }
}
