//! Each provider's shape before and after.

use super::*;

fn transcode(text: &str, side: Side) -> Option<String> {
    let arena = Bump::new();
    read(text.as_bytes(), json::parse(text.as_bytes(), &arena), side, &arena).ok().map(|c| String::from_utf8(c.messages.to_vec()).unwrap())
}

#[track_caller]
fn becomes(side: Side, before: &str, after: &str) {
    assert_eq!(transcode(before, side).as_deref(), Some(after));
}

#[test]
fn plain_text_is_one_message() {
    becomes(Side::Input, "hi", r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#);
    becomes(Side::Output, "\"Hello, \\u4e16\\u754c!\"", r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello, 世界!"}]}]"#);
}

#[test]
fn openai_chat() {
    becomes(
        Side::Input,
        r#"{"messages": [{"role": "developer", "content": "be brief"}, {"role": "user", "content": [{"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": "https://e.com/a.png"}}]}, {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}]}, {"role": "tool", "tool_call_id": "c1", "content": "26C"}]}"#,
        r#"[{"role":"system","parts":[{"type":"text","content":"be brief"}]},{"role":"user","parts":[{"type":"text","content":"what?"},{"type":"uri","modality":"image","uri":"https://e.com/a.png"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"f","arguments":{"a":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"26C"}]}]"#,
    );
}

#[test]
fn openai_responses() {
    becomes(
        Side::Output,
        r#"[{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"ok"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]"#,
        r#"[{"role":"assistant","parts":[{"type":"reasoning","content":"hm"}]},{"role":"assistant","parts":[{"type":"text","content":"ok"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"f","arguments":{}}]}]"#,
    );
}

#[test]
fn anthropic() {
    becomes(
        Side::Input,
        r#"{"system":"s","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"t"},{"type":"tool_use","id":"u","name":"f","input":{"a":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"u","content":"r"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}]}"#,
        r#"[{"role":"assistant","parts":[{"type":"reasoning","content":"t"},{"type":"tool_call","id":"u","name":"f","arguments":{"a":1}}]},{"role":"user","parts":[{"type":"tool_call_response","id":"u","response":"r"},{"type":"blob","modality":"image","mime_type":"image/png","content":"AAAA"}]}]"#,
    );
}

#[test]
fn gemini_and_bedrock() {
    becomes(
        Side::Input,
        r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}}]}]}"#,
        r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]},{"role":"assistant","parts":[{"type":"tool_call","name":"f","arguments":{"a":1}}]}]"#,
    );
    becomes(
        Side::Output,
        r#"{"output":{"message":{"role":"assistant","content":[{"text":"ok"},{"toolUse":{"toolUseId":"u","name":"f","input":{}}}]}},"stopReason":"tool_use","usage":{}}"#,
        r#"[{"role":"assistant","parts":[{"type":"text","content":"ok"},{"type":"tool_call","id":"u","name":"f","arguments":{}}]}]"#,
    );
}

#[test]
fn langchain() {
    becomes(
        Side::Input,
        r#"[["user","q"],{"type":"human","content":"hi","additional_kwargs":{}},{"lc":1,"type":"constructor","id":["langchain","schema","AIMessage"],"kwargs":{"content":"yo","tool_calls":[{"name":"f","args":{"a":1},"id":"c"}]}}]"#,
        r#"[{"role":"user","parts":[{"type":"text","content":"q"}]},{"role":"user","parts":[{"type":"text","content":"hi"}]},{"role":"assistant","parts":[{"type":"text","content":"yo"},{"type":"tool_call","id":"c","name":"f","arguments":{"a":1}}]}]"#,
    );
}

#[test]
fn cohere_tool_results() {
    becomes(
        Side::Input,
        r#"[{"role":"user","parts":[{"call":{"name":"f","parameters":{}},"outputs":[{"result":"26C"}]}]}]"#,
        r#"[{"role":"user","parts":[{"type":"tool_call_response","response":[{"result":"26C"}],"call":{"name":"f","parameters":{}}}]}]"#,
    );
}

#[test]
fn instructions_are_parts() {
    let arena = Bump::new();
    let one = r#"[{"type":"text","content":"be brief"}]"#;
    for text in [
        "be brief",
        r#""be brief""#,
        r#"[{"type":"text","content":"be brief"}]"#,
        r#"["be brief"]"#,
        r#"{"role":"user","parts":[{"text":"be brief"}]}"#,
        r#"[{"text":"be brief"}]"#,
    ] {
        assert_eq!(instructions(text.as_bytes(), &arena), one.as_bytes(), "{text}");
    }
    assert_eq!(instructions(br#"{"a":1}"#, &arena), br#"[{"type":"text","content":"{\"a\":1}"}]"#);
}

#[test]
fn livekit() {
    becomes(
        Side::Input,
        r#"{"items":[{"type":"agent_handoff","new_agent_id":"a"},{"type":"message","role":"user","content":["hi"]},{"type":"function_call","id":"i","call_id":"c","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c","name":"f","output":"r","is_error":false}]}"#,
        r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"f","arguments":{"a":1},"item_id":"i"}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":"r","name":"f","is_error":false}]}]"#,
    );
    becomes(
        Side::Output,
        r#"[{"role":"assistant","content":"ok","tool_calls":["{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"]}]"#,
        r#"[{"role":"assistant","parts":[{"type":"text","content":"ok"},{"type":"tool_call","id":"c","name":"f","arguments":{}}]}]"#,
    );
}

#[test]
fn trpc_agent_go() {
    becomes(
        Side::Input,
        r#"[{"role":"user","content":"what?","content_parts":[{"type":"text","text":"what is it?"},{"type":"image","image":{"url":"https://e.com/a.png","detail":"low"}}]},{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f","arguments":"eyJhIjoxfQ=="},"id":"c1"}]},{"role":"tool","content":"26C","tool_id":"c1","tool_name":"f"}]"#,
        r#"[{"role":"user","parts":[{"type":"text","content":"what is it?"},{"type":"uri","modality":"image","uri":"https://e.com/a.png","detail":"low"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"f","arguments":{"a":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"26C","name":"f"}]}]"#,
    );
    let arena = Bump::new();
    let text = br#"[{"index":0,"message":{"role":"assistant","content":"ok"},"delta":{"role":""},"finish_reason":"length"}]"#;
    let c = read(text, json::parse(text, &arena), Side::Output, &arena).unwrap();
    assert_eq!(c.messages, br#"[{"role":"assistant","parts":[{"type":"text","content":"ok"}]}]"#);
    assert_eq!(c.finish_reasons, [Value::Str(b"length")]);
}

#[test]
fn dify() {
    becomes(
        Side::Input,
        r#"[{"role":"system","text":"be brief","files":[]},{"role":"user","text":"what?","files":[{"type":"image","url":"https://e.com/a.png"}]}]"#,
        r#"[{"role":"system","parts":[{"type":"text","content":"be brief"}]},{"role":"user","parts":[{"type":"text","content":"what?"},{"type":"uri","modality":"image","uri":"https://e.com/a.png"}]}]"#,
    );
}

#[test]
fn a_role_that_is_the_name_of_a_tool() {
    becomes(
        Side::Input,
        r#"{"messages":[{"content":"q","role":"user"},{"content":"","role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"content":"r","additional_kwargs":{},"role":"f"}]}"#,
        r#"[{"role":"user","parts":[{"type":"text","content":"q"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"f","arguments":{}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":"r"}]}]"#,
    );
    becomes(
        Side::Input,
        r#"[{"content":"r","additional_kwargs":{}},{"content":"no","role":"critic"}]"#,
        r#"[{"role":"tool","parts":[{"type":"tool_call_response","response":"r"}]},{"role":"user","parts":[{"type":"text","content":"no"}]}]"#,
    );
}

#[test]
fn genkit() {
    becomes(
        Side::Input,
        r#"{"messages":[{"role":"system","content":[{"text":"be brief"}]},{"role":"user","content":[{"text":"hi"},{"media":{"url":"data:image/png;base64,AAAA","contentType":"image/png"}}]},{"role":"model","content":[{"toolRequest":{"ref":"r1","name":"f","input":{"a":1}}}]},{"role":"tool","content":[{"toolResponse":{"ref":"r1","name":"f","output":"26C"}}]}]}"#,
        r#"[{"role":"system","parts":[{"type":"text","content":"be brief"}]},{"role":"user","parts":[{"type":"text","content":"hi"},{"type":"blob","modality":"image","mime_type":"image/png","content":"AAAA"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"r1","name":"f","arguments":{"a":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"r1","response":"26C","name":"f"}]}]"#,
    );
    let arena = Bump::new();
    for text in [
        r#"{"message":{"role":"model","content":[{"text":"ok"}]},"finishReason":"stop","usage":{"inputTokens":5}}"#,
        r#"{"candidates":[{"index":0,"message":{"role":"model","content":[{"text":"ok"}]},"finishReason":"stop"}]}"#,
    ] {
        let c = read(text.as_bytes(), json::parse(text.as_bytes(), &arena), Side::Output, &arena).unwrap();
        assert_eq!(c.messages, br#"[{"role":"assistant","parts":[{"type":"text","content":"ok"}]}]"#, "{text}");
        assert_eq!(c.finish_reasons, [Value::Str(b"stop")], "{text}");
    }
}

#[test]
fn flue() {
    becomes(
        Side::Input,
        r#"{"systemPrompt":"be brief","messages":[{"role":"assistant","content":[{"type":"toolCall","id":"c","name":"f","arguments":{"a":1}}]},{"role":"toolResult","toolCallId":"c","toolName":"f","content":[{"type":"text","text":"26C"}],"isError":false}]}"#,
        r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"f","arguments":{"a":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":[{"type":"text","text":"26C"}],"name":"f","isError":false}]}]"#,
    );
}

#[test]
fn files_of_an_answer() {
    becomes(
        Side::Output,
        r#"[{"role":"assistant","content":"here","files":[{"type":"file","mediaType":"image/png","data":"AAAA"}]}]"#,
        r#"[{"role":"assistant","parts":[{"type":"text","content":"here"},{"type":"blob","modality":"image","mime_type":"image/png","content":"AAAA"}]}]"#,
    );
}

#[test]
fn vercel() {
    becomes(
        Side::Input,
        r#"[{"role":"assistant","content":[{"type":"tool-call","toolCallId":"c","toolName":"f","input":{"a":1}}]},{"role":"tool","content":[{"type":"tool-result","toolCallId":"c","toolName":"f","output":{"type":"text","value":"r"}}]}]"#,
        r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"f","arguments":{"a":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":"r","name":"f"}]}]"#,
    );
}

#[test]
fn otel_stays_and_older_otel_is_mended() {
    let newest = r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"f","arguments":{"a":1}}],"finish_reason":"tool_call"}]"#;
    becomes(Side::Input, newest, newest);
    becomes(
        Side::Output,
        r#"[{"role":"tool","parts":[{"type":"tool_call_response","id":"c","result":"r"}]},{"role":"assistant","parts":[{"type":"tool_call","name":"f","arguments":"{\"a\":1}"}]}]"#,
        r#"[{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":"r"}]},{"role":"assistant","parts":[{"type":"tool_call","name":"f","arguments":{"a":1}}]}]"#,
    );
}

#[test]
fn tool_definitions_among_the_messages_are_no_messages() {
    let arena = Bump::new();
    let text = br#"[{"role":"user","content":"q"},{"role":"tool","content":{"type":"function","function":{"name":"f"}}}]"#;
    let c = read(text, json::parse(text, &arena), Side::Input, &arena).unwrap();
    assert_eq!(c.messages, br#"[{"role":"user","parts":[{"type":"text","content":"q"}]}]"#);
    assert_eq!(c.tools.len(), 1);
}

#[test]
fn answers_tell_their_finish_reason_model_and_id() {
    let arena = Bump::new();
    let text = br#"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o","choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"ok"}}]}"#;
    let c = read(text, json::parse(text, &arena), Side::Output, &arena).unwrap();
    assert_eq!(c.finish_reasons, [Value::Str(b"stop")]);
    assert_eq!((c.model, c.response_id), (Some(&b"gpt-4o"[..]), Some(&b"chatcmpl-1"[..])));
}

#[test]
fn the_reason_inside_of_otel_s_message_is_told() {
    let arena = Bump::new();
    let text = br#"[{"role":"assistant","parts":[{"type":"text","content":"ok"}],"finish_reason":"stop"}]"#;
    let c = read(text, json::parse(text, &arena), Side::Output, &arena).unwrap();
    assert_eq!((c.messages, &c.finish_reasons[..]), (&text[..], &[Value::Str(b"stop")][..]));
}

#[test]
fn other_json_is_not_messages() {
    for text in [r#"{"args":[],"kwargs":{}}"#, "[]", "{}", "12", "null", r#"[1,2]"#, r#"[{"a":1}]"#] {
        assert_eq!(transcode(text, Side::Input), None, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn output_is_always_json(text in r#"[\[\]{}",:a-z0-9\\ ]{0,60}"#) {
        if let Some(out) = transcode(&text, Side::Input) {
            proptest::prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{} -> {}", text, out);
        }
    }
}
