//! Finishing downloads while others come.

use std::io;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};

use super::background_writer::BackgroundWriter;
use super::folder::NewFolder;

/// Downloads that a thread of its own [finishes](BackgroundWriter::finish_all), and folders that it
/// [makes last](NewFolder::sync_all), so that others can come meanwhile. Where there can be no thread, it is done
/// at once.
#[derive(Debug)]
pub struct Finishing {
    files: usize,
    folders: usize,
    results: Result<JoinHandle<Finished>, Finished>,
}

/// What has become of all that was to be finished, each in the order in which it was given.
#[derive(Debug, Default)]
pub struct Finished {
    /// Of the downloads.
    pub files: Vec<io::Result<()>>,
    /// Of the folders.
    pub folders: Vec<io::Result<()>>,
}

impl Finishing {
    /// Begins to finish all.
    pub fn begin(files: Vec<BackgroundWriter>, folders: Vec<NewFolder>) -> Self {
        let counts = (files.len(), folders.len());
        let (give, given) = sync_channel(1);
        let run = move || given.recv().map(finish).unwrap_or_default();
        let results = match thread::Builder::new().name("finisher".into()).spawn(run) {
            Ok(thread) => {
                // It waits for nothing else.
                let _ = give.send((files, folders));
                Ok(thread)
            }
            Err(_) => Err(finish((files, folders))),
        };
        Self { files: counts.0, folders: counts.1, results }
    }

    /// Waits for it.
    pub fn join(self) -> Finished {
        let done = self.results.map_or_else(|done| done, |it| it.join().unwrap_or_default());
        let lost = || Err(io::Error::other("the thread that completes downloads has failed"));
        let all = |results: Vec<io::Result<()>>, count| {
            results.into_iter().chain(std::iter::repeat_with(lost)).take(count).collect()
        };
        Finished { files: all(done.files, self.files), folders: all(done.folders, self.folders) }
    }
}

fn finish((files, folders): (Vec<BackgroundWriter>, Vec<NewFolder>)) -> Finished {
    let files = BackgroundWriter::finish_all(files);
    Finished { files, folders: NewFolder::sync_all(&folders) }
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
        let made = folder.sub(b"made").unwrap().as_new().unwrap();
        let done = Finishing::begin(all.into(), vec![made]).join();
        let is_done: Vec<_> = done.files.iter().map(Result::is_ok).collect();
        assert_eq!(is_done, [true, false, true]);
        assert!(done.folders.iter().all(Result::is_ok) && done.folders.len() == 1);
        assert_eq!(
            names.map(|name| fs::exists(target.path().join(name)).unwrap()),
            [true, false, true]
        );
        let done = Finishing::begin(Vec::new(), Vec::new()).join();
        assert!(done.files.is_empty() && done.folders.is_empty());
    }
}
