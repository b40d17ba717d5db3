//! A file that is being downloaded into a folder.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use barewire_core::file::ResponseHeader;
use barewire_core::printable::printable;
use barewire_linux::files::{BackgroundWriter, Download, DownloadOptions, Folder, Held};

use crate::output::events::file_client::{Bytes, Downloaded};
use crate::output::system_error::describe;

use super::client::Settings;
use super::report::Voice;

/// A folder, and its path for people.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) folder: Folder,
    pub(super) path: PathBuf,
}

impl Target {
    /// The folder at `path`; the current one if that is empty.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let place = if path.as_os_str().is_empty() { ".".as_ref() } else { path.as_path() };
        Ok(Self { folder: Folder::open(place)?, path })
    }

    /// The folder `name` in it, created if need be.
    pub(super) fn sub(&self, name: &str) -> io::Result<Self> {
        Ok(Self { folder: self.folder.sub(name.as_bytes())?, path: self.path.join(name) })
    }

    /// How the user would call it.
    fn shown(&self) -> String {
        let path = self.path.to_string_lossy();
        if path.is_empty() { "the current folder".to_owned() } else { path.into_owned() }
    }
}

/// A download, from before it is asked for until the file is there.
#[derive(Debug)]
pub(super) struct Saving {
    target: Rc<Target>,
    leaf: Vec<u8>,
    /// The size that a listing has told.
    listed: Option<u64>,
    /// Boxed, since of many that wait only a few have one.
    download: Option<Box<BackgroundWriter>>,
    size: Option<u64>,
    verified: bool,
    /// Set by the first answer.
    begun: Option<Instant>,
    resumed_from: u64,
}

impl Saving {
    pub(super) fn new(target: Rc<Target>, leaf: Vec<u8>, listed: Option<u64>) -> Self {
        Self {
            target,
            leaf,
            listed,
            download: None,
            size: None,
            verified: false,
            begun: None,
            resumed_from: 0,
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.target.path.join(OsStr::from_bytes(&self.leaf))
    }

    /// Opens the part, unless it is open already; false if the file is there.
    pub(super) fn prepare(&mut self, settings: &Settings) -> Result<bool, String> {
        if self.download.is_some() {
            return Ok(true);
        }
        let options = DownloadOptions { force: settings.force, resume: settings.resume };
        match Download::begin(&self.target.folder, &self.leaf, options) {
            Ok(download) => self.download = Some(Box::new(BackgroundWriter::new(download))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && self.is_there() => {
                return Ok(false);
            }
            Err(error) => return Err(self.refused(&error)),
        }
        Ok(true)
    }

    /// Whether there is a file of the size listed. An earlier run gave a file its name only when it
    /// was complete.
    fn is_there(&self) -> bool {
        let found = self.target.folder.size(&self.leaf).ok().flatten();
        found.is_some() && found == self.listed
    }

    fn refused(&self, error: &io::Error) -> String {
        let path = self.path();
        let path = path.display();
        match error.kind() {
            io::ErrorKind::AlreadyExists if self.listed.is_some() => {
                format!("{path} is there already, but not of the size listed (--force replaces it)")
            }
            io::ErrorKind::AlreadyExists => {
                format!("{path} is there already (--force replaces it)")
            }
            io::ErrorKind::IsADirectory => format!("{path} is a folder (-d writes into one)"),
            // The system's own error of that kind is another: a call that it does not have.
            io::ErrorKind::Unsupported if error.raw_os_error().is_none() => {
                format!("{path} is a device, not a file (-o - writes to standard output)")
            }
            io::ErrorKind::ResourceBusy => {
                format!("another program is downloading to {path} at this moment")
            }
            _ => format!("cannot write {path}: {}", describe(error)),
        }
    }

    /// What is there and need not be asked for.
    pub(super) fn held(&self) -> Option<Held> {
        self.download.as_ref()?.held()
    }

    /// The connection is gone: what has come is written, so that it is clear what is held.
    pub(super) fn settle(&mut self) {
        if let Some(download) = &mut self.download {
            download.join();
        }
    }

    /// The contents are about to come.
    pub(super) fn answered(
        &mut self,
        name: &str,
        answer: &ResponseHeader,
        size: Option<u64>,
        voice: &Voice<'_>,
    ) -> Result<(), String> {
        let Some(download) = &mut self.download else { return Ok(()) };
        if answer.offset == 0 && download.held().is_some_and(|held| held.tag != answer.tag) {
            voice.explain(&format!(
                "{name} is another version than the part that is there: it starts from 0"
            ));
        }
        if self.begun.is_none() {
            self.begun = Some(Instant::now());
            self.resumed_from = answer.offset;
        }
        self.size = size;
        self.verified = answer.verified || size == Some(answer.offset);
        let tag = if answer.verified { answer.tag } else { 0 };
        // What is held is whole already.
        let tag = if answer.offset > 0 { answer.tag } else { tag };
        let started = download.start(answer.offset, size, tag);
        started.map_err(|error| self.unwritten(&error))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(download) = &mut self.download else { return Ok(()) };
        download.write(bytes).map_err(|error| self.unwritten(&error))
    }

    pub(super) fn verified(&mut self, end: u64) -> Result<(), String> {
        let Some(download) = &mut self.download else { return Ok(()) };
        download.verified(end).map_err(|error| self.unwritten(&error))
    }

    fn unwritten(&self, error: &io::Error) -> String {
        let path = self.path();
        let path = path.display();
        if error.kind() == io::ErrorKind::FileTooLarge {
            return format!(
                "cannot write {path}: {}; {} (`ulimit -f` tells whether there is a limit)",
                describe(error),
                self.kept()
            );
        }
        if error.kind() != io::ErrorKind::StorageFull {
            return format!("cannot write {path}: {} ({})", describe(error), self.kept());
        }
        // Where room is reserved beforehand, the error says how much is missing.
        let position = self.download.as_ref().map_or(0, |download| download.position());
        let missing = match (error.raw_os_error(), self.size) {
            (Some(_), Some(size)) => {
                format!(", {} are still to come", Bytes(size.saturating_sub(position)))
            }
            _ => String::new(),
        };
        format!(
            "no room for {} in {}: {}{missing}; {} (make room there first)",
            OsStr::from_bytes(&self.leaf).display(),
            self.target.shown(),
            describe(error),
            self.kept()
        )
    }

    /// What the next run can go on from.
    pub(super) fn kept(&self) -> String {
        match self.held() {
            Some(held) => format!(
                "the {} that have verified are kept: run the same command again to resume",
                Bytes(held.verified)
            ),
            None => "nothing of it is kept".to_owned(),
        }
    }

    /// All contents are there: gives the files their names, and says so. Each comes with the name
    /// that the server knows it by.
    pub(super) fn complete(all: Vec<(String, Self)>, voice: &mut Voice<'_>) {
        let (mut named, mut downloads) = (Vec::new(), Vec::new());
        for (name, mut saving) in all {
            if let Some(download) = saving.download.take() {
                named.push((name, saving, download.position()));
                downloads.push(*download);
            }
        }
        let results = BackgroundWriter::finish_all(downloads);
        for ((name, saving, bytes), result) in named.into_iter().zip(results) {
            match result {
                Ok(()) => saving.tell(&name, bytes, voice),
                Err(error) => voice.fail(&saving.unfinished(&error)),
            }
        }
    }

    fn unfinished(&self, error: &io::Error) -> String {
        let path = self.path();
        let path = path.display();
        match error.kind() {
            io::ErrorKind::AlreadyExists => format!(
                "something else has become {path} meanwhile (--force replaces it, and downloads \
                 nothing anew)"
            ),
            _ => format!("cannot complete {path}: {}", describe(error)),
        }
    }

    fn tell(&self, name: &str, bytes: u64, voice: &mut Voice<'_>) {
        let path = self.path();
        voice.show(&Downloaded {
            name: printable(name.as_bytes()),
            path: printable(path.as_os_str().as_encoded_bytes()),
            bytes,
            resumed_from: self.resumed_from,
            verified: self.verified,
            seconds: self.begun.map_or_else(Default::default, |begun| begun.elapsed().into()),
        });
    }
}
