//! A session that speaks through a channel.

use super::channel::Channel;
use super::error::SecuredError;
use crate::session::{Event, Events, Output, Session};
use crate::time::Instant;

/// A session, and the channel that it speaks through: itself a session, with the same events, for any
/// driver.
///
/// Made anew for each call of the driver, it costs nothing; so the session may itself be lent, as a
/// member of a chat is. It is called for the first time when the channel is open, so that nobody without the
/// key ever has it called. Of what is offered to it, it takes at once what it can, as all sessions of this crate
/// do: the rest of a record is offered again when something else has happened.
///
/// A session that fails has its last word, as it would have without a key. Its direction ends in order only if
/// the session says so, and otherwise the peer is told of no end.
///
/// # Contents
///
/// Contents in memory are sealed as any other bytes, if the session is an
/// [`InMemory`](crate::session::InMemory). Those that its owner has elsewhere never go to the driver,
/// which would send them as they are: after each turn of the driver, the owner reads them into the record
/// that is to be sealed, as long as [`contents`](Self::contents) asks for some, and then drives on.
///
/// ```
/// # use std::io::Read;
/// use barewire_core::secure::Secured;
/// use barewire_core::session::Session;
/// use barewire_core::time::Instant;
///
/// fn read_on<S: Session>(
///     now: Instant,
///     secured: &mut Secured<'_, '_, S>,
///     mut read_at: impl FnMut(u64, &mut [u8]) -> std::io::Result<usize>,
/// ) -> std::io::Result<()> {
///     if let Some(wanted) = secured.contents() {
///         let count = read_at(wanted.offset, wanted.room)?;
///         secured.provide_contents(now, count);
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Secured<'c, 'b, S> {
    /// The session: often a `&mut` to it.
    pub session: S,
    /// What it speaks through, the same for all of its conversation.
    pub channel: &'c mut Channel<'b>,
}

/// Contents that are wanted.
#[derive(Debug)]
pub struct WantedContents<'r> {
    /// Where they begin, in bytes from the start of the contents.
    pub offset: u64,
    /// Where they are to be read to; never empty. It is no more than a record has room for.
    pub room: &'r mut [u8],
}

impl<S: Session> Secured<'_, '_, S> {
    /// Which contents the session wants to send next, and where they are to be read to. `None`: it wants
    /// none, or not yet.
    pub fn contents(&mut self) -> Option<WantedContents<'_>> {
        let (offset, room) = self.channel.contents(&self.session)?;
        Some(WantedContents { offset, room })
    }

    /// So many bytes have been read to where [`contents`](Self::contents) said last. (Contents that have
    /// ended too early are for the owner to give up.)
    pub fn provide_contents(&mut self, now: Instant, count: usize) {
        self.channel.provide(now, &mut self.session, count);
    }

    /// Whether the channel waits for something of its own, and the session's time stands still: the
    /// handshake, or the end of its direction.
    fn waits(&self) -> bool {
        !self.channel.is_open() || self.channel.deadline().instant().is_some()
    }
}

impl<'s, S: Session> Events<'s> for Secured<'_, '_, S> {
    type Event = Event<'s, S>;
}

impl<S: Session> Session for Secured<'_, '_, S> {
    type Error = SecuredError<S::Error>;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, Self::Error> {
        let Self { session, channel } = self;
        if input.is_empty() && channel.reader.is_lent() {
            // The record's last byte, which is taken with the rest of it, comes in another turn.
            return Err(nb::Error::WouldBlock);
        }
        channel.receive(input).map_err(|error| error.map(SecuredError::Channel))?;
        if channel.reader.has_ended() {
            return session.handle_end(now).map_err(|error| error.map(SecuredError::Session));
        }
        let (mut data, place) = channel.reader.lend();
        let result = session.handle_input(now, &mut data);
        place.left(data.len(), input);
        result.map_err(|error| error.map(SecuredError::Session))
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
        self.channel.end().map_err(|error| nb::Error::Other(SecuredError::Channel(error)))?;
        self.session.handle_end(now).map_err(|error| error.map(SecuredError::Session))
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
        if self.channel.deadline().is_reached(now) {
            return Err(nb::Error::Other(SecuredError::Channel(self.channel.expire())));
        }
        if self.waits() {
            return Err(nb::Error::WouldBlock);
        }
        self.session.handle_timeout(now).map_err(|error| error.map(SecuredError::Session))
    }

    fn prepare_transmit(&mut self, now: Instant) {
        self.channel.prepare(now, &mut self.session);
    }

    fn poll_transmit(&self) -> Output<'_> {
        match self.channel.pending() {
            [] if self.channel.is_open() && self.channel.has_ended() => {
                match self.session.poll_transmit() {
                    end @ (Output::Shutdown | Output::Close) => end,
                    _ => Output::Nothing,
                }
            }
            [] => Output::Nothing,
            head => Output::Bytes { head, tail: &[], more: false },
        }
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        if !self.channel.pending().is_empty() {
            self.channel.sent(count);
        } else if self.channel.has_ended() {
            self.session.transmitted(now, count);
        }
    }

    fn poll_deadline(&self) -> Option<Instant> {
        if self.waits() { self.channel.deadline().instant() } else { self.session.poll_deadline() }
    }
}
