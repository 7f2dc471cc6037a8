//! Conventions that the user declares: what keys of his own mean.

use crate::body::{attributes, request, spans};
use crate::frames::FrameWriter;
use genspan::internals::config::{Config, Convert, Format, Profile};
use genspan::{Pipeline, convert, explain};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde_json::{Value as Json, json};

const MAPPINGS: &str = r#"[
    {"scope": "my.*", "values": {"LLM_CALL": "chat", "TOOL": "execute_tool"}, "keys": {
        "my.step": "operation", "my.model": "request.model", "my.prompt": {"to": "input.messages"}, "my.answer": "output.messages",
        "my.in": "usage.input", "my.out": "usage.output", "my.cost": "cost.total",
        "my.vendor": {"to": "provider", "values": {"acme-gpt": "openai"}}, "my.chat": "session.id"}},
    {"keys": {"any.tool": "tool.name", "any.args": "tool.call.arguments"}}
]"#;

fn options(profile: &str) -> Convert {
    Convert::from_json(&format!(r#"{{"profile":"{profile}","to":"protobuf","mappings":{MAPPINGS}}}"#)).unwrap()
}

fn call() -> Json {
    json!({
        "my.step": "LLM_CALL", "my.model": "m-1", "my.prompt": "Hi", "my.answer": r#"{"role":"assistant","content":"Fine."}"#,
        "my.in": "12", "my.out": 3, "my.cost": "0.25", "my.vendor": "acme-gpt", "my.chat": "s-1", "my.note": "stays",
    })
}

fn expected() -> Json {
    json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m-1",
        "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 3, "gen_ai.usage.cost": 0.25,
        "gen_ai.input.messages": r#"[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]"#,
        "gen_ai.output.messages": r#"[{"role":"assistant","parts":[{"type":"text","content":"Fine."}]}]"#,
        "session.id": "s-1", "my.note": "stays", "gen_ai.is_entry": true,
    })
}

#[test]
fn own_keys_are_read_in_the_scopes_that_they_are_declared_for() {
    let out = |scope: &str, source: &Json| json!(attributes(&spans(&convert(&request(scope, "x", source), &options("otel")).unwrap())[0]));
    assert_eq!(out("my.agent", &call()), expected());
    assert_eq!(out("other", &call()), call());
    // A span of the scope that has none of the keys is left as it is.
    let http = json!({"http.route": "/a"});
    assert_eq!(out("my.agent", &http), http);
    // Without a scope they hold in all.
    let tool = json!({"any.tool": "f", "any.args": r#"{"a": 1}"#});
    for scope in ["other", "my.agent"] {
        let of_tool = json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "f", "gen_ai.tool.call.arguments": r#"{"a":1}"#, "gen_ai.is_entry": true});
        assert_eq!(out(scope, &tool), of_tool);
    }
    // What OTel's newest keys say already stays.
    let both = json!({"gen_ai.request.model": "m-2", "my.model": "m-1", "my.step": "LLM_CALL"});
    assert_eq!(out("my.agent", &both)["gen_ai.request.model"], "m-2");
}

#[test]
fn a_pipeline_reads_them_too_by_frames_and_bodies_and_without_a_dictionary() {
    for max_keys in [4_096, 0] {
        let config = format!(r#"{{"destinations":[{{"profile":"otel"}}],"maxKeys":{max_keys},"mappings":{MAPPINGS}}}"#);
        let mut pipeline = Pipeline::new(&Config::from_json(&config).unwrap(), 1).unwrap();
        let wanted: Vec<_> = pipeline.wanted().into_iter().map(str::to_owned).collect();
        assert!(wanted.iter().any(|key| key == "my.step") && wanted.iter().any(|key| key == "my.chat"), "{wanted:?}");
        let body = request("my.agent", "x", &call());
        let plain = convert(&body, &Convert { to: Format::Protobuf, profile: Profile::OTEL, ..Convert::default() }).unwrap();
        let span = spans(&plain)[0].clone();
        let mut w = FrameWriter::new(&mut pipeline);
        let (resource, scope) =
            (w.resource(&Resource::default()), w.scope(&InstrumentationScope { name: "my.agent".into(), ..Default::default() }));
        let record = w.span(&span, scope, resource);
        w.0.end(&record, 0, 0.0).unwrap();
        w.0.flush(0.0);
        let mut of_body = Pipeline::new(&Config::from_json(&config).unwrap(), 1).unwrap();
        of_body.ingest(&plain, None, 0.0).unwrap();
        of_body.flush(0.0);
        for pipeline in [&mut pipeline, &mut of_body] {
            let (_, request) = pipeline.poll(0.0).unwrap();
            assert_eq!(json!(attributes(&spans(request.body)[0])), expected(), "maxKeys {max_keys}");
        }
    }
}

#[test]
fn explain_names_the_mapping() {
    let explained: Json = serde_json::from_slice(&explain(&request("my.agent", "x", &call()), &options("langfuse")).unwrap()).unwrap();
    assert_eq!(explained[0]["conventions"], json!(["mappings[0]"]));
    let of = |list: &str, key: &str| explained[0][list].as_array().unwrap().iter().find(|a| a["key"] == key).unwrap().clone();
    let model = of("attributes", "langfuse.observation.model.name");
    assert_eq!((&model["from"], &model["convention"], &model["rule"]), (&json!("my.model"), &json!("mappings[0]"), &json!("my.model")));
    assert_eq!(of("gone", "my.prompt")["why"], "said by others");
}

#[test]
fn a_mapping_that_cannot_hold_is_refused_with_its_place() {
    for (mappings, message) in [
        (
            r#"[{"keys":{"my.model":"request.modl"}}]"#,
            r#"mappings[0].keys.my.model: "request.modl" is not a field; did you mean request.model?"#,
        ),
        (
            r#"[{"keys":{"a":"usage.input"}},{"keys":{"my.*":"request.model"}}]"#,
            r#"mappings[1].keys: "my.*" is not a key; write each key out"#,
        ),
        (r#"[{"scope":"x"}]"#, r#"mappings[0]: has no keys; use {"keys": {"my.model": "request.model"}}"#),
        (r#"[{"keys":{"a":{"to":"input.messages","vals":{}}}}]"#, "mappings[0].keys.a.vals: is not an option; did you mean values?"),
        (r#"[{"keys":{"a":1}}]"#, r#"mappings[0].keys.a: is a number; use the name of a field, or {"to": …}"#),
        (r#"[{"keys":{"a":"usage"},"scopes":"x"}]"#, "mappings[0].scopes: is not an option; did you mean scope?"),
        (r#"{"keys":{}}"#, "mappings: is an object; use a list"),
    ] {
        for wrong in [
            Convert::from_json(&format!(r#"{{"mappings":{mappings}}}"#)).unwrap_err().to_string(),
            Config::from_json(&format!(r#"{{"mappings":{mappings}}}"#)).unwrap_err().to_string(),
        ] {
            assert_eq!(wrong, message);
        }
    }
    let many = [r#"{"keys":{"a":"usage"}}"#; 9].join(",");
    let wrong = Config::from_json(&format!(r#"{{"mappings":[{many}]}}"#)).unwrap_err().to_string();
    assert_eq!(wrong, "mappings: has 9 entries; use at most 8");
}
