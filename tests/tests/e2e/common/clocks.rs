//! Clocks that nobody expects: a machine that has just started, and one that has run for over a century
//! (`time_namespaces(7)`).

use std::time::{Duration, Instant};

use barewire_tests::harness::sockets::{datagram_socket, handshake};
use barewire_tests::harness::{Folder, Launch, PATIENTLY, Server, serve, tutorial};

use super::words::TIMED_OUT;
use crate::chat::Member;

/// Starts a program whose monotonic clock reads what `$CLOCK` says, in seconds.
const SET: &str = r#"
now=$(python3 -c 'import time; print(int(time.monotonic()))')
exec unshare --user --map-root-user --time --monotonic $((CLOCK - now)) -- "$0" "$@"
"#;

/// In seconds; the kernel takes no more than 4611686018.
const CLOCKS: [&str; 3] = ["1", "2147483647", "4000000000"];

fn at(clock: &str, program: &str) -> Launch {
    Launch::through_shell(SET, program).env("CLOCK", clock)
}

#[test]
fn every_server_serves_whatever_its_clock_reads() {
    for clock in CLOCKS {
        let start = |program| Server::start(at(clock, program).arg("127.0.0.1:0"));
        let server = start("udp-server");
        assert_eq!(tutorial::udp_client(server.address(), "hi"), "nice to meet you");
        server.stop().prints("hi");
        let server = start("tcp-server");
        assert_eq!(handshake(server.address(), "Hello"), "你好");
        server.stop().prints("Hello");
        let server = start("chat-server");
        let mut members = [(); 2].map(|()| Member::join(server.address()));
        members[1].say("hello there");
        let line = format!("{}: hello there", members[1].nick);
        members[0].hears(&format!("* {} joined", members[1].nick));
        members[0].hears(&line);
        drop(members);
        server.stop();
        let folder = Folder::new().with("file", "contents");
        let server = Server::start(at(clock, "file-server").arg("127.0.0.1:0").arg(folder.arg()));
        let launch = at(clock, "file-client").arg(server.at()).args(["file", "-o", "-"]);
        launch.run().exits(0).prints("contents");
        server.stop();
    }
}

#[test]
fn a_wait_is_as_long_as_it_should_be_whatever_the_clock_reads() {
    for clock in CLOCKS {
        let silent = datagram_socket("127.0.0.1");
        let address = silent.local_addr().unwrap().to_string();
        let started = Instant::now();
        let launch = at(clock, "udp-client").arg(&address);
        launch.args(["--timeout", "50ms", "--retries", "1"]).run().exits(1).says(&TIMED_OUT);
        assert!(started.elapsed() >= Duration::from_millis(150), "{:?}", started.elapsed());

        let server = serve("udp-server", &[]);
        let launch = at(clock, "udp-client").arg(server.at()).args(PATIENTLY);
        let summary = launch.args(["--count", "2", "--interval", "1ms", "--json"]).run().exits(0);
        let summary = summary.event("summary");
        let longest = summary["max"].as_f64().expect("seconds");
        assert!((0.0..=started.elapsed().as_secs_f64()).contains(&longest), "{summary}");
        server.stop();
    }
}
