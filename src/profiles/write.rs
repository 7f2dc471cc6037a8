//! Writes a span for a profile: the canonical fields under the profile's keys, and of the source what shall stay.

use super::compose::{Composed, Source};
use super::{Paths, Table};
use crate::genai::{Canonical, DERIVED, Field, Kind, USAGE};
use crate::json::read::read_enum;
use crate::keys::Keys;
use crate::normalize::{Fate, Normal, Stranger};
use crate::otlp::write::{self, number};
use crate::protobuf::Writer;
use crate::span::{Event, Key, NO_PARENT, Span, Value, status, value};
use crate::text;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// What becomes of the source's attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Those stay that no attribute of the profile says.
    Unmapped,
    /// All stay.
    All,
    /// None stays.
    None,
}

read_enum!(Keep { "unmapped" => Keep::Unmapped, "all" => Keep::All, "none" => Keep::None, });

/// A profile with its keys looked up.
pub struct Writing {
    table: &'static Table,
    keep: Keep,
    /// The keys of each field, by the field's number: first and last index into `keys`.
    ranges: Vec<(u16, u16)>,
    /// Likewise, for a span whose usage repeats that of its children.
    aggregated: Vec<(u16, u16)>,
    keys: Vec<u32>,
    operation: u32,
    kind: u32,
    entry: u32,
    trace: [u32; 2],
}

/// A span as a profile sees it.
struct View<'a> {
    /// It is more than a span of an LLM library.
    llm: bool,
    /// The canonical form, with what the profile fills in.
    canonical: &'a Canonical<'a>,
    composed: Composed<'a>,
    /// What becomes of each attribute of the source: another destination may have another profile.
    fates: &'a mut [Fate<'a>],
    /// The operation and the kind of span, each with its key.
    words: [(u32, &'a [u8]); 2],
    said: Said,
}

impl<'a> View<'a> {
    /// A span that no convention knows.
    fn plain(span: &Span<'a>, arena: &'a Bump) -> Self {
        View {
            llm: false,
            canonical: arena.alloc_with(|| Canonical::new(arena)),
            composed: Composed::new(arena),
            fates: arena.alloc_slice_fill_copy(span.attributes.len(), Fate::Keep),
            words: [(u32::MAX, &[]); 2],
            said: Said::default(),
        }
    }
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

    fn has(&self, key: Key, keys: &Keys) -> bool {
        // A host that has no number for a key yet hands it over as text.
        let id = match key {
            Key::Id(id) => Some(id),
            Key::Text(text) => keys.find(text),
        };
        id.is_some_and(|id| self.0.get(id as usize / 64).is_some_and(|word| word & 1 << (id % 64) != 0))
    }
}

impl Writing {
    /// Looks up the profile's keys.
    pub fn new(table: &'static Table, keep: Keep, keys: &Keys) -> Self {
        let id = |key: &str| keys.find(key.as_bytes()).unwrap_or(u32::MAX);
        let optional = |key: Option<&str>| key.map_or(u32::MAX, id);
        let mut writing = Writing {
            table,
            keep,
            ranges: vec![(0, 0); Field::ALL.len()],
            aggregated: Vec::new(),
            keys: Vec::new(),
            operation: optional(table.operation),
            kind: optional(table.kind.map(|(key, _)| key)),
            entry: id(table.entry),
            trace: [0, 1].map(|side| optional(table.trace.map(|keys| keys[side]))),
        };
        let mut look_up = |names: &[&str]| {
            let from = writing.keys.len() as u16;
            writing.keys.extend(names.iter().map(|name| id(name)));
            (from, writing.keys.len() as u16)
        };
        for (field, names) in table.all_keys() {
            writing.ranges[*field as usize] = look_up(names);
        }
        writing.aggregated = writing.ranges.clone();
        USAGE.iter().for_each(|field| writing.aggregated[*field as usize] = (0, 0));
        for (field, names) in table.all_aggregated() {
            writing.aggregated[*field as usize] = look_up(names);
        }
        writing
    }

    #[inline(always)]
    fn keys_of(&self, c: &Canonical, field: Field) -> &[u32] {
        let aggregated = if field.is_cost() { c.cost_aggregated } else { c.aggregated };
        let ranges = if aggregated { &self.aggregated } else { &self.ranges };
        let (from, to) = ranges[field as usize];
        &self.keys[usize::from(from)..usize::from(to)]
    }

    /// Writes the fields of a span, without the mark of an entry.
    pub fn span<'a>(&self, w: &mut Writer, span: &Span<'a>, normal: Option<&'a Normal<'_>>, keys: &Keys, arena: &'a Bump) {
        let (mut code, mut message) = (span.status_code, span.status_message);
        if let Some(n) = &normal {
            if n.canonical.failed {
                code = status::ERROR;
            }
            if message.is_empty() {
                message = n.canonical.status_message;
            }
        }
        let view = match normal {
            Some(n) => Some(self.view(span, n, keys, arena)),
            None if self.table.has_paths => Some(self.placed(span, View::plain(span, arena), keys, arena)),
            None => None,
        };
        let composed = view.as_ref().map(|view| &view.composed);
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
        if let Some((time, name)) = composed.and_then(|c| c.event)
            && span.events.iter().all(|event| event.name != name.as_bytes())
        {
            let event = Event { time, name: name.as_bytes(), attributes: &[], dropped_attributes: 0, raw: None };
            write::event(w, &event, keys);
        }
        for (i, event) in span.events.iter().enumerate().rev() {
            let fate = normal.as_ref().and_then(|n| n.event_fates.get(i)).copied().unwrap_or(Fate::Keep);
            if self.keeps(fate, normal.is_some_and(Normal::is_llm)) {
                write::event(w, event, keys);
            }
        }
        w.varint_field(number::DROPPED_ATTRIBUTES, u64::from(span.dropped_attributes));
        match &view {
            Some(view) => self.attributes(w, span, view, keys),
            None => write::kept_attributes(w, number::ATTRIBUTES, span.attributes, keys),
        }
        w.fixed64_field(number::END, span.end);
        w.fixed64_field(number::START, span.start);
        w.varint_field(number::KIND, u64::from(span.kind));
        w.text_field(number::NAME, composed.and_then(|c| c.name).unwrap_or(span.name));
        if span.parent_id != NO_PARENT {
            w.bytes_field(number::PARENT_SPAN_ID, &span.parent_id);
        }
        w.text_field(number::TRACE_STATE, span.trace_state);
        w.bytes_field(number::SPAN_ID, &span.span_id);
        w.bytes_field(number::TRACE_ID, &span.trace_id);
    }

    /// Returns true if an attribute or event of the source stays. Those of a span that is not LLM do, whatever is to be kept.
    pub fn keeps(&self, fate: Fate, is_llm: bool) -> bool {
        match fate {
            Fate::Drop => false,
            _ if !is_llm => true,
            Fate::Keep | Fate::Rewrite(_) => self.keep != Keep::None,
            Fate::Mapped => self.keep == Keep::All,
        }
    }

    /// Returns true if attributes of spans that no convention knows may move too.
    pub fn has_paths(&self) -> bool {
        self.table.has_paths
    }

    /// What the profile makes of a span.
    fn view<'a>(&self, span: &Span<'a>, n: &'a Normal<'_>, keys: &Keys, arena: &'a Bump) -> View<'a> {
        let view = self.said_of(span, n, keys, arena);
        if self.table.has_paths { self.placed(span, view, keys, arena) } else { view }
    }

    /// Moves the attributes of the source whose keys cannot stand beside others.
    fn placed<'a>(&self, span: &Span<'a>, mut view: View<'a>, keys: &Keys, arena: &'a Bump) -> View<'a> {
        let mut paths = Paths::default();
        let (c, words) = (view.canonical, view.words.iter().filter(|(_, text)| !text.is_empty()).map(|(id, _)| *id));
        let of_fields = c.fields().filter(|_| view.llm).flat_map(|field| self.keys_of(c, field)).copied();
        words.chain(of_fields).chain([self.entry]).for_each(|id| paths.add(keys.text(Key::Id(id)), true));
        view.composed.items.iter().for_each(|item| paths.add(item.key, true));
        let stays = |fate, key| self.keeps(fate, view.llm) && !view.said.has(key, keys);
        let mut kept = BumpVec::with_capacity_in(span.attributes.len(), arena);
        for (at, (attr, fate)) in span.attributes.iter().zip(&*view.fates).enumerate().filter(|(_, (attr, fate))| stays(**fate, attr.key)) {
            let key = keys.text(attr.key);
            paths.add(key, false);
            kept.push((at, key, if let Fate::Rewrite(value) = fate { *value } else { attr.value }));
        }
        for (at, key, value) in kept {
            let place = paths.place(key, arena);
            if place == Some(key) {
                continue;
            }
            if let Some(fate) = view.fates.get_mut(at) {
                *fate = Fate::Drop;
            }
            if let Some(moved) = place {
                view.composed.put_under("", moved, value, at as u16);
            }
        }
        view
    }

    /// What the profile says of a span.
    fn said_of<'a>(&self, span: &Span<'a>, n: &'a Normal<'_>, keys: &Keys, arena: &'a Bump) -> View<'a> {
        let completed = self.table.complete.filter(|_| n.is_llm()).map(|complete| {
            let completed = arena.alloc_with(|| n.canonical.clone());
            complete(completed, arena);
            &*completed
        });
        let c: &Canonical<'a> = completed.unwrap_or(n.canonical);
        let fates: &[Fate<'a>] = &n.fates;
        let words = [(self.operation, &[][..]), (self.kind, &[])];
        let mut view = View {
            llm: n.is_llm(),
            canonical: c,
            composed: Composed::new(arena),
            fates: arena.alloc_slice_copy(fates),
            words,
            said: Said::default(),
        };
        if !n.is_llm() {
            return view;
        }
        if let Some(compose) = self.table.compose {
            compose(&Source { c, span, arena }, &mut view.composed);
            self.mend(span, view.fates, &mut view.composed, keys, arena);
            self.own_wins(c, span, view.fates, &mut view.composed, keys);
        }
        self.unsaid(n.canonical, &view.composed, view.fates);
        for stranger in &n.strangers {
            if let Some(fate @ Fate::Mapped) = view.fates.get_mut(usize::from(stranger.at))
                && !self.tells(c, &view.composed, stranger, arena)
            {
                *fate = Fate::Keep;
            }
        }
        let said = &mut view.said;
        for field in c.fields() {
            self.keys_of(c, field).iter().for_each(|id| said.add(*id));
        }
        if c.aggregated || c.cost_aggregated {
            // The children say it: where all of the source stays, the backend would count it again.
            let plain = USAGE.iter().filter(|field| c.repeats_children(**field)).map(|field| self.ranges[*field as usize]);
            plain.flat_map(|(from, to)| &self.keys[usize::from(from)..usize::from(to)]).for_each(|id| said.add(*id));
        }
        if self.table.operation.is_some() {
            view.words[0].1 = c.kind.map_or(c.operation, |k| k.operation().as_bytes());
        }
        if let Some((key, says)) = self.table.kind {
            let word = c.kind.map_or(self.table.unknown_kind, |kind| says(kind, span.parent_id == NO_PARENT).0);
            view.words[1].1 = self.own_kind(span, key, keys).unwrap_or(word.as_bytes());
        }
        view.words.iter().filter(|(_, text)| !text.is_empty()).for_each(|(id, _)| said.add(*id));
        view
    }

    /// The kind that the source has under the profile's own key, in a word of the backend.
    fn own_kind<'a>(&self, span: &Span<'a>, key: &str, keys: &Keys) -> Option<&'a [u8]> {
        if self.table.own_kinds.is_empty() {
            return None;
        }
        let own = span.attributes.iter().find(|attr| text::is(keys.text(attr.key), key))?.value.as_str().map(text::unquote)?;
        text::lookup(self.table.own_kinds, own).map(|_| own)
    }

    /// What the backend would refuse the span for is mended, or moves aside if nothing says it in its place.
    fn mend<'a>(&self, span: &Span<'a>, fates: &mut [Fate<'a>], composed: &mut Composed<'a>, keys: &Keys, arena: &'a Bump) {
        let Some(mends) = self.table.mends.filter(|_| self.keep != Keep::None) else { return };
        for (at, (attr, fate)) in span.attributes.iter().zip(fates).enumerate() {
            let key = keys.text(attr.key);
            let mended = match fate {
                Fate::Drop => None,
                _ if composed.name.is_some() && text::any(key, self.table.name_keys) => {
                    composed.name.map(|name| Fate::Rewrite(Value::Str(name)))
                }
                Fate::Rewrite(value) => mends(key, value, arena),
                _ => mends(key, &attr.value, arena),
            };
            let Some(mended) = mended else { continue };
            if mended == Fate::Drop && *fate == Fate::Keep && attr.value != Value::Empty {
                composed.put_under(self.table.aside, key, attr.value, at as u16);
            }
            *fate = match (*fate, mended) {
                // It is said by others.
                (Fate::Mapped, Fate::Rewrite(_)) if self.keep != Keep::All && !composed.items.iter().any(|item| item.key == key) => {
                    Fate::Mapped
                }
                (_, mended) => mended,
            };
        }
    }

    /// What the source says in the very words of the profile stays as it is (rules.md 10), and is not composed again.
    fn own_wins<'a>(&self, c: &Canonical<'a>, span: &Span<'a>, fates: &mut [Fate<'a>], composed: &mut Composed<'a>, keys: &Keys) {
        if self.keep == Keep::None || composed.items.is_empty() {
            return;
        }
        let arena = composed.items.bump();
        // The items of a list come one after the other, and the whole list is one's own or none of it.
        let mut own: BumpVec<(&str, &[u8], bool)> = BumpVec::new_in(arena);
        for item in &composed.items {
            if item.list.is_empty() || own.last().is_none_or(|(list, ..)| *list != item.list) {
                own.push((item.list, item.key, false));
            }
        }
        for (attr, fate) in span.attributes.iter().zip(fates) {
            let key = keys.text(attr.key);
            let is_own = |(list, item, _): &&mut (&str, &[u8], bool)| {
                if list.is_empty() { *item == key } else { key.starts_with(list.as_bytes()) }
            };
            match (*fate, own.iter_mut().find(is_own)) {
                (_, None) | (Fate::Drop, _) => {}
                // Without a value it says nothing.
                (_, Some(_)) if attr.value == Value::Empty => *fate = Fate::Drop,
                (Fate::Keep | Fate::Mapped, Some((.., wins))) => (*fate, *wins) = (Fate::Keep, true),
                (Fate::Rewrite(_), Some((.., wins))) => *wins = true,
            }
        }
        own.retain(|(.., wins)| *wins);
        self.leave_unsaid(c, span, composed, keys, &own.iter().map(|(_, key, _)| *key).collect::<Vec<_>>());
        let loses = |item: &super::compose::Item| {
            own.iter().any(|(list, key, _)| if list.is_empty() { *key == item.key } else { *list == item.list })
        };
        composed.items.retain(|item| !loses(item));
    }

    /// An object of the source that stays does not say what was to be said in its place, unless it has just this value. The counts and costs of
    /// a call are the same in all of its attributes.
    fn leave_unsaid<'a>(&self, c: &Canonical<'a>, span: &Span<'a>, composed: &mut Composed<'a>, keys: &Keys, own: &[&[u8]]) {
        let arena = composed.items.bump();
        let mut unsaid: BumpVec<Field> = BumpVec::new_in(arena);
        for item in composed.items.iter().filter(|item| own.contains(&item.key) && text::any(item.key, self.table.objects)) {
            let source = span.attributes.iter().find(|attr| keys.text(attr.key) == item.key).and_then(|attr| attr.value.as_str());
            let says = |field: &Field| {
                let value = value::to_json(c.value(*field), arena);
                source.is_some_and(|source| text::position(source, value).is_some())
            };
            unsaid.extend(item.fields().filter(|field| !USAGE.contains(field) && !says(field)));
        }
        unsaid.into_iter().for_each(|field| composed.unsay(field));
    }

    /// The canonical fields, then what stays of the source.
    fn attributes<'a>(&self, w: &mut Writer, span: &Span<'a>, view: &View<'a>, keys: &Keys) {
        for (attr, &fate) in span.attributes.iter().zip(&*view.fates).rev() {
            if !self.keeps(fate, view.llm) || view.said.has(attr.key, keys) {
                continue;
            }
            match fate {
                Fate::Rewrite(value) => write::attribute(w, number::ATTRIBUTES, attr.key, &value, keys),
                _ => match view.llm.then(|| value::repaired(&attr.value, view.composed.items.bump())).flatten() {
                    Some(text) => write::attribute(w, number::ATTRIBUTES, attr.key, &Value::Str(text), keys),
                    None => write::kept_attribute(w, number::ATTRIBUTES, attr, keys),
                },
            }
        }
        for item in view.composed.items.iter().rev() {
            write::attribute(w, number::ATTRIBUTES, Key::Text(item.key), &item.value, keys);
        }
        if view.llm {
            let c = view.canonical;
            for field in c.fields() {
                for &id in self.keys_of(c, field) {
                    write::attribute(w, number::ATTRIBUTES, Key::Id(id), c.value(field), keys);
                }
            }
        }
        for (id, text) in view.words.iter().rev().filter(|(_, text)| !text.is_empty()) {
            write::attribute(w, number::ATTRIBUTES, Key::Id(*id), &Value::Str(text), keys);
        }
    }

    /// What goes out of a span, for `explain`: but for what the source keeps, each attribute's key, its value and where it has that from
    /// ([`Canonical::origin`]); then what became of each attribute of the source.
    #[allow(clippy::type_complexity, reason = "a list and a list")]
    pub fn said<'a>(
        &self,
        span: &Span<'a>,
        n: &'a Normal<'_>,
        keys: &'a Keys,
        arena: &'a Bump,
    ) -> (Vec<(&'a [u8], Value<'a>, u16)>, &'a [Fate<'a>]) {
        let view = self.view(span, n, keys, arena);
        let composed = view.composed.items.iter().map(|item| (item.key, item.value, item.origin));
        if !n.is_llm() {
            return (composed.collect(), view.fates);
        }
        let c = view.canonical;
        let of_field = |field| self.keys_of(c, field).iter().map(move |id| (*id, *c.value(field), c.origin(field)));
        let words = view.words.map(|(id, text)| (id, Value::Str(text), c.kind_origin));
        let by_id = c.fields().flat_map(of_field).chain(words).map(|(id, value, origin)| (keys.text(Key::Id(id)), value, origin));
        (by_id.chain(composed).collect(), view.fates)
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
    pub fn entry_content<'a>(&self, w: &mut Writer, span: &Span<'a>, n: &'a Normal<'_>, keys: &Keys, arena: &'a Bump) {
        if self.table.trace.is_none() || !(n.canonical.has(Field::TraceInput) || n.canonical.has(Field::TraceOutput)) {
            return;
        }
        let view = self.view(span, n, keys, arena);
        let stays = span
            .attributes
            .iter()
            .zip(&*view.fates)
            .filter(|(_, fate)| self.keeps(**fate, n.is_llm()))
            .map(|(attr, _)| keys.text(attr.key));
        for (id, field) in self.trace.into_iter().zip([Field::TraceInput, Field::TraceOutput]) {
            let key = keys.text(Key::Id(id));
            let composed = view.composed.items.iter().any(|item| item.key == key);
            let said = view.said.has(Key::Id(id), keys) || composed || stays.clone().any(|kept| kept == key);
            if let Some(value) = n.canonical.get(field).filter(|_| !said) {
                write::attribute(w, number::ATTRIBUTES, Key::Id(id), &value, keys);
            }
        }
    }

    /// Does a member of the source, of which no field has anything, go out in what the profile writes?
    fn tells<'a>(&self, c: &Canonical<'a>, composed: &Composed<'a>, stranger: &Stranger<'_>, arena: &'a Bump) -> bool {
        let Stranger { name, text, member, .. } = *stranger;
        let holds = |value: &Value| value.as_str().is_some_and(|text| text::position(text, member).is_some());
        let is_leaf =
            |key: &[u8], value: &Value<'a>| key.ends_with(name) && value.as_str().unwrap_or_else(|| value::to_json(value, arena)) == text;
        composed.items.iter().any(|item| holds(&item.value) || is_leaf(item.key, &item.value))
            || c.fields().any(|field| !self.keys_of(c, field).is_empty() && holds(c.value(field)))
    }

    /// An attribute whose field this profile does not say stays, as if nothing had mapped it.
    fn unsaid(&self, c: &Canonical, composed: &Composed, fates: &mut [Fate]) {
        let says = |kind| self.table.kind.is_some_and(|(_, says)| says(kind, true).1);
        let of_operation = |kind: Kind| self.table.operation.is_some() && !kind.operation().is_empty();
        let kind_is_said = c.kind.map_or(self.table.operation.is_some(), |kind| of_operation(kind) || says(kind));
        if let Some(fate @ Fate::Mapped) = fates.get_mut(usize::from(c.kind_source)).filter(|_| !kind_is_said) {
            *fate = Fate::Keep;
        }
        for field in c.fields().filter(|field| self.keys_of(c, *field).is_empty() && !composed.says(*field)) {
            let halves = c.has(Field::InputTokens) || c.has(Field::OutputTokens);
            // What the children report too, and a total that the halves add up to, would mislead those who read several conventions.
            if if field == Field::TotalTokens { halves } else { c.repeats_children(field) } {
                continue;
            }
            // A member's origin is the object that holds it; what went in and what came out is said by what was read of it.
            let is_content = matches!(field, Field::EntityInput | Field::EntityOutput | Field::TraceInput | Field::TraceOutput);
            let source = if c.source(field) == DERIVED && !is_content { c.origin(field) } else { c.source(field) };
            if let Some(fate @ Fate::Mapped) = fates.get_mut(usize::from(source)) {
                *fate = Fate::Keep;
            }
        }
    }
}
