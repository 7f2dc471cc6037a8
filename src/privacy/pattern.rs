//! Regular expressions for mask rules: the common syntax, in time linear in the text, for a fraction of the size that the smallest
//! crate would add to the module. Characters are Unicode's; classes such as `\w` and letters without case are ASCII's.
//!
//! `.` `[a-z]` `[^…]` `\d \w \s \D \W \S` `\b \B ^ $ \A \z` `( )` `(?: )` `(?i)` (flags `i`, `m`, `s`) `|` `* + ? {n,m}`, lazy with a `?`
//! behind, and escapes. A group only groups. No look-around, no back-references.

use super::detect::is_word;
use super::{steps, syntax};
use std::ops::Range;

/// What must be at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Start,
    End,
    LineStart,
    LineEnd,
    Boundary,
    NoBoundary,
}

/// A part of a compiled pattern.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A character of these ranges (by their numbers in the pattern), or one of none of them.
    Set(u32, u32, bool),
    /// No character, at such a place.
    Place(Place),
    /// Both ways, as far from here, the first one preferred.
    Fork(i32, i32),
    Match,
}

/// A compiled pattern.
#[derive(Debug, Default)]
pub struct Pattern {
    pub steps: Vec<Step>,
    /// The characters of its sets, as ranges of their numbers.
    pub ranges: Vec<(u32, u32)>,
    /// The bytes that a match can begin with, as bits.
    first: [u32; 8],
}

/// The steps that are tried at one place, the preferred first, each with where its match began.
struct Threads {
    list: Vec<(usize, usize)>,
    /// By step: the place at which it was put here last, and one.
    seen: Vec<usize>,
    /// Steps that are still to be followed; kept for its memory.
    open: Vec<usize>,
}

impl Pattern {
    /// Compiles a pattern, or says what is wrong with it.
    pub fn new(pattern: &str) -> Result<Self, &'static str> {
        let mut pattern = syntax::parse(pattern)?;
        let mut threads = pattern.threads();
        pattern.follow(0, 0, None, &mut threads);
        for (step, _) in &threads.list {
            for byte in 0..256 {
                pattern.first[byte >> 5] |= u32::from(pattern.may_begin(*step, byte as u32)) << (byte & 31);
            }
        }
        Ok(pattern)
    }

    fn may_begin(&self, step: usize, byte: u32) -> bool {
        match self.steps[step] {
            Step::Set(from, to, within) if byte > 127 => !within || self.set(from, to).iter().any(|(_, last)| *last > 127),
            Step::Set(..) => self.has(step, byte),
            // It may match nothing.
            _ => true,
        }
    }

    fn begins(&self, byte: u8) -> bool {
        self.first[usize::from(byte >> 5)] >> (byte & 31) & 1 != 0
    }

    fn set(&self, from: u32, to: u32) -> &[(u32, u32)] {
        &self.ranges[from as usize..to as usize]
    }

    /// Is it a step that takes this character?
    fn has(&self, step: usize, c: u32) -> bool {
        let Step::Set(from, to, within) = self.steps[step] else { return false };
        self.set(from, to).iter().any(|(first, last)| (*first..=*last).contains(&c)) == within
    }

    #[inline(never)]
    fn threads(&self) -> Threads {
        Threads { list: Vec::new(), seen: vec![0; self.steps.len()], open: Vec::new() }
    }

    /// Puts a step, and all that can be reached from it without a character, on the list. `place`: the text and where in it; `None`:
    /// every place will do.
    #[inline(never)]
    fn follow(&self, step: usize, start: usize, place: Option<(&[u8], usize)>, threads: &mut Threads) {
        let mark = place.map_or(1, |(_, at)| at + 1);
        threads.open.push(step);
        while let Some(step) = threads.open.pop() {
            if threads.seen[step] == mark {
                continue;
            }
            threads.seen[step] = mark;
            match self.steps[step] {
                Step::Fork(first, second) => {
                    for over in [second, first] {
                        threads.open.push(step.wrapping_add_signed(over as isize));
                    }
                }
                Step::Place(wanted) => {
                    if place.is_none_or(|(text, at)| is_at(wanted, text, at)) {
                        threads.open.push(step + 1);
                    }
                }
                Step::Set(..) | Step::Match => threads.list.push((step, start)),
            }
        }
    }

    /// The leftmost match that begins at `from` or behind it; of several there, that which the pattern prefers. `text` is UTF-8.
    /// `fuel`: how many characters may be looked at, in all the searches of a text; none are left where it gave up.
    pub fn find(&self, text: &[u8], from: usize, fuel: &mut usize) -> Option<Range<usize>> {
        let (mut now, mut next) = (self.threads(), self.threads());
        let mut found = None;
        let mut at = from;
        loop {
            if found.is_none() {
                if now.list.is_empty() {
                    let skipped = text[at..].iter().take_while(|byte| !self.begins(**byte)).count();
                    steps::add(skipped);
                    at += skipped;
                }
                self.follow(0, at, Some((text, at)), &mut now);
            }
            let (c, length) = character(&text[at..]);
            steps::add(1 + now.list.len());
            for (step, start) in &now.list {
                if matches!(self.steps[*step], Step::Match) {
                    found = Some(*start..at);
                    break;
                }
                if length > 0 && self.has(*step, c) {
                    self.follow(step + 1, *start, Some((text, at + length)), &mut next);
                }
            }
            now.list.clear();
            std::mem::swap(&mut now, &mut next);
            if length == 0 || found.is_some() && now.list.is_empty() {
                return found;
            }
            *fuel = fuel.checked_sub(1)?;
            at += length;
        }
    }
}

/// The character that the text begins with, and its length; 0 at the end.
#[inline(never)]
pub fn character(text: &[u8]) -> (u32, usize) {
    let Some(&lead) = text.first() else { return (0, 0) };
    let length = match lead {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => return (u32::from(lead), 1),
    };
    let bits = u32::from(lead) & (0xff >> (length + 1));
    let rest = text[1..text.len().min(length)].iter();
    (rest.fold(bits, |c, byte| c << 6 | u32::from(byte & 0x3f)), length.min(text.len()))
}

fn is_at(place: Place, text: &[u8], at: usize) -> bool {
    let before = text[..at].last();
    let after = text.get(at);
    let boundary = before.is_some_and(|b| is_word(*b)) != after.is_some_and(|b| is_word(*b));
    match place {
        Place::Start => before.is_none(),
        Place::End => after.is_none(),
        Place::LineStart => before.is_none_or(|b| *b == b'\n'),
        Place::LineEnd => after.is_none_or(|b| *b == b'\n'),
        Place::Boundary => boundary,
        Place::NoBoundary => !boundary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn agrees(pattern: &str, text: &str) {
        let (ours, oracle) = (Pattern::new(pattern), regex_lite::Regex::new(pattern).unwrap());
        let ours = ours.unwrap_or_else(|e| panic!("{pattern}: {e}"));
        for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            let theirs = oracle.find_at(text, at).map(|found| found.range());
            assert_eq!(ours.find(text.as_bytes(), at, &mut 1000), theirs, "{pattern:?} in {text:?} from {at}");
        }
    }

    #[test]
    fn agrees_with_regex_lite() {
        let text = "Order 1234, order 深圳-12 ORDER-7\nid=ab12cd; id = 9 \u{e9}t\u{e9} 110101199003071234 <a@b.c> x";
        for pattern in [
            r"order \d+",
            r"(?i)order[ -]\d+",
            r"(?i:ORDER) \d|id",
            r"\b\d{17}[\dXx]\b",
            r"[^\s<>]+@[^\s<>]+",
            r"id\s*=\s*(\w+?)(;|$)",
            r"(?m)^id.*$",
            r"(?s)1234.+?id",
            r"深.|\xe9t\u{e9}",
            r"\d{2,3}?",
            r"(?:ab|a)(?:12|1)c?d",
            r"[a-c\d-]{2,}",
            r"[]x]|[^\W\d_]{5}",
            r"(a|ab)(c|bcd)?",
            r"\Aorder|x\z",
            r"\Bd",
            r"[\x30-\x39]{4}",
        ] {
            agrees(pattern, text);
        }
        assert!(Pattern::new("(?:(?:(?:){8000}){8000}){8000}a").is_ok(), "in no time");
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (pattern, message) in [
            ("(a", "a group has no end"),
            ("a)", "a group that ends has no beginning"),
            ("*a", "there is nothing to repeat"),
            ("a{x}", "a count is expected behind {; write \\{ for the character"),
            ("a{3,2}", "a count has the form {2}, {2,} or {2,5}"),
            ("(?<=a)b", "look-around is not known"),
            (r"(a)\1", "back-references are not known"),
            (r"\q", "an escape is not known"),
            ("[a", "a class has no end"),
            ("[z-a]", "a range ends before it begins"),
            ("[[:alpha:]]", "classes by name are not known; write their characters"),
            ("(?x)a", "a flag is not known; i, m and s are"),
            ("((a{99}){99}){99}", "it is too large"),
            (r"\u{110000}", "an escape names no character"),
            (r"\u{+41}", "an escape names no character"),
            ("\\", "there is nothing behind the last backslash"),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap_err(), message, "{pattern}");
        }
    }

    fn pattern() -> impl Strategy<Value = String> {
        let leaf = proptest::sample::select(vec![
            "a",
            "b",
            "深",
            ".",
            r"\d",
            r"\w",
            r"\b",
            "[ab]",
            "[^a]",
            r"[\d深-]",
            "^",
            "$",
            r"\s",
            "A",
            "(?i:a)",
        ]);
        leaf.prop_map(str::to_owned).prop_recursive(4, 20, 4, |inner| {
            let many = proptest::sample::select(vec!["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{2,}?"]);
            prop_oneof![
                proptest::collection::vec(inner.clone(), 1..4).prop_map(|all| all.concat()),
                proptest::collection::vec(inner.clone(), 1..4).prop_map(|ways| format!("(?:{})", ways.join("|"))),
                (inner, many).prop_map(|(one, many)| format!("(?:{one}){many}")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn agrees_with_regex_lite_on_any_pattern(pattern in pattern(), text in "[aAb深1 \n-]{0,12}") {
            agrees(&pattern, &text);
        }

        #[test]
        fn no_pattern_and_no_text_panics(pattern in r"[ab()\[\]{}*+?|^$\\.,0-9:<=!-]{0,12}", text: String) {
            if let Ok(pattern) = Pattern::new(&pattern) {
                pattern.find(text.as_bytes(), 0, &mut 10_000);
            }
        }
    }
}
