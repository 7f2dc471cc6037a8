//! Bodies made of the parts of another one: its halves, or the one with a smaller span.

use crate::otlp::read;
use crate::otlp::write::number;
use crate::protobuf::Writer;

/// The body with those spans for which `keep`, called from the last to the first, gives bytes. `None`: it cannot be read.
pub fn rebuild<'b>(body: &'b [u8], keep: &mut dyn FnMut(&'b [u8]) -> Option<&'b [u8]>) -> Option<Vec<u8>> {
    let request = read::request(body, usize::MAX).ok()?;
    let mut w = Writer::default();
    for resource in request.resources.iter().rev() {
        let resource_mark = w.mark();
        resource.raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
        let mut any = false;
        for scope in resource.scopes.iter().rev() {
            let mark = w.mark();
            scope.raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
            let start = w.mark();
            scope.spans.iter().rev().filter_map(|(_, span)| keep(span)).for_each(|span| w.bytes_field(number::SCOPE_SPANS_SPANS, span));
            if w.mark() == start {
                w.rewind(mark);
                continue;
            }
            any = true;
            scope.scope.iter().for_each(|(_, scope)| w.bytes_field(number::SCOPE_SPANS_SCOPE, scope));
            w.close(number::RESOURCE_SPANS_SCOPE_SPANS, mark);
        }
        if !any {
            w.rewind(resource_mark);
            continue;
        }
        resource.resource.iter().for_each(|(_, resource)| w.bytes_field(number::RESOURCE_SPANS_RESOURCE, resource));
        w.close(number::REQUEST_RESOURCE_SPANS, resource_mark);
    }
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
