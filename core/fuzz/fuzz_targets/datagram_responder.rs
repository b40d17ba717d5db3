#![no_main]

use barewire_oracles::datagram::responder::{Input, check};

libfuzzer_sys::fuzz_target!(|input: Input<'_>| check(&input));
