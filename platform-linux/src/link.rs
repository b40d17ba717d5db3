//! Drives any [`Session`] over a stream, by the rule that [`barewire_core::driver`] states.
//!
//! # Sessions that send contents
//!
//! [`Link::drive`] is all that most sessions need. A session that sends
//! [`Output::Contents`](barewire_core::session::Output::Contents) has an owner who opens files, and who
//! may have to answer the session several times in a turn, since requests come many at a time and the session
//! takes one after another. So its turn has two parts: [`Link::advance`], as often as there is
//! something to answer, and [`Link::flush`] at the end. What is small is gathered in between, and
//! leaves in few system calls: a hundred small answers take about as many as one. What is not goes
//! from the file to the socket without a copy (`sendfile(2)`).
//!
//! ```
//! # use std::fs::File;
//! # use std::io;
//! # use barewire_core::nb;
//! # use barewire_core::session::{Event, Session};
//! # use barewire_linux::executor::Context;
//! # use barewire_linux::link::{Contents, Link, LinkError};
//! # trait Sender: Session {
//! #     fn wants_file(&self) -> bool;
//! #     fn offer(&mut self, size: u64);
//! #     fn refuse(&mut self);
//! # }
//! struct Client<S> {
//!     link: Link,
//!     session: S,
//!     file: Option<File>,
//! }
//!
//! impl<S: Sender> Client<S> {
//!     /// One turn of the client's task.
//!     fn carry_on<W>(&mut self, cx: &mut Context<'_, W>) -> nb::Result<(), LinkError<S::Error>> {
//!         loop {
//!             let mut contents = self.file.as_ref().map(Contents::new);
//!             let contents = contents.as_mut();
//!             match self.link.advance(cx, &mut self.session, contents, |_: Event<'_, S>| {}) {
//!                 Err(nb::Error::WouldBlock) => {}
//!                 over => return over,
//!             }
//!             if !self.session.wants_file() {
//!                 return self.link.flush(cx, &mut self.session);
//!             }
//!             match open() {
//!                 Ok((file, size)) => {
//!                     self.file = Some(file);
//!                     self.session.offer(size);
//!                 }
//!                 Err(_) => self.session.refuse(),
//!             }
//!         }
//!     }
//! }
//! # fn open() -> io::Result<(File, u64)> {
//! #     let file = File::open("/proc/self/exe")?;
//! #     let size = file.metadata()?.len();
//! #     Ok((file, size))
//! # }
//! ```
//!
//! # Under a key
//!
//! A link that is given an [`OwnedChannel`] before its first turn ([`Link::with_channel`]) holds its whole conversation
//! inside that, and no byte of it goes out plain. Its owner sees the same events, and one error more.
//! Contents are read straight into the records that are sealed.

mod connection;
mod contents;
mod driven_connection;
mod error;
mod keyed_session;
mod lingering;
mod owned_channel;
#[cfg(test)]
mod tests;
mod transport;

use barewire_core::secure::{ChannelError, Secured};
use barewire_core::session::{Event, Session};
use barewire_core::time::Instant;

use crate::executor::{Context, EventSource};
use crate::stream::StreamSocket;
use connection::{Budget, Connection};
pub use contents::Contents;
use driven_connection::DrivenConnection;
pub use error::LinkError;
use error::is_closed;
use keyed_session::KeyedSession;
pub use owned_channel::{OwnedChannel, RecordBuffers};

/// A connection and how far its conversation has come.
///
/// A link belongs to one task of an executor. The session is given to each [`drive`](Self::drive) anew, so that it
/// can be a view that its owner lends for the turn.
///
/// An idle link owns no buffer but those of its channel: it reads into the executor's, and allocates only for bytes
/// that the session would not take yet, and for gathered ones that the kernel would not. While it holds bytes of
/// the first kind (at most one read's worth) it reads no further, so that TCP's flow control slows the peer.
///
/// A link that is dropped in the middle of its conversation is reset, unless it has ended its direction (over a
/// Unix socket the peer sees [no difference](crate::stream::StreamSocket)). Its place among the task's sources is
/// free when the task ends; a task that goes on [gives it up](Self::give_up) instead.
///
/// When the conversation is over before the peer has ended its direction, the connection goes on in a task of its
/// own: what the peer still sends is thrown away until its end, or for [`LINGER`](barewire_core::driver::LINGER) at
/// most (or for [less](crate::executor::Executor::set_linger)), so that it does not turn the close into a reset,
/// which would destroy output that is under way. At most [`MAX_LINGERING`](crate::executor::MAX_LINGERING) of an
/// executor do so at once, unless it is [told otherwise](crate::executor::Executor::set_max_lingering); others are
/// closed without. The executor ends only behind such a task, unless the conversation failed or the executor is
/// [stopping](Context::stopping).
#[derive(Debug)]
pub struct Link {
    driven: DrivenConnection,
    channel: Option<OwnedChannel>,
}

// There is one for each client of a server.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Link>() <= 96);

impl Link {
    /// A link over a connected stream that is not registered with an executor yet.
    pub fn new(stream: StreamSocket) -> Self {
        Self::with_source(stream, None)
    }

    /// A link over a stream that the task has registered for both directions.
    pub(crate) fn with_source(stream: StreamSocket, source: Option<EventSource>) -> Self {
        let driven = DrivenConnection::new(Connection::new(stream, source));
        Self { driven, channel: None }
    }

    /// The same, speaking through `channel` from its first byte on.
    #[must_use]
    pub fn with_channel(mut self, channel: OwnedChannel) -> Self {
        if let Some(connection) = &mut self.driven.connection {
            connection.looks_first = !channel.channel().awaits_answer();
        }
        self.channel = Some(channel);
        self
    }

    /// Which of the server's keys the client has, as
    /// [`Channel::peer_key`](barewire_core::secure::Channel::peer_key) tells, once the channel is open; also when
    /// the conversation is over. `None` without a channel.
    pub fn peer_key(&self) -> Option<usize> {
        let channel = self.channel.as_ref()?.channel();
        channel.has_opened().then(|| channel.peer_key())
    }

    /// Whether the conversation has begun: with a channel, once that is open, also when it is over, in order or
    /// not.
    pub fn is_open(&self) -> bool {
        self.channel.as_ref().is_none_or(|it| it.channel().has_opened())
    }

    /// The stream, until the conversation is over.
    pub fn stream(&self) -> Option<&StreamSocket> {
        self.driven.connection.as_ref().map(|connection| &connection.stream)
    }

    /// Carries the conversation on as far as it goes without waiting, within this turn's budget,
    /// and hands each event to `on_event`. To be called in every turn of the task, and after any
    /// command to the session. The task's deadline is set to the session's. Small output that more is
    /// certain to follow leaves with it, in one system call.
    ///
    /// `Ok` means that the conversation is over, in order, and the link no longer has the connection.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: the conversation goes on with the task's next turn.
    /// [`LinkError`]: it failed, and the link no longer has the connection. What a session that failed
    /// had yet to say was attempted once.
    pub fn drive<W, S: Session>(
        &mut self,
        cx: &mut Context<'_, W>,
        session: &mut S,
        on_event: impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), LinkError<S::Error>> {
        match self.run(cx, session, None, false, on_event) {
            Err(nb::Error::WouldBlock) => self.flush(cx, session),
            over => over,
        }
    }

    /// As [`drive`](Self::drive), for a session that sends contents: those of `contents`, which must be
    /// what the session was last offered. May be called several times in a turn;
    /// [`flush`](Self::flush) must end it, since small output is gathered until then.
    ///
    /// Once the turn's budget is used up, further calls do nothing but to ask for another turn.
    ///
    /// # Errors
    /// As [`drive`](Self::drive). [`nb::Error::WouldBlock`]: the conversation goes on, in this turn
    /// if the session is given something to go on with, else with the task's next.
    /// [`LinkError::Contents`]: the file ended before what was to be sent of it, or there is none. The
    /// connection is reset, as it is when the file cannot be read.
    pub fn advance<W, S: Session>(
        &mut self,
        cx: &mut Context<'_, W>,
        session: &mut S,
        contents: Option<&mut Contents<'_>>,
        on_event: impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), LinkError<S::Error>> {
        self.run(cx, session, contents, true, on_event)
    }

    /// Ends a turn of [`advance`](Self::advance): sends what is gathered, and sets the task's
    /// deadline to that of `session`. What the kernel does not take yet stays in the link, and goes
    /// out before anything else does.
    ///
    /// `Ok` means that the conversation was over before.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: the conversation goes on with the task's next turn.
    /// [`LinkError::Connection`]: the connection broke.
    pub fn flush<W, S: Session>(
        &mut self,
        cx: &mut Context<'_, W>,
        session: &mut S,
    ) -> nb::Result<(), LinkError<S::Error>> {
        let Some(connection) = &mut self.driven.connection else {
            return Ok(());
        };
        connection.budget = Budget::TURN;
        let flushed = if connection.full { Ok(false) } else { connection.flush(cx, false) };
        match flushed.and_then(|_| connection.watch(cx)) {
            Ok(()) => {
                cx.set_deadline(self.poll_deadline(session));
                Err(nb::Error::WouldBlock)
            }
            Err(error) => {
                self.give_up(cx);
                Err(nb::Error::Other(LinkError::Connection(error)))
            }
        }
    }

    /// When the conversation wants its next turn at the latest: what the task's deadline was set to, for a task
    /// that has others besides.
    pub fn poll_deadline<S: Session>(&mut self, session: &mut S) -> Option<Instant> {
        let driver = &self.driven.driver;
        match &mut self.channel {
            None => driver.poll_deadline(session),
            Some(it) => it.with(|channel| driver.poll_deadline(&Secured { session, channel })),
        }
    }

    fn run<W, S: Session>(
        &mut self,
        cx: &mut Context<'_, W>,
        session: &mut S,
        contents: Option<&mut Contents<'_>>,
        gathers: bool,
        on_event: impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), LinkError<S::Error>> {
        let Self { driven, channel } = self;
        let Some(channel) = channel else {
            let result = driven.step(cx, session, contents, gathers, on_event);
            return result.map_err(|error| error.map(LinkError::plain));
        };
        let result = channel.with(|channel| {
            let secured = Secured { session, channel };
            let mut keyed = KeyedSession { secured, contents, failure: None };
            // An answer, a record and the end of the direction leave together.
            let result = driven.step(cx, &mut keyed, None, true, on_event);
            match (result, keyed.failure) {
                (Err(nb::Error::WouldBlock), Some(failure)) => {
                    driven.give_up(cx);
                    Err(nb::Error::Other(failure))
                }
                (result, _) => result.map_err(|error| error.map(LinkError::keyed)),
            }
        });
        match result {
            // So it is closed by who refuses what has come.
            Err(nb::Error::Other(LinkError::Connection(error)))
                if channel.channel().awaits_answer() && is_closed(&error) =>
            {
                Err(nb::Error::Other(LinkError::Channel(ChannelError::Refused)))
            }
            result => result,
        }
    }

    /// Gives the conversation up, as dropping the link does, and leaves nothing of it with the task:
    /// its place among the [sources](crate::executor::MAX_EVENT_SOURCES) is free, and the deadline gone.
    /// For a task that goes on without it. Does nothing once the conversation is over.
    pub fn give_up<W>(&mut self, cx: &mut Context<'_, W>) {
        self.driven.give_up(cx);
    }

    /// Closes the connection so that the peer sees a reset. To be called by
    /// [`Task::abandon`](crate::executor::Task::abandon).
    pub fn abort(&mut self) {
        self.driven.abort();
    }
}
