//! The built-in detectors: linear scans for what e-mail addresses, phone and card numbers and secret keys look like. ASCII only;
//! they would rather leave a number alone that may be an id or a moment than mask what a trace is read for.

use crate::conventions::words;
use serde::Deserialize;
use std::ops::Range;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
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

/// The first match that starts at `from` or later.
pub fn find(detector: Detector, text: &[u8], from: usize) -> Option<Range<usize>> {
    match detector {
        Detector::Email => email(text, from),
        Detector::Phone => digits(text, from, phone_at),
        Detector::Card => digits(text, from, card_at),
        Detector::Key => key(text, from),
    }
}

/// Is it of a run of letters, digits and these marks?
fn is_of(byte: u8, marks: &[u8]) -> bool {
    byte.is_ascii_alphanumeric() || marks.contains(&byte)
}

pub(super) fn is_word(byte: u8) -> bool {
    is_of(byte, b"_")
}

/// How long the run is that the text begins with.
#[inline(never)]
fn run(text: &[u8], marks: &[u8]) -> usize {
    text.iter().take_while(|b| is_of(**b, marks)).count()
}

/// How long the run is that the text ends with.
#[inline(never)]
fn run_before(text: &[u8], marks: &[u8]) -> usize {
    text.iter().rev().take_while(|b| is_of(**b, marks)).count()
}

/// How many digits the text begins with.
#[inline(never)]
fn count(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn email(text: &[u8], from: usize) -> Option<Range<usize>> {
    const MARKS: &[u8] = b"._%+-'";
    // Everything before `free` was looked at: two marks never share what is before them, so the scan is linear.
    let mut free = from;
    for at in memchr::memchr2_iter(b'@', b'%', text.get(from..)?) {
        let at = from + at;
        // As it stands in a URL.
        let is_escape = text[at..].starts_with(b"%40");
        if text[at] == b'%' && !is_escape {
            continue;
        }
        let mark = if is_escape { at + 3 } else { at + 1 };
        let mut start = at - run_before(&text[free..at], MARKS);
        while MARKS.contains(&text[start]) && start < at {
            start += 1;
        }
        let mut end = mark + run(&text[mark..], b"-.");
        while end > mark && !text[end - 1].is_ascii_alphanumeric() {
            end -= 1;
        }
        free = mark;
        let domain = &text[mark..end];
        let top = run_before(domain, b"-");
        let is_top = top >= 2 && top < domain.len() && domain[domain.len() - top].is_ascii_alphabetic();
        if start < at && is_top && domain[0] != b'.' {
            return Some(start..end);
        }
    }
    None
}

/// Tries `matches` where digits may begin: at a digit, a `+` or a `(` that no word and no number runs into.
fn digits(text: &[u8], from: usize, matches: fn(&[u8]) -> Option<usize>) -> Option<Range<usize>> {
    let mut at = from;
    while at < text.len() {
        // Prose has no digits for long; what comes before the first of a number is one character.
        let chunks = text[at..].as_chunks::<16>().0;
        let plain = chunks.iter().take_while(|chunk| !chunk.iter().fold(false, |any, b| any | b.is_ascii_digit())).count();
        at += (plain * 16).saturating_sub(1);
        let (head, tail) = text.split_at(at);
        let mut digits = 0;
        if matches!(tail[0], b'0'..=b'9' | b'+' | b'(') {
            digits = count(tail);
            let runs_into = match head {
                // The rest of a decimal number.
                [.., before, b'.'] => before.is_ascii_digit(),
                [.., before] => is_word(*before),
                [] => false,
            };
            if let Some(length) = (!runs_into).then(|| matches(tail)).flatten() {
                return Some(at..at + length);
            }
        }
        at += digits.max(1);
    }
    None
}

/// The length of the groups of digits that `text` begins with, one separator (always the same) between two, if they have one of
/// these shapes.
#[inline(never)]
fn groups(text: &[u8], shapes: &[&[u8]]) -> Option<usize> {
    let mut groups = [0; 6];
    let (mut at, mut used) = (0, 0);
    while let Some(group) = groups.get_mut(used) {
        let length = count(&text[at..]);
        let separator = at.checked_sub(1).map(|at| text[at]);
        *group = length.min(99) as u8;
        at += length;
        used += 1;
        let is_next = match text.get(at..at + 2) {
            Some([b @ (b' ' | b'-' | b'.'), b'0'..=b'9']) => length > 0 && separator.is_none_or(|separator| separator == *b),
            _ => false,
        };
        if !is_next {
            break;
        }
        at += 1;
    }
    shapes.contains(&&groups[..used]).then_some(at)
}

fn phone_at(text: &[u8]) -> Option<usize> {
    const AMERICA: &[&[u8]] = &[&[3, 3, 4]];
    const CHINA: &[&[u8]] = &[&[3, 4, 4]];
    let length = match text {
        [b'+', b'1'..=b'9', ..] => {
            let (mut digits, mut end) = (0, 1);
            for (at, byte) in text.iter().enumerate().skip(1) {
                if byte.is_ascii_digit() {
                    digits += 1;
                    end = at + 1;
                } else if at - end > 1 || !b" -.()".contains(byte) {
                    break;
                }
            }
            (8..=15).contains(&digits).then_some(end)
        }
        [b'(', rest @ ..] if count(rest) == 3 => {
            let rest = rest[3..].strip_prefix(b")")?;
            let local = rest.strip_prefix(b" ").unwrap_or(rest);
            groups(local, &[&[3, 4]]).map(|length| text.len() - local.len() + length)
        }
        _ => {
            let digits = count(text);
            let mobile = match digits {
                15 => text.strip_prefix(b"0086"),
                13 => text.strip_prefix(b"86"),
                _ => Some(text),
            };
            match mobile {
                Some([b'1', b'3'..=b'9', ..]) if matches!(digits, 11 | 13 | 15) => Some(digits),
                Some([b'1', b'3'..=b'9', ..]) => groups(text, CHINA),
                _ if text[0] > b'1' => groups(text, AMERICA),
                _ => None,
            }
        }
    };
    length.filter(|length| ends(text, *length))
}

fn ends(text: &[u8], length: usize) -> bool {
    !text.get(length).is_some_and(|b| is_word(*b))
}

fn card_at(text: &[u8]) -> Option<usize> {
    const SHAPES: &[&[u8]] = &[&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 1], &[6, 13], &[4, 4, 4, 4, 2]];
    // What cards begin with; a number that begins with 1 is a moment.
    if !matches!(text[0], b'2'..=b'6') {
        return None;
    }
    let length = match count(text) {
        digits @ 13..=19 => digits,
        _ => groups(text, SHAPES)?,
    };
    (ends(text, length) && luhn(&text[..length])).then_some(length)
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

fn key(text: &[u8], from: usize) -> Option<Range<usize>> {
    let token = token(text, from);
    let end = token.as_ref().map_or(text.len(), |token| token.start);
    let mut at = from;
    while let Some(begin) = words::position(text.get(at..end)?, b"-----BEGIN ") {
        at += begin;
        if let Some(length) = pem(&text[at..]) {
            return Some(at..at + length);
        }
        at += 1;
    }
    token
}

/// A key in a run of characters of which keys are made. Words are shorter than keys, so that one character of each fifteen tells where to
/// look.
fn token(text: &[u8], from: usize) -> Option<Range<usize>> {
    const MARKS: &[u8] = b"-._~+/=";
    let mut start = from;
    while let Some(&last) = text.get(start + SHORTEST - 1) {
        start += SHORTEST;
        if !is_of(last, MARKS) {
            continue;
        }
        let first = start - run_before(&text[start - SHORTEST..start], MARKS);
        let end = start + run(&text[start..], MARKS);
        start = end + 1;
        if end - first < SHORTEST {
            continue;
        }
        let word = first.checked_sub(7).and_then(|at| text.get(at..first));
        if end - first > SHORTEST && word.is_some_and(|word| word.eq_ignore_ascii_case(b"bearer ")) {
            return Some(first..end);
        }
        let mut before = b' ';
        if let Some(at) = first.checked_sub(1) {
            before = text[at];
        }
        for at in first..end {
            let rest = &text[at..];
            if !before.is_ascii_alphanumeric()
                && let Some(length) = prefixed(rest).or_else(|| if is_of(before, b"_-") { None } else { jwt(rest) })
            {
                return Some(at..at + length);
            }
            before = text[at];
        }
    }
    None
}

fn prefixed(text: &[u8]) -> Option<usize> {
    let (prefix, least) = KEYS.iter().find(|(prefix, _)| text.starts_with(prefix.as_bytes()))?;
    let token = &text[prefix.len()..];
    // A look at the beginning is enough, and keeps the scan linear where prefix follows prefix.
    let head = &token[..run(&token[..token.len().min(64)], b"_-")];
    // Words with hyphens, such as the classes of a style sheet.
    let words = head.contains(&b'-') && head.iter().all(|b| b.is_ascii_lowercase() || *b == b'-');
    (head.len() >= usize::from(*least) && !words).then(|| prefix.len() + run(token, b"_-"))
}

fn jwt(text: &[u8]) -> Option<usize> {
    if !text.starts_with(b"eyJ") {
        return None;
    }
    let mut at = 0;
    for _ in 0..2 {
        let segment = run(&text[at..], b"_-");
        at += segment;
        if segment < 10 || text.get(at) != Some(&b'.') {
            return None;
        }
        at += 1;
    }
    Some(at + run(&text[at..], b"_-"))
}

/// A private key in PEM; to the end of the text where it has no end.
fn pem(text: &[u8]) -> Option<usize> {
    let head = text.strip_prefix(b"-----BEGIN ")?;
    let label = &head[..head.iter().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b' ').count()];
    if !label.ends_with(b"PRIVATE KEY") {
        return None;
    }
    let Some(end) = words::position(text, b"-----END ").map(|end| end + 9) else { return Some(text.len()) };
    Some(words::position(&text[end..], b"-----").map_or(text.len(), |dashes| end + dashes + 5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(detector: Detector, text: &str) -> String {
        let (mut out, mut done) = (String::new(), 0);
        while let Some(found) = find(detector, text.as_bytes(), done) {
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

    #[test]
    fn the_scans_are_linear() {
        let of = |text: &str| text.repeat((1 << 18) / text.len());
        for text in ["sk-", "eyJ-", "eyJ.", "a@", "%40", "+1 ", "1-", "(1", "-----BEGIN ", "bearer ", "4111-"] {
            for detector in [Detector::Email, Detector::Phone, Detector::Card, Detector::Key] {
                let start = std::time::Instant::now();
                masked(detector, &of(text));
                assert!(start.elapsed().as_secs() < 2, "{detector:?} of {text}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn every_match_is_a_range_of_the_text_behind_the_last(text in "[a-z0-9@%+.() eyJskAKI_-]{0,80}") {
            for detector in [Detector::Email, Detector::Phone, Detector::Card, Detector::Key] {
                masked(detector, &text);
            }
        }
    }
}
