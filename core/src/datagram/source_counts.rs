//! The answers that each source has had in this second, in a table of fixed size.
//!
//! The table is one of rows, and the hash of a source tells its row. No count is forgotten before its second
//! is over: where all of a row count, who comes takes over the one with the lowest count, as it stands, and
//! may have its own rate on top of that (Metwally, Agrawal and El Abbadi, "Efficient computation of frequent
//! and top-k elements in data streams": `SpaceSaving`). So of each second this holds, whatever comes:
//!
//! - Nobody has three times the rate, and nobody more than the rate as long as no more sources share a row
//!   than it has entries.
//! - Nobody who asks no more often than the rate is refused, unless each entry of its row counts twice the
//!   rate, and those for whom there was none have had it together: 17 times the rate in answers.

use super::keyed_hash::{HashKey, halves};
use crate::source::Source;

/// How many entries a row has.
pub(super) const WAYS: usize = 8;

/// What a source has had of the answers of one second.
#[derive(Clone, Copy, Debug)]
pub(super) struct SourceCount {
    source: Source,
    /// The second that it counts; it is free in any other.
    second: u32,
    answers: u32,
    /// How many answers it may come to.
    limit: u32,
}

impl SourceCount {
    /// Of no second that will be counted for long.
    pub(super) const FREE: Self = Self { source: Source(0), second: 0, answers: 0, limit: 0 };
}

/// Counts one more answer to a source in this second, if it may have one more. `unplaced` is what those
/// have had for whom there was no entry.
pub(super) fn count(
    table: &mut [SourceCount],
    key: HashKey,
    (second, unplaced): (u32, &mut u32),
    source: Source,
    rate: u32,
) -> bool {
    // With the second in it, since what shares a row can be found out in time.
    let [low, high] = halves(source.0);
    // Its own, or one that is free, or the one with the lowest count.
    let rank = |entry: &SourceCount| match entry {
        SourceCount { second: counted, .. } if *counted != second => 1,
        entry if entry.source == source => 0,
        entry => entry.answers.saturating_add(2),
    };
    let row = row(table, key.hash([low, high, second]));
    let Some(entry) = row.and_then(|row| row.iter_mut().min_by_key(|entry| rank(entry))) else {
        return false;
    };
    if entry.second != second {
        *entry = SourceCount { source, second, answers: 0, limit: rate };
    } else if entry.source != source {
        if entry.answers >= rate.saturating_mul(2) {
            return take(unplaced, rate);
        }
        entry.source = source;
        entry.limit = entry.answers.saturating_add(rate);
    }
    take(&mut entry.answers, entry.limit)
}

/// Counts one more, below the limit.
pub(super) fn take(count: &mut u32, limit: u32) -> bool {
    let is_below = *count < limit;
    if is_below {
        *count = count.saturating_add(1);
    }
    is_below
}

/// The row of a table of so many rows as a power of two that something with this hash stands in.
pub(super) fn row<T>(table: &mut [T], hash: u32) -> Option<&mut [T; WAYS]> {
    let (rows, _) = table.as_chunks_mut::<WAYS>();
    let mask = rows.len().checked_sub(1)?;
    rows.get_mut(hash as usize & mask)
}
