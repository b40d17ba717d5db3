//! A file that is being downloaded into a folder.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use barewire_core::printable::printable;
use barewire_linux::files::{BackgroundWriter, Download, Folder};
use indicatif::HumanBytes;

use crate::output::events::file_client::Downloaded;
use crate::output::system_error::describe;

use super::report::Reporter;
use super::settings::Settings;
use super::sink::{Abort, Incoming, Sink};

/// A folder that files are written into, and its path for people.
#[derive(Debug)]
pub(super) struct TargetFolder {
    pub(super) folder: Folder,
    pub(super) path: PathBuf,
}

impl TargetFolder {
    /// The folder at `path`; the current one if that is empty.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let place = if path.as_os_str().is_empty() { ".".as_ref() } else { path.as_path() };
        Ok(Self { folder: Folder::open(place)?, path })
    }

    /// The folder `name` in it, created if need be.
    pub(super) fn sub(&self, name: &str) -> io::Result<Self> {
        Ok(Self { folder: self.folder.sub(name.as_bytes())?, path: self.path.join(name) })
    }
}

/// A download, from before it is asked for until the file is there.
#[derive(Debug)]
pub(super) struct FileSink {
    target: Rc<TargetFolder>,
    leaf: Vec<u8>,
    /// The size that a listing has told.
    listed: Option<u64>,
    /// Boxed, since of many that wait only a few have one.
    download: Option<Box<BackgroundWriter>>,
    /// What came first, and when.
    first: Option<(Incoming, Instant)>,
    /// What came last.
    last: Incoming,
}

impl FileSink {
    pub(super) fn new(target: Rc<TargetFolder>, leaf: Vec<u8>, listed: Option<u64>) -> Self {
        Self { target, leaf, listed, download: None, first: None, last: Incoming::default() }
    }

    fn path(&self) -> PathBuf {
        self.target.path.join(OsStr::from_bytes(&self.leaf))
    }

    /// Whether there is a file of the size listed. An earlier run gave a file its name only when it
    /// was complete.
    fn is_there(&self) -> bool {
        let found = self.target.folder.size(&self.leaf).ok().flatten();
        found.is_some() && found == self.listed
    }

    fn not_begun(&self, error: &io::Error) -> String {
        let path = self.path();
        let path = path.display();
        match error.kind() {
            ErrorKind::AlreadyExists if self.listed.is_some() => {
                format!("{path} is there already, but not of the size listed (--force replaces it)")
            }
            ErrorKind::AlreadyExists => format!("{path} is there already (--force replaces it)"),
            ErrorKind::IsADirectory => format!("{path} is a folder (-d writes into one)"),
            // The system's own error of that kind is another: a call that it does not have.
            ErrorKind::Unsupported if error.raw_os_error().is_none() => {
                format!("{path} is a device, not a file (-o - writes to standard output)")
            }
            ErrorKind::ResourceBusy => {
                format!("another program is downloading to {path} at this moment")
            }
            _ => format!("cannot write {path}: {}", describe(error)),
        }
    }

    fn not_written(&self, error: &io::Error) -> String {
        let (path, why, kept) = (self.path(), describe(error), self.kept());
        let path = path.display();
        match error.kind() {
            ErrorKind::FileTooLarge => format!(
                "cannot write {path}: {why}; {kept} (`ulimit -f` tells whether there is a limit)"
            ),
            ErrorKind::StorageFull => {
                let leaf = OsStr::from_bytes(&self.leaf).display();
                let folder = match self.target.path.display().to_string() {
                    path if path.is_empty() => "the current folder".to_owned(),
                    path => path,
                };
                // Where room is reserved beforehand, the error says how much is missing.
                let size = self.last.size.filter(|_| error.raw_os_error().is_some());
                let there = self.download.as_ref().map_or(0, |download| download.position());
                let missing = size.map(|size| HumanBytes(size.saturating_sub(there)));
                let missing = missing.map(|it| format!(", {it} are still to come"));
                format!(
                    "no room for {leaf} in {folder}: {why}{}; {kept} (make room there first)",
                    missing.unwrap_or_default()
                )
            }
            _ => format!("cannot write {path}: {why} ({kept})"),
        }
    }

    fn not_completed(&self, error: &io::Error) -> String {
        let path = self.path();
        let path = path.display();
        match error.kind() {
            ErrorKind::AlreadyExists => format!(
                "something else has become {path} meanwhile (--force replaces it, and downloads \
                 nothing anew)"
            ),
            _ => format!("cannot complete {path}: {}", describe(error)),
        }
    }

    /// All contents are there: gives the files their names, and says so. Each comes with the name
    /// that the server knows it by. For many at once the disk is waited for little longer than for one.
    pub(super) fn complete(all: Vec<(String, Self)>, reporter: &mut Reporter<'_>) {
        let (mut named, mut downloads) = (Vec::new(), Vec::new());
        for (name, mut sink) in all {
            if let Some(download) = sink.download.take() {
                named.push((name, sink, download.position()));
                downloads.push(*download);
            }
        }
        let results = BackgroundWriter::finish_all(downloads);
        for ((name, sink, bytes), result) in named.into_iter().zip(results) {
            match result {
                Ok(()) => sink.show(&name, bytes, reporter),
                Err(error) => reporter.fail(&sink.not_completed(&error)),
            }
        }
    }

    fn show(&self, name: &str, bytes: u64, reporter: &mut Reporter<'_>) {
        let path = self.path();
        let (resumed_from, seconds) = self
            .first
            .map_or_else(Default::default, |(first, begun)| (first.offset, begun.elapsed().into()));
        reporter.show(&Downloaded {
            name: printable(name.as_bytes()),
            path: printable(path.as_os_str().as_encoded_bytes()),
            bytes,
            resumed_from,
            verified: self.last.is_proven(),
            seconds,
        });
    }
}

impl Sink for FileSink {
    /// Opens the part, unless it is open already.
    fn prepare(&mut self, settings: &Settings) -> Result<bool, String> {
        if self.download.is_some() {
            return Ok(true);
        }
        match Download::begin(&self.target.folder, &self.leaf, settings.existing) {
            Ok(download) => self.download = Some(Box::new(BackgroundWriter::new(download))),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && self.is_there() => {
                return Ok(false);
            }
            Err(error) => return Err(self.not_begun(&error)),
        }
        Ok(true)
    }

    fn held(&self) -> (u64, u64) {
        let held = self.download.as_ref().and_then(|download| download.held());
        held.map_or((0, 0), |held| (held.verified, held.tag))
    }

    fn begin(
        &mut self,
        name: &str,
        incoming: &Incoming,
        _room: u64,
        reporter: &Reporter<'_>,
    ) -> Result<(), Abort> {
        let (held, version) = self.held();
        if incoming.offset == 0 && held > 0 && version != incoming.tag {
            reporter.log(
                log::Level::Debug,
                &format!("{name} is another version than the part that is there: it starts from 0"),
            );
        }
        self.first.get_or_insert_with(|| (*incoming, Instant::now()));
        self.last = *incoming;
        let Some(download) = &mut self.download else { return Ok(()) };
        // What is held is whole already; what nothing proves cannot be gone on with.
        let is_kept = incoming.verified || incoming.offset > 0;
        let tag = if is_kept { incoming.tag } else { 0 };
        let started = download.start(incoming.offset, incoming.size, tag);
        started.map_err(|error| Abort::Skip(self.not_written(&error)))
    }

    fn write(&mut self, bytes: &[u8], _reporter: &mut Reporter<'_>) -> Result<(), Abort> {
        let Some(download) = &mut self.download else { return Ok(()) };
        download.write(bytes).map_err(|error| Abort::GiveUp(self.not_written(&error)))
    }

    fn verified(&mut self, end: u64, _reporter: &mut Reporter<'_>) -> Result<(), Abort> {
        let Some(download) = &mut self.download else { return Ok(()) };
        download.verified(end).map_err(|error| Abort::GiveUp(self.not_written(&error)))
    }

    fn settle(&mut self) {
        if let Some(download) = &mut self.download {
            download.join();
        }
    }

    fn kept(&self) -> String {
        match self.held() {
            (0, _) => "nothing of it is kept".to_owned(),
            (verified, _) => format!(
                "the {} that have verified are kept: run the same command again to resume",
                HumanBytes(verified)
            ),
        }
    }
}
