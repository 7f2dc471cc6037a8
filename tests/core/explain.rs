//! `explain` over real captures: every attribute that goes out is explained by one that came in, or says why not.

use crate::bodies::capture;
use genspan::config::{Convert, Profile};
use genspan::profiles::write::Keep;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value as Json;

fn explained(body: &[u8], options: &Convert) -> Vec<Json> {
    serde_json::from_slice(&genspan::explain(body, options).unwrap()).unwrap()
}

fn find<'j>(list: &'j Json, key: &str) -> &'j Json {
    let found = list.as_array().unwrap().iter().find(|a| a["key"] == key);
    found.unwrap_or_else(|| panic!("{key} in {list:#}"))
}

#[test]
fn each_attribute_names_its_source_its_convention_and_its_rule() {
    let spans = explained(&capture("langfuse-py-5.0.4.observations-unmarked.pb"), &Convert::default());
    let generation =
        spans.iter().find(|s| s["conventions"].to_string().contains("langfuse") && s["attributes"].to_string().contains("usage")).unwrap();
    let tokens = find(&generation["attributes"], "gen_ai.usage.input_tokens");
    assert_eq!(tokens["from"], "langfuse.observation.usage_details");
    assert_eq!(tokens["convention"], "langfuse");
    assert_eq!(tokens["rule"], "langfuse.observation.usage_details");
    let gone = find(&generation["gone"], "langfuse.observation.usage_details");
    assert!(gone["by"].as_array().unwrap().iter().any(|key| key == "gen_ai.usage.output_tokens"), "{gone}");
}

#[test]
fn an_entry_says_why_and_a_copied_mark_too() {
    let spans = explained(&capture("langfuse-py-5.0.4.langgraph-entry-inherited.pb"), &Convert::default());
    let entries: Vec<_> = spans.iter().filter(|s| s["entry"]["is"] == true).collect();
    assert_eq!(entries.len(), 1);
    assert!(entries[0]["entry"]["why"].as_str().unwrap().contains("no span above it"));
    assert!(spans.iter().any(|s| s["entry"]["why"] == "a span above it carries the mark: this one is a copy"));
}

#[test]
fn every_attribute_in_and_out_is_accounted_for() {
    for entry in std::fs::read_dir(format!("{}/tests/fixtures/captures", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "pb") {
            continue;
        }
        let body = std::fs::read(&path).unwrap();
        for (profile, keep) in [(Profile::Otel, Keep::Unmapped), (Profile::Otel, Keep::None), (Profile::Tencent, Keep::All)] {
            let options = Convert { profile, keep: Some(keep), ..Default::default() };
            let read = |bytes: &[u8]| {
                let request = ExportTraceServiceRequest::decode(bytes).unwrap();
                let scopes = request.resource_spans.into_iter().flat_map(|r| r.scope_spans);
                scopes.flat_map(|s| s.spans).map(|s| s.attributes.into_iter().map(|a| a.key).collect::<Vec<_>>()).collect::<Vec<_>>()
            };
            let (before, after) = (read(&body), read(&genspan::convert(&body, &options).unwrap()));
            let spans = explained(&body, &options);
            assert_eq!(spans.len(), before.len(), "{path:?}");
            for ((span, before), after) in spans.iter().zip(before).zip(after) {
                let keys = |list: &str| -> Vec<String> {
                    let list = span[list].as_array().into_iter().flatten();
                    list.map(|a| a["key"].as_str().unwrap().to_owned()).collect()
                };
                if span.get("attributes").is_none() {
                    assert_eq!(before, after, "{path:?} {span}");
                    continue;
                }
                assert_eq!(keys("attributes"), after, "{path:?} {span}");
                let lost: Vec<_> = before.iter().filter(|key| !after.contains(key)).cloned().collect();
                assert_eq!(keys("gone"), lost, "{path:?} {span}");
                for attribute in span["attributes"].as_array().unwrap() {
                    let reasons = ["from", "how", "kept"].iter().filter(|name| attribute.get(**name).is_some()).count();
                    assert!(reasons > 0, "{path:?} {attribute}");
                }
            }
        }
    }
}

#[test]
fn a_guess_is_marked_as_one() {
    let body = capture("openinference-openai-py-0.1.66.chat-embed-error.pb");
    let spans = explained(&body, &Convert::default());
    let provider = find(&spans[0]["attributes"], "gen_ai.provider.name");
    assert!(provider.get("from").is_some(), "told by llm.system: {provider}");
    let json = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"x",
        "attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.request.model","value":{"stringValue":"claude-x"}}]}]}]}]}"#;
    let spans = explained(json.as_bytes(), &Convert::default());
    let provider = find(&spans[0]["attributes"], "gen_ai.provider.name");
    assert_eq!(provider["how"], "guessed from the server's address or the model's name");
}
