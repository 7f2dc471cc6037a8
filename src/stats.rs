//! What a pipeline has counted.

use serde::Serialize;

/// Counts of a destination.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DestinationStats {
    /// Its name.
    pub name: String,
    /// Spans taken into its queue.
    pub queued: u64,
    /// Spans that the backend took.
    pub sent: u64,
    /// Spans that the backend rejected in a partial success.
    pub rejected: u64,
    /// Bytes of the batches that the backend took, as encoded.
    pub sent_bytes: u64,
    /// Spans sent again, once for each time.
    pub retried: u64,
    /// Requests that were sent again.
    pub retried_batches: u64,
    /// Batches split because the backend found them too large, or refused them for what may be one of their spans.
    pub split_batches: u64,
    /// Spans shortened because the backend found them too large.
    pub shortened: u64,
    /// Spans dropped because the queue was full.
    pub dropped_full: u64,
    /// Spans dropped because the backend refused their batch.
    pub dropped_refused: u64,
    /// Spans dropped because retries went past the deadline.
    pub dropped_deadline: u64,
    /// Spans dropped because the backend found them too large, however short.
    pub dropped_too_large: u64,
    /// Spans dropped because the processor was shut down before they were delivered.
    pub dropped_closed: u64,
    /// Spans handed over to the host's spool.
    pub spooled: u64,
    /// Spans taken back from there for good.
    pub restored: u64,
    /// `ok`, `open` (it failed too often, and is left alone) or `half-open` (one request probes it).
    pub health: &'static str,
    /// Spans queued.
    pub waiting: u64,
    /// Spans of traces that its sample does not have.
    pub not_sampled: u64,
    /// Spans that its scopes and its filter keep away.
    pub filtered: u64,
    /// Spans that did not go to it because their resource carries no `token`, which it wants of each sender.
    pub without_token: u64,
    /// Spans queued or on their way.
    pub pending: u64,
    /// Bytes queued or on their way.
    pub pending_bytes: u64,
    /// The resource's service name would be refused, and was made one that the backend takes.
    pub mended_service_name: bool,
}

/// What happened so far.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Spans that ended.
    pub seen: u64,
    /// Of them, those that some LLM convention wrote.
    pub llm: u64,
    /// Spans that were marked as entries.
    pub entries: u64,
    /// Attributes and events of LLM spans that are too large to be understood: they go out as they came.
    pub unread: u64,
    /// Records that could not be read, and spans of bodies that were refused.
    pub unparsed: u64,
    /// Candidates for the entry that wait for an ancestor.
    pub held: u64,
    /// Candidates that were decided because they waited too long.
    pub hold_expired: u64,
    /// Candidates that were decided because too many waited.
    pub hold_overflow: u64,
    /// Spans whose mark was dropped because an entry on their path had been decided before they ended.
    pub late_marks: u64,
    /// Spans that the tree remembers.
    pub tracked: u64,
    /// Traces that were forgotten because too many spans were remembered.
    pub traces_evicted: u64,
    /// Finished spans that were forgotten of a trace that had too many.
    pub spans_forgotten: u64,
    /// Keys and names in the dictionary.
    pub dictionary: u64,
    /// Values in which a mask rule or the hook replaced something, once for each form.
    pub masked: u64,
    /// Values of which something was replaced because it could not be treated.
    pub mask_failed: u64,
    /// Media that were replaced.
    pub media_replaced: u64,
    /// Values that were cut.
    pub truncated: u64,
    /// Attributes and texts of the status that were left out because they are, or may be, content.
    pub content_dropped: u64,
    /// By destination.
    pub destinations: Vec<DestinationStats>,
}
