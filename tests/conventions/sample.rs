//! From a row of `mapping.csv` to sample spans, and to what the row says must come out of them.

use crate::csv;
use crate::expect::{Case, Expect, What};
use crate::sources::{of_kind, prove};
use crate::span::{AFTER, AFTER_ISO, Source};
use crate::special;
use serde_json::{Value as Json, json};
use std::sync::OnceLock;

/// A row of `mapping.csv`.
pub struct Row {
    pub convention: String,
    pub key: String,
    pub ty: String,
    pub target: String,
    pub target_type: String,
    pub transform: String,
    pub note: String,
}

pub fn rows() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    let row = |mut fields: Vec<String>| {
        fields.truncate(7);
        let [convention, key, ty, target, target_type, transform, note]: [String; 7] = fields.try_into().expect("seven columns");
        Row { convention, key, ty, target, target_type, transform, note }
    };
    ROWS.get_or_init(|| csv::all("mapping").into_iter().map(row).collect())
}

pub const ARGUMENTS: &str = r#"{"city":"Paris"}"#;
pub const QUESTION: &str = "Where is Paris?";
pub const ANSWER: &str = "Paris is in France.";
const INSTRUCTION: &str = "Be brief.";

pub fn text(json: Json) -> Json {
    Json::from(json.to_string())
}

pub fn tool() -> Json {
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    json!({"type": "function", "function": {"name": "get_weather", "description": "weather of a city", "parameters": parameters}})
}

fn document() -> Json {
    json!({"id": "d1", "score": 0.5, "content": ANSWER})
}

impl Row {
    /// The sample spans of the row; the row is honoured if all come out as they must.
    pub fn cases(&self) -> Vec<Case> {
        special::cases(self).unwrap_or_else(|| {
            if let Some(scopes) = self.key.strip_prefix("scope.name=") {
                return scopes.split('|').map(of_scope).collect();
            }
            vec![if self.key.starts_with("event") {
                self.of_event()
            } else if self.key.contains("{i}") {
                self.of_list()
            } else {
                self.of_attribute()
            }]
        })
    }

    /// The key without the remark in parentheses, and the remark.
    fn key_and_remark(&self) -> (&str, &str) {
        match self.key.split_once(" (") {
            Some((key, remark)) => (key, remark.trim_end_matches(')')),
            None => (&self.key, ""),
        }
    }

    /// The kind of span on which the row means what it says.
    pub fn kind(&self) -> &'static str {
        let (_, remark) = self.key_and_remark();
        let remark = remark.to_lowercase();
        let said =
            [("tool", "TOOL"), ("retriev", "RETRIEVER"), ("embed", "EMBEDDING"), ("llm", "LLM"), ("model", "LLM"), ("agent", "AGENT")];
        if let Some((_, kind)) = said.iter().find(|(word, _)| remark.contains(word)) {
            return kind;
        }
        let of = |prefix: &str| self.target.starts_with(prefix);
        match () {
            () if of("gen_ai.tool.definitions") => "LLM",
            () if of("gen_ai.tool.") => "TOOL",
            () if of("gen_ai.retrieval.") || of("gen_ai.data_source") => "RETRIEVER",
            () if of("gen_ai.embeddings.") => "EMBEDDING",
            () if of("rerank.") || of("(rerank") || self.target.ends_with("rerank.model_name") => "RERANKER",
            () if self.target.ends_with("embedding.model_name") => "EMBEDDING",
            () if of("gen_ai.agent.") => "AGENT",
            () if of("gen_ai.entity.") => "CHAIN",
            () => "LLM",
        }
    }

    /// Adds to the row's own part of the span what makes it one of the convention.
    pub fn complete(&self, source: Source) -> Source {
        let derived = self.target.contains("gen_ai.operation.name") || self.target.contains("gen_ai.span.kind");
        let source = prove(&self.convention, source);
        if derived { source } else { of_kind(&self.convention, self.kind(), source) }
    }

    pub fn case(&self, source: Source, expected: Vec<Expect>) -> Case {
        Case { source: self.complete(source), expected }
    }

    /// A value as the source writes it.
    fn written(&self, logical: Json) -> Json {
        let as_text = |json: &Json| json.as_str().map_or_else(|| json.to_string(), str::to_owned);
        match self.ty.as_str() {
            "json-string" | "json" | "string[] or json" | "string[] or json-string" | "json-string or string[]" => text(logical),
            "any/json-string" | "json-string or string" | "string or json-string" | "string or json" | "mixed" | "any"
                if logical.is_array() || logical.is_object() =>
            {
                text(logical)
            }
            "string" | "string or int" | "string or number" | "boolean or string" | "bool or string" => match logical {
                Json::Array(items) if self.note.contains("joined") => Json::from(items.iter().map(as_text).collect::<Vec<_>>().join(", ")),
                Json::Array(items) if items.len() == 1 && !self.note.contains("rendered") && items[0].is_string() => items[0].clone(),
                logical => Json::from(as_text(&logical)),
            },
            "string[]" if !logical.is_array() => json!([logical]),
            "string[] of json" => match logical {
                Json::Array(items) => items.into_iter().map(text).collect(),
                logical => json!([logical.to_string()]),
            },
            "double" => logical.as_i64().map_or(logical.clone(), |n| Json::from(n as f64)),
            _ => logical,
        }
    }

    /// What the source says, and what the target must say then.
    pub fn sample(&self, target: &str) -> (Json, What) {
        let is_text = self.ty == "string";
        let is = |value: Json| (value.clone(), What::Is(value));
        match self.transform.as_str() {
            "unit-ms→s" => return (json!(250), What::Is(json!(AFTER))),
            "unit-us→s" => return (json!(250_000), What::Is(json!(AFTER))),
            "unit-ns→s" => return (json!(250_000_000), What::Is(json!(AFTER))),
            "timestamp-diff→s" => return (json!(AFTER_ISO), What::Is(json!(AFTER))),
            "count" => return (json!([0.25, 0.5, 0.75]), What::Is(json!(3))),
            "url-host" => return (json!("https://api.openai.com/v1/"), What::Is(json!("api.openai.com"))),
            "host-map" => {
                let host = if self.key.contains("url") { "https://api.openai.com/v1/chat" } else { "api.openai.com" };
                return (json!(host), What::Is(json!("openai")));
            }
            _ => {}
        }
        match target {
            "gen_ai.input.messages" if is_text => (json!(QUESTION), What::Message(Some("user"), vec![QUESTION.into()])),
            "gen_ai.input.messages" => (json!([{"role": "user", "content": QUESTION}]), What::Message(Some("user"), vec![QUESTION.into()])),
            "gen_ai.output.messages" if is_text => (json!(ANSWER), What::Message(Some("assistant"), vec![ANSWER.into()])),
            "gen_ai.output.messages" => {
                (json!([{"role": "assistant", "content": ANSWER}]), What::Message(Some("assistant"), vec![ANSWER.into()]))
            }
            "gen_ai.system_instructions" => {
                let expected = What::Json(json!([{"type": "text", "content": INSTRUCTION}]));
                (if is_text { json!(INSTRUCTION) } else { json!([{"type": "text", "content": INSTRUCTION}]) }, expected)
            }
            "gen_ai.tool.definitions" => (json!([tool()]), What::ListWith("get_weather".into())),
            "gen_ai.tool.call.arguments" | "gen_ai.tool.call.result" => {
                let value: Json = serde_json::from_str(ARGUMENTS).unwrap();
                (value.clone(), What::Json(value))
            }
            "gen_ai.retrieval.documents" => (json!([document()]), What::ListWith(ANSWER.into())),
            "gen_ai.memory.records" => (json!([document()]), What::Json(json!([document()]))),
            "gen_ai.response.finish_reasons" if self.note.contains("joined") => is(json!(["stop", "length"])),
            "gen_ai.response.finish_reasons" if self.note.contains("rendered") => (json!(["STOP"]), What::Is(json!(["stop"]))),
            "gen_ai.response.finish_reasons" if self.target_type == "string[]" => is(json!(["stop"])),
            "gen_ai.request.stop_sequences" if self.ty == "string" && !self.note.contains("rendered") => is(json!(["END"])),
            "gen_ai.request.stop_sequences" => is(json!(["END", "STOP"])),
            "gen_ai.request.encoding_formats" => is(json!(["float"])),
            "gen_ai.provider.name" => is(json!("openai")),
            "gen_ai.output.type" => is(json!("json")),
            "gen_ai.tool.type" => is(json!("function")),
            "gen_ai.request.reasoning.level" => is(json!("high")),
            "gen_ai.entity.input" if !is_text => (json!({"q": QUESTION}), What::Json(json!({"q": QUESTION}))),
            "gen_ai.entity.output" if !is_text => (json!({"a": ANSWER}), What::Json(json!({"a": ANSWER}))),
            "gen_ai.operation.name" | "gen_ai.span.kind" => self.kind_word(target),
            _ => match self.target_type.as_str() {
                "int" => is(json!(7)),
                "double" => is(json!(0.25)),
                "boolean" => is(json!(true)),
                "string[]" => is(json!(["sample-1"])),
                _ => match self.ty.as_str() {
                    "int" => (json!(7), What::Is(if self.target_type == "string" { json!("7") } else { json!(7) })),
                    "double" => is(json!(0.25)),
                    "boolean" => is(json!(true)),
                    "double[]" => is(json!([0.25, 0.5])),
                    "string[]" | "string[] or json-string" | "string[] or json" => is(json!(["sample-1"])),
                    "json-string" if self.target_type != "string" => is(json!({"a": "sample-1"})),
                    _ => is(json!("sample-1")),
                },
            },
        }
    }

    /// A word for a kind from `enums.csv`, the first that has this target.
    fn kind_word(&self, target: &str) -> (Json, What) {
        let column = if target == "gen_ai.span.kind" { 5 } else { 4 };
        let rows = csv::enums();
        let of = |own: bool| {
            rows.iter().find(|row| {
                row[0] == "span_kind"
                    && row[2].split('|').any(|key| key == self.key)
                    && (!own || row[1] == self.convention)
                    && !row[4].is_empty()
                    && !row[5].is_empty()
            })
        };
        match of(true).or_else(|| of(false)) {
            Some(row) => (json!(row[3]), What::Is(json!(row[column]))),
            None if column == 5 => (json!("LLM"), What::Is(json!("LLM"))),
            None => (json!("chat"), What::Is(json!("chat"))),
        }
    }

    fn targets(&self) -> impl Iterator<Item = &str> {
        self.target.split(';').map(str::trim)
    }

    /// What the row's target says of an attribute with this key and value.
    pub fn expect(&self, key: &str, value: &Json, whats: Vec<(String, What)>) -> Vec<Expect> {
        let kept = || vec![Expect::Kept(key.into())];
        match self.target.as_str() {
            "(drop)" => vec![Expect::Gone(key.into())],
            "(recognise)" => vec![Expect::Recognised],
            "(entry-hint)" => vec![Expect::Entry],
            "(span.status.message)" => vec![Expect::StatusMessage(value.as_str().unwrap_or_default().into())],
            "(span.status)" => vec![Expect::Failed],
            target if target.starts_with('(') => kept(),
            _ if self.transform == "drop" => vec![Expect::Absent(self.target.clone())],
            _ => whats.into_iter().map(|(target, what)| Expect::Target(target, what)).collect(),
        }
    }

    fn of_attribute(&self) -> Case {
        let (key, remark) = self.key_and_remark();
        let key = key.split_once('=').map_or(key, |(key, _)| key).replace("{type}", "agent_run").replace("{provider}", "openai");
        let fixed = self.key.split_once('=').filter(|_| remark.is_empty()).map(|(_, value)| json!(value));
        let first = self.targets().next().unwrap();
        let logical = fixed.clone().unwrap_or_else(|| self.sample(first).0);
        let whats = self.targets().map(|target| (self.suffixed(target), self.sample(target).1)).collect();
        let key = if key.ends_with('*') { key.replace('*', "sample") } else { key };
        if remark == "resource" {
            let source = Source { resource: vec![(key.clone(), json!("sample-1"))], ..Default::default() };
            return self.case(source, vec![Expect::ResourceKept(key)]);
        }
        if let Some((attribute, path)) = self.object_of(&key) {
            let value = path.rsplit('.').fold(self.in_json(logical), |inner, member| json!({ member: inner }));
            let value = text(value);
            let expected = self.expect(&attribute, &value, whats);
            return self.case(Source::default().with(&attribute, value), expected);
        }
        let value = self.written(logical);
        let expected = self.expect(&key, &value, whats);
        self.case(Source::default().with(&key, value), expected)
    }

    /// A pattern in the target means the same suffix as in the key.
    fn suffixed(&self, target: &str) -> String {
        target.replace('*', "sample")
    }

    /// Inside JSON a number stays a number.
    fn in_json(&self, logical: Json) -> Json {
        logical
    }

    /// The attribute that holds the object of which this key is a member, and the path in it.
    fn object_of(&self, key: &str) -> Option<(String, String)> {
        const OBJECTS: &[&str] =
            &["langfuse.observation.usage_details", "langfuse.observation.cost_details", "braintrust.metrics", "braintrust.metadata"];
        let known = OBJECTS.iter().find(|object| key.strip_prefix(**object).is_some_and(|path| path.starts_with('.')));
        let object = match known {
            Some(object) => (*object).to_owned(),
            None if self.ty == "json field" => rows()
                .iter()
                .filter(|row| row.convention == self.convention && row.ty.starts_with("json-string"))
                .map(|row| row.key_and_remark().0.to_owned())
                .filter(|object| key.strip_prefix(object.as_str()).is_some_and(|path| path.starts_with('.')))
                .max_by_key(String::len)?,
            None => return None,
        };
        let path = key[object.len() + 1..].to_owned();
        Some((object, path))
    }

    fn of_event(&self) -> Case {
        let rest = self.key.trim_start_matches("event:").trim_start_matches("event attr ");
        let (name, attributes) = match rest.split_once(" attr") {
            Some((name, attributes)) => (name, attributes.trim_start_matches('s').trim()),
            None if self.key.starts_with("event attr") => ("gen_ai.user.message", rest),
            None => (rest, ""),
        };
        let first = attributes.split([',', '|']).next().unwrap();
        let message = |role: &str, said: &str| json!({"role": role, "content": said});
        let whole = matches!(first, "gen_ai.event.content" | "message.detail");
        let (value, what) = match name {
            "gen_ai.system.message" => (json!(INSTRUCTION), None),
            "gen_ai.user.message" => (json!(QUESTION), Some(What::Message(Some("user"), vec![QUESTION.into()]))),
            "gen_ai.assistant.message" => (json!(ANSWER), Some(What::Message(Some("assistant"), vec![ANSWER.into()]))),
            "gen_ai.tool.message" => (json!("26C"), Some(What::Message(Some("tool"), vec!["26C".into()]))),
            "gen_ai.choice" if self.target.contains("finish_reasons") => (json!("stop"), None),
            "gen_ai.choice" => (json!(ANSWER), Some(What::Message(Some("assistant"), vec![ANSWER.into()]))),
            _ => (self.written(self.sample(&self.target).0), None),
        };
        let role = name.split('.').nth(1).map_or("user", |role| if role == "choice" { "assistant" } else { role });
        let said = value.as_str().unwrap_or_default().to_owned();
        let attributes: Vec<(&str, Json)> = match (name, first) {
            ("exception", _) => vec![("exception.type", json!("sample-1")), ("exception.message", json!("it failed"))],
            ("gen_ai.choice", "") | ("gen_ai.choice", "message") => {
                vec![("finish_reason", json!("stop")), ("index", json!(0)), ("message", text(message(role, &said)))]
            }
            ("gen_ai.choice", _) if whole => {
                vec![(first, text(json!({"index": 0, "finish_reason": "stop", "message": message(role, &said)})))]
            }
            (_, _) if whole && name.ends_with(".message") => vec![(first, text(message(role, &said)))],
            ("gen_ai.tool.message", _) => vec![("content", value.clone()), ("id", json!("call_1"))],
            (_, "") if name.ends_with(".message") => vec![("content", value.clone())],
            (_, "") => vec![("sample", json!("sample-1"))],
            _ => vec![(first, value.clone())],
        };
        let whats = self.targets().map(|target| (target.to_owned(), self.sample(target).1)).collect::<Vec<_>>();
        let expected = match self.target.as_str() {
            "(drop)" => vec![Expect::EventGone(name.into())],
            target if target.starts_with('(') => vec![Expect::EventKept(name.into())],
            target => match what {
                Some(what) => vec![Expect::Target(target.into(), what)],
                None => whats.into_iter().map(|(target, what)| Expect::Target(target, what)).collect(),
            },
        };
        let source = Source { failed: name == "exception", ..Default::default() };
        self.case(source.event(name, &attributes), expected)
    }

    /// A leaf of a flattened list, with the leaves beside it that make a whole item.
    fn of_list(&self) -> Case {
        let key = self.key.replace("{i}", "0").replace("{j}", "0").replace("{k}", "0").replace(".*", ".sample");
        let (list, leaf) = self.key.split_once("{i}.").expect("a list");
        let item = format!("{list}0.");
        let lower = list.to_lowercase();
        let sent = !["output", "completion", "choices"].iter().any(|word| lower.contains(word));
        let role = if sent { "user" } else { "assistant" };
        let said = if sent { QUESTION } else { ANSWER };
        // OpenInference puts the fields below the name of the item.
        let inner = ["message.", "document.", "tool.", "prompt.", "completion.", "embedding.", "annotation.", "evaluation."]
            .into_iter()
            .find(|inner| leaf.starts_with(inner))
            .unwrap_or_default();
        let field = &leaf[inner.len()..];
        let at = |path: &str| format!("{item}{inner}{path}");
        let mut source = Source::default();
        let mut put = |key: String, value: Json| source = std::mem::take(&mut source).with(&key, value);
        let function = |path: &str| format!("{item}{inner}tool_calls.0.{path}");
        let open_inference = inner == "message.";
        let call = if open_inference {
            ["tool_call.id", "tool_call.function.name", "tool_call.function.arguments"]
        } else {
            ["id", "name", "arguments"]
        };
        let content = |path: &str| format!("{item}{inner}contents.0.{path}");
        let texts: Vec<String> = match (self.target.as_str(), field) {
            ("gen_ai.input.messages" | "gen_ai.output.messages", field) => {
                let f = field;
                let mut role = role;
                let texts = match () {
                    () if f.starts_with("tool_calls") => {
                        role = "assistant";
                        put(function(call[0]), json!("call_1"));
                        put(function(call[1]), json!("get_weather"));
                        put(function(call[2]), json!(ARGUMENTS));
                        if f.ends_with("reasoning_signature") {
                            put(function("tool_call.reasoning_signature"), json!("c2ln"));
                            vec!["c2ln".into()]
                        } else {
                            vec!["tool_call".into(), "call_1".into(), "get_weather".into(), "Paris".into()]
                        }
                    }
                    () if f.contains("function_call") => {
                        role = "assistant";
                        let names = if open_inference {
                            ["function_call_name", "function_call_arguments_json"]
                        } else {
                            ["function_call.name", "function_call.arguments"]
                        };
                        put(at(names[0]), json!("get_weather"));
                        put(at(names[1]), json!(ARGUMENTS));
                        vec!["tool_call".into(), "get_weather".into(), "Paris".into()]
                    }
                    () if f == "tool_call_id" => {
                        role = "tool";
                        put(at("tool_call_id"), json!("call_1"));
                        put(at("content"), json!("26C"));
                        vec!["tool_call_response".into(), "call_1".into(), "26C".into()]
                    }
                    () if f.starts_with("contents.{k}.tool_call") => {
                        role = "assistant";
                        put(content("message_content.type"), json!("tool_use"));
                        put(content("tool_call.id"), json!("call_1"));
                        put(content("tool_call.function.name"), json!("get_weather"));
                        put(content("tool_call.function.arguments"), json!(ARGUMENTS));
                        vec!["tool_call".into(), "call_1".into(), "get_weather".into()]
                    }
                    () if f.contains("message_content.image") => {
                        put(content("message_content.type"), json!("image"));
                        put(content("message_content.image.image.url"), json!("https://example.com/paris.png"));
                        vec!["uri".into(), "image".into(), "https://example.com/paris.png".into()]
                    }
                    () if f.contains("message_content.audio") => {
                        put(content("message_content.type"), json!("audio"));
                        put(content("message_content.audio.audio.url"), json!("https://example.com/paris.wav"));
                        put(content("message_content.audio.audio.mime_type"), json!("audio/wav"));
                        put(content("message_content.audio.audio.transcript"), json!("to Paris"));
                        vec![if f.ends_with("mime_type") {
                            "audio/wav".into()
                        } else if f.ends_with("transcript") {
                            "to Paris".into()
                        } else {
                            "https://example.com/paris.wav".into()
                        }]
                    }
                    () if matches!(f.rsplit('.').next(), Some("signature" | "data" | "encrypted_content" | "id"))
                        && f.starts_with("contents") =>
                    {
                        role = "assistant";
                        let last = f.rsplit('.').next().unwrap();
                        put(content("message_content.type"), json!("reasoning"));
                        put(content(&format!("message_content.{last}")), json!("c2ln"));
                        if last != "data" {
                            put(content("message_content.text"), json!("thinking"));
                        }
                        vec!["reasoning".into(), if last == "data" { "reasoning".into() } else { "c2ln".into() }]
                    }
                    () if f.starts_with("contents") => {
                        put(content("message_content.type"), json!("text"));
                        put(content("message_content.text"), json!(said));
                        vec![said.into()]
                    }
                    () if f == "reasoning" => {
                        put(at("reasoning"), json!("thinking"));
                        put(at("content"), json!(said));
                        vec!["reasoning".into(), "thinking".into()]
                    }
                    () if f == "user" => {
                        put(at("user"), json!(said));
                        return self
                            .case(source, vec![Expect::Target(self.target.clone(), What::Message(Some("user"), vec![said.into()]))]);
                    }
                    () if f == "text" => {
                        put(at("text"), json!(said));
                        return self.case(source, vec![Expect::Target(self.target.clone(), What::Message(Some(role), vec![said.into()]))]);
                    }
                    () if f == "name" => {
                        put(at("name"), json!("sample-1"));
                        put(at("content"), json!(said));
                        vec!["sample-1".into()]
                    }
                    () => {
                        put(at("content"), json!(said));
                        vec![said.into()]
                    }
                };
                put(at("role"), json!(role));
                return self.case(source, vec![Expect::Target(self.target.clone(), What::Message(Some(role), texts))]);
            }
            ("gen_ai.tool.definitions", "json_schema") => {
                put(key.clone(), text(tool()));
                vec!["get_weather".into()]
            }
            ("gen_ai.tool.definitions", field) => {
                put(at("name"), json!("get_weather"));
                put(at("description"), json!("weather of a city"));
                let schema = if field == "input_schema" { field } else { "parameters" };
                put(at(schema), text(json!({"type": "object", "properties": {"city": {"type": "string"}}})));
                vec![match field {
                    "name" => "get_weather".into(),
                    "description" => "weather of a city".into(),
                    _ => "city".into(),
                }]
            }
            ("gen_ai.retrieval.documents" | "(rerank.input_documents)" | "(rerank.output_documents)", field) => {
                put(at("id"), json!("d1"));
                put(at("score"), json!(0.5));
                put(at("content"), json!(ANSWER));
                put(at("metadata"), text(json!({"page": "p-7"})));
                vec![match field {
                    "id" => "d1".into(),
                    "score" => "0.5".into(),
                    "metadata" => "p-7".into(),
                    _ => ANSWER.into(),
                }]
            }
            _ => vec![],
        };
        if let Some(text) = texts.first() {
            let expected = if self.target.starts_with('(') {
                vec![Expect::Kept(at("content"))]
            } else {
                vec![Expect::Target(self.target.clone(), What::ListWith(text.clone()))]
            };
            return self.case(source, expected);
        }
        let (logical, what) = self.sample(&self.target);
        let value = self.written(logical);
        let value = if self.target == "gen_ai.response.finish_reasons" { json!("stop") } else { value };
        let mut source = Source::default().with(&key, value.clone());
        if field == "finish_reason" {
            source = source.with(&at("role"), "assistant").with(&at("content"), ANSWER);
        }
        if self.transform == "attribute→event" {
            return self.case(source, vec![Expect::InEvent(self.target.clone(), value)]);
        }
        let expected = self.expect(&key, &value, vec![(self.target.clone(), what)]);
        self.case(source, expected)
    }
}

fn of_scope(scope: &str) -> Case {
    let source = Source { scope: scope.replace('*', "openai"), name: "call".into(), ..Default::default() };
    // The scope by itself makes no span LLM (rule 12).
    Case { source, expected: vec![Expect::Recognised] }
}
