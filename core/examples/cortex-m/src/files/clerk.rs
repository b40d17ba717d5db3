//! The side that has the files.

use barewire_core::file::{
    Digest, Digester, Pending, Refusal, RequestEvent, Sender, TransferConfig,
};
use barewire_core::printable::printable;
use barewire_core::session::InMemory;
use barewire_core::time::Instant;
use barewire_smoltcp::Connection;
use smoltcp::socket::tcp::Socket;
use smoltcp::wire::IpEndpoint;

use super::shelf::{Found, LONGEST, Shelf};
use crate::log::info;
use crate::server::Service;

/// How many bytes are digested in one turn, so that the network gets its own in between.
const PIECE: usize = 4096;

/// Sends files from flash to any number of clients.
#[derive(Debug)]
pub struct Clerk {
    shelf: Shelf,
    /// One for all connections: it takes 2 KiB, and they can wait for each other.
    digester: Digester,
    /// Whose contents it is digesting, and how far it is.
    digesting: Option<(IpEndpoint, usize)>,
    /// There was work to do in this round of turns that need not wait for anything.
    busy: bool,
}

/// One client.
#[derive(Debug)]
pub struct Visit {
    client: IpEndpoint,
    sender: Sender<LONGEST>,
    found: Option<Found>,
}

impl Clerk {
    /// Sends what is on the shelf.
    pub fn new(shelf: Shelf) -> Self {
        Self { shelf, digester: Digester::new(), digesting: None, busy: false }
    }

    /// Does what the sender waits for; tells whether it can go on.
    fn meet(&mut self, visit: &mut Visit, pending: Pending, now: Instant) -> bool {
        let Visit { client, sender, found } = visit;
        match (pending, *found) {
            (Pending::Response, None) => sender.refuse(now, Refusal::NotFound),
            (Pending::Response, Some(found)) => {
                let size = self.shelf.contents(found).len() as u64;
                sender.offer(now, size, self.shelf.tag(found));
            }
            // Flash does not change.
            (Pending::Confirm, _) => sender.confirm(now),
            (Pending::Digest { offset, length }, _) => {
                match self.digest(*client, *found, offset, length) {
                    Some(digest) => sender.provide_digest(now, digest),
                    None => return false,
                }
            }
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
        offset: u64,
        length: u64,
    ) -> Option<Digest> {
        let (owner, done) = self.digesting.get_or_insert((client, 0));
        if *owner != client {
            return None;
        }
        let contents = found.map_or(&[][..], |found| self.shelf.contents(found));
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        let left = contents.get(start + *done..end)?;
        let piece = left.get(..PIECE).unwrap_or(left);
        self.digester.update(piece);
        *done += piece.len();
        self.busy = true;
        if piece.len() < left.len() {
            return None;
        }
        self.digesting = None;
        Some(self.digester.finish())
    }

    /// A connection is over: the digester is free for others.
    fn release(&mut self, client: IpEndpoint) {
        if self.digesting.take_if(|(owner, _)| *owner == client).is_some() {
            self.digester = Digester::new();
        }
    }
}

impl Service for Clerk {
    type Visit = Visit;

    fn open(&mut self, now: Instant, client: IpEndpoint) -> Option<Visit> {
        let sender = Sender::new(now, TransferConfig::default());
        Some(Visit { client, sender, found: None })
    }

    fn serve(
        &mut self,
        visit: &mut Visit,
        connection: &mut Connection,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> bool {
        let client = visit.client;
        loop {
            let contents = visit.found.map_or(&[][..], |found| self.shelf.contents(found));
            let mut session = InMemory { session: &mut visit.sender, contents };
            let mut asked = None;
            let driven = connection.drive(now, &mut session, socket, |event| match event {
                RequestEvent::Request(request) => {
                    info!("{}: asks for {}", client, printable(request.name));
                    asked = Some(self.shelf.find(&request));
                }
                RequestEvent::Refused { refusal, name } => {
                    info!("{}: {}: {}", client, printable(name), refusal);
                }
                _ => {}
            });
            if let Some(found) = asked {
                visit.found = found;
            }
            match driven {
                Err(nb::Error::WouldBlock) => {}
                Err(nb::Error::Other(fault)) => {
                    info!("{}: download failed: {}", client, fault);
                    self.release(client);
                    return false;
                }
                Ok(()) => return false,
            }
            match visit.sender.pending() {
                Some(pending) if self.meet(visit, pending, now) => {}
                _ => return true,
            }
        }
    }

    fn has_more(&mut self) -> bool {
        core::mem::take(&mut self.busy)
    }
}
