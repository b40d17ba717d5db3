//! How the clients find their servers: names of several addresses, some of them dead; names that move;
//! names that nobody can look up. What was never looked up again, or hung, has hurt before: kafka#9902,
//! ics-openvpn#1899, tokio#3405, OpenDJ#728.

use std::net::{TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use barewire_tests::harness::framed::hear;
use barewire_tests::harness::namespace::{ALIVE, DEAD};
use barewire_tests::harness::sockets::{RefusedTcp, needs_ipv6, receive, reset, with_timeouts};
use barewire_tests::harness::{Finished, Folder, Launch, Namespace, PATIENTLY, Server, run, serve};
use nix::sys::signal::Signal;

use super::CLIENTS;

/// A server beside its client, and what it says.
const PAIRS: [(&str, &str, &str); 2] =
    [("udp-server", "udp-client", "nice to meet you"), ("tcp-server", "tcp-client", "你好")];

/// No test would wait that long.
const FOR_EVER: [&str; 2] = ["--timeout", "1h"];

/// How long the first attempt is alone (RFC 8305 §8).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

fn serve_in(namespace: &Namespace, program: &str, address: &str) -> Server {
    Server::start(namespace.launch(program).arg(address))
}

/// The server listens on the last address of the name only; the first refuses.
#[test]
fn every_address_of_a_name_is_tried() {
    let namespace = Namespace::names("127.0.0.98 two.test\n127.0.0.99 two.test\n");
    for (server, client, reply) in PAIRS {
        let server = Server::start(Launch::new(server).arg("127.0.0.99:0"));
        for options in [&[][..], &["--count", "3", "--interval", "5ms"]] {
            let client = namespace.launch(client).args(["two.test", &server.port()]).args(options);
            let client = client.args(PATIENTLY).run().exits(0).prints(reply);
            assert_eq!(client.output().contains("3 received, 0 lost"), !options.is_empty());
        }
        server.stop();
    }
}

/// The first two addresses swallow what is sent there. Their time-out would last longer than the test.
#[test]
fn dead_addresses_cost_a_moment_once_and_no_round_trip() {
    let [one, two, _] = DEAD;
    let hosts = format!("{one} three.test\n{two} three.test\n{ALIVE} three.test\n");
    let namespace = Namespace::network("", &hosts);
    for (server, client, reply) in PAIRS {
        let server = serve_in(&namespace, server, &format!("{ALIVE}:0"));
        let launch = namespace.launch(client).args(["three.test", &server.port()]).args(FOR_EVER);
        let started = Instant::now();
        let client = launch.args(["--count", "20", "--interval", "0", "--json"]).run().exits(0);
        let took = started.elapsed();
        assert_eq!(client.output().matches(reply).count(), 20, "{client:?}");
        let summary = client.event("summary");
        assert_eq!(summary["lost"], 0, "{summary}");
        let longest = Duration::from_secs_f64(summary["max"].as_f64().expect("seconds"));
        assert!(longest + 2 * ATTEMPT_DELAY <= took, "dialing was counted: {summary}, of {took:?}");
        server.stop();
    }
}

#[test]
fn a_chat_and_a_download_find_the_address_that_answers() {
    let namespace = Namespace::network("", &format!("{} two.test\n{ALIVE} two.test\n", DEAD[0]));
    let (source, target) = (Folder::new().with("file", "contents"), Folder::new());
    let launch = namespace.launch("file-server").args([&format!("{ALIVE}:0"), source.arg()]);
    let server = Server::start(launch);
    let client = namespace.launch("file-client").args(["two.test", &server.port(), "file"]);
    client.args(["-d", target.arg()]).args(FOR_EVER).run().exits(0);
    target.assert_holds("file", b"contents");
    server.stop();

    let server = serve_in(&namespace, "chat-server", &format!("{ALIVE}:0"));
    let client = namespace.launch("chat-client").args(["two.test", &server.port()]);
    client.args(FOR_EVER).run().exits(0).prints("welcome");
    server.stop();
}

/// The name has moved by the time that the first server breaks off.
#[test]
fn a_download_goes_on_where_the_name_has_moved_to() {
    let namespace = Namespace::names("127.0.0.98 moving.test\n");
    let (source, target) = (Folder::new().with("file", "contents"), Folder::new());
    let launch = Launch::new("file-server").args(["127.0.0.99:0", source.arg()]);
    let server = Server::start(launch);
    let old = TcpListener::bind(("127.0.0.98", server.address().port())).expect("a free address");
    let client = namespace.launch("file-client").args(["moving.test", &server.port(), "file"]);
    let client = client.args(["-d", target.arg(), "--retry-pause", "1ms"]).spawn();
    let (stream, _) = old.accept().expect("a client");
    let mut stream = with_timeouts(stream);
    hear(&mut stream).expect("a request");
    namespace.set_hosts("127.0.0.99 moving.test\n");
    reset(stream);
    client.finish().exits(0);
    target.assert_holds("file", b"contents");
    server.stop();
}

/// As long as it answers a server is asked where it was found; then its name is looked up again.
#[test]
fn datagrams_follow_a_name_that_has_moved() {
    let namespace = Namespace::names("127.0.0.98 moving.test\n");
    let server = Server::start(Launch::new("udp-server").arg("127.0.0.99:0"));
    let old = UdpSocket::bind(("127.0.0.98", server.address().port())).expect("a free address");
    let client = namespace.launch("udp-client").args(["moving.test", &server.port()]);
    let client = client.args(["--count", "3", "--interval", "300ms", "--timeout", "8s"]).spawn();
    let (_, from) = receive(&old);
    namespace.set_hosts("127.0.0.99 moving.test\n");
    old.send_to(b"from the old one", from).expect("room");
    drop(old);
    let client = client.finish().exits(0).prints("from the old one").prints("nice to meet you");
    client.prints("3 sent, 2 received, 1 lost");
    server.stop();
}

#[test]
fn an_error_tells_how_many_addresses_were_tried_and_why_the_last_failed() {
    let namespace = Namespace::names("127.0.0.98 two.test\n127.0.0.99 two.test\n");
    let nobody = RefusedTcp::hold();
    let at = nobody.at().replace("127.0.0.1", "two.test");
    for client in ["tcp-client", "chat-client", "file-client"] {
        let launch = namespace.launch(client).arg(&at);
        let launch = if client == "file-client" { launch.arg("name") } else { launch };
        launch.run().exits(1).says(&[&format!(
            "cannot connect to {at}: tried 2 addresses, the last: connection refused (is a server"
        )]);
    }
}

#[test]
fn one_family_can_be_asked_for() {
    needs_ipv6();
    let namespace = Namespace::names("127.0.0.1 both.test\n::1 both.test\n");
    for (server, client, reply) in PAIRS {
        let server = serve(server, &[]);
        let at = format!("both.test:{}", server.port());
        let launch = |family: &str| namespace.launch(client).args([family, &at]).args(PATIENTLY);
        launch("-4").run().exits(0).prints(reply);
        // Nobody listens there.
        launch("-6").run().exits(1).omits(reply);
        run(client, &["-6", &server.at()]).exits(1).says(&["'127.0.0.1' has no IPv6 address"]);
        run(client, &["-4", "-6", &server.at()]).exits(2).says(&["cannot be used with"]);
        server.stop();
    }
    let server = Server::start(Launch::new("tcp-server").arg("[::1]:0"));
    let client = namespace.launch("tcp-client").args(["--ipv6", "both.test", &server.port()]);
    client.run().exits(0).prints("你好");
    server.stop();
}

#[test]
fn an_unknown_host_is_a_failure_with_its_name_and_the_name_services_words() {
    // Where a name server is out of reach, one short try says so (resolv.conf(5)).
    let ask = |client| {
        Launch::new(client)
            .arg("no-such-host.invalid:80")
            .env("RES_OPTIONS", "attempts:1 timeout:1")
    };
    let judge = |client: Finished| {
        let client = client.exits(1).says(&["cannot look up 'no-such-host.invalid': "]);
        assert!(!client.error().contains("lookup address information"), "{client:?}");
    };
    for client in CLIENTS {
        judge(ask(client).run());
    }
    judge(ask("chat-client").run());
    judge(ask("file-client").arg("name").run());
}

/// The name server swallows every question.
#[test]
fn a_name_service_that_hangs_keeps_nobody() {
    let namespace = Namespace::network("", "");
    let launch = |client| {
        let launch = namespace.launch(client).arg("some.test:80");
        // The look-up lasts longer than the test (resolv.conf(5)).
        launch.env("RES_OPTIONS", "timeout:30 attempts:5")
    };
    for client in CLIENTS {
        let client = launch(client).args(["--lookup-timeout", "50ms"]).run().exits(1);
        client.says(&["cannot look up 'some.test': no answer in 0.05 s"]);
    }
    // Nor the end, when a signal comes while it hangs.
    let mut client = launch("tcp-client").arg("-v").spawn();
    client.diagnostic_with(&["connecting to some.test:80"]);
    client.signal(Signal::SIGINT);
    client.finish().exits(130);
}

/// One of the mirrors cannot be found: the other gives all of the file meanwhile.
#[test]
fn a_mirror_that_is_looked_up_in_vain_holds_up_no_other() {
    let namespace = Namespace::network("", "");
    let (source, target) = (Folder::new().with("file", "contents"), Folder::new());
    let launch = namespace.launch("file-server").args([&format!("{ALIVE}:0"), source.arg()]);
    let server = Server::start(launch);
    let client = namespace.launch("file-client").args([&server.at(), "file", "-d", target.arg()]);
    client.args(["--mirror", "some.test:80"]).run().exits(0);
    target.assert_holds("file", b"contents");
    server.stop();
}

/// Where the only port that the system gives to clients is the server's, and no server is there, the two
/// ends of a connection can be one and the same (RFC 9293 §3.5, "simultaneous open").
#[test]
fn a_client_never_talks_to_itself() {
    let narrow = "echo 40000 40000 > /proc/sys/net/ipv4/ip_local_port_range";
    let namespace = Namespace::network(narrow, "");
    let at = "127.0.0.1:40000";
    for program in ["udp-client", "tcp-client", "chat-client", "file-client"] {
        let launch = namespace.launch(program).arg(at);
        let launch = if program == "file-client" { launch.arg("name") } else { launch };
        let client = launch.args(FOR_EVER).run().exits(1);
        client.says(&["connected to itself (is a server listening there?)"]);
    }
    // Nothing is left in the way of the server.
    for program in ["udp-server", "tcp-server"] {
        serve_in(&namespace, program, at).stop();
    }
}
