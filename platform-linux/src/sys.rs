//! The line through the system calls.
//!
//! Above it they are made by the standard library and by `nix`, and an error is an [`io::Error`]
//! with the system's number in it. Here stands what `nix` does not offer safely, or not for every
//! C library; each says what is missing. So `rustix` is used in this file and in no other, and what
//! is C's own (its structures and numbers) in this one and those beneath it: [`message`], and with
//! `unsafe` code [`mmsg`], [`seccomp`] and [`startup`].

pub(crate) mod beneath;
pub(crate) mod message;
#[expect(unsafe_code, reason = "no safe wrapper offers it: see the module")]
pub(crate) mod mmsg;
pub(crate) mod refused;
#[expect(unsafe_code, reason = "no safe wrapper has its flags: see the module")]
pub(crate) mod seccomp;
#[expect(unsafe_code, reason = "nothing safe runs before `main`: see the module")]
pub(crate) mod startup;

use core::time::Duration;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::sendfile::sendfile;
use nix::sys::socket;
use nix::sys::stat::{fstatat, major, minor};
use nix::sys::uio::pread;
use nix::unistd::syncfs;
use nix::{libc, setsockopt_impl, sockopt_impl};
use rustix::fs::{AtFlags, RenameFlags, StatxFlags, StatxTimestamp};
use rustix::io::ReadWriteFlags;
use rustix::net::{SendAncillaryBuffer, SendFlags, SocketFlags};
use rustix::thread::CapabilitySets;

use refused::{Missing, RefusedCall};

pub(crate) use rustix::thread::CapabilitySet as Capabilities;

/// Repeats a call that a signal interrupted (`signal(7)`).
pub(crate) fn retry<T, E>(mut call: impl FnMut() -> Result<T, E>) -> io::Result<T>
where
    io::Error: From<E>,
{
    loop {
        match call().map_err(io::Error::from) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The system's number in an error, by its name; [`Errno::UnknownErrno`] if there is none.
pub(crate) fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw)
}

/// `listen(2)`. `nix` refuses a longer queue than `SOMAXCONN`, which is 128 for musl, whatever the
/// system allows.
pub(crate) fn listen(socket: impl AsFd, backlog: i32) -> io::Result<()> {
    Ok(rustix::net::listen(socket, backlog)?)
}

/// `accept4(2)`: non-blocking and close-on-exec at once. `nix` gives a bare number for the
/// descriptor. It is not repeated: an interrupted call may have been about another connection. The address
/// is the peer's, if it has an IP address: of a TCP connection, that is.
pub(crate) fn accept(listener: impl AsFd) -> io::Result<(OwnedFd, Option<SocketAddr>)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (fd, peer) = rustix::net::acceptfrom_with(listener, flags)?;
    Ok((fd, peer.and_then(|peer| SocketAddr::try_from(peer).ok())))
}

/// `send(2)` or, for two slices, `sendmsg(2)`, without a `SIGPIPE`. `nix` has no `MSG_MORE`.
pub(crate) fn send(fd: impl AsFd, head: &[u8], tail: &[u8], more: bool) -> io::Result<usize> {
    let mut flags = SendFlags::NOSIGNAL;
    flags.set(SendFlags::MORE, more);
    if tail.is_empty() {
        return retry(|| rustix::net::send(&fd, head, flags));
    }
    let slices = [IoSlice::new(head), IoSlice::new(tail)];
    retry(|| rustix::net::sendmsg(&fd, &slices, &mut SendAncillaryBuffer::default(), flags))
}

/// Makes the close that follows a reset (`SO_LINGER` of zero, `socket(7)`). `nix` takes C's structure
/// for it.
pub(crate) fn reset_on_close(socket: impl AsFd) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO))?)
}

sockopt_impl!(
    /// Missing among those that `nix` names, and among those of `rustix`.
    ReceiveLowMark,
    SetOnly,
    libc::SOL_SOCKET,
    libc::SO_RCVLOWAT,
    i32
);

/// From how many bytes on a stream is readable (`SO_RCVLOWAT`, `socket(7)`).
pub(crate) fn set_receive_low_mark(socket: &impl AsFd, bytes: i32) -> io::Result<()> {
    Ok(socket::setsockopt(socket, ReceiveLowMark, &bytes)?)
}

/// Reads what of a file is in memory (`RWF_NOWAIT`, `preadv2(2)`): `EAGAIN` if nothing is at `offset`.
/// `nix` does not have it.
pub(crate) fn read_cached(file: impl AsFd, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut buffers = [IoSliceMut::new(buffer)];
    retry(|| rustix::io::preadv2(&file, &mut buffers, offset, ReadWriteFlags::NOWAIT))
}

/// Whether an error of [`read_cached`] means that the file system, the kernel or a filter does not know
/// that way of reading.
pub(crate) fn knows_no_cache(error: &io::Error) -> bool {
    matches!(errno(error), Errno::EOPNOTSUPP | Errno::ENOSYS | Errno::EPERM)
}

/// `TIOCGWINSZ` (`ioctl_tty(2)`), of which `nix` has the number only.
pub(crate) fn window_size(terminal: impl AsFd) -> io::Result<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(terminal)?;
    Ok((size.ws_col, size.ws_row))
}

/// What `statx(2)` tells of a file (`inode(7)`).
pub(crate) struct Statx {
    /// The kind of file, and the permissions.
    pub(crate) mode: u32,
    pub(crate) size: u64,
    pub(crate) links: u32,
    pub(crate) inode: u64,
    pub(crate) owner: u32,
    /// The major and the minor number.
    pub(crate) device: (u32, u32),
    pub(crate) modified: Timestamp,
    pub(crate) changed: Timestamp,
    /// When it was created, where the file system says.
    pub(crate) born: Option<Timestamp>,
}

/// Seconds and nanoseconds since 1970, UTC.
pub(crate) type Timestamp = (i64, u32);

/// Of what is open there. `nix` has no `statx(2)`, and no other call tells the time of creation.
pub(crate) fn statx(fd: impl AsFd) -> io::Result<Statx> {
    statx_with(fd.as_fd(), b"", AtFlags::EMPTY_PATH)
}

/// Of what has the name in a folder; a link is what it is itself.
pub(crate) fn statx_at(folder: impl AsFd, name: &[u8]) -> io::Result<Statx> {
    statx_with(folder.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW)
}

/// Where `statx(2)` is refused, `newfstatat(2)` tells all but the time of creation.
fn statx_with(fd: BorrowedFd<'_>, name: &[u8], flags: AtFlags) -> io::Result<Statx> {
    static STATX: RefusedCall = RefusedCall::new();
    let flags = flags | AtFlags::NO_AUTOMOUNT;
    STATX.or(|| new_status(fd, name, flags), || old_status(fd, name, flags))
}

fn old_status(fd: BorrowedFd<'_>, name: &[u8], flags: AtFlags) -> io::Result<Statx> {
    let flags = nix::fcntl::AtFlags::from_bits_retain(flags.bits().cast_signed());
    let stat = retry(|| fstatat(fd, name, flags))?;
    Ok(Statx {
        mode: stat.st_mode,
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        links: in_32_bits(stat.st_nlink),
        inode: stat.st_ino,
        owner: stat.st_uid,
        device: (in_32_bits(major(stat.st_dev)), in_32_bits(minor(stat.st_dev))),
        modified: (stat.st_mtime, in_32_bits(stat.st_mtime_nsec)),
        changed: (stat.st_ctime, in_32_bits(stat.st_ctime_nsec)),
        born: None,
    })
}

/// What the kernel has in 32 bits, and C libraries in more or not.
fn in_32_bits<N>(number: N) -> u32
where
    u32: TryFrom<N>,
{
    u32::try_from(number).unwrap_or_default()
}

fn new_status(fd: BorrowedFd<'_>, name: &[u8], flags: AtFlags) -> io::Result<Statx> {
    let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    let stat = retry(|| rustix::fs::statx(fd, name, flags, mask))?;
    let time = |stamp: StatxTimestamp| (stamp.tv_sec, stamp.tv_nsec);
    let knows_birth = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
    Ok(Statx {
        mode: stat.stx_mode.into(),
        size: stat.stx_size,
        links: stat.stx_nlink,
        inode: stat.stx_ino,
        owner: stat.stx_uid,
        device: (stat.stx_dev_major, stat.stx_dev_minor),
        modified: time(stat.stx_mtime),
        changed: time(stat.stx_ctime),
        born: knows_birth.then(|| time(stat.stx_btime)),
    })
}

/// Sends from a file without a copy (`sendfile(2)`); where that is refused, or the file system cannot
/// do it, with one.
pub(crate) fn send_file(
    socket: impl AsFd,
    file: impl AsFd,
    offset: i64,
    length: usize,
) -> io::Result<usize> {
    static SENDFILE: RefusedCall = RefusedCall::new();
    SENDFILE.or(
        || retry(|| sendfile(&socket, &file, Some(&mut { offset }), length)),
        || {
            let mut buffer = vec![0; length.min(COPIED)];
            let count = retry(|| pread(&file, &mut buffer, offset))?;
            if count == 0 { Ok(0) } else { send(&socket, &buffer[..count], &[], count < length) }
        },
    )
}

/// How many bytes are copied at once at most.
const COPIED: usize = 64 << 10;

/// Keeps others that lock it so away, until it is closed (`flock(2)`), or where that is refused, by a lock
/// of another kind (`F_OFD_SETLK`, `fcntl_locking(2)`), if there is any.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    static FLOCK: RefusedCall = RefusedCall::new();
    let locked = FLOCK.or(|| retry(|| file.try_lock()), || lock_all_bytes(file));
    Missing::Locks.or(locked)
}

fn lock_all_bytes(file: &File) -> io::Result<()> {
    let number = |number: i32| i16::try_from(number).unwrap_or_default();
    let (l_type, l_whence) = (number(libc::F_WRLCK), number(libc::SEEK_SET));
    let whole = libc::flock { l_type, l_whence, l_start: 0, l_len: 0, l_pid: 0 };
    match retry(|| fcntl(file, FcntlArg::F_OFD_SETLK(&whole))) {
        // Either may say that another has it.
        Err(error) if errno(&error) == Errno::EACCES => Err(Errno::EAGAIN.into()),
        locked => locked.map(drop),
    }
}

/// Has what was written reach the disk (`fdatasync(2)`).
pub(crate) fn sync_data(file: &File) -> io::Result<()> {
    static FDATASYNC: RefusedCall = RefusedCall::new();
    FDATASYNC.or(|| file.sync_data(), || sync_all(file))
}

/// As [`sync_data`], and with it what else belongs to the file (`fsync(2)`). Where that is refused, all of
/// the file system is written out, if that can be done (`syncfs(2)`).
pub(crate) fn sync_all(file: &File) -> io::Result<()> {
    static FSYNC: RefusedCall = RefusedCall::new();
    Missing::Sync.or(FSYNC.or(|| file.sync_all(), || sync_file_system(file)))
}

/// Has all of the file system that a file is in reach the disk (`syncfs(2)`).
pub(crate) fn sync_file_system(file: &File) -> io::Result<()> {
    retry(|| syncfs(file))
}

/// Renames within a folder, unless something has the new name (`RENAME_NOREPLACE`, `renameat2(2)`).
/// `nix` has it for the GNU library only.
pub(crate) fn rename_new(folder: impl AsFd, from: &[u8], to: &[u8]) -> io::Result<()> {
    let flags = RenameFlags::NOREPLACE;
    retry(|| rustix::fs::renameat_with(&folder, from, &folder, to, flags))
}

/// Has two things in a folder change places (`RENAME_EXCHANGE`, `renameat2(2)`).
#[cfg(test)]
pub(crate) fn exchange(folder: impl AsFd, one: &str, other: &str) -> io::Result<()> {
    let flags = RenameFlags::EXCHANGE;
    retry(|| rustix::fs::renameat_with(&folder, one, &folder, other, flags))
}

/// Those of the calling thread, in any of its sets (`capget(2)`). `nix` does not have them.
pub(crate) fn capabilities() -> io::Result<Capabilities> {
    let CapabilitySets { effective, permitted, inheritable } = rustix::thread::capabilities(None)?;
    Ok(effective | permitted | inheritable)
}

/// Gives up all but `kept` (`capset(2)`).
pub(crate) fn keep_capabilities(kept: Capabilities) -> io::Result<()> {
    let mut sets = rustix::thread::capabilities(None)?;
    for set in [&mut sets.effective, &mut sets.permitted, &mut sets.inheritable] {
        *set &= kept;
    }
    Ok(rustix::thread::set_capabilities(None, sets)?)
}

/// How many bytes a stream has received that nobody has read (`FIONREAD`, `tcp(7)`).
#[cfg(test)]
pub(crate) fn unread(stream: impl AsFd) -> io::Result<u64> {
    Ok(rustix::io::ioctl_fionread(stream)?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_older_call_tells_the_same_but_the_time_of_creation() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "contents").unwrap();
        fs::hard_link(folder.path().join("file"), folder.path().join("second")).unwrap();
        symlink("file", folder.path().join("link")).unwrap();
        let (folder, null) = (File::open(folder.path()).unwrap(), File::open("/dev/null").unwrap());
        let all = |statx: Statx| {
            let Statx { mode, size, links, inode, owner, device, modified, changed, .. } = statx;
            (mode, size, links, inode, owner, device, modified, changed)
        };
        let (empty, link) = (AtFlags::EMPTY_PATH, AtFlags::SYMLINK_NOFOLLOW);
        for (fd, name, flags) in [
            (&folder, "", empty),
            (&null, "", empty),
            (&folder, "file", link),
            (&folder, "link", link),
        ] {
            let (fd, name) = (fd.as_fd(), name.as_bytes());
            let [new, old] = [new_status(fd, name, flags), old_status(fd, name, flags)];
            assert_eq!(all(old.unwrap()), all(new.unwrap()), "{name:?}");
        }
        let error = old_status(folder.as_fd(), b"nothing", link).map(drop).unwrap_err();
        assert_eq!(errno(&error), Errno::ENOENT);
    }

    #[test]
    fn a_lock_of_the_other_kind_keeps_others_away_as_well() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || File::options().read(true).write(true).open(file.path()).unwrap();
        let (first, second) = (open(), open());
        lock_all_bytes(&first).unwrap();
        let error = lock_all_bytes(&second).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        drop(first);
        lock_all_bytes(&second).unwrap();
    }
}
