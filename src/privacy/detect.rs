//! The built-in detectors: linear scans for what e-mail addresses, phone and card numbers and secret keys look like. ASCII only;
//! they would rather leave a number alone that may be an id or a moment than mask what a trace is read for.

use super::steps;
use crate::json::read::read_enum;
use crate::text;
use std::ops::Range;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detector {
    /// E-mail addresses.
    Email,
    /// Phone numbers: `+` and a country, 3-3-4 digits with separators, mobile numbers of China.
    Phone,
    /// Card numbers: 13 to 19 digits, plain or in the groups of a card, with the right check digit.
    Card,
    /// Secrets by their shape: API keys of known prefixes, bearer tokens, JWTs, private keys in PEM.
    Key,
}

read_enum!(Detector { "email" => Detector::Email, "phone" => Detector::Phone, "card" => Detector::Card, "key" => Detector::Key, });

impl Detector {
    /// What stands in place of a match by default.
    pub fn tag(self) -> &'static str {
        match self {
            Detector::Email => "<email>",
            Detector::Phone => "<phone>",
            Detector::Card => "<card>",
            Detector::Key => "<key>",
        }
    }
}

/// Finds the matches of a detector in a text, one after the other. What it has looked at it does not look at again.
pub struct Finder<'t> {
    detector: Detector,
    text: &'t [u8],
    /// The next key that is no PEM, if it was looked for; within, `None`: there is none.
    token: Option<Option<Range<usize>>>,
}

impl<'t> Finder<'t> {
    /// Nothing was looked at yet.
    pub fn new(detector: Detector, text: &'t [u8]) -> Self {
        Finder { detector, text, token: None }
    }

    /// The first match that starts at `from` or later; `from` is never less than before.
    pub fn next(&mut self, from: usize) -> Option<Range<usize>> {
        match self.detector {
            Detector::Email => email(self.text, from),
            Detector::Phone => digits(self.text, from, phone_at),
            Detector::Card => digits(self.text, from, card_at),
            Detector::Key => self.key(from),
        }
    }

    fn key(&mut self, from: usize) -> Option<Range<usize>> {
        let token = match self.token.take() {
            Some(known) if known.as_ref().is_none_or(|token| token.start >= from) => known,
            _ => token(self.text, from),
        };
        let found = pem(self.text, from, token.as_ref().map_or(self.text.len(), |token| token.start));
        self.token = Some(token.clone());
        found.or(token)
    }
}

/// Is it of a run of letters, digits and these marks?
fn is_of(byte: u8, marks: &[u8]) -> bool {
    byte.is_ascii_alphanumeric() || marks.contains(&byte)
}

pub(super) fn is_word(byte: u8) -> bool {
    is_of(byte, b"_")
}

/// The byte at a place; 0 behind the end.
fn byte(text: &[u8], at: usize) -> u8 {
    steps::add(1);
    text.get(at).copied().unwrap_or(0)
}

/// Does this word stand there?
#[inline(never)]
fn says(text: &[u8], at: usize, word: &str) -> bool {
    steps::add(1);
    text.get(at..).is_some_and(|text| text.starts_with(word.as_bytes()))
}

/// Where the run ends that begins at a place.
#[inline(never)]
fn run_end(text: &[u8], mut at: usize, marks: &[u8]) -> usize {
    while is_of(byte(text, at), marks) {
        at += 1;
    }
    at
}

/// Where the run begins that ends before a place, `from` at the earliest.
#[inline(never)]
fn run_start(text: &[u8], from: usize, mut at: usize, marks: &[u8]) -> usize {
    while at > from && is_of(byte(text, at - 1), marks) {
        at -= 1;
    }
    at
}

/// How many digits stand there.
#[inline(never)]
fn count(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while byte(text, at).is_ascii_digit() {
        at += 1;
    }
    at - from
}

fn email(text: &[u8], from: usize) -> Option<Range<usize>> {
    // Everything before `free` was looked at: two marks never share what is before them, so the scan is linear.
    let (mut free, mut seen) = (from, from);
    for at in memchr::memchr2_iter(b'@', b'%', text.get(from..)?) {
        let at = from + at;
        steps::add(at - seen);
        seen = at;
        let domain = match byte(text, at) {
            b'@' => at + 1,
            // As it stands in a URL.
            _ if says(text, at, "%40") => at + 3,
            _ => continue,
        };
        let mut start = run_start(text, free, at, b"._%+-'");
        while start < at && !byte(text, start).is_ascii_alphanumeric() {
            start += 1;
        }
        let mut end = run_end(text, domain, b"-.");
        while end > domain && !byte(text, end - 1).is_ascii_alphanumeric() {
            end -= 1;
        }
        let top = run_start(text, domain, end, b"-");
        let is_top = end - top >= 2 && top > domain && byte(text, top).is_ascii_alphabetic();
        free = domain;
        if start < at && is_top && byte(text, domain) != b'.' {
            return Some(start..end);
        }
    }
    None
}

/// Tries `end_of` where digits may begin: at a digit, a `+` or a `(` that no word and no number runs into.
fn digits(text: &[u8], from: usize, end_of: fn(&[u8], usize) -> Option<usize>) -> Option<Range<usize>> {
    let mut at = from;
    while at < text.len() {
        // Prose has no digits for long; what comes before the first of a number is one character.
        let chunks = text[at..].as_chunks::<16>().0;
        let plain = chunks.iter().take_while(|chunk| !chunk.iter().fold(false, |any, b| any | b.is_ascii_digit())).count();
        steps::add(plain * 16);
        at += (plain * 16).saturating_sub(1);
        let mut next = at + 1;
        if matches!(byte(text, at), b'0'..=b'9' | b'+' | b'(') {
            next = next.max(at + count(text, at));
            let before = byte(text, at.wrapping_sub(1));
            // The rest of a decimal number.
            let in_number = before == b'.' && byte(text, at.wrapping_sub(2)).is_ascii_digit();
            if !in_number
                && !is_word(before)
                && let Some(end) = end_of(text, at).filter(|end| !is_word(byte(text, *end)))
            {
                return Some(at..end);
            }
        }
        at = next;
    }
    None
}

/// The end of the groups of digits that begin at a place, one separator (always the same) between two, if they have one of these shapes.
#[inline(never)]
fn groups(text: &[u8], mut at: usize, shapes: &[&[u8]]) -> Option<usize> {
    let (mut groups, mut used, mut separator) = ([0; 6], 0, 0);
    while let Some(group) = groups.get_mut(used) {
        let length = count(text, at);
        *group = length.min(99) as u8;
        used += 1;
        at += length;
        let next = byte(text, at);
        let is_next = b" -.".contains(&next) && (separator == 0 || separator == next) && length > 0;
        if !is_next || !byte(text, at + 1).is_ascii_digit() {
            break;
        }
        separator = next;
        at += 1;
    }
    shapes.contains(&groups.get(..used)?).then_some(at)
}

fn phone_at(text: &[u8], at: usize) -> Option<usize> {
    let (first, digits) = (byte(text, at), count(text, at));
    if first == b'+' {
        if !matches!(byte(text, at + 1), b'1'..=b'9') {
            return None;
        }
        let (mut digits, mut end, mut next) = (0, at, at + 1);
        loop {
            let b = byte(text, next);
            next += 1;
            if b.is_ascii_digit() {
                digits += 1;
                end = next;
            } else if next - end > 2 || !b" -.()".contains(&b) {
                return (8..=15).contains(&digits).then_some(end);
            }
        }
    }
    if first == b'(' {
        let local = at + if says(text, at + 4, ") ") { 6 } else { 5 };
        return if count(text, at + 1) == 3 && byte(text, at + 4) == b')' { groups(text, local, &[&[3, 4]]) } else { None };
    }
    let country = match digits {
        15 if says(text, at, "0086") => 4,
        13 if says(text, at, "86") => 2,
        _ => 0,
    };
    let is_mobile = byte(text, at + country) == b'1' && matches!(byte(text, at + country + 1), b'3'..=b'9');
    match is_mobile {
        true if digits == 11 + country => Some(at + digits),
        true => groups(text, at, &[&[3, 4, 4]]),
        false if first > b'1' => groups(text, at, &[&[3, 3, 4]]),
        false => None,
    }
}

fn card_at(text: &[u8], at: usize) -> Option<usize> {
    const SHAPES: &[&[u8]] = &[&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 1], &[6, 13], &[4, 4, 4, 4, 2]];
    // What cards begin with; a number that begins with 1 is a moment.
    if !matches!(byte(text, at), b'2'..=b'6') {
        return None;
    }
    let end = match count(text, at) {
        digits @ 13..=19 => at + digits,
        _ => groups(text, at, SHAPES)?,
    };
    luhn(text.get(at..end)?).then_some(end)
}

fn luhn(text: &[u8]) -> bool {
    let (mut sum, mut twice) = (0, false);
    for byte in text.iter().rev().filter(|b| b.is_ascii_digit()) {
        let digit = u32::from(byte - b'0');
        sum += if twice { digit * 2 / 10 + digit * 2 % 10 } else { digit };
        twice = !twice;
    }
    sum % 10 == 0
}

/// What keys begin with, and how many characters follow at least.
const KEYS: &[(&str, u8)] = &[
    ("sk-", 20),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("rk_live_", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AKID", 24),
    ("LTAI", 12),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 22),
    ("glpat-", 20),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("AIza", 30),
    ("hf_", 30),
    ("npm_", 30),
];

/// No key is shorter, but for those in PEM.
const SHORTEST: usize = 15;

/// The first private key in PEM that begins between two places.
fn pem(text: &[u8], from: usize, to: usize) -> Option<Range<usize>> {
    let mut at = from;
    while let Some(begin) = position(text.get(at..to)?, PEM) {
        at += begin + PEM.len();
        if let Some(end) = pem_end(text, at) {
            return Some(at - PEM.len()..end);
        }
    }
    None
}

/// Where in a text a part of it starts.
fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    let found = text::position(text, part);
    steps::add(found.unwrap_or(text.len()));
    found
}

/// A key in a run of characters of which keys are made. Words are shorter than keys, so that one character of each fifteen tells where to
/// look. The end of a run is not looked for: after each match in it the rest would be looked at anew.
fn token(text: &[u8], from: usize) -> Option<Range<usize>> {
    const MARKS: &[u8] = b"-._~+/=";
    let mut start = from;
    while start + SHORTEST <= text.len() {
        let next = start + SHORTEST;
        if !is_of(byte(text, next - 1), MARKS) {
            start = next;
            continue;
        }
        let first = run_start(text, start, next, MARKS);
        let mut at = next;
        while at < first + SHORTEST && is_of(byte(text, at), MARKS) {
            at += 1;
        }
        if at < first + SHORTEST {
            start = at + 1;
            continue;
        }
        let word = first.checked_sub(7).and_then(|at| text.get(at..first));
        if word.is_some_and(|word| word.eq_ignore_ascii_case(b"bearer ")) {
            let end = run_end(text, at, MARKS);
            if end - first > SHORTEST {
                return Some(first..end);
            }
        }
        at = first;
        while is_of(byte(text, at), MARKS) {
            let before = byte(text, at.wrapping_sub(1));
            if !before.is_ascii_alphanumeric() {
                let mut end = prefixed_end(text, at);
                // Its own segments have these marks: a scan from each would not be linear.
                if end.is_none() && before != b'_' && before != b'-' {
                    end = jwt_end(text, at);
                }
                if let Some(end) = end {
                    return Some(at..end);
                }
            }
            at += 1;
        }
        start = at + 1;
    }
    None
}

fn prefixed_end(text: &[u8], at: usize) -> Option<usize> {
    let (prefix, least) = KEYS.iter().find(|(prefix, _)| says(text, at, prefix))?;
    let start = at + prefix.len();
    // A look at the beginning is enough, and keeps the scan linear where prefix follows prefix.
    let head = text.get(start..text.len().min(start + 64))?;
    let head = &head[..run_end(head, 0, b"_-")];
    // Words with hyphens, such as the classes of a style sheet.
    let words = head.contains(&b'-') && head.iter().all(|b| b.is_ascii_lowercase() || *b == b'-');
    (head.len() >= usize::from(*least) && !words).then(|| run_end(text, start, b"_-"))
}

fn jwt_end(text: &[u8], mut at: usize) -> Option<usize> {
    if !says(text, at, "eyJ") {
        return None;
    }
    for _ in 0..2 {
        let end = run_end(text, at, b"_-");
        if end - at < 10 || byte(text, end) != b'.' {
            return None;
        }
        at = end + 1;
    }
    Some(run_end(text, at, b"_-"))
}

const PEM: &[u8] = b"-----BEGIN ";

/// Where a private key in PEM ends, of which the label begins here; at the end of the text where it has no end.
fn pem_end(text: &[u8], at: usize) -> Option<usize> {
    let text = text.get(at..)?;
    let label = text.iter().position(|b| !(b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b' ')).unwrap_or(text.len());
    steps::add(label);
    text.get(..label)?.strip_suffix(b"PRIVATE KEY")?;
    let mut end = 0;
    for mark in [&b"-----END "[..], b"-----"] {
        end += match position(text.get(end..)?, mark) {
            Some(found) => found + mark.len(),
            None => text.len() - end,
        };
    }
    Some(at + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Detector; 4] = [Detector::Email, Detector::Phone, Detector::Card, Detector::Key];

    fn masked(detector: Detector, text: &str) -> String {
        let (mut out, mut done) = (String::new(), 0);
        let mut finder = Finder::new(detector, text.as_bytes());
        while let Some(found) = finder.next(done) {
            out.push_str(&text[done..found.start]);
            out.push('#');
            done = found.end;
        }
        out + &text[done..]
    }

    #[track_caller]
    fn all(detector: Detector, cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            assert_eq!(masked(detector, text), *expected, "{text}");
        }
    }

    #[test]
    fn addresses() {
        all(
            Detector::Email,
            &[
                ("write to ada.l+x@mail.example.co.uk.", "write to #."),
                ("邮箱ada@example.com，谢谢", "邮箱#，谢谢"),
                ("<ada@example.com>,bob@example.org", "<#>,#"),
                ("mailto:ada%40example.com?x", "mailto:#?x"),
                ("a@b, @handle, user@localhost, text-bison@001, x@1.5", "a@b, @handle, user@localhost, text-bison@001, x@1.5"),
                ("100%40", "100%40"),
                ("ada@example.com@evil.org", "#@evil.org"),
            ],
        );
    }

    #[test]
    fn phones() {
        all(
            Detector::Phone,
            &[
                ("call +1 (555) 123-4567 now", "call # now"),
                ("+8613800138000", "#"),
                ("手机13800138000。", "手机#。"),
                ("138-0013-8000, 138 0013 8000", "#, #"),
                ("8613800138000 008613800138000", "# #"),
                ("(555) 123-4567 or 555.123.4567", "# or #"),
                // Moments, ids, decimals, versions, addresses.
                ("1795479339000 1795479339", "1795479339000 1795479339"),
                ("2026-11-25T18:22:47+08:00", "2026-11-25T18:22:47+08:00"),
                ("id213800138000 x13800138000y 0.13800138000", "id213800138000 x13800138000y 0.13800138000"),
                ("192.168.100.200 1.2.3", "192.168.100.200 1.2.3"),
                ("call_13800138000", "call_13800138000"),
                ("110101199003071234", "110101199003071234"),
            ],
        );
    }

    #[test]
    fn cards() {
        all(
            Detector::Card,
            &[
                // Test numbers of the card schemes.
                ("4111 1111 1111 1111", "#"),
                ("5555-5555-5555-4444,378282246310005", "#,#"),
                ("3782 822463 10005", "#"),
                ("6212345678901232", "#"),
                ("6205500000000000004", "#"),
                ("4111 1111 1111 1112", "4111 1111 1111 1112"),
                ("1795479339000 1795479339000000001", "1795479339000 1795479339000000001"),
                ("41111111111111111111111", "41111111111111111111111"),
                ("0.4111111111111111", "0.4111111111111111"),
            ],
        );
    }

    #[test]
    fn keys() {
        all(
            Detector::Key,
            &[
                ("key=sk-proj-abcDEF123456_7890-xyz!", "key=#!"),
                ("AKIAIOSFODNN7EXAMPLE", "#"),
                ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "#"),
                ("xoxb-1234567890-abc", "#"),
                ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "#"),
                ("Authorization: Bearer abcdef0123456789.xyz==", "Authorization: Bearer #"),
                ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl.", "#."),
                ("a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b", "a # b"),
                ("-----BEGIN PRIVATE KEY-----\nMIIE", "#"),
                ("-----BEGIN CERTIFICATE-----\nMIIE", "-----BEGIN CERTIFICATE-----\nMIIE"),
                (
                    "task-list-of-the-whole-company-1 sk-fading-circle-in-the-middle",
                    "task-list-of-the-whole-company-1 sk-fading-circle-in-the-middle",
                ),
                ("the bearer of bad news", "the bearer of bad news"),
            ],
        );
    }

    /// What the detectors look for, and what ends it.
    const WORDS: &[&str] = &[
        "sk-",
        "ghp_",
        "AKIA",
        "xoxb-",
        "github_pat_",
        "eyJ",
        "bearer ",
        "ABCDEFGHIJKLMNOP",
        "abcdefghij",
        "x1",
        "-----BEGIN ",
        "PRIVATE KEY",
        "-----",
        "-----END ",
        ".",
        "-",
        "_",
        "~",
        "+",
        "/",
        "=",
        " ",
        "\n",
        "@",
        "%40",
        "%",
        "a",
        "b.co",
        "+1",
        "+86",
        "(555)",
        "(",
        ")",
        "138",
        "1380013",
        "4111",
        "1",
        "23",
        "0086",
        "8000",
    ];

    /// Looks at bytes that it takes to find all matches.
    fn looks(detector: Detector, text: &str) -> usize {
        steps::take();
        masked(detector, text);
        steps::take()
    }

    #[track_caller]
    fn grows_as_the_text_does(unit: &str) {
        for detector in ALL {
            let [small, large] = [1 << 11, 1 << 13].map(|bytes| looks(detector, &unit.repeat(bytes / unit.len() + 1)));
            // Four times the text: what is quadratic takes sixteen times as many looks.
            assert!(large < 6 * small + 4096, "{detector:?} of {unit:?}: {small} looks, then {large}");
            assert!(large < 64 * (1 << 13), "{detector:?} of {unit:?}: {large} looks");
        }
    }

    // README promise: "Nothing of ours breaks the host"
    #[test]
    fn units_that_are_made_to_be_looked_at_twice_are_not() {
        for unit in [
            "-----BEGIN PRIVATE KEY-----END -----",
            "-----BEGIN PRIVATE KEY-----\n",
            "AKIAABCDEFGHIJKLMNOP.",
            "ghp_abcdefghijklmnopqrst~",
            "eyJabcdefghij.abcdefghijk.x.",
            "eyJabcdefghij.",
            "bearer abcdefghijklmnop/",
            "sk-",
            "eyJ-",
            "a@",
            "a@b.co-",
            "%40",
            "+1 ",
            "+1 (",
            "1-",
            "(1",
            "4111-",
        ] {
            grows_as_the_text_does(unit);
        }
        // Few matches of one kind between many of the other.
        let keys = "AKIAABCDEFGHIJKLMNOP ".repeat(100);
        let pem = "-----BEGIN PRIVATE KEY-----END -----".repeat(100);
        grows_as_the_text_does(&[&keys[..], &pem].concat());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

        #[test]
        fn no_unit_of_what_they_look_for_takes_more_than_linear_time(
            words in proptest::collection::vec(proptest::sample::select(WORDS), 1..9),
        ) {
            grows_as_the_text_does(&words.concat());
        }

        #[test]
        fn every_match_is_a_range_of_the_text_behind_the_last(text in "[a-z0-9@%+.() eyJskAKI_-]{0,80}") {
            for detector in ALL {
                masked(detector, &text);
            }
        }

        /// What is left out of the looks must not change what is found.
        #[test]
        fn a_finder_finds_what_a_fresh_one_does(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..40)) {
            let text = words.concat();
            for detector in ALL {
                let (mut finder, mut done) = (Finder::new(detector, text.as_bytes()), 0);
                while let Some(found) = finder.next(done) {
                    assert_eq!(Some(found.clone()), Finder::new(detector, text.as_bytes()).next(done), "{detector:?} of {text:?}");
                    done = found.end;
                }
                assert_eq!(Finder::new(detector, text.as_bytes()).next(done), None);
            }
        }
    }
}
