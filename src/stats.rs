//! What a pipeline has counted, and the text that JS reads it from: one string costs a host less than an object built from here, field by field.

use crate::{json, number};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// Counts of a destination.
#[derive(Clone, Debug)]
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
    /// Batches split because the backend found them too large.
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
    /// Spans queued or on their way.
    pub pending: u64,
    /// Bytes queued or on their way.
    pub pending_bytes: u64,
    /// The resource's service name would be refused, and was made one that the backend takes.
    pub mended_service_name: bool,
}

/// What happened so far.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Spans that ended.
    pub seen: u64,
    /// Of them, those that some LLM convention wrote.
    pub llm: u64,
    /// Spans that were marked as entries.
    pub entries: u64,
    /// Records that could not be read.
    pub unparsed: u64,
    /// Candidates for the entry that wait for an ancestor.
    pub held: u64,
    /// Candidates that were decided because they waited too long.
    pub hold_expired: u64,
    /// Candidates that were decided because too many waited.
    pub hold_overflow: u64,
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
    /// Attributes and events that were left out because they are content.
    pub content_dropped: u64,
    /// By destination.
    pub destinations: Vec<DestinationStats>,
}

impl DestinationStats {
    fn json(&self, out: &mut json::Out) {
        out.extend_from_slice(b"{\"name\":");
        json::string(self.name.as_bytes(), out);
        out.extend_from_slice(b",\"health\":");
        json::string(self.health.as_bytes(), out);
        out.extend_from_slice(b",\"mendedServiceName\":");
        out.extend_from_slice(if self.mended_service_name { b"true" } else { b"false" });
        counts(
            out,
            &[
                ("queued", self.queued),
                ("sent", self.sent),
                ("rejected", self.rejected),
                ("sentBytes", self.sent_bytes),
                ("retried", self.retried),
                ("retriedBatches", self.retried_batches),
                ("splitBatches", self.split_batches),
                ("shortened", self.shortened),
                ("droppedFull", self.dropped_full),
                ("droppedRefused", self.dropped_refused),
                ("droppedDeadline", self.dropped_deadline),
                ("droppedTooLarge", self.dropped_too_large),
                ("droppedClosed", self.dropped_closed),
                ("spooled", self.spooled),
                ("restored", self.restored),
                ("waiting", self.waiting),
                ("notSampled", self.not_sampled),
                ("filtered", self.filtered),
                ("pending", self.pending),
                ("pendingBytes", self.pending_bytes),
            ],
        );
        out.push(b'}');
    }
}

impl Stats {
    /// As JSON, under the names that JS has for them.
    pub fn json(&self) -> Vec<u8> {
        let arena = Bump::new();
        let mut out = BumpVec::new_in(&arena);
        out.extend_from_slice(b"{\"destinations\":[");
        for (i, destination) in self.destinations.iter().enumerate() {
            json::separate(&mut out, i);
            destination.json(&mut out);
        }
        out.push(b']');
        counts(
            &mut out,
            &[
                ("seen", self.seen),
                ("llm", self.llm),
                ("entries", self.entries),
                ("unparsed", self.unparsed),
                ("held", self.held),
                ("holdExpired", self.hold_expired),
                ("holdOverflow", self.hold_overflow),
                ("tracked", self.tracked),
                ("tracesEvicted", self.traces_evicted),
                ("spansForgotten", self.spans_forgotten),
                ("dictionary", self.dictionary),
                ("masked", self.masked),
                ("maskFailed", self.mask_failed),
                ("mediaReplaced", self.media_replaced),
                ("truncated", self.truncated),
                ("contentDropped", self.content_dropped),
            ],
        );
        out.push(b'}');
        out.to_vec()
    }
}

fn counts(out: &mut json::Out, counts: &[(&str, u64)]) {
    for (name, count) in counts {
        out.push(b',');
        json::string(name.as_bytes(), out);
        out.push(b':');
        number::write_integer(i64::try_from(*count).unwrap_or(i64::MAX), out);
    }
}

#[cfg(test)]
mod tests {
    use crate::Pipeline;
    use crate::config::Config;

    #[test]
    fn every_count_is_there_under_its_name() {
        let config = Config::from_json(r#"{"destinations":[{"endpoint":"http://a/","name":"a \"b\""},{"endpoint":"http://b/"}]}"#).unwrap();
        let stats = Pipeline::new(&config, 1).unwrap().stats();
        let json: serde_json::Value = serde_json::from_slice(&stats.json()).unwrap();
        assert_eq!(json["destinations"][0]["name"], "a \"b\"");
        assert_eq!(json["destinations"][0]["health"], "ok");
        assert_eq!(json["destinations"][1]["mendedServiceName"], false);
        assert_eq!(json["dictionary"], stats.dictionary);
        // Debug has every field as well.
        let mut fields: Vec<String> = names(&json);
        let debug = format!("{stats:?}").replace(['{', '}', '[', ']', ','], " ");
        let mut expected: Vec<String> = debug.split_whitespace().filter_map(|word| word.strip_suffix(':')).map(camel).collect();
        fields.sort();
        expected.sort();
        assert_eq!(fields, expected);
    }

    fn names(json: &serde_json::Value) -> Vec<String> {
        match json {
            serde_json::Value::Object(members) => {
                members.iter().flat_map(|(name, value)| [vec![name.clone()], names(value)].concat()).collect()
            }
            serde_json::Value::Array(items) => items.iter().flat_map(names).collect(),
            _ => Vec::new(),
        }
    }

    fn camel(name: &str) -> String {
        let mut words = name.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
    }
}
