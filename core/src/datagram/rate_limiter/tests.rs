extern crate std;
use super::*;
use crate::source::Source;
use std::vec::Vec;

const NOISY: Peer = (Source(7), 5000);

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// With one row.
struct Hand {
    limiter: SourceRateLimiter<8, 8>,
    config: ResponderConfig,
}

impl Hand {
    fn admits(&mut self, now: Instant, peer: Peer) -> Admission {
        self.limiter.admit(now, peer, &self.config)
    }

    /// How many of so many datagrams of a source are answered.
    fn answers(&mut self, now: Instant, source: u64, datagrams: usize) -> usize {
        let peer = (Source(source), 5000);
        (0..datagrams).filter(|_| self.admits(now, peer) == Admission::Admitted).count()
    }

    /// Ten datagrams a second until the limiter says something new.
    fn flood(&mut self, from: u64) -> (u64, Admission) {
        (from..from + 100_000)
            .step_by(100)
            .map(|time| (time, self.admits(at(time), NOISY)))
            .find(|(_, said)| !matches!(said, Admission::Admitted | Admission::OverRate))
            .unwrap()
    }
}

fn limiter(rate: Rate) -> Hand {
    let config = ResponderConfig::new().with_rate(rate);
    Hand { limiter: SourceRateLimiter::new(HashKey::new([0; 8])), config }
}

fn per_second(rate: u32) -> Hand {
    limiter(Rate::PerSecond(rate))
}

#[test]
fn a_source_gets_its_rate_in_each_second() {
    let mut limiter = per_second(3);
    for second in 0..5 {
        for n in 0..6 {
            let expected = if n < 3 { Admission::Admitted } else { Admission::OverRate };
            assert_eq!(limiter.admits(at(second * 1_000 + n), NOISY), expected);
        }
    }
}

#[test]
fn each_source_has_its_own_count_whatever_its_ports() {
    let mut limiter = per_second(1);
    assert_eq!(limiter.admits(at(0), NOISY), Admission::Admitted);
    assert_eq!(limiter.admits(at(0), (NOISY.0, 6000)), Admission::OverRate);
    assert_eq!(limiter.answers(at(0), 8, 2), 1);
}

#[test]
fn a_lasting_flood_is_muted_with_one_note_and_forgiven_later() {
    let mut limiter = per_second(1);
    // Over the rate from its second datagram on; it is muted as soon as two of a second are refused.
    assert_eq!(limiter.flood(0), (10_200, Admission::MutedNow));
    assert_eq!(limiter.admits(at(10_300), NOISY), Admission::Muted);
    assert_eq!(limiter.admits(at(70_199), NOISY), Admission::Muted);
    assert_eq!(limiter.admits(at(70_200), NOISY), Admission::Admitted);
    assert_eq!(limiter.admits(at(70_201), NOISY), Admission::OverRate);
}

#[test]
fn who_forges_an_address_mutes_no_port_of_its_owner() {
    let mut limiter = per_second(1);
    for time in (0..30_000).step_by(100) {
        limiter.admits(at(time), NOISY);
        if time % 1_000 == 500 {
            // As often as it may: refused until the other is muted, and never muted itself.
            let owner = limiter.admits(at(time), (NOISY.0, 6000));
            let is_alone = time > 11_000;
            let expected = if is_alone { Admission::Admitted } else { Admission::OverRate };
            assert_eq!(owner, expected, "at {time} ms");
        }
    }
    assert_eq!(limiter.admits(at(30_100), NOISY), Admission::Muted);
}

#[test]
fn a_second_within_the_limit_starts_the_patience_anew() {
    let mut limiter = per_second(1);
    for time in (0..9_000).step_by(100) {
        limiter.admits(at(time), NOISY);
    }
    assert_eq!(limiter.admits(at(9_000), NOISY), Admission::Admitted);
    // The tenth second saw one datagram only; the flood goes on with the eleventh.
    assert_eq!(limiter.flood(10_000), (20_200, Admission::MutedNow));
}

#[test]
fn so_does_a_pause() {
    for (again, muted) in [(1_999, 10_199), (2_000, 12_200), (3_500, 13_700)] {
        let mut limiter = per_second(1);
        for time in [0, 100, 200] {
            limiter.admits(at(time), NOISY);
        }
        assert_eq!(limiter.flood(again), (muted, Admission::MutedNow));
    }
}

#[test]
fn a_rate_of_none_answers_nobody_and_no_limit_answers_all() {
    assert_eq!(per_second(0).admits(at(0), NOISY), Admission::OverRate);
    let mut open = limiter(Rate::Unlimited);
    open.config.total_rate = Rate::Unlimited;
    assert_eq!(open.answers(at(0), 7, 100_000), 100_000);
}

#[test]
fn all_together_get_the_total() {
    let mut limiter = per_second(5);
    limiter.config.total_rate = Rate::PerSecond(12);
    let answers = |limiter: &mut Hand, now| -> Vec<usize> {
        (1..=4).map(|source| limiter.answers(now, source, 6)).collect()
    };
    assert_eq!(answers(&mut limiter, at(0)), [5, 5, 2, 0]);
    assert_eq!(limiter.admits(at(999), NOISY), Admission::OverTotalRate);
    assert_eq!(answers(&mut limiter, at(1_000)), [5, 5, 2, 0]);
}

#[test]
fn who_comes_to_a_full_row_has_its_rate_whatever_was_forged() {
    let mut limiter = per_second(10);
    // Far more than the row takes.
    for forged in 100..240 {
        assert_eq!(limiter.answers(at(0), forged, 1), 1);
    }
    for source in 0..3 {
        assert_eq!(limiter.answers(at(500), source, 10), 10);
    }
}

#[test]
fn more_sources_than_a_row_takes_lift_no_limit() {
    let mut limiter = per_second(10);
    let mut answers = [0; 40];
    for _ in 0..1_000 {
        for (source, answers) in (0..).zip(&mut answers) {
            *answers += limiter.answers(at(0), source, 1);
        }
    }
    assert!(answers.iter().all(|count| *count < 30), "{answers:?}");
    // Entries that come to three times the rate less one, and the rate of those without one.
    let total: usize = answers.iter().sum();
    assert!((170..=8 * 29 + 10).contains(&total), "{total}");
}

#[test]
fn who_has_no_place_shares_with_all_of_these() {
    let mut limiter = per_second(10);
    for source in 0..16 {
        assert_eq!(limiter.answers(at(0), source, 20), 10);
    }
    assert_eq!(limiter.answers(at(0), 100, 7), 7);
    assert_eq!(limiter.answers(at(0), 101, 7), 3);
    assert_eq!(limiter.answers(at(0), 15, 7), 0);
    // What counts in one second is free in the next.
    assert_eq!(limiter.answers(at(1_000), 101, 20), 10);
}

#[test]
fn mutes_are_not_pushed_out() {
    let mut limiter = per_second(1);
    assert_eq!(limiter.flood(0), (10_200, Admission::MutedNow));
    for port in 0..5_000 {
        for _ in 0..3 {
            limiter.admits(at(20_000), (Source(9), port));
        }
    }
    assert_eq!(limiter.admits(at(20_001), NOISY), Admission::Muted);
}
