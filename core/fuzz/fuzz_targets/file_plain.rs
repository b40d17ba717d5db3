#![no_main]

use barewire_oracles::file::plain::{Input, check};

libfuzzer_sys::fuzz_target!(|input: Input<'_>| check(&input));
