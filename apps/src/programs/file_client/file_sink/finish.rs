//! From contents that are all there to a file under its name.

use barewire_core::file::Digest;
use barewire_core::printable::printable;
use barewire_linux::files::BackgroundWriter;

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

    /// All contents are there: gives the files their names, and says so. Each comes with the name
    /// that the server knows it by. For many at once the disk is waited for little longer than for one.
    pub(in crate::programs::file_client) fn complete(
        all: Vec<(String, Self)>,
        reporter: &mut Reporter<'_>,
    ) {
        let mut named = Vec::with_capacity(all.len());
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
            named.push((name, sink, bytes, verified, hash));
            downloads.push(*download);
        }
        let results = BackgroundWriter::finish_all(downloads);
        for ((name, sink, bytes, verified, hash), result) in named.into_iter().zip(results) {
            match result {
                Ok(()) => sink.show(&name, bytes, verified, hash, reporter),
                Err(error) => reporter.fail(&sink.explain(&error)),
            }
        }
    }

    fn show(
        &self,
        name: &str,
        bytes: u64,
        verified: bool,
        hash: Option<Digest>,
        reporter: &mut Reporter<'_>,
    ) {
        let path = self.target.path();
        reporter.complete(&Downloaded {
            name: printable(name.as_bytes()),
            path: printable(path.as_os_str().as_encoded_bytes()),
            bytes,
            resumed_from: self.resumed_from,
            verified,
            expected: self.expected.is_some(),
            hash: hash.as_ref().map(hex),
            seconds: self.begun.map_or_else(Default::default, |begun| begun.elapsed().into()),
        });
    }
}
