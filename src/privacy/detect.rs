//! The built-in detectors: linear scans for what e-mail addresses, phone and card numbers and secret keys look like. ASCII only;
//! they would rather leave a number alone that may be an id or a moment than mask what a trace is read for.

use crate::json::read::read_enum;
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

/// The first match that starts at `from` or later.
pub fn find(detector: Detector, text: &[u8], from: usize) -> Option<Range<usize>> {
    match detector {
        Detector::Email => email(text, from),
        Detector::Phone => digits(text, from, phone_at),
        Detector::Card => digits(text, from, card_at),
        Detector::Key => key(text, from),
    }
}

fn count(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is(**byte)).count()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn before(text: &[u8], at: usize) -> Option<u8> {
    text.get(at.checked_sub(1)?).copied()
}

fn email(text: &[u8], from: usize) -> Option<Range<usize>> {
    const MARKS: &[u8] = b"._%+-'";
    let is_local = |b: u8| b.is_ascii_alphanumeric() || MARKS.contains(&b);
    let is_domain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    // Everything before `free` was looked at: two marks never share what is before them, so the scan is linear.
    let mut free = from;
    for at in memchr::memchr2_iter(b'@', b'%', text.get(from..)?) {
        let at = from + at;
        let mark = match &text[at..] {
            [b'@', ..] => 1,
            // As it stands in a URL.
            [b'%', b'4', b'0', ..] => 3,
            _ => continue,
        };
        let local = text[free..at].iter().rev().take_while(|b| is_local(**b)).count();
        let start = at - local + count(&text[at - local..at], |b| MARKS.contains(&b));
        let domain = &text[at + mark..];
        let domain = &domain[..count(domain, is_domain)];
        let end = domain.len() - domain.iter().rev().take_while(|b| **b == b'.' || **b == b'-').count();
        let top = domain[..end].rsplit(|b| *b == b'.').next().unwrap_or_default();
        let is_top = top.len() >= 2 && top.len() < end && top[0].is_ascii_alphabetic();
        free = at + mark;
        if start < at && is_top && domain[0] != b'.' {
            return Some(start..at + mark + end);
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
        let byte = text[at];
        if !(byte.is_ascii_digit() || byte == b'+' || byte == b'(') {
            at += 1;
            continue;
        }
        let in_word = before(text, at).is_some_and(is_word);
        // The rest of a decimal number.
        let in_number = before(text, at) == Some(b'.') && at >= 2 && text[at - 2].is_ascii_digit();
        if !in_word
            && !in_number
            && let Some(length) = matches(&text[at..])
        {
            return Some(at..at + length);
        }
        at += count(&text[at..], |b| b.is_ascii_digit()).max(1);
    }
    None
}

/// Lengths of the groups of digits that `text` begins with, one separator (always the same) between two.
fn groups(text: &[u8]) -> ([usize; 6], usize) {
    let mut groups = [0; 6];
    let mut at = 0;
    let mut separator = None;
    for group in &mut groups {
        *group = count(&text[at..], |b| b.is_ascii_digit());
        at += *group;
        match text.get(at) {
            Some(b @ (b' ' | b'-' | b'.'))
                if *group > 0 && *separator.get_or_insert(*b) == *b && text.get(at + 1).is_some_and(u8::is_ascii_digit) =>
            {
                at += 1
            }
            _ => break,
        }
    }
    (groups, at)
}

fn ends(text: &[u8], length: usize) -> bool {
    !text.get(length).is_some_and(|b| is_word(*b))
}

fn phone_at(text: &[u8]) -> Option<usize> {
    match text[0] {
        b'+' => {
            let (mut digits, mut end, mut at) = (0, 0, 1);
            while let Some(byte) = text.get(at) {
                match byte {
                    b'0'..=b'9' => {
                        digits += 1;
                        end = at + 1;
                    }
                    b' ' | b'-' | b'.' | b'(' | b')' if at > 1 && at - end < 2 => {}
                    _ => break,
                }
                at += 1;
            }
            let country = matches!(text.get(1), Some(b'1'..=b'9'));
            (country && (8..=15).contains(&digits) && ends(text, end)).then_some(end)
        }
        b'(' => {
            let area = count(&text[1..], |b| b.is_ascii_digit());
            let rest = text.get(area + 2..).filter(|_| area == 3 && text.get(4) == Some(&b')'))?;
            let space = count(rest, |b| b == b' ');
            let (groups, _) = groups(&rest[space..]);
            let length = 5 + space + 8;
            (space < 2 && groups[..3] == [3, 4, 0] && ends(text, length)).then_some(length)
        }
        _ => {
            let (groups, length) = groups(text);
            let prefix = [&b"0086"[..], b"86"].into_iter().find(|p| text.starts_with(p) && groups[0] == p.len() + 11);
            let mobile = &text[prefix.map_or(0, <[u8]>::len)..];
            let is_mobile = mobile[0] == b'1' && matches!(mobile.get(1), Some(b'3'..=b'9'));
            if is_mobile && (prefix.is_some() || groups[0] == 11) && ends(text, groups[0]) {
                return Some(groups[0]);
            }
            let china = is_mobile && groups[..4] == [3, 4, 4, 0];
            let america = groups[..4] == [3, 3, 4, 0] && matches!(text[0], b'2'..=b'9');
            ((china || america) && ends(text, length)).then_some(length)
        }
    }
}

fn card_at(text: &[u8]) -> Option<usize> {
    // What cards begin with; a number that begins with 1 is a moment.
    if !matches!(text[0], b'2'..=b'6') {
        return None;
    }
    const SHAPES: &[&[usize]] = &[&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 1], &[6, 13], &[4, 4, 4, 4, 2]];
    let (groups, length) = groups(text);
    let is_shape = |shape: &&&[usize]| groups.starts_with(shape) && groups.get(shape.len()).is_none_or(|next| *next == 0);
    let length = if (13..=19).contains(&groups[0]) {
        groups[0]
    } else {
        SHAPES.iter().find(is_shape)?;
        length
    };
    (ends(text, length) && luhn(&text[..length])).then_some(length)
}

fn luhn(text: &[u8]) -> bool {
    let digits = text.iter().rev().filter(|b| b.is_ascii_digit()).map(|b| u32::from(b - b'0'));
    let sum: u32 = digits.enumerate().map(|(i, d)| if i % 2 == 0 { d } else { d * 2 / 10 + d * 2 % 10 }).sum();
    sum.is_multiple_of(10)
}

/// What keys begin with, and how many characters follow at least.
const KEYS: &[(&[u8], usize)] = &[
    (b"sk-", 20),
    (b"sk_live_", 16),
    (b"sk_test_", 16),
    (b"rk_live_", 16),
    (b"AKIA", 16),
    (b"ASIA", 16),
    (b"AKID", 24),
    (b"LTAI", 12),
    (b"ghp_", 20),
    (b"gho_", 20),
    (b"ghu_", 20),
    (b"ghs_", 20),
    (b"ghr_", 20),
    (b"github_pat_", 22),
    (b"glpat-", 20),
    (b"xoxa-", 10),
    (b"xoxb-", 10),
    (b"xoxp-", 10),
    (b"xoxr-", 10),
    (b"xoxs-", 10),
    (b"xapp-", 10),
    (b"AIza", 30),
    (b"hf_", 30),
    (b"npm_", 30),
];

/// No key is shorter, but for those in PEM.
const SHORTEST: usize = 15;

fn key(text: &[u8], from: usize) -> Option<Range<usize>> {
    let token = token(text, from);
    let end = token.as_ref().map_or(text.len(), |token| token.start);
    let begin = memchr::memmem::find_iter(text.get(from..end)?, b"-----BEGIN ").map(|at| from + at);
    begin.filter_map(|at| Some(at..at + pem(&text[at..])?)).next().or(token)
}

/// A key in a run of characters of which keys are made. Words are shorter than keys, so that one character of each fifteen tells where to
/// look.
fn token(text: &[u8], from: usize) -> Option<Range<usize>> {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    let mut start = from;
    while let Some(&last) = text.get(start + SHORTEST - 1) {
        if !is_token(last) {
            start += SHORTEST;
            continue;
        }
        let head = text[start..start + SHORTEST].iter().rev().take_while(|b| is_token(**b)).count();
        let run = start + SHORTEST - head;
        let end = start + SHORTEST + count(&text[start + SHORTEST..], is_token);
        start = end + 1;
        if end - run < SHORTEST {
            continue;
        }
        let word = run.checked_sub(7).and_then(|at| text.get(at..run));
        if end - run > SHORTEST && word.is_some_and(|word| word.eq_ignore_ascii_case(b"bearer ")) {
            return Some(run..end);
        }
        for at in run..end {
            let before = before(text, at).unwrap_or(b' ');
            let length = match () {
                () if before.is_ascii_alphanumeric() => None,
                () if before == b'_' || before == b'-' => prefixed(&text[at..]),
                () => prefixed(&text[at..]).or_else(|| jwt(&text[at..])),
            };
            if let Some(length) = length {
                return Some(at..at + length);
            }
        }
    }
    None
}

fn prefixed(text: &[u8]) -> Option<usize> {
    let (prefix, least) = KEYS.iter().find(|(prefix, _)| text.starts_with(prefix))?;
    let is_token = |b: u8| is_word(b) || b == b'-';
    let token = &text[prefix.len()..];
    // A look at the beginning is enough, and keeps the scan linear where prefix follows prefix.
    let head = &token[..count(&token[..token.len().min(64)], is_token)];
    // Words with hyphens, such as the classes of a style sheet.
    let words = head.contains(&b'-') && head.iter().all(|b| b.is_ascii_lowercase() || *b == b'-');
    (head.len() >= *least && !words).then(|| prefix.len() + count(token, is_token))
}

fn jwt(text: &[u8]) -> Option<usize> {
    let segment = |at: usize| text.get(at..).map_or(0, |rest| count(rest, |b| is_word(b) || b == b'-'));
    let head = segment(0);
    let body = segment(head + 1);
    if !text.starts_with(b"eyJ") || head < 10 || body < 10 || text.get(head) != Some(&b'.') {
        return None;
    }
    let signed = text.get(head + 1 + body) == Some(&b'.');
    signed.then(|| head + 1 + body + 1 + segment(head + 1 + body + 1))
}

/// A private key in PEM; to the end of the text where it has no end.
fn pem(text: &[u8]) -> Option<usize> {
    let head = text.strip_prefix(b"-----BEGIN ")?;
    let label = &head[..count(head, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' ')];
    if !label.ends_with(b"PRIVATE KEY") {
        return None;
    }
    let Some(end) = memchr::memmem::find(text, b"-----END ").map(|end| end + 9) else { return Some(text.len()) };
    let tail = &text[end..];
    Some(end + memchr::memmem::find(tail, b"-----").map_or(tail.len(), |dashes| dashes + 5))
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
