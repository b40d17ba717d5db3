#![no_main]

use barewire_oracles::hello::pair::{Input, check};

libfuzzer_sys::fuzz_target!(|input: Input<'_>| check(&input));
