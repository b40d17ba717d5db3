//! A filter of system calls (`seccomp(2)`).
//!
//! One of the crate's modules with `unsafe` code: the library that compiles the filter installs it without
//! `SECCOMP_FILTER_FLAG_SPEC_ALLOW`. Until Linux 5.16 that slows a process down on many processors, by what
//! keeps code from speculating that a program has been given by others, and here there is none. Before Linux
//! 4.17 there is no such flag.

use std::io;

use nix::errno::Errno;
use nix::libc::{self, c_ulong};
use seccompiler::sock_filter;

/// Installs a filter for all threads of the process, for good. It is to have no new privileges
/// (`PR_SET_NO_NEW_PRIVS`).
pub(crate) fn install(filter: &[sock_filter]) -> io::Result<()> {
    let len = u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len, filter: filter.as_ptr().cast_mut().cast() };
    let install = |flags: c_ulong| {
        // SAFETY: the kernel reads `len` instructions from `filter`, which outlive the call and are laid out as
        // it has them (`repr(C)`), and touches no other memory.
        Errno::result(unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                flags,
                &raw const program,
            )
        })
    };
    let flags = libc::SECCOMP_FILTER_FLAG_TSYNC;
    let thread = match install(flags | libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW) {
        Err(Errno::EINVAL) => install(flags)?,
        installed => installed?,
    };
    // Otherwise it is a thread that could not be given it.
    if thread == 0 { Ok(()) } else { Err(Errno::EBUSY.into()) }
}
