//! One connection to a server, from its opening to its end.

use core::error::Error;
use core::fmt;
use core::mem;

use barewire_core::secure::Conversation;
use barewire_core::session::Session;
use barewire_core::time::{Duration, Instant};
use barewire_smoltcp::Connection;
use smoltcp::iface::Context;
use smoltcp::socket::tcp::{ConnectError, Socket, State};
use smoltcp::wire::IpEndpoint;

use crate::security::{Link, LinkError, Security};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// What is done on a connection to a server.
pub trait Client {
    /// This side of the conversation.
    type Session: Session;

    /// Which conversation it is.
    const CONVERSATION: Conversation;

    /// The connection is there.
    fn open(&mut self, now: Instant) -> Self::Session;

    /// Gives the conversation a turn, by [`Link::drive`], and the session its commands.
    ///
    /// # Errors
    /// As [`Link::drive`].
    fn talk(
        &mut self,
        session: &mut Self::Session,
        link: &mut impl Link,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> nb::Result<(), ClientError<Self>>;
}

/// How a client's conversation fails.
pub type ClientError<C> = LinkError<<<C as Client>::Session as Session>::Error>;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(target_os = "none", derive(defmt::Format))]
pub enum CallError<E> {
    /// The server refused the connection.
    Refused,
    /// The server did not answer.
    Unanswered,
    /// There is no memory for the channel.
    NoMemory,
    /// The conversation failed.
    Failed(LinkError<E>),
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::Unanswered => f.write_str("the server does not answer"),
            Self::NoMemory => f.write_str("no memory for another connection under a key"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<E: Error> Error for CallError<E> {}

/// A call by client `C`, held under `K`.
#[derive(Debug)]
pub struct Call<C: Client, K: Security> {
    client: C,
    stage: Stage<C::Session, K::Link>,
}

#[derive(Debug)]
enum Stage<S: Session, L> {
    Connecting {
        until: Instant,
    },
    Talking(L, S),
    /// The conversation is over. What was said last, and the end, may still be under way.
    Closing(Connection, Result<(), LinkError<S::Error>>),
}

impl<C: Client, K: Security> Call<C, K> {
    /// Starts a call from `port`, which should be another each time (RFC 6056).
    ///
    /// # Errors
    /// The socket's own: it is in use, or an address or port is none.
    pub fn new(
        client: C,
        socket: &mut Socket<'_>,
        context: &mut Context,
        server: IpEndpoint,
        port: u16,
        now: Instant,
    ) -> Result<Self, ConnectError> {
        socket.connect(context, server, port)?;
        socket.set_nagle_enabled(false);
        Ok(Self { client, stage: Stage::Connecting { until: now + CONNECT } })
    }

    /// Who called, and what came of it.
    pub fn into_client(self) -> C {
        self.client
    }

    /// Gives the call, which has this socket, a turn.
    ///
    /// # Errors
    /// `WouldBlock`: it goes on. [`CallError`]: it has failed.
    pub fn turn(
        &mut self,
        security: &mut K,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> nb::Result<(), CallError<<C::Session as Session>::Error>> {
        if let Stage::Connecting { until } = self.stage {
            match socket.state() {
                State::Closed => return Err(nb::Error::Other(CallError::Refused)),
                State::SynSent | State::SynReceived if until <= now => {
                    socket.abort();
                    return Err(nb::Error::Other(CallError::Unanswered));
                }
                State::SynSent | State::SynReceived => return Err(nb::Error::WouldBlock),
                _ => {
                    let Some(link) = security.call(now, C::CONVERSATION) else {
                        socket.abort();
                        return Err(nb::Error::Other(CallError::NoMemory));
                    };
                    self.stage = Stage::Talking(link, self.client.open(now));
                }
            }
        }
        if let Stage::Talking(link, session) = &mut self.stage {
            let over = match self.client.talk(session, link, socket, now) {
                Ok(()) => Ok(()),
                Err(nb::Error::WouldBlock) => return Err(nb::Error::WouldBlock),
                Err(nb::Error::Other(error)) => Err(error),
            };
            let stage = mem::replace(&mut self.stage, Stage::Connecting { until: now });
            if let Stage::Talking(link, _) = stage {
                self.stage = Stage::Closing(security.end(link), over);
            }
        }
        if let Stage::Closing(connection, over) = &mut self.stage
            && connection.finish(now, socket).is_none()
        {
            return over.map_err(|error| nb::Error::Other(CallError::Failed(error)));
        }
        Err(nb::Error::WouldBlock)
    }
}
