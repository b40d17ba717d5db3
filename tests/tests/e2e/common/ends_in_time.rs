//! The end of a server is bounded, whoever does not take what it has yet to write; and a second signal does
//! not wait for it.

use std::fs::File;
use std::io::{self, BufReader, PipeReader};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use barewire_tests::harness::sockets::{connect, read_line, reset};
use barewire_tests::harness::{Launch, Program, tutorial};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::SERVERS;
use super::pipes::{fill, listening, reopened};
use super::signals::wait_until_refused;
use crate::chat::Member;
use crate::tcp::quiet_rule::until_in_time;

/// What each of them may take if nothing else bounds it.
const READER_TIMEOUT: &str = "60s";

/// A server whose output, diagnostics and log nobody takes any more, and what holds them.
struct Stalled {
    server: Program,
    address: SocketAddr,
    _held: (BufReader<PipeReader>, PipeReader, Option<File>),
}

fn stalled(program: &str, folder: &Path) -> Stalled {
    let (reader, output) = io::pipe().expect("a pipe");
    let (diagnostics, error) = io::pipe().expect("a pipe");
    let fillers = [reopened(&output), reopened(&error)];
    let mut launch = Launch::new(program).args(["127.0.0.1:0", "-v"]);
    launch = launch.args(["--reader-timeout", READER_TIMEOUT]);
    let mut forgotten = None;
    if program == "chat-server" {
        let log = folder.join("log");
        mkfifo(&log, Mode::S_IRWXU).expect("a folder of the test's own");
        let fifo = File::options().read(true).write(true).open(&log).expect("it is there");
        fill(reopened(&fifo));
        forgotten = Some(fifo);
        launch = launch.arg("--log").arg(&log).arg("--bans").arg(folder.join("bans"));
    }
    let server = launch.stdout(output).stderr(error).spawn();
    let (address, reader) = listening(reader);
    for filler in fillers {
        fill(filler);
    }
    // Each has something to say that nobody takes.
    match program {
        "udp-server" => _ = tutorial::udp_client(address, "hi"),
        "chat-server" => _ = Member::join(address),
        "tcp-server" => {
            let mut client = connect(address);
            read_line(&mut client);
            reset(client);
        }
        _ => {}
    }
    Stalled { server, address, _held: (reader, diagnostics, forgotten) }
}

#[test]
fn a_server_ends_in_time_though_nobody_takes_what_it_has_to_say() {
    for program in SERVERS {
        let folder = tempfile::tempdir().expect("a folder");
        let Stalled { server, _held, .. } = stalled(program, folder.path());
        let begun = Instant::now();
        server.signal(Signal::SIGTERM);
        server.finish().exits(0);
        // It takes 5 seconds of its own, at most.
        assert!(begun.elapsed() < Duration::from_secs(20), "{program}: {:?}", begun.elapsed());
    }
}

#[test]
fn a_second_signal_ends_a_server_that_waits_for_who_takes_what_it_has_to_say() {
    for program in SERVERS {
        until_in_time(|_| {
            let folder = tempfile::tempdir().expect("a folder");
            let Stalled { server, address, _held } = stalled(program, folder.path());
            let begun = Instant::now();
            server.signal(Signal::SIGTERM);
            if program != "udp-server" {
                wait_until_refused(address);
            }
            server.signal(Signal::SIGINT);
            server.finish().exits(0);
            // It takes that long without the second, or on a machine that is busy.
            begun.elapsed() < Duration::from_secs(4)
        });
    }
}
