//! Virtual time, in which conversations meet every misfortune of a network.
//!
//! The state machines of barewire never read a clock and own no socket, so whole conversations run
//! in here: thousands in a second, in one thread, each decided by one number, its *seed*. The same
//! seed gives the same conversation to the microsecond, so whatever fails once fails again.
//!
//! | module | what it gives |
//! |---|---|
//! | [`seeds`] | a test body run over many seeds; how a failure is repeated; the *sometimes* checks |
//! | [`random`] | chance, from a seed |
//! | [`schedule`] | virtual time: what happens when |
//! | [`stream`] | connections, their faults, and the driver for any session on them |
//! | [`datagrams`] | a network that loses, doubles and reorders |
//! | [`disk`] | a folder on a disk that forgets, in a crash, what was not made to last |
//!
//! # How a test is written
//!
//! The network says who has something to do ([`Streams::advance`](stream::Streams::advance)), and
//! the test gives that one its turn. The machines stay in the test's hands, in whatever shape the
//! conversation needs: two variables, a list of clients, or views lent by a server that they share.
//!
//! What must hold in every run is an ordinary assertion. That a run can hold it *vacuously* is the
//! weakness of such tests, so each also says what must happen in some run at least
//! ([`Sometimes`](seeds::Sometimes)): that a reset came after success, say, or that a text was cut.
//!
//! A simulator reports by panicking, so no function here documents that it may.
#![allow(clippy::missing_panics_doc, reason = "panicking is how a simulator reports a failure")]

pub mod datagrams;
pub mod disk;
pub mod random;
pub mod schedule;
pub mod seeds;
pub mod stream;
