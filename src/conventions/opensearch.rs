//! OpenSearch's GenAI SDK: its decorators write OTel's own keys, which are read as such. Its scopes for scores, experiments and
//! benchmarks are none of a model's work.

use super::Convention;

pub const OPENSEARCH: Convention = Convention {
    id: "opensearch-genai",
    scopes: &["opensearch-genai-sdk", "opensearch-genai-observability-sdk-py", "opensearch-genai-observability-sdk-ts"],
    keys: &[],
    rules: &[],
    ..Convention::EMPTY
};
