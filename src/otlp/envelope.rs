//! Puts a body together again from its parts: what stands around spans is written here alone.

use super::read::{Raw, Request};
use super::write::number;
use crate::protobuf::Writer;

/// Writes a body. The writer goes backwards, so the functions are called from the last part to the first. A scope or a resource of which no span
/// is left is left out with them.
pub fn write<M, S>(
    w: &mut Writer,
    request: &Request<M, S>,
    resource: &mut dyn FnMut(&mut Writer, Option<&M>),
    scope: &mut dyn FnMut(&mut Writer, Option<&M>),
    span: &mut dyn FnMut(&mut Writer, &S),
) {
    request.raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
    for of_resource in request.resources.iter().rev() {
        let resource_mark = w.mark();
        of_resource.raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
        let mut is_left = of_resource.scopes.is_empty();
        for of_scope in of_resource.scopes.iter().rev() {
            let mark = w.mark();
            of_scope.raw_fields.iter().rev().for_each(|raw| w.bytes(raw));
            let spans_mark = w.mark();
            of_scope.spans.iter().rev().for_each(|of_span| span(w, of_span));
            if w.mark() == spans_mark && !of_scope.spans.is_empty() {
                w.rewind(mark);
                continue;
            }
            is_left = true;
            scope(w, of_scope.scope.as_ref());
            w.close(number::RESOURCE_SPANS_SCOPE_SPANS, mark);
        }
        if is_left {
            resource(w, of_resource.resource.as_ref());
            w.close(number::REQUEST_RESOURCE_SPANS, resource_mark);
        } else {
            w.rewind(resource_mark);
        }
    }
}

/// Writes the resource of a `ResourceSpans` as it came.
pub fn raw_resource(w: &mut Writer, resource: Option<&Raw>) {
    resource.iter().for_each(|(_, message)| w.bytes_field(number::RESOURCE_SPANS_RESOURCE, message));
}

/// Writes the scope of a `ScopeSpans` as it came.
pub fn raw_scope(w: &mut Writer, scope: Option<&Raw>) {
    scope.iter().for_each(|(_, message)| w.bytes_field(number::SCOPE_SPANS_SCOPE, message));
}
