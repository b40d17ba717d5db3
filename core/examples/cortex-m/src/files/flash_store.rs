//! What there is to be had: files in flash, and their list.

use core::fmt::Write;

/// The longest name that is asked for or served, in bytes.
pub(super) const LONGEST: usize = 64;

use barewire_core::file::{Entry, EntryKind, Operation, Request};
use heapless::String;

/// A file in flash.
#[derive(Clone, Copy, Debug)]
pub struct File {
    name: &'static str,
    contents: &'static [u8],
    tag: u64,
}

impl File {
    /// A file of this name.
    pub const fn new(name: &'static str, contents: &'static [u8]) -> Self {
        // 0 would mean none.
        let tag = match Checksum::new().and(contents).value() {
            0 => 1,
            sum => sum,
        };
        Self { name, contents, tag }
    }
}

/// A running checksum, FNV-1a: enough to tell versions apart, and computed by the compiler for what is
/// in flash. (It proves nothing; that is what the digests are for.)
#[derive(Clone, Copy, Debug)]
pub struct Checksum(u64);

impl Checksum {
    /// Of no bytes.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// With these bytes behind those before.
    #[must_use]
    pub const fn and(self, bytes: &[u8]) -> Self {
        let Self(mut sum) = self;
        let mut rest = bytes;
        while let [byte, after @ ..] = rest {
            sum = (sum ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
            rest = after;
        }
        Self(sum)
    }

    /// The sum.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

/// The files of a server, and the list of them.
#[derive(Debug)]
pub struct FlashStore {
    files: &'static [File],
    list: String<LIST>,
}

/// How long the list may be, in bytes.
const LIST: usize = 256;

impl FlashStore {
    /// These files, which must be sorted by name. What finds no room in the list is left out of it.
    pub fn new(files: &'static [File]) -> Self {
        let mut list = String::new();
        for &File { name, contents, .. } in files {
            let size = contents.len() as u64;
            // Nobody knows when a file in flash was modified.
            let entry = Entry { size, modified: 0, name, kind: EntryKind::File };
            let end = list.len();
            if writeln!(list, "{entry}").is_err() {
                list.truncate(end);
            }
        }
        Self { files, list }
    }

    /// What a request asks for, with its tag.
    pub(super) fn find(&self, request: &Request<'_>) -> Option<Found> {
        match (request.operation, request.name) {
            (Operation::Get | Operation::Hashes, name) => {
                let is_it = |file: &File| file.name.as_bytes() == name;
                self.files.iter().position(is_it).map(Found::File)
            }
            (Operation::List, b"" | b".") => Some(Found::List),
            _ => None,
        }
    }

    pub(super) fn contents(&self, found: Found) -> &[u8] {
        match found {
            Found::File(index) => self.files.get(index).map_or(&[], |file| file.contents),
            Found::List => self.list.as_bytes(),
        }
    }

    pub(super) fn tag(&self, found: Found) -> u64 {
        match found {
            Found::File(index) => self.files.get(index).map_or(1, |file| file.tag),
            Found::List => 1,
        }
    }
}

/// What was asked for, and is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    File(usize),
    List,
}
