//! Entry detection.

use super::millis;
use crate::entry::Siblings;
use crate::error::ConfigError;
use crate::json::read::{read_enum, shown_as_nothing};
use crate::options::options;
use crate::span::Value;

options! {
    /// Which spans carry `gen_ai.is_entry`.
    #[derive(Clone, Debug)]
    pub struct Entry {
        /// Mark entries. Marks of the source are removed anyway.
        "enabled" => enabled: bool = true, "boolean";
        /// How the mark is written; `"string"` as Dify writes it.
        "value" => value: EntryValue = EntryValue::Bool, "\"bool\" | \"string\"";
        /// Several LLM segments below one span that is not LLM, such as two model calls in one HTTP request: `"each"` has its entry; `"first"`: the first
        /// one, or those that are marked; `"common-ancestor"`: the span above them is the entry of all.
        "siblings" => siblings: Siblings = Siblings::Each, "\"each\" | \"first\" | \"common-ancestor\"";
        /// No entry below a remote parent that is inside an LLM segment, by `tracestate` or Langfuse's baggage: that segment has its entry.
        "acrossProcesses" => across_processes: bool = true, "boolean";
        /// How long a candidate waits for its ancestors, in ms. For spans that are read from bodies, this is the window in which a parent may come in
        /// a later body; with 0, what came before and what stands in the same body decides.
        "holdMillis" => hold_millis: f64 = 30_000.0, "number";
        /// Maximum number of candidates that wait.
        "maxHeld" => max_held: usize = 1_000, "number";
        /// Maximum size of the candidates that wait, in bytes as encoded.
        "maxHeldBytes" => max_held_bytes: usize = 16 << 20, "number";
        /// Maximum number of spans of live and recent traces that are remembered.
        "maxSpans" => max_spans: usize = 50_000, "number";
    }
}

shown_as_nothing! { Entry }

impl Entry {
    /// Checks every value.
    pub fn validate(&self) -> Result<(), ConfigError> {
        millis("entry.holdMillis", self.hold_millis)
    }
}

/// How the mark is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryValue {
    /// A boolean.
    Bool,
    /// The string `true`, as Dify writes it.
    String,
}

read_enum!(EntryValue { "bool" => EntryValue::Bool, "string" => EntryValue::String, });

impl EntryValue {
    /// The value of the mark.
    pub fn mark(self) -> Value<'static> {
        match self {
            EntryValue::Bool => Value::Bool(true),
            EntryValue::String => Value::Str(b"true"),
        }
    }
}
