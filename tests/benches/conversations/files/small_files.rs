//! The small files, and what all who load servers with them have in common.

use std::io;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollEvent, EpollTimeout};

use super::contents::{self, SMALL_FILES};
use super::form::Form;

/// Connections at the same time.
pub(super) const AT_ONCE: usize = 64;

/// Requests in flight on each connection.
pub(super) const IN_FLIGHT: usize = 64;

/// A run in which nothing happens for so long has failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Files fetched, each checked byte for byte.
    pub(super) files: u64,
    /// From the first connection to the end of the last.
    pub(super) elapsed: Duration,
    /// Processor time that the clients took.
    pub(super) load: Duration,
}

/// The files, and the requests for them.
#[derive(Debug)]
pub(super) struct SmallFiles {
    /// By number.
    pub(super) contents: Vec<Vec<u8>>,
    /// All requests, and the first of them once more behind the last.
    requests: Vec<u8>,
    /// The length of each of them.
    request: usize,
}

impl SmallFiles {
    /// As they are asked for in this form.
    pub(super) fn new(form: Form) -> Self {
        let name = |index| contents::small_name(index % SMALL_FILES);
        let requests = (0..SMALL_FILES + IN_FLIGHT).flat_map(|index| form.request(&name(index)));
        let request = form.request(&name(0)).len();
        Self { contents: contents::small(), requests: requests.collect(), request }
    }

    /// The request for a file.
    pub(super) fn request(&self, file: usize) -> &[u8] {
        self.requests(file, 1)
    }

    /// The requests for `count` files, [`IN_FLIGHT`] at most.
    pub(super) fn requests(&self, first: usize, count: usize) -> &[u8] {
        &self.requests[first * self.request..(first + count) * self.request]
    }

    /// Compares every byte of the contents in `answer`.
    pub(super) fn check(&self, form: Form, file: usize, answer: &[u8]) -> io::Result<()> {
        let head = form.head(answer)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if answer[head.length..] != self.contents[file] {
            let name = contents::small_name(file);
            return Err(io::Error::other(format!("{name} has arrived with other contents")));
        }
        Ok(())
    }
}

/// Waits until some clients can go on, and returns how many.
pub(super) fn wait(epoll: &Epoll, events: &mut [EpollEvent]) -> io::Result<usize> {
    let patience = EpollTimeout::try_from(PATIENCE).unwrap_or(EpollTimeout::MAX);
    match epoll.wait(events, patience) {
        Ok(0) => Err(io::Error::new(io::ErrorKind::TimedOut, "nothing comes any more")),
        Ok(ready) => Ok(ready),
        Err(Errno::EINTR) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// The client that an event is about.
pub(super) fn slot(event: &EpollEvent) -> usize {
    usize::try_from(event.data()).expect("epoll returns the slots it was given")
}
