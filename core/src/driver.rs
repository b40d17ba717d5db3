//! The driving rule, as code: what every driver of a [`Session`] does, whatever it moves bytes over.
//!
//! A TCP/IP stack is fitted to it by a [`Transport`], five methods over what the stack has already. A
//! [`Driver`] keeps what there is to know of one connection, and its [`step`](Driver::step) does all
//! that can be done without waiting. Then it says what to do next: wait (and until when), close the
//! connection, or reset it. This is all of a driver for a blocking socket of the standard library:
//!
//! ```
//! use std::error::Error;
//! use std::io::{self, ErrorKind, Read, Write};
//! use std::net::{Shutdown, TcpListener, TcpStream};
//! use std::ops::ControlFlow;
//! use std::time;
//!
//! use barewire_core::driver::{Driver, Step, Transport};
//! use barewire_core::hello;
//! use barewire_core::session::{Event, Session};
//! use barewire_core::text::Text;
//! use barewire_core::time::Instant;
//!
//! struct Blocking {
//!     stream: TcpStream,
//!     received: Vec<u8>,
//!     ended: bool,
//! }
//!
//! impl Transport for Blocking {
//!     type Error = io::Error;
//!
//!     fn receive(&mut self) -> nb::Result<&[u8], io::Error> {
//!         if self.received.is_empty() && !self.ended {
//!             return Err(nb::Error::WouldBlock);
//!         }
//!         Ok(&self.received)
//!     }
//!
//!     fn consume(&mut self, count: usize) {
//!         self.received.drain(..count);
//!     }
//!
//!     fn send(&mut self, head: &[u8], _tail: &[u8], _more: bool) -> nb::Result<usize, io::Error> {
//!         self.stream.write(head).map_err(nb::Error::Other)
//!     }
//!
//!     fn shut_down(&mut self) -> nb::Result<(), io::Error> {
//!         self.stream.shutdown(Shutdown::Write).map_err(nb::Error::Other)
//!     }
//! }
//!
//! impl Blocking {
//!     /// Waits for bytes, or for the end of the stream, with the read time-out as the timer.
//!     fn wait(&mut self, time: Option<time::Duration>) -> io::Result<()> {
//!         if self.ended || !self.received.is_empty() {
//!             // Nothing but the time can change anything now.
//!             std::thread::sleep(time.ok_or(ErrorKind::Deadlock)?);
//!             return Ok(());
//!         }
//!         self.stream.set_read_timeout(time.map(|time| time.max(time::Duration::from_micros(1))))?;
//!         let mut buffer = [0; 1024];
//!         match self.stream.read(&mut buffer) {
//!             Ok(count) => {
//!                 self.received.extend_from_slice(&buffer[..count]);
//!                 self.ended = count == 0;
//!                 Ok(())
//!             }
//!             Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
//!             Err(error) => Err(error),
//!         }
//!     }
//! }
//!
//! fn run<S: Session>(
//!     stream: TcpStream,
//!     session: &mut S,
//!     mut on_event: impl FnMut(Event<'_, S>),
//! ) -> Result<(), Box<dyn Error>> {
//!     let start = time::Instant::now();
//!     let now = || Instant::from(start.elapsed());
//!     let mut transport = Blocking { stream, received: Vec::new(), ended: false };
//!     let (mut driver, mut result) = (Driver::new(), Ok(()));
//!     loop {
//!         let step = driver.step(now(), session, &mut transport, |event| {
//!             on_event(event);
//!             ControlFlow::Continue(())
//!         });
//!         match step {
//!             Step::Wait(until) => {
//!                 transport.wait(until.map(|at| at.duration_since(now()).into()))?;
//!             }
//!             Step::Over(over) => result = over,
//!             // (The standard library cannot reset a connection: that takes `SO_LINGER`, `socket(7)`.)
//!             Step::Close | Step::Reset => return Ok(result?),
//!         }
//!     }
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
//! # The rule
//!
//! 1. **Transmission** comes first, and again whenever the session has been called or commanded: what
//!    [`poll_transmit`](Session::poll_transmit) wants is carried out and reported with
//!    [`transmitted`](Session::transmitted), until it wants nothing or the stack takes no more.
//! 2. **Bytes that arrived** are offered by [`handle_input`](Session::handle_input) until that gives
//!    `WouldBlock`. What the session left is back-pressure: nothing more is received, and it is offered
//!    again after a transmission, a time-out or a command.
//! 3. **The end of the peer's stream** is told, behind all its bytes, by
//!    [`handle_end`](Session::handle_end) until that gives `WouldBlock`, and again as the bytes are.
//!    Input never follows it.
//! 4. **The deadline**, if it is reached, is told by [`handle_timeout`](Session::handle_timeout) until
//!    that gives `WouldBlock`, but only when all that had arrived was offered: a driver that was late
//!    itself takes no text that had gone on for one that silence ended. Then the first three follow
//!    once more.
//! 5. **A session that fails** is called no more, but for its last word: what it wants to send yet is
//!    tried once. Then the connection is closed if this side's direction was ended in order, and
//!    otherwise reset: the peer must not take the part that it got for the whole. A conversation that
//!    is given up ends in the same way.
//! 6. **A conversation that is over in order** ends this side's direction, if the session did not.
//! 7. **Before a connection is closed**, what the peer still sends is thrown away until it has ended its
//!    direction, or for [`LINGER`] or [`LINGER_BYTES`] at most: to close a socket with unread input resets
//!    the connection (RFC 1122 §4.2.2.13, RFC 2525 §2.17), and so destroys output that is still under way.
//! 8. **A broken connection** (reset, unreachable) is the stack's error, of which the session is told
//!    nothing; so it can never take a reset for success. Whether there was one is looked at once more
//!    before a conversation is said to be over in order.
//!
//! How the stream is cut into reads never changes the events, with the one exception that
//! [`text`](crate::text) states: silence can end a text.
//!
//! # Who waits how long
//!
//! A session that waits for something that its peer owes has a deadline, and so has every state of the
//! driver's own. `Wait(None)` is left for a peer that owes nothing: an idle member of a chat, say, may
//! be silent for a week. Whether it is still alive is for the stack to find out (TCP keepalive, RFC
//! 9293 §3.8.4), or for the owner, who can end what was idle for too long.
//!
//! # How an adapter is tested
//!
//! The package `barewire-conformance` plays the peer, the stack's whims and an unkind session, and
//! names the part of the rule that an adapter breaks.

use core::error::Error;
use core::fmt;
use core::mem;
use core::ops::ControlFlow;

use crate::session::{Event, Output, Session};
use crate::time::{Duration, Instant};

/// How long a connection that is to be closed waits for the end of the peer's stream, and how long a
/// stack may take to end this side's.
pub const LINGER: Duration = Duration::from_secs(2);

/// How many bytes such a connection throws away at most, give or take those that are received at once:
/// who sends more is no peer that has yet to see the end.
pub const LINGER_BYTES: usize = 1 << 20;

/// What a stack does for a [`Driver`], over one connection. No method waits.
pub trait Transport {
    /// How a connection breaks.
    type Error;

    /// What has arrived and was not [consumed](Self::consume) yet, or the front of it; with no bytes
    /// in it, the end of the peer's stream, which then stays.
    ///
    /// # Errors
    /// `WouldBlock`: nothing has arrived, or enough was received in this turn (then the owner is to
    /// have another soon). `Other`: the connection is broken; a reset that came after the end of the
    /// stream is told here too.
    fn receive(&mut self) -> nb::Result<&[u8], Self::Error>;

    /// Removes `count` bytes from the front of what [`receive`](Self::receive) gave last.
    fn consume(&mut self, count: usize);

    /// Sends from the front of `head` followed by `tail` what the stack takes (of `head` alone, if it
    /// takes one slice at a time), and tells how many bytes that was; 0 is as `WouldBlock`. With `more`,
    /// other output is certain to follow at once, so that a segment need not leave half full.
    ///
    /// # Errors
    /// `WouldBlock`: it takes nothing now. `Other`: the connection is broken.
    fn send(&mut self, head: &[u8], tail: &[u8], more: bool) -> nb::Result<usize, Self::Error>;

    /// Sends from the front of a range of the contents that the session's owner has offered, and tells
    /// how many bytes that was; 0 means that the contents end before the range does, or that there are
    /// none. (For contents in memory there is [`InMemory`](crate::session::InMemory).)
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn send_contents(&mut self, offset: u64, length: u64) -> nb::Result<usize, Self::Error> {
        let _ = (offset, length);
        Ok(0)
    }

    /// Ends the sending direction behind all that was sent (TCP sends a FIN, RFC 9293 §3.6; in POSIX
    /// `shutdown(2)`, in smoltcp and embassy-net `close`, in lwIP `tcp_shutdown`).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn shut_down(&mut self) -> nb::Result<(), Self::Error>;
}

impl<T: Transport> Transport for &mut T {
    type Error = T::Error;

    fn receive(&mut self) -> nb::Result<&[u8], T::Error> {
        T::receive(self)
    }

    fn consume(&mut self, count: usize) {
        T::consume(self, count);
    }

    fn send(&mut self, head: &[u8], tail: &[u8], more: bool) -> nb::Result<usize, T::Error> {
        T::send(self, head, tail, more)
    }

    fn send_contents(&mut self, offset: u64, length: u64) -> nb::Result<usize, T::Error> {
        T::send_contents(self, offset, length)
    }

    fn shut_down(&mut self) -> nb::Result<(), T::Error> {
        T::shut_down(self)
    }
}

/// What to do next with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Step<S, C> {
    /// Wait until the transport has more to receive or takes more, until the session is given a
    /// command, or until this time; then call again.
    Wait(Option<Instant>),
    /// The conversation is over, in order or not, which is told once and at once. Call again: the
    /// connection is not at its end yet.
    Over(Result<(), DriveError<S, C>>),
    /// Close the connection.
    Close,
    /// Reset the connection (RFC 9293 §3.10.7.4; in POSIX `SO_LINGER` of zero and `close(2)`, in
    /// smoltcp, embassy-net and lwIP `abort`).
    Reset,
}

/// What [`Driver::next`] has come to.
#[must_use]
pub enum Next<'a, S: Session, C> {
    /// The session told this. Call again once it was dealt with; the session may be commanded before.
    Event(Event<'a, S>),
    /// Call again, and do nothing before.
    Continue,
    /// All that could be done is done.
    Step(Step<S::Error, C>),
}

impl<'a, S, C> fmt::Debug for Next<'a, S, C>
where
    S: Session,
    S::Error: fmt::Debug,
    C: fmt::Debug,
    Event<'a, S>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
            Self::Continue => f.write_str("Continue"),
            Self::Step(step) => f.debug_tuple("Step").field(step).finish(),
        }
    }
}

/// How a conversation fails, in the session, in the connection, or by its owner's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DriveError<S, C> {
    /// The session failed: what the peer said, or did not say in time.
    Session(S),
    /// The connection failed, which is never success, however much was said.
    Connection(C),
    /// The contents that the session was to send ended early, or there are none.
    Contents,
    /// The conversation was over for the session, but its last bytes did not leave within [`LINGER`].
    Stalled,
    /// The owner gave the conversation up.
    GivenUp,
}

impl<S: fmt::Display, C: fmt::Display> fmt::Display for DriveError<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Connection(error) => error.fmt(f),
            Self::Contents => f.write_str("the contents to send cannot be had"),
            Self::Stalled => f.write_str("the peer does not take the last bytes"),
            Self::GivenUp => f.write_str("given up"),
        }
    }
}

impl<S: Error + 'static, C: Error + 'static> Error for DriveError<S, C> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(error) => error.source(),
            Self::Connection(error) => error.source(),
            Self::Contents | Self::Stalled | Self::GivenUp => None,
        }
    }
}

/// Drives one session over one connection. The [module](self) states the rule.
///
/// A turn, from one [`Wait`](Step::Wait) to the next, is bounded by what the transport gives and takes
/// in it. The driver has no buffer: a session reads from what the transport has received, and what it
/// lends goes to the transport as it is.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one connection")]
#[derive(Debug)]
pub struct Driver {
    stage: Stage,
    /// How much the session took of what was received last: consumed when an event that may lend it
    /// is done with.
    taken: usize,
    /// The session has left bytes, or was told the end, since it was last given something new.
    left: bool,
    /// The session's last call with input has given an event, so there may be more without any.
    telling: bool,
    /// The deadline has been told in this turn.
    expired: bool,
    /// The peer has ended its direction.
    ended: bool,
    /// This side has ended its own.
    shut: bool,
    linger: Duration,
    /// When [`Stage::ShutDown`] and [`Stage::Linger`] have taken too long.
    until: Instant,
    /// How many bytes were thrown away.
    discarded: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Rule 1; a turn begins here.
    Transmit,
    /// Rules 2 and 3.
    Receive,
    /// Rule 2: behind the last byte of this turn the session may have more to tell.
    Drain,
    /// Rule 1, behind that.
    Answer,
    /// Rule 4: whether the deadline is reached.
    Check,
    /// Rule 4: it is.
    Expire,
    /// Rule 6, until the stack has taken it.
    ShutDown,
    /// Rule 5.
    LastWord,
    /// Rule 7.
    BeginLinger,
    Linger,
    Close,
    Reset,
}

impl Default for Driver {
    fn default() -> Self {
        Self::new()
    }
}

impl Driver {
    /// A driver for a new connection.
    pub const fn new() -> Self {
        Self::with_linger(LINGER)
    }

    /// A driver that lingers for so long at most, where [`LINGER`] is too long or not long enough.
    pub const fn with_linger(linger: Duration) -> Self {
        Self {
            stage: Stage::Transmit,
            taken: 0,
            left: false,
            telling: false,
            expired: false,
            ended: false,
            shut: false,
            linger,
            until: Instant::ZERO,
            discarded: 0,
        }
    }

    /// Whether this side has ended its direction.
    pub const fn has_shut_down(&self) -> bool {
        self.shut
    }

    /// Whether the peer has ended its direction.
    pub const fn has_peer_ended(&self) -> bool {
        self.ended
    }

    /// When the next step is due at the latest: what [`Step::Wait`] told last, or what a command to the
    /// session has made of it since.
    pub fn poll_deadline<S: Session>(&self, session: &S) -> Option<Instant> {
        match self.stage {
            Stage::ShutDown | Stage::Linger => Some(self.until),
            _ => session.poll_deadline(),
        }
    }

    /// Whether the conversation is over, in order or not: the session is no longer asked for anything
    /// but its last word.
    pub const fn is_over(&self) -> bool {
        matches!(
            self.stage,
            Stage::LastWord | Stage::BeginLinger | Stage::Linger | Stage::Close | Stage::Reset
        )
    }

    /// Ends the conversation before its time (rule 5): the next step tells how the connection is to
    /// end. Does nothing once the conversation is over.
    pub const fn give_up(&mut self) {
        if !self.is_over() {
            self.stage = self.after_failure();
        }
    }

    const fn after_failure(&self) -> Stage {
        if self.shut { Stage::BeginLinger } else { Stage::Reset }
    }

    /// Does what can be done at `now` without waiting, and hands each event to `on_event`. Call it as
    /// [`Step::Wait`] says and after each command to the session. An `on_event` that breaks gives the
    /// conversation up.
    pub fn step<S: Session, T: Transport>(
        &mut self,
        now: Instant,
        session: &mut S,
        transport: &mut T,
        mut on_event: impl FnMut(Event<'_, S>) -> ControlFlow<()>,
    ) -> Step<S::Error, T::Error> {
        loop {
            match self.next(now, session, transport) {
                Next::Event(event) => {
                    if on_event(event).is_break() {
                        self.give_up();
                        return Step::Over(Err(DriveError::GivenUp));
                    }
                }
                Next::Continue => {}
                Next::Step(step) => return step,
            }
        }
    }

    /// As [`step`](Self::step), for an owner who has more to do with an event than a closure can: it
    /// returns with each, which lends from the session and the transport until the next call.
    pub fn next<'a, S: Session, T: Transport>(
        &mut self,
        now: Instant,
        session: &'a mut S,
        transport: &'a mut T,
    ) -> Next<'a, S, T::Error> {
        if self.taken > 0 {
            transport.consume(mem::take(&mut self.taken));
        }
        match self.stage {
            Stage::Transmit | Stage::Answer => self.carry_out(now, session, transport),
            Stage::Receive => self.offer(now, session, transport),
            Stage::Drain => {
                self.telling = false;
                self.hand_over(session.handle_input(now, &mut <&[u8]>::default()), Stage::Answer)
            }
            Stage::Check => self.check(now, session),
            Stage::Expire => self.expire(now, session),
            Stage::ShutDown => Next::Step(self.conclude(now, transport)),
            Stage::LastWord => {
                let told = self.transmit(now, session, transport);
                self.stage = if told.is_ok() { self.after_failure() } else { Stage::Reset };
                Next::Continue
            }
            Stage::BeginLinger | Stage::Linger => match self.linger(now, transport) {
                ControlFlow::Continue(until) => Next::Step(Step::Wait(Some(until))),
                ControlFlow::Break(()) => Next::Step(Step::Close),
            },
            Stage::Close => Next::Step(Step::Close),
            Stage::Reset => Next::Step(Step::Reset),
        }
    }

    /// Goes on with a connection that lingers, for an owner that has no session any more. Tells until
    /// when it does; else it is to be closed. To be called only when a [`step`](Self::step) behind
    /// [`Step::Over`] has told to wait.
    pub fn linger<T: Transport>(
        &mut self,
        now: Instant,
        transport: &mut T,
    ) -> ControlFlow<(), Instant> {
        if self.stage != Stage::Linger {
            (self.stage, self.until) = (Stage::Linger, now + self.linger);
        }
        match self.discard(transport) {
            Err(nb::Error::WouldBlock) if now < self.until => ControlFlow::Continue(self.until),
            _ => {
                self.stage = Stage::Close;
                ControlFlow::Break(())
            }
        }
    }

    /// Throws away what has come, up to the end.
    fn discard<T: Transport>(&mut self, transport: &mut T) -> nb::Result<(), T::Error> {
        while !self.ended && self.discarded <= LINGER_BYTES {
            let count = transport.receive()?.len();
            transport.consume(count);
            self.ended = count == 0;
            self.discarded = self.discarded.saturating_add(count);
        }
        Ok(())
    }

    fn carry_out<'a, S: Session, T: Transport>(
        &mut self,
        now: Instant,
        session: &mut S,
        transport: &mut T,
    ) -> Next<'a, S, T::Error> {
        match self.transmit(now, session, transport) {
            Ok(Sent::Close) => {
                self.until = now + self.linger;
                return Next::Step(self.conclude(now, transport));
            }
            Ok(Sent::Nothing) if self.left => self.stage = Stage::Check,
            Ok(_) if self.stage == Stage::Answer => self.stage = Stage::Check,
            Ok(Sent::Some | Sent::Nothing) => self.stage = Stage::Receive,
            Err(error) => return Next::Step(self.break_off(error)),
        }
        Next::Continue
    }

    /// Carries out what the session wants, as far as the transport takes it.
    fn transmit<S: Session, T: Transport>(
        &mut self,
        now: Instant,
        session: &mut S,
        transport: &mut T,
    ) -> Result<Sent, DriveError<S::Error, T::Error>> {
        let mut sent = Sent::Nothing;
        loop {
            let moved = match session.poll_transmit() {
                Output::Nothing => return Ok(sent),
                Output::Close => return Ok(Sent::Close),
                Output::Bytes { head, tail, more } => match transport.send(head, tail, more) {
                    Ok(0) => Err(nb::Error::WouldBlock),
                    moved => moved,
                },
                Output::Contents { offset, length } => {
                    match transport.send_contents(offset, length) {
                        Ok(0) => return Err(DriveError::Contents),
                        moved => moved,
                    }
                }
                Output::Shutdown => transport.shut_down().map(|()| {
                    self.shut = true;
                    0
                }),
            };
            match moved {
                Ok(count) => session.transmitted(now, count),
                Err(nb::Error::WouldBlock) => return Ok(sent),
                Err(nb::Error::Other(error)) => return Err(DriveError::Connection(error)),
            }
            sent = Sent::Some;
        }
    }

    fn offer<'a, S: Session, T: Transport>(
        &mut self,
        now: Instant,
        session: &'a mut S,
        transport: &'a mut T,
    ) -> Next<'a, S, T::Error> {
        if self.telling && !self.left {
            // It took the last byte, which is no reason to have nothing more to tell; nor is a reset
            // behind that byte.
            let told = session.handle_input(now, &mut <&[u8]>::default());
            self.telling = told.is_ok();
            return self.hand_over(told, Stage::Transmit);
        }
        let told = match transport.receive() {
            Ok([]) => {
                (self.ended, self.left) = (true, true);
                session.handle_end(now)
            }
            Ok(bytes) => {
                let mut input = bytes;
                let told = session.handle_input(now, &mut input);
                self.taken = bytes.len().saturating_sub(input.len());
                (self.left, self.telling) = (!input.is_empty(), told.is_ok());
                told
            }
            Err(nb::Error::WouldBlock) => {
                self.stage = if self.telling { Stage::Drain } else { Stage::Check };
                return Next::Continue;
            }
            Err(nb::Error::Other(error)) => {
                return Next::Step(self.break_off(DriveError::Connection(error)));
            }
        };
        self.hand_over(told, Stage::Transmit)
    }

    fn check<'a, S: Session, C>(&mut self, now: Instant, session: &S) -> Next<'a, S, C> {
        let deadline = session.poll_deadline();
        if !self.expired && deadline.is_some_and(|at| at <= now) {
            self.stage = Stage::Expire;
            return Next::Continue;
        }
        // The next turn begins.
        (self.stage, self.expired, self.left) = (Stage::Transmit, false, false);
        Next::Step(Step::Wait(deadline))
    }

    fn expire<'a, S: Session, C>(&mut self, now: Instant, session: &'a mut S) -> Next<'a, S, C> {
        // The time may have made room for what was left.
        (self.expired, self.left) = (true, false);
        self.hand_over(session.handle_timeout(now), Stage::Transmit)
    }

    /// Passes on what a call of the session gave; after the last of it comes another stage.
    fn hand_over<'a, S: Session, C>(
        &mut self,
        told: nb::Result<Event<'a, S>, S::Error>,
        after: Stage,
    ) -> Next<'a, S, C> {
        match told {
            Ok(event) => return Next::Event(event),
            Err(nb::Error::WouldBlock) => self.stage = after,
            Err(nb::Error::Other(error)) => {
                self.stage = Stage::LastWord;
                return Next::Step(Step::Over(Err(DriveError::Session(error))));
            }
        }
        Next::Continue
    }

    /// The session has said that the conversation is over.
    fn conclude<S, T: Transport>(&mut self, now: Instant, transport: &mut T) -> Step<S, T::Error> {
        if !self.shut {
            match transport.shut_down() {
                Ok(()) => self.shut = true,
                Err(nb::Error::WouldBlock) if now < self.until => {
                    self.stage = Stage::ShutDown;
                    return Step::Wait(Some(self.until));
                }
                Err(nb::Error::WouldBlock) => return self.break_off(DriveError::Stalled),
                Err(nb::Error::Other(error)) => {
                    return self.break_off(DriveError::Connection(error));
                }
            }
        }
        // A reset may lie behind bytes that nobody wants any more, or behind the end.
        let discarded = self.discard(transport).and_then(|()| transport.receive().map(|_| ()));
        if let Err(nb::Error::Other(error)) = discarded {
            return self.break_off(DriveError::Connection(error));
        }
        self.stage = Stage::BeginLinger;
        Step::Over(Ok(()))
    }

    /// The connection is of no use any more.
    fn break_off<S, C>(&mut self, error: DriveError<S, C>) -> Step<S, C> {
        self.stage = Stage::Reset;
        Step::Over(Err(error))
    }
}

/// What [`Driver::transmit`] did.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Nothing,
    Some,
    Close,
}

#[cfg(test)]
mod tests;
