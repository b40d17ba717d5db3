//! What one client, or one source of clients, may have of a server: so many connections, and so many bytes a
//! second.

use std::io::{self, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{Ask, RESPONSE, Reply};
use barewire_tests::harness::sockets::{End, connect, connect_narrow, read_out, with_timeouts};
use barewire_tests::harness::{Folder, Server, share};

/// The status of a server that has too much to do.
const BUSY: u8 = 5;

#[test]
fn more_connections_of_a_source_than_its_share_are_told_that_the_server_is_busy() {
    let folder = Folder::new().with("x", "contents");
    for options in [&["--max-per-source", "2"][..], &["--max-per-source", "2", "--threads", "1"]] {
        let server = share(&folder, options);
        let mut held = [connect(server.address()), connect(server.address())];
        for stream in &mut held {
            assert_eq!(Ask::get("x").fetch(stream).1, b"contents");
        }
        let mut turned_away = [connect(server.address()), connect(server.address())];
        for stream in &mut turned_away {
            let ask = Ask::get("x");
            ask.send(stream);
            assert_eq!(Reply::read(stream, &ask).status, BUSY);
        }
        // They are not kept.
        for mut stream in turned_away {
            assert_eq!(read_out(&mut stream), (vec![], End::Closed));
        }
        // Those who are served go on being so, and leave their places to others.
        for stream in &mut held {
            assert_eq!(Ask::get("x").fetch(stream).1, b"contents");
        }
        drop(held);
        assert_served(&server);
        server.stop().prints("x: turned away, as all places of its source are taken");
    }
}

#[test]
fn a_record_tells_in_a_fixed_word_that_somebody_was_turned_away_and_the_reason_besides() {
    let folder = Folder::new().with("x", "contents");
    let mut server = share(&folder, &["--max-per-source", "1", "--json"]);
    let mut held = connect(server.address());
    assert_eq!(Ask::get("x").fetch(&mut held).1, b"contents");
    let record = server.program.event("served");
    assert_eq!((&record["status"], record.get("reason")), (&"ok".into(), None));
    assert_eq!(Ask::get("x").status(server.address()), BUSY);
    let record = server.program.event("served");
    assert_eq!(record["status"], "turned away");
    assert_eq!(record["reason"], "all places of its source are taken");
    server.stop();
}

/// Somebody else's place is not taken by those who are turned away.
#[test]
fn who_is_turned_away_takes_no_place_of_a_client() {
    let folder = Folder::new().with("x", "contents");
    let options = ["--max-clients", "2", "--max-per-source", "1"];
    let server = share(&folder, &options);
    let mut held = connect(server.address());
    assert_eq!(Ask::get("x").fetch(&mut held).1, b"contents");
    for _ in 0..10 {
        assert_eq!(Ask::get("x").status(server.address()), BUSY);
    }
    assert_eq!(Ask::get("x").fetch(&mut held).1, b"contents");
    drop(held);
    server.stop();
}

/// Who is being served keeps its place, and others are told at once.
#[test]
fn max_clients_bounds_how_many_are_served_at_once() {
    let folder = Folder::new().with("x", "contents").with_sparse("big", 64 << 20, &[]);
    for options in [&["--max-clients", "1"][..], &["--max-clients", "1", "--threads", "2"]] {
        let server = share(&folder, options);
        let mut held = connect_narrow(server.address());
        let ask = Ask::get("big");
        ask.send(&mut held);
        assert_eq!(Reply::read(&mut held, &ask).status, 0);
        for _ in 0..3 {
            assert_eq!(Ask::get("x").status(server.address()), BUSY);
        }
        drop(held);
        assert_served(&server);
        server.stop();
    }
}

/// Those who are kept for what may come go first, the longest idle before the others; what they were sent
/// is whole.
#[test]
fn idle_connections_make_room_for_who_comes() {
    let folder = Folder::new().with("x", "contents");
    let options = ["--max-clients", "2", "--max-per-source", "3", "--threads", "1"];
    let server = share(&folder, &options);
    let mut held = [(); 2].map(|()| {
        let mut stream = connect(server.address());
        assert_eq!(Ask::get("x").fetch(&mut stream).1, b"contents");
        stream
    });
    // Who has asked once more is idle only since then.
    assert_eq!(Ask::get("x").fetch(&mut held[0]).1, b"contents");
    let mut newcomer = connect(server.address());
    assert_eq!(Ask::get("x").fetch(&mut newcomer).1, b"contents");
    assert_eq!(read_out(&mut held[1]), (vec![], End::Closed));
    assert_eq!(Ask::get("x").fetch(&mut held[0]).1, b"contents");
    server.stop();
}

/// On whichever thread.
#[test]
fn who_never_says_a_word_makes_room_too() {
    let folder = Folder::new().with("x", "contents");
    let options = ["--max-clients", "2", "--max-per-source", "3", "--threads", "2"];
    let server = share(&folder, &options);
    for _ in 0..4 {
        let _silent = [(); 2].map(|()| TcpStream::connect(server.address()));
        assert_served(&server);
    }
    server.stop();
}

#[track_caller]
fn assert_served(server: &Server) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_served(server.address()).unwrap_or(false) {
        assert!(Instant::now() < deadline, "no place is free again");
    }
}

/// Whether somebody new is served. Where many are turned away at a time, some are so without a word.
pub(super) fn is_served(server: SocketAddr) -> io::Result<bool> {
    let mut stream = with_timeouts(TcpStream::connect(server)?);
    stream.write_all(&Ask::get("x").bytes())?;
    let mut response = [0; RESPONSE];
    stream.read_exact(&mut response)?;
    Ok(response[4] == 0)
}

/// How long it takes `clients` at once to have `size` bytes each.
fn time(options: &[&str], clients: usize, size: usize) -> Duration {
    let whole = contents(size, 1);
    let folder = Folder::new().with("x", &whole);
    let server = share(&folder, options);
    let begun = Instant::now();
    thread::scope(|scope| {
        for number in 0..clients {
            let (address, whole) = (server.address(), &whole);
            scope.spawn(move || {
                let mut stream = connect(address);
                if number % 2 == 0 {
                    assert!(Ask::get("x").fetch(&mut stream).1 == *whole);
                } else {
                    stream.write_all(b"x\n").unwrap();
                    assert!(read_out(&mut stream) == (whole.clone(), End::Closed));
                }
            });
        }
    });
    let took = begun.elapsed();
    server.stop();
    took
}

/// A tenth of a second may be ahead of the rate, and one piece of a twentieth.
#[test]
fn a_rate_holds_for_all_clients_together_or_for_each_source() {
    for option in ["--limit-rate", "--limit-rate-client"] {
        let one = time(&[option, "800K"], 1, 300 << 10);
        assert!(one >= Duration::from_millis(200), "{option}: {one:?}");
        let three = time(&[option, "800K", "--threads", "2"], 3, 100 << 10);
        assert!(three >= Duration::from_millis(200), "{option}: {three:?}");
        assert!(one.max(three) < Duration::from_secs(10), "{option}: {one:?}, {three:?}");
    }
    let both = ["--limit-rate", "1G", "--limit-rate-client", "400K"];
    assert!(time(&both, 1, 200 << 10) >= Duration::from_millis(300));
}

/// Waits that are the server's own are not held against the client.
#[test]
fn a_rate_far_below_what_the_stall_asks_for_cuts_nobody_off() {
    let took = time(&["--limit-rate", "8K", "--stall", "200ms"], 2, 4 << 10);
    assert!(took >= Duration::from_millis(600), "{took:?}");
}
