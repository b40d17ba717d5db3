//! Sockets that listen, serve, close, and listen again: several for each service, so that one
//! client that lingers keeps nobody out.

use core::mem;

use barewire_core::secure::Conversation;
use barewire_core::time::{Duration, Instant};
use barewire_smoltcp::{Connection, time};
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, State};
use smoltcp::wire::IpEndpoint;

use crate::log::info;
use crate::security::{Link, Security};

/// How long nothing may come from a peer before it is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// How long a peer may leave that, or what was sent, unanswered before it is taken for lost.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What is served on a port.
pub trait Service {
    /// What there is to know of one connection: its session, for most.
    type Peer;

    /// Which conversation it is.
    const CONVERSATION: Conversation;

    /// A client has connected, and has the key, if there is one. `None`: there is no room for it, and its
    /// connection is reset.
    fn open(&mut self, now: Instant, client: IpEndpoint) -> Option<Self::Peer>;

    /// Gives one connection a turn; tells whether it goes on. When it does not, the conversation
    /// is over.
    fn serve(
        &mut self,
        peer: &mut Self::Peer,
        link: &mut impl Link,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> bool;

    /// Whether all connections are to have another turn at once, rather than when something happens.
    fn has_more(&mut self) -> bool {
        false
    }
}

/// A service on `N` sockets of one port, held under `K`.
#[derive(Debug)]
pub struct Server<S: Service, K: Security, const N: usize> {
    service: S,
    port: u16,
    slots: [Slot<S::Peer, K::Link>; N],
}

/// One socket and what it is at.
#[derive(Debug)]
struct Slot<V, L> {
    handle: SocketHandle,
    stage: Stage<V, L>,
}

#[derive(Debug)]
enum Stage<V, L> {
    /// For a client.
    Waiting,
    /// For it to show that it has the key.
    Opening(L, IpEndpoint),
    Serving(L, V),
    /// The conversation is over.
    Closing(Connection),
}

impl<S: Service, K: Security, const N: usize> Server<S, K, N> {
    /// Serves on `port`, by these sockets.
    pub fn new(service: S, port: u16, handles: [SocketHandle; N]) -> Self {
        let slots = handles.map(|handle| Slot { handle, stage: Stage::Waiting });
        Self { service, port, slots }
    }

    /// What is served.
    pub fn service(&mut self) -> &mut S {
        &mut self.service
    }

    /// Gives every connection a turn. Tells whether there should be another at once.
    pub fn turn(&mut self, security: &mut K, sockets: &mut SocketSet<'_>, now: Instant) -> bool {
        for slot in &mut self.slots {
            let socket = sockets.get_mut(slot.handle);
            slot.turn(&mut self.service, security, self.port, socket, now);
        }
        self.service.has_more()
    }
}

impl<V, L: Link> Slot<V, L> {
    fn turn<S: Service<Peer = V>, K: Security<Link = L>>(
        &mut self,
        service: &mut S,
        security: &mut K,
        port: u16,
        socket: &mut Socket<'_>,
        now: Instant,
    ) {
        if let Stage::Waiting = self.stage {
            self.accept(security, S::CONVERSATION, port, socket, now);
        }
        if let Stage::Opening(link, client) = &mut self.stage {
            let client = *client;
            match link.open(now, socket) {
                Ok(()) => self.begin(service, security, client, socket, now),
                Err(nb::Error::WouldBlock) => {}
                Err(nb::Error::Other(error)) => {
                    info!("{}: {}", client, error);
                    self.close(security);
                }
            }
        }
        if let Stage::Serving(link, peer) = &mut self.stage
            && !service.serve(peer, link, socket, now)
        {
            self.close(security);
        }
        if let Stage::Closing(connection) = &mut self.stage
            && connection.finish(now, socket).is_none()
        {
            self.stage = Stage::Waiting;
            listen(socket, port);
        }
    }

    fn accept<K: Security<Link = L>>(
        &mut self,
        security: &mut K,
        conversation: Conversation,
        port: u16,
        socket: &mut Socket<'_>,
        now: Instant,
    ) {
        match (socket.state(), socket.remote_endpoint()) {
            (State::SynReceived, _) => {}
            (_, Some(client)) => {
                self.stage = if let Some(link) = security.serve(now, conversation) {
                    Stage::Opening(link, client)
                } else {
                    socket.abort();
                    Stage::Closing(Connection::new())
                };
            }
            // Not yet, or gone before its turn came.
            (_, None) => listen(socket, port),
        }
    }

    /// The client may take part.
    fn begin<S: Service<Peer = V>, K: Security<Link = L>>(
        &mut self,
        service: &mut S,
        security: &mut K,
        client: IpEndpoint,
        socket: &mut Socket<'_>,
        now: Instant,
    ) {
        let Some(peer) = service.open(now, client) else {
            socket.abort();
            return self.close(security);
        };
        if let Stage::Opening(link, _) = mem::replace(&mut self.stage, Stage::Waiting) {
            self.stage = Stage::Serving(link, peer);
        }
    }

    /// The conversation is over.
    fn close<K: Security<Link = L>>(&mut self, security: &mut K) {
        self.stage = match mem::replace(&mut self.stage, Stage::Waiting) {
            Stage::Opening(link, _) | Stage::Serving(link, _) => Stage::Closing(security.end(link)),
            stage => stage,
        };
    }
}

/// Waits for a client.
fn listen(socket: &mut Socket<'_>, port: u16) {
    if socket.listen(port).is_ok() {
        // A line leaves at once, also while the one before is unacknowledged.
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        socket.set_keep_alive(Some(time::to_duration(KEEP_ALIVE)));
        socket.set_timeout(Some(time::to_duration(TIMEOUT)));
    }
}
