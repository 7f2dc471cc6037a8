//! The closed word lists of the conventions: what sources write, and the word of the OTel registry for it. Tables only.
//!
//! Source: `enums.csv` of the conventions. Words are lower case and sorted; look them up with [`find`].

use super::packed::{Words, packed};
use crate::bytes;
use crate::normalize::scalar;
use std::cmp::Ordering;

macro_rules! words {
    ($rows:expr) => {
        Words::new(packed!(table $rows))
    };
}

/// The word for `word`, whatever its case; `None` if the table does not have it.
pub fn find(table: &Words, word: &[u8]) -> Option<&'static str> {
    let table = table.rows();
    let (mut low, mut high) = (0, table.len());
    while low < high {
        let middle = (low + high) / 2;
        let (known, value) = table[middle];
        match compare(known.as_bytes(), word) {
            Ordering::Less => low = middle + 1,
            Ordering::Equal => return Some(value),
            Ordering::Greater => high = middle,
        }
    }
    None
}

/// How a word in lower case compares with one of any case: most differ in their first bytes.
fn compare(known: &[u8], word: &[u8]) -> Ordering {
    for (a, b) in known.iter().zip(word) {
        let b = b.to_ascii_lowercase();
        if *a != b {
            return a.cmp(&b);
        }
    }
    known.len().cmp(&word.len())
}

/// Is it just this word? Not inlined: a call is shorter than the comparison.
#[inline(never)]
pub fn is(text: &[u8], word: &str) -> bool {
    bytes::equal(text, word.as_bytes())
}

/// Is it one of these words?
#[inline(never)]
pub fn any(text: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| is(text, word))
}

/// Where in a text a part of it starts. For short parts: memchr's own search takes ten times the code.
pub fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    let first = *part.first()?;
    memchr::memchr_iter(first, text).find(|at| text[*at..].starts_with(part))
}

/// A text as one that may be a word of a convention: empty, if it is longer than any of them.
#[inline(never)]
pub fn short(text: &[u8]) -> &str {
    std::str::from_utf8(text.get(..text.len().min(64)).filter(|short| short.len() == text.len()).unwrap_or_default()).unwrap_or_default()
}

/// What a table says of a word.
pub fn value<T: Copy>(table: &[(&str, T)], text: &[u8]) -> Option<T> {
    table.iter().find(|(word, _)| is(text, word)).map(|(_, value)| *value)
}

/// Provider names. An empty word: a framework or a placeholder, no provider.
pub static PROVIDERS: Words = words!(&[
    ("<unknown_model_provider>", ""),
    ("_other", ""),
    ("ag2", ""),
    ("agent_framework", ""),
    ("agno", ""),
    ("ai21", "ai21"),
    ("aleph alpha", "aleph_alpha"),
    ("aleph_alpha", "aleph_alpha"),
    ("alephalpha", "aleph_alpha"),
    ("alibaba", "alibaba_cloud.dashscope"),
    ("amazon", "aws.bedrock"),
    ("amazon-bedrock", "aws.bedrock"),
    ("amazon_bedrock", "aws.bedrock"),
    ("anthropic", "anthropic"),
    ("anthropic-chat", "anthropic"),
    ("anthropic.messages", "anthropic"),
    ("ark", "volcengine.ark"),
    ("assemblyai", "assemblyai"),
    ("autogen", ""),
    ("aws", "aws.bedrock"),
    ("aws.bedrock", "aws.bedrock"),
    ("aws_bedrock", "aws.bedrock"),
    ("aws_sagemaker", "aws.sagemaker"),
    ("awsbedrock", "aws.bedrock"),
    ("az.ai.inference", "azure.ai.inference"),
    ("az.ai.openai", "azure.ai.openai"),
    ("azure", "azure.ai.openai"),
    ("azure-ai", "azure.ai.inference"),
    ("azure-openai", "azure.ai.openai"),
    ("azure-openai.chat", "azure.ai.openai"),
    ("azure-openai.embeddings", "azure.ai.openai"),
    ("azure-openai.responses", "azure.ai.openai"),
    ("azure.ai.inference", "azure.ai.inference"),
    ("azure.ai.openai", "azure.ai.openai"),
    ("azure.chat", "azure.ai.openai"),
    ("azure.responses", "azure.ai.openai"),
    ("azure_ai", "azure.ai.inference"),
    ("azure_ai_inference", "azure.ai.inference"),
    ("azure_foundry", "azure.ai.inference"),
    ("azure_open_ai", "azure.ai.openai"),
    ("azure_openai", "azure.ai.openai"),
    ("azurechatopenai", "azure.ai.openai"),
    ("azureopenai", "azure.ai.openai"),
    ("bedrock", "aws.bedrock"),
    ("bedrock-converse", "aws.bedrock"),
    ("bedrock_converse", "aws.bedrock"),
    ("browser_use", ""),
    ("cerebras", "cerebras"),
    ("cerebras.chat", "cerebras"),
    ("chatanthropic", "anthropic"),
    ("chatbedrock", "aws.bedrock"),
    ("chatbedrockconverse", "aws.bedrock"),
    ("chatdeepseek", "deepseek"),
    ("chatgooglegenerativeai", "gcp.gemini"),
    ("chatgroq", "groq"),
    ("chatmistralai", "mistral_ai"),
    ("chatollama", "ollama"),
    ("chatopenai", "openai"),
    ("chatvertexai", "gcp.vertex_ai"),
    ("claude", "anthropic"),
    ("claude_agent_sdk", ""),
    ("cohere", "cohere"),
    ("cohere.chat", "cohere"),
    ("cohere.textembedding", "cohere"),
    ("cohere_chat", "cohere"),
    ("controlflow", ""),
    ("crawl4ai", ""),
    ("crewai", ""),
    ("dashscope", "alibaba_cloud.dashscope"),
    ("deepinfra", "deepinfra"),
    ("deepinfra.chat", "deepinfra"),
    ("deepseek", "deepseek"),
    ("deepseek.chat", "deepseek"),
    ("dify", ""),
    ("digitalocean", "digitalocean"),
    ("doubao", "volcengine.ark"),
    ("dspy", ""),
    ("dynamiq", ""),
    ("elevenlabs", "elevenlabs"),
    ("ernie", "baidu.qianfan"),
    ("firecrawl", ""),
    ("fireworks", "fireworks_ai"),
    ("fireworks.chat", "fireworks_ai"),
    ("fireworks_ai", "fireworks_ai"),
    ("gateway", "vercel.ai_gateway"),
    ("gcp.gemini", "gcp.gemini"),
    ("gcp.gen_ai", "gcp.gen_ai"),
    ("gcp.vertex.agent", "gcp.gemini"),
    ("gcp.vertex_ai", "gcp.vertex_ai"),
    ("gcp_gen_ai", "gcp.gen_ai"),
    ("gemini", "gcp.gemini"),
    ("glm", "zhipu_ai"),
    ("google", "gcp.gemini"),
    ("google-genai", "gcp.gemini"),
    ("google-gla", "gcp.gemini"),
    ("google-vertex", "gcp.vertex_ai"),
    ("google-vertex-anthropic", "gcp.vertex_ai"),
    ("google.generative-ai", "gcp.gemini"),
    ("google.vertex", "gcp.vertex_ai"),
    ("google.vertex.anthropic", "gcp.vertex_ai"),
    ("google.vertex.chat", "gcp.vertex_ai"),
    ("google_adk", ""),
    ("google_ai", "gcp.gemini"),
    ("google_ai_gemini", "gcp.gemini"),
    ("google_ai_studio", "gcp.gemini"),
    ("google_genai", "gcp.gemini"),
    ("google_generativeai", "gcp.gemini"),
    ("google_vertex_ai", "gcp.vertex_ai"),
    ("google_vertexai", "gcp.vertex_ai"),
    ("googleai", "gcp.gemini"),
    ("gpt4all", "gpt4all"),
    ("grok", "x_ai"),
    ("groq", "groq"),
    ("groq.chat", "groq"),
    ("haystack", ""),
    ("hosted_vllm", "vllm"),
    ("hugging_face", "hugging_face"),
    ("huggingface", "hugging_face"),
    ("huggingface_hub", "hugging_face"),
    ("hunyuan", "tencent.hunyuan"),
    ("ibm.watson.ai", "ibm.watsonx.ai"),
    ("ibm.watsonx.ai", "ibm.watsonx.ai"),
    ("ibm_watsonx", "ibm.watsonx.ai"),
    ("julep", ""),
    ("kimi", "moonshot_ai"),
    ("langchain", ""),
    ("langgraph", ""),
    ("letta", ""),
    ("litellm", ""),
    ("llama_index", ""),
    ("llamaindex", ""),
    ("mastra", ""),
    ("mcp", ""),
    ("mem0", ""),
    ("meta", "meta"),
    ("microsoft.agent_framework", ""),
    ("microsoft_foundry", "azure.ai.inference"),
    ("minimax", "minimax"),
    ("mistral", "mistral_ai"),
    ("mistral.chat", "mistral_ai"),
    ("mistral.embedding", "mistral_ai"),
    ("mistral_ai", "mistral_ai"),
    ("mistralai", "mistral_ai"),
    ("moonshot", "moonshot_ai"),
    ("moonshot_ai", "moonshot_ai"),
    ("moonshotai", "moonshot_ai"),
    ("moonshotai.chat", "moonshot_ai"),
    ("multion", ""),
    ("none", ""),
    ("nvidia", "nvidia"),
    ("nvidia_ai_endpoints", "nvidia"),
    ("nvidia_nim", "nvidia"),
    ("oci_genai", "oci.generative_ai"),
    ("ollama", "ollama"),
    ("ollama.chat", "ollama"),
    ("ollama_chat", "ollama"),
    ("onnx", "onnx"),
    ("open_ai", "openai"),
    ("openai", "openai"),
    ("openai-agents", ""),
    ("openai-chat", "openai"),
    ("openai-responses", "openai"),
    ("openai.chat", "openai"),
    ("openai.completion", "openai"),
    ("openai.embedding", "openai"),
    ("openai.image", "openai"),
    ("openai.responses", "openai"),
    ("openai.speech", "openai"),
    ("openai.transcription", "openai"),
    ("openai_agents", ""),
    ("openai_v2", "openai"),
    ("openrouter", "openrouter"),
    ("openrouter.chat", "openrouter"),
    ("perplexity", "perplexity"),
    ("perplexity.chat", "perplexity"),
    ("premai", "prem_ai"),
    ("pydantic_ai", ""),
    ("qianfan", "baidu.qianfan"),
    ("qwen", "alibaba_cloud.dashscope"),
    ("reka", "reka_ai"),
    ("rekaai", "reka_ai"),
    ("replicate", "replicate"),
    ("sagemaker", "aws.sagemaker"),
    ("sambanova", "sambanova"),
    ("sarvam", "sarvam"),
    ("semantic_kernel", ""),
    ("smolagents", ""),
    ("spring_ai", ""),
    ("strands-agents", ""),
    ("strands_agents", ""),
    ("tencent", "tencent.hunyuan"),
    ("tencent_hunyuan", "tencent.hunyuan"),
    ("text-completion-openai", "openai"),
    ("together", "together_ai"),
    ("together_ai", "together_ai"),
    ("togetherai", "together_ai"),
    ("togetherai.chat", "together_ai"),
    ("tongyi", "alibaba_cloud.dashscope"),
    ("traceloop", ""),
    ("trpc.go.agent", ""),
    ("trpc_agent_go", ""),
    ("unknown", ""),
    ("veadk", ""),
    ("vercel", "vercel.ai_gateway"),
    ("vertex", "gcp.vertex_ai"),
    ("vertex_ai", "gcp.vertex_ai"),
    ("vertex_ai_beta", "gcp.vertex_ai"),
    ("vertexai", "gcp.vertex_ai"),
    ("vertexai_gemini", "gcp.vertex_ai"),
    ("vllm", "vllm"),
    ("volcengine", "volcengine.ark"),
    ("voyage_ai", "voyage_ai"),
    ("voyageai", "voyage_ai"),
    ("watsonx", "ibm.watsonx.ai"),
    ("watsonx_ai", "ibm.watsonx.ai"),
    ("wenxin", "baidu.qianfan"),
    ("writer", "writer"),
    ("x-ai", "x_ai"),
    ("x_ai", "x_ai"),
    ("xai", "x_ai"),
    ("xai.chat", "x_ai"),
    ("zhipu", "zhipu_ai"),
    ("zhipuai", "zhipu_ai"),
]);

/// Operations that OTel has no word for yet, in which a model is asked to decide.
pub const DECISIONS: &[&str] = &["decide", "DECISION"];

/// Operations, kinds and names of spans (`*` is any text) that say of a span with a model, or with a number of tokens, that it is not a call
/// which is to be counted: tokens are counted without asking a model, a text is checked, one attempt of a call fails, or a call is put on
/// an account.
const NO_CALLS: &[&str] = &[
    "*count_tokens*",
    "*countTokens*",
    "*CountTokens*",
    "TOKEN_COUNTER",
    "token_counter",
    "tokenize",
    "Tokenize",
    "detokenize",
    "ResponsesInputTokens",
    "moderation",
    "litellm.moderation",
    "litellm.*_management",
    "model request attempt *",
    "provider attempt *",
    "vercel.ai_gateway.model_attempt *",
    "openclaw.model.usage",
];

/// Returns true if a span's operation, kind or name says that no model is called which is to be counted.
pub fn is_no_call(word: &[u8]) -> bool {
    !word.is_empty() && NO_CALLS.iter().any(|pattern| scalar::glob(pattern, word))
}

/// Finish reasons. What is not here stays as it is, in lower case.
pub static FINISH_REASONS: Words = words!(&[
    ("1", "stop"),
    ("2", "length"),
    ("blocked", "content_filter"),
    ("blocklist", "content_filter"),
    ("cancelled", "error"),
    ("compaction", "compaction"),
    ("complete", "stop"),
    ("completed", "stop"),
    ("content-filter", "content_filter"),
    ("content_filter", "content_filter"),
    ("content_filtered", "content_filter"),
    ("contentfilter", "content_filter"),
    ("done", "stop"),
    ("end", "stop"),
    ("end_turn", "stop"),
    ("engine_overloaded", "error"),
    ("eos", "stop"),
    ("eos_token", "stop"),
    ("error", "error"),
    ("error_limit", "error"),
    ("error_toxic", "content_filter"),
    ("failed", "error"),
    ("finish_reason_max_tokens", "length"),
    ("finish_reason_stop", "stop"),
    ("finished", "stop"),
    ("finishreason.content_filter", "content_filter"),
    ("finishreason.length", "length"),
    ("finishreason.max_tokens", "length"),
    ("finishreason.safety", "content_filter"),
    ("finishreason.stop", "stop"),
    ("finishreason.tool_calls", "tool_call"),
    ("function_call", "tool_call"),
    ("guardrail_intervened", "content_filter"),
    ("image_safety", "content_filter"),
    ("incomplete", "length"),
    ("insufficient_system_resource", "error"),
    ("language", "content_filter"),
    ("length", "length"),
    ("malformed_function_call", "error"),
    ("malformed_function_call_retry", "tool_call"),
    ("max_completion_tokens", "length"),
    ("max_output_tokens", "length"),
    ("max_tokens", "length"),
    ("model_context_window_exceeded", "length"),
    ("model_length", "length"),
    ("model_stop", "stop"),
    ("network_error", "error"),
    ("normal", "stop"),
    ("pause_turn", "stop"),
    ("prohibited_content", "content_filter"),
    ("recitation", "content_filter"),
    ("refusal", "content_filter"),
    ("safety", "content_filter"),
    ("sensitive", "content_filter"),
    ("spii", "content_filter"),
    ("stop", "stop"),
    ("stop_sequence", "stop"),
    ("token_limit", "length"),
    ("tool-calls", "tool_call"),
    ("tool_call", "tool_call"),
    ("tool_calls", "tool_call"),
    ("tool_execution", "tool_call"),
    ("tool_result", "tool_call"),
    ("tool_use", "tool_call"),
    ("tooluse", "tool_call"),
    ("truncated", "length"),
    ("unexpected_tool_call", "error"),
    ("user_cancel", "error"),
]);

/// Words that say nothing where a name or a number is due.
pub static PLACEHOLDERS: Words = words!(&[
    ("-inf", ""),
    ("-infinity", ""),
    ("inf", ""),
    ("infinity", ""),
    ("n/a", ""),
    ("nan", ""),
    ("none", ""),
    ("null", ""),
    ("undefined", ""),
    ("unknown", ""),
]);

/// Roles of a message.
pub static ROLES: Words = words!(&[
    ("ai", "assistant"),
    ("aimessage", "assistant"),
    ("aimessagechunk", "assistant"),
    ("assistant", "assistant"),
    ("bot", "assistant"),
    ("chat", "user"),
    ("chatbot", "assistant"),
    ("developer", "system"),
    ("function", "tool"),
    ("function_call_output", "tool"),
    ("functionmessage", "tool"),
    ("generic", "user"),
    ("human", "user"),
    ("humanmessage", "user"),
    ("humanmessagechunk", "user"),
    ("input", "user"),
    ("model", "assistant"),
    ("output", "assistant"),
    ("system", "system"),
    ("systemmessage", "system"),
    ("tool", "tool"),
    ("tool-call", "assistant"),
    ("tool-response", "tool"),
    ("tool-result", "tool"),
    ("toolmessage", "tool"),
    ("toolresult", "tool"),
    ("user", "user"),
]);

/// `response_format` and its like.
pub static OUTPUT_TYPES: Words = words!(&[
    ("array", "json"),
    ("audio", "speech"),
    ("b64_json", "image"),
    ("enum", "json"),
    ("image", "image"),
    ("json", "json"),
    ("json_object", "json"),
    ("json_schema", "json"),
    ("native", "json"),
    ("no-schema", "json"),
    ("object", "json"),
    ("prompted", "json"),
    ("speech", "speech"),
    ("text", "text"),
    ("tool", "json"),
    ("url", "image"),
]);

/// Tool types.
pub static TOOL_TYPES: Words = words!(&[
    ("agenttool", "function"),
    ("builtin", "extension"),
    ("datastore", "datastore"),
    ("extension", "extension"),
    ("function", "function"),
    ("functiontool", "function"),
    ("longrunningfunctiontool", "function"),
    ("mcp", "extension"),
    ("retriever", "datastore"),
]);

/// Host patterns (`*` is any text) and the provider behind them.
pub static HOSTS: Words = words!(&[
    ("api.openai.com", "openai"),
    ("*.openai.azure.com", "azure.ai.openai"),
    ("*.cognitiveservices.azure.com", "azure.ai.openai"),
    ("*.services.ai.azure.com", "azure.ai.inference"),
    ("*.models.ai.azure.com", "azure.ai.inference"),
    ("models.inference.ai.azure.com", "azure.ai.inference"),
    ("api.anthropic.com", "anthropic"),
    ("bedrock-runtime.*.amazonaws.com", "aws.bedrock"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("*-aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("api.mistral.ai", "mistral_ai"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("api.moonshot.cn", "moonshot_ai"),
    ("api.moonshot.ai", "moonshot_ai"),
    ("api.perplexity.ai", "perplexity"),
    ("api.x.ai", "x_ai"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("*.ml.cloud.ibm.com", "ibm.watsonx.ai"),
    ("openrouter.ai", "openrouter"),
    ("api.together.xyz", "together_ai"),
    ("api.fireworks.ai", "fireworks_ai"),
    ("dashscope.aliyuncs.com", "alibaba_cloud.dashscope"),
    ("api.hunyuan.cloud.tencent.com", "tencent.hunyuan"),
    ("hunyuan.tencentcloudapi.com", "tencent.hunyuan"),
    ("api.lkeap.cloud.tencent.com", "tencent.lkeap"),
    ("ark.*.volces.com", "volcengine.ark"),
    ("open.bigmodel.cn", "zhipu_ai"),
    ("localhost:11434", "ollama"),
]);

/// Model name patterns (`*` is any text) and the provider that is likely behind them: a guess, for want of better evidence.
pub static MODELS: Words = words!(MODEL_ROWS);

/// Them, as a rule takes them.
pub const MODEL_ROWS: &[(&str, &str)] = &[
    ("us.anthropic.*", "aws.bedrock"),
    ("eu.anthropic.*", "aws.bedrock"),
    ("apac.anthropic.*", "aws.bedrock"),
    ("global.anthropic.*", "aws.bedrock"),
    ("anthropic.claude-*", "aws.bedrock"),
    ("amazon.nova-*", "aws.bedrock"),
    ("amazon.titan-*", "aws.bedrock"),
    ("us.amazon.*", "aws.bedrock"),
    ("meta.llama*", "aws.bedrock"),
    ("cohere.command*", "aws.bedrock"),
    ("mistral.*", "aws.bedrock"),
    ("arn:aws:bedrock:*", "aws.bedrock"),
    ("openai/*", "openai"),
    ("azure/*", "azure.ai.openai"),
    ("anthropic/*", "anthropic"),
    ("vertex_ai/*", "gcp.vertex_ai"),
    ("publishers/google/models/*", "gcp.vertex_ai"),
    ("projects/*/locations/*", "gcp.vertex_ai"),
    ("gemini/*", "gcp.gemini"),
    ("googleai/*", "gcp.gemini"),
    ("models/gemini-*", "gcp.gemini"),
    ("bedrock/*", "aws.bedrock"),
    ("openrouter/*", "openrouter"),
    ("cohere/*", "cohere"),
    ("deepseek/*", "deepseek"),
    ("groq/*", "groq"),
    ("mistral/*", "mistral_ai"),
    ("ollama/*", "ollama"),
    ("perplexity/*", "perplexity"),
    ("xai/*", "x_ai"),
    ("gpt-*", "openai"),
    ("o1*", "openai"),
    ("o3*", "openai"),
    ("o4*", "openai"),
    ("chatgpt-*", "openai"),
    ("text-embedding-3-*", "openai"),
    ("text-embedding-ada-*", "openai"),
    ("dall-e-*", "openai"),
    ("whisper-*", "openai"),
    ("claude-*", "anthropic"),
    ("gemini-*", "gcp.gemini"),
    ("deepseek-*", "deepseek"),
    ("kimi-*", "moonshot_ai"),
    ("moonshot-*", "moonshot_ai"),
    ("grok-*", "x_ai"),
    ("sonar*", "perplexity"),
    ("command-*", "cohere"),
    ("embed-*-v*", "cohere"),
    ("rerank-*", "cohere"),
    ("mistral-*", "mistral_ai"),
    ("codestral-*", "mistral_ai"),
    ("ministral-*", "mistral_ai"),
    ("pixtral-*", "mistral_ai"),
    ("hunyuan-*", "tencent.hunyuan"),
    ("qwen*", "alibaba_cloud.dashscope"),
    ("doubao-*", "volcengine.ark"),
    ("glm-*", "zhipu_ai"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_looked_up_in_any_case() {
        for table in [&PROVIDERS, &FINISH_REASONS, &PLACEHOLDERS, &ROLES, &OUTPUT_TYPES, &TOOL_TYPES] {
            assert!(table.rows().windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
        // What `scalar` takes for granted.
        assert!(PLACEHOLDERS.rows().iter().all(|(word, _)| word.len() <= "undefined".len() && word.starts_with(['-', 'i', 'n', 'u'])));
        assert_eq!(find(&PROVIDERS, b"AzureOpenAI"), Some("azure.ai.openai"));
        assert_eq!(find(&PROVIDERS, b"LangChain"), Some(""));
        assert_eq!(find(&PROVIDERS, b"my-own-gateway"), None);
        assert_eq!(find(&FINISH_REASONS, b"tool_calls"), Some("tool_call"));
        assert_eq!(find(&ROLES, &[b'x'; 100]), None);
    }
}
