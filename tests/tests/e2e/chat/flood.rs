//! A flood is throttled (ssh-chat#118), and a pasted block of 50 lines passes (ssh-chat#318,
//! ssh-chat#364); nobody else is affected by either.

use std::io::Write as _;
use std::time::Instant;

use barewire_tests::harness::{Launch, Server, serve};

use crate::chat::{Member, numbered};

#[test]
fn a_paste_passes_and_a_flood_does_not() {
    let server = serve("chat-server", &["--rate", "10"]);
    let mut anna = Member::join(server.address());
    let mut ben = Member::join(server.address());
    anna.hears(&format!("* {} joined", ben.nick));
    anna.send(numbered("pasted ", 50).as_bytes());
    for number in 0..50 {
        ben.hears(&format!("{}: pasted {number}", anna.nick));
    }
    anna.send(numbered("flood ", 5_000).as_bytes());
    assert!(anna.line().contains("too fast"));
    ben.say("still here");
    loop {
        let line = anna.line();
        if line == format!("{}: still here", ben.nick) {
            break;
        }
        assert!(line.contains("too fast"), "{line:?}");
    }
    anna.finish();
    let mut passed = 0;
    while ben.line() != format!("* {} left", anna.nick) {
        passed += 1;
    }
    // Half a burst was left, and ten a second pass: on a slow machine some more.
    assert!((50..1_000).contains(&passed), "{passed} lines of the flood");
    server.stop();
}

/// An address has an allowance, however often somebody comes from it; the operator is not limited by it.
#[test]
fn who_comes_again_and_again_says_no_more_than_its_address_may() {
    const CONNECTIONS: usize = 20;
    const LINES: usize = 100;

    let (reader, mut writer) = std::io::pipe().unwrap();
    let arguments = ["127.0.0.1:0", "--rate", "1", "-q"];
    let launch = arguments.into_iter().fold(Launch::new("chat-server"), Launch::arg);
    let server = Server::start(launch.stdin(reader));
    let begun = Instant::now();
    let mut listener = Member::join(server.address());
    for _ in 0..CONNECTIONS {
        let mut member = Member::join(server.address());
        member.send(numbered("flood ", LINES).as_bytes());
        member.finish();
        while !member.line().is_empty() {}
    }
    writer.write_all(b"all have left\n").unwrap();
    let mut passed = 0;
    loop {
        let line = listener.line();
        passed += u64::from(line.contains(": flood "));
        if line == "server: all have left" {
            break;
        }
    }
    // Four times the burst, and four times the rate.
    let most = 4 * (100 + begun.elapsed().as_secs() + 1);
    assert!((400..=most).contains(&passed), "{passed} lines, of {most}");
    server.stop();
}
