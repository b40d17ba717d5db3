//! Standard error: diagnostics, and why the program failed.
//!
//! On a server nobody waits for who reads it: others are to be served. Elsewhere a signal ends the
//! wait. What finds no room is left out, and how much that was is told in its place. Only a message
//! that was begun is kept, and its rest comes first.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::writable::{PART, has_room, wait, wait_a_while};

static STDERR: Mutex<Diagnostics> = Mutex::new(Diagnostics::new());

/// The program has this name.
pub(crate) fn begin(program: &'static str) {
    stderr().program = program;
}

/// From now on nobody waits for who reads standard error.
pub(super) fn serve() {
    stderr().serves = true;
}

/// Says a message, which ends in a line feed; all threads say theirs in whole.
pub(crate) fn say(message: &[u8]) {
    let mut stderr = stderr();
    let serves = stderr.serves;
    let has_room = || {
        if serves { has_room(&io::stderr()) } else { wait(&io::stderr()).map(|()| true) }
    };
    stderr.say(message, &mut io::stderr(), has_room);
}

/// Says what is left, at the end of the program, if somebody reads it soon.
pub(crate) fn finish() {
    stderr().finish(&mut io::stderr(), || wait_a_while(&io::stderr()));
}

/// Standard error as the logger writes to it, one message a call.
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        say(message);
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn stderr() -> MutexGuard<'static, Diagnostics> {
    STDERR.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Diagnostics {
    program: &'static str,
    serves: bool,
    /// Of a message that was begun.
    rest: Vec<u8>,
    /// How many messages were left out since.
    missing: u64,
}

impl Diagnostics {
    const fn new() -> Self {
        Self { program: "", serves: false, rest: Vec::new(), missing: 0 }
    }

    fn say(
        &mut self,
        message: &[u8],
        sink: &mut impl Write,
        mut has_room: impl FnMut() -> io::Result<bool>,
    ) {
        self.write(sink, &mut has_room);
        if !self.rest.is_empty() {
            self.missing += 1;
            return;
        }
        self.tell_missing();
        self.rest.extend_from_slice(message);
        self.write(sink, &mut has_room);
    }

    fn finish(&mut self, sink: &mut impl Write, mut has_room: impl FnMut() -> io::Result<bool>) {
        self.write(sink, &mut has_room);
        if self.rest.is_empty() {
            self.tell_missing();
            self.write(sink, &mut has_room);
        }
    }

    fn tell_missing(&mut self) {
        let count = std::mem::take(&mut self.missing);
        if count > 0 {
            let note = format!("{}: warning: {}\n", self.program, missing(count));
            self.rest.extend_from_slice(note.as_bytes());
        }
    }

    /// Writes as long as `has_room` finds that the sink takes more.
    fn write(&mut self, sink: &mut impl Write, has_room: &mut impl FnMut() -> io::Result<bool>) {
        while !self.rest.is_empty() {
            let part = self.rest.len().min(PART);
            match has_room().and_then(|has_room| {
                if has_room {
                    sink.write_all(&self.rest[..part])?;
                }
                Ok(has_room)
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
pub(super) fn missing(count: u64) -> String {
    format!("{count} lines are missing here: nobody read them in time")
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
        let (mut diagnostics, mut read) = (Diagnostics::new(), Vec::new());
        let long = "x".repeat(PART) + "\n";
        diagnostics.say(b"one\n", &mut read, parts(1));
        diagnostics.say(long.as_bytes(), &mut read, parts(1));
        assert_eq!(read.len(), 4 + PART);
        for _ in 0..1_000 {
            diagnostics.say(long.as_bytes(), &mut read, parts(0));
        }
        assert!(diagnostics.rest.len() < PART, "nothing is collected");
        diagnostics.say(b"two\n", &mut read, parts(9));
        diagnostics.say(b"three\n", &mut read, parts(9));
        let read = String::from_utf8(read).unwrap();
        let told = missing(1_000);
        assert_eq!(read, format!("one\n{long}: warning: {told}\ntwo\nthree\n"));
    }

    #[test]
    fn what_is_left_is_said_at_the_end() {
        let (mut diagnostics, mut read) = (Diagnostics::new(), Vec::new());
        for message in [b"one\n", b"two\n", b"six\n"] {
            diagnostics.say(message, &mut read, parts(0));
        }
        assert!(read.is_empty());
        diagnostics.finish(&mut read, parts(9));
        assert_eq!(String::from_utf8(read).unwrap(), format!("one\n: warning: {}\n", missing(2)));
    }

    #[test]
    fn an_interruption_leaves_the_message_for_the_end() {
        let (mut diagnostics, mut read) = (Diagnostics::new(), Vec::new());
        let interrupted = || Err(io::ErrorKind::Interrupted.into());
        diagnostics.say(b"one\n", &mut read, interrupted);
        assert!(read.is_empty());
        diagnostics.finish(&mut read, parts(9));
        assert_eq!(read, b"one\n");
    }

    #[test]
    fn a_reader_who_is_gone_costs_no_memory() {
        let mut diagnostics = Diagnostics::new();
        let mut full: &mut [u8] = &mut [];
        diagnostics.say(b"one\n", &mut full, parts(9));
        assert!(diagnostics.rest.is_empty());
    }
}
