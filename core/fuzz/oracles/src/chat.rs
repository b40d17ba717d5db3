//! Chat: what must hold of a room, whoever is in it.
//!
//! # Safety
//!
//! | property | by |
//! |---|---|
//! | Authorship: a line starts with the name of the member that has caused it, or is one of the documented list of the server's own | [`forms`], in [`room`] |
//! | Exactly once, in one order: who stays receives every line for it, each once, in the order in which all do; who is dropped, the beginning of them | [`room`] byte for byte, [`crowd`] where memory is short and links break |
//! | Nothing is lost in silence: of what a member says, what is not told is refused, and it is told so | [`room`], [`crowd`] |
//! | Shares: in no window of time does a source get more than its rates, whatever number of members it has, nor ever more members and begun lines than its share | [`sources`] |
//!
//! # Liveness
//!
//! | property | by |
//! |---|---|
//! | Bounded wait: nobody waits longer than the patience for each that waits before it, and once for itself; a begun line has its buffer for the patience | [`sources`] for buffers; for room, the simulation's adversaries |
//! | Nobody is dropped who reads at the room's pace: not who reads at each of its turns, and nobody sooner than the patience after it had read all | [`crowd`], [`sources`] |
//! | Everything comes to its end: once links are fast and all have said what they wanted to, all of it arrives | [`crowd`], [`sources`] |

pub mod client;
pub mod crowd;
pub mod flood;
pub mod forms;
pub mod model;
pub mod opening;
pub mod public;
pub mod room;
pub mod sources;
