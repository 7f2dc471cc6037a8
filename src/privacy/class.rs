//! What the value of a key is to the privacy stage: content, other text, or a name. By what the tables say of the key; what no table
//! knows is text.

use crate::conventions::{Rule, To};
use crate::keys::{KeyInfo, Keys};
use crate::normalize::canonical::{Field, Type};
use crate::profiles::Table;
use hashbrown::HashMap;

/// What a value is, from the least to the most private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A name, an id, a number.
    Name,
    /// Text that may hold anything.
    Text,
    /// What users and models said, what tools got and gave, what was found.
    Content,
}

fn of_field(field: Field) -> Class {
    match (field, field.ty()) {
        (Field::ToolDescription | Field::AgentDescription | Field::StopSequences, _) => Class::Text,
        (_, Type::Text | Type::Json) => Class::Content,
        _ => Class::Name,
    }
}

fn of_meaning(to: To) -> Class {
    match to {
        To::Field(field) | To::Unless(field, _) | To::Aggregated(field) => of_field(field),
        To::Documents
        | To::Inside(..)
        | To::Input
        | To::Output
        | To::InputMessages
        | To::OutputMessages
        | To::Flat(_)
        | To::FlatParts(_)
        | To::EntityInput
        | To::OutputIn(_)
        | To::RunOutput
        | To::ToolParameters
        | To::ToolSchema
        | To::ToolInputs
        | To::Vector
        | To::Request
        | To::Exchange => Class::Content,
        To::Kind(_)
        | To::Hint(_)
        | To::Proof(_)
        | To::UncachedInput
        | To::UncachedPart
        | To::CacheBeside(_)
        | To::Failed(_)
        | To::Model
        | To::Usage
        | To::Cost
        | To::EntityName
        | To::WorkflowName
        | To::ActionName
        | To::FirstTokenAt
        | To::FirstTokenAfter(_)
        | To::FirstTokenAfterAny
        | To::Words(..)
        | To::Level
        | To::Mark
        | To::MarkIf(_)
        | To::MarkCopy => Class::Name,
        To::All(all) => all.iter().map(|to| of_meaning(*to)).max().unwrap_or(Class::Text),
        // Its other members are not known.
        To::Object(members) => members.iter().map(|(_, to)| of_meaning(*to)).max().unwrap_or(Class::Text).max(Class::Text),
        To::FirstWord(to) | To::Enveloped(to) | To::Items(to) | To::OfOneCall(to) => of_meaning(*to),
        To::Parameters
        | To::Host
        | To::Implies(..)
        | To::ImpliesKind(_)
        | To::Aggregate(_)
        | To::AggregateOn(_)
        | To::Aside(_)
        | To::StatusMessage
        | To::MarkInside
        | To::GraphNode
        | To::Keep
        | To::Spent
        | To::Drop => Class::Text,
    }
}

fn of_rule(rule: &Rule) -> Class {
    match rule.to {
        // LiteLLM: the whole request and answer, member by member.
        To::Spent if rule.key.ends_with('*') => Class::Content,
        to => of_meaning(to),
    }
}

/// The classes of the keys that go out in one profile.
#[derive(Debug)]
pub struct Classes {
    written: HashMap<&'static [u8], Class>,
}

impl Classes {
    /// Looks up the profile's keys.
    pub fn new(table: &'static Table) -> Self {
        let fields = table.all_keys().chain(table.all_aggregated());
        let fields = fields.flat_map(|(field, keys)| keys.iter().map(|key| (*key, of_field(*field))));
        let words = [Some(table.entry), table.operation, table.kind.map(|(key, _)| key)].into_iter().flatten();
        let words = words.map(|key| (key, Class::Name));
        let trace = table.trace.into_iter().flatten().map(|key| (key, Class::Content));
        Classes { written: fields.chain(words).chain(trace).map(|(key, class)| (key.as_bytes(), class)).collect() }
    }

    /// The class of a key, whichever convention wrote it.
    pub fn of(&self, key: &[u8], keys: &Keys) -> Class {
        if let Some(class) = self.written.get(key) {
            return *class;
        }
        match keys.find(key).and_then(|id| keys.get(id)) {
            Some(info) => of_rules(info),
            None => of_rules(&KeyInfo::new(key)),
        }
    }
}

fn of_rules(info: &KeyInfo) -> Class {
    info.rules.iter().map(|r| of_rule(r.rule)).max().unwrap_or(Class::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_many_conventions() {
        let classes = Classes::new(crate::profiles::OTEL);
        let keys = Keys::new(0);
        for (class, names) in [
            (
                Class::Content,
                &[
                    "gen_ai.input.messages",
                    "gen_ai.prompt.variable.city",
                    "langfuse.observation.input",
                    "langfuse.trace.output",
                    "input.value",
                    "llm.output_messages.0.message.content",
                    "gen_ai.prompt.0.content",
                    "gen_ai.completion.3.tool_calls.0.arguments",
                    "ai.prompt.messages",
                    "ai.response.text",
                    "traceloop.entity.input",
                    "llm.openai.messages",
                ][..],
            ),
            (Class::Text, &["my.note", "gen_ai.tool.description", "langfuse.observation.status_message"]),
            (
                Class::Name,
                &["gen_ai.request.model", "gen_ai.usage.input_tokens", "user.id", "langfuse.observation.model.name", "ai.model.id"],
            ),
        ] {
            for name in names {
                assert_eq!(classes.of(name.as_bytes(), &keys), class, "{name}");
            }
        }
    }
}
