//! Binding a Unix socket to its file, and removing that.
//!
//! The file of a socket stays when a process is killed, and `bind(2)` takes no name that exists. So one that no
//! process has open is removed, and nothing else: neither a file of another kind, nor what somebody listens at
//! or is about to.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open};
use nix::libc::{dev_t, ino_t};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType};
use nix::sys::stat::{Mode, fstatat, umask};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::address::UnixAddress;

/// How often, and how long after the last time, it is tried to lock the folder: another needs it for a few
/// system calls.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The file of a socket, which is removed when this is dropped, unless another has taken its place.
#[derive(Debug)]
pub(super) struct SocketFile {
    folder: OwnedFd,
    name: OsString,
    identity: Identity,
}

type Identity = (dev_t, ino_t);

/// A socket that is bound and does not listen yet.
pub(super) fn bind(address: &UnixAddress, permissions: u32) -> io::Result<(OwnedFd, SocketFile)> {
    let path = address.path().ok_or(io::ErrorKind::InvalidInput)?;
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_owned();
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let folder = open(folder_of(path), flags, Mode::empty())?;
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd = socket::socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    match bind_with(&fd, address, permissions) {
        Err(Errno::EADDRINUSE) => {
            // Of two that find a stale socket, one would remove the new one of the other.
            let _lock = lock_folder(path)?;
            remove_stale(address, path)?;
            bind_with(&fd, address, permissions)?;
        }
        bound => bound?,
    }
    let identity = identity(&folder, &name)?;
    Ok((fd, SocketFile { folder, name, identity }))
}

/// The permissions are there with the name: there is no moment in which others may connect, and no second
/// look at the name, which might be a link by then.
fn bind_with(fd: &OwnedFd, address: &UnixAddress, permissions: u32) -> nix::Result<()> {
    let before = umask(Mode::from_bits_truncate(!permissions & 0o777));
    let bound = socket::bind(fd.as_raw_fd(), address.as_system());
    umask(before);
    bound
}

/// Makes the name free, if it is that of a socket that nobody has open.
fn remove_stale(address: &UnixAddress, path: &Path) -> io::Result<()> {
    match remove_unless_open(address, path) {
        // A server that ended meanwhile has removed it itself.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn remove_unless_open(address: &UnixAddress, path: &Path) -> io::Result<()> {
    let there = fs::symlink_metadata(path)?;
    if !there.file_type().is_socket() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    if is_open(address)? {
        return Err(Errno::EADDRINUSE.into());
    }
    Ok(unlinkat(AT_FDCWD, path, UnlinkatFlags::NoRemoveDir)?)
}

/// Whether a process has the socket open, which is not disturbed: a datagram socket cannot be connected to a
/// stream socket (`EPROTOTYPE`), and only if there is none is the connection refused.
fn is_open(address: &UnixAddress) -> io::Result<bool> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let probe = socket::socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
    match socket::connect(probe.as_raw_fd(), address.as_system()) {
        Err(Errno::ECONNREFUSED) => Ok(false),
        // Its owner takes datagrams from one other only.
        Ok(()) | Err(Errno::EPROTOTYPE | Errno::EPERM) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Keeps others that do the same away from the folder, until the file is closed; without, if the folder may
/// not be read.
fn lock_folder(path: &Path) -> io::Result<Option<File>> {
    let folder = match File::open(folder_of(path)) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        folder => folder?,
    };
    for _ in 0..LOCK_TRIES {
        match folder.try_lock() {
            Ok(()) => return Ok(Some(folder)),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            // A file system without locks.
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn identity(folder: &OwnedFd, name: &OsString) -> nix::Result<Identity> {
    let there = fstatat(folder, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW)?;
    Ok((there.st_dev, there.st_ino))
}

impl SocketFile {
    pub(super) fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // As long as the socket is open its inode is no other's.
        if identity(&self.folder, &self.name) == Ok(self.identity) {
            // One that cannot be removed is found stale by the next server.
            let _ = unlinkat(&self.folder, self.name.as_os_str(), UnlinkatFlags::NoRemoveDir);
        }
    }
}
