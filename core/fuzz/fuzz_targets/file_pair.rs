#![no_main]

use barewire_oracles::file::pair::{Input, check};

libfuzzer_sys::fuzz_target!(|input: Input| check(&input));
