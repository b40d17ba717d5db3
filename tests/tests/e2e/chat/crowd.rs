//! Many members, and some who behave badly.

use std::io::Read as _;
use std::net::TcpStream;
use std::thread;

use barewire_tests::harness::serve;
use barewire_tests::harness::sockets::{connect_narrow, read_line};

use super::Member;

/// Every line reaches every other member exactly once, and in each sender's order.
#[test]
fn a_hundred_members_hear_each_line_once_and_in_order() {
    const MEMBERS: usize = 100;
    const SPEAKERS: usize = 10;
    const LINES: usize = 50;

    let server = serve("chat-server", &["--rate", "0", "--history", "0", "-q"]);
    let mut members: Vec<Member> = (0..MEMBERS).map(|_| Member::join(server.address())).collect();
    let speakers: Vec<String> = members[..SPEAKERS].iter().map(|one| one.nick.clone()).collect();
    for number in 0..LINES {
        for speaker in &mut members[..SPEAKERS] {
            speaker.say(&format!("line {number}"));
        }
    }
    for member in &mut members {
        let others = speakers.iter().filter(|nick| **nick != member.nick);
        let mut next: Vec<(String, usize)> = others.map(|nick| (nick.clone(), 0)).collect();
        while next.iter().any(|(_, count)| *count < LINES) {
            let line = member.line();
            let Some((nick, text)) = line.split_once(": ") else {
                assert!(line.ends_with(" joined"), "{line:?}");
                continue;
            };
            let (_, count) = next.iter_mut().find(|(one, _)| one == nick).unwrap();
            assert_eq!(text, format!("line {count}"), "of {nick}");
            *count += 1;
        }
    }
    server.stop();
}

/// One who does not read costs the others a quarter of a second once, and is dropped; they lose
/// nothing, and the server's memory does not grow.
#[test]
fn who_stalls_is_dropped_and_the_others_hear_all() {
    const LINES: usize = 20_000;

    let server = serve("chat-server", &["--rate", "0", "--history", "0", "-q"]);
    let mut listener = Member::join(server.address());
    let mut stalled = connect_narrow(server.address());
    assert!(read_line(&mut stalled).starts_with("* welcome"));
    let joined = listener.line();
    let nick = joined.strip_prefix("* ").and_then(|rest| rest.strip_suffix(" joined")).unwrap();
    let mut speaker = Member::join(server.address());
    listener.hears(&format!("* {} joined", speaker.nick));
    let text = "x".repeat(100);
    let said = format!("{}: {text}", speaker.nick);
    let speaking = thread::spawn(move || {
        for _ in 0..LINES {
            speaker.say(&text);
        }
        speaker
    });
    let (mut heard, mut dropped) = (0, false);
    while heard < LINES || !dropped {
        let line = listener.line();
        if line == said {
            heard += 1;
        } else {
            assert_eq!(line, format!("* {nick} left (fell behind)"));
            dropped = true;
        }
    }
    assert_eq!(heard, LINES);
    speaking.join().unwrap();
    is_cut_off(stalled);
    server.stop();
}

/// What is left on the way is read; then the connection is seen to be reset.
fn is_cut_off(mut stream: TcpStream) {
    let mut buffer = vec![0; 65536];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => panic!("an orderly end"),
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
                return;
            }
        }
    }
}

/// A pasted block passes; a flood is refused, with one note a second, and nobody else is affected.
#[test]
fn a_paste_passes_and_a_flood_does_not() {
    let server = serve("chat-server", &["--rate", "10"]);
    let mut anna = Member::join(server.address());
    let mut ben = Member::join(server.address());
    anna.hears(&format!("* {} joined", ben.nick));
    anna.send(&lines("pasted", 50));
    for number in 0..50 {
        ben.hears(&format!("{}: pasted {number}", anna.nick));
    }
    anna.send(&lines("flood", 5_000));
    assert!(anna.line().contains("too fast"));
    ben.say("still here");
    anna.hears(&format!("{}: still here", ben.nick));
    server.stop();
}

/// So many lines in one piece.
fn lines(word: &str, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..count {
        bytes.extend(format!("{word} {number}\n").into_bytes());
    }
    bytes
}
