//! Clients of models: Google's through OpenInference, OpenAI's through OpenLIT and Langtrace. Both turns, a stream, and a model that
//! does not work.

use super::facts::{Fact::*, *};
use super::hold;
use crate::facts;
use serde_json::{Value as Json, json};

fn openai(model: &str) -> Vec<Fact> {
    facts![chat("openai", model), entry()]
}

fn embeddings() -> Vec<Fact> {
    let says = json!({
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "text-embedding-3-small",
        "gen_ai.request.encoding_formats": ["float"],
        "gen_ai.usage.input_tokens": 8,
    });
    facts![[Says(says), Kind("EMBEDDING")], entry()]
}

#[test]
fn google_genai_through_openinference() {
    let full = || {
        facts![
            chat("gcp.gemini", "gemini-2.5-flash-001"),
            entry(),
            counts(),
            says(json!({"gen_ai.response.model": "gemini-2.5-flash-001", "gen_ai.response.id": "resp_1"})),
            left(&[])
        ]
    };
    let configured = || facts![defined(parameters()), says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))];
    // Of an answer, the list has no id of the call; the answer has.
    let calls = || {
        let call = json!({"type": "tool_call", "id": "call_abc123", "name": "get_weather", "arguments": {"city": "深圳"}});
        json!({"role": "assistant", "parts": [{"type": "reasoning", "content": "ask the tool"}, call]})
    };
    let result = told(json!({"result": RESULT}).to_string().replace(":\"", ": \"").into());
    hold(
        "openinference-google-genai-py-1.4.14.generate.pb",
        vec![
            ("GenerateContent", facts![full(), configured(), messages(json!([brief(), asked()]), json!([calls()]), "stop")]),
            (
                "GenerateContent",
                facts![full(), configured(), messages(json!([brief(), asked(), calls(), result]), json!([answered()]), "stop")],
            ),
            ("GenerateContentStream", facts![full(), messages(json!([asked()]), json!([answered()]), "stop")]),
            (
                "GenerateContent",
                facts![
                    chat("gcp.gemini", "gemini-boom"),
                    entry(),
                    failed("google.genai.errors.ServerError"),
                    says(json!({"gen_ai.input.messages": [asked()]}))
                ],
            ),
            around(),
        ],
    );
}

#[test]
fn openai_through_langtrace() {
    let own: &[&str] = &["langtrace.*", "url.*"];
    let about = || facts![says(json!({"server.address": "127.0.0.1"})), left(own)];
    // No word of reasoning.
    let full = || {
        facts![
            openai("gpt-4o-mini"),
            counts(),
            about(),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.usage.reasoning.output_tokens": null,
                "openai.response.system_fingerprint": "fp_1",
            }))
        ]
    };
    let said = |input: Json, output: Json| says(json!({"gen_ai.input.messages": input, "gen_ai.output.messages": output}));
    let uncached = || says(json!({"gen_ai.usage.cache_read.input_tokens": null, "openai.response.system_fingerprint": null}));
    hold(
        "langtrace-py-3.8.21.openai.pb",
        vec![
            (
                "openai.chat.completions.create",
                facts![
                    full(),
                    defined(parameters()),
                    said(json!([brief(), asked()]), json!([called()])),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            // Of calls that were made before, it keeps nothing but their number.
            (
                "openai.chat.completions.create",
                facts![full(), defined(parameters()), said(json!([brief(), asked(), told(RESULT.into())]), json!([answered()]))],
            ),
            (
                "openai.chat.completions.create",
                facts![
                    full(),
                    uncached(),
                    said(json!([brief(), asked()]), json!([answered()])),
                    says(json!({"gen_ai.request.stream": true}))
                ],
            ),
            (
                "openai.responses.create",
                facts![
                    full(),
                    uncached(),
                    defined(parameters()),
                    instructed("be brief"),
                    says(json!({"gen_ai.response.id": "resp_1", "server.address": null, "gen_ai.input.messages": [asked()]})),
                    says(json!({"gen_ai.output.messages": [text("assistant", "")]})),
                    left(&["langtrace.*"])
                ],
            ),
            (
                "openai.embeddings.create",
                facts![
                    embeddings(),
                    about(),
                    says(json!({"gen_ai.usage.output_tokens": 0, "gen_ai.input.messages": [text("user", "深圳")]}))
                ],
            ),
            (
                "openai.chat.completions.create",
                facts![
                    openai("boom"),
                    about(),
                    failed("openai.InternalServerError"),
                    says(json!({"gen_ai.input.messages": [brief(), asked()]})),
                    left(&["langtrace.*", "url.*"])
                ],
            ),
            around(),
        ],
    );
}

/// What OpenLIT writes beside the call, and its words for no user and no stop; its -1 for no limit must not go on.
const OPENLIT: &[&str] = &[
    "deployment.environment",
    "gen_ai.client.token.usage",
    "gen_ai.request.*",
    "gen_ai.sdk.version",
    "gen_ai.server.time_per_output_token",
    "openai.api.type",
    "openlit.agent.version_hash",
    "server.port",
    "service.name",
    "telemetry.sdk.name",
];

const OPENLIT_RESPONSES: &[&str] = &[
    "deployment.environment",
    "gen_ai.client.token.usage",
    "gen_ai.sdk.version",
    "gen_ai.server.time_per_output_token",
    "openai.api.type",
    "openlit.agent.version_hash",
    "server.port",
    "service.name",
    "telemetry.sdk.name",
];

const OLDER_OPENLIT: &[&str] = &[
    "deployment.environment",
    "gen_ai.client.token.usage",
    "gen_ai.request.*",
    "gen_ai.sdk.version",
    "gen_ai.server.time_per_output_token",
    "server.port",
    "service.name",
    "telemetry.sdk.name",
];

/// Of an answer that only calls, an empty text.
const OLDER_OPENLIT_CALL: &[&str] = &[
    "deployment.environment",
    "gen_ai.client.token.usage",
    "gen_ai.completion",
    "gen_ai.request.*",
    "gen_ai.sdk.version",
    "gen_ai.server.time_per_output_token",
    "server.port",
    "service.name",
    "telemetry.sdk.name",
];

fn openlit_call() -> [Fact; 1] {
    says(json!({
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.id": "call_abc123",
        "gen_ai.tool.call.arguments": {"city": "深圳"},
    }))
}

#[test]
fn openai_through_openlit() {
    let full = || {
        facts![
            openai("gpt-4o-mini"),
            counts(),
            instructed("be brief"),
            left(OPENLIT),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.response.time_to_first_chunk": "…",
                "gen_ai.request.temperature": 1.0,
                "gen_ai.request.top_p": 1.0,
                "gen_ai.request.frequency_penalty": 0.0,
                "gen_ai.request.presence_penalty": 0.0,
                "gen_ai.request.seed": 0,
                "gen_ai.request.stream": false,
                "gen_ai.output.type": "text",
                "gen_ai.usage.cache_write.input_tokens": 0,
                "gen_ai.usage.reasoning.output_tokens": null,
                "gen_ai.usage.cost": 0.0,
                "openai.response.service_tier": "default",
                "openai.response.system_fingerprint": "fp_1",
                "server.address": "127.0.0.1",
            }))
        ]
    };
    // The item's id.
    let by_item =
        json!({"role": "assistant", "parts": [{"type": "tool_call", "id": "fc_1", "name": "get_weather", "arguments": {"city": "深圳"}}]});
    hold(
        "openlit-py-1.45.0.openai.pb",
        vec![
            (
                "chat gpt-4o-mini",
                facts![
                    full(),
                    openlit_call(),
                    messages(json!([brief(), asked()]), ended(called(), "tool_call"), "tool_call"),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            // Calls that were made before are left out.
            (
                "chat gpt-4o-mini",
                facts![full(), messages(json!([brief(), asked(), told(RESULT.into())]), ended(answered(), "stop"), "stop")],
            ),
            (
                "chat gpt-4o-mini",
                facts![
                    full(),
                    messages(json!([brief(), asked()]), ended(answered(), "stop"), "stop"),
                    says(json!({"gen_ai.request.stream": true}))
                ],
            ),
            (
                "chat gpt-4o-mini",
                facts![
                    full(),
                    openlit_call(),
                    left(OPENLIT_RESPONSES),
                    messages(json!([asked()]), ended(by_item, "completed"), "stop"),
                    says(json!({
                        "gen_ai.response.id": "resp_1",
                        "gen_ai.usage.reasoning.output_tokens": 8,
                        "gen_ai.request.frequency_penalty": null,
                        "gen_ai.request.presence_penalty": null,
                        "gen_ai.request.seed": null,
                        "openai.response.service_tier": null,
                        "openai.response.system_fingerprint": null,
                    }))
                ],
            ),
            (
                "embeddings text-embedding-3-small",
                facts![
                    embeddings(),
                    says(json!({
                        "gen_ai.response.model": "text-embedding-3-small",
                        "gen_ai.response.time_to_first_chunk": "…",
                        "gen_ai.request.stream": false,
                        "gen_ai.embeddings.dimension.count": 3,
                        "gen_ai.input.messages": [text("user", "深圳")],
                        "gen_ai.usage.cost": 0.0,
                        "server.address": "127.0.0.1",
                    })),
                    left(OLDER_OPENLIT)
                ],
            ),
            (
                "chat boom",
                facts![
                    openai("boom"),
                    failed("InternalServerError"),
                    [Events(&["exception", "exception"])],
                    says(json!({"gen_ai.request.stream": false, "server.address": "127.0.0.1"})),
                    left(&["deployment.environment", "gen_ai.sdk.version", "server.port", "service.name", "telemetry.sdk.name"])
                ],
            ),
            around(),
        ],
    );
}

/// Messages as one text, roles in front.
#[test]
fn openai_through_older_openlit() {
    let full = |input: &str, output: Json, reason: &str| {
        facts![
            openai("gpt-4o-mini"),
            left(OLDER_OPENLIT),
            messages(json!([text("user", input)]), output, reason),
            says(json!({
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.response.time_to_first_chunk": "…",
                "gen_ai.request.temperature": 1.0,
                "gen_ai.request.top_p": 1.0,
                "gen_ai.request.frequency_penalty": 0.0,
                "gen_ai.request.presence_penalty": 0.0,
                "gen_ai.request.stream": false,
                "gen_ai.output.type": "text",
                "gen_ai.usage.input_tokens": 57,
                "gen_ai.usage.output_tokens": 17,
                "gen_ai.usage.cost": 0.0,
                "openai.request.service_tier": "default",
                "openai.response.system_fingerprint": "fp_1",
                "server.address": "127.0.0.1",
            }))
        ]
    };
    let asked = "system: be brief\nuser: 深圳天气如何?";
    hold(
        "openlit-py-1.36.0.openai.pb",
        vec![
            (
                "chat gpt-4o-mini",
                facts![
                    full(asked, Json::Null, "tool_call"),
                    openlit_call(),
                    left(OLDER_OPENLIT_CALL),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            ("chat gpt-4o-mini", full("…", json!([answered()]), "stop")),
            // It counts a stream by itself.
            (
                "chat gpt-4o-mini",
                facts![
                    full(asked, json!([answered()]), "stop"),
                    says(json!({"gen_ai.request.stream": true, "gen_ai.usage.input_tokens": 15, "gen_ai.usage.output_tokens": 13}))
                ],
            ),
            (
                "chat gpt-4o-mini",
                facts![
                    full("深圳天气如何?", Json::Null, "stop"),
                    openlit_call(),
                    left(&[
                        "deployment.environment",
                        "gen_ai.client.token.usage",
                        "gen_ai.completion",
                        "gen_ai.sdk.version",
                        "gen_ai.server.time_per_output_token",
                        "server.port",
                        "service.name",
                        "telemetry.sdk.name"
                    ]),
                    says(json!({
                        "gen_ai.response.id": "resp_1",
                        "gen_ai.usage.reasoning.output_tokens": 8,
                        "gen_ai.request.frequency_penalty": null,
                        "gen_ai.request.presence_penalty": null,
                        "openai.request.service_tier": null,
                        "openai.response.system_fingerprint": null,
                    }))
                ],
            ),
            (
                "embeddings text-embedding-3-small",
                facts![
                    embeddings(),
                    says(json!({
                        "gen_ai.response.model": "text-embedding-3-small",
                        "gen_ai.response.time_to_first_chunk": "…",
                        "gen_ai.request.stream": false,
                        "gen_ai.input.messages": [text("user", "深圳")],
                        "gen_ai.usage.cost": 0.0,
                        "server.address": "127.0.0.1",
                    })),
                    left(OLDER_OPENLIT)
                ],
            ),
            // It failed before it had an attribute: its name says what it is.
            ("chat boom", facts![says(json!({"gen_ai.operation.name": "chat"})), entry(), failed("openai.InternalServerError")]),
            around(),
        ],
    );
}
