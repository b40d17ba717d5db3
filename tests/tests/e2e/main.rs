//! End-to-end tests: each program as a process, against its partner and against every kind of
//! peer that its users will meet.
//!
//! | folder | what is asked |
//! |---|---|
//! | `udp`, `tcp`, `file`, `chat`, `chat_client` | does the conversation go as the protocol says, with every option? |
//! | `keyed` | is nobody heard, and does nobody hear, who has no key? |
//! | `secure` | is the keyed form what its documentation says? |
//! | `common` | does every program keep the promises they all make? |
//!
//! A module whose subject has hurt systems like this one says so at its top, with the public record.

mod chat;
mod chat_client;
mod common;
mod file;
mod keyed;
mod secure;
mod tcp;
mod udp;
