//! Mask rules, compiled: does one hold for a key, and what does it make of a text. Where texts are found is not known here.

use super::detect::{self, Detector};
use super::pattern::{self, Pattern};
use super::settings::{MaskRule, Settings};
use super::strings::Copy;
use crate::config::{self, ConfigError};
use crate::normalize::scalar;
use bumpalo::Bump;

/// The longest text that a pattern is tried on. Its time is linear, but many times that of a detector, on the thread of the host.
const MAX_SEARCHED: usize = 1 << 20;
/// What stands in place of a match that has no name.
const MASKED: &str = "<masked>";
/// So often all of a text may be looked at: a pattern that prefers what it does not find looks to the end from each match.
const MAX_LOOKS: usize = 16;

#[derive(Debug)]
enum Search {
    Detector(Detector),
    Pattern(Pattern),
}

/// A rule, compiled.
#[derive(Debug)]
pub struct Rule {
    keys: Vec<String>,
    searches: Vec<(Search, Box<[u8]>)>,
    /// What stands in place of the whole value.
    pub replacement: Box<[u8]>,
}

/// What is wrong: a field of the rule, its value, and what is wrong with it.
type Wrong = (&'static str, String, String);

impl Rule {
    /// Compiles the rules of a stage; `at` is the path before `privacy`.
    #[inline(never)]
    pub fn all(settings: &Settings, at: &str) -> Result<Vec<Rule>, ConfigError> {
        let mut rules = Vec::new();
        for (i, rule) in settings.mask.iter().enumerate() {
            match Rule::new(rule) {
                Ok(rule) => rules.push(rule),
                Err((field, value, fix)) => return config::error(&format!("{at}privacy.mask[{i}]{field}"), value, &fix),
            }
        }
        Ok(rules)
    }

    fn new(rule: &MaskRule) -> Result<Self, Wrong> {
        if rule.keys.is_empty() && rule.pattern.is_none() && rule.detect.is_empty() {
            let fix = "name keys, a pattern or detectors, such as {\"detect\": [\"email\"]}";
            return Err(("", "says nothing".into(), fix.into()));
        }
        if rule.keys.iter().any(String::is_empty) {
            return Err((".keys", "\"\"".into(), "is no key; \"*\" stands for every key".into()));
        }
        let with = |default: &str| -> Box<[u8]> { rule.replacement.as_deref().unwrap_or(default).as_bytes().into() };
        let mut searches = Vec::new();
        for detector in &rule.detect {
            searches.push((Search::Detector(*detector), with(detector.tag())));
        }
        if let Some(text) = &rule.pattern {
            let wrong = match Pattern::new(text) {
                Ok(pattern) if pattern.find(b"", 0, &mut 1).is_none() => {
                    searches.push((Search::Pattern(pattern), with(MASKED)));
                    None
                }
                Ok(_) => Some("matches the empty text; write + in place of *, or anchor it to what must be there".into()),
                Err(e) => Some(format!("is no regular expression that is known here: {e}")),
            };
            if let Some(wrong) = wrong {
                return Err((".pattern", config::quoted(text), wrong));
            }
        }
        Ok(Rule { keys: rule.keys.clone(), searches, replacement: with(MASKED) })
    }

    /// Does it name keys, so that it holds on spans of every kind?
    pub fn names_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Is this one of the keys that it names?
    pub fn names(&self, key: &[u8]) -> bool {
        self.keys.iter().any(|glob| scalar::glob(glob, key))
    }

    /// Does it mask the whole value?
    pub fn is_whole(&self) -> bool {
        self.searches.is_empty()
    }

    /// The text with its matches replaced. An error says why it could not be searched.
    pub fn mask<'a>(&self, text: &'a [u8], arena: &'a Bump) -> Result<&'a [u8], &'static str> {
        const TOO_LONG: &str = "too long to search";
        let mut now = text;
        for (search, replacement) in &self.searches {
            let mut copy = Copy::new(now, arena);
            let (mut at, mut fuel) = (0, MAX_LOOKS * now.len() + 1);
            while at <= now.len() {
                let found = match search {
                    Search::Detector(detector) => detect::find(*detector, now, at),
                    Search::Pattern(_) if now.len() > MAX_SEARCHED => return Err(TOO_LONG),
                    Search::Pattern(pattern) => pattern.find(now, at, &mut fuel),
                };
                let Some(range) = found else { break };
                at = range.end;
                if range.is_empty() {
                    // Between two characters there is no other match.
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
