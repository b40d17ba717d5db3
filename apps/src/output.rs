//! What a program says: results on standard output, everything else on standard error.
//!
//! Results are text for people, or with `--json` one object a line. Both are collected, and written
//! when the executor has given everybody their turn, in one system call. All text that a peer chose
//! must be given as `Printable`, which makes it safe to show; the types see to that.

pub(crate) mod events;
mod raw;
mod record;
pub(crate) mod standard_error;
pub(crate) mod writable;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Arc, OnceLock};

use core::task::Poll;

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use barewire_core::printable::printable;
use barewire_core::time::{Duration, Instant};
use barewire_linux::executor::{Context, Task};

use crate::cli::failure::words;
use crate::output::events::file_server::Served;

pub(crate) use record::{ADDRESS, Received, Record, as_shown, in_seconds, seconds_of};
use writable::{PART, has_room, wait, wait_a_while};

/// Collected output is written at this size even before the turn is over.
const FULL: usize = 64 * 1024;

/// So much is kept for a reader who is slow, while a server serves on. What comes then is left out.
const BACKLOG: usize = 1 << 20;

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// How results are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
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
    /// It is a server's: nobody waits for who reads it.
    serves: bool,
    /// How many records were left out.
    missing: u64,
    /// Why results were lost; one for all threads.
    lost: Arc<OnceLock<String>>,
}

impl Output {
    pub(crate) fn new(program: &'static str, format: Format, quiet: bool) -> Self {
        Self {
            program,
            format,
            quiet,
            pending: String::new(),
            has_head: false,
            serves: false,
            missing: 0,
            lost: Arc::default(),
        }
    }

    /// A further output of the same program, for another thread.
    pub(crate) fn another(&self) -> Self {
        Self { pending: String::new(), missing: 0, lost: Arc::clone(&self.lost), ..*self }
    }

    /// Whether it is read by programs.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// From now on nobody waits for who reads this: others are to be served.
    pub(crate) fn serve(&mut self) {
        self.serves = true;
        standard_error::serve();
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
        if self.serves {
            if self.pending.len() >= BACKLOG {
                self.missing += 1;
                return;
            }
            self.tell_missing();
        }
        self.collect(record);
        if self.pending.len() >= FULL {
            self.flush();
        }
    }

    /// Tells how much was left out before.
    fn tell_missing(&mut self) {
        if self.missing > 0 {
            let count = core::mem::take(&mut self.missing);
            let message = standard_error::missing(count);
            log::warn!("{message}");
            self.collect(Record::Error { message: &message });
        }
    }

    fn collect(&mut self, record: Record<'_>) {
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
        let has_room = if self.serves {
            || has_room(&io::stdout())
        } else {
            || wait(&io::stdout()).map(|()| true)
        };
        if let Err(error) = self.write(has_room) {
            self.lose(&error);
        }
    }

    /// When to flush again, if not all could be written.
    pub(crate) fn next(&self, now: Instant) -> Option<Instant> {
        (!self.pending.is_empty()).then(|| now + AGAIN)
    }

    /// Writes what is left, at the end of the program.
    pub(crate) fn finish(&mut self) {
        self.tell_missing();
        let serves = self.serves;
        let has_room = || match wait_a_while(&io::stdout())? {
            false if serves => Err(io::Error::other("nobody reads it")),
            false => wait(&io::stdout()).map(|()| true),
            true => Ok(true),
        };
        if let Err(error) = self.write(has_room) {
            self.lose(&error);
        }
    }

    fn lose(&mut self, error: &io::Error) {
        if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::Interrupted) {
            let message = format!("cannot write to standard output: {}", words(error));
            if self.serves && self.lost.get().is_none() {
                log::warn!("{message}; serving goes on");
            }
            self.lost.get_or_init(|| message);
        }
        self.pending.clear();
    }

    /// Writes as long as `has_room` finds that standard output takes more.
    fn write(&mut self, has_room: impl Fn() -> io::Result<bool>) -> io::Result<()> {
        let mut stdout = anstream::stdout().lock();
        let mut written = 0;
        let mut result = Ok(());
        while let rest = &self.pending[written..]
            && !rest.is_empty()
        {
            let part = &rest[..rest.floor_char_boundary(PART)];
            let wrote = has_room().and_then(|has_room| {
                if has_room {
                    stdout.write_all(part.as_bytes()).and_then(|()| stdout.flush())?;
                }
                Ok(has_room)
            });
            match wrote {
                Ok(true) => written += part.len(),
                Ok(false) => break,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        self.pending.drain(..written);
        result
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
        let mut line = AutoStream::new(Vec::new(), AutoStream::choice(&io::stderr()));
        // Writing to memory cannot fail.
        let _ = writeln!(line, "{}: {ERROR}error:{ERROR:#} {message}", self.program);
        standard_error::say(&line.into_inner());
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.finish();
    }
}

/// How soon a reader is looked after again who did not take all.
const AGAIN: Duration = Duration::from_millis(100);

/// The task that writes what the others have collected, after them in the round in which they wake
/// it: so a crowd that speaks at once costs one system call.
#[derive(Debug)]
pub(crate) struct Printer;

impl<W: AsMut<Output>> Task<W> for Printer {
    fn turn(&mut self, world: &mut W, cx: &mut Context<'_, W>) -> Poll<()> {
        cx.set_background();
        let output = world.as_mut();
        output.flush();
        cx.set_deadline(output.next(cx.now()));
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::events::summary::Summary;
    use barewire_core::datagram::Datagram;
    use std::net::{Ipv4Addr, SocketAddr};

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
