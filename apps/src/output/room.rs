//! Whether who reads a stream lets more be written to it.

use std::io;
use std::os::fd::AsFd;

use barewire_linux::signals::Caught;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll, ppoll};
use nix::sys::signal::SigSet;
use nix::sys::time::TimeSpec;

/// So much can be written to a pipe that has room without waiting (`PIPE_BUF`, `pipe(7)`), with what
/// the standard library may have kept of an unfinished line.
pub(super) const PART: usize = 2048;

/// How long a reader may take before it is asked whether the program is to end.
const PATIENCE: TimeSpec = TimeSpec::new(0, 500_000_000);

/// Whether the stream takes more now.
pub(super) fn has_room(stream: &impl AsFd) -> io::Result<bool> {
    let mut fds = [PollFd::new(stream.as_fd(), PollFlags::POLLOUT)];
    loop {
        match poll(&mut fds, PollTimeout::ZERO) {
            Err(Errno::EINTR) => {}
            ready => return Ok(ready? > 0),
        }
    }
}

/// Waits for half a second that the stream takes more; with `signals` for the mask meanwhile.
pub(super) fn wait_a_while(stream: &impl AsFd, signals: Option<SigSet>) -> io::Result<bool> {
    if has_room(stream)? {
        return Ok(true);
    }
    let mut fds = [PollFd::new(stream.as_fd(), PollFlags::POLLOUT)];
    match ppoll(&mut fds, Some(PATIENCE), signals) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Waits until the stream takes more. A signal that is caught ends the wait, with
/// [`Interrupted`](io::ErrorKind::Interrupted), and so does one that was caught before.
pub(super) fn wait_unless(stream: &impl AsFd, caught: Option<&Caught>) -> io::Result<()> {
    let mut fds = vec![PollFd::new(stream.as_fd(), PollFlags::POLLOUT)];
    fds.extend(caught.map(|caught| PollFd::new(caught.as_fd(), PollFlags::POLLIN)));
    let is_late = caught.and_then(Caught::number).is_some();
    let patience = if is_late { PollTimeout::ZERO } else { PollTimeout::NONE };
    loop {
        match poll(&mut fds, patience) {
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) if fds[0].any() == Some(true) => return Ok(()),
            Ok(_) => return Err(io::ErrorKind::Interrupted.into()),
        }
    }
}
