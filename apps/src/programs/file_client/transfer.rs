//! One thing to ask the server for, and what is done with the answer.

use std::rc::Rc;

use barewire_core::file::{Operation, Request};

use super::file_sink::{FileSink, TargetFolder};
use super::listing_sink::ListingSink;
use super::report::Reporter;
use super::settings::Settings;
use super::sink::{Abort, Incoming, Sink};
use super::stdout_sink::StdoutSink;
use super::tree::{Child, Place, Walk};

#[derive(Debug)]
pub(super) struct Transfer {
    /// As the server knows it.
    pub(super) name: String,
    destination: Destination,
    /// An answer to it has begun on this connection.
    has_begun: bool,
    /// The farthest that was ever held.
    reached: u64,
}

#[derive(Debug)]
enum Destination {
    File(FileSink),
    Stdout(StdoutSink),
    /// The entries of a folder, shown; `headed` if there are several to show.
    Screen {
        listing: ListingSink,
        headed: bool,
    },
    /// The entries of a folder, all of them downloaded.
    Tree {
        listing: ListingSink,
        place: Place,
    },
}

/// What is still to be done for a transfer that is complete.
#[derive(Debug)]
pub(super) enum Completed {
    Nothing,
    /// The file, of this name, is to be [given its own](FileSink::complete).
    File(String, FileSink),
    /// What is in the folder is to be asked for.
    Folder(Walk),
}

impl Transfer {
    fn new(name: String, destination: Destination) -> Self {
        Self { name, destination, has_begun: false, reached: 0 }
    }

    pub(super) fn file(name: String, target: Rc<TargetFolder>, leaf: Vec<u8>) -> Self {
        target.folder.expect(&leaf);
        Self::new(name, Destination::File(FileSink::new(target, leaf, None)))
    }

    pub(super) fn stdout(name: String) -> Self {
        Self::new(name, Destination::Stdout(StdoutSink::default()))
    }

    pub(super) fn screen(name: String, headed: bool) -> Self {
        Self::new(name, Destination::Screen { listing: ListingSink::default(), headed })
    }

    /// A folder that the user named.
    pub(super) fn tree(name: String, parent: Rc<TargetFolder>, leaf: Option<String>) -> Self {
        if let Some(leaf) = &leaf {
            parent.folder.expect(leaf.as_bytes());
        }
        Self::folder(name, Place::new(parent, leaf, true))
    }

    fn folder(name: String, place: Place) -> Self {
        Self::new(name, Destination::Tree { listing: ListingSink::default(), place })
    }

    /// The same name as that of a file, if the user may have meant one.
    pub(super) fn as_file(&self) -> Option<Self> {
        let Destination::Tree { place, .. } = &self.destination else { return None };
        let (target, leaf) = place.as_file()?;
        Some(Self::file(self.name.clone(), target, leaf))
    }

    pub(super) fn sink(&self) -> &dyn Sink {
        match &self.destination {
            Destination::File(sink) => sink,
            Destination::Stdout(sink) => sink,
            Destination::Screen { listing, .. } | Destination::Tree { listing, .. } => listing,
        }
    }

    fn sink_mut(&mut self) -> &mut dyn Sink {
        match &mut self.destination {
            Destination::File(sink) => sink,
            Destination::Stdout(sink) => sink,
            Destination::Screen { listing, .. } | Destination::Tree { listing, .. } => listing,
        }
    }

    /// The name for messages.
    pub(super) fn shown(&self) -> &str {
        shown(&self.name)
    }

    /// Whether more is to be done once it is complete.
    pub(super) fn may_grow(&self) -> bool {
        matches!(self.destination, Destination::Tree { .. })
    }

    pub(super) fn is_listing(&self) -> bool {
        matches!(self.destination, Destination::Screen { .. } | Destination::Tree { .. })
    }

    /// How many files it stands for.
    pub(super) fn files(&self) -> u64 {
        u64::from(!self.is_listing())
    }

    /// Makes it ready to be asked for; false if it need not be, as it is there already.
    pub(super) fn prepare(&mut self, settings: &Settings) -> Result<bool, String> {
        self.sink_mut().prepare(settings)
    }

    pub(super) fn request(&self, settings: &Settings) -> Request<'_> {
        let name = self.name.as_bytes();
        if self.is_listing() {
            return Request::list(name);
        }
        let (offset, tag) = self.sink().held();
        Request { operation: Operation::Get, name, offset, tag, verify: settings.verify }
    }

    /// The server is about to send it. Of a listing, `room` can be taken.
    pub(super) fn begin(
        &mut self,
        incoming: &Incoming,
        room: u64,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), Abort> {
        self.has_begun = true;
        if !self.is_listing() {
            reporter.progress.begin(self.shown(), incoming.offset, incoming.size);
        }
        let name = self.name.clone();
        self.sink_mut().begin(shown(&name), incoming, room, reporter)
    }

    /// Tells whether more is held than ever before.
    pub(super) fn write(
        &mut self,
        bytes: &[u8],
        reporter: &mut Reporter<'_>,
    ) -> Result<bool, Abort> {
        if !self.has_begun {
            // The plain form has no headers.
            self.begin(&Incoming::default(), 0, reporter)?;
        }
        if !self.is_listing() {
            reporter.progress.advance(bytes.len());
        }
        self.sink_mut().write(bytes, reporter)?;
        Ok(self.is_farther())
    }

    /// Tells whether more is held than ever before.
    pub(super) fn verified(
        &mut self,
        end: u64,
        reporter: &mut Reporter<'_>,
    ) -> Result<bool, Abort> {
        self.sink_mut().verified(end, reporter)?;
        Ok(self.is_farther())
    }

    fn is_farther(&mut self) -> bool {
        let (before, (held, _)) = (self.reached, self.sink().held());
        self.reached = before.max(held);
        held > before
    }

    /// The connection is gone.
    pub(super) fn settle(&mut self) {
        self.has_begun = false;
        self.sink_mut().settle();
    }

    /// All of it is there.
    pub(super) fn complete(self, reporter: &mut Reporter<'_>) -> Completed {
        let name = shown(&self.name);
        let result = match self.destination {
            Destination::File(sink) => return Completed::File(self.name, sink),
            Destination::Stdout(sink) => {
                sink.complete(name, reporter);
                Ok(Completed::Nothing)
            }
            Destination::Screen { listing, headed } => listing
                .show(headed.then_some(name), reporter)
                .map(|()| Completed::Nothing)
                .map_err(|error| error.to_string()),
            Destination::Tree { mut listing, place } => {
                place.open(&self.name, &mut listing).map(Completed::Folder)
            }
        };
        result.unwrap_or_else(|why| {
            reporter.fail(&format!("{name}: {why}"));
            Completed::Nothing
        })
    }
}

/// What a listing tells of. The folder that it is in expects it already.
impl From<Child> for Transfer {
    fn from(Child { name, target, leaf, size }: Child) -> Self {
        match size {
            None => Self::folder(name, Place::new(target, Some(leaf), false)),
            Some(_) => {
                Self::new(name, Destination::File(FileSink::new(target, leaf.into_bytes(), size)))
            }
        }
    }
}

/// The root has no name.
fn shown(name: &str) -> &str {
    if name.is_empty() { "." } else { name }
}
