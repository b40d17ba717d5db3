//! A flood is throttled (ssh-chat#118), and a pasted block of 50 lines passes (ssh-chat#318,
//! ssh-chat#364); nobody else is affected by either.

use barewire_tests::harness::serve;

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
