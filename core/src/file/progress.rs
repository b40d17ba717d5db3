//! Whether contents come or go fast enough.

use super::config::TransferConfig;
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

/// Until when something must happen. While contents flow, that is so many bytes within each stall.
#[derive(Debug)]
pub(super) struct Progress {
    stall: Duration,
    quota: u32,
    /// What the stall that has begun still lacks.
    missing: u32,
    pub(super) deadline: Deadline,
}

impl Progress {
    /// What comes first must come by `deadline`.
    pub(super) fn new(config: &TransferConfig, deadline: Deadline) -> Self {
        let bytes = u64::from(config.least_rate).saturating_mul(config.stall.as_micros());
        // Nearly as many microseconds as a second has, and no division.
        let quota = u32::try_from(bytes >> 20).unwrap_or(u32::MAX).max(1);
        Self { stall: config.stall, quota, missing: quota, deadline }
    }

    /// A stall begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.missing = self.quota;
        self.deadline = Deadline::after(now, self.stall);
    }

    /// So many bytes have gone through.
    pub(super) fn moved(&mut self, now: Instant, count: usize) {
        self.missing = self.missing.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        if self.missing == 0 {
            self.begin(now);
        }
    }
}
