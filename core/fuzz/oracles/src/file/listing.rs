//! The lines of a listing.

use arbitrary::Arbitrary;
use barewire_core::file::{Entry, EntryKind, ListingLine};

/// A line of a peer's, or an entry of ours.
#[derive(Debug, Arbitrary)]
pub enum Input<'a> {
    /// Whatever came.
    Line(&'a [u8]),
    /// A line with all its parts.
    Parts(u64, i64, &'a str),
    /// What a server has.
    Entry {
        /// In bytes.
        size: u64,
        /// In seconds.
        modified: i64,
        /// Its name, whatever it holds.
        name: &'a str,
        /// A number for what it is.
        kind: u8,
    },
}

/// Whether a name means one thing in this directory, and nothing else.
fn is_harmless(name: &str) -> bool {
    !["", ".", ".."].contains(&name) && name.chars().all(|c| c != '/' && !c.is_control())
}

/// Whether a line can tell what has the name, and how large it is.
fn can_be_told(entry: &Entry<'_>) -> bool {
    is_harmless(entry.name)
        && match entry.kind {
            EntryKind::File => !entry.name.ends_with('@'),
            EntryKind::Directory | EntryKind::LinkToDirectory => entry.size == 0,
        }
}

fn read(line: &[u8]) {
    let Ok(read) = ListingLine::parse(line) else {
        assert!(Entry::parse(line).is_err());
        return;
    };
    assert_eq!(read.to_string().as_bytes(), line, "written again, it is another line");
    match read {
        ListingLine::Entry(entry) => {
            assert!(can_be_told(&entry), "{entry:?}");
            assert_eq!(Entry::parse(line), Ok(entry));
        }
        ListingLine::LeftOut(_) => assert!(Entry::parse(line).is_err()),
    }
}

/// What is read is written alike, and what is written is read alike, if it may be.
pub fn check(input: &Input<'_>) {
    match *input {
        Input::Line(line) => read(line),
        Input::Parts(size, modified, name) => {
            read(format!("{size}\t{modified}\t{name}").as_bytes());
        }
        Input::Entry { size, modified, name, kind } => {
            let kind = match kind % 3 {
                0 => EntryKind::File,
                1 => EntryKind::Directory,
                _ => EntryKind::LinkToDirectory,
            };
            let entry = Entry { size, modified, name, kind };
            let line = entry.to_string();
            let is_read = Entry::parse(line.as_bytes()) == Ok(entry);
            assert_eq!(is_read, can_be_told(&entry), "{line:?}");
            assert_eq!(Entry::is_name(name, kind), can_be_told(&Entry { size: 0, ..entry }));
        }
    }
}
