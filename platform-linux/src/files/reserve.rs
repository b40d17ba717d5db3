//! Room on the disk.

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use nix::sys::statvfs::{Statvfs, fstatvfs};
use nix::unistd::geteuid;

use crate::sys::{errno, retry};

/// From this size on, room is asked for and reserved, in bytes. For less it is not worth a call.
const RESERVE_FROM: u64 = 1 << 20;

/// Fails if this user may not take `bytes` more.
pub(super) fn check_room(file: &File, bytes: u64) -> io::Result<()> {
    if bytes < RESERVE_FROM {
        return Ok(());
    }
    // Where that is not told, the contents will tell.
    let Ok(disk) = retry(|| fstatvfs(file)) else { return Ok(()) };
    let free = available(&disk);
    // Some file systems do not count.
    if disk.blocks() > 0 && bytes > free { Err(full(bytes, free)) } else { Ok(()) }
}

/// Has the disk keep room for `length` bytes from `offset` on. The length of the file stays as it is.
pub(super) fn reserve(file: &File, offset: u64, length: u64) -> io::Result<()> {
    if length < RESERVE_FROM {
        return Ok(());
    }
    // Asked first, lest the attempt take all there is from everybody else for a while.
    check_room(file, length)?;
    // There it is not put down in a list, but page by page filled with zeros, which costs as much as
    // writing the contents does.
    if retry(|| fstatfs(file)).is_ok_and(|fs| fs.filesystem_type() == TMPFS_MAGIC) {
        return Ok(());
    }
    let keep = FallocateFlags::FALLOC_FL_KEEP_SIZE;
    let (from, count) = (signed(offset)?, signed(length)?);
    let Err(error) = retry(|| fallocate(file, keep, from, count)) else { return Ok(()) };
    match errno(&error) {
        // Some file systems cannot, and some filters do not know it.
        Errno::EOPNOTSUPP | Errno::ENOSYS | Errno::EPERM => Ok(()),
        Errno::ENOSPC | Errno::EDQUOT => {
            // What it got before it failed.
            file.set_len(file.metadata()?.len())?;
            Err(full(length, available(&retry(|| fstatvfs(file))?)))
        }
        _ => Err(error),
    }
}

/// Some of what is free is kept for the superuser.
fn available(disk: &Statvfs) -> u64 {
    let is_all = geteuid().is_root();
    let blocks = if is_all { disk.blocks_free() } else { disk.blocks_available() };
    blocks.saturating_mul(disk.fragment_size())
}

fn signed(bytes: u64) -> io::Result<i64> {
    i64::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

fn full(needed: u64, free: u64) -> io::Error {
    let more = match needed.checked_sub(free) {
        // There is a quota, or others were faster.
        None | Some(0) => String::new(),
        Some(missing) => format!(", {} more than are free", for_people(missing)),
    };
    let text = format!("no space left: {} are needed{more}", for_people(needed));
    io::Error::new(io::ErrorKind::StorageFull, text)
}

/// A number of bytes, cut off behind three or more digits.
fn for_people(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let steps = bytes.checked_ilog2().unwrap_or(0) / 10;
    let Some(unit) = steps.checked_sub(1).and_then(|at| units.get(usize::try_from(at).ok()?))
    else {
        return format!("{bytes} bytes");
    };
    let hundredths = (u128::from(bytes) * 100) >> (10 * steps);
    format!("{}.{:02} {unit}", hundredths / 100, hundredths % 100)
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
        assert!(full(11, 10).to_string().ends_with(", 1 bytes more than are free"));
    }

    #[test]
    fn bytes_are_told_in_units_for_people() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.00 KiB"),
            ((1 << 30) - 1, "1023.99 MiB"),
            (3 << 29, "1.50 GiB"),
            (u64::MAX, "15.99 EiB"),
        ] {
            assert_eq!(for_people(bytes), text);
        }
    }

    #[test]
    fn what_the_disk_keeps_for_others_is_not_counted() {
        let file = tempfile::tempfile().unwrap();
        let disk = fstatvfs(&file).unwrap();
        let blocks = if geteuid().is_root() { disk.blocks_free() } else { disk.blocks_available() };
        assert_eq!(available(&disk), blocks * disk.fragment_size());
    }

    #[test]
    fn more_than_the_disk_has_is_reported_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("file")).unwrap();
        let disk = fstatvfs(&file).unwrap();
        let size = (disk.blocks() * disk.fragment_size()).saturating_add(1 << 40);
        for asked in [check_room(&file, size), reserve(&file, 0, size)] {
            let error = asked.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            let text = format!("no space left: {} are needed, ", for_people(size));
            assert!(error.to_string().starts_with(&text));
        }
        assert_eq!(file.metadata().unwrap().blocks(), 0);
    }
}
