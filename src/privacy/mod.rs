//! The privacy stage: which content of a span may leave, and how large it may be. It processes the encoded fields of a span, after the
//! profile has written them: data that is not in these bytes cannot leave, whatever its convention or profile.
//!
//! In order: all possible content is dropped (`captureContent: false`) or media is removed from it, the mask rules and the host's hook
//! are applied, then values and the span are cut to their limits. It fails closed: values that cannot be processed are replaced and counted.

mod allow;
mod class;
mod contents;
mod detect;
mod media;
mod pattern;
mod rules;
mod settings;
mod steps;
mod strings;
mod syntax;
mod truncate;

pub use detect::Detector;
pub use settings::{MaskRule, Media, Settings};

use crate::error::ConfigError;
use crate::json;
use crate::keys::Keys;
use crate::otlp::write::number;
use crate::profiles::{Profile, Table};
use crate::protobuf::{Reader, Wire, push_varint};
use crate::text::Out;
use allow::ERROR_TEXT;
use bumpalo::Bump;
use class::Class;
use rules::{MASKED, Rule};
use strings::Copy;

/// Content is not cut shorter than this to make a span fit, in bytes: the rest is then names and numbers.
const LEAST: usize = 64;
/// The key that rules use for the text of the status.
const STATUS_KEY: &[u8] = b"status.message";

/// The host's hook threw, or returned no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookFailed;

/// A hook that receives a text and the key of its attribute, and returns the text that may leave.
#[cfg(not(feature = "bindings"))]
pub type MaskHook = Box<dyn Fn(&str, &str) -> Result<String, HookFailed> + Send>;
/// A hook that receives media and returns the replacement.
#[cfg(not(feature = "bindings"))]
pub type MediaHook = Box<dyn Fn(&MediaPart) -> Result<String, HookFailed> + Send>;
/// A function of JavaScript, which stays on its thread.
#[cfg(feature = "bindings")]
pub type MaskHook = Box<dyn Fn(&str, &str) -> Result<String, HookFailed>>;
/// A function of JavaScript, which stays on its thread.
#[cfg(feature = "bindings")]
pub type MediaHook = Box<dyn Fn(&MediaPart) -> Result<String, HookFailed>>;

/// Media that was found in content.
#[derive(Clone, Copy, Debug)]
pub struct MediaPart<'m> {
    /// Its media type, `media` where the source has none that can be one.
    pub media_type: &'m str,
    /// Its bytes, in base64 as the source has it.
    pub base64: &'m str,
    /// The key of the attribute that it stands in.
    pub key: &'m str,
}

/// The host's hooks for content, applied after the rules.
#[derive(Default)]
pub struct Hooks {
    /// Masks each text of content.
    pub mask: Option<MaskHook>,
    /// Receives each media that would otherwise be replaced by a descriptor.
    pub on_media: Option<MediaHook>,
}

/// Returns true if the values of a key are names, ids or numbers.
pub fn is_name(key: &[u8], keys: &Keys) -> bool {
    class::of(key, keys, Profile::OTEL.table()) == Class::Name
}

/// The counters of privacy, counted once for each output form of a span: destinations with the same profile, `keep` and privacy share one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Values (of attributes, and texts of the status) in which a rule or the hook replaced something.
    pub masked: u64,
    /// Values in which something was replaced because masking failed.
    pub mask_failed: u64,
    /// Number of replaced media.
    pub media_replaced: u64,
    /// Number of cut values.
    pub truncated: u64,
    /// Attributes and status texts that were removed because they are, or may be, content.
    pub content_dropped: u64,
}

/// The beginning of the note for a removed attribute. Alone it means that a convention defines the attribute as content.
pub const DROPPED: &str = "dropped";

/// The keys of processed values, with the effect: for `explain`.
pub type Notes = Vec<(Box<[u8]>, &'static str)>;

/// The context of a span.
pub struct Run<'r, 'a> {
    /// The dictionary.
    pub keys: &'r Keys,
    /// Memory of the run.
    pub arena: &'a Bump,
    /// The host's hooks.
    pub hooks: &'r Hooks,
    /// Receives the counts.
    pub counts: &'r mut Counts,
    /// Receives the notes, if they are requested.
    pub notes: Option<&'r mut Notes>,
}

/// The stage of one output form.
pub struct Privacy {
    capture_content: bool,
    capture_metadata: bool,
    capture_errors: bool,
    rules: Vec<Rule>,
    media: Media,
    max_attribute_bytes: usize,
    max_span_bytes: usize,
    table: &'static Table,
}

impl Privacy {
    /// Compiles the settings; `at` is the path before `privacy` in an error.
    pub fn new(settings: &Settings, table: &'static Table, at: &str) -> Result<Self, ConfigError> {
        let limit = |bytes: Option<usize>| bytes.filter(|bytes| *bytes > 0).unwrap_or(usize::MAX);
        Ok(Privacy {
            capture_content: settings.capture_content,
            capture_metadata: settings.capture_metadata,
            capture_errors: settings.capture_errors,
            rules: Rule::all(settings, at)?,
            media: settings.media,
            max_attribute_bytes: limit(settings.max_attribute_bytes),
            max_span_bytes: limit(settings.max_span_bytes),
            table,
        })
    }

    /// Returns false if it certainly changes nothing in a span with these fields. By default it checks only the size, and a few samples of the bytes.
    pub fn is_idle(&self, fields: [&[u8]; 2], is_recognised: bool, hooks: &Hooks) -> bool {
        let size = fields[0].len() + fields[1].len();
        let masks = self.rules.iter().any(|rule| is_recognised || rule.names_keys());
        let of_llm = || !self.capture_content || hooks.mask.is_some() || fields.iter().any(|fields| self.media.may_be_in(fields));
        !masks && size <= self.max_attribute_bytes.min(self.max_span_bytes) && !(is_recognised && of_llm())
    }

    /// The fields of a span (and the additional ones of an entry) in the form that may leave.
    pub fn apply<'a>(&self, fields: [&'a [u8]; 2], is_recognised: bool, run: Run<'_, 'a>) -> [&'a [u8]; 2] {
        if self.is_idle(fields, is_recognised, run.hooks) {
            return fields;
        }
        let mut pass = self.pass(is_recognised, run);
        let fields = pass.fields(fields);
        pass.fit(fields, self.max_span_bytes)
    }

    /// The fields of a span with its largest texts cut, so that it has at most `most` bytes, or as few as cutting can achieve.
    pub fn shorten<'a>(&self, fields: &'a [u8], most: usize, run: Run<'_, 'a>) -> &'a [u8] {
        self.pass(false, run).fit([fields, &[]], most)[0]
    }

    fn pass<'r, 'a>(&'r self, is_recognised: bool, run: Run<'r, 'a>) -> Pass<'r, 'a> {
        Pass {
            stage: self,
            run,
            is_recognised,
            step: Step::Mask,
            now: Step::Mask,
            key: STATUS_KEY,
            class: Class::Text,
            of_span: true,
            rules: 0,
            member: &[],
            lengths: Vec::new(),
            sums: Vec::new(),
            done: Done::default(),
        }
    }
}

/// A part of a span, which determines the types of its own parts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Span,
    Event,
    Link,
    Status,
    Attribute,
    /// An `AnyValue`.
    Value,
    Array,
    Map,
    /// The entry of a map.
    Entry,
    /// The key of an entry of a map.
    Name,
    Text,
    Bytes,
    /// A value of an unknown type.
    Unknown,
    /// A part that is left unchanged.
    Other,
}

impl Part {
    fn of(self, number: u32) -> Part {
        match (self, number) {
            (Part::Span, number::ATTRIBUTES) => Part::Attribute,
            (Part::Span, number::EVENTS) => Part::Event,
            (Part::Span, number::LINKS) => Part::Link,
            (Part::Span, number::STATUS) => Part::Status,
            (Part::Event, number::EVENT_ATTRIBUTES) | (Part::Link, number::LINK_ATTRIBUTES) => Part::Attribute,
            (Part::Attribute | Part::Entry, number::VALUE) | (Part::Array, _) => Part::Value,
            (Part::Value, number::STRING) | (Part::Status, number::STATUS_MESSAGE) => Part::Text,
            (Part::Value, number::BYTES) => Part::Bytes,
            (Part::Value, number::ARRAY) => Part::Array,
            (Part::Value, number::KVLIST) => Part::Map,
            (Part::Value, _) => Part::Unknown,
            (Part::Map, _) => Part::Entry,
            (Part::Entry, number::KEY) => Part::Name,
            _ => Part::Other,
        }
    }

    /// The highest known field number in it.
    fn last(self) -> u32 {
        match self {
            Part::Span => number::FLAGS,
            Part::Event => number::EVENT_DROPPED_ATTRIBUTES,
            Part::Link => number::LINK_FLAGS,
            Part::Status => number::STATUS_CODE,
            _ => u32::MAX,
        }
    }
}

/// The treatment of a part.
enum Edit<'a> {
    Keep,
    Drop,
    Set(&'a [u8]),
}

/// The last field with this number, which is the one that counts.
#[inline(never)]
fn bytes_of(message: &[u8], number: u32) -> &[u8] {
    let (mut reader, mut last) = (Reader::new(0, message), &[][..]);
    while let Ok(Some(field)) = reader.field() {
        if let (Wire::Bytes(_, bytes), true) = (field.value, field.number == number) {
            last = bytes;
        }
    }
    last
}

#[inline(never)]
fn delimited(out: &mut Out, number: u32, bytes: &[u8]) {
    push_varint(out, u64::from(number << 3 | 2));
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice_copy(bytes);
}

/// The effects on a value.
#[derive(Clone, Copy, Default)]
struct Done {
    masked: bool,
    failed: bool,
    media: bool,
    truncated: bool,
}

/// The purpose of a pass over the span, or over one value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Mask,
    /// Measures the lengths of the texts.
    Measure,
    /// Cuts texts to this length.
    Cut(usize),
}

/// One span in the stage, and the current value.
struct Pass<'r, 'a> {
    stage: &'r Privacy,
    run: Run<'r, 'a>,
    is_recognised: bool,
    /// The purpose of the current pass over the span.
    step: Step,
    /// The purpose of the current pass over the value.
    now: Step,
    key: &'a [u8],
    class: Class,
    /// Whether the value belongs to the span itself, not to an event or a link.
    of_span: bool,
    /// The rules that apply to the key, as bits.
    rules: u64,
    /// The key of the map that contains the value.
    member: &'a [u8],
    /// The lengths of the texts of the value.
    lengths: Vec<usize>,
    /// The total length of the texts of each value.
    sums: Vec<usize>,
    done: Done,
}

impl<'a> Pass<'_, 'a> {
    /// Cuts the largest texts of a span that is too large.
    fn fit(&mut self, fields: [&'a [u8]; 2], most: usize) -> [&'a [u8]; 2] {
        let size = fields[0].len() + fields[1].len();
        if size <= most {
            return fields;
        }
        self.step = Step::Measure;
        self.fields(fields);
        let rest = size - self.sums.iter().sum::<usize>();
        let level = truncate::level(&self.sums, most.saturating_sub(rest));
        self.step = Step::Cut(level.max(LEAST));
        self.fields(fields)
    }

    #[inline(never)]
    fn fields(&mut self, [span, entry]: [&'a [u8]; 2]) -> [&'a [u8]; 2] {
        [self.walk(Part::Span, span).unwrap_or(span), self.walk(Part::Span, entry).unwrap_or(entry)]
    }

    /// A message after the treatment of its parts; `None` if it is unchanged.
    fn walk(&mut self, of: Part, message: &'a [u8]) -> Option<&'a [u8]> {
        let mut copy = Copy::new(message, self.run.arena);
        let mut reader = Reader::new(0, message);
        while let Ok(Some(field)) = reader.field() {
            let Wire::Bytes(_, bytes) = field.value else { continue };
            if of == Part::Entry {
                self.member = bytes_of(message, number::KEY);
            }
            match self.part(of, field.number, bytes) {
                Edit::Keep => {}
                Edit::Drop => _ = copy.replace(field.raw),
                Edit::Set(new) => delimited(copy.replace(field.raw), field.number, new),
            }
        }
        copy.finish()
    }

    fn part(&mut self, of: Part, number: u32, bytes: &'a [u8]) -> Edit<'a> {
        let part = of.of(number);
        let new = match part {
            Part::Attribute => {
                self.of_span = of == Part::Span;
                return self.keyed(part, bytes_of(bytes, number::KEY), bytes);
            }
            Part::Status => return self.keyed(part, STATUS_KEY, bytes),
            Part::Text if of == Part::Status && self.drops() && !self.stage.capture_errors => return self.dropped(ERROR_TEXT),
            // An unknown field may contain anything.
            Part::Other if self.drops() && number > of.last() => return Edit::Drop,
            Part::Unknown if self.now == Step::Mask && self.masks() => {
                self.done.failed = true;
                return Edit::Drop;
            }
            Part::Value | Part::Text if self.now == Step::Mask && matches!(of, Part::Attribute | Part::Status) => self.whole(part, bytes),
            _ => None,
        };
        let new = if new.is_some() { new } else { self.inside(part, bytes) };
        new.map_or(Edit::Keep, Edit::Set)
    }

    /// An attribute, or the status: a key, and a value that is treated according to it.
    fn keyed(&mut self, part: Part, key: &'a [u8], message: &'a [u8]) -> Edit<'a> {
        self.begin(key);
        let (mut new, mut most) = (message, usize::MAX);
        match self.step {
            Step::Mask => {
                if part == Part::Attribute && self.drops() {
                    match self.allowed(key, message) {
                        Ok(some) => new = some.unwrap_or(message),
                        Err(why) => return self.dropped(why),
                    }
                }
                new = self.walk(part, new).unwrap_or(new);
                most = self.stage.max_attribute_bytes;
            }
            _ if self.is_recognised && !self.is_content() => return Edit::Keep,
            Step::Measure => {
                self.measure(part, message);
                self.sums.push(self.lengths.iter().sum());
            }
            Step::Cut(level) => most = level,
        }
        if new.len() > most {
            self.measure(part, new);
            let level = truncate::level(&self.lengths, most);
            if level < usize::MAX {
                self.now = Step::Cut(level);
                new = self.walk(part, new).unwrap_or(new);
            }
        }
        self.end();
        if std::ptr::eq(new, message) { Edit::Keep } else { Edit::Set(new) }
    }

    #[inline(never)]
    fn measure(&mut self, part: Part, message: &'a [u8]) {
        self.lengths.clear();
        self.now = Step::Measure;
        self.walk(part, message);
    }

    /// Starts the value of a key.
    fn begin(&mut self, key: &'a [u8]) {
        self.key = key;
        self.member = &[];
        self.now = Step::Mask;
        self.done = Done::default();
        self.class = Class::Text;
        if self.is_recognised && key != STATUS_KEY {
            self.class = class::of(key, self.run.keys, self.stage.table);
        }
        self.rules = 0;
        for (i, rule) in self.stage.rules.iter().enumerate() {
            let holds = if rule.names_keys() { rule.names(key) } else { self.is_content() };
            self.rules |= u64::from(holds) << i;
        }
    }

    /// Counts the effects on the value.
    fn end(&mut self) {
        let (done, counts) = (self.done, &mut *self.run.counts);
        counts.masked += u64::from(done.masked);
        counts.mask_failed += u64::from(done.failed);
        counts.truncated += u64::from(done.truncated);
        for (done, note) in
            [(done.masked, "masked"), (done.failed, "mask failed"), (done.media, "media replaced"), (done.truncated, "truncated")]
        {
            if done {
                self.note(note);
            }
        }
    }

    /// Counts a removed value, and notes the reason.
    fn dropped(&mut self, why: &'static str) -> Edit<'a> {
        self.run.counts.content_dropped += 1;
        self.note(why);
        Edit::Drop
    }

    #[inline(never)]
    fn note(&mut self, note: &'static str) {
        if let Some(notes) = &mut self.run.notes {
            notes.push((self.key.into(), note));
        }
    }

    /// Returns true if content is removed.
    fn drops(&self) -> bool {
        self.is_recognised && !self.stage.capture_content && self.step == Step::Mask
    }

    /// Returns true if the value may contain anything.
    fn is_content(&self) -> bool {
        self.is_recognised && self.class > Class::Name
    }

    /// Returns true if a rule or the hook has to process the text.
    fn masks(&self) -> bool {
        self.rules != 0 || self.run.hooks.mask.is_some() && self.is_content()
    }

    /// The replacement of the whole value, if a rule requires one.
    fn whole(&mut self, part: Part, value: &'a [u8]) -> Option<&'a [u8]> {
        let mut rules = self.stage.rules.iter().enumerate();
        let (_, rule) = rules.find(|(i, rule)| self.rules & 1 << i != 0 && rule.is_whole())?;
        let (arena, replacement) = (self.run.arena, rule.replacement(MASKED));
        self.done.masked = true;
        if part == Part::Text {
            return Some(arena.alloc_slice_copy(replacement));
        }
        let (mut out, mut said) = (Out::new_in(arena), Out::new_in(arena));
        // A value that is read as JSON must remain JSON.
        if strings::json(bytes_of(value, number::STRING), arena).is_some() {
            json::string(replacement, &mut said);
        } else {
            said.extend_from_slice_copy(replacement);
        }
        delimited(&mut out, number::STRING, &said);
        Some(out.into_bump_slice())
    }

    /// The new form of a part; `None` if it is unchanged.
    #[inline(never)]
    fn inside(&mut self, part: Part, bytes: &'a [u8]) -> Option<&'a [u8]> {
        match part {
            Part::Text | Part::Bytes => {}
            Part::Name => return if self.now == Step::Mask { self.name(bytes) } else { None },
            Part::Unknown | Part::Other => return None,
            _ => {
                // The name of an array does not determine the class of its items.
                if part == Part::Array {
                    self.member = &[];
                }
                return self.walk(part, bytes);
            }
        }
        let is_text = part == Part::Text;
        match self.now {
            Step::Measure => {
                self.lengths.push(bytes.len());
                None
            }
            Step::Cut(most) if bytes.len() <= most => None,
            Step::Cut(most) => {
                self.done.truncated = true;
                if is_text { truncate::text(bytes, most, self.run.arena) } else { bytes.get(..most) }
            }
            Step::Mask if is_text && contents::is_word(self.member, bytes) => None,
            Step::Mask if is_text || self.masks() && std::str::from_utf8(bytes).is_ok() => self.text(bytes, 0),
            Step::Mask if self.masks() => Some(self.fail("bytes")),
            Step::Mask => None,
        }
    }
}
