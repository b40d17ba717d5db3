//! The forms an address may have, and addresses that cannot be had.

use std::net::{TcpListener, UdpSocket};

use barewire_tests::harness::sockets::{catch_up, has_ipv6};
use barewire_tests::harness::{Launch, Server, ask_patiently, run, tutorial};
use nix::sys::signal::Signal;

use super::{SERVERS, THREADED};
use crate::chat::Member;

/// What each server says by default, beside its client.
const PAIRS: [(&str, &str, &str); 2] =
    [("udp-server", "udp-client", "nice to meet you"), ("tcp-server", "tcp-client", "你好")];

fn serve_at(program: &str, address: &[&str]) -> Server {
    Server::start(Launch::new(program).args(address))
}

#[test]
fn the_first_line_tells_the_address_with_the_port_that_was_found() {
    for program in SERVERS {
        let server = serve_at(program, &["127.0.0.3:0"]);
        assert_eq!(server.address().ip().to_string(), "127.0.0.3");
        assert_ne!(server.address().port(), 0);
        let line = format!("listening on {}\n", server.address());
        assert_eq!(server.stop().output(), line);

        let server = serve_at(program, &["127.0.0.3:0", "--json"]);
        let address = server.at();
        let listening = server.stop().event("listening");
        assert_eq!(listening["address"], address, "{listening}");
    }
}

#[test]
fn host_and_port_may_be_two_words() {
    for (server, client, reply) in PAIRS {
        let server = serve_at(server, &["127.0.0.1", "0"]);
        let port = server.port();
        ask_patiently(client, &["127.0.0.1", &port]).exits(0).prints(reply);
        server.stop();
    }
}

#[test]
fn a_text_may_follow_the_two_words_and_be_a_number_itself() {
    for (server, client, reply) in PAIRS {
        let mut server = serve_at(server, &["127.0.0.1", "0", "--json"]);
        let (at, port) = (server.at(), server.port());
        for arguments in [&["127.0.0.1", &port, "42"][..], &[&at, "42"]] {
            ask_patiently(client, arguments).exits(0).prints(reply);
            assert_eq!(server.program.event("received")["text"], "42", "{client} {arguments:?}");
        }
        server.stop();
    }
}

/// Without IPv6 on this machine, what is tested is that the servers say so.
#[test]
fn ipv6_addresses_stand_in_brackets() {
    for (server, client, reply) in PAIRS {
        if !has_ipv6() {
            run(server, &["[::1]:0"]).exits(1).says(&["cannot bind [::1]:0"]);
            continue;
        }
        let server = serve_at(server, &["[::1]:0"]);
        assert!(server.at().starts_with("[::1]:"), "{}", server.at());
        ask_patiently(client, &[&server.at()]).exits(0).prints(reply);
        let port = server.port();
        ask_patiently(client, &["::1", &port]).exits(0).prints(reply);
        server.stop();
    }
}

#[test]
fn names_are_looked_up() {
    for (server, client, reply) in PAIRS {
        let server = serve_at(server, &["localhost:0"]);
        assert!(server.address().ip().is_loopback());
        let port = server.port();
        ask_patiently(client, &[&format!("localhost:{port}")]).exits(0).prints(reply);
        ask_patiently(client, &["localhost", &port]).exits(0).prints(reply);
        server.stop();
    }
}

#[test]
fn a_port_in_use_is_told_with_a_way_out() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    for program in SERVERS {
        let (holder, lister) = if program == "udp-server" {
            (udp.local_addr().unwrap(), "ss -lunp")
        } else {
            (tcp.local_addr().unwrap(), "ss -ltnp")
        };
        for options in [&[][..], &["--threads", "2"], &["--json"]] {
            if options.contains(&"--threads") && !THREADED.contains(&program) {
                continue;
            }
            let at = holder.to_string();
            let server = run(program, &[&[&*at], options].concat())
                .exits(1)
                .says(&[&format!("cannot bind {at}: address already in use")])
                .says(&[&format!("{lister} 'sport = :{}'", holder.port())])
                .omits("listening");
            if options == ["--json"] {
                server.event("error");
            }
        }
    }
}

/// On an address of its own, so that no other test takes the port meanwhile.
#[test]
fn a_port_is_free_again_when_its_server_has_stopped() {
    const HERE: &str = "127.0.0.4:0";
    let server = serve_at("tcp-server", &[HERE]);
    let at = server.at();
    // Leaves the server's side of a connection in TIME-WAIT, which must not hold the port.
    tutorial::tcp_client(server.address(), "Hello");
    server.stop();
    serve_at("tcp-server", &[&at]).stop();

    let server = serve_at("chat-server", &[HERE]);
    let at = server.at();
    let mut member = Member::join(server.address());
    member.say("/quit");
    member.is_at_the_end();
    server.stop();
    serve_at("chat-server", &[&at]).stop();

    let server = serve_at("udp-server", &[HERE]);
    let at = server.at();
    catch_up(server.address());
    server.stop();
    serve_at("udp-server", &[&at]).stop();
}

/// The one fixed port in these tests. If a stranger holds it, the server tells all the same which
/// address it meant.
#[test]
fn servers_default_to_port_8080_of_the_loopback() {
    for program in SERVERS {
        let mut server = Launch::new(program).spawn();
        if let Some(line) = server.line_or_end() {
            assert_eq!(line, "listening on 127.0.0.1:8080");
            server.signal(Signal::SIGTERM);
            server.finish().exits(0);
        } else {
            server.finish().exits(1).says(&["cannot bind 127.0.0.1:8080: address already in use"]);
        }
    }
}
