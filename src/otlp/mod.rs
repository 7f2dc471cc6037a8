//! OTLP: reading bodies in place, writing spans, and the JSON form.

pub mod json;
pub mod read;
pub mod wire;
pub mod write;
