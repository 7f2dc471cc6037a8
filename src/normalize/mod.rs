//! From a span as its instrumentation wrote it to the canonical GenAI form: recognise, read the tables, then what
//! a table cannot say.

mod content;
mod events;
pub mod flat;
pub mod messages;
mod moment;
mod params;
mod provider;
pub mod scalar;
mod strange;
mod tables;
mod tools;
mod twice;
mod usage;

pub use strange::Stranger;

use crate::conventions::{self, ConventionSet, NAMED, PLAIN, Root, To, custom, words};
use crate::entry::{Repeated, Usage};
use crate::json;
use crate::keys::{KeyInfo, Keys};
use crate::span::{Attr, Event, Key, Span, Value, status};
use crate::text;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use crate::genai::{Canonical, DERIVED, EVENTS, Field, HANDED_DOWN, Kind, NAMES, PEOPLE};

/// What happens to an attribute (or event) of the source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate<'a> {
    /// No canonical field says what it says: it stays.
    Keep,
    /// A canonical field says it.
    Mapped,
    /// It must not go on.
    Drop,
    /// It stays with this value.
    Rewrite(Value<'a>),
}

/// What surrounds a span.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The dictionary.
    pub keys: &'a Keys,
    /// Memory of the run.
    pub arena: &'a Bump,
    /// Name of the instrumentation scope.
    pub scope: &'a [u8],
    /// What the scope's name proves.
    pub scope_conventions: ConventionSet,
    /// Guess the provider from address and model where nothing says it.
    pub infer_provider: bool,
    /// Once the arena holds so many bytes, large values are not read: [`room`].
    pub room: usize,
}

/// What a body or a frame may take beside what it is made of: so many bytes, and so many times its size.
const ROOM: (usize, usize) = (16 << 20, TIMES);
/// A value takes up to so many times its size while it is read and written in its canonical form, most of it for lists that double.
const TIMES: usize = 20;

/// How large an arena may become when what came with so many bytes, and is in the arena now, is understood; `most`: whatever it is.
pub fn room(arena: &Bump, bytes: usize, most: usize) -> usize {
    let (least, times) = ROOM;
    arena.allocated_bytes().saturating_add(least).saturating_add(bytes.saturating_mul(times)).min(most)
}

/// Values below this many bytes are read whatever there is.
const SMALL: usize = 256;
/// So many values may stand in one that is JSON, a list or a map, whatever its size.
const MAX_VALUES: usize = 250_000;

/// Returns true if a value would take more memory than its size allows for.
fn is_too_large(value: &Value, cx: &Context) -> bool {
    let (bytes, is_dense) = match value {
        Value::Str(text) => (text.len(), json::is_dense(text, MAX_VALUES) || json::is_heavy(text)),
        Value::Array(_) | Value::Map(_) => {
            let (bytes, values) = values(value);
            (bytes, values > MAX_VALUES)
        }
        _ => return false,
    };
    is_dense || bytes >= SMALL && cx.arena.allocated_bytes().saturating_add(bytes.saturating_mul(TIMES)) > cx.room
}

/// The bytes of the texts in a value, and how many values it is made of.
fn values(value: &Value) -> (usize, usize) {
    let sum = |all: (usize, usize), one: (usize, usize)| (all.0 + one.0, all.1 + one.1);
    match value {
        Value::Str(text) | Value::Bytes(text) => (text.len(), 1),
        Value::Array(items) => items.iter().map(values).fold((0, 1), sum),
        Value::Map(entries) => entries.iter().map(|(key, value)| sum((key.len(), 1), values(value))).fold((0, 1), sum),
        _ => (8, 1),
    }
}

/// A span, understood.
pub struct Normal<'a> {
    /// The conventions that were recognised.
    pub conventions: ConventionSet,
    /// It is more than a span of an LLM library: see [`Normalizer::is_llm`].
    llm: bool,
    /// It can begin an LLM segment: an evaluator, a guardrail, what is built before a model is asked, and what only carries messages can't.
    pub opens_segment: bool,
    /// `gen_ai.is_entry` as the span itself says it.
    pub mark: Option<bool>,
    /// The canonical form; empty if the span is not LLM.
    pub canonical: &'a mut Canonical<'a>,
    /// One for each attribute.
    pub fates: BumpVec<'a, Fate<'a>>,
    /// One for each event.
    pub event_fates: BumpVec<'a, Fate<'a>>,
    /// How many attributes and events are too large to be read: they stay as they are.
    pub unread: u32,
    /// The members of composite attributes that no field has.
    pub strangers: BumpVec<'a, Stranger<'a>>,
}

impl<'a> Normal<'a> {
    /// Fills in the session, the user and the model that it lacks.
    pub fn inherit(&mut self, people: [Option<&[u8]>; 3], arena: &'a Bump) {
        self.canonical.reading = HANDED_DOWN;
        for (field, value) in PEOPLE.into_iter().zip(people) {
            // A model is that of calls whose name alone says that they are some.
            let c = &self.canonical;
            if field == Field::RequestModel && (c.kind != Some(Kind::Chat) || c.kind_origin != NAMES || c.has(Field::ResponseModel)) {
                continue;
            }
            if let Some(value) = value.filter(|_| !self.canonical.has(field)) {
                self.canonical.derive(field, Value::Str(arena.alloc_slice_copy(value)));
            }
        }
    }
}

impl Normal<'_> {
    /// Returns true if the span is LLM: a call of a model, or a part of what is done around one.
    pub fn is_llm(&self) -> bool {
        self.llm
    }

    /// Returns true if some convention knows the span, be it LLM or one of the plain spans of an LLM library. What the privacy stage does
    /// without rules that name keys applies to these spans.
    pub fn is_recognised(&self) -> bool {
        self.conventions != 0
    }

    /// Its session and its user, and of an agent that its name tells, the model.
    pub fn people(&self) -> [Option<&[u8]>; 3] {
        let c = &self.canonical;
        let is_agent = c.kind == Some(Kind::InvokeAgent) && c.kind_origin == NAMES;
        PEOPLE.map(|field| c.text(field).filter(|_| field != Field::RequestModel || is_agent))
    }

    /// May [`root`] tell something of it?
    pub fn says_root(&self) -> bool {
        conventions::report_roots(self.conventions)
    }

    /// The usage that it reports as its own.
    pub fn usage(&self) -> Usage {
        let c = &self.canonical;
        let count = |field| c.int(field).filter(|_| !c.aggregated).unwrap_or_default();
        let tokens = [Field::InputTokens, Field::OutputTokens].map(count);
        // Where the source's word for the operation is not known, a model tells that one is called.
        let is_call = c.kind.map_or(c.has(Field::RequestModel) || c.has(Field::ResponseModel), Kind::calls_model);
        Usage {
            tokens,
            has_tokens: tokens != [0; 2] || count(Field::TotalTokens) != 0,
            has_cost: !c.cost_aggregated && c.get(Field::Cost).is_some_and(|cost| cost != Value::Double(0.0)),
            sums: !is_call,
            told_above: c.told_above,
        }
    }

    /// Takes what spans below it report too out of its own usage.
    pub fn leave_to_children(&mut self, repeated: Repeated) {
        self.canonical.aggregated |= repeated.tokens;
        self.canonical.cost_aggregated |= repeated.cost;
    }
}

/// Understands a span. `None`: no convention knows it and no rule touches it; it goes on as it is.
pub fn normalize<'a>(span: &Span<'a>, cx: &Context<'a>) -> Option<Normal<'a>> {
    let (conventions, marked) = recognise(span, cx);
    if conventions == 0 && !marked {
        return None;
    }
    let arena = cx.arena;
    let mut n = Normalizer {
        span,
        cx,
        conventions,
        c: arena.alloc_with(|| Canonical::new(arena)),
        fates: BumpVec::from_iter_in(span.attributes.iter().map(|_| Fate::Keep), arena),
        mark: None,
        kind_trust: 0,
        refined: None,
        pending: [None; SLOTS],
        tool_inputs: None,
        uncached_input: false,
        aggregates: &[],
        aside: false,
        unknown_kind: DERIVED,
        wrapper: false,
        copy: false,
        other_provider: None,
        leaves: BumpVec::new_in(arena),
        unread: 0,
        strangers: BumpVec::new_in(arena),
        offered: BumpVec::new_in(arena),
    };
    n.read_tables();
    if conventions == 0 && n.fates.iter().all(|fate| *fate == Fate::Keep) {
        return None;
    }
    let mut event_fates = BumpVec::from_iter_in(span.events.iter().map(|_| Fate::Keep), arena);
    if conventions != 0 {
        n.c.reading = EVENTS;
        events::read(&mut n, &mut event_fates);
        content::read_lists(&mut n);
        n.complete_kind();
        content::read(&mut n);
        n.complete();
    }
    let llm = n.is_llm();
    if !llm && conventions != 0 {
        n.take_back();
        event_fates.fill(Fate::Keep);
    }
    let opens_segment = llm && !n.aside && conventions::open_segments(conventions) && n.c.kind.is_none_or(Kind::opens_segment);
    Some(Normal {
        conventions,
        llm,
        opens_segment,
        mark: n.mark,
        canonical: n.c,
        fates: n.fates,
        event_fates,
        unread: n.unread,
        strangers: n.strangers,
    })
}

/// The conventions that a span which starts with these attributes already proves.
pub fn recognise_start<'a>(keys: impl Iterator<Item = Key<'a>>, dictionary: &Keys) -> ConventionSet {
    keys.map(|key| with_info(key, dictionary, |info| info.evidence)).fold(0, |a, b| a | b)
}

/// Returns true if a span that starts with these attributes opens an LLM segment, as far as its start tells: its kind does, or its scope
/// holds observations alone. `scope`: the conventions that the scope proves; `proven`: those of the attributes too.
pub fn opens_segment(attributes: &[Attr], [scope, proven]: [ConventionSet; 2], keys: &Keys) -> bool {
    let conventions = proven | conventions::everywhere();
    let kind = |attr: &Attr| {
        let text = text::unquote(attr.value.as_str()?);
        with_info(attr.key, keys, |info| info.holding(conventions).find_map(|r| r.rule.to.kind(text)))
    };
    conventions::open_segments(proven)
        && match attributes.iter().find_map(kind) {
            Some(kind) => kind.opens_segment(),
            None => conventions::are_observations(scope),
        }
}

/// The session and the user that attributes name, whatever the convention.
pub fn people<'a>(attributes: &[Attr<'a>], keys: &Keys, arena: &'a Bump) -> [Option<&'a [u8]>; 3] {
    let mut named = [None; 3];
    let mut trusts = [0; 3];
    for attr in attributes {
        let Some((i, trust)) = with_info(attr.key, keys, |info| info.person).filter(|(i, trust)| *trust > trusts[*i]) else { continue };
        if let Some(Value::Str(name)) = scalar::convert(PEOPLE[i], &attr.value, arena) {
            (named[i], trusts[i]) = (Some(name), trust);
        }
    }
    named
}

/// Returns whether the span is the outermost of its kind, if its instrumentation reports that.
pub fn root(span: &Span, keys: &Keys) -> Option<bool> {
    let mut root = None;
    for attr in span.attributes {
        let text = attr.value.as_str();
        let is_root = match conventions::root_of(keys.text(attr.key)) {
            Some(Root::True) if scalar::as_bool(&attr.value) == Some(true) => return Some(true),
            Some(Root::Bool) => scalar::as_bool(&attr.value),
            Some(Root::WithoutDot) => text.map(|order| !order.contains(&b'.')),
            Some(Root::Empty) => text.map(<[u8]>::is_empty),
            _ => None,
        };
        root = is_root.map_or(root, |is_root| Some(is_root && root != Some(false)));
    }
    root
}

/// What is known of a key; one that is not in the dictionary is looked up in the tables.
fn with_info<T: Default>(key: Key, keys: &Keys, f: impl FnOnce(&KeyInfo) -> T) -> T {
    match key {
        Key::Id(id) => keys.get(id).map(f).unwrap_or_default(),
        Key::Text(text) => f(&KeyInfo::new(text, keys.mappings)),
    }
}

fn proves(to: To, value: Value) -> bool {
    match to {
        To::Proof(words) => value.as_str().is_some_and(|text| text::any(text, words)),
        To::All(all) => all.iter().any(|to| proves(*to, value)),
        _ => false,
    }
}

fn recognise(span: &Span, cx: &Context) -> (ConventionSet, bool) {
    // A mapping of the user's holds where its scope does and one of its keys is there.
    let allowed = cx.scope_conventions | !custom::BITS;
    let mut conventions = cx.scope_conventions & !custom::BITS;
    let mut marked = false;
    for attr in span.attributes {
        with_info(attr.key, cx.keys, |info| {
            // An attribute without a value is none: OpenInference's processor for Vercel puts such a kind on every span.
            let has_value = attr.value != Value::Empty;
            conventions |= if has_value { info.evidence & allowed } else { 0 };
            for r in info.rules.iter().filter(|_| info.value_counts) {
                // A mark without a value is still one that must not go out beside ours.
                marked |= r.rule.to.is_mark();
                if has_value && proves(r.rule.to, attr.value) {
                    conventions |= r.convention;
                }
            }
        });
    }
    if conventions == 0 {
        conventions = span.events.iter().map(|event| events::proves(event, cx.keys)).fold(0, |a, b| a | b) & allowed;
    }
    (conventions, marked)
}

/// An attribute whose meaning depends on what else the span says.
#[derive(Clone, Copy)]
struct Pending<'a> {
    value: Value<'a>,
    at: u16,
    /// The members of an object that hold the thing itself; the first that is there.
    inside: &'static [&'static str],
}

/// What is pending.
#[derive(Clone, Copy)]
enum Slot {
    Model,
    Input,
    Output,
    ToolSchema,
    EntityName,
    WorkflowName,
    /// A model's name behind its provider's.
    ModelPath,
    UncachedPart,
}

const SLOTS: usize = Slot::UncachedPart as usize + 1;

/// The kind that one of these fields tells where nothing says it, on a span with a model (or without one, or either).
const KINDS: &[(Option<bool>, &[Field], Kind)] = &[
    (Some(true), &[Field::OutputTokens, Field::InputMessages, Field::OutputMessages], Kind::Chat),
    (Some(false), &[Field::ToolCallArguments, Field::ToolCallId, Field::ToolName], Kind::ExecuteTool),
    (None, &[Field::RerankQuery, Field::RerankTopN], Kind::Rerank),
    (None, &[Field::RetrievalQuery, Field::RetrievalDocuments, Field::RetrievalTopK], Kind::Retrieval),
];

struct Normalizer<'n, 'a> {
    span: &'n Span<'a>,
    cx: &'n Context<'a>,
    conventions: ConventionSet,
    c: &'a mut Canonical<'a>,
    fates: BumpVec<'a, Fate<'a>>,
    mark: Option<bool>,
    kind_trust: u8,
    /// A narrower word for a generation.
    refined: Option<Kind>,
    pending: [Option<Pending<'a>>; SLOTS],
    tool_inputs: Option<&'a [u8]>,
    /// The input tokens are without those that a cache held.
    uncached_input: bool,
    /// The kinds of span whose usage repeats that of their children.
    aggregates: &'static [Kind],
    /// It runs before a model is asked.
    aside: bool,
    /// The attribute whose word for the kind no table had so far.
    unknown_kind: u16,
    /// It stands around calls, unless it has a model or counts.
    wrapper: bool,
    /// It repeats another span.
    copy: bool,
    /// The provider in other words, which were trusted less.
    other_provider: Option<&'a [u8]>,
    leaves: BumpVec<'a, flat::Leaf<'a>>,
    /// As [`Normal::unread`].
    unread: u32,
    /// As [`Normal::strangers`].
    strangers: BumpVec<'a, Stranger<'a>>,
    /// The messages that attributes offered, each with its attribute, and whether that is all of it.
    offered: BumpVec<'a, (u16, messages::Side, &'a [u8], bool)>,
}

impl<'a> Normalizer<'_, 'a> {
    fn held(&self, slot: Slot) -> Option<Pending<'a>> {
        self.pending[slot as usize]
    }

    /// The model that the span names, and whether that is one of embeddings.
    fn named_model(&self) -> Option<bool> {
        let of_embeddings = |model: &[u8]| text::position(model, b"embed").is_some();
        let one = self.held(Slot::Model).map(|m| m.value.as_str().unwrap_or_default());
        let answered = self.c.has(Field::ResponseModel).then_some(&b""[..]);
        self.c.text(Field::RequestModel).or(one).or(answered).map(of_embeddings)
    }

    fn complete_kind(&mut self) {
        let model = self.named_model();
        if self.wrapper && model.is_none() && !self.counts_or_ends() {
            self.c.set_kind(Kind::Chain);
        }
        let by_model = || if model == Some(true) { Kind::Embeddings } else { Kind::Chat };
        let kind = match self.c.kind {
            // Langfuse Python up to 3.3.0 wrote `span` on generations, and knew no tools.
            Some(Kind::Span) if model.is_some() || self.c.has(Field::OutputTokens) => Some(by_model()),
            Some(Kind::Span) if content::is_tool_message(self.held(Slot::Output).map(|o| o.value), self.span.name, self.cx.arena) => {
                Some(Kind::ExecuteTool)
            }
            Some(kind) if kind.is_generation() => match self.refined {
                Some(refined) => Some(refined),
                None if kind == Kind::Chat && self.kind_trust <= PLAIN => Some(by_model()),
                None => Some(kind),
            },
            None if !self.c.operation.is_empty() && !self.c.operation.ends_with(b".passthrough") => None,
            None if self.refined.is_some() => self.refined,
            // Nothing says it: what is there tells.
            None if model == Some(true) && (self.counts_or_ends() || self.c.has(Field::EmbeddingDimensions)) => Some(Kind::Embeddings),
            None => {
                let tells = |(with_model, fields, _): &&(Option<bool>, &[Field], Kind)| {
                    with_model.is_none_or(|with| with == model.is_some()) && fields.iter().any(|field| self.c.has(*field))
                };
                KINDS.iter().find(tells).map(|(.., kind)| *kind)
            }
            kind => kind,
        };
        if self.c.kind != kind {
            self.c.operation = &[];
            (self.c.kind, self.c.kind_origin) = (kind, DERIVED);
        }
    }

    /// Returns true if the span has usage, or the reason why an answer ended.
    fn counts_or_ends(&self) -> bool {
        const FIELDS: &[Field] = &[Field::InputTokens, Field::OutputTokens, Field::TotalTokens, Field::FinishReasons, Field::FinishReason];
        FIELDS.iter().any(|field| self.c.has(*field))
    }

    /// Returns true if the span is LLM. One of three makes it so: an operation or a kind that says so; a model with usage, messages or a
    /// finish reason; messages. An observation of a platform has a kind, said or not. A provider's name, a server's address, a conversation's
    /// id, a model by itself, or a count that is not usage is none of these: an LLM library also lists models, uploads files and counts tokens.
    fn is_llm(&self) -> bool {
        let c = &self.c;
        let unsaid = c.kind_source == DERIVED;
        if self.conventions == 0 || self.copy || words::is_no_call(c.operation) || unsaid && words::is_no_call(self.span.name) {
            return false;
        }
        let content = self.held(Slot::Input).is_some() || self.held(Slot::Output).is_some();
        c.kind.is_some()
            || c.has(Field::InputMessages)
            || c.has(Field::OutputMessages)
            || self.named_model().is_some() && (content || self.counts_or_ends())
            || conventions::are_observations(self.cx.scope_conventions)
    }

    /// Takes back what was read of a span that is not LLM: marks and secrets count on it alone, everything else stays as it is.
    fn take_back(&mut self) {
        *self.c = Canonical::new(self.cx.arena);
        self.fates.fill(Fate::Keep);
        self.mark = None;
        self.read_attributes(0);
        let (keys, attributes) = (self.cx.keys, self.span.attributes);
        for (attr, fate) in attributes.iter().zip(&mut self.fates) {
            // What a copy says of a model is said by the span that it repeats.
            if with_info(attr.key, keys, |info| info.is_secret() || self.copy && info.evidence != 0) {
                *fate = Fate::Drop;
            }
        }
    }

    fn complete(&mut self) {
        self.complete_model();
        let c = &mut self.c;
        c.reading = DERIVED;
        c.aggregated |= c.kind.is_some_and(|kind| self.aggregates.contains(&kind));
        if c.int(Field::ChoiceCount) == Some(1) {
            c.clear(Field::ChoiceCount);
        }
        let found = match c.kind {
            Some(Kind::Retrieval) => Some(Field::RetrievalTopK),
            Some(Kind::Rerank) => Some(Field::RerankTopN),
            _ => None,
        };
        if let Some((field, top_k)) = found.zip(c.get(Field::TopK)) {
            c.clear(Field::TopK);
            c.reading = c.origin(Field::TopK);
            c.derive(field, top_k);
        }
        if c.kind.is_some_and(Kind::calls_model) {
            const ADDRESSES: &[&str] = &["server.address", "url.full", "http.url", "gen_ai.openai.api_base"];
            let attributes = self.span.attributes.iter().filter(|a| text::any(self.cx.keys.text(a.key), ADDRESSES));
            let addresses = attributes.filter_map(|a| a.value.as_str());
            let word = self.span.attributes.get(usize::from(c.source(Field::Provider))).and_then(|attr| attr.value.as_str());
            provider::decide(c, word.map(text::unquote), self.other_provider, addresses.clone());
            provider::complete(c, self.cx.scope, self.span.name, addresses, self.cx.infer_provider);
        }
        if let Some(part) = self.held(Slot::UncachedPart) {
            self.complete_uncached(part);
        }
        usage::complete(self.c, self.uncached_input);
        if let Some(schema) = self.held(Slot::ToolSchema) {
            self.c.reading = schema.at;
            self.complete_tool_schema(schema);
        }
        self.c.reading = DERIVED;
        self.c.cost_aggregated = self.c.aggregated;
        self.complete_error();
        self.keep_refused();
    }

    /// An attribute whose messages say more than those that were taken stays.
    fn keep_refused(&mut self) {
        for (at, side, messages, is_whole) in std::mem::replace(&mut self.offered, BumpVec::new_in(self.cx.arena)) {
            let known = self.c.text(side.field()).unwrap_or_default();
            // The last of them, once more.
            if is_whole && messages.get(1..).is_some_and(|last| known.ends_with(last)) {
                self.mapped(at);
            } else if !std::ptr::eq(known, messages) && known != messages && !twice::says_no_more(messages, side, known, self.cx.arena) {
                self.set_fate(at, Fate::Keep);
            }
        }
    }

    /// What no cache held: with what one did it is all of the input, where nothing says it whole.
    fn complete_uncached(&mut self, part: Pending<'a>) {
        if self.c.aggregated {
            // The children say it. Vercel's steps have it without the rest.
            self.mapped(part.at);
        } else if let Some(input) = self.c.int(Field::InputTokens) {
            let cached = [Field::CacheReadTokens, Field::CacheWriteTokens].iter().filter_map(|field| self.c.int(*field));
            if scalar::convert(Field::InputTokens, &part.value, self.cx.arena) == Some(Value::Int(input.saturating_sub(cached.sum()))) {
                self.mapped(part.at);
            }
        } else {
            self.uncached_input = true;
            self.c.reading = part.at;
            self.put(Field::InputTokens, &part.value, PLAIN, part.at);
        }
    }

    /// A schema is a definition once it has the tool's name.
    fn complete_tool_schema(&mut self, schema: Pending<'a>) {
        let arena = self.cx.arena;
        let Some(Value::Str(text)) = scalar::convert(Field::ToolCallArguments, &schema.value, arena) else { return };
        let name = self.c.text(Field::ToolName).unwrap_or_default();
        if let Some(definitions) = tools::from_schema(text, name, self.c.text(Field::ToolDescription), arena) {
            self.settle(Field::ToolDefinitions, Value::Str(definitions), PLAIN, schema.at);
        }
    }

    /// Asked or answered? (rules.md 1)
    fn complete_model(&mut self) {
        let Some(Pending { value, at, .. }) = self.held(Slot::Model) else { return };
        let Some(value) = scalar::convert(Field::ResponseModel, &value, self.cx.arena) else { return };
        self.c.reading = at;
        let said = |output: Pending| output.value.as_str().is_none_or(|text| !text::unquote(text).is_empty());
        let ended = self.span.status_code != status::ERROR;
        let answered = ended && (self.held(Slot::Output).is_some_and(said) || self.c.has(Field::OutputMessages));
        // The answer itself may say better who gave it (older MLflow's one name is that which was asked for).
        let known = self.c.get(Field::ResponseModel).filter(|model| *model != value);
        if answered && known.is_some() {
            self.settle(Field::RequestModel, value, NAMED, at);
        } else if answered || self.c.get(Field::RequestModel).is_some_and(|asked| asked != value) {
            self.settle(Field::ResponseModel, value, PLAIN, at);
            self.c.derive(Field::RequestModel, value);
        } else {
            self.settle(Field::RequestModel, value, PLAIN, at);
        }
    }

    /// rules.md 7
    fn complete_error(&mut self) {
        let is_exception = |event: &&Event| text::any(event.name, &["exception", "gen_ai.client.operation.exception"]);
        let exceptions = self.span.events.iter().filter(is_exception);
        self.c.failed |= conventions::always_ok(self.cx.scope_conventions) && exceptions.clone().next().is_some();
        if self.span.status_code != status::ERROR && !self.c.failed || self.c.has(Field::ErrorType) {
            return;
        }
        let mut types = exceptions.filter_map(|event| events::attribute(self, event, "exception.type")?.as_str());
        let exception = types.find(|text| !text.is_empty());
        self.c.derive(Field::ErrorType, Value::Str(exception.unwrap_or(b"_OTHER")));
    }
}
