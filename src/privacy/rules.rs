//! Mask rules, compiled: does one hold for a key, and what does it make of a text. Where texts are found is not known here.

use super::detect::{self, Detector};
use super::pattern::Pattern;
use super::settings::{MaskRule, Settings};
use crate::config::{self, ConfigError};
use crate::json::Out;
use crate::json::read;
use crate::normalize::scalar;
use bumpalo::Bump;
use std::ops::Range;

/// The longest text that a pattern is tried on. Its time is linear, but many times that of a detector, on the thread of the host.
const MAX_SEARCHED: usize = 1 << 20;
/// So often all of a text may be looked at: a pattern that prefers what it does not find looks to the end from each match.
const MAX_LOOKS: usize = 16;

/// Compiles a pattern, or says what is wrong with it.
pub fn compile(pattern: &str, field: &str) -> Result<Pattern, ConfigError> {
    let compiled = match Pattern::new(pattern) {
        Ok(compiled) => compiled,
        Err(e) => return config::error(field, read::quoted(pattern), &format!("is no regular expression that is known here: {e}")),
    };
    if compiled.find(b"", 0, &mut 1).is_some() {
        let fix = "matches the empty text; write + in place of *, or anchor it to what must be there";
        return config::error(field, read::quoted(pattern), fix);
    }
    Ok(compiled)
}

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
            let found = match search {
                Search::Detector(detector) => all(now, |at| detect::find(*detector, now, at)),
                Search::Pattern(_) if now.len() > MAX_SEARCHED => return Err("too long to search"),
                Search::Pattern(pattern) => {
                    let mut fuel = MAX_LOOKS * now.len() + 1;
                    let found = all(now, |at| pattern.find(now, at, &mut fuel));
                    if fuel == 0 {
                        return Err("too long to search");
                    }
                    found
                }
            };
            now = replace(now, &found, replacement, arena).unwrap_or(now);
        }
        Ok((!std::ptr::eq(now, text)).then_some(now))
    }
}

/// The matches in a text, empty ones left out. `next` gives the first that begins at a place or behind it.
fn all(text: &[u8], mut next: impl FnMut(usize) -> Option<Range<usize>>) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(range) = next(at) {
        if range.is_empty() {
            // Between two characters there is no other match.
            let Some(rest) = text.get(range.end + 1..) else { break };
            at = range.end + 1 + rest.iter().take_while(|b| **b & 0xc0 == 0x80).count();
            continue;
        }
        at = range.end;
        found.push(range);
    }
    found
}

/// The text with something else in place of each of these ranges; `None`: there are none.
fn replace<'a>(text: &'a [u8], ranges: &[Range<usize>], replacement: &[u8], arena: &'a Bump) -> Option<&'a [u8]> {
    ranges.first()?;
    let mut out = Out::with_capacity_in(text.len() + replacement.len(), arena);
    let mut done = 0;
    for range in ranges {
        out.extend_from_slice(&text[done..range.start]);
        out.extend_from_slice(replacement);
        done = range.end;
    }
    out.extend_from_slice(&text[done..]);
    Some(out.into_bump_slice())
}
