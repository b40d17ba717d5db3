//! What the machines tell their owners, and what they wait for.

use core::fmt;

use super::hash_tree::Digest;
use super::request::{Request, show};
use super::response::{Refusal, ResponseHeader};
use super::segment::Segment;

/// What a [`Sender`](super::Sender) tells its owner: what a client has asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestEvent<'a> {
    /// The owner is to [offer](super::Sender::offer) it or to [refuse](super::Sender::refuse) it.
    Request(Request<'a>),
    /// The machine has refused it by itself: the request was malformed or its name is one that
    /// nobody may ask for. There is nothing to answer.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The name, as far as there was one. It may hold anything.
        name: &'a [u8],
    },
}

impl fmt::Debug for RequestEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(request) => request.fmt(f),
            Self::Refused { refusal, name } => {
                write!(f, "{refusal}: ")?;
                show(name, f)
            }
        }
    }
}

/// What a [`Sender`](super::Sender) waits for its owner to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Pending {
    /// The response to the request: [`offer`] or [`refuse`].
    ///
    /// [`offer`]: super::Sender::offer
    /// [`refuse`]: super::Sender::refuse
    Response,
    /// The [digest](super::SegmentDigester) of this segment of what was offered, by
    /// [`provide_digest`]. It is asked for as soon as the segment begins, and needed once the segment
    /// has gone out; of a request for [hashes](super::Operation::Hashes) it is all that goes out.
    ///
    /// [`provide_digest`]: super::Sender::provide_digest
    ///
    /// A client takes what its digests prove for whole before it is confirmed. So check, after these
    /// bytes were read for the digest, that the contents are still what was offered; if they are not,
    /// reset the connection. (A digest that is known from before needs no check: if other bytes went
    /// out, it proves them wrong.)
    Digest(Segment),
    /// All has gone out: [`confirm`](super::Sender::confirm) that it was what had been offered. If
    /// the file has changed (save that it only grew), reset the connection instead: the client must
    /// not take what it got for the whole.
    Confirm,
}

/// What a receiver tells its owner: what has come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ReceiverEvent<'a> {
    /// The server has what was asked for, and is about to send it.
    Response(ResponseHeader),
    /// The server does not send it. The next answer is that to the next request.
    Refused(Refusal),
    /// The next bytes of the contents, never empty. Nothing proves them yet.
    Contents(&'a [u8]),
    /// The digest of the segment was right: its contents are what the server has there.
    Verified {
        /// The offset of its first byte in the file.
        start: u64,
        /// The offset behind its last byte.
        end: u64,
        /// From the digests of all segments, [the hash of the file](super::RootDigester) follows.
        digest: Digest,
    },
    /// What the server says the digest of a segment to be, whose [hashes](super::Operation::Hashes)
    /// were asked for.
    Digest {
        /// The offset of its first byte in the file.
        start: u64,
        /// The offset behind its last byte.
        end: u64,
        /// Its digest.
        digest: Digest,
    },
    /// The contents are whole.
    Complete,
}
