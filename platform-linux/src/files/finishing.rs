//! Finishing downloads while others come.

use std::io;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};

use super::background_writer::BackgroundWriter;

/// Downloads that a thread of its own [finishes](BackgroundWriter::finish_all), so that others can come
/// meanwhile. Where there can be no thread, they are finished at once.
#[derive(Debug)]
pub struct Finishing {
    count: usize,
    results: Result<JoinHandle<Results>, Results>,
}

type Results = Vec<io::Result<()>>;

impl Finishing {
    /// Begins to finish all.
    pub fn begin(all: Vec<BackgroundWriter>) -> Self {
        let count = all.len();
        let (give, given) = sync_channel(1);
        let run = move || given.recv().map(BackgroundWriter::finish_all).unwrap_or_default();
        let results = match thread::Builder::new().name("finisher".into()).spawn(run) {
            Ok(thread) => {
                // It waits for nothing else.
                let _ = give.send(all);
                Ok(thread)
            }
            Err(_) => Err(BackgroundWriter::finish_all(all)),
        };
        Self { count, results }
    }

    /// Waits for it, and gives the results in the order of the downloads.
    pub fn join(self) -> Vec<io::Result<()>> {
        let results = self.results.map_or_else(|done| done, |it| it.join().unwrap_or_default());
        let lost = || Err(io::Error::other("the thread that completes downloads has failed"));
        results.into_iter().chain(std::iter::repeat_with(lost)).take(self.count).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::{Download, DownloadOptions, Folder};

    #[test]
    fn each_has_its_result_in_their_order() {
        let target = tempfile::tempdir().unwrap();
        let folder = Folder::open(target.path()).unwrap();
        let begin = |name: &str| {
            let begun = Download::begin(&folder, name.as_bytes(), DownloadOptions::default());
            let mut download = BackgroundWriter::new(begun.unwrap());
            download.start(0, Some(4), 7).unwrap();
            download
        };
        let names = ["a", "b", "c"];
        let all = names.map(|name| {
            let mut download = begin(name);
            // All of it has come of two only.
            download.write(if name == "b" { b"hal" } else { b"full" }).unwrap();
            download
        });
        let results = Finishing::begin(all.into()).join();
        let is_done: Vec<_> = results.iter().map(Result::is_ok).collect();
        assert_eq!(is_done, [true, false, true]);
        assert_eq!(
            names.map(|name| fs::exists(target.path().join(name)).unwrap()),
            [true, false, true]
        );
        assert!(Finishing::begin(Vec::new()).join().is_empty());
    }
}
