//! The framed form, asked for by hand.

use std::io::{Read as _, Write};
use std::net::Shutdown;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{Ask, RESPONSE, Reply, SEGMENT};
use barewire_tests::harness::sockets::{
    End, assert_nothing_arrives, connect, is_ended_by_peer, read_out,
};
use barewire_tests::harness::{Folder, share};

use super::shares::is_served;
use crate::common::time_enough::with_time_enough;
use crate::common::words::TIMED_OUT;

#[test]
fn digests_prove_files_of_every_size() {
    let folder = Folder::new();
    let sizes = [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT + 7];
    for size in sizes {
        folder.write(&size.to_string(), contents(size, size as u64));
    }
    let server = share(&folder, &[]);
    let mut stream = connect(server.address());
    for size in sizes {
        for ask in [Ask::get(size.to_string()), Ask::get(size.to_string()).unverified()] {
            let (reply, found) = ask.fetch(&mut stream);
            let verified = ask.flags == 1;
            let Reply { tag, modified, .. } = reply;
            assert_eq!(reply, Reply { verified, modified, ..Reply::ok(size, tag) });
            assert!(found == contents(size, size as u64), "{size}");
        }
    }
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_out(&mut stream), (vec![], End::Closed));
    server.stop();
}

/// More than can wait anywhere on the way, sent from zeros that take no room, with marks that tell
/// whether all is in its place.
#[test]
fn a_hundred_mebibytes_arrive() {
    const SIZE: u64 = 100 << 20;
    let marks: [(u64, &[u8]); 3] = [(0, b"begin"), (SIZE / 2, b"middle"), (SIZE - 3, b"end")];
    let folder = Folder::in_memory().with_sparse("big", SIZE, &marks);
    let server = share(&folder, &[]);
    let mut stream = connect(server.address());
    let ask = Ask::get("big").unverified();
    ask.send(&mut stream);
    let reply = Reply::read(&mut stream, &ask);
    assert_eq!((reply.status, reply.size), (0, SIZE));
    // Segment by segment, so that they are not all kept.
    for at in (0..SIZE).step_by(SEGMENT) {
        let piece = Reply { offset: at, length: SEGMENT as u64, ..reply };
        let found = piece.contents(&mut stream);
        for (place, mark) in marks {
            if (at..at + SEGMENT as u64).contains(&place) {
                let within = usize::try_from(place - at).unwrap();
                assert!(found[within..].starts_with(mark), "at {place}");
            }
        }
    }
    assert_nothing_arrives(&stream);
    drop(stream);
    server.stop();
}

#[test]
fn a_download_goes_on_from_any_offset() {
    let whole = contents(2 * SEGMENT + 100, 1);
    let folder = Folder::new().with("x", &whole);
    let server = share(&folder, &[]);
    let mut stream = connect(server.address());
    let (first, _) = Ask::get("x").fetch(&mut stream);
    for offset in [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, whole.len() - 1, whole.len()] {
        for tag in [0, first.tag] {
            let ask = Ask::get("x").unverified().from(offset as u64, tag);
            let (reply, found) = ask.fetch(&mut stream);
            assert_eq!(reply, Reply { verified: false, ..first.from(offset as u64) });
            assert!(found == whole[offset..], "{offset}");
        }
    }
    for offset in [0, SEGMENT, 2 * SEGMENT] {
        let (reply, found) = Ask::get("x").from(offset as u64, first.tag).fetch(&mut stream);
        assert_eq!(reply, first.from(offset as u64));
        assert!(found == whole[offset..], "{offset}");
    }
    drop(stream);
    server.stop();
}

/// What the client holds is of another version, so it is worth nothing.
#[test]
fn another_version_starts_over() {
    let folder = Folder::new().with("x", "version 1");
    let server = share(&folder, &[]);
    let mut stream = connect(server.address());
    let (first, _) = Ask::get("x").fetch(&mut stream);

    folder.write("x", "version two");
    let (second, found) = Ask::get("x").from(SEGMENT as u64, first.tag).fetch(&mut stream);
    assert_eq!((second.offset, &*found), (0, &b"version two"[..]));
    assert_ne!(second.tag, first.tag);

    // Also if the offset lies past the end of the new one.
    folder.write("x", "3");
    let (third, found) = Ask::get("x").from(SEGMENT as u64, first.tag).fetch(&mut stream);
    assert_eq!((third.offset, &*found), (0, &b"3"[..]));
    drop(stream);
    server.stop();
}

/// A file that merely grew is a new version too, for the next request; so is one that was only renamed,
/// since nothing but the time of change tells it from one whose other times lie.
#[test]
fn every_change_is_another_version() {
    let folder = Folder::new().with("x", "contents").with("y", "contents");
    let server = share(&folder, &[]);
    let mut stream = connect(server.address());
    let mut tags = vec![Ask::get("y").fetch(&mut stream).0.tag];
    tags.push(Ask::get("x").fetch(&mut stream).0.tag);
    assert_eq!(Ask::get("x").fetch(&mut stream).0.tag, tags[1], "unchanged");
    folder.append("x", "!");
    tags.push(Ask::get("x").fetch(&mut stream).0.tag);
    wait_for_another_tick(folder.as_ref());
    std::fs::rename(folder.path("y"), folder.path("x")).unwrap();
    tags.push(Ask::get("x").fetch(&mut stream).0.tag);
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), 4, "{tags:?}");
    drop(stream);
    server.stop();
}

/// Returns when what happens to a file bears another time than what has happened before. Clocks tick as
/// coarsely as they like.
fn wait_for_another_tick(folder: &Path) {
    let stamp = |name: &str| {
        let path = folder.join(name);
        std::fs::write(&path, "").unwrap();
        let metadata = std::fs::metadata(&path).unwrap();
        (metadata.ctime(), metadata.ctime_nsec())
    };
    let before = stamp("tick");
    while stamp("tick") == before {}
    std::fs::remove_file(folder.join("tick")).unwrap();
}

#[test]
fn every_status_has_its_cause() {
    let folder = Folder::new().with("x", "contents").with_folder("sub");
    let server = share(&folder, &[]);
    for (ask, status) in [
        (Ask::get("x"), 0),
        (Ask::get("y"), 1),
        (Ask::list("y"), 1),
        (Ask::get("sub"), 2),
        (Ask::list("x"), 1),
        (Ask::get("x").unverified().from(9, 0), 7),
        (Ask::get("x").from(SEGMENT as u64, 0), 7),
        (Ask::list("").unverified().from(u64::MAX, 0), 7),
    ] {
        let mut stream = connect(server.address());
        let (reply, _) = ask.fetch(&mut stream);
        assert_eq!(reply.status, status, "{ask:?}");
        // The connection goes on.
        assert_eq!(Ask::get("x").fetch(&mut stream).1, b"contents", "after {ask:?}");
    }
    server.stop().prints("y: not found").prints("sub: refused").prints("x: 8 bytes");
}

/// As root everything may be read.
#[test]
fn what_the_server_may_not_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new().with("secret", "s").with("x", "contents");
    let none = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(folder.path("secret"), none).unwrap();
    let may_read = std::fs::File::open(folder.path("secret")).is_ok();
    let server = share(&folder, &[]);
    assert_eq!(Ask::get("secret").status(server.address()), if may_read { 0 } else { 2 });
    assert_eq!(Ask::get("x").status(server.address()), 0);
    server.stop();
}

/// All the answers come, in order, the refused ones among them, and the half-close before the first
/// of them cuts none off.
#[test]
fn requests_may_be_sent_before_the_answers() {
    let big = contents(SEGMENT + 5, 1);
    let folder = Folder::new().with("big", &big).with("small", "s").with("empty", "");
    let server = share(&folder, &[]);
    let round =
        [Ask::get("small"), Ask::get("no"), Ask::get("big"), Ask::get("../x"), Ask::get("empty")];
    let mut stream = connect(server.address());
    let requests: Vec<u8> = (0..40).flat_map(|_| round.iter().flat_map(Ask::bytes)).collect();
    let mut writer = stream.try_clone().unwrap();
    let writing = std::thread::spawn(move || {
        writer.write_all(&requests).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    for number in 0..40 {
        for (ask, expected) in round.iter().zip([Ok(&b"s"[..]), Err(1), Ok(&big), Err(2), Ok(b"")])
        {
            let reply = Reply::read(&mut stream, ask);
            let found = reply.contents(&mut stream);
            match expected {
                Ok(whole) => assert!(found == whole, "round {number}, {ask:?}"),
                Err(status) => assert_eq!(reply.status, status, "round {number}, {ask:?}"),
            }
        }
    }
    assert_eq!(read_out(&mut stream), (vec![], End::Closed));
    writing.join().unwrap();
    server.stop();
}

/// A request that comes byte by byte, the next one begun in the same breath as its end.
#[test]
fn requests_may_come_in_any_pieces() {
    let folder = Folder::new().with("x", "contents");
    let server = share(&folder, &[]);
    let mut stream = connect(server.address());
    let bytes: Vec<u8> = [Ask::get("x").bytes(), Ask::get("nothing").bytes()].concat();
    for byte in &bytes[..bytes.len() - 1] {
        stream.write_all(&[*byte]).unwrap();
    }
    assert_eq!(Reply::read(&mut stream, &Ask::get("x")).contents(&mut stream), b"contents");
    stream.write_all(&bytes[bytes.len() - 1..]).unwrap();
    assert_eq!(Reply::read(&mut stream, &Ask::get("nothing")).status, 1);
    drop(stream);
    server.stop();
}

#[test]
fn a_request_that_breaks_off_is_reported_and_harms_nobody() {
    let folder = Folder::new().with("x", "contents");
    let mut server = share(&folder, &[]);
    for length in [1, 3, 39, 40] {
        let mut stream = connect(server.address());
        stream.write_all(&Ask::get("x").bytes()[..length]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(is_ended_by_peer(&mut stream), "after {length} bytes");
        server.program.diagnostic_with(&["in the middle of a request"]);
    }
    assert_eq!(Ask::get("x").status(server.address()), 0);
    server.stop();
}

/// Who has been answered may take its time-out for the next question; who says nothing or only a
/// part has that long as well.
#[test]
fn the_timeout_ends_who_asks_nothing() {
    let folder = Folder::new().with("x", "contents");
    with_time_enough(|timeout| {
        let mut server = share(&folder, &["--timeout", timeout]);
        let silent = connect(server.address());
        let mut halfway = connect(server.address());
        halfway.write_all(&Ask::get("x").bytes()[..20]).unwrap();
        let mut asked = connect(server.address());
        // On a busy machine it may be too late.
        let _ = asked.write_all(&Ask::get("x").bytes());
        let is_answered = asked.read_exact(&mut [0; RESPONSE]).is_ok();
        for mut stream in [silent, halfway, asked] {
            assert!(is_ended_by_peer(&mut stream));
        }
        server.program.diagnostic_with(&TIMED_OUT);
        let goes_on = is_served(server.address()).unwrap_or(false);
        server.stop();
        (is_answered && goes_on).then_some(())
    });
}

/// A connection may rest between two requests.
#[test]
fn a_connection_rests_between_requests() {
    let folder = Folder::new().with("x", "contents");
    let server = share(&folder, &["--timeout", "1h"]);
    let mut resting = connect(server.address());
    assert_eq!(Ask::get("x").fetch(&mut resting).1, b"contents");
    assert_nothing_arrives(&resting);
    for _ in 0..100 {
        assert_eq!(Ask::get("x").status(server.address()), 0);
    }
    assert_eq!(Ask::get("x").fetch(&mut resting).1, b"contents");
    drop(resting);
    server.stop();
}
