//! To resume does not hash again what has verified (croc#1029, croc#781): neither does it travel again,
//! nor is it read again, if the run before has ended in order, and the file system tells whether a file
//! was touched since.

use std::fs;

use barewire_tests::harness::framed::{DIGEST, RESPONSE, SEGMENT, compared, on_the_wire};
use barewire_tests::harness::{Fault, Folder, Program, Proxy, share};
use nix::sys::signal::Signal;

use crate::common::frozen::wait_until_idle;
use crate::file::{begin, fetch};

const SEGMENTS: usize = 40;
const SIZE: usize = SEGMENTS * SEGMENT;

/// How many bytes a process has read from files (`/proc/PID/io`, proc(5)).
fn bytes_read(program: &Program) -> u64 {
    let io = fs::read_to_string(format!("/proc/{}/io", program.process())).expect("it runs");
    let read = io.lines().find_map(|line| line.strip_prefix("rchar: ")).expect("proc(5)");
    read.parse().expect("a number")
}

#[test]
fn what_has_verified_is_neither_sent_nor_read_again() {
    let folder = Folder::in_memory().with_sparse("x", SIZE as u64, &[(0, b"begin")]);
    let server = share(&folder, &[]);
    // In memory it would not tell.
    let target = Folder::inside(env!("CARGO_TARGET_TMPDIR"));
    let most = on_the_wire(SIZE - SEGMENT) + 100;
    let proxy = Proxy::start(server.address(), &[Fault::Close(most)]);
    fetch(&proxy.at(), &target, &["x", "--retries", "0"]).exits(1);

    proxy.add(Fault::Stall((SEGMENT / 2) as u64));
    let client = begin(&proxy.at(), &target, &["x"]).spawn();
    proxy.stalled();
    wait_until_idle(&client);
    let read = bytes_read(&client);
    assert!(read < 8 * SEGMENT as u64, "{read} bytes were read to go on");
    client.signal(Signal::SIGKILL);
    client.finish();

    let client = fetch(&proxy.at(), &target, &["x", "--json"]).exits(0);
    assert_eq!(client.event("downloaded")["resumed_from"], (SEGMENTS - 1) * SEGMENT);
    target.assert_holds("x", &folder.read("x"));
    let carried = proxy.carried();
    assert_eq!(carried[2], compared(SEGMENTS - 1) + on_the_wire(SEGMENT), "{carried:?}");
    assert_eq!(on_the_wire(SEGMENT), (RESPONSE + SEGMENT + DIGEST) as u64);
    server.stop();
}
