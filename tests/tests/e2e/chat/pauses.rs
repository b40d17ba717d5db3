//! Pauses of the link within a line: where lines end with line feeds, they mean nothing.

use std::io::Write as _;

use barewire_tests::harness::sockets::{connect, read_to_end};
use barewire_tests::harness::{Peer, run, serve, tutorial};

use super::Member;
use crate::chat_client::WELCOME;
use crate::tcp::quiet_rule::{SHORT, let_a_quiet_period_pass};

#[test]
fn what_follows_a_pause_in_a_private_line_is_not_said_aloud() {
    let server = serve("chat-server", &SHORT);
    let mut anna = Member::join(server.address());
    let mut ben = Member::join(server.address());
    anna.hears(&format!("* {} joined", ben.nick));
    let mut peer = connect(server.address());
    assert!(tutorial::recv(&mut peer).starts_with("* welcome"));
    assert!(ben.line().ends_with(" joined"));
    anna.say("hello");
    ben.hears(&format!("{}: hello", anna.nick));
    anna.send(format!("/msg {} the key is ", ben.nick).as_bytes());
    for _ in 0..3 {
        // Whoever sends no line feeds is heard after a quiet period, which so has passed.
        peer.write_all(b"tick").unwrap();
        assert!(ben.line().ends_with(": tick"));
    }
    anna.say("hunter2");
    ben.hears(&format!("(private) {}: the key is hunter2", anna.nick));
    let heard = tutorial::recv(&mut peer);
    assert_eq!(heard, format!("{}: hello\n", anna.nick));
    let output = server.stop().output().to_owned();
    assert!(output.contains(": tick") && !output.contains("hunter2"), "{output}");
}

#[test]
fn what_follows_a_pause_in_a_line_is_no_notice() {
    let mut clock = serve("tcp-server", &SHORT);
    let peer = Peer::tcp(move |mut stream| {
        stream.write_all(format!("{WELCOME}victor: hi").as_bytes()).unwrap();
        (0..3).for_each(|_| let_a_quiet_period_pass(&mut clock));
        stream.write_all(b"* anna left\n").unwrap();
        read_to_end(&mut stream);
        clock.stop();
    });
    let finished = run("chat-client", &[&[&*peer.at(), "--json"], &SHORT[..]].concat()).exits(0);
    let told: Vec<String> = finished.events().iter().map(ToString::to_string).collect();
    assert_eq!(
        told[1..],
        [r#"{"event":"line","nick":"victor","private":false,"text":"hi* anna left"}"#]
    );
    peer.finish();
}
