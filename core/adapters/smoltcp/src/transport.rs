use core::error::Error;
use core::fmt;

use barewire_core::driver::{Driver, Transport};
use smoltcp::socket::tcp::{RecvError, Socket, State};

/// The peer has reset the connection, or is gone; or there was no connection yet, on a socket that listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is broken")
    }
}

impl Error for Broken {}

/// A TCP socket for one step of a [`Driver`].
///
/// It has no buffer of its own: a session reads from the socket's receive buffer, and what it lends is
/// copied into the send buffer, once. Contents are to be in memory, see
/// [`InMemory`](barewire_core::session::InMemory).
///
/// A socket that is aborted sends nothing more of what it holds. So let the network have a turn between
/// the step that gives [`Step::Reset`](barewire_core::driver::Step::Reset) and the `abort`: it carries the
/// last word of a session that failed.
#[derive(Debug)]
pub struct TcpTransport<'a, 's> {
    socket: &'a mut Socket<'s>,
    /// What the socket itself forgets in the end.
    has_peer_ended: bool,
    has_shut_down: bool,
}

impl<'a, 's> TcpTransport<'a, 's> {
    /// The socket that `driver` drives a session over.
    pub fn new(socket: &'a mut Socket<'s>, driver: &Driver) -> Self {
        let (has_peer_ended, has_shut_down) = (driver.has_peer_ended(), driver.has_shut_down());
        Self { socket, has_peer_ended, has_shut_down }
    }

    /// Whether anything can be sent: not before the connection is there, and never again if it broke.
    fn check_open(&self) -> nb::Result<(), Broken> {
        match self.socket.state() {
            State::SynSent | State::SynReceived => Err(nb::Error::WouldBlock),
            _ if self.socket.may_send() => Ok(()),
            _ => Err(nb::Error::Other(Broken)),
        }
    }

    fn send_slice(&mut self, bytes: &[u8]) -> nb::Result<usize, Broken> {
        self.socket.send_slice(bytes).map_err(|_| nb::Error::Other(Broken))
    }
}

impl Transport for TcpTransport<'_, '_> {
    type Error = Broken;

    fn receive(&mut self) -> nb::Result<&[u8], Broken> {
        if self.socket.can_recv() {
            // The receive buffer is a ring: its other part comes next.
            return self.socket.peek(usize::MAX).map_err(|_| nb::Error::Other(Broken));
        }
        match self.socket.peek(0) {
            Err(RecvError::Finished) if !self.has_peer_ended => self.has_peer_ended = true,
            // A reset behind the end of the stream shows only in what can be sent, or was not.
            _ if self.has_peer_ended && !self.has_shut_down => self.check_open()?,
            _ if self.has_peer_ended => {
                if self.socket.state() == State::Closed && self.socket.send_queue() > 0 {
                    return Err(nb::Error::Other(Broken));
                }
            }
            // Closed, with no sign that the peer has said all it had to say.
            Err(_) => return self.check_open().and(Err(nb::Error::WouldBlock)),
            Ok(_) => return Err(nb::Error::WouldBlock),
        }
        Ok(&[])
    }

    fn consume(&mut self, count: usize) {
        // It has been received, so this cannot fail.
        let _ = self.socket.recv(|bytes| (count.min(bytes.len()), ()));
    }

    fn send(&mut self, head: &[u8], tail: &[u8], _more: bool) -> nb::Result<usize, Broken> {
        self.check_open()?;
        // A head that does not fit leaves no room for the tail.
        Ok(self.send_slice(head)? + self.send_slice(tail)?)
    }

    fn shut_down(&mut self) -> nb::Result<(), Broken> {
        self.check_open()?;
        self.socket.close();
        self.has_shut_down = true;
        Ok(())
    }
}
