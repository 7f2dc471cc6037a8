//! The counts of the stages, put together.

use super::Pipeline;
use super::destination::Destination;
use crate::export::Health;
use crate::stats::{DestinationStats, Stats};

impl Pipeline {
    /// What happened so far.
    pub fn stats(&self) -> Stats {
        let counts = self.engine.tree.counts();
        let privacy = self.engine.encoder.counts;
        let destination = |d: &Destination| {
            let c = d.exporter.counts();
            DestinationStats {
                name: d.name.clone(),
                queued: c.queued,
                sent: c.sent,
                rejected: c.rejected,
                sent_bytes: c.sent_bytes,
                retried: c.retried,
                retried_batches: c.retried_batches,
                split_batches: c.split_batches,
                shortened: c.shortened,
                dropped_full: c.dropped_full,
                dropped_refused: c.dropped_refused,
                dropped_deadline: c.dropped_deadline,
                dropped_too_large: c.dropped_too_large,
                dropped_closed: c.dropped_closed,
                spooled: c.spooled,
                restored: c.restored,
                health: match d.exporter.health() {
                    Health::Ok => "ok",
                    Health::Open => "open",
                    Health::HalfOpen => "half-open",
                },
                waiting: d.exporter.waiting(),
                not_sampled: d.not_sampled,
                filtered: d.filtered,
                without_token: d.without_token,
                pending: d.exporter.pending(),
                pending_bytes: d.exporter.pending_bytes(),
                mended_service_name: d.mended_service_name,
            }
        };
        Stats {
            seen: self.engine.seen,
            unread: self.engine.unread,
            llm: self.engine.llm,
            entries: self.entries,
            unparsed: self.unparsed,
            repeated: self.repeated,
            unknown_words: self.unknown_words,
            held: self.engine.tree.held() as u64,
            hold_expired: counts.hold_expired,
            hold_overflow: counts.hold_overflow,
            late_marks: counts.late_marks,
            tracked: self.engine.tree.tracked() as u64,
            traces_evicted: counts.traces_evicted,
            spans_forgotten: counts.spans_forgotten,
            dictionary: self.keys.count() as u64,
            masked: privacy.masked,
            mask_failed: privacy.mask_failed,
            media_replaced: privacy.media_replaced,
            truncated: privacy.truncated,
            content_dropped: privacy.content_dropped,
            destinations: self.destinations.iter().map(destination).collect(),
        }
    }
}
