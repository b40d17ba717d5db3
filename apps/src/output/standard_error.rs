//! Standard error: stream, and why the program failed.
//!
//! On a server nobody waits for who reads it: others are to be served. What finds no room is left out, and how
//! much that was is told in its place. Elsewhere a signal ends the wait, and the program soon after: what is
//! left then is said at its end.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use barewire_core::time::Duration;
use barewire_linux::lossy_writer::{LossyWriter, Sink};
use barewire_linux::wait::writable;

use super::ending::patience;
use super::writable::{CHUNK, has_stalled, wait_briefly, wait_until_writable};

/// So much a server keeps for a reader who is slow.
const QUEUE: usize = 8 * 1024;

static STDERR: Mutex<StandardError> = Mutex::new(StandardError::new());

/// The program has this name.
pub(crate) fn init(program: &'static str) {
    stderr().program = program;
}

/// From now on nobody waits for who reads standard error.
pub(super) fn set_lossy() {
    let mut stderr = stderr();
    stderr.lossy = Some(LossyWriter::new(StderrSink { program: stderr.program }, QUEUE));
}

/// Says a message, which ends in a line feed; all threads say theirs in whole.
pub(crate) fn write(message: &[u8]) {
    let mut stderr = stderr();
    if let Some(writer) = &stderr.lossy {
        writer.write(message);
        return;
    }
    stderr.rest.extend_from_slice(message);
    stderr.write_rest(&mut io::stderr(), || wait_until_writable(&io::stderr()).map(|()| true));
}

/// Says what is left, at the end of the program, if somebody reads it soon.
pub(crate) fn finish() {
    let mut stderr = stderr();
    match stderr.lossy.clone() {
        Some(writer) => {
            drop(stderr);
            writer.finish(patience(|| has_stalled(&io::stderr())));
        }
        None => stderr.write_rest(&mut io::stderr(), || wait_briefly(&io::stderr())),
    }
}

/// Standard error as the logger writes to it, one message a call.
pub(crate) struct LogSink;

impl Write for LogSink {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        write(message);
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn stderr() -> MutexGuard<'static, StandardError> {
    STDERR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Standard error of a server, off its loop.
struct StderrSink {
    program: &'static str,
}

impl Sink for StderrSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().write(bytes)
    }

    fn is_writable(&self, timeout: Duration) -> io::Result<bool> {
        writable(io::stderr(), Some(timeout))
    }

    fn note_lost(&mut self, count: u64) -> Option<String> {
        Some(format!("{}: warning: {}\n", self.program, omitted_message(count)))
    }

    /// There is nobody left to tell.
    fn failed(&mut self, _: &io::Error, _: u64) -> u64 {
        0
    }
}

#[derive(Debug)]
struct StandardError {
    program: &'static str,
    /// On a server.
    lossy: Option<LossyWriter<StderrSink>>,
    /// What is yet to be said.
    rest: Vec<u8>,
}

impl StandardError {
    const fn new() -> Self {
        Self { program: "", lossy: None, rest: Vec::new() }
    }

    /// Writes as long as `is_writable` finds that the sink takes more.
    fn write_rest(
        &mut self,
        sink: &mut impl Write,
        mut is_writable: impl FnMut() -> io::Result<bool>,
    ) {
        while !self.rest.is_empty() {
            let part = self.rest.len().min(CHUNK);
            match is_writable().and_then(|is_writable| {
                if is_writable {
                    sink.write_all(&self.rest[..part])?;
                }
                Ok(is_writable)
            }) {
                Ok(true) => drop(self.rest.drain(..part)),
                Ok(false) => return,
                // By a signal: the program ends, and says at its end what it can.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
                // There is nobody left to tell.
                Err(_) => self.rest.clear(),
            }
        }
    }
}

/// What stands in the place of what was left out.
pub(super) fn omitted_message(count: u64) -> String {
    format!("{count} lines omitted: the reader was too slow")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A reader who takes so many parts and no more.
    fn parts(count: usize) -> impl FnMut() -> io::Result<bool> {
        let left = Cell::new(count);
        move || Ok(left.replace(left.get().saturating_sub(1)) > 0)
    }

    #[test]
    fn what_an_interruption_or_a_slow_reader_has_left_is_said_at_the_end() {
        let (mut stream, mut read) = (StandardError::new(), Vec::new());
        let interrupted = || Err(io::ErrorKind::Interrupted.into());
        let long = "x".repeat(CHUNK) + "\n";
        stream.rest.extend_from_slice(b"one\n");
        stream.write_rest(&mut read, interrupted);
        assert!(read.is_empty());
        stream.rest.extend_from_slice(long.as_bytes());
        stream.write_rest(&mut read, parts(1));
        assert_eq!(read.len(), CHUNK);
        stream.write_rest(&mut read, parts(9));
        assert_eq!(String::from_utf8(read).unwrap(), format!("one\n{long}"));
    }

    #[test]
    fn a_reader_who_is_gone_costs_no_memory() {
        let mut stream = StandardError::new();
        let mut full: &mut [u8] = &mut [];
        stream.rest.extend_from_slice(b"one\n");
        stream.write_rest(&mut full, parts(9));
        assert!(stream.rest.is_empty());
    }
}
