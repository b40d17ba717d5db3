//! The client: what it sends and when, and how it ends.

use std::net::{Ipv4Addr, SocketAddr};

use arbitrary::Arbitrary;
use barewire_core::datagram::{Datagram, Exchange, ExchangeConfig, ExchangeError, ExchangeEvent};
use barewire_core::time::{Duration, Instant};

use crate::script::{START, Span};

/// What happens to an exchange.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    timeout: Span,
    retries: u8,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    /// The socket takes the request.
    Send,
    /// It came from the server's address and port, from another port, or from elsewhere.
    Receive(u8, &'a [u8], u8),
    Unreachable,
    Wait(Span),
}

/// What is true of the exchange, told by its tries.
struct Model {
    timeout: Duration,
    /// When each try was sent.
    tries: Vec<Instant>,
    /// The next try wants to be sent.
    wants: bool,
    left: u32,
    over: bool,
}

impl Model {
    /// The last try waits twice as long as the one before.
    fn deadline(&self) -> Option<Instant> {
        let doubled = self.tries.len().checked_sub(1)?;
        let wait = (0..doubled).fold(self.timeout, |wait, _| wait + wait);
        (!self.over && !self.wants).then(|| *self.tries.last().expect("a try") + wait)
    }

    fn fail(&mut self, error: ExchangeError) -> nb::Error<ExchangeError> {
        if std::mem::replace(&mut self.over, true) {
            nb::Error::WouldBlock
        } else {
            nb::Error::Other(error)
        }
    }

    fn wait(&mut self, now: Instant) -> nb::Result<ExchangeEvent<'static>, ExchangeError> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Err(nb::Error::WouldBlock);
        }
        match self.left.checked_sub(1) {
            None => Err(self.fail(ExchangeError::TimedOut)),
            Some(left) => {
                (self.left, self.wants) = (left, true);
                Ok(ExchangeEvent::Retrying { left })
            }
        }
    }
}

/// One reply at most, from the server only, and no more tries than were allowed.
pub fn check(input: &Input<'_>) {
    let server = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 4_000));
    let other_port = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 4_001));
    let elsewhere = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 2), 4_000));
    let (timeout, retries) = (input.timeout.duration(), u32::from(input.retries % 4));
    let mut exchange = Exchange::new(
        server,
        b"request",
        ExchangeConfig::new().with_timeout(timeout).with_retries(retries),
    );
    let mut model = Model { timeout, tries: Vec::new(), wants: true, left: retries, over: false };
    let mut now = START;
    for step in &input.steps {
        match step {
            Step::Send => {
                if model.wants && !model.over {
                    model.tries.push(now);
                    model.wants = false;
                }
                exchange.transmitted(now);
            }
            Step::Receive(from, bytes, lost) => {
                let source = [server, other_port, elsewhere][usize::from(*from) % 3];
                let length = bytes.len() + usize::from(*lost);
                let reply = Datagram { source, bytes, length };
                let is_reply = source == server && !model.over && !model.tries.is_empty();
                let expected = if is_reply {
                    model.over = true;
                    Ok(ExchangeEvent::Replied {
                        reply,
                        round_trip: now.duration_since(model.tries[0]),
                    })
                } else {
                    Err(nb::Error::WouldBlock)
                };
                assert_eq!(exchange.handle_datagram(now, reply), expected);
            }
            Step::Unreachable => {
                let expected = Err(model.fail(ExchangeError::Unreachable));
                assert_eq!(exchange.handle_unreachable(), expected);
            }
            Step::Wait(span) => {
                now += span.duration();
                assert_eq!(exchange.handle_timeout(now), model.wait(now));
            }
        }
        assert!(model.tries.len() <= 1 + retries as usize);
        assert_eq!(exchange.poll_transmit().is_ok(), model.wants && !model.over, "{step:?}");
        assert_eq!(exchange.poll_deadline(), model.deadline(), "{step:?}");
    }
}
