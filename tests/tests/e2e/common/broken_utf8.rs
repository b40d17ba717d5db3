//! Bytes that are not UTF-8, and characters cut by the edge of a read, neither stop a program nor
//! cost a valid neighbour.

use std::io::Write;
use std::net::SocketAddr;

use barewire_tests::harness::sockets::{ask, connect, datagram_socket, handshake, read_line};
use barewire_tests::harness::{Peer, ask_patiently, run, serve, tutorial};

use crate::chat::Member;

/// Pieces as they are written, and the text as it must be shown.
const CASES: [(&[&[u8]], &str); 7] = [
    (&[b"a\xff", b"\xfeb"], "a\u{fffd}\u{fffd}b"),
    (&[b"caf\xc3", b"\xa9!"], "café!"),
    (&[b"\xe4", b"\xbd", b"\xa0", b"\xe5\xa5", b"\xbd"], "你好"),
    // A character that begins and never ends, before one that does.
    (&[b"x\xe4\xbd", b"y"], "x\u{fffd}y"),
    (&[b"\xf0\x9f", b"\xf0\x9f\x91\xa9"], "\u{fffd}👩"),
    // Over-long, surrogate, beyond the last character.
    (&[b"<\xc0\xaf>", b"<\xed\xa0", b"\x80>"], "<\u{fffd}\u{fffd}><\u{fffd}\u{fffd}\u{fffd}>"),
    // Broken off at the very end.
    (&["你".as_bytes(), b"\xe5\xa5"], "你\u{fffd}"),
];

/// Each piece is a read of its own: between two of them the server serves somebody else.
#[test]
fn an_answer_cut_across_reads_is_whole() {
    let mut server = serve("tcp-server", &["--quiet-period", "1h", "--json"]);
    for (pieces, shown) in CASES {
        let mut stream = connect(server.address());
        read_line(&mut stream);
        for piece in pieces {
            stream.write_all(piece).unwrap();
            handshake(server.address(), "tick");
            assert_eq!(server.program.event("received")["text"], "tick");
        }
        stream.write_all(b"\n").unwrap();
        assert_eq!(server.program.event("received")["text"], shown);
    }
    server.stop();
}

/// A server that says a line piece by piece. After each it is greeted at `pace`, which leaves its
/// client time to read.
fn piecemeal(pieces: &'static [&'static [u8]], pace: SocketAddr) -> Peer<String> {
    Peer::tcp(move |mut stream| {
        for piece in pieces {
            stream.write_all(piece).unwrap();
            handshake(pace, "tick");
        }
        stream.write_all(b"\n").unwrap();
        tutorial::recv(&mut stream)
    })
}

#[test]
fn a_greeting_cut_across_reads_is_whole() {
    let pace = serve("tcp-server", &[]);
    for (pieces, shown) in CASES {
        let peer = piecemeal(pieces, pace.address());
        let options = [&peer.at(), "--quiet-period", "1h", "--json"];
        let client = run("tcp-client", &options).exits(0);
        assert_eq!(client.event("received")["text"], shown);
        assert_eq!(peer.finish(), "Hello");
    }
    pace.stop();
}

#[test]
fn broken_utf8_in_a_datagram_or_a_reply_is_replaced() {
    let mut server = serve("udp-server", &["--json"]);
    for (pieces, shown) in CASES {
        let text = pieces.concat();
        ask(&datagram_socket("127.0.0.1"), server.address(), &text);
        assert_eq!(server.program.event("received")["text"], shown);

        let peer = tutorial::udp_server(text);
        let client = ask_patiently("udp-client", &[&peer.at(), "--json"]).exits(0);
        assert_eq!(client.event("received")["text"], shown);
        peer.finish();
    }
    server.stop();
}

/// A datagram's capacity may cut a character as well.
#[test]
fn a_character_cut_by_truncation_is_replaced() {
    let mut server = serve("udp-server", &["--json", "--capacity", "4"]);
    ask(&datagram_socket("127.0.0.1"), server.address(), "你好".as_bytes());
    let received = server.program.event("received");
    let text = received["text"].as_str().expect("a text");
    assert!(text.starts_with('你') && !text.contains('好'), "{received}");
    assert_eq!(received["truncated"], true, "{received}");
    server.stop();
}

/// Between two pieces the room has served somebody else.
#[test]
fn a_line_of_a_member_cut_across_reads_is_whole() {
    let server = serve("chat-server", &["--quiet-period", "1h", "-q"]);
    let mut anna = Member::join(server.address());
    let mut ben = Member::join(server.address());
    anna.hears(&format!("* {} joined", ben.nick));
    for (pieces, shown) in CASES {
        for piece in pieces {
            anna.send(piece);
            ben.say("tick");
            anna.hears(&format!("{}: tick", ben.nick));
        }
        anna.send(b"\n");
        ben.hears(&format!("{}: {shown}", anna.nick));
    }
    server.stop();
}

#[test]
fn a_line_from_a_room_cut_across_reads_is_whole() {
    let pace = serve("tcp-server", &[]);
    for (pieces, shown) in CASES {
        let peer = piecemeal(pieces, pace.address());
        let options = [&peer.at(), "--quiet-period", "1h", "--json"];
        assert_eq!(run("chat-client", &options).exits(0).event("line")["text"], shown);
        peer.finish();
    }
    pace.stop();
}
