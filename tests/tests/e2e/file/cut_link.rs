//! A network that is cut in the middle of a download, and restored.

use std::thread;
use std::time::Instant;

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::{Folder, Namespace, Server, TIMEOUT};

/// Nothing reaches anybody meanwhile, and nobody is told.
#[test]
fn a_download_goes_on_when_a_cut_link_is_restored() {
    // It takes some seconds, in which the link is cut.
    let whole = contents(6 << 20, 16);
    let (source, target) = (Folder::new().with("file", &whole), Folder::new());
    let namespace = Namespace::network("", "");
    let launch = namespace.launch("file-server").args(["127.0.0.1:0", source.arg()]);
    let server = Server::start(launch.args(["--limit-rate", "1M"]));
    let launch = namespace.launch("file-client").args([&server.at(), "file", "-d", target.arg()]);
    let mut client = launch.args(["--stall", "1s", "--timeout", "1s", "--retries", "1000"]).spawn();
    let deadline = Instant::now() + TIMEOUT;
    while !target.has("file.part") {
        assert!(Instant::now() < deadline, "it does not begin");
        thread::yield_now();
    }
    namespace.command("ip link set lo down");
    client.diagnostic_with(&["trying again in"]);
    client.diagnostic_with(&["trying again in"]);
    assert!(!target.has("file"));
    namespace.command("ip link set lo up");
    client.finish().exits(0).prints("(verified");
    target.assert_holds("file", &whole);
    server.stop();
}
