//! What a session with a channel is to the driver.

use barewire_core::secure::{Secured, SecuredError};
use barewire_core::session::{Event, Events, Output, Session};
use barewire_core::time::Instant;

use super::contents::Contents;
use super::error::LinkError;

/// A session that speaks through a channel, and whose contents are read straight into the records.
pub(super) struct KeyedSession<'t, 'f, 'c, 'b, S: Session> {
    pub(super) secured: Secured<'c, 'b, S>,
    /// Where the contents are that the session may want to send.
    pub(super) contents: Option<&'t mut Contents<'f>>,
    /// Why they cannot be sent.
    pub(super) failure: Option<LinkError<S::Error>>,
}

impl<S: Session> KeyedSession<'_, '_, '_, '_, S> {
    /// Reads what the session wants to send of its contents, if the last record is out.
    fn read_contents(&mut self, now: Instant) {
        let Some(wanted) = self.secured.contents().filter(|_| self.failure.is_none()) else {
            return;
        };
        let contents = self.contents.as_deref_mut();
        let read = contents.map_or(Ok(Some(0)), |it| it.read_record(wanted.room, wanted.offset));
        match read {
            Ok(None) => {}
            Ok(Some(0)) => self.failure = Some(LinkError::Contents),
            Ok(Some(count)) => self.secured.provide_contents(now, count),
            Err(error) => self.failure = Some(LinkError::Connection(error)),
        }
    }
}

impl<'s, S: Session> Events<'s> for KeyedSession<'_, '_, '_, '_, S> {
    type Event = Event<'s, S>;
}

impl<S: Session> Session for KeyedSession<'_, '_, '_, '_, S> {
    type Error = SecuredError<S::Error>;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, Self::Error> {
        self.secured.handle_input(now, input)
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
        self.secured.handle_end(now)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
        self.secured.handle_timeout(now)
    }

    fn prepare_transmit(&mut self, now: Instant) {
        self.secured.prepare_transmit(now);
        self.read_contents(now);
    }

    fn poll_transmit(&self) -> Output<'_> {
        self.secured.poll_transmit()
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        self.secured.transmitted(now, count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.secured.poll_deadline()
    }
}
