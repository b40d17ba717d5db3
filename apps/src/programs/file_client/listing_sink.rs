//! What a folder holds.

use barewire_core::file::{Entry, EntryError, EntryKind, entries};
use barewire_core::printable::printable;
use indicatif::HumanBytes;

use crate::output::events::file_client::Listed;
use crate::output::peer_text::Shown;

use super::report::Reporter;
use super::sink::{Abort, Incoming, Sink};

/// The longest listing that is taken, in bytes: hundreds of thousands of names.
const LONGEST: u64 = 64 << 20;

/// How many bytes of listings may be there at once: those of all folders that are not done, that is,
/// above all of those on the way to one that lies deep.
pub(super) const ROOM: u64 = 2 * LONGEST;

/// A listing that is coming in.
#[derive(Debug, Default)]
pub(super) struct ListingSink {
    bytes: Vec<u8>,
}

impl ListingSink {
    /// What is in the complete listing, if it can be gone by.
    pub(super) fn entries(&self) -> Result<impl Iterator<Item = Entry<'_>> + Clone, EntryError> {
        entries(&self.bytes).try_for_each(|entry| entry.map(drop))?;
        Ok(entries(&self.bytes).flatten())
    }

    /// How many entries the server has left out of the complete listing, as it cannot tell their names.
    pub(super) fn left_out(&self) -> u64 {
        let mut all = entries(&self.bytes);
        all.by_ref().for_each(drop);
        all.left_out()
    }

    pub(super) fn into_lines(mut self) -> Vec<u8> {
        self.bytes.shrink_to_fit();
        self.bytes
    }

    /// Shows the entries of a folder, under a heading if it is one of several.
    pub(super) fn show(
        &self,
        folder: Option<&str>,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), EntryError> {
        let entries = self.entries()?;
        let largest = entries.clone().map(|entry| entry.size).max().unwrap_or_default();
        let width = largest.to_string().len();
        let folder = folder.map(|name| printable(name.as_bytes()));
        if let Some(folder) = folder {
            reporter.output.heading(Shown::from(folder));
        }
        for Entry { size, modified, name, kind } in entries {
            let name = printable(name.as_bytes());
            let (directory, link) =
                (kind == EntryKind::Directory, kind == EntryKind::LinkToDirectory);
            reporter.output.show(&Listed { folder, name, size, modified, directory, link, width });
        }
        Ok(())
    }
}

impl Sink for ListingSink {
    fn begin(&mut self, name: Shown<'_>, incoming: &Incoming, room: u64) -> Result<(), Abort> {
        self.bytes.clear();
        let (size, room) = (incoming.size.unwrap_or_default(), room.min(LONGEST));
        if size > room {
            return Err(Abort::Skip(format!(
                "{name}: its listing is {} long, more than the {} that there is room for",
                HumanBytes(size),
                HumanBytes(room)
            )));
        }
        // Nor would its end be certain while others are to follow.
        if !incoming.verified && size > 0 {
            return Err(Abort::Skip(format!(
                "{name}: the server sends its listing without digests"
            )));
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], _reporter: &mut Reporter<'_>) -> Result<(), Abort> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::peer_text::shown;

    fn listing(text: &str) -> ListingSink {
        ListingSink { bytes: text.as_bytes().to_vec() }
    }

    #[test]
    fn what_breaks_the_rules_is_not_gone_by() {
        let sound = listing("5\t2\ta\n0\t2\tb/\n12\t2\tc\n-\t3\t\n");
        let sizes = sound.entries().unwrap().map(|entry| (entry.size, entry.kind));
        let (file, directory) = (EntryKind::File, EntryKind::Directory);
        assert_eq!(sizes.collect::<Vec<_>>(), [(5, file), (0, directory), (12, file)]);
        assert_eq!(sound.left_out(), 3);
        assert_eq!(listing("").entries().map(Iterator::count), Ok(0));
        let error = |text| listing(text).entries().err();
        for wrong in ["1\t2\ta", "\n", "1\t2\ta\n\n", "1\t2\ta\n0\t0\t../\n"] {
            assert_eq!(error(wrong), Some(EntryError::Malformed), "{wrong:?}");
        }
        assert_eq!(error("1\t0\ta\n1\t0\ta\n"), Some(EntryError::OutOfOrder));
    }

    #[test]
    fn a_listing_must_be_proven_and_of_bearable_length() {
        let mut listing = listing("left from a connection that broke");
        let mut begin = |size, verified, room| {
            let incoming = Incoming { size: Some(size), tag: 1, verified, ..Incoming::default() };
            let begun = listing.begin(shown(b"x"), &incoming, room);
            assert!(listing.bytes.is_empty());
            begun.is_ok()
        };
        assert!(begin(LONGEST, true, ROOM));
        assert!(begin(0, false, 0));
        assert!(begin(7, true, 7));
        assert!(!begin(8, true, 7));
        assert!(!begin(LONGEST + 1, true, ROOM));
        assert!(!begin(1, false, ROOM));
    }
}
