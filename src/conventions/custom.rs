//! Conventions that a user declares in the configuration: what the keys of an application's own spans mean. They are rules like those of the
//! tables, whose meanings they take by OTel's names.

use super::{ConventionSet, Rule, RuleRef, To, index};
use crate::genai::{Kind, PEOPLE};
use crate::json::Json;
use crate::json::read::{Error, Read, hint, quoted, shown_as_nothing};
use crate::text;
use bumpalo::Bump;
use std::sync::Mutex;

/// The names of the conventions, one for each mapping: their bits are the highest.
const NAMES: [&str; 8] =
    ["mappings[0]", "mappings[1]", "mappings[2]", "mappings[3]", "mappings[4]", "mappings[5]", "mappings[6]", "mappings[7]"];

/// The bits of all mappings.
pub const BITS: ConventionSet = !(ConventionSet::MAX >> NAMES.len());

const fn bit(at: usize) -> ConventionSet {
    1 << (ConventionSet::BITS as usize - 1 - at)
}

/// The names of those mappings whose bits are set.
pub fn names(conventions: ConventionSet) -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().enumerate().filter(move |(at, _)| conventions & bit(*at) != 0).map(|(_, name)| name)
}

/// Against all but the newest names of OTel: what is in the target convention already is not replaced.
const TRUST: u8 = 85;

/// Shorter names, and those of what OTel has no key for: keys of the tables that mean the same.
pub const SHORT: &[(&str, &str)] = &[
    ("operation", "gen_ai.operation.name"),
    ("provider", "gen_ai.provider.name"),
    ("usage", "langfuse.observation.usage_details"),
    ("usage.input", "gen_ai.usage.input_tokens"),
    ("usage.output", "gen_ai.usage.output_tokens"),
    ("usage.total", "gen_ai.usage.total_tokens"),
    ("usage.cache_read", "gen_ai.usage.cache_read.input_tokens"),
    ("usage.cache_write", "gen_ai.usage.cache_write.input_tokens"),
    ("usage.reasoning", "gen_ai.usage.reasoning.output_tokens"),
    ("cost.total", "gen_ai.usage.cost"),
    ("cost.input", "gen_ai.usage.input_cost"),
    ("cost.output", "gen_ai.usage.output_cost"),
    ("request.parameters", "llm.invocation_parameters"),
    ("input", "input.value"),
    ("output", "output.value"),
];

fn leaked(text: &[u8]) -> &'static str {
    Box::leak(String::from_utf8_lossy(text).into())
}

/// What a field's name means: a short one, or OTel's key, with or without its `gen_ai.`.
fn meaning(name: &str) -> Result<To, Error> {
    let found = |key: &str| index().exact.get(key.as_bytes()).and_then(|first| index().from(*first).next());
    let short = text::lookup(SHORT, name.as_bytes()).and_then(found);
    let of_otel = |r: &RuleRef| r.convention == 1 && !r.rule.to.is_mark();
    match short.or_else(|| found(&["gen_ai.", name].concat()).or_else(|| found(name)).filter(of_otel)) {
        Some(r) => Ok(r.rule.to),
        None => {
            let mut known: Vec<&str> = SHORT.iter().map(|(name, _)| *name).collect();
            known.extend(index().conventions[0].rules.iter().map(|rule| rule.key.strip_prefix("gen_ai.").unwrap_or(rule.key)));
            let hint = hint(name, &known);
            let fix = if hint.starts_with("did") { &hint } else { "docs/conventions.md lists the fields" };
            Err(Error::new([&quoted(name), " is not a field; ", fix].concat()))
        }
    }
}

/// Words and what they stand for.
type Words = Vec<(&'static str, &'static str)>;

fn read_words<'d>(words: Json<'d>, arena: &'d Bump, into: &mut Words) -> Result<(), Error> {
    for (word, meant) in words.entries() {
        let Some(meant) = meant.text(arena) else { return Err(Error::unlike("text", meant).within(&String::from_utf8_lossy(word))) };
        into.push((leaked(word), leaked(meant)));
    }
    if words.is_object() { Ok(()) } else { Err(Error::unlike("an object", words)) }
}

/// A meaning, where words stand for the values.
fn with_words(to: To, words: Words) -> To {
    let words: &'static Words = Box::leak(Box::new(words));
    match to {
        To::Kind(known) => {
            let mut others = index().exact.get(&b"gen_ai.span.kind"[..]).into_iter().flat_map(|first| index().from(*first));
            let others = others.find_map(|r| if let To::Kind(kinds) = r.rule.to { Some(kinds) } else { None });
            let mut all: Vec<(&str, Kind)> = Vec::new();
            for (word, meant) in words {
                let kind = text::lookup_word(known, meant.as_bytes()).or_else(|| text::lookup_word(others?, meant.as_bytes()));
                all.extend(kind.map(|kind| (*word, kind)));
            }
            all.extend_from_slice(known);
            all.extend_from_slice(others.unwrap_or_default());
            To::Kind(Vec::leak(all))
        }
        // An id has no words.
        To::Field(field) if !words.is_empty() && !PEOPLE[..2].contains(&field) => To::All(Vec::leak(vec![To::Words(field, words), to])),
        to => to,
    }
}

/// The option of a mapping, or of a field, is not one.
fn no_option<T>(name: &[u8], known: &[&str]) -> Result<T, Error> {
    let name = String::from_utf8_lossy(name);
    Err(Error::new(["is not an option; ", &hint(&name, known)].concat()).within(&name))
}

/// What one key means: the name of a field, or `{to, values}`.
fn read_target<'d>(json: Json<'d>, arena: &'d Bump, mut words: Words) -> Result<To, Error> {
    let mut to = json;
    for (name, value) in json.entries() {
        match text::as_keyword(name) {
            "to" => to = value,
            "values" => read_words(value, arena, &mut words).map_err(|e| e.within("values"))?,
            _ => return no_option(name, &["to", "values"]),
        }
    }
    let Some(name) = to.text(arena) else { return Err(Error::unlike("the name of a field, or {\"to\": …}", json)) };
    Ok(with_words(meaning(&String::from_utf8_lossy(name))?, words))
}

/// The mappings of one configuration.
#[derive(Debug, Default)]
struct Custom {
    scopes: Vec<Option<&'static str>>,
    rules: Vec<RuleRef>,
}

impl Custom {
    fn read<'d>(&mut self, mapping: Json<'d>, arena: &'d Bump) -> Result<(), Error> {
        let (mut scope, mut words) = (None, Vec::new());
        if !mapping.is_object() {
            return Err(Error::unlike("an object", mapping));
        }
        for (name, value) in mapping.entries() {
            match text::as_keyword(name) {
                "scope" => scope = Some(leaked(value.text(arena).ok_or_else(|| Error::unlike("text", value).within("scope"))?)),
                "values" => read_words(value, arena, &mut words).map_err(|e| e.within("values"))?,
                "keys" => {}
                _ => return no_option(name, &["scope", "keys", "values"]),
            }
        }
        let keys = mapping.get("keys").filter(|keys| !keys.is_empty() && keys.is_object());
        let Some(keys) = keys else { return Err(Error::new("has no keys; use {\"keys\": {\"my.model\": \"request.model\"}}")) };
        for (key, target) in keys.entries() {
            let name = String::from_utf8_lossy(key);
            if name.contains('*') {
                return Err(Error::new([&quoted(&name), " is not a key; write each key out"].concat()).within("keys"));
            }
            let to = read_target(target, arena, words.clone()).map_err(|e| e.within(&name).within("keys"))?;
            let rule = Box::leak(Box::new(Rule { key: leaked(key), to, trust: TRUST }));
            self.rules.push(RuleRef { convention: bit(self.scopes.len()), rule });
        }
        self.scopes.push(scope);
        Ok(())
    }
}

/// What the user declared; most often nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mappings(Option<&'static Custom>);

shown_as_nothing! { Mappings }

/// Each configuration that was read, by its text: a body is converted by the same one again and again, and rules live as long as the process.
static KNOWN: Mutex<Vec<(Vec<u8>, &'static Custom)>> = Mutex::new(Vec::new());

impl Read for Mappings {
    fn blank() -> Self {
        Mappings(None)
    }

    fn read<'d>(&mut self, json: Json<'d>, arena: &'d Bump) -> Result<(), Error> {
        let text = json.to_text(arena);
        let mut known = KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let found = known.iter().find(|(known, _)| known == text).map(|(_, custom)| *custom);
        let custom = match found {
            Some(custom) => custom,
            None if !json.is_array() => return Err(Error::unlike("a list", json)),
            None => {
                let mut custom = Custom::default();
                for (mapping, name) in json.items().zip(NAMES) {
                    custom.read(mapping, arena).map_err(|e| e.within(&name["mappings".len()..]))?;
                }
                let count = json.items().count();
                if count > NAMES.len() {
                    return Err(Error::new(["has ", &count.to_string(), " entries; use at most 8"].concat()));
                }
                let custom = &*Box::leak(Box::new(custom));
                known.push((text.to_vec(), custom));
                custom
            }
        };
        *self = Mappings(Some(custom));
        Ok(())
    }
}

impl Mappings {
    fn rules(self) -> &'static [RuleRef] {
        self.0.map_or(&[], |custom| &custom.rules)
    }

    /// The mappings that hold in a scope.
    pub fn of_scope(self, name: &[u8]) -> ConventionSet {
        let scopes = self.0.into_iter().flat_map(|custom| &custom.scopes).enumerate();
        scopes.filter(|(_, scope)| scope.is_none_or(|scope| text::glob(scope, name))).map(|(at, _)| bit(at)).sum()
    }

    /// What they have for a key.
    pub fn rules_of(self, key: &[u8]) -> impl Iterator<Item = RuleRef> {
        self.rules().iter().filter(move |r| r.rule.key.as_bytes() == key).copied()
    }

    /// The keys whose values the start of a span is wanted for: those of kinds, sessions and users.
    pub fn wanted(self) -> impl Iterator<Item = &'static str> {
        let is_wanted = |to: To| to.is_kind() || matches!(to, To::Field(field) if PEOPLE[..2].contains(&field));
        self.rules().iter().filter(move |r| is_wanted(r.rule.to)).map(|r| r.rule.key)
    }
}
