//! The parts of a message: what each provider calls them, and what OTel does. The source of the types is the conventions'
//! `enums.csv`.

use super::shapes::{only_content, unwrapped};
use super::{Transcoder, call_id, call_name};
use crate::json::{self, Json};
use crate::text::{self, base64};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

impl<'a> Transcoder<'a> {
    pub(super) fn content(&mut self, content: Json<'a>) {
        if content.is_string() {
            if !content.is_empty() {
                self.field_part("text", "content", content);
            }
        } else if content.is_array() {
            content.items().for_each(|p| self.part(p));
        } else if let Some(parts) = content.get("parts") {
            self.content(parts);
        } else if content.is_object() {
            self.part(content);
        }
    }

    /// Begins a part.
    #[inline(never)]
    pub(super) fn start_part(&mut self, kind: &str) {
        self.bound();
        json::separate(&mut self.out, self.parts);
        self.parts += 1;
        self.raw("{\"type\":\"");
        self.raw(kind);
        self.raw("\"");
    }

    #[inline(never)]
    fn key(&mut self, key: &str) {
        self.raw(",\"");
        self.raw(key);
        self.raw("\":");
    }

    #[inline(never)]
    pub(super) fn field(&mut self, key: &str, value: Json<'a>) {
        self.key(key);
        value.write(&mut self.out);
    }

    /// The first of these members of `j` that is there, under this key.
    #[inline(never)]
    fn field_of(&mut self, key: &str, j: Json<'a>, members: &[&str]) {
        if let Some(value) = j.any(members) {
            self.field(key, value);
        }
    }

    #[inline(never)]
    fn text_field(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        json::string(value, &mut self.out);
    }

    #[inline(never)]
    pub(super) fn field_part(&mut self, kind: &str, key: &str, value: Json<'a>) {
        self.start_part(kind);
        self.field(key, value);
        self.raw("}");
    }

    #[inline(never)]
    pub(super) fn text_part(&mut self, text: &[u8]) {
        self.start_part("text");
        self.text_field("content", text);
        self.raw("}");
    }

    pub(super) fn reasoning(&mut self, j: Json<'a>) {
        if j.is_array() {
            j.items().for_each(|part| self.reasoning(part));
        } else if j.is_string() {
            if !j.is_empty() {
                self.field_part("reasoning", "content", j);
            }
        } else if j.get("type").is_some_and(|kind| kind.is("thinking") || kind.is("reasoning")) {
            self.part(j);
        } else if let Some(text) = j.any(&["text", "thinking", "content", "summary", "reasoningText"]) {
            self.reasoning(text);
        }
    }

    pub(super) fn tool_call(&mut self, call: Json<'a>) {
        if let Some(inner) = call.text(self.arena).and_then(|t| json::parse(t, self.arena)).filter(Json::is_object) {
            return self.tool_call(inner);
        }
        let call = unwrapped(call, "tool_call");
        let (id, name) = (call_id(call), call_name(call));
        self.start_part("tool_call");
        if let Some(id) = id {
            self.field("id", id);
        }
        if let Some(name) = name {
            self.field("name", name);
            if id.is_some() && name.is_string() {
                self.found.calls.push(call);
            }
        }
        self.arguments(call.get("function").unwrap_or(call).any(&["arguments", "args", "input"]));
        self.field_of("reasoning_signature", call, &["reasoning_signature"]);
        self.raw("}");
    }

    /// What a tool is called with: a JSON object or array that may come as JSON text in a string.
    pub(super) fn arguments(&mut self, arguments: Option<Json<'a>>) {
        let Some(j) = arguments else { return };
        let arena = self.arena;
        // OpenInference's processor for Vercel quotes once more.
        let again = |j: Json<'a>| if j.is_string() { json::parse(j.text(arena)?, arena) } else { Some(j) };
        let parse = |t: &'a [u8]| json::parse(t, arena).and_then(again).filter(|j| j.is_object() || j.is_array());
        // Go writes bytes in base64; that is how an object begins there.
        let decoded = |t: &'a [u8]| base64::decode(t.starts_with(b"ey").then_some(t)?, arena);
        let inside = j.text(arena).and_then(|t| parse(t).or_else(|| parse(decoded(t)?)));
        self.field("arguments", inside.unwrap_or(j));
    }

    pub(super) fn tool_response(&mut self, j: Json<'a>) {
        self.start_part("tool_call_response");
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
        let mut of_tool = |key: &str| self.found.take_call(Some(j.get(key)?.word()?));
        let id = id.or_else(|| of_tool("role")).or_else(|| of_tool("name"));
        if let Some(id) = id.or_else(|| if j.get("name").is_none() { self.found.take_call(None) } else { None }) {
            self.field("id", id);
        }
        // OpenInference, LiteLLM: a list of one text is that text.
        let only = j.any(&["contents", "parts"]).map(|c| c.only().map_or(c, |p| unwrapped(p, "message_content")));
        let contents = only.map(|p| p.any(&["text", "content"]).unwrap_or(p));
        match j.any(&["response", "result", "output", "content", "error", "text"]).or(contents) {
            Some(value) => {
                // Vercel wraps the result: {"type":"text","value":…}.
                let inner = value.get("value").filter(|_| value.get("type").is_some());
                // The Agent Framework writes a text as JSON.
                let quoted = || {
                    let text = value.text(self.arena).filter(|t| t.starts_with(b"\""))?;
                    json::parse(text, self.arena)
                };
                let response = inner.or_else(quoted).unwrap_or(value);
                self.field("response", response);
            }
            None => self.text_field("response", b""),
        }
        self.raw("}");
    }

    /// Binary or remote content: `uri`, `blob` or `file`.
    pub(super) fn media(&mut self, modality: &str, source: Json<'a>, mime: Option<Json<'a>>) {
        let mime = mime.or_else(|| source.any(MIME_TYPES));
        if let Some(id) = source.any(&["file_id", "fileId"]) {
            return self.media_part("file", modality, mime, "file_id", id);
        }
        let uri = source.any(URIS);
        let inner = uri.or_else(|| source.any(&["data", "bytes", "file_data", "base64", "content", "image", "audio"]));
        if let Some(bytes) = octets(inner.unwrap_or(source), self.arena) {
            self.start_media("blob", modality, mime);
            self.key("content");
            self.raw("\"");
            base64::encode(bytes, &mut self.out);
            return self.raw("\"}");
        }
        let Some(content) = inner.or(source.is_string().then_some(source)) else {
            return self.generic(source);
        };
        if content.is_object() {
            return self.media(modality, content, mime);
        }
        let text = content.text(self.arena).unwrap_or_default();
        if let Some((head, data)) = split_data_url(text) {
            self.start_media("blob", modality, None);
            self.text_field("mime_type", head);
            self.text_field("content", data);
            self.raw("}");
        } else if text.starts_with(b"http:") || text.starts_with(b"https:") || uri.is_some() {
            self.media_part("uri", modality, mime, "uri", content);
        } else {
            self.media_part("blob", modality, mime, "content", content);
        }
    }

    #[inline(never)]
    fn start_media(&mut self, kind: &str, modality: &str, mime: Option<Json<'a>>) {
        self.start_part(kind);
        self.text_field("modality", modality.as_bytes());
        if let Some(mime) = mime {
            self.field("mime_type", mime);
        }
    }

    #[inline(never)]
    fn media_part(&mut self, kind: &str, modality: &str, mime: Option<Json<'a>>, key: &str, value: Json<'a>) {
        self.start_media(kind, modality, mime);
        self.field(key, value);
        self.raw("}");
    }

    fn generic(&mut self, part: Json<'a>) {
        json::separate(&mut self.out, self.parts);
        self.parts += 1;
        part.write(&mut self.out);
    }

    fn server_tool(&mut self, kind: &str, part: Json<'a>) {
        self.start_part(kind);
        self.field_of("id", part, &["id", "tool_use_id", "call_id"]);
        self.field_of("name", part, &["name", "type"]);
        self.field(kind, part);
        self.raw("}");
    }

    pub(super) fn part(&mut self, p: Json<'a>) {
        // OpenInference: the call stands beside the part that announces it.
        if p.get("message_content").is_some() && p.get("tool_call").is_some_and(|call| call.is_object()) {
            return self.tool_call(p);
        }
        if p.is_string() {
            return self.field_part("text", "content", p);
        }
        if !p.is_object() {
            return;
        }
        let p = unwrapped(p, "message_content");
        let Some(kind) = p.get("type").and_then(|t| t.word()) else {
            return self.keyed_part(p);
        };
        match text::lookup(PARTS, kind).unwrap_or(Part::Other) {
            // OpenInference's processor for Vercel announces a call, which stands beside.
            Part::Call if text::is(kind, "tool-call") && p.entries().count() == 1 => {}
            Part::Call => self.tool_call(p),
            Part::Response => self.tool_response(p),
            Part::Text => {
                let text = p.any(&["content", "text", "refusal"]);
                match text.and_then(|t| if t.is_object() { t.get("value") } else { Some(t) }) {
                    Some(text) => self.field_part("text", "content", text),
                    None => self.generic(p),
                }
            }
            Part::Image => self.media("image", p.any(&["image_url", "source", "image", "url"]).unwrap_or(p), p.any(MIME_TYPES)),
            Part::Audio => {
                let source = p.any(&["input_audio", "audio", "source", "url"]).unwrap_or(p);
                self.media("audio", source, None);
                if let Some(transcript) = unwrapped(source, "audio").get("transcript") {
                    self.field_part("text", "content", transcript);
                }
            }
            Part::Video => self.media("video", p.any(&["video", "source", "url"]).unwrap_or(p), None),
            Part::Document => self.media("document", p.any(&["source", "document"]).unwrap_or(p), None),
            Part::File if p.get("modality").is_some() => self.generic(p),
            Part::File => self.media(modality_of(p), p.get("file").unwrap_or(p), p.any(&["mediaType", "mimeType"])),
            Part::Binary => self.media(modality_of(p), p, None),
            Part::Reasoning => match p.any(&["content", "thinking", "text", "summary"]) {
                Some(text) if text.is_array() && !text.is_empty() => self.reasoning(text),
                text => {
                    self.start_part("reasoning");
                    if let Some(text) = text.filter(|t| t.is_string() && !t.is_empty()) {
                        self.field("content", text);
                    }
                    // What the provider wants back with the next request.
                    for key in ["id", "signature", "data", "encrypted_content"] {
                        self.field_of(key, p, &[key]);
                    }
                    self.raw("}");
                }
            },
            Part::ServerCall => self.server_tool("server_tool_call", p),
            Part::ServerResponse => self.server_tool("server_tool_call_response", p),
            Part::Other => self.generic(p),
        }
    }

    /// Parts that say what they are by the key they have: Gemini, Bedrock Converse, Genkit.
    fn keyed_part(&mut self, p: Json<'a>) {
        if let Some(text) = p.get("text").or_else(|| only_content(p)) {
            let kind = if p.get("thought").and_then(Json::as_bool) == Some(true) { "reasoning" } else { "text" };
            return self.field_part(kind, "content", text);
        }
        // Cohere.
        if let Some(outputs) = p.get("outputs").filter(|_| p.get("call").is_some()) {
            return self.field_part("tool_call_response", "response", outputs);
        }
        let found = KEYED.iter().find_map(|(key, part)| Some((p.get(key)?, *part)));
        match found {
            Some((call, Part::Call)) => self.tool_call(call),
            Some((response, Part::Response)) => self.tool_response(response),
            Some((media, part @ (Part::Image | Part::Video | Part::Document))) => {
                let modality = match part {
                    Part::Image => "image",
                    Part::Video => "video",
                    _ => "document",
                };
                self.media(modality, media.get("source").unwrap_or(media), None);
            }
            Some((media, Part::Binary)) => self.media(modality_of(media), media, None),
            Some((_, Part::ServerCall)) => self.server_tool("server_tool_call", p),
            Some((_, Part::ServerResponse)) => self.server_tool("server_tool_call_response", p),
            Some((reasoning, Part::Reasoning)) => self.reasoning(reasoning),
            // Bedrock's point of a cache.
            Some((_, Part::Other)) => {}
            _ => self.generic(p),
        }
    }
}

/// What a part is.
#[derive(Clone, Copy)]
enum Part {
    Text,
    Reasoning,
    Image,
    Audio,
    Video,
    Document,
    /// Of any modality, maybe OTel's own.
    File,
    Binary,
    Call,
    Response,
    /// Of the provider's own tools.
    ServerCall,
    ServerResponse,
    Other,
}

/// By the type.
const PARTS: &[(&str, Part)] = &[
    ("text", Part::Text),
    ("input_text", Part::Text),
    ("output_text", Part::Text),
    ("refusal", Part::Text),
    ("image_url", Part::Image),
    ("input_image", Part::Image),
    ("image", Part::Image),
    ("image-url", Part::Image),
    ("input_audio", Part::Audio),
    ("audio", Part::Audio),
    ("audio-url", Part::Audio),
    ("video", Part::Video),
    ("video-url", Part::Video),
    ("document", Part::Document),
    ("document-url", Part::Document),
    ("input_file", Part::Document),
    ("file", Part::File),
    ("binary", Part::Binary),
    ("thinking", Part::Reasoning),
    ("redacted_thinking", Part::Reasoning),
    ("reasoning", Part::Reasoning),
    ("redacted-reasoning", Part::Reasoning),
    ("tool_call", Part::Call),
    ("tool_use", Part::Call),
    ("tool-call", Part::Call),
    ("toolCall", Part::Call),
    ("function_call", Part::Call),
    ("custom_tool_call", Part::Call),
    ("function", Part::Call),
    ("tool_call_response", Part::Response),
    ("tool_result", Part::Response),
    ("tool-result", Part::Response),
    ("tool-error", Part::Response),
    ("function_call_output", Part::Response),
    ("custom_tool_call_output", Part::Response),
    ("server_tool_use", Part::ServerCall),
    ("mcp_tool_use", Part::ServerCall),
    ("web_search_call", Part::ServerCall),
    ("file_search_call", Part::ServerCall),
    ("computer_call", Part::ServerCall),
    ("code_interpreter_call", Part::ServerCall),
    ("mcp_call", Part::ServerCall),
    ("image_generation_call", Part::ServerCall),
    ("web_search_tool_result", Part::ServerResponse),
    ("code_execution_tool_result", Part::ServerResponse),
    ("mcp_tool_result", Part::ServerResponse),
];

/// By the member that holds it; the first that is there.
const KEYED: &[(&str, Part)] = &[
    ("functionCall", Part::Call),
    ("function_call", Part::Call),
    ("toolUse", Part::Call),
    ("toolRequest", Part::Call),
    ("tool_call", Part::Call),
    ("functionResponse", Part::Response),
    ("function_response", Part::Response),
    ("toolResult", Part::Response),
    ("toolResponse", Part::Response),
    ("tool_call_result", Part::Response),
    ("image", Part::Image),
    ("video", Part::Video),
    ("document", Part::Document),
    ("inlineData", Part::Binary),
    ("inline_data", Part::Binary),
    ("fileData", Part::Binary),
    ("file_data", Part::Binary),
    ("media", Part::Binary),
    ("executableCode", Part::ServerCall),
    ("codeExecutionResult", Part::ServerResponse),
    ("reasoningContent", Part::Reasoning),
    ("reasoning", Part::Reasoning),
    ("cachePoint", Part::Other),
];

const MIME_TYPES: &[&str] = &["media_type", "mime_type", "mimeType", "mediaType", "contentType"];
const URIS: &[&str] = &["url", "uri", "file_uri", "fileUri", "file_url"];

pub(super) fn modality_of(media: Json) -> &'static str {
    let mime = media.any(MIME_TYPES).and_then(Json::word).unwrap_or_default();
    ["image", "audio", "video"].into_iter().find(|m| mime.starts_with(m.as_bytes())).unwrap_or("document")
}

/// Bytes as JavaScript writes them in JSON: the `data` of a Buffer is `[137,80,…]`, a typed array `{"0":137,"1":80,…}`.
fn octets<'a>(j: Json<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    let mut bytes = BumpVec::new_in(arena);
    let mut push = |j: Json| {
        bytes.push(u8::try_from(j.as_i64()?).ok()?);
        Some(())
    };
    j.items().try_for_each(&mut push)?;
    j.entries().try_for_each(|(key, value)| if key.iter().all(u8::is_ascii_digit) { push(value) } else { None })?;
    (!bytes.is_empty()).then(|| bytes.into_bump_slice() as &[u8])
}

/// `data:image/png;base64,AAAA` in its two halves.
fn split_data_url(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.strip_prefix(b"data:")?;
    let comma = memchr::memchr(b',', rest)?;
    Some((rest[..comma].strip_suffix(b";base64")?, &rest[comma + 1..]))
}
