//! All four conversations.
#![no_std]
#![no_main]

use barewire_proof::all::{self, Machines};
use barewire_proof::{Given, program};

program!(Machines, all::make, all::drive);
