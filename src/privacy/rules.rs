//! Compiled mask rules: whether one applies to a key, and its effect on a text. Finding the texts is done elsewhere.

use super::detect::{Detector, Finder};
use super::pattern::{self, Pattern};
use super::settings::{self, MaskRule, Settings};
use super::strings::Copy;
use crate::error::ConfigError;
use crate::json::read;
use crate::text;
use bumpalo::Bump;

/// The longest text that a pattern is applied to, in bytes. Its time is linear, but many times that of a detector, on the host's thread.
const MAX_SEARCHED: usize = 1 << 20;
/// The replacement of a match that has no name.
pub const MASKED: &str = "<masked>";
/// How often the whole text may be scanned: a pattern whose preferred alternative is absent scans to the end from each match.
const MAX_LOOKS: usize = 16;

/// A rule, compiled.
#[derive(Debug)]
pub struct Rule {
    of: MaskRule,
    pattern: Option<Pattern>,
}

impl Rule {
    /// Compiles the rules of a stage; `at` is the path before `privacy`.
    #[inline(never)]
    pub fn all(settings: &Settings, at: &str) -> Result<Vec<Rule>, ConfigError> {
        let mut rules = Vec::new();
        for (i, of) in settings.mask.iter().enumerate() {
            let mut rule = Rule { of: of.clone(), pattern: None };
            if let Err((field, value, problem, fix)) = rule.compile() {
                return settings::refuse(at, &format!("mask[{i}]{field}"), &value, problem, fix);
            }
            rules.push(rule);
        }
        Ok(rules)
    }

    /// An error contains the path of the field, its value, the problem and a fix.
    fn compile(&mut self) -> Result<(), (&'static str, String, &'static str, &'static str)> {
        let of = &self.of;
        if of.keys.is_empty() && self.is_whole() {
            let fix = "name keys, a pattern or detectors, such as {\"detect\": [\"email\"]}";
            return Err(("", String::new(), "is empty", fix));
        }
        if of.keys.iter().any(String::is_empty) {
            return Err((".keys", "\"\"".to_owned(), "is not a key", "use \"*\" for every key"));
        }
        let Some(text) = &of.pattern else { return Ok(()) };
        let wrong = match Pattern::new(text) {
            Ok(pattern) if pattern.find(b"", 0, &mut 1).is_none() => {
                self.pattern = Some(pattern);
                return Ok(());
            }
            Ok(_) => ("matches the empty text", "write + in place of *, or anchor it to what must be there"),
            Err(wrong) => ("is not a supported regular expression", wrong),
        };
        Err((".pattern", read::quoted(text), wrong.0, wrong.1))
    }

    /// The replacement of a match, or of the whole value.
    pub fn replacement<'r>(&'r self, default: &'r str) -> &'r [u8] {
        self.of.replacement.as_deref().unwrap_or(default).as_bytes()
    }

    /// Returns true if it names keys, and so applies to spans of every kind.
    pub fn names_keys(&self) -> bool {
        !self.of.keys.is_empty()
    }

    /// Returns true if it names this key.
    pub fn names(&self, key: &[u8]) -> bool {
        self.of.keys.iter().any(|glob| text::glob(glob, key))
    }

    /// Returns true if it masks the whole value.
    pub fn is_whole(&self) -> bool {
        self.of.detect.is_empty() && self.of.pattern.is_none()
    }

    /// The text with its matches replaced. An error contains the reason why it could not be searched.
    pub fn mask<'a>(&self, text: &'a [u8], arena: &'a Bump) -> Result<&'a [u8], &'static str> {
        const TOO_LONG: &str = "too long to search";
        let mut now = text;
        for i in 0..=self.of.detect.len() {
            let detector = self.of.detect.get(i).copied();
            let replacement = self.replacement(detector.map_or(MASKED, Detector::tag));
            let mut copy = Copy::new(now, arena);
            let mut finder = detector.map(|detector| Finder::new(detector, now));
            let (mut at, mut fuel) = (0, MAX_LOOKS * now.len() + 1);
            while at <= now.len() {
                let found = match (&mut finder, &self.pattern) {
                    (Some(finder), _) => finder.next(at),
                    (None, Some(_)) if now.len() > MAX_SEARCHED => return Err(TOO_LONG),
                    (None, Some(pattern)) => pattern.find(now, at, &mut fuel),
                    (None, None) => None,
                };
                let Some(range) = found else { break };
                at = range.end;
                if range.is_empty() {
                    // There is no other match between two characters.
                    at += pattern::character(&now[at..]).1.max(1);
                } else {
                    copy.replace(&now[range]).extend_from_slice(replacement);
                }
            }
            if fuel == 0 {
                return Err(TOO_LONG);
            }
            now = copy.finish().unwrap_or(now);
        }
        Ok(now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::steps;
    use super::*;

    const PARTS: &[&str] = &[
        "a", "b", "1", ".", "\\d", "\\w", "\\s", "[ab]", "[^b]", "(a|b)", "(a|a)", "(a+)", "(a*)", "(.*)", "(a|ab)", "*", "+", "?", "*?",
        "{2,5}", "$", "\\b", "|",
    ];

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

        /// However a pattern and a text are made: a bounded number of looks at each character, by each step of the pattern.
        #[test]
        fn no_pattern_takes_more_than_linear_time(
            parts in proptest::collection::vec(proptest::sample::select(PARTS), 1..9),
            unit in "[ab1 ]{1,6}",
            end in "[ab1c ]{0,2}",
        ) {
            let mask = MaskRule { pattern: Some(parts.concat()), ..MaskRule::default() };
            let Ok(rules) = Rule::all(&Settings { mask: vec![mask], ..Settings::default() }, "") else { return Ok(()) };
            let size = rules[0].pattern.as_ref().unwrap().steps.len() + 2;
            for bytes in [1 << 9, 1 << 12] {
                let text = unit.repeat(bytes / unit.len()) + &end;
                steps::take();
                // It may say that the text takes too long.
                let _ = rules[0].mask(text.as_bytes(), &Bump::new());
                let looks = steps::take();
                assert!(looks <= (MAX_LOOKS + 2) * size * (text.len() + 2), "{} of {unit:?}: {looks} looks", parts.concat());
            }
        }
    }
}
