//! The datagram exchange, alone.
#![no_std]
#![no_main]

use barewire_proof::datagram::{self, Machines};
use barewire_proof::{Given, program};

program!(Machines, datagram::make, datagram::drive);
