//! A server started by systemd takes its socket from it, as `sd_listen_fds(3)` defines.

use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

use barewire_tests::harness::sockets::{handshake, needs_ipv6};
use barewire_tests::harness::{Launch, Server, tutorial};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::SERVERS;
use crate::chat::Member;

/// Descriptor 3 is the first that is handed over; the process that it is meant for is the one
/// that the shell becomes.
const HAND_OVER: &str = r#"exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$; export LISTEN_FDS LISTEN_PID; exec "$0" "$@""#;

/// The server `program` with a socket of the test's.
pub(crate) fn hand_over(program: &str, socket: impl Into<OwnedFd>) -> Launch {
    Launch::through_shell(HAND_OVER, program).stdin(socket.into())
}

/// Starts it.
pub(crate) fn activated(program: &str, options: &[&str], socket: impl Into<OwnedFd>) -> Server {
    Server::start(hand_over(program, socket).args(options))
}

#[test]
fn a_handed_over_listener_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = activated("tcp-server", &[], listener);
    assert_eq!(server.address(), address);
    assert_eq!(handshake(address, "Hello"), "你好");
    server.stop().prints("Hello").is_silent();
}

#[test]
fn a_handed_over_listener_is_a_rooms() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = activated("chat-server", &[], listener);
    assert_eq!(server.address(), address);
    let member = Member::join(address);
    server.stop().prints(&format!("* {} joined", member.nick)).is_silent();
}

#[test]
fn a_handed_over_datagram_socket_is_served() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let server = activated("udp-server", &[], socket);
    assert_eq!(server.address(), address);
    assert_eq!(tutorial::udp_client(address, "hi"), "nice to meet you");
    server.stop().prints("hi").is_silent();
}

/// It is not taken for nothing, at which a server would listen somewhere else.
#[test]
fn what_makes_no_sense_of_the_service_managers_is_told() {
    for (variables, why) in [
        ("LISTEN_FDS=zz LISTEN_PID=$$", "LISTEN_FDS 'zz' is no number of sockets"),
        ("LISTEN_FDS=-1 LISTEN_PID=$$", "LISTEN_FDS '-1' is no number of sockets"),
        ("LISTEN_FDS= LISTEN_PID=$$", "LISTEN_FDS '' is no number of sockets"),
        ("LISTEN_FDS=4294967295 LISTEN_PID=$$", "LISTEN_FDS '4294967295' is more than the "),
        ("LISTEN_FDS=1 LISTEN_PID=me", "LISTEN_PID 'me' is no number of a process"),
        (
            "LISTEN_FDS=2 LISTEN_FDNAMES=web LISTEN_PID=$$",
            "LISTEN_FDNAMES 'web' has names for 1, and LISTEN_FDS is 2",
        ),
        (
            "LISTEN_FDS=1 LISTEN_FDNAMES=web:mail LISTEN_PID=$$",
            "LISTEN_FDNAMES 'web:mail' has names for 2, and LISTEN_FDS is 1",
        ),
        ("LISTEN_FDS=1 LISTEN_PID=$$; exec 3</dev/null", "descriptor 3 is something else, not a "),
    ] {
        let script =
            format!(r#"{variables}; export LISTEN_FDS LISTEN_PID LISTEN_FDNAMES; exec "$0" "$@""#);
        for program in SERVERS {
            let server = Launch::through_shell(&script, program).arg("127.0.0.1:0").run();
            let server = server.exits(1).omits("listening");
            server.says(&[&format!("cannot use what the service manager has passed: {why}")]);
        }
    }
    let closed =
        r#"LISTEN_FDS=1 LISTEN_PID=$$; export LISTEN_FDS LISTEN_PID; exec 3<&-; exec "$0" "$@""#;
    let server = Launch::through_shell(closed, "tcp-server").run().exits(1).omits("listening");
    server.says(&["descriptor 3 is not open, not a listening "]);
    // Another process's is none of its business, and so is what has no process.
    for variables in ["LISTEN_FDS=zz LISTEN_PID=1", "LISTEN_FDS=zz"] {
        let script = format!(r#"{variables}; export LISTEN_FDS LISTEN_PID; exec "$0" "$@""#);
        Server::start(Launch::through_shell(&script, "tcp-server").arg("127.0.0.1:0")).stop();
    }
}

/// Nothing is ever sent to it.
#[test]
fn a_datagram_socket_that_is_not_bound_is_refused() {
    needs_ipv6();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let flags = SockFlag::SOCK_CLOEXEC;
        let unbound = socket(family, SockType::Datagram, flags, None).unwrap();
        let refused = hand_over("udp-server", unbound).run().exits(1).omits("listening");
        refused.says(&["descriptor 3 is a UDP socket that is not bound, not a UDP socket"]);
    }
}

#[test]
fn a_socket_of_the_wrong_kind_is_refused_in_clear_words() {
    for program in SERVERS {
        let socket: OwnedFd = if program == "udp-server" {
            TcpListener::bind("127.0.0.1:0").unwrap().into()
        } else {
            UdpSocket::bind("127.0.0.1:0").unwrap().into()
        };
        hand_over(program, socket)
            .run()
            .exits(1)
            .omits("listening")
            .says(&["what the service manager has passed"]);
    }
}
