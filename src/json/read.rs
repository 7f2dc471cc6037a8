//! The configuration out of JSON: each value reads itself, and an error names the field by its path, never a value, which may
//! be a secret. By hand, since what serde derives for these few structs is a tenth of the module.

use super::{Json, Out};
use bumpalo::Bump;
use std::fmt;

/// What is wrong, and where.
#[derive(Debug)]
pub struct Error {
    path: String,
    what: String,
}

impl Error {
    /// At the value itself.
    pub fn new(what: impl Into<String>) -> Self {
        Error { path: String::new(), what: what.into() }
    }

    /// Another kind of value was expected.
    pub fn unlike(expected: &str, json: Json) -> Self {
        Error::new(["expected ", expected, ", got ", json.kind()].concat())
    }

    fn within(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = [step, dot, &self.path].concat();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "configuration" } else { &self.path };
        f.write_str(&[path, ": ", &self.what].concat())
    }
}

impl std::error::Error for Error {}

/// A value of the configuration.
pub trait Read: Sized {
    /// What the JSON says.
    fn read<'d>(json: Json<'d>, arena: &'d Bump) -> Result<Self, Error>;
}

/// Reads a value from JSON text.
pub fn from_str<T: Read>(text: &str) -> Result<T, Error> {
    let arena = Bump::new();
    T::read(super::parse_or_say(text.as_bytes(), &arena).map_err(Error::new)?, &arena)
}

/// Hands on each member of an object, until one of them is an error. `set` gives `None` for a name that it does not know.
pub fn members<'d>(
    json: Json<'d>,
    names: &[&str],
    set: &mut dyn FnMut(&'d [u8], Json<'d>) -> Option<Result<(), Error>>,
) -> Result<(), Error> {
    if !json.is_object() {
        return Err(Error::unlike("an object", json));
    }
    for (name, value) in json.entries() {
        let unknown = || {
            let known = names.iter().map(|name| ["`", name, "`"].concat()).collect::<Vec<_>>().join(", ");
            Err(Error::new(["unknown field `", &String::from_utf8_lossy(name), "`, expected one of ", &known].concat()))
        };
        set(name, value).unwrap_or_else(unknown).map_err(|e| e.within(&String::from_utf8_lossy(name)))?;
    }
    Ok(())
}

/// Reads a struct: the names of its members, and their fields; what is not said has its default.
macro_rules! read_struct {
    ($type:ty { $($name:literal $(| $alias:literal)* => $field:ident,)* }) => {
        impl $crate::json::read::Read for $type {
            fn read<'d>(json: $crate::json::Json<'d>, arena: &'d bumpalo::Bump) -> Result<Self, $crate::json::read::Error> {
                let mut value = <$type>::default();
                $crate::json::read::members(json, &[$($name,)*], &mut |name, json| {
                    $(
                        if $crate::conventions::words::any(name, &[$name $(, $alias)*]) {
                            return Some($crate::json::read::Read::read(json, arena).map(|read| value.$field = read));
                        }
                    )*
                    None
                })?;
                Ok(value)
            }
        }
    };
}
pub(crate) use read_struct;

/// Reads an enum: its words.
macro_rules! read_enum {
    ($type:ty { $($word:literal => $value:expr,)* }) => {
        impl $crate::json::read::Read for $type {
            fn read<'d>(json: $crate::json::Json<'d>, _: &'d bumpalo::Bump) -> Result<Self, $crate::json::read::Error> {
                let value = $crate::conventions::words::value(&[$(($word, $value),)*], json.word().unwrap_or_default());
                value.ok_or_else(|| $crate::json::read::unknown_word(json, &[$($word,)*]))
            }
        }
    };
}
pub(crate) use read_enum;

/// The error of a word that is none of these. Words are no secrets.
pub fn unknown_word(json: Json, words: &[&str]) -> Error {
    let known = words.iter().map(|word| ["\"", word, "\""].concat()).collect::<Vec<_>>().join(", ");
    match json.word() {
        Some(word) => Error::new([&quoted(&String::from_utf8_lossy(word)), " is none of ", &known].concat()),
        None => Error::unlike(&known, json),
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

impl Read for bool {
    fn read<'d>(json: Json<'d>, _: &'d Bump) -> Result<Self, Error> {
        json.as_bool().filter(|_| json.is_bool()).ok_or_else(|| Error::unlike("true or false", json))
    }
}

impl Read for f64 {
    fn read<'d>(json: Json<'d>, _: &'d Bump) -> Result<Self, Error> {
        json.as_f64().filter(|_| json.number().is_some()).ok_or_else(|| Error::unlike("a number", json))
    }
}

impl Read for usize {
    fn read<'d>(json: Json<'d>, _: &'d Bump) -> Result<Self, Error> {
        let number = json.as_i64().filter(|_| json.number().is_some()).and_then(|n| usize::try_from(n).ok());
        number.ok_or_else(|| Error::unlike("a whole number from 0", json))
    }
}

impl Read for String {
    fn read<'d>(json: Json<'d>, arena: &'d Bump) -> Result<Self, Error> {
        let text = json.text(arena).ok_or_else(|| Error::unlike("a text", json))?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }
}

impl<T: Read> Read for Option<T> {
    fn read<'d>(json: Json<'d>, arena: &'d Bump) -> Result<Self, Error> {
        if json.is_null() { Ok(None) } else { T::read(json, arena).map(Some) }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read<'d>(json: Json<'d>, arena: &'d Bump) -> Result<Self, Error> {
        if !json.is_array() {
            return Err(Error::unlike("a list", json));
        }
        let mut list = Vec::new();
        for (i, item) in json.items().enumerate() {
            list.push(T::read(item, arena).map_err(|e| e.within(&["[", &i.to_string(), "]"].concat()))?);
        }
        Ok(list)
    }
}

/// Names of the user's own, each with a value, in their order.
impl<T: Read> Read for Vec<(String, T)> {
    fn read<'d>(json: Json<'d>, arena: &'d Bump) -> Result<Self, Error> {
        let mut list = Vec::new();
        members(json, &[], &mut |name, json| {
            let name = String::from_utf8_lossy(name).into_owned();
            // Of a name that comes twice, the last value counts.
            list.retain(|(known, _)| *known != name);
            Some(T::read(json, arena).map(|value| list.push((name, value))))
        })?;
        Ok(list)
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
            ("[]", "configuration: expected an object, got an array"),
            (r#"{"opn": true}"#, "opn: unknown field `opn`, expected one of `open`, `rate`, `size`, `name`, `tags`, `kind`, `labels`"),
            (r#"{"open": "true"}"#, "open: expected true or false, got a string"),
            (r#"{"rate": "1"}"#, "rate: expected a number, got a string"),
            (r#"{"size": -1}"#, "size: expected a whole number from 0, got a number"),
            (r#"{"tags": ["a", 7]}"#, "tags[1]: expected a text, got a number"),
            (r#"{"kind": ["medium"]}"#, r#"kind[0]: "medium" is none of "small", "large""#),
            (r#"{"labels": {"a": []}}"#, "labels.a: expected a whole number from 0, got an array"),
        ] {
            assert_eq!(from_str::<Shop>(text).unwrap_err().to_string(), message);
        }
    }
}
