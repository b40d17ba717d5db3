//! The side that wants to take part.

use core::fmt::{self, Write as _};

use heapless::Deque;

use super::line::Line;
use super::line_draft::{LineDraft, SayError};
use super::nick::check_nick;
use crate::session::{Event, Events, Output, Session};
use crate::text::{Ended, Progress, Text, TextReaderError};
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

/// The client's side of a chat: it says lines, and lends those that come.
///
/// `OUT` is the room for lines that have not gone out, in bytes; `N` is the longest line that is
/// taken, [`max_line_bytes`](super::max_line_bytes) of the server's longest text if that follows the rules. The machine
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
    buffer: [u8; N],
    progress: Progress,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// There is nothing more to say, but what was said has to go out.
    Finishing {
        deadline: Deadline,
    },
    /// The sending direction has been ended.
    Shutdown {
        deadline: Deadline,
    },
    /// The room has ended its stream.
    Ended,
}

/// How a chat fails for a client. It never does so by what the room says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ClientError {
    /// The room did not end the chat in time after [`Client::finish`].
    TimedOut,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the room did not end the chat in time")
    }
}

impl core::error::Error for ClientError {}

impl<const OUT: usize, const N: usize> Client<OUT, N> {
    /// A client of a server whose lines without a line feed end after `quiet`, as long as it has sent no
    /// line feed and no [welcome](Line::welcome).
    pub const fn new(quiet: Duration) -> Self {
        const { assert!(N <= u16::MAX as usize, "a line has at most 64 KiB") };
        Self {
            outgoing: Deque::new(),
            buffer: [0; N],
            progress: Progress::new(quiet),
            state: State::Open,
        }
    }

    /// Says a text to all. It is never a command: one that begins with a slash goes out with two, which a
    /// room takes for one.
    ///
    /// # Errors
    /// [`SayError`]; then nothing is said.
    pub fn say(&mut self, text: Text<'_>) -> Result<(), SayError> {
        self.send(true, &[text.as_bytes()])
    }

    /// Says a formatted text to all, as [`say`](Self::say) does; no buffer is needed for it.
    ///
    /// ```
    /// # use barewire_core::{chat::Client, time::Duration};
    /// # let mut client = Client::<64, 128>::new(Duration::from_millis(200));
    /// client.say_fmt(format_args!("{} °C in room {}", 21.5, 7))?;
    /// # Ok::<(), barewire_core::chat::SayError>(())
    /// ```
    ///
    /// # Errors
    /// [`SayError`]; then nothing is said.
    pub fn say_fmt(&mut self, text: fmt::Arguments<'_>) -> Result<(), SayError> {
        let mut line = self.begin(true)?;
        let formatted = line.write_fmt(text);
        line.finish(formatted)
    }

    /// Says to all what this member does: `/me TEXT`. Blanks around the text are lost.
    ///
    /// # Errors
    /// [`SayError`]; then nothing is said.
    pub fn act(&mut self, text: Text<'_>) -> Result<(), SayError> {
        self.send(false, &[b"/me ", text.as_bytes()])
    }

    /// Says a text to one member only: `/msg NICK TEXT`. Blanks around the text are lost. If nobody has
    /// that nick, the server says so.
    ///
    /// # Errors
    /// [`SayError`]; then nothing is said.
    pub fn say_to(&mut self, nick: &str, text: Text<'_>) -> Result<(), SayError> {
        // A blank in it would make another nick of it.
        check_nick(nick).map_err(|_| SayError::Nick)?;
        self.send(false, &[b"/msg ", nick.as_bytes(), b" ", text.as_bytes()])
    }

    /// Asks for another nick: `/nick NAME`. The server grants it by `* OLD is now NEW`, or says why not.
    ///
    /// # Errors
    /// [`SayError`]; then nothing is asked.
    pub fn rename(&mut self, nick: &str) -> Result<(), SayError> {
        check_nick(nick).map_err(|_| SayError::Nick)?;
        self.send(false, &[b"/nick ", nick.as_bytes()])
    }

    /// Sends a line as it is, such as a person has typed it: one that begins with a slash is a command.
    ///
    /// # Errors
    /// [`SayError`]; then nothing is sent.
    pub fn command(&mut self, line: Text<'_>) -> Result<(), SayError> {
        self.send(false, &[line.as_bytes()])
    }

    fn begin(&mut self, escapes: bool) -> Result<LineDraft<'_>, SayError> {
        if self.state != State::Open {
            return Err(SayError::Finished);
        }
        Ok(LineDraft::new(self.outgoing.as_mut_view(), escapes))
    }

    fn send(&mut self, escapes: bool, parts: &[&[u8]]) -> Result<(), SayError> {
        let mut line = self.begin(escapes)?;
        for part in parts {
            line.put(part);
        }
        line.finish(Ok(()))
    }

    /// There is nothing more to say: the sending direction ends, and the room closes once it has
    /// sent what was said before. If it has not for `timeout` ([`DEFAULT_END_TIMEOUT`], say, or
    /// [`Duration::MAX`] for ever) from now on, that is [`ClientError::TimedOut`]. To call it again
    /// changes nothing.
    ///
    /// [`DEFAULT_END_TIMEOUT`]: super::DEFAULT_END_TIMEOUT
    pub fn finish(&mut self, now: Instant, timeout: Duration) {
        if self.state == State::Open {
            self.state = State::Finishing { deadline: Deadline::after(now, timeout) };
        }
    }

    /// Until when the room must have ended the chat.
    const fn end_deadline(&self) -> Deadline {
        match self.state {
            State::Finishing { deadline } | State::Shutdown { deadline } => deadline,
            State::Open | State::Ended => Deadline::NEVER,
        }
    }

    /// Whether a line of `length` bytes can be sent now; what makes it a command, or says that it is
    /// none, counts.
    pub fn has_room(&self, length: usize) -> bool {
        length < OUT.saturating_sub(self.outgoing.len())
    }

    /// Takes a step in reading.
    fn read<'s, 'i: 's>(
        &'s mut self,
        step: impl FnOnce(&mut Progress, &mut [u8; N]) -> nb::Result<Ended<'i>, TextReaderError>,
    ) -> nb::Result<Result<Line<'s>, TextReaderError>, ClientError> {
        let line = match step(&mut self.progress, &mut self.buffer) {
            Ok(Ended::InInput(line)) => line,
            Ok(Ended::InBuffer) => self.progress.text(&self.buffer),
            Err(nb::Error::WouldBlock) => return Err(nb::Error::WouldBlock),
            Err(nb::Error::Other(too_long)) => return Ok(Err(too_long)),
        };
        let line = Line::read(line);
        if line.welcome().is_some() {
            // A room ends all its lines, also if the end of this one is still under way.
            self.progress.expect_terminators();
        }
        Ok(Ok(line))
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
        self.read(|progress, buffer| progress.handle_input(buffer, N, now, input))
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<Event<'_, Self>, ClientError> {
        self.state = State::Ended;
        self.read(|progress, buffer| {
            progress.release();
            progress.finish(buffer).map(|()| Ended::InBuffer)
        })
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, ClientError> {
        self.progress.release();
        if self.progress.deadline().is_reached(now) {
            return self.read(|progress, buffer| progress.finish(buffer).map(|()| Ended::InBuffer));
        }
        if self.end_deadline().is_reached(now) {
            return Err(nb::Error::Other(ClientError::TimedOut));
        }
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        match self.outgoing.as_slices() {
            _ if self.state == State::Ended => Output::Close,
            ([], []) => match self.state {
                State::Finishing { .. } => Output::Shutdown,
                _ => Output::Nothing,
            },
            (head, tail) => Output::Bytes { head, tail, more: false },
        }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        if self.outgoing.is_empty() {
            if let State::Finishing { deadline } = self.state {
                self.state = State::Shutdown { deadline };
            }
            return;
        }
        for _ in 0..count {
            if self.outgoing.pop_front().is_none() {
                break;
            }
        }
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.end_deadline().min(self.progress.deadline()).instant()
    }
}
