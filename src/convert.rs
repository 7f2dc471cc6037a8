//! One OTLP body in, one out: the whole of the core without a pipeline. For the command line, and for hosts that have
//! bodies instead of spans.

use crate::config::{ConfigError, Convert, Format};
use crate::conventions;
use crate::describe::{self, ResourceRules};
use crate::entry::{self, Decision, Ended, Limits, Started, Tree};
use crate::explain::Explainer;
use crate::frame::FrameError;
use crate::hash::HashSet;
use crate::keys::Keys;
use crate::normalize::{self, Context, Normal};
use crate::otlp::json::{self, JsonError};
use crate::otlp::read::{self, Described, ResourcePart, ScopePart};
use crate::otlp::wire::{WireError, Writer};
use crate::otlp::write::number;
use crate::privacy::{self, Counts, Hooks, Privacy};
use crate::profiles::write::Writing;
use crate::span::{Span, SpanId, TraceId, Value};
use bumpalo::Bump;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Why a body could not be converted. One line; never the content of a value.
#[derive(Debug)]
pub enum Error {
    /// A setting is wrong.
    Config(ConfigError),
    /// The body is not OTLP protobuf.
    Protobuf(WireError),
    /// The body is not OTLP JSON.
    Json(JsonError),
    /// There is no room for it, it has more scopes and resources than can be told apart, or spans of so many others wait.
    Full(FrameError),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Config(e) => e.fmt(f),
            Error::Protobuf(e) => write!(f, "not an OTLP protobuf body: {e}"),
            Error::Json(e) => write!(f, "not an OTLP JSON body: {e}"),
            Error::Full(e) => f.write_str(e.what),
        }
    }
}

impl std::error::Error for Error {}

/// JSON is told by its brace. A protobuf body begins with 0x0a, which is also a line feed, and its first length may be
/// 0x7b, which is also a brace: what reads as protobuf is protobuf.
fn looks_like_json(body: &[u8]) -> bool {
    let brace = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start().starts_with(b"{");
    brace && (body.first() != Some(&0x0a) || read::request(body).is_err())
}

/// Normalises an `ExportTraceServiceRequest`, and marks its entries by what stands in this body alone: a parent that is
/// not in it counts as not LLM.
///
/// Order, ids, and all that no rule touches stay as they are, protobuf fields that are not known here among them.
pub fn convert(body: &[u8], options: &Convert) -> Result<Vec<u8>, Error> {
    convert_with(body, options, &Hooks::default())
}

/// As [`convert()`], with what the host does with content itself.
pub fn convert_with(body: &[u8], options: &Convert, hooks: &Hooks) -> Result<Vec<u8>, Error> {
    let mut from = options.from;
    let (out, _) = process(body, options, hooks, &mut from, false)?;
    match if options.to == Format::Auto { from } else { options.to } {
        // What was read above decodes, unless a field that is not known here is broken inside.
        Format::Json => json::from_protobuf(&out).map_err(Error::Protobuf),
        _ => Ok(out),
    }
}

/// Why [`convert()`] gives what it gives: a JSON list with one object for each span, in the order of the body.
///
/// `{traceId, spanId, name, conventions: [name], entry: {is, why}, attributes, gone, goneEvents: [name]}`; the last three are left out where the
/// span goes out as it came. `attributes` holds every attribute that goes out, in order: `{key, from, convention, rule, how}` (the
/// source's key, the name of the convention, the row of its table, what that does), `{key, how}` where no attribute of the source gave it, `{key, kept}`
/// where it stays as the source had it. `gone` holds the attributes of the source that do not go out: `{key, why, by: [key]}` and, as above, the rule;
/// `missing` holds the paths of the values inside of it that nothing which goes out has.
/// What the privacy stage did to an attribute stands in its `privacy`: `masked`, `mask failed`, `media replaced`, `truncated`, `dropped`.
pub fn explain(body: &[u8], options: &Convert) -> Result<Vec<u8>, Error> {
    explain_with(body, options, &Hooks::default())
}

/// As [`explain()`], with what the host does with content itself.
pub fn explain_with(body: &[u8], options: &Convert, hooks: &Hooks) -> Result<Vec<u8>, Error> {
    process(body, options, hooks, &mut options.from.clone(), true).map(|(_, explained)| explained)
}

/// Reads, processes and encodes a body as protobuf, and explains it if asked to. `format` becomes that of the body.
fn process(body: &[u8], options: &Convert, hooks: &Hooks, format: &mut Format, explained: bool) -> Result<(Vec<u8>, Vec<u8>), Error> {
    options.validate().map_err(Error::Config)?;
    let privacy = Privacy::new(&options.privacy, options.profile.table(), "").map_err(Error::Config)?;
    protobuf_to_protobuf(&protobuf_of(body, format)?, options, (&privacy, hooks), explained).map_err(Error::Protobuf)
}

/// The body as protobuf. `format` becomes that of the body.
pub(crate) fn protobuf_of<'b>(body: &'b [u8], format: &mut Format) -> Result<Cow<'b, [u8]>, Error> {
    if *format == Format::Auto {
        *format = if looks_like_json(body) { Format::Json } else { Format::Protobuf };
    }
    match format {
        Format::Json => json::to_protobuf(body).map(Cow::Owned).map_err(Error::Json),
        _ => Ok(Cow::Borrowed(body)),
    }
}

/// One span of the body, understood.
struct Done<'a> {
    raw: &'a [u8],
    /// `None`: no convention knows it.
    rewritten: Option<(Span<'a>, Normal<'a>)>,
    id: (TraceId, SpanId),
    /// Whether it is LLM could be seen; if not, it has to be taken for that.
    readable: bool,
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
) -> Result<(Vec<u8>, Vec<u8>), WireError> {
    let arena = Bump::new();
    let mut keys = Keys::new(1 << 16);
    keys.add_profile(options.profile.table());
    // Every key is interned by now, since what is understood borrows the dictionary.
    let (parts, raw_fields) = read::parts(body, &mut keys, &arena)?;
    let keys = keys;
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
            };
            let mut spans = Vec::with_capacity(parts.len());
            for (raw, span) in parts {
                let Some(span) = span else {
                    spans.push(Done { raw, rewritten: None, id: ([0; 16], [0; 8]), readable: false, parent_id: [0; 8] });
                    continue;
                };
                let normal = normalize::normalize(&span, &cx);
                let (llm, mark) = normal.as_ref().map_or((false, None), |n| (n.opens_segment, n.mark));
                let (id, parent_id) = ((span.trace_id, span.span_id), span.parent_id);
                started.push((
                    span.start,
                    Started { trace_id: id.0, span_id: id.1, parent_id, llm, patient: false, kept: 1, ..Default::default() },
                ));
                ended.push(Ended {
                    trace_id: id.0,
                    span_id: id.1,
                    parent_id,
                    llm,
                    mark,
                    remote: span.parent_is_remote(),
                    caller: entry::caller(span.trace_state).filter(|_| options.entry.across_processes),
                    root: normalize::root(&span, &keys),
                    patient: false,
                    kept: 1,
                });
                spans.push(Done { raw, rewritten: normal.map(|n| (span, n)), id, readable: true, parent_id });
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
    let explainer = explained.then(|| Explainer::new(&keys, &arena, &ended));
    let entries = if options.entry.enabled { entries(&mut tree, order.iter().map(|&i| ended[i])) } else { HashSet::default() };
    let mut out = Output {
        keys: &keys,
        arena: &arena,
        writing: Writing::new(options.profile.table(), options.keep.unwrap_or(options.profile.keep()), &keys),
        rules: ResourceRules::new(&options.destination()),
        mark: options.entry.value.mark(),
        entries,
        privacy,
        hooks,
        explainer,
        w: Writer::default(),
    };
    raw_fields.iter().rev().for_each(|raw| out.w.bytes(raw));
    resources.iter().rev().for_each(|resource| out.resource(resource));
    Ok((out.w.written().to_vec(), out.explainer.map_or_else(Vec::new, Explainer::finish)))
}

/// The spans that could be read, in the order of the body.
fn readable<'r, 'a>(resources: &'r mut [Resource<'a>]) -> Vec<&'r mut Done<'a>> {
    let scopes = resources.iter_mut().flat_map(|resource| &mut resource.scopes);
    scopes.flat_map(|scope| &mut scope.spans).filter(|done| done.readable).collect()
}

/// Fills in session and user where a span lacks what one above it says. `order`: children first.
fn hand_down<'a>(tree: &mut Tree, order: &[usize], resources: &mut [Resource<'a>], arena: &'a Bump) {
    let mut spans = readable(resources);
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
    let mut spans = readable(resources);
    for &i in order {
        let done = &mut spans[i];
        let own = done.rewritten.as_ref().and_then(|(_, normal)| normal.tokens());
        if tree.repeats(done.id.0, done.id.1, done.parent_id, own, true)
            && let Some((_, normal)) = &mut done.rewritten
        {
            normal.canonical.aggregated = true;
        }
    }
}

fn entries(tree: &mut Tree, ended: impl Iterator<Item = Ended>) -> HashSet<(TraceId, SpanId)> {
    let mut entries = HashSet::default();
    for span in ended {
        if tree.end(span, 0.0).0 == Decision::Entry {
            entries.insert((span.trace_id, span.span_id));
        }
    }
    tree.flush();
    while let Some((trace_id, span_id, entry)) = tree.resolved() {
        if entry {
            entries.insert((trace_id, span_id));
        }
    }
    entries
}

struct Output<'k> {
    keys: &'k Keys,
    arena: &'k Bump,
    writing: Writing,
    rules: ResourceRules,
    mark: Value<'static>,
    entries: HashSet<(TraceId, SpanId)>,
    privacy: &'k Privacy,
    hooks: &'k Hooks,
    explainer: Option<Explainer<'k>>,
    w: Writer,
}

impl<'k> Output<'k> {
    /// The fields of a span as they may leave, and what was done to them.
    fn private<'s>(&self, fields: &'s [u8], is_llm: bool) -> (&'s [u8], privacy::Notes)
    where
        'k: 's,
    {
        let (mut counts, mut notes) = (Counts::default(), privacy::Notes::new());
        let notes_of = self.explainer.is_some().then_some(&mut notes);
        let run = privacy::Run { keys: self.keys, arena: self.arena, hooks: self.hooks, counts: &mut counts, notes: notes_of };
        let [fields, _] = self.privacy.apply([fields, &[]], is_llm, run);
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
        let entry = self.entries.contains(&done.id);
        let Some((span, normal)) = &done.rewritten else {
            let (out, notes) = self.private(done.raw, !done.readable);
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
            self.writing.entry_content(&mut self.w, span, normal, self.keys, self.arena);
        }
        self.writing.span(&mut self.w, span, Some(normal), self.keys, self.arena);
        let written = &self.w.written()[..self.w.mark() - mark];
        let (out, notes) = self.private(written, normal.is_llm());
        if !std::ptr::eq(out, written) {
            let out = self.arena.alloc_slice_copy(out);
            self.w.rewind(mark);
            self.w.bytes(out);
        }
        if let Some(explainer) = &mut self.explainer {
            let written = &self.w.written()[..self.w.mark() - mark];
            explainer.span(span, normal, &self.writing, (written, &notes), entry);
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
