//! The server greets, the client answers, both close; between the programs, and with the peers
//! of a tutorial.

use std::io::Write;
use std::net::Shutdown;

use barewire_tests::harness::sockets::{assert_nothing_arrives, connect, read_to_end};
use barewire_tests::harness::{Launch, Peer, run, serve, tutorial};

#[test]
fn the_programs_exchange_their_default_texts() {
    let mut server = serve("tcp-server", &[]);
    run("tcp-client", &[&server.at()]).exits(0).prints("你好").is_silent();
    let line = server.program.line_with("Hello");
    assert!(line.contains("127.0.0.1:"), "who said it is missing: {line:?}");
    server.stop().is_silent();
}

/// The server half-closes after its greeting, so a client may read to the end before it answers.
#[test]
fn the_server_says_its_line_and_half_closes() {
    let mut server = serve("tcp-server", &[]);
    let mut stream = connect(server.address());
    assert_eq!(read_to_end(&mut stream), "你好\n");
    stream.write_all(b"I heard you out").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    server.program.line_with("I heard you out");
    server.stop();
}

/// The answer has no terminator but the half-close, and comes after the greeting only.
#[test]
fn the_client_answers_when_greeted_and_half_closes() {
    let peer = Peer::tcp(|mut stream| {
        assert_nothing_arrives(&stream);
        stream.write_all("你好\n".as_bytes()).unwrap();
        read_to_end(&mut stream)
    });
    run("tcp-client", &[&peer.at()]).exits(0).prints("你好");
    assert_eq!(peer.finish(), "Hello");
}

#[test]
fn the_server_serves_one_tutorial_client_after_another() {
    let mut server = serve("tcp-server", &[]);
    for text in ["one", "two", "three"] {
        assert_eq!(tutorial::tcp_client(server.address(), text).trim_end(), "你好");
        server.program.line_with(text);
    }
    server.stop().is_silent();
}

#[test]
fn the_client_works_with_a_tutorial_server() {
    let peer = tutorial::tcp_server("你好");
    run("tcp-client", &[&peer.at()]).exits(0).prints("你好").is_silent();
    assert_eq!(peer.finish(), "Hello");
}

#[test]
fn tutorial_programs_in_python_are_served_and_serve() {
    const CLIENT: &str = "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(('127.0.0.1', int(sys.argv[1])))
sys.stdout.buffer.write(s.recv(1024))
s.send('Hello'.encode())
s.close()
";
    const SERVER: &str = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.bind(('127.0.0.1', 0))
s.listen()
print(s.getsockname()[1])
c, address = s.accept()
c.send('你好'.encode())
print(c.recv(1024).decode())
c.close()
s.close()
";
    let mut server = serve("tcp-server", &[]);
    let client = Launch::python(CLIENT).arg(server.port()).run().exits(0);
    assert_eq!(client.output().trim_end(), "你好");
    server.program.line_with("Hello");
    server.stop();

    let mut server = Launch::python(SERVER).spawn();
    let port = server.line();
    run("tcp-client", &["127.0.0.1", &port]).exits(0).prints("你好");
    server.finish().exits(0).prints("Hello");
}

#[test]
fn a_client_may_answer_before_it_has_listened() {
    let mut server = serve("tcp-server", &[]);
    let mut stream = connect(server.address());
    stream.write_all(b"with_timeouts\n").unwrap();
    server.program.line_with("with_timeouts");
    assert_eq!(read_to_end(&mut stream), "你好\n");
    server.stop();
}

#[test]
fn a_line_ends_an_answer_and_its_carriage_return_is_dropped() {
    let mut server = serve("tcp-server", &["--json"]);
    let mut stream = connect(server.address());
    stream.write_all(b"from telnet\r\n").unwrap();
    assert_eq!(server.program.event("received")["text"], "from telnet");
    server.stop();
}

#[test]
fn a_received_event_tells_who_said_what() {
    let mut server = serve("tcp-server", &["--json"]);
    let mut stream = connect(server.address());
    stream.write_all("grüezi\n".as_bytes()).unwrap();
    let received = server.program.event("received");
    assert_eq!(received["from"], stream.local_addr().unwrap().to_string(), "{received}");
    assert_eq!(received["text"], "grüezi", "{received}");
    drop(stream);

    let received = run("tcp-client", &[&server.at(), "--json"]).exits(0).event("received");
    assert_eq!(received["from"], server.at(), "{received}");
    assert_eq!(received["text"], "你好", "{received}");
    server.stop().events();
}

/// 1024 bytes are a text, one more is not; see `failures` for that.
#[test]
fn the_longest_text_passes_both_ways() {
    let longest = "x".repeat(1024);
    let mut server = serve("tcp-server", &["--greeting", &longest]);
    run("tcp-client", &[&server.at(), &longest]).exits(0).prints(&longest).is_silent();
    server.program.line_with(&longest);
    server.stop().is_silent();
}
