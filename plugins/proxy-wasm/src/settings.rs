//! The plugin's configuration: the options of the npm package as JSON, for each destination the cluster it is reached through, and the
//! bounds of this host. What is an option of the core is checked there.

use bumpalo::Bump;
use genspan::config::{Config, Profile};
use genspan::json::{self, Json, Out, read::quoted};

/// What the plugin was told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The core's configuration. Its first destination is the upstream of the request itself.
    pub core: Config,
    /// How each destination is reached, in the order of the core's.
    pub routes: Vec<Route>,
    /// A larger body, packed or unpacked, passes as it is.
    pub max_body_bytes: usize,
    /// Bodies held at a time by all requests of a worker; past it requests pass as they are.
    pub max_buffered_bytes: usize,
    /// Senders with credentials of their own that are told apart; the one heard of least recently is sent off.
    pub max_origins: usize,
    /// The headers in which credentials are, `*` is any text. Calls of our own for a sender carry those of its requests.
    pub origin_headers: Vec<String>,
}

/// How a destination is reached.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// The proxy's cluster for calls of our own; for the first destination, where it is missing, that of the request.
    pub cluster: Option<String>,
    /// `:authority` and `:path` of such calls.
    pub authority: String,
    /// The path, with its query.
    pub path: String,
    /// Headers that requests to it get.
    pub headers: Vec<(String, String)>,
    /// Calls are packed with gzip.
    pub gzip: bool,
    /// How long a call may take, in ms.
    pub timeout_millis: u64,
}

const DEFAULT_ENDPOINT: &str = "http://localhost:4318/v1/traces";
/// Spans that are remembered of each sender, unless the configuration says otherwise: what is not in a few bodies is not waited for.
const MAX_SPANS: usize = 10_000;
/// Options of a destination that stand at the top where there is only one.
const OF_DESTINATION: &[&str] = &[
    "name",
    "endpoint",
    "headers",
    "profile",
    "keep",
    "serviceName",
    "token",
    "hostName",
    "resource",
    "allowScopes",
    "blockScopes",
    "blockedInstrumentationScopes",
    "filter",
    "originalParent",
    "sampleRatio",
    "compression",
    "timeoutMillis",
    "cluster",
];
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
/// Groups of the core's options.
const GROUPS: [&str; 3] = ["batch", "queue", "retry"];
/// Options of the npm package, and the group and the name that they have in the core.
const RENAMED: &[(&str, usize, &str)] = &[
    ("scheduledDelayMillis", 0, "delayMillis"),
    ("maxExportBatchSize", 0, "maxSpans"),
    ("maxQueueSize", 1, "maxSpans"),
    ("exportTimeoutMillis", 2, "deadlineMillis"),
];

impl Settings {
    /// Does a destination want the sender's address?
    pub fn needs_peer(&self) -> bool {
        self.core.destinations.iter().any(|d| d.profile == Profile::Tencent && d.host_name.is_none())
    }
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

fn members<'d>(json: Json<'d>) -> Vec<(String, Json<'d>)> {
    json.entries().map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value)).collect()
}

fn json_of(value: Json, arena: &Bump) -> String {
    let mut out = Out::new_in(arena);
    value.write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn count(name: &str, value: Json) -> Result<u64, String> {
    let number = value.as_i64().filter(|n| *n > 0 && value.number().is_some());
    number.map(|n| n as u64).ok_or_else(|| [name, ": must be a whole number from 1"].concat())
}

fn text<'d>(name: &str, value: Json<'d>, arena: &'d Bump) -> Result<String, String> {
    let text = value.text(arena).filter(|text| value.is_string() && !text.is_empty());
    text.map(|text| String::from_utf8_lossy(text).into_owned()).ok_or_else(|| [name, ": must be a text"].concat())
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
            max_origins: 64,
            origin_headers: ORIGIN_HEADERS.iter().map(|name| (*name).to_owned()).collect(),
        };
        let (mut top, mut groups) = (Object::default(), [const { Object(Vec::new()) }; GROUPS.len()]);
        let mut single = Vec::new();
        let mut list = None;
        for (name, value) in parsed.entries() {
            let name = &*String::from_utf8_lossy(name);
            if let Some((_, group, member)) = RENAMED.iter().find(|(from, ..)| *from == name) {
                groups[*group].set(member, json_of(value, &arena));
            } else if let Some(group) = GROUPS.iter().position(|group| *group == name).filter(|_| value.is_object()) {
                value.entries().for_each(|(member, value)| groups[group].set(&String::from_utf8_lossy(member), json_of(value, &arena)));
            } else if OF_DESTINATION.contains(&name) {
                single.push((name.to_owned(), value));
            } else {
                match name {
                    "destinations" => list = Some(value),
                    "maxBodyBytes" => settings.max_body_bytes = count(name, value)? as usize,
                    "maxBufferedBytes" => settings.max_buffered_bytes = count(name, value)? as usize,
                    "maxOrigins" => settings.max_origins = count(name, value)? as usize,
                    "originHeaders" if value.is_array() => {
                        settings.origin_headers =
                            value.items().map(|item| text(name, item, &arena).map(|n| n.to_ascii_lowercase())).collect::<Result<_, _>>()?;
                    }
                    "originHeaders" => return Err("originHeaders: must be a list of texts".to_owned()),
                    "mask" | "onMedia" => return Err([name, ": is a hook of JavaScript; use rules in privacy.mask"].concat()),
                    _ => top.set(name, json_of(value, &arena)),
                }
            }
        }
        let destinations = match list {
            None => vec![single],
            Some(_) if !single.is_empty() => {
                return Err([&single[0].0, ": stands beside destinations; move it into each destination that it is meant for"].concat());
            }
            Some(list) if list.is_array() && list.items().next().is_some() && list.items().all(|item| item.is_object()) => {
                list.items().map(members).collect()
            }
            Some(_) => return Err("destinations: must be a list of at least one object".to_owned()),
        };
        let mut texts = Vec::new();
        for (i, destination) in destinations.iter().enumerate() {
            let at = if destinations.len() == 1 { String::new() } else { ["destinations[", &i.to_string(), "]."].concat() };
            let mut of_core = Object::default();
            settings.routes.push(Route::read(destination, i, &at, &mut of_core, &arena)?);
            texts.push(of_core.text());
        }
        top.set("destinations", ["[", &texts.join(","), "]"].concat());
        GROUPS.iter().zip(&groups).filter(|(_, group)| !group.0.is_empty()).for_each(|(name, group)| top.set(name, group.text()));
        let mut core = Config::read(&top.text()).map_err(|e| e.to_string())?;
        core.peer_host_name = true;
        if parsed.get("entry").and_then(|entry| entry.get("maxSpans")).is_none() {
            core.entry.max_spans = MAX_SPANS;
        }
        // A body that comes is taken whole; what waits for calls is bounded by its bytes.
        core.queue.max_spans = core.queue.max_spans.max(1 << 20);
        core.validate().map_err(|e| e.to_string())?;
        Ok(Settings { core, ..settings })
    }
}

impl Route {
    /// Reads a destination; what the core has a part in goes to `of_core`.
    fn read<'d>(destination: &[(String, Json<'d>)], i: usize, at: &str, of_core: &mut Object, arena: &'d Bump) -> Result<Self, String> {
        let mut route = Route { timeout_millis: 10_000, ..Route::default() };
        let mut endpoint = DEFAULT_ENDPOINT.to_owned();
        let mut langfuse = false;
        for (name, value) in destination {
            let field = [at, name].concat();
            match &name[..] {
                "cluster" => route.cluster = Some(text(&field, *value, arena)?),
                "timeoutMillis" => route.timeout_millis = count(&field, *value)?,
                "compression" => match &text(&field, *value, arena)?[..] {
                    "gzip" => route.gzip = true,
                    "none" => {}
                    _ => return Err([&field, ": must be \"gzip\" or \"none\""].concat()),
                },
                "endpoint" => endpoint = text(&field, *value, arena)?,
                "headers" => {
                    for (header, value) in value.entries() {
                        let header = String::from_utf8_lossy(header).to_ascii_lowercase();
                        let value = text(&[&field, ".", &header].concat(), value, arena)?;
                        route.headers.push((header, value));
                    }
                }
                "profile" => langfuse = value.is("langfuse"),
                _ => {}
            }
            if !["cluster", "timeoutMillis", "compression"].contains(&&name[..]) {
                of_core.set(name, json_of(*value, arena));
            }
        }
        if i > 0 && route.cluster.is_none() {
            return Err([at, "cluster: is missing; a copy goes through a cluster of the proxy, name it"].concat());
        }
        let rest = endpoint.split_once("://").map_or(&endpoint[..], |(_, rest)| rest);
        let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
        (route.authority, route.path) = (authority.to_owned(), path.to_owned());
        // Langfuse takes spans of other SDKs in its newest form where this asks for it.
        let version = "x-langfuse-ingestion-version";
        if langfuse && route.headers.iter().all(|(name, _)| name != version) {
            route.headers.push((version.to_owned(), "4".to_owned()));
        }
        Ok(route)
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
        assert_eq!((settings.core.batch.max_spans, settings.core.batch.delay_millis, settings.core.entry.hold_millis), (7, 100.0, 5000.0));
        let route = &settings.routes[0];
        assert_eq!((&route.authority[..], &route.path[..], route.gzip), ("apm.example:55681", "/v1/traces", true));
        assert_eq!((settings.max_body_bytes, settings.max_buffered_bytes), (1000, 64 << 20));
        assert_eq!(Settings::read("").unwrap().core.destinations[0].profile, Profile::Otel);
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
            (r#"{"maxBodyBytes":0}"#, "maxBodyBytes: must be a whole number from 1"),
            (r#"{"mask":"x"}"#, "mask: is a hook of JavaScript; use rules in privacy.mask"),
            (r#"{"compression":"br"}"#, "compression: must be \"gzip\" or \"none\""),
            (r#"{"headers":{"authorization":7}}"#, "headers.authorization: must be a text"),
            (r#"{"entry":{"hold":1}}"#, "entry.hold: unknown field `hold`, expected one of "),
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
