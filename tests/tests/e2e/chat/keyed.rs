//! The chat under keys.

use std::io::{PipeWriter, Write as _};
use std::net::SocketAddr;

use barewire_tests::harness::sockets::{connect, read_out};
use barewire_tests::harness::{Finished, Folder, KeyFile, Launch, Program, Server, run, serve};
use nix::sys::signal::Signal;

use super::numbered;
use crate::chat_client::screen::Terminal;

/// A member by `chat-client`, off a terminal.
struct Client {
    program: Program,
    input: PipeWriter,
}

impl Client {
    fn start(server: SocketAddr, options: &[&str]) -> Self {
        let (reader, input) = std::io::pipe().unwrap();
        let launch = Launch::new("chat-client").arg(server.to_string()).args(options);
        Self { program: launch.stdin(reader).spawn(), input }
    }

    /// Who has this key, and is welcomed as `nick`.
    #[track_caller]
    fn join(server: SocketAddr, key: &KeyFile, nick: &str) -> Self {
        let mut client = Self::start(server, &["--key", key.arg()]);
        let welcome = client.program.line();
        assert_eq!(welcome, format!("* welcome to barewire chat, you are {nick} (/help)"));
        client
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    #[track_caller]
    fn hears(&mut self, line: &str) {
        assert_eq!(self.program.line_with(line), line);
    }

    fn finish(self) -> Finished {
        drop(self.input);
        self.program.finish()
    }
}

/// A server at a terminal of the test's.
fn room(options: &[&str]) -> (Server, PipeWriter) {
    let (reader, operator) = std::io::pipe().unwrap();
    let launch = Launch::new("chat-server").arg("127.0.0.1:0").args(options).stdin(reader);
    (Server::start(launch.as_a_job()), operator)
}

#[test]
fn who_has_a_key_is_who_it_belongs_to() {
    let folder = Folder::new();
    let [anna, ben] = ["anna", "ben"].map(|name| KeyFile::new(&folder, name));
    let mut server = serve("chat-server", &["--key", folder.arg()]);
    let mut first = Client::join(server.address(), &anna, "anna");
    let mut second = Client::join(server.address(), &ben, "ben");
    first.hears("* ben joined");
    second.say("hello");
    first.hears("ben: hello");
    server.program.line_with("ben: hello");
    // A second one of the same key is told apart, and nobody takes another nick.
    let mut third = Client::join(server.address(), &ben, "ben-2");
    for client in [&mut first, &mut third] {
        client.say("/nick ben");
        client.hears("* this server gives you your nick, and you keep it");
    }
    third.say("me too");
    first.hears("ben-2: me too");
    for client in [first, second, third] {
        client.finish().exits(0).is_silent();
    }
    for nick in ["anna", "ben", "ben-2"] {
        server.program.line_with(&format!("* {nick} left"));
    }
    // Whoever of them comes first has the nick.
    Client::join(server.address(), &ben, "ben").finish().exits(0);
    server.stop();
}

/// A nick that was wished for is not asked for where the key gives one; and where that is another, no script speaks
/// under it.
#[test]
fn who_wishes_for_another_nick_than_its_key_gives_says_nothing() {
    let folder = Folder::new();
    let ben = KeyFile::new(&folder, "ben");
    let mut server = serve("chat-server", &["--key", folder.arg()]);
    let mut client = Client::start(server.address(), &["--key", ben.arg(), "--nick", "ben"]);
    client.hears("* welcome to barewire chat, you are ben (/help)");
    client.say("hello");
    server.program.line_with("ben: hello");
    client.finish().exits(0).omits("you keep it");
    let mut client = Client::start(server.address(), &["--key", ben.arg(), "--nick", "eve"]);
    client.say("hello again");
    let why = "does not give you the nick eve, so nothing was sent: your key makes you ben";
    client.finish().exits(1).says(&[why]);
    server.stop().omits("hello again");
}

#[test]
fn one_key_for_all_gives_no_nick() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let mut server = serve("chat-server", &["--key", key.arg()]);
    let mut client = Client::join(server.address(), &key, "guest1");
    client.say("/nick anna");
    client.hears("* guest1 is now anna");
    client.say("hello");
    server.program.line_with("anna: hello");
    client.finish().exits(0);
    server.stop();
}

/// What a client says at once, before it has heard anything, and then no more.
#[test]
fn what_is_said_with_the_opening_is_heard_whole_and_in_order() {
    const LINES: usize = 3000;
    let folder = Folder::new();
    let [anna, ben] = ["anna", "ben"].map(|name| KeyFile::new(&folder, name));
    let options = ["--key", folder.arg(), "--rate", "0", "-q"];
    let server = serve("chat-server", &options);
    let mut listener = Client::join(server.address(), &anna, "anna");
    let folder = Folder::new().with("lines", numbered("line ", LINES));
    let input = std::fs::File::open(folder.path("lines")).unwrap();
    let at = server.at();
    let talker = Launch::new("chat-client").args([&at, "--key", ben.arg(), "--rate", "0"]);
    talker.stdin(input).run().exits(0).is_silent();
    listener.hears("* ben joined");
    for number in 0..LINES {
        assert_eq!(listener.program.line(), format!("ben: line {number}"));
    }
    listener.hears("* ben left");
    listener.finish().exits(0);
    server.stop();
}

#[test]
fn who_has_no_key_hears_nothing_and_nobody_hears_of_it() {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "ben");
    let mut server = serve("chat-server", &["--key", key.arg(), "--max-pause", "0"]);
    let mut member = Client::join(server.address(), &key, "guest1");
    for said in ["hello\n", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01", "\n", "\x01BX"] {
        let mut stranger = connect(server.address());
        stranger.write_all(said.as_bytes()).unwrap();
        let (received, _) = read_out(&mut stranger);
        assert!(received.is_empty(), "{said:?}: {:?}", received.escape_ascii().to_string());
    }
    server.program.diagnostic_with(&["refused, as it speaks without a key"]);
    run("chat-client", &[&server.at()]).exits(1).says(&["--key"]);
    let other = KeyFile::new(&Folder::new(), "other");
    run("chat-client", &[&server.at(), "--key", other.arg()]).exits(1);
    member.say("/who");
    member.hears("* here: server, guest1");
    let heard = member.finish().exits(0);
    assert!(!heard.output().contains("joined"), "{heard:?}");
    server.stop();
}

#[test]
fn another_key_is_told_at_both_ends_and_not_tried_again() {
    let folder = Folder::new();
    let [right, wrong] = ["right", "wrong"].map(|name| KeyFile::new(&folder, name));
    let mut server = serve("chat-server", &["--key", right.arg()]);
    run("chat-client", &[&server.at(), "--key", wrong.arg()])
        .exits(1)
        .says(&["closed at the handshake: it has another key"]);
    server.program.diagnostic_with(&["refused, as it has another key"]);
    let terminal = Terminal::start(&server.at(), &["--key", wrong.arg()]);
    assert_eq!(terminal.finish(), Some(1));
    server.stop();
    let plain = serve("chat-server", &["-q"]);
    run("chat-client", &[&plain.at(), "--key", right.arg()]).exits(1);
    plain.stop();
}

/// However long the handshake takes, it is before the welcome.
#[test]
fn a_nick_is_waited_for_under_a_key_though_the_welcome_takes_longer() {
    let folder = Folder::new().with("lines", "hello\n");
    let key = KeyFile::new(&folder, "ben");
    let server = serve("chat-server", &["--key", key.arg()]);
    let input = std::fs::File::open(folder.path("lines")).unwrap();
    let launch = Launch::new("chat-client").args([&server.at(), "--key", key.arg()]);
    let launch = launch.args(["--nick", "anna", "--welcome-timeout", "0s"]).stdin(input);
    launch.run().exits(0);
    server.stop().prints("anna: hello");
}

/// With the same key; and with another one it goes on trying, since it was there before.
#[test]
fn a_client_comes_back_under_its_key_only() {
    let folder = Folder::new();
    let [key, other] = ["ben", "other"].map(|name| KeyFile::new(&folder, name));
    let server = serve("chat-server", &["--key", key.arg()]);
    let at = server.at();
    let options = ["--key", key.arg(), "--retry-pause", "10ms"];
    let mut terminal = Terminal::start(&at, &options);
    terminal.wait_for("you are guest1");
    let restart = |server: Server, options: &[&str]| {
        server.program.signal(Signal::SIGKILL);
        let _ = server.program.finish();
        Server::start(Launch::new("chat-server").arg(&at).args(options))
    };
    let server = restart(server, &["--key", other.arg()]);
    terminal.wait_for("closed at the handshake: it has another key");
    let server = restart(server, &[]);
    terminal.wait_for("start it with --key as well");
    let server = restart(server, &["--key", key.arg()]);
    terminal.wait_for("reconnected to");
    terminal.press("back\r");
    terminal.wait_for("back");
    terminal.press("\x04");
    assert_eq!(terminal.finish(), Some(0));
    server.stop().prints(": back");
}

#[test]
fn who_is_put_out_is_told_so_under_the_key() {
    let folder = Folder::new();
    let [anna, ben] = ["anna", "ben"].map(|name| KeyFile::new(&folder, name));
    let (mut server, mut operator) = room(&["--key", folder.arg()]);
    let client = Client::join(server.address(), &ben, "ben");
    let listener = Client::join(server.address(), &anna, "anna");
    writeln!(operator, "/kick ben").unwrap();
    let mut client = client;
    client.hears("* you were kicked by the operator");
    client.finish();
    writeln!(operator, "/ban anna").unwrap();
    server.program.line_with("* banned ");
    listener.finish();
    run("chat-client", &[&server.at(), "--key", ben.arg()])
        .exits(1)
        .says(&["closed at the handshake"])
        .says(&["turns this address away"]);
    server.stop();
}

#[test]
fn keys_whose_names_are_no_nicks_or_alike_are_refused_at_the_start() {
    for (names, why) in [
        (&["server"][..], "the key 'server' has no nick: this nick is reserved"),
        (&["ben", "Ben"], "look alike"),
        (&["ben", "ben-2"], "as the second connection of 'ben' has"),
    ] {
        let folder = Folder::new();
        for name in names {
            KeyFile::new(&folder, name);
        }
        run("chat-server", &["127.0.0.1:0", "--key", folder.arg()])
            .exits(1)
            .says(&[why])
            .says(&["(rename its file)"])
            .omits("listening");
        // Of a key that all share the name says nothing.
        let only = folder.path(&format!("{}.key", names[0]));
        serve("chat-server", &["--key", only.to_str().unwrap()]).stop();
    }
}
