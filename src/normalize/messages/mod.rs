//! Messages from any JSON shape to OTel's `[{role, parts: [...]}]`, in one pass over borrowed text.
//!
//! Shapes read: OpenAI chat and responses, Anthropic, Gemini, Bedrock Converse, LangChain (plain and serialised), Vercel,
//! Genkit, and OTel's own of every version. The source of the part types is the conventions' `enums.csv`.

mod parts;
mod shapes;

use crate::conventions::words;
use crate::genai::Field;
use crate::json::{self, Items, Json};
use crate::span::Value;
use crate::text::{self, Out};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
pub use shapes::{are_hollow, is_message, is_parts};
use shapes::{
    are_items, is_blank, is_canonical, is_item, is_named_after_tool, is_pair, is_text_of_result, is_tool_result, serialised,
    tool_in_message, unwrapped,
};

/// What a conversation held.
pub struct Conversation<'a> {
    /// `[{role, parts}]` as JSON.
    pub messages: &'a [u8],
    /// Tool definitions that travelled with the messages (rules.md 5).
    pub tools: BumpVec<'a, Json<'a>>,
    /// Why each choice ended, as the source says it.
    pub finish_reasons: BumpVec<'a, Value<'a>>,
    /// The member `id` of an answer.
    pub response_id: Option<&'a [u8]>,
    /// The member `model` of an answer.
    pub model: Option<&'a [u8]>,
    /// The token counts of an answer.
    pub usage: Option<Json<'a>>,
    /// Instructions that stood apart from the messages: `[part]` as JSON.
    pub system: Option<&'a [u8]>,
    /// Objects among the messages that are none.
    pub odd: BumpVec<'a, Json<'a>>,
    /// The tool calls whose results did not come yet.
    calls: BumpVec<'a, Json<'a>>,
}

impl<'a> Conversation<'a> {
    /// The id of the call that this is the result of, where only one can be meant. No name: it does not say whose it is.
    fn take_call(&mut self, tool: Option<&[u8]>) -> Option<Json<'a>> {
        let of_tool = |call: &Json| tool.is_none_or(|tool| call_name(*call).and_then(Json::word) == Some(tool));
        let mut of_tool = self.calls.iter().enumerate().filter(|(_, call)| of_tool(call));
        match (of_tool.next(), of_tool.next()) {
            (Some((at, _)), None) => call_id(self.calls.swap_remove(at)),
            _ => None,
        }
    }
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
    /// The field of its messages.
    pub fn field(self) -> Field {
        match self {
            Side::Input => Field::InputMessages,
            Side::Output => Field::OutputMessages,
        }
    }

    fn role(self) -> &'static str {
        match self {
            Side::Input => "user",
            Side::Output => "assistant",
        }
    }
}

/// Why a text is not read as messages.
#[derive(Debug)]
pub enum Unread {
    /// It is JSON of another shape, which is not for us to read as messages.
    NoMessages,
    /// They would be much longer than it.
    TooLarge,
}

/// Reads a text that is messages in JSON, or just text.
///
/// `parsed` is the text as JSON, if it is JSON.
pub fn read<'a>(text: &'a [u8], parsed: Option<Json<'a>>, side: Side, arena: &'a Bump) -> Result<&'a Conversation<'a>, Unread> {
    let mut w = Transcoder::new(side, arena);
    w.most = text.len().saturating_mul(MAX_GROWTH).saturating_add(ALLOWED);
    match parsed {
        Some(root) if is_canonical(root) => {
            // 1.37 to 1.41 have the reason in the message.
            if side == Side::Output {
                root.items().for_each(|m| w.finish(m));
            }
            w.found.messages = root.to_text(arena);
            return Ok(w.found);
        }
        _ => w.out.reserve(text.len() + text.len() / 8),
    }
    match parsed {
        Some(root) => w.conversation(root).ok_or(Unread::NoMessages)?,
        None => w.text_message(text),
    }
    if w.is_too_large {
        return Err(Unread::TooLarge);
    }
    if w.count == 0 && w.found.tools.is_empty() && w.found.system.is_none() {
        return Err(Unread::NoMessages);
    }
    w.raw("]");
    w.found.messages = w.out.into_bump_slice();
    Ok(w.found)
}

/// Instructions as a list of parts: those that are there, in any shape, else the text as one part.
pub fn instructions<'a>(text: &'a [u8], arena: &'a Bump) -> &'a [u8] {
    let parsed = json::parse(text, arena);
    let holds = |p: Json| p.is_string() || p.any(&["type", "text"]).is_some() || is_message(p);
    let within = |j: Json<'a>| if is_message(j) { j.any(&["parts", "content", "contents"]) } else { j.get("parts") };
    let parts = parsed.map(|j| j.get("messages").filter(Json::is_array).or_else(|| within(j)).unwrap_or(j));
    let parts = parts.filter(|j| j.is_object() && holds(*j) || j.is_array() && j.items().all(holds));
    if let Some(parts) = parts {
        if parts.is_array()
            && parts.items().all(|p| p.get("type").is_some() && p.get("content").is_some_and(|c| c.is_string()) && !is_message(p))
        {
            return parts.to_text(arena);
        }
        let mut w = Transcoder::new(Side::Input, arena);
        let mut one = |p: Json<'a>| w.content(within(p).unwrap_or(p));
        if parts.is_array() {
            parts.items().for_each(one)
        } else {
            one(parts)
        }
        w.raw("]");
        return w.out.into_bump_slice();
    }
    let mut w = Transcoder::new(Side::Input, arena);
    w.text_part(parsed.and_then(|j| j.text(arena)).unwrap_or(text));
    w.raw("]");
    w.out.into_bump_slice()
}

/// The id of a tool call.
fn call_id(call: Json) -> Option<Json> {
    call.any(&["call_id", "id", "toolCallId", "toolUseId", "ref"])
}

/// What a call says of its tool: a member of it, or the call itself.
fn called(call: Json) -> Json {
    call.any(&["function", "custom"]).filter(Json::is_object).unwrap_or(call)
}

/// The name of the tool that is called.
fn call_name(call: Json) -> Option<Json> {
    called(call).any(&["name", "toolName", "tool_name"])
}

/// Whose the items of OpenAI's Responses API are, by their type.
const ITEM_ROLES: &[(&str, &str)] = &[
    ("function_call_output", "tool"),
    ("custom_tool_call_output", "tool"),
    ("function_call", "assistant"),
    ("custom_tool_call", "assistant"),
    ("reasoning", "assistant"),
];

/// Members of a message that its parts say, or its place among the others. Of answers and of what they used their own spans have a field.
const MEMBERS: &[&str] = &[
    "role",
    "function_call_name",
    "function_call_arguments_json",
    "content_parts",
    "additional_kwargs",
    "index",
    "event.name",
    "gen_ai.message.index",
    "gen_ai.system",
    "response_metadata",
    "usage_metadata",
    "usage",
    "meta",
];

/// Members of a message that hold what it says: the first that is there.
const CONTENTS: &[&str] = &["parts", "content", "contents"];
const THOUGHTS: &[&str] = &["reasoning_content", "reasoning", "thinking"];
const REASONS: &[&str] = &["finish_reason", "finishReason", "stop_reason", "stopReason"];

/// Messages may be so many times as long as their source, and longer by so many bytes: a list of empty texts would be eighteen times as long.
const MAX_GROWTH: usize = 2;
const ALLOWED: usize = 256 << 10;

struct Transcoder<'a> {
    out: Out<'a>,
    arena: &'a Bump,
    side: Side,
    /// How many bytes are written at most; what is longer is not read at all.
    most: usize,
    is_too_large: bool,
    /// How many messages there are.
    count: usize,
    /// How many parts the message has.
    parts: usize,
    /// What stands around the source of a part, and the member of it that is the source.
    around: BumpVec<'a, (Json<'a>, &'static str)>,
    /// The calls beside the contents of the message.
    announced: Option<Json<'a>>,
    /// Where the answer begins whose own members were read.
    answer: Option<*const u8>,
    found: &'a mut Conversation<'a>,
}

impl<'a> Transcoder<'a> {
    /// At the beginning of a list.
    #[inline(never)]
    fn new(side: Side, arena: &'a Bump) -> Self {
        let mut out = BumpVec::new_in(arena);
        out.push(b'[');
        let found = arena.alloc(Conversation {
            messages: &[],
            tools: BumpVec::new_in(arena),
            finish_reasons: BumpVec::new_in(arena),
            response_id: None,
            model: None,
            usage: None,
            system: None,
            odd: BumpVec::new_in(arena),
            calls: BumpVec::new_in(arena),
        });
        Transcoder {
            out,
            arena,
            side,
            most: usize::MAX,
            is_too_large: false,
            count: 0,
            parts: 0,
            around: BumpVec::new_in(arena),
            announced: None,
            answer: None,
            found,
        }
    }

    #[inline(never)]
    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice_copy(text.as_bytes());
    }

    /// Begins a message.
    #[inline(never)]
    fn open(&mut self, role: &str) {
        self.bound();
        json::separate(&mut self.out, self.count);
        self.count += 1;
        self.parts = 0;
        self.raw("{\"role\":\"");
        self.raw(role);
        self.raw("\"");
    }

    /// Forgets what is written if it is too much.
    fn bound(&mut self) {
        if self.out.len() > self.most {
            self.is_too_large = true;
            self.out.clear();
        }
    }

    /// Begins a message that has nothing but parts.
    #[inline(never)]
    fn open_parts(&mut self, role: &str) {
        self.open(role);
        self.raw(",\"parts\":[");
    }

    /// Ends a message.
    fn close(&mut self) {
        self.raw("]}");
    }

    #[inline(never)]
    fn text_message(&mut self, text: &[u8]) {
        self.open_parts(self.side.role());
        self.text_part(text);
        self.close();
    }

    /// Each of these messages, of which some may be just text.
    fn messages(&mut self, items: Items<'a>, holds: &dyn Fn(Json<'a>) -> bool) -> Option<()> {
        for item in items {
            if holds(item) {
                if item.is_string() { self.conversation(item)? } else { self.message(item)? }
            }
        }
        Some(())
    }

    /// Any shape that holds messages; `None` where it holds none.
    fn conversation(&mut self, j: Json<'a>) -> Option<()> {
        if let Some(text) = j.text(self.arena) {
            self.text_message(text);
            return Some(());
        }
        if j.is_array() {
            // One list in a list: LangChain's batch of conversations.
            if let Some(list) = j.only().filter(|i| i.is_array() && i.items().all(is_message)) {
                return self.conversation(list);
            }
            return match () {
                () if is_pair(j) => self.message(j),
                () if j.is_empty() => None,
                () if j.items().all(|i| i.is_string() || is_message(i) || is_pair(i) || is_blank(i)) => {
                    self.messages(j.items(), &|i| !is_blank(i))
                }
                // Items of OpenAI's Responses API, some of types that are not known.
                () if are_items(j) => {
                    for item in j.items() {
                        if is_message(item) {
                            self.message(item)?;
                        } else {
                            self.open_parts("assistant");
                            self.part(item);
                            self.close();
                        }
                    }
                    Some(())
                }
                // Parts without a message around them.
                () if j.items().all(|i| i.any(&["type", "text"]).is_some()) => {
                    self.open_parts(self.side.role());
                    self.content(j);
                    self.close();
                    Some(())
                }
                // One that is no message leaves the others readable.
                () if j.items().any(is_message) && j.items().all(|i| i.is_object()) => {
                    self.found.odd.extend(j.items().filter(|i| !is_message(*i)));
                    self.messages(j.items(), &is_message)
                }
                () => None,
            };
        }
        if !j.is_object() {
            return None;
        }
        // OpenAI's first function calls: the call alone.
        if self.side == Side::Output && j.get("name").is_some() && j.get("arguments").is_some() {
            self.open_parts("assistant");
            self.tool_call(j);
            self.close();
            return Some(());
        }
        if let Some(tools) = j.any(&["tools", "functions"]) {
            if tools.is_object() { self.found.tools.push(tools) } else { self.found.tools.extend(tools.items()) }
        }
        if serialised(j).is_some() {
            return self.message(j);
        }
        // An answer repeats those of its request.
        if self.side == Side::Input
            && let Some(system) = j.any(&["system", "instructions", "systemInstruction", "system_instruction", "systemPrompt"])
        {
            self.system(system);
        }
        if let Some(messages) = j.any(&["messages", "contents"]) {
            return self.conversation(messages);
        }
        let list = |name: &str| j.get(name).filter(Json::is_array);
        // LiveKit's chat context: what is neither message nor call is a change of its state.
        if let Some(items) = list("items") {
            return self.messages(items.items(), &is_message);
        }
        for (name, members) in [("choices", &["message", "delta"]), ("candidates", &["content", "message"])] {
            let Some(choices) = list(name) else { continue };
            self.answer(j);
            for choice in choices.items() {
                self.finish(choice);
                match choice.any(members) {
                    Some(m) => self.message(m)?,
                    None => self.conversation(choice.get("text")?)?,
                }
            }
            return Some(());
        }
        // Haystack.
        if let Some(replies) = list("replies") {
            replies.items().take(1).for_each(|reply| self.answer(reply));
            return self.conversation(replies);
        }
        if let Some(generations) = list("generations") {
            return self.generations(generations);
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

    /// LangChain's answers, one list for each prompt.
    fn generations(&mut self, list: Json<'a>) -> Option<()> {
        for g in list.items() {
            if g.is_array() {
                self.generations(g)?;
            } else if let Some(said) = g.any(&["message", "text"]) {
                self.conversation(said)?;
            }
        }
        Some(())
    }

    /// What an answer says beside its messages.
    fn answer(&mut self, j: Json<'a>) {
        self.answer = Some(j.source().as_ptr());
        let meta = j.any(&["response_metadata", "meta"]);
        let usage = j.any(&["usage", "usage_metadata"]).or_else(|| meta?.any(&["usage", "token_usage", "tokenUsage"]));
        self.found.usage = self.found.usage.or(usage).filter(Json::is_object);
        let word = |keys: &[&str]| j.any(keys).or_else(|| meta.and_then(|m| m.any(keys))).and_then(|v| v.word());
        self.found.model = self.found.model.or_else(|| word(&["model", "model_name", "modelVersion", "model_version"]));
        let id = if j.any(&["object", "choices", "stop_reason"]).is_some() { j.get("id") } else { meta.and_then(|m| m.get("id")) };
        let id = id.or_else(|| j.any(&["responseId", "response_id"]));
        self.found.response_id = self.found.response_id.or_else(|| id.and_then(|v| v.word()));
        // OpenAI's Responses API has a status in its place.
        if j.get("object").is_some_and(|o| o.is("response"))
            && let Some(status) = j.get("status").and_then(|s| s.word())
        {
            self.found.finish_reasons.push(Value::Str(status));
        }
    }

    fn finish(&mut self, j: Json<'a>) {
        if let Some(reason) = j.any(REASONS).and_then(|r| r.word()) {
            self.found.finish_reasons.push(Value::Str(reason));
        }
    }

    fn system(&mut self, j: Json<'a>) {
        let parts = j.any(&["parts", "content"]).unwrap_or(j);
        let messages = std::mem::replace(&mut self.out, BumpVec::new_in(self.arena));
        self.raw("[");
        self.parts = 0;
        if parts.is_array() {
            self.content(parts);
        } else {
            self.part(parts);
        }
        self.raw("]");
        let parts = std::mem::replace(&mut self.out, messages);
        if self.parts > 0 {
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
        // Logfire: an item that it has no event for.
        let unknown = m.get("event.name").is_some_and(|name| name.is("gen_ai.unknown"));
        let m = m.get("data").filter(|item| unknown && is_item(*item)).unwrap_or(m);
        if is_pair(m) {
            let mut pair = m.items();
            let role = pair.next()?.word()?;
            self.open_parts(words::find(&words::ROLES, role)?);
            self.content(pair.next()?);
            self.close();
            return Some(());
        }
        if let Some((class, kwargs)) = serialised(m) {
            let role = words::find(&words::ROLES, class).unwrap_or(self.side.role());
            if self.side == Side::Output {
                self.answer(kwargs);
                kwargs.get("response_metadata").into_iter().for_each(|meta| self.finish(meta));
            }
            return self.message_as(kwargs, role);
        }
        // OpenLLMetry's Anthropic up to 0.53: what a model thinks is a message, beside that of its answer.
        if let Some(thought) = m.get("content").filter(|_| m.get("role").is_some_and(|r| r.is("thinking"))) {
            self.open_parts("assistant");
            self.reasoning(thought);
            self.close();
            return Some(());
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
        let word = |key: &str| m.get(key).and_then(Json::word);
        let role = match (word("role"), word("type")) {
            (Some(role), _) if words::find(&words::ROLES, role).is_none() && is_named_after_tool(m) => Some("tool"),
            (Some(role), _) => words::find(&words::ROLES, role),
            (None, None) if is_named_after_tool(m) || m.get("tool_call_id").is_some() => Some("tool"),
            (None, kind) => {
                let kind = kind.unwrap_or_default();
                text::lookup(ITEM_ROLES, kind).or_else(|| words::find(&words::ROLES, kind)).or_else(|| match () {
                    () if kind.ends_with(b"_call_output") => Some("tool"),
                    () if is_item(m) && !text::is(kind, "message") => Some("assistant"),
                    () => None,
                })
            }
        };
        let role = role.unwrap_or(self.side.role());
        // OpenInference's Anthropic has the result of a tool in the user's name.
        let role = if role == "user" && m.get("tool_call_id").is_some_and(|id| id.is_string()) { "tool" } else { role };
        self.message_as(m, role)
    }

    fn message_as(&mut self, m: Json<'a>, role: &str) -> Option<()> {
        self.open(role);
        if m.get("role").is_none() && is_item(m) && !m.get("type").is_some_and(|t| t.is("message")) {
            self.raw(",\"parts\":[");
            self.part(m);
            self.close();
            return Some(());
        }
        // Neither that of a message nor its role.
        let kind = m.get("type").and_then(Json::word).filter(|kind| *kind != b"message" && words::find(&words::ROLES, kind).is_none());
        // trpc-agent-go: they hold in place of the content.
        let parts = m.get("content_parts").filter(|parts| !parts.is_empty());
        let is_result = role == "tool" && m.get("parts").is_none_or(|parts| is_text_of_result(m, parts)) && is_tool_result(m);
        if !is_result {
            let is_answer = self.answer == Some(m.source().as_ptr());
            let is_output = self.side == Side::Output;
            self.rest_but(m, &|key, value| match text::as_keyword(key) {
                "type" => kind.is_none() || m.any(CONTENTS).is_none(),
                "text" => m.any(CONTENTS).is_none(),
                "tool_calls" | "invalid_tool_calls" | "files" | "images" => value.is_array(),
                "function_call" => m.get("tool_calls").is_none_or(|calls| calls.is_empty()),
                "refusal" => value.is_string(),
                "audio" => value.is_object(),
                "id" | "model" | "object" | "status" | "tools" | "functions" => is_answer,
                _ => [MEMBERS, CONTENTS, THOUGHTS].iter().any(|said| text::any(key, said)) || is_output && text::any(key, REASONS),
            });
        }
        self.raw(",\"parts\":[");
        self.announced = m.get("tool_calls");
        let extra = m.get("additional_kwargs");
        let kept = extra.and_then(|extra| extra.get("reasoning_content"));
        let mut last = None;
        for thought in THOUGHTS.iter().filter_map(|key| m.get(key)).chain(kept) {
            // The same thought may stand under two names.
            if last.replace(thought.source()) != Some(thought.source()) {
                self.reasoning(thought);
            }
        }
        if is_result {
            self.tool_response(m);
        } else if let Some(content) = parts.or_else(|| m.any(CONTENTS)).or_else(|| m.get("text").filter(|_| kind.is_none())) {
            self.content(content);
        } else if kind.is_some() {
            self.part(m);
        }
        // Beside the content: Dify's, and those that a model of the Vercel SDK made, which only their media type tells.
        for file in m.get("files").into_iter().flat_map(|files| files.items()) {
            match file.any(&["mediaType", "mimeType"]) {
                Some(_) => self.media(parts::modality_of(file), file, None),
                None => self.part(file),
            }
        }
        // Beside the content: those of OpenRouter, LiteLLM and Ollama, and what OpenAI's models say aloud.
        for image in m.get("images").into_iter().flat_map(|images| images.items()) {
            if image.get("type").is_some() { self.part(image) } else { self.media("image", image, None) }
        }
        if let Some(audio) = m.get("audio").filter(|a| a.is_object() && !is_result) {
            self.audio(audio);
        }
        let calls = m.get("tool_calls").filter(|c| !c.is_empty()).or_else(|| extra?.get("tool_calls"));
        if let Some(calls) = calls {
            // OpenInference writes them once more among the contents.
            let id = |call: Json<'a>| unwrapped(call, "tool_call").get("id").and_then(|id| id.word());
            let said =
                |call| m.get("contents").is_some_and(|c| c.items().any(|part| part.get("tool_call").is_some() && id(part) == id(call)));
            calls.items().filter(|call| id(*call).is_none() || !said(*call)).for_each(|call| self.tool_call(call));
        }
        if let Some(calls) = m.get("invalid_tool_calls") {
            calls.items().for_each(|call| self.tool_call(call));
        }
        if let Some(call) = m.get("function_call").or_else(|| extra?.get("function_call")).filter(|_| calls.is_none()) {
            self.tool_call(call);
        }
        // OpenInference's form of OpenAI's first function calls.
        if let Some(name) = m.get("function_call_name") {
            self.start_part("tool_call");
            self.field("name", name);
            self.arguments(m.get("function_call_arguments_json"));
            self.raw("}");
        }
        if let Some(refusal) = m.get("refusal").filter(|r| r.is_string() && !r.is_empty()) {
            self.field_part("text", "content", refusal);
        }
        self.announced = None;
        if self.parts == 0 && m.get("content").is_some_and(|c| c.is_string()) {
            self.text_part(b"");
        }
        self.close();
        Some(())
    }
}

#[cfg(test)]
mod tests;
