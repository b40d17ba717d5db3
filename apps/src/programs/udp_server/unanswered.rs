//! What got no reply, counted by why, so that a flood makes no flood of words.

use std::collections::HashMap;
use std::fmt;

use barewire_core::datagram::DropReason;
use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};
use barewire_linux::address;
use log::Level;

const PERIOD: Duration = Duration::from_secs(1);

/// The operator is told no more often that the server is at its limit.
const WARNED_EVERY: Duration = Duration::from_secs(60);

/// So many sources are counted in a period, and so many told, those with the most.
const COUNTED: usize = 64;
const TOLD: usize = 3;

/// Counts what got no reply in a period.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    counts: Vec<(Why, u64)>,
    unopened: u64,
    /// Whose that was, as far as it was counted.
    sources: HashMap<Source, u64>,
    /// The end of the period.
    until: Option<Instant>,
    warned_until: Instant,
}

/// So many datagrams got no reply in a period.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Count {
    why: Why,
    datagrams: u64,
    /// How much of a matter that is.
    pub(super) level: Level,
}

/// Why there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Dropped(DropReason),
    /// What was asked would be longer than a datagram when it is sealed as the reply.
    TooLong,
    /// They were not sealed with a key of the server's; most of them by these.
    Unopened(Vec<(Source, u64)>),
}

impl Unanswered {
    pub(super) fn note(&mut self, now: Instant, why: Why) {
        self.until.get_or_insert(now + PERIOD);
        match self.counts.iter_mut().find(|(known, _)| *known == why) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((why, 1)),
        }
    }

    /// What `source` has sent was sealed with no key of the server's.
    pub(super) fn note_unopened(&mut self, now: Instant, source: Source) {
        self.until.get_or_insert(now + PERIOD);
        self.unopened += 1;
        if self.sources.len() < COUNTED || self.sources.contains_key(&source) {
            *self.sources.entry(source).or_default() += 1;
        }
    }

    /// When to poll again.
    pub(super) fn poll_deadline(&self) -> Option<Instant> {
        self.until
    }

    /// What was counted, if the period is over.
    pub(super) fn poll(&mut self, now: Instant) -> Vec<Count> {
        if self.until.is_none_or(|until| now < until) {
            return Vec::new();
        }
        self.finish(now)
    }

    /// What was counted, before the end of the period.
    pub(super) fn finish(&mut self, now: Instant) -> Vec<Count> {
        self.until = None;
        let warned_until = &mut self.warned_until;
        let counts = self.counts.drain(..).map(|(why, datagrams)| {
            let is_over = why == Why::Dropped(DropReason::OverTotalRate);
            let is_warning = is_over && now >= *warned_until;
            if is_warning {
                *warned_until = now + WARNED_EVERY;
            }
            let level = match why {
                _ if is_warning => Level::Warn,
                Why::TooLong | Why::Dropped(DropReason::Truncated) => Level::Info,
                _ => Level::Debug,
            };
            Count { why, datagrams, level }
        });
        let mut counts: Vec<_> = counts.collect();
        let datagrams = std::mem::take(&mut self.unopened);
        if datagrams > 0 {
            let mut sources: Vec<_> = self.sources.drain().collect();
            sources.sort_by_key(|(source, count)| (u64::MAX - count, *source));
            sources.truncate(TOLD);
            counts.push(Count { why: Why::Unopened(sources), datagrams, level: Level::Info });
        }
        counts
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { why, datagrams, .. } = self;
        let s = if *datagrams == 1 { "" } else { "s" };
        write!(f, "no reply to {datagrams} datagram{s} in a second: ")?;
        match why {
            Why::Dropped(DropReason::Truncated) => {
                f.write_str("longer than --capacity, which cannot be opened")
            }
            Why::Dropped(reason) => reason.fmt(f),
            Why::TooLong => f.write_str("too long to be sent back under a key"),
            Why::Unopened(sources) => {
                f.write_str("not sealed with a key of this server (")?;
                let mut others = *datagrams;
                for (source, count) in sources {
                    others -= count;
                    let after = if others > 0 { ", " } else { "" };
                    write!(f, "{count} from {}{after}", address::Shown(*source))?;
                }
                if others > 0 {
                    write!(f, "{others} from others")?;
                }
                f.write_str(")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(reason: DropReason, datagrams: u64) -> Count {
        Count { why: Why::Dropped(reason), datagrams, level: Level::Debug }
    }

    #[test]
    fn what_got_no_reply_is_counted_by_why() {
        let (mut unanswered, start) = (Unanswered::default(), Instant::from_secs(9));
        assert_eq!((unanswered.poll_deadline(), unanswered.poll(start)), (None, Vec::new()));
        for millis in 0..10 {
            let now = start + Duration::from_millis(millis);
            unanswered.note(now, Why::Dropped(DropReason::OverRate));
            let reason = if millis < 3 { DropReason::Muted } else { DropReason::OverRate };
            unanswered.note(now, Why::Dropped(reason));
        }
        assert_eq!(unanswered.poll(start + Duration::from_millis(999)), []);
        let end = start + PERIOD;
        assert_eq!(unanswered.poll_deadline(), Some(end));
        let told = [dropped(DropReason::OverRate, 17), dropped(DropReason::Muted, 3)];
        assert_eq!(unanswered.poll(end), told);
        assert_eq!((unanswered.poll_deadline(), unanswered.poll(end)), (None, Vec::new()));
    }

    #[test]
    fn that_the_server_is_at_its_limit_is_warned_of_once_a_minute() {
        let mut unanswered = Unanswered::default();
        let warnings = (0..150).map(Instant::from_secs).map(|now| {
            unanswered.note(now, Why::Dropped(DropReason::OverTotalRate));
            unanswered.finish(now)[0].level == Level::Warn
        });
        assert_eq!(warnings.filter(|is_warning| *is_warning).count(), 3);
    }

    #[test]
    fn who_has_no_key_is_told_in_one_line_a_second_those_with_the_most_first() {
        let (mut unanswered, start) = (Unanswered::default(), Instant::from_secs(9));
        let mut told = |counts: &[(&str, u64)], others: u64| {
            for (source, count) in counts {
                let source = address::read_source(source).unwrap();
                (0..*count).for_each(|_| unanswered.note_unopened(start, source));
            }
            // More of them than are counted.
            (0..others).for_each(|number| unanswered.note_unopened(start, Source(number)));
            assert_eq!(unanswered.poll_deadline(), Some(start + PERIOD));
            let counts = unanswered.poll(start + PERIOD);
            let [count] = &counts[..] else { panic!("{counts:?}") };
            assert_eq!(count.level, Level::Info);
            count.to_string()
        };
        assert_eq!(
            told(&[("192.0.2.1", 1)], 0),
            "no reply to 1 datagram in a second: not sealed with a key of this server (1 from 192.0.2.1)"
        );
        let counts = [("192.0.2.1", 2), ("2001:db8::1", 90), ("192.0.2.3", 3), ("192.0.2.4", 4)];
        assert_eq!(
            told(&counts, 1000),
            "no reply to 1099 datagrams in a second: not sealed with a key of this server (90 from \
             2001:db8::/64, 4 from 192.0.2.4, 3 from 192.0.2.3, 1002 from others)"
        );
    }
}
