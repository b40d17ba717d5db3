//! Who reads the results and stops to is waited for by nobody. What does not fit into a bounded queue is
//! counted, and the count stands in its place once the reader goes on.

use std::io::{self, BufRead as _, BufReader};
use std::net::{Shutdown, SocketAddr};

use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::sockets::{connect, handshake};
use barewire_tests::harness::{Folder, Launch, tutorial};
use nix::sys::signal::Signal;
use serde_json::Value;

use super::memory::{growth, peak_memory};
use crate::chat::Member;

/// A result of so many bytes at least is one record in JSON: five for each control character, and more
/// for it as base64.
const LENGTH: usize = 1000;

/// So many do not fit.
const RESULTS: usize = 600;

/// What is queued, twice, and what the system has given for it.
const BOUND: usize = 8 << 20;

#[track_caller]
fn assert_counted(launch: Launch, event: &str, mut cause: impl FnMut(SocketAddr)) {
    let (reader, writer) = io::pipe().expect("a pipe");
    let server = launch.arg("--json").stdout(writer).spawn();
    let mut reader = BufReader::new(reader);
    let mut record = || {
        let mut line = String::new();
        reader.read_line(&mut line).expect("UTF-8");
        let record: Value = serde_json::from_str(&line).expect("one JSON object a line");
        record
    };
    let listening = record();
    let address = listening["address"].as_str().and_then(|address| address.parse().ok());
    let address = address.unwrap_or_else(|| panic!("the first record is {listening}"));
    let before = peak_memory(&server);
    for _ in 0..RESULTS {
        cause(address);
    }
    let grown = growth(&server, before);
    assert!(grown < BOUND, "it took {grown} bytes");
    let mut told = 0;
    let mut omitted = 0;
    while told + omitted < RESULTS {
        let record = record();
        if let Some(message) = record["message"].as_str() {
            let count = message.strip_suffix(" lines omitted: the reader was too slow");
            omitted += count.expect(message).parse::<usize>().expect(message);
        }
        told += usize::from(record["event"] == event);
    }
    assert_eq!(told + omitted, RESULTS);
    assert!(omitted > 0, "all of it fits");
    cause(address);
    assert_eq!(record()["event"], event);
    server.signal(Signal::SIGTERM);
    server.finish().exits(0).says(&["lines omitted: the reader was too slow"]);
}

fn server(program: &str) -> Launch {
    Launch::new(program).arg("127.0.0.1:0")
}

fn text() -> String {
    "\x01".repeat(LENGTH)
}

#[test]
fn a_datagram_server_serves_on() {
    let launch = server("udp-server").args(["--rate", "0"]);
    assert_counted(launch, "received", |address| {
        assert_eq!(tutorial::udp_client(address, &text()), "nice to meet you");
    });
}

#[test]
fn a_greeting_server_serves_on() {
    assert_counted(server("tcp-server"), "received", |address| {
        assert_eq!(handshake(address, &text()).trim_end(), "你好");
    });
}

#[test]
fn a_file_server_serves_on() {
    let folder = Folder::new().with("x", "contents");
    let launch = server("file-server").arg(folder.as_ref()).args(["--max-per-source", "1000"]);
    assert_counted(launch, "served", |address| {
        let mut stream = connect(address);
        assert_ne!(Ask::get(text()).fetch(&mut stream).0.status, 0);
        stream.shutdown(Shutdown::Both).expect("it is connected");
    });
}

#[test]
fn a_room_goes_on() {
    let mut members = None;
    assert_counted(server("chat-server").args(["--rate", "0"]), "line", |address| {
        let [speaker, listener] = members.get_or_insert_with(|| {
            let mut first = Member::join(address);
            let second = Member::join(address);
            first.hears(&format!("* {} joined", second.nick));
            [first, second]
        });
        speaker.say(&text());
        listener.hears(&format!("{}: {}", speaker.nick, r"\x01".repeat(LENGTH)));
    });
}
