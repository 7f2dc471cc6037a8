//! Nothing is consumed whole: an attribute that holds an object or a list goes only if each member of it goes out elsewhere. Held for every row of
//! the tables that takes such a value, with a member that nobody knows put in at every level, in each profile.

// README promise: "Nothing is lost that can be kept, and nothing silently"

use crate::body::spans;
use genspan::internals::config::{Convert, Format, Profile};
use genspan::internals::conventions::{ALL, Convention, Rule, SPAN_NAME, To};
use genspan::internals::genai::{Field, Flat, Type};
use prost::Message;
use serde_json::{Value as Json, json};

const PROFILES: [Profile; 6] =
    [Profile::OTEL, Profile::OTEL_1_41, Profile::TENCENT, Profile::TENCENT_CLS, Profile::LANGFUSE, Profile::OPENINFERENCE];

fn answer() -> Json {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {
            "role": "assistant", "content": [{"type": "text", "text": "Fine."}],
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}],
        }}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}},
    })
}

fn request() -> Json {
    json!({
        "model": "gpt-4o", "temperature": 0.5,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
    })
}

fn messages(role: &str) -> Json {
    json!([{"role": role, "content": [{"type": "text", "text": "Hi"}]}])
}

fn parts(role: &str) -> Json {
    json!([{"role": role, "parts": [{"type": "text", "content": "Hi"}, {"type": "tool_call", "id": "c1", "name": "f", "arguments": {"a": 1}}]}])
}

/// Values that a row may take, each in some shape that sources write.
fn samples(to: To) -> Vec<Json> {
    match to {
        To::All(all) => all.iter().flat_map(|to| samples(*to)).collect(),
        To::OfOneCall(to) | To::FirstWord(to) => samples(*to),
        To::Usage => vec![
            json!({"input": 10, "output": 2, "total": 12, "input_cached_tokens": 1}),
            json!({"prompt_tokens": 10, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 1}}),
        ],
        To::Cost => vec![json!({"input": 0.5, "output": 0.25, "total": 0.75})],
        To::Parameters => vec![json!({"temperature": 0.5, "max_tokens": 64, "response_format": {"type": "json_schema"}})],
        To::Request => vec![request()],
        To::Input | To::EntityInput => {
            vec![request(), messages("user"), json!({"inputs": request()}), json!({"input": "Hi", "kwargs": {}})]
        }
        To::Output | To::OutputIn(_) | To::RunOutput => {
            vec![
                answer(),
                messages("assistant"),
                json!({"outputs": answer()}),
                json!({"output": "Fine."}),
                json!([{"page_content": "text", "metadata": {}}]),
            ]
        }
        To::InputMessages => vec![messages("user"), parts("user"), request()],
        To::OutputMessages => vec![messages("assistant"), parts("assistant"), answer()],
        To::Exchange => vec![json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Fine."}])],
        To::Documents => vec![json!([{"id": "d1", "content": "text", "metadata": {"source": "a"}}])],
        To::Object(members) => {
            let mut all = Vec::new();
            for (path, to) in members.iter().filter(|(path, _)| !path.contains('*')) {
                let inner = samples(*to);
                let values = if inner.is_empty() { vec![json!(1)] } else { inner };
                all.extend(values.into_iter().map(|value| path.split('.').rev().fold(value, |value, part| json!({part: value}))));
            }
            all
        }
        To::Field(field) if field.ty() == Type::Json => match field {
            Field::InputMessages => vec![parts("user")],
            Field::OutputMessages => vec![parts("assistant")],
            // The members of definitions stay on them, which the tests of tools hold.
            Field::ToolDefinitions => vec![],
            Field::RetrievalDocuments => vec![json!([{"id": "d1", "content": "text"}])],
            Field::SystemInstructions => vec![json!([{"type": "text", "content": "Be brief."}])],
            _ => vec![json!({"a": {"b": 1}})],
        },
        _ => vec![],
    }
}

/// The value with a member more in the nth of its objects, those in the text of others left out; `None`: there are not so many.
fn with_member(value: &Json, nth: &mut usize, canary: &str) -> Option<Json> {
    match value {
        Json::Array(items) => items.iter().enumerate().find_map(|(i, item)| {
            let mut changed = items.clone();
            changed[i] = with_member(item, nth, canary)?;
            Some(Json::Array(changed))
        }),
        Json::Object(members) => {
            if *nth == 0 {
                let mut changed = members.clone();
                changed.insert("zz_unknown".into(), canary.into());
                return Some(Json::Object(changed));
            }
            *nth -= 1;
            members.iter().find_map(|(key, member)| {
                let mut changed = members.clone();
                changed.insert(key.clone(), with_member(member, nth, canary)?);
                Some(Json::Object(changed))
            })
        }
        _ => None,
    }
}

/// A span that the convention knows, of the kinds of which a composite value may be read.
fn surroundings(convention: &Convention) -> (String, Vec<Json>) {
    let scope = convention.scopes.first().map_or("app".to_owned(), |scope| scope.trim_end_matches('*').to_owned());
    let key = convention.keys.first().map(|key| key.replace('*', "zz"));
    let kinds = ["chat", "execute_tool", "retrieval"];
    let of = |kind: &str| {
        let mut all = json!({"gen_ai.operation.name": kind});
        if let Some(key) = key.as_ref().filter(|_| convention.scopes.is_empty()) {
            all[key] = "x".into();
        }
        all
    };
    (scope, kinds.map(of).to_vec())
}

/// The attributes of a flattened list, with a member that nobody knows in each of its objects.
fn flattened(rule: &Rule, of: Flat, canary: &str) -> Vec<Json> {
    let list = rule.key.trim_end_matches('*');
    let leaf = |path: &str, value: Json| (format!("{list}0.{path}"), value);
    let wrapped = rule.key.starts_with("llm.") && !rule.key.starts_with("llm.request");
    let (message, paths): (&str, &[&str]) = match of {
        Flat::InputMessages | Flat::OutputMessages => (if wrapped { "message." } else { "" }, &["role", "content"]),
        Flat::Documents => ("document.", &["id", "content"]),
        Flat::InputMedia | Flat::OutputMedia => ("image.", &["url"]),
        Flat::Input | Flat::Output => ("", &["city"]),
        Flat::Tools | Flat::Texts | Flat::Arguments => return Vec::new(),
    };
    let mut all: serde_json::Map<String, Json> = paths.iter().map(|path| leaf(&format!("{message}{path}"), "user".into())).collect();
    all.extend([leaf(&format!("{message}zz_unknown"), canary.into())]);
    vec![Json::Object(all)]
}

#[test]
fn a_member_that_nobody_knows_goes_out_or_its_source_stays() {
    let mut cases: Vec<(&str, String, String, Json)> = Vec::new();
    for convention in ALL {
        let (scope, surroundings) = surroundings(convention);
        for rule in convention.rules.iter().filter(|rule| rule.key != SPAN_NAME) {
            // The objects of tables are those of calls of a model.
            let around = if let To::Object(_) = rule.to { &surroundings[..1] } else { &surroundings[..] };
            for around in around {
                let mut add = |what: String, attributes: Json| {
                    let mut all = around.clone();
                    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
                    cases.push((
                        rule.key,
                        format!("{}: {} {what} on {}", convention.id, rule.key, around["gen_ai.operation.name"]),
                        scope.clone(),
                        all,
                    ));
                };
                if let To::Flat(of) | To::FlatParts(of) = rule.to {
                    flattened(rule, of, "Canary").into_iter().for_each(|all| add("flat".into(), all));
                    continue;
                }
                let key = rule.key.replace('*', "zz");
                for sample in samples(rule.to) {
                    for n in 0.. {
                        let mut nth = n;
                        let Some(value) = with_member(&sample, &mut nth, "Canary") else { break };
                        add(value.to_string(), json!({&key: value.to_string()}));
                    }
                }
            }
        }
    }
    assert!(cases.len() > 1_000, "{} cases", cases.len());
    let mut lost = Vec::new();
    for profile in PROFILES {
        let written = profile.table().written();
        for (key, what, scope, attributes) in &cases {
            // A value under the profile's own key is made one that the profile allows, and there is no other place for it.
            if written.contains(key) {
                continue;
            }
            let options = Convert { profile, to: Format::Protobuf, ..Convert::default() };
            let out = spans(&genspan::convert(&crate::body::request(scope, "x", attributes), &options).unwrap());
            if !out[0].encode_to_vec().windows(6).any(|bytes| bytes == b"Canary") {
                lost.push(format!("{}: {what}", profile.name()));
            }
        }
    }
    assert!(lost.is_empty(), "{} of {} are lost:\n{}", lost.len(), cases.len() * PROFILES.len(), lost[..lost.len().min(60)].join("\n"));
}
