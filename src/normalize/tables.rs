//! Applies the tables: what the rules of a key say of a value, and what becomes of the attribute that had it.

use super::flat::{self, Leaf};
use super::{Fate, Normalizer, Pending, Slot, content, is_too_large, messages, params, provider, scalar, tools, usage, with_info};
use crate::conventions::{self, ConventionSet, PLAIN, Rule, To, words};
use crate::genai::{DERIVED, EVENTS, Field, Flat, Kind, NAMES, Put};
use crate::json::{self, Json};
use crate::span::value;
use crate::span::{Key, Value};
use crate::text;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// Is each member of the object at `path`, down to its own members, one of these?
fn all_known(object: Json, path: &[u8], members: &[(&str, To)], arena: &Bump) -> bool {
    for (key, value) in object.entries() {
        let mut at = BumpVec::with_capacity_in(path.len() + key.len() + 1, arena);
        at.extend_from_slice_copy(path);
        at.extend_from_slice_copy(key);
        if value.is_null() || members.iter().any(|(known, _)| text::glob(known, &at)) {
            continue;
        }
        at.push(b'.');
        if !value.is_object() || !all_known(value, &at, members, arena) {
            return false;
        }
    }
    true
}

/// What a table says of the first pattern that fits a text.
pub(super) fn fitting<T: Copy>(table: &[(&str, T)], text: &[u8]) -> Option<T> {
    table.iter().find(|(pattern, _)| text::glob(pattern, text)).map(|(_, value)| *value)
}

impl<'a> Normalizer<'_, 'a> {
    pub(super) fn read_tables(&mut self) {
        let conventions = if self.conventions == 0 { 0 } else { self.conventions | conventions::everywhere() };
        self.c.reading = NAMES;
        for r in conventions::rules_of_names().iter().filter(|r| r.convention & conventions != 0) {
            self.apply(&r.rule.to, &Value::Str(self.span.name), None, r.rule.trust, DERIVED);
        }
        self.read_attributes(conventions);
    }

    /// Applies the rules of these conventions to the attributes; of none: those of marks.
    pub(super) fn read_attributes(&mut self, conventions: ConventionSet) {
        // Attributes past what a u16 counts stay as they are.
        for (at, attr) in self.span.attributes.iter().enumerate().take(usize::from(EVENTS)) {
            let cx = self.cx;
            if is_too_large(&attr.value, cx) {
                self.unread += u32::from(conventions != 0);
                continue;
            }
            self.c.reading = at as u16;
            with_info(attr.key, cx.keys, |info| {
                for r in info.holding(conventions) {
                    self.apply(&r.rule.to, &attr.value, Some(&(attr.key, r.rule)), r.rule.trust, at as u16);
                }
            });
        }
    }

    /// `of` is the key and the rule that it matched; a member of an object has none.
    pub(super) fn apply(&mut self, to: &To, value: &Value<'a>, of: Option<&(Key<'a>, &'static Rule)>, trust: u8, at: u16) {
        let text = value.as_str();
        let is_one_of = |words: &[&str]| text.is_some_and(|text| text::any(text, words));
        let field = match *to {
            To::Field(field) => field,
            To::Aggregated(field) => {
                self.c.aggregated = true;
                field
            }
            To::ToldAbove(field) => {
                self.c.told_above = true;
                field
            }
            To::Unless(_, nothing) if is_one_of(nothing) => return self.mapped(at),
            To::Unless(field, _) => field,
            To::UncachedInput => {
                self.uncached_input = true;
                Field::InputTokens
            }
            To::CacheBeside(field) => {
                self.uncached_input |= !self.c.has(field);
                field
            }
            To::All(all) => return all.iter().for_each(|to| self.apply(to, value, of, trust, at)),
            To::UsagePart => {
                let named = of.and_then(|(key, rule)| self.cx.keys.text(*key).get(rule.key.len() - 1..));
                let Some(named) = named else { return };
                let Some(field) = usage::part_named(named, None) else {
                    let parsed = value::parsed(value, self.cx.arena);
                    if parsed.is_some_and(|details| usage::read_side(named, details, self.c)) {
                        self.mapped(at);
                    }
                    return;
                };
                field
            }
            To::OfOneCall(_) if self.c.aggregated => return,
            To::OfOneCall(to) => return self.apply(to, value, of, trust, at),
            To::FirstWord(to) => {
                let Some(word) = text.and_then(|text| text.split(|c| *c == b' ').next()) else { return };
                return self.apply(to, &Value::Str(word), of, trust, at);
            }
            To::Enveloped(to) => {
                let object = value::parsed(value, self.cx.arena).filter(|j| j.get("type").is_some_and(|t| t.is_string()));
                let inner = object.and_then(|j| j.get("value")).map(|j| value::from_json(j, self.cx.arena));
                return self.apply(to, inner.as_ref().unwrap_or(value), of, trust, at);
            }
            To::Like(pattern, _) if !text.is_some_and(|text| text::glob(pattern, text)) => return,
            To::Like(_, to) => return self.apply(to, value, of, trust, at),
            To::Items(to) => return self.apply(to, &value::from_items(value, self.cx.arena), of, trust, at),
            To::Flat(list) => return self.put_leaf(list, false, value, of, trust, at),
            To::FlatParts(list) => return self.put_leaf(list, true, value, of, trust, at),
            To::Kind(words) => {
                let names_operation = of.is_some_and(|(key, _)| self.cx.keys.text(*key).ends_with(b"operation.name"));
                return self.put_kind(words, value, names_operation, trust, at);
            }
            To::Model => return self.hold(Slot::Model, value, at, &[]),
            To::Input => return self.hold(Slot::Input, value, at, &[]),
            To::Output => return self.hold(Slot::Output, value, at, &[]),
            To::EntityInput => return self.hold(Slot::Input, value, at, &["inputs"]),
            To::OutputIn(members) => return self.hold(Slot::Output, value, at, members),
            To::EntityName => return self.hold(Slot::EntityName, value, at, &[]),
            To::ActionName => {
                self.hold(Slot::EntityName, value, at, &[]);
                return self.hold(Slot::ModelPath, value, at, &[]);
            }
            To::WorkflowName => return self.hold(Slot::WorkflowName, value, at, &[]),
            To::ToolSchema => return self.hold(Slot::ToolSchema, value, at, &[]),
            To::UncachedPart => return self.hold(Slot::UncachedPart, value, at, &[]),
            To::InputMessages => return content::put_messages(self, messages::Side::Input, value, trust, at),
            To::OutputMessages => return content::put_messages(self, messages::Side::Output, value, trust, at),
            To::Exchange => return content::put_exchange(self, value, trust, at),
            To::Documents => return content::put_found(self, value, at),
            To::Proof(_) => return,
            To::Hint(words) => {
                if let Some(kind) = fitting(words, text.unwrap_or_default())
                    && trust > self.kind_trust
                {
                    self.c.set_kind(kind);
                    self.kind_trust = trust;
                    if self.unknown_kind == at {
                        self.c.kind_source = at;
                        self.mapped(at);
                    }
                }
                return;
            }
            To::Words(field, words) => {
                let Some(word) = fitting(words, text.unwrap_or_default()) else { return };
                return self.put(field, &Value::Str(word.as_bytes()), trust, at);
            }
            To::Aside(names) => {
                self.aside |= text.is_some_and(|text| names.iter().any(|name| text::glob(name, text)));
                return;
            }
            To::AggregateOn(kinds) => {
                self.aggregates = kinds;
                return;
            }
            To::Aggregate(words) => {
                self.c.aggregated |= words.is_empty() || is_one_of(words);
                return;
            }
            To::ModelBelow => Field::RequestModel,
            To::Wrapper(words) => {
                self.wrapper |= is_one_of(words);
                return;
            }
            To::Copy(words) => {
                self.copy |= is_one_of(words);
                return;
            }
            To::Implies(field, word) => return self.c.derive(field, Value::Str(word.as_bytes())),
            To::ImpliesKind(kind) => return self.imply_kind(kind),
            To::Failed(words) => {
                let text = match *value {
                    Value::Bool(b) => if b { "true" } else { "false" }.as_bytes(),
                    Value::Int(n) => value::digits(n, self.cx.arena),
                    _ => text.map(text::unquote).unwrap_or_default(),
                };
                self.c.failed |= if words.is_empty() { !text::any(text, &["", "0", "false"]) } else { text::any(text, words) };
                return;
            }
            To::MarkIf(words) => {
                if is_one_of(words) {
                    self.mark = self.mark.or(Some(true));
                }
                return;
            }
            To::Vector => return self.put_vector(value, trust, at),
            To::FirstTokenAt => {
                let Some(nanos) = scalar::instant(value).and_then(|t| t.checked_sub(self.span.start)) else {
                    return self.set_fate(at, Fate::Keep);
                };
                return self.put(Field::TimeToFirstChunk, &Value::Double(nanos as f64 / 1e9), trust, at);
            }
            To::FirstTokenAfter(_) | To::FirstTokenAfterAny => {
                let Some(Value::Double(n)) = scalar::convert(Field::TimeToFirstChunk, value, self.cx.arena) else { return };
                let seconds = match *to {
                    To::FirstTokenAfter(unit) => n * f64::from(unit) / 1e9,
                    // No answer takes so many seconds to begin, and none so few nanoseconds.
                    _ if n < 1e4 => n,
                    _ => n / 1e9,
                };
                return self.settle(Field::TimeToFirstChunk, Value::Double(seconds), trust, at);
            }
            _ => {
                let fate = self.fate_of(to, value, trust, at);
                if let Some(fate) = fate {
                    self.set_fate(at, fate);
                }
                return;
            }
        };
        self.put(field, value, trust, at);
    }

    /// Applies what leaves no field for the whole value: what of it is read, and what becomes of it; `None`: that is settled.
    fn fate_of(&mut self, to: &To, value: &Value<'a>, trust: u8, at: u16) -> Option<Fate<'a>> {
        let text = value.as_str();
        let mapped = match *to {
            To::Drop | To::MarkCopy => return Some(Fate::Drop),
            To::Mark => {
                self.mark = self.mark.or(scalar::as_bool(value));
                return Some(Fate::Drop);
            }
            To::MarkInside => return Some(self.mark_inside(value)),
            To::Spent => true,
            To::Host => {
                if let Some(host) = text.map(provider::host).filter(|host| !host.is_empty()) {
                    self.c.derive(Field::ServerAddress, Value::Str(host));
                }
                false
            }
            To::Level => {
                let failed = text.map(text::unquote) == Some(b"ERROR");
                self.c.failed |= failed;
                failed
            }
            To::StatusMessage => {
                if self.span.status_message.is_empty() {
                    self.c.status_message = text.unwrap_or(self.c.status_message);
                }
                text.is_some_and(|text| self.span.status_message.is_empty() || text == self.span.status_message)
            }
            To::GraphNode => {
                if text.map(text::unquote) == Some(self.span.name) {
                    self.c.derive(Field::AgentName, Value::Str(self.span.name));
                }
                false
            }
            To::ToolInputs => {
                self.tool_inputs = text;
                false
            }
            To::Keep => false,
            _ => return self.fate_of_json(to, value, value::parsed(value, self.cx.arena), trust, at),
        };
        Some(if mapped { Fate::Mapped } else { Fate::Keep })
    }

    /// Likewise, what is read as JSON.
    fn fate_of_json(&mut self, to: &To, value: &Value<'a>, json: Option<Json<'a>>, trust: u8, at: u16) -> Option<Fate<'a>> {
        let arena = self.cx.arena;
        let complete = match (*to, json) {
            (To::Inside(list, path), json) => {
                self.put_inside(list, path, value, json, at);
                return None;
            }
            (To::RunOutput, json) => {
                let wrapped = json.is_some_and(|j| j.is_object() && j.entries().count() == 1);
                self.hold(Slot::Output, value, at, if wrapped { &["outputs", "output"] } else { &["outputs"] });
                return None;
            }
            (To::ToolParameters, json) => {
                // Some instrumentations write the schema here.
                if json.is_none_or(|j| j.get("type").is_none() || j.get("properties").is_none()) {
                    self.put(Field::ToolCallArguments, value, trust, at);
                }
                return None;
            }
            (To::Parameters, Some(parameters)) => params::read(parameters, trust, DERIVED, self.c, arena),
            (To::Usage, Some(counts)) => usage::read(counts, trust, DERIVED, self.c),
            (To::Cost, Some(cost)) => usage::read_cost(cost, trust, DERIVED, self.c),
            (To::Request, json) => {
                if let Some(request) = json {
                    params::read(request, trust, DERIVED, self.c, arena);
                    self.imply_kind(Kind::Chat);
                    // Beside an input of its own it may hold the answer too.
                    if self.held(Slot::Input).is_none() {
                        self.hold(Slot::Input, value, at, &[]);
                    }
                }
                return None;
            }
            (To::Object(members), Some(json)) => {
                let object = json.only().unwrap_or(json);
                let mut complete = object.is_object();
                for (path, to) in if complete { members } else { &[] } {
                    let lies = |object: Json<'a>, path: &str| path.split('.').try_fold(object, |j, part| j.get(part));
                    let member = match path.strip_prefix("*.") {
                        Some(path) => object.entries().find_map(|(_, member)| lies(member, path)),
                        None => lies(object, path),
                    };
                    let Some(member) = member else { continue };
                    complete &= match to {
                        To::Parameters => params::read(member, trust, DERIVED, self.c, arena),
                        To::Usage => usage::read(member, trust, DERIVED, self.c),
                        To::OutputMessages => {
                            content::put_member(self, member, trust, at);
                            true
                        }
                        _ => {
                            let side = if let To::Output = to { messages::Side::Output } else { messages::Side::Input };
                            content::note_strangers(self, member, side, at, &[]);
                            self.apply(to, &value::from_json(member, arena), None, trust, DERIVED);
                            true
                        }
                    };
                }
                complete && all_known(object, b"", members, arena)
            }
            _ => false,
        };
        Some(if complete { Fate::Mapped } else { Fate::Keep })
    }

    pub(super) fn hold(&mut self, slot: Slot, value: &Value<'a>, at: u16, inside: &'static [&'static str]) {
        self.pending[slot as usize] = Some(Pending { value: *value, at, inside });
    }

    /// The length of a vector, or of the first of several.
    fn put_vector(&mut self, value: &Value<'a>, trust: u8, at: u16) {
        let first = match value {
            Value::Array([first @ Value::Str(_), ..]) => first,
            value => value,
        };
        let length = match first {
            Value::Array(items) => items.len(),
            value => value::parsed(value, self.cx.arena).map_or(0, |v| v.items().count()),
        };
        if length > 0 {
            self.settle(Field::EmbeddingDimensions, Value::Int(length as i64), trust, at);
        }
    }

    /// One attribute of a list that came as indexed keys.
    fn put_leaf(&mut self, of: Flat, of_parts: bool, value: &Value<'a>, rule: Option<&(Key<'a>, &'static Rule)>, trust: u8, at: u16) {
        let path = rule.and_then(|(key, rule)| self.cx.keys.text(*key).get(rule.key.len() - 1..)).unwrap_or_default();
        // OpenLLMetry's LangChain quotes an empty answer.
        if of_parts && value.as_str() == Some(b"\"\"") {
            return self.mapped(at);
        }
        // Beside the texts, and long.
        if of == Flat::Texts && path.ends_with(b".vector") {
            return self.put_vector(value, trust, at);
        }
        // The type of a value may stand beside it.
        let named = match of {
            Flat::Arguments if !of_parts => path.strip_suffix(b".value"),
            Flat::Arguments | Flat::Input | Flat::Output => Some(path),
            _ => None,
        };
        if let Some(name) = named {
            let is_json = value::parsed(value, self.cx.arena).is_some_and(|j| j.is_object() || j.is_array());
            return self.leaves.push(Leaf { of, path: name, value: *value, is_json, at });
        }
        // What else is known of a document has no place in a part.
        const OF_PARTS: &[&str] = &["url", "mime_type", "name", "id", "content"];
        let last = || path.rsplit(|c| *c == b'.').next().unwrap_or_default();
        if matches!(of, Flat::InputMedia | Flat::OutputMedia) && !text::any(last(), OF_PARTS) {
            return;
        }
        if flat::is_indexed(path) && *value != Value::Empty && self.cx.arena.allocated_bytes() <= self.cx.room {
            let is_json = of_parts && path.ends_with(b".content") && value::parsed(value, self.cx.arena).is_some_and(messages::is_parts);
            self.leaves.push(Leaf { of, path, value: *value, is_json, at });
        }
    }

    /// A member of a list that came apart.
    fn put_inside(&mut self, of: Flat, path: &'static str, value: &Value<'a>, json: Option<Json<'a>>, at: u16) {
        // A content may be the user's own JSON: only text and parts are read.
        let is_part = |j: Json| j.is_string() || j.any(&["text", "content"]).is_some_and(|t| t.is_string());
        let is_content = |j: Json| is_part(j) || j.is_array() && !j.is_empty() && j.items().all(is_part);
        let is_json = json.is_some_and(|j| !path.ends_with("content") || is_content(j));
        // Cut short, it says more where it stands.
        if !is_json && value.as_str().is_some() && (path.ends_with("tool_calls") || path.ends_with("files")) {
            return;
        }
        let role = if of == Flat::OutputMessages { "assistant" } else { "user" };
        self.leaves.push(Leaf { of, path: path.as_bytes(), value: *value, is_json, at });
        if of == Flat::Arguments {
            return;
        }
        self.leaves.push(Leaf { of, path: b"0.role", value: Value::Str(role.as_bytes()), is_json: false, at });
    }

    pub(super) fn put(&mut self, field: Field, value: &Value<'a>, trust: u8, at: u16) {
        let arena = self.cx.arena;
        let text = value.as_str();
        let of_tool = text.filter(|_| matches!(field, Field::ToolCallArguments | Field::ToolCallResult));
        let json = of_tool.and_then(|text| json::parse(text, arena));
        let list = if let Value::Array(_) = value { Some(value::to_json(value, arena)) } else { text };
        let read = match field {
            Field::ToolDefinitions => list.and_then(|list| tools::from_text(list, arena)),
            // Semantic Kernel and the Agent Framework write the whole URL.
            Field::ServerAddress => text.filter(|url| text::position(url, b"://").is_some()).map(provider::host),
            Field::ToolCallResult => json.and_then(|result| content::read_result(self, result)),
            // OpenLLMetry: what LangChain told its handler of the call, with what the tool got in it.
            Field::ToolCallArguments => {
                let told = json.filter(|j| j.get("input_str").is_some());
                told.and_then(|j| j.get("inputs")).filter(Json::is_object).map(|inputs| inputs.to_text(arena))
            }
            Field::SystemInstructions => {
                if let Some(parts) = text.filter(|text| text.starts_with(b"[")).and_then(|text| json::parse(text, arena)) {
                    content::note_strangers(self, parts, messages::Side::Input, at, &[]);
                }
                match list.map(|text| messages::instructions(text, arena)) {
                    // Nothing was said.
                    Some(b"[]") => return self.set_fate(at, Fate::Drop),
                    read => read,
                }
            }
            Field::RetrievalDocuments => list.and_then(|list| content::documents(json::parse(list, arena)?, arena)),
            _ => None,
        };
        let converted = match read {
            Some(text) => Some(Value::Str(text)),
            // What defines no tool stays where it is.
            None if field == Field::ToolDefinitions => None,
            None => match of_tool {
                Some(text) => scalar::of_json(field, text, json, arena),
                None => scalar::convert(field, value, arena),
            },
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
        let before = if field == Field::Provider { self.c.text(field) } else { None };
        let put = self.c.put(field, value, trust, at);
        if before.is_some() && put != Put::Same {
            self.other_provider = if put == Put::Refused { value.as_str() } else { before };
        }
        match put {
            Put::New | Put::Same => self.mapped(at),
            Put::Replaced(before) => {
                self.set_fate(before, Fate::Keep);
                self.mapped(at);
            }
            Put::Refused => {}
        }
    }

    /// The attribute's value is a field's now.
    #[inline(never)]
    pub(super) fn mapped(&mut self, at: u16) {
        self.set_fate(at, Fate::Mapped);
    }

    pub(super) fn set_fate(&mut self, at: u16, fate: Fate<'a>) {
        if at != DERIVED
            && let Some(known) = self.fates.get_mut(usize::from(at))
        {
            *known = fate;
        }
    }

    fn imply_kind(&mut self, kind: Kind) {
        if self.c.kind.is_none() {
            self.c.set_kind(kind);
        }
    }

    /// `names_operation`: a word that the table does not have is an operation too.
    fn put_kind(&mut self, table: &[(&str, Kind)], value: &Value<'a>, names_operation: bool, trust: u8, at: u16) {
        let Some(text) = value.as_str().map(text::unquote) else { return };
        let known = text::lookup_word(table, text);
        if known.is_none() && !names_operation && !words::is_no_call(text) {
            self.unknown_kind = at;
            return;
        }
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
                self.mapped(at);
            }
            return;
        }
        let trust = trust.max(self.kind_trust);
        match known {
            Some(kind) => {
                self.c.set_kind(kind);
                self.c.operation = &[];
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
        self.mapped(at);
    }

    /// Takes the mark out of a JSON object of metadata; what else it holds stays.
    fn mark_inside(&mut self, value: &Value<'a>) -> Fate<'a> {
        let arena = self.cx.arena;
        let parsed = value::parsed(value, arena);
        // Langfuse Python 4.8 to 4.14 propagates nested metadata as text: `"{'is_entry': True}"`.
        let parsed = parsed.and_then(|j| if j.is_string() { json::parse(j.text(arena)?, arena) } else { Some(j) });
        let Some(object) = parsed.filter(Json::is_object) else { return Fate::Keep };
        let mut found = None;
        let mut out = BumpVec::new_in(arena);
        let mut count = 0;
        out.push(b'{');
        for (key, v) in object.entries() {
            let mark = match () {
                () if text::any(key, &["gen_ai.is_entry", "is_entry"]) => Some(v),
                () if text::is(key, "gen_ai") => v.get("is_entry"),
                () => None,
            };
            if mark.is_some() {
                found = found.or(mark);
                continue;
            }
            json::member(&mut out, &mut count, key);
            v.write(&mut out);
        }
        out.push(b'}');
        let Some(found) = found else { return Fate::Keep };
        self.mark = self.mark.or(found.as_bool());
        if count == 0 { Fate::Drop } else { Fate::Rewrite(Value::Str(out.into_bump_slice())) }
    }
}
