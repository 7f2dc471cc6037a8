//! See `genspan_fuzz::json`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| genspan_fuzz::json(data));
