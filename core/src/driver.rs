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
//! use barewire_core::nb;
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
//!    [`poll_transmit`] wants is carried out and reported with [`transmitted`], until it wants nothing or
//!    the stack takes no more. Before each [`poll_transmit`], [`prepare_transmit`] is called.
//! 2. **Bytes that arrived** are offered by [`handle_input`] until that gives `WouldBlock` and takes
//!    none. What the session left is back-pressure: nothing more is received, and it is offered again after a
//!    transmission, a time-out or a command.
//! 3. **The end of the peer's stream** is told, behind all its bytes, by [`handle_end`] until that gives
//!    `WouldBlock`, and again as the bytes are. Input never follows it.
//! 4. **The deadline**, if it is reached, is told by [`handle_timeout`] until that gives `WouldBlock`, but
//!    only when all that was to be received in this turn was offered: a driver that was late itself takes
//!    no text that had gone on for one that silence ended. Then the first three follow once more.
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
//!
//! [`Session`]: crate::session::Session
//! [`prepare_transmit`]: crate::session::Session::prepare_transmit
//! [`poll_transmit`]: crate::session::Session::poll_transmit
//! [`transmitted`]: crate::session::Session::transmitted
//! [`handle_input`]: crate::session::Session::handle_input
//! [`handle_end`]: crate::session::Session::handle_end
//! [`handle_timeout`]: crate::session::Session::handle_timeout

mod linger;
mod machine;
mod step;
#[cfg(test)]
mod tests;
mod transport;

pub use linger::{LINGER, LINGER_BYTES};
pub use machine::Driver;
pub use step::{DriveError, LastStep, Next, Step};
pub use transport::Transport;
