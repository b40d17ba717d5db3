//! One connection to a server, from its opening to its end.

use core::error::Error;
use core::fmt;
use core::mem;

use barewire_core::driver::DriveError;
use barewire_core::session::Session;
use barewire_core::time::{Duration, Instant};
use barewire_smoltcp::{Broken, Connection};
use smoltcp::iface::Context;
use smoltcp::socket::tcp::{ConnectError, Socket, State};
use smoltcp::wire::IpEndpoint;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// What is done on a connection to a server.
pub trait Client {
    /// This side of the conversation.
    type Session: Session;

    /// The connection is there.
    fn open(&mut self, now: Instant) -> Self::Session;

    /// Gives the conversation a turn, by [`Connection::drive`], and the session its commands.
    ///
    /// # Errors
    /// As [`Connection::drive`].
    fn talk(
        &mut self,
        session: &mut Self::Session,
        connection: &mut Connection,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> nb::Result<(), ClientError<Self>>;
}

/// How a client's conversation fails.
pub type ClientError<C> = DriveError<<<C as Client>::Session as Session>::Error, Broken>;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(target_os = "none", derive(defmt::Format))]
pub enum CallError<E> {
    /// The server refused the connection.
    Refused,
    /// The server did not answer.
    Unanswered,
    /// The conversation failed.
    Failed(DriveError<E, Broken>),
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::Unanswered => f.write_str("the server does not answer"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<E: Error> Error for CallError<E> {}

/// A call by client `C`.
#[derive(Debug)]
pub struct Call<C: Client> {
    client: C,
    stage: Stage<C::Session>,
}

#[derive(Debug)]
enum Stage<S: Session> {
    Connecting {
        until: Instant,
    },
    Talking(Connection, S),
    /// The conversation is over. What was said last, and the end, may still be under way.
    Closing(Connection, Result<(), DriveError<S::Error, Broken>>),
}

impl<C: Client> Call<C> {
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
                _ => self.stage = Stage::Talking(Connection::new(), self.client.open(now)),
            }
        }
        if let Stage::Talking(connection, session) = &mut self.stage {
            let over = match self.client.talk(session, connection, socket, now) {
                Ok(()) => Ok(()),
                Err(nb::Error::WouldBlock) => return Err(nb::Error::WouldBlock),
                Err(nb::Error::Other(error)) => Err(error),
            };
            self.stage = Stage::Closing(mem::take(connection), over);
        }
        if let Stage::Closing(connection, over) = &mut self.stage
            && connection.finish(now, socket)
        {
            return over.map_err(|error| nb::Error::Other(CallError::Failed(error)));
        }
        Err(nb::Error::WouldBlock)
    }
}
