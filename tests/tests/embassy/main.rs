//! The core over embassy-net: its real TCP/IP stack, twice, on the two ends of a link in memory,
//! in virtual time.
//!
//! | module | what is there |
//! |---|---|
//! | `two_stacks` | two stacks, the link between them, the time, and who is polled |
//! | `hello`, `download`, `chat` | the conversations |
//! | `conformance` | whether the adapter follows the driving rule |

mod chat;
mod conformance;
mod download;
mod hello;
mod two_stacks;
