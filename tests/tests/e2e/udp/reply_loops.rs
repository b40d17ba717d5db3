//! Two datagram servers whose addresses a forger names to each other answer one another for
//! ever (CVE-2024-2169). Here they fall silent, at the latest when the rate is reached.
//!
//! A forged source address needs privileges that a test does not have, so a relay stands in for
//! the two paths: each server sees the datagrams that it would see, with the relay as source.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use barewire_tests::harness::sockets::{
    ask, assert_unanswered, catch_up, datagram_socket, uninterrupted, waiting,
};
use barewire_tests::harness::{Server, TIMEOUT, serve};

/// Passes each server's answer on to the other until one is silent, and counts the answers.
fn relay(servers: [&Server; 2]) -> usize {
    let relay = datagram_socket("127.0.0.1");
    let mut text = b"who's there?".to_vec();
    let started = Instant::now();
    for (answers, server) in servers.iter().cycle().enumerate() {
        assert!(started.elapsed() < TIMEOUT, "{answers} answers and still no silence");
        relay.send_to(&text, server.address()).unwrap();
        catch_up(server.address());
        relay.set_nonblocking(true).unwrap();
        let mut answer = [0; 2048];
        match relay.recv(&mut answer) {
            Ok(length) => text = answer[..length].to_vec(),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return answers,
            Err(e) => panic!("{e}"),
        }
    }
    unreachable!("a cycle has no end")
}

fn stop(server: Server) {
    server.stop();
}

#[test]
fn servers_with_the_same_text_fall_silent_at_once() {
    let servers = [serve("udp-server", &[]), serve("udp-server", &[])];
    assert_eq!(relay(servers.each_ref()), 1);
    servers.into_iter().for_each(stop);
}

/// Each receives but the beginning of what the other says.
#[test]
fn servers_with_the_same_text_over_the_capacity_fall_silent_at_once() {
    let start = || serve("udp-server", &["--reply", &"x".repeat(1500)]);
    let servers = [start(), start()];
    assert_eq!(relay(servers.each_ref()), 1);
    servers.into_iter().for_each(stop);
}

#[test]
fn servers_with_other_texts_are_bounded_by_the_rate() {
    for replies in [&["--reply", "ping"][..], &["--echo"]] {
        let start = |reply: &[&str]| serve("udp-server", &[reply, &["--rate", "5"]].concat());
        let servers = [start(replies), start(&["--reply", "pong"])];
        let started = Instant::now();
        let answers = relay(servers.each_ref());
        let seconds = usize::try_from(started.elapsed().as_secs()).unwrap() + 2;
        assert!(answers <= 2 * 5 * seconds, "{answers} answers");
        servers.into_iter().for_each(stop);
    }
}

#[test]
fn echoing_servers_are_bounded_by_the_rate() {
    let start = || serve("udp-server", &["--echo", "--rate", "5"]);
    let servers = [start(), start()];
    let started = Instant::now();
    let answers = relay(servers.each_ref());
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap() + 2;
    assert!((1..=2 * 5 * seconds).contains(&answers), "{answers} answers");
    servers.into_iter().for_each(stop);
}

#[test]
fn a_server_never_answers_its_own_reply_text() {
    let server = serve("udp-server", &["--reply", "an echo of mine"]);
    let socket = datagram_socket("127.0.0.1");
    socket.send_to(b"an echo of mine", server.address()).unwrap();
    assert_unanswered(&socket, server.address());
    ask(&socket, server.address(), b"an echo of yours");
    server.stop();
}

/// The sign of another server of the same kind.
#[test]
fn a_server_never_answers_its_own_port() {
    let server = serve("udp-server", &[]);
    let twin = UdpSocket::bind(("127.0.11.2", server.address().port())).expect("a free address");
    twin.send_to(b"who's there?", server.address()).unwrap();
    assert_unanswered(&twin, server.address());
    server.stop();
}

/// Behind these ports are services that answer whatever they get.
#[test]
fn a_server_never_answers_a_reflecting_port() {
    const REFLECTING: [u16; 13] = [7, 13, 17, 19, 37, 53, 69, 123, 161, 389, 1900, 5353, 11211];
    let server = serve("udp-server", &[]);
    let mut tested = 0;
    for port in REFLECTING {
        match UdpSocket::bind(("127.0.11.1", port)) {
            Ok(reflector) => {
                reflector.send_to(b"who's there?", server.address()).unwrap();
                assert_unanswered(&reflector, server.address());
                tested += 1;
            }
            // The low ones are for the privileged, and a service may hold another.
            Err(e) if matches!(e.kind(), ErrorKind::PermissionDenied | ErrorKind::AddrInUse) => {}
            Err(e) => panic!("bind to port {port}: {e}"),
        }
    }
    assert!(tested > 0, "no reflecting port is to be had here, so nothing was tested");
    server.stop();
}

#[test]
fn who_stays_over_the_rate_is_muted_with_a_note() {
    let mut server = serve("udp-server", &["--rate", "2", "--mute-threshold", "300ms"]);
    let address = server.address();
    let flooder = datagram_socket("127.0.0.1");
    let noted = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| flood_until(&noted, &flooder, address));
        // Set also when the note does not come, or the flood would outlive the failure.
        let _set = SetOnDrop(&noted);
        let note = server.program.diagnostic_with(&["mute", "muting"]);
        assert!(note.contains("127.0.0.1"), "who is muted is missing: {note:?}");
    });
    catch_up(address);
    waiting(&flooder);
    // A second later the rate alone would let it be answered again.
    flooder.set_read_timeout(Some(Duration::from_millis(1100))).unwrap();
    flooder.send_to(b"more", address).unwrap();
    let answer = uninterrupted(|| flooder.recv(&mut [0; 64]));
    assert!(answer.is_err(), "answered though muted");
    flooder.send_to(b"more", address).unwrap();
    assert_unanswered(&flooder, address);
    server.stop();
}

/// Sends without a stop, at a pace that leaves the machine to others.
fn flood_until(done: &AtomicBool, flooder: &UdpSocket, server: SocketAddr) {
    flooder.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    while !done.load(Ordering::Relaxed) {
        flooder.send_to(b"more", server).unwrap();
        let _ = flooder.recv(&mut [0; 64]);
    }
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The counting is by address, so what one port did not get another does not either.
#[test]
fn another_port_is_no_way_around_the_rate() {
    let server = serve("udp-server", &["--rate", "3"]);
    let started = Instant::now();
    let sockets: Vec<_> = (0..60).map(|_| datagram_socket("127.0.0.1")).collect();
    for socket in &sockets {
        socket.send_to(b"more", server.address()).unwrap();
    }
    catch_up(server.address());
    let answers: usize = sockets.iter().map(waiting).sum();
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap() + 2;
    assert!((1..=3 * seconds).contains(&answers), "{answers} answers");
    server.stop();
}
