//! What a folder holds.

use barewire_core::file::{Answer, Entry, EntryError};
use barewire_core::printable::printable;

use crate::fetched::{Bytes, Listed};
use crate::output::Record;

use super::voice::Voice;

/// The longest listing that is taken: hundreds of thousands of names.
const LONGEST: u64 = 64 << 20;

/// A listing that is coming in.
#[derive(Debug, Default)]
pub(super) struct Listing {
    bytes: Vec<u8>,
}

impl Listing {
    pub(super) fn answered(&mut self, name: &str, answer: &Answer) -> Result<(), String> {
        self.bytes.clear();
        if answer.size > LONGEST {
            return Err(format!(
                "{name}: its listing is {} long, more than the {} that are taken",
                Bytes(answer.size),
                Bytes(LONGEST)
            ));
        }
        // Nor would its end be certain while others are to follow.
        if !answer.verified && answer.size > 0 {
            return Err(format!("{name}: the server sends its listing without digests"));
        }
        Ok(())
    }

    pub(super) fn contents(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The entries of the complete listing.
    pub(super) fn entries(&self) -> Result<Vec<Entry<'_>>, EntryError> {
        if self.bytes.is_empty() {
            return Ok(Vec::new());
        }
        let lines = self.bytes.strip_suffix(b"\n").ok_or(EntryError)?;
        lines.split(|&byte| byte == b'\n').map(Entry::parse).collect()
    }
}

/// Shows the entries of a folder, under a heading if it is one of several.
pub(super) fn show(entries: &[Entry<'_>], folder: Option<&str>, voice: &mut Voice<'_>) {
    let folder = folder.map(|name| printable(name.as_bytes()));
    if let Some(folder) = folder {
        voice.head(folder);
    }
    let largest = entries.iter().map(|entry| entry.size).max().unwrap_or(0);
    let width = largest.to_string().len();
    for entry in entries {
        let &Entry { size, modified, name, is_directory } = entry;
        let name = printable(name.as_bytes());
        let listed = Listed { folder, name, size, modified, directory: is_directory, width };
        voice.show(Record::Entry(listed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(text: &str) -> Listing {
        Listing { bytes: text.as_bytes().to_vec() }
    }

    #[test]
    fn lines_are_entries() {
        let names = |text: &str| -> Result<Vec<String>, EntryError> {
            let listing = listing(text);
            Ok(listing.entries()?.iter().map(|entry| entry.name.to_owned()).collect())
        };
        assert_eq!(names(""), Ok(vec![]));
        assert_eq!(names("1\t2\ta\n0\t2\tb/\n"), Ok(vec!["a".into(), "b".into()]));
        // Cut off, empty, and leading elsewhere.
        for wrong in ["1\t2\ta", "\n", "1\t2\ta\n\n", "1\t2\ta\n0\t0\t../\n"] {
            assert_eq!(names(wrong), Err(EntryError), "{wrong:?}");
        }
    }

    #[test]
    fn a_listing_must_be_proven_and_of_bearable_length() {
        let answer = |size, verified| Answer { offset: 0, size, tag: 1, verified };
        let mut listing = listing("left from a connection that broke");
        assert_eq!(listing.answered("x", &answer(LONGEST, true)), Ok(()));
        assert!(listing.bytes.is_empty());
        assert_eq!(listing.answered("x", &answer(0, false)), Ok(()));
        assert!(listing.answered("x", &answer(LONGEST + 1, true)).is_err());
        assert!(listing.answered("x", &answer(1, false)).is_err());
    }
}
