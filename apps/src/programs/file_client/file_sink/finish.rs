//! From contents that are all there to a file under its name.

use barewire_core::file::Digest;
use barewire_core::printable::printable;
use barewire_linux::files::Finishing;

use crate::output::events::file_client::Downloaded;
use crate::programs::file_client::expectations::hex;
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

    /// All contents are there: begins to give the files their names. Each comes with the name that the
    /// server knows it by. For many at once the disk is waited for little longer than for one.
    pub(in crate::programs::file_client) fn complete(
        all: Vec<(String, Self)>,
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
            let Some(download) = sink.download.take() else { continue };
            // Nothing at all needs no proof.
            let verified = download.is_proven() || sink.last.size == Some(0);
            let bytes = sink.last.size.unwrap_or_else(|| download.position());
            files.push(CompleteFile { name, sink, bytes, verified, hash });
            downloads.push(*download);
        }
        Completing { files, finishing: Finishing::begin(downloads) }
    }
}

/// Files that are given their names.
#[derive(Debug)]
pub(in crate::programs::file_client) struct Completing {
    files: Vec<CompleteFile>,
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
        for (file, result) in self.files.into_iter().zip(self.finishing.join()) {
            match result {
                Ok(()) => file.show(reporter),
                Err(error) => reporter.fail(&file.sink.explain(&error)),
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
