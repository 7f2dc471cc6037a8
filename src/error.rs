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
    /// There is no room for the body now, for this reason: every queue is full, or too many resources and scopes are in use by spans that wait. The
    /// same body can be taken on a retry, once requests were answered and spans were decided.
    Busy(&'static str),
    /// The body alone exceeds a limit. A retry of the same body never succeeds; smaller bodies with the same spans can.
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

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Config(e) => Some(e),
            Error::Protobuf(e) => Some(e),
            Error::Json(e) => Some(e),
            Error::Refused(_) | Error::Busy(_) | Error::LimitExceeded { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn an_error_names_the_error_that_caused_it() {
        let wire = WireError::new(7, "a tag is missing");
        let caused = Error::Protobuf(wire.clone());
        assert_eq!(caused.source().and_then(|cause| cause.downcast_ref()), Some(&wire));
        let setting = ConfigError::new("profile: unknown");
        let caused = Error::Config(setting.clone());
        assert_eq!(caused.source().and_then(|cause| cause.downcast_ref()), Some(&setting));
        assert!(Error::Busy("the queue is full").source().is_none());
    }
}
