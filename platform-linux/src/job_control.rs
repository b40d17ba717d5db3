//! A program that shares its terminal with other jobs of a shell (`credentials(7)`, "Sessions and process
//! groups").

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::termios::tcgetattr;
use nix::unistd::{getpgrp, tcgetpgrp};

/// Has the process serve on while another job is in the foreground of its terminal: `SIGTTIN` and
/// `SIGTTOU`, which would stop it, are blocked for the calling thread and those that it starts. A read from
/// the terminal then fails (`EIO`), and a write goes through, also after `stty tostop`.
///
/// # Errors
/// Those of `sigprocmask(2)`.
pub fn run_in_background() -> io::Result<()> {
    Ok(SigSet::from_iter([Signal::SIGTTIN, Signal::SIGTTOU]).thread_block()?)
}

/// Whether another job is in the foreground of the terminal `fd`: what is typed there is that one's. Of what
/// is no terminal, or not the one that this process is controlled by, it is not so.
pub fn is_in_background(fd: impl AsFd) -> bool {
    tcgetpgrp(fd).is_ok_and(|foreground| foreground != getpgrp())
}

/// Whether one of the standard streams was a terminal that has hung up since: its window was closed, or the
/// line was cut.
pub fn has_hung_up() -> bool {
    let is_gone = |mode: Result<_, Errno>| mode.is_err_and(|error| error == Errno::EIO);
    is_gone(tcgetattr(io::stdin()).map(drop))
        || is_gone(tcgetattr(io::stdout()).map(drop))
        || is_gone(tcgetattr(io::stderr()).map(drop))
}
