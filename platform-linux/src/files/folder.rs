//! The folder that a client writes to.

mod own_name;
mod storage;

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open, openat};
use nix::sys::stat::{Mode, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, geteuid, linkat, unlinkat};

use super::part_names::is_like_a_part;
use super::storage::{FileId, FileKind, FileStatus};
use crate::sys::{self, Statx, Timestamp, errno, retry};
use own_name::{OpenFolder, OwnName};

pub use own_name::NewFolder;

/// A folder in which downloads appear.
#[derive(Debug)]
pub struct Folder {
    file: Arc<File>,
    /// Names that no part may have, as hashes: there may be millions, and two that are taken for one
    /// only have a part called otherwise.
    expected: RefCell<HashSet<u64>>,
    hasher: RandomState,
    /// Files without a name were found to be of no use here, or in a folder that this one was opened from or
    /// the other way round: they are of one file system, as a rule.
    lacks_unnamed: Arc<AtomicBool>,
    /// Unless it was opened by its path.
    own_name: Option<Arc<OwnName>>,
}

impl Folder {
    /// The folder at `path`, which may lead through links.
    ///
    /// # Errors
    /// Those of `open(2)`: [`NotFound`](io::ErrorKind::NotFound), or
    /// [`NotADirectory`](io::ErrorKind::NotADirectory), say.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let path = path.as_ref();
        Ok(Self::from(File::from(retry(|| open(path, flags, Mode::empty()))?)))
    }

    /// The folder `name` in this one, which is created unless it is there. Between slashes there may
    /// be several names; each must be of a folder, and none a link. That it is there is certain to last once a
    /// download into it has finished, or [`NewFolder::sync_all`] has made it last.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for an empty name, `.`, `..` or a NUL anywhere
    /// in it; [`NotADirectory`](io::ErrorKind::NotADirectory) if a file or a link is in the way;
    /// others of `mkdir(2)` and `open(2)`.
    pub fn sub(&self, name: &[u8]) -> io::Result<Self> {
        name.split(|byte| *byte == b'/').try_for_each(check_name)?;
        let mut folder: Option<Self> = None;
        for name in name.split(|byte| *byte == b'/') {
            folder = Some(folder.as_ref().unwrap_or(self).child(name)?);
        }
        folder.ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }

    fn child(&self, name: &[u8]) -> io::Result<Self> {
        let mode = Mode::S_IRWXU | Mode::S_IRWXG | Mode::S_IRWXO;
        let is_new = match retry(|| mkdirat(&self.file, name, mode)) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(error),
        };
        // Of a single name only the last part, itself, could be a link.
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        let file = self.open_at(name, flags, Mode::empty())?;
        let own_name = Some(Arc::new(OwnName::within(self.opened(), is_new)));
        Ok(Self { own_name, ..self.related(Arc::new(file)) })
    }

    /// What [`sub`](Self::sub) has created.
    pub fn as_new(&self) -> Option<NewFolder> {
        self.own_name.as_ref().filter(|name| name.is_new).map(|name| NewFolder(Arc::clone(name)))
    }

    fn opened(&self) -> OpenFolder<'_> {
        (&self.file, self.own_name.as_ref())
    }

    /// The folder that is open there, on the same file system.
    fn related(&self, file: Arc<File>) -> Self {
        Self { lacks_unnamed: Arc::clone(&self.lacks_unnamed), ..file.into() }
    }

    /// Keeps a name free for something that will be here: no download that begins after this takes
    /// it for its part. To be called for all names before the first download begins.
    pub fn expect(&self, name: &[u8]) {
        if is_like_a_part(name) {
            self.expected.borrow_mut().insert(self.hasher.hash_one(name));
        }
    }

    /// The size of the file `name` in bytes, and when its contents were modified, in nanoseconds since
    /// 1970 (UTC); `None` if there is none, or something else has the name.
    ///
    /// # Errors
    /// Those of `statx(2)`.
    pub fn size_and_time(&self, name: &[u8]) -> io::Result<Option<(u64, i64)>> {
        match sys::statx_at(&self.file, name) {
            Ok(found) if FileKind::of(found.mode) == FileKind::File => {
                Ok(Some((found.size, nanoseconds(found.modified))))
            }
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the file `name` to read it, and gives its size in bytes; `None` if there is none, or
    /// something else has the name.
    ///
    /// # Errors
    /// Those of `open(2)` and `statx(2)`.
    pub fn open_file(&self, name: &[u8]) -> io::Result<Option<(File, u64)>> {
        if self.size_and_time(name)?.is_none() {
            return Ok(None);
        }
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let file = self.open_at(name, flags, Mode::empty())?;
        let status = FileStatus::of(&file)?;
        Ok((status.kind == FileKind::File).then_some((file, status.length)))
    }

    /// What has the name now; a link is what it is itself, unless it leads to a device.
    pub(super) fn look(&self, name: &[u8]) -> io::Result<Option<FileStatus>> {
        let mut found = match sys::statx_at(&self.file, name) {
            Ok(found) => FileStatus::from(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if found.kind == FileKind::Link
            && let Ok(led_to) = retry(|| fstatat(&self.file, name, AtFlags::empty()))
            && FileKind::of(led_to.st_mode) == FileKind::Other
        {
            found.kind = FileKind::Other;
        }
        Ok(Some(found))
    }

    /// Creates a file that was not there before.
    pub(super) fn create(&self, name: &[u8], mode: Mode) -> io::Result<File> {
        self.open_at(name, OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL, mode)
    }

    /// Creates a file without a name, unless the first attempt of that, or to give such a file a name, has
    /// failed.
    pub(super) fn create_unnamed(&self, mode: Mode) -> Option<File> {
        if self.lacks_unnamed.load(Relaxed) {
            return None;
        }
        let created = self.open_at(b".", OFlag::O_RDWR | OFlag::O_TMPFILE, mode);
        created.inspect_err(|_| self.lacks_unnamed.store(true, Relaxed)).ok()
    }

    /// Gives a file without a name one, unless something has it.
    pub(super) fn link(&self, file: &File, name: &[u8]) -> io::Result<()> {
        let folder = &self.file;
        let direct = retry(|| linkat(file, c"", folder, name, AtFlags::AT_EMPTY_PATH));
        let linked = match direct.as_ref().map_err(errno) {
            // It takes a privilege, or Linux 6.10.
            Err(Errno::ENOENT) => {
                let path = format!("/proc/self/fd/{}", file.as_raw_fd());
                let follow = AtFlags::AT_SYMLINK_FOLLOW;
                retry(|| linkat(AT_FDCWD, &path[..], folder, name, follow))
            }
            _ => direct,
        };
        linked.inspect_err(|error| {
            if error.kind() != io::ErrorKind::AlreadyExists {
                self.lacks_unnamed.store(true, Relaxed);
            }
        })
    }

    /// Opens a file that is there, and waits for nothing, whatever it is.
    pub(super) fn open_existing(&self, name: &[u8]) -> io::Result<File> {
        let flags = OFlag::O_RDWR | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        self.open_at(name, flags, Mode::empty())
    }

    fn open_at(&self, name: &[u8], flags: OFlag, mode: Mode) -> io::Result<File> {
        Ok(retry(|| openat(&self.file, name, flags | OFlag::O_CLOEXEC, mode))?.into())
    }

    /// Removes the file, if it is there.
    pub(super) fn remove(&self, name: &[u8]) -> io::Result<()> {
        match retry(|| unlinkat(&self.file, name, UnlinkatFlags::NoRemoveDir)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Whether `status` is a file that this user made, and not one that somebody has laid out: in a
    /// folder for everybody, that is another's. (Where the file system knows no owners, everything,
    /// the folder included, belongs to one.)
    pub(super) fn owns(&self, status: &FileStatus) -> io::Result<bool> {
        Ok(status.kind == FileKind::File
            && (status.owner == geteuid().as_raw()
                || status.owner == FileStatus::of(&self.file)?.owner))
    }
}

impl From<Arc<File>> for Folder {
    fn from(file: Arc<File>) -> Self {
        Self {
            file,
            expected: RefCell::default(),
            hasher: RandomState::new(),
            lacks_unnamed: Arc::default(),
            own_name: None,
        }
    }
}

impl From<File> for Folder {
    fn from(file: File) -> Self {
        Arc::new(file).into()
    }
}

impl FileStatus {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        sys::statx(file).map(Self::from)
    }
}

impl From<Statx> for FileStatus {
    fn from(statx: Statx) -> Self {
        let Statx { mode, size, links, inode, owner, device, born, .. } = statx;
        let id = FileId { inode, born: born.map_or(0, nanoseconds) };
        let kind = FileKind::of(mode);
        Self { kind, length: size, links, id, owner, mode: mode & 0o7777, device }
    }
}

/// Since 1970.
fn nanoseconds((seconds, rest): Timestamp) -> i64 {
    seconds.wrapping_mul(1_000_000_000).wrapping_add(rest.into())
}

/// Refuses what is not the name of one thing in a folder.
pub(super) fn check_name(name: &[u8]) -> io::Result<()> {
    let strange = name.iter().any(|byte| matches!(byte, 0 | b'/'));
    if strange || matches!(name, b"" | b"." | b"..") {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a name of a file"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::testing::folder_in_memory;

    #[test]
    fn sub_folders_are_created_or_taken() {
        let folder = tempfile::tempdir().unwrap();
        let target = Folder::open(folder.path()).unwrap();
        target.sub(b"a/b/c").unwrap();
        let b = target.sub(b"a").unwrap().sub(b"b").unwrap();
        b.create(b"file", Mode::S_IRUSR).unwrap();
        assert!(folder.path().join("a/b/file").is_file());
        assert!(folder.path().join("a/b/c").is_dir());
    }

    #[test]
    fn the_folder_may_be_a_link_and_nothing_below_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir_all(path.join("target/inside")).unwrap();
        fs::create_dir(path.join("outside")).unwrap();
        symlink("target", path.join("link")).unwrap();
        symlink("../outside", path.join("target/out")).unwrap();
        symlink("inside", path.join("target/in")).unwrap();
        symlink("gone", path.join("target/dangling")).unwrap();
        fs::write(path.join("target/file"), "").unwrap();
        let target = Folder::open(path.join("link")).unwrap();
        for name in ["out", "out/new", "in", "in/new", "dangling", "dangling/new", "file"] {
            let error = target.sub(name.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotADirectory, "{name}");
        }
        assert_eq!(fs::read_dir(path.join("outside")).unwrap().count(), 0);
        assert_eq!(fs::read_dir(path.join("target/inside")).unwrap().count(), 0);
        assert!(!path.join("target/gone").exists());
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused_before_anything_is_created() {
        let folder = tempfile::tempdir().unwrap();
        let target = Folder::open(folder.path()).unwrap();
        for name in ["", ".", "..", "a/..", "/a", "a/", "a//b", "new/../..", "a\0b"] {
            let error = target.sub(name.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{name}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(check_name("你好 \\ ...".as_bytes()).is_ok());
    }

    /// There are no files without a name in `/proc`.
    #[test]
    fn what_a_file_system_lacks_is_found_out_once() {
        let folder = Folder::open("/proc/self").unwrap();
        let before = folder.sub(b"fd").unwrap();
        assert!(folder.create_unnamed(Mode::S_IRUSR).is_none());
        let after = folder.sub(b"task").unwrap();
        assert!([folder, before, after].iter().all(|it| it.lacks_unnamed.load(Relaxed)));
    }

    #[test]
    fn a_file_without_a_name_gets_one_that_is_free() {
        let folder = folder_in_memory();
        let target = Folder::open(folder.path()).unwrap();
        let file = target.create_unnamed(Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        fs::write(folder.path().join("taken"), "another's").unwrap();
        let taken = target.link(&file, b"taken").unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        target.link(&file, b"free").unwrap();
        assert!(!target.lacks_unnamed.load(Relaxed));
        let free = target.look(b"free").unwrap().unwrap();
        assert!(free.is_same(&FileStatus::of(&file).unwrap()) && free.mode == 0o600);
        assert_eq!(fs::read(folder.path().join("taken")).unwrap(), b"another's");
        // Nothing gets a name where there are no names.
        let nowhere = Folder::open("/proc/self").unwrap();
        nowhere.link(&file, b"name").unwrap_err();
        assert!(nowhere.lacks_unnamed.load(Relaxed));
    }

    #[test]
    fn an_entry_is_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let target = Folder::open(folder.path()).unwrap();
        let file = target.create(b"a", Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        target.create(b"b", Mode::S_IRUSR).unwrap();
        symlink("a", folder.path().join("link")).unwrap();
        let status = FileStatus::of(&file).unwrap();
        let look = |name: &[u8]| target.look(name).unwrap().unwrap();
        assert!(status.is_same(&look(b"a")) && !status.is_same(&look(b"b")));
        assert!(target.owns(&status).unwrap() && !target.owns(&look(b"link")).unwrap());
        assert!(target.look(b"nothing").unwrap().is_none());
        fs::write(folder.path().join("a"), "five!").unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567_890_123_456_789);
        file.set_modified(time).unwrap();
        let found = target.size_and_time(b"a").unwrap();
        assert_eq!(found, Some((5, 1_234_567_890_123_456_789)));
        assert_eq!(target.size_and_time(b"link").unwrap(), None);
        assert_eq!(target.size_and_time(b"nothing").unwrap(), None);
        let refused = target.open_existing(b"link").unwrap_err();
        assert_eq!(errno(&refused), Errno::ELOOP);
        target.remove(b"a").unwrap();
        target.remove(b"a").unwrap();
        assert!(target.look(b"a").unwrap().is_none());
    }
}
