//! Somebody on the way between clients and a server, who has no key: reads all that goes by, and does
//! with it what a test says.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::wire::{Messages, Side};
use crate::harness::sockets::{self, uninterrupted, with_timeouts};

/// A message that goes by.
#[derive(Clone, Debug)]
pub struct Message {
    /// Of which connection: 0 is the first.
    pub connection: usize,
    /// Who sent it.
    pub from: Side,
    /// Which of those of that side: 0 is its part of the handshake, 1 its first record.
    pub number: usize,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// What is done with a message.
#[derive(Debug)]
pub enum Verdict {
    /// This comes instead, were it nothing.
    Pass(Vec<u8>),
    /// This comes instead, and then the stream's end (FIN). What else its side says is not passed on.
    End(Vec<u8>),
}

/// Stands between clients and a server, to which each is a source of its own.
#[derive(Debug)]
pub struct Interceptor {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What has gone by of a connection, before it was tampered with.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    client: Vec<u8>,
    server: Vec<u8>,
}

struct Shared {
    server: SocketAddr,
    source: Ipv4Addr,
    over: AtomicBool,
    tamper: Mutex<Box<Tamper>>,
    recordings: Mutex<Vec<Recording>>,
}

type Tamper = dyn FnMut(Message) -> Verdict + Send;

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Recording {
    /// All that a side has sent.
    pub fn of(&self, side: Side) -> &[u8] {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// The same, a message at a time.
    pub fn messages(&self, side: Side) -> Vec<Vec<u8>> {
        let mut messages = Messages::of(side);
        messages.push(self.of(side));
        messages.collect()
    }
}

impl Interceptor {
    /// Takes a free port, and does with each message what `tamper` says.
    pub fn start(
        server: SocketAddr,
        tamper: impl FnMut(Message) -> Verdict + Send + 'static,
    ) -> Self {
        static SOURCE: AtomicU16 = AtomicU16::new(1);
        let [high, low] = SOURCE.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            server,
            source: Ipv4Addr::new(127, 66, high, low),
            over: AtomicBool::new(false),
            tamper: Mutex::new(Box::new(tamper)),
            recordings: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.over.load(Ordering::Relaxed) {
                    return;
                }
                // A client that is gone already is none.
                let Ok(client) = client else { continue };
                accepting.begin(&with_timeouts(client));
            }
        });
        Self { address, shared }
    }

    /// Only reads.
    pub fn reading(server: SocketAddr) -> Self {
        Self::start(server, |message| Verdict::Pass(message.bytes))
    }

    /// Where it is reached, as an argument for a client.
    pub fn at(&self) -> String {
        self.address.to_string()
    }

    /// What has gone by, connection by connection.
    pub fn recordings(&self) -> Vec<Recording> {
        self.shared.recordings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Interceptor {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn begin(self: &Arc<Self>, client: &TcpStream) {
        let connection = {
            let mut recordings = self.recordings.lock().unwrap_or_else(PoisonError::into_inner);
            recordings.push(Recording::default());
            recordings.len() - 1
        };
        let server = sockets::connect_from(self.source, self.server);
        for from in Side::BOTH {
            let (shared, client, server) = (Arc::clone(self), copy(client), copy(&server));
            thread::spawn(move || match from {
                Side::Client => shared.carry(connection, from, client, server),
                Side::Server => shared.carry(connection, from, server, client),
            });
        }
    }

    fn carry(&self, connection: usize, from: Side, mut source: TcpStream, mut target: TcpStream) {
        let mut messages = Messages::of(from);
        let mut buffer = vec![0; 64 * 1024];
        let (mut number, mut has_ended) = (0, false);
        loop {
            let count = match uninterrupted(|| source.read(&mut buffer)) {
                Ok(0) => break,
                Ok(count) => count,
                Err(_) => return sockets::reset(target),
            };
            self.record(connection, from, &buffer[..count]);
            messages.push(&buffer[..count]);
            while let (false, Some(bytes)) = (has_ended, messages.next()) {
                let message = Message { connection, from, number, bytes };
                let verdict = self.tamper.lock().unwrap_or_else(PoisonError::into_inner)(message);
                number += 1;
                let bytes = match verdict {
                    Verdict::Pass(bytes) => bytes,
                    Verdict::End(bytes) => {
                        has_ended = true;
                        bytes
                    }
                };
                if target.write_all(&bytes).is_err() {
                    // Gone, and what its peer says is for nobody.
                    return sockets::reset(source);
                }
                if has_ended {
                    let _ = target.shutdown(Shutdown::Write);
                }
            }
        }
        if !has_ended {
            let _ = target.write_all(messages.rest());
            let _ = target.shutdown(Shutdown::Write);
        }
    }

    fn record(&self, connection: usize, from: Side, bytes: &[u8]) {
        let mut recordings = self.recordings.lock().unwrap_or_else(PoisonError::into_inner);
        let recording = &mut recordings[connection];
        match from {
            Side::Client => &mut recording.client,
            Side::Server => &mut recording.server,
        }
        .extend_from_slice(bytes);
    }
}

fn copy(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a copy")
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::SocketAddr;

    use barewire_core::secure::Conversation;

    use super::{Interceptor, Side, Verdict};
    use crate::harness::Peer;
    use crate::harness::keyed::KeyedStream;

    const KEY: [u8; 32] = [7; 32];

    /// What a client that is answered with `hello` hears through somebody who does that with each record.
    fn heard(tamper: fn(Vec<u8>) -> Verdict) -> (Result<String, std::io::Error>, Vec<usize>) {
        let server = Peer::tcp(|stream| {
            let mut stream = KeyedStream::server(stream, Conversation::Hello, &KEY).unwrap();
            // The client may have heard enough.
            let _ = stream.write_all(b"hello");
            stream.finish();
        });
        let way = Interceptor::start(server.address(), move |message| match message.from {
            Side::Server if message.number > 0 => tamper(message.bytes),
            _ => Verdict::Pass(message.bytes),
        });
        let address: SocketAddr = way.at().parse().unwrap();
        let mut client = KeyedStream::connect(address, Conversation::Hello, &KEY);
        let mut text = String::new();
        let result = client.read_to_string(&mut text).map(|_| text);
        server.finish();
        let messages = way.recordings()[0].messages(Side::Server);
        (result, messages.iter().map(Vec::len).collect())
    }

    #[test]
    fn what_goes_by_is_recorded_and_comes_as_the_test_says() {
        let (text, lengths) = heard(Verdict::Pass);
        assert_eq!((text.unwrap().as_str(), &lengths[..]), ("hello", &[50, 24, 19][..]));
        for tamper in [
            |mut bytes: Vec<u8>| {
                bytes[5] ^= 1;
                Verdict::Pass(bytes)
            },
            |bytes: Vec<u8>| Verdict::End(bytes[..5].to_vec()),
            |_| Verdict::Pass(Vec::new()),
        ] {
            let (text, lengths) = heard(tamper);
            assert!(text.is_err(), "{text:?}");
            assert_eq!(lengths[..2], [50, 24]);
        }
    }
}
