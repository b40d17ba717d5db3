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
//! else; then the client may ask again, plainly, on a new connection. (What has one bit of the marker or of
//! "BW" otherwise, and the right check, is no such answer: it was damaged on its way.) A reset is no such answer: it is
//! also what a server leaves that stops before it has answered. So that its close is never taken for
//! one, a server resets a connection on which nothing was asked yet when it stops. What remains: the
//! system closes for a process that is killed, and that may look like a server for the plain form. A
//! client that then finds another server there gets the file without a proof, and says so.
//!
//! All integers are big-endian. Digests are those of the [BLAKE3] tree of the file, so what `b3sum` prints
//! for a file is what they make.
//!
//! ```text
//! request  (40 bytes, then the name)          response (64 bytes, then the contents)
//!  0  1  marker 0x00                           0  1  marker 0x00
//!  1  2  "BW"                                  1  2  "BW"
//!  3  1  version 2                             3  1  version 2
//!  4  1  operation: 1 get, 2 list, 3 hashes    4  1  status
//!  5  1  flags: bit 0 = verify                 5  1  flags: bit 0 = verified
//!  6  2  name length                           6  2  zero
//!  8  8  offset wanted                         8  8  offset at which the contents start
//! 16  8  length wanted (from 2^62 on: to      16  8  length of the range that follows
//!          the end; 0: the header only)       24  8  size of the whole file
//! 24  8  tag of the version held (0: none)    32  8  tag of this version
//! 32  1  segment, n: 1 KiB << n, 0 to 10      40  8  time of modification, in nanoseconds
//! 33  7  zero                                          since the start of 1970, UTC; signed
//! 40  …  name                                 48 16  check
//! ```
//!
//! - **Check**: the first 16 bytes of BLAKE3 over the request as it was sent, header and name, and
//!   bytes 0 to 47 of the response. So a header that was damaged on its way, or an answer to another
//!   request, is an error of the connection, never a short file. After *malformed* and *not supported*,
//!   where the server need not have read the request, it is over the response alone. It is no signature:
//!   whoever can change the stream at will can make it.
//! - **Range**: from the offset to offset plus length, or to the end of the file if that comes first. The
//!   lengths are in bytes of the file; digests do not count. An offset beyond the end is *past end*.
//! - **Tag**: an opaque mark of a file's version, never 0 in an answer with contents. It saves work, and
//!   proves nothing. If the tag that the client holds is not 0 and not the server's, the range is one of
//!   another version: the contents start at 0 if they were wanted to the end, and there are none if
//!   not.
//! - **Verify**: the contents are cut at every multiple of the segment, and at the end of the file. Each
//!   segment is followed by its digest, 32 bytes: the chaining value of its subtree, or the root if the
//!   segment is the whole file. The offset must be a multiple of the segment, and so must the end of the
//!   range, unless it is that of the file: anything else is *malformed*. So a segment is always proven as
//!   a whole, and a client that has all of them has the [hash of the file](RootDigester) without hashing
//!   it again. An empty range has no digest.
//! - **Hashes**: the contents are the digests of the segments in the range, 32 bytes each, and nothing
//!   else; offset and length are those of the bytes that the digests are of. The rules for ranges are those
//!   of *verify*, whose flag says nothing more here, and comes back as it was sent.
//! - **List**: the contents are one line for each [`Entry`] of a directory, sorted by name; links to
//!   directories inside the root are among them. A last line tells [how many](ListingLine::LeftOut) are
//!   left out, if any are, because their names cannot be told.
//! - **Status**: 0 is success, the others are the variants of [`Refusal`]. With any but 0, all between the
//!   status and the check is 0, and no contents follow. After a request that was malformed or not
//!   supported the server closes; after the others the connection goes on.
//! - **What nobody knows**: a version other than 2, of which nothing but the first 4 bytes is looked at,
//!   and an unknown operation are *not supported*. A client that speaks under a key opens with 0x01: from a server
//!   that has none it hears at once that this is *malformed*, and no plain name begins with it. Unknown flags, an unknown segment, a name longer than
//!   [`MAX_NAME`] bytes, and reserved bytes that are not 0 are *malformed*. In a response an unknown
//!   version, status or flag, reserved bytes that are not 0, a range that was not asked for, a tag of 0,
//!   and contents without digests where they were asked for, or with them where not, each are an error, after
//!   which the client hangs up. Nothing that is unknown is ignored. The time of modification may have
//!   any value; 0 is used where it is not known.
//! - A connection carries any number of framed requests, and a client may send the next before the
//!   last is answered. It half-closes after its last, and the server then closes.
//! - A verified download is whole when its last digest has verified, whatever comes after; an
//!   unverified one when the count is right and the server has gone on to the next response that
//!   was asked for, or has closed in order. An empty range is whole with its header.
//! - **Too slow**: contents that go through at less than a [least rate](TransferConfig::least_rate), on
//!   average over the [stall](TransferConfig::stall), end the connection, on both sides.
//! - **A file that changes while it is sent**, unless it only grew, ends in a reset, and what only grew
//!   is sent up to the size told. A server that looks at size and times alone sees that a file has grown,
//!   or that something about it is another, and not whether it was overwritten as well and its time set
//!   back. Where it has sent digests it knows: what those segments hold now must match them before the
//!   last is sent, so a verified download is of one version, as far as the system tells at all that a file
//!   was written to (what is written through a shared mapping, `mmap(2)`, may bear no other time). Without
//!   digests, Barewire's server compares the first and the last 64 KiB; bytes between them that were
//!   overwritten while the file also grew, or by who set its time back, may be of either version.
//! - **Names** are relative, with `/` between their parts. A name that is absolute, leaves the root
//!   by `..`, or holds a NUL is refused, and so is an empty name, save that it lists the root. A
//!   backslash is an ordinary character.
//!
//! [BLAKE3]: https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf
//!
//! # The machines
//!
//! A [`Sender`] serves both forms on one connection. A [`Receiver`] speaks the framed form, and a
//! [`PlainReceiver`] the plain one. Neither owns or copies contents: a sender names the range that
//! is to go out next, and a receiver lends what has come in.
//!
//! An implementation of its own can be checked against the examples in `src/file/tests/vectors.txt` of this package.

mod check;
mod config;
mod digest;
mod error;
mod event;
mod hash_tree;
mod layout;
mod listing;
mod name;
mod plain_receiver;
mod progress;
mod range;
mod receiver;
mod request;
mod request_reader;
mod response;
mod segment;
mod sender;
#[cfg(test)]
mod tests;
mod wire;

pub use config::{DEFAULT_LEAST_RATE, DEFAULT_STALL, DEFAULT_TIMEOUT, TransferConfig};
pub use digest::{RootDigester, SegmentDigester};
pub use error::{ReceiverError, RequestError, SenderError};
pub use event::{Pending, ReceiverEvent, RequestEvent};
pub use hash_tree::Digest;
pub use listing::{Entries, Entry, EntryError, EntryKind, ListingLine, entries};
pub use name::is_acceptable;
pub use plain_receiver::PlainReceiver;
pub use receiver::Receiver;
pub use request::{MAX_NAME, Operation, Request};
pub use response::{Offer, Refusal, ResponseHeader};
pub use segment::{Segment, SegmentSize};
pub use sender::Sender;
