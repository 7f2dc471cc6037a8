//! The class of the value of a key in the privacy stage: content, other text, or a name. It follows from the tables; unknown keys are
//! text.

use crate::conventions::{Rule, RuleRef, To};
use crate::genai::{Field, Type};
use crate::keys::{KeyInfo, Keys};
use crate::profiles::Table;
use crate::text;

/// The classes of values, from the least to the most private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A name, an id, a number.
    Name,
    /// Text that may contain anything.
    Text,
    /// The words of users and models, the input and output of tools, and retrieved documents.
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
        To::Field(field) | To::Unless(field, _) | To::Aggregated(field) | To::ToldAbove(field) => of_field(field),
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
        | To::ModelBelow
        | To::Wrapper(_)
        | To::Copy(_)
        | To::Usage
        | To::UsagePart
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
        // Its other members are unknown.
        To::Object(members) => members.iter().map(|(_, to)| of_meaning(*to)).max().unwrap_or(Class::Text).max(Class::Text),
        To::FirstWord(to) | To::Enveloped(to) | To::Items(to) | To::Like(_, to) | To::OfOneCall(to) => of_meaning(*to),
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
        To::Keep if rule.key.ends_with('*') => Class::Content,
        to => of_meaning(to),
    }
}

/// The key that an attribute had before it was moved aside ([`Table::aside`]); it determines the class.
pub fn own_key<'k>(key: &'k [u8], table: &Table) -> &'k [u8] {
    if table.aside.is_empty() { key } else { key.strip_prefix(table.aside.as_bytes()).unwrap_or(key) }
}

/// The class of an output key in this profile, whatever convention wrote it.
#[inline(never)]
pub fn of(key: &[u8], keys: &Keys, table: &Table) -> Class {
    let key = own_key(key, table);
    let class = match keys.find(key).and_then(|id| keys.get(id)) {
        Some(info) => of_rules(&info.rules),
        None => of_rules(&KeyInfo::new(key, keys.mappings).rules),
    };
    if class == Class::Text { of_profile(key, table).unwrap_or(class) } else { class }
}

fn of_rules(rules: &[RuleRef]) -> Class {
    rules.iter().map(|r| of_rule(r.rule)).max().unwrap_or(Class::Text)
}

/// Returns true if the profile writes a name there, whatever the conventions define for the key.
pub fn is_name(key: &[u8], table: &Table) -> bool {
    of_profile(key, table) == Some(Class::Name)
}

/// The class of what the profile writes under a key; `None`: it does not write it.
fn of_profile(key: &[u8], table: &Table) -> Option<Class> {
    let is = |name: Option<&str>| name.is_some_and(|name| text::is(key, name));
    if is(Some(table.entry)) || is(table.operation) || is(table.kind.map(|(name, _)| name)) || text::any(key, table.names) {
        return Some(Class::Name);
    }
    let mut class = None;
    let mut tables = Some(table);
    while let Some(table) = tables {
        for fields in [table.keys, table.aggregated] {
            let of_key = fields.rows().iter().filter(|(_, names)| text::any(key, names)).map(|(field, _)| of_field(*field));
            class = of_key.min().into_iter().chain(class).min();
        }
        tables = table.base;
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiles::Profile;

    #[test]
    fn keys_of_many_conventions() {
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
                assert_eq!(of(name.as_bytes(), &keys, Profile::OTEL.table()), class, "{name}");
            }
        }
    }

    #[test]
    fn what_a_profile_writes_is_of_the_class_of_its_field() {
        let keys = Keys::new(0);
        for table in [
            Profile::OTEL.table(),
            Profile::OTEL_1_41.table(),
            Profile::TENCENT.table(),
            Profile::TENCENT_CLS.table(),
            Profile::LANGFUSE.table(),
            Profile::OPENINFERENCE.table(),
        ] {
            for (field, names) in table.all_keys().into_iter().chain(table.all_aggregated()) {
                for name in *names {
                    assert_eq!(of(name.as_bytes(), &keys, table), of_field(*field), "{name}");
                }
            }
            for name in table.trace.into_iter().flatten() {
                assert_eq!(of(name.as_bytes(), &keys, table), Class::Content, "{name}");
            }
            for name in [Some(table.entry), table.operation, table.kind.map(|(key, _)| key)].into_iter().flatten() {
                assert_eq!(of(name.as_bytes(), &keys, table), Class::Name, "{name}");
            }
        }
    }
}
