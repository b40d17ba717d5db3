//! A peer played by a thread of the test.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::panic;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

use nix::sys::socket::{Shutdown, shutdown};

use super::{TIMEOUT, sockets};

/// A peer played by a thread. Its outcome is waited for with a bound, and its panic is the test's.
#[derive(Debug)]
pub struct Peer<T> {
    address: SocketAddr,
    outcome: Receiver<thread::Result<T>>,
}

impl<T: Send + 'static> Peer<T> {
    /// A TCP server that plays `script` with its first client, then is gone.
    pub fn tcp(script: impl FnOnce(TcpStream) -> T + Send + 'static) -> Self {
        Self::tcp_listener(|listener| {
            let (stream, _) = listener.accept().expect("a client");
            // To close it is not enough: until it executes its program, a process that another test
            // is starting has it as well, and lets the next client in.
            shutdown(listener.as_raw_fd(), Shutdown::Both).expect("it listens");
            drop(listener);
            script(sockets::with_timeouts(stream))
        })
    }

    /// A TCP server that plays `script` with a listening socket.
    pub fn tcp_listener(script: impl FnOnce(TcpListener) -> T + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        Self::start(address, move || script(listener))
    }

    /// A UDP server that plays `script` with a bound socket.
    pub fn udp(script: impl FnOnce(UdpSocket) -> T + Send + 'static) -> Self {
        let socket = sockets::datagram_socket("127.0.0.1");
        let address = socket.local_addr().expect("it is bound");
        Self::start(address, move || script(socket))
    }

    fn start(address: SocketAddr, script: impl FnOnce() -> T + Send + 'static) -> Self {
        let (sender, outcome) = mpsc::channel();
        thread::spawn(move || {
            // The receiver is gone only if the test is failing already.
            let _ = sender.send(panic::catch_unwind(panic::AssertUnwindSafe(script)));
        });
        Self { address, outcome }
    }

    /// Where it is reached, as an argument for a client.
    pub fn at(&self) -> String {
        self.address.to_string()
    }

    /// Where it is reached.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the script's end and gives what it found.
    #[track_caller]
    pub fn finish(self) -> T {
        match self.outcome.recv_timeout(TIMEOUT) {
            Ok(Ok(found)) => found,
            Ok(Err(cause)) => panic::resume_unwind(cause),
            Err(RecvTimeoutError::Timeout) => panic!("the peer waits for something in vain"),
            Err(RecvTimeoutError::Disconnected) => unreachable!("a script's panic is sent too"),
        }
    }
}
