#![no_main]

use barewire_oracles::secure::peer::{Input, check};

libfuzzer_sys::fuzz_target!(|input: Input<'_>| check(&input));
