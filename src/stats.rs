//! The counters of a pipeline.

use serde::Serialize;

/// The counters of a destination.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DestinationStats {
    /// Its name.
    pub name: String,
    /// Spans added to its queue.
    pub queued: u64,
    /// Spans that the backend accepted.
    pub sent: u64,
    /// Spans that the backend rejected in a partial success.
    pub rejected: u64,
    /// Size of the batches that the backend accepted, in bytes, encoded.
    pub sent_bytes: u64,
    /// Spans sent again, once for each time.
    pub retried: u64,
    /// Requests that were sent again.
    pub retried_batches: u64,
    /// Batches split because the backend found them too large, or refused them for a reason that may concern one of their spans.
    pub split_batches: u64,
    /// Spans shortened because the backend found them too large.
    pub shortened: u64,
    /// Spans dropped because the queue was full.
    pub dropped_full: u64,
    /// Spans dropped because the backend refused their batch.
    pub dropped_refused: u64,
    /// Spans dropped because retries exceeded the deadline.
    pub dropped_deadline: u64,
    /// Spans dropped because the backend found them too large even when shortened.
    pub dropped_too_large: u64,
    /// Spans dropped because the processor was shut down before they were delivered.
    pub dropped_closed: u64,
    /// Spans passed to the host's spool.
    pub spooled: u64,
    /// Spans taken back from the spool for good.
    pub restored: u64,
    /// `ok`, `open` (it failed too often, and is paused) or `half-open` (one request probes it).
    pub health: &'static str,
    /// Spans queued.
    pub waiting: u64,
    /// Spans excluded by `sampleRatio`.
    pub not_sampled: u64,
    /// Spans excluded by its scopes and its filter.
    pub filtered: u64,
    /// Spans excluded because their resource carries no `token`, although the destination requires each sender's own.
    pub without_token: u64,
    /// Spans queued or in flight.
    pub pending: u64,
    /// Size of the spans queued or in flight, in bytes.
    pub pending_bytes: u64,
    /// Whether the resource's service name would be refused, and was replaced by one that the backend accepts.
    pub mended_service_name: bool,
}

/// The counters of a pipeline.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Spans that ended.
    pub seen: u64,
    /// Spans written by an LLM instrumentation.
    pub llm: u64,
    /// Spans that were marked as entries.
    pub entries: u64,
    /// Attributes and events of LLM spans that are too large to be parsed; they are exported unchanged.
    pub unread: u64,
    /// Unreadable records, and refused spans of bodies.
    pub unparsed: u64,
    /// Spans of bodies that came again as they were; each is delivered once.
    pub repeated: u64,
    /// Words of OTLP/JSON bodies that name no kind of span or status; they are read as unspecified.
    pub unknown_words: u64,
    /// Candidates that currently wait for an ancestor.
    pub held: u64,
    /// Candidates that were decided because they waited too long.
    pub hold_expired: u64,
    /// Candidates that were decided because too many waited.
    pub hold_overflow: u64,
    /// Marks that were dropped because an entry on their path had already been decided.
    pub late_marks: u64,
    /// Spans that the tree remembers.
    pub tracked: u64,
    /// Traces that were forgotten because too many spans were remembered.
    pub traces_evicted: u64,
    /// Finished spans that were forgotten because their trace had too many.
    pub spans_forgotten: u64,
    /// Keys and names in the dictionary.
    pub dictionary: u64,
    /// Values in which a mask rule or the hook replaced something, counted once for each output form.
    pub masked: u64,
    /// Values that were replaced because masking failed.
    pub mask_failed: u64,
    /// Media that were replaced.
    pub media_replaced: u64,
    /// Values that were cut.
    pub truncated: u64,
    /// Attributes and status texts that were removed because they are, or may be, content.
    pub content_dropped: u64,
    /// The destinations.
    pub destinations: Vec<DestinationStats>,
}
