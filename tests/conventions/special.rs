//! Rows whose sample no general rule can make: the key is prose, or the value has a shape of its own.

use crate::expect::{Case, Expect, What};
use crate::sample::{ANSWER, ARGUMENTS, QUESTION, Row, text, tool};
use crate::sources::{of_kind, prove};
use crate::span::{AFTER, START_MS, Source};
use serde_json::{Value as Json, json};

pub const INPUT: &str = "gen_ai.input.messages";
pub const OUTPUT: &str = "gen_ai.output.messages";

pub fn span(attributes: &[(&str, Json)]) -> Source {
    attributes.iter().fold(Source::default(), |source, (key, value)| source.with(key, value.clone()))
}

pub fn is(key: &str, value: impl Into<Json>) -> Expect {
    Expect::Target(key.into(), What::Is(value.into()))
}

pub fn to(key: &str, what: What) -> Expect {
    Expect::Target(key.into(), what)
}

fn asked(role: &'static str) -> What {
    What::Message(Some(role), vec![QUESTION.into()])
}

fn answered() -> What {
    What::Message(Some("assistant"), vec![ANSWER.into()])
}

fn user() -> Json {
    json!({"role": "user", "content": QUESTION})
}

fn assistant() -> Json {
    json!({"role": "assistant", "content": ANSWER})
}

fn arguments() -> Json {
    serde_json::from_str(ARGUMENTS).expect("JSON")
}

fn called() -> What {
    What::Part(vec!["tool_call".into()], vec!["call_1".into(), "get_weather".into(), "Paris".into()])
}

/// The samples of such a row, `None` for all others.
pub fn cases(row: &Row) -> Option<Vec<Case>> {
    crate::newer::cases(row).or_else(|| by_convention(row)).or_else(|| by_shape(row))
}

/// What several conventions write alike.
fn by_shape(row: &Row) -> Option<Vec<Case>> {
    let key = row.key.as_str();
    let name = key.split(" (").next().unwrap_or_default();
    let one = |value: Json, expected: Vec<Expect>| Some(vec![row.case(span(&[(name, value)]), expected)]);
    match row.target.as_str() {
        "gen_ai.prompt.variable.*" if row.transform == "json-parse" => {
            one(text(arguments()), vec![is("gen_ai.prompt.variable.city", "Paris")])
        }
        "gen_ai.operation.name" if key.ends_with("ls_model_type") => Some(
            [("chat", "chat"), ("llm", "text_completion")]
                .map(|(word, operation)| {
                    let source = prove(&row.convention, span(&[(name, json!(word))]));
                    // Where the kind of a model span says less.
                    let says_less = matches!(row.convention.as_str(), "langfuse" | "langsmith");
                    let source = if says_less { of_kind(&row.convention, "LLM", source) } else { source };
                    Case { source, expected: vec![is("gen_ai.operation.name", operation)] }
                })
                .into(),
        ),
        "gen_ai.agent.name" if key.ends_with("langgraph_node") => {
            let source = Source { name: "planner".into(), ..span(&[(name, json!("planner"))]) };
            Some(vec![row.case(source, vec![is("gen_ai.agent.name", "planner")])])
        }
        // Of one model name, what answered is the one on a span with an output.
        "gen_ai.request.model;gen_ai.response.model" => {
            let output = if row.convention == "langfuse" { "langfuse.observation.output" } else { "output.value" };
            let source = span(&[(name, json!("gpt-4o-mini")), (output, json!(ANSWER))]);
            let both = vec![is("gen_ai.request.model", "gpt-4o-mini"), is("gen_ai.response.model", "gpt-4o-mini")];
            let asked = vec![is("gen_ai.request.model", "gpt-4o-mini"), Expect::Absent("gen_ai.response.model".into())];
            Some(vec![row.case(source, both), row.case(span(&[(name, json!("gpt-4o-mini"))]), asked)])
        }
        "(aggregate)" => {
            let key = if key.contains("aggregated") { "gen_ai.aggregated_usage.input_tokens" } else { "gen_ai.usage.input_tokens" };
            // The first word for an agent in the tables is `create_agent`, which has no children; the row means the one that has.
            let source = match row.convention.as_str() {
                "vercel-ai-v7" => prove(&row.convention, span(&[(key, json!(7)), ("gen_ai.operation.name", json!("invoke_agent"))])),
                convention => of_kind(convention, "AGENT", prove(convention, span(&[(key, json!(7))]))),
            };
            let expected = vec![
                Expect::AbsentEverywhere("gen_ai.usage.input_tokens".into()),
                to("gen_ai.aggregated_usage.input_tokens", What::Is(json!(7))),
            ];
            Some(vec![Case { source, expected }])
        }
        "error.type" if row.transform == "derive-op" => {
            let value = match row.ty.as_str() {
                "boolean" => json!(true),
                "boolean or string" => json!(false),
                _ if key.ends_with("status") => json!("error"),
                _ => json!("TimeoutError"),
            };
            one(value, vec![Expect::Failed, to("error.type", What::Text(String::new()))])
        }
        "(span.status)" if key == "genkit:state" => one(json!("error"), vec![Expect::Failed]),
        "(span.status)" if row.ty == "int" => one(json!(7), vec![Expect::Failed]),
        "(span.status)" => Some([json!(true), json!("true")].map(|value| row.case(span(&[(name, value)]), vec![Expect::Failed])).into()),
        "(level)" => one(json!("ERROR"), vec![Expect::Failed, is("error.type", "_OTHER")]),
        "gen_ai.is_entry" if row.ty == "json-string" => one(text(json!({"is_entry": true})), vec![Expect::Entry]),
        "gen_ai.is_entry" => {
            let value = if key.contains('=') {
                json!("ENTRY")
            } else if row.ty == "string" {
                json!("true")
            } else {
                json!(true)
            };
            let name = name.split('=').next().unwrap_or_default();
            Some(vec![row.case(span(&[(name, value)]), vec![Expect::Entry])])
        }
        "gen_ai.output.type" if row.transform == "derive-op" && row.convention != "logfire" => {
            let value = if row.ty == "json-string" { text(json!({"type": "object"})) } else { json!("sample-1") };
            Some(vec![row.case(span(&[(&name.replace('*', "schema"), value)]), vec![is("gen_ai.output.type", "json")])])
        }
        "gen_ai.request.*" if row.ty == "json-string" => one(
            text(json!({"temperature": 0.25, "max_tokens": 7})),
            vec![is("gen_ai.request.temperature", 0.25), is("gen_ai.request.max_tokens", 7)],
        ),
        "gen_ai.usage.{text,image,audio}.input_tokens" | "gen_ai.usage.{text,image,audio}.output_tokens" => Some(
            ["text", "image", "audio"]
                .map(|modality| {
                    let bucket = name.rsplit('.').next().unwrap_or_default().replace('*', modality);
                    let target = row.target.replace("{text,image,audio}", modality);
                    row.case(span(&[("langfuse.observation.usage_details", text(json!({ bucket: 7 })))]), vec![is(&target, 7)])
                })
                .into(),
        ),
        "gen_ai.retrieval.documents" if name.contains("rag") => one(
            text(json!([{"document_id": "d1", "chunk_id": "c1", "content": ANSWER}])),
            vec![to(&row.target, What::ListWith(ANSWER.into()))],
        ),
        _ => None,
    }
}

#[rustfmt::skip]
fn by_convention(row: &Row) -> Option<Vec<Case>> {
    let name = row.key.split(" (").next().unwrap_or_default();
    let target = row.target.as_str();
    let case = |source: Source, expected: Vec<Expect>| Some(vec![row.case(source, expected)]);
    let value = |value: Json, expected: Vec<Expect>| case(span(&[(name, value)]), expected);
    let json = |json: Json, expected: Vec<Expect>| case(span(&[(name, text(json))]), expected);
    let usage = || vec![is("gen_ai.usage.input_tokens", 7), is("gen_ai.usage.output_tokens", 5)];
    let calls = json!([{"toolCallId": "call_1", "toolName": "get_weather", "input": arguments()}]);
    let messages = text(json!([{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]));
    let answers = text(json!([{"role": "assistant", "parts": [{"type": "text", "content": ANSWER}]}]));
    let events = json!([
        {"event.name": "gen_ai.user.message", "role": "user", "content": QUESTION},
        {"event.name": "gen_ai.choice", "index": 0, "message": assistant()},
    ]);
    match (row.convention.as_str(), row.key.as_str()) {
        // OTel
        ("otel-genai-0.1" | "strands", "event:gen_ai.client.inference.operation.details") => {
            let attributes = [
                (INPUT, messages), (OUTPUT, answers),
                ("gen_ai.system_instructions", text(json!([{"type": "text", "content": "Be brief."}]))),
                ("gen_ai.tool.definitions", text(json!([tool()]))),
            ];
            case(Source::default().event("gen_ai.client.inference.operation.details", &attributes), vec![
                to(INPUT, asked("user")), to(OUTPUT, answered()),
                to("gen_ai.system_instructions", What::ListWith("Be brief.".into())),
                to("gen_ai.tool.definitions", What::ListWith("get_weather".into())),
            ])
        }
        ("otel-genai-0.1", "event:gen_ai.client.operation.exception") => case(
            Source { failed: true, ..Default::default() }.event("gen_ai.client.operation.exception", &[("exception.type", json!("TimeoutError"))]),
            vec![is("error.type", "TimeoutError")],
        ),
        ("generic", "exception event (exception.type, exception.message, exception.stacktrace)") => case(
            Source { failed: true, ..Default::default() }.event("exception", &[("exception.type", json!("TimeoutError"))]),
            vec![is("error.type", "TimeoutError")],
        ),
        ("otel-genai-1.37-1.41", "gen_ai.output.messages[].finish_reason") => case(
            span(&[(OUTPUT, text(json!([{"role": "assistant", "parts": [{"type": "text", "content": ANSWER}], "finish_reason": "stop"}])))]),
            vec![is(target, json!(["stop"]))],
        ),
        ("otel-genai-1.37-1.41", "gen_ai.system_instructions (non-text parts)") => json(
            json!([{"type": "text", "content": "Be brief."}, {"type": "uri", "modality": "image", "uri": "https://example.com/paris.png"}]),
            vec![to(INPUT, What::Message(Some("system"), vec!["https://example.com/paris.png".into()]))],
        ),
        ("otel-genai-1.37-1.41", "gen_ai.agent.id (internal agent span)") => value(json!("agent-1"), vec![Expect::Absent("gen_ai.agent.id".into())]),
        ("otel-genai-1.37-1.41", "parts[].type=tool_call_response field result") => case(
            span(&[(INPUT, text(json!([{"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "result": "26C"}]}])))]),
            vec![to(INPUT, What::Inside(json!({"type": "tool_call_response", "id": "call_1", "response": "26C"})))],
        ),
        ("otel-genai-1.37-1.41", "parts[].type=tool_call field arguments (string)") => case(
            span(&[(OUTPUT, text(json!([{"role": "assistant", "parts": [{"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": ARGUMENTS}]}])))]),
            vec![to(OUTPUT, What::Inside(json!({"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": arguments()})))],
        ),

        // Langfuse
        ("langfuse", "langfuse.observation.output (type=embedding)") => json(json!([[0.25, 0.5, 0.75]]), vec![is(target, 3)]),
        ("langfuse", "langfuse.observation.input (type=retriever)") => Some(vec![
            row.case(span(&[(name, json!(QUESTION))]), vec![is(target, QUESTION)]),
            row.case(span(&[(name, text(json!({"query": QUESTION})))]), vec![is(target, QUESTION)]),
        ]),
        ("langfuse", "langfuse.observation.input field messages") => {
            case(span(&[("langfuse.observation.input", text(json!({"messages": [user()]})))]), vec![to(INPUT, asked("user"))])
        }
        ("langfuse", "langfuse.observation.input field tools") => case(
            span(&[("langfuse.observation.input", text(json!({"messages": [user()], "tools": [tool()]})))]),
            vec![to(target, What::ListWith("get_weather".into()))],
        ),
        ("langfuse", "langfuse.observation.model.parameters" | "langfuse.observation.model_parameters") | ("openinference", "llm.invocation_parameters") => {
            json(json!({"temperature": 0.25, "max_tokens": "7"}), vec![is("gen_ai.request.temperature", 0.25), is("gen_ai.request.max_tokens", 7)])
        }
        ("openinference", "embedding.invocation_parameters") => case(
            of_kind("openinference", "EMBEDDING", span(&[(name, text(json!({"dimensions": 7, "encoding_format": "float"})))])),
            vec![is("gen_ai.embeddings.dimension.count", 7), is("gen_ai.request.encoding_formats", json!(["float"]))],
        ),
        ("langfuse", "langfuse.observation.usage_details") => json(json!({"input": 3, "input_cached_tokens": 4, "output": 5, "total": 12}), usage()),
        ("langfuse", "langfuse.observation.cost_details") => json(json!({"input": 0.125, "output": 0.125, "total": 0.25}), vec![is("gen_ai.usage.cost", 0.25)]),
        ("langfuse", "langfuse.observation.usage_details.prompt_tokens_details.cached_tokens") => case(
            span(&[("langfuse.observation.usage_details", text(json!({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 7}})))]),
            vec![is(target, 7), is("gen_ai.usage.input_tokens", 9)],
        ),

        // OpenInference
        ("openinference", "tool.parameters.*") => case(span(&[("tool.parameters.city", json!("Paris"))]), vec![to(target, What::Json(arguments()))]),
        ("openinference", "tool.json_schema") => json(tool(), vec![to(target, What::ListWith("get_weather".into()))]),
        ("openinference", "llm.function_call") => json(json!({"name": "get_weather", "arguments": ARGUMENTS}), vec![
            to(OUTPUT, What::Part(vec!["tool_call".into()], vec!["get_weather".into(), "Paris".into()])),
        ]),
        ("openinference", "llm.prompts (JSON/list)") => Some(vec![
            row.case(span(&[(name, json!([QUESTION]))]), vec![to(INPUT, asked("user"))]),
            row.case(span(&[(name, text(json!([QUESTION])))]), vec![to(INPUT, asked("user"))]),
        ]),
        ("openinference", "input.value (kind=LLM, JSON)") => json(json!({"messages": [user()]}), vec![to(INPUT, asked("user"))]),
        ("openinference", "output.value (kind=LLM, JSON)") => json(json!({"choices": [{"message": assistant()}]}), vec![to(OUTPUT, answered())]),
        ("openinference", "input.value (kind=RETRIEVER)") => value(json!(QUESTION), vec![is(target, QUESTION)]),
        ("openinference", "embedding.embeddings.{i}.embedding.text") => case(
            of_kind("openinference", "EMBEDDING", span(&[("embedding.embeddings.0.embedding.text", json!(QUESTION))])),
            vec![to(target, What::Text(QUESTION.into()))],
        ),

        // OpenLLMetry
        ("openllmetry", "traceloop.entity.input (kind=tool)") => Some(
            [json!({"inputs": arguments()}), json!({"args": [], "kwargs": arguments()})]
                .map(|value| row.case(span(&[(name, text(value))]), vec![to(target, What::Json(arguments()))]))
                .into(),
        ),
        ("openllmetry", "traceloop.entity.output (kind=tool)") => json(json!({"output": arguments()}), vec![to(target, What::Json(arguments()))]),
        ("openllmetry", "db.operation") => value(json!("query"), vec![is(target, "retrieval")]),
        ("openllmetry", "gen_ai.openai.api_type") => value(json!("azure"), vec![is(target, "azure.ai.openai")]),
        ("openllmetry", "mcp.request.argument") => json(json!({"method": "tools/call", "params": {"name": "get_weather", "arguments": arguments()}}), vec![
            to(target, What::Json(arguments())),
        ]),
        ("openllmetry" | "tencent-tapm", "traceloop.workflow.name") => {
            let source = span(&[(name, json!("trip")), ("traceloop.span.kind", json!("workflow"))]);
            Some(vec![Case { source: prove(&row.convention, source), expected: vec![is(target, "trip")] }])
        }
        ("openllmetry", key) if target == "gen_ai.retrieval.documents" && key.starts_with("event:") => {
            let (event, rest) = key["event:".len()..].split_once(" attrs ")?;
            let prefix = rest.split("id|").next()?;
            let content = if prefix.contains("query") { "document" } else { "entity" };
            let attributes = [(format!("{prefix}id"), json!("d1")), (format!("{prefix}distance"), json!(0.5)), (format!("{prefix}{content}"), json!(ANSWER))];
            let attributes: Vec<_> = attributes.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
            case(Source::default().event(event, &attributes), vec![to(target, What::ListWith("d1".into())), to(target, What::ListWith(ANSWER.into()))])
        }

        // Vercel AI SDK
        ("vercel-ai", "operation.name") => value(json!("ai.generateText.doGenerate my-function"), vec![is(target, "chat")]),
        ("vercel-ai", "ai.prompt") if target == INPUT => json(json!({"system": "Be brief.", "messages": [user()]}), vec![
            to(INPUT, asked("user")), to("gen_ai.system_instructions", What::ListWith("Be brief.".into())),
        ]),
        ("vercel-ai", "ai.prompt.messages") => json(json!([{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]), vec![to(INPUT, asked("user"))]),
        ("vercel-ai", "ai.response.reasoning") => value(json!(ANSWER), vec![to(OUTPUT, What::Part(vec!["reasoning".into()], vec![ANSWER.into()]))]),
        ("vercel-ai", "ai.response.object" | "ai.result.object") => json(arguments(), vec![
            to(OUTPUT, What::Part(vec!["text".into()], vec![r#""Paris""#.into()])), is("gen_ai.output.type", "json"),
        ]),
        ("vercel-ai", "ai.response.toolCalls" | "ai.result.toolCalls") => json(calls, vec![to(OUTPUT, called())]),
        ("vercel-ai", "ai.response.files") => {
            json(json!([{"mediaType": "image/png", "data": "UGFyaXM="}]), vec![to(OUTPUT, What::Part(vec!["blob".into()], vec!["UGFyaXM=".into()]))])
        }
        ("vercel-ai", "ai.response.text") if target == "gen_ai.entity.output" => value(json!(ANSWER), vec![is(target, ANSWER)]),
        ("vercel-ai", "ai.response.providerMetadata") => json(json!({"openai": {"cachedPromptTokens": 7}}), vec![is("gen_ai.usage.cache_read.input_tokens", 7)]),
        ("vercel-ai", "ai.telemetry.metadata.langfusePrompt") => json(json!({"name": "greeting", "version": 3}), vec![is(target, "greeting")]),
        ("vercel-ai", "ai.settings.output") => value(json!("object"), vec![is(target, "json")]),
        ("vercel-ai", "ai.value") => case(span(&[(name, text(json!(QUESTION))), ("ai.operationId", json!("ai.embed"))]), vec![to(target, What::Text(QUESTION.into()))]),
        ("vercel-ai", "ai.values") => case(span(&[(name, json!([text(json!(QUESTION))])), ("ai.operationId", json!("ai.embedMany"))]), vec![to(target, What::Text(QUESTION.into()))]),
        ("vercel-ai", "ai.embeddings") => value(json!(["[0.25,0.5,0.75]"]), vec![is(target, 3)]),
        ("vercel-ai", key) if key.starts_with("event:ai.stream.firstChunk") => Some(
            ["ai.response.msToFirstChunk", "ai.stream.msToFirstChunk"]
                .map(|key| row.case(Source::default().event("ai.stream.firstChunk", &[(key, json!(250))]), vec![is(target, AFTER)]))
                .into(),
        ),

        // LangSmith, Langtrace
        ("langsmith", "langsmith.usage_metadata") => json(json!({"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}), usage()),
        ("langsmith", "gen_ai.prompt") if target == INPUT => json(json!({"messages": [user()]}), vec![to(INPUT, asked("user"))]),
        ("langsmith", "gen_ai.completion") if target == OUTPUT => json(json!({"choices": [{"message": assistant()}]}), vec![to(OUTPUT, answered())]),
        ("langsmith", "gen_ai.usage.input_token_details") => value(json!("{'audio': 0, 'cache_read': 7}"), vec![is(target, 7)]),
        ("langsmith", "gen_ai.usage.output_token_details") => value(json!("{'audio': 0, 'reasoning': 7}"), vec![is(target, 7)]),
        ("langtrace", "gen_ai.request.tool_results") => json(json!([{"call": {"name": "get_weather", "parameters": arguments()}, "outputs": [{"result": "26C"}]}]), vec![
            to(INPUT, What::Part(vec!["tool_call_response".into()], vec!["26C".into()])),
        ]),
        ("langtrace", "crewai.agent.config" | "crewai.task.config" | "crewai.crew.config") => json(json!({"role": "planner"}), vec![is(target, "planner")]),
        ("crewai", "crew_agents") => json(json!([{"role": "planner"}]), vec![is(target, "planner")]),

        // Pydantic AI, Logfire
        ("pydantic-ai" | "logfire", "events") => json(events, vec![to(INPUT, asked("user")), to(OUTPUT, answered())]),
        ("pydantic-ai", "all_messages_events") => json(events, vec![to(INPUT, asked("user"))]),
        ("pydantic-ai", "pydantic_ai.all_messages") => json(
            json!([{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}, {"role": "assistant", "parts": [{"type": "text", "content": ANSWER}]}]),
            vec![to(INPUT, asked("user")), to(OUTPUT, answered())],
        ),
        ("pydantic-ai", "model_request_parameters") => json(
            json!({"function_tools": [{"name": "get_weather", "description": "weather of a city", "parameters_json_schema": {"type": "object"}}], "output_tools": []}),
            vec![to(target, What::ListWith("get_weather".into()))],
        ),
        ("logfire", "request_data") => json(json!({"model": "gpt-4o-mini", "messages": [user()]}), vec![to(INPUT, asked("user"))]),
        ("logfire", "response_data") => Some(
            [json!({"message": assistant()}), json!({"combined_chunk_content": ANSWER, "chunk_count": 2})]
                .map(|value| row.case(span(&[(name, text(value))]), vec![to(OUTPUT, answered())]))
                .into(),
        ),
        ("logfire", "response_data.usage") => case(span(&[("response_data", text(json!({"usage": {"prompt_tokens": 7, "completion_tokens": 5}})))]), usage()),

        // MLflow
        ("mlflow", "mlflow.spanInputs (CHAT_MODEL/LLM)") => json(json!({"messages": [user()]}), vec![to(INPUT, asked("user"))]),
        ("mlflow", "mlflow.spanOutputs (CHAT_MODEL/LLM)") => json(json!({"choices": [{"message": assistant()}]}), vec![to(OUTPUT, answered())]),
        ("mlflow", "mlflow.spanInputs (RETRIEVER)") => json(json!({"query": QUESTION}), vec![is(target, QUESTION)]),
        ("mlflow", "mlflow.spanOutputs (RETRIEVER)") => json(json!([{"page_content": ANSWER, "metadata": {}, "id": "d1"}]), vec![to(target, What::ListWith(ANSWER.into()))]),
        ("mlflow", "mlflow.chat.tokenUsage") => json(json!({"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}), usage()),
        ("mlflow", "mlflow.llm.cost") => json(json!({"input_cost": 0.125, "output_cost": 0.125, "total_cost": 0.25}), vec![is(target, 0.25)]),

        // Google ADK, Strands, Spring AI
        ("google-adk", "gcp.vertex.agent.llm_request") => json(json!({"model": "gemini-2.0-flash", "contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}), vec![
            to(INPUT, asked("user")),
        ]),
        ("google-adk", "gcp.vertex.agent.llm_response") => json(json!({"content": {"role": "model", "parts": [{"text": ANSWER}]}}), vec![to(OUTPUT, answered())]),
        ("google-adk", "gcp.vertex.agent.llm_request.config.system_instruction") => case(
            span(&[("gcp.vertex.agent.llm_request", text(json!({"config": {"system_instruction": "Be brief."}, "contents": []})))]),
            vec![to(target, What::ListWith("Be brief.".into()))],
        ),
        ("google-adk", "gcp.vertex.agent.llm_request.config.tools") => case(
            span(&[("gcp.vertex.agent.llm_request", text(json!({"config": {"tools": [{"function_declarations": [{"name": "get_weather"}]}]}, "contents": []})))]),
            vec![to(target, What::ListWith("get_weather".into()))],
        ),
        ("google-adk", "gen_ai.system") => value(json!("gcp.vertex.agent"), vec![is(target, "gcp.gemini")]),
        ("google-adk", "gen_ai.tool.type") => value(json!("FunctionTool"), vec![is(target, "function")]),
        ("strands", key) if key.starts_with("event:gen_ai.") && key.contains(" attr") => {
            let blocks = |said: &str| text(json!([{ "text": said }]));
            let (name, attributes, expected) = match key.split(' ').next()? {
                "event:gen_ai.system.message" => ("gen_ai.system.message", vec![("content", blocks("Be brief."))], vec![to(target, What::ListWith("Be brief.".into()))]),
                "event:gen_ai.user.message" => ("gen_ai.user.message", vec![("content", blocks(QUESTION))], vec![to(INPUT, asked("user"))]),
                "event:gen_ai.assistant.message" => ("gen_ai.assistant.message", vec![("content", blocks(ANSWER))], vec![to(INPUT, answered())]),
                "event:gen_ai.tool.message" => (
                    "gen_ai.tool.message",
                    vec![("role", json!("tool")), ("content", json!(ARGUMENTS)), ("id", json!("call_1"))],
                    vec![to(target, What::Json(arguments()))],
                ),
                _ => ("gen_ai.choice", vec![("message", blocks(ANSWER)), ("finish_reason", json!("end_turn"))], vec![to(OUTPUT, answered())]),
            };
            case(Source::default().event(name, &attributes), expected)
        }
        ("strands", "gen_ai.system" | "gen_ai.provider.name") => {
            let source = Source { name: "call".into(), ..span(&[(name, json!("strands-agents"))]) };
            case(source, vec![Expect::Absent(target.into())])
        }
        ("spring-ai", "db.operation.name") => value(json!("query"), vec![is(target, "retrieval")]),
        ("spring-ai", "spring.ai.tool.definition.schema") => {
            let source = span(&[(name, text(json!({"type": "object", "properties": {"city": {"type": "string"}}}))), ("spring.ai.tool.definition.name", json!("get_weather"))]);
            case(source, vec![to(target, What::ListWith("city".into()))])
        }

        // Genkit
        ("genkit", "genkit:input (model)") => json(json!({"messages": [{"role": "user", "content": [{"text": QUESTION}]}]}), vec![to(INPUT, asked("user"))]),
        ("genkit", "genkit:output (model)") => json(json!({"message": {"role": "model", "content": [{"text": ANSWER}]}}), vec![to(OUTPUT, answered())]),
        ("genkit", "genkit:input.config.* (model)") => case(
            span(&[("genkit:input", text(json!({"messages": [], "config": {"temperature": 0.25, "topP": 0.5, "topK": 3, "maxOutputTokens": 7, "stopSequences": ["END"]}})))]),
            vec![
                is("gen_ai.request.temperature", 0.25), is("gen_ai.request.top_p", 0.5), is("gen_ai.request.top_k", 3),
                is("gen_ai.request.max_tokens", 7), is("gen_ai.request.stop_sequences", json!(["END"])),
            ],
        ),
        ("genkit", "genkit:input.tools (model)") => case(
            span(&[("genkit:input", text(json!({"messages": [], "tools": [{"name": "get_weather", "description": "weather of a city", "inputSchema": {"type": "object"}}]})))]),
            vec![to(target, What::ListWith("get_weather".into()))],
        ),
        ("genkit", "genkit:output.finishReason (model)") => case(
            span(&[("genkit:output", text(json!({"message": {"role": "model", "content": [{"text": ANSWER}]}, "finishReason": "stop"})))]),
            vec![is(target, json!(["stop"]))],
        ),
        ("genkit", "genkit:input (retriever)") => json(json!({"query": {"content": [{"text": QUESTION}]}, "options": {"k": 7}}), vec![is(target, QUESTION), is("gen_ai.retrieval.top_k", 7)]),
        ("genkit", "genkit:output (retriever)") => json(json!({"documents": [{"content": [{"text": ANSWER}], "metadata": {}}]}), vec![to(target, What::ListWith(ANSWER.into()))]),

        // LiveKit, coding agents
        ("livekit", "lk.pii.chat_ctx" | "lk.chat_ctx") => json(json!({"items": [{"type": "message", "role": "user", "content": [QUESTION]}]}), vec![to(INPUT, asked("user"))]),
        ("livekit", "lk.pii.response.function_calls" | "lk.response.function_calls") => {
            json(json!([{"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": ARGUMENTS}]), vec![to(OUTPUT, called())])
        }
        ("livekit", "lk.llm_metrics" | "lk.realtime_model_metrics") => json(json!({"prompt_tokens": 7, "completion_tokens": 5, "prompt_cached_tokens": 2, "ttft": 0.25}), usage()),
        ("claude-code", key) if key.starts_with("event:tool.output") => {
            case(Source::default().event("tool.output", &[("output", json!("26C"))]), vec![to(target, What::Text("26C".into()))])
        }
        ("gemini-cli", "gen_ai.input.messages") => json(json!([{"role": "user", "parts": [{"text": QUESTION}]}]), vec![to(INPUT, asked("user"))]),
        ("gemini-cli", "gen_ai.output.messages") => json(json!([{"role": "model", "parts": [{"text": ANSWER}]}]), vec![to(OUTPUT, answered())]),
        ("gemini-cli", "gen_ai.tool.definitions") => json(json!([{"functionDeclarations": [{"name": "get_weather"}]}]), vec![to(target, What::ListWith("get_weather".into()))]),
        ("gemini-cli", "gen_ai.system_instructions") => json(json!("Be brief."), vec![to(target, What::ListWith("Be brief.".into()))]),
        ("mastra", "gen_ai.tool.definitions (agent_run)") => json(json!(["get_weather"]), vec![to(target, What::ListWith("get_weather".into()))]),

        // OpenLIT
        ("openlit", "gen_ai.prompt (attribute)" | "gen_ai.content.prompt (attribute)") => value(json!(format!("user: {QUESTION}")), vec![to(INPUT, asked("user"))]),
        ("openlit", "event:gen_ai.content.prompt attr gen_ai.prompt") => case(
            Source::default().event("gen_ai.content.prompt", &[("gen_ai.prompt", json!(format!("user: {QUESTION}")))]), vec![to(INPUT, asked("user"))],
        ),
        ("openlit", "gen_ai.content.reasoning") => value(json!(ANSWER), vec![to(OUTPUT, What::Part(vec!["reasoning".into()], vec![ANSWER.into()]))]),
        ("openlit" | "sentry", "gen_ai.response.tool_calls" | "ai.tool_calls") => json(
            json!([{"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ARGUMENTS}}]), vec![to(OUTPUT, called())],
        ),
        ("openlit", "gen_ai.openai.*") => case(span(&[("gen_ai.openai.response.service_tier", json!("default"))]), vec![is("openai.response.service_tier", "default")]),

        // The vendors of China
        ("veadk", "gen_ai.tool.input") => json(json!({"name": "get_weather", "description": "weather of a city", "parameters": arguments()}), vec![to(target, What::Json(arguments()))]),
        ("veadk", "gen_ai.tool.output") => json(json!({"id": "call_1", "name": "get_weather", "response": arguments()}), vec![to(target, What::Json(arguments()))]),
        ("cozeloop", "cozeloop.input (model)") => json(json!({"messages": [user()], "tools": [tool()]}), vec![to(INPUT, asked("user"))]),
        ("cozeloop", "cozeloop.output (model)") => json(json!({"choices": [{"finish_reason": "stop", "index": 0, "message": assistant()}]}), vec![to(OUTPUT, answered())]),
        ("trpc-agent-go", "trpc.go.agent.llm_request") => json(json!({"messages": [user()]}), vec![to(INPUT, asked("user"))]),
        ("trpc-agent-go", "trpc.go.agent.llm_response") => json(json!({"choices": [{"message": assistant()}]}), vec![to(OUTPUT, answered())]),
        ("trpc-agent-go", "gen_ai.system") => value(json!("openai"), vec![is(target, "openai")]),
        ("arms-loongsuite", "ai_log") => json(json!({"model": "gpt-4o-mini", "input_token": 7, "output_token": 5, "question": QUESTION, "answer": ANSWER}), usage()),
        ("dify-tencent", "gen_ai.prompt") => json(json!([{"role": "user", "text": QUESTION, "files": []}]), vec![to(INPUT, asked("user"))]),
        ("dify-tencent", "gen_ai.provider.name") => value(json!("langgenius/openai/openai"), vec![is(target, "openai")]),
        ("edgeone-pages", key) if key.starts_with("scope.name") => {
            case(Source { name: "call".into(), ..Default::default() }, vec![Expect::Entry])
        }
        ("edgeone-pages", "langfuse.{any OpenInference key}") => {
            let source = span(&[("llm.model_name", json!("gpt-4o-mini")), ("langfuse.llm.model_name", json!("gpt-4o-mini"))]);
            case(source, vec![Expect::Gone("langfuse.llm.model_name".into())])
        }
        ("edgeone-pages", "gen_ai.* mirror keys") => case(span(&[("gen_ai.request.model", json!("gpt-4o-mini"))]), vec![is("gen_ai.request.model", "gpt-4o-mini")]),

        // Others
        ("braintrust", "braintrust.output_json (type=llm)") => json(json!([{"index": 0, "message": assistant(), "finish_reason": "stop"}]), vec![to(OUTPUT, answered())]),
        ("braintrust", "braintrust.metrics") => json(json!({"prompt_tokens": 7, "completion_tokens": 5, "tokens": 12}), usage()),
        ("braintrust", "braintrust.metrics.*") => case(span(&[("braintrust.metrics.prompt_tokens", json!(7))]), vec![is("gen_ai.usage.input_tokens", 7)]),
        ("laminar", "lmnr.event.session_id") => case(Source::default().event("message", &[(name, json!("s-1"))]), vec![is("session.id", "s-1")]),
        ("laminar", "lmnr.event.user_id") => case(Source::default().event("message", &[(name, json!("u-1"))]), vec![is("user.id", "u-1")]),
        ("flue", "flue.operation.kind") => value(json!("prompt"), vec![is(target, "CHAIN")]),
        ("braintrust", "braintrust.scores") => json(json!({"accuracy": 0.25}), vec![Expect::InEvent("gen_ai.evaluation.score.value".into(), json!(0.25))]),
        ("braintrust", "braintrust.span_attributes") => json(json!({"type": "llm", "name": "call"}), vec![is(target, "LLM")]),
        ("sentry", "sentry.op / span op gen_ai.*") => case(span(&[("sentry.op", json!("gen_ai.chat"))]), vec![is(target, "chat")]),
        ("sentry", "gen_ai.response.object") => json(arguments(), vec![to(OUTPUT, What::Message(Some("assistant"), vec!["Paris".into()]))]),
        ("langwatch", "langwatch.input (type=chat_messages)") => json(json!({"type": "chat_messages", "value": [user()]}), vec![to(INPUT, asked("user"))]),
        ("langwatch", "langwatch.output (type=chat_messages)") => json(json!({"type": "chat_messages", "value": [assistant()]}), vec![to(OUTPUT, answered())]),
        ("langwatch", "langwatch.input") => json(json!({"type": "text", "value": QUESTION}), vec![is(target, QUESTION)]),
        ("langwatch", "langwatch.output") => json(json!({"type": "text", "value": ANSWER}), vec![is(target, ANSWER)]),
        ("langwatch", "langwatch.metrics") => json(json!({"promptTokens": 7, "completionTokens": 5, "cost": 0.25}), usage()),
        ("langwatch", "langwatch.timestamps") => {
            json(json!({"started_at": START_MS, "first_token_at": START_MS + 250, "finished_at": START_MS + 1000}), vec![is(target, AFTER)])
        }
        ("opensearch-genai", "gen_ai.tool.call.*") => case(span(&[("gen_ai.tool.call.arguments", json!(ARGUMENTS))]), vec![to("gen_ai.tool.call.arguments", What::Json(arguments()))]),
        ("haystack", "haystack.component.type") => value(json!("OpenAIChatGenerator"), vec![is("gen_ai.operation.name", "chat"), is("gen_ai.span.kind", "LLM")]),
        _ => None,
    }
}
