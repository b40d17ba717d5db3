//! Many clients at once.

use std::io::{Read, Write};
use std::thread;

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{Ask, RESPONSE, Reply, SEGMENT, on_the_wire};
use barewire_tests::harness::sockets::{End, connect, connect_narrow, read_out};
use barewire_tests::harness::{Folder, share};

use super::fetch;

/// Each gets a file of its own and one that all want, pipelined, and checks every digest.
#[test]
fn sixty_four_clients_at_once_are_all_served_right() {
    for options in [&["-q"][..], &["-q", "--threads", "2"]] {
        let common = contents(SEGMENT + 11, 64);
        let folder = Folder::in_memory().with("common", &common);
        for number in 0..64 {
            folder.write(&number.to_string(), contents(70_000 + number, number as u64));
        }
        let server = share(&folder, options);
        let address = server.address();
        thread::scope(|scope| {
            for number in 0..64 {
                let common = &common;
                scope.spawn(move || {
                    let mut stream = connect(address);
                    let asks = [Ask::get(number.to_string()), Ask::get("common")];
                    for ask in &asks {
                        ask.send(&mut stream);
                    }
                    let own = Reply::read(&mut stream, &asks[0]).contents(&mut stream);
                    assert!(own == contents(70_000 + number, number as u64), "{number}");
                    let shared = Reply::read(&mut stream, &asks[1]).contents(&mut stream);
                    assert!(shared == *common, "{number}");
                });
            }
        });
        server.stop();
    }
}

/// The program itself, a few at a time more than there are processors.
#[test]
fn programs_at_once_are_all_served_right() {
    let whole = contents(3 * SEGMENT + 1, 8);
    let folder = Folder::in_memory().with("x", &whole);
    let server = share(&folder, &["--json"]);
    let at = server.at();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let target = Folder::in_memory();
                fetch(&at, &target, &["x"]).exits(0);
                target.assert_holds("x", &whole);
            });
        }
    });
    let events = server.stop().events();
    assert_eq!(events.iter().filter(|event| event["event"] == "served").count(), 8);
}

/// Slow readers hold a large file half-way, in each form; the fast come and go, and in the end the
/// slow have theirs.
#[test]
fn slow_readers_delay_nobody() {
    let whole = contents(12 * SEGMENT, 3);
    let folder = Folder::in_memory().with("x", &whole).with("small", "quick");
    let server = share(&folder, &[]);
    let requests = [b"x\n".to_vec(), Ask::get("x").unverified().bytes(), Ask::get("x").bytes()];
    let mut slow: Vec<_> = requests.iter().map(|_| connect_narrow(server.address())).collect();
    for (stream, request) in slow.iter_mut().zip(&requests) {
        stream.write_all(request).unwrap();
        stream.read_exact(&mut [0; 1000]).unwrap();
    }
    let mut fast = connect(server.address());
    for _ in 0..200 {
        assert_eq!(Ask::get("small").fetch(&mut fast).1, b"quick");
    }
    assert!(Ask::get("x").fetch(&mut fast).1 == whole);
    let sizes = [whole.len() as u64, (RESPONSE + whole.len()) as u64, on_the_wire(whole.len())];
    for (mut stream, size) in slow.into_iter().zip(sizes) {
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let (rest, end) = read_out(&mut stream);
        assert_eq!((1000 + rest.len() as u64, end), (size, End::Closed));
    }
    drop(fast);
    server.stop();
}

/// One takes nothing for a while in the middle of what it asked for; the memory of the server does
/// not grow with what waits.
#[test]
fn requests_that_wait_cost_no_memory() {
    let folder = Folder::in_memory().with("x", contents(SEGMENT, 3));
    let server = share(&folder, &["-q"]);
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.program.process()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("proc(5)");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number")
    };
    assert_eq!(Ask::get("x").status(server.address()), 0);
    let before = resident();
    let mut greedy: Vec<_> = (0..20).map(|_| connect_narrow(server.address())).collect();
    let requests: Vec<u8> = (0..100).flat_map(|_| Ask::get("x").bytes()).collect();
    for stream in &mut greedy {
        stream.write_all(&requests).unwrap();
        stream.read_exact(&mut [0; 1000]).unwrap();
    }
    let grown = resident().saturating_sub(before);
    // Two gigabytes were asked for.
    assert!(grown < 20_000, "{grown} KiB");
    drop(greedy);
    assert_eq!(Ask::get("x").status(server.address()), 0);
    server.stop();
}
