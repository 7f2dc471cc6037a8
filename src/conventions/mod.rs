//! The source conventions: one file each, mostly a const table, and the index from a key to what the tables say of it.
//!
//! To add a convention: write its file, add it to the list of [`ALL`].

mod anthropic;
mod arms_loongsuite;
mod autogen;
mod braintrust;
mod claude_code;
mod codex;
mod cozeloop;
mod crewai;
pub mod custom;
mod dify;
mod edgeone;
mod flue;
mod galileo;
mod gateways;
mod gemini_cli;
mod generic;
mod genkit;
mod github_copilot;
mod google_adk;
mod google_genai;
mod haystack;
mod hermes;
mod laminar;
mod langchain;
mod langchain4j;
pub(crate) mod langfuse;
mod langsmith;
mod langtrace;
mod langwatch;
mod litellm;
mod livekit;
mod logfire;
mod mastra;
mod mistral;
mod mlflow;
mod ms_agent_framework;
mod nemo_relay;
mod openclaw;
pub(crate) mod openinference;
mod openlit;
mod openllmetry;
mod openrouter;
mod opensearch;
mod opik;
mod otel;
pub(crate) mod packed;
mod pydantic_ai;
mod semantic_kernel;
mod sentry;
mod smolagents;
mod spring_ai;
mod strands;
mod tencent_cls;
mod tencent_tapm;
mod trpc_agent_go;
mod veadk;
mod vercel;
mod vercel_v7;
mod vllm;
mod voltagent;
pub mod words;

use crate::genai::{Field, Flat, Kind};
use crate::hash::{Hash, HashMap};
use crate::text;
use std::sync::OnceLock;

macro_rules! all {
    ($($convention:path,)*) => {
        /// Every convention. Its place in the list is its bit in a [`ConventionSet`].
        pub const ALL: &[&Convention] = &[$(&$convention,)*];

        /// The same, as they are shipped.
        static PACKED: &[&[u8]] = &[$(packed::packed!(convention &$convention),)*];
    };
}

all! {
    otel::OTEL,
    langfuse::LANGFUSE,
    openinference::OPENINFERENCE,
    openllmetry::OPENLLMETRY,
    arms_loongsuite::ARMS_LOONGSUITE,
    cozeloop::COZELOOP,
    dify::DIFY,
    edgeone::EDGEONE,
    galileo::GALILEO,
    langchain::LANGCHAIN,
    opensearch::OPENSEARCH,
    tencent_tapm::TENCENT_TAPM,
    trpc_agent_go::TRPC_AGENT_GO,
    veadk::VEADK,
    vllm::VLLM,
    autogen::AUTOGEN,
    autogen::AUTOGEN_RUNTIME,
    braintrust::BRAINTRUST,
    crewai::CREWAI,
    generic::GENERIC,
    haystack::HAYSTACK,
    langsmith::LANGSMITH,
    litellm::LITELLM,
    logfire::LOGFIRE,
    logfire::LOGFIRE_AGENTS,
    mlflow::MLFLOW,
    opik::OPIK,
    pydantic_ai::PYDANTIC_AI,
    sentry::SENTRY,
    google_adk::GOOGLE_ADK,
    google_genai::GOOGLE_GENAI,
    strands::STRANDS,
    spring_ai::SPRING_AI,
    langchain4j::LANGCHAIN4J,
    semantic_kernel::SEMANTIC_KERNEL,
    ms_agent_framework::MS_AGENT_FRAMEWORK,
    openlit::OPENLIT,
    langtrace::LANGTRACE,
    livekit::LIVEKIT,
    claude_code::CLAUDE_CODE,
    codex::CODEX,
    gemini_cli::GEMINI_CLI,
    github_copilot::GITHUB_COPILOT,
    flue::FLUE,
    genkit::GENKIT,
    laminar::LAMINAR,
    langwatch::LANGWATCH,
    mastra::MASTRA,
    smolagents::SMOLAGENTS,
    vercel::VERCEL,
    vercel_v7::VERCEL_V7,
    voltagent::VOLTAGENT,
    anthropic::ANTHROPIC,
    anthropic::CLAUDE_PLATFORM,
    mistral::MISTRAL,
    tencent_cls::TENCENT_CLS,
    hermes::HERMES,
    openrouter::OPENROUTER,
    gateways::VERCEL_GATEWAY,
    gateways::ENVOY_GATEWAY,
    gateways::AGENTGATEWAY,
    gateways::KONG,
    gateways::BIFROST,
    openclaw::OPENCLAW,
    nemo_relay::NEMO_RELAY,
}

/// Conventions seen on a span, as bits.
pub type ConventionSet = u128;

const _: () = assert!(ALL.len() <= custom::BITS.trailing_zeros() as usize, "a convention is one bit of a `ConventionSet`");

/// How to recognise a convention and what its keys mean.
#[derive(Debug)]
pub struct Convention {
    /// Its name in the documentation and in `explain`.
    pub id: &'static str,
    /// Scope names that prove it: exact, or a prefix that ends in `*`.
    pub scopes: &'static [&'static str],
    /// Attribute keys that prove it: exact, or a prefix that ends in `*`.
    pub keys: &'static [&'static str],
    /// Keys under such a prefix that prove nothing: they travel by themselves onto spans of other libraries.
    pub not_keys: &'static [&'static str],
    /// Attributes of a resource that prove it together: the value is exact, or a prefix that ends in `*`.
    pub resources: &'static [(&'static str, &'static str)],
    /// What holds for all of its spans: `NAMES_SPANS` and the like.
    pub flags: Flags,
    /// The attributes by which it reports whether a span is the outermost of its kind.
    pub roots: &'static [(&'static str, Root)],
    /// What its attributes mean.
    pub rules: &'static [Rule],
}

impl Convention {
    /// A convention that nothing proves, for the members that a convention leaves out.
    const EMPTY: Convention =
        Convention { id: "", scopes: &[], keys: &[], not_keys: &[], resources: &[], flags: 0, roots: &[], rules: &[] };
}

/// What holds for all spans of a convention, as bits.
pub type Flags = u8;
/// It names the span of a tool or an agent after the tool or agent.
const NAMES_SPANS: Flags = 1;
/// Its rules hold on every span that some convention proves.
const EVERYWHERE: Flags = 2;
/// Its spans only carry messages between agents: none of them begins an LLM segment.
const CARRIER: Flags = 4;
/// Its scope holds observations alone: spans that somebody made to show them in a platform for LLM traces, of kind `span` where they name no
/// kind. Scopes of clients, gateways and frameworks hold other spans too.
const OBSERVATIONS: Flags = 8;
/// A status of OK proves nothing. LangSmith's JS exporter sets it when a run begins, and OTel refuses every later status: only an exception
/// shows that the run failed.
const ALWAYS_OK: Flags = 16;
const FLAGS: usize = 5;

/// How the value of an attribute reports whether a span is the outermost of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// A boolean.
    Bool,
    /// If it is true the span is a root, whatever other attributes report; if it is false nothing follows.
    True,
    /// A text: a root has no dot in it.
    WithoutDot,
    /// A text: a root has an empty one.
    Empty,
}

impl Root {
    /// All of them, in order.
    pub const ALL: &[Root] = &[Root::Bool, Root::True, Root::WithoutDot, Root::Empty];
}

/// One row of a table.
#[derive(Debug)]
pub struct Rule {
    /// The key: exact, or a prefix that ends in `*`.
    pub key: &'static str,
    /// What its value is.
    pub to: To,
    /// Where two sources give the same field, the higher one wins; the order of trust is that of the rules document.
    pub trust: u8,
}

/// What the value of a key is.
#[derive(Clone, Copy, Debug)]
pub enum To {
    /// The value of a canonical field, after conversion to the field's type.
    Field(Field),
    /// A word that says what kind of span it is.
    Kind(&'static [(&'static str, Kind)]),
    /// A word (or a pattern: `*` stands for any text) that tells the kind of span beside what else it says: the source stays, and a
    /// word that is not in the list tells nothing.
    Hint(&'static [(&'static str, Kind)]),
    /// With one of these values it proves the convention, and means nothing else.
    Proof(&'static [&'static str]),
    /// As [`To::Field`]; one of these texts stands in its place where there is nothing to say.
    Unless(Field, &'static [&'static str]),
    /// Input tokens without those that a cache held.
    UncachedInput,
    /// The JSON schema of the tool's arguments.
    ToolSchema,
    /// Documents that were found, in any shape.
    Documents,
    /// One member of a list that came apart, at this path (`0.tool_calls`).
    Inside(Flat, &'static str),
    /// With one of these values (with any but zero, if there are none) the span failed.
    Failed(&'static [&'static str]),
    /// Each of these.
    All(&'static [To]),
    /// The one model name that a source has; whether asked or answered depends on the span.
    Model,
    /// A JSON object of request parameters.
    Parameters,
    /// A JSON object of token counts.
    Usage,
    /// A part of what was used, which the words of the key behind the prefix name.
    UsagePart,
    /// A JSON object of costs in USD.
    Cost,
    /// What went in: text or JSON of any shape; its meaning depends on the kind of span.
    Input,
    /// What came out, likewise.
    Output,
    /// Messages in any JSON shape, sent.
    InputMessages,
    /// Messages in any JSON shape, answered.
    OutputMessages,
    /// Part of a list: an index, then a path (`0.message.role`), follow the prefix.
    Flat(Flat),
    /// Likewise; a content that is a JSON list of parts is these parts, and an argument stands under its name.
    FlatParts(Flat),
    /// As [`To::Input`], inside a member of an object: `{"inputs": …}`.
    EntityInput,
    /// As [`To::Output`], inside the first of these members that is there.
    OutputIn(&'static [&'static str]),
    /// As [`To::Output`], inside `outputs`; what is no object stands in one, as its only member: `{"output": …}`.
    RunOutput,
    /// The name of an agent, a workflow or a tool, by the kind of span.
    EntityName,
    /// The name of the workflow that a span belongs to: its own if it is the workflow.
    WorkflowName,
    /// A URL whose host is the server's address.
    Host,
    /// What a tool was called with, or its schema.
    ToolParameters,
    /// The name of what runs, by the kind of span: as [`To::EntityName`], or a model with its provider in front (`googleai/…`).
    ActionName,
    /// The first word of a text, with its own meaning.
    FirstWord(&'static To),
    /// `{"type": …, "value": …}` around the thing itself, or the thing itself.
    Enveloped(&'static To),
    /// A list of JSON texts: one JSON list of what they say.
    Items(&'static To),
    /// What a cache held, beside an input count that does not hold it, if nothing else says how much that was.
    CacheBeside(Field),
    /// The input tokens that no cache held: with those that one held, the input where nothing says it whole.
    UncachedPart,
    /// An embedding, or a list of them: the length counts.
    Vector,
    /// A moment as ISO 8601 text or as milliseconds since 1970: the first token's.
    FirstTokenAt,
    /// How long the first token took, in units of so many nanoseconds.
    FirstTokenAfter(u32),
    /// Likewise, in seconds or in nanoseconds: the size tells.
    FirstTokenAfterAny,
    /// A JSON object, or a list of just one: its members by their paths (`usage.input`), each with its own meaning. The source
    /// stays if it has others.
    Object(&'static [(&'static str, To)]),
    /// Whatever the value, the field has this one.
    Implies(Field, &'static str),
    /// Whatever the value, the span is of this kind, if nothing else says it.
    ImpliesKind(Kind),
    /// With one of these values (with any, if there are none) the usage of the span repeats that of its children.
    Aggregate(&'static [&'static str]),
    /// As [`To::Field`], of a span whose usage repeats that of its children.
    Aggregated(Field),
    /// As [`To::Field`], of a span whose tokens the LLM span above it adds to its own.
    ToldAbove(Field),
    /// As [`To::Field`] for the model that was asked for, which calls below may leave out.
    ModelBelow,
    /// With one of these values it is a call of a model only if it has a model or counts; else it stands around calls.
    Wrapper(&'static [&'static str]),
    /// With one of these values it repeats another span, and is none of its own.
    Copy(&'static [&'static str]),
    /// Of the last call only, where the usage repeats that of the children: nothing there.
    OfOneCall(&'static To),
    /// The usage of a span of one of these kinds repeats that of its children.
    AggregateOn(&'static [Kind]),
    /// The provider's request as JSON: its messages and its parameters.
    Request,
    /// A name of one of these patterns: no model is asked there, so it is no entry.
    Aside(&'static [&'static str]),
    /// Messages in any JSON shape, sent and answered in one list: the last ones of the assistant are the answer.
    Exchange,
    /// What a text is that fits the pattern (`*` stands for any text).
    Like(&'static str, &'static To),
    /// A word for a field, by the first pattern (`*` stands for any text) that fits.
    Words(Field, &'static [(&'static str, &'static str)]),
    /// Langfuse's severity.
    Level,
    /// Text for the span status.
    StatusMessage,
    /// `gen_ai.is_entry` in one of its spellings, set on this span.
    Mark,
    /// With one of these values the span is marked as the entry.
    MarkIf(&'static [&'static str]),
    /// A JSON object that may hold `is_entry` or `gen_ai.is_entry`.
    MarkInside,
    /// A copy of a mark that a library put on every descendant; no evidence, removed.
    MarkCopy,
    /// The name of the graph node that runs: the span's own name if the span is that node.
    GraphNode,
    /// What a tool got, beside its input.
    ToolInputs,
    /// Known, and left as it is.
    Keep,
    /// Says nothing once the rest is read; stays only where all of the source stays.
    Spent,
    /// Never sent on: it may hold secrets.
    Drop,
}

impl To {
    /// Marks are read on spans of every library: Langfuse copies its metadata onto them.
    pub fn is_mark(self) -> bool {
        matches!(self, To::Mark | To::MarkIf(_) | To::MarkInside | To::MarkCopy)
    }

    /// What the rule does, in a few words: for `explain`.
    pub fn label(self) -> &'static str {
        match self {
            To::Field(_) | To::Unless(..) | To::UsagePart | To::ModelBelow => "the value",
            To::Wrapper(_) => "a span around calls",
            To::Copy(_) => "a copy of another span",
            To::Words(..) => "the word for the value",
            To::Kind(_) | To::Hint(_) => "the kind of span",
            To::Proof(_) => "proof of the convention",
            To::OfOneCall(to) => to.label(),
            To::Aside(_) => "a kind of span that begins no segment",
            To::All(_) => "several meanings of one value",
            To::Object(_) => "members of an object",
            To::Implies(..) | To::ImpliesKind(_) => "implied by the key",
            To::FirstWord(to) | To::Enveloped(to) | To::Items(to) | To::Like(_, to) => to.label(),
            To::Model => "the model that answered, or was asked where nothing was answered",
            To::Parameters => "an object of request parameters",
            To::Usage => "an object of token counts, made inclusive",
            To::UncachedInput | To::UncachedPart | To::CacheBeside(_) => "tokens beside the cached ones, made inclusive",
            To::Aggregate(_) | To::AggregateOn(_) | To::Aggregated(_) | To::ToldAbove(_) => "usage that repeats that of the children",
            To::Cost => "an object of costs",
            To::Input | To::EntityInput => "what went in, by the kind of span",
            To::Output | To::OutputIn(_) | To::RunOutput => "what came out, by the kind of span",
            To::InputMessages | To::OutputMessages | To::Exchange => "messages",
            To::Request => "a request of the provider",
            To::Flat(_) | To::FlatParts(_) | To::Inside(..) => "part of a list",
            To::EntityName | To::WorkflowName | To::ActionName | To::GraphNode => "a name, by the kind of span",
            To::Host => "the host of a URL",
            To::ToolParameters | To::ToolSchema | To::ToolInputs => "arguments of a tool, or their schema",
            To::Documents => "documents that were found",
            To::Vector => "the length of a vector",
            To::FirstTokenAt => "seconds from the start to this moment",
            To::FirstTokenAfter(_) | To::FirstTokenAfterAny => "a duration in seconds",
            To::Failed(_) | To::Level | To::StatusMessage => "the status of the span",
            To::Mark | To::MarkIf(_) | To::MarkInside | To::MarkCopy => "the mark of the entry",
            To::Keep => "left as it is",
            To::Spent => "says nothing more",
            To::Drop => "may hold secrets",
        }
    }

    /// The kind of span that a word says.
    pub fn kind(self, word: &[u8]) -> Option<Kind> {
        match self {
            To::Kind(words) => text::lookup_word(words, word),
            To::FirstWord(to) => to.kind(word.split(|c| *c == b' ').next()?),
            To::All(all) => all.iter().find_map(|to| to.kind(word)),
            _ => None,
        }
    }

    /// Returns true if a word says the kind of span.
    fn is_kind(self) -> bool {
        match self {
            To::Kind(_) => true,
            To::FirstWord(to) => to.is_kind(),
            To::All(all) => all.iter().any(|to| to.is_kind()),
            _ => false,
        }
    }

    /// May the value prove the convention?
    pub fn is_proof(self) -> bool {
        match self {
            To::Proof(_) => true,
            To::All(all) => all.iter().any(|to| to.is_proof()),
            _ => false,
        }
    }
}

/// A rule and the bit of its convention.
#[derive(Clone, Copy, Debug)]
pub struct RuleRef {
    /// The convention whose rule it is.
    pub convention: ConventionSet,
    /// The rule.
    pub rule: &'static Rule,
}

/// Trust of a rule that nothing says more about.
pub const PLAIN: u8 = 50;

/// Trust of a key that repeats what a better key holds, or that may be inherited from a span above.
const WEAK: u8 = 40;

/// Trust of a key that holds a whole: a list of messages, a request, the usage as one object.
const STRUCTURED: u8 = 55;

/// Trust of a rule for a key by which its convention means something else than all others: theirs do not hold.
pub const OWN: u8 = 100;

/// Trust of what only the name of the span tells.
pub const NAMED: u8 = 10;

/// In place of a key: the name of the span.
pub const SPAN_NAME: &str = "(span.name)";

/// A row with plain trust.
pub const fn row(key: &'static str, to: To) -> Rule {
    Rule { key, to, trust: PLAIN }
}

/// A row for a canonical field.
pub const fn field(key: &'static str, field: Field) -> Rule {
    row(key, To::Field(field))
}

/// A row for a canonical field, with its trust.
pub const fn trusted(key: &'static str, field: Field, trust: u8) -> Rule {
    Rule { key, to: To::Field(field), trust }
}

/// Does `text` match `pattern` (exact, or a prefix that ends in `*`)?
pub fn matches(pattern: &str, text: &[u8]) -> bool {
    match pattern.as_bytes() {
        [prefix @ .., b'*'] => text.starts_with(prefix),
        exact => text == exact,
    }
}

fn bits() -> impl Iterator<Item = (ConventionSet, &'static Convention)> {
    index().conventions.iter().enumerate().map(|(i, c)| (1 << i, c))
}

/// Their names.
pub fn names(conventions: ConventionSet) -> impl Iterator<Item = &'static str> {
    custom::names(conventions).chain(bits().filter(move |(bit, _)| conventions & bit != 0).map(|(_, c)| c.id))
}

/// The conventions that have a flag.
fn with(flag: Flags) -> ConventionSet {
    index().flagged[flag.trailing_zeros() as usize]
}

/// Returns true if one of the conventions names spans after their tool or agent.
pub fn name_spans(conventions: ConventionSet) -> bool {
    conventions & with(NAMES_SPANS) != 0
}

/// Returns true if a span of these conventions can begin an LLM segment.
pub fn open_segments(conventions: ConventionSet) -> bool {
    conventions != 0 && conventions & with(CARRIER) == 0
}

/// Returns true if the scope that proves these conventions holds observations alone.
pub fn are_observations(conventions: ConventionSet) -> bool {
    conventions & with(OBSERVATIONS) != 0
}

/// Returns true if a status of OK proves nothing.
pub fn always_ok(conventions: ConventionSet) -> bool {
    conventions & with(ALWAYS_OK) != 0
}

/// Returns true if one of the conventions has attributes that report whether a span is the outermost of its kind.
pub fn report_roots(conventions: ConventionSet) -> bool {
    conventions & index().report_roots != 0
}

/// How the attribute with this key reports whether a span is the outermost of its kind.
pub fn root_of(key: &[u8]) -> Option<Root> {
    text::lookup(&index().roots, key)
}

/// The conventions that a scope name proves.
pub fn of_scope(name: &[u8]) -> ConventionSet {
    bits().filter(|(_, c)| c.scopes.iter().any(|s| matches(s, name))).map(|(bit, _)| bit).sum()
}

/// The conventions that the attributes of a resource prove. `attribute` is called with a key, and with what checks the texts of its values; it
/// returns true if one of them passes.
pub fn of_resource(attribute: impl Fn(&str, &dyn Fn(&[u8]) -> bool) -> bool) -> ConventionSet {
    let holds = |(key, value): &(&str, &str)| attribute(key, &|text| matches(value, text));
    bits().filter(|(_, c)| !c.resources.is_empty() && c.resources.iter().all(holds)).map(|(bit, _)| bit).sum()
}

struct Index {
    conventions: &'static [Convention],
    /// By key: the first of its rules in `rules`.
    exact: HashMap<&'static [u8], usize>,
    /// Each with where the next rule of the same key is, [`LAST`]: nowhere.
    rules: Vec<(RuleRef, usize)>,
    prefixes: Vec<RuleRef>,
    /// Rules of the names of spans.
    of_names: Vec<RuleRef>,
    /// By flag: the conventions that have it.
    flagged: [ConventionSet; FLAGS],
    /// The attributes that report whether a span is the outermost of its kind.
    roots: Vec<(&'static str, Root)>,
    /// The conventions that have such attributes.
    report_roots: ConventionSet,
}

const LAST: usize = usize::MAX;

impl Index {
    /// The rules of a key, by the first of them.
    fn from(&self, first: usize) -> impl Iterator<Item = RuleRef> {
        let mut next = first;
        std::iter::from_fn(move || {
            let (rule, after) = self.rules.get(next)?;
            next = *after;
            Some(*rule)
        })
    }
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        // They are read as long as the process lives.
        let conventions: &[Convention] = PACKED.iter().map(|c| packed::convention(c)).collect::<Vec<_>>().leak();
        let count = conventions.iter().map(|c| c.rules.len()).sum();
        let mut index = Index {
            conventions,
            exact: HashMap::with_capacity_and_hasher(count, Hash::default()),
            rules: Vec::with_capacity(count),
            prefixes: Vec::new(),
            of_names: Vec::new(),
            flagged: [0; FLAGS],
            roots: Vec::new(),
            report_roots: 0,
        };
        for (convention, c) in (0..).map(|bit| 1 << bit).zip(conventions) {
            for (flag, flagged) in index.flagged.iter_mut().enumerate() {
                if c.flags & 1 << flag != 0 {
                    *flagged |= convention;
                }
            }
            index.roots.extend_from_slice(c.roots);
            if !c.roots.is_empty() {
                index.report_roots |= convention;
            }
            for rule in c.rules {
                let reference = RuleRef { convention, rule };
                if rule.key == SPAN_NAME {
                    index.of_names.push(reference);
                } else if rule.key.ends_with('*') {
                    index.prefixes.push(reference);
                }
            }
        }
        // Those of the first convention come to stand first.
        for (i, c) in conventions.iter().enumerate().rev() {
            let convention = 1 << i;
            for rule in c.rules.iter().filter(|rule| rule.key != SPAN_NAME && !rule.key.ends_with('*')) {
                let next = index.exact.insert(rule.key.as_bytes(), index.rules.len()).unwrap_or(LAST);
                index.rules.push((RuleRef { convention, rule }, next));
            }
        }
        index
    })
}

/// The keys that say one of these fields by themselves, in any convention.
pub fn keys_of(fields: &[Field]) -> Vec<&'static str> {
    keys_that(|to| matches!(to, To::Field(field) if fields.contains(&field)) || matches!(to, To::ModelBelow))
}

/// The keys that say the kind of span, in any convention.
pub fn keys_of_kinds() -> Vec<&'static str> {
    keys_that(To::is_kind)
}

fn keys_that(say: impl Fn(To) -> bool) -> Vec<&'static str> {
    let index = index();
    index.exact.values().filter_map(|first| index.from(*first).find(|r| say(r.rule.to))).map(|r| r.rule.key).collect()
}

/// The conventions whose rules hold on every span that some convention proves.
pub fn everywhere() -> ConventionSet {
    with(EVERYWHERE)
}

/// What the tables say of the names of spans.
pub fn rules_of_names() -> &'static [RuleRef] {
    &index().of_names
}

/// What the tables say of a key, and the conventions that it proves. An exact row hides the prefix rows.
pub fn rules_of(key: &[u8]) -> (Vec<RuleRef>, ConventionSet) {
    let index = index();
    let rules = match index.exact.get(key) {
        Some(first) => index.from(*first).collect(),
        None => index.prefixes.iter().filter(|r| matches(r.rule.key, key)).copied().collect(),
    };
    (rules, proven_by(key))
}

/// The conventions that a key proves.
pub fn proven_by(key: &[u8]) -> ConventionSet {
    let proves = |c: &Convention| c.keys.iter().any(|k| matches(k, key)) && !c.not_keys.iter().any(|k| matches(k, key));
    bits().filter(|(_, c)| proves(c)).map(|(bit, _)| bit).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_and_keys_prove_a_convention() {
        assert_ne!(of_scope(b"langfuse-sdk"), 0);
        assert_ne!(of_scope(b"openinference.instrumentation.openai"), 0);
        assert_eq!(of_scope(b"opentelemetry.instrumentation.fastapi"), 0);
        assert_ne!(rules_of(b"gen_ai.some.future.key").1, 0);
        assert_eq!(rules_of(b"gen_ai.is_entry").1, 0);
        assert_eq!(rules_of(b"http.route").1, 0);
    }

    #[test]
    fn what_langfuse_puts_on_every_span_proves_nothing() {
        for key in ["langfuse.environment", "langfuse.trace.metadata.x", "langfuse.release", "session.id", "user.id"] {
            assert_eq!(rules_of(key.as_bytes()).1, 0, "{key}");
        }
    }

    #[test]
    fn no_convention_says_two_things_of_one_key() {
        for convention in ALL {
            let mut keys: Vec<_> = convention.rules.iter().map(|r| r.key).collect();
            keys.sort_unstable();
            assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{}: {keys:?}", convention.id);
        }
    }
}
