//! The configuration out of JSON, for serde: it knows where in the document it is, so that an error names the field by
//! its path, and never shows a value, which may be a secret.

use super::Json;
use bumpalo::Bump;
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt;

/// What is wrong, and where.
#[derive(Debug)]
pub struct Error {
    path: String,
    what: String,
}

impl Error {
    fn within(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = [step, dot, &self.path].concat();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", if self.path.is_empty() { "configuration" } else { &self.path }, self.what)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Error { path: String::new(), what: what.to_string() }
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Error::custom(format_args!("expected {expected}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Error::custom(format_args!("expected {expected}"))
    }
}

/// Reads a value from JSON text.
pub fn from_str<T: de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    let arena = Bump::new();
    let json = super::parse_or_say(text.as_bytes(), &arena).map_err(de::Error::custom)?;
    T::deserialize(Value { json, arena: &arena })
}

struct Value<'d> {
    json: Json<'d>,
    arena: &'d Bump,
}

impl<'d> Value<'d> {
    fn text(&self, expected: &dyn de::Expected) -> Result<&'d str, Error> {
        let text = self.json.text(self.arena).and_then(|text| std::str::from_utf8(text).ok());
        text.ok_or_else(|| self.unlike(expected))
    }

    fn unlike(&self, expected: &dyn de::Expected) -> Error {
        de::Error::custom(format_args!("expected {expected}, got {}", self.json.kind()))
    }
}

impl<'d> Deserializer<'d> for Value<'d> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.json.is_string() {
            let text = self.text(&visitor)?;
            return visitor.visit_str(text);
        }
        match (self.json.is_bool(), self.json.number(), self.json.as_bool(), self.json.as_i64(), self.json.as_f64()) {
            (true, _, Some(bool), ..) => visitor.visit_bool(bool),
            (_, Some(_), _, Some(int), _) => visitor.visit_i64(int),
            (_, Some(_), .., Some(double)) => visitor.visit_f64(double),
            _ => Err(self.unlike(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.json.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Error> {
        if !self.json.is_array() {
            return Err(self.unlike(&visitor));
        }
        visitor.visit_seq(Items { items: self.json.items(), arena: self.arena, at: 0 })
    }

    fn deserialize_map<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Error> {
        if !self.json.is_object() {
            return Err(self.unlike(&visitor));
        }
        visitor.visit_map(Members { members: self.json.entries(), arena: self.arena, value: None })
    }

    fn deserialize_struct<V: Visitor<'d>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'d>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        let word: StrDeserializer<'_, Error> = self.text(&visitor)?.into_deserializer();
        visitor.visit_enum(word)
    }

    forward_to_deserialize_any! { <W: Visitor<'d>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct
        tuple tuple_struct identifier ignored_any
    }
}

struct Items<'d, I> {
    items: I,
    arena: &'d Bump,
    at: usize,
}

impl<'d, I: Iterator<Item = Json<'d>>> SeqAccess<'d> for Items<'d, I> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'d>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(json) = self.items.next() else { return Ok(None) };
        let step = self.at;
        self.at += 1;
        seed.deserialize(Value { json, arena: self.arena }).map(Some).map_err(|e| e.within(&format!("[{step}]")))
    }
}

struct Members<'d, I> {
    members: I,
    arena: &'d Bump,
    value: Option<(&'d str, Json<'d>)>,
}

impl<'d, I: Iterator<Item = (&'d [u8], Json<'d>)>> MapAccess<'d> for Members<'d, I> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'d>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, json)) = self.members.next() else { return Ok(None) };
        let key = std::str::from_utf8(key).unwrap_or_default();
        self.value = Some((key, json));
        let key: StrDeserializer<'_, Error> = key.into_deserializer();
        let step = self.value.map_or("", |(key, _)| key);
        seed.deserialize(key).map(Some).map_err(|e| e.within(step))
    }

    fn next_value_seed<T: DeserializeSeed<'d>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let Some((key, json)) = self.value.take() else { return Err(de::Error::custom("a value without a name")) };
        seed.deserialize(Value { json, arena: self.arena }).map_err(|e| e.within(key))
    }
}
