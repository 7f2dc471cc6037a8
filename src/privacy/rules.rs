//! Mask rules, compiled: does one hold for a key, and what does it make of a text. Where texts are found is not known here.

use super::detect::{self, Detector};
use super::settings::{MaskRule, Settings};
use crate::config::{self, ConfigError};
use crate::json::Out;
use crate::normalize::scalar;
use bumpalo::Bump;
use std::ops::Range;

#[cfg(feature = "regex")]
pub use regex_lite::Regex;
/// There are no patterns without the feature `regex`.
#[cfg(not(feature = "regex"))]
#[derive(Debug)]
pub enum Regex {}

/// The longest text that a pattern is tried on. Its time is linear, but some hundred times that of a detector, on the thread of the host.
#[cfg(feature = "regex")]
const MAX_SEARCHED: usize = 1 << 20;

/// Compiles a pattern, or says what is wrong with it.
#[cfg(feature = "regex")]
pub fn compile(pattern: &str, field: &str) -> Result<Regex, ConfigError> {
    let regex = match Regex::new(pattern) {
        Ok(regex) => regex,
        Err(e) => return config::error(field, config::quoted(pattern), &format!("is no regular expression that is known here: {e}")),
    };
    if regex.is_match("") {
        let fix = "matches the empty text; write + in place of *, or anchor it to what must be there";
        return config::error(field, config::quoted(pattern), fix);
    }
    Ok(regex)
}

/// As with the feature `regex`, but there is none that could be compiled.
#[cfg(not(feature = "regex"))]
pub fn compile(pattern: &str, field: &str) -> Result<Regex, ConfigError> {
    config::error(field, config::quoted(pattern), "patterns are not built in; use detect, or build with the feature \"regex\"")
}

#[derive(Debug)]
enum Search {
    Detector(Detector),
    Pattern(Regex),
}

/// A rule, compiled.
#[derive(Debug)]
pub struct Rule {
    keys: Vec<String>,
    searches: Vec<(Search, Box<[u8]>)>,
    /// What stands in place of the whole value.
    pub replacement: Box<[u8]>,
}

impl Rule {
    /// Compiles the rules of a stage; `at` is the path before `privacy`.
    pub fn all(settings: &Settings, at: &str) -> Result<Vec<Rule>, ConfigError> {
        settings.mask.iter().enumerate().map(|(i, rule)| Rule::new(rule, &format!("{at}privacy.mask[{i}]"))).collect()
    }

    fn new(rule: &MaskRule, at: &str) -> Result<Self, ConfigError> {
        let with = |default: &str| rule.replacement.as_deref().unwrap_or(default).as_bytes().into();
        let mut searches: Vec<_> = rule.detect.iter().map(|d| (Search::Detector(*d), with(d.tag()))).collect();
        if let Some(pattern) = &rule.pattern {
            searches.push((Search::Pattern(compile(pattern, &format!("{at}.pattern"))?), with("<masked>")));
        }
        Ok(Rule { keys: rule.keys.clone(), searches, replacement: with("<masked>") })
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

    /// The text with its matches replaced; `None`: there are none. An error says why it could not be searched.
    pub fn mask<'a>(&self, text: &'a [u8], arena: &'a Bump) -> Result<Option<&'a [u8]>, &'static str> {
        let mut now = text;
        for (search, replacement) in &self.searches {
            let masked = match search {
                Search::Detector(detector) => {
                    let mut at = 0;
                    let next = std::iter::from_fn(|| {
                        let found = detect::find(*detector, now, at)?;
                        at = found.end;
                        Some(found)
                    });
                    replace(now, next, replacement, arena)
                }
                Search::Pattern(regex) => replace(now, matches(regex, now)?.into_iter(), replacement, arena),
            };
            now = masked.unwrap_or(now);
        }
        Ok((!std::ptr::eq(now, text)).then_some(now))
    }
}

#[cfg(feature = "regex")]
fn matches(regex: &Regex, text: &[u8]) -> Result<Vec<Range<usize>>, &'static str> {
    if text.len() > MAX_SEARCHED {
        return Err("too long to search");
    }
    let text = std::str::from_utf8(text).map_err(|_| "not UTF-8")?;
    Ok(regex.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty()).collect())
}

#[cfg(not(feature = "regex"))]
fn matches(regex: &Regex, _: &[u8]) -> Result<Vec<Range<usize>>, &'static str> {
    match *regex {}
}

/// The text with something else in place of each of these ranges; `None`: there are none.
pub fn replace<'a>(
    text: &'a [u8],
    mut ranges: impl Iterator<Item = Range<usize>>,
    replacement: &[u8],
    arena: &'a Bump,
) -> Option<&'a [u8]> {
    let first = ranges.next()?;
    let mut out = Out::with_capacity_in(text.len() + replacement.len(), arena);
    let mut done = 0;
    for range in std::iter::once(first).chain(ranges) {
        out.extend_from_slice(&text[done..range.start]);
        out.extend_from_slice(replacement);
        done = range.end;
    }
    out.extend_from_slice(&text[done..]);
    Some(out.into_bump_slice())
}
