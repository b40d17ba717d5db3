//! What keeps a responder from running away: a limit on the answers that one source gets.
//!
//! Sources are kept in a table of fixed size: [`WAYS`] entries for each hash of an address. A new
//! source takes the place of the one in its row that has been quiet longest, the muted last; so a
//! flood from forged addresses can make the table forget, but not grow.

use core::net::IpAddr;

use crate::time::{Duration, Instant};

/// Answers a second to one source, unless the owner chooses another limit.
pub const DEFAULT_REPLY_RATE: u32 = 10_000;

/// How long a source may stay over its rate before it is muted, unless the owner chooses another time.
pub const MUTE_THRESHOLD: Duration = Duration::from_secs(10);

/// How long a muted source gets no answer.
pub const MUTE_DURATION: Duration = Duration::from_secs(60);

/// How many sources that hash alike are kept apart.
const WAYS: usize = 4;

/// Over what time answers are counted.
const WINDOW: Duration = Duration::from_secs(1);

/// A limit on the answers that one source gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Rate {
    /// No limit.
    Unlimited,
    /// At most so many in each second, counted from the first datagram in it.
    PerSecond(u32),
}

impl Default for Rate {
    fn default() -> Self {
        Self::PerSecond(DEFAULT_REPLY_RATE)
    }
}

/// What the limiter says of one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Admitted,
    OverRate,
    /// Over the rate for so long that the source is now muted.
    MutedNow,
    Muted,
}

#[derive(Debug)]
pub(super) struct SourceRateLimiter<const SOURCES: usize> {
    rate: Rate,
    table: [Option<TrackedSource>; SOURCES],
}

#[derive(Clone, Copy, Debug)]
struct TrackedSource {
    address: IpAddr,
    /// When the current second began, and the datagrams that came in it.
    window: Instant,
    datagrams: u32,
    standing: Standing,
    /// When one that stays over the rate is muted, and when one that is muted is forgiven.
    until: Instant,
}

/// Its time stands beside it: together they would take eight bytes more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Good,
    /// Over the rate in every window since some time.
    Over,
    Muted,
}

impl TrackedSource {
    /// A second begins.
    const fn begin(&mut self, now: Instant, standing: Standing) {
        self.window = now;
        self.datagrams = 0;
        self.standing = standing;
    }
}

impl<const SOURCES: usize> SourceRateLimiter<SOURCES> {
    pub(super) const fn new(rate: Rate) -> Self {
        const {
            assert!(SOURCES >= WAYS && SOURCES.is_power_of_two(), "SOURCES is a power of two ≥ 4");
        }
        Self { rate, table: [None; SOURCES] }
    }

    /// Decides whether a datagram from `address` may be answered. A source that stays over its rate
    /// for so many milliseconds is muted.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        address: IpAddr,
        mute_threshold: u32,
    ) -> Admission {
        match self.rate {
            Rate::Unlimited => Admission::Admitted,
            Rate::PerSecond(rate) => admit(&mut self.table, rate, mute_threshold, now, address),
        }
    }
}

fn admit(
    table: &mut [Option<TrackedSource>],
    rate: u32,
    mute_threshold: u32,
    now: Instant,
    address: IpAddr,
) -> Admission {
    let Some(entry) = find(table, &address) else {
        return Admission::OverRate;
    };
    let source = match entry {
        Some(source) if source.address == address => source,
        other => other.insert(TrackedSource {
            address,
            window: now,
            datagrams: 0,
            standing: Standing::Good,
            until: now,
        }),
    };
    if source.standing == Standing::Muted {
        if now < source.until {
            return Admission::Muted;
        }
        source.begin(now, Standing::Good);
    }
    let age = now.duration_since(source.window);
    if age >= WINDOW {
        // A second in which the limit was kept, or no datagram came, ends a time over it.
        let goes_on = source.datagrams > rate && age < WINDOW + WINDOW;
        let standing = if goes_on { source.standing } else { Standing::Good };
        source.begin(now, standing);
    }
    source.datagrams = source.datagrams.saturating_add(1);
    if source.datagrams <= rate {
        return Admission::Admitted;
    }
    match source.standing {
        Standing::Over if source.until <= now => {
            source.standing = Standing::Muted;
            source.until = now + MUTE_DURATION;
            Admission::MutedNow
        }
        Standing::Good => {
            source.standing = Standing::Over;
            source.until = now + Duration::from_millis(mute_threshold.into());
            Admission::OverRate
        }
        Standing::Over | Standing::Muted => Admission::OverRate,
    }
}

/// The entry of `address`, or the one that it should take.
fn find<'t>(
    table: &'t mut [Option<TrackedSource>],
    address: &IpAddr,
) -> Option<&'t mut Option<TrackedSource>> {
    let (rows, _) = table.as_chunks_mut::<WAYS>();
    let mask = rows.len().checked_sub(1)?;
    let row = rows.get_mut(hash(address) & mask)?;
    let is_it =
        |entry: &Option<TrackedSource>| entry.is_some_and(|source| source.address == *address);
    // Ranked by worth: the source itself, then what is least missed.
    let rank = |entry: &Option<TrackedSource>| match entry {
        entry if is_it(entry) => (0, Instant::ZERO),
        None => (1, Instant::ZERO),
        Some(TrackedSource { standing: Standing::Muted, window, .. }) => (3, *window),
        Some(TrackedSource { window, .. }) => (2, *window),
    };
    row.iter_mut().min_by_key(|entry| rank(entry))
}

/// Mixes an address into a number whose low bits are good for an index (FNV-1a, folded).
fn hash(address: &IpAddr) -> usize {
    fn fnv(octets: &[u8]) -> u32 {
        octets
            .iter()
            .fold(0x811c_9dc5, |hash, &octet| (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193))
    }
    let hash = match address {
        IpAddr::V4(address) => fnv(&address.octets()),
        IpAddr::V6(address) => fnv(&address.octets()),
    };
    (hash ^ hash >> 16) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, Ipv6Addr};

    const NOISY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    impl SourceRateLimiter<16> {
        fn admits(&mut self, now: Instant, address: IpAddr) -> Admission {
            self.admit(now, address, 10_000)
        }
    }

    fn limiter(rate: u32) -> SourceRateLimiter<16> {
        SourceRateLimiter::new(Rate::PerSecond(rate))
    }

    #[test]
    fn a_source_gets_its_rate_in_each_second() {
        let mut limiter = limiter(3);
        for second in 0..5 {
            for n in 0..6 {
                let expected = if n < 3 { Admission::Admitted } else { Admission::OverRate };
                assert_eq!(limiter.admits(at(second * 1_000 + n), NOISY), expected);
            }
        }
    }

    #[test]
    fn each_address_has_its_own_count() {
        let mut limiter = limiter(1);
        let other = IpAddr::V6(Ipv6Addr::LOCALHOST);
        assert_eq!(limiter.admits(at(0), NOISY), Admission::Admitted);
        assert_eq!(limiter.admits(at(0), NOISY), Admission::OverRate);
        assert_eq!(limiter.admits(at(0), other), Admission::Admitted);
    }

    /// Ten datagrams a second against a rate of one, until the limiter says something new.
    fn flood(limiter: &mut SourceRateLimiter<16>, from: u64) -> (u64, Admission) {
        (from..from + 100_000)
            .step_by(100)
            .map(|time| (time, limiter.admits(at(time), NOISY)))
            .find(|(_, said)| !matches!(said, Admission::Admitted | Admission::OverRate))
            .unwrap()
    }

    #[test]
    fn a_lasting_flood_is_muted_with_one_note_and_forgiven_later() {
        let mut limiter = limiter(1);
        // Over the rate from its second datagram on.
        assert_eq!(flood(&mut limiter, 0), (10_100, Admission::MutedNow));
        assert_eq!(limiter.admits(at(10_200), NOISY), Admission::Muted);
        assert_eq!(limiter.admits(at(70_099), NOISY), Admission::Muted);
        assert_eq!(limiter.admits(at(70_100), NOISY), Admission::Admitted);
        assert_eq!(limiter.admits(at(70_101), NOISY), Admission::OverRate);
    }

    #[test]
    fn a_second_within_the_limit_starts_the_patience_anew() {
        let mut limiter = limiter(1);
        for time in (0..9_000).step_by(100) {
            limiter.admits(at(time), NOISY);
        }
        assert_eq!(limiter.admits(at(9_000), NOISY), Admission::Admitted);
        // The tenth second saw one datagram only; the flood goes on with the eleventh.
        assert_eq!(flood(&mut limiter, 10_000), (20_100, Admission::MutedNow));
    }

    #[test]
    fn so_does_a_pause() {
        let mut limiter = limiter(1);
        for time in (0..9_900).step_by(100) {
            limiter.admits(at(time), NOISY);
        }
        assert_eq!(flood(&mut limiter, 12_000), (22_100, Admission::MutedNow));
    }

    #[test]
    fn a_pause_lasts_one_whole_second_in_which_nothing_comes() {
        for (again, muted) in [(1_999, 10_199), (2_000, 12_100)] {
            let mut limiter = limiter(1);
            limiter.admits(at(0), NOISY);
            limiter.admits(at(100), NOISY);
            assert_eq!(flood(&mut limiter, again), (muted, Admission::MutedNow));
        }
    }

    #[test]
    fn a_rate_of_none_answers_nobody_and_no_limit_answers_all() {
        assert_eq!(limiter(0).admits(at(0), NOISY), Admission::OverRate);
        let mut open = SourceRateLimiter::<16>::new(Rate::Unlimited);
        for _ in 0..100_000 {
            assert_eq!(open.admits(at(0), NOISY), Admission::Admitted);
        }
    }

    #[test]
    fn forged_sources_push_out_the_quietest_and_the_muted_last() {
        let mut limiter = limiter(1);
        flood(&mut limiter, 0);
        for n in 0..10_000 {
            // Nobody is charged for what another has sent.
            let forged = IpAddr::V4(Ipv4Addr::from_bits(n));
            assert_eq!(limiter.admits(at(20_000), forged), Admission::Admitted);
        }
        assert_eq!(limiter.admits(at(20_001), NOISY), Admission::Muted);
    }

    #[test]
    fn addresses_spread_over_the_rows() {
        let mut rows = [0; 64];
        for host in 0..=255 {
            rows[hash(&IpAddr::V4(Ipv4Addr::new(10, 0, 0, host))) & 63] += 1;
        }
        assert!(rows.iter().all(|&count| count <= 16), "{rows:?}");

        // Octets whose low bits are all the same.
        let mut rows = [0; 64];
        for n in 0..=255_u8 {
            let octets = [n, n << 2, n << 4, n << 6].map(|bits| bits & 0xC0);
            rows[hash(&IpAddr::V4(octets.into())) & 63] += 1;
        }
        assert!(rows.iter().all(|&count| count <= 16), "{rows:?}");
    }
}
