//! An IPv6 network of 64 bits is one source, whichever of its addresses is used.

use barewire_tests::harness::namespace::Namespace;
use barewire_tests::harness::{Folder, Server};

/// Two networks of the host's own.
const NETWORKS: &str = "
for address in 2001:db8:0:1::1 2001:db8:0:1::2 2001:db8:0:1:ffff::3 2001:db8:0:2::1; do
    ip -6 address add $address/64 dev lo nodad
done
";

/// Connects from each address, one after another, and tells the first line that it hears.
const CONNECT: &str = "
import socket, sys
host, port = sys.argv[1].strip('[]').rsplit(']:', 1)
held = []
for source in sys.argv[3:]:
    stream = socket.create_connection((host, int(port)), 60, (source, 0))
    held.append(stream)
    print(source, stream.makefile('rb').readline().decode().strip())
";

/// Sends datagrams from each address in turn for two seconds, and tells how many answers each had, and how
/// many seconds it took.
const ASK: &str = "
import socket, sys, time
host, port = sys.argv[1].strip('[]').rsplit(']:', 1)
sockets = {}
for source in sys.argv[3:]:
    sockets[source] = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sockets[source].bind((source, 0))
begun = time.monotonic()
while time.monotonic() < begun + 2:
    for one in sockets.values():
        one.sendto(b'hi', (host, int(port)))
    time.sleep(0.001)
print('seconds', time.monotonic() - begun)
# What the last has sent was sent last: once it has an answer, the others have theirs.
for source, one in reversed(sockets.items()):
    one.settimeout(60 if source == sys.argv[-1] else 0.5)
    count = 0
    try:
        while one.recv(100):
            count += 1
            one.settimeout(0.5)
    except TimeoutError:
        pass
    print(source, count)
";

const SAME: [&str; 3] = ["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:ffff::3"];
const OTHER: &str = "2001:db8:0:2::1";

/// What `script`, in there, tells of each source of `server`.
fn told(namespace: &Namespace, script: &str, server: &Server) -> Vec<(String, String)> {
    let folder = Folder::new().with("script.py", script);
    let python = format!("python3 {}", folder.path("script.py").display());
    // What it would start is not started: it is an argument, which it does not look at.
    let launch = namespace.launch_by(&format!("{python} '{}'", server.at()), "tcp-client");
    let output = launch.args(SAME).arg(OTHER).run().exits(0);
    let pair = |line: &str| line.split_once(' ').map(|(key, value)| (key.into(), value.into()));
    output.output().lines().filter_map(pair).collect()
}

#[test]
fn a_network_of_64_bits_has_one_share_of_a_server_of_streams() {
    let namespace = Namespace::network(NETWORKS, "");
    for (program, welcome, refusal) in [
        ("tcp-server", "你好", ""),
        (
            "chat-server",
            "* welcome to",
            "* too many members come from this address: come back later",
        ),
    ] {
        let launch =
            namespace.launch(program).args(["[2001:db8:0:1::1]:0", "--max-per-source", "2"]);
        let server = Server::start(launch);
        let told = told(&namespace, CONNECT, &server);
        let [one, two, three, other] = &told[..] else { panic!("{told:?}") };
        assert!(one.1.starts_with(welcome) && two.1.starts_with(welcome), "{told:?}");
        assert_eq!(three.1, refusal, "{told:?}");
        assert!(other.1.starts_with(welcome), "{told:?}");
        server.stop();
    }
}

#[test]
fn a_network_of_64_bits_has_one_rate_of_a_server_of_datagrams() {
    let namespace = Namespace::network(NETWORKS, "");
    let launch = namespace.launch("udp-server").args(["[2001:db8:0:1::1]:0", "--rate", "3", "-q"]);
    let server = Server::start(launch);
    let told = told(&namespace, ASK, &server);
    let number = |key: &str| -> f64 {
        let (_, value) = told.iter().find(|(name, _)| name == key).expect(key);
        value.parse().expect("a number")
    };
    // Three a second, and those of the seconds at both ends.
    let most = 3.0 * (number("seconds") + 2.0);
    let same: f64 = SAME.iter().map(|source| number(source)).sum();
    assert!(same <= most && number(OTHER) <= most, "{told:?}");
    assert!(same >= 3.0 && number(OTHER) >= 3.0, "{told:?}");
    server.stop();
}
