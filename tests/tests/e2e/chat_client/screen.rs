//! A terminal with a person before it, as far as the chat client needs one.

use std::fs::File;
use std::io::{Read, Write};
use std::mem;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use barewire_tests::harness::{
    Pseudoterminal, TIMEOUT, binaries, heed_signals, without_foreign_variables,
};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// The client on a terminal.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    /// Kept, so that the terminal outlives the client.
    slave: Option<File>,
    output: Receiver<Vec<u8>>,
    pub(crate) raw: Vec<u8>,
    pub(crate) bells: usize,
    /// What it makes of what it was sent. It gives each mark, and each part of an emoji, columns of its
    /// own, as some terminals do.
    emulator: avt::Terminal,
    /// The beginning of a character.
    part: Vec<u8>,
}

impl Terminal {
    /// Starts the client, whose user is `eve`, on a terminal that is wide enough for every line.
    pub(crate) fn start(at: &str, arguments: &[&str]) -> Self {
        Self::start_sized((200, 24), at, arguments)
    }

    /// As [`start`](Self::start), on a terminal of so many columns and rows.
    pub(crate) fn start_sized((columns, rows): (u16, u16), at: &str, arguments: &[&str]) -> Self {
        let Pseudoterminal { master: keyboard, slave } = Pseudoterminal::open();
        tcsetwinsize(&slave, winsize(columns, rows)).expect("a terminal");
        let end = || slave.try_clone().expect("a copy");
        let mut command = Command::new(binaries::path_of("chat-client"));
        heed_signals(&mut command);
        let child = without_foreign_variables(&mut command)
            .arg(at)
            .args(arguments)
            .envs([("TERM", "xterm"), ("USER", "eve"), ("TZ", "UTC")])
            // A job of its own, which can be stopped.
            .process_group(0)
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
        let emulator = avt::Terminal::with_scrollback(columns.into(), rows.into(), None);
        Self {
            child,
            keyboard,
            slave: Some(slave),
            output,
            raw: Vec::new(),
            bells: 0,
            emulator: emulator.expect("it has a size"),
            part: Vec::new(),
        }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes them");
    }

    /// The rows down to that of the cursor, with those that have scrolled away, as they stand there.
    pub(crate) fn plain_rows(&self) -> Vec<String> {
        let screen = self.emulator.screen();
        let mut rows: Vec<String> =
            screen.all_lines().map(|row| row.text().trim_end().to_owned()).collect();
        let below = screen.visible_lines().len() - 1 - self.cursor().1;
        rows.truncate(rows.len() - below);
        rows
    }

    /// As [`plain_rows`](Self::plain_rows), the last being the one that is typed into. The time at the
    /// start of rows is left out.
    pub(crate) fn rows(&self) -> Vec<String> {
        let untimed = |row: String| match row.as_bytes() {
            [_, _, b':', _, _, b' ', ..] => row[6..].to_owned(),
            [_, _, b':', _, _, b'!', ..] => row[5..].to_owned(),
            _ => row,
        };
        self.plain_rows().into_iter().map(untimed).collect()
    }

    /// In which column and row of the window the cursor is.
    pub(crate) fn cursor(&self) -> (usize, usize) {
        self.emulator.cursor().position().expect("nobody hides it")
    }

    /// What is left of the cursor in its row.
    pub(crate) fn left_of_cursor(&self) -> String {
        let (column, row) = self.cursor();
        let cells = self.emulator.screen().line(row).expect("it is there").cells();
        cells[..column].iter().filter(|cell| cell.width() > 0).map(avt::Cell::char).collect()
    }

    /// Gives the window another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.emulator.resize(columns.into(), rows.into());
        tcsetwinsize(self.slave(), winsize(columns, rows)).expect("a terminal");
        // The client has another controlling terminal, which has not changed.
        self.signal(Signal::SIGWINCH);
    }

    /// Waits until the rows are as `wanted`.
    #[track_caller]
    pub(crate) fn wait(&mut self, wanted: impl Fn(&[String]) -> bool) {
        while !wanted(&self.rows()) {
            let Ok(bytes) = self.output.recv_timeout(TIMEOUT) else {
                panic!("that did not come; shown is {:#?}", self.rows());
            };
            self.take(&bytes);
        }
    }

    /// Waits until the cursor is as `wanted`.
    #[track_caller]
    pub(crate) fn wait_for_cursor(&mut self, wanted: impl Fn((usize, usize)) -> bool) {
        // Each drawing ends so.
        while !(wanted(self.cursor()) && self.raw.ends_with(b"\x1b[?7h")) {
            let bytes = self.output.recv_timeout(TIMEOUT).expect("the cursor moves");
            self.take(&bytes);
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

    /// Waits until a row has `part` in it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, part: &str) {
        self.wait(|rows| rows.iter().any(|row| row.contains(part)));
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.process(), signal).expect("the process is ours and not reaped");
    }

    fn slave(&self) -> &File {
        self.slave.as_ref().expect("the test goes on")
    }

    fn process(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().expect("process ids are positive"))
    }

    /// Waits until the client has stopped, for it to go on later.
    #[track_caller]
    pub(crate) fn wait_for_stop(&self) {
        let status = waitpid(self.process(), Some(WaitPidFlag::WUNTRACED)).expect("it is ours");
        assert_eq!(status, WaitStatus::Stopped(self.process(), Signal::SIGTSTP));
        assert!(self.is_as_it_was());
    }

    /// Waits for the end with a bound. Its status is there still.
    #[track_caller]
    fn wait_until_ended(&self) {
        let (process, (sender, ended)) = (self.process(), mpsc::channel());
        thread::spawn(move || {
            let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
            while waitid(Id::Pid(process), flags) == Err(Errno::EINTR) {}
            let _ = sender.send(());
        });
        let is_over = ended.recv_timeout(TIMEOUT).is_ok();
        assert!(is_over, "it does not end; shown is {:#?}", self.rows());
    }

    /// Whether a shell finds the terminal as it left it.
    pub(crate) fn is_as_it_was(&self) -> bool {
        let modes = tcgetattr(self.slave()).expect("a terminal").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Waits for the end, checks that the terminal is as it was, and gives the exit code.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Option<i32> {
        self.wait_until_ended();
        let code = self.child.wait().expect("the child ends once").code();
        assert!(self.is_as_it_was());
        self.slave = None;
        while let Ok(bytes) = self.output.recv_timeout(TIMEOUT) {
            self.take(&bytes);
        }
        let last = |sequence: &str| {
            let mut places = self.raw.windows(sequence.len());
            places.rposition(|bytes| bytes == sequence.as_bytes())
        };
        // Marks around what is pasted, the other screen, no wrapping.
        for (on, off) in [("?2004h", "?2004l"), ("?1049h", "?1049l"), ("?7l", "?7h")] {
            assert!(last(on) <= last(off), "{on} was not undone");
        }
        code
    }

    /// Shows what was sent.
    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        self.part.extend_from_slice(bytes);
        let whole = match str::from_utf8(&self.part) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.part.split_off(whole);
        let text = mem::replace(&mut self.part, rest);
        let text = str::from_utf8(&text).expect("so much is valid");
        self.bells += text.matches('\x07').count();
        for part in text.split_inclusive("\x1b[6n") {
            self.emulator.feed(part);
            if part.ends_with("\x1b[6n") {
                let (column, row) = self.cursor();
                let column = (column + 1).min(self.emulator.size().0);
                self.press(&format!("\x1b[{};{column}R", row + 1));
            }
        }
    }
}

fn winsize(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both fail only if it is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
