//! Where servers listen: at every address of a name, at everything that a service manager passes, and what it
//! is told of them. A second socket that is accepted and never served has hurt before: routinator#127.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;

use barewire_tests::harness::sockets::{handshake, has_ipv6, needs_ipv6, uninterrupted};
use barewire_tests::harness::{Folder, Launch, Namespace, Program, Server, TIMEOUT, run, tutorial};
use nix::sys::signal::Signal;

use super::{SERVERS, THREADED};
use crate::chat::Member;

/// The next address that a server says it listens on.
fn listening(server: &mut Server) -> SocketAddr {
    server.program.listening()
}

fn greets(address: SocketAddr) {
    assert_eq!(handshake(address, "Hello"), "你好");
}

#[test]
fn a_server_listens_at_every_address_of_its_name_on_one_port() {
    let namespace = Namespace::names("127.0.0.11 two.test\n127.0.0.12 two.test\n");
    for program in SERVERS {
        let mut server = Server::start(namespace.launch(program).arg("two.test:0"));
        let (first, second) = (server.address(), listening(&mut server));
        assert_eq!(first.port(), second.port());
        let hosts = [first, second].map(|address| address.ip().to_string());
        assert_eq!(hosts, ["127.0.0.11", "127.0.0.12"]);
        for address in [first, second] {
            if program == "udp-server" {
                assert_eq!(tutorial::udp_client(address, "hi"), "nice to meet you");
            } else {
                TcpStream::connect(address).expect("it listens");
            }
        }
        server.stop();
    }
}

#[test]
fn each_thread_serves_every_address() {
    let namespace = Namespace::names("127.0.0.13 two.test\n127.0.0.14 two.test\n");
    for program in THREADED {
        let launch = namespace.launch(program).args(["two.test:0", "--threads", "2"]);
        let mut server = Server::start(launch);
        let addresses = [server.address(), listening(&mut server)];
        // The system spreads them over the threads: many reach both.
        for address in [addresses; 8].concat() {
            match program {
                "udp-server" => {
                    assert_eq!(tutorial::udp_client(address, "hi"), "nice to meet you");
                }
                "tcp-server" => greets(address),
                _ => drop(TcpStream::connect(address).expect("it listens")),
            }
        }
        server.stop();
    }
}

/// TEST-NET-3 (RFC 5737) is nobody's.
#[test]
fn an_address_of_the_name_that_this_host_does_not_have_is_left_out_with_a_word() {
    let namespace = Namespace::names("203.0.113.7 two.test\n127.0.0.1 two.test\n");
    let server = Server::start(namespace.launch("tcp-server").arg("two.test:0"));
    assert_eq!(server.address().ip().to_string(), "127.0.0.1");
    greets(server.address());
    let server = server.stop().says(&["not listening on 203.0.113.7:"]);
    server.says(&["cannot assign requested address"]);
    namespace.set_hosts("203.0.113.7 two.test\n203.0.113.8 two.test\n");
    namespace
        .launch("tcp-server")
        .arg("two.test:0")
        .run()
        .exits(1)
        .says(&["cannot bind two.test:0 (203.0.113.8:0): cannot assign requested address"]);
}

#[test]
fn a_port_that_is_taken_at_one_address_of_the_name_is_told_with_the_address() {
    let namespace = Namespace::names("127.0.0.15 two.test\n127.0.0.16 two.test\n");
    let other = Server::start(Launch::new("tcp-server").arg("127.0.0.16:0"));
    let at = format!("two.test:{}", other.address().port());
    let why = format!("cannot bind {at} ({}): address already in use", other.address());
    namespace.launch("tcp-server").arg(&at).run().exits(1).says(&[&why]).omits("listening");
    other.stop();
}

#[test]
fn an_address_that_is_given_twice_is_wrong_usage() {
    let folder = Folder::new();
    let at = |name: &str| format!("unix:{}", folder.path(name).display());
    for addresses in [["127.0.0.1:9", "127.0.0.1:9"], [&at("a"), &at("a")], [&at("a"), &at("./a")]]
    {
        let refused = run("tcp-server", &addresses).exits(2).omits("listening");
        refused.says(&[&format!("ADDR: '{}' is given twice", addresses[1])]);
    }
    assert!(!folder.has("a"));
    // Two free ports are none.
    Server::start(Launch::new("tcp-server").args(["127.0.0.1:0", "127.0.0.1:0"])).stop();
}

/// Of a host, or of the one server: it would find itself there.
#[test]
fn an_address_that_another_one_stands_for_is_not_bound_besides() {
    needs_ipv6();
    let namespace = Namespace::network("", "127.0.0.1 here.test\n");
    for program in SERVERS {
        for addresses in [
            ["[::]:8080", "0.0.0.0:8080"],
            ["0.0.0.0:8080", "[::]:8080"],
            ["127.0.0.1:8080", "[::]:8080"],
            ["127.0.0.1:8080", "0.0.0.0:8080"],
            ["here.test:8080", "127.0.0.1:8080"],
        ] {
            let server = Server::start(namespace.launch(program).args(addresses));
            let server = server.stop();
            let port = server.output().matches(":8080").count();
            let both = usize::from(addresses.contains(&"[::]:8080"));
            assert_eq!(port, 1 + both, "{addresses:?}: {server:?}");
        }
    }
    let other = Server::start(namespace.launch("tcp-server").arg("0.0.0.0:8080"));
    let taken = namespace.launch("tcp-server").args(["[::]:8080", "0.0.0.0:8080"]).run();
    taken.exits(1).says(&["cannot bind [::]:8080: address already in use (find the process with"]);
    other.stop();
}

#[test]
fn everywhere_means_ipv4_as_well_and_says_so() {
    needs_ipv6();
    for options in [&["[::]:0"][..], &["[::]:0", "--json"]] {
        let mut server = Server::start(Launch::new("tcp-server").args(options));
        let port = server.address().port();
        assert_eq!(listening(&mut server), SocketAddr::from(([0, 0, 0, 0], port)));
        greets(SocketAddr::from(([127, 0, 0, 1], port)));
        greets(format!("[::1]:{port}").parse().expect("an address"));
        server.stop();
    }
}

#[test]
fn every_socket_that_is_passed_is_served() {
    let last = if has_ipv6() { "tcp,::1" } else { "tcp,127.0.0.2" };
    let sockets = ["tcp,127.0.0.1", last];
    let mut server = Server::start(Launch::activated("tcp-server", &sockets));
    let other = listening(&mut server);
    greets(other);
    greets(server.address());
    server.stop().is_silent();

    let mut server = Server::start(Launch::activated("chat-server", &sockets));
    let other = listening(&mut server);
    let (mut one, mut another) = (Member::join(server.address()), Member::join(other));
    another.say("hello there");
    one.hears(&format!("* {} joined", another.nick));
    one.hears(&format!("{}: hello there", another.nick));
    server.stop();

    let sockets = ["udp,127.0.0.1", "udp,127.0.0.1", "udp,127.0.0.2"];
    let mut server = Server::start(Launch::activated("udp-server", &sockets));
    let addresses = [server.address(), listening(&mut server), listening(&mut server)];
    for address in addresses {
        assert_eq!(tutorial::udp_client(address, "hi"), "nice to meet you");
    }
    server.stop().is_silent();
}

#[test]
fn once_is_once_whatever_the_socket() {
    let sockets = ["tcp,127.0.0.1", "tcp,127.0.0.2"];
    let launch = Launch::activated("tcp-server", &sockets);
    let mut server = Server::start(launch.args(["--once", "--quiet-period", "1h"]));
    greets(listening(&mut server));
    server.program.finish().exits(0);
    let sockets = ["udp,127.0.0.1", "udp,127.0.0.2"];
    let mut server = Server::start(Launch::activated("udp-server", &sockets).arg("--once"));
    assert_eq!(tutorial::udp_client(listening(&mut server), "hi"), "nice to meet you");
    server.program.finish().exits(0);
}

#[test]
fn a_socket_of_the_wrong_kind_is_told_with_its_name_and_others_can_be_chosen_by_theirs() {
    let mixed = || {
        let launch = Launch::activated("tcp-server", &["tcp,127.0.0.1", "udp,127.0.0.1"]);
        launch.env("LISTEN_FDNAMES", "greetings:datagrams")
    };
    mixed().run().exits(1).omits("listening").says(&[
        "descriptor 4 ('datagrams') is a UDP socket, not a listening TCP or Unix stream socket (fd:NAME chooses others)",
    ]);
    let server = Server::start(mixed().arg("fd:greetings"));
    greets(server.address());
    server.stop().is_silent();
    mixed()
        .arg("fd:letters")
        .run()
        .exits(1)
        .says(&["none is called 'letters' (they are 'greetings', 'datagrams')"]);
    for program in SERVERS {
        run(program, &["fd:letters"]).exits(1).says(&["none is called 'letters'"]);
    }
}

/// What a service manager hears, one note after another.
struct Manager {
    socket: UnixDatagram,
    folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("a socket");
        socket.set_read_timeout(Some(TIMEOUT)).expect("not zero");
        Self { socket, folder }
    }

    fn launch(&self, program: &str) -> Launch {
        let launch = Launch::new(program).arg("127.0.0.1:0");
        launch.env("NOTIFY_SOCKET", self.folder.path().join("notify"))
    }

    fn hears(&self) -> String {
        let mut note = [0; 256];
        let length = uninterrupted(|| self.socket.recv(&mut note)).expect("a note in time");
        String::from_utf8_lossy(&note[..length]).trim_end().to_owned()
    }
}

fn terminate(server: &Program) {
    server.signal(Signal::SIGTERM);
}

#[test]
fn readiness_and_the_stop_are_reported() {
    for program in SERVERS {
        let manager = Manager::new();
        let server = Server::start(manager.launch(program));
        assert_eq!(manager.hears(), "READY=1", "{program}");
        terminate(&server.program);
        assert_eq!(manager.hears(), "STOPPING=1", "{program}");
        server.program.finish().exits(0);
    }
}

/// What is heard then holds: the log has its new file, and whoever joins is shown the new message.
#[test]
fn a_reload_is_told_to_be_over_when_it_is() {
    let folder = Folder::new().with("motd", "number 0\n");
    let [log, old, motd] = ["log", "old", "motd"].map(|name| folder.path(name));
    let manager = Manager::new();
    let launch = manager.launch("chat-server").arg("--log").arg(&log).arg("--motd").arg(&motd);
    // As many joins as it takes.
    let server = Server::start(launch.args(["--max-per-source", "1000"]).as_a_job());
    assert_eq!(manager.hears(), "READY=1");
    for number in 1..20 {
        fs::rename(&log, &old).expect("the log");
        fs::write(&motd, format!("number {number}\n")).expect("a file");
        server.program.signal(Signal::SIGHUP);
        assert!(manager.hears().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        assert_eq!(manager.hears(), "READY=1");
        assert!(log.exists());
        Member::join(server.address()).hears(&format!("* motd: number {number}"));
    }
    terminate(&server.program);
    assert_eq!(manager.hears(), "STOPPING=1");
    server.program.finish().exits(0);
}

#[test]
fn a_watchdog_hears_that_every_thread_is_alive() {
    for (program, threads) in [("tcp-server", "3"), ("udp-server", "1")] {
        let manager = Manager::new();
        let launch = manager.launch(program).args(["--threads", threads]);
        // What it would not take in for some seconds is lost, as its manager's socket has room for a few notes.
        let server = Server::start(launch.env("WATCHDOG_USEC", "2000000"));
        assert_eq!(manager.hears(), "READY=1");
        for _ in 0..3 {
            assert_eq!(manager.hears(), "WATCHDOG=1");
        }
        terminate(&server.program);
        while manager.hears() != "STOPPING=1" {}
        server.program.finish().exits(0);
    }
    // Another process's is none of its business.
    let manager = Manager::new();
    let launch = manager.launch("tcp-server").env("WATCHDOG_USEC", "1000").env("WATCHDOG_PID", "1");
    let server = Server::start(launch);
    assert_eq!(manager.hears(), "READY=1");
    greets(server.address());
    terminate(&server.program);
    assert_eq!(manager.hears(), "STOPPING=1");
    server.program.finish().exits(0);
}
