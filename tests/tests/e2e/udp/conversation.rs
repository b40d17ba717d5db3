//! One datagram there, one back; between the programs, and with the peers of a tutorial.

use barewire_tests::harness::sockets::{ask, datagram_socket, receive};
use barewire_tests::harness::{Launch, Peer, ask_patiently, serve, tutorial};

#[test]
fn the_programs_exchange_their_default_texts() {
    let mut server = serve("udp-server", &[]);
    ask_patiently("udp-client", &[&server.at()]).exits(0).prints("nice to meet you").is_silent();
    let line = server.program.line_with("nice to meet you too");
    assert!(line.contains("127.0.0.1:"), "who said it is missing: {line:?}");
    server.stop().is_silent();
}

#[test]
fn on_the_wire_there_is_the_text_and_nothing_else() {
    let server = serve("udp-server", &[]);
    let (reply, _) = ask(&datagram_socket("127.0.0.1"), server.address(), b"salut");
    assert_eq!(reply, b"nice to meet you");
    server.stop();

    let peer = Peer::udp(|socket| {
        let (heard, from) = receive(&socket);
        socket.send_to(b"salut", from).unwrap();
        heard
    });
    ask_patiently("udp-client", &[&peer.at()]).exits(0).prints("salut");
    assert_eq!(peer.finish(), b"nice to meet you too");
}

#[test]
fn the_server_serves_one_tutorial_client_after_another() {
    let mut server = serve("udp-server", &[]);
    for text in ["one", "two", "three"] {
        assert_eq!(tutorial::udp_client(server.address(), text), "nice to meet you");
        server.program.line_with(text);
    }
    server.stop().is_silent();
}

#[test]
fn the_client_works_with_a_tutorial_server() {
    let peer = tutorial::udp_server("nice to meet you");
    ask_patiently("udp-client", &[&peer.at()]).exits(0).prints("nice to meet you").is_silent();
    assert_eq!(peer.finish(), "nice to meet you too");
}

#[test]
fn tutorial_programs_in_python_are_served_and_serve() {
    const CLIENT: &str = "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto('nice to meet you too'.encode(), ('127.0.0.1', int(sys.argv[1])))
print(s.recv(1024).decode())
s.close()
";
    const SERVER: &str = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 0))
print(s.getsockname()[1])
text, address = s.recvfrom(1024)
print(text.decode())
s.sendto('nice to meet you'.encode(), address)
s.close()
";
    let mut server = serve("udp-server", &[]);
    let client = Launch::python(CLIENT).arg(server.port()).run().exits(0);
    assert_eq!(client.output(), "nice to meet you\n");
    server.program.line_with("nice to meet you too");
    server.stop();

    let mut server = Launch::python(SERVER).spawn();
    let port = server.line();
    ask_patiently("udp-client", &["127.0.0.1", &port]).exits(0).prints("nice to meet you");
    server.finish().exits(0).prints("nice to meet you too");
}

/// An empty datagram is a datagram: it arrives, and it is answered.
#[test]
fn an_empty_text_is_answered_too() {
    let mut server = serve("udp-server", &["--json"]);
    ask_patiently("udp-client", &[&server.at(), ""]).exits(0).prints("nice to meet you");
    let received = server.program.event("received");
    assert_eq!((&received["text"], &received["bytes"]), (&"".into(), &0.into()), "{received}");
    server.stop();
}

#[test]
fn any_script_passes_unharmed() {
    let text = "你好 – ñandú – مرحبا – 👩\u{200d}💻";
    let mut server = serve("udp-server", &["--echo"]);
    ask_patiently("udp-client", &[&server.at(), text]).exits(0).prints(text);
    server.program.line_with(text);
    server.stop();
}

#[test]
fn a_received_event_tells_who_said_what_and_how_much() {
    let mut server = serve("udp-server", &["--json"]);
    let socket = datagram_socket("127.0.0.1");
    ask(&socket, server.address(), "grüezi".as_bytes());
    let received = server.program.event("received");
    assert_eq!(received["from"], socket.local_addr().unwrap().to_string(), "{received}");
    assert_eq!(received["text"], "grüezi", "{received}");
    assert_eq!(received["bytes"], 7, "{received}");
    assert_eq!(received["truncated"], false, "{received}");

    let received =
        ask_patiently("udp-client", &[&server.at(), "--json"]).exits(0).event("received");
    assert_eq!(received["from"], server.at(), "{received}");
    assert_eq!(received["text"], "nice to meet you", "{received}");
    assert_eq!(received["bytes"], 16, "{received}");
    assert_eq!(received["truncated"], false, "{received}");
    server.stop().events();
}

/// A client talks to one server: what a third party sends to its port is not the reply.
#[test]
fn a_stranger_cannot_answer_in_the_servers_name() {
    let peer = Peer::udp(|socket| {
        let (_, client) = receive(&socket);
        datagram_socket("127.0.0.1").send_to(b"forged", client).unwrap();
        socket.send_to(b"genuine", client).unwrap();
    });
    ask_patiently("udp-client", &[&peer.at()]).exits(0).prints("genuine").omits("forged");
    peer.finish();
}
