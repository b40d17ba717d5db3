//! What a folder holds.

use barewire_core::file::{Entry, EntryError, ResponseHeader, entries};
use barewire_core::printable::printable;

use crate::output::events::file_client::{Bytes, Listed};

use super::report::Voice;

/// The longest listing that is taken, in bytes: hundreds of thousands of names.
const LONGEST: u64 = 64 << 20;

/// How many bytes of listings may be there at once: those of all folders that are not done, that is,
/// above all of those on the way to one that lies deep.
pub(super) const ROOM: u64 = 2 * LONGEST;

/// A listing that is coming in.
#[derive(Debug, Default)]
pub(super) struct Listing {
    bytes: Vec<u8>,
}

impl Listing {
    /// The lines are about to come; there is room for so many bytes of them.
    pub(super) fn answered(
        &mut self,
        name: &str,
        answer: &ResponseHeader,
        room: u64,
    ) -> Result<(), String> {
        self.bytes.clear();
        let room = room.min(LONGEST);
        if answer.size > room {
            return Err(format!(
                "{name}: its listing is {} long, more than the {} that there is room for",
                Bytes(answer.size),
                Bytes(room)
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

    /// Whether the complete listing can be gone by, and what is in it.
    pub(super) fn check(&self) -> Result<Whole, EntryError> {
        let mut whole = Whole { entries: 0, files: 0, largest: 0 };
        for entry in entries(&self.bytes) {
            let entry = entry?;
            whole.entries += 1;
            whole.files += u64::from(!entry.is_directory);
            whole.largest = whole.largest.max(entry.size);
        }
        Ok(whole)
    }

    /// Takes the lines out.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.shrink_to_fit();
        bytes
    }

    /// Shows the entries of a folder, under a heading if it is one of several.
    pub(super) fn show(
        &self,
        folder: Option<&str>,
        voice: &mut Voice<'_>,
    ) -> Result<(), EntryError> {
        let width = self.check()?.largest.to_string().len();
        let folder = folder.map(|name| printable(name.as_bytes()));
        if let Some(folder) = folder {
            voice.head(folder);
        }
        for entry in entries(&self.bytes) {
            let Entry { size, modified, name, is_directory } = entry?;
            let name = printable(name.as_bytes());
            let listed = Listed { folder, name, size, modified, directory: is_directory, width };
            voice.show(&listed);
        }
        Ok(())
    }
}

/// What is in a listing that follows the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) entries: usize,
    pub(super) files: u64,
    /// The size of the largest file in bytes.
    largest: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(text: &str) -> Listing {
        Listing { bytes: text.as_bytes().to_vec() }
    }

    #[test]
    fn what_breaks_the_rules_is_not_gone_by() {
        let whole = listing("5\t2\ta\n0\t2\tb/\n12\t2\tc\n").check();
        assert_eq!(whole, Ok(Whole { entries: 3, files: 2, largest: 12 }));
        assert_eq!(listing("").check().map(|whole| whole.entries), Ok(0));
        for wrong in ["1\t2\ta", "\n", "1\t2\ta\n\n", "1\t2\ta\n0\t0\t../\n", "1\t0\ta\n1\t0\ta\n"]
        {
            assert_eq!(listing(wrong).check(), Err(EntryError), "{wrong:?}");
        }
    }

    #[test]
    fn a_listing_must_be_proven_and_of_bearable_length() {
        let answer = |size, verified| ResponseHeader { offset: 0, size, tag: 1, verified };
        let mut listing = listing("left from a connection that broke");
        assert_eq!(listing.answered("x", &answer(LONGEST, true), ROOM), Ok(()));
        assert!(listing.bytes.is_empty());
        assert_eq!(listing.answered("x", &answer(0, false), 0), Ok(()));
        assert_eq!(listing.answered("x", &answer(7, true), 7), Ok(()));
        assert!(listing.answered("x", &answer(8, true), 7).is_err());
        assert!(listing.answered("x", &answer(LONGEST + 1, true), ROOM).is_err());
        assert!(listing.answered("x", &answer(1, false), ROOM).is_err());
    }
}
