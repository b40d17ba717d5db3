//! Standard output: events are collected, and written when the executor has given everybody their
//! turn, in one system call. On a server nobody waits for who reads it: others are to be served.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::mem;
use std::sync::{Arc, OnceLock};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use barewire_core::printable::printable;
use barewire_linux::lossy_writer::LossyWriter;
use barewire_linux::standard_streams;
use serde::Serialize;

use super::ending::patience;
use super::format::Format;
use super::standard_error::{self, omitted_message};
use super::stdout_sink::{ErrorEvent, StdoutSink, write_failed};
use super::writable::{CHUNK, has_stalled, wait_briefly, wait_until_writable};

/// Collected events are written at this size even before the turn is over.
const FLUSH_SIZE: usize = 64 * 1024;

/// So much is queued for a reader who is slow, while a server serves on. What comes then is left out.
const QUEUE: usize = 1 << 20;

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Prints a program's results, and why it failed.
#[derive(Debug)]
pub(crate) struct Printer {
    program: &'static str,
    format: Format,
    quiet: bool,
    pending: String,
    has_heading: bool,
    /// On a server; one for all threads.
    lossy: Option<LossyWriter<StdoutSink>>,
    /// Before they are queued: so what is queued is what is written, byte for byte.
    strips_colors: bool,
    /// Why results were lost; one for all threads.
    write_error: Arc<OnceLock<String>>,
}

impl Printer {
    pub(crate) fn new(program: &'static str, format: Format, quiet: bool) -> Self {
        Self {
            program,
            format,
            quiet,
            pending: String::new(),
            has_heading: false,
            lossy: None,
            strips_colors: false,
            write_error: Arc::default(),
        }
    }

    /// A further one of the same program, for another thread.
    pub(crate) fn for_thread(&self) -> Self {
        let (lossy, write_error) = (self.lossy.clone(), Arc::clone(&self.write_error));
        Self { pending: String::new(), lossy, write_error, ..*self }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// From now on nobody waits for who reads this: others are to be served.
    pub(crate) fn set_lossy(&mut self) {
        let sink = StdoutSink::new(self.format, Arc::clone(&self.write_error));
        self.lossy = Some(LossyWriter::new(sink, QUEUE));
        // JSON has none.
        self.strips_colors =
            !self.is_json() && AutoStream::choice(&io::stdout()) == ColorChoice::Never;
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

    /// Writes what was collected.
    ///
    /// A reader who has gone away wants no more of it, which is no error of the conversation: so a
    /// script can take a server's first line with `head -1`. Any other failure loses results, and
    /// [`write_error`](Self::write_error) tells.
    pub(crate) fn flush(&mut self) {
        self.flush_or(|| wait_until_writable(&io::stdout()));
    }

    /// Writes what is left, at the end of the program.
    pub(crate) fn finish(&mut self) {
        self.flush_or(|| {
            let is_writable = wait_briefly(&io::stdout())?;
            if is_writable { Ok(()) } else { wait_until_writable(&io::stdout()) }
        });
        let Some(writer) = &self.lossy else { return };
        // As while it served: it tells, and it has served.
        let lost = writer.finish(patience(|| has_stalled(&io::stdout())));
        if lost > 0 {
            log::warn!("{}", omitted_message(lost));
        }
    }

    /// Hands what was collected to who writes it, or if nobody does writes it here.
    fn flush_or(&mut self, wait_for_room: impl Fn() -> io::Result<()>) {
        match &self.lossy {
            _ if self.pending.is_empty() => return,
            Some(writer) if self.strips_colors => {
                writer.write(strip_str(&self.pending).to_string().as_bytes());
            }
            Some(writer) => writer.write(self.pending.as_bytes()),
            None => self.write(wait_for_room),
        }
        self.pending.clear();
    }

    /// Writes what is collected, a piece whenever `wait_for_room` has found room for it.
    fn write(&self, wait_for_room: impl Fn() -> io::Result<()>) {
        let mut stdout = anstream::stdout().lock();
        let mut rest = self.pending.as_str();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(rest.floor_char_boundary(CHUNK));
            let wrote = standard_streams::check_output()
                .and_then(|()| wait_for_room())
                .and_then(|()| stdout.write_all(chunk.as_bytes()))
                .and_then(|()| stdout.flush());
            if let Err(error) = wrote {
                if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::Interrupted) {
                    self.write_error.get_or_init(|| write_failed(&error));
                }
                break;
            }
            rest = after;
        }
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
        // What is left of one thread of a server waits with that of the others.
        self.flush_or(|| wait_until_writable(&io::stdout()));
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
