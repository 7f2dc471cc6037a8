//! Spans before and after, from the files in `tests/spans`.

use crate::body::{attributes, convert, request, spans};
use genspan::internals::config::Profile;
use serde_json::Value as Json;

/// A text that is JSON is compared as JSON.
fn meaning(value: &Json) -> Json {
    value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| value.clone())
}

#[test]
fn spans_come_out_as_their_sources_want() {
    let text = include_str!("../spans/messages.json");
    let cases: Vec<Json> = serde_json::from_str(text).unwrap();
    let mut wrong = vec![];
    for case in &cases {
        let body = request(case["scope"].as_str().unwrap(), case["name"].as_str().unwrap(), &case["attributes"]);
        let out = attributes(&spans(&convert(&body, Profile::OTEL, None))[0]);
        for (key, expected) in case["expect"]["otel"].as_object().unwrap() {
            let found = out.get(key).map_or(Json::Null, meaning);
            if found != *expected {
                wrong.push(format!("{}\n  {key}\n  found    {found}\n  expected {expected}", case["why"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
