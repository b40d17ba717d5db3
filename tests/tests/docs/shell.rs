//! A shell that is told the commands of a document, and what it says.
//!
//! It has a folder and a network (a loopback device, `network_namespaces(7)`) of its own, so that the ports
//! which the documents name are free, and whatever it starts is gone with it (`pid_namespaces(7)`).

use std::env;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use barewire_tests::harness::{Folder, TIMEOUT, binaries, heed_signals, without_foreign_variables};

use crate::pattern::matches;

/// Does what it is told over its standard input, each to the NUL byte behind it, and says how it ended. The
/// commands have none.
const LOOP: &str = r#"
ip link set lo up
exec 3<&0 </dev/null 2>&1
# On a busy machine an answer may take longer than the second that it waits by default.
udp-client() { command udp-client --timeout 20s "$@"; }
while IFS= read -r -u 3 -d '' command; do
    eval "$command" 3<&-
    printf '\036%d\n' $?
done
"#;

/// For who has no `nc`: sends what comes from standard input, and shows what comes back until the end.
const NC: &str = r"#!/usr/bin/env python3
import shutil, socket, sys
host, port = sys.argv[-2:]
with socket.create_connection((host, int(port))) as peer, peer.makefile('rb') as received:
    peer.sendall(sys.stdin.buffer.read())
    shutil.copyfileobj(received, sys.stdout.buffer)
";

/// A running shell.
pub(crate) struct Shell {
    child: Child,
    commands: ChildStdin,
    said: Receiver<String>,
    /// What was said that nobody has expected yet.
    unexpected: Vec<String>,
    transcript: Vec<String>,
    folder: Folder,
}

impl Shell {
    pub(crate) fn new() -> Self {
        let folder = Folder::new().with_folder("bin").with_folder("home");
        let programs = binaries::path_of("file-client");
        let programs = programs.parent().expect("a folder").to_owned();
        if !is_installed("nc") {
            let stand_in = folder.path("bin/nc");
            fs::write(&stand_in, NC).expect("a file");
            fs::set_permissions(stand_in, Permissions::from_mode(0o755)).expect("it is ours");
        }
        let path = format!("{}:{}:{}", programs.display(), folder.path("bin").display(), path());
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"]);
        command.args(["bash", "-c", LOOP]).current_dir(folder.path("home"));
        heed_signals(&mut command);
        without_foreign_variables(&mut command).env("PATH", path).env("TMPDIR", folder.arg());
        // A program of Python says at once what it says, as it does to a person.
        command.env("PYTHONUNBUFFERED", "1");
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.expect("unshare(1)");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, said) = mpsc::channel();
        thread::spawn(move || {
            for line in output.split(b'\n').map_while(Result::ok) {
                // Whoever listened may be gone.
                let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
            }
        });
        let commands = child.stdin.take().expect("a pipe");
        let (unexpected, transcript) = Default::default();
        Self { child, commands, said, unexpected, transcript, folder }
    }

    /// Writes a file where it runs its commands.
    pub(crate) fn write(&self, name: &str, text: &str) {
        self.folder.write(&format!("home/{name}"), text);
    }

    /// Has it do `command`, and waits until it has said all of `expected`. A command that ends in `&` goes on
    /// meanwhile; another must end, with the exit code 0. A line `…` stands for any others.
    #[track_caller]
    pub(crate) fn run(&mut self, command: &str, expected: &[String]) {
        self.transcript.push(format!("$ {command}"));
        let told = self.commands.write_all(format!("{command}\0").as_bytes());
        told.unwrap_or_else(|e| panic!("{e}\n{}", self.shown()));
        let mut missing: Vec<&String> = expected.iter().filter(|line| *line != "…").collect();
        let is_shortened = missing.len() < expected.len();
        let mut has_ended = false;
        let deadline = Instant::now() + TIMEOUT;
        while !has_ended || !missing.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.said.recv_timeout(left) else {
                panic!("{command}: {missing:?} did not come, or no end\n{}", self.shown());
            };
            if let Some(code) = line.strip_prefix('\x1e') {
                has_ended = true;
                assert_eq!(code, "0", "{command}\n{}", self.shown());
            } else {
                self.transcript.push(line.clone());
                match missing.iter().position(|expected| matches(expected, &line)) {
                    Some(at) => drop(missing.remove(at)),
                    None if is_shortened => {}
                    // Said to root at its start, whom it takes itself for in here.
                    None if line.contains("-server: running as root (") => {}
                    None => self.unexpected.push(line),
                }
            }
        }
    }

    /// What nobody has expected so far.
    pub(crate) fn unexpected(&self) -> &[String] {
        &self.unexpected
    }

    /// All that was done and said.
    pub(crate) fn shown(&self) -> String {
        self.transcript.join("\n")
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Both fail only if it is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn path() -> String {
    env::var("PATH").unwrap_or_default()
}

fn is_installed(name: &str) -> bool {
    env::split_paths(&path()).any(|folder| folder.join(name).is_file())
}
