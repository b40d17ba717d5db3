//! Which system calls can still be made.
//!
//! The numbers are those of `x86_64` and aarch64, of the GNU C library and of musl; where these make different
//! calls for the same, all of them are in. A test that watches each program at its work holds that none is
//! missing.

use std::collections::BTreeMap;
use std::io;
use std::process;

use nix::libc::{self, c_int, c_long};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule,
};

use crate::sys::seccomp;

/// What the calls are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a table of calls")]
pub(super) struct Work {
    /// Servers are looked up and connected to; otherwise no socket is made.
    pub(super) connects: bool,
    /// Files are opened for reading.
    pub(super) reads: bool,
    /// Files are created, written to, renamed and removed.
    pub(super) writes: bool,
    /// Files are removed, and nothing else is done to them.
    pub(super) removes: bool,
}

/// What every program does: memory, threads, time, signals, and what is open already.
const EVERY: &[c_long] = &[
    libc::SYS_accept4,
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getcpu,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpeername,
    libc::SYS_getpgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    // Of an open file as well as of a path, which is told only to who may know it anyway.
    libc::SYS_newfstatat,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_pselect6,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmmsg,
    libc::SYS_recvmsg,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_yield,
    libc::SYS_sendmmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_sigaltstack,
    libc::SYS_signalfd4,
    libc::SYS_statx,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
    // Those that aarch64 does without.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_getpgrp,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];

/// What there is to reading besides opening: contents, folders, where links lead, listings made in memory.
const READING: &[c_long] = &[
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fadvise64,
    libc::SYS_fstatfs,
    libc::SYS_ftruncate,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_memfd_create,
    libc::SYS_preadv,
    libc::SYS_preadv2,
    libc::SYS_readahead,
    libc::SYS_readlinkat,
    libc::SYS_sendfile,
    libc::SYS_statfs,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
];

const REMOVING: &[c_long] = &[libc::SYS_unlinkat];

const WRITING: &[c_long] = &[
    libc::SYS_fallocate,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_fsync,
    libc::SYS_linkat,
    libc::SYS_mkdirat,
    libc::SYS_pwritev,
    libc::SYS_pwritev2,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_symlinkat,
    libc::SYS_sync_file_range,
    libc::SYS_syncfs,
    libc::SYS_umask,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
];

/// What `getaddrinfo(3)` and the modules of name services do besides reading; which of them the system has is
/// not for a program to know.
const CONNECTING: &[c_long] = &[
    // An address of a netlink socket, or one to send datagrams from.
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_getgroups,
    libc::SYS_getresgid,
    libc::SYS_getresuid,
    libc::SYS_pipe2,
    libc::SYS_socketpair,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
];

/// By which whoever takes over a process goes on to others: nothing here makes these calls.
const FATAL: &[c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
];

/// The requests of `ioctl(2)`: modes, sizes and jobs of terminals, what has been received, and whether to
/// wait (`ioctl_tty(2)`). Not `TIOCSTI`, which types for the user, nor anything else. C libraries have them as
/// numbers of different types.
const REQUESTS: &[u64] = &[
    0x5401,      // TCGETS
    0x5402,      // TCSETS
    0x5403,      // TCSETSW
    0x5404,      // TCSETSF
    0x540f,      // TIOCGPGRP
    0x5413,      // TIOCGWINSZ
    0x541b,      // FIONREAD
    0x5421,      // FIONBIO
    0x5451,      // FIOCLEX
    0x802c_542a, // TCGETS2
    0x402c_542b, // TCSETS2
    0x402c_542c, // TCSETSW2
    0x402c_542d, // TCSETSF2
];

/// The options of `prctl(2)`: the names of threads and of memory.
const OPTIONS: [c_int; 3] = [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA];

/// The families of sockets that look-ups use, and conversations.
const FAMILIES: [c_int; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// What opening a file must not ask for that is only read.
const CHANGES: c_int = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC;

/// Leaves all threads of the process, and those that they start, the calls that `work` needs, for good.
///
/// A call that is none of them fails as one that the kernel does not have (`ENOSYS`): a newer C library that
/// tries one goes on with the older, as it does on an older kernel, and nobody's server is killed by an
/// update. Those that are [`FATAL`] end the process (`SIGSYS`), as no library tries them.
///
/// # Errors
/// Those of `seccomp(2)`: the kernel does not have it, or a filter around this one forbids it.
pub(super) fn restrict(work: Work) -> io::Result<()> {
    let fatal = FATAL.iter().map(|call| (*call, Vec::new())).collect();
    let fatal = compile(fatal, SeccompAction::Allow, SeccompAction::KillProcess)?;
    let unknown = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let known = compile(rules(work).map_err(invalid)?, unknown, SeccompAction::Allow)?;
    seccomp::install(&fatal)?;
    seccomp::install(&known)
}

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

fn compile(rules: Rules, others: SeccompAction, these: SeccompAction) -> io::Result<BpfProgram> {
    let machine = std::env::consts::ARCH.try_into().map_err(invalid)?;
    let filter = SeccompFilter::new(rules, others, these, machine).map_err(invalid)?;
    BpfProgram::try_from(filter).map_err(invalid)
}

/// Of a processor that this was not written for.
fn invalid(error: BackendError) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, error)
}

/// The calls that `work` needs, each with the rules of which one must hold, if there are any.
fn rules(work: Work) -> Result<Rules, BackendError> {
    let Work { connects, reads, writes, removes } = work;
    let families = [
        (true, EVERY),
        (reads || writes || connects, READING),
        (writes, WRITING),
        (removes, REMOVING),
        (connects, CONNECTING),
    ];
    let families = families.into_iter().filter(|(needed, _)| *needed);
    let calls = families.flat_map(|(_, calls)| calls.iter().map(|call| (*call, Vec::new())));
    let mut rules: Rules = calls.collect();

    let own = u64::from(process::id());
    let only = |argument, values: &[u64]| -> Result<Vec<SeccompRule>, BackendError> {
        values.iter().map(|value| when(argument, SeccompCmpOp::Eq, *value)).collect()
    };
    let with = |argument, mask: c_int, value: c_int| -> Result<Vec<SeccompRule>, BackendError> {
        let mask = SeccompCmpOp::MaskedEq(unsigned(mask));
        Ok(vec![when(argument, mask, unsigned(value))?])
    };
    // Threads, and no processes. What `clone3(2)` is to make stands in memory, where no filter sees it: for
    // want of it, C libraries make this call.
    rules.insert(libc::SYS_clone, with(0, libc::CLONE_THREAD, libc::CLONE_THREAD)?);
    rules.insert(libc::SYS_ioctl, only(1, REQUESTS)?);
    rules.insert(libc::SYS_prctl, only(0, &OPTIONS.map(unsigned))?);
    rules.insert(libc::SYS_prlimit64, only(0, &[0])?);
    rules.insert(libc::SYS_tgkill, only(0, &[own])?);
    // By which musl has a thread signal itself.
    #[cfg(target_env = "musl")]
    rules.insert(libc::SYS_tkill, Vec::new());
    if connects {
        // Modules of name services are loaded when they are needed first.
        rules.insert(libc::SYS_mmap, Vec::new());
        rules.insert(libc::SYS_mprotect, Vec::new());
        rules.insert(libc::SYS_socket, only(0, &FAMILIES.map(unsigned))?);
        // It stops itself, or with Ctrl-Z its whole job.
        rules.insert(libc::SYS_kill, only(0, &[own, 0])?);
    } else {
        // No memory becomes a program.
        rules.insert(libc::SYS_mmap, with(2, libc::PROT_EXEC, 0)?);
        rules.insert(libc::SYS_mprotect, with(2, libc::PROT_EXEC, 0)?);
        rules.insert(libc::SYS_kill, only(0, &[own])?);
    }
    let opening = [
        (libc::SYS_openat, 2),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_open, 1),
    ];
    for (call, flags) in opening {
        if writes {
            rules.insert(call, Vec::new());
        } else if reads || connects {
            rules.insert(call, with(flags, CHANGES, 0)?);
        }
    }
    if reads || writes || connects {
        // What it is to open stands in memory, too; Landlock sees it.
        rules.insert(libc::SYS_openat2, Vec::new());
    }
    Ok(rules)
}

/// An argument of 32 bits that compares so.
fn when(argument: u8, compares: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compares, value)?;
    SeccompRule::new(vec![condition])
}

fn unsigned(number: c_int) -> u64 {
    number.cast_unsigned().into()
}

#[cfg(test)]
mod tests;
