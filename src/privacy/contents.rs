//! One text of a span: media is removed, then the mask rules are applied, then the host's hook. JSON is processed inside its strings, including
//! nested ones, and remains JSON; untouched parts are copied unchanged.

use super::settings::Media;
use super::strings::{self, Copy};
use super::{HookFailed, MediaPart, Pass, media};
use crate::json::{self, Json};
use crate::text::{self, Out};

/// Maximum depth of JSON in a string of JSON.
const MAX_DEPTH: usize = 8;
/// Phone and card numbers have at least this many digits, for numbers of JSON.
const LONG: usize = 11;

/// Words of the format of a message. They are not content, and a message without them is not a message.
const WORDS: &[(&str, &str)] = &[
    (
        "type",
        "text reasoning thinking tool_call tool_call_response tool_use tool_result tool-call tool-result server_tool_call \
         server_tool_call_response function function_call function_call_output message input_text output_text refusal blob uri file image \
         image_url input_image input_audio audio video document base64 url object string number integer boolean array null human ai system \
         tool",
    ),
    ("role", "system developer user assistant tool function model human ai"),
    ("modality", "image audio video document text"),
    ("finish_reason", "stop length content_filter tool_call tool_calls error unknown end_turn max_tokens"),
];

#[inline(never)]
pub(super) fn is_word(member: &[u8], text: &[u8]) -> bool {
    text::lookup(WORDS, member).is_some_and(|words| words.split(' ').any(|word| text::is(text, word)))
}

/// Returns true for names of members that look like part of a format, not like personal data.
pub(super) fn is_plain_name(name: &[u8]) -> bool {
    name.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.'))
}

/// The role of a JSON string in the object that contains it.
#[derive(Clone, Copy)]
enum As<'a> {
    Name,
    /// The value of a member of this name; empty for an item of a list.
    Value(&'a [u8]),
}

impl<'a> Pass<'_, 'a> {
    /// The text in the form that may leave; `None` if it is unchanged.
    #[inline(never)]
    pub(super) fn text(&mut self, text: &'a [u8], depth: usize) -> Option<&'a [u8]> {
        let media = self.stage.media;
        let media = if self.is_content() && media.may_be_in(text) { media } else { Media::Keep };
        // JSON has to be parsed for its escapes, and for base64 whose type is in a sibling.
        if media == Media::Keep && !self.masks() {
            return None;
        }
        if strings::is_dense(text) {
            return if self.masks() { Some(self.fail("too many values")) } else { self.plain(text, media) };
        }
        let Some(root) = strings::json(text, self.run.arena) else { return self.plain(text, media) };
        if depth == MAX_DEPTH {
            return Some(self.fail("nested too deep"));
        }
        let mut copy = Copy::new(text, self.run.arena);
        self.json(root, &[], (media, depth), &mut copy);
        copy.finish()
    }

    /// A JSON value, and everything in it.
    fn json(&mut self, json: Json<'a>, member: &'a [u8], inside: (Media, usize), copy: &mut Copy<'a>) {
        if let Some(raw) = json.word() {
            self.string(raw, As::Value(member), inside.1, copy);
        }
        // Only long numbers are examined: a phone or card number need not be in quotes.
        if let Some(digits) = json.number().filter(|number| number.len() >= LONG && number.iter().all(u8::is_ascii_digit))
            && let Some(masked) = self.masked(digits)
        {
            json::string(masked, copy.replace(digits));
        }
        let media = inside.0;
        let (mut kind, mut is_part) = (None, false);
        if media != Media::Keep {
            kind = json.any(media::TYPES).and_then(|kind| kind.word());
            is_part = json.get("type").is_some_and(|ty| ty.is("blob"));
        }
        let kind_of = kind.unwrap_or_default();
        if is_part {
            let mut base64 = None;
            json.children(&mut |name, value| base64 = base64.or_else(|| media.member(name, value, true)));
            if let Some(base64) = base64 {
                let said = self.media(kind_of, base64);
                let out = copy.replace(json.source());
                out.extend_from_slice_copy(b"{\"type\":\"text\",\"content\":");
                json::string(said, out);
                return out.push(b'}');
            }
        }
        json.children(&mut |name, value| {
            self.string(name, As::Name, inside.1, copy);
            match kind.and_then(|_| media.member(name, value, false)) {
                Some(base64) => {
                    let said = self.media(kind_of, base64);
                    copy.replace_string(base64, said);
                }
                None => self.json(value, name, inside, copy),
            }
        });
    }

    fn string(&mut self, raw: &'a [u8], is: As, depth: usize, copy: &mut Copy<'a>) {
        let said = strings::decoded(raw, self.run.arena);
        let new = match is {
            As::Name => self.name(said),
            As::Value(member) if is_word(member, said) => None,
            As::Value(_) => self.text(said, depth + 1),
        };
        if let Some(new) = new {
            copy.replace_string(raw, new);
        }
    }

    /// A text that is not JSON.
    fn plain(&mut self, text: &'a [u8], media: Media) -> Option<&'a [u8]> {
        let mut now = text;
        if media != Media::Keep {
            let mut copy = Copy::new(text, self.run.arena);
            while let Some(url) = media.data_url(text, copy.done) {
                let said = self.media(url.kind, url.base64);
                copy.replace(url.whole).extend_from_slice_copy(said);
            }
            now = copy.finish().unwrap_or(text);
        }
        // JSON that was cut off may still hide an `@` as `\u0040`.
        let seen = self.without_escapes(now).filter(|_| self.rules != 0);
        now = self.masked(seen.unwrap_or(now)).unwrap_or(now);
        now = self.hooked(now).unwrap_or(now);
        (!std::ptr::eq(now, text)).then_some(now)
    }

    /// The name of a member, or the key of a map; `None` if it is unchanged.
    pub(super) fn name(&mut self, name: &'a [u8]) -> Option<&'a [u8]> {
        if is_plain_name(name) { None } else { self.masked(name) }
    }

    /// The text after the rules for this key; `None` if it is unchanged.
    #[inline(never)]
    fn masked(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let mut now = text;
        for (i, rule) in self.stage.rules.iter().enumerate() {
            if self.rules & 1 << i != 0 {
                match rule.mask(now, self.run.arena) {
                    Ok(masked) => now = masked,
                    Err(why) => return Some(self.fail(&format!("rule {i}: {why}"))),
                }
            }
        }
        if std::ptr::eq(now, text) {
            return None;
        }
        self.done.masked = true;
        Some(now)
    }

    /// The text after the host's hook.
    fn hooked(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let hook = self.run.hooks.mask.as_ref().filter(|_| self.is_content() && !text.is_empty())?;
        let text = self.shown(text);
        let said = hook(text, self.shown(self.key));
        if said.as_deref() == Ok(text) {
            return None;
        }
        self.done.masked |= said.is_ok();
        Some(self.said(said))
    }

    /// Bytes in the form that a hook receives.
    #[inline(never)]
    fn shown(&self, text: &'a [u8]) -> &'a str {
        std::str::from_utf8(text).unwrap_or_else(|_| self.run.arena.alloc_str(&String::from_utf8_lossy(text)))
    }

    /// The replacement of media.
    #[inline(never)]
    fn media(&mut self, kind: &[u8], base64: &[u8]) -> &'a [u8] {
        self.run.counts.media_replaced += 1;
        self.done.media = true;
        let arena = self.run.arena;
        let Some(hook) = &self.run.hooks.on_media else { return media::descriptor(kind, base64, arena) };
        let mut plain = Out::new_in(arena);
        // Some sources escape the slashes in JSON.
        base64.iter().filter(|b| **b != b'\\').for_each(|b| plain.push(*b));
        let base64 = self.shown(plain.into_bump_slice());
        self.said(hook(&MediaPart { media_type: media::type_of(kind), base64, key: self.shown(self.key) }))
    }

    /// The result of a hook.
    #[inline(never)]
    fn said(&mut self, said: Result<String, HookFailed>) -> &'a [u8] {
        match said {
            Ok(said) => self.run.arena.alloc_slice_copy(said.as_bytes()),
            Err(HookFailed) => self.fail("the hook failed"),
        }
    }

    /// The replacement of a value that cannot be processed.
    #[inline(never)]
    pub(super) fn fail(&mut self, why: &str) -> &'a [u8] {
        self.done.failed = true;
        self.run.arena.alloc_slice_copy(format!("<masked: {why}>").as_bytes())
    }

    /// The text with the escapes of printable ASCII resolved; `None` if it has none.
    fn without_escapes(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        let mut copy = Copy::new(text, self.run.arena);
        let mut rest = text;
        while let Some(at) = text::position(rest, b"\\u00") {
            let escape = &rest[at..];
            rest = &escape[4..];
            let code = json::hex4(&escape[2..]).map_or(0, |code| code as u8);
            if (b' '..=b'~').contains(&code) && !b"\"\\".contains(&code) {
                copy.replace(&escape[..6]).push(code);
            }
        }
        copy.finish()
    }
}
