#![no_main]

use barewire_oracles::hello::client::{Input, check};

libfuzzer_sys::fuzz_target!(|input: Input<'_>| check(&input));
