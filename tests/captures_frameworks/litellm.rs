//! LiteLLM's callback `otel`: both turns, a stream, an embedding, and a model that does not work.

use super::facts::{Fact::*, *};
use super::hold;
use crate::facts;
use serde_json::{Value as Json, json};

/// Its call has no id.
fn call() -> Json {
    json!({"role": "assistant", "parts": [{"type": "tool_call", "name": "get_weather", "arguments": {"city": "深圳"}}]})
}

fn user() -> [Fact; 1] {
    says(json!({"user.id": "user-456"}))
}

/// Its counts say that nothing of it was spoken.
fn counts() -> Vec<Fact> {
    facts![super::facts::counts(), says(json!({"gen_ai.usage.audio.input_tokens": 0, "gen_ai.usage.audio.output_tokens": 0}))]
}

fn embedding() -> Vec<Fact> {
    vec![
        Kind("EMBEDDING"),
        Says(json!({
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.response.model": "text-embedding-3-small",
            "gen_ai.usage.input_tokens": 8,
            "gen_ai.usage.output_tokens": 0,
            "gen_ai.usage.cost": 1.6e-7,
        })),
    ]
}

/// The provider's request and answer, as they were sent.
fn raw() -> (&'static str, Vec<Fact>) {
    ("raw_gen_ai_request", vec![AsItCame])
}

#[test]
fn default_form() {
    newest("litellm-py-1.110.2.completion.pb", false);
}

#[test]
fn latest_experimental_form() {
    newest("litellm-py-1.110.2.completion-latest.pb", true);
}

fn newest(file: &str, latest: bool) {
    let name = |model: &'static str| if latest { model } else { "litellm_request" };
    // The newer form says nothing of a stream that is none.
    let streamed = |stream: bool| says(json!({"gen_ai.request.stream": if stream || !latest { json!(stream) } else { Json::Null }}));
    let full = || {
        facts![
            chat("openai", "gpt-4o-mini"),
            counts(),
            user(),
            entry(),
            streamed(false),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": "chatcmpl-1",
                "openai.response.service_tier": "default",
                "gen_ai.usage.cost": 0.00001635,
            })),
            left(FULL)
        ]
    };
    let mut spans = vec![
        (
            name("chat gpt-4o-mini"),
            facts![
                full(),
                defined(parameters()),
                messages(json!([brief(), asked()]), json!([call()]), "tool_call"),
                says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
            ],
        ),
        raw(),
        (name("chat gpt-4o-mini"), facts![full(), defined(parameters()), messages(history(), ended(answered(), "stop"), "stop")]),
        raw(),
        // A stream answers by the name that was asked for.
        (
            name("chat gpt-4o-mini"),
            facts![
                full(),
                streamed(true),
                messages(json!([brief(), asked()]), ended(answered(), "stop"), "stop"),
                says(json!({"gen_ai.response.model": "gpt-4o-mini"}))
            ],
        ),
        raw(),
        (
            name("embeddings text-embedding-3-small"),
            facts![
                embedding(),
                entry(),
                streamed(false),
                left(FULL),
                says(json!({"gen_ai.input.messages": [text("user", "深圳")], "gen_ai.response.id": "…"}))
            ],
        ),
        raw(),
        (
            name("chat boom"),
            facts![
                chat("openai", "boom"),
                entry(),
                streamed(false),
                failed("InternalServerError"),
                left(FAILED),
                says(json!({"gen_ai.input.messages": [brief(), asked()], "gen_ai.response.id": "…"}))
            ],
        ),
        around(),
    ];
    spans.retain(|(name, _)| !latest || *name != "raw_gen_ai_request");
    hold(file, spans);
}

#[test]
fn flattened_form() {
    let full = || {
        facts![
            chat("openai", "gpt-4o-mini"),
            counts(),
            user(),
            entry(),
            says(json!({
                "gen_ai.request.stream": false,
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.usage.cost": 0.000016349999999999998,
            })),
            left(OLDER)
        ]
    };
    // Calls that were made before are lost, and which of them the result is of.
    let known = json!([
        brief(),
        asked(),
        {"role": "assistant", "parts": []},
        {"role": "tool", "parts": [{"type": "tool_call_response", "response": RESULT}]},
    ]);
    hold(
        "litellm-py-1.80.0.completion.pb",
        vec![
            (
                "litellm_request",
                facts![
                    full(),
                    defined(parameters()),
                    messages(json!([brief(), asked()]), json!([call()]), "tool_call"),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            raw(),
            ("litellm_request", facts![full(), defined(parameters()), messages(known, json!([answered()]), "stop")]),
            raw(),
            (
                "litellm_request",
                facts![
                    full(),
                    messages(json!([brief(), asked()]), json!([answered()]), "stop"),
                    says(json!({"gen_ai.request.stream": true, "gen_ai.response.model": "gpt-4o-mini"}))
                ],
            ),
            raw(),
            (
                "litellm_request",
                facts![
                    embedding(),
                    entry(),
                    left(OLDER),
                    says(json!({"gen_ai.request.stream": false, "gen_ai.input.messages": [text("user", "深圳")]}))
                ],
            ),
            raw(),
            (
                "litellm_request",
                facts![
                    chat("openai", "boom"),
                    entry(),
                    failed("InternalServerError"),
                    left(OLDER_FAILED),
                    // It counts what was not answered as nothing.
                    says(json!({"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0})),
                    says(json!({"gen_ai.request.stream": false, "gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            around(),
        ],
    );
}

/// Without the callback; the provider stands before the model that was asked for.
#[test]
fn through_openinference() {
    let full = || {
        facts![
            chat("openai", "openai/gpt-4o-mini"),
            counts(),
            entry(),
            says(json!({"gen_ai.response.model": "openai/gpt-4o-mini", "gen_ai.usage.cost": 0.00001635})),
            left(&["llm.invocation_parameters"])
        ]
    };
    hold(
        "openinference-litellm-py-0.1.51.completion.pb",
        vec![
            // The answer is there as a whole, but where it is text.
            (
                "acompletion",
                facts![
                    full(),
                    defined(parameters()),
                    messages(json!([brief(), asked()]), json!([called()]), "tool_call"),
                    says(json!({
                        "gen_ai.request.temperature": 0.3,
                        "gen_ai.request.max_tokens": 64,
                        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                        "gen_ai.response.id": "chatcmpl-1",
                        "openai.response.service_tier": "default",
                        "openai.response.system_fingerprint": "fp_1",
                    }))
                ],
            ),
            ("acompletion", facts![full(), defined(parameters()), messages(history(), json!([answered()]), "stop")]),
            (
                "acompletion",
                facts![
                    full(),
                    messages(json!([brief(), asked()]), json!([answered()]), "stop"),
                    says(json!({"gen_ai.request.stream": true}))
                ],
            ),
            (
                "CreateEmbeddings",
                facts![
                    [Kind("EMBEDDING")],
                    entry(),
                    left(&["embedding.embeddings.*", "embedding.model_name"]),
                    says(json!({
                        "gen_ai.operation.name": "embeddings",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "openai/text-embedding-3-small",
                        "gen_ai.embeddings.dimension.count": 3,
                        "gen_ai.input.messages": [text("user", "深圳")],
                        "gen_ai.usage.input_tokens": 8,
                        "gen_ai.usage.cost": 1.6e-7,
                    }))
                ],
            ),
            (
                "acompletion",
                facts![
                    chat("openai", "openai/boom"),
                    entry(),
                    failed("litellm.exceptions.InternalServerError"),
                    left(&["llm.invocation_parameters"]),
                    says(json!({"gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            around(),
        ],
    );
}

/// By default it writes on the span that is there, each call over the one before: that span is the model's, and the entry.
#[test]
fn on_the_span_of_the_caller() {
    let spans = super::converted("litellm-py-1.110.2.completion-on-caller.pb");
    let entries: Vec<_> = spans.iter().filter(|span| super::attributes(span).contains_key("gen_ai.is_entry")).collect();
    assert_eq!(entries.iter().map(|span| &*span.name).collect::<Vec<_>>(), ["POST /chat"]);
    let said = super::attributes(entries[0]);
    assert_eq!(said["gen_ai.request.model"], "boom");
    assert_eq!(said["user.id"], "user-456");
    // The requests below it stay as they are, and are no calls.
    let is_raw = |span: &&super::Span| span.name == "raw_gen_ai_request";
    let kinds = |span: &super::Span| super::attributes(span).contains_key("gen_ai.operation.name");
    assert!(!spans.iter().filter(is_raw).any(kinds));
}

/// What the proxy would fill, and copies: costs in parts, the provider's parameters, the counts where they hold the cost too.
const FULL: &[&str] = &["gen_ai.cost.*", "hidden_params", "litellm.*", "metadata.*"];
const FAILED: &[&str] = &["error.code", "error.llm_provider", "hidden_params", "http.response.status_code", "litellm.*", "metadata.*"];
const OLDER: &[&str] = &["gen_ai.cost.*", "hidden_params", "metadata.*"];
const OLDER_FAILED: &[&str] = &["error.code", "error.llm_provider", "hidden_params", "metadata.*"];
