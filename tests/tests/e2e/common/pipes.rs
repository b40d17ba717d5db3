//! A broken pipe on standard output is no error.

use std::io;

use barewire_tests::harness::{Launch, Server, serve, tutorial};
use nix::sys::signal::Signal;

use super::PROGRAMS;

/// Nobody reads what it prints, from the start.
#[track_caller]
fn assert_unimpressed(program: &str, arguments: &[&str]) {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    Launch::new(program).args(arguments).stdout(writer).run().exits(0).is_silent();
}

#[test]
fn clients_do_not_mind_that_nobody_reads() {
    for (server, client) in [("udp-server", "udp-client"), ("tcp-server", "tcp-client")] {
        let server = serve(server, &[]);
        assert_unimpressed(client, &[&server.at()]);
        assert_unimpressed(client, &[&server.at(), "--json"]);
        assert_unimpressed(client, &[&server.at(), "--count", "3", "--interval", "5ms"]);
        server.stop();
    }
}

#[test]
fn generated_files_may_go_unread() {
    for program in PROGRAMS {
        for arguments in [&["--help"][..], &["--version"], &["--man"], &["--completions", "zsh"]] {
            assert_unimpressed(program, arguments);
        }
    }
}

/// `server | head -n 1`: whether it goes on serving or takes that for the end of its task, it
/// serves the client that made it notice, and it ends in order.
#[test]
fn servers_do_not_mind_that_nobody_reads_on() {
    for options in [&[][..], &["--json"]] {
        let server = head("udp-server", options);
        assert_eq!(tutorial::udp_client(server.address(), "hi"), "nice to meet you");
        server.program.signal(Signal::SIGTERM);
        server.program.finish().exits(0).is_silent();

        let server = head("tcp-server", options);
        assert_eq!(tutorial::tcp_client(server.address(), "hi").trim_end(), "你好");
        server.program.signal(Signal::SIGTERM);
        server.program.finish().exits(0).is_silent();
    }
}

fn head(program: &str, options: &[&str]) -> Server {
    let launch = Launch::new(program).arg("127.0.0.1:0").args(options).hang_up_after(1);
    let mut server = Server::start(launch);
    server.program.output_closed();
    server
}
