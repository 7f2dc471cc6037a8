//! Bodies that real SDKs sent, through `convert`, read back with `opentelemetry-proto`. What must come out is written
//! here by hand, from what the programs did: an agent under an HTTP span asks the weather of 深圳, calls the tool
//! `get_weather {"city":"深圳"}`, answers (57 input tokens, 32 of them cached; 17 output, 8 of them reasoning).
//! OTLP/JSON is tested in `otlp_json.rs`, random traces elsewhere.

use std::collections::BTreeSet;

use genspan::internals::config::{Convert, Profile};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::prelude::*;
use prost::Message;

const PROFILES: [Profile; 2] = [Profile::OTEL, Profile::TENCENT];

const LANGGRAPH_3_INHERITED: &str = "langfuse-py-3.2.6.langgraph-entry-inherited";
const LANGGRAPH_3_METADATA: &str = "langfuse-py-3.2.6.langgraph-entry-metadata";
const LANGGRAPH_5_INHERITED: &str = "langfuse-py-5.0.4.langgraph-entry-inherited";
const LANGGRAPH_5_METADATA: &str = "langfuse-py-5.0.4.langgraph-entry-metadata";
const STREAM: &str = "langfuse-py-3.2.6.observe-openai-stream";
const UNMARKED: &str = "langfuse-py-5.0.4.observations-unmarked";
const OPENINFERENCE: &str = "openinference-openai-py-0.1.66.chat-embed-error";
const TRACELOOP: &str = "traceloop-openai-py-0.62.4.chat-embed-error";

/// Each capture, and the spans that start an LLM segment in it.
#[rustfmt::skip]
const CAPTURES: [(&str, &[&str]); 10] = [
    // marked                                                         outermost LLM span of each segment
    ("langfuse-py-3.2.6.langgraph-entry-inherited.1", /* HTTP only */ &[]),
    (LANGGRAPH_3_INHERITED, /* metadata, on every run */              &["LangGraph"]),
    ("langfuse-py-3.2.6.langgraph-entry-metadata.1",  /* HTTP only */ &[]),
    (LANGGRAPH_3_METADATA,  /* metadata, on one span */               &["langgraph-agent-demo"]),
    (STREAM,                /* gen_ai.is_entry itself */              &["run_demo"]),
    (LANGGRAPH_5_INHERITED, /* observation and trace metadata */      &["LangGraph"]),
    (LANGGRAPH_5_METADATA,  /* metadata, on one span */               &["langgraph-agent-demo"]),
    (UNMARKED,              /* nowhere */                             &["chat-turn"]),
    (OPENINFERENCE,         /* nowhere; siblings below HTTP */        &["ChatCompletion", "ChatCompletion", "ChatCompletion", "CreateEmbeddings", "Response", "ChatCompletion"]),
    (TRACELOOP,             /* nowhere; siblings below HTTP */        &["openai.chat", "openai.chat", "openai.chat", "openai.embeddings", "openai.response", "openai.chat"]),
];

// ---- tables: what the source says, key of the output, its value ----

type Row = (&'static str, &'static str, Is);

#[derive(Clone, Copy, Debug)]
enum Is {
    Text(&'static str),
    Int(i64),
    Double(f64),
    Texts(&'static [&'static str]),
    /// JSON text equal to this, in UTF-8, without `\u` escapes.
    Json(&'static str),
    /// Text with this in it, without `\u` escapes.
    With(&'static str),
    Truth,
    Absent,
}
use Is::{Absent, Double, Int, Json, Text, Texts, Truth, With};

const ASKED: &str = r#"[{"role":"user","parts":[{"type":"text","content":"深圳天气如何?"}]}]"#;
const CALLED: &str = r#"[{"role":"assistant","parts":[
    {"type":"tool_call","id":"call_abc123","name":"get_weather","arguments":{"city":"深圳"}}]}]"#;
const ASKED_CALLED_TOLD: &str = r#"[
    {"role":"user","parts":[{"type":"text","content":"深圳天气如何?"}]},
    {"role":"assistant","parts":[
        {"type":"tool_call","id":"call_abc123","name":"get_weather","arguments":{"city":"深圳"}}]},
    {"role":"tool","parts":[{"type":"tool_call_response","id":"call_abc123","response":"深圳: 26C sunny"}]}]"#;
const ANSWERED: &str = r#"[{"role":"assistant","parts":[{"type":"text","content":"It is 26°C and sunny. 晴天。"}]}]"#;
const WEATHER_TOOL: &str = r#"[{"type":"function","name":"get_weather","description":"weather of a city",
    "parameters":{"properties":{"city":{"type":"string"}},"required":["city"],"type":"object"}}]"#;

/// Both ChatOpenAI generations of all four LangGraph captures.
#[rustfmt::skip]
const CHAT_OPENAI_OTEL: &[Row] = &[
    ("type generation",                     "gen_ai.operation.name",                Text("chat")),
    ("ls_provider openai",                  "gen_ai.provider.name",                 Text("openai")),
    ("ls_model_name",                       "gen_ai.request.model",                 Text("gpt-4o-mini")),
    ("model.name",                          "gen_ai.response.model",                Text("gpt-4o-mini-2024-07-18")),
    ("parameters.temperature 0.3",          "gen_ai.request.temperature",           Double(0.3)),
    ("input 25 + input_cache_read 32",      "gen_ai.usage.input_tokens",            Int(57)),
    ("input_cache_read 32",                 "gen_ai.usage.cache_read.input_tokens", Int(32)),
    ("input_audio 0",                       "gen_ai.usage.audio.input_tokens",      Int(0)),
    ("output 9 + output_reasoning 8",       "gen_ai.usage.output_tokens",           Int(17)),
    ("output_reasoning 8",                  "gen_ai.usage.reasoning.output_tokens", Int(8)),
    ("output_audio 0",                      "gen_ai.usage.audio.output_tokens",     Int(0)),
    ("a message with role tool",            "gen_ai.tool.definitions",              Json(WEATHER_TOOL)),
    ("no finish reason",                    "gen_ai.response.finish_reasons",       Absent),
    ("inherited langgraph_node",            "gen_ai.agent.name",                    Absent),
    ("in gen_ai.input.messages",            "langfuse.observation.input",           Absent),
    ("in gen_ai.output.messages",           "langfuse.observation.output",          Absent),
    ("no target: kept",                     "langfuse.observation.metadata.tags",   Text(r#"["seq:step:2"]"#)),
];

#[rustfmt::skip]
const CHAT_OPENAI_TENCENT: &[Row] = &[
    ("type generation",                     "gen_ai.span.kind",                         Text("LLM")),
    ("type generation",                     "gen_ai.operation.name",                    Text("chat")),
    ("ls_provider openai",                  "gen_ai.provider.name",                     Text("openai")),
    ("ls_provider openai",                  "gen_ai.system",                            Text("openai")),
    ("ls_model_name",                       "gen_ai.request.model",                     Text("gpt-4o-mini")),
    ("model.name",                          "gen_ai.response.model",                    Text("gpt-4o-mini-2024-07-18")),
    ("parameters.temperature 0.3",          "gen_ai.request.temperature",               Double(0.3)),
    ("input 25 + input_cache_read 32",      "gen_ai.usage.input_tokens",                Int(57)),
    ("input 25 + input_cache_read 32",      "gen_ai.usage.prompt_tokens",               Int(57)),
    ("output 9 + output_reasoning 8",       "gen_ai.usage.output_tokens",               Int(17)),
    ("output 9 + output_reasoning 8",       "gen_ai.usage.completion_tokens",           Int(17)),
    ("total 74",                            "gen_ai.usage.total_tokens",                Int(74)),
    ("total 74",                            "llm.usage.total_tokens",                   Int(74)),
    ("input_cache_read 32",                 "gen_ai.usage.cache_read_input_tokens",     Int(32)),
    ("output_reasoning 8",                  "gen_ai.usage.reasoning_tokens",            Int(8)),
    ("the dotted names are OTel's",         "gen_ai.usage.cache_read.input_tokens",     Absent),
    ("the dotted names are OTel's",         "gen_ai.usage.reasoning.output_tokens",     Absent),
    ("a message with role tool",            "gen_ai.tool.definitions",                  Json(WEATHER_TOOL)),
    ("no finish reason",                    "gen_ai.response.finish_reasons",           Absent),
    ("input",                               "gen_ai.entity.input",                      With("深圳天气如何?")),
];

/// The first generation of an agent calls the tool, the second answers.
#[rustfmt::skip]
const TURNS: [&[Row]; 2] = [
    &[
        ("the question",                    "gen_ai.input.messages",    Json(ASKED)),
        ("tool_calls",                      "gen_ai.output.messages",   Json(CALLED)),
    ],
    &[
        ("question, tool_calls, tool",      "gen_ai.input.messages",    Json(ASKED_CALLED_TOLD)),
        ("the answer",                      "gen_ai.output.messages",   Json(ANSWERED)),
    ],
];

/// The tool's span. Only Langfuse 5 says that it is one; 3.2.6 calls it a `span`.
#[rustfmt::skip]
const GET_WEATHER_OTEL: &[Row] = &[
    ("type tool",                           "gen_ai.operation.name",        Text("execute_tool")),
    ("span name",                           "gen_ai.tool.name",             Text("get_weather")),
    (r#"tool_call_id, in quotes"#,          "gen_ai.tool.call.id",          Text("call_abc123")),
    (r#"input, \u escapes"#,                "gen_ai.tool.call.arguments",   Json(r#"{"city":"深圳"}"#)),
    (r#"output, \u escapes"#,               "gen_ai.tool.call.result",      With("深圳: 26C sunny")),
];

#[rustfmt::skip]
const GET_WEATHER_TENCENT: &[Row] = &[
    ("type tool",                           "gen_ai.span.kind",             Text("TOOL")),
    ("type tool",                           "gen_ai.operation.name",        Text("execute_tool")),
    ("span name",                           "gen_ai.tool.name",             Text("get_weather")),
    ("span name",                           "tool.name",                    Text("get_weather")),
    (r#"tool_call_id, in quotes"#,          "gen_ai.tool.call.id",          Text("call_abc123")),
    (r#"input, \u escapes"#,                "gen_ai.tool.call.arguments",   Json(r#"{"city":"深圳"}"#)),
    (r#"input, \u escapes"#,                "tool.parameters",              Json(r#"{"city":"深圳"}"#)),
    (r#"input, \u escapes"#,                "gen_ai.entity.input",          Json(r#"{"city":"深圳"}"#)),
    (r#"output, \u escapes"#,               "gen_ai.tool.call.result",      With("深圳: 26C sunny")),
    (r#"output, \u escapes"#,               "gen_ai.entity.output",         With("深圳: 26C sunny")),
];

const BRIEFLY: &str = r#"[{"role":"system","parts":[{"type":"text","content":"be brief"}]},
    {"role":"user","parts":[{"type":"text","content":"什么是 OpenTelemetry?"}]}]"#;
const HELLO: &str = r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello, 世界!"}]}]"#;

/// Langfuse's OpenAI wrapper: OpenAI's own usage, which is inclusive.
#[rustfmt::skip]
const STREAM_OTEL: &[Row] = &[
    ("type generation",                     "gen_ai.operation.name",                Text("chat")),
    ("span name OpenAI-generation",         "gen_ai.provider.name",                 Text("openai")),
    ("model.name, the only one",            "gen_ai.request.model",                 Text("gpt-4o-mini-2024-07-18")),
    ("model.name",                          "gen_ai.response.model",                Text("gpt-4o-mini-2024-07-18")),
    ("temperature 0.2",                     "gen_ai.request.temperature",           Double(0.2)),
    ("top_p 1",                             "gen_ai.request.top_p",                 Double(1.0)),
    ("frequency_penalty 0",                 "gen_ai.request.frequency_penalty",     Double(0.0)),
    ("presence_penalty 0",                  "gen_ai.request.presence_penalty",      Double(0.0)),
    ("max_tokens Infinity",                 "gen_ai.request.max_tokens",            Absent),
    ("prompt_tokens 57",                    "gen_ai.usage.input_tokens",            Int(57)),
    ("cached_tokens 32",                    "gen_ai.usage.cache_read.input_tokens", Int(32)),
    ("prompt audio_tokens 0",               "gen_ai.usage.audio.input_tokens",      Int(0)),
    ("completion_tokens 17",                "gen_ai.usage.output_tokens",           Int(17)),
    ("reasoning_tokens 8",                  "gen_ai.usage.reasoning.output_tokens", Int(8)),
    ("completion audio_tokens 0",           "gen_ai.usage.audio.output_tokens",     Int(0)),
    // "2026-11-24T00:15:39.116666Z", in quotes, less a start at …39.093701458
    ("completion_start_time",               "gen_ai.response.time_to_first_chunk",  Double(0.022_964_542)),
    ("messages, \\u escapes",               "gen_ai.input.messages",                Json(BRIEFLY)),
    ("stays a message",                     "gen_ai.system_instructions",           Absent),
    ("plain text",                          "gen_ai.output.messages",               Json(HELLO)),
    ("no finish reason",                    "gen_ai.response.finish_reasons",       Absent),
];

#[rustfmt::skip]
const STREAM_TENCENT: &[Row] = &[
    ("type generation",                     "gen_ai.span.kind",                     Text("LLM")),
    ("span name OpenAI-generation",         "gen_ai.system",                        Text("openai")),
    ("model.name, the only one",            "gen_ai.request.model",                 Text("gpt-4o-mini-2024-07-18")),
    ("max_tokens Infinity",                 "gen_ai.request.max_tokens",            Absent),
    ("prompt_tokens 57",                    "gen_ai.usage.input_tokens",            Int(57)),
    ("completion_tokens 17",                "gen_ai.usage.output_tokens",           Int(17)),
    ("total_tokens 74",                     "gen_ai.usage.total_tokens",            Int(74)),
    ("cached_tokens 32",                    "gen_ai.usage.cache_read_input_tokens", Int(32)),
    ("reasoning_tokens 8",                  "gen_ai.usage.reasoning_tokens",        Int(8)),
    ("completion_start_time",               "gen_ai.server.time_to_first_token",    Double(0.022_964_542)),
    ("messages, \\u escapes",               "gen_ai.input.messages",                Json(BRIEFLY)),
    ("messages, \\u escapes",               "gen_ai.entity.input",                  With("什么是 OpenTelemetry?")),
    ("plain text",                          "gen_ai.entity.output",                 Text("Hello, 世界!")),
];

/// Observations of each type, written through the SDK's own API.
#[rustfmt::skip]
const UNMARKED_OTEL: [(&str, &[Row]); 4] = [
    ("gen", &[
        ("type generation",                     "gen_ai.operation.name",                Text("chat")),
        ("a model of the gpt- family",          "gen_ai.provider.name",                 Text("openai")),
        ("model.name, the only one",            "gen_ai.request.model",                 Text("gpt-4o")),
        ("model.name, with an output",          "gen_ai.response.model",                Text("gpt-4o")),
        ("temperature 0.1",                     "gen_ai.request.temperature",           Double(0.1)),
        ("max_tokens 5",                        "gen_ai.request.max_tokens",            Int(5)),
        ("input 3 + cache_read_input_tokens 1", "gen_ai.usage.input_tokens",            Int(4)),
        ("cache_read_input_tokens 1",           "gen_ai.usage.cache_read.input_tokens", Int(1)),
        ("output 4",                            "gen_ai.usage.output_tokens",           Int(4)),
        ("cost input 0.01 + output 0.02",       "gen_ai.usage.cost",                    Double(0.03)),
        ("the parts have no target: kept",      "langfuse.observation.cost_details",    Text(r#"{"input": 0.01, "output": 0.02}"#)),
        ("messages",                            "gen_ai.input.messages",                Json(r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#)),
        ("a message",                           "gen_ai.output.messages",               Json(r#"[{"role":"assistant","parts":[{"type":"text","content":"hello"}]}]"#)),
    ]),
    ("ret", &[
        ("type retriever",                      "gen_ai.operation.name",                Text("retrieval")),
        ("input",                               "gen_ai.retrieval.query.text",          Text("q")),
        ("output",                              "gen_ai.retrieval.documents",           With("doc1")),
    ]),
    ("emb", &[
        ("type embedding",                      "gen_ai.operation.name",                Text("embeddings")),
        ("a model of OpenAI's",                 "gen_ai.provider.name",                 Text("openai")),
        ("model.name",                          "gen_ai.request.model",                 Text("text-embedding-3-small")),
        ("no output: nothing answered",         "gen_ai.response.model",                Absent),
        ("input 3",                             "gen_ai.usage.input_tokens",            Int(3)),
        ("input is no message",                 "gen_ai.input.messages",                Absent),
    ]),
    ("bad", &[
        ("type tool",                           "gen_ai.operation.name",                Text("execute_tool")),
        ("span name",                           "gen_ai.tool.name",                     Text("bad")),
        ("input",                               "gen_ai.tool.call.arguments",           Json(r#"{"a":1}"#)),
        ("no output",                           "gen_ai.tool.call.result",              Absent),
        ("event exception.type",                "error.type",                           Text("ValueError")),
    ]),
];

#[rustfmt::skip]
const UNMARKED_TENCENT: [(&str, &[Row]); 4] = [
    ("gen", &[
        ("type generation",                     "gen_ai.span.kind",                     Text("LLM")),
        ("input 3 + cache_read_input_tokens 1", "gen_ai.usage.input_tokens",            Int(4)),
        ("output 4",                            "gen_ai.usage.output_tokens",           Int(4)),
        ("no total: the sum",                   "gen_ai.usage.total_tokens",            Int(8)),
        ("cache_read_input_tokens 1",           "gen_ai.usage.cache_read_input_tokens", Int(1)),
    ]),
    ("ret", &[
        ("type retriever",                      "gen_ai.span.kind",                     Text("RETRIEVER")),
        ("input",                               "retrieval.query",                      Text("q")),
        ("output",                              "retrieval.document",                   With("doc1")),
        ("input",                               "gen_ai.entity.input",                  Text("q")),
        ("output",                              "gen_ai.entity.output",                 With("doc1")),
    ]),
    ("emb", &[
        ("type embedding",                      "gen_ai.span.kind",                     Text("EMBEDDING")),
        ("model.name",                          "embedding.model_name",                 Text("text-embedding-3-small")),
        ("input",                               "gen_ai.entity.input",                  Text("q")),
        ("input 3",                             "gen_ai.usage.input_tokens",            Int(3)),
    ]),
    ("bad", &[
        ("type tool",                           "gen_ai.span.kind",                     Text("TOOL")),
        ("span name",                           "tool.name",                            Text("bad")),
        ("input",                               "tool.parameters",                      Json(r#"{"a":1}"#)),
        ("input",                               "gen_ai.entity.input",                  Json(r#"{"a":1}"#)),
        ("event exception.type",                "error.type",                           Text("ValueError")),
    ]),
];

const HELLO_AND_ENDED: &str = r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello, 世界!"}],"finish_reason":"stop"}]"#;
const CALLED_AND_ENDED: &str = r#"[{"role":"assistant","parts":[
    {"type":"tool_call","id":"call_abc123","name":"get_weather","arguments":{"city":"深圳"}}],"finish_reason":"tool_call"}]"#;
const ANSWERED_AND_ENDED: &str =
    r#"[{"role":"assistant","parts":[{"type":"text","content":"It is 26°C and sunny. 晴天。"}],"finish_reason":"stop"}]"#;
const WITH_IMAGE: &str = r#"[{"role":"system","parts":[{"type":"text","content":"be brief"}]},
    {"role":"user","parts":[{"type":"text","content":"深圳天气?"},
        {"type":"uri","modality":"image","uri":"https://example.com/a.png"}]}]"#;
const SHORT_TOOL: &str = r#"[{"type":"function","name":"get_weather","description":"w",
    "parameters":{"type":"object","properties":{"city":{"type":"string"}}}}]"#;

/// Traceloop writes OTel GenAI keys already: an explicit, valid answer stays, in UTF-8. In the order of the spans.
#[rustfmt::skip]
const TRACELOOP_OTEL: [&[Row]; 6] = [
    &[
        ("itself",              "gen_ai.operation.name",                Text("chat")),
        ("itself",              "gen_ai.provider.name",                 Text("openai")),
        ("itself",              "gen_ai.request.model",                 Text("gpt-4o-mini")),
        ("itself",              "gen_ai.response.model",                Text("gpt-4o-mini-2024-07-18")),
        ("itself",              "gen_ai.response.id",                   Text("chatcmpl-1")),
        ("itself",              "gen_ai.response.finish_reasons",       Texts(&["tool_call"])),
        ("itself",              "gen_ai.request.max_tokens",            Int(64)),
        ("itself",              "gen_ai.request.temperature",           Double(0.2)),
        ("itself",              "gen_ai.request.top_p",                 Double(0.9)),
        ("itself",              "gen_ai.usage.input_tokens",            Int(57)),
        ("itself",              "gen_ai.usage.output_tokens",           Int(17)),
        ("itself",              "gen_ai.usage.cache_read.input_tokens", Int(32)),
        ("itself, \\u escapes", "gen_ai.input.messages",                Json(WITH_IMAGE)),
        ("itself, \\u escapes", "gen_ai.output.messages",               With("深圳")),
        ("itself",              "gen_ai.tool.definitions",              Json(SHORT_TOOL)),
    ],
    &[
        ("itself",              "gen_ai.response.finish_reasons",       Texts(&["stop"])),
        ("itself, \\u escapes", "gen_ai.input.messages",                With("深圳天气?")),
        ("itself, \\u escapes", "gen_ai.output.messages",               With("It is 26°C and sunny. 晴天。")),
    ],
    &[
        ("itself",              "gen_ai.usage.input_tokens",            Int(57)),
        ("itself, \\u escapes", "gen_ai.output.messages",               With("Hello, 世界!")),
    ],
    &[
        ("itself",              "gen_ai.operation.name",                Text("embeddings")),
        ("itself",              "gen_ai.usage.input_tokens",            Int(8)),
        ("zero is a value",     "gen_ai.usage.cache_read.input_tokens", Int(0)),
    ],
    &[
        ("itself",              "gen_ai.response.id",                   Text("resp_1")),
        ("itself, \\u escapes", "gen_ai.output.messages",               With("It is 26°C and sunny.")),
    ],
    &[
        ("itself",              "gen_ai.request.model",                 Text("boom")),
        ("beats the event's",   "error.type",                           Text("InternalServerError")),
    ],
];

/// OpenInference: flattened messages and tools, the requested model among the parameters, the first token as an event. In the
/// order of the spans.
#[rustfmt::skip]
const OPENINFERENCE_OTEL: [&[Row]; 6] = [
    &[
        ("span.kind LLM",                 "gen_ai.operation.name",                Text("chat")),
        ("llm.system",                    "gen_ai.provider.name",                 Text("openai")),
        ("invocation_parameters.model",   "gen_ai.request.model",                 Text("gpt-4o-mini")),
        ("llm.model_name",                "gen_ai.response.model",                Text("gpt-4o-mini-2024-07-18")),
        ("llm.finish_reason tool_calls",  "gen_ai.response.finish_reasons",       Texts(&["tool_call"])),
        ("max_tokens 64",                 "gen_ai.request.max_tokens",            Int(64)),
        ("seed 7",                        "gen_ai.request.seed",                  Int(7)),
        ("stop, two line feeds",          "gen_ai.request.stop_sequences",        Texts(&["\n\n"])),
        ("temperature 0.2",               "gen_ai.request.temperature",           Double(0.2)),
        ("top_p 0.9",                     "gen_ai.request.top_p",                 Double(0.9)),
        ("token_count.prompt",            "gen_ai.usage.input_tokens",            Int(57)),
        ("prompt_details.cache_read",     "gen_ai.usage.cache_read.input_tokens", Int(32)),
        ("token_count.completion",        "gen_ai.usage.output_tokens",           Int(17)),
        ("completion_details.reasoning",  "gen_ai.usage.reasoning.output_tokens", Int(8)),
        ("input_messages.{0,1}",          "gen_ai.input.messages",                Json(WITH_IMAGE)),
        ("it and llm.finish_reason",      "gen_ai.output.messages",               Json(CALLED_AND_ENDED)),
        ("tools.0.tool.json_schema",      "gen_ai.tool.definitions",              Json(SHORT_TOOL)),
        ("input_messages.0.message.role", "llm.input_messages.0.message.role",    Absent),
        ("input.mime_type",               "input.mime_type",                      Absent),
    ],
    &[
        ("llm.finish_reason stop",        "gen_ai.response.finish_reasons",       Texts(&["stop"])),
        ("input_messages.3, role tool",   "gen_ai.input.messages",                With("tool_call_response")),
        ("it and llm.finish_reason",      "gen_ai.output.messages",               Json(ANSWERED_AND_ENDED)),
    ],
    &[
        // 58,665,205 ns after the start
        ("First Token Stream Event",      "gen_ai.response.time_to_first_chunk",  Double(0.058_665_205)),
        ("invocation_parameters.stream",  "gen_ai.request.stream",                Truth),
        ("output_messages.0",             "gen_ai.output.messages",               Json(HELLO_AND_ENDED)),
    ],
    &[
        ("span.kind EMBEDDING",           "gen_ai.operation.name",                Text("embeddings")),
        ("embedding.model_name",          "gen_ai.request.model",                 Text("text-embedding-3-small")),
        ("encoding_format base64",        "gen_ai.request.encoding_formats",      Texts(&["base64"])),
        ("token_count.prompt",            "gen_ai.usage.input_tokens",            Int(8)),
        ("vector of three",               "gen_ai.embeddings.dimension.count",    Int(3)),
    ],
    &[
        ("span.kind LLM",                 "gen_ai.operation.name",                Text("chat")),
        ("token_count.prompt",            "gen_ai.usage.input_tokens",            Int(57)),
        ("contents.0.message_content",    "gen_ai.output.messages",               With("It is 26°C and sunny.")),
    ],
    &[
        ("invocation_parameters.model",   "gen_ai.request.model",                 Text("boom")),
        ("event exception.type",          "error.type",                           Text("openai.InternalServerError")),
    ],
];

// ---- the tests ----

#[test]
fn langgraph_generations() {
    for file in [LANGGRAPH_3_INHERITED, LANGGRAPH_3_METADATA, LANGGRAPH_5_INHERITED, LANGGRAPH_5_METADATA] {
        for (profile, table) in [(Profile::OTEL, CHAT_OPENAI_OTEL), (Profile::TENCENT, CHAT_OPENAI_TENCENT)] {
            let request = converted(file, profile);
            let generations = spans_named(&request, "ChatOpenAI");
            assert_eq!(generations.len(), 2, "{file}");
            for (span, turn) in generations.iter().zip(TURNS) {
                let rows = [table, turn].concat();
                check(file, span, &rows);
                if profile == Profile::OTEL {
                    check_nothing_else(file, span, &rows);
                }
            }
            // Chains and agents around them repeat the usage inside their outputs; it is not theirs.
            let with_usage = spans(&request).filter(|span| attribute(span, "gen_ai.usage.input_tokens").is_some());
            assert_eq!(with_usage.count(), 2, "{file}");
        }
    }
}

#[test]
fn langgraph_tools_agents_and_chains() {
    for file in [LANGGRAPH_5_INHERITED, LANGGRAPH_5_METADATA] {
        let otel = converted(file, Profile::OTEL);
        check(file, span_named(&otel, "get_weather"), GET_WEATHER_OTEL);
        check_nothing_else(file, span_named(&otel, "get_weather"), GET_WEATHER_OTEL);
        for agent in spans_named(&otel, "agent") {
            #[rustfmt::skip]
            check(file, agent, &[
                ("type agent",                      "gen_ai.operation.name", Text("invoke_agent")),
                ("langgraph_node is the span name", "gen_ai.agent.name",     Text("agent")),
            ]);
        }

        let tencent = converted(file, Profile::TENCENT);
        check(file, span_named(&tencent, "get_weather"), GET_WEATHER_TENCENT);
        #[rustfmt::skip]
        let kinds = [
            ("agent",             "AGENT"),
            ("LangGraph",         "CHAIN"),
            ("RunnableSequence",  "CHAIN"),
            ("tools",             "CHAIN"),
        ];
        for (name, kind) in kinds {
            check(file, span_named(&tencent, name), &[("type", "gen_ai.span.kind", Text(kind))]);
        }
    }
}

#[test]
fn session_and_user() {
    #[rustfmt::skip]
    let otel: &[Row] = &[
        ("itself",              "session.id",               Text("sess-1")),
        ("itself",              "user.id",                  Text("user-456")),
        ("never made up",       "gen_ai.conversation.id",   Absent),
        ("no target: kept",     "langfuse.trace.tags",      Texts(&["a", "b"])),
    ];
    #[rustfmt::skip]
    let tencent: &[Row] = &[
        ("session.id",          "gen_ai.session.id",        Text("sess-1")),
        ("user.id",             "gen_ai.user.id",           Text("user-456")),
    ];
    for file in [LANGGRAPH_3_METADATA, LANGGRAPH_5_METADATA] {
        check(file, span_named(&converted(file, Profile::OTEL), "LangGraph"), otel);
        check(file, span_named(&converted(file, Profile::TENCENT), "LangGraph"), tencent);
    }
    // Langfuse 5 writes them on every span.
    let file = LANGGRAPH_5_METADATA;
    check(file, span_named(&converted(file, Profile::OTEL), "ChatOpenAI"), otel);
    check(file, span_named(&converted(file, Profile::TENCENT), "ChatOpenAI"), tencent);
}

#[test]
fn streamed_generation() {
    let otel = converted(STREAM, Profile::OTEL);
    check(STREAM, span_named(&otel, "OpenAI-generation"), STREAM_OTEL);
    check_nothing_else(STREAM, span_named(&otel, "OpenAI-generation"), STREAM_OTEL);
    check(STREAM, span_named(&converted(STREAM, Profile::TENCENT), "OpenAI-generation"), STREAM_TENCENT);
}

#[test]
fn observations_of_each_type() {
    let otel = converted(UNMARKED, Profile::OTEL);
    for (name, rows) in UNMARKED_OTEL {
        check(UNMARKED, span_named(&otel, name), rows);
        check_nothing_else(UNMARKED, span_named(&otel, name), rows);
    }
    let documents = attribute(span_named(&otel, "ret"), "gen_ai.retrieval.documents");
    let Some(Value::StringValue(documents)) = documents else { panic!("documents: {documents:?}") };
    let documents: serde_json::Value = serde_json::from_str(documents).unwrap();
    assert_eq!(documents.as_array().map(Vec::len), Some(1), "{documents}");
    assert_eq!(documents[0]["score"], 0.8, "{documents}");

    let tencent = converted(UNMARKED, Profile::TENCENT);
    for (name, rows) in UNMARKED_TENCENT {
        check(UNMARKED, span_named(&tencent, name), rows);
    }
}

#[test]
fn openinference() {
    let otel = converted(OPENINFERENCE, Profile::OTEL);
    let llm: Vec<_> = spans(&otel).filter(|span| span.name != "POST /chat").collect();
    assert_eq!(llm.len(), OPENINFERENCE_OTEL.len());
    for (span, rows) in llm.into_iter().zip(OPENINFERENCE_OTEL) {
        check(OPENINFERENCE, span, rows);
    }
}

#[test]
fn spans_that_are_otel_already() {
    let otel = converted(TRACELOOP, Profile::OTEL);
    let llm: Vec<_> = spans(&otel).filter(|span| span.name != "POST /chat").collect();
    assert_eq!(llm.len(), TRACELOOP_OTEL.len());
    for (span, rows) in llm.into_iter().zip(TRACELOOP_OTEL) {
        check(TRACELOOP, span, rows);
    }

    #[rustfmt::skip]
    let (chat, embeddings): (&[Row], &[Row]) = (
        &[
            ("operation.name chat",         "gen_ai.span.kind",                         Text("LLM")),
            ("provider.name",               "gen_ai.system",                            Text("openai")),
            ("usage.input_tokens",          "gen_ai.usage.prompt_tokens",               Int(57)),
            ("usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",   Int(32)),
            ("input.messages, \\u escapes", "gen_ai.input.messages",                    Json(WITH_IMAGE)),
        ],
        &[
            ("operation.name embeddings",   "gen_ai.span.kind",                         Text("EMBEDDING")),
            ("usage.input_tokens",          "gen_ai.usage.prompt_tokens",               Int(8)),
        ],
    );
    let tencent = converted(TRACELOOP, Profile::TENCENT);
    check(TRACELOOP, span_named(&tencent, "openai.chat"), chat);
    check(TRACELOOP, span_named(&tencent, "openai.embeddings"), embeddings);
}

#[test]
fn one_entry_per_segment_and_no_copy_of_the_mark() {
    for (file, entries) in CAPTURES {
        for profile in PROFILES {
            let request = converted(file, profile);
            let mut found = Vec::new();
            for span in spans(&request) {
                for attribute in span.attributes.iter().filter(|attribute| says_entry(attribute)) {
                    assert_eq!(attribute.key, "gen_ai.is_entry", "{file}, {}: a copy of the mark", span.name);
                    assert_eq!(value(attribute), Some(&Value::BoolValue(true)), "{file}, {}", span.name);
                    found.push(span.name.as_str());
                }
            }
            assert_eq!(found, entries, "{file}, {profile:?}");
        }
    }
}

#[test]
fn the_tree_is_untouched() {
    for (file, _) in CAPTURES {
        for profile in PROFILES {
            let mut expected = source(file);
            let mut got = converted(file, profile);
            for resource in &mut expected.resource_spans {
                if profile == Profile::OTEL {
                    // A destination's secret; only Tencent's wants it.
                    let attributes = &mut resource.resource.as_mut().unwrap().attributes;
                    attributes.retain(|attribute| attribute.key != "token");
                }
                for scope in &mut resource.scope_spans {
                    scope.scope.as_mut().unwrap().attributes.retain(|attribute| attribute.key != "public_key");
                }
            }
            // Attributes of LLM spans have tables of their own; all other fields, and other spans, must be equal.
            clear_llm_attributes(&mut expected);
            clear_llm_attributes(&mut got);
            for (got, expected) in spans(&got).zip(spans(&expected)) {
                assert_eq!(got, expected, "{file}, {profile:?}");
            }
            assert_eq!(got, expected, "{file}, {profile:?}");
        }
    }
}

#[test]
fn the_resource_of_each_profile() {
    for file in [LANGGRAPH_3_METADATA, STREAM, LANGGRAPH_5_METADATA, UNMARKED] {
        #[rustfmt::skip]
        let cases = [
            (Profile::OTEL,    [("service.name", Some("shop-agent")), ("host.name", Some("10.0.0.8")), ("token", None)]),
            (Profile::TENCENT, [("service.name", Some("shop-agent")), ("host.name", Some("10.0.0.8")), ("token", Some("tok-123"))]),
        ];
        for (profile, attributes) in cases {
            let body = convert(file, profile);
            let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
            let resource = request.resource_spans[0].resource.as_ref().unwrap();
            for (key, expected) in attributes {
                let found = resource.attributes.iter().find(|attribute| attribute.key == key).and_then(value);
                assert_eq!(found, expected.map(|text| Value::StringValue(text.into())).as_ref(), "{file}, {profile:?}, {key}");
            }
            // Langfuse's public key, on the scope.
            assert!(!contains(&body, b"pk-lf-x"), "{file}, {profile:?}");
        }
    }
}

#[test]
fn bodies_without_llm_spans_pass_through() {
    for file in ["langfuse-py-3.2.6.langgraph-entry-inherited.1", "langfuse-py-3.2.6.langgraph-entry-metadata.1"] {
        assert!(convert(file, Profile::TENCENT) == read(file), "{file}: bytes differ");
        // Equal but for the token, which `otel` leaves out.
        let mut expected = source(file);
        let resource = expected.resource_spans[0].resource.as_mut().unwrap();
        resource.attributes.retain(|attribute| attribute.key != "token");
        assert_eq!(converted(file, Profile::OTEL), expected, "{file}");
    }
}

#[test]
fn tencent_keeps_what_the_source_wrote() {
    for (file, _) in CAPTURES {
        let (before, after) = (source(file), converted(file, Profile::TENCENT));
        for (before, after) in spans(&before).zip(spans(&after)) {
            assert_eq!(before.span_id, after.span_id, "{file}");
            for kept in before.attributes.iter().filter(|attribute| !says_entry(attribute)) {
                let found = attribute(after, &kept.key);
                assert!(found.is_some(), "{file}, {}: {} is gone", before.name, kept.key);
                // A key of the target convention may be rewritten, e.g. JSON in UTF-8.
                if !kept.key.starts_with("gen_ai.") {
                    assert_eq!(found, value(kept), "{file}, {}: {}", before.name, kept.key);
                }
            }
            let keys: BTreeSet<_> = after.attributes.iter().map(|attribute| &attribute.key).collect();
            assert_eq!(keys.len(), after.attributes.len(), "{file}, {}: a key twice", after.name);
        }
    }
}

#[test]
fn truncated_bodies_are_errors_that_say_where() {
    for (file, _) in CAPTURES {
        let body = read(file);
        let step = if body.len() < 3000 { 1 } else { 97 };
        for cut in (1..body.len()).step_by(step) {
            for profile in PROFILES {
                match genspan::convert(&body[..cut], &options(profile)) {
                    Ok(_) => panic!("{file}, cut at {cut}: taken as a whole body"),
                    Err(error) => assert_says_where(&error.to_string()),
                }
            }
        }
    }
}

#[test]
fn garbage_is_an_error_that_says_where() {
    for garbage in [&b"not protobuf"[..], &[0xFF; 32], &[0x0A, 0x80], &[0x0A, 2, 0x12, 0x7F], b"\x00\x00\x00\x00"] {
        match genspan::convert(garbage, &options(Profile::OTEL)) {
            Ok(_) => panic!("{garbage:?}: taken as a body"),
            Err(error) => assert_says_where(&error.to_string()),
        }
    }
}

proptest! {
    /// What the oracle can read, we can, and the other way round it can read what we make of it. A body whose spans all have broken ids is refused.
    #[test]
    fn damaged_bodies_do_no_harm(
        capture in 0..CAPTURES.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        tencent in any::<bool>(),
    ) {
        let mut body = read(CAPTURES[capture].0);
        for (place, byte) in edits {
            let place = place.index(body.len());
            body[place] = byte;
        }
        let profile = if tencent { Profile::TENCENT } else { Profile::OTEL };
        let converted = genspan::convert(&body, &options(profile));
        if ExportTraceServiceRequest::decode(&body[..]).is_ok() && !matches!(converted, Err(genspan::Error::Refused(_))) {
            let converted = converted.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert!(ExportTraceServiceRequest::decode(&converted[..]).is_ok());
        }
    }

    #[test]
    fn random_bytes_do_no_harm(body in any::<Vec<u8>>()) {
        let _ = genspan::convert(&body, &options(Profile::TENCENT));
    }
}

// ---- reading ----

fn read(file: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/captures/{file}.pb", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn options(profile: Profile) -> Convert {
    Convert { profile, ..Default::default() }
}

fn convert(file: &str, profile: Profile) -> Vec<u8> {
    genspan::convert(&read(file), &options(profile)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn source(file: &str) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(&read(file)[..]).unwrap()
}

fn converted(file: &str, profile: Profile) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(&convert(file, profile)[..]).unwrap()
}

fn spans(request: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans)
}

fn spans_named<'a>(request: &'a ExportTraceServiceRequest, name: &str) -> Vec<&'a Span> {
    spans(request).filter(|span| span.name == name).collect()
}

fn span_named<'a>(request: &'a ExportTraceServiceRequest, name: &str) -> &'a Span {
    spans(request).find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name}"))
}

fn value(attribute: &KeyValue) -> Option<&Value> {
    attribute.value.as_ref()?.value.as_ref()
}

fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a Value> {
    span.attributes.iter().find(|attribute| attribute.key == key).and_then(value)
}

/// Whether an attribute carries the mark, in its key or nested in its value.
fn says_entry(attribute: &KeyValue) -> bool {
    let nested = matches!(value(attribute), Some(Value::StringValue(text)) if text.contains("is_entry"));
    attribute.key.contains("is_entry") || nested
}

/// Leaves the attributes of foreign spans (all here are HTTP spans), less the mark that Langfuse 5 copies onto them.
fn clear_llm_attributes(request: &mut ExportTraceServiceRequest) {
    let scopes = request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans);
    for span in scopes.flat_map(|scope| &mut scope.spans) {
        let foreign = span.name == "POST /chat";
        span.attributes.retain(|attribute| foreign && !says_entry(attribute));
    }
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}

// ---- checking ----

fn check(file: &str, span: &Span, rows: &[Row]) {
    let wrong: Vec<_> = rows
        .iter()
        .map(|(from, key, expected)| (from, key, expected, attribute(span, key)))
        .filter(|(_, _, expected, found)| !matches(**expected, *found))
        .map(|(from, key, expected, found)| format!("  {key} (from: {from})\n    expected {expected:?}\n    found    {found:?}"))
        .collect();
    assert!(wrong.is_empty(), "{file}, {}:\n{}", span.name, wrong.join("\n"));
}

/// All GenAI attributes of the span are in the table.
fn check_nothing_else(file: &str, span: &Span, rows: &[Row]) {
    let extra: Vec<_> = span
        .attributes
        .iter()
        .filter(|attribute| attribute.key.starts_with("gen_ai."))
        .filter(|attribute| !rows.iter().any(|(_, key, _)| *key == attribute.key))
        .collect();
    assert!(extra.is_empty(), "{file}, {}: not in the table: {extra:?}", span.name);
}

fn matches(expected: Is, found: Option<&Value>) -> bool {
    match (expected, found) {
        (Absent, None) | (Truth, Some(Value::BoolValue(true))) => true,
        (Text(text), Some(Value::StringValue(found))) => text == found,
        (Int(number), Some(Value::IntValue(found))) => number == *found,
        (Double(number), Some(Value::DoubleValue(found))) => (number - found).abs() < 1e-12,
        (Texts(texts), Some(Value::ArrayValue(found))) => {
            let found: Vec<_> = found.values.iter().map(|item| item.value.clone()).collect();
            found == texts.iter().map(|text| Some(Value::StringValue((*text).into()))).collect::<Vec<_>>()
        }
        (Json(json), Some(Value::StringValue(found))) => {
            let json: serde_json::Value = serde_json::from_str(json).unwrap();
            !found.contains("\\u") && serde_json::from_str::<serde_json::Value>(found).is_ok_and(|found| found == json)
        }
        (With(text), Some(Value::StringValue(found))) => found.contains(text) && !found.contains("\\u"),
        _ => false,
    }
}

fn assert_says_where(error: &str) {
    let says = error.contains("byte") && error.bytes().any(|byte| byte.is_ascii_digit());
    assert!(says && !error.contains('\n'), "no place in: {error}");
}
