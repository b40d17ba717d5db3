//! What somebody is told who is not let in.

use core::convert::Infallible;

use barewire_core::session::{Event, Events, Output, Session};
use barewire_core::time::Instant;

/// A conversation of one line, to which nothing is answered. So what the peer has sent meanwhile is read, and
/// its connection is not reset before it has read the line.
#[derive(Debug)]
pub(super) struct Refusal {
    line: String,
    sent: usize,
}

impl Refusal {
    pub(super) const fn new(line: String) -> Self {
        Self { line, sent: 0 }
    }
}

impl Events<'_> for Refusal {
    type Event = ();
}

impl Session for Refusal {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, Infallible> {
        *input = &[];
        Err(nb::Error::WouldBlock)
    }

    fn handle_end(&mut self, _: Instant) -> nb::Result<Event<'_, Self>, Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _: Instant) -> nb::Result<Event<'_, Self>, Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        match &self.line.as_bytes()[self.sent..] {
            [] => Output::Close,
            head => Output::Bytes { head, tail: &[], more: false },
        }
    }

    fn transmitted(&mut self, _: Instant, count: usize) {
        self.sent += count;
    }

    fn poll_deadline(&self) -> Option<Instant> {
        None
    }
}
