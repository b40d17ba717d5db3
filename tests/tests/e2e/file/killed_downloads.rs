//! Killed at any byte of a download (nikhilsrajan/fsd#74): the name is absent or that of the complete
//! file, and the next run goes on.

use std::thread;
use std::time::Instant;

use barewire_tests::harness::faults::{Call, Fault as CallFault, FaultInjector, When};
use barewire_tests::harness::folder::{contents, names};
use barewire_tests::harness::framed::{DIGEST, RESPONSE, SEGMENT, compared, on_the_wire};
use barewire_tests::harness::seed::Random;
use barewire_tests::harness::{Fault, Folder, Proxy, TIMEOUT, share};
use nix::sys::signal::Signal;

use crate::common::frozen::wait_until_idle;
use crate::file::{begin, fetch};

const SIZE: usize = 5 * SEGMENT + 100;

/// More than eight runs can verify that are each killed within two segments.
const LONG: usize = 10 * SEGMENT + 100;

/// Whatever it was doing when the bytes came.
#[test]
fn killed_at_any_byte_nothing_is_lost() {
    let mut random = Random::from_printed_seed();
    let whole = contents(LONG, 7);
    let folder = Folder::in_memory().with("x", &whole);
    let server = share(&folder, &["-q"]);
    for _ in 0..3 {
        let target = Folder::in_memory();
        let proxy = Proxy::start(server.address(), &[]);
        for _ in 0..8 {
            proxy.add(Fault::Stall(random.number() % (2 * SEGMENT as u64)));
            let client = begin(&proxy.at(), &target, &["x"]).spawn();
            proxy.stalled();
            client.signal(Signal::SIGKILL);
            client.finish();
            if target.has("x") {
                target.assert_holds("x", &whole);
                break;
            }
        }
        if !target.has("x") {
            fetch(&server.at(), &target, &["x"]).exits(0);
        }
        target.assert_holds("x", &whole);
        assert_eq!(target.names(), ["x"]);
    }
    server.stop();
}

/// Killed when it had dealt with all that came: only the segment that was not complete is lost.
#[test]
fn killed_and_run_again_it_resumes() {
    let whole = contents(SIZE, 7);
    let folder = Folder::in_memory().with("x", &whole);
    let server = share(&folder, &["-q"]);
    let target = Folder::in_memory();
    let proxy = Proxy::start(server.address(), &[]);
    let segment = (SEGMENT + DIGEST) as u64;
    let header = RESPONSE as u64;
    // None, one, and two more have verified; then none, twice. What is held is compared first.
    let places = [(0, segment - 1), (0, segment), (1, 2 * segment + 7), (3, 10), (3, segment - 33)];
    for (held, place) in places {
        let comparison = if held > 0 { compared(held) } else { 0 };
        proxy.add(Fault::Stall(comparison + header + place));
        let client = begin(&proxy.at(), &target, &["x"]).spawn();
        proxy.stalled();
        wait_until_idle(&client);
        client.signal(Signal::SIGKILL);
        client.finish();
        assert!(!target.has("x") && target.has("x.part"), "{:?}", target.names());
    }
    let client = fetch(&proxy.at(), &target, &["x", "--json"]).exits(0);
    assert_eq!(client.event("downloaded")["resumed_from"], 3 * SEGMENT);
    target.assert_holds("x", &whole);
    assert_eq!(target.names(), ["x"]);
    let total: u64 = proxy.carried().iter().sum();
    assert!(total <= on_the_wire(SIZE) + 5 * (segment + header), "{:?}", proxy.carried());
    server.stop();
}

/// An orderly end keeps what has verified as well, and says so.
#[test]
fn interrupted_it_keeps_what_has_verified() {
    let whole = contents(SIZE, 7);
    let folder = Folder::in_memory().with("x", &whole);
    let server = share(&folder, &["-q"]);
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let proxy = Proxy::start(server.address(), &[Fault::Stall(3 << 20)]);
        let target = Folder::in_memory();
        let client = begin(&proxy.at(), &target, &["x"]).spawn();
        proxy.stalled();
        wait_until_idle(&client);
        client.signal(signal);
        client.finish().exits(code).says(&["2.00 MiB"]);
        assert_eq!(target.names(), ["x.part", "x.part.journal"]);
        let client = fetch(&server.at(), &target, &["x", "--json"]).exits(0);
        assert_eq!(client.event("downloaded")["resumed_from"], 2 * SEGMENT);
        target.assert_holds("x", &whole);
    }
    server.stop();
}

/// Whichever way the next run comes to the file. It is told by what the journal says that it is this one's.
#[test]
fn killed_when_the_file_had_its_name_the_next_run_clears_its_journal_away() {
    let folder = Folder::in_memory().with("t/x", contents(SEGMENT + 1, 7));
    let server = share(&folder, &["-q"]);
    for (options, code) in [
        (&["-r", "t"][..], 0),
        (&["-r", "t", "--checksum"], 0),
        (&["-r", "t", "--force"], 0),
        (&["t/x", "-d", "t"], 1),
    ] {
        let target = Folder::in_memory();
        let hangs = FaultInjector::new(Call::UNLINK, ".journal", CallFault::Hangs, When::Always);
        let client = begin(&server.at(), &target, &["-r", "t"]).with_faults(&hangs).spawn();
        let deadline = Instant::now() + TIMEOUT;
        while !target.path("t/x").exists() {
            assert!(Instant::now() < deadline, "the file has no name");
            thread::yield_now();
        }
        client.signal(Signal::SIGKILL);
        client.finish();
        assert_eq!(names(&target.path("t")), ["x", "x.part.journal"]);
        fetch(&server.at(), &target, options).exits(code);
        assert_eq!(names(&target.path("t")), ["x"], "{options:?}");
    }
    server.stop();
}

/// One of a single segment has no name until it is whole.
#[test]
fn killed_while_it_fetched_small_files_it_leaves_nothing() {
    let whole = contents(SEGMENT, 7);
    let folder = Folder::in_memory().with("t/a", &whole).with("t/b", &whole);
    let server = share(&folder, &["-q"]);
    let target = Folder::inside("/dev/shm");
    let proxy = Proxy::start(server.address(), &[Fault::Stall(SEGMENT as u64 / 2)]);
    let client = begin(&proxy.at(), &target, &["-r", "t"]).spawn();
    proxy.stalled();
    wait_until_idle(&client);
    client.signal(Signal::SIGKILL);
    client.finish();
    assert_eq!(names(&target.path("t")), [""; 0]);
    fetch(&server.at(), &target, &["-r", "t"]).exits(0);
    assert_eq!(names(&target.path("t")), ["a", "b"]);
    server.stop();
}
