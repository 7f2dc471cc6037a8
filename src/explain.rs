//! Why a span goes out as it does: for each attribute its source, the convention and the rule; for each attribute of the source
//! that is gone, why. It looks at what the normaliser left behind and at the bytes that were written, so that nothing is paid
//! for it when nobody asks.

use crate::conventions::{self, ConventionSet, OWN, RuleRef, To};
use crate::engine::Understood;
use crate::entry::Reason;
use crate::genai::{DERIVED, EVENTS, Field, HANDED_DOWN, INFERRED, NAMES, USAGE};
use crate::hash::HashMap;
use crate::json::{self, Json};
use crate::keys::{KeyInfo, Keys};
use crate::normalize::{Fate, Normal, scalar};
use crate::otlp::write::number;
use crate::privacy::{DROPPED, Notes};
use crate::profiles::write::Writing;
use crate::protobuf::{self, Reader};
use crate::span::value;
use crate::span::{Key, Span, Value};
use crate::text::{self, Out};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// Collects the explanations of a body's spans, last span first: the encoder writes backwards.
pub struct Explainer<'k> {
    keys: &'k Keys,
    arena: &'k Bump,
    explained: Vec<&'k [u8]>,
}

/// Writes the members of one JSON object.
struct Object<'o, 'k> {
    out: &'o mut Out<'k>,
    count: usize,
}

impl<'o, 'k> Object<'o, 'k> {
    fn new(out: &'o mut Out<'k>) -> Self {
        out.push(b'{');
        Object { out, count: 0 }
    }

    fn member(&mut self, name: &str) -> &mut Out<'k> {
        json::separate(self.out, self.count);
        self.count += 1;
        json::string(name.as_bytes(), self.out);
        self.out.push(b':');
        self.out
    }

    fn text(&mut self, name: &str, text: &[u8]) {
        json::string(text, self.member(name));
    }

    fn yes(&mut self, name: &str) {
        self.member(name).extend_from_slice_copy(b"true");
    }

    fn hex(&mut self, name: &str, id: &[u8]) {
        json::hex(id, self.member(name));
    }

    fn list<T>(&mut self, name: &str, items: impl Iterator<Item = T>, write: impl Fn(T, &mut Out<'k>)) {
        let out = self.member(name);
        out.push(b'[');
        for (i, item) in items.enumerate() {
            json::separate(out, i);
            write(item, out);
        }
        out.push(b']');
    }

    fn close(self) {
        self.out.push(b'}');
    }
}

impl<'k> Explainer<'k> {
    /// Nothing explained yet.
    pub fn new(keys: &'k Keys, arena: &'k Bump) -> Self {
        Explainer { keys, arena, explained: Vec::new() }
    }

    /// Explains a span that was just written. `written`: the fields of the `Span`, and what the privacy stage did to them.
    pub fn span(&mut self, of: &Understood<'_, 'k>, writing: &Writing, (written, notes): (&[u8], &Notes), reason: Option<Reason>) {
        let span = of.span;
        let mut out = BumpVec::new_in(self.arena);
        let conventions = of.normal.as_deref().map_or(0, |normal| normal.conventions);
        let mut object = self.head(&mut out, span, conventions, (reason.is_some_and(Reason::is_entry), why(of, reason)));
        if let Some(normal) = of.normal.as_deref() {
            self.attributes(span, normal, writing, (written, notes), &mut object);
        } else if !notes.is_empty() {
            object.list("attributes", notes.iter(), |(key, note), out| {
                let mut object = Object::new(out);
                object.text("key", key);
                object.text("privacy", note.as_bytes());
                object.close();
            });
        }
        object.close();
        self.explained.push(out.into_bump_slice());
    }

    /// Explains the attributes and the events of a span that some convention knows or some rule touches.
    fn attributes(
        &self,
        span: &Span<'k>,
        normal: &Normal<'k>,
        writing: &Writing,
        (written, notes): (&[u8], &Notes),
        object: &mut Object<'_, 'k>,
    ) {
        let keys = BumpVec::from_iter_in(attribute_keys(written), self.arena);
        let (mut said, fates) = writing.said(span, normal, self.keys, self.arena);
        let dropped = said.iter().filter_map(|(key, _, at)| dropped(notes, key).map(|note| (*at, note))).collect();
        let sources = || span.attributes.iter().map(|attr| self.keys.text(attr.key));
        // Of events, of links and of the status.
        let is_of_part = |key: &[u8]| !keys.contains(&key) && !said.iter().any(|(said, ..)| *said == key) && !sources().any(|at| at == key);
        let of_parts: Vec<_> =
            notes.iter().filter(|(key, note)| note.starts_with(DROPPED) && is_of_part(key)).map(|(key, _)| (None, &**key)).collect();
        said.retain(|(key, ..)| keys.contains(key));
        let stays = span.attributes.iter().zip(fates).filter(|(attr, fate)| {
            let key = self.keys.text(attr.key);
            writing.keeps(**fate, normal.is_llm()) && keys.contains(&key) && said.iter().all(|(said, ..)| *said != key)
        });
        let mut found = Found { by_value: HashMap::default(), keys: Vec::new(), arena: self.arena };
        for (key, value, _) in &said {
            found.add(key, *value);
        }
        for (attr, fate) in stays {
            found.add(self.keys.text(attr.key), if let Fate::Rewrite(value) = fate { *value } else { attr.value });
        }
        let said = Said { keys: self.keys, span, normal, writing, said, fates, found, notes, dropped };
        object.list("attributes", keys.iter(), |key, out| said.attribute(key, out));
        let gone = sources().enumerate().filter(|(_, key)| !keys.contains(key)).map(|(at, key)| (Some(at), key));
        object.list("gone", gone.chain(of_parts), |(at, key), out| said.gone(at, key, out));
        let gone = span
            .events
            .iter()
            .zip(&normal.event_fates)
            .filter(|(_, fate)| !writing.keeps(**fate, normal.is_llm()))
            .map(|(event, _)| event.name);
        object.list("goneEvents", gone, json::string);
    }

    fn head<'o>(
        &self,
        out: &'o mut Out<'k>,
        span: &Span,
        conventions: ConventionSet,
        (entry, (code, why)): (bool, (&str, &str)),
    ) -> Object<'o, 'k> {
        let mut object = Object::new(out);
        object.hex("traceId", &span.trace_id);
        object.hex("spanId", &span.span_id);
        object.text("name", span.name);
        object.list("conventions", conventions::names(conventions), |name, out| json::string(name.as_bytes(), out));
        let mut decision = Object::new(object.member("entry"));
        decision.member("is").extend_from_slice_copy(if entry { b"true" } else { b"false" });
        decision.text("code", code.as_bytes());
        decision.text("why", why.as_bytes());
        decision.close();
        object
    }

    /// `[{traceId, spanId, name, conventions, entry: {is, code, why}, attributes?: [{key, …}], gone?: [{key, …}], goneEvents?}]`
    pub fn finish(self) -> Vec<u8> {
        let mut out = vec![b'['];
        for (i, span) in self.explained.iter().rev().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(span);
        }
        out.push(b']');
        out
    }
}

/// Why a span is, or is not, the entry: a code for programs, and a sentence. `None`: nothing decided it.
fn why(of: &Understood, reason: Option<Reason>) -> (&'static str, &'static str) {
    match reason {
        // To the tree an evaluator or its like is a span that is not LLM.
        Some(Reason::NotLlm) if of.normal.as_deref().is_some_and(Normal::is_llm) => {
            ("opens_no_segment", "a span of its kind opens no segment")
        }
        _ if of.normal.is_none() && !reason.is_some_and(Reason::is_entry) => {
            ("unknown", "no convention knows the span: it goes out as it came")
        }
        Some(Reason::Marked) => ("marked", "it is marked, and no span above it is marked"),
        Some(Reason::Outermost) => ("outermost", "no span above it is an LLM span, and no span below it is marked"),
        Some(Reason::InPlaceOfSegments) => ("above_segments", "it is no LLM span, and stands for the LLM segments below it"),
        Some(Reason::Refuses) => ("refuses", "it says that it is not"),
        Some(Reason::NotLlm) => ("not_llm", "it is no LLM span"),
        Some(Reason::CopiedMark) => ("copied_mark", "a span above it carries the mark: this one is a copy"),
        Some(Reason::LateMark) => ("late_mark", "its mark came after another entry of its path was decided"),
        Some(Reason::BelowMark) => ("below_mark", "a span above it is marked"),
        Some(Reason::BelowLlm) => ("below_llm", "a span above it is an LLM span"),
        Some(Reason::AboveMark) => ("above_mark", "a span below it is marked"),
        Some(Reason::CalledFromSegment) => {
            ("called_from_segment", "the process was called from inside an LLM segment, which has its entry")
        }
        Some(Reason::NotRoot) => ("parent_elsewhere", "its instrumentation saw a span above it that is not here"),
        Some(Reason::Elsewhere) => ("other_segment", "another segment of the trace has the entry"),
        None => ("not_detected", "entries are not looked for"),
    }
}

/// The fields of a message; what comes after a broken one is left out.
fn fields(message: &[u8]) -> impl Iterator<Item = protobuf::Field<'_>> {
    let mut reader = Reader::new(0, message);
    std::iter::from_fn(move || reader.field().ok().flatten())
}

fn bytes(field: protobuf::Field<'_>) -> &[u8] {
    field.bytes().map_or(&[], |(_, bytes)| bytes)
}

/// The keys of the attributes of an encoded span, in order.
fn attribute_keys(span: &[u8]) -> impl Iterator<Item = &[u8]> {
    let attributes = fields(span).filter(|field| field.number == number::ATTRIBUTES).map(bytes);
    attributes.map(|attribute| fields(attribute).find(|field| field.number == number::KEY).map_or(&[][..], bytes))
}

/// Why the privacy stage left an attribute out, if it did.
fn dropped(notes: &Notes, key: &[u8]) -> Option<&'static str> {
    notes.iter().find(|(noted, note)| **noted == *key && note.starts_with(DROPPED)).map(|(_, note)| *note)
}

/// So many values are named of an attribute.
const MAX_MISSING: usize = 20;
/// JSON inside of JSON is looked into so many times.
const MAX_NESTED: usize = 8;

/// Members whose values are words of a shape (what a message, a part or a choice is), which is read from them.
const OF_SHAPE: &[&str] =
    &["role", "type", "object", "index", "lc", "finish_reason", "finish_reasons", "finishReason", "stop_reason", "stopReason", "kind"];

/// The single values of what goes out, by their texts: which of the attributes has each.
struct Found<'k> {
    by_value: HashMap<&'k [u8], usize>,
    keys: Vec<&'k [u8]>,
    arena: &'k Bump,
}

impl<'k> Found<'k> {
    fn add(&mut self, key: &'k [u8], value: Value<'k>) {
        let (by_value, at) = (&mut self.by_value, self.keys.len());
        leaves(value, self.arena, &mut |_, leaf, _| {
            by_value.entry(leaf).or_insert(at);
        });
        self.keys.push(key);
    }

    fn get(&self, leaf: &[u8]) -> Option<&'k [u8]> {
        let data = leaf.starts_with(b"data:").then(|| memchr::memchr(b',', leaf)).flatten().map(|comma| &leaf[comma + 1..]);
        [Some(leaf), data].into_iter().flatten().find_map(|leaf| self.keys.get(*self.by_value.get(leaf)?).copied())
    }
}

/// Takes a single value: its path, its text, and whether it is no text.
type TakeLeaf<'f, 'k> = dyn FnMut(&[u8], &'k [u8], bool) + 'f;

/// Gives each single value inside of another one. What is null is left out.
fn leaves<'k>(value: Value<'k>, arena: &'k Bump, f: &mut TakeLeaf<'_, 'k>) {
    let text = match value {
        Value::Str(text) => text,
        value => value::to_json(&value, arena),
    };
    match json::parse(text, arena).filter(|j| j.is_object() || j.is_array()) {
        Some(j) => json_leaves(j, &mut Vec::new(), MAX_NESTED, arena, f),
        None => f(b"", text.trim_ascii(), value.as_str().is_none()),
    }
}

fn json_leaves<'k>(j: Json<'k>, path: &mut Vec<u8>, nested: usize, arena: &'k Bump, f: &mut TakeLeaf<'_, 'k>) {
    let length = path.len();
    let mut below = |name: &[u8], j: Json<'k>, path: &mut Vec<u8>| {
        if length > 0 {
            path.push(b'.');
        }
        path.extend_from_slice(name);
        json_leaves(j, path, nested, arena, f);
        path.truncate(length);
    };
    if j.is_array() {
        j.items().enumerate().for_each(|(i, item)| below(i.to_string().as_bytes(), item, path));
    } else if j.is_object() {
        j.entries().for_each(|(name, member)| below(name, member, path));
    } else if let Some(text) = j.text(arena) {
        let inner = json::parse(text, arena).filter(|j| nested > 0 && (j.is_object() || j.is_array()));
        match inner {
            Some(inner) => json_leaves(inner, path, nested - 1, arena, f),
            None => f(path, text.trim_ascii(), false),
        }
    } else if !j.is_null() {
        f(path, value::to_json(&value::from_json(j, arena), arena), true);
    }
}

/// The last name in a path, indexes left out.
fn last_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'.').find(|name| !name.iter().all(u8::is_ascii_digit)).unwrap_or_default()
}

/// Does a rule read what a model used?
fn is_usage(to: To) -> bool {
    match to {
        To::Field(field) | To::Unless(field, _) | To::Aggregated(field) | To::CacheBeside(field) => USAGE.contains(&field),
        To::OfOneCall(to) | To::FirstWord(to) | To::Enveloped(to) | To::Items(to) | To::Like(_, to) => is_usage(*to),
        To::All(all) => all.iter().any(|to| is_usage(*to)),
        To::Usage | To::UsagePart | To::Cost | To::UncachedInput | To::UncachedPart => true,
        _ => false,
    }
}

/// The single values inside of an attribute of the source, by their paths.
#[derive(Default)]
struct Members<'s> {
    /// Each with the attribute that has it.
    said: Vec<(Vec<u8>, &'s [u8])>,
    /// Those that no attribute has.
    missing: Vec<Vec<u8>>,
}

impl Members<'_> {
    fn write(&self, object: &mut Object<'_, '_>) {
        if !self.said.is_empty() {
            object.list("members", self.said.iter().take(MAX_MISSING), |(path, key), out| {
                let mut member = Object::new(out);
                member.text("path", path);
                member.text("in", key);
                member.close();
            });
        }
        if !self.missing.is_empty() {
            object.list("missing", self.missing.iter().take(MAX_MISSING), |path, out| json::string(path, out));
        }
    }
}

/// One span as a profile says it.
struct Said<'s, 'k> {
    keys: &'s Keys,
    span: &'s Span<'k>,
    normal: &'s Normal<'k>,
    writing: &'s Writing,
    /// What was written of the canonical form: each key, its value, and where it has that from.
    said: Vec<(&'s [u8], Value<'s>, u16)>,
    /// What became of each attribute of the source.
    fates: &'s [Fate<'s>],
    /// The values that go out.
    found: Found<'s>,
    /// What the privacy stage did.
    notes: &'s Notes,
    /// The attributes of the source that gave what it left out, and why it did.
    dropped: Vec<(u16, &'static str)>,
}

impl<'s, 'k> Said<'s, 'k> {
    fn attribute(&self, key: &[u8], out: &mut Out<'k>) {
        let mut object = Object::new(out);
        object.text("key", key);
        let source = self.span.attributes.iter().position(|attr| self.keys.text(attr.key) == key);
        let said = self.said.iter().find(|(said, ..)| *said == key);
        match (said, source) {
            (Some((.., DERIVED)), _) => object.text("how", b"follows from other fields"),
            (Some((.., INFERRED)), _) => object.text("how", b"guessed from the server's address or the model's name"),
            (Some((.., NAMES)), _) => object.text("how", b"told by the name of the span or of its scope"),
            (Some((.., HANDED_DOWN)), _) => object.text("how", b"handed down from a span above it"),
            (Some((.., EVENTS)), _) => object.text("how", b"told by events of the span"),
            (Some((.., at)), _) => self.rule(usize::from(*at), &mut object),
            (None, _) if self.keys.find(key) == Some(self.writing.entry_key()) => {
                object.text("how", To::Mark.label().as_bytes());
                object.yes("mark");
            }
            (None, Some(at)) => {
                let kept: &[u8] = match self.fates.get(at) {
                    Some(Fate::Rewrite(_)) if self.normal.fates.get(at) == self.fates.get(at) => {
                        b"without the mark of the entry that it held"
                    }
                    Some(Fate::Rewrite(_)) => b"in a form that the backend takes",
                    Some(Fate::Mapped) if self.writing.keeps(Fate::Mapped, self.normal.is_llm()) => {
                        b"all attributes of the source are to stay"
                    }
                    _ if self.by(at).next().is_some() => b"others say a part of it",
                    _ => b"no attribute of the profile says it",
                };
                object.text("kept", kept);
                if self.by(at).next().is_some() {
                    self.members(at).write(&mut object);
                }
            }
            (None, None) => object.text("how", b"composed of canonical fields"),
        }
        let notes: Vec<_> = self.notes.iter().filter(|(noted, _)| **noted == *key).map(|(_, note)| *note).collect();
        if !notes.is_empty() {
            object.text("privacy", notes.join(", ").as_bytes());
        }
        object.close();
    }

    /// The keys that have their values from an attribute of the source.
    fn by(&self, at: usize) -> impl Iterator<Item = &'s [u8]> {
        self.said.iter().filter(move |(.., origin)| usize::from(*origin) == at).map(|(key, ..)| *key)
    }

    /// `at`: which attribute of the span it is, if it is one.
    fn gone(&self, at: Option<usize>, key: &[u8], out: &mut Out<'k>) {
        let mut object = Object::new(out);
        object.text("key", key);
        let at = at.unwrap_or(usize::MAX);
        self.rule(at, &mut object);
        let mut by: Vec<_> = self.by(at).collect();
        let in_other = self.dropped.iter().find(|(dropped, _)| usize::from(*dropped) == at && by.is_empty());
        let dropped = in_other.map(|(_, note)| *note).or_else(|| dropped(self.notes, key));
        let mut members = Members::default();
        let why = if dropped.is_some() { "content is not to leave" } else { self.why_gone(at, &mut by, &mut members) };
        object.text("why", why.as_bytes());
        object.list("by", by.iter(), |key, out| json::string(key, out));
        members.write(&mut object);
        if let Some(note) = dropped {
            object.text("privacy", note.as_bytes());
        }
        object.close();
    }

    /// Where the members of an attribute that stays are besides.
    fn members(&self, at: usize) -> Members<'s> {
        let mut members = Members::default();
        let Some(attr) = self.span.attributes.get(at) else { return members };
        let own = self.keys.text(attr.key);
        leaves(attr.value, self.found.arena, &mut |path, leaf, _| match self.found.get(leaf).filter(|key| *key != own) {
            _ if path.is_empty() => {}
            Some(key) => members.said.push((path.to_vec(), key)),
            None if text::any(last_name(path), OF_SHAPE) => {}
            None => members.missing.push(path.to_vec()),
        });
        members
    }

    /// Why an attribute of the source is gone. `by` has the keys that were made of it, and gets those that have its values; `members` gets where
    /// each of them is.
    fn why_gone(&self, at: usize, by: &mut Vec<&'s [u8]>, members: &mut Members<'s>) -> &'static str {
        let Some(attr) = self.span.attributes.get(at) else { return "it is not there" };
        let to = self.rule_of(at).map(|r| r.rule.to);
        match self.fates.get(at) {
            Some(Fate::Drop) => {
                return match to {
                    _ if attr.value == Value::Empty => "it has no value",
                    _ if !by.is_empty() => "said by others",
                    Some(To::Drop) => "it may hold a secret",
                    Some(to) if to.is_mark() => "a mark of the entry, which was read",
                    _ if self.normal.fates.get(at) == Some(&Fate::Drop) => "a placeholder, which says nothing",
                    _ => "the backend would not take it",
                };
            }
            Some(Fate::Keep | Fate::Rewrite(_)) => return "no attribute of the source is to stay",
            _ => {}
        }
        if let Some(To::Vector) = to {
            return "a vector: its length is sent, not its numbers";
        }
        let is_composite =
            json::parse(attr.value.as_str().unwrap_or(b"{}"), self.found.arena).is_some_and(|j| j.is_object() || j.is_array());
        if !by.is_empty() && !is_composite && !matches!(to, Some(To::Flat(_) | To::FlatParts(_) | To::Inside(..))) {
            return "said by others";
        }
        let c = &self.normal.canonical;
        // A value as its field has it is the same value; counts are made inclusive.
        let of_field = match to {
            Some(To::Field(field) | To::Aggregated(field) | To::Unless(field, _) | To::CacheBeside(field)) => Some(field),
            _ => None,
        };
        let counts = matches!(to, Some(To::Usage | To::Cost | To::Parameters | To::Object(_)));
        let (mut found, mut lost) = (0, 0);
        leaves(attr.value, self.found.arena, &mut |path, leaf, is_no_text| {
            let converted = of_field.filter(|_| path.is_empty()).and_then(|field| scalar::convert(field, &attr.value, self.found.arena));
            let converted = converted.map(|value| if let Value::Array([one]) = value { *one } else { value });
            let converted = converted.map(|value| value.as_str().unwrap_or_else(|| value::to_json(&value, self.found.arena)));
            let name = if path.is_empty() { self.keys.text(attr.key).rsplit(|byte| *byte == b'.').next() } else { None };
            let name = name.unwrap_or_else(|| last_name(path));
            let says_nothing = leaf.is_empty() || scalar::is_absence(Field::Provider, &Value::Str(leaf));
            match [Some(leaf), converted].into_iter().flatten().find_map(|leaf| self.found.get(leaf)) {
                Some(key) => {
                    found += 1;
                    members.said.extend((!path.is_empty()).then(|| (path.to_vec(), key)));
                    if !by.contains(&key) {
                        by.push(key);
                    }
                }
                None if says_nothing || text::any(name, OF_SHAPE) || is_no_text && (counts || text::position(path, b"usage").is_some()) => {
                }
                None => {
                    lost += 1;
                    members.missing.extend((!path.is_empty()).then(|| path.to_vec()));
                }
            }
        });
        if found == 0 && lost > 0 {
            by.clear();
            members.said.clear();
        }
        let of_status = matches!(to, Some(To::Level | To::StatusMessage | To::Failed(_)));
        match to {
            _ if lost == 0 && (found > 0 || !by.is_empty()) => "said by others",
            _ if found > 0 => "others say a part of it",
            _ if c.aggregated && by.is_empty() && to.is_some_and(is_usage) => "the spans below it say it",
            _ if of_status => "the status of the span says it",
            Some(To::Spent | To::All(_)) => "left out: the tables have it for nothing more",
            _ if lost == 0 => "it says nothing",
            _ => "nothing else says it",
        }
    }

    fn rule_of(&self, at: usize) -> Option<RuleRef> {
        let attr = self.span.attributes.get(at)?;
        let looked_up;
        let info = match attr.key {
            Key::Id(id) => self.keys.get(id),
            Key::Text(text) => {
                looked_up = KeyInfo::new(text, self.keys.mappings);
                Some(&looked_up)
            }
        };
        let holds = |r: &&RuleRef| {
            r.rule.to.is_mark()
                || matches!(r.rule.to, To::Drop)
                || r.convention & (self.normal.conventions | conventions::everywhere()) != 0
        };
        info?.rules.iter().filter(holds).max_by_key(|r| (r.rule.trust == OWN, r.rule.trust)).copied()
    }

    /// The convention and the row of its table by which an attribute was read.
    fn rule(&self, at: usize, object: &mut Object<'_, 'k>) {
        let (Some(attr), Some(r)) = (self.span.attributes.get(at), self.rule_of(at)) else { return };
        object.text("from", self.keys.text(attr.key));
        conventions::names(r.convention).take(1).for_each(|name| object.text("convention", name.as_bytes()));
        object.text("rule", r.rule.key.as_bytes());
        object.text("how", r.rule.to.label().as_bytes());
        if r.rule.to.is_mark() {
            object.yes("mark");
        }
    }
}
