//! What a download asks of a file system.

use std::fmt::Debug;
use std::io;

use nix::sys::stat::SFlag;

/// How many bytes verify before they are made to reach the disk: what a crash of the system can cost.
pub const SYNC_EVERY: u64 = 256 << 20;

/// From how many proven bytes on it is worth a short wait that they need not be read again: hashing
/// less takes no longer.
const SEAL_FROM: u64 = 16 << 20;

/// What tells one run of the system from the next
/// (`/proc/sys/kernel/random/boot_id`, `random(4)`); all zeros if that cannot be known.
pub type BootId = [u8; 16];

/// The mode of a part: only the user may read and write it.
pub(super) const PRIVATE: u32 = 0o600;

/// A folder, as a [`Download`](super::Download) uses it.
///
/// [`Folder`](super::Folder) is one of Linux. A simulated one can crash at any call, and lose what
/// a real one would.
///
/// Names are single ones, without a slash. Every call but [`sync`](Self::sync) may change nothing
/// but what other programs see: only after it, the names of the folder outlast a crash of the
/// system, each change whole or not at all.
pub trait Storage: Debug + Sized {
    /// An open file in it.
    type File: StorageFile;

    /// How many bytes verify before they are made to reach the disk: what a crash of the system can
    /// cost.
    const SYNC_EVERY: u64 = SYNC_EVERY;

    /// From how many proven bytes on the state of the part is [noted](StorageFile::changed), so that the
    /// next run need not read it again.
    const SEAL_FROM: u64 = SEAL_FROM;

    /// The folder once more.
    ///
    /// # Errors
    /// Those of `fcntl(2)`.
    fn try_clone(&self) -> io::Result<Self>;

    /// The run of the system that this is.
    fn boot(&self) -> BootId;

    /// Whether the name is kept free for something that will be here.
    fn expects(&self, name: &[u8]) -> bool;

    /// What has the name now; a link is what it is itself.
    ///
    /// # Errors
    /// Those of `statx(2)`, save that the name is not there.
    fn look(&self, name: &[u8]) -> io::Result<Option<FileStatus>>;

    /// Whether this user made the file, as opposed to one that somebody has laid out here.
    ///
    /// # Errors
    /// Those of `statx(2)`.
    fn owns(&self, status: &FileStatus) -> io::Result<bool>;

    /// Creates an empty file that only the user may read and write.
    ///
    /// # Errors
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if something has the name; others of
    /// `open(2)`.
    fn create(&self, name: &[u8]) -> io::Result<Self::File>;

    /// Creates an empty file without a name, that only the user may read and write, and that is gone when it
    /// is closed (`O_TMPFILE`, `open(2)`). `None` where that cannot be done, whatever the reason:
    /// [`create`](Self::create) tells it.
    fn create_unnamed(&self) -> Option<Self::File>;

    /// Gives a file without a name one, in one step, unless something has it. What was made to last before is
    /// certain to last under the name only when the file is [synced](StorageFile::sync_all) once more, before
    /// the folder.
    ///
    /// # Errors
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if something has the name; others of `linkat(2)`, also
    /// where the system does not allow it. After any, the name is as it was.
    fn link(&self, file: &Self::File, name: &[u8]) -> io::Result<()>;

    /// The permissions that the user lets a new file have: to read and write it, without what
    /// `umask(2)` forbids.
    fn usual_mode(&self) -> u32;

    /// Opens a file to read and write it, and waits for nothing, whatever has the name.
    ///
    /// # Errors
    /// Those of `open(2)`, save what [`Found`] tells.
    fn open_found(&self, name: &[u8]) -> io::Result<Found<Self::File>>;

    /// Gives a file another name, in one step. Only if it `replaces`, another may have had it.
    ///
    /// # Errors
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if something has the name that is not to be
    /// replaced; others of `rename(2)`. After any, the name is as it was.
    fn rename(&self, from: &[u8], to: &[u8], replaces: bool) -> io::Result<()>;

    /// Removes the file, if it is there.
    ///
    /// # Errors
    /// Those of `unlink(2)`, save that the name is not there.
    fn remove(&self, name: &[u8]) -> io::Result<()>;

    /// Makes the names in it last (`fsync(2)`).
    ///
    /// # Errors
    /// Those of `fsync(2)`.
    fn sync(&self) -> io::Result<()>;

    /// [Syncs](Self::sync) several folders, in any order or all at once; one that is there several times need
    /// be synced only once. The results are in the order of the folders.
    fn sync_folders(folders: &[&Self]) -> Vec<io::Result<()>> {
        folders.iter().map(|folder| folder.sync()).collect()
    }

    /// [Syncs all](StorageFile::sync_all) of several files, in any order or all at once. The results are in the
    /// order of the files.
    fn sync_files(files: &[&Self::File]) -> Vec<io::Result<()>> {
        files.iter().map(|file| file.sync_all()).collect()
    }
}

/// A file of a [`Storage`], open to be read and written.
///
/// What is written, a new length too, outlasts a crash of the system only after
/// [`sync`](Self::sync); without it, each sector may be as it was at any time since.
pub trait StorageFile: Debug {
    /// What it is now.
    ///
    /// # Errors
    /// Those of `statx(2)`.
    fn status(&self) -> io::Result<FileStatus>;

    /// Keeps others that lock it away, until it is closed, where the file system can (`flock(2)`). Where a
    /// filter refuses that call, it is a lock of the open file on all bytes (`F_OFD_SETLK`, `fcntl(2)`), which
    /// keeps only those away for whom it is refused as well, except where the file system takes the two for
    /// one (`nfs(5)`).
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if another has locked it; others of `flock(2)`.
    fn lock(&self) -> io::Result<()>;

    /// Reads what one call gives from `offset` on (`pread(2)`).
    ///
    /// # Errors
    /// Those of `pread(2)`.
    fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Reads from `offset` on until the buffer is full, or the file ends.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    fn read_all(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut count = 0;
        while count < buffer.len() {
            match self.read(&mut buffer[count..], offset.saturating_add(count as u64))? {
                0 => break,
                more => count += more,
            }
        }
        Ok(count)
    }

    /// A mark that every later change of the file's contents, or of anything about it, changes, and that
    /// nobody can set at will: the time of the last change (`inode(7)`), in nanoseconds since 1970.
    /// `None` where the file system tells no such time, or not precisely.
    ///
    /// # Errors
    /// Those of `statx(2)`.
    fn changed(&self) -> io::Result<Option<i64>>;

    /// Waits until a change would have another [mark](Self::changed) than those before.
    fn settle(&self) {}

    /// Writes all of `bytes` at `offset` (`pwrite(2)`).
    ///
    /// # Errors
    /// Those of `pwrite(2)`.
    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes it so long in bytes (`ftruncate(2)`).
    ///
    /// # Errors
    /// Those of `ftruncate(2)`.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Whether there is room for so many bytes more that this user may take (`statvfs(3)`). Nothing
    /// is reserved.
    ///
    /// # Errors
    /// [`StorageFull`](io::ErrorKind::StorageFull) if there is not; others of `statvfs(3)`.
    fn check_room(&self, bytes: u64) -> io::Result<()>;

    /// Has the disk keep room for `length` bytes from `offset` on, if that is worth a call. The length
    /// of the file stays as it is.
    ///
    /// # Errors
    /// [`StorageFull`](io::ErrorKind::StorageFull) if there is no room; others of `fallocate(2)`.
    fn reserve(&self, offset: u64, length: u64) -> io::Result<()>;

    /// Sets its permissions, where the file system has such (`fchmod(2)`).
    ///
    /// # Errors
    /// Those of `fchmod(2)`.
    fn set_mode(&self, mode: u32) -> io::Result<()>;

    /// Sets the time at which its contents were modified, in nanoseconds since 1970, where the file
    /// system has such (`futimens(3)`).
    ///
    /// # Errors
    /// Those of `futimens(3)`.
    fn set_modified(&self, time: i64) -> io::Result<()>;

    /// Has what was written reach the disk (`fdatasync(2)`).
    ///
    /// # Errors
    /// Those of `fdatasync(2)`.
    fn sync(&self) -> io::Result<()>;

    /// As [`sync`](Self::sync), and its permissions and times as well (`fsync(2)`).
    ///
    /// # Errors
    /// Those of `fsync(2)`.
    fn sync_all(&self) -> io::Result<()>;

    /// Has what was written begin its way to the disk, without a wait, and may let go of what is kept
    /// of it in memory. It promises nothing.
    fn begin_sync(&self) {}
}

/// What opening a name found.
#[derive(Debug)]
pub enum Found<F> {
    /// It is a file, perhaps, and open.
    File(F),
    /// Nothing has the name.
    Nothing,
    /// It is no file that could be this program's: a link, a folder, a socket or device, a program
    /// that runs, or not to be read and written.
    Strange,
}

/// What has a name in a folder, or is open.
#[derive(Clone, Copy, Debug)]
pub struct FileStatus {
    /// What it is.
    pub kind: FileKind,
    /// Its length in bytes.
    pub length: u64,
    /// How many names it has.
    pub links: u32,
    /// What tells it from others of its file system.
    pub id: FileId,
    /// The number of its user.
    pub owner: u32,
    /// Its permissions, without the kind.
    pub mode: u32,
    /// The file system that it is in.
    pub device: (u32, u32),
}

impl FileStatus {
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.id == other.id && self.device == other.device
    }
}

/// What can have a name in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A folder.
    Folder,
    /// A device, FIFO or socket, or a symbolic link to one.
    Other,
}

impl FileKind {
    /// Of a file's mode (`inode(7)`).
    pub(super) fn of(mode: u32) -> Self {
        match SFlag::from_bits_truncate(mode) & SFlag::S_IFMT {
            SFlag::S_IFREG => Self::File,
            SFlag::S_IFLNK => Self::Link,
            SFlag::S_IFDIR => Self::Folder,
            _ => Self::Other,
        }
    }
}

/// What tells a file from all others of its file system, also from one that came before it and had
/// its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// Its number.
    pub inode: u64,
    /// When it was created, in nanoseconds since 1970; 0 where the file system does not say.
    pub born: i64,
}
