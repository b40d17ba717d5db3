//! The line through the system calls.
//!
//! Above it they are made by the standard library and by `nix`, and an error is an [`io::Error`]
//! with the system's number in it. Here stands what `nix` does not offer safely, or not for every
//! C library; each says what is missing. So `rustix` is used in this file and in no other, and what
//! is C's own (its structures and numbers) in this one and those beneath it: [`message`], and with
//! `unsafe` code [`mmsg`] and [`startup`].

pub(crate) mod beneath;
pub(crate) mod message;
#[expect(unsafe_code, reason = "no safe wrapper offers it: see the module")]
pub(crate) mod mmsg;
#[expect(unsafe_code, reason = "nothing safe runs before `main`: see the module")]
pub(crate) mod startup;

use core::time::Duration;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket;
use nix::{libc, setsockopt_impl, sockopt_impl};
use rustix::fs::{AtFlags, RenameFlags, StatxFlags, StatxTimestamp};

use rustix::net::{SendAncillaryBuffer, SendFlags, SocketFlags};

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
/// descriptor. It is not repeated: an interrupted call may have been about another connection.
pub(crate) fn accept(listener: impl AsFd) -> io::Result<(OwnedFd, SocketAddr)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (fd, peer) = rustix::net::acceptfrom_with(listener, flags)?;
    // Linux always tells the peer of a TCP connection, and it has an IP address.
    let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
    Ok((fd, peer.ok_or(io::ErrorKind::NotConnected)?))
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

/// `TIOCGWINSZ` (`ioctl_tty(2)`), of which `nix` has the number only.
pub(crate) fn columns(terminal: impl AsFd) -> io::Result<u16> {
    Ok(rustix::termios::tcgetwinsize(terminal)?.ws_col)
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

fn statx_with(fd: BorrowedFd<'_>, name: &[u8], flags: AtFlags) -> io::Result<Statx> {
    let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    let stat = retry(|| rustix::fs::statx(fd, name, flags | AtFlags::NO_AUTOMOUNT, mask))?;
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

/// How many bytes a stream has received that nobody has read (`FIONREAD`, `tcp(7)`).
#[cfg(test)]
pub(crate) fn unread(stream: impl AsFd) -> io::Result<u64> {
    Ok(rustix::io::ioctl_fionread(stream)?)
}
