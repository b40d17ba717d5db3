//! A broken pipe on standard output is no error; other failures of it are, and none of them keeps
//! a program from being ended.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, PipeReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use barewire_tests::harness::sockets::{connect, connect_from, handshake, read_line, reset};
use barewire_tests::harness::{
    Folder, Launch, PATIENTLY, Peer, Program, Server, TIMEOUT, serve, tutorial,
};
use nix::libc::O_NONBLOCK;
use nix::sys::signal::Signal;
use serde_json::Value;

use super::frozen::wait_until_idle;
use super::signals::ENDS;
use super::unix_sockets::{self, STREAM_SERVERS};
use super::{PROGRAMS, SERVERS, THREADED};
use crate::chat::Member;

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
        for options in [&[][..], &["--json"], &["--count", "3", "--interval", "5ms"]] {
            assert_unimpressed(client, &[&[&*server.at()], options, &PATIENTLY].concat());
        }
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

        let server = head("chat-server", options);
        let [mut anna, mut ben] = [(); 2].map(|()| Member::join(server.address()));
        ben.say("hi");
        anna.hears(&format!("* {} joined", ben.nick));
        anna.hears(&format!("{}: hi", ben.nick));
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

/// A full disk loses the result, so a script must not take the end for a success.
#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    for (server, client) in [("udp-server", "udp-client"), ("tcp-server", "tcp-client")] {
        let server = serve(server, &[]);
        for options in [&[][..], &["-q"], &["--json"], &["--count", "2", "--interval", "5ms"]] {
            let full = OpenOptions::new().write(true).open("/dev/full").expect("full(4)");
            Launch::new(client)
                .arg(server.at())
                .args(options)
                .args(PATIENTLY)
                .stdout(full)
                .run()
                .exits(1)
                .says(&["standard output"]);
        }
        server.stop();
    }
}

/// A reader that has stalled keeps the server from saying more, and nobody from ending it.
#[track_caller]
fn assert_ended_by_a_signal(program: &str, options: &[&str]) {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let (reader, writer) = io::pipe().expect("a pipe");
        let filler = reopened(&writer);
        let launch = Launch::new(program).args(["127.0.0.1:0", "--reader-timeout", "20ms"]);
        let launch = launch.args(["--grace", "20ms"]).args(options).stdout(writer);
        let server = launch.spawn();
        let (address, _stalled) = listening(reader);
        fill(filler);
        let _client = (program == "tcp-server").then(|| {
            let mut client = connect(address);
            read_line(&mut client);
            client.write_all(b"hi\n").unwrap();
            client
        });
        if program == "udp-server" {
            tutorial::udp_client(address, "hi");
        }
        let _member = (program == "chat-server").then(|| Member::join(address));
        wait_until_idle(&server);
        server.signal(signal);
        // With which code is left open: it may not come to its orderly end.
        server.finish();
    }
}

/// Who reads the output, or does not, is no affair of the clients'.
#[test]
fn a_server_whose_output_nobody_takes_serves_on() {
    let (reader, writer) = io::pipe().expect("a pipe");
    let filler = reopened(&writer);
    let launch = Launch::new("tcp-server").args(["127.0.0.1:0", "--reader-timeout", "20ms"]);
    let server = launch.stdout(writer).spawn();
    let (address, _stalled) = listening(reader);
    fill(filler);
    for _ in 0..3 {
        assert_eq!(handshake(address, "Hello").trim_end(), "你好");
    }
    server.signal(Signal::SIGTERM);
    // In order: what it has to do is to serve.
    server.finish().exits(0).says(&["lines omitted: the reader was too slow"]);
}

/// From the start on: who waits for the first line has it once it is read.
#[test]
fn a_server_whose_output_nobody_takes_yet_serves_on() {
    for program in STREAM_SERVERS {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let waiting = fill(reopened(&writer));
        let (folder, files) = (Folder::new(), Folder::new());
        let at = unix_sockets::at(&folder);
        let launch = Launch::new(program).arg(&at).stdout(writer);
        let launch = if program == "file-server" { launch.arg(files.arg()) } else { launch };
        let server = launch.spawn();
        let deadline = Instant::now() + TIMEOUT;
        while UnixStream::connect(folder.path("socket")).is_err() {
            assert!(Instant::now() < deadline, "{program} does not listen");
            thread::yield_now();
        }
        let client = Launch::new(&program.replace("server", "client")).arg(&at);
        let client = if program == "file-server" { client.arg("--list") } else { client };
        client.run().exits(0);
        reader.read_exact(&mut vec![0; waiting]).expect("what it was filled with");
        let mut line = String::new();
        BufReader::new(&reader).read_line(&mut line).expect("UTF-8");
        assert_eq!(line, format!("listening on {at}\n"));
        unix_sockets::stop(server);
    }
}

/// The operator's screen is one reader of the room like others, and the only one it may lose.
#[test]
fn a_room_whose_output_nobody_takes_goes_on() {
    let (reader, writer) = io::pipe().expect("a pipe");
    let filler = reopened(&writer);
    let launch = Launch::new("chat-server").args(["127.0.0.1:0", "--reader-timeout", "20ms"]);
    let server = launch.stdout(writer).spawn();
    let (address, _stalled) = listening(reader);
    fill(filler);
    let [mut anna, mut ben] = [(); 2].map(|()| Member::join(address));
    anna.hears(&format!("* {} joined", ben.nick));
    for number in 0..50 {
        ben.say(&number.to_string());
        anna.hears(&format!("{}: {number}", ben.nick));
    }
    server.signal(Signal::SIGTERM);
    server.finish().exits(0).says(&["lines omitted: the reader was too slow"]);
}

/// Nor who reads the diagnostics. Some wait for a reader; of others there is a count, in their place.
#[test]
fn a_server_whose_diagnostics_nobody_takes_serves_on() {
    /// What is said of so many does not fit into what is kept.
    const FAILED: usize = 400;

    let (reader, writer) = io::pipe().expect("a pipe");
    let filler = reopened(&writer);
    let launch = Launch::new("tcp-server").arg("127.0.0.1:0").stderr(writer);
    let server = Server::start(launch);
    // Of one source not so much would be said.
    let fails = |number: usize| {
        let source = Ipv4Addr::new(127, 0, 1, (number % 64).try_into().expect("a byte"));
        let mut greeted = connect_from(source, server.address());
        read_line(&mut greeted);
        reset(greeted);
        assert_eq!(handshake(server.address(), "Hello").trim_end(), "你好");
    };
    let waiting = fill(filler);
    (0..FAILED).for_each(fails);
    let mut reader = BufReader::new(reader);
    reader.read_exact(&mut vec![0; waiting]).expect("what it was filled with");
    let mut told = 0;
    let mut omitted = 0;
    while told + omitted < FAILED {
        let mut line = String::new();
        reader.read_line(&mut line).expect("UTF-8");
        // What it says to root may stand before all that it was filled with.
        let line = line.trim_start_matches('.');
        if line.contains(": running as root (") {
            continue;
        }
        if let Some(rest) = line.strip_prefix("tcp-server: warning: ") {
            let count = rest.strip_suffix(" lines omitted: the reader was too slow\n");
            omitted += count.expect(rest).parse::<usize>().expect(rest);
        } else {
            assert!(line.starts_with("tcp-server: 127.0.1."), "{line}");
            told += 1;
        }
    }
    assert!(told > 0 && omitted > 0, "{told} told, {omitted} omitted");
    fails(100);
    let mut line = String::new();
    reader.read_line(&mut line).expect("UTF-8");
    assert!(line.starts_with("tcp-server: 127.0.1."), "{line}");
    server.stop();
}

#[test]
fn a_signal_ends_a_server_whose_diagnostics_nobody_takes() {
    let (_stalled, writer) = io::pipe().expect("a pipe");
    let filler = reopened(&writer);
    let launch = Launch::new("tcp-server").args(["127.0.0.1:0", "--reader-timeout", "20ms"]);
    let server = Server::start(launch.stderr(writer));
    fill(filler);
    reset(connect(server.address()));
    handshake(server.address(), "Hello");
    server.stop();
}

/// A client waits for who reads its diagnostics, but not longer than until it is to end: in order,
/// with its sum. What it had to say is not lost.
#[test]
fn a_signal_ends_a_client_whose_diagnostics_nobody_takes() {
    for (signal, code) in ENDS {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let waiting = fill(reopened(&writer));
        let peer = Peer::tcp(reset);
        let launch = Launch::new("tcp-client").arg(peer.at()).stderr(writer);
        let client = launch.args(["--count", "2", "--interval", "1h"]).spawn();
        peer.finish();
        wait_until_closed(&client);
        wait_until_idle(&client);
        client.signal(signal);
        reader.read_exact(&mut vec![0; waiting]).expect("what it was filled with");
        client.finish().exits(code).prints("1 sent, 0 received");
        let mut said = String::new();
        reader.read_to_string(&mut said).expect("UTF-8");
        assert!(said.starts_with("tcp-client: warning: ") && said.contains("reset"), "{said}");
    }
}

/// Waits until a process has no socket any more.
#[track_caller]
fn wait_until_closed(program: &Program) {
    let descriptors = format!("/proc/{}/fd", program.process());
    let deadline = Instant::now() + TIMEOUT;
    let is_socket = |path: PathBuf| {
        fs::read_link(path).is_ok_and(|it| it.to_string_lossy().starts_with("socket:"))
    };
    while fs::read_dir(&descriptors)
        .expect("it runs")
        .any(|descriptor| descriptor.is_ok_and(|it| is_socket(it.path())))
    {
        assert!(Instant::now() < deadline, "it keeps its connection");
        thread::yield_now();
    }
}

/// Its very last word, too.
#[test]
fn a_signal_ends_a_client_whose_reason_nobody_takes() {
    for (signal, code) in ENDS {
        let (_stalled, writer) = io::pipe().expect("a pipe");
        fill(reopened(&writer));
        let peer = Peer::tcp(reset);
        let launch = Launch::new("tcp-client").args([&peer.at(), "--reader-timeout", "20ms"]);
        let client = launch.stderr(writer).spawn();
        peer.finish();
        wait_until_idle(&client);
        client.signal(signal);
        client.finish().exits(code);
    }
}

#[test]
fn a_signal_ends_a_server_whose_output_nobody_takes() {
    for program in SERVERS {
        assert_ended_by_a_signal(program, &[]);
        assert_ended_by_a_signal(program, &["--json"]);
    }
}

/// Which thread is stuck, and which hears the signal, must not matter.
#[test]
fn a_signal_ends_a_server_of_several_threads_whose_output_nobody_takes() {
    for program in THREADED {
        assert_ended_by_a_signal(program, &["--threads", "4"]);
    }
}

/// Who starts a server may have made its output non-blocking: a write then takes a part, and the next one
/// goes on behind it.
#[test]
fn an_output_that_takes_a_part_at_a_time_gets_everything_once() {
    /// Far more than a pipe takes, and less than is queued.
    const RESULTS: usize = 100;

    let text = "\x01".repeat(1_000);
    for options in [&[][..], &["--json"]] {
        let (reader, writer) = io::pipe().expect("a pipe");
        let launch = Launch::new("udp-server").args(["127.0.0.1:0", "--rate", "0"]).args(options);
        let server = launch.stdout(reopened(&writer)).spawn();
        drop(writer);
        let (address, reader) = listening(reader);
        for number in 0..RESULTS {
            tutorial::udp_client(address, &format!("{number}.{text}"));
        }
        let mut lines = reader.lines().map(|line| line.expect("UTF-8"));
        for number in 0..RESULTS {
            let line = lines.next().expect("a line for each");
            let heard = if options.is_empty() {
                line.split_once(": ").expect(&line).1.to_owned()
            } else {
                let record: Value = serde_json::from_str(&line).expect("one JSON object a line");
                record["text"].as_str().expect(&line).to_owned()
            };
            assert_eq!(heard, format!("{number}.{}", r"\x01".repeat(1_000)));
        }
        server.signal(Signal::SIGTERM);
        server.finish().exits(0).is_silent();
        assert!(lines.next().is_none());
    }
}

/// The writing end once more, which can be told not to block without the server's being told too.
pub(super) fn reopened(writer: &impl AsRawFd) -> File {
    let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
    OpenOptions::new().write(true).custom_flags(O_NONBLOCK).open(path).expect("pipes are there")
}

/// Writes until there is no room, and tells how much that was.
pub(super) fn fill(mut pipe: impl Write) -> usize {
    let mut filled = 0;
    // What is no longer than that is written in whole or not at all (pipe(7)).
    for length in [4096, 1] {
        loop {
            match pipe.write(&vec![b'.'; length]) {
                Ok(count) => filled += count,
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => panic!("the pipe is not filled: {e}"),
            }
        }
    }
    filled
}

/// Takes the first line of a server, and gives the address in it with the reader, which takes no
/// more.
pub(super) fn listening(reader: PipeReader) -> (SocketAddr, BufReader<PipeReader>) {
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    reader.read_line(&mut line).expect("UTF-8");
    let address = line.split([' ', '"']).find_map(|word| word.trim_end().parse().ok());
    (address.unwrap_or_else(|| panic!("the first line is {line:?}")), reader)
}
