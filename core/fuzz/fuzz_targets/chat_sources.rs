#![no_main]

use barewire_oracles::chat::sources::{Input, check};

libfuzzer_sys::fuzz_target!(|input: Input| check(&input));
