//! What is told of clients that fail again and again: some of it, and how often it was more.

use std::collections::HashMap;
use std::fmt;

use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};
use barewire_linux::address;

/// So much is told of each source in a period.
const TOLD: u64 = 10;

/// And so much of all who have no key.
const KEYLESS_TOLD: u64 = 1;

const PERIOD: Duration = Duration::from_secs(1);

/// Of so many sources; what others do is told as if it were one's.
const SOURCES: usize = 64;

/// Of whom something is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Source(Source),
    /// Those beyond [`SOURCES`].
    Others,
    /// Whoever has no key, at a server that has one.
    Keyless,
}

impl Subject {
    const fn told(self) -> u64 {
        match self {
            Self::Keyless => KEYLESS_TOLD,
            _ => TOLD,
        }
    }
}

/// Counts what is told of each source in a period, so that a flood of failures makes no flood of words.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    counts: HashMap<Subject, u64>,
    /// The end of the period.
    until: Option<Instant>,
}

/// So much more was not told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct More {
    count: u64,
    subject: Subject,
}

impl Repeats {
    /// Whether something is to be told.
    pub(super) fn tells(&mut self, subject: Subject) -> bool {
        let has_place = self.counts.len() < SOURCES
            || self.counts.contains_key(&subject)
            || subject == Subject::Keyless;
        let subject = if has_place { subject } else { Subject::Others };
        let count = self.counts.entry(subject).or_default();
        *count += 1;
        *count <= subject.told()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// What was not told, if the period is over; it begins when this is asked first.
    pub(super) fn poll(&mut self, now: Instant) -> Vec<More> {
        if self.is_empty() || now < *self.until.get_or_insert(now + PERIOD) {
            return Vec::new();
        }
        self.finish()
    }

    /// When to poll again.
    pub(super) fn poll_deadline(&self) -> Option<Instant> {
        self.until
    }

    /// What was not told, before the end of the period.
    pub(super) fn finish(&mut self) -> Vec<More> {
        self.until = None;
        let untold = |(subject, count): (Subject, u64)| {
            let count = count.saturating_sub(subject.told());
            (count > 0).then_some(More { count, subject })
        };
        self.counts.drain().filter_map(untold).collect()
    }
}

impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, subject } = self;
        match subject {
            Subject::Source(source) => write!(f, "… {count} more from {}", address::Shown(*source)),
            Subject::Others => write!(f, "… {count} more from others"),
            Subject::Keyless => write!(f, "… {count} more without the key"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::ZERO;

    #[test]
    fn what_repeats_is_counted_by_its_source() {
        let mut repeats = Repeats::default();
        let [four, six, alike] = ["203.0.113.7", "2001:db8::1", "2001:db8::ffff:1"]
            .map(|text| Subject::Source(address::read_source(text).unwrap()));
        for number in 1..=TOLD + 812 {
            assert_eq!(repeats.tells(four), number <= TOLD, "{number}");
        }
        for number in 1..=TOLD + 1 {
            assert_eq!(repeats.tells(if number % 2 == 0 { six } else { alike }), number <= TOLD);
        }
        assert!(repeats.tells(Subject::Source(address::read_source("192.0.2.1").unwrap())));
        assert_eq!(repeats.poll(START), []);
        assert_eq!(repeats.poll_deadline(), Some(START + PERIOD));
        let mut more: Vec<_> =
            repeats.poll(START + PERIOD).iter().map(ToString::to_string).collect();
        more.sort();
        assert_eq!(more, ["… 1 more from 2001:db8::/64", "… 812 more from 203.0.113.7"]);
        assert!(repeats.tells(four) && repeats.poll_deadline().is_none());
        assert_eq!(repeats.finish(), []);
    }

    #[test]
    fn sources_without_end_are_told_as_if_they_were_one() {
        let mut repeats = Repeats::default();
        let told =
            (0..1000).filter(|number| repeats.tells(Subject::Source(Source(*number)))).count();
        assert_eq!(told, SOURCES + 10);
        let more: Vec<_> = repeats.finish().iter().map(ToString::to_string).collect();
        assert_eq!(more, [format!("… {} more from others", 1000 - told)]);
    }
    #[test]
    fn of_those_without_the_key_one_is_told_in_a_period_whoever_they_are() {
        let mut repeats = Repeats::default();
        for number in 0..2 * SOURCES as u64 {
            repeats.tells(Subject::Source(Source(number)));
        }
        for number in 0..500 {
            assert_eq!(repeats.tells(Subject::Keyless), number == 0);
        }
        let more: Vec<_> = repeats.finish().iter().map(ToString::to_string).collect();
        assert!(more.contains(&"… 499 more without the key".to_owned()), "{more:?}");
    }
}
