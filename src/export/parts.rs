//! Bodies made from parts of another one: its halves, or the body with a smaller span.

use crate::otlp::envelope;
use crate::otlp::read;
use crate::otlp::write::number;
use crate::protobuf::Writer;

/// The body with only those spans for which `keep` returns bytes; `keep` is called from the last span to the first. `None` if the body cannot be parsed.
pub fn rebuild<'b>(body: &'b [u8], keep: &mut dyn FnMut(&'b [u8]) -> Option<&'b [u8]>) -> Option<Vec<u8>> {
    let request = read::request(body, usize::MAX).ok()?;
    let mut w = Writer::default();
    let mut span = |w: &mut Writer, (_, span): &(usize, &'b [u8])| {
        keep(span).iter().for_each(|span| w.bytes_field(number::SCOPE_SPANS_SPANS, span));
    };
    envelope::write(&mut w, &request, &mut envelope::raw_resource, &mut envelope::raw_scope, &mut span);
    Some(w.written().to_vec())
}

/// Two bodies, the first with the first `count` of the spans.
pub fn split(body: &[u8], count: u64, spans: u64) -> Option<[Vec<u8>; 2]> {
    let part = |of_first: bool| {
        let mut left = spans;
        rebuild(body, &mut |span| {
            left = left.saturating_sub(1);
            ((left < count) == of_first).then_some(span)
        })
    };
    Some([part(true)?, part(false)?])
}
