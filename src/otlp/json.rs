//! OTLP/JSON to OTLP/protobuf and back, for trace requests. Not on the hot path: bodies pass through [`proto`] types.
//!
//! The mapping is that of the OTLP specification: proto3 JSON, except that trace and span ids are hex and that enums
//! are written as integers. Reading is generous, as the specification asks and as senders need: `snake_case` names,
//! numbers for 64-bit integers, enum names, unknown fields, `null` for a default, a byte order mark, and text that is
//! no valid Unicode (U+FFFD takes its place). An error says where and what was expected, never the value found.
//!
//! Nesting is bounded at both ends: 128 JSON levels (serde_json), 100 protobuf levels (prost).

use std::borrow::Cow;
use std::fmt;

use prost::{DecodeError, Message};
use serde_json::Value as Json;

use super::proto::{
    self, AnyValue, ArrayValue, EntityRef, Event, ExportTraceServiceRequest, InstrumentationScope, KeyValue, KeyValueList, Link, Resource,
    ResourceSpans, ScopeSpans, Span, Status,
};

const SPAN_KINDS: [&str; 6] =
    ["SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"];
const STATUS_CODES: [&str; 3] = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

/// Turns the OTLP/JSON form of an `ExportTraceServiceRequest` into the protobuf form.
///
/// The body is held three times over while this runs: the JSON tree, the messages, the bytes.
pub fn to_protobuf(json: &[u8]) -> Result<Vec<u8>, JsonError> {
    Ok(request(parse(json)?)?.encode_to_vec())
}

/// Turns a protobuf `ExportTraceServiceRequest` into compact OTLP/JSON. Default values are left out, save the `key`
/// and `value` of an attribute; an attribute without a value gets the empty one, `{}`.
pub fn from_protobuf(body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let request = ExportTraceServiceRequest::decode(body)?;
    let mut out = Vec::with_capacity(body.len() + body.len() / 2);
    write_request(&mut out, &request);
    Ok(out)
}

/// Why a body is no OTLP/JSON trace request, in one line: the JSON path or the line and column, and what was expected.
#[derive(Debug)]
pub struct JsonError(String);

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for JsonError {}

// ---- text ----

fn parse(json: &[u8]) -> Result<Json, JsonError> {
    let json = json.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(json);
    serde_json::from_slice(json)
        // Only a body that does not parse pays for the copy.
        .or_else(|error| match well_formed(json) {
            Cow::Borrowed(_) => Err(error),
            Cow::Owned(text) => serde_json::from_str(&text),
        })
        .map_err(|error| JsonError(error.to_string()))
}

/// Puts U+FFFD where bytes are no UTF-8, and where half a surrogate pair is escaped: `JSON.stringify` writes `\ud83d`
/// for a string that was cut in the middle of an emoji.
fn well_formed(json: &[u8]) -> Cow<'_, str> {
    let mut text = String::from_utf8_lossy(json);
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        at += found;
        let Some(unit) = escaped_unit(&text, at) else {
            // Step over the escaped character too: in `\\ud83d` the `u` is text.
            at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8);
            continue;
        };
        let low = escaped_unit(&text, at + 6);
        at += match (unit, low) {
            (0xD800..=0xDBFF, Some(0xDC00..=0xDFFF)) => 12,
            (0xD800..=0xDFFF, _) => {
                text.to_mut().replace_range(at..at + 6, "\\ufffd");
                6
            }
            _ => 6,
        };
    }
    text
}

/// The UTF-16 unit of a `\uXXXX` that starts at byte `at`.
fn escaped_unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    let hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

// ---- where we are ----

/// A place in the JSON tree; lives on the stack while its value is read.
#[derive(Clone, Copy)]
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a str),
    Item(usize),
}

impl<'a> Path<'a> {
    const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    fn then(&'a self, step: Step<'a>) -> Path<'a> {
        Path { parent: Some(self), step }
    }

    fn expected(&self, what: &str, found: &Json) -> JsonError {
        let found = match found {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::String(_) => "a string",
            Json::Array(_) => "an array",
            Json::Object(_) => "an object",
        };
        self.error(format_args!("expected {what}, got {found}"))
    }

    fn error(&self, what: fmt::Arguments<'_>) -> JsonError {
        JsonError(format!("{self}: {what}"))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else {
            return f.write_str("top level");
        };
        let below_root = parent.parent.is_some();
        if below_root {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Field(name) if below_root => write!(f, ".{name}"),
            Step::Field(name) => f.write_str(name),
            Step::Item(index) => write!(f, "[{index}]"),
        }
    }
}

// ---- reading messages ----

fn request(json: Json) -> Result<ExportTraceServiceRequest, JsonError> {
    let mut out = ExportTraceServiceRequest::default();
    object(json, &Path::ROOT, |name, json, at| {
        match name {
            "resourceSpans" | "resource_spans" => out.resource_spans = list(json, at, resource_spans)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn resource_spans(json: Json, at: &Path<'_>) -> Result<ResourceSpans, JsonError> {
    let mut out = ResourceSpans::default();
    object(json, at, |name, json, at| {
        match name {
            "resource" => out.resource = Some(resource(json, at)?),
            "scopeSpans" | "scope_spans" => out.scope_spans = list(json, at, scope_spans)?,
            "schemaUrl" | "schema_url" => out.schema_url = text(json, at)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn resource(json: Json, at: &Path<'_>) -> Result<Resource, JsonError> {
    let mut out = Resource::default();
    object(json, at, |name, json, at| {
        match name {
            "attributes" => out.attributes = list(json, at, key_value)?,
            "droppedAttributesCount" | "dropped_attributes_count" => out.dropped_attributes_count = uint32(json, at)?,
            "entityRefs" | "entity_refs" => out.entity_refs = list(json, at, entity_ref)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn entity_ref(json: Json, at: &Path<'_>) -> Result<EntityRef, JsonError> {
    let mut out = EntityRef::default();
    object(json, at, |name, json, at| {
        match name {
            "schemaUrl" | "schema_url" => out.schema_url = text(json, at)?,
            "type" => out.r#type = text(json, at)?,
            "idKeys" | "id_keys" => out.id_keys = list(json, at, text)?,
            "descriptionKeys" | "description_keys" => out.description_keys = list(json, at, text)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn scope_spans(json: Json, at: &Path<'_>) -> Result<ScopeSpans, JsonError> {
    let mut out = ScopeSpans::default();
    object(json, at, |name, json, at| {
        match name {
            "scope" => out.scope = Some(scope(json, at)?),
            "spans" => out.spans = list(json, at, span)?,
            "schemaUrl" | "schema_url" => out.schema_url = text(json, at)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn scope(json: Json, at: &Path<'_>) -> Result<InstrumentationScope, JsonError> {
    let mut out = InstrumentationScope::default();
    object(json, at, |name, json, at| {
        match name {
            "name" => out.name = text(json, at)?,
            "version" => out.version = text(json, at)?,
            "attributes" => out.attributes = list(json, at, key_value)?,
            "droppedAttributesCount" | "dropped_attributes_count" => out.dropped_attributes_count = uint32(json, at)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn span(json: Json, at: &Path<'_>) -> Result<Span, JsonError> {
    let mut out = Span::default();
    object(json, at, |name, json, at| {
        match name {
            "traceId" | "trace_id" => out.trace_id = id::<16>(json, at)?,
            "spanId" | "span_id" => out.span_id = id::<8>(json, at)?,
            "traceState" | "trace_state" => out.trace_state = text(json, at)?,
            "parentSpanId" | "parent_span_id" => out.parent_span_id = id::<8>(json, at)?,
            "flags" => out.flags = uint32(json, at)?,
            "name" => out.name = text(json, at)?,
            "kind" => out.kind = enumeration(json, at, "a span kind", &SPAN_KINDS)?,
            "startTimeUnixNano" | "start_time_unix_nano" => out.start_time_unix_nano = uint64(json, at)?,
            "endTimeUnixNano" | "end_time_unix_nano" => out.end_time_unix_nano = uint64(json, at)?,
            "attributes" => out.attributes = list(json, at, key_value)?,
            "droppedAttributesCount" | "dropped_attributes_count" => out.dropped_attributes_count = uint32(json, at)?,
            "events" => out.events = list(json, at, event)?,
            "droppedEventsCount" | "dropped_events_count" => out.dropped_events_count = uint32(json, at)?,
            "links" => out.links = list(json, at, link)?,
            "droppedLinksCount" | "dropped_links_count" => out.dropped_links_count = uint32(json, at)?,
            "status" => out.status = Some(status(json, at)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn event(json: Json, at: &Path<'_>) -> Result<Event, JsonError> {
    let mut out = Event::default();
    object(json, at, |name, json, at| {
        match name {
            "timeUnixNano" | "time_unix_nano" => out.time_unix_nano = uint64(json, at)?,
            "name" => out.name = text(json, at)?,
            "attributes" => out.attributes = list(json, at, key_value)?,
            "droppedAttributesCount" | "dropped_attributes_count" => out.dropped_attributes_count = uint32(json, at)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn link(json: Json, at: &Path<'_>) -> Result<Link, JsonError> {
    let mut out = Link::default();
    object(json, at, |name, json, at| {
        match name {
            "traceId" | "trace_id" => out.trace_id = id::<16>(json, at)?,
            "spanId" | "span_id" => out.span_id = id::<8>(json, at)?,
            "traceState" | "trace_state" => out.trace_state = text(json, at)?,
            "attributes" => out.attributes = list(json, at, key_value)?,
            "droppedAttributesCount" | "dropped_attributes_count" => out.dropped_attributes_count = uint32(json, at)?,
            "flags" => out.flags = uint32(json, at)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn status(json: Json, at: &Path<'_>) -> Result<Status, JsonError> {
    let mut out = Status::default();
    object(json, at, |name, json, at| {
        match name {
            "message" => out.message = text(json, at)?,
            "code" => out.code = enumeration(json, at, "a status code", &STATUS_CODES)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn key_value(json: Json, at: &Path<'_>) -> Result<KeyValue, JsonError> {
    let mut out = KeyValue::default();
    object(json, at, |name, json, at| {
        match name {
            "key" => out.key = text(json, at)?,
            "value" => out.value = Some(any_value(json, at)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn any_value(json: Json, at: &Path<'_>) -> Result<AnyValue, JsonError> {
    let mut out = AnyValue::default();
    object(json, at, |name, json, field| {
        let value = match name {
            "stringValue" | "string_value" => proto::Value::StringValue(text(json, field)?),
            "boolValue" | "bool_value" => proto::Value::BoolValue(boolean(json, field)?),
            "intValue" | "int_value" => proto::Value::IntValue(int64(json, field)?),
            "doubleValue" | "double_value" => proto::Value::DoubleValue(double(json, field)?),
            "arrayValue" | "array_value" => proto::Value::ArrayValue(array_value(json, field)?),
            "kvlistValue" | "kvlist_value" => proto::Value::KvlistValue(kvlist_value(json, field)?),
            "bytesValue" | "bytes_value" => proto::Value::BytesValue(bytes(json, field)?),
            _ => return Ok(()),
        };
        match out.value.replace(value) {
            None => Ok(()),
            Some(_) => Err(at.error(format_args!("expected one value, got several"))),
        }
    })?;
    Ok(out)
}

fn array_value(json: Json, at: &Path<'_>) -> Result<ArrayValue, JsonError> {
    let mut out = ArrayValue::default();
    object(json, at, |name, json, at| {
        if name == "values" {
            out.values = list(json, at, any_value)?;
        }
        Ok(())
    })?;
    Ok(out)
}

fn kvlist_value(json: Json, at: &Path<'_>) -> Result<KeyValueList, JsonError> {
    let mut out = KeyValueList::default();
    object(json, at, |name, json, at| {
        if name == "values" {
            out.values = list(json, at, key_value)?;
        }
        Ok(())
    })?;
    Ok(out)
}

// ---- reading values ----

/// Calls `field` for each member that is not `null`.
fn object(json: Json, at: &Path<'_>, mut field: impl FnMut(&str, Json, &Path<'_>) -> Result<(), JsonError>) -> Result<(), JsonError> {
    let Json::Object(members) = json else {
        return Err(at.expected("an object", &json));
    };
    members.into_iter().filter(|(_, json)| !json.is_null()).try_for_each(|(name, json)| field(&name, json, &at.then(Step::Field(&name))))
}

fn list<T>(json: Json, at: &Path<'_>, item: impl Fn(Json, &Path<'_>) -> Result<T, JsonError>) -> Result<Vec<T>, JsonError> {
    let Json::Array(items) = json else {
        return Err(at.expected("an array", &json));
    };
    items.into_iter().enumerate().map(|(index, json)| item(json, &at.then(Step::Item(index)))).collect()
}

fn text(json: Json, at: &Path<'_>) -> Result<String, JsonError> {
    match json {
        Json::String(text) => Ok(text),
        other => Err(at.expected("a string", &other)),
    }
}

fn boolean(json: Json, at: &Path<'_>) -> Result<bool, JsonError> {
    json.as_bool().ok_or_else(|| at.expected("true or false", &json))
}

/// A trace or span id of `N` bytes in hex; empty is "none".
fn id<const N: usize>(json: Json, at: &Path<'_>) -> Result<Vec<u8>, JsonError> {
    let text = text(json, at)?;
    let digits = 2 * N;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let count = text.chars().count();
    if count != digits {
        return Err(at.error(format_args!("expected {digits} hex digits, got {count} characters")));
    }
    let nibbles: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16).map(|nibble| nibble as u8)).collect();
    let nibbles = nibbles.ok_or_else(|| at.error(format_args!("expected {digits} hex digits, got other characters")))?;
    Ok(nibbles.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn uint32(json: Json, at: &Path<'_>) -> Result<u32, JsonError> {
    integer(json, at, "an unsigned 32-bit integer")
}

fn uint64(json: Json, at: &Path<'_>) -> Result<u64, JsonError> {
    integer(json, at, "an unsigned 64-bit integer")
}

fn int64(json: Json, at: &Path<'_>) -> Result<i64, JsonError> {
    integer(json, at, "a 64-bit integer")
}

/// A number, or one in a string. `1.0` and `1e3` are integers in proto3 JSON.
fn integer<T: TryFrom<i128>>(json: Json, at: &Path<'_>, what: &str) -> Result<T, JsonError> {
    let wide = match &json {
        Json::Number(number) => number.as_i128().or_else(|| whole(number.as_f64()?)),
        Json::String(text) => text.parse().ok(),
        other => return Err(at.expected(what, other)),
    };
    wide.and_then(|wide| T::try_from(wide).ok()).ok_or_else(|| match json {
        Json::String(_) => at.error(format_args!("expected {what}, got other text")),
        _ => at.error(format_args!("expected {what}, got a number that is none")),
    })
}

fn whole(number: f64) -> Option<i128> {
    (number.fract() == 0.0).then_some(number as i128)
}

fn double(json: Json, at: &Path<'_>) -> Result<f64, JsonError> {
    match &json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            // Rust reads `inf`, `nan` and a number too large as well; JSON does not.
            digits => digits.parse().ok().filter(|number: &f64| number.is_finite()),
        },
        other => return Err(at.expected("a number", other)),
    }
    .ok_or_else(|| at.error(format_args!("expected a number, \"NaN\", \"Infinity\" or \"-Infinity\", got other text")))
}

/// A number, known or not, or one of `names`, whose places are their numbers.
fn enumeration(json: Json, at: &Path<'_>, what: &str, names: &[&str]) -> Result<i32, JsonError> {
    match &json {
        Json::String(name) => names
            .iter()
            .position(|known| known == name)
            .map(|place| place as i32)
            .ok_or_else(|| at.error(format_args!("expected {what}, got a name that is none"))),
        Json::Number(_) => integer(json, at, what),
        other => Err(at.expected(what, other)),
    }
}

/// Base64 in the standard or the URL alphabet, padded or not.
fn bytes(json: Json, at: &Path<'_>) -> Result<Vec<u8>, JsonError> {
    let text = text(json, at)?;
    base64_decode(&text).ok_or_else(|| at.error(format_args!("expected base64, got other text")))
}

fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let padding = text.len() - digits.len();
    if padding > 2 || (padding > 0 && !text.len().is_multiple_of(4)) || digits.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        let mut bits = 0u32;
        for &digit in group {
            let sextet = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(sextet);
        }
        bits <<= 6 * (4 - group.len());
        out.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(out)
}

// ---- writing ----

/// Writes the members of one JSON object, each with its comma.
struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

fn write_object(out: &mut Vec<u8>, members: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    members(&mut Object { out, empty: true });
    out.push(b'}');
}

impl Object<'_> {
    /// Starts a member and returns where its value goes.
    fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            write_text(self.member(name), text);
        }
    }

    fn number(&mut self, name: &str, number: impl Into<i64>) {
        let number = number.into();
        if number != 0 {
            self.member(name).extend_from_slice(number.to_string().as_bytes());
        }
    }

    fn nanos(&mut self, name: &str, nanos: u64) {
        if nanos != 0 {
            write_quoted(self.member(name), nanos);
        }
    }

    fn id(&mut self, name: &str, id: &[u8]) {
        if !id.is_empty() {
            let out = self.member(name);
            out.push(b'"');
            for byte in id {
                out.extend_from_slice(format!("{byte:02x}").as_bytes());
            }
            out.push(b'"');
        }
    }

    fn message<T>(&mut self, name: &str, message: Option<&T>, write: fn(&mut Vec<u8>, &T)) {
        if let Some(message) = message {
            write(self.member(name), message);
        }
    }

    fn list<T>(&mut self, name: &str, items: &[T], write: fn(&mut Vec<u8>, &T)) {
        if items.is_empty() {
            return;
        }
        let out = self.member(name);
        for (index, item) in items.iter().enumerate() {
            out.push(if index == 0 { b'[' } else { b',' });
            write(out, item);
        }
        out.push(b']');
    }
}

fn write_request(out: &mut Vec<u8>, request: &ExportTraceServiceRequest) {
    write_object(out, |o| o.list("resourceSpans", &request.resource_spans, write_resource_spans));
}

fn write_resource_spans(out: &mut Vec<u8>, spans: &ResourceSpans) {
    write_object(out, |o| {
        o.message("resource", spans.resource.as_ref(), write_resource);
        o.list("scopeSpans", &spans.scope_spans, write_scope_spans);
        o.text("schemaUrl", &spans.schema_url);
    });
}

fn write_resource(out: &mut Vec<u8>, resource: &Resource) {
    write_object(out, |o| {
        o.list("attributes", &resource.attributes, write_key_value);
        o.number("droppedAttributesCount", resource.dropped_attributes_count);
        o.list("entityRefs", &resource.entity_refs, write_entity_ref);
    });
}

fn write_entity_ref(out: &mut Vec<u8>, entity: &EntityRef) {
    write_object(out, |o| {
        o.text("schemaUrl", &entity.schema_url);
        o.text("type", &entity.r#type);
        o.list("idKeys", &entity.id_keys, |out, key| write_text(out, key));
        o.list("descriptionKeys", &entity.description_keys, |out, key| write_text(out, key));
    });
}

fn write_scope_spans(out: &mut Vec<u8>, spans: &ScopeSpans) {
    write_object(out, |o| {
        o.message("scope", spans.scope.as_ref(), write_scope);
        o.list("spans", &spans.spans, write_span);
        o.text("schemaUrl", &spans.schema_url);
    });
}

fn write_scope(out: &mut Vec<u8>, scope: &InstrumentationScope) {
    write_object(out, |o| {
        o.text("name", &scope.name);
        o.text("version", &scope.version);
        o.list("attributes", &scope.attributes, write_key_value);
        o.number("droppedAttributesCount", scope.dropped_attributes_count);
    });
}

fn write_span(out: &mut Vec<u8>, span: &Span) {
    write_object(out, |o| {
        o.id("traceId", &span.trace_id);
        o.id("spanId", &span.span_id);
        o.text("traceState", &span.trace_state);
        o.id("parentSpanId", &span.parent_span_id);
        o.number("flags", span.flags);
        o.text("name", &span.name);
        o.number("kind", span.kind);
        o.nanos("startTimeUnixNano", span.start_time_unix_nano);
        o.nanos("endTimeUnixNano", span.end_time_unix_nano);
        o.list("attributes", &span.attributes, write_key_value);
        o.number("droppedAttributesCount", span.dropped_attributes_count);
        o.list("events", &span.events, write_event);
        o.number("droppedEventsCount", span.dropped_events_count);
        o.list("links", &span.links, write_link);
        o.number("droppedLinksCount", span.dropped_links_count);
        o.message("status", span.status.as_ref(), write_status);
    });
}

fn write_event(out: &mut Vec<u8>, event: &Event) {
    write_object(out, |o| {
        o.nanos("timeUnixNano", event.time_unix_nano);
        o.text("name", &event.name);
        o.list("attributes", &event.attributes, write_key_value);
        o.number("droppedAttributesCount", event.dropped_attributes_count);
    });
}

fn write_link(out: &mut Vec<u8>, link: &Link) {
    write_object(out, |o| {
        o.id("traceId", &link.trace_id);
        o.id("spanId", &link.span_id);
        o.text("traceState", &link.trace_state);
        o.list("attributes", &link.attributes, write_key_value);
        o.number("droppedAttributesCount", link.dropped_attributes_count);
        o.number("flags", link.flags);
    });
}

fn write_status(out: &mut Vec<u8>, status: &Status) {
    write_object(out, |o| {
        o.text("message", &status.message);
        o.number("code", status.code);
    });
}

fn write_key_value(out: &mut Vec<u8>, attribute: &KeyValue) {
    write_object(out, |o| {
        write_text(o.member("key"), &attribute.key);
        match &attribute.value {
            Some(value) => write_any_value(o.member("value"), value),
            None => write_object(o.member("value"), |_| {}),
        }
    });
}

fn write_any_value(out: &mut Vec<u8>, value: &AnyValue) {
    write_object(out, |o| match &value.value {
        None => {}
        Some(proto::Value::StringValue(text)) => write_text(o.member("stringValue"), text),
        Some(proto::Value::BoolValue(value)) => {
            o.member("boolValue").extend_from_slice(if *value { b"true" } else { b"false" });
        }
        Some(proto::Value::IntValue(number)) => write_quoted(o.member("intValue"), number),
        Some(proto::Value::DoubleValue(number)) => write_double(o.member("doubleValue"), *number),
        Some(proto::Value::ArrayValue(array)) => {
            write_object(o.member("arrayValue"), |o| o.list("values", &array.values, write_any_value));
        }
        Some(proto::Value::KvlistValue(map)) => {
            write_object(o.member("kvlistValue"), |o| o.list("values", &map.values, write_key_value));
        }
        Some(proto::Value::BytesValue(bytes)) => write_base64(o.member("bytesValue"), bytes),
    });
}

/// Text that needs no escape, in quotes.
fn write_quoted(out: &mut Vec<u8>, plain: impl fmt::Display) {
    out.extend_from_slice(format!("\"{plain}\"").as_bytes());
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("writing text to memory");
}

fn write_double(out: &mut Vec<u8>, number: f64) {
    match number {
        f64::INFINITY => write_quoted(out, "Infinity"),
        f64::NEG_INFINITY => write_quoted(out, "-Infinity"),
        _ if number.is_nan() => write_quoted(out, "NaN"),
        _ => serde_json::to_writer(out, &number).expect("writing a number to memory"),
    }
}

fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.push(b'"');
    for group in bytes.chunks(3) {
        let mut padded = [0; 4];
        padded[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(padded);
        for place in 0..4 {
            let sextet = bits >> (18 - 6 * place) & 63;
            out.push(if place <= group.len() { DIGITS[sextet as usize] } else { b'=' });
        }
    }
    out.push(b'"');
}
