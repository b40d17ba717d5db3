//! Standard error: stream, and why the program failed.
//!
//! On a server nobody waits for who reads it: others are to be served. Elsewhere a signal ends the
//! wait. What finds no room is left out, and how much that was is told in its place. Where there is a wait
//! only a message that was begun is kept, and its rest comes first.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use barewire_core::time::Duration;
use barewire_linux::lossy_writer::{LossyWriter, Sink};
use barewire_linux::wait::writable;

use super::writable::{CHUNK, has_stalled, reader_timeout, wait_briefly, wait_until_writable};

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
    match &stderr.lossy {
        Some(writer) => writer.write(message),
        None => stderr.write_message(message, &mut io::stderr(), || {
            wait_until_writable(&io::stderr()).map(|()| true)
        }),
    }
}

/// Says what is left, at the end of the program, if somebody reads it soon.
pub(crate) fn finish() {
    let mut stderr = stderr();
    match stderr.lossy.clone() {
        Some(writer) => {
            drop(stderr);
            writer.finish(reader_timeout(), || has_stalled(&io::stderr()));
        }
        None => stderr.finish(&mut io::stderr(), || wait_briefly(&io::stderr())),
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
        Some(omitted_note(self.program, count))
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
    /// Of a message that was begun.
    rest: Vec<u8>,
    /// How many messages were left out since.
    omitted: u64,
}

impl StandardError {
    const fn new() -> Self {
        Self { program: "", lossy: None, rest: Vec::new(), omitted: 0 }
    }

    fn write_message(
        &mut self,
        message: &[u8],
        sink: &mut impl Write,
        mut is_writable: impl FnMut() -> io::Result<bool>,
    ) {
        self.write_rest(sink, &mut is_writable);
        if !self.rest.is_empty() {
            self.omitted += 1;
            return;
        }
        self.report_omitted();
        self.rest.extend_from_slice(message);
        self.write_rest(sink, &mut is_writable);
    }

    fn finish(&mut self, sink: &mut impl Write, mut is_writable: impl FnMut() -> io::Result<bool>) {
        self.write_rest(sink, &mut is_writable);
        if self.rest.is_empty() {
            self.report_omitted();
            self.write_rest(sink, &mut is_writable);
        }
    }

    fn report_omitted(&mut self) {
        let count = std::mem::take(&mut self.omitted);
        if count > 0 {
            self.rest.extend_from_slice(omitted_note(self.program, count).as_bytes());
        }
    }

    /// Writes as long as `is_writable` finds that the sink takes more.
    fn write_rest(
        &mut self,
        sink: &mut impl Write,
        is_writable: &mut impl FnMut() -> io::Result<bool>,
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

fn omitted_note(program: &str, count: u64) -> String {
    format!("{program}: warning: {}\n", omitted_message(count))
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
    fn what_finds_no_room_is_counted_and_a_message_is_never_torn() {
        let (mut stream, mut read) = (StandardError::new(), Vec::new());
        let long = "x".repeat(CHUNK) + "\n";
        stream.write_message(b"one\n", &mut read, parts(1));
        stream.write_message(long.as_bytes(), &mut read, parts(1));
        assert_eq!(read.len(), 4 + CHUNK);
        for _ in 0..1_000 {
            stream.write_message(long.as_bytes(), &mut read, parts(0));
        }
        assert!(stream.rest.len() < CHUNK, "nothing is collected");
        stream.write_message(b"two\n", &mut read, parts(9));
        stream.write_message(b"three\n", &mut read, parts(9));
        let read = String::from_utf8(read).unwrap();
        let note = omitted_message(1_000);
        assert_eq!(read, format!("one\n{long}: warning: {note}\ntwo\nthree\n"));
    }

    #[test]
    fn what_is_left_is_said_at_the_end() {
        let (mut stream, mut read) = (StandardError::new(), Vec::new());
        for message in [b"one\n", b"two\n", b"six\n"] {
            stream.write_message(message, &mut read, parts(0));
        }
        assert!(read.is_empty());
        stream.finish(&mut read, parts(9));
        assert_eq!(
            String::from_utf8(read).unwrap(),
            format!("one\n: warning: {}\n", omitted_message(2))
        );
    }

    #[test]
    fn an_interruption_leaves_the_message_for_the_end() {
        let (mut stream, mut read) = (StandardError::new(), Vec::new());
        let interrupted = || Err(io::ErrorKind::Interrupted.into());
        stream.write_message(b"one\n", &mut read, interrupted);
        assert!(read.is_empty());
        stream.finish(&mut read, parts(9));
        assert_eq!(read, b"one\n");
    }

    #[test]
    fn a_reader_who_is_gone_costs_no_memory() {
        let mut stream = StandardError::new();
        let mut full: &mut [u8] = &mut [];
        stream.write_message(b"one\n", &mut full, parts(9));
        assert!(stream.rest.is_empty());
    }
}
