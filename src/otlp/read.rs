//! Reads OTLP trace bodies in place: the byte ranges of resources, scopes and spans, and a span's fields in the form of the model.
//! Nothing is copied. Invalid parts were repaired or refused before: see [`super::check`].

use super::write::number;
use crate::hash::HashMap;
use crate::keys::Keys;
use crate::protobuf::{Field, Reader, WireError, array};
use crate::span::{Attr, Event, Key, MAX_DEPTH, NO_PARENT, Span, Value};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// A message as it stands in a body: its offset there, and its bytes.
pub type Raw<'a> = (usize, &'a [u8]);
/// The message of a resource or of a scope: its bytes, and what they say.
pub type Part<'a> = (&'a [u8], Described<'a>);

/// An `ExportTraceServiceRequest`, taken apart down to its spans. `M` is the message of a resource or of a scope, `S` that of a span.
pub struct Request<'a, M = Raw<'a>, S = Raw<'a>> {
    /// Its resources, in order.
    pub resources: Vec<ResourceSpans<'a, M, S>>,
    /// Unknown fields.
    pub raw_fields: Vec<&'a [u8]>,
}

/// A `ResourceSpans`.
#[derive(Default)]
pub struct ResourceSpans<'a, M = Raw<'a>, S = Raw<'a>> {
    /// The `Resource` message.
    pub resource: Option<M>,
    /// Its scopes, in order.
    pub scopes: Vec<ScopeSpans<'a, M, S>>,
    /// Schema URL and fields that are not known here.
    pub raw_fields: Vec<&'a [u8]>,
}

/// A `ScopeSpans`.
#[derive(Default)]
pub struct ScopeSpans<'a, M = Raw<'a>, S = Raw<'a>> {
    /// The `InstrumentationScope` message.
    pub scope: Option<M>,
    /// The `Span` messages, in order.
    pub spans: Vec<S>,
    /// Schema URL and fields that are not known here.
    pub raw_fields: Vec<&'a [u8]>,
}

fn fields<'a>(base: usize, bytes: &'a [u8], f: &mut dyn FnMut(Field<'a>) -> Result<(), WireError>) -> Result<(), WireError> {
    let mut reader = Reader::new(base, bytes);
    while let Some(field) = reader.field()? {
        f(field)?;
    }
    Ok(())
}

/// Divides a body into at most `most` parts.
pub fn request(body: &[u8], most: usize) -> Result<Request<'_>, WireError> {
    let mut left = most;
    let mut piece = |offset| {
        left = left.checked_sub(1).ok_or_else(|| WireError::too_large(offset))?;
        Ok(())
    };
    let mut request = Request { resources: Vec::new(), raw_fields: Vec::new() };
    fields(0, body, &mut |field| {
        piece(field.offset)?;
        if field.number != number::REQUEST_RESOURCE_SPANS {
            request.raw_fields.push(field.raw);
            return Ok(());
        }
        let (base, bytes) = field.bytes()?;
        let mut resource = ResourceSpans::default();
        fields(base, bytes, &mut |field| {
            piece(field.offset)?;
            match field.number {
                number::RESOURCE_SPANS_RESOURCE => resource.resource = Some(field.bytes()?),
                number::RESOURCE_SPANS_SCOPE_SPANS => resource.scopes.push(scope_spans(field.bytes()?, &mut piece)?),
                _ => resource.raw_fields.push(field.raw),
            }
            Ok(())
        })?;
        request.resources.push(resource);
        Ok(())
    })?;
    Ok(request)
}

fn scope_spans<'a>(
    (base, bytes): (usize, &'a [u8]),
    piece: &mut dyn FnMut(usize) -> Result<(), WireError>,
) -> Result<ScopeSpans<'a>, WireError> {
    let mut scope = ScopeSpans::default();
    fields(base, bytes, &mut |field| {
        piece(field.offset)?;
        match field.number {
            number::SCOPE_SPANS_SCOPE => scope.scope = Some(field.bytes()?),
            number::SCOPE_SPANS_SPANS => scope.spans.push(field.bytes()?),
            _ => scope.raw_fields.push(field.raw),
        }
        Ok(())
    })?;
    Ok(scope)
}

/// An `ExportTraceServiceRequest` that was read: each span with its message.
pub type ReadRequest<'a> = Request<'a, Part<'a>, (&'a [u8], Span<'a>)>;

/// Reads a whole `ExportTraceServiceRequest`.
pub fn parts<'a>(body: &'a [u8], keys: &mut Keys, arena: &'a Bump) -> Result<ReadRequest<'a>, WireError> {
    let mut reader = PartReader::new(keys, arena);
    // Its size has already been checked.
    let Request { resources, raw_fields } = request(body, usize::MAX)?;
    let mut read = Request { resources: Vec::with_capacity(resources.len()), raw_fields };
    for ResourceSpans { resource, scopes, raw_fields } in resources {
        let resource = resource.map(|r| reader.resource(r)).transpose()?;
        let mut of_resource = ResourceSpans { resource, scopes: Vec::with_capacity(scopes.len()), raw_fields };
        for ScopeSpans { scope, spans, raw_fields } in scopes {
            let scope = scope.map(|s| reader.scope(s)).transpose()?;
            let spans = spans.into_iter().map(|s| Ok((s.1, reader.span(s)?))).collect::<Result<_, _>>()?;
            of_resource.scopes.push(ScopeSpans { scope, spans, raw_fields });
        }
        read.resources.push(of_resource);
    }
    Ok(read)
}

/// Parses the parts of one run: interns keys, and allocates in the arena.
pub struct PartReader<'r, 'a> {
    /// The dictionary.
    pub keys: &'r mut Keys,
    /// Memory of the run.
    pub arena: &'a Bump,
    /// The positions of the keys without a number in the span that is being read.
    texts: HashMap<&'a [u8], usize>,
}

/// The fields of a `Resource` or `InstrumentationScope` that the core uses.
pub struct Described<'a> {
    /// Name of a scope.
    pub name: &'a [u8],
    /// Attributes.
    pub attributes: &'a [Attr<'a>],
    /// All other fields, unchanged (name and version of a scope among them).
    pub raw_fields: Vec<&'a [u8]>,
}

impl<'r, 'a> PartReader<'r, 'a> {
    /// Creates a reader that interns keys and allocates in the arena.
    pub fn new(keys: &'r mut Keys, arena: &'a Bump) -> Self {
        PartReader { keys, arena, texts: HashMap::default() }
    }

    /// A `Resource`.
    pub fn resource(&mut self, message: Raw<'a>) -> Result<Part<'a>, WireError> {
        self.described(message, number::RESOURCE_ATTRIBUTES, None)
    }

    /// An `InstrumentationScope`.
    pub fn scope(&mut self, message: Raw<'a>) -> Result<Part<'a>, WireError> {
        self.described(message, number::SCOPE_ATTRIBUTES, Some(number::SCOPE_NAME))
    }

    fn described(&mut self, (base, bytes): Raw<'a>, attributes: u32, name: Option<u32>) -> Result<Part<'a>, WireError> {
        let mut list = BumpVec::new_in(self.arena);
        let mut out = Described { name: &[], attributes: &[], raw_fields: Vec::new() };
        fields(base, bytes, &mut |field| {
            if field.number == attributes {
                list.push(self.attribute(field.bytes()?)?);
                return Ok(());
            }
            if Some(field.number) == name {
                out.name = field.bytes()?.1;
            }
            out.raw_fields.push(field.raw);
            Ok(())
        })?;
        out.attributes = list.into_bump_slice();
        Ok((bytes, out))
    }

    /// A `Span`.
    pub fn span(&mut self, (base, bytes): (usize, &'a [u8])) -> Result<Span<'a>, WireError> {
        let arena = self.arena;
        let mut attributes = BumpVec::new_in(arena);
        let mut events = BumpVec::new_in(arena);
        let mut raw_fields = BumpVec::new_in(arena);
        let mut span = Span {
            trace_id: [0; 16],
            span_id: [0; 8],
            parent_id: NO_PARENT,
            trace_state: &[],
            flags: 0,
            name: &[],
            kind: 0,
            start: 0,
            end: 0,
            attributes: &[],
            dropped_attributes: 0,
            events: &[],
            dropped_events: 0,
            links: &[],
            dropped_links: 0,
            status_code: 0,
            status_message: &[],
            raw_status: None,
            raw_fields: &[],
        };
        let mut has_status = false;
        self.keys.begin_list();
        self.texts.clear();
        fields(base, bytes, &mut |field| {
            match field.number {
                number::TRACE_ID => span.trace_id = array(field.bytes()?.1),
                number::SPAN_ID => span.span_id = array(field.bytes()?.1),
                number::PARENT_SPAN_ID => span.parent_id = array(field.bytes()?.1),
                number::TRACE_STATE => span.trace_state = field.bytes()?.1,
                number::NAME => span.name = field.bytes()?.1,
                number::KIND => span.kind = field.number()? as u32,
                number::START => span.start = field.number()?,
                number::END => span.end = field.number()?,
                number::ATTRIBUTES => {
                    let attr = self.attribute(field.bytes()?)?;
                    self.add(attr, &mut attributes);
                }
                number::DROPPED_ATTRIBUTES => span.dropped_attributes = field.number()? as u32,
                number::EVENTS => events.push(self.event(field.bytes()?)?),
                number::DROPPED_EVENTS => span.dropped_events = field.number()? as u32,
                number::DROPPED_LINKS => span.dropped_links = field.number()? as u32,
                number::STATUS => {
                    let (base, bytes) = field.bytes()?;
                    // A second status, which no SDK writes, is merged with the first.
                    span.raw_status = Some(field.raw).filter(|_| !std::mem::replace(&mut has_status, true));
                    fields(base, bytes, &mut |field| {
                        match field.number {
                            number::STATUS_MESSAGE => span.status_message = field.bytes()?.1,
                            number::STATUS_CODE => span.status_code = field.number()? as u32,
                            _ => {}
                        }
                        Ok(())
                    })?;
                }
                number::FLAGS => span.flags = field.number()? as u32,
                _ => raw_fields.push(field.raw),
            }
            Ok(())
        })?;
        span.attributes = attributes.into_bump_slice();
        span.events = events.into_bump_slice();
        span.raw_fields = raw_fields.into_bump_slice();
        Ok(span)
    }

    /// Adds an attribute to those of the span. OTLP requires unique keys; if a key occurs again, the last value counts, as in most
    /// readers.
    fn add(&mut self, attr: Attr<'a>, attributes: &mut BumpVec<'a, Attr<'a>>) {
        let end = attributes.len();
        let place = match attr.key {
            Key::Id(id) => self.keys.place_in_list(id, end),
            Key::Text(text) => *self.texts.entry(text).or_insert(end),
        };
        match attributes.get_mut(place) {
            Some(before) => *before = attr,
            None => attributes.push(attr),
        }
    }

    fn event(&mut self, (base, bytes): (usize, &'a [u8])) -> Result<Event<'a>, WireError> {
        let mut attributes = BumpVec::new_in(self.arena);
        let mut event = Event { time: 0, name: &[], attributes: &[], dropped_attributes: 0, raw: Some(bytes) };
        fields(base, bytes, &mut |field| {
            match field.number {
                number::EVENT_TIME => event.time = field.number()?,
                number::EVENT_NAME => event.name = field.bytes()?.1,
                number::EVENT_ATTRIBUTES => attributes.push(self.attribute(field.bytes()?)?),
                _ => {}
            }
            Ok(())
        })?;
        event.attributes = attributes.into_bump_slice();
        Ok(event)
    }

    fn attribute(&mut self, (base, bytes): (usize, &'a [u8])) -> Result<Attr<'a>, WireError> {
        let (key, value) = self.key_value(base, bytes, 0)?;
        Ok(Attr { key: self.keys.key(key), value, raw: Some(bytes) })
    }

    fn key_value(&mut self, base: usize, bytes: &'a [u8], depth: usize) -> Result<(&'a [u8], Value<'a>), WireError> {
        let (mut key, mut value) = (&[][..], Value::Empty);
        let mut reader = Reader::new(base, bytes);
        while let Some((tag, inner)) = reader.glance()? {
            match (tag >> 3, tag & 7) {
                (number::KEY, 2) => key = inner,
                (number::VALUE, 2) => value = self.value((reader.offset() - inner.len(), inner), depth)?,
                (number::KEY | number::VALUE, _) => return Err(WireError::new(base, "field of the wrong wire type")),
                _ => {}
            }
        }
        Ok((key, value))
    }

    fn value(&mut self, (base, bytes): (usize, &'a [u8]), depth: usize) -> Result<Value<'a>, WireError> {
        if depth > MAX_DEPTH {
            return Err(WireError::new(base, "value nested too deep"));
        }
        // Most values are a single text.
        let mut reader = Reader::new(base, bytes);
        if let Ok(Some((tag, text))) = reader.glance()
            && tag == number::STRING << 3 | 2
            && reader.offset() == base + bytes.len()
        {
            return Ok(Value::Str(text));
        }
        let arena = self.arena;
        let mut value = Value::Empty;
        fields(base, bytes, &mut |field| {
            match field.number {
                number::STRING => value = Value::Str(field.bytes()?.1),
                number::BOOL => value = Value::Bool(field.number()? != 0),
                number::INT => value = Value::Int(field.number()? as i64),
                number::DOUBLE => value = Value::Double(f64::from_bits(field.number()?)),
                number::BYTES => value = Value::Bytes(field.bytes()?.1),
                number::ARRAY => {
                    let (base, bytes) = field.bytes()?;
                    let mut items = BumpVec::new_in(arena);
                    fields(base, bytes, &mut |field| {
                        items.push(self.value(field.bytes()?, depth + 1)?);
                        Ok(())
                    })?;
                    value = Value::Array(items.into_bump_slice());
                }
                number::KVLIST => {
                    let (base, bytes) = field.bytes()?;
                    let mut entries = BumpVec::new_in(arena);
                    fields(base, bytes, &mut |field| {
                        let (base, bytes) = field.bytes()?;
                        entries.push(self.key_value(base, bytes, depth + 1)?);
                        Ok(())
                    })?;
                    value = Value::Map(entries.into_bump_slice());
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(value)
    }
}
