//! The plugin's configuration: the options of the npm package as JSON, for each destination the cluster it is reached through, and the
//! bounds of this host. What is an option of the core is checked there.

use genspan::config::Config;
use serde_json::{Map, Value, json};

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
/// Options of the npm package, and where the core has them.
const RENAMED: &[(&str, &str, &str)] = &[
    ("scheduledDelayMillis", "batch", "delayMillis"),
    ("maxExportBatchSize", "batch", "maxSpans"),
    ("maxQueueSize", "queue", "maxSpans"),
    ("exportTimeoutMillis", "retry", "deadlineMillis"),
];

fn number(options: &mut Map<String, Value>, name: &str, default: u64) -> Result<u64, String> {
    match options.remove(name) {
        None => Ok(default),
        Some(value) => value.as_u64().filter(|n| *n > 0).ok_or_else(|| format!("{name} {value}: must be a whole number from 1")),
    }
}

fn text(options: &mut Map<String, Value>, name: &str, at: &str) -> Result<Option<String>, String> {
    match options.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(format!("{at}{name}: must be a text")),
    }
}

impl Settings {
    /// Reads the configuration; an error names the field, the rule and a fix, and no secret.
    pub fn read(text: &str) -> Result<Self, String> {
        let parsed: Value =
            serde_json::from_str(if text.trim().is_empty() { "{}" } else { text }).map_err(|e| format!("configuration: no JSON: {e}"))?;
        let Value::Object(mut options) = parsed else { return Err("configuration: must be an object".to_owned()) };
        let max_body_bytes = number(&mut options, "maxBodyBytes", 16 << 20)? as usize;
        let max_buffered_bytes = number(&mut options, "maxBufferedBytes", 64 << 20)? as usize;
        let max_origins = number(&mut options, "maxOrigins", 64)? as usize;
        let origin_headers = match options.remove("originHeaders") {
            None => ORIGIN_HEADERS.iter().map(|name| (*name).to_owned()).collect(),
            Some(Value::Array(list)) => {
                let name =
                    |value: Value| value.as_str().map(str::to_ascii_lowercase).ok_or("originHeaders: must be a list of texts".to_owned());
                list.into_iter().map(name).collect::<Result<_, _>>()?
            }
            Some(_) => return Err("originHeaders: must be a list of texts".to_owned()),
        };
        for hook in ["mask", "onMedia"] {
            if options.contains_key(hook) {
                return Err(format!("{hook}: is a hook of JavaScript; use rules in privacy.mask"));
            }
        }
        let single: Map<_, _> = OF_DESTINATION.iter().filter_map(|name| options.remove_entry(*name)).collect();
        let mut destinations = match options.remove("destinations") {
            None => vec![Value::Object(single)],
            Some(Value::Array(list)) if single.is_empty() && !list.is_empty() => list,
            Some(Value::Array(list)) if !list.is_empty() => {
                let beside = single.keys().next().map_or("", String::as_str);
                return Err(format!("{beside}: stands beside destinations; move it into each destination that it is meant for"));
            }
            Some(_) => return Err("destinations: must be a list with at least one destination".to_owned()),
        };
        let mut routes = Vec::new();
        let count = destinations.len();
        for (i, destination) in destinations.iter_mut().enumerate() {
            let at = if count == 1 { String::new() } else { format!("destinations[{i}].") };
            let Value::Object(destination) = destination else { return Err(format!("destinations[{i}]: must be an object")) };
            routes.push(Route::read(destination, i, &at)?);
        }
        for (name, group, member) in RENAMED {
            if let Some(value) = options.remove(*name) {
                match options.entry(*group).or_insert_with(|| json!({})) {
                    Value::Object(group) => drop(group.insert((*member).to_owned(), value)),
                    _ => return Err(format!("{group}: must be an object")),
                }
            }
        }
        options.insert("destinations".to_owned(), Value::Array(destinations));
        let mut core = Config::read(&Value::Object(options).to_string()).map_err(|e| e.to_string())?;
        core.peer_host_name = true;
        // A body that comes is taken whole; what waits for calls is bounded by its bytes.
        core.queue.max_spans = core.queue.max_spans.max(1 << 20);
        core.validate().map_err(|e| e.to_string())?;
        Ok(Settings { core, routes, max_body_bytes, max_buffered_bytes, max_origins, origin_headers })
    }
}

impl Route {
    /// Takes out of a destination what the core has no part in.
    fn read(destination: &mut Map<String, Value>, i: usize, at: &str) -> Result<Self, String> {
        let cluster = text(destination, "cluster", at)?;
        if i > 0 && cluster.is_none() {
            return Err(format!("{at}cluster: is missing; a copy goes through a cluster of the proxy, name it"));
        }
        let compression = text(destination, "compression", at)?;
        if compression.as_deref().is_some_and(|c| c != "gzip" && c != "none") {
            return Err(format!("{at}compression: must be \"gzip\" or \"none\""));
        }
        let timeout_millis = number(destination, "timeoutMillis", 10_000).map_err(|e| format!("{at}{e}"))?;
        let endpoint = destination.get("endpoint").and_then(Value::as_str).unwrap_or(DEFAULT_ENDPOINT);
        let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
        let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
        let (authority, path) = (authority.to_owned(), path.to_owned());
        let mut headers = Vec::new();
        if let Some(Value::Object(given)) = destination.get("headers") {
            for (name, value) in given {
                let Value::String(value) = value else { return Err(format!("{at}headers.{name}: must be a text")) };
                headers.push((name.to_ascii_lowercase(), value.clone()));
            }
        }
        // Langfuse takes spans of other SDKs in its newest form where this asks for it.
        let version = "x-langfuse-ingestion-version";
        if destination.get("profile").is_some_and(|p| p == "langfuse") && headers.iter().all(|(name, _)| name != version) {
            headers.push((version.to_owned(), "4".to_owned()));
        }
        Ok(Route { cluster, authority, path, headers, gzip: compression.as_deref() == Some("gzip"), timeout_millis })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use genspan::config::Profile;

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
            (r#"{"maxBodyBytes":0}"#, "maxBodyBytes 0: must be a whole number from 1"),
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
