//! The errors of the crate.

use crate::otlp::PartialSuccess;
use crate::otlp::json::JsonError;
use crate::protobuf::WireError;

/// A setting that cannot be used: which, what it is, the rule, and what would be right. The values of secrets are not named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(message: impl std::fmt::Display) -> Self {
        ConfigError(message.to_string())
    }
}

/// Refuses an option: its path as the user wrote it, its value (empty where it may be a secret, or where there is none), what is wrong, and what
/// would be right.
#[inline(never)]
pub(crate) fn invalid<T>(path: &str, value: &str, problem: &str, fix: &str) -> Result<T, ConfigError> {
    Err(ConfigError([path, ": ", value, if value.is_empty() { "" } else { " " }, problem, "; ", fix].concat()))
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// Why a body could not be converted. One line; never the content of a value.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A setting is wrong.
    Config(ConfigError),
    /// The body is not OTLP protobuf.
    Protobuf(WireError),
    /// The body is not OTLP JSON.
    Json(JsonError),
    /// None of the spans of the body can be taken: how many they are, and why the first one cannot.
    Refused(PartialSuccess),
    /// There is no room for the body now, for this reason. Later there may be.
    Busy(&'static str),
    /// The body exceeds a limit: it can never be taken as it is.
    LimitExceeded {
        /// What there is too much of, such as `resources in one request`.
        what: &'static str,
        /// How much of it is taken at most.
        limit: usize,
    },
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Config(e) => e.fmt(f),
            Error::Protobuf(e) => write!(f, "not an OTLP protobuf body: {e}"),
            Error::Json(e) => write!(f, "not an OTLP JSON body: {e}"),
            Error::Refused(partial) => f.write_str(&partial.message),
            Error::Busy(why) => f.write_str(why),
            Error::LimitExceeded { what, limit } => write!(f, "more than {limit} {what}"),
        }
    }
}

impl std::error::Error for Error {}
