//! The privacy stage: what of a span's content may leave, and how large it may be. It treats the encoded fields of a span, after the
//! profile has written them: what stands nowhere in these bytes cannot leave, whichever convention or profile it comes from.
//!
//! In order: content is dropped (`captureContent: false`) or media is taken out of it, the mask rules and the host's hook are applied,
//! then values and the span are cut to their limits. It fails closed: what cannot be treated is replaced, and counted.

mod class;
mod detect;
mod media;
mod pattern;
mod rules;
mod settings;
mod strings;
mod syntax;
mod text;
mod truncate;

pub use detect::Detector;
pub use settings::{MaskRule, Media, Settings};

use crate::config::ConfigError;
use crate::json::Out;
use crate::keys::Keys;
use crate::normalize;
use crate::otlp::wire::{Field, Reader, Wire};
use crate::otlp::write::number;
use crate::profiles::Table;
use bumpalo::Bump;
use class::{Class, Classes};
use rules::Rule;

/// Content is not cut shorter than this to make a span fit: what is left then is names and numbers.
const LEAST: usize = 64;
/// What the text of the status is called where keys are named.
const STATUS_KEY: &[u8] = b"status.message";

/// The host's hook threw, or gave no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookFailed;

/// A text and the key of its attribute in, what may leave of it out.
pub type MaskHook = Box<dyn Fn(&str, &str) -> Result<String, HookFailed>>;
/// Media in, what stands in its place out.
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

/// What the host does with content itself, after the rules.
#[derive(Default)]
pub struct Hooks {
    /// Masks each text of content.
    pub mask: Option<MaskHook>,
    /// Takes each media that would be described.
    pub on_media: Option<MediaHook>,
}

/// What was done, counted once for each form of a span: destinations with the same profile, `keep` and privacy share one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Values (of attributes, and texts of the status) in which a rule or the hook replaced something.
    pub masked: u64,
    /// Values of which something was replaced because it could not be treated.
    pub mask_failed: u64,
    /// Media that were replaced.
    pub media_replaced: u64,
    /// Values that were cut.
    pub truncated: u64,
    /// Attributes and events that were left out because they are content.
    pub content_dropped: u64,
}

/// The note of an attribute that was left out.
pub const DROPPED: &str = "dropped";

/// The keys of values that were treated, and how: for `explain`.
pub type Notes = Vec<(Box<[u8]>, &'static str)>;

/// What surrounds a span.
pub struct Run<'r, 'a> {
    /// The dictionary.
    pub keys: &'r Keys,
    /// Memory of the run.
    pub arena: &'a Bump,
    /// The host's own.
    pub hooks: &'r Hooks,
    /// Takes the counts.
    pub counts: &'r mut Counts,
    /// Takes the notes, where somebody asks.
    pub notes: Option<&'r mut Notes>,
}

/// The stage of one form.
#[derive(Debug)]
pub struct Privacy {
    capture_content: bool,
    rules: Vec<Rule>,
    media: Media,
    max_attribute_bytes: usize,
    max_span_bytes: usize,
    classes: Classes,
}

impl Privacy {
    /// Compiles the settings; `at` is the path before `privacy` in an error.
    pub fn new(settings: &Settings, table: &'static Table, at: &str) -> Result<Self, ConfigError> {
        let limit = |bytes: Option<usize>| bytes.filter(|bytes| *bytes > 0).unwrap_or(usize::MAX);
        Ok(Privacy {
            capture_content: settings.capture_content,
            rules: Rule::all(settings, at)?,
            media: settings.media,
            max_attribute_bytes: limit(settings.max_attribute_bytes),
            max_span_bytes: limit(settings.max_span_bytes),
            classes: Classes::new(table),
        })
    }

    /// May it have anything to do with a span of these fields? By default a look at its size, and a few samples of its bytes.
    fn is_idle(&self, fields: [&[u8]; 2], is_llm: bool, hooks: &Hooks) -> bool {
        let size = fields[0].len() + fields[1].len();
        let masks = self.rules.iter().any(|rule| is_llm || rule.names_keys());
        let of_llm = !self.capture_content || hooks.mask.is_some() || fields.iter().any(|fields| self.media.may_be_in(fields));
        !masks && size <= self.max_attribute_bytes.min(self.max_span_bytes) && !(is_llm && of_llm)
    }

    /// The fields of a span (and those that it gets as an entry) as they may leave.
    pub fn apply<'a>(&self, fields: [&'a [u8]; 2], is_llm: bool, run: Run<'_, 'a>) -> [&'a [u8]; 2] {
        if self.is_idle(fields, is_llm, run.hooks) {
            return fields;
        }
        let Run { keys, arena, hooks, counts, notes } = run;
        let (key, done) = (STATUS_KEY, Done::default());
        let mut pass = Pass { stage: self, keys, arena, hooks, counts, notes, is_llm, key, class: Class::Text, rules: 0, done };
        let treated = fields.map(|fields| pass.span(fields, Step::Treat));
        let Some(level) = pass.level(treated) else { return treated };
        treated.map(|fields| pass.span(fields, Step::Shorten(level)))
    }
}

/// What happens to a field of a message.
enum Edit<'a> {
    Keep,
    Drop,
    Set(&'a [u8]),
}

impl<'a> From<Option<&'a [u8]>> for Edit<'a> {
    fn from(new: Option<&'a [u8]>) -> Self {
        new.map_or(Edit::Keep, Edit::Set)
    }
}

/// Gives what a value is to be; `None`: as it is.
type Change<'c, 'a, P> = &'c dyn Fn(&mut P, &'a [u8]) -> Option<&'a [u8]>;

/// The message with some of its length-delimited fields changed; `None`: none is.
fn edit<'a>(message: &'a [u8], arena: &'a Bump, change: &mut dyn FnMut(u32, &'a [u8]) -> Edit<'a>) -> Option<&'a [u8]> {
    let mut out: Option<Out<'a>> = None;
    let mut done = 0;
    for field in fields(message) {
        let Wire::Bytes(_, bytes) = field.value else { continue };
        let new = match change(field.number, bytes) {
            Edit::Keep => continue,
            Edit::Drop => None,
            Edit::Set(new) => Some(new),
        };
        let out = out.get_or_insert_with(|| Out::with_capacity_in(message.len(), arena));
        out.extend_from_slice(&message[done..field.offset]);
        done = field.offset + field.raw.len();
        if let Some(new) = new {
            delimited(out, field.number, new);
        }
    }
    let mut out = out?;
    out.extend_from_slice(&message[done..]);
    Some(out.into_bump_slice())
}

fn fields(message: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut reader = Reader::new(0, message);
    std::iter::from_fn(move || reader.field().ok().flatten())
}

/// The last field of this number: of several, it counts.
fn bytes_of(message: &[u8], number: u32) -> &[u8] {
    fields(message).filter(|field| field.number == number).filter_map(|field| field.bytes().ok()).last().map_or(&[], |(_, bytes)| bytes)
}

fn delimited(out: &mut Out, number: u32, bytes: &[u8]) {
    for mut value in [u64::from(number << 3 | 2), bytes.len() as u64] {
        while value > 0x7f {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }
    out.extend_from_slice(bytes);
}

/// What was done to a value.
#[derive(Clone, Copy, Default)]
struct Done {
    masked: bool,
    failed: bool,
    media: bool,
    truncated: bool,
}

/// Which of the two ways over a span this is.
#[derive(Clone, Copy)]
enum Step {
    Treat,
    /// No text of a value is longer than this.
    Shorten(usize),
}

/// One span on its way through the stage, and the value that is looked at.
struct Pass<'r, 'a> {
    stage: &'r Privacy,
    keys: &'r Keys,
    arena: &'a Bump,
    hooks: &'r Hooks,
    counts: &'r mut Counts,
    notes: Option<&'r mut Notes>,
    is_llm: bool,
    key: &'a [u8],
    class: Class,
    /// The rules that hold for the key, as bits.
    rules: u64,
    done: Done,
}

impl<'a> Pass<'_, 'a> {
    fn span(&mut self, fields: &'a [u8], step: Step) -> &'a [u8] {
        let arena = self.arena;
        let new = edit(fields, arena, &mut |number, bytes| match number {
            number::ATTRIBUTES => self.attribute(bytes, step),
            number::EVENTS => self.event(bytes, step),
            number::LINKS => self.attributes(bytes, number::LINK_ATTRIBUTES, step).into(),
            number::STATUS => edit(bytes, arena, &mut |number, text| match number {
                number::STATUS_MESSAGE => self.status(text, step).into(),
                _ => Edit::Keep,
            })
            .into(),
            _ => Edit::Keep,
        });
        new.unwrap_or(fields)
    }

    fn event(&mut self, event: &'a [u8], step: Step) -> Edit<'a> {
        if self.is_llm && !self.stage.capture_content && normalize::carries_content(bytes_of(event, number::EVENT_NAME)) {
            self.counts.content_dropped += 1;
            return Edit::Drop;
        }
        self.attributes(event, number::EVENT_ATTRIBUTES, step).into()
    }

    fn attributes(&mut self, message: &'a [u8], attributes: u32, step: Step) -> Option<&'a [u8]> {
        edit(message, self.arena, &mut |number, bytes| if number == attributes { self.attribute(bytes, step) } else { Edit::Keep })
    }

    fn attribute(&mut self, attribute: &'a [u8], step: Step) -> Edit<'a> {
        self.begin(bytes_of(attribute, number::KEY));
        let new = match step {
            Step::Treat if self.is_llm && !self.stage.capture_content && self.class == Class::Content => {
                self.counts.content_dropped += 1;
                self.note(DROPPED);
                return Edit::Drop;
            }
            Step::Treat => {
                let treated = self.value(attribute, &|pass, value| pass.treated(value));
                let value = treated.unwrap_or(attribute);
                self.value(value, &|pass, value| pass.shortened(value, pass.stage.max_attribute_bytes)).or(treated)
            }
            Step::Shorten(most) if self.may_shorten() => self.value(attribute, &|pass, value| pass.shortened(value, most)),
            Step::Shorten(_) => None,
        };
        self.end();
        new.into()
    }

    fn value(&mut self, attribute: &'a [u8], change: Change<'_, 'a, Self>) -> Option<&'a [u8]> {
        edit(attribute, self.arena, &mut |number, bytes| if number == number::VALUE { change(self, bytes).into() } else { Edit::Keep })
    }

    fn status(&mut self, text: &'a [u8], step: Step) -> Option<&'a [u8]> {
        self.begin(STATUS_KEY);
        let new = match step {
            Step::Treat => {
                let treated = self.whole().map(|replacement| self.replaced(replacement)).or_else(|| self.text(text, 0));
                self.cut(treated.unwrap_or(text), self.stage.max_attribute_bytes).or(treated)
            }
            Step::Shorten(most) => self.cut(text, most),
        };
        self.end();
        new
    }

    /// Turns to the value of a key.
    fn begin(&mut self, key: &'a [u8]) {
        self.key = key;
        self.done = Done::default();
        self.class = match self.is_llm && key != STATUS_KEY {
            true => self.stage.classes.of(key, self.keys),
            false => Class::Text,
        };
        let holds = |rule: &Rule| if rule.names_keys() { rule.names(key) } else { self.is_content() };
        let bits = self.stage.rules.iter().enumerate().filter(|(_, rule)| holds(rule)).map(|(i, _)| 1 << i);
        self.rules = bits.fold(0, |all, bit: u64| all | bit);
    }

    /// Counts what was done to the value.
    fn end(&mut self) {
        let done = self.done;
        self.counts.masked += u64::from(done.masked);
        self.counts.mask_failed += u64::from(done.failed);
        self.counts.truncated += u64::from(done.truncated);
        let notes = [(done.masked, "masked"), (done.failed, "mask failed"), (done.media, "media replaced"), (done.truncated, "truncated")];
        notes.into_iter().filter(|(done, _)| *done).for_each(|(_, note)| self.note(note));
    }

    fn note(&mut self, note: &'static str) {
        let key = self.key;
        self.notes.iter_mut().for_each(|notes| notes.push((key.into(), note)));
    }

    /// Is it something that anything may stand in?
    fn is_content(&self) -> bool {
        self.is_llm && self.class > Class::Name
    }

    /// Does a rule or the hook have to see the text?
    fn masks(&self) -> bool {
        self.rules != 0 || self.hooks.mask.is_some() && self.is_content()
    }

    /// What stands in place of the whole value, if a rule says so.
    fn whole(&self) -> Option<&[u8]> {
        let rules = self.stage.rules.iter().enumerate();
        rules.filter(|(i, rule)| self.rules & 1 << i != 0 && rule.is_whole()).map(|(_, rule)| &rule.replacement[..]).next()
    }

    fn replaced(&self, replacement: &[u8]) -> &'a [u8] {
        self.arena.alloc_slice_copy(replacement)
    }

    /// An `AnyValue` as it may go out; `None`: as it is.
    fn treated(&mut self, value: &'a [u8]) -> Option<&'a [u8]> {
        let Some(replacement) = self.whole() else { return self.any(value, &[]) };
        let text = bytes_of(value, number::STRING);
        let mut said = Out::new_in(self.arena);
        // What is read as JSON stays JSON.
        if strings::may_be_json(text) && crate::json::Doc::parse(text, self.arena).is_some() {
            crate::json::string(replacement, &mut said);
        } else {
            said.extend_from_slice(replacement);
        }
        self.done.masked = true;
        let mut out = Out::new_in(self.arena);
        delimited(&mut out, number::STRING, &said);
        Some(out.into_bump_slice())
    }

    /// The texts of an `AnyValue`, wherever they are nested. `member`: the key of the map that it stands in.
    fn any(&mut self, value: &'a [u8], member: &[u8]) -> Option<&'a [u8]> {
        let arena = self.arena;
        edit(value, arena, &mut |number, bytes| match number {
            number::STRING if text::is_word(member, bytes) => Edit::Keep,
            number::STRING => self.text(bytes, 0).into(),
            number::BYTES if !self.masks() => Edit::Keep,
            number::BYTES if std::str::from_utf8(bytes).is_ok() => self.text(bytes, 0).into(),
            number::BYTES => Edit::Set(self.fail("bytes")),
            number::ARRAY => edit(bytes, arena, &mut |_, item| self.any(item, &[]).into()).into(),
            number::KVLIST => edit(bytes, arena, &mut |_, entry| self.entry(entry).into()).into(),
            // A value of a kind that is not known here.
            _ if self.masks() => {
                self.done.failed = true;
                Edit::Drop
            }
            _ => Edit::Keep,
        })
    }

    fn entry(&mut self, entry: &'a [u8]) -> Option<&'a [u8]> {
        let key = bytes_of(entry, number::KEY);
        edit(entry, self.arena, &mut |number, bytes| match number {
            number::KEY => self.name(bytes).into(),
            number::VALUE => self.any(bytes, key).into(),
            _ => Edit::Keep,
        })
    }

    /// An `AnyValue` whose texts together have at most `most` bytes; `None`: it is short enough.
    fn shortened(&mut self, value: &'a [u8], most: usize) -> Option<&'a [u8]> {
        if value.len() <= most {
            return None;
        }
        let mut lengths = Vec::new();
        texts(value, &mut lengths);
        match truncate::level(&lengths, most) {
            usize::MAX => None,
            level => self.cut_all(value, level),
        }
    }

    fn cut_all(&mut self, value: &'a [u8], most: usize) -> Option<&'a [u8]> {
        let arena = self.arena;
        edit(value, arena, &mut |number, bytes| match number {
            number::STRING => self.cut(bytes, most).into(),
            number::BYTES if bytes.len() > most => {
                self.done.truncated = true;
                Edit::Set(&bytes[..most])
            }
            number::ARRAY => edit(bytes, arena, &mut |_, item| self.cut_all(item, most).into()).into(),
            number::KVLIST => edit(bytes, arena, &mut |_, entry| self.value(entry, &|pass, value| pass.cut_all(value, most)).into()).into(),
            _ => Edit::Keep,
        })
    }

    fn cut(&mut self, text: &'a [u8], most: usize) -> Option<&'a [u8]> {
        let short = truncate::text(text, most, self.arena)?;
        self.done.truncated = true;
        Some(short)
    }

    fn may_shorten(&self) -> bool {
        !self.is_llm || self.is_content()
    }

    /// How long a text may be so that the span fits; `None`: it does.
    fn level(&mut self, fields: [&'a [u8]; 2]) -> Option<usize> {
        let size = fields[0].len() + fields[1].len();
        if size <= self.stage.max_span_bytes {
            return None;
        }
        let mut lengths = Vec::new();
        for field in fields.into_iter().flat_map(self::fields) {
            let (_, bytes) = field.bytes().unwrap_or_default();
            match field.number {
                number::ATTRIBUTES => self.measure(bytes, &mut lengths),
                number::EVENTS => self.measure_all(bytes, number::EVENT_ATTRIBUTES, &mut lengths),
                number::LINKS => self.measure_all(bytes, number::LINK_ATTRIBUTES, &mut lengths),
                number::STATUS => lengths.push(bytes_of(bytes, number::STATUS_MESSAGE).len()),
                _ => {}
            }
        }
        let rest = size - lengths.iter().sum::<usize>();
        Some(truncate::level(&lengths, self.stage.max_span_bytes.saturating_sub(rest)).max(LEAST))
    }

    fn measure_all(&mut self, message: &'a [u8], attributes: u32, lengths: &mut Vec<usize>) {
        for field in fields(message).filter(|field| field.number == attributes) {
            self.measure(field.bytes().unwrap_or_default().1, lengths);
        }
    }

    fn measure(&mut self, attribute: &'a [u8], lengths: &mut Vec<usize>) {
        self.begin(bytes_of(attribute, number::KEY));
        if self.may_shorten() {
            let mut own = Vec::new();
            texts(bytes_of(attribute, number::VALUE), &mut own);
            lengths.push(own.iter().sum());
        }
    }
}

/// The lengths of the texts of an `AnyValue`.
fn texts(value: &[u8], lengths: &mut Vec<usize>) {
    for field in fields(value) {
        let Ok((_, bytes)) = field.bytes() else { continue };
        match field.number {
            number::STRING | number::BYTES => lengths.push(bytes.len()),
            number::ARRAY => fields(bytes).filter_map(|item| item.bytes().ok()).for_each(|(_, item)| texts(item, lengths)),
            number::KVLIST => {
                fields(bytes).filter_map(|entry| entry.bytes().ok()).for_each(|(_, entry)| texts(bytes_of(entry, number::VALUE), lengths));
            }
            _ => {}
        }
    }
}
