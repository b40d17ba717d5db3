//! What a process does at a signal.

use std::io;

use nix::sys::signal::{SigHandler, Signal, signal};

/// Has the process do at signals what it does by default, whatever the tests were told to ignore (by
/// nohup(1), say). To be called in a new process, before it executes its program.
pub(super) fn heed_signals() -> io::Result<()> {
    for number in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTSTP] {
        // SAFETY: there is no handler, and what was done before nobody relies on.
        unsafe { signal(number, SigHandler::SigDfl) }?;
    }
    Ok(())
}
