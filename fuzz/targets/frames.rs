//! See `genspan_fuzz::frames`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| genspan_fuzz::frames(data));
