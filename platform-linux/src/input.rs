//! Standard input (or any descriptor) as a source of an executor's task.

#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, BorrowedFd};

use barewire_core::time::{Duration, Instant};
use nix::errno::Errno;
use nix::unistd;

use crate::executor::{Context, EventSource, Readiness};
use crate::job_control::is_in_background;
use crate::sys::{errno, retry};
use crate::wait;

/// When a terminal is looked at again on which something was typed for another job.
const LOOK: Duration = Duration::from_millis(250);

/// What a read from an [`Input`] gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk<'b> {
    /// Bytes; at least one, unless the buffer is empty.
    Bytes(&'b [u8]),
    /// The end: of the file, of the pipe (its last writer is gone), or Ctrl-D on an empty line.
    End,
}

/// A descriptor that is read without waiting, whatever kind of file it is.
///
/// `O_NONBLOCK` is not set: it belongs to the open file description, which standard input shares
/// with the shell and every other program on the terminal (`open(2)`), and they would find it set
/// even after a crash of this one. Instead, `poll(2)` is asked before each read, which then does not
/// wait, provided that nobody else reads the same terminal or pipe at that moment.
///
/// A terminal, pipe or socket is waited for by epoll. What epoll refuses, because it is always
/// ready (a regular file, `/dev/null`), is read one piece a turn.
///
/// While another job is in the foreground of a terminal, what is typed there is that one's and is not read,
/// which would stop this one (`SIGTTIN`, `termios(3)`). Once this one is in the foreground it reads again.
#[derive(Debug)]
pub struct Input<F> {
    fd: F,
    watch: Watch,
    is_terminal: bool,
    /// Something was typed for another job.
    is_held: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    /// Not begun.
    No,
    /// By epoll.
    Epoll(EventSource),
    /// Not needed: always ready.
    Always,
    /// The end was reached.
    Over,
}

impl Input<io::Stdin> {
    /// Standard input. Nothing else should read it, `std::io::stdin()`'s buffer included.
    pub fn stdin() -> Self {
        Self::new(io::stdin())
    }
}

impl<F: AsFd> Input<F> {
    /// Reads from `fd`.
    pub fn new(fd: F) -> Self {
        let is_terminal = fd.as_fd().is_terminal();
        Self { fd, watch: Watch::No, is_terminal, is_held: false }
    }

    /// Reads what is there, up to the size of `buffer`, in one piece. To be called once in every turn
    /// of the task; a turn follows whenever there may be more. After the end it gives the end again.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: nothing is there yet. Otherwise those of `epoll_ctl(2)`, `poll(2)`
    /// and `read(2)`: a directory, say.
    pub fn read<'b, W>(
        &mut self,
        cx: &mut Context<'_, W>,
        buffer: &'b mut [u8],
    ) -> nb::Result<Chunk<'b>, io::Error> {
        if self.watch == Watch::No {
            self.watch = watch(cx, self.fd.as_fd()).map_err(nb::Error::Other)?;
        }
        if self.watch == Watch::Over {
            return Ok(Chunk::End);
        }
        if let Watch::Epoll(source) = self.watch {
            if !cx.readiness(source).intersects(Readiness::READABLE) {
                return Err(nb::Error::WouldBlock);
            }
            self.is_held = false;
            if !wait::readable(&self.fd, Some(Duration::ZERO)).map_err(nb::Error::Other)? {
                cx.clear(source, Readiness::READABLE);
                return Err(nb::Error::WouldBlock);
            }
            if self.is_terminal && is_in_background(&self.fd) {
                self.is_held = true;
                return Err(nb::Error::WouldBlock);
            }
        }
        let count = match retry(|| unistd::read(&self.fd, buffer)) {
            Ok(count) => count,
            // It has come to the background since.
            Err(error)
                if errno(&error) == Errno::EIO
                    && self.is_terminal
                    && is_in_background(&self.fd) =>
            {
                self.is_held = true;
                return Err(nb::Error::WouldBlock);
            }
            // Somebody else has made the description non-blocking, and read what was there.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                cx.yield_now();
                return Err(nb::Error::WouldBlock);
            }
            Err(error) => return Err(nb::Error::Other(error)),
        };
        if count == 0 && !buffer.is_empty() {
            self.close(cx);
            return Ok(Chunk::End);
        }
        cx.yield_now();
        Ok(Chunk::Bytes(&buffer[..count]))
    }

    /// When a turn is wanted though nothing new comes: what was typed for another job may be this one's by
    /// then. `None` unless there is such.
    pub fn poll_deadline(&self, now: Instant) -> Option<Instant> {
        self.is_held.then(|| now + LOOK)
    }

    /// Stops reading. To be called by a task that ends before the input does: dropping the task does
    /// not close a descriptor that it has only borrowed, and epoll would go on to watch it.
    pub fn close<W>(&mut self, cx: &mut Context<'_, W>) {
        if let Watch::Epoll(source) = self.watch {
            // It cannot fail for what is registered, and nothing is lost if it does.
            let _ = cx.deregister(source, &self.fd);
        }
        self.watch = Watch::Over;
    }
}

fn watch<W>(cx: &mut Context<'_, W>, fd: BorrowedFd<'_>) -> io::Result<Watch> {
    match cx.register(fd, Readiness::READABLE) {
        Ok(source) => Ok(Watch::Epoll(source)),
        Err(error) if errno(&error) == Errno::EPERM => Ok(Watch::Always),
        Err(error) => Err(error),
    }
}
