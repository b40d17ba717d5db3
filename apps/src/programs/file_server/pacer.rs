//! How fast contents go out where a rate is set.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};

use barewire_core::time::{Duration, Instant};

/// How much of a second one piece takes.
const PIECES: u64 = 20;

/// The bounds of a piece in bytes: what is worth a system call, and what others may have to wait for.
const LEAST: u64 = 1 << 10;
const MOST: u64 = 1 << 20;

/// How late somebody may come and still have the time that was meant for him.
const CREDIT: Duration = Duration::from_millis(100);

/// Has all that pass through it send no more than so many bytes a second. Each is told when its piece's
/// turn is, in the order in which they ask; nobody waits for a piece of another's that was not sent.
#[derive(Debug)]
pub(super) struct Pacer {
    rate: u64,
    /// When all that was promised will have gone out.
    free: Mutex<Instant>,
}

impl Pacer {
    pub(super) fn new(rate: NonZero<u64>) -> Self {
        Self { rate: rate.get(), free: Mutex::new(Instant::ZERO) }
    }

    /// How many bytes are asked for at once.
    pub(super) fn piece(&self) -> u64 {
        (self.rate / PIECES).clamp(LEAST, MOST)
    }

    /// When `bytes` may go out.
    pub(super) fn reserve(&self, now: Instant, bytes: u64) -> Instant {
        let micros = (u128::from(bytes) * 1_000_000).div_ceil(self.rate.into());
        let takes = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        let earliest = now.checked_sub(CREDIT).unwrap_or(Instant::ZERO);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*free).max(earliest);
        *free = turn + takes;
        turn
    }
}

/// What one response may send, by all the limits that hold for it.
#[derive(Debug, Default)]
pub(super) struct Pace {
    pacers: Vec<Arc<Pacer>>,
    /// Up to where it may.
    allowed: u64,
    /// When it may go how much further.
    next: Option<(Instant, u64)>,
}

impl Pace {
    pub(super) fn new(pacers: impl IntoIterator<Item = Arc<Pacer>>) -> Self {
        Self { pacers: pacers.into_iter().collect(), allowed: 0, next: None }
    }

    pub(super) fn is_free(&self) -> bool {
        self.pacers.is_empty()
    }

    /// Up to where the contents may go out, of which `position` is next, and which end at `end`.
    pub(super) fn allows(&mut self, now: Instant, position: u64, end: u64) -> u64 {
        let Some(piece) = self.pacers.iter().map(|pacer| pacer.piece()).min() else { return end };
        if self.allowed <= position && position < end {
            let (at, to) = *self.next.get_or_insert_with(|| {
                let bytes = piece.min(end - position);
                let turns = self.pacers.iter().map(|pacer| pacer.reserve(now, bytes));
                (turns.max().unwrap_or(now), position + bytes)
            });
            if at <= now {
                (self.allowed, self.next) = (to, None);
            }
        }
        self.allowed.max(position)
    }

    /// When it may go further, if it has to wait for that.
    pub(super) fn resumes_at(&self) -> Option<Instant> {
        self.next.map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pacer(rate: u64) -> Pacer {
        Pacer::new(NonZero::new(rate).unwrap())
    }

    /// Goes from turn to turn, as late as `lateness`, for ten seconds: the bytes that went out.
    fn sent(pacer: &Pacer, clients: u64, lateness: Duration) -> Vec<u64> {
        let start = Instant::from_secs(100);
        let mut due: Vec<_> = (0..clients).map(|_| pacer.reserve(start, pacer.piece())).collect();
        let mut sent = vec![0; due.len()];
        loop {
            let next = (0..due.len()).min_by_key(|client| due[*client]).unwrap();
            let now = due[next].max(start) + lateness;
            if now > start + Duration::from_secs(10) {
                return sent;
            }
            sent[next] += pacer.piece();
            due[next] = pacer.reserve(now, pacer.piece());
        }
    }

    #[test]
    fn the_rate_is_kept_and_reached() {
        for rate in [1000, 100_000, 10 << 20, 10 << 30] {
            for lateness in [0, 1, 20] {
                let sent = sent(&pacer(rate), 1, Duration::from_millis(lateness))[0];
                let most = 10 * rate + 2 * pacer(rate).piece() + rate / 10;
                let is_late = rate > MOST * 1000 / lateness.max(1);
                let least = if is_late { 0 } else { 10 * rate - rate / 4 };
                assert!((least..=most).contains(&sent), "{rate}, {lateness} ms late: {sent}");
            }
        }
    }

    #[test]
    fn those_who_share_it_get_the_same() {
        let pacer = pacer(1 << 20);
        let sent = sent(&pacer, 8, Duration::from_millis(1));
        let (least, most) = (sent.iter().min().unwrap(), sent.iter().max().unwrap());
        assert!(most - least <= pacer.piece(), "{sent:?}");
        let all: u64 = sent.iter().sum();
        assert!((9 << 20..=11 << 20).contains(&all), "{all}");
    }

    #[test]
    fn a_response_goes_on_piece_by_piece_at_the_slower_of_its_rates() {
        let start = Instant::from_secs(100);
        let mut pace = Pace::new([Arc::new(pacer(1 << 20)), Arc::new(pacer(20 << 10))]);
        assert_eq!(pace.allows(start, 0, 3000), 1024);
        assert_eq!((pace.allows(start, 500, 3000), pace.resumes_at()), (1024, None));
        // The credit of who comes for the first time.
        assert_eq!(pace.allows(start, 1024, 3000), 2048);
        let mut now = start;
        while pace.allows(now, 2048, 3000) == 2048 {
            now = pace.resumes_at().unwrap().max(now);
        }
        assert_eq!((pace.allows(now, 2048, 3000), pace.resumes_at()), (3000, None));
        assert!(Pace::default().is_free());
        assert_eq!(Pace::default().allows(start, 7, 3000), 3000);
    }
}
