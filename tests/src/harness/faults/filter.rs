//! Has the kernel ask before it carries out certain calls.

use std::io;
use std::os::fd::RawFd;

use nix::libc::{self, sock_filter, sock_fprog};
use nix::sys::prctl;

/// The listener's number in the new process, above what programs open.
pub(super) const LISTENER: RawFd = 500;

/// A filter to install.
#[derive(Debug)]
pub(super) struct Filter(Vec<sock_filter>);

impl Filter {
    /// Asks about the calls of these numbers, and lets all others through.
    pub(super) fn asking(numbers: &[libc::c_long]) -> Self {
        Self::sorting(numbers, libc::SECCOMP_RET_USER_NOTIF, libc::SECCOMP_RET_ALLOW)
    }

    /// Asks about all calls but the two that are made before somebody can answer.
    pub(super) fn asking_all() -> Self {
        let early = [libc::SYS_dup3, libc::SYS_execve];
        Self::sorting(&early, libc::SECCOMP_RET_ALLOW, libc::SECCOMP_RET_USER_NOTIF)
    }

    /// Does `these` with the calls of these numbers, and `others` with all others.
    fn sorting(numbers: &[libc::c_long], these: u32, others: u32) -> Self {
        let statement = |code, k| sock_filter { code, jt: 0, jf: 0, k };
        // The number is the first field of what a filter sees (`struct seccomp_data`).
        let mut program = vec![statement(code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS), 0)];
        let (jump, give) = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, libc::BPF_RET);
        for number in numbers {
            let k = u32::try_from(*number).expect("system calls have small numbers");
            program.push(sock_filter { code: code(jump), jt: 0, jf: 1, k });
            program.push(statement(code(give), these));
        }
        program.push(statement(code(give), others));
        Self(program)
    }

    /// Installs it on the calling process, which is about to become another program, and which
    /// keeps the listener open as [`LISTENER`].
    ///
    /// Called between `fork(2)` and `execve(2)`: it allocates nothing. From the second call on the
    /// kernel asks, and nobody answers yet; so those that follow must not be asked about.
    pub(super) fn install(&self) -> io::Result<()> {
        prctl::set_no_new_privs()?;
        let filter = self.0.as_ptr().cast_mut();
        let len = u16::try_from(self.0.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let program = sock_fprog { len, filter };
        let (set, flags) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
        // SAFETY: the kernel reads `len` instructions from `filter`, which outlive the call.
        let listener = unsafe { libc::syscall(libc::SYS_seccomp, set, flags, &raw const program) };
        // SAFETY: neither number is owned by anything else: the first is new, and the second above
        // all that are in use.
        let copy = || unsafe { libc::syscall(libc::SYS_dup3, listener, LISTENER, 0) };
        if listener < 0 || copy() < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// Demands that the system can do all this, so that no failure to begin is taken for another.
pub(super) fn assert_available() {
    let action = libc::SECCOMP_RET_USER_NOTIF;
    let get = libc::SECCOMP_GET_ACTION_AVAIL;
    // SAFETY: the kernel reads one number.
    let answer = unsafe { libc::syscall(libc::SYS_seccomp, get, 0, &raw const action) };
    assert_eq!(
        answer,
        0,
        "this system does not let a process supervise another's system calls (SECCOMP_RET_USER_NOTIF, \
         Linux 5.9; is this a sandbox that forbids seccomp(2)?), so the faults were NOT tested: {}",
        io::Error::last_os_error()
    );
}

fn code(code: u32) -> u16 {
    u16::try_from(code).expect("codes of the classic BPF have 16 bits")
}
