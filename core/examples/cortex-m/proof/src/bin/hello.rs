//! The hello handshake, alone.
#![no_std]
#![no_main]

use barewire_proof::hello::{self, Machines};
use barewire_proof::{Given, program};

program!(Machines, hello::make, hello::drive);
