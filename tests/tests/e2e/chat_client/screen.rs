//! A terminal with a person before it, as far as the chat client needs one.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use barewire_tests::harness::{Pseudoterminal, TIMEOUT, binaries};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// The client on a terminal that is wide enough for every line of these tests.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    /// Kept, so that the terminal outlives the client.
    slave: File,
    output: Receiver<Vec<u8>>,
    pub(crate) raw: Vec<u8>,
    pub(crate) bells: usize,
    rows: Vec<Vec<char>>,
    column: usize,
    /// The beginning of an escape sequence.
    part: Vec<u8>,
}

impl Terminal {
    /// Starts the client, whose user is `eve`.
    pub(crate) fn start(at: &str, arguments: &[&str]) -> Self {
        let Pseudoterminal { master: keyboard, slave } = Pseudoterminal::open();
        let size = Winsize { ws_row: 24, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&slave, size).expect("a terminal");
        let end = || slave.try_clone().expect("a copy");
        let child = Command::new(binaries::path_of("chat-client"))
            .arg(at)
            .args(arguments)
            .env_remove("NO_COLOR")
            .envs([("TERM", "xterm"), ("USER", "eve"), ("TZ", "UTC")])
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("the client starts");
        let mut source = keyboard.try_clone().expect("a copy");
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let (raw, part) = (Vec::new(), Vec::new());
        let rows = vec![Vec::new()];
        Self { child, keyboard, slave, output, raw, bells: 0, rows, column: 0, part }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes them");
    }

    /// The rows that are shown, the last being the one that is typed into. Every row starts with the
    /// time, which is left out.
    pub(crate) fn rows(&self) -> Vec<String> {
        let text = |row: &Vec<char>| row.iter().collect::<String>().trim_end().to_owned();
        let timed = |row: String| match row.as_bytes() {
            [_, _, b':', _, _, b' ', ..] => row[6..].to_owned(),
            _ => row,
        };
        self.rows.iter().map(text).map(timed).collect()
    }

    /// Waits until the rows are as `wanted`.
    #[track_caller]
    pub(crate) fn wait(&mut self, wanted: impl Fn(&[String]) -> bool) {
        while !wanted(&self.rows()) {
            let Ok(bytes) = self.output.recv_timeout(TIMEOUT) else {
                panic!("that did not come; shown is {:#?}", self.rows());
            };
            for byte in bytes {
                self.take(byte);
            }
        }
    }

    /// Waits until the last row is `line`.
    #[track_caller]
    pub(crate) fn wait_for_line(&mut self, line: &str) {
        self.wait(|rows| rows.last().is_some_and(|row| row == line));
    }

    /// Waits until a row is `line`.
    #[track_caller]
    pub(crate) fn wait_for_row(&mut self, line: &str) {
        self.wait(|rows| rows.iter().any(|row| row == line));
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.child.id().try_into().expect("process ids are positive");
        kill(Pid::from_raw(id), signal).expect("the process is ours and not reaped");
    }

    /// Waits for the end, checks that the terminal is as it was, and gives the exit code.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Option<i32> {
        let code = self.child.wait().expect("the child ends once").code();
        let modes = tcgetattr(&self.slave).expect("a terminal").local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO), "{modes:?}");
        code
    }

    /// Shows a byte, as a terminal does.
    fn take(&mut self, byte: u8) {
        self.raw.push(byte);
        let row = self.rows.last_mut().expect("there is always one");
        if !self.part.is_empty() || byte == 0x1b || byte >= 0x80 {
            self.part.push(byte);
            if let Ok(text) = str::from_utf8(&self.part)
                && !text.starts_with('\x1b')
            {
                let c = text.chars().next().expect("one character");
                row.resize((self.column + 1).max(row.len()), ' ');
                row[self.column] = c;
                self.column += 1;
                self.part.clear();
            } else if self.part.len() > 2 && (0x40..0x7f).contains(&byte) {
                let number = str::from_utf8(&self.part[2..self.part.len() - 1]).unwrap_or("");
                match byte {
                    b'J' => row.truncate(self.column),
                    b'C' => self.column += number.parse().unwrap_or(1),
                    b'm' | b'h' | b'l' => {}
                    _ => panic!("an unknown sequence: {:?}", self.part.escape_ascii().to_string()),
                }
                self.part.clear();
            }
            return;
        }
        match byte {
            b'\r' => self.column = 0,
            b'\n' => {
                self.rows.push(Vec::new());
            }
            0x07 => self.bells += 1,
            _ => {
                row.resize((self.column + 1).max(row.len()), ' ');
                row[self.column] = char::from(byte);
                self.column += 1;
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both fail only if it is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
