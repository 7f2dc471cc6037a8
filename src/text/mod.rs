//! Texts, words and numbers as bytes. This room knows nothing of OpenTelemetry.

pub mod base64;
pub mod bytes;
pub mod number;

use bumpalo::collections::Vec as BumpVec;

/// Text that is being written.
pub type Out<'a> = BumpVec<'a, u8>;

/// Returns true if the text is this word. Not inlined: a call is shorter than the comparison.
#[inline(never)]
pub fn is(text: &[u8], word: &str) -> bool {
    bytes::equal(text, word.as_bytes())
}

/// Returns true if the text is one of these words.
#[inline(never)]
pub fn any(text: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| is(text, word))
}

/// The index at which `part` first occurs in `text`. For short parts: memchr's own search takes ten times the code.
pub fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    let first = *part.first()?;
    memchr::memchr_iter(first, text).find(|at| text[*at..].starts_with(part))
}

/// The text, or an empty one if it is longer than any word of a convention (64 bytes) or not UTF-8.
#[inline(never)]
pub fn as_keyword(text: &[u8]) -> &str {
    std::str::from_utf8(text.get(..text.len().min(64)).filter(|short| short.len() == text.len()).unwrap_or_default()).unwrap_or_default()
}

/// The value of a word in a table.
pub fn lookup<T: Copy>(table: &[(&str, T)], text: &[u8]) -> Option<T> {
    table.iter().find(|(word, _)| is(text, word)).map(|(_, value)| *value)
}

/// As [`lookup`], whatever the case, if no entry is the text itself.
pub fn lookup_word<T: Copy>(table: &[(&str, T)], text: &[u8]) -> Option<T> {
    let same = |(word, _): &&(&str, T)| word.as_bytes().eq_ignore_ascii_case(text);
    lookup(table, text).or_else(|| table.iter().find(same).map(|(_, value)| *value))
}

/// Reads the spellings of true and false that sources use.
pub fn bool_word(text: &[u8]) -> Option<bool> {
    const WORDS: &[(&str, bool)] =
        &[("true", true), ("True", true), ("TRUE", true), ("1", true), ("false", false), ("False", false), ("FALSE", false), ("0", false)];
    lookup(WORDS, unquote(text.trim_ascii()))
}

/// A whole number from text: `"57"`, `57.0`, `1e3`.
pub fn int_text(text: &[u8]) -> Option<i64> {
    let text = unquote(text.trim_ascii());
    number::integer(text).or_else(|| number::parse(text).and_then(whole))
}

/// The number as an integer, if it is one.
pub fn whole(n: f64) -> Option<i64> {
    (n.fract() == 0.0 && n.abs() < 9.0e18).then_some(n as i64)
}

/// Text without the JSON quotes around it: Langfuse Python 5 and MLflow write names that way.
pub fn unquote(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'"') && !inner.contains(&b'\\') => inner,
        _ => text,
    }
}

/// Returns true if `text` matches `pattern`, in which `*` matches any text.
pub fn glob(pattern: &str, text: &[u8]) -> bool {
    matches_glob(pattern.as_bytes(), text)
}

fn matches_glob(pattern: &[u8], text: &[u8]) -> bool {
    if memchr::memchr(b'*', pattern).is_none() {
        return text == pattern;
    }
    // After a mismatch, only the last star has to take one byte more; the earlier ones need no other attempt. So stars do not multiply the work.
    let (mut at, mut i) = (0, 0);
    let mut last = None;
    loop {
        match (pattern.get(at), text.get(i)) {
            (Some(b'*'), _) if at + 1 == pattern.len() => return true,
            (Some(b'*'), _) => {
                at += 1;
                last = Some((at, i));
            }
            (Some(wanted), Some(byte)) if wanted == byte => (at, i) = (at + 1, i + 1),
            (None, None) => return true,
            (_, None) => return false,
            _ => {
                let Some((after, from)) = last else { return false };
                (at, i) = (after, from + 1);
                last = Some((after, i));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, matches) in [
            ("a*", "a", true),
            ("a*", "b", false),
            ("*b", "aab", true),
            ("*b", "aba", false),
            ("a*b*c", "a--b-b--c", true),
            ("a*b*c", "a--c--b", false),
            ("*ab*ab", "abab", true),
            ("*ab*ab", "aab", false),
            ("**", "", true),
            ("", "", true),
            ("a", "ab", false),
            ("*a*", "xax", true),
        ] {
            assert_eq!(glob(pattern, text.as_bytes()), matches, "{pattern}, {text}");
        }
    }

    /// Each star once tried each place for each place of the one before: thirty of them took for ever.
    #[test]
    fn many_stars_take_no_longer_than_one() {
        let text = "a".repeat(10_000);
        assert!(glob(&format!("{}a", "*".repeat(30)), text.as_bytes()));
        assert!(!glob(&format!("{}b", "a*".repeat(30)), text.as_bytes()));
    }
}
