//! Folders that are downloaded with all that is in them.

use std::path::PathBuf;

use barewire_core::file::{Entry, EntryKind, entries};
use barewire_linux::files::NewFolder;

use super::file_error::explain_folder;
use super::limits::Allowance;
use super::listing_sink::ListingSink;
use super::names::TreePath;
use super::report::Reporter;
use super::rules::{TreeRules, Unwanted};
use super::target::{ListedFile, TargetFolder, TargetPath};
use super::transfer::Transfer;

/// What is still to be asked for of a folder whose listing is there. It becomes transfers one by one,
/// so that a long listing costs little more than its length.
#[derive(Debug)]
pub(super) struct Walk {
    path: TreePath,
    /// The folder, with an empty name; or the name that it will have where something belongs into it.
    target: TargetPath,
    /// It goes directly into a folder that the server has not named.
    is_loose: bool,
    listing: Vec<u8>,
    read: usize,
    /// How many transfers are still to come.
    pub(super) left: usize,
}

impl Walk {
    /// Makes the folder at `path`, if there may be so many files, and unless files are chosen and none of it is.
    pub(super) fn begin(
        path: TreePath,
        listing: ListingSink,
        target: &TargetPath,
        rules: &TreeRules,
        allowance: &mut Allowance,
        reporter: &mut Reporter<'_>,
    ) -> Result<Self, String> {
        let is_loose = path.is_top() && target.leaf.is_empty();
        let (mut wanted, mut files, mut bytes, mut tree) = (0_u64, 0, 0_u64, reporter.tree);
        for Entry { name, size, kind, .. } in
            listing.entries().map_err(|error| error.to_string())?
        {
            match rules.judge(path.join(name).way_from_top(), kind, is_loose) {
                Ok(()) => {
                    wanted += 1;
                    files += u64::from(kind == EntryKind::File);
                    bytes = bytes.saturating_add(size);
                }
                Err(Unwanted::Excluded) => tree.excluded += 1,
                Err(Unwanted::Hidden) => tree.hidden += 1,
                Err(Unwanted::Link) => tree.links += 1,
            }
        }
        allowance.take_files(wanted)?;
        let target = if files > 0 || !rules.chooses_files() {
            let opened = target.open_folder();
            let made = opened.map_err(|error| explain_folder(&target.shown(), &error))?;
            for Entry { name, .. } in listing.entries().into_iter().flatten() {
                made.folder.expect(name.as_bytes());
            }
            TargetPath::new(made, b"")
        } else {
            target.clone()
        };
        reporter.tree = tree;
        reporter.expect(files, bytes);
        let left = usize::try_from(wanted).unwrap_or(usize::MAX);
        Ok(Self { path, target, is_loose, listing: listing.into_lines(), read: 0, left })
    }

    /// The folder, if it was created, and its path.
    pub(super) fn new_folder(&self) -> Option<(PathBuf, NewFolder)> {
        let TargetFolder { folder, path } = &*self.target.parent;
        folder.as_new().filter(|_| self.target.leaf.is_empty()).map(|it| (path.clone(), it))
    }

    /// How many bytes of memory the listing takes.
    pub(super) fn room(&self) -> u64 {
        self.listing.len() as u64
    }

    /// The next transfer, if there is any, of what is wanted by `rules`.
    pub(super) fn next(&mut self, rules: &TreeRules) -> Option<Transfer> {
        self.left = self.left.checked_sub(1)?;
        let mut rest = entries(self.listing.get(self.read..)?);
        let (path, entry) = rest.by_ref().find_map(|entry| {
            let entry = entry.ok()?;
            let path = self.path.join(entry.name);
            let is_wanted = rules.judge(path.way_from_top(), entry.kind, self.is_loose).is_ok();
            is_wanted.then_some((path, entry))
        })?;
        self.read = self.listing.len() - rest.rest().len();
        let Entry { size, modified, name, kind } = entry;
        let target = self.target.join(name.as_bytes());
        Some(if kind == EntryKind::Directory {
            Transfer::tree(path, target)
        } else {
            Transfer::file(path.into(), target, Some(ListedFile { size, modified }))
        })
    }
}
