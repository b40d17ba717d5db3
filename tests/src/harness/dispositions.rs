//! What a process does at a signal.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::LazyLock;

use nix::sys::signal::{SigHandler, Signal, signal};

/// The signals that those who start the tests may have them ignore: nohup(1), or a shell that has them in the
/// background.
const HEEDED: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTSTP];

/// Has the process that `command` starts do at signals what it does by default, whatever the tests were told to
/// ignore.
pub fn heed_signals(command: &mut Command) {
    static IGNORES: LazyLock<bool> = LazyLock::new(ignores);
    if *IGNORES {
        // SAFETY: in the new process, which has one thread, it only makes system calls (`signal-safety(7)`).
        unsafe { command.pre_exec(heed) };
    }
}

/// The same, in a new process, before it executes its program.
pub(super) fn heed() -> io::Result<()> {
    for number in HEEDED {
        // SAFETY: there is no handler, and what was done before nobody relies on.
        unsafe { signal(number, SigHandler::SigDfl) }?;
    }
    Ok(())
}

/// Whether this process ignores one of them (`proc_pid_status(5)`).
fn ignores() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("proc(5)");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let mask = mask.expect("the signals that are ignored");
    HEEDED.iter().any(|number| mask & 1 << (*number as i32 - 1) != 0)
}
