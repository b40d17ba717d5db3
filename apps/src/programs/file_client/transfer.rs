//! One thing to ask the server for, and what is done with the answer.

use std::rc::Rc;

use barewire_core::file::{Operation, Request, ResponseHeader};

use super::client::Settings;
use super::file_sink::{Saving, Target};
use super::listing_sink::Listing;
use super::queue::Stop;
use super::report::Voice;
use super::stdout_sink::Piping;
use super::tree::{Branch, Tree};

/// One thing to ask the server for.
#[derive(Debug)]
pub(super) struct Job {
    /// As the server knows it.
    pub(super) name: String,
    want: Want,
    answered: bool,
    /// How far it has ever verified.
    reached: u64,
}

#[derive(Debug)]
enum Want {
    /// The contents, into a file.
    File(Saving),
    /// The contents, to standard output.
    Pipe(Piping),
    /// The entries of a folder, shown; `headed` if there are several to show.
    Show { listing: Listing, headed: bool },
    /// The entries of a folder, all of them downloaded.
    Tree(Tree),
}

/// What is to be done with a job that is complete.
#[derive(Debug)]
pub(super) enum Next {
    Publish(Job),
    Descend(Branch),
}

impl Job {
    fn new(name: String, want: Want) -> Self {
        Self { name, want, answered: false, reached: 0 }
    }

    pub(super) fn file(name: String, target: Rc<Target>, leaf: Vec<u8>) -> Self {
        target.folder.expect(&leaf);
        Self::new(name, Want::File(Saving::new(target, leaf, None)))
    }

    /// A file of a listing, which tells its size. The folder expects it already.
    pub(super) fn listed(name: String, target: Rc<Target>, leaf: Vec<u8>, size: u64) -> Self {
        Self::new(name, Want::File(Saving::new(target, leaf, Some(size))))
    }

    pub(super) fn pipe(name: String) -> Self {
        Self::new(name, Want::Pipe(Piping::default()))
    }

    pub(super) fn show(name: String, headed: bool) -> Self {
        Self::new(name, Want::Show { listing: Listing::default(), headed })
    }

    /// A folder that the user named.
    pub(super) fn tree(name: String, parent: Rc<Target>, leaf: Option<String>) -> Self {
        if let Some(leaf) = &leaf {
            parent.folder.expect(leaf.as_bytes());
        }
        Self::new(name, Want::Tree(Tree::new(parent, leaf, true)))
    }

    /// A folder of a listing. The one that it is in expects it already.
    pub(super) fn subtree(name: String, parent: Rc<Target>, leaf: String) -> Self {
        Self::new(name, Want::Tree(Tree::new(parent, Some(leaf), false)))
    }

    /// The name for messages.
    pub(super) fn shown(&self) -> &str {
        shown(&self.name)
    }

    /// Whether more is to be done once it is complete.
    pub(super) fn may_grow(&self) -> bool {
        matches!(self.want, Want::Tree(_))
    }

    /// The same name as that of a file, if the user named it and may have meant one.
    pub(super) fn as_file(&self) -> Option<Self> {
        let Want::Tree(tree) = &self.want else { return None };
        let (target, leaf) = tree.as_file()?;
        Some(Self::file(self.name.clone(), target, leaf))
    }

    /// It is about to be asked for, perhaps again.
    pub(super) fn restart(&mut self) {
        self.answered = false;
    }

    /// The connection is gone.
    pub(super) fn pause(&mut self) {
        if let Want::File(saving) = &mut self.want {
            saving.settle();
        }
    }

    pub(super) fn is_listing(&self) -> bool {
        matches!(self.want, Want::Show { .. } | Want::Tree(_))
    }

    /// How many files it stands for.
    pub(super) fn counts(&self) -> u64 {
        u64::from(!self.is_listing())
    }

    /// How far the contents are certain, and what becomes of them if they never end.
    pub(super) fn kept(&self) -> (u64, String) {
        match &self.want {
            Want::File(saving) => (saving.held().map_or(0, |held| held.verified), saving.kept()),
            Want::Pipe(piping) if piping.has_begun() => {
                (piping.written().0, "what was written is not the whole of it".to_owned())
            }
            Want::Pipe(_) => (0, "nothing was written".to_owned()),
            Want::Show { .. } | Want::Tree(_) => (0, "try again".to_owned()),
        }
    }

    /// Whether something was written that the plain form cannot go on with.
    pub(super) fn is_half_written(&self) -> bool {
        matches!(&self.want, Want::Pipe(piping) if piping.has_begun())
    }

    /// Makes it ready to be asked for; false if it need not be, as it is there already.
    pub(super) fn prepare(&mut self, settings: &Settings) -> Result<bool, String> {
        match &mut self.want {
            Want::File(saving) => saving.prepare(settings),
            _ => Ok(true),
        }
    }

    pub(super) fn request(&self, settings: &Settings) -> Request<'_> {
        let name = self.name.as_bytes();
        let (offset, tag) = match &self.want {
            Want::File(saving) => saving.held().map_or((0, 0), |held| (held.verified, held.tag)),
            Want::Pipe(piping) => piping.written(),
            Want::Show { .. } | Want::Tree(_) => return Request::list(name),
        };
        Request { operation: Operation::Get, name, offset, tag, verify: settings.verify }
    }

    /// The server is about to send it, of `size` bytes if that is known. Of a listing, `room` can be
    /// taken.
    pub(super) fn answered(
        &mut self,
        answer: &ResponseHeader,
        size: Option<u64>,
        room: u64,
        voice: &mut Voice<'_>,
    ) -> Result<(), Stop> {
        self.answered = true;
        let name = shown(&self.name);
        match &mut self.want {
            Want::File(saving) => {
                voice.progress.begin(name, answer.offset, size);
                saving.answered(name, answer, size, voice).map_err(Stop::One)
            }
            Want::Pipe(piping) => {
                voice.progress.begin(name, answer.offset, size);
                piping.answered(name, answer, size)
            }
            Want::Show { listing, .. } | Want::Tree(Tree { listing, .. }) => {
                listing.answered(name, answer, room).map_err(Stop::One)
            }
        }
    }

    /// Tells whether that need never be asked for again, even if nothing proves it.
    pub(super) fn contents(&mut self, bytes: &[u8], voice: &mut Voice<'_>) -> Result<bool, Stop> {
        if !self.answered {
            // The plain form has no answers.
            let answer = ResponseHeader { offset: 0, size: 0, tag: 0, verified: false };
            self.answered(&answer, None, 0, voice)?;
        }
        match &mut self.want {
            Want::File(saving) => {
                voice.progress.advance(bytes.len());
                saving.write(bytes).map_err(Stop::All)?;
            }
            Want::Pipe(piping) => {
                voice.progress.advance(bytes.len());
                return piping.contents(bytes, voice);
            }
            Want::Show { listing, .. } | Want::Tree(Tree { listing, .. }) => {
                listing.contents(bytes);
            }
        }
        Ok(false)
    }

    /// Tells whether that is farther than ever before.
    pub(super) fn verified(&mut self, end: u64, voice: &mut Voice<'_>) -> Result<bool, Stop> {
        match &mut self.want {
            Want::File(saving) => saving.verified(end).map_err(Stop::All)?,
            Want::Pipe(piping) => piping.verified(voice)?,
            Want::Show { .. } | Want::Tree(_) => {}
        }
        let is_farther = end > self.reached;
        self.reached = self.reached.max(end);
        Ok(is_farther)
    }

    /// Gives the files among those that are there their names.
    pub(super) fn publish(complete: Vec<Self>, voice: &mut Voice<'_>) {
        let file = |job: Self| match job.want {
            Want::File(saving) => Some((job.name, saving)),
            _ => None,
        };
        Saving::complete(complete.into_iter().filter_map(file).collect(), voice);
    }

    /// It is there. Gives what is to be done because of that: a file is to be
    /// [published](Self::publish), a folder to be gone through.
    pub(super) fn complete(mut self, voice: &mut Voice<'_>) -> Option<Next> {
        let name = shown(&self.name);
        let done = match &mut self.want {
            Want::File(_) => return Some(Next::Publish(self)),
            Want::Pipe(piping) => {
                piping.complete(name, voice);
                Ok(())
            }
            Want::Show { listing, headed } => {
                let folder = headed.then_some(name);
                let shown = listing.show(folder, voice);
                shown.map_err(|error| format!("{name}: {error}"))
            }
            Want::Tree(tree) => match tree.grow(&self.name) {
                Ok(branch) => return Some(Next::Descend(branch)),
                Err(why) => Err(format!("{name}: {why}")),
            },
        };
        if let Err(why) = done {
            voice.fail(&why);
        }
        None
    }
}

/// The root has no name.
fn shown(name: &str) -> &str {
    if name.is_empty() { "." } else { name }
}
