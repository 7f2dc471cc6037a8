//! The output profiles: which attributes of a backend say each canonical field. Tables; what several fields make together
//! is put together in `compose`, and the writing is in `write.rs`.

mod compose;
mod langfuse;
mod openinference;
mod otel;
mod paths;
mod tencent;
mod tencent_cls;
pub mod write;

use crate::conventions::packed::Keys;
use crate::genai::{Canonical, Field, Kind};
use crate::json::Json;
use crate::json::read::{self, Read, Shown};
use crate::normalize::Fate;
use crate::span::Value;
use bumpalo::Bump;
pub(crate) use compose::PARAMETERS;
pub(crate) use paths::Paths;
use write::Keep;

/// The mark of the entry span, for profiles that have no key of their own for it.
pub const ENTRY_KEY: &str = "gen_ai.is_entry";
const OPERATION_KEY: &str = "gen_ai.operation.name";

/// A profile's word for a kind of span that is the root of its trace or not, and whether that tells the kind back.
type SaysKind = fn(Kind, bool) -> (&'static str, bool);

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

/// How a backend names services.
pub struct ServiceName {
    /// Returns true if the backend takes a name.
    pub takes: fn(&str) -> bool,
    /// The name nearest to this one that the backend takes.
    pub nearest: fn(&str) -> String,
    /// What names look like, for errors.
    pub form: &'static str,
}

/// What one backend wants: all that is known of it.
pub struct Table {
    /// The profile's name in the configuration.
    pub name: &'static str,
    /// The source attributes that stay, unless the configuration says otherwise.
    pub keep: Keep,
    /// The endpoint that the inspector writes into the configuration to copy.
    pub endpoint: &'static str,
    /// The endpoint of a region, for backends that know their accounts by a topic and a pair of keys.
    pub regional: Option<&'static str>,
    /// Headers that its requests get.
    pub headers: &'static [(&'static str, &'static str)],
    /// The backend knows its accounts by the resource attribute `token`: what the configuration needs.
    pub token: Option<&'static str>,
    /// The backend needs the resource attribute `host.name`: what the configuration needs.
    pub host_name: Option<&'static str>,
    /// The names of services that the backend takes; `None`: all.
    pub service_name: Option<ServiceName>,
    /// Resource attributes that must be texts.
    pub texts: &'static [&'static [u8]],
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
    /// The words for kinds of spans that stay where the source has them under the profile's own key.
    pub own_kinds: &'static [(&'static str, Kind)],
    /// The kind of a span that nothing tells a kind of; empty: none.
    pub unknown_kind: &'static str,
    /// The attributes by which the backend names a span in place of its name.
    pub name_keys: &'static [&'static str],
    /// What has to become of an attribute of the source that stays, by its key and value, so that the backend takes the span; `None`: it may stay
    /// as it is. With [`Fate::Drop`] it moves to where [`Table::aside`] has it.
    pub mends: Option<Mends>,
    /// What stands in front of the key of an attribute that may not stay under its own.
    pub aside: &'static str,
    /// The keys under which [`Table::compose`] writes a name.
    pub names: &'static [&'static str],
    /// The backend reads a dotted key as a path: `a` cannot stand beside `a.b`.
    pub has_paths: bool,
    /// What stands for an absent value of a key that the backend wants on every span of some kind.
    pub fill: fn(&[u8]) -> Option<&'static str>,
    /// Puts together what no single field says.
    pub compose: Option<for<'a> fn(&compose::Source<'_, 'a>, &mut compose::Composed<'a>)>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Table {
    const EMPTY: Table = Table {
        name: "",
        keep: Keep::Unmapped,
        endpoint: "http://localhost:4318/v1/traces",
        regional: None,
        headers: &[],
        token: None,
        host_name: None,
        service_name: None,
        texts: &[],
        base: None,
        keys: keys!(&[]),
        aggregated: keys!(&[]),
        entry: ENTRY_KEY,
        operation: None,
        kind: None,
        trace: None,
        objects: &[],
        complete: None,
        own_kinds: &[],
        unknown_kind: "",
        name_keys: &[],
        mends: None,
        aside: "",
        names: &[],
        has_paths: false,
        fill: |_| None,
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

macro_rules! profiles {
    ($($(#[$doc:meta])* $name:ident = $table:path;)*) => {
        impl Profile {
            $($(#[$doc])* pub const $name: Profile = Profile(&$table);)*

            /// All of them.
            pub const ALL: &[Profile] = &[$(Profile::$name),*];
        }
    };
}

profiles! {
    /// OTel GenAI 0.1.0.
    OTEL = otel::TABLE;
    /// OTel GenAI 1.41.
    OTEL_1_41 = otel::TABLE_1_41;
    /// Tencent Cloud LLM observability.
    TENCENT = tencent::TABLE;
    /// Tencent Cloud Log Service.
    TENCENT_CLS = tencent_cls::TABLE;
    /// Langfuse.
    LANGFUSE = langfuse::TABLE;
    /// OpenInference: Phoenix and Arize.
    OPENINFERENCE = openinference::TABLE;
}

/// The backend whose attributes are written: one of [`Profile::ALL`].
#[derive(Clone, Copy)]
pub struct Profile(&'static Table);

impl Profile {
    /// Its table.
    pub fn table(self) -> &'static Table {
        self.0
    }

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        self.0.name
    }
}

impl PartialEq for Profile {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Default for Profile {
    fn default() -> Self {
        Profile::OTEL
    }
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Read for Profile {
    fn blank() -> Self {
        Profile::OTEL
    }

    fn read<'d>(&mut self, json: Json<'d>, _: &'d Bump) -> Result<(), read::Error> {
        let names: Vec<_> = Profile::ALL.iter().map(|profile| profile.name()).collect();
        *self = Profile::ALL[read::word(json, &names)?];
        Ok(())
    }
}

impl Shown for Profile {
    fn shown(&self) -> String {
        ["\"", self.name(), "\""].concat()
    }
}

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
