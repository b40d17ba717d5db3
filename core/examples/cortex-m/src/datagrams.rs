//! The datagram exchange, both sides of it.

use core::net::{SocketAddr, SocketAddrV4};
use core::slice;

use barewire_core::datagram::{
    Action, Datagram, DropReason, Exchange, ExchangeConfig, ExchangeError, ExchangeEvent, HashKey,
    Reply, Responder, ResponderConfig,
};
use barewire_core::time::Instant;
use smoltcp::socket::udp::{BindError, Socket, UdpMetadata};

use crate::log::info;

/// How many datagrams are taken in one turn.
const DATAGRAMS: usize = 8;

/// How many sources are kept count of in a second.
const SOURCES: usize = 16;

/// How many ports of sources can be muted.
const MUTES: usize = 8;

/// Answers every datagram with the same text.
#[derive(Debug)]
pub struct Answerer {
    reply: &'static [u8],
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
        Ok(Self { reply, responder })
    }

    /// Answers what has come.
    pub fn turn(&mut self, socket: &mut Socket<'_>, now: Instant) {
        for _ in 0..DATAGRAMS {
            // A datagram is taken once there is room for its answer.
            if !socket.can_send() {
                break;
            }
            let Ok((bytes, meta)) = socket.recv() else { break };
            let datagram = Datagram::whole(source(&meta), bytes);
            match self.responder.handle_datagram(now, datagram) {
                Action::Reply(_) => info!("{}: {}", meta.endpoint, datagram.printable()),
                Action::Drop(DropReason::MutedNow) => {
                    info!("{} is muted: too many datagrams", meta.endpoint);
                    continue;
                }
                _ => continue,
            }
            // From the address that was asked, which is among what was received with the datagram.
            let _ = socket.send_slice(self.reply, meta);
        }
    }
}

/// Sends one datagram, and waits for its reply.
#[derive(Debug)]
pub struct Asker<'t> {
    server: SocketAddrV4,
    exchange: Exchange<'t>,
}

impl<'t> Asker<'t> {
    /// Asks `server` from `port`, which should be another each time.
    ///
    /// # Errors
    /// The socket's own: it is bound already, or the port is 0.
    pub fn new(
        socket: &mut Socket<'_>,
        port: u16,
        server: SocketAddrV4,
        text: &'t [u8],
    ) -> Result<Self, BindError> {
        socket.bind(port)?;
        Ok(Self { server, exchange: Exchange::new(server.into(), text, ExchangeConfig::default()) })
    }

    /// Gives the exchange a turn.
    ///
    /// # Errors
    /// `WouldBlock`: it goes on. [`ExchangeError`]: it has failed.
    pub fn turn(&mut self, socket: &mut Socket<'_>, now: Instant) -> nb::Result<(), ExchangeError> {
        while let Ok(request) = self.exchange.poll_transmit() {
            // What finds no room is lost, as it may be anywhere on the way.
            let _ = socket.send_slice(request, self.server);
            self.exchange.transmitted(now);
        }
        while let Ok((bytes, meta)) = socket.recv() {
            let datagram = Datagram::whole(source(&meta), bytes);
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
