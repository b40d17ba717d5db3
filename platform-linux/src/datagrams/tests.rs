use core::task::Poll;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket as StdSocket};
use std::os::fd::OwnedFd;

use barewire_core::datagram::Datagram;
use barewire_core::time::{Duration, Instant};
use nix::errno::Errno;
use nix::sys::socket::{self, sockopt};

use super::{Batch, MAX_BATCH, ReceivedDatagram, UdpServer, UdpSocket};
use crate::executor::{Context, Executor};
use crate::testing::{needs_ipv6, task};

fn any_of(ip: &str) -> SocketAddr {
    format!("{ip}:0").parse().unwrap()
}

fn server(ip: &str, capacity: usize) -> (UdpServer, SocketAddr) {
    let socket = UdpSocket::bind(any_of(ip)).unwrap();
    let address = socket.local_addr().unwrap();
    (UdpServer::new(socket, capacity).unwrap(), address)
}

/// What a server has seen: all batches together, each refusal, and a line a datagram.
#[derive(Debug, Default)]
struct Seen {
    batch: Batch,
    refused: Vec<(SocketAddr, io::Error)>,
    datagrams: Vec<(Vec<u8>, usize, IpAddr)>,
}

/// Serves until `count` datagrams have come, answering each by `decide`.
fn serve(
    mut server: UdpServer,
    count: usize,
    decide: impl for<'b> Fn(ReceivedDatagram<'b>) -> Option<&'b [u8]> + 'static,
) -> Seen {
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |seen: &mut Seen, cx: &mut Context<'_, Seen>| {
        let Seen { batch, refused, datagrams } = seen;
        let one = server.serve(
            cx,
            |received| {
                let Datagram { bytes, length, .. } = received.datagram;
                datagrams.push((bytes.to_vec(), length, received.local));
                decide(received)
            },
            |peer, error| refused.push((peer, error)),
        );
        let one = one.unwrap();
        assert_eq!(one.received, one.sent + one.failed + one.dropped);
        batch.received += one.received;
        batch.sent += one.sent;
        batch.failed += one.failed;
        batch.dropped += one.dropped;
        if batch.received < count { Poll::Pending } else { Poll::Ready(()) }
    }));
    let mut seen = Seen::default();
    executor.run(&mut seen).unwrap();
    seen
}

#[expect(clippy::unnecessary_wraps, reason = "a decision")]
fn echo(received: ReceivedDatagram<'_>) -> Option<&[u8]> {
    Some(received.datagram.bytes)
}

#[test]
fn a_datagram_beyond_the_capacity_is_told_from_one_that_fits() {
    for ip in ["127.0.0.1", "0.0.0.0"] {
        let (server, address) = server(ip, 8);
        let client = StdSocket::bind("127.0.0.1:0").unwrap();
        client.connect(("127.0.0.1", address.port())).unwrap();
        for payload in [&b"12345678"[..], b"123456789", b"", b"1234567"] {
            client.send(payload).unwrap();
        }
        let seen = serve(server, 4, echo);
        let seen: Vec<_> =
            seen.datagrams.iter().map(|(bytes, length, _)| (&bytes[..], *length)).collect();
        assert_eq!(
            seen,
            [(&b"12345678"[..], 8), (b"12345678", 9), (b"", 0), (b"1234567", 7)],
            "{ip}"
        );
        let mut buffer = [0; 16];
        for length in [8, 8, 0, 7] {
            assert_eq!(client.recv(&mut buffer).unwrap(), length);
        }
    }
}

#[test]
fn a_capacity_of_nothing_still_counts() {
    let (server, address) = server("127.0.0.1", 0);
    let client = StdSocket::bind("127.0.0.1:0").unwrap();
    client.send_to(b"abc", address).unwrap();
    assert_eq!(serve(server, 1, echo).datagrams, [(vec![], 3, address.ip())]);
}

#[test]
fn every_datagram_is_answered_whatever_the_batch() {
    for (ip, capacity) in [("127.0.0.1", 64), ("0.0.0.0", 64), ("127.0.0.1", 1 << 19)] {
        let (server, address) = server(ip, capacity);
        assert!(server.buffer.room() <= super::MAX_MEMORY);
        let client = StdSocket::bind("127.0.0.1:0").unwrap();
        client.connect(("127.0.0.1", address.port())).unwrap();
        let count = MAX_BATCH + 10;
        for number in 0..count {
            client.send(&number.to_be_bytes()).unwrap();
        }
        let seen = serve(server, count, echo);
        assert_eq!(seen.batch, Batch { received: count, sent: count, failed: 0, dropped: 0 });
        for number in 0..count {
            let mut reply = [0; 8];
            client.recv(&mut reply).unwrap();
            assert_eq!(reply, number.to_be_bytes());
        }
    }
}

#[test]
fn what_comes_at_once_after_what_came_alone_is_answered() {
    for ip in ["127.0.0.1", "0.0.0.0"] {
        let (mut server, address) = server(ip, 64);
        let client = StdSocket::bind("127.0.0.1:0").unwrap();
        client.connect(("127.0.0.1", address.port())).unwrap();
        let (alone, together) = (100, MAX_BATCH + 10);
        let count = alone + together;
        client.send(&0_usize.to_be_bytes()).unwrap();
        let mut executor = Executor::new().unwrap();
        executor.spawn(task(move |received: &mut usize, cx: &mut Context<'_, usize>| {
            let batch = server.serve(cx, echo, |_, error| panic!("{error}")).unwrap();
            for _ in 0..batch.sent {
                let mut reply = [0; 8];
                client.recv(&mut reply).unwrap();
                assert_eq!(reply, received.to_be_bytes());
                *received += 1;
            }
            let next = match *received {
                0 => return Poll::Pending,
                few if few < alone => few..few + 1,
                few if few == alone => few..count,
                _ => 0..0,
            };
            for number in next {
                client.send(&number.to_be_bytes()).unwrap();
            }
            if *received < count { Poll::Pending } else { Poll::Ready(()) }
        }));
        let mut received = 0;
        executor.run(&mut received).unwrap();
        assert_eq!(received, count);
    }
}

/// How many turns a server has in a while in which nothing comes after the first.
fn turns_of_rest(mut server: UdpServer) -> u32 {
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |turns: &mut u32, cx: &mut Context<'_, u32>| {
        if *turns == 0 {
            cx.set_deadline(Some(cx.now() + Duration::from_millis(50)));
        }
        *turns += 1;
        let _ = server.serve(cx, echo, |_, _| {});
        if cx.now().as_micros() < 50_000 { Poll::Pending } else { Poll::Ready(()) }
    }));
    let mut turns = 0;
    executor.run(&mut turns).unwrap();
    turns
}

#[test]
fn a_server_rests_when_all_is_answered() {
    let (server, address) = server("127.0.0.1", 64);
    let client = StdSocket::bind("127.0.0.1:0").unwrap();
    client.send_to(b"one", address).unwrap();
    let turns = turns_of_rest(server);
    assert!(turns <= 5, "{turns} turns");
}

#[test]
fn errors_that_nobody_asks_for_do_not_keep_a_server_awake() {
    let inner = StdSocket::bind("127.0.0.1:0").unwrap();
    socket::setsockopt(&inner, sockopt::Ipv4RecvErr, &true).unwrap();
    let address = inner.local_addr().unwrap();
    let server = UdpServer::new(inner.try_into().unwrap(), 64).unwrap();
    // Gone before the reply comes, which meets an ICMP error.
    StdSocket::bind("127.0.0.1:0").unwrap().send_to(b"one", address).unwrap();
    let turns = turns_of_rest(server);
    assert!(turns <= 5, "{turns} turns");
}

/// A listener with a client is readable, and no datagram can be had from it.
#[test]
fn an_error_that_lasts_is_told_once_and_met_ten_times_a_second() {
    let listener = TcpListener::bind(any_of("127.0.0.1")).unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let socket = UdpSocket::try_from(StdSocket::from(OwnedFd::from(listener))).unwrap();
    let mut server = UdpServer::new(socket, 64).unwrap();
    let mut executor = Executor::simulated();
    executor.spawn(task(move |(turns, told): &mut (u32, Vec<io::Error>), cx| {
        *turns += 1;
        assert!(*turns < 1000, "it spins");
        told.extend(server.serve(cx, echo, |_, _| {}).err());
        // Something else gives it a turn before it wants one.
        let early = cx.now() + Duration::from_millis(60);
        cx.set_deadline(server.resumes().map(|at| at.min(early)));
        if cx.now() < Instant::from_millis(1000) { Poll::Pending } else { Poll::Ready(()) }
    }));
    let mut seen = (0, Vec::new());
    executor.run(&mut seen).unwrap();
    let (turns, told) = seen;
    assert_eq!(
        told.iter().map(io::Error::raw_os_error).collect::<Vec<_>>(),
        [Some(Errno::ENOTCONN as i32)]
    );
    // One to watch the socket anew, one to meet the error, and the early one, in which nothing is done.
    assert!((30..=33).contains(&turns), "{turns} turns");
}

#[test]
fn the_reply_leaves_from_the_address_that_was_asked() {
    needs_ipv6();
    for ip in ["0.0.0.0", "[::]"] {
        let socket = UdpSocket::bind(any_of(ip)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let server = UdpServer::new(socket, 64).unwrap();
        let client = StdSocket::bind("127.0.0.1:0").unwrap();
        let asked = [2, 3, 2].map(|last| Ipv4Addr::new(127, 0, 0, last));
        for ip in asked {
            client.send_to(&ip.octets(), (ip, port)).unwrap();
        }
        let seen = serve(server, 3, echo);
        assert_eq!(seen.batch.sent, 3, "{seen:?}");
        let locals: Vec<_> = seen.datagrams.iter().map(|(.., local)| *local).collect();
        assert_eq!(locals, asked.map(IpAddr::V4));
        for ip in asked {
            let mut reply = [0; 4];
            let (_, from) = client.recv_from(&mut reply).unwrap();
            assert_eq!((from, reply), ((ip, port).into(), ip.octets()));
        }
    }
}

#[test]
fn a_wildcard_server_answers_ipv6_from_the_address_asked() {
    needs_ipv6();
    let client = StdSocket::bind("[::1]:0").unwrap();
    let (server, address) = server("[::]", 64);
    client.send_to(b"six", ("::1", address.port())).unwrap();
    assert_eq!(serve(server, 1, echo).batch.sent, 1);
    let (_, from) = client.recv_from(&mut [0; 8]).unwrap();
    assert_eq!(from, format!("[::1]:{}", address.port()).parse().unwrap());
}

#[test]
fn a_question_to_all_is_answered_from_an_address_of_ones_own() {
    needs_ipv6();
    for ip in ["0.0.0.0", "[::]"] {
        let socket = UdpSocket::bind(any_of(ip)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let server = UdpServer::new(socket, 64).unwrap();
        let client = StdSocket::bind("127.0.0.1:0").unwrap();
        client.set_broadcast(true).unwrap();
        for (ip, payload) in [("127.255.255.255", b"all"), ("127.0.0.1", b"one")] {
            client.send_to(payload, (ip, port)).unwrap();
        }
        let seen = serve(server, 2, echo);
        assert_eq!(seen.batch.sent, 2, "{ip}: {seen:?}");
        for payload in [b"all", b"one"] {
            let mut reply = [0; 3];
            let (_, from) = client.recv_from(&mut reply).unwrap();
            assert_eq!((&reply, from.ip()), (payload, Ipv4Addr::LOCALHOST.into()));
        }
    }
}

#[test]
fn a_reply_that_cannot_be_sent_harms_no_other() {
    static HUGE: [u8; 70_000] = [0; 70_000];
    for ip in ["127.0.0.1", "0.0.0.0"] {
        let (server, address) = server(ip, 64);
        let client = StdSocket::bind("127.0.0.1:0").unwrap();
        client.connect(("127.0.0.1", address.port())).unwrap();
        for payload in [&b"huge"[..], b"one", b"huge", b"huge", b"two", b"huge"] {
            client.send(payload).unwrap();
        }
        let seen = serve(server, 6, |received| match received.datagram.bytes {
            b"huge" => Some(&HUGE),
            other => Some(other),
        });
        assert_eq!(seen.batch, Batch { received: 6, sent: 2, failed: 4, dropped: 0 });
        let expected = (client.local_addr().unwrap(), Some(Errno::EMSGSIZE as i32));
        for (peer, error) in seen.refused {
            assert_eq!((peer, error.raw_os_error()), expected);
        }
        let mut reply = [0; 8];
        for expected in [b"one", b"two"] {
            let count = client.recv(&mut reply).unwrap();
            assert_eq!(&reply[..count], expected);
        }
    }
}
