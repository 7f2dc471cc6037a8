//! OpenInference, for Phoenix and Arize: lists are spread over indexed keys, parameters are one JSON object.

use super::compose::{self, Composed, PARAMETERS, PartKind, Source};
use super::{Table, keys};
use crate::conventions::openinference::KINDS;
use crate::genai::{Field, Kind};
use crate::json::{self, Json};
use crate::span::Value;
use crate::text;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// The span kind, and whether it tells the kind back.
fn says(kind: Kind) -> (&'static str, bool) {
    let known = KINDS.iter().find(|(_, known)| *known == kind);
    let word = match kind.span_kind() {
        "MEMORY" => "RETRIEVER",
        "WORKFLOW" | "TASK" | "" => "CHAIN",
        word => word,
    };
    // Where OTel has no word either, the source's own stays.
    known.map_or((word, false), |(word, _)| (word, !kind.operation().is_empty()))
}

/// OTel's words for providers that have others here: who serves the model, and whose it is (empty: that depends on the model). Phoenix finds prices
/// by these. Source: OpenInference's semantic conventions, `llm.provider` and `llm.system`.
const PROVIDERS: &[(&str, [&str; 2])] = &[
    ("aws.bedrock", ["aws", ""]),
    ("azure.ai.inference", ["azure", ""]),
    ("azure.ai.openai", ["azure", "openai"]),
    ("gcp.gemini", ["google", "vertexai"]),
    ("gcp.gen_ai", ["google", "vertexai"]),
    ("gcp.vertex_ai", ["google", "vertexai"]),
    ("mistral_ai", ["mistralai", "mistralai"]),
    ("x_ai", ["xai", "xai"]),
];

const INPUT_MESSAGES: &str = "llm.input_messages.";
const OUTPUT_MESSAGES: &str = "llm.output_messages.";
const TOOLS: &str = "llm.tools.";
const DOCUMENTS: &str = "retrieval.documents.";
const TEXTS: &str = "embedding.embeddings.";

/// Spreads messages over indexed keys.
struct Messages<'c, 'a> {
    list: &'static str,
    count: usize,
    origin: u16,
    out: &'c mut Composed<'a>,
    arena: &'a Bump,
    /// Nothing was lost or moved.
    whole: bool,
}

impl<'a> Messages<'_, 'a> {
    fn leaf(&mut self, name: &str, value: Json<'a>) {
        let text = value.text(self.arena).unwrap_or_else(|| value.to_text(self.arena));
        self.text(name, text);
    }

    fn text(&mut self, name: &str, text: &'a [u8]) {
        self.out.put_leaf(self.list, format_args!("{}.message.{name}", self.count), Value::Str(text), self.origin);
    }

    /// A member of a message that has no key: the source of the messages stays.
    fn lacks_keys(&mut self, of: Json, known: &[&str]) {
        self.whole &= of.entries().all(|(key, _)| text::any(key, known));
    }

    /// Each result is a message of its own, before the rest or after it.
    fn message(&mut self, m: Json<'a>) {
        let of = |kind: PartKind| compose::parts(m).filter(move |part| compose::part_kind(*part) == kind);
        let first = compose::leading_results(m);
        of(PartKind::Result).take(first).for_each(|result| self.result(result));
        self.lacks_keys(m, &["role", "name", "parts"]);
        if compose::parts(m).next().is_some() && compose::parts(m).all(|part| compose::part_kind(part) == PartKind::Result) {
            return;
        }
        self.whole &= of(PartKind::Result).next().is_none();
        if let Some(role) = m.get("role") {
            self.leaf("role", role);
        }
        if let Some(name) = m.get("name") {
            self.leaf("name", name);
        }
        self.contents(m);
        for (k, call) in of(PartKind::Call).enumerate() {
            for (name, member) in [("id", "id"), ("function.name", "name")] {
                if let Some(value) = call.get(member) {
                    self.leaf(&format!("tool_calls.{k}.tool_call.{name}"), value);
                }
            }
            if let Some(arguments) = compose::arguments(call, self.arena) {
                self.text(&format!("tool_calls.{k}.tool_call.function.arguments"), arguments);
            }
            self.lacks_keys(call, &["type", "id", "name", "arguments"]);
        }
        self.count += 1;
        of(PartKind::Result).skip(first).for_each(|result| self.result(result));
    }

    fn result(&mut self, result: Json<'a>) {
        self.text("role", b"tool");
        for (name, member) in [("tool_call_id", "id"), ("name", "name")] {
            if let Some(value) = result.get(member) {
                self.leaf(name, value);
            }
        }
        if let Some(response) = compose::response(result) {
            // It is text there.
            self.whole &= response.is_string();
            self.leaf("content", response);
        }
        self.lacks_keys(result, &["type", "id", "name", "response"]);
        self.count += 1;
    }

    /// What a message says and shows: one text as its content, else one content for each part.
    fn contents(&mut self, m: Json<'a>) {
        let mut shown = compose::parts(m).filter(|part| !matches!(compose::part_kind(*part), PartKind::Call | PartKind::Result));
        let first = shown.next();
        let only = first.filter(|_| shown.next().is_none());
        if let Some(text) = only.filter(|part| compose::part_kind(*part) == PartKind::Text).and_then(|part| part.get("content")) {
            self.leaf("content", text);
            only.into_iter().for_each(|part| self.lacks_keys(part, &["type", "content"]));
        } else {
            let mut j = 0;
            let mut had_call = false;
            for part in compose::parts(m) {
                match compose::part_kind(part) {
                    PartKind::Call => had_call = true,
                    PartKind::Result => {}
                    kind => {
                        // A content after a call stands before it then.
                        self.whole &= !had_call;
                        self.part(part, kind, j);
                        j += 1;
                    }
                }
            }
        }
    }

    fn part(&mut self, part: Json<'a>, kind: PartKind, j: usize) {
        let name = |name: &str| format!("contents.{j}.message_content.{name}");
        let kind_of = match kind {
            PartKind::Media => compose::modality(part).as_bytes(),
            _ => compose::part_type(part),
        };
        self.text(&name("type"), kind_of);
        match kind {
            PartKind::Media => {
                let modality = compose::modality(part);
                let url = compose::url(part, self.arena).unwrap_or_default();
                self.text(&name(&format!("{modality}.{modality}.url")), url);
                // The media type stands in a `data:` URL alone.
                let has_type = compose::mime_type(part).is_some();
                self.whole &= has_type == part.get("content").is_some() && modality != "document";
                self.lacks_keys(part, &["type", "modality", "mime_type", "media_type", "uri", "content"]);
            }
            PartKind::Other => {
                let said = part.any(&["text", "content"]).filter(|said| said.is_string()).unwrap_or(part);
                self.leaf(&name("text"), said);
                self.whole = false;
            }
            _ => {
                for (leaf, member) in REASONING {
                    if let Some(value) = part.get(member) {
                        self.leaf(&name(leaf), value);
                    }
                }
                self.lacks_keys(part, &["type", "content", "id", "signature", "data", "encrypted_content"]);
            }
        }
    }
}

/// The members of a text or a thought, and the names of their keys.
const REASONING: &[(&str, &str)] =
    &[("text", "content"), ("id", "id"), ("signature", "signature"), ("data", "data"), ("encrypted_content", "encrypted_content")];

fn messages<'a>(s: &Source<'_, 'a>, field: Field, list: &'static str, out: &mut Composed<'a>) {
    let parsed = |field| s.c.text(field).and_then(|text| json::parse(text, s.arena)).filter(|j: &Json| j.is_array());
    let said = parsed(field);
    // Instructions alone are not a conversation: what the user said stands elsewhere.
    let has_messages = said.is_some_and(|list| !list.is_empty());
    let instructions = parsed(Field::SystemInstructions).filter(|_| field == Field::InputMessages && has_messages);
    let mut spread = Messages { list, count: 0, origin: s.c.origin(field), out, arena: s.arena, whole: true };
    if let Some(parts) = instructions {
        spread.text("role", b"system");
        for (j, part) in parts.items().enumerate() {
            spread.whole &= compose::part_type(part) == b"text";
            if let Some(content) = part.get("content") {
                spread.text(&format!("contents.{j}.message_content.type"), b"text");
                spread.leaf(&format!("contents.{j}.message_content.text"), content);
            }
        }
        spread.count += 1;
    }
    said.into_iter().flat_map(|list| list.items()).for_each(|m| spread.message(m));
    if spread.whole {
        out.say(field);
        if instructions.is_some() {
            out.say(Field::SystemInstructions);
        }
    }
}

/// The value of the span itself, and whether it is JSON.
fn put_value<'a>(keys: [&'static str; 2], text: &'a [u8], origin: u16, s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let is_json = json::parse(text, s.arena).is_some_and(|j| j.is_object() || j.is_array());
    out.put_text(keys[0], text, origin);
    out.put_text(keys[1], if is_json { b"application/json" } else { b"text/plain" }, origin);
}

fn values<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let c = s.c;
    let sides = [
        (
            ["input.value", "input.mime_type"],
            Field::InputMessages,
            [Field::EntityInput, Field::ToolCallArguments, Field::RetrievalQuery, Field::RerankQuery],
        ),
        (
            ["output.value", "output.mime_type"],
            Field::OutputMessages,
            [Field::EntityOutput, Field::ToolCallResult, Field::RetrievalDocuments, Field::RetrievalDocuments],
        ),
    ];
    let of_model = c.kind.is_some_and(Kind::is_generation);
    for (keys, messages, fields) in sides {
        // The messages of a model say all that went in, or came out, and other attributes may have a part of it: the parameters, one of several tool
        // calls. So may a text beside messages of several parts, on any span.
        let parts = || {
            let list = c.text(messages).and_then(|text| json::parse(text, s.arena));
            list.map_or(0, |list| list.items().filter_map(|message| message.get("parts")).map(|parts| parts.items().count()).sum())
        };
        let says_less = |field| {
            let text = c.text(field).unwrap_or_default();
            let elsewhere = of_model && c.origin(field) != c.origin(messages);
            c.has(messages) && (elsewhere || text.is_empty() || !text.starts_with(b"{") && !text.starts_with(b"[") && parts() > 1)
        };
        if let Some(field) = fields.into_iter().find(|field| c.has(*field) && !says_less(*field)) {
            let text = c.text(field).unwrap_or_default();
            put_value(keys, text, c.origin(field), s, out);
            if matches!(field, Field::ToolCallResult | Field::RetrievalQuery) {
                out.say(field);
            }
        } else if let Some(chat) = compose::chat(c, messages, s.arena) {
            let text = if messages == Field::InputMessages { chat.list() } else { chat.answer() };
            put_value(keys, text, c.origin(messages), s, out);
        }
    }
}

/// Each document by its index.
fn documents<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let Some(list) = s.c.text(Field::RetrievalDocuments).and_then(|text| json::parse(text, s.arena)) else { return };
    let origin = s.c.origin(Field::RetrievalDocuments);
    for (i, document) in list.items().enumerate() {
        for member in ["id", "score", "content", "metadata"] {
            if let Some(value) = document.get(member) {
                let score = value.as_f64().filter(|_| member == "score").map(Value::Double);
                let text = || Value::Str(value.text(s.arena).unwrap_or_else(|| value.to_text(s.arena)));
                out.put_leaf(DOCUMENTS, format_args!("{i}.document.{member}"), score.unwrap_or_else(text), origin);
            }
        }
    }
    out.say(Field::RetrievalDocuments);
}

/// The texts that were embedded, in whatever they are wrapped. Source: what the AI SDK, Genkit, Pydantic AI and OpenAI's SDK write.
fn embedded<'a>(json: Json<'a>, texts: &mut BumpVec<'a, &'a [u8]>, arena: &'a Bump) {
    if json.is_string() {
        texts.extend(json.text(arena));
    } else if json.is_array() {
        json.items().for_each(|item| embedded(item, texts, arena));
    } else if let Some(inner) = json.any(&["text", "content", "input", "inputs", "values", "value", "texts", "documents"]) {
        embedded(inner, texts, arena);
    }
}

fn compose<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let c = s.c;
    let (asked, answered) = (c.get(Field::RequestModel), c.get(Field::ResponseModel));
    match c.kind {
        Some(Kind::Embeddings) => out.put_field(c, "embedding.model_name", Field::RequestModel),
        Some(Kind::Rerank) => out.put_field(c, "reranker.model_name", Field::RequestModel),
        Some(kind) if kind.is_generation() => {
            out.put_field(c, "llm.request.model_name", Field::RequestModel);
            if let Some(model) = answered.or(asked) {
                out.put("llm.model_name", model, compose::origin(c, &[Field::ResponseModel, Field::RequestModel]));
            }
        }
        // Phoenix needs the model to know what the tokens cost.
        _ if !c.aggregated && (c.has(Field::InputTokens) || c.has(Field::OutputTokens)) => {
            if let Some(model) = answered.or(asked) {
                out.put("llm.model_name", model, compose::origin(c, &[Field::ResponseModel, Field::RequestModel]));
            }
        }
        _ => {}
    }
    if let Some(provider) = c.text(Field::Provider) {
        let words = text::lookup(PROVIDERS, provider).map_or([provider; 2], |[provider, system]| [provider.as_bytes(), system.as_bytes()]);
        for (key, word) in ["llm.provider", "llm.system"].into_iter().zip(words).filter(|(_, word)| !word.is_empty()) {
            out.put_text(key, word, c.origin(Field::Provider));
        }
        out.say(Field::Provider);
    }
    if let Some(text) = compose::object(s, PARAMETERS, out) {
        let fields: Vec<_> = PARAMETERS.iter().map(|(_, field)| *field).collect();
        let key = if c.kind == Some(Kind::Embeddings) { "embedding.invocation_parameters" } else { "llm.invocation_parameters" };
        out.put_text(key, text, compose::origin(c, &fields));
    }
    if let Some(Value::Array([reason, ..])) = c.get(Field::FinishReasons) {
        out.put("llm.finish_reason", *reason, c.origin(Field::FinishReasons));
        out.say(Field::FinishReasons);
    }
    values(s, out);
    messages(s, Field::InputMessages, INPUT_MESSAGES, out);
    messages(s, Field::OutputMessages, OUTPUT_MESSAGES, out);
    if let Some(tools) = c.text(Field::ToolDefinitions).and_then(|text| json::parse(text, s.arena)) {
        for (i, tool) in tools.items().enumerate() {
            let schema = Value::Str(compose::function(tool, s.arena));
            out.put_leaf(TOOLS, format_args!("{i}.tool.json_schema"), schema, c.origin(Field::ToolDefinitions));
        }
        out.say(Field::ToolDefinitions);
    }
    documents(s, out);
    if let Some(input) = c.text(Field::EntityInput).filter(|_| c.kind == Some(Kind::Embeddings)) {
        let mut texts = BumpVec::new_in(s.arena);
        if let Some(json) = json::parse(input, s.arena) {
            embedded(json, &mut texts, s.arena);
        }
        if texts.is_empty() {
            texts.push(input);
        }
        for (i, text) in texts.into_iter().enumerate() {
            out.put_leaf(TEXTS, format_args!("{i}.embedding.text"), Value::Str(text), c.origin(Field::EntityInput));
        }
    }
    out.event = compose::first_chunk(s).map(|time| (time, "First Token Stream Event"));
    if out.event.is_some() {
        out.say(Field::TimeToFirstChunk);
    }
}

pub const TABLE: Table = Table {
    name: "openinference",
    endpoint: "http://localhost:6006/v1/traces",
    keys: keys!(&[
        (Field::ResponseModel, &["llm.response.model_name"]),
        (Field::InputTokens, &["llm.token_count.prompt"]),
        (Field::OutputTokens, &["llm.token_count.completion"]),
        (Field::TotalTokens, &["llm.token_count.total"]),
        (Field::CacheReadTokens, &["llm.token_count.prompt_details.cache_read"]),
        (Field::CacheWriteTokens, &["llm.token_count.prompt_details.cache_write"]),
        (Field::AudioInputTokens, &["llm.token_count.prompt_details.audio"]),
        (Field::ReasoningTokens, &["llm.token_count.completion_details.reasoning"]),
        (Field::AudioOutputTokens, &["llm.token_count.completion_details.audio"]),
        (Field::Cost, &["llm.cost.total"]),
        (Field::InputCost, &["llm.cost.prompt"]),
        (Field::OutputCost, &["llm.cost.completion"]),
        (Field::ToolName, &["tool.name"]),
        (Field::ToolDescription, &["tool.description"]),
        (Field::ToolCallId, &["tool.id"]),
        (Field::ToolCallArguments, &["tool.parameters"]),
        (Field::AgentName, &["agent.name"]),
        (Field::SessionId, &["session.id"]),
        (Field::UserId, &["user.id"]),
        (Field::RerankQuery, &["reranker.query"]),
        (Field::RerankTopN, &["reranker.top_k"]),
        (Field::PromptName, &["prompt.id"]),
        (Field::PromptVersion, &["llm.prompt_template.version"]),
        (Field::PromptTemplate, &["llm.prompt_template.template"]),
        (Field::PromptVariables, &["llm.prompt_template.variables"]),
    ]),
    operation: None,
    kind: Some(("openinference.span.kind", says)),
    unknown_kind: "CHAIN",
    names: &["llm.provider", "llm.system"],
    trace: Some(["input.value", "output.value"]),
    objects: &["llm.invocation_parameters", "embedding.invocation_parameters"],
    complete: Some(super::conversation_is_session),
    compose: Some(compose),
    ..Table::EMPTY
};
