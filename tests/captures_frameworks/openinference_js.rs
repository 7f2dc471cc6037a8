//! OpenInference's JavaScript instrumentations: `openinference_js.mjs`.

use super::facts::{Fact::*, *};
use super::hold;
use super::vercel::{PIXEL, answered_by, call, claude_counts, part, said};
use crate::facts;
use serde_json::{Value as Json, json};

const CLAUDE: &str = "claude-sonnet-4-20250514";

/// What the context says on every span below.
fn known() -> Vec<Fact> {
    let says = says(json!({"gen_ai.prompt.version": "v1", "gen_ai.prompt.variable.city": "深圳"}));
    facts![who(), says, also(&["llm.prompt_template.template", "metadata", "tag.tags"])]
}

#[test]
fn openai() {
    let model = || facts![chat("openai", "gpt-4o-mini"), known(), entry()];
    let tier = || says(json!({"openai.response.service_tier": "default"}));
    let whole = |id: &str| facts![model(), answered_by(id), counts(), tier()];
    let completion = || facts![whole("chatcmpl-1"), says(json!({"openai.response.system_fingerprint": "fp_1"}))];
    // What a stream ends with is not read.
    let stream = || {
        let says = says(json!({"gen_ai.response.model": "gpt-4o-mini", "gen_ai.request.stream": true}));
        facts![model(), says, also(&["llm.invocation_parameters"])]
    };
    // Not all of its parameters have a name.
    let response = || facts![whole("resp_1"), also(&["llm.invocation_parameters"])];
    let image =
        json!({"role": "user", "parts": [part("深圳天气如何?"), {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}]});
    let thought = || said(&[json!({"type": "reasoning", "content": "ask the tool"})]);
    let options = json!({
        "gen_ai.request.temperature": 0.3,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_tokens": 64,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ["END"],
    });
    hold(
        "openinference-openai-js-4.2.7.openai.pb",
        vec![
            (
                "OpenAI Chat Completions",
                facts![
                    completion(),
                    defined(parameters()),
                    says(options),
                    messages(json!([brief(), asked()]), json!([called()]), "tool_call")
                ],
            ),
            ("OpenAI Chat Completions", facts![completion(), defined(parameters()), messages(history(), json!([answered()]), "stop")]),
            ("OpenAI Chat Completions", facts![stream(), messages(json!([brief(), asked()]), json!([answered()]), "stop")]),
            (
                "OpenAI Chat Completions",
                facts![
                    stream(),
                    defined(parameters()),
                    messages(json!([asked()]), json!([called()]), "tool_call"),
                    also(&["output.value"])
                ],
            ),
            ("OpenAI Chat Completions", facts![completion(), messages(json!([image]), json!([answered()]), "stop")]),
            (
                "OpenAI Responses",
                facts![
                    response(),
                    defined(parameters()),
                    says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64})),
                    messages(json!([brief(), asked()]), json!([thought(), called()]), "stop")
                ],
            ),
            (
                "OpenAI Responses",
                facts![
                    response(),
                    defined(parameters()),
                    messages(json!([brief(), asked(), thought(), called(), told(RESULT.into())]), json!([answered()]), "stop")
                ],
            ),
            (
                "OpenAI Responses",
                facts![
                    response(),
                    says(json!({"gen_ai.request.stream": true})),
                    messages(json!([brief(), asked()]), json!([answered()]), "stop")
                ],
            ),
            (
                "OpenAI Embeddings",
                facts![
                    known(),
                    entry(),
                    [Kind("EMBEDDING")],
                    says(json!({
                        "gen_ai.operation.name": "embeddings",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "text-embedding-3-small",
                        "gen_ai.embeddings.dimension.count": 3,
                        "gen_ai.input.messages": [text("user", "深圳"), text("user", "广州")],
                    })),
                    also(&["embedding.embeddings.0.embedding.text", "embedding.embeddings.1.embedding.text"])
                ],
            ),
            around(),
        ],
    );
}

#[test]
fn anthropic() {
    let claude = || {
        facts![
            chat("anthropic", CLAUDE),
            entry(),
            claude_counts(),
            instructed("be brief"),
            also(&["llm.invocation_parameters"]),
            says(json!({"gen_ai.response.model": CLAUDE, "gen_ai.request.max_tokens": 2048}))
        ]
    };
    let whole = || facts![claude(), says(json!({"gen_ai.response.id": "msg_1"}))];
    let stream = || facts![claude(), says(json!({"gen_ai.request.stream": true}))];
    let image = || {
        json!({"role": "user", "parts": [
            part("深圳天气如何?"), {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PIXEL}]})
    };
    let calls = || {
        let thought = json!({"type": "reasoning", "content": "ask the tool", "signature": "c2ln"});
        said(&[thought, part("I ask."), call("toolu_1", "get_weather")])
    };
    // It is the user who tells a tool's result.
    let result = json!({"role": "user", "parts": [{"type": "tool_call_response", "id": "toolu_1", "response": RESULT}]});
    hold(
        "openinference-anthropic-js-0.2.8.anthropic.pb",
        vec![
            (
                "Anthropic Messages",
                facts![
                    whole(),
                    defined(parameters()),
                    says(json!({"gen_ai.request.stop_sequences": ["END"]})),
                    messages(json!([image()]), json!([calls()]), "tool_call")
                ],
            ),
            (
                "Anthropic Messages",
                facts![whole(), defined(parameters()), messages(json!([image(), calls(), result]), json!([answered()]), "stop")],
            ),
            (
                "Anthropic Messages",
                facts![
                    stream(),
                    defined(parameters()),
                    says(json!({"gen_ai.request.temperature": 1.0, "gen_ai.request.top_k": 40})),
                    messages(json!([asked()]), json!([calls()]), "tool_call")
                ],
            ),
            ("Anthropic Messages", facts![stream(), messages(json!([asked()]), json!([answered()]), "stop")]),
            (
                "Anthropic Messages",
                facts![
                    chat("anthropic", "boom"),
                    entry(),
                    instructed("be brief"),
                    failed("Error"),
                    also(&["llm.invocation_parameters"]),
                    says(json!({"gen_ai.request.max_tokens": 2048, "gen_ai.input.messages": [asked()]}))
                ],
            ),
            around(),
        ],
    );
}

#[test]
fn langchain() {
    let model = || {
        facts![
            chat("openai", "gpt-4o-mini"),
            counts(),
            also(&["metadata"]),
            says(json!({"gen_ai.response.model": "gpt-4o-mini-2024-07-18"})),
            says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64, "gen_ai.request.stream": false}))
        ]
    };
    let session = || says(json!({"session.id": "sess-1"}));
    let of_agent = || facts![model(), session(), defined(parameters())];
    let run = || facts![chain(&["input.value", "metadata", "openinference.span.kind", "output.value"])];
    let step = |name| (name, facts![run(), session()]);
    let whole = || messages(json!([brief(), asked()]), json!([answered()]), "stop");
    // LangGraph names the agent.
    let mut of_weather = called();
    of_weather["name"] = "weather".into();
    hold(
        "openinference-langchain-js-4.1.1.langchain.pb",
        vec![
            step("__start__"),
            step("prompt"),
            ("ChatOpenAI", facts![of_agent(), messages(json!([brief(), asked()]), json!([called()]), "tool_call")]),
            step("RunnableSequence"),
            step("RunnableLambda"),
            step("agent"),
            (
                // An object of one text is that text in its input.
                "get_weather",
                facts![
                    tool(),
                    session(),
                    says(json!({"gen_ai.tool.call.id": "call_abc123", "gen_ai.tool.call.arguments": {"input": "深圳"}})),
                    also(&["metadata"])
                ],
            ),
            step("tools"),
            step("prompt"),
            (
                "ChatOpenAI",
                facts![of_agent(), messages(json!([brief(), asked(), of_weather, told(RESULT.into())]), json!([answered()]), "stop")],
            ),
            step("RunnableSequence"),
            step("RunnableLambda"),
            step("agent"),
            ("weather", facts![run(), session(), entry()]),
            (
                "Weather",
                facts![
                    [Kind("RETRIEVER")],
                    entry(),
                    says(json!({
                        "gen_ai.operation.name": "retrieval",
                        "gen_ai.retrieval.query.text": "深圳",
                        "gen_ai.retrieval.documents": [{"content": "深圳: 26C", "metadata": {"source": "a"}}],
                    })),
                    also(&["metadata"])
                ],
            ),
            ("ChatOpenAI", facts![model(), entry(), whole()]),
            (
                "ChatPromptTemplate",
                facts![
                    run(),
                    [Kind("TASK")],
                    also(&["llm.prompt_template.template"]),
                    says(json!({"gen_ai.prompt.variable.city": "深圳"}))
                ],
            ),
            ("ChatOpenAI", facts![model(), whole()]),
            ("StrOutputParser", run()),
            ("RunnableSequence", facts![run(), entry()]),
            (
                "ChatOpenAI",
                facts![
                    chat("openai", "boom"),
                    entry(),
                    failed("_OTHER"),
                    also(&["metadata"]),
                    says(json!({"gen_ai.request.stream": false, "gen_ai.input.messages": [asked()]}))
                ],
            ),
            around(),
        ],
    );
}

#[test]
fn wrappers() {
    let run = |facts: Vec<Fact>| facts![facts, known()];
    let image =
        json!({"role": "user", "parts": [part("深圳天气如何?"), {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}]});
    // A tool without a name: the span's is one of the application's.
    let tool = |result: Json| {
        let says = says(json!({
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": {"city": "深圳"}, "gen_ai.tool.call.result": result}));
        run(facts![[Kind("TOOL")], says])
    };
    hold(
        "openinference-core-js-2.7.1.wrappers.pb",
        vec![
            ("get_weather", tool(RESULT.into())),
            ("plan", run(facts![chain(&["input.value", "openinference.span.kind", "output.value"])])),
            (
                "search",
                run(facts![
                    [Kind("RETRIEVER")],
                    says(json!({
                        "gen_ai.operation.name": "retrieval",
                        "gen_ai.retrieval.query.text": "深圳",
                        "gen_ai.retrieval.documents": [{"id": "d1", "score": 0.8, "content": "深圳: 26C", "metadata": {"source": "a"}}],
                    }))
                ]),
            ),
            ("broken", facts![tool(Json::Null), failed("TypeError")]),
            (
                "answer",
                run(facts![
                    chat("openai", "gpt-4o-mini"),
                    defined(json!({"type": "object"})),
                    counts(),
                    says(json!({
                        "gen_ai.response.model": "gpt-4o-mini",
                        "gen_ai.request.temperature": 0.3,
                        "gen_ai.request.max_tokens": 64,
                        "gen_ai.usage.reasoning.output_tokens": null,
                        "gen_ai.input.messages": [brief(), image],
                        "gen_ai.output.messages": [answered()],
                    }))
                ]),
            ),
            (
                "weather-agent",
                run(facts![
                    [Kind("AGENT"), InOut("深圳天气如何?".into(), ANSWER.into())],
                    entry(),
                    says(json!({"gen_ai.operation.name": "invoke_agent"})),
                    also(&["input.value", "output.value"])
                ]),
            ),
            around(),
        ],
    );
}
