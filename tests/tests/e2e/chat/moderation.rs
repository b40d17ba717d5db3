//! The operator puts members out and keeps them out; whoever comes is shown the message of the day.

use std::fs;
use std::io::{PipeWriter, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::path::Path;
use std::thread;
use std::time::Instant;

use barewire_tests::harness::sockets::connect;
use barewire_tests::harness::{Launch, Server, TIMEOUT};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::Member;

/// A room, and a hand at its terminal.
struct Room {
    server: Server,
    operator: PipeWriter,
}

impl Room {
    fn open(arguments: &[&str]) -> Self {
        let (reader, operator) = std::io::pipe().unwrap();
        let launch = Launch::new("chat-server").args(arguments).stdin(reader).as_a_job();
        Self { server: Server::start(launch), operator }
    }

    fn with_bans(file: &Path) -> Self {
        Self::open(&["127.0.0.1:0", "--bans", file.to_str().unwrap()])
    }

    fn join(&self, nick: &str) -> Member {
        let mut member = Member::join(self.server.address());
        member.say(&format!("/nick {nick}"));
        while !member.line().ends_with(&format!(" is now {nick}")) {}
        member.nick = nick.into();
        member
    }

    fn types(&mut self, line: &str) {
        self.operator.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The operator types a line, and is told something.
    #[track_caller]
    fn answers(&mut self, line: &str, answer: &str) {
        self.types(line);
        let told = self.server.program.line_with(answer);
        assert!(told.starts_with("* ") && told.contains(answer), "{line}: {told}");
    }
}

/// The one line that somebody is told who cannot come in, whatever it has said meanwhile.
fn turned_away(server: SocketAddr) -> String {
    let mut stranger = Member::unwelcomed(connect(server));
    stranger.say("hello");
    let told = stranger.line();
    stranger.is_at_the_end();
    told
}

#[test]
fn who_is_kicked_is_told_so_and_may_come_again() {
    let mut room = Room::open(&["127.0.0.1:0"]);
    let (mut anna, mut ben) = (room.join("anna"), room.join("ben"));
    room.answers("/kick ANNA", "* kicked anna from 127.0.0.1");
    while anna.line() != "* you were kicked by the operator" {}
    anna.is_at_the_end();
    while ben.line() != "* anna left (kicked)" {}
    room.server.program.line_with("* anna left (kicked)");
    room.join("anna");
    room.answers("/kick carl", "* nobody here is called carl; /who tells who is here");
    room.answers("/kick server", "* the operator stays");
    room.answers("/kick", "* write it as: /kick NICK");
    // Nobody in the room hears what the operator types.
    room.types("done");
    loop {
        match ben.line().as_str() {
            "server: done" => break,
            line => assert!(!line.contains("carl") && !line.contains("/kick"), "{line}"),
        }
    }
    room.server.stop();
}

#[test]
fn what_a_member_types_is_no_command_of_the_operators() {
    let room = Room::open(&["127.0.0.1:0"]);
    let (mut anna, mut ben) = (room.join("anna"), room.join("ben"));
    for command in ["/kick ben", "/ban ben", "/unban 127.0.0.1", "/bans"] {
        anna.say(command);
        while !anna.line().starts_with("* no such command") {}
    }
    anna.say("hello");
    ben.hears("anna: hello");
    room.server.stop();
}

#[test]
fn the_operator_is_told_of_its_commands() {
    let mut room = Room::open(&["127.0.0.1:0"]);
    room.types("/help");
    room.server.program.line_with("/nick NAME, /who");
    let told = room.server.program.line_with("/kick NICK");
    for command in ["/ban NICK or ADDRESS [TIME]", "/unban ADDRESS", "/bans"] {
        assert!(told.contains(command), "{told}");
    }
    room.server.stop();
}

#[test]
fn who_is_banned_stays_out_until_the_ban_is_lifted() {
    let mut room = Room::open(&["127.0.0.1:0"]);
    let (mut anna, mut ben) = (room.join("anna"), room.join("ben"));
    room.answers("/bans", "* nobody is banned");
    // All that come from there are meant.
    room.answers("/ban anna", "* banned 127.0.0.1, and kicked anna, ben");
    for member in [&mut anna, &mut ben] {
        while member.line() != "* you were kicked by the operator" {}
    }
    assert_eq!(turned_away(room.server.address()), "* you are banned from this room");
    room.answers("/bans", "* banned: 127.0.0.1 (anna)");
    room.answers("/unban 192.0.2.7", "* 192.0.2.7 was not banned");
    room.answers("/unban anna", "* anna is no address");
    room.answers("/unban 127.0.0.1", "* 127.0.0.1 is not banned any more");
    room.join("anna");
    room.answers("/ban carl", "* nobody here is called carl, and it is no address");
    room.answers("/ban anna soon", "* 'soon': not a duration");
    // One who is not here, by the address.
    room.answers("/ban 2001:db8::7 1h", "* banned 2001:db8::/64 until 20");
    room.server.stop();
}

/// What it had to say was heard by nobody.
#[test]
fn a_client_that_is_turned_away_has_failed() {
    let mut room = Room::open(&["127.0.0.1:0"]);
    let at = room.server.at();
    let client = || {
        let (input, mut speaker) = std::io::pipe().unwrap();
        speaker.write_all(b"hello\n").unwrap();
        drop(speaker);
        Launch::new("chat-client").arg(&at).stdin(input).run()
    };
    client().exits(0);
    room.answers("/ban 127.0.0.1", "* banned 127.0.0.1");
    let why = "turned you away: you are banned from this room";
    client().exits(1).prints("* you are banned from this room\n").says(&[&at]).says(&[why]);
    room.server.stop();
}

#[test]
fn a_ban_for_a_time_says_until_when() {
    let mut room = Room::open(&["127.0.0.1:0"]);
    let _anna = room.join("anna");
    room.answers("/ban anna 2 days", "* banned 127.0.0.1 until 20");
    let told = turned_away(room.server.address());
    let until = told.strip_prefix("* you are banned from this room until ").expect("a time");
    assert!(until.starts_with("20") && until.ends_with('Z'), "{until}");
    room.server.stop();
}

#[test]
fn of_an_ipv6_network_everybody_is_banned() {
    let mut room = Room::open(&["[::1]:0"]);
    let _anna = room.join("anna");
    room.answers("/ban anna", "* banned ::/64, and kicked anna");
    assert_eq!(turned_away(room.server.address()), "* you are banned from this room");
    room.answers("/unban ::5", "* ::/64 is not banned any more");
    room.join("anna");
    room.server.stop();
}

#[test]
fn bans_outlive_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bans");
    let mut room = Room::with_bans(&file);
    let _anna = room.join("anna");
    room.answers("/ban anna", "* banned 127.0.0.1");
    room.answers("/ban 192.0.2.7 1ms", "* banned 192.0.2.7 until 20");
    room.server.stop();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.lines().any(|line| line == "127.0.0.1 forever anna"), "{text}");

    let mut room = Room::with_bans(&file);
    assert_eq!(turned_away(room.server.address()), "* you are banned from this room");
    room.answers("/bans", "* banned: 127.0.0.1 (anna)");
    room.answers("/unban 127.0.0.1", "* 127.0.0.1 is not banned any more");
    room.server.stop();
    let text = fs::read_to_string(&file).unwrap();
    // One that is over stays for a day: it may be the clock that is wrong.
    let is_over = |line: &str| line.starts_with("192.0.2.7 20");
    assert!(text.lines().all(|line| line.starts_with('#') || is_over(line)), "{text}");
}

/// Each would take the other's bans away.
#[test]
fn two_servers_do_not_keep_their_bans_in_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("bans"), folder.path().join("link"));
    symlink("bans", &link).unwrap();
    let mut room = Room::with_bans(&link);
    let refused = |path: &Path| {
        let other = Launch::new("chat-server").args(["127.0.0.1:0", "--bans"]).arg(path).run();
        let why = format!("cannot keep the bans in {}: another server keeps", path.display());
        other.exits(1).omits("listening").says(&[&why]);
    };
    refused(&file);
    room.answers("/ban 192.0.2.7", "* banned 192.0.2.7");
    let deadline = Instant::now() + TIMEOUT;
    while !fs::read_to_string(&file).unwrap().contains("192.0.2.7 forever") {
        assert!(Instant::now() < deadline, "it is not written");
        thread::yield_now();
    }
    // Also once it is replaced.
    refused(&link);
    room.server.stop();
    Room::with_bans(&file).server.stop();
}

#[test]
fn each_option_takes_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    symlink("file", &link).unwrap();
    for there in [false, true] {
        if there {
            fs::write(&file, "").unwrap();
        }
        for (one, other) in [("--log", "--bans"), ("--log", "--motd"), ("--bans", "--motd")] {
            let launch = Launch::new("chat-server").args(["127.0.0.1:0", one]).arg(&file);
            let refused = launch.arg(other).arg(&link).run().exits(2).omits("listening");
            refused.says(&[&format!("{other}: {} is what {one} names", link.display())]);
        }
    }
}

/// Whenever it comes: the file is one that was whole, and all of it is read again.
#[test]
fn a_kill_leaves_the_bans_as_they_were_before_or_after() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bans");
    let mut held = 0;
    for round in 1..=10 {
        let mut room = Room::with_bans(&file);
        for host in 1..=20 {
            room.types(&format!("/ban 192.0.{round}.{host}"));
        }
        room.server.program.line_with(&format!("* banned 192.0.{round}.{}", 2 * round));
        room.server.program.signal(Signal::SIGKILL);
        assert_eq!(room.server.program.finish().signal(), Some(Signal::SIGKILL as i32));
        let text = fs::read_to_string(&file).unwrap();
        let bans: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(text.ends_with('\n') && bans.len() >= held, "{text}");
        // Those of earlier rounds, and of this one the first so many.
        for host in 1..=bans.len() - held {
            let ban = format!("192.0.{round}.{host} forever");
            assert!(bans.contains(&ban.as_str()), "{ban}: {text}");
        }
        held = bans.len();
    }
    Room::with_bans(&file).server.stop();
}

#[test]
fn a_damaged_file_of_bans_is_told_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bans");
    fs::write(&file, "# mine\n192.0.2.7 forever\n192.0.2.8 fore\n").unwrap();
    let launch = || Launch::new("chat-server").arg("127.0.0.1:0").arg("--bans");
    launch().arg(&file).run().exits(1).says(&[
        "line 3",
        "'192.0.2.8 fore'",
        "2026-12-31T23:59:59Z",
    ]);
    assert!(fs::read_to_string(&file).unwrap().starts_with("# mine\n"), "it is left as it is");
    launch().arg("/nowhere/bans").run().exits(1).says(&["/nowhere/bans"]).says(&["no such file"]);
}

/// A FIFO would keep the server waiting, and a device would be replaced by a file.
#[test]
fn bans_are_kept_in_a_regular_file_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let [fifo, device] = ["fifo", "device"].map(|name| folder.path().join(name));
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    symlink("/dev/zero", &device).unwrap();
    for option in ["--bans", "--motd"] {
        for path in [&fifo, &device, Path::new("/dev/null"), folder.path()] {
            let launch = Launch::new("chat-server").args(["127.0.0.1:0", option]).arg(path);
            launch.run().exits(1).says(&[path.to_str().unwrap(), "it is not a regular file"]);
        }
    }
    assert!(device.is_symlink() && fs::metadata(&fifo).unwrap().file_type().is_fifo());
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

/// Neither by its nick nor by one that looks alike (a small L, a capital O).
#[test]
fn a_ban_on_an_address_means_no_nick() {
    let mut room = Room::open(&["127.0.0.1:0"]);
    let mut anna = room.join("anna");
    anna.say("/nick 192.0.2.7");
    while anna.line() != "* this nick is reserved, or looks like one that is" {}
    anna.say("/nick l92.O.2.7");
    while !anna.line().ends_with(" is now l92.O.2.7") {}
    room.answers("/ban 192.0.2.7", "* banned 192.0.2.7");
    room.answers("/bans", "* banned: 192.0.2.7");
    room.join("ben");
    room.server.stop();
}

#[test]
fn whoever_joins_is_shown_the_message_of_the_day() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("motd");
    fs::write(&file, "be kind\n\x1b[2J and brief\n").unwrap();
    // As many joins as it takes.
    let many = ["127.0.0.1:0", "--max-per-source", "1000000", "--motd"];
    let mut room = Room::open(&[&many[..], &[file.to_str().unwrap()]].concat());
    let mut anna = Member::join(room.server.address());
    anna.hears("* motd: be kind");
    anna.hears(r"* motd: \x1b[2J and brief");
    anna.say("hello");
    let mut ben = Member::join(room.server.address());
    for line in ["* motd: be kind", r"* motd: \x1b[2J and brief", &format!("{}: hello", anna.nick)]
    {
        ben.hears(line);
    }
    anna.hears(&format!("* {} joined", ben.nick));

    fs::remove_file(&file).unwrap();
    mkfifo(&file, Mode::S_IRWXU).unwrap();
    room.server.program.signal(Signal::SIGHUP);
    room.server.program.diagnostic_with(&["it is not a regular file", "the old one stays"]);
    fs::remove_file(&file).unwrap();
    fs::write(&file, "new\n").unwrap();
    room.server.program.signal(Signal::SIGHUP);
    // It is read in the background: each look gives way.
    let deadline = Instant::now() + TIMEOUT;
    while Member::join(room.server.address()).line() != "* motd: new" {
        assert!(Instant::now() < deadline, "the old message is shown still");
        thread::yield_now();
    }
    room.server.stop();
}

/// Nothing else of that folder is served by it, and the link's own folder may have another file of the name.
#[test]
fn the_message_may_be_behind_a_link_into_another_folder() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (link, file) = (folder.path().join("motd"), other.path().join("message"));
    fs::write(&file, "old").unwrap();
    symlink(&file, &link).unwrap();
    let server = Server::start(
        Launch::new("chat-server")
            .args(["127.0.0.1:0", "--max-per-source", "1000000", "--motd"])
            .arg(&link)
            .as_a_job(),
    );
    let expected = |text: &str| {
        server.program.signal(Signal::SIGHUP);
        let deadline = Instant::now() + TIMEOUT;
        while Member::join(server.address()).line() != format!("* motd: {text}") {
            assert!(Instant::now() < deadline, "the old message is shown still");
            thread::yield_now();
        }
    };
    fs::write(&file, "changed in place").unwrap();
    expected("changed in place");
    fs::write(other.path().join("new"), "another file").unwrap();
    fs::rename(other.path().join("new"), &file).unwrap();
    expected("another file");
    fs::remove_file(&link).unwrap();
    fs::write(&link, "no link any more").unwrap();
    expected("no link any more");
    server.stop();
}

#[test]
fn a_message_that_is_too_long_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("motd");
    fs::write(&file, "line\n".repeat(21)).unwrap();
    let run = Launch::new("chat-server").args(["127.0.0.1:0", "--motd"]).arg(&file).run();
    run.exits(1).says(&["message of the day"]).says(&["more than 20 lines"]);
}
