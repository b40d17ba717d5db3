//! Running the programs as their users do, and playing the peers they meet.
//!
//! The tests treat each program as a black box: arguments and signals go in; standard output,
//! standard error, an exit status and bytes on a socket come out.
//!
//! | module | what it gives |
//! |---|---|
//! | [`binaries`] | the programs, built once a test process |
//! | [`launch`], [`program`], [`server`], [`finished`] | a process: started, talked to, ended, judged |
//! | [`tutorial`] | the peers that a socket tutorial has people write |
//! | [`peer`], [`sockets`] | any other peer: slow, silent, dying, refusing |
//! | [`framed`] | a file transfer made by hand, right or wrong |
//! | [`proxy`] | a network that counts, cuts, resets, stalls and flips |
//! | [`keyed`] | peers with a key, and who is on the way between them |
//! | [`pseudoterminal`] | a terminal to run a program on |
//! | [`namespace`] | names and a network that are the test's own |
//! | [`folder`] | files to serve, with contents that tell one place from another |
//! | [`keys`] | keys, and what is said under them |
//! | [`printable`] | what a terminal may be sent, as an oracle |
//! | [`faults`] | a system whose calls fail |
//! | [`seed`] | random bytes that a failure tells how to get again |
//!
//! Two rules keep the tests quick and steady on a busy machine. Nothing sleeps to wait for a
//! condition: every wait blocks on what it waits for, and [`TIMEOUT`] bounds it. And what must
//! *not* happen is looked for behind a later event that proves its time has passed (see
//! [`sockets::assert_unanswered`]); where there is no such event, a short look can miss a fault
//! but never invent one.
//!
//! A harness reports by panicking, so no function here documents that it may.
#![allow(clippy::missing_panics_doc, reason = "panicking is how a harness reports a failure")]

pub mod binaries;
mod capture;
mod dispositions;
pub mod faults;
pub mod finished;
pub mod folder;
pub mod framed;
pub mod keyed;
pub mod keys;
pub mod launch;
pub mod namespace;
pub mod not_tried;
pub mod peer;
pub mod printable;
pub mod program;
pub mod proxy;
pub mod pseudoterminal;
pub mod seed;
pub mod server;
pub mod sockets;
mod timeout;
pub mod tutorial;

pub use binaries::PROGRAMS;
pub use dispositions::heed_signals;
pub use finished::Finished;
pub use folder::Folder;
pub use keys::KeyFile;
pub use launch::{Launch, PATIENTLY, ask_patiently, run, without_foreign_variables};
pub use namespace::Namespace;
pub use peer::Peer;
pub use program::Program;
pub use proxy::{Fault, Proxy};
pub use pseudoterminal::Pseudoterminal;
pub use server::{Server, serve, share};
pub use timeout::TIMEOUT;
