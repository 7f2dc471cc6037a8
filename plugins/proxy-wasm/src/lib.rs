//! genspan as a proxy-wasm plugin: OTLP requests on their way through Envoy and its like are rewritten, everything else passes untouched.
//!
//! ```text
//!  request ─► Request::of      is it OTLP, and how is it packed?            ─── no ───► passes as it is
//!             body, in pieces  held here, up to `maxBodyBytes`
//!             Request::rewrite unpacked ─► Pipeline::rewrite ─► packed again ─ error ─► passes as it was, or is refused; counted
//!                                              │
//!  tick ─────► Origin::call    candidates that were decided later, and copies for further clusters: calls of our own
//! ```
//!
//! Requests with the same credentials share a pipeline ([`origin`]), so nothing of one sender rides in a request of another. [`settings`]
//! and [`request`] know no host and are tested natively; [`host`] is the glue.

pub mod coding;
#[cfg(target_arch = "wasm32")]
mod host;
pub mod origin;
pub mod request;
pub mod settings;
