//! The limits that the system sets a process (`getrlimit(2)`).

use std::io;

use nix::sys::prctl;
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

/// Has the system write this process's memory nowhere when it crashes, for good: neither to a core file nor to a
/// program that takes what would be in one (`PR_SET_DUMPABLE`, `core(5)`). Then only root can trace the process, or
/// look at what is its own in `/proc`. To be called once the process is the user that it stays, and before there is
/// what nobody is to see.
///
/// # Errors
/// Those of `prctl(2)`: a filter of system calls forbids it. Then there are no core files (`RLIMIT_CORE`), unless a
/// filter forbids that as well; but a program that takes dumps heeds no such limit.
pub fn forbid_core_dumps() -> io::Result<()> {
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    Ok(prctl::set_dumpable(false)?)
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;
    use crate::testing::in_child;

    #[test]
    fn no_core_is_written_and_nothing_of_the_process_handed_on() {
        const TEST: &str = concat!(
            "resource_limits::tests::",
            "no_core_is_written_and_nothing_of_the_process_handed_on"
        );
        // Other tests look at themselves in `/proc`.
        if !in_child(TEST, Stdio::null(), "") {
            return;
        }
        assert_eq!(prctl::get_dumpable(), Ok(true));
        forbid_core_dumps().unwrap();
        assert_eq!(getrlimit(Resource::RLIMIT_CORE), Ok((0, 0)));
        assert_eq!(prctl::get_dumpable(), Ok(false));
    }
}
