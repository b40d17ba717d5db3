//! Chat.

pub mod client;
pub mod crowd;
pub mod flood;
pub mod forms;
pub mod model;
pub mod public;
pub mod room;
pub mod sources;
