//! What is written besides records: headings, and contents as they are.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::mem;
use std::os::fd::AsFd as _;

use barewire_core::printable::Printable;

use super::writable::wait;
use super::{Format, Output};

/// So much can be written to a pipe that has room without waiting (`PIPE_BUF`, `pipe(7)`).
const PIPE_BUF: usize = 4096;

impl Output {
    /// A heading between results, for people; in JSON each record says itself what it belongs to.
    pub(crate) fn head(&mut self, heading: Printable<'_>) {
        if self.format == Format::Text {
            let gap = if mem::replace(&mut self.has_head, true) { "\n" } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(self.pending, "{gap}{heading}:");
        }
    }

    /// Writes `bytes` to standard output as they are, past what is collected.
    ///
    /// # Errors
    /// Those of `write(2)`, `EPIPE` among them, since a reader who has gone away needs no more; and
    /// [`Interrupted`](io::ErrorKind::Interrupted) if a signal has ended the wait for a reader.
    #[expect(clippy::unused_self, reason = "who has it may write to standard output")]
    pub(crate) fn pass_on(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        if stdout.metadata()?.is_file() {
            // Nobody has to read for there to be room.
            return stdout.write_all(bytes);
        }
        for part in bytes.chunks(PIPE_BUF) {
            wait(&io::stdout())?;
            stdout.write_all(part)?;
        }
        Ok(())
    }

    /// What was collected, in place of writing it.
    #[cfg(test)]
    pub(crate) fn take(&mut self) -> String {
        mem::take(&mut self.pending)
    }
}
