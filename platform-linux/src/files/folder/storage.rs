//! A folder of Linux, as a download uses it.

use std::fs::{self, File};
use std::hash::BuildHasher as _;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, PosixFadviseAdvice, posix_fadvise, renameat};
use nix::sys::stat::{self, Mode, fchmod, futimens};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use nix::sys::time::TimeSpec;
use nix::unistd::linkat;

use super::Folder;
use super::own_name::sync_folders;
use crate::files::reserve::{check_room, reserve};
use crate::files::storage::{BootId, FileStatus, Found, Storage, StorageFile};
use crate::files::sync_each::{sync_each, unsynced};
use crate::sys::{self, errno, retry};

/// In nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// More than the clock by which files are stamped takes from one time to the next: it ticks at least a
/// hundred times a second.
const TICK: Duration = Duration::from_millis(20);

impl Storage for Folder {
    type File = File;

    fn try_clone(&self) -> io::Result<Self> {
        let own_name = self.own_name.clone();
        Ok(Self { own_name, ..self.related(Arc::clone(&self.file)) })
    }

    fn boot(&self) -> BootId {
        static BOOT: OnceLock<BootId> = OnceLock::new();
        *BOOT.get_or_init(|| {
            let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
            let digits = text.trim().replace('-', "");
            u128::from_str_radix(&digits, 16).unwrap_or(0).to_be_bytes()
        })
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

    fn create(&self, name: &[u8]) -> io::Result<File> {
        self.create(name, Mode::S_IRUSR | Mode::S_IWUSR)
    }

    fn create_unnamed(&self) -> Option<File> {
        self.create_unnamed(Mode::S_IRUSR | Mode::S_IWUSR)
    }

    fn link(&self, file: &File, name: &[u8]) -> io::Result<()> {
        self.link(file, name)
    }

    fn usual_mode(&self) -> u32 {
        static MODE: OnceLock<u32> = OnceLock::new();
        *MODE.get_or_init(|| 0o666 & !umask())
    }

    fn open_found(&self, name: &[u8]) -> io::Result<Found<File>> {
        let error = match self.open_existing(name) {
            Ok(file) => return Ok(Found::File(file)),
            Err(error) => error,
        };
        match errno(&error) {
            Errno::ENOENT => Ok(Found::Nothing),
            Errno::ELOOP
            | Errno::EISDIR
            | Errno::ENXIO
            | Errno::ENODEV
            | Errno::EACCES
            | Errno::EPERM
            | Errno::ETXTBSY => Ok(Found::Strange),
            _ => Err(error),
        }
    }

    fn rename(&self, from: &[u8], to: &[u8], replaces: bool) -> io::Result<()> {
        if replaces {
            return retry(|| renameat(&self.file, from, &self.file, to));
        }
        let renamed = sys::rename_new(&self.file, from, to);
        match renamed.as_ref().map_err(errno) {
            // The file system, or the kernel, cannot rename so.
            Err(Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP | Errno::EPERM) => {
                self.rename_by_link(from, to)
            }
            _ => renamed,
        }
    }

    fn remove(&self, name: &[u8]) -> io::Result<()> {
        self.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        sync_folders(&[self.opened()]).pop().unwrap_or_else(unsynced)
    }

    fn sync_folders(folders: &[&Self]) -> Vec<io::Result<()>> {
        let opened: Vec<_> = folders.iter().map(|folder| folder.opened()).collect();
        sync_folders(&opened)
    }

    fn sync_files(files: &[&File]) -> Vec<io::Result<()>> {
        sync_each(files)
    }
}

impl Folder {
    /// Gives a file another name unless something has it, as older means can: by a second name, or
    /// where there is no such thing, by looking first.
    pub(in crate::files) fn rename_by_link(&self, from: &[u8], to: &[u8]) -> io::Result<()> {
        let folder = &self.file;
        match retry(|| linkat(folder, from, folder, to, AtFlags::empty())) {
            Ok(()) => {
                // It has the name. Should the first one stay, the next download removes it.
                let _ = self.remove(from);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            Err(_) if self.look(to)?.is_some() => Err(Errno::EEXIST.into()),
            Err(_) => retry(|| renameat(folder, from, folder, to)),
        }
    }
}

impl StorageFile for File {
    fn status(&self) -> io::Result<FileStatus> {
        FileStatus::of(self)
    }

    fn lock(&self) -> io::Result<()> {
        sys::lock(self)
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        retry(|| self.read_at(buffer, offset))
    }

    fn changed(&self) -> io::Result<Option<i64>> {
        let (seconds, nanoseconds) = sys::statx(self)?.changed;
        // What is changed through memory that is mapped (`mmap(2)`) a file system in memory does not see.
        let sees_all = retry(|| fstatfs(self)).is_ok_and(|it| it.filesystem_type() != TMPFS_MAGIC);
        // That is how times of whole seconds look.
        if nanoseconds == 0 || !sees_all {
            return Ok(None);
        }
        let whole = seconds.checked_mul(SECOND);
        Ok(whole.and_then(|whole| whole.checked_add(nanoseconds.into())))
    }

    fn settle(&self) {
        thread::sleep(TICK);
    }

    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn check_room(&self, bytes: u64) -> io::Result<()> {
        check_room(self, bytes)
    }

    fn reserve(&self, offset: u64, length: u64) -> io::Result<()> {
        reserve(self, offset, length)
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        where_there_is_such(retry(|| fchmod(self, Mode::from_bits_truncate(mode))))
    }

    fn set_modified(&self, time: i64) -> io::Result<()> {
        let time = TimeSpec::new(time.div_euclid(SECOND), time.rem_euclid(SECOND));
        where_there_is_such(retry(|| futimens(self, &TimeSpec::UTIME_OMIT, &time)))
    }

    fn sync(&self) -> io::Result<()> {
        sys::sync_data(self)
    }

    fn sync_all(&self) -> io::Result<()> {
        sys::sync_all(self)
    }

    /// That is what this advice does on Linux, besides letting go of what is on the disk already.
    fn begin_sync(&self) {
        let _ = posix_fadvise(self, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    }
}

/// Some file systems have no permissions or times of their own, and say it in one of these ways.
fn where_there_is_such(set: io::Result<()>) -> io::Result<()> {
    match set.as_ref().map_err(errno) {
        Err(Errno::EPERM | Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => Ok(()),
        _ => set,
    }
}

/// The permissions that the user forbids new files.
fn umask() -> u32 {
    // Told without being set, so that no other thread's new file meets another one meanwhile.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let told = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    told.and_then(|digits| u32::from_str_radix(digits.trim(), 8).ok()).unwrap_or_else(|| {
        let mask = stat::umask(Mode::S_IRWXG | Mode::S_IRWXO);
        stat::umask(mask);
        mask.bits()
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::UNIX_EPOCH;

    use nix::fcntl::{OFlag, open};

    use super::super::own_name::NewFolder;
    use super::*;

    #[test]
    fn what_a_new_file_may_be_is_what_the_user_lets() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let mode = fs::metadata(folder.path().join("file")).unwrap().permissions().mode() & 0o7777;
        assert_eq!(Folder::open(folder.path()).unwrap().usual_mode(), mode);
    }

    #[test]
    fn no_change_leaves_the_mark_as_it_was_even_if_times_are_set_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let before = file.as_file().changed().unwrap();
        assert_eq!(file.as_file().changed().unwrap(), before);
        file.as_file().settle();
        let modified = file.as_file().metadata().unwrap().modified().unwrap();
        fs::write(file.path(), "other contents").unwrap();
        file.as_file().set_modified(modified).unwrap();
        // Where there is such a mark at all.
        assert!(before.is_none() || file.as_file().changed().unwrap() != before);
    }

    #[test]
    fn in_memory_there_is_no_such_mark() {
        let Ok(file) = tempfile::tempfile_in("/dev/shm") else {
            crate::testing::not_tried(
                "what a file in memory tells of its changes: there is no /dev/shm",
            );
            return;
        };
        assert_eq!(file.changed().unwrap(), None);
    }

    #[test]
    fn times_before_1970_are_times_too() {
        let file = tempfile::tempfile().unwrap();
        for (time, second, rest) in [(1_500_000_000, 1, 500_000_000), (-1, -1, 999_999_999)] {
            StorageFile::set_modified(&file, time).unwrap();
            let told = sys::statx(&file).unwrap().modified;
            assert_eq!(told, (second, rest));
        }
        StorageFile::set_modified(&file, 0).unwrap();
        assert_eq!(file.metadata().unwrap().modified().unwrap(), UNIX_EPOCH);
    }

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

    #[test]
    fn what_is_new_is_told_from_what_is_found() {
        let target = tempfile::tempdir().unwrap();
        fs::create_dir(target.path().join("found")).unwrap();
        let folder = Folder::open(target.path()).unwrap();
        let is_new = |name: &str| folder.sub(name.as_bytes()).unwrap().as_new().is_some();
        assert_eq!(["found", "found/new", "a/b"].map(is_new), [false, true, true]);
        assert!(folder.as_new().is_none());
    }

    /// The folder is open so that it cannot be synced (`open(2)`).
    #[test]
    fn a_folder_of_which_the_name_may_be_lost_makes_nothing_last_that_is_in_it() {
        let target = tempfile::tempdir().unwrap();
        let file = open(target.path(), OFlag::O_PATH, Mode::empty()).unwrap();
        let above = Folder::from(File::from(file));
        let lost = above.sub(b"lost").unwrap();
        let [inner, other] = [lost.sub(b"inner").unwrap(), lost.sub(b"other").unwrap()];
        let beside = Folder::open(target.path()).unwrap().sub(b"beside").unwrap();
        for _ in 0..2 {
            let results = Folder::sync_folders(&[&inner, &beside, &inner, &above]);
            let is_ok: Vec<_> = results.iter().map(Result::is_ok).collect();
            assert_eq!(is_ok, [false, true, false, false]);
        }
        let new = [&lost, &other, &beside].map(|folder| folder.as_new().unwrap());
        let results = NewFolder::sync_all(&new);
        assert!(results.iter().map(Result::is_ok).eq([false, false, true]), "{results:?}");
    }
}
