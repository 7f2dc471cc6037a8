//! Logfire's instrumentation of OpenAI, with OTel's messages and with the provider's: both turns, a stream, the Responses API, an
//! embedding, and a model that does not work. Their spans stand below one that the program made.

use super::facts::{Fact::*, *};
use super::hold;
use crate::facts;
use serde_json::{Value as Json, json};

const CHAT: &str = "Chat Completion with {request_data[model]!r}";
const STREAM: &str = "streaming response from {request_data[model]!r} took {duration:.2f}s";
const RESPONSES: &str = "Responses API with {gen_ai.request.model!r}";
const EMBEDDING: &str = "Embedding Creation with {request_data[model]!r}";

/// Not of a model: it goes on as it is.
fn support(line: u32) -> (&'static str, Vec<Fact>) {
    let says = json!({
        "code.filepath": "sdks_py.py",
        "code.function": "logfire_openai",
        "code.lineno": line,
        "logfire.msg": "support",
        "logfire.msg_template": "support",
        "logfire.span_type": "span",
    });
    ("support", vec![Says(says)])
}

fn full() -> Vec<Fact> {
    facts![chat("openai", "gpt-4o-mini"), counts(), says(json!({"gen_ai.response.model": "gpt-4o-mini-2024-07-18"}))]
}

fn spoken() -> [Fact; 1] {
    says(json!({"gen_ai.usage.audio.input_tokens": 0, "gen_ai.usage.audio.output_tokens": 0}))
}

fn embedding() -> Vec<Fact> {
    let says = json!({
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "text-embedding-3-small",
        "gen_ai.response.model": "text-embedding-3-small",
        "gen_ai.usage.input_tokens": 8,
    });
    facts![[Says(says), Kind("EMBEDDING")], entry()]
}

#[test]
fn messages_of_otel() {
    let rest: &[&str] = &["code.*", "gen_ai.usage.raw", "logfire.*", "request_data"];
    let full = || facts![full(), left(rest), says(json!({"gen_ai.response.id": "chatcmpl-1", "gen_ai.usage.cost": 0.00001635}))];
    hold(
        "logfire-py-5.4.0.openai.pb",
        vec![
            (
                CHAT,
                facts![
                    full(),
                    spoken(),
                    entry(),
                    defined(parameters()),
                    messages(json!([brief(), asked()]), ended(called(), "tool_calls"), "tool_call"),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            (CHAT, facts![full(), spoken(), entry(), defined(parameters()), messages(history(), ended(answered(), "stop"), "stop")]),
            // The call of a stream, which ends before the answer comes, and the log of the answer.
            (
                CHAT,
                facts![
                    chat("openai", "gpt-4o-mini"),
                    entry(),
                    left(&["code.*", "logfire.*", "request_data"]),
                    says(json!({"gen_ai.response.model": "gpt-4o-mini", "gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            (
                STREAM,
                facts![
                    full(),
                    spoken(),
                    messages(json!([brief(), asked()]), ended(answered(), "stop"), "stop"),
                    left(&["code.*", "duration", "gen_ai.usage.raw", "logfire.*", "request_data"])
                ],
            ),
            (
                RESPONSES,
                facts![
                    full(),
                    entry(),
                    instructed("be brief"),
                    defined(parameters()),
                    messages(json!([asked()]), json!([called()]), "tool_call"),
                    says(json!({"gen_ai.response.id": "resp_1", "gen_ai.request.stream": false}))
                ],
            ),
            (EMBEDDING, facts![embedding(), left(rest), says(json!({"gen_ai.usage.cost": 1.6e-7}))]),
            (
                CHAT,
                facts![
                    chat("openai", "boom"),
                    entry(),
                    failed("openai.InternalServerError"),
                    left(&["code.*", "logfire.*", "request_data"]),
                    says(json!({"gen_ai.response.model": "boom", "gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            support(219),
            around(),
        ],
    );
}

#[test]
fn messages_of_the_provider() {
    let rest: &[&str] = &["code.*", "logfire.*"];
    let said = |input: Json, output: Json| says(json!({"gen_ai.input.messages": input, "gen_ai.output.messages": output}));
    let full = || facts![full(), left(rest)];
    let thought = json!({"role": "assistant", "parts": [{"type": "reasoning", "content": "ask the tool"}]});
    let streamed = || says(json!({"gen_ai.request.stream": true, "gen_ai.response.model": "gpt-4o-mini"}));
    hold(
        "logfire-py-4.15.1.openai.pb",
        vec![
            (
                CHAT,
                facts![
                    full(),
                    spoken(),
                    entry(),
                    defined(parameters()),
                    said(json!([brief(), asked()]), json!([called()])),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            (CHAT, facts![full(), spoken(), entry(), defined(parameters()), said(history(), json!([answered()]))]),
            (
                CHAT,
                facts![
                    chat("openai", "gpt-4o-mini"),
                    entry(),
                    left(rest),
                    streamed(),
                    says(json!({"gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            (
                STREAM,
                facts![
                    full(),
                    spoken(),
                    streamed(),
                    said(json!([brief(), asked()]), json!([answered()])),
                    left(&["code.*", "duration", "logfire.*"])
                ],
            ),
            // Of its counts, the sums alone.
            (
                RESPONSES,
                facts![
                    full(),
                    entry(),
                    left(&["code.*", "logfire.*", "request_data"]),
                    said(json!([brief(), asked()]), json!([thought, called()])),
                    says(json!({
                        "gen_ai.request.stream": false,
                        "gen_ai.usage.cache_read.input_tokens": null,
                        "gen_ai.usage.reasoning.output_tokens": null,
                    }))
                ],
            ),
            (
                EMBEDDING,
                facts![
                    embedding(),
                    left(rest),
                    says(json!({"gen_ai.request.encoding_formats": ["float"], "gen_ai.input.messages": [text("user", "深圳")]}))
                ],
            ),
            (
                CHAT,
                facts![
                    chat("openai", "boom"),
                    entry(),
                    failed("openai.InternalServerError"),
                    left(rest),
                    says(json!({"gen_ai.response.model": "boom", "gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            support(219),
            around(),
        ],
    );
}
