//! Peers of all kinds, one after another.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use barewire_tests::harness::TIMEOUT;
use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::sockets::{
    asking_socket, connect_from, datagram_socket, read_line, read_to_end, reset,
};
use fastrand::Rng;

/// The pause behind each, on average.
const PAUSE: Duration = Duration::from_millis(20);

/// So many are kept that say no more, or never did.
const HELD: usize = 100;

/// The size of a file that is fetched whole.
pub(crate) const MIDDLE: usize = 300_000;

/// So many at once are a flood.
const FLOOD: usize = 20;

/// The load of one server.
pub(crate) struct Load {
    program: &'static str,
    server: SocketAddr,
    rng: Rng,
    held: Vec<TcpStream>,
    /// Members of the room who speak now and then.
    members: Vec<TcpStream>,
}

impl Load {
    /// Begins with a conversation, behind which the server is all there.
    pub(crate) fn new(program: &'static str, server: SocketAddr) -> Self {
        let (held, members) = (Vec::new(), Vec::new());
        let seed = fastrand::u64(..);
        println!("{program}: seed {seed}");
        let mut load = Self { program, server, rng: Rng::with_seed(seed), held, members };
        load.honest();
        load
    }

    /// Plays peers until it has `ended`. Gives how many that were.
    pub(crate) fn run(mut self, ended: &AtomicBool) -> u64 {
        let mut count = 0;
        while !ended.load(Ordering::Relaxed) {
            if self.program == "udp-server" {
                self.datagrams();
            } else {
                self.stream();
            }
            count += 1;
            thread::sleep(PAUSE * self.rng.u32(0..=200) / 100);
        }
        count
    }

    fn datagrams(&mut self) {
        match self.rng.u8(0..4) {
            0 => {
                let socket = datagram_socket(&self.stranger().to_string());
                let bytes = self.garbage(60_000);
                self.send(&socket, &bytes);
            }
            1 => {
                let socket = datagram_socket(&self.stranger().to_string());
                for _ in 0..5 * FLOOD {
                    self.send(&socket, b"hello");
                }
            }
            _ => self.honest(),
        }
    }

    fn send(&self, socket: &UdpSocket, bytes: &[u8]) {
        // There may be no room for it.
        let _ = socket.send_to(bytes, self.server);
    }

    fn stream(&mut self) {
        let stranger = self.stranger();
        let connect = || connect_from(stranger, self.server);
        match self.rng.u8(0..10) {
            0 => reset(connect()),
            1 => drop(connect()),
            2 => {
                let (mut stream, bytes) = (connect(), self.garbage(4000));
                // It may be closed before, here and below.
                let _ = stream.write_all(&bytes);
                let _ = stream.shutdown(Shutdown::Write);
                self.hold(stream);
            }
            3 => self.hold(connect()),
            4 => {
                let mut stream = connect();
                let ask = Ask::get("big").bytes();
                let part = self.rng.usize(1..=ask.len());
                let _ = stream.write_all(&ask[..part]);
                self.hold(stream);
            }
            5 => drop((0..FLOOD).map(|_| connect()).collect::<Vec<_>>()),
            6 if self.program == "chat-server" => self.chatter(),
            _ => self.honest(),
        }
    }

    /// A conversation that goes well.
    fn honest(&mut self) {
        let source = Ipv4Addr::new(127, 10, 0, self.rng.u8(1..=250));
        if self.program == "udp-server" {
            return self.exchange(&asking_socket(&source.to_string(), self.server));
        }
        let mut stream = connect_from(source, self.server);
        match self.program {
            "tcp-server" => {
                assert_eq!(read_line(&mut stream), "你好");
                stream.write_all(b"hello\n").expect("the server reads");
                stream.shutdown(Shutdown::Write).expect("it is connected");
                read_to_end(&mut stream);
            }
            "file-server" if self.rng.bool() => {
                assert_eq!(Ask::get("x").fetch(&mut stream).1, b"contents");
                assert_eq!(Ask::list("").fetch(&mut stream).0.status, 0);
            }
            "file-server" => assert_eq!(Ask::get("middle").fetch(&mut stream).1.len(), MIDDLE),
            _ => {
                assert!(read_line(&mut stream).starts_with("* welcome"));
                stream.write_all(b"hello\n/quit\n").expect("the server reads");
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).expect("an end in order");
                assert!(rest.is_empty() || rest.ends_with(b"\n"), "{}", rest.escape_ascii());
            }
        }
    }

    /// Asks until there is a reply: what finds no room at the server, as after a flood, is lost.
    fn exchange(&self, socket: &UdpSocket) {
        socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a socket");
        let mut reply = [0; 64];
        let deadline = Instant::now() + TIMEOUT;
        loop {
            assert!(Instant::now() < deadline, "no reply");
            self.send(socket, b"hello");
            if let Ok(count) = socket.recv(&mut reply) {
                return assert_eq!(reply[..count], *b"nice to meet you");
            }
        }
    }

    /// Members come, speak, and go, each of whom reads what there is.
    fn chatter(&mut self) {
        if self.members.len() < 20 {
            let stream = connect_from(Ipv4Addr::new(127, 11, 0, self.rng.u8(1..=250)), self.server);
            stream.set_nonblocking(true).expect("a socket");
            self.members.push(stream);
        } else {
            self.members.swap_remove(self.rng.usize(0..20));
        }
        let text = format!("{}\n", "x".repeat(self.rng.usize(1..1000)));
        self.members.retain_mut(|member| {
            while member.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
            member.write_all(text.as_bytes()).is_ok()
        });
    }

    fn hold(&mut self, stream: TcpStream) {
        if self.held.len() >= HELD {
            self.held.swap_remove(self.rng.usize(0..HELD));
        }
        self.held.push(stream);
    }

    fn garbage(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; self.rng.usize(1..=most)];
        self.rng.fill(&mut bytes);
        bytes
    }

    /// One of many, or of a few who fail so often that they are paused.
    fn stranger(&mut self) -> Ipv4Addr {
        let most = if self.rng.bool() { 250 } else { 10 };
        Ipv4Addr::new(127, 20, 0, self.rng.u8(1..=most))
    }
}
