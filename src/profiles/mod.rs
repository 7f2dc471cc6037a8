//! The output profiles: which attributes of a backend say each canonical field. Tables; what several fields make together
//! is put together in [`compose`], and the writing is in [`write`].

mod compose;
mod langfuse;
mod openinference;
mod otel;
mod tencent;
pub mod write;

use crate::conventions::packed::Keys;
use crate::genai::{Canonical, Field, Kind};
use crate::normalize::Fate;
use crate::span::Value;
use bumpalo::Bump;
pub(crate) use compose::PARAMETERS;

/// The mark of the entry span, for profiles that have no key of their own for it.
pub const ENTRY_KEY: &str = "gen_ai.is_entry";
const OPERATION_KEY: &str = "gen_ai.operation.name";

/// A profile's word for a kind of span, and whether that tells the kind back.
type SaysKind = fn(Kind) -> (&'static str, bool);

/// What has to become of an attribute of the source.
type Mends = for<'a> fn(&[u8], &Value<'a>, &'a Bump) -> Option<Fate<'a>>;

/// A table of keys, as it is shipped.
macro_rules! keys {
    ($rows:expr) => {{
        static KEYS: $crate::conventions::packed::Keys =
        $crate::conventions::packed::Packed::new($crate::conventions::packed::packed!(profile $rows));
        &KEYS
    }};
}
use keys;

/// How one backend wants the canonical form.
pub struct Table {
    /// The profile of which this one is another version: what is not in `keys` and `aggregated` is as it is there.
    pub base: Option<&'static Table>,
    /// The attributes that say a field; all of them are written.
    pub keys: &'static Keys,
    /// The attributes that say the usage of a span whose children say it too.
    pub aggregated: &'static Keys,
    /// The attribute that marks an entry.
    pub entry: &'static str,
    /// The attribute that says the operation in OTel's words.
    pub operation: Option<&'static str>,
    /// The attribute that says the kind of span, and the words for it.
    pub kind: Option<(&'static str, SaysKind)>,
    /// On an entry: the attributes that say what went into the trace and what came out, where the span has none of its own.
    pub trace: Option<[&'static str; 2]>,
    /// The attributes that hold an object of parameters, counts or costs.
    pub objects: &'static [&'static str],
    /// Fills fields that this backend shows and a source may say in another way.
    pub complete: Option<for<'a> fn(&mut Canonical<'a>, &'a Bump)>,
    /// What has to become of an attribute of the source that stays, by its key and value, so that the backend takes the span; `None`: it may stay
    /// as it is. With [`Fate::Drop`] it moves to where [`Table::aside`] has it.
    pub mends: Option<Mends>,
    /// What stands in front of the key of an attribute that may not stay under its own.
    pub aside: &'static str,
    /// The keys under which [`Table::compose`] writes a name.
    pub names: &'static [&'static str],
    /// Puts together what no single field says.
    pub compose: Option<for<'a> fn(&compose::Source<'_, 'a>, &mut compose::Composed<'a>)>,
}

impl Table {
    const EMPTY: Table = Table {
        base: None,
        keys: keys!(&[]),
        aggregated: keys!(&[]),
        entry: ENTRY_KEY,
        operation: None,
        kind: None,
        trace: None,
        objects: &[],
        complete: None,
        mends: None,
        aside: "",
        names: &[],
        compose: None,
    };

    /// The attributes of each field that has some, those of the newer table last.
    pub fn all_keys(&self) -> Vec<&'static (Field, &'static [&'static str])> {
        self.rows(|table| table.keys)
    }

    /// Likewise, of usage that the children say too.
    pub fn all_aggregated(&self) -> Vec<&'static (Field, &'static [&'static str])> {
        self.rows(|table| table.aggregated)
    }

    fn rows(&self, of: fn(&Table) -> &'static Keys) -> Vec<&'static (Field, &'static [&'static str])> {
        let mut rows = Vec::new();
        for table in [self.base, Some(self)].into_iter().flatten() {
            rows.extend(of(table).rows());
        }
        rows
    }

    /// Every key that the profile writes.
    pub fn written(&self) -> Vec<&'static str> {
        let mut written = Vec::new();
        for rows in [self.all_keys(), self.all_aggregated()] {
            rows.iter().for_each(|(_, keys)| written.extend_from_slice(keys));
        }
        written.push(self.entry);
        written.extend(self.operation);
        written.extend(self.kind.map(|(key, _)| key));
        self.trace.iter().for_each(|keys| written.extend_from_slice(keys));
        written
    }
}

/// OTel GenAI 0.1.0.
pub const OTEL: &Table = &otel::TABLE;
/// OTel GenAI 1.41.
pub const OTEL_1_41: &Table = &otel::TABLE_1_41;
/// Tencent Cloud LLM observability.
pub const TENCENT: &Table = &tencent::TABLE;
/// Langfuse.
pub const LANGFUSE: &Table = &langfuse::TABLE;
/// OpenInference.
pub const OPENINFERENCE: &Table = &openinference::TABLE;

/// For backends that have sessions only ([`Table::complete`]).
fn conversation_is_session<'a>(c: &mut Canonical<'a>, _: &'a Bump) {
    derive_from(c, Field::SessionId, Field::ConversationId);
}

/// Sets a field, if it is empty, to what another one says.
fn derive_from(c: &mut Canonical, field: Field, source: Field) {
    if let Some(value) = c.get(source) {
        c.reading = c.origin(source);
        c.derive(field, value);
    }
}
