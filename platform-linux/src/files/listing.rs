//! What a folder beneath the root contains.

#[cfg(test)]
mod tests;

use std::io;
use std::str;

use nix::dir::Dir;
use nix::fcntl::OFlag;

use super::root::check;
use super::storage::FileKind;
use super::{OpenError, Root};
use crate::sys::{Statx, statx, statx_at};

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderEntry {
    /// The size in bytes; 0 for a directory.
    pub size: u64,
    /// When the contents were last modified, in whole seconds since 1970 (UTC).
    pub modified: i64,
    /// The name, without a slash or any control character.
    pub name: String,
    /// Whether it is a directory; what is not is a regular file, or a link to one.
    pub directory: bool,
}

impl Root {
    /// What the folder that `name` leads to contains, sorted by the bytes of the names. An empty
    /// name, or `.`, is the root.
    ///
    /// Links to regular files beneath the root are listed as those files. Left out are all other
    /// links, what is neither a regular file nor a directory, and whatever has a name that is not
    /// UTF-8 or holds a control character. What appears or vanishes meanwhile may be in the list or
    /// not. An entry costs one system call (a link four) and memory for its name, however many there
    /// are, and the whole is made in one go: a millisecond or two for a thousand entries.
    ///
    /// # Errors
    /// As [`open_file`](Self::open_file); [`OpenError::NotFound`] for what is no directory.
    pub fn list(&self, name: &[u8]) -> Result<Vec<FolderEntry>, OpenError> {
        let name = if name.is_empty() { b"." } else { name };
        check(name)?;
        let folder = self.open_beneath(name, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?;
        let mut folder = Dir::from_fd(folder).map_err(io::Error::from)?;
        let mut names = Vec::new();
        for entry in folder.iter() {
            let entry = entry.map_err(io::Error::from)?;
            let Ok(name) = str::from_utf8(entry.file_name().to_bytes()) else { continue };
            if !matches!(name, "." | "..") && !name.contains(char::is_control) {
                names.push(name.to_owned());
            }
        }
        let mut path = [name, b"/"].concat();
        let base = path.len();
        let mut listed = Vec::with_capacity(names.len());
        for name in names {
            path.truncate(base);
            path.extend_from_slice(name.as_bytes());
            if let Some(statx) = self.examine(&folder, name.as_bytes(), &path)? {
                let directory = FileKind::of(statx.mode) == FileKind::Folder;
                let size = if directory { 0 } else { statx.size };
                listed.push(FolderEntry { size, modified: statx.modified.0, name, directory });
            }
        }
        listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// What the entry `name` of `folder` is, which is at `path` from the root; `None` if it is not
    /// to be listed.
    fn examine(&self, folder: &Dir, name: &[u8], path: &[u8]) -> Result<Option<Statx>, OpenError> {
        let found = match statx_at(folder, name) {
            Ok(found) => found,
            Err(error) => return passable(error),
        };
        match FileKind::of(found.mode) {
            FileKind::File | FileKind::Folder => Ok(Some(found)),
            FileKind::Link => match self.open_beneath(path, OFlag::O_PATH) {
                Ok(target) => {
                    let target = statx(&target)?;
                    Ok((FileKind::of(target.mode) == FileKind::File).then_some(target))
                }
                Err(error) => passable(error),
            },
            FileKind::Other => Ok(None),
        }
    }
}

/// An entry that cannot be reached is none; a system that is short of something gives no list that
/// could be taken for the whole.
fn passable<T>(error: io::Error) -> Result<Option<T>, OpenError> {
    match OpenError::from(error) {
        refusal @ (OpenError::Busy(_) | OpenError::Failed(_)) => Err(refusal),
        OpenError::NotFound | OpenError::Refused(_) => Ok(None),
    }
}
