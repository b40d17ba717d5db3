//! One file from several servers at once.

use std::fs::{self, Permissions};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{Ask, Reply, SEGMENT, hear};
use barewire_tests::harness::sockets::connect;
use barewire_tests::harness::{Fault, Finished, Folder, Launch, Peer, Proxy, Server, share};

use super::{begin, fetch};

const SIZE: usize = 24 * SEGMENT + 77;

fn serve(contents: &[u8]) -> (Folder, Server) {
    let folder = Folder::in_memory().with("x", contents);
    let server = share(&folder, &["-q"]);
    (folder, server)
}

/// An address at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound").to_string()
}

/// How much of the file each server gave, in their order.
fn given(client: &Finished) -> Vec<&str> {
    client.error().lines().filter_map(|line| line.split_once(" gave ")).map(|(_, it)| it).collect()
}

/// One falls silent in the middle: the other gives what it has not, also of what it was asked for.
#[test]
fn a_file_comes_from_all_servers_and_none_holds_it_up() {
    let whole = contents(SIZE, 1);
    let ((_one, one), (_other, other)) = (serve(&whole), serve(&whole));
    let proxy = Proxy::start(one.address(), &[Fault::Stall(6 * SEGMENT as u64)]);
    let target = Folder::in_memory();
    let options = ["x", "--mirror", &other.at(), "-v"];
    let client = fetch(&proxy.at(), &target, &options).exits(0).prints("(verified)");
    target.assert_holds("x", &whole);
    assert_eq!(target.names(), ["x"]);
    let given = given(&client);
    assert_eq!(given.len(), 2, "{client:?}");
    assert!(given.iter().all(|it| !it.starts_with("0 B")), "{client:?}");
    drop(proxy);
    one.stop();
    other.stop();
}

/// It takes connections, and says nothing: the others are not kept waiting until it is given up.
#[test]
fn a_first_server_that_is_silent_keeps_nobody_waiting() {
    let whole = contents(2 * SEGMENT, 7);
    let (_folder, server) = serve(&whole);
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = silent.local_addr().expect("it is bound").to_string();
    let target = Folder::in_memory();
    let options = ["x", "--timeout", "100ms", "--retry-pause", "1h", "--mirror", &server.at()];
    let client = Launch::new("file-client").arg(&address).args(options).within(&target).run();
    client.exits(0).says(&["trying again"]);
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
    let options = ["x", "--mirror", &liar_at, "--mirror", &shorter_at];
    let client = fetch(&right.at(), &target, &options).exits(0);
    for address in [&liar_at, &shorter_at] {
        assert!(client.error().contains(&format!("{address} is left out: it has another file")));
    }
    target.assert_holds("x", &whole);
    // The hash tells who is right, whoever comes first.
    let hash = blake3::hash(&whole).to_hex().to_string();
    let target = Folder::in_memory();
    let options = ["x", "--mirror", &right.at(), "--expect", &hash];
    let client = fetch(&liar_at, &target, &options).exits(0);
    client.says(&[&format!("{liar_at} is left out")]).prints("the hash is as expected");
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
    let told = whole.clone();
    let liar = Peer::tcp(move |mut stream| {
        let sent = contents(SIZE, 6);
        for _ in 0..2 {
            let ask = hear(&mut stream).expect("a request");
            let reply = Reply::ok(SIZE, 7);
            let answer = if ask.operation == 3 {
                let mut answer = Reply { verified: false, ..reply }.bytes(&ask);
                for (segment, offset) in told.chunks(SEGMENT).zip((0..).step_by(SEGMENT)) {
                    answer.extend(reply.digest(offset, segment));
                }
                answer
            } else {
                let length = ask.length.min(SIZE as u64 - ask.offset);
                Reply { offset: ask.offset, length, ..reply }.with(&ask, &sent)
            };
            // The client may have heard enough.
            let _ = stream.write_all(&answer);
        }
        stream
    });
    let target = Folder::in_memory();
    let client = fetch(&liar.at(), &target, &["x", "--mirror", &server.at()]).exits(0);
    let word = format!("{} is left out: it has sent other contents than it has told", liar.at());
    client.says(&[&word]);
    target.assert_holds("x", &whole);
    liar.finish();
    server.stop();
}

#[test]
fn a_server_that_cannot_be_had_is_left_out() {
    let whole = contents(2 * SEGMENT, 3);
    let (_folder, server) = serve(&whole);
    let (without, empty) = (Folder::new(), nobody());
    let without = share(&without, &["-q"]);
    let target = Folder::in_memory();
    let options = ["x", "--mirror", &server.at(), "--mirror", &without.at()];
    let client = fetch(&empty, &target, &options).exits(0);
    client.says(&["connection refused"]).says(&["has no such file"]);
    target.assert_holds("x", &whole);
    let target = Folder::in_memory();
    let client = fetch(&empty, &target, &["x", "--mirror", &nobody()]).exits(1);
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
    let options = ["x", "--retries", "50", "--mirror", &nobody()];
    let mut client = begin(&server.at(), &target, &options).spawn();
    client.diagnostic_with(&["it is busy; trying again"]);
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
    let client = begin(&proxy.at(), &target, &["x", "--mirror", &nobody()]).spawn();
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
