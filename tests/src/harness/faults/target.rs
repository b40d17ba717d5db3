//! The other process's memory and descriptors.

use std::fs;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::filter::LISTENER;

/// The longest path that a call can be given (`PATH_MAX`), with its terminator.
const PATH: usize = 4096;

/// The smallest unit that memory is mapped in.
const PAGE: usize = 4096;

/// A process whose calls are supervised.
#[derive(Debug)]
pub(super) struct Target {
    process: Pid,
    handle: OwnedFd,
}

impl Target {
    pub(super) fn open(process: Pid) -> nix::Result<Self> {
        let pid = rustix::process::Pid::from_raw(process.as_raw());
        let handle = pidfd_open(pid.ok_or(Errno::ESRCH)?, PidfdFlags::empty()).map_err(errno)?;
        Ok(Self { process, handle: out_of_the_way(handle)? })
    }

    /// A descriptor of the same open file as its `number`.
    pub(super) fn descriptor(&self, number: RawFd) -> nix::Result<OwnedFd> {
        pidfd_getfd(&self.handle, number, PidfdGetfdFlags::empty()).map_err(errno)
    }

    /// What its descriptor is about, as `/proc` says it.
    pub(super) fn describe(&self, number: RawFd) -> String {
        let link = fs::read_link(format!("/proc/{}/fd/{number}", self.process));
        link.map_or_else(|_| "nothing".to_owned(), |path| path.to_string_lossy().into_owned())
    }

    /// Its epoll instances, by their numbers.
    pub(super) fn epolls(&self) -> Vec<RawFd> {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.process)).into_iter().flatten();
        let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        numbers.filter(|number| self.describe(*number).ends_with("[eventpoll]")).collect()
    }

    /// What `/proc` tells of its descriptor, line by line (`proc_pid_fdinfo(5)`).
    pub(super) fn information(&self, number: RawFd) -> String {
        fs::read_to_string(format!("/proc/{}/fdinfo/{number}", self.process)).unwrap_or_default()
    }

    /// The bytes at `address` in its memory.
    pub(super) fn read<const N: usize>(&self, address: u64) -> nix::Result<[u8; N]> {
        let mut bytes = [0; N];
        let count = self.read_some(address, &mut bytes)?;
        if count == N { Ok(bytes) } else { Err(Errno::EFAULT) }
    }

    /// So many bytes at `address` in its memory.
    pub(super) fn bytes(&self, address: u64, length: usize) -> nix::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let count = self.read_some(address, &mut bytes)?;
        if count == length { Ok(bytes) } else { Err(Errno::EFAULT) }
    }

    /// As many of the bytes at `address` as there are, up to the size of `bytes`.
    pub(super) fn read_some(&self, address: u64, bytes: &mut [u8]) -> nix::Result<usize> {
        let (base, len) = (place(address)?, bytes.len());
        let remote = [RemoteIoVec { base, len }];
        process_vm_readv(self.process, &mut [IoSliceMut::new(bytes)], &remote)
    }

    /// Writes to its memory.
    pub(super) fn write(&self, address: u64, bytes: &[u8]) -> nix::Result<()> {
        let remote = [RemoteIoVec { base: place(address)?, len: bytes.len() }];
        let count = process_vm_writev(self.process, &[IoSlice::new(bytes)], &remote)?;
        if count == bytes.len() { Ok(()) } else { Err(Errno::EFAULT) }
    }

    /// The path at `address`; none where there is no memory.
    ///
    /// # Errors
    /// [`Errno::ESRCH`]: the process has been killed.
    pub(super) fn path(&self, address: u64) -> nix::Result<String> {
        let mut bytes = Vec::new();
        // Piece by piece, since the page after the one that it ends in may be missing.
        while bytes.len() < PATH {
            let at = address + bytes.len() as u64;
            let room = PAGE - place(at).unwrap_or(0) % PAGE;
            let mut piece = vec![0; room];
            let count = match self.read_some(at, &mut piece) {
                Ok(count @ 1..) => count,
                Err(Errno::ESRCH) => return Err(Errno::ESRCH),
                Ok(0) | Err(_) => break,
            };
            let end = piece[..count].iter().position(|&byte| byte == 0);
            bytes.extend_from_slice(&piece[..end.unwrap_or(count)]);
            if end.is_some() {
                break;
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn place(address: u64) -> nix::Result<usize> {
    usize::try_from(address).map_err(|_| Errno::EFAULT)
}

pub(super) fn errno(errno: rustix::io::Errno) -> Errno {
    Errno::from_raw(errno.raw_os_error())
}

/// The same file under a number that the other process is not likely to use.
pub(super) fn out_of_the_way(fd: OwnedFd) -> nix::Result<OwnedFd> {
    let away = duplicate(&fd, LISTENER + 1);
    drop(fd);
    away
}

/// A copy of `fd` with the lowest free number from `from` on.
pub(super) fn duplicate(fd: impl AsFd, from: RawFd) -> nix::Result<OwnedFd> {
    let number = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(from))?;
    // SAFETY: it is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Gives the calling thread a table of descriptors of its own, with nothing in it but standard
/// output and error.
///
/// It would otherwise hold copies of what the process has open, whose peers would then not see it
/// closed; and the numbers of another process can be used in it as they are.
pub(super) fn leave_descriptors() -> nix::Result<()> {
    for (first, last) in [(0, 0), (3, libc::c_uint::MAX)] {
        let unshare = libc::CLOSE_RANGE_UNSHARE;
        // SAFETY: the first call makes the table this thread's own; so no descriptor is closed that
        // any value owns, since the thread has made none yet.
        Errno::result(unsafe { libc::syscall(libc::SYS_close_range, first, last, unshare) })?;
    }
    Ok(())
}
