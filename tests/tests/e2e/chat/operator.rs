//! The operator, the record, and the end.

use std::fs;
use std::io::Write as _;

use barewire_tests::harness::{Launch, Server, serve};
use nix::sys::signal::Signal;

use super::Member;

#[test]
fn what_is_typed_at_the_server_is_said() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let launch = Launch::new("chat-server").arg("127.0.0.1:0").stdin(reader);
    let mut server = Server::start(launch);
    let mut anna = Member::join(server.address());
    writer.write_all("back at noon\n".as_bytes()).unwrap();
    anna.hears("server: back at noon");
    writer.write_all(b"/who\n").unwrap();
    server.program.line_with(&format!("* here: server, {}", anna.nick));
    anna.say("/msg server may I?");
    server.program.line_with(&format!("(private) {}: may I?", anna.nick));
    writer.write_all(format!("/msg {} you may\n", anna.nick).as_bytes()).unwrap();
    anna.hears("(private) server: you may");
    // The end of standard input does not end the server.
    drop(writer);
    anna.say("/who");
    anna.hears(&format!("* here: server, {}", anna.nick));
    server.stop();
}

#[test]
fn the_record_has_it_all_with_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.log");
    fs::write(&path, "before\n").unwrap();
    let server = serve("chat-server", &["-q", "--log", path.to_str().unwrap()]);
    let mut anna = Member::join(server.address());
    anna.say("hello");
    anna.say("/me waves");
    anna.say("/quit");
    anna.is_at_the_end();
    server.stop();
    let record = fs::read_to_string(&path).unwrap();
    let mut lines = record.lines();
    assert_eq!(lines.next(), Some("before"));
    for told in ["* {} joined", "{}: hello", "{}: /me waves", "* {} left"] {
        let line = lines.next().unwrap_or_else(|| panic!("{told} is missing: {record}"));
        let (time, text) = line.split_once(' ').unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z'), "{line}");
        assert_eq!(text, told.replace("{}", &anna.nick));
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn a_record_that_cannot_be_written_is_an_error_at_once() {
    let run = Launch::new("chat-server").args(["127.0.0.1:0", "--log", "/nowhere/chat.log"]).run();
    run.exits(1).says(&["/nowhere/chat.log"]).says(&["no such file"]);
}

#[test]
fn json_tells_each_thing_once() {
    let mut server = serve("chat-server", &["--json"]);
    let mut anna = Member::join(server.address());
    assert_eq!(server.program.event("joined")["nick"], anna.nick.as_str());
    anna.say("hel\x1blo");
    let line = server.program.event("line");
    assert_eq!((&line["nick"], &line["text"]), (&anna.nick.as_str().into(), &"hel\\x1blo".into()));
    assert_eq!(line["private"], false);
    anna.say("/me waves");
    let line = server.program.event("line");
    assert_eq!((&line["nick"], &line["text"]), (&anna.nick.as_str().into(), &"waves".into()));
    assert_eq!(line["action"], true);
    anna.say("/msg server psst");
    assert_eq!(server.program.event("line")["private"], true);
    anna.say("/quit");
    assert_eq!(server.program.event("left")["nick"], anna.nick.as_str());
    let events = server.stop().events();
    let told: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!(told, ["listening", "joined", "line", "line", "line", "left"]);
}

#[test]
fn an_orderly_stop_sends_the_last_lines_first() {
    let server = serve("chat-server", &[]);
    let mut anna = Member::join(server.address());
    let mut ben = Member::join(server.address());
    anna.hears(&format!("* {} joined", ben.nick));
    anna.say("goodbye");
    ben.hears(&format!("{}: goodbye", anna.nick));
    server.program.signal(Signal::SIGTERM);
    // Each hears of the others who leave before it, and then the end.
    for member in [&mut anna, &mut ben] {
        loop {
            match member.line() {
                end if end.is_empty() => break,
                line => assert!(line.ends_with("left (the server stops)"), "{line}"),
            }
        }
    }
    server.program.finish().exits(0);
}
