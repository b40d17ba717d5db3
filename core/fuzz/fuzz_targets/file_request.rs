#![no_main]

use barewire_oracles::file::request::{Input, check};

libfuzzer_sys::fuzz_target!(|input: Input<'_>| check(&input));
