//! What stands for a member until its channel is open: only then is it known who it is, and joins.

use core::convert::Infallible;

use barewire_core::session::{Event, Events, Output, Session};
use barewire_core::time::Instant;

/// A session that says nothing, and leaves all that comes, the end too, to who follows.
#[derive(Debug)]
pub(super) struct Unopened;

impl Events<'_> for Unopened {
    type Event = Infallible;
}

impl Session for Unopened {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _: Instant,
        _: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_end(&mut self, _: Instant) -> nb::Result<Event<'_, Self>, Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _: Instant) -> nb::Result<Event<'_, Self>, Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        Output::Nothing
    }

    fn transmitted(&mut self, _: Instant, _: usize) {}

    fn poll_deadline(&self) -> Option<Instant> {
        None
    }
}
