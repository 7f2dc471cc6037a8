//! One text of a span: media out of it, then the mask rules, then the host's hook. JSON is treated inside its strings, whatever is
//! nested in them, and stays JSON; what is not touched is copied as it stands.

use super::media::{self, Found};
use super::settings::Media;
use super::{MediaPart, Pass, strings};
use crate::json::{self, Out};
use bumpalo::Bump;
use std::ops::Range;

/// JSON in a string of JSON, and so on, so deep.
const MAX_DEPTH: usize = 8;

/// Words that say how a message is built. They are no content, and a message without them is none.
const WORDS: &[(&str, &[&str])] = &[
    (
        "type",
        &[
            "text",
            "reasoning",
            "thinking",
            "tool_call",
            "tool_call_response",
            "tool_use",
            "tool_result",
            "tool-call",
            "tool-result",
            "server_tool_call",
            "server_tool_call_response",
            "function",
            "function_call",
            "function_call_output",
            "message",
            "input_text",
            "output_text",
            "refusal",
            "blob",
            "uri",
            "file",
            "image",
            "image_url",
            "input_image",
            "input_audio",
            "audio",
            "video",
            "document",
            "base64",
            "url",
            "object",
            "string",
            "number",
            "integer",
            "boolean",
            "array",
            "null",
            "human",
            "ai",
            "system",
            "tool",
        ],
    ),
    ("role", &["system", "developer", "user", "assistant", "tool", "function", "model", "human", "ai"]),
    ("modality", &["image", "audio", "video", "document", "text"]),
    ("finish_reason", &["stop", "length", "content_filter", "tool_call", "tool_calls", "error", "unknown", "end_turn", "max_tokens"]),
];

pub(super) fn is_word(member: &[u8], text: &[u8]) -> bool {
    WORDS.iter().any(|(name, words)| name.as_bytes() == member && words.iter().any(|word| word.as_bytes() == text))
}

/// Names of members that look like those of a format, not like somebody's data.
fn is_plain_name(name: &[u8]) -> bool {
    name.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.'))
}

/// A text of which parts are replaced, from its beginning to its end.
struct Copy<'a> {
    text: &'a [u8],
    out: Option<Out<'a>>,
    /// Up to here it is copied, or something else stands in its place.
    done: usize,
}

impl<'a> Copy<'a> {
    /// Takes what stands in the place of `range`.
    fn replace(&mut self, range: Range<usize>, arena: &'a Bump) -> &mut Out<'a> {
        let out = self.out.get_or_insert_with(|| Out::with_capacity_in(self.text.len(), arena));
        out.extend_from_slice(&self.text[self.done..range.start]);
        self.done = range.end;
        out
    }

    /// The text; `None`: as it was.
    fn finish(self) -> Option<&'a [u8]> {
        let mut out = self.out?;
        out.extend_from_slice(&self.text[self.done..]);
        Some(out.into_bump_slice())
    }
}

impl<'a> Pass<'_, 'a> {
    /// The text as it may go out; `None`: as it is.
    pub(super) fn text(&mut self, text: &'a [u8], depth: usize) -> Option<&'a [u8]> {
        let media = if self.is_content() { self.stage.media } else { Media::Keep };
        // JSON has to be read for its escapes, and for base64 that only stands beside its type.
        let reads = self.masks() || media.may_be_in(text);
        if !reads {
            return None;
        }
        if strings::may_be_json(text)
            && let Some(root) = json::parse(text, self.arena)
        {
            if depth == MAX_DEPTH {
                return Some(self.fail("nested too deep"));
            }
            return self.json(text, root, media, depth);
        }
        self.plain(text, media)
    }

    fn json(&mut self, text: &'a [u8], root: json::Json<'a>, media: Media, depth: usize) -> Option<&'a [u8]> {
        let mut found = Vec::new();
        if media.may_be_in(text) {
            media.members(text, root, &mut found);
        }
        let mut found = found.into_iter().peekable();
        let mut copy = Copy { text, out: None, done: 0 };
        // Up to here it was looked for numbers.
        let mut seen = 0;
        for string in strings::of(text) {
            let before = seen..string.range.start;
            seen = string.range.end;
            if string.range.start < copy.done {
                continue;
            }
            if let Some(found) = found.next_if(|found| found.range.start <= string.range.start) {
                self.numbers(before.start..found.range.start, &mut copy);
                let said = self.media(&found);
                let out = copy.replace(found.range.clone(), self.arena);
                if found.is_part {
                    out.extend_from_slice(b"{\"type\":\"text\",\"content\":");
                    json::string(said, out);
                    out.push(b'}');
                } else {
                    strings::encode(said, string.quote, out);
                }
                continue;
            }
            self.numbers(before, &mut copy);
            let decoded = strings::decoded(&text[string.range.clone()], self.arena);
            let new = match string.is_name {
                true => self.name(decoded),
                false if is_word(string.member, decoded) => None,
                false => self.text(decoded, depth + 1),
            };
            if let Some(new) = new {
                strings::encode(new, string.quote, copy.replace(string.range, self.arena));
            }
        }
        self.numbers(seen..text.len(), &mut copy);
        copy.finish()
    }

    /// Numbers of JSON are left alone but for long ones: a phone or card number need not stand in quotes.
    fn numbers(&mut self, range: Range<usize>, copy: &mut Copy<'a>) {
        const LONG: usize = 11;
        let text = copy.text;
        let mut at = range.start;
        while self.rules != 0 && at < range.end {
            let length = text[at..range.end].iter().take_while(|b| b.is_ascii_digit()).count();
            let of_number =
                |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|b| matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
            if length >= LONG
                && !of_number(at.checked_sub(1))
                && !of_number(Some(at + length))
                && let Some(masked) = self.masked(&text[at..at + length])
            {
                json::string(masked, copy.replace(at..at + length, self.arena));
            }
            at += length.max(1);
        }
    }

    /// A text that is no JSON.
    fn plain(&mut self, text: &'a [u8], media: Media) -> Option<&'a [u8]> {
        let mut now = text;
        if let Some(first) = media.data_url(text, 0) {
            let mut copy = Copy { text, out: None, done: 0 };
            let mut next = Some(first);
            while let Some(found) = next {
                let said = self.media(&found);
                copy.replace(found.range, self.arena).extend_from_slice(said);
                next = media.data_url(text, copy.done);
            }
            now = copy.finish().unwrap_or(text);
        }
        // JSON that was cut off still hides an `@` as `\u0040`.
        let seen = self.without_escapes(now).filter(|_| self.rules != 0);
        if let Some(masked) = self.masked(seen.unwrap_or(now)) {
            now = masked;
        }
        if let Some(masked) = self.hooked(now) {
            now = masked;
        }
        (!std::ptr::eq(now, text)).then_some(now)
    }

    /// The name of a member, or the key of a map; `None`: as it is.
    pub(super) fn name(&mut self, name: &'a [u8]) -> Option<&'a [u8]> {
        if is_plain_name(name) { None } else { self.masked(name) }
    }

    /// The text after the rules that hold for this key; `None`: as it is.
    fn masked(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let mut now = text;
        for (i, rule) in self.stage.rules.iter().enumerate().filter(|(i, _)| self.rules & 1 << i != 0) {
            match rule.mask(now, self.arena) {
                Ok(None) => {}
                Ok(Some(masked)) => now = masked,
                Err(why) => return Some(self.fail(&format!("rule {i}: {why}"))),
            }
        }
        (!std::ptr::eq(now, text)).then(|| {
            self.done.masked = true;
            now
        })
    }

    /// The text after the host's hook.
    fn hooked(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let hook = self.hooks.mask.as_ref().filter(|_| self.is_content() && !text.is_empty())?;
        let (text, key) = (String::from_utf8_lossy(text), String::from_utf8_lossy(self.key));
        match hook(&text, &key) {
            Ok(masked) if masked == text => None,
            Ok(masked) => {
                self.done.masked = true;
                Some(self.arena.alloc_str(&masked).as_bytes())
            }
            Err(_) => Some(self.fail("the hook failed")),
        }
    }

    /// What stands in the place of media.
    fn media(&mut self, found: &Found) -> &'a [u8] {
        self.counts.media_replaced += 1;
        self.done.media = true;
        let Some(hook) = &self.hooks.on_media else { return self.arena.alloc_str(&media::descriptor(found)).as_bytes() };
        let base64: Vec<u8> = found.base64.iter().copied().filter(|b| *b != b'\\').collect();
        let part = MediaPart {
            media_type: media::type_of(found.kind),
            base64: &String::from_utf8_lossy(&base64),
            key: &String::from_utf8_lossy(self.key),
        };
        match hook(&part) {
            Ok(said) => self.arena.alloc_str(&said).as_bytes(),
            Err(_) => self.fail("the hook failed"),
        }
    }

    /// What stands in the place of what could not be treated.
    pub(super) fn fail(&mut self, why: &str) -> &'a [u8] {
        self.done.failed = true;
        self.arena.alloc_str(&format!("<masked: {why}>")).as_bytes()
    }

    /// The text with the escapes of printable ASCII resolved; `None`: it has none.
    fn without_escapes(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        let mut copy = Copy { text, out: None, done: 0 };
        for at in memchr::memmem::find_iter(text, b"\\u00") {
            let hex = text.get(at + 4..at + 6).and_then(|hex| std::str::from_utf8(hex).ok());
            let code = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|c| (b' '..=b'~').contains(c) && !b"\"\\".contains(c));
            if let Some(code) = code {
                copy.replace(at..at + 6, self.arena).push(code);
            }
        }
        copy.finish()
    }
}
