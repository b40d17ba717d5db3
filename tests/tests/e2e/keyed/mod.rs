//! Conversations under a key, and who has none on the way between them, or at an end. Who could change a
//! byte has hurt before: CVE-2023-48795 (a record left out at the start), CVE-2002-0970 (a cut taken for
//! the end), CVE-2017-13077 (a message of the handshake said again).

mod datagrams;
mod door;
mod downloads;
mod hidden;
mod once;
mod replay;
mod rooms;
mod scene;
mod several_keys;
mod strangers;
mod sweep;
mod tampering;

/// What a server says to who has the key.
const GREETING: &str = "a greeting for those who have the key";

/// How long a record is without its data, and so the end of a direction.
const END: usize = 2 + 17;

/// What a client says.
const ANSWER: &str = "an answer that is nobody else's affair";
