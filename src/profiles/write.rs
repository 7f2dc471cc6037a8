//! Writes a span for a profile: the canonical fields under the profile's keys, and of the source what shall stay.

use super::{ENTRY_KEY, OPERATION_KEY, SPAN_KIND_KEY, Table};
use crate::json;
use crate::keys::Keys;
use crate::normalize::canonical::{Canonical, Field};
use crate::normalize::{Fate, Normal};
use crate::otlp::wire::Writer;
use crate::otlp::write::{self, number};
use crate::span::{Key, NO_PARENT, Span, Value, status};
use bumpalo::Bump;
use hashbrown::HashSet;
use serde::Deserialize;

/// The fields that count what a model used.
const USAGE: &[Field] = &[
    Field::InputTokens,
    Field::OutputTokens,
    Field::TotalTokens,
    Field::CacheReadTokens,
    Field::CacheWriteTokens,
    Field::ReasoningTokens,
    Field::TextInputTokens,
    Field::ImageInputTokens,
    Field::AudioInputTokens,
    Field::TextOutputTokens,
    Field::ImageOutputTokens,
    Field::AudioOutputTokens,
    Field::Cost,
];

/// What becomes of the source's attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// Those stay that no attribute of the profile says.
    Unmapped,
    /// All stay.
    All,
    /// None stays.
    None,
}

/// A profile with its keys looked up.
#[derive(Debug)]
pub struct Writing {
    table: &'static Table,
    keep: Keep,
    /// The keys of each field, by the field's number: first and last index into `keys`.
    ranges: Vec<(u16, u16)>,
    /// Likewise, for a span whose usage repeats that of its children.
    aggregated: Vec<(u16, u16)>,
    keys: Vec<u32>,
    operation: u32,
    span_kind: u32,
    entry: u32,
}

/// The keys that the profile writes for a span, so that none is written twice. Profile keys have the lowest numbers.
#[derive(Default)]
struct Said([u64; 8]);

impl Said {
    fn add(&mut self, id: u32) {
        if let Some(word) = self.0.get_mut(id as usize / 64) {
            *word |= 1 << (id % 64);
        }
    }

    fn has(&self, key: Key) -> bool {
        match key {
            Key::Id(id) => self.0.get(id as usize / 64).is_some_and(|word| word & 1 << (id % 64) != 0),
            Key::Text(_) => false,
        }
    }
}

impl Writing {
    /// Looks up the profile's keys.
    pub fn new(table: &'static Table, keep: Keep, keys: &Keys) -> Self {
        let id = |key: &str| keys.find(key.as_bytes()).unwrap_or(u32::MAX);
        let mut writing = Writing {
            table,
            keep,
            ranges: vec![(0, 0); Field::ALL.len()],
            aggregated: Vec::new(),
            keys: Vec::new(),
            operation: id(OPERATION_KEY),
            span_kind: id(SPAN_KIND_KEY),
            entry: id(ENTRY_KEY),
        };
        let mut look_up = |names: &[&str]| {
            let from = writing.keys.len() as u16;
            writing.keys.extend(names.iter().map(|name| id(name)));
            (from, writing.keys.len() as u16)
        };
        for (field, names) in table.keys {
            writing.ranges[*field as usize] = look_up(names);
        }
        writing.aggregated = writing.ranges.clone();
        USAGE.iter().for_each(|field| writing.aggregated[*field as usize] = (0, 0));
        for (field, names) in table.aggregated {
            writing.aggregated[*field as usize] = look_up(names);
        }
        writing
    }

    fn keys_of(&self, c: &Canonical, field: Field) -> &[u32] {
        let ranges = if c.aggregated { &self.aggregated } else { &self.ranges };
        let (from, to) = ranges[field as usize];
        &self.keys[usize::from(from)..usize::from(to)]
    }

    /// Writes the fields of a span, without the mark of an entry.
    pub fn span<'a>(&self, w: &mut Writer, span: &Span<'a>, normal: Option<&Normal<'a>>, keys: &Keys, arena: &'a Bump) {
        let (mut code, mut message) = (span.status_code, span.status_message);
        if let Some(n) = &normal {
            if n.canonical.failed {
                code = status::ERROR;
            }
            if message.is_empty() {
                message = n.canonical.status_message;
            }
        }
        span.raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
        if span.flags != 0 {
            w.fixed32_field(number::FLAGS, span.flags);
        }
        if let Some(raw) = span.raw_status.filter(|_| code == span.status_code && message == span.status_message) {
            w.bytes(raw);
        } else if code != status::UNSET || !message.is_empty() {
            let mark = w.mark();
            w.varint_field(number::STATUS_CODE, u64::from(code));
            w.text_field(number::STATUS_MESSAGE, message);
            w.close(number::STATUS, mark);
        }
        w.varint_field(number::DROPPED_LINKS, u64::from(span.dropped_links));
        span.links.iter().rev().for_each(|link| write::link(w, link, keys));
        w.varint_field(number::DROPPED_EVENTS, u64::from(span.dropped_events));
        for (i, event) in span.events.iter().enumerate().rev() {
            let fate = normal.as_ref().and_then(|n| n.event_fates.get(i)).copied().unwrap_or(Fate::Keep);
            if self.keeps(fate) {
                write::event(w, event, keys);
            }
        }
        w.varint_field(number::DROPPED_ATTRIBUTES, u64::from(span.dropped_attributes));
        match normal {
            Some(n) => self.attributes(w, span, n, keys, arena),
            None => write::kept_attributes(w, number::ATTRIBUTES, span.attributes, keys),
        }
        w.fixed64_field(number::END, span.end);
        w.fixed64_field(number::START, span.start);
        w.varint_field(number::KIND, u64::from(span.kind));
        w.text_field(number::NAME, span.name);
        if span.parent_id != NO_PARENT {
            w.bytes_field(number::PARENT_SPAN_ID, &span.parent_id);
        }
        w.text_field(number::TRACE_STATE, span.trace_state);
        w.bytes_field(number::SPAN_ID, &span.span_id);
        w.bytes_field(number::TRACE_ID, &span.trace_id);
    }

    /// Does an attribute or event of the source stay?
    pub fn keeps(&self, fate: Fate) -> bool {
        match fate {
            Fate::Drop => false,
            Fate::Keep | Fate::Rewrite(_) => self.keep != Keep::None,
            Fate::Mapped => self.keep == Keep::All,
        }
    }

    /// The canonical fields, then what stays of the source.
    fn attributes<'a>(&self, w: &mut Writer, span: &Span<'a>, n: &Normal<'a>, keys: &Keys, arena: &'a Bump) {
        let mut said = Said::default();
        // The profile's own view: another destination may have another profile.
        let mut fates = n.fates.clone();
        let mut words = [(self.operation, &[][..]), (self.span_kind, &[])];
        let completed = self.completed(n, arena);
        let c = n.is_llm().then(|| completed.as_ref().unwrap_or(&n.canonical));
        if let Some(c) = c {
            self.unsaid(&n.canonical, &mut fates);
            c.fields().flat_map(|(field, _)| self.keys_of(c, field)).for_each(|id| said.add(*id));
            if c.aggregated {
                // The children say it: where all of the source stays, the backend would count it again.
                let plain = USAGE.iter().map(|field| self.ranges[*field as usize]);
                plain.flat_map(|(from, to)| &self.keys[usize::from(from)..usize::from(to)]).for_each(|id| said.add(*id));
            }
            words[0].1 = c.kind.map_or(c.operation, |k| k.operation().as_bytes());
            if let (Some(of_profile), Some(kind)) = (self.table.span_kind, c.kind) {
                words[1].1 = of_profile(kind.span_kind()).as_bytes();
            }
            words.iter().filter(|(_, text)| !text.is_empty()).for_each(|(id, _)| said.add(*id));
        }
        for (attr, &fate) in span.attributes.iter().zip(&fates).rev() {
            if !self.keeps(fate) || said.has(attr.key) {
                continue;
            }
            match fate {
                Fate::Rewrite(value) => write::attribute(w, number::ATTRIBUTES, attr.key, &value, keys),
                _ => write::kept_attribute(w, number::ATTRIBUTES, attr, keys),
            }
        }
        if let Some(c) = c {
            for (field, value) in c.fields() {
                for &id in self.keys_of(c, field) {
                    write::attribute(w, number::ATTRIBUTES, Key::Id(id), &value, keys);
                }
            }
            self.prompt_variables(w, c, keys, arena);
        }
        for (id, text) in words.iter().rev().filter(|(_, text)| !text.is_empty()) {
            write::attribute(w, number::ATTRIBUTES, Key::Id(*id), &Value::Str(text), keys);
        }
    }

    /// The canonical form with what this profile fills in; `None`: it fills in nothing.
    fn completed<'a>(&self, n: &Normal<'a>, arena: &'a Bump) -> Option<Canonical<'a>> {
        let complete = self.table.complete.filter(|_| n.is_llm())?;
        let mut completed = n.canonical.clone();
        complete(&mut completed, arena);
        Some(completed)
    }

    /// Each variable of the prompt template by its name.
    fn prompt_variables<'a>(&self, w: &mut Writer, c: &Canonical<'a>, keys: &Keys, arena: &'a Bump) {
        let (Some(prefix), Some(text)) = (self.table.prompt_variables, c.text(Field::PromptVariables)) else { return };
        let Some(variables) = json::parse(text, arena) else { return };
        // JSON may name a member twice, a span its attributes once.
        let mut said = HashSet::new();
        for (name, value) in variables.entries().filter(|(name, _)| said.insert(*name)) {
            let key = [prefix.as_bytes(), name].concat();
            write::attribute(
                w,
                number::ATTRIBUTES,
                Key::Text(&key),
                &Value::Str(value.text(arena).unwrap_or_else(|| value.to_text(arena))),
                keys,
            );
        }
    }

    /// The keys that say the canonical form, and where each has its value from ([`Canonical::origin`]). For `explain`.
    pub fn said<'a>(&self, n: &Normal<'a>, arena: &'a Bump) -> Vec<(u32, u16)> {
        if !n.is_llm() {
            return Vec::new();
        }
        let completed = self.completed(n, arena);
        let c = completed.as_ref().unwrap_or(&n.canonical);
        let fields = c.fields().flat_map(|(field, _)| self.keys_of(c, field).iter().map(move |id| (*id, c.origin(field))));
        fields.chain([(self.operation, c.kind_origin), (self.span_kind, c.kind_origin)]).collect()
    }

    /// The number of the key that marks an entry.
    pub fn entry_key(&self) -> u32 {
        self.entry
    }

    /// The mark of the entry span, as fields that follow those of [`Writing::span`].
    pub fn entry_mark(&self, w: &mut Writer, value: &Value, keys: &Keys) {
        write::attribute(w, number::ATTRIBUTES, Key::Id(self.entry), value, keys);
    }

    /// What an entry shows for want of its own input and output: those of the trace.
    pub fn entry_content<'a>(&self, w: &mut Writer, n: &Normal<'a>, keys: &Keys, arena: &'a Bump) {
        let completed = self.completed(n, arena);
        let c = completed.as_ref().unwrap_or(&n.canonical);
        for (own, trace) in [(Field::EntityInput, Field::TraceInput), (Field::EntityOutput, Field::TraceOutput)] {
            if let Some(value) = c.get(trace).filter(|_| !c.has(own)) {
                for &id in self.keys_of(c, own) {
                    write::attribute(w, number::ATTRIBUTES, Key::Id(id), &value, keys);
                }
            }
        }
    }

    /// An attribute whose field this profile has no key for stays, as if nothing had mapped it.
    fn unsaid(&self, c: &Canonical, fates: &mut [Fate]) {
        let kind_is_said = self.table.span_kind.is_some() || c.kind.is_some_and(|kind| !kind.operation().is_empty());
        if let Some(fate @ Fate::Mapped) = fates.get_mut(usize::from(c.kind_source)).filter(|_| !kind_is_said) {
            *fate = Fate::Keep;
        }
        for (field, _) in c.fields().filter(|(field, _)| self.keys_of(c, *field).is_empty()) {
            // What the children say too is said, and variables are said one by one.
            let said = c.aggregated && USAGE.contains(&field) || field == Field::PromptVariables && self.table.prompt_variables.is_some();
            if said {
                continue;
            }
            if let Some(fate @ Fate::Mapped) = fates.get_mut(usize::from(c.source(field))) {
                *fate = Fate::Keep;
            }
        }
    }
}
