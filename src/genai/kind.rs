//! What a span is.

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
    Decide: "decide", "LLM";
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
        matches!(self, Kind::Chat | Kind::GenerateContent | Kind::TextCompletion | Kind::FetchResponse | Kind::Decide)
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
