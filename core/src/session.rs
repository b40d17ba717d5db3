//! The contract between a stream protocol and whatever drives it.
//!
//! # The driving rule
//!
//! A [`Session`] is one side of a conversation over a connected byte stream. It owns no connection:
//! a *driver* moves the bytes and tells the time. The methods come in four kinds:
//!
//! | kind | methods | when |
//! |---|---|---|
//! | getters | each machine's own | at any time |
//! | `handle_*` | [`handle_input`], [`handle_end`], [`handle_timeout`] | when the world has something for the session |
//! | commands | each machine's own (say, rename, …) | when the owner wants something |
//! | `poll_*` | [`poll_transmit`] with [`transmitted`], [`poll_deadline`] | after any of the two above |
//!
//! The rule that every driver follows, and that every session may rely on:
//!
//! 1. **At the start, after every command, and when the `handle_*` calls have nothing more to give**,
//!    call [`poll_transmit`], carry out what it says, and report it with [`transmitted`], until it says
//!    [`Output::Nothing`] or the link takes no more. Then read [`poll_deadline`] anew: any call may
//!    have moved it.
//! 2. **Bytes arrived**: call [`handle_input`] until it returns `WouldBlock`, also after it has taken
//!    the last of them. It advances the slice past what it took. Bytes that it left are back-pressure: keep them, and offer them again
//!    after the next transmission, command or timeout.
//! 3. **The peer ended its stream** (and all its bytes were taken): call [`handle_end`] until it
//!    returns `WouldBlock`. Calling it again later is harmless; input never follows it.
//! 4. **The deadline is reached, and all bytes that had arrived were offered**: call
//!    [`handle_timeout`] until it returns `WouldBlock`. Early calls are harmless. (In this order a
//!    driver that was late itself takes no text that had gone on for one that silence ended.)
//! 5. **An event** may borrow from the session or from the input; use it before the next call.
//! 6. **An error** ([`nb::Error::Other`]) ends the conversation. What [`poll_transmit`] still lends
//!    is worth an attempt (a last word to the peer). Then the connection is closed if an
//!    [`Output::Shut`] has been carried out, and otherwise *reset*: the peer must not take the part
//!    that it got for the whole. No further `handle_*` call is made. A connection that is given up
//!    for any other reason ends in the same way.
//! 7. **[`Output::Close`]** is the orderly end: both directions are done with; close the connection.
//! 8. **A broken connection** (reset, unreachable) is the driver's own error. The session is
//!    dropped; it is told nothing, and so can never take a reset for success.
//!
//! The cutting of the stream into reads never changes the events, with the one exception that
//! [`text`](crate::text) states: silence can end a text.
//!
//! # A complete run loop
//!
//! Over a blocking `std` socket, with its read time-out as the timer:
//!
//! ```
//! use std::error::Error;
//! use std::io::{self, ErrorKind, Read, Write};
//! use std::net::{Shutdown, TcpListener, TcpStream};
//! use std::time;
//!
//! use barewire_core::hello;
//! use barewire_core::session::{Event, Output, Session};
//! use barewire_core::text::Text;
//! use barewire_core::time::Instant;
//!
//! /// A connection, and what was read from it.
//! struct Driver {
//!     stream: TcpStream,
//!     start: time::Instant,
//!     /// Not yet taken by the session.
//!     held: Vec<u8>,
//!     ended: bool,
//! }
//!
//! impl Driver {
//!     /// Runs `session` until the conversation is over. (The standard library cannot reset a
//!     /// connection, as rule 6 wants it after an error: that takes `SO_LINGER`, `socket(7)`.)
//!     fn run<S: Session>(
//!         &mut self,
//!         session: &mut S,
//!         mut on_event: impl FnMut(Event<'_, S>),
//!     ) -> Result<(), Box<dyn Error>>
//!     where
//!         S::Error: 'static,
//!     {
//!         loop {
//!             let heard = self.handle(session, &mut on_event);
//!             let held = self.held.len();
//!             let (moved, close) = self.transmit(session)?;
//!             heard?;
//!             if close {
//!                 return Ok(());
//!             }
//!             // Rule 2: what was sent may have made room for what is held.
//!             if !(moved && held > 0) {
//!                 self.wait(session.poll_deadline())?;
//!             }
//!         }
//!     }
//!
//!     fn now(&self) -> Instant {
//!         Instant::from_micros(self.start.elapsed().as_micros() as u64)
//!     }
//!
//!     /// Rules 2 to 4: the bytes, the end of the stream, then the time; and the bytes again, since
//!     /// the time may have made room for them.
//!     fn handle<S: Session>(
//!         &mut self,
//!         session: &mut S,
//!         on_event: &mut impl FnMut(Event<'_, S>),
//!     ) -> Result<(), S::Error> {
//!         for is_second in [false, true] {
//!             let now = self.now();
//!             if is_second {
//!                 if session.poll_deadline().is_none_or(|deadline| now < deadline) {
//!                     break;
//!                 }
//!                 while settle(session.handle_timeout(now), on_event)? {}
//!             }
//!             let mut input = &self.held[..];
//!             if !input.is_empty() {
//!                 while settle(session.handle_input(now, &mut input), on_event)? {}
//!             }
//!             let taken = self.held.len() - input.len();
//!             self.held.drain(..taken);
//!             if self.ended && self.held.is_empty() {
//!                 while settle(session.handle_end(now), on_event)? {}
//!             }
//!         }
//!         Ok(())
//!     }
//!
//!     /// Rule 1. Tells whether anything was sent, and whether the connection is to be closed.
//!     fn transmit<S: Session>(&mut self, session: &mut S) -> io::Result<(bool, bool)> {
//!         let mut moved = false;
//!         loop {
//!             let count = match session.poll_transmit() {
//!                 Output::Nothing => return Ok((moved, false)),
//!                 Output::Close => return Ok((moved, true)),
//!                 Output::Bytes { head, .. } => self.stream.write(head)?,
//!                 // Only for sessions that send contents: see `Lent`.
//!                 Output::Contents { .. } => return Err(ErrorKind::Unsupported.into()),
//!                 Output::Shut => {
//!                     self.stream.shutdown(Shutdown::Write)?;
//!                     0
//!                 }
//!             };
//!             session.transmitted(self.now(), count);
//!             moved = true;
//!         }
//!     }
//!
//!     /// Waits for bytes, for the end of the stream, or for the deadline.
//!     fn wait(&mut self, deadline: Option<Instant>) -> io::Result<()> {
//!         let wait = deadline.map(|at| at.since(self.now()).into());
//!         if wait == Some(time::Duration::ZERO) {
//!             return Ok(());
//!         }
//!         if self.ended || !self.held.is_empty() {
//!             // Nothing but the deadline can change anything now.
//!             std::thread::sleep(wait.ok_or(ErrorKind::Deadlock)?);
//!             return Ok(());
//!         }
//!         self.stream.set_read_timeout(wait)?;
//!         let mut buffer = [0; 1024];
//!         match self.stream.read(&mut buffer) {
//!             Ok(count) => {
//!                 self.held.extend_from_slice(&buffer[..count]);
//!                 self.ended = count == 0;
//!                 Ok(())
//!             }
//!             Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
//!             Err(error) => Err(error),
//!         }
//!     }
//! }
//!
//! /// Passes an event on; tells whether there was one.
//! fn settle<V, E>(step: nb::Result<V, E>, on_event: &mut impl FnMut(V)) -> Result<bool, E> {
//!     match step {
//!         Ok(event) => on_event(event),
//!         Err(nb::Error::WouldBlock) => return Ok(false),
//!         Err(nb::Error::Other(error)) => return Err(error),
//!     }
//!     Ok(true)
//! }
//!
//! fn run<S: Session>(
//!     stream: TcpStream,
//!     session: &mut S,
//!     on_event: impl FnMut(Event<'_, S>),
//! ) -> Result<(), Box<dyn Error>>
//! where
//!     S::Error: 'static,
//! {
//!     let start = time::Instant::now();
//!     Driver { stream, start, held: Vec::new(), ended: false }.run(session, on_event)
//! }
//!
//! # fn main() -> Result<(), Box<dyn Error>> {
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = std::thread::spawn(move || {
//!     let (stream, _) = listener.accept().unwrap();
//!     let greeting = Text::new("你好").unwrap();
//!     let mut session = hello::Server::<64>::new(Instant::ZERO, greeting, Default::default());
//!     let mut answer = String::new();
//!     run(stream, &mut session, |text| answer = text.to_string()).unwrap();
//!     answer
//! });
//!
//! let answer = Text::new("Hello")?;
//! let mut session = hello::Client::<64>::new(Instant::ZERO, answer, Default::default());
//! let mut greeting = String::new();
//! run(TcpStream::connect(address)?, &mut session, |text| greeting = text.to_string())?;
//! assert_eq!(greeting, "你好");
//! assert_eq!(server.join().unwrap(), "Hello");
//! # Ok(())
//! # }
//! ```
//!
//! [`handle_input`]: Session::handle_input
//! [`handle_end`]: Session::handle_end
//! [`handle_timeout`]: Session::handle_timeout
//! [`poll_transmit`]: Session::poll_transmit
//! [`transmitted`]: Session::transmitted
//! [`poll_deadline`]: Session::poll_deadline

mod lent;

use core::error::Error;
use core::fmt;

pub use lent::Lent;

use crate::time::Instant;

/// What a session wants of its link next; lent until [`Session::transmitted`] releases it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Output<'a> {
    /// Nothing, until the next `handle_*` or command.
    Nothing,
    /// Send bytes. Any number of them may be taken, from the front.
    Bytes {
        /// The first bytes; never empty.
        head: &'a [u8],
        /// What follows them, often empty: the other side of a ring buffer's wrap, or a part kept
        /// elsewhere. A vectored write takes both at once.
        tail: &'a [u8],
        /// More output is certain to follow these bytes at once, so the link may hold them back to
        /// fill a segment (`MSG_MORE`, `send(2)`).
        more: bool,
    },
    /// Send bytes of the contents that the session's owner has offered; any number of them, from the
    /// front of this range. A driver that has the contents in a file lets the system move them
    /// (`sendfile(2)`); for one that has them in memory, [`Lent`] turns them into
    /// [`Bytes`](Self::Bytes).
    ///
    /// Contents that end before the range does are a [`Fault::Contents`].
    Contents {
        /// Where the range begins, in bytes from the start of the contents.
        offset: u64,
        /// Its length in bytes; never 0.
        length: u64,
    },
    /// End the sending direction (`shutdown(2)` with `SHUT_WR`; TCP sends a FIN, RFC 9293 §3.6).
    /// Report it as a transmission of 0 bytes.
    Shut,
    /// Close the connection: the conversation is over, and in order.
    Close,
}

/// What a session tells its owner during a borrow of it that lasts for `'s`.
///
/// `Implied` is never written out. It tells the compiler that the session lives at least as long as
/// `'s`, so that a closure can take the events of a session that borrows from others.
pub trait Events<'s, Implied = &'s Self> {
    /// An event. It may borrow from the session or from the input.
    type Event;
}

/// What `S` tells its owner during a borrow of it that lasts for `'s`.
pub type Event<'s, S> = <S as Events<'s>>::Event;

/// One side of a conversation over a byte stream. The [module](self) states how to drive it.
pub trait Session: for<'s> Events<'s> {
    /// Why the conversation failed.
    type Error: Error + Copy;

    /// Takes bytes that the peer sent, advancing `input` past them.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: no event. What is left of `input` must be offered again later.
    /// [`nb::Error::Other`]: the conversation failed.
    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, Self::Error>;

    /// Takes note that the peer has ended its sending direction, after all its bytes were taken.
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input).
    fn handle_end(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error>;

    /// Takes note that [`poll_deadline`](Self::poll_deadline) may have been reached.
    ///
    /// # Errors
    /// As [`handle_input`](Self::handle_input).
    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error>;

    /// What the link should do next. Calling it again without [`transmitted`](Self::transmitted)
    /// between gives the same answer.
    fn poll_transmit(&self) -> Output<'_>;

    /// Releases what [`poll_transmit`](Self::poll_transmit) lent last: `count` bytes of
    /// [`Output::Bytes`] or [`Output::Contents`], or with `count` 0 an [`Output::Shut`] carried out. A count beyond what
    /// was lent is taken for all of it.
    fn transmitted(&mut self, now: Instant, count: usize);

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, if ever.
    fn poll_deadline(&self) -> Option<Instant>;
}

impl<'s, S: Session> Events<'s> for &mut S {
    type Event = Event<'s, S>;
}

impl<S: Session> Session for &mut S {
    type Error = S::Error;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, Self::Error> {
        S::handle_input(self, now, input)
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
        S::handle_end(self, now)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Event<'_, Self>, Self::Error> {
        S::handle_timeout(self, now)
    }

    fn poll_transmit(&self) -> Output<'_> {
        S::poll_transmit(self)
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        S::transmitted(self, now, count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        S::poll_deadline(self)
    }
}

/// How a conversation fails, as a driver reports it: in the session, or in the connection that the
/// driver moves its bytes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Fault<S, C> {
    /// The session failed: what the peer said, or did not say in time.
    Session(S),
    /// The connection failed, which is never success, however much was said.
    Connection(C),
    /// The driver could not get the contents that the session was to send: they ended early, or it
    /// has no source of contents at all.
    Contents,
}

impl<S: fmt::Display, C: fmt::Display> fmt::Display for Fault<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Connection(error) => error.fmt(f),
            Self::Contents => f.write_str("the contents to send cannot be had"),
        }
    }
}

impl<S: Error + 'static, C: Error + 'static> Error for Fault<S, C> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(error) => error.source(),
            Self::Connection(error) => error.source(),
            Self::Contents => None,
        }
    }
}
