//! Standard output: events are collected, and written when the executor has given everybody their
//! turn, in one system call.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::mem;
use std::sync::{Arc, OnceLock};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use barewire_core::printable::printable;
use barewire_core::time::{Duration, Instant};
use barewire_linux::standard_output;
use serde::Serialize;

use super::format::Format;
use super::standard_error::{self, omitted_message};
use super::system_error::describe;
use super::writable::{CHUNK, is_writable, wait_briefly, wait_until_writable};

/// Collected events are written at this size even before the turn is over.
const FLUSH_SIZE: usize = 64 * 1024;

/// So much is kept for a reader who is slow, while a server serves on. What comes then is left out.
const MAX_PENDING: usize = 1 << 20;

/// How soon a reader is looked after again who did not take all.
const RETRY_DELAY: Duration = Duration::from_millis(100);

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Prints a program's results, and why it failed.
#[derive(Debug)]
pub(crate) struct Printer {
    program: &'static str,
    format: Format,
    quiet: bool,
    pending: String,
    has_heading: bool,
    /// It is a server's: nobody waits for who reads it.
    lossy: bool,
    /// How many events were left out.
    omitted: u64,
    /// Why results were lost; one for all threads.
    write_error: Arc<OnceLock<String>>,
}

/// Something failed; for the reader of JSON, who sees no standard error.
#[derive(Serialize)]
#[serde(tag = "event", rename = "error")]
struct ErrorEvent<'a> {
    message: &'a str,
}

impl fmt::Display for ErrorEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl Printer {
    pub(crate) fn new(program: &'static str, format: Format, quiet: bool) -> Self {
        Self {
            program,
            format,
            quiet,
            pending: String::new(),
            has_heading: false,
            lossy: false,
            omitted: 0,
            write_error: Arc::default(),
        }
    }

    /// A further one of the same program, for another thread.
    pub(crate) fn for_thread(&self) -> Self {
        let write_error = Arc::clone(&self.write_error);
        Self { pending: String::new(), omitted: 0, write_error, ..*self }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// From now on nobody waits for who reads this: others are to be served.
    pub(crate) fn set_lossy(&mut self) {
        self.lossy = true;
        standard_error::set_lossy();
    }

    /// Whether nothing is to be said but results and errors; on a server, nothing of what peers say.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether something was collected and not written yet.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Collects one event, in JSON or as text.
    pub(crate) fn show(&mut self, event: &(impl Serialize + fmt::Display)) {
        if self.lossy {
            if self.pending.len() >= MAX_PENDING {
                self.omitted += 1;
                return;
            }
            self.report_omitted();
        }
        self.format.append(&mut self.pending, event);
        if self.pending.len() >= FLUSH_SIZE {
            self.flush();
        }
    }

    pub(crate) fn show_unless_quiet(&mut self, event: &(impl Serialize + fmt::Display)) {
        if !self.quiet {
            self.show(event);
        }
    }

    /// Collects an error for the reader of JSON. A person reads errors on standard error.
    pub(crate) fn show_error(&mut self, message: &str) {
        if self.is_json() {
            self.show(&ErrorEvent { message });
        }
    }

    /// A heading between results, for people; in JSON each event says itself what it belongs to.
    pub(crate) fn heading(&mut self, heading: impl fmt::Display) {
        if self.format == Format::Text {
            let gap = if mem::replace(&mut self.has_heading, true) { "\n" } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(self.pending, "{gap}{heading}:");
        }
    }

    /// Tells how much was left out before.
    fn report_omitted(&mut self) {
        let count = mem::take(&mut self.omitted);
        if count > 0 {
            let message = &omitted_message(count);
            log::warn!("{message}");
            if self.is_json() {
                self.format.append(&mut self.pending, &ErrorEvent { message });
            }
        }
    }

    /// Writes what was collected.
    ///
    /// A reader who has gone away wants no more of it, which is no error of the conversation: so a
    /// script can take a server's first line with `head -1`. Any other failure loses results, and
    /// [`write_error`](Self::write_error) tells.
    pub(crate) fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let is_writable = if self.lossy {
            || is_writable(&io::stdout())
        } else {
            || wait_until_writable(&io::stdout()).map(|()| true)
        };
        if let Err(error) = self.write(is_writable) {
            self.discard(&error);
        }
    }

    /// When to flush again, if not all could be written.
    pub(crate) fn poll_deadline(&self, now: Instant) -> Option<Instant> {
        self.has_pending().then(|| now + RETRY_DELAY)
    }

    /// Writes what is left, at the end of the program.
    pub(crate) fn finish(&mut self) {
        self.report_omitted();
        let lossy = self.lossy;
        let is_writable = || match wait_briefly(&io::stdout())? {
            false if lossy => Err(io::Error::other("the reader has stalled")),
            false => wait_until_writable(&io::stdout()).map(|()| true),
            true => Ok(true),
        };
        if let Err(error) = self.write(is_writable) {
            self.discard(&error);
        }
    }

    fn discard(&mut self, error: &io::Error) {
        if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::Interrupted) {
            let message = format!("cannot write to standard output: {}", describe(error));
            if self.lossy && self.write_error.get().is_none() {
                log::warn!("{message}; the server continues");
            }
            self.write_error.get_or_init(|| message);
        }
        self.pending.clear();
    }

    /// Writes as long as `is_writable` finds that standard output takes more.
    fn write(&mut self, is_writable: impl Fn() -> io::Result<bool>) -> io::Result<()> {
        let mut stdout = anstream::stdout().lock();
        let mut written = 0;
        let mut result = Ok(());
        while let rest = &self.pending[written..]
            && !rest.is_empty()
        {
            let chunk = &rest[..rest.floor_char_boundary(CHUNK)];
            let wrote =
                standard_output::check().and_then(|()| is_writable()).and_then(|is_writable| {
                    if is_writable {
                        stdout.write_all(chunk.as_bytes()).and_then(|()| stdout.flush())?;
                    }
                    Ok(is_writable)
                });
            match wrote {
                Ok(true) => written += chunk.len(),
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
    pub(crate) fn write_error(&self) -> Option<&str> {
        self.write_error.get().map(String::as_str)
    }

    /// Notes that one client of a server failed, which is no failure of the server's.
    pub(crate) fn client_failed(&mut self, message: &str) {
        log::info!("{message}");
        if !self.quiet {
            self.show_error(message);
        }
    }

    /// Says at once that the program failed, whatever `-q` says. An argument may be part of the
    /// message, and hold anything.
    pub(crate) fn error(&mut self, message: &str) {
        let message = &printable(message.as_bytes()).to_string();
        self.show_error(message);
        self.flush();
        let mut line = AutoStream::new(Vec::new(), AutoStream::choice(&io::stderr()));
        // Writing to memory cannot fail.
        let _ = writeln!(line, "{}: {ERROR}error:{ERROR:#} {message}", self.program);
        standard_error::write(&line.into_inner());
    }

    /// What was collected, in place of writing it.
    #[cfg(test)]
    pub(crate) fn take(&mut self) -> String {
        mem::take(&mut self.pending)
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_to_the_reader_of_json_alone() {
        let mut printer = Printer::new("test", Format::Json, false);
        printer.show_error("no");
        assert_eq!(printer.take(), "{\"event\":\"error\",\"message\":\"no\"}\n");
        let mut printer = Printer::new("test", Format::Text, false);
        printer.show_error("no");
        assert_eq!(printer.take(), "");
    }
}
