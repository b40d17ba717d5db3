//! Sockets, files, clocks and signals for Linux, and an executor that drives the sessions of
//! [`barewire_core`] over them.
//!
//! This crate knows no protocol by name: whatever implements
//! [`Session`](barewire_core::session::Session) can be driven. Three small modules contain `unsafe` code, one for
//! `recvmmsg(2)` and `sendmmsg(2)`, one for `seccomp(2)`, one that looks before `main` at what the process was started
//! with; they belong to `sys`, the line through the system calls.
//!
//! # The layers
//!
//! | layer | modules | what it is |
//! |---|---|---|
//! | service manager | [`activation`] | the sockets that it passes, and telling it that the server is ready |
//! | threads | [`threads`] | an executor a thread, each with its own socket on a shared address |
//! | drivers | [`link`], [`dialer`], [`listener`], [`datagrams`], [`input`], [`terminal`], [`signals`] | what a task is made of: a conversation over a stream, connecting by name or path, accepting, a UDP server and client, standard input, a terminal's mode and size, `SIGINT`, `SIGTERM` and `SIGHUP` |
//! | workers | [`workers`], [`lossy_writer`] | threads for what would keep an executor waiting: a bounded pool of them, and one that writes lines |
//! | executor | [`executor`] | one thread, one epoll instance, tasks that get turns |
//! | sockets | [`stream`], [`address`], [`resolve`] | connected streams of TCP and over Unix sockets, addresses and whose they are, names |
//! | files | [`files`] | what a server reads beneath a root, and what a client writes |
//! | waiting | [`clock`], [`wait`] | the monotonic clock, and waiting for one descriptor without an executor |
//! | confinement | [`sandbox`] | what a process gives up that its work does not need |
//! | process | [`resource_limits`], [`randomness`], [`standard_streams`], [`job_control`], [`system_error`] | the limits that it has, what nobody foresees, whether it was given its standard streams, the jobs that it shares its terminal with, and the system's errors in words |
//! | system | `sys` | the calls that no safe wrapper offers, and what all calls share |
//!
//! An arrow between them points down only.
//!
//! # An example
//!
//! A server and a client of the hello handshake, both in one executor:
//!
//! ```
//! use std::task::Poll;
//!
//! use barewire_core::hello;
//! use barewire_core::nb;
//! use barewire_core::text::Text;
//! use barewire_linux::dialer::{Dialer, Resolver};
//! use barewire_linux::executor::{Context, Executor, Task};
//! use barewire_linux::link::Link;
//! use barewire_linux::listener::{Accepted, Acceptor, Listener};
//!
//! /// What all tasks share: here, what was heard.
//! #[derive(Default)]
//! struct State {
//!     greeting: String,
//!     answer: String,
//! }
//!
//! /// One connection to the server.
//! struct Serving {
//!     link: Link,
//!     session: hello::Server<'static>,
//! }
//!
//! impl Task<State> for Serving {
//!     fn turn(&mut self, state: &mut State, cx: &mut Context<'_, State>) -> Poll<()> {
//!         let on_answer = |answer: Text<'_>| state.answer = answer.printable().to_string();
//!         match self.link.drive(cx, &mut self.session, on_answer) {
//!             Err(nb::Error::WouldBlock) => Poll::Pending,
//!             // A peer that misbehaves is no reason for a server to stop.
//!             Ok(()) | Err(nb::Error::Other(_)) => Poll::Ready(()),
//!         }
//!     }
//!
//!     fn abandon(&mut self, _: &mut State) {
//!         self.link.abort();
//!     }
//! }
//!
//! /// The client: it connects, then talks.
//! enum Calling {
//!     Dialing(Dialer),
//!     Talking(Link, hello::Client<'static>),
//! }
//!
//! impl Task<State> for Calling {
//!     fn turn(&mut self, state: &mut State, cx: &mut Context<'_, State>) -> Poll<()> {
//!         if let Self::Dialing(dialer) = self {
//!             match dialer.poll(cx) {
//!                 Err(nb::Error::WouldBlock) => return Poll::Pending,
//!                 Err(nb::Error::Other(error)) => panic!("cannot connect: {error}"),
//!                 Ok((link, _)) => {
//!                     let answer = Text::new("Hello").unwrap();
//!                     let session = hello::Client::new(cx.now(), answer, hello::HandshakeConfig::default());
//!                     *self = Self::Talking(link, session);
//!                 }
//!             }
//!         }
//!         let Self::Talking(link, session) = self else { unreachable!() };
//!         match link.drive(cx, session, |text| state.greeting = text.printable().to_string()) {
//!             Err(nb::Error::WouldBlock) => return Poll::Pending,
//!             Err(nb::Error::Other(fault)) => panic!("the handshake failed: {fault}"),
//!             Ok(()) => {}
//!         }
//!         // The acceptor sees the stop and ends; then nothing is left, and `run` returns.
//!         cx.stop();
//!         Poll::Ready(())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = Listener::bind("127.0.0.1:0".parse()?)?;
//! let address = listener.local_addr()?;
//! let greeting = Text::new("你好")?;
//! let acceptor = Acceptor::new(
//!     listener,
//!     None,
//!     move |_: &mut State, cx: &mut Context<'_, State>, accepted: Accepted| {
//!         let session = hello::Server::new(cx.now(), greeting, hello::HandshakeConfig::default());
//!         cx.spawn(Box::new(Serving { link: Link::new(accepted.stream), session }));
//!     },
//!     |_: &mut State, error| eprintln!("accepting pauses: {error}"),
//! );
//! let dialer = Dialer::new(Resolver::new("127.0.0.1", address.port()));
//!
//! let mut executor = Executor::new()?;
//! executor.spawn(Box::new(acceptor));
//! executor.spawn(Box::new(Calling::Dialing(dialer)));
//! let mut state = State::default();
//! executor.run(&mut state)?;
//! assert_eq!(state.greeting, "你好");
//! assert_eq!(state.answer, "Hello");
//! # Ok(())
//! # }
//! ```
//!
//! # What a connection costs
//!
//! A connection to the server above costs these system calls, in this order:
//!
//! | call | why |
//! |---|---|
//! | `accept4` | non-blocking and close-on-exec at once; `TCP_NODELAY` comes from the listener |
//! | `sendmsg` | the greeting, before anything is waited for (`sendto` if it lies in one piece) |
//! | `shutdown` | the greeting is all there is to say |
//! | `epoll_ctl` | edge-triggered, for input only; output is watched for once a send buffer is full |
//! | `epoll_wait` | shared by all that is ready at the time, up to 256 events a call |
//! | `recvfrom` | the answer |
//! | `recvfrom` | the end of the stream; if it was not there yet, after another `epoll_wait` |
//! | `close` | which also ends the watch |
//!
//! Besides, one `accept4` a turn of the acceptor finds that nobody else waits. In memory it costs one
//! allocation, for the task: an idle connection owns no buffer but its session's. A datagram that
//! comes alone costs an `epoll_wait`, a `recvfrom` and a `sendto`. Up to 64 that come together share an
//! `epoll_wait`, a `recvmmsg` and a `sendmmsg`; and so it is even for one where the socket is bound to a
//! wildcard address, since only these calls tell and choose the local address.
//!
//! A session that sends contents costs one `sendfile` for each that is large; a small one costs a
//! `pread64`, and shares its `sendto` with all others that are asked for at the same time.

#![deny(unsafe_code)]
#![deny(missing_docs)]

pub mod activation;
pub mod address;
pub mod clock;
pub mod datagrams;
pub mod dialer;
pub mod executor;
pub mod files;
pub mod input;
pub mod job_control;
pub mod link;
pub mod listener;
pub mod lossy_writer;
pub mod randomness;
pub mod resolve;
pub mod resource_limits;
pub mod sandbox;
pub mod signals;
pub mod standard_streams;
pub mod stream;
pub mod system_error;
pub mod terminal;
pub mod threads;
pub mod wait;
pub mod workers;

mod error_pause;
mod sys;
#[cfg(test)]
mod testing;
