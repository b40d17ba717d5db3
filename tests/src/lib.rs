//! What proves barewire as a whole: the harness of its end-to-end tests, and the simulator.
//!
//! The tests themselves stand in `tests/`, one folder a kind. This library holds what they share,
//! so that a test reads as the conversation it is about.

pub mod harness;
pub mod simulator;
