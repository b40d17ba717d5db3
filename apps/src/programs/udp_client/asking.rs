//! One exchange, for which the addresses of the server race.

use std::io;
use std::net::SocketAddr;
use std::time::Instant as StdInstant;

use barewire_core::datagram::{Exchange, ExchangeConfig, ExchangeEvent};
use barewire_core::time::Duration;
use barewire_linux::datagrams::UdpClient;
use barewire_linux::dialer::{Race, Step};
use barewire_linux::executor::Context;

use super::sealing::{SealedRequest, Sealing};

/// So many datagrams that are no replies are looked at in a turn: a flood of them keeps no time-out waiting.
const FORGED_A_TURN: usize = 64;

/// What every address is asked, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) request: &'static [u8],
    pub(super) local: Option<SocketAddr>,
    pub(super) config: ExchangeConfig,
}

/// The exchange, until one of the addresses has replied or all have failed.
#[derive(Debug)]
pub(super) struct Asking {
    question: Question,
    race: Race,
    /// The oldest first.
    asked: Vec<Asked>,
    tried: usize,
    /// Why the last address that failed did.
    failure: Option<Unanswered>,
}

/// One address, and the exchange with it.
#[derive(Debug)]
struct Asked {
    socket: UdpClient,
    exchange: Exchange<'static>,
    /// With a key, what is sent in place of the exchange's request.
    sealed: Option<SealedRequest>,
    since: StdInstant,
}

/// The first reply; its bytes are in the buffer, as far as there was room.
#[derive(Debug)]
pub(super) struct Replied {
    pub(super) from: SocketAddr,
    /// The true length.
    pub(super) length: usize,
    pub(super) round_trip: Duration,
}

/// Why an address has not replied.
#[derive(Debug)]
pub(super) enum Unanswered {
    Unsent(io::Error),
    Unreachable(io::Error),
    TimedOut,
}

impl Asking {
    /// Asks `servers`, `preferred` first if it is one of them.
    pub(super) fn new(
        question: Question,
        servers: &[SocketAddr],
        preferred: Option<SocketAddr>,
    ) -> Self {
        let mut race = Race::new(servers, preferred, question.config.timeout);
        if question.local.is_some_and(|local| local.port() != 0) {
            // Only one socket can be bound there.
            race = race.one_at_a_time();
        }
        Self { question, race, asked: Vec::new(), tried: 0, failure: None }
    }

    /// How many addresses were asked.
    pub(super) fn tried(&self) -> usize {
        self.tried
    }

    /// Goes on as far as it can without waiting, and receives into `buffer`. It sets the task's deadline.
    pub(super) fn poll<W>(
        &mut self,
        cx: &mut Context<'_, W>,
        buffer: &mut [u8],
        sealing: &mut Option<Sealing>,
    ) -> nb::Result<Replied, Unanswered> {
        loop {
            let mut index = 0;
            while let Some(asked) = self.asked.get_mut(index) {
                match asked.advance(cx, buffer, sealing.as_mut()) {
                    Ok(replied) => return Ok(replied),
                    Err(nb::Error::WouldBlock) => index += 1,
                    Err(nb::Error::Other(why)) => {
                        self.asked.remove(index).socket.close(cx);
                        self.fail(index, why);
                    }
                }
            }
            match self.race.poll(cx.now()) {
                Step::Begin(server) => {
                    self.tried += 1;
                    match Asked::begin(server, &self.question, sealing.as_mut()) {
                        Ok(asked) => self.asked.push(asked),
                        Err(error) => self.fail(index, Unanswered::Unsent(error)),
                    }
                }
                Step::DropOldest => {
                    self.asked.remove(0).socket.close(cx);
                    self.failure = Some(Unanswered::TimedOut);
                }
                Step::Wait(next) => {
                    let deadlines = self.asked.iter().filter_map(|it| it.exchange.poll_deadline());
                    cx.set_deadline(deadlines.chain(next).min());
                    return Err(nb::Error::WouldBlock);
                }
                Step::Lost => {
                    let why = self.failure.take().unwrap_or(Unanswered::TimedOut);
                    return Err(nb::Error::Other(why));
                }
            }
        }
    }

    fn fail(&mut self, index: usize, why: Unanswered) {
        self.race.failed(index);
        self.failure = Some(why);
    }

    /// Closes the sockets.
    pub(super) fn close<W>(self, cx: &mut Context<'_, W>) {
        self.asked.into_iter().for_each(|asked| asked.socket.close(cx));
    }
}

impl Asked {
    fn begin(
        server: SocketAddr,
        question: &Question,
        sealing: Option<&mut Sealing>,
    ) -> io::Result<Self> {
        let socket = UdpClient::connect(server, question.local)?;
        let exchange = Exchange::new(socket.peer_addr(), question.request, question.config);
        let sealed = sealing.map(|sealing| sealing.seal(question.request));
        Ok(Self { socket, exchange, sealed, since: StdInstant::now() })
    }

    fn advance<W>(
        &mut self,
        cx: &mut Context<'_, W>,
        buffer: &mut [u8],
        mut sealing: Option<&mut Sealing>,
    ) -> nb::Result<Replied, Unanswered> {
        let mut forged = 0;
        loop {
            while let Ok(request) = self.exchange.poll_transmit() {
                let sealed = self.sealed.as_ref().map(|sealed| &*sealed.bytes);
                match self.socket.send(sealed.unwrap_or(request)) {
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                        return Err(nb::Error::Other(Unanswered::Unreachable(error)));
                    }
                    // A full send buffer loses the datagram, as the network might: the time-out sees
                    // to it.
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                        return Err(nb::Error::Other(Unanswered::Unsent(error)));
                    }
                    _ => self.exchange.transmitted(cx.now()),
                }
            }
            let received = match (&mut sealing, &self.sealed) {
                (Some(_), _) if forged == FORGED_A_TURN => {
                    cx.yield_now();
                    Err(nb::Error::WouldBlock)
                }
                (Some(sealing), Some(sealed)) => {
                    sealing.receive(cx, &mut self.socket, sealed, buffer)
                }
                _ => self.socket.recv(cx, buffer).map(Some),
            };
            let event = match received {
                Ok(Some(datagram)) => self.exchange.handle_datagram(cx.now(), datagram),
                Ok(None) => {
                    forged += 1;
                    continue;
                }
                Err(nb::Error::WouldBlock) => self.exchange.handle_timeout(cx.now()),
                Err(nb::Error::Other(error)) => {
                    return Err(nb::Error::Other(Unanswered::Unreachable(error)));
                }
            };
            match event {
                Ok(ExchangeEvent::Replied { reply, .. }) => {
                    let round_trip = self.since.elapsed().into();
                    return Ok(Replied { from: reply.source, length: reply.length, round_trip });
                }
                Ok(ExchangeEvent::Retrying { left }) => {
                    let server = self.exchange.server();
                    log::info!(
                        "no reply from {server}: trying again ({left} more tries after this)"
                    );
                }
                Ok(_) => {}
                Err(nb::Error::WouldBlock) => return Err(nb::Error::WouldBlock),
                Err(nb::Error::Other(_)) => return Err(nb::Error::Other(Unanswered::TimedOut)),
            }
        }
    }
}
