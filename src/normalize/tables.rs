//! Applies the tables: what the rules of a key say of a value, and what becomes of the attribute that had it.

use super::canonical::{DERIVED, EVENTS, Field, Kind, NAMES, Put};
use super::{Fate, Normalizer, Pending, content, flat, messages, params, provider, scalar, tools, usage, with_info};
use crate::conventions::{self, OWN, PLAIN, Rule, RuleRef, To, words};
use crate::json;
use crate::span::{Key, Value};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// The one object of a list; any other JSON is itself.
fn only_item(j: json::Json) -> json::Json {
    let mut items = j.items();
    match (items.next(), items.next()) {
        (Some(item), None) if j.is_array() => item,
        _ => j,
    }
}

/// Is each member of the object at `path`, down to its own members, one of these?
fn all_known(object: json::Json, path: &[u8], members: &[(&str, To)], arena: &Bump) -> bool {
    object.entries().all(|(key, value)| {
        let mut at = BumpVec::from_iter_in(path.iter().copied(), arena);
        at.extend_from_slice(key);
        if value.is_null() || members.iter().any(|(known, _)| known.as_bytes() == at.as_slice()) {
            return true;
        }
        at.push(b'.');
        value.is_object() && all_known(value, &at, members, arena)
    })
}

impl<'a> Normalizer<'_, 'a> {
    pub(super) fn read_tables(&mut self) {
        let conventions = if self.conventions == 0 { 0 } else { self.conventions | conventions::everywhere() };
        self.c.reading = NAMES;
        for r in conventions::rules_of_names().iter().filter(|r| r.convention & conventions != 0) {
            self.apply(r.rule.to, Value::Str(self.span.name), None, r.rule.trust, DERIVED);
        }
        // Attributes past what a u16 counts stay as they are.
        for (at, attr) in self.span.attributes.iter().enumerate().take(usize::from(EVENTS)) {
            let cx = self.cx;
            self.c.reading = at as u16;
            with_info(attr.key, cx.keys, |info| {
                // A secret is one in whatever convention's key.
                let secret = |r: &RuleRef| conventions != 0 && matches!(r.rule.to, To::Drop);
                let holds = |r: &RuleRef| r.rule.to.is_mark() || r.convention & conventions != 0 || secret(r);
                let own = info.rules.iter().any(|r| r.rule.trust == OWN && holds(r));
                for r in info.rules.iter() {
                    if holds(r) && (!own || r.rule.trust == OWN) {
                        self.apply(r.rule.to, attr.value, Some((attr.key, r.rule)), r.rule.trust, at as u16);
                    }
                }
            });
        }
    }

    /// `of` is the key and the rule that it matched; a member of an object has none.
    pub(super) fn apply(&mut self, to: To, value: Value<'a>, of: Option<(Key<'a>, &'static Rule)>, trust: u8, at: u16) {
        let arena = self.cx.arena;
        let fate = match to {
            To::Field(field) => return self.put(field, value, trust, at),
            To::Aggregated(field) => {
                self.c.aggregated = true;
                return self.put(field, value, trust, at);
            }
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
                    self.c.set_kind(*kind);
                    self.kind_trust = trust;
                }
                return;
            }
            To::Proof(_) => return,
            To::Aside(names) => {
                self.aside |= value.as_str().is_some_and(|text| names.iter().any(|name| scalar::glob(name, text)));
                return;
            }
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
                let parsed = scalar::parsed(value, arena);
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
                self.input = Some(Pending { inside: &["inputs"], ..Pending::new(value, at) });
                return;
            }
            To::OutputIn(members) => {
                self.output = Some(Pending { inside: members, ..Pending::new(value, at) });
                return;
            }
            To::RunOutput => {
                let wrapped = scalar::parsed(value, arena).is_some_and(|j| j.is_object() && j.entries().count() == 1);
                self.output =
                    Some(Pending { inside: if wrapped { &["outputs", "output"] } else { &["outputs"] }, ..Pending::new(value, at) });
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
                let object = scalar::parsed(value, arena).filter(|j| j.get("type").is_some_and(|t| t.is_string()));
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
                // OpenLLMetry's LangChain quotes an empty answer.
                if matches!(to, To::FlatParts(_)) && value.as_str() == Some(b"\"\"") {
                    return self.set_fate(at, Fate::Mapped);
                }
                // Beside the texts, and long.
                if list == flat::Flat::Texts && path.ends_with(b".vector") {
                    return self.apply(To::Vector, value, of, trust, at);
                }
                if flat::is_indexed(path) && value != Value::Empty {
                    let parts = matches!(to, To::FlatParts(_)) && path.ends_with(b".content");
                    let is_json = parts && scalar::parsed(value, arena).is_some_and(messages::is_parts);
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
                let parsed = scalar::parsed(value, arena);
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
            To::Parameters => match scalar::parsed(value, arena) {
                Some(parameters) if params::read(parameters, trust, DERIVED, &mut self.c, arena) => Fate::Mapped,
                _ => Fate::Keep,
            },
            To::Usage => match scalar::parsed(value, arena) {
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
                if let Some(cost) = scalar::parsed(value, arena) {
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
                return self.settle(Field::TimeToFirstChunk, Value::Double(n * f64::from(unit) / 1e9), trust, at);
            }
            To::Object(members) => match scalar::parsed(value, arena).map(only_item) {
                Some(object) if object.is_object() => {
                    let mut complete = true;
                    for (path, to) in members {
                        match path.split('.').try_fold(object, |j, part| j.get(part)) {
                            Some(parameters) if matches!(to, To::Parameters) => {
                                complete &= params::read(parameters, trust, DERIVED, &mut self.c, arena);
                            }
                            Some(counts) if matches!(to, To::Usage) => complete &= usage::read(counts, trust, DERIVED, &mut self.c),
                            Some(member) => self.apply(*to, scalar::from_json(member, arena), None, trust, DERIVED),
                            None => {}
                        }
                    }
                    if complete && all_known(object, b"", members, arena) { Fate::Mapped } else { Fate::Keep }
                }
                _ => Fate::Keep,
            },
            To::OfOneCall(to) => {
                if !self.c.aggregated {
                    self.apply(*to, value, of, trust, at);
                }
                return;
            }
            To::AggregateOn(kinds) => {
                self.aggregates = kinds;
                return;
            }
            To::Request => {
                if let Some(request) = scalar::parsed(value, arena) {
                    params::read(request, trust, DERIVED, &mut self.c, arena);
                    self.imply_kind(Kind::Chat);
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
                self.imply_kind(kind);
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

    pub(super) fn put(&mut self, field: Field, value: Value<'a>, trust: u8, at: u16) {
        let arena = self.cx.arena;
        let converted = match field {
            // What defines no tool stays where it is.
            Field::ToolDefinitions => {
                let text = match value {
                    Value::Array(_) => Some(scalar::to_json(value, arena)),
                    value => value.as_str(),
                };
                text.and_then(|text| tools::from_text(text, arena)).map(Value::Str)
            }
            // Semantic Kernel and the Agent Framework write the whole URL.
            Field::ServerAddress => match value {
                Value::Str(url) if words::position(url, b"://").is_some() => Some(Value::Str(provider::host(url))),
                _ => scalar::convert(field, value, arena),
            },
            Field::ToolCallResult => match value.as_str().and_then(|text| content::read_result(self, text)) {
                Some(result) => Some(Value::Str(result)),
                None => scalar::convert(field, value, arena),
            },
            // OpenLLMetry: what LangChain told its handler of the call, with what the tool got in it.
            Field::ToolCallArguments => {
                let told = scalar::parsed(value, arena).filter(|j| j.get("input_str").is_some());
                let inputs = told.and_then(|j| j.get("inputs")).filter(json::Json::is_object);
                inputs.map(|inputs| Value::Str(inputs.to_text(arena))).or_else(|| scalar::convert(field, value, arena))
            }
            Field::SystemInstructions => match value {
                Value::Str(text) => Some(Value::Str(messages::instructions(text, arena))),
                _ => scalar::convert(field, value, arena),
            },
            _ => scalar::convert(field, value, arena),
        };
        // LiveKit writes -1 where no token came, OpenLIT where no limit was set.
        let said = |v: &Value| match (field, v) {
            (Field::TimeToFirstChunk, Value::Double(n)) => *n >= 0.0,
            (Field::MaxTokens, Value::Int(n)) => *n >= 0,
            _ => true,
        };
        let Some(value) = converted.filter(said) else {
            // Under a key of the target a placeholder, or a framework as the provider, would be taken for an answer.
            if field == Field::Provider || trust > PLAIN && (converted.is_some() || scalar::is_absence(field, value)) {
                self.set_fate(at, Fate::Drop);
            }
            return;
        };
        self.settle(field, value, trust, at);
    }

    /// Offers a converted value, and settles what becomes of the attributes that offered one.
    pub(super) fn settle(&mut self, field: Field, value: Value<'a>, trust: u8, at: u16) {
        match self.c.put(field, value, trust, at) {
            Put::New | Put::Same => self.set_fate(at, Fate::Mapped),
            Put::Replaced(before) => {
                self.set_fate(before, Fate::Keep);
                self.set_fate(at, Fate::Mapped);
            }
            Put::Refused => {}
        }
    }

    pub(super) fn set_fate(&mut self, at: u16, fate: Fate<'a>) {
        if at != DERIVED {
            self.fates[usize::from(at)] = fate;
        }
    }

    fn imply_kind(&mut self, kind: Kind) {
        if self.c.kind.is_none() {
            self.c.set_kind(kind);
        }
    }

    pub(super) fn put_kind(&mut self, words: &[(&str, Kind)], value: Value<'a>, trust: u8, at: u16) {
        let Some(text) = value.as_str().map(scalar::unquote) else { return };
        let known = words.iter().find(|(word, _)| word.as_bytes() == text).map(|(_, kind)| *kind);
        // Less trusted than a kind of its own: it only narrows one.
        if trust < PLAIN {
            self.refined = known;
            return;
        }
        // A word that another table did not know is not settled yet.
        let open = known.is_some() && self.c.kind.is_none() && self.c.operation == text;
        let narrows = known.zip(self.c.kind).is_some_and(|(new, old)| trust == self.kind_trust && new.narrows(old));
        if trust <= self.kind_trust && !open && !narrows {
            // The same once more.
            if known.is_some() && known == self.c.kind {
                self.set_fate(at, Fate::Mapped);
            }
            return;
        }
        let trust = trust.max(self.kind_trust);
        match known {
            Some(kind) => {
                self.c.set_kind(kind);
                self.c.kind_source = at;
                self.kind_trust = trust;
            }
            None => {
                self.c.operation = text;
                self.c.kind_origin = self.c.reading;
                self.c.kind_source = at;
                self.kind_trust = trust;
            }
        }
        self.set_fate(at, Fate::Mapped);
    }

    /// Takes the mark out of a JSON object of metadata; what else it holds stays.
    pub(super) fn mark_inside(&mut self, value: Value<'a>) -> Fate<'a> {
        let arena = self.cx.arena;
        let parsed = scalar::parsed(value, arena);
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
}
