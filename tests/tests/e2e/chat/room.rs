//! Who hears what.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

use barewire_tests::harness::printable::is_harmless;
use barewire_tests::harness::sockets::{connect, reset};
use barewire_tests::harness::{Folder, TIMEOUT, serve, tutorial};

use super::Member;

#[test]
fn everybody_hears_everybody_else() {
    let mut server = serve("chat-server", &[]);
    let mut first = Member::join(server.address());
    let mut second = Member::join(server.address());
    first.hears(&format!("* {} joined", second.nick));
    first.say("hello");
    second.hears(&format!("{}: hello", first.nick));
    second.say("good morning");
    // One's own line does not come back: the next is the other's.
    first.hears(&format!("{}: good morning", second.nick));
    server.program.line_with("hello");
    server.program.line_with("good morning");
    server.stop().is_silent();
}

#[test]
fn a_new_member_gets_the_last_lines_said() {
    let server = serve("chat-server", &["--history", "2"]);
    let mut first = Member::join(server.address());
    for line in ["one", "two", "/me waves"] {
        first.say(line);
    }
    first.say("/who");
    first.hears(&format!("* here: server, {}", first.nick));
    let mut second = Member::join(server.address());
    second.hears(&format!("{}: two", first.nick));
    second.hears(&format!("{}: /me waves", first.nick));
    first.say("three");
    second.hears(&format!("{}: three", first.nick));
    server.stop();
}

#[test]
fn commands_do_what_the_help_says() {
    let server = serve("chat-server", &[]);
    let mut anna = Member::join(server.address());
    let mut ben = Member::join(server.address());
    anna.hears(&format!("* {} joined", ben.nick));
    let (first, second) = (anna.nick.clone(), ben.nick.clone());

    anna.say("/nick anna");
    anna.hears(&format!("* {first} is now anna"));
    ben.hears(&format!("* {first} is now anna"));
    ben.say("/nick Anna");
    assert!(ben.line().contains("taken"));
    ben.say("/nick ben");
    anna.hears(&format!("* {second} is now ben"));
    ben.hears(&format!("* {second} is now ben"));

    anna.say("/msg ben just between us");
    ben.hears("(private) anna: just between us");
    anna.say("/msg nobody hello");
    assert!(anna.line().contains("nobody"));
    anna.say("/me waves");
    ben.hears("anna: /me waves");
    anna.say("//who");
    ben.hears("anna: /who");
    anna.say("/who");
    anna.hears("* here: server, anna, ben");
    anna.say("/wave");
    assert!(anna.line().contains("/help"));
    anna.say("/nick");
    assert!(anna.line().contains("/nick NAME"));
    anna.say("/help");
    assert!(anna.line().starts_with("* /nick NAME"));
    anna.say("/quit");
    while anna.line() != "" {}
    ben.hears("* anna left");
    server.stop();
}

/// What was said before the end is received; then the server closes.
#[test]
fn who_says_no_more_hears_what_was_said_before() {
    let server = serve("chat-server", &[]);
    let mut listener = Member::join(server.address());
    let mut speaker = Member::join(server.address());
    listener.hears(&format!("* {} joined", speaker.nick));
    listener.send(b"the last, without a line feed");
    listener.finish();
    speaker.hears(&format!("{}: the last, without a line feed", listener.nick));
    speaker.hears(&format!("* {} left", listener.nick));
    listener.is_at_the_end();
    server.stop();
}

#[test]
fn a_lost_connection_is_told() {
    let mut server = serve("chat-server", &[]);
    let mut stays = Member::join(server.address());
    let goes = Member::join(server.address());
    let nick = goes.nick.clone();
    stays.hears(&format!("* {nick} joined"));
    reset(goes.into_stream());
    stays.hears(&format!("* {nick} left (connection lost)"));
    server.program.line_with(&format!("{nick} left (connection lost)"));
    server.stop();
}

/// One whose machine has vanished sends neither an end nor a reset: the system is to ask after it. Its
/// timer tells that it will (`/proc/net/tcp`, `proc_net(5)`: 2 for keepalive, and the time left in
/// hundredths of a second).
#[test]
fn who_is_silent_is_asked_whether_it_is_there() {
    let server = serve("chat-server", &[]);
    let member = Member::join(server.address());
    let stream = member.into_stream();
    let ends = [server.address(), stream.local_addr().unwrap()].map(as_in_proc);
    let deadline = Instant::now() + TIMEOUT;
    let left = loop {
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        let row = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
        // A table that changes while it is read may leave one out.
        let row = row.into_iter().find(|row| row[1..3] == ends);
        let timer = row.and_then(|row| row[5].split_once(':'));
        // Until the welcome is acknowledged, it is that of a retransmission.
        if let Some(("02", left)) = timer {
            break u32::from_str_radix(left, 16).unwrap();
        }
        assert!(Instant::now() < deadline, "the timer is {timer:?}");
        thread::yield_now();
    };
    assert!((5_000..=6_000).contains(&left), "{left} hundredths of a second");
    server.stop();
}

/// An address as the system lists it: the bytes as the machine's own numbers, in hexadecimal.
fn as_in_proc(address: SocketAddr) -> String {
    let SocketAddr::V4(address) = address else { panic!("{address} is no IPv4 address") };
    format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port())
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_connection_stays() {
    let server = serve("chat-server", &[]);
    let mut anna = Member::join(server.address());
    let mut ben = Member::join(server.address());
    anna.hears(&format!("* {} joined", ben.nick));
    anna.say(&"x".repeat(1025));
    assert!(anna.line().contains("1024 bytes"));
    anna.say(&"y".repeat(1024));
    ben.hears(&format!("{}: {}", anna.nick, "y".repeat(1024)));
    server.stop();
}

/// Nobody can draw on another's terminal, by whatever route.
#[test]
fn what_reaches_others_is_printable() {
    let folder = Folder::new();
    let mut server = serve("chat-server", &["--log", &folder.path("log").display().to_string()]);
    let mut anna = Member::join(server.address());
    let mut ben = Member::join(server.address());
    anna.hears(&format!("* {} joined", ben.nick));
    anna.say("/nick \x1b[31mred");
    assert!(anna.line().starts_with("* a nick has"));
    let evil = "\x1b[2J\r\u{9b}1m\u{202e}\t\u{7}";
    let shown = r"\x1b[2J\x0d\u{9b}1m\u{202e} \x07";
    for (said, heard) in [
        (evil.to_owned(), format!("{}: {shown}", anna.nick)),
        (format!("/me {evil}x"), format!("{}: /me {shown}x", anna.nick)),
        (format!("/msg {} {evil}x", ben.nick), format!("(private) {}: {shown}x", anna.nick)),
    ] {
        anna.say(&said);
        ben.hears(&heard);
    }
    anna.say(&format!("/msg {evil}x hello"));
    assert!(anna.line().contains(r"\x1b[2J"));
    server.program.line_with(shown);
    server.stop();
    // Nor is there more in a log, which somebody will look at some day.
    let log = String::from_utf8(folder.read("log")).expect("text");
    assert!(log.contains(shown) && is_harmless(&log), "{log:?}");
}

/// A tutorial's client sends its text once, without a terminator, and reads once.
#[test]
fn a_tutorial_client_takes_part() {
    let server = serve("chat-server", &[]);
    let mut anna = Member::join(server.address());
    let mut stream = connect(server.address());
    assert!(tutorial::recv(&mut stream).starts_with("* welcome"));
    let joined = anna.line();
    let nick = joined.strip_prefix("* ").and_then(|rest| rest.strip_suffix(" joined")).unwrap();
    stream.write_all("你好".as_bytes()).unwrap();
    anna.hears(&format!("{nick}: 你好"));
    anna.say("hello");
    assert_eq!(tutorial::recv(&mut stream), format!("{}: hello\n", anna.nick));
    server.stop();
}

#[test]
fn a_full_room_says_so() {
    let server = serve("chat-server", &["--max-members", "1"]);
    let mut anna = Member::join(server.address());
    let mut stream = connect(server.address());
    assert!(tutorial::recv(&mut stream).starts_with("* the room is full"));
    anna.say("/quit");
    anna.is_at_the_end();
    // The place is free again once the server has seen the end.
    Member::join(server.address());
    server.stop();
}
