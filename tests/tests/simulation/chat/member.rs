//! A member as the simulation drives it: watched.

use barewire_core::session::{Event, Events, Output, Session};
use barewire_core::time::Instant;

/// What is known of how a member is served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    /// When nothing waited for it last.
    pub(super) drained_at: Instant,
    /// It was told of the end of its peer's stream.
    pub(super) end_told: bool,
}

/// A session, and a look at what passes through it.
pub(super) struct Watched<'s, S> {
    pub(super) session: S,
    pub(super) service: &'s mut Service,
}

impl<S: Session> Watched<'_, S> {
    fn look(&mut self, now: Instant) {
        // One that has been dropped, which is to be told at once, is sent nothing either.
        let is_dropped = self.session.poll_deadline() == Some(Instant::ZERO);
        if self.session.poll_transmit() == Output::Nothing && !is_dropped {
            self.service.drained_at = now;
        }
    }
}

impl<'e, S: Session> Events<'e> for Watched<'_, S> {
    type Event = Event<'e, S>;
}

impl<S: Session> Session for Watched<'_, S> {
    type Error = S::Error;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, Self::Error> {
        self.look(now);
        self.session.handle_input(now, input)
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
        self.service.end_told = true;
        self.session.handle_end(now)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
        self.session.handle_timeout(now)
    }

    fn prepare_transmit(&mut self, now: Instant) {
        self.session.prepare_transmit(now);
    }

    fn poll_transmit(&self) -> Output<'_> {
        self.session.poll_transmit()
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        self.session.transmitted(now, count);
        self.look(now);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.session.poll_deadline()
    }
}
