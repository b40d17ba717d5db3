//! The digests alone.
#![no_std]
#![no_main]

use barewire_core::file::Digester;
use barewire_proof::file::digest;
use barewire_proof::{Given, program};

// So that nothing is hidden that the other programs need of stack.
const _: () = assert!(size_of::<stand_in::Hasher>() == size_of::<Digester>());

program!(Digester, |_, digester| digest::make(digester), digest::drive);
