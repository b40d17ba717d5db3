//! What a summary event must hold.

use serde_json::Value;

/// The fields that hold latencies, in seconds.
const LATENCIES: [&str; 5] = ["min", "mean", "p50", "p99", "max"];

#[track_caller]
pub(crate) fn assert_counts(summary: &Value, sent: u64, received: u64) {
    assert_eq!(summary["sent"], sent, "{summary}");
    assert_eq!(summary["received"], received, "{summary}");
    assert_eq!(summary["lost"], sent - received, "{summary}");
}

#[track_caller]
pub(crate) fn assert_ordered_latencies(summary: &Value) {
    let [min, mean, p50, p99, max] = LATENCIES.map(|name| {
        summary[name].as_f64().unwrap_or_else(|| panic!("{name} is no number: {summary}"))
    });
    assert!(min > 0.0 && max < 20.0, "not in seconds: {summary}");
    assert!(min <= p50 && p50 <= p99 && p99 <= max, "out of order: {summary}");
    assert!(min <= mean && mean <= max, "out of order: {summary}");
}

/// Without a reply there is nothing that a latency could be; a zero would be a lie.
#[track_caller]
pub(crate) fn assert_no_latencies(summary: &Value) {
    for name in LATENCIES {
        assert!(summary[name].is_null(), "{name} of nothing: {summary}");
    }
}
