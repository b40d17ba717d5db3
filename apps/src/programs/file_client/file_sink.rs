//! A file that is being downloaded into a folder.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::time::Instant;

use barewire_core::file::Digest;
use barewire_core::printable::printable;
use barewire_linux::files::{BackgroundWriter, Download};
use indicatif::HumanBytes;
use log::Level;

use crate::output::events::file_client::Downloaded;
use crate::output::peer_text::Shown;
use crate::output::system_error::describe;

use super::limits::Allowance;
use super::report::Reporter;
use super::settings::Settings;
use super::sink::{Abort, Incoming, Readiness, Sink};
use super::target::{Found, ListedFile, TargetPath};

/// How many bytes are read at once, to be checked.
const CHECKED_AT_ONCE: usize = 1 << 20;

/// How many segments are checked before other tasks have their turns.
const CHECKS: usize = 8;

/// From how many bytes on a person is told what they wait for.
const LONG_CHECK: u64 = 1 << 30;

/// A download, from before it is asked for until the file is there.
#[derive(Debug)]
pub(super) struct FileSink {
    target: TargetPath,
    /// What a listing has told.
    listed: Option<ListedFile>,
    /// Boxed, since of many that wait only a few have one.
    download: Option<Box<BackgroundWriter>>,
    keeps_times: bool,
    /// What came first, and when.
    first: Option<(Incoming, Instant)>,
    /// What came last.
    last: Incoming,
}

impl FileSink {
    pub(super) fn new(target: TargetPath, listed: Option<ListedFile>) -> Self {
        Self {
            target,
            listed,
            download: None,
            keeps_times: false,
            first: None,
            last: Incoming::default(),
        }
    }

    pub(super) fn listed_size(&self) -> u64 {
        self.listed.map_or(0, |listed| listed.size)
    }

    /// Checks a little of what an earlier run has left.
    fn check(&mut self) -> Result<Readiness, String> {
        let Some(download) = &mut self.download else { return Ok(Readiness::Ready) };
        if download.unchecked() == 0 {
            return Ok(Readiness::Ready);
        }
        let mut buffer = vec![0; CHECKED_AT_ONCE];
        for _ in 0..CHECKS {
            match download.check_next(&mut buffer) {
                Ok(true) => {}
                Ok(false) => return Ok(Readiness::Ready),
                Err(error) => return Err(self.explain(&error)),
            }
        }
        Ok(Readiness::Checking)
    }

    /// Does something to the part, and says why it cannot be done.
    fn with_part(
        &mut self,
        act: impl FnOnce(&mut BackgroundWriter) -> io::Result<()>,
    ) -> Result<(), String> {
        let done = self.download.as_deref_mut().map_or(Ok(()), act);
        done.map_err(|error| self.explain(&error))
    }

    /// Why the file cannot be begun, written or completed.
    fn explain(&self, error: &io::Error) -> String {
        let (path, why) = (self.target.shown(), describe(error));
        let is_complete = self.first.is_some() && self.download.is_none();
        match error.kind() {
            ErrorKind::AlreadyExists if is_complete => format!(
                "something else has become {path} meanwhile (--force replaces it, and downloads \
                 nothing anew)"
            ),
            _ if is_complete => format!("cannot complete {path}: {why}"),
            ErrorKind::AlreadyExists => format!("{path} is there already (--force replaces it)"),
            ErrorKind::IsADirectory => format!("{path} is a folder (-d writes into one)"),
            // The system's own error of that kind is another: a call that it does not have.
            ErrorKind::Unsupported if error.raw_os_error().is_none() => {
                format!(
                    "{path} is a device, FIFO or socket, not a file (-o writes to devices and FIFOs)"
                )
            }
            ErrorKind::ResourceBusy => {
                format!("another program is downloading to {path} at this moment")
            }
            ErrorKind::FileTooLarge => {
                format!("cannot write {path}: {why} (`ulimit -f` tells whether there is a limit)")
            }
            ErrorKind::StorageFull => {
                // Where room is reserved beforehand, the error says how much is missing.
                let size = self.last.size.filter(|_| error.raw_os_error().is_some());
                let there = self.download.as_ref().map_or(0, |download| download.position());
                let missing = size.map_or(String::new(), |size| {
                    format!(", {} are still to come", HumanBytes(size.saturating_sub(there)))
                });
                format!("no room for {path}: {why}{missing} (make room there first)")
            }
            _ => format!("cannot write {path}: {why}"),
        }
    }

    /// All contents are there: gives the files their names, and says so. Each comes with the name
    /// that the server knows it by. For many at once the disk is waited for little longer than for one.
    pub(super) fn complete(all: Vec<(String, Self)>, reporter: &mut Reporter<'_>) {
        let (named, downloads): (Vec<_>, _) = all
            .into_iter()
            .filter_map(|(name, mut sink)| {
                let download = *sink.download.take()?;
                // Nothing at all needs no proof.
                let is_proven = download.is_proven() || sink.last.size == Some(0);
                Some(((name, sink, download.position(), is_proven), download))
            })
            .unzip();
        let results = BackgroundWriter::finish_all(downloads);
        for ((name, sink, bytes, verified), result) in named.into_iter().zip(results) {
            match result {
                Ok(()) => sink.show(&name, bytes, verified, reporter),
                Err(error) => reporter.fail(&sink.explain(&error)),
            }
        }
    }

    fn show(&self, name: &str, bytes: u64, verified: bool, reporter: &mut Reporter<'_>) {
        let path = self.target.path();
        let (resumed_from, seconds) = self
            .first
            .map_or_else(Default::default, |(first, begun)| (first.offset, begun.elapsed().into()));
        reporter.complete(&Downloaded {
            name: printable(name.as_bytes()),
            path: printable(path.as_os_str().as_encoded_bytes()),
            bytes,
            resumed_from,
            verified,
            seconds,
        });
    }
}

impl Sink for FileSink {
    /// Opens the part, unless it is open already.
    fn prepare(
        &mut self,
        settings: &Settings,
        allowance: &Allowance,
        reporter: &Reporter<'_>,
    ) -> Result<Readiness, String> {
        if self.download.is_some() {
            return self.check();
        }
        let mut replaces = settings.force;
        if let Some(listed) = self.listed {
            let found = self.target.compare(listed, settings.keeps_times());
            if !settings.force && found == Found::Same {
                return Ok(Readiness::Unneeded);
            }
            let room = allowance.check(listed.size);
            room.map_err(|why| format!("{}: {why}", self.target.shown()))?;
            replaces |= found == Found::Other;
        }
        let TargetPath { parent, leaf } = &self.target;
        let download = Download::begin(&parent.folder, leaf, settings.existing(replaces));
        let download = download.map_err(|error| self.explain(&error))?;
        let unchecked = download.unchecked();
        self.download = Some(Box::new(BackgroundWriter::new(download)));
        self.keeps_times = settings.keeps_times();
        if unchecked >= LONG_CHECK {
            let (path, size) = (self.target.shown(), HumanBytes(unchecked));
            reporter.log(Level::Info, &format!("{path}: checking the {size} that are there"));
        }
        self.check()
    }

    fn held(&self) -> (u64, u64) {
        let held = self.download.as_ref().and_then(|download| download.held());
        held.map_or((0, 0), |held| (held.verified, held.tag))
    }

    fn begin(&mut self, _name: Shown<'_>, incoming: &Incoming, _room: u64) -> Result<(), Abort> {
        self.first.get_or_insert_with(|| (*incoming, Instant::now()));
        self.last = *incoming;
        let &Incoming { offset, size, tag, modified, verified } = incoming;
        // What is held is whole already; what nothing proves cannot be gone on with.
        let tag = if verified || offset > 0 { tag } else { 0 };
        let modified = modified.filter(|_| self.keeps_times);
        self.with_part(|part| {
            part.set_modified(modified);
            part.start(offset, size, tag)
        })
        .map_err(Abort::Skip)
    }

    fn write(&mut self, bytes: &[u8], _reporter: &mut Reporter<'_>) -> Result<(), Abort> {
        self.with_part(|part| part.write(bytes)).map_err(Abort::GiveUp)
    }

    fn verified(
        &mut self,
        segment: Range<u64>,
        digest: &Digest,
        _reporter: &mut Reporter<'_>,
    ) -> Result<(), Abort> {
        self.with_part(|part| part.verified(segment.start, segment.end, digest))
            .map_err(Abort::GiveUp)
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
