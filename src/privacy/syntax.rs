//! The syntax of patterns: from text to a tree. What a tree matches is in [`super::pattern`].

/// A count is no larger: repetitions are written out.
pub const MAX_STEPS: usize = 8192;
const MAX_DEPTH: usize = 64;

/// Characters, as ranges of their numbers.
pub type Set = Vec<(u32, u32)>;

const LAST: u32 = char::MAX as u32;
const DIGITS: &[(u32, u32)] = &[(48, 57)];
const WORD: &[(u32, u32)] = &[(48, 57), (65, 90), (95, 95), (97, 122)];
const SPACE: &[(u32, u32)] = &[(9, 13), (32, 32)];

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

/// A pattern, or a part of one.
#[derive(Clone, Debug)]
pub enum Node {
    /// One of these characters.
    Set(Set),
    /// No character, at such a place.
    Place(Place),
    /// Each, one after the other.
    All(Vec<Node>),
    /// One of these, the first preferred.
    Any(Vec<Node>),
    /// So often, as often as can be unless lazy.
    Repeat { node: Box<Node>, least: usize, most: Option<usize>, lazy: bool },
}

/// Reads a pattern, or says what is wrong with it.
pub fn parse(pattern: &str) -> Result<Node, &'static str> {
    let mut parser = Parser { text: pattern, at: 0, flags: Flags::default() };
    let node = parser.any(0)?;
    if parser.at < pattern.len() { Err("a group that ends has no beginning") } else { Ok(node) }
}

#[derive(Clone, Copy, Default)]
struct Flags {
    no_case: bool,
    lines: bool,
    dot_all: bool,
}

struct Parser<'p> {
    text: &'p str,
    at: usize,
    flags: Flags,
}

fn inverted(mut set: Set) -> Set {
    // So few that the simplest way is the shortest.
    for i in 1..set.len() {
        let mut j = i;
        while j > 0 && set[j - 1] > set[j] {
            set.swap(j - 1, j);
            j -= 1;
        }
    }
    let (mut out, mut from) = (Set::new(), 0);
    for (first, last) in set {
        if first > from {
            out.push((from, first - 1));
        }
        from = from.max(last + 1);
    }
    if from <= LAST {
        out.push((from, LAST));
    }
    out
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.text[self.at..].starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn any(&mut self, depth: usize) -> Result<Node, &'static str> {
        if depth > MAX_DEPTH {
            return Err("groups nest too deep");
        }
        let mut ways = vec![self.all(depth)?];
        while self.eat("|") {
            ways.push(self.all(depth)?);
        }
        Ok(Node::Any(ways))
    }

    fn all(&mut self, depth: usize) -> Result<Node, &'static str> {
        let mut nodes = Vec::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, '|' | ')')) {
            self.at += c.len_utf8();
            let node = match c {
                '(' => match self.group(depth)? {
                    Some(node) => node,
                    None => continue,
                },
                '[' => Node::Set(self.class()?),
                '.' if self.flags.dot_all => Node::Set(vec![(0, LAST)]),
                '.' => Node::Set(inverted(vec![(10, 10)])),
                '^' => Node::Place(if self.flags.lines { Place::LineStart } else { Place::Start }),
                '$' => Node::Place(if self.flags.lines { Place::LineEnd } else { Place::End }),
                '*' | '+' | '?' => return Err("there is nothing to repeat"),
                '{' => return Err("there is nothing to repeat; write \\{ for the character"),
                '\\' => self.escape()?,
                c => Node::Set(self.one(c)),
            };
            let node = self.repeated(node)?;
            nodes.push(node);
        }
        Ok(Node::All(nodes))
    }

    /// `None`: it only set flags.
    fn group(&mut self, depth: usize) -> Result<Option<Node>, &'static str> {
        let outer = self.flags;
        if self.eat("?") {
            if self.eat("=") || self.eat("!") || self.eat("<=") || self.eat("<!") {
                return Err("look-around is not known");
            }
            if self.eat("P<") || self.eat("<") {
                let name = self.text[self.at..].find('>').ok_or("the name of a group has no end")?;
                self.at += name + 1;
            } else {
                let mut on = true;
                loop {
                    match self.next() {
                        Some('i') => self.flags.no_case = on,
                        Some('m') => self.flags.lines = on,
                        Some('s') => self.flags.dot_all = on,
                        Some('-') if on => on = false,
                        Some(':') => break,
                        Some(')') => return Ok(None),
                        _ => return Err("a flag is not known; i, m and s are"),
                    }
                }
            }
        }
        let node = self.any(depth + 1)?;
        self.flags = outer;
        if self.eat(")") { Ok(Some(node)) } else { Err("a group has no end") }
    }

    fn repeated(&mut self, mut node: Node) -> Result<Node, &'static str> {
        loop {
            let (least, most) = match self.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') => {
                    self.at += 1;
                    let least = self.count().ok_or("a count is expected behind {; write \\{ for the character")?;
                    let most = if self.eat(",") { self.count() } else { Some(least) };
                    if self.peek() != Some('}') || most.is_some_and(|most| most < least) {
                        return Err("a count has the form {2}, {2,} or {2,5}");
                    }
                    (least, most)
                }
                _ => return Ok(node),
            };
            self.at += 1;
            let lazy = self.eat("?");
            node = Node::Repeat { node: Box::new(node), least, most, lazy };
        }
    }

    fn count(&mut self) -> Option<usize> {
        let digits = self.text[self.at..].bytes().take_while(u8::is_ascii_digit).count();
        let count = self.text[self.at..self.at + digits].parse().ok().filter(|count| *count <= MAX_STEPS)?;
        self.at += digits;
        Some(count)
    }

    /// One character, in the cases that the flags allow.
    fn one(&self, c: char) -> Set {
        self.cased(vec![(u32::from(c), u32::from(c))])
    }

    fn cased(&self, mut set: Set) -> Set {
        for i in 0..set.len() {
            let (first, last) = set[i];
            for (from, to, other) in [(65, 90, 97), (97, 122, 65)] {
                if self.flags.no_case && first <= to && last >= from {
                    set.push((first.max(from) - from + other, last.min(to) - from + other));
                }
            }
        }
        set
    }

    fn escape(&mut self) -> Result<Node, &'static str> {
        let place = match self.peek() {
            Some('b') => Place::Boundary,
            Some('B') => Place::NoBoundary,
            Some('A') => Place::Start,
            Some('z') => Place::End,
            Some('1'..='9' | 'k') => return Err("back-references are not known"),
            _ => return Ok(Node::Set(self.escaped()?.0)),
        };
        self.at += 1;
        Ok(Node::Place(place))
    }

    /// What stands behind a backslash, and whether it is one character.
    fn escaped(&mut self) -> Result<(Set, bool), &'static str> {
        let c = match self.next().ok_or("there is nothing behind the last backslash")? {
            'd' => return Ok((DIGITS.to_vec(), false)),
            'D' => return Ok((inverted(DIGITS.to_vec()), false)),
            'w' => return Ok((WORD.to_vec(), false)),
            'W' => return Ok((inverted(WORD.to_vec()), false)),
            's' => return Ok((SPACE.to_vec(), false)),
            'S' => return Ok((inverted(SPACE.to_vec()), false)),
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\x0c',
            'v' => '\x0b',
            'x' => self.hex(2)?,
            'u' => self.hex(4)?,
            c if c.is_ascii_alphanumeric() => return Err("an escape is not known"),
            c => c,
        };
        Ok((self.one(c), true))
    }

    fn hex(&mut self, digits: usize) -> Result<char, &'static str> {
        let rest = &self.text[self.at..];
        let (digits, length) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((digits, _)) => (digits, digits.len() + 2),
            None => (rest.get(..digits).unwrap_or_default(), digits),
        };
        let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).ok_or("an escape names no character")?;
        self.at += length;
        Ok(code)
    }

    /// What follows `[`.
    fn class(&mut self) -> Result<Set, &'static str> {
        const OPEN: &str = "a class has no end";
        let invert = self.eat("^");
        let mut set = Set::new();
        let mut first = true;
        loop {
            let c = self.next().ok_or(OPEN)?;
            match c {
                ']' if !first => break,
                '[' if self.peek() == Some(':') => return Err("classes by name are not known; write their characters"),
                '&' if self.peek() == Some('&') => return Err("classes cannot be combined; write \\& for the character"),
                _ => {}
            }
            first = false;
            let (member, is_one) = if c == '\\' { self.escaped()? } else { (self.one(c), true) };
            let ranges = is_one && self.text[self.at..].starts_with('-') && !self.text[self.at..].starts_with("-]");
            if !ranges {
                set.extend(member);
                continue;
            }
            self.at += 1;
            let end = match self.next().ok_or(OPEN)? {
                '\\' => self.escaped()?,
                c => (self.one(c), true),
            };
            let ((from, _), (to, _)) = (member[0], end.0[0]);
            if !end.1 || from > to {
                return Err("a range ends before it begins");
            }
            set.extend(self.cased(vec![(from, to)]));
        }
        Ok(if invert { inverted(set) } else { set })
    }
}
