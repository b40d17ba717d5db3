//! A node with its program and its files, and its side of a connection.

use std::fmt::Debug;

use barewire_core::file::TransferConfig;
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::disk::Disk;
use barewire_tests::simulator::stream::{Calamity, End, Fault, Moment, Streams};

use super::downloader::{Downloader, Record, name};
use super::ending::Ending;
use super::store::Store;

/// A machine with a program that wants files.
pub(super) struct Client {
    pub(super) disk: Disk,
    /// None while the node is down.
    pub(super) downloader: Option<Downloader>,
    pub(super) line: Option<Line>,
    pub(super) record: Record,
    pub(super) connections: usize,
    pub(super) stalled_until: Instant,
}

impl Client {
    pub(super) fn is_at(&self, end: End) -> bool {
        self.line.is_some_and(|line| line.end() == end)
    }

    /// Each name stands for nothing or for a whole version, and what was said to be there is.
    pub(super) fn check_names(&self, store: &Store) {
        for file in 0..store.count() {
            let contents = self.disk.contents(&name(file));
            let is_whole = contents.as_ref().map(|is| store.versions(file).any(|all| all == is));
            assert_ne!(is_whole, Some(false), "{file} is not whole");
            let is_complete = self.record.complete.contains(&file);
            assert!(!is_complete || is_whole.is_some(), "{file} was there before");
        }
    }
}

/// One side of a connection: what limits it, and what goes wrong with it alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) ends: [End; 2],
    /// Which of the ends is this side's.
    pub(super) side: usize,
    pub(super) config: TransferConfig,
    pub(super) fault: Option<Fault>,
}

impl Line {
    pub(super) fn end(&self) -> End {
        self.ends[self.side]
    }

    /// Asserts that a side ended within its limits, or as soon as it was given the processor again.
    pub(super) fn assert_in_time<E: Debug>(
        &self,
        ending: &Ending<E>,
        streams: &Streams,
        stalled_until: Instant,
    ) {
        let nothing = Fault {
            what: Calamity::Stall { side: self.side, lasting: Duration::ZERO },
            when: Moment::At(stalled_until),
        };
        if ending.at > stalled_until {
            let fault = self.fault.unwrap_or(nothing);
            ending.assert_in_time(self.config, streams, (self.end(), self.side), fault);
        }
    }
}
