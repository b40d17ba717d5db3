//! What became of many exchanges: how many were answered, and how fast.

use std::fmt;

use serde::{Serialize, Serializer};

/// The times are in microseconds (in JSON in seconds), with three significant digits; there are
/// none where nothing was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename = "summary")]
pub(crate) struct Summary {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) lost: u64,
    #[serde(serialize_with = "serialize_micros")]
    pub(crate) min: Option<u64>,
    #[serde(serialize_with = "serialize_micros")]
    pub(crate) mean: Option<u64>,
    #[serde(serialize_with = "serialize_micros")]
    pub(crate) p50: Option<u64>,
    #[serde(serialize_with = "serialize_micros")]
    pub(crate) p99: Option<u64>,
    #[serde(serialize_with = "serialize_micros")]
    pub(crate) max: Option<u64>,
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
        for (index, (name, micros)) in known.enumerate() {
            let before = if index == 0 { "\nround trip: " } else { ", " };
            write!(f, "{before}{name} {}", Millis(micros))?;
        }
        Ok(())
    }
}

#[expect(clippy::ref_option, reason = "as serde passes it")]
fn serialize_micros<S: Serializer>(micros: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    micros
        .map(|micros| std::time::Duration::from_micros(micros).as_secs_f64())
        .serialize(serializer)
}

/// Microseconds, shown in milliseconds.
pub(crate) struct Millis(pub(crate) u64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} ms", self.0 / 1_000, self.0 % 1_000)
    }
}
