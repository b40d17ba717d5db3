//! Requests and replies under the server's keys.

use std::io;
use std::slice::ChunksExactMut;

use barewire_core::datagram::{Datagram, MAX_PAYLOAD};
use barewire_core::secure::{DatagramKey, REPLY_OVERHEAD, open_request};
use barewire_linux::datagrams::batch_size;
use barewire_linux::randomness::NonceRandom;

use crate::cli::keys::ServerKeys;

/// The keys for datagrams that belong to the server's, and whose they are.
pub(super) struct DatagramKeys {
    keys: Vec<DatagramKey>,
    owners: ServerKeys,
}

impl DatagramKeys {
    pub(super) fn new(owners: ServerKeys) -> Self {
        Self { keys: owners.keys().iter().map(DatagramKey::new).collect(), owners }
    }
}

/// What a socket opens requests in, and seals replies in.
pub(super) struct Sealing<'k> {
    keys: &'k DatagramKeys,
    random: NonceRandom,
    request: Box<[u8]>,
    /// Room for the reply to each datagram of a batch.
    replies: Box<[u8]>,
    longest_reply: usize,
}

/// The same for one batch.
pub(super) struct SealedBatch<'b> {
    keys: &'b DatagramKeys,
    random: &'b mut NonceRandom,
    request: &'b mut [u8],
    replies: ChunksExactMut<'b, u8>,
}

/// What becomes of a datagram.
pub(super) enum Answer<'b> {
    /// The sealed reply.
    Reply(&'b [u8]),
    /// It was sealed with no key of the server's.
    Unopened,
    /// Sealed as a reply, what was asked is longer than a datagram.
    TooLong,
}

impl<'k> Sealing<'k> {
    /// For datagrams of this capacity as they are received, and replies that are up to `longest` bytes long.
    pub(super) fn new(keys: &'k DatagramKeys, capacity: usize, longest: usize) -> io::Result<Self> {
        let longest_reply = longest + REPLY_OVERHEAD;
        Ok(Self {
            keys,
            random: NonceRandom::new()?,
            request: vec![0; capacity].into_boxed_slice(),
            replies: vec![0; batch_size(capacity) * longest_reply].into_boxed_slice(),
            longest_reply,
        })
    }

    pub(super) fn batch(&mut self) -> SealedBatch<'_> {
        let Self { keys, random, request, replies, longest_reply } = self;
        SealedBatch { keys, random, request, replies: replies.chunks_exact_mut(*longest_reply) }
    }
}

impl<'b> SealedBatch<'b> {
    /// Opens a request, has it shown, with whose key it was sealed if that is somebody's own, and seals the reply:
    /// `text`, or else what was asked.
    pub(super) fn answer(
        &mut self,
        datagram: Datagram<'_>,
        text: Option<&[u8]>,
        show: impl FnOnce(Datagram<'_>, Option<&str>),
    ) -> Answer<'b> {
        let Self { keys, random, request, replies } = self;
        let request = &mut request[..datagram.bytes.len()];
        request.copy_from_slice(datagram.bytes);
        let Some((place, opened)) = open_request(&keys.keys, request) else {
            return Answer::Unopened;
        };
        show(Datagram::whole(datagram.source, opened.bytes), keys.owners.owner(place));
        let text = text.unwrap_or(opened.bytes);
        let fits = text.len() + REPLY_OVERHEAD <= MAX_PAYLOAD;
        let room = replies.next().filter(|_| fits);
        let key = &keys.keys[place];
        let sealed = room.and_then(|room| key.seal_reply(*random, opened.id, text, room));
        sealed.map_or(Answer::TooLong, Answer::Reply)
    }
}
