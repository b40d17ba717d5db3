//! The side that wants a file.

use barewire_core::file::{Receiver, ReceiverEvent, Request, TransferConfig};
use barewire_core::secure::Conversation;
use barewire_core::time::Instant;
use smoltcp::socket::tcp::Socket;

use super::flash_store::LONGEST;
use crate::call::{Client, ClientError};
use crate::log::info;
use crate::security::Link;

/// The room for one request: its header and the name.
const REQUEST: usize = 40 + LONGEST;

/// Downloads one file, and proves it.
#[derive(Debug)]
pub struct Fetch<'n, F> {
    name: &'n str,
    consume: F,
    size: u64,
    verified: u64,
    is_whole: bool,
}

impl<'n, F: FnMut(&[u8])> Fetch<'n, F> {
    /// Asks for `name`, and gives the contents to `consume` as they come. None of them is proven
    /// before [`is_proven`](Self::is_proven).
    pub const fn new(name: &'n str, consume: F) -> Self {
        Self { name, consume, size: 0, verified: 0, is_whole: false }
    }

    /// Whether all of the file has come, and its digests were right.
    pub const fn is_proven(&self) -> bool {
        self.is_whole && self.verified == self.size
    }

    /// The size of the file, once the server has told it.
    pub const fn size(&self) -> u64 {
        self.size
    }
}

impl<F: FnMut(&[u8])> Client for Fetch<'_, F> {
    type Session = Receiver<REQUEST>;

    const CONVERSATION: Conversation = Conversation::File;

    fn open(&mut self, now: Instant) -> Self::Session {
        let mut receiver = Receiver::new(now, TransferConfig::default());
        // Then there is nothing to wait for, and nothing proven.
        if let Err(error) = receiver.request(now, &Request::get(self.name.as_bytes())) {
            info!("cannot ask for {}: {}", self.name, error);
        }
        receiver.finish();
        receiver
    }

    fn talk(
        &mut self,
        session: &mut Self::Session,
        link: &mut impl Link,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> nb::Result<(), ClientError<Self>> {
        link.drive(now, session, socket, |received| match received {
            ReceiverEvent::Response(answer) => self.size = answer.size,
            ReceiverEvent::Refused(refusal) => info!("{}: {}", self.name, refusal),
            ReceiverEvent::Contents(bytes) => (self.consume)(bytes),
            ReceiverEvent::Verified { end, .. } => self.verified = end,
            ReceiverEvent::Complete => self.is_whole = true,
            _ => {}
        })
    }
}
