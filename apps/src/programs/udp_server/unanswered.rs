//! What the limits left unanswered, counted by why, so that a flood makes no flood of words.

use barewire_core::datagram::DropReason;
use barewire_core::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_secs(1);

/// The operator is told no more often that the server is at its limit.
const WARNED_EVERY: Duration = Duration::from_secs(60);

/// Counts what got no reply in a period.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    counts: Vec<(DropReason, u64)>,
    /// The end of the period.
    until: Option<Instant>,
    warned_until: Instant,
}

/// So many datagrams got no reply in a period.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) reason: DropReason,
    pub(super) datagrams: u64,
    /// Whether the operator should know, who did not ask for more diagnostics.
    pub(super) is_warning: bool,
}

impl Unanswered {
    pub(super) fn note(&mut self, now: Instant, reason: DropReason) {
        self.until.get_or_insert(now + PERIOD);
        match self.counts.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((reason, 1)),
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
        let counts = self.counts.drain(..).map(|(reason, datagrams)| {
            let is_warning = reason == DropReason::OverTotalRate && now >= *warned_until;
            if is_warning {
                *warned_until = now + WARNED_EVERY;
            }
            Count { reason, datagrams, is_warning }
        });
        counts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_got_no_reply_is_counted_by_why() {
        let (mut unanswered, start) = (Unanswered::default(), Instant::from_secs(9));
        assert_eq!((unanswered.poll_deadline(), unanswered.poll(start)), (None, Vec::new()));
        for millis in 0..10 {
            let now = start + Duration::from_millis(millis);
            unanswered.note(now, DropReason::OverRate);
            unanswered.note(now, if millis < 3 { DropReason::Muted } else { DropReason::OverRate });
        }
        assert_eq!(unanswered.poll(start + Duration::from_millis(999)), []);
        let end = start + PERIOD;
        assert_eq!(unanswered.poll_deadline(), Some(end));
        let count = |reason, datagrams| Count { reason, datagrams, is_warning: false };
        let told = [count(DropReason::OverRate, 17), count(DropReason::Muted, 3)];
        assert_eq!(unanswered.poll(end), told);
        assert_eq!((unanswered.poll_deadline(), unanswered.poll(end)), (None, Vec::new()));
    }

    #[test]
    fn that_the_server_is_at_its_limit_is_warned_of_once_a_minute() {
        let mut unanswered = Unanswered::default();
        let warnings = (0..150).map(Instant::from_secs).map(|now| {
            unanswered.note(now, DropReason::OverTotalRate);
            unanswered.finish(now)[0].is_warning
        });
        assert_eq!(warnings.filter(|is_warning| *is_warning).count(), 3);
    }
}
