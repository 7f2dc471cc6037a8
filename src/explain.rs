//! Why a span goes out as it does: for each attribute its source, the convention and the rule; for each attribute of the source
//! that is gone, why. It looks at what the normaliser left behind and at the bytes that were written, so that nothing is paid
//! for it when nobody asks.

use crate::conventions::{self, ConventionSet, OWN, RuleRef, To};
use crate::entry::Reason;
use crate::json::{self, Out};
use crate::keys::{KeyInfo, Keys};
use crate::normalize::canonical::{DERIVED, EVENTS, HANDED_DOWN, INFERRED, NAMES};
use crate::normalize::{Fate, Normal};
use crate::otlp::wire::{Field, Reader};
use crate::otlp::write::number;
use crate::privacy::{DROPPED, Notes};
use crate::profiles::write::Writing;
use crate::span::{Key, Span};
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

    /// A span that goes out as it came, but for what the privacy stage did; `raw` is its message.
    pub fn untouched(&mut self, raw: &[u8], notes: &Notes, entry: bool) {
        let mut out = BumpVec::new_in(self.arena);
        let text = |number| fields(raw).find(|field| field.number == number).map_or(&[][..], bytes);
        let why = match entry {
            true => why(Some(Reason::InPlaceOfSegments)),
            false => "no convention knows the span: it goes out as it came",
        };
        let mut object = self.head(&mut out, [text(number::TRACE_ID), text(number::SPAN_ID), text(number::NAME)], 0, (entry, why));
        if !notes.is_empty() {
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

    /// Explains a span that was just written. `written`: the fields of the `Span`, and what the privacy stage did to them.
    pub fn span(
        &mut self,
        span: &Span<'k>,
        normal: &Normal<'k>,
        writing: &Writing,
        (written, notes): (&[u8], &Notes),
        reason: Option<Reason>,
    ) {
        let mut out = BumpVec::new_in(self.arena);
        let is_entry = reason.is_some_and(Reason::is_entry);
        let entry = match normal.mark {
            // To the tree an evaluator or its like is a span that is not LLM.
            None if !is_entry && normal.is_llm() && !normal.opens_segment => (false, "a span of its kind opens no segment"),
            _ => (is_entry, why(reason)),
        };
        let mut object = self.head(&mut out, [&span.trace_id, &span.span_id, span.name], normal.conventions, entry);
        let keys = BumpVec::from_iter_in(attribute_keys(written), self.arena);
        let mut said = writing.said(span, normal, self.keys, self.arena);
        let dropped = said.iter().filter_map(|(key, at)| dropped(notes, key).map(|note| (*at, note))).collect();
        let sources = || span.attributes.iter().map(|attr| self.keys.text(attr.key));
        // Of events, of links and of the status.
        let is_of_part = |key: &[u8]| !keys.contains(&key) && !said.iter().any(|(said, _)| *said == key) && !sources().any(|at| at == key);
        let of_parts: Vec<_> =
            notes.iter().filter(|(key, note)| note.starts_with(DROPPED) && is_of_part(key)).map(|(key, _)| (None, &**key)).collect();
        said.retain(|(key, _)| keys.contains(key));
        let said = Said { keys: self.keys, span, normal, writing, said, notes, dropped };
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
        object.close();
        self.explained.push(out.into_bump_slice());
    }

    fn head<'o>(
        &self,
        out: &'o mut Out<'k>,
        [trace_id, span_id, name]: [&[u8]; 3],
        conventions: ConventionSet,
        (entry, why): (bool, &str),
    ) -> Object<'o, 'k> {
        let mut object = Object::new(out);
        object.hex("traceId", trace_id);
        object.hex("spanId", span_id);
        object.text("name", name);
        object.list("conventions", conventions::names(conventions), |name, out| json::string(name.as_bytes(), out));
        let mut decision = Object::new(object.member("entry"));
        decision.member("is").extend_from_slice_copy(if entry { b"true" } else { b"false" });
        decision.text("why", why.as_bytes());
        decision.close();
        object
    }

    /// `[{traceId, spanId, name, conventions, entry: {is, why}, attributes?: [{key, …}], gone?: [{key, …}], goneEvents?}]`
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

/// Why a span is, or is not, the entry. `None`: nothing decided it.
fn why(reason: Option<Reason>) -> &'static str {
    match reason {
        Some(Reason::Marked) => "it is marked, and no span above it is marked",
        Some(Reason::Outermost) => "no span above it is an LLM span, and no span below it is marked",
        Some(Reason::InPlaceOfSegments) => "it is no LLM span, and stands for the LLM segments below it",
        Some(Reason::Refuses) => "it says that it is not",
        Some(Reason::NotLlm) => "it is no LLM span",
        Some(Reason::CopiedMark) => "a span above it carries the mark: this one is a copy",
        Some(Reason::LateMark) => "its mark came after another entry of its path was decided",
        Some(Reason::BelowMark) => "a span above it is marked",
        Some(Reason::BelowLlm) => "a span above it is an LLM span",
        Some(Reason::AboveMark) => "a span below it is marked",
        Some(Reason::CalledFromSegment) => "the process was called from inside an LLM segment, which has its entry",
        Some(Reason::NotRoot) => "its instrumentation saw a span above it that is not here",
        Some(Reason::Elsewhere) => "another segment of the trace has the entry",
        None => "entries are not looked for",
    }
}

/// The fields of a message; what comes after a broken one is left out.
fn fields(message: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut reader = Reader::new(0, message);
    std::iter::from_fn(move || reader.field().ok().flatten())
}

fn bytes(field: Field<'_>) -> &[u8] {
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

/// One span as a profile says it.
struct Said<'s, 'k> {
    keys: &'k Keys,
    span: &'s Span<'k>,
    normal: &'s Normal<'k>,
    writing: &'s Writing,
    /// The keys of the canonical fields, and where each has its value from.
    said: Vec<(&'k [u8], u16)>,
    /// What the privacy stage did.
    notes: &'s Notes,
    /// The attributes of the source that gave what it left out, and why it did.
    dropped: Vec<(u16, &'static str)>,
}

impl<'k> Said<'_, 'k> {
    fn attribute(&self, key: &[u8], out: &mut Out<'k>) {
        let mut object = Object::new(out);
        object.text("key", key);
        let source = self.span.attributes.iter().position(|attr| self.keys.text(attr.key) == key);
        let said = self.said.iter().find(|(said, _)| *said == key);
        match (said, source) {
            (Some((_, DERIVED)), _) => object.text("how", b"follows from other fields"),
            (Some((_, INFERRED)), _) => object.text("how", b"guessed from the server's address or the model's name"),
            (Some((_, NAMES)), _) => object.text("how", b"told by the name of the span or of its scope"),
            (Some((_, HANDED_DOWN)), _) => object.text("how", b"handed down from a span above it"),
            (Some((_, EVENTS)), _) => object.text("how", b"told by events of the span"),
            (Some((_, at)), _) => self.rule(usize::from(*at), &mut object),
            (None, _) if self.keys.find(key) == Some(self.writing.entry_key()) => object.text("how", b"the mark of the entry"),
            (None, Some(at)) => object.text(
                "kept",
                match self.normal.fates.get(at) {
                    Some(Fate::Rewrite(_)) => b"without the mark of the entry that it held",
                    Some(Fate::Mapped) if self.writing.keeps(Fate::Mapped, self.normal.is_llm()) => {
                        b"all attributes of the source are to stay"
                    }
                    _ => b"no attribute of the profile says it",
                },
            ),
            (None, None) => object.text("how", b"composed of canonical fields"),
        }
        let notes: Vec<_> = self.notes.iter().filter(|(noted, _)| **noted == *key).map(|(_, note)| *note).collect();
        if !notes.is_empty() {
            object.text("privacy", notes.join(", ").as_bytes());
        }
        object.close();
    }

    /// `at`: which attribute of the span it is, if it is one.
    fn gone(&self, at: Option<usize>, key: &[u8], out: &mut Out<'k>) {
        let mut object = Object::new(out);
        object.text("key", key);
        let at = at.unwrap_or(usize::MAX);
        self.rule(at, &mut object);
        let in_place = self.said.iter().filter(|(_, origin)| usize::from(*origin) == at).map(|(key, _)| *key);
        let in_other = self.dropped.iter().find(|(dropped, _)| usize::from(*dropped) == at && in_place.clone().next().is_none());
        let dropped = in_other.map(|(_, note)| *note).or_else(|| dropped(self.notes, key));
        let why: &[u8] = match self.normal.fates.get(at) {
            _ if dropped.is_some() => b"content is not to leave",
            Some(Fate::Drop) => b"must not go on: a secret, a placeholder, or a mark that was read",
            Some(Fate::Keep | Fate::Rewrite(_)) => b"no attribute of the source is to stay",
            _ if in_place.clone().next().is_none() => b"others say it",
            _ => b"said by others",
        };
        object.text("why", why);
        object.list("by", in_place, json::string);
        if let Some(note) = dropped {
            object.text("privacy", note.as_bytes());
        }
        object.close();
    }

    /// The convention and the row of its table by which an attribute was read.
    fn rule(&self, at: usize, object: &mut Object<'_, 'k>) {
        let Some(attr) = self.span.attributes.get(at) else { return };
        let looked_up;
        let info = match attr.key {
            Key::Id(id) => self.keys.get(id),
            Key::Text(text) => {
                looked_up = KeyInfo::new(text);
                Some(&looked_up)
            }
        };
        let holds = |r: &&RuleRef| {
            r.rule.to.is_mark()
                || matches!(r.rule.to, To::Drop)
                || r.convention & (self.normal.conventions | conventions::everywhere()) != 0
        };
        let Some(r) = info.and_then(|info| info.rules.iter().filter(holds).max_by_key(|r| (r.rule.trust == OWN, r.rule.trust))) else {
            return;
        };
        object.text("from", self.keys.text(attr.key));
        conventions::names(r.convention).take(1).for_each(|name| object.text("convention", name.as_bytes()));
        object.text("rule", r.rule.key.as_bytes());
        object.text("how", r.rule.to.label().as_bytes());
    }
}
