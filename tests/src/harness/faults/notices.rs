//! What the kernel asks a supervisor, and the answers (`seccomp_unotify(2)`).

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc::{self, seccomp_notif, seccomp_notif_resp};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Where the kernel asks.
#[derive(Debug)]
pub(super) struct Notices(OwnedFd);

/// A call that waits for its fate.
#[derive(Debug)]
pub(super) struct Notice {
    id: u64,
    pub(super) number: libc::c_long,
    /// Of the processor (`AUDIT_ARCH_…`).
    pub(super) architecture: u32,
    pub(super) arguments: [u64; 6],
}

/// The fate of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The kernel carries it out.
    GoesThrough,
    /// It gives that, without the kernel.
    Gives(i64),
    Fails(Errno),
    /// There is none.
    Never,
}

impl Notices {
    pub(super) fn new(listener: OwnedFd) -> Self {
        Self(listener)
    }

    /// Waits for the next call; `None` when no process is left that could make one.
    pub(super) fn next(&self) -> Option<Notice> {
        loop {
            let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                result => result.expect("a listener can be waited for"),
            };
            let ready = fds[0].revents().unwrap_or(PollFlags::empty());
            if !ready.contains(PollFlags::POLLIN) {
                return None;
            }
            // SAFETY: a C structure of integers, for which zeroes are valid. (It must be zeroed.)
            let mut asked: seccomp_notif = unsafe { std::mem::zeroed() };
            let (fd, request) = (self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV);
            // SAFETY: the kernel writes one structure of this type.
            match Errno::result(unsafe { libc::ioctl(fd, request, &raw mut asked) }) {
                // The thread was killed while it waited.
                Err(Errno::ENOENT | Errno::EINTR) => continue,
                result => result.expect("a call waits"),
            };
            return Some(Notice {
                id: asked.id,
                number: asked.data.nr.into(),
                architecture: asked.data.arch,
                arguments: asked.data.args,
            });
        }
    }

    /// Decides the fate of a call. One whose thread has been killed has none.
    pub(super) fn answer(&self, notice: &Notice, answer: Answer) {
        let (val, error, flags) = match answer {
            Answer::GoesThrough => (0, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE),
            Answer::Gives(value) => (value, 0, 0),
            Answer::Fails(errno) => (0, -(errno as i32), 0),
            Answer::Never => return,
        };
        let flags = u32::try_from(flags).expect("it is 1");
        let mut response = seccomp_notif_resp { id: notice.id, val, error, flags };
        let (fd, request) = (self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND);
        // SAFETY: the kernel reads one structure of this type.
        match Errno::result(unsafe { libc::ioctl(fd, request, &raw mut response) }) {
            Ok(_) | Err(Errno::ENOENT) => {}
            Err(errno) => panic!("the kernel takes no answer: {}", io::Error::from(errno)),
        }
    }
}
