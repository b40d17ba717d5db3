//! A client that asks one server once.

use std::net::SocketAddr;

use barewire_core::datagram::{Exchange, ExchangeConfig, ExchangeError, ExchangeEvent};
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::datagrams::{Arrival, Datagrams};
use barewire_tests::simulator::random::Random;

use super::address;

/// What each client says: to each its own, so that no reply is taken for another's.
pub(super) const REQUESTS: [&[u8]; 6] = [b"", b"one", b"two", b"three", b"four", b"five"];

/// A client and what it has seen so far.
pub(super) struct Asking {
    exchange: Exchange<'static>,
    pub(super) socket: SocketAddr,
    pub(super) request: &'static [u8],
    pub(super) config: ExchangeConfig,
    /// When each try was sent.
    pub(super) tries: Vec<Instant>,
    /// When it was first told that nobody is there.
    pub(super) refused: Option<Instant>,
    /// When it ended, with what reply.
    pub(super) ended: Option<(Instant, Result<Vec<u8>, ExchangeError>)>,
}

impl Asking {
    pub(super) fn new(random: &mut Random, number: u8, server: SocketAddr) -> Self {
        let request = REQUESTS[usize::from(number)];
        let timeout = random.span(Duration::from_millis(1)..=Duration::from_secs(2));
        let retries = random.pick(&[0, 1, 2, 5]);
        let config = ExchangeConfig::new().with_timeout(timeout).with_retries(retries);
        Self {
            exchange: Exchange::new(server, request, config),
            // Some share a host, so that only the port tells them apart.
            socket: address(100 + number / 2, 50_000 + u16::from(number)),
            request,
            config,
            tries: Vec::new(),
            refused: None,
            ended: None,
        }
    }

    pub(super) fn server(&self) -> SocketAddr {
        self.exchange.server()
    }

    /// Takes what arrived, and does what the exchange wants next.
    pub(super) fn turn(&mut self, network: &mut Datagrams, arrival: &Arrival) {
        let now = network.now();
        let step = match arrival {
            Arrival::Refusal => {
                self.refused.get_or_insert(now);
                self.exchange.handle_unreachable()
            }
            Arrival::Time => self.exchange.handle_timeout(now),
            Arrival::Datagram { .. } => {
                self.exchange.handle_datagram(now, arrival.datagram().unwrap())
            }
        };
        match step {
            Ok(ExchangeEvent::Replied { reply, round_trip }) => {
                assert_eq!(round_trip, now.duration_since(self.tries[0]));
                self.end(now, Ok(reply.bytes.to_vec()));
            }
            Ok(ExchangeEvent::Retrying { left }) => {
                assert_eq!(self.tries.len(), (self.config.retries - left) as usize);
            }
            Ok(other) => panic!("{other:?}"),
            Err(nb::Error::WouldBlock) => {}
            Err(nb::Error::Other(error)) => self.end(now, Err(error)),
        }
        self.transmit(network);
    }

    pub(super) fn transmit(&mut self, network: &mut Datagrams) {
        let now = network.now();
        while let Ok(request) = self.exchange.poll_transmit() {
            network.send(self.socket, self.server(), request);
            self.exchange.transmitted(now);
            self.tries.push(now);
        }
        if let Some(deadline) = self.exchange.poll_deadline() {
            assert!(deadline > now, "a driver would spin");
            assert!(deadline <= self.latest(), "beyond the whole patience");
            network.wake(self.socket, deadline);
        }
    }

    fn end(&mut self, now: Instant, result: Result<Vec<u8>, ExchangeError>) {
        assert_eq!(self.ended, None, "it ended twice");
        self.ended = Some((now, result));
        assert_eq!(self.exchange.poll_deadline(), None);
    }

    /// How long a try waits, the first being 0: each twice as long as the one before.
    pub(super) fn wait(&self, number: u32) -> Duration {
        (0..number).fold(self.config.timeout, |wait, _| wait * 2)
    }

    /// When its last try is over.
    pub(super) fn latest(&self) -> Instant {
        (0..=self.config.retries).fold(self.tries[0], |at, number| at + self.wait(number))
    }

    /// Whether it ended with this.
    pub(super) fn failed(&self, with: ExchangeError) -> bool {
        self.ended.as_ref().is_some_and(|(_, result)| *result == Err(with))
    }

    pub(super) fn succeeded(&self) -> bool {
        self.ended.as_ref().is_some_and(|(_, result)| result.is_ok())
    }
}
