//! The lines of a listing.

use arbitrary::Arbitrary;
use barewire_core::file::Entry;

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
        /// Whether it is a directory.
        is_directory: bool,
    },
}

/// Whether a name could mean anything but one thing in this directory.
fn is_harmless(name: &str) -> bool {
    !["", ".", ".."].contains(&name) && name.chars().all(|c| c != '/' && !c.is_control())
}

fn read(line: &[u8]) {
    if let Ok(entry) = Entry::parse(line) {
        assert!(is_harmless(entry.name), "{entry:?}");
        assert!(!entry.is_directory || entry.size == 0, "{entry:?}");
        assert_eq!(entry.to_string().as_bytes(), line, "written again, it is another line");
    }
}

/// What is read is written alike, and what is written is read alike, if it may be.
pub fn check(input: &Input<'_>) {
    match *input {
        Input::Line(line) => read(line),
        Input::Parts(size, modified, name) => {
            read(format!("{size}\t{modified}\t{name}").as_bytes());
        }
        Input::Entry { size, modified, name, is_directory } => {
            let entry = Entry { size, modified, name, is_directory };
            let is_valid = is_harmless(name) && (!is_directory || size == 0);
            assert_eq!(Entry::is_name(name), is_harmless(name));
            let line = entry.to_string();
            let is_read = Entry::parse(line.as_bytes()) == Ok(entry);
            assert_eq!(is_read, is_valid, "{line:?}");
        }
    }
}
