//! Conventions that a user declares in the configuration: what the keys of an application's own spans mean, in terms of the canonical fields. They
//! are rules like those of the tables, under the same index of keys.

use super::{ConventionSet, Rule, RuleRef, To, otel};
use crate::genai::{Field, Kind, PEOPLE};
use crate::json::Json;
use crate::json::read::{self, Error, Read, hint, read_struct, shown_as_nothing};
use crate::text;
use bumpalo::Bump;
use std::sync::Mutex;

/// The names of the conventions, one for each mapping: their bits are the highest.
const NAMES: [&str; 8] =
    ["mappings[0]", "mappings[1]", "mappings[2]", "mappings[3]", "mappings[4]", "mappings[5]", "mappings[6]", "mappings[7]"];

/// The bits of all mappings.
pub const BITS: ConventionSet = !(ConventionSet::MAX >> NAMES.len());

const fn bit(at: usize) -> ConventionSet {
    1 << (ConventionSet::BITS as usize - 1 - at)
}

/// The names of those mappings whose bits are set.
pub fn names(conventions: ConventionSet) -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().enumerate().filter(move |(at, _)| conventions & bit(*at) != 0).map(|(_, name)| name)
}

/// Against all but the newest names of OTel: what is in the target convention already is not replaced.
const TRUST: u8 = 85;

/// The canonical fields by their names in the configuration.
const FIELDS: &[(&str, To)] = {
    use Field::*;
    const fn field(field: Field) -> To {
        To::Field(field)
    }
    &[
        ("operation", To::Kind(&[])),
        ("provider", field(Provider)),
        ("request.model", field(RequestModel)),
        ("request.temperature", field(Temperature)),
        ("request.top_p", field(TopP)),
        ("request.top_k", field(TopK)),
        ("request.max_tokens", field(MaxTokens)),
        ("request.frequency_penalty", field(FrequencyPenalty)),
        ("request.presence_penalty", field(PresencePenalty)),
        ("request.stop_sequences", field(StopSequences)),
        ("request.seed", field(Seed)),
        ("request.choice_count", field(ChoiceCount)),
        ("request.stream", field(Stream)),
        ("request.reasoning_level", field(ReasoningLevel)),
        ("request.parameters", To::Parameters),
        ("response.model", field(ResponseModel)),
        ("response.id", field(ResponseId)),
        ("response.finish_reasons", field(FinishReasons)),
        ("output.type", field(OutputType)),
        ("time_to_first_chunk", field(TimeToFirstChunk)),
        ("usage", To::Usage),
        ("usage.input", field(InputTokens)),
        ("usage.output", field(OutputTokens)),
        ("usage.total", field(TotalTokens)),
        ("usage.cache_read", field(CacheReadTokens)),
        ("usage.cache_write", field(CacheWriteTokens)),
        ("usage.reasoning", field(ReasoningTokens)),
        ("usage.audio_input", field(AudioInputTokens)),
        ("usage.audio_output", field(AudioOutputTokens)),
        ("cost.total", field(Cost)),
        ("cost.input", field(InputCost)),
        ("cost.output", field(OutputCost)),
        ("input", To::Input),
        ("output", To::Output),
        ("input.messages", To::InputMessages),
        ("output.messages", To::OutputMessages),
        ("system_instructions", field(SystemInstructions)),
        ("tool.definitions", field(ToolDefinitions)),
        ("tool.name", field(ToolName)),
        ("tool.description", field(ToolDescription)),
        ("tool.call.id", field(ToolCallId)),
        ("tool.call.arguments", field(ToolCallArguments)),
        ("tool.call.result", field(ToolCallResult)),
        ("agent.id", field(AgentId)),
        ("agent.name", field(AgentName)),
        ("agent.description", field(AgentDescription)),
        ("agent.version", field(AgentVersion)),
        ("conversation.id", field(ConversationId)),
        ("session.id", field(SessionId)),
        ("user.id", field(UserId)),
        ("user.name", field(UserName)),
        ("retrieval.query", field(RetrievalQuery)),
        ("retrieval.documents", To::Documents),
        ("retrieval.top_k", field(RetrievalTopK)),
        ("rerank.query", field(RerankQuery)),
        ("rerank.top_n", field(RerankTopN)),
        ("embedding.dimensions", field(EmbeddingDimensions)),
        ("prompt.name", field(PromptName)),
        ("prompt.version", field(PromptVersion)),
        ("prompt.template", field(PromptTemplate)),
        ("prompt.variables", field(PromptVariables)),
        ("server.address", field(ServerAddress)),
        ("error.type", field(ErrorType)),
    ]
};

/// The names of the canonical fields.
pub fn fields() -> Vec<&'static str> {
    FIELDS.iter().map(|(name, _)| *name).collect()
}

/// What a key means.
#[derive(Clone, Debug)]
struct Target {
    to: To,
    values: Vec<(String, String)>,
}

/// As an object.
#[derive(Clone, Debug, Default)]
struct Written {
    to: String,
    values: Vec<(String, String)>,
}

read_struct!(Written { "to" => to, "values" => values, });

impl Read for Target {
    fn blank() -> Self {
        Target { to: To::Keep, values: Vec::new() }
    }

    fn read<'d>(&mut self, json: Json<'d>, arena: &'d Bump) -> Result<(), Error> {
        let written = match json.text(arena) {
            Some(text) => Written { to: String::from_utf8_lossy(text).into_owned(), values: Vec::new() },
            None if json.is_object() => read::value(json, arena)?,
            None => return Err(Error::unlike("the name of a field, or {\"to\": …}", json)),
        };
        let Some(to) = text::lookup(FIELDS, written.to.as_bytes()) else {
            return Err(Error::new([&read::quoted(&written.to), " is not a field; ", &hint(&written.to, &fields())].concat()));
        };
        *self = Target { to, values: written.values };
        Ok(())
    }
}

/// What the keys of the spans of some scopes mean.
#[derive(Clone, Debug, Default)]
struct Mapping {
    scope: Option<String>,
    keys: Vec<(String, Target)>,
    values: Vec<(String, String)>,
}

read_struct!(Mapping { "scope" => scope, "keys" => keys, "values" => values, });

fn leak<T>(list: Vec<T>) -> &'static [T] {
    Box::leak(list.into_boxed_slice())
}

fn leaked(text: &str) -> &'static str {
    Box::leak(text.into())
}

impl Mapping {
    fn check(&self) -> Result<(), Error> {
        match self.keys.iter().find(|(key, _)| key.is_empty() || key.contains('*')) {
            Some((key, _)) => Err(Error::new([&read::quoted(key), " is not a key; write each key out"].concat())),
            None if self.keys.is_empty() => Err(Error::new("has no keys; use {\"keys\": {\"my.model\": \"request.model\"}}")),
            None => Ok(()),
        }
    }

    /// The rules, which live as long as the process.
    fn rules(&self) -> Vec<&'static Rule> {
        let rule = |(key, target): &(String, Target)| {
            let pairs = || self.values.iter().chain(&target.values);
            let kind_of =
                |word: &str| text::lookup_word(otel::OPERATIONS, word.as_bytes()).or(text::lookup_word(otel::SPAN_KINDS, word.as_bytes()));
            let to = match target.to {
                To::Kind(_) => {
                    let own = pairs().filter_map(|(word, meant)| Some((leaked(word), kind_of(meant)?)));
                    let all: Vec<(&str, Kind)> =
                        own.chain(otel::OPERATIONS.iter().copied()).chain(otel::SPAN_KINDS.iter().copied()).collect();
                    To::Kind(leak(all))
                }
                // An id has no words.
                To::Field(field) if pairs().next().is_some() && !PEOPLE[..2].contains(&field) => {
                    let words = pairs().map(|(word, meant)| (leaked(word), leaked(meant))).collect();
                    To::All(leak(vec![To::Words(field, leak(words)), To::Field(field)]))
                }
                to => to,
            };
            &*Box::leak(Box::new(Rule { key: leaked(key), to, trust: TRUST }))
        };
        self.keys.iter().map(rule).collect()
    }
}

/// The mappings of one configuration, indexed.
#[derive(Debug)]
struct Custom {
    scopes: Vec<Option<String>>,
    rules: Vec<RuleRef>,
}

/// What the user declared; most often nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mappings(Option<&'static Custom>);

shown_as_nothing! { Mappings }

/// Each configuration that was read, by its text: a body is converted by the same one again and again, and rules live as long as the process.
static KNOWN: Mutex<Vec<(Vec<u8>, &'static Custom)>> = Mutex::new(Vec::new());

impl Read for Mappings {
    fn blank() -> Self {
        Mappings(None)
    }

    fn read<'d>(&mut self, json: Json<'d>, arena: &'d Bump) -> Result<(), Error> {
        let text = json.to_text(arena);
        let mut known = KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((_, custom)) = known.iter().find(|(known, _)| known == text) {
            *self = Mappings(Some(custom));
            return Ok(());
        }
        let mappings: Vec<Checked> = read::value(json, arena)?;
        if mappings.len() > NAMES.len() {
            return Err(Error::new(format!("has {} entries; use at most {}", mappings.len(), NAMES.len())));
        }
        let rules = mappings
            .iter()
            .enumerate()
            .flat_map(|(at, Checked(mapping))| mapping.rules().into_iter().map(move |rule| RuleRef { convention: bit(at), rule }));
        let custom: &'static Custom = Box::leak(Box::new(Custom {
            rules: rules.collect(),
            scopes: mappings.into_iter().map(|Checked(mapping)| mapping.scope).collect(),
        }));
        known.push((text.to_vec(), custom));
        *self = Mappings(Some(custom));
        Ok(())
    }
}

/// A mapping that was checked as it was read, so that an error names its place.
struct Checked(Mapping);

impl Read for Checked {
    fn blank() -> Self {
        Checked(Mapping::default())
    }

    fn read<'d>(&mut self, json: Json<'d>, arena: &'d Bump) -> Result<(), Error> {
        self.0.read(json, arena)?;
        self.0.check()
    }
}

impl Mappings {
    /// The mappings that hold in a scope.
    pub fn of_scope(self, name: &[u8]) -> ConventionSet {
        let scopes = self.0.into_iter().flat_map(|custom| &custom.scopes).enumerate();
        scopes.filter(|(_, scope)| scope.as_ref().is_none_or(|scope| text::glob(scope, name))).map(|(at, _)| bit(at)).sum()
    }

    /// What they have for a key.
    pub fn rules_of(self, key: &[u8]) -> impl Iterator<Item = RuleRef> {
        let rules = self.0.map_or(&[][..], |custom| &custom.rules);
        rules.iter().filter(move |r| r.rule.key.as_bytes() == key).copied()
    }

    /// The keys whose values the start of a span is wanted for: those of kinds, sessions and users.
    pub fn wanted(self) -> impl Iterator<Item = &'static str> {
        let rules = self.0.map_or(&[][..], |custom| &custom.rules);
        rules
            .iter()
            .filter(|r| r.rule.to.is_kind() || matches!(r.rule.to, To::Field(field) if PEOPLE[..2].contains(&field)))
            .map(|r| r.rule.key)
    }
}
