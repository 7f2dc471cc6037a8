//! From a span as its instrumentation wrote it to the canonical GenAI form: recognise, read the tables, then what
//! a table cannot say.

pub mod canonical;
mod content;
mod events;
pub mod flat;
pub mod messages;
mod params;
mod provider;
pub mod scalar;
mod tools;
mod usage;

use crate::conventions::{self, ConventionSet, OWN, PLAIN, Rule, RuleRef, To};
use crate::json;
use crate::keys::Keys;
use crate::span::{Key, Span, Value, status};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use canonical::{Canonical, DERIVED, Field, Kind, Put};

/// What happens to an attribute (or event) of the source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate<'a> {
    /// No canonical field says what it says: it stays.
    Keep,
    /// A canonical field says it.
    Mapped,
    /// It must not go on.
    Drop,
    /// It stays with this value.
    Rewrite(Value<'a>),
}

/// What surrounds a span.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The dictionary.
    pub keys: &'a Keys,
    /// Memory of the run.
    pub arena: &'a Bump,
    /// Name of the instrumentation scope.
    pub scope: &'a [u8],
    /// What the scope's name proves.
    pub scope_conventions: ConventionSet,
    /// Guess the provider from address and model where nothing says it.
    pub infer_provider: bool,
}

/// A span, understood.
pub struct Normal<'a> {
    /// The conventions that were recognised; none: the span is not LLM.
    pub conventions: ConventionSet,
    /// `gen_ai.is_entry` as the span itself says it.
    pub mark: Option<bool>,
    /// The canonical form; empty if no convention was recognised.
    pub canonical: Canonical<'a>,
    /// One for each attribute.
    pub fates: BumpVec<'a, Fate<'a>>,
    /// One for each event.
    pub event_fates: BumpVec<'a, Fate<'a>>,
}

impl Normal<'_> {
    /// Is it a span of an LLM instrumentation?
    pub fn is_llm(&self) -> bool {
        self.conventions != 0
    }
}

/// Understands a span. `None`: no convention knows it and no rule touches it; it goes on as it is.
pub fn normalize<'a>(span: &Span<'a>, cx: &Context<'a>) -> Option<Normal<'a>> {
    let (conventions, marked) = recognise(span, cx);
    if conventions == 0 && !marked {
        return None;
    }
    let arena = cx.arena;
    let mut n = Normalizer {
        span,
        cx,
        conventions,
        c: Canonical::new(),
        fates: BumpVec::from_iter_in(span.attributes.iter().map(|_| Fate::Keep), arena),
        mark: None,
        kind_trust: 0,
        refined: None,
        model: None,
        input: None,
        output: None,
        tool_inputs: None,
        tool_schema: None,
        uncached_input: false,
        aggregates: &[],
        entity_name: None,
        workflow_name: None,
        model_path: None,
        uncached_part: None,
        leaves: BumpVec::new_in(arena),
    };
    n.read_tables();
    if conventions == 0 && n.fates.iter().all(|fate| *fate == Fate::Keep) {
        return None;
    }
    let mut event_fates = BumpVec::from_iter_in(span.events.iter().map(|_| Fate::Keep), arena);
    if conventions != 0 {
        events::read(&mut n, &mut event_fates);
        content::read_lists(&mut n);
        n.complete_kind();
        content::read(&mut n);
        n.complete();
    }
    Some(Normal { conventions, mark: n.mark, canonical: n.c, fates: n.fates, event_fates })
}

/// The conventions that a span which starts with these attributes already proves.
pub fn recognise_start<'a>(keys: impl Iterator<Item = Key<'a>>, dictionary: &Keys) -> ConventionSet {
    keys.map(|key| with_rules(key, dictionary, |_, evidence| evidence)).fold(0, |a, b| a | b)
}

fn with_rules<T>(key: Key, keys: &Keys, f: impl FnOnce(&[RuleRef], ConventionSet) -> T) -> T {
    match key {
        Key::Id(id) => match keys.get(id) {
            Some(info) => f(&info.rules, info.evidence),
            None => f(&[], 0),
        },
        Key::Text(text) => {
            let (rules, evidence) = conventions::rules_of(text);
            f(&rules, evidence)
        }
    }
}

/// Marks are read on spans of every library: Langfuse copies its metadata onto them.
fn is_mark(to: To) -> bool {
    matches!(to, To::Mark | To::MarkIf(_) | To::MarkInside | To::MarkCopy)
}

fn proves(to: To, value: Value) -> bool {
    match to {
        To::Proof(words) => value.as_str().is_some_and(|text| words.iter().any(|word| word.as_bytes() == text)),
        To::All(all) => all.iter().any(|to| proves(*to, value)),
        _ => false,
    }
}

fn recognise(span: &Span, cx: &Context) -> (ConventionSet, bool) {
    let mut conventions = cx.scope_conventions;
    let mut marked = false;
    for attr in span.attributes {
        with_rules(attr.key, cx.keys, |rules, evidence| {
            conventions |= evidence;
            for r in rules {
                if proves(r.rule.to, attr.value) {
                    conventions |= r.convention;
                }
            }
            marked |= rules.iter().any(|r| is_mark(r.rule.to));
        });
    }
    (conventions, marked)
}

/// An attribute whose meaning depends on what else the span says.
#[derive(Clone, Copy)]
struct Pending<'a> {
    value: Value<'a>,
    at: u16,
    /// The members of an object that hold the thing itself; the first that is there.
    inside: &'static [&'static str],
}

impl<'a> Pending<'a> {
    fn new(value: Value<'a>, at: u16) -> Self {
        Pending { value, at, inside: &[] }
    }
}

/// The one object of a list; any other JSON is itself.
fn only_item(j: json::Json) -> json::Json {
    let mut items = j.items();
    match (items.next(), items.next()) {
        (Some(item), None) if j.is_array() => item,
        _ => j,
    }
}

struct Normalizer<'n, 'a> {
    span: &'n Span<'a>,
    cx: &'n Context<'a>,
    conventions: ConventionSet,
    c: Canonical<'a>,
    fates: BumpVec<'a, Fate<'a>>,
    mark: Option<bool>,
    kind_trust: u8,
    /// A narrower word for a generation.
    refined: Option<Kind>,
    model: Option<Pending<'a>>,
    input: Option<Pending<'a>>,
    output: Option<Pending<'a>>,
    tool_inputs: Option<&'a [u8]>,
    tool_schema: Option<Pending<'a>>,
    /// The input tokens are without those that a cache held.
    uncached_input: bool,
    /// The kinds of span whose usage repeats that of their children.
    aggregates: &'static [Kind],
    entity_name: Option<Pending<'a>>,
    workflow_name: Option<Pending<'a>>,
    /// A model's name behind its provider's.
    model_path: Option<Pending<'a>>,
    uncached_part: Option<Pending<'a>>,
    leaves: BumpVec<'a, flat::Leaf<'a>>,
}

impl<'a> Normalizer<'_, 'a> {
    fn read_tables(&mut self) {
        let conventions = if self.conventions == 0 { 0 } else { self.conventions | conventions::everywhere() };
        for r in conventions::rules_of_names().iter().filter(|r| r.convention & conventions != 0) {
            self.apply(r.rule.to, Value::Str(self.span.name), None, r.rule.trust, DERIVED);
        }
        // Attributes past what a u16 counts stay as they are.
        for (at, attr) in self.span.attributes.iter().enumerate().take(usize::from(DERIVED)) {
            let cx = self.cx;
            with_rules(attr.key, cx.keys, |rules, _| {
                let holds = |r: &RuleRef| is_mark(r.rule.to) || r.convention & conventions != 0;
                let own = rules.iter().any(|r| r.rule.trust == OWN && holds(r));
                for r in rules {
                    if holds(r) && (!own || r.rule.trust == OWN) {
                        self.apply(r.rule.to, attr.value, Some((attr.key, r.rule)), r.rule.trust, at as u16);
                    }
                }
            });
        }
    }

    /// `of` is the key and the rule that it matched; a member of an object has none.
    fn apply(&mut self, to: To, value: Value<'a>, of: Option<(Key<'a>, &'static Rule)>, trust: u8, at: u16) {
        let arena = self.cx.arena;
        let fate = match to {
            To::Field(field) => return self.put(field, value, trust, at),
            To::Unless(field, nothing) => {
                if value.as_str().is_none_or(|text| nothing.iter().all(|word| word.as_bytes() != text)) {
                    return self.put(field, value, trust, at);
                }
                Fate::Mapped
            }
            To::Kind(words) => return self.put_kind(words, value, trust, at),
            To::Hint(words) => {
                let text = value.as_str().unwrap_or_default();
                if let Some((_, kind)) = words.iter().find(|(word, _)| scalar::glob(word, text))
                    && trust > self.kind_trust
                {
                    (self.c.kind, self.kind_trust) = (Some(*kind), trust);
                }
                return;
            }
            To::Proof(_) => return,
            To::UncachedInput => {
                self.uncached_input = true;
                return self.put(Field::InputTokens, value, trust, at);
            }
            To::ToolSchema => {
                self.tool_schema = Some(Pending::new(value, at));
                return;
            }
            To::Documents => return content::put_found(self, value, at),
            To::Inside(list, path) => {
                // A content may be the user's own JSON: only text and parts are read.
                let is_part = |j: json::Json| j.is_string() || j.any(&["text", "content"]).is_some_and(|t| t.is_string());
                let is_content = |j: json::Json| is_part(j) || j.is_array() && !j.is_empty() && j.items().all(is_part);
                let parsed = value.as_str().and_then(|t| json::parse(t, arena));
                let is_json = parsed.is_some_and(|j| !path.ends_with("content") || is_content(j));
                let role = if list == flat::Flat::OutputMessages { "assistant" } else { "user" };
                // Cut short, it says more where it stands.
                if !is_json && value.as_str().is_some() && ["tool_calls", "files"].iter().any(|list| path.ends_with(list)) {
                    return;
                }
                self.leaves.push(flat::Leaf { of: list, path: path.as_bytes(), value, is_json, at });
                self.leaves.push(flat::Leaf { of: list, path: b"0.role", value: Value::Str(role.as_bytes()), is_json: false, at });
                return;
            }
            To::Failed(words) => {
                let text = match value {
                    Value::Bool(b) => if b { "true" } else { "false" }.as_bytes(),
                    Value::Int(n) => arena.alloc_str(&n.to_string()).as_bytes(),
                    value => value.as_str().map(scalar::unquote).unwrap_or_default(),
                };
                self.c.failed |=
                    if words.is_empty() { !matches!(text, b"" | b"0" | b"false") } else { words.iter().any(|w| w.as_bytes() == text) };
                return;
            }
            To::All(all) => return all.iter().for_each(|to| self.apply(*to, value, of, trust, at)),
            To::Model => {
                self.model = Some(Pending::new(value, at));
                return;
            }
            To::Input => {
                self.input = Some(Pending::new(value, at));
                return;
            }
            To::Output => {
                self.output = Some(Pending::new(value, at));
                return;
            }
            To::EntityInput => {
                self.input = Some(Pending { inside: &["inputs", "kwargs", "args"], ..Pending::new(value, at) });
                return;
            }
            To::EntityOutput => {
                self.output = Some(Pending { inside: &["outputs", "output"], ..Pending::new(value, at) });
                return;
            }
            To::EntityName => {
                self.entity_name = Some(Pending::new(value, at));
                return;
            }
            To::ActionName => {
                self.entity_name = Some(Pending::new(value, at));
                self.model_path = self.entity_name;
                return;
            }
            To::FirstWord(to) => {
                let word = value.as_str().and_then(|text| text.split(|c| *c == b' ').next());
                return word.into_iter().for_each(|word| self.apply(*to, Value::Str(word), of, trust, at));
            }
            To::Enveloped(to) => {
                let object = value.as_str().and_then(|t| json::parse(t, arena)).filter(|j| j.get("type").is_some_and(|t| t.is_string()));
                let inner = object.and_then(|j| j.get("value")).map(|j| scalar::from_json(j, arena));
                return self.apply(*to, inner.unwrap_or(value), of, trust, at);
            }
            To::Items(to) => return self.apply(*to, scalar::from_items(value, arena), of, trust, at),
            To::CacheBeside(field) => {
                self.uncached_input |= !self.c.has(field);
                return self.put(field, value, trust, at);
            }
            To::UncachedPart => {
                self.uncached_part = Some(Pending::new(value, at));
                return;
            }
            To::Flat(list) | To::FlatParts(list) => {
                let path = of.and_then(|(key, rule)| self.cx.keys.text(key).get(rule.key.len() - 1..)).unwrap_or_default();
                // The vectors beside the texts are long, and no texts.
                if flat::is_indexed(path) && (list != flat::Flat::Texts || value.as_str().is_some()) {
                    let parts = matches!(to, To::FlatParts(_)) && path.ends_with(b".content");
                    let is_json = parts && value.as_str().and_then(|t| json::parse(t, arena)).is_some_and(messages::is_parts);
                    self.leaves.push(flat::Leaf { of: list, path, value, is_json, at });
                }
                return;
            }
            To::WorkflowName => {
                self.workflow_name = Some(Pending::new(value, at));
                return;
            }
            To::Host => {
                if let Some(host) = value.as_str().map(provider::host).filter(|host| !host.is_empty()) {
                    self.c.derive(Field::ServerAddress, Value::Str(host));
                }
                Fate::Keep
            }
            To::ToolParameters => {
                let parsed = value.as_str().and_then(|t| json::parse(t, arena));
                // Some instrumentations write the schema here.
                if parsed.is_some_and(|p| p.get("type").is_some() && p.get("properties").is_some()) {
                    return;
                }
                return self.put(Field::ToolCallArguments, value, trust, at);
            }
            To::Vector => {
                let first = match value {
                    Value::Array([first @ Value::Str(_), ..]) => *first,
                    value => value,
                };
                let length = match first {
                    Value::Array(items) => items.len(),
                    Value::Str(text) => json::parse(text, arena).map_or(0, |v| v.items().count()),
                    _ => 0,
                };
                if length == 0 {
                    return;
                }
                return self.settle(Field::EmbeddingDimensions, Value::Int(length as i64), trust, at);
            }
            To::InputMessages => return content::put_messages(self, messages::Side::Input, value, trust, at),
            To::OutputMessages => return content::put_messages(self, messages::Side::Output, value, trust, at),
            To::Parameters => match value.as_str().and_then(|t| json::parse(t, arena)) {
                Some(parameters) if params::read(parameters, trust, DERIVED, &mut self.c, arena) => Fate::Mapped,
                _ => Fate::Keep,
            },
            To::Usage => match value.as_str().and_then(|t| json::parse(t, arena)) {
                Some(counts) => {
                    // LangSmith's costs stand beside its counts.
                    if counts.get("total_cost").is_some() {
                        usage::read_cost(counts, trust, DERIVED, &mut self.c);
                    }
                    if usage::read(counts, trust, DERIVED, &mut self.c) { Fate::Mapped } else { Fate::Keep }
                }
                None => Fate::Keep,
            },
            To::Cost => {
                if let Some(cost) = value.as_str().and_then(|t| json::parse(t, arena)) {
                    usage::read_cost(cost, trust, DERIVED, &mut self.c);
                }
                Fate::Keep
            }
            To::FirstTokenAt => match scalar::instant(value).and_then(|t| t.checked_sub(self.span.start)) {
                Some(nanos) => return self.put(Field::TimeToFirstChunk, Value::Double(nanos as f64 / 1e9), trust, at),
                None => Fate::Keep,
            },
            To::FirstTokenAfterAny => {
                let Some(Value::Double(n)) = scalar::convert(Field::TimeToFirstChunk, value, arena) else { return };
                // No answer takes so many seconds to begin, and none so few nanoseconds.
                let seconds = if n < 1e4 { n } else { n / 1e9 };
                return self.settle(Field::TimeToFirstChunk, Value::Double(seconds), trust, at);
            }
            To::FirstTokenAfter(unit) => {
                let Some(Value::Double(n)) = scalar::convert(Field::TimeToFirstChunk, value, arena) else { return };
                return self.settle(Field::TimeToFirstChunk, Value::Double(n * unit as f64 / 1e9), trust, at);
            }
            To::Object(members) => match value.as_str().and_then(|t| json::parse(t, arena)).map(only_item) {
                Some(object) if object.is_object() => {
                    let mut complete = true;
                    for (path, to) in members {
                        match path.split('.').try_fold(object, |j, part| j.get(part)) {
                            Some(parameters) if matches!(to, To::Parameters) => {
                                complete &= params::read(parameters, trust, DERIVED, &mut self.c, arena);
                            }
                            Some(member) => self.apply(*to, scalar::from_json(member, arena), None, trust, DERIVED),
                            None => {}
                        }
                    }
                    let known = |key: &[u8]| members.iter().any(|(path, _)| path.as_bytes() == key);
                    if complete && object.entries().all(|(key, v)| v.is_null() || known(key)) { Fate::Mapped } else { Fate::Keep }
                }
                _ => Fate::Keep,
            },
            To::AggregateOn(kinds) => {
                self.aggregates = kinds;
                return;
            }
            To::Request => {
                if let Some(request) = value.as_str().and_then(|t| json::parse(t, arena)) {
                    params::read(request, trust, DERIVED, &mut self.c, arena);
                    self.c.kind = self.c.kind.or(Some(Kind::Chat));
                    self.input = Some(Pending::new(value, at));
                }
                return;
            }
            To::Exchange => return content::put_exchange(self, value, trust, at),
            To::Words(field, words) => {
                let text = value.as_str().unwrap_or_default();
                let Some((_, word)) = words.iter().find(|(pattern, _)| scalar::glob(pattern, text)) else { return };
                return self.put(field, Value::Str(word.as_bytes()), trust, at);
            }
            To::Implies(field, word) => {
                self.c.derive(field, Value::Str(word.as_bytes()));
                return;
            }
            To::ImpliesKind(kind) => {
                self.c.kind = self.c.kind.or(Some(kind));
                return;
            }
            To::Aggregate(words) => {
                self.c.aggregated |= words.is_empty() || value.as_str().is_some_and(|t| words.iter().any(|w| w.as_bytes() == t));
                return;
            }
            To::Level => match value.as_str().map(scalar::unquote) {
                Some(b"ERROR") => {
                    self.c.failed = true;
                    Fate::Mapped
                }
                _ => Fate::Keep,
            },
            To::StatusMessage => match value.as_str() {
                Some(text) if self.span.status_message.is_empty() => {
                    self.c.status_message = text;
                    Fate::Mapped
                }
                Some(text) if text == self.span.status_message => Fate::Mapped,
                _ => Fate::Keep,
            },
            To::Mark => {
                self.mark = self.mark.or(scalar::as_bool(value));
                Fate::Drop
            }
            To::MarkIf(words) => {
                if value.as_str().is_some_and(|text| words.iter().any(|word| word.as_bytes() == text)) {
                    self.mark = self.mark.or(Some(true));
                }
                return;
            }
            To::MarkInside => self.mark_inside(value),
            To::GraphNode => {
                if value.as_str().map(scalar::unquote) == Some(self.span.name) {
                    self.c.derive(Field::AgentName, Value::Str(self.span.name));
                }
                Fate::Keep
            }
            To::ToolInputs => {
                self.tool_inputs = value.as_str();
                Fate::Keep
            }
            To::Keep => Fate::Keep,
            To::Spent => Fate::Mapped,
            To::Drop | To::MarkCopy => Fate::Drop,
        };
        self.set_fate(at, fate);
    }

    fn put(&mut self, field: Field, value: Value<'a>, trust: u8, at: u16) {
        let arena = self.cx.arena;
        let converted = match field {
            Field::ToolDefinitions => match value {
                Value::Str(text) => Some(Value::Str(tools::from_text(text, arena).unwrap_or(text))),
                Value::Array(_) => {
                    Some(Value::Str(scalar::to_json(value, arena))).map(|v| match v.as_str().and_then(|t| tools::from_text(t, arena)) {
                        Some(text) => Value::Str(text),
                        None => v,
                    })
                }
                _ => None,
            },
            Field::SystemInstructions => match value {
                Value::Str(text) => Some(Value::Str(messages::instructions(text, arena))),
                _ => scalar::convert(field, value, arena),
            },
            _ => scalar::convert(field, value, arena),
        };
        // LiveKit writes -1 where no token came.
        let said = |v: &Value| field != Field::TimeToFirstChunk || !matches!(v, Value::Double(n) if *n < 0.0);
        let Some(value) = converted.filter(said) else {
            // Under a key of the target a placeholder, or a framework as the provider, would be taken for an answer.
            if field == Field::Provider || trust > PLAIN && scalar::is_absence(field, value) {
                self.set_fate(at, Fate::Drop);
            }
            return;
        };
        self.settle(field, value, trust, at);
    }

    /// Offers a converted value, and settles what becomes of the attributes that offered one.
    fn settle(&mut self, field: Field, value: Value<'a>, trust: u8, at: u16) {
        match self.c.put(field, value, trust, at) {
            Put::New | Put::Same => self.set_fate(at, Fate::Mapped),
            Put::Replaced(before) => {
                self.set_fate(before, Fate::Keep);
                self.set_fate(at, Fate::Mapped);
            }
            Put::Refused => {}
        }
    }

    fn set_fate(&mut self, at: u16, fate: Fate<'a>) {
        if at != DERIVED {
            self.fates[usize::from(at)] = fate;
        }
    }

    fn put_kind(&mut self, words: &[(&str, Kind)], value: Value<'a>, trust: u8, at: u16) {
        let Some(text) = value.as_str().map(scalar::unquote) else { return };
        let known = words.iter().find(|(word, _)| word.as_bytes() == text).map(|(_, kind)| *kind);
        // Less trusted than a kind of its own: it only narrows one.
        if trust < PLAIN {
            self.refined = known;
            return;
        }
        // A word that another table did not know is not settled yet.
        let open = known.is_some() && self.c.kind.is_none() && self.c.operation == text;
        if trust <= self.kind_trust && !open {
            // The same once more.
            if known.is_some() && known == self.c.kind {
                self.set_fate(at, Fate::Mapped);
            }
            return;
        }
        let trust = trust.max(self.kind_trust);
        match known {
            Some(kind) => {
                self.c.kind = Some(kind);
                self.c.kind_source = at;
                self.kind_trust = trust;
            }
            None => {
                self.c.operation = text;
                self.kind_trust = trust;
            }
        }
        self.set_fate(at, Fate::Mapped);
    }

    /// Takes the mark out of a JSON object of metadata; what else it holds stays.
    fn mark_inside(&mut self, value: Value<'a>) -> Fate<'a> {
        let arena = self.cx.arena;
        let parsed = value.as_str().and_then(|t| json::parse(t, arena));
        // Langfuse Python 4.8 to 4.14 propagates nested metadata as text: `"{'is_entry': True}"`.
        let parsed = parsed.and_then(|j| if j.is_string() { json::parse(j.text(arena)?, arena) } else { Some(j) });
        let Some(object) = parsed.filter(json::Json::is_object) else { return Fate::Keep };
        let is_mark = |key: &[u8]| key == b"gen_ai.is_entry" || key == b"is_entry";
        let nested = |key: &[u8], v: json::Json<'a>| if key == b"gen_ai" { v.get("is_entry") } else { None };
        let found = object.entries().find_map(|(key, v)| if is_mark(key) { Some(v) } else { nested(key, v) });
        let Some(found) = found else { return Fate::Keep };
        self.mark = self.mark.or(found.as_bool());
        let mut out = BumpVec::new_in(arena);
        let mut count = 0;
        out.push(b'{');
        for (key, v) in object.entries().filter(|(key, v)| !is_mark(key) && nested(key, *v).is_none()) {
            json::separate(&mut out, count);
            count += 1;
            out.push(b'"');
            out.extend_from_slice(key);
            out.extend_from_slice(b"\":");
            v.write(&mut out);
        }
        out.push(b'}');
        if count == 0 { Fate::Drop } else { Fate::Rewrite(Value::Str(out.into_bump_slice())) }
    }

    fn complete_kind(&mut self) {
        let c = &mut self.c;
        let embedding = |c: &Canonical| {
            let model = c.text(Field::RequestModel).or(self.model.and_then(|m| m.value.as_str())).unwrap_or_default();
            memchr::memmem::find(model, b"embed").is_some()
        };
        let has_model = self.model.is_some() || c.has(Field::RequestModel) || c.has(Field::ResponseModel);
        let kind = match c.kind {
            // Langfuse Python up to 3.3.0 wrote `span` on generations, and knew no tools.
            Some(Kind::Span) if has_model || c.has(Field::OutputTokens) => Some(if embedding(c) { Kind::Embeddings } else { Kind::Chat }),
            Some(Kind::Span) if content::is_tool_message(self.output.map(|o| o.value), self.span.name, self.cx.arena) => {
                Some(Kind::ExecuteTool)
            }
            Some(kind) if kind.is_generation() => match self.refined {
                Some(refined) => Some(refined),
                None if kind == Kind::Chat && self.kind_trust == PLAIN && embedding(c) => Some(Kind::Embeddings),
                None => Some(kind),
            },
            None if !c.operation.is_empty() => None,
            None if self.refined.is_some() => self.refined,
            // Nothing says it: what is there tells.
            None if has_model && embedding(c) => Some(Kind::Embeddings),
            None if has_model && (c.has(Field::OutputTokens) || c.has(Field::InputMessages) || c.has(Field::OutputMessages)) => {
                Some(Kind::Chat)
            }
            None if !has_model && (c.has(Field::ToolCallArguments) || c.has(Field::ToolCallId) || c.has(Field::ToolName)) => {
                Some(Kind::ExecuteTool)
            }
            None if [Field::RerankQuery, Field::RerankTopN].iter().any(|f| c.has(*f)) => Some(Kind::Rerank),
            None if [Field::RetrievalQuery, Field::RetrievalDocuments, Field::RetrievalTopK].iter().any(|f| c.has(*f)) => {
                Some(Kind::Retrieval)
            }
            kind => kind,
        };
        c.kind = kind;
    }

    fn complete(&mut self) {
        self.complete_model();
        let c = &mut self.c;
        c.aggregated |= c.kind.is_some_and(|kind| self.aggregates.contains(&kind));
        if c.int(Field::ChoiceCount) == Some(1) {
            c.clear(Field::ChoiceCount);
        }
        if c.kind == Some(Kind::Retrieval)
            && let Some(top_k) = c.get(Field::TopK)
        {
            c.clear(Field::TopK);
            c.derive(Field::RetrievalTopK, top_k);
        }
        if c.kind.is_some_and(|k| k.is_generation() || matches!(k, Kind::Embeddings | Kind::Rerank)) {
            let addresses = self.span.attributes.iter().filter_map(|a| match self.cx.keys.text(a.key) {
                b"server.address" | b"url.full" | b"http.url" | b"gen_ai.openai.api_base" => a.value.as_str(),
                _ => None,
            });
            provider::complete(c, self.cx.scope, self.span.name, addresses, self.cx.infer_provider);
        }
        if let Some(part) = self.uncached_part.filter(|_| !self.c.has(Field::InputTokens)) {
            self.uncached_input = true;
            self.put(Field::InputTokens, part.value, PLAIN, part.at);
        }
        usage::complete(&mut self.c, self.uncached_input);
        if let Some(schema) = self.tool_schema {
            self.complete_tool_schema(schema);
        }
        self.complete_error();
    }

    /// A schema is a definition once it has the tool's name.
    fn complete_tool_schema(&mut self, schema: Pending<'a>) {
        let arena = self.cx.arena;
        let Some(Value::Str(text)) = scalar::convert(Field::ToolCallArguments, schema.value, arena) else { return };
        let name = self.c.text(Field::ToolName).unwrap_or_default();
        if let Some(definitions) = tools::from_schema(text, name, self.c.text(Field::ToolDescription), arena) {
            self.settle(Field::ToolDefinitions, Value::Str(definitions), PLAIN, schema.at);
        }
    }

    /// Asked or answered? (rules.md 1)
    fn complete_model(&mut self) {
        let Some(Pending { value, at, .. }) = self.model else { return };
        let Some(value) = scalar::convert(Field::ResponseModel, value, self.cx.arena) else { return };
        let said = |output: Pending| output.value.as_str().is_none_or(|text| !scalar::unquote(text).is_empty());
        let answered = self.output.is_some_and(said) || self.c.has(Field::OutputMessages);
        if answered {
            self.settle(Field::ResponseModel, value, PLAIN, at);
            self.c.derive(Field::RequestModel, value);
        } else {
            self.settle(Field::RequestModel, value, PLAIN, at);
        }
    }

    /// rules.md 7
    fn complete_error(&mut self) {
        if self.span.status_code != status::ERROR && !self.c.failed || self.c.has(Field::ErrorType) {
            return;
        }
        let keys = self.cx.keys;
        let exception =
            self.span.events.iter().filter(|e| matches!(e.name, b"exception" | b"gen_ai.client.operation.exception")).find_map(|e| {
                let attr = e.attributes.iter().find(|a| keys.text(a.key) == b"exception.type")?;
                attr.value.as_str().filter(|t| !t.is_empty())
            });
        self.c.derive(Field::ErrorType, Value::Str(exception.unwrap_or(b"_OTHER")));
    }
}
