//! What a folder beneath the root contains.

#[cfg(test)]
mod tests;

use std::io;

use barewire_core::file::{Entry, EntryKind};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::OFlag;

use super::storage::FileKind;
use super::{OpenError, Reason, Root};
use crate::sys::{Statx, statx, statx_at};

/// After how many entries it is asked whether the list is still wanted: some milliseconds' worth.
const ENTRIES: u32 = 1024;

/// What a folder contains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderListing {
    /// Sorted by the bytes of their names.
    pub entries: Vec<FolderEntry>,
    /// How many more there are whose names cannot be told (see [`Entry::is_name`]).
    pub left_out: u64,
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderEntry {
    /// The size in bytes; 0 for what is no file.
    pub size: u64,
    /// When the contents were last modified, in whole seconds since 1970 (UTC).
    pub modified: i64,
    /// The name, without a slash or any control character.
    pub name: String,
    /// What it is; a link to a file is that file.
    pub kind: EntryKind,
}

impl Root {
    /// What the folder that `name` leads to contains, as far as it is served. An empty name, or `.`, is
    /// the root.
    ///
    /// Links to regular files beneath the root are listed as those files, and links to directories
    /// there as such. All other links, and what is neither a regular file nor a directory, cannot be
    /// had, and are not there. What has a name that cannot be told is counted. What appears or vanishes
    /// meanwhile may be in the list or not. An entry costs one system call (a link four) and memory for
    /// its name, however many there are, and the whole is made in one go: a millisecond or two for a
    /// thousand entries.
    ///
    /// # Errors
    /// As [`open_file`](Self::open_file); [`OpenError::NotFound`] for what is no directory.
    pub fn list(&self, name: &[u8]) -> Result<FolderListing, OpenError> {
        self.list_while(name, || true)
    }

    /// As [`list`](Self::list), as long as `is_wanted`, which is asked every now and then.
    ///
    /// # Errors
    /// As [`list`](Self::list). [`OpenError::Busy`] (`ECANCELED`) if it is not wanted any more.
    pub fn list_while(
        &self,
        name: &[u8],
        is_wanted: impl Fn() -> bool,
    ) -> Result<FolderListing, OpenError> {
        let mut since = 0;
        let mut go_on = || {
            since = (since + 1) % ENTRIES;
            if since > 0 || is_wanted() {
                return Ok(());
            }
            Err(OpenError::Busy(Reason::System(Errno::ECANCELED as i32)))
        };
        let name = if name.is_empty() { b"./" } else { name };
        self.check(name, false)?;
        let folder = self.open_beneath(name, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?;
        let mut folder = Dir::from_fd(folder).map_err(io::Error::from)?;
        let mut names = Vec::new();
        for entry in folder.iter() {
            go_on()?;
            let entry = entry.map_err(io::Error::from)?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                names.push(name.to_owned());
            }
        }
        // One that was removed is empty for whoever has it open: as a copy of it nobody wants that.
        if names.is_empty() && statx(&folder)?.links == 0 {
            return Err(OpenError::NotFound);
        }
        let mut path = [name, b"/"].concat();
        let base = path.len();
        let mut listing = FolderListing::default();
        for name in names {
            go_on()?;
            path.truncate(base);
            path.extend_from_slice(&name);
            let Some((kind, statx)) = self.examine(&folder, &name, &path)? else { continue };
            match String::from_utf8(name).ok().filter(|name| Entry::is_name(name, kind)) {
                Some(name) => {
                    let size = if kind == EntryKind::File { statx.size } else { 0 };
                    listing.entries.push(FolderEntry {
                        size,
                        modified: statx.modified.0,
                        name,
                        kind,
                    });
                }
                None => listing.left_out += 1,
            }
        }
        listing.entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(listing)
    }

    /// What the entry `name` of `folder` is, which is at `path` from the root; `None` if it is not
    /// served.
    fn examine(
        &self,
        folder: &Dir,
        name: &[u8],
        path: &[u8],
    ) -> Result<Option<(EntryKind, Statx)>, OpenError> {
        if self.hides(name, FileKind::Folder) {
            return Ok(None);
        }
        let found = match statx_at(folder, name) {
            Ok(found) => found,
            Err(error) => return passable(error),
        };
        let (found, directory) = match FileKind::of(found.mode) {
            FileKind::Link => match self.open_beneath(path, OFlag::O_PATH) {
                Ok(target) => (statx(&target)?, EntryKind::LinkToDirectory),
                Err(error) => return passable(error),
            },
            _ => (found, EntryKind::Directory),
        };
        Ok(match FileKind::of(found.mode) {
            FileKind::File if self.hides(name, FileKind::File) => None,
            FileKind::File => Some((EntryKind::File, found)),
            FileKind::Folder => Some((directory, found)),
            FileKind::Link | FileKind::Other => None,
        })
    }
}

/// An entry that cannot be reached is none; a system that is short of something gives no list that
/// could be taken for the whole.
fn passable<T>(error: io::Error) -> Result<Option<T>, OpenError> {
    match OpenError::from(error) {
        refusal @ (OpenError::Busy(_) | OpenError::Failed(_)) => Err(refusal),
        OpenError::NotFound | OpenError::Hidden | OpenError::Refused(_) => Ok(None),
    }
}
