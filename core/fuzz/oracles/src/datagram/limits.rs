//! What is promised of the limits of a responder, told by what it has answered so far.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use barewire_core::datagram::{DropReason, MUTE_DURATION};
use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};

/// How many sources a row of the table takes.
const WAYS: u32 = 8;

const SECOND: Duration = Duration::from_secs(1);

/// What one source asked in this counted second, and got.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    asked: u32,
    answers: u32,
}

/// What one port of a source was refused for its rate.
#[derive(Clone, Copy, Debug)]
struct Refused {
    /// Since when, in each second more often than the rate and without a pause.
    since: Instant,
    /// In the counted second of this number.
    second: u64,
    count: u32,
    muted_until: Option<Instant>,
}

/// Judges each decision of a responder that nothing but its limits could lead to.
#[derive(Debug)]
pub struct Limits {
    rate: Option<u32>,
    total: Option<u32>,
    mute_threshold: Duration,
    /// The second in which answers are counted, its number and the answers to all.
    start: Instant,
    second: u64,
    answers: u32,
    counted: BTreeMap<u64, Counted>,
    /// When each source was answered, within the last second.
    recent: BTreeMap<u64, VecDeque<Instant>>,
    refused: BTreeMap<(u64, u16), Refused>,
}

impl Limits {
    /// With these limits; none is no limit.
    pub fn new(rate: Option<u32>, total: Option<u32>, mute_threshold: Duration) -> Self {
        Self {
            rate,
            total,
            mute_threshold,
            start: Instant::ZERO,
            second: 0,
            answers: 0,
            counted: BTreeMap::new(),
            recent: BTreeMap::new(),
            refused: BTreeMap::new(),
        }
    }

    /// The answers to all sources in this counted second.
    pub fn answers(&self) -> u32 {
        self.answers
    }

    /// A datagram came at `now`, and was answered or not.
    pub fn judge(&mut self, now: Instant, from: SocketAddr, reason: Option<DropReason>) {
        self.begin(now);
        let Source(source) = Source::from(from.ip());
        // Of an IPv6 network of 64 bits the same port is the same, whichever address has it.
        let peer = (source, from.port());
        let muted_until = self.refused.get(&peer).and_then(|refused| refused.muted_until);
        let is_muted = muted_until.is_some_and(|until| now < until);
        assert_eq!(is_muted, reason == Some(DropReason::Muted), "{from} is muted, or is not");
        if is_muted {
            return;
        }
        let counted = self.counted.entry(source).or_default();
        counted.asked += 1;
        match reason {
            None => self.answered(now, source),
            Some(DropReason::OverTotalRate) => {
                assert_eq!(Some(self.answers), self.total, "the total was not reached");
            }
            Some(DropReason::OverRate) => self.refused(now, peer, false),
            Some(DropReason::MutedNow) => self.refused(now, peer, true),
            Some(other) => panic!("{other:?} for no reason"),
        }
    }

    fn begin(&mut self, now: Instant) {
        let age = now.duration_since(self.start);
        if age >= SECOND {
            self.second += if age < SECOND + SECOND { 1 } else { 2 };
            self.start = now;
            self.answers = 0;
            self.counted.clear();
        }
    }

    fn answered(&mut self, now: Instant, source: u64) {
        self.answers += 1;
        assert!(self.total.is_none_or(|total| self.answers <= total), "over the total");
        let Some(rate) = self.rate else { return };
        let sources = u32::try_from(self.counted.len()).unwrap_or(u32::MAX);
        let most = if sources <= WAYS { rate } else { (3 * rate).saturating_sub(1) };
        let counted = self.counted.entry(source).or_default();
        counted.answers += 1;
        assert!(counted.answers <= most, "{counted:?} in a counted second");
        let recent = self.recent.entry(source).or_default();
        recent.push_back(now);
        while recent.front().is_some_and(|at| now.duration_since(*at) >= SECOND) {
            recent.pop_front();
        }
        // Two counted seconds can lie in one.
        let (answers, most) = (recent.len(), 2 * (3 * rate as usize).saturating_sub(1));
        assert!(answers <= most.max(rate as usize), "{answers} answers in a second");
    }

    fn refused(&mut self, now: Instant, peer: (u64, u16), is_muted_now: bool) {
        let rate = self.rate.expect("there is a limit");
        let counted = self.counted[&peer.0];
        // Else it takes so many answers to others.
        let is_crowded = self.answers >= (2 * WAYS + 1) * rate;
        assert!(counted.asked > rate || is_crowded, "it has not had its rate: {counted:?}");
        assert!(counted.answers >= rate || is_crowded, "it has not had its rate: {counted:?}");

        let second = self.second;
        let begins = Refused { since: now, second, count: 0, muted_until: None };
        let refused = self.refused.entry(peer).or_insert(begins);
        let goes_on = refused.muted_until.is_none()
            && (refused.second == second || refused.second + 1 == second && refused.count > rate);
        if !goes_on {
            *refused = begins;
        }
        if refused.second != second {
            (refused.second, refused.count) = (second, 0);
        }
        refused.count += 1;
        if is_muted_now {
            assert!(refused.count > rate, "muted though it keeps the rate: {refused:?}");
            let over = now.duration_since(refused.since);
            assert!(over >= self.mute_threshold, "muted after {over}: {refused:?}");
            refused.muted_until = Some(now + MUTE_DURATION);
        }
    }
}
