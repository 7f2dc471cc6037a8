//! The Vercel AI SDK, 3.4 to 6 and the legacy class of 7: `vercel_js.mjs`.

use super::facts::{Fact::*, *};
use super::hold;
use crate::facts;
use serde_json::{Value as Json, json};

pub const OBJECT: &str = r#"{"city":"深圳","celsius":26}"#;
pub const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// As zod has it.
pub fn schema() -> Json {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false})
}

/// What the Anthropic API was asked with, and what it said.
pub fn seen(mime: Json) -> Json {
    let mut uri = json!({"type": "uri", "modality": "image", "uri": "https://example.com/a.png"});
    if !mime.is_null() {
        uri["mime_type"] = mime;
    }
    json!({"role": "user", "parts": [
        {"type": "text", "content": "深圳天气如何?"}, uri, {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PIXEL}]})
}

pub fn thought() -> Json {
    json!({"type": "reasoning", "content": "ask the tool"})
}

/// Parts of one message of the assistant.
pub fn said(parts: &[Json]) -> Json {
    json!({"role": "assistant", "parts": parts})
}

pub fn part(text: &str) -> Json {
    json!({"type": "text", "content": text})
}

pub fn call(id: &str, name: &str) -> Json {
    json!({"type": "tool_call", "id": id, "name": name, "arguments": {"city": "深圳"}})
}

pub fn result(id: &str, response: &str) -> Json {
    json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": id, "response": response}]})
}

/// 62 input tokens, 32 of them read from the cache and 5 written to it; 17 output.
pub fn claude_counts() -> [Fact; 1] {
    says(json!({
        "gen_ai.usage.input_tokens": 62,
        "gen_ai.usage.cache_read.input_tokens": 32,
        "gen_ai.usage.cache_write.input_tokens": 5,
        "gen_ai.usage.output_tokens": 17,
    }))
}

pub fn answered_by(id: &str) -> [Fact; 1] {
    says(json!({"gen_ai.response.id": id, "gen_ai.response.model": "gpt-4o-mini-2024-07-18"}))
}

/// Temperature, share and most tokens, as the first program sets them.
pub fn set() -> [Fact; 1] {
    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.top_p": 0.9, "gen_ai.request.max_tokens": 64}))
}

pub fn tool_defined(name: &str) -> [Fact; 1] {
    says(json!({"gen_ai.tool.definitions": [
        {"type": "function", "name": name, "description": "weather of a city", "parameters": schema()}]}))
}

/// The function's name and who asks; what else the application told.
fn of(major: u8, function: &str) -> Vec<Fact> {
    let more: &[&str] = match major {
        7 => &["resource.name"],
        _ => &["ai.telemetry.metadata.tags", "ai.telemetry.metadata.team", "resource.name"],
    };
    facts![who(), also(more), says(json!({"gen_ai.agent.name": function}))]
}

/// A span that names a model.
fn asks(major: u8, function: &str, model: &str) -> Vec<Fact> {
    let provider = if model.starts_with("claude") { "anthropic" } else { "openai" };
    let says = says(json!({"gen_ai.provider.name": provider, "gen_ai.request.model": model}));
    // 3 leaves a number that nobody set to those who ask for vectors.
    let retries: &[&str] = if major == 3 && model.starts_with("text") { &[] } else { &["ai.settings.maxRetries"] };
    facts![of(major, function), also(retries), says]
}

/// The call of a model below.
fn asks_model(major: u8, function: &str, model: &str) -> Vec<Fact> {
    let format = also(if major < 5 { &["ai.prompt.format"] } else { &[] });
    facts![asks(major, function, model), [Kind("LLM")], says(json!({"gen_ai.operation.name": "chat"})), format]
}

/// `generateText` and `streamText`.
fn agent_root(major: u8, function: &str, model: &str) -> Vec<Fact> {
    let steps = also(if major < 5 { &["ai.settings.maxSteps"] } else { &[] });
    facts![asks(major, function, model), [Kind("AGENT")], entry(), says(json!({"gen_ai.operation.name": "invoke_agent"})), steps]
}

/// The other roots: OTel has no word for them.
fn chain_root(major: u8, function: &str, model: &str) -> Vec<Fact> {
    facts![asks(major, function, model), [Kind("CHAIN")], entry(), also(&["ai.operationId"])]
}

/// 7 leaves out who asks where an object is the answer.
fn unknown(major: u8) -> [Fact; 1] {
    says(if major == 7 { json!({"session.id": null, "user.id": null}) } else { json!({}) })
}

/// Since 5 the whole calls tell the client.
fn client(major: u8) -> [Fact; 1] {
    also(if major < 5 { &[] } else { &["ai.request.headers.user-agent"] })
}

/// What a call counts: but for 4 whole calls of OpenAI's tell no parts up to 5, since 6 they do, and to the objects only since 7.
fn counted(major: u8, object: bool) -> Vec<Fact> {
    let none = json!({"gen_ai.usage.cache_read.input_tokens": null, "gen_ai.usage.reasoning.output_tokens": null});
    match (major, object) {
        (4, _) => facts![counts()],
        (3 | 5, _) | (6, true) => facts![counts(), says(none)],
        (_, true) => facts![counts()],
        _ => facts![counts(), says(json!({"gen_ai.usage.text.output_tokens": 9}))],
    }
}

/// What the root counts: up to 5 that is the last step only.
fn sums(major: u8, object: bool) -> Vec<Fact> {
    let once = says(json!({"gen_ai.aggregated_usage.input_tokens": 57, "gen_ai.aggregated_usage.output_tokens": 17}));
    let parts = says(json!({"gen_ai.aggregated_usage.cache_read.input_tokens": 32, "gen_ai.aggregated_usage.reasoning.output_tokens": 8}));
    match (major, object) {
        (3..=5, _) | (6, true) => facts![once],
        (_, true) => facts![once, parts],
        _ => facts![both()],
    }
}

fn tool_call(major: u8, function: &str) -> Vec<Fact> {
    let who = if major < 5 { facts![also(&["resource.name"]), says(json!({"gen_ai.agent.name": function}))] } else { of(major, function) };
    facts![who, tool(), says(json!({"gen_ai.tool.call.id": "call_abc123"}))]
}

const STAMP: &[&str] = &["ai.response.timestamp"];

fn openai(major: u8) -> Vec<(&'static str, Vec<Fact>)> {
    let generate = "ai.generateText.doGenerate";
    let id = if major < 5 { "chatcmpl-1" } else { "resp_1" };
    let step = || {
        let tier = if major < 5 { json!({}) } else { json!({"openai.response.service_tier": "default"}) };
        facts![
            asks_model(major, "weather-agent", "gpt-4o-mini"),
            set(),
            tool_defined("get_weather"),
            answered_by(id),
            counted(major, false),
            client(major),
            says(tier),
            also(STAMP),
            also(&["ai.prompt.toolChoice"])
        ]
    };
    // Up to 4 it asks for chat completions, which don't tell of reasoning; 5 leaves it out of the answer.
    let calls = if major < 6 { called() } else { said(&[thought(), call("call_abc123", "get_weather")]) };
    let called = if major < 5 { called() } else { said(&[thought(), call("call_abc123", "get_weather")]) };
    let first = (generate, facts![step(), messages(json!([brief(), asked()]), json!([calls]), "tool_call")]);
    let run = ("ai.toolCall", tool_call(major, "weather-agent"));
    let [first, second] = if major == 7 { [run, first] } else { [first, run] };
    let object = || {
        let schema = if major < 5 { "tool_call" } else { "stop" };
        facts![messages(json!([asked()]), json!([text("assistant", OBJECT)]), schema), says(json!({"gen_ai.output.type": "json"}))]
    };
    let user = |word: &str| text("user", word);
    let embeds = |function, name, input| {
        let says = says(json!({
            "gen_ai.operation.name": "embeddings",
            "gen_ai.usage.input_tokens": 8,
            "gen_ai.embeddings.dimension.count": 3,
            "gen_ai.input.messages": input,
        }));
        (name, facts![asks(major, function, "text-embedding-3-small"), [Kind("EMBEDDING")], client(major), says])
    };
    let embedded = |function, name, key: &'static [&'static str]| {
        let says = says(json!({"gen_ai.aggregated_usage.input_tokens": 8, "gen_ai.embeddings.dimension.count": 3}));
        (name, facts![chain_root(major, function, "text-embedding-3-small"), client(major), says, also(key)])
    };
    // 7 has the calls of all steps on the root.
    let last = if major == 7 { said(&[part(ANSWER), call("call_abc123", "get_weather")]) } else { answered() };
    let choice = also(if major == 7 { &["ai.prompt.toolChoice"] } else { &[] });
    let broken = || facts![failed("AI_APICallError"), client(major), says(json!({"gen_ai.input.messages": [asked()]}))];
    vec![
        first,
        second,
        (generate, facts![step(), messages(json!([brief(), asked(), called, told(RESULT.into())]), json!([answered()]), "stop")]),
        (
            "ai.generateText",
            facts![
                agent_root(major, "weather-agent", "gpt-4o-mini"),
                set(),
                instructed("be brief"),
                messages(json!([asked()]), json!([last]), "stop"),
                sums(major, false),
                client(major),
                also(if major == 3 { &[] } else { &["ai.response.providerMetadata"] })
            ],
        ),
        (
            "ai.generateObject.doGenerate",
            facts![
                asks_model(major, "extract", "gpt-4o-mini"),
                object(),
                answered_by("chatcmpl-1"),
                counted(major, true),
                unknown(major),
                client(major),
                also(STAMP),
                also(if major < 5 { &["ai.settings.mode"] } else { &[] })
            ],
        ),
        (
            "ai.generateObject",
            facts![
                chain_root(major, "extract", "gpt-4o-mini"),
                object(),
                sums(major, true),
                unknown(major),
                client(major),
                also(if major < 5 { &["ai.schema"] } else { &["ai.schema", "ai.response.providerMetadata"] })
            ],
        ),
        embeds("vector", "ai.embed.doEmbed", json!([user("深圳")])),
        embedded("vector", "ai.embed", &["ai.value"]),
        embeds("vectors", "ai.embedMany.doEmbed", json!([user("深圳"), user("广州")])),
        embedded("vectors", "ai.embedMany", &["ai.values"]),
        (generate, facts![asks_model(major, "broken", "boom"), broken(), choice]),
        ("ai.generateText", facts![agent_root(major, "broken", "boom"), broken()]),
        around(),
    ]
}

#[test]
fn version_3() {
    hold("vercel-ai-js-3.4.33.openai.pb", openai(3));
}

#[test]
fn version_4() {
    hold("vercel-ai-js-4.3.19.openai.pb", openai(4));
}

#[test]
fn version_5() {
    hold("vercel-ai-js-5.0.277.openai.pb", openai(5));
}

#[test]
fn version_6() {
    hold("vercel-ai-js-6.0.326.openai.pb", openai(6));
}

#[test]
fn version_7_legacy() {
    hold("vercel-ai-js-7.0.173.openai-legacy.pb", openai(7));
}

/// How fast it came.
fn streamed(major: u8) -> Vec<Fact> {
    let speed: &[&str] = match major {
        4 => &["ai.response.msToFinish", "ai.response.avgCompletionTokensPerSecond"],
        _ => &["ai.response.msToFinish", "ai.response.avgOutputTokensPerSecond"],
    };
    facts![also(speed), also(STAMP), says(json!({"gen_ai.request.stream": true, "gen_ai.response.time_to_first_chunk": "…"}))]
}

fn streams(major: u8) -> Vec<(&'static str, Vec<Fact>)> {
    const CLAUDE: &str = "claude-sonnet-4-20250514";
    let stream = "ai.streamText.doStream";
    let claude = |function, tool| {
        facts![
            asks_model(major, function, CLAUDE),
            streamed(major),
            tool_defined(tool),
            claude_counts(),
            also(&["ai.prompt.toolChoice"]),
            says(json!({"gen_ai.response.id": "msg_1", "gen_ai.response.model": CLAUDE}))
        ]
    };
    let claude_root =
        |function| facts![agent_root(major, function, CLAUDE), instructed("be brief"), also(&["ai.response.providerMetadata"])];
    // 4 has the input without the cache, and tells of the cache once for all steps.
    let sums = |steps: u8| {
        let sum = if major == 4 {
            json!({"gen_ai.aggregated_usage.input_tokens": 25 * steps})
        } else {
            json!({
                "gen_ai.aggregated_usage.input_tokens": 124,
                "gen_ai.aggregated_usage.cache_read.input_tokens": 64,
                "gen_ai.aggregated_usage.cache_write.input_tokens": 10,
            })
        };
        facts![says(sum), says(json!({"gen_ai.aggregated_usage.output_tokens": 17 * steps}))]
    };
    let most = || says(json!({"gen_ai.request.max_tokens": 2048}));
    let ask = |name, thinks| {
        let parts = [thought(), part("I ask."), call("toolu_1", name)];
        if thinks { said(&parts) } else { said(&parts[1..]) }
    };
    let mut history = ask("get_weather", true);
    if major == 4 {
        history["parts"][0]["signature"] = "c2ln".into();
    }
    // 4 tells what the model thought to the next step only. A file of any image tells no type of its own.
    let seen = || seen(if major == 4 { Json::Null } else { "image/*".into() });
    let tool_of = |name| {
        let who = if major == 4 { also(&["resource.name"]).to_vec() } else { of(major, name) };
        let says = says(json!({"gen_ai.agent.name": name, "gen_ai.tool.call.id": "toolu_1"}));
        facts![who, tool(), says]
    };
    let mut spans = vec![
        ("ai.toolCall", tool_of("weather-agent")),
        (
            stream,
            facts![
                claude("weather-agent", "get_weather"),
                most(),
                messages(json!([brief(), seen()]), json!([ask("get_weather", major > 4)]), "tool_call")
            ],
        ),
        (
            stream,
            facts![
                claude("weather-agent", "get_weather"),
                most(),
                messages(json!([brief(), seen(), history, result("toolu_1", RESULT)]), json!([answered()]), "stop")
            ],
        ),
        (
            "ai.streamText",
            facts![
                claude_root("weather-agent"),
                most(),
                sums(2),
                messages(
                    json!([super::vercel::seen(Json::Null)]),
                    // 4 puts the texts of all steps together.
                    json!([if major == 4 { said(&[part(&format!("I ask.{ANSWER}"))]) } else { answered() }]),
                    "stop"
                )
            ],
        ),
        (
            "ai.toolCall",
            facts![
                tool_of("broken-tool"),
                failed("TypeError"),
                says(json!({"gen_ai.tool.name": "broken", "gen_ai.tool.call.result": null}))
            ],
        ),
        (stream, facts![claude("broken-tool", "broken"), messages(json!([brief(), asked()]), json!([ask("broken", false)]), "tool_call")]),
    ];
    if major == 4 {
        // The failure ended it.
        let root = messages(json!([asked()]), json!([ask("broken", false)]), "tool_call");
        spans.push(("ai.streamText", facts![claude_root("broken-tool"), sums(1), root]));
    } else {
        let refused = result("toolu_1", "no weather today");
        spans.extend([
            (
                stream,
                facts![
                    claude("broken-tool", "broken"),
                    messages(json!([brief(), asked(), ask("broken", false), refused]), json!([answered()]), "stop")
                ],
            ),
            ("ai.streamText", facts![claude_root("broken-tool"), sums(2), messages(json!([asked()]), json!([answered()]), "stop")]),
        ]);
    }
    let options = || says(json!({"gen_ai.request.seed": 7, "gen_ai.request.stop_sequences": ["END"]}));
    let whole = || messages(json!([asked()]), json!([answered()]), "stop");
    let object = |reason: Json| {
        says(json!({
            "gen_ai.input.messages": [asked()],
            "gen_ai.output.messages": [text("assistant", OBJECT)],
            "gen_ai.response.finish_reasons": reason,
            "gen_ai.output.type": "json",
        }))
    };
    let once = || {
        let once = json!({"gen_ai.aggregated_usage.input_tokens": 57, "gen_ai.aggregated_usage.output_tokens": 17});
        let parts = json!({"gen_ai.aggregated_usage.cache_read.input_tokens": 32, "gen_ai.aggregated_usage.reasoning.output_tokens": 8});
        facts![says(once), says(if major == 4 { json!({}) } else { parts })]
    };
    let broken = || facts![failed("AI_APICallError"), says(json!({"gen_ai.input.messages": [asked()]}))];
    let mode = also(if major == 4 { &["ai.settings.mode"] } else { &[] });
    spans.extend([
        (
            stream,
            facts![
                asks_model(major, "answer", "gpt-4o-mini"),
                streamed(major),
                counted(major, false),
                answered_by("chatcmpl-1"),
                options(),
                whole()
            ],
        ),
        (
            "ai.streamText",
            facts![agent_root(major, "answer", "gpt-4o-mini"), once(), options(), whole(), also(&["ai.response.providerMetadata"])],
        ),
        (
            "ai.streamObject.doStream",
            facts![
                asks_model(major, "extract", "gpt-4o-mini"),
                also(STAMP),
                says(json!({"gen_ai.request.stream": true, "gen_ai.response.time_to_first_chunk": "…"})),
                counts(),
                answered_by("chatcmpl-1"),
                object(json!([if major == 4 { "tool_call" } else { "stop" }])),
                mode
            ],
        ),
        (
            "ai.streamObject",
            facts![
                chain_root(major, "extract", "gpt-4o-mini"),
                once(),
                object(Json::Null),
                also(&["ai.schema", "ai.response.providerMetadata"])
            ],
        ),
        (
            stream,
            facts![
                asks_model(major, "broken", "boom"),
                broken(),
                says(json!({"gen_ai.provider.name": "anthropic", "gen_ai.request.stream": true}))
            ],
        ),
    ]);
    if major == 4 {
        let says = says(json!({"gen_ai.provider.name": "anthropic"}));
        spans.push(("ai.streamText", facts![agent_root(major, "broken", "boom"), broken(), says]));
    } else {
        // 6 never ends the root of a stream that failed.
        let last = spans.len() - 1;
        spans[last].1.extend(entry());
    }
    spans.push(around());
    spans
}

#[test]
fn streams_of_version_4() {
    hold("vercel-ai-js-4.3.19.stream.pb", streams(4));
}

#[test]
fn streams_of_version_6() {
    hold("vercel-ai-js-6.0.326.stream.pb", streams(6));
}

#[test]
fn agent_class_and_nothing_recorded() {
    let step = |function| {
        let says = says(json!({"openai.response.service_tier": "default"}));
        facts![asks_model(6, function, "gpt-4o-mini"), answered_by("resp_1"), counted(6, false), client(6), also(STAMP), says]
    };
    let shop = || facts![step("shop"), tool_defined("get_weather"), also(&["ai.prompt.toolChoice"])];
    let hidden = |reason| {
        let says = says(json!({"openai.response.service_tier": null, "gen_ai.response.finish_reasons": [reason]}));
        ("ai.generateText.doGenerate", facts![step("hidden"), says])
    };
    let calls = || said(&[thought(), call("call_abc123", "get_weather")]);
    let nothing = json!({"gen_ai.tool.call.arguments": null, "gen_ai.tool.call.result": null});
    let root = |function| facts![agent_root(6, function, "gpt-4o-mini"), sums(6, false), client(6)];
    hold(
        "vercel-ai-js-6.0.326.agent.pb",
        vec![
            ("ai.generateText.doGenerate", facts![shop(), messages(json!([brief(), asked()]), json!([calls()]), "tool_call")]),
            ("ai.toolCall", tool_call(6, "shop")),
            (
                "ai.generateText.doGenerate",
                facts![shop(), messages(json!([brief(), asked(), calls(), told(RESULT.into())]), json!([answered()]), "stop")],
            ),
            (
                "ai.generateText",
                facts![
                    root("shop"),
                    instructed("be brief"),
                    messages(json!([asked()]), json!([answered()]), "stop"),
                    also(&["ai.response.providerMetadata"])
                ],
            ),
            hidden("tool_call"),
            ("ai.toolCall", facts![tool_call(6, "hidden"), says(nothing)]),
            hidden("stop"),
            ("ai.generateText", facts![root("hidden"), says(json!({"gen_ai.response.finish_reasons": ["stop"]}))]),
            around(),
        ],
    );
}
