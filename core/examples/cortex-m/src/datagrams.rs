//! The datagram exchange, both sides of it.

use core::net::{SocketAddr, SocketAddrV4};
use core::slice;

use barewire_core::datagram::{
    Action, Datagram, DropReason, Exchange, ExchangeConfig, ExchangeError, ExchangeEvent, HashKey,
    Reply, Responder, ResponderConfig,
};
use barewire_core::secure::RequestId;
use barewire_core::time::Instant;
use smoltcp::socket::udp::{BindError, Socket, UdpMetadata};

use crate::log::info;
use crate::security::{Answered, Security};

/// How many datagrams are taken in one turn.
const DATAGRAMS: usize = 8;

/// How many sources are kept count of in a second.
const SOURCES: usize = 16;

/// How many ports of sources can be muted.
const MUTES: usize = 8;

/// The room for what is made of a datagram under a key: the request and its reply; longer ones are not
/// answered.
const SEALED: usize = 512;

/// Answers every datagram with the same text.
#[derive(Debug)]
pub struct Answerer {
    reply: &'static [u8],
    buffer: [u8; SEALED],
    responder: Responder<'static, SOURCES, MUTES>,
}

impl Answerer {
    /// Answers with `reply` on `port`, with a key that nobody foresees.
    ///
    /// # Errors
    /// The socket's own: it is bound already, or the port is 0.
    pub fn new(
        socket: &mut Socket<'_>,
        port: &'static u16,
        reply: &'static [u8],
        key: HashKey,
    ) -> Result<Self, BindError> {
        socket.bind(*port)?;
        let (ports, reply_text) = (slice::from_ref(port), Reply::Text(reply));
        let responder = Responder::new(ports, reply_text, key, ResponderConfig::new());
        Ok(Self { reply, buffer: [0; SEALED], responder })
    }

    /// Answers what has come.
    pub fn turn(&mut self, security: &mut impl Security, socket: &mut Socket<'_>, now: Instant) {
        for _ in 0..DATAGRAMS {
            // A datagram is taken once there is room for its answer.
            if !socket.can_send() {
                break;
            }
            let Ok((bytes, meta)) = socket.recv() else { break };
            let datagram = Datagram::whole(source(&meta), bytes);
            match self.responder.handle_datagram(now, datagram) {
                Action::Reply(_) => {}
                Action::Drop(DropReason::MutedNow) => {
                    info!("{} is muted: too many datagrams", meta.endpoint);
                    continue;
                }
                _ => continue,
            }
            let answered = security.answer(bytes, self.reply, &mut self.buffer);
            let Some(Answered { request, reply }) = answered else { continue };
            info!("{}: {}", meta.endpoint, Datagram::whole(source(&meta), request).printable());
            // From the address that was asked, which is among what was received with the datagram.
            let _ = socket.send_slice(reply, meta);
        }
    }
}

/// Sends one datagram, and waits for its reply.
#[derive(Debug)]
pub struct Asker<'t> {
    server: SocketAddrV4,
    asked: Option<RequestId>,
    exchange: Exchange<'t>,
}

impl<'t> Asker<'t> {
    /// Asks `server` from `port`, which should be another each time, by a request that was
    /// [made](Security::ask).
    ///
    /// # Errors
    /// The socket's own: it is bound already, or the port is 0.
    pub fn new(
        socket: &mut Socket<'_>,
        port: u16,
        server: SocketAddrV4,
        (asked, request): (Option<RequestId>, &'t [u8]),
    ) -> Result<Self, BindError> {
        socket.bind(port)?;
        let exchange = Exchange::new(server.into(), request, ExchangeConfig::default());
        Ok(Self { server, asked, exchange })
    }

    /// Gives the exchange a turn.
    ///
    /// # Errors
    /// `WouldBlock`: it goes on. [`ExchangeError`]: it has failed.
    pub fn turn(
        &mut self,
        security: &impl Security,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> nb::Result<(), ExchangeError> {
        let mut buffer = [0; SEALED];
        while let Ok(request) = self.exchange.poll_transmit() {
            // What finds no room is lost, as it may be anywhere on the way.
            let _ = socket.send_slice(request, self.server);
            self.exchange.transmitted(now);
        }
        while let Ok((bytes, meta)) = socket.recv() {
            let Some(reply) = security.reply(self.asked, bytes, &mut buffer) else { continue };
            let datagram = Datagram::whole(source(&meta), reply);
            let event = self.exchange.handle_datagram(now, datagram);
            if let Ok(ExchangeEvent::Replied { reply, round_trip }) = event {
                let micros = round_trip.as_micros();
                info!("reply: {} after {} µs", reply.printable(), micros);
                return Ok(());
            }
        }
        match self.exchange.handle_timeout(now) {
            Ok(_) => Err(nb::Error::WouldBlock),
            Err(error) => Err(error),
        }
    }
}

/// Who sent it.
fn source(meta: &UdpMetadata) -> SocketAddr {
    SocketAddr::new(meta.endpoint.addr.into(), meta.endpoint.port)
}
