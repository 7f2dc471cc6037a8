//! The parts of a message: what each provider calls them, and what OTel does. The source of the types is the conventions'
//! `enums.csv`.

use super::shapes::{only_content, unwrapped};
use super::{MEMBERS, Transcoder, call_id, call_name, called};
use crate::json::{self, Json};
use crate::text::{self, base64};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// The call that a result answers.
const IDS: &[&str] = &["tool_call_id", "call_id", "toolCallId", "tool_use_id", "toolUseId", "tool_id"];

/// A message or a part that has more members than this is not read: each is looked for among the others.
const MOST_MEMBERS: usize = 64;

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
        } else if !content.is_null() {
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

    /// The members of these that no member of the part holds: OTel's schema allows further ones. Those that stand around `j`
    /// come last.
    #[inline(never)]
    pub(super) fn rest(&mut self, j: Json<'a>, said: &[&str]) {
        self.rest_but(j, &|key, _| text::any(key, said));
    }

    pub(super) fn rest_but(&mut self, j: Json<'a>, is_said: &dyn Fn(&[u8], Json<'a>) -> bool) {
        let is_too_large = |j: Json| j.entries().nth(MOST_MEMBERS).is_some();
        self.is_too_large |= is_too_large(j) || self.around.iter().any(|(around, _)| is_too_large(*around));
        if self.is_too_large {
            return self.around.clear();
        }
        j.write_rest(is_said, &mut 1, &mut self.out);
        for (around, inner) in self.around.drain(..) {
            let is_known = |key: &[u8], value| is_said(key, value) || text::is(key, inner) || j.entries().any(|(known, _)| known == key);
            around.write_rest(&is_known, &mut 1, &mut self.out);
        }
    }

    /// Ends a part.
    #[inline(never)]
    fn end_part(&mut self, j: Json<'a>, said: &[&str]) {
        self.rest(j, said);
        self.raw("}");
    }

    /// The first of these members of `p`, else `p`; what stands around it is kept for [`Self::rest`].
    fn inner(&mut self, p: Json<'a>, members: &[&'static str]) -> Json<'a> {
        let Some((key, inner)) = members.iter().find_map(|key| Some((*key, p.get(key)?))) else { return p };
        self.around.push((p, key));
        inner
    }

    /// A member that is text: another value is its JSON.
    #[inline(never)]
    pub(super) fn field_as_text(&mut self, key: &str, value: Json<'a>) {
        if value.is_string() { self.field(key, value) } else { self.text_field(key, value.to_text(self.arena)) }
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
        self.field_as_text(key, value);
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
        } else if let Some(inner) = j.get("reasoningText").filter(Json::is_object) {
            self.around.push((j, "reasoningText"));
            self.reasoning(inner);
        } else if j.is_object() {
            self.reasoning_part(j);
        }
    }

    /// What a model thought, with what its provider wants back with the next request.
    fn reasoning_part(&mut self, p: Json<'a>) {
        let said = ["content", "thinking", "text", "reasoning", "summary"].iter().find_map(|key| Some((*key, p.get(key)?)));
        let (key, text) = said.filter(|(_, text)| !text.is_empty()).unwrap_or(("content", p));
        if text.is_array() {
            for (i, item) in text.items().enumerate() {
                self.start_part("reasoning");
                self.field_as_text("content", item.any(&["text", "content"]).unwrap_or(item));
                if i == 0 {
                    self.rest(p, &["type", "content", key]);
                }
                self.raw("}");
            }
            return;
        }
        self.start_part("reasoning");
        // OTel requires a content, which a thought that is redacted lacks.
        if text.is_string() {
            self.field("content", text)
        } else {
            self.text_field("content", b"")
        }
        self.end_part(p, &["type", "content", key]);
    }

    pub(super) fn tool_call(&mut self, call: Json<'a>) {
        if let Some(inner) = call.text(self.arena).and_then(|t| json::parse(t, self.arena)).filter(Json::is_object) {
            return self.tool_call(inner);
        }
        let call = unwrapped(call, "tool_call");
        let id = call_id(call);
        // OpenInference says a call among the contents and once more beside them: of both, what one of them says.
        let twin = id.and_then(|id| {
            self.announced?.items().map(|c| unwrapped(c, "tool_call")).find(|c| call_id(*c).and_then(Json::word) == id.word())
        });
        let twin = twin.unwrap_or(call);
        let name = call_name(call).or_else(|| call_name(twin));
        self.start_part("tool_call");
        if let Some(id) = id {
            self.field_as_text("id", id);
        }
        if let Some(name) = name {
            self.field("name", name);
            if id.is_some() && name.is_string() {
                self.found.calls.push(call);
            }
        }
        const ARGUMENTS: &[&str] = &["arguments", "args", "input"];
        self.arguments(called(call).any(ARGUMENTS).or_else(|| called(twin).any(ARGUMENTS)));
        let item = call.get("call_id").and_then(|_| call.get("id"));
        if let Some(item) = item.or_else(|| call.get("item_id")) {
            self.field("item_id", item);
        }
        let said = [
            "type",
            "id",
            "name",
            "arguments",
            "args",
            "input",
            "function",
            "custom",
            "index",
            "call_id",
            "toolCallId",
            "toolUseId",
            "ref",
            "toolName",
            "tool_name",
            "item_id",
        ];
        self.rest(call, &said);
        if called(call).source() != call.source() {
            self.rest(called(call), &said);
        }
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
        let kind = j.get("type").and_then(Json::word).unwrap_or_default();
        // Haystack: the call that it is the result of.
        let answered = j.get("origin").unwrap_or(j).any(IDS);
        let id = answered.or_else(|| j.any(&["id", "ref"]));
        let mut of_tool = |key: &str| self.found.take_call(Some(j.get(key)?.word()?));
        let id = id.or_else(|| of_tool("role")).or_else(|| of_tool("name"));
        if let Some(id) = id.or_else(|| if j.get("name").is_none() { self.found.take_call(None) } else { None }) {
            self.field_as_text("id", id);
        }
        // OpenInference, LiteLLM: a list of one text is that text.
        let only = j.any(&["contents", "parts"]).map(|c| c.only().map_or(c, |p| unwrapped(p, "message_content")));
        let contents = only.map(|p| p.any(&["text", "content"]).unwrap_or(p));
        const GIVEN: &[&str] = &["response", "result", "output", "content", "error", "text"];
        let given = GIVEN.iter().find_map(|key| Some((*key, j.get(key)?)));
        let mut failed = text::is(kind, "tool-error")
            || given.is_some_and(|(key, _)| key == "error")
            || j.any(&["is_error", "isError", "error"]).and_then(Json::as_bool) == Some(true)
            || j.get("status").is_some_and(|status| status.is("error") || status.is("failed"));
        match given.map(|(_, value)| value).or(contents) {
            Some(value) => {
                // Vercel wraps the result: {"type":"text","value":…}.
                let inner = value.get("value").filter(|_| value.get("type").is_some());
                // The Agent Framework writes a text as JSON.
                let quoted = || {
                    let text = value.text(self.arena).filter(|t| t.starts_with(b"\""))?;
                    json::parse(text, self.arena)
                };
                failed |= inner.is_some() && value.get("type").and_then(Json::word).is_some_and(|t| t.starts_with(b"error-"));
                let response = inner.or_else(quoted).unwrap_or(value);
                self.field("response", response);
            }
            None => self.text_field("response", b""),
        }
        if answered.is_some() {
            self.field_of("item_id", j, &["id"]);
        }
        self.field_of("name", j, &["name", "toolName", "tool_name"]);
        if failed {
            self.raw(",\"is_error\":true");
        }
        const SAID: &[&str] = &["type", "id", "name", "toolName", "tool_name", "origin", "ref"];
        let is_said = |name: &[u8], value: Json| {
            [SAID, IDS, MEMBERS].iter().any(|said| text::any(name, said))
                || given.map_or(text::any(name, &["contents", "parts"]), |(key, _)| text::is(name, key))
                || failed && text::any(name, &["is_error", "isError"])
                || failed && value.as_bool().is_some() && text::is(name, "error")
        };
        self.rest_but(j, &is_said);
        self.raw("}");
    }

    /// Binary or remote content: `uri`, `blob` or `file`.
    pub(super) fn media(&mut self, modality: &str, source: Json<'a>, mime: Option<&'a [u8]>) {
        let mime = mime.or_else(|| mime_of(modality, source, self.arena));
        if let Some(id) = source.any(&["file_id", "fileId"]) {
            return self.media_part("file", modality, mime, "file_id", id, source);
        }
        let uri = source.any(URIS);
        let inner = uri.or_else(|| source.any(CONTENTS));
        if let Some(bytes) = octets(inner.unwrap_or(source), self.arena) {
            self.start_media("blob", modality, mime);
            self.key("content");
            self.raw("\"");
            base64::encode(bytes, &mut self.out);
            self.raw("\"");
            return self.end_part(source, MEDIA);
        }
        let Some(content) = inner.or(source.is_string().then_some(source)) else {
            let kind = source.get("type").and_then(Json::word).map(text::as_keyword).filter(|kind| !kind.is_empty());
            self.start_part(kind.unwrap_or(modality));
            return self.end_part(source, &["type"]);
        };
        if content.is_object() {
            let key = URIS.iter().chain(CONTENTS).find(|key| source.get(key).is_some());
            self.around.push((source, key.copied().unwrap_or_default()));
            return self.media(modality, content, mime);
        }
        let text = content.text(self.arena).unwrap_or_default();
        if let Some((head, data)) = split_data_url(text) {
            self.start_media("blob", modality, Some(head));
            self.text_field("content", data);
            self.end_part(source, MEDIA);
        } else if text.starts_with(b"http:") || text.starts_with(b"https:") || uri.is_some() {
            self.media_part("uri", modality, mime, "uri", content, source);
        } else {
            self.media_part("blob", modality, mime, "content", content, source);
        }
    }

    #[inline(never)]
    fn start_media(&mut self, kind: &str, modality: &str, mime: Option<&[u8]>) {
        self.start_part(kind);
        self.text_field("modality", modality.as_bytes());
        if let Some(mime) = mime {
            self.text_field("mime_type", mime);
        }
    }

    #[inline(never)]
    fn media_part(&mut self, kind: &str, modality: &str, mime: Option<&[u8]>, key: &str, value: Json<'a>, source: Json<'a>) {
        self.start_media(kind, modality, mime);
        self.field(key, value);
        self.end_part(source, MEDIA);
    }

    /// Sound, and what it says as text.
    pub(super) fn audio(&mut self, source: Json<'a>) {
        let said = unwrapped(source, "audio");
        match said.get("transcript") {
            Some(transcript) if source.any(CONTENTS).or(source.any(URIS)).is_none() => {
                self.start_part("text");
                self.field_as_text("content", transcript);
                self.end_part(said, MEDIA);
            }
            transcript => {
                self.media("audio", source, None);
                transcript.into_iter().for_each(|text| self.field_part("text", "content", text));
            }
        }
    }

    /// OpenInference's document or video: by its address, its id or its text.
    fn nested(&mut self, modality: &str, file: Json<'a>) {
        let [url, id, mime] = ["url", "id", "mime_type"].map(|key| file.get(key).filter(|value| value.is_string()));
        let text = file.get("content").filter(|_| url.or(id).is_none());
        let data = url.and_then(|url| split_data_url(url.text(self.arena)?));
        self.start_part(match (text, data, url) {
            (Some(_), ..) => "text",
            (_, Some(_), _) => "blob",
            (_, _, Some(_)) => "uri",
            _ => "file",
        });
        if text.is_none() {
            self.text_field("modality", modality.as_bytes());
        }
        let mime = data.map(|(head, _)| head).or_else(|| mime?.text(self.arena));
        if let Some(mime) = mime {
            self.text_field("mime_type", mime);
        }
        match (text, data, url.or(id)) {
            (Some(text), ..) => self.field("content", text),
            (_, Some((_, data)), _) => self.text_field("content", data),
            (_, _, Some(place)) => self.field(if url.is_some() { "uri" } else { "file_id" }, place),
            _ => {}
        }
        if let Some(name) = file.get("name") {
            self.field("name", name);
        }
        self.raw("}");
    }

    fn generic(&mut self, part: Json<'a>) {
        // An object of the user's own is text.
        if part.get("type").is_none_or(|t| !t.is_string()) {
            return self.text_part(part.to_text(self.arena));
        }
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

    /// Code that Gemini runs and what it gave, which say what they are by their key.
    fn executed(&mut self, kind: &str, what: &str, part: Json<'a>) {
        self.start_part(kind);
        self.field_of("id", part, &["id"]);
        self.raw(",\"name\":\"code_execution\"");
        self.key(kind);
        self.raw("{\"type\":\"");
        self.raw(what);
        self.raw("\"");
        part.write_rest(&|key, _| text::is(key, "type"), &mut 1, &mut self.out);
        self.raw("}");
        self.end_part(part, &["id", "type", "name", "language", "code", "outcome", "output", kind]);
    }

    pub(super) fn part(&mut self, p: Json<'a>) {
        self.any_part(p);
        self.around.clear();
    }

    fn any_part(&mut self, p: Json<'a>) {
        // OpenInference: the call stands beside the part that announces it.
        if p.get("message_content").is_some() && p.get("tool_call").is_some_and(|call| call.is_object()) {
            return self.tool_call(p);
        }
        if p.is_null() {
            return;
        }
        if !p.is_object() {
            return self.field_part("text", "content", p);
        }
        let p = unwrapped(p, "message_content");
        if let Some((modality, file)) = nested_file(p) {
            return self.nested(modality, file);
        }
        let Some(kind) = p.get("type").and_then(|t| t.word()) else {
            return self.keyed_part(p);
        };
        match part_of(kind) {
            // OpenInference's processor for Vercel announces a call, which stands beside.
            Part::Call if text::is(kind, "tool-call") && p.entries().count() == 1 => {}
            Part::Call => self.tool_call(p),
            Part::Response => self.tool_response(p),
            Part::Text => {
                let text = p.any(&["content", "text", "refusal"]);
                let is_around = text.filter(Json::is_object);
                match text.and_then(|t| if t.is_object() { t.get("value") } else { Some(t) }) {
                    Some(text) => {
                        self.start_part("text");
                        self.field_as_text("content", text);
                        if let Some(around) = is_around {
                            self.rest(around, &["type", "content", "value"]);
                        }
                        self.end_part(p, &["type", "content", "text", "refusal"]);
                    }
                    None => self.generic(p),
                }
            }
            Part::Image => {
                let mime = p.any(MIME_TYPES).and_then(Json::word);
                let source = self.inner(p, &["image_url", "source", "image", "url"]);
                self.media("image", source, mime);
            }
            Part::Audio => {
                let source = self.inner(p, &["input_audio", "audio_url", "audio", "source", "url"]);
                self.audio(source);
            }
            Part::Video => {
                let source = self.inner(p, &["video_url", "video", "source", "url"]);
                self.media("video", source, None);
            }
            Part::Document => {
                let source = self.inner(p, &["source", "document", "document_url"]);
                self.document(source);
            }
            Part::File if p.get("modality").is_some() => self.generic(p),
            Part::File => {
                let mime = p.any(&["mediaType", "mimeType"]).and_then(Json::word);
                let source = self.inner(p, &["file"]);
                self.media(modality_of(p), source, mime);
            }
            Part::Media if p.get("modality").is_some() => self.generic(p),
            Part::Media | Part::Binary => self.media(modality_of(p), p, None),
            Part::Reasoning => self.reasoning_part(p),
            Part::ServerCall => self.server_tool("server_tool_call", p),
            Part::ServerResponse => self.server_tool("server_tool_call_response", p),
            Part::Other => self.generic(p),
        }
    }

    /// Parts that say what they are by the key they have: Gemini, Bedrock Converse, Genkit.
    fn keyed_part(&mut self, p: Json<'a>) {
        if let Some(text) = p.get("text").or_else(|| only_content(p)) {
            let kind = if p.get("thought").and_then(Json::as_bool) == Some(true) { "reasoning" } else { "text" };
            self.start_part(kind);
            self.field_as_text("content", text);
            return self.end_part(p, &["type", "content", "text", "role", "thought"]);
        }
        // Cohere.
        if let Some(outputs) = p.get("outputs").filter(|_| p.get("call").is_some()) {
            self.start_part("tool_call_response");
            self.field("response", outputs);
            return self.end_part(p, &["type", "response", "outputs"]);
        }
        let Some((key, inner, part)) = KEYED.iter().find_map(|(key, part)| Some((*key, p.get(key)?, *part))) else {
            return self.generic(p);
        };
        self.around.push((p, key));
        match part {
            Part::Call => self.tool_call(inner),
            Part::Response => self.tool_response(inner),
            Part::Image | Part::Video | Part::Document | Part::Audio => {
                let modality = match part {
                    Part::Image => "image",
                    Part::Video => "video",
                    Part::Audio => "audio",
                    _ => "document",
                };
                self.media(modality, inner, None);
            }
            Part::Binary => self.media(modality_of(inner), inner, None),
            Part::ServerCall => self.executed("server_tool_call", "executable_code", inner),
            Part::ServerResponse => self.executed("server_tool_call_response", "code_execution_result", inner),
            Part::Reasoning => self.reasoning(inner),
            // Bedrock's point of a cache.
            _ => {}
        }
    }

    /// A document may be text, or parts.
    fn document(&mut self, source: Json<'a>) {
        match (source.get("type"), source.any(&["data", "content"])) {
            (Some(kind), Some(text)) if kind.is("text") => {
                self.start_part("text");
                self.field_as_text("content", text);
                let mime = mime_of("document", source, self.arena);
                if let Some(mime) = mime {
                    self.text_field("mime_type", mime);
                }
                self.end_part(source, MEDIA);
            }
            (Some(kind), Some(content)) if kind.is("content") => self.content(content),
            _ => self.media("document", source, None),
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
    /// OTel's own, of any modality.
    Media,
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
    ("video_url", Part::Video),
    ("input_video", Part::Video),
    ("audio_url", Part::Audio),
    ("document_url", Part::Document),
    ("blob", Part::Media),
    ("uri", Part::Media),
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
    ("mcp_tool_result", Part::ServerResponse),
];

/// The part that a type names; the types of a provider's own tools are many and end alike.
fn part_of(kind: &[u8]) -> Part {
    text::lookup(PARTS, kind).unwrap_or(match () {
        () if kind.ends_with(b"_call") => Part::ServerCall,
        () if kind.ends_with(b"_call_output") => Part::Response,
        () if kind.ends_with(b"_tool_result") => Part::ServerResponse,
        () => Part::Other,
    })
}

/// Is it the type of a part, and of no item of OpenAI's Responses API?
pub(super) fn is_only_part(kind: &[u8]) -> bool {
    text::lookup(PARTS, kind).is_some() && !super::shapes::is_item_type(kind)
}

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
    ("audio", Part::Audio),
    ("inlineData", Part::Binary),
    ("inline_data", Part::Binary),
    ("fileData", Part::Binary),
    ("file_data", Part::Binary),
    ("media", Part::Binary),
    ("executableCode", Part::ServerCall),
    ("executable_code", Part::ServerCall),
    ("codeExecutionResult", Part::ServerResponse),
    ("code_execution_result", Part::ServerResponse),
    ("reasoningContent", Part::Reasoning),
    ("reasoning", Part::Reasoning),
    ("cachePoint", Part::Other),
];

const MIME_TYPES: &[&str] = &["media_type", "mime_type", "mimeType", "mediaType", "contentType"];
/// What OpenInference has of a document or a video stands in an object of its name, and that in another one.
fn nested_file(p: Json) -> Option<(&'static str, Json)> {
    let file = |kind: &'static str| Some((kind, p.get(kind)?.get(kind).filter(Json::is_object)?));
    file("document").or_else(|| file("video"))
}

const URIS: &[&str] = &["url", "uri", "file_uri", "fileUri", "file_url"];

const CONTENTS: &[&str] = &["data", "bytes", "file_data", "base64", "content", "image", "audio", "s3Location", "source"];
/// Members of media that have a member of OTel's.
const MEDIA: &[&str] = &[
    "type",
    "modality",
    "mime_type",
    "content",
    "uri",
    "file_id",
    "media_type",
    "mimeType",
    "mediaType",
    "contentType",
    "url",
    "file_uri",
    "fileUri",
    "file_url",
    "data",
    "bytes",
    "file_data",
    "base64",
    "fileId",
    "format",
    "transcript",
];

/// The media type, as it stands or from the format.
fn mime_of<'a>(modality: &str, source: Json<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    if let Some(mime) = source.any(MIME_TYPES) {
        return mime.text(arena);
    }
    let format = source.get("format")?.word()?;
    if memchr::memchr(b'/', format).is_some() {
        return Some(format);
    }
    let (kind, format) = match text::as_keyword(format) {
        "jpg" => ("image", &b"jpeg"[..]),
        "mp3" => ("audio", &b"mpeg"[..]),
        "txt" => ("text", &b"plain"[..]),
        "md" => ("text", &b"markdown"[..]),
        "html" | "csv" => ("text", format),
        "docx" => ("application", &b"vnd.openxmlformats-officedocument.wordprocessingml.document"[..]),
        "xlsx" => ("application", &b"vnd.openxmlformats-officedocument.spreadsheetml.sheet"[..]),
        _ if modality == "document" => ("application", format),
        _ => (modality, format),
    };
    let mut out = BumpVec::new_in(arena);
    out.extend_from_slice_copy(kind.as_bytes());
    out.push(b'/');
    out.extend_from_slice_copy(format);
    Some(out.into_bump_slice())
}

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
