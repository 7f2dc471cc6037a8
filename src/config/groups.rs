//! The list of all options, for the tables of the documentation, the types of the package and the proxy.

use super::{Breaker, Config, DeliveryOptions, Destination, Entry, RetryPolicy, Spool};
use crate::options::{Info, Proxy};
use crate::privacy::{MaskRule, Settings};

/// Options that stand together.
pub struct Group {
    /// Its TypeScript interface.
    pub interface: &'static str,
    /// What its options are for.
    pub doc: &'static str,
    /// The options, each with its default as the documentation shows it.
    pub options: Vec<(Info, String)>,
}

/// An option that only a host can use: it is not JSON, or it is of the host itself.
const fn of_host(name: &'static str, ts: &'static str, default: &'static str, proxy: Proxy, doc: &'static [&'static str]) -> Info {
    Info { name, ts, default, env: "", proxy, doc }
}

const TLS: Info = Info {
    env: "OTEL_EXPORTER_OTLP_[TRACES_]CERTIFICATE, …CLIENT_CERTIFICATE, …CLIENT_KEY (files)",
    ..of_host(
        "tls",
        "Tls",
        "",
        Proxy::Ignored("certificates are the proxy's: set them on the cluster"),
        &["Certificates `{ ca, cert, key }`, PEM as text or bytes, in Node, Bun and Deno."],
    )
};

const HOOKS: &[Info] = &[
    of_host(
        "mask",
        "((text: string, key: string) => string)",
        "",
        Proxy::Refused("is a function of JavaScript; use rules in privacy.mask"),
        &["Called with every text of content, after the rules, and its key; what it returns is sent."],
    ),
    of_host(
        "onMedia",
        "((media: Media) => string | undefined)",
        "",
        Proxy::Refused("is a function of JavaScript; use privacy.media"),
        &["Called with media in base64; the text that it returns is sent in their place."],
    ),
    of_host(
        "onPartialSuccess",
        "((partial: PartialSuccess) => void)",
        "only `diag` reports it",
        Proxy::Refused("is a function of JavaScript; leave it out, genspan_dropped_total counts rejected spans"),
        &["Called when a backend rejects spans of a batch that it accepts, or sends a warning."],
    ),
    of_host(
        "meterProvider",
        "MeterProvider",
        "no metrics",
        Proxy::Refused("is an object of JavaScript; leave it out, the metrics are the proxy's"),
        &["Gets what `stats` counts as metrics, under the names that OpenTelemetry has for SDKs."],
    ),
];

const OF_PROXY_DESTINATION: &[Info] = &[of_host(
    "cluster",
    "string",
    "of the first destination: the request's",
    Proxy::Only,
    &["The proxy's cluster through which calls of the plugin's own go. Required for copies."],
)];

const OF_PROXY: &[Info] = &[
    of_host("maxBodyBytes", "number", "16777216 (16 MiB)", Proxy::Only, &["Larger bodies, packed or unpacked, are not read."]),
    of_host(
        "maxBufferedBytes",
        "number",
        "67108864 (64 MiB)",
        Proxy::Only,
        &["Maximum size of the bodies that all requests of a worker hold."],
    ),
    of_host(
        "onUnreadable",
        "\"refuse\" | \"pass\"",
        "\"refuse\" where `privacy.mask` or `captureContent: false` hides something from the upstream, else \"pass\"",
        Proxy::Only,
        &["What is done with requests that cannot be read."],
    ),
    of_host("maxOrigins", "number", "64", Proxy::Only, &["Maximum number of senders with credentials of their own that are kept apart."]),
    of_host(
        "originHeaders",
        "string[]",
        "*auth*, *token*, *key*, …",
        Proxy::Only,
        &[
            "The headers that hold credentials, `*` stands for any text. Calls of the plugin's own for a sender carry those of its requests.",
        ],
    ),
];

/// All options, by the place where they stand.
pub fn groups() -> Vec<Group> {
    let group = |interface, doc, options| Group { interface, doc, options };
    let more = |infos: &[Info]| infos.iter().map(|info| (*info, String::new())).collect::<Vec<_>>();
    vec![
        group("DeliveryOptions", "How batches are made and sent, for all destinations or for one of them.", DeliveryOptions::options()),
        group("RetryOptions", "How long to wait before a retry.", RetryPolicy::options()),
        group("BreakerOptions", "When a destination that fails is left alone.", Breaker::options()),
        group(
            "DestinationOptions",
            "Where spans go, and in which form.",
            [Destination::options(), more(&[TLS]), more(OF_PROXY_DESTINATION)].concat(),
        ),
        group("EntryOptions", "Which spans carry `gen_ai.is_entry`.", Entry::options()),
        group("PrivacyOptions", "What may leave of content, and how large spans may be.", Settings::options()),
        group("MaskRule", "What is masked: where, what, and what replaces it.", MaskRule::options()),
        group("SpoolOptions", "Where batches that could not be delivered are kept.", Spool::options()),
        group(
            "GenSpanOptions",
            "One destination by its own options, or several in `destinations`.",
            [Config::options(), more(HOOKS), more(OF_PROXY)].concat(),
        ),
    ]
}
