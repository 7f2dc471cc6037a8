//! The fields of the canonical form, with their types.

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
    /// Input tokens that are audio and were read from a cache.
    AudioCacheReadTokens: Int,
    /// USD, all in all.
    Cost: Double,
    /// USD, of the input.
    InputCost: Double,
    /// USD, of the output.
    OutputCost: Double,
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
    /// Id of the answer that this one continues.
    PreviousResponseId: Name,
    /// What was said before was made shorter.
    Compacted: Bool,
    /// Id of the request of a tool's protocol.
    JsonRpcId: Name,
    /// What carries that protocol.
    Transport: Name,
    /// Host that was called.
    ServerAddress: Name,
    /// Class of the error.
    ErrorType: Name,
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
    Field::AudioCacheReadTokens,
    Field::Cost,
    Field::InputCost,
    Field::OutputCost,
];

impl Field {
    /// Is it money?
    pub const fn is_cost(self) -> bool {
        matches!(self, Field::Cost | Field::InputCost | Field::OutputCost)
    }
}

/// Who uses the application, and which model: what is handed down to spans that lack it.
pub const PEOPLE: [Field; 3] = [Field::SessionId, Field::UserId, Field::RequestModel];
