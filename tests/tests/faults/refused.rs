//! A system that refuses calls that Linux has: an older one (`ENOSYS`), or a filter that does not know
//! them (`EPERM`), as container managers and systemd install them.
//!
//! Whatever is refused, the programs do what they do elsewhere, with the same promises, or say what is
//! missing; a server that could not keep its own does not begin to listen.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::symlink;

use barewire_tests::harness::faults::{Call, FaultInjector};
use barewire_tests::harness::folder::{contents, names};
use barewire_tests::harness::framed::{Ask, SEGMENT};
use barewire_tests::harness::sockets::connect;
use barewire_tests::harness::{Fault, Finished, Folder, Launch, PATIENTLY, Proxy, Server};
use nix::errno::Errno;

const REFUSALS: [Errno; 2] = [Errno::ENOSYS, Errno::EPERM];

/// One segment and a piece, so that something can be resumed.
const SIZE: usize = SEGMENT + 5000;

/// What is served, and beside it what is not.
fn house() -> Folder {
    house_in(Folder::in_memory())
}

fn house_in(folder: Folder) -> Folder {
    let house = folder
        .with("private/secret", "outside")
        .with("served/x", contents(SIZE, 1))
        .with("served/tree/a", "first")
        .with("served/tree/b/c", "second")
        .with_link("served/tree/to-a", "a")
        .with_link("served/tree/up", "../x")
        .with_link("served/tree/loop", "..")
        .with_link("served/out", "../private/secret")
        .with_link("served/way-out", "../private");
    symlink(house.path("private/secret"), house.path("served/absolute")).unwrap();
    house
}

fn server(house: &Folder, options: &[&str], injector: Option<&FaultInjector>) -> Launch {
    let served = house.path("served");
    let launch = Launch::new("file-server").arg("127.0.0.1:0").arg(served).args(options);
    match injector {
        Some(injector) => launch.with_faults(injector),
        None => launch,
    }
}

fn client(
    address: &str,
    target: &Folder,
    arguments: &[&str],
    injector: Option<&FaultInjector>,
) -> Finished {
    let launch = Launch::new("file-client").arg(address).args(arguments).within(target);
    match injector {
        Some(injector) => launch.with_faults(injector).run(),
        None => launch.run(),
    }
}

/// Has clients do all that there is to do, and what must fail. `injector` makes one for each, and
/// `new_target` a folder.
fn use_it(
    server: &Server,
    house: &Folder,
    injector: impl Fn() -> Option<FaultInjector>,
    new_target: fn() -> Folder,
) {
    let address = server.at();
    let run = |target: &Folder, arguments: &[&str]| {
        client(&address, target, arguments, injector().as_ref())
    };
    let whole = contents(SIZE, 1);

    let target = new_target();
    run(&target, &["x"]).exits(0).prints("(verified)");
    target.assert_holds("x", &whole);
    run(&target, &["x"]).exits(1).says(&["x is there already"]);
    run(&target, &["x", "--force"]).exits(0);
    target.assert_holds("x", &whole);
    assert_eq!(target.names(), ["x"]);

    // It breaks off in the second segment, and goes on there.
    let target = new_target();
    let proxy = Proxy::start(server.address(), &[Fault::Close(SEGMENT as u64 + 2000)]);
    let options = ["x", "--retries", "0"];
    client(&proxy.at(), &target, &options, injector().as_ref()).exits(1);
    let again = client(&proxy.at(), &target, &options, injector().as_ref()).exits(0);
    again.prints("resumed from 1.00 MiB");
    target.assert_holds("x", &whole);

    let target = new_target();
    run(&target, &["-r", "tree"]).exits(0).prints("1 link to a folder not followed");
    assert_eq!(names(&target.path("tree")), ["a", "b", "to-a", "up"]);
    assert_eq!(
        (target.read("tree/b/c"), target.read("tree/to-a")),
        ("second".into(), "first".into())
    );
    target.assert_holds("tree/up", &whole);
    run(&target, &["--list", "tree"]).exits(0).prints("loop@").prints("b/").prints("to-a");
    for name in ["out", "way-out/secret", "absolute", "tree/loop/../../private/secret"] {
        run(&target, &[name]).exits(1).says(&["refused it"]);
    }
    assert_eq!(target.names(), ["tree"]);
    assert_eq!(house.read("private/secret"), b"outside");
}

/// Every call that a server could do without.
#[test]
fn a_file_server_serves_without_calls_that_it_can_do_without() {
    for call in [
        Call::OPEN_BENEATH,
        Call::STATX,
        Call::SENDFILE,
        Call::PREAD_CACHED,
        // With which the C library starts threads; for `ENOSYS` it knows another.
        Call::CLONE,
        Call::LANDLOCK_CREATE,
        Call::LANDLOCK_RESTRICT,
        Call::PRLIMIT,
    ] {
        for errno in REFUSALS {
            println!("{} {errno}", call.name);
            // In memory nothing is waited for.
            let on_disk = call == Call::PREAD_CACHED;
            let house = house_in(if on_disk { Folder::new() } else { Folder::in_memory() });
            let injector = FaultInjector::refusing(&[call], "", errno);
            let server = Server::start(server(&house, &[], Some(&injector)));
            use_it(&server, &house, || None, Folder::in_memory);
            // The plain form is sent another way.
            let plain = client(&server.at(), &Folder::in_memory(), &["x", "--plain", "-q"], None);
            plain.exits(0);
            let said = server.stop();
            assert!(!injector.struck().is_empty(), "there is no such call: {injector}");
            let walks = said.error().contains("names resolved part by part");
            assert_eq!(walks, call == Call::OPEN_BENEATH, "{said:?}");
            let confined = said.error().contains(", confined by Landlock");
            let cannot = [Call::LANDLOCK_CREATE, Call::LANDLOCK_RESTRICT].contains(&call);
            assert!(!(confined && cannot), "{said:?}");
        }
    }
}

/// Requests that end in every way leave nothing open.
#[test]
fn a_walk_leaves_no_descriptors_open() {
    let house = house();
    let injector = FaultInjector::refusing(&[Call::OPEN_BENEATH], "", Errno::ENOSYS);
    let server = Server::start(server(&house, &["--no-sandbox"], Some(&injector)));
    let mut stream = connect(server.address());
    let mut ask = |times: usize| {
        for name in ["tree/a", "tree/up", "out", "nothing/x", "tree/b/c/d", "tree/b/../../.."] {
            for _ in 0..times {
                Ask::get(name).unverified().fetch(&mut stream);
            }
        }
        Ask::list("tree").fetch(&mut stream);
        names(format!("/proc/{}/fd", server.program.process()).as_ref()).len()
    };
    // A listing may be kept for a moment, for whoever asks next.
    let (before, after) = (ask(1), ask(50));
    assert!(after < before + 10, "{before} before, {after} after");
    drop(stream);
    server.stop();
}

/// What it cannot do without it says before anybody is told that it listens.
#[test]
fn a_file_server_that_cannot_make_listings_refuses_to_start() {
    for errno in REFUSALS {
        let house = house();
        let injector = FaultInjector::refusing(&[Call::MEMFD], "", errno);
        let refused = server(&house, &[], Some(&injector)).run().exits(1).omits("listening");
        refused.says(&["this system refuses memfd_create"]);
    }
}

#[test]
fn threads_that_were_asked_for_and_cannot_be_had_are_told_before_the_server_listens() {
    let house = house();
    let injector = FaultInjector::refusing(&[Call::CLONE], "", Errno::EPERM);
    let refused = server(&house, &["--threads", "2"], Some(&injector)).run().exits(1);
    refused.omits("listening").says(&["cannot start 2 threads: operation not permitted"]);
}

#[test]
fn a_file_client_downloads_without_calls_that_it_can_do_without() {
    let house = house();
    let server = Server::start(server(&house, &["-q"], None));
    for (call, about) in [
        (Call::STATX, ""),
        // Of files without a name.
        (Call::OPEN, "/#"),
        (Call::LINK, ""),
        (Call::RENAME, ""),
        (Call::FLOCK, ""),
        (Call::FALLOCATE, ""),
        (Call::FSTATFS, ""),
        (Call::FCHMOD, ""),
        (Call::UTIMENS, ""),
        (Call::FSYNC, ""),
        (Call::PRLIMIT, ""),
    ] {
        for errno in REFUSALS {
            println!("{} {errno}", call.name);
            let injectors = RefCell::default();
            let injector = || {
                let injector = FaultInjector::refusing(&[call], about, errno);
                RefCell::<Vec<_>>::borrow_mut(&injectors).push(injector.clone());
                Some(injector)
            };
            // In memory no room is reserved.
            let on_disk = [Call::FALLOCATE, Call::FSTATFS].contains(&call);
            let target = if on_disk { Folder::new } else { Folder::in_memory };
            use_it(&server, &house, injector, target);
            let struck = injectors.take().iter().any(|injector| !injector.struck().is_empty());
            assert!(struck, "there is no such call: {}", call.name);
        }
    }
    server.stop();
}

/// Where nothing makes files reach the disk, or nothing locks them, a download goes on, and that is said:
/// once, at its end.
#[test]
fn what_a_download_cannot_rely_on_is_told() {
    let house = house();
    let server = Server::start(server(&house, &["-q"], None));
    for (calls, about, word) in [
        (&[Call::FSYNC, Call::FDATASYNC, Call::SYNCFS][..], "", "makes files reach the disk"),
        // A descriptor of the folder is copied by it, too.
        (&[Call::FLOCK, Call::FCNTL], ".part", "keeps two programs from downloading"),
    ] {
        for errno in REFUSALS {
            let target = Folder::in_memory();
            let injector = FaultInjector::refusing(calls, about, errno);
            let done = client(&server.at(), &target, &["-r", "tree"], Some(&injector)).exits(0);
            assert_eq!(done.error().matches(word).count(), 1, "{done:?}");
            assert_eq!(fs::read(target.path("tree/a")).unwrap(), b"first");
        }
    }
    server.stop();
}

/// A lock of another kind keeps the second from what the first writes to.
#[test]
fn a_part_is_locked_also_where_flock_is_refused() {
    let house = house();
    let server = Server::start(server(&house, &["-q"], None));
    let target = Folder::in_memory();
    let proxy = Proxy::start(server.address(), &[Fault::Stall(SEGMENT as u64 + 2000)]);
    let injector = FaultInjector::refusing(&[Call::FLOCK], "", Errno::EPERM);
    let launch = Launch::new("file-client").args([&*proxy.at(), "x"]).within(&target);
    let first = launch.with_faults(&injector).spawn();
    let injector = FaultInjector::refusing(&[Call::FLOCK], "", Errno::ENOSYS);
    proxy.stalled();
    let second = client(&server.at(), &target, &["x", "--retries", "0"], Some(&injector));
    second.exits(1).says(&["another program is downloading to x"]);
    first.signal(nix::sys::signal::Signal::SIGKILL);
    let _ = first.finish();
    server.stop();
}

/// A firewall refuses the datagram, and not the call.
#[test]
fn a_reply_that_nothing_sends_is_told() {
    let calls = [Call::SENDMMSG, Call::SENDMSG];
    let injector = FaultInjector::refusing(&calls, "socket:", Errno::EPERM);
    let mut server =
        Server::start(Launch::new("udp-server").arg("0.0.0.0:0").with_faults(&injector));
    let to = format!("127.0.0.1:{}", server.port());
    let options = ["hello", "--retries", "0", "--timeout", "100ms"];
    Launch::new("udp-client").arg(to).args(options).run().exits(1);
    server.program.diagnostic_with(&["operation not permitted"]);
    server.stop();
    assert_eq!(injector.struck().len(), 2, "{injector}");
}

/// Datagrams go one by one where they cannot go in batches.
#[test]
fn a_udp_server_answers_without_batches() {
    for call in [Call::RECVMMSG, Call::SENDMMSG] {
        for errno in REFUSALS {
            let injector = FaultInjector::refusing(&[call], "", errno);
            for address in ["127.0.0.1:0", "0.0.0.0:0"] {
                let launch = Launch::new("udp-server").arg(address);
                let server = Server::start(launch.with_faults(&injector));
                let to = format!("127.0.0.1:{}", server.port());
                let client = Launch::new("udp-client").args([&*to, "hello", "--count", "50"]);
                let client = client.args(["--interval", "1ms"]).args(PATIENTLY);
                client.run().exits(0).prints("50 received");
                server.stop();
                let is_made = !injector.struck().is_empty();
                assert!(is_made || address.starts_with("127"), "there is no such call: {injector}");
            }
        }
    }
}
