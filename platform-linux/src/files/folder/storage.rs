//! A folder of Linux, as a download uses it.

use std::fs;
use std::hash::BuildHasher as _;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;

use rustix::fs::{
    Advice, AtFlags, FlockOperation, Mode, RenameFlags, fadvise, fdatasync, flock, ftruncate,
    linkat, renameat, renameat_with,
};
use rustix::io::{Errno, pread, retry_on_intr};

use super::Folder;
use crate::files::reserve::reserve;
use crate::files::served_file::write_all;
use crate::files::storage::{Access, BootId, FileStatus, Found, Storage, StorageFile};

impl Storage for Folder {
    type File = OwnedFd;

    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::from(self.fd.try_clone()?))
    }

    fn boot(&self) -> BootId {
        static BOOT: OnceLock<BootId> = OnceLock::new();
        *BOOT.get_or_init(|| {
            let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
            let digits = text.trim().replace('-', "");
            u128::from_str_radix(&digits, 16).unwrap_or(0).to_be_bytes()
        })
    }

    fn status(&self) -> io::Result<FileStatus> {
        FileStatus::of(&self.fd)
    }

    fn expects(&self, name: &[u8]) -> bool {
        self.expected.borrow().contains(&self.hasher.hash_one(name))
    }

    fn look(&self, name: &[u8]) -> io::Result<Option<FileStatus>> {
        self.look(name)
    }

    fn owns(&self, status: &FileStatus) -> io::Result<bool> {
        self.owns(status)
    }

    fn create(&self, name: &[u8], access: Access) -> io::Result<OwnedFd> {
        let mode = match access {
            Access::Usual => Mode::from_raw_mode(0o666),
            Access::Private => Mode::RUSR | Mode::WUSR,
        };
        Ok(self.create(name, mode)?)
    }

    fn open_found(&self, name: &[u8]) -> io::Result<Found<OwnedFd>> {
        match self.open_existing(name) {
            Ok(fd) => Ok(Found::File(fd)),
            Err(Errno::NOENT) => Ok(Found::Nothing),
            Err(
                Errno::LOOP
                | Errno::ISDIR
                | Errno::NXIO
                | Errno::NODEV
                | Errno::ACCESS
                | Errno::PERM
                | Errno::TXTBSY,
            ) => Ok(Found::Strange),
            Err(errno) => Err(errno.into()),
        }
    }

    fn rename(&self, from: &[u8], to: &[u8], replaces: bool) -> io::Result<()> {
        let fd = &self.fd;
        if replaces {
            return Ok(renameat(fd, from, fd, to)?);
        }
        match renameat_with(fd, from, fd, to, RenameFlags::NOREPLACE) {
            // The file system, or the kernel, cannot rename so.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => self.rename_by_link(from, to),
            renamed => Ok(renamed?),
        }
    }

    fn remove(&self, name: &[u8]) -> io::Result<()> {
        self.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync()
    }
}

impl Folder {
    /// Gives a file another name unless something has it, as older means can: by a second name, or
    /// where there is no such thing, by looking first.
    pub(in crate::files) fn rename_by_link(&self, from: &[u8], to: &[u8]) -> io::Result<()> {
        let fd = &self.fd;
        match linkat(fd, from, fd, to, AtFlags::empty()) {
            Ok(()) => {
                // It has the name. Should the first one stay, the next download removes it.
                let _ = self.remove(from);
                Ok(())
            }
            Err(Errno::EXIST) => Err(Errno::EXIST.into()),
            Err(_) if self.look(to)?.is_some() => Err(Errno::EXIST.into()),
            Err(_) => Ok(renameat(fd, from, fd, to)?),
        }
    }
}

impl StorageFile for OwnedFd {
    fn status(&self) -> io::Result<FileStatus> {
        FileStatus::of(self)
    }

    fn lock(&self) -> io::Result<()> {
        match retry_on_intr(|| flock(self, FlockOperation::NonBlockingLockExclusive)) {
            // A file system without locks has no protection to offer.
            Ok(()) | Err(Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| pread(self, &mut *buffer, 0))?)
    }

    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        write_all(self, bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        Ok(retry_on_intr(|| ftruncate(self, length))?)
    }

    fn reserve(&self, end: u64, missing: u64) -> io::Result<()> {
        reserve(self, end, missing)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(retry_on_intr(|| fdatasync(self))?)
    }

    /// That is what this advice does on Linux, besides letting go of what is on the disk already.
    fn begin_sync(&self) {
        let _ = fadvise(self, 0, None, Advice::DontNeed);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_start_of_the_system_has_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder::open(folder.path()).unwrap();
        assert_ne!(folder.boot(), BootId::default());
        assert_eq!(folder.boot(), folder.boot());
    }

    /// A folder has no second name anywhere.
    #[test]
    fn where_there_is_no_second_name_nothing_is_replaced_either() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["one", "two"] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join("inside"), name).unwrap();
        }
        let opened = Folder::open(folder.path()).unwrap();
        let error = opened.rename_by_link(b"one", b"two").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(path("two").join("inside")).unwrap(), b"two");
        opened.rename_by_link(b"one", b"new").unwrap();
        assert!(!path("one").exists());
        assert_eq!(fs::read(path("new").join("inside")).unwrap(), b"one");
    }
}
