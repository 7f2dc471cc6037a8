//! genspan as a proxy-wasm plugin: rewrites OTLP requests on their way through Envoy and similar proxies, and forwards everything else untouched.
//!
//! ```text
//!  request ─► Request::of      is it OTLP, and how is it packed?            ─── no ───► forwarded unchanged
//!             body, in pieces  held here, up to `maxBodyBytes`
//!             Request::rewrite unpacked ─► Pipeline::rewrite ─► packed again ─ error ─► forwarded unchanged, or refused; counted
//!                                              │
//!  tick ─────► Origin::call    candidates that were decided later, and copies for further clusters: calls of the plugin
//! ```
//!
//! Requests with the same credentials share a pipeline ([`origin`]), so data of one sender is never part of a request of another. [`settings`]
//! and [`request`] do not depend on the host and are tested natively; `host.rs` is the glue.

pub mod coding;
#[cfg(target_arch = "wasm32")]
mod host;
pub mod origin;
pub mod request;
pub mod settings;
pub mod share;
