//! One thing to ask the server for, and what is done with the answer.

use barewire_core::file::{ReceiverEvent, Request};
use indicatif::HumanBytes;
use log::Level;

use crate::output::peer_text::{self, Shown};

use super::file_sink::FileSink;
use super::limits::Allowance;
use super::listing_sink::ListingSink;
use super::names::TreePath;
use super::report::Reporter;
use super::settings::Settings;
use super::sink::{Abort, Incoming, Next, Readiness, Sink, Wanted};
use super::stream::Stream;
use super::stream_sink::StreamSink;
use super::target::{ListedFile, TargetPath};

#[derive(Debug)]
pub(super) struct Transfer {
    /// As the server knows it.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// An answer to it has begun on this connection.
    has_begun: bool,
    /// The farthest that was ever held.
    reached: u64,
}

/// What is asked for, and where it goes.
#[derive(Debug)]
pub(super) enum Kind {
    File(FileSink),
    Stream(StreamSink),
    /// The entries of a folder, shown; under a heading if that is set.
    Screen(ListingSink, bool),
    /// The entries of the folder at this path, all of them downloaded.
    Tree {
        listing: ListingSink,
        target: TargetPath,
        path: TreePath,
    },
}

impl Kind {
    fn sink_mut(&mut self) -> &mut dyn Sink {
        match self {
            Self::File(sink) => sink,
            Self::Stream(sink) => sink,
            Self::Screen(sink, _) | Self::Tree { listing: sink, .. } => sink,
        }
    }
}

impl Transfer {
    fn new(name: String, kind: Kind) -> Self {
        Self { name, kind, has_begun: false, reached: 0 }
    }

    /// A file, of which a listing has told, perhaps.
    pub(super) fn file(name: String, target: TargetPath, listed: Option<ListedFile>) -> Self {
        Self::new(name, Kind::File(FileSink::new(target, listed)))
    }

    pub(super) fn stream(name: String, target: Stream) -> Self {
        Self::new(name, Kind::Stream(StreamSink::new(target)))
    }

    pub(super) fn screen(name: String, headed: bool) -> Self {
        Self::new(name, Kind::Screen(ListingSink::default(), headed))
    }

    /// A folder; if the user has named it, a file may be meant.
    pub(super) fn tree(path: TreePath, target: TargetPath) -> Self {
        let name = path.as_str().to_owned();
        Self::new(name, Kind::Tree { listing: ListingSink::default(), target, path })
    }

    /// The file, if it is one that goes into a folder, and its name.
    pub(super) fn into_file(self) -> Option<(String, FileSink)> {
        match self.kind {
            Kind::File(sink) => Some((self.name, sink)),
            _ => None,
        }
    }

    /// The same name as that of a file, if one may be meant.
    pub(super) fn as_file(&self) -> Option<Self> {
        let Kind::Tree { target, path, .. } = &self.kind else { return None };
        let may_be = path.is_top() && !target.leaf.is_empty();
        let sink = || FileSink::new(target.clone(), None).updated();
        may_be.then(|| Self::new(self.name.clone(), Kind::File(sink())))
    }

    pub(super) fn sink_mut(&mut self) -> &mut dyn Sink {
        self.kind.sink_mut()
    }

    pub(super) fn sink(&self) -> &dyn Sink {
        match &self.kind {
            Kind::File(sink) => sink,
            Kind::Stream(sink) => sink,
            Kind::Screen(sink, _) | Kind::Tree { listing: sink, .. } => sink,
        }
    }

    /// The name for messages.
    pub(super) fn shown(&self) -> Shown<'_> {
        shown(&self.name)
    }

    /// Whether more is to be done once it is complete.
    pub(super) fn may_grow(&self) -> bool {
        let is_part = !matches!(self.sink().wanted(), Wanted::Contents { length: None, .. });
        matches!(self.kind, Kind::Tree { .. }) || is_part
    }

    pub(super) fn is_listing(&self) -> bool {
        matches!(self.kind, Kind::Screen(..) | Kind::Tree { .. })
    }

    /// How many files it stands for.
    pub(super) fn files(&self) -> u64 {
        u64::from(!self.is_listing())
    }

    /// How long a listing says that the file is, in bytes.
    pub(super) fn listed_size(&self) -> u64 {
        match &self.kind {
            Kind::File(sink) => sink.listed_size(),
            _ => 0,
        }
    }

    pub(super) fn request(&self, settings: &Settings) -> Request<'_> {
        let name = self.name.as_bytes();
        if self.is_listing() {
            return Request::list(name);
        }
        let all = Request::TO_END;
        match self.sink().wanted() {
            Wanted::Digests { length } => Request::hashes(name).with_length(length.unwrap_or(all)),
            Wanted::Contents { offset, length, tag } => Request::get(name)
                .with_offset(offset)
                .with_length(length.unwrap_or(all))
                .with_tag(tag)
                .with_verify(!settings.no_verify),
        }
    }

    /// Whether digests are asked for, to compare what is here with, and no contents.
    fn is_comparing(&self) -> bool {
        matches!(self.sink().wanted(), Wanted::Digests { .. })
    }

    /// Makes it ready to be asked for, or more nearly so.
    pub(super) fn prepare(
        &mut self,
        settings: &Settings,
        allowance: &Allowance,
        reporter: &Reporter<'_>,
    ) -> Result<Readiness, String> {
        self.kind.sink_mut().prepare(&self.name, settings, allowance, reporter)
    }

    /// The answer is complete.
    pub(super) fn completed(&mut self, reporter: &Reporter<'_>) -> Result<Next, Abort> {
        self.has_begun = false;
        let (before, _) = self.sink().held();
        let next = self.sink_mut().completed()?;
        let differing = before.saturating_sub(self.sink().held().0);
        if differing > 0 {
            let (name, differing) = (self.shown(), HumanBytes(differing));
            let message =
                format!("{name}: {differing} of what is there differ from what the server has");
            reporter.log(Level::Debug, &message);
        }
        Ok(next)
    }

    /// Takes what the server sends of it, and tells whether more is held than ever before. Of memory for
    /// listings, `room` bytes are free.
    pub(super) fn take(
        &mut self,
        event: ReceiverEvent<'_>,
        room: u64,
        allowance: &mut Allowance,
        reporter: &mut Reporter<'_>,
    ) -> Result<bool, Abort> {
        match event {
            ReceiverEvent::Response(header) => {
                if !self.is_listing() && !self.is_comparing() {
                    let room = allowance.check(header.length);
                    room.map_err(|why| self.skip(&why))?;
                }
                self.begin(&header.into(), room, reporter)?;
            }
            ReceiverEvent::Contents(bytes) => {
                if !self.has_begun {
                    // The plain form has no headers.
                    self.begin(&Incoming::default(), room, reporter)?;
                }
                if !self.is_listing() {
                    allowance.take(bytes.len()).map_err(|why| self.skip(&why))?;
                    reporter.advance(bytes.len());
                }
                self.sink_mut().write(bytes, reporter)?;
            }
            ReceiverEvent::Verified { start, end, digest } => {
                self.sink_mut().verified(start..end, &digest, reporter)?;
            }
            ReceiverEvent::Digest { start, end, digest } => {
                self.sink_mut().digest(start..end, &digest)?;
            }
            _ => {}
        }
        let ((held, _), before) = (self.sink().held(), self.reached);
        self.reached = before.max(held);
        Ok(held > before)
    }

    fn skip(&self, why: &str) -> Abort {
        Abort::Skip(format!("{}: {why}", self.shown()))
    }

    fn begin(
        &mut self,
        incoming: &Incoming,
        room: u64,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), Abort> {
        self.has_begun = true;
        let (name, (held, version)) = (shown(&self.name), self.sink().held());
        // From an earlier run, perhaps.
        self.reached = self.reached.max(held);
        if !self.is_comparing() && held > 0 && version != incoming.tag {
            let message = "is another version than the part that is there: it starts from 0";
            reporter.log(Level::Debug, &format!("{name} {message}"));
        }
        if !self.is_listing() && !self.is_comparing() {
            reporter.begin(&self.name, incoming.offset, incoming.size);
        }
        self.kind.sink_mut().begin(name, incoming, room)
    }

    /// The connection is gone.
    pub(super) fn settle(&mut self) {
        self.has_begun = false;
        self.sink_mut().settle();
    }
}

/// What a name is called. The root has none.
pub(super) fn called(name: &str) -> &str {
    if name.is_empty() { "." } else { name }
}

/// A name for messages.
pub(super) fn shown(name: &str) -> Shown<'_> {
    peer_text::shown(called(name).as_bytes())
}
