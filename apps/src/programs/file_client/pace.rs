//! A rate that what is received is held to.

use barewire_core::session::{Event, Events, Output, Session};
use barewire_core::time::{Duration, Instant};

/// How long a full allowance lasts: what comes after a pause is not made up for beyond that.
const BURST: Duration = Duration::from_millis(100);

/// How many bytes may come, as time passes: a token bucket.
#[derive(Debug)]
pub(super) struct Pace {
    /// In bytes per second; not 0.
    rate: u64,
    /// How many bytes may come now.
    room: u64,
    /// Up to when that is reckoned.
    at: Instant,
}

impl Pace {
    /// A pace of so many bytes per second.
    pub(super) fn new(rate: u64) -> Self {
        Self { rate, room: 0, at: Instant::ZERO }
    }

    fn room(&mut self, now: Instant) -> usize {
        let most = self.after(BURST).max(1);
        let come = self.after(now.duration_since(self.at));
        if self.room + come >= most {
            (self.room, self.at) = (most, now);
        } else if come > 0 {
            self.room += come;
            // Up to the byte that has come last; the time since counts for the next.
            let micros = (u128::from(come) * 1_000_000).div_ceil(self.rate.into());
            self.at += Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        }
        usize::try_from(self.room).unwrap_or(usize::MAX)
    }

    /// How many bytes a span of time allows.
    fn after(&self, span: Duration) -> u64 {
        let bytes = u128::from(span.as_micros()) * u128::from(self.rate) / 1_000_000;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// When there is room again, if there is none.
    fn deadline(&self) -> Option<Instant> {
        let one = Duration::from_micros(1_000_000_u64.div_ceil(self.rate));
        (self.room == 0).then(|| self.at + one.max(BURST / 2))
    }
}

/// A session whose input is held to a pace, if there is one. What does not come in time fills the
/// buffers of the connection, and so slows the peer.
pub(super) struct Paced<'a, S> {
    pub(super) session: &'a mut S,
    pub(super) pace: Option<&'a mut Pace>,
}

impl<'s, S: Session> Events<'s> for Paced<'_, S> {
    type Event = Event<'s, S>;
}

impl<S: Session> Session for Paced<'_, S> {
    type Error = S::Error;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, Self::Error> {
        let Some(pace) = &mut self.pace else { return self.session.handle_input(now, input) };
        let allowed = &input[..pace.room(now).min(input.len())];
        let mut rest = allowed;
        let result = self.session.handle_input(now, &mut rest);
        let taken = allowed.len() - rest.len();
        pace.room -= taken as u64;
        *input = &input[taken..];
        result
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
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
    }

    fn poll_deadline(&self) -> Option<Instant> {
        let resumes = self.pace.as_ref().and_then(|pace| pace.deadline());
        [self.session.poll_deadline(), resumes].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes come in so many seconds if all that may come does.
    fn come(rate: u64, seconds: u64) -> u64 {
        let (mut pace, mut come) = (Pace::new(rate), 0);
        let mut now = Instant::ZERO;
        while now < Instant::ZERO + Duration::from_secs(seconds) {
            come += pace.room(now) as u64;
            pace.room = 0;
            now = pace.deadline().expect("there is no room");
        }
        come
    }

    #[test]
    fn as_much_comes_as_the_rate_allows() {
        for rate in [1, 7, 999, 1 << 20, 1 << 40, u64::MAX / 32] {
            let come = come(rate, 20);
            assert!(come <= 20 * rate && come >= 19 * rate, "{come} at {rate}");
        }
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let mut pace = Pace::new(1000);
        assert_eq!(pace.room(Instant::ZERO + Duration::from_secs(3600)), 100);
        assert_eq!(pace.deadline(), None);
    }
}
