//! What keeps a responder from running away: limits on the answers that one source gets, and all together.

use super::config::{Rate, ResponderConfig};
use super::keyed_hash::HashKey;
use super::mutes::{self, Mute, Peer};
use super::source_counts::{self, SourceCount, WAYS, take};
use crate::time::{Duration, Instant};

/// Over what time answers are counted.
const WINDOW: Duration = Duration::from_secs(1);

/// What the limiter says of one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Admitted,
    /// All sources together have had their answers.
    OverTotalRate,
    OverRate,
    /// Over the rate for so long that the peer is now muted.
    MutedNow,
    Muted,
}

#[derive(Debug)]
pub(super) struct SourceRateLimiter<const SOURCES: usize, const MUTES: usize> {
    key: HashKey,
    window: Window,
    counts: [SourceCount; SOURCES],
    mutes: [Mute; MUTES],
}

/// The second in which answers are counted, from the first datagram in it.
#[derive(Debug)]
struct Window {
    start: Instant,
    /// Its number. Two that follow each other without a second between them in which nothing came have
    /// numbers that do.
    second: u32,
    /// The answers of all, and of those for whom there was no entry.
    answers: u32,
    unplaced: u32,
    /// When the last mute ends.
    muted_until: Instant,
}

impl<const SOURCES: usize, const MUTES: usize> SourceRateLimiter<SOURCES, MUTES> {
    pub(super) const fn new(key: HashKey) -> Self {
        const {
            assert!(SOURCES >= WAYS && SOURCES.is_power_of_two(), "SOURCES is a power of two ≥ 8");
            assert!(MUTES >= WAYS && MUTES.is_power_of_two(), "MUTES is a power of two ≥ 8");
        }
        let (start, muted_until) = (Instant::ZERO, Instant::ZERO);
        // As free entries are of the second 0, neither this one nor the next may be.
        let window = Window { start, second: 2, answers: 0, unplaced: 0, muted_until };
        Self { key, window, counts: [SourceCount::FREE; SOURCES], mutes: [Mute::FREE; MUTES] }
    }

    /// Decides whether a datagram of `peer` may be answered.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        peer: Peer,
        config: &ResponderConfig,
    ) -> Admission {
        let Self { key, window, counts, mutes } = self;
        window.admit(counts, mutes, *key, now, peer, config)
    }
}

impl Window {
    /// Apart from the sizes of the tables, so that it is compiled once for all of them.
    fn admit(
        &mut self,
        counts: &mut [SourceCount],
        mutes: &mut [Mute],
        key: HashKey,
        now: Instant,
        peer: Peer,
        config: &ResponderConfig,
    ) -> Admission {
        self.begin(now);
        if now < self.muted_until && mutes::is_muted(mutes, key, now, peer) {
            return Admission::Muted;
        }
        let total = config.total_rate.limit();
        if self.answers >= total {
            return Admission::OverTotalRate;
        }
        if let Rate::PerSecond(rate) = config.rate {
            let placed = (self.second, &mut self.unplaced);
            if !source_counts::count(counts, key, placed, peer.0, rate) {
                let limits = (rate, config.mute_threshold);
                if !mutes::refuse(mutes, key, (now, self.second), peer, limits) {
                    return Admission::OverRate;
                }
                self.muted_until = now + mutes::MUTE_DURATION;
                return Admission::MutedNow;
            }
        }
        take(&mut self.answers, total);
        Admission::Admitted
    }

    /// Begins another second if this one is over.
    fn begin(&mut self, now: Instant) {
        let age = now.duration_since(self.start);
        if age >= WINDOW {
            let passed = if age < WINDOW + WINDOW { 1 } else { 2 };
            self.second = self.second.wrapping_add(passed);
            (self.start, self.answers, self.unplaced) = (now, 0, 0);
        }
    }
}

#[cfg(test)]
mod tests;
