//! LangChain through OpenInference and OpenLLMetry: an agent of LangGraph, a retriever, a stream, and an agent whose model does not work.

use super::facts::{Fact::*, *};
use super::{hold, hold_some};
use crate::facts;
use serde_json::{Value as Json, json};

const ERROR: &str = "langchain_openai.chat_models.base.OpenAIAPIError";

fn request(model: &str) -> Vec<Fact> {
    facts![chat("openai", model), says(json!({"gen_ai.request.temperature": 0.3, "gen_ai.request.max_tokens": 64}))]
}

fn full() -> Vec<Fact> {
    facts![
        request("gpt-4o-mini"),
        counts(),
        says(json!({"gen_ai.response.model": "gpt-4o-mini-2024-07-18", "gen_ai.response.id": "chatcmpl-1"}))
    ]
}

/// What a shelf gives for the question.
pub fn retrieval(documents: Json) -> Vec<Fact> {
    let says = json!({
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.query.text": "深圳天气如何?",
        "gen_ai.retrieval.documents": documents,
    });
    vec![Says(says), Kind("RETRIEVER")]
}

/// The application marks its entry by LangChain's metadata, which every run below inherits.
#[test]
fn through_openinference_with_a_mark_that_is_inherited() {
    let session = || says(json!({"session.id": "sess-1"}));
    let spoken = || says(json!({"gen_ai.usage.audio.input_tokens": 0, "gen_ai.usage.audio.output_tokens": 0}));
    let model: &[&str] = &["llm.invocation_parameters", "metadata"];
    let full = || facts![full(), spoken(), left(model), says(json!({"gen_ai.request.stream": false}))];
    let step = || {
        facts![
            chain(&["input.value", "metadata", "openinference.span.kind", "output.value"]),
            session(),
            says(json!({"gen_ai.input.messages": [asked()]}))
        ]
    };
    let failed_step = || facts![step(), failed(ERROR), left(&["input.value", "metadata", "openinference.span.kind"])];
    let named = |mut message: Json| {
        message["name"] = "shop".into();
        message
    };
    hold(
        "openinference-langchain-py-0.1.80.agent-marked.pb",
        vec![
            (
                "ChatOpenAI",
                facts![full(), session(), defined(parameters()), messages(json!([brief(), asked()]), json!([called()]), "tool_call")],
            ),
            ("model", step()),
            // Of what it was called with, it has the value alone.
            (
                "get_weather",
                facts![
                    tool(),
                    session(),
                    left(&["metadata"]),
                    says(json!({
                        "gen_ai.tool.call.id": "call_abc123",
                        "gen_ai.tool.call.arguments": {"input": "深圳"},
                        "gen_ai.tool.description": "weather of a city",
                    }))
                ],
            ),
            ("tools", facts![step(), says(json!({"gen_ai.input.messages": null}))]),
            (
                "ChatOpenAI",
                facts![
                    full(),
                    session(),
                    defined(parameters()),
                    messages(json!([brief(), asked(), named(called()), told(RESULT.into())]), json!([answered()]), "stop")
                ],
            ),
            ("model", step()),
            ("shop", facts![step(), entry()]),
            ("Shelf", facts![retrieval(json!([{"content": "深圳: 26C", "metadata": {"source": "a"}}])), entry(), left(&["metadata"])]),
            (
                "ChatPromptTemplate",
                facts![[Kind("TASK"), Left(&["input.value", "llm.prompt_template.template", "openinference.span.kind", "output.value"])]],
            ),
            (
                "ChatOpenAI",
                facts![full(), messages(json!([brief(), asked()]), json!([answered()]), "stop"), says(json!({"gen_ai.response.id": null}))],
            ),
            ("RunnableSequence", facts![chain(&["input.value", "openinference.span.kind", "output.value"]), entry()]),
            (
                "ChatOpenAI",
                facts![
                    request("boom"),
                    session(),
                    defined(parameters()),
                    failed(ERROR),
                    left(&["llm.invocation_parameters", "metadata"]),
                    says(json!({
                        "gen_ai.request.stream": false,
                        "gen_ai.input.messages": [brief(), asked()],
                        "gen_ai.output.messages": [text("assistant", "")],
                    }))
                ],
            ),
            ("model", failed_step()),
            ("shop", facts![failed_step(), entry()]),
            around(),
        ],
    );
}

/// With LangChain 0.3, a year before.
#[test]
fn through_older_openinference() {
    let full = || {
        facts![
            full(),
            left(&["llm.invocation_parameters", "metadata"]),
            says(json!({
                "session.id": "sess-1",
                "gen_ai.request.stream": false,
                "gen_ai.usage.audio.input_tokens": 0,
                "gen_ai.usage.audio.output_tokens": 0,
            }))
        ]
    };
    let history = || {
        let mut history = history();
        history[2]["name"] = "shop".into();
        history
    };
    hold_some(
        "openinference-langchain-py-0.1.54.agent-marked.pb",
        |name| ["ChatOpenAI", "POST /chat"].contains(&name),
        vec![
            ("ChatOpenAI", facts![full(), defined(parameters()), messages(json!([brief(), asked()]), json!([called()]), "tool_call")]),
            ("ChatOpenAI", facts![full(), defined(parameters()), messages(history(), json!([answered()]), "stop")]),
            (
                "ChatOpenAI",
                facts![full(), messages(json!([brief(), asked()]), json!([answered()]), "stop"), says(json!({"gen_ai.response.id": null}))],
            ),
            (
                "ChatOpenAI",
                facts![
                    request("boom"),
                    defined(parameters()),
                    failed("openai.InternalServerError"),
                    left(&["llm.invocation_parameters", "metadata"]),
                    says(json!({
                        "session.id": "sess-1",
                        "gen_ai.request.stream": false,
                        "gen_ai.input.messages": [brief(), asked()],
                        "gen_ai.output.messages": [text("assistant", "")],
                    }))
                ],
            ),
            around(),
        ],
    );
}

#[test]
fn through_openllmetry() {
    let rest: &[&str] = &["traceloop.*"];
    let user = || says(json!({"user.id": "user-456"}));
    let full = || facts![full(), who(), instructed("be brief"), left(rest), says(json!({"gen_ai.usage.reasoning.output_tokens": null}))];
    let task = || facts![[Kind("TASK"), Left(&["gen_ai.operation.name", "gen_ai.task.*", "traceloop.*"])]];
    let created = || {
        let titled = json!({
            "type": "object",
            "title": "get_weather",
            "description": "weather of a city",
            "properties": {"city": {"title": "City", "type": "string"}},
            "required": ["city"],
        });
        facts![agent("shop"), instructed("be brief"), defined(titled), says(json!({"gen_ai.operation.name": "create_agent"}))]
    };
    let workflow = |name: &str| facts![agent(name), left(&["gen_ai.task.*", "traceloop.*"]), says(json!({"gen_ai.agent.id": "…"}))];
    let run = || {
        facts![
            agent("shop"),
            entry(),
            left(&["gen_ai.workflow.edges", "gen_ai.workflow.nodes"]),
            says(json!({"gen_ai.conversation.id": "sess-1"}))
        ]
    };
    hold(
        "openllmetry-langchain-py-0.62.4.agent.pb",
        vec![
            ("create_agent shop", created()),
            (
                "ChatOpenAI.chat",
                facts![full(), defined(parameters()), messages(json!([asked()]), ended(called(), "tool_call"), "tool_call")],
            ),
            ("execute_task model", facts![task(), who()]),
            (
                "execute_tool get_weather",
                facts![
                    tool(),
                    who(),
                    left(&["gen_ai.task.status", "traceloop.*"]),
                    says(json!({
                        "gen_ai.tool.type": "function",
                        "gen_ai.tool.description": "weather of a city",
                        "gen_ai.tool.call.id": "call_abc123",
                    }))
                ],
            ),
            ("execute_task tools", facts![task(), who()]),
            (
                "ChatOpenAI.chat",
                facts![
                    full(),
                    defined(parameters()),
                    messages(json!([asked(), called(), told(RESULT.into())]), ended(answered(), "stop"), "stop")
                ],
            ),
            ("execute_task model", facts![task(), who()]),
            ("shop.workflow", facts![workflow("shop"), who()]),
            ("invoke_agent shop", run()),
            (
                "vector_db_retrieve Shelf",
                facts![
                    retrieval(json!([{"content": "深圳: 26C", "metadata": {"source": "a"}}])),
                    user(),
                    entry(),
                    left(&["gen_ai.task.status", "traceloop.*"])
                ],
            ),
            ("execute_task ChatPromptTemplate", facts![task(), user()]),
            (
                "ChatOpenAI.chat",
                facts![
                    full(),
                    messages(json!([asked()]), json!([answered()]), "stop"),
                    says(json!({"gen_ai.response.id": null, "gen_ai.response.model": "gpt-4o-mini", "session.id": null}))
                ],
            ),
            ("RunnableSequence.workflow", facts![workflow("RunnableSequence"), user(), entry()]),
            ("create_agent shop", created()),
            (
                "ChatOpenAI.chat",
                facts![
                    request("boom"),
                    who(),
                    instructed("be brief"),
                    defined(parameters()),
                    failed("OpenAIAPIError"),
                    left(&["gen_ai.task.status", "traceloop.*"]),
                    says(json!({"gen_ai.input.messages": [asked()], "gen_ai.response.model": "boom"}))
                ],
            ),
            ("execute_task model", facts![task(), who(), failed("OpenAIAPIError")]),
            ("shop.workflow", facts![workflow("shop"), who(), failed("OpenAIAPIError")]),
            ("invoke_agent shop", facts![run(), failed(ERROR)]),
            around(),
        ],
    );
}

#[test]
fn through_older_openllmetry() {
    let full = || {
        facts![full(), who(), defined(parameters()), left(&["traceloop.*"]), says(json!({"gen_ai.usage.reasoning.output_tokens": null}))]
    };
    let workflow = |name: &str| {
        facts![
            [Kind("WORKFLOW"), Left(&["traceloop.*"])],
            entry(),
            who(),
            says(json!({"gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": name}))
        ]
    };
    let error = || failed("openai.InternalServerError");
    hold_some(
        "openllmetry-langchain-py-0.47.5.agent.pb",
        |name| ["ChatOpenAI.chat", "get_weather.tool", "shop.workflow", "RunnableSequence.workflow", "POST /chat"].contains(&name),
        vec![
            ("ChatOpenAI.chat", facts![full(), messages(json!([brief(), asked()]), json!([called()]), "tool_call")]),
            ("get_weather.tool", facts![tool(), left(&["traceloop.*"]), says(json!({"gen_ai.tool.call.id": "call_abc123"}))]),
            // It does not say why the text ended.
            ("ChatOpenAI.chat", facts![full(), says(json!({"gen_ai.input.messages": history(), "gen_ai.output.messages": [answered()]}))]),
            ("shop.workflow", workflow("shop")),
            (
                "ChatOpenAI.chat",
                facts![
                    full(),
                    says(json!({"gen_ai.input.messages": [brief(), asked()], "gen_ai.output.messages": [answered()]})),
                    says(json!({"gen_ai.response.id": null, "gen_ai.response.model": "gpt-4o-mini", "gen_ai.tool.definitions": null}))
                ],
            ),
            ("RunnableSequence.workflow", workflow("RunnableSequence")),
            (
                "ChatOpenAI.chat",
                facts![
                    request("boom"),
                    who(),
                    defined(parameters()),
                    error(),
                    left(&["traceloop.*"]),
                    says(json!({"gen_ai.input.messages": [brief(), asked()], "gen_ai.response.model": "boom"}))
                ],
            ),
            ("shop.workflow", facts![workflow("shop"), error()]),
            around(),
        ],
    );
}

/// A mark that the application puts into LangChain's metadata stands on every run; one of each segment is the entry, and no copy goes on.
#[test]
fn marks_that_are_inherited() {
    let entries = |file: &str| {
        let spans = super::converted(file);
        for span in &spans {
            assert!(!span.attributes.iter().any(|a| a.key.ends_with(".gen_ai.is_entry")), "{file}: {}", span.name);
        }
        let marked = spans.iter().filter(|span| super::attributes(span).get("gen_ai.is_entry") == Some(&json!(true)));
        marked.map(|span| span.name.clone()).collect::<Vec<_>>()
    };
    let runs = ["shop", "Shelf", "RunnableSequence", "shop"];
    assert_eq!(entries("openinference-langchain-py-0.1.54.agent-marked.pb"), runs);
    assert_eq!(entries("langsmith-py-0.15.1.agent-marked.pb"), runs);
    // The outermost span of its agent, `invoke_agent shop`, is none of LangChain's runs and carries no mark: the outermost marked run is
    // `shop.workflow` below it.
    assert_eq!(
        entries("openllmetry-langchain-py-0.62.4.agent-marked.pb"),
        ["shop.workflow", "vector_db_retrieve Shelf", "RunnableSequence.workflow", "shop.workflow"]
    );
}
