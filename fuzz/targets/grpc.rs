//! See `genspan_fuzz::grpc`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| genspan_fuzz::grpc(data));
