//! What the measurements of files have in common: how much of it all and how titles say so.

use std::time::Duration;

use crate::options::Options;

/// Bytes in a mebibyte.
pub(super) const MIB: f64 = (1 << 20) as f64;

/// The large file's size in bytes.
pub(super) fn large_size(options: &Options) -> u64 {
    if options.short { 16 << 20 } else { 1 << 30 }
}

/// How long one run loads one server; there are many servers here.
pub(super) fn span(options: &Options) -> Duration {
    if options.short { options.run / 10 } else { options.run }
}

/// The shape of a measurement, for the title of its table.
pub(super) fn shape(options: &Options) -> String {
    format!("medians of {} rounds of {:?}", options.rounds, span(options))
}

/// A size as a title has it.
pub(super) fn size_words(bytes: u64) -> String {
    match bytes >> 20 {
        1024 => "1 GiB".to_owned(),
        mebibytes => format!("{mebibytes} MiB"),
    }
}
