//! The keyed channel, a server's side alone.
#![no_std]
#![no_main]

use barewire_proof::secure::{self, Machines};
use barewire_proof::{Given, program};

program!(Machines, secure::make_server, secure::drive_server);
