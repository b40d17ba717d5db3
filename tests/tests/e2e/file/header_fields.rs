//! Every field of a header at its ends (CVE-2021-41054, CVE-2019-5482): the answer is the right one,
//! and never a byte that was left in a buffer.

use std::io::{Read, Write};

use barewire_tests::harness::framed::{Ask, Reply};
use barewire_tests::harness::seed::Random;
use barewire_tests::harness::sockets::{End, connect, read_out};
use barewire_tests::harness::{Folder, Server, share};

fn server() -> (Folder, Server) {
    let folder = Folder::new().with("x", "contents").with("other", "SECRET of another client");
    let server = share(&folder, &[]);
    (folder, server)
}

/// The answer is a refusal that closes, and nothing behind it.
#[track_caller]
fn assert_closed_with(server: &Server, ask: &Ask, status: u8) {
    let mut stream = connect(server.address());
    stream.write_all(&ask.bytes()).unwrap();
    // What comes after cannot be understood any more; it must not turn the close into a reset.
    stream.write_all(&Ask::get("x").bytes()).unwrap();
    let reply = Reply::read(&mut stream);
    assert_eq!(reply.status, status, "{ask:?}");
    // The server waits for this side's end, since it cannot tell where what comes next begins.
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(read_out(&mut stream), (vec![], End::Closed), "{ask:?}");
}

#[test]
fn a_wrong_magic_or_version_is_refused() {
    let (_folder, server) = server();
    for prefix in [*b"\0AW\x01", *b"\0BX\x01", *b"\0\0\0\x01", *b"\0\xff\xff\x01"] {
        assert_closed_with(&server, &Ask { prefix, ..Ask::get("x") }, 3);
    }
    for version in [0, 2, 0xfe, 0xff] {
        let prefix = [0, b'B', b'W', version];
        assert_closed_with(&server, &Ask { prefix, ..Ask::get("x") }, 4);
    }
    server.stop();
}

#[test]
fn unknown_operations_and_flags_are_refused() {
    let (_folder, server) = server();
    for operation in [0, 3, 0xfe, 0xff] {
        assert_closed_with(&server, &Ask { operation, ..Ask::get("x") }, 4);
    }
    for flags in [2, 3, 0x80, 0xfe, 0xff] {
        assert_closed_with(&server, &Ask { flags, ..Ask::get("x") }, 4);
    }
    server.stop();
}

#[test]
fn names_of_every_length_are_read_right() {
    let (_folder, server) = server();
    let none = Ask { name_length: Some(0), name: vec![], ..Ask::get("") };
    assert_eq!(none.status(server.address()), 2);
    assert_eq!(Ask { operation: 2, ..none }.status(server.address()), 0);
    for length in [1023, 1024] {
        let status = Ask::get("n".repeat(length)).status(server.address());
        assert!(matches!(status, 1 | 2), "{length}: {status}");
    }
    for length in [1025, 0x7fff, 0x8000, 0xfffe, 0xffff] {
        let ask = Ask { name_length: Some(length), ..Ask::get("x") };
        assert_closed_with(&server, &ask, 3);
    }
    server.stop();
}

#[test]
fn offsets_and_tags_of_every_size_are_read_right() {
    let (_folder, server) = server();
    let mut stream = connect(server.address());
    let tag = Ask::get("x").fetch(&mut stream).0.tag;
    let edges = [0, 1, 7, 8, 9, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX - 1, u64::MAX];
    for offset in edges {
        for held in [0, 1, tag, tag ^ 1, u64::MAX - 1, u64::MAX] {
            for ask in [Ask::get("x"), Ask::get("x").unverified()] {
                let (reply, found) = ask.from(offset, held).fetch(&mut stream);
                let starts_over = held != 0 && held != tag;
                match if starts_over { 0 } else { offset } {
                    start @ 0..=8 => {
                        let start = usize::try_from(start).unwrap();
                        assert_eq!((reply.status, &*found), (0, &b"contents"[start..]));
                    }
                    _ => assert_eq!(reply.status, 7, "{offset} {held:#x}"),
                }
            }
        }
    }
    drop(stream);
    server.stop();
}

/// A header of which only the beginning is right, and then anything.
#[test]
fn random_headers_harm_nobody() {
    let mut random = Random::from_printed_seed();
    let (_folder, server) = server();
    for number in 0..200 {
        let mut bytes = Ask::get("x").bytes();
        let noise = random.bytes(64);
        let kept = number % bytes.len();
        bytes.truncate(kept);
        bytes.extend(noise);
        let mut stream = connect(server.address());
        // The server may have heard enough.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let leaked = answer.windows(6).any(|window| window == b"SECRET");
        assert!(!leaked, "{}", answer.escape_ascii());
    }
    assert_eq!(Ask::get("x").status(server.address()), 0);
    server.stop();
}
