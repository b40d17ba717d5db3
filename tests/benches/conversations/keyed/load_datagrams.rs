//! The load on a keyed datagram server: a window of sealed datagrams in flight.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use barewire_core::secure::{DatagramKey, REPLY_OVERHEAD, RequestId};
use chacha20::ChaCha8Rng;

use crate::exchange::Exchange;
use crate::key::{chance, key};
use crate::load_datagrams::{IN_FLIGHT, REPLY, REQUEST, Run, TRIES, connect};

/// As [`load_datagrams::run`](crate::load_datagrams::run), with [`IN_FLIGHT`] datagrams in flight, all sealed.
///
/// # Errors
///
/// As there; a reply that does not open, or that belongs to no request in flight, is another reply.
pub(super) fn run(server: SocketAddr, span: Duration) -> io::Result<Run> {
    let socket = connect(server)?;
    let mut asker = Asker {
        exchange: Exchange::connected(REQUEST),
        key: DatagramKey::new(&key()),
        random: chance(2),
        asked: VecDeque::new(),
    };
    let mut run = Run { replies: 0, lost: 0, elapsed: Duration::ZERO };
    let mut tries = 0;
    let started = Instant::now();
    asker.prepare(IN_FLIGHT);
    asker.exchange.send(&socket, IN_FLIGHT)?;
    while run.elapsed < span {
        match asker.exchange.receive(&socket) {
            Ok(count) => {
                for index in 0..count {
                    asker.check(index)?;
                }
                tries = 0;
                run.replies += count as u64;
                run.elapsed = started.elapsed();
                asker.prepare(count);
                asker.exchange.send(&socket, count)?;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && tries < TRIES => {
                tries += 1;
                run.lost += IN_FLIGHT as u64;
                asker.prepare(IN_FLIGHT);
                asker.exchange.send(&socket, IN_FLIGHT)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(run)
}

struct Asker {
    exchange: Exchange,
    key: DatagramKey,
    random: ChaCha8Rng,
    /// What is in flight, the oldest first.
    asked: VecDeque<RequestId>,
}

impl Asker {
    /// Seals the next `count` requests.
    fn prepare(&mut self, count: usize) {
        for index in 0..count {
            let mut sealed = [0; REQUEST.len() + REPLY_OVERHEAD];
            let request = self.key.seal_request(&mut self.random, REQUEST.as_bytes(), &mut sealed);
            let (id, sealed) = request.expect("there is room");
            self.asked.push_back(id);
            self.exchange.set(index, sealed);
        }
    }

    /// Takes a reply. Those that are asked for before it are lost.
    fn check(&mut self, index: usize) -> io::Result<()> {
        let datagram = self.exchange.datagram(index).to_vec();
        while let Some(id) = self.asked.pop_front() {
            if self.key.open_reply(id, &mut datagram.clone()) == Some(REPLY.as_bytes()) {
                return Ok(());
            }
        }
        Err(io::Error::other("a reply that does not open, or to nothing that was asked"))
    }
}
