//! Bodies without LLM spans, which a proxy passes on span by span as they are.

use super::Pipeline;
use crate::keys::Keys;
use crate::otlp::envelope;
use crate::otlp::read::{self, PartReader, Raw};
use crate::otlp::write::number;
use crate::protobuf::{Reader, Writer};
use crate::text::bytes;
use bumpalo::Bump;

/// The bytes of memory that each span of a body takes until it is looked at.
const PIECE: usize = 64;

/// A body that passes.
pub enum Passed {
    AsItIs,
    Changed(Vec<u8>),
}

/// What the spans of a body so far were found plain by: the next one is mostly like them.
#[derive(Default)]
struct Alike<'a> {
    trace_id: &'a [u8],
    /// By their place among the attributes: tag, length and text of keys.
    keys: Vec<&'a [u8]>,
}

impl Alike<'_> {
    fn has(&self, at: usize, attribute: &[u8]) -> bool {
        self.keys.get(at).is_some_and(|key| !key.is_empty() && attribute.get(..key.len()).is_some_and(|start| bytes::equal(start, key)))
    }
}

/// The key of an attribute that no convention knows, with its tag and length.
fn plain_key<'a>(attribute: &'a [u8], keys: &mut Keys) -> Option<&'a [u8]> {
    let field = Reader::new(0, attribute).field().ok()?.filter(|field| field.number == number::KEY)?;
    let (_, key) = field.bytes().ok()?;
    let info = keys.intern(key).and_then(|id| keys.get(id))?;
    (info.evidence == 0 && !info.value_counts).then_some(field.raw)
}

impl Pipeline {
    /// The body with nothing changed but its resources, if nothing else has to be.
    pub(super) fn passed<'a>(&mut self, body: &'a [u8], peer: Option<&str>, keys: &mut Keys, arena: &'a Bump) -> Option<Passed> {
        let [d] = &self.destinations[..] else { return None };
        let takes_all =
            !self.filters && d.config.sample_ratio.is_none() && d.config.allow_scopes.is_empty() && d.config.block_scopes.is_empty();
        if !takes_all || !self.engine.encoder.is_idle(d.form, body, &self.hooks) {
            return None;
        }
        let request = read::request(body, self.engine.max_unpacked_bytes / PIECE).ok()?;
        let mut spans = 0;
        let mut alike = Alike::default();
        let mut resources = Vec::with_capacity(request.resources.len());
        for resource in &request.resources {
            for scope in &resource.scopes {
                let number = match self.known_scope(scope.scope.map(|(_, raw)| raw), &scope.raw_fields) {
                    Some(known) => known,
                    None => {
                        let described = scope.scope.map(|s| PartReader::new(keys, arena).scope(s)).transpose().ok()?;
                        self.add_read_scope(described.as_ref(), &scope.raw_fields, keys).ok()?
                    }
                };
                if self.scopes.get(number).is_none_or(|scope| scope.conventions != 0 || scope.has_secret)
                    || scope.spans.iter().any(|(_, span)| !self.is_plain(span, keys, &mut alike))
                {
                    return None;
                }
                spans += scope.spans.len() as u64;
            }
            let known = self.known_resource(resource.resource.map(|(_, raw)| raw), &resource.raw_fields, peer);
            let changes = known.and_then(|known| self.resources.get(known)).is_none_or(|known| known.changes);
            // What stays as it is needs no second look.
            let message = resource.resource.filter(|_| changes);
            let described = message.map(|message| PartReader::new(keys, arena).resource(message)).transpose().ok()?;
            let number = match known {
                Some(known) => known,
                None => self.add_read_resource(described.as_ref(), &resource.raw_fields, peer, keys).ok()?,
            };
            resources.push((self.resources.get(number)?.changes, described));
        }
        self.engine.seen += spans;
        let [d] = &mut self.destinations[..] else { return None };
        if resources.iter().all(|(changes, _)| !changes) {
            d.exporter.passed(spans, body.len() as u64);
            return Some(Passed::AsItIs);
        }
        let mut resource = |w: &mut Writer, raw: Option<&Raw>| match resources.pop() {
            Some((true, described)) => d.mended_service_name |= d.rules.write_read(w, described.as_ref(), peer, keys),
            _ => envelope::raw_resource(w, raw),
        };
        let w = &mut self.writer;
        w.clear();
        let mut span = |w: &mut Writer, (_, span): &Raw| w.bytes_field(number::SCOPE_SPANS_SPANS, span);
        envelope::write(w, &request, &mut resource, &mut envelope::raw_scope, &mut span);
        let out = w.written().to_vec();
        d.exporter.passed(spans, out.len() as u64);
        Some(Passed::Changed(out))
    }

    /// Returns true if no convention knows the span and its trace has no LLM span so far.
    fn is_plain<'a>(&self, span: &'a [u8], keys: &mut Keys, alike: &mut Alike<'a>) -> bool {
        let mut reader = Reader::new(0, span);
        let (mut trace_id, mut span_id, mut attributes) = (&[][..], &[][..], 0);
        while let Ok(field) = reader.glance() {
            let Some((tag, bytes)) = field else {
                let known = bytes::equal(trace_id, alike.trace_id)
                    || trace_id.try_into().is_ok_and(|id| id != [0; 16] && !self.engine.tree.knows_trace(id));
                alike.trace_id = if known { trace_id } else { alike.trace_id };
                return known && !trace_id.is_empty() && span_id.len() == 8 && span_id != [0; 8];
            };
            match (tag >> 3, tag & 7) {
                (number::TRACE_ID, 2) => trace_id = bytes,
                (number::SPAN_ID, 2) => span_id = bytes,
                (number::ATTRIBUTES, 2) => {
                    if !alike.has(attributes, bytes) {
                        let Some(key) = plain_key(bytes, keys) else { return false };
                        match alike.keys.get_mut(attributes) {
                            Some(other) => *other = key,
                            None => alike.keys.push(key),
                        }
                    }
                    attributes += 1;
                }
                (number::TRACE_ID | number::SPAN_ID | number::ATTRIBUTES, _) => return false,
                _ => {}
            }
        }
        false
    }
}
