//! From contents that are all there to a file under its name.

use std::path::PathBuf;

use barewire_core::file::Digest;
use barewire_core::printable::printable;
use barewire_linux::files::{Finished, Finishing, NewFolder};

use crate::output::events::file_client::Downloaded;
use crate::output::peer_text::shown;
use crate::programs::file_client::expectations::hex;
use crate::programs::file_client::file_error::explain_folder;
use crate::programs::file_client::report::Reporter;

use super::FileSink;

impl FileSink {
    /// The hash of the complete file, if it is wanted and known.
    fn hash(&mut self, is_wanted: bool) -> Result<Option<Digest>, String> {
        let Some(download) = self.download.as_deref_mut() else { return Ok(None) };
        let hash = if download.is_proven() && (is_wanted || self.expected.is_some()) {
            download.hash().map_err(|error| self.explain(&error))?
        } else {
            self.expected.map(|_| self.root.finish())
        };
        if let Some(Err(why)) = hash.map(|hash| self.check_hash(&hash)) {
            // Nothing is left of what is not wanted.
            let _ = self.download.take().map(|mut download| download.forget(0, u64::MAX));
            return Err(why);
        }
        Ok(hash.filter(|_| is_wanted))
    }

    /// Whether the file may have this hash.
    pub(super) fn check_hash(&self, hash: &Digest) -> Result<(), String> {
        match self.expected {
            Some(expected) if expected != *hash => Err(format!(
                "{}: its hash is {}, but {} is expected: it is another file, or another version",
                self.target.shown(),
                hex(hash),
                hex(&expected)
            )),
            _ => Ok(()),
        }
    }

    /// All contents are there: begins to give the files their names, and to make new folders last. Each file
    /// comes with the name that the server knows it by, and each folder with its path. For many at once the disk is waited for little
    /// longer than for one.
    pub(in crate::programs::file_client) fn complete(
        all: Vec<(String, Self)>,
        folders: Vec<(PathBuf, NewFolder)>,
        reporter: &mut Reporter<'_>,
    ) -> Completing {
        let mut files = Vec::with_capacity(all.len());
        let mut downloads = Vec::with_capacity(all.len());
        for (name, mut sink) in all {
            let hash = match sink.hash(reporter.is_detailed()) {
                Ok(hash) => hash,
                Err(why) => {
                    reporter.fail(&why);
                    continue;
                }
            };
            let bytes = sink.size();
            let Some(download) = sink.download.take() else { continue };
            // Nothing at all needs no proof.
            let verified = download.is_proven() || sink.last.size == Some(0);
            files.push(CompleteFile { name, sink, bytes, verified, hash });
            downloads.push(*download);
        }
        let (folders, new) = folders.into_iter().unzip();
        Completing { files, folders, finishing: Finishing::begin(downloads, new) }
    }

    /// How many bytes the whole has.
    pub(in crate::programs::file_client) fn size(&self) -> u64 {
        let come = || self.download.as_ref().map_or(0, |download| download.position());
        self.last.size.unwrap_or_else(come)
    }
}

/// Files that are given their names, and new folders that are made to last.
#[derive(Debug)]
pub(in crate::programs::file_client) struct Completing {
    files: Vec<CompleteFile>,
    folders: Vec<PathBuf>,
    finishing: Finishing,
}

#[derive(Debug)]
struct CompleteFile {
    name: String,
    sink: FileSink,
    bytes: u64,
    verified: bool,
    hash: Option<Digest>,
}

impl Completing {
    /// Waits until they have them, and says so.
    pub(in crate::programs::file_client) fn join(self, reporter: &mut Reporter<'_>) {
        let Finished { files, folders } = self.finishing.join();
        for (file, result) in self.files.into_iter().zip(files) {
            match result {
                Ok(()) => file.show(reporter),
                Err(error) => reporter.fail(&file.sink.explain(&error)),
            }
        }
        for (folder, result) in self.folders.iter().zip(folders) {
            if let Err(error) = result {
                let path = shown(folder.as_os_str().as_encoded_bytes());
                reporter.fail(&explain_folder(&path, &error));
            }
        }
    }
}

impl CompleteFile {
    fn show(&self, reporter: &mut Reporter<'_>) {
        let Self { name, sink, bytes, verified, hash } = self;
        let path = sink.target.path();
        reporter.complete(&Downloaded {
            name: printable(name.as_bytes()),
            path: printable(path.as_os_str().as_encoded_bytes()),
            bytes: *bytes,
            resumed_from: sink.resumed_from,
            verified: *verified,
            expected: sink.expected.is_some(),
            hash: hash.as_ref().map(hex),
            seconds: sink.begun.map_or_else(Default::default, |begun| begun.elapsed().into()),
        });
    }
}
