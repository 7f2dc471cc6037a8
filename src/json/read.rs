//! The configuration out of JSON: each value reads itself, and an error names the field by its path, never a value, which may
//! be a secret. By hand, since what serde derives for these few structs is a tenth of the module.

use super::Json;
use crate::text::{self, Out};
use bumpalo::Bump;
use std::fmt;

/// What is wrong, and where.
#[derive(Debug)]
pub struct Error(Box<Wrong>);

#[derive(Debug)]
struct Wrong {
    path: String,
    what: String,
}

impl Error {
    /// At the value itself.
    pub fn new(what: impl Into<String>) -> Self {
        Error(Box::new(Wrong { path: String::new(), what: what.into() }))
    }

    /// Another kind of value was expected: `use_` names it.
    pub fn unlike(use_: &str, json: Json) -> Self {
        Error::new(["is ", json.kind(), "; use ", use_].concat())
    }

    /// As it is, but within a value of this name.
    pub fn within(mut self, step: &str) -> Self {
        let path = &mut self.0.path;
        let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        *path = [step, dot, path].concat();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.0.path.is_empty() { "configuration" } else { &self.0.path };
        f.write_str(&[path, ": ", &self.0.what].concat())
    }
}

impl std::error::Error for Error {}

/// A value of the configuration.
pub trait Read {
    /// A value to read into; what is not said stays as it is here.
    fn blank() -> Self
    where
        Self: Sized;

    /// Becomes what the JSON says.
    fn read<'d>(&mut self, json: Json<'d>, arena: &'d Bump) -> Result<(), Error>;
}

/// What the JSON says.
pub fn value<'d, T: Read>(json: Json<'d>, arena: &'d Bump) -> Result<T, Error> {
    let mut value = T::blank();
    value.read(json, arena)?;
    Ok(value)
}

/// Reads a value from JSON text.
pub fn from_str<T: Read>(text: &str) -> Result<T, Error> {
    let arena = Bump::new();
    value(super::parse_or_say(text.as_bytes(), &arena).map_err(Error::new)?, &arena)
}

/// The outcome of reading one member of an object; `None`: nothing has this name.
pub type Member = Option<Result<(), Error>>;

/// A struct whose fields are read by their names.
pub trait Members {
    /// Reads the field with this name.
    fn member<'d>(&mut self, name: &[u8], json: Json<'d>, arena: &'d Bump) -> Member;

    /// Appends the names of all fields.
    fn names(&self, known: &mut Vec<&'static str>);
}

/// Reads the members of an object, until one of them is an error. Nothing here is compiled for each struct anew.
pub fn all_members<'d>(into: &mut dyn Members, json: Json<'d>, arena: &'d Bump) -> Result<(), Error> {
    entries(json, &mut |name, json| {
        into.member(name, json, arena).unwrap_or_else(|| {
            let mut known = Vec::new();
            into.names(&mut known);
            Err(Error::new(["is not an option; ", &hint(&String::from_utf8_lossy(name), &known)].concat()))
        })
    })
}

/// What may have been meant by an unknown name: the one name that is like it, or else all of them.
pub fn hint(name: &str, known: &[&str]) -> String {
    match known.iter().find(|known| is_like(name.as_bytes(), known.as_bytes())) {
        Some(meant) => ["did you mean ", meant, "?"].concat(),
        None => ["known: ", &known.join(", ")].concat(),
    }
}

/// Returns true if two names differ in their case, or by two letters at most.
fn is_like(a: &[u8], b: &[u8]) -> bool {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()] <= 2.min(b.len() / 2)
}

/// Reads the fields of a struct by the places of their names, each with others that stand for it.
pub fn members<'d>(json: Json<'d>, arena: &'d Bump, names: &[&[&str]], fields: &mut [&mut dyn Read]) -> Result<(), Error> {
    entries(json, &mut |name, json| match names.iter().position(|names| text::any(name, names)) {
        Some(at) => fields[at].read(json, arena),
        None => {
            let known: Vec<_> = names.iter().map(|names| names[0]).collect();
            Err(Error::new(["is not an option; ", &hint(&String::from_utf8_lossy(name), &known)].concat()))
        }
    })
}

/// Hands on each member of an object, until one of them is an error.
fn entries<'d>(json: Json<'d>, read: &mut dyn FnMut(&'d [u8], Json<'d>) -> Result<(), Error>) -> Result<(), Error> {
    if !json.is_object() {
        return Err(Error::unlike("an object", json));
    }
    for (name, value) in json.entries() {
        read(name, value).map_err(|e| e.within(&String::from_utf8_lossy(name)))?;
    }
    Ok(())
}

/// Reads a struct: the names of its members, and their fields; what is not said has its default.
macro_rules! read_struct {
    ($type:ty { $($name:literal $(| $alias:literal)* => $field:ident,)* }) => {
        impl $crate::json::read::Read for $type {
            fn blank() -> Self {
                Self::default()
            }

            fn read<'d>(&mut self, json: $crate::json::Json<'d>, arena: &'d bumpalo::Bump) -> Result<(), $crate::json::read::Error> {
                *self = Self::blank();
                $crate::json::read::members(json, arena, &[$(&[$name $(, $alias)*],)*], &mut [$(&mut self.$field,)*])
            }
        }
    };
}
pub(crate) use read_struct;

/// Reads an enum: its words.
macro_rules! read_enum {
    ($type:ty { $first:literal => $blank:expr, $($word:literal => $value:expr,)* }) => {
        impl $crate::json::read::Read for $type {
            fn blank() -> Self {
                $blank
            }

            fn read<'d>(&mut self, json: $crate::json::Json<'d>, _: &'d bumpalo::Bump) -> Result<(), $crate::json::read::Error> {
                const VALUES: &[$type] = &[$blank, $($value),*];
                *self = VALUES[$crate::json::read::word(json, &[$first, $($word),*])?];
                Ok(())
            }
        }

        impl $crate::json::read::Shown for $type {
            fn shown(&self) -> String {
                const VALUES: &[($type, &str)] = &[($blank, $first), $(($value, $word)),*];
                VALUES.iter().find(|(value, _)| value == self).map(|(_, word)| ["\"", word, "\""].concat()).unwrap_or_default()
            }
        }
    };
}
pub(crate) use read_enum;

/// Which of these words it is.
pub fn word(json: Json, words: &[&str]) -> Result<usize, Error> {
    let text = json.word().unwrap_or_default();
    words.iter().position(|word| text::is(text, word)).ok_or_else(|| unknown_word(json, words))
}

/// The error of a word that is not one of these. Words are not secrets.
fn unknown_word(json: Json, words: &[&str]) -> Error {
    let quotes = words.iter().map(|word| ["\"", word, "\""].concat()).collect::<Vec<_>>().join(", ");
    match json.word() {
        Some(word) => Error::new([&quoted(&String::from_utf8_lossy(word)), " is unknown; use one of ", &quotes].concat()),
        None => Error::unlike(&["one of ", &quotes].concat(), json),
    }
}

/// The default of an option as the documentation shows it; empty where nothing is set.
pub trait Shown {
    /// The text.
    fn shown(&self) -> String;
}

macro_rules! shown {
    ($($type:ty: |$value:ident| $text:expr;)*) => {
        $(impl Shown for $type {
            fn shown(&self) -> String {
                let $value = self;
                $text
            }
        })*
    };
}

shown! {
    bool: |value| value.to_string();
    f64: |value| value.to_string();
    usize: |value| value.to_string();
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref().map(Shown::shown).unwrap_or_default()
    }
}

/// Texts, lists and objects are empty by default.
macro_rules! shown_as_nothing {
    ($($type:ty)*) => {
        $(impl $crate::json::read::Shown for $type {
            fn shown(&self) -> String {
                String::new()
            }
        })*
    };
}
pub(crate) use shown_as_nothing;

shown_as_nothing! { String }

impl<T> Shown for Vec<T> {
    fn shown(&self) -> String {
        String::new()
    }
}

/// A text as JSON has it, cut short.
pub fn quoted(text: &str) -> String {
    let arena = Bump::new();
    let mut out = Out::new_in(&arena);
    let cut = text.char_indices().nth(80).map(|(at, _)| at);
    super::string(&text.as_bytes()[..cut.unwrap_or(text.len())], &mut out);
    if cut.is_some() {
        out.pop();
        out.extend_from_slice_copy("…\"".as_bytes());
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Reads a plain value: what it is before, and how it is found.
macro_rules! read_plain {
    ($($type:ty, $expected:literal: |$json:ident, $arena:ident| $value:expr;)*) => {
        $(impl Read for $type {
            fn blank() -> Self {
                Self::default()
            }

            fn read<'d>(&mut self, $json: Json<'d>, $arena: &'d Bump) -> Result<(), Error> {
                *self = $value.ok_or_else(|| Error::unlike($expected, $json))?;
                Ok(())
            }
        })*
    };
}

read_plain! {
    bool, "true or false": |json, _arena| json.as_bool().filter(|_| json.is_bool());
    f64, "a number": |json, _arena| json.as_f64().filter(|_| json.number().is_some());
    usize, "a whole number, 0 or more": |json, _arena| {
        json.as_i64().filter(|_| json.number().is_some()).and_then(|n| usize::try_from(n).ok())
    };
    String, "a text": |json, arena| json.text(arena).map(|text| String::from_utf8_lossy(text).into_owned());
}

impl<T: Read> Read for Option<T> {
    fn blank() -> Self {
        None
    }

    fn read<'d>(&mut self, json: Json<'d>, arena: &'d Bump) -> Result<(), Error> {
        *self = if json.is_null() { None } else { Some(value(json, arena)?) };
        Ok(())
    }
}

impl<T: Read> Read for Vec<T> {
    fn blank() -> Self {
        Vec::new()
    }

    fn read<'d>(&mut self, json: Json<'d>, arena: &'d Bump) -> Result<(), Error> {
        self.clear();
        items(json, &mut |item| value(item, arena).map(|item| self.push(item)))
    }
}

/// Hands on each item of a list, until one of them is an error.
fn items<'d>(json: Json<'d>, read: &mut dyn FnMut(Json<'d>) -> Result<(), Error>) -> Result<(), Error> {
    if !json.is_array() {
        return Err(Error::unlike("a list", json));
    }
    for (i, item) in json.items().enumerate() {
        read(item).map_err(|e| e.within(&["[", &i.to_string(), "]"].concat()))?;
    }
    Ok(())
}

/// Names of the user's own, each with a value, in their order.
impl<T: Read> Read for Vec<(String, T)> {
    fn blank() -> Self {
        Vec::new()
    }

    fn read<'d>(&mut self, json: Json<'d>, arena: &'d Bump) -> Result<(), Error> {
        self.clear();
        entries(json, &mut |name, json| {
            let name = String::from_utf8_lossy(name).into_owned();
            // Of a name that comes twice, the last value counts.
            self.retain(|(known, _)| *known != name);
            value(json, arena).map(|value| self.push((name, value)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Shop {
        open: bool,
        rate: f64,
        size: usize,
        name: Option<String>,
        tags: Vec<String>,
        kind: Vec<Kind>,
        labels: Vec<(String, usize)>,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Kind {
        Small,
        Large,
    }

    read_enum!(Kind { "small" => Kind::Small, "large" => Kind::Large, });
    read_struct!(Shop {
        "open" => open,
        "rate" => rate,
        "size" | "maxSize" => size,
        "name" => name,
        "tags" => tags,
        "kind" => kind,
        "labels" => labels,
    });

    #[test]
    fn every_type_reads() {
        let text = r#"{"open": true, "rate": 1, "maxSize": 3, "name": "a\u0062", "tags": ["x"], "kind": ["large", "small"], "labels": {"b": 1, "a": 2, "b": 3}}"#;
        let expected = Shop {
            open: true,
            rate: 1.0,
            size: 3,
            name: Some("ab".into()),
            tags: vec!["x".into()],
            kind: vec![Kind::Large, Kind::Small],
            labels: vec![("a".into(), 2), ("b".into(), 3)],
        };
        assert_eq!(from_str::<Shop>(text).unwrap(), expected);
        assert_eq!(from_str::<Shop>(r#"{"name": null}"#).unwrap(), Shop::default());
    }

    #[test]
    fn an_error_names_the_field_and_not_the_value() {
        for (text, message) in [
            ("{", "configuration: ends too early at line 1 column 2"),
            ("[]", "configuration: is an array; use an object"),
            (r#"{"opn": true}"#, "opn: is not an option; did you mean open?"),
            (r#"{"colour": true}"#, "colour: is not an option; known: open, rate, size, name, tags, kind, labels"),
            (r#"{"open": "true"}"#, "open: is a string; use true or false"),
            (r#"{"rate": "1"}"#, "rate: is a string; use a number"),
            (r#"{"size": -1}"#, "size: is a number; use a whole number, 0 or more"),
            (r#"{"tags": ["a", 7]}"#, "tags[1]: is a number; use a text"),
            (r#"{"kind": ["medium"]}"#, r#"kind[0]: "medium" is unknown; use one of "small", "large""#),
            (r#"{"labels": {"a": []}}"#, "labels.a: is an array; use a whole number, 0 or more"),
        ] {
            assert_eq!(from_str::<Shop>(text).unwrap_err().to_string(), message);
        }
    }
}
