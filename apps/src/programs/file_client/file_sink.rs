//! A file that is being downloaded into a folder.

mod fill;
pub(super) mod finish;

use std::io;
use std::ops::Range;
use std::time::Instant;

use barewire_core::file::Digest;
use barewire_linux::files::{BackgroundWriter, Download, DownloadOptions};
use indicatif::HumanBytes;
use log::Level;

use crate::output::peer_text::Shown;
use crate::output::system_error::describe;

use super::comparison::{FileComparison, HeldComparison};
use super::file_error;
use super::limits::Allowance;
use super::report::Reporter;
use super::root::RootHash;
use super::settings::Settings;
use super::sink::{Abort, Incoming, Next, Readiness, Sink, Wanted};
use super::target::{Found, ListedFile, TargetPath};

/// How many bytes are read at once, to be checked.
const CHECKED_AT_ONCE: usize = 1 << 20;

/// How many segments are checked before other tasks have their turns.
const CHECKS: usize = 8;

/// From how many bytes on a person is told what they wait for.
const LONG_CHECK: u64 = 1 << 30;

/// A download, from before it is asked for until the file is there.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
#[derive(Debug)]
pub(super) struct FileSink {
    target: TargetPath,
    /// What a listing has told.
    listed: Option<ListedFile>,
    /// It is part of a tree, so that it is kept up to date.
    is_updated: bool,
    expected: Option<Digest>,
    keeps_times: bool,
    /// Boxed, since of many that wait only a few have one.
    download: Option<Box<BackgroundWriter>>,
    /// Under way: digests come, and no contents.
    comparison: Option<Box<Comparison>>,
    /// What was held when the connection began has been compared.
    is_compared: bool,
    /// The file that is there has been compared, and is another.
    is_outdated: bool,
    /// Where contents go that fill what is missing of a version.
    filled: Option<u64>,
    /// Of contents that nothing proves.
    root: RootHash,
    begun: Option<Instant>,
    /// How many bytes were there from an earlier run.
    resumed_from: u64,
    /// What came last.
    last: Incoming,
}

/// What the digests that come are compared with.
#[derive(Debug)]
enum Comparison {
    Held(HeldComparison),
    File(FileComparison),
    /// Only with what would be listed of the file.
    Version,
}

impl FileSink {
    pub(super) fn new(target: TargetPath, listed: Option<ListedFile>) -> Self {
        Self {
            target,
            listed,
            is_updated: listed.is_some(),
            expected: None,
            keeps_times: false,
            download: None,
            comparison: None,
            is_compared: false,
            is_outdated: false,
            filled: None,
            root: RootHash::default(),
            begun: None,
            resumed_from: 0,
            last: Incoming::default(),
        }
    }

    /// A file that no listing has told of is kept up to date as well.
    pub(super) fn updated(self) -> Self {
        Self { is_updated: true, ..self }
    }

    pub(super) fn listed_size(&self) -> u64 {
        self.listed.map_or(0, |listed| listed.size)
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
        let position = self.download.as_ref().map_or(0, |download| download.position());
        // Segments may be proven behind one that is not.
        let there = position.max(self.held().0);
        let missing = self.last.size.map(|size| size.saturating_sub(there));
        let state = match (self.begun, &self.download) {
            (Some(_), None) => file_error::State::Complete,
            _ if self.is_updated => file_error::State::OfTree,
            _ => file_error::State::Alone,
        };
        file_error::explain(&self.target.shown(), error, missing, state)
    }

    /// Begins the download, with what an earlier run has left as far as it is still right.
    fn open(&mut self, name: &str, settings: &Settings, replaces: bool) -> io::Result<()> {
        let TargetPath { parent, leaf } = &self.target;
        let options: DownloadOptions = settings.existing(replaces, name);
        let download = Download::begin(&parent.folder, leaf, options)?;
        self.download = Some(Box::new(BackgroundWriter::new(download)));
        Ok(())
    }

    /// Checks a little of what an earlier run has left. Once that is done, it is to be compared with what
    /// the server has, before more comes.
    fn check(&mut self) -> io::Result<Readiness> {
        if let Some(download) = &mut self.download
            && download.unchecked() > 0
        {
            let mut buffer = vec![0; CHECKED_AT_ONCE];
            for _ in 0..CHECKS {
                if !download.check_next(&mut buffer)? {
                    break;
                }
            }
            if download.unchecked() > 0 {
                return Ok(Readiness::Checking);
            }
        }
        if let Some(download) = &mut self.download
            && download.held().is_some()
            && !self.is_compared
            && self.comparison.is_none()
        {
            let held =
                download.digests()?.map(|held| held.map(|(start, end, it)| (start..end, it)));
            let held = HeldComparison::new(held.collect::<io::Result<_>>()?);
            self.comparison = Some(Box::new(Comparison::Held(held)));
        }
        Ok(Readiness::Ready)
    }

    /// Forgets what the server has otherwise. What is left is of the version that it has.
    fn adopt(&mut self, differing: &[Range<u64>]) -> io::Result<Next> {
        self.is_compared = true;
        let Incoming { size, tag, .. } = self.last;
        let Some(download) = &mut self.download else { return Ok(Next::Done) };
        if download.held().map(|held| held.size) != size {
            download.forget(0, u64::MAX)?;
        }
        for Range { start, end } in differing {
            download.forget(*start, *end)?;
        }
        if download.held().is_none() {
            return Ok(Next::More);
        }
        download.adopt(tag)?;
        let is_whole = download.is_proven();
        if self.begun.is_none() {
            self.resumed_from = self.held().0;
            self.begun = Some(Instant::now());
        }
        Ok(if is_whole { Next::Done } else { Next::More })
    }
}

impl Sink for FileSink {
    /// Opens the part, unless it is open already.
    fn prepare(
        &mut self,
        name: &str,
        settings: &Settings,
        allowance: &Allowance,
        reporter: &Reporter<'_>,
    ) -> Result<Readiness, String> {
        if self.download.is_none() && self.comparison.is_none() {
            self.expected = settings.expectations.of(name)?;
            self.keeps_times = settings.keeps_times();
            let mut replaces = settings.force;
            if self.is_updated && self.listed.is_none() && self.target.is_file() {
                self.comparison = Some(Box::new(Comparison::Version));
                return Ok(Readiness::Ready);
            }
            if let Some(listed) = self.listed {
                let found = self.target.compare(listed, self.keeps_times);
                let may_stay = !settings.force && !self.is_outdated;
                let is_same = found == Found::Same;
                if is_same {
                    self.target.clear_published();
                }
                if may_stay && (settings.checksum || is_same && self.expected.is_some()) {
                    let opened = self.target.open_file().map_err(|error| self.explain(&error))?;
                    let comparison = opened.map(|(file, size)| FileComparison::new(file, size));
                    self.comparison = comparison.map(|it| Box::new(Comparison::File(it)));
                    if self.comparison.is_some() {
                        return Ok(Readiness::Ready);
                    }
                } else if may_stay && is_same {
                    return Ok(Readiness::Unneeded);
                }
                let room = allowance.check(listed.size);
                room.map_err(|why| format!("{}: {why}", self.target.shown()))?;
                replaces |= found != Found::NoFile;
            }
            if replaces && settings.key.as_ref().is_some_and(|key| key.is_in(&self.target.path())) {
                let path = self.target.shown();
                return Err(format!("{path} is the key of this conversation, and is not replaced"));
            }
            self.open(name, settings, replaces).map_err(|error| self.explain(&error))?;
            let unchecked = self.download.as_ref().map_or(0, |download| download.unchecked());
            if unchecked >= LONG_CHECK {
                let (path, size) = (self.target.shown(), HumanBytes(unchecked));
                reporter.log(Level::Info, &format!("{path}: checking the {size} that are there"));
            }
        }
        self.check().map_err(|error| self.explain(&error))
    }

    fn wanted(&self) -> Wanted {
        match self.comparison.as_deref() {
            Some(Comparison::Held(held)) => return Wanted::Digests { length: held.length() },
            Some(Comparison::File(_)) => return Wanted::Digests { length: None },
            Some(Comparison::Version) => {
                return Wanted::Contents { offset: 0, length: Some(0), tag: 0 };
            }
            None => {}
        }
        let Some(download) = &self.download else { return Wanted::ALL };
        let Some(held) = download.held() else { return Wanted::ALL };
        let missing = download.missing().next().unwrap_or(0..0);
        let length = (missing.end < held.size).then_some(missing.end - missing.start);
        Wanted::Contents { offset: missing.start, length, tag: held.tag }
    }

    fn held(&self) -> (u64, u64) {
        let Some(download) = &self.download else { return (0, 0) };
        let missing: u64 = download.missing().map(|range| range.end - range.start).sum();
        download.held().map_or((0, 0), |held| (held.size - missing, held.tag))
    }

    fn begin(&mut self, _name: Shown<'_>, incoming: &Incoming, _room: u64) -> Result<(), Abort> {
        self.last = *incoming;
        match self.comparison.as_deref_mut() {
            Some(Comparison::File(file)) => file.begin(incoming.size.unwrap_or_default()),
            Some(Comparison::Held(_) | Comparison::Version) => {}
            None => {
                self.begun.get_or_insert_with(Instant::now);
                self.start().map_err(Abort::Skip)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], _reporter: &mut Reporter<'_>) -> Result<(), Abort> {
        if self.expected.is_some() && !self.last.verified {
            self.root.contents(bytes);
        }
        let at = self.filled;
        self.filled = at.map(|at| at + bytes.len() as u64);
        self.with_part(|part| match at {
            Some(at) => part.write_at(at, bytes),
            None => part.write(bytes),
        })
        .map_err(Abort::GiveUp)
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

    fn digest(&mut self, segment: Range<u64>, digest: &Digest) -> Result<(), Abort> {
        match self.comparison.as_deref_mut() {
            Some(Comparison::Held(held)) => held.take(segment, digest),
            Some(Comparison::File(file)) => file.take(segment, digest).map_err(|error| {
                let why = describe(&error);
                Abort::Skip(format!("cannot read {}: {why}", self.target.shown()))
            })?,
            Some(Comparison::Version) | None => {}
        }
        Ok(())
    }

    fn completed(&mut self) -> Result<Next, Abort> {
        let is_whole = match self.comparison.take().map(|comparison| *comparison) {
            Some(Comparison::Held(held)) => {
                let adopted = self.adopt(&held.finish());
                return adopted.map_err(|error| Abort::GiveUp(self.explain(&error)));
            }
            Some(Comparison::File(file)) => {
                let (hash, file) = file.finish();
                self.check_hash(&hash).map_err(Abort::Skip)?;
                if let Some(file) = file {
                    let listed = self.listed.filter(|_| self.keeps_times);
                    if let Some(time) = listed.and_then(ListedFile::system_time) {
                        // It is the same without, and compared again next time.
                        let _ = file.set_modified(time);
                    }
                    return Ok(Next::Unchanged);
                }
                self.is_outdated = true;
                false
            }
            Some(Comparison::Version) => {
                // From now on it is as if a listing had told of it.
                self.listed = ListedFile::of(self.last.size, self.last.modified);
                false
            }
            None => {
                !self.last.verified
                    || self.download.as_ref().is_none_or(|download| download.is_proven())
            }
        };
        Ok(if is_whole { Next::Done } else { Next::More })
    }

    fn settle(&mut self) {
        (self.comparison, self.is_compared) = (None, false);
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

impl FileSink {
    /// Contents are about to come: what is missing of the version that is held, or else all.
    fn start(&mut self) -> Result<(), String> {
        let Incoming { offset, size, tag, modified, verified, .. } = self.last;
        let modified = modified.filter(|_| self.keeps_times);
        let is_held = |part: &BackgroundWriter| {
            verified && part.held().map(|held| (Some(held.size), held.tag)) == Some((size, tag))
        };
        let is_filled = self.download.as_deref().is_some_and(is_held);
        self.filled = is_filled.then_some(offset);
        if !is_filled {
            (self.root, self.resumed_from) = (RootHash::default(), 0);
        }
        self.with_part(|part| {
            part.set_modified(modified);
            match size {
                Some(size) if is_filled => part.fill(size, tag),
                // What nothing proves cannot be gone on with.
                _ => part.start(0, size, if verified { tag } else { 0 }),
            }
        })
    }
}
