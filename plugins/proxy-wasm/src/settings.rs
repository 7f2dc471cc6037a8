//! The plugin's configuration: the options of the npm package as JSON, for each destination the cluster it is reached through, and the
//! bounds of this host. What is an option of the core is checked there. What becomes of each option is in [`OPTIONS`].

use crate::coding::Coding;
use crate::request::{GRPC_PATH, Request};
use bumpalo::Bump;
use genspan::config::{self, Config, Profile, Protocol};
use genspan::json::{self, Json, read::quoted};
use genspan::text::Out;

/// What the plugin was told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The core's configuration. Its first destination is the upstream of the request itself.
    pub core: Config,
    /// How each destination is reached, in the order of the core's.
    pub routes: Vec<Route>,
    /// A larger body, packed or unpacked, is not read.
    pub max_body_bytes: usize,
    /// Bodies held at a time by all requests of a worker; past it they are not read.
    pub max_buffered_bytes: usize,
    /// A request that is not read is refused; otherwise it passes as it is.
    pub refuses: bool,
    /// Senders with credentials of their own that are told apart; the one heard of least recently is sent off.
    pub max_origins: usize,
    /// The headers in which credentials are, `*` is any text. Calls of our own for a sender carry those of its requests.
    pub origin_headers: Vec<String>,
    /// Options that are not followed, each with why.
    pub ignored: Vec<String>,
}

/// How a destination is reached.
#[derive(Clone, Debug)]
pub struct Route {
    /// The proxy's cluster for calls of our own; for the first destination, where it is missing, that of the request.
    pub cluster: Option<String>,
    /// `:authority` and `:path` of such calls.
    pub authority: String,
    /// The path, with its query.
    pub path: String,
    /// Headers that requests to it get.
    pub headers: Vec<(String, String)>,
    /// How calls are packed.
    pub packed: Request,
    /// How long a call may take, in ms.
    pub timeout_millis: u64,
}

/// What becomes of an option.
#[derive(Clone, Copy)]
enum Use {
    /// The core's, for all destinations.
    Shared,
    /// Of one destination: the core's, and of some the route's too.
    Destination,
    /// Of one destination: how it is reached.
    Route,
    /// Of one destination in a list; for all where it stands beside them.
    Both,
    /// Delivery: so for all, or for one destination.
    Delivery,
    /// The bounds of this host, and the list of destinations.
    Here,
    /// Of one destination, not followed: why.
    Foreign(&'static str),
    /// Not followed: why.
    Ignored(&'static str),
    /// Refused: what to do.
    Refused(&'static str),
}

/// Every option of the package, and those of this host. `tests/fixtures/options.json` holds this list against the package's.
const OPTIONS: &[(&str, Use)] = &[
    ("name", Use::Destination),
    ("endpoint", Use::Destination),
    ("protocol", Use::Destination),
    ("headers", Use::Destination),
    ("tls", Use::Foreign("certificates are the proxy's: set them on the cluster")),
    ("profile", Use::Destination),
    ("keep", Use::Destination),
    ("serviceName", Use::Destination),
    ("token", Use::Destination),
    ("hostName", Use::Destination),
    ("resource", Use::Destination),
    ("allowScopes", Use::Destination),
    ("blockScopes", Use::Destination),
    ("blockedInstrumentationScopes", Use::Destination),
    ("filter", Use::Destination),
    ("originalParent", Use::Destination),
    ("sampleRatio", Use::Destination),
    ("compression", Use::Route),
    ("timeoutMillis", Use::Route),
    ("cluster", Use::Route),
    ("privacy", Use::Both),
    ("scheduledDelayMillis", Use::Delivery),
    ("maxExportBatchSize", Use::Delivery),
    ("maxExportBatchBytes", Use::Delivery),
    ("maxQueueSize", Use::Delivery),
    ("maxQueueBytes", Use::Delivery),
    ("dropPolicy", Use::Delivery),
    ("exportTimeoutMillis", Use::Delivery),
    ("concurrencyLimit", Use::Delivery),
    ("retry", Use::Delivery),
    ("breaker", Use::Delivery),
    ("entry", Use::Shared),
    ("inferProvider", Use::Shared),
    ("inheritSession", Use::Shared),
    ("maxUnpackedBytes", Use::Shared),
    ("destinations", Use::Here),
    ("maxBodyBytes", Use::Here),
    ("maxBufferedBytes", Use::Here),
    ("maxOrigins", Use::Here),
    ("onUnreadable", Use::Here),
    ("originHeaders", Use::Here),
    ("spool", Use::Ignored("a plugin has no files: what waits is in memory, bounded by maxQueueBytes")),
    ("flushTimeoutMillis", Use::Ignored("the proxy says how long it drains")),
    ("flushOnExit", Use::Ignored("what is held always goes out when the proxy drains")),
    ("mask", Use::Refused("is a hook of JavaScript; use rules in privacy.mask")),
    ("onMedia", Use::Refused("is a hook of JavaScript; use privacy.media")),
    ("onPartialSuccess", Use::Refused("is a hook of JavaScript; leave it out, genspan_dropped_total counts what is rejected")),
    ("meterProvider", Use::Refused("is an object of JavaScript; leave it out, the metrics are the proxy's")),
];
/// What the first destination does not follow, since a request is its own, and why.
const NOT_OF_REQUESTS: &[(&str, &str)] = &[
    ("endpoint", "a request goes where the proxy routes it"),
    ("protocol", "a request keeps its own"),
    ("compression", "a request stays packed as it came"),
    ("maxQueueSize", "a request has all its spans: maxBodyBytes bounds them"),
    ("maxQueueBytes", "a request has all its spans: maxBodyBytes bounds them"),
    ("dropPolicy", "a request has all its spans"),
];

const DEFAULT_ENDPOINT: &str = "http://localhost:4318/v1/traces";
const DEFAULT_GRPC_ENDPOINT: &str = "http://localhost:4317";
/// Spans that are remembered of each sender, unless the configuration says otherwise: what is not in a few bodies is not waited for.
const MAX_SPANS: usize = 10_000;
/// Spans that may wait for one destination, unless the configuration says otherwise: a body comes whole, and what waits is bounded by its bytes.
const MAX_QUEUE: usize = 1 << 20;
/// What backends take credentials, tenants and projects in.
const ORIGIN_HEADERS: &[&str] = &[
    "*auth*",
    "*token*",
    "*key*",
    "*secret*",
    "*tenant*",
    "*project*",
    "*org*",
    "*dataset*",
    "*workspace*",
    "*experiment*",
    "x-langfuse-*",
    "cookie",
    "user-agent",
];

impl Settings {
    /// Does a destination want the sender's address?
    pub fn needs_peer(&self) -> bool {
        self.core.destinations.iter().any(|d| d.profile == Profile::Tencent && d.host_name.is_none())
    }
}

/// Options as they were given.
type Given<'d> = Vec<(String, Json<'d>)>;

fn members<'d>(json: Json<'d>) -> Given<'d> {
    json.entries().map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value)).collect()
}

/// An object as it goes to the core: names, and values as JSON text.
#[derive(Default)]
struct Object(Vec<(String, String)>);

impl Object {
    fn set(&mut self, name: &str, value: String) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value));
    }

    fn text(&self) -> String {
        let members = self.0.iter().map(|(name, value)| [&quoted(name), ":", value].concat());
        ["{", &members.collect::<Vec<_>>().join(","), "}"].concat()
    }
}

fn json_of(value: Json, arena: &Bump) -> String {
    let mut out = Out::new_in(arena);
    value.write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn whole(name: &str, value: Json, least: i64) -> Result<u64, String> {
    let number = value.as_i64().filter(|n| *n >= least && value.number().is_some());
    number.map(|n| n as u64).ok_or_else(|| [name, ": must be a whole number from ", &least.to_string()].concat())
}

fn count(name: &str, value: Json) -> Result<usize, String> {
    whole(name, value, 1).map(|n| usize::try_from(n).unwrap_or(usize::MAX))
}

fn text<'d>(name: &str, value: Json<'d>, arena: &'d Bump) -> Result<String, String> {
    let text = value.text(arena).filter(|text| value.is_string() && !text.is_empty());
    text.map(|text| String::from_utf8_lossy(text).into_owned()).ok_or_else(|| [name, ": must be a text"].concat())
}

fn use_of(at: &str, name: &str) -> Result<Use, String> {
    let known = OPTIONS.iter().find(|(known, _)| *known == name).map(|(_, of)| *of);
    known.ok_or_else(|| {
        let meant = OPTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let fix =
            meant.map_or("see the options in examples/envoy/README.md".to_owned(), |(known, _)| ["did you mean ", known, "?"].concat());
        [at, name, ": is unknown; ", &fix].concat()
    })
}

/// How batches are made and sent, by the options of delivery.
fn delivery<'g, 'd: 'g>(at: &str, given: impl Iterator<Item = &'g (String, Json<'d>)>) -> Result<config::Delivery, String> {
    let mut d = config::Delivery::default();
    d.queue.max_spans = MAX_QUEUE;
    for (name, value) in given {
        let (field, value) = ([at, name].concat(), *value);
        let millis = |field: &str, value| whole(field, value, 0).map(|n| n as f64);
        let group = |known: [&str; 2]| match value.entries().find(|(member, _)| known.iter().all(|k| k.as_bytes() != *member)) {
            Some((member, _)) => Err([&field, ".", &String::from_utf8_lossy(member), ": is unknown; known: ", &known.join(", ")].concat()),
            None if value.is_object() => Ok(known.map(|k| value.get(k).map(|value| ([&field, ".", k].concat(), value)))),
            None => Err([&field, ": must be an object"].concat()),
        };
        match &name[..] {
            "scheduledDelayMillis" => d.batch.delay_millis = millis(&field, value)?,
            "maxExportBatchSize" => d.batch.max_spans = count(&field, value)?,
            "maxExportBatchBytes" => d.batch.max_bytes = count(&field, value)?,
            "maxQueueSize" => d.queue.max_spans = count(&field, value)?,
            "maxQueueBytes" => d.queue.max_bytes = count(&field, value)?,
            "dropPolicy" if value.is("oldest") => d.queue.drop = config::DropPolicy::Oldest,
            "dropPolicy" if value.is("newest") => d.queue.drop = config::DropPolicy::Newest,
            "dropPolicy" => return Err([&field, ": must be \"oldest\" or \"newest\""].concat()),
            "exportTimeoutMillis" => d.retry.deadline_millis = millis(&field, value)?,
            "concurrencyLimit" => d.max_in_flight = count(&field, value)?,
            "retry" => {
                let [initial, max] = group(["initialMillis", "maxMillis"])?;
                initial.map(|(field, value)| millis(&field, value).map(|n| d.retry.initial_millis = n)).transpose()?;
                max.map(|(field, value)| millis(&field, value).map(|n| d.retry.max_millis = n)).transpose()?;
            }
            _ => {
                let [failures, open] = group(["failures", "openMillis"])?;
                failures.map(|(field, value)| whole(&field, value, 0).map(|n| d.breaker.failures = n as usize)).transpose()?;
                open.map(|(field, value)| millis(&field, value).map(|n| d.breaker.open_millis = n)).transpose()?;
            }
        }
    }
    Ok(d)
}

impl Settings {
    /// Reads the configuration; an error names the field, the rule and a fix, and no secret.
    pub fn read(options: &str) -> Result<Self, String> {
        let arena = Bump::new();
        let options = if options.trim().is_empty() { "{}" } else { options };
        let parsed = json::parse_or_say(options.as_bytes(), &arena).map_err(|e| ["configuration: no JSON: ", &e].concat())?;
        if !parsed.is_object() {
            return Err("configuration: must be an object".to_owned());
        }
        let mut settings = Settings {
            core: Config::default(),
            routes: Vec::new(),
            max_body_bytes: 16 << 20,
            max_buffered_bytes: 64 << 20,
            refuses: false,
            max_origins: 64,
            origin_headers: ORIGIN_HEADERS.iter().map(|name| (*name).to_owned()).collect(),
            ignored: Vec::new(),
        };
        let mut top = Object::default();
        let (mut single, mut shared, mut list) = (Given::new(), Given::new(), None);
        let mut refuses = None;
        for (name, value) in members(parsed) {
            match use_of("", &name)? {
                Use::Destination | Use::Route | Use::Foreign(_) => single.push((name, value)),
                Use::Shared | Use::Both => top.set(&name, json_of(value, &arena)),
                Use::Delivery => shared.push((name, value)),
                Use::Ignored(why) => settings.ignored.push([&name, " is ignored: ", why].concat()),
                Use::Refused(fix) => return Err([&name, ": ", fix].concat()),
                Use::Here => match &name[..] {
                    "destinations" => list = Some(value),
                    "maxBodyBytes" => settings.max_body_bytes = count(&name, value)?,
                    "maxBufferedBytes" => settings.max_buffered_bytes = count(&name, value)?,
                    "maxOrigins" => settings.max_origins = count(&name, value)?,
                    "onUnreadable" if value.is("pass") || value.is("refuse") => refuses = Some(value.is("refuse")),
                    "onUnreadable" => return Err("onUnreadable: must be \"refuse\" or \"pass\"".to_owned()),
                    _ if value.is_array() => {
                        let lower = |item| text(&name, item, &arena).map(|n| n.to_ascii_lowercase());
                        settings.origin_headers = value.items().map(lower).collect::<Result<_, _>>()?;
                    }
                    _ => return Err("originHeaders: must be a list of texts".to_owned()),
                },
            }
        }
        let destinations = match list {
            None => vec![single.into_iter().chain(shared.iter().cloned()).collect()],
            Some(_) if !single.is_empty() => {
                return Err([&single[0].0, ": stands beside destinations; move it into each destination that it is meant for"].concat());
            }
            Some(list) if list.is_array() && list.items().next().is_some() && list.items().all(|item| item.is_object()) => {
                list.items().map(members).collect()
            }
            Some(_) => return Err("destinations: must be a list of at least one object".to_owned()),
        };
        let (mut texts, mut deliveries) = (Vec::new(), Vec::new());
        for (i, destination) in destinations.iter().enumerate() {
            let at = if destinations.len() == 1 { String::new() } else { ["destinations[", &i.to_string(), "]."].concat() };
            let mut of_core = Object::default();
            let route = settings.route(destination, i, &at, &mut of_core, &arena)?;
            settings.routes.push(route);
            texts.push(of_core.text());
            let own = || destination.iter().filter(|(name, _)| matches!(use_of("", name), Ok(Use::Delivery)));
            let for_all = shared.iter().filter(|(name, _)| own().all(|(own, _)| own != name));
            deliveries.push(delivery(&at, for_all.chain(own()))?);
        }
        top.set("destinations", ["[", &texts.join(","), "]"].concat());
        let mut core = Config::read(&top.text()).map_err(|e| e.to_string())?;
        core.peer_host_name = true;
        if parsed.get("entry").and_then(|entry| entry.get("maxSpans")).is_none() {
            core.entry.max_spans = MAX_SPANS;
        }
        core.destinations.iter_mut().zip(deliveries).for_each(|(d, delivery)| d.delivery = Some(delivery));
        if let Some(d) = core.destinations.first_mut() {
            // Calls of our own are framed as requests are.
            d.protocol = Protocol::HttpProtobuf;
            // A request's spans are taken whole, whatever waits beside them.
            d.delivery.iter_mut().for_each(|d| (d.queue.max_spans, d.queue.max_bytes) = (usize::MAX, usize::MAX));
        }
        core.validate().map_err(|e| e.to_string())?;
        // What is hidden from the upstream must not reach it unread.
        let hides = core.destinations.first().is_some_and(|d| d.privacy.as_ref().unwrap_or(&core.privacy).hides());
        Ok(Settings { refuses: refuses.unwrap_or(hides), core, ..settings })
    }

    /// Reads how a destination is reached; what the core has a part in goes to `of_core`.
    fn route<'d>(&mut self, destination: &Given<'d>, i: usize, at: &str, of_core: &mut Object, arena: &'d Bump) -> Result<Route, String> {
        let mut packed = Request { grpc: false, json: false, coding: Coding::Plain };
        let (mut cluster, mut headers, mut endpoint, mut timeout_millis, mut langfuse) = (None, Vec::new(), None, 10_000, false);
        for (name, value) in destination {
            let (field, value) = ([at, name].concat(), *value);
            match use_of(at, name)? {
                Use::Destination | Use::Both => of_core.set(name, json_of(value, arena)),
                Use::Route | Use::Delivery => {}
                Use::Foreign(why) => self.ignored.push([&field, " is ignored: ", why].concat()),
                Use::Refused(fix) => return Err([&field, ": ", fix].concat()),
                Use::Shared | Use::Here | Use::Ignored(_) => {
                    return Err([&field, ": is not of one destination; write it beside destinations"].concat());
                }
            }
            if let Some((_, why)) = NOT_OF_REQUESTS.iter().find(|(of, _)| i == 0 && of == name) {
                self.ignored.push([&field, " is ignored: ", why].concat());
            }
            match &name[..] {
                "cluster" => cluster = Some(text(&field, value, arena)?),
                "timeoutMillis" => timeout_millis = count(&field, value)? as u64,
                "compression" => match &text(&field, value, arena)?[..] {
                    "gzip" => packed.coding = Coding::Gzip,
                    "none" => {}
                    _ => return Err([&field, ": must be \"gzip\" or \"none\""].concat()),
                },
                "endpoint" => endpoint = Some(text(&field, value, arena)?),
                "protocol" => (packed.grpc, packed.json) = (value.is("grpc"), value.is("http/json")),
                "headers" => {
                    for (header, value) in value.entries() {
                        let header = String::from_utf8_lossy(header).to_ascii_lowercase();
                        let value = text(&[&field, ".", &header].concat(), value, arena)?;
                        headers.push((header, value));
                    }
                }
                "profile" => langfuse = value.is("langfuse"),
                "blockedInstrumentationScopes" if destination.iter().any(|(name, _)| name == "blockScopes") => {
                    return Err([&field, ": stands beside blockScopes; they are the same, write one list"].concat());
                }
                _ => {}
            }
        }
        if i > 0 && cluster.is_none() {
            return Err([at, "cluster: is missing; a copy goes through a cluster of the proxy, name it"].concat());
        }
        let endpoint = endpoint.unwrap_or_else(|| if packed.grpc { DEFAULT_GRPC_ENDPOINT } else { DEFAULT_ENDPOINT }.to_owned());
        let rest = endpoint.split_once("://").map_or(&endpoint[..], |(_, rest)| rest);
        let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
        // Langfuse takes spans of other SDKs in its newest form where this asks for it.
        let version = "x-langfuse-ingestion-version";
        if langfuse && headers.iter().all(|(name, _)| name != version) {
            headers.push((version.to_owned(), "4".to_owned()));
        }
        let path = if packed.grpc { GRPC_PATH } else { path };
        Ok(Route { cluster, authority: authority.to_owned(), path: path.to_owned(), headers, packed, timeout_millis })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_the_package_read_as_they_are() {
        let settings = Settings::read(
            r#"{"profile":"tencent","token":"t","serviceName":"shop","endpoint":"https://apm.example:55681/v1/traces","compression":"gzip",
                "maxExportBatchSize":7,"scheduledDelayMillis":100,"entry":{"holdMillis":5000},"maxBodyBytes":1000}"#,
        )
        .unwrap();
        assert_eq!((settings.core.destinations.len(), settings.core.destinations[0].profile), (1, Profile::Tencent));
        let batch = settings.core.destinations[0].delivery.unwrap().batch;
        assert_eq!((batch.max_spans, batch.delay_millis, settings.core.entry.hold_millis), (7, 100.0, 5000.0));
        let route = &settings.routes[0];
        assert_eq!((&route.authority[..], &route.path[..], route.packed.coding), ("apm.example:55681", "/v1/traces", Coding::Gzip));
        assert_eq!((settings.max_body_bytes, settings.max_buffered_bytes), (1000, 64 << 20));
        assert_eq!(Settings::read("").unwrap().core.destinations[0].profile, Profile::Otel);
    }

    /// Every option of the package, by the fixture that its own tests hold complete.
    fn of_package(group: &str, mut test: impl FnMut(&str, &str, &str, bool)) {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/options.json")).unwrap();
        let arena = Bump::new();
        for (name, case) in members(json::parse(text.as_bytes(), &arena).unwrap().get(group).unwrap()) {
            let object = |of: &str| json_of(case.get(of).unwrap(), &arena);
            test(&name, &object("options"), &object("core"), case.get("ignored").is_some());
        }
    }

    fn with_copy(options: &str) -> Settings {
        let options = options.replacen('{', "{\"cluster\":\"c\",", 1);
        Settings::read(&format!("{{\"destinations\":[{{}},{options}]}}")).unwrap()
    }

    #[test]
    fn options_of_a_destination_are_those_of_the_package() {
        of_package("destination", |name, options, core, ignored| {
            let settings = with_copy(options);
            let expected = Config::read(&format!("{{\"destinations\":[{core}]}}")).unwrap();
            let got = config::Destination { delivery: None, ..settings.core.destinations[1].clone() };
            assert_eq!(format!("{got:?}"), format!("{:?}", expected.destinations[0]), "{name}");
            assert_eq!(
                settings.ignored.iter().filter(|said| said.starts_with(&format!("destinations[1].{name} is ignored: "))).count(),
                usize::from(ignored),
                "{name}"
            );
            assert_eq!(settings.ignored.len(), usize::from(ignored), "{name}");
        });
        let route = |options| with_copy(options).routes[1].clone();
        assert_eq!(route(r#"{"compression":"gzip"}"#).packed.coding, Coding::Gzip);
        assert_eq!(route(r#"{"timeoutMillis":5000}"#).timeout_millis, 5000);
        assert_eq!(route(r#"{"headers":{"X-Key":"k"}}"#).headers, [("x-key".to_owned(), "k".to_owned())]);
        assert_eq!(route(r#"{"endpoint":"https://a.example/otlp?x"}"#).path, "/otlp?x");
        assert_eq!(route(r#"{"protocol":"http/json"}"#).packed.media_type(), "application/json");
        let grpc = route(r#"{"protocol":"grpc","endpoint":"http://a.example:4317"}"#);
        assert_eq!((grpc.packed.media_type(), &grpc.authority[..], &grpc.path[..]), ("application/grpc", "a.example:4317", GRPC_PATH));
    }

    #[test]
    fn options_of_delivery_are_those_of_the_package_for_one_destination_or_for_all() {
        of_package("delivery", |name, options, core, _| {
            let mut expected =
                Config::read(&format!("{{\"destinations\":[{{\"delivery\":{core}}}]}}")).unwrap().destinations[0].delivery.unwrap();
            if name != "maxQueueSize" {
                expected.queue.max_spans = MAX_QUEUE;
            }
            let delivery = |settings: &Settings| format!("{:?}", settings.core.destinations[1].delivery.unwrap());
            assert_eq!(delivery(&with_copy(options)), format!("{expected:?}"), "{name}");
            let beside = options.replacen('{', "{\"destinations\":[{},{\"cluster\":\"c\"}],", 1);
            assert_eq!(delivery(&Settings::read(&beside).unwrap()), format!("{expected:?}"), "{name}");
            // A request is its own batch, and takes its spans whole.
            let alone = Settings::read(options).unwrap();
            let queue = alone.core.destinations[0].delivery.unwrap().queue;
            assert_eq!((queue.max_spans, queue.max_bytes), (usize::MAX, usize::MAX), "{name}");
            let ignored = ["maxQueueSize", "maxQueueBytes", "dropPolicy"].contains(&name);
            assert_eq!(alone.ignored.iter().any(|said| said.starts_with(name)), ignored, "{name}: {:?}", alone.ignored);
        });
        let both = Settings::read(
            r#"{"maxQueueSize":7,"concurrencyLimit":2,"destinations":[{},{"cluster":"c","maxQueueSize":9},{"cluster":"c"}]}"#,
        );
        let delivery = |i: usize| both.as_ref().unwrap().core.destinations[i].delivery.unwrap();
        assert_eq!((delivery(1).queue.max_spans, delivery(1).max_in_flight), (9, 2), "what stands beside holds where nothing else is said");
        assert_eq!((delivery(2).queue.max_spans, delivery(2).max_in_flight), (7, 2));
    }

    #[test]
    fn options_for_all_destinations_are_those_of_the_package() {
        of_package("shared", |name, options, core, ignored| {
            let settings = Settings::read(options).unwrap();
            assert_eq!(settings.ignored.iter().any(|said| said.starts_with(&format!("{name} is ignored: "))), ignored, "{name}");
            if !ignored {
                let expected = Config::read(core).unwrap();
                let mut got = settings.core;
                if name != "entry" {
                    got.entry.max_spans = expected.entry.max_spans;
                }
                let got = Config { destinations: Vec::new(), peer_host_name: false, ..got };
                assert_eq!(format!("{got:?}"), format!("{expected:?}"), "{name}");
                if name == "privacy" {
                    let own = with_copy(options).core.destinations[1].privacy.clone();
                    assert_eq!(format!("{own:?}"), format!("{:?}", Some(expected.privacy)));
                }
            }
        });
        for name in ["mask", "onMedia", "onPartialSuccess", "meterProvider"] {
            let error = Settings::read(&format!("{{\"{name}\":\"x\"}}")).unwrap_err();
            assert!(error.starts_with(&format!("{name}: is ")) && error.contains("JavaScript; "), "{error}");
        }
    }

    // README promise: "Content stays, if you say so"
    #[test]
    fn what_is_hidden_does_not_pass_unread_unless_it_is_told_to() {
        for (options, refuses) in [
            ("{}", false),
            (r#"{"privacy":{"captureContent":true,"media":"describe"}}"#, false),
            (r#"{"privacy":{"captureContent":false}}"#, true),
            (r#"{"privacy":{"mask":[{"detect":["email"]}]}}"#, true),
            (r#"{"privacy":{"captureContent":false},"onUnreadable":"pass"}"#, false),
            (r#"{"onUnreadable":"refuse"}"#, true),
            (r#"{"destinations":[{"privacy":{"captureContent":false}}]}"#, true),
            (r#"{"privacy":{"captureContent":false},"destinations":[{"privacy":{}}]}"#, false),
            // Only what can be read is copied.
            (r#"{"destinations":[{},{"cluster":"c","privacy":{"captureContent":false}}]}"#, false),
        ] {
            assert_eq!(Settings::read(options).unwrap().refuses, refuses, "{options}");
        }
    }

    #[test]
    fn what_the_proxy_decides_is_said_to_be_ignored() {
        let settings =
            Settings::read(r#"{"endpoint":"http://a/v1/traces","protocol":"http/json","compression":"gzip","tls":{"key":"s3cret"}}"#)
                .unwrap();
        for (said, of) in settings.ignored.iter().zip(["endpoint", "protocol", "compression", "tls"]) {
            assert!(said.starts_with(&[of, " is ignored: "].concat()) && !said.contains("s3cret"), "{said}");
        }
        assert_eq!((settings.ignored.len(), settings.core.destinations[0].protocol), (4, Protocol::HttpProtobuf));
    }

    #[test]
    fn copies_go_through_clusters() {
        let settings = Settings::read(
            r#"{"destinations":[{},{"profile":"langfuse","cluster":"langfuse","endpoint":"http://lf/api/public/otel/v1/traces","headers":{"Authorization":"Basic x"}}]}"#,
        )
        .unwrap();
        assert_eq!(settings.routes[1].cluster.as_deref(), Some("langfuse"));
        let headers: Vec<_> = settings.routes[1].headers.iter().map(|(n, v)| (&n[..], &v[..])).collect();
        assert_eq!(headers, [("authorization", "Basic x"), ("x-langfuse-ingestion-version", "4")]);
    }

    #[test]
    fn a_wrong_value_is_named_with_its_rule_and_no_secret() {
        for (text, message) in [
            ("{", "configuration: no JSON: "),
            ("[]", "configuration: must be an object"),
            (r#"{"destinations":[{},{}]}"#, "destinations[1].cluster: is missing; a copy goes through a cluster of the proxy, name it"),
            (r#"{"token":"s3cret","destinations":[{}]}"#, "token: stands beside destinations; move it"),
            (r#"{"profile":"tencent"}"#, "token is missing: profile tencent needs the token"),
            (r#"{"onUnreadable":true}"#, "onUnreadable: must be \"refuse\" or \"pass\""),
            (r#"{"maxBodyBytes":0}"#, "maxBodyBytes: must be a whole number from 1"),
            (r#"{"mask":"x"}"#, "mask: is a hook of JavaScript; use rules in privacy.mask"),
            (r#"{"endPoint":"http://a"}"#, "endPoint: is unknown; did you mean endpoint?"),
            (r#"{"batch":{}}"#, "batch: is unknown; see the options"),
            (r#"{"destinations":[{},{"cluster":"c","entry":{}}]}"#, "destinations[1].entry: is not of one destination; write it beside"),
            (r#"{"destinations":[{},{"cluster":"c","protocol":"x"}]}"#, "destinations[1].protocol: \"x\" is none of"),
            (r#"{"dropPolicy":"random"}"#, "dropPolicy: must be \"oldest\" or \"newest\""),
            (r#"{"retry":{"initial":1}}"#, "retry.initial: is unknown; known: initialMillis, maxMillis"),
            (r#"{"breaker":{"failures":-1}}"#, "breaker.failures: must be a whole number from 0"),
            (r#"{"blockScopes":["a"],"blockedInstrumentationScopes":["b"]}"#, "blockedInstrumentationScopes: stands beside blockScopes"),
            (r#"{"compression":"br"}"#, "compression: must be \"gzip\" or \"none\""),
            (r#"{"headers":{"authorization":7}}"#, "headers.authorization: must be a text"),
            (r#"{"entry":{"hold":1}}"#, "entry.hold: unknown field `hold`, expected one of "),
            (r#"{"endpoint":"https://me:s3cret/x@host/"}"#, "endpoint is not an http or https URL"),
            (r#"{"endpoint":"https://me:s3cret@host/"}"#, "endpoint holds credentials"),
            (r#"{"endpoint":"htp://host/?key=s3cret"}"#, "endpoint is not an http or https URL"),
            (r#"{"headers":{"Bearer s3cret":"authorization"}}"#, "headers has a name that no header can have"),
            (r#"{"token":"s3cret", }"#, "configuration: no JSON: "),
            (
                r#"{"serviceName":"My App","profile":"tencent","token":"s3cret"}"#,
                "service.name \"My App\": profile tencent takes at most 63",
            ),
        ] {
            let error = Settings::read(text).unwrap_err();
            assert!(error.starts_with(message), "{error}");
            assert!(!error.contains("s3cret"));
        }
    }
}
