//! OTLP: checking bodies, reading them in place, writing spans, and the JSON form.

pub mod check;
pub mod json;
pub mod read;
mod schema;
pub mod wire;
pub mod write;
