//! The parts of a message: what each provider calls them, and what OTel does. The source of the types is the conventions'
//! `enums.csv`.

use super::Transcoder;
use super::shapes::{only_content, unwrapped};
use crate::base64;
use crate::conventions::words;
use crate::json::{self, Json};

impl<'a> Transcoder<'a> {
    pub(super) fn content(&mut self, content: Json<'a>, n: &mut usize) {
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

    pub(super) fn start_part(&mut self, kind: &str, n: &mut usize) {
        json::separate(&mut self.out, *n);
        *n += 1;
        self.raw("{\"type\":\"");
        self.raw(kind);
        self.raw("\"");
    }

    pub(super) fn field(&mut self, key: &str, value: Json<'a>) {
        self.raw(",\"");
        self.raw(key);
        self.raw("\":");
        value.write(&mut self.out);
    }

    pub(super) fn text_field(&mut self, key: &str, value: &[u8]) {
        self.raw(",\"");
        self.raw(key);
        self.raw("\":");
        json::string(value, &mut self.out);
    }

    pub(super) fn field_part(&mut self, kind: &str, key: &str, value: Json<'a>, n: &mut usize) {
        self.start_part(kind, n);
        self.field(key, value);
        self.raw("}");
    }

    pub(super) fn reasoning(&mut self, j: Json<'a>, n: &mut usize) {
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

    pub(super) fn tool_call(&mut self, call: Json<'a>, n: &mut usize) {
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
        if let Some(name) = function.any(&["name", "toolName", "tool_name"]) {
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
    pub(super) fn unwrapped(&mut self, j: Json<'a>) {
        // OpenInference's processor for Vercel quotes once more.
        let again = |j: Json<'a>| if j.is_string() { json::parse(j.text(self.arena)?, self.arena) } else { Some(j) };
        let parse = |t: &'a [u8]| json::parse(t, self.arena).and_then(again).filter(|j| j.is_object() || j.is_array());
        // Go writes bytes in base64; that is how an object begins there.
        let decoded = |t: &'a [u8]| base64::decode(t.starts_with(b"ey").then_some(t)?, self.arena);
        let inside = j.text(self.arena).and_then(|t| parse(t).or_else(|| parse(decoded(t)?)));
        inside.unwrap_or(j).write(&mut self.out);
    }

    pub(super) fn tool_response(&mut self, j: Json<'a>, n: &mut usize) {
        self.start_part("tool_call_response", n);
        // Haystack: the call that it is the result of.
        let id = j.get("origin").unwrap_or(j).any(&[
            "tool_call_id",
            "call_id",
            "toolCallId",
            "tool_use_id",
            "toolUseId",
            "tool_id",
            "id",
            "ref",
        ]);
        let named = |key: &str| j.get(key).and_then(|name| name.word());
        let id = id.or_else(|| self.found.take_call(named("role")?)).or_else(|| self.found.take_call(named("name")?));
        if let Some(id) = id.or_else(|| if j.get("name").is_none() { self.found.take_only_call() } else { None }) {
            self.field("id", id);
        }
        self.raw(",\"response\":");
        // OpenInference, LiteLLM: a list of one text is that text.
        let only = j
            .any(&["contents", "parts"])
            .map(|c| c.items().next().filter(|_| c.items().count() == 1).map_or(c, |p| unwrapped(p, "message_content")));
        let contents = only.map(|p| p.any(&["text", "content"]).unwrap_or(p));
        match j.any(&["response", "result", "output", "content", "error", "text"]).or(contents) {
            // Vercel wraps the result: {"type":"text","value":…}.
            Some(value) => match value.get("value").filter(|_| value.get("type").is_some()) {
                Some(inner) => inner.write(&mut self.out),
                None => {
                    // The Agent Framework writes a text as JSON.
                    let quoted = value.text(self.arena).filter(|t| t.starts_with(b"\"")).and_then(|t| json::parse(t, self.arena));
                    quoted.unwrap_or(value).write(&mut self.out);
                }
            },
            None => self.raw("\"\""),
        }
        self.raw("}");
    }

    /// Binary or remote content: `uri`, `blob` or `file`.
    pub(super) fn media(&mut self, modality: &str, source: Json<'a>, mime: Option<Json<'a>>, n: &mut usize) {
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
        if let Some(bytes) = octets(inner.unwrap_or(source)) {
            self.start_part("blob", n);
            self.text_field("modality", modality.as_bytes());
            if let Some(mime) = mime {
                self.field("mime_type", mime);
            }
            self.raw(",\"content\":\"");
            base64::encode(&bytes, &mut self.out);
            self.raw("\"}");
            return;
        }
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

    pub(super) fn media_part(&mut self, kind: &str, key: &str, value: Json<'a>, modality: &str, mime: Option<Json<'a>>, n: &mut usize) {
        self.start_part(kind, n);
        self.text_field("modality", modality.as_bytes());
        if let Some(mime) = mime {
            self.field("mime_type", mime);
        }
        self.field(key, value);
        self.raw("}");
    }

    pub(super) fn generic(&mut self, part: Json<'a>, n: &mut usize) {
        json::separate(&mut self.out, *n);
        *n += 1;
        part.write(&mut self.out);
    }

    pub(super) fn server_tool(&mut self, kind: &str, part: Json<'a>, n: &mut usize) {
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

    pub(super) fn part(&mut self, p: Json<'a>, n: &mut usize) {
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
        match words::short(kind) {
            // OpenInference's processor for Vercel announces a call, which stands beside.
            "tool-call" if p.entries().count() == 1 => {}
            "text" | "input_text" | "output_text" | "refusal" => {
                let text = p.any(&["content", "text", "refusal"]);
                match text.and_then(|t| if t.is_object() { t.get("value") } else { Some(t) }) {
                    Some(text) => self.field_part("text", "content", text, n),
                    None => self.generic(p, n),
                }
            }
            "image_url" | "input_image" | "image" | "image-url" => {
                let source = p.any(&["image_url", "source", "image", "url"]).unwrap_or(p);
                self.media("image", source, p.any(&["media_type", "mime_type", "mimeType", "mediaType"]), n);
            }
            "input_audio" | "audio" | "audio-url" => {
                let source = p.any(&["input_audio", "audio", "source", "url"]).unwrap_or(p);
                self.media("audio", source, None, n);
                if let Some(transcript) = unwrapped(source, "audio").get("transcript") {
                    self.field_part("text", "content", transcript, n);
                }
            }
            "video" | "video-url" => self.media("video", p.any(&["video", "source", "url"]).unwrap_or(p), None, n),
            "document" | "document-url" | "input_file" => self.media("document", p.any(&["source", "document"]).unwrap_or(p), None, n),
            "file" if p.get("modality").is_none() => {
                self.media(modality_of(p), p.get("file").unwrap_or(p), p.any(&["mediaType", "mimeType"]), n)
            }
            "binary" => self.media(modality_of(p), p, None, n),
            "thinking" | "redacted_thinking" | "reasoning" | "redacted-reasoning" => {
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
            "tool_call" | "tool_use" | "tool-call" | "toolCall" | "function_call" | "custom_tool_call" | "function" => self.tool_call(p, n),
            "tool_call_response" | "tool_result" | "tool-result" | "tool-error" | "function_call_output" | "custom_tool_call_output" => {
                self.tool_response(p, n);
            }
            "server_tool_use"
            | "mcp_tool_use"
            | "web_search_call"
            | "file_search_call"
            | "computer_call"
            | "code_interpreter_call"
            | "mcp_call"
            | "image_generation_call" => self.server_tool("server_tool_call", p, n),
            "web_search_tool_result" | "code_execution_tool_result" | "mcp_tool_result" => {
                self.server_tool("server_tool_call_response", p, n)
            }
            _ => self.generic(p, n),
        }
    }

    /// Parts that say what they are by the key they have: Gemini, Bedrock Converse, Genkit.
    pub(super) fn keyed_part(&mut self, p: Json<'a>, n: &mut usize) {
        if let Some(text) = p.get("text").or_else(|| only_content(p)) {
            let kind = if p.get("thought").and_then(|t| t.as_bool()) == Some(true) { "reasoning" } else { "text" };
            return self.field_part(kind, "content", text, n);
        }
        for key in ["functionCall", "function_call", "toolUse", "toolRequest", "tool_call"] {
            if let Some(call) = p.get(key) {
                return self.tool_call(call, n);
            }
        }
        for key in ["functionResponse", "function_response", "toolResult", "toolResponse", "tool_call_result"] {
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

pub(super) fn modality_of(media: Json) -> &'static str {
    let mime = media.any(&["mimeType", "mime_type", "media_type", "mediaType", "contentType"]).and_then(|m| m.word()).unwrap_or_default();
    ["image", "audio", "video"].into_iter().find(|m| mime.starts_with(m.as_bytes())).unwrap_or("document")
}

/// Bytes as JavaScript writes them in JSON: the `data` of a Buffer is `[137,80,…]`, a typed array `{"0":137,"1":80,…}`.
fn octets(j: Json) -> Option<Vec<u8>> {
    let byte = |j: Json| u8::try_from(j.as_i64()?).ok();
    let bytes: Vec<u8> = match () {
        () if j.is_array() => j.items().map(byte).collect::<Option<_>>()?,
        () => j.entries().map(|(key, value)| byte(value).filter(|_| key.iter().all(u8::is_ascii_digit))).collect::<Option<_>>()?,
    };
    (!bytes.is_empty()).then_some(bytes)
}

/// `data:image/png;base64,AAAA` in its two halves.
fn split_data_url(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_prefix(b"data:")?;
    let comma = memchr::memchr(b',', rest)?;
    Some((rest[..comma].strip_suffix(b";base64")?, &rest[comma + 1..]))
}
