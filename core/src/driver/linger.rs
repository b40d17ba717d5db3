//! The wait before a connection is closed.

use super::transport::Transport;
use crate::time::{Duration, Instant};

/// How long a connection that is to be closed waits for the end of the peer's stream, and how long a
/// stack may take to end this side's.
pub const LINGER: Duration = Duration::from_secs(2);

/// How many bytes such a connection throws away at most, give or take those that are received at once:
/// who sends more is no peer that has yet to see the end.
pub const LINGER_BYTES: u32 = 1 << 20;

/// Every connection has one, so its fields are no larger than they must be.
#[derive(Debug)]
pub(super) struct Linger {
    /// How many bytes were thrown away.
    discarded: u32,
    /// How long it waits.
    micros: u32,
    until: Instant,
}

impl Linger {
    #[expect(clippy::cast_possible_truncation, reason = "it was looked at")]
    pub(super) const fn new(span: Duration) -> Self {
        let micros = span.as_micros();
        let micros = if micros > u32::MAX as u64 { u32::MAX } else { micros as u32 };
        Self { discarded: 0, micros, until: Instant::ZERO }
    }

    /// The wait begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.until = now + Duration::from_micros(self.micros.into());
    }

    /// When it has taken too long.
    pub(super) const fn until(&self) -> Instant {
        self.until
    }

    /// Throws away what has come, up to the end of the peer's stream, which is noted in `ended`.
    pub(super) fn discard<T: Transport>(
        &mut self,
        ended: &mut bool,
        transport: &mut T,
    ) -> nb::Result<(), T::Error> {
        while !*ended && self.discarded <= LINGER_BYTES {
            let count = transport.receive()?.len();
            transport.consume(count);
            *ended = count == 0;
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            self.discarded = self.discarded.saturating_add(count);
        }
        Ok(())
    }
}
