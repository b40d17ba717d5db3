//! What a program says: results on standard output, everything else on standard error.
//!
//! Results are text for people, or with `--json` one object a line. Both are collected, and written
//! when the executor has given everybody their turn, in one system call. All text that a peer chose
//! must be given as [`Printable`], which makes it safe to show; the types see to that.

mod contents;

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::sync::{Arc, OnceLock};

use core::task::Poll;

use anstyle::{AnsiColor, Style};
use barewire_core::datagram::Datagram;
use barewire_core::printable::{Printable, printable};
use barewire_core::time::Duration;
use barewire_linux::executor::{Context, Task};
use barewire_linux::signals::Caught;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll, ppoll};
use nix::sys::signal::SigSet;
use nix::sys::time::TimeSpec;
use serde::{Serialize, Serializer};

use crate::chatted::{Notice, Said};
use crate::failure::words;
use crate::fetched::{Downloaded, Listed};
use crate::served::Served;
use crate::summary::Summary;

/// Collected output is written at this size even before the turn is over.
const FULL: usize = 64 * 1024;

/// So much can be written to a pipe that has room without waiting (`PIPE_BUF`, `pipe(7)`), with what
/// the standard library may have kept of an unfinished line.
const PART: usize = 2048;

/// How long a reader may take before it is asked whether the program is to end.
const PATIENCE: TimeSpec = TimeSpec::new(0, 500_000_000);

pub(crate) const ADDRESS: Style = AnsiColor::Cyan.on_default();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// How results are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

/// One thing to tell on standard output.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Record<'a> {
    /// A server is ready.
    Listening { address: SocketAddr },
    /// A peer said something.
    Received(Received<'a>),
    /// A server has answered a request for a file.
    Served(Served<'a>),
    /// A file is there, whole.
    Downloaded(Downloaded<'a>),
    /// A folder has this entry.
    Entry(Listed<'a>),
    /// Somebody said something in a chat.
    Line(Said<'a>),
    /// A notice of a chat.
    Notice(Notice<fmt::Arguments<'a>>),
    /// Somebody has joined a chat.
    Joined { nick: &'a str },
    /// Somebody has left a chat, and why if it was not its own will.
    Left {
        nick: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    /// Many exchanges are over.
    Summary(Summary),
    /// Something failed; for the reader of JSON, who sees no standard error.
    Error { message: &'a str },
}

/// What a peer said.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Received<'a> {
    from: SocketAddr,
    #[serde(serialize_with = "as_shown")]
    text: Printable<'a>,
    #[serde(flatten)]
    datagram: Option<Size>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Size {
    /// The true length.
    bytes: usize,
    truncated: bool,
}

impl<'a> Received<'a> {
    /// A text from a stream.
    pub(crate) fn text(from: SocketAddr, text: Printable<'a>) -> Self {
        Self { from, text, datagram: None }
    }

    /// A datagram.
    pub(crate) fn datagram(datagram: &Datagram<'a>) -> Self {
        let size = Size { bytes: datagram.length, truncated: datagram.is_truncated() };
        Self { from: datagram.source, text: datagram.printable(), datagram: Some(size) }
    }
}

pub(crate) fn seconds_of(span: Duration) -> f64 {
    std::time::Duration::from(span).as_secs_f64()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde passes it")]
pub(crate) fn in_seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(seconds_of(*span))
}

pub(crate) fn as_shown<S: Serializer>(
    text: &Printable<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(text)
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { address } => {
                write!(f, "listening on {ADDRESS}{address}{ADDRESS:#}")
            }
            Self::Received(Received { from, text, datagram }) => {
                write!(f, "{ADDRESS}{from}{ADDRESS:#}: {text}")?;
                match datagram {
                    Some(Size { bytes, truncated: true }) => {
                        write!(f, " [truncated: the datagram has {bytes} bytes]")
                    }
                    _ => Ok(()),
                }
            }
            Self::Served(served) => served.fmt(f),
            Self::Downloaded(downloaded) => downloaded.fmt(f),
            Self::Entry(entry) => entry.fmt(f),
            Self::Line(said) => said.fmt(f),
            Self::Notice(notice) => notice.fmt(f),
            Self::Joined { nick } => write!(f, "* {nick} joined"),
            Self::Left { nick, reason: None } => write!(f, "* {nick} left"),
            Self::Left { nick, reason: Some(reason) } => write!(f, "* {nick} left ({reason})"),
            Self::Summary(summary) => summary.fmt(f),
            Self::Error { message } => f.write_str(message),
        }
    }
}

/// Where a program's words go.
#[derive(Debug)]
pub(crate) struct Output {
    program: &'static str,
    format: Format,
    quiet: bool,
    pending: String,
    /// There was a heading.
    has_head: bool,
    /// Why results were lost; one for all threads.
    lost: Arc<OnceLock<String>>,
    /// Tells of a signal that was caught, once they are.
    caught: Option<Caught>,
}

impl Output {
    pub(crate) fn new(program: &'static str, format: Format, quiet: bool) -> Self {
        Self {
            program,
            format,
            quiet,
            pending: String::new(),
            has_head: false,
            lost: Arc::default(),
            caught: None,
        }
    }

    /// A further output of the same program, for another thread.
    pub(crate) fn another(&self) -> Self {
        let lost = Arc::clone(&self.lost);
        Self { pending: String::new(), lost, caught: self.caught.clone(), ..*self }
    }

    /// From now on signals are caught, and `caught` tells.
    pub(crate) fn heed(&mut self, caught: Caught) {
        self.caught = Some(caught);
    }

    /// Whether it is read by programs.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether nothing is to be said but results and errors; on a server, nothing of what peers say.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Collects how a server answered, unless that is not to be shown.
    pub(crate) fn served(&mut self, served: Served<'_>) {
        if !self.quiet {
            self.show(Record::Served(served));
        }
    }

    /// Whether something was collected and not written yet.
    pub(crate) fn has_news(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Collects one record, in JSON or as text.
    pub(crate) fn show(&mut self, record: Record<'_>) {
        match self.format {
            Format::Json => {
                let line = serde_json::to_string(&record);
                self.pending.push_str(&line.expect("records have string keys only"));
                self.pending.push('\n');
            }
            // A person reads errors on standard error.
            Format::Text if matches!(record, Record::Error { .. }) => {}
            Format::Text => {
                // Writing to a string cannot fail.
                let _ = writeln!(self.pending, "{record}");
            }
        }
        if self.pending.len() >= FULL {
            self.flush();
        }
    }

    /// Writes what was collected.
    ///
    /// A reader who has gone away wants no more of it, which is no error of the conversation: so a
    /// script can take a server's first line with `head -1`. Any other failure loses results, and
    /// [`lost`](Self::lost) tells.
    pub(crate) fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let mut stdout = anstream::stdout().lock();
        let mut written = Ok(());
        for part in self.pending.as_bytes().chunks(PART) {
            let write = |()| stdout.write_all(part).and_then(|()| stdout.flush());
            written = written.and_then(|()| self.wait_for_reader()).and_then(write);
        }
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let message = || format!("cannot write to standard output: {}", words(&error));
                self.lost.get_or_init(message);
            }
            _ => {}
        }
        self.pending.clear();
    }

    /// Waits until standard output takes more. A reader who has stalled must not keep the program
    /// from being ended: signals that are otherwise caught are let through here, and one that was
    /// caught before ends the wait.
    fn wait_for_reader(&self) -> io::Result<()> {
        let stdout = io::stdout();
        let mut fds = [PollFd::new(stdout.as_fd(), PollFlags::POLLOUT)];
        if poll(&mut fds, PollTimeout::ZERO)? > 0 {
            return Ok(());
        }
        loop {
            match ppoll(&mut fds, Some(PATIENCE), Some(SigSet::empty())) {
                Ok(0) if self.caught.as_ref().and_then(Caught::number).is_some() => {
                    return Err(io::Error::other("nobody reads it"));
                }
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Why results were lost, if any were.
    pub(crate) fn lost(&self) -> Option<&str> {
        self.lost.get().map(String::as_str)
    }

    /// Notes that one client of a server failed, which is no failure of the server's.
    pub(crate) fn client_failed(&mut self, message: &str) {
        log::info!("{message}");
        if !self.quiet {
            self.show(Record::Error { message });
        }
    }

    /// Says at once that the program failed, whatever `-q` says. An argument may be part of the
    /// message, and hold anything.
    pub(crate) fn error(&mut self, message: &str) {
        let message = &printable(message.as_bytes()).to_string();
        self.show(Record::Error { message });
        self.flush();
        // There is nobody left to tell if standard error fails.
        let _ = writeln!(anstream::stderr(), "{}: {ERROR}error:{ERROR:#} {message}", self.program);
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.flush();
    }
}

/// The task that writes what the others have collected, after them in the round in which they wake
/// it: so a crowd that speaks at once costs one system call.
#[derive(Debug)]
pub(crate) struct Printer;

impl<W: AsMut<Output>> Task<W> for Printer {
    fn turn(&mut self, world: &mut W, cx: &mut Context<'_, W>) -> Poll<()> {
        cx.set_background();
        world.as_mut().flush();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

    fn json(record: Record<'_>) -> String {
        serde_json::to_string(&record).unwrap()
    }

    #[test]
    fn records_in_json_have_the_documented_names() {
        assert_eq!(
            json(Record::Listening { address: PEER }),
            r#"{"event":"listening","address":"127.0.0.1:5000"}"#
        );
        let datagram = Datagram { source: PEER, bytes: b"he\x1b", length: 5 };
        assert_eq!(
            json(Record::Received(Received::datagram(&datagram))),
            r#"{"event":"received","from":"127.0.0.1:5000","text":"he\\x1b","bytes":5,"truncated":true}"#
        );
        let text = Received::text(PEER, printable(b"hi"));
        assert_eq!(
            json(Record::Received(text)),
            r#"{"event":"received","from":"127.0.0.1:5000","text":"hi"}"#
        );
        assert_eq!(json(Record::Error { message: "no" }), r#"{"event":"error","message":"no"}"#);
        assert!(
            json(Record::Summary(Summary::default())).starts_with(r#"{"event":"summary","sent":0"#)
        );
    }

    #[test]
    fn a_truncated_datagram_is_never_passed_off_as_whole() {
        let datagram = Datagram { source: PEER, bytes: b"hello", length: 9 };
        let shown = Record::Received(Received::datagram(&datagram)).to_string();
        assert!(shown.ends_with("hello [truncated: the datagram has 9 bytes]"), "{shown}");
    }
}
