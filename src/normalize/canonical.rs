//! The canonical GenAI form of a span: what every convention is read into, and every profile is written from.

use crate::span::Value;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// How a field's value is read: sources write numbers as text, words in quotes, lists as one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A name or an id: JSON quotes around it are unwrapped, a placeholder is an absence.
    Name,
    /// The user's text: stays as it is.
    Text,
    /// A whole number.
    Int,
    /// A double.
    Double,
    /// A boolean.
    Bool,
    /// A list of names.
    Names,
    /// JSON text; a structured value is written out as JSON.
    Json,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident: $type:ident,)*) => {
        /// A field of the canonical form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Field { $($(#[$doc])* $name,)* }

        impl Field {
            /// All of them, in order.
            pub const ALL: &'static [Field] = &[$(Field::$name,)*];

            /// How its value is read.
            pub const fn ty(self) -> Type {
                const TYPES: &[Type] = &[$(Type::$type,)*];
                TYPES[self as usize]
            }
        }
    };
}

fields! {
    /// Who answered, a word of OTel's registry where it has one.
    Provider: Name,
    /// The model that was asked for.
    RequestModel: Name,
    /// The model that answered.
    ResponseModel: Name,
    /// Id of the answer.
    ResponseId: Name,
    /// Why each choice ended.
    FinishReasons: Names,
    /// Why the first choice ended, for profiles that have a key of its own for it.
    FinishReason: Name,
    /// Sampling temperature.
    Temperature: Double,
    /// Nucleus sampling.
    TopP: Double,
    /// Top-k sampling.
    TopK: Int,
    /// Most tokens to answer with.
    MaxTokens: Int,
    /// Frequency penalty.
    FrequencyPenalty: Double,
    /// Presence penalty.
    PresencePenalty: Double,
    /// Sequences that end the answer.
    StopSequences: Names,
    /// Sampling seed.
    Seed: Int,
    /// How many choices were asked for.
    ChoiceCount: Int,
    /// Whether the answer was streamed.
    Stream: Bool,
    /// Encodings asked for in an embedding request.
    EncodingFormats: Names,
    /// How hard to reason.
    ReasoningLevel: Name,
    /// text, json, image or speech.
    OutputType: Name,
    /// Seconds from the start of the span to the first piece of the answer.
    TimeToFirstChunk: Double,
    /// Input tokens, cached ones and all other kinds included.
    InputTokens: Int,
    /// Output tokens, reasoning and all other kinds included.
    OutputTokens: Int,
    /// Input and output.
    TotalTokens: Int,
    /// Input tokens read from a cache.
    CacheReadTokens: Int,
    /// Input tokens written to a cache.
    CacheWriteTokens: Int,
    /// Output tokens spent on reasoning.
    ReasoningTokens: Int,
    /// Input tokens that are text.
    TextInputTokens: Int,
    /// Input tokens that are images.
    ImageInputTokens: Int,
    /// Input tokens that are audio.
    AudioInputTokens: Int,
    /// Output tokens that are text.
    TextOutputTokens: Int,
    /// Output tokens that are images.
    ImageOutputTokens: Int,
    /// Output tokens that are audio.
    AudioOutputTokens: Int,
    /// USD, all in all.
    Cost: Double,
    /// `[{role, parts}]` as JSON, sent.
    InputMessages: Json,
    /// `[{role, parts}]` as JSON, answered.
    OutputMessages: Json,
    /// Instructions that came apart from the messages: `[part]` as JSON.
    SystemInstructions: Json,
    /// `[{type, name, description?, parameters?}]` as JSON.
    ToolDefinitions: Json,
    /// What went in, as the source had it.
    EntityInput: Text,
    /// What came out, as the source had it.
    EntityOutput: Text,
    /// What went into the trace, for an entry without input of its own.
    TraceInput: Text,
    /// What came out of the trace, for an entry without output of its own.
    TraceOutput: Text,
    /// Name of the tool.
    ToolName: Name,
    /// What the tool does.
    ToolDescription: Text,
    /// function, extension or datastore.
    ToolType: Name,
    /// Id of the call, given by the model.
    ToolCallId: Name,
    /// Arguments as JSON.
    ToolCallArguments: Json,
    /// Result as JSON.
    ToolCallResult: Json,
    /// Id of a hosted agent.
    AgentId: Name,
    /// Name of the agent or workflow.
    AgentName: Name,
    /// Name of the workflow, for profiles that have a key of its own for it.
    WorkflowName: Name,
    /// What the agent does.
    AgentDescription: Text,
    /// Version of the agent.
    AgentVersion: Name,
    /// The conversation, as the application names it.
    ConversationId: Name,
    /// The session.
    SessionId: Name,
    /// The user.
    UserId: Name,
    /// The user's name.
    UserName: Name,
    /// What was searched for.
    RetrievalQuery: Text,
    /// `[{id?, score?, content?, metadata?}]` as JSON.
    RetrievalDocuments: Json,
    /// How many documents were asked for.
    RetrievalTopK: Int,
    /// What documents were ranked for.
    RerankQuery: Text,
    /// How many documents a ranking was asked for.
    RerankTopN: Int,
    /// Id of the data source.
    DataSourceId: Name,
    /// The model of an embedding, for profiles that have a key of its own for it.
    EmbeddingModel: Name,
    /// The model of a reranking, likewise.
    RerankModel: Name,
    /// Length of an embedding vector.
    EmbeddingDimensions: Int,
    /// Name of the prompt template.
    PromptName: Name,
    /// Version of the prompt template.
    PromptVersion: Name,
    /// The prompt template.
    PromptTemplate: Text,
    /// What the template was filled with: a JSON object.
    PromptVariables: Json,
    /// OpenAI's service tier, asked.
    RequestServiceTier: Name,
    /// OpenAI's service tier, given.
    ResponseServiceTier: Name,
    /// OpenAI's backend configuration.
    SystemFingerprint: Name,
    /// Host that was called.
    ServerAddress: Name,
    /// Class of the error.
    ErrorType: Name,
}

const COUNT: usize = Field::ALL.len();

macro_rules! kinds {
    ($($name:ident: $operation:literal, $span_kind:literal;)*) => {
        /// What a span is: the operation in OTel's words, and the span kind in Tencent's.
        #[allow(missing_docs, reason = "the names are OTel's operation names")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($name,)* }

        impl Kind {
            /// All of them, in order.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// `gen_ai.operation.name`; empty where OTel has no word for it.
            pub const fn operation(self) -> &'static str {
                const OPERATIONS: &[&str] = &[$($operation,)*];
                OPERATIONS[self as usize]
            }

            /// `gen_ai.span.kind`, with the words of the conventions; empty for a plain span.
            pub const fn span_kind(self) -> &'static str {
                const SPAN_KINDS: &[&str] = &[$($span_kind,)*];
                SPAN_KINDS[self as usize]
            }
        }
    };
}

kinds! {
    Chat: "chat", "LLM";
    GenerateContent: "generate_content", "LLM";
    TextCompletion: "text_completion", "LLM";
    FetchResponse: "fetch_response", "LLM";
    Embeddings: "embeddings", "EMBEDDING";
    Retrieval: "retrieval", "RETRIEVER";
    Rerank: "rerank", "RERANKER";
    ExecuteTool: "execute_tool", "TOOL";
    CreateAgent: "create_agent", "AGENT";
    InvokeAgent: "invoke_agent", "AGENT";
    InvokeWorkflow: "invoke_workflow", "WORKFLOW";
    Plan: "plan", "AGENT";
    SearchMemory: "search_memory", "MEMORY";
    CreateMemory: "create_memory", "MEMORY";
    UpdateMemory: "update_memory", "MEMORY";
    UpsertMemory: "upsert_memory", "MEMORY";
    DeleteMemory: "delete_memory", "MEMORY";
    CreateMemoryStore: "create_memory_store", "MEMORY";
    DeleteMemoryStore: "delete_memory_store", "MEMORY";
    Chain: "", "CHAIN";
    Task: "", "TASK";
    Guardrail: "", "GUARDRAIL";
    Evaluator: "", "EVALUATOR";
    Prompt: "", "PROMPT";
    Unknown: "", "UNKNOWN";
    Span: "", "";
}

impl Kind {
    /// Does a model answer here?
    pub const fn is_generation(self) -> bool {
        matches!(self, Kind::Chat | Kind::GenerateContent | Kind::TextCompletion | Kind::FetchResponse)
    }

    /// Returns true if a span of this kind can be the outermost of an LLM segment. An evaluator or a guardrail by itself judges what was done
    /// elsewhere, and an agent that is only created does nothing yet.
    pub const fn opens_segment(self) -> bool {
        !matches!(self, Kind::Evaluator | Kind::Guardrail | Kind::CreateAgent)
    }

    /// Returns true if a span of this kind is one call of a model; others run such calls.
    pub const fn calls_model(self) -> bool {
        self.is_generation() || matches!(self, Kind::Embeddings | Kind::Rerank)
    }

    /// Is it one of those that a convention with fewer words calls `wide`?
    pub fn narrows(self, wide: Kind) -> bool {
        match wide {
            Kind::Chat => self.is_generation(),
            Kind::InvokeAgent => matches!(self, Kind::CreateAgent | Kind::Plan),
            Kind::Retrieval => self.span_kind() == "MEMORY",
            Kind::Chain => matches!(self, Kind::InvokeWorkflow | Kind::Task),
            _ => false,
        }
    }
}

/// The fields that count what a model used.
pub const USAGE: &[Field] = &[
    Field::InputTokens,
    Field::OutputTokens,
    Field::TotalTokens,
    Field::CacheReadTokens,
    Field::CacheWriteTokens,
    Field::ReasoningTokens,
    Field::TextInputTokens,
    Field::ImageInputTokens,
    Field::AudioInputTokens,
    Field::TextOutputTokens,
    Field::ImageOutputTokens,
    Field::AudioOutputTokens,
    Field::Cost,
];

/// The source of a value that no attribute of the span gave: it was derived.
pub const DERIVED: u16 = u16::MAX;
/// Origin of a value that was guessed from the server's address or the model's name (rules.md 2).
pub const INFERRED: u16 = u16::MAX - 1;
/// Origin of a value that the name of the span or of its scope gave.
pub const NAMES: u16 = u16::MAX - 2;
/// Origin of a value that events of the span gave.
pub const EVENTS: u16 = u16::MAX - 3;
/// Who uses the application: what is handed down to spans that lack it.
pub const PEOPLE: [Field; 2] = [Field::SessionId, Field::UserId];

/// In place of a source: a span above it, or the baggage.
pub const HANDED_DOWN: u16 = u16::MAX - 4;

/// The canonical form of one span.
#[derive(Clone)]
pub struct Canonical<'a> {
    /// What it is, if anything said so.
    pub kind: Option<Kind>,
    /// The attribute that said what it is, or [`DERIVED`].
    pub kind_source: u16,
    /// As `kind_source`, whatever told the kind.
    pub kind_origin: u16,
    /// An operation name that is not in the registry; it stays.
    pub operation: &'a [u8],
    /// Where among the entries a field has had its value: most spans say a few of the fields.
    at: [u8; COUNT],
    entries: BumpVec<'a, Entry<'a>>,
    /// The attribute that is being read: the origin of what it gives. [`DERIVED`], [`INFERRED`], [`NAMES`], [`EVENTS`]: none.
    pub reading: u16,
    /// Which fields have a value, as bits: WebAssembly has no wider word.
    set: [u64; 2],
    /// The span failed, by its attributes.
    pub failed: bool,
    /// Its tokens repeat those of its children, and must not be counted again.
    pub aggregated: bool,
    /// Likewise its cost.
    pub cost_aggregated: bool,
    /// Text for the span status.
    pub status_message: &'a [u8],
}

const _: () = assert!(COUNT <= 128, "the set of fields has two words");

#[derive(Clone, Copy)]
struct Entry<'a> {
    value: Value<'a>,
    trust: u8,
    source: u16,
    /// As `source`, but also for members of an object: what `explain` shows, where `source` decides what stays.
    origin: u16,
}

/// What became of a value that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is the field's value now; before, the field was empty.
    New,
    /// It is the field's value now, in place of a different one from this source.
    Replaced(u16),
    /// The field has just this value already.
    Same,
    /// The field keeps a different value that is trusted more.
    Refused,
}

impl<'a> Canonical<'a> {
    /// Nothing known yet.
    pub fn new(arena: &'a Bump) -> Self {
        Canonical {
            kind: None,
            kind_source: DERIVED,
            kind_origin: DERIVED,
            operation: &[],
            at: [0; COUNT],
            entries: BumpVec::with_capacity_in(16, arena),
            reading: DERIVED,
            set: [0; 2],
            failed: false,
            aggregated: false,
            cost_aggregated: false,
            status_message: &[],
        }
    }

    /// What is done, in OTel's words or the source's.
    pub fn operation_name(&self) -> &'a [u8] {
        self.kind.map_or(self.operation, |kind| kind.operation().as_bytes())
    }

    /// The value of a field.
    #[inline(never)]
    pub fn get(&self, field: Field) -> Option<Value<'a>> {
        self.has(field).then(|| *self.value(field))
    }

    /// Returns true if the field counts what a model used and spans below report that too.
    pub fn repeats_children(&self, field: Field) -> bool {
        match field {
            Field::Cost => self.cost_aggregated,
            _ => self.aggregated && USAGE.contains(&field),
        }
    }

    /// Has the field a value?
    pub fn has(&self, field: Field) -> bool {
        let i = field as usize;
        self.set[i / 64] & 1 << (i % 64) != 0
    }

    /// The value of a field, if it is text.
    #[inline(never)]
    pub fn text(&self, field: Field) -> Option<&'a [u8]> {
        self.get(field).and_then(|v| v.as_str())
    }

    /// The value of a field, if it is a whole number.
    #[inline(never)]
    pub fn int(&self, field: Field) -> Option<i64> {
        match self.get(field) {
            Some(Value::Int(n)) => Some(n),
            _ => None,
        }
    }

    /// The attribute that gave a field its value, or [`DERIVED`].
    pub fn source(&self, field: Field) -> u16 {
        self.entry(field).map_or(DERIVED, |entry| entry.source)
    }

    /// Where a field's value came from: an attribute, or [`DERIVED`], [`INFERRED`], [`NAMES`], [`EVENTS`].
    pub fn origin(&self, field: Field) -> u16 {
        self.entry(field).map_or(DERIVED, |entry| entry.origin)
    }

    /// Offers a value. Of two different ones the more trusted stays; of two equally trusted ones, the first.
    #[inline(never)]
    pub fn put(&mut self, field: Field, value: Value<'a>, trust: u8, source: u16) -> Put {
        let i = field as usize;
        let has = self.has(field);
        let new = Entry { value, trust, source, origin: self.reading };
        self.set[i / 64] |= 1 << (i % 64);
        let Some(known) = self.entries.get_mut(usize::from(self.at[i])).filter(|_| has) else {
            self.at[i] = self.entries.len() as u8;
            self.entries.push(new);
            return Put::New;
        };
        if known.value == value {
            known.trust = known.trust.max(trust);
            return Put::Same;
        }
        if trust <= known.trust {
            return Put::Refused;
        }
        Put::Replaced(std::mem::replace(known, new).source)
    }

    /// Says what the span is.
    pub fn set_kind(&mut self, kind: Kind) {
        self.kind = Some(kind);
        self.kind_origin = self.reading;
    }

    /// Sets a value that follows from others, if the field is empty.
    #[inline(never)]
    pub fn derive(&mut self, field: Field, value: Value<'a>) {
        if !self.has(field) {
            self.put(field, value, 0, DERIVED);
        }
    }

    /// Empties a field.
    pub fn clear(&mut self, field: Field) {
        let i = field as usize;
        self.set[i / 64] &= !(1 << (i % 64));
    }

    /// The value of a field that has one.
    pub fn value(&self, field: Field) -> &Value<'a> {
        self.entry(field).map_or(&Value::Empty, |entry| &entry.value)
    }

    fn entry(&self, field: Field) -> Option<&Entry<'a>> {
        self.entries.get(usize::from(self.at[field as usize])).filter(|_| self.has(field))
    }

    /// The fields that have a value, last one first: the encoder writes backwards.
    pub fn fields(&self) -> Fields {
        Fields { left: self.set }
    }
}

/// See [`Canonical::fields`].
pub struct Fields {
    left: [u64; 2],
}

impl Iterator for Fields {
    type Item = Field;

    // It runs some times for each span.
    #[inline(always)]
    fn next(&mut self) -> Option<Field> {
        let word = usize::from(self.left[1] != 0);
        let bit = self.left[word].checked_ilog2()? as usize;
        self.left[word] ^= 1 << bit;
        Some(Field::ALL[word * 64 + bit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_trusted_value_stays_whatever_the_order() {
        let (low, high) = (Value::Int(1), Value::Int(2));
        let arena = Bump::new();
        let mut c = Canonical::new(&arena);
        assert_eq!(c.put(Field::Seed, low, 10, 0), Put::New);
        assert_eq!(c.put(Field::Seed, high, 20, 1), Put::Replaced(0));
        assert_eq!(c.put(Field::Seed, low, 10, 2), Put::Refused);
        assert_eq!(c.put(Field::Seed, high, 5, 3), Put::Same);
        assert_eq!(c.fields().collect::<Vec<_>>(), [Field::Seed]);
        assert_eq!(*c.value(Field::Seed), high);
        c.clear(Field::Seed);
        assert_eq!(c.fields().count(), 0);
    }
}
