use core::task::Poll;
use std::io;
use std::net::{SocketAddr, UdpSocket as StdSocket};

use super::UdpClient;
use crate::executor::{Executor, MAX_EVENT_SOURCES};
use crate::testing::{needs_ipv6, task};

type Result = core::result::Result<Vec<u8>, io::ErrorKind>;

/// Runs a client as long as the results are those of `script`, `None` being nothing yet. At each
/// `None` but the first, which comes before anything can, `on_nothing` is called.
fn follow(
    mut client: UdpClient,
    script: Vec<Option<Result>>,
    mut on_nothing: impl FnMut() + 'static,
) {
    let mut executor = Executor::new().unwrap();
    let mut script = script.into_iter().enumerate();
    executor.spawn(task(move |(), cx| {
        for (step, expected) in script.by_ref() {
            let mut buffer = [0; 8];
            let result = match client.recv(cx, &mut buffer) {
                Err(nb::Error::WouldBlock) => None,
                Err(nb::Error::Other(error)) => Some(Err(error.kind())),
                Ok(datagram) => Some(Ok(datagram.bytes.to_vec())),
            };
            assert_eq!(result, expected, "step {step}");
            if result.is_none() {
                if step > 0 {
                    on_nothing();
                }
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }));
    executor.run(&mut ()).unwrap();
}

/// A server that refuses, and a client of it: who is connected to itself takes nothing from others.
fn refused_client(ip: &str) -> (StdSocket, UdpClient) {
    let server = StdSocket::bind((ip, 0)).unwrap();
    let address = server.local_addr().unwrap();
    server.connect(address).unwrap();
    (server, UdpClient::connect(address, None).unwrap())
}

/// Lets a server say something to `client` from now on, whenever it has nothing.
fn say_from(server: StdSocket, client: &UdpClient) -> impl FnMut() + 'static {
    let peer = client.local_addr().unwrap();
    move || {
        server.connect(peer).unwrap();
        server.send(b"here").unwrap();
    }
}

#[test]
fn a_client_that_waits_is_told_of_a_refusal_once_and_can_go_on() {
    needs_ipv6();
    for ip in ["127.0.0.1", "::1"] {
        let (server, client) = refused_client(ip);
        client.send(b"anybody?").unwrap();
        let say = say_from(server, &client);
        let here = || Some(Ok(b"here".to_vec()));
        let refused = Some(Err(io::ErrorKind::ConnectionRefused));
        follow(client, vec![None, refused, None, here(), None, here()], say);
    }
}

#[test]
fn a_client_that_sends_is_told_of_a_refusal_once_and_can_go_on() {
    let (server, client) = refused_client("127.0.0.1");
    client.send(b"anybody?").unwrap();
    // Over the loopback the refusal is there when `send` returns.
    let refused = client.send(b"hello?").unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    let mut say = say_from(server, &client);
    say();
    let here = || Some(Ok(b"here".to_vec()));
    follow(client, vec![None, here(), None, here()], say);
}

#[test]
fn a_client_is_told_the_true_length() {
    let server = StdSocket::bind("127.0.0.1:0").unwrap();
    let local = "127.0.0.5:0".parse::<SocketAddr>().unwrap();
    let mut client = UdpClient::connect(server.local_addr().unwrap(), Some(local)).unwrap();
    assert_eq!(client.local_addr().unwrap().ip(), local.ip());
    assert_eq!(client.peer_addr(), server.local_addr().unwrap());
    server.send_to(b"123456789", client.local_addr().unwrap()).unwrap();
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |(), cx| {
        let mut buffer = [0; 8];
        let datagram = match client.recv(cx, &mut buffer) {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            received => received.unwrap(),
        };
        assert_eq!((datagram.bytes, datagram.length), (&b"12345678"[..], 9));
        assert!(datagram.is_truncated());
        Poll::Ready(())
    }));
    executor.run(&mut ()).unwrap();
}

#[test]
fn a_client_that_is_closed_leaves_its_place_to_the_next() {
    let server = StdSocket::bind("127.0.0.1:0").unwrap();
    let peer = server.local_addr().unwrap();
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |(), cx| {
        for _ in 0..=MAX_EVENT_SOURCES {
            let mut client = UdpClient::connect(peer, None).unwrap();
            assert!(matches!(client.recv(cx, &mut []), Err(nb::Error::WouldBlock)));
            client.close(cx);
        }
        Poll::Ready(())
    }));
    executor.run(&mut ()).unwrap();
}
