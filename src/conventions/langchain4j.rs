//! LangChain4j: OTel's own keys, as text. Under Quarkus nothing but those keys tells it from other Micrometer spans.

use super::Convention;

pub const LANGCHAIN4J: Convention =
    Convention { id: "langchain4j", scopes: &["langchain4j*", "dev.langchain4j*"], keys: &[], rules: &[], ..Convention::EMPTY };
