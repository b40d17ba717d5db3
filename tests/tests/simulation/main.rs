//! Whole conversations in virtual time, over networks at their worst.
//!
//! | module | what is asked |
//! |---|---|
//! | `hello` | does a handshake end in time, and is success never said wrongly, whoever crashes? |
//! | `file` | is a file that arrived always one version of it, and does it arrive in the end, whoever crashes? |
//! | `datagram` | does an exchange get its own reply, also after a crash, and does no responder run away? |
//! | `chat` | does every line reach everybody once and in one order, and is only who stalls dropped? |
//! | `secure` | is a fault under a key never an end, and does all else hold as without one? |
//! | `simulator`, `disk` | does what the other tests rely on happen at all? |
//!
//! Each test runs with thousands of seeds, the same each time. A failure prints how to repeat it;
//! `BAREWIRE_SEEDS=1000000 cargo test -p barewire-tests --test simulation` searches longer.

mod chat;
mod datagram;
mod disk;
mod file;
mod hello;
mod node_faults;
mod peers;
mod secure;
mod simulator;
