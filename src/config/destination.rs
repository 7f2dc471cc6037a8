//! Where spans go, and in which form.

use super::{DeliveryOptions, millis, shown};
use crate::error::{ConfigError, invalid};
use crate::json::Json;
use crate::json::read::{self, Read, quoted, read_enum, shown_as_nothing};
use crate::options::options;
use crate::privacy;
use crate::profiles::{Profile, write::Keep};
use crate::route::Filter;
use crate::span::{Value, value};
use crate::text;
use bumpalo::Bump;

/// How requests are made and encoded.
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

/// How the bodies of requests are compressed; the host does it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// They are not.
    #[default]
    None,
    /// By gzip.
    Gzip,
}

read_enum!(Compression { "none" => Compression::None, "gzip" => Compression::Gzip, });

const DEFAULT_ENDPOINT: &str = "http://localhost:4318/v1/traces";
const DEFAULT_GRPC_ENDPOINT: &str = "http://localhost:4317";

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

options! {
    /// Where spans go, and in which form.
    #[derive(Clone, Debug)]
    pub struct Destination {
        /// Its name in statistics and diagnostics; with a spool, part of the name of its account.
        "name" => name: Option<String> = None, "string", default: "\"otlp-0\", by its place";
        /// URL that OTLP is posted to, as it stands.
        "endpoint" => endpoint: Option<String> = None, "string | URL",
            default: "http://localhost:4318/v1/traces; for gRPC http://localhost:4317", env: "OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT";
        /// How requests are made and encoded. `"grpc"` is for Node, Bun and Deno, and needs the package `@grpc/grpc-js`.
        "protocol" => protocol: Protocol = Protocol::HttpProtobuf, "Protocol", env: "OTEL_EXPORTER_OTLP_[TRACES_]PROTOCOL";
        /// Request headers: an object, `Headers` or a `Map`; or a function, sync or async, that returns them for each request, for tokens that change.
        "headers" => headers: Vec<(String, String)> = Vec::new(), "HeadersLike | (() => HeadersLike | Promise<HeadersLike>)",
            env: "OTEL_EXPORTER_OTLP_[TRACES_]HEADERS";
        /// The attributes that the backend reads.
        "profile" => profile: Profile = Profile::OTEL, "Profile";
        /// Which source attributes stay: `"unmapped"` keeps those that no attribute of the profile replaces, `"all"`, `"none"`.
        "keep" => keep: Option<Keep> = None, "Keep", default: "by profile: \"unmapped\", with \"tencent\" \"all\"";
        /// Resource attribute `service.name`.
        "serviceName" => service_name: Option<String> = None, "string", default: "the provider's", env: "OTEL_SERVICE_NAME";
        /// Resource attribute `token` (profile `"tencent"`), a secret that is sent to this destination only.
        "token" => token: Option<String> = None, "string", env: "OTEL_RESOURCE_ATTRIBUTES";
        /// Resource attribute `host.name`, at this destination only. In Node, profile `"tencent"` has the machine's first address by default.
        "hostName" => host_name: Option<String> = None, "string", env: "OTEL_RESOURCE_ATTRIBUTES";
        /// More resource attributes, at this destination only.
        "resource" => resource: Vec<(String, Scalar)> = Vec::new(), "Record<string, string | number | boolean>";
        /// Instrumentation scopes to send, `*` stands for any text.
        "allowScopes" => allow_scopes: Vec<String> = Vec::new(), "string[]", default: "all";
        /// Instrumentation scopes not to send, `*` stands for any text.
        "blockScopes" => block_scopes: Vec<String> = Vec::new(), "string[]";
        /// The name that Langfuse's SDK has for `blockScopes`.
        "blockedInstrumentationScopes" | "blocked_instrumentation_scopes" => blocked_instrumentation_scopes: Vec<String> = Vec::new(), "string[]";
        /// Which spans it gets: `"all"`, `"llm"` (those of LLM instrumentations), rules, or a function of the span.
        "filter" => filter: Filter = Filter::default(), "\"all\" | \"llm\" | FilterRules | SpanFilter", default: "\"all\"";
        /// Which part of the traces it gets, from 0 to 1: whole traces, by their ids.
        "sampleRatio" => sample_ratio: Option<f64> = None, "number", default: "1";
        /// Attribute that keeps the id of the parent, in hex, where a span gets another parent because its own does not go to this destination.
        "originalParent" => original_parent: Option<String> = None, "string";
        /// What may leave of content, and how large spans may be. In `destinations`, it replaces the `privacy` that stands beside them.
        "privacy" => privacy: Option<privacy::Settings> = None, "PrivacyOptions";
        /// How bodies of 1,024 bytes or more are compressed.
        "compression" => compression: Compression = Compression::None, "\"gzip\" | \"none\"", env: "OTEL_EXPORTER_OTLP_[TRACES_]COMPRESSION";
        /// Time limit of one request, in ms; then it is aborted.
        "timeoutMillis" => timeout_millis: f64 = 10_000.0, "number", env: "OTEL_EXPORTER_OTLP_[TRACES_]TIMEOUT";
        .. /// How its batches are made and sent, where that is not as for all destinations.
        delivery: DeliveryOptions;
    }
}

shown_as_nothing! { Filter privacy::Settings }

impl Destination {
    /// Checks what is written on resources; `at` is the path before the options.
    pub(super) fn validate_resource(&self, at: &str) -> Result<(), ConfigError> {
        let table = self.profile.table();
        if let (Some(name), Some(rule)) = (&self.service_name, &table.service_name)
            && !(rule.takes)(name)
        {
            let fix = format!("use {}, such as {}", rule.form, quoted(&(rule.nearest)(name)));
            return invalid(&format!("{at}serviceName"), &quoted(name), &format!("is not a name that profile {} takes", table.name), &fix);
        }
        if self.service_name.as_ref().is_some_and(String::is_empty) {
            return invalid(&format!("{at}serviceName"), "\"\"", "is empty", "leave it out to keep the resource's own");
        }
        for (field, value) in [("token", &self.token), ("hostName", &self.host_name)] {
            if value.as_ref().is_some_and(|v| v.trim().is_empty() || v.chars().any(char::is_control)) {
                return invalid(
                    &format!("{at}{field}"),
                    "",
                    "is empty or has control characters",
                    "write the text itself, without line breaks",
                );
            }
        }
        if table.token.is_none() && self.token.is_some() {
            let problem = format!("is set, but profile {} does not send it", table.name);
            return invalid(&format!("{at}token"), "", &problem, "use profile \"tencent\", or headers");
        }
        Ok(())
    }

    /// Returns true if the backend wants a token and the configuration has none.
    pub(super) fn lacks_token(&self) -> bool {
        self.profile.table().token.is_some() && self.token.is_none() && !self.has_in_resource("token")
    }

    fn has_in_resource(&self, key: &str) -> bool {
        self.resource.iter().any(|(name, value)| name == key && matches!(value, Scalar::Str(text) if !text.is_empty()))
    }

    /// Checks every value; `at` is the path before the options.
    pub(super) fn validate(&self, at: &str, sender_tokens: bool, peer_host_name: bool) -> Result<(), ConfigError> {
        let table = self.profile.table();
        self.validate_resource(at)?;
        self.privacy.as_ref().map_or(Ok(()), |privacy| privacy.validate(at))?;
        self.delivery.validate(at)?;
        if let Some(needs) = table.token.filter(|_| self.lacks_token() && !sender_tokens) {
            return invalid(&format!("{at}token"), "", "is missing", needs);
        }
        if let Some(needs) = table.host_name.filter(|_| self.host_name.is_none() && !self.has_in_resource("host.name") && !peer_host_name) {
            return invalid(&format!("{at}hostName"), "", "is missing", needs);
        }
        if !self.block_scopes.is_empty() && !self.blocked_instrumentation_scopes.is_empty() {
            let at = format!("{at}blockedInstrumentationScopes");
            return invalid(&at, "", "is set beside blockScopes", "they mean the same: write one list");
        }
        if let Some(endpoint) = &self.endpoint {
            validate_endpoint(endpoint, &format!("{at}endpoint"))?;
        }
        if let Some(ratio) = self.sample_ratio.filter(|ratio| !(0.0..=1.0).contains(ratio)) {
            return invalid(&format!("{at}sampleRatio"), &shown(ratio), "is out of range", "use a number from 0 (no trace) to 1 (all)");
        }
        millis(&format!("{at}timeoutMillis"), self.timeout_millis)?;
        for (name, value) in &self.headers {
            let is_token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
            if !is_token {
                // It may be a value in the place of a name.
                return invalid(&format!("{at}headers"), "", "has a name that no header can have", "use letters, digits and \"-\"");
            }
            if value.bytes().any(|b| b == b'\r' || b == b'\n' || b == 0) {
                return invalid(&format!("{at}headers.{name}"), "", "has line breaks in its value", "write one line");
            }
        }
        Ok(())
    }

    /// The URL that requests go to. Hosts read the environment before.
    pub fn endpoint(&self) -> &str {
        let by_protocol = if self.protocol == Protocol::Grpc { DEFAULT_GRPC_ENDPOINT } else { DEFAULT_ENDPOINT };
        self.endpoint.as_deref().unwrap_or(by_protocol)
    }

    /// The headers of its requests: those that its profile needs, and its own, which replace them.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let of_profile = self.profile.table().headers.iter().copied();
        let has_own = |name: &str| self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        of_profile.filter(move |(name, _)| !has_own(name)).chain(self.headers.iter().map(|(name, value)| (&name[..], &value[..])))
    }

    /// Returns true if spans of this scope may be sent.
    pub fn allows(&self, scope: &[u8]) -> bool {
        let any = |list: &[String]| list.iter().any(|pattern| text::glob(pattern, scope));
        (self.allow_scopes.is_empty() || any(&self.allow_scopes)) && !any(&self.block_scopes) && !any(&self.blocked_instrumentation_scopes)
    }

    /// Resource attributes that this destination sets.
    pub fn resource_attributes(&self) -> Vec<(&str, Scalar)> {
        let named = [("service.name", &self.service_name), ("token", &self.token), ("host.name", &self.host_name)];
        let more = self.resource.iter().filter(|(key, _)| named.iter().all(|(name, value)| value.is_none() || name != key));
        let named = named.into_iter().filter_map(|(key, value)| Some((key, Scalar::Str(value.clone()?))));
        named.chain(more.map(|(key, value)| (key.as_str(), value.clone()))).collect()
    }
}

/// Checks a URL. Errors do not show it: it may have a key in its query, or a password with a slash in it.
fn validate_endpoint(endpoint: &str, at: &str) -> Result<(), ConfigError> {
    let rest = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
    let host = rest.map(|r| r.split(['/', '?']).next().unwrap_or_default());
    let has_bad_port = |h: &str| {
        let port = h.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
        !h.contains('@') && port.is_some_and(|port| !port.bytes().all(|b| b.is_ascii_digit()))
    };
    if host.is_none_or(|h| h.is_empty() || h.contains(char::is_whitespace) || has_bad_port(h)) {
        return invalid(at, "", "is not an http or https URL", "write it as in \"https://collector:4318/v1/traces\"");
    }
    if host.is_some_and(|h| h.contains('@')) {
        return invalid(at, "", "has a user name or password in it", "send them as a header: headers: { \"authorization\": … }");
    }
    Ok(())
}
