//! `cargo run --example conventions > docs/conventions.md`: what each source convention maps to, from the tables themselves.

use genspan::internals::conventions::{self, To};
use genspan::internals::genai::Field;
use genspan::internals::profiles::Profile;
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
        To::Cost => "`gen_ai.usage.cost`, and its parts where the profile has keys for them".into(),
        To::UsagePart => "`gen_ai.usage.*`, by the words of the key".into(),
        To::ModelBelow => "`gen_ai.request.model`, of the calls below too".into(),
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
        To::Like(pattern, to) => format!("{}, where the text is `{pattern}`", meaning(*to)),
        To::ToldAbove(field) => format!("{}, unless an LLM span above has them in its own", key_of(field)),
        To::Inside(list, path) => format!("part of a list: {list:?}, at `{path}`"),
        other => other.label().into(),
    }
}

const OWN_KEYS: &str = r#"
## Your own keys

`mappings` tells what the keys of home-made spans mean, in the package, the relay and the proxy:

```json
{
  "mappings": [
    {
      "scope": "my-agent*",
      "keys": {
        "my.step": "operation",
        "my.model": "request.model",
        "my.prompt": { "to": "input.messages" },
        "my.answer": { "to": "output.messages" },
        "my.tokens.in": "usage.input",
        "my.vendor": { "to": "provider", "values": { "acme-gpt": "openai" } }
      },
      "values": { "LLM_CALL": "chat", "TOOL_CALL": "execute_tool" }
    }
  ]
}
```

A mapping holds in the scopes that its `scope` matches (`*` stands for any text; without it, in all scopes) on the spans that have one of its `keys`.
`values` replaces the values of its keys, those beside a `to` the values of one key. Values are read as those of the conventions below: a number may be
text, messages may have any shape. What OTel's newest keys say of a span stays; against all other conventions your mapping wins. `explain` names the
mapping as the convention: `mappings[0]`. At most 8 mappings.

A field is named as the key of `otel-genai` below that means it, with or without its `gen_ai.`: `request.model`, `input.messages`, `tool.call.arguments`,
`session.id` … There are shorter names, and some for what OTel has no key for: "#;

/// What is decided where sources or tables leave a choice.
const CHOICES: &str = "
## Choices

- A part never exceeds its whole. Cached tokens above the input, or reasoning above the output, show a count without them: they are added, whatever the
  total says, and a total that contradicts is left out.
- A total that is the sum of what is written is left out with `keep: \"unmapped\"`. A total alone stays.
- The cost is what the provider or the gateway billed. With a key of the customer's own, that is the gateway's fee: what the provider billed beside it
  stays in the source.
- An attribute that holds a request, an answer or another object goes only if each member of it goes out elsewhere. Names that only tell the shape
  (`object`, `index`, `created` …) and the counts of former answers in a request are left out.
- An unknown word for the kind of a span is not an operation. An unknown `gen_ai.operation.name` is.
- A pending span of Logfire repeats another span: it is not a call, and its GenAI attributes are left out.
- A call that SDK, gateway and server report in one trace counts once, on the innermost of their spans. Attempts, routing and accounts of calls are plain
  spans: their numbers stay, and are not usage.
- A span that comes again as it was, from the same resource, is delivered once. A proxy passes on what it gets, since a request that fails comes again.
- What LiteLLM sent and got (`raw_gen_ai_request`) is a plain span with all of its attributes.
";

fn page() -> String {
    let mut page =
        String::from("# Conventions\n\nMade by `cargo run --example conventions` from the tables in `src/conventions/`; do not edit.\n");
    page.push_str(OWN_KEYS);
    let short: Vec<_> = conventions::custom::SHORT.iter().map(|(name, key)| format!("`{name}` (as `{key}`)")).collect();
    let _ = writeln!(page, "{}.", short.join(", "));
    page.push_str(CHOICES);
    for c in conventions::ALL {
        let code = |list: &[&str]| list.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(", ");
        let _ = write!(page, "\n## {}\n", c.id);
        if !c.scopes.is_empty() {
            let _ = write!(page, "\nRecognised by scope: {}.\n", code(c.scopes));
        }
        if !c.keys.is_empty() {
            let _ = write!(page, "\nRecognised by key: {}.\n", code(c.keys));
        }
        if !c.resources.is_empty() {
            let pairs: Vec<_> = c.resources.iter().map(|(key, value)| format!("`{key}` = `{value}`")).collect();
            let _ = write!(page, "\nRecognised by the resource: {}.\n", pairs.join(" and "));
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
