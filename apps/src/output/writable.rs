//! Whether who reads a stream lets more be written to it.

use std::io;
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use barewire_core::time::Duration;
use barewire_linux::signals::Caught;
use barewire_linux::wait::{writable, writable_unless};

/// So much can be written to a pipe that has room without waiting (`PIPE_BUF`, `pipe(7)`), with what
/// the standard library may have kept of an unfinished line.
pub(super) const CHUNK: usize = 2048;

/// How many milliseconds a reader may take at the end of the program.
static READER_TIMEOUT_MS: AtomicU16 = AtomicU16::new(500);

/// Tells of a signal that was caught, once they are.
static CAUGHT: OnceLock<Caught> = OnceLock::new();

/// A signal has ended a wait for a reader.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on signals are caught, and `caught` tells: they end a wait.
pub(crate) fn interrupt_by(caught: Caught) {
    // A process catches them once.
    let _ = CAUGHT.set(caught);
}

/// The signal that has ended a wait for a reader, if one has. To be asked when nothing else receives
/// signals.
pub(crate) fn interrupting_signal() -> Option<u8> {
    let caught = CAUGHT.get().filter(|_| INTERRUPTED.load(Ordering::Relaxed))?;
    caught.number().or_else(|| caught.receive())
}

/// Whether a second signal has come, so that nothing is to be waited for. To be asked when nothing else
/// receives signals.
pub(super) fn is_hurried() -> bool {
    CAUGHT.get().is_some_and(|caught| {
        while caught.receive().is_some() {}
        caught.is_repeated()
    })
}

/// A reader may take so long at the end of the program.
pub(crate) fn set_reader_timeout(timeout: Duration) {
    let milliseconds = timeout.as_micros() / 1000;
    READER_TIMEOUT_MS.store(milliseconds.try_into().unwrap_or(u16::MAX), Ordering::Relaxed);
}

/// How long a reader may take at the end of the program: half a second unless it was set.
pub(crate) fn reader_timeout() -> Duration {
    Duration::from_millis(READER_TIMEOUT_MS.load(Ordering::Relaxed).into())
}

/// Waits for a moment that the stream takes more.
pub(super) fn wait_briefly(stream: &impl AsFd) -> io::Result<bool> {
    writable(stream, Some(reader_timeout()))
}

/// Whether the stream takes no more for now.
pub(crate) fn has_stalled(stream: &impl AsFd) -> bool {
    matches!(writable(stream, Some(Duration::ZERO)), Ok(false))
}

/// Waits until the stream takes more. A reader who has stalled must not keep the program from being
/// ended: a signal that is caught ends the wait, with [`Interrupted`](io::ErrorKind::Interrupted),
/// and so does one that was caught before.
pub(super) fn wait_until_writable(stream: &impl AsFd) -> io::Result<()> {
    let is_writable = match CAUGHT.get() {
        Some(caught) => {
            let timeout = caught.number().map(|_| Duration::ZERO);
            writable_unless(stream, caught.as_fd(), timeout)?
        }
        None => writable(stream, None)?,
    };
    if is_writable {
        return Ok(());
    }
    INTERRUPTED.store(true, Ordering::Relaxed);
    Err(io::ErrorKind::Interrupted.into())
}
