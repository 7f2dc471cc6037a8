//! `cargo run --example conventions > docs/conventions.md`: what each source convention maps to, from the tables themselves.

use genspan::conventions::{self, To};
use genspan::genai::Field;
use genspan::profiles::Profile;
use std::fmt::Write;

/// The OTel key of a field, or its name in the canonical form where OTel has none.
fn key_of(field: Field) -> String {
    let otel = Profile::OTEL.table().keys.rows().iter().find(|(f, _)| *f == field).map(|(_, keys)| keys);
    let tencent = || Profile::TENCENT.table().keys.rows().iter().find(|(f, _)| *f == field).map(|(_, keys)| keys);
    match otel.or_else(tencent) {
        Some(keys) => keys.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "),
        None => format!("{field:?}"),
    }
}

fn meaning(to: To) -> String {
    match to {
        To::Field(field) => key_of(field),
        To::Kind(words) => {
            let shown: Vec<_> = words.iter().take(4).map(|(word, kind)| format!("{word} → {kind:?}")).collect();
            let more = if words.len() > 4 { format!(", and {} more", words.len() - 4) } else { String::new() };
            format!("the kind of span: {}{more}", shown.join(", "))
        }
        To::Model => "the model: the answering one where there is an answer, else the requested one".into(),
        To::Parameters => "`gen_ai.request.*`, one by one".into(),
        To::Usage => "`gen_ai.usage.*`, inclusive counts".into(),
        To::Cost => "`gen_ai.usage.cost`; the source stays".into(),
        To::Input | To::EntityInput => "by kind: messages, arguments of a tool, query of a retrieval".into(),
        To::Output | To::OutputIn(_) | To::RunOutput => "by kind: messages, result of a tool, documents, vectors".into(),
        To::InputMessages => "`gen_ai.input.messages`".into(),
        To::OutputMessages => "`gen_ai.output.messages`".into(),
        To::Flat(list) | To::FlatParts(list) => format!("part of a list: {list:?}"),
        To::Object(members) => {
            let shown: Vec<_> = members.iter().map(|(path, to)| format!("{path}: {}", meaning(*to))).collect();
            shown.join("; ")
        }
        To::Implies(field, word) => format!("{} = {word}", key_of(field)),
        To::ImpliesKind(kind) => format!("the kind of span: {kind:?}"),
        To::FirstTokenAt | To::FirstTokenAfter(_) => "`gen_ai.response.time_to_first_chunk`, in seconds".into(),
        To::Mark | To::MarkInside => "the mark of the entry".into(),
        To::MarkCopy => "a copy of the mark: removed".into(),
        To::Drop => "removed: it may hold secrets".into(),
        To::Spent => "left out; stays with `keep: \"all\"` only".into(),
        To::Aside(_) => "no entry: no model is asked there".into(),
        To::Keep => "stays as it is".into(),
        To::Hint(words) => {
            let shown: Vec<_> = words.iter().take(4).map(|(word, kind)| format!("{word} → {kind:?}")).collect();
            format!("a hint of the kind: {}", shown.join(", "))
        }
        To::Unless(field, _) | To::CacheBeside(field) | To::Words(field, _) => key_of(field),
        To::All(all) => all.iter().map(|to| meaning(*to)).collect::<Vec<_>>().join("; "),
        To::FirstWord(to) | To::Enveloped(to) | To::Items(to) => meaning(*to),
        To::Inside(list, path) => format!("part of a list: {list:?}, at `{path}`"),
        other => other.label().into(),
    }
}

fn page() -> String {
    let mut page =
        String::from("# Conventions\n\nMade by `cargo run --example conventions` from the tables in `src/conventions/`; do not edit.\n");
    for c in conventions::ALL {
        let code = |list: &[&str]| list.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(", ");
        let _ = write!(page, "\n## {}\n", c.id);
        if !c.scopes.is_empty() {
            let _ = write!(page, "\nRecognised by scope: {}.\n", code(c.scopes));
        }
        if !c.keys.is_empty() {
            let _ = write!(page, "\nRecognised by key: {}.\n", code(c.keys));
        }
        if c.rules.is_empty() {
            continue;
        }
        page.push_str("\n| source | becomes |\n| --- | --- |\n");
        for rule in c.rules {
            let _ = writeln!(page, "| `{}` | {} |", rule.key, meaning(rule.to).replace('|', "\\|"));
        }
    }
    page
}

fn main() {
    print!("{}", page());
}

#[test]
fn the_page_is_what_the_tables_say() {
    let written = std::fs::read_to_string("docs/conventions.md").unwrap();
    assert!(written == page(), "docs/conventions.md is old: make it anew with `cargo run --example conventions > docs/conventions.md`");
}
