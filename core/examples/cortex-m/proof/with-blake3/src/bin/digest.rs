//! The digests alone.
#![no_std]
#![no_main]

use barewire_core::file::Digester;
use barewire_proof::file::digest;
use barewire_proof::{Given, program};

program!(Digester, |_, digester| digest::make(digester), digest::drive);
