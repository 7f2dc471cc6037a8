//! What the profiles write, and that it reads back as the same canonical form.

use crate::body::{attributes, convert, request, spans};
use genspan::internals::config::{Convert, Format, Profile};
use genspan::internals::profiles::write::Keep;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

fn captures() -> Vec<(String, Vec<u8>)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/captures");
    let mut files: Vec<_> = [root.to_owned(), format!("{root}/more")]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() > 50);
    files
}

/// The canonical form, as the profile `otel` shows it. Neither backend has a place for instructions but the first message,
/// for the reason that a message ended but the span's, or for a conversation but the session; of a model that answered under
/// the name that was asked for they say no more than of one that says no name. Gemini's results of tools come from the user.
fn canonical(span: &Span) -> BTreeMap<String, Json> {
    // OTel has no total, which stays where a source wrote one.
    let ours =
        |key: &str| key.starts_with("gen_ai.") && !key.ends_with(".total_tokens") || matches!(key, "session.id" | "user.id" | "error.type");
    // What repeats the children's is left out there (rules.md 4).
    let repeats = |key: &str| key.starts_with("gen_ai.aggregated_usage.");
    let mut all: BTreeMap<_, _> = attributes(span).into_iter().filter(|(key, _)| ours(key) && !repeats(key)).collect();
    let list = |value: Json| -> Vec<Json> { value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default() };
    let instructions = all.remove("gen_ai.system_instructions").map(list).filter(|parts| !parts.is_empty());
    let mut sent = all.remove("gen_ai.input.messages").map(list).unwrap_or_default();
    if let Some(parts) = instructions {
        sent.insert(0, serde_json::json!({"role": "system", "parts": parts}));
    }
    for message in &mut sent {
        let is_tool = message["role"] == "tool";
        let parts = message["parts"].as_array_mut().unwrap();
        // What a tool says is its result.
        for part in parts.iter_mut().filter(|part| is_tool && part["type"] == "text") {
            *part = json!({"type": "tool_call_response", "response": part["content"]});
        }
        // LiveKit names the tool once more.
        let results = parts.iter_mut().filter(|part| part["type"] == "tool_call_response");
        results.filter_map(Json::as_object_mut).for_each(|part| drop(part.remove("name")));
        if !parts.is_empty() && parts.iter().all(|part| part["type"] == "tool_call_response") {
            message["role"] = "tool".into();
        }
    }
    let mut answered = all.remove("gen_ai.output.messages").map(list).unwrap_or_default();
    for message in answered.iter_mut().filter_map(Json::as_object_mut) {
        message.remove("finish_reason");
        // An empty thought says nothing.
        let is_empty = |part: &Json| *part == json!({"type": "reasoning"}) || *part == json!({"type": "reasoning", "content": ""});
        message["parts"].as_array_mut().unwrap().retain(|part| !is_empty(part));
    }
    all.extend([("gen_ai.input.messages".to_owned(), sent.into()), ("gen_ai.output.messages".to_owned(), answered.into())]);
    for (known, missing) in [("request", "response"), ("response", "request")] {
        if let Some(model) = all.get(&format!("gen_ai.{known}.model")).cloned() {
            all.entry(format!("gen_ai.{missing}.model")).or_insert(model);
        }
    }
    if let Some(seconds) = all.get_mut("gen_ai.response.time_to_first_chunk") {
        *seconds = ((seconds.as_f64().unwrap() * 1e9).round() as u64).into();
    }
    if let Some(tools) = all.get_mut("gen_ai.tool.definitions") {
        *tools = serde_json::from_str(tools.as_str().unwrap()).unwrap();
    }
    if let Some(conversation) = all.get("gen_ai.conversation.id").cloned() {
        all.entry("session.id".to_owned()).or_insert(conversation);
    }
    all
}

#[test]
fn captures_read_back_as_the_same_canonical_form() {
    let mut wrong = Vec::new();
    for (file, body) in captures() {
        let otel = convert(&convert(&body, Profile::OTEL, Some(Keep::None)), Profile::OTEL, None);
        for profile in [Profile::LANGFUSE, Profile::OPENINFERENCE] {
            let there = convert(&otel, profile, None);
            let back = convert(&there, Profile::OTEL, None);
            for ((before, after), between) in spans(&otel).iter().zip(spans(&back)).zip(spans(&there)) {
                let (mut expected, found) = (canonical(before), canonical(&after));
                if profile == Profile::LANGFUSE && !between.name.is_empty() {
                    // There the name of a tool or an agent is the name of its span, and the other way round.
                    let field = match expected.get("gen_ai.operation.name").and_then(Json::as_str) {
                        Some("execute_tool") => Some("gen_ai.tool.name"),
                        Some("invoke_agent" | "create_agent") => Some("gen_ai.agent.name"),
                        _ => None,
                    };
                    field.map(|field| expected.entry(field.to_owned()).or_insert(between.name.as_str().into()));
                }
                // What asks a model without saying so is told by its model there.
                if !expected.contains_key("gen_ai.operation.name") {
                    let told = ["gen_ai.operation.name", "gen_ai.provider.name"].into_iter().filter_map(|key| found.get_key_value(key));
                    expected.extend(told.map(|(key, value)| (key.clone(), value.clone())));
                }
                let keys = expected.keys().chain(found.keys().filter(|key| !expected.contains_key(*key)));
                // The zeroes that keep Langfuse from counting tokens itself.
                let is_uncounted = |key: &str| key.starts_with("gen_ai.usage.") && found.get(key) == Some(&json!(0));
                for key in keys.filter(|key| expected.get(*key) != found.get(*key) && !is_uncounted(key)) {
                    let values = [expected.get(key), found.get(key)];
                    // ChatML has a place for thoughts, for calls and for results: the order of parts may change, and results get a message.
                    if profile == Profile::LANGFUSE
                        && values[0].and_then(sorted_parts).is_some_and(|parts| values[1].and_then(sorted_parts) == Some(parts))
                    {
                        continue;
                    }
                    // OpenInference has the same two words for Gemini's API and for Vertex.
                    if profile == Profile::OPENINFERENCE && values == [Some(&json!("gcp.gemini")), Some(&json!("gcp.vertex_ai"))] {
                        continue;
                    }
                    wrong.push(format!("{file} {profile:?} {}: {key}\n   {:?}\n   {:?}", between.name, values[0], values[1]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The parts of all messages, without their order.
fn sorted_parts(messages: &Json) -> Option<Vec<String>> {
    let parts = messages.as_array()?.iter().flat_map(|message| message["parts"].as_array().cloned().unwrap_or_default());
    let mut parts: Vec<_> = parts.map(|part| part.to_string()).collect();
    parts.sort();
    Some(parts)
}

/// JSON text as what it says, so that the order of members does not count.
fn parsed(attributes: BTreeMap<String, Json>) -> BTreeMap<String, Json> {
    let parse = |value: Json| match value.as_str().map(serde_json::from_str::<Json>) {
        Some(Ok(inner)) if inner.is_object() || inner.is_array() => inner,
        _ => value,
    };
    attributes.into_iter().map(|(key, value)| (key, parse(value))).collect()
}

const OTEL_SCOPE: &str = "opentelemetry.instrumentation.openai_v2";

#[track_caller]
fn writes(profile: Profile, name: &str, source: &Json, expected: Json) -> Span {
    let span = spans(&convert(&request(OTEL_SCOPE, name, source), profile, None)).remove(0);
    assert_eq!(Json::from_iter(parsed(attributes(&span))), expected, "{profile:?}");
    span
}

fn chat() -> Json {
    json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ["tool_call"],
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.request.temperature": 0.3,
        "gen_ai.request.top_k": 40,
        "gen_ai.request.reasoning.level": "low",
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.usage.input_tokens": 57,
        "gen_ai.usage.output_tokens": 17,
        "gen_ai.usage.cache_read.input_tokens": 32,
        "gen_ai.usage.cache_write.input_tokens": 5,
        "gen_ai.usage.reasoning.output_tokens": 8,
        "gen_ai.conversation.id": "sess-1",
        "gen_ai.system_instructions": r#"[{"type":"text","content":"be brief"}]"#,
        "gen_ai.input.messages": json!([
            {"role": "user", "parts": [{"type": "text", "content": "look"}, {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}]},
        ]).to_string(),
        "gen_ai.output.messages": json!([
            {"role": "assistant", "parts": [
                {"type": "text", "content": "I ask."},
                {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "深圳"}},
            ]},
        ]).to_string(),
        "gen_ai.tool.definitions": r#"[{"type":"function","name":"get_weather","parameters":{"type":"object"}}]"#,
    })
}

#[test]
fn langfuse_gets_a_generation() {
    let tool_calls = json!([{"type": "function", "id": "call_1", "function": {"name": "get_weather", "arguments": r#"{"city":"深圳"}"#}}]);
    writes(
        Profile::LANGFUSE,
        "chat gpt-4o-mini",
        &chat(),
        json!({
            "langfuse.observation.type": "generation",
            "langfuse.observation.metadata.ls_provider": "openai",
            "langfuse.observation.metadata.response_id": "chatcmpl-1",
            "langfuse.observation.metadata.gen_ai.is_entry": true,
            "langfuse.observation.model.name": "gpt-4o-mini-2024-07-18",
            "langfuse.observation.model.parameters":
                {"model": "gpt-4o-mini", "temperature": 0.3, "top_k": 40, "stop": ["END"], "reasoning_effort": "low"},
            // 57 = 20 + 32 + 5, 17 = 9 + 8: no token in two buckets.
            "langfuse.observation.usage_details": {
                "input": 20, "output": 9, "total": 74, "input_cached_tokens": 32, "input_cache_creation": 5, "output_reasoning_tokens": 8,
            },
            "langfuse.observation.completion_start_time": "2026-11-24T00:15:39.250000Z",
            "session.id": "sess-1",
            "langfuse.observation.input": {
                "messages": [
                    {"role": "system", "content": "be brief"},
                    {"role": "user", "content": [
                        {"type": "text", "text": "look"},
                        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                    ]},
                ],
                "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}],
            },
            "langfuse.observation.output": {"role": "assistant", "content": "I ask.", "tool_calls": tool_calls},
            // It has no key for these.
            "gen_ai.response.finish_reasons": ["tool_call"],
            "gen_ai.conversation.id": "sess-1",
        }),
    );
}

#[test]
fn openinference_gets_an_llm_span() {
    let span = writes(
        Profile::OPENINFERENCE,
        "chat gpt-4o-mini",
        &chat(),
        json!({
            "openinference.span.kind": "LLM",
            "gen_ai.is_entry": true,
            "llm.provider": "openai",
            "llm.system": "openai",
            "llm.request.model_name": "gpt-4o-mini",
            "llm.response.model_name": "gpt-4o-mini-2024-07-18",
            "llm.model_name": "gpt-4o-mini-2024-07-18",
            "llm.invocation_parameters": {"temperature": 0.3, "top_k": 40, "stop": ["END"], "reasoning_effort": "low"},
            "llm.token_count.prompt": 57,
            "llm.token_count.completion": 17,
            "llm.token_count.total": 74,
            "llm.token_count.prompt_details.cache_read": 32,
            "llm.token_count.prompt_details.cache_write": 5,
            "llm.token_count.completion_details.reasoning": 8,
            "llm.finish_reason": "tool_call",
            "session.id": "sess-1",
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.contents.0.message_content.type": "text",
            "llm.input_messages.0.message.contents.0.message_content.text": "be brief",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.contents.0.message_content.type": "text",
            "llm.input_messages.1.message.contents.0.message_content.text": "look",
            "llm.input_messages.1.message.contents.1.message_content.type": "image",
            "llm.input_messages.1.message.contents.1.message_content.image.image.url": "https://example.com/a.png",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "I ask.",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "call_1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_weather",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": {"city": "深圳"},
            "llm.tools.0.tool.json_schema": {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}},
            "input.value": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                ]},
            ],
            "input.mime_type": "application/json",
            "output.value": {"role": "assistant", "content": "I ask.", "tool_calls": [
                {"type": "function", "id": "call_1", "function": {"name": "get_weather", "arguments": r#"{"city":"深圳"}"#}},
            ]},
            "output.mime_type": "application/json",
            // It has no key for these.
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.conversation.id": "sess-1",
        }),
    );
    let event = &span.events[0];
    assert_eq!((event.name.as_str(), event.time_unix_nano), ("First Token Stream Event", 1_795_479_339_250_000_000));
}

#[test]
fn a_tool_is_named_after_itself_in_langfuse() {
    let source = json!({
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.tool.call.arguments": r#"{"city":"深圳"}"#,
        "gen_ai.tool.call.result": "26C",
    });
    let span = writes(
        Profile::LANGFUSE,
        "execute_tool get_weather",
        &source,
        json!({
            "langfuse.observation.type": "tool",
            "langfuse.observation.metadata.tool_call_id": "call_1",
            "langfuse.observation.metadata.gen_ai.is_entry": true,
            "langfuse.observation.input": {"city": "深圳"},
            "langfuse.observation.output": "26C",
        }),
    );
    assert_eq!(span.name, "get_weather");
    let span = writes(
        Profile::OPENINFERENCE,
        "execute_tool get_weather",
        &source,
        json!({
            "openinference.span.kind": "TOOL",
            "gen_ai.is_entry": true,
            "tool.name": "get_weather",
            "tool.id": "call_1",
            "tool.parameters": {"city": "深圳"},
            "input.value": {"city": "深圳"},
            "input.mime_type": "application/json",
            "output.value": "26C",
            "output.mime_type": "text/plain",
        }),
    );
    assert_eq!(span.name, "execute_tool get_weather");
}

#[test]
fn documents_are_spread_over_indexes_in_openinference() {
    let source = json!({
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.query.text": "weather",
        "gen_ai.retrieval.documents": r#"[{"id":"a","score":0.5,"content":"26C","metadata":{"source":"x"}},{"content":"sunny"}]"#,
    });
    writes(
        Profile::OPENINFERENCE,
        "retrieval",
        &source,
        json!({
            "openinference.span.kind": "RETRIEVER",
            "gen_ai.is_entry": true,
            "input.value": "weather",
            "input.mime_type": "text/plain",
            "output.value": [{"id": "a", "score": 0.5, "content": "26C", "metadata": {"source": "x"}}, {"content": "sunny"}],
            "output.mime_type": "application/json",
            "retrieval.documents.0.document.id": "a",
            "retrieval.documents.0.document.score": 0.5,
            "retrieval.documents.0.document.content": "26C",
            "retrieval.documents.0.document.metadata": {"source": "x"},
            "retrieval.documents.1.document.content": "sunny",
        }),
    );
}

/// The attributes of profile `profile` for one span, without what is left of the source.
fn says(profile: Profile, source: Json) -> BTreeMap<String, Json> {
    parsed(attributes(&spans(&convert(&request("s", "x", &source), profile, Some(Keep::None)))[0]))
}

#[test]
fn each_message_of_an_answer_has_the_reason_why_it_ended() {
    let messages = |list: Json| list.to_string();
    let said = |text: &str| json!({"role": "assistant", "parts": [{"type": "text", "content": text}]});
    let ended = |text: &str, reason: &str| {
        let mut message = said(text);
        message["finish_reason"] = reason.into();
        message
    };
    let source = |reasons: Json, list: Json| {
        json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.response.finish_reasons": reasons,
            "gen_ai.output.messages": messages(list)})
    };
    let without = || json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.output.messages": messages(json!([said("a")]))});
    for (profile, source, expected) in [
        (
            Profile::OTEL,
            source(json!(["stop", "length"]), json!([said("a"), said("b")])),
            json!([ended("a", "stop"), ended("b", "length")]),
        ),
        (Profile::OTEL, source(json!(["stop"]), json!([ended("a", "length"), said("b")])), json!([ended("a", "length"), ended("b", "")])),
        // Where nobody knows the reason, 0.1.0 gets none.
        (Profile::OTEL, without(), json!([said("a")])),
        (Profile::OTEL_1_41, without(), json!([ended("a", "")])),
    ] {
        assert_eq!(says(profile, source)["gen_ai.output.messages"], expected);
    }
}

#[test]
fn openinference_shows_the_messages_where_another_attribute_says_less() {
    let asked = json!([{"role": "system", "parts": [{"type": "text", "content": "be brief"}]}, {"role": "user", "parts": [{"type": "text", "content": "hi"}]}]);
    let chat = json!([{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]);
    let call = json!({"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1}});
    let answer = json!([{"role": "assistant", "parts": [{"type": "text", "content": "I ask."}, call]}]);
    // The parameters of a request, and the arguments of a tool that the answer calls.
    for (key, less) in [("request_data", r#"{"model":"gpt-4o"}"#), ("gen_ai.tool.call.arguments", r#"{"a":1}"#)] {
        let found = says(
            Profile::OPENINFERENCE,
            json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.input.messages": asked.to_string(), key: less}),
        );
        assert_eq!(found["input.value"], chat, "{key}");
    }
    // The text of an answer that also calls a tool; an answer that is a text only stays one.
    let source = |kind: &str, output: &Json| {
        json!({"gen_ai.operation.name": kind, "gen_ai.request.model": "gpt-4o", "gen_ai.output.messages": output.to_string(),
            "gen_ai.entity.output": "I ask."})
    };
    for kind in ["chat", "invoke_agent"] {
        let found = says(Profile::OPENINFERENCE, source(kind, &answer));
        assert!(found["output.value"].to_string().contains("tool_calls"), "{kind}: {}", found["output.value"]);
    }
    let text = json!([{"role": "assistant", "parts": [{"type": "text", "content": "I ask."}]}]);
    assert_eq!(says(Profile::OPENINFERENCE, source("invoke_agent", &text))["output.value"], "I ask.");
}

#[test]
fn otel_1_41_differs_where_its_column_says_so() {
    let mut source = chat();
    for key in ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions"] {
        source.as_object_mut().unwrap().remove(key);
    }
    let mut expected = source.clone();
    let fields = expected.as_object_mut().unwrap();
    fields.insert("gen_ai.is_entry".into(), true.into());
    fields.insert("gen_ai.request.top_k".into(), 40.0.into());
    let written = fields.remove("gen_ai.usage.cache_write.input_tokens").unwrap();
    fields.insert("gen_ai.usage.cache_creation.input_tokens".into(), written);
    writes(Profile::OTEL_1_41, "chat gpt-4o-mini", &source, expected);
    let source = json!({"gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": "shop"});
    let expected = json!({"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "shop", "gen_ai.is_entry": true});
    writes(Profile::OTEL_1_41, "invoke_workflow shop", &source, expected);
}

#[test]
fn what_the_source_says_in_the_words_of_the_profile_stays() {
    // Buckets of the user's own, and an input that is no list of messages.
    let source = json!({
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "gpt-4o-mini",
        "langfuse.observation.usage_details": r#"{"input":1,"my_bucket":2}"#,
        "langfuse.observation.input": r#"{"messages":[{"role":"user","content":"hi"}],"mine":1}"#,
        "langfuse.trace.tags": ["a", "b"],
    });
    let mut expected = source.clone();
    let fields = expected.as_object_mut().unwrap();
    for key in ["langfuse.observation.usage_details", "langfuse.observation.input"] {
        let text = fields[key].as_str().unwrap().to_owned();
        fields.insert(key.into(), serde_json::from_str(&text).unwrap());
    }
    fields.insert("langfuse.observation.metadata.ls_provider".into(), "openai".into());
    fields.insert("langfuse.observation.metadata.gen_ai.is_entry".into(), true.into());
    writes(Profile::LANGFUSE, "OpenAI-generation", &source, expected);
}

#[test]
fn usage_that_repeats_the_children_is_in_no_bucket() {
    let source = json!({
        "ai.operationId": "ai.generateText",
        "ai.model.id": "gpt-4o-mini",
        "ai.usage.promptTokens": 57,
        "ai.usage.completionTokens": 17,
    });
    for profile in [Profile::LANGFUSE, Profile::OPENINFERENCE] {
        let span = spans(&convert(&request("ai", "ai.generateText", &source), profile, None)).remove(0);
        let attributes = attributes(&span);
        assert!(!attributes.keys().any(|key| key.contains("token_count")), "{profile:?}");
        // Langfuse would count the tokens of a span that has a model itself.
        let none = (profile == Profile::LANGFUSE).then(|| json!(r#"{"input":0,"output":0,"total":0}"#));
        assert_eq!(attributes.get("langfuse.observation.usage_details"), none.as_ref(), "{profile:?}");
    }
}

#[test]
fn session_and_user_of_a_span_are_those_of_the_spans_below_that_have_none() {
    let mut handed = 0;
    for (file, body) in captures().into_iter().filter(|(file, _)| file.ends_with(".pb")) {
        let alone = spans(&convert(&body, Profile::OTEL, None));
        let options = Convert { to: Format::Protobuf, ..Convert::default() };
        let together = spans(&genspan::convert(&body, &options).unwrap());
        let explained: Vec<Json> = serde_json::from_slice(&genspan::explain(&body, &options).unwrap()).unwrap();
        // A plain span of an LLM library is none of a model's.
        let is_llm = |span: &Json| span["conventions"] != json!([]) && span["name"] != "raw_gen_ai_request";
        let llm: Vec<_> = explained.iter().map(is_llm).collect();
        let above = |n: usize| alone.iter().position(|s| s.trace_id == alone[n].trace_id && s.span_id == alone[n].parent_span_id);
        for (n, (span, found)) in alone.iter().zip(&together).enumerate() {
            let mut expected = attributes(span);
            for key in ["session.id", "user.id"] {
                // That of a span which is none of a model's is another session.
                let mut up = std::iter::successors(Some(n), |n| above(*n)).take(alone.len()).filter(|n| llm[*n]);
                let known = up.find_map(|n| attributes(&alone[n]).remove(key));
                if let Some(value) = known.filter(|_| llm[n] && !expected.contains_key(key)) {
                    expected.insert(key.to_owned(), value);
                    handed += 1;
                }
            }
            assert_eq!(attributes(found), expected, "{file} {}", span.name);
        }
    }
    assert!(handed > 20, "{handed} spans");
}
