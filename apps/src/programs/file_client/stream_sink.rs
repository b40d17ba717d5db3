//! A file whose contents go to a stream.

use std::fmt;
use std::io::ErrorKind;
use std::mem;
use std::ops::Range;
use std::time::Instant;

use barewire_core::file::Digest;
use barewire_core::printable::printable;

use crate::output::events::file_client::Downloaded;
use crate::output::peer_text::{Shown, shown};

use super::comparison::HeldComparison;
use super::expectations::hex;
use super::limits::Allowance;
use super::report::Reporter;
use super::root::RootHash;
use super::settings::Settings;
use super::sink::{Abort, Incoming, Next, Readiness, Sink, Wanted};
use super::stream::Stream;

/// Contents on their way to a stream. Those that can be proven are held back until they are: one
/// segment at most.
#[derive(Debug, Default)]
pub(super) struct StreamSink {
    target: Stream,
    expected: Option<Digest>,
    /// Not proven yet.
    segment: Vec<u8>,
    incoming: Incoming,
    /// How many bytes are written for certain; if an error was met, perhaps more are.
    written: u64,
    /// The segments of that, if all of it is proven.
    proven: Vec<(Range<u64>, Digest)>,
    /// Under way: digests come of what is written, and no contents.
    comparison: Option<HeldComparison>,
    /// What was written before the connection began has been compared.
    is_compared: bool,
    is_half_written: bool,
    verified: bool,
    root: RootHash,
    begun: Option<Instant>,
}

impl StreamSink {
    pub(super) fn new(target: Stream) -> Self {
        Self { target, ..Self::default() }
    }

    fn pass_on(&mut self, bytes: &[u8]) -> Result<(), Abort> {
        self.is_half_written = true;
        self.target.output.write(bytes).map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => self.without_reader(),
            ErrorKind::Interrupted => Abort::Interrupted,
            _ => Abort::GiveUp(self.target.explain(&error)),
        })?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Who reads standard output may have had enough of it (`head(1)`), unless it is to be known that
    /// all of it is right.
    fn without_reader(&self) -> Abort {
        if self.target.is_stdout() && self.expected.is_none() {
            return Abort::ReaderGone;
        }
        let compared = self.expected.map_or("", |_| ", so its hash was not compared");
        let name = self.target.name();
        Abort::GiveUp(format!("cannot write to {name}: nobody reads it any more{compared}"))
    }

    /// All of `name` is written. On standard output the result has no place among the contents.
    pub(super) fn complete(&self, name: &str, reporter: &mut Reporter<'_>) {
        let hash = self.root.finish();
        if let Some(expected) = self.expected.filter(|expected| *expected != hash) {
            let (name, is, expected) = (shown(name.as_bytes()), hex(&hash), hex(&expected));
            return reporter.fail(&format!(
                "{name}: what was written has the hash {is}, but {expected} is expected: do not use it"
            ));
        }
        let done = Downloaded {
            name: printable(name.as_bytes()),
            path: printable(self.target.path()),
            bytes: self.written,
            resumed_from: 0,
            verified: self.verified,
            expected: self.expected.is_some(),
            hash: reporter.is_detailed().then(|| hex(&hash)),
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
    fn prepare(
        &mut self,
        name: &str,
        settings: &Settings,
        _allowance: &Allowance,
        _reporter: &Reporter<'_>,
    ) -> Result<Readiness, String> {
        self.expected = settings.expectations.of(name)?;
        if !self.proven.is_empty() && !self.is_compared && self.comparison.is_none() {
            self.comparison = Some(HeldComparison::new(self.proven.clone()));
        }
        Ok(Readiness::Ready)
    }

    fn wanted(&self) -> Wanted {
        let ((offset, tag), all) = (self.held(), self.incoming.size);
        match &self.comparison {
            Some(comparison) => Wanted::Digests { length: comparison.length() },
            None if all == Some(offset) => Wanted::Contents { offset: 0, length: Some(0), tag },
            None => Wanted::Contents { offset, length: None, tag },
        }
    }

    fn held(&self) -> (u64, u64) {
        (self.written, if self.written > 0 { self.incoming.tag } else { 0 })
    }

    fn begin(&mut self, name: Shown<'_>, incoming: &Incoming, _room: u64) -> Result<(), Abort> {
        if self.comparison.is_some() {
            (self.incoming.tag, self.incoming.size) = (incoming.tag, incoming.size);
            return Ok(());
        }
        let is_rest = incoming.offset == self.written
            || incoming.length == Some(0) && incoming.size == Some(self.written);
        // Without a tag there is no telling versions apart.
        let goes_on = is_rest && incoming.tag != 0 && incoming.tag == self.held().1;
        if self.written > 0 && !goes_on {
            return Err(changed(&name));
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
        if self.expected.is_some() {
            self.root.contents(bytes);
        }
        self.pass_on(bytes)
    }

    fn verified(
        &mut self,
        segment: Range<u64>,
        digest: &Digest,
        _reporter: &mut Reporter<'_>,
    ) -> Result<(), Abort> {
        let mut bytes = mem::take(&mut self.segment);
        self.pass_on(&bytes)?;
        self.root.segment(digest);
        self.proven.push((segment, *digest));
        bytes.clear();
        self.segment = bytes;
        Ok(())
    }

    fn digest(&mut self, segment: Range<u64>, digest: &Digest) -> Result<(), Abort> {
        if let Some(comparison) = &mut self.comparison {
            comparison.take(segment, digest);
        }
        Ok(())
    }

    fn completed(&mut self) -> Result<Next, Abort> {
        let Some(comparison) = self.comparison.take() else { return Ok(Next::Done) };
        if !comparison.finish().is_empty() {
            return Err(changed(&self.target.name()));
        }
        self.is_compared = true;
        Ok(if self.incoming.size == Some(self.written) { Next::Done } else { Next::More })
    }

    fn settle(&mut self) {
        (self.comparison, self.is_compared) = (None, false);
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

fn changed(name: &impl fmt::Display) -> Abort {
    Abort::GiveUp(format!(
        "{name}: it has changed meanwhile, so what was written cannot be continued"
    ))
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
