//! The hello handshake under a key.

use std::io::Write;
use std::net::Shutdown;

use barewire_tests::harness::sockets::{connect, read_out};
use barewire_tests::harness::{Folder, KeyFile, Launch, Peer, run, serve};

#[test]
fn who_has_the_key_is_greeted_and_is_shown_by_its_name_where_there_are_several() {
    let folder = Folder::new();
    let [anna, ben] = ["anna", "ben"].map(|name| KeyFile::new(&folder, name));
    let mut server = serve("tcp-server", &["--key", anna.arg(), "--greeting", "come in"]);
    run("tcp-client", &[&server.at(), "it is me", "--key", anna.arg()])
        .exits(0)
        .is_silent()
        .prints("come in");
    let shown = server.program.line_with("it is me");
    assert!(!shown.contains("anna"), "there is one key only: {shown}");
    server.stop();

    let mut server = serve("tcp-server", &["--key", folder.arg()]);
    for (key, name) in [(&anna, "anna"), (&ben, "ben")] {
        run("tcp-client", &[&server.at(), "it is me", "--key", key.arg()]).exits(0);
        let shown = server.program.line_with("it is me");
        assert!(shown.ends_with(&format!(" ({name}): it is me")), "{shown}");
    }
    server.stop();
    let mut server = serve("tcp-server", &["--key", folder.arg(), "--json", "--threads", "2"]);
    let options = ["--key", ben.arg(), "--count", "20", "--interval", "1ms"];
    run("tcp-client", &[&[server.at().as_str(), "hi"][..], &options].concat()).exits(0);
    for _ in 0..20 {
        let received = server.program.event("received");
        assert_eq!((&received["text"], &received["key"]), (&"hi".into(), &"ben".into()));
    }
    server.stop();
}

#[test]
fn who_has_another_key_or_none_is_refused_and_both_ends_say_why() {
    let folder = Folder::new();
    let [right, wrong] = ["right", "wrong"].map(|name| KeyFile::new(&folder, name));
    let mut server = serve("tcp-server", &["--key", right.arg()]);
    run("tcp-client", &[&server.at(), "unheard", "--key", wrong.arg()])
        .exits(1)
        .omits("你好")
        .says(&["closed at the handshake: it has another key"]);
    server.program.diagnostic_with(&["refused, as it has another key"]);
    let stopped = server.stop();
    assert!(!stopped.output().contains("unheard"));
}

#[test]
fn plain_peers_are_refused_at_the_first_byte_and_told_of_at_most_once_a_second() {
    const PEERS: usize = 40;

    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let mut server = serve("tcp-server", &["--key", key.arg(), "--max-pause", "0"]);
    for said in ["H", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01", "\n"].iter().cycle().take(PEERS) {
        let mut peer = connect(server.address());
        peer.write_all(said.as_bytes()).unwrap();
        let (received, _) = read_out(&mut peer);
        assert!(received.is_empty(), "{said:?}: {:?}", received.escape_ascii().to_string());
    }
    server.program.diagnostic_with(&["more without the key"]);
    let stopped = server.stop();
    let told: Vec<_> = stopped.diagnostics().filter(|line| line.contains("a key")).collect();
    assert!(told.len() < PEERS / 2, "{told:?}");
}

#[test]
fn a_client_with_a_key_says_nothing_to_a_server_without() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let peer = Peer::tcp(|mut stream| {
        stream.write_all(b"welcome").unwrap();
        read_out(&mut stream).0
    });
    run("tcp-client", &[&peer.at(), "a secret", "--key", key.arg()])
        .exits(1)
        .omits("welcome")
        .says(&["speaks without a key"]);
    let heard = peer.finish();
    assert!(heard.starts_with(b"\x01BW\x01\x02") && heard.len() == 54, "{heard:?}");
    let server = serve("tcp-server", &[]);
    run("tcp-client", &[&server.at(), "a secret", "--key", key.arg()])
        .exits(1)
        .says(&["speaks without a key"]);
    assert!(!server.stop().output().contains("secret"));
}

/// Nor is that taken for what it answers. Over a Unix socket no reset is faster.
#[test]
fn a_client_with_a_key_is_refused_by_a_server_without() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let at = format!("unix:{}", folder.path("socket").display());
    let mut server = Launch::new("tcp-server").arg(&at).spawn();
    server.line_with("listening on");
    for _ in 0..3 {
        run("tcp-client", &[&at, "a secret", "--key", key.arg()])
            .exits(1)
            .says(&["speaks without a key"]);
        let told = "refused, as it speaks under a key, and this server has none (--key)";
        server.diagnostic_with(&[told]);
    }
    run("tcp-client", &[&at, "no secret"]).exits(0);
    assert!(server.line().ends_with(": no secret"));
}

#[test]
fn a_client_that_ends_within_the_handshake_is_no_failure_of_the_server() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let mut server = serve("tcp-server", &["--key", key.arg(), "--timeout", "1h"]);
    let mut peer = connect(server.address());
    peer.write_all(b"\x01BW\x01\x02").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    assert!(read_out(&mut peer).0.is_empty());
    server.program.diagnostic_with(&["closed within the handshake"]);
    run("tcp-client", &[&server.at(), "--key", key.arg()]).exits(0);
    server.stop();
}
