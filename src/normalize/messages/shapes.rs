//! What a piece of JSON is: a message, a part, an item, in the shapes that are known.

use crate::conventions::words;
use crate::json::{self, Json};
use crate::text;
use bumpalo::Bump;

/// Is it OTel's form already, in every part? Then it stays as it is.
pub(super) fn is_canonical(root: Json) -> bool {
    let part = |p: Json| {
        let field = |key: &str| p.get(key).is_some();
        if p.get("id").is_some_and(|id| !id.is_string()) {
            return false;
        }
        match p.get("type").and_then(|t| t.word()).map(text::as_keyword) {
            Some("text" | "reasoning") => p.get("content").is_some_and(|c| c.is_string()),
            Some("tool_call") => field("name") && p.get("arguments").is_none_or(|a| !a.is_string()),
            Some("tool_call_response") => field("response"),
            Some("server_tool_call" | "server_tool_call_response" | "compaction") => true,
            Some("blob") => field("content") && field("modality"),
            Some("uri") => field("uri") && field("modality"),
            Some("file") => field("file_id") && field("modality"),
            _ => false,
        }
    };
    let message = |m: Json| {
        m.get("role").and_then(|r| r.word()).is_some_and(|role| text::any(role, &["system", "user", "assistant", "tool"]))
            // LiteLLM leaves them beside the parts.
            && m.any(&["tool_calls", "tool_call_id"]).is_none()
            && m.get("parts").is_some_and(|parts| parts.is_array() && parts.items().all(part))
    };
    root.is_array() && !root.is_empty() && root.items().all(message)
}

/// A tool definition in a message's place: `{"role":"tool","content":{"type":"function","function":{…}}}`.
pub(super) fn tool_in_message(m: Json) -> Option<Json> {
    m.get("role").filter(|r| r.is("tool"))?;
    let content = m.get("content").filter(|c| c.is_object())?;
    (content.get("function").is_some_and(|f| f.get("name").is_some())
        || content.get("name").is_some() && content.any(&["parameters", "input_schema"]).is_some())
    .then_some(content)
}

/// In a message's place, Langtrace's list of calls that it could not read.
pub(super) fn is_blank(j: Json) -> bool {
    j.is_array() && !j.is_empty() && j.items().all(|call| call.is_object() && call.entries().all(|(_, value)| value.is_empty()))
}

/// The text of a message in a part's place, which says nothing else.
pub(super) fn only_content(j: Json) -> Option<Json> {
    let only = j.entries().all(|(key, _)| text::any(key, &["role", "content"]));
    j.get("content").filter(|c| only && c.is_string())
}

/// LangChain's serialised form: its class and its fields.
pub(super) fn serialised<'d>(j: Json<'d>) -> Option<(&'d [u8], Json<'d>)> {
    j.get("lc")?;
    Some((j.get("id")?.items().last()?.word()?, j.get("kwargs")?))
}

/// Is it a list of parts, each with its type?
pub fn is_parts(j: Json) -> bool {
    j.is_array() && !j.is_empty() && j.items().all(|part| part.get("type").is_some_and(|t| t.is_string()))
}

/// OpenInference puts an object around each thing: `{"message": …}`, `{"tool_call": …}`.
pub(super) fn unwrapped<'d>(j: Json<'d>, around: &str) -> Json<'d> {
    j.get(around).filter(Json::is_object).unwrap_or(j)
}

/// `["user", "text"]`: LangChain's short form.
pub(super) fn is_pair(j: Json) -> bool {
    let mut items = j.items();
    match (items.next(), items.next(), items.next()) {
        (Some(role), Some(content), None) => {
            role.word().is_some_and(|r| words::find(&words::ROLES, r).is_some()) && (content.is_string() || content.is_array())
        }
        _ => false,
    }
}

/// Is it an item of OpenAI's Responses API?
pub(super) fn is_item(j: Json) -> bool {
    j.get("type").and_then(|t| t.word()).is_some_and(is_item_type)
}

/// Its calls and their outputs end alike, whatever the tool; a `tool_call` is OTel's part.
pub(super) fn is_item_type(kind: &[u8]) -> bool {
    const ITEMS: &[&str] = &["message", "reasoning", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "item_reference"];
    text::any(kind, ITEMS)
        || (kind.ends_with(b"_call") || kind.ends_with(b"_call_output")) && !text::any(kind, &["tool_call", "server_tool_call"])
}

/// Are these items, maybe some of a type that is not known? One that is known tells, unless another is the part of a message.
pub(super) fn are_items(j: Json) -> bool {
    let is_certain = |i: Json| i.get("type").is_some_and(|t| t.is("message")) || i.get("role").is_some() && is_message(i);
    j.items().all(|i| i.get("type").is_some() || is_message(i))
        && (j.items().any(is_certain)
            || j.items().any(is_item) && !j.items().any(|i| i.get("type").and_then(Json::word).is_some_and(super::parts::is_only_part)))
}

/// A result as Langfuse's LangChain handler for JS writes it: `{"content", "additional_kwargs", "role": "get_weather"}`,
/// the role left out where the tool has no name.
pub(super) fn is_named_after_tool(m: Json) -> bool {
    m.get("content").is_some() && m.get("additional_kwargs").is_some()
}

/// A message that leaves out whose it is: nothing but what is said, and why it ended.
pub(super) fn is_bare(j: Json) -> bool {
    let said = j.get("content").or_else(|| j.any(&["finish_reason", "stop_reason"]).and_then(|_| j.get("text")));
    said.is_some_and(|c| c.is_string())
        && j.entries().all(|(key, _)| {
            text::any(key, &["content", "text", "finish_reason", "stop_reason", "index", "name", "logprobs", "annotations", "citations"])
        })
}

/// Does it say whose message it is, or hold what only a message holds?
pub fn is_message(j: Json) -> bool {
    if let Some(inner) = j.get("message").filter(Json::is_object) {
        return is_message(inner);
    }
    if j.any(&["prompt", "completion"]).is_some_and(|p| p.get("text").is_some()) {
        return true;
    }
    let speaks = |key: &str| j.get(key).and_then(|r| r.word()).is_some_and(|r| words::find(&words::ROLES, r).is_some());
    j.is_object()
        && (speaks("role")
            // A role of the user's own.
            || j.get("role").is_some_and(|r| r.is_string()) && j.any(&["content", "contents", "parts"]).is_some()
            || is_named_after_tool(j)
            || speaks("type") && j.get("content").is_some()
            || j.get("tool_call_id").is_some() && j.get("content").is_some()
            || is_bare(j)
            || is_item(j)
            || j.any(&["tool_calls", "function_call"]).is_some()
            || serialised(j).is_some())
}

/// Text in parts, with the call that it answers beside it.
pub(super) fn is_text_of_result(m: Json, parts: Json) -> bool {
    m.get("tool_call_id").is_some() && parts.items().all(|p| p.get("type").is_some_and(|t| t.is("text")))
}

/// Do these messages hold nothing but their roles?
pub fn are_hollow(messages: &[u8], arena: &Bump) -> bool {
    text::position(messages, b"[]").is_some()
        && json::parse(messages, arena).is_some_and(|m| m.items().all(|m| m.get("parts").is_some_and(|parts| parts.is_empty())))
}

/// A message of role tool that is the result itself, not a list of results.
pub(super) fn is_tool_result(m: Json) -> bool {
    let holds_results = |c: Json| {
        c.items().any(|p| {
            p.get("type").is_some_and(|t| ["tool-result", "tool_result", "tool_call_response"].iter().any(|word| t.is(word)))
                || p.any(&["toolResult", "functionResponse", "toolResponse", "tool_call_result"]).is_some()
        })
    };
    m.get("content").is_none_or(|c| !holds_results(c))
}
