//! The chat, alone.
#![no_std]
#![no_main]

use barewire_proof::chat::{self, Machines};
use barewire_proof::{Given, program};

program!(Machines, chat::make, chat::drive);
