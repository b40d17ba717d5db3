//! Connecting to a Unix socket: there is one address, and it answers at once or not at all.

use std::io;

use barewire_core::time::{Duration, Instant};

use super::error::DialError;
use crate::address::{Address, UnixAddress};
use crate::executor::{Context, Readiness};
use crate::link::Link;
use crate::stream::StreamSocket;

/// How long to wait before the next try where as many wait to be accepted as there is room for: the system
/// does not tell when there is more (`EAGAIN`, `connect(2)`).
const PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct UnixAttempt {
    address: UnixAddress,
    /// Of the connection that is being made.
    deadline: Option<Instant>,
}

impl UnixAttempt {
    pub(super) fn new(address: UnixAddress) -> Self {
        Self { address, deadline: None }
    }

    pub(super) fn poll<W>(
        &mut self,
        cx: &mut Context<'_, W>,
        timeout: Duration,
    ) -> nb::Result<(Link, Address), DialError> {
        let deadline = *self.deadline.get_or_insert(cx.now() + timeout);
        let unreached = |last| nb::Error::Other(DialError::Unreached { tried: 1, last });
        let peer = Address::Unix(self.address);
        let stream = match StreamSocket::connect(&peer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if deadline <= cx.now() {
                    return Err(unreached(io::ErrorKind::TimedOut.into()));
                }
                cx.set_deadline(Some(deadline.min(cx.now() + PAUSE)));
                return Err(nb::Error::WouldBlock);
            }
            connected => connected.map_err(unreached)?,
        };
        let both = Readiness::READABLE | Readiness::WRITABLE;
        let source = cx.register(&stream, both).map_err(unreached)?;
        Ok((Link::with_source(stream, Some(source)), peer))
    }

    pub(super) fn give_up<W>(&mut self, cx: &mut Context<'_, W>) {
        self.deadline = None;
        cx.set_deadline(None);
    }
}
