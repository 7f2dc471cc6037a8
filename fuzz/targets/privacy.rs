//! See `genspan_fuzz::privacy`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| genspan_fuzz::privacy(data));
