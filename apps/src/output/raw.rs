//! Bytes as they are: to standard output, or to another stream.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use barewire_linux::standard_streams;

use super::printer::Printer;
use super::writable::wait_until_writable;

/// So much can be written to a pipe that has room without waiting (`PIPE_BUF`, `pipe(7)`).
const PIPE_BUF: usize = 4096;

/// A stream that takes bytes as they are, past what is collected for standard output.
#[derive(Debug, Default)]
pub(crate) struct RawOutput {
    /// Standard output unless there is another.
    stream: Option<File>,
}

impl RawOutput {
    /// A stream that is open to be written.
    pub(crate) fn new(stream: File) -> Self {
        Self { stream: Some(stream) }
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// Those of `write(2)`, `EPIPE` among them, since a reader who has gone away needs no more; and
    /// [`Interrupted`](io::ErrorKind::Interrupted) if a signal has ended the wait for a reader.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match &self.stream {
            Some(stream) => write(&mut &*stream, bytes),
            None => write_to_stdout(bytes),
        }
    }
}

impl Printer {
    /// Writes `bytes` to standard output as they are, past what is collected.
    ///
    /// # Errors
    /// Those of [`RawOutput::write`].
    #[expect(clippy::unused_self, reason = "who has it may write to standard output")]
    pub(crate) fn write_raw(&self, bytes: &[u8]) -> io::Result<()> {
        write_to_stdout(bytes)
    }
}

fn write_to_stdout(bytes: &[u8]) -> io::Result<()> {
    standard_streams::check_output()?;
    let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    write(&mut &stdout, bytes)
}

fn write(stream: &mut &File, bytes: &[u8]) -> io::Result<()> {
    if stream.metadata()?.is_file() {
        // Nobody has to read for there to be room.
        return stream.write_all(bytes);
    }
    for chunk in bytes.chunks(PIPE_BUF) {
        wait_until_writable(*stream)?;
        stream.write_all(chunk)?;
    }
    Ok(())
}
