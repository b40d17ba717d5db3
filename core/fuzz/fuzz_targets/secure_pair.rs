#![no_main]

use barewire_oracles::secure::pair::{Input, check};

libfuzzer_sys::fuzz_target!(|input: Input<'_>| check(&input));
