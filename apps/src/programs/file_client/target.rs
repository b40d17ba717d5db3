//! Where files and folders go.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use barewire_linux::files::{Download, Folder};

use crate::output::peer_text::shown;
use crate::output::system_error::describe;

/// What a listing tells of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListedFile {
    pub(super) size: u64,
    /// In seconds since 1970.
    pub(super) modified: i64,
}

impl ListedFile {
    /// One of this size, and modified at this time, in nanoseconds since 1970.
    pub(super) fn of(size: Option<u64>, modified: Option<i64>) -> Option<Self> {
        let modified = modified.unwrap_or_default().div_euclid(SECOND);
        size.map(|size| Self { size, modified })
    }

    /// When it was modified, if there is such a time.
    pub(super) fn system_time(self) -> Option<SystemTime> {
        let span = Duration::from_secs(self.modified.unsigned_abs());
        if self.modified < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(span)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(span)
        }
    }
}

/// What there is in place of a file that is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing, or no file.
    NoFile,
    /// To all appearances, the same.
    Same,
    /// Another file, or another version.
    Other,
}

/// In nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// A folder that is written into, and its path for people.
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
}

/// Where a file or a folder goes.
#[derive(Clone, Debug)]
pub(super) struct TargetPath {
    pub(super) parent: Rc<TargetFolder>,
    /// The name there; of a folder it may be empty, which is the parent itself, or a way of several names.
    pub(super) leaf: Vec<u8>,
}

impl TargetPath {
    /// Keeps the name free of other downloads' parts.
    pub(super) fn new(parent: Rc<TargetFolder>, leaf: &[u8]) -> Self {
        parent.folder.expect(leaf);
        Self { parent, leaf: leaf.to_vec() }
    }

    /// What is called `name` in the folder that this is, or will be.
    pub(super) fn join(&self, name: &[u8]) -> Self {
        let leaf = match &self.leaf[..] {
            [] => name.to_vec(),
            folder => [folder, b"/", name].concat(),
        };
        Self::new(Rc::clone(&self.parent), &leaf)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.parent.path.join(OsStr::from_bytes(&self.leaf))
    }

    pub(super) fn is_file(&self) -> bool {
        self.parent.folder.size_and_time(&self.leaf).is_ok_and(|found| found.is_some())
    }

    /// The file that is there, if there is one, and its size.
    pub(super) fn open_file(&self) -> io::Result<Option<(File, u64)>> {
        self.parent.folder.open_file(&self.leaf)
    }

    /// The path for people.
    pub(super) fn shown(&self) -> impl fmt::Display {
        shown(self.path().as_os_str().as_bytes()).to_string()
    }

    /// Compares with what is listed the file that is there. Unless it `keeps_times` it is as old
    /// as its download.
    pub(super) fn compare(&self, listed: ListedFile, keeps_times: bool) -> Found {
        let Ok(Some((size, modified))) = self.parent.folder.size_and_time(&self.leaf) else {
            return Found::NoFile;
        };
        let modified = modified.div_euclid(SECOND);
        let is_time_right =
            if keeps_times { modified == listed.modified } else { modified >= listed.modified };
        if size == listed.size && is_time_right { Found::Same } else { Found::Other }
    }

    /// Clears away what lies beside the file of a run that was killed when it had its name.
    pub(super) fn clear_published(&self) {
        if let Err(error) = Download::clear_published(&self.parent.folder, &self.leaf) {
            log::debug!("{}: {}", self.shown(), describe(&error));
        }
    }

    /// The folder, created if need be.
    pub(super) fn open_folder(&self) -> io::Result<Rc<TargetFolder>> {
        if self.leaf.is_empty() {
            return Ok(Rc::clone(&self.parent));
        }
        let folder = self.parent.folder.sub(&self.leaf)?;
        Ok(Rc::new(TargetFolder { folder, path: self.path() }))
    }
}
