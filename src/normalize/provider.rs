//! The provider that nobody names (rules.md 2): from the SDK wrapper, else the server's address, else the model's family.

use crate::conventions::words;
use crate::genai::{Canonical, DERIVED, Field, INFERRED, NAMES};
use crate::span::Value;
use crate::text;

/// Wrappers and instrumentations carry the provider's name; the first that fits.
const WRAPPERS: &[(&str, &str)] = &[
    ("azure", "azure.ai.openai"),
    ("openai_agents", ""),
    ("openai-agents", ""),
    ("openai", "openai"),
    ("anthropic", "anthropic"),
    ("bedrock", "aws.bedrock"),
    ("vertexai", "gcp.vertex_ai"),
    ("google_generativeai", "gcp.gemini"),
    ("google_genai", "gcp.gemini"),
    ("google-genai", "gcp.gemini"),
    ("mistral", "mistral_ai"),
    ("cohere", "cohere"),
    ("groq", "groq"),
    ("watsonx", "ibm.watsonx.ai"),
    ("ollama", "ollama"),
];

/// Names of spans that the SDK wrappers make: Langfuse's `OpenAI-generation` and `OpenAI.chat`.
const WRAPPER_SPANS: &[&str] = &["OpenAI-generation", "OpenAI-embedding", "OpenAI."];

fn wrapper(scope: &[u8]) -> Option<&'static str> {
    let lower = scope.to_ascii_lowercase();
    let (_, provider) = WRAPPERS.iter().find(|(part, _)| text::position(&lower, part.as_bytes()).is_some())?;
    (!provider.is_empty()).then_some(provider)
}

/// Host of a URL or an address, without port where the tables have none.
pub fn host(address: &[u8]) -> &[u8] {
    let rest = text::position(address, b"://").map_or(address, |at| &address[at + 3..]);
    let rest = &rest[..memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len())];
    if rest.ends_with(b":11434") { rest } else { &rest[..memchr::memchr(b':', rest).unwrap_or(rest.len())] }
}

#[inline(never)]
fn by(table: &[(&str, &'static str)], text: &[u8]) -> Option<&'static str> {
    super::tables::fitting(table, text)
}

/// Words for a cloud that answers under several names: the host says which, or another word beside them.
const OF_CLOUDS: &[&str] = &["google", "gemini", "gcp.gen_ai", "azure", "aws", "amazon"];

/// Settles which of a cloud's providers a word means that is not the registry's own.
pub fn decide<'a>(c: &mut Canonical<'a>, word: Option<&[u8]>, other: Option<&'a [u8]>, mut addresses: impl Iterator<Item = &'a [u8]>) {
    let (Some(known), Some(word)) = (c.text(Field::Provider), word) else { return };
    let cloud = |provider: &[u8]| provider.split(|c| *c == b'.').next().map(<[u8]>::to_vec);
    let is_open = OF_CLOUDS.iter().any(|open| word.eq_ignore_ascii_case(open.as_bytes()));
    if word == known && !is_open {
        return;
    }
    let by_host = addresses.find_map(|address| by(words::HOSTS.rows(), host(address))).map(str::as_bytes);
    let settled = by_host.or(other.filter(|_| is_open)).filter(|provider| *provider != known && cloud(provider) == cloud(known));
    if let Some(provider) = settled {
        c.put(Field::Provider, Value::Str(provider), u8::MAX, c.source(Field::Provider));
    }
}

/// Sets the provider of a span on which a model or an embedding ran.
///
/// `infer` false leaves out the last two steps, which guess.
pub fn complete<'a>(c: &mut Canonical<'a>, scope: &[u8], name: &[u8], addresses: impl Iterator<Item = &'a [u8]>, infer: bool) {
    if c.has(Field::Provider) {
        return;
    }
    let from_name = WRAPPER_SPANS.iter().any(|w| name.starts_with(w.as_bytes())).then_some("openai");
    let mut provider = from_name.or_else(|| wrapper(scope));
    c.reading = NAMES;
    if infer && provider.is_none() {
        c.reading = INFERRED;
        provider = addresses.into_iter().find_map(|a| by(words::HOSTS.rows(), host(a)));
        provider = provider.or_else(|| {
            let model = c.text(Field::RequestModel).or(c.text(Field::ResponseModel))?;
            by(words::MODELS.rows(), model)
        });
    }
    if let Some(provider) = provider {
        c.derive(Field::Provider, Value::Str(provider.as_bytes()));
    }
    c.reading = DERIVED;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(scope: &str, name: &str, address: &'static str, model: &'static str, infer: bool) -> Option<String> {
        let arena = bumpalo::Bump::new();
        let mut c = Canonical::new(&arena);
        if !model.is_empty() {
            c.put(Field::RequestModel, Value::Str(model.as_bytes()), 50, 0);
        }
        complete(&mut c, scope.as_bytes(), name.as_bytes(), std::iter::once(address.as_bytes()), infer);
        c.text(Field::Provider).map(|p| String::from_utf8(p.to_vec()).unwrap())
    }

    #[test]
    fn the_stronger_evidence_wins() {
        assert_eq!(provider("langfuse-sdk", "OpenAI-generation", "", "claude-x", true).unwrap(), "openai");
        assert_eq!(provider("openinference.instrumentation.anthropic", "m", "", "", false).unwrap(), "anthropic");
        assert_eq!(provider("x", "y", "https://my.openai.azure.com/v1", "gpt-4o", true).unwrap(), "azure.ai.openai");
        assert_eq!(provider("x", "y", "http://localhost:11434/api", "", true).unwrap(), "ollama");
        assert_eq!(provider("x", "y", "bedrock-runtime.eu-west-1.amazonaws.com", "", true).unwrap(), "aws.bedrock");
        assert_eq!(provider("x", "y", "", "deepseek-chat", true).unwrap(), "deepseek");
        assert_eq!(provider("x", "y", "", "gpt-4o", false), None);
        assert_eq!(provider("opentelemetry.instrumentation.openai_agents", "y", "", "", true), None);
        assert_eq!(provider("x", "y", "127.0.0.1", "my-model", true), None);
    }
}
