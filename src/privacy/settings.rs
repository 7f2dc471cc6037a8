//! The settings of the privacy stage: reading, defaults, checks.

use super::detect::Detector;
use super::rules::Rule;
use crate::error::{ConfigError, invalid};
use crate::json::read::{read_enum, read_struct};

/// More rules than this are a mistake; which of them hold for a key is kept as bits.
const MAX_RULES: usize = 64;
/// The note that something was cut has to fit.
const MIN_ATTRIBUTE_BYTES: usize = 64;
const MIN_SPAN_BYTES: usize = 1024;

/// What may leave of a span's content, and how large it may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Send prompts, answers, tool calls and documents at all. Without them only what is known to hold none leaves: names, ids, numbers.
    pub capture_content: bool,
    /// Without content: send the metadata and the tags of the application all the same.
    pub capture_metadata: bool,
    /// Without content: send the messages of the status and of exceptions, and stack traces, all the same. They may quote a prompt.
    pub capture_errors: bool,
    /// What is masked, rule by rule.
    pub mask: Vec<MaskRule>,
    /// What becomes of media in base64.
    pub media: Media,
    /// The longest text of one attribute, in bytes of UTF-8; `None` or 0: no limit.
    pub max_attribute_bytes: Option<usize>,
    /// The largest span, in bytes as encoded; `None` or 0: no limit.
    pub max_span_bytes: Option<usize>,
}

read_struct!(Settings {
    "captureContent" => capture_content,
    "captureMetadata" => capture_metadata,
    "captureErrors" => capture_errors,
    "mask" => mask,
    "media" => media,
    "maxAttributeBytes" => max_attribute_bytes,
    "maxSpanBytes" => max_span_bytes,
});

impl Default for Settings {
    fn default() -> Self {
        Settings {
            capture_content: true,
            capture_metadata: true,
            capture_errors: false,
            mask: Vec::new(),
            media: Media::default(),
            max_attribute_bytes: Some(1 << 20),
            // gRPC takes 4 MiB, Langfuse 3.5 MB: one span has to fit into a request.
            max_span_bytes: Some(3 << 20),
        }
    }
}

/// One rule: where it looks, what it looks for, what stands there instead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MaskRule {
    /// Attribute keys as they go out, `*` stands for any text; on every span. None: all text of LLM spans but names and ids.
    pub keys: Vec<String>,
    /// A regular expression. With neither a pattern nor detectors the whole value is masked.
    pub pattern: Option<String>,
    /// Built-in detectors.
    pub detect: Vec<Detector>,
    /// What stands in place of a match: `<masked>`, or the detector's name, such as `<email>`, by default.
    pub replacement: Option<String>,
}

read_struct!(MaskRule { "keys" => keys, "pattern" => pattern, "detect" => detect, "replacement" => replacement, });

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
            let value = format!("has {} rules", self.mask.len());
            return refuse(at, "mask", &value, "at most 64 are taken; join some");
        }
        Rule::all(self, at)?;
        for (field, value, least) in
            [("maxAttributeBytes", self.max_attribute_bytes, MIN_ATTRIBUTE_BYTES), ("maxSpanBytes", self.max_span_bytes, MIN_SPAN_BYTES)]
        {
            if let Some(bytes) = value.filter(|bytes| (1..least).contains(bytes)) {
                let fix = format!("must be {least} or more, in bytes; 0 for no limit");
                return refuse(at, field, &bytes.to_string(), &fix);
            }
        }
        Ok(())
    }
}

/// `at` is the path before `privacy`.
#[inline(never)]
pub(super) fn refuse<T>(at: &str, field: &str, value: &str, fix: &str) -> Result<T, ConfigError> {
    invalid(&format!("{at}privacy.{field}"), value, fix)
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
            r#"privacy.mask[1] says nothing: name keys, a pattern or detectors, such as {"detect": ["email"]}"#,
        );
        refuses(r#"{"mask":[{"keys":[""]}]}"#, r#"privacy.mask[0].keys "": is no key; "*" stands for every key"#);
        refuses(r#"{"maxAttributeBytes":5}"#, "privacy.maxAttributeBytes 5: must be 64 or more, in bytes; 0 for no limit");
        refuses(r#"{"maxSpanBytes":1000}"#, "privacy.maxSpanBytes 1000: must be 1024 or more, in bytes; 0 for no limit");
        refuses(r#"{"mask":[{"detect":["mail"]}]}"#, r#"privacy.mask[0].detect[0]: "mail" is none of "email", "phone", "card", "key""#);
        let rules = vec![r#"{"detect":["email"]}"#; 65].join(",");
        refuses(&format!(r#"{{"mask":[{rules}]}}"#), "privacy.mask has 65 rules: at most 64 are taken; join some");
    }

    #[test]
    fn a_pattern_that_cannot_be_used_is_refused() {
        refuses(
            r#"{"mask":[{"pattern":"x*"}]}"#,
            r#"privacy.mask[0].pattern "x*": matches the empty text; write + in place of *, or anchor it to what must be there"#,
        );
        let json = r#"{"destinations":[{},{"privacy":{"mask":[{"pattern":"(a"}]}}]}"#;
        let message = Config::from_json(json).unwrap_err().to_string();
        assert!(message.starts_with(r#"destinations[1].privacy.mask[0].pattern "(a": is no regular expression"#), "{message}");
    }

    #[test]
    fn null_and_zero_are_no_limit() {
        let json = r#"{"destinations":[{}],"privacy":{"maxAttributeBytes":null,"maxSpanBytes":0}}"#;
        let privacy = Config::from_json(json).unwrap().privacy;
        assert_eq!((privacy.max_attribute_bytes, privacy.max_span_bytes), (None, Some(0)));
    }
}
