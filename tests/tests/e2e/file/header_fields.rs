//! Every field of a header at its ends (CVE-2021-41054, CVE-2019-5482): the answer is the right one,
//! and never a byte that was left in a buffer.

use std::io::{Read, Write};

use barewire_tests::harness::framed::{Ask, Reply, TO_END};
use barewire_tests::harness::seed::Random;
use barewire_tests::harness::sockets::{End, connect, read_out};
use barewire_tests::harness::{Folder, Server, share};

fn server() -> (Folder, Server) {
    let folder = Folder::new().with("x", "contents").with("other", "SECRET of another client");
    // Whose requests are all malformed is let in all the same.
    let server = share(&folder, &["--max-pause", "0"]);
    (folder, server)
}

/// The answer is a refusal that closes, and nothing behind it.
#[track_caller]
fn assert_closed_with(server: &Server, ask: &Ask, status: u8) {
    let mut stream = connect(server.address());
    stream.write_all(&ask.bytes()).unwrap();
    // What comes after cannot be understood any more; it must not turn the close into a reset.
    stream.write_all(&Ask::get("x").bytes()).unwrap();
    let reply = Reply::read(&mut stream, ask);
    assert_eq!(reply.status, status, "{ask:?}");
    // The server waits for this side's end, since it cannot tell where what comes next begins.
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(read_out(&mut stream), (vec![], End::Closed), "{ask:?}");
}

#[test]
fn a_wrong_magic_or_version_is_refused() {
    let (_folder, server) = server();
    for prefix in [*b"\0AW\x02", *b"\0BX\x02", *b"\0\0\0\x02", *b"\0\xff\xff\x02"] {
        assert_closed_with(&server, &Ask { prefix, ..Ask::get("x") }, 3);
    }
    for version in [0, 1, 3, 0xfe, 0xff] {
        let prefix = [0, b'B', b'W', version];
        assert_closed_with(&server, &Ask { prefix, ..Ask::get("x") }, 4);
    }
    server.stop();
}

#[test]
fn unknown_operations_flags_and_segments_are_refused() {
    let (_folder, server) = server();
    for operation in [0, 4, 0xfe, 0xff] {
        assert_closed_with(&server, &Ask { operation, ..Ask::get("x") }, 4);
    }
    for flags in [2, 3, 0x80, 0xfe, 0xff] {
        assert_closed_with(&server, &Ask { flags, ..Ask::get("x") }, 3);
    }
    for exponent in [11, 12, 63, 64, 0xff] {
        let segment = [exponent, 0, 0, 0, 0, 0, 0, 0];
        assert_closed_with(&server, &Ask { segment, ..Ask::get("x") }, 3);
    }
    for place in 1..8 {
        let mut segment = Ask::get("x").segment;
        segment[place] = 1;
        assert_closed_with(&server, &Ask { segment, ..Ask::get("x") }, 3);
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
fn offsets_lengths_and_tags_of_every_size_are_read_right() {
    let (_folder, server) = server();
    let mut stream = connect(server.address());
    let tag = Ask::get("x").fetch(&mut stream).0.tag;
    let edges = [0, 1, 7, 8, 9, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX - 1, u64::MAX];
    for offset in edges {
        for length in edges {
            for held in [0, 1, tag, tag ^ 1, u64::MAX - 1, u64::MAX] {
                let ask = Ask { length, ..Ask::get("x").unverified().from(offset, held) };
                let (reply, found) = ask.fetch(&mut stream);
                let starts_over = held != 0 && held != tag;
                let (start, length) = match (starts_over, length >= 1 << 62) {
                    (false, _) => (offset, length),
                    (true, true) => (0, length),
                    (true, false) => (0, 0),
                };
                let expected = usize::try_from(start).ok().and_then(|start| {
                    let rest = b"contents".get(start..)?;
                    Some(&rest[..rest.len().min(usize::try_from(length).unwrap_or(usize::MAX))])
                });
                match expected {
                    Some(contents) => assert_eq!((reply.status, &*found), (0, contents)),
                    None => assert_eq!(reply.status, 7, "{offset} {length} {held:#x}"),
                }
            }
        }
    }
    drop(stream);
    server.stop();
}

/// With digests a range is of whole segments.
#[test]
fn ranges_that_cut_a_segment_are_malformed() {
    let folder = Folder::new().with("x", vec![7; 10_000]);
    let server = share(&folder, &[]);
    let segment = [2, 0, 0, 0, 0, 0, 0, 0];
    for (offset, length, status) in [
        (0, 4096, 0),
        (4096, 4096, 0),
        (8192, TO_END, 0),
        (8192, 4096, 0),
        (4096, 5904, 0),
        (4096, 0, 0),
        (12_288, TO_END, 7),
        (1, TO_END, 3),
        (1024, 3072, 3),
        (0, 4095, 3),
        (4096, 5903, 3),
    ] {
        for ask in [Ask::get("x"), Ask::hashes("x")] {
            let ask = Ask { offset, length, segment, ..ask };
            let mut stream = connect(server.address());
            ask.send(&mut stream);
            assert_eq!(Reply::read(&mut stream, &ask).status, status, "{ask:?}");
        }
    }
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
