//! What became of many exchanges: how many were answered, and how fast.

use std::fmt;

use barewire_core::time::Duration;
use hdrhistogram::Histogram;
use serde::Serialize;

/// Counts exchanges and their round trips.
#[derive(Debug)]
pub(crate) struct Tally {
    sent: u64,
    round_trips: Histogram<u64>,
}

/// A [`Tally`] at its end. The times are in microseconds, with three significant digits; there are
/// none where nothing was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename = "summary")]
pub(crate) struct Summary {
    sent: u64,
    received: u64,
    lost: u64,
    min: Option<u64>,
    mean: Option<u64>,
    p50: Option<u64>,
    p99: Option<u64>,
    max: Option<u64>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        // The range grows by itself: a few KiB in all.
        let round_trips = Histogram::new(3).expect("three digits are within the library's limits");
        Self { sent: 0, round_trips }
    }

    /// An exchange begins.
    pub(crate) fn sent(&mut self) {
        self.sent += 1;
    }

    /// An exchange was answered.
    pub(crate) fn received(&mut self, round_trip: Duration) {
        // Fails only where the range is fixed, and this one grows.
        let _ = self.round_trips.record(round_trip.as_micros());
    }

    /// How many exchanges began.
    pub(crate) fn count(&self) -> u64 {
        self.sent
    }

    /// Whether any exchange was answered.
    pub(crate) fn has_received(&self) -> bool {
        !self.round_trips.is_empty()
    }

    pub(crate) fn summary(&self) -> Summary {
        let times = &self.round_trips;
        let (sent, received) = (self.sent, times.len());
        let counts = Summary { sent, received, lost: sent - received, ..Summary::default() };
        if received == 0 {
            return counts;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a mean of u64s"
        )]
        let mean = times.mean().round() as u64;
        Summary {
            min: Some(times.min()),
            mean: Some(mean),
            p50: Some(times.value_at_quantile(0.5)),
            p99: Some(times.value_at_quantile(0.99)),
            max: Some(times.max()),
            ..counts
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, received, lost, min, mean, p50, p99, max } = *self;
        write!(f, "{sent} sent, {received} received, {lost} lost")?;
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        if lost > 0 {
            write!(f, " ({:.1}%)", 100.0 * lost as f64 / sent as f64)?;
        }
        let times = [("min", min), ("mean", mean), ("p50", p50), ("p99", p99), ("max", max)];
        let known = times.into_iter().filter_map(|(name, micros)| Some((name, micros?)));
        for (place, (name, micros)) in known.enumerate() {
            let before = if place == 0 { "\nround trip: " } else { ", " };
            write!(f, "{before}{name} {}", Millis(micros))?;
        }
        Ok(())
    }
}

/// Microseconds, shown in milliseconds.
pub(crate) struct Millis(pub(crate) u64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} ms", self.0 / 1_000, self.0 % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(sent: u64, round_trips: &[u64]) -> Tally {
        let mut tally = Tally::new();
        (0..sent).for_each(|_| tally.sent());
        for &micros in round_trips {
            tally.received(Duration::from_micros(micros));
        }
        tally
    }

    #[test]
    fn a_summary_counts_and_ranks() {
        let round_trips: Vec<u64> = (1..=100).collect();
        let summary = tally(125, &round_trips).summary();
        assert_eq!(
            summary.to_string(),
            "125 sent, 100 received, 25 lost (20.0%)\n\
             round trip: min 0.001 ms, mean 0.051 ms, p50 0.050 ms, p99 0.099 ms, max 0.100 ms"
        );
        assert_eq!(
            serde_json::to_string(&summary).unwrap(),
            r#"{"event":"summary","sent":125,"received":100,"lost":25,"min":1,"mean":51,"p50":50,"p99":99,"max":100}"#
        );
    }

    #[test]
    fn a_summary_is_there_even_when_all_failed() {
        let summary = tally(2, &[]).summary();
        assert_eq!(summary.to_string(), "2 sent, 0 received, 2 lost (100.0%)");
        assert!(serde_json::to_string(&summary).unwrap().contains(r#""p50":null"#));
    }

    #[test]
    fn the_longest_round_trips_are_counted() {
        assert!(tally(1, &[u64::MAX]).summary().max.is_some());
    }
}
