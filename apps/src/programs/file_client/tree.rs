//! Folders that are downloaded with all that is in them.

use std::rc::Rc;

use barewire_core::file::{Entry, entries};

use crate::output::system_error::describe;

use super::file_sink::Target;
use super::listing_sink::Listing;
use super::names::join;
use super::transfer::Job;

/// A folder that is asked for.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) listing: Listing,
    /// Where the folder is to be.
    parent: Rc<Target>,
    /// Its name there; without one it is the parent itself.
    leaf: Option<String>,
    /// The user named it, and may have meant a file.
    by_user: bool,
}

impl Tree {
    pub(super) fn new(parent: Rc<Target>, leaf: Option<String>, by_user: bool) -> Self {
        Self { listing: Listing::default(), parent, leaf, by_user }
    }

    /// Where it would be as a file, if the user named it and may have meant one.
    pub(super) fn as_file(&self) -> Option<(Rc<Target>, Vec<u8>)> {
        let leaf = self.leaf.as_ref().filter(|_| self.by_user)?;
        Some((Rc::clone(&self.parent), leaf.clone().into_bytes()))
    }

    /// Makes the folder, which the server calls `name`, once its listing is there.
    pub(super) fn grow(&mut self, name: &str) -> Result<Branch, String> {
        let whole = self.listing.check().map_err(|error| error.to_string())?;
        let target = match &self.leaf {
            None => Rc::clone(&self.parent),
            Some(leaf) => Rc::new(self.parent.sub(leaf).map_err(|error| {
                let path = self.parent.path.join(leaf);
                format!("cannot make the folder {}: {}", path.display(), describe(&error))
            })?),
        };
        let listing = self.listing.take();
        for entry in entries(&listing).flatten() {
            target.folder.expect(entry.name.as_bytes());
        }
        let left = whole.entries;
        Ok(Branch { name: name.to_owned(), target, listing, read: 0, left, files: whole.files })
    }
}

/// What is still to be asked for of a folder whose listing is there. It becomes jobs one by one, so
/// that a long listing costs little more than its length.
#[derive(Debug)]
pub(super) struct Branch {
    name: String,
    target: Rc<Target>,
    listing: Vec<u8>,
    read: usize,
    left: usize,
    /// How many files the listing has.
    pub(super) files: u64,
}

impl Branch {
    /// How many jobs it still has.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// How many bytes it takes.
    pub(super) fn size(&self) -> u64 {
        self.listing.len() as u64
    }

    /// The next job.
    pub(super) fn next(&mut self) -> Option<Job> {
        self.left = self.left.checked_sub(1)?;
        let mut rest = entries(self.listing.get(self.read..)?);
        let Entry { size, name, is_directory, .. } = rest.next()?.ok()?;
        self.read = self.listing.len() - rest.rest().len();
        let (path, target) = (join(&self.name, name), Rc::clone(&self.target));
        Some(if is_directory {
            Job::subtree(path, target, name.to_owned())
        } else {
            Job::listed(path, target, name.as_bytes().to_vec(), size)
        })
    }
}
