//! What one address may have of a room, by option.

use std::net::{SocketAddr, TcpStream};

use barewire_tests::harness::sockets::connect;
use barewire_tests::harness::{Launch, serve};

use super::Member;

#[test]
fn an_address_has_so_many_members_and_no_more() {
    let server = serve("chat-server", &["--max-per-source", "2", "--join-rate", "0"]);
    let mut members = [(); 2].map(|()| Member::join(server.address()));
    let mut third = Member::unwelcomed(connect(server.address()));
    third.hears("* too many members come from this address: come back later");
    third.is_at_the_end();
    let [anna, ben] = &mut members;
    anna.hears(&format!("* {} joined", ben.nick));
    ben.finish();
    anna.hears(&format!("* {} left", ben.nick));
    Member::join(server.address());
    server.stop();
}

#[test]
fn an_address_joins_so_often_and_no_more() {
    let server = serve("chat-server", &["--max-per-source", "2", "--join-rate", "1"]);
    // Four at once; and then, however slowly this goes, more than once in a second.
    let joined = joins_until_it_is_too_often(server.address());
    assert!(joined >= 4, "{joined}");
    server.stop();

    let server = serve("chat-server", &["--max-per-source", "5", "--join-rate", "0"]);
    for _ in 0..30 {
        let mut member = Member::join(server.address());
        member.finish();
        while !member.line().is_empty() {}
    }
    server.stop();
}

/// How many come and go before one is told that this is too often.
fn joins_until_it_is_too_often(server: SocketAddr) -> usize {
    let is_refused = |_: &usize| {
        let mut member = Member::unwelcomed(connect(server));
        member.finish();
        let told = member.line();
        while !member.line().is_empty() {}
        told == "* members from this address join too often: come back later"
    };
    (0..10_000).find(is_refused).expect("nobody is refused")
}

/// The numbers of `apps/docs/chat.md`.
#[test]
fn a_class_behind_one_address_takes_part_by_default() {
    let server = serve("chat-server", &["-q"]);
    let streams: Vec<TcpStream> = (0..100).map(|_| connect(server.address())).collect();
    let mut class: Vec<Member> = streams.into_iter().map(Member::welcomed).collect();
    let mut another = Member::unwelcomed(connect(server.address()));
    another.hears("* too many members come from this address: come back later");
    for member in &mut class {
        member.finish();
        while !member.line().is_empty() {}
    }
    let joined = joins_until_it_is_too_often(server.address());
    assert!(joined >= 100, "{joined} after the class");
    server.stop();
}

#[test]
fn the_begun_lines_of_an_address_wait_for_each_other_by_option() {
    let server = serve("chat-server", &["--max-begun-per-source", "1"]);
    let (mut anna, mut ben) = (Member::join(server.address()), Member::join(server.address()));
    anna.hears(&format!("* {} joined", ben.nick));
    // Lines that end with line feeds: silence ends none.
    anna.send(b"hello\nbegun");
    ben.hears(&format!("{}: hello", anna.nick));
    ben.send(b"hi\nbegun");
    anna.hears(&format!("{}: hi", ben.nick));
    anna.hears("* your line took too long while others waited: it was refused");
    ben.say(" and ended");
    anna.hears(&format!("{}: begun and ended", ben.nick));
    server.stop();

    // By default a class has room for its lines.
    let server = serve("chat-server", &[]);
    let (mut anna, mut ben) = (Member::join(server.address()), Member::join(server.address()));
    anna.hears(&format!("* {} joined", ben.nick));
    anna.send(b"hello\nbegun");
    ben.hears(&format!("{}: hello", anna.nick));
    // All at once: a line has ten seconds, and who waits to be welcomed takes some of them.
    let streams: Vec<TcpStream> = (0..40).map(|_| connect(server.address())).collect();
    let mut others: Vec<_> = streams.into_iter().map(Member::welcomed).collect();
    for other in &mut others {
        other.send(b"hello\nbegun");
    }
    for mut other in others {
        other.say(" and ended");
        other.finish();
        while !other.line().is_empty() {}
    }
    anna.say(" and ended");
    while ben.line() != format!("{}: begun and ended", anna.nick) {}
    server.stop();

    let launch = Launch::new("chat-server");
    launch.args(["--max-begun-per-source", "257"]).run().exits(2).says(&["from 1 to 256"]);
}
