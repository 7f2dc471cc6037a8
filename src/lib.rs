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
//! The one invariant: after any call, [`Pipeline::poll`] until it gives nothing, and call it again at
//! [`Pipeline::wake`]. Time is an argument, in ms since 1970. There is no clock, no randomness and no log in here.
//!
//! [`convert()`] and [`explain()`] are functions of their own, everything else is a method of [`Pipeline`].

#![deny(unsafe_code)]

// An export with a name of its own counts as unsafe code: another function of that name would be called in its place.
#[allow(unsafe_code, reason = "the hot calls are exports by name")]
#[cfg(feature = "bindings")]
mod bindings;
mod body;
pub mod config;
pub mod conventions;
mod convert;
mod describe;
mod engine;
pub mod entry;
mod error;
mod explain;
pub mod export;
pub mod frame;
pub mod genai;
mod hash;
pub mod json;
pub mod keys;
pub mod normalize;
pub mod options;
pub mod otlp;
mod pipeline;
pub mod privacy;
pub mod profiles;
pub mod protobuf;
mod route;
pub mod span;
mod stats;
pub mod text;

pub use convert::{Converted, convert, convert_with, explain, explain_with, transcode};
pub use error::{ConfigError, Error};
pub use hash::seed_hashes;
pub use otlp::PartialSuccess;
pub use pipeline::{Flush, Ingested, Pipeline};
pub use stats::{DestinationStats, Stats};

/// Fails to compile if a host cannot move a pipeline to another thread.
#[cfg(not(feature = "bindings"))]
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Pipeline>();
};
