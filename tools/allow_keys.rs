//! `cargo run --example allow_keys > src/privacy/allow.txt`: the keys whose text leaves with `captureContent: false`, from the tables of
//! the conventions. What a line of the file says stands in `src/privacy/allow.rs`.

#[path = "../tests/conventions/csv.rs"]
#[allow(dead_code, reason = "the tests of the conventions read more tables")]
mod csv;

use std::collections::BTreeMap;

/// Keys that the tables call free text and that are not kept with the metadata.
const NOT_METADATA: &[&str] = &[
    // Any key.
    "<any bare key>",
    "opik.*",
    // Descriptions of tools, agents and workflows: prompts in all but name.
    "gen_ai.agent.description",
    "gen_ai.tool.description",
    "spring.ai.tool.definition.description",
    "tool.description",
    "workflow.description",
    // What a model is evaluated on.
    "langfuse.experiment.item.expected_output",
    "langfuse.experiment.item.input",
    // It may quote the answer, as Gemini's does with its sources.
    "ai.response.providerMetadata",
    // They stand in a list beside the explanations.
    "annotations.{i}.annotation.label",
    "annotations.{i}.annotation.metadata",
    "evaluations.{i}.evaluation.label",
    "evaluations.{i}.evaluation.metadata",
];

/// Names that the tables do not have as such: the class of an exception, which OTel's SDKs write, and a version, which need be no number.
const MORE_NAMES: &[&str] = &["exception.escaped", "exception.type", "langfuse.observation.prompt.version"];

/// The key that a row is about: an attribute's, or that of an event's attribute; without the value that a condition names.
fn key_of(row: &str) -> &str {
    let key = row.split_once(" attr ").map_or(row, |(_, key)| key);
    key.split('=').next().unwrap_or_default()
}

fn is_covered(key: &str, by: &str) -> bool {
    by.strip_suffix('*').is_some_and(|prefix| key != by && key.starts_with(prefix))
}

fn list() -> String {
    let content = csv::read("content-keys.csv");
    let of = |class: &'static str| content.iter().filter(move |row| row[3] == class).map(|row| key_of(&row[0]));
    let mut keys: BTreeMap<&str, &str> = MORE_NAMES.iter().map(|key| (*key, "")).collect();
    let allowed = csv::read("allow-keys.csv");
    // A row may be about several keys: "gen_ai.* mirror keys".
    let names = allowed.iter().filter(|row| row[3].starts_with("string") && !row[0].contains(' ')).map(|row| key_of(&row[0]));
    // A pattern of names that users choose is none.
    keys.extend(names.chain(of("identity").filter(|key| !key.contains('*'))).map(|key| (key, "")));
    let metadata: Vec<_> = of("free-text").filter(|key| !NOT_METADATA.contains(key)).collect();
    keys.extend(metadata.iter().map(|key| (*key, " m")));
    keys.extend(of("error-text").map(|key| (key, " e")));
    for key in of("content").chain(of("secret")) {
        keys.remove(key);
        if metadata.iter().any(|pattern| is_covered(key, pattern)) {
            keys.insert(key, " -");
        }
    }
    keys.iter().map(|(key, kind)| format!("{key}{kind}\n")).collect()
}

fn main() {
    print!("{}", list());
}

#[test]
fn the_list_is_what_the_tables_say() {
    let written = std::fs::read_to_string("src/privacy/allow.txt").unwrap();
    assert!(written == list(), "src/privacy/allow.txt is old: make it anew with `cargo run --example allow_keys > src/privacy/allow.txt`");
    assert!(NOT_METADATA.iter().all(|key| csv::read("content-keys.csv").iter().any(|row| row[0] == *key && row[3] == "free-text")));
}
