//! A file whose contents go to a stream: standard output, a FIFO, a device.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal as _};
use std::ops::Range;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use barewire_core::file::Digest;
use barewire_core::printable::printable;
use barewire_linux::files::open_stream;
use barewire_linux::standard_output;

use crate::output::events::file_client::Downloaded;
use crate::output::peer_text::Shown;
use crate::output::raw::RawOutput;
use crate::output::system_error::describe;

use super::report::Reporter;
use super::sink::{Abort, Incoming, Sink};

/// Contents on their way to a stream. Those that can be proven are held back until they are: one
/// segment at most.
#[derive(Debug, Default)]
pub(super) struct StreamSink {
    target: Stream,
    /// Not proven yet.
    segment: Vec<u8>,
    incoming: Incoming,
    /// How many bytes are written for certain; if an error was met, perhaps more are.
    written: u64,
    is_half_written: bool,
    verified: bool,
    begun: Option<Instant>,
}

/// Where they go. By default that is standard output.
#[derive(Debug, Default)]
pub(super) struct Stream {
    output: RawOutput,
    /// As the user named it, unless it is standard output.
    path: Option<PathBuf>,
}

impl Stream {
    /// What stands at `path`, if it is to be written to and never replaced, as [`open_stream`] says.
    ///
    /// # Errors
    /// Those of `open(2)`.
    pub(super) fn find(path: &Path) -> io::Result<Option<Self>> {
        let Some(stream) = open_stream(path)? else { return Ok(None) };
        let identity = |file: &File| file.metadata().map(|it| (it.dev(), it.ino()));
        let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        // What is written to two descriptors of a device but a terminal does not get mixed up.
        let may_mix = stdout.is_terminal() || !stdout.metadata()?.file_type().is_char_device();
        if may_mix && identity(&stdout)? == identity(&stream)? {
            return Ok(Some(Self::stdout()));
        }
        Ok(Some(Self { output: RawOutput::new(stream), path: Some(path.to_owned()) }))
    }

    pub(super) fn stdout() -> Self {
        Self::default()
    }

    /// The same, if anything can be written to it.
    ///
    /// # Errors
    /// One that says that it is closed.
    pub(super) fn checked(self) -> io::Result<Self> {
        self.is_stdout().then(standard_output::check).transpose().map(|_| self)
    }

    pub(super) fn is_stdout(&self) -> bool {
        self.path.is_none()
    }

    fn path(&self) -> &[u8] {
        self.path.as_ref().map_or(b"-", |path| path.as_os_str().as_encoded_bytes())
    }

    fn explain(&self, error: &io::Error) -> String {
        let name = match &self.path {
            Some(path) => path.display().to_string(),
            None => "standard output".to_owned(),
        };
        format!("cannot write to {name}: {}", describe(error))
    }
}

impl StreamSink {
    pub(super) fn new(target: Stream) -> Self {
        Self { target, ..Self::default() }
    }

    fn pass_on(&mut self, bytes: &[u8]) -> Result<(), Abort> {
        self.is_half_written = true;
        self.target.output.write(bytes).map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Abort::ReaderGone,
            ErrorKind::Interrupted => Abort::Interrupted,
            _ => Abort::GiveUp(self.target.explain(&error)),
        })?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// All of `name` is written. On standard output the result has no place among the contents.
    pub(super) fn complete(&self, name: &str, reporter: &mut Reporter<'_>) {
        let done = Downloaded {
            name: printable(name.as_bytes()),
            path: printable(self.target.path()),
            bytes: self.written,
            resumed_from: 0,
            verified: self.verified,
            seconds: self.begun.map_or_else(Default::default, |begun| begun.elapsed().into()),
        };
        if self.target.is_stdout() {
            reporter.log(log::Level::Info, &done.to_string());
        } else {
            reporter.complete(&done);
        }
    }
}

impl Sink for StreamSink {
    fn held(&self) -> (u64, u64) {
        (self.written, if self.written > 0 { self.incoming.tag } else { 0 })
    }

    fn begin(&mut self, name: Shown<'_>, incoming: &Incoming, _room: u64) -> Result<(), Abort> {
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

    fn write(&mut self, bytes: &[u8], _reporter: &mut Reporter<'_>) -> Result<(), Abort> {
        if self.incoming.verified {
            self.segment.extend_from_slice(bytes);
            return Ok(());
        }
        self.pass_on(bytes)
    }

    fn verified(
        &mut self,
        _segment: Range<u64>,
        _digest: &Digest,
        _reporter: &mut Reporter<'_>,
    ) -> Result<(), Abort> {
        let mut segment = std::mem::take(&mut self.segment);
        self.pass_on(&segment)?;
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
    use crate::output::peer_text::shown;

    #[test]
    fn what_is_written_is_gone_on_with_in_the_same_version_only() {
        for (first, second, goes_on) in [(7, 7, true), (7, 8, false), (0, 0, false)] {
            let incoming = |tag| Incoming {
                offset: 3,
                size: Some(5),
                tag,
                verified: true,
                ..Incoming::default()
            };
            let mut sink =
                StreamSink { written: 3, incoming: incoming(first), ..StreamSink::default() };
            let begun = sink.begin(shown(b"x"), &incoming(second), 0);
            assert_eq!(begun.is_ok(), goes_on, "{first} {second}");
            // What was written before is not proven by what comes now.
            assert!(!sink.verified);
        }
    }
}
