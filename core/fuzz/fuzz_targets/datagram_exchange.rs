#![no_main]

use barewire_oracles::datagram::exchange::{Input, check};

libfuzzer_sys::fuzz_target!(|input: Input<'_>| check(&input));
