//! Bodies that the programs in `tests/capture` sent with agent frameworks and instrumentations, through `convert`, held span by span and
//! attribute by attribute: what stands here is written by hand, from what the program did, and nothing else may come out.

mod anthropic;
#[path = "../bodies/mod.rs"]
mod bodies;
mod clients;
mod facts;
mod instrumented;
mod langchain;
mod langsmith;
mod litellm;
mod logfire;
mod microsoft;
mod older;
mod openinference_js;
mod openllmetry_js;
mod openllmetry_js_older;
mod own;
mod pipelines;
mod platforms;
mod pydantic;
mod rewritten;
mod teams;
mod traceloop;
mod vercel;
mod vercel_native;

use bodies::{capture, plain, spans};
use facts::Fact;
use genspan::internals::config::{Convert, Profile};
use genspan::internals::profiles::write::Keep;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Map, Value as Json};

/// The spans of a body in their order: the name, and what is true of it (see [`facts`]).
type Expected = Vec<(&'static str, Vec<Fact>)>;

fn attributes(span: &Span) -> Map<String, Json> {
    let mut all: Map<_, _> = span.attributes.iter().map(|a| (a.key.clone(), plain(a.value.as_ref()))).collect();
    assert_eq!(all.len(), span.attributes.len(), "{}: a key twice", span.name);
    // An attribute without a value is none.
    all.retain(|_, value| !value.is_null());
    all
}

/// As the expectation has it: `…` is any text.
fn like(found: &Json, expected: &Json) -> bool {
    match (found, expected) {
        (Json::String(_), Json::String(any)) if any == "…" => true,
        (Json::Array(found), Json::Array(expected)) => found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| like(f, e)),
        (Json::Object(found), Json::Object(expected)) => {
            found.len() == expected.len() && found.iter().all(|(key, value)| expected.get(key).is_some_and(|e| like(value, e)))
        }
        _ => found == expected,
    }
}

/// The lists whose messages, parts and definitions keep the further members that their sources have.
const MESSAGES: [&str; 4] = ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions"];

/// Like [`like`], but a message, a part or a definition may have more members than are expected. What is inside of them is just what is expected.
fn holds(found: &Json, expected: &Json) -> bool {
    match (found, expected) {
        (Json::Array(found), Json::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(found, expected)| holds(found, expected))
        }
        (Json::Object(found), Json::Object(expected)) => expected.iter().all(|(name, expected)| {
            let inside = if name == "parts" { holds } else { like };
            found.get(name).is_some_and(|found| inside(found, expected))
        }),
        _ => like(found, expected),
    }
}

/// Likewise; JSON in text is what it says, and `…` a time too.
fn same(key: &str, found: &Json, expected: &Json) -> bool {
    match (found, expected) {
        (Json::Number(n), Json::String(any)) if any == "…" => {
            key.ends_with("first_chunk") && n.as_f64().is_some_and(|s| s > 0.0 && s < 20.0)
        }
        (Json::String(text), Json::Object(_) | Json::Array(_)) => {
            let holds = if MESSAGES.contains(&key) { holds } else { like };
            !text.contains("\\u") && serde_json::from_str(text).is_ok_and(|read: Json| holds(&read, expected))
        }
        _ => like(found, expected),
    }
}

/// The key, or the pattern (`metadata.*`) among the expected keys that stands for it and its like.
fn family(key: &str, expected: &[String]) -> String {
    let of = |pattern: &&String| pattern.strip_suffix('*').is_some_and(|prefix| key.starts_with(prefix));
    expected.iter().find(of).map_or(key, String::as_str).to_owned()
}

/// Every difference between a span and what is true of it.
fn differences(found: &Map<String, Json>, expected: &Map<String, Json>) -> Vec<String> {
    let keys = found.keys().chain(expected.keys().filter(|key| !found.contains_key(*key)));
    let differs = keys.filter(|key| !matches!((found.get(*key), expected.get(*key)), (Some(f), Some(e)) if same(key, f, e)));
    let show = |value: Option<&Json>| value.map_or("nothing".to_owned(), |v| v.to_string());
    differs.map(|key| format!("    {key}: {}\n      expected: {}", show(found.get(key)), show(expected.get(key)))).collect()
}

fn hold(file: &str, expected: Expected) {
    hold_some(file, |_| true, expected);
}

/// Profile `otel`; what no attribute of it says stays, and each span says what it says itself.
fn converted(file: &str) -> Vec<Span> {
    let options = Convert { inherit_session: false, ..Default::default() };
    spans(&genspan::convert(&capture(&format!("more/{file}")), &options).unwrap_or_else(|error| panic!("{file}: {error}")))
}

/// The single values of a composite one, each as text, with the name of its member; JSON inside of text too.
fn leaves(name: &str, value: &Json, found: &mut Vec<(String, String)>) {
    let inner = value.as_str().filter(|text| text.starts_with(['{', '['])).and_then(|text| serde_json::from_str(text).ok());
    match inner.as_ref().unwrap_or(value) {
        Json::Array(items) => items.iter().for_each(|item| leaves(name, item, found)),
        Json::Object(members) => members.iter().for_each(|(name, member)| leaves(name, member, found)),
        Json::String(text) if text.is_empty() => {}
        Json::Null => {}
        Json::String(text) => found.push((name.into(), text.clone())),
        single => found.push((name.into(), single.to_string())),
    }
}

/// Returns true if a composite value has a member that nothing of what goes out has: it stays.
fn says_more(value: &Json, out: &Map<String, Json>) -> bool {
    let is_composite = value.is_object() || value.is_array() || value.as_str().is_some_and(|text| text.starts_with(['{', '[']));
    let (mut of_source, mut told) = (Vec::new(), Vec::new());
    leaves("", value, &mut of_source);
    out.iter().for_each(|(key, value)| leaves(key, value, &mut told));
    is_composite
        && of_source
            .iter()
            .any(|(name, value)| !told.iter().any(|(of, said)| said == value && (of.ends_with(name.as_str()) || value.len() > 5)))
}

/// Holds the spans of some names, each; of the others, that they are there.
fn hold_some(file: &str, of: fn(&str) -> bool, expected: Expected) {
    let source = capture(&format!("more/{file}"));
    let convert = |profile, keep| {
        // What each span says by itself.
        let options = Convert { profile, keep: Some(keep), inherit_session: false, ..Default::default() };
        spans(&genspan::convert(&source, &options).unwrap_or_else(|error| panic!("{file}: {error}")))
    };
    let ids = |spans: &[Span]| {
        spans.iter().map(|s| (s.trace_id.clone(), s.span_id.clone(), s.parent_span_id.clone(), s.name.clone())).collect::<Vec<_>>()
    };
    let before = spans(&source);
    let [bare, unmapped, all, tencent] =
        [(Profile::OTEL, Keep::None), (Profile::OTEL, Keep::Unmapped), (Profile::OTEL, Keep::All), (Profile::TENCENT, Keep::None)]
            .map(|(profile, keep)| convert(profile, keep));
    for out in [&bare, &unmapped, &all, &tencent] {
        assert_eq!(ids(out), ids(&before), "{file}");
    }
    let mut faults = Vec::new();
    let held: Vec<_> = bare.iter().enumerate().filter(|(_, span)| of(&span.name)).collect();
    for (nth, &(at, span)) in held.iter().enumerate() {
        let Some((name, facts)) = expected.get(nth) else {
            faults.push(format!("  {at} {} is not expected", span.name));
            continue;
        };
        let fact = facts::merge(facts);
        let mut of_span = match fact.as_it_came {
            true => differences(&attributes(span), &attributes(&before[at])),
            false => differences(&attributes(span), &fact.otel),
        };
        let (bare, kept) = (attributes(span), attributes(&unmapped[at]));
        let source = attributes(&before[at]);
        let more = |key: &&String| fact.left.contains(&family(key, &fact.left)) || !says_more(&source[*key], &bare);
        let mut left: Vec<_> = kept.keys().filter(|key| !bare.contains_key(*key)).filter(more).map(|key| family(key, &fact.left)).collect();
        left.dedup();
        let events: Vec<_> = unmapped[at].events.iter().map(|event| event.name.clone()).collect();
        for (what, found, expected) in [("left", left, &fact.left), ("events", events, &fact.events)] {
            if found != *expected {
                of_span.push(format!("    {what}: {found:?}\n      expected: {expected:?}"));
            }
        }
        let aggregated = fact.otel.keys().any(|key| key.starts_with("gen_ai.aggregated_usage"));
        // A framework in the provider's place, headers and keys, placeholders, copies of marks, and what would be counted twice, go
        // whatever is kept.
        let may_go = |key: &str| {
            matches!(key, "gen_ai.system" | "gen_ai.provider.name" | "gen_ai.headers" | "llm.headers" | "metadata.user_api_key_hash")
                || aggregated && key.starts_with("gen_ai.usage.")
                || key.ends_with(".gen_ai.is_entry")
        };
        let gone = attributes(&before[at]).into_iter().filter(|(key, value)| {
            !attributes(&all[at]).contains_key(key)
                && !may_go(key)
                && *value != -1
                && !["unknown", "", r#"{"gen_ai.is_entry": true}"#].contains(&value.as_str().unwrap_or("…"))
        });
        of_span.extend(gone.map(|(key, _)| format!("    {key} is lost with keep \"all\"")));
        let backend = attributes(&tencent[at]);
        of_span.extend(
            fact.tencent
                .iter()
                .filter(|(key, value)| !same(key, backend.get(*key).unwrap_or(&Json::Null), value))
                .map(|(key, value)| format!("    tencent {key}: {:?}\n      expected: {value}", backend.get(key).map(Json::to_string))),
        );
        let failed = span.status.as_ref().is_some_and(|status| status.code == 2);
        if failed != fact.otel.contains_key("error.type") {
            of_span.push(format!("    failed: {failed}"));
        }
        if span.name != *name || !of_span.is_empty() {
            faults.push(format!("  {at} {} (expected {name})\n{}", span.name, of_span.join("\n")));
        }
    }
    assert!(
        faults.is_empty() && held.len() == expected.len(),
        "{file}:\n{}\n{} spans, expected {}",
        faults.join("\n"),
        held.len(),
        expected.len()
    );
}
