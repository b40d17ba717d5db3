//! The plain form, asked for by hand: the name goes out, the contents come back.

use std::io::Write;
use std::net::{Shutdown, SocketAddr};

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::SEGMENT;
use barewire_tests::harness::sockets::{End, connect, read_out};
use barewire_tests::harness::{Folder, share};

/// Says `request` and gives what comes back, which must end in order.
#[track_caller]
fn ask(server: SocketAddr, request: impl AsRef<[u8]>) -> Vec<u8> {
    let mut stream = connect(server);
    stream.write_all(request.as_ref()).unwrap();
    let (bytes, end) = read_out(&mut stream);
    assert_eq!(end, End::Closed);
    bytes
}

/// One `send` of the name, without a terminator, then reads to the end.
#[test]
fn a_tutorial_client_gets_a_file() {
    let folder = Folder::new().with("grüße.txt", "hello there").with("sub/x", "inner");
    let server = share(&folder, &[]);
    assert_eq!(ask(server.address(), "grüße.txt"), b"hello there");
    assert_eq!(ask(server.address(), "sub/x"), b"inner");
    server.stop().prints("grüße.txt: 11 bytes").prints("sub/x: 5 bytes");
}

/// As `printf 'NAME\n' | nc` does it, whether that half-closes at the end of its input or not. With
/// an endless quiet period, nothing but the line feed or the half-close ends the name.
#[test]
fn a_line_or_a_half_close_ends_a_name_at_once() {
    let folder = Folder::new().with("x", "contents");
    let server = share(&folder, &["--quiet-period", "1h"]);
    assert_eq!(ask(server.address(), "x\n"), b"contents");
    assert_eq!(ask(server.address(), "x\r\n"), b"contents");
    for request in ["x", "x\n", "x\r\n"] {
        let mut stream = connect(server.address());
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_out(&mut stream), (b"contents".to_vec(), End::Closed), "{request:?}");
    }
    server.stop();
}

/// A name that comes in pieces is one name.
#[test]
fn a_name_may_come_byte_by_byte() {
    let folder = Folder::new().with("日本.txt", "whole");
    let server = share(&folder, &["--quiet-period", "1h"]);
    let mut stream = connect(server.address());
    for byte in "日本.txt\n".bytes() {
        stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(read_out(&mut stream), (b"whole".to_vec(), End::Closed));
    drop(stream);
    server.stop();
}

#[test]
fn what_is_not_given_out_is_a_close_without_a_byte() {
    let folder = Folder::new().with("x", "contents").with_folder("sub");
    // Several threads tell of their clients in no particular order.
    let server = share(&folder, &["--json", "--threads", "1"]);
    let requests = [
        ("missing\n", "not found"),
        ("sub\n", "refused"),
        ("sub/\n", "refused"),
        (".\n", "refused"),
        ("x/y\n", "not found"),
        ("../x\n", "refused"),
        ("/etc/passwd\n", "refused"),
        ("\n", "refused"),
    ];
    for (name, _) in requests {
        assert_eq!(ask(server.address(), name), b"", "{name:?}");
    }
    let server = server.stop();
    let events = server.events();
    let answers = events.iter().filter(|event| event["event"] == "served");
    for (event, (name, status)) in answers.zip(requests) {
        assert_eq!((&event["name"], &event["status"]), (&name.trim().into(), &status.into()));
        assert_eq!(event["bytes"], 0, "{event}");
    }
    assert_eq!(events.len(), 1 + requests.len(), "{server:?}");
}

#[test]
fn a_name_over_the_limit_is_a_close_without_a_byte() {
    let folder = Folder::new();
    let server = share(&folder, &["--quiet-period", "1h"]);
    for length in [1025, 4096, 100_000] {
        assert_eq!(ask(server.address(), "n".repeat(length)), b"", "{length}");
    }
    // One of the longest is looked for: there is no such file, whatever it is.
    assert_eq!(ask(server.address(), "n".repeat(1024) + "\n"), b"");
    server.stop();
}

/// Sizes around every bound there is.
#[test]
fn files_of_every_size_arrive() {
    let folder = Folder::new();
    let sizes = [0, 1, 1023, 1024, 1025, 65535, 65537, SEGMENT - 1, SEGMENT, SEGMENT + 1];
    for size in sizes {
        folder.write(&size.to_string(), contents(size, size as u64));
    }
    let server = share(&folder, &[]);
    for size in sizes {
        let found = ask(server.address(), format!("{size}\n"));
        assert!(found == contents(size, size as u64), "{size}: {} bytes", found.len());
    }
    server.stop();
}
