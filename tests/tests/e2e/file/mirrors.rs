//! One file from several servers at once.

use std::fs::{self, Permissions};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{Ask, Reply, SEGMENT, compared, hear};
use barewire_tests::harness::sockets::{RefusedTcp, connect, is_ended_by_peer};
use barewire_tests::harness::{Fault, Finished, Folder, Launch, Peer, Proxy, Server, share};

use super::{begin, fetch};

const SIZE: usize = 24 * SEGMENT + 77;
const SEGMENTS: usize = 25;

fn serve(contents: &[u8]) -> (Folder, Server) {
    let folder = Folder::in_memory().with("x", contents);
    let server = share(&folder, &["-q"]);
    (folder, server)
}

/// On the way to a server that has so many segments: they come once they are let go.
fn held_up(server: &Server, segments: usize) -> Proxy {
    Proxy::start(server.address(), &[Fault::Pause(compared(segments))])
}

/// How much of the file each server gave, in their order.
fn given(client: &Finished) -> Vec<&str> {
    client.error().lines().filter_map(|line| line.split_once(" gave ")).map(|(_, it)| it).collect()
}

/// Answers the next request: with the digests of what it tells it has, or with what it sends instead.
fn answer(stream: &mut TcpStream, told: &[u8], sent: &[u8]) {
    let ask = hear(stream).expect("a request");
    let reply = Reply::ok(told.len(), 7);
    let answer = if ask.operation == 3 {
        let mut answer = Reply { verified: false, ..reply }.bytes(&ask);
        for (segment, offset) in told.chunks(SEGMENT).zip((0..).step_by(SEGMENT)) {
            answer.extend(reply.digest(offset, segment));
        }
        answer
    } else {
        let length = ask.length.min(reply.size - ask.offset);
        Reply { offset: ask.offset, length, ..reply }.with(&ask, sent)
    };
    // The client may have heard enough.
    let _ = stream.write_all(&answer);
}

/// One falls silent in the middle: the other gives what it has not, also of what it was asked for.
#[test]
fn a_file_comes_from_all_servers_and_none_holds_it_up() {
    let whole = contents(SIZE, 1);
    let (_folder, server) = serve(&whole);
    let proxy = held_up(&server, SEGMENTS);
    let had = whole.clone();
    let silent = Peer::tcp(move |mut stream| {
        answer(&mut stream, &had, &had);
        answer(&mut stream, &had, &had);
        // It is asked for a third part once the first is there.
        assert!(hear(&mut stream).is_some() && hear(&mut stream).is_some());
        stream
    });
    let target = Folder::in_memory();
    let client = begin(&silent.at(), &target, &["x", "--mirror", &proxy.at(), "-v"]).spawn();
    proxy.stalled();
    let stream = silent.finish();
    proxy.let_go();
    let client = client.finish().exits(0).prints("(verified)");
    target.assert_holds("x", &whole);
    assert_eq!(target.names(), ["x"]);
    assert_eq!(given(&client), ["4.00 MiB", "20.00 MiB"]);
    drop(stream);
    server.stop();
}

/// It takes connections, and says nothing: the others are not kept waiting until it is given up.
#[test]
fn a_first_server_that_is_silent_keeps_nobody_waiting() {
    let whole = contents(2 * SEGMENT, 7);
    let (_folder, server) = serve(&whole);
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = silent.local_addr().expect("it is bound").to_string();
    let target = Folder::in_memory();
    // On a busy machine the other may have to be tried again as well.
    let options = ["x", "--timeout", "200ms", "--retries", "1000000", "--mirror", &server.at()];
    fetch(&address, &target, &options).exits(0).says(&[&format!("{address}: ")]);
    target.assert_holds("x", &whole);
    drop(silent);
    server.stop();
}

/// Whoever has another file of that name is named, and nothing comes from there.
#[test]
fn a_server_with_another_file_is_left_out() {
    let whole = contents(SIZE, 2);
    let mut wrong = whole.clone();
    wrong[SIZE - 1] ^= 1;
    let ((_one, right), (_other, liar)) = (serve(&whole), serve(&wrong));
    let shorter = serve(&whole[..SIZE - 1]);
    let target = Folder::in_memory();
    let (liar_at, shorter_at) = (liar.at(), shorter.1.at());
    let proxy = held_up(&right, SEGMENTS);
    let options = ["x", "--mirror", &liar_at, "--mirror", &shorter_at];
    let mut client = begin(&proxy.at(), &target, &options).spawn();
    proxy.stalled();
    for address in [&liar_at, &shorter_at] {
        client.diagnostic_with(&[&format!("{address} is left out: it has another file")]);
    }
    proxy.let_go();
    client.finish().exits(0);
    target.assert_holds("x", &whole);
    // The hash tells who is right, whoever comes first.
    let hash = blake3::hash(&whole).to_hex().to_string();
    let target = Folder::in_memory();
    let proxy = held_up(&right, SEGMENTS);
    let options = ["x", "--mirror", &proxy.at(), "--expect", &hash];
    let mut client = begin(&liar_at, &target, &options).spawn();
    proxy.stalled();
    client.diagnostic_with(&[&format!("{liar_at} is left out")]);
    proxy.let_go();
    client.finish().exits(0).prints("the hash is as expected");
    target.assert_holds("x", &whole);
    let target = Folder::in_memory();
    let options = ["x", "--mirror", &shorter_at, "--expect", &hash];
    fetch(&liar_at, &target, &options).exits(1).says(&["no server is left"]);
    assert!(target.names().is_empty(), "{:?}", target.names());
    for server in [right, liar, shorter.1] {
        server.stop();
    }
}

/// It tells the right digests, and sends something else that it proves by others.
#[test]
fn a_server_that_sends_other_contents_than_it_tells_is_left_out() {
    let whole = contents(SIZE, 5);
    let (_folder, server) = serve(&whole);
    let proxy = held_up(&server, SEGMENTS);
    let told = whole.clone();
    let liar = Peer::tcp(move |mut stream| {
        let sent = contents(SIZE, 6);
        answer(&mut stream, &told, &sent);
        answer(&mut stream, &told, &sent);
        is_ended_by_peer(&mut stream)
    });
    let target = Folder::in_memory();
    let client = begin(&liar.at(), &target, &["x", "--mirror", &proxy.at()]).spawn();
    proxy.stalled();
    let word = format!("{} is left out: it has sent other contents than it has told", liar.at());
    assert!(liar.finish(), "it is still asked");
    proxy.let_go();
    client.finish().exits(0).says(&[&word]);
    target.assert_holds("x", &whole);
    server.stop();
}

#[test]
fn a_server_that_cannot_be_had_is_left_out() {
    let whole = contents(2 * SEGMENT, 3);
    let (_folder, server) = serve(&whole);
    let (without, nobody) = (Folder::new(), [RefusedTcp::hold(), RefusedTcp::hold()]);
    let without = share(&without, &["-q"]);
    let proxy = held_up(&server, 2);
    let target = Folder::in_memory();
    let options = ["x", "--mirror", &proxy.at(), "--mirror", &without.at()];
    let mut client = begin(&nobody[0].at(), &target, &options).spawn();
    proxy.stalled();
    client.diagnostic_with(&["connection refused"]);
    client.diagnostic_with(&["has no such file"]);
    proxy.let_go();
    client.finish().exits(0);
    target.assert_holds("x", &whole);
    let target = Folder::in_memory();
    let options = ["x", "--mirror", &nobody[1].at()];
    let client = fetch(&nobody[0].at(), &target, &options).exits(1);
    client.says(&["no server is left"]);
    assert!(target.names().is_empty());
    without.stop();
    server.stop();
}

/// As a single server is.
#[test]
fn a_server_that_is_busy_is_tried_again() {
    let whole = contents(2 * SEGMENT, 10);
    let folder = Folder::in_memory().with("x", &whole);
    let server = share(&folder, &["--max-per-source", "1"]);
    let mut held = connect(server.address());
    assert_eq!(Ask::get("x").unverified().fetch(&mut held).1, whole);
    let target = Folder::in_memory();
    let nobody = RefusedTcp::hold();
    let options = ["x", "--retries", "50", "--mirror", &nobody.at()];
    let mut client = begin(&server.at(), &target, &options).spawn();
    client.diagnostic_with(&[
        "it is busy, or has paused this address because too many of its requests failed; trying again",
    ]);
    drop(held);
    client.finish().exits(0);
    target.assert_holds("x", &whole);
    server.stop();
}

/// Its time of change is another in the middle of it, as after a change of permissions.
#[test]
fn a_server_whose_file_seems_to_change_is_asked_again_what_it_has() {
    let whole = contents(SIZE, 9);
    let (folder, server) = serve(&whole);
    let proxy = Proxy::start(server.address(), &[Fault::Pause(5 * SEGMENT as u64)]);
    let target = Folder::in_memory();
    let nobody = RefusedTcp::hold();
    let client = begin(&proxy.at(), &target, &["x", "--mirror", &nobody.at()]).spawn();
    proxy.stalled();
    let changed = || {
        let found = fs::metadata(folder.path("x")).unwrap();
        (found.ctime(), found.ctime_nsec())
    };
    let before = changed();
    while changed() == before {
        fs::set_permissions(folder.path("x"), Permissions::from_mode(0o600)).unwrap();
    }
    proxy.let_go();
    client.finish().exits(0).says(&["its file has changed meanwhile; trying again"]);
    target.assert_holds("x", &whole);
    server.stop();
}

#[test]
fn what_is_wrong_with_all_servers_is_told_once() {
    let whole = contents(2 * SEGMENT, 11);
    let ((_one, one), (_other, other)) = (serve(&whole), serve(&whole));
    let options = ["x", "--max-size", "1M", "--mirror", &other.at()];
    let client = fetch(&one.at(), &Folder::in_memory(), &options).exits(1);
    assert_eq!(client.error().matches("--max-size").count(), 1, "{client:?}");
    client.says(&["for the same reason; no server is left"]);
    one.stop();
    other.stop();
}

/// A damaged segment comes again, from wherever, and what is there from an earlier run stays.
#[test]
fn networks_that_break_cost_no_more_than_a_retry() {
    let whole = contents(SIZE, 4);
    let ((_one, one), (_other, other)) = (serve(&whole), serve(&whole));
    let target = Folder::in_memory();
    let cut = Proxy::start(one.address(), &[Fault::Close(5 * SEGMENT as u64)]);
    fetch(&cut.at(), &target, &["x", "--retries", "0"]).exits(1);
    let flip = Proxy::start(one.address(), &[Fault::Flip(3 * SEGMENT as u64)]);
    let reset = Proxy::start(other.address(), &[Fault::Reset(SEGMENT as u64)]);
    let options = ["x", "--json", "--mirror", &reset.at()];
    let client = begin(&flip.at(), &target, &options).run().exits(0);
    let done = client.event("downloaded");
    assert!(done["resumed_from"].as_u64().is_some_and(|it| it >= 4 * SEGMENT as u64), "{done}");
    assert_eq!(done["hash"], *blake3::hash(&whole).to_hex().to_string());
    target.assert_holds("x", &whole);
    drop((cut, flip, reset));
    one.stop();
    other.stop();
}

#[test]
fn files_of_every_size_come_from_two_servers() {
    for (size, told) in [
        (0, "0 B"),
        (1, "1 B"),
        (SEGMENT, "1.00 MiB"),
        (SEGMENT + 1, "1.00 MiB"),
        (9 * SEGMENT, "9.00 MiB"),
    ] {
        let whole = contents(size, size as u64);
        let ((_one, one), (_other, other)) = (serve(&whole), serve(&whole));
        let target = Folder::in_memory();
        let client = fetch(&one.at(), &target, &["x", "--mirror", &other.at()]).exits(0);
        client.is_silent().prints(&format!("x: {told} in ")).prints("(verified)");
        target.assert_holds("x", &whole);
        one.stop();
        other.stop();
    }
}

/// What goes wrong on this side is no fault of the servers.
#[test]
fn a_file_without_room_leaves_no_server_out() {
    let whole = contents(SIZE, 8);
    let ((_one, one), (_other, other)) = (serve(&whole), serve(&whole));
    let target = Folder::in_memory();
    let limited = r#"ulimit -f 4096 && exec "$0" "$@""#;
    let options = [&one.at(), "x", "--mirror", &other.at()];
    let client = Launch::through_shell(limited, "file-client").args(options).within(&target).run();
    let client = client.exits(1).says(&["cannot write x: file too large"]);
    assert_eq!(client.error().lines().count(), 1, "{client:?}");
    assert!(!target.has("x"));
    // Which segments came first, and so are kept, is chance.
    fetch(&one.at(), &target, &["x"]).exits(0);
    target.assert_holds("x", &whole);
    one.stop();
    other.stop();
}

#[test]
fn mirrors_are_for_one_file() {
    let target = Folder::new();
    for wrong in [
        &["x", "y", "--mirror", "127.0.0.1:9"][..],
        &["x", "-o", "-", "--mirror", "127.0.0.1:9"],
        &["-r", "x", "--mirror", "127.0.0.1:9"],
        &["x", "--plain", "--mirror", "127.0.0.1:9"],
        &["x", "--mirror", "nowhere"],
    ] {
        fetch("127.0.0.1:9", &target, wrong).exits(2).says(&["--mirror"]);
    }
}
