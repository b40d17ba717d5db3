//! Sockets that listen, serve, close, and listen again: several for each service, so that one
//! client that lingers keeps nobody out.

use core::mem;

use barewire_core::time::{Duration, Instant};
use barewire_smoltcp::{Connection, time};
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, State};
use smoltcp::wire::IpEndpoint;

/// How long nothing may come from a peer before it is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// How long a peer may leave that, or what was sent, unanswered before it is taken for lost.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What is served on a port.
pub trait Service {
    /// What there is to know of one connection: its session, for most.
    type Peer;

    /// A client has connected. `None`: there is no room for it, and its connection is reset.
    fn open(&mut self, now: Instant, client: IpEndpoint) -> Option<Self::Peer>;

    /// Gives one connection a turn; tells whether it goes on. When it does not, the conversation
    /// is over.
    fn serve(
        &mut self,
        peer: &mut Self::Peer,
        connection: &mut Connection,
        socket: &mut Socket<'_>,
        now: Instant,
    ) -> bool;

    /// Whether all connections are to have another turn at once, rather than when something happens.
    fn has_more(&mut self) -> bool {
        false
    }
}

/// A service on `N` sockets of one port.
#[derive(Debug)]
pub struct Server<S: Service, const N: usize> {
    service: S,
    port: u16,
    slots: [Slot<S::Peer>; N],
}

/// One socket and what it is at.
#[derive(Debug)]
struct Slot<V> {
    handle: SocketHandle,
    stage: Stage<V>,
}

#[derive(Debug)]
enum Stage<V> {
    /// For a client.
    Waiting,
    Serving(Connection, V),
    /// The conversation is over.
    Closing(Connection),
}

impl<S: Service, const N: usize> Server<S, N> {
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
    pub fn turn(&mut self, sockets: &mut SocketSet<'_>, now: Instant) -> bool {
        for slot in &mut self.slots {
            slot.turn(&mut self.service, self.port, sockets.get_mut(slot.handle), now);
        }
        self.service.has_more()
    }
}

impl<V> Slot<V> {
    fn turn<S>(&mut self, service: &mut S, port: u16, socket: &mut Socket<'_>, now: Instant)
    where
        S: Service<Peer = V>,
    {
        if let Stage::Waiting = self.stage {
            self.accept(service, port, socket, now);
        }
        if let Stage::Serving(connection, peer) = &mut self.stage
            && !service.serve(peer, connection, socket, now)
        {
            self.stage = Stage::Closing(mem::take(connection));
        }
        if let Stage::Closing(connection) = &mut self.stage
            && connection.finish(now, socket)
        {
            self.stage = Stage::Waiting;
            listen(socket, port);
        }
    }

    fn accept<S>(&mut self, service: &mut S, port: u16, socket: &mut Socket<'_>, now: Instant)
    where
        S: Service<Peer = V>,
    {
        match (socket.state(), socket.remote_endpoint()) {
            (State::SynReceived, _) => {}
            (_, Some(client)) => {
                self.stage = if let Some(peer) = service.open(now, client) {
                    Stage::Serving(Connection::new(), peer)
                } else {
                    socket.abort();
                    Stage::Closing(Connection::new())
                };
            }
            // Not yet, or gone before its turn came.
            (_, None) => listen(socket, port),
        }
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
