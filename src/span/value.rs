//! Attribute values as JSON, and JSON as attribute values.

use super::Value;
use crate::json;
use crate::text::{Out, number};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// The digits of a number.
#[inline(never)]
pub fn digits(n: i64, arena: &Bump) -> &[u8] {
    let mut out = BumpVec::new_in(arena);
    number::write_integer(n, &mut out);
    out.into_bump_slice()
}

/// The text of a value as JSON, if it is JSON.
pub fn parsed<'a>(value: &Value<'a>, arena: &'a Bump) -> Option<json::Json<'a>> {
    json::parse(value.as_str()?, arena)
}

/// The canonical form of a JSON text with raw control characters in its strings, which strict readers refuse; `None` for any other value.
#[inline(never)]
pub fn repaired<'a>(value: &Value<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    let is_raw = |text: &&[u8]| matches!(text.first(), Some(b'{' | b'[')) && json::has_raw_controls(text) && !json::is_heavy(text);
    json::parse(value.as_str().filter(is_raw)?, arena).map(|json| json.to_text(arena))
}

/// A JSON value as an attribute has it: scalars as they are, lists and objects as JSON text.
pub fn from_json<'a>(j: json::Json<'a>, arena: &'a Bump) -> Value<'a> {
    if j.is_string() || j.is_array() || j.is_object() {
        Value::Str(j.text(arena).unwrap_or_else(|| j.to_text(arena)))
    } else if j.is_bool() {
        j.as_bool().map_or(Value::Empty, Value::Bool)
    } else if let Some(n) = j.as_i64() {
        Value::Int(n)
    } else {
        j.as_f64().map_or(Value::Empty, Value::Double)
    }
}

/// A list of JSON texts as the JSON list of what they say; anything else as it is.
pub fn from_items<'a>(value: &Value<'a>, arena: &'a Bump) -> Value<'a> {
    let Value::Array(items) = value else { return *value };
    let mut out = BumpVec::new_in(arena);
    out.push(b'[');
    for (i, item) in items.iter().enumerate() {
        json::separate(&mut out, i);
        match item.as_str().and_then(|text| json::parse(text, arena)) {
            Some(said) => said.write(&mut out),
            None => write_json(*item, &mut out),
        }
    }
    out.push(b']');
    Value::Str(out.into_bump_slice())
}

/// A structured value as JSON text.
pub fn to_json<'a>(value: &Value, arena: &'a Bump) -> &'a [u8] {
    let mut out = BumpVec::new_in(arena);
    write_json(*value, &mut out);
    out.into_bump_slice()
}

/// Appends a value as JSON.
pub fn write_json(value: Value, out: &mut Out) {
    match value {
        Value::Empty => out.extend_from_slice_copy(b"null"),
        Value::Str(text) => json::string(text, out),
        Value::Bool(b) => out.extend_from_slice_copy(if b { b"true" } else { b"false" }),
        Value::Int(n) => number::write_integer(n, out),
        Value::Double(n) if n.is_finite() => {
            number::text(n, |text| out.extend_from_slice_copy(text.strip_suffix(".0").unwrap_or(text).as_bytes()))
        }
        Value::Double(_) => out.extend_from_slice_copy(b"null"),
        Value::Bytes(bytes) => {
            let mut escaped = BumpVec::new_in(out.bump());
            bytes.iter().for_each(|byte| json::escape_byte(*byte, &mut escaped));
            json::string(&escaped, out);
        }
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                json::separate(out, i);
                write_json(*item, out);
            }
            out.push(b']');
        }
        Value::Map(entries) => {
            out.push(b'{');
            for (i, (key, value)) in entries.iter().enumerate() {
                json::separate(out, i);
                json::string(key, out);
                out.push(b':');
                write_json(*value, out);
            }
            out.push(b'}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_json_texts_is_one_list() {
        let arena = Bump::new();
        let items = [Value::Str(b"\"sunny day\""), Value::Str(b"{\"a\": 1}"), Value::Str(b"plain"), Value::Int(3)];
        assert_eq!(from_items(&Value::Array(&items), &arena), Value::Str(br#"["sunny day",{"a":1},"plain",3]"#));
        assert_eq!(from_items(&Value::Str(b"x"), &arena), Value::Str(b"x"));
    }
}
