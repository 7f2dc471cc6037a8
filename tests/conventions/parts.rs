//! A message with one part, as each provider and framework writes it, for the rows `part_type` of `enums.csv`.

use crate::expect::{Case, Expect, What};
use crate::sample::text;
use crate::span::Source;
use serde_json::{Value as Json, json};

const URL: &str = "https://example.com/paris.png";
const BASE64: &str = "UGFyaXM=";
const DATA_URL: &str = "data:image/png;base64,UGFyaXM=";
const TEXT: &str = "about Paris";

/// The samples of a row, each with a text that must stay in the part; `None`: no sample is written.
pub fn cases(convention: &str, value: &str, target: &str) -> Vec<Case> {
    let (types, remark) = target.split_once([' ', '(']).map_or((target, ""), |(types, remark)| (types, remark));
    let types: Vec<String> = types.trim_end_matches(".id").split('|').filter(|t| !t.is_empty()).map(Into::into).collect();
    let modality = remark.split_once("modality ").map(|(_, m)| m.trim_end_matches(')').to_owned());
    let samples = samples(convention, value);
    assert!(!samples.is_empty(), "no sample for part {convention} {value}");
    samples
        .into_iter()
        .map(|(message, said)| {
            let said: Vec<String> = said.split('|').filter(|s| !s.is_empty()).map(Into::into).chain(modality.clone()).collect();
            let key = "gen_ai.input.messages";
            let expected = match target {
                "(drop)" => Expect::Target(key.into(), What::NoPart(value.into())),
                "generic" | "generic " => Expect::Target(key.into(), What::Message(None, said)),
                _ => Expect::Target(key.into(), What::Part(types.clone(), said)),
            };
            let source = Source { scope: "app".into(), name: "call".into(), ..Default::default() };
            Case { source: source.with("gen_ai.operation.name", "chat").with(key, text(json!([message]))), expected: vec![expected] }
        })
        .collect()
}

fn user(part: Json) -> Json {
    json!({"role": "user", "content": [part]})
}

fn assistant(part: Json) -> Json {
    json!({"role": "assistant", "content": [part]})
}

fn parts(role: &str, part: Json) -> Json {
    json!({"role": role, "parts": [part]})
}

fn samples(convention: &str, value: &str) -> Vec<(Json, &'static str)> {
    let arguments = json!({"city": "Paris"});
    let as_text = arguments.to_string();
    let call = json!({"name": "get_weather", "arguments": as_text});
    match (convention, value) {
        ("anthropic-sdk" | "envoy-ai-gateway", _) => vec![(parts("user", json!({"type": value})), "")],
        ("openai", "text" | "input_text" | "output_text") => vec![(user(json!({"type": value, "text": TEXT})), TEXT)],
        ("openai", "refusal") => vec![(assistant(json!({"type": value, "refusal": TEXT})), TEXT)],
        ("openai", "image_url") => vec![
            (user(json!({"type": value, "image_url": {"url": URL}})), URL),
            (user(json!({"type": value, "image_url": {"url": DATA_URL}})), BASE64),
        ],
        ("openai", "input_image") => vec![
            (user(json!({"type": value, "image_url": URL})), URL),
            (user(json!({"type": value, "image_url": DATA_URL})), BASE64),
            (user(json!({"type": value, "file_id": "file-1"})), "file-1"),
        ],
        ("openai", "input_audio") => vec![(user(json!({"type": value, "input_audio": {"data": BASE64, "format": "wav"}})), BASE64)],
        ("openai", "audio") => vec![(assistant(json!({"type": value, "audio": {"id": "audio_1", "data": BASE64}})), BASE64)],
        ("openai", "file") => vec![
            (user(json!({"type": value, "file": {"file_id": "file-1"}})), "file-1"),
            (user(json!({"type": value, "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,UGFyaXM="}})), BASE64),
        ],
        ("openai", "input_file") => vec![
            (user(json!({"type": value, "file_id": "file-1"})), "file-1"),
            (user(json!({"type": value, "file_url": "https://example.com/a.pdf"})), "https://example.com/a.pdf"),
            (user(json!({"type": value, "filename": "a.pdf", "file_data": "data:application/pdf;base64,UGFyaXM="})), BASE64),
        ],
        ("openai", "function") => {
            vec![(
                json!({"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": value, "function": call}]}),
                "call_1|get_weather|Paris",
            )]
        }
        ("openai", "function_call") => {
            vec![(
                json!({"type": value, "id": "fc_1", "call_id": "call_1", "name": "get_weather", "arguments": as_text}),
                "call_1|get_weather|Paris",
            )]
        }
        ("openai", "function_call_output") => vec![(json!({"type": value, "call_id": "call_1", "output": "26C"}), "call_1|26C")],
        ("openai", "custom_tool_call") => {
            vec![(json!({"type": value, "call_id": "call_1", "name": "get_weather", "input": "Paris"}), "call_1|get_weather|Paris")]
        }
        ("openai", "reasoning") => vec![(json!({"type": value, "id": "rs_1", "summary": [{"type": "summary_text", "text": TEXT}]}), TEXT)],
        ("openai", "web_search_call") => {
            vec![(json!({"type": value, "id": "ws_1", "status": "completed", "action": {"type": "search", "query": TEXT}}), TEXT)]
        }
        ("openai", "file_search_call") => vec![(json!({"type": value, "id": "fs_1", "queries": [TEXT]}), TEXT)],
        ("openai", "computer_call") => {
            vec![(json!({"type": value, "id": "cu_1", "call_id": "call_1", "action": {"type": "type", "text": TEXT}}), TEXT)]
        }
        ("openai", "code_interpreter_call") => vec![(json!({"type": value, "id": "ci_1", "code": TEXT}), TEXT)],
        ("openai", "mcp_call") => vec![(
            json!({"type": value, "id": "mcp_1", "name": "get_weather", "server_label": "weather", "arguments": as_text}),
            "get_weather|Paris",
        )],
        ("openai", "image_generation_call") => vec![(json!({"type": value, "id": "ig_1", "revised_prompt": TEXT}), TEXT)],

        ("anthropic", "text") => vec![(user(json!({"type": value, "text": TEXT})), TEXT)],
        ("anthropic", "image") => vec![
            (user(json!({"type": value, "source": {"type": "base64", "media_type": "image/png", "data": BASE64}})), "image/png|UGFyaXM="),
            (user(json!({"type": value, "source": {"type": "url", "url": URL}})), URL),
        ],
        ("anthropic", "document") => vec![
            (
                user(json!({"type": value, "source": {"type": "base64", "media_type": "application/pdf", "data": BASE64}})),
                "application/pdf|UGFyaXM=",
            ),
            (user(json!({"type": value, "source": {"type": "url", "url": "https://example.com/a.pdf"}})), "https://example.com/a.pdf"),
        ],
        ("anthropic", "tool_use") => {
            vec![(assistant(json!({"type": value, "id": "call_1", "name": "get_weather", "input": arguments})), "call_1|get_weather|Paris")]
        }
        ("anthropic", "tool_result") => vec![(user(json!({"type": value, "tool_use_id": "call_1", "content": "26C"})), "call_1|26C")],
        ("anthropic", "thinking") => vec![(assistant(json!({"type": value, "thinking": TEXT, "signature": "c2ln"})), TEXT)],
        ("anthropic", "redacted_thinking") => vec![(assistant(json!({"type": value, "data": "c2ln"})), "")],
        ("anthropic", "server_tool_use" | "mcp_tool_use") => {
            vec![(
                assistant(json!({"type": value, "id": "call_1", "name": "web_search", "input": {"query": TEXT}})),
                "call_1|web_search|about Paris",
            )]
        }
        ("anthropic", "web_search_tool_result" | "code_execution_tool_result" | "mcp_tool_result") => {
            vec![(
                assistant(json!({"type": value, "tool_use_id": "call_1", "content": [{"type": "text", "text": TEXT}]})),
                "call_1|about Paris",
            )]
        }
        ("anthropic", "search_result") => vec![(user(json!({"type": value, "title": TEXT, "source": URL})), TEXT)],
        ("anthropic", "compaction") => vec![(assistant(json!({"type": value, "content": TEXT})), TEXT)],

        ("bedrock", "text") => vec![(user(json!({"text": TEXT})), TEXT)],
        ("bedrock", "toolUse") => vec![(
            assistant(json!({"toolUse": {"toolUseId": "call_1", "name": "get_weather", "input": arguments}})),
            "call_1|get_weather|Paris",
        )],
        ("bedrock", "toolResult") => {
            vec![(user(json!({"toolResult": {"toolUseId": "call_1", "content": [{"text": "26C"}], "status": "success"}})), "call_1|26C")]
        }
        ("bedrock", "reasoningContent") => {
            vec![(assistant(json!({"reasoningContent": {"reasoningText": {"text": TEXT, "signature": "c2ln"}}})), TEXT)]
        }
        ("bedrock", "image") => vec![(user(json!({"image": {"format": "png", "source": {"bytes": BASE64}}})), BASE64)],
        ("bedrock", "document") => vec![(user(json!({"document": {"format": "pdf", "name": "a", "source": {"bytes": BASE64}}})), BASE64)],
        ("bedrock", "video") => vec![(user(json!({"video": {"format": "mp4", "source": {"bytes": BASE64}}})), BASE64)],
        ("bedrock", "cachePoint") => {
            vec![(json!({"role": "user", "content": [{"text": TEXT}, {"cachePoint": {"type": "default"}}]}), TEXT)]
        }
        ("bedrock", "guardContent") => vec![(user(json!({"guardContent": {"text": {"text": TEXT}}})), TEXT)],

        ("gemini", "text") => vec![(parts("user", json!({"text": TEXT})), TEXT)],
        ("gemini", "text + thought=true") => vec![(parts("model", json!({"text": TEXT, "thought": true})), TEXT)],
        ("gemini", "functionCall" | "function_call") => {
            vec![(parts("model", json!({value: {"id": "call_1", "name": "get_weather", "args": arguments}})), "call_1|get_weather|Paris")]
        }
        ("gemini", "functionResponse" | "function_response") => {
            vec![(parts("user", json!({value: {"id": "call_1", "name": "get_weather", "response": {"result": "26C"}}})), "call_1|26C")]
        }
        ("gemini", "inlineData") => {
            vec![(parts("user", json!({value: {"mimeType": "image/png", "data": BASE64}})), "image/png|UGFyaXM=|image")]
        }
        ("gemini", "inline_data") => {
            vec![(parts("user", json!({value: {"mime_type": "image/png", "data": BASE64}})), "image/png|UGFyaXM=|image")]
        }
        ("gemini", "fileData") => vec![(parts("user", json!({value: {"mimeType": "image/png", "fileUri": URL}})), URL)],
        ("gemini", "file_data") => vec![(parts("user", json!({value: {"mime_type": "image/png", "file_uri": URL}})), URL)],
        ("gemini", "executableCode") => vec![(parts("model", json!({value: {"language": "PYTHON", "code": TEXT}})), TEXT)],
        ("gemini", "codeExecutionResult") => vec![(parts("model", json!({value: {"outcome": "OUTCOME_OK", "output": TEXT}})), TEXT)],

        ("vercel-ai", "text" | "reasoning") => vec![(assistant(json!({"type": value, "text": TEXT})), TEXT)],
        ("vercel-ai", "image") => vec![
            (user(json!({"type": value, "image": URL})), URL),
            (user(json!({"type": value, "image": BASE64, "mimeType": "image/png"})), "image/png|UGFyaXM="),
        ],
        ("vercel-ai", "file") => vec![
            (user(json!({"type": value, "data": BASE64, "mediaType": "application/pdf"})), "application/pdf|UGFyaXM="),
            (
                user(json!({"type": value, "data": "https://example.com/a.pdf", "mediaType": "application/pdf"})),
                "https://example.com/a.pdf",
            ),
        ],
        ("vercel-ai", "redacted-reasoning") => vec![(assistant(json!({"type": value, "data": "c2ln"})), "")],
        ("vercel-ai", "tool-call") => vec![
            (
                assistant(json!({"type": value, "toolCallId": "call_1", "toolName": "get_weather", "input": arguments})),
                "call_1|get_weather|Paris",
            ),
            (
                assistant(json!({"type": value, "toolCallId": "call_1", "toolName": "get_weather", "args": arguments})),
                "call_1|get_weather|Paris",
            ),
        ],
        ("vercel-ai", "tool-result") => vec![
            (
                json!({"role": "tool", "content": [{"type": value, "toolCallId": "call_1", "toolName": "get_weather", "result": "26C"}]}),
                "call_1|26C",
            ),
            (
                json!({"role": "tool", "content": [{"type": value, "toolCallId": "call_1", "toolName": "get_weather", "output": {"type": "text", "value": "26C"}}]}),
                "call_1|26C",
            ),
        ],
        ("vercel-ai", "tool-error") => {
            vec![(
                json!({"role": "tool", "content": [{"type": value, "toolCallId": "call_1", "toolName": "get_weather", "error": TEXT}]}),
                "call_1|about Paris",
            )]
        }
        ("vercel-ai", "source") => vec![(assistant(json!({"type": value, "sourceType": "url", "id": "s1", "url": URL})), URL)],
        ("vercel-ai", "tool-approval-request" | "tool-approval-response") => {
            vec![(assistant(json!({"type": value, "approvalId": "a-1", "toolCallId": "call_1", "approved": true})), "a-1")]
        }

        ("langchain", "content:str") => vec![
            (json!({"type": "human", "content": TEXT}), TEXT),
            (
                json!({"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "HumanMessage"], "kwargs": {"content": TEXT}}),
                TEXT,
            ),
        ],
        ("langchain", "content[].text") => vec![(json!({"type": "human", "content": [{"type": "text", "text": TEXT}]}), TEXT)],
        ("langchain", "content[].image_url") => {
            vec![(json!({"type": "human", "content": [{"type": "image_url", "image_url": {"url": URL}}]}), URL)]
        }
        ("langchain", "tool_calls[]") => {
            vec![(
                json!({"type": "ai", "content": "", "tool_calls": [{"type": "tool_call", "id": "call_1", "name": "get_weather", "args": arguments}]}),
                "call_1|get_weather|Paris",
            )]
        }
        ("langchain", "invalid_tool_calls[]") => {
            vec![(
                json!({"type": "ai", "content": "", "invalid_tool_calls": [{"id": "call_1", "name": "get_weather", "args": "{\"city\":\"Par", "error": "cut"}]}),
                "call_1|get_weather|{\"city\":\"Par",
            )]
        }
        ("langchain", "additional_kwargs.tool_calls[]") => {
            let calls = json!([{"id": "call_1", "type": "function", "function": call}]);
            vec![(
                json!({"type": "ai", "content": "", "tool_calls": [], "additional_kwargs": {"tool_calls": calls}}),
                "call_1|get_weather|Paris",
            )]
        }
        ("langchain", "additional_kwargs.function_call") => {
            vec![(json!({"type": "ai", "content": "", "additional_kwargs": {"function_call": call}}), "get_weather|Paris")]
        }
        ("langchain", "additional_kwargs.reasoning_content") => {
            vec![(json!({"type": "ai", "content": "26C", "additional_kwargs": {"reasoning_content": TEXT}}), TEXT)]
        }
        ("langchain", "tool_call_id") => vec![(json!({"type": "tool", "content": "26C", "tool_call_id": "call_1"}), "call_1|26C")],

        ("pydantic-ai", "text" | "thinking") => vec![(parts("assistant", json!({"type": value, "content": TEXT})), TEXT)],
        ("pydantic-ai", "tool_call") => vec![(
            parts("assistant", json!({"type": value, "id": "call_1", "name": "get_weather", "arguments": arguments})),
            "call_1|get_weather|Paris",
        )],
        ("pydantic-ai", "tool_call_response") => {
            vec![(parts("user", json!({"type": value, "id": "call_1", "name": "get_weather", "result": "26C"})), "call_1|response|26C")]
        }
        ("pydantic-ai", "image-url" | "audio-url" | "video-url" | "document-url") => {
            vec![(parts("user", json!({"type": value, "url": URL})), URL)]
        }
        ("pydantic-ai", "binary") => {
            vec![(parts("user", json!({"type": value, "media_type": "image/png", "content": BASE64})), "image/png|UGFyaXM=|image")]
        }
        ("pydantic-ai", "uri") => vec![(parts("user", json!({"type": value, "uri": URL, "modality": "image"})), URL)],
        ("pydantic-ai", "blob") => {
            vec![(parts("user", json!({"type": value, "content": BASE64, "mime_type": "image/png", "modality": "image"})), BASE64)]
        }
        ("pydantic-ai", "file") => vec![(parts("user", json!({"type": value, "file_id": "file-1", "modality": "image"})), "file-1")],

        ("genkit", "text") => vec![(user(json!({"text": TEXT})), TEXT)],
        ("genkit", "reasoning") => vec![(assistant(json!({"reasoning": TEXT})), TEXT)],
        ("genkit", "media") => vec![
            (user(json!({"media": {"url": URL, "contentType": "image/png"}})), URL),
            (user(json!({"media": {"url": DATA_URL}})), BASE64),
        ],
        ("genkit", "toolRequest") => vec![(
            json!({"role": "model", "content": [{"toolRequest": {"ref": "call_1", "name": "get_weather", "input": arguments}}]}),
            "call_1|get_weather|Paris",
        )],
        ("genkit", "toolResponse") => vec![(
            json!({"role": "tool", "content": [{"toolResponse": {"ref": "call_1", "name": "get_weather", "output": "26C"}}]}),
            "call_1|26C",
        )],
        ("genkit", "data" | "custom" | "resource") => vec![(user(json!({value: {"uri": URL}})), URL)],
        _ => vec![],
    }
}
