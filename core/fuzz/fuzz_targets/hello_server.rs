#![no_main]

use barewire_oracles::hello::server::{Input, check};

libfuzzer_sys::fuzz_target!(|input: Input<'_>| check(&input));
