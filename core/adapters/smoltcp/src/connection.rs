use core::ops::ControlFlow;

use barewire_core::driver::{DriveError, Driver, LastStep, Step};
use barewire_core::session::{Event, Session};
use barewire_core::time::{Duration, Instant};
use smoltcp::socket::tcp::{Socket, State};

use crate::transport::{Broken, TcpTransport};

/// How long a connection whose conversation is over may make no progress with what it still has to
/// send, before it is reset.
pub const FLUSH: Duration = Duration::from_secs(5);

/// What there is to know of one connection besides its socket, from when it is there until the socket
/// can be used for another.
#[derive(Debug)]
pub struct Connection {
    driver: Driver,
    /// It was reset, as it had to be.
    was_reset: bool,
    /// What the socket still had to send when it was looked at last, and until when it is to get on
    /// with that.
    queued: usize,
    until: Instant,
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}

impl Connection {
    /// A new connection.
    pub const fn new() -> Self {
        Self { driver: Driver::new(), was_reset: false, queued: usize::MAX, until: Instant::ZERO }
    }

    /// Moves what can be moved at `now`, without waiting. Call it after each turn of the network, when
    /// [its deadline](Self::poll_deadline) is reached, and after commands to the session.
    ///
    /// The connection is there or is being made: a socket that still listens is [`Broken`] to it.
    ///
    /// When the conversation is over, in either way, the session is done with, but the connection is not:
    /// [`finish`](Self::finish) ends it.
    ///
    /// # Errors
    /// `WouldBlock`: the conversation goes on. [`DriveError`]: it has failed.
    pub fn drive<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        socket: &mut Socket<'_>,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), DriveError<S::Error, Broken>> {
        let mut transport = TcpTransport::new(socket, &self.driver);
        let mut over = Err(nb::Error::WouldBlock);
        loop {
            let step = self.driver.step(now, session, &mut transport, |event| {
                on_event(event);
                ControlFlow::Continue(())
            });
            match step {
                Step::Over(result) => over = result.map_err(nb::Error::Other),
                Step::Wait(_) | Step::Close | Step::Reset => return over,
            }
        }
    }

    /// When [`drive`](Self::drive) is due at the latest, whatever the network does until then. `None`: the
    /// peer owes nothing.
    pub fn poll_deadline<S: Session>(&self, session: &S) -> Option<Instant> {
        self.driver.poll_deadline(session)
    }

    /// Goes on with a connection whose conversation is over, or was never begun: what the peer still
    /// sends is thrown away until it has ended its direction, or for the driver's
    /// [`LINGER`](barewire_core::driver::LINGER), and what the socket has to send is given time as long
    /// as it gets on with it ([`FLUSH`]). In the end the connection is reset, if it has to be.
    ///
    /// Call it after each turn of the network, and at the time that it tells. `None`: the socket can be used
    /// again.
    #[must_use]
    pub fn finish(&mut self, now: Instant, socket: &mut Socket<'_>) -> Option<Instant> {
        let mut transport = TcpTransport::new(socket, &self.driver);
        let last = self.driver.end(now, &mut transport);
        let queued = socket.send_queue();
        // What is queued at first is a last word, and leaves in the network's next turn.
        let leaves = queued > 0 && self.queued == usize::MAX;
        if last == LastStep::Reset && !self.was_reset && !leaves {
            self.was_reset = true;
            socket.abort();
        }
        if queued < self.queued {
            (self.queued, self.until) = (queued, now + FLUSH);
        }
        let is_late = self.until <= now;
        if is_free(socket) || (is_late && socket.state() == State::Closed) {
            // A reset that cannot leave, since the peer's machine is gone, is given up.
            return None;
        }
        if is_late || (last == LastStep::Close && socket.state() == State::FinWait2) {
            socket.abort();
            self.until = now + FLUSH;
        }
        match last {
            LastStep::Wait(until) => Some(until.min(self.until)),
            LastStep::Close | LastStep::Reset => Some(self.until),
        }
    }
}

/// Whether a socket has sent its last word. One in TIME-WAIT has, if its acknowledgements are not
/// delayed; there are too few sockets to keep any for four minutes (RFC 9293 §3.4.2).
fn is_free(socket: &Socket<'_>) -> bool {
    match socket.state() {
        // An aborted one still has its peer's address, until the reset has left.
        State::Closed => socket.remote_endpoint().is_none(),
        state => state == State::TimeWait,
    }
}
