//! Makes texts shorter: on the boundaries of code points, so that JSON stays JSON, and never inside a descriptor of media.

use super::{media, strings};
use crate::json::{self, Out};
use bumpalo::Bump;

/// The longest that any of these lengths may be so that their sum is no more than `most`: the largest are cut first.
/// `usize::MAX`: all of them fit.
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
pub fn text<'a>(text: &'a [u8], most: usize, arena: &'a Bump) -> Option<&'a [u8]> {
    if text.len() <= most {
        return None;
    }
    let is_json = strings::may_be_json(text) && json::Doc::parse(text, arena).is_some();
    if let Some(short) = is_json.then(|| json_text(text, most, arena)).flatten() {
        return Some(short);
    }
    let mut out = Out::with_capacity_in(most, arena);
    if !is_json {
        cut(text, most, &mut out);
    } else if most >= 2 {
        // Its numbers and names alone are too long.
        out.push(b'"');
        note(text.len(), most - 2, &mut out);
        out.push(b'"');
    }
    Some(out.into_bump_slice())
}

/// A JSON text with its longest strings cut.
fn json_text<'a>(text: &'a [u8], most: usize, arena: &'a Bump) -> Option<&'a [u8]> {
    let values = || strings::of(text).filter(|s| !s.is_name);
    let lengths: Vec<_> = values().map(|s| s.range.len()).collect();
    let rest = text.len() - lengths.iter().sum::<usize>();
    let level = level(&lengths, most.checked_sub(rest)?);
    let mut out = Out::with_capacity_in(most, arena);
    let mut done = 0;
    for string in values().filter(|s| s.range.len() > level) {
        out.extend_from_slice(&text[done..string.range.start]);
        cut(&text[string.range.clone()], level, &mut out);
        done = string.range.end;
    }
    out.extend_from_slice(&text[done..]);
    Some(out.into_bump_slice())
}

/// Appends the beginning of a text, and how much is missing, in `most` bytes. Escapes of JSON stay whole.
fn cut(text: &[u8], most: usize, out: &mut Out) {
    let room = most.saturating_sub(note_length(text.len()));
    let mut end = 0;
    while end < room {
        let next = end + unit(&text[end..]);
        if next > room {
            break;
        }
        end = next;
    }
    if let Some(start) = media::begins_before(text, end) {
        end = start;
    }
    out.extend_from_slice(&text[..end]);
    note(text.len() - end, most - end, out);
}

/// The length of the character, or of the escape of one, that the text begins with.
fn unit(text: &[u8]) -> usize {
    match text {
        [b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', _, _, b'\\', b'u', ..] => 12,
        [b'\\', b'u', ..] => 6,
        [b'\\', b'x', ..] => 4,
        [b'\\', rest @ ..] => 1 + unit(rest).max(1),
        [0xf0..=0xff, ..] => 4,
        [0xe0..=0xef, ..] => 3,
        [0xc0..=0xdf, ..] => 2,
        _ => 1,
    }
}

const NOTE: [&str; 2] = ["…[truncated ", " bytes]"];

fn note_length(missing: usize) -> usize {
    NOTE[0].len() + NOTE[1].len() + missing.checked_ilog10().map_or(1, |digits| digits as usize + 1)
}

/// Says how much is missing, where there is room for it.
fn note(missing: usize, room: usize, out: &mut Out) {
    if note_length(missing) <= room {
        for piece in [NOTE[0], &missing.to_string(), NOTE[1]] {
            out.extend_from_slice(piece.as_bytes());
        }
    }
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
                prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok() || !strings::may_be_json(text.as_bytes()), "{out}");
            }
            prop_assert!(short(&plain, most).len() <= most.max(2) || plain.len() <= most);
        }
    }
}
