//! The limits that the system sets a process (`getrlimit(2)`).

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};

/// Raises the limit on descriptors as far as is allowed: each client, and each file, takes some, and
/// the soft limit is often far below the hard one.
///
/// # Errors
/// Those of `getrlimit(2)` and `setrlimit(2)`.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}

/// How many descriptors the process may have open.
///
/// # Errors
/// Those of `getrlimit(2)`.
pub fn descriptor_limit() -> io::Result<usize> {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(usize::try_from(soft).unwrap_or(usize::MAX))
}

/// Makes a write beyond the limit on the size of files an error (`EFBIG`) in place of the process's
/// end by `SIGXFSZ`. To be called before any other thread is started. Programs that this one starts
/// by [`std::process::Command`] are not affected.
///
/// # Errors
/// Those of `sigprocmask(2)`.
pub fn survive_file_size_limit() -> io::Result<()> {
    Ok(SigSet::from(Signal::SIGXFSZ).thread_block()?)
}
