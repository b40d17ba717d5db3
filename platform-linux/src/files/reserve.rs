//! Room on the disk.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{FallocateFlags, FsWord, fallocate, fstatfs, fstatvfs, ftruncate};
use rustix::io::{Errno, retry_on_intr};

/// From this size on, room is reserved, in bytes. For less it is not worth a call.
const RESERVE_FROM: u64 = 1 << 20;

/// The type of a file system in memory (`statfs(2)`).
const TMPFS_MAGIC: FsWord = 0x0102_1994;

/// Has the disk keep room for the `missing` bytes from `end`, the end of the file, on. The length of
/// the file stays as it is.
pub(super) fn reserve(fd: &OwnedFd, end: u64, missing: u64) -> io::Result<()> {
    if missing < RESERVE_FROM {
        return Ok(());
    }
    // Asked first, lest the attempt take all there is from everybody else for a while.
    let disk = fstatvfs(fd)?;
    let free = disk.f_bfree.saturating_mul(disk.f_frsize);
    if disk.f_blocks > 0 && missing > free {
        return Err(full(missing, free));
    }
    // There it is not put down in a list, but page by page filled with zeros, which costs as much as
    // writing the contents does.
    if fstatfs(fd)?.f_type == TMPFS_MAGIC {
        return Ok(());
    }
    let keep = FallocateFlags::KEEP_SIZE;
    match retry_on_intr(|| fallocate(fd, keep, end, missing)) {
        // Some file systems cannot.
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(Errno::NOSPC) => {
            // What it got before it failed.
            retry_on_intr(|| ftruncate(fd, end))?;
            Err(full(missing, disk.f_bavail.saturating_mul(disk.f_frsize)))
        }
        Err(errno) => Err(errno.into()),
    }
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
    use std::fs;

    use rustix::fs::fstat;

    use super::*;

    #[test]
    fn the_length_stays_as_it_is() {
        let file = tempfile::tempfile().unwrap();
        let fd = OwnedFd::from(file);
        reserve(&fd, 0, RESERVE_FROM - 1).unwrap();
        assert_eq!(fstat(&fd).unwrap().st_blocks, 0);
        reserve(&fd, 0, RESERVE_FROM).unwrap();
        assert_eq!(fstat(&fd).unwrap().st_size, 0);
    }

    #[test]
    fn what_a_quota_forbids_is_not_said_to_be_missing() {
        assert_eq!(full(10, 10).to_string(), "no space left: 10 bytes are needed");
        assert!(full(11, 10).to_string().ends_with(", 1 more than are free"));
    }

    #[test]
    fn more_than_the_disk_has_is_reported_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let fd = OwnedFd::from(fs::File::create(folder.path().join("file")).unwrap());
        let disk = fstatvfs(&fd).unwrap();
        let size = (disk.f_blocks * disk.f_frsize).saturating_add(1 << 40);
        let error = reserve(&fd, 0, size).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(
            error.to_string().starts_with(&format!("no space left: {size} bytes are needed, "))
        );
        assert_eq!(fstat(&fd).unwrap().st_blocks, 0);
    }
}
