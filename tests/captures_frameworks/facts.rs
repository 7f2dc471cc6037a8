//! What can be true of a span, in few words. All programs ask the same question, and the model answers it in two turns.

use serde_json::{Map, Value as Json, json};

/// One statement about a span. A later one wins; null takes a key back.
#[derive(Clone)]
pub enum Fact {
    /// Attributes of profile `otel`.
    Says(Json),
    /// `gen_ai.span.kind` in profile `tencent`, if any.
    Kind(&'static str),
    /// What went in and came out, as profile `tencent` shows it where it is not messages.
    InOut(Json, Json),
    /// Source attributes that no attribute of the profile says, by their keys in order; `metadata.*` for one or more of that name.
    Left(&'static [&'static str]),
    /// More of them.
    Also(&'static [&'static str]),
    /// All attributes of the source stay, and there are no others.
    AsItCame,
    /// Events that stay.
    Events(&'static [&'static str]),
}

use Fact::{Events, Kind, Left, Says};

#[derive(Default)]
pub struct Held {
    pub otel: Map<String, Json>,
    pub tencent: Map<String, Json>,
    pub left: Vec<String>,
    pub events: Vec<String>,
    pub as_it_came: bool,
}

/// What the facts say together.
pub fn merge(facts: &[Fact]) -> Held {
    let mut held = Held::default();
    for fact in facts {
        match fact {
            Says(Json::Object(says)) => held.otel.extend(says.clone()),
            Says(other) => panic!("{other}"),
            Kind(kind) => drop(held.tencent.insert("gen_ai.span.kind".into(), (*kind).into())),
            Fact::InOut(input, output) => {
                for (key, value) in [("gen_ai.entity.input", input), ("gen_ai.entity.output", output)] {
                    held.tencent.insert(key.into(), value.clone());
                }
            }
            Fact::Left(keys) => held.left = keys.iter().map(ToString::to_string).collect(),
            Fact::Also(keys) => held.left.extend(keys.iter().map(ToString::to_string)),
            Fact::AsItCame => held.as_it_came = true,
            Events(names) => held.events = names.iter().map(ToString::to_string).collect(),
        }
    }
    held.otel.retain(|_, value| !value.is_null());
    // Each message of an answer has the reason that the span has for it, once it has one.
    if let Some(Json::Array(reasons)) = held.otel.get("gen_ai.response.finish_reasons").cloned()
        && let Some(Json::Array(messages)) = held.otel.get_mut("gen_ai.output.messages")
    {
        for (i, message) in messages.iter_mut().filter_map(Json::as_object_mut).enumerate() {
            message.entry("finish_reason").or_insert(reasons.get(i).cloned().unwrap_or("".into()));
        }
    }
    held.left.sort_unstable();
    // What the children say is left to them.
    for (tencent, otel) in [("prompt_tokens", "gen_ai.usage.input_tokens"), ("completion_tokens", "gen_ai.usage.output_tokens")] {
        held.tencent.insert(format!("gen_ai.usage.{tencent}"), held.otel.get(otel).cloned().unwrap_or(Json::Null));
    }
    for key in ["gen_ai.is_entry", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.tool.name", "gen_ai.agent.name", "error.type"] {
        held.tencent.insert(key.into(), held.otel.get(key).cloned().unwrap_or(Json::Null));
    }
    held
}

pub fn text(role: &str, text: &str) -> Json {
    json!({"role": role, "parts": [{"type": "text", "content": text}]})
}

pub fn asked() -> Json {
    text("user", "深圳天气如何?")
}

pub fn brief() -> Json {
    text("system", "be brief")
}

pub fn called() -> Json {
    json!({"role": "assistant", "parts": [{"type": "tool_call", "id": "call_abc123", "name": "get_weather", "arguments": {"city": "深圳"}}]})
}

pub const RESULT: &str = "深圳: 26C sunny";
pub const ANSWER: &str = "It is 26°C and sunny. 晴天。";

/// The tool's result, in the shape that the source has it in.
pub fn told(result: Json) -> Json {
    json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_abc123", "response": result}]})
}

/// A message that says why it ended, as OTel had it up to 1.41.
pub fn ended(message: Json, reason: &str) -> Json {
    let mut message = message;
    message["finish_reason"] = reason.into();
    json!([message])
}

pub fn answered() -> Json {
    text("assistant", ANSWER)
}

/// The facts of several lists, one after the other.
#[macro_export]
macro_rules! facts {
    ($($list:expr),* $(,)?) => {{
        let mut all = Vec::new();
        $(all.extend($list);)*
        all
    }};
}

pub fn says(says: Json) -> [Fact; 1] {
    [Says(says)]
}

pub fn left(keys: &'static [&'static str]) -> [Fact; 1] {
    [Left(keys)]
}

pub fn also(keys: &'static [&'static str]) -> [Fact; 1] {
    [Fact::Also(keys)]
}

pub fn instructed(text: &str) -> [Fact; 1] {
    says(json!({"gen_ai.system_instructions": [{"type": "text", "content": text}]}))
}

/// The schema of the tool's arguments.
pub fn parameters() -> Json {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

/// All of the first turn, as the second gets it.
pub fn history() -> Json {
    json!([brief(), asked(), called(), told(RESULT.into())])
}

/// The definition of the tool, with what a framework adds to the schema.
pub fn defined(parameters: Json) -> [Fact; 1] {
    says(json!({"gen_ai.tool.definitions": [
        {"type": "function", "name": "get_weather", "description": "weather of a city", "parameters": parameters}]}))
}

/// Both turns on the span above them: 114 input tokens, 34 output.
pub fn both() -> [Fact; 1] {
    says(json!({
        "gen_ai.aggregated_usage.input_tokens": 114,
        "gen_ai.aggregated_usage.cache_read.input_tokens": 64,
        "gen_ai.aggregated_usage.output_tokens": 34,
        "gen_ai.aggregated_usage.reasoning.output_tokens": 16,
    }))
}

/// Something else than the program wrote runs around it.
pub fn around() -> (&'static str, Vec<Fact>) {
    ("POST /chat", vec![])
}

/// The outermost span of a segment.
pub fn entry() -> [Fact; 1] {
    says(json!({"gen_ai.is_entry": true}))
}

/// A model is asked; its provider is told, or can be told by the model's name.
pub fn chat(provider: impl Into<Json>, model: &str) -> Vec<Fact> {
    let says = json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": provider.into(), "gen_ai.request.model": model});
    vec![Says(says), Kind("LLM")]
}

/// 57 input tokens, 32 of them cached; 17 output, 8 of them reasoning.
pub fn counts() -> [Fact; 1] {
    says(json!({
        "gen_ai.usage.input_tokens": 57,
        "gen_ai.usage.cache_read.input_tokens": 32,
        "gen_ai.usage.output_tokens": 17,
        "gen_ai.usage.reasoning.output_tokens": 8,
    }))
}

/// What went into the model and came out, and why it ended.
pub fn messages(input: Json, output: Json, reason: &str) -> [Fact; 1] {
    says(json!({"gen_ai.input.messages": input, "gen_ai.output.messages": output, "gen_ai.response.finish_reasons": [reason]}))
}

/// The call of `get_weather`.
pub fn tool() -> Vec<Fact> {
    let says = json!({
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.arguments": {"city": "深圳"},
        "gen_ai.tool.call.result": RESULT,
    });
    vec![Says(says), Kind("TOOL")]
}

/// A step that OTel has no word for.
pub fn chain(rest: &'static [&'static str]) -> [Fact; 2] {
    [Kind("CHAIN"), Left(rest)]
}

pub fn agent(name: &str) -> Vec<Fact> {
    vec![Says(json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name})), Kind("AGENT")]
}

pub fn who() -> [Fact; 1] {
    says(json!({"session.id": "sess-1", "user.id": "user-456"}))
}

/// The span failed.
pub fn failed(class: &str) -> Vec<Fact> {
    vec![Says(json!({"error.type": class})), Events(&["exception"])]
}
