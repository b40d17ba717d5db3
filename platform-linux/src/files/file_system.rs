//! What kind of file system a file is on.

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::sys::statfs::{
    AFS_SUPER_MAGIC, AUTOFS_SUPER_MAGIC, BPF_FS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
    CODA_SUPER_MAGIC, DEBUGFS_MAGIC, FUSE_SUPER_MAGIC, FsType, HOSTFS_SUPER_MAGIC, HUGETLBFS_MAGIC,
    NCP_SUPER_MAGIC, NFS_SUPER_MAGIC, NSFS_MAGIC, PROC_SUPER_MAGIC, RDTGROUP_SUPER_MAGIC,
    SECURITYFS_MAGIC, SELINUX_MAGIC, SMACK_MAGIC, SMB_SUPER_MAGIC, SYSFS_MAGIC, TMPFS_MAGIC,
    TRACEFS_MAGIC, USBDEVICE_SUPER_MAGIC, XENFS_SUPER_MAGIC, fstatfs,
};

use crate::sys::{errno, retry};

/// What may be expected of the files there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileSystem {
    /// They are in memory always.
    Memory,
    /// The system itself reads them, from a disk as a rule.
    Disk,
    /// Another machine or program does, which may not answer.
    Remote,
    /// They are made when they are read: the size that they have says nothing of what they contain.
    Generated,
}

/// Those that `libc` has no name for (`linux/magic.h`, and the sources of the file systems).
const RAMFS: u32 = 0x8584_58f6;
const CIFS: u32 = 0xff53_4d42;
const SMB2: u32 = 0xfe53_4d42;
const CEPH: u32 = 0x00c3_6400;
const V9FS: u32 = 0x0102_1997;
const CONFIGFS: u32 = 0x6265_6570;
const PSTOREFS: u32 = 0x6165_676c;
const EFIVARFS: u32 = 0xde5e_81e4;
const BINFMTFS: u32 = 0x4249_4e4d;

impl FileSystem {
    /// That of what is open there (`statfs(2)`).
    pub(super) fn of(fd: impl AsFd) -> io::Result<Self> {
        match retry(|| fstatfs(&fd)) {
            // Filters that do not let it be asked are found around plain disks.
            Err(error) if matches!(errno(&error), Errno::ENOSYS | Errno::EPERM) => Ok(Self::Disk),
            found => Ok(Self::known_by(found?.filesystem_type())),
        }
    }

    fn known_by(magic: FsType) -> Self {
        let generated = [
            PROC_SUPER_MAGIC,
            SYSFS_MAGIC,
            DEBUGFS_MAGIC,
            TRACEFS_MAGIC,
            CGROUP_SUPER_MAGIC,
            CGROUP2_SUPER_MAGIC,
            SECURITYFS_MAGIC,
            SELINUX_MAGIC,
            SMACK_MAGIC,
            BPF_FS_MAGIC,
            NSFS_MAGIC,
            RDTGROUP_SUPER_MAGIC,
            USBDEVICE_SUPER_MAGIC,
            XENFS_SUPER_MAGIC,
        ];
        let remote = [
            FUSE_SUPER_MAGIC,
            NFS_SUPER_MAGIC,
            SMB_SUPER_MAGIC,
            NCP_SUPER_MAGIC,
            AFS_SUPER_MAGIC,
            CODA_SUPER_MAGIC,
            AUTOFS_SUPER_MAGIC,
            HOSTFS_SUPER_MAGIC,
        ];
        // The type of the number differs between C libraries, and so does its sign.
        let number = u32::try_from(magic.0 & 0xffff_ffff).unwrap_or(0);
        if generated.contains(&magic) || [CONFIGFS, PSTOREFS, EFIVARFS, BINFMTFS].contains(&number)
        {
            Self::Generated
        } else if remote.contains(&magic) || [CIFS, SMB2, CEPH, V9FS].contains(&number) {
            Self::Remote
        } else if [TMPFS_MAGIC, HUGETLBFS_MAGIC].contains(&magic) || number == RAMFS {
            Self::Memory
        } else {
            Self::Disk
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn what_the_kernel_makes_is_generated() {
        for path in ["/proc/self/status", "/sys/kernel", "/proc"] {
            let file = File::open(path).unwrap();
            assert_eq!(FileSystem::of(&file).unwrap(), FileSystem::Generated, "{path}");
        }
    }

    #[test]
    fn what_the_programs_write_is_not() {
        let file = tempfile::tempfile().unwrap();
        assert_ne!(FileSystem::of(&file).unwrap(), FileSystem::Generated);
        assert_eq!(FileSystem::known_by(FUSE_SUPER_MAGIC), FileSystem::Remote);
        assert_eq!(FileSystem::known_by(TMPFS_MAGIC), FileSystem::Memory);
    }
}
