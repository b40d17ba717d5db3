//! The limits that the system sets a process (`getrlimit(2)`).

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};

/// Raises the limit on descriptors as far as is allowed: each client, and each file, takes some, and
/// the soft limit is often far below the hard one.
pub(crate) fn raise_descriptor_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        log::debug!("cannot raise the limit on open files: {}", error.desc());
    }
}

/// Makes a write beyond the limit on the size of files an error (`EFBIG`) in place of the program's
/// end by `SIGXFSZ`. To be called before any other thread is started. Programs that this one starts
/// by [`std::process::Command`] are not affected.
pub(crate) fn survive_file_size_limit() -> io::Result<()> {
    Ok(SigSet::from(Signal::SIGXFSZ).thread_block()?)
}
