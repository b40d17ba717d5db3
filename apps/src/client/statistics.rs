//! Counts exchanges, and how long they took.

use barewire_core::time::Duration;
use hdrhistogram::Histogram;

use crate::output::events::summary::Summary;

/// Counts exchanges and their round trips.
#[derive(Debug)]
pub(crate) struct Statistics {
    sent: u64,
    round_trips: Histogram<u64>,
}

impl Statistics {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(sent: u64, round_trips: &[u64]) -> Statistics {
        let mut statistics = Statistics::new();
        (0..sent).for_each(|_| statistics.sent());
        for &micros in round_trips {
            statistics.received(Duration::from_micros(micros));
        }
        statistics
    }

    #[test]
    fn a_summary_counts_and_ranks() {
        let round_trips: Vec<u64> = (1..=100).collect();
        let summary = statistics(125, &round_trips).summary();
        assert_eq!(
            summary.to_string(),
            "125 sent, 100 received, 25 lost (20.0%)\n\
             round trip: min 0.001 ms, mean 0.051 ms, p50 0.050 ms, p99 0.099 ms, max 0.100 ms"
        );
        assert_eq!(
            serde_json::to_string(&summary).unwrap(),
            r#"{"event":"summary","sent":125,"received":100,"lost":25,"min":1e-6,"mean":0.000051,"p50":0.00005,"p99":0.000099,"max":0.0001}"#
        );
    }

    #[test]
    fn a_summary_is_there_even_when_all_failed() {
        let summary = statistics(2, &[]).summary();
        assert_eq!(summary.to_string(), "2 sent, 0 received, 2 lost (100.0%)");
        assert!(serde_json::to_string(&summary).unwrap().contains(r#""p50":null"#));
    }

    #[test]
    fn the_longest_round_trips_are_counted() {
        assert!(statistics(1, &[u64::MAX]).summary().max.is_some());
    }
}
