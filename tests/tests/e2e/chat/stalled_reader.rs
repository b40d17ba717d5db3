//! A member that no longer reads (netpulse#200, inspircd#653) costs the others a quarter of a second
//! once, and is dropped with a note; they lose nothing, and the server's memory stays bounded.

use std::thread;

use barewire_tests::harness::serve;
use barewire_tests::harness::sockets::{End, connect_narrow, read_line, read_out};

use crate::chat::Member;
use crate::common::memory::{growth, peak_memory};

/// 20 MB, in lines about as long as they may be.
const LINES: usize = 20_000;

/// More than the log holds, in so many turns of so many lines.
const FIRST_TURNS: usize = 20;
const FIRST_LINES: usize = 100;
const LENGTH: usize = 1_000;

/// The log has its memory before; what else may be taken is far less.
const BOUND: usize = 1 << 20;

#[test]
fn who_stalls_is_dropped_and_the_others_hear_all() {
    let server = serve("chat-server", &["--rate", "0", "--history", "0", "-q"]);
    let mut listener = Member::join(server.address());
    let mut speaker = Member::join(server.address());
    listener.hears(&format!("* {} joined", speaker.nick));
    let text = "x".repeat(LENGTH);
    let said = format!("{}: {text}", speaker.nick);
    // The system gives a page when it is written to for the first time.
    for _ in 0..FIRST_TURNS {
        speaker.send(format!("{text}\n").repeat(FIRST_LINES).as_bytes());
        for _ in 0..FIRST_LINES {
            listener.hears(&said);
        }
    }
    let before = peak_memory(&server.program);
    let mut stalled = connect_narrow(server.address());
    assert!(read_line(&mut stalled).starts_with("* welcome"));
    let joined = listener.line();
    let nick = joined.strip_prefix("* ").and_then(|rest| rest.strip_suffix(" joined")).unwrap();
    assert!(speaker.line().ends_with(" joined"));
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
    let grown = growth(&server.program, before);
    assert!(grown < BOUND, "it took {grown} bytes");
    speaking.join().unwrap();
    assert_eq!(read_out(&mut stalled).1, End::Reset);
    server.stop();
}
