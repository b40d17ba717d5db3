//! A stretch of bad network: what a server says passes through, counted, until it breaks.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::TIMEOUT;
use super::sockets::{self, uninterrupted, with_timeouts};

/// What happens to a connection, by how many bytes the client has been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is closed in order.
    Close(u64),
    /// It is reset.
    Reset(u64),
    /// The byte at that place has one bit changed.
    Flip(u64),
    /// No more comes, and nothing ends. [`Proxy::stalled`] tells when.
    Stall(u64),
    /// No more comes until [`Proxy::let_go`], and then the rest. [`Proxy::stalled`] tells when.
    Pause(u64),
}

/// Stands between clients and a server.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stalled: Receiver<Held>,
    held: Mutex<Vec<Held>>,
}

/// What waits to be let go.
#[derive(Debug)]
enum Held {
    Stalled(TcpStream),
    /// The thread that would go on waits for the other end.
    Paused(Sender<()>),
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    over: AtomicBool,
    /// What is to happen to the connections to come; nothing to those behind.
    faults: Mutex<VecDeque<Fault>>,
    /// How many bytes the client of each connection was sent.
    carried: Mutex<Vec<u64>>,
}

impl Proxy {
    /// Takes a free port, and breaks the first connections by `faults`, one each.
    pub fn start(server: SocketAddr, faults: &[Fault]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            server,
            over: AtomicBool::new(false),
            faults: Mutex::new(faults.iter().copied().collect()),
            carried: Mutex::default(),
        });
        let (sender, stalled) = mpsc::channel();
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.over.load(Ordering::Relaxed) {
                    return;
                }
                // A client that is gone already is none.
                let Ok(client) = client else { continue };
                accepting.begin(with_timeouts(client), sender.clone());
            }
        });
        Self { address, shared, stalled, held: Mutex::default() }
    }

    /// Where it is reached, as an argument for a client.
    pub fn at(&self) -> String {
        self.address.to_string()
    }

    /// Breaks the next connection.
    pub fn add(&self, fault: Fault) {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    /// Waits until a connection has come to its [`Fault::Stall`], and the client's system has all before it.
    #[track_caller]
    pub fn stalled(&self) {
        let held = self.stalled.recv_timeout(TIMEOUT).expect("so many bytes in time");
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(held);
    }

    /// Closes what has stalled, and lets go on what has paused.
    pub fn let_go(&self) {
        for held in self.held.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            match held {
                Held::Stalled(client) => drop(client.shutdown(Shutdown::Both)),
                // The connection may be over by then.
                Held::Paused(thread) => drop(thread.send(())),
            }
        }
    }

    /// How many bytes each connection has carried to its client.
    pub fn carried(&self) -> Vec<u64> {
        self.shared.carried.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn begin(self: &Arc<Self>, client: TcpStream, stalled: Sender<Held>) {
        let fault = self.faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let number = {
            let mut carried = self.carried.lock().unwrap_or_else(PoisonError::into_inner);
            carried.push(0);
            carried.len() - 1
        };
        let Ok(server) = TcpStream::connect(self.server) else { return sockets::reset(client) };
        let server = with_timeouts(server);
        let (from, to) = (client.try_clone().expect("a copy"), server.try_clone().expect("a copy"));
        thread::spawn(move || upward(from, &to));
        let shared = Arc::clone(self);
        thread::spawn(move || shared.downward(number, fault, server, client, &stalled));
    }

    fn downward(
        &self,
        number: usize,
        mut fault: Option<Fault>,
        mut server: TcpStream,
        mut client: TcpStream,
        stalled: &Sender<Held>,
    ) {
        let mut buffer = vec![0; 64 * 1024];
        let mut at = 0;
        loop {
            let end = match fault {
                Some(
                    Fault::Close(end) | Fault::Reset(end) | Fault::Stall(end) | Fault::Pause(end),
                ) => end,
                Some(Fault::Flip(_)) | None => u64::MAX,
            };
            if let Some(Fault::Pause(end)) = fault
                && end == at
            {
                fault = None;
                sockets::wait_until_delivered(&client);
                let (let_go, word) = mpsc::channel();
                let _ = stalled.send(Held::Paused(let_go));
                // The proxy may be gone instead.
                let _ = word.recv();
                continue;
            }
            let room = usize::try_from(end - at).map_or(buffer.len(), |n| n.min(buffer.len()));
            if room == 0 {
                break;
            }
            let count = match uninterrupted(|| server.read(&mut buffer[..room])) {
                Ok(0) => {
                    let _ = client.shutdown(Shutdown::Write);
                    return;
                }
                Ok(count) => count,
                Err(_) => return sockets::reset(client),
            };
            if let Some(Fault::Flip(place)) = fault
                && let Some(within) = place.checked_sub(at).and_then(|n| usize::try_from(n).ok())
                && within < count
            {
                buffer[within] ^= 0x10;
            }
            at += count as u64;
            // Before: who has all of it may ask at once how much it was.
            self.carried.lock().unwrap_or_else(PoisonError::into_inner)[number] = at;
            if client.write_all(&buffer[..count]).is_err() {
                let _ = server.shutdown(Shutdown::Both);
                return;
            }
        }
        match fault {
            Some(Fault::Stall(_)) => {
                sockets::wait_until_delivered(&client);
                // The test may be over by then.
                let _ = stalled.send(Held::Stalled(client));
                return;
            }
            Some(Fault::Reset(_)) => sockets::reset(client),
            _ => {
                let _ = client.shutdown(Shutdown::Both);
            }
        }
        let _ = server.shutdown(Shutdown::Both);
    }
}

/// Passes on what the client says, and its end.
fn upward(mut client: TcpStream, mut server: &TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = uninterrupted(|| client.read(&mut buffer)) {
        if server.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}
