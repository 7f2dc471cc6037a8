//! The output profiles: which attributes of a backend say each canonical field. Tables; the writing is in [`write`].

mod otel;
mod tencent;
pub mod write;

use crate::normalize::canonical::{Canonical, Field};
use bumpalo::Bump;

/// The mark of the entry span, in every profile.
pub const ENTRY_KEY: &str = "gen_ai.is_entry";
/// What a span does, in every profile.
pub const OPERATION_KEY: &str = "gen_ai.operation.name";
/// What a span is, in the profiles that say it.
pub const SPAN_KIND_KEY: &str = "gen_ai.span.kind";

/// How one backend wants the canonical form.
#[derive(Debug)]
pub struct Table {
    /// The attributes that say a field; all of them are written.
    pub keys: &'static [(Field, &'static [&'static str])],
    /// The attributes that say the usage of a span whose children say it too.
    pub aggregated: &'static [(Field, &'static [&'static str])],
    /// The prefix of the attributes that say [`Field::PromptVariables`] one by one.
    pub prompt_variables: Option<&'static str>,
    /// `gen_ai.span.kind`: the profile's own words for the kinds that it has none for; `None`: it has no such attribute.
    pub span_kind: Option<fn(&'static str) -> &'static str>,
    /// Fills fields that this backend shows and a source may say in another way.
    pub complete: Option<for<'a> fn(&mut Canonical<'a>, &'a Bump)>,
}

/// OTel GenAI 0.1.0.
pub const OTEL: &Table = &otel::TABLE;
/// Tencent Cloud LLM observability.
pub const TENCENT: &Table = &tencent::TABLE;

/// Every key that a profile writes.
pub fn static_keys() -> impl Iterator<Item = &'static str> {
    let fields =
        [OTEL, TENCENT].into_iter().flat_map(|table| table.keys.iter().chain(table.aggregated).flat_map(|(_, keys)| keys.iter().copied()));
    fields.chain([ENTRY_KEY, OPERATION_KEY, SPAN_KIND_KEY])
}
