//! What each program does at each signal, as the table for operators has it.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::sync::mpsc;

use barewire_tests::harness::sockets::{connect, datagram_socket, read_line, receive};
use barewire_tests::harness::{Launch, PATIENTLY, Peer, Program, Server, TIMEOUT};
use nix::sys::signal::Signal;
use nix::sys::signal::Signal::{
    SIGCONT, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ,
};

use super::SERVERS;
use super::frozen::wait_until_stopped;
use crate::chat::Member;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It ends in order, with this exit code.
    Exits(i32),
    /// It is ended by the signal itself.
    Killed,
    /// It stops until SIGCONT.
    Stops,
    /// Nothing comes of it.
    GoesOn,
}

use Outcome::{Exits, GoesOn, Killed, Stops};

/// A signal; what comes of it at a server, and at a client.
const TABLE: [(Signal, Outcome, Outcome); 10] = [
    (SIGINT, Exits(0), Exits(130)),
    (SIGTERM, Exits(0), Exits(143)),
    (SIGHUP, Exits(0), Exits(129)),
    (SIGQUIT, Killed, Killed),
    (SIGTSTP, Stops, Stops),
    (SIGCONT, GoesOn, GoesOn),
    (SIGTTIN, GoesOn, Stops),
    (SIGTTOU, GoesOn, Stops),
    (SIGPIPE, GoesOn, GoesOn),
    (SIGXFSZ, GoesOn, GoesOn),
];

#[test]
fn the_documented_signals_are_those_that_are_tried() {
    let document = include_str!("../../../../apps/docs/operators.md");
    let rows = document.lines().filter(|line| line.starts_with("| `SIG"));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let names: BTreeSet<_> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert_eq!(names, TABLE.iter().map(|(signal, ..)| signal.as_str()).collect());
}

/// A job, which leaves no core behind.
fn job(program: &str) -> Launch {
    Launch::through_shell(r#"ulimit -c 0; exec "$0" "$@""#, program).as_a_job()
}

#[track_caller]
fn assert_outcome(
    program: Program,
    signal: Signal,
    outcome: Outcome,
    at_sigterm: i32,
    goes_on: impl FnOnce(),
) {
    program.signal(signal);
    match outcome {
        Stops => {
            wait_until_stopped(&program);
            program.signal(SIGCONT);
        }
        Exits(code) => return drop(program.finish().exits(code)),
        Killed => return assert_eq!(program.finish().signal(), Some(signal as i32)),
        GoesOn => {}
    }
    goes_on();
    program.signal(SIGTERM);
    program.finish().exits(at_sigterm);
}

#[test]
fn servers() {
    for program in SERVERS {
        for (signal, outcome, _) in TABLE {
            let server = Server::start(job(program).arg("127.0.0.1:0"));
            let address = server.address();
            assert_outcome(server.program, signal, outcome, 0, || {
                let client = Launch::new(&program.replace("server", "client"));
                let client = client.arg(address.to_string());
                let list: &[_] = if program == "file-server" { &["--list"] } else { &[] };
                client.args(list).args(PATIENTLY).run().exits(0);
            });
        }
    }
}

#[test]
fn a_room_with_a_log_goes_on_after_a_hangup() {
    let folder = tempfile::tempdir().unwrap();
    let launch = job("chat-server").args(["127.0.0.1:0", "--log"]).arg(folder.path().join("log"));
    assert_outcome(Server::start(launch).program, SIGHUP, GoesOn, 0, || {});
}

/// They have waited.
#[test]
fn who_was_there_is_served_when_a_stopped_server_goes_on() {
    let mut server = Server::start(job("tcp-server").arg("127.0.0.1:0"));
    let mut greeted = connect(server.address());
    read_line(&mut greeted);
    server.program.signal(SIGTSTP);
    wait_until_stopped(&server.program);
    greeted.write_all(b"said meanwhile\n").unwrap();
    let mut newcomer = connect(server.address());
    server.program.signal(SIGCONT);
    server.program.line_with("said meanwhile");
    assert_eq!(read_line(&mut newcomer), "你好");
    drop((greeted, newcomer));
    server.stop();
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_of_the_log_and_no_end_of_the_room() {
    let folder = tempfile::tempdir().unwrap();
    let limited = r#"ulimit -c 0; ulimit -f 1; exec "$0" "$@""#;
    let launch = Launch::through_shell(limited, "chat-server").args(["127.0.0.1:0", "--log"]);
    let mut server = Server::start(launch.arg(folder.path().join("log")));
    let mut anna = Member::join(server.address());
    for _ in 0..3 {
        anna.say(&"x".repeat(1000));
    }
    server.program.diagnostic_with(&["cannot write to the log file", "file too large"]);
    Member::join(server.address());
    server.stop();
}

/// Clients that wait for a server which says nothing.
#[test]
fn clients() {
    for (signal, _, outcome) in TABLE {
        let silent = datagram_socket("127.0.0.1");
        let at = silent.local_addr().unwrap().to_string();
        let client = job("udp-client").args([&at, "--timeout", "1h"]).spawn();
        receive(&silent);
        assert_outcome(client, signal, outcome, 143, || {});

        for (program, arguments) in [
            ("tcp-client", &["--timeout", "1h"][..]),
            ("file-client", &["x", "--timeout", "1h"]),
            ("chat-client", &[]),
        ] {
            let (called, call) = mpsc::channel();
            let server = Peer::tcp(move |stream| called.send(stream).unwrap());
            // It has nothing to say, and is not at its end.
            let (input, _typing) = io::pipe().unwrap();
            let launch = job(program).arg(server.at()).args(arguments).stdin(input);
            let client = launch.spawn();
            let _silent = call.recv_timeout(TIMEOUT).expect("a call");
            server.finish();
            assert_outcome(client, signal, outcome, 143, || {});
        }
    }
}
