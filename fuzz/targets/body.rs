//! See `genspan_fuzz::body`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| genspan_fuzz::body(data));
