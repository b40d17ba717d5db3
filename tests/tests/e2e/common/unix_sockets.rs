//! The stream programs over Unix sockets (`unix(7)`): what is served there, and what is different from TCP.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::sockets::handshake;
use barewire_tests::harness::{Finished, Folder, Launch, Program, Server, TIMEOUT, run, share};
use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::getuid;

use super::activation::hand_over;

pub(super) const STREAM_SERVERS: [&str; 3] = ["tcp-server", "file-server", "chat-server"];

/// `unix:` and the path of what is called `socket` in the folder.
pub(super) fn at(folder: &Folder) -> String {
    format!("unix:{}", folder.path("socket").display())
}

/// This user, as a peer is shown.
fn me() -> String {
    format!("uid:{}", getuid())
}

pub(super) fn start(launch: Launch, at: &str) -> Program {
    let mut server = launch.spawn();
    assert_eq!(server.line(), format!("listening on {at}"));
    server
}

/// Starts the server `program` there.
pub(super) fn serve(program: &str, folder: &Folder, options: &[&str]) -> Program {
    let at = at(folder);
    start(Launch::new(program).arg(&at).args(options), &at)
}

pub(super) fn stop(server: Program) -> Finished {
    server.signal(Signal::SIGTERM);
    server.finish().exits(0)
}

pub(super) fn connect(folder: &Folder) -> BufReader<UnixStream> {
    let stream = UnixStream::connect(folder.path("socket")).expect("it listens");
    stream.set_read_timeout(Some(TIMEOUT)).expect("not zero");
    BufReader::new(stream)
}

pub(super) fn line(stream: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).expect("a line, or the end");
    line
}

#[test]
fn a_handshake_needs_no_network() {
    let folder = Folder::new();
    let server = serve("tcp-server", &folder, &["--greeting", "welcome"]);
    let from = format!("{}: welcome\n", at(&folder));
    assert_eq!(run("tcp-client", &[&at(&folder), "from a client"]).exits(0).output(), from);
    // From the folder that it is in.
    let client = Launch::new("tcp-client").args(["unix:socket", "-c", "3", "-i", "1ms", "--json"]);
    let client = client.within(&folder).run().exits(0);
    assert_eq!(client.events()[0]["from"], "unix:socket");
    assert_eq!(client.event("summary")["received"], 3);
    let plain = "
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
print(s.recv(1024).decode())
s.send(b'from a tutorial')
";
    let path = folder.path("socket");
    Launch::python(plain).arg(path).run().exits(0).prints("welcome");
    let server = stop(server).is_silent();
    server
        .prints(&format!("{}: from a client\n", me()))
        .prints(&format!("{}: from a tutorial\n", me()));

    let server = start(Launch::new("tcp-server").args([&at(&folder), "-v"]), &at(&folder));
    run("tcp-client", &[&at(&folder)]).exits(0);
    stop(server);
}

#[test]
fn a_plain_program_may_be_the_server() {
    let plain = "
import os, socket, sys
path, answers = sys.argv[1], sys.argv[2:]
s = socket.socket(socket.AF_UNIX)
s.bind(path)
s.listen()
print('ready')
for answer in answers:
    c, _ = s.accept()
    if answer == '-':
        print('asked for', c.recv(1024).split(b'\\n')[0])
        answer = 'contents'
    c.send(answer.encode())
    c.shutdown(socket.SHUT_WR)
    while c.recv(1024): pass
    c.close()
";
    let folder = Folder::new();
    let answers = ["good morning", "-", "hello all\n"];
    let mut server = Launch::python(plain).arg(folder.path("socket")).args(answers).spawn();
    assert_eq!(server.line(), "ready");
    run("tcp-client", &[&at(&folder)]).exits(0).prints("good morning");
    let target = Folder::new();
    let file = ["x", "--plain"];
    Launch::new("file-client").arg(at(&folder)).args(file).within(&target).run().exits(0);
    target.assert_holds("x", b"contents");
    run("chat-client", &[&at(&folder)]).exits(0).prints("hello all");
    server.finish().exits(0).prints("asked for b'x'");
}

#[test]
fn files_come_whole_and_proven_also_as_a_mirror() {
    let whole = contents(3 << 20, 11);
    let files = Folder::in_memory().with("tree/x", &whole).with("tree/y", b"small");
    let folder = Folder::new();
    let server = serve("file-server", &folder, &[files.arg()]);
    let fetch = |options: &[&str]| {
        let target = Folder::in_memory();
        let client = Launch::new("file-client").arg(at(&folder)).args(options);
        (client.within(&target).run().exits(0), target)
    };
    let (client, target) = fetch(&["tree/x"]);
    client.prints("(verified)");
    target.assert_holds("x", &whole);
    let (_, target) = fetch(&["-r", "tree"]);
    target.assert_holds("tree/x", &whole);
    target.assert_holds("tree/y", b"small");
    fetch(&["--list", "tree"]).0.prints("3145728").prints("y");
    let other = share(&files, &["-q"]);
    let (client, target) = fetch(&["tree/x", "--mirror", &other.at(), "-v"]);
    client.prints("(verified)");
    target.assert_holds("x", &whole);
    other.stop();

    let mut plain = connect(&folder);
    plain.get_mut().write_all(b"tree/y\n").expect("it reads");
    plain.get_mut().shutdown(Shutdown::Write).expect("connected");
    let mut received = Vec::new();
    plain.read_to_end(&mut received).expect("an end");
    assert_eq!(received, b"small");
    stop(server).prints(&format!("{}: tree/y: 5 bytes in ", me()));
}

#[test]
fn a_user_has_a_share_of_a_room_and_can_be_banned() {
    let folder = Folder::new();
    let bans = folder.path("bans");
    let bans = ["--max-per-source", "2", "--bans", bans.to_str().expect("a plain name")];
    let (reader, mut operator) = std::io::pipe().expect("a pipe");
    let launch = Launch::new("chat-server").arg(at(&folder)).args(bans).stdin(reader);
    let mut server = start(launch.as_a_job(), &at(&folder));
    let (mut one, mut other) = (connect(&folder), connect(&folder));
    assert!(line(&mut one).starts_with("* welcome to barewire chat"));
    assert!(line(&mut other).starts_with("* welcome to barewire chat"));
    let mut third = connect(&folder);
    assert_eq!(line(&mut third), "* too many members come from this address: come back later\n");
    assert_eq!(line(&mut third), "");
    one.get_mut().write_all(b"/nick anna\nhello\n").expect("a member");
    while !line(&mut other).ends_with("anna: hello\n") {}
    let mut types = |line: &str| operator.write_all(line.as_bytes()).expect("a pipe");
    types("/ban anna\n");
    server.line_with(&format!("* banned {}, and kicked ", me()));
    while line(&mut one) != "* you were kicked by the operator\n" {}
    assert_eq!(line(&mut connect(&folder)), "* you are banned from this room\n");
    types(&format!("/unban {}\n", me()));
    server.line_with(&format!("* {} is not banned any more", me()));
    assert!(line(&mut connect(&folder)).starts_with("* welcome"));
    types(&format!("/ban {}\n", me()));
    server.line_with("* banned");
    stop(server);
    let text = fs::read_to_string(folder.path("bans")).expect("the bans");
    assert!(text.ends_with(&format!("\n{} forever\n", me())), "{text}");
}

/// TCP tells the server a round trip later; here a first word to who has closed fails at once.
#[test]
fn what_somebody_said_who_has_closed_already_is_heard() {
    let folder = Folder::new();
    let mut server = serve("chat-server", &folder, &[]);
    for number in 0..20 {
        let mut stream = connect(&folder);
        stream.get_mut().write_all(format!("number {number}\n").as_bytes()).expect("room for it");
        drop(stream);
        server.line_with(&format!(": number {number}"));
    }
    stop(server);
}

#[test]
fn a_server_may_listen_at_several_addresses_of_both_kinds() {
    let folder = Folder::new();
    for (program, options) in [("tcp-server", &["--threads", "2"][..]), ("chat-server", &[])] {
        let mut server = Launch::new(program).args(["127.0.0.1:0", &at(&folder), "127.0.0.2:0"]);
        server = server.args(options);
        let mut server = Server::start(server);
        assert_eq!(server.program.line(), format!("listening on {}", at(&folder)));
        let other = server.program.listening();
        assert_eq!(other.ip().to_string(), "127.0.0.2");
        if program == "tcp-server" {
            for _ in 0..8 {
                run("tcp-client", &[&at(&folder)]).exits(0).prints("你好");
                assert_eq!(handshake(server.address(), "Hello"), "你好");
                assert_eq!(handshake(other, "Hello"), "你好");
            }
        } else {
            let (local, remote) = (connect(&folder), connect(&folder));
            for mut member in [local, remote] {
                assert!(line(&mut member).starts_with("* welcome"));
            }
        }
        server.stop();
        assert!(!folder.path("socket").exists());
    }
    // A folder to serve may follow.
    let files = Folder::new().with("x", "contents");
    let mut server =
        Server::start(Launch::new("file-server").args(["127.0.0.1:0", &at(&folder), files.arg()]));
    assert_eq!(server.program.line(), format!("listening on {}", at(&folder)));
    for address in [&server.at(), &at(&folder)] {
        let client = Launch::new("file-client").args([address, "x", "-o", "-"]);
        client.run().exits(0).prints("contents");
    }
    server.stop();
    // The second cannot be bound: the first is not kept.
    let taken = Server::start(Launch::new("tcp-server").arg("127.0.0.1:0"));
    run("tcp-server", &[&at(&folder), &taken.at()]).exits(1).omits("listening");
    assert!(!folder.path("socket").exists());
    taken.stop();
}

#[test]
fn what_is_wrong_with_an_address_is_told() {
    let long = format!("unix:/{}", "x".repeat(107));
    for (program, arguments, why) in [
        ("tcp-server", &["unix:"][..], "ADDR: 'unix:' has no path (write unix:PATH)"),
        ("tcp-client", &["unix:"], "ADDR: 'unix:' has no path (write unix:PATH)"),
        ("chat-server", &["unix:@room"], "ADDR: 'unix:@room' is an abstract name"),
        ("chat-client", &["unix:@room"], "ADDR: 'unix:@room' is an abstract name"),
        ("file-server", &[&long], "has a path of 108 bytes, and a socket's has 107 at most"),
        ("file-client", &["127.0.0.1:1", "x", "--mirror", &long], "--mirror: 'unix:/xxx"),
        ("udp-server", &["unix:x"], "where no datagrams are received (write HOST:PORT)"),
        ("udp-client", &["unix:x"], "where no datagrams are sent (write HOST:PORT)"),
        ("tcp-client", &["-4", "unix:x"], "-4: 'unix:x' is a Unix socket, without an IPv4 address"),
        ("chat-client", &["-6", "unix:x"], "-6: 'unix:x' is a Unix socket"),
        ("tcp-server", &["--socket-mode", "600"], "no ADDR is unix:PATH"),
        ("tcp-server", &["unix:x", "--socket-mode", "u+w"], "must be three octal digits"),
        ("chat-server", &["unix:x", "fd:room"], "ADDR: 'fd:room' stands alone"),
    ] {
        run(program, arguments).exits(2).says(&[why]).omits("listening");
    }
    assert!(!Path::new("x").exists());
    assert!(run("tcp-server", &["--help"]).output().contains("--socket-mode"));
    run("udp-server", &["--help"]).exits(0).omits("--socket-mode");
}

#[test]
fn a_unix_socket_that_is_passed_is_served_and_stays() {
    let folder = Folder::new();
    for program in STREAM_SERVERS {
        let listener = UnixListener::bind(folder.path("socket")).expect("a socket");
        let server = start(hand_over(program, listener), &at(&folder));
        match program {
            "tcp-server" => drop(run("tcp-client", &[&at(&folder)]).exits(0).prints("你好")),
            "chat-server" => assert!(line(&mut connect(&folder)).starts_with("* welcome")),
            _ => drop(run("file-client", &[&at(&folder), "--list"]).exits(0)),
        }
        stop(server);
        // Whoever made it removes it.
        fs::remove_file(folder.path("socket")).expect("it stays");
    }
}

#[test]
fn a_unix_socket_of_another_kind_is_refused() {
    let packets = || {
        let flags = SockFlag::SOCK_CLOEXEC;
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).expect("sockets").0
    };
    let datagrams = || OwnedFd::from(UnixDatagram::unbound().expect("a socket"));
    let connected = || OwnedFd::from(UnixStream::pair().expect("sockets").0);
    for program in STREAM_SERVERS {
        for (socket, is) in [
            (packets(), "a Unix sequenced-packet socket"),
            (datagrams(), "a Unix datagram socket"),
            (connected(), "a Unix stream socket that does not listen"),
        ] {
            hand_over(program, socket).run().exits(1).omits("listening").says(&[&format!(
                "descriptor 3 is {is}, not a listening TCP or Unix stream socket"
            )]);
        }
    }
    let folder = Folder::new();
    let listener = UnixListener::bind(folder.path("socket")).expect("a socket");
    let refused = hand_over("udp-server", listener).run().exits(1);
    refused.says(&["descriptor 3 is a Unix stream socket, not a UDP socket"]);
}
