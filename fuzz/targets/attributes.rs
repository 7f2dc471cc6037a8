//! See `genspan_fuzz::attributes`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| genspan_fuzz::attributes(data));
