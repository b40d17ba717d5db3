//! Downloads over a network that breaks: what has verified is never asked for again, and in the end
//! the file is the right one.

use std::path::Path;

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{DIGEST, RESPONSE, SEGMENT, compared, on_the_wire};
use barewire_tests::harness::seed::Random;
use barewire_tests::harness::{Fault, Folder, Proxy, Server, share};

use super::{begin, fetch};
use crate::common::frozen::wait_until_idle;

const SIZE: usize = 6 * SEGMENT + 1000;

fn house() -> (Folder, Vec<u8>, Server) {
    let whole = contents(SIZE, 21);
    let folder = Folder::in_memory().with("x", &whole);
    let server = share(&folder, &[]);
    (folder, whole, server)
}

/// Where on the wire the segment `number` begins, in a download that is not resumed.
const fn segment(number: usize) -> u64 {
    (RESPONSE + number * (SEGMENT + DIGEST)) as u64
}

/// What each interruption may cost: the segment that was not complete, and another answer.
const COST: u64 = (SEGMENT + DIGEST + RESPONSE) as u64;

/// One run, several connections. A reset may destroy what is on its way, so where the cost is counted
/// connections are closed in order.
#[test]
fn a_retry_goes_on_where_the_last_segment_verified() {
    let (_folder, whole, server) = house();
    let faults = [Fault::Close(segment(2) + 1234), Fault::Close(segment(1) + 40), Fault::Reset(20)];
    let proxy = Proxy::start(server.address(), &faults);
    let target = Folder::in_memory();
    let client = fetch(&proxy.at(), &target, &["x"]).exits(0).says(&["trying again"]);
    assert_eq!(client.error().matches("trying again").count(), faults.len(), "{client:?}");
    target.assert_holds("x", &whole);
    assert_eq!(target.names(), ["x"]);
    let carried = proxy.carried();
    assert_eq!(carried.len(), 1 + faults.len());
    let total: u64 = carried.iter().sum();
    assert!(total <= on_the_wire(SIZE) + COST * faults.len() as u64, "{carried:?}");
    drop(proxy);
    server.stop();
}

#[test]
fn resets_anywhere_do_no_harm() {
    let (_folder, whole, server) = house();
    let mut random = Random::from_printed_seed();
    let places: Vec<_> = (0..2).map(|_| random.number() % on_the_wire(SIZE)).collect();
    let faults: Vec<_> = places.iter().map(|place| Fault::Reset(*place)).collect();
    let proxy = Proxy::start(server.address(), &faults);
    let target = Folder::in_memory();
    fetch(&proxy.at(), &target, &["x", "--retries", "9"]).exits(0).says(&["trying again"]);
    target.assert_holds("x", &whole);
    server.stop();
}

/// One byte, of which nobody would know.
#[test]
fn a_flipped_bit_is_found_and_its_segment_asked_for_again() {
    let (_folder, whole, server) = house();
    let in_a_digest = segment(1) - 1;
    for place in [segment(2) + 77, in_a_digest, segment(6) + 999] {
        let proxy = Proxy::start(server.address(), &[Fault::Flip(place)]);
        let target = Folder::in_memory();
        let client = fetch(&proxy.at(), &target, &["x", "--json"]).exits(0);
        let done = client.event("downloaded");
        assert_eq!((&done["verified"], &done["bytes"]), (&true.into(), &SIZE.into()));
        target.assert_holds("x", &whole);
        client.says(&["digest"]);
        let carried = proxy.carried();
        assert_eq!(carried.len(), 2);
        // The second connection brings what had not verified.
        let behind_the_header = usize::try_from(place).unwrap() - RESPONSE;
        let verified = behind_the_header / (SEGMENT + DIGEST) * SEGMENT;
        let comparison = if verified > 0 { compared(verified / SEGMENT) } else { 0 };
        assert_eq!(carried[1], comparison + on_the_wire(SIZE - verified), "{carried:?}");
    }
    server.stop();
}

#[test]
fn retries_come_to_an_end_and_the_next_run_resumes() {
    let (_folder, whole, server) = house();
    let faults = [Fault::Close(segment(3) + 5), Fault::Reset(0), Fault::Close(10)];
    let proxy = Proxy::start(server.address(), &faults);
    let target = Folder::in_memory();
    let client = fetch(&proxy.at(), &target, &["x", "--retries", "1"]).exits(1);
    client.says(&["3.00 MiB"]).says(&["same command"]).says(&[&proxy.at()]);
    assert!(!target.has("x"));
    assert_eq!(proxy.carried().len(), 2);

    fetch(&proxy.at(), &target, &["x", "--retries", "0"]).exits(1).says(&["3.00 MiB"]);
    let client = fetch(&proxy.at(), &target, &["x", "--json"]).exits(0).is_silent();
    assert_eq!(client.event("downloaded")["resumed_from"], 3 * SEGMENT);
    target.assert_holds("x", &whole);
    assert_eq!(target.names(), ["x"]);
    let total: u64 = proxy.carried().iter().sum();
    assert!(total <= on_the_wire(SIZE) + COST * 3, "{:?}", proxy.carried());
    server.stop();
}

/// Has a first run end after three segments.
#[track_caller]
fn interrupt(server: &Server, target: &Folder) {
    let proxy = Proxy::start(server.address(), &[Fault::Close(segment(3) + 5)]);
    fetch(&proxy.at(), target, &["x", "--retries", "0"]).exits(1);
    assert!(!target.has("x"));
}

#[test]
fn no_resume_starts_over() {
    let (_folder, whole, server) = house();
    let target = Folder::in_memory();
    interrupt(&server, &target);
    let client = fetch(&server.at(), &target, &["x", "--no-resume", "--json"]).exits(0);
    assert_eq!(client.event("downloaded")["resumed_from"], 0);
    target.assert_holds("x", &whole);
    assert_eq!(target.names(), ["x"]);
    server.stop();
}

/// Not a byte of the old version is in the new one.
#[test]
fn another_version_starts_over() {
    let (folder, _, server) = house();
    for changed in [contents(SIZE, 22), contents(SEGMENT, 23), contents(SIZE + 5, 24), vec![]] {
        let target = Folder::in_memory();
        folder.write("x", contents(SIZE, 21));
        interrupt(&server, &target);
        folder.write("x", &changed);
        let client = fetch(&server.at(), &target, &["x", "--json"]).exits(0);
        assert_eq!(client.event("downloaded")["resumed_from"], 0);
        target.assert_holds("x", &changed);
        assert_eq!(target.names(), ["x"]);
    }
    server.stop();
}

/// Between two tries of one run.
#[test]
fn another_version_between_two_tries_starts_over() {
    let (folder, _, server) = house();
    let changed = contents(SIZE, 22);
    let proxy = Proxy::start(server.address(), &[Fault::Stall(segment(4))]);
    let target = Folder::in_memory();
    let client = begin(&proxy.at(), &target, &["x"]).spawn();
    proxy.stalled();
    wait_until_idle(&client);
    // By name, as a careful program replaces a file, so that nothing is cut off.
    folder.write("new", &changed);
    std::fs::rename(folder.path("new"), folder.path("x")).unwrap();
    proxy.let_go();
    client.finish().exits(0);
    target.assert_holds("x", &changed);
    server.stop();
}

/// What the journal does not vouch for is no part.
#[test]
fn a_part_that_was_tampered_with_is_not_gone_on_with() {
    let (_folder, whole, server) = house();
    let spoil: [fn(&Path); 3] = [
        |part| std::fs::write(part, "").unwrap(),
        |part| std::fs::File::options().write(true).open(part).unwrap().set_len(77).unwrap(),
        |part| {
            let journal = part.with_extension("part.journal");
            let journal = std::fs::File::options().write(true).open(journal).unwrap();
            journal.set_len(journal.metadata().unwrap().len() / 2).unwrap();
        },
    ];
    for spoil in spoil {
        let target = Folder::in_memory();
        interrupt(&server, &target);
        spoil(&target.path("x.part"));
        let client = fetch(&server.at(), &target, &["x", "--json"]).exits(0);
        assert_eq!(client.event("downloaded")["resumed_from"], 0);
        target.assert_holds("x", &whole);
    }
    server.stop();
}

/// Somebody edits the part of a download that was interrupted, and sets its time back: that segment
/// comes again, and no other.
#[test]
fn an_edit_of_a_part_costs_the_segment_that_was_edited() {
    use std::os::unix::fs::FileExt as _;

    let (_folder, whole, server) = house();
    let target = Folder::in_memory();
    interrupt(&server, &target);
    let options = std::fs::File::options().write(true).clone();
    let part = options.open(target.path("x.part")).unwrap();
    let modified = part.metadata().unwrap().modified().unwrap();
    part.write_all_at(b"edited", SEGMENT as u64 + 5).unwrap();
    part.set_modified(modified).unwrap();
    drop(part);
    let client = fetch(&server.at(), &target, &["x", "--json"]).exits(0);
    assert_eq!(client.event("downloaded")["resumed_from"], 2 * SEGMENT);
    assert_eq!(client.event("downloaded")["verified"], true);
    target.assert_holds("x", &whole);
    server.stop();
}

/// A file of that name which is somebody's own is neither gone on with nor removed.
#[test]
fn a_strangers_part_is_left_alone() {
    let (_folder, whole, server) = house();
    let target = Folder::in_memory().with("x.part", "a novel");
    fetch(&server.at(), &target, &["x"]).exits(0);
    target.assert_holds("x", &whole);
    assert_eq!(target.read("x.part"), b"a novel");
    server.stop();
}

#[test]
fn two_at_once_do_not_mix_one_file() {
    let (_folder, whole, server) = house();
    let proxy = Proxy::start(server.address(), &[Fault::Stall(segment(2))]);
    let target = Folder::in_memory();
    let first = begin(&proxy.at(), &target, &["x"]).spawn();
    proxy.stalled();
    wait_until_idle(&first);
    fetch(&server.at(), &target, &["x"]).exits(1).says(&["another program is downloading"]);
    assert!(!target.has("x"));
    proxy.let_go();
    first.finish().exits(0);
    target.assert_holds("x", &whole);
    assert_eq!(target.names(), ["x"]);
    server.stop();
}

/// Without digests nothing is certain, so nothing is resumed.
#[test]
fn unverified_and_plain_downloads_start_over() {
    let (_folder, whole, server) = house();
    for option in ["--no-verify", "--plain"] {
        let proxy = Proxy::start(server.address(), &[Fault::Reset(segment(3))]);
        let target = Folder::in_memory();
        fetch(&proxy.at(), &target, &["x", option, "--retries", "0"]).exits(1);
        assert!(target.names().is_empty(), "{:?}", target.names());

        proxy.add(Fault::Reset(segment(3)));
        fetch(&proxy.at(), &target, &["x", option]).exits(0);
        target.assert_holds("x", &whole);
    }
    server.stop();
}

/// Several files over one connection: those that are complete are not asked for again.
#[test]
fn complete_files_are_not_asked_for_again() {
    let (folder, whole, server) = house();
    folder.write("a", contents(SEGMENT, 1));
    folder.write("b", contents(5, 2));
    let faults = [Fault::Close(on_the_wire(SEGMENT) + on_the_wire(5) + segment(1))];
    let proxy = Proxy::start(server.address(), &faults);
    let target = Folder::in_memory();
    fetch(&proxy.at(), &target, &["a", "b", "x"]).exits(0);
    target.assert_holds("a", &contents(SEGMENT, 1));
    target.assert_holds("x", &whole);
    assert_eq!(proxy.carried()[1], compared(1) + on_the_wire(SIZE - SEGMENT));
    drop(proxy);
    let server = server.stop();
    assert_eq!(server.output().matches(": a: ").count(), 1, "{server:?}");
}

/// As by a server that is stopped and started anew, before its first answer.
#[test]
fn a_reset_before_the_first_answer_is_no_reason_to_do_without_proof() {
    let folder = Folder::in_memory().with("x", "contents");
    let server = share(&folder, &[]);
    let proxy = Proxy::start(server.address(), &[Fault::Reset(0)]);
    let target = Folder::in_memory();
    let client = fetch(&proxy.at(), &target, &["x"]).exits(0).says(&["trying again"]);
    client.prints("(verified)");
    assert_eq!(target.read("x"), b"contents");
    server.stop();
}
