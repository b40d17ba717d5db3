//! File transfer, alone.
#![no_std]
#![no_main]

use barewire_proof::file::{self, Machines};
use barewire_proof::{Given, program};

program!(Machines, file::make, file::drive);
