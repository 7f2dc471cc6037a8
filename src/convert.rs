//! One OTLP body in, one out: the whole of the core without a pipeline. For the command line, and for hosts that have
//! bodies instead of spans.

use crate::config::{Convert, Format};
use crate::conventions;
use crate::describe::{self, ResourceRules};
use crate::entry::{self, Ended, Limits, Reason, Started, Tree};
use crate::error::Error;
use crate::explain::Explainer;
use crate::keys::Keys;
use crate::normalize::{self, Context, Normal};
use crate::otlp::PartialSuccess;
use crate::otlp::check::{self, Refusals};
use crate::otlp::json;
use crate::otlp::read::{self, Described, ResourcePart, ScopePart};
use crate::otlp::write::number;
use crate::privacy::{self, Counts, Hooks, Privacy};
use crate::profiles::write::Writing;
use crate::protobuf::Writer;
use crate::span::{NO_PARENT, Span, SpanId, TraceId, Value};
use bumpalo::Bump;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What begins like both formats and has more pieces than that is protobuf: a JSON text does not read so far as one.
const MAX_PIECES: usize = 10_000;

/// JSON is told by its brace. A protobuf body begins with 0x0a, which is also a line feed, and its first length may be
/// 0x7b, which is also a brace: what reads as protobuf is protobuf.
fn looks_like_json(body: &[u8]) -> bool {
    let brace = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start().starts_with(b"{");
    brace && (body.first() != Some(&0x0a) || read::request(body, MAX_PIECES).is_err_and(|error| !error.is_too_large()))
}

/// Normalises an `ExportTraceServiceRequest`, and marks its entries by what stands in this body alone: a parent that is
/// not in it counts as not LLM.
///
/// Order, ids, and all that no rule touches stay as they are, protobuf fields that are not known here among them. Spans that no backend would
/// take, such as those without ids, are left out: [`convert_with`] reports them. It is an error if no span is left.
pub fn convert(body: &[u8], options: &Convert) -> Result<Vec<u8>, Error> {
    convert_with(body, options, &Hooks::default()).map(|converted| converted.body)
}

/// The result of a conversion.
#[derive(Debug)]
pub struct Converted {
    /// The processed body, or the explanations.
    pub body: Vec<u8>,
    /// How many spans were left out, and why; `None` if all are there.
    pub partial_success: Option<PartialSuccess>,
}

/// As [`convert()`], with what the host does with content itself.
pub fn convert_with(body: &[u8], options: &Convert, hooks: &Hooks) -> Result<Converted, Error> {
    let mut from = options.from;
    let ([out, _], partial_success) = process(body, options, hooks, &mut from, false)?;
    let body = match if options.to == Format::Auto { from } else { options.to } {
        Format::Json => json::from_protobuf(&out).map_err(Error::Protobuf)?,
        _ => out,
    };
    Ok(Converted { body, partial_success })
}

/// Why [`convert()`] gives what it gives: a JSON list with one object for each span, in the order of the body.
///
/// `{traceId, spanId, name, conventions: [name], entry: {is, why}, attributes, gone, goneEvents: [name]}`; the last three are left out where the
/// span goes out as it came. `attributes` holds every attribute that goes out, in order: `{key, from, convention, rule, how}` (the
/// source's key, the name of the convention, the row of its table, what that does), `{key, how}` where no attribute of the source gave it, `{key, kept}`
/// where it stays as the source had it. `gone` holds the attributes of the source that do not go out: `{key, why, by: [key]}` and, as above, the rule;
/// `missing` holds the paths of the values inside of it that nothing which goes out has.
/// behind them what the privacy stage left out of events, of links and of the status (`status.message`).
/// What the privacy stage did to an attribute stands in its `privacy`: `masked`, `mask failed`, `media replaced`, `truncated`, `dropped` (a
/// convention knows it as content) or `dropped: …` with the reason.
pub fn explain(body: &[u8], options: &Convert) -> Result<Vec<u8>, Error> {
    explain_with(body, options, &Hooks::default()).map(|explained| explained.body)
}

/// As [`explain()`], with what the host does with content itself.
pub fn explain_with(body: &[u8], options: &Convert, hooks: &Hooks) -> Result<Converted, Error> {
    let ([_, body], partial_success) = process(body, options, hooks, &mut options.from.clone(), true)?;
    Ok(Converted { body, partial_success })
}

/// Reads, processes and encodes a body as protobuf, and explains it if asked to. `format` becomes that of the body.
fn process(
    body: &[u8],
    options: &Convert,
    hooks: &Hooks,
    format: &mut Format,
    explained: bool,
) -> Result<([Vec<u8>; 2], Option<PartialSuccess>), Error> {
    options.validate().map_err(Error::Config)?;
    let privacy = Privacy::new(&options.privacy, options.profile.table(), "").map_err(Error::Config)?;
    let (body, partial_success) = admitted(body, format, options.max_unpacked_bytes)?;
    let out = protobuf_to_protobuf(&body, options, (&privacy, hooks), explained)?;
    Ok((out, partial_success))
}

/// The format of a body.
pub(crate) fn format_of(body: &[u8]) -> Format {
    if looks_like_json(body) { Format::Json } else { Format::Protobuf }
}

/// The error of a body that unpacks into more than so many bytes.
pub(crate) fn too_large(limit: usize) -> Error {
    Error::LimitExceeded { what: "bytes of memory for what is in one request; send it in smaller ones", limit }
}

/// The body as protobuf without anything that a backend would refuse, and the spans that are left out for that. `format` becomes that of the
/// body. Refused as a whole is one that unpacks into more than `most` bytes.
pub(crate) fn admitted<'b>(body: &'b [u8], format: &mut Format, most: usize) -> Result<(Cow<'b, [u8]>, Option<PartialSuccess>), Error> {
    if *format == Format::Auto {
        *format = format_of(body);
    }
    let (body, refusals) = match format {
        Format::Json => {
            let admitted = json::admitted(body, most).map(|(body, refusals)| (Cow::Owned(body), refusals));
            admitted.map_err(|error| if error.is_too_large() { too_large(most) } else { Error::Json(error) })?
        }
        _ => check::admitted(body, most).map_err(|error| if error.is_too_large() { too_large(most) } else { Error::Protobuf(error) })?,
    };
    if refusals.refused == 0 {
        return Ok((body, None));
    }
    let Refusals { spans, refused: rejected, why } = refusals;
    let partial = PartialSuccess { rejected, message: format!("{rejected} of {spans} spans refused; the first: {why}") };
    if rejected < spans { Ok((body, Some(partial))) } else { Err(Error::Refused(partial)) }
}

/// One span of the body, understood.
struct Done<'a> {
    raw: &'a [u8],
    /// `None`: no convention knows it.
    rewritten: Option<(Span<'a>, Normal<'a>)>,
    id: (TraceId, SpanId),
    parent_id: SpanId,
}

struct Scope<'a> {
    raw_fields: Vec<&'a [u8]>,
    scope: Option<(&'a [u8], Described<'a>)>,
    spans: Vec<Done<'a>>,
}

struct Resource<'a> {
    raw_fields: Vec<&'a [u8]>,
    resource: Option<(&'a [u8], Described<'a>)>,
    scopes: Vec<Scope<'a>>,
}

fn protobuf_to_protobuf(
    body: &[u8],
    options: &Convert,
    (privacy, hooks): (&Privacy, &Hooks),
    explained: bool,
) -> Result<[Vec<u8>; 2], Error> {
    let arena = Bump::new();
    let mut keys = Keys::new(1 << 16);
    keys.add_profile(&options.profile.table().written());
    // Every key is interned by now, since what is understood borrows the dictionary.
    let (parts, raw_fields) = read::parts(body, &mut keys, &arena).map_err(Error::Protobuf)?;
    let keys = keys;
    let room = normalize::room(&arena, body.len(), options.max_unpacked_bytes);
    let limits = Limits { hold_ms: f64::INFINITY, held: usize::MAX, spans: usize::MAX };
    let mut tree = Tree::new(limits, options.entry.siblings);
    let mut started = Vec::new();
    let mut ended = Vec::new();
    let mut resources = Vec::new();
    for ResourcePart { raw_fields, resource, scopes: parts } in parts {
        let mut scopes = Vec::new();
        for ScopePart { raw_fields, scope, spans: parts } in parts {
            let name = scope.as_ref().map_or(&[][..], |(_, s)| s.name);
            let cx = Context {
                keys: &keys,
                arena: &arena,
                scope: name,
                scope_conventions: conventions::of_scope(name),
                infer_provider: options.infer_provider,
                room,
            };
            let mut spans = Vec::with_capacity(parts.len());
            for (raw, span) in parts {
                if arena.allocated_bytes() > options.max_unpacked_bytes {
                    return Err(too_large(options.max_unpacked_bytes));
                }
                let normal = normalize::normalize(&span, &cx);
                let (llm, mark) = normal.as_ref().map_or((false, None), |n| (n.opens_segment, n.mark));
                let (id, parent_id) = ((span.trace_id, span.span_id), span.parent_id);
                let caller = entry::caller(span.trace_state).filter(|_| options.entry.across_processes);
                started.push((
                    span.start,
                    Started {
                        trace_id: id.0,
                        span_id: id.1,
                        parent_id,
                        llm,
                        inside_segment: caller.is_some(),
                        caller: caller.unwrap_or(NO_PARENT),
                        kept: 1,
                        ..Default::default()
                    },
                ));
                ended.push(Ended {
                    trace_id: id.0,
                    span_id: id.1,
                    parent_id,
                    llm,
                    mark,
                    remote: span.parent_is_remote(),
                    caller,
                    root: normalize::root(&span, &keys),
                    patient: false,
                    kept: 1,
                });
                spans.push(Done { raw, rewritten: normal.map(|n| (span, n)), id, parent_id });
            }
            scopes.push(Scope { raw_fields, scope, spans });
        }
        resources.push(Resource { raw_fields, resource, scopes });
    }
    // A heap, since a stable sort is 3 KB of the module.
    let mut earliest: BinaryHeap<_> = started.iter().enumerate().map(|(i, (at, _))| Reverse((*at, i))).collect();
    while let Some(Reverse((_, i))) = earliest.pop() {
        tree.start(started[i].1);
    }
    let order = entry::children_first(&ended.iter().map(|e| (e.trace_id, e.span_id, e.parent_id)).collect::<Vec<_>>());
    count_once(&mut tree, &order, &mut resources);
    if options.inherit_session {
        hand_down(&mut tree, &order, &mut resources, &arena);
    }
    if options.entry.enabled {
        for &i in &order {
            tree.end(ended[i], 0.0);
        }
        tree.flush();
    }
    let mut out = Output {
        keys: &keys,
        writing: Writing::new(options.profile.table(), options.keep.unwrap_or(options.profile.table().keep), &keys),
        rules: ResourceRules::new(&options.destination()),
        mark: options.entry.value.mark(),
        tree,
        privacy,
        hooks,
        explainer: explained.then(|| Explainer::new(&keys, &arena)),
        scratch: Bump::new(),
        w: Writer::default(),
    };
    raw_fields.iter().rev().for_each(|raw| out.w.bytes(raw));
    resources.iter().rev().for_each(|resource| out.resource(resource));
    Ok([out.w.written().to_vec(), out.explainer.map_or_else(Vec::new, Explainer::finish)])
}

/// The spans, in the order of the body.
fn spans<'r, 'a>(resources: &'r mut [Resource<'a>]) -> Vec<&'r mut Done<'a>> {
    let scopes = resources.iter_mut().flat_map(|resource| &mut resource.scopes);
    scopes.flat_map(|scope| &mut scope.spans).collect()
}

/// Fills in session and user where a span lacks what one above it says. `order`: children first.
fn hand_down<'a>(tree: &mut Tree, order: &[usize], resources: &mut [Resource<'a>], arena: &'a Bump) {
    let mut spans = spans(resources);
    for &i in order.iter().rev() {
        let Done { id: (trace_id, span_id), rewritten, .. } = &mut *spans[i];
        if let Some((_, normal)) = rewritten.as_mut().filter(|(_, normal)| normal.is_llm()) {
            normal.inherit(tree.people(*trace_id, *span_id), arena);
            tree.introduce(*trace_id, *span_id, normal.people());
        }
    }
}

/// Takes usage that repeats what ran below it out of the count. `order`: children first.
fn count_once(tree: &mut Tree, order: &[usize], resources: &mut [Resource]) {
    let mut spans = spans(resources);
    for &i in order {
        let done = &mut spans[i];
        let used = done.rewritten.as_ref().map(|(_, normal)| normal.usage()).unwrap_or_default();
        let repeated = tree.repeats(done.id.0, done.id.1, done.parent_id, used, true);
        if let Some((_, normal)) = &mut done.rewritten {
            normal.leave_to_children(repeated);
        }
    }
}

struct Output<'k> {
    keys: &'k Keys,
    writing: Writing,
    rules: ResourceRules,
    mark: Value<'static>,
    /// Knows the entries, and why the other spans are none.
    tree: Tree,
    privacy: &'k Privacy,
    hooks: &'k Hooks,
    explainer: Option<Explainer<'k>>,
    /// Memory of one span, while the profile writes it.
    scratch: Bump,
    w: Writer,
}

impl<'k> Output<'k> {
    /// The fields of a span as they may leave, and what was done to them.
    fn private<'s>(&self, fields: &'s [u8], is_recognised: bool, scratch: &'s Bump) -> (&'s [u8], privacy::Notes)
    where
        'k: 's,
    {
        let (mut counts, mut notes) = (Counts::default(), privacy::Notes::new());
        let notes_of = self.explainer.is_some().then_some(&mut notes);
        let run = privacy::Run { keys: self.keys, arena: scratch, hooks: self.hooks, counts: &mut counts, notes: notes_of };
        let [fields, _] = self.privacy.apply([fields, &[]], is_recognised, run);
        (fields, notes)
    }

    fn resource(&mut self, r: &Resource<'k>) {
        let mark = self.w.mark();
        r.raw_fields.iter().rev().for_each(|raw| self.w.bytes(raw));
        r.scopes.iter().rev().for_each(|scope| self.scope(scope));
        self.rules.write_read(&mut self.w, r.resource.as_ref().map(|(raw, d)| (*raw, d)), None, self.keys);
        self.w.close(number::REQUEST_RESOURCE_SPANS, mark);
    }

    fn scope(&mut self, s: &Scope<'k>) {
        let mark = self.w.mark();
        s.raw_fields.iter().rev().for_each(|raw| self.w.bytes(raw));
        s.spans.iter().rev().for_each(|span| self.span(span));
        describe::write_read_scope(&mut self.w, s.scope.as_ref().map(|(raw, d)| (*raw, d)), self.keys);
        self.w.close(number::RESOURCE_SPANS_SCOPE_SPANS, mark);
    }

    fn span(&mut self, done: &Done<'k>) {
        let mut scratch = std::mem::take(&mut self.scratch);
        self.write_span(done, &scratch);
        scratch.reset();
        self.scratch = scratch;
    }

    fn write_span(&mut self, done: &Done<'k>, scratch: &Bump) {
        let reason = self.tree.reason(done.id.0, done.id.1);
        let entry = reason.is_some_and(Reason::is_entry);
        let Some((span, normal)) = &done.rewritten else {
            let (out, notes) = self.private(done.raw, false, scratch);
            let mark = self.w.mark();
            if entry {
                self.writing.entry_mark(&mut self.w, &self.mark, self.keys);
            }
            self.w.bytes(out);
            self.w.close(number::SCOPE_SPANS_SPANS, mark);
            return self.explainer.iter_mut().for_each(|e| e.untouched(done.raw, &notes, entry));
        };
        let mark = self.w.mark();
        if entry {
            self.writing.entry_mark(&mut self.w, &self.mark, self.keys);
            self.writing.entry_content(&mut self.w, span, normal, self.keys, scratch);
        }
        self.writing.span(&mut self.w, span, Some(normal), self.keys, scratch);
        let written = &self.w.written()[..self.w.mark() - mark];
        let (out, notes) = self.private(written, normal.is_recognised(), scratch);
        if !std::ptr::eq(out, written) {
            let out = scratch.alloc_slice_copy(out);
            self.w.rewind(mark);
            self.w.bytes(out);
        }
        if let Some(explainer) = &mut self.explainer {
            let written = &self.w.written()[..self.w.mark() - mark];
            explainer.span(span, normal, &self.writing, (written, &notes), reason);
        }
        self.w.close(number::SCOPE_SPANS_SPANS, mark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protobuf_body_that_begins_like_json_is_protobuf() {
        // ResourceSpans of 123 bytes: a line feed, then a brace.
        let mut body = vec![0x0a, 0x7b, 0x1a, 121];
        body.extend_from_slice(&[b'x'; 121]);
        assert_eq!(convert(&body, &Convert::default()).unwrap(), body);
        assert_eq!(convert(b"\n{\"resourceSpans\": []}", &Convert::default()).unwrap(), b"{}");
    }
}
