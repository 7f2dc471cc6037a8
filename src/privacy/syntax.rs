//! The syntax of patterns: from text to steps, in one pass. What the steps match is in [`super::pattern`].

use super::pattern::{Place, Ranges, Step, character};

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
pub fn parse(pattern: &str) -> Result<(Vec<Step>, Ranges), &'static str> {
    let mut parser = Parser { text: pattern.as_bytes(), at: 0, flags: Flags::default(), steps: Vec::new(), ranges: Vec::new() };
    parser.any(0)?;
    parser.emit(&[Step::Match])?;
    if parser.at < pattern.len() { Err("a group that ends has no beginning") } else { Ok((parser.steps, parser.ranges)) }
}

struct Parser<'p> {
    text: &'p [u8],
    at: usize,
    flags: Flags,
    steps: Vec<Step>,
    /// The characters of all the sets.
    ranges: Ranges,
}

impl<'p> Parser<'p> {
    fn rest(&self) -> &'p [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline(never)]
    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    #[inline(never)]
    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// The next character, whatever it is.
    #[inline(never)]
    fn next(&mut self) -> Option<u32> {
        let (c, length) = character(self.rest());
        self.at += length;
        (length > 0).then_some(c)
    }

    #[inline(never)]
    fn emit(&mut self, steps: &[Step]) -> Result<(), &'static str> {
        self.steps.extend_from_slice(steps);
        if self.steps.len() > MAX_STEPS { Err("it is too large") } else { Ok(()) }
    }

    /// Ways, of which the first is preferred.
    fn any(&mut self, depth: usize) -> Result<(), &'static str> {
        if depth > MAX_DEPTH {
            return Err("groups nest too deep");
        }
        let mut jumps = Vec::new();
        loop {
            let start = self.steps.len();
            self.all(depth)?;
            if !self.eat("|") {
                break;
            }
            let way = self.steps.split_off(start);
            self.emit(&[Step::Fork(1, way.len() as i32 + 2)])?;
            self.emit(&way)?;
            jumps.push(self.steps.len());
            self.emit(&[Step::Match])?;
        }
        let end = self.steps.len();
        for at in jumps {
            let to = (end - at) as i32;
            self.steps[at] = Step::Fork(to, to);
        }
        Ok(())
    }

    /// One after the other.
    fn all(&mut self, depth: usize) -> Result<(), &'static str> {
        while let Some(c) = self.peek().filter(|c| !matches!(c, b'|' | b')')) {
            let start = self.steps.len();
            self.at += 1;
            if self.one(c, depth)? {
                self.repeat(start)?;
            }
        }
        Ok(())
    }

    /// Something that can be repeated, of which `c` is the first byte; `false`: it only set flags.
    fn one(&mut self, c: u8, depth: usize) -> Result<bool, &'static str> {
        let place = match c {
            b'(' => return self.group(depth),
            b'*' | b'+' | b'?' => return Err("there is nothing to repeat"),
            b'{' => return Err("there is nothing to repeat; write \\{ for the character"),
            b'^' => Some(if self.flags.lines { Place::LineStart } else { Place::Start }),
            b'$' => Some(if self.flags.lines { Place::LineEnd } else { Place::End }),
            b'\\' => self.peek().and_then(|c| find(PLACES, c)),
            _ => None,
        };
        let step = if let Some(place) = place {
            self.at += usize::from(c == b'\\');
            Step::Place(place)
        } else {
            let from = self.ranges.len() as u32;
            let mut within = true;
            if c == b'[' {
                within = self.class()?;
            } else if c == b'.' {
                within = self.flags.dot_all;
                self.ranges.push(if within { (0, LAST) } else { (10, 10) });
            } else {
                self.at -= 1;
                let member = self.member()?;
                self.put(&member);
            }
            Step::Set(from, self.ranges.len() as u32, within)
        };
        self.emit(&[step]).map(|()| true)
    }

    /// What follows `(`; `false`: it only set flags.
    fn group(&mut self, depth: usize) -> Result<bool, &'static str> {
        let outer = self.flags;
        if self.eat("?") {
            if ["=", "!", "<=", "<!"].into_iter().any(|look| self.eat(look)) {
                return Err("look-around is not known");
            }
            if self.eat("P<") || self.eat("<") {
                let name = self.rest().iter().position(|b| *b == b'>').ok_or("the name of a group has no end")?;
                self.at += name + 1;
            } else {
                let mut on = true;
                loop {
                    let flag = self.peek();
                    self.at += 1;
                    match flag {
                        Some(b'i') => self.flags.no_case = on,
                        Some(b'm') => self.flags.lines = on,
                        Some(b's') => self.flags.dot_all = on,
                        Some(b'-') if on => on = false,
                        Some(b':') => break,
                        Some(b')') => return Ok(false),
                        _ => return Err("a flag is not known; i, m and s are"),
                    }
                }
            }
        }
        self.any(depth + 1)?;
        self.flags = outer;
        if self.eat(")") { Ok(true) } else { Err("a group has no end") }
    }

    /// Repeats the steps from `start` on as often as what follows them says.
    fn repeat(&mut self, start: usize) -> Result<(), &'static str> {
        loop {
            let (mut least, most) = match self.peek() {
                Some(b'*') => (0, None),
                Some(b'+') => (1, None),
                Some(b'?') => (0, Some(1)),
                Some(b'{') => {
                    self.at += 1;
                    let least = self.count().ok_or("a count is expected behind {; write \\{ for the character")?;
                    let most = if self.eat(",") { self.count() } else { Some(least) };
                    if self.peek() != Some(b'}') || most.is_some_and(|most| most < least) {
                        return Err("a count has the form {2}, {2,} or {2,5}");
                    }
                    (least, most)
                }
                _ => return Ok(()),
            };
            self.at += 1;
            let lazy = self.eat("?");
            let fork = |to: i32, over: i32| if lazy { Step::Fork(over, to) } else { Step::Fork(to, over) };
            let round = self.steps.split_off(start);
            let length = round.len() as i32;
            let optional = most.map_or(0, |most| most - least);
            if most.is_none() && least == 0 {
                self.emit(&[fork(1, length + 2)])?;
                least = 1;
            }
            for _ in 0..least {
                self.emit(&round)?;
            }
            if most.is_none() {
                // Round by round: one that takes nothing must be able to leave.
                self.emit(&[fork(-length, 1)])?;
            }
            for left in (1..=optional as i32).rev() {
                self.emit(&[fork(1, left * (length + 1))])?;
                self.emit(&round)?;
            }
        }
    }

    fn count(&mut self) -> Option<usize> {
        let mut count = None;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            count = Some((count.unwrap_or(0) * 10 + usize::from(digit - b'0')).min(MAX_STEPS + 1));
            self.at += 1;
        }
        count
    }

    /// A character, or what stands behind a backslash.
    fn member(&mut self) -> Result<Member, &'static str> {
        let mut c = self.next().ok_or("a class has no end")?;
        if c != u32::from(b'\\') {
            return Ok(Member::One(c));
        }
        c = self.next().ok_or("there is nothing behind the last backslash")?;
        let byte = u8::try_from(c).unwrap_or(0);
        if let Some(set) = find(CLASSES, byte) {
            return Ok(Member::Of(set));
        }
        c = match byte {
            b'x' => self.hex(2)?,
            b'u' => self.hex(4)?,
            b'1'..=b'9' | b'k' => return Err("back-references are not known"),
            _ if byte.is_ascii_alphanumeric() => u32::from(find(CONTROLS, byte).ok_or("an escape is not known")?),
            _ => c,
        };
        Ok(Member::One(c))
    }

    /// The character that so many hex digits name, or those in braces.
    fn hex(&mut self, mut digits: usize) -> Result<u32, &'static str> {
        let braces = self.eat("{");
        if braces {
            digits = self.rest().iter().position(|b| *b == b'}').unwrap_or(0);
        }
        let text = self.rest().get(..digits).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
        let code = u32::from_str_radix(text, 16).ok().and_then(char::from_u32).ok_or("an escape names no character")?;
        self.at += digits + usize::from(braces);
        Ok(u32::from(code))
    }

    #[inline(never)]
    fn put(&mut self, member: &Member) {
        match member {
            Member::One(c) => self.range(*c, *c),
            Member::Of(set) => self.ranges.extend_from_slice(set),
        }
    }

    /// Characters, in the cases that the flags allow.
    #[inline(never)]
    fn range(&mut self, first: u32, last: u32) {
        self.ranges.push((first, last));
        for (from, to, other) in [(65, 90, 97), (97, 122, 65)] {
            if self.flags.no_case && first <= to && last >= from {
                self.ranges.push((first.max(from) - from + other, last.min(to) - from + other));
            }
        }
    }

    /// What follows `[`; `false`: it is the characters that are not in it.
    fn class(&mut self) -> Result<bool, &'static str> {
        let within = !self.eat("^");
        let mut first = true;
        while first || !self.eat("]") {
            first = false;
            if self.eat("[:") {
                return Err("classes by name are not known; write their characters");
            }
            if self.eat("&&") {
                return Err("classes cannot be combined; write \\& for the character");
            }
            let member = self.member()?;
            let rest = self.rest();
            let Member::One(from) = member else {
                self.put(&member);
                continue;
            };
            let mut to = from;
            if rest.starts_with(b"-") && !rest.starts_with(b"-]") {
                self.at += 1;
                let Member::One(end) = self.member()? else { return Err("a range ends before it begins") };
                to = end;
            }
            if from > to {
                return Err("a range ends before it begins");
            }
            self.range(from, to);
        }
        Ok(within)
    }
}
