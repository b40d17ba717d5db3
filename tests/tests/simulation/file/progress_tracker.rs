//! A session of which is known when it last got on.

use barewire_core::session::{Event, Events, Output, Session};
use barewire_core::time::Instant;

/// A session, and the last time that it took a byte, said one or had an event.
#[derive(Debug)]
pub(super) struct ProgressTracker<'a, S> {
    pub(super) session: &'a mut S,
    pub(super) moved_at: &'a mut Instant,
}

impl<'s, S: Session> Events<'s> for ProgressTracker<'_, S> {
    type Event = Event<'s, S>;
}

impl<S: Session> Session for ProgressTracker<'_, S> {
    type Error = S::Error;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, S>, S::Error> {
        let before = input.len();
        let step = self.session.handle_input(now, input);
        if step.is_ok() || input.len() < before {
            *self.moved_at = now;
        }
        step
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<Event<'_, S>, S::Error> {
        let step = self.session.handle_end(now);
        if step.is_ok() {
            *self.moved_at = now;
        }
        step
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Event<'_, S>, S::Error> {
        let step = self.session.handle_timeout(now);
        if step.is_ok() {
            *self.moved_at = now;
        }
        step
    }

    fn prepare_transmit(&mut self, now: Instant) {
        self.session.prepare_transmit(now);
    }

    fn poll_transmit(&self) -> Output<'_> {
        self.session.poll_transmit()
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        *self.moved_at = now;
        self.session.transmitted(now, count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.session.poll_deadline()
    }
}
