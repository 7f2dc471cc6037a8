//! The syntax of patterns: from text to steps, in one pass. What the steps match is in [`super::pattern`].

use super::pattern::{Pattern, Place, Step, character};
use crate::text::number;

/// So many steps a pattern has at most: repetitions are written out.
const MAX_STEPS: usize = 8192;
const MAX_DEPTH: usize = 64;

/// Characters, as ranges of their numbers.
type Set = [(u32, u32)];

const LAST: u32 = char::MAX as u32;
/// Escapes that stand for several characters.
const CLASSES: &[(u8, &Set)] = &[
    (b'd', &[(48, 57)]),
    (b'D', &[(0, 47), (58, LAST)]),
    (b'w', &[(48, 57), (65, 90), (95, 95), (97, 122)]),
    (b'W', &[(0, 47), (58, 64), (91, 94), (96, 96), (123, LAST)]),
    (b's', &[(9, 13), (32, 32)]),
    (b'S', &[(0, 8), (14, 31), (33, LAST)]),
];
/// Escapes that stand for one.
const CONTROLS: &[(u8, u8)] = &[(b'n', b'\n'), (b'r', b'\r'), (b't', b'\t'), (b'f', 12), (b'v', 11)];
const PLACES: &[(u8, Place)] = &[(b'b', Place::Boundary), (b'B', Place::NoBoundary), (b'A', Place::Start), (b'z', Place::End)];

fn find<T: Copy>(table: &[(u8, T)], byte: u8) -> Option<T> {
    table.iter().find(|(of, _)| *of == byte).map(|(_, value)| *value)
}

/// What stands in a class, or for itself.
enum Member {
    One(u32),
    Of(&'static Set),
}

#[derive(Clone, Copy, Default)]
struct Flags {
    no_case: bool,
    lines: bool,
    dot_all: bool,
}

/// Reads a pattern, or says what is wrong with it.
pub fn parse(pattern: &str) -> Result<Pattern, &'static str> {
    let mut parser = Parser { text: pattern.as_bytes(), ..Parser::default() };
    parser.any(0);
    parser.emit(&[Step::Match]);
    if parser.at < pattern.len() {
        parser.fail("a group that ends has no beginning");
    }
    if parser.wrong.is_empty() { Ok(parser.out) } else { Err(parser.wrong) }
}

#[derive(Default)]
struct Parser<'p> {
    text: &'p [u8],
    at: usize,
    /// What was wrong first; from then on it is at the end of the text.
    wrong: &'static str,
    flags: Flags,
    out: Pattern,
}

impl<'p> Parser<'p> {
    #[inline(never)]
    fn fail(&mut self, why: &'static str) {
        if self.wrong.is_empty() {
            self.wrong = why;
        }
        self.at = self.text.len();
    }

    fn rest(&self) -> &'p [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte; 0 at the end.
    #[inline(never)]
    fn peek(&self) -> u8 {
        self.rest().first().copied().unwrap_or(0)
    }

    #[inline(never)]
    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// The next character, whatever it is.
    #[inline(never)]
    fn next(&mut self, end: &'static str) -> u32 {
        let (c, length) = character(self.rest());
        self.at += length;
        if length == 0 {
            self.fail(end);
        }
        c
    }

    #[inline(never)]
    fn emit(&mut self, steps: &[Step]) {
        if self.out.steps.len() + steps.len() > MAX_STEPS {
            return self.fail("it is too large");
        }
        self.out.steps.extend_from_slice(steps);
    }

    /// Ways, of which the first is preferred.
    fn any(&mut self, depth: usize) {
        if depth > MAX_DEPTH {
            return self.fail("groups nest too deep");
        }
        let mut jumps = Vec::new();
        loop {
            let start = self.out.steps.len();
            self.all(depth);
            if !self.eat("|") {
                break;
            }
            let way = self.out.steps.split_off(start);
            self.emit(&[Step::Fork(1, way.len() as i32 + 2)]);
            self.emit(&way);
            jumps.push(self.out.steps.len());
            self.emit(&[Step::Match]);
        }
        let end = self.out.steps.len();
        for at in jumps {
            let to = end.wrapping_sub(at) as i32;
            if let Some(step) = self.out.steps.get_mut(at) {
                *step = Step::Fork(to, to);
            }
        }
    }

    /// One after the other.
    fn all(&mut self, depth: usize) {
        while self.at < self.text.len() {
            let start = self.out.steps.len();
            let c = self.peek();
            if matches!(c, b'|' | b')') {
                return;
            }
            self.at += 1;
            if self.one(c, depth) {
                self.repeat(start);
            }
        }
    }

    /// Something that can be repeated, of which `c` is the first byte; `false`: it only set flags.
    fn one(&mut self, c: u8, depth: usize) -> bool {
        let place = match c {
            b'(' => return self.group(depth),
            b'^' => Some(if self.flags.lines { Place::LineStart } else { Place::Start }),
            b'$' => Some(if self.flags.lines { Place::LineEnd } else { Place::End }),
            b'\\' => find(PLACES, self.peek()),
            _ => None,
        };
        let (from, mut within) = (self.out.ranges.len() as u32, true);
        if place.is_some() {
            self.at += usize::from(c == b'\\');
        } else {
            match c {
                b'*' | b'+' | b'?' => self.fail("there is nothing to repeat"),
                b'{' => self.fail("there is nothing to repeat; write \\{ for the character"),
                b'[' => within = self.class(),
                b'.' => {
                    within = self.flags.dot_all;
                    self.out.ranges.push(if within { (0, LAST) } else { (10, 10) });
                }
                _ => {
                    self.at -= 1;
                    let member = self.member();
                    self.put(&member);
                }
            }
        }
        self.emit(&[place.map_or(Step::Set(from, self.out.ranges.len() as u32, within), Step::Place)]);
        true
    }

    /// What follows `(`; `false`: it only set flags.
    fn group(&mut self, depth: usize) -> bool {
        let outer = self.flags;
        if self.eat("?") {
            let mut on = true;
            if self.eat("=") || self.eat("!") || self.eat("<=") || self.eat("<!") {
                self.fail("look-around is not known");
            } else if self.eat("P<") || self.eat("<") {
                while self.next("the name of a group has no end") != u32::from(b'>') && self.wrong.is_empty() {}
            } else {
                while !self.eat(":") {
                    let flag = self.peek();
                    self.at += 1;
                    match flag {
                        b'i' => self.flags.no_case = on,
                        b'm' => self.flags.lines = on,
                        b's' => self.flags.dot_all = on,
                        b'-' if on => on = false,
                        b')' => return false,
                        _ => {
                            self.fail("a flag is not known; i, m and s are");
                            return false;
                        }
                    }
                }
            }
        }
        self.any(depth + 1);
        self.flags = outer;
        if !self.eat(")") {
            self.fail("a group has no end");
        }
        true
    }

    /// Repeats the steps from `start` on as often as what follows them says.
    fn repeat(&mut self, start: usize) {
        loop {
            let operator = self.peek();
            let (mut least, mut most) = match operator {
                b'*' => (0, None),
                b'+' => (1, None),
                b'?' => (0, Some(1)),
                b'{' => (0, None),
                _ => return,
            };
            self.at += 1;
            if operator == b'{' {
                let count = self.count();
                if count.is_none() {
                    self.fail("a count is expected behind {; write \\{ for the character");
                }
                least = count.unwrap_or(0);
                most = if self.eat(",") { self.count() } else { count };
                if !self.eat("}") || most.is_some_and(|most| most < least) {
                    return self.fail("a count has the form {2}, {2,} or {2,5}");
                }
            }
            let lazy = self.eat("?");
            let fork = |to: i32, over: i32| if lazy { Step::Fork(over, to) } else { Step::Fork(to, over) };
            let round = self.out.steps.split_off(start);
            let length = round.len() as i32;
            let optional = most.map_or(0, |most| most - least) as i32;
            if most.is_none() && least == 0 {
                self.emit(&[fork(1, length + 2)]);
                least = 1;
            }
            for _ in 0..least {
                self.emit(&round);
            }
            if most.is_none() {
                // Round by round: one that takes nothing must be able to leave.
                self.emit(&[fork(-length, 1)]);
            }
            for left in (1..=optional).rev() {
                self.emit(&[fork(1, left * (length + 1))]);
                self.emit(&round);
            }
        }
    }

    fn count(&mut self) -> Option<usize> {
        let mut count = None;
        while let digit @ b'0'..=b'9' = self.peek() {
            count = Some((count.unwrap_or(0) * 10 + usize::from(digit - b'0')).min(MAX_STEPS + 1));
            self.at += 1;
        }
        count
    }

    /// A character, or what stands behind a backslash.
    fn member(&mut self) -> Member {
        let mut c = self.next("a class has no end");
        if c == u32::from(b'\\') {
            c = self.next("there is nothing behind the last backslash");
            let byte = u8::try_from(c).unwrap_or(0);
            if let Some(set) = find(CLASSES, byte) {
                return Member::Of(set);
            }
            match byte {
                b'x' => c = self.hex(2),
                b'u' => c = self.hex(4),
                b'1'..=b'9' | b'k' => self.fail("back-references are not known"),
                _ if byte.is_ascii_alphanumeric() => match find(CONTROLS, byte) {
                    Some(control) => c = u32::from(control),
                    None => self.fail("an escape is not known"),
                },
                _ => {}
            }
        }
        Member::One(c)
    }

    /// The character that so many hex digits name, or those in braces.
    fn hex(&mut self, mut digits: usize) -> u32 {
        let braces = self.eat("{");
        if braces {
            digits = memchr::memchr(b'}', self.rest()).unwrap_or(0);
        }
        let code = self.rest().get(..digits).and_then(number::from_hex).and_then(|code| u32::try_from(code).ok());
        let Some(c) = code.and_then(char::from_u32) else {
            self.fail("an escape names no character");
            return 0;
        };
        self.at += digits + usize::from(braces);
        u32::from(c)
    }

    #[inline(never)]
    fn put(&mut self, member: &Member) {
        match member {
            Member::One(c) => self.range(*c, *c),
            Member::Of(set) => self.out.ranges.extend_from_slice(set),
        }
    }

    /// Characters, in the cases that the flags allow.
    #[inline(never)]
    fn range(&mut self, first: u32, last: u32) {
        self.out.ranges.push((first, last));
        for (from, to, other) in [(65, 90, 97), (97, 122, 65)] {
            if self.flags.no_case && first <= to && last >= from {
                self.out.ranges.push((first.max(from) - from + other, last.min(to) - from + other));
            }
        }
    }

    /// What follows `[`; `false`: it is the characters that are not in it.
    fn class(&mut self) -> bool {
        let within = !self.eat("^");
        let mut first = true;
        while (first || !self.eat("]")) && self.wrong.is_empty() {
            first = false;
            if self.eat("[:") {
                self.fail("classes by name are not known; write their characters");
            }
            if self.eat("&&") {
                self.fail("classes cannot be combined; write \\& for the character");
            }
            let member = self.member();
            let rest = self.rest();
            match member {
                Member::One(from) if rest.starts_with(b"-") && !rest.starts_with(b"-]") => {
                    self.at += 1;
                    match self.member() {
                        Member::One(to) if from <= to => self.range(from, to),
                        _ => self.fail("a range ends before it begins"),
                    }
                }
                _ => self.put(&member),
            }
        }
        within
    }
}
