//! A running process.

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::capture::{self, Note, Stream};
use super::faults::FaultInjector;
use super::{Finished, TIMEOUT, printable};

/// A process that is to be started.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) command: Command,
    pub(super) about: About,
    /// The master side of the terminal that standard error is, if it is one.
    pub(super) terminal: Option<File>,
    /// After how many lines standard output is closed by its reader.
    pub(super) most_lines: Option<usize>,
    /// Who decides what becomes of its system calls.
    pub(super) injector: Option<FaultInjector>,
}

/// What is told of a process in a failure, and what it may say.
#[derive(Debug)]
pub(super) struct About {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    /// It was asked for more diagnostics, which may hold error numbers.
    pub(super) verbose: bool,
    /// It was asked for colours, or speaks to a terminal, and may send escape sequences.
    pub(super) coloured: bool,
}

/// A running process. Dropping it kills it; a test that fails meanwhile shows what it had said.
#[derive(Debug)]
pub struct Program {
    about: About,
    child: Child,
    notes: Receiver<Note>,
    output: Spoken,
    error: Spoken,
    ended: bool,
    /// A panic has already shown what was said.
    told: bool,
}

/// What was said on one stream so far.
#[derive(Debug, Default)]
struct Spoken {
    bytes: Vec<u8>,
    /// The lines that no `line…` call has taken yet.
    unread: Vec<String>,
    closed: bool,
}

impl Program {
    pub(super) fn start(prepared: Prepared) -> Self {
        let Prepared { mut command, about, terminal, most_lines, injector } = prepared;
        let mut child =
            command.spawn().unwrap_or_else(|e| panic!("cannot start {}: {e}", about.name));
        // It holds our copies of the child's streams, which would never seem closed.
        drop(command);
        let (sender, notes) = mpsc::channel();
        let error = terminal
            .map(|master| Box::new(master) as Box<dyn Read + Send>)
            .or_else(|| child.stderr.take().map(|pipe| Box::new(pipe) as _));
        let output = child.stdout.take();
        let program = Self {
            about,
            child,
            notes,
            output: Spoken { closed: output.is_none(), ..Spoken::default() },
            error: Spoken { closed: error.is_none(), ..Spoken::default() },
            ended: false,
            told: false,
        };
        if let Some(output) = output {
            capture::forward(Stream::Output, output, most_lines, sender.clone());
        }
        if let Some(error) = error {
            capture::forward(Stream::Error, error, None, sender.clone());
        }
        capture::watch(program.process(), sender);
        if let Some(injector) = injector {
            injector.attach(program.process());
        }
        program
    }

    /// The process's id.
    pub fn process(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().expect("process ids are positive"))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.process(), signal).expect("the process is ours and not reaped");
    }

    /// Takes the next line of standard output.
    pub fn line(&mut self) -> String {
        self.line_with("")
    }

    /// Takes the next line of standard output; none if its end comes first.
    pub fn line_or_end(&mut self) -> Option<String> {
        self.wait("a line or the end", |program| {
            let Spoken { unread, closed, .. } = &mut program.output;
            if unread.is_empty() { closed.then_some(None) } else { Some(Some(unread.remove(0))) }
        })
    }

    /// Takes the next line of standard output that contains `text`; those before it stay.
    pub fn line_with(&mut self, text: &str) -> String {
        self.take(Stream::Output, &format!("a line with {text:?}"), |line| line.contains(text))
    }

    /// Takes the next line of standard error that contains one of `texts`, in any case.
    pub fn diagnostic_with(&mut self, texts: &[&str]) -> String {
        self.take(Stream::Error, &format!("a line with one of {texts:?}"), |line| {
            let line = line.to_lowercase();
            texts.iter().any(|text| line.contains(&text.to_lowercase()))
        })
    }

    /// Takes the next JSON event called `name` from standard output; those before it stay.
    pub fn event(&mut self, name: &str) -> Value {
        let line = self.take(Stream::Output, &format!("the event {name:?}"), |line| {
            serde_json::from_str::<Value>(line).is_ok_and(|event| event["event"] == name)
        });
        serde_json::from_str(&line).expect("it parsed just now")
    }

    /// The address that a server's first line tells, in either form.
    pub fn listening(&mut self) -> SocketAddr {
        let line = self.line();
        let address = if line.starts_with('{') {
            let event: Value = serde_json::from_str(&line).expect("one JSON object a line");
            assert_eq!(event["event"], "listening", "the first line is {line:?}");
            event["address"].as_str().map(str::to_owned)
        } else {
            line.strip_prefix("listening on ").map(str::to_owned)
        };
        let address = address.and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("the first line is {line:?}"))
    }

    /// Waits until the captured part of standard output is over: its writer has closed it, or
    /// [`Launch::hang_up_after`](super::Launch::hang_up_after) has.
    pub fn output_closed(&mut self) {
        self.wait("the end of its output", |program| program.output.closed.then_some(()));
    }

    /// Waits for the end, and holds the process to what holds for all of them.
    pub fn finish(mut self) -> Finished {
        self.wait("its end", |program| {
            (program.ended && program.output.closed && program.error.closed).then_some(())
        });
        let status = self.child.wait().expect("the child ends once");
        let finished = Finished {
            title: self.title(),
            code: status.code(),
            signal: status.signal(),
            output: std::mem::take(&mut self.output.bytes),
            error: std::mem::take(&mut self.error.bytes),
        };
        // From here on the transcript is the finished process's to show.
        self.told = true;
        finished.assert_orderly(self.about.verbose, self.about.coloured);
        finished
    }

    fn take(&mut self, stream: Stream, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        self.wait(what, |program| {
            let spoken = program.spoken(stream);
            let at = spoken.unread.iter().position(|line| wanted(line))?;
            Some(spoken.unread.remove(at))
        })
    }

    /// Blocks until `ready` gives something, and panics when it no longer can or takes too long.
    fn wait<T>(&mut self, what: &str, mut ready: impl FnMut(&mut Self) -> Option<T>) -> T {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(found) = ready(self) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.notes.recv_timeout(left) {
                Ok(note) => self.record(note),
                Err(RecvTimeoutError::Timeout) => self.give_up(&format!("{what} did not come")),
                Err(RecvTimeoutError::Disconnected) => {
                    self.give_up(&format!("ended before {what}"))
                }
            }
        }
    }

    fn record(&mut self, note: Note) {
        match note {
            Note::Line(stream, line) => self.spoken(stream).add(&line),
            Note::Closed(stream) => self.spoken(stream).closed = true,
            Note::Ended => self.ended = true,
        }
    }

    fn give_up(&mut self, why: &str) -> ! {
        self.told = true;
        panic!("{}: {why}\n{}", self.about.name, self.transcript());
    }

    fn spoken(&mut self, stream: Stream) -> &mut Spoken {
        match stream {
            Stream::Output => &mut self.output,
            Stream::Error => &mut self.error,
        }
    }

    fn title(&self) -> String {
        format!("{} {}", self.about.name, self.about.arguments.join(" "))
    }

    fn transcript(&self) -> String {
        let (title, output, error) = (self.title(), &self.output.bytes, &self.error.bytes);
        let (output, error) = (printable::transcript(output), printable::transcript(error));
        format!("{title}\noutput: {output}\nerror: {error}")
    }
}

impl Spoken {
    fn add(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        self.unread.push(String::from_utf8_lossy(line).into_owned());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if thread::panicking() && !self.told {
            while let Ok(note) = self.notes.try_recv() {
                self.record(note);
            }
            eprintln!("still running: {}", self.transcript());
        }
        // Both fail only if it is already gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
