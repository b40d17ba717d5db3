//! A member that no longer reads (netpulse#200, inspircd#653) costs the others a quarter of a second
//! once, and is dropped with a note; they lose nothing, and the server's memory stays bounded.

use barewire_tests::harness::serve;
use barewire_tests::harness::sockets::{End, connect_narrow, read_line, read_out};

use crate::chat::Member;
use crate::common::memory::{growth, peak_memory};

/// So many lines at a time find room on the way to a member that reads: however long the machine keeps
/// this one from it, it is not the one who falls behind.
const LINES: usize = 100;

/// About as long as they may be.
const LENGTH: usize = 1_000;

/// 2 MB, which is more than the log holds.
const FIRST_TURNS: usize = 20;

/// 6 MB.
const TURNS: usize = 60;

/// The log has its memory before; what else may be taken is far less.
const BOUND: usize = 1 << 20;

#[test]
fn who_stalls_is_dropped_and_the_others_hear_all() {
    let server = serve("chat-server", &["--rate", "0", "--history", "0", "-q"]);
    let mut listener = Member::join(server.address());
    let mut speaker = Member::join(server.address());
    listener.hears(&format!("* {} joined", speaker.nick));
    let said = format!("{}: {}", speaker.nick, "x".repeat(LENGTH));
    let lines = format!("{}\n", "x".repeat(LENGTH)).repeat(LINES);
    // The system gives a page when it is written to for the first time.
    for _ in 0..FIRST_TURNS {
        speaker.send(lines.as_bytes());
        for _ in 0..LINES {
            listener.hears(&said);
        }
    }
    let before = peak_memory(&server.program);
    let mut stalled = connect_narrow(server.address());
    assert!(read_line(&mut stalled).starts_with("* welcome"));
    let joined = listener.line();
    let nick = joined.strip_prefix("* ").and_then(|rest| rest.strip_suffix(" joined")).unwrap();
    let left = format!("* {nick} left (fell behind)");
    let mut others = Vec::new();
    for _ in 0..TURNS {
        speaker.send(lines.as_bytes());
        let mut heard = 0;
        while heard < LINES {
            let line = listener.line();
            if line == said {
                heard += 1;
            } else {
                others.push(line);
            }
        }
    }
    assert_eq!(others, [left]);
    let grown = growth(&server.program, before);
    assert!(grown < BOUND, "it took {grown} bytes");
    assert_eq!(read_out(&mut stalled).1, End::Reset);
    server.stop();
}
