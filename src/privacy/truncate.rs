//! Shortens texts: at the boundaries of code points, so that JSON remains JSON, and never inside a descriptor of media.

use super::strings::{self, Copy};
use super::{media, pattern};
use crate::json::{self, Json};
use crate::text::Out;
use bumpalo::Bump;

/// The maximum for each of these lengths so that their sum is at most `most`: the largest are cut first.
/// `usize::MAX` if all of them fit.
pub fn level(lengths: &[usize], most: usize) -> usize {
    let fits = |level: usize| lengths.iter().map(|length| *length.min(&level)).sum::<usize>() <= most;
    if fits(usize::MAX) {
        return usize::MAX;
    }
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = high - (high - low) / 2;
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// The text in at most `most` bytes of UTF-8; `None`: it is short enough.
#[inline(never)]
pub fn text<'a>(text: &'a [u8], most: usize, arena: &'a Bump) -> Option<&'a [u8]> {
    if text.len() <= most {
        return None;
    }
    let mut copy = Copy::new(text, arena);
    let note_instead = |copy: &mut Copy<'a>| {
        let said = note(text.len());
        let said = if said.len() + 2 <= most { said } else { String::new() };
        let out = copy.replace(text);
        if most >= 2 {
            json::string(said.as_bytes(), out);
        }
    };
    if strings::is_dense(text) {
        note_instead(&mut copy);
    } else if let Some(root) = strings::json(text, arena) {
        let (mut lengths, mut rest) = (Vec::new(), text.len());
        strings_of(root, &mut |raw| {
            lengths.push(raw.len());
            rest -= raw.len();
        });
        if rest <= most {
            let level = level(&lengths, most - rest);
            strings_of(root, &mut |raw| {
                if raw.len() > level {
                    cut(raw, level, copy.replace(raw));
                }
            });
        } else {
            // Its numbers and names alone are too long.
            note_instead(&mut copy);
        }
    } else {
        cut(text, most, copy.replace(text));
    }
    copy.finish()
}

/// The strings in a JSON text that are not names, as written.
fn strings_of<'a>(json: Json<'a>, take: &mut dyn FnMut(&'a [u8])) {
    if let Some(raw) = json.word() {
        take(raw);
    }
    json.children(&mut |_, child| strings_of(child, take));
}

/// Appends the beginning of a text, and the length of the missing part, in `most` bytes. Escapes of JSON are kept whole.
fn cut(text: &[u8], most: usize, out: &mut Out) {
    let room = most.saturating_sub(note(text.len()).len());
    let (mut end, mut next) = (0, 0);
    while next <= room {
        end = next;
        next += unit(&text[end..]);
    }
    let end = media::begins_before(text, end).unwrap_or(end);
    out.extend_from_slice_copy(&text[..end]);
    let note = note(text.len() - end);
    if end + note.len() <= most {
        out.extend_from_slice_copy(note.as_bytes());
    }
}

/// The length of the first character of a text, or of its escape.
fn unit(text: &[u8]) -> usize {
    let Some(escape) = text.strip_prefix(b"\\") else { return pattern::character(text).1.max(1) };
    match escape {
        [b'u', code @ ..] => match json::hex4(code) {
            Some(0xd800..=0xdbff) if code[4..].starts_with(b"\\u") => 12,
            _ => 6,
        },
        [b'x', ..] => 4,
        _ => 1 + pattern::character(escape).1.max(1),
    }
}

/// The note with the length of the missing part.
fn note(missing: usize) -> String {
    format!("…[truncated {missing} bytes]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn short(text: &str, most: usize) -> String {
        let arena = Bump::new();
        let out = super::text(text.as_bytes(), most, &arena).unwrap_or(text.as_bytes());
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(short("short", 64), "short");
        let text = "深圳".repeat(20);
        // 64 less "…[truncated 120 bytes]" is 40: 13 characters, and 81 of 120 bytes are missing.
        assert_eq!(short(&text, 64), format!("{}深…[truncated 81 bytes]", "深圳".repeat(6)));
        assert_eq!(short("abcdef", 3), "");
    }

    #[test]
    fn of_json_the_longest_strings_are_cut() {
        let text = format!(r#"[{{"role":"user","content":"{}"}},"stays"]"#, "\\u00e9".repeat(50));
        // Without its strings it has 29 bytes, and 9 are in those that stay: of 68 the note takes 24, and 7 escapes fit.
        let expected = format!(r#"[{{"role":"user","content":"{}…[truncated 258 bytes]"}},"stays"]"#, "\\u00e9".repeat(7));
        assert_eq!(short(&text, 106), expected);
        assert_eq!(short(&format!("[{}1]", "1,".repeat(100)), 64), "\"…[truncated 203 bytes]\"");
    }

    #[test]
    fn the_largest_are_cut_first() {
        assert_eq!(level(&[10, 500, 20], 100), 70);
        assert_eq!(level(&[500, 500], 100), 50);
        assert_eq!(level(&[1, 2], 3), usize::MAX);
        assert_eq!(level(&[], 0), usize::MAX);
    }

    proptest! {
        #[test]
        fn json_stays_json_and_text_stays_text(value in crate::json::tests::any_json(), plain: String, most in 2usize..200) {
            for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
                let out = short(&text, most);
                prop_assert!(out.len() <= most || out == text);
                // Short enough, it is as it was: a number may be longer than what is left for text.
                let is_json = strings::json(text.as_bytes(), &Bump::new()).is_some();
                prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok() || !is_json, "{out}");
            }
            prop_assert!(short(&plain, most).len() <= most.max(2) || plain.len() <= most);
        }
    }
}
