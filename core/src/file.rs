//! File transfer: the client names a file, the server sends its contents.
//!
//! # Plain
//!
//! The form that the simplest programs speak. The client sends a name as a
//! [text message](crate::text) of at most [`MAX_NAME`] bytes, the server sends the contents and
//! closes. A file that is missing or refused gets a close with no byte. That is what an empty file
//! looks like too, so a client that receives nothing fails; and nothing can prove that a plain
//! download is whole.
//!
//! # Framed
//!
//! On the same port. Its first byte, 0x00, can start no file name, so a server tells the two apart
//! at once. A server that knows only the plain form closes without a byte, or answers with something
//! else; then the client may ask again, plainly, on a new connection. A reset is no such answer: it is
//! also what a server leaves that stops before it has answered. So that its close is never taken for
//! one, a server resets a connection on which nothing was asked yet when it stops. What remains: the
//! system closes for a process that is killed, and that may look like a server for the plain form. A
//! client that then finds another server there gets the file without a proof, and says so.
//!
//! All integers are big-endian.
//!
//! ```text
//! request  (24 bytes, then the name)          response (32 bytes, then the contents)
//!  0  1  marker 0x00                           0  1  marker 0x00
//!  1  2  "BW"                                  1  2  "BW"
//!  3  1  version 1                             3  1  version 1
//!  4  1  operation: 1 get, 2 list              4  1  status
//!  5  1  flags: bit 0 = verify                 5  1  flags: bit 0 = verified
//!  6  2  name length                           6  2  zero
//!  8  8  offset wanted                         8  8  offset at which the contents start
//! 16  8  tag of the version held (0: none)    16  8  size of the whole file
//! 24  n  name                                 24  8  tag of this version
//! ```
//!
//! - **Tag**: an opaque mark of a file's version. If the tag that the client holds is not 0 and not
//!   the server's, the contents start at 0, whatever offset was wanted: a download never mixes two
//!   versions.
//! - **Contents**: from the offset to the size. With *verify* they are cut at every multiple of
//!   [`SEGMENT`] and at the end, and each segment is followed by the BLAKE3 digest of its bytes.
//!   What has verified need never be hashed again: a client resumes from its last verified segment.
//!   An empty range has no digest.
//! - **Status**: 0 is success, the others are the variants of [`Refusal`]. With any but 0, the
//!   offset, size and tag are 0 and no contents follow. After a request that was malformed or not
//!   supported the server closes; after the others the connection goes on.
//! - A connection carries any number of framed requests, and a client may send the next before the
//!   last is answered. It half-closes after its last, and the server then closes.
//! - A verified download is whole when its last digest has verified, whatever comes after; an
//!   unverified one when the count is right and the server has gone on to the next response that
//!   was asked for, or has closed in order. An empty range is whole with its header.
//! - **A file that changes while it is sent**, unless it only grew, ends in a reset, and what only grew
//!   is sent up to the size told. A server that looks at size and time alone sees that a file has grown,
//!   and not whether its beginning was overwritten as well. Where it has sent digests it knows: what
//!   those segments hold now must match them before the last is sent, so a verified download is of one
//!   version. Without digests, Barewire's server compares the first and the last 64 KiB; bytes between
//!   them that were overwritten while the file also grew may be of either version.
//! - The contents of a **list** are one line for each [`Entry`] of a directory, sorted by name; links to
//!   directories inside the root are among them. A last line tells [how many](ListingLine::LeftOut) are
//!   left out, if any are, because their names cannot be told.
//! - **Names** are relative, with `/` between their parts. A name that is absolute, leaves the root
//!   by `..`, or holds a NUL is refused, and so is an empty name, save that it lists the root. A
//!   backslash is an ordinary character.
//!
//! # The machines
//!
//! A [`Sender`] serves both forms on one connection. A [`Receiver`] speaks the framed form, and a
//! [`PlainReceiver`] the plain one. Neither owns or copies contents: a sender names the range that
//! is to go out next, and a receiver lends what has come in.

mod config;
mod digest;
mod error;
mod event;
mod listing;
mod name;
mod plain_receiver;
mod receiver;
mod request;
mod request_reader;
mod response;
mod sender;
#[cfg(test)]
mod tests;
mod wire;

pub use config::{DEFAULT_STALL, DEFAULT_TIMEOUT, TransferConfig};
pub use digest::{Digest, Digester, SEGMENT};
pub use error::{ReceiverError, RequestError, SenderError};
pub use event::{Pending, ReceiverEvent, RequestEvent};
pub use listing::{Entries, Entry, EntryError, EntryKind, ListingLine, entries};
pub use plain_receiver::PlainReceiver;
pub use receiver::Receiver;
pub use request::{MAX_NAME, Operation, Request};
pub use response::{Refusal, ResponseHeader};
pub use sender::Sender;
