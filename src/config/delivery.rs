//! How the batches of a destination are made and sent.

use super::millis;
use crate::error::{ConfigError, invalid};
use crate::json::read::{read_enum, shown_as_nothing};
use crate::options::options;

/// What a full queue drops. Entries are the last to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DropPolicy {
    /// The spans that have waited longest.
    #[default]
    Oldest,
    /// The spans that arrive.
    Newest,
}

read_enum!(DropPolicy { "oldest" => DropPolicy::Oldest, "newest" => DropPolicy::Newest, });

options! {
    /// The options of delivery, for all destinations or for one of them.
    #[derive(Clone, Debug)]
    pub struct DeliveryOptions {
        /// How long a span waits for others to fill its batch, in ms.
        "scheduledDelayMillis" => scheduled_delay_millis: Option<f64> = None, "number", default: "5000", env: "OTEL_BSP_SCHEDULE_DELAY";
        /// Maximum number of spans in a batch.
        "maxExportBatchSize" => max_export_batch_size: Option<usize> = None, "number", default: "512", env: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
        /// Maximum size of one request, in bytes as encoded, before compression; at most 33554432 (32 MiB).
        "maxExportBatchBytes" => max_export_batch_bytes: Option<usize> = None, "number", default: "4194304 (4 MiB)";
        /// Maximum number of spans that wait; further ones are dropped and counted.
        "maxQueueSize" => max_queue_size: Option<usize> = None, "number", default: "8192", env: "OTEL_BSP_MAX_QUEUE_SIZE";
        /// Maximum size of the spans that wait, in bytes as encoded.
        "maxQueueBytes" => max_queue_bytes: Option<usize> = None, "number", default: "67108864 (64 MiB)";
        /// What a full queue drops; entries are the last to go.
        "dropPolicy" => drop_policy: Option<DropPolicy> = None, "\"oldest\" | \"newest\"", default: "\"oldest\"";
        /// How long the delivery of a batch is tried, retries included, in ms.
        "exportTimeoutMillis" => export_timeout_millis: Option<f64> = None, "number", default: "300000", env: "OTEL_BSP_EXPORT_TIMEOUT";
        /// Maximum number of requests in flight.
        "concurrencyLimit" => concurrency_limit: Option<usize> = None, "number", default: "4";
        /// How long to wait before a retry.
        "retry" => retry: Option<RetryPolicy> = None, "RetryOptions";
        /// When a destination that fails is left alone.
        "breaker" => breaker: Option<Breaker> = None, "BreakerOptions";
        @ /// The host keeps batches that cannot be delivered.
        spool: bool = false;
    }
}

options! {
    /// How long to wait before a retry.
    #[derive(Clone, Copy, Debug)]
    pub struct RetryPolicy {
        /// Upper limit of the first wait, in ms. The limit doubles with each retry; the wait is random below it.
        "initialMillis" => initial_millis: f64 = 1_000.0, "number";
        /// Upper limit of every wait, in ms.
        "maxMillis" => max_millis: f64 = 30_000.0, "number";
        @ /// How long after it was made a batch is given up, in ms.
        deadline_millis: f64 = 300_000.0;
    }
}

options! {
    /// When a destination that fails is left alone.
    #[derive(Clone, Copy, Debug)]
    pub struct Breaker {
        /// Number of consecutive failures after which the destination is left alone; 0: never.
        "failures" => failures: usize = 5, "number";
        /// How long it is left alone, in ms; then one request probes it.
        "openMillis" => open_millis: f64 = 10_000.0, "number";
    }
}

shown_as_nothing! { RetryPolicy Breaker }

/// Bounds of a destination's queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Maximum number of spans.
    pub max_spans: usize,
    /// Maximum encoded size, in bytes.
    pub max_bytes: usize,
    /// What is dropped when either limit is reached.
    pub drop: DropPolicy,
}

impl Default for QueueLimits {
    fn default() -> Self {
        QueueLimits { max_spans: 8_192, max_bytes: 64 << 20, drop: DropPolicy::Oldest }
    }
}

/// When a batch is sent.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Maximum number of spans.
    pub max_spans: usize,
    /// Maximum size of the whole request, in bytes as encoded; a span that is larger is sent alone.
    pub max_bytes: usize,
    /// How long the first span waits for others, in ms.
    pub delay_millis: f64,
}

impl Default for BatchLimits {
    fn default() -> Self {
        BatchLimits { max_spans: 512, max_bytes: 4 << 20, delay_millis: 5_000.0 }
    }
}

/// How the batches of a destination are made and sent, with every default filled in.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// Bounds of the queue.
    pub queue: QueueLimits,
    /// When a batch is sent.
    pub batch: BatchLimits,
    /// How a batch is sent again.
    pub retry: RetryPolicy,
    /// When the destination is left alone.
    pub breaker: Breaker,
    /// Maximum number of batches in flight.
    pub max_in_flight: usize,
    /// The host keeps batches that cannot be delivered.
    pub spool: bool,
}

impl Default for Delivery {
    fn default() -> Self {
        Delivery {
            queue: QueueLimits::default(),
            batch: BatchLimits::default(),
            retry: RetryPolicy::default(),
            breaker: Breaker::default(),
            max_in_flight: 4,
            spool: false,
        }
    }
}

/// Largest batch that can be read back from a spool at once.
const MAX_BATCH_BYTES: usize = 32 << 20;

impl DeliveryOptions {
    /// These options where they are set, else those of all destinations, else the defaults.
    pub fn over(&self, all: &DeliveryOptions) -> Delivery {
        let mut d = Delivery::default();
        for options in [all, self] {
            let set = |to: &mut usize, from: Option<usize>| *to = from.unwrap_or(*to);
            set(&mut d.queue.max_spans, options.max_queue_size);
            set(&mut d.queue.max_bytes, options.max_queue_bytes);
            set(&mut d.batch.max_spans, options.max_export_batch_size);
            set(&mut d.batch.max_bytes, options.max_export_batch_bytes);
            set(&mut d.max_in_flight, options.concurrency_limit);
            d.batch.delay_millis = options.scheduled_delay_millis.unwrap_or(d.batch.delay_millis);
            d.queue.drop = options.drop_policy.unwrap_or(d.queue.drop);
            let deadline_millis = options.export_timeout_millis.unwrap_or(d.retry.deadline_millis);
            d.retry = RetryPolicy { deadline_millis, ..options.retry.unwrap_or(d.retry) };
            d.breaker = options.breaker.unwrap_or(d.breaker);
            d.spool |= options.spool;
        }
        d
    }

    /// Checks every value; `at` is the path before them.
    pub fn validate(&self, at: &str) -> Result<(), ConfigError> {
        for (field, value) in [
            ("maxQueueSize", self.max_queue_size),
            ("maxQueueBytes", self.max_queue_bytes),
            ("maxExportBatchSize", self.max_export_batch_size),
            ("maxExportBatchBytes", self.max_export_batch_bytes),
            ("concurrencyLimit", self.concurrency_limit),
        ] {
            if value == Some(0) {
                return invalid(&format!("{at}{field}"), "0", "is out of range", "use a whole number, 1 or more");
            }
        }
        if let Some(bytes) = self.max_export_batch_bytes.filter(|bytes| *bytes > MAX_BATCH_BYTES) {
            return invalid(&format!("{at}maxExportBatchBytes"), &bytes.to_string(), "is out of range", "use at most 33554432 (32 MiB)");
        }
        let (retry, breaker) = (self.retry.unwrap_or_default(), self.breaker.unwrap_or_default());
        for (field, value) in [
            ("scheduledDelayMillis", self.scheduled_delay_millis.unwrap_or_default()),
            ("exportTimeoutMillis", self.export_timeout_millis.unwrap_or_default()),
            ("retry.initialMillis", retry.initial_millis),
            ("retry.maxMillis", retry.max_millis),
            ("breaker.openMillis", breaker.open_millis),
        ] {
            millis(&format!("{at}{field}"), value)?;
        }
        Ok(())
    }
}
