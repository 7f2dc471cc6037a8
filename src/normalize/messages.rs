//! Messages from any JSON shape to OTel's `[{role, parts: [...]}]`, in one pass over borrowed text.
//!
//! Shapes read: OpenAI chat and responses, Anthropic, Gemini, Bedrock Converse, LangChain (plain and serialised), Vercel,
//! Genkit, and OTel's own of every version. The source of the part types is the conventions' `enums.csv`.

use super::scalar;
use crate::conventions::words;
use crate::json::{self, Json, Out};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// What a conversation held.
pub struct Conversation<'a> {
    /// `[{role, parts}]` as JSON.
    pub messages: &'a [u8],
    /// Tool definitions that travelled with the messages (rules.md 5).
    pub tools: Vec<Json<'a>>,
    /// Why each choice ended, as the source says it.
    pub finish_reasons: Vec<&'a [u8]>,
    /// The member `id` of an answer.
    pub response_id: Option<&'a [u8]>,
    /// The member `model` of an answer.
    pub model: Option<&'a [u8]>,
    /// The token counts of an answer.
    pub usage: Option<Json<'a>>,
    /// Instructions that stood apart from the messages: `[part]` as JSON.
    pub system: Option<&'a [u8]>,
}

/// Whose messages they are where they do not say it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What was sent to the model.
    Input,
    /// What the model answered.
    Output,
}

impl Side {
    fn role(self) -> &'static str {
        match self {
            Side::Input => "user",
            Side::Output => "assistant",
        }
    }
}

/// Reads a text that is messages in JSON, or just text. `None`: JSON of another shape, which is not for us to read as messages.
///
/// `parsed` is the text as JSON, if it is JSON.
pub fn read<'a>(text: &'a [u8], parsed: Option<Json<'a>>, side: Side, arena: &'a Bump) -> Option<Conversation<'a>> {
    let mut w = Transcoder { out: BumpVec::new_in(arena), arena, side, count: 0, found: Found::default() };
    match parsed {
        Some(root) => {
            if is_canonical(root) {
                // 1.37 to 1.41 have the reason in the message.
                root.items().filter(|_| side == Side::Output).for_each(|m| w.finish(m));
                return Some(w.found.into_conversation(root.to_text(arena)));
            }
            w.out.push(b'[');
            w.conversation(root)?;
        }
        None => {
            w.out.push(b'[');
            w.text_message(text);
        }
    }
    if w.count == 0 && w.found.tools.is_empty() && w.found.system.is_none() {
        return None;
    }
    w.out.push(b']');
    Some(w.found.into_conversation(w.out.into_bump_slice()))
}

/// Instructions as a list of parts: those that are there, in any shape, else the text as one part.
pub fn instructions<'a>(text: &'a [u8], arena: &'a Bump) -> &'a [u8] {
    let parsed = json::parse(text, arena);
    let holds = |p: Json| p.is_string() || p.any(&["type", "text"]).is_some();
    let parts = parsed.map(|j| j.get("parts").unwrap_or(j)).filter(|j| j.is_object() && holds(*j) || j.is_array() && j.items().all(holds));
    if let Some(parts) = parts {
        if parts.is_array() && parts.items().all(|p| p.get("type").is_some() && p.get("content").is_some_and(|c| c.is_string())) {
            return parts.to_text(arena);
        }
        let mut w = Transcoder { out: BumpVec::new_in(arena), arena, side: Side::Input, count: 0, found: Found::default() };
        w.out.push(b'[');
        w.content(parts, &mut 0);
        w.out.push(b']');
        return w.out.into_bump_slice();
    }
    let text = parsed.and_then(|j| j.text(arena)).unwrap_or(text);
    let mut out = BumpVec::new_in(arena);
    out.extend_from_slice(b"[{\"type\":\"text\",\"content\":");
    json::string(text, &mut out);
    out.extend_from_slice(b"}]");
    out.into_bump_slice()
}

#[derive(Default)]
struct Found<'a> {
    tools: Vec<Json<'a>>,
    finish_reasons: Vec<&'a [u8]>,
    response_id: Option<&'a [u8]>,
    model: Option<&'a [u8]>,
    usage: Option<Json<'a>>,
    system: Option<&'a [u8]>,
    /// Name and id of the tool calls whose results did not come yet.
    calls: Vec<(&'a [u8], Json<'a>)>,
}

impl<'a> Found<'a> {
    /// The id of the call that this is the result of, where only one can be meant.
    fn take_call(&mut self, tool: &[u8]) -> Option<Json<'a>> {
        let mut of_tool = self.calls.iter().enumerate().filter(|(_, (name, _))| *name == tool);
        match (of_tool.next(), of_tool.next()) {
            (Some((at, _)), None) => Some(self.calls.swap_remove(at).1),
            _ => None,
        }
    }

    fn into_conversation(self, messages: &'a [u8]) -> Conversation<'a> {
        let Found { tools, finish_reasons, response_id, model, usage, system, .. } = self;
        Conversation { messages, tools, finish_reasons, response_id, model, usage, system }
    }
}

/// Is it OTel's form already, in every part? Then it stays as it is.
fn is_canonical(root: Json) -> bool {
    let part = |p: Json| {
        let field = |key: &str| p.get(key).is_some();
        match p.get("type").and_then(|t| t.word()) {
            Some(b"text" | b"reasoning") => p.get("content").is_some_and(|c| c.is_string()),
            Some(b"tool_call") => field("name") && p.get("arguments").is_none_or(|a| !a.is_string()),
            Some(b"tool_call_response") => field("response"),
            Some(b"server_tool_call" | b"server_tool_call_response" | b"compaction") => true,
            Some(b"blob") => field("content") && field("modality"),
            Some(b"uri") => field("uri") && field("modality"),
            Some(b"file") => field("file_id") && field("modality"),
            _ => false,
        }
    };
    let message = |m: Json| {
        matches!(m.get("role").and_then(|r| r.word()), Some(b"system" | b"user" | b"assistant" | b"tool"))
            && m.get("parts").is_some_and(|parts| parts.is_array() && parts.items().all(part))
    };
    root.is_array() && !root.is_empty() && root.items().all(message)
}

/// A tool definition in a message's place: `{"role":"tool","content":{"type":"function","function":{…}}}`.
fn tool_in_message(m: Json) -> Option<Json> {
    m.get("role").filter(|r| r.is("tool"))?;
    let content = m.get("content").filter(|c| c.is_object())?;
    (content.get("function").is_some_and(|f| f.get("name").is_some())
        || content.get("name").is_some() && content.any(&["parameters", "input_schema"]).is_some())
    .then_some(content)
}

struct Transcoder<'a> {
    out: Out<'a>,
    arena: &'a Bump,
    side: Side,
    count: usize,
    found: Found<'a>,
}

impl<'a> Transcoder<'a> {
    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn open(&mut self, role: &str) {
        json::separate(&mut self.out, self.count);
        self.count += 1;
        self.raw("{\"role\":\"");
        self.raw(role);
        self.raw("\"");
    }

    fn text_message(&mut self, text: &[u8]) {
        self.open(self.side.role());
        self.raw(",\"parts\":[{\"type\":\"text\",\"content\":");
        json::string(text, &mut self.out);
        self.raw("}]}");
    }

    /// Any shape that holds messages; `None` where it holds none.
    fn conversation(&mut self, j: Json<'a>) -> Option<()> {
        if let Some(text) = j.text(self.arena) {
            self.text_message(text);
            return Some(());
        }
        if j.is_array() {
            // One list in a list: LangChain's batch of conversations.
            if j.items().count() == 1 && j.items().all(|i| i.is_array() && i.items().all(is_message)) {
                return j.items().try_for_each(|i| self.conversation(i));
            }
            return match () {
                () if is_pair(j) => self.message(j),
                () if j.is_empty() => None,
                () if j.items().all(|i| i.is_string() || is_message(i) || is_pair(i)) => {
                    j.items().try_for_each(|i| if i.is_string() { self.conversation(i) } else { self.message(i) })
                }
                // Parts without a message around them.
                () if j.items().all(|i| i.get("type").is_some() || i.get("text").is_some()) => {
                    self.open(self.side.role());
                    self.raw(",\"parts\":[");
                    let mut n = 0;
                    j.items().for_each(|p| self.part(p, &mut n));
                    self.raw("]}");
                    Some(())
                }
                () => None,
            };
        }
        if !j.is_object() {
            return None;
        }
        // OpenAI's first function calls: the call alone.
        if self.side == Side::Output && j.get("name").is_some() && j.get("arguments").is_some() {
            self.open("assistant");
            self.raw(",\"parts\":[");
            self.tool_call(j, &mut 0);
            self.raw("]}");
            return Some(());
        }
        if let Some(tools) = j.any(&["tools", "functions"]) {
            self.found.tools.extend(tools.items());
        }
        if let Some(kwargs) = serialised(j) {
            return self.message(kwargs.1);
        }
        if let Some(system) = j.any(&["system", "instructions", "systemInstruction", "system_instruction", "systemPrompt"]) {
            self.system(system);
        }
        if let Some(messages) = j.any(&["messages", "contents"]) {
            return self.conversation(messages);
        }
        // LiveKit's chat context: what is neither message nor call is a change of its state.
        if let Some(items) = j.get("items").filter(|i| i.is_array()) {
            return items.items().filter(|i| is_message(*i)).try_for_each(|i| self.message(i));
        }
        if let Some(choices) = j.get("choices").filter(|c| c.is_array()) {
            self.answer(j);
            for choice in choices.items() {
                self.finish(choice);
                match choice.any(&["message", "delta"]) {
                    Some(m) => self.message(m)?,
                    None => self.conversation(choice.get("text")?)?,
                }
            }
            return Some(());
        }
        if let Some(candidates) = j.get("candidates").filter(|c| c.is_array()) {
            for candidate in candidates.items() {
                self.finish(candidate);
                self.message(candidate.any(&["content", "message"])?)?;
            }
            return Some(());
        }
        // Haystack.
        if let Some(replies) = j.get("replies").filter(|r| r.is_array()) {
            replies.items().take(1).for_each(|reply| self.answer(reply));
            return self.conversation(replies);
        }
        if let Some(generations) = j.get("generations").filter(|g| g.is_array()) {
            let each = |g: Json<'a>| g.get("message").or_else(|| g.get("text"));
            for g in generations.items() {
                let inner: Vec<_> = if g.is_array() { g.items().filter_map(each).collect() } else { each(g).into_iter().collect() };
                inner.into_iter().try_for_each(|m| self.conversation(m))?;
            }
            return Some(());
        }
        if is_message(j) {
            self.answer(j);
            return self.message(j);
        }
        if j.any(&["object", "status", "model", "usage"]).is_some() {
            self.answer(j);
            if let Some(output) = j.get("output") {
                return match output.get("message") {
                    Some(message) => self.message(message),
                    None => self.conversation(output),
                };
            }
        }
        self.conversation(j.any(&["input", "prompt"])?)
    }

    /// What an answer says beside its messages.
    fn answer(&mut self, j: Json<'a>) {
        let meta = j.any(&["response_metadata", "meta"]);
        self.found.usage = self.found.usage.or_else(|| j.get("usage").or_else(|| meta?.get("usage"))).filter(Json::is_object);
        let word = |keys: &[&str]| j.any(keys).or_else(|| meta.and_then(|m| m.any(keys))).and_then(|v| v.word());
        self.found.model = self.found.model.or_else(|| word(&["model", "model_name"]));
        let id = if j.any(&["object", "choices", "stop_reason"]).is_some() { j.get("id") } else { meta.and_then(|m| m.get("id")) };
        self.found.response_id = self.found.response_id.or_else(|| id.and_then(|v| v.word()));
        // OpenAI's Responses API has a status in its place.
        if j.get("object").is_some_and(|o| o.is("response"))
            && let Some(status) = j.get("status").and_then(|s| s.word())
        {
            self.found.finish_reasons.push(status);
        }
    }

    fn finish(&mut self, j: Json<'a>) {
        if let Some(reason) = j.any(&["finish_reason", "finishReason", "stop_reason", "stopReason"]).and_then(|r| r.word()) {
            self.found.finish_reasons.push(reason);
        }
    }

    fn system(&mut self, j: Json<'a>) {
        let parts = j.any(&["parts", "content"]).unwrap_or(j);
        let messages = std::mem::replace(&mut self.out, BumpVec::new_in(self.arena));
        self.raw("[");
        let mut n = 0;
        if parts.is_array() {
            parts.items().for_each(|p| self.part(p, &mut n));
        } else {
            self.part(parts, &mut n);
        }
        self.raw("]");
        let parts = std::mem::replace(&mut self.out, messages);
        if n > 0 {
            self.found.system = Some(parts.into_bump_slice());
        }
    }

    fn message(&mut self, m: Json<'a>) -> Option<()> {
        let m = match m.get("message").filter(Json::is_object) {
            Some(inner) => {
                // A choice: the reason stands beside its message.
                if self.side == Side::Output {
                    self.finish(m);
                }
                inner
            }
            None => m,
        };
        if is_pair(m) {
            let mut pair = m.items();
            let role = pair.next()?.word()?;
            self.open(words::find(words::ROLES, role)?);
            self.raw(",\"parts\":[");
            let mut n = 0;
            self.content(pair.next()?, &mut n);
            self.raw("]}");
            return Some(());
        }
        if let Some((class, kwargs)) = serialised(m) {
            let role = words::find(words::ROLES, class).unwrap_or(self.side.role());
            return self.message_as(kwargs, role);
        }
        if let Some(tool) = tool_in_message(m) {
            self.found.tools.push(tool);
            return Some(());
        }
        if self.side == Side::Output {
            self.finish(m);
            if let Some(meta) = m.any(&["response_metadata", "meta"]) {
                self.finish(meta);
            }
        }
        // A completion without roles: `{"prompt": {"text": …}}`.
        if let Some(text) = m.any(&["prompt", "completion"]).and_then(|p| p.get("text")) {
            return self.conversation(text);
        }
        let kind = m.get("type").and_then(|t| t.word());
        let role = match (m.get("role").and_then(|r| r.word()), kind) {
            (Some(role), _) => match words::find(words::ROLES, role) {
                Some(role) => role,
                None if is_named_after_tool(m) => "tool",
                None => self.side.role(),
            },
            (None, None) if is_named_after_tool(m) => "tool",
            // Items of OpenAI's Responses API.
            (None, Some(b"function_call_output" | b"custom_tool_call_output")) => "tool",
            (None, Some(b"function_call" | b"custom_tool_call" | b"reasoning")) => "assistant",
            (None, Some(kind)) => words::find(words::ROLES, kind).unwrap_or(self.side.role()),
            (None, None) => self.side.role(),
        };
        self.message_as(m, role)
    }

    fn message_as(&mut self, m: Json<'a>, role: &str) -> Option<()> {
        self.open(role);
        if let Some(name) = m.get("name").filter(|n| n.is_string() && !n.is_empty() && role != "tool" && !is_item(m)) {
            self.raw(",\"name\":");
            name.write(&mut self.out);
        }
        self.raw(",\"parts\":[");
        let mut n = 0;
        let extra = m.get("additional_kwargs");
        if let Some(reasoning) = m.any(&["reasoning_content", "reasoning", "thinking"]).or_else(|| extra?.get("reasoning_content")) {
            self.reasoning(reasoning, &mut n);
        }
        if role == "tool" && m.get("parts").is_none() && is_tool_result(m) {
            self.tool_response(m, &mut n);
        } else if let Some(parts) = m.get("content_parts").filter(|p| !p.is_empty()) {
            // trpc-agent-go: they hold in place of the content.
            self.content(parts, &mut n);
        } else if let Some(content) = m.any(&["parts", "content", "contents"]).or_else(|| m.get("text").filter(|_| m.get("type").is_none()))
        {
            self.content(content, &mut n);
        } else if m.get("type").is_some_and(|t| words::find(words::ROLES, t.word().unwrap_or_default()).is_none() && !t.is("message")) {
            self.part(m, &mut n);
        }
        // Beside the content: Dify's, and those that a model of the Vercel SDK made, which only their media type tells.
        for file in m.get("files").into_iter().flat_map(|files| files.items()) {
            match file.any(&["mediaType", "mimeType"]) {
                Some(_) => self.media(modality_of(file), file, None, &mut n),
                None => self.part(file, &mut n),
            }
        }
        let calls = m.get("tool_calls").filter(|c| !c.is_empty()).or_else(|| extra?.get("tool_calls"));
        if let Some(calls) = calls {
            calls.items().for_each(|call| self.tool_call(call, &mut n));
        }
        if let Some(calls) = m.get("invalid_tool_calls") {
            calls.items().for_each(|call| self.tool_call(call, &mut n));
        }
        if let Some(call) = m.get("function_call").or_else(|| extra?.get("function_call")).filter(|_| calls.is_none()) {
            self.tool_call(call, &mut n);
        }
        // OpenInference's form of OpenAI's first function calls.
        if let Some(name) = m.get("function_call_name") {
            self.start_part("tool_call", &mut n);
            self.field("name", name);
            if let Some(arguments) = m.get("function_call_arguments_json") {
                self.raw(",\"arguments\":");
                self.unwrapped(arguments);
            }
            self.raw("}");
        }
        if let Some(refusal) = m.get("refusal").filter(|r| r.is_string() && !r.is_empty()) {
            self.field_part("text", "content", refusal, &mut n);
        }
        if n == 0 && m.get("content").is_some_and(|c| c.is_string()) {
            self.raw("{\"type\":\"text\",\"content\":\"\"}");
        }
        self.raw("]}");
        Some(())
    }

    fn content(&mut self, content: Json<'a>, n: &mut usize) {
        if content.is_string() {
            if !content.is_empty() {
                self.field_part("text", "content", content, n);
            }
        } else if content.is_array() {
            content.items().for_each(|p| self.part(p, n));
        } else if let Some(parts) = content.get("parts") {
            self.content(parts, n);
        } else if content.is_object() {
            self.part(content, n);
        }
    }

    fn start_part(&mut self, kind: &str, n: &mut usize) {
        json::separate(&mut self.out, *n);
        *n += 1;
        self.raw("{\"type\":\"");
        self.raw(kind);
        self.raw("\"");
    }

    fn field(&mut self, key: &str, value: Json<'a>) {
        self.raw(",\"");
        self.raw(key);
        self.raw("\":");
        value.write(&mut self.out);
    }

    fn text_field(&mut self, key: &str, value: &[u8]) {
        self.raw(",\"");
        self.raw(key);
        self.raw("\":");
        json::string(value, &mut self.out);
    }

    fn field_part(&mut self, kind: &str, key: &str, value: Json<'a>, n: &mut usize) {
        self.start_part(kind, n);
        self.field(key, value);
        self.raw("}");
    }

    fn reasoning(&mut self, j: Json<'a>, n: &mut usize) {
        if j.is_array() {
            j.items().for_each(|part| self.reasoning(part, n));
        } else if j.is_string() {
            if !j.is_empty() {
                self.field_part("reasoning", "content", j, n);
            }
        } else if let Some(text) = j.any(&["text", "thinking", "content", "summary", "reasoningText"]) {
            self.reasoning(text, n);
        }
    }

    fn tool_call(&mut self, call: Json<'a>, n: &mut usize) {
        if let Some(inner) = call.text(self.arena).and_then(|t| json::parse(t, self.arena)).filter(Json::is_object) {
            return self.tool_call(inner, n);
        }
        let call = unwrapped(call, "tool_call");
        let function = call.get("function").unwrap_or(call);
        self.start_part("tool_call", n);
        let id = call.any(&["call_id", "id", "toolCallId", "toolUseId", "ref"]);
        if let Some(id) = id {
            self.field("id", id);
        }
        if let Some(name) = function.any(&["name", "toolName"]) {
            self.field("name", name);
            self.found.calls.extend(name.word().zip(id));
        }
        if let Some(arguments) = function.any(&["arguments", "args", "input"]) {
            self.raw(",\"arguments\":");
            self.unwrapped(arguments);
        }
        if let Some(signature) = call.get("reasoning_signature") {
            self.field("reasoning_signature", signature);
        }
        self.raw("}");
    }

    /// A JSON object or array that may come as JSON text in a string.
    fn unwrapped(&mut self, j: Json<'a>) {
        let parse = |t: &'a [u8]| json::parse(t, self.arena).filter(|j| j.is_object() || j.is_array());
        // Go writes bytes in base64; that is how an object begins there.
        let decoded = |t: &'a [u8]| scalar::base64(t.starts_with(b"ey").then_some(t)?, self.arena);
        let inside = j.text(self.arena).and_then(|t| parse(t).or_else(|| parse(decoded(t)?)));
        inside.unwrap_or(j).write(&mut self.out);
    }

    fn tool_response(&mut self, j: Json<'a>, n: &mut usize) {
        self.start_part("tool_call_response", n);
        let id = j.any(&["tool_call_id", "call_id", "toolCallId", "tool_use_id", "toolUseId", "tool_id", "id", "ref"]);
        if let Some(id) = id.or_else(|| self.found.take_call(j.get("role")?.word()?)) {
            self.field("id", id);
        }
        self.raw(",\"response\":");
        match j.any(&["response", "result", "output", "content", "error", "text"]) {
            // Vercel wraps the result: {"type":"text","value":…}.
            Some(value) => match value.get("value").filter(|_| value.get("type").is_some()) {
                Some(inner) => inner.write(&mut self.out),
                None => value.write(&mut self.out),
            },
            None => self.raw("\"\""),
        }
        self.raw("}");
    }

    /// Binary or remote content: `uri`, `blob` or `file`.
    fn media(&mut self, modality: &str, source: Json<'a>, mime: Option<Json<'a>>, n: &mut usize) {
        let mime = mime.or_else(|| source.any(&["media_type", "mime_type", "mimeType", "mediaType", "contentType"]));
        if let Some(id) = source.any(&["file_id", "fileId"]) {
            return self.media_part("file", "file_id", id, modality, mime, n);
        }
        let inner = source.any(&[
            "url",
            "uri",
            "file_uri",
            "fileUri",
            "file_url",
            "data",
            "bytes",
            "file_data",
            "base64",
            "content",
            "image",
            "audio",
        ]);
        let Some(content) = inner.or(source.is_string().then_some(source)) else {
            return self.generic(source, n);
        };
        if content.is_object() {
            return self.media(modality, content, mime, n);
        }
        let text = content.text(self.arena).unwrap_or_default();
        if let Some((head, data)) = split_data_url(text) {
            self.start_part("blob", n);
            self.text_field("modality", modality.as_bytes());
            self.text_field("mime_type", head);
            self.text_field("content", data);
            self.raw("}");
        } else if text.starts_with(b"http:")
            || text.starts_with(b"https:")
            || source.any(&["url", "uri", "file_uri", "fileUri", "file_url"]).is_some()
        {
            self.media_part("uri", "uri", content, modality, mime, n);
        } else {
            self.media_part("blob", "content", content, modality, mime, n);
        }
    }

    fn media_part(&mut self, kind: &str, key: &str, value: Json<'a>, modality: &str, mime: Option<Json<'a>>, n: &mut usize) {
        self.start_part(kind, n);
        self.text_field("modality", modality.as_bytes());
        if let Some(mime) = mime {
            self.field("mime_type", mime);
        }
        self.field(key, value);
        self.raw("}");
    }

    fn generic(&mut self, part: Json<'a>, n: &mut usize) {
        json::separate(&mut self.out, *n);
        *n += 1;
        part.write(&mut self.out);
    }

    fn server_tool(&mut self, kind: &str, part: Json<'a>, n: &mut usize) {
        self.start_part(kind, n);
        if let Some(id) = part.any(&["id", "tool_use_id", "call_id"]) {
            self.field("id", id);
        }
        if let Some(name) = part.any(&["name", "type"]) {
            self.field("name", name);
        }
        self.field(kind, part);
        self.raw("}");
    }

    fn part(&mut self, p: Json<'a>, n: &mut usize) {
        // OpenInference: the call stands beside the part that announces it.
        if p.get("message_content").is_some() && p.get("tool_call").is_some_and(|call| call.is_object()) {
            return self.tool_call(p, n);
        }
        if p.is_string() {
            return self.field_part("text", "content", p, n);
        }
        if !p.is_object() {
            return;
        }
        let p = unwrapped(p, "message_content");
        let Some(kind) = p.get("type").and_then(|t| t.word()) else {
            return self.keyed_part(p, n);
        };
        match kind {
            b"text" | b"input_text" | b"output_text" | b"refusal" => {
                let text = p.any(&["content", "text", "refusal"]);
                match text.and_then(|t| if t.is_object() { t.get("value") } else { Some(t) }) {
                    Some(text) => self.field_part("text", "content", text, n),
                    None => self.generic(p, n),
                }
            }
            b"image_url" | b"input_image" | b"image" | b"image-url" => {
                let source = p.any(&["image_url", "source", "image", "url"]).unwrap_or(p);
                self.media("image", source, p.any(&["media_type", "mime_type", "mimeType", "mediaType"]), n);
            }
            b"input_audio" | b"audio" | b"audio-url" => {
                let source = p.any(&["input_audio", "audio", "source", "url"]).unwrap_or(p);
                self.media("audio", source, None, n);
                if let Some(transcript) = unwrapped(source, "audio").get("transcript") {
                    self.field_part("text", "content", transcript, n);
                }
            }
            b"video" | b"video-url" => self.media("video", p.any(&["video", "source", "url"]).unwrap_or(p), None, n),
            b"document" | b"document-url" | b"input_file" => self.media("document", p.any(&["source", "document"]).unwrap_or(p), None, n),
            b"file" if p.get("modality").is_none() => {
                self.media("document", p.get("file").unwrap_or(p), p.any(&["mediaType", "mimeType"]), n)
            }
            b"binary" => self.media(modality_of(p), p, None, n),
            b"thinking" | b"redacted_thinking" | b"reasoning" | b"redacted-reasoning" => {
                match p.any(&["content", "thinking", "text", "summary"]) {
                    Some(text) if text.is_array() && !text.is_empty() => self.reasoning(text, n),
                    text => {
                        self.start_part("reasoning", n);
                        if let Some(text) = text.filter(|t| t.is_string() && !t.is_empty()) {
                            self.field("content", text);
                        }
                        // What the provider wants back with the next request.
                        for key in ["id", "signature", "data", "encrypted_content"] {
                            if let Some(proof) = p.get(key) {
                                self.field(key, proof);
                            }
                        }
                        self.raw("}");
                    }
                }
            }
            b"tool_call" | b"tool_use" | b"tool-call" | b"toolCall" | b"function_call" | b"custom_tool_call" | b"function" => {
                self.tool_call(p, n)
            }
            b"tool_call_response"
            | b"tool_result"
            | b"tool-result"
            | b"tool-error"
            | b"function_call_output"
            | b"custom_tool_call_output" => {
                self.tool_response(p, n);
            }
            b"server_tool_use"
            | b"mcp_tool_use"
            | b"web_search_call"
            | b"file_search_call"
            | b"computer_call"
            | b"code_interpreter_call"
            | b"mcp_call"
            | b"image_generation_call" => self.server_tool("server_tool_call", p, n),
            b"web_search_tool_result" | b"code_execution_tool_result" | b"mcp_tool_result" => {
                self.server_tool("server_tool_call_response", p, n)
            }
            _ => self.generic(p, n),
        }
    }

    /// Parts that say what they are by the key they have: Gemini, Bedrock Converse, Genkit.
    fn keyed_part(&mut self, p: Json<'a>, n: &mut usize) {
        if let Some(text) = p.get("text").or_else(|| only_content(p)) {
            let kind = if p.get("thought").and_then(|t| t.as_bool()) == Some(true) { "reasoning" } else { "text" };
            return self.field_part(kind, "content", text, n);
        }
        for key in ["functionCall", "function_call", "toolUse", "toolRequest", "tool_call"] {
            if let Some(call) = p.get(key) {
                return self.tool_call(call, n);
            }
        }
        for key in ["functionResponse", "function_response", "toolResult", "toolResponse"] {
            if let Some(response) = p.get(key) {
                return self.tool_response(response, n);
            }
        }
        // Cohere.
        if let (Some(_), Some(outputs)) = (p.get("call"), p.get("outputs")) {
            return self.field_part("tool_call_response", "response", outputs, n);
        }
        for (key, modality) in [("image", "image"), ("video", "video"), ("document", "document")] {
            if let Some(media) = p.get(key) {
                return self.media(modality, media.get("source").unwrap_or(media), None, n);
            }
        }
        for key in ["inlineData", "inline_data", "fileData", "file_data", "media"] {
            if let Some(media) = p.get(key) {
                return self.media(modality_of(media), media, None, n);
            }
        }
        for (key, kind) in [("executableCode", "server_tool_call"), ("codeExecutionResult", "server_tool_call_response")] {
            if p.get(key).is_some() {
                return self.server_tool(kind, p, n);
            }
        }
        if let Some(reasoning) = p.any(&["reasoningContent", "reasoning"]) {
            return self.reasoning(reasoning, n);
        }
        if p.get("cachePoint").is_none() {
            self.generic(p, n);
        }
    }
}

/// The text of a message in a part's place, which says nothing else.
fn only_content(j: Json) -> Option<Json> {
    let only = j.entries().all(|(key, _)| key == b"role" || key == b"content");
    j.get("content").filter(|c| only && c.is_string())
}

fn modality_of(media: Json) -> &'static str {
    let mime = media.any(&["mimeType", "mime_type", "media_type", "mediaType", "contentType"]).and_then(|m| m.word()).unwrap_or_default();
    ["image", "audio", "video"].into_iter().find(|m| mime.starts_with(m.as_bytes())).unwrap_or("document")
}

/// `data:image/png;base64,AAAA` in its two halves.
fn split_data_url(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_prefix(b"data:")?;
    let comma = memchr::memchr(b',', rest)?;
    Some((rest[..comma].strip_suffix(b";base64")?, &rest[comma + 1..]))
}

/// LangChain's serialised form: its class and its fields.
fn serialised<'d>(j: Json<'d>) -> Option<(&'d [u8], Json<'d>)> {
    j.get("lc")?;
    Some((j.get("id")?.items().last()?.word()?, j.get("kwargs")?))
}

/// Is it a list of parts, each with its type?
pub fn is_parts(j: Json) -> bool {
    j.is_array() && !j.is_empty() && j.items().all(|part| part.get("type").is_some_and(|t| t.is_string()))
}

/// OpenInference puts an object around each thing: `{"message": …}`, `{"tool_call": …}`.
fn unwrapped<'d>(j: Json<'d>, around: &str) -> Json<'d> {
    j.get(around).filter(Json::is_object).unwrap_or(j)
}

/// `["user", "text"]`: LangChain's short form.
fn is_pair(j: Json) -> bool {
    let mut items = j.items();
    match (items.next(), items.next(), items.next()) {
        (Some(role), Some(content), None) => {
            role.word().is_some_and(|r| words::find(words::ROLES, r).is_some()) && (content.is_string() || content.is_array())
        }
        _ => false,
    }
}

/// Is it an item of OpenAI's Responses API?
fn is_item(j: Json) -> bool {
    j.get("type").and_then(|t| t.word()).is_some_and(|t| {
        matches!(
            t,
            b"message" | b"function_call" | b"function_call_output" | b"custom_tool_call" | b"custom_tool_call_output" | b"reasoning"
        )
    })
}

/// A result as Langfuse's LangChain handler for JS writes it: `{"content", "additional_kwargs", "role": "get_weather"}`,
/// the role left out where the tool has no name.
fn is_named_after_tool(m: Json) -> bool {
    m.get("content").is_some() && m.get("additional_kwargs").is_some()
}

/// A message that leaves out whose it is: nothing but what is said, and why it ended.
fn is_bare(j: Json) -> bool {
    j.get("content").is_some_and(|c| c.is_string())
        && j.entries().all(|(key, _)| matches!(key, b"content" | b"finish_reason" | b"index" | b"name"))
}

/// Does it say whose message it is, or hold what only a message holds?
fn is_message(j: Json) -> bool {
    if let Some(inner) = j.get("message").filter(Json::is_object) {
        return is_message(inner);
    }
    if j.any(&["prompt", "completion"]).is_some_and(|p| p.get("text").is_some()) {
        return true;
    }
    let speaks = |key: &str| j.get(key).and_then(|r| r.word()).is_some_and(|r| words::find(words::ROLES, r).is_some());
    j.is_object()
        && (speaks("role")
            // A role of the user's own.
            || j.get("role").is_some_and(|r| r.is_string()) && j.get("content").is_some()
            || is_named_after_tool(j)
            || speaks("type") && j.get("content").is_some()
            || is_bare(j)
            || is_item(j)
            || j.get("tool_calls").is_some()
            || serialised(j).is_some())
}

/// A message of role tool that is the result itself, not a list of results.
fn is_tool_result(m: Json) -> bool {
    let holds_results = |c: Json| {
        c.items().any(|p| {
            p.get("type").is_some_and(|t| t.is("tool-result") || t.is("tool_result"))
                || p.any(&["toolResult", "functionResponse", "toolResponse"]).is_some()
        })
    };
    m.get("content").is_none_or(|c| !holds_results(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcode(text: &str, side: Side) -> Option<String> {
        let arena = Bump::new();
        read(text.as_bytes(), json::parse(text.as_bytes(), &arena), side, &arena).map(|c| String::from_utf8(c.messages.to_vec()).unwrap())
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
            r#"[{"role":"user","parts":[{"type":"tool_call_response","response":[{"result":"26C"}]}]}]"#,
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
            r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"f","arguments":{"a":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":"r"}]}]"#,
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
            r#"[{"role":"user","parts":[{"type":"text","content":"what is it?"},{"type":"uri","modality":"image","uri":"https://e.com/a.png"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"f","arguments":{"a":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"26C"}]}]"#,
        );
        let arena = Bump::new();
        let text = br#"[{"index":0,"message":{"role":"assistant","content":"ok"},"delta":{"role":""},"finish_reason":"length"}]"#;
        let c = read(text, json::parse(text, &arena), Side::Output, &arena).unwrap();
        assert_eq!(c.messages, br#"[{"role":"assistant","parts":[{"type":"text","content":"ok"}]}]"#);
        assert_eq!(c.finish_reasons, [b"length"]);
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
            r#"[{"role":"system","parts":[{"type":"text","content":"be brief"}]},{"role":"user","parts":[{"type":"text","content":"hi"},{"type":"blob","modality":"image","mime_type":"image/png","content":"AAAA"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"r1","name":"f","arguments":{"a":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"r1","response":"26C"}]}]"#,
        );
        let arena = Bump::new();
        for text in [
            r#"{"message":{"role":"model","content":[{"text":"ok"}]},"finishReason":"stop","usage":{"inputTokens":5}}"#,
            r#"{"candidates":[{"index":0,"message":{"role":"model","content":[{"text":"ok"}]},"finishReason":"stop"}]}"#,
        ] {
            let c = read(text.as_bytes(), json::parse(text.as_bytes(), &arena), Side::Output, &arena).unwrap();
            assert_eq!(c.messages, br#"[{"role":"assistant","parts":[{"type":"text","content":"ok"}]}]"#, "{text}");
            assert_eq!(c.finish_reasons, [b"stop"], "{text}");
        }
    }

    #[test]
    fn flue() {
        becomes(
            Side::Input,
            r#"{"systemPrompt":"be brief","messages":[{"role":"assistant","content":[{"type":"toolCall","id":"c","name":"f","arguments":{"a":1}}]},{"role":"toolResult","toolCallId":"c","toolName":"f","content":[{"type":"text","text":"26C"}],"isError":false}]}"#,
            r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"f","arguments":{"a":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":[{"type":"text","text":"26C"}]}]}]"#,
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
            r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"f","arguments":{"a":1}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":"r"}]}]"#,
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
        assert_eq!(c.finish_reasons, [b"stop"]);
        assert_eq!((c.model, c.response_id), (Some(&b"gpt-4o"[..]), Some(&b"chatcmpl-1"[..])));
    }

    #[test]
    fn the_reason_inside_of_otel_s_message_is_told() {
        let arena = Bump::new();
        let text = br#"[{"role":"assistant","parts":[{"type":"text","content":"ok"}],"finish_reason":"stop"}]"#;
        let c = read(text, json::parse(text, &arena), Side::Output, &arena).unwrap();
        assert_eq!((c.messages, &c.finish_reasons[..]), (&text[..], &[&b"stop"[..]][..]));
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
}
