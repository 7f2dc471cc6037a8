//! The one configuration: the same JSON (camelCase) for Node, edge, proxy and page. Reading, defaults and validation.

use crate::entry::{Destinations, Siblings};
use crate::error::{ConfigError, invalid};
use crate::json::Json;
use crate::json::read::{self, Read, quoted, read_enum, read_struct};
use crate::otlp::check::MAX_UNPACKED_BYTES;
use crate::privacy;
use crate::profiles::{self, write::Keep};
use crate::route::Filter;
use crate::span::{Value, value};
use crate::text::{self, number};
use bumpalo::Bump;

/// Which backend's attributes go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// OTel GenAI semantic conventions, the newest.
    #[default]
    Otel,
    /// OTel GenAI semantic conventions, 1.41.
    Otel1_41,
    /// Tencent Cloud LLM observability.
    Tencent,
    /// Langfuse.
    Langfuse,
    /// OpenInference: Phoenix and Arize.
    Openinference,
}

read_enum!(Profile {
    "otel" => Profile::Otel,
    "otel-1.41" => Profile::Otel1_41,
    "tencent" => Profile::Tencent,
    "langfuse" => Profile::Langfuse,
    "openinference" => Profile::Openinference,
});

impl Profile {
    /// Its table.
    pub fn table(self) -> &'static profiles::Table {
        match self {
            Profile::Otel => profiles::OTEL,
            Profile::Otel1_41 => profiles::OTEL_1_41,
            Profile::Tencent => profiles::TENCENT,
            Profile::Langfuse => profiles::LANGFUSE,
            Profile::Openinference => profiles::OPENINFERENCE,
        }
    }

    /// Tencent's backend also reads `langfuse.*`, so there the source stays.
    pub fn keep(self) -> Keep {
        match self {
            Profile::Tencent => Keep::All,
            _ => Keep::Unmapped,
        }
    }
}

/// A value of a resource attribute in the configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// Text.
    Str(String),
}

impl Read for Scalar {
    fn blank() -> Self {
        Scalar::Bool(false)
    }

    fn read<'d>(&mut self, json: Json<'d>, arena: &'d Bump) -> Result<(), read::Error> {
        *self = match value::from_json(json, arena) {
            Value::Str(_) if json.is_string() => Scalar::Str(read::value(json, arena)?),
            Value::Bool(b) => Scalar::Bool(b),
            Value::Int(n) => Scalar::Int(n),
            Value::Double(n) => Scalar::Double(n),
            _ => return Err(read::Error::unlike("a text, a number or a boolean", json)),
        };
        Ok(())
    }
}

/// Where spans go, and how they look there.
#[derive(Clone, Debug, Default)]
pub struct Destination {
    /// Its name in stats and logs.
    pub name: Option<String>,
    /// Its profile.
    pub profile: Profile,
    /// What becomes of the source's attributes; by default what the profile wants.
    pub keep: Option<Keep>,
    /// URL that the host sends to; the core only checks it.
    pub endpoint: Option<String>,
    /// Headers that the host sends; the core only checks them.
    pub headers: Vec<(String, String)>,
    /// Resource attribute `service.name`.
    pub service_name: Option<String>,
    /// Resource attribute `token`: the secret of this destination, and nobody else's.
    pub token: Option<String>,
    /// Resource attribute `host.name`: the instance, usually its IP.
    pub host_name: Option<String>,
    /// More resource attributes, at this destination only.
    pub resource: Vec<(String, Scalar)>,
    /// Scopes that may pass, `*` is any text; empty: all.
    pub allow_scopes: Vec<String>,
    /// Scopes that may not.
    pub block_scopes: Vec<String>,
    /// Spans that may pass, by what they are and say.
    pub filter: Filter,
    /// Which part of the traces it gets, from 0 to 1: whole traces, by their ids; `None`: all.
    pub sample_ratio: Option<f64>,
    /// The attribute that keeps the id of the parent, in hex, where a span gets another one since this destination does not get its own.
    pub original_parent: Option<String>,
    /// What may leave to it, in place of what holds for all destinations.
    pub privacy: Option<privacy::Settings>,
    /// How requests are written.
    pub protocol: Protocol,
    /// How its batches are made and sent, in place of what holds for all destinations.
    pub delivery: Option<Delivery>,
}

read_struct!(Destination {
    "name" => name,
    "profile" => profile,
    "keep" => keep,
    "endpoint" => endpoint,
    "headers" => headers,
    "serviceName" => service_name,
    "token" => token,
    "hostName" => host_name,
    "resource" => resource,
    "allowScopes" => allow_scopes,
    "blockScopes" | "blockedInstrumentationScopes" | "blocked_instrumentation_scopes" => block_scopes,
    "filter" => filter,
    "sampleRatio" => sample_ratio,
    "originalParent" => original_parent,
    "privacy" => privacy,
    "protocol" => protocol,
    "delivery" => delivery,
});

/// Entry detection.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Mark entries at all; marks of the source are removed anyway.
    pub enabled: bool,
    /// How the mark is written.
    pub value: EntryValue,
    /// A segment that began in another process has its entry there, where the trace state or the baggage says so.
    pub across_processes: bool,
    /// Which of several segments below one span that is not LLM have an entry.
    pub siblings: Siblings,
    /// How long a candidate is held at most, in ms. For spans read from bodies this is the window in which their parents may still come; with 0
    /// they are decided by what came before and what stands in the same body.
    pub hold_millis: f64,
    /// How many candidates are held at most.
    pub max_held: usize,
    /// How many encoded bytes are held at most.
    pub max_held_bytes: usize,
    /// How many spans are remembered at most.
    pub max_spans: usize,
}

/// How the mark is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryValue {
    /// A boolean.
    Bool,
    /// The string `true`, as Dify writes it.
    String,
}

read_enum!(EntryValue { "bool" => EntryValue::Bool, "string" => EntryValue::String, });

impl EntryValue {
    /// The value of the mark.
    pub fn mark(self) -> Value<'static> {
        match self {
            EntryValue::Bool => Value::Bool(true),
            EntryValue::String => Value::Str(b"true"),
        }
    }
}

read_struct!(Entry {
    "enabled" => enabled,
    "value" => value,
    "acrossProcesses" => across_processes,
    "siblings" => siblings,
    "holdMillis" => hold_millis,
    "maxHeld" => max_held,
    "maxHeldBytes" => max_held_bytes,
    "maxSpans" => max_spans,
});

impl Default for Entry {
    fn default() -> Self {
        Entry {
            enabled: true,
            value: EntryValue::Bool,
            across_processes: true,
            siblings: Siblings::Each,
            hold_millis: 30_000.0,
            max_held: 1_000,
            max_held_bytes: 16 << 20,
            max_spans: 50_000,
        }
    }
}

/// Bounds of a destination's queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// In spans.
    pub max_spans: usize,
    /// In encoded bytes.
    pub max_bytes: usize,
    /// What goes when it is full.
    pub drop: DropPolicy,
}

read_struct!(QueueLimits { "maxSpans" => max_spans, "maxBytes" => max_bytes, "drop" => drop, });

/// What a full queue drops. Entries are the last to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DropPolicy {
    /// What waits longest.
    #[default]
    Oldest,
    /// What comes.
    Newest,
}

read_enum!(DropPolicy { "oldest" => DropPolicy::Oldest, "newest" => DropPolicy::Newest, });

impl Default for QueueLimits {
    fn default() -> Self {
        QueueLimits { max_spans: 8_192, max_bytes: 64 << 20, drop: DropPolicy::Oldest }
    }
}

/// When a batch goes.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// In spans.
    pub max_spans: usize,
    /// In bytes of the whole request, as encoded; a span that is larger goes alone.
    pub max_bytes: usize,
    /// How long the first span waits for others, in ms.
    pub delay_millis: f64,
}

read_struct!(BatchLimits { "maxSpans" => max_spans, "maxBytes" => max_bytes, "delayMillis" => delay_millis, });

impl Default for BatchLimits {
    fn default() -> Self {
        BatchLimits { max_spans: 512, max_bytes: 4 << 20, delay_millis: 5_000.0 }
    }
}

/// How a batch is sent again.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The longest first wait, in ms; it doubles each time, and is chosen at random below it.
    pub initial_millis: f64,
    /// The longest wait, in ms.
    pub max_millis: f64,
    /// How long after it was made a batch is given up, in ms.
    pub deadline_millis: f64,
}

read_struct!(RetryPolicy { "initialMillis" => initial_millis, "maxMillis" => max_millis, "deadlineMillis" => deadline_millis, });

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy { initial_millis: 1_000.0, max_millis: 30_000.0, deadline_millis: 300_000.0 }
    }
}

/// When a destination that fails is left alone.
#[derive(Clone, Copy, Debug)]
pub struct Breaker {
    /// After so many failures in a row; 0: never.
    pub failures: usize,
    /// For so long, in ms; then one request probes it.
    pub open_millis: f64,
}

read_struct!(Breaker { "failures" => failures, "openMillis" => open_millis, });

impl Default for Breaker {
    fn default() -> Self {
        Breaker { failures: 5, open_millis: 10_000.0 }
    }
}

/// How the batches of a destination are made and sent.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// Bounds of the queue.
    pub queue: QueueLimits,
    /// When a batch goes.
    pub batch: BatchLimits,
    /// How a batch is sent again.
    pub retry: RetryPolicy,
    /// When the destination is left alone.
    pub breaker: Breaker,
    /// How many batches are on their way at most.
    pub max_in_flight: usize,
    /// The host keeps what cannot be delivered.
    pub spool: bool,
}

read_struct!(Delivery {
    "queue" => queue,
    "batch" => batch,
    "retry" => retry,
    "breaker" => breaker,
    "maxInFlight" => max_in_flight,
    "spool" => spool,
});

impl Default for Delivery {
    fn default() -> Self {
        Delivery {
            queue: QueueLimits::default(),
            batch: BatchLimits::default(),
            retry: RetryPolicy::default(),
            breaker: Breaker::default(),
            max_in_flight: 4,
            spool: false,
        }
    }
}

impl Delivery {
    fn validate(&self, at: &str) -> Result<(), ConfigError> {
        for (field, value) in [
            ("queue.maxSpans", self.queue.max_spans),
            ("queue.maxBytes", self.queue.max_bytes),
            ("batch.maxSpans", self.batch.max_spans),
            ("batch.maxBytes", self.batch.max_bytes),
            ("maxInFlight", self.max_in_flight),
        ] {
            if value == 0 {
                return invalid(&format!("{at}{field}"), 0, "must be 1 or more");
            }
        }
        for (field, value) in [
            ("batch.delayMillis", self.batch.delay_millis),
            ("retry.initialMillis", self.retry.initial_millis),
            ("retry.maxMillis", self.retry.max_millis),
            ("retry.deadlineMillis", self.retry.deadline_millis),
            ("breaker.openMillis", self.breaker.open_millis),
        ] {
            if value.is_nan() || value < 0.0 {
                return invalid(&format!("{at}{field}"), shown(value), "must be 0 or more, in ms");
            }
        }
        Ok(())
    }
}

/// How requests are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP/HTTP with protobuf.
    #[default]
    HttpProtobuf,
    /// OTLP/HTTP with JSON.
    HttpJson,
    /// OTLP/gRPC; the host frames the body.
    Grpc,
}

read_enum!(Protocol {
    "http/protobuf" => Protocol::HttpProtobuf,
    "http/json" => Protocol::HttpJson,
    "grpc" => Protocol::Grpc,
});

/// The configuration of a [`crate::Pipeline`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Where spans go.
    pub destinations: Vec<Destination>,
    /// Entry detection.
    pub entry: Entry,
    /// What of content may leave, and how large spans may be.
    pub privacy: privacy::Settings,
    /// Guess the provider from address and model where nothing names it.
    pub infer_provider: bool,
    /// Session and user go down to the spans that lack them, from those above or from baggage.
    pub inherit_session: bool,
    /// The host tells the sender's address with each body: `host.name` need not be given.
    pub peer_host_name: bool,
    /// Bodies come from other processes, whose resources may carry the token of profile `tencent`: it need not be configured.
    pub sender_tokens: bool,
    /// Bounds of each destination's queue.
    pub queue: QueueLimits,
    /// When a batch goes.
    pub batch: BatchLimits,
    /// How a batch is sent again.
    pub retry: RetryPolicy,
    /// When a destination is left alone.
    pub breaker: Breaker,
    /// The host keeps what cannot be delivered.
    pub spool: bool,
    /// How many batches of a destination are on their way at most.
    pub max_in_flight: usize,
    /// How many keys and names of the application are interned at most.
    pub dictionary: usize,
    /// How many bytes of memory what is in one body may take when it is unpacked; a body that takes more is refused.
    pub max_unpacked_bytes: usize,
}

read_struct!(Config {
    "destinations" => destinations,
    "entry" => entry,
    "inferProvider" => infer_provider,
    "inheritSession" => inherit_session,
    "privacy" => privacy,
    "queue" => queue,
    "batch" => batch,
    "retry" => retry,
    "breaker" => breaker,
    "maxInFlight" => max_in_flight,
    "spool" => spool,
    "dictionary" => dictionary,
    "maxUnpackedBytes" => max_unpacked_bytes,
});

impl Default for Config {
    fn default() -> Self {
        Config {
            destinations: Vec::new(),
            entry: Entry::default(),
            privacy: privacy::Settings::default(),
            infer_provider: true,
            inherit_session: true,
            peer_host_name: false,
            sender_tokens: false,
            queue: QueueLimits::default(),
            batch: BatchLimits::default(),
            retry: RetryPolicy::default(),
            breaker: Breaker::default(),
            spool: false,
            max_in_flight: 4,
            dictionary: 4_096,
            max_unpacked_bytes: MAX_UNPACKED_BYTES,
        }
    }
}

/// The format of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// What it looks like; on the way out, the format that came in.
    #[default]
    Auto,
    /// OTLP protobuf.
    Protobuf,
    /// OTLP JSON.
    Json,
}

read_enum!(Format { "auto" => Format::Auto, "protobuf" => Format::Protobuf, "json" => Format::Json, });

/// The configuration of [`crate::convert`]: one body in, one out.
#[derive(Clone, Debug)]
pub struct Convert {
    /// The format that comes in.
    pub from: Format,
    /// The format that goes out.
    pub to: Format,
    /// The profile.
    pub profile: Profile,
    /// What becomes of the source's attributes.
    pub keep: Option<Keep>,
    /// Resource attribute `service.name`.
    pub service_name: Option<String>,
    /// Resource attribute `token`.
    pub token: Option<String>,
    /// Resource attribute `host.name`.
    pub host_name: Option<String>,
    /// More resource attributes.
    pub resource: Vec<(String, Scalar)>,
    /// Entry detection.
    pub entry: Entry,
    /// What of content may leave, and how large spans may be.
    pub privacy: privacy::Settings,
    /// Guess the provider from address and model where nothing names it.
    pub infer_provider: bool,
    /// Session and user go down to the spans that lack them, from those above or from baggage.
    pub inherit_session: bool,
    /// How many bytes of memory what is in the body may take when it is unpacked; a body that takes more is refused.
    pub max_unpacked_bytes: usize,
}

read_struct!(Convert {
    "from" => from,
    "to" => to,
    "profile" => profile,
    "keep" => keep,
    "serviceName" => service_name,
    "token" => token,
    "hostName" => host_name,
    "resource" => resource,
    "entry" => entry,
    "inferProvider" => infer_provider,
    "inheritSession" => inherit_session,
    "privacy" => privacy,
    "maxUnpackedBytes" => max_unpacked_bytes,
});

impl Default for Convert {
    fn default() -> Self {
        Convert {
            from: Format::Auto,
            to: Format::Auto,
            profile: Profile::default(),
            keep: None,
            service_name: None,
            token: None,
            host_name: None,
            resource: Vec::new(),
            entry: Entry::default(),
            privacy: privacy::Settings::default(),
            infer_provider: true,
            inherit_session: true,
            max_unpacked_bytes: MAX_UNPACKED_BYTES,
        }
    }
}

impl Convert {
    /// Reads the options from JSON and checks them.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let options: Convert = from_json(json)?;
        options.validate()?;
        Ok(options)
    }

    /// The destination that the body is written for.
    pub fn destination(&self) -> Destination {
        Destination {
            profile: self.profile,
            keep: self.keep,
            service_name: self.service_name.clone(),
            token: self.token.clone(),
            host_name: self.host_name.clone(),
            resource: self.resource.clone(),
            ..Destination::default()
        }
    }

    /// Checks every value.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.destination().validate_resource("")?;
        self.privacy.validate("")?;
        self.entry.validate()
    }
}

/// Reads JSON; an error names the field by its path.
fn from_json<T: Read>(json: &str) -> Result<T, ConfigError> {
    read::from_str(json).map_err(ConfigError::new)
}

fn shown(number: f64) -> String {
    if number.is_finite() { number::text(number, str::to_owned) } else { "no number".to_owned() }
}

/// Does a text match a pattern in which `*` is any text?
pub fn glob(pattern: &str, text: &[u8]) -> bool {
    text::glob(pattern, text)
}

/// Tencent's rule for `service.name`.
pub fn is_service_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    name.len() <= 63
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.last().is_some_and(|b| *b != b'-')
}

/// The name nearest to `name` that follows Tencent's rule.
pub fn to_service_name(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() && !out.is_empty() => out.push(c),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.truncate(63);
    let out = out.trim_end_matches('-');
    if out.is_empty() { "service".to_owned() } else { out.to_owned() }
}

impl Destination {
    fn validate_resource(&self, at: &str) -> Result<(), ConfigError> {
        if let Some(name) = &self.service_name {
            if self.profile == Profile::Tencent && !is_service_name(name) {
                let rule = "profile tencent takes at most 63 lower-case letters, digits and \"-\", beginning with a letter and ending with a letter or digit";
                return invalid(&format!("{at}service.name"), quoted(name), &format!("{rule}; try {}", quoted(&to_service_name(name))));
            }
            if name.is_empty() {
                return invalid(&format!("{at}service.name"), "\"\"", "must not be empty; leave it out to keep the resource's own");
            }
        }
        for (field, value) in [("token", &self.token), ("host.name", &self.host_name)] {
            if value.as_ref().is_some_and(|v| v.trim().is_empty() || v.chars().any(char::is_control)) {
                return invalid(&format!("{at}{field}"), "is empty or has control characters", "give the text itself, without line breaks");
            }
        }
        if self.profile != Profile::Tencent && self.token.is_some() {
            return invalid(&format!("{at}token"), "is set", "only profile tencent sends it; set profile \"tencent\", or use headers");
        }
        Ok(())
    }

    /// Returns true if the backend wants a token and the configuration has none.
    fn lacks_token(&self) -> bool {
        self.profile == Profile::Tencent && self.token.is_none() && !self.has_in_resource("token")
    }

    fn has_in_resource(&self, key: &str) -> bool {
        self.resource.iter().any(|(name, value)| name == key && matches!(value, Scalar::Str(text) if !text.is_empty()))
    }

    fn validate(&self, at: &str, config: &Config) -> Result<(), ConfigError> {
        self.validate_resource(at)?;
        self.privacy.as_ref().map_or(Ok(()), |privacy| privacy.validate(at))?;
        self.delivery.as_ref().map_or(Ok(()), |delivery| delivery.validate(&format!("{at}delivery.")))?;
        if self.profile == Profile::Tencent {
            if self.lacks_token() && !config.sender_tokens {
                return invalid(
                    &format!("{at}token"),
                    "is missing",
                    "profile tencent needs the token of your Tencent Cloud business system",
                );
            }
            if self.host_name.is_none() && !self.has_in_resource("host.name") && !config.peer_host_name {
                return invalid(
                    &format!("{at}host.name"),
                    "is missing",
                    "profile tencent needs the instance; give its IP, such as \"10.0.0.8\"",
                );
            }
        }
        if let Some(endpoint) = &self.endpoint {
            let rest = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
            let host = rest.map(|r| r.split(['/', '?']).next().unwrap_or_default());
            let has_bad_port = |h: &str| {
                let port = h.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
                !h.contains('@') && port.is_some_and(|port| !port.bytes().all(|b| b.is_ascii_digit()))
            };
            if host.is_none_or(|h| h.is_empty() || h.contains(char::is_whitespace) || has_bad_port(h)) {
                return invalid(
                    &format!("{at}endpoint"),
                    // Without the value, which may have a key in its query, or a password with a slash in it.
                    "is not an http or https URL",
                    "write it as in \"https://collector:4318/v1/traces\"",
                );
            }
            if host.is_some_and(|h| h.contains('@')) {
                return invalid(&format!("{at}endpoint"), "holds credentials", "put them into headers");
            }
        }
        if let Some(ratio) = self.sample_ratio.filter(|ratio| !(0.0..=1.0).contains(ratio)) {
            return invalid(&format!("{at}sampleRatio"), shown(ratio), "must be from 0 (no trace) to 1 (all)");
        }
        for (name, value) in &self.headers {
            let is_token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
            if !is_token {
                // It may be a value in the place of a name.
                return invalid(&format!("{at}headers"), "has a name that no header can have", "use letters, digits and \"-\"");
            }
            if value.bytes().any(|b| b == b'\r' || b == b'\n' || b == 0) {
                return invalid(&format!("{at}headers.{name}"), "has line breaks in its value", "give one line");
            }
        }
        Ok(())
    }

    /// Does a scope pass?
    pub fn allows(&self, scope: &[u8]) -> bool {
        let any = |list: &[String]| list.iter().any(|pattern| text::glob(pattern, scope));
        (self.allow_scopes.is_empty() || any(&self.allow_scopes)) && !any(&self.block_scopes)
    }

    /// Resource attributes that this destination sets.
    pub fn resource_attributes(&self) -> Vec<(&str, Scalar)> {
        let named = [("service.name", &self.service_name), ("token", &self.token), ("host.name", &self.host_name)];
        let more = self.resource.iter().filter(|(key, _)| named.iter().all(|(name, value)| value.is_none() || name != key));
        let named = named.into_iter().filter_map(|(key, value)| Some((key, Scalar::Str(value.clone()?))));
        named.chain(more.map(|(key, value)| (key.as_str(), value.clone()))).collect()
    }
}

impl Entry {
    fn validate(&self) -> Result<(), ConfigError> {
        if !(self.hold_millis >= 0.0 && self.hold_millis.is_finite()) {
            return invalid("entry.holdMillis", shown(self.hold_millis), "must be 0 or more, in ms; the default is 30000");
        }
        Ok(())
    }
}

impl Config {
    /// Reads a configuration from JSON and checks it.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let config = Self::read(json)?;
        config.validate()?;
        Ok(config)
    }

    /// Reads a configuration from JSON; [`crate::Pipeline::new`] checks it.
    pub fn read(json: &str) -> Result<Self, ConfigError> {
        from_json(json)
    }

    /// How the batches of destinations that say nothing else are made and sent.
    pub fn delivery(&self) -> Delivery {
        Delivery {
            queue: self.queue,
            batch: self.batch,
            retry: self.retry,
            breaker: self.breaker,
            max_in_flight: self.max_in_flight,
            spool: self.spool,
        }
    }

    /// Checks every value.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.destinations.is_empty() {
            return invalid("destinations", "is empty", "name at least one, such as [{\"endpoint\": \"http://localhost:4318/v1/traces\"}]");
        }
        if self.destinations.len() > Destinations::BITS as usize {
            return invalid("destinations", format!("has {} entries", self.destinations.len()), "at most 32 are possible");
        }
        for (i, destination) in self.destinations.iter().enumerate() {
            let at = if self.destinations.len() == 1 { String::new() } else { format!("destinations[{i}].") };
            destination.validate(&at, self)?;
        }
        if let Some((i, _)) = self.destinations.iter().enumerate().filter(|(_, d)| d.lacks_token()).nth(1) {
            let rule = "only one destination can be the one that the senders' own tokens are for; give this one its token";
            return invalid(&format!("destinations[{i}].token"), "is missing", rule);
        }
        self.privacy.validate("")?;
        self.entry.validate()?;
        self.delivery().validate("")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuses(json: &str, message: &str) {
        assert_eq!(Config::from_json(json).unwrap_err().to_string(), message);
    }

    #[test]
    fn a_bad_value_is_named_with_its_rule_and_a_fix() {
        refuses(
            r#"{"destinations":[{"profile":"tencent","token":"t","hostName":"h","serviceName":"My App"}]}"#,
            r#"service.name "My App": profile tencent takes at most 63 lower-case letters, digits and "-", beginning with a letter and ending with a letter or digit; try "my-app""#,
        );
        refuses(
            r#"{"destinations":[{},{"endpoint":"collector:4318"}]}"#,
            r#"destinations[1].endpoint is not an http or https URL: write it as in "https://collector:4318/v1/traces""#,
        );
        refuses(
            r#"{"destinations":[{"profile":"tencent","hostName":"h"}]}"#,
            "token is missing: profile tencent needs the token of your Tencent Cloud business system",
        );
        refuses(
            r#"{"destinations":[{"headers":{"a b":"c"}}]}"#,
            "headers has a name that no header can have: use letters, digits and \"-\"",
        );
        refuses(
            r#"{"destinations":[]}"#,
            "destinations is empty: name at least one, such as [{\"endpoint\": \"http://localhost:4318/v1/traces\"}]",
        );
        refuses(r#"{"destinations":[{"sampleRatio":1.5}]}"#, "sampleRatio 1.5: must be from 0 (no trace) to 1 (all)");
        refuses(r#"{"destinations":[{}],"batch":{"maxSpans":0}}"#, "batch.maxSpans 0: must be 1 or more");
        refuses(r#"{"destinations":[{"delivery":{"batch":{"maxSpans":0}}}]}"#, "delivery.batch.maxSpans 0: must be 1 or more");
        refuses(
            r#"{"destinations":[{"profile":"otle"}]}"#,
            r#"destinations[0].profile: "otle" is none of "otel", "otel-1.41", "tencent", "langfuse", "openinference""#,
        );
        refuses(
            r#"{"destinations":[{}],"entry":{"enbled":true}}"#,
            "entry.enbled: unknown field `enbled`, expected one of `enabled`, `value`, `acrossProcesses`, `siblings`, `holdMillis`, `maxHeld`, `maxHeldBytes`, `maxSpans`",
        );
    }

    #[test]
    fn secrets_are_in_no_message() {
        for json in [
            r#"{"destinations":[{"profile":"tencent","hostName":"h","token":"s3cret\n"}]}"#,
            r#"{"destinations":[{"token":"s3cret"}]}"#,
            r#"{"destinations":[{"headers":{"authorization":"s3cret\n"}}]}"#,
            r#"{"destinations":[{"endpoint":"https://me:s3cret@host/"}]}"#,
            r#"{"destinations":[{"endpoint":"https://me:s3cret/x@host/"}]}"#,
            r#"{"destinations":[{"endpoint":"https://me:1s3cret?@host/"}]}"#,
            r#"{"destinations":[{"endpoint":"me:s3cret@host/"}]}"#,
            r#"{"destinations":[{"endpoint":"htp://host/v1?api_key=s3cret"}]}"#,
            r#"{"destinations":[{"endpoint":"host#s3cret"}]}"#,
            r#"{"destinations":[{"headers":{"Bearer s3cret":"authorization"}}]}"#,
            r#"{"destinations":[{"headers":"s3cret"}]}"#,
            r#"{"destinations":[{"headers":["s3cret"]}]}"#,
            r#"{"destinations":[{"token":["s3cret"]}]}"#,
            r#"{"destinations":["s3cret"]}"#,
            r#"{"destinations":"s3cret"}"#,
            r#"{"destinations":[{"resource":"s3cret"}]}"#,
            r#""s3cret""#,
            r#"{"token": "s3cret", }"#,
            "s3cret",
        ] {
            let message = Config::from_json(json).unwrap_err().to_string();
            assert!(!message.contains("s3cret"), "{message}");
        }
    }

    #[test]
    fn service_names() {
        for good in ["a", "shop-agent", "a1", &"a".repeat(63)] {
            assert!(is_service_name(good), "{good}");
        }
        for bad in ["", "1a", "-a", "a-", "A", "a_b", "a.b", "深圳", &"a".repeat(64)] {
            assert!(!is_service_name(bad), "{bad}");
            assert!(is_service_name(&to_service_name(bad)), "{bad}");
        }
        assert_eq!(to_service_name("unknown_service:node"), "unknown-service-node");
    }
}
