//! OpenLLMetry (Traceloop) in JavaScript: `traceloop_js.mjs`.

use super::facts::{Fact::*, *};
use super::hold;
use super::vercel::{PIXEL, answered_by, call, claude_counts, part, said};
use crate::facts;
use serde_json::{Value as Json, json};

const CLAUDE: &str = "claude-sonnet-4-20250514";

/// It knows nothing of the parts.
fn counted() -> Vec<Fact> {
    let none = json!({"gen_ai.usage.cache_read.input_tokens": null, "gen_ai.usage.reasoning.output_tokens": null});
    facts![counts(), says(none)]
}

/// What stands around the calls of `openai`, in every version: an agent, a workflow, and a tool.
pub fn decorated() -> [(&'static str, Vec<Fact>); 3] {
    let run = |name: &str, word: &str| {
        let says = says(json!({"gen_ai.agent.name": name, "gen_ai.operation.name": word}));
        facts![who(), says, also(&["traceloop.entity.input", "traceloop.entity.path", "traceloop.workflow.name"])]
    };
    [
        ("shop.agent", facts![run("shop", "invoke_agent"), [Kind("AGENT")]]),
        ("support.workflow", facts![run("support", "invoke_workflow"), entry(), [Kind("WORKFLOW")]]),
        ("get_weather.tool", facts![tool(), entry(), also(&["traceloop.entity.path"])]),
    ]
}

#[test]
fn openai() {
    // The agent around it names the workflow too.
    let model = || {
        let says = says(json!({"gen_ai.agent.name": "shop"}));
        facts![chat("openai", "gpt-4o-mini"), who(), says, also(&["traceloop.workflow.name"])]
    };
    let whole = |id: &str| facts![model(), answered_by(id), counted()];
    let stream = || facts![model(), answered_by("chatcmpl-1")];
    // It counts the texts of a stream by itself.
    let guess = says(json!({"gen_ai.usage.input_tokens": 6, "gen_ai.usage.output_tokens": 12}));
    let image =
        json!({"role": "user", "parts": [part("深圳天气如何?"), {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}]});
    let answer = |input: Json| messages(input, ended(answered(), "stop"), "stop");
    let calls = |input: Json| messages(input, ended(called(), "tool_call"), "tool_call");
    let [agent, workflow, own_tool] = decorated();
    hold(
        "openllmetry-js-0.27.0.openai.pb",
        vec![
            (
                "chat gpt-4o-mini",
                facts![
                    whole("chatcmpl-1"),
                    defined(parameters()),
                    calls(json!([brief(), asked()])),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.top_p": 0.9, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            ("chat gpt-4o-mini", facts![whole("chatcmpl-1"), defined(parameters()), answer(history())]),
            ("chat gpt-4o-mini", facts![stream(), guess, answer(json!([brief(), asked()]))]),
            ("chat gpt-4o-mini", facts![stream(), defined(parameters()), calls(json!([asked()]))]),
            ("chat gpt-4o-mini", facts![whole("chatcmpl-1"), answer(json!([image]))]),
            // Of the newer API it reads texts only: not the call, nor what came before as items.
            (
                "chat gpt-4o-mini",
                facts![
                    whole("resp_1"),
                    messages(json!([asked()]), ended(said(&[part("")]), "stop"), "stop"),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))
                ],
            ),
            ("chat gpt-4o-mini", facts![whole("resp_1"), answer(json!([text("user", "…")]))]),
            ("chat gpt-4o-mini", facts![model(), says(json!({"gen_ai.input.messages": [asked()]}))]),
            agent,
            workflow,
            own_tool,
            around(),
        ],
    );
}

/// Anthropic's own client has spans too, below these, with the usage of the same calls: it is counted there.
#[test]
fn anthropic() {
    let thinking: &[&str] = &["gen_ai.request.thinking.budget_tokens", "gen_ai.request.thinking_type"];
    let claude = || {
        let says = says(json!({"gen_ai.response.model": CLAUDE, "gen_ai.request.max_tokens": 2048}));
        facts![chat("anthropic", CLAUDE), entry(), instructed("be brief"), says]
    };
    let repeated = || {
        facts![
            claude(),
            says(json!({
                "gen_ai.aggregated_usage.input_tokens": 62,
                "gen_ai.aggregated_usage.cache_read.input_tokens": 32,
                "gen_ai.aggregated_usage.cache_write.input_tokens": 5,
                "gen_ai.aggregated_usage.output_tokens": 17,
            }))
        ]
    };
    let client = |model: &str| {
        facts![
            chat("anthropic", model),
            says(json!({"gen_ai.request.max_tokens": 2048, "server.address": "127.0.0.1"})),
            also(&["http.request.method", "http.response.status_code", "http.route", "server.port", "url.full", "url.path", "url.scheme"])
        ]
    };
    let called = |reason| {
        let says = says(json!({
            "gen_ai.response.model": CLAUDE, "gen_ai.response.id": "msg_1", "gen_ai.response.finish_reasons": [reason]}));
        facts![client(CLAUDE), claude_counts(), says]
    };
    let thinks = || also(&["anthropic.thinking.budget_tokens", "anthropic.thinking.type"]);
    let stream = || says(json!({"gen_ai.request.stream": true, "gen_ai.response.time_to_first_chunk": "…"}));
    let options = || says(json!({"gen_ai.request.temperature": 1.0, "gen_ai.request.top_k": 40}));
    let image = || {
        json!({"role": "user", "parts": [
            part("深圳天气如何?"), {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PIXEL}]})
    };
    let thought = |text: &str| json!({"type": "reasoning", "content": text});
    let calls = || said(&[thought("ask the tool"), part("I ask."), call("toolu_1", "get_weather")]);
    let result = json!({"role": "user", "parts": [{"type": "tool_call_response", "id": "toolu_1", "response": RESULT}]});
    // Of a stream it puts together no more than the text.
    let mut pieces = call("toolu_1", "get_weather");
    pieces["arguments"] = json!({});
    let in_stream = |output: Json| says(json!({"gen_ai.input.messages": [asked()], "gen_ai.output.messages": ended(output, "")}));
    hold(
        "openllmetry-js-0.27.0.anthropic.pb",
        vec![
            ("anthropic.messages.create", facts![called("tool_call"), thinks()]),
            ("anthropic.messages.create", called("stop")),
            ("anthropic.messages.create", facts![called("tool_call"), thinks(), stream(), options()]),
            ("anthropic.messages.create", facts![called("stop"), stream(), entry()]),
            ("anthropic.messages.create", facts![client("boom"), failed("server_error"), [Events(&[])]]),
            (
                "chat claude-sonnet-4-20250514",
                facts![repeated(), also(thinking), messages(json!([image()]), ended(calls(), "tool_call"), "tool_call")],
            ),
            (
                "chat claude-sonnet-4-20250514",
                facts![repeated(), messages(json!([image(), calls(), result]), ended(answered(), "stop"), "stop")],
            ),
            (
                "chat claude-sonnet-4-20250514",
                facts![repeated(), also(thinking), options(), in_stream(said(&[thought(""), part("I ask."), pieces]))],
            ),
            // The second of a stream runs beside the client's, not above it.
            ("chat claude-sonnet-4-20250514", facts![claude(), claude_counts(), in_stream(answered())]),
            (
                "chat boom",
                facts![
                    chat("anthropic", "boom"),
                    entry(),
                    instructed("be brief"),
                    failed("Error"),
                    says(json!({"gen_ai.request.max_tokens": 2048, "gen_ai.input.messages": [asked()]}))
                ],
            ),
            around(),
        ],
    );
}

/// Every run is a span of its own below whatever runs: each is the outermost.
#[test]
fn langchain() {
    let run = |class: &str| {
        facts![
            [Kind("WORKFLOW")],
            entry(),
            says(json!({"gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": class})),
            also(&["traceloop.entity.input", "traceloop.entity.output"])
        ]
    };
    let sequence = || ("workflow RunnableSequence", run("RunnableSequence"));
    let lambda = || ("workflow RunnableLambda", run("RunnableLambda"));
    let model = || facts![chat("openai", "gpt-4o-mini"), entry(), counted(), says(json!({"gen_ai.response.model": "gpt-4o-mini"}))];
    let answer = |input: Json| messages(input, ended(answered(), "stop"), "stop");
    // It keeps the texts of a message only.
    let past = json!([brief(), asked(), text("assistant", ""), text("tool", RESULT)]);
    hold(
        "openllmetry-js-0.27.0.langchain.pb",
        vec![
            sequence(),
            lambda(),
            ("chat gpt-4o-mini", facts![model(), messages(json!([brief(), asked()]), ended(said(&[part("")]), "tool_call"), "tool_call")]),
            sequence(),
            lambda(),
            sequence(),
            (
                "execute_tool DynamicStructuredTool",
                facts![
                    tool(),
                    entry(),
                    also(&["traceloop.entity.name", "traceloop.span.kind"]),
                    says(json!({"gen_ai.tool.call.id": "call_abc123"}))
                ],
            ),
            sequence(),
            lambda(),
            ("chat gpt-4o-mini", facts![model(), answer(past)]),
            sequence(),
            lambda(),
            sequence(),
            ("workflow CompiledStateGraph", run("CompiledStateGraph")),
            ("chat gpt-4o-mini", facts![model(), answer(json!([brief(), asked()]))]),
            ("workflow prompt", run("prompt")),
            ("chat gpt-4o-mini", facts![model(), answer(json!([brief(), asked()]))]),
            ("workflow parser", run("parser")),
            sequence(),
            ("chat boom", facts![chat("openai", "boom"), entry(), failed("Error"), says(json!({"gen_ai.input.messages": [asked()]}))]),
            around(),
        ],
    );
}
