//! `file-client` against the servers that a socket tutorial has people write: `recv(1024)`, `sendall`
//! of the contents, `close`. It asks in the framed form first, and goes over to the plain one.

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::SEGMENT;
use barewire_tests::harness::sockets::{is_ended_by_peer, reset, with_timeouts};
use barewire_tests::harness::tutorial::recv;
use barewire_tests::harness::{Folder, Launch, Peer, Server, share};

use super::fetch;
use crate::common::words::TIMED_OUT;

const PLAIN_ONLY: &[&str] = &["seems to speak the plain form only"];

fn accept(listener: &TcpListener) -> TcpStream {
    with_timeouts(listener.accept().expect("a client").0)
}

/// Serves `x` to as many clients as come, one after another, until one has had it. How it answers
/// a name that it does not know is `refuse`'s to say; the outcome is how many came.
fn loop_server(whole: Vec<u8>, refuse: fn(TcpStream)) -> Peer<usize> {
    Peer::tcp_listener(move |listener| {
        for count in 1.. {
            let mut stream = accept(&listener);
            if recv(&mut stream) == "x" {
                // The client may not want it all.
                let _ = stream.write_all(&whole);
                return count;
            }
            refuse(stream);
        }
        unreachable!("it goes on for ever")
    })
}

#[test]
fn a_server_that_closes_is_asked_plainly() {
    let whole = contents(SEGMENT + 3, 1);
    let server = loop_server(whole.clone(), drop);
    let target = Folder::in_memory();
    let client = fetch(&server.at(), &target, &["x"]).exits(0).says(PLAIN_ONLY);
    client.prints("(not verified)");
    target.assert_holds("x", &whole);
    assert_eq!(target.names(), ["x"]);
    assert_eq!(server.finish(), 2);
}

#[test]
fn a_server_that_answers_in_words_is_asked_plainly() {
    let ways: [fn(TcpStream); 2] = [
        |mut stream| drop(stream.write_all(b"no such file")),
        |mut stream| drop(stream.write_all(&b"500 Internal Server Error\r\n".repeat(100))),
    ];
    for refuse in ways {
        let server = loop_server(b"contents".to_vec(), refuse);
        let target = Folder::in_memory();
        fetch(&server.at(), &target, &["x"]).exits(0).says(PLAIN_ONLY);
        assert_eq!(target.read("x"), b"contents");
        assert_eq!(server.finish(), 2);
    }
}

/// So does one that knows better and is being stopped: no answer is no answer.
#[test]
fn a_server_that_resets_is_not_asked_plainly_unless_the_user_says_so() {
    let server = loop_server(b"contents".to_vec(), reset);
    let target = Folder::in_memory();
    let options = ["x", "--retries", "0"];
    fetch(&server.at(), &target, &options).exits(1).says(&["reset"]).says(&["--plain"]);
    assert!(target.names().is_empty());
    fetch(&server.at(), &target, &["x", "--plain"]).exits(0);
    assert_eq!(server.finish(), 2);
}

/// It is gone after the first client, which was the question it did not understand.
#[test]
fn a_server_for_one_client_is_told_apart() {
    let server = Peer::tcp(|mut stream| recv(&mut stream).len());
    let target = Folder::in_memory();
    fetch(&server.at(), &target, &["x"]).exits(1).says(&["--plain"]).says(PLAIN_ONLY);
    assert!(target.names().is_empty());
    server.finish();
}

#[test]
fn plain_asks_plainly_from_the_start() {
    let server = loop_server(b"contents".to_vec(), drop);
    let target = Folder::in_memory();
    fetch(&server.at(), &target, &["x", "--plain"]).exits(0).prints("x: 8 B");
    assert_eq!(target.read("x"), b"contents");
    assert_eq!(server.finish(), 1, "one client");
}

/// `recv(1024)`: the name is all that it hears, with nothing behind it.
#[test]
fn a_plain_name_has_no_terminator() {
    let server = Peer::tcp(|mut stream| {
        let heard = recv(&mut stream);
        stream.write_all(b"contents").unwrap();
        heard
    });
    fetch(&server.at(), &Folder::in_memory(), &["sub/grüße.txt", "--plain"]).exits(0);
    assert_eq!(server.finish(), "sub/grüße.txt");
}

/// Each file has a connection of its own. The first question is for one, so that `recv(1024)` takes
/// all of it and the close that follows is one in order.
#[test]
fn several_files_come_plainly() {
    let names: Vec<String> = (0..20).map(|number| format!("{number:0>100}")).collect();
    let server = Peer::tcp_listener(|listener| {
        let mut heard = Vec::new();
        while heard.len() < 21 {
            let mut stream = accept(&listener);
            let name = recv(&mut stream);
            if !name.starts_with('\0') {
                stream.write_all(format!("contents of {name}").as_bytes()).unwrap();
            }
            heard.push(name);
        }
        heard.split_off(1)
    });
    let target = Folder::in_memory();
    let options: Vec<&str> = names.iter().map(String::as_str).collect();
    fetch(&server.at(), &target, &options).exits(0).says(PLAIN_ONLY);
    assert_eq!(target.read(&names[1]), format!("contents of {}", names[1]).as_bytes());
    assert_eq!(target.names(), names);
    assert_eq!(server.finish(), names);
}

/// A missing file looks just so.
#[test]
fn nothing_is_no_file() {
    let server = Peer::tcp_listener(|listener| {
        for _ in 0..2 {
            recv(&mut accept(&listener));
        }
    });
    let target = Folder::in_memory();
    fetch(&server.at(), &target, &["x"]).exits(1).says(&["sent nothing"]).says(&["x: "]);
    assert!(target.names().is_empty(), "{:?}", target.names());
    server.finish();
}

/// A reset is no end, and what came before it is no file.
#[test]
fn a_plain_download_that_is_reset_fails() {
    let server = Peer::tcp(|mut stream| {
        recv(&mut stream);
        stream.write_all(b"a part").unwrap();
        reset(stream);
    });
    let target = Folder::in_memory();
    let options = ["x", "--plain", "--retries", "0"];
    fetch(&server.at(), &target, &options).exits(1).says(&["reset"]);
    assert!(target.names().is_empty(), "{:?}", target.names());
    server.finish();
}

#[test]
fn a_plain_server_has_no_folders() {
    for options in [&["--list"][..], &["-r", "x"]] {
        let server = Peer::tcp(|mut stream| recv(&mut stream).len());
        let target = Folder::in_memory();
        fetch(&server.at(), &target, options).exits(1).says(PLAIN_ONLY).says(&["folder"]);
        assert!(target.names().is_empty());
        server.finish();
    }
}

#[test]
fn a_silent_plain_server_is_not_waited_for_long() {
    // It is held until the client has given up.
    let server = Peer::tcp(|stream| stream);
    let options = ["x", "--plain", "--timeout", "100ms", "--retries", "0"];
    fetch(&server.at(), &Folder::in_memory(), &options).exits(1).says(&TIMED_OUT);
    assert!(is_ended_by_peer(&mut server.finish()));
}

/// It hangs up on the first client without having listened.
#[test]
fn a_server_that_hangs_up_at_once_is_asked_plainly() {
    let server = Peer::tcp_listener(|listener| {
        let first = accept(&listener);
        first.shutdown(Shutdown::Write).unwrap();
        let mut stream = accept(&listener);
        let heard = recv(&mut stream);
        stream.write_all(b"contents").unwrap();
        heard
    });
    let target = Folder::in_memory();
    fetch(&server.at(), &target, &["x"]).exits(0).says(PLAIN_ONLY);
    assert_eq!(target.read("x"), b"contents");
    assert_eq!(server.finish(), "x");
}

const PYTHON_SERVER: &str = r#"
import socket
server = socket.create_server(("127.0.0.1", 0))
print("listening on 127.0.0.1:%d" % server.getsockname()[1])
while True:
    client, _ = server.accept()
    name = client.recv(1024).decode(errors="replace")
    try:
        with open(name, "rb") as file:
            client.sendall(file.read())
    except (OSError, ValueError):
        pass
    client.close()
"#;

const PYTHON_CLIENT: &str = r#"
import socket, sys
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
client.send(sys.argv[2].encode())
while True:
    data = client.recv(1024)
    if not data:
        break
    sys.stdout.write(data.decode())
"#;

#[test]
fn tutorial_programs_in_python_serve_and_are_served() {
    let folder = Folder::in_memory().with("x.txt", "contents\n".repeat(1000));
    let server = Server::start(Launch::python(PYTHON_SERVER).within(&folder));
    let target = Folder::in_memory();
    fetch(&server.at(), &target, &["x.txt"]).exits(0).says(PLAIN_ONLY);
    assert_eq!(target.read("x.txt"), folder.read("x.txt"));
    fetch(&server.at(), &target, &["y.txt"]).exits(1).says(&["sent nothing"]);
    drop(server);

    let server = share(&folder, &[]);
    let client = Launch::python(PYTHON_CLIENT).args([&*server.port(), "x.txt"]).run().exits(0);
    assert_eq!(client.output().as_bytes(), folder.read("x.txt"));
    server.stop();
}
