//! Rows of sources that appeared or changed by November 2026 whose sample no general rule can make: what is a condition on a span, or has a
//! shape of its own.

use crate::csv;
use crate::expect::{Case, Expect, What};
use crate::sample::{ANSWER, ARGUMENTS, QUESTION, Row, text, tool};
use crate::sources::{of_kind, prove};
use crate::span::Source;
use crate::special::{INPUT, OUTPUT, is, span, to};
use serde_json::{Value as Json, json};

const OPERATION: &str = "gen_ai.operation.name";
const KIND: &str = "gen_ai.span.kind";

fn said(key: &str, role: &'static str, text: &str) -> Expect {
    to(key, What::Message(Some(role), vec![text.into()]))
}

fn asked() -> Expect {
    said(INPUT, "user", QUESTION)
}

fn answered() -> Expect {
    said(OUTPUT, "assistant", ANSWER)
}

fn user() -> Json {
    json!({"role": "user", "content": QUESTION})
}

fn assistant() -> Json {
    json!({"role": "assistant", "content": ANSWER})
}

/// A name that a pattern covers.
pub fn name_of(pattern: &str) -> String {
    [
        ("<model> (<provider>)", "gpt-4o (openai)"),
        ("<operation id> without gen_ai.operation.name", "list_models_v1_models_get"),
        ("<method path>", "messages.create"),
        ("* without gen_ai.operation.name", "models.list"),
        (" (any other)", "skills.list"),
        ("{name!r}", "'planner'"),
        ("{triggered=}", "triggered=False"),
        ("{gen_ai.request.model!r}", "'gpt-4o'"),
        ("{from_agent}", "a"),
        ("{to_agent}", "b"),
        ("{server}", "s"),
        ("{name}", "planner"),
        ("*", "x"),
    ]
    .iter()
    .fold(pattern.to_owned(), |name, (from, to)| name.replace(from, to))
}

/// The operation and the kind that the other table has for the name of a span.
fn words_of(convention: &str, pattern: &str) -> Option<[&'static str; 2]> {
    let rows = csv::enums().iter().filter(|row| row[0] == "span_kind" && row[1] == convention && row[2] == "span.name");
    let fits = |row: &&Vec<String>| row[3] == pattern || name_of(pattern).starts_with(row[3].as_str());
    rows.filter(fits).max_by_key(|row| row[3].len()).map(|row| [row[4].as_str(), row[5].as_str()])
}

/// The same for the operation with which a note begins.
fn words_for(note: &str) -> Option<[&'static str; 2]> {
    let operation = note.split(',').next()?;
    let row = csv::enums().iter().find(|row| row[0] == "span_kind" && row[4] == operation)?;
    Some([&row[4], &row[5]])
}

fn named(convention: &str, pattern: &str, attributes: &[(&str, Json)]) -> Source {
    let scope = if convention == "logfire" { "logfire.openai_agents".into() } else { String::new() };
    prove(convention, Source { name: name_of(pattern), scope, ..span(attributes) })
}

/// A row about spans of these names.
fn by_name(row: &Row, names: &str) -> Vec<Case> {
    let convention = row.convention.as_str();
    let case = |name: &str| {
        let model = [("gen_ai.request.model", json!("gpt-4o"))];
        match row.target.as_str() {
            // Steps of a run have a kind, and the outermost of them is the root of its entry; the sums of a task are never its own.
            "(not-llm)" if matches!(convention, "logfire" | "google-adk") => {
                let usage = if convention == "logfire" { json!({"usage": r#"{"input_tokens":7,"output_tokens":5}"#}) } else { json!({}) };
                let usage: Vec<_> = usage.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
                let operation = if name == "invocation" { is(OPERATION, "invoke_workflow") } else { Expect::Absent(OPERATION.into()) };
                Case {
                    source: named(convention, name, &usage),
                    expected: vec![operation, Expect::AbsentEverywhere("gen_ai.usage.input_tokens".into())],
                }
            }
            "(not-llm)" => Case { source: named(convention, name, &model), expected: vec![Expect::Plain] },
            // An account of calls is a plain span; its numbers are not usage (rule 12).
            "(aggregate)" => Case {
                source: named(convention, name, &[("gen_ai.usage.input_tokens", json!(7)), ("gen_ai.request.model", json!("gpt-4o"))]),
                expected: vec![Expect::Plain],
            },
            "(entry-hint)" => Case { source: named(convention, name, &[]), expected: vec![Expect::Entry] },
            "(keep)" => Case { source: named(convention, name, &[]), expected: vec![Expect::Recognised] },
            "(recognise)" => {
                let name = name.replace('*', "model.call");
                let operation = if name.starts_with("kong") { vec![(OPERATION, json!("chat"))] } else { vec![] };
                Case { source: named(convention, &name, &operation), expected: vec![Expect::Recognised] }
            }
            // Its names were not seen, but for those of the SDK.
            _ if convention == "claude-platform" => Case {
                source: named(convention, name, &[(OPERATION, json!("chat"))]),
                expected: vec![is(OPERATION, "chat"), is(KIND, "LLM")],
            },
            _ => {
                let [operation, kind] = words_of(convention, name).or_else(|| words_for(&row.note)).unwrap_or_default();
                let source = named(convention, name, if name.starts_with("tools/call") { &[("mcp.method.name", Json::Null)] } else { &[] });
                let source = if name.starts_with("tools/call") { source.with(OPERATION, "execute_tool") } else { source };
                let (operation, kind) = match name {
                    "tools/call *" => ("execute_tool", "TOOL"),
                    _ if kind.is_empty() => return Case { source, expected: vec![Expect::Plain] },
                    _ => (operation, kind),
                };
                let operation = if operation.is_empty() { Expect::Absent(OPERATION.into()) } else { is(OPERATION, operation) };
                let mut expected = vec![operation];
                if !row.target.starts_with(OPERATION) || row.target.contains(KIND) {
                    expected.push(is(KIND, kind));
                }
                Case { source, expected }
            }
        }
    };
    names.split('|').map(case).collect()
}

/// The samples of such a row, `None` for all others.
#[rustfmt::skip]
pub fn cases(row: &Row) -> Option<Vec<Case>> {
    if let Some(names) = row.key.strip_prefix("span.name=") {
        return Some(by_name(row, names));
    }
    if row.key.starts_with("resource ") && row.target == "(recognise)" {
        let pairs = row.key["resource ".len()..].split(" + ").filter_map(|pair| pair.split_once('='));
        let resource = pairs.map(|(key, value)| (key.to_owned(), json!(value.replace('*', "openai")))).collect();
        let source = Source { scope: "app".into(), name: "call".into(), resource, ..Default::default() };
        return Some(vec![Case { source, expected: vec![Expect::Recognised] }]);
    }
    let name = row.key.split(" (").next().unwrap_or_default();
    let target = row.target.as_str();
    let case = |source: Source, expected: Vec<Expect>| Some(vec![row.case(source, expected)]);
    let plain = |source: Source| Some(vec![Case { source: prove(&row.convention, Source { name: "x".into(), ..source }), expected: vec![Expect::Plain] }]);
    let own = |source: Source, expected: Vec<Expect>| Some(vec![Case { source: prove(&row.convention, source), expected }]);
    let parts = |role: &str, part: Json| text(json!([{"role": role, "parts": [part]}]));
    let whole = text(json!([user()]));
    match (row.convention.as_str(), row.key.as_str()) {
        // Anthropic
        ("anthropic-sdk", "parts[].type=anthropic_*") => {
            case(span(&[(INPUT, parts("user", json!({"type": "anthropic_image"})))]), vec![to(INPUT, What::Inside(json!([{"type": "anthropic_image"}])))])
        }
        ("anthropic-sdk", key @ ("parts[].anthropic_mcp_server_name" | "parts[].anthropic_toolset_name")) => {
            let member = &key["parts[].".len()..];
            let part = json!({"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Paris"}, member: "base"});
            case(span(&[(INPUT, parts("assistant", part.clone()))]), vec![to(INPUT, What::Inside(part))])
        }
        ("anthropic-sdk", "parts[].type=tool_call_response (role assistant)") => {
            let part = json!({"type": "tool_call_response", "id": "call_1", "response": [{"type": "text", "text": "noon"}]});
            case(span(&[(OUTPUT, parts("assistant", part))]), vec![said(OUTPUT, "assistant", "tool_call_response")])
        }
        ("anthropic-sdk", "anthropic.message.stop_reason") => case(span(&[(name, json!("end_turn"))]), vec![is(target, json!(["stop"]))]),
        ("anthropic-sdk", "anthropic.tool_result.content") => {
            case(of_kind(&row.convention, "TOOL", span(&[(name, text(json!([{"type": "text", "text": "noon"}])))])), vec![to(target, What::Text("noon".into()))])
        }
        ("anthropic-sdk", key) if key.contains(" (on anthropic.") => {
            let method = if key.contains("memory") { "memory_stores.memories.create" } else { "agents.create" };
            own(Source { name: format!("anthropic.{method}"), ..span(&[(name, json!("id-1"))]) }, vec![Expect::Kept(name.into()), Expect::Plain])
        }

        // Mistral
        ("mistralai-sdk", "gen_ai.usage.* on invoke_agent") => {
            own(span(&[(OPERATION, json!("invoke_agent")), ("gen_ai.usage.input_tokens", json!(7))]), vec![is("gen_ai.usage.input_tokens", 7)])
        }
        ("mistralai-sdk", "value=[REDACTED]") => {
            case(span(&[("server.address", json!("[REDACTED]")), ("gen_ai.request.model", json!("m"))]), vec![Expect::Absent("server.address".into())])
        }

        // Tencent
        ("tencent-cls", "gen_ai.input.messages_delta") => {
            let both = span(&[(INPUT, text(json!([{"role": "user", "content": "hi"}, user()]))), (name, whole.clone())]);
            Some(vec![row.case(both, vec![Expect::Gone(name.into()), asked()]), row.case(span(&[(name, whole)]), vec![asked()])])
        }
        ("tencent-cls", "value=\"\" | \"0\" | \"[]\"") => case(span(&[("gen_ai.response.id", json!(""))]), vec![Expect::Gone("gen_ai.response.id".into())]),
        // Where nothing else says who was searched for.
        ("tencent-cls", "gen_ai.rerank.query_text") => case(span(&[(name, json!(QUESTION))]), vec![is(target, QUESTION)]),

        // Hermes
        ("hermes-otel", "gen_ai.system") => case(span(&[(name, json!("hermes-agent")), ("hermes.provider", json!("openai"))]), vec![
            Expect::Gone(name.into()), is("gen_ai.provider.name", "openai"),
        ]),
        ("hermes-otel", "status ERROR description") => case(
            Source { failed: true, status_message: "no such file".into(), ..Default::default() }, vec![Expect::StatusMessage("no such file".into())],
        ),

        // OpenRouter: the prompt and the answer three times
        ("openrouter", "gen_ai.prompt") => case(span(&[(name, text(json!({"messages": [user()]})))]), vec![asked()]),
        ("openrouter", "gen_ai.completion") => {
            let call = json!([{"id": "call_1", "function": {"name": "get_weather", "arguments": ARGUMENTS}}]);
            let value = text(json!({"completion": ANSWER, "reasoning": "short", "toolCalls": call}));
            case(span(&[(name, value)]), vec![
                answered(), to(OUTPUT, What::Part(vec!["reasoning".into()], vec!["short".into()])),
                to(OUTPUT, What::Part(vec!["tool_call".into()], vec!["call_1".into(), "get_weather".into(), "Paris".into()])), Expect::Gone(name.into()),
            ])
        }
        ("openrouter", "trace.input" | "span.input") => {
            let value = text(json!({"messages": [user()]}));
            case(span(&[("gen_ai.prompt", value.clone()), (name, value)]), vec![Expect::Gone(name.into()), asked()])
        }
        ("openrouter", "trace.output" | "span.output") => {
            let value = text(json!({"completion": ANSWER}));
            case(span(&[("gen_ai.completion", value.clone()), (name, value)]), vec![Expect::Gone(name.into()), answered()])
        }
        ("openrouter", "span.type") => own(span(&[(name, json!("generation"))]), vec![is(KIND, "LLM")]),

        // Gateways
        ("vercel-ai-gateway", "span kind SERVER, no parent, gen_ai.operation.name") => {
            own(Source { name: "chat openai/gpt-4o".into(), ..span(&[(OPERATION, json!("chat"))]) }, vec![is(KIND, "LLM"), Expect::Entry])
        }
        ("vercel-ai-gateway", "gen_ai.operation.name=retrieval (root)") => own(span(&[(OPERATION, json!("retrieval"))]), vec![is(KIND, "RERANKER")]),
        ("cloudflare-ai-gateway", "no gen_ai.operation.name") => Some(
            ["gen_ai.prompt_json", "gen_ai.completion_json"]
                .map(|key| Case { source: prove(&row.convention, span(&[(key, text(json!([user()])))])), expected: vec![is(OPERATION, "chat")] })
                .into(),
        ),
        ("envoy-ai-gateway", "openinference.span.kind=TOKEN_COUNTER") | ("openinference", "openinference.span.kind=TOKEN_COUNTER") => plain(span(&[
            ("openinference.span.kind", json!("TOKEN_COUNTER")), ("llm.model_name", json!("m")), ("llm.token_count.prompt", json!(12)),
        ])),
        ("envoy-ai-gateway", "parts[].type=tool_call_response field content") => {
            let part = json!({"type": "tool_call_response", "id": "call_1", "content": "noon"});
            case(span(&[(INPUT, parts("tool", part))]), vec![to(INPUT, What::Inside(json!({"type": "tool_call_response", "id": "call_1", "response": "noon"})))])
        }
        ("envoy-ai-gateway", "mcp.request.id" | "mcp.transport") => {
            own(Source { name: "CallTool".into(), ..span(&[(name, json!("sample-1"))]) }, vec![is(target, "sample-1")])
        }
        ("envoy-ai-gateway", "gen_ai.provider.name") => case(span(&[(name, json!("aws.anthropic"))]), vec![is(target, "aws.bedrock")]),
        ("agentgateway", "span without gen_ai.operation.name and without mcp.method.name") => plain(span(&[("http.route", json!("/")), ("gen_ai.provider.name", json!("openai"))])),
        ("agentgateway", "mcp.method.name=tools/call") => own(span(&[("mcp.method.name", json!("tools/call"))]), vec![is(OPERATION, "execute_tool")]),
        ("agentgateway", "error" | "mcp.error.message") => own(span(&[("mcp.method.name", json!("tools/call")), (name, json!("it failed"))]), vec![Expect::StatusMessage("it failed".into())]),
        ("agentgateway", "gen_ai.prompt.{i}.*") => case(span(&[("gen_ai.prompt.0.role", json!("user")), ("gen_ai.prompt.0.content", json!(QUESTION))]), vec![asked()]),
        // The table's target is that of the row above it; what was completed is the output.
        ("agentgateway", "gen_ai.completion.{i}.*") => {
            case(span(&[("gen_ai.completion.0.role", json!("assistant")), ("gen_ai.completion.0.content", json!(ANSWER))]), vec![answered()])
        }
        ("agentgateway", "llm.input_messages.{i}.message.*") => {
            case(span(&[("llm.input_messages.0.message.role", json!("user")), ("llm.input_messages.0.message.content", json!(QUESTION))]), vec![asked()])
        }
        ("kong-ai-gateway", "gen_ai.output.messages") => {
            case(span(&[(name, text(json!({"id": "r-1", "model": "m", "choices": [{"index": 0, "message": assistant(), "finish_reason": "stop"}]})))]), vec![answered()])
        }
        ("bifrost", "span kind CLIENT + gen_ai.provider.name + gen_ai.request.model") => own(
            span(&[("gen_ai.provider.name", json!("openai")), ("gen_ai.request.model", json!("gpt-4o")), ("gen_ai.usage.output_tokens", json!(5))]),
            vec![is(OPERATION, "chat"), is(KIND, "LLM")],
        ),
        ("bifrost", "gen_ai.raw_request") => case(span(&[(INPUT, whole.clone()), (name, text(json!({"model": "gpt-4o", "messages": [user()]})))]), vec![Expect::Gone(name.into()), asked()]),
        ("bifrost", "gen_ai.raw_response") => case(
            span(&[(OUTPUT, text(json!([assistant()]))), (name, text(json!({"choices": [{"message": assistant(), "finish_reason": "stop"}]})))]),
            vec![Expect::Gone(name.into()), answered()],
        ),
        ("bifrost", "gen_ai.responses.reasoning") => {
            case(span(&[(name, json!("thinking"))]), vec![to(OUTPUT, What::Part(vec!["reasoning".into()], vec!["thinking".into()]))])
        }
        ("bifrost", "gen_ai.input.embedding") => own(span(&[(name, json!([QUESTION]))]), vec![to(target, What::Text(QUESTION.into())), is(KIND, "EMBEDDING")]),
        ("bifrost", "gen_ai.response.time_to_first_token") => case(span(&[(name, json!(0.25))]), vec![is(target, 0.25)]),

        ("bifrost", "gen_ai.responses.temperature" | "gen_ai.responses.top_p") => case(span(&[(name, json!(0.25))]), vec![is(target, 0.25)]),
        ("bifrost", "gen_ai.responses.max_output_tokens") => case(span(&[(name, json!(7))]), vec![is(target, 7)]),

        // LiteLLM
        ("litellm", "litellm.provider.model") => case(span(&[(name, json!("m-1")), ("gen_ai.request.model", json!("m"))]), vec![Expect::Kept(name.into()), is(target, "m")]),
        ("litellm", "litellm.guardrail.response") => {
            own(Source { name: "execute_guardrail pii".into(), ..span(&[(name, text(json!({"a": ANSWER})))]) }, vec![to(target, What::Json(json!({"a": ANSWER})))])
        }
        ("litellm", "langfuse.observation.usage_details (litellm preset)") => case(
            span(&[(name, text(json!({"input": 3, "input_cached_tokens": 4, "output": 5, "total": 12})))]),
            vec![is("gen_ai.usage.input_tokens", 7), is("gen_ai.usage.output_tokens", 5)],
        ),
        ("litellm", "gen_ai.operation.name") => Some(vec![
            Case { source: prove("litellm", span(&[(name, json!("chat"))])), expected: vec![is(name, "chat")] },
            Case { source: prove("litellm", Source { name: "x".into(), ..span(&[(name, json!("litellm.moderation")), ("gen_ai.request.model", json!("m")), ("gen_ai.usage.input_tokens", json!(7))]) }), expected: vec![Expect::Plain] },
        ]),

        // OpenInference
        ("openinference", "openinference.span.kind=DECISION") => own(span(&[(name.split('=').next()?, json!("DECISION"))]), vec![is(OPERATION, "decide"), is(KIND, "LLM")]),
        ("openinference", "decision.model_name") => own(
            span(&[("openinference.span.kind", json!("DECISION")), (name, json!("m")), ("output.value", json!("{}"))]),
            vec![is(target, "m")],
        ),
        ("openinference", key) if (key.starts_with("input.") || key.starts_with("output.")) && key.contains("{i}") && target != "(keep)" => {
            let (message, role, value, said) = if key.starts_with("input.") { (INPUT, "user", "input.value", QUESTION) } else { (OUTPUT, "assistant", "output.value", ANSWER) };
            let key = key.replace("{i}", "0");
            let list = key.rsplit_once('.')?.0;
            let (sample, what) = media(key.rsplit('.').next()?, key.contains("image"));
            let attributes: Vec<_> = sample.iter().map(|(field, v)| (format!("{list}.{field}"), json!(v))).collect();
            let media = attributes.iter().fold(Source::default(), |source, (key, value)| source.with(key, value.clone()));
            Some(vec![
                row.case(media.clone(), vec![to(message, What::Message(Some(role), what.clone()))]),
                row.case(media.with(value, said), vec![to(message, What::Message(Some(role), [what, vec![said.into()]].concat()))]),
            ])
        }
        ("openinference", key) if key.contains("message_content.document") || key.contains("message_content.video") => {
            let (message, role) = if key.contains("input") { (INPUT, "user") } else { (OUTPUT, "assistant") };
            let list = key.split("{i}").next()?;
            let (ty, field) = if key.contains("video") { ("video", "url") } else { ("document", key.rsplit('.').next()?.trim_matches('*')) };
            let (sample, mut what) = media(if field.is_empty() { "url" } else { field }, false);
            if ty == "video" {
                what = vec!["uri".into(), "video".into(), "https://example.com/a".into()];
            }
            let content = format!("{list}0.message.contents.0.message_content");
            let mut source = Source::default().with(&format!("{list}0.message.role"), role).with(&format!("{content}.type"), ty);
            for (field, value) in sample {
                source = source.with(&format!("{content}.{ty}.{ty}.{field}"), value);
            }
            case(source, vec![to(message, What::Message(Some(role), what))])
        }

        // Vercel AI SDK
        ("vercel-ai-v7" | "vercel-ai", "ai.decision.state") => decided(row, name, json!(QUESTION), asked()),
        ("vercel-ai-v7" | "vercel-ai", "ai.decision.answers") => decided(row, name, text(json!({"urgent": {"value": true}})), said(OUTPUT, "assistant", "urgent")),
        ("pydantic-ai", "pydantic_ai.decision.state") => decided(row, name, json!(QUESTION), asked()),
        ("pydantic-ai", "pydantic_ai.decision.answers") => decided(row, name, text(json!({"urgent": {"value": true}})), said(OUTPUT, "assistant", "urgent")),
        ("vercel-ai-v7" | "vercel-ai", "ai.request.text") => own(span(&[(OPERATION, json!("ai.generateSpeech")), ("ai.operationId", json!("ai.generateSpeech")), (name, json!(QUESTION))]), vec![asked()]),
        ("vercel-ai-v7", "ai.response.text (transcribe)") => own(span(&[(OPERATION, json!("ai.transcribe")), (name, json!(ANSWER))]), vec![answered()]),
        ("vercel-ai-v7", "ai.usage.inputTokenDetails.noCacheTokens") => case(span(&[(name, json!(3)), ("gen_ai.usage.input_tokens", json!(7)), ("gen_ai.usage.cache_read.input_tokens", json!(4))]), vec![Expect::Gone(name.into())]),
        ("vercel-ai", "ai.response.text=\"\"") => own(
            span(&[
                ("ai.operationId", json!("ai.streamText.doStream")), ("ai.response.text", json!("")),
                ("ai.response.toolCalls", text(json!([{"toolCallId": "call_1", "toolName": "get_weather", "input": {"city": "Paris"}}]))),
            ]),
            vec![to(OUTPUT, What::Part(vec!["tool_call".into()], vec!["get_weather".into()])), to("gen_ai.entity.output", What::Text("get_weather".into()))],
        ),
        ("vercel-ai", "ai.response.providerMetadata.openai.serviceTier") => {
            case(span(&[("ai.response.providerMetadata", text(json!({"openai": {"serviceTier": "priority"}})))]), vec![is("openai.response.service_tier", "priority")])
        }
        ("vercel-ai-v7" | "vercel-ai" | "pydantic-ai" | "strands" | "mastra", key) if target.contains(OPERATION) && key.contains('=') => {
            let (key, words) = key.split_once('=')?;
            let words = words.split(" (").next()?.split('|');
            let sample = |word: &str| {
                let enums = csv::enums().iter().filter(|r| r[0] == "span_kind" && r[3] == word && r[2].split('|').any(|k| k == key));
                let known = enums.max_by_key(|r| r[1] == row.convention);
                let [operation, kind] = match (known, word) {
                    (_, "ai.decide") => ["", "CHAIN"],
                    (_, "ai.decide.doDecide") => ["decide", "LLM"],
                    // With a model it is the call, without one it stands around calls.
                    (_, "model_generation") => ["", "CHAIN"],
                    (_, "image_generation") => ["generate_content", "LLM"],
                    (Some(known), _) => [known[4].as_str(), known[5].as_str()],
                    (None, _) => ["?", "?"],
                };
                let operation = if operation.is_empty() { Expect::Absent(OPERATION.into()) } else { is(OPERATION, operation) };
                Case { source: prove(&row.convention, span(&[(key, json!(word))])), expected: vec![operation, is(KIND, kind)] }
            };
            Some(words.map(sample).collect())
        }

        // Pydantic AI, Logfire
        ("pydantic-ai", "prompt (on image_generation)") => own(span(&[(OPERATION, json!("image_generation")), (name, json!(QUESTION))]), vec![asked()]),
        ("logfire", key) if key.contains(" (on ") && !key.starts_with("usage") && !key.starts_with("request_data") => {
            let on = key.split(" (on ").nth(1)?.trim_end_matches(')');
            let pattern = match on {
                "Agent run" => "Agent run: {name!r}",
                "Function" => "Function: {name}",
                "Guardrail" => "Guardrail {name!r} {triggered=}",
                "Chat completion" => "Chat completion with {gen_ai.request.model!r}",
                "Responses API" => "Responses API",
                "Text → Speech" => "Text → Speech",
                _ => "Speech → Text with {gen_ai.request.model!r}",
            };
            let item = json!([{"role": "user", "content": QUESTION}]);
            let (value, expected) = match (name, on) {
                ("name", "Agent run" | "Function") => (json!("planner"), is(target, "planner")),
                ("input", "Function") => (json!(ARGUMENTS), to(target, What::Json(json!({"city": "Paris"})))),
                ("output", "Function") => (json!(ARGUMENTS), to(target, What::Json(json!({"city": "Paris"})))),
                ("input", "Chat completion") => (text(item), asked()),
                ("output", "Chat completion") => (text(json!([assistant()])), answered()),
                ("input", _) => (json!(QUESTION), asked()),
                ("output", _) => (json!(ANSWER), answered()),
                ("raw_input", _) => {
                    let events = json!([{"event.name": "gen_ai.user.message", "role": "user", "content": QUESTION}]);
                    return Some(vec![Case { source: named("logfire", pattern, &[("events", text(events)), (name, text(item))]), expected: vec![Expect::Gone(name.into()), asked()] }]);
                }
                _ => (text(json!(["a"])), Expect::Kept(name.into())),
            };
            Some(vec![Case { source: named("logfire", pattern, &[(name, value)]), expected: vec![expected] }])
        }
        ("logfire", "request_data.messages (on Chat completion of logfire.openai_agents)") => {
            let both = text(json!({"messages": [user(), assistant()]}));
            let chat = "Chat completion with {gen_ai.request.model!r}";
            Some(vec![
                Case {
                    source: named("logfire", chat, &[("request_data", both.clone()), ("input", text(json!([user()]))), ("output", text(json!([assistant()])))]),
                    expected: vec![asked(), answered(), to(INPUT, What::NoPart(ANSWER.into()))],
                },
                Case { source: named("logfire", chat, &[("request_data", both)]), expected: vec![asked(), answered()] },
            ])
        }
        ("logfire", "model_config") => Some(vec![Case {
            source: named("logfire", "Chat completion with {gen_ai.request.model!r}", &[(name, text(json!({"temperature": 0.25})))]),
            expected: vec![is("gen_ai.request.temperature", 0.25)],
        }]),
        ("logfire", "response") => Some(vec![Case {
            source: named("logfire", "Responses API", &[(name, text(json!({"id": "r-1", "object": "response", "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": ANSWER}]}]})))]),
            expected: vec![answered()],
        }]),
        ("logfire", "response_id") => Some(vec![Case { source: named("logfire", "Responses API", &[(name, json!("r-1"))]), expected: vec![is(target, "r-1")] }]),
        ("logfire", "group_id") => Some(vec![Case { source: named("logfire", "OpenAI Agents trace: {name}", &[(name, json!("g-1"))]), expected: vec![is("gen_ai.conversation.id", "g-1")] }]),
        ("logfire", "usage (on logfire.openai_agents)") => Some(vec![Case {
            source: named("logfire", "Responses API", &[(name, text(json!({"input_tokens": 7, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 3}})))]),
            expected: vec![is("gen_ai.usage.input_tokens", 7), is("gen_ai.usage.cache_read.input_tokens", 3)],
        }]),
        ("logfire", "events[].event.name=gen_ai.unknown field data") => {
            let unknown = json!({"event.name": "gen_ai.unknown", "role": "unknown", "content": "web_search_call\n\nSee JSON for details", "data": {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "Paris"}}});
            let events = json!([{"event.name": "gen_ai.user.message", "role": "user", "content": QUESTION}, unknown]);
            Some(vec![Case { source: named("logfire", "Responses API", &[("events", text(events))]), expected: vec![asked(), said(OUTPUT, "assistant", "ws_1"), to(OUTPUT, What::NoPart("See JSON".into()))] }])
        }
        ("logfire", "events (any scope, opentelemetry.instrumentation.google_genai)") => {
            let events = json!([{"content": QUESTION, "role": "user"}, {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": [ANSWER]}}]);
            let source = Source { scope: "opentelemetry.instrumentation.google_genai".into(), ..span(&[(OPERATION, json!("generate_content")), (name, text(events))]) };
            Some(vec![Case { source, expected: vec![asked(), answered()] }])
        }
        ("logfire", "code.function.parameters.{n}.value" | "code.function.return.value") => {
            let source = Source { scope: "opentelemetry.instrumentation.google_genai".into(), ..span(&[(OPERATION, json!("execute_tool")), (&name.replace("{n}", "city"), json!(if name.contains("return") { ARGUMENTS } else { "Paris" }))]) };
            Some(vec![Case { source, expected: vec![to(target, What::Json(json!({"city": "Paris"})))] }])
        }

        // Others
        ("google-adk", "adk.fn.arg.*") => {
            Some(vec![Case { source: of_kind(&row.convention, "TOOL", prove(&row.convention, span(&[("adk.fn.arg.city", json!("Paris"))]))), expected: vec![to(target, What::Json(json!({"city": "Paris"})))] }])
        }
        ("claude-code", "file_path" | "full_command" | "skill_name" | "subagent_type") => {
            case(span(&[(name, json!("sample-1"))]), vec![to(target, What::Json(json!({name: "sample-1"})))])
        }
        ("nemo-relay", key) if row.transform == "unflatten" => {
            case(span(&[(&key.replace('*', "city"), json!("Paris"))]), vec![to(target, What::Json(json!({"city": "Paris"})))])
        }
        ("nemo-relay", "scope.name=opentelemetry") => {
            let source = Source { scope: "opentelemetry".into(), name: "call".into(), ..Default::default() };
            Some(vec![Case { source, expected: vec![Expect::Foreign] }])
        }
        ("nemo-relay", "nemo_relay.scope_type") => own(span(&[(name, json!("llm"))]), vec![is(target, "LLM")]),
        ("openclaw", "openclaw.model_call.usage.*") => {
            case(span(&[("openclaw.model_call.usage.input_tokens", json!(7))]), vec![is("gen_ai.usage.input_tokens", 7)])
        }
        ("openclaw", key) if key.starts_with("openclaw.tokens.") => {
            own(Source { name: "openclaw.model.usage".into(), ..span(&[(name, json!(7)), ("openclaw.model", json!("m"))]) }, vec![Expect::Plain, Expect::Kept(name.into())])
        }
        ("mastra", "mastra.agent_run.input") => own(
            span(&[("mastra.span.type", json!("agent_run")), (name, json!(QUESTION)), ("gen_ai.system_instructions", text(json!([{"type": "text", "content": "Be brief."}])))]),
            vec![asked(), is("gen_ai.entity.input", QUESTION)],
        ),
        ("mastra", "mastra.agent_run.output" | "mastra.model_generation.output" | "mastra.model_step.output") => {
            own(span(&[("mastra.span.type", json!(key_part(name))), (name, text(json!({"text": ANSWER, "files": []})))]), vec![answered()])
        }
        ("mastra", key) if key.starts_with("mastra.metadata.modelMetadata.") => {
            let value = text(json!({"modelId": "m-1", "modelProvider": "openai", "modelVersion": "v2"}));
            let expected = if key.ends_with("modelId") { "m-1" } else { "openai" };
            own(span(&[("mastra.span.type", json!("model_inference")), ("mastra.metadata.modelMetadata", value)]), vec![is(target, expected)])
        }
        ("genkit", "genkit:input (embedder)") => case(
            span(&[(name, text(json!({"input": [{"content": [{"text": QUESTION}]}]})))]), vec![to(target, What::Text(QUESTION.into()))],
        ),
        ("genkit", "genkit:input.docs") => own(
            span(&[("genkit:type", json!("action")), ("genkit:metadata:subtype", json!("model")), ("genkit:input", text(json!({"messages": [{"role": "user", "content": [{"text": QUESTION}]}], "docs": [{"content": [{"text": ANSWER}]}]})))]),
            vec![to(target, What::ListWith(ANSWER.into()))],
        ),
        ("genkit", "genkit:output.custom.responseId") => own(
            span(&[("genkit:type", json!("action")), ("genkit:metadata:subtype", json!("model")), ("genkit:output", text(json!({"message": {"role": "model", "content": [{"text": ANSWER}]}, "custom": {"responseId": "r-1"}})))]),
            vec![is(target, "r-1")],
        ),
        ("genkit", "genkit:input.tools[].outputSchema") => own(
            span(&[("genkit:type", json!("action")), ("genkit:metadata:subtype", json!("model")), ("genkit:input", text(json!({"messages": [], "tools": [{"name": "get_weather", "description": "d", "inputSchema": {"type": "object"}, "outputSchema": {"type": "string"}}]})))]),
            vec![to(target, What::ListWith("outputSchema".into()))],
        ),
        ("arms-loongsuite", "event:gen_ai.client.agent.invoke.operation.details") => {
            let attributes = [
                (INPUT, parts("user", json!({"type": "text", "content": QUESTION}))), (OUTPUT, parts("assistant", json!({"type": "text", "content": ANSWER}))),
                ("gen_ai.system_instructions", text(json!([{"type": "text", "content": "Be brief."}]))),
                ("gen_ai.tool.definitions", text(json!([tool()]))),
            ];
            case(Source::default().event("gen_ai.client.agent.invoke.operation.details", &attributes), vec![
                asked(), answered(), to("gen_ai.system_instructions", What::ListWith("Be brief.".into())), to("gen_ai.tool.definitions", What::ListWith("get_weather".into())),
            ])
        }
        ("codex", "thread.id (UUID)") => Some(vec![
            row.case(span(&[(name, json!("0199a2b4-7c1d-7a3e-9f10-1a2b3c4d5e6f"))]), vec![is("gen_ai.conversation.id", "0199a2b4-7c1d-7a3e-9f10-1a2b3c4d5e6f")]),
            row.case(span(&[(name, json!(7))]), vec![Expect::Absent("gen_ai.conversation.id".into())]),
        ]),
        ("generic", "OTLP JSON span.kind as word (\"server\", \"SPAN_KIND_SERVER\")") => {
            Some(["\"server\"", "\"SPAN_KIND_SERVER\"", "\"Server\""].map(|word| otlp("kind", word, json!(2))).into())
        }
        ("generic", "OTLP JSON intValue as number or text, traceId in base64") => Some(vec![
            otlp("attributes", r#"[{"key":"a","value":{"intValue":7}}]"#, json!([{"key": "a", "value": {"intValue": "7"}}])),
            otlp("attributes", r#"[{"key":"a","value":{"intValue":"7"}}]"#, json!([{"key": "a", "value": {"intValue": "7"}}])),
            otlp("traceId", r#""AQIDBAUGBwgJCgsMDQ4PEA==""#, json!("0102030405060708090a0b0c0d0e0f10")),
        ]),
        _ => None,
    }
}

/// A span in OTLP/JSON with this member, and what it must be when it has been read.
pub fn otlp(member: &str, value: &str, expected: Json) -> Case {
    Case { source: Source::default(), expected: vec![Expect::Json(member.into(), value.into(), expected)] }
}

fn key_part(key: &str) -> &str {
    key.split('.').nth(1).unwrap_or_default()
}

fn decided(row: &Row, name: &str, value: Json, expected: Expect) -> Option<Vec<Case>> {
    let source = span(&[(OPERATION, json!("decide")), (name, value)]);
    Some(vec![Case { source: prove(&row.convention, source), expected: vec![expected] }])
}

/// A document or a picture with this field, and the texts that must be in its part.
fn media(field: &str, image: bool) -> (Vec<(&'static str, &'static str)>, Vec<String>) {
    let modality = if image { "image" } else { "document" };
    let (sample, texts): (Vec<_>, Vec<&str>) = match field {
        "mime_type" => (vec![("url", "https://example.com/a"), ("mime_type", "application/pdf")], vec!["uri", "application/pdf"]),
        "name" => (vec![("url", "https://example.com/a"), ("name", "a.pdf")], vec!["uri", "a.pdf"]),
        "id" => (vec![("id", "file-1")], vec!["file", "file-1"]),
        "content" => (vec![("content", "about Paris")], vec!["text", "about Paris"]),
        _ => (vec![("url", "https://example.com/a")], vec!["uri", modality, "https://example.com/a"]),
    };
    (sample, texts.into_iter().map(Into::into).collect())
}
