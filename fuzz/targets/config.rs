//! See `genspan_fuzz::config`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| genspan_fuzz::config(data));
