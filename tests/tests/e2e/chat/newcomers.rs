//! Those who have connected and not joined: they have their share of the places, and make room.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};

use barewire_core::secure::Conversation;
use barewire_tests::harness::keyed::KeyedStream;
use barewire_tests::harness::sockets::{connect, connect_from, is_ended_by_peer, read_line};
use barewire_tests::harness::{Folder, KeyFile, Launch, Server};

use super::Member;

/// Of these, 32 are for members and for who may become one.
const SOME_DESCRIPTORS: &str = r#"ulimit -n 64 && exec "$0" "$@""#;

/// More than all.
const CROWD: usize = 60;

fn serve(options: &[&str]) -> Server {
    let launch = Launch::through_shell(SOME_DESCRIPTORS, "chat-server").arg("127.0.0.1:0");
    Server::start(launch.args(options).args(["-v"]))
}

/// Connections that say this and no more, from one address each in turn.
fn crowd(server: &Server, sources: u8, says: &[u8]) -> Vec<TcpStream> {
    let sources = (1..=sources).map(|last| Ipv4Addr::new(127, 0, 5, last));
    let come = |source| {
        let mut stream = connect_from(source, server.address());
        // It may have been turned away.
        let _ = stream.write_all(says);
        stream
    };
    sources.cycle().map(come).take(CROWD).collect()
}

#[test]
fn one_address_without_a_key_takes_nobodys_place() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let mut server = serve(&["--key", key.arg()]);
    for says in [&b""[..], b"\x01BW\x01\x04"] {
        let mut crowd = crowd(&server, 1, says);
        assert!(crowd.last_mut().is_some_and(is_ended_by_peer));
        server.program.diagnostic_with(&["turned away, as all places of its source are taken"]);
        for _ in 0..3 {
            let key = key.key().as_bytes();
            Member::welcomed(KeyedStream::connect(server.address(), Conversation::Chat, key));
        }
    }
    server.stop();
}

#[test]
fn nor_does_one_without_a_word() {
    let mut server = serve(&[]);
    // It may become a request, for so long as nobody would wait here.
    let mut crowd = crowd(&server, 1, b"POST");
    let told = read_line(crowd.last_mut().expect("there are some"));
    assert_eq!(told, "* too many members come from this address: come back later");
    server.program.diagnostic_with(&["turned away, as all places of its source are taken"]);
    for _ in 0..3 {
        Member::join(server.address());
    }
    server.stop();
}

/// Of these, those who come while nobody has had a turn may be turned away: the last of so many is not among them.
const TRIES: usize = 100;

#[test]
fn many_addresses_make_room_for_who_comes() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let mut server = serve(&["--key", key.arg()]);
    let keyless = crowd(&server, 3, b"");
    let join = |_| {
        let (stream, key) = (connect(server.address()), key.key().as_bytes());
        KeyedStream::client(stream, Conversation::Chat, key).ok()
    };
    Member::welcomed((0..TRIES).find_map(join).expect("nobody makes room"));
    server.program.diagnostic_with(&["has not joined yet, and its place is another's"]);
    drop(keyless);
    server.stop();
}

/// Who is in gives up nothing, however silent.
#[test]
fn members_keep_their_places_and_who_has_only_begun_does_not() {
    let mut server = serve(&[]);
    let mut members = [(); 2].map(|()| Member::join(server.address()));
    let begun = crowd(&server, 3, b"POST");
    let joins = |_| {
        let told = Member::unwelcomed(connect(server.address())).line();
        let is_refused = told == "* the room is full: come back later";
        assert!(is_refused || told.starts_with("* welcome"), "{told}");
        !is_refused
    };
    assert!((0..TRIES).any(joins), "nobody makes room");
    server.program.diagnostic_with(&["has not joined yet, and its place is another's"]);
    let [anna, ben] = &mut members;
    anna.say("hello");
    while ben.line() != format!("{}: hello", anna.nick) {}
    drop(begun);
    server.stop();
}
