//! Which address is tried when (RFC 8305, "Happy Eyeballs Version 2"): rules without input or output.

use std::collections::VecDeque;
use std::net::SocketAddr;

use barewire_core::time::{Duration, Instant};

/// How long an attempt is alone before the next begins beside it (RFC 8305 §8, "Connection Attempt
/// Delay").
pub const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// How many attempts are under way at a time at most. When one more is due, the oldest makes room once it
/// has had four [delays](ATTEMPT_DELAY); those that come last have all the time that is left.
pub const MAX_ATTEMPTS: usize = 6;

/// For so many delays an attempt is not given up for another.
const PATIENCE: u32 = 4;

/// Decides when each of several addresses is tried: one after another, each a delay after the one before,
/// or at once when an attempt has failed. Whoever makes the attempts tells of the failures, and ends the
/// race with the first success or when it has no more time.
#[derive(Debug)]
pub struct Race {
    waiting: VecDeque<SocketAddr>,
    /// When each began, the oldest first.
    under_way: VecDeque<Instant>,
    delay: Duration,
    next: Instant,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Begin an attempt with this address.
    Begin(SocketAddr),
    /// Give up the attempt that began first: too many are under way.
    DropOldest,
    /// Wait for those that are under way, until then at most if another address waits for its turn.
    Wait(Option<Instant>),
    /// Every attempt has failed.
    Lost,
}

impl Race {
    /// A race of `addresses`, each once, in the order of RFC 8305 §4: the best first, then one of the other
    /// family, and so in turn. The best is `preferred` if that is among them (it has answered before), else
    /// the first.
    ///
    /// The delay is [`ATTEMPT_DELAY`], or less, so that each has its turn within `limit`.
    pub fn new(addresses: &[SocketAddr], preferred: Option<SocketAddr>, limit: Duration) -> Self {
        let waiting = interleaved(addresses, preferred);
        let waits = if waiting.len() > MAX_ATTEMPTS { u64::from(PATIENCE) } else { 0 };
        let turns = waiting.len().max(1) as u64 + waits;
        let delay = ATTEMPT_DELAY.min(Duration::from_micros(limit.as_micros() / turns));
        Self { waiting, under_way: VecDeque::new(), delay, next: Instant::ZERO }
    }

    /// The same, but an attempt begins only when the one before has failed: where two cannot be under way.
    #[must_use]
    pub fn one_at_a_time(self) -> Self {
        Self { delay: Duration::MAX, ..self }
    }

    /// What to do at `now`. To be asked again after everything that was to be done at once.
    pub fn poll(&mut self, now: Instant) -> Step {
        let Some(address) = self.waiting.front().copied() else {
            return if self.under_way.is_empty() { Step::Lost } else { Step::Wait(None) };
        };
        let oldest = self.under_way.front().filter(|_| self.under_way.len() == MAX_ATTEMPTS);
        let room = oldest.map_or(Instant::ZERO, |oldest| *oldest + self.delay * PATIENCE);
        let next = self.next.max(room);
        if now < next {
            return Step::Wait(Some(next));
        }
        if oldest.is_some() {
            self.under_way.pop_front();
            return Step::DropOldest;
        }
        self.waiting.pop_front();
        self.under_way.push_back(now);
        self.next = now + self.delay;
        Step::Begin(address)
    }

    /// An attempt has failed, the one before which `older` others that are under way began: the next begins
    /// at once.
    pub fn failed(&mut self, older: usize) {
        self.under_way.remove(older);
        self.next = Instant::ZERO;
    }
}

fn interleaved(addresses: &[SocketAddr], preferred: Option<SocketAddr>) -> VecDeque<SocketAddr> {
    let preferred = preferred.filter(|address| addresses.contains(address));
    let mut families = [VecDeque::new(), VecDeque::new()];
    let mut first = None;
    for address in preferred.iter().chain(addresses) {
        let first = *first.get_or_insert(address.is_ipv4());
        let family = &mut families[usize::from(address.is_ipv4() != first)];
        if !family.contains(address) {
            family.push_back(*address);
        }
    }
    let [mut same, mut other] = families;
    let mut order = VecDeque::new();
    while !(same.is_empty() && other.is_empty()) {
        order.extend(same.pop_front());
        order.extend(other.pop_front());
    }
    order
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::testing::Random;

    const LIMIT: Duration = Duration::from_secs(10);

    /// Addresses from digits (IPv4) and letters (IPv6), one each.
    fn addresses(names: &str) -> Vec<SocketAddr> {
        let address = |name: char| match name.to_digit(10) {
            Some(digit) => SocketAddr::from((Ipv4Addr::from_bits(digit), 1)),
            None => SocketAddr::from((Ipv6Addr::from_bits(u32::from(name).into()), 1)),
        };
        names.chars().map(address).collect()
    }

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[track_caller]
    fn tried_in_order(names: &str, preferred: &str, order: &str) {
        let preferred = addresses(preferred).first().copied();
        let mut race = Race::new(&addresses(names), preferred, LIMIT);
        for address in addresses(order) {
            assert_eq!(race.poll(Instant::ZERO), Step::Begin(address));
            race.failed(0);
        }
        assert_eq!(race.poll(Instant::ZERO), Step::Lost);
    }

    #[test]
    fn families_take_turns_and_the_first_of_all_begins() {
        tried_in_order("123", "", "123");
        tried_in_order("abc12", "", "a1b2c");
        tried_in_order("123a", "", "1a23");
        tried_in_order("aab1a1", "", "a1b");
        tried_in_order("", "", "");
    }

    #[test]
    fn what_has_answered_before_is_tried_first_if_it_still_has_the_name() {
        tried_in_order("ab12", "2", "2a1b");
        tried_in_order("ab12", "b", "b1a2");
        tried_in_order("ab12", "9", "a1b2");
    }

    #[test]
    fn an_attempt_begins_after_the_delay_or_at_a_failure() {
        let all = addresses("123");
        let mut race = Race::new(&all, None, LIMIT);
        assert_eq!(race.poll(at(0)), Step::Begin(all[0]));
        assert_eq!(race.poll(at(0)), Step::Wait(Some(at(250))));
        assert_eq!(race.poll(at(249)), Step::Wait(Some(at(250))));
        assert_eq!(race.poll(at(250)), Step::Begin(all[1]));
        race.failed(1);
        assert_eq!(race.poll(at(260)), Step::Begin(all[2]));
        assert_eq!(race.poll(at(9_000)), Step::Wait(None));
        race.failed(1);
        race.failed(0);
        assert_eq!(race.poll(at(9_000)), Step::Lost);
    }

    #[test]
    fn with_little_time_each_has_its_turn_all_the_same() {
        let all = addresses("1a");
        let mut race = Race::new(&all, None, Duration::from_millis(100));
        assert_eq!(race.poll(at(0)), Step::Begin(all[0]));
        assert_eq!(race.poll(at(0)), Step::Wait(Some(at(50))));
    }

    /// What becomes of an attempt, and after how many milliseconds.
    #[derive(Clone, Copy, Debug)]
    enum Fate {
        Answers(u64),
        Fails(u64),
        Silent,
    }

    /// Networks by chance, against what must hold of every race.
    #[test]
    fn every_address_has_its_turn_in_time_and_the_first_answer_wins() {
        let mut random = Random::seeded();
        for _ in 0..2_000 {
            let count = random.below(13);
            let names = &"1a2b3c4d5e6fg"[..count as usize];
            let mut fate = || match random.below(4) {
                0 => Fate::Answers(random.below(3_000).into()),
                1 | 2 => Fate::Fails(random.below(3_000).into()),
                _ => Fate::Silent,
            };
            let fates: Vec<_> = addresses(names).into_iter().map(|it| (it, fate())).collect();
            hold(&fates);
        }
    }

    fn hold(fates: &[(SocketAddr, Fate)]) {
        let all: Vec<_> = fates.iter().map(|(address, _)| *address).collect();
        let mut race = Race::new(&all, None, LIMIT);
        let mut under_way: Vec<(Instant, Fate)> = Vec::new();
        let (mut now, mut begun, mut last, mut failed) = (at(0), Vec::new(), None, true);
        let winner = loop {
            match race.poll(now) {
                Step::Begin(address) => {
                    let waited = last.is_none_or(|last| now >= last + ATTEMPT_DELAY);
                    assert!(waited || failed, "{address} too soon, at {now:?} of {fates:?}");
                    (last, failed) = (Some(now), false);
                    begun.push(address);
                    let fate = fates.iter().find(|(it, _)| *it == address).unwrap().1;
                    under_way.push((now, fate));
                    assert!(under_way.len() <= MAX_ATTEMPTS);
                }
                Step::DropOldest => {
                    assert_eq!(under_way.len(), MAX_ATTEMPTS);
                    let (since, _) = under_way.remove(0);
                    assert!(now >= since + Duration::from_secs(1), "{fates:?}");
                }
                Step::Lost => {
                    assert!(under_way.is_empty());
                    break false;
                }
                Step::Wait(next) => {
                    // What happens first of all that may.
                    let events = under_way.iter().enumerate().filter_map(|(index, (at, fate))| {
                        let (Fate::Answers(millis) | Fate::Fails(millis)) = *fate else {
                            return None;
                        };
                        Some((*at + Duration::from_millis(millis), Some(index)))
                    });
                    let events = events.chain(next.map(|next| (next, None)));
                    let Some((at, index)) = events.min() else { break false };
                    now = at.max(now);
                    if let Some(index) = index {
                        if let (_, Fate::Answers(_)) = under_way.remove(index) {
                            break true;
                        }
                        race.failed(index);
                        failed = true;
                    }
                }
            }
            assert!(now < Instant::ZERO + LIMIT, "{fates:?}");
        };
        let mut once = begun.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), begun.len(), "an address was tried twice: {fates:?}");
        assert!(winner || begun.len() == all.len(), "one had no turn: {fates:?}");
        let soon = fates.iter().any(|(_, fate)| matches!(fate, Fate::Answers(0..1_000)));
        assert!(winner || !soon, "who would have answered was given up: {fates:?}");
    }
}
