//! Programs as jobs of a shell at a terminal (sfz#65, odamex#1711).

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::process::{Child, Command};
use std::thread;
use std::time::Instant;

use barewire_tests::harness::{Pseudoterminal, TIMEOUT, binaries, without_foreign_variables};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::SERVERS;
use crate::chat::Member;

/// An interactive shell, and a person at its terminal.
struct Shell {
    child: Child,
    /// None once the window is closed.
    terminal: Option<File>,
    shown: String,
}

impl Shell {
    fn start() -> Self {
        let terminal = Pseudoterminal::open();
        let programs = binaries::path_of("chat-server");
        let programs = programs.parent().and_then(|folder| folder.to_str()).expect("UTF-8");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        command.args(["--norc", "--noprofile", "--noediting", "-i"]);
        without_foreign_variables(&mut command);
        command.env("PATH", format!("{programs}:{path}")).env("PS1", "$ ").env("TERM", "dumb");
        terminal.control(&mut command);
        let child = command.spawn().expect("bash is there");
        // What is left of the terminal here is the person's side alone.
        drop(command);
        let Pseudoterminal { master, slave } = terminal;
        drop(slave);
        let mut shell = Self { child, terminal: Some(master), shown: String::new() };
        shell.wait_for("$ ");
        shell
    }

    fn terminal(&mut self) -> &mut File {
        self.terminal.as_mut().expect("the window is open")
    }

    fn press(&mut self, keys: &str) {
        self.terminal().write_all(keys.as_bytes()).expect("the terminal takes them");
    }

    /// Waits until `text` is shown, and gives what stands before it.
    #[track_caller]
    fn wait_for(&mut self, text: &str) -> String {
        loop {
            if let Some((before, rest)) = self.shown.split_once(text) {
                let before = before.to_owned();
                self.shown = rest.to_owned();
                return before;
            }
            let timeout = PollTimeout::try_from(TIMEOUT).expect("not that long");
            let terminal = self.terminal();
            let mut fds = [PollFd::new(terminal.as_fd(), PollFlags::POLLIN)];
            let ready = poll(&mut fds, timeout).expect("it is open");
            let mut buffer = [0; 4096];
            let count =
                if ready == 0 { 0 } else { terminal.read(&mut buffer).expect("it is used") };
            assert!(count > 0, "{text:?} did not come; shown is {:?}", self.shown);
            self.shown.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    /// Types a command that shows what the typing of it does not, and waits until it was done.
    #[track_caller]
    fn is_in_the_foreground(&mut self) {
        self.press("echo here-$((40 + 2))\n");
        self.wait_for("here-42");
    }

    /// Starts a server, and gives its address and its process.
    #[track_caller]
    fn start_in_background(&mut self, command: &str) -> (SocketAddr, Pid) {
        self.press(&format!("{command} &\n"));
        self.wait_for("listening on ");
        let address = self.wait_for("\r\n");
        let address = address.parse().unwrap_or_else(|_| panic!("no address: {address:?}"));
        self.press("echo process-$!-\n");
        self.wait_for("process-$!-");
        self.wait_for("process-");
        let process = self.wait_for("-").parse().expect("a number");
        (address, Pid::from_raw(process))
    }

    fn close_the_window(&mut self) {
        self.terminal = None;
        self.child.wait().expect("bash ends once");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // The terminal hangs up, which ends what runs there; and both fail only if it is already gone.
        self.terminal = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the end of a process that is nobody's child any more.
#[track_caller]
fn wait_until_gone(process: Pid) {
    let deadline = Instant::now() + TIMEOUT;
    // The state stands behind the name (proc(5)); whoever it belongs to now may not ask after it.
    while fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().is_some_and(|state| state.starts_with('Z')))
    {
        assert!(Instant::now() < deadline, "it goes on");
        thread::yield_now();
    }
}

#[test]
fn a_room_in_the_background_serves_on_and_in_the_foreground_reads_again() {
    let mut shell = Shell::start();
    let (room, _) = shell.start_in_background("chat-server 127.0.0.1:0");
    shell.is_in_the_foreground();
    let mut anna = Member::join(room);
    anna.say("/who");
    anna.hears(&format!("* here: server, {}", anna.nick));
    // What is typed is the shell's.
    shell.is_in_the_foreground();

    shell.press("fg\n");
    shell.wait_for("chat-server 127.0.0.1:0");
    shell.press("from the operator\n");
    anna.hears("server: from the operator");

    // Ctrl-Z stops it as every job, and `bg` has it go on.
    shell.press("\x1a");
    shell.wait_for("Stopped");
    shell.press("bg\n");
    anna.say("/who");
    anna.hears(&format!("* here: server, {}", anna.nick));
    shell.is_in_the_foreground();

    shell.press("fg\nand again\n");
    anna.hears("server: and again");

    // Who types on would type for nobody.
    shell.press("\x04");
    shell.wait_for("nothing more can be typed here");
    anna.say("/who");
    anna.hears(&format!("* here: server, {}", anna.nick));
    shell.press("\x03");
    while anna.line() != "" {}
    shell.press("echo code-$?\n");
    shell.wait_for("code-0");
}

/// `stty tostop` stops jobs that write; a server that would stop with it is of no use.
#[test]
fn a_background_server_writes_to_a_terminal_that_stops_others() {
    for program in SERVERS {
        let mut shell = Shell::start();
        shell.press("stty tostop\n");
        let (_, process) = shell.start_in_background(&format!("{program} 127.0.0.1:0"));
        shell.press("jobs -r; echo done-$((1 + 1))\n");
        assert!(shell.wait_for("done-2").contains(program), "{program} does not run");
        shell.press("kill %1; wait %1; echo code-$?\n");
        shell.wait_for("code-0");
        wait_until_gone(process);
    }
}

/// A server that nobody sees any more holds no port.
#[test]
fn the_end_of_its_terminal_is_the_end_of_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("chat.log");
    let with_log = format!("chat-server 127.0.0.1:0 --log {}", log.display());
    for command in SERVERS.map(|program| format!("{program} 127.0.0.1:0")).iter().chain([&with_log])
    {
        let mut shell = Shell::start();
        let (_, process) = shell.start_in_background(command);
        shell.close_the_window();
        wait_until_gone(process);
    }
}

/// So does nohup(1).
#[test]
fn a_server_that_is_to_ignore_that_serves_on_without_a_terminal() {
    let mut shell = Shell::start();
    let command = "(trap '' HUP; exec chat-server 127.0.0.1:0)";
    let (room, process) = shell.start_in_background(command);
    shell.close_the_window();
    let mut anna = Member::join(room);
    let mut ben = Member::join(room);
    anna.hears(&format!("* {} joined", ben.nick));
    ben.say("still here?");
    anna.hears(&format!("{}: still here?", ben.nick));
    kill(process, Signal::SIGTERM).unwrap();
    wait_until_gone(process);
}
