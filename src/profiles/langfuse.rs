//! Langfuse: the attributes of its SDKs, which its OTLP endpoint reads first. Messages in ChatML, usage in exclusive buckets.

use super::compose::{self, Composed, PARAMETERS, Source};
use super::{Table, keys};
use crate::conventions::langfuse::TYPES;
use crate::genai::{Canonical, DERIVED, Field, Kind};
use crate::json::{self, Json};
use crate::normalize::{Fate, scalar};
use crate::span::value;
use crate::span::{Value, status};
use crate::text::{self, number};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

/// The type of observation, and whether it tells the kind back.
fn says(kind: Kind, _: bool) -> (&'static str, bool) {
    let known = TYPES.iter().rfind(|(_, known)| *known == kind);
    let word = match kind {
        Kind::GenerateContent | Kind::TextCompletion | Kind::FetchResponse | Kind::Decide => "generation",
        Kind::CreateAgent | Kind::Plan => "agent",
        Kind::InvokeWorkflow => "chain",
        kind if kind.span_kind() == "MEMORY" => "retriever",
        _ => "span",
    };
    // Where OTel has no word either, the source's own stays.
    known.map_or((word, false), |(word, _)| (word, !kind.operation().is_empty()))
}

/// Langfuse's buckets hold what no other bucket holds, so that they add up.
const BUCKETS: &[(&str, Field, &[Field])] = &[
    ("input", Field::InputTokens, &[Field::CacheReadTokens, Field::CacheWriteTokens, Field::AudioInputTokens]),
    ("output", Field::OutputTokens, &[Field::ReasoningTokens, Field::AudioOutputTokens]),
    ("total", Field::TotalTokens, &[]),
    ("input_cached_tokens", Field::CacheReadTokens, &[]),
    ("input_cache_creation", Field::CacheWriteTokens, &[]),
    ("input_audio_tokens", Field::AudioInputTokens, &[]),
    ("output_reasoning_tokens", Field::ReasoningTokens, &[]),
    ("output_audio_tokens", Field::AudioOutputTokens, &[]),
];

/// Returns true if the span has usage of its own.
fn reports_usage(c: &Canonical) -> bool {
    !c.aggregated && (c.has(Field::InputTokens) || c.has(Field::OutputTokens))
}

/// An observation with a model but without usage gets counts that Langfuse makes itself, from its input and output. What runs calls of a model has
/// none to count.
fn no_usage<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let c = s.c;
    let has_model = c.has(Field::RequestModel) || c.has(Field::ResponseModel);
    let has_counts = BUCKETS.iter().any(|(_, field, _)| c.int(*field).is_some());
    let runs_calls = c.kind.is_some_and(|kind| !kind.calls_model()) && !reports_usage(c) && !has_counts;
    if has_model && (c.aggregated || runs_calls) {
        out.put_text("langfuse.observation.usage_details", b"{\"input\":0,\"output\":0,\"total\":0}", DERIVED);
    }
}

fn usage<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let mut text = BumpVec::new_in(s.arena);
    for (name, field, without) in BUCKETS {
        let Some(mut count) = s.c.int(*field) else { continue };
        // A part of several kinds, such as audio out of a cache, is told once: together the buckets are the whole.
        if let Some((_, whole, parts)) = BUCKETS.iter().find(|(_, _, parts)| parts.contains(field)).filter(|(_, whole, _)| s.c.has(*whole))
        {
            let before = parts.iter().take_while(|part| *part != field).filter_map(|part| s.c.int(*part)).fold(0, i64::saturating_add);
            count = count.min(s.c.int(*whole).unwrap_or(0).saturating_sub(before).max(0));
        }
        let parts = without.iter().filter_map(|part| s.c.int(*part)).fold(0, i64::saturating_add);
        text.push(if text.is_empty() { b'{' } else { b',' });
        json::string(name.as_bytes(), &mut text);
        text.push(b':');
        value::write_json(Value::Int(count.saturating_sub(parts).max(0)), &mut text);
        out.say(*field);
    }
    if !text.is_empty() {
        text.push(b'}');
        let origin = compose::origin(s.c, &[Field::InputTokens, Field::OutputTokens]);
        out.put_text("langfuse.observation.usage_details", text.into_bump_slice(), origin);
    }
}

/// What went in: of a model, its messages, and its tools beside them.
fn input<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    const KEY: &str = "langfuse.observation.input";
    let c = s.c;
    // Elsewhere the input is that of the span itself, whatever its shape.
    let of_model = c.kind.is_some_and(Kind::is_generation);
    if let Some(chat) = compose::chat(c, Field::InputMessages, s.arena) {
        if of_model {
            out.say(Field::InputMessages);
            out.say(Field::SystemInstructions);
            out.say(Field::ToolDefinitions);
        }
        let tools = c.text(Field::ToolDefinitions).and_then(|text| json::parse(text, s.arena)).filter(|tools| tools.is_array());
        let text = match tools {
            None => chat.list(),
            Some(tools) => {
                let mut text = BumpVec::new_in(s.arena);
                text.extend_from_slice_copy(b"{\"messages\":");
                text.extend_from_slice_copy(chat.list());
                text.extend_from_slice_copy(b",\"tools\":[");
                for (i, tool) in tools.items().enumerate() {
                    json::separate(&mut text, i);
                    text.extend_from_slice_copy(compose::function(tool, s.arena));
                }
                text.extend_from_slice_copy(b"]}");
                text.into_bump_slice()
            }
        };
        return out.put_text(KEY, text, compose::origin(c, &[Field::InputMessages, Field::SystemInstructions]));
    }
    let fields = [Field::ToolCallArguments, Field::RetrievalQuery, Field::RerankQuery, Field::EntityInput];
    if let Some(field) = fields.into_iter().find(|field| c.has(*field)) {
        out.put_field(c, KEY, field);
    }
}

fn output<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    const KEY: &str = "langfuse.observation.output";
    let c = s.c;
    if let Some(chat) = compose::chat(c, Field::OutputMessages, s.arena) {
        if c.kind.is_some_and(Kind::is_generation) {
            out.say(Field::OutputMessages);
        }
        return out.put_text(KEY, chat.answer(), c.origin(Field::OutputMessages));
    }
    let fields = [Field::ToolCallResult, Field::RetrievalDocuments, Field::EntityOutput];
    if let Some(field) = fields.into_iter().find(|field| c.has(*field)) {
        out.put_field(c, KEY, field);
    }
}

/// Langfuse shows one model: the one that answered. The one that was asked for, if it is another, is a parameter.
fn model<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let c = s.c;
    // Usage and model go together: Langfuse needs the model to know what the tokens cost.
    let asks = c.kind.is_some_and(Kind::calls_model) || reports_usage(c);
    let (asked, answered) = (c.get(Field::RequestModel), c.get(Field::ResponseModel));
    let mut parameters = vec![];
    if let Some(model) = answered.or(asked).filter(|_| asks) {
        let field = if answered.is_some() { Field::ResponseModel } else { Field::RequestModel };
        out.say(field);
        out.put("langfuse.observation.model.name", model, c.origin(field));
        if asked.is_some() && asked != Some(model) {
            parameters.push(("model", Field::RequestModel));
        }
        out.say(Field::RequestModel);
    }
    parameters.extend_from_slice(PARAMETERS);
    // By which Langfuse looks up the price: the tier that was given.
    let tier = if c.has(Field::ResponseServiceTier) { Field::ResponseServiceTier } else { Field::RequestServiceTier };
    parameters.push(("service_tier", tier));
    if let Some(text) = compose::object(s, &parameters, out) {
        let origin = compose::origin(c, &parameters.iter().map(|(_, field)| *field).collect::<Vec<_>>());
        out.put_text("langfuse.observation.model.parameters", text, origin);
    }
}

fn compose<'a>(s: &Source<'_, 'a>, out: &mut Composed<'a>) {
    let c = s.c;
    model(s, out);
    no_usage(s, out);
    // Where calls below report tokens, Langfuse works out their cost, and would add one that is reported here.
    if !c.aggregated && !c.cost_aggregated {
        usage(s, out);
        let costs = [("input", Field::InputCost), ("output", Field::OutputCost), ("total", Field::Cost)];
        let refused = |field| matches!(c.get(field), Some(Value::Double(cost)) if cost.is_nan() || cost < 0.0);
        let costs: Vec<_> = costs.into_iter().filter(|(_, field)| !refused(*field)).collect();
        if let Some(text) = compose::object(s, &costs, out) {
            out.put_text(
                "langfuse.observation.cost_details",
                text,
                compose::origin(c, &[Field::Cost, Field::InputCost, Field::OutputCost]),
            );
        }
    }
    if let Some(time) = compose::first_chunk(s) {
        let text = s.arena.alloc_str(&scalar::iso_8601(time));
        out.put_text("langfuse.observation.completion_start_time", text.as_bytes(), c.origin(Field::TimeToFirstChunk));
        out.say(Field::TimeToFirstChunk);
    }
    input(s, out);
    output(s, out);
    prompt(c, out);
    if c.failed || s.span.status_code == status::ERROR {
        out.put_text("langfuse.observation.level", b"ERROR", DERIVED);
        let message = if s.span.status_message.is_empty() { c.status_message } else { s.span.status_message };
        if !message.is_empty() {
            out.put_text("langfuse.observation.status_message", message, DERIVED);
        }
    }
    name(c, out);
}

const PROMPT_NAME: &str = "langfuse.observation.metadata.prompt_name";
const PROMPT_VERSION: &str = "langfuse.observation.metadata.prompt_version";

/// A version as Langfuse counts them: from 1, in 32 bits.
fn version(text: &[u8]) -> Option<i64> {
    number::integer(text).filter(|version| (1..=i64::from(i32::MAX)).contains(version))
}

/// A generation with a name but without a version, or the other way round, or with a version that is no number above 0, is refused whole: what
/// names no prompt of Langfuse's stands among the metadata.
fn prompt<'a>(c: &Canonical<'a>, out: &mut Composed<'a>) {
    let (name, number) = (c.text(Field::PromptName).filter(|name| !name.is_empty()), c.text(Field::PromptVersion).and_then(version));
    if let (Some(name), Some(number)) = (name, number) {
        out.put_text("langfuse.observation.prompt.name", name, c.origin(Field::PromptName));
        out.put("langfuse.observation.prompt.version", Value::Int(number), c.origin(Field::PromptVersion));
        out.say(Field::PromptName);
        out.say(Field::PromptVersion);
    } else {
        out.put_field(c, PROMPT_NAME, Field::PromptName);
        out.put_field(c, PROMPT_VERSION, Field::PromptVersion);
    }
}

/// The words for a level that Langfuse takes, those of other loggers among them.
const LEVELS: &[(&str, &str)] = &[
    ("DEBUG", "DEBUG"),
    ("TRACE", "DEBUG"),
    ("VERBOSE", "DEBUG"),
    ("DEFAULT", "DEFAULT"),
    ("INFO", "DEFAULT"),
    ("LOG", "DEFAULT"),
    ("NOTICE", "DEFAULT"),
    ("OK", "DEFAULT"),
    ("SUCCESS", "DEFAULT"),
    ("WARNING", "WARNING"),
    ("WARN", "WARNING"),
    ("ERROR", "ERROR"),
    ("FATAL", "ERROR"),
    ("CRITICAL", "ERROR"),
];

/// Does a list or an object of JSON hold for `each` of its members? A text that is no JSON is not looked at by Langfuse.
fn holds<'a>(text: &'a [u8], is_whole: fn(&Json<'a>) -> bool, each: fn(Json<'a>) -> bool, arena: &'a Bump) -> bool {
    json::parse(text, arena).is_none_or(|j| is_whole(&j) && j.items().chain(j.entries().map(|(_, member)| member)).all(each))
}

/// A number that is no text.
fn number_of(member: Json) -> Option<f64> {
    member.as_f64().filter(|_| !member.is_string())
}

/// What Langfuse's ingestion checks of a value.
#[derive(Clone, Copy)]
enum Check {
    /// Both are composed, or neither.
    Composed,
    Prompt,
    Level,
    Text,
    Parameters,
    Counts,
    Costs,
    Moment,
    Events,
}

/// The keys whose values it checks. (Its schema for the events of its own API, which spans are made into.)
const CHECKS: &[(&str, Check)] = &[
    ("langfuse.observation.prompt.name", Check::Composed),
    ("langfuse.observation.prompt.version", Check::Composed),
    ("langfuse.prompt.name", Check::Composed),
    ("langfuse.prompt.version", Check::Composed),
    ("ai.telemetry.metadata.langfusePrompt", Check::Prompt),
    ("langfuse.observation.level", Check::Level),
    ("langfuse.observation.status_message", Check::Text),
    ("langfuse.version", Check::Text),
    ("langfuse.release", Check::Text),
    ("langfuse.trace.name", Check::Text),
    ("genkit:name", Check::Text),
    ("ai.toolCall.name", Check::Text),
    ("operation.name", Check::Text),
    ("langfuse.observation.model.parameters", Check::Parameters),
    ("llm.invocation_parameters", Check::Parameters),
    ("model_config", Check::Parameters),
    ("langfuse.observation.usage_details", Check::Counts),
    ("langfuse.observation.cost_details", Check::Costs),
    ("langfuse.observation.completion_start_time", Check::Moment),
    ("events", Check::Events),
];

/// A bit for a key, by its length and its first byte.
const fn mark(key: &[u8]) -> u64 {
    match key {
        [] => 0,
        [first, ..] => 1 << ((key.len() + 5 * *first as usize) % 64),
    }
}

/// The bits of all the keys: those of most others are not among them, and then the table need not be searched.
const MARKS: u64 = {
    let (mut marks, mut at) = (0, 0);
    while at < CHECKS.len() {
        marks |= mark(CHECKS[at].0.as_bytes());
        at += 1;
    }
    marks
};

/// What Langfuse's ingestion would refuse an observation for, or fail at and lose the batch.
fn mends<'a>(key: &[u8], value: &Value<'a>, arena: &'a Bump) -> Option<Fate<'a>> {
    // It would read a value that is not set as the text `{}`, or not at all.
    if *value == Value::Empty {
        return Some(Fate::Drop);
    }
    let text = value.as_str();
    let refused_unless = |good: bool| (!good).then_some(Fate::Drop);
    if MARKS & mark(key) == 0 {
        return None;
    }
    let (_, check) = CHECKS.iter().find(|(name, _)| name.len() == key.len() && text::is(key, name))?;
    match check {
        Check::Composed => Some(Fate::Drop),
        Check::Prompt => refused_unless(text.and_then(|text| json::parse(text, arena)).is_none_or(|prompt| {
            let name = prompt.get("name").and_then(|name| name.text(arena)).is_some_and(|name| !name.is_empty());
            let version = prompt.get("version").filter(|version| !version.is_string()).and_then(|version| version.as_i64());
            name && version.is_some_and(|version| (1..=i64::from(i32::MAX)).contains(&version))
        })),
        Check::Level => {
            let level = text.map(text::unquote).unwrap_or_default().trim_ascii().to_ascii_uppercase();
            let word = text::lookup(LEVELS, &level).map_or(&[][..], str::as_bytes);
            match text {
                Some(text) if text == word && !word.is_empty() => None,
                _ if word.is_empty() => Some(Fate::Drop),
                _ => Some(Fate::Rewrite(Value::Str(word))),
            }
        }
        Check::Text => text.is_none().then(|| Fate::Rewrite(Value::Str(value::to_json(value, arena)))),
        Check::Parameters => {
            let finite = |member: Json| number_of(member).is_none_or(f64::is_finite);
            match text {
                Some(text) => refused_unless(holds(text, |j| j.is_object() || j.is_array() || j.is_null(), finite, arena)),
                None if matches!(value, Value::Map(_)) => Some(Fate::Rewrite(Value::Str(value::to_json(value, arena)))),
                None => Some(Fate::Drop),
            }
        }
        Check::Counts => {
            let counts = |member: Json| member.is_null() || number_of(member).is_some_and(|count| count >= 0.0 && count.fract() == 0.0);
            refused_unless(text.is_some_and(|text| holds(text, Json::is_object, counts, arena)))
        }
        Check::Costs => {
            let costs = |member: Json| member.is_null() || number_of(member).is_some_and(|cost| cost >= 0.0 && cost.is_finite());
            refused_unless(text.is_some_and(|text| holds(text, Json::is_object, costs, arena)))
        }
        Check::Moment => match scalar::instant(value) {
            None => Some(Fate::Drop),
            Some(_) if text.is_some_and(has_offset) => None,
            Some(time) => Some(Fate::Rewrite(Value::Str(arena.alloc_str(&scalar::iso_8601(time)).as_bytes()))),
        },
        Check::Events => refused_unless(text.is_none_or(|text| holds(text, Json::is_array, |event| event.is_object(), arena))),
    }
}

/// Is a moment written with its `T` and its offset?
fn has_offset(moment: &[u8]) -> bool {
    let moment = text::unquote(moment);
    let end = moment.last_chunk().map(|end: &[u8; 6]| end);
    moment.get(10) == Some(&b'T')
        && (moment.ends_with(b"Z") || end.is_some_and(|[sign, _, _, colon, ..]| matches!(sign, b'+' | b'-') && *colon == b':'))
}

/// The name of an observation is that of its tool or its agent.
fn name<'a>(c: &Canonical<'a>, out: &mut Composed<'a>) {
    let field = match c.kind {
        Some(Kind::ExecuteTool) => Field::ToolName,
        Some(Kind::InvokeAgent | Kind::CreateAgent | Kind::InvokeWorkflow) => Field::AgentName,
        _ => return,
    };
    if let Some(name) = c.text(field) {
        out.name = Some(name);
        // Of a workflow nothing is read from the name: it is not told from a chain.
        if c.kind != Some(Kind::InvokeWorkflow) {
            out.say(field);
        }
    }
}

pub const TABLE: Table = Table {
    name: "langfuse",
    endpoint: "https://cloud.langfuse.com/api/public/otel/v1/traces",
    // Langfuse takes spans of other SDKs in its newest form where this asks for it.
    headers: &[("x-langfuse-ingestion-version", "4")],
    // It takes them for the version and the release of a trace, and refuses every span of a resource where they are not texts.
    texts: &[b"service.version", b"langfuse.release"],
    keys: keys!(&[
        (Field::Provider, &["langfuse.observation.metadata.ls_provider"]),
        (Field::ResponseId, &["langfuse.observation.metadata.response_id"]),
        (Field::ToolCallId, &["langfuse.observation.metadata.tool_call_id"]),
        (Field::SessionId, &["session.id"]),
        (Field::UserId, &["user.id"]),
    ]),
    entry: "langfuse.observation.metadata.gen_ai.is_entry",
    operation: None,
    kind: Some(("langfuse.observation.type", says)),
    own_kinds: TYPES,
    name_keys: &["logfire.msg"],
    objects: &["langfuse.observation.model.parameters", "langfuse.observation.usage_details", "langfuse.observation.cost_details"],
    complete: Some(super::conversation_is_session),
    mends: Some(mends),
    aside: "langfuse.observation.metadata.refused.",
    names: &["langfuse.observation.prompt.name", PROMPT_NAME, PROMPT_VERSION],
    compose: Some(compose),
    ..Table::EMPTY
};
