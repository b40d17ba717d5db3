//! What a process says, line by line, and that it has ended, as one queue of notes.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::Sender;
use std::thread;

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

/// One of the two streams a process speaks on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Output,
    Error,
}

/// Something that happened to a process.
#[derive(Debug)]
pub(super) enum Note {
    /// It wrote a line; the line feed is included if there was one.
    Line(Stream, Vec<u8>),
    /// It, and whoever inherited the stream, closed it.
    Closed(Stream),
    /// It ended. Its id stays taken until its status is fetched.
    Ended,
}

/// Sends what is read from `source` as notes of `stream`, and closes it after `most` lines.
pub(super) fn forward(
    stream: Stream,
    source: impl Read + Send + 'static,
    most: Option<usize>,
    notes: Sender<Note>,
) {
    thread::spawn(move || {
        let mut source = BufReader::new(source);
        let mut lines = 0;
        loop {
            let mut line = Vec::new();
            // A terminal whose last writer is gone answers EIO instead of an end (pty(7)), so an
            // error is an end too; what was read before it still counts.
            let end = matches!(source.read_until(b'\n', &mut line), Ok(0) | Err(_));
            if !line.is_empty() && notes.send(Note::Line(stream, line)).is_err() {
                return;
            }
            lines += 1;
            if end || most == Some(lines) {
                // Whoever is told must find it closed.
                drop(source);
                let _ = notes.send(Note::Closed(stream));
                return;
            }
        }
    });
}

/// Notes the end of the child `process` without reaping it (`WNOWAIT`, waitid(2)): as long as
/// its owner has not, the id cannot belong to a stranger, and signals are safe to send.
pub(super) fn watch(process: Pid, notes: Sender<Note>) {
    thread::spawn(move || {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(process), flags) == Err(Errno::EINTR) {}
        let _ = notes.send(Note::Ended);
    });
}
