//! The driver: moves the bytes of a [`Session`] through a TCP socket of smoltcp.
//!
//! It follows the [driving rule](barewire_core::session) and has no buffer of its own: a session
//! reads from the socket's receive buffer, and what it lends goes straight into the send buffer.

use core::error::Error;
use core::fmt;

use barewire_core::driver::DriveError;
use barewire_core::session::{Event, Output, Session};
use barewire_core::time::Instant;
use smoltcp::socket::tcp::{RecvError, Socket, State};

/// The peer has reset the connection, or is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(target_os = "none", derive(defmt::Format))]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is broken")
    }
}

impl Error for Broken {}

/// What the driver has to know of one connection besides its socket.
#[derive(Debug, Default)]
pub struct Link {
    /// The peer has ended its direction. The socket itself forgets that in the end.
    ended: bool,
    /// This side has ended its own.
    shut: bool,
}

impl Link {
    /// Moves what can be moved at `now`, without waiting. Call it after each turn of the network,
    /// and when the session's deadline is reached.
    ///
    /// When the conversation is over, in either way, it ends the connection. The socket then still
    /// has to send what it holds: see [`server`](crate::server) and [`call`](crate::call).
    ///
    /// # Errors
    /// `WouldBlock`: the conversation goes on. [`DriveError`]: it has failed.
    pub fn drive<S: Session>(
        &mut self,
        socket: &mut Socket<'_>,
        session: &mut S,
        now: Instant,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), DriveError<S::Error, Broken>> {
        let result = self.converse(socket, session, now, &mut on_event);
        match result {
            Err(nb::Error::WouldBlock) => {}
            // Rule 6: the peer must not take the part that it got for the whole.
            Err(nb::Error::Other(_)) if !self.shut => socket.abort(),
            Err(nb::Error::Other(_)) | Ok(()) => socket.close(),
        }
        result
    }

    fn converse<S: Session>(
        &mut self,
        socket: &mut Socket<'_>,
        session: &mut S,
        now: Instant,
        on_event: &mut impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), DriveError<S::Error, Broken>> {
        if matches!(socket.state(), State::SynSent | State::SynReceived) {
            return Err(nb::Error::WouldBlock);
        }
        loop {
            let heard = self.hear(socket, session, now, on_event);
            if let Err(DriveError::Connection(broken)) = heard {
                return Err(nb::Error::Other(DriveError::Connection(broken)));
            }
            // After an error too: it may be a last word to the peer.
            let sent = self.transmit(socket, session, now);
            let left = heard?;
            match sent? {
                Sent::Close => return Ok(()),
                // What went out may have made room for the input that is left.
                Sent::Some if left => {}
                Sent::Some | Sent::Nothing => return Err(nb::Error::WouldBlock),
            }
        }
    }

    /// Rules 2 to 4: the bytes and their end, then the time, which may have made room for the bytes
    /// that were left. Tells whether some are still.
    fn hear<S: Session>(
        &mut self,
        socket: &mut Socket<'_>,
        session: &mut S,
        now: Instant,
        on_event: &mut impl FnMut(Event<'_, S>),
    ) -> Result<bool, DriveError<S::Error, Broken>> {
        let left = self.offer(socket, session, now, on_event)?;
        if session.poll_deadline().is_none_or(|deadline| now < deadline) {
            return Ok(left);
        }
        drain(|| session.handle_timeout(now).map(&mut *on_event)).map_err(DriveError::Session)?;
        self.offer(socket, session, now, on_event)
    }

    fn offer<S: Session>(
        &mut self,
        socket: &mut Socket<'_>,
        session: &mut S,
        now: Instant,
        on_event: &mut impl FnMut(Event<'_, S>),
    ) -> Result<bool, DriveError<S::Error, Broken>> {
        // Twice at most: the receive buffer is a ring.
        while socket.can_recv() {
            let offered = socket.recv(|bytes| {
                let mut input = &*bytes;
                let heard = drain(|| session.handle_input(now, &mut input).map(&mut *on_event));
                let left = input.len();
                (bytes.len() - left, heard.map(|()| left > 0))
            });
            if offered.map_err(|_| DriveError::Connection(Broken))?.map_err(DriveError::Session)? {
                return Ok(true);
            }
        }
        match socket.recv(|_| (0, ())) {
            Err(RecvError::Finished) => self.ended = true,
            // Closed, with no sign that the peer has said all it had to say.
            Err(RecvError::InvalidState) if !self.ended => {
                return Err(DriveError::Connection(Broken));
            }
            Ok(()) | Err(RecvError::InvalidState) => {}
        }
        if self.ended {
            drain(|| session.handle_end(now).map(&mut *on_event)).map_err(DriveError::Session)?;
        }
        Ok(false)
    }

    /// Rule 1: sends what the socket takes now.
    fn transmit<S: Session>(
        &mut self,
        socket: &mut Socket<'_>,
        session: &mut S,
        now: Instant,
    ) -> Result<Sent, DriveError<S::Error, Broken>> {
        let mut sent = Sent::Nothing;
        loop {
            let output = session.poll_transmit();
            if output == Output::Close {
                return Ok(Sent::Close);
            }
            // A reset that came after the end of the stream shows only here.
            if !self.shut && !socket.may_send() {
                return Err(DriveError::Connection(Broken));
            }
            let count = match output {
                Output::Nothing | Output::Close => return Ok(sent),
                // For contents in memory there is `session::InMemory`.
                Output::Contents { .. } => return Err(DriveError::Contents),
                Output::Shutdown => {
                    socket.close();
                    self.shut = true;
                    0
                }
                Output::Bytes { head, tail, .. } => {
                    // A head that does not fit leaves no room for the tail.
                    let count = send(socket, head)? + send(socket, tail)?;
                    if count == 0 {
                        return Ok(sent);
                    }
                    count
                }
            };
            session.transmitted(now, count);
            sent = Sent::Some;
        }
    }
}

/// What [`Link::transmit`] did.
enum Sent {
    Nothing,
    Some,
    Close,
}

/// Calls `step` until it has nothing more to give.
fn drain<E>(mut step: impl FnMut() -> nb::Result<(), E>) -> Result<(), E> {
    loop {
        match step() {
            Ok(()) => {}
            Err(nb::Error::WouldBlock) => return Ok(()),
            Err(nb::Error::Other(error)) => return Err(error),
        }
    }
}

/// Sends as many bytes as there is room for.
fn send<E>(socket: &mut Socket<'_>, bytes: &[u8]) -> Result<usize, DriveError<E, Broken>> {
    socket.send_slice(bytes).map_err(|_| DriveError::Connection(Broken))
}
