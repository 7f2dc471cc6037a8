//! The one configuration: the same JSON (camelCase) for the package, the relay, the proxy and the page. Each option is declared once, where its
//! struct is ([`crate::options`]); [`groups`] is the list of all.

mod delivery;
mod destination;
mod entry;
mod groups;

pub use delivery::{BatchLimits, Breaker, Delivery, DeliveryOptions, DropPolicy, QueueLimits, RetryPolicy};
pub use destination::{Compression, Destination, Protocol, Scalar};
pub use entry::{Entry, EntryValue};
pub use groups::{Group, groups};

use crate::conventions::custom::Mappings;
use crate::entry::Destinations;
use crate::error::{ConfigError, invalid};
use crate::json::read::{self, Members, Read, read_enum, read_struct, shown_as_nothing};
use crate::options::{Proxy, options};
use crate::otlp::check::MAX_UNPACKED_BYTES;
use crate::privacy;
pub use crate::profiles::Profile;
use crate::profiles::write::Keep;
use crate::text::{self, number};
use bumpalo::Bump;

options! {
    /// The configuration of a [`crate::Pipeline`]: one destination by its own options, or several in `destinations`.
    #[derive(Clone, Debug)]
    pub struct Config {
        /// Where spans go, each destination with its own options.
        "destinations" => listed: Option<Vec<Destination>> = None, "DestinationOptions[]", default: "the one that the other options describe";
        /// Which spans carry `gen_ai.is_entry`.
        "entry" => entry: Entry = Entry::default(), "EntryOptions", default: "the marked spans of each segment, or its outermost LLM span";
        /// What may leave of content, and how large spans may be.
        "privacy" => privacy: privacy::Settings = privacy::Settings::default(), "PrivacyOptions", default: "all content, within limits";
        /// Fill in the provider from the server's address or the model's name where nothing names it.
        "inferProvider" => infer_provider: bool = true, "boolean";
        /// What keys of your own mean on spans of home-made instrumentation, in terms of the canonical fields: `[{"keys": {"my.model": "request.model"}}]`.
        /// docs/conventions.md lists the fields.
        "mappings" => mappings: Mappings = Mappings::default(), "Mapping[]", default: "none";
        /// Copy session and user to the LLM spans that lack them, from the spans above or from baggage.
        "inheritSession" => inherit_session: bool = true, "boolean";
        /// Maximum memory for what one OTLP body holds when it is unpacked, in bytes. A body that needs more is refused: the relay and Envoy answer
        /// 413, gRPC `RESOURCE_EXHAUSTED`; `convert` and `normalize` throw. A value that would need much more than its size, such as a list of a
        /// million empty messages, is left as it is and counted as `unread`.
        "maxUnpackedBytes" => max_unpacked_bytes: usize = MAX_UNPACKED_BYTES, "number";
        /// Maximum memory of the WebAssembly module while it is idle, in bytes. Its memory never shrinks: a module that has grown past this is replaced once
        /// its queues are empty and no span has ended for `entry.holdMillis`. It begins with about 2 MiB.
        "maxIdleMemoryBytes" => max_idle_memory_bytes: usize = 64 << 20, "number", proxy: Proxy::Ignored("a plugin runs as long as the proxy's worker; maxUnpackedBytes and maxBufferedBytes limit its memory");
        /// Maximum number of attribute keys and names of the application in the dictionary. Further ones are looked up each time, which takes longer.
        "maxKeys" => max_keys: usize = 4_096, "number";
        /// Directory for batches that could not be delivered, in Node, Bun and Deno. They are sent later, after a restart too, to the same account. A
        /// destination whose `headers` are a function then needs a `name`, and so do several with one endpoint.
        "spool" => spool: Option<Spool> = None, "SpoolOptions", proxy: Proxy::Ignored("a plugin has no files; what waits is in memory, bounded by maxQueueBytes");
        /// Time limit of `forceFlush` and `shutdown`, in ms.
        "flushTimeoutMillis" => flush_timeout_millis: f64 = 30_000.0, "number", proxy: Proxy::Ignored("the proxy decides how long it drains");
        /// In Node: flush before the process ends by itself, and shut down on SIGTERM.
        "flushOnExit" => flush_on_exit: bool = false, "boolean", proxy: Proxy::Ignored("what is held is always sent when the proxy drains");
        @ /// Where spans go: the destinations of the list, or the one whose options stand beside it.
        destinations: Vec<Destination> = Vec::new();
        @ /// The destinations come from a list.
        is_listed: bool = false;
        @ /// The host gives the sender's address with each body: `host.name` need not be configured.
        peer_host_name: bool = false;
        @ /// Bodies come from other processes, whose resources may carry the token that a profile wants: it need not be configured.
        sender_tokens: bool = false;
        .. /// The options of one destination that stand beside these; those of delivery hold for all destinations.
        single: Destination;
    }
}

options! {
    /// Where batches that could not be delivered are kept. The host does it.
    #[derive(Clone, Debug)]
    pub struct Spool {
        /// A directory of its own; processes may share it.
        "dir" => dir: Option<String> = None, "string", default: "required";
        /// Maximum size of the directory, in bytes; the oldest batches are removed first.
        "maxBytes" => max_bytes: usize = 256 << 20, "number";
    }
}

shown_as_nothing! { Spool Destination }

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
    /// What keys of the user's own mean.
    pub mappings: Mappings,
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
    "mappings" => mappings,
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
            mappings: Mappings::default(),
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

/// Reads JSON; an error names the option by its path.
fn from_json<T: Read>(json: &str) -> Result<T, ConfigError> {
    read::from_str(json).map_err(ConfigError::new)
}

/// The longest time that every host can wait, in ms.
const MAX_MILLIS: f64 = 2_147_483_647.0;

/// Checks a duration.
fn millis(path: &str, value: f64) -> Result<(), ConfigError> {
    if (0.0..=MAX_MILLIS).contains(&value) {
        return Ok(());
    }
    invalid(path, &shown(value), "is out of range", "use a number from 0 to 2147483647 (ms)")
}

fn shown(number: f64) -> String {
    if number.is_finite() {
        number::text(number, |text| text.strip_suffix(".0").unwrap_or(text).to_owned())
    } else {
        "not a number".to_owned()
    }
}

/// Returns true if a text matches a pattern in which `*` stands for any text.
pub fn glob(pattern: &str, text: &[u8]) -> bool {
    text::glob(pattern, text)
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
        let mut config: Config = from_json(json)?;
        config.single.delivery.spool = config.spool.is_some();
        config.destinations = match config.listed.take() {
            Some(list) => {
                config.is_listed = true;
                config.refuse_beside_list(json)?;
                list
            }
            None => vec![std::mem::take(&mut config.single)],
        };
        Ok(config)
    }

    /// An option of one destination that stands beside the list would hold for none of them.
    fn refuse_beside_list(&self, json: &str) -> Result<(), ConfigError> {
        let arena = Bump::new();
        let (mut of_one, mut of_all) = (Vec::new(), vec!["privacy"]);
        self.single.names(&mut of_one);
        self.single.delivery.names(&mut of_all);
        let written = crate::json::parse(json.as_bytes(), &arena);
        let names = written.into_iter().flat_map(crate::json::Json::entries).map(|(name, _)| name);
        match names.map(String::from_utf8_lossy).find(|name| of_one.contains(&&name[..]) && !of_all.contains(&&name[..])) {
            Some(name) => invalid(&name, "", "is set beside destinations", "move it into each destination that it is meant for"),
            None => Ok(()),
        }
    }

    /// How the batches of a destination are made and sent.
    pub fn delivery(&self, of: &Destination) -> Delivery {
        of.delivery.over(&self.single.delivery)
    }

    /// The path before the options of a destination, as the user wrote it.
    fn path(&self, destination: usize) -> String {
        if self.is_listed { format!("destinations[{destination}].") } else { String::new() }
    }

    /// Checks every value.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.destinations.is_empty() {
            let fix = "name at least one, such as [{\"endpoint\": \"http://localhost:4318/v1/traces\"}]";
            return invalid("destinations", "", "is empty", fix);
        }
        if self.destinations.len() > Destinations::BITS as usize {
            return invalid("destinations", "", &format!("has {} entries", self.destinations.len()), "use at most 32");
        }
        for (i, destination) in self.destinations.iter().enumerate() {
            destination.validate(&self.path(i), self.sender_tokens, self.peer_host_name)?;
        }
        if let Some((i, _)) = self.destinations.iter().enumerate().filter(|(_, d)| d.lacks_token()).nth(1) {
            let fix = "the tokens of the senders can go to one destination only: give this one its own";
            return invalid(&format!("{}token", self.path(i)), "", "is missing", fix);
        }
        self.privacy.validate("")?;
        self.entry.validate()?;
        millis("flushTimeoutMillis", self.flush_timeout_millis)?;
        self.single.delivery.validate("")
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
            r#"destinations[0].serviceName: "My App" is not a name that profile tencent takes; use at most 63 lower-case letters, digits and "-", beginning with a letter and ending with a letter or digit, such as "my-app""#,
        );
        refuses(
            r#"{"destinations":[{},{"endpoint":"collector:4318"}]}"#,
            r#"destinations[1].endpoint: is not an http or https URL; write it as in "https://collector:4318/v1/traces""#,
        );
        refuses(
            r#"{"destinations":[{"profile":"tencent","hostName":"h"}]}"#,
            "destinations[0].token: is missing; profile tencent needs the token of your Tencent Cloud business system",
        );
        refuses(
            r#"{"destinations":[{"headers":{"a b":"c"}}]}"#,
            "destinations[0].headers: has a name that no header can have; use letters, digits and \"-\"",
        );
        refuses(
            r#"{"destinations":[]}"#,
            "destinations: is empty; name at least one, such as [{\"endpoint\": \"http://localhost:4318/v1/traces\"}]",
        );
        refuses(
            r#"{"destinations":[{"sampleRatio":1.5}]}"#,
            "destinations[0].sampleRatio: 1.5 is out of range; use a number from 0 (no trace) to 1 (all)",
        );
        refuses(r#"{"destinations":[{}],"maxExportBatchSize":0}"#, "maxExportBatchSize: 0 is out of range; use a whole number, 1 or more");
        refuses(
            r#"{"destinations":[{"maxExportBatchSize":0}]}"#,
            "destinations[0].maxExportBatchSize: 0 is out of range; use a whole number, 1 or more",
        );
        // The path is the one that the user wrote.
        refuses(r#"{"maxQueueSize":-1}"#, "maxQueueSize: is a number; use a whole number, 0 or more");
        refuses(r#"{"retry":{"maxMillis":-1}}"#, "retry.maxMillis: -1 is out of range; use a number from 0 to 2147483647 (ms)");
        refuses(
            r#"{"token":"t","destinations":[{}]}"#,
            "token: is set beside destinations; move it into each destination that it is meant for",
        );
        refuses(
            r#"{"maxQueueSize":5,"destinations":[{}],"profile":"otel"}"#,
            "profile: is set beside destinations; move it into each destination that it is meant for",
        );
        refuses(
            r#"{"destinations":[{"profile":"otle"}]}"#,
            r#"destinations[0].profile: "otle" is unknown; use one of "otel", "otel-1.41", "tencent", "langfuse", "openinference""#,
        );
        refuses(r#"{"destinations":[{}],"entry":{"enbled":true}}"#, "entry.enbled: is not an option; did you mean enabled?");
    }

    #[test]
    fn delivery_is_that_of_the_destination_then_that_of_all_then_the_default() {
        let json = r#"{"maxQueueSize":7,"concurrencyLimit":2,"retry":{"maxMillis":5},"destinations":[{"maxQueueSize":9},{}]}"#;
        let config = Config::from_json(json).unwrap();
        let [first, second] = [0, 1].map(|i| config.delivery(&config.destinations[i]));
        assert_eq!((first.queue.max_spans, first.max_in_flight, first.retry.max_millis), (9, 2, 5.0));
        assert_eq!((second.queue.max_spans, second.max_in_flight, second.batch.max_spans), (7, 2, 512));
        assert_eq!(Config::from_json(r#"{"spool":{"dir":"d"}}"#).map(|config| config.delivery(&config.destinations[0]).spool), Ok(true));
    }

    /// The documentation has the defaults of delivery in words: its fields have none, since those of all destinations come first.
    #[test]
    fn the_documented_defaults_of_delivery_are_those_that_hold() {
        let d = Delivery::default();
        let hold = [d.batch.delay_millis as usize, d.batch.max_spans, d.batch.max_bytes, d.queue.max_spans, d.queue.max_bytes];
        let documented: Vec<usize> =
            DeliveryOptions::options().iter().filter_map(|(info, _)| info.default.split(' ').next()?.parse().ok()).collect();
        assert_eq!(documented, [&hold[..], &[d.retry.deadline_millis as usize, d.max_in_flight]].concat());
        assert_eq!((d.queue.drop, d.retry.initial_millis), (DropPolicy::Oldest, RetryPolicy::default().initial_millis));
    }

    #[test]
    fn every_option_of_the_list_is_documented_and_can_be_written() {
        for group in groups() {
            for (info, default) in &group.options {
                assert!(!info.doc.is_empty() && info.doc.concat().trim().ends_with(['.', ')']), "{}: {:?}", info.name, info.doc);
                if info.name.ends_with("Millis") {
                    assert!(info.doc.concat().contains("ms"), "{}: the unit", info.name);
                    assert!(!default.is_empty() || !info.default.is_empty(), "{}: the default", info.name);
                }
                if info.name.ends_with("Bytes") {
                    assert!(
                        info.doc.concat().contains("bytes") || info.doc.concat().contains("size") || info.doc.concat().contains("odies"),
                        "{}: the unit",
                        info.name
                    );
                }
            }
        }
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
}
