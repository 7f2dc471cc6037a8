//! Bodies that the programs of `tests/capture` sent with other SDK versions, through `convert`. What must come out is
//! written here by hand, from what the programs did. The bodies that came with the conventions are in `captures.rs`.

mod bodies;

use bodies::{capture, plain, spans};
use genspan::internals::config::{Convert, Profile};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value as Json, json};

const PY_3_GRAPH: &str = "langfuse-py-3.0.8.langgraph-entry-inherited.pb";
const PY_3_OPENAI: &str = "langfuse-py-3.0.8.openai.pb";
const PY_3_SDK: &str = "langfuse-py-3.9.3.observations-propagated.pb";
const PY_4_GRAPH: &str = "langfuse-py-4.14.6.langgraph-entry-inherited.pb";
const PY_4_OPENAI: &str = "langfuse-py-4.14.6.openai.pb";
const PY_5_GRAPH: &str = "langfuse-py-5.0.4.langgraph-entry-nested.pb";
const PY_5_MORE: &str = "langfuse-py-5.0.4.responses-langchain.pb";
const JS_4_OPENAI: &str = "langfuse-js-4.2.0.openai.json";
const JS_5_GRAPH: &str = "langfuse-js-5.11.1.langgraph-entry-inherited.json";
const JS_5_SDK: &str = "langfuse-js-5.11.1.observations-propagated.json";
const OTEL_OPENAI: &str = "opentelemetry-openai-py-2.4b0.chat-embed-error.pb";
const OTEL_SPANS: &str = "opentelemetry-genai-1.26-to-0.1.spans.pb";

/// Each capture, and the entries in it.
#[rustfmt::skip]
const ENTRIES: [(&str, &[&str]); 14] = [
    // marked                                   outermost LLM span of each segment
    (PY_3_GRAPH,  /* "true" on every run */     &["LangGraph"]),
    // `stream` says false, so its generation is no entry either.
    (PY_3_OPENAI, /* "true", "false", true */   &["chat", "embed", "fail"]),
    (PY_3_SDK,    /* a copy on every span */    &["chat-turn"]),
    // The HTTP span has Langfuse's `is_app_root`, for the program exports all spans.
    (PY_4_GRAPH,  /* true, and "True" */        &["LangGraph"]),
    (PY_4_OPENAI, /* true, false, true */       &["chat", "embed", "fail"]),
    (PY_5_GRAPH,  /* {"is_entry": true} */      &["agent-nested"]),
    (PY_5_MORE,   /* nowhere; no common root */ &["OpenAI-generation", "OpenAI-generation", "ChatOpenAI", "Weather", "ChatOpenAI", "a chain", "an event", "silence", "find"]),
    // {"is_entry": true} under `gen_ai`, in the metadata of the observation and of the trace.
    ("langfuse-py-3.14.6.marks-nested.pb",      &["turn"]),
    ("langfuse-py-5.0.4.marks-nested.pb",       &["turn"]),
    (JS_4_OPENAI, /* "true", "false" */         &["chat", "OpenAI.embeddings", "OpenAI.chat"]),
    (JS_5_GRAPH,  /* "true" on every run */     &["LangGraph"]),
    (JS_5_SDK,    /* a copy on every span */    &["chat-turn"]),
    (OTEL_OPENAI, /* nowhere */                 &["chat gpt-4o-mini", "chat gpt-4o-mini", "chat gpt-4o-mini", "chat boom", "embeddings text-embedding-3-small"]),
    // The chat of 0.1.0 says "False".
    (OTEL_SPANS,  /* nowhere */                 &["chat gpt-4o-mini", "chat gpt-4o-mini", "chat gpt-4o-mini", "chat gpt-4o-mini", "execute_tool get_weather", "chat", "chat gpt-4o-mini",
                                                  "invoke_workflow weather", "embeddings text-embedding-3-small", "invoke_agent shop"]),
];

fn text_message(role: &str, text: &str) -> Json {
    json!({"role": role, "parts": [{"type": "text", "content": text}]})
}

fn brief() -> Json {
    json!([text_message("system", "be brief"), asked()])
}

fn asked() -> Json {
    text_message("user", "深圳天气如何?")
}

fn called() -> Json {
    json!({"role": "assistant", "parts": [{"type": "tool_call", "id": "call_abc123", "name": "get_weather", "arguments": {"city": "深圳"}}]})
}

fn told() -> Json {
    json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_abc123", "response": "深圳: 26C sunny"}]})
}

fn answered() -> Json {
    text_message("assistant", "It is 26°C and sunny. 晴天。")
}

/// A message of an answer with the reason that the span has for it.
fn ended(message: Json, reason: &str) -> Json {
    let mut message = message;
    message["finish_reason"] = reason.into();
    message
}

fn tool() -> Json {
    json!([{"type": "function", "name": "get_weather", "description": "weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}])
}

/// 57 input tokens, 32 of them cached; 17 output, 8 of them reasoning. In each SDK's own arithmetic.
fn counts() -> Json {
    json!({
        "gen_ai.usage.input_tokens": 57,
        "gen_ai.usage.cache_read.input_tokens": 32,
        "gen_ai.usage.output_tokens": 17,
        "gen_ai.usage.reasoning.output_tokens": 8,
    })
}

#[test]
fn one_entry_per_segment_and_no_copy_of_the_mark() {
    for (file, entries) in ENTRIES {
        for profile in [Profile::OTEL, Profile::TENCENT] {
            let mut found = Vec::new();
            for span in converted(file, profile) {
                for attribute in &span.attributes {
                    let value = plain(attribute.value.as_ref());
                    if attribute.key == "gen_ai.is_entry" {
                        assert_eq!(value, true, "{file}, {}", span.name);
                        found.push(span.name.clone());
                    } else {
                        assert!(!format!("{}{value}", attribute.key).contains("is_entry"), "{file}, {}: {}", span.name, attribute.key);
                    }
                }
            }
            assert_eq!(found, entries, "{file}, {profile:?}");
        }
    }
}

#[test]
fn langgraph_of_every_version() {
    for file in [PY_3_GRAPH, PY_4_GRAPH, PY_5_GRAPH, JS_5_GRAPH] {
        let otel = converted(file, Profile::OTEL);
        for (nth, input, output) in [(0, json!([asked()]), json!([called()])), (1, json!([asked(), called(), told()]), json!([answered()]))]
        {
            check(
                file,
                nth_named(&otel, "ChatOpenAI", nth),
                &[
                    counts(),
                    json!({
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-4o-mini",
                        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                        "gen_ai.request.temperature": 0.3,
                        "gen_ai.input.messages": input,
                        "gen_ai.output.messages": output,
                        "gen_ai.tool.definitions": tool(),
                        "langfuse.observation.input": null,
                        "langfuse.observation.output": null,
                    }),
                ],
            );
        }
        // 3.0.8 says `span`, JS serialises the message: the tool's span is understood all the same.
        check(
            file,
            nth_named(&otel, "get_weather", 0),
            &[json!({
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "get_weather",
                "gen_ai.tool.call.id": "call_abc123",
                "gen_ai.tool.call.arguments": {"city": "深圳"},
            })],
        );
        // Up to 3.2 only the metadata has user and session, in quotes.
        check(file, nth_named(&otel, "LangGraph", 0), &[json!({"user.id": "user-456", "session.id": "sess-1"})]);
    }
}

#[test]
fn the_openai_wrapper_of_python() {
    for file in [PY_3_OPENAI, PY_4_OPENAI] {
        let otel = converted(file, Profile::OTEL);
        check(
            file,
            nth_named(&otel, "OpenAI-generation", 0),
            &[
                counts(),
                json!({
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o-mini-2024-07-18",
                    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                    "gen_ai.request.temperature": 0.3,
                    "gen_ai.request.max_tokens": 64,
                    "gen_ai.request.seed": 7,
                    "gen_ai.input.messages": brief(),
                    "gen_ai.output.messages": [called()],
                    "gen_ai.tool.definitions": tool(),
                }),
            ],
        );
        check(
            file,
            nth_named(&otel, "answer", 0),
            &[json!({
                "gen_ai.output.messages": [answered()],
                "gen_ai.request.max_tokens": null,
                "gen_ai.tool.definitions": null,
            })],
        );
        let error = nth_named(&otel, "OpenAI-generation", 2);
        check(
            file,
            error,
            &[json!({
                "gen_ai.request.model": "boom",
                "gen_ai.response.model": null,
                "gen_ai.output.messages": null,
                "error.type": "_OTHER",
            })],
        );
        let status = error.status.as_ref().unwrap();
        assert!(status.code == 2 && status.message.contains("the server had an error"), "{file}: {status:?}");
    }

    // Only the newer one tells why a stream ended, and has a span for embeddings.
    let otel = converted(PY_4_OPENAI, Profile::OTEL);
    check(
        PY_4_OPENAI,
        nth_named(&otel, "OpenAI-generation", 1),
        &[
            counts(),
            json!({"gen_ai.response.finish_reasons": ["tool_call"], "gen_ai.output.messages": [ended(called(), "tool_call")], "gen_ai.tool.definitions": tool()}),
        ],
    );
    check(
        PY_4_OPENAI,
        nth_named(&otel, "OpenAI-embedding", 0),
        &[json!({
            "gen_ai.operation.name": "embeddings",
            "gen_ai.response.model": "text-embedding-3-small",
            "gen_ai.usage.input_tokens": 8,
            "gen_ai.embeddings.dimension.count": 3,
        })],
    );
}

/// 3.0.8 writes every text as JSON, with quotes and escapes.
#[test]
fn text_in_quotes_is_text() {
    let tencent = converted(PY_3_OPENAI, Profile::TENCENT);
    check(
        PY_3_OPENAI,
        nth_named(&tencent, "chat", 0),
        &[json!({
            "gen_ai.entity.input": {"args": ["深圳"], "kwargs": {}},
            "gen_ai.entity.output": "It is 26°C and sunny. 晴天。",
            "gen_ai.session.id": "sess-1",
            "gen_ai.user.id": "user-456",
        })],
    );
}

#[test]
fn the_openai_wrapper_of_js() {
    let otel = converted(JS_4_OPENAI, Profile::OTEL);
    // Its total says that the buckets are inclusive in this version.
    for nth in 0..3 {
        check(
            JS_4_OPENAI,
            nth_named(&otel, "OpenAI.chat", nth),
            &[
                counts(),
                json!({"gen_ai.provider.name": "openai", "gen_ai.input.messages": brief(), "langfuse.observation.model.parameters": null}),
            ],
        );
    }
    check(
        JS_4_OPENAI,
        nth_named(&otel, "OpenAI.chat", 0),
        &[json!({
            "gen_ai.request.max_tokens": 64,
            "gen_ai.request.stop_sequences": ["END"],
            "gen_ai.output.messages": [called()],
            "gen_ai.tool.definitions": tool(),
        })],
    );
    check(JS_4_OPENAI, nth_named(&otel, "OpenAI.chat", 2), &[json!({"gen_ai.request.stream": true})]);
    check(JS_4_OPENAI, nth_named(&otel, "OpenAI.embeddings", 0), &[json!({"gen_ai.operation.name": "embeddings"})]);
    check(JS_4_OPENAI, nth_named(&otel, "OpenAI.chat", 3), &[json!({"gen_ai.request.model": "boom", "error.type": "_OTHER"})]);
}

#[test]
fn the_sdks_own_api() {
    for file in [PY_3_SDK, JS_5_SDK] {
        let otel = converted(file, Profile::OTEL);
        let plan = nth_named(&otel, "plan", 0);
        check(
            file,
            plan,
            &[
                counts(),
                json!({
                    "gen_ai.operation.name": "chat",
                    "gen_ai.request.temperature": 0.3,
                    "gen_ai.request.max_tokens": 64,
                    "gen_ai.request.top_p": 0.9,
                    "gen_ai.usage.cost": 0.03,
                    "gen_ai.input.messages": brief(),
                    "gen_ai.output.messages": [called()],
                    "session.id": "sess-1",
                    "user.id": "user-456",
                    "langfuse.trace.metadata.team": "a",
                    "langfuse.observation.completion_start_time": null,
                }),
            ],
        );
        let first = found(plan, "gen_ai.response.time_to_first_chunk").as_f64();
        assert!(first.is_some_and(|seconds| (0.0..1.0).contains(&seconds)), "{file}: {first:?}");
        let tool = nth_named(&otel, "get_weather", 0);
        check(
            file,
            tool,
            &[json!({
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.call.arguments": {"city": "深圳"},
                "gen_ai.tool.call.result": "深圳: 26C sunny",
                "langfuse.observation.level": "WARNING",
                "error.type": null,
            })],
        );
        assert_eq!(tool.status.as_ref().unwrap().message, "slow", "{file}");
        check(
            file,
            nth_named(&otel, "vectors", 0),
            &[json!({
                "gen_ai.operation.name": "embeddings",
                "gen_ai.request.model": "text-embedding-3-small",
                "gen_ai.response.model": null,
                "gen_ai.usage.input_tokens": 8,
            })],
        );
        let broken = nth_named(&otel, "broken", 0);
        check(file, broken, &[json!({"gen_ai.response.model": null, "error.type": "_OTHER"})]);
        let status = broken.status.as_ref().unwrap();
        assert_eq!((status.code, status.message.as_str()), (2, "quota used up"), "{file}");
        check(
            file,
            nth_named(&otel, "chat-turn", 0),
            &[json!({
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": "chat-turn",
            })],
        );
    }

    // Input and output of a model of Anthropic's, without a total: what was cached comes on top.
    check(
        PY_3_SDK,
        nth_named(&converted(PY_3_SDK, Profile::OTEL), "answer", 0),
        &[json!({
            "gen_ai.provider.name": "anthropic",
            "gen_ai.usage.input_tokens": 89,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "langfuse.observation.metadata.note": "N/A",
        })],
    );
    let otel = converted(JS_5_SDK, Profile::OTEL);
    check(JS_5_SDK, nth_named(&otel, "plan", 0), &[json!({"gen_ai.prompt.name": "weather", "gen_ai.prompt.version": "3"})]);
    check(
        JS_5_SDK,
        nth_named(&otel, "search", 0),
        &[json!({
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "深圳",
            "gen_ai.retrieval.documents": [{"content": "深圳: 26C", "metadata": {"source": "a"}}],
        })],
    );
}

#[test]
fn responses_langchain_and_the_rarer_types() {
    let otel = converted(PY_5_MORE, Profile::OTEL);
    // OpenAI's Responses API: items instead of messages.
    check(
        PY_5_MORE,
        nth_named(&otel, "OpenAI-generation", 0),
        &[
            counts(),
            json!({
                "gen_ai.input.messages": brief(),
                "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "reasoning", "content": "ask the tool"}]}, called(), answered()],
            }),
        ],
    );
    check(
        PY_5_MORE,
        nth_named(&otel, "OpenAI-generation", 1),
        &[json!({
            "gen_ai.request.max_tokens": 64,
            "gen_ai.request.reasoning.level": "low",
            "gen_ai.input.messages": [{"role": "user", "parts": [
                {"type": "text", "content": "深圳?"}, {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}]}],
        })],
    );
    // LangChain's stream: every value of the metadata is JSON. The OpenAI client below it has the usage of the same call.
    check(
        PY_5_MORE,
        nth_named(&otel, "ChatOpenAI", 0),
        &[json!({
            "gen_ai.usage.input_tokens": null,
            "gen_ai.usage.output_tokens": null,
            "gen_ai.aggregated_usage.input_tokens": 57,
            "gen_ai.aggregated_usage.output_tokens": 17,
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.temperature": 0.3,
            "gen_ai.request.max_tokens": 64,
            "gen_ai.request.stop_sequences": ["END"],
            "gen_ai.conversation.id": "thread-1",
            "gen_ai.input.messages": brief(),
            "gen_ai.output.messages": [answered()],
        })],
    );
    check(
        PY_5_MORE,
        nth_named(&otel, "Weather", 0),
        &[json!({
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "深圳",
            "gen_ai.retrieval.documents": [{"content": "深圳: 26C", "metadata": {"source": "a"}}],
        })],
    );
    // Through the decorator.
    check(
        PY_5_MORE,
        nth_named(&otel, "find", 0),
        &[json!({
            "gen_ai.retrieval.query.text": "深圳",
            "gen_ai.retrieval.documents": [{"content": "深圳: 26C"}],
        })],
    );
    // Nothing asked, nothing answered; LangChain's buckets of Anthropic.
    check(
        PY_5_MORE,
        nth_named(&otel, "silence", 0),
        &[json!({
            "gen_ai.input.messages": null,
            "gen_ai.output.messages": null,
            "gen_ai.usage.input_tokens": 57,
            "gen_ai.usage.cache_read.input_tokens": 32,
            "gen_ai.usage.cache_write.input_tokens": 5,
        })],
    );
    let tencent = converted(PY_5_MORE, Profile::TENCENT);
    for (name, kind) in [("a guardrail", "TASK"), ("a evaluator", "TASK"), ("a chain", "CHAIN"), ("Weather", "RETRIEVER")] {
        check(PY_5_MORE, nth_named(&tencent, name, 0), &[json!({"gen_ai.span.kind": kind, "gen_ai.entity.input": "深圳"})]);
    }
}

#[test]
fn opentelemetrys_own_instrumentation() {
    let otel = converted(OTEL_OPENAI, Profile::OTEL);
    let output = |message: Json, reason: &str| {
        let mut message = message;
        message["finish_reason"] = reason.into();
        json!([message])
    };
    for (nth, input, output, reason) in [
        (0, brief(), output(called(), "tool_calls"), "tool_call"),
        (1, json!([text_message("system", "be brief"), asked(), called(), told()]), output(answered(), "stop"), "stop"),
        // A stream: the reason is in the message only.
        (2, brief(), output(answered(), "stop"), "stop"),
    ] {
        check(
            OTEL_OPENAI,
            nth_named(&otel, "chat gpt-4o-mini", nth),
            &[json!({
                "gen_ai.provider.name": "openai",
                "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.response.finish_reasons": [reason],
                "gen_ai.input.messages": input,
                "gen_ai.output.messages": output,
            })],
        );
    }
    check(OTEL_OPENAI, nth_named(&otel, "chat boom", 0), &[json!({"error.type": "InternalServerError"})]);
}

#[test]
fn opentelemetrys_conventions_of_every_version() {
    let otel = converted(OTEL_SPANS, Profile::OTEL);
    let chat = |nth| nth_named(&otel, "chat gpt-4o-mini", nth);
    for (version, nth, input, output) in [
        ("1.26: attributes", 0, brief(), called()),
        ("1.27: two events", 1, brief(), called()),
        ("1.28: an event for each message", 2, json!([asked(), called(), told()]), answered()),
        ("1.30: bodies in one attribute", 3, json!([asked()]), called()),
        ("1.37: attributes", 4, json!([asked()]), called()),
        ("1.41: `result` is `response`", 5, json!([asked(), called(), told()]), called()),
        ("0.1.0", 6, json!([asked()]), called()),
    ] {
        let reason = if nth == 2 { "stop" } else { "tool_call" };
        check(
            version,
            chat(nth),
            &[json!({
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.response.finish_reasons": [reason],
                "gen_ai.usage.input_tokens": 57,
                "gen_ai.usage.output_tokens": 17,
                "gen_ai.input.messages": input,
                "gen_ai.output.messages": [ended(output, reason)],
                "gen_ai.system": null,
                "gen_ai.usage.prompt_tokens": null,
                "gen_ai.prompt": null,
            })],
        );
        assert!(chat(nth).events.is_empty(), "{version}: {:?}", chat(nth).events);
    }
    // An event of its own says the instructions (mapping.csv).
    check("1.28", chat(2), &[json!({"gen_ai.system_instructions": [{"type": "text", "content": "be brief"}]})]);
    check(
        "1.30",
        chat(3),
        &[json!({
            "gen_ai.request.seed": 7,
            "gen_ai.output.type": "json",
            "openai.request.service_tier": "auto",
            "openai.response.service_tier": "default",
            "gen_ai.openai.request.seed": null,
        })],
    );
    check(
        "1.37",
        chat(4),
        &[json!({
            "gen_ai.system_instructions": [{"type": "text", "content": "be brief"}],
            "gen_ai.conversation.id": "conv-1",
            "gen_ai.request.choice.count": 2,
        })],
    );
    check(
        "1.36, lists of parts",
        nth_named(&otel, "chat", 0),
        &[json!({
            "gen_ai.provider.name": "openai",
            "gen_ai.input.messages": [asked(), called(), {"role": "tool", "parts": [
                {"type": "tool_call_response", "id": "call_abc123", "response": [{"text": "深圳: 26C sunny"}]}]}],
            "gen_ai.output.messages": [
                {"role": "assistant", "parts": [{"type": "text", "content": "again"}, called()["parts"][0]], "finish_reason": "tool_call"}],
            "gen_ai.response.finish_reasons": ["tool_call"],
        })],
    );
    let renamed = json!({
        "gen_ai.request.top_k": 40,
        "gen_ai.usage.cache_write.input_tokens": 0,
        "gen_ai.usage.cache_creation.input_tokens": null,
    });
    check(
        "1.41",
        chat(5),
        &[counts(), renamed.clone(), json!({"gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.tool.definitions": tool()})],
    );
    check(
        "0.1.0",
        chat(6),
        &[
            counts(),
            renamed,
            json!({
                "gen_ai.usage.text.input_tokens": 57,
                "gen_ai.request.reasoning.level": "high",
                "gen_ai.prompt.variable.city": "深圳",
                "gen_ai.response.status": "completed",
            }),
        ],
    );
    check("1.41", nth_named(&otel, "execute_tool get_weather", 1), &[json!({"gen_ai.tool.call.arguments": {"city": "深圳"}})]);
    check("1.41", nth_named(&otel, "retrieval kb", 0), &[json!({"gen_ai.retrieval.top_k": 3, "gen_ai.request.top_k": null})]);
    check("1.41", nth_named(&otel, "invoke_workflow weather", 0), &[json!({"gen_ai.agent.name": "weather", "gen_ai.workflow.name": null})]);
    check("0.1.0", nth_named(&otel, "invoke_agent shop", 0), &[json!({"gen_ai.agent.version": "2", "error.type": "_OTHER"})]);

    let tencent = converted(OTEL_SPANS, Profile::TENCENT);
    check(
        "1.41, Tencent",
        nth_named(&tencent, "chat gpt-4o-mini", 5),
        &[json!({
            "gen_ai.span.kind": "LLM",
            "gen_ai.system": "openai",
            "gen_ai.usage.prompt_tokens": 57,
            "gen_ai.usage.total_tokens": 74,
            "gen_ai.usage.cache_read_input_tokens": 32,
            "gen_ai.usage.reasoning_tokens": 8,
            "gen_ai.server.time_to_first_token": 0.25,
            "gen_ai.response.finish_reason": "tool_call",
        })],
    );
}

// ---- reading ----

fn converted(file: &str, profile: Profile) -> Vec<Span> {
    let mut body = capture(&format!("more/{file}"));
    if file.ends_with(".json") {
        body = genspan::internals::otlp::json::to_protobuf(&body).unwrap();
    }
    let body = genspan::convert(&body, &Convert { profile, ..Default::default() }).unwrap_or_else(|error| panic!("{file}: {error}"));
    spans(&body)
}

fn nth_named<'a>(spans: &'a [Span], name: &str, nth: usize) -> &'a Span {
    spans.iter().filter(|span| span.name == name).nth(nth).unwrap_or_else(|| panic!("no span {name}, {nth}"))
}

fn found(span: &Span, key: &str) -> Json {
    plain(span.attributes.iter().find(|attribute| attribute.key == key).and_then(|attribute| attribute.value.as_ref()))
}

// ---- checking ----

/// Each key has its value; null is an absence; objects, and arrays of them, are JSON in text, in UTF-8.
fn check(file: &str, span: &Span, tables: &[Json]) {
    for (key, expected) in tables.iter().flat_map(|table| table.as_object().unwrap()) {
        let structured = expected.is_object() || expected.get(0).is_some_and(Json::is_object);
        let value = match found(span, key) {
            Json::String(text) if structured => {
                assert!(!text.contains("\\u"), "{file}, {}: {key} = {text}", span.name);
                serde_json::from_str(&text).unwrap_or(text.into())
            }
            value => value,
        };
        let is_list = key.ends_with("_messages") || key.ends_with(".messages") || key.ends_with(".definitions");
        let holds = if is_list { holds(&value, expected) } else { value == *expected };
        assert!(holds, "{file}, {}: {key}\n  found    {value}\n  expected {expected}", span.name);
    }
}

/// Returns true if the messages are those that are expected. They, their parts and the definitions of tools may have further members, as their
/// sources do.
fn holds(found: &Json, expected: &Json) -> bool {
    match (found, expected) {
        (Json::Array(found), Json::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(found, expected)| holds(found, expected))
        }
        (Json::Object(found), Json::Object(expected)) => expected.iter().all(|(name, expected)| {
            let value = found.get(name);
            if name == "parts" { value.is_some_and(|found| holds(found, expected)) } else { value == Some(expected) }
        }),
        _ => found == expected,
    }
}
