//! The plugin's configuration: the options of the npm package as JSON, plus the cluster of each destination and the
//! limits of this plugin. The core reads and checks its own options; [`config::groups`] lists the treatment of all others.

use crate::coding::Coding;
use crate::request::{GRPC_PATH, Request};
use bumpalo::Bump;
use genspan::internals::config::{self, Compression, Config, Destination, Protocol};
use genspan::internals::json::{self, Json, read::quoted};
use genspan::internals::options::Proxy;
use genspan::internals::text::Out;

/// The settings of the plugin.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The core's configuration. Its first destination is the upstream of the request itself.
    pub core: Config,
    /// How each destination is reached, in the order of the core's destinations.
    pub routes: Vec<Route>,
    /// Larger bodies, packed or unpacked, are not read.
    pub max_body_bytes: usize,
    /// Maximum size of all bodies held by a worker; further ones are not read.
    pub max_buffered_bytes: usize,
    /// Whether unread requests are refused; otherwise they are forwarded unchanged.
    pub refuses: bool,
    /// Maximum number of senders with different credentials; the least recently used is removed.
    pub max_origins: usize,
    /// The headers that contain credentials, `*` matches any text. The plugin's calls for a sender carry those of its requests.
    pub origin_headers: Vec<String>,
    /// Ignored options, each with the reason.
    pub ignored: Vec<String>,
}

/// How a destination is reached.
#[derive(Clone, Debug)]
pub struct Route {
    /// The proxy's cluster for the plugin's calls; if missing for the first destination, that of the request.
    pub cluster: Option<String>,
    /// `:authority` of such calls.
    pub authority: String,
    /// The path, with its query.
    pub path: String,
    /// Headers that are added to requests for it.
    pub headers: Vec<(String, String)>,
    /// The format of calls.
    pub packed: Request,
    /// The time limit of a call, in ms.
    pub timeout_millis: u64,
}

/// Options that are ignored for the first destination, because it is the upstream of the request itself, with the reasons.
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
/// Default for the remembered spans of each sender: only the spans of a few bodies are worth waiting for.
const MAX_SPANS: usize = 10_000;
/// Default for the waiting spans of a destination: a body is accepted as a whole, so the limit in bytes is the effective one.
const MAX_QUEUE: usize = 1 << 20;
/// Headers in which backends receive credentials, tenants and projects.
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
    /// Returns true if a destination needs the sender's address.
    pub fn needs_peer(&self) -> bool {
        self.core.destinations.iter().any(|d| d.profile.table().host_name.is_some() && d.host_name.is_none())
    }
}

/// The treatment of an option at the top level or in a destination, according to the list. An option that is not in the list is left to the core,
/// which refuses it.
fn use_of(name: &str) -> Proxy {
    let has_it = |group: &config::Group| ["GenSpanOptions", "DestinationOptions", "DeliveryOptions"].contains(&group.interface);
    let listed = config::groups().into_iter().filter(has_it).flat_map(|group| group.options);
    listed.map(|(info, _)| info).find(|info| info.name == name).map_or(Proxy::Same, |info| info.proxy)
}

/// Options as JSON text, for the core.
#[derive(Default)]
struct Object(Vec<String>);

impl Object {
    fn set(&mut self, name: &str, value: &str) {
        self.0.push([&quoted(name), ":", value].concat());
    }

    fn text(&self) -> String {
        ["{", &self.0.join(","), "}"].concat()
    }
}

fn json_of(value: Json, arena: &Bump) -> String {
    let mut out = Out::new_in(arena);
    value.write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn count(name: &str, value: Json) -> Result<usize, String> {
    let number = value.as_i64().filter(|n| *n >= 1 && value.number().is_some());
    let number = number.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    number.ok_or_else(|| [name, ": is out of range; use a whole number, 1 or more"].concat())
}

fn text<'d>(name: &str, value: Json<'d>, arena: &'d Bump) -> Result<String, String> {
    let text = value.text(arena).filter(|text| value.is_string() && !text.is_empty());
    text.map(|text| String::from_utf8_lossy(text).into_owned())
        .ok_or_else(|| [name, ": is not a text; use a text that is not empty"].concat())
}

impl Settings {
    /// Reads the configuration. An error contains the path of the option, the problem and a fix, and no secret.
    pub fn read(options: &str) -> Result<Self, String> {
        let arena = Bump::new();
        let options = if options.trim().is_empty() { "{}" } else { options };
        let parsed = json::parse_or_say(options.as_bytes(), &arena).map_err(|e| ["configuration: is not JSON; ", &e].concat())?;
        if !parsed.is_object() {
            return Err("configuration: is not an object; write {\"profile\": …}".to_owned());
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
        let mut refuses = None;
        let mut clusters = Vec::new();
        let mut of_core = Object::default();
        let list = parsed.get("destinations").filter(|list| list.is_array());
        for (name, value) in parsed.entries() {
            let name = String::from_utf8_lossy(name);
            match &name[..] {
                "destinations" => {
                    let mut items = Vec::new();
                    for (i, item) in value.items().enumerate() {
                        let at = ["destinations[", &i.to_string(), "]."].concat();
                        items.push(settings.destination(item, i, &at, &mut clusters, &arena)?);
                    }
                    of_core
                        .set("destinations", &if list.is_some() { ["[", &items.join(","), "]"].concat() } else { json_of(value, &arena) });
                }
                "maxBodyBytes" => settings.max_body_bytes = count(&name, value)?,
                "maxBufferedBytes" => settings.max_buffered_bytes = count(&name, value)?,
                "maxOrigins" => settings.max_origins = count(&name, value)?,
                "onUnreadable" if value.is("pass") || value.is("refuse") => refuses = Some(value.is("refuse")),
                "onUnreadable" => return Err("onUnreadable: is unknown; use \"refuse\" or \"pass\"".to_owned()),
                "originHeaders" if value.is_array() => {
                    let lower = |item| text(&name, item, &arena).map(|n| n.to_ascii_lowercase());
                    settings.origin_headers = value.items().map(lower).collect::<Result<_, _>>()?;
                }
                "originHeaders" => return Err("originHeaders: is not a list; use a list of texts".to_owned()),
                "cluster" if list.is_none() => clusters.push(Some(text(&name, value, &arena)?)),
                _ => settings.hand_over(&name, value, "", list.is_none(), &mut of_core, &arena)?,
            }
        }
        let mut core = Config::read(&of_core.text()).map_err(|e| e.to_string())?;
        core.peer_host_name = true;
        if parsed.get("entry").and_then(|entry| entry.get("maxSpans")).is_none() {
            core.entry.max_spans = MAX_SPANS;
        }
        core.single.delivery.max_queue_size.get_or_insert(MAX_QUEUE);
        for (i, d) in core.destinations.iter().enumerate() {
            settings.routes.push(route(d, clusters.get(i).cloned().flatten(), i)?);
        }
        if let Some(d) = core.destinations.first_mut() {
            // The plugin's calls are framed like the requests.
            d.protocol = Protocol::HttpProtobuf;
            // All spans of a request are accepted, whatever the queue already holds.
            (d.delivery.max_queue_size, d.delivery.max_queue_bytes) = (Some(usize::MAX), Some(usize::MAX));
        }
        core.validate().map_err(|e| e.to_string())?;
        // Content that is excluded for the upstream must not reach it unread.
        let hides = core.destinations.first().is_some_and(|d| d.privacy.as_ref().unwrap_or(&core.privacy).hides());
        Ok(Settings { refuses: refuses.unwrap_or(hides), core, ..settings })
    }

    /// Reads a destination of the list: its cluster, and the core's options as JSON text.
    fn destination<'d>(
        &mut self,
        json: Json<'d>,
        i: usize,
        at: &str,
        clusters: &mut Vec<Option<String>>,
        arena: &'d Bump,
    ) -> Result<String, String> {
        let cluster = json.get("cluster").map(|value| text(&[at, "cluster"].concat(), value, arena)).transpose()?;
        clusters.push(cluster);
        if !json.is_object() {
            return Ok(json_of(json, arena));
        }
        let mut of_core = Object::default();
        for (name, value) in json.entries().filter(|(name, _)| *name != b"cluster") {
            self.hand_over(&String::from_utf8_lossy(name), value, at, i == 0, &mut of_core, arena)?;
        }
        Ok(of_core.text())
    }

    /// Passes an option to the core, records that it is ignored, or refuses it. `is_first`: it belongs to the destination that requests go to.
    fn hand_over<'d>(
        &mut self,
        name: &str,
        value: Json<'d>,
        at: &str,
        is_first: bool,
        of_core: &mut Object,
        arena: &'d Bump,
    ) -> Result<(), String> {
        let path = [at, name].concat();
        match use_of(name) {
            Proxy::Refused(problem) => return Err([&path, ": ", problem].concat()),
            Proxy::Ignored(why) => self.ignored.push([&path, " is ignored: ", why].concat()),
            Proxy::Same | Proxy::Only => of_core.set(name, &json_of(value, arena)),
        }
        if let Some((_, why)) = NOT_OF_REQUESTS.iter().find(|(of, _)| is_first && *of == name) {
            self.ignored.push([&path, " is ignored: ", why].concat());
        }
        Ok(())
    }
}

/// How a destination is reached.
fn route(d: &Destination, cluster: Option<String>, i: usize) -> Result<Route, String> {
    if i > 0 && cluster.is_none() {
        return Err(
            ["destinations[", &i.to_string(), "].cluster: is missing; name the cluster of the proxy that copies go through"].concat()
        );
    }
    let (grpc, json) = (d.protocol == Protocol::Grpc, d.protocol == Protocol::HttpJson);
    let coding = if d.compression == Compression::Gzip { Coding::Gzip } else { Coding::Plain };
    let default = if grpc { DEFAULT_GRPC_ENDPOINT } else { DEFAULT_ENDPOINT };
    let topic = d.topic();
    let endpoint = d.endpoint.as_deref().or(topic.as_ref().map(|(endpoint, _)| &endpoint[..])).unwrap_or(default);
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let mut headers: Vec<_> = d.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    let of_profile = d.profile.table().headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
    for (name, value) in of_profile.chain(topic.iter().flat_map(|(_, headers)| headers.clone())) {
        if headers.iter().all(|(known, _)| known != name) {
            headers.push((name.to_owned(), value));
        }
    }
    Ok(Route {
        cluster,
        authority: authority.to_owned(),
        path: if grpc { GRPC_PATH } else { path }.to_owned(),
        headers,
        packed: Request { grpc, json, coding },
        timeout_millis: d.timeout_millis as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use genspan::internals::config::Profile;

    #[test]
    fn the_options_of_the_package_read_as_they_are() {
        let settings = Settings::read(
            r#"{"profile":"tencent","token":"t","serviceName":"shop","endpoint":"https://apm.example:55681/v1/traces","compression":"gzip",
                "maxExportBatchSize":7,"scheduledDelayMillis":100,"entry":{"holdMillis":5000},"maxBodyBytes":1000}"#,
        )
        .unwrap();
        assert_eq!((settings.core.destinations.len(), settings.core.destinations[0].profile), (1, Profile::TENCENT));
        let batch = settings.core.delivery(&settings.core.destinations[0]).batch;
        assert_eq!((batch.max_spans, batch.delay_millis, settings.core.entry.hold_millis), (7, 100.0, 5000.0));
        let route = &settings.routes[0];
        assert_eq!((&route.authority[..], &route.path[..], route.packed.coding), ("apm.example:55681", "/v1/traces", Coding::Gzip));
        assert_eq!((settings.max_body_bytes, settings.max_buffered_bytes), (1000, 64 << 20));
        assert_eq!(Settings::read("").unwrap().core.destinations[0].profile, Profile::OTEL);
    }

    fn with_copy(options: &str) -> Settings {
        let options = options.replacen('{', "{\"cluster\":\"c\",", 1);
        Settings::read(&format!("{{\"destinations\":[{{}},{options}]}}")).unwrap()
    }

    /// Every option of the list in its place, by its proxy column: ignored ones are noted, refused ones refused, and the core knows all others.
    #[test]
    fn every_option_of_the_list_is_taken_ignored_or_refused_as_it_has_it() {
        for group in config::groups() {
            let (before, after) = match group.interface {
                "GenSpanOptions" => ("{", "}"),
                "DestinationOptions" | "DeliveryOptions" => (r#"{"destinations":[{},{"cluster":"c","#, "}]}"),
                "EntryOptions" => (r#"{"entry":{"#, "}}"),
                "PrivacyOptions" => (r#"{"privacy":{"#, "}}"),
                "MaskRule" => (r#"{"privacy":{"mask":[{"#, "}]}}"),
                "RetryOptions" => (r#"{"retry":{"#, "}}"),
                "BreakerOptions" => (r#"{"breaker":{"#, "}}"),
                // It is ignored whole.
                "SpoolOptions" => continue,
                other => panic!("a group that the proxy does not know: {other}"),
            };
            for (info, _) in group.options.iter().filter(|(info, _)| info.name != "cluster") {
                // No option takes this, so that the core names each that it knows.
                let read = Settings::read(&format!("{before}\"{}\":[[]]{after}", info.name));
                match info.proxy {
                    Proxy::Same | Proxy::Only => {
                        let error = read.unwrap_err();
                        assert!(error.contains(info.name) && !error.contains("is not an option"), "{}: {error}", info.name);
                    }
                    Proxy::Ignored(why) => {
                        let ignored = read.unwrap().ignored;
                        assert!(ignored[0].ends_with(&format!("{} is ignored: {why}", info.name)), "{ignored:?}");
                    }
                    Proxy::Refused(fix) => assert!(read.unwrap_err().ends_with(&format!("{}: {fix}", info.name)), "{}", info.name),
                }
            }
        }
    }

    #[test]
    fn a_copy_is_reached_as_its_options_have_it() {
        let route = |options| with_copy(options).routes[1].clone();
        assert_eq!(route(r#"{"compression":"gzip"}"#).packed.coding, Coding::Gzip);
        assert_eq!(route(r#"{"timeoutMillis":5000}"#).timeout_millis, 5000);
        assert_eq!(route(r#"{"headers":{"X-Key":"k"}}"#).headers, [("x-key".to_owned(), "k".to_owned())]);
        assert_eq!(route(r#"{"endpoint":"https://a.example/otlp?x"}"#).path, "/otlp?x");
        assert_eq!(route(r#"{"protocol":"http/json"}"#).packed.media_type(), "application/json");
        let cls = route(r#"{"profile":"tencent-cls","region":"ap-guangzhou","topicId":"t-1","secretId":"id","secretKey":"key"}"#);
        assert_eq!((&cls.authority[..], &cls.path[..]), ("ap-guangzhou.cls.tencentcs.com", "/v1/traces"));
        let headers: Vec<_> = cls.headers.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        assert_eq!(headers, [("authorization", "Basic aWQ6a2V5"), ("topic_id", "t-1")]);
        let grpc = route(r#"{"protocol":"grpc","endpoint":"http://a.example:4317"}"#);
        assert_eq!((grpc.packed.media_type(), &grpc.authority[..], &grpc.path[..]), ("application/grpc", "a.example:4317", GRPC_PATH));
    }

    #[test]
    fn delivery_is_that_of_a_copy_then_that_of_all_and_requests_are_taken_whole() {
        let settings = Settings::read(
            r#"{"maxQueueSize":7,"concurrencyLimit":2,"destinations":[{},{"cluster":"c","maxQueueSize":9},{"cluster":"c"}]}"#,
        )
        .unwrap();
        let delivery = |i: usize| settings.core.delivery(&settings.core.destinations[i]);
        assert_eq!((delivery(0).queue.max_spans, delivery(0).queue.max_bytes), (usize::MAX, usize::MAX), "a request is its own batch");
        assert_eq!((delivery(1).queue.max_spans, delivery(1).max_in_flight), (9, 2));
        assert_eq!((delivery(2).queue.max_spans, delivery(2).max_in_flight), (7, 2));
        let copy = with_copy(r#"{"name":"x"}"#);
        assert_eq!(copy.core.delivery(&copy.core.destinations[1]).queue.max_spans, MAX_QUEUE);
        for name in ["maxQueueSize", "maxQueueBytes"] {
            let alone = Settings::read(&format!("{{\"{name}\":5}}")).unwrap();
            assert_eq!(alone.core.delivery(&alone.core.destinations[0]).queue.max_spans, usize::MAX);
            assert!(alone.ignored[0].starts_with(&format!("{name} is ignored: ")), "{:?}", alone.ignored);
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
            ("{", "configuration: is not JSON; "),
            ("[]", "configuration: is not an object"),
            (r#"{"destinations":[{},{}]}"#, "destinations[1].cluster: is missing; name the cluster of the proxy that copies go through"),
            (r#"{"token":"s3cret","destinations":[{}]}"#, "token: is set beside destinations; move it"),
            (r#"{"profile":"tencent"}"#, "token: is missing; profile tencent needs the token"),
            (r#"{"onUnreadable":true}"#, "onUnreadable: is unknown; use \"refuse\" or \"pass\""),
            (r#"{"maxBodyBytes":0}"#, "maxBodyBytes: is out of range; use a whole number, 1 or more"),
            (r#"{"mask":"x"}"#, "mask: is a function of JavaScript; use rules in privacy.mask"),
            (r#"{"endPoint":"http://a"}"#, "endPoint: is not an option; did you mean endpoint?"),
            (r#"{"batch":{}}"#, "batch: is not an option; "),
            (r#"{"destinations":[{},{"cluster":"c","entry":{}}]}"#, "destinations[1].entry: is not an option; "),
            (r#"{"destinations":[{},{"cluster":"c","protocol":"x"}]}"#, "destinations[1].protocol: \"x\" is unknown; use one of"),
            (r#"{"dropPolicy":"random"}"#, "dropPolicy: \"random\" is unknown; use one of \"oldest\", \"newest\""),
            (r#"{"retry":{"initial":1}}"#, "retry.initial: is not an option; known: initialMillis, maxMillis"),
            (r#"{"breaker":{"failures":-1}}"#, "breaker.failures: is a number; use a whole number, 0 or more"),
            (r#"{"blockScopes":["a"],"blockedInstrumentationScopes":["b"]}"#, "blockedInstrumentationScopes: is set beside blockScopes"),
            (r#"{"compression":"br"}"#, "compression: \"br\" is unknown; use one of \"none\", \"gzip\""),
            (r#"{"headers":{"authorization":7}}"#, "headers.authorization: is a number; use a text"),
            (r#"{"entry":{"hold":1}}"#, "entry.hold: is not an option; known: "),
            (r#"{"endpoint":"https://me:s3cret/x@host/"}"#, "endpoint: is not an http or https URL"),
            (r#"{"endpoint":"https://me:s3cret@host/"}"#, "endpoint: has a user name or password in it"),
            (r#"{"endpoint":"htp://host/?key=s3cret"}"#, "endpoint: is not an http or https URL"),
            (r#"{"headers":{"Bearer s3cret":"authorization"}}"#, "headers: has a name that no header can have"),
            (r#"{"token":"s3cret", }"#, "configuration: is not JSON; "),
            (
                r#"{"serviceName":"My App","profile":"tencent","token":"s3cret"}"#,
                "serviceName: \"My App\" is not a name that profile tencent takes; use at most 63",
            ),
        ] {
            let error = Settings::read(text).unwrap_err();
            assert!(error.starts_with(message), "{error}");
            assert!(!error.contains("s3cret"));
        }
    }
}
