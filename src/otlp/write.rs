//! The hot encoder: the parts of a span as OTLP protobuf, written backwards (see [`Writer`]). Unmodified parts that were read from bytes
//! are written as the same bytes.

use crate::keys::Keys;
use crate::protobuf::Writer;
use crate::span::{Attr, Event, Key, Link, Value};

/// Field numbers of OTLP's trace messages.
#[allow(missing_docs, reason = "the names are OTLP's")]
pub mod number {
    pub const REQUEST_RESOURCE_SPANS: u32 = 1;
    pub const RESOURCE_SPANS_RESOURCE: u32 = 1;
    pub const RESOURCE_SPANS_SCOPE_SPANS: u32 = 2;
    pub const RESOURCE_SPANS_SCHEMA_URL: u32 = 3;
    pub const RESOURCE_ATTRIBUTES: u32 = 1;
    pub const SCOPE_SPANS_SCOPE: u32 = 1;
    pub const SCOPE_SPANS_SPANS: u32 = 2;
    pub const SCOPE_SPANS_SCHEMA_URL: u32 = 3;
    pub const SCOPE_NAME: u32 = 1;
    pub const SCOPE_VERSION: u32 = 2;
    pub const SCOPE_ATTRIBUTES: u32 = 3;
    pub const TRACE_ID: u32 = 1;
    pub const SPAN_ID: u32 = 2;
    pub const TRACE_STATE: u32 = 3;
    pub const PARENT_SPAN_ID: u32 = 4;
    pub const NAME: u32 = 5;
    pub const KIND: u32 = 6;
    pub const START: u32 = 7;
    pub const END: u32 = 8;
    pub const ATTRIBUTES: u32 = 9;
    pub const DROPPED_ATTRIBUTES: u32 = 10;
    pub const EVENTS: u32 = 11;
    pub const DROPPED_EVENTS: u32 = 12;
    pub const LINKS: u32 = 13;
    pub const DROPPED_LINKS: u32 = 14;
    pub const STATUS: u32 = 15;
    pub const FLAGS: u32 = 16;
    pub const EVENT_TIME: u32 = 1;
    pub const EVENT_NAME: u32 = 2;
    pub const EVENT_ATTRIBUTES: u32 = 3;
    pub const EVENT_DROPPED_ATTRIBUTES: u32 = 4;
    pub const LINK_TRACE_ID: u32 = 1;
    pub const LINK_SPAN_ID: u32 = 2;
    pub const LINK_TRACE_STATE: u32 = 3;
    pub const LINK_ATTRIBUTES: u32 = 4;
    pub const LINK_DROPPED_ATTRIBUTES: u32 = 5;
    pub const LINK_FLAGS: u32 = 6;
    pub const STATUS_MESSAGE: u32 = 2;
    pub const STATUS_CODE: u32 = 3;
    pub const KEY: u32 = 1;
    pub const VALUE: u32 = 2;
    pub const STRING: u32 = 1;
    pub const BOOL: u32 = 2;
    pub const INT: u32 = 3;
    pub const DOUBLE: u32 = 4;
    pub const ARRAY: u32 = 5;
    pub const KVLIST: u32 = 6;
    pub const BYTES: u32 = 7;
}

/// The content of an `AnyValue`.
pub fn value(w: &mut Writer, value: &Value) {
    match *value {
        Value::Empty => {}
        Value::Str(text) => w.bytes_field(number::STRING, text),
        Value::Bool(b) => {
            w.byte(u8::from(b));
            w.tag(number::BOOL, 0);
        }
        Value::Int(n) => {
            w.varint(n as u64);
            w.tag(number::INT, 0);
        }
        Value::Double(n) => w.fixed64_field(number::DOUBLE, n.to_bits()),
        Value::Bytes(bytes) => w.bytes_field(number::BYTES, bytes),
        Value::Array(items) => {
            let array = w.mark();
            for item in items.iter().rev() {
                let mark = w.mark();
                self::value(w, item);
                w.close(1, mark);
            }
            w.close(number::ARRAY, array);
        }
        Value::Map(entries) => {
            let map = w.mark();
            for (key, item) in entries.iter().rev() {
                let mark = w.mark();
                self::value(w, item);
                w.close(number::VALUE, mark);
                w.bytes_field(number::KEY, key);
                w.close(1, mark);
            }
            w.close(number::KVLIST, map);
        }
    }
}

/// An attribute: field `tag` of its span, event, link, scope or resource.
pub fn attribute(w: &mut Writer, tag: u32, key: Key, value: &Value, keys: &Keys) {
    if let Key::Id(id) = key
        && let Some(info) = keys.get(id)
        && short_attribute(w, tag, info.prefix(), value)
    {
        return;
    }
    let mark = w.mark();
    self::value(w, value);
    w.close(number::VALUE, mark);
    match key {
        Key::Id(id) => match keys.get(id) {
            Some(info) => w.bytes(info.prefix()),
            None => w.bytes_field(number::KEY, b""),
        },
        Key::Text(text) => w.bytes_field(number::KEY, text),
    }
    w.close(tag, mark);
}

/// An attribute in one piece, if all of its lengths fit into one byte, as for most attributes.
#[inline(always)]
fn short_attribute(w: &mut Writer, tag: u32, prefix: &[u8], value: &Value) -> bool {
    const MOST: usize = 0x7f;
    let double;
    // The content of the value: its prefix, and its bytes.
    let (head, bytes): ([u8; 2], &[u8]) = match value {
        Value::Str(text) if text.len() <= MOST => ([0x0a, text.len() as u8], text),
        Value::Bool(b) => ([0x10, u8::from(*b)], &[]),
        Value::Int(n @ 0..=0x7f) => ([0x18, *n as u8], &[]),
        Value::Double(n) => {
            double = n.to_le_bytes();
            ([0x21, double[0]], &double[1..])
        }
        _ => return false,
    };
    let inside = head.len() + bytes.len();
    let length = prefix.len() + 2 + inside;
    if length > MOST || tag > 15 {
        return false;
    }
    w.bytes(bytes);
    w.array([0x12, inside as u8, head[0], head[1]]);
    w.bytes(prefix);
    w.array([(tag << 3 | 2) as u8, length as u8]);
    true
}

/// An unmodified attribute.
pub fn kept_attribute(w: &mut Writer, tag: u32, attr: &Attr, keys: &Keys) {
    match attr.raw {
        Some(raw) => w.bytes_field(tag, raw),
        None => attribute(w, tag, attr.key, &attr.value, keys),
    }
}

/// Unmodified attributes.
pub fn kept_attributes(w: &mut Writer, tag: u32, attributes: &[Attr], keys: &Keys) {
    attributes.iter().rev().for_each(|attr| kept_attribute(w, tag, attr, keys));
}

/// An event.
pub fn event(w: &mut Writer, event: &Event, keys: &Keys) {
    if let Some(raw) = event.raw {
        return w.bytes_field(number::EVENTS, raw);
    }
    let mark = w.mark();
    w.varint_field(number::EVENT_DROPPED_ATTRIBUTES, u64::from(event.dropped_attributes));
    kept_attributes(w, number::EVENT_ATTRIBUTES, event.attributes, keys);
    w.text_field(number::EVENT_NAME, event.name);
    w.fixed64_field(number::EVENT_TIME, event.time);
    w.close(number::EVENTS, mark);
}

/// A link.
pub fn link(w: &mut Writer, link: &Link, keys: &Keys) {
    let mark = w.mark();
    if link.flags != 0 {
        w.fixed32_field(number::LINK_FLAGS, link.flags);
    }
    w.varint_field(number::LINK_DROPPED_ATTRIBUTES, u64::from(link.dropped_attributes));
    kept_attributes(w, number::LINK_ATTRIBUTES, link.attributes, keys);
    w.text_field(number::LINK_TRACE_STATE, link.trace_state);
    w.bytes_field(number::LINK_SPAN_ID, link.span_id);
    w.bytes_field(number::LINK_TRACE_ID, link.trace_id);
    w.close(number::LINKS, mark);
}
