//! A file that goes to standard output.

use std::io::ErrorKind;
use std::time::Instant;

use barewire_core::printable::printable;

use crate::output::events::file_client::Downloaded;
use crate::output::system_error::describe;

use super::report::Reporter;
use super::sink::{Abort, Incoming, Sink};

/// Contents on their way to standard output. Those that can be proven are held back until they are:
/// one segment at most.
#[derive(Debug, Default)]
pub(super) struct StdoutSink {
    /// Not proven yet.
    segment: Vec<u8>,
    incoming: Incoming,
    /// How many bytes are written for certain; if an error was met, perhaps more are.
    written: u64,
    is_half_written: bool,
    verified: bool,
    begun: Option<Instant>,
}

impl StdoutSink {
    fn pass_on(&mut self, bytes: &[u8], reporter: &mut Reporter<'_>) -> Result<(), Abort> {
        self.is_half_written = true;
        reporter.output.write_raw(bytes).map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Abort::ReaderGone,
            ErrorKind::Interrupted => Abort::Interrupted,
            _ => Abort::GiveUp(format!("cannot write to standard output: {}", describe(&error))),
        })?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// All of `name` is written. The result has no place among the contents.
    pub(super) fn complete(&self, name: &str, reporter: &Reporter<'_>) {
        let done = Downloaded {
            name: printable(name.as_bytes()),
            path: printable(b"-"),
            bytes: self.written,
            resumed_from: 0,
            verified: self.verified,
            seconds: self.begun.map_or_else(Default::default, |begun| begun.elapsed().into()),
        };
        reporter.log(log::Level::Info, &done.to_string());
    }
}

impl Sink for StdoutSink {
    fn held(&self) -> (u64, u64) {
        (self.written, if self.written > 0 { self.incoming.tag } else { 0 })
    }

    fn begin(&mut self, name: &str, incoming: &Incoming, _room: u64) -> Result<(), Abort> {
        // Without a tag there is no telling versions apart.
        let goes_on = incoming.tag != 0 && (incoming.offset, incoming.tag) == self.held();
        if self.written > 0 && !goes_on {
            return Err(Abort::GiveUp(format!(
                "{name}: it has changed meanwhile, so what was written cannot be gone on with"
            )));
        }
        self.begun.get_or_insert_with(Instant::now);
        self.segment.clear();
        self.verified = incoming.is_proven() && (self.written == 0 || self.verified);
        self.incoming = *incoming;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], reporter: &mut Reporter<'_>) -> Result<(), Abort> {
        if self.incoming.verified {
            self.segment.extend_from_slice(bytes);
            return Ok(());
        }
        self.pass_on(bytes, reporter)
    }

    fn verified(&mut self, _end: u64, reporter: &mut Reporter<'_>) -> Result<(), Abort> {
        let mut segment = std::mem::take(&mut self.segment);
        self.pass_on(&segment, reporter)?;
        segment.clear();
        self.segment = segment;
        Ok(())
    }

    fn kept(&self) -> String {
        let kept = if self.is_half_written {
            "what was written is not the whole of it"
        } else {
            "nothing was written"
        };
        kept.to_owned()
    }

    fn is_half_written(&self) -> bool {
        self.is_half_written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_gone_on_with_in_the_same_version_only() {
        for (first, second, goes_on) in [(7, 7, true), (7, 8, false), (0, 0, false)] {
            let incoming = |tag| Incoming { offset: 3, size: Some(5), tag, verified: true };
            let mut sink =
                StdoutSink { written: 3, incoming: incoming(first), ..StdoutSink::default() };
            let begun = sink.begin("x", &incoming(second), 0);
            assert_eq!(begun.is_ok(), goes_on, "{first} {second}");
            // What was written before is not proven by what comes now.
            assert!(!sink.verified);
        }
    }
}
