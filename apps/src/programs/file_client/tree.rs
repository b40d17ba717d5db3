//! Folders that are downloaded with all that is in them.

use std::rc::Rc;

use barewire_core::file::{Entry, EntryKind, entries};

use crate::output::system_error::describe;

use super::listing_sink::ListingSink;
use super::names::join;
use super::target::{TargetFolder, TargetPath};
use super::transfer::Transfer;

/// What is still to be asked for of a folder whose listing is there. It becomes transfers one by one,
/// so that a long listing costs little more than its length.
#[derive(Debug)]
pub(super) struct Walk {
    name: String,
    target: Rc<TargetFolder>,
    listing: Vec<u8>,
    read: usize,
    /// How many transfers are still to come.
    pub(super) left: usize,
    /// How many files the listing has.
    pub(super) files: u64,
    /// How many links to folders it has, which are not followed.
    pub(super) links: u64,
}

impl Walk {
    /// Makes the folder that the server calls `name`.
    pub(super) fn begin(
        name: String,
        listing: ListingSink,
        target: &TargetPath,
    ) -> Result<Self, String> {
        let entries = listing.entries().map_err(|error| error.to_string())?;
        let target = target.open_folder().map_err(|error| {
            let (path, why) = (target.path(), describe(&error));
            format!("cannot make the folder {}: {why}", path.display())
        })?;
        let (mut left, mut files, mut links) = (0, 0, 0);
        for Entry { name, kind, .. } in entries {
            if kind == EntryKind::LinkToDirectory {
                links += 1;
                continue;
            }
            target.folder.expect(name.as_bytes());
            left += 1;
            files += u64::from(kind == EntryKind::File);
        }
        Ok(Self { name, target, listing: listing.into_lines(), read: 0, left, files, links })
    }

    /// How many bytes of memory the listing takes.
    pub(super) fn room(&self) -> u64 {
        self.listing.len() as u64
    }
}

impl Iterator for Walk {
    type Item = Transfer;

    fn next(&mut self) -> Option<Transfer> {
        self.left = self.left.checked_sub(1)?;
        let mut rest = entries(self.listing.get(self.read..)?);
        let is_followed = |entry: &Entry<'_>| entry.kind != EntryKind::LinkToDirectory;
        let Entry { size, name, kind, .. } = rest.by_ref().flatten().find(is_followed)?;
        self.read = self.listing.len() - rest.rest().len();
        let path = join(&self.name, name);
        let target = TargetPath::new(Rc::clone(&self.target), name.as_bytes());
        Some(if kind == EntryKind::Directory {
            Transfer::tree(path, target, false)
        } else {
            Transfer::file(path, target, Some(size))
        })
    }
}
