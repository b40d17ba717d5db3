//! Room on the disk.

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use nix::sys::statvfs::fstatvfs;

use crate::sys::{errno, retry};

/// From this size on, room is reserved, in bytes. For less it is not worth a call.
const RESERVE_FROM: u64 = 1 << 20;

/// Has the disk keep room for the `missing` bytes from `end`, the end of the file, on. The length of
/// the file stays as it is.
pub(super) fn reserve(file: &File, end: u64, missing: u64) -> io::Result<()> {
    if missing < RESERVE_FROM {
        return Ok(());
    }
    // Asked first, lest the attempt take all there is from everybody else for a while.
    let disk = retry(|| fstatvfs(file))?;
    let free = disk.blocks_free().saturating_mul(disk.fragment_size());
    if disk.blocks() > 0 && missing > free {
        return Err(full(missing, free));
    }
    // There it is not put down in a list, but page by page filled with zeros, which costs as much as
    // writing the contents does.
    if retry(|| fstatfs(file))?.filesystem_type() == TMPFS_MAGIC {
        return Ok(());
    }
    let keep = FallocateFlags::FALLOC_FL_KEEP_SIZE;
    let (from, length) = (offset(end)?, offset(missing)?);
    let Err(error) = retry(|| fallocate(file, keep, from, length)) else { return Ok(()) };
    match errno(&error) {
        // Some file systems cannot.
        Errno::EOPNOTSUPP | Errno::ENOSYS => Ok(()),
        Errno::ENOSPC => {
            // What it got before it failed.
            file.set_len(end)?;
            Err(full(missing, disk.blocks_available().saturating_mul(disk.fragment_size())))
        }
        _ => Err(error),
    }
}

fn offset(bytes: u64) -> io::Result<i64> {
    i64::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

fn full(needed: u64, free: u64) -> io::Error {
    let more = match needed.checked_sub(free) {
        // There is a quota, or others were faster.
        None | Some(0) => String::new(),
        Some(missing) => format!(", {missing} more than are free"),
    };
    let text = format!("no space left: {needed} bytes are needed{more}");
    io::Error::new(io::ErrorKind::StorageFull, text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn the_length_stays_as_it_is() {
        let file = tempfile::tempfile().unwrap();
        reserve(&file, 0, RESERVE_FROM - 1).unwrap();
        assert_eq!(file.metadata().unwrap().blocks(), 0);
        reserve(&file, 0, RESERVE_FROM).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 0);
    }

    #[test]
    fn what_a_quota_forbids_is_not_said_to_be_missing() {
        assert_eq!(full(10, 10).to_string(), "no space left: 10 bytes are needed");
        assert!(full(11, 10).to_string().ends_with(", 1 more than are free"));
    }

    #[test]
    fn more_than_the_disk_has_is_reported_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("file")).unwrap();
        let disk = fstatvfs(&file).unwrap();
        let size = (disk.blocks() * disk.fragment_size()).saturating_add(1 << 40);
        let error = reserve(&file, 0, size).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(
            error.to_string().starts_with(&format!("no space left: {size} bytes are needed, "))
        );
        assert_eq!(file.metadata().unwrap().blocks(), 0);
    }
}
