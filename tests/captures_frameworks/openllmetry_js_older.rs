//! OpenLLMetry (Traceloop) in JavaScript before it had OTel's messages: flattened, and the Vercel SDK's spans in part.

use super::facts::{Fact::*, *};
use super::hold;
use super::openllmetry_js::decorated;
use super::vercel::{OBJECT, PIXEL, answered_by, call, part, said, tool_defined};
use crate::facts;
use serde_json::{Value as Json, json};

const CLAUDE: &str = "claude-sonnet-4-20250514";

fn counted(input: u32, output: u32) -> Vec<Fact> {
    facts![says(json!({"gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output}))]
}

#[test]
fn openai() {
    let model = || {
        let says = says(json!({"gen_ai.response.model": "gpt-4o-mini-2024-07-18"}));
        facts![chat("openai", "gpt-4o-mini"), who(), says, also(&["traceloop.workflow.name"])]
    };
    let whole = || facts![model(), counted(57, 17)];
    let image =
        json!({"role": "user", "parts": [part("深圳天气如何?"), {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}]});
    // It keeps no ids, and writes a content that is none as JSON.
    let mut calls = called();
    calls["parts"][0].as_object_mut().unwrap().remove("id");
    let result = json!({"role": "tool", "parts": [{"type": "tool_call_response", "response": RESULT}]});
    let past = json!([brief(), asked(), text("assistant", "null"), result]);
    let [agent, workflow, own_tool] = decorated();
    hold(
        "openllmetry-js-0.14.6.openai.pb",
        vec![
            (
                "openai.chat",
                facts![
                    whole(),
                    defined(parameters()),
                    messages(json!([brief(), asked()]), json!([calls]), "tool_call"),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.top_p": 0.9, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            ("openai.chat", facts![whole(), defined(parameters()), messages(past, json!([answered()]), "stop")]),
            // It counts the texts of a stream by itself.
            ("openai.chat", facts![model(), counted(6, 12), messages(json!([brief(), asked()]), json!([answered()]), "stop")]),
            ("openai.chat", facts![model(), defined(parameters()), messages(json!([asked()]), json!([calls]), "tool_call")]),
            ("openai.chat", facts![whole(), messages(json!([image]), json!([answered()]), "stop")]),
            agent,
            workflow,
            own_tool,
            around(),
        ],
    );
}

#[test]
fn anthropic() {
    // It knows nothing of the cache.
    let claude = || {
        facts![
            chat("anthropic", CLAUDE),
            entry(),
            counted(25, 17),
            says(json!({"gen_ai.response.model": CLAUDE, "gen_ai.request.max_tokens": 2048}))
        ]
    };
    let image = || {
        json!({"role": "user", "parts": [
            part("深圳天气如何?"), {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PIXEL}]})
    };
    let calls = || {
        let thought = json!({"type": "reasoning", "content": "ask the tool", "signature": "c2ln"});
        said(&[thought, part("I ask."), call("toolu_1", "get_weather")])
    };
    let result = json!({"role": "user", "parts": [{"type": "tool_call_response", "id": "toolu_1", "response": RESULT}]});
    // Of a stream it puts together no more than the text, and forgets why it ended.
    let mut pieces = call("toolu_1", "get_weather");
    pieces["arguments"] = json!({});
    let streamed = said(&[json!({"type": "reasoning", "content": ""}), part("I ask."), pieces]);
    let in_stream = |output: Json| says(json!({"gen_ai.input.messages": [brief(), asked()], "gen_ai.output.messages": [output]}));
    hold(
        "openllmetry-js-0.14.6.anthropic.pb",
        vec![
            ("anthropic.chat", facts![claude(), messages(json!([brief(), image()]), json!([calls()]), "tool_call")]),
            ("anthropic.chat", facts![claude(), messages(json!([brief(), image(), calls(), result]), json!([answered()]), "stop")]),
            (
                "anthropic.chat",
                facts![claude(), in_stream(streamed), says(json!({"gen_ai.request.temperature": 1.0, "gen_ai.request.top_k": 40}))],
            ),
            ("anthropic.chat", facts![claude(), in_stream(answered())]),
            (
                "anthropic.chat",
                facts![
                    chat("anthropic", "boom"),
                    entry(),
                    failed("Error"),
                    says(json!({"gen_ai.request.max_tokens": 2048, "gen_ai.input.messages": [brief(), asked()]}))
                ],
            ),
            around(),
        ],
    );
}

/// Of LangChain it sees sequences, each by its class, and of the model nothing.
#[test]
fn langchain() {
    let run = || {
        let kept = Left(&["traceloop.entity.input", "traceloop.entity.output", "traceloop.span.kind"]);
        ("RunnableSequence.task", facts![[Kind("TASK"), kept]])
    };
    let outer = || (run().0, facts![run().1, entry()]);
    hold("openllmetry-js-0.14.6.langchain.pb", vec![outer(), run(), outer(), outer(), run(), outer(), outer(), around()]);
}

#[test]
fn vercel() {
    const CLIENT: &[&str] = &["ai.request.headers.user-agent"];
    let of = || facts![who(), says(json!({"gen_ai.agent.name": "weather-agent"})), also(&["resource.name"])];
    let asks = |model: &str| {
        let says = says(json!({"gen_ai.provider.name": "openai", "gen_ai.request.model": model}));
        facts![of(), says, also(&["ai.settings.maxRetries"])]
    };
    let model = |name: &str| facts![asks(name), [Kind("LLM")], says(json!({"gen_ai.operation.name": "chat"}))];
    let full = || facts![model("gpt-4o-mini"), answered_by("chatcmpl-1"), also(&["ai.response.timestamp"])];
    let warm = || says(json!({"gen_ai.request.temperature": 0.3}));
    let step = || facts![full(), counted(57, 17), warm(), tool_defined("get_weather"), also(CLIENT), also(&["ai.prompt.toolChoice"])];
    let sum = || says(json!({"gen_ai.aggregated_usage.input_tokens": 57, "gen_ai.aggregated_usage.output_tokens": 17}));
    let root = |name: &str| {
        let says = says(json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": [asked()]}));
        facts![asks(name), [Kind("AGENT")], entry(), instructed("be brief"), says]
    };
    let whole = || messages(json!([asked()]), json!([answered()]), "stop");
    let object = |input: Json| {
        let says = says(json!({"gen_ai.output.type": "json"}));
        facts![messages(input, json!([text("assistant", OBJECT)]), "stop"), says, also(CLIENT)]
    };
    let metadata = || also(&["ai.response.providerMetadata"]);
    hold(
        "openllmetry-js-0.14.6.vercel.pb",
        vec![
            ("ai.generateText.generate", facts![step(), messages(json!([brief(), asked()]), json!([called()]), "tool_call")]),
            ("ai.toolCall", facts![of(), tool(), says(json!({"gen_ai.tool.call.id": "call_abc123"}))]),
            ("ai.generateText.generate", facts![step(), messages(history(), json!([answered()]), "stop")]),
            ("ai.generateText", facts![root("gpt-4o-mini"), sum(), warm(), whole(), metadata(), also(CLIENT)]),
            (
                "ai.streamText.stream",
                facts![
                    full(),
                    counts(),
                    messages(json!([brief(), asked()]), json!([answered()]), "stop"),
                    says(json!({"gen_ai.request.stream": true, "gen_ai.response.time_to_first_chunk": "…"})),
                    also(&["ai.response.avgOutputTokensPerSecond", "ai.response.msToFinish"])
                ],
            ),
            (
                "ai.streamText",
                facts![
                    root("gpt-4o-mini"),
                    sum(),
                    whole(),
                    metadata(),
                    says(json!({
                        "gen_ai.aggregated_usage.cache_read.input_tokens": 32, "gen_ai.aggregated_usage.reasoning.output_tokens": 8}))
                ],
            ),
            (
                "ai.generateObject.doGenerate",
                facts![
                    full(),
                    object(json!([brief(), asked()])),
                    says(json!({"gen_ai.usage.input_tokens": 57, "gen_ai.usage.output_tokens": 17}))
                ],
            ),
            (
                "ai.generateObject",
                facts![
                    asks("gpt-4o-mini"),
                    [Kind("CHAIN")],
                    entry(),
                    instructed("be brief"),
                    sum(),
                    object(json!([asked()])),
                    metadata(),
                    also(&["ai.operationId", "ai.schema"])
                ],
            ),
            (
                "ai.generateText.generate",
                facts![model("boom"), failed("AI_APICallError"), also(CLIENT), says(json!({"gen_ai.input.messages": [brief(), asked()]}))],
            ),
            ("ai.generateText", facts![root("boom"), failed("AI_APICallError"), also(CLIENT)]),
            around(),
        ],
    );
}
