//! Datagrams under a key.

use std::sync::mpsc::{self, TryRecvError};
use std::time::Instant;

use barewire_tests::harness::sockets::{ask, asking_socket, datagram_socket, receive, waiting};
use barewire_tests::harness::{Folder, KeyFile, Launch, Peer, Server, ask_patiently, run, serve};

use super::limits::most;
use crate::common::time_enough::with_time_enough;
use crate::common::words::TIMED_OUT;

/// The longest text of a datagram, of a request and of a reply.
const MOST: usize = 65_507;
const MOST_ASKED: usize = MOST - 42;
const MOST_REPLIED: usize = MOST - 66;

/// What a client says that was answered, and by nobody who has its key.
const NO_REPLY_UNDER_THE_KEY: &str =
    "under this key, only others (does the server have another key, or none?)";

#[test]
fn who_has_the_key_is_answered_and_nobody_else() {
    let folder = Folder::new();
    let (key, other) = (KeyFile::new(&folder, "ben"), KeyFile::new(&folder, "eva"));
    let mut server = serve("udp-server", &["--key", key.arg(), "--reply", "come in"]);
    ask_patiently("udp-client", &[&server.at(), "may I?", "--key", key.arg()])
        .exits(0)
        .is_silent()
        .prints("come in");
    let shown = server.program.line_with("may I?");
    assert!(!shown.contains("ben"), "there is one key only: {shown}");

    let stranger = datagram_socket("127.21.0.1");
    let (_, request) = key.request(b"unheard");
    let (_, foreign) = other.request(b"unheard");
    let mut damaged = request.clone();
    damaged[30] ^= 1;
    let unanswered: [&[u8]; 6] =
        [b"unheard", b"", &foreign, &damaged, &request[..request.len() - 1], &[1; 2000]];
    for datagram in unanswered {
        stranger.send_to(datagram, server.address()).unwrap();
    }
    key.catch_up(server.address());
    assert_eq!(waiting(&stranger), 0);
    let told = server.program.diagnostic_with(&["not sealed with a key of this server"]);
    assert!(told.contains("no reply to "), "{told}");
    assert!(told.contains(" from 127.21.0.1"), "{told}");
    server.stop().omits("unheard");
}

#[test]
fn nothing_that_is_said_is_on_the_wire() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let wiretap = Peer::udp(|socket| receive(&socket).0);
    let (at, arg) = (wiretap.at(), key.arg());
    let options = ["--timeout", "1ms"];
    run("udp-client", &[&[at.as_str(), "the secret plan", "--key", arg][..], &options].concat())
        .exits(1);
    let sent = wiretap.finish();
    assert_eq!(sent.len(), "the secret plan".len() + 42);
    assert!(!sent.windows(4).any(|part| b"the secret plan".windows(4).any(|said| said == part)));
    assert_eq!(key.open(sent).1, b"the secret plan");
}

#[test]
fn what_was_asked_comes_back_byte_for_byte_up_to_the_longest() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let server = serve("udp-server", &["--key", key.arg(), "--echo", "--capacity", "65535"]);
    let socket = asking_socket("127.0.0.1", server.address());
    for text in [&b"hi"[..], b"", b"not \xff UTF-8\r\n\0", &vec![b'x'; MOST_REPLIED]] {
        assert!(key.ask(&socket, server.address(), text) == text, "{} bytes", text.len());
    }
    server.stop();
}

#[test]
fn a_text_that_is_too_long_when_it_is_sealed_is_wrong_usage() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    for (program, address, option, most) in [
        ("udp-client", "127.0.0.1:9", "--", MOST_ASKED),
        ("udp-server", "127.0.0.1:0", "--reply", MOST_REPLIED),
    ] {
        let text = "x".repeat(most + 1);
        let why = format!("{} bytes long; under a key a datagram holds at most {most}", most + 1);
        run(program, &[address, "--key", key.arg(), option, &text]).exits(2).says(&[&why]);
    }
}

#[test]
fn each_of_several_keys_has_its_own_replies_and_its_name() {
    let folder = Folder::new();
    let keys = ["anna", "ben", "eva"].map(|name| KeyFile::new(&folder, name));
    let mut server = serve("udp-server", &["--key", folder.arg(), "--json"]);
    let socket = asking_socket("127.0.0.1", server.address());
    for (key, name) in keys.iter().zip(["anna", "ben", "eva"]) {
        assert_eq!(key.ask(&socket, server.address(), b"hello"), b"nice to meet you");
        let received = server.program.event("received");
        assert_eq!(received["text"], "hello", "{received}");
        assert_eq!(received["key"], name, "{received}");
    }
    server.stop();
    let [first, second] = [keys[1].arg(), keys[2].arg()];
    let mut server = serve("udp-server", &["--key", second, "--key", first]);
    keys[1].ask(&socket, server.address(), b"hello");
    assert!(server.program.line_with("hello").ends_with(" (ben): hello"));
    server.stop();
}

#[test]
fn a_batch_of_requests_gets_a_batch_of_replies_each_its_own() {
    const COUNT: usize = 200;
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    for host in ["127.0.0.1:0", "0.0.0.0:0"] {
        let options = ["--key", key.arg(), "--echo", "--rate", "0", "-q"];
        let server = Server::start(Launch::new("udp-server").arg(host).args(options));
        let to = ("127.0.0.1".parse::<std::net::IpAddr>().unwrap(), server.address().port());
        let socket = asking_socket("127.0.0.1", server.address());
        let requests: Vec<_> =
            (0..COUNT).map(|number| key.request(&number.to_be_bytes())).collect();
        for batch in requests.chunks(50) {
            for (_, request) in batch {
                socket.send_to(request, to).unwrap();
            }
            for _ in batch {
                let (mut reply, _) = receive(&socket);
                let number = requests.iter().position(|(id, _)| {
                    let mut reply = reply.clone();
                    key.datagrams().open_reply(*id, &mut reply).is_some()
                });
                let number = number.expect("a reply to one of the requests");
                let (id, _) = requests[number];
                let text = key.datagrams().open_reply(id, &mut reply);
                assert_eq!(text, Some(&number.to_be_bytes()[..]));
            }
        }
        server.stop();
    }
}

/// Nothing is kept between datagrams. The documentation says so.
#[test]
fn a_request_that_was_recorded_is_answered_again() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let mut server = serve("udp-server", &["--key", key.arg()]);
    let (id, request) = key.request(b"again");
    for host in ["127.0.0.1", "127.22.0.1"] {
        let socket = asking_socket(host, server.address());
        let (mut reply, _) = ask(&socket, server.address(), &request);
        assert_eq!(key.datagrams().open_reply(id, &mut reply), Some(&b"nice to meet you"[..]));
        server.program.line_with("again");
    }
    server.stop();
}

#[test]
fn only_the_reply_to_what_was_asked_is_taken() {
    let folder = Folder::new();
    let (key, other) = (KeyFile::new(&folder, "ben"), KeyFile::new(&folder, "eva"));
    let arg = key.arg().to_owned();
    let peer = Peer::udp(move |socket| {
        let (request, client) = receive(&socket);
        let (id, asked) = key.open(request.clone());
        assert_eq!(asked, b"nice to meet you too");
        let mut damaged = key.reply(id, b"wrong");
        damaged[60] ^= 1;
        let forged = [
            b"plain text".to_vec(),
            Vec::new(),
            request,
            other.reply(id, b"wrong"),
            key.reply(key.request(b"else").0, b"wrong"),
            damaged,
        ];
        for datagram in forged.iter().chain([&key.reply(id, b"right")]) {
            socket.send_to(datagram, client).unwrap();
        }
    });
    ask_patiently("udp-client", &[&peer.at(), "--key", &arg])
        .exits(0)
        .prints("right")
        .omits("wrong")
        .says(&["5 forged replies ignored"])
        // It is from who has the key, to what was asked before as it seems.
        .says(&["1 late or repeated reply ignored"]);
    peer.finish();
}

#[test]
fn what_is_too_long_to_be_sent_back_is_counted_as_that() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let mut server = serve("udp-server", &["--key", key.arg(), "--echo", "--capacity", "65507"]);
    let socket = asking_socket("127.0.0.1", server.address());
    for _ in 0..2 {
        let (_, request) = key.request(&vec![b'x'; MOST_REPLIED + 1]);
        socket.send_to(&request, server.address()).unwrap();
    }
    let told = server.program.diagnostic_with(&["too long to be sent back under a key"]);
    assert!(told.contains("no reply to "), "{told}");
    let said = server.stop();
    for other in ["no key of this server", "cannot answer"] {
        assert!(!said.error().contains(other), "{said:?}");
    }
}

/// What somebody has recorded can be sent again, under any address.
#[test]
fn a_reply_that_amplifies_is_told_of_with_a_key_too() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let long = "x".repeat(100);
    let mut server = serve("udp-server", &["--key", key.arg(), "--reply", &long]);
    let told = server.program.diagnostic_with(&["--reply has 100 bytes"]);
    let why = "a recorded request that is sent again under a forged address has up to 3 times";
    assert!(told.contains(why), "{told}");
    server.stop();
    for options in [&[][..], &["--echo"]] {
        let server = serve("udp-server", &[&["--key", key.arg()], options].concat());
        let said = server.stop();
        assert!(!said.error().contains("forged address"), "{said:?}");
    }
}

#[test]
fn a_flood_of_forged_replies_puts_no_time_out_off() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    with_time_enough(|timeout| {
        let (stop, stopped) = mpsc::channel::<()>();
        let peer = Peer::udp(move |socket| {
            let (_, client) = receive(&socket);
            while stopped.try_recv() == Err(TryRecvError::Empty) {
                // Once the client is gone there is an error to take.
                let _ = socket.send_to(b"plain text", client);
            }
        });
        let options = ["--timeout", timeout, "--key", key.arg()];
        let client = run("udp-client", &[&[&*peer.at()], &options[..]].concat()).exits(1);
        drop(stop);
        peer.finish();
        let is_flooded = client.error().contains("forged replies ignored");
        is_flooded.then(|| client.says(&[NO_REPLY_UNDER_THE_KEY]))
    });
}

#[test]
fn another_key_is_no_key() {
    let folder = Folder::new();
    let (key, other) = (KeyFile::new(&folder, "ben"), KeyFile::new(&folder, "eva"));
    let mut server = serve("udp-server", &["--key", key.arg()]);
    run("udp-client", &[&server.at(), "--key", other.arg(), "--timeout", "50ms"])
        .exits(1)
        .says(&TIMED_OUT)
        .says(&["is it a server with this key?"]);
    server.program.diagnostic_with(&["not sealed with a key of this server (1 from 127.0.0.1)"]);
    for options in [&["--timeout", "50ms"][..], &["--timeout", "10ms", "--retries", "1"]] {
        run("udp-client", &[&[&*server.at()], options].concat())
            .exits(1)
            .says(&["if the server has a key, --key FILE is needed"]);
    }
    server.stop();
    // A plain server shows what it cannot read, and its reply is none.
    let plain = serve("udp-server", &["-q"]);
    with_time_enough(|timeout| {
        let options = [&*plain.at(), "--key", other.arg(), "--timeout", timeout];
        let client = run("udp-client", &options).exits(1);
        let is_answered = client.error().contains("1 forged reply ignored");
        is_answered.then(|| client.says(&[NO_REPLY_UNDER_THE_KEY]))
    });
    plain.stop();
}

#[test]
fn what_does_not_come_whole_is_told() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let mut server = serve("udp-server", &["--key", key.arg(), "--capacity", "4"]);
    let socket = asking_socket("127.0.0.1", server.address());
    key.ask(&socket, server.address(), b"four");
    socket.send_to(&key.request(b"fives").1, server.address()).unwrap();
    server.program.diagnostic_with(&["no reply to 1 datagram in a second: longer than --capacity"]);
    // The reply comes whole, and is shown as far as was asked for.
    let options = [&*server.at(), "four", "--key", key.arg(), "--capacity", "4", "--json"];
    ask_patiently("udp-client", &options)
        .exits(1)
        .prints(r#""text":"nice","bytes":16,"truncated":true"#);
    server.stop();
}

#[test]
fn once_is_for_who_has_the_key() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let server = serve("udp-server", &["--key", key.arg(), "--once"]);
    let stranger = datagram_socket("127.0.0.1");
    stranger.send_to(b"me", server.address()).unwrap();
    ask_patiently("udp-client", &[&server.at(), "me", "--key", key.arg()]).exits(0);
    server.program.finish().exits(0).prints(": me");
}

/// The limits come before any cryptography: they are of sources, whatever these send.
#[test]
fn the_limits_hold_under_a_key() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let mut server = serve("udp-server", &["-v", "--key", key.arg(), "--rate", "2"]);
    let socket = asking_socket("127.23.0.1", server.address());
    let started = Instant::now();
    for _ in 0..50 {
        socket.send_to(&key.request(b"more").1, server.address()).unwrap();
        socket.send_to(b"no key", server.address()).unwrap();
    }
    let told = server.program.diagnostic_with(&["over the rate of one source"]);
    assert!(told.contains("no reply to"), "{told}");
    key.catch_up(server.address());
    let answers = waiting(&socket);
    assert!((1..=most(2, started)).contains(&answers), "{answers} answers");
    server.stop();
}
