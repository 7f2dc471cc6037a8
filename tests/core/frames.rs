//! What a host does, in Rust: writes span frames as `src/frame.rs` documents them, from OTLP types.

use genspan::Pipeline;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

fn u32(out: &mut Vec<u8>, n: u32) {
    out.extend_from_slice(&n.to_le_bytes());
}

fn string(out: &mut Vec<u8>, text: &str) {
    u32(out, text.len() as u32);
    out.extend_from_slice(text.as_bytes());
}

fn time(out: &mut Vec<u8>, nanos: u64) {
    u32(out, (nanos / 1_000_000_000) as u32);
    u32(out, (nanos % 1_000_000_000) as u32);
}

/// Writes records with keys interned in a pipeline; `true`: all keys and names as text, as a host does where it meets them for the first time.
pub struct FrameWriter<'p>(pub &'p mut Pipeline, pub bool);

impl<'p> FrameWriter<'p> {
    pub fn new(pipeline: &'p mut Pipeline) -> Self {
        FrameWriter(pipeline, false)
    }
}

impl FrameWriter<'_> {
    fn name(&mut self, out: &mut Vec<u8>, text: &str) {
        let id = if self.1 { None } else { self.0.intern(text.as_bytes()) };
        match id {
            Some(id) => u32(out, id),
            None => {
                u32(out, 0);
                string(out, text);
            }
        }
    }

    fn value(&mut self, out: &mut Vec<u8>, value: Option<&AnyValue>) {
        match value.and_then(|v| v.value.as_ref()) {
            None => out.push(0),
            Some(Value::StringValue(text)) => {
                out.push(1);
                string(out, text);
            }
            Some(Value::BoolValue(b)) => out.push(if *b { 3 } else { 2 }),
            Some(Value::IntValue(n)) if n.unsigned_abs() < 1 << 53 => {
                out.push(4);
                out.extend_from_slice(&(*n as f64).to_le_bytes());
            }
            Some(Value::IntValue(n)) => {
                out.push(9);
                out.extend_from_slice(&n.to_le_bytes());
            }
            Some(Value::DoubleValue(n)) => {
                out.push(5);
                out.extend_from_slice(&n.to_le_bytes());
            }
            Some(Value::ArrayValue(array)) => {
                out.push(6);
                u32(out, array.values.len() as u32);
                array.values.iter().for_each(|item| self.value(out, Some(item)));
            }
            Some(Value::KvlistValue(list)) => {
                out.push(7);
                self.attributes(out, &list.values);
            }
            Some(Value::BytesValue(bytes)) => {
                out.push(8);
                u32(out, bytes.len() as u32);
                out.extend_from_slice(bytes);
            }
            Some(other) => panic!("not a value of a span: {other:?}"),
        }
    }

    fn attributes(&mut self, out: &mut Vec<u8>, attributes: &[KeyValue]) {
        u32(out, attributes.len() as u32);
        for attribute in attributes {
            self.name(out, &attribute.key);
            self.value(out, attribute.value.as_ref());
        }
    }

    /// The `scope` record.
    pub fn scope_record(&mut self, scope: &InstrumentationScope) -> Vec<u8> {
        let mut out = vec![1];
        string(&mut out, &scope.name);
        string(&mut out, &scope.version);
        string(&mut out, "");
        self.attributes(&mut out, &scope.attributes);
        out
    }

    pub fn scope(&mut self, scope: &InstrumentationScope) -> u32 {
        let record = self.scope_record(scope);
        self.0.scope(&record).unwrap()
    }

    /// The `resource` record.
    pub fn resource_record(&mut self, resource: &Resource) -> Vec<u8> {
        let mut out = vec![1];
        string(&mut out, "");
        self.attributes(&mut out, &resource.attributes);
        out
    }

    pub fn resource(&mut self, resource: &Resource) -> u32 {
        let record = self.resource_record(resource);
        self.0.resource(&record).unwrap()
    }

    fn ids(span: &Span) -> Vec<u8> {
        let mut ids = span.trace_id.clone();
        ids.extend_from_slice(&span.span_id);
        ids.extend_from_slice(&span.parent_span_id);
        ids.resize(32, 0);
        ids
    }

    fn flags(span: &Span) -> u8 {
        u8::from(!span.parent_span_id.is_empty()) | u8::from(span.flags & 0x200 != 0) << 1
    }

    /// The `start` record of a span that starts without attributes.
    pub fn start(span: &Span, scope: u32) -> Vec<u8> {
        let mut out = vec![1, Self::flags(span)];
        out.extend_from_slice(&Self::ids(span));
        out.extend_from_slice(&[0; 8]);
        u32(&mut out, scope);
        u32(&mut out, 0);
        string(&mut out, &span.name);
        u32(&mut out, 0);
        u32(&mut out, 0);
        out
    }

    /// The `start` record of a span that starts with all that it has in the end; with `baggage` in the place of an HTTP header's.
    pub fn start_with(&mut self, span: &Span, scope: u32, baggage: &[KeyValue]) -> Vec<u8> {
        let mut out = vec![1, Self::flags(span) | u8::from(!baggage.is_empty()) << 3];
        out.extend_from_slice(&Self::ids(span));
        out.extend_from_slice(&[0; 8]);
        u32(&mut out, scope);
        self.name(&mut out, &span.name);
        u32(&mut out, span.attributes.len() as u32);
        span.attributes.iter().for_each(|attribute| self.name(&mut out, &attribute.key));
        let wanted: Vec<_> = self.0.wanted().into_iter().map(str::to_owned).collect();
        let seen = span.attributes.iter().filter(|attribute| wanted.contains(&attribute.key)).chain(baggage).cloned();
        self.attributes(&mut out, &seen.collect::<Vec<_>>());
        out
    }

    /// The `span` record.
    pub fn span(&mut self, span: &Span, scope: u32, resource: u32) -> Vec<u8> {
        let status = span.status.clone().unwrap_or_default();
        let mut out = vec![1, Self::flags(span), span.kind as u8, status.code as u8];
        u32(&mut out, span.flags & 0xff);
        out.extend_from_slice(&Self::ids(span));
        time(&mut out, span.start_time_unix_nano);
        time(&mut out, span.end_time_unix_nano);
        u32(&mut out, scope);
        u32(&mut out, resource);
        u32(&mut out, span.dropped_attributes_count);
        u32(&mut out, span.dropped_events_count);
        u32(&mut out, span.dropped_links_count);
        self.name(&mut out, &span.name);
        string(&mut out, &status.message);
        string(&mut out, &span.trace_state);
        self.attributes(&mut out, &span.attributes);
        u32(&mut out, span.events.len() as u32);
        for event in &span.events {
            time(&mut out, event.time_unix_nano);
            self.name(&mut out, &event.name);
            u32(&mut out, event.dropped_attributes_count);
            self.attributes(&mut out, &event.attributes);
        }
        u32(&mut out, span.links.len() as u32);
        for link in &span.links {
            out.extend_from_slice(&link.trace_id);
            out.extend_from_slice(&link.span_id);
            u32(&mut out, link.flags);
            string(&mut out, &link.trace_state);
            u32(&mut out, link.dropped_attributes_count);
            self.attributes(&mut out, &link.attributes);
        }
        out
    }
}
