//! The settings of the privacy stage: reading, defaults, checks.

use super::detect::Detector;
use super::rules::Rule;
use crate::error::{ConfigError, invalid};
use crate::json::read::read_enum;
use crate::options::options;

/// More rules than this are a mistake; which of them hold for a key is kept as bits.
const MAX_RULES: usize = 64;
/// The note that something was cut has to fit.
const MIN_ATTRIBUTE_BYTES: usize = 64;
const MIN_SPAN_BYTES: usize = 1024;

options! {
    /// What may leave of content, and how large spans may be.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Settings {
        /// Send prompts, answers, tool calls and documents. If not, a span leaves with nothing but what is known to hold no content: names, ids,
        /// numbers.
        "captureContent" => capture_content: bool = true, "boolean";
        /// Without content: send the metadata and the tags of the application all the same.
        "captureMetadata" => capture_metadata: bool = true, "boolean";
        /// Without content: send the messages of the status and of exceptions, and stack traces, all the same. They may quote a prompt.
        "captureErrors" => capture_errors: bool = false, "boolean";
        /// What is masked, rule by rule.
        "mask" => mask: Vec<MaskRule> = Vec::new(), "MaskRule[]";
        /// Media in base64: `"keep"`; `"large"`: what has 4 KiB of base64 or more is replaced by a descriptor with its type, size and hash, since one
        /// picture can make a backend refuse a batch; `"describe"`: all of it is.
        "media" => media: Media = Media::Large, "\"keep\" | \"large\" | \"describe\"";
        /// Maximum size of the text of one attribute, in bytes of UTF-8; longer text is cut. 0: no limit.
        "maxAttributeBytes" => max_attribute_bytes: Option<usize> = Some(1 << 20), "number | null";
        /// Maximum size of a span, in bytes as encoded; the content of a larger one is cut. 0: no limit. gRPC takes 4 MiB, Langfuse 3.5 MB.
        "maxSpanBytes" => max_span_bytes: Option<usize> = Some(3 << 20), "number | null";
    }
}

options! {
    /// What is masked: where, what, and what replaces it.
    #[derive(Clone, Debug, PartialEq)]
    pub struct MaskRule {
        /// Attribute keys as they go out, `*` stands for any text, on every span.
        "keys" => keys: Vec<String> = Vec::new(), "string[]", default: "all text of LLM spans except names and ids";
        /// A regular expression. With neither a pattern nor detectors the whole value is masked.
        "pattern" => pattern: Option<String> = None, "string | RegExp";
        /// Built-in detectors.
        "detect" => detect: Vec<Detector> = Vec::new(), "(\"email\" | \"phone\" | \"card\" | \"key\")[]";
        /// What replaces a match.
        "replacement" => replacement: Option<String> = None, "string", default: "<masked>, or the detector's name, such as <email>";
    }
}

/// What becomes of media in base64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Media {
    /// It stays.
    Keep,
    /// A descriptor (type, size, hash) stands in place of what has 4 KiB of base64 or more: one picture can make a backend refuse a batch.
    #[default]
    Large,
    /// A descriptor stands in place of each.
    Describe,
}

read_enum!(Media { "keep" => Media::Keep, "large" => Media::Large, "describe" => Media::Describe, });

impl Settings {
    /// Is something to be kept from a destination, so that what cannot be read must not reach it?
    pub fn hides(&self) -> bool {
        !self.capture_content || !self.mask.is_empty()
    }

    /// Checks every value; `at` is the path before `privacy`.
    pub fn validate(&self, at: &str) -> Result<(), ConfigError> {
        if self.mask.len() > MAX_RULES {
            return refuse(at, "mask", "", &format!("has {} rules", self.mask.len()), "use at most 64, by joining some");
        }
        Rule::all(self, at)?;
        for (field, value, least) in
            [("maxAttributeBytes", self.max_attribute_bytes, MIN_ATTRIBUTE_BYTES), ("maxSpanBytes", self.max_span_bytes, MIN_SPAN_BYTES)]
        {
            if let Some(bytes) = value.filter(|bytes| (1..least).contains(bytes)) {
                return refuse(
                    at,
                    field,
                    &bytes.to_string(),
                    "is out of range",
                    &format!("use {least} or more (bytes), or 0 for no limit"),
                );
            }
        }
        Ok(())
    }
}

/// `at` is the path before `privacy`.
#[inline(never)]
pub(super) fn refuse<T>(at: &str, field: &str, value: &str, problem: &str, fix: &str) -> Result<T, ConfigError> {
    invalid(&format!("{at}privacy.{field}"), value, problem, fix)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[track_caller]
    fn refuses(privacy: &str, message: &str) {
        let json = format!(r#"{{"destinations":[{{}}],"privacy":{privacy}}}"#);
        assert_eq!(Config::from_json(&json).unwrap_err().to_string(), message);
    }

    #[test]
    fn a_bad_value_is_named_with_its_rule_and_a_fix() {
        refuses(
            r#"{"mask":[{"detect":["email"]},{}]}"#,
            r#"privacy.mask[1]: is empty; name keys, a pattern or detectors, such as {"detect": ["email"]}"#,
        );
        refuses(r#"{"mask":[{"keys":[""]}]}"#, r#"privacy.mask[0].keys: "" is not a key; use "*" for every key"#);
        refuses(r#"{"maxAttributeBytes":5}"#, "privacy.maxAttributeBytes: 5 is out of range; use 64 or more (bytes), or 0 for no limit");
        refuses(r#"{"maxSpanBytes":1000}"#, "privacy.maxSpanBytes: 1000 is out of range; use 1024 or more (bytes), or 0 for no limit");
        refuses(
            r#"{"mask":[{"detect":["mail"]}]}"#,
            r#"privacy.mask[0].detect[0]: "mail" is unknown; use one of "email", "phone", "card", "key""#,
        );
        let rules = vec![r#"{"detect":["email"]}"#; 65].join(",");
        refuses(&format!(r#"{{"mask":[{rules}]}}"#), "privacy.mask: has 65 rules; use at most 64, by joining some");
    }

    #[test]
    fn a_pattern_that_cannot_be_used_is_refused() {
        refuses(
            r#"{"mask":[{"pattern":"x*"}]}"#,
            r#"privacy.mask[0].pattern: "x*" matches the empty text; write + in place of *, or anchor it to what must be there"#,
        );
        let json = r#"{"destinations":[{},{"privacy":{"mask":[{"pattern":"(a"}]}}]}"#;
        let message = Config::from_json(json).unwrap_err().to_string();
        assert!(message.starts_with(r#"destinations[1].privacy.mask[0].pattern: "(a" is not a supported regular expression"#), "{message}");
    }

    #[test]
    fn null_and_zero_are_no_limit() {
        let json = r#"{"destinations":[{}],"privacy":{"maxAttributeBytes":null,"maxSpanBytes":0}}"#;
        let privacy = Config::from_json(json).unwrap().privacy;
        assert_eq!((privacy.max_attribute_bytes, privacy.max_span_bytes), (None, Some(0)));
    }
}
