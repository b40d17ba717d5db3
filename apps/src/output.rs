//! What a program says: results on standard output, everything else on standard error.
//!
//! Results are events: a line of text each for people, or with `--json` one object a line. All text
//! that a peer chose must be given as `Printable`, which makes it safe to show; the types see to
//! that.
//!
//! | module | what it is |
//! |---|---|
//! | `events` | what can be told, one file a conversation |
//! | `peer_text` | names and texts that a peer chose: for people, and byte for byte in JSON |
//! | `printer` | standard output: collects events and writes them |
//! | `stdout_sink` | standard output of a server, off its loop |
//! | `raw` | standard output, or another stream: bytes as they are |
//! | `standard_error` | diagnostics, and why the program failed |
//! | `ending` | how long a server that ends waits for all of it |
//! | `format` | text or JSON, and how values are shown in either |
//! | `writable` | whether who reads a stream lets more be written |
//! | `shell` | commands that a person can copy |
//! | `system_error` | the system's errors in words |

pub(crate) mod ending;
pub(crate) mod events;
pub(crate) mod format;
pub(crate) mod peer_text;
pub(crate) mod printer;
pub(crate) mod raw;
pub(crate) mod shell;
pub(crate) mod standard_error;
mod stdout_sink;
pub(crate) mod system_error;
pub(crate) mod writable;
