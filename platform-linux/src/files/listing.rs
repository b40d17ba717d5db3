//! What a folder beneath the root contains.

#[cfg(test)]
mod tests;

use std::os::fd::BorrowedFd;
use std::str;

use rustix::fs::{AtFlags, Dir, FileType, OFlags, Stat, fstat, statat};
use rustix::io::Errno;

use super::root::check;
use super::version::size;
use super::{OpenError, Root};

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
        let folder = self.open_beneath(name, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut path = [name, b"/"].concat();
        let base = path.len();
        let mut listed = Vec::new();
        let mut folder = Dir::new(folder)?;
        while let Some(entry) = folder.read() {
            let entry = entry?;
            let bytes = entry.file_name().to_bytes();
            let Ok(name) = str::from_utf8(bytes) else { continue };
            if matches!(name, "." | "..") || name.contains(char::is_control) {
                continue;
            }
            path.truncate(base);
            path.extend_from_slice(bytes);
            if let Some(stat) = self.examine(folder.fd()?, bytes, &path)? {
                let directory = kind(&stat) == FileType::Directory;
                listed.push(FolderEntry {
                    size: if directory { 0 } else { size(&stat) },
                    modified: stat.st_mtime,
                    name: name.to_owned(),
                    directory,
                });
            }
        }
        listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// What the entry `name` of `folder` is, which is at `path` from the root; `None` if it is not
    /// to be listed.
    fn examine(
        &self,
        folder: BorrowedFd<'_>,
        name: &[u8],
        path: &[u8],
    ) -> Result<Option<Stat>, OpenError> {
        let stat = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT) {
            Ok(stat) => stat,
            Err(errno) => return passable(errno),
        };
        match kind(&stat) {
            FileType::RegularFile | FileType::Directory => Ok(Some(stat)),
            FileType::Symlink => match self.open_beneath(path, OFlags::PATH) {
                Ok(target) => {
                    let stat = fstat(target)?;
                    Ok((kind(&stat) == FileType::RegularFile).then_some(stat))
                }
                Err(errno) => passable(errno),
            },
            _ => Ok(None),
        }
    }
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// An entry that cannot be reached is none; a system that is short of something gives no list that
/// could be taken for the whole.
fn passable<T>(errno: Errno) -> Result<Option<T>, OpenError> {
    match OpenError::from(errno) {
        refusal @ (OpenError::Busy(_) | OpenError::Failed(_)) => Err(refusal),
        OpenError::NotFound | OpenError::Refused(_) => Ok(None),
    }
}
