//! A disk that does not answer, or a mount whose server is gone (pyftpdlib#197): who wants what is on it waits,
//! for a while; nobody else does.

use std::io::Read as _;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use barewire_tests::harness::faults::{Call, Fault, FaultInjector, When};
use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{Ask, Reply};
use barewire_tests::harness::sockets::{End, connect, connect_from, read_out};
use barewire_tests::harness::{Folder, Launch, Server};

/// The status of what the server cannot read.
const FAILED: u8 = 6;

/// The address of somebody else.
const ANOTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

#[test]
fn who_wants_what_is_there_waits_and_nobody_else_does() {
    let (large, small) = (contents(300_000, 1), contents(5_000, 2));
    let source = Folder::in_memory()
        .with("hanging", contents(5 << 20, 3))
        .with("large", &large)
        .with("small", &small)
        .with("folder/inner", "inner");
    let injector = FaultInjector::new(Call::PREAD, "/hanging", Fault::Hangs, When::Always);
    let launch = Launch::new("file-server").args(["127.0.0.1:0", source.arg(), "--no-sandbox"]);
    // One thread serves all.
    let launch = launch.args(["--threads", "1", "--stall", "2s"]);
    let mut server = Server::start(launch.with_faults(&injector));
    let mut waiting: Vec<_> = (0..4).map(|_| connect(server.address())).collect();
    for stream in &mut waiting {
        Ask::get("hanging").send(stream);
        // The answer has begun, so what it needs has been asked for.
        stream.read_exact(&mut [0; 100]).unwrap();
    }
    // Others have what needs no disk, and those of another source what other threads do, too.
    assert!(Ask::get("small").fetch(&mut connect(server.address())).1 == small);
    for _ in 0..3 {
        let mut other = connect_from(ANOTHER, server.address());
        assert!(Ask::get("large").fetch(&mut other).1 == large);
        assert!(Ask::get("small").fetch(&mut other).1 == small);
        assert!(Ask::list("folder").fetch(&mut other).1.ends_with(b"inner\n"));
    }
    for mut stream in waiting {
        server.program.diagnostic_with(&["no data from the disk for 2 s"]);
        assert_eq!(read_out(&mut stream).1, End::Reset);
    }
    server.stop();
    // Each piece was asked for once, whoever wants it, and no more than a source may have.
    assert_eq!(injector.struck().len(), 2, "{:?}", injector.struck());
}

/// Nor is who mounted it, if that is somebody else, waited for when a name is looked up there.
#[test]
fn a_mount_that_does_not_answer_keeps_nobody_else_waiting() {
    let mounted = Folder::in_memory().with("hanging", "contents").with("other", "contents");
    let device = |path: &Path| path.metadata().expect("it is there").dev();
    assert_ne!(device(mounted.as_ref()), device(Path::new("/")), "it is mounted beneath the root");
    let name = |file: &str| format!("{}/{file}", mounted.arg().trim_start_matches('/'));
    // The first is the server's own look, which ends where the mount begins; the second waits.
    let injector = FaultInjector::new(Call::OPEN_BENEATH, "/hanging", Fault::Hangs, When::Nth(2));
    let options = ["--no-sandbox", "--hidden", "--threads", "1", "--stall", "2s"];
    let launch = Launch::new("file-server").args(["127.0.0.1:0", "/"]).args(options);
    let server = Server::start(launch.with_faults(&injector));
    let mut waiting = connect(server.address());
    let hanging = Ask::get(name("hanging"));
    hanging.send(&mut waiting);
    for _ in 0..3 {
        let mut other = connect(server.address());
        assert_eq!(Ask::get(name("other")).fetch(&mut other).1, b"contents");
    }
    assert_eq!(Reply::read(&mut waiting, &hanging).status, FAILED);
    drop(waiting);
    server.stop();
    assert_eq!(injector.struck().len(), 1, "{:?}", injector.struck());
}
