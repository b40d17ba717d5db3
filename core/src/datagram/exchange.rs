//! The client: one request, one reply, and the patience between them.

use core::fmt;
use core::net::SocketAddr;

use super::config::ExchangeConfig;
use super::received::Datagram;
use crate::logging::debug;
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

/// What an [`Exchange`] tells its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ExchangeEvent<'d> {
    /// The reply: the exchange is over.
    Replied {
        /// The reply, which may be [truncated](Datagram::is_truncated).
        reply: Datagram<'d>,
        /// The time since the request was first sent, earlier tries included.
        round_trip: Duration,
    },
    /// A try went unanswered; the next one wants to be sent.
    Retrying {
        /// How many tries are left after the next one.
        left: u32,
    },
}

/// How an [`Exchange`] fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ExchangeError {
    /// No try was answered in time.
    TimedOut,
    /// The network reported that nobody can answer (ICMP destination unreachable: RFC 792 and RFC
    /// 4443 §3.1).
    Unreachable,
}

impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "no reply in time",
            Self::Unreachable => "destination unreachable",
        })
    }
}

impl core::error::Error for ExchangeError {}

/// One request and the wait for its reply.
///
/// The order of calls is that of a [`Session`](crate::session): after every call that returns an
/// event, [`poll_transmit`](Self::poll_transmit) until it returns `WouldBlock`, then
/// [`poll_deadline`](Self::poll_deadline). The machine takes at most 96 bytes (64-bit).
///
/// ```
/// use std::net::UdpSocket;
///
/// use barewire_core::datagram::{Datagram, Exchange, ExchangeConfig, ExchangeEvent};
/// use barewire_core::nb;
/// use barewire_core::time::Instant;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let echo = UdpSocket::bind("127.0.0.1:0")?;
/// # let server = echo.local_addr()?;
/// # std::thread::spawn(move || {
/// #     let mut buffer = [0; 64];
/// #     let (length, from) = echo.recv_from(&mut buffer).unwrap();
/// #     echo.send_to(&buffer[..length], from).unwrap();
/// # });
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// let start = std::time::Instant::now();
/// let now = || Instant::from(start.elapsed());
///
/// let mut exchange = Exchange::new(server, b"ping", ExchangeConfig::default());
/// let mut buffer = [0; 1024];
/// let reply = loop {
///     while let Ok(request) = exchange.poll_transmit() {
///         socket.send_to(request, exchange.server())?;
///         exchange.transmitted(now());
///     }
///     let wait = exchange.poll_deadline().map(|at| at.duration_since(now()).into());
///     socket.set_read_timeout(wait)?;
///     let event = match socket.recv_from(&mut buffer) {
///         Ok((length, source)) => {
///             exchange.handle_datagram(now(), Datagram::whole(source, &buffer[..length]))
///         }
///         Err(_) => exchange.handle_timeout(now()),
///     };
///     match event {
///         Ok(ExchangeEvent::Replied { reply, .. }) => break reply.bytes,
///         Ok(_) | Err(nb::Error::WouldBlock) => {}
///         Err(nb::Error::Other(error)) => return Err(error.into()),
///     }
/// };
/// assert_eq!(reply, b"ping");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Exchange<'t> {
    server: SocketAddr,
    request: &'t [u8],
    wait: Duration,
    retries: u32,
    first_sent: Option<Instant>,
    state: State,
    deadline: Deadline,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    ToSend,
    /// Until the deadline.
    Waiting,
    Over,
}

impl<'t> Exchange<'t> {
    /// An exchange with `server`, whose first try wants to be sent. The address must be one that a
    /// [`Datagram::source`] can be: an IPv4-mapped IPv6 address given as IPv4, and a link-local one
    /// with its scope.
    pub const fn new(server: SocketAddr, request: &'t [u8], config: ExchangeConfig) -> Self {
        Self {
            server,
            request,
            wait: config.timeout,
            retries: config.retries,
            first_sent: None,
            state: State::ToSend,
            deadline: Deadline::NEVER,
        }
    }

    /// Whom the request goes to.
    pub const fn server(&self) -> SocketAddr {
        self.server
    }

    /// Takes a datagram that arrived. One that does not come from the server is not the reply.
    ///
    /// # Errors
    /// `WouldBlock`: it was not the reply.
    pub fn handle_datagram<'d>(
        &mut self,
        now: Instant,
        datagram: Datagram<'d>,
    ) -> nb::Result<ExchangeEvent<'d>, ExchangeError> {
        match self.first_sent {
            Some(sent) if self.state != State::Over && datagram.source == self.server => {
                self.state = State::Over;
                Ok(ExchangeEvent::Replied { reply: datagram, round_trip: now.duration_since(sent) })
            }
            _ => Err(nb::Error::WouldBlock),
        }
    }

    /// Takes note that the network reported the server unreachable, which ends the exchange at
    /// once: no further try would fare better within its time.
    ///
    /// # Errors
    /// [`ExchangeError::Unreachable`]; `WouldBlock` if the exchange was over already.
    pub fn handle_unreachable(&mut self) -> nb::Result<ExchangeEvent<'static>, ExchangeError> {
        self.fail(ExchangeError::Unreachable)
    }

    /// Takes note that the deadline may have been reached.
    ///
    /// # Errors
    /// `WouldBlock`: it has not. [`ExchangeError::TimedOut`]: that was the last try.
    pub fn handle_timeout(
        &mut self,
        now: Instant,
    ) -> nb::Result<ExchangeEvent<'static>, ExchangeError> {
        if self.state != State::Waiting || !self.deadline.is_reached(now) {
            return Err(nb::Error::WouldBlock);
        }
        let Some(left) = self.retries.checked_sub(1) else {
            return self.fail(ExchangeError::TimedOut);
        };
        debug!("no reply in time; {} more tries after the next", left);
        self.retries = left;
        self.wait += self.wait;
        self.state = State::ToSend;
        Ok(ExchangeEvent::Retrying { left })
    }

    /// The request, while it wants to be sent.
    ///
    /// # Errors
    /// `WouldBlock`: there is nothing to send now.
    pub fn poll_transmit(&self) -> nb::Result<&'t [u8], core::convert::Infallible> {
        match self.state {
            State::ToSend => Ok(self.request),
            State::Waiting | State::Over => Err(nb::Error::WouldBlock),
        }
    }

    /// Takes note that the request was sent: the wait begins.
    pub fn transmitted(&mut self, now: Instant) {
        if self.state == State::ToSend {
            self.first_sent.get_or_insert(now);
            self.state = State::Waiting;
            self.deadline = Deadline::after(now, self.wait);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called. `None` while a try wants to
    /// be sent, which is for the owner's socket to do and not for the server, and once it is over.
    pub const fn poll_deadline(&self) -> Option<Instant> {
        match self.state {
            State::Waiting => self.deadline.instant(),
            State::ToSend | State::Over => None,
        }
    }

    fn fail(&mut self, error: ExchangeError) -> nb::Result<ExchangeEvent<'static>, ExchangeError> {
        match core::mem::replace(&mut self.state, State::Over) {
            State::Over => Err(nb::Error::WouldBlock),
            State::ToSend | State::Waiting => Err(nb::Error::Other(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    const SERVER: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
    const OVER: nb::Error<ExchangeError> = nb::Error::WouldBlock;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn exchange(retries: u32) -> Exchange<'static> {
        Exchange::new(SERVER, b"ping", ExchangeConfig::new().with_retries(retries))
    }

    #[test]
    fn a_reply_ends_the_exchange() {
        let mut exchange = exchange(0);
        assert_eq!(exchange.poll_transmit(), Ok(&b"ping"[..]));
        exchange.transmitted(at(10));
        assert_eq!(exchange.poll_transmit(), Err(nb::Error::WouldBlock));
        assert_eq!(exchange.poll_deadline(), Some(at(5_010)));
        let reply = Datagram::whole(SERVER, b"pong");
        let round_trip = Duration::from_millis(2);
        assert_eq!(
            exchange.handle_datagram(at(12), reply),
            Ok(ExchangeEvent::Replied { reply, round_trip })
        );
        assert_eq!(exchange.handle_datagram(at(13), reply), Err(OVER));
        assert_eq!(exchange.handle_timeout(at(9_999)), Err(OVER));
        assert_eq!(exchange.handle_unreachable(), Err(OVER));
        assert_eq!(exchange.poll_deadline(), None);
    }

    #[test]
    fn each_retry_waits_twice_as_long() {
        let mut exchange = exchange(2);
        exchange.transmitted(at(0));
        assert_eq!(exchange.handle_timeout(at(4_999)), Err(nb::Error::WouldBlock));
        assert_eq!(exchange.handle_timeout(at(5_000)), Ok(ExchangeEvent::Retrying { left: 1 }));
        assert_eq!(exchange.poll_deadline(), None);
        exchange.transmitted(at(5_000));
        assert_eq!(exchange.poll_deadline(), Some(at(15_000)));
        assert_eq!(exchange.handle_timeout(at(15_000)), Ok(ExchangeEvent::Retrying { left: 0 }));
        exchange.transmitted(at(15_000));
        assert_eq!(exchange.poll_deadline(), Some(at(35_000)));
        assert_eq!(
            exchange.handle_timeout(at(35_000)),
            Err(nb::Error::Other(ExchangeError::TimedOut))
        );
        assert_eq!(exchange.poll_transmit(), Err(nb::Error::WouldBlock));
    }

    #[test]
    fn a_late_reply_to_an_earlier_try_counts_from_the_first() {
        let mut exchange = exchange(1);
        exchange.transmitted(at(0));
        let _ = exchange.handle_timeout(at(5_000));
        // The next try is not sent yet.
        let event = exchange.handle_datagram(at(5_001), Datagram::whole(SERVER, b""));
        let Ok(ExchangeEvent::Replied { round_trip, .. }) = event else { panic!("{event:?}") };
        assert_eq!(round_trip, Duration::from_millis(5_001));
    }

    #[test]
    fn what_others_send_is_no_reply() {
        let mut exchange = exchange(0);
        let stranger = SocketAddr::from((Ipv4Addr::LOCALHOST, 8081));
        let before = exchange.handle_datagram(at(0), Datagram::whole(SERVER, b"too early"));
        assert_eq!(before, Err(OVER));
        exchange.transmitted(at(0));
        let other = exchange.handle_datagram(at(1), Datagram::whole(stranger, b"pong"));
        assert_eq!(other, Err(OVER));
        assert_eq!(exchange.poll_deadline(), Some(at(5_000)));
    }

    #[test]
    fn a_refusal_ends_the_wait_whatever_tries_are_left() {
        let mut exchange = exchange(5);
        exchange.transmitted(at(0));
        let refused = Err(nb::Error::Other(ExchangeError::Unreachable));
        assert_eq!(exchange.handle_unreachable(), refused);
        assert_eq!(exchange.poll_deadline(), None);
        assert_eq!(exchange.poll_transmit(), Err(nb::Error::WouldBlock));
    }

    #[test]
    fn the_longest_time_out_never_comes() {
        let config = ExchangeConfig::new().with_timeout(Duration::MAX).with_retries(u32::MAX);
        let mut exchange = Exchange::new(SERVER, b"", config);
        exchange.transmitted(at(1));
        assert_eq!(exchange.poll_deadline(), None, "it never comes");
        assert_eq!(exchange.handle_timeout(Instant::from_micros(u64::MAX)), Err(OVER));
    }
}
