//! Somebody on the way of datagrams, who has no key.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::wire::Side;
use crate::harness::sockets::{asking_socket, datagram_socket, uninterrupted};

/// A datagram that goes by.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// Who sent it.
    pub from: Side,
    /// Which of those of that side: 0 is the first.
    pub number: usize,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// Stands between a client and a server of datagrams. It is one source to the server, and goes with the
/// test.
#[derive(Debug)]
pub struct DatagramInterceptor {
    address: SocketAddr,
    recorded: Arc<Mutex<Vec<Datagram>>>,
}

/// What comes instead of a datagram, were it nothing.
type Tamper = dyn FnMut(Datagram) -> Vec<Vec<u8>> + Send;

struct Shared {
    /// What clients send to, and the last of them that did.
    front: UdpSocket,
    client: Mutex<Option<SocketAddr>>,
    /// What speaks to the server.
    back: UdpSocket,
    tamper: Mutex<Box<Tamper>>,
    recorded: Arc<Mutex<Vec<Datagram>>>,
}

impl DatagramInterceptor {
    /// Takes a free port, and sends on what `tamper` makes of each datagram.
    pub fn start(
        server: SocketAddr,
        tamper: impl FnMut(Datagram) -> Vec<Vec<u8>> + Send + 'static,
    ) -> Self {
        let (front, back) = (datagram_socket("127.0.0.1"), asking_socket("127.0.0.1", server));
        back.connect(server).expect("loopback is there");
        let address = front.local_addr().expect("it is bound");
        let recorded = Arc::default();
        let shared = Arc::new(Shared {
            front,
            client: Mutex::default(),
            back,
            tamper: Mutex::new(Box::new(tamper)),
            recorded: Arc::clone(&recorded),
        });
        for from in Side::BOTH {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.carry(from));
        }
        Self { address, recorded }
    }

    /// Only reads.
    pub fn reading(server: SocketAddr) -> Self {
        Self::start(server, |datagram| vec![datagram.bytes])
    }

    /// Where it is reached, as an argument for a client.
    pub fn at(&self) -> String {
        self.address.to_string()
    }

    /// What has gone by, before it was tampered with.
    pub fn recorded(&self) -> Vec<Datagram> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    /// Until a socket's time-out.
    fn carry(&self, from: Side) {
        let mut buffer = vec![0; 64 * 1024];
        for number in 0.. {
            let received = match from {
                Side::Client => uninterrupted(|| self.front.recv_from(&mut buffer)),
                Side::Server => uninterrupted(|| self.back.recv_from(&mut buffer)),
            };
            let Ok((count, source)) = received else { return };
            if from == Side::Client {
                *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
            }
            let datagram = Datagram { from, number, bytes: buffer[..count].to_vec() };
            self.recorded.lock().unwrap_or_else(PoisonError::into_inner).push(datagram.clone());
            let made = self.tamper.lock().unwrap_or_else(PoisonError::into_inner)(datagram);
            let client = *self.client.lock().unwrap_or_else(PoisonError::into_inner);
            for bytes in made {
                // Who is gone meanwhile gets nothing.
                let _ = match (from, client) {
                    (Side::Client, _) => self.back.send(&bytes),
                    (Side::Server, Some(client)) => self.front.send_to(&bytes, client),
                    (Side::Server, None) => return,
                };
            }
        }
    }
}
