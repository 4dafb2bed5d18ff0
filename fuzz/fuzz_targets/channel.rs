#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wspeer_fuzz::run("channel", data));
