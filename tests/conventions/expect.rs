//! What must come out of a sample, and whether it did.

use crate::csv;
use crate::span::{self, Output, Outputs, Source};
use serde_json::Value as Json;
use std::collections::HashSet;
use std::sync::OnceLock;

/// A sample span and what must come out.
#[derive(Debug)]
pub struct Case {
    pub source: Source,
    pub expected: Vec<Expect>,
}

#[derive(Debug)]
pub enum Expect {
    /// An attribute of the profile that has it.
    Target(String, What),
    /// An attribute that must not be there, in the profile that has it.
    Absent(String),
    /// An attribute that must be in neither profile.
    AbsentEverywhere(String),
    /// An attribute that must not be there with another value than this.
    AbsentOr(String, Json),
    /// An attribute of the source, as it was.
    Kept(String),
    /// An attribute of the source that must not go on.
    Gone(String),
    EventKept(String),
    EventGone(String),
    /// An attribute of an event.
    InEvent(String, Json),
    ResourceKept(String),
    /// Some convention knows the span.
    Recognised,
    /// No convention knows it.
    Foreign,
    /// It is not LLM: neither an operation nor a kind of its own is added, it is no entry, and what it has stays.
    Plain,
    /// A member of a span in OTLP/JSON, its value there, and how it is written once it has been read.
    Json(String, String, Json),
    /// The span counts as LLM: alone in its trace it is the entry.
    Entry,
    Failed,
    NotFailed,
    StatusMessage(String),
}

#[derive(Debug)]
pub enum What {
    Is(Json),
    /// Text with this in it.
    Text(String),
    /// JSON text equal to this.
    Json(Json),
    /// `[{role, parts}]` with a message of this role, where one is given, and with these texts in it.
    Message(Option<&'static str>, Vec<String>),
    /// `[{type, …}]` with a part of this type (or one of these), and with these texts in it.
    Part(Vec<String>, Vec<String>),
    /// Messages without a part of this name.
    NoPart(String),
    /// JSON with this somewhere inside.
    Inside(Json),
    /// A JSON list with this text in it.
    ListWith(String),
}

impl Case {
    /// The first thing that is not as expected.
    pub fn check(&self, outputs: &Outputs) -> Result<(), String> {
        self.expected.iter().try_for_each(|expect| expect.check(&self.source, outputs))
    }
}

impl Expect {
    fn check(&self, source: &Source, outputs: &Outputs) -> Result<(), String> {
        let Outputs { otel, tencent, recognised } = outputs;
        let had = |key: &str| source.attributes.iter().find(|(k, _)| k == key).map(|(_, value)| value);
        match self {
            Expect::Target(key, what) => {
                let found = output_with(key, outputs).attributes.get(key);
                if found.is_some_and(|found| what.is(found)) { Ok(()) } else { wrong(key, what.text(), found) }
            }
            Expect::Absent(key) => match output_with(key, outputs).attributes.get(key) {
                None => Ok(()),
                found => wrong(key, "absent".into(), found),
            },
            Expect::AbsentEverywhere(key) => {
                [("otel", otel), ("tencent", tencent)].iter().try_for_each(|(profile, output)| match output.attributes.get(key) {
                    None => Ok(()),
                    found => wrong(key, format!("absent in {profile}"), found),
                })
            }
            Expect::AbsentOr(key, value) => match output_with(key, outputs).attributes.get(key) {
                Some(found) if found != value => wrong(key, format!("absent or {value}"), Some(found)),
                _ => Ok(()),
            },
            Expect::Kept(key) => match (otel.attributes.get(key), had(key)) {
                (Some(found), Some(value)) if same(found, value) => Ok(()),
                (found, _) => wrong(key, "kept".into(), found),
            },
            Expect::Gone(key) => match otel.attributes.get(key) {
                None => Ok(()),
                found => wrong(key, "dropped".into(), found),
            },
            Expect::EventKept(name) if !otel.events.iter().any(|(n, _)| n == name) => {
                Err(format!("event {name}: expected kept, found gone"))
            }
            Expect::EventGone(name) if otel.events.iter().any(|(n, _)| n == name) => {
                Err(format!("event {name}: expected dropped, found kept"))
            }
            Expect::InEvent(key, value) if !otel.events.iter().any(|(_, a)| a.get(key) == Some(value)) => {
                Err(format!("{key}: expected {value} in an event, found {:?}", otel.events))
            }
            Expect::ResourceKept(key) if !otel.resource.contains_key(key) => Err(format!("resource {key}: expected kept, found gone")),
            Expect::Recognised if !recognised => Err("expected a span that a convention knows, found a foreign one".into()),
            Expect::Foreign if *recognised => Err("expected a span that no convention knows".into()),
            Expect::Plain => {
                let added = ["gen_ai.operation.name", "gen_ai.span.kind", "gen_ai.is_entry"];
                let added = added.into_iter().filter(|key| had(key).is_none());
                let added: Vec<_> = added.filter(|key| [otel, tencent].iter().any(|output| output.attributes.contains_key(*key))).collect();
                let gone = source.attributes.iter().find(|(key, _)| !otel.attributes.contains_key(key));
                if added.is_empty() && gone.is_none() {
                    Ok(())
                } else {
                    Err(format!("expected a plain span, found {added:?} added, and {gone:?} gone"))
                }
            }
            Expect::Json(member, value, expected) => {
                let found = span::converted(member, value)?;
                if found == *expected { Ok(()) } else { wrong(member, expected.to_string(), Some(&found)) }
            }
            Expect::Entry => [otel, tencent]
                .iter()
                .all(|output| output.attributes.get("gen_ai.is_entry") == Some(&Json::Bool(true)))
                .then_some(())
                .ok_or_else(|| "expected an LLM span, found a plain one".into()),
            Expect::Failed if !otel.failed => Err("expected status ERROR, found none".into()),
            Expect::NotFailed if otel.failed => Err("expected no status ERROR, found it".into()),
            Expect::StatusMessage(text) if otel.status_message != *text => {
                Err(format!("status message: expected {text:?}, found {:?}", otel.status_message))
            }
            _ => Ok(()),
        }
    }
}

fn wrong(key: &str, expected: String, found: Option<&Json>) -> Result<(), String> {
    let found = found.map_or_else(|| "nothing".into(), Json::to_string);
    Err(format!("{key}: expected {expected}, found {found}"))
}

/// OTel's output, save for the keys that only Tencent has.
fn output_with<'a>(key: &str, outputs: &'a Outputs) -> &'a Output {
    static KEYS: OnceLock<[HashSet<String>; 2]> = OnceLock::new();
    let [otel, tencent] = KEYS.get_or_init(|| {
        let rows = csv::read("profiles.csv");
        let column = |i: usize| rows.iter().flat_map(|row| row[i].split([';', ' ', '(', ')'])).map(str::to_owned).collect();
        [column(2), column(4)]
    });
    if tencent.contains(key) && !otel.contains(key) { &outputs.tencent } else { &outputs.otel }
}

impl What {
    fn text(&self) -> String {
        match self {
            What::Is(json) | What::Json(json) => json.to_string(),
            What::Text(text) => format!("text with {text:?}"),
            What::Message(role, texts) => format!("a message of {} with {texts:?}", role.unwrap_or("any role")),
            What::Part(types, texts) => format!("a part {} with {texts:?}", types.join("|")),
            What::NoPart(name) => format!("no part {name}"),
            What::Inside(json) => format!("{json} inside"),
            What::ListWith(text) => format!("a list with {text:?}"),
        }
    }

    fn is(&self, found: &Json) -> bool {
        match self {
            What::Is(json) => same(json, found),
            What::Text(text) => found.as_str().is_some_and(|found| found.contains(text.as_str())),
            What::Json(json) => parsed(found).is_some_and(|found| same(json, &found)),
            What::Message(role, texts) => parsed(found).is_some_and(|list| {
                let messages = list.as_array().cloned().unwrap_or_default();
                messages.iter().all(|m| m["parts"].is_array() && m["role"].is_string())
                    && messages.iter().any(|m| role.is_none_or(|role| m["role"] == role) && texts.iter().all(|text| holds(m, text)))
            }),
            What::Part(types, texts) => parsed(found).is_some_and(|list| {
                let parts = list.as_array().into_iter().flatten().flat_map(|m| m["parts"].as_array()).flatten();
                parts.into_iter().any(|part| types.iter().any(|t| part["type"] == **t) && texts.iter().all(|text| holds(part, text)))
            }),
            What::NoPart(name) => parsed(found).is_some_and(|list| list.is_array() && !holds(&list, name)),
            What::Inside(json) => parsed(found).is_some_and(|found| inside(&found, json)),
            What::ListWith(text) => parsed(found).is_some_and(|list| list.is_array() && holds(&list, text)),
        }
    }
}

fn parsed(found: &Json) -> Option<Json> {
    serde_json::from_str(found.as_str()?).ok()
}

/// Some key or scalar inside says this; the text of a number is its digits.
fn holds(json: &Json, text: &str) -> bool {
    match json {
        Json::String(s) => s.contains(text),
        Json::Array(items) => items.iter().any(|item| holds(item, text)),
        Json::Object(members) => members.iter().any(|(key, value)| key == text || holds(value, text)),
        scalar => format!("{scalar}") == text,
    }
}

fn inside(json: &Json, sought: &Json) -> bool {
    match json {
        json if same(json, sought) => true,
        Json::Array(items) => items.iter().any(|item| inside(item, sought)),
        Json::Object(members) => members.values().any(|value| inside(value, sought)),
        _ => false,
    }
}

fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.is_f64() == b.is_f64() && (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-9,
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (a, b) => a == b,
    }
}
