//! The load on a keyed hello server: a thread for each of the clients, which spend as much on the curve as the
//! server does. So it is the server's processor time that counts, not the rate.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use barewire_core::driver::{Driver, Step, Transport};
use barewire_core::secure::{Channel, ChannelConfig, Conversation, Secured};
use barewire_core::text::Text;
use barewire_core::{hello, nb, time};

use crate::key::{chance, key};
use crate::load_hello::{ANSWER, AT_ONCE};

/// What the server says, as barewire sends it by default.
const GREETING: &str = "你好";

/// A run in which nothing happens for so long has failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Holds handshakes for `span`, [`AT_ONCE`] at a time. Returns how many, and how long they took.
///
/// # Errors
///
/// A server that refuses, says anything but the greeting, or falls silent.
pub(super) fn run(server: SocketAddr, span: Duration) -> io::Result<(u64, Duration)> {
    let started = Instant::now();
    let client = |seed| {
        let mut random = chance(seed);
        let mut count = 0;
        while started.elapsed() < span {
            hold(server, &mut random)?;
            count += 1;
        }
        Ok(count)
    };
    let handshakes = thread::scope(|scope| {
        let clients: Vec<_> =
            (0..AT_ONCE as u64).map(|seed| scope.spawn(move || client(seed))).collect();
        let counts = clients.into_iter().map(|client| client.join().expect("it does not panic"));
        counts.sum::<io::Result<u64>>()
    })?;
    Ok((handshakes, started.elapsed()))
}

fn hold(server: SocketAddr, random: &mut chacha20::ChaCha8Rng) -> io::Result<()> {
    let stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let now = time::Instant::ZERO;
    let (mut receive, mut send) = ([0; 1024], [0; 256]);
    let config = ChannelConfig::new(Conversation::Hello);
    let mut channel = Channel::client(now, config, &key(), random, &mut receive, &mut send)
        .map_err(|error| io::Error::other(format!("{error:?}")))?;
    let answer = Text::new(ANSWER).map_err(|error| io::Error::other(format!("{error:?}")))?;
    let mut session = hello::Client::<64>::new(now, answer, hello::HandshakeConfig::default());
    let mut session = Secured { session: &mut session, channel: &mut channel };
    let mut transport = Blocking { stream, received: Vec::new(), has_ended: false };
    let (mut driver, mut is_greeted) = (Driver::new(), false);
    loop {
        let step = driver.step(now, &mut session, &mut transport, |text: Text<'_>| {
            is_greeted = text.to_str() == Ok(GREETING);
            ControlFlow::Continue(())
        });
        match step {
            Step::Over(Ok(())) if is_greeted => {}
            Step::Over(over) => return Err(io::Error::other(format!("{over:?}, {is_greeted}"))),
            Step::Wait(_) => transport.wait()?,
            Step::Close | Step::Reset => return Ok(()),
        }
    }
}

struct Blocking {
    stream: TcpStream,
    received: Vec<u8>,
    has_ended: bool,
}

impl Blocking {
    fn wait(&mut self) -> io::Result<()> {
        if self.has_ended || !self.received.is_empty() {
            return Err(ErrorKind::Deadlock.into());
        }
        let mut buffer = [0; 1024];
        let count = self.stream.read(&mut buffer)?;
        self.received.extend_from_slice(&buffer[..count]);
        self.has_ended = count == 0;
        Ok(())
    }
}

impl Transport for Blocking {
    type Error = io::Error;

    fn receive(&mut self) -> nb::Result<&[u8], io::Error> {
        if self.received.is_empty() && !self.has_ended {
            return Err(nb::Error::WouldBlock);
        }
        Ok(&self.received)
    }

    fn consume(&mut self, count: usize) {
        self.received.drain(..count);
    }

    fn send(&mut self, head: &[u8], _tail: &[u8], _more: bool) -> nb::Result<usize, io::Error> {
        self.stream.write(head).map_err(nb::Error::Other)
    }

    fn shut_down(&mut self) -> nb::Result<(), io::Error> {
        self.stream.shutdown(Shutdown::Write).map_err(nb::Error::Other)
    }
}
