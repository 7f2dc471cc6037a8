//! The native class of the Vercel AI SDK 7: `vercel_js.mjs`.

use super::facts::{Fact::*, *};
use super::hold;
use super::vercel::{OBJECT, answered_by, call, claude_counts, part, said, seen, set, thought, tool_defined};
use crate::facts;
use serde_json::{Value as Json, json};

const CLAUDE: &str = "claude-sonnet-4-20250514";

/// OTel's own words for what OpenAI counted: none for the reasoning.
fn counted() -> Vec<Fact> {
    facts![counts(), says(json!({"gen_ai.usage.reasoning.output_tokens": null}))]
}

/// What the steps count together.
fn sums(steps: u32) -> [Fact; 1] {
    says(json!({
        "gen_ai.aggregated_usage.input_tokens": 57 * steps,
        "gen_ai.aggregated_usage.cache_read.input_tokens": 32 * steps,
        "gen_ai.aggregated_usage.output_tokens": 17 * steps,
    }))
}

/// Around the calls of a model.
fn root(function: &str, provider: &str, model: &str) -> Vec<Fact> {
    let says = says(json!({"gen_ai.provider.name": provider, "gen_ai.request.model": model}));
    facts![agent(function), entry(), says]
}

/// OTel has no word for it.
fn step() -> Vec<Fact> {
    facts![chain(&["gen_ai.operation.name"])]
}

fn tool_run() -> Vec<Fact> {
    facts![tool(), says(json!({"gen_ai.tool.type": "function", "gen_ai.tool.call.id": "call_abc123"}))]
}

/// The answer with its reason.
fn finish(input: Json, message: Json, reason: &str) -> [Fact; 1] {
    messages(input, ended(message, reason), reason)
}

/// Where the client's address is known.
fn reached() -> Vec<Fact> {
    facts![also(&["server.port"]), says(json!({"server.address": "127.0.0.1"}))]
}

fn broken() -> Vec<Fact> {
    facts![failed("AI_APICallError"), also(&["http.response.status_code"])]
}

fn calls() -> Json {
    said(&[thought(), call("call_abc123", "get_weather")])
}

/// 7 has the calls of all steps, and their results, on the root.
fn all(id: &str, name: &str, result: Option<&str>) -> Json {
    let mut parts = vec![part(ANSWER), call(id, name)];
    parts.extend(result.map(|result| json!({"type": "tool_call_response", "id": id, "response": result})));
    said(&parts)
}

/// `more`: what the options add.
fn openai(more: bool) -> Vec<(&'static str, Vec<Fact>)> {
    let if_more = |facts: Vec<Fact>| if more { facts } else { Vec::new() };
    let details = |whole: Json| if_more(facts![says(if whole.is_null() { json!({}) } else { whole })]);
    let of_call = || details(json!({"gen_ai.usage.reasoning.output_tokens": 8, "gen_ai.usage.text.output_tokens": 9}));
    let of_steps = |n: u8| {
        let reasoning = says(json!({"gen_ai.aggregated_usage.reasoning.output_tokens": 8 * n}));
        if_more(facts![reasoning, also(&["ai.response.providerMetadata"])])
    };
    let known = || if_more(who().to_vec());
    let tier = || if_more(says(json!({"openai.response.service_tier": "default"})).to_vec());
    let step = || facts![step(), known(), if_more(facts![also(&["ai.prompt.toolChoice"])])];
    let chat_of = || {
        facts![
            chat("openai", "gpt-4o-mini"),
            set(),
            instructed("be brief"),
            tool_defined("get_weather"),
            counted(),
            answered_by("resp_1"),
            of_call(),
            tier()
        ]
    };
    let object =
        |input: &Json| facts![finish(json!([input]), text("assistant", OBJECT), "stop"), says(json!({"gen_ai.output.type": "json"}))];
    let embeds = |outer: bool, texts: &[&str]| {
        let input: Json = texts.iter().map(|word| text("user", word)).collect();
        let more = if_more(facts![who(), says(json!({"gen_ai.embeddings.dimension.count": 3}))]);
        // A single text is no list that could be one of messages.
        let single = outer && texts.len() == 1;
        let input = if single { facts![also(&["ai.value"])] } else { facts![says(json!({"gen_ai.input.messages": input}))] };
        let says = says(json!({
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.usage.input_tokens": if outer { Json::Null } else { 8.into() },
        }));
        (
            "embeddings text-embedding-3-small",
            facts![[Kind("EMBEDDING")], says, more, if_more(input), if outer { entry().to_vec() } else { vec![] }],
        )
    };
    let asks = || says(json!({"gen_ai.input.messages": [asked()]}));
    vec![
        ("chat gpt-4o-mini", facts![chat_of(), finish(json!([asked()]), calls(), "tool_call")]),
        ("execute_tool get_weather", tool_run()),
        ("step 1", facts![step(), of_steps(1)]),
        ("chat gpt-4o-mini", facts![chat_of(), finish(json!([asked(), calls(), told(RESULT.into())]), answered(), "stop")]),
        ("step 2", facts![step(), of_steps(1)]),
        (
            "invoke_agent gpt-4o-mini",
            facts![
                root("weather-agent", "openai", "gpt-4o-mini"),
                set(),
                instructed("be brief"),
                sums(2),
                finish(json!([asked()]), all("call_abc123", "get_weather", Some(RESULT)), "stop"),
                of_steps(2),
                known()
            ],
        ),
        (
            "chat gpt-4o-mini",
            facts![chat("openai", "gpt-4o-mini"), counted(), answered_by("chatcmpl-1"), object(&asked()), reached(), of_call()],
        ),
        (
            "invoke_agent gpt-4o-mini",
            facts![root("extract", "openai", "gpt-4o-mini"), sums(1), object(&asked()), of_steps(1), if_more(facts![also(&["ai.schema"])])],
        ),
        embeds(false, &["深圳"]),
        embeds(true, &["深圳"]),
        embeds(false, &["深圳", "广州"]),
        embeds(true, &["深圳", "广州"]),
        ("chat boom", facts![chat("openai", "boom"), asks(), broken()]),
        ("step 1", facts![step(), broken()]),
        ("invoke_agent boom", facts![root("broken", "openai", "boom"), asks(), broken(), known()]),
        around(),
    ]
}

#[test]
fn calls_of_openai() {
    hold("vercel-ai-js-7.0.173.openai.pb", openai(false));
}

#[test]
fn with_all_that_the_options_add() {
    hold("vercel-ai-js-7.0.173.openai-more.pb", openai(true));
}

#[test]
fn agent_class_and_nothing_recorded() {
    let call = || facts![chat("openai", "gpt-4o-mini"), counted(), answered_by("resp_1")];
    let shop = || facts![call(), instructed("be brief"), tool_defined("get_weather")];
    let hidden = |reason| ("chat gpt-4o-mini", facts![call(), says(json!({"gen_ai.response.finish_reasons": [reason]}))]);
    let nothing = json!({"gen_ai.tool.call.arguments": null, "gen_ai.tool.call.result": null});
    let root = |function| facts![root(function, "openai", "gpt-4o-mini"), sums(2)];
    hold(
        "vercel-ai-js-7.0.173.agent.pb",
        vec![
            ("chat gpt-4o-mini", facts![shop(), finish(json!([asked()]), calls(), "tool_call")]),
            ("execute_tool get_weather", tool_run()),
            ("step 1", step()),
            ("chat gpt-4o-mini", facts![shop(), finish(json!([asked(), calls(), told(RESULT.into())]), answered(), "stop")]),
            ("step 2", step()),
            (
                "invoke_agent gpt-4o-mini",
                facts![
                    root("shop"),
                    instructed("be brief"),
                    finish(json!([asked()]), all("call_abc123", "get_weather", Some(RESULT)), "stop")
                ],
            ),
            hidden("tool_call"),
            ("execute_tool get_weather", facts![tool_run(), says(nothing)]),
            ("step 1", step()),
            hidden("stop"),
            ("step 2", step()),
            ("invoke_agent gpt-4o-mini", facts![root("hidden"), says(json!({"gen_ai.response.finish_reasons": ["stop"]}))]),
            around(),
        ],
    );
}

#[test]
fn streams() {
    let first = |chunks: bool| {
        let per: &[&str] = if chunks { &["gen_ai.client.operation.time_per_output_chunk"] } else { &[] };
        facts![also(per), says(json!({"gen_ai.response.time_to_first_chunk": "…"}))]
    };
    // A text comes in one piece from Anthropic here.
    let claude = |tool, chunks| {
        facts![
            chat("anthropic", CLAUDE),
            instructed("be brief"),
            tool_defined(tool),
            claude_counts(),
            first(chunks),
            says(json!({"gen_ai.response.id": "msg_1", "gen_ai.response.model": CLAUDE}))
        ]
    };
    let claude_root = |function| {
        let sums = says(json!({
            "gen_ai.aggregated_usage.input_tokens": 124,
            "gen_ai.aggregated_usage.cache_read.input_tokens": 64,
            "gen_ai.aggregated_usage.cache_write.input_tokens": 10,
            "gen_ai.aggregated_usage.output_tokens": 34,
        }));
        ("invoke_agent claude-sonnet-4-20250514", facts![root(function, "anthropic", CLAUDE), instructed("be brief"), sums])
    };
    let most = || says(json!({"gen_ai.request.max_tokens": 2048}));
    let image = || seen("image/png".into());
    let thinks = || said(&[thought(), part("I ask."), call("toolu_1", "get_weather")]);
    let tries = || said(&[part("I ask."), call("toolu_1", "broken")]);
    // Its own parts stand before the others once the message goes back.
    let custom = |message: Json| {
        let mut parts = vec![json!({"type": "custom"})];
        parts.extend(message["parts"].as_array().into_iter().flatten().cloned());
        said(&parts)
    };
    let result = |text: &str| json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": "toolu_1", "response": text}]});
    let of_claude = "chat claude-sonnet-4-20250514";
    let (name, agent) = claude_root("weather-agent");
    let (_, failing) = claude_root("broken-tool");
    let stop = || says(json!({"gen_ai.request.stop_sequences": ["END"]}));
    let whole = || finish(json!([asked()]), answered(), "stop");
    let object = || facts![finish(json!([asked()]), text("assistant", OBJECT), "stop"), says(json!({"gen_ai.output.type": "json"}))];
    let asks = || says(json!({"gen_ai.input.messages": [asked()]}));
    hold(
        "vercel-ai-js-7.0.173.stream.pb",
        vec![
            (of_claude, facts![claude("get_weather", true), most(), finish(json!([image()]), thinks(), "tool_call")]),
            ("execute_tool get_weather", facts![tool_run(), says(json!({"gen_ai.tool.call.id": "toolu_1"}))]),
            ("step 1", step()),
            (
                of_claude,
                facts![
                    claude("get_weather", false),
                    most(),
                    finish(json!([image(), custom(thinks()), result(RESULT)]), answered(), "stop")
                ],
            ),
            ("step 2", step()),
            (name, facts![agent, most(), finish(json!([image()]), all("toolu_1", "get_weather", Some(RESULT)), "stop")]),
            (of_claude, facts![claude("broken", true), finish(json!([asked()]), tries(), "tool_call")]),
            (
                "execute_tool broken",
                facts![
                    tool_run(),
                    failed("TypeError"),
                    says(json!({"gen_ai.tool.name": "broken", "gen_ai.tool.call.id": "toolu_1", "gen_ai.tool.call.result": null}))
                ],
            ),
            ("step 1", step()),
            (
                of_claude,
                facts![
                    claude("broken", false),
                    finish(json!([asked(), custom(tries()), result("TypeError: no weather today")]), answered(), "stop")
                ],
            ),
            ("step 2", step()),
            (name, facts![failing, finish(json!([asked()]), all("toolu_1", "broken", None), "stop")]),
            (
                "chat gpt-4o-mini",
                facts![chat("openai", "gpt-4o-mini"), counted(), answered_by("chatcmpl-1"), stop(), whole(), reached(), first(true)],
            ),
            ("step 1", step()),
            (
                "invoke_agent gpt-4o-mini",
                facts![root("answer", "openai", "gpt-4o-mini"), sums(1), stop(), whole(), says(json!({"gen_ai.request.seed": 7}))],
            ),
            ("chat gpt-4o-mini", facts![chat("openai", "gpt-4o-mini"), counted(), answered_by("chatcmpl-1"), object(), reached()]),
            ("invoke_agent gpt-4o-mini", facts![root("extract", "openai", "gpt-4o-mini"), sums(1), object()]),
            ("chat boom", facts![chat("anthropic", "boom"), asks(), broken()]),
            ("step 1", facts![step(), broken()]),
            ("invoke_agent boom", facts![root("broken", "anthropic", "boom"), asks(), broken()]),
            around(),
        ],
    );
}
