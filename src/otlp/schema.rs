//! The messages of OTLP's trace requests, in one table that is used to read and write JSON and to check bodies.

const SPAN_KINDS: &[&str] =
    &["SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"];
const STATUS_CODES: &[&str] = &["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

/// A message.
pub struct Message {
    /// Its fields, in the order of their numbers, without gaps.
    pub fields: &'static [Field],
    /// Whether at most one of its fields is present, which is then written even with its default value.
    pub one_of: bool,
    /// Number of required fields.
    pub required: u32,
    /// The memory of one such message, in bytes, in addition to that of the body, until its span is encoded or sent.
    pub weight: usize,
}

pub struct Field {
    /// The name in camelCase.
    pub name: &'static str,
    pub number: u32,
    pub ty: Type,
    pub repeated: bool,
    /// A required id: neither empty nor all zeros.
    pub required: bool,
}

#[derive(Clone, Copy)]
pub enum Type {
    Text,
    /// Text that is written in JSON even if it is empty.
    Key,
    Bool,
    Uint32,
    Int64,
    Fixed32,
    Fixed64,
    Double,
    Bytes,
    /// Hex in JSON, with this number of bytes.
    Id(usize),
    /// An enum: its name, and the names of its values.
    Enum(&'static str, &'static [&'static str]),
    Message(&'static Message),
    /// A message that is written in JSON even if it is absent.
    Value,
}

const fn one(name: &'static str, number: u32, ty: Type) -> Field {
    Field { name, number, ty, repeated: false, required: false }
}

const fn list(name: &'static str, number: u32, ty: Type) -> Field {
    Field { name, number, ty, repeated: true, required: false }
}

const fn own_id(name: &'static str, number: u32, length: usize) -> Field {
    Field { required: true, ..one(name, number, Type::Id(length)) }
}

const fn message(fields: &'static [Field], weight: usize) -> Message {
    Message { fields, one_of: false, required: 0, weight }
}

const fn attributes(number: u32) -> Field {
    list("attributes", number, Type::Message(&KEY_VALUE))
}

pub static REQUEST: Message = message(&[list("resourceSpans", 1, Type::Message(&RESOURCE_SPANS))], 0);
static RESOURCE_SPANS: Message = message(
    &[one("resource", 1, Type::Message(&RESOURCE)), list("scopeSpans", 2, Type::Message(&SCOPE_SPANS)), one("schemaUrl", 3, Type::Text)],
    512,
);
static RESOURCE: Message =
    message(&[attributes(1), one("droppedAttributesCount", 2, Type::Uint32), list("entityRefs", 3, Type::Message(&ENTITY_REF))], 64);
static ENTITY_REF: Message = message(
    &[one("schemaUrl", 1, Type::Text), one("type", 2, Type::Text), list("idKeys", 3, Type::Text), list("descriptionKeys", 4, Type::Text)],
    16,
);
static SCOPE_SPANS: Message =
    message(&[one("scope", 1, Type::Message(&SCOPE)), list("spans", 2, Type::Message(&SPAN)), one("schemaUrl", 3, Type::Text)], 512);
static SCOPE: Message = message(
    &[one("name", 1, Type::Text), one("version", 2, Type::Text), attributes(3), one("droppedAttributesCount", 4, Type::Uint32)],
    64,
);
pub static SPAN: Message = Message {
    required: 2,
    ..message(
        &[
            own_id("traceId", 1, 16),
            own_id("spanId", 2, 8),
            one("traceState", 3, Type::Text),
            one("parentSpanId", 4, Type::Id(8)),
            one("name", 5, Type::Text),
            one("kind", 6, Type::Enum("a span kind", SPAN_KINDS)),
            one("startTimeUnixNano", 7, Type::Fixed64),
            one("endTimeUnixNano", 8, Type::Fixed64),
            attributes(9),
            one("droppedAttributesCount", 10, Type::Uint32),
            list("events", 11, Type::Message(&EVENT)),
            one("droppedEventsCount", 12, Type::Uint32),
            list("links", 13, Type::Message(&LINK)),
            one("droppedLinksCount", 14, Type::Uint32),
            one("status", 15, Type::Message(&STATUS)),
            one("flags", 16, Type::Fixed32),
        ],
        1024,
    )
};
static EVENT: Message = message(
    &[one("timeUnixNano", 1, Type::Fixed64), one("name", 2, Type::Text), attributes(3), one("droppedAttributesCount", 4, Type::Uint32)],
    128,
);
static LINK: Message = message(
    &[
        one("traceId", 1, Type::Id(16)),
        one("spanId", 2, Type::Id(8)),
        one("traceState", 3, Type::Text),
        attributes(4),
        one("droppedAttributesCount", 5, Type::Uint32),
        one("flags", 6, Type::Fixed32),
    ],
    128,
);
static STATUS: Message = message(&[one("message", 2, Type::Text), one("code", 3, Type::Enum("a status code", STATUS_CODES))], 16);
static KEY_VALUE: Message = message(&[one("key", 1, Type::Key), one("value", 2, Type::Value), one("keyStrindex", 3, Type::Uint32)], 64);
static ANY_VALUE: Message = Message {
    fields: &[
        one("stringValue", 1, Type::Text),
        one("boolValue", 2, Type::Bool),
        one("intValue", 3, Type::Int64),
        one("doubleValue", 4, Type::Double),
        one("arrayValue", 5, Type::Message(&ARRAY)),
        one("kvlistValue", 6, Type::Message(&KVLIST)),
        one("bytesValue", 7, Type::Bytes),
        one("stringValueStrindex", 8, Type::Uint32),
    ],
    one_of: true,
    required: 0,
    weight: 64,
};
static ARRAY: Message = message(&[list("values", 1, Type::Value)], 0);
static KVLIST: Message = message(&[list("values", 1, Type::Message(&KEY_VALUE))], 0);

impl Type {
    /// The message type of the field, if it is a message.
    pub fn message(self) -> Option<&'static Message> {
        match self {
            Type::Message(message) => Some(message),
            Type::Value => Some(&ANY_VALUE),
            _ => None,
        }
    }

    /// Its wire type in protobuf.
    pub fn wire_type(self) -> u32 {
        match self {
            Type::Bool | Type::Uint32 | Type::Int64 | Type::Enum(..) => 0,
            Type::Fixed64 | Type::Double => 1,
            Type::Fixed32 => 5,
            _ => 2,
        }
    }
}

impl Message {
    /// The field with this number, if it is known.
    #[inline]
    pub fn field(&self, number: u32) -> Option<&'static Field> {
        let first = self.fields.first()?.number;
        self.fields.get(number.wrapping_sub(first) as usize)
    }
}

impl Field {
    /// Returns true if this is the field's name, in camelCase or in snake_case.
    pub fn is_named(&self, name: &[u8]) -> bool {
        let mut rest = name;
        for letter in self.name.bytes() {
            let next = match (letter.is_ascii_uppercase(), rest) {
                (true, [b'_', lower, tail @ ..]) => (lower.to_ascii_uppercase() == letter).then_some(tail),
                (_, [same, tail @ ..]) => (*same == letter).then_some(tail),
                _ => None,
            };
            let Some(tail) = next else { return false };
            rest = tail;
        }
        rest.is_empty()
    }
}
