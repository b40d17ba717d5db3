//! The side that wants to take part.

use core::fmt;

use heapless::{Deque, Vec};

use super::Line;
use crate::session::{Event, Events, Output, Session};
use crate::text::{Ended, Progress, Text, TextReaderError};
use crate::time::{Duration, Instant};

/// The client's side of a chat: it says lines, and lends those that come.
///
/// `OUT` is the room for lines that have not gone out, in bytes; `N` is the longest line that is
/// taken, which for a server that follows the rules is 4 times its longest text and 128. The machine
/// takes these bytes of memory and at most 72 more (64-bit). A line that is longer is left out, and
/// [`TextReaderError`] told in its place.
///
/// ```
/// use barewire_core::chat::{Client, Kind};
/// use barewire_core::session::{Output, Session};
/// use barewire_core::text::Text;
/// use barewire_core::time::{Duration, Instant};
///
/// let now = Instant::ZERO;
/// let mut client = Client::<64, 128>::new(Duration::from_millis(200));
/// client.say(Text::new("hello")?)?;
/// assert_eq!(client.poll_transmit(), Output::Bytes { head: b"hello\n", tail: b"", more: false });
///
/// let line = client.handle_input(now, &mut &b"anna: good morning\n"[..]).unwrap()?;
/// assert!(matches!(line.kind, Kind::Said { nick: "anna", .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Client<const OUT: usize, const N: usize> {
    outgoing: Deque<u8, OUT>,
    buffer: Vec<u8, N>,
    progress: Progress,
    /// There is nothing more to say.
    finished: bool,
    shut: bool,
    /// The server has ended its stream.
    ended: bool,
}

/// Why a line cannot be said: each is the caller's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SayError {
    /// Too much has not gone out yet: say it again after the next transmission.
    Full,
    /// After [`Client::finish`], or after the server has ended its stream.
    Finished,
}

impl fmt::Display for SayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "too much has not gone out yet",
            Self::Finished => "the conversation is ending",
        })
    }
}

impl core::error::Error for SayError {}

/// How a chat fails for a client: it does not, as far as the server's words go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ClientError {}

impl fmt::Display for ClientError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl core::error::Error for ClientError {}

impl<const OUT: usize, const N: usize> Client<OUT, N> {
    /// A client of a server whose lines without a line feed end after `quiet`.
    pub const fn new(quiet: Duration) -> Self {
        Self {
            outgoing: Deque::new(),
            buffer: Vec::new(),
            progress: Progress::new(quiet),
            finished: false,
            shut: false,
            ended: false,
        }
    }

    /// Says a line.
    ///
    /// # Errors
    /// [`SayError`]; then nothing is said.
    pub fn say(&mut self, line: Text<'_>) -> Result<(), SayError> {
        if self.finished || self.ended {
            return Err(SayError::Finished);
        }
        let line = line.as_bytes();
        if line.len() >= OUT.saturating_sub(self.outgoing.len()) {
            return Err(SayError::Full);
        }
        for &byte in line.iter().chain(b"\n") {
            let _ = self.outgoing.push_back(byte);
        }
        Ok(())
    }

    /// There is nothing more to say: the sending direction ends, and the server closes once it has
    /// sent what was said before.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// Whether a line of `length` bytes can be said now.
    pub fn has_room(&self, length: usize) -> bool {
        length < OUT.saturating_sub(self.outgoing.len())
    }

    /// Takes a step in reading.
    fn read<'s, 'i: 's>(
        &'s mut self,
        step: impl FnOnce(&mut Progress, &mut Vec<u8, N>) -> nb::Result<Ended<'i>, TextReaderError>,
    ) -> nb::Result<Result<Line<'s>, TextReaderError>, ClientError> {
        match step(&mut self.progress, &mut self.buffer) {
            Ok(Ended::InInput(line)) => Ok(Ok(Line::read(line))),
            Ok(Ended::InBuffer) => Ok(Ok(Line::read(&self.buffer))),
            Err(nb::Error::WouldBlock) => Err(nb::Error::WouldBlock),
            Err(nb::Error::Other(too_long)) => Ok(Err(too_long)),
        }
    }
}

impl<'s, const OUT: usize, const N: usize> Events<'s> for Client<OUT, N> {
    type Event = Result<Line<'s>, TextReaderError>;
}

impl<const OUT: usize, const N: usize> Session for Client<OUT, N> {
    type Error = ClientError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, ClientError> {
        self.read(|progress, buffer| progress.handle_input(buffer, now, input))
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<Event<'_, Self>, ClientError> {
        self.ended = true;
        self.read(|progress, buffer| {
            progress.release(buffer);
            progress.finish(buffer).map(|()| Ended::InBuffer)
        })
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, ClientError> {
        self.read(|progress, buffer| {
            progress.release(buffer);
            if progress.poll_deadline(buffer).is_none_or(|deadline| now < deadline) {
                return Err(nb::Error::WouldBlock);
            }
            progress.finish(buffer).map(|()| Ended::InBuffer)
        })
    }

    fn poll_transmit(&self) -> Output<'_> {
        match self.outgoing.as_slices() {
            _ if self.ended => Output::Close,
            ([], []) if self.finished && !self.shut => Output::Shutdown,
            ([], []) => Output::Nothing,
            (head, tail) => Output::Bytes { head, tail, more: false },
        }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        if self.outgoing.is_empty() {
            self.shut |= self.finished;
            return;
        }
        for _ in 0..count {
            if self.outgoing.pop_front().is_none() {
                break;
            }
        }
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.progress.poll_deadline(&self.buffer)
    }
}
