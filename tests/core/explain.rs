//! `explain` over real captures: every attribute that goes out is explained by one that came in, or says why not.

use crate::bodies::capture;
use genspan::internals::config::{Convert, Format, Profile};
use genspan::internals::profiles::write::Keep;
use genspan::transcode;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

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
    assert_eq!(entries[0]["entry"]["code"], "marked");
    let copies: Vec<_> = spans.iter().filter(|s| s["entry"]["code"] == "copied_mark").collect();
    assert!(copies.iter().any(|s| s["entry"]["why"] == "a span above it carries the mark: this one is a copy"));
    let is_mark = |a: &&Json| a["mark"] == true;
    let marks: Vec<_> = entries[0]["attributes"].as_array().unwrap().iter().filter(is_mark).map(|a| &a["key"]).collect();
    assert_eq!(marks, ["gen_ai.is_entry"]);
}

#[test]
fn every_attribute_in_and_out_is_accounted_for() {
    for entry in std::fs::read_dir(format!("{}/tests/fixtures/captures", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "pb") {
            continue;
        }
        let body = std::fs::read(&path).unwrap();
        for (profile, keep) in [(Profile::OTEL, Keep::Unmapped), (Profile::OTEL, Keep::None), (Profile::TENCENT, Keep::All)] {
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

/// What becomes of one attribute that is gone.
fn gone(scope: &str, attributes: Json, key: &str, profile: Profile) -> Json {
    let body = crate::body::request(scope, "x", &attributes);
    let spans = explained(&body, &Convert { profile, ..Default::default() });
    find(&spans[0]["gone"], key).clone()
}

#[test]
fn a_value_that_is_nowhere_in_what_goes_out_is_named() {
    let llm = "OpenInference";
    let message = |rest: Json| {
        let mut all = json!({"openinference.span.kind": "LLM", "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "Hello"});
        all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        all
    };
    // A member of a message that has no field stays on the message: OTel's schema allows further members.
    let attributes = message(json!({"llm.input_messages.0.message.channel": "telegram-17"}));
    let lost = gone(llm, attributes.clone(), "llm.input_messages.0.message.channel", Profile::OTEL);
    assert_eq!((&lost["why"], &lost["by"]), (&"said by others".into(), &json!(["gen_ai.input.messages"])));
    for key in ["llm.input_messages.0.message.content", "llm.input_messages.0.message.role"] {
        let said = gone(llm, attributes.clone(), key, Profile::OTEL);
        assert_eq!((&said["why"], &said["by"]), (&"said by others".into(), &json!(["gen_ai.input.messages"])), "{key}");
    }
    // An answer of which the messages say a part, and the usage.
    let answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "citations": ["https://example.org/source"], "usage": {"prompt_tokens": 10, "completion_tokens": 2},
        "choices": [{"index": 0, "finish_reason": "stop", "logprobs": {"content": [{"token": "Fi-tok"}]}, "message": {"role": "assistant", "content": "Fine."}}],
    });
    let attributes = json!({"openinference.span.kind": "LLM", "output.value": answer.to_string()});
    let spans = explained(&crate::body::request(llm, "x", &attributes), &Convert::default());
    let kept = find(&spans[0]["attributes"], "output.value");
    assert_eq!(kept["kept"], "others say a part of it", "{kept}");
    let missing: BTreeSet<_> = kept["missing"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    assert_eq!(missing, BTreeSet::from(["choices.0.logprobs.content.0.token", "citations.0"]), "{kept}");
    // Where each of the others went.
    for (path, key) in [("id", "gen_ai.response.id"), ("usage.prompt_tokens", "gen_ai.usage.input_tokens")] {
        assert!(kept["members"].as_array().unwrap().contains(&json!({"path": path, "in": key})), "{kept}");
    }
    // Fields that this profile says among the metadata and the parameters.
    let metadata = r#"{"openai":{"responseId":"resp-1","serviceTier":"priority"}}"#;
    let attributes = json!({"ai.operationId": "ai.generateText.doGenerate", "ai.model.id": "m", "ai.response.providerMetadata": metadata});
    let spans = explained(&crate::body::request("ai", "x", &attributes), &Convert { profile: Profile::LANGFUSE, ..Default::default() });
    let lost = spans[0]["gone"].as_array().unwrap().iter().find(|gone| gone["key"] == "ai.response.providerMetadata");
    let said: BTreeSet<_> = lost.unwrap()["members"].as_array().unwrap().iter().map(|member| member["in"].as_str().unwrap()).collect();
    assert_eq!(said, BTreeSet::from(["langfuse.observation.metadata.response_id", "langfuse.observation.model.parameters"]));
}

#[test]
fn a_reason_is_the_one_that_holds() {
    let why = |scope: &str, attributes: Json, key: &str| gone(scope, attributes, key, Profile::OTEL)["why"].clone();
    let generation = |rest: Json| {
        let mut all = json!({"langfuse.observation.type": "generation", "langfuse.observation.model.name": "m"});
        all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        all
    };
    let lf = "langfuse-sdk";
    // What counts is made inclusive, and said.
    let usage = generation(json!({"langfuse.observation.usage_details": r#"{"input":25,"input_cache_read":32,"output":9,"total":66}"#}));
    assert_eq!(why(lf, usage, "langfuse.observation.usage_details"), "said by others");
    let messages = generation(
        json!({"langfuse.observation.input": r#"[{"role":"user","content":"Hi"},{"role":"ai","content":"","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}]}]"#}),
    );
    assert_eq!(why(lf, messages, "langfuse.observation.input"), "said by others");
    assert_eq!(
        why(lf, generation(json!({"langfuse.observation.level": "ERROR"})), "langfuse.observation.level"),
        "the status of the span says it"
    );
    assert_eq!(
        why(
            lf,
            generation(json!({"langfuse.observation.metadata.gen_ai.is_entry": true})),
            "langfuse.observation.metadata.gen_ai.is_entry"
        ),
        "a mark of the entry, which was read"
    );
    let spelled = json!({"gen_ai.provider.name": "openai", "gen_ai.system": "OpenAI", "gen_ai.operation.name": "chat"});
    assert_eq!(why("x", spelled, "gen_ai.system"), "said by others");
    assert_eq!(
        why("x", json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "none"}), "gen_ai.request.model"),
        "a placeholder, which says nothing"
    );
    let vector = json!({"ai.operationId": "ai.embed.doEmbed", "ai.model.id": "m", "ai.embeddings": ["[0.1,0.2,0.3]"]});
    assert_eq!(why("ai", vector, "ai.embeddings"), "a vector: its length is sent, not its numbers");
    assert_eq!(
        why("x", json!({"openinference.span.kind": "LLM", "llm.model_name": "m", "input.mime_type": "text/plain"}), "input.mime_type"),
        "left out: the tables have it for nothing more"
    );
    // What stays though a field was made of it is not what no attribute says.
    let cost = generation(json!({"langfuse.observation.cost_details": r#"{"total":0.5,"mine":0.25}"#}));
    let spans = explained(&crate::body::request(lf, "x", &cost), &Convert::default());
    assert_eq!(find(&spans[0]["attributes"], "langfuse.observation.cost_details")["kept"], "others say a part of it");
}

#[test]
fn what_is_said_by_others_is_in_them() {
    for path in crate::body::captures() {
        let body = std::fs::read(&path).unwrap();
        for profile in [Profile::OTEL, Profile::TENCENT, Profile::LANGFUSE, Profile::OPENINFERENCE] {
            let options = Convert { profile, keep: Some(Keep::Unmapped), ..Default::default() };
            for span in explained(&body, &options) {
                for gone in span["gone"].as_array().into_iter().flatten().filter(|gone| gone["why"] == "said by others") {
                    let by = gone["by"].as_array().unwrap();
                    assert!(
                        !by.is_empty() && by.iter().all(|key| find(&span["attributes"], key.as_str().unwrap()).is_object()),
                        "{path:?} {gone}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_body_in_another_encoding_has_the_same_spans_and_is_not_normalised() {
    let body = capture("langfuse-py-5.0.4.langgraph-entry-inherited.pb");
    let json = transcode(&body, Format::Json).unwrap();
    let text = std::str::from_utf8(&json).unwrap();
    assert!(text.contains("langfuse.observation.usage_details") && !text.contains("gen_ai.usage.input_tokens"));
    let back = transcode(&json, Format::Protobuf).unwrap();
    let decode = |body: &[u8]| ExportTraceServiceRequest::decode(body).unwrap();
    assert_eq!(decode(&back), decode(&body));
    assert_eq!((transcode(&body, Format::Protobuf).unwrap(), transcode(&json, Format::Json).unwrap()), (body, json));
    assert!(transcode(b"{\"resourceSpans\": 1}", Format::Protobuf).unwrap_err().to_string().contains("resourceSpans"));
}
