//! Folders that are downloaded with all that is in them.

use std::rc::Rc;

use barewire_core::file::{Entry, entries};

use crate::output::system_error::describe;

use super::file_sink::TargetFolder;
use super::listing_sink::ListingSink;
use super::names::join;

/// Where a folder goes that is asked for.
#[derive(Debug)]
pub(super) struct Place {
    parent: Rc<TargetFolder>,
    /// Its name there; without one it is the parent itself.
    leaf: Option<String>,
    /// The user named it, and may have meant a file.
    by_user: bool,
}

impl Place {
    pub(super) fn new(parent: Rc<TargetFolder>, leaf: Option<String>, by_user: bool) -> Self {
        Self { parent, leaf, by_user }
    }

    /// Where it would be as a file, if the user may have meant one.
    pub(super) fn as_file(&self) -> Option<(Rc<TargetFolder>, Vec<u8>)> {
        let leaf = self.leaf.as_ref().filter(|_| self.by_user)?;
        Some((Rc::clone(&self.parent), leaf.clone().into_bytes()))
    }

    /// Makes the folder, which the server calls `name`, once its listing is there.
    pub(super) fn open(&self, name: &str, listing: &mut ListingSink) -> Result<Walk, String> {
        let totals = listing.check().map_err(|error| error.to_string())?;
        let target = match &self.leaf {
            None => Rc::clone(&self.parent),
            Some(leaf) => Rc::new(self.parent.sub(leaf).map_err(|error| {
                let path = self.parent.path.join(leaf);
                format!("cannot make the folder {}: {}", path.display(), describe(&error))
            })?),
        };
        let listing = listing.take();
        for entry in entries(&listing).flatten() {
            target.folder.expect(entry.name.as_bytes());
        }
        let (left, files) = (totals.entries, totals.files);
        Ok(Walk { name: name.to_owned(), target, listing, read: 0, left, files })
    }
}

/// Something in a folder that is walked through.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: String,
    pub(super) target: Rc<TargetFolder>,
    pub(super) leaf: String,
    /// That of a file; a folder has none.
    pub(super) size: Option<u64>,
}

/// What is still to be asked for of a folder whose listing is there: one by one, so that a long
/// listing costs little more than its length.
#[derive(Debug)]
pub(super) struct Walk {
    name: String,
    target: Rc<TargetFolder>,
    listing: Vec<u8>,
    read: usize,
    left: usize,
    /// How many files the listing has.
    pub(super) files: u64,
}

impl Walk {
    /// How many are still to come.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// How many bytes of memory the listing takes.
    pub(super) fn room(&self) -> u64 {
        self.listing.len() as u64
    }
}

impl Iterator for Walk {
    type Item = Child;

    fn next(&mut self) -> Option<Child> {
        self.left = self.left.checked_sub(1)?;
        let mut rest = entries(self.listing.get(self.read..)?);
        let Entry { size, name, is_directory, .. } = rest.next()?.ok()?;
        self.read = self.listing.len() - rest.rest().len();
        Some(Child {
            name: join(&self.name, name),
            target: Rc::clone(&self.target),
            leaf: name.to_owned(),
            size: (!is_directory).then_some(size),
        })
    }
}
