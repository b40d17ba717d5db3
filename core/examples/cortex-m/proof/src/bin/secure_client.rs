//! The keyed channel, a client's side alone.
#![no_std]
#![no_main]

use barewire_proof::secure::{self, Machines};
use barewire_proof::{Given, program};

program!(Machines, secure::make_client, secure::drive_client);
