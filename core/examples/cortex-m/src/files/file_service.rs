//! The side that has the files.

use barewire_core::file::{
    Digest, Offer, Pending, Refusal, RequestEvent, Segment, SegmentDigester, Sender, TransferConfig,
};
use barewire_core::printable::printable;
use barewire_core::secure::Conversation;
use barewire_core::session::InMemory;
use barewire_core::time::Instant;
use smoltcp::socket::tcp::Socket;
use smoltcp::wire::IpEndpoint;

use super::flash_store::{FlashStore, Found, LONGEST};
use crate::log::info;
use crate::security::Link;
use crate::server::Service;

/// How many bytes are digested in one turn, so that the network gets its own in between.
const PIECE: usize = 4096;

/// Sends files from flash to any number of clients.
#[derive(Debug)]
pub struct FileService {
    store: FlashStore,
    /// One for all connections, which can wait for each other.
    digesting: Option<Digesting>,
    /// There was work to do in this round of turns that need not wait for anything.
    busy: bool,
}

/// A digest that is being made, of contents from `position` on.
#[derive(Debug)]
struct Digesting {
    client: IpEndpoint,
    digester: SegmentDigester,
    position: u64,
}

/// One client.
#[derive(Debug)]
pub struct Peer {
    client: IpEndpoint,
    sender: Sender<LONGEST>,
    found: Option<Found>,
}

impl FileService {
    /// Sends what is in flash.
    pub fn new(store: FlashStore) -> Self {
        Self { store, digesting: None, busy: false }
    }

    /// Does what the sender waits for; tells whether it can go on.
    fn resolve(&mut self, peer: &mut Peer, pending: Pending, now: Instant) -> bool {
        let Peer { client, sender, found } = peer;
        match (pending, *found) {
            (Pending::Response, None) => sender.refuse(now, Refusal::NotFound),
            (Pending::Response, Some(found)) => {
                let size = self.store.contents(found).len() as u64;
                // Nobody knows when a file in flash was modified.
                sender.offer(now, Offer { size, tag: self.store.tag(found), modified: 0 });
            }
            // Flash does not change.
            (Pending::Confirm, _) => sender.confirm(now),
            (Pending::Digest(segment), _) => match self.digest(*client, *found, segment) {
                Some(digest) => sender.provide_digest(now, digest),
                None => return false,
            },
            _ => return false,
        }
        true
    }

    /// Goes on with the digest of a segment, of which the first bytes are on their way already.
    /// `None`: there is more to do, or the digester is another client's.
    fn digest(
        &mut self,
        client: IpEndpoint,
        found: Option<Found>,
        segment: Segment,
    ) -> Option<Digest> {
        let Digesting { client: owner, digester, position } =
            self.digesting.get_or_insert_with(|| Digesting {
                client,
                digester: SegmentDigester::new(segment),
                position: segment.start(),
            });
        if *owner != client {
            return None;
        }
        let contents = found.map_or(&[][..], |found| self.store.contents(found));
        let range = usize::try_from(*position).ok()?..usize::try_from(segment.end()).ok()?;
        let left = contents.get(range)?;
        let piece = left.get(..PIECE).unwrap_or(left);
        digester.update(piece);
        *position += piece.len() as u64;
        self.busy = true;
        if piece.len() < left.len() {
            return None;
        }
        let digest = digester.finish();
        self.digesting = None;
        Some(digest)
    }

    /// A connection is over: what was digested for it is of no use to others.
    fn release(&mut self, client: IpEndpoint) {
        self.digesting.take_if(|digesting| digesting.client == client);
    }
}

impl Service for FileService {
    type Peer = Peer;

    const CONVERSATION: Conversation = Conversation::File;

    fn open(&mut self, now: Instant, client: IpEndpoint) -> Option<Peer> {
        let sender = Sender::new(now, TransferConfig::default());
        Some(Peer { client, sender, found: None })
    }

    fn serve(
        &mut self,
        peer: &mut Peer,
        link: &mut impl Link,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> bool {
        let client = peer.client;
        loop {
            let contents = peer.found.map_or(&[][..], |found| self.store.contents(found));
            let mut session = InMemory { session: &mut peer.sender, contents };
            let mut asked = None;
            let driven = link.drive(now, &mut session, socket, |event| match event {
                RequestEvent::Request(request) => {
                    info!("{}: asks for {}", client, printable(request.name));
                    asked = Some(self.store.find(&request));
                }
                RequestEvent::Refused { refusal, name } => {
                    info!("{}: {}: {}", client, printable(name), refusal);
                }
                _ => {}
            });
            if let Some(found) = asked {
                peer.found = found;
            }
            match driven {
                Err(nb::Error::WouldBlock) => {}
                Err(nb::Error::Other(error)) => {
                    info!("{}: download failed: {}", client, error);
                    self.release(client);
                    return false;
                }
                Ok(()) => return false,
            }
            match peer.sender.pending() {
                Some(pending) if self.resolve(peer, pending, now) => {}
                _ => return true,
            }
        }
    }

    fn has_more(&mut self) -> bool {
        core::mem::take(&mut self.busy)
    }
}
