//! genspan takes the spans that any LLM instrumentation emits, and gives back one clean, standard trace.
//!
//! This crate is the core: it thinks, and does no I/O. A host feeds a [`Pipeline`] and drains it:
//!
//! ```text
//!  host            called      core                                                                                    host
//!  ─────────────   ─────────   ─────────────────────────────────────────────────────────────────────────────────────   ──────────────
//!  keys            intern ───► keys: the dictionary, with the convention rules of each key
//!  scopes          scope ────► describe: encoded once for each destination; later records name it by a number
//!  resources       resource ─► the same
//!  span starts     start ────► route (filters) ─► entry::Tree: parent, remote?, LLM?, session
//!  span ends       end ──────► frame ─► normalize ─► entry::Tree ─► profiles::write ─► privacy ─► export ─► poll ─► send
//!                                       │              │              │                  │         │
//!                                       conventions    one per        attributes         mask,     queue, batch,   ◄── response,
//!                                       keys           segment        of the backend     shorten   retry               failure, clock
//!  OTLP body       ingest ───► otlp::check ─► otlp::read ─► as `end` does, but with every span of the body known before the first is decided
//!                  rewrite ──► as `ingest`, and returns at once what goes out now; for proxies, which forward the body themselves
//!                  convert ──► as `ingest`, without a pipeline: one destination, no queue, no clock
//!                  explain ──► as `convert`, but returns the reasons: which rule wrote which attribute, and why a span is the entry
//! ```
//!
//! From normalize to privacy a span goes through `engine`, the same code for `end`, for bodies and for `convert`. `otlp::envelope` puts what stands
//! around the spans of a body together again.
//!
//! The one invariant: after any call, [`Pipeline::poll`] until it returns `None`, and call it again at
//! [`Pipeline::wake`]. Time is an argument, in ms since 1970. The core has no clock, no randomness and no log.
//!
//! ```
//! use genspan::{Config, Pipeline};
//! use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
//! use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
//! use prost::Message;
//!
//! # fn post(_: &[u8]) -> Option<u16> { Some(200) }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::from_json(r#"{"destinations": [{"profile": "otel", "endpoint": "http://127.0.0.1:4318/v1/traces"}]}"#)?;
//! let mut pipeline = Pipeline::new(&config, 1)?;
//!
//! // Feed.
//! let span = Span { trace_id: vec![1; 16], span_id: vec![2; 8], name: "chat".into(), ..Default::default() };
//! let scope_spans = vec![ScopeSpans { spans: vec![span], ..Default::default() }];
//! let body = ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }.encode_to_vec();
//! let mut now = 0.0;
//! assert_eq!(pipeline.ingest(&body, None, now)?.spans, 1);
//!
//! // Send what is due, pass on each answer, and come again at `wake`.
//! let mut sent = 0;
//! loop {
//!     while let Some((_destination, request)) = pipeline.poll(now) {
//!         let id = request.id;
//!         sent += request.spans;
//!         match post(request.body) {
//!             Some(status) => drop(pipeline.response(id, status, None, b"", now)),
//!             None => pipeline.failure(id, now),
//!         }
//!     }
//!     match pipeline.wake() {
//!         Some(wake) => now = wake, // A host sleeps until then.
//!         None => break,
//!     }
//! }
//! assert_eq!(sent, 1);
//! # Ok(())
//! # }
//! ```
//!
//! A complete exporter for OpenTelemetry Rust is in `examples/exporter.rs`.
//!
//! [`convert()`] and [`explain()`] are functions of their own, or methods of a [`Converter`], which keeps its memory. Everything else is a method of
//! [`Pipeline`]:
//!
//! ```
//! use genspan::{Convert, Format, Profile};
//! use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
//! use prost::Message;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let body = br#"{"resourceSpans": [{"scopeSpans": [{"spans": [{
//!     "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "chat",
//!     "attributes": [{"key": "openinference.span.kind", "value": {"stringValue": "LLM"}},
//!                    {"key": "llm.model_name", "value": {"stringValue": "gpt-4o"}}]}]}]}]}"#;
//! let protobuf = genspan::transcode(body, Format::Protobuf)?;
//! let converted = genspan::convert(&protobuf, &Convert { profile: Profile::OTEL, ..Convert::default() })?;
//! let request = ExportTraceServiceRequest::decode(&converted[..])?;
//! let span = &request.resource_spans[0].scope_spans[0].spans[0];
//! assert!(span.attributes.iter().any(|attribute| attribute.key == "gen_ai.request.model"));
//! assert!(span.attributes.iter().any(|attribute| attribute.key == "gen_ai.is_entry"));
//! # Ok(())
//! # }
//! ```

#![deny(unsafe_code)]

// An export with a name of its own counts as unsafe code: another function of that name would be called in its place.
#[allow(unsafe_code, reason = "the hot calls are exports by name")]
#[cfg(feature = "bindings")]
mod bindings;
mod body;
mod config;
mod conventions;
mod convert;
mod describe;
mod engine;
mod entry;
mod error;
mod explain;
mod export;
mod frame;
mod genai;
mod hash;
mod json;
mod keys;
mod normalize;
mod options;
mod otlp;
mod pipeline;
mod privacy;
mod profiles;
mod protobuf;
mod route;
mod span;
mod stats;
mod text;

pub use config::{Config, Convert, Destination, Entry, Format, Protocol};
pub use convert::{Converted, Converter, Written, convert, convert_with, explain, explain_with, transcode};
pub use entry::Siblings;
pub use error::{ConfigError, Error};
pub use export::Transmit;
pub use frame::FrameError;
pub use hash::seed_hashes;
pub use otlp::PartialSuccess;
pub use pipeline::{Flush, Ingested, Pipeline};
pub use privacy::{HookFailed, Hooks, Settings as Privacy};
pub use profiles::{Profile, write::Keep};
pub use stats::{DestinationStats, Stats};

macro_rules! internals {
    ($($module:ident)*) => {
        /// The modules, for the other crates and the tests of the repository. They change without notice.
        #[doc(hidden)]
        #[allow(missing_docs)]
        pub mod internals {
            $(pub mod $module {
                pub use crate::$module::*;
            })*
        }
    };
}

internals! { config conventions entry export frame genai json keys normalize options otlp privacy profiles protobuf span text }

/// Fails to compile if a host cannot move a pipeline to another thread.
#[cfg(not(feature = "bindings"))]
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Pipeline>();
};
