//! Standard output: bytes as they are.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use super::printer::Printer;
use super::writable::wait_until_writable;

/// So much can be written to a pipe that has room without waiting (`PIPE_BUF`, `pipe(7)`).
const PIPE_BUF: usize = 4096;

impl Printer {
    /// Writes `bytes` to standard output as they are, past what is collected.
    ///
    /// # Errors
    /// Those of `write(2)`, `EPIPE` among them, since a reader who has gone away needs no more; and
    /// [`Interrupted`](io::ErrorKind::Interrupted) if a signal has ended the wait for a reader.
    #[expect(clippy::unused_self, reason = "who has it may write to standard output")]
    pub(crate) fn write_raw(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        if stdout.metadata()?.is_file() {
            // Nobody has to read for there to be room.
            return stdout.write_all(bytes);
        }
        for chunk in bytes.chunks(PIPE_BUF) {
            wait_until_writable(&io::stdout())?;
            stdout.write_all(chunk)?;
        }
        Ok(())
    }
}
