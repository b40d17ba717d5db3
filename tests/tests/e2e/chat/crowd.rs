//! Many members.

use std::net::TcpStream;

use barewire_tests::harness::serve;
use barewire_tests::harness::sockets::connect;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::{Member, numbered};

const MEMBERS: usize = 500;

/// Takes what the system lets a test have of descriptors, and gives how many members that is.
fn members() -> usize {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("there is one");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("the hard limit is allowed");
    // Other tests run beside this one.
    let left = usize::try_from(hard).unwrap_or(usize::MAX).saturating_sub(600);
    if left < MEMBERS {
        println!("{left} members in place of {MEMBERS}: the hard limit on open files is {hard}");
    }
    left.clamp(20, MEMBERS)
}

/// Every line reaches every other member exactly once, and in each sender's order.
#[test]
fn a_crowd_of_members_hears_each_line_once_and_in_order() {
    const SPEAKERS: usize = 10;
    const PIECES: usize = 4;
    const LINES: usize = 20;

    let limits = ["--rate", "0", "--max-per-source", "1000"];
    let server = serve("chat-server", &[&limits[..], &["--history", "0", "-q"]].concat());
    // All at once: one by one, each would be announced to those before it on its own.
    let streams: Vec<TcpStream> = (0..members()).map(|_| connect(server.address())).collect();
    let mut members: Vec<Member> = streams.into_iter().map(Member::welcomed).collect();
    let speakers: Vec<String> = members[..SPEAKERS].iter().map(|one| one.nick.clone()).collect();
    let lines = numbered("line ", LINES);
    let lines: Vec<&str> = lines.split_inclusive('\n').collect();
    for piece in lines.chunks(LINES / PIECES) {
        for speaker in &mut members[..SPEAKERS] {
            speaker.send(piece.concat().as_bytes());
        }
    }
    for member in &mut members {
        let others = speakers.iter().filter(|nick| **nick != member.nick);
        let mut next: Vec<(String, usize)> = others.map(|nick| (nick.clone(), 0)).collect();
        while next.iter().any(|(_, count)| *count < LINES) {
            let line = member.line();
            let Some((nick, text)) = line.split_once(": ") else {
                let is_told = line.ends_with(" joined") || line.ends_with(" joined, 0 left");
                assert!(is_told, "{line:?}");
                continue;
            };
            let (_, count) = next.iter_mut().find(|(one, _)| one == nick).unwrap();
            assert_eq!(text, format!("line {count}"), "of {nick}");
            *count += 1;
        }
    }
    server.stop();
}
