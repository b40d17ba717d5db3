//! Whether who reads a stream lets more be written to it.

use std::io;
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use barewire_linux::signals::Caught;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// So much can be written to a pipe that has room without waiting (`PIPE_BUF`, `pipe(7)`), with what
/// the standard library may have kept of an unfinished line.
pub(super) const PART: usize = 2048;

/// How many milliseconds a reader may take at the end of the program.
const PATIENCE: u16 = 500;

/// Tells of a signal that was caught, once they are.
static CAUGHT: OnceLock<Caught> = OnceLock::new();

/// A signal has ended a wait for a reader.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on signals are caught, and `caught` tells.
pub(crate) fn heed(caught: Caught) {
    // A process catches them once.
    let _ = CAUGHT.set(caught);
}

/// The signal that has ended a wait for a reader, if one has. To be asked when nothing else receives
/// signals.
pub(crate) fn ended_by() -> Option<u8> {
    let caught = CAUGHT.get().filter(|_| INTERRUPTED.load(Ordering::Relaxed))?;
    caught.number().or_else(|| caught.receive())
}

/// Whether the stream takes more now.
pub(super) fn has_room(stream: &impl AsFd) -> io::Result<bool> {
    ready(&mut [PollFd::new(stream.as_fd(), PollFlags::POLLOUT)], PollTimeout::ZERO)
}

/// Waits for half a second that the stream takes more.
pub(super) fn wait_a_while(stream: &impl AsFd) -> io::Result<bool> {
    ready(&mut [PollFd::new(stream.as_fd(), PollFlags::POLLOUT)], PATIENCE.into())
}

/// Waits until the stream takes more. A reader who has stalled must not keep the program from being
/// ended: a signal that is caught ends the wait, with [`Interrupted`](io::ErrorKind::Interrupted),
/// and so does one that was caught before.
pub(super) fn wait(stream: &impl AsFd) -> io::Result<()> {
    let caught = CAUGHT.get();
    let mut fds = vec![PollFd::new(stream.as_fd(), PollFlags::POLLOUT)];
    fds.extend(caught.map(|caught| PollFd::new(caught.as_fd(), PollFlags::POLLIN)));
    let is_late = caught.and_then(Caught::number).is_some();
    ready(&mut fds, if is_late { PollTimeout::ZERO } else { PollTimeout::NONE })?;
    if fds[0].any() == Some(true) {
        return Ok(());
    }
    INTERRUPTED.store(true, Ordering::Relaxed);
    Err(io::ErrorKind::Interrupted.into())
}

/// Waits until one of `fds` is ready, and tells whether one is. An interruption begins the wait anew.
fn ready(fds: &mut [PollFd<'_>], patience: PollTimeout) -> io::Result<bool> {
    loop {
        match poll(fds, patience) {
            Err(Errno::EINTR) => {}
            ready => return Ok(ready? > 0),
        }
    }
}
