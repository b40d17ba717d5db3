//! The log outlives what logrotate(8) does with it, and keeps nobody waiting.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread;
use std::time::Instant;

use barewire_tests::harness::{Launch, Server, TIMEOUT};
use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::Member;

fn room(log: &Path) -> Server {
    let launch = Launch::new("chat-server").args(["127.0.0.1:0", "-q", "--log"]);
    Server::start(launch.arg(log).as_a_job())
}

/// Waits until the file holds `text`: it is written by another thread than answers. Each look gives way.
#[track_caller]
fn wait_for(log: &Path, text: &str) {
    let deadline = Instant::now() + TIMEOUT;
    while !fs::read_to_string(log).is_ok_and(|log| log.contains(text)) {
        assert!(Instant::now() < deadline, "{text:?} is not in {}", log.display());
        thread::yield_now();
    }
}

/// What was said, without the times.
fn texts(log: &Path) -> Vec<String> {
    let log = fs::read_to_string(log).unwrap();
    log.lines().map(|line| line.split_once(' ').expect("a time").1.to_owned()).collect()
}

#[test]
fn after_a_hangup_the_lines_go_to_the_file_that_has_the_name_then() {
    let folder = tempfile::tempdir().unwrap();
    let (log, old) = (folder.path().join("chat.log"), folder.path().join("chat.log.1"));
    let server = room(&log);
    let mut anna = Member::join(server.address());
    anna.say("first");
    wait_for(&log, "first");
    fs::rename(&log, &old).unwrap();
    anna.say("meanwhile");
    wait_for(&old, "meanwhile");
    server.program.signal(Signal::SIGHUP);
    wait_for(&log, "");
    anna.say("second");
    wait_for(&log, "second");
    // Nobody in the room takes notice.
    anna.say("/who");
    anna.hears(&format!("* here: server, {}", anna.nick));
    let nick = anna.nick;
    server.stop().is_silent();
    let joined = format!("* {nick} joined");
    assert_eq!(texts(&old), [joined, format!("{nick}: first"), format!("{nick}: meanwhile")]);
    assert_eq!(texts(&log)[0], format!("{nick}: second"));
}

/// `copytruncate`: nothing is written at the old place.
#[test]
fn a_log_that_is_cut_goes_on_at_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("chat.log");
    let server = room(&log);
    let mut anna = Member::join(server.address());
    anna.say("first");
    wait_for(&log, "first");
    File::options().write(true).open(&log).unwrap().set_len(0).unwrap();
    anna.say("second");
    wait_for(&log, "second");
    server.stop();
    assert_eq!(texts(&log)[0], format!("{}: second", anna.nick));
}

#[test]
fn a_log_that_cannot_be_reopened_is_told_and_the_old_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (inner, moved) = (folder.path().join("a"), folder.path().join("b"));
    fs::create_dir(&inner).unwrap();
    let launch = Launch::new("chat-server").args(["127.0.0.1:0", "--log"]);
    let mut server = Server::start(launch.arg(inner.join("chat.log")).as_a_job());
    let mut anna = Member::join(server.address());
    fs::rename(&inner, &moved).unwrap();
    server.program.signal(Signal::SIGHUP);
    server.program.diagnostic_with(&["cannot reopen the log file"]);
    anna.say("after that");
    wait_for(&moved.join("chat.log"), "after that");
    server.stop();
}

/// A FIFO that nobody reads, or that its reader has forgotten.
#[test]
fn a_log_that_nobody_takes_keeps_nobody_waiting_and_what_is_lost_is_told() {
    /// More than a FIFO holds.
    const LINES: usize = 200;

    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("fifo");
    mkfifo(&log, Mode::S_IRWXU).unwrap();
    for is_open in [false, true] {
        let reader = is_open.then(|| File::options().read(true).write(true).open(&log).unwrap());
        let launch = Launch::new("chat-server").args(["127.0.0.1:0", "--rate", "0", "--log"]);
        let launch = launch.arg(&log).args(["--reader-timeout", "20ms"]);
        let server = Server::start(launch);
        let mut anna = Member::join(server.address());
        let mut ben = Member::join(server.address());
        anna.hears(&format!("* {} joined", ben.nick));
        let text = "x".repeat(1000);
        for _ in 0..LINES {
            ben.say(&text);
            anna.hears(&format!("{}: {text}", ben.nick));
        }
        server.stop().says(&["lines could not be written to the log file"]);
        drop(reader);
    }
}

/// Reads from a FIFO until `text` has come, and goes.
#[track_caller]
fn read_until(fifo: &Path, text: &str) {
    let mut options = File::options();
    let options = options.read(true).custom_flags(OFlag::O_NONBLOCK.bits());
    let (mut reader, mut read) = (options.open(fifo).unwrap(), Vec::new());
    let deadline = Instant::now() + TIMEOUT;
    while !String::from_utf8_lossy(&read).contains(text) {
        // As long as there is nothing, that is an error.
        let _ = reader.read_to_end(&mut read);
        assert!(Instant::now() < deadline, "{text:?} did not come");
        thread::yield_now();
    }
}

#[test]
fn who_reads_a_fifo_may_go_and_another_has_what_came_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("fifo");
    mkfifo(&log, Mode::S_IRWXU).unwrap();
    let server = room(&log);
    let mut anna = Member::join(server.address());
    for text in ["before anybody reads", "between two readers", "while the next is awaited"] {
        anna.say(text);
        anna.say("/who");
        anna.hears(&format!("* here: server, {}", anna.nick));
        read_until(&log, text);
    }
    server.stop().is_silent();
}

#[test]
fn a_full_disk_is_told_once() {
    let launch = Launch::new("chat-server").args(["127.0.0.1:0", "--log", "/dev/full"]);
    let mut server = Server::start(launch);
    let mut anna = Member::join(server.address());
    let mut ben = Member::join(server.address());
    anna.hears(&format!("* {} joined", ben.nick));
    server.program.diagnostic_with(&["cannot write to the log file /dev/full: no space left"]);
    for number in 0..50 {
        ben.say(&number.to_string());
        anna.hears(&format!("{}: {number}", ben.nick));
    }
    let server = server.stop().says(&["lines could not be written to the log file /dev/full"]);
    assert_eq!(server.error().matches("no space left").count(), 1, "{server:?}");
}

/// A pipe that has no name, as in `chat-server --log /dev/stdout | gzip`, has no rule of Landlock.
#[test]
fn a_log_may_be_the_standard_output_of_a_pipeline() {
    let launch = Launch::new("chat-server").args(["127.0.0.1:0", "-v", "--log", "/dev/stdout"]);
    let mut server = Server::start(launch);
    server.program.diagnostic_with(&["confined by", "not confined"]);
    let member = Member::join(server.address());
    server.program.line_with(&format!("Z * {} joined", member.nick));
    let server = server.stop();
    assert!(!server.error().contains("Landlock failed"), "{server:?}");
}
