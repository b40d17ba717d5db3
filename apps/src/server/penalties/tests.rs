use barewire_linux::address::read_source;
use fastrand::Rng;

use super::Penalty::{Failed, NoData};
use super::*;

const START: Instant = Instant::ZERO;

fn at(millis: u64) -> Instant {
    START + Duration::from_millis(millis)
}

fn source(number: u32) -> Source {
    Source(number.into())
}

fn penalties() -> Penalties {
    Penalties::new(DEFAULT_MAX_PAUSE)
}

fn paused_for(penalties: &Penalties, host: Source, now: Instant) -> Option<Duration> {
    penalties.arrive(host, now).map(|pause| pause.left)
}

/// So many fail before the first pause, one after another at once.
const FREE: u64 = 12;

/// When the source of `host` has failed at once whenever it was not paused, until there were `pauses`.
fn hammer(penalties: &Penalties, host: Source, begin: Instant, pauses: usize) -> Vec<Duration> {
    let (mut now, mut told) = (begin, Vec::new());
    while told.len() < pauses {
        if let Some(left) = paused_for(penalties, host, now) {
            now += left;
        }
        told.extend(penalties.add(host, Failed, now));
    }
    told
}

#[test]
fn who_keeps_failing_is_paused_for_a_growing_time_with_an_end() {
    let penalties = penalties();
    for _ in 0..FREE {
        assert_eq!(penalties.add(source(1), Failed, START), None);
        assert_eq!(paused_for(&penalties, source(1), START), None);
    }
    let pauses = hammer(&penalties, source(1), START, 9);
    let seconds: Vec<_> = pauses.iter().map(|pause| pause.as_secs()).collect();
    assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
    assert_eq!(paused_for(&penalties, source(2), START), None, "others are not concerned");
}

#[test]
fn in_a_pause_one_a_second_is_let_in() {
    let penalties = penalties();
    hammer(&penalties, source(1), START, 2);
    // The second began with the end of the first, at five seconds, and lasts for ten.
    let is_trial = |millis| penalties.arrive(source(1), at(millis)).map(|pause| pause.is_trial);
    let asked = [5000, 5999, 6000, 6001, 6999, 7500, 8499, 8500, 14_999];
    let let_in = [false, false, true, false, false, true, false, true, true];
    assert_eq!(asked.map(is_trial), let_in.map(Some));
    // One that fails costs nothing; one that goes well ends the pause.
    assert_eq!(penalties.add(source(1), Failed, at(14_999)), None);
    penalties.clear(source(1));
    assert_eq!(is_trial(14_999), None);
}

#[test]
fn a_pause_ends_by_itself_and_is_forgotten_a_minute_later() {
    let penalties = penalties();
    hammer(&penalties, source(1), START, 3);
    // The third began with the end of the second.
    assert_eq!(paused_for(&penalties, source(1), at(15_000)), Some(Duration::from_secs(20)));
    assert_eq!(paused_for(&penalties, source(1), at(34_999)), Some(Duration::from_millis(1)));
    assert_eq!(paused_for(&penalties, source(1), at(35_000)), None);
    let mut later = vec![penalties.add(source(1), Failed, at(40_000))];
    later.push(penalties.add(source(1), Failed, at(40_001)));
    assert_eq!(later, [None, Some(Duration::from_secs(40))]);
    assert_eq!(hammer(&penalties, source(1), at(140_001), 1), [Duration::from_secs(5)]);
}

#[test]
fn what_was_under_way_when_the_pause_began_costs_nothing() {
    let penalties = penalties();
    hammer(&penalties, source(1), START, 1);
    for _ in 0..100 {
        assert_eq!(penalties.add(source(1), Failed, at(500)), None);
    }
    assert_eq!(paused_for(&penalties, source(1), at(5000)), None);
    assert_eq!(hammer(&penalties, source(1), at(5000), 1), [Duration::from_secs(10)]);
}

#[test]
fn one_that_goes_well_clears_the_account_and_ends_the_pause() {
    let penalties = penalties();
    hammer(&penalties, source(1), START, 5);
    penalties.clear(source(1));
    assert_eq!(paused_for(&penalties, source(1), START), None);
    for _ in 0..FREE {
        assert_eq!(penalties.add(source(1), Failed, START), None);
    }
    assert_eq!(penalties.add(source(1), Failed, START), Some(FIRST_PAUSE));
}

#[test]
fn looks_whether_the_port_is_open_are_never_too_many_ten_times_a_second() {
    let penalties = penalties();
    for number in 0..100_000 {
        assert_eq!(penalties.add(source(1), NoData, at(100 * number)), None);
    }
    // A flood of them is.
    let told = (0..1000).filter_map(|_| penalties.add(source(2), NoData, START)).count();
    assert_eq!(told, 1);
}

#[test]
fn a_network_of_64_bits_is_one_source() {
    let penalties = penalties();
    let [one, other, elsewhere] = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"]
        .map(|text| read_source(text).unwrap());
    hammer(&penalties, one, START, 1);
    assert!(paused_for(&penalties, other, START).is_some());
    assert!(paused_for(&penalties, elsewhere, START).is_none());
    let mapped = read_source("::ffff:192.0.2.1").unwrap();
    hammer(&penalties, mapped, START, 1);
    assert!(paused_for(&penalties, read_source("192.0.2.1").unwrap(), START).is_some());
}

#[test]
fn without_a_longest_pause_nobody_is_paused() {
    let penalties = Penalties::new(Duration::ZERO);
    for _ in 0..1000 {
        assert_eq!(penalties.add(source(1), Failed, START), None);
    }
    assert!(penalties.table().accounts.is_empty());
}

#[test]
fn a_longest_pause_that_is_chosen_holds() {
    let penalties = Penalties::new(Duration::from_millis(12_500));
    let pauses = hammer(&penalties, source(1), START, 4);
    assert_eq!(pauses, [5000, 10_000, 12_500, 12_500].map(Duration::from_millis));
}

/// Who floods with sources can push out those that have failed a little, and none that was paused.
#[test]
fn the_table_is_bounded_and_who_was_paused_is_not_pushed_out() {
    let penalties = penalties();
    hammer(&penalties, source(0), START, 1);
    let full = u32::try_from(SOURCES).unwrap();
    for number in 1..=3 * full {
        penalties.add(source(number), Failed, START);
    }
    assert_eq!(penalties.table().accounts.len(), SOURCES);
    assert!(paused_for(&penalties, source(0), START).is_some());
    // Full of those, it takes no others.
    let penalties = self::penalties();
    for number in 0..full + 10 {
        for _ in 0..=FREE {
            penalties.add(source(number), Failed, START);
        }
    }
    assert!(paused_for(&penalties, source(full - 1), START).is_some());
    assert!(paused_for(&penalties, source(full), START).is_none());
    assert_eq!(penalties.table().accounts.len(), SOURCES);
    // Until they are clear.
    penalties.add(source(full), Failed, at(65_000));
    assert_eq!(penalties.table().accounts.len(), 1);
}

/// What a source of the random test does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// All its conversations go well.
    Good,
    /// All fail.
    Bad,
    /// As many fail as may, between two that go well: a class behind one address.
    Class,
    /// Both, as it happens.
    Mixed,
    /// A health check, ten times a second at most.
    Check,
}

/// With any traffic of any number of sources: whose conversations go well, or who only looks whether the
/// port is open, is never paused; who only fails has at most so many attempts in any time, and one a second
/// while it is paused; the table and its order agree; and nobody is turned away for a second on end.
#[test]
fn with_any_traffic_only_who_keeps_failing_is_paused() {
    for seed in 0..60 {
        let mut rng = Rng::with_seed(seed);
        let max_pause = Duration::from_millis(rng.u64(5000..=600_000));
        let penalties = Penalties::new(max_pause);
        let kinds = [Kind::Good, Kind::Bad, Kind::Class, Kind::Mixed, Kind::Check];
        let sources: Vec<_> =
            (0..rng.u32(1..40)).map(|it| (source(it), rng.choice(kinds).unwrap())).collect();
        let mut attempts = vec![Vec::new(); sources.len()];
        let mut trials = attempts.clone();
        let mut refused_since: Vec<Option<Instant>> = vec![None; sources.len()];
        let mut checked: Vec<Option<Instant>> = vec![None; sources.len()];
        let mut now = START;
        let pace = rng.u64(1..2000);
        for _ in 0..3000 {
            now += Duration::from_millis(rng.u64(0..=pace));
            let index = rng.usize(0..sources.len());
            let (host, kind) = sources[index];
            let pause = penalties.arrive(host, now);
            if let Some(Pause { left, is_trial }) = pause {
                assert!(left <= max_pause, "seed {seed}");
                assert!(matches!(kind, Kind::Bad | Kind::Mixed), "seed {seed}: {kind:?}");
                if !is_trial {
                    let since = *refused_since[index].get_or_insert(now);
                    assert!(now.duration_since(since) < TRIAL_INTERVAL, "seed {seed}");
                    continue;
                }
                trials[index].push(now);
            }
            refused_since[index] = None;
            match kind {
                Kind::Good => penalties.clear(host),
                Kind::Class if attempts[index].len() as u64 % (FREE + 1) == FREE => {
                    penalties.clear(host);
                }
                Kind::Mixed if rng.bool() => penalties.clear(host),
                Kind::Bad | Kind::Class | Kind::Mixed => _ = penalties.add(host, Failed, now),
                Kind::Check => {
                    let last = &mut checked[index];
                    if last.is_none_or(|last| now.duration_since(last) >= NoData.cost()) {
                        *last = Some(now);
                        penalties.add(host, NoData, now);
                    }
                }
            }
            if pause.is_none() {
                attempts[index].push(now);
            }
            let table = penalties.table();
            let ordered = table.clear_at.each_ref().map(BTreeSet::len);
            assert_eq!(ordered[0] + ordered[1], table.accounts.len(), "seed {seed}");
            assert!(table.accounts.len() <= sources.len(), "seed {seed}");
        }
        for (times, (_, kind)) in attempts.iter().zip(&sources) {
            if *kind == Kind::Bad {
                assert_bounded(times, seed);
            }
        }
        for pair in trials.iter().flat_map(|times| times.windows(2)) {
            assert!(pair[1].duration_since(pair[0]) >= TRIAL_INTERVAL, "seed {seed}");
        }
    }
}

/// In any time outside pauses: as many as a threshold allows, and then one whenever the penalty of one has
/// run down.
#[track_caller]
fn assert_bounded(times: &[Instant], seed: u64) {
    for (first, begin) in times.iter().enumerate() {
        for (count, end) in (1..).zip(&times[first..]) {
            let span = end.duration_since(*begin).as_micros();
            let most = FREE + 1 + span / Failed.cost().as_micros();
            assert!(count <= most, "seed {seed}: {count} attempts in {span} µs");
        }
    }
}
