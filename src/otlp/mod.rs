//! OTLP: checking bodies, reading them in place, writing spans, and the JSON form.

pub mod check;
pub mod envelope;
pub mod json;
pub(crate) mod proto;
pub mod read;
mod schema;
pub mod write;

/// OTLP partial success: the spans of an accepted request that the receiver rejected, or its warning.
/// The core reports the spans of a body that it rejects in the same form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialSuccess {
    /// Number of rejected spans; 0 if the message is a warning.
    pub rejected: u64,
    /// The reason, for a developer.
    pub message: String,
}
